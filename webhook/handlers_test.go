package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/webhook"
)

// effects counts what handlers have done, and fails on demand.
type effects struct {
	slack, crm int
	crmFails   func() error
}

// newEffects returns a receiver with two effects for each event, the second of which
// can fail.
func newEffects(t *testing.T, opts ...webhook.Option) (*webhook.Receiver, *effects) {
	t.Helper()
	done := &effects{}
	receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret)), opts...))
	require.NoError(t, webhook.On(receiver, func(context.Context, *webhook.ChatRated) error { done.slack++; return nil }, webhook.Once("slack")))
	require.NoError(t, webhook.OnAny(receiver, func(context.Context, webhook.Event) error {
		if done.crmFails != nil {
			if err := done.crmFails(); err != nil {
				return err
			}
		}
		done.crm++
		return nil
	}, webhook.Once("crm")))
	return receiver, done
}

// W17.
func TestAnEffectThatSucceededIsNotRepeatedWhenAnotherFailed(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]func() error{
		"error":  func() error { return errors.New("the CRM is away") },
		"panic":  func() error { panic("the CRM is away") },
		"goexit": func() error { runtime.Goexit(); return nil },
	} {
		receiver, done := newEffects(t)
		done.crmFails = failure
		for range 3 {
			assert.Equal(t, http.StatusInternalServerError, post(t, receiver, ratedBody("c1")).Code, name)
		}
		done.crmFails = nil
		for range 2 {
			assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("c1")).Code, name)
		}
		assert.Equal(t, [2]int{1, 1}, [2]int{done.slack, done.crm}, name)
		post(t, receiver, ratedBody("c2"))
		assert.Equal(t, [2]int{2, 2}, [2]int{done.slack, done.crm}, "%s: another event", name)
	}
}

// W17.
func TestAQueueThatDispatchesAgainRepeatsNoEffectWithOnce(t *testing.T) {
	t.Parallel()
	receiver, done := newEffects(t)
	for _, body := range []string{string(ratedBody("c1")), `{"event":"robot.sang","data":{"song":"Daisy"}}`} {
		event := testkit.Must(webhook.Parse([]byte(body)))
		done.crmFails = func() error { return errors.New("no") }
		require.Error(t, receiver.Dispatch(t.Context(), event))
		done.crmFails = nil
		require.NoError(t, receiver.Dispatch(t.Context(), event))
		require.NoError(t, receiver.Dispatch(t.Context(), event))
	}
	assert.Equal(t, [2]int{1, 2}, [2]int{done.slack, done.crm})
	require.ErrorIs(t, receiver.Dispatch(t.Context(), &webhook.ChatRated{}), salesiq.ErrInvalidInput, "it has no id")
}

// W17: the documented window.
func TestAnEffectWithOnceIsRepeatedAfterAnEndBetweenEffectAndMark(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	store := &crashingStore{DedupStore: testkit.Must(webhook.NewMemoryDedupStore(10, time.Hour)), done: errors.New("the power is gone")}
	receiver, done := newEffects(t, webhook.WithDedupStore(store), webhook.WithLogger(slog.New(slog.NewTextHandler(&logged, nil))))
	assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("c1")).Code, "the work is done")
	assert.Contains(t, logged.String(), "handler=slack")
	store.done = nil
	for range 2 {
		assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("c1")).Code)
	}
	assert.Equal(t, [2]int{2, 2}, [2]int{done.slack, done.crm})
}

// W12: a store that fails for a handler.
func TestAHandlerWithOnceMindsAStoreThatIsAway(t *testing.T) {
	t.Parallel()
	event := testkit.Must(webhook.Parse(ratedBody("c1")))
	store := &crashingStore{begin: errors.New("connection refused")}
	receiver, done := newEffects(t, webhook.WithDedupStore(store))
	require.ErrorContains(t, receiver.Dispatch(t.Context(), event), "handler slack: deduplication: connection refused")
	assert.Zero(t, done.slack)

	receiver, done = newEffects(t, webhook.WithDedupStore(store), webhook.WithDedupFailure(webhook.DedupProcess))
	require.NoError(t, receiver.Dispatch(t.Context(), event))
	assert.Equal(t, [2]int{1, 1}, [2]int{done.slack, done.crm})
}

func TestAHandlerWithOnceNeverRunsTwiceAtATime(t *testing.T) {
	t.Parallel()
	receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret))))
	begun, release, calls := make(chan struct{}), make(chan struct{}), 0
	require.NoError(t, webhook.OnAny(receiver, func(context.Context, webhook.Event) error {
		calls++
		close(begun)
		<-release
		return nil
	}, webhook.Once("slow")))
	event := testkit.Must(webhook.Parse(ratedBody("c1")))
	first := make(chan error, 1)
	go func() { first <- receiver.Dispatch(context.WithoutCancel(t.Context()), event) }()
	<-begun
	require.ErrorContains(t, receiver.Dispatch(t.Context(), event), "another delivery is running the handler")
	close(release)
	require.NoError(t, <-first)
	require.NoError(t, receiver.Dispatch(t.Context(), event))
	assert.Equal(t, 1, calls)
}

func TestNamesOfHandlersAreChecked(t *testing.T) {
	t.Parallel()
	receiver, _ := newEffects(t)
	handle := func(context.Context, webhook.Event) error { return nil }
	for _, option := range []webhook.HandlerOption{
		webhook.Once(""), webhook.Once("two words"), webhook.Once("a\x00b"), webhook.Once("line\n"), webhook.Once("a\u00a0b"), webhook.Once("slack"), nil,
		webhook.Once(strings.Repeat("x", 257)),
	} {
		require.ErrorIs(t, webhook.OnAny(receiver, handle, option), salesiq.ErrInvalidInput)
	}
	require.NoError(t, webhook.OnAny(receiver, handle, webhook.Once("Müller-2/é")))
	require.NoError(t, webhook.OnAny(receiver, handle, webhook.Once(strings.Repeat("x", 256))))
}

// W18.
func TestAPanicOutOfAQueueIsAnError(t *testing.T) {
	t.Parallel()
	receiver, log := newReceiver()
	event := testkit.Must(webhook.Parse(ratedBody("c1")))
	for _, end := range []func() error{func() error { panic("a secret") }, func() error { runtime.Goexit(); return nil }} {
		log.answer = end
		err := receiver.Dispatch(t.Context(), event)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "secret")
	}
}

// W26: the race detector looks.
func TestNoHandlerIsAddedOnceAnEventIsDispatched(t *testing.T) {
	t.Parallel()
	receiver, _ := newReceiver()
	event := testkit.Must(webhook.Parse(ratedBody("c1")))
	handle := func(context.Context, webhook.Event) error { return nil }
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() { assert.NoError(t, receiver.Dispatch(t.Context(), event)) })
		running.Go(func() { webhook.OnAny(receiver, handle) })
	}
	running.Wait()
	require.ErrorIs(t, webhook.OnAny(receiver, handle), salesiq.ErrInvalidInput)
}

func TestEventsToSubscribeToFollowFromTheHandlers(t *testing.T) {
	t.Parallel()
	newReceiver := func() *webhook.Receiver {
		return testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret))))
	}
	receiver := newReceiver()
	assert.Empty(t, receiver.Events())
	assert.Empty(t, (*webhook.Receiver)(nil).Events())
	require.NoError(t, webhook.On(receiver, func(context.Context, *webhook.UnknownEvent) error { return nil }))
	assert.Empty(t, receiver.Events(), "nobody knows their names")
	require.NoError(t, webhook.On(receiver, func(context.Context, *webhook.LeadCreated) error { return nil }))
	for range 2 {
		require.NoError(t, webhook.On(receiver, func(context.Context, *webhook.ChatRated) error { return nil }))
	}
	assert.Equal(t, []salesiq.EventName{salesiq.EventChatRated, salesiq.EventLeadCreated}, receiver.Events())

	all := newReceiver()
	require.NoError(t, webhook.OnAny(all, func(context.Context, webhook.Event) error { return nil }))
	assert.Len(t, all.Events(), len(eventTypes))
	for name := range eventTypes {
		assert.Contains(t, all.Events(), name)
	}
}
