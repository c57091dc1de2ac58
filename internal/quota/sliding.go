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

// What follows guesses how the service counts. It compares what the service counts with
// what it would count if its window slid:
//
//	counted   the calls that it counts, beside the one that it answers
//	old       those of them that cannot be under way, since there are more of them
//	recent    the own calls that ended in the last minute: if it slides, it counts all
//	lasting   those of them that it counts for certain, although clocks differ a little
//
// The numbers never agree exactly: others call as well, and a call under way may be
// counted or not. So they are compared by thresholds. A wrong guess stays until an answer
// contradicts it:
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

// counted returns how many calls the service counts beside the one that it answers.
func (a *answer) counted() int {
	if a.Refused {
		return a.Limit - a.Remaining
	}
	return a.Limit - a.Remaining - 1
}

// learnCounting guesses whether the window slides. If the reset moves on and the calls
// are forgotten, it does not. If they are remembered when they should not be, it does.
func (w *window) learnCounting(a *answer, inFlight int) {
	if !a.Known || w.counting == untold {
		return
	}
	moved := a.Reset.Sub(w.reset)
	switch {
	case moved > resolution && areForgotten(w.recent.lasting(), a.counted()):
		w.stopSliding()
		if w.movesEarly(a) {
			w.forgot = a.now
		}
	case w.counting == ending && w.recent.total > 0 && w.remembers(a, inFlight):
		w.slide(inFlight)
	}
	if w.counting == sliding && moved > resolution {
		w.reset = a.Reset
	}
}

// remembers reports whether the service still counts calls that it would have forgotten
// if windows ended. By the reset of its answer:
//
//	the reset                     if windows end              the window slides if
//	----------------------------  --------------------------  ------------------------------
//	has moved on, by less than    a shorter one has begun,    it counts old calls: in all a
//	a minute                      or the clock was set: what  quarter of our recent ones at
//	                              it counts is under way, or  least, and at most twice as
//	                              others'                     many as ours
//	has moved on by a minute, or  a new one has begun         old calls that may be ours
//	is unknown in the answer to                               fill a third of the limit
//	a window's first call
//	is the same in the answer to  the old one goes on, and    it counts old calls, but in
//	a window's first call, when   counts all of our calls,    all less than half of our
//	its time has come             or a new one of a second    recent ones
//	                              has begun, and counts none
//
// In the first case, it does not if shorter windows were seen within the last minute.
func (w *window) remembers(a *answer, inFlight int) bool {
	recent, counted, old := w.recent.total, a.counted(), a.counted()-inFlight
	moved := a.Reset.Sub(w.reset)
	resetUnknown := a.Reset.IsZero() || !a.trusted && a.in.Abs() > resolution
	switch {
	case w.movesEarly(a):
		shorter := !w.forgot.IsZero() && a.now.Sub(w.forgot) < minute
		return !shorter && old > 0 && someAreCounted(recent, counted) && areOurs(recent+inFlight, counted)
	case moved > resolution, w.isFirst(a) && resetUnknown:
		return areOld(min(old, recent), a.Limit)
	case w.isFirst(a) && !w.seen && w.isReset(a.Reset):
		return old > 0 && areForgotten(recent, counted)
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
