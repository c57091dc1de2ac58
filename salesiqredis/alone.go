package salesiqredis

import (
	"context"
	"errors"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/quota"
	"github.com/salesiq-go/salesiq/internal/transport"
)

// share is the part of the limits that a process has while it is alone.
type share struct {
	limits quota.Limits
	queue  *transport.Queue
}

// acquireAlone waits for a call within this process's share. It returns nothing
// if Redis answers again before that.
func (l *limiter) acquireAlone(ctx context.Context, w *wait) (salesiq.Lease, error) {
	queue := l.ownShare()
	bounded, cancel := context.WithDeadline(ctx, w.latest)
	defer cancel()
	go func() {
		l.link.untilBack(bounded)
		cancel()
	}()
	granted, err := queue.Acquire(bounded)
	switch failure := (*transport.Failure)(nil); {
	case err == nil:
		return loneLease{granted}, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, &failure):
		return nil, &salesiq.Error{Code: salesiq.ErrRateLimitExceeded, RetryAt: failure.RetryAt, Err: failure.Err}
	case errors.Is(bounded.Err(), context.DeadlineExceeded):
		return nil, held(w.latest, false, nil)
	}
	return nil, nil // Redis answers.
}

// ownShare returns the queue for calls that go alone. It goes on with the account
// of the last time, unless the share is another by now.
func (l *limiter) ownShare() *transport.Queue {
	l.mu.Lock()
	defer l.mu.Unlock()
	limits := l.shareOf(l.last)
	if l.alone == nil || l.alone.limits != limits {
		l.alone = &share{limits, transport.NewQueue(transport.QueueConfig{Limits: limits, MaxWait: l.maxWait})}
	}
	return l.alone.queue
}

func (l *limiter) shareOf(o outlook) quota.Limits {
	processes, perMinute := o.processes, o.size
	if processes == 0 {
		processes, perMinute = l.processes, l.plan.CallsPerMinute
	}
	part := func(whole int) int {
		if whole == 0 {
			return 0
		}
		return max(1, whole/processes)
	}
	return quota.Limits{PerMinute: part(perMinute), PerDay: part(l.plan.CallsPerDay), InFlight: part(l.maxInFlight)}
}

// loneLease is a call that Redis does not know of.
type loneLease struct{ lease transport.Lease }

// Done implements [salesiq.Lease].
func (l loneLease) Done(o salesiq.Outcome) { l.lease.Done(transport.Outcome(o)) }
