package salesiqredis

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
)

// callsOf makes calls until the day is spent, and returns how many there were, and how long
// the last one waited.
func callsOf(t *testing.T, l salesiq.Limiter) (calls int, waited time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		began := time.Now()
		lease, err := l.Acquire(ctx)
		if err != nil {
			require.ErrorIs(t, err, salesiq.ErrDailyLimit)
			return calls, time.Since(began)
		}
		lease.Done(success(1000, 900))
		calls++
	}
}

func TestDayIsSpentOnceWhetherRedisIsThereOrNot(t *testing.T) {
	t.Parallel()
	virtually(t, func(t *testing.T, d *distant) {
		plan := WithPlan(salesiq.Plan{CallsPerDay: 12})
		here, there := join(t, d, plan).limiter, join(t, d, plan).limiter
		comesBack := func() { // Redis is told by the first that calls.
			d.setAway(false)
			here.link.untilBack(t.Context())
			acquire(t, here).Done(success(1000, 900))
			time.Sleep(time.Second)
		}
		acquire(t, there).Done(success(1000, 900))
		acquire(t, here).Done(success(1000, 900))
		d.setAway(true)
		acquire(t, here).Done(success(1000, 900))
		acquire(t, here).Done(salesiq.Outcome{}) // It was never sent.
		comesBack()
		acquire(t, there).Done(success(1000, 900))
		acquire(t, here).Done(success(1000, 900))
		assert.Equal(t, 12-6, here.DailyQuota().Left, "one of them alone")

		d.setAway(true)
		calls, waited := callsOf(t, here)
		assert.Equal(t, 3, calls, "a half of what was left")
		assert.Greater(t, waited, 50*time.Second, "Redis may have more")
		comesBack()
		calls, waited = callsOf(t, there)
		assert.Equal(t, 12-6-3-1, calls)
		assert.Zero(t, waited)
		calls, _ = callsOf(t, here)
		assert.Zero(t, calls)

		d.setAway(true)
		_, err := here.Acquire(t.Context())
		require.ErrorIs(t, err, salesiq.ErrDailyLimit)
		calls, waited = callsOf(t, here)
		assert.Zero(t, calls)
		assert.Zero(t, waited, "the day is spent, whatever Redis does")
		time.Sleep(24 * time.Hour)
		calls, _ = callsOf(t, here)
		assert.Equal(t, 6, calls, "a half of the new day")
		comesBack()
		acquire(t, there).Done(success(1000, 900))
		assert.Equal(t, 12-6-2, there.DailyQuota().Left)
	})
}
