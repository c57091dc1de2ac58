package salesiqredis

import (
	"context"
	"errors"
	"time"

	"github.com/salesiq-go/salesiq"
)

// share is the part of the limits that a process has while it is alone.
type share struct {
	limits  limits
	limiter salesiq.Limiter
}

// limits are those of an organization, or a part of them. Zero is no limit.
type limits struct {
	PerMinute int
	PerDay    int
	InFlight  int
}

// acquireAlone waits for a call within this process's share. It returns nothing
// if Redis answers again before that.
func (l *limiter) acquireAlone(ctx context.Context, w *wait) (salesiq.Lease, error) {
	own, err := l.ownShare()
	if err != nil {
		return nil, err
	}
	bounded, cancel := context.WithDeadline(ctx, w.latest)
	defer cancel()
	go func() {
		l.link.untilBack(bounded)
		cancel()
	}()
	lease, err := own.Acquire(bounded)
	switch refusal := (*salesiq.Error)(nil); {
	case err == nil:
		return lease, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, &refusal):
		return nil, refusal
	case errors.Is(bounded.Err(), context.DeadlineExceeded):
		return nil, held(w.latest, false, nil)
	}
	return nil, nil // Redis answers.
}

// ownShare returns the limiter for calls that go alone. It goes on with the
// account of the last time, unless the share is another by now.
func (l *limiter) ownShare() (salesiq.Limiter, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	part := l.shareOf(l.last)
	if l.alone == nil || l.alone.limits != part {
		own, err := part.limiter(l.maxWait)
		if err != nil {
			return nil, err
		}
		l.alone = &share{part, own}
	}
	return l.alone.limiter, nil
}

func (l *limiter) shareOf(o outlook) limits {
	whole, processes := l.limits(), l.processes
	if o.processes > 0 {
		whole.PerMinute, processes = o.size, o.processes
	}
	return limits{
		PerMinute: part(whole.PerMinute, processes),
		PerDay:    part(whole.PerDay, processes),
		InFlight:  part(whole.InFlight, processes),
	}
}

func part(whole, processes int) int {
	if whole == 0 {
		return 0
	}
	return max(1, whole/processes)
}

// limits are those of the organization, as far as the options tell.
func (c *config) limits() limits {
	return limits{PerMinute: c.plan.CallsPerMinute, PerDay: c.plan.CallsPerDay, InFlight: c.maxInFlight}
}

// limiter returns a limiter of one process that keeps to the limits.
func (l limits) limiter(maxWait time.Duration) (salesiq.Limiter, error) {
	plan := salesiq.Plan{CallsPerMinute: l.PerMinute, CallsPerDay: l.PerDay}
	limiter, err := salesiq.NewLimiter(plan, salesiq.WithMaxInFlight(l.InFlight), salesiq.WithMaxWait(maxWait))
	if err != nil {
		return nil, err // Not a nil pointer in an interface.
	}
	return limiter, nil
}
