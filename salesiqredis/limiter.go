package salesiqredis

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq"
)

//go:embed scripts/quota.lua
var quotaScript string

// How often a call that waits for a slot asks for it, where no call of this
// process ends.
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
//
// Its method DailyQuota tells how many calls all processes together have left of
// the day, as Redis said last.
func (o *Organization) Limiter() salesiq.Limiter {
	return &limiter{
		link:   o.newLink("limiter"),
		script: script{quotaScript, o.keys("quota", "leases", "processes", "line", "recent")},
		config: &o.config,
		args: []string{
			o.process,
			strconv.Itoa(o.plan.CallsPerMinute), strconv.Itoa(o.plan.CallsPerDay), strconv.Itoa(o.maxInFlight),
			microseconds(o.lease),
		},
		turn:    make(chan struct{}, 1),
		wake:    make(chan struct{}, 1),
		offered: make(chan string, o.maxInFlight),
	}
}

type limiter struct {
	*config

	link   *link
	script script
	args   []string // That each operation begins with.

	turn    chan struct{} // Holds a token while somebody asks; the others stand in line.
	wake    chan struct{} // Tells who asks that it may be worth it.
	offered chan string   // Leases for those who wait.

	mu      sync.Mutex // Guards what follows.
	waiting int        // Calls that have no lease yet,
	served  int        // as many of which are being asked for, or have been offered one.
	under   int        // Calls under way that Redis knows of.
	last    outlook
	owed    []debt
	alone   *share // Nil until Redis was away.
}

// outlook is what Redis said last about the limits.
type outlook struct {
	heard     time.Time
	ready     bool      // A call could be started at once.
	at        time.Time // It could not before.
	daily     bool      // For the sake of the day's limit.
	processes int       // 0 before Redis has said anything.
	size      int       // Calls in a window; 0 if unknown.
	midnight  time.Time // The end of the day,
	left      int       // and its calls that are left, if days are counted.
}

// Acquire implements [salesiq.Limiter].
func (l *limiter) Acquire(ctx context.Context) (salesiq.Lease, error) {
	w := newWait(ctx, l.maxWait)
	for {
		id, err := l.acquire(ctx, w)
		switch {
		case err == nil:
			l.begin()
			return &sharedLease{l, id}, nil
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
	ahead := l.join()
	defer l.leave()
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

// join counts a call that waits, and returns how many do already.
func (l *limiter) join() (ahead int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting++
	return l.waiting - 1
}

// leave counts a call that waits no more. What has been offered beyond those who
// do goes back.
func (l *limiter) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting--
	for len(l.offered) > l.waiting {
		l.served--
		l.giveBack(<-l.offered)
	}
}

// ask asks Redis until it grants a lease. It does not ask for what the end of
// another call has told a moment ago, or will tell.
func (l *limiter) ask(ctx context.Context, w *wait) (id string, err error) {
	o := l.outlook()
	asks := time.Since(o.heard) > fresh
	for poll := firstPoll; ; poll = min(2*poll, lastPoll) {
		if id = l.take(); id != "" {
			return id, nil
		}
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

// take returns a lease that has been offered, if there is one.
func (l *limiter) take() (id string) {
	select {
	case id = <-l.offered:
		l.serve(-1)
	default:
	}
	return id
}

// worthIt reports whether a question may be answered with a lease. Where the
// calls of this process have to end first, their ends will ask.
func (l *limiter) worthIt(o outlook) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	changed := o.at.After(o.heard) // By now.
	return l.waiting > l.served && !o.at.After(time.Now()) && (o.ready || changed || l.under == 0)
}

// sleep returns a lease that the end of a call has brought, or whether it is time
// to ask for one.
func (l *limiter) sleep(ctx context.Context, d time.Duration) (id string, asks bool, err error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case id = <-l.offered:
		l.serve(-1)
		return id, false, nil
	case <-l.wake:
		return "", false, nil
	case <-timer.C:
		return "", true, nil
	case <-ctx.Done():
		return "", false, context.Cause(ctx)
	}
}

func (l *limiter) serve(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.served += n
}

// offer hands a lease to those who wait.
func (l *limiter) offer(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.offered) < min(l.waiting, cap(l.offered)) {
		l.offered <- id
		return
	}
	l.served--
	l.giveBack(id)
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
	if l.waiting <= l.served {
		return "done"
	}
	l.served++
	return "next"
}

// try asks for a lease once.
func (l *limiter) try(ctx context.Context) (id string, o outlook, err error) {
	l.serve(1)
	name := rand.Text()
	reply, err := l.run(ctx, l.takeBack(name), "acquire", name)
	l.serve(-1)
	if err != nil {
		return "", o, err
	}
	id, o, err = readReply(reply, time.Now())
	if err == nil {
		l.learn(o)
		if l.owes() {
			go l.payBack() //nolint:gosec // The debt is the process's, not the call's.
		}
	}
	return id, o, err
}

func (l *limiter) run(ctx context.Context, undo func(any), operation string, more ...string) (any, error) {
	args := append(append([]string{operation}, l.args...), more...)
	return l.link.run(ctx, l.script, undo, args...)
}

func readReply(reply any, now time.Time) (id string, o outlook, err error) {
	list, _ := reply.([]any) // The length tells.
	if len(list) != 8 {
		return "", o, fmt.Errorf("salesiqredis: an answer of %d parts", len(list))
	}
	id, _ = list[0].(string) // None is "".
	number := func(i int) int64 {
		n, _ := list[i].(int64) // None is 0.
		return n
	}
	return id, outlook{
		heard:     now,
		ready:     number(1) == 1,
		at:        now.Add(time.Duration(number(2)) * time.Microsecond),
		daily:     number(3) == 1,
		processes: int(number(4)),
		size:      int(number(5)),
		midnight:  now.Add(time.Duration(number(6)) * time.Microsecond),
		left:      int(number(7)),
	}, nil
}

// DailyQuota tells how many calls the day has left.
func (l *limiter) DailyQuota() salesiq.DailyQuota {
	o := l.outlook()
	if l.plan.CallsPerDay == 0 || o.heard.IsZero() {
		return salesiq.DailyQuota{}
	}
	return salesiq.DailyQuota{Limit: l.plan.CallsPerDay, Left: o.left, Reset: o.midnight}
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
	if l.waiting > 0 && (o.ready || o.at.Before(l.last.at)) {
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

// sharedLease is a call that Redis knows of.
type sharedLease struct {
	limiter *limiter
	id      string
}

// Done implements [salesiq.Lease].
func (l *sharedLease) Done(o salesiq.Outcome) {
	operation, next := l.limiter.end(), ""
	var undo func(any)
	if operation == "next" {
		next = rand.Text()
		undo = l.limiter.takeBack(next)
	}
	reply, err := l.limiter.run(context.Background(), undo, operation, append([]string{next, l.id}, reportOf(o).args()...)...)
	if err != nil {
		l.limiter.owe(debt{l.id, o.Sent})
	}
	id, outlook, _ := readReply(reply, time.Now()) //nolint:errcheck // There is nobody to tell.
	switch {
	case id != "":
		l.limiter.offer(id)
	case operation == "next":
		l.limiter.serve(-1)
	}
	if !outlook.heard.IsZero() {
		l.limiter.learn(outlook)
	}
}

// report is what the script is told of the end of a call.
type report struct {
	sent, answered, refused, throttled, known bool

	limit, remaining int
	reset, date      int64 // Microseconds of the service's clock; 0 if not given.
	retryIn          int64 // Microseconds; -1 if not given.
}

func reportOf(o salesiq.Outcome) *report {
	window := o.RateWindow()
	date, reset := o.ServiceClock()
	r := &report{
		sent: o.Sent, answered: o.StatusCode != 0, refused: o.Refused(), throttled: o.Throttled, known: window.Known,
		limit: window.Limit, remaining: window.Remaining, reset: unixMicro(reset), date: unixMicro(date), retryIn: -1,
	}
	if wait, ok := o.RetryAfter(); ok {
		r.retryIn = wait.Microseconds()
	}
	return r
}

// args are the report as the script reads it.
func (r *report) args() []string {
	args := []string{flag(r.sent), flag(r.answered), flag(r.refused), flag(r.throttled), flag(r.known)}
	for _, n := range []int64{int64(r.limit), int64(r.remaining), r.reset, r.date, r.retryIn} {
		args = append(args, strconv.FormatInt(n, 10))
	}
	return args
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

func microseconds(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func unixMicro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// debt is a lease that Redis has not heard the end of.
type debt struct {
	id   string // Or the name that it was asked for by.
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

func (l *limiter) owes() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.owed) > 0
}

// takeBack returns what gives a lease back that came after its call had gone, or
// may have been granted although no answer came.
func (l *limiter) takeBack(name string) func(reply any) {
	return func(reply any) {
		if id, _, err := readReply(reply, time.Now()); id != "" || err != nil {
			l.giveBack(name)
		}
	}
}

func (l *limiter) giveBack(id string) {
	go func() {
		l.owe(debt{id: id})
		l.payBack()
	}()
}

// payBack ends the leases that are owed. What their calls were told is no news any
// more.
func (l *limiter) payBack() {
	l.mu.Lock()
	owed := l.owed
	l.owed = nil
	l.mu.Unlock()
	for _, d := range owed {
		untold := reportOf(salesiq.Outcome{Sent: d.sent})
		if _, err := l.run(context.Background(), nil, "done", append([]string{"", d.id}, untold.args()...)...); err != nil {
			l.owe(d)
		}
	}
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
