package transport_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/quota"
	"github.com/salesiq-go/salesiq/internal/transport"
)

const maxWait = 2 * time.Minute

func newQueue(l quota.Limits) *transport.Queue {
	return transport.NewQueue(transport.QueueConfig{Limits: l, MaxWait: maxWait})
}

// rateHeaders is what an answer says that is given now. The window ends after
// in, by a clock that is ahead by skew.
func rateHeaders(limit, remaining int, in, skew time.Duration) http.Header {
	h := http.Header{}
	now := time.Now().Add(skew)
	h.Set("Date", now.UTC().Format(http.TimeFormat))
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(remaining))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(now.Add(in).Unix(), 10))
	return h
}

func fine(header http.Header) transport.Outcome {
	return transport.Outcome{StatusCode: 200, Header: header, Sent: true}
}

func throttled(header http.Header) transport.Outcome {
	return transport.Outcome{StatusCode: 429, Header: header, Sent: true, Throttled: true}
}

// acquire takes a lease that must be there at once.
func acquire(t *testing.T, q *transport.Queue) transport.Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	lease, err := q.Acquire(ctx)
	require.NoError(t, err)
	return lease
}

// opened is a queue that has had its first answer, and so much left.
func opened(t *testing.T, l quota.Limits, limit, remaining int, in time.Duration) *transport.Queue {
	t.Helper()
	q := newQueue(l)
	acquire(t, q).Done(fine(rateHeaders(limit, remaining, in, 0)))
	return q
}

func TestFirstComeFirstServed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(quota.Limits{InFlight: 1})
		held := acquire(t, q)
		var served []int
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				lease, err := q.Acquire(t.Context())
				if assert.NoError(t, err) {
					served = append(served, i) // One at a time: that is the point.
					lease.Done(fine(nil))
				}
			})
			synctest.Wait()
		}
		held.Done(fine(nil))
		all.Wait()
		for i, n := range served {
			assert.Equal(t, i, n)
		}
		assert.Len(t, served, 50)
	})
}

// R9
func TestNeverMoreAtOnceThanAllowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(quota.Limits{InFlight: 10})
		var mu sync.Mutex
		var under, peak int
		var all sync.WaitGroup
		for range 101 {
			all.Go(func() {
				lease, err := q.Acquire(t.Context())
				if !assert.NoError(t, err) {
					return
				}
				mu.Lock()
				under++
				peak = max(peak, under)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				under--
				mu.Unlock()
				lease.Done(fine(nil))
			})
		}
		start := time.Now()
		all.Wait()
		assert.Equal(t, 10, peak)
		assert.Equal(t, 11*time.Second, time.Since(start), "the first goes alone; the others leave no slot idle")
	})
}

// R10
func TestCancelledWaiterReturnsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := opened(t, quota.Limits{}, 10, 0, 50*time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		time.AfterFunc(10*time.Second, cancel)
		_, err := q.Acquire(ctx)
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, 10*time.Second, time.Since(start))
		acquireBy(t, q, start.Add(51*time.Second))
	})
}

// acquireBy waits for a lease, which must come at a certain time.
func acquireBy(t *testing.T, q *transport.Queue, at time.Time) {
	t.Helper()
	lease, err := q.Acquire(t.Context())
	require.NoError(t, err)
	assert.Equal(t, at, time.Now())
	lease.Done(fine(nil))
}

// R10: whoever leaves gives back what it had, even if it was given that in the
// moment in which it left.
func TestCancelledWaitersLoseNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := transport.NewQueue(transport.QueueConfig{Limits: quota.Limits{InFlight: 3}, Rate: 1000, Burst: 1000, MaxWait: time.Hour})
		var all sync.WaitGroup
		for range 2000 {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), rand.N(20*time.Millisecond))
				defer cancel()
				lease, err := q.Acquire(ctx)
				if err != nil {
					return
				}
				time.Sleep(time.Millisecond)
				lease.Done(fine(nil))
			})
		}
		all.Wait()
		time.Sleep(time.Minute)
		for range 3 {
			acquire(t, q)
		}
	})
}

// R10: a turn that comes in the moment of leaving goes back.
func TestTurnThatComesTooLateGoesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const times = 500
		q := transport.NewQueue(transport.QueueConfig{Limits: quota.Limits{InFlight: 1}, Rate: 1e-6, Burst: times, MaxWait: 1e6 * time.Hour})
		for range times {
			held := acquire(t, q) // A slot and one of the rate's tokens.
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				if lease, err := q.Acquire(ctx); err == nil {
					assert.Fail(t, "the context was over")
					lease.Done(fine(nil))
				}
			}()
			synctest.Wait()
			cancel()
			held.Done(fine(nil))
			synctest.Wait()
		}
	})
}

// Whoever comes at the moment at which a turn comes up does not take it.
func TestNobodyJumpsTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(quota.Limits{})
		begin := time.Now()
		served := make(chan string, 2)
		wait := func(name string) {
			lease, err := q.Acquire(t.Context())
			if assert.NoError(t, err) {
				served <- name
				lease.Done(fine(rateHeaders(1, 0, time.Minute, 0)))
			}
		}
		go func() {
			time.Sleep(time.Until(begin.Add(41 * time.Second)))
			wait("late")
		}()
		synctest.Wait()
		acquire(t, q).Done(fine(rateHeaders(2, 0, 40*time.Second, 0)))
		go wait("early")
		assert.Equal(t, "early", <-served)
		assert.Equal(t, "late", <-served)
	})
}

// R7
func TestWaitThatIsTooLongIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		in       time.Duration // To the reset.
		timeout  time.Duration
		ahead    int
		deadline bool // It is the context's that is too early.
		refused  bool
	}{
		{name: "the reset comes before the deadline", in: 40 * time.Second, timeout: 42 * time.Second},
		{name: "the reset comes after the deadline", in: 40 * time.Second, timeout: 30 * time.Second, deadline: true, refused: true},
		{name: "the next window will do for five ahead", in: 40 * time.Second, timeout: 45 * time.Second, ahead: 9},
		{name: "those ahead need the next window", in: 40 * time.Second, timeout: 45 * time.Second, ahead: 10, deadline: true, refused: true},
		{name: "those ahead need so many windows that the longest wait is over", in: 40 * time.Second, timeout: time.Hour, ahead: 20, refused: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q := opened(t, quota.Limits{}, 10, 0, tt.in)
				crowd, disperse := context.WithCancel(t.Context())
				defer synctest.Wait()
				defer disperse()
				for range tt.ahead {
					go func() {
						if lease, err := q.Acquire(crowd); err == nil {
							lease.Done(fine(nil))
						}
					}()
				}
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), tt.timeout)
				defer cancel()
				start := time.Now()
				lease, err := q.Acquire(ctx)
				if !tt.refused {
					require.NoError(t, err)
					lease.Done(fine(nil))
					return
				}
				assert.Zero(t, time.Since(start), "returned at once")
				var f *transport.Failure
				require.ErrorAs(t, err, &f)
				assert.Equal(t, "RATE_LIMIT_EXCEEDED", f.Said.Code)
				assert.Equal(t, start.Add(tt.in+time.Second+time.Duration(tt.ahead/10)*time.Minute), f.RetryAt)
				assert.Equal(t, tt.deadline, errors.Is(err, context.DeadlineExceeded))
			})
		})
	}
}

func TestWaitersLeaveWhenTheirTurnMovesOutOfReach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := opened(t, quota.Limits{InFlight: 1}, 10, 9, 50*time.Second)
		held := acquire(t, q)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		time.AfterFunc(10*time.Second, func() { held.Done(throttled(rateHeaders(10, 0, 40*time.Second, 0))) })
		start := time.Now()
		_, err := q.Acquire(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 10*time.Second, time.Since(start), "somebody else's 429 told that the wait is in vain")
		assert.NoError(t, ctx.Err())
	})
}

func TestNobodyWaitsLongerThanTheLongestWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(quota.Limits{InFlight: 1})
		held := acquire(t, q)
		start := time.Now()
		_, err := q.Acquire(t.Context())
		var f *transport.Failure
		require.ErrorAs(t, err, &f)
		assert.Equal(t, maxWait, time.Since(start), "nobody knows when a slot is free")
		held.Done(fine(nil))
	})
}

// R12
func TestDayThatIsSpent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(quota.Limits{PerDay: 3})
		// The service's clock says 22:00, whatever ours says.
		for range 3 {
			acquire(t, q).Done(fine(rateHeaders(10, 5, time.Minute, 22*time.Hour)))
		}
		start := time.Now()
		_, err := q.Acquire(t.Context())
		require.ErrorIs(t, err, transport.ErrDailyLimit)
		var f *transport.Failure
		require.ErrorAs(t, err, &f)
		assert.Equal(t, start.Add(2*time.Hour), f.RetryAt, "midnight there")
		time.Sleep(time.Until(f.RetryAt))
		acquire(t, q).Done(fine(nil))
	})
}

// R8
func TestTooManyAtOnceHalvesTheCallsAtOnceForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := opened(t, quota.Limits{InFlight: 10}, 1000, 999, 50*time.Second)
		leases := take(t, q)
		require.Len(t, leases, 10)
		for i, lease := range leases {
			if i%2 == 0 {
				lease.Done(fine(rateHeaders(1000, 990, 50*time.Second, 0)))
			} else {
				lease.Done(throttled(rateHeaders(1000, 990, 50*time.Second, 0)))
			}
		}
		leases = take(t, q)
		assert.Len(t, leases, 5, "several refusals at once are one reason to halve, not several")
		rounds := 0
		for ; len(leases) < 10; rounds++ {
			for _, lease := range leases {
				lease.Done(fine(rateHeaders(1000, 900, 50*time.Second, 0)))
			}
			leases = take(t, q)
		}
		assert.Equal(t, 5, rounds, "one more each round")
	})
}

// take takes all leases that are there.
func take(t *testing.T, q *transport.Queue) (leases []transport.Lease) {
	t.Helper()
	for {
		ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
		lease, err := q.Acquire(ctx)
		cancel()
		if err != nil {
			return leases
		}
		leases = append(leases, lease)
	}
}

func TestRateSpreadsCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := transport.NewQueue(transport.QueueConfig{Rate: 2, Burst: 3, MaxWait: maxWait})
		start := time.Now()
		var after []time.Duration
		for range 7 {
			lease, err := q.Acquire(t.Context())
			require.NoError(t, err)
			after = append(after, time.Since(start).Round(time.Millisecond))
			lease.Done(fine(nil))
		}
		half := 500 * time.Millisecond
		assert.Equal(t, []time.Duration{0, 0, 0, half, 2 * half, 3 * half, 4 * half}, after)

		ctx, cancel := context.WithTimeout(t.Context(), half/2)
		defer cancel()
		_, err := q.Acquire(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.NoError(t, ctx.Err(), "returned at once")
	})
}

// One 429 keeps everybody from calling, not only the one who got it.
func TestSpentWindowIsClosedForEverybody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := opened(t, quota.Limits{}, 10, 9, 50*time.Second)
		start := time.Now()
		acquire(t, q).Done(throttled(rateHeaders(10, 0, 50*time.Second, 0)))
		acquireBy(t, q, start.Add(50*time.Second))
	})
}

// What never got away costs nothing.
func TestUnsentRequestsCostNoQuota(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(quota.Limits{PerMinute: 3, PerDay: 3, InFlight: 10})
		for range 100 {
			acquire(t, q).Done(transport.Outcome{})
		}
		for range 3 {
			acquire(t, q).Done(fine(rateHeaders(3, 2, 50*time.Second, 0)))
		}
		assert.Empty(t, take(t, q))
	})
}

func TestFirstCallOfAWindowGoesAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(quota.Limits{PerMinute: 100, InFlight: 10})
		first := acquire(t, q)
		assert.Empty(t, take(t, q), "nobody knows what others have used")
		first.Done(fine(rateHeaders(100, 4, 50*time.Second, 0)))
		assert.Len(t, take(t, q), 4)
	})
}
