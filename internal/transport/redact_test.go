package transport_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/internal/transport"
)

const accessToken = "1000.0123456789ABCDEF.FEDCBA9876543210"

// authorized is a source of one token that looks real.
type authorized struct{}

func (authorized) Header(context.Context) (string, error) {
	return "Zoho-oauthtoken " + accessToken, nil
}
func (authorized) Rejected(string) transport.Refusal { return transport.TokenKept }

func (authorized) Accepted(string) {}

// shown is all that an error could show to anybody.
func shown(f *transport.Failure) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%v %+v %s %s %+v", f, f.Excerpt, f.ContentType, f.RequestID, f.Said)
	for err := error(f); err != nil; err = errors.Unwrap(err) {
		fmt.Fprintf(&text, " %+v", err)
	}
	return text.String()
}

func TestServiceThatRepeatsTheRequestDoesNotShowTheToken(t *testing.T) {
	t.Parallel()
	for _, answer := range []struct {
		name     string
		behavior testkit.Behavior
	}{
		{"a proxy's page", testkit.Echo(502, "text/html", "<html>could not forward: %s")},
		{"a proxy's page with status 200", testkit.Echo(200, "text/html", "<html>welcome: %s")},
		{"a message", testkit.Echo(400, "application/json", `{"status":"error","code":"INVALID_REQUEST","message":"%s"}`)},
		{"details", testkit.Echo(400, "application/json", `{"status":"error","code":"INVALID_REQUEST","details":{"header":["%s"]}}`)},
		{"an error under 200", testkit.Echo(200, "application/json", `{"status":"error","code":"INVALID_REQUEST","message":"%s"}`)},
		{"half an answer", testkit.Echo(200, "application/json", `{"status":"success","message":"%s`)},
		{"a number's place", testkit.Echo(200, "application/json", `{"status":"success","data":"%s"}`)},
		{"a redirect", testkit.Echo(302, "text/html", "%s")},
		{"no HTTP", testkit.MalformedStatus("HTTP/1.1 " + accessToken + " OK")},
		{"a content type", testkit.Answer(502, "text/"+accessToken, "")},
		{"at the end of the excerpt", testkit.HTML(502, strings.Repeat("x", 512-len(accessToken)/2)+accessToken)},
	} {
		t.Run(answer.name, func(t *testing.T) {
			t.Parallel()
			s := testkit.NewServer(t, answer.behavior)
			c := config(metered(t, s))
			c.Tokens, c.MaxAttempts = authorized{}, 1
			got, err := transport.New(c).Do(t.Context(), requestTo(s.URL, "GET"))
			if err == nil {
				err = got.Undecodable(fmt.Errorf("cannot read %s into an int", got.Body))
			}
			text := strings.ToUpper(shown(failure(t, err))) // A content type has no case.
			assert.NotContains(t, text, accessToken)
			assert.NotContains(t, text, accessToken[:len(accessToken)/2])
		})
	}
}

func TestServiceThatRepeatsTheRequestDoesNotShowTheSecretsInIt(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"hush", `hush "hush" \hush`, "hush <hush> & 'hush'", "hush%20hush/ö"} {
		spec, err := json.Marshal(secret)
		require.NoError(t, err)
		plain, err := jsontext.AppendQuote(nil, secret)
		require.NoError(t, err)
		for _, body := range []string{
			`{"status":"error","code":"INVALID_REQUEST","message":"too short: ` + string(spec[1:]) + `}`,
			`{"status":"error","code":"INVALID_REQUEST","message":"too short: ` + string(plain[1:]) + `}`,
			`{"status":"error","code":"INVALID_REQUEST","details":{"signed_with":` + string(plain) + `}}`,
			`{"error":{"code":1007,"message":` + string(plain) + `}}`,
			`<html>{"signed_with":` + string(plain),
			`<html>` + html.EscapeString(`{"signed_with":`+string(plain)),
			`<html>` + html.EscapeString(secret),
			`<html>?signed_with=` + url.QueryEscape(secret),
			secret,
		} {
			s := testkit.NewServer(t, testkit.Answer(400, "application/json", body))
			c := config(metered(t, s))
			r := requestTo(s.URL, "POST")
			r.Secrets = []string{"her name is hush", secret, "a"}
			_, err := transport.New(c).Do(t.Context(), r)
			assert.NotContains(t, shown(failure(t, err)), "hush", body)
			assert.Contains(t, shown(failure(t, err)), "[redacted]", body)
		}
	}
}

func TestSecretThatBreaksOffIsNotShown(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("hush", 8_000)
	s := testkit.NewServer(t, testkit.HTML(400, strings.Repeat(secret, 3)))
	c := config(metered(t, s))
	r := requestTo(s.URL, "POST")
	r.Secrets = []string{secret}
	_, err := transport.New(c).Do(t.Context(), r)
	assert.NotContains(t, shown(failure(t, err)), "hush")
	assert.Equal(t, "[redacted][redacted]", failure(t, err).Excerpt)
}

// wrapping is a transport that uses an http.Client of its own.
type wrapping struct{}

func (wrapping) RoundTrip(r *http.Request) (*http.Response, error) {
	inner := &url.Error{Op: "Get", URL: r.URL.String(), Err: errors.New("the root of it")}
	return nil, fmt.Errorf("my transport: %w", &url.Error{Op: "Get", URL: r.URL.String(), Err: inner})
}

func TestExcerptDoesNotShowTheSecretOfAWebhook(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"data":{"id":"w1","secret":"hush hush","active":"perhaps"}}`,
		`{"data":{"client_Secret" : "hush \"hush", "active":"perhaps"}}`,
		`{"x":"` + strings.Repeat("x", 470) + `","secret":"hush ` + strings.Repeat("hush ", 500),
	} {
		s := testkit.NewServer(t, testkit.Answer(500, "application/json", body))
		c := config(metered(t, s))
		c.MaxAttempts = 1
		_, err := transport.New(c).Do(t.Context(), requestTo(s.URL, "GET"))
		assert.NotContains(t, shown(failure(t, err)), "hush")
	}
}

func TestErrorsHoldNoURL(t *testing.T) {
	t.Parallel()
	c := config(wrapping{})
	c.MaxAttempts = 1
	pipeline := transport.New(c)
	for _, address := range []string{"https://salesiq.example/?email=ada@example.com", "https://salesiq.example/%zz?email=ada@example.com", "::?email=ada@example.com", "https://salesiq.example/\x00?email=ada@example.com"} {
		r := request("GET")
		r.URL = address
		_, err := pipeline.Do(t.Context(), r)
		require.Error(t, err)
		assert.NotContains(t, shown(failure(t, err)), "ada@example.com")
		var u *url.Error
		assert.NotErrorAs(t, err, &u)
	}
}

func TestWhatTheServiceSaysIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 10_000)
	s := testkit.NewServer(t, testkit.Answer(502, "text/html; x="+long, "<html>\r\n\x1b[31m\xff"+long, "X-Request-Id: "+long))
	c := config(metered(t, s))
	c.MaxAttempts = 1
	_, err := transport.New(c).Do(t.Context(), requestTo(s.URL, "GET"))
	f := failure(t, err)
	assert.LessOrEqual(t, len(f.Excerpt), 512)
	assert.LessOrEqual(t, len(f.RequestID), 128)
	assert.LessOrEqual(t, len(f.ContentType), 128)
	assert.NotContains(t, f.Excerpt, "\n")
	assert.NotContains(t, f.Excerpt, "\x1b")
}
