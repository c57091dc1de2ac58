package salesiqbolt

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/webhook"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// openAt opens a file until the end of the test. What power loss would cost is not
// what tests see.
func openAt(t testing.TB, path string, opts ...Option) *File {
	t.Helper()
	f, err := Open(path, append([]Option{WithSync(SyncNever), WithOpenWait(0)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() }) //nolint:errcheck // Those that matter are closed before.
	return f
}

func newPath(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "events.db")
}

func openNew(t testing.TB, opts ...Option) *File {
	t.Helper()
	return openAt(t, newPath(t), opts...)
}

func inboxOf(t testing.TB, f *File, opts ...InboxOption) *Inbox {
	t.Helper()
	i, err := f.Inbox(opts...)
	require.NoError(t, err)
	return i
}

// newEvent returns an event that differs from others by its number.
func newEvent(t testing.TB, n int) webhook.Event {
	t.Helper()
	event, err := webhook.Parse(eventBody(n))
	require.NoError(t, err)
	return event
}

func eventBody(n int) []byte {
	return fmt.Appendf(nil, `{"event":"chat.rating","timestamp":"2026-03-05T09:41:07.250Z","data":{"chat_id":"chat%d","rating":4}}`, n)
}

func enqueue(t testing.TB, i *Inbox, from, to int) {
	t.Helper()
	var running sync.WaitGroup
	for n := from; n < to; n++ {
		event := newEvent(t, n)
		running.Go(func() { assert.NoError(t, i.Enqueue(t.Context(), event)) })
	}
	running.Wait()
}

// tape records what handlers are given.
type tape struct {
	mu      sync.Mutex
	handled map[string]int // How often, by chat.
}

func (p *tape) handle(_ context.Context, event webhook.Event) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.handled == nil {
		p.handled = map[string]int{}
	}
	p.handled[event.(*webhook.ChatRated).ChatID]++
	return nil
}

func (p *tape) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.handled)
}

func (p *tape) times(chat string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.handled[chat]
}

// run works an inbox off until the test, or stop, ends it.
func run(t testing.TB, i *Inbox, handle Handler) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { assert.ErrorIs(t, i.Run(ctx, handle), context.Canceled) })
	stop = func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(stop)
	return stop
}

// take gets entries to handle, for so many workers.
func (i *Inbox) take(workers int) (entries []Entry, next time.Time, err error) {
	return i.takeFor(func() int { return workers })
}

// onlyError returns the error of a list that has nothing else.
// doChange makes a change, and waits for its commit.
func doChange(t testing.TB, f *File, apply func(*change) error, why ...any) {
	t.Helper()
	require.NoError(t, f.do(t.Context(), &job{apply: apply}), why...)
}

func onlyError(t testing.TB, list iter.Seq2[Entry, error]) error {
	t.Helper()
	var errs []error
	for _, err := range list {
		errs = append(errs, err)
	}
	require.Len(t, errs, 1)
	return errs[0]
}

func eventually(t testing.TB, condition func() bool, what string) {
	t.Helper()
	require.Eventually(t, condition, patience, time.Millisecond, what)
}

func begin(t testing.TB, store webhook.DedupStore, id string) webhook.DedupState {
	t.Helper()
	state, err := store.Begin(t.Context(), id, 1)
	require.NoError(t, err)
	return state
}

func stats(t testing.TB, i *Inbox) Stats {
	t.Helper()
	s, err := i.Stats()
	require.NoError(t, err)
	return s
}
