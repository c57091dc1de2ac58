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
	// How long the others wait for the call that goes alone. It is there to
	// learn from, not to hold everybody up.
	patience = 3 * time.Second
)

// window is what is known about the current window of the service. If it is one
// that ends, it is identified by its reset, and all calls under way are counted in
// it, since any of them may be charged to it.
type window struct {
	plan  int // Own calls per window; 0 for no limit.
	limit int // Everybody's calls per window; 0 until the service has told.

	epoch  int       // Counts windows.
	seen   bool      // An answer has told the reset of this window.
	reset  time.Time // That reset; if none was told yet, that of the window seen last. By the service's clock.
	end    time.Time // When this window is over at the latest; zero if unknown. By the caller's clock.
	own    int       // Calls started in it, or under way when it began; or of the last minute, if they are leaving.
	others int       // Calls that someone else made in it, at least.
	blind  int       // Own calls that ended in it without word of a reset.
	recent recent    // Own calls that ended in the last minute.

	probe  time.Time // When the call that goes alone was started; zero before.
	probed bool      // It was answered.

	aligned   bool // Windows begin by the service's clock, so that resets are exact.
	unaligned bool // They do not: a window went on after its reset.
	sliding   bool // There are none: the window is the last minute.

	forgot time.Time // When an answer told last that a window shorter than a minute had ended.
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
	if w.probed || !w.probe.IsZero() {
		return false
	}
	w.probe = now
	return true
}

func (w *window) probing(now time.Time) bool {
	return !w.probed && !w.probe.IsZero() && now.Before(w.probe.Add(patience))
}

// roll begins the next window when this one is over for certain.
func (w *window) roll(now time.Time, inFlight int) {
	left := w.recent.pass(now)
	if w.leaving() {
		w.own -= left
		inFlight = w.own
	}
	if !w.end.IsZero() && !now.Before(w.end) {
		w.next(inFlight)
	}
}

// next begins a window of which nothing is known but the calls that may be
// charged to it.
func (w *window) next(own int) {
	w.epoch++
	w.seen, w.end = false, time.Time{}
	w.own, w.others, w.blind = own, 0, 0
	w.probe, w.probed = time.Time{}, false
}

// settle accounts for the end of a call, and reports whether its answer speaks
// of the current window.
func (w *window) settle(a *answer, inFlight int) (current bool) {
	w.endProbe(a)
	if a.Known {
		w.limit = a.Limit
	}
	if a.Sent {
		w.learnWhetherItSlides(a, inFlight)
		current = !w.isOlder(a)
	}
	if current {
		w.attribute(a, inFlight)
	}
	if a.Sent && !a.Refused {
		w.recent.add(a.now)
	}
	if !current || a.Refused {
		w.own-- // It was counted here in case that it would be charged to this window.
	}
	// A refusal without a reset would close the window for nobody knows how
	// long, unless calls leave it; the account pauses instead.
	if current && a.Known && (!a.Throttled || !a.Reset.IsZero() || w.leaving() && w.recent.total > 0) {
		w.countOthers(a)
	}
	return current
}

// countOthers takes for others' what an answer counts beyond the own calls. Where
// windows end, that holds until the end; elsewhere for a minute, unless there are more.
func (w *window) countOthers(a *answer) {
	others := max(0, w.limit-a.Remaining-w.own)
	if !w.leaving() {
		w.others = max(w.others, others)
	} else if others >= w.others {
		w.others, w.end = others, a.now.Add(minute)
	}
}

// attribute learns from the reset in an answer: none, that of this window, or
// that of the window which is the current one from now on.
func (w *window) attribute(a *answer, inFlight int) {
	switch {
	case w.sliding, w.reset.IsZero() && a.Reset.IsZero(): // There is no window to find.
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
	if w.sliding || a.Reset.IsZero() || w.seen && w.isReset(a.Reset) {
		return false
	}
	return a.call.epoch < w.epoch && w.isOver(a.Reset)
}

// endProbe lets the others go once the first call was answered; if it was not,
// the next one is the first.
func (w *window) endProbe(a *answer) {
	switch {
	case a.call.epoch != w.epoch:
	case a.Answered:
		w.probed = true
	case a.call.probe:
		w.probe = time.Time{}
	}
}

// settleBlind counts a call whose answer tells no reset. Where none ever does, the
// window is taken to be over a minute after the last answer.
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
	return !w.reset.IsZero() && !reset.After(w.reset.Add(resolution))
}

// identify takes the reset of an answer for that of the current window.
//
// If this window was seen with another reset, the next one has begun: sooner than
// at the latest possible time, or the service's clock was set. Three kinds of calls
// may have been charged to the next one: this call and those that ended blind, which
// are among the calls that the answer counts, and those under way. The latter are
// added to what the answer counts, although it may count some of them already. A
// service that counts the last sixty seconds tells another reset in each answer, so
// that no later answer would add what was missing. If a window was shorter than a
// minute, what is counted is under way, or else it is known from before.
func (w *window) identify(a *answer, inFlight int) {
	switch {
	case w.seen:
		ended, before := w.blind+1, w.recent.total+w.others
		w.next(inFlight + ended)
		if counted := a.Limit - a.Remaining - ended; a.Known {
			w.others = max(0, counted)
			if w.movesEarly(a) && counted <= inFlight {
				w.others = min(w.others, before)
			}
		}
	case w.isReset(a.Reset) && a.call.epoch == w.epoch:
		w.unaligned = true
	}
	w.learnKind(a)
	w.seen, w.reset = true, a.Reset
	w.probed = w.probed || a.Known // What a call that goes alone is for.
	w.end = w.bound(a)
}

// learnKind finds out whether windows begin by the clock or with a call. If some
// of a window is gone when the first call of all is made in it, it is the clock.
func (w *window) learnKind(a *answer) {
	firstOfOurs := a.call.probe && a.call.epoch == w.epoch && w.own == 1
	firstOfAll := firstOfOurs && a.Known && a.Remaining == a.Limit-1
	someIsGone := a.dated && a.in < minute-2*resolution
	w.aligned = !w.unaligned && (w.aligned || firstOfAll && someIsGone)
}

// bound returns when a window is over at the latest, judged by one answer in
// it. A window that begins with a call ends within the second that Reset names, and
// one that begins by the clock at the start of that second. No window is longer
// than a minute, unless its reset is further away than rounding explains.
func (w *window) bound(a *answer) time.Time {
	if !a.dated {
		return a.now.Add(minute)
	}
	in := a.in
	if !w.aligned {
		in += resolution
	}
	if in <= minute+2*resolution {
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
	case w.leaving():
		at = w.leaves(now, ahead-free)
	case !w.end.IsZero():
		at = w.end.Add(time.Duration((ahead-max(0, free))/size) * minute)
	}
	return latest(now, at)
}
