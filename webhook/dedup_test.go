package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strconv"
	"sync"
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

func begin(t *testing.T, store webhook.DedupStore, id string) webhook.DedupState {
	t.Helper()
	state, err := store.Begin(t.Context(), id, 1)
	require.NoError(t, err)
	return state
}

func handled(t *testing.T, store webhook.DedupStore, id string) {
	t.Helper()
	begin(t, store, id)
	require.NoError(t, store.Done(t.Context(), id, 1))
}

func TestAnEventIsFreeClaimedOrDone(t *testing.T) {
	t.Parallel()
	store := testkit.Must(webhook.NewMemoryDedupStore(10, time.Hour))
	assert.Equal(t, webhook.DedupFree, begin(t, store, "a"))
	assert.Equal(t, webhook.DedupClaimed, begin(t, store, "a"))
	require.NoError(t, store.Abort(t.Context(), "a", 1))
	assert.Equal(t, webhook.DedupFree, begin(t, store, "a"))
	require.NoError(t, store.Done(t.Context(), "a", 1))
	assert.Equal(t, webhook.DedupDone, begin(t, store, "a"))
	require.NoError(t, store.Abort(t.Context(), "a", 1))
	assert.Equal(t, webhook.DedupDone, begin(t, store, "a"), "what is done stays done")
	assert.Equal(t, webhook.DedupFree, begin(t, store, "b"))
}

func TestTheMemoryStoreKeepsWhatTheInterfacePromises(t *testing.T) {
	t.Parallel()
	webhooktest.TestDedupStore(t, func(*testing.T) webhook.DedupStore {
		return testkit.Must(webhook.NewMemoryDedupStore(1000, time.Hour))
	})
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
// and the receiver is made anew twice, over the same store.
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

	store := testkit.Must(webhook.NewMemoryDedupStore(deliveries, time.Hour))
	requests := 0
	for life := range restarts + 1 {
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
