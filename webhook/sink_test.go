package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/webhook"
	"github.com/salesiq-go/salesiq/webhook/webhooktest"
)

func anEvent(t *testing.T) webhook.Event {
	t.Helper()
	event, err := webhook.Parse(ratedBody("c1"))
	require.NoError(t, err)
	return event
}

func TestAFullQueueIsDeliveredAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var handled atomic.Int32
		pool := testkit.Must(webhook.NewWorkerPool(1, 2, func(context.Context, webhook.Event) error {
			time.Sleep(time.Minute)
			handled.Add(1)
			return nil
		}, nil))
		receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret)), webhook.WithSink(pool)))
		began := time.Now()
		for n := range 3 { // One at work, two in the queue.
			synctest.Wait()
			assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody(strconv.Itoa(n))).Code)
		}
		assert.Equal(t, http.StatusServiceUnavailable, post(t, receiver, ratedBody("3")).Code)
		assert.Zero(t, time.Since(began), "nobody waits for the work")
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("3")).Code)
		require.NoError(t, pool.Shutdown(t.Context()))
		assert.EqualValues(t, 4, handled.Load())
	})
}

func TestNoEventIsNotHandled(t *testing.T) {
	t.Parallel()
	pool, err := webhook.NewWorkerPool(1, 1, func(context.Context, webhook.Event) error { return errors.New("called") }, nil)
	require.NoError(t, err)
	for _, event := range []webhook.Event{nil, (*webhook.ChatEnded)(nil)} {
		require.ErrorIs(t, pool.Enqueue(t.Context(), event), salesiq.ErrInvalidInput)
	}
	require.NoError(t, pool.Shutdown(t.Context()))
}

func TestShutdownHandlesWhatIsInTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var handled atomic.Int32
		pool := testkit.Must(webhook.NewWorkerPool(3, 100, func(context.Context, webhook.Event) error {
			time.Sleep(time.Second)
			handled.Add(1)
			return nil
		}, nil))
		for range 50 {
			require.NoError(t, pool.Enqueue(t.Context(), anEvent(t)))
		}
		require.NoError(t, pool.Shutdown(t.Context()))
		assert.EqualValues(t, 50, handled.Load())
		require.ErrorIs(t, pool.Enqueue(t.Context(), anEvent(t)), webhook.ErrShutdown)
		require.NoError(t, pool.Shutdown(t.Context()), "once more")
	})
}

func TestAnImpatientShutdownSaysWhatItLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		pool := testkit.Must(webhook.NewWorkerPool(1, 10, func(ctx context.Context, _ webhook.Event) error {
			<-ctx.Done()
			return ctx.Err()
		}, slog.New(slog.NewTextHandler(&logged, nil))))
		for range 3 {
			require.NoError(t, pool.Enqueue(t.Context(), anEvent(t)))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, pool.Shutdown(ctx), context.DeadlineExceeded)
		assert.Equal(t, 3, bytes.Count(logged.Bytes(), []byte("event=chat.rating")))
	})
}

func TestShutdownDoesNotWaitForAHandlerThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		release := make(chan struct{})
		pool := testkit.Must(webhook.NewWorkerPool(1, 10, func(context.Context, webhook.Event) error {
			<-release
			return nil
		}, slog.New(slog.NewTextHandler(&logged, nil))))
		for range 3 {
			require.NoError(t, pool.Enqueue(t.Context(), anEvent(t)))
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, pool.Shutdown(ctx), context.DeadlineExceeded)
		assert.Equal(t, 2*time.Second, time.Since(began))
		assert.Equal(t, 2, bytes.Count(logged.Bytes(), []byte("event=chat.rating")), "those that nobody has begun")
		close(release)
	})
}

func TestAHandlerThatEndsItsGoroutineDoesNotEndAWorker(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	var handled atomic.Int32
	pool := testkit.Must(webhook.NewWorkerPool(1, 10, func(context.Context, webhook.Event) error {
		if handled.Add(1) < 3 {
			runtime.Goexit()
		}
		return nil
	}, slog.New(slog.NewTextHandler(&logged, nil))))
	for range 4 {
		require.NoError(t, pool.Enqueue(t.Context(), anEvent(t)))
	}
	require.NoError(t, pool.Shutdown(t.Context()))
	assert.EqualValues(t, 4, handled.Load())
	assert.Equal(t, 2, bytes.Count(logged.Bytes(), []byte("event=chat.rating")))
}

func TestAPanicDoesNotEndAWorker(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	var handled atomic.Int32
	pool := testkit.Must(webhook.NewWorkerPool(1, 10, func(context.Context, webhook.Event) error {
		if handled.Add(1) == 1 {
			panic("once")
		}
		return nil
	}, slog.New(slog.NewTextHandler(&logged, nil))))
	for range 2 {
		require.NoError(t, pool.Enqueue(t.Context(), anEvent(t)))
	}
	require.NoError(t, pool.Shutdown(t.Context()))
	assert.EqualValues(t, 2, handled.Load())
	assert.Contains(t, logged.String(), "panic")
}

func TestTheWorkerPoolKeepsWhatASinkPromises(t *testing.T) {
	t.Parallel()
	webhooktest.TestSink(t, func(t *testing.T, handle func(context.Context, webhook.Event) error) webhook.Sink {
		pool := testkit.Must(webhook.NewWorkerPool(2, 100, handle, nil))
		t.Cleanup(func() { require.NoError(t, pool.Shutdown(context.Background())) })
		return pool
	})
}
