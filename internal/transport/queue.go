package transport

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/salesiq-go/salesiq/internal/quota"
)

// Queue is the limiter of one process. Whoever comes first goes first, as soon
// as the account of the service's limits, and the rate if there is one, allow
// it.
type Queue struct {
	maxWait time.Duration

	mu      sync.Mutex // Guards what follows.
	account *quota.Account
	rate    *rate.Limiter // Nil for none.
	unused  int           // Tokens of the rate that were taken for requests that were never sent.
	first   *waiter
	last    *waiter
	waiting int
	horizon time.Time // When the last waiter may go at the earliest, as known when the queue was last examined.
	timer   *time.Timer
	armed   bool   // The timer is set.
	spare   *lease // Leases for reuse.
	dates   dates
}

// QueueConfig is what a queue keeps to.
type QueueConfig struct {
	Limits  quota.Limits
	Rate    rate.Limit // 0 for none.
	Burst   int
	MaxWait time.Duration
}

// NewQueue returns a queue that nobody waits in.
func NewQueue(c QueueConfig) *Queue {
	q := &Queue{maxWait: c.MaxWait, account: quota.New(c.Limits)}
	if c.Rate > 0 && c.Rate != rate.Inf {
		q.rate = rate.NewLimiter(c.Rate, c.Burst)
	}
	return q
}

// lease is a permission that a queue gave.
type lease struct {
	queue *Queue
	call  quota.Call
	next  *lease // In the list of spare ones.
}

// waiter is a request in the queue. What came of it is set before done is
// closed.
type waiter struct {
	since       time.Time
	deadline    time.Time // Zero for none.
	done        chan struct{}
	lease       *lease
	err         *Failure
	prior, next *waiter
}

// Acquire waits for its turn. It returns at once, with the time to come back,
// if the turn would come after the deadline of ctx or the longest wait.
func (q *Queue) Acquire(ctx context.Context) (Lease, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	q.mu.Lock()
	now := time.Now()
	if q.first == nil && q.ready(now) {
		l := q.take(now)
		q.mu.Unlock()
		return l, nil
	}
	w := q.join(ctx, now)
	q.mu.Unlock()
	select {
	case <-w.done:
	case <-ctx.Done():
		q.leave(w)
		return nil, context.Cause(ctx)
	}
	if w.err != nil {
		return nil, w.err
	}
	return w.lease, nil
}

// Today returns how many calls the day has, how many of them are left, and when
// it is over. All are zero if there is no limit.
func (q *Queue) Today() (limit, left int, end time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.account.Today(time.Now())
}

// PerMinute returns how many calls a minute grants, which is not known before an
// answer or a plan tells. It is [math.MaxInt] if there is no limit.
func (q *Queue) PerMinute() (calls int, known bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	calls, known = q.account.PerWindow()
	if q.rate != nil {
		perMinute := min(float64(q.rate.Limit())*time.Minute.Seconds(), math.MaxInt32)
		return min(calls, int(perMinute)), true
	}
	return calls, known
}

// Done ends the request and lets the next ones go.
func (l *lease) Done(o Outcome) {
	now := time.Now()
	q := l.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	q.account.End(l.call, o.report(&q.dates, now), now)
	q.putAway(l)
	q.advance(now)
}

// ready reports whether a request may go now.
func (q *Queue) ready(now time.Time) bool {
	return q.account.Ready(now) && (q.rate == nil || q.unused > 0 || q.rate.TokensAt(now) >= 1)
}

// take lets a request go.
func (q *Queue) take(now time.Time) *lease {
	switch {
	case q.unused > 0:
		q.unused--
	case q.rate != nil:
		q.rate.AllowN(now, 1)
	}
	l := q.spare
	if l == nil {
		l = &lease{queue: q}
	}
	q.spare = l.next
	l.call, l.next = q.account.Start(now), nil
	return l
}

func (q *Queue) putAway(l *lease) { l.next, q.spare = q.spare, l }

// join puts a request at the end of the queue, unless that would be in vain.
func (q *Queue) join(ctx context.Context, now time.Time) *waiter {
	w := &waiter{since: now, done: make(chan struct{}), prior: q.last}
	w.deadline, _ = ctx.Deadline()
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
	q.waiting++
	if at, daily := q.earliest(now, q.waiting-1); w.tooLong(at, q.maxWait) {
		q.refuse(w, at, daily)
	} else {
		q.horizon = at
	}
	q.advance(now)
	return w
}

// leave takes a request out whose context ended. What it had been given in the
// meantime goes back.
func (q *Queue) leave(w *waiter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	switch {
	case w.lease != nil:
		q.account.Cancel(w.lease.call, now)
		q.putAway(w.lease)
		if q.rate != nil {
			q.unused++
		}
	case w.err == nil:
		q.remove(w)
	}
	q.advance(now)
}

func (q *Queue) remove(w *waiter) {
	if w.prior == nil {
		q.first = w.next
	} else {
		w.prior.next = w.next
	}
	if w.next == nil {
		q.last = w.prior
	} else {
		w.next.prior = w.prior
	}
	q.waiting--
}

func (q *Queue) refuse(w *waiter, at time.Time, daily bool) {
	q.remove(w)
	w.err = w.held(at, daily)
	close(w.done)
}

// held says why a request must not wait.
func (w *waiter) held(at time.Time, daily bool) *Failure {
	cause := errTooLong
	if daily {
		cause = ErrDailyLimit
	}
	if !w.deadline.IsZero() && at.After(w.deadline) {
		cause = fmt.Errorf("%w: %w", cause, context.DeadlineExceeded)
	}
	return Held(at, cause)
}

func (w *waiter) tooLong(at time.Time, maxWait time.Duration) bool {
	return at.Sub(w.since) > maxWait || !w.deadline.IsZero() && at.After(w.deadline)
}

// advance lets go whoever may go, refuses whoever waits in vain, and sees to it
// that it is called again in time.
func (q *Queue) advance(now time.Time) {
	for q.first != nil && q.ready(now) {
		w := q.first
		q.remove(w)
		w.lease = q.take(now)
		close(w.done)
	}
	if q.first != nil {
		q.examine(now)
	}
	q.schedule(now)
}

// examine refuses those whose turn has moved beyond what they may wait, such as
// after the service has lowered its limit. While the last one's turn has not moved
// back, nobody's has.
func (q *Queue) examine(now time.Time) {
	at, _ := q.earliest(now, q.waiting-1)
	if at.After(now) && at.After(q.horizon) {
		ahead := 0
		for w := q.first; w != nil; w = w.next {
			if at, daily := q.earliest(now, ahead); w.tooLong(at, q.maxWait) {
				q.refuse(w, at, daily)
			} else {
				ahead++
			}
		}
	}
	q.horizon = at
	for q.first != nil && now.Sub(q.first.since) >= q.maxWait {
		at, daily := q.earliest(now, 0)
		q.refuse(q.first, at, daily)
	}
}

// schedule sets the timer to when it is worth looking again, if there is anyone
// to look for.
func (q *Queue) schedule(now time.Time) {
	if q.first == nil {
		if q.armed {
			q.armed = false
			q.timer.Stop()
		}
		return
	}
	q.armed = true
	wait := q.first.since.Add(q.maxWait).Sub(now)
	if at := q.look(now); at.After(now) {
		wait = min(wait, at.Sub(now))
	}
	if q.timer == nil {
		q.timer = time.AfterFunc(wait, q.tick)
	} else {
		q.timer.Reset(wait)
	}
}

func (q *Queue) tick() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.advance(time.Now())
}

// earliest returns the time before which a request cannot go that has so many
// ahead of it.
func (q *Queue) earliest(now time.Time, ahead int) (at time.Time, daily bool) {
	at, daily = q.account.Earliest(now, ahead)
	if smooth := q.smooth(now, ahead); smooth.After(at) {
		return smooth, false
	}
	return at, daily
}

// look returns when a request may be ready to go although no other has ended.
func (q *Queue) look(now time.Time) time.Time {
	at := q.account.Look(now)
	if smooth := q.smooth(now, 0); smooth.After(at) {
		return smooth
	}
	return at
}

// smooth returns when the rate has a token for a request.
func (q *Queue) smooth(now time.Time, ahead int) time.Time {
	if q.rate == nil {
		return now
	}
	missing := float64(ahead+1-q.unused) - q.rate.TokensAt(now)
	if missing <= 0 {
		return now
	}
	seconds := missing / float64(q.rate.Limit())
	return now.Add(time.Duration(min(math.Ceil(seconds*float64(time.Second)), math.MaxInt64/2)) + 1)
}
