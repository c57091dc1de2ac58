package salesiqbolt

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/webhook"
	"github.com/salesiq-go/salesiq/webhook/webhooktest"
)

func TestDedupStoreKeepsWhatTheInterfacePromises(t *testing.T) {
	t.Parallel()
	webhooktest.TestDedupStore(t, func(t *testing.T) webhook.DedupStore { return openNew(t).DedupStore() })
}

func TestStoreKnowsAfterARestart(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	f := openAt(t, path)
	store := f.DedupStore()
	begin(t, store, "done")
	require.NoError(t, store.Done(t.Context(), "done", 1))
	begin(t, store, "claimed")
	require.NoError(t, f.Close())
	store = openAt(t, path).DedupStore()
	assert.Equal(t, webhook.DedupDone, begin(t, store, "done"))
	assert.Equal(t, webhook.DedupFree, begin(t, store, "claimed"), "nobody is at work on it any more")
}

func TestStoresOfAFileAreOne(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	assert.Equal(t, webhook.DedupFree, begin(t, f.DedupStore(), "a"))
	assert.Equal(t, webhook.DedupClaimed, begin(t, f.DedupStore(), "a"))
	event := newEvent(t, 1)
	id := event.Info().EventID
	assert.Equal(t, webhook.DedupFree, begin(t, f.DedupStore(), id))
	require.NoError(t, inboxOf(t, f).Enqueue(t.Context(), event))
	assert.Equal(t, webhook.DedupDone, begin(t, f.DedupStore(), id), "the inbox has it")
}

// The commit that puts an event into the inbox is the only one.
func TestEventInTheInboxNeedsNoCommitOfItsMark(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	event := newEvent(t, 1)
	id := event.Info().EventID
	begin(t, f.DedupStore(), id)
	require.NoError(t, inboxOf(t, f).Enqueue(t.Context(), event))
	before := writes(f)
	require.NoError(t, f.DedupStore().Done(t.Context(), id, 1))
	assert.Equal(t, before, writes(f))
	assert.Equal(t, webhook.DedupDone, begin(t, f.DedupStore(), id))
}

func TestHandledEventsAreForgottenInTheEnd(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	f := openAt(t, path, WithMaxEvents(10))
	store := f.DedupStore()
	for n := range 30 {
		begin(t, store, fmt.Sprint(n))
		require.NoError(t, store.Done(t.Context(), fmt.Sprint(n), 1))
	}
	assert.Equal(t, webhook.DedupFree, begin(t, store, "19"), "there are ten newer ones")
	assert.Equal(t, webhook.DedupDone, begin(t, store, "20"))
	assert.Equal(t, 10, f.index.now().remembered)
	require.NoError(t, f.Close())

	f = openAt(t, path, WithMaxAge(100*time.Millisecond))
	store = f.DedupStore()
	time.Sleep(110 * time.Millisecond)
	assert.Equal(t, webhook.DedupFree, begin(t, store, "29"), "it is too old")
	require.NoError(t, store.Done(t.Context(), "29", 1))
	assert.Equal(t, webhook.DedupDone, begin(t, store, "29"), "it is new again")
	assert.Equal(t, 1, f.index.now().remembered, "what is too old takes no room")
}

// What a commit has marked is remembered as long as any of it must be.
func TestAsManyHandledEventsAreRememberedAsAskedFor(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	f := openAt(t, path, WithMaxEvents(10))
	mark := func(from, to int) {
		doChange(t, f, func(c *change) error {
			for n := range to - from {
				c.markHandled(fingerprintOf(fmt.Sprint(from + n)))
			}
			return nil
		})
	}
	assertKnown := func(from, to int) {
		t.Helper()
		for n := range to {
			assert.Equal(t, n >= from, f.knows(fingerprintOf(fmt.Sprint(n))), n)
		}
		assert.Equal(t, to-from, f.index.now().remembered)
	}
	mark(0, 25)
	assertKnown(0, 25)
	mark(25, 34)
	assertKnown(0, 34)
	mark(34, 35)
	assertKnown(25, 35)
	mark(0, 1)
	assert.True(t, f.knows(fingerprintOf("0")), "it was handled again")
	require.NoError(t, f.Close())
	f = openAt(t, path, WithMaxEvents(1))
	assert.True(t, f.knows(fingerprintOf("34")))
	mark(35, 36)
	assertKnown(35, 36)
}

func TestIDThatIsNoKeyIsRefused(t *testing.T) {
	t.Parallel()
	store := openNew(t).DedupStore()
	for _, id := range []string{"", strings.Repeat("i", maxID+1)} {
		_, err := store.Begin(t.Context(), id, 1)
		assertRefuses(t, "event ID", err)
		assertRefuses(t, "event ID", store.Done(t.Context(), id, 1))
	}
	long := strings.Repeat("i", 1024)
	assert.Equal(t, webhook.DedupFree, begin(t, store, long))
	require.NoError(t, store.Done(t.Context(), long, 1))
}

// writes returns how many pages were written.
func writes(f *File) int64 {
	stats := f.db.Stats()
	return stats.TxStats.GetWrite()
}

// claimsOf returns how many events are claimed.
func claimsOf(f *File) int {
	f.claims.mu.Lock()
	defer f.claims.mu.Unlock()
	return len(f.claims.states)
}

// A claim that is left behind would take memory, and hold its event up once the mark is
// forgotten.
func TestClaimEndsWithItsEvent(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	store := f.DedupStore()
	event := newEvent(t, 1)
	id := event.Info().EventID
	for name, end := range map[string]func() error{
		"done":    func() error { return store.Done(t.Context(), "done", 1) },
		"aborted": func() error { return store.Abort(t.Context(), "aborted", 1) },
		id: func() error {
			return errors.Join(inboxOf(t, f).Enqueue(t.Context(), event), store.Done(t.Context(), id, 1))
		},
		"done, though": func() error {
			return errors.Join(store.Done(t.Context(), "done, though", 1), store.Abort(t.Context(), "done, though", 1))
		},
	} {
		assert.Equal(t, webhook.DedupFree, begin(t, store, name), name)
		assert.Equal(t, 1, claimsOf(f), name)
		require.NoError(t, end(), name)
		assert.Zero(t, claimsOf(f), name)
		if name != "aborted" {
			assert.Equal(t, webhook.DedupDone, begin(t, store, name), name)
			assert.Zero(t, claimsOf(f), name)
		}
	}
	assert.Equal(t, webhook.DedupFree, begin(t, store, "theirs"))
	require.NoError(t, store.Abort(t.Context(), "theirs", 2))
	assert.Equal(t, 1, claimsOf(f), "a claim is ended by who has it")
}

func TestBeginThatFailsClaimsNothing(t *testing.T) {
	t.Parallel()
	skipOnWindows(t, "an open file cannot be moved there")
	path := newPath(t)
	f := openAt(t, path)
	store := f.DedupStore()
	begin(t, store, "claimed")
	require.NoError(t, os.Rename(path, path+".away"))
	for _, id := range []string{"free", "claimed"} {
		_, err := store.Begin(t.Context(), id, 2)
		require.ErrorIs(t, err, ErrGone)
	}
	require.NoError(t, os.Rename(path+".away", path))
	assert.Equal(t, webhook.DedupFree, begin(t, store, "free"))
	assert.Equal(t, webhook.DedupClaimed, begin(t, store, "claimed"))
}

func TestEventIsMarkedOnce(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	release := holdCommits(t, f)
	var marking sync.WaitGroup
	for range 5 {
		marking.Go(func() { assert.NoError(t, f.DedupStore().Done(t.Context(), "a", 1)) })
	}
	eventually(t, func() bool {
		f.commits.mu.Lock()
		defer f.commits.mu.Unlock()
		return len(f.commits.queue) == 1 && len(f.commits.queue[0].jobs) == 5
	}, "all wait for the same commit")
	release()
	marking.Wait()
	assert.Equal(t, 1, f.index.now().remembered)
}

// It is not more at once, so that no commit takes long.
func TestOldMarksAreForgottenOverSeveralCommits(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	doChange(t, f, func(c *change) error {
		for n := range 2500 {
			c.records = append(c.records, record{key: uint64(n), at: 1, events: make([]fingerprint, 2)})
		}
		c.remembered = 5000
		return nil
	})
	for _, left := range []int{1500, 500, 0, 0} {
		p := f.index.now()
		assert.Len(t, p.records, left)
		assert.Equal(t, 2*left, p.remembered)
		doChange(t, f, func(*change) error { return nil })
	}
}
