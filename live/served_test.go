package live_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// servedRow is a call that the emulator answers, with arguments that its default data
// has.
type servedRow struct {
	call   string
	object string // What the answer calls its data; empty where it shows none.
	extra  string // Fields that the emulator tells of and package live does not, between blanks.
	do     func(ctx context.Context, s *live.Service) (any, error)
}

// servedRows are those of all families.
var servedRows = slices.Concat(servedConversations)

// settingsFamilies are held by TestEachCallAboutSettingsIsServed of package salesiqtest.
var settingsFamilies = []string{
	"apps", "articles", "blocked IPs", "call routing", "callbacks", "canned responses", "channels", "chat routing", "criteria", "departments",
	"encryptions", "history views", "lead scoring", "monitors", "operators", "tracking presets", "triggers", "visitor routing", "webhooks",
}

// value passes on what a call returned.
func value[T any](got T, err error) (any, error) { return got, err }

// nothing is the value of a call that returns an error alone.
func nothing(err error) (any, error) { return nil, err }

// all collects what an iterator yields.
func all[T any](items iter.Seq2[*T, error]) (any, error) {
	var got []*T
	for item, err := range items {
		if err != nil {
			return nil, err
		}
		got = append(got, item)
	}
	return got, nil
}

func TestTheEmulatorServesEachTypedCall(t *testing.T) {
	t.Parallel()
	rows := map[string]servedRow{}
	for _, row := range servedRows {
		rows[row.call] = row
	}
	for _, call := range publishedCalls(t) {
		if call.goMethod == "-" {
			continue
		}
		row, ok := rows[call.goMethod]
		if slices.Contains(settingsFamilies, call.family) {
			assert.False(t, ok, "%s has a row: take %q off the list", call.goMethod, call.family)
			continue
		}
		if !assert.True(t, ok, "%s has no row in servedRows", call.goMethod) {
			continue
		}
		t.Run(row.call, func(t *testing.T) {
			t.Parallel()
			server := salesiqtest.Start(t, salesiqtest.Live())
			answers := &listener{to: server.HTTPClient().Transport}
			credentials := server.Credentials()
			if strings.HasPrefix(row.call, "VisitorSide") {
				credentials = server.OrgCredentials()
			}
			client, err := salesiq.NewClient(salesiq.RefreshToken(credentials, salesiq.NewMemoryTokenStore()),
				append(server.Options(), salesiq.WithHTTPClient(&http.Client{Transport: answers}))...)
			require.NoError(t, err)

			got, err := row.do(t.Context(), live.New(client))
			require.NoError(t, err)
			status, body := answers.last(call.method, regexp.MustCompile(pattern(strings.ReplaceAll(call.path, "{portal}", salesiqtest.Portal))))
			if row.object == "" {
				assert.Empty(t, body)
				assert.Contains(t, []int{http.StatusOK, http.StatusNoContent}, status)
				return
			}
			var envelope struct{ Object string }
			require.NoError(t, json.Unmarshal(body, &envelope), "no answer to %s %s", call.method, call.path)
			assert.Equal(t, row.object, envelope.Object)
			assert.False(t, isEmpty(reflect.ValueOf(got)), "an empty answer: %s", body)
			assert.Equal(t, strings.Fields(row.extra), append([]string{}, slices.Sorted(maps.Keys(strangers(reflect.ValueOf(got))))...),
				"fields that package live does not know: %.2000s", body)
		})
	}
}

// listener keeps the answers to all requests.
type listener struct {
	to http.RoundTripper

	mu      sync.Mutex
	answers []heard
}

type heard struct {
	method, path string
	status       int
	body         []byte
}

func (l *listener) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.to.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers = append(l.answers, heard{r.Method, r.URL.Path, response.StatusCode, body})
	return response, nil
}

// last returns the last answer to a method and a path.
func (l *listener) last(method string, path *regexp.Regexp) (status int, body []byte) {
	for _, answer := range l.answers {
		if answer.method == method && path.MatchString(answer.path) {
			status, body = answer.status, answer.body
		}
	}
	return status, body
}

// isEmpty reports whether there is nothing in a result.
func isEmpty(v reflect.Value) bool {
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	return !v.IsValid() || v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0
}

// strangers finds the names of the fields in all values that have the name Extra.
func strangers(v reflect.Value) map[string]bool {
	found := map[string]bool{}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			maps.Copy(found, strangers(v.Elem()))
		}
	case reflect.Slice:
		for i := range v.Len() {
			maps.Copy(found, strangers(v.Index(i)))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			maps.Copy(found, strangers(v.MapIndex(key)))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			switch field := v.Type().Field(i); {
			case field.Name == "Extra":
				for _, key := range v.Field(i).MapKeys() {
					found[fmt.Sprint(key)] = true
				}
			case field.IsExported():
				maps.Copy(found, strangers(v.Field(i)))
			}
		}
	}
	return found
}
