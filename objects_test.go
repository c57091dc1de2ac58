package salesiq_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/internal/wire"
	"github.com/salesiq-go/salesiq/live"
)

// objects has one entry for every object of the specification. Its fixture has
// all the fields that the specification shows, none of them empty.
var objects = map[string]func() any{
	"chat":            func() any { return new(salesiq.Chat) },
	"message":         func() any { return new(salesiq.Message) },
	"visitor_info":    func() any { return new(salesiq.VisitorInfo) },
	"visitor":         func() any { return new(salesiq.Visitor) },
	"activity":        func() any { return new(salesiq.VisitorActivity) },
	"operator":        func() any { return new(salesiq.Operator) },
	"operator_stats":  func() any { return new(salesiq.OperatorStats) },
	"brand":           func() any { return new(salesiq.Brand) },
	"widget_settings": func() any { return new(salesiq.WidgetSettings) },
	"department":      func() any { return new(salesiq.Department) },
	"routing_rule":    func() any { return new(salesiq.RoutingRule) },
	"webhook":         func() any { return new(salesiq.Webhook) },
	"device":          func() any { return new(salesiq.Device) },
	"notification":    func() any { return new(salesiq.Notification) },
}

func TestObjectsLoseNothing(t *testing.T) {
	t.Parallel()
	for name, newObject := range objects {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := testkit.Fixture(t, "objects", name)
			object := newObject()
			require.NoError(t, wire.Unmarshal(data, object))
			testkit.CheckFilled(t, name, reflect.ValueOf(object).Elem())

			again, err := wire.Marshal(object)
			require.NoError(t, err)
			assert.Equal(t, testkit.Canonical(t, data), testkit.Canonical(t, again))
		})
	}
	files, err := filepath.Glob("testdata/objects/*.json")
	require.NoError(t, err)
	assert.Len(t, files, len(objects), "a fixture without a type")
}

// A field that no fixture shows is the service's news, not an error.
func TestUnknownFieldsAndValuesSurvive(t *testing.T) {
	t.Parallel()
	for name, newObject := range objects {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := addMember(testkit.Fixture(t, "objects", name), `"x_news":{"deep":[1,"two",null,12345678901234567890]}`)
			object := newObject()
			require.NoError(t, wire.Unmarshal(data, object))
			extra := reflect.ValueOf(object).Elem().FieldByName("Extra").Interface().(map[string]json.RawMessage)
			assert.Len(t, extra, 1)
			assert.JSONEq(t, `{"deep":[1,"two",null,12345678901234567890]}`, string(extra["x_news"]))

			again, err := wire.Marshal(object)
			require.NoError(t, err)
			assert.Equal(t, testkit.Canonical(t, data), testkit.Canonical(t, again))
		})
	}
	for _, nested := range []struct {
		object any
		json   string
	}{
		{new(salesiq.Chat), `{"visitor_info":{"new":1}}`},
		{new(salesiq.Chat), `{"transcript":[{"new":1}]}`},
		{new(salesiq.VisitorActivity), `{"sessions":[{"new":1,"pages":[{"new":2}]}],"chats":[{"new":3}]}`},
		{new(salesiq.Brand), `{"widget_settings":{"new":1},"departments":[{"new":2}]}`},
		{new(salesiq.RoutingRule), `{"conditions":[{"new":1}],"actions":{"new":2}}`},
	} {
		require.NoError(t, wire.Unmarshal([]byte(nested.json), nested.object))
		again, err := wire.Marshal(nested.object)
		require.NoError(t, err)
		assert.Equal(t, strings.Count(nested.json, `"new"`), strings.Count(string(again), `"new"`), "%s became %s", nested.json, again)
	}
}

// addMember adds a member to an object.
func addMember(object []byte, member string) []byte {
	text := strings.TrimSpace(string(object))
	return []byte(strings.TrimSuffix(text, "}") + "," + member + "}")
}

func TestUnknownEnumValuesSurvive(t *testing.T) {
	t.Parallel()
	const data = `{"status":"on hold","type":"video_call","transcript":[{"sender_type":"bot","type":"poll"}]}`
	var chat salesiq.Chat
	require.NoError(t, wire.Unmarshal([]byte(data), &chat))
	assert.Equal(t, salesiq.ChatStatus("on hold"), chat.Status)
	assert.Equal(t, salesiq.ChatType("video_call"), chat.Type)
	assert.Equal(t, salesiq.SenderType("bot"), chat.Transcript[0].SenderType)
	assert.Equal(t, salesiq.MessageType("poll"), chat.Transcript[0].Type)
	again, err := wire.Marshal(chat)
	require.NoError(t, err)
	for _, value := range []string{`"on hold"`, `"video_call"`, `"bot"`, `"poll"`} {
		assert.Contains(t, string(again), value)
	}
}

func TestNullIsNotZero(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, data string }{
		{"null", `{"ended_at":null,"rating":null,"feedback":null}`},
		{"absent", `{}`},
	} {
		var chat salesiq.Chat
		require.NoError(t, wire.Unmarshal([]byte(row.data), &chat))
		assert.Zero(t, chat.EndedAt, row.name)
		assert.Nil(t, chat.Rating, row.name)
		assert.Nil(t, chat.Feedback, row.name)
		again, err := wire.Marshal(chat)
		require.NoError(t, err)
		assert.Contains(t, string(again), `"ended_at":null,"duration":0,"rating":null,"feedback":null`, row.name)
	}
	var chat salesiq.Chat
	require.NoError(t, wire.Unmarshal([]byte(`{"rating":0,"feedback":""}`), &chat))
	assert.Equal(t, new(0), chat.Rating)
	assert.Equal(t, new(""), chat.Feedback)

	var session salesiq.Session
	require.NoError(t, wire.Unmarshal([]byte(`{"ended_at":null}`), &session))
	assert.Zero(t, session.EndedAt, "the visitor is still there")
}

func TestTimesAreInstants(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 2, 3, 8, 0, 0, 0, time.UTC)
	for _, text := range []string{
		"2026-02-03T08:00:00.000Z", "2026-02-03T08:00:00Z", "2026-02-03T09:00:00.000+01:00", "2026-02-03T03:00:00-05:00",
	} {
		var chat salesiq.Chat
		require.NoError(t, wire.Unmarshal([]byte(`{"started_at":"`+text+`"}`), &chat))
		assert.True(t, want.Equal(chat.StartedAt), "%s became %s", text, chat.StartedAt)
		again, err := wire.Marshal(chat)
		require.NoError(t, err)
		assert.Contains(t, string(again), `"started_at":"2026-02-03T08:00:00.000Z"`)
	}
}

func TestSecondsAreDurations(t *testing.T) {
	t.Parallel()
	assert.Equal(t, 90*time.Second, salesiq.Seconds(90).Duration())
	assert.Equal(t, 1500*time.Millisecond, salesiq.Seconds(1.5).Duration())
	assert.Equal(t, 290*time.Millisecond, salesiq.Seconds(0.29).Duration(), "which is a little less in binary")
	assert.Equal(t, 1500*time.Microsecond, live.Milliseconds(1.5).Duration())
}

// Programs keep objects with encoding/json. What was read comes back, unknown
// fields included, whatever that version of encoding/json calls them.
func TestEncodingJSONLosesNothing(t *testing.T) {
	t.Parallel()
	for name, newObject := range objects {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			object := newObject()
			require.NoError(t, wire.Unmarshal(addMember(testkit.Fixture(t, "objects", name), `"x_news":{"a":1}`), object))
			stored, err := json.Marshal(object)
			require.NoError(t, err)
			restored := newObject()
			require.NoError(t, json.Unmarshal(stored, restored))
			switch object := object.(type) { // Secrets are kept out of what is stored.
			case *salesiq.Webhook:
				object.Secret = salesiq.NewSecret(redact.Mask)
			case *salesiq.Device:
				object.Token = salesiq.NewSecret(redact.Mask)
			}
			assert.Equal(t, object, restored)
		})
	}
}

func TestEncodingJSONReadsTheServicesNotation(t *testing.T) {
	t.Parallel()
	for name, newObject := range objects {
		data := testkit.Fixture(t, "objects", name)
		ours, theirs := newObject(), newObject()
		require.NoError(t, wire.Unmarshal(data, ours))
		require.NoError(t, json.Unmarshal(data, theirs))
		assert.Equal(t, theirs, ours, name)
	}
}

func TestEnvelopesOfTheSpecification(t *testing.T) {
	t.Parallel()
	department, err := wire.Decode[salesiq.Department](testkit.Fixture(t, "envelopes", "object"))
	require.NoError(t, err)
	assert.Equal(t, &salesiq.Department{ID: "d-9", Name: "Returns"}, department)

	departments, paging, err := wire.DecodeList[salesiq.Department](testkit.Fixture(t, "envelopes", "list"))
	require.NoError(t, err)
	assert.Equal(t, []salesiq.Department{{ID: "d-3", Name: "Billing"}, {ID: "d-4", Name: "Shipping"}}, departments)
	assert.Equal(t, wire.Paging{Page: 3, PerPage: 2, Total: 17}, paging)

	failure, ok := wire.DecodeError(testkit.Fixture(t, "envelopes", "error"))
	require.True(t, ok)
	assert.Equal(t, wire.ErrorBody{
		Code: "CHAT_NOT_ACTIVE", Message: "The chat ended before the message came",
		Details: map[string]any{"chat_id": "5550001", "ended_at": "2026-02-03T08:12:30.000Z"},
	}, failure)
}

func TestTokenAnswerOfTheSpecification(t *testing.T) {
	t.Parallel()
	answer := string(testkit.Fixture(t, "envelopes", "token"))
	api := newAPIRecorder(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth/v2/token" {
			answerJSON(http.StatusOK, answer)(w, r)
			return
		}
		answerSuitably(w, r)
	})
	credentials := salesiq.Credentials{ClientID: "id", ClientSecret: salesiq.NewSecret("secret"), RefreshToken: salesiq.NewSecret("refresh")}
	client, err := salesiq.NewClient(salesiq.RefreshToken(credentials, salesiq.NewMemoryTokenStore()), salesiq.WithBaseURL(api.URL))
	require.NoError(t, err)
	_, err = client.Chats.Get(t.Context(), "c1")
	require.NoError(t, err)
	requests := api.requests()
	require.Len(t, requests, 2)
	assert.Equal(t, []string{"Zoho-oauthtoken 1000.fixture-access"}, requests[1].Header["Authorization"])
}
