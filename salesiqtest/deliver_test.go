package salesiqtest_test

import (
	"context"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

const webhookSecret = "a secret of two"

var allEvents = []salesiq.EventName{
	salesiq.EventChatStarted, salesiq.EventChatEnded, salesiq.EventChatMissed, salesiq.EventChatRated,
	salesiq.EventMessageReceived, salesiq.EventVisitorIdentified, salesiq.EventVisitorOnline,
	salesiq.EventVisitorOffline, salesiq.EventOperatorStatusChanged, salesiq.EventLeadCreated,
	salesiq.EventTriggerExecuted,
}

// handlerTransport sends requests to a handler in the same process, so that
// virtual time passes.
type handlerTransport struct{ http.Handler }

func (h handlerTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	answers := make(chan *http.Response, 1)
	go func() {
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, request)
		answers <- answer.Result()
	}()
	select {
	case answer := <-answers:
		return answer, nil
	case <-request.Context().Done():
		return nil, request.Context().Err()
	}
}

// inbox is a receiver that keeps everything.
type inbox struct {
	*webhook.Receiver

	mu     sync.Mutex
	events []webhook.Event
}

func newInbox() *inbox {
	box := &inbox{Receiver: testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(webhookSecret))))}
	webhook.OnAny(box.Receiver, func(_ context.Context, event webhook.Event) error {
		box.mu.Lock()
		defer box.mu.Unlock()
		box.events = append(box.events, event)
		return nil
	})
	return box
}

// take returns what has arrived since the last time.
func (b *inbox) take() []webhook.Event {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	events := b.events
	b.events = nil
	return events
}

func names(events []webhook.Event) []salesiq.EventName {
	var names []salesiq.EventName
	for _, event := range events {
		names = append(names, event.Info().EventName)
	}
	return names
}

// withWebhook runs a test in virtual time, on a server whose events handler gets.
func withWebhook(t *testing.T, handler http.Handler, test func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := salesiqtest.Start(t, salesiqtest.InMemory(), salesiqtest.WithWebhookTransport(handlerTransport{handler}))
		client := server.Client(t)
		_, err := client.Webhooks.Create(t.Context(), &salesiq.WebhookCreate{
			Name: "Test", URL: "https://receiver.example/hook", Events: allEvents, Secret: salesiq.NewSecret(webhookSecret),
		})
		require.NoError(t, err)
		test(t, server, client)
	})
}

func TestWhatHappensIsDelivered(t *testing.T) {
	t.Parallel()
	box := newInbox()
	withWebhook(t, box, func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client) {
		ctx := t.Context()
		const someone = "visitor77001"

		require.NoError(t, server.VisitorComes(someone, "https://www.nordlicht.example/tents"))
		online := box.take()[0].(*webhook.VisitorOnline)
		assert.Equal(t, someone, online.VisitorID)
		assert.Equal(t, "https://www.nordlicht.example/tents", online.CurrentPage)

		_, err := client.Visitors.Update(ctx, someone, &salesiq.VisitorUpdate{Name: salesiq.Set("Åsa"), Email: salesiq.Set("asa@mail.example")})
		require.NoError(t, err)
		identified := box.take()[0].(*webhook.VisitorIdentified)
		assert.Equal(t, "asa@mail.example", identified.Email)

		chat, err := server.StartChat(someone, "Is anybody there?")
		require.NoError(t, err)
		events := box.take()
		assert.Equal(t, []salesiq.EventName{salesiq.EventChatStarted, salesiq.EventMessageReceived}, names(events))
		assert.Equal(t, "Åsa", events[0].(*webhook.ChatStarted).VisitorName)
		assert.Equal(t, salesiq.SenderVisitor, events[1].(*webhook.MessageReceived).SenderType)

		_, err = client.Chats.Transfer(ctx, chat.ID, &salesiq.ChatTransfer{OperatorID: "operator789"})
		require.NoError(t, err)
		_, err = client.Chats.SendMessage(ctx, chat.ID, salesiq.TextMessage("Yes."))
		require.NoError(t, err)
		require.NoError(t, server.VisitorSays(chat.ID, "Good!"))
		events = box.take()
		require.Equal(t, []salesiq.EventName{salesiq.EventMessageReceived, salesiq.EventMessageReceived}, names(events))
		assert.Equal(t, salesiq.SenderOperator, events[0].(*webhook.MessageReceived).SenderType)
		assert.Equal(t, "Good!", events[1].(*webhook.MessageReceived).Text)

		time.Sleep(90 * time.Second)
		_, err = client.Chats.End(ctx, chat.ID, &salesiq.ChatEnd{Message: "Bye."})
		require.NoError(t, err)
		events = box.take()
		require.Equal(t, []salesiq.EventName{salesiq.EventMessageReceived, salesiq.EventChatEnded}, names(events))
		ended := events[1].(*webhook.ChatEnded)
		assert.Equal(t, 90*time.Second, ended.Duration.Duration())
		assert.Equal(t, 4, ended.MessageCount)
		assert.Equal(t, "operator789", ended.OperatorID)

		_, err = client.Chats.Rate(ctx, chat.ID, &salesiq.ChatRating{Rating: 2, Feedback: "<slow>"})
		require.NoError(t, err)
		rated := box.take()[0].(*webhook.ChatRated)
		assert.Equal(t, 2, rated.Rating)
		assert.Equal(t, "<slow>", rated.Feedback)

		missed, err := server.StartChat(someone, "Again")
		require.NoError(t, err)
		require.NoError(t, server.MissChat(missed.ID))
		assert.Contains(t, names(box.take()), salesiq.EventChatMissed)

		require.NoError(t, server.VisitorLeaves(someone))
		assert.Equal(t, []salesiq.EventName{salesiq.EventVisitorOffline}, names(box.take()))

		_, err = client.Operators.Update(ctx, "operator789", &salesiq.OperatorUpdate{Status: salesiq.Set(salesiq.OperatorAway)})
		require.NoError(t, err)
		changed := box.take()[0].(*webhook.OperatorStatusChanged)
		assert.Equal(t, salesiq.OperatorOnline, changed.PreviousStatus)
		assert.Equal(t, salesiq.OperatorAway, changed.Status)

		do(t, server, server.AccessToken(), http.MethodPost, "/crm/v8/Leads", `{"data":[{"First_Name":"Åsa","Last_Name":"Ek","Email":"asa@mail.example"}]}`)
		assert.Equal(t, "Åsa Ek", box.take()[0].(*webhook.LeadCreated).Name)

		require.NoError(t, server.Emit(salesiq.EventTriggerExecuted, map[string]any{"trigger_id": "t1"}))
		assert.Equal(t, "t1", box.take()[0].(*webhook.TriggerExecuted).TriggerID)
	})
}

func TestWhatDoesNotHappenIsNotDelivered(t *testing.T) {
	t.Parallel()
	box := newInbox()
	withWebhook(t, box, func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client) {
		ctx := t.Context()
		_, err := client.Chats.Rate(ctx, "chat123", &salesiq.ChatRating{Rating: 5})
		require.Error(t, err, "it is active")
		_, err = client.Visitors.Update(ctx, "visitor123", &salesiq.VisitorUpdate{Company: salesiq.Set("Another")})
		require.NoError(t, err)
		_, err = client.Operators.Update(ctx, "operator789", &salesiq.OperatorUpdate{Status: salesiq.Set(salesiq.OperatorOnline)})
		require.NoError(t, err)
		require.Error(t, server.VisitorSays("chat0", "?"))
		require.Error(t, server.MissChat("chat123"), "somebody is there")
		require.Error(t, server.VisitorLeaves("visitor0"))
		_, err = server.StartChat("visitor0", "?")
		require.Error(t, err)
		assert.Empty(t, box.take())
	})
}

func TestOnlyWebhooksThatAskedForItGetAnEvent(t *testing.T) {
	t.Parallel()
	box := newInbox()
	withWebhook(t, box, func(t *testing.T, server *salesiqtest.Server, client *salesiq.Client) {
		ctx := t.Context()
		hooks := server.Webhooks()
		hook := hooks[len(hooks)-1]
		emit := func() int {
			require.NoError(t, server.Emit(salesiq.EventChatRated, struct{}{}))
			return len(box.take())
		}
		update := func(update salesiq.WebhookUpdate) {
			_, err := client.Webhooks.Update(ctx, hook.ID, &update)
			require.NoError(t, err)
		}
		assert.Equal(t, 1, emit())
		update(salesiq.WebhookUpdate{Enabled: salesiq.Set(false)})
		assert.Zero(t, emit(), "it is off")
		update(salesiq.WebhookUpdate{Enabled: salesiq.Set(true), Events: salesiq.Set([]salesiq.EventName{salesiq.EventChatEnded})})
		assert.Zero(t, emit(), "it wants another")
		require.NoError(t, client.Webhooks.Delete(ctx, hook.ID))
		require.NoError(t, server.Emit(salesiq.EventChatEnded, struct{}{}))
		assert.Empty(t, box.take(), "it is gone")
	})
}

func TestAnEventIsTriedFourTimesAMinuteApart(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"an error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
		},
		"silence": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withWebhook(t, answer, func(t *testing.T, server *salesiqtest.Server, _ *salesiq.Client) {
				require.NoError(t, server.Emit(salesiq.EventChatRated, struct{}{}))
				time.Sleep(time.Hour)
				deliveries := server.Deliveries()
				require.Len(t, deliveries, 4)
				for i, delivery := range deliveries {
					assert.Equal(t, i+1, delivery.Attempt)
					assert.Equal(t, deliveries[0].Body, delivery.Body)
					if i > 0 {
						pause := delivery.At.Sub(deliveries[i-1].At)
						if name == "silence" {
							assert.Zero(t, delivery.Status)
							assert.NotEmpty(t, delivery.Error)
							pause -= 5 * time.Second
						}
						assert.Equal(t, time.Minute, pause)
					}
				}
			})
		})
	}
}

func TestAnEventThatFailsHoldsNoOtherUp(t *testing.T) {
	t.Parallel()
	var bodies []string
	failed := false
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, data, _ := strings.Cut(string(body), `"data":`)
		bodies = append(bodies, data)
		if !failed {
			failed = true
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	withWebhook(t, handler, func(t *testing.T, server *salesiqtest.Server, _ *salesiq.Client) {
		for n := range 3 {
			require.NoError(t, server.Emit(salesiq.EventChatRated, map[string]int{"n": n}))
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Equal(t, []string{`{"n":0}}`, `{"n":1}}`, `{"n":2}}`, `{"n":0}}`}, bodies)
	})
}

func TestResetAndCloseGiveUpDeliveries(t *testing.T) {
	t.Parallel()
	calls := 0
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls++
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	withWebhook(t, handler, func(t *testing.T, server *salesiqtest.Server, _ *salesiq.Client) {
		require.NoError(t, server.Emit(salesiq.EventChatRated, struct{}{}))
		synctest.Wait()
		server.Reset()
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Equal(t, 1, calls)
		assert.Empty(t, server.Deliveries())
	})
}

// Over real connections: what is sent is what is signed, and nothing but this
// machine is contacted.
func TestDeliveriesStayOnThisMachine(t *testing.T) {
	t.Parallel()
	server := salesiqtest.Start(t, salesiqtest.WithWebhookRetryPause(time.Millisecond))
	arrived := make(chan *http.Request, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		r.Header.Set("X-Body-Signature", webhook.SignHMAC(salesiq.NewSecret(webhookSecret), body))
		if err == nil {
			arrived <- r
		}
	}))
	defer receiver.Close()
	client := server.Client(t)
	for _, address := range []string{receiver.URL, "https://192.0.2.1/hook"} {
		_, err := client.Webhooks.Create(t.Context(), &salesiq.WebhookCreate{
			Name: "Test", URL: address, Events: allEvents, Secret: salesiq.NewSecret(webhookSecret),
		})
		require.NoError(t, err)
	}
	body := `{"event":"chat.rating","data":{"feedback":"<\u2028&>","10":1.0,"9":4.80}}`
	require.Equal(t, http.StatusOK, do(t, server, "", http.MethodPost, "/_emulator/events", body).status)

	request := <-arrived
	assert.Equal(t, "application/json", request.Header.Get("Content-Type"))
	assert.Equal(t, "salesiqtest", request.Header.Get("User-Agent"))
	assert.Equal(t, request.Header.Get("X-Body-Signature"), request.Header.Get(webhook.HeaderSignature))
	require.Eventually(t, func() bool { return len(server.Deliveries()) == 5 }, 5*time.Second, time.Millisecond)
	for _, delivery := range server.Deliveries() {
		assert.True(t, strings.HasSuffix(delivery.Body, "\"data\":{\"9\":4.8,\"10\":1,\"feedback\":\"<\u2028&>\"}}"), delivery.Body)
		local := delivery.URL == receiver.URL
		assert.Equal(t, local, delivery.Status == http.StatusOK)
		assert.Equal(t, local, delivery.Error == "", delivery.Error)
	}
}

func TestEventsByHandAreChecked(t *testing.T) {
	t.Parallel()
	server := salesiqtest.Start(t)
	for body, status := range map[string]int{
		`{"event":"robot.sang"}`:                      http.StatusOK,
		`{"event":"chat.ended","data":{"a":1,"a":2}}`: http.StatusOK,

		`{"event":"chat.ended"}`: http.StatusOK,

		`{"data":{}}`:                      http.StatusBadRequest,
		`{"event":"chat.ended","data":[]}`: http.StatusBadRequest,
		`{"event":"chat.ended","data":{`:   http.StatusBadRequest,
	} {
		assert.Equal(t, status, do(t, server, "", http.MethodPost, "/_emulator/events", body).status, body)
	}
}

func TestAnEventOfATestsOwnIsWrittenAsJavaScriptWritesIt(t *testing.T) {
	t.Parallel()
	server := salesiqtest.Start(t, salesiqtest.InMemory())
	server.Subscribe(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), "chat.ended")
	require.NoError(t, server.Emit("chat.ended", map[string]any{"10": 1, "9": 4.80}))
	require.NoError(t, server.Settle(t.Context()))
	require.Len(t, server.Deliveries(), 1)
	assert.Contains(t, server.Deliveries()[0].Body, `"data":{"9":4.8,"10":1}}`)
}

func TestEventThatCannotBeDeliveredIsAnError(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]salesiqtest.Option{nil, {salesiqtest.Live()}} {
		s := salesiqtest.Start(t, opts...)
		for _, row := range []struct {
			event salesiq.EventName
			data  any
			field string
		}{
			{"", map[string]any{}, "event"},
			{salesiq.EventChatEnded, nil, "data"},
			{salesiq.EventChatEnded, (*webhook.ChatEnded)(nil), "data"},
			{"order.paid", map[string]any{"amount": math.Inf(1)}, "data"},
			{"order.paid", func() {}, "data"},
		} {
			var input *salesiq.InputError
			require.ErrorAs(t, s.Emit(row.event, row.data), &input, "%s %v", row.event, row.data)
			assert.Equal(t, row.field, input.Field)
		}
		require.NoError(t, s.Emit(salesiq.EventVisitorIdentified, &webhook.VisitorIdentified{VisitorID: "nobody"}))
		require.NoError(t, s.Emit(salesiq.EventOperatorStatusChanged, &webhook.OperatorStatusChanged{OperatorID: "nobody"}))
	}
}
