package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

const secret = "of the queue"

// newQueue returns a queue on a NATS server of its own.
func newQueue(t *testing.T) *queue {
	t.Helper()
	broker, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true})
	require.NoError(t, err)
	go broker.Start()
	t.Cleanup(broker.WaitForShutdown)
	t.Cleanup(broker.Shutdown)
	require.True(t, broker.ReadyForConnections(10*time.Second))
	connection, err := nats.Connect(broker.ClientURL())
	require.NoError(t, err)
	t.Cleanup(connection.Close)
	stream, err := jetstream.New(connection)
	require.NoError(t, err)
	q, err := openQueue(t.Context(), stream, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	q.firstPause, q.longestPause = 10*time.Millisecond, 10*time.Millisecond
	return q
}

func deliver(t *testing.T, receiver http.Handler, body string) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret(secret), []byte(body)))
	answer := httptest.NewRecorder()
	receiver.ServeHTTP(answer, request)
	assert.Equal(t, http.StatusOK, answer.Code)
}

func TestWithoutASecretTheProgramDoesNotStart(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), "nats://127.0.0.1:1", "127.0.0.1:0", salesiq.NewSecret(""))
	require.ErrorContains(t, err, "SALESIQ_WEBHOOK_SECRET is required")
}

func TestAHandlerThatPanicsGetsTheEventAgain(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(secret)), webhook.WithSink(q))
	require.NoError(t, err)
	var tries atomic.Int32
	done := make(chan struct{})
	require.NoError(t, webhook.OnAny(receiver, func(context.Context, webhook.Event) error {
		switch tries.Add(1) {
		case 1:
			panic("the first time")
		case 2:
			runtime.Goexit()
		}
		close(done)
		return nil
	}))
	deliver(t, receiver, `{"event":"chat.rating","data":{"chat_id":"c1","rating":5}}`)
	stop, err := q.consume(t.Context(), receiver.Dispatch)
	require.NoError(t, err)
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Error("it was not tried again")
	}
	stop()
	assert.EqualValues(t, 3, tries.Load())
}

func TestAnEventIsQueuedOnceAndHandledUntilThatSucceeds(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	for range 2 { // A restart in between: the receivers know nothing of each other.
		receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(secret)), webhook.WithSink(q))
		require.NoError(t, err)
		deliver(t, receiver, `{"event":"chat.rating","data":{"chat_id":"c1","rating":5}}`)
		deliver(t, receiver, `{"event":"chat.rating","data":{"chat_id":"c2","rating":1}}`)
	}
	var mu sync.Mutex
	tries := map[string]int{}
	counts := func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		return map[string]int{"c1": tries["c1"], "c2": tries["c2"]}
	}
	stop, err := q.consume(t.Context(), func(_ context.Context, event webhook.Event) error {
		mu.Lock()
		defer mu.Unlock()
		rated, ok := event.(*webhook.ChatRated)
		if !ok {
			return errors.New("not that event")
		}
		if tries[rated.ChatID]++; rated.ChatID == "c2" && tries["c2"] < 3 {
			return errors.New("the database is away")
		}
		return nil
	})
	require.NoError(t, err)
	want := map[string]int{"c1": 1, "c2": 3}
	require.Eventually(t, func() bool { return assert.ObjectsAreEqual(want, counts()) }, 10*time.Second, 5*time.Millisecond)
	stop()
	info, err := q.consumer.Info(t.Context())
	require.NoError(t, err)
	assert.Zero(t, info.NumPending)
	assert.Equal(t, want, counts())
}

func TestTheTriesOfAnEventTakeTwoDays(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.firstPause, q.longestPause = time.Second, 5*time.Minute
	var sum, last time.Duration
	for try := uint64(1); try < q.tries; try++ {
		assert.GreaterOrEqual(t, q.pause(try), last, "they grow")
		last = q.pause(try)
		sum += last
	}
	assert.Equal(t, 5*time.Minute, last)
	assert.InDelta(t, 48*time.Hour, sum, float64(10*time.Minute))
}

func TestAnEventThatFailsForTooLongIsADeadLetterThatCanBeReplayed(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.tries, q.firstPause, q.longestPause = 25, time.Millisecond, time.Millisecond
	receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(secret)), webhook.WithSink(q))
	require.NoError(t, err)
	var tries []int
	var healthy, handled atomic.Bool
	require.NoError(t, webhook.OnAny(receiver, func(_ context.Context, event webhook.Event) error {
		if healthy.Load() {
			handled.Store(true)
			return nil
		}
		tries = append(tries, event.Info().Try)
		return errors.New("the database\nis away")
	}))
	deliver(t, receiver, `{"event":"chat.rating","data":{"chat_id":"c1","rating":5}}`)
	_, err = q.streams.Publish(t.Context(), eventSubject, []byte("no event"))
	require.NoError(t, err)
	stop, err := q.consume(t.Context(), receiver.Dispatch)
	require.NoError(t, err)
	letters := func() uint64 {
		info, err := q.dead.Info(t.Context())
		require.NoError(t, err)
		return info.State.Msgs
	}
	require.Eventually(t, func() bool { return letters() == 2 }, 10*time.Second, 5*time.Millisecond)
	stop()
	require.Len(t, tries, 25)
	for n, try := range tries {
		assert.Equal(t, n+1, try)
	}
	letter, err := q.dead.GetMsg(t.Context(), 2)
	require.NoError(t, err)
	assert.Equal(t, "the database is away", letter.Header.Get("Error"))
	assert.Contains(t, string(letter.Data), "chat.rating")

	require.NoError(t, q.dead.DeleteMsg(t.Context(), 1)) // It is no event.
	healthy.Store(true)
	replayed, err := q.replay(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, replayed)
	assert.Zero(t, letters())
	stop, err = q.consume(t.Context(), receiver.Dispatch)
	require.NoError(t, err)
	require.Eventually(t, handled.Load, 10*time.Second, 5*time.Millisecond)
	stop()
}

// So is one whose process was killed each time.
func TestAnEventWhoseLastTryDidNotEndIsADeadLetter(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.tries = 0
	require.NoError(t, q.Enqueue(t.Context(), &webhook.ChatRated{EventInfo: webhook.EventInfo{EventID: "e1", Body: []byte(`{"event":"chat.rating"}`)}}))
	stop, err := q.consume(t.Context(), func(context.Context, webhook.Event) error { t.Error("it is handled"); return nil })
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		info, err := q.dead.Info(t.Context())
		return assert.NoError(t, err) && info.State.Msgs == 1
	}, 10*time.Second, 5*time.Millisecond)
	stop()
}
