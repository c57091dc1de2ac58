package transport

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
	"weak"

	"golang.org/x/time/rate"

	"github.com/salesiq-go/salesiq/internal/quota"
)

// Queue is the limiter of one process. It asks the account of the service's limits, and the
// rate if there is one, and lets requests wait until both allow them:
//
//	Acquire  starts a request, or has it wait, or refuses it if its turn would come too late
//	Done     tells the account of the answer, and looks at those that wait (advance)
//	timer    looks at them when the account may allow more although none has ended
//	leave    takes out a request whose ctx has ended, and gives back the lease that it may have
//
// Whoever comes first goes first. But a batch has to leave a fifth of each minute and day, and
// others overtake it then. A call that the service refused pauses outside of the queue, and joins
// it at the end for its next attempt (retry.go).
type Queue struct {
	maxWait time.Duration

	day     *Day // Its lock guards what follows.
	account *quota.Account
	rate    *rate.Limiter // Nil for none.
	unused  int           // Tokens of the rate that were taken for requests that were never sent.
	waiting []*waiter
	lastAt  time.Time   // When the last one of those may go, as of the last look at the queue.
	timer   *time.Timer // Set while somebody waits.
	spare   *lease      // Leases for reuse.
	dates   dates
}

// QueueConfig is what a queue keeps to.
type QueueConfig struct {
	Limits  quota.Limits
	Rate    rate.Limit // 0 for none.
	Burst   int
	MaxWait time.Duration
	Day     *Day // Nil for one of its own.
}

// Day is a day that queues share, and the lock of all of them.
type Day struct {
	changed func() // Called without the lock. Nil for none.

	mu     sync.Mutex // Guards what follows, and the queues.
	count  quota.Day
	queues []weak.Pointer[Queue]
}

// NewDay returns a day that queues may share. It calls changed whenever a call begins to
// count or counts no more: before the request is sent, or after it has failed.
func NewDay(changed func()) *Day { return &Day{changed: changed} }

// Used is that of [quota.Day].
func (d *Day) Used() (used int, end time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count.Used(time.Now())
}

// Resume is that of [quota.Day].
func (d *Day) Resume(used int, end time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count.Resume(time.Now(), used, end)
}

func (d *Day) tell() {
	if d.changed != nil {
		d.changed()
	}
}

// advance looks at all queues, since the day has more calls left.
func (d *Day) advance(now time.Time) {
	d.queues = slices.DeleteFunc(d.queues, func(p weak.Pointer[Queue]) bool {
		q := p.Value()
		if q != nil {
			q.advance(now)
		}
		return q == nil
	})
}

// NewQueue returns a queue that nobody waits in.
func NewQueue(c QueueConfig) *Queue {
	d := c.Day
	if d == nil {
		d = NewDay(nil)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	q := &Queue{maxWait: c.MaxWait, day: d, account: quota.NewSharing(c.Limits, &d.count)}
	d.queues = append(d.queues, weak.Make(q))
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
	since    time.Time
	deadline time.Time // Zero for none.
	class    quota.Class
	outlook  Wait // Without a reason if it need not wait.
	done     chan struct{}
	lease    *lease
	err      *Failure
}

// Acquire waits for its turn. It returns at once, with the time to come back,
// if the turn would come after the deadline of ctx or the longest wait.
func (q *Queue) Acquire(ctx context.Context) (Lease, error) { return q.acquire(ctx, quota.Interactive) }

// forecasts marks a limiter that reports waits through forecast.
func (q *Queue) forecasts() {}

// BatchQueue is a queue for those who leave a fifth of each minute and day to others.
type BatchQueue struct{ *Queue }

// Acquire waits for its turn, as that of the queue does.
func (b BatchQueue) Acquire(ctx context.Context) (Lease, error) { return b.acquire(ctx, quota.Batch) }

func (q *Queue) acquire(ctx context.Context, class quota.Class) (Lease, error) {
	l, err := q.enter(ctx, class)
	if err == nil {
		q.day.tell()
	}
	return l, err
}

func (q *Queue) enter(ctx context.Context, class quota.Class) (Lease, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	q.day.mu.Lock()
	now := time.Now()
	if len(q.waiting) == 0 && q.ready(now, class) {
		l := q.start(now)
		q.day.mu.Unlock()
		return l, nil
	}
	w := q.join(ctx, now, class)
	q.day.mu.Unlock()
	if w.outlook.Reason != "" {
		forecast(ctx, w.outlook)
	}
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

// ready reports whether a request may go now.
func (q *Queue) ready(now time.Time, class quota.Class) bool {
	return q.account.Ready(now, class) && (q.rate == nil || q.unused > 0 || q.rate.TokensAt(now) >= 1)
}

// start lets a request go.
func (q *Queue) start(now time.Time) *lease {
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

// join puts a request at the end of the queue, unless that would be in vain.
func (q *Queue) join(ctx context.Context, now time.Time, class quota.Class) *waiter {
	w := &waiter{since: now, done: make(chan struct{}), class: class}
	w.deadline, _ = ctx.Deadline()
	if at, daily := q.earliest(now, q.ahead(class), class); w.tooLong(at, q.maxWait) {
		w.refuse(at, daily)
	} else {
		w.outlook = q.outlook(now, at)
		q.waiting, q.lastAt = append(q.waiting, w), at
	}
	q.advance(now)
	return w
}

// refuse ends a wait in vain.
func (w *waiter) refuse(at time.Time, daily bool) {
	cause := errTooLong
	if daily {
		cause = ErrDailyLimit
	}
	if !w.deadline.IsZero() && at.After(w.deadline) {
		cause = fmt.Errorf("%w: %w", cause, context.DeadlineExceeded)
	}
	w.err = Held(at, cause)
	close(w.done)
}

func (w *waiter) tooLong(at time.Time, maxWait time.Duration) bool {
	return at.Sub(w.since) > maxWait || !w.deadline.IsZero() && at.After(w.deadline)
}

// ahead returns how many surely go before one that comes now: a batch that waits may
// be overtaken.
func (q *Queue) ahead(class quota.Class) (n int) {
	for _, w := range q.waiting {
		if w.class <= class {
			n++
		}
	}
	return n
}

// outlook says what somebody waits for whose turn comes at a time.
func (q *Queue) outlook(now, at time.Time) Wait {
	switch {
	case at.After(now):
		return Wait{Reason: WaitQuota, Until: at}
	case q.account.Probing(now):
		return Wait{Reason: WaitQuota}
	}
	return Wait{Reason: WaitSlot}
}

// Done ends the request and lets the next ones go.
func (l *lease) Done(o Outcome) {
	q := l.queue
	if q.end(l, &o) {
		q.day.tell()
	}
}

// end accounts for the end of a request, and reports whether its call counts no more.
func (q *Queue) end(l *lease, o *Outcome) (takenBack bool) {
	q.day.mu.Lock()
	defer q.day.mu.Unlock()
	now := time.Now()
	r := o.report(&q.dates, now)
	q.account.End(l.call, r, now)
	q.putAway(l)
	if r.Counts() {
		q.advance(now)
		return false
	}
	q.day.advance(now)
	return true
}

func (q *Queue) putAway(l *lease) { l.next, q.spare = q.spare, l }

// leave takes out a request whose context has ended.
func (q *Queue) leave(w *waiter) {
	q.day.mu.Lock()
	l := w.lease
	if i := slices.Index(q.waiting, w); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
		q.advance(time.Now())
	}
	if l != nil && q.rate != nil {
		q.unused++
	}
	q.day.mu.Unlock()
	if l != nil {
		l.Done(Outcome{})
	}
}

// advance looks at the whole queue: it lets go whoever may go, refuses whoever
// waits in vain, and comes back when there may be something to do.
func (q *Queue) advance(now time.Time) {
	for i := q.next(now); i >= 0; i = q.next(now) {
		w := q.waiting[i]
		q.waiting = slices.Delete(q.waiting, i, i+1)
		w.lease = q.start(now)
		close(w.done)
	}
	q.refuseLate(now)
	q.setTimer(now)
}

// classes are those of requests. Who is of an earlier one may go whenever one of a
// later one may.
var classes = [...]quota.Class{quota.Interactive, quota.Batch}

// next returns the place in the queue of who may go first, or -1. If there is room for a
// batch, there is for everybody, and the first of all goes. If there is less room, the
// first one goes that is no batch.
func (q *Queue) next(now time.Time) int {
	if len(q.waiting) == 0 {
		return -1
	}
	for _, class := range slices.Backward(classes[:]) {
		if q.ready(now, class) {
			return slices.IndexFunc(q.waiting, func(w *waiter) bool { return w.class <= class })
		}
	}
	return -1
}

// refuseLate refuses those whose turn comes too late. Whoever joined the queue had a turn
// in time. So there are two reasons to look at all of them: the first has waited for
// maxWait, or turns have moved back, as when the service lowers its limit. The turn of
// the last one tells that: it is later than it was at the last look (lastAt).
func (q *Queue) refuseLate(now time.Time) {
	if len(q.waiting) == 0 {
		return
	}
	newest := q.waiting[len(q.waiting)-1]
	last, _ := q.earliest(now, q.ahead(newest.class)-1, newest.class)
	movedBack := last.After(now) && last.After(q.lastAt)
	q.lastAt = last
	if !movedBack && now.Sub(q.waiting[0].since) < q.maxWait {
		return
	}
	var ahead [len(classes)]int
	q.waiting = slices.DeleteFunc(q.waiting, func(w *waiter) bool {
		at, daily := q.earliest(now, ahead[w.class], w.class)
		late := movedBack && w.tooLong(at, q.maxWait) || now.Sub(w.since) >= q.maxWait
		if late {
			w.refuse(at, daily)
		} else {
			for class := w.class; int(class) < len(ahead); class++ { // It goes before these.
				ahead[class]++
			}
		}
		return late
	})
}

// setTimer sees to it that somebody who waits is looked at in time.
func (q *Queue) setTimer(now time.Time) {
	switch {
	case len(q.waiting) == 0:
		if q.timer != nil {
			q.timer.Stop()
		}
		return
	case q.timer == nil:
		q.timer = time.AfterFunc(math.MaxInt64, q.tick)
	}
	wait := q.waiting[0].since.Add(q.maxWait).Sub(now)
	if at := q.nextChange(now); at.After(now) {
		wait = min(wait, at.Sub(now))
	}
	q.timer.Reset(wait)
}

func (q *Queue) tick() {
	q.day.mu.Lock()
	defer q.day.mu.Unlock()
	q.advance(time.Now())
}

// earliest returns the first time at which a request can go if others wait ahead of
// it.
func (q *Queue) earliest(now time.Time, ahead int, class quota.Class) (at time.Time, daily bool) {
	at, daily = q.account.Earliest(now, ahead, class)
	if smooth := q.smooth(now, ahead); smooth.After(at) {
		return smooth, false
	}
	return at, daily
}

// nextChange returns when a request may be ready to go although no other has ended.
func (q *Queue) nextChange(now time.Time) time.Time {
	first := slices.MinFunc(q.waiting, func(a, b *waiter) int { return int(a.class - b.class) })
	at := q.account.Look(now, first.class)
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

// Today is that of [quota.Account].
func (q *Queue) Today() (limit, left int, end time.Time) {
	q.day.mu.Lock()
	defer q.day.mu.Unlock()
	return q.account.Today(time.Now())
}

// Resume is that of [quota.Account].
func (q *Queue) Resume(used int, end time.Time) {
	q.day.mu.Lock()
	defer q.day.mu.Unlock()
	q.account.Resume(time.Now(), used, end)
}

// PerMinute returns how many calls a minute grants, which is not known before an
// answer or a plan tells. It is [math.MaxInt] if there is no limit.
func (q *Queue) PerMinute() (calls int, known bool) {
	q.day.mu.Lock()
	defer q.day.mu.Unlock()
	calls, known = q.account.PerWindow()
	if q.rate != nil {
		perMinute := min(float64(q.rate.Limit())*time.Minute.Seconds(), math.MaxInt32)
		return min(calls, int(perMinute)), true
	}
	return calls, known
}
