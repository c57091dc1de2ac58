package salesiqredis

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// waiter is a call that waits for a lease.
type waiter struct {
	*wait

	name  string      // Tells it from the other calls of the process, and from its own earlier questions.
	since int64       // When it began to wait, by Redis; 0 before Redis has said that it is in line.
	end   chan ending // Holds what came of it.
}

type ending struct {
	lease string
	err   error
}

// join puts a call into the line of this process.
func (l *limiter) join(w *wait) *waiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.names++
	waiting := &waiter{wait: w, name: strconv.FormatUint(l.names, 36), end: make(chan ending, 1)}
	l.line = append(l.line, waiting)
	return waiting
}

// leave takes a call out of the line for a reason. What it was granted in the
// meantime goes back.
func (l *limiter) leave(w *waiter, reason error) error {
	l.mu.Lock()
	i := slices.Index(l.line, w)
	if i >= 0 {
		l.line = slices.Delete(l.line, i, i+1)
	}
	l.mu.Unlock()
	if i < 0 && w.refused() {
		return reason // Redis has taken it out.
	}
	l.forget(w)
	l.takeBack(w.name)
	return reason
}

// forget drops the lease that a call was granted and does not want.
func (l *limiter) forget(w *waiter) {
	select {
	case e := <-w.end:
		l.release(e.lease)
	default:
	}
}

// hold notes that a lease is that of a call. It is called with the lock held.
func (l *limiter) hold(lease string) {
	l.held[lease] = true
	if !l.renewal {
		l.renewLater()
	}
}

// release notes that a lease is nobody's any more.
func (l *limiter) release(lease string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.held, lease)
}

// inLine reports whether Redis has said that a call is in line.
func (w *waiter) inLine() bool { return w.since > 0 }

// refused reports whether the script has refused a call that has left the line.
func (w *waiter) refused() bool {
	return w.since < 0
}

// takeBack makes a question undone, in the background.
func (l *limiter) takeBack(name string) {
	go l.pay([]message{taken(name)})
}

// ask asks Redis for the lease of a call. If it gets none yet, somebody watches.
func (l *limiter) ask(ctx context.Context, w *waiter) error {
	messages := []message{w.question(time.Now())}
	if l.wantsRank() {
		messages = append(messages, message{"rank"})
	}
	undo := func(any) { l.takeBack(w.name) }
	if err := l.exchange(ctx, undo, messages...); err != nil {
		return err
	}
	l.keepWatch()
	return nil
}

func (w *waiter) question(now time.Time) message {
	return message{"ask", w.name, microseconds(now.Sub(w.began)), microseconds(max(0, w.latest.Sub(now)))}
}

// settle ends the wait of a call that has an answer. A lease that nobody waits for
// goes back, unless it is one that a call has: some are heard of twice.
func (l *limiter) settle(name string, a answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.line, func(w *waiter) bool { return w.name == name })
	switch {
	case i < 0 && a.lease != "" && !l.held[a.lease]:
		l.takeBack(name)
	case i < 0:
	case a.lease != "":
		l.hold(a.lease)
		l.line[i].end <- ending{lease: a.lease}
		l.line = slices.Delete(l.line, i, i+1)
	case a.since == 0:
		w := l.line[i]
		w.since = -1
		w.end <- ending{err: w.held(a.at, a.daily)}
		l.line = slices.Delete(l.line, i, i+1)
	default:
		l.line[i].since = a.since
	}
}

// fail ends the waits of all calls of this process.
func (l *limiter) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.line {
		w.end <- ending{err: err}
	}
	l.line = nil
}

// How often a process that is not told of its leases asks for them. One that is
// told asks if it has heard nothing for long.
const (
	firstPoll  = 10 * time.Millisecond
	lastPoll   = 100 * time.Millisecond
	earPoll    = 400 * time.Millisecond // Where it listens in a moment. The script keeps its place for half a second.
	firstQuiet = 2 * time.Second
	lastQuiet  = 4 * time.Second
)

// The processes that wait for the same moment spread their questions: the first
// one to come asks for all.
const (
	spread     = 10 * time.Millisecond // For each process.
	lastSpread = time.Second
)

// linger is for how long a process listens after its last call has waited.
const linger = time.Second

// mostAsked is for how many calls a process asks at once.
const mostAsked = 64

// watch is what is known about when to ask again.
type watch struct {
	on          bool      // Somebody watches.
	listens     bool      // What is published for this process arrives,
	listened    time.Time // since then.
	resubscribe func()    // Listens anew.

	far   time.Duration // A round trip takes.
	news  time.Time     // When something was heard last.
	look  time.Time     // When there will be something to ask for; in the past if a call has to end first.
	pause time.Duration // Before the next question if there is no news,
	most  time.Duration // and the longest one while this process does not listen.
	late  time.Duration // How much later than others this process looks.
}

// learn plans the next question after an answer.
func (w *watch) learn(o outlook, took time.Duration) {
	if w.far == 0 || took < w.far {
		w.far = took
	} else {
		w.far += (took - w.far) / 8
	}
	w.plan(o.heard, o.look, o.processes)
}

func (w *watch) plan(now time.Time, look time.Duration, processes int) {
	// Half of the way was gone by the news, the other half is the question's.
	in := max(look-w.far, look/2) + time.Millisecond
	if look <= 0 {
		in = 0
	}
	w.news, w.look = now, now.Add(in)
	most := min(time.Duration(int64(max(1, processes))*int64(spread)), lastSpread)
	w.late = rand.N(most) //nolint:gosec // It is no secret.
}

// next returns when to ask if there is no news until then.
func (w *watch) next() time.Time {
	switch {
	case w.look.After(w.news) && w.listens:
		return w.look.Add(w.late)
	case w.look.After(w.news):
		return w.news.Add(min(max(w.pause, firstPoll), w.look.Sub(w.news)))
	case w.listens:
		return w.news.Add(max(w.pause, firstQuiet))
	}
	return w.news.Add(min(max(w.pause, firstPoll), w.most))
}

// keepWatch sees to it that somebody asks for those who wait.
func (l *limiter) keepWatch() {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case len(l.line) == 0:
	case l.watch.on:
		l.wake()
	default:
		l.watch.on, l.watch.resubscribe = true, func() {}
		l.watch.pause, l.watch.most = firstPoll, lastPoll
		ear, ok := l.link.evaler.(Subscriber)
		if ok {
			l.watch.pause, l.watch.most = earPoll, earPoll
		}
		go l.keep(ear)
	}
}

func (l *limiter) wake() {
	select {
	case l.nudge <- struct{}{}:
	default:
	}
}

// keep watches until nobody waits any more. The Subscriber may be nil.
func (l *limiter) keep(ear Subscriber) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if ear != nil {
		go l.listen(ctx, ear)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for busy, waited := time.Now(), true; ; {
		at, waits := l.nextLook()
		now := time.Now()
		if waits || waited {
			busy = now
		}
		if waited = waits; !waits {
			at = busy.Add(linger)
		}
		if !at.After(now) {
			if !waits && l.endWatch() {
				return
			}
			l.poll(ctx)
			busy = now
			continue
		}
		timer.Reset(at.Sub(now))
		select {
		case <-timer.C:
		case <-l.nudge:
		}
	}
}

// nextLook returns when to ask for calls that are in line, and whether there are any.
func (l *limiter) nextLook() (at time.Time, waits bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.watch.next(), slices.ContainsFunc(l.line, (*waiter).inLine)
}

// endWatch reports whether nobody waits.
func (l *limiter) endWatch() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watch.on = len(l.line) > 0
	if !l.watch.on {
		l.watch.listens = false
	}
	return !l.watch.on
}

// poll asks for those who have waited longest. It is in vain at times, and seldom
// soon after that.
func (l *limiter) poll(ctx context.Context) {
	l.mu.Lock()
	now := time.Now()
	var questions []message
	for _, w := range l.line {
		if w.inLine() && len(questions) < mostAsked {
			questions = append(questions, w.question(now))
		}
	}
	l.watch.pause = min(max(2*l.watch.pause, 2*firstPoll), lastQuiet)
	if l.watch.listens {
		l.watch.pause = max(l.watch.pause, firstQuiet)
	}
	l.mu.Unlock()
	if len(questions) == 0 {
		return
	}
	if err := l.exchange(ctx, nil, questions...); err != nil {
		l.fail(err)
	}
}

// doubt has the process ask soon, unless an answer or a lease under way says that all
// is well.
func (w *watch) doubt() {
	grace := 50*time.Millisecond + 2*w.far
	w.look, w.pause = time.Time{}, 0
	w.news = time.Now().Add(grace - firstQuiet)
}

// listen hears what is published for this process, and for all.
func (l *limiter) listen(ctx context.Context, ear Subscriber) {
	line := l.script.keys[3]
	channels := []string{line + ":" + l.process, line}
	for ctx.Err() == nil {
		bounded, cancel := context.WithCancel(ctx)
		l.mu.Lock()
		l.watch.resubscribe = cancel
		l.mu.Unlock()
		ear.Subscribe(bounded, channels, l.hear) //nolint:errcheck // Polls find out about Redis.
		cancel()
		l.deafen(ctx)
		select {
		case <-time.After(firstPause):
		case <-ctx.Done():
		}
	}
}

// deafen notes that what is published does not arrive any more.
func (l *limiter) deafen(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() == nil {
		l.watch.deafen()
		l.wake()
	}
}

// hears notes that what is published arrives.
func (w *watch) hears() {
	if !w.listens {
		w.listens, w.listened, w.pause = true, time.Now(), 0
	}
}

// deafen has the process ask at once, and then more often.
func (w *watch) deafen() {
	if w.listens {
		w.listens = false
		w.hurry()
	}
}

// hurry has the process ask at once.
func (w *watch) hurry() { w.news, w.look, w.pause = time.Time{}, time.Time{}, 0 }

// hear takes a message: a lease, news for all, or nothing but that this process
// listens.
func (l *limiter) hear(message string) {
	l.bring(message)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watch.hears()
	if message != "" {
		l.watch.pause = 0
	}
	l.watch.news = time.Now()
	if look, first, ok := cutLook(message); ok {
		l.watch.plan(l.watch.news, look, l.last.processes)
		if l.dropped(first) {
			l.watch.doubt()
		}
	}
	l.wake()
}

// dropped reports whether a call of this process waits for longer than the first
// one in the line.
func (l *limiter) dropped(first int64) bool {
	for _, w := range l.line {
		if w.since > 0 {
			return w.since < first
		}
	}
	return false
}

// bring settles a lease, number:began:epoch:probe:name:process, that a call of this
// process had asked for before. It ignores what is none.
func (l *limiter) bring(lease string) {
	if parts := strings.Split(lease, ":"); len(parts) == 6 {
		l.settle(parts[4], answer{lease: lease})
	}
}

// cutLook finds news for all in a message: in how long to look again, and since
// when the first in the line waits.
func cutLook(message string) (look time.Duration, first int64, ok bool) {
	fields := strings.Fields(message)
	if len(fields) != 3 || fields[0] != "look" {
		return 0, 0, false
	}
	in, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0, 0, false
	}
	first, err = strconv.ParseInt(fields[2], 10, 64)
	return time.Duration(in) * time.Microsecond, first, err == nil
}
