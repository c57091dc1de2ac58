package salesiqtest_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

// receiveLive returns a server in memory, whose events handle gets.
func receiveLive(t *testing.T, handle func(live.Event)) *salesiqtest.Server {
	t.Helper()
	server := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.InMemory())
	receiver, err := webhook.NewReceiver(server.Verifier())
	require.NoError(t, err)
	var mu sync.Mutex
	require.NoError(t, live.OnAny(receiver, func(_ context.Context, event live.Event) error {
		mu.Lock()
		defer mu.Unlock()
		handle(event)
		return nil
	}))
	server.Subscribe(t, receiver)
	return server
}

// A test gives the id of an object, and what happened to it; the server adds the rest.
func TestEveryLiveEventCanBeMadeToHappen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var events []live.Event
		server := receiveLive(t, func(event live.Event) { events = append(events, event) })
		ids := map[string]string{
			"conversation": "chat123", "visitor": "visitor123", "contact": "visitor123", "lead": "visitor123",
			"operator": "operator456", "department": "dept790", "brands": "brand123",
		}
		tag, err := live.New(server.Client(t)).Tags.Create(t.Context(), &live.TagCreate{Name: "late", Color: "#b45309", Module: live.ForVisitors})
		require.NoError(t, err)
		ids["tag"] = tag.ID
		require.NoError(t, server.Settle(t.Context()))
		events = nil
		names := slices.Concat(live.Events(live.DataWebhook), live.Events(live.AdministrationWebhook))
		for _, name := range names {
			kind := kindOf(name)
			require.NoError(t, server.Emit(name, map[string]any{"id": ids[kind], "told": "so", "message": map[string]any{"msgid": "m1", "text": "Hi"}}))
			require.NoError(t, server.Settle(t.Context()))
			require.NotEmpty(t, events, name)
			event := events[len(events)-1]
			envelope := event.Envelope()
			assert.Equal(t, name, envelope.EventName)
			assert.Equal(t, kind, envelope.EntityType, name)
			assert.Equal(t, ids[kind], envelope.EntityID, name)
			assert.NotEmpty(t, envelope.WebhookID, name)
			assert.False(t, envelope.EventTime.IsZero(), name)
			assert.Equal(t, 1, envelope.Attempt, name)
			assert.Equal(t, slices.Contains(live.Events(live.DataWebhook), name), envelope.AppID == "brand123", name)
			assert.NotContains(t, string(envelope.Data), `"id":"chat123","id"`)
			assert.Contains(t, string(envelope.Data), `"told":"so"`, name)
			switch event := event.(type) {
			case *live.ConversationRated:
				assert.NotContains(t, string(event.Data), `"id":"chat123"`)
				assert.Equal(t, "chat123", event.Conversation.ID)
			case *live.ConversationMessageChanged:
				assert.Equal(t, "Hi", event.Message.Text)
				assert.NotEmpty(t, event.Conversation.VisitorConversationID)
			case *live.VisitorUpdated:
				assert.Equal(t, live.VisitorLead, event.Type)
				assert.NotEmpty(t, event.Modifier.EmailID)
			case *live.OperatorChanged:
				assert.Equal(t, "Greta", event.FirstName)
			case *live.DepartmentChanged:
				assert.Equal(t, "Support", event.Name)
			case *live.BrandChanged:
				assert.Equal(t, "Nordlicht Outdoor", event.Name)
			case *live.TagChanged:
				assert.Equal(t, "late", event.Name)
			}
		}
		assert.Len(t, events, len(names), "each was told once")
		require.NoError(t, server.Emit("conversation.metrics", map[string]any{"id": "of nobody", "value": 1}))
		require.NoError(t, server.Settle(t.Context()))
		assert.Equal(t, "of nobody", events[len(events)-1].Envelope().EntityID)
	})
}

func kindOf(name salesiq.EventName) string {
	for i, letter := range name {
		if letter == '.' {
			return string(name[:i])
		}
	}
	return string(name)
}

// Disable, enable, disable: the first and the last have equal entities, at the same
// moment of the clock.
func TestAStateThatComesBackIsAnotherEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var enabled []bool
		server := receiveLive(t, func(event live.Event) {
			if event, ok := event.(*live.OperatorChanged); ok {
				enabled = append(enabled, event.ChatEnabled)
			}
		})
		operators := live.New(server.Client(t)).Operators
		for range 2 {
			require.NoError(t, operators.Disable(t.Context(), "operator789"))
			require.NoError(t, operators.Enable(t.Context(), "operator789"))
		}
		require.NoError(t, server.Settle(t.Context()))
		assert.Equal(t, []bool{false, true, false, true}, enabled)
	})
}

func TestAnEventHasTheSpellingThatAWebhookIsFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.InMemory())
		quiet := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		for _, names := range [][]salesiq.EventName{
			{"operator.departments.dissociated", "conversation.completed"}, {"operator.departments.disassociated", "conversation.ended"},
			{"operator.departments.dissociated", "operator.departments.disassociated"},
		} {
			server.Subscribe(t, quiet, names...)
		}
		require.NoError(t, server.Emit("operator.departments.dissociated", map[string]any{"id": "operator456"}))
		require.NoError(t, server.Emit("operator.departments.disassociated", map[string]any{"id": "operator456"}))
		require.NoError(t, server.Emit("conversation.completed", map[string]any{"id": "chat123"}))
		require.NoError(t, server.Settle(t.Context()))
		seen := map[salesiq.EventName]int{}
		for _, delivery := range server.Deliveries() {
			seen[delivery.Event]++
			assert.Contains(t, delivery.Body, `"event":"`+string(delivery.Event)+`"`)
		}
		assert.Equal(t, map[salesiq.EventName]int{
			"operator.departments.dissociated": 4, "operator.departments.disassociated": 2, "conversation.completed": 1, "conversation.ended": 1,
		}, seen)
	})
}

// What a call does is told to the webhooks that want to know, once.
func TestEachLiveCallTellsWhatItDid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.InMemory())
		s.Subscribe(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		org := orgToken(t, s)
		const visitorsSide = "/api/visitor/v1/nordlicht/conversations"
		seen := 0
		for _, tt := range []struct{ call, body, events string }{
			{"PUT " + liveRoot + "/conversations/chat123/transfer", `{"department_id":"dept790","operator_id":"operator123"}`, "conversation.transfer.initiated conversation.attender.updated"},
			{"PUT " + liveRoot + "/conversations/chat123/accept", `{"operator_id":"operator789"}`, ""},
			{"PUT " + liveRoot + "/conversations/chat123/accept", `{"operator_id":"operator123"}`, "conversation.transfer.accepted"},
			{"PUT " + liveRoot + "/conversations/chat123/transfer", `{"department_id":"dept789"}`, "conversation.transfer.initiated conversation.attender.updated"},
			{"PUT " + liveRoot + "/conversations/chat123/reject", `{"operator_id":"operator456"}`, "conversation.transfer.rejected"},
			{"PUT " + liveRoot + "/conversations/chat123/close", "", "conversation.completed"},
			{"POST " + visitorsSide + "/chat123/reopen", `{"message":"Once more"}`, "conversation.reopened conversation.visitor.replied"},
			{"PUT " + liveRoot + "/conversations/chat123/pickup", "", "conversation.attender.updated"},
			{"POST " + liveRoot + "/conversations/chat123/messages", `{"text":"Yes?"}`, "conversation.operator.replied"},
			{"PUT " + visitorsSide + "/chat123/visitor", `{"phone":"+358 1"}`, ""},
			{"PUT " + visitorsSide + "/chat123/visitor", `{"email":"new@mail.example"}`, "visitor.updated"},
			{"PUT " + liveRoot + "/apps/brand123", `{"enabled":false}`, "brands.disabled"},
			{"PUT " + liveRoot + "/apps/brand123", `{"enabled":true}`, "brands.enabled"},
			{"PUT " + liveRoot + "/operators/operator123", `{"first_name":"Ida"}`, "operator.updated"},
			{"PUT " + liveRoot + "/operators/operator123/departments", `{"ids":["dept789"]}`, "operator.departments.associated"},
			{"DELETE " + liveRoot + "/operators/operator123/departments?ids=dept789", "", "operator.departments.dissociated"},
			{"PUT " + liveRoot + "/departments/dept790", `{"name":"Helpers"}`, "department.updated"},
			{"POST " + liveRoot + "/tags", `{"name":"urgent","color":"#b45309","module":"conversations"}`, "tag.created"},
			{"POST " + liveRoot + "/tags/tag101/archives", "", "tag.updated"},
			{"DELETE " + liveRoot + "/tags/tag101", "", "tag.deleted"},
			{"DELETE " + liveRoot + "/operators/operator123", "", "operator.deleted"},
			{"DELETE " + liveRoot + "/departments/dept790?configure_to=dept789", "", "department.deleted"},
		} {
			method, path, _ := strings.Cut(tt.call, " ")
			token := s.AccessToken()
			if strings.HasPrefix(path, visitorsSide) {
				token = org
			}
			do(t, s, token, method, path, tt.body)
			require.NoError(t, s.Settle(t.Context()))
			var told []string
			for _, delivery := range s.Deliveries()[seen:] {
				told = append(told, string(delivery.Event))
			}
			seen += len(told)
			assert.ElementsMatch(t, strings.Fields(tt.events), told, tt.call)
		}
	})
}
