package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/webhook"
)

func begin(t *testing.T, store webhook.DedupStore, id string) webhook.DedupState {
	t.Helper()
	state, err := store.Begin(t.Context(), id)
	require.NoError(t, err)
	return state
}

func handled(t *testing.T, store webhook.DedupStore, id string) {
	t.Helper()
	begin(t, store, id)
	require.NoError(t, store.Done(t.Context(), id))
}

func fileStore(t *testing.T, path string) *webhook.FileDedupStore {
	t.Helper()
	store, err := webhook.OpenFileDedupStore(path)
	require.NoError(t, err)
	return store
}

func TestAnEventIsFreeClaimedOrDone(t *testing.T) {
	t.Parallel()
	file := fileStore(t, filepath.Join(t.TempDir(), "events"))
	defer func() { require.NoError(t, file.Close()) }()
	for name, store := range map[string]webhook.DedupStore{
		"memory": testkit.Must(webhook.NewMemoryDedupStore(10, time.Hour)), "file": file,
	} {
		assert.Equal(t, webhook.DedupFree, begin(t, store, "a"), name)
		assert.Equal(t, webhook.DedupClaimed, begin(t, store, "a"), name)
		require.NoError(t, store.Abort(t.Context(), "a"))
		assert.Equal(t, webhook.DedupFree, begin(t, store, "a"), name)
		require.NoError(t, store.Done(t.Context(), "a"))
		assert.Equal(t, webhook.DedupDone, begin(t, store, "a"), name)
		require.NoError(t, store.Abort(t.Context(), "a"))
		assert.Equal(t, webhook.DedupDone, begin(t, store, "a"), "%s: what is done stays done", name)
		assert.Equal(t, webhook.DedupFree, begin(t, store, "b"), name)
	}
}

// W15.
func TestTheMemoryOfEventsIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := testkit.Must(webhook.NewMemoryDedupStore(100, time.Hour))
		for n := range 1000 {
			handled(t, store, strconv.Itoa(n))
		}
		for n := 900; n < 1000; n++ {
			assert.Equal(t, webhook.DedupDone, begin(t, store, strconv.Itoa(n)), n)
		}
		assert.Equal(t, webhook.DedupFree, begin(t, store, "899"), "there are newer ones")
		time.Sleep(time.Hour)
		assert.Equal(t, webhook.DedupDone, begin(t, store, "999"))
		time.Sleep(time.Nanosecond)
		assert.Equal(t, webhook.DedupFree, begin(t, store, "999"), "it is too old")
	})
}

// W15: nothing is kept of what is forgotten.
func TestForgottenEventsTakeNoMemory(t *testing.T) { // It measures the heap.
	store := testkit.Must(webhook.NewMemoryDedupStore(1000, time.Hour))
	fill := func(from, to int) uint64 {
		for n := from; n < to; n++ {
			handled(t, store, fmt.Sprintf("%0100d", n))
		}
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before := fill(0, 10_000)
	after := fill(10_000, 110_000)
	assert.Less(t, after, before+2<<20)
	assert.Equal(t, webhook.DedupDone, begin(t, store, fmt.Sprintf("%0100d", 109_999)))
}

func TestTheFileStoreKnowsAfterARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events")
	store := fileStore(t, path)
	handled(t, store, "done")
	begin(t, store, "claimed")
	// It is not closed: the process was killed.
	again := fileStore(t, path)
	assert.Equal(t, webhook.DedupDone, begin(t, again, "done"))
	assert.Equal(t, webhook.DedupFree, begin(t, again, "claimed"), "nobody is at work on it any more")
	require.NoError(t, again.Close())
	require.NoError(t, store.Close())
	require.Error(t, again.Done(t.Context(), "late"))
}

func TestTheFileStoreOutlivesACutLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events")
	store := fileStore(t, path)
	handled(t, store, "whole")
	handled(t, store, "cut")
	require.NoError(t, store.Close())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append([]byte("no mark\n"), content[:len(content)-2]...), 0o600))
	again := fileStore(t, path)
	assert.Equal(t, webhook.DedupDone, begin(t, again, "whole"))
	handled(t, again, "new")
	require.NoError(t, again.Close())
	last := fileStore(t, path)
	defer func() { require.NoError(t, last.Close()) }()
	assert.Equal(t, webhook.DedupDone, begin(t, last, "new"))
}

// A clock that was wrong for a while does not make the other marks old.
func TestAMarkFromTheFutureDropsNoOther(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events")
	now := time.Now()
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, "%d before\n%d future\n%d after\n",
		now.Add(-time.Hour).Unix(), now.Add(1000*time.Hour).Unix(), now.Unix()), 0o600))
	for range 2 {
		store := fileStore(t, path)
		for _, id := range []string{"before", "future", "after"} {
			assert.Equal(t, webhook.DedupDone, begin(t, store, id), id)
		}
		require.NoError(t, store.Close())
	}
}

// A damaged byte costs the mark that it is in, or the two marks that it separated.
func TestADamagedByteLosesNoOtherMark(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events")
	ids := []string{"first", "second", "third"}
	var whole []byte
	for i, id := range ids {
		whole = fmt.Appendf(whole, "%d %s\n", time.Now().Unix()+int64(i)-10, id)
	}
	for at, right := range whole {
		for _, wrong := range []byte("\x00 \n09z\xff") {
			damaged := slices.Clone(whole)
			damaged[at] = wrong
			require.NoError(t, os.WriteFile(path, damaged, 0o600))
			store := fileStore(t, path)
			lost := 0
			for _, id := range ids {
				if begin(t, store, id) != webhook.DedupDone {
					lost++
				}
			}
			require.NoError(t, store.Close())
			most := 1
			if right == '\n' {
				most = 2
			}
			assert.LessOrEqual(t, lost, most, "%q", damaged)
		}
	}
}

// Two processes that know nothing of each other would handle events twice.
func TestTheLastToOpenTheFileStoreHasIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events")
	old := fileStore(t, path)
	handled(t, old, "done")
	current := fileStore(t, path)
	_, err := old.Begin(t.Context(), "next")
	require.Error(t, err)
	assert.Equal(t, webhook.DedupFree, begin(t, current, "next"))
	assert.Equal(t, webhook.DedupDone, begin(t, current, "done"))
	require.NoError(t, errors.Join(old.Close(), current.Close()))
}

// A mark could not be written any more, and the event would be handled again after
// a restart.
func TestAClosedFileStoreTakesNoEvent(t *testing.T) {
	t.Parallel()
	store := fileStore(t, filepath.Join(t.TempDir(), "events"))
	require.NoError(t, store.Close())
	_, err := store.Begin(t.Context(), "late")
	require.Error(t, err)
}

func TestTheFileStoreDropsWhatIsTooOld(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events")
	old, recent := time.Now().Add(-48*time.Hour).Unix(), time.Now().Add(-time.Hour).Unix()
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, "%d old\n%d recent\n", old, recent), 0o600))
	store := fileStore(t, path)
	defer func() { require.NoError(t, store.Close()) }()
	assert.Equal(t, webhook.DedupFree, begin(t, store, "old"))
	assert.Equal(t, webhook.DedupDone, begin(t, store, "recent"))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(string(content), "\n"))
}

func TestAFileStoreThatCannotBeOpenedSaysSo(t *testing.T) {
	t.Parallel()
	_, err := webhook.OpenFileDedupStore(filepath.Join(t.TempDir(), "missing", "events"))
	require.Error(t, err)
	_, err = webhook.OpenFileDedupStore(t.TempDir())
	require.Error(t, err)
}

// eventMill is the business that events are handled for. It outlives restarts.
type eventMill struct {
	mu       sync.Mutex
	random   *rand.Rand
	handled  map[string]int
	failures int
	panics   int
}

func (m *eventMill) handle(_ context.Context, e *webhook.ChatRated) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch m.random.IntN(20) {
	case 0:
		m.failures++
		return errors.New("not today")
	case 1:
		m.panics++
		panic("not today")
	}
	m.handled[e.ChatID]++
	return nil
}

// The service delivers 10,000 times, in any order, some events more than once
// and several at a time, and again what was not taken; handlers fail at random,
// and the receiver is started anew twice, from what is on disk.
func TestTenThousandDeliveriesLoseNoneAndHandleNoneTwice(t *testing.T) {
	t.Parallel()
	const deliveries, events, restarts, workers = 10_000, 7_000, 2, 8
	mill := &eventMill{random: rand.New(rand.NewPCG(3, 7)), handled: map[string]int{}}
	random := rand.New(rand.NewPCG(11, 13))
	queue := make([][]byte, 0, deliveries)
	for n := range events {
		queue = append(queue, ratedBody(fmt.Sprint("chat", n)))
	}
	for range deliveries - events {
		queue = append(queue, queue[random.IntN(events)])
	}
	random.Shuffle(len(queue), func(i, j int) { queue[i], queue[j] = queue[j], queue[i] })

	path := filepath.Join(t.TempDir(), "events")
	requests := 0
	for life := range restarts + 1 {
		store := fileStore(t, path) // Nobody closes it: the process is killed.
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret)), webhook.WithDedupStore(store)))
		webhook.On(receiver, mill.handle)
		for len(queue) > 0 {
			share := len(queue)
			if life < restarts {
				share /= 2
			}
			requests += share
			// What was not taken comes again, to the next process if there is one.
			queue = append(deliverAll(t, receiver, queue[:share], workers), queue[share:]...)
			if life < restarts {
				break
			}
		}
	}

	lost, twice := 0, 0
	for n := range events {
		switch count := mill.handled[fmt.Sprint("chat", n)]; {
		case count == 0:
			lost++
		case count > 1:
			twice++
		}
	}
	t.Logf("%d deliveries of %d events and %d requests in all, %d restarts, %d errors and %d panics of handlers: %d lost, %d handled twice",
		deliveries, events, requests, restarts, mill.failures, mill.panics, lost, twice)
	assert.Zero(t, lost)
	assert.Zero(t, twice)
	assert.NotZero(t, mill.failures)
	assert.NotZero(t, mill.panics)
}

// deliverAll delivers each body once, several at a time, and returns those that
// were not taken.
func deliverAll(t *testing.T, receiver http.Handler, bodies [][]byte, workers int) (left [][]byte) {
	work := make(chan []byte)
	var mu sync.Mutex
	var pool sync.WaitGroup
	for range workers {
		pool.Go(func() {
			for body := range work {
				if post(t, receiver, body).Code != http.StatusOK {
					mu.Lock()
					left = append(left, body)
					mu.Unlock()
				}
			}
		})
	}
	for _, body := range bodies {
		work <- body
	}
	close(work)
	pool.Wait()
	return left
}
