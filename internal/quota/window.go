package quota

import (
	"math"
	"time"
)

const (
	// The specification counts calls per minute.
	minute = time.Minute
	// A reset that is further away is a unit mistaken or a value broken.
	maxResetIn = time.Hour
	// Resets have whole seconds, and need not be rounded in the same way each
	// time.
	resolution = time.Second
	// The longest time from an answer to the end of a window, by two times that are
	// both rounded.
	longestIn = minute + 2*resolution
	// The shortest time from one reset to the next, and from the first call of a
	// window to its reset, by such times.
	shortestIn = minute - 2*resolution
	// How long the others wait for the call that goes alone. It is there to
	// learn from, not to hold everybody up.
	patience = 3 * time.Second
)

// stage is how far a window is: see the package documentation.
type stage int

const (
	fresh stage = iota
	probing
	probed
)

// counting is how long the service counts a call: see the package documentation.
type counting int

const (
	untold counting = iota
	ending
	sliding
)

// opening is when windows begin. It tells when in the second of its reset a window
// ends.
type opening int

const (
	unclear opening = iota // As by a call, until an answer shows that it is by the clock.
	byClock                // With each minute of the service's clock: at the start of the second.
	byACall                // With the first call, for sure, since a window went on after its reset.
)

// window is what is known about the current window of the service. While it is
// ending, it is identified by its reset, and all calls under way are counted in it,
// since any of them may be charged to it.
type window struct {
	plan  int // Own calls per window; 0 for no limit.
	limit int // Everybody's calls per window; 0 until the service has told.

	stage    stage
	counting counting
	opening  opening

	epoch  int       // Counts windows.
	seen   bool      // An answer has told the reset of this window.
	reset  time.Time // That reset; if none was told yet, that of the window seen last. By the service's clock.
	end    time.Time // When this window is over at the latest; if calls expire, when those of others have. Zero if unknown. By the caller's clock.
	own    int       // Calls started in it, or under way when it began; if calls expire, those that have not.
	others int       // Calls that someone else made in it, at least.
	blind  int       // Own calls that ended in it, whose answers told no reset.
	recent recent    // Own calls that ended in the last minute.

	forgot time.Time // When an answer told last that a window shorter than a minute had ended.

	probeBegan time.Time // When the probe was started.
}

// free returns how many more calls may be started in the window.
func (w *window) free() int {
	free := math.MaxInt
	if w.limit > 0 {
		free = w.limit - w.own - w.others
	}
	if w.plan > 0 {
		free = min(free, w.plan-w.own)
	}
	return free
}

// size returns how many calls a new window grants, or 0 if that is not known.
func (w *window) size() int {
	if w.limit > 0 && w.plan > 0 {
		return min(w.limit, w.plan)
	}
	return max(w.limit, w.plan)
}

// start counts a call. The first one of a window goes alone: its answer tells
// what others have used.
func (w *window) start(now time.Time) (probe bool) {
	w.own++
	if w.stage != fresh {
		return false
	}
	w.stage, w.probeBegan = probing, now
	return true
}

// holdsOthers reports whether calls wait for the answer to the probe.
func (w *window) holdsOthers(now time.Time) bool {
	return w.stage == probing && now.Before(w.probeBegan.Add(patience))
}

// roll begins the next window when this one is over for certain. If calls expire, there
// are no windows, and the next one means: the calls of others are forgotten, and a probe
// counts them anew.
func (w *window) roll(now time.Time, inFlight int) {
	expired := w.recent.pass(now)
	carried := inFlight
	if w.callsExpire() {
		w.own -= expired
		carried = w.own
	}
	if !w.end.IsZero() && !now.Before(w.end) {
		w.next(carried)
	}
}

// next begins a window of which nothing is known but the calls that may be
// charged to it.
func (w *window) next(own int) {
	w.epoch++
	w.seen, w.end = false, time.Time{}
	w.own, w.others, w.blind = own, 0, 0
	w.stage = fresh
}

// settle accounts for the end of a call, and reports whether its answer speaks
// of the current window. In this order, it finds out how the service counts, which
// window the answer is of, and what others have used.
func (w *window) settle(a *answer, inFlight int) (current bool) {
	w.endProbe(a)
	if a.Known {
		w.limit = a.Limit
	}
	if a.Sent {
		w.learnCounting(a, inFlight)
		current = !w.isOlder(a)
	}
	if current {
		w.attribute(a, inFlight) // It may begin the next window, which is current then.
	}
	if a.Sent && !a.Refused {
		w.recent.add(a.now)
	}
	if !current || a.Refused {
		w.own-- // It was counted here in case that it would be charged to this window.
	}
	if current && a.Known && w.canTellOthers(a) {
		w.countOthers(a)
	}
	return current
}

// canTellOthers reports whether an answer is to be believed about the calls of others.
// A refusal without a reset would close the window, and nobody knows for how long,
// unless calls of ours expire; the account pauses instead.
func (w *window) canTellOthers(a *answer) bool {
	return !a.Throttled || !a.Reset.IsZero() || w.callsExpire() && w.recent.total > 0
}

// countOthers takes for others' what an answer counts beyond the own calls. Where
// windows end, that holds until the end; elsewhere for a minute, unless there are more.
func (w *window) countOthers(a *answer) {
	others := max(0, w.limit-a.Remaining-w.own)
	if w.counting == ending {
		w.others = max(w.others, others)
	} else if others >= w.others {
		w.others, w.end = others, a.now.Add(minute)
	}
}

// attribute learns from the reset in an answer: none, that of this window, or
// that of the window which is the current one from now on.
func (w *window) attribute(a *answer, inFlight int) {
	switch {
	case w.counting == sliding, w.counting == untold && a.Reset.IsZero(): // There is no window to find.
	case a.Reset.IsZero():
		w.settleBlind(a)
	case w.seen && w.isReset(a.Reset):
		w.shorten(w.bound(a))
	default:
		w.identify(a, inFlight)
	}
}

// isOlder reports whether an answer speaks of a window before this one.
func (w *window) isOlder(a *answer) bool {
	if w.counting == sliding || a.Reset.IsZero() || w.seen && w.isReset(a.Reset) {
		return false
	}
	return a.call.epoch < w.epoch && w.isOver(a.Reset)
}

// endProbe lets the others go once a call was answered. If the probe was not, the next
// call is one.
func (w *window) endProbe(a *answer) {
	switch {
	case a.call.epoch != w.epoch:
	case a.Answered:
		w.stage = probed
	case a.call.probe && w.stage == probing:
		w.stage = fresh
	}
}

// settleBlind counts a call whose answer tells no reset, although one of an earlier
// window did. As long as none tells that of this window, it is taken to be over a
// minute after the last answer.
func (w *window) settleBlind(a *answer) {
	if !a.Refused {
		w.blind++
	}
	if !w.seen && w.size() > 0 {
		w.end = a.now.Add(minute)
	}
}

// isReset reports whether a reset is that of the window seen last.
func (w *window) isReset(reset time.Time) bool {
	d := reset.Sub(w.reset)
	return -resolution <= d && d <= resolution
}

// isOver reports whether a reset is that of a window before this one. As long as
// this one was not seen, the window seen last is such a window, too.
func (w *window) isOver(reset time.Time) bool {
	if w.seen {
		return reset.Before(w.reset)
	}
	return w.counting != untold && !reset.After(w.reset.Add(resolution))
}

// identify takes the reset of an answer for that of the current window. If this one was
// seen with another reset, that is the next one.
func (w *window) identify(a *answer, inFlight int) {
	switch {
	case w.seen:
		w.beginEarly(a, inFlight)
	case w.isReset(a.Reset) && a.call.epoch == w.epoch:
		w.opening = byACall // It went on after the reset of the window before.
	}
	w.learnOpening(a)
	w.counting, w.seen, w.reset = ending, true, a.Reset
	if a.Known {
		w.stage = probed // The answer has told what a probe is to find out.
	}
	w.end = w.bound(a)
}

// beginEarly begins the next window before the end of this one: an answer has told its
// reset. So this one ended sooner than at the latest possible time, or the service's clock
// was set. All own calls that may have been charged to the next one are counted in it:
//
//	this call, and those that ended blind   own; what else the answer counts is others'
//	those under way                         own, even if the answer counts them already
//
// Calls under way so may count twice. That is safe; and if the answer does not count
// them, no later one need do so: a service whose window slides tells another reset in each.
//
// There is one exception. If the reset moves by less than a minute, and no more is counted
// than is under way, that is mostly what is counted. Then no more of it is others' than
// the calls that were known before.
func (w *window) beginEarly(a *answer, inFlight int) {
	charged, known := w.blind+1, w.recent.total+w.others
	w.next(charged + inFlight)
	if !a.Known {
		return
	}
	rest := a.Limit - a.Remaining - charged
	w.others = max(0, rest)
	if w.movesEarly(a) && rest <= inFlight {
		w.others = min(w.others, known)
	}
}

// isFirst reports whether an answer is to the first of our calls in this window, and
// no other was charged to it.
func (w *window) isFirst(a *answer) bool {
	return a.call.probe && a.call.epoch == w.epoch && w.own == 1
}

// learnOpening finds out whether windows begin by the clock. They do if some of a
// window is gone when the first call of all is made in it.
func (w *window) learnOpening(a *answer) {
	firstOfAll := w.isFirst(a) && a.Known && a.Remaining == a.Limit-1
	someIsGone := a.trusted && a.in < shortestIn
	if w.opening == unclear && firstOfAll && someIsGone {
		w.opening = byClock
	}
}

// bound returns when a window is over at the latest, judged by one answer in it. That
// is within the second that Reset names, or at its start if windows begin by the clock.
// No window is longer than a minute, unless its reset is further away than rounding
// explains.
func (w *window) bound(a *answer) time.Time {
	if !a.trusted {
		return a.now.Add(minute)
	}
	in := a.in
	if w.opening != byClock {
		in += resolution
	}
	if in <= longestIn {
		in = min(in, minute)
	}
	return a.now.Add(in)
}

// shorten takes the earliest of the bounds. They differ, since Date has whole
// seconds, too: an answer that was fast and came early in its second tells most.
func (w *window) shorten(end time.Time) {
	if end.Before(w.end) {
		w.end = end
	}
}

// earliest returns when a call can be started if ahead others go first.
func (w *window) earliest(now time.Time, ahead int) (at time.Time) {
	free, size := w.free(), w.size()
	switch {
	case ahead < free || size == 0:
		return now
	case w.callsExpire():
		at = w.placeAfter(now, ahead-free)
	case !w.end.IsZero():
		at = w.end.Add(time.Duration((ahead-max(0, free))/size) * minute)
	}
	return latest(now, at)
}
