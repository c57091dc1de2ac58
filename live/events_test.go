package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/internal/wire"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/webhook"
)

// eventTypes has the type of each event's name. Of each there is a fixture, which is the
// entity.
var eventTypes = map[salesiq.EventName]live.Event{
	"conversation.created":               &live.ConversationCreated{},
	"conversation.attender.updated":      &live.ConversationAttenderUpdated{},
	"conversation.missed":                &live.ConversationMissed{},
	"conversation.operator.replied":      &live.ConversationOperatorReplied{},
	"conversation.visitor.replied":       &live.ConversationVisitorReplied{},
	"conversation.completed":             &live.ConversationCompleted{},
	"conversation.ended":                 &live.ConversationCompleted{},
	"conversation.rated":                 &live.ConversationRated{},
	"conversation.transfer.initiated":    &live.ConversationTransfer{},
	"conversation.transfer.accepted":     &live.ConversationTransfer{},
	"conversation.transfer.rejected":     &live.ConversationTransfer{},
	"conversation.participants.added":    &live.ConversationParticipants{},
	"conversation.participants.deleted":  &live.ConversationParticipants{},
	"conversation.supervisor.added":      &live.ConversationSupervisorAdded{},
	"conversation.message.edited":        &live.ConversationMessageChanged{},
	"conversation.message.deleted":       &live.ConversationMessageChanged{},
	"conversation.metrics":               &live.ConversationMetrics{},
	"conversation.reopened":              &live.ConversationReopened{},
	"visitor.updated":                    &live.VisitorUpdated{},
	"contact.tag.action":                 &live.TagAction{},
	"lead.tag.action":                    &live.TagAction{},
	"operator.created":                   &live.OperatorChanged{},
	"operator.updated":                   &live.OperatorChanged{},
	"operator.deleted":                   &live.OperatorChanged{},
	"operator.departments.associated":    &live.OperatorChanged{},
	"operator.departments.dissociated":   &live.OperatorChanged{},
	"operator.departments.disassociated": &live.OperatorChanged{},
	"department.created":                 &live.DepartmentChanged{},
	"department.updated":                 &live.DepartmentChanged{},
	"department.deleted":                 &live.DepartmentChanged{},
	"brands.enabled":                     &live.BrandChanged{},
	"brands.disabled":                    &live.BrandChanged{},
	"tag.created":                        &live.TagChanged{},
	"tag.updated":                        &live.TagChanged{},
	"tag.deleted":                        &live.TagChanged{},
	"robot.sang":                         &live.UnknownEvent{},
}

const (
	orgID     = "74100250000000003"
	entityID  = "74100250000000777"
	appID     = "74100250000000417"
	webhookID = "74100250000000955"
)

var eventTime = time.Date(2026, time.September, 21, 14, 13, 20, 123e6, time.UTC)

// articleForm is the envelope of the vendor's articles: numbers, and no time.
func articleForm(name salesiq.EventName, entity string) string {
	return `{"entity_type":"conversation","org_id":"` + orgID + `","event":"` + string(name) + `","entity_id":"` + entityID +
		`","attempt":1,"version":"1","app_id":` + appID + `,"entity":` + entity + `}`
}

// liveForm is the envelope that others have seen.
func liveForm(name salesiq.EventName, entity string) string {
	return `{"webhook":{"id":"` + webhookID + `"},"event_time":"` + strconv.FormatInt(eventTime.UnixMilli(), 10) + `","event":"` + string(name) +
		`","version":1,"attempt":1,"entity":` + entity + `,"entity_type":"conversation","org_id":"` + orgID + `","entity_id":"` + entityID +
		`","app_id":"` + appID + `","news":[9007199254740993]}`
}

func entityOf(t *testing.T, name salesiq.EventName) string {
	t.Helper()
	if name == "robot.sang" {
		return `{"id":74100250000000778,"song":{"verse":[1.50]}}`
	}
	return string(testkit.Fixture(t, "events", string(name)))
}

func TestEachLiveEventHasItsTypeAndLosesNothing(t *testing.T) {
	t.Parallel()
	for name, want := range eventTypes {
		t.Run(string(name), func(t *testing.T) {
			t.Parallel()
			entity := entityOf(t, name)
			for form, body := range map[string]string{
				"article": articleForm(name, entity), "live": liveForm(name, entity), "bare": entity,
				"text attempt": strings.Replace(liveForm(name, entity), `"attempt":1`, `"attempt":"1"`, 1),
			} {
				parsed, err := live.ParseNamed(name, []byte(body))
				require.NoError(t, err, form)
				checkEvent(t, form, name, want, entity, parsed)
				checkEvent(t, form+" received", name, want, entity, receive(t, name, body))
				if form != "bare" {
					parsed, err = live.ParseEvent([]byte(body))
					require.NoError(t, err, form)
					checkEvent(t, form, name, want, entity, parsed)
				}
			}
		})
	}
	files, err := filepath.Glob("testdata/events/*.json")
	require.NoError(t, err)
	assert.Len(t, files, len(eventTypes)-1, "a fixture without a type")
}

func checkEvent(t *testing.T, form string, name salesiq.EventName, want live.Event, entity string, event live.Event) {
	t.Helper()
	require.IsType(t, want, event, form)
	envelope := event.Envelope()
	assert.Equal(t, name, envelope.EventName, form)
	assert.Regexp(t, "^[0-9a-f]{32}$", envelope.EventID, form)
	assert.JSONEq(t, entity, string(envelope.Data), form)
	assert.Equal(t, event.Info(), &envelope.EventInfo, form)
	again, err := wire.Marshal(event)
	require.NoError(t, err)
	var before, after any
	require.NoError(t, wire.Unmarshal([]byte(entity), &before))
	require.NoError(t, wire.Unmarshal(again, &after))
	checkKept(t, form, before, after)
	if strings.HasPrefix(form, "bare") {
		id := before.(map[string]any)["id"]
		if id == nil {
			id = ""
		}
		assert.Equal(t, text(id), envelope.EntityID, form)
		return
	}
	assert.Equal(t, []string{"conversation", entityID, orgID, appID, "1"},
		[]string{envelope.EntityType, envelope.EntityID, envelope.OrgID, envelope.AppID, envelope.Version}, form)
	assert.Equal(t, 1, envelope.Attempt, form)
	if strings.HasPrefix(form, "article") {
		assert.Zero(t, envelope.EventTime, form)
		assert.Empty(t, envelope.WebhookID, form)
		assert.Empty(t, envelope.Extra, form)
		return
	}
	assert.True(t, eventTime.Equal(envelope.EventTime), form)
	assert.Equal(t, webhookID, envelope.WebhookID, form)
	assert.Len(t, envelope.Extra, 1, form)
	assert.JSONEq(t, "[9007199254740993]", string(envelope.Extra["news"]), form)
}

// checkKept checks that all that was sent is in what is written again, with every
// digit. A text, a number and a time count as the same if they mean the same.
func checkKept(t *testing.T, path string, before, after any) {
	t.Helper()
	switch before := before.(type) {
	case map[string]any:
		object, ok := after.(map[string]any)
		require.True(t, ok, "%s is %v", path, after)
		for name, value := range before {
			checkKept(t, path+"."+name, value, object[name])
		}
	case []any:
		list, ok := after.([]any)
		require.True(t, ok, "%s is %v", path, after)
		require.Len(t, list, len(before), path)
		for i := range before {
			checkKept(t, path+"["+strconv.Itoa(i)+"]", before[i], list[i])
		}
	default:
		if object, ok := after.(map[string]any); ok {
			after = object["text"] // A message that was a text.
		}
		sent, kept := text(before), text(after)
		if at, err := time.Parse(time.RFC3339, kept); err == nil {
			kept = strconv.FormatInt(at.UnixMilli(), 10)
		}
		assert.Equal(t, strings.TrimSpace(sent), kept, path)
	}
}

// text is what a scalar means.
func text(value any) string {
	if f, ok := value.(float64); ok {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}

// receive delivers a body to a receiver at a path for one event, and returns what its
// handler gets.
func receive(t *testing.T, name salesiq.EventName, body string) (received live.Event) {
	t.Helper()
	receiver := newReceiver(t, webhook.WithEventName(name))
	require.NoError(t, live.OnAny(receiver, func(_ context.Context, event live.Event) error { received = event; return nil }))
	require.Equal(t, http.StatusOK, deliver(t, receiver, body))
	return received
}

var secret = salesiq.NewSecret("the hook of the shop")

func newReceiver(t *testing.T, opts ...webhook.Option) *webhook.Receiver {
	t.Helper()
	receiver, err := webhook.NewReceiver(webhook.HMAC(secret), opts...)
	require.NoError(t, err)
	return receiver
}

// deliver returns the status of the answer.
func deliver(t *testing.T, receiver http.Handler, body string) int {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(secret, []byte(body)))
	answer := httptest.NewRecorder()
	receiver.ServeHTTP(answer, request)
	return answer.Code
}

func TestARatingTellsItsConversation(t *testing.T) {
	t.Parallel()
	for _, form := range []func(salesiq.EventName, string) string{articleForm, liveForm} {
		event, err := live.ParseEvent([]byte(form("conversation.rated", entityOf(t, "conversation.rated"))))
		require.NoError(t, err)
		rated := event.(*live.ConversationRated)
		assert.Equal(t, entityID, rated.Conversation.ID)
		assert.Equal(t, 4, rated.Rating)
		assert.Equal(t, "Raskt svar, takk", rated.Feedback)
		assert.Equal(t, "tarek@fjell.example", rated.Conversation.Owner.Email, "it has two names on the wire")
	}
}

func TestWhatAPageShowsWithTwoTypesIsReadFromBoth(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]live.StatusCodes{
		`2`: {2}, `"2"`: {2}, `["1,2"]`: {1, 2}, `[1,2]`: {1, 2}, `["1","2"]`: {1, 2}, `""`: nil, `null`: nil, `[]`: nil,
	} {
		event, err := live.ParseEvent([]byte(`{"event":"conversation.created","entity":{"chat_status":{"status_code":` + sent + `,"label":"Live"}}}`))
		require.NoError(t, err)
		status := event.(*live.ConversationCreated).Conversation.ChatStatus
		assert.Equal(t, want, status.Codes, sent)
		assert.Equal(t, "Live", status.Label, sent)
	}
	event, err := live.ParseEvent([]byte(`{"event":"visitor.updated","entity":{"type":"lead ","id":74100250000000601}}`))
	require.NoError(t, err)
	assert.Equal(t, live.VisitorLead, event.(*live.VisitorUpdated).Type, "the blank is the vendor's")
	assert.Equal(t, "74100250000000601", event.(*live.VisitorUpdated).ID)

	event, err = live.ParseEvent([]byte(`{"event":"operator.updated","entity":{"chat_enabled":"true","is_enabled":true}}`))
	require.NoError(t, err)
	assert.True(t, event.(*live.OperatorChanged).ChatEnabled)
	assert.True(t, event.(*live.OperatorChanged).Enabled)

	event, err = live.ParseEvent([]byte(`{"event":"conversation.message.deleted","entity":{"message":"Never mind"}}`))
	require.NoError(t, err)
	assert.Equal(t, "Never mind", event.(*live.ConversationMessageChanged).Message.Text)

	event, err = live.ParseEvent([]byte(`{"event":"conversation.visitor.replied","entity":{"message":{"msgid":"m1","sender":{"email_id":"a@b.example"}}}}`))
	require.NoError(t, err)
	assert.Equal(t, "m1", event.(*live.ConversationVisitorReplied).Message.ID)
	assert.Empty(t, event.(*live.ConversationVisitorReplied).Message.Text, "a file has none")
	assert.Equal(t, "a@b.example", event.(*live.ConversationVisitorReplied).Message.Sender.Email)
}

func TestAnOddFieldDoesNotLoseALiveEvent(t *testing.T) {
	t.Parallel()
	event, err := live.ParseEvent([]byte(`{"event":"conversation.rated","attempt":"often","version":{},"webhook":"w1","app_id":null,"entity_id":["x"],` +
		`"entity":{"id":"c1","rating":{"stars":5},"owner":"nobody","visitor":[],"supervisors":{},"chat_status":7,"feedback":"good"}}`))
	require.NoError(t, err)
	rated := event.(*live.ConversationRated)
	assert.Equal(t, "c1", rated.Conversation.ID)
	assert.Equal(t, "good", rated.Feedback)
	assert.Zero(t, rated.Rating)
	assert.Zero(t, rated.Attempt)
	assert.Contains(t, string(rated.Data), `{"stars":5}`)
}

func TestHandlersOfLiveEventsRunForTheirTypeAlone(t *testing.T) {
	t.Parallel()
	receiver := newReceiver(t)
	var seen []string
	note := func(who string, event live.Event) error {
		seen = append(seen, who+" "+string(event.Envelope().EventName))
		return nil
	}
	require.NoError(t, errors.Join(
		live.On(receiver, func(_ context.Context, e *live.ConversationCompleted) error { return note("completed", e) }),
		live.On(receiver, func(_ context.Context, e *live.OperatorChanged) error { return note("operator", e) }, webhook.Once("operators")),
		live.On(receiver, func(_ context.Context, e *live.UnknownEvent) error { return note("unknown", e) }),
		live.OnAny(receiver, func(_ context.Context, e live.Event) error { return note("any", e) }),
		webhook.On(receiver, func(context.Context, *webhook.UnknownEvent) error { seen = append(seen, "webhook"); return nil })))
	for _, name := range []salesiq.EventName{"conversation.completed", "conversation.ended", "operator.departments.disassociated", "robot.sang", "tag.created"} {
		assert.Equal(t, http.StatusOK, deliver(t, receiver, liveForm(name, `{"id":"x"}`)))
	}
	assert.Equal(t, []string{
		"completed conversation.completed", "any conversation.completed", "webhook",
		"completed conversation.ended", "any conversation.ended", "webhook",
		"operator operator.departments.disassociated", "any operator.departments.disassociated", "webhook",
		"unknown robot.sang", "any robot.sang", "webhook", "any tag.created", "webhook",
	}, seen)
}

// W20.
func TestLiveEventsToSubscribeToFollowFromTheHandlers(t *testing.T) {
	t.Parallel()
	receiver := newReceiver(t)
	require.NoError(t, live.On(receiver, func(context.Context, *live.UnknownEvent) error { return nil }))
	assert.Empty(t, receiver.Events())
	require.NoError(t, live.On(receiver, func(context.Context, *live.ConversationTransfer) error { return nil }))
	require.NoError(t, live.On(receiver, func(context.Context, *live.ConversationTransfer) error { return nil }))
	require.NoError(t, webhook.On(receiver, func(context.Context, *webhook.ChatRated) error { return nil }))
	assert.Equal(t, []salesiq.EventName{
		salesiq.EventChatRated, "conversation.transfer.initiated", "conversation.transfer.accepted", "conversation.transfer.rejected",
	}, receiver.Events())

	all := newReceiver(t)
	require.NoError(t, live.OnAny(all, func(context.Context, live.Event) error { return nil }))
	names := all.Events()
	assert.Equal(t, slices.Concat(live.Events(live.DataWebhook), live.Events(live.AdministrationWebhook)), names)
	assert.Len(t, names, len(eventTypes)-3, "all but the other spellings, and the unknown one")
	for _, name := range names {
		assert.Contains(t, eventTypes, name)
	}
}

func TestWhatIsNilIsAnErrorOfLiveEvents(t *testing.T) {
	t.Parallel()
	receiver := newReceiver(t)
	for field, err := range map[string]error{
		"receiver": live.On(nil, func(context.Context, *live.ConversationRated) error { return nil }),
		"handler":  live.On[live.ConversationRated](receiver, nil),
		"Handler":  live.OnAny(receiver, nil),
		"option":   live.OnAny(receiver, func(context.Context, live.Event) error { return nil }, nil),
		"wants":    webhook.OnWhere(receiver, nil, nil, func(context.Context, webhook.Event) error { return nil }),
		"event":    func() error { _, err := live.EventOf(nil); return err }(),
		"name":     func() error { _, err := live.ParseNamed("", []byte("{}")); return err }(),
	} {
		input, ok := errors.AsType[*salesiq.InputError](err)
		require.True(t, ok, field)
		assert.Contains(t, input.Field, strings.ToLower(field))
	}
	for _, body := range []string{"", "[]", `"x"`, "{"} {
		event, err := live.ParseEvent([]byte(body))
		require.ErrorIs(t, err, webhook.ErrNoEvent, body)
		assert.Nil(t, event)
		event, err = live.ParseNamed("visitor.updated", []byte(body))
		require.ErrorIs(t, err, webhook.ErrNoEvent, body)
		assert.Nil(t, event)
	}
	_, err := live.EventOf(&webhook.UnknownEvent{})
	require.ErrorIs(t, err, webhook.ErrNoEvent, "an event that nobody has read")
}

// An event is the same behind a queue, which keeps its body.
func TestABareEntityIsTheSameEventBehindAQueue(t *testing.T) {
	t.Parallel()
	entity := entityOf(t, "visitor.updated")
	for _, body := range []string{entity, "\ufeff" + entity, " " + entity} {
		first := receive(t, "visitor.updated", body)
		again, err := live.ParseEvent(first.Envelope().Body)
		require.NoError(t, err)
		assert.Equal(t, first, again)
		assert.JSONEq(t, entity, string(again.Envelope().Data))
	}
}

var _ json.Marshaler = live.StatusCodes{}

func TestEveryEventTypeIsTried(t *testing.T) {
	t.Parallel()
	tried := map[reflect.Type]bool{}
	for _, event := range eventTypes {
		tried[reflect.TypeOf(event)] = true
	}
	assert.Len(t, tried, 20, "the types of EventType")
}

// Whatever arrives is either no event, or one that is the same behind a queue.
func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(articleForm("conversation.rated", `{"rating":"5","owner":{"email_id":"a@b.example"}}`)))
	f.Add([]byte(liveForm("visitor.updated", `{"type":"lead ","lead":{"id":1}}`)))
	f.Add([]byte(`{"id":"bare","data":{}}`))
	f.Add([]byte("\ufeff { \"attempt\" : 2 } "))
	f.Add([]byte(`{"event":"conversation.created","entity":{"chat_status":{"status_code":["1,2"]}},"occurrence":"x"}`))
	f.Add([]byte(`{"event":"conversation.message.edited","attempt":"1","entity":{"message":"\ud83d","event":"x"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, name := range []salesiq.EventName{"conversation.completed", "operator.updated", "robot.sang"} {
			event, err := live.ParseNamed(name, body)
			if err != nil {
				require.ErrorIs(t, err, webhook.ErrNoEvent)
				continue
			}
			receiver := newReceiver(t, webhook.WithEventName(name))
			var received live.Event
			require.NoError(t, live.OnAny(receiver, func(_ context.Context, event live.Event) error { received = event; return nil }))
			require.Equal(t, http.StatusOK, deliver(t, receiver, string(body)))
			again, err := live.ParseEvent(received.Envelope().Body)
			require.NoError(t, err)
			require.Equal(t, received.Envelope().EventID, again.Envelope().EventID)
			require.Equal(t, event.Envelope().EventName, again.Envelope().EventName)
			require.IsType(t, event, again)
			if !strings.Contains(string(again.Envelope().Data), `"occurrence"`) { // Else there is no entity.
				require.Equal(t, string(event.Envelope().Data), string(again.Envelope().Data))
			}
		}
	})
}
