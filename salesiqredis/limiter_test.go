package salesiqredis

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/usage"
)

func TestCallCostsTwoRoundTrips(t *testing.T) {
	t.Parallel()
	w := dial(t, miniredis.RunT(t))
	l := join(t, w).Limiter()
	const calls = 20
	for range calls {
		acquire(t, l).Done(success(1000, 900))
	}
	assert.EqualValues(t, 2*calls, w.trips.Load())
}

func TestBusyProcessCostsNoMoreThanTwoRoundTrips(t *testing.T) {
	t.Parallel()
	w := dial(t, miniredis.RunT(t))
	l := join(t, w, WithMaxInFlight(2)).Limiter()
	acquire(t, l).Done(success(1000, 900))
	held := []salesiq.Lease{acquire(t, l), acquire(t, l)}
	granted := waitFor(t, l)
	listens(t, l.(*limiter)) // As it does while it is busy.
	for _, lease := range held {
		lease.Done(success(1000, 900))
	}
	(<-granted).Done(success(1000, 900))
	const calls = 200
	began, before := time.Now(), w.trips.Load()
	var callers sync.WaitGroup
	for range 10 {
		callers.Go(func() {
			for range calls / 10 {
				lease, err := l.Acquire(t.Context())
				if assert.NoError(t, err) {
					time.Sleep(2 * time.Millisecond)
					lease.Done(success(1000, 900))
				}
			}
		})
	}
	callers.Wait()
	silent := int64(time.Since(began) / firstQuiet) // Whoever hears nothing for so long asks.
	assert.LessOrEqual(t, w.trips.Load()-before, 2*calls+silent)
}

func TestSlotsAreTheOrganizations(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	here, there := join(t, dial(t, server)).Limiter(), join(t, dial(t, server)).Limiter()
	acquire(t, here).Done(success(1000, 900))
	var leases []salesiq.Lease
	for range 5 {
		leases = append(leases, acquire(t, here), acquire(t, there))
	}
	assert.True(t, blocked(t, here))
	assert.True(t, blocked(t, there))
	leases[0].Done(success(1000, 900))
	acquire(t, there)
}

func TestWindowIsTheOrganizations(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	here, there := join(t, dial(t, server)).Limiter(), join(t, dial(t, server), WithMaxWait(time.Second)).Limiter()
	acquire(t, here).Done(success(100, 1))
	acquire(t, here)
	_, err := there.Acquire(t.Context())
	require.ErrorIs(t, err, salesiq.ErrRateLimitExceeded)
	var e *salesiq.Error
	require.ErrorAs(t, err, &e)
	assert.InDelta(t, 50, time.Until(e.RetryAt).Seconds(), 3)
}

func TestFirstCallOfAWindowGoesAloneAmongAllProcesses(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	here, there := join(t, dial(t, server)).Limiter(), join(t, dial(t, server)).Limiter()
	first := acquire(t, here)
	assert.True(t, blocked(t, there))
	first.Done(success(100, 99))
	acquire(t, there)
}

func TestDayIsTheOrganizations(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	plan := WithPlan(salesiq.Plan{CallsPerDay: 2})
	here, there := join(t, dial(t, server), plan).Limiter(), join(t, dial(t, server), plan).Limiter()
	acquire(t, here).Done(success(100, 99))
	acquire(t, there).Done(success(100, 98))
	_, err := here.Acquire(t.Context())
	require.ErrorIs(t, err, salesiq.ErrDailyLimit)
	require.ErrorIs(t, err, salesiq.ErrRateLimitExceeded)
}

func TestSlotsOfADeadProcessComeBack(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	now := time.Now()
	server.SetTime(now)
	lease := WithLease(300 * time.Millisecond)
	killed := dial(t, server)
	dead, alive := join(t, killed, lease).Limiter(), join(t, dial(t, server), lease).Limiter()
	acquire(t, dead).Done(success(1000, 900))
	for range 10 {
		acquire(t, dead)
	}
	killed.deaf.Store(true)
	server.SetTime(now.Add(299 * time.Millisecond))
	assert.True(t, blocked(t, alive))
	server.SetTime(now.Add(301 * time.Millisecond))
	began := time.Now()
	acquire(t, alive)
	assert.Less(t, time.Since(began), patience, "as soon as Redis says so")
}

// Calls of a process whose callers are many wait no longer, and no shorter, than
// those of one that has few.
func TestWhoWaitsLongestGoesNextWhateverItsProcess(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	crowded, quiet := join(t, dial(t, server)).Limiter(), join(t, dial(t, server)).Limiter()
	acquire(t, crowded).Done(success(100_000, 90_000))
	var held []salesiq.Lease
	for range 10 {
		held = append(held, acquire(t, crowded))
	}
	const enough, crowd, few = 300, 40, 10
	var all atomic.Int64
	var callers sync.WaitGroup
	work := func(l salesiq.Limiter, n int) *atomic.Int64 {
		var calls atomic.Int64
		for range n {
			callers.Go(func() {
				for all.Load() < enough {
					lease, err := l.Acquire(t.Context())
					if !assert.NoError(t, err) {
						return
					}
					time.Sleep(20 * time.Millisecond)
					if all.Add(1) <= enough { // Those who stand in line by then do not count.
						calls.Add(1)
					}
					lease.Done(success(100_000, 90_000))
				}
			})
		}
		return &calls
	}
	here, there := work(crowded, crowd), work(quiet, few)
	require.Eventually(t, func() bool { return waiting(crowded) == crowd && waiting(quiet) == few }, patience, time.Millisecond)
	for _, l := range []salesiq.Limiter{crowded, quiet} {
		listens(t, l.(*limiter))
	}
	for _, lease := range held { // All are in line.
		lease.Done(success(100_000, 90_000))
	}
	callers.Wait()
	assert.InEpsilon(t, float64(here.Load())/crowd, float64(there.Load())/few, 0.3, "%d and %d calls", here.Load(), there.Load())
}

func TestDeadlineThatCannotBeMetFailsAtOnce(t *testing.T) {
	t.Parallel()
	o, _ := solo(t)
	l := o.Limiter()
	acquire(t, l).Done(success(100, 0))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	began := time.Now()
	_, err := l.Acquire(ctx)
	require.ErrorIs(t, err, salesiq.ErrRateLimitExceeded)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, time.Since(began), 2*time.Second)
}

func TestWhoStandsInLineIsRefusedWhenTheTurnComesTooLate(t *testing.T) {
	t.Parallel()
	o, _ := solo(t, WithPlan(salesiq.Plan{CallsPerMinute: 1}))
	l := o.Limiter()
	acquire(t, l).Done(success(100, 90))
	ctx, cancel := context.WithCancel(t.Context())
	var standing sync.WaitGroup
	defer standing.Wait()
	defer cancel()
	standing.Go(func() {
		_, err := l.Acquire(ctx)
		assert.ErrorIs(t, err, context.Canceled)
	})
	require.Eventually(t, func() bool { return waiting(l) == 1 }, patience, time.Millisecond)
	require.Eventually(t, func() bool { return l.(*limiter).outlook().at.After(time.Now()) }, patience, time.Millisecond)
	standing.Go(func() { // It goes two windows later.
		_, err := l.Acquire(ctx)
		assert.ErrorIs(t, err, context.Canceled)
	})
	require.Eventually(t, func() bool { return waiting(l) == 2 }, patience, time.Millisecond)
	_, err := l.Acquire(t.Context())
	assert.ErrorIs(t, err, salesiq.ErrRateLimitExceeded)
}

func TestCancelInLineLosesNothing(t *testing.T) {
	t.Parallel()
	o, _ := solo(t, WithMaxInFlight(1))
	l := o.Limiter()
	held := acquire(t, l)
	for range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		_, err := l.Acquire(ctx)
		require.Error(t, err)
		cancel()
	}
	held.Done(success(100, 99))
	acquire(t, l).Done(success(100, 98))
}

// A lease that is fetched for a caller who leaves at that moment goes back.
func TestLeaseForWhoHasLeftGoesBack(t *testing.T) {
	t.Parallel()
	w := dial(t, miniredis.RunT(t))
	l := join(t, w, WithMaxInFlight(1)).Limiter()
	acquire(t, l).Done(success(100, 99))
	w.delay.Store(int64(100 * time.Millisecond))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := l.Acquire(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	w.delay.Store(0)
	began := time.Now()
	acquire(t, l).Done(success(100, 98))
	assert.Less(t, time.Since(began), 5*time.Second, "not only when the lease ends")
}

// As when a connection breaks, or is given up, after the script was run.
func TestLeaseWhoseAnswerWasLostGoesBack(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	w := dial(t, server)
	l := join(t, w, WithMaxInFlight(1)).Limiter()
	acquire(t, l).Done(success(100, 99))
	w.lost.Store(true)
	alone := acquire(t, l)
	leases, err := server.ZMembers("salesiq:{acme}:leases")
	require.NoError(t, err)
	require.Len(t, leases, 1, "which nobody knows of")
	w.lost.Store(false)
	alone.Done(success(100, 98))
	comesBack(t, l)
}

func TestLeaseThatTheEndOfAnotherBroughtInVainGoesBack(t *testing.T) {
	t.Parallel()
	w := dial(t, miniredis.RunT(t))
	l := join(t, w, WithMaxInFlight(1)).Limiter()
	acquire(t, l).Done(success(100, 99))
	held := acquire(t, l)
	var waits sync.WaitGroup
	waits.Go(func() {
		lease, err := l.Acquire(t.Context())
		if assert.NoError(t, err) {
			lease.Done(success(100, 97))
		}
	})
	require.Eventually(t, func() bool { return waiting(l) == 1 }, patience, time.Millisecond)
	w.lost.Store(true)
	held.Done(success(100, 98))
	w.lost.Store(false)
	waits.Wait()
	comesBack(t, l)
}

// comesBack waits for Redis to grant a lease, sooner than others end by
// themselves.
func comesBack(t *testing.T, l salesiq.Limiter) {
	t.Helper()
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		lease, err := l.Acquire(ctx)
		if err != nil {
			return false
		}
		defer lease.Done(success(100, 90))
		_, shared := lease.(*sharedLease)
		return shared
	}, patience, 10*time.Millisecond)
}

func TestQuestionThatIsSentTwiceIsOne(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	w := dial(t, server)
	o := join(t, w)
	acquire(t, o.Limiter()).Done(success(100, 99))
	w.twice.Store(true)
	lease := acquire(t, o.Limiter())
	leases, err := server.ZMembers("salesiq:{acme}:leases")
	require.NoError(t, err)
	assert.Len(t, leases, 1)
	lease.Done(success(100, 98))
	assert.False(t, server.Exists("salesiq:{acme}:leases"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, _, err = o.TokenStore().Lock(ctx)
	assert.NoError(t, err, "it has the lock itself")
}

func TestClockThatIsSetBackHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	now := time.Now()
	server.SetTime(now)
	process := func() salesiq.Limiter { return join(t, dial(t, server), WithMaxWait(2*time.Second)).Limiter() }
	acquire(t, process()).Done(success(100, 0)) // The window is spent.
	now = now.Add(-time.Hour)                   // A replica takes over whose clock is wrong.
	server.SetTime(now)
	_, err := process().Acquire(t.Context())
	var e *salesiq.Error
	require.ErrorAs(t, err, &e)
	assert.Less(t, time.Until(e.RetryAt), time.Minute)
	server.SetTime(now.Add(time.Minute))
	acquire(t, process())
}

func TestDayThatIsLeftIsTheOrganizations(t *testing.T) {
	t.Parallel()
	service := salesiqtest.Start(t)
	server := miniredis.RunT(t)
	var monitors []*usage.Monitor
	var clients []*salesiq.Client
	for range 2 {
		o := join(t, dial(t, server), WithPlan(salesiq.Plan{CallsPerDay: 100}))
		monitor := usage.NewMonitor()
		clients = append(clients, service.Client(t, salesiq.WithLimiter(o.Limiter()), salesiq.WithTracer(monitor.Tracer())))
		monitors = append(monitors, monitor)
	}
	assert.Nil(t, monitors[0].Snapshot().CallsLeftToday, "nobody has asked yet")
	for range 3 {
		for _, client := range clients {
			_, err := client.Chats.List(t.Context(), nil)
			require.NoError(t, err)
		}
	}
	assert.Equal(t, 95, *monitors[0].Snapshot().CallsLeftToday)
	assert.Equal(t, 94, *monitors[1].Snapshot().CallsLeftToday)
	o := join(t, dial(t, server), WithPlan(salesiq.Plan{CallsPerDay: 100}))
	l := o.Limiter()
	acquire(t, l)
	day := l.(interface{ DailyQuota() salesiq.DailyQuota }).DailyQuota()
	assert.Equal(t, []int{100, 93}, []int{day.Limit, day.Left})
	midnight := time.Now().UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	assert.WithinDuration(t, midnight, day.Reset, 5*time.Second)
}

func TestEndsThatRedisDidNotHearAreToldLater(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	l := join(t, dial(t, server)).Limiter()
	acquire(t, l).Done(success(1000, 900))
	lost := acquire(t, l)
	server.SetError("LOADING")
	lost.Done(success(1000, 900))
	server.SetError("")
	leases, err := server.ZMembers("salesiq:{acme}:leases")
	require.NoError(t, err)
	require.Len(t, leases, 1)
	assert.Eventually(t, func() bool {
		acquire(t, l).Done(success(1000, 900))
		return !server.Exists("salesiq:{acme}:leases")
	}, patience, 20*time.Millisecond)
}

func TestCallsGoOnAloneWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	here, there := join(t, dial(t, server)).Limiter(), join(t, dial(t, server)).Limiter()
	acquire(t, here).Done(success(100, 99))
	acquire(t, there).Done(success(100, 98))
	acquire(t, here).Done(success(100, 97))
	server.Close()
	var leases []salesiq.Lease
	leases = append(leases, acquire(t, here))
	leases[0].Done(success(100, 96))
	for range 5 { // Half of ten.
		leases = append(leases, acquire(t, here))
	}
	assert.True(t, blocked(t, here), "the others have the rest")
	limits, _ := here.(*limiter).shareOf(here.(*limiter).outlook())
	assert.Equal(t, []int{50, 5}, []int{limits.PerMinute, limits.InFlight})
	for _, lease := range leases[1:] {
		lease.Done(success(100, 90))
	}

	require.NoError(t, server.Restart())
	assert.Eventually(t, func() bool {
		lease := acquire(t, here)
		defer lease.Done(success(100, 80))
		_, shared := lease.(*sharedLease)
		return shared
	}, patience, 10*time.Millisecond, "the shared state is taken up again")
}

func TestDayAloneGoesOnWhenTheShareChanges(t *testing.T) {
	t.Parallel()
	o, server := solo(t, WithPlan(salesiq.Plan{CallsPerDay: 12}), WithProcesses(2))
	server.Close()
	l := o.limiter
	left := func(processes int) int {
		l.mu.Lock()
		l.last = outlook{processes: processes}
		l.mu.Unlock()
		own, _, err := l.ownShare(time.Now())
		require.NoError(t, err)
		return own.(*salesiq.SharedLimiter).DailyQuota().Left
	}
	for range 5 {
		acquire(t, l).Done(success(100, 90))
	}
	assert.Equal(t, 1, left(2))
	assert.Equal(t, 7, left(1), "a larger share")
	assert.Zero(t, left(3), "one that is smaller than what was used")
	assert.Zero(t, left(4), "and a smaller one")
	assert.Equal(t, 1, left(2), "the one of before")
	acquire(t, l).Done(success(100, 89))
	assert.Zero(t, left(2))
	assert.Equal(t, 6, left(1))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	assert.Zero(t, left(2))
	_, err := l.Acquire(ctx)
	require.ErrorIs(t, err, salesiq.ErrDailyLimit)
}

func TestTimesThatRedisNamesAreOfTheWallClock(t *testing.T) {
	t.Parallel()
	o, _ := solo(t, WithPlan(salesiq.Plan{CallsPerDay: 1}))
	acquire(t, o.Limiter()).Done(success(100, 90))
	assert.NotContains(t, o.limiter.DailyQuota().Reset.String(), "m=")
	_, err := o.Limiter().Acquire(t.Context())
	refused, ok := errors.AsType[*salesiq.Error](err)
	require.True(t, ok, "%v", err)
	assert.NotContains(t, refused.RetryAt.String(), "m=")
	held := newWait(t.Context(), time.Hour)
	refused, _ = errors.AsType[*salesiq.Error](held.held(held.latest, false))
	assert.NotContains(t, refused.RetryAt.String(), "m=")
}

func TestCallsThatWaitAloneComeBackToRedis(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	l := join(t, dial(t, server), WithProcesses(10)).Limiter()
	server.Close()
	acquire(t, l) // The only one of a tenth of ten.
	result := make(chan error, 1)
	go func() {
		_, err := l.Acquire(t.Context())
		result <- err
	}()
	select {
	case err := <-result:
		t.Fatal("it did not wait", err)
	case <-time.After(100 * time.Millisecond):
	}
	require.NoError(t, server.Restart())
	select {
	case err := <-result:
		assert.NoError(t, err)
	case <-time.After(patience):
		t.Fatal("it waits for its own process still")
	}
}

func TestSilentRedisCostsOneTimeout(t *testing.T) {
	t.Parallel()
	const timeout = time.Second
	l := join(t, deaf(t), WithTimeout(timeout)).Limiter()
	began := time.Now()
	for range 20 {
		acquire(t, l).Done(success(100, 99))
	}
	took := time.Since(began)
	assert.GreaterOrEqual(t, took, timeout)
	assert.Less(t, took, 2*timeout)
}

func TestRefusePolicyRefuses(t *testing.T) {
	t.Parallel()
	o, server := solo(t, WithLimiterAway(Refuse))
	server.Close()
	_, err := o.Limiter().Acquire(t.Context())
	assert.ErrorIs(t, err, ErrAway)
}

func TestCanceledCallerSaysNothingAboutRedis(t *testing.T) {
	t.Parallel()
	w := dial(t, miniredis.RunT(t))
	l := join(t, w).Limiter()
	w.delay.Store(int64(50 * time.Millisecond))
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("reason")
	time.AfterFunc(10*time.Millisecond, func() { cancel(reason) })
	_, err := l.Acquire(ctx)
	require.ErrorIs(t, err, reason)
	assert.Nil(t, l.(*limiter).link.away())
	w.delay.Store(0)
	acquire(t, l)
}

// waiting returns how many calls wait, as Redis knows them.
func waiting(l salesiq.Limiter) (n int) {
	own := l.(*limiter)
	own.mu.Lock()
	defer own.mu.Unlock()
	for _, w := range own.line {
		if w.since > 0 {
			n++
		}
	}
	return n
}
