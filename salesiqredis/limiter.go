package salesiqredis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/quota"
	"github.com/salesiq-go/salesiq/internal/transport"
)

//go:embed scripts/quota.lua
var quotaScript string

// How often a call that waits for a slot asks for it, where nobody in this
// process frees one.
const (
	firstPoll = 10 * time.Millisecond
	lastPoll  = 100 * time.Millisecond
)

// fresh is how long an outlook is as good as another question.
const fresh = time.Second

var errTooLong = errors.New("the rate limit would make the call wait for too long")

// Limiter returns a limiter for [salesiq.WithLimiter], which keeps the
// organization's limits for all processes together. It is made once in a
// process, for all clients there.
//
// Calls of one process go first come, first served. Those of several that wait
// for a slot take turns.
func (o *Organization) Limiter() salesiq.Limiter {
	return &limiter{
		link:   o.newLink("limiter"),
		script: script{quotaScript, o.keys("quota", "leases", "processes", "line")},
		config: &o.config,
		args: []string{
			o.process,
			strconv.Itoa(o.plan.CallsPerMinute), strconv.Itoa(o.plan.CallsPerDay), strconv.Itoa(o.maxInFlight),
			microseconds(o.lease),
		},
		turn:    make(chan struct{}, 1),
		wake:    make(chan struct{}, 1),
		offered: make(chan string, 1),
	}
}

type limiter struct {
	*config

	link   *link
	script script
	args   []string // That each operation begins with.

	turn    chan struct{} // Holds a token while somebody asks; the others stand in line.
	wake    chan struct{} // Tells who asks that it may be worth it.
	offered chan string   // A lease for who asks.
	waiting atomic.Int64

	mu       sync.Mutex // Guards what follows.
	asking   bool       // Somebody does.
	sleeping bool       // And waits for the end of a call, or for time to pass.
	served   bool       // The end of a call asks at the same time.
	under    int        // Calls under way that Redis knows of.
	last     outlook
	owed     []debt
	alone    *share // Nil until Redis was away.
}

// outlook is what Redis said last about the limits.
type outlook struct {
	heard     time.Time
	ready     bool      // A call could be started at once.
	at        time.Time // It could not before.
	daily     bool      // For the sake of the day's limit.
	processes int       // 0 before Redis has said anything.
	size      int       // Calls in a window; 0 if unknown.
}

// Acquire implements [salesiq.Limiter].
func (l *limiter) Acquire(ctx context.Context) (salesiq.Lease, error) {
	w := newWait(ctx, l.maxWait)
	for {
		id, err := l.acquire(ctx, w)
		switch {
		case err == nil:
			l.begin()
			return &lease{l, id}, nil
		case !errors.Is(err, ErrAway) || l.limiterAway == Refuse:
			return nil, err
		}
		if lease, err := l.acquireAlone(ctx, w); lease != nil || err != nil {
			return lease, err
		}
	}
}

// acquire waits for its turn to ask Redis, and asks until it gets a lease.
func (l *limiter) acquire(ctx context.Context, w *wait) (id string, err error) {
	ahead := int(l.waiting.Add(1) - 1)
	defer l.waiting.Add(-1)
	if ahead > 0 {
		if err := w.refuse(l.outlook().behind(ahead)); err != nil {
			return "", err
		}
	}
	timer := time.NewTimer(time.Until(w.latest))
	defer timer.Stop()
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case <-timer.C:
		o := l.outlook()
		return "", held(o.at, o.daily, nil)
	}
	defer func() { <-l.turn }()
	return l.ask(ctx, w)
}

// ask asks Redis until it grants a lease. It does not ask for what the end of
// another call has told a moment ago, or will tell.
func (l *limiter) ask(ctx context.Context, w *wait) (id string, err error) {
	l.setAsking(true)
	defer l.setAsking(false)
	o := l.outlook()
	asks := time.Since(o.heard) > fresh
	for poll := firstPoll; ; poll = min(2*poll, lastPoll) {
		if asks || l.worthIt(o) {
			if id, o, err = l.try(ctx); id != "" || err != nil {
				return id, err
			}
		}
		if err := w.refuse(o); err != nil {
			return "", err
		}
		if id, asks, err = l.sleep(ctx, max(poll, time.Until(o.at))); id != "" || err != nil {
			return id, err
		}
		o = l.outlook()
	}
}

// worthIt reports whether a question may be answered with a lease. Where the
// calls of this process have to end first, their ends will ask.
func (l *limiter) worthIt(o outlook) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	changed := o.at.After(o.heard) // By now.
	return !o.at.After(time.Now()) && (o.ready || changed || l.under == 0)
}

// sleep returns a lease that the end of a call has brought, or whether it is time
// to ask for one.
func (l *limiter) sleep(ctx context.Context, d time.Duration) (id string, asks bool, err error) {
	l.setSleeping(true)
	defer l.setSleeping(false)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case id = <-l.offered:
		return id, false, nil
	case <-l.wake:
		return "", false, nil
	case <-timer.C:
		return "", true, nil
	case <-ctx.Done():
		return "", false, context.Cause(ctx)
	}
}

func (l *limiter) setSleeping(sleeping bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sleeping, l.served = sleeping, false
}

// setAsking tells that somebody asks. What was offered to who does no more goes
// back.
func (l *limiter) setAsking(asking bool) {
	l.mu.Lock()
	l.asking = asking
	l.mu.Unlock()
	select {
	case id := <-l.offered:
		l.giveBack(id)
	default:
	}
}

// offer hands a lease to who asks.
func (l *limiter) offer(id string) {
	l.mu.Lock()
	taken := l.asking
	if taken {
		select {
		case l.offered <- id:
		default:
			taken = false
		}
	}
	l.mu.Unlock()
	if !taken {
		l.giveBack(id)
	}
}

func (l *limiter) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.under++
}

// end returns what the end of a call asks Redis for: to note it, and for another
// lease if one is wanted.
func (l *limiter) end() (operation string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.under--
	if !l.sleeping || l.served {
		return "done"
	}
	l.served = true
	return "next"
}

// unserved lets the next end of a call ask.
func (l *limiter) unserved() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.served = false
}

// try asks for a lease once.
func (l *limiter) try(ctx context.Context) (id string, o outlook, err error) {
	reply, err := l.run(ctx, l.takeBack, "acquire")
	if err != nil {
		return "", o, err
	}
	id, o, err = readReply(reply, time.Now())
	if err == nil {
		l.learn(o)
		l.payBack()
	}
	return id, o, err
}

func (l *limiter) run(ctx context.Context, undo func(any), operation string, more ...string) (any, error) {
	args := append(append([]string{operation}, l.args...), more...)
	return l.link.run(ctx, l.script, undo, args...)
}

func readReply(reply any, now time.Time) (id string, o outlook, err error) {
	list, _ := reply.([]any) //nolint:errcheck // The length tells.
	if len(list) != 6 {
		return "", o, fmt.Errorf("salesiqredis: an answer of %d parts", len(list))
	}
	id, _ = list[0].(string) //nolint:errcheck // None is "".
	number := func(i int) int64 {
		n, _ := list[i].(int64) //nolint:errcheck // None is 0.
		return n
	}
	return id, outlook{
		heard:     now,
		ready:     number(1) == 1,
		at:        now.Add(time.Duration(number(2)) * time.Microsecond),
		daily:     number(3) == 1,
		processes: int(number(4)),
		size:      int(number(5)),
	}, nil
}

func (l *limiter) outlook() outlook {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// learn remembers an outlook, and wakes who waits for a better one.
func (l *limiter) learn(o outlook) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asking && (o.ready || o.at.Before(l.last.at)) {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
	l.last = o
}

// behind returns the outlook of a call that has others ahead of it.
func (o outlook) behind(ahead int) outlook {
	if o.size > 0 && time.Now().Before(o.at) && !o.daily {
		o.at = o.at.Add(time.Duration(ahead/o.size) * time.Minute)
	}
	return o
}

// lease is a call that Redis knows of.
type lease struct {
	limiter *limiter
	id      string
}

// Done implements [salesiq.Lease].
func (l *lease) Done(o salesiq.Outcome) {
	now := time.Now()
	outcome := transport.Outcome(o)
	report := outcome.Report(now)
	operation := l.limiter.end()
	reply, err := l.limiter.run(context.Background(), l.limiter.takeBack, operation, append([]string{l.id}, reportArgs(&report, now)...)...)
	if err != nil {
		l.limiter.owe(debt{l.id, o.Sent})
		return
	}
	id, outlook, err := readReply(reply, time.Now())
	if err != nil {
		return
	}
	l.limiter.learn(outlook)
	switch {
	case id != "":
		l.limiter.offer(id)
	case operation == "next":
		l.limiter.unserved()
	}
}

// reportArgs are a report as the script reads it.
func reportArgs(r *quota.Report, now time.Time) []string {
	retryIn := "-1"
	if !r.RetryAt.IsZero() {
		retryIn = microseconds(max(0, r.RetryAt.Sub(now)))
	}
	return []string{
		flag(r.Sent), flag(r.Answered), flag(r.Refused), flag(r.Throttled), flag(r.Known),
		strconv.Itoa(r.Limit), strconv.Itoa(r.Remaining), unixMicro(r.Reset), unixMicro(r.Date), retryIn,
	}
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

func microseconds(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func unixMicro(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return strconv.FormatInt(t.UnixMicro(), 10)
}

// debt is a lease that Redis has not heard the end of.
type debt struct {
	id   string
	sent bool
}

// maxDebts bounds what is remembered; leases expire by themselves.
const maxDebts = 1000

func (l *limiter) owe(d debt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.owed) < maxDebts {
		l.owed = append(l.owed, d)
	}
}

// takeBack gives a lease back that came after its call had gone.
func (l *limiter) takeBack(reply any) {
	if id, _, err := readReply(reply, time.Now()); err == nil && id != "" {
		l.giveBack(id)
	}
}

func (l *limiter) giveBack(id string) {
	l.owe(debt{id: id})
	l.payBack()
}

// payBack ends the leases that are owed, in the background. What their calls were
// told is no news any more.
func (l *limiter) payBack() {
	l.mu.Lock()
	owed := l.owed
	l.owed = nil
	l.mu.Unlock()
	if len(owed) == 0 {
		return
	}
	go func() {
		for _, d := range owed {
			report := quota.Report{Sent: d.sent}
			if _, err := l.run(context.Background(), nil, "done", append([]string{d.id}, reportArgs(&report, time.Time{})...)...); err != nil {
				l.owe(d)
			}
		}
	}()
}

// wait is how long a call may wait.
type wait struct {
	latest   time.Time
	deadline bool // It is that of the context.
}

func newWait(ctx context.Context, most time.Duration) *wait {
	w := &wait{latest: time.Now().Add(most)}
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(w.latest) {
		w.latest, w.deadline = deadline, true
	}
	return w
}

// refuse returns an error if waiting is in vain.
func (w *wait) refuse(o outlook) error {
	if !o.at.After(w.latest) && time.Now().Before(w.latest) {
		return nil
	}
	var also error
	if w.deadline {
		also = context.DeadlineExceeded
	}
	return held(o.at, o.daily, also)
}

func held(at time.Time, daily bool, also error) error {
	cause := errTooLong
	if daily {
		cause = salesiq.ErrDailyLimit
	}
	if also != nil {
		cause = fmt.Errorf("%w: %w", cause, also)
	}
	return &salesiq.Error{Code: salesiq.ErrRateLimitExceeded, RetryAt: at, Err: cause}
}
