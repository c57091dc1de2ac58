package salesiqtest_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

func TestAHandlerGetsEventsInOneLine(t *testing.T) {
	t.Parallel()
	test := func(t *testing.T, opts ...salesiqtest.Option) {
		t.Helper()
		server := salesiqtest.Start(t, opts...)
		receiver, err := webhook.NewReceiver(server.Verifier())
		require.NoError(t, err)
		var ratings []int
		require.NoError(t, webhook.On(receiver, func(_ context.Context, e *webhook.ChatRated) error { ratings = append(ratings, e.Rating); return nil }))
		hook := server.Subscribe(t, receiver)
		assert.Equal(t, []salesiq.EventName{salesiq.EventChatRated}, hook.Events)
		for rating := range 5 {
			require.NoError(t, server.Emit(salesiq.EventChatRated, &webhook.ChatRated{ChatID: "chat123", Rating: rating}))
		}
		require.NoError(t, server.Emit(salesiq.EventChatEnded, &webhook.ChatEnded{ChatID: "chat123"}))
		require.NoError(t, server.Settle(t.Context()))
		assert.Equal(t, []int{0, 1, 2, 3, 4}, ratings)
		assert.Len(t, server.Deliveries(), 5)
		for _, delivery := range server.Deliveries() {
			assert.Equal(t, http.StatusOK, delivery.Status)
		}
	}
	t.Run("real time", func(t *testing.T) { t.Parallel(); test(t) })
	t.Run("virtual time", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { test(t, salesiqtest.InMemory()) })
	})
}

func TestAHandlerGetsEventsOfTheLiveServiceInOneLine(t *testing.T) {
	t.Parallel()
	server := salesiqtest.Start(t, salesiqtest.Live())
	receiver, err := webhook.NewReceiver(server.Verifier())
	require.NoError(t, err)
	var names []salesiq.EventName
	require.NoError(t, webhook.OnAny(receiver, func(_ context.Context, event webhook.Event) error {
		names = append(names, event.Info().EventName)
		return nil
	}))
	server.Subscribe(t, receiver)
	server.Subscribe(t, http.NotFoundHandler(), "conversation.missed")
	require.NoError(t, server.Emit(salesiq.EventChatRated, &webhook.ChatRated{ChatID: "chat123", Rating: 4}))
	require.NoError(t, server.Settle(t.Context()))
	assert.Equal(t, []salesiq.EventName{"conversation.rated"}, names)
}

func TestADeliveryIsMadeAgainAsItWas(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]salesiqtest.Option{nil, {salesiqtest.Live()}} {
		synctest.Test(t, func(t *testing.T) {
			server := salesiqtest.Start(t, append(opts, salesiqtest.InMemory())...)
			receiver, err := webhook.NewReceiver(server.Verifier())
			require.NoError(t, err)
			handled := 0
			require.NoError(t, webhook.OnAny(receiver, func(context.Context, webhook.Event) error { handled++; return nil }))
			server.Subscribe(t, receiver)
			for _, chat := range []string{"chat123", "chat123456789"} {
				require.NoError(t, server.Emit(salesiq.EventChatRated, &webhook.ChatRated{ChatID: chat, Rating: 4}))
			}
			require.NoError(t, server.Settle(t.Context()))
			first := server.Deliveries()
			require.NoError(t, server.Redeliver(first...))
			require.NoError(t, server.Settle(t.Context()))
			again := server.Deliveries()[len(first):]
			require.Len(t, again, len(first))
			for i := range again {
				assert.Equal(t, first[i].Body, again[i].Body)
				assert.Equal(t, http.StatusOK, again[i].Status, "the signature is good")
			}
			assert.Equal(t, len(first), handled, "the receiver knows them")
			require.ErrorIs(t, server.Redeliver(salesiqtest.Delivery{Body: "{}"}), salesiq.ErrInvalidInput)
		})
	}
}

func TestASubscriptionIsForTheEventsThatAreAskedFor(t *testing.T) {
	t.Parallel()
	server := salesiqtest.Start(t)
	before := len(server.Webhooks())
	t.Run("while its test runs", func(t *testing.T) {
		nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		assert.Len(t, server.Subscribe(t, nothing).Events, len(allEvents), "all, if nobody says which")
		hook := server.Subscribe(t, nothing, salesiq.EventLeadCreated, salesiq.EventChatMissed)
		assert.Equal(t, []salesiq.EventName{salesiq.EventLeadCreated, salesiq.EventChatMissed}, hook.Events)
		assert.Len(t, server.Webhooks(), before+2)
	})
	assert.Len(t, server.Webhooks(), before)
}

// failingTB remembers that the test has failed.
type failingTB struct {
	testing.TB

	failed string
}

func (f *failingTB) Fatalf(format string, _ ...any) { f.failed = format; panic(f) }

func TestASubscriptionThatMakesNoSenseFailsTheTest(t *testing.T) {
	t.Parallel()
	server := salesiqtest.Start(t)
	for _, row := range []struct {
		handler http.Handler
		events  []salesiq.EventName
	}{
		{nil, nil}, {http.HandlerFunc(nil), nil}, {http.NotFoundHandler(), []salesiq.EventName{"robot.sang"}},
	} {
		tb := &failingTB{TB: t}
		assert.PanicsWithValue(t, tb, func() { server.Subscribe(tb, row.handler, row.events...) })
		assert.NotEmpty(t, tb.failed)
	}
}

func TestSettleWaitsForEveryDelivery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := salesiqtest.Start(t, salesiqtest.InMemory())
		require.NoError(t, server.Settle(t.Context()), "nothing is on its way")
		var tries, more atomic.Int32
		server.Subscribe(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if tries.Add(1) < 3 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			assert.NoError(t, server.Emit(salesiq.EventChatEnded, struct{}{})) // Meanwhile.
		}), salesiq.EventChatRated)
		server.Subscribe(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			time.Sleep(time.Second)
			more.Add(1)
		}), salesiq.EventChatEnded)
		began := time.Now()
		require.NoError(t, server.Emit(salesiq.EventChatRated, struct{}{}))

		short, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, server.Settle(short), context.DeadlineExceeded)
		require.NoError(t, server.Settle(t.Context()))
		assert.Equal(t, 2*time.Minute+time.Second, time.Since(began))
		assert.EqualValues(t, 3, tries.Load())
		assert.EqualValues(t, 1, more.Load())
		assert.Len(t, server.Deliveries(), 4)

		require.NoError(t, server.Emit(salesiq.EventChatEnded, struct{}{}))
		server.Reset()
		require.NoError(t, server.Settle(t.Context()), "it was given up")
	})
}

func TestSettleNeedsAContext(t *testing.T) {
	t.Parallel()
	var none context.Context
	require.ErrorIs(t, salesiqtest.Start(t).Settle(none), salesiq.ErrInvalidInput)
}

func TestARevokedRefreshTokenEndsTheSession(t *testing.T) {
	t.Parallel()
	server := salesiqtest.Start(t)
	client := server.Client(t)
	_, err := client.Chats.Get(t.Context(), "chat123")
	require.NoError(t, err)
	server.RevokeRefreshToken()
	_, err = client.Chats.Get(t.Context(), "chat123")
	require.Error(t, err)
	var refused *salesiq.AuthError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "invalid_code", ask(t, server, refreshForm(server)).Error)

	server.Reset()
	assert.NotEmpty(t, ask(t, server, refreshForm(server)).AccessToken)
}

// A delivery to a handler ends when the live service would end it.
func TestAHandlerThatHangsIsGivenUpAfterFiveSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := salesiqtest.Start(t, salesiqtest.InMemory())
		server.Subscribe(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		require.NoError(t, server.Emit(salesiq.EventChatRated, struct{}{}))
		require.NoError(t, server.Settle(t.Context()))
		require.Len(t, server.Deliveries(), 4)
		assert.Equal(t, 65*time.Second, server.Deliveries()[1].At.Sub(server.Deliveries()[0].At))
		assert.NotEmpty(t, server.Deliveries()[0].Error)
	})
}
