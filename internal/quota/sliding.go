package quota

import "time"

// leaving reports whether own calls leave the window one by one, each a minute
// after its end at the latest. That is true where the window slides. It is safe
// where no answer has told a reset yet, since no call counts for longer.
func (w *window) leaving() bool { return w.sliding || w.reset.IsZero() }

// leaves returns the time before which a call cannot be started that n others go
// before, or zero if nobody knows. Each of them takes the place of an own call that
// leaves, or all take those of others, when nothing is known of these any more.
func (w *window) leaves(now time.Time, n int) (at time.Time) {
	if w.own > 0 {
		at = now // A call under way may yet turn out not to count.
		if next := n % w.own; next < w.recent.total {
			at = w.recent.leaves(next)
		}
		at = at.Add(time.Duration(n/w.own) * minute)
	}
	if w.others > 0 && (at.IsZero() || w.end.Before(at)) {
		return w.end
	}
	return at
}

// learnWhetherItSlides compares what the service counts beside a call with the own
// calls of the last minute, when a window that ends has made room for the next.
func (w *window) learnWhetherItSlides(a *answer, inFlight int) {
	if !a.Known || w.reset.IsZero() {
		return
	}
	counted := a.Limit - a.Remaining
	if !a.Refused {
		counted--
	}
	moved := a.Reset.Sub(w.reset)
	switch {
	case moved > resolution && 2*counted < w.recent.lasting():
		w.stopSliding()
		if w.movesEarly(a) {
			w.forgot = a.now
		}
	case !w.sliding && w.recent.total > 0 && w.remembers(a, counted, inFlight):
		w.slide(inFlight)
	}
	if w.sliding && moved > resolution {
		w.reset = a.Reset
	}
}

// remembers reports whether a service that counts so many calls beside one still
// counts those of the window before.
func (w *window) remembers(a *answer, counted, inFlight int) bool {
	recent := w.recent.total
	moved := a.Reset.Sub(w.reset)
	first := a.call.probe && a.call.epoch == w.epoch && w.own == 1
	untold := a.Reset.IsZero() || !a.dated && a.in.Abs() > resolution
	switch {
	case w.movesEarly(a) && !w.forgot.IsZero() && a.now.Sub(w.forgot) < minute:
		return false
	case w.movesEarly(a):
		// No window of a minute is so short. But one that is shorter may have begun, or
		// a clock may have been set: then the service has forgotten the calls, and counts
		// those under way, or it has counted others.
		return counted > inFlight && 4*counted >= recent && 2*(recent+inFlight) >= counted
	case moved > resolution, first && untold:
		// It should be a new window, where others had time for few calls.
		return 3*min(counted-inFlight, recent) >= a.Limit
	case first && !w.seen && w.isReset(a.Reset):
		// A window that goes on after its reset forgets nothing.
		return 2*counted < recent
	}
	return false
}

// movesEarly reports whether an answer tells a later reset, although a minute has not
// gone by.
func (w *window) movesEarly(a *answer) bool {
	moved := a.Reset.Sub(w.reset)
	return moved > resolution && moved < minute-2*resolution
}

// slide goes over to a window that slides. What was not free before is not free
// now; what the own calls do not explain was others.
func (w *window) slide(inFlight int) {
	taken := w.own + w.others
	w.own = inFlight + 1 + w.recent.total // With the call that is being settled.
	w.others = max(0, taken-w.own)
	w.sliding, w.blind = true, 0
}

// stopSliding goes back to windows that end, of which the current one is over.
func (w *window) stopSliding() {
	if w.sliding {
		w.sliding, w.seen = false, true
	}
}
