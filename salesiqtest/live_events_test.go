package salesiqtest_test

import (
	"context"
	"net/http"
	"slices"
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
