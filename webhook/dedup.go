package webhook

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq/internal/usercode"
)

// DedupStore remembers which events have been handled, so that a [Receiver]
// handles none twice. Several goroutines use it at once and, if it is shared,
// several processes.
//
// An event is free, claimed or done; the documentation of the package has a table. The
// receiver ends its claims, also those of handlers that do not return. A claim of a
// process that has ended must not outlive it for long. So a shared store lets a claim
// expire after about half a minute, since the service waits for a minute before it
// delivers again. It renews the claims of a process that lives. One that does not lets
// another delivery run a handler beside one that takes longer.
//
// A claim has a number, which no other claim of the event has. So a handler that returns
// when its claim has ended does not end the claim of another delivery.
//
// A store that forgets events for their age can have a method MaxAge, which returns
// that age as a [time.Duration]. [WithTolerance] says what for.
//
// Events without a time are numbered by what the store remembers. So a store of your own
// must remember what is done for ten minutes at least, over a restart, too. If it forgets
// sooner, a number may be given to two events, and a [Sink] takes the second for the first.
// That of [NewMemoryDedupStore] need not remember so long, unless another store wraps it.
//
// A receiver asks for keys of at most 289 bytes: the id of an event, and with it the name of
// a handler with [Once].
//
// Package webhooktest has the tests that a store must pass.
type DedupStore interface {
	// Begin claims an event if it is free. It returns the state before that.
	Begin(ctx context.Context, eventID string, claim int64) (DedupState, error)
	// Done ends a claim, and marks the event as handled. It does so even if the claim has
	// ended, whoever has claimed the event since: the handlers have succeeded.
	Done(ctx context.Context, eventID string, claim int64) error
	// Abort frees the event if it still has this claim.
	Abort(ctx context.Context, eventID string, claim int64) error
}

// DedupState is what a [DedupStore] knows about an event.
type DedupState int

// The states of an event.
const (
	DedupFree    DedupState = iota // Nobody had it: the caller has claimed it.
	DedupClaimed                   // Somebody else is handling it.
	DedupDone                      // It has been handled.
)

// DedupFailure is what a [Receiver] does with an event when its [DedupStore] does
// not answer.
type DedupFailure int

// What can be done about a store that does not answer.
const (
	// DedupRefuse answers 503, so that the service delivers the event again. For a handler
	// with [Once], it is an error of the handler: 500, for the same end.
	DedupRefuse DedupFailure = iota
	// DedupProcess handles the event, at the risk of doing so twice.
	DedupProcess
)

// guardedStore is a store in which a panic is an error, and so is the end of its
// goroutine. Nobody waits for it after the end of the context.
type guardedStore struct{ store DedupStore }

// guard returns the store of a receiver. That of this package needs no guard.
func guard(store DedupStore) DedupStore {
	if _, inMemory := store.(*memoryDedup); inMemory {
		return store
	}
	return guardedStore{store}
}

func (g guardedStore) Begin(ctx context.Context, eventID string, claim int64) (DedupState, error) {
	return usercode.Borrow(ctx, func(ctx context.Context) (DedupState, error) { return g.store.Begin(ctx, eventID, claim) }, func(state DedupState) {
		if state == DedupFree {
			late, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
			defer cancel()
			g.Abort(late, eventID, claim) //nolint:errcheck // Nobody is left to tell.
		}
	})
}

func (g guardedStore) Done(ctx context.Context, eventID string, claim int64) error {
	return ask(ctx, func(ctx context.Context) error { return g.store.Done(ctx, eventID, claim) })
}

func (g guardedStore) Abort(ctx context.Context, eventID string, claim int64) error {
	return ask(ctx, func(ctx context.Context) error { return g.store.Abort(ctx, eventID, claim) })
}

// ask is [usercode.Ask] for what returns an error alone.
func ask(ctx context.Context, f func(context.Context) error) error {
	_, err := usercode.Ask(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) })
	return err
}

// NewMemoryDedupStore returns a store that forgets everything when the process
// ends, claims included. It remembers at most maxEvents handled events, each for at most
// maxAge. The oldest go first. An event takes about 200 bytes, and one without a time
// counts twice.
//
// The service delivers a failed event again for some minutes, and on request for weeks.
//
// Errors: an [salesiq.InputError] for bounds that are not positive.
func NewMemoryDedupStore(maxEvents int, maxAge time.Duration) (DedupStore, error) {
	if maxEvents < 1 {
		return nil, inputError("max events", "must be positive")
	}
	if err := positive("max age", maxAge); err != nil {
		return nil, err
	}
	return newMemoryDedup(maxEvents, maxAge), nil
}

// The bounds of the default store.
const (
	defaultDedupEvents = 100_000
	defaultDedupAge    = 24 * time.Hour
)

type memoryDedup struct {
	maxEvents int
	maxAge    time.Duration

	mu     sync.Mutex
	events map[string]dedupEvent // Free events are absent.
	marks  []dedupMark           // Of handled events, oldest first.
	first  int                   // Marks before it are forgotten.
	issued numbers               // Those of events without a time, when somebody asked last.
}

// dedupEvent is an event that is claimed or done.
type dedupEvent struct {
	state DedupState
	claim int64
}

// dedupMark says when an event was handled.
type dedupMark struct {
	eventID string
	at      time.Time
}

func newMemoryDedup(maxEvents int, maxAge time.Duration) *memoryDedup {
	m := &memoryDedup{maxEvents: maxEvents, maxAge: maxAge, events: map[string]dedupEvent{}}
	m.issued.era = rand.Uint64() //nolint:gosec // It is no secret.
	return m
}

// numbers returns the numbers of now. A store in memory forgets which numbers it has given
// away: when the process ends, and when there are too many marks. Another era has other
// numbers.
func (m *memoryDedup) numbers() numbers {
	m.mu.Lock()
	defer m.mu.Unlock()
	period := periodOf(time.Now())
	if period < m.issued.period { // The clock was set back.
		m.issued.era++
	}
	m.issued.period = period
	return m.issued
}

// MaxAge returns how long events are remembered, if they are not too many.
func (m *memoryDedup) MaxAge() time.Duration { return m.maxAge }

func (m *memoryDedup) Begin(_ context.Context, eventID string, claim int64) (DedupState, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(time.Now())
	state := m.events[eventID].state
	if state == DedupFree {
		m.events[eventID] = dedupEvent{DedupClaimed, claim}
	}
	return state, nil
}

func (m *memoryDedup) Done(_ context.Context, eventID string, _ int64) error {
	m.mark(eventID, time.Now())
	return nil
}

func (m *memoryDedup) Abort(_ context.Context, eventID string, claim int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.events[eventID] == (dedupEvent{DedupClaimed, claim}) {
		delete(m.events, eventID)
	}
	return nil
}

// mark remembers an event as done at a time.
func (m *memoryDedup) mark(eventID string, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.events[eventID].state != DedupDone {
		m.events[eventID] = dedupEvent{state: DedupDone}
		m.marks = append(m.marks, dedupMark{eventID, at})
	}
	m.forget(at)
}

// forget drops the marks that are too old, or too many.
func (m *memoryDedup) forget(now time.Time) {
	for m.first < len(m.marks) {
		oldest := m.marks[m.first]
		if len(m.marks)-m.first <= m.maxEvents && now.Sub(oldest.at) <= m.maxAge {
			break
		}
		if periodOf(oldest.at) >= periodOf(now) { // It may have the number of an event of this period.
			m.issued.era++
		}
		delete(m.events, oldest.eventID)
		m.marks[m.first] = dedupMark{}
		m.first++
	}
	if m.first > len(m.marks)/2 { // Then a mark is moved once, on average.
		m.marks = append(m.marks[:0], m.marks[m.first:]...)
		m.first = 0
	}
}
