package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
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

// punctualStore does nothing for a context that has ended, as one over a network.
type punctualStore struct {
	webhook.DedupStore

	settled int
}

func (s *punctualStore) Begin(ctx context.Context, id string, claim int64) (webhook.DedupState, error) {
	if ctx.Err() != nil {
		return webhook.DedupFree, ctx.Err()
	}
	return s.DedupStore.Begin(ctx, id, claim)
}

func (s *punctualStore) Done(ctx context.Context, id string, claim int64) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.settled++
	return s.DedupStore.Done(ctx, id, claim)
}

func (s *punctualStore) Abort(ctx context.Context, id string, claim int64) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.settled++
	return s.DedupStore.Abort(ctx, id, claim)
}

func TestAClaimEndsThoughTheTimeForTheEventIsOver(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			store := &punctualStore{DedupStore: testkit.Must(webhook.NewMemoryDedupStore(10, time.Hour))}
			receiver, _ := newReceiver(webhook.WithDedupStore(store), webhook.WithHandlerTimeout(time.Second))
			webhook.OnAny(receiver, func(context.Context, webhook.Event) error {
				if late {
					time.Sleep(2 * time.Second)
				}
				return nil
			})
			post(t, receiver, ratedBody("c1"))
			synctest.Wait()
			time.Sleep(time.Minute)
			assert.Equal(t, 1, store.settled, "late: %t", late)
		})
	}
}

// newHangingStore returns a store in memory, and a fault of it: a call that does not return
// before release, whatever its context says.
func newHangingStore() (store *faultyStore, hang func(string) error, release func()) {
	released := make(chan struct{})
	store = &faultyStore{DedupStore: testkit.Must(webhook.NewMemoryDedupStore(10, time.Hour))}
	return store, func(string) error { <-released; return nil }, func() { close(released) }
}

// W28: and the log says what has become of the event.
func TestNobodyWaitsForAStoreThatDoesNotEndAClaim(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		handler func(stuck <-chan struct{}) error
		once    bool
		took    time.Duration
		logged  []string
	}{
		"handled": {func(<-chan struct{}) error { return nil }, false, 2200 * time.Millisecond,
			[]string{`msg="webhook event handled, but not marked"`, "deduplication: not marked: no answer within 2s"}},
		"failed": {func(<-chan struct{}) error { return errors.New("no") }, false, 2200 * time.Millisecond,
			[]string{`msg="webhook event failed"`, "deduplication: not freed: no answer within 2s"}},
		"handled, with Once": {func(<-chan struct{}) error { return nil }, true, 4200 * time.Millisecond, // By then the time of the event is over.
			[]string{`msg="webhook handler not deduplicated"`, "deduplication: not marked: no answer within 2s", `msg="webhook event handled, but not marked"`}},
		"stuck": {func(stuck <-chan struct{}) error { <-stuck; return nil }, false, 30*time.Second + 2*time.Second,
			[]string{`msg="webhook handler does not return`, "deduplication: not freed: no answer within 2s"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			store, hang, release := newHangingStore()
			store.done, store.abort = hang, hang
			var logged bytes.Buffer
			stuck := make(chan struct{})
			receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret)), webhook.WithDedupStore(store),
				webhook.WithHandlerTimeout(200*time.Millisecond), webhook.WithLogger(slog.New(slog.NewTextHandler(&logged, nil)))))
			var opts []webhook.HandlerOption
			if test.once {
				opts = append(opts, webhook.Once("slack"))
			}
			require.NoError(t, webhook.OnAny(receiver, func(context.Context, webhook.Event) error { return test.handler(stuck) }, opts...))
			time.AfterFunc(30*time.Second, func() { close(stuck) })
			began := time.Now()
			assert.Equal(t, http.StatusInternalServerError, post(t, receiver, ratedBody("c1")).Code, name)
			assert.Equal(t, test.took, time.Since(began), name)
			for _, line := range test.logged {
				assert.Contains(t, logged.String(), line, name)
			}
			assert.Equal(t, http.StatusServiceUnavailable, post(t, receiver, ratedBody("c1")).Code, "%s: the store has the claim", name)
			release()
		})
	}
}

// W28: the time before the handlers is that of begin, whatever the store does not answer.
func TestAStoreThatDoesNotEndAClaimBeforeTheHandlersRefusesOrProcesses(t *testing.T) {
	t.Parallel()
	for name, hangs := range map[string]struct {
		body        []byte
		done, abort bool
	}{
		"asking whether a delivery was seen": {disabled(2), false, true},
		"marking that a delivery was seen":   {disabled(1), true, false},
		"marking, and freeing after that":    {disabled(1), true, true},
	} {
		for failure, want := range map[webhook.DedupFailure]int{
			webhook.DedupRefuse: http.StatusServiceUnavailable, webhook.DedupProcess: http.StatusOK,
		} {
			synctest.Test(t, func(t *testing.T) {
				store, hang, release := newHangingStore()
				if hangs.done {
					store.done = ofSeen(func() error { return hang("") })
				}
				if hangs.abort {
					store.abort = hang
				}
				receiver, log := newReceiver(webhook.WithDedupStore(store), webhook.WithDedupFailure(failure))
				began := time.Now()
				assert.Equal(t, want, post(t, receiver, hangs.body).Code, name)
				assert.Equal(t, 4500*time.Millisecond/4*3, time.Since(began), name)
				assert.Equal(t, want == http.StatusOK, log.calls() == 1, name)
				release()
			})
		}
	}
}

// W28: the key that says that a delivery of an event was seen is claimed for ever.
func TestAKeyThatStaysClaimedKeepsNoEventFromItsHandlers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, hang, release := newHangingStore()
		defer release()
		receiver, log := newReceiver(webhook.WithDedupStore(store))
		var asked atomic.Int32
		store.abort = func(key string) error {
			if asked.Add(1) == 2 { // The first one is of the period before.
				return hang(key)
			}
			return nil
		}
		assert.Equal(t, http.StatusServiceUnavailable, post(t, receiver, disabled(2)).Code)
		assert.Equal(t, http.StatusOK, post(t, receiver, disabled(1)).Code)
		require.Equal(t, 1, log.calls())
		log.answer = func() error { return errors.New("no") }
		assert.Equal(t, http.StatusInternalServerError, post(t, receiver, disabled(1)).Code)
		log.answer = nil
		assert.Equal(t, http.StatusOK, post(t, receiver, disabled(2)).Code)
		require.Equal(t, 3, log.calls())
		assert.Equal(t, log.events[1].Info().EventID, log.events[2].Info().EventID, "it is found behind that key")
		assert.Equal(t, http.StatusOK, post(t, receiver, disabled(3)).Code)
		assert.Equal(t, 3, log.calls())
	})
}

// W25: the time that a handler has is that of its context, however long.
func TestAHandlerThatHasAllTheTimeKeepsItsClaim(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret)), webhook.WithLogger(slog.New(slog.NewTextHandler(&logged, nil)))))
		require.NoError(t, webhook.OnAny(receiver, func(context.Context, webhook.Event) error { time.Sleep(time.Hour); return nil }, webhook.Once("slow")))
		ctx, cancel := context.WithTimeout(t.Context(), math.MaxInt64)
		defer cancel()
		require.NoError(t, receiver.Dispatch(ctx, testkit.Must(webhook.Parse(ratedBody("c1")))))
		assert.Empty(t, logged.String())
	})
}

// W17: the time that is over is that of the handlers, and the store is well.
func TestAHandlerWithOnceIsFoundInAStoreThoughTheTimeForTheEventIsOver(t *testing.T) {
	t.Parallel()
	for failure, name := range map[webhook.DedupFailure]string{webhook.DedupRefuse: "DedupRefuse", webhook.DedupProcess: "DedupProcess"} {
		synctest.Test(t, func(t *testing.T) {
			store := &punctualStore{DedupStore: testkit.Must(webhook.NewMemoryDedupStore(10, time.Hour))}
			receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret)), webhook.WithDedupStore(store), webhook.WithDedupFailure(failure)))
			told, last := 0, errors.New("no")
			require.NoError(t, webhook.OnAny(receiver, func(context.Context, webhook.Event) error { time.Sleep(10 * time.Second); return nil }))
			require.NoError(t, webhook.OnAny(receiver, func(context.Context, webhook.Event) error { told++; return nil }, webhook.Once("slack")))
			require.NoError(t, webhook.OnAny(receiver, func(context.Context, webhook.Event) error { return last }))
			for delivery := range 3 {
				assert.Equal(t, http.StatusInternalServerError, post(t, receiver, ratedBody("c1")).Code, name)
				assert.Equal(t, 1, told, "%s, delivery %d: it runs, and does not run again", name, delivery)
			}
			last = nil
			assert.Equal(t, http.StatusInternalServerError, post(t, receiver, ratedBody("c1")).Code, name)
			assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("c1")).Code, "%s: they have succeeded, if late", name)
			assert.Equal(t, 1, told, name)
		})
	}
}

// W28: so it is for a store that does not answer whether such a handler has succeeded.
func TestNobodyWaitsForAStoreThatDoesNotTellOfAHandlerWithOnce(t *testing.T) {
	t.Parallel()
	for late, took := range map[time.Duration]time.Duration{0: 6500 * time.Millisecond, 10 * time.Second: 12 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			store, hang, release := newHangingStore()
			store.begin = ofSeen(func() error { return hang("") }) // Its key has a slash, too.
			var logged bytes.Buffer
			receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret)),
				webhook.WithDedupStore(store), webhook.WithLogger(slog.New(slog.NewTextHandler(&logged, nil)))))
			require.NoError(t, webhook.OnAny(receiver, func(context.Context, webhook.Event) error { time.Sleep(late); return nil }))
			require.NoError(t, webhook.OnAny(receiver, func(context.Context, webhook.Event) error { return nil }, webhook.Once("slack")))
			began := time.Now()
			assert.Equal(t, http.StatusInternalServerError, post(t, receiver, ratedBody("c1")).Code)
			assert.Equal(t, took, time.Since(began))
			assert.Contains(t, logged.String(), "handler slack: deduplication: no answer within 2s")
			release()
		})
	}
}
