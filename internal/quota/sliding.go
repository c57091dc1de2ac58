package quota

import "time"

// callsExpire reports whether own calls stop counting one by one, each a minute after
// its end at the latest. Otherwise all of them stop when the window ends.
func (w *window) callsExpire() bool { return w.counting != ending }

// placeAfter returns the time before which a call cannot be started, if n others go
// before it and nothing is free now. It is zero if nobody knows.
//
// Each call takes the place of an own call that has expired, in the order of expiry.
// Once all those places are taken, the next round takes the same places a minute
// later, and so on. If the last place of others' calls comes free sooner, that counts.
func (w *window) placeAfter(now time.Time, n int) (at time.Time) {
	if w.own > 0 {
		round, place := n/w.own, n%w.own
		at = now // The place of a call under way: it may yet turn out not to count.
		if place < w.recent.total {
			at = w.recent.expiry(place)
		}
		at = at.Add(time.Duration(round) * minute)
	}
	if w.others > 0 && (at.IsZero() || w.end.Before(at)) {
		return w.end
	}
	return at
}

// What follows guesses how the service counts, from two numbers: how many calls it
// counts beside the one that it answers, and how many own calls ended in the last
// minute. The numbers never agree exactly: others call as well, and a call under way
// may be counted or not. So they are compared by thresholds. A wrong guess stays until
// an answer contradicts it:
//
//	wrong guess   in truth   what it costs
//	ending        sliding    429s: calls are started that the service has no place for
//	sliding       ending     time: own calls count for up to a minute after they were forgotten

// areForgotten reports whether a service that counts so few has forgotten own calls
// that it would still count if the window slid. It is fewer than half of them, since
// a few may have been refused, or not have arrived.
func areForgotten(calls, counted int) bool { return 2*counted < calls }

// someAreCounted reports whether a service that counts so many still counts some of
// the own calls. A quarter is enough where all but certain evidence is there besides:
// the service has forgotten all of them or none.
func someAreCounted(calls, counted int) bool { return 4*counted >= calls }

// areOurs reports whether the calls that a service counts are mostly our own. If there
// are more than twice as many, others explain them as well.
func areOurs(calls, counted int) bool { return counted <= 2*calls }

// areOld reports whether calls that a service counts in what should be a new window are
// our own of before. They are if they fill a third of the limit: others would hardly
// have made as many in the first moment.
func areOld(calls, limit int) bool { return 3*calls >= limit }

// learnCounting guesses whether the window slides.
func (w *window) learnCounting(a *answer, inFlight int) {
	if !a.Known || w.counting == untold {
		return
	}
	counted := a.Limit - a.Remaining
	if !a.Refused {
		counted-- // This call.
	}
	moved := a.Reset.Sub(w.reset)
	switch {
	case moved > resolution && areForgotten(w.recent.lasting(), counted):
		w.stopSliding()
		if w.movesEarly(a) {
			w.forgot = a.now
		}
	case w.counting == ending && w.recent.total > 0 && w.remembers(a, counted, inFlight):
		w.slide(inFlight)
	}
	if w.counting == sliding && moved > resolution {
		w.reset = a.Reset
	}
}

// remembers reports whether the service still counts calls that it would have
// forgotten if the window were ending.
func (w *window) remembers(a *answer, counted, inFlight int) bool {
	recent := w.recent.total
	moved := a.Reset.Sub(w.reset)
	resetUnknown := a.Reset.IsZero() || !a.trusted && a.in.Abs() > resolution
	switch {
	case w.movesEarly(a) && !w.forgot.IsZero() && a.now.Sub(w.forgot) < minute:
		return false // Its windows are shorter.
	case w.movesEarly(a):
		// The reset has moved on by less than a minute, which windows of a minute cannot
		// do. But a shorter one may have begun, or the service's clock may have been set:
		// then the calls are forgotten but for those under way, or are others'.
		return counted > inFlight && someAreCounted(recent, counted) && areOurs(recent+inFlight, counted)
	case moved > resolution, w.isFirst(a) && resetUnknown:
		// If windows end, this is a new one.
		return areOld(min(counted-inFlight, recent), a.Limit)
	case w.isFirst(a) && !w.seen && w.isReset(a.Reset):
		// The reset has not moved, although its time has come. If windows end, either the
		// old one goes on, and counts all of our calls, or a new one of a second has
		// begun, and counts none but those under way. Here, it counts some.
		return counted > inFlight && areForgotten(recent, counted)
	}
	return false
}

// movesEarly reports whether an answer tells a later reset, although a minute has not
// gone by.
func (w *window) movesEarly(a *answer) bool {
	moved := a.Reset.Sub(w.reset)
	return moved > resolution && moved < shortestIn
}

// slide goes over to a window that slides. What was not free before is not free
// now; what the own calls do not explain was others.
func (w *window) slide(inFlight int) {
	taken := w.own + w.others
	w.own = inFlight + 1 + w.recent.total // With the call that is being settled.
	w.others = max(0, taken-w.own)
	w.counting, w.blind = sliding, 0
}

// stopSliding goes back to windows that end. The reset that was told last is that of
// a window that is over.
func (w *window) stopSliding() {
	if w.counting == sliding {
		w.counting, w.seen = ending, true
	}
}
