package salesiqredis

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
)

// listens waits until a process is told of its leases.
func listens(t *testing.T, l *limiter) {
	t.Helper()
	require.Eventually(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.watch.listens
	}, patience, time.Millisecond)
}

// waitFor has a call wait, and returns what becomes of it.
func waitFor(t *testing.T, l salesiq.Limiter) <-chan salesiq.Lease {
	t.Helper()
	before := waiting(l)
	granted := make(chan salesiq.Lease, 1)
	go func() {
		lease, err := l.Acquire(t.Context())
		if t.Context().Err() == nil && assert.NoError(t, err) {
			granted <- lease
		}
	}()
	require.Eventually(t, func() bool { return waiting(l) == before+1 }, patience, time.Millisecond)
	return granted
}

func TestCallThatWaitsIsToldWithoutAsking(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	near, far := dial(t, server), dial(t, server)
	here, there := join(t, near, WithMaxInFlight(1)).Limiter(), join(t, far, WithMaxInFlight(1)).Limiter()
	acquire(t, here).Done(success(1000, 900))
	held := acquire(t, here)
	granted := waitFor(t, there)
	listens(t, there.(*limiter))
	asked := far.trips.Load()
	time.Sleep(300 * time.Millisecond)
	held.Done(success(1000, 900))
	(<-granted).Done(success(1000, 900))
	assert.LessOrEqual(t, far.trips.Load()-asked, int64(1), "the end of its own call")
}

func TestCallsOfAllProcessesAreServedInTheOrderOfComing(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	var all []salesiq.Limiter
	for range 3 {
		all = append(all, join(t, dial(t, server), WithMaxInFlight(1)).Limiter())
	}
	acquire(t, all[0]).Done(success(1000, 900))
	held := acquire(t, all[0])
	var came []<-chan salesiq.Lease
	for _, i := range []int{0, 2, 0, 1, 1, 0, 2} {
		came = append(came, waitFor(t, all[i]))
	}
	for _, l := range all {
		listens(t, l.(*limiter))
	}
	for i, next := range came {
		held.Done(success(1000, 900))
		held = <-next
		for _, later := range came[i+1:] {
			assert.Empty(t, later)
		}
	}
	held.Done(success(1000, 900))
}

func TestPlaceInLineOutlastsItsTicket(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	one := func() salesiq.Limiter { return join(t, dial(t, server), WithMaxInFlight(1)).Limiter() }
	holder, first, second := one(), one(), one()
	acquire(t, holder).Done(success(1000, 900))
	held := acquire(t, holder)
	early := waitFor(t, first)
	late := waitFor(t, second)
	server.Del("salesiq:{acme}:line") // As when a replica takes over that lacks it.
	var order sync.WaitGroup
	order.Go(func() {
		lease := <-early
		select {
		case <-late:
			assert.Fail(t, "who came later was first")
		default:
		}
		lease.Done(success(1000, 900))
	})
	require.Eventually(t, func() bool { n, err := server.ZMembers("salesiq:{acme}:line"); return err == nil && len(n) == 2 }, patience, time.Millisecond)
	held.Done(success(1000, 900))
	order.Wait()
	(<-late).Done(success(1000, 900))
}

func TestProcessThatEndsInLineHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	dead, alive := join(t, dial(t, server), WithMaxInFlight(1)), join(t, dial(t, server), WithMaxInFlight(1))
	acquire(t, alive.Limiter()).Done(success(1000, 900))
	held := acquire(t, alive.Limiter())
	for range 50 {
		w := dead.limiter.join(newWait(t.Context(), time.Minute))
		require.NoError(t, dead.limiter.exchange(t.Context(), nil, w.question(time.Now())))
	}
	time.Sleep(600 * time.Millisecond) // Since it does not ask any more.
	granted := waitFor(t, alive.Limiter())
	held.Done(success(1000, 900))
	(<-granted).Done(success(1000, 900))
	assert.False(t, server.Exists("salesiq:{acme}:line"))
}

// Each key of the account ends by itself, also one that was gone in the meantime.
func TestAccountEndsWhenNobodyCalls(t *testing.T) {
	t.Parallel()
	o, server := solo(t, WithMaxInFlight(1))
	names := []string{"quota", "leases", "processes", "line", "recent"}
	for range 2 {
		acquire(t, o.Limiter()).Done(success(1000, 900))
		held := acquire(t, o.Limiter())
		granted := waitFor(t, o.Limiter())
		for _, key := range o.keys(names...) {
			assert.True(t, server.Exists(key), key)
			assert.Greater(t, server.TTL(key), 24*time.Hour, key)
		}
		held.Done(success(1000, 900))
		(<-granted).Done(success(1000, 900))
		for _, key := range o.keys(names[1:]...) {
			server.Del(key)
		}
	}
	server.FastForward(49 * time.Hour)
	assert.Empty(t, server.Keys())
}

// A month of processes that come and go, most of them without a word.
func TestNothingGrows(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	now := time.Now()
	server.SetTime(now)
	w := dial(t, server)
	var sizes []int
	for day := range 30 {
		for n := range 12 {
			o := join(t, w, WithMaxInFlight(4), WithMaxWait(time.Minute))
			aDayOfAProcess(t, o, day*100+n)
			now = now.Add(2 * time.Hour)
			server.SetTime(now)
			server.FastForward(2 * time.Hour)
		}
		sizes = append(sizes, len(server.Dump()))
	}
	assert.LessOrEqual(t, sizes[29], sizes[4]*11/10, "%d", sizes)
}

func aDayOfAProcess(t *testing.T, o *Organization, n int) {
	t.Helper()
	for range 3 { // It is killed with calls under way and in line.
		l := o.limiter
		call := l.join(newWait(t.Context(), time.Minute))
		require.NoError(t, l.exchange(t.Context(), nil, call.question(time.Now())))
	}
	store := o.TokenStore()
	locked, _, err := store.Lock(t.Context())
	require.NoError(t, err)
	require.NoError(t, locked.Save(t.Context(), fmt.Appendf(nil, "token %4d", n)))
	begin(t, o.DedupStore(), fmt.Sprintf("event %4d", n), 1)
	sink := sinkOf(t, o, WithMaxTries(1), WithDeadLetterBytes(2000), WithHandlerTimeout(time.Minute))
	require.NoError(t, sink.Enqueue(t.Context(), newEvent(t, 1000+n)))
	_, _, err = sink.take(t.Context(), 10, "0-0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, sink.Run(ctx, new(tape).handle), context.Canceled)
	assert.NoError(t, o.Check(t.Context()))
}

// A stall of Redis is waited out, also by calls that the share of one process
// would have refused.
func TestSpentShareWaitsForRedis(t *testing.T) {
	t.Parallel()
	w := dial(t, miniredis.RunT(t))
	l := join(t, w, WithPlan(salesiq.Plan{CallsPerMinute: 1}), WithProcesses(1), WithMaxWait(20*time.Second)).Limiter()
	w.deaf.Store(true)
	acquire(t, l).Done(success(100, 99)) // All of its share.
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	time.AfterFunc(time.Second, func() { w.deaf.Store(false) })
	lease, err := l.Acquire(ctx)
	require.NoError(t, err)
	assert.IsType(t, &sharedLease{}, lease)
	lease.Done(success(100, 98))
}

func TestSharesInExileAddUpToTheLimits(t *testing.T) {
	t.Parallel()
	for _, processes := range []int{1, 3, 10, 11, 99, 500} {
		most := limits{PerMinute: 100, InFlight: 10}
		now := time.Now()
		for range 40 {
			var sum limits
			for rank := range processes {
				l := &limiter{config: &config{maxInFlight: most.InFlight, lease: 45 * time.Second}}
				l.last = outlook{processes: processes, size: most.PerMinute, rank: rank}
				part, groups := l.shareOf(l.last)
				if !l.turn(now, groups).After(now) {
					sum.PerMinute, sum.InFlight = sum.PerMinute+part.PerMinute, sum.InFlight+part.InFlight
				}
			}
			assert.LessOrEqual(t, sum.InFlight, most.InFlight, "%d processes", processes)
			assert.LessOrEqual(t, sum.PerMinute, most.PerMinute, "%d processes", processes)
			now = now.Add(17 * time.Second)
		}
	}
}

func TestEveryProcessHasItsTurnInExile(t *testing.T) {
	t.Parallel()
	l := &limiter{config: &config{maxInFlight: 10, lease: 45 * time.Second}}
	l.last = outlook{processes: 30, size: 100, rank: 17}
	_, groups := l.shareOf(l.last)
	now := time.Now()
	turn := l.turn(now, groups)
	assert.Less(t, turn.Sub(now), time.Duration(groups)*90*time.Second)
	assert.False(t, l.turn(turn, groups).After(turn))
}

func TestProcessesKnowTheirPlaces(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	var all []*limiter
	for range 12 {
		o := join(t, dial(t, server))
		acquire(t, o.Limiter()).Done(success(1000, 900))
		all = append(all, o.limiter)
	}
	ranks := map[int]bool{}
	for _, l := range all {
		acquire(t, l).Done(success(1000, 900))
		acquire(t, l).Done(success(1000, 900))
		ranks[l.outlook().rank] = true
	}
	assert.Len(t, ranks, 12)
}
