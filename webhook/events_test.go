package webhook_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/internal/wire"
	"github.com/salesiq-go/salesiq/webhook"
)

// eventTypes has the type of each event's name, whose fixture has all of its
// fields, none of them empty.
var eventTypes = map[salesiq.EventName]webhook.Event{
	salesiq.EventChatStarted:           &webhook.ChatStarted{},
	salesiq.EventChatEnded:             &webhook.ChatEnded{},
	salesiq.EventChatMissed:            &webhook.ChatMissed{},
	salesiq.EventChatRated:             &webhook.ChatRated{},
	salesiq.EventMessageReceived:       &webhook.MessageReceived{},
	salesiq.EventVisitorIdentified:     &webhook.VisitorIdentified{},
	salesiq.EventVisitorOnline:         &webhook.VisitorOnline{},
	salesiq.EventVisitorOffline:        &webhook.VisitorOffline{},
	salesiq.EventOperatorStatusChanged: &webhook.OperatorStatusChanged{},
	salesiq.EventLeadCreated:           &webhook.LeadCreated{},
	salesiq.EventTriggerExecuted:       &webhook.TriggerExecuted{},
}

func TestEachEventHasItsTypeAndLosesNothing(t *testing.T) {
	t.Parallel()
	for name, want := range eventTypes {
		t.Run(string(name), func(t *testing.T) {
			t.Parallel()
			body := testkit.Fixture(t, "events", string(name))
			event, err := webhook.Parse(body)
			require.NoError(t, err)
			require.IsType(t, want, event)
			info := event.Info()
			assert.Equal(t, name, info.EventName)
			assert.Equal(t, time.Date(2026, time.March, 5, 9, 41, 7, 250e6, time.UTC), info.EventTime)
			assert.Equal(t, body, info.Body)
			assert.Regexp(t, "^[0-9a-f]{32}$", info.EventID)
			assert.Empty(t, info.Trace, "it is not the service's")
			info.Trace = "a tracer's"
			assert.Zero(t, info.Try, "it is a queue's")
			info.Try = 1
			testkit.CheckFilled(t, string(name), reflect.ValueOf(event).Elem())

			again, err := wire.Marshal(event)
			require.NoError(t, err)
			assert.Equal(t, testkit.Canonical(t, info.Data), testkit.Canonical(t, again))
		})
	}
	files, err := filepath.Glob("testdata/events/*.*.json")
	require.NoError(t, err)
	assert.Len(t, files, len(eventTypes), "a fixture without a type")
}

// An event is called the same wherever it has a name.
func TestAnEventHasOneName(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../webhooks.go", nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	constants := map[string]string{}
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "EventName" {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			constants[value] = spec.Names[0].Name
		}
		return true
	})
	assert.Len(t, constants, len(eventTypes))
	for name, event := range eventTypes {
		assert.Equal(t, "Event"+reflect.TypeOf(event).Elem().Name(), constants[string(name)])
	}
}

func TestUnknownFieldsOfAnEventAreReachable(t *testing.T) {
	t.Parallel()
	event, err := webhook.Parse([]byte(`{"event":"chat.rating","data":{"rating":3,"mood":["calm",9007199254740993]}}`))
	require.NoError(t, err)
	rated := event.(*webhook.ChatRated)
	assert.Equal(t, 3, rated.Rating)
	assert.JSONEq(t, `["calm",9007199254740993]`, string(rated.Extra["mood"]))
}

// W13: news is delivered, not refused.
func TestAnEventOfAnUnknownNameIsNoError(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]struct {
		name salesiq.EventName
		data string
	}{
		`{"event":"robot.sang","data":{"song":"Daisy"}}`:                  {"robot.sang", `{"song":"Daisy"}`},
		`{"event":"conversation.rated","attempt":1,"entity":{"id":"c1"}}`: {"conversation.rated", `{"id":"c1"}`},
		`{"id":"c1","rating":"2"}`:                                        {"", `{"id":"c1","rating":"2"}`}, // Some of the vendor's samples have no envelope.
		`{"event":"robot.sang","data":"no object"}`:                       {"robot.sang", `{"event":"robot.sang","data":"no object"}`},
		`{"event":17,"data":{}}`:                                          {"17", `{}`},
		`{"event":null}`:                                                  {"", `{"event":null}`},
		`{}`:                                                              {"", `{}`},
	} {
		event, err := webhook.Parse([]byte(body))
		require.NoError(t, err, body)
		require.IsType(t, &webhook.UnknownEvent{}, event, body)
		assert.Equal(t, want.name, event.Info().EventName, body)
		assert.JSONEq(t, want.data, string(event.Info().Data), body)
		extra, err := json.Marshal(event.(*webhook.UnknownEvent).Extra)
		require.NoError(t, err)
		assert.Len(t, event.(*webhook.UnknownEvent).Extra, strings.Count(want.data, `":`), "%s", extra)
	}
}

func TestAnOddFieldDoesNotLoseTheEvent(t *testing.T) {
	t.Parallel()
	event, err := webhook.Parse([]byte(`{"event":"chat.rating","data":{"chat_id":"c1","rating":{"stars":5},` +
		`"submitted_at":"yesterday","feedback":"good","news":true}}`))
	require.NoError(t, err)
	rated := event.(*webhook.ChatRated)
	assert.Equal(t, "c1", rated.ChatID)
	assert.Equal(t, "good", rated.Feedback)
	assert.Zero(t, rated.Rating)
	assert.Zero(t, rated.SubmittedAt)
	assert.Contains(t, rated.Extra, "news")
	assert.Contains(t, string(rated.Data), `{"stars":5}`)
}

// The live service writes numbers and times as strings, and ids as numbers.
func TestWhatAnEventHoldsIsTakenForWhatItMeans(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.March, 5, 9, 41, 7, 250e6, time.UTC)
	event, err := webhook.Parse([]byte(`{"event":"chat.rating","data":{"chat_id":40526000000002041,"rating":"5",` +
		`"submitted_at":"1772703667250","feedback":{"text":"good"},"mood":"1"}}`))
	require.NoError(t, err)
	rated := event.(*webhook.ChatRated)
	assert.Equal(t, "40526000000002041", rated.ChatID)
	assert.Equal(t, 5, rated.Rating)
	assert.True(t, at.Equal(rated.SubmittedAt))
	assert.Equal(t, "good", rated.Feedback)
	assert.JSONEq(t, `"1"`, string(rated.Extra["mood"]))

	event, err = webhook.Parse([]byte(`{"event":"chat.ended","data":{"duration":"90.5","message_count":7.0,"ended_at":1772703667250,"ended_by":null}}`))
	require.NoError(t, err)
	ended := event.(*webhook.ChatEnded)
	assert.Equal(t, 90500*time.Millisecond, ended.Duration.Duration())
	assert.Equal(t, 7, ended.MessageCount)
	assert.True(t, at.Equal(ended.EndedAt))
}

func TestABodyThatIsNoObjectIsNoEvent(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", " ", "null", "[]", `"chat.ended"`, "{", `{"event":"chat.ended"`, `{"event":"chat.ended"}{}`, `{"event":"chat.ended"} x`, "<html>", "event=chat.ended"} {
		_, err := webhook.Parse([]byte(body))
		require.ErrorIs(t, err, webhook.ErrNoEvent, "%q", body)
	}
}

func TestTheTimeOfAnEventIsOptional(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, time.March, 5, 9, 41, 7, 250e6, time.UTC)
	for member, want := range map[string]time.Time{
		`"timestamp":"2026-03-05T09:41:07.250Z"`:      want,
		`"timestamp":"2026-03-05T10:41:07.250+01:00"`: want,
		`"timestamp":1772703667250`:                   want,
		`"event_time":"1772703667250"`:                want,
		`"timestamp":"-1"`:                            {},
		`"timestamp":""`:                              {},
		`"timestamp":null`:                            {},
		`"timestamp":"soon"`:                          {},
		`"other":1`:                                   {},
	} {
		event, err := webhook.Parse([]byte(`{"event":"chat.ended",` + member + `}`))
		require.NoError(t, err, member)
		assert.True(t, want.Equal(event.Info().EventTime), "%s became %s", member, event.Info().EventTime)
	}
}

// W11: the id is a hash of the body, save for the count of deliveries.
func TestTheIDTellsEventsApartAndDeliveriesTogether(t *testing.T) {
	t.Parallel()
	id := func(body string) string {
		event, err := webhook.Parse([]byte(body))
		require.NoError(t, err, body)
		return event.Info().EventID
	}
	live := string(testkit.Fixture(t, "events", "live"))
	assert.Equal(t, id(live), id(strings.Replace(live, `"attempt": 1`, `"attempt": 4`, 1)), "another delivery")
	assert.NotEqual(t, id(live), id(strings.Replace(live, `"rating": "3"`, `"rating": "1"`, 1)), "another event")

	const visitor = `{"event":"visitor.online","timestamp":"2026-03-05T09:41:07.250Z","data":{"visitor_id":"v1"}}`
	for _, other := range []string{
		strings.Replace(visitor, "v1", "v2", 1), // Neither has a chat_id.
		strings.Replace(visitor, "online", "offline", 1),
		strings.Replace(visitor, "07.250", "07.251", 1),
	} {
		assert.NotEqual(t, id(visitor), id(other), other)
	}
}

// W11.
func TestWhatIsWrittenOtherwiseIsTheSameEventAndOtherTextIsNot(t *testing.T) {
	t.Parallel()
	receiver, log := newReceiver()
	const body = `{"event":"message.received","timestamp":"2026-03-05T09:41:07.250Z","data":{"chat_id":"c1","message":"é"}}`
	for _, same := range []string{
		body, body + "\n",
		`{"data":{"message":"é","chat_id":"c1"},"timestamp":"2026-03-05T09:41:07.250Z","event":"message.received"}`,
		"{ \"event\": \"message.received\",\r\n\t\"timestamp\": \"2026-03-05T09:41:07.250Z\", \"data\": { \"chat_id\": \"c1\", \"message\": \"é\" } }",
	} {
		assert.Equal(t, http.StatusOK, post(t, receiver, []byte(same)).Code)
	}
	assert.Equal(t, 1, log.calls())
	for i, other := range []string{"e", "\xe9", "\xe8", "\ufffd", "é ", `\ud83d`, "É"} { // Event, chat and time are the same.
		for range 2 {
			assert.Equal(t, http.StatusOK, post(t, receiver, []byte(strings.Replace(body, "é", other, 1))).Code)
		}
		assert.Equal(t, i+2, log.calls(), "%q", other)
	}

	live := `{"event":"conversation.rated","attempt":1,"entity":{"id":"c1","note":"` + "\xe9" + `"}}`
	post(t, receiver, []byte(live))
	post(t, receiver, []byte(strings.Replace(live, `"attempt":1`, `"attempt":2`, 1)))
	assert.Equal(t, 9, log.calls(), "the count of deliveries does not matter")
	post(t, receiver, []byte(strings.Replace(live, "\xe9", "\xe8", 1)))
	assert.Equal(t, 10, log.calls())
}

// W2.
func TestParseSignedReadsWhatIsSignedAndNothingElse(t *testing.T) {
	t.Parallel()
	verifier, body := webhook.HMAC(salesiq.NewSecret(hookSecret)), ratedBody("c1")
	signature := webhook.SignHMAC(salesiq.NewSecret(hookSecret), body)
	for name, good := range map[string]bool{
		"X-Salesiq-Signature": true, "x-salesiq-signature": true, "X-SALESIQ-SIGNATURE": true, "x-siqsignature": false,
	} {
		event, err := webhook.ParseSigned(verifier, http.Header{name: {signature}}, body)
		if !good {
			require.ErrorIs(t, err, webhook.ErrSignature, name)
			assert.Nil(t, event)
			continue
		}
		require.NoError(t, err, name)
		assert.Equal(t, "c1", event.(*webhook.ChatRated).ChatID)
	}
	for name, header := range map[string]http.Header{
		"none": nil, "of another body": {webhook.HeaderSignature: {webhook.SignHMAC(salesiq.NewSecret(hookSecret), []byte("{}"))}},
		"two": {webhook.HeaderSignature: {signature}, "x-salesiq-signature": {signature}},
	} {
		event, err := webhook.ParseSigned(verifier, header, body)
		require.ErrorIs(t, err, webhook.ErrSignature, name)
		assert.Nil(t, event)
	}
	broken := []byte("[]")
	_, err := webhook.ParseSigned(verifier, http.Header{webhook.HeaderSignature: {webhook.SignHMAC(salesiq.NewSecret(hookSecret), broken)}}, broken)
	require.ErrorIs(t, err, webhook.ErrNoEvent)
	for _, none := range []webhook.Verifier{nil, webhook.HMAC(), (*nilVerifier)(nil)} {
		_, err = webhook.ParseSigned(none, http.Header{webhook.HeaderSignature: {signature}}, body)
		require.ErrorIs(t, err, salesiq.ErrInvalidInput)
	}
}

func FuzzParse(f *testing.F) {
	for name := range eventTypes {
		f.Add(testkit.Fixture(f, "events", string(name)))
	}
	f.Add(testkit.Fixture(f, "events", "live"))
	f.Add([]byte(`{"event":"chat.rating","data":{"rating":"odd","feedback":"\ud83d"},"attempt":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		event, err := webhook.Parse(body)
		if err != nil {
			require.ErrorIs(t, err, webhook.ErrNoEvent)
			return
		}
		info := event.Info()
		assert.Equal(t, body, info.Body)
		assert.Len(t, info.EventID, 32)
		again, err := webhook.Parse(body)
		require.NoError(t, err)
		assert.Equal(t, event, again)
	})
}
