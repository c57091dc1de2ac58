package salesiqredis

// Whoever reads the code of the limiter may go from file to file like this:
//
//	scripts/quota.lua  the account, from "What the accounting of a single process need not
//	                   know": leases, the line of tickets, who is served next
//	limiter.go         Acquire, and below it what it calls: a call asks, waits, has a lease;
//	                   exchange is the one way to the script
//	line.go            the calls of this process that wait, and when to ask for them again
//	alone.go           the share of this process while Redis is away
//	link.go            when Redis is taken for away, and for back
//	report.go          what the script is told of an answer

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq"
)

//go:embed scripts/quota.lua
var quotaScript string

var errTooLong = errors.New("the rate limit would make the call wait for too long")

// Limiter returns a limiter for [salesiq.WithLimiter], which keeps the
// organization's limits for all processes together. It is the same each time, for
// all clients of the process.
//
// Calls of all processes stand in one line: who waits longest goes next.
//
// Its method DailyQuota tells how many calls all processes together have left of
// the day, as Redis said last.
func (o *Organization) Limiter() salesiq.Limiter { return o.limiter }

func (o *Organization) newLimiter() *limiter {
	return &limiter{
		link:    o.links.limiter,
		script:  script{source: quotaScript, keys: o.keys("quota", "leases", "processes", "line", "recent")},
		config:  &o.config,
		process: o.process,
		args: []string{
			o.process,
			strconv.Itoa(o.plan.CallsPerMinute), strconv.Itoa(o.plan.CallsPerDay), strconv.Itoa(o.maxInFlight),
			microseconds(o.lease), microseconds(o.maxWait),
		},
		nudge: make(chan struct{}, 1),
		held:  map[string]bool{},
		last:  outlook{rank: rand.Int()}, //nolint:gosec // It is no secret.
	}
}

type limiter struct {
	*config

	link    *link
	script  script
	process string
	args    []string // That each script begins with.

	nudge chan struct{} // Tells the watch to look at the line.

	mu      sync.Mutex // Guards what follows.
	line    []*waiter  // Calls that wait, in the order in which they came.
	names   uint64     // Tickets so far.
	watch   watch
	last    outlook
	held    map[string]bool // Leases that calls have.
	renewal bool            // The leases are renewed in a while.
	owed    []message
	alone   *share // Nil until Redis was away.

	ranked time.Time // When this process asked for its place among the others.
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

	windowLeft int           // Calls that are left in the window.
	look       time.Duration // When to ask again, counted from the answer.
	rank       int           // How many processes come before this one.
	inFlight   int
	open       int // How many may be in flight.
	waiting    int // In all processes.
	listening  int // 1 if Redis can tell this process of its leases, 0 if not, -1 if that was not asked.
}

// dayIsSpent reports whether nothing is left of the day.
func (o outlook) dayIsSpent(now time.Time) bool { return o.left == 0 && now.Before(o.midnight) }

// message is a part of what the script is told: the end of a call, a question for
// a lease, that a question is taken back, that a call goes on, or how many calls were
// made alone.
type message []string

func ended(lease string, r *report) message {
	return append(message{"end", lease}, r.args()...)
}

func taken(name string) message { return message{"leave", name} }

func alone(calls int) message { return message{"alone", strconv.Itoa(calls)} }

func goesOn(lease string) message { return message{"renew", lease} }

// Acquire implements [salesiq.Limiter].
func (l *limiter) Acquire(ctx context.Context) (salesiq.Lease, error) {
	w := newWait(ctx, l.maxWait)
	for {
		lease, err := l.acquire(ctx, w)
		switch {
		case err == nil:
			return &sharedLease{l, lease}, nil
		case !errors.Is(err, ErrAway) || l.limiterAway == Refuse:
			return nil, err
		}
		if lease, err := l.acquireAlone(ctx, w); lease != nil || err != nil {
			return lease, err
		}
	}
}

// acquire stands in line until a lease is granted.
func (l *limiter) acquire(ctx context.Context, w *wait) (lease string, err error) {
	waiting := l.join(w)
	if err := l.ask(ctx, waiting); err != nil {
		return "", l.leave(waiting, err)
	}
	timer := time.NewTimer(time.Until(w.latest))
	defer timer.Stop()
	select {
	case e := <-waiting.end:
		if e.err != nil {
			return "", l.leave(waiting, e.err)
		}
		return e.lease, nil
	case <-ctx.Done():
		return "", l.leave(waiting, context.Cause(ctx))
	case <-timer.C:
		o := l.outlook()
		return "", l.leave(waiting, w.held(o.at, o.daily))
	}
}

// exchange tells Redis something, and learns what has changed. The answers to
// questions are settled.
func (l *limiter) exchange(ctx context.Context, undo func(any), messages ...message) error {
	asked, args := time.Now(), l.args
	var names []string
	for _, m := range messages {
		args = append(slices.Clip(args), m...)
		if m[0] == "ask" {
			names = append(names, m[1])
		}
	}
	reply, err := l.link.run(ctx, l.script, undo, args...)
	if err != nil {
		return err
	}
	o, answers, brought, err := readReply(reply, time.Now())
	if err != nil {
		return err
	}
	l.learn(o, asked)
	for i, name := range names[:min(len(names), len(answers))] {
		l.settle(name, answers[i])
	}
	for _, lease := range brought {
		l.bring(lease)
	}
	return nil
}

// answer is what the script says to a question.
type answer struct {
	lease string // Empty if there is none yet.
	at    time.Time
	daily bool
	since int64 // When the call began to wait, by Redis; 0 if it would wait in vain.
}

// readReply reads what the script says: the outlook, the answers to the questions,
// and leases for calls that had asked before.
func readReply(reply any, now time.Time) (o outlook, answers []answer, brought []string, err error) {
	list, _ := reply.([]any) // The length tells.
	if len(list) != 16 {
		return o, nil, nil, fmt.Errorf("salesiqredis: an answer of %d parts", len(list))
	}
	number := func(i int) int64 {
		n, _ := list[i].(int64) // None is 0.
		return n
	}
	o = outlook{
		heard:      now,
		ready:      number(0) == 1,
		at:         later(now, number(1)),
		daily:      number(2) == 1,
		processes:  int(number(3)),
		size:       int(number(4)),
		midnight:   later(now, number(5)),
		left:       int(number(6)),
		windowLeft: int(number(7)),
		look:       time.Duration(number(8)) * time.Microsecond,
		rank:       int(number(9)),
		inFlight:   int(number(10)),
		open:       int(number(11)),
		waiting:    int(number(12)),
		listening:  int(number(15)),
	}
	items, _ := list[13].([]any) // None is empty.
	for _, item := range items {
		answers = append(answers, readAnswer(item, now))
	}
	items, _ = list[14].([]any) // None is empty.
	for _, item := range items {
		lease, _ := item.(string) // It is one.
		brought = append(brought, lease)
	}
	return o, answers, brought, nil
}

func readAnswer(item any, now time.Time) (a answer) {
	fields, _ := item.([]any) // The length tells.
	if len(fields) != 4 {
		return a
	}
	in, _ := fields[1].(int64)    // None is 0.
	daily, _ := fields[2].(int64) // None is 0.
	a.lease, _ = fields[0].(string)
	a.since, _ = fields[3].(int64)
	a.at, a.daily = later(now, in), daily == 1
	return a
}

// later returns a time that Redis has named, and that others are told: by the wall clock.
func later(now time.Time, in int64) time.Time {
	return now.Add(time.Duration(in) * time.Microsecond).Round(0)
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

// learn remembers an outlook. What is owed is paid while Redis answers.
func (l *limiter) learn(o outlook, asked time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if o.rank < 0 {
		o.rank = l.last.rank
	}
	l.last = o
	l.watch.learn(o, time.Since(asked))
	switch {
	case o.listening == 1 && l.watch.on:
		l.watch.hears()
	case o.listening == 0 && l.watch.listens && asked.After(l.watch.listened):
		l.watch.deafen()
		l.watch.resubscribe() // The server that it listens to is not the master any more.
	}
	if l.alone != nil {
		if calls := l.alone.unheard(); calls != 0 {
			l.alone.told += calls
			l.owed = append(l.owed, alone(calls))
		}
	}
	if len(l.owed) > 0 {
		owed := l.owed
		l.owed = nil
		go l.pay(owed)
	}
}

// sharedLease is a call that Redis knows of.
type sharedLease struct {
	limiter *limiter
	lease   string
}

// Done implements [salesiq.Lease].
func (l *sharedLease) Done(o salesiq.Outcome) {
	defer l.limiter.release(l.lease)
	if err := l.limiter.exchange(context.Background(), nil, ended(l.lease, reportOf(o))); err != nil {
		// What its answer said is no news any more once it can be told.
		l.limiter.owe(ended(l.lease, reportOf(salesiq.Outcome{Sent: o.Sent})))
	}
}

// renewLater renews the leases of calls under way when a third of their time is over, and
// so on until there are none. It is called with the lock held.
func (l *limiter) renewLater() {
	if l.renewal = len(l.held) > 0; l.renewal {
		time.AfterFunc(l.lease/3, l.renew)
	}
}

// renew lets Redis know that calls go on. One that has ended meanwhile stays so.
func (l *limiter) renew() {
	l.mu.Lock()
	var messages []message
	for lease := range l.held {
		messages = append(messages, goesOn(lease))
	}
	l.mu.Unlock()
	if len(messages) > 0 {
		l.exchange(context.Background(), nil, messages...) //nolint:errcheck // The next one may arrive.
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renewLater()
}

// maxOwed bounds what is remembered; leases and tickets end by themselves.
const maxOwed = 1000

// owe remembers what Redis has not heard.
func (l *limiter) owe(messages ...message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.owed = append(l.owed, messages[:min(len(messages), max(0, maxOwed-len(l.owed)))]...)
}

// pay tells Redis what it has not heard.
func (l *limiter) pay(owed []message) {
	const atOnce = 50
	for len(owed) > 0 {
		n := min(len(owed), atOnce)
		if err := l.exchange(context.Background(), nil, owed[:n]...); err != nil {
			l.owe(owed...)
			return
		}
		owed = owed[n:]
	}
}

// wait is how long a call may wait.
type wait struct {
	began    time.Time
	latest   time.Time
	deadline bool // It is that of the context.
}

func newWait(ctx context.Context, most time.Duration) *wait {
	now := time.Now()
	w := &wait{began: now, latest: now.Add(most)}
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(w.latest) {
		w.latest, w.deadline = deadline, true
	}
	return w
}

// held is the error of a call that cannot be made before a time.
func (w *wait) held(at time.Time, daily bool) error {
	cause := errTooLong
	if daily {
		cause = salesiq.ErrDailyLimit
	}
	if w.deadline {
		cause = fmt.Errorf("%w: %w", cause, context.DeadlineExceeded)
	}
	return &salesiq.Error{Code: salesiq.ErrRateLimitExceeded, RetryAt: at.Round(0), Err: cause}
}
