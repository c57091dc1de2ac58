package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/webhook"
)

// faultyStore does something else instead of the next call of a method for a key.
type faultyStore struct {
	webhook.DedupStore

	begin, done, abort func(key string) error // Nil if nothing goes wrong.
}

func (s *faultyStore) Begin(ctx context.Context, key string, claim int64) (webhook.DedupState, error) {
	if fault := s.begin; fault != nil {
		if err := fault(key); err != nil {
			return webhook.DedupFree, err
		}
	}
	return s.DedupStore.Begin(ctx, key, claim)
}

func (s *faultyStore) Done(ctx context.Context, key string, claim int64) error {
	if fault := s.done; fault != nil {
		if err := fault(key); err != nil {
			return err
		}
	}
	return s.DedupStore.Done(ctx, key, claim)
}

func (s *faultyStore) Abort(ctx context.Context, key string, claim int64) error {
	if fault := s.abort; fault != nil {
		if err := fault(key); err != nil {
			return err
		}
	}
	return s.DedupStore.Abort(ctx, key, claim)
}

var errStoreAway = errors.New("the store is away")

// faults are the ways in which a store can fail.
var faults = map[string]func() error{
	"error":  func() error { return errStoreAway },
	"panic":  func() error { panic("the store panics") },
	"goexit": func() error { runtime.Goexit(); return nil },
}

// ofSeen makes a fault of the keys that say that a delivery of an event has come.
func ofSeen(fault func() error) func(string) error {
	return func(key string) error {
		if strings.Contains(key, "/") {
			return fault()
		}
		return nil
	}
}

// ofEvent makes a fault of the keys of events.
func ofEvent(fault func() error) func(string) error {
	return func(key string) error {
		if !strings.Contains(key, "/") {
			return fault()
		}
		return nil
	}
}

// W25: no event stays claimed that nobody handles.
func TestAnEventIsFreeAgainAfterTheStoreFailedWhileItWasClaimed(t *testing.T) {
	t.Parallel()
	for name, fault := range faults {
		for where, breaks := range map[string]func(*faultyStore){
			"it cannot be marked as seen": func(s *faultyStore) { s.done = ofSeen(fault) },
			"it cannot be claimed":        func(s *faultyStore) { s.begin = ofEvent(fault) },
		} {
			t.Run(where+", "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					store := &faultyStore{DedupStore: testkit.Must(webhook.NewMemoryDedupStore(10, time.Hour))}
					receiver, log := newReceiver(webhook.WithDedupStore(store))
					breaks(store)
					var running sync.WaitGroup
					running.Go(func() { assert.NotEqual(t, http.StatusOK, post(t, receiver, disabled(1)).Code) })
					running.Wait()
					store.begin, store.done = nil, nil
					began := time.Now()
					assert.Equal(t, http.StatusOK, post(t, receiver, disabled(2)).Code)
					assert.Zero(t, time.Since(began), "nobody has it")
					assert.Equal(t, 1, log.calls())
				})
			})
		}
	}
}

// W12: a panic of the store, or the end of its goroutine, is like an error of it.
func TestAStoreRefusesOrProcessesInWhateverWayItFails(t *testing.T) {
	t.Parallel()
	for name, fault := range faults {
		for _, body := range [][]byte{ratedBody("c1"), disabled(1), disabled(2)} {
			for _, row := range []struct {
				where   string
				failure webhook.DedupFailure
				status  int
				calls   int
			}{
				{"before the handlers", webhook.DedupRefuse, http.StatusServiceUnavailable, 0},
				{"before the handlers", webhook.DedupProcess, http.StatusOK, 1},
				{"after the handlers", webhook.DedupRefuse, http.StatusOK, 1},
				{"after the handlers", webhook.DedupProcess, http.StatusOK, 1},
			} {
				t.Run(fmt.Sprintf("%s, %s, %d, %s", name, row.where, row.failure, body), func(t *testing.T) {
					t.Parallel()
					store := &faultyStore{DedupStore: testkit.Must(webhook.NewMemoryDedupStore(10, time.Hour))}
					if row.where == "before the handlers" {
						store.begin = func(string) error { return fault() }
					} else {
						store.done = ofEvent(fault)
					}
					var logged bytes.Buffer
					receiver, log := newReceiver(webhook.WithDedupStore(store), webhook.WithDedupFailure(row.failure),
						webhook.WithLogger(slog.New(slog.NewTextHandler(&logged, nil))))
					var running sync.WaitGroup // The fault may end the goroutine.
					running.Go(func() { assert.Equal(t, row.status, post(t, receiver, body).Code) })
					running.Wait()
					assert.Equal(t, row.calls, log.calls())
					assert.Contains(t, logged.String(), "deduplication: ")
				})
			}
		}
	}
}

// W12: so it is for a handler with Once.
func TestAHandlerWithOnceMindsAStoreInWhateverWayItFails(t *testing.T) {
	t.Parallel()
	event := testkit.Must(webhook.Parse(ratedBody("c1")))
	for name, fault := range faults {
		store := &faultyStore{DedupStore: testkit.Must(webhook.NewMemoryDedupStore(10, time.Hour))}
		store.begin = func(string) error { return fault() }
		receiver, done := newEffects(t, webhook.WithDedupStore(store))
		require.ErrorContains(t, receiver.Dispatch(t.Context(), event), "handler slack: deduplication: ", name)
		assert.Zero(t, done.slack, name)

		receiver, done = newEffects(t, webhook.WithDedupStore(store), webhook.WithDedupFailure(webhook.DedupProcess))
		require.NoError(t, receiver.Dispatch(t.Context(), event), name)
		assert.Equal(t, [2]int{1, 1}, [2]int{done.slack, done.crm}, name)

		store.begin, store.done = nil, func(string) error { return fault() }
		require.NoError(t, receiver.Dispatch(t.Context(), event), "%s: the work is done", name)
		assert.Equal(t, [2]int{2, 2}, [2]int{done.slack, done.crm}, name)
	}
}

// W12: to the service, it is as if the handler had failed.
func TestAHandlerWithOnceThatCannotRunIsAnsweredAsAFailedOne(t *testing.T) {
	t.Parallel()
	ofOnce := ofSeen(func() error { return errStoreAway }) // Its key has a slash, too.
	store := &faultyStore{DedupStore: testkit.Must(webhook.NewMemoryDedupStore(10, time.Hour)), begin: ofOnce}
	receiver, done := newEffects(t, webhook.WithDedupStore(store))
	assert.Equal(t, http.StatusInternalServerError, post(t, receiver, ratedBody("c1")).Code, "the store is away")

	store.begin = nil
	key := testkit.Must(webhook.Parse(ratedBody("c1"))).Info().EventID + "/slack"
	require.Equal(t, webhook.DedupFree, testkit.Must(store.Begin(t.Context(), key, 1)))
	assert.Equal(t, http.StatusInternalServerError, post(t, receiver, ratedBody("c1")).Code, "another one runs it")
	assert.Zero(t, done.slack)

	require.NoError(t, store.Abort(t.Context(), key, 1))
	assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("c1")).Code)
	assert.Equal(t, [2]int{1, 1}, [2]int{done.slack, done.crm})
}

// W12: although nothing is claimed, the log names it, once its time is over for long.
func TestAHandlerThatDoesNotReturnIsNamedThoughTheStoreFails(t *testing.T) {
	t.Parallel()
	event := testkit.Must(webhook.Parse(ratedBody("c1")))
	timeless := testkit.Must(webhook.Parse([]byte(`{"event":"chat.rating","attempt":2,"entity":{"chat_id":"c1"}}`)))
	delivered := func(t *testing.T, r *webhook.Receiver) {
		t.Helper()
		assert.Equal(t, http.StatusInternalServerError, post(t, r, ratedBody("c1")).Code)
	}
	dispatched := func(event webhook.Event) func(*testing.T, *webhook.Receiver) {
		return func(t *testing.T, r *webhook.Receiver) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), 4500*time.Millisecond)
			defer cancel()
			assert.NoError(t, r.Dispatch(ctx, event))
		}
	}
	for name, test := range map[string]struct {
		handle func(*testing.T, *webhook.Receiver)
		opts   []webhook.HandlerOption
	}{
		"delivered":                                 {delivered, nil},
		"delivered, with Once":                      {delivered, []webhook.HandlerOption{webhook.Once("slack")}},
		"out of a queue, with Once":                 {dispatched(event), []webhook.HandlerOption{webhook.Once("slack")}},
		"out of a queue, with Once, without a time": {dispatched(timeless), []webhook.HandlerOption{webhook.Once("slack")}},
	} {
		for _, returns := range []time.Duration{25 * time.Second, 40 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				var logged bytes.Buffer
				var calls atomic.Int32
				late := make(chan error)
				store := &faultyStore{DedupStore: testkit.Must(webhook.NewMemoryDedupStore(10, time.Hour))}
				store.begin = func(string) error { return errStoreAway }
				store.done = func(string) error { assert.Fail(t, "nothing is claimed"); return nil }
				store.abort = store.done
				receiver := stuckReceiver(t, &logged, &calls, late, test.opts, webhook.WithDedupStore(store), webhook.WithDedupFailure(webhook.DedupProcess))
				var handling sync.WaitGroup
				handling.Go(func() { test.handle(t, receiver) })
				time.Sleep(returns)
				late <- nil
				handling.Wait()
				time.Sleep(time.Minute)
				synctest.Wait()
				assert.Equal(t, returns > 30*time.Second, strings.Contains(logged.String(), "does not return"), "%s, %s", name, returns)
				if returns > 30*time.Second && test.opts != nil {
					assert.Contains(t, logged.String(), "handler=slack", name)
				}
			})
		}
	}
}

// stuckReceiver has a handler that does not return at first, and then succeeds.
func stuckReceiver(t *testing.T, logged *bytes.Buffer, calls *atomic.Int32, late <-chan error, handler []webhook.HandlerOption, opts ...webhook.Option) *webhook.Receiver {
	t.Helper()
	receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret)),
		append(opts, webhook.WithLogger(slog.New(slog.NewTextHandler(logged, nil))))...))
	require.NoError(t, webhook.On(receiver, func(context.Context, *webhook.ChatRated) error {
		if calls.Add(1) == 1 {
			return <-late
		}
		return nil
	}, handler...))
	return receiver
}

// W25: the service delivers it again a minute later.
func TestAnEventWhoseHandlerDoesNotReturnIsHandledAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts    []webhook.HandlerOption
		handler string // As the log names it.
	}{
		"without a name": {nil, "webhook_test.stuckReceiver.func1"},
		"with Once":      {[]webhook.HandlerOption{webhook.Once("slack")}, "handler=slack"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var logged bytes.Buffer
				var calls atomic.Int32
				late := make(chan error)
				receiver := stuckReceiver(t, &logged, &calls, late, test.opts)
				var first sync.WaitGroup
				first.Go(func() { assert.Equal(t, http.StatusInternalServerError, post(t, receiver, ratedBody("c1")).Code) })
				time.Sleep(25 * time.Second)
				assert.Equal(t, http.StatusServiceUnavailable, post(t, receiver, ratedBody("c1")).Code, "it may yet return")
				time.Sleep(time.Minute - 28*time.Second)
				synctest.Wait()
				assert.Equal(t, 1, strings.Count(logged.String(), "does not return"))
				assert.Contains(t, logged.String(), test.handler)
				for range 2 {
					assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("c1")).Code)
				}
				assert.EqualValues(t, 2, calls.Load())
				late <- errors.New("too late")
				first.Wait()
				assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("c1")).Code, "a late failure frees nothing")
				assert.EqualValues(t, 2, calls.Load())
			})
		})
	}
}

// W25.
func TestASuccessCountsThoughItsClaimHasEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		var calls atomic.Int32
		late := make(chan error)
		receiver := stuckReceiver(t, &logged, &calls, late, nil)
		var first sync.WaitGroup
		first.Go(func() { post(t, receiver, ratedBody("c1")) })
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Contains(t, logged.String(), "does not return")
		late <- nil
		first.Wait()
		assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("c1")).Code)
		assert.EqualValues(t, 1, calls.Load())
	})
}

// W25: by then it may be another delivery's.
func TestALateFailureEndsNoClaimOfAnotherDelivery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		late := make(chan error)
		receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret))))
		require.NoError(t, webhook.OnAny(receiver, func(context.Context, webhook.Event) error { calls.Add(1); return <-late }))
		var deliveries sync.WaitGroup
		for _, then := range []time.Duration{time.Minute, time.Second} {
			deliveries.Go(func() { post(t, receiver, ratedBody("c1")) })
			time.Sleep(then)
		}
		late <- errors.New("too late") // The first one was there first.
		synctest.Wait()
		assert.Equal(t, http.StatusServiceUnavailable, post(t, receiver, ratedBody("c1")).Code)
		assert.EqualValues(t, 2, calls.Load())
		late <- nil
		deliveries.Wait()
		assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("c1")).Code)
		assert.EqualValues(t, 2, calls.Load())
	})
}

// W25: so it is for what a queue hands out, if the queue says how long a handler may take.
func TestAnEventOutOfAQueueWhoseHandlerDoesNotReturnIsHandledAgain(t *testing.T) {
	t.Parallel()
	for _, body := range [][]byte{ratedBody("c1"), []byte(`{"event":"chat.rating","attempt":2,"entity":{"chat_id":"c1"}}`)} {
		synctest.Test(t, func(t *testing.T) {
			var logged bytes.Buffer
			var calls atomic.Int32
			late := make(chan error)
			receiver := stuckReceiver(t, &logged, &calls, late, []webhook.HandlerOption{webhook.Once("slack")})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			first := make(chan error, 1)
			go func() { first <- receiver.Dispatch(ctx, testkit.Must(webhook.Parse(body))) }()
			time.Sleep(80 * time.Second)
			require.ErrorContains(t, receiver.Dispatch(t.Context(), testkit.Must(webhook.Parse(body))), "another delivery is running the handler")
			time.Sleep(10 * time.Second)
			require.NoError(t, receiver.Dispatch(t.Context(), testkit.Must(webhook.Parse(body))))
			synctest.Wait()
			assert.EqualValues(t, 2, calls.Load())
			assert.Contains(t, logged.String(), "handler=slack")
			late <- errors.New("too late")
			require.Error(t, <-first)
		})
	}
}

// W21: a queue's context ends the wait for another delivery, and nobody handles the event
// beside that.
func TestDispatchWaitsForAnotherDeliveryNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret)), webhook.WithDedupFailure(webhook.DedupProcess)))
		require.NoError(t, webhook.OnAny(receiver, func(context.Context, webhook.Event) error {
			calls.Add(1)
			time.Sleep(4 * time.Second)
			return nil
		}, webhook.Once("slow")))
		var first sync.WaitGroup
		first.Go(func() { post(t, receiver, disabled(1)) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, receiver.Dispatch(ctx, testkit.Must(webhook.Parse(disabled(2)))), context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(began))
		first.Wait()
		assert.EqualValues(t, 1, calls.Load())
	})
}
