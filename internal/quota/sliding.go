package quota

import "time"

// counting is how long the service counts a call.
//
//	counting  an own call counts          the next one
//	untold    for a minute after its end  ending, once an answer tells a reset
//	ending    until the window ends       sliding, if the window should be a new one,
//	                                      and the service still counts old calls;
//	                                      untold, if an answer of a new one tells no reset
//	sliding   for a minute after its end  ending, if the reset moves on, and the
//	                                      service has forgotten old calls
//
// Untold is safe either way, since no call counts for longer than a minute.
type counting int

const (
	untold counting = iota
	ending
	sliding
)

// forgetting is what is known of how the service remembers own calls.
type forgetting struct {
	counting counting
	recent   recent    // Own calls that ended in the last minute.
	forgot   time.Time // When an answer last told that a window shorter than a minute had ended.
}

// ends reports whether all own calls stop counting when the window ends. Otherwise they
// stop one by one, each a minute after its end at the latest.
func (f *forgetting) ends() bool { return f.counting == ending }

// placeAfter returns the time before which a call cannot be started, if those ahead of it
// take all places that are free, and n of them more. Ended is how many own calls have
// ended and still count. The time is zero if nobody knows.
//
// Each call takes the place of an own call: first of those that ended, in the order of
// expiry, then of those under way, then of those that take the free places now. Once all
// these places are taken, the next round takes the same ones a minute later, and so on. If
// the last place of others' calls comes free sooner, or the place is that of a call under
// way, the former counts.
func (w *window) placeAfter(now time.Time, n, ended int) (at time.Time) {
	if places := w.own + max(0, w.free()); places > 0 {
		round, place := n/places, n%places
		switch {
		case place < ended:
			at = w.recent.expiry(w.recent.total - ended + place)
		case place < w.own:
			at = now // Nobody knows when the call under way ends.
		default:
			at = now.Add(minute)
		}
		at = at.Add(time.Duration(round) * minute)
	}
	if w.others > 0 && (!at.After(now) || w.end.Before(at)) {
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

// areOurs reports whether the calls that a service counts are mostly our own. If there
// are more than twice as many, others explain them as well.
func areOurs(calls, counted int) bool { return counted <= 2*calls }

// areOld reports whether calls that a service counts in what should be a new window are
// our own of before. They are if they fill a third of the limit: others would hardly
// have made as many in the first moment.
func areOld(calls, limit int) bool { return 3*calls >= limit }

// learnCounting guesses whether the window slides. If the reset moves on and the calls
// are forgotten, it does not. If they are remembered when they should not be, it does.
func (w *window) learnCounting(e *callEnd) {
	if !e.Known || w.counting == untold {
		return
	}
	movesOn := w.mark.moved(e) > resolution
	switch {
	case movesOn && areForgotten(w.recent.lasting(), e.counted()):
		if w.counting == sliding { // The mark is that of a window that is over.
			w.counting, w.mark.current = ending, true
		}
		if w.movesEarly(e) {
			w.forgot = e.now
		}
	case w.counting == ending && w.remembers(e):
		w.slide(e)
	}
	if w.counting == sliding && movesOn {
		w.mark.reset = e.Reset
	}
}

// remembers reports whether the service still counts calls that it would have forgotten
// if windows ended. By the reset of its answer:
//
//	the reset                     if windows end              the window slides if
//	----------------------------  --------------------------  ------------------------------
//	has moved on, by less than    a shorter one has begun,    it counts old calls, and at
//	a minute                      or the clock was set: what  most twice as many calls as
//	                              it counts is under way, or  ours, and no shorter window
//	                              others'                     was seen in the last minute
//	has moved on by a minute, or  a new one has begun         old calls that may be ours
//	is unknown in the answer to                               fill a third of the limit
//	a window's first call
//	is the same although the      the old one goes on, and    it counts old calls, but in
//	window should be over         counts all of our calls,    all less than half of our
//	                              or a new one of a second    recent ones
//	                              has begun, and counts none
func (w *window) remembers(e *callEnd) bool {
	recent, counted, old := w.recent.total, e.counted(), e.counted()-e.underWay
	switch {
	case w.movesEarly(e):
		shorter := !w.forgot.IsZero() && e.now.Sub(w.forgot) < minute
		return !shorter && old > 0 && areOurs(recent+e.underWay, counted)
	case w.mark.moved(e) > resolution, w.isFirst(e) && !e.trusted:
		return areOld(min(old, recent), e.Limit)
	case !w.mark.current && w.mark.matches(e):
		return old > 0 && areForgotten(recent, counted)
	}
	return false
}

// movesEarly reports whether an answer tells a later reset, although a minute has not
// gone by.
func (w *window) movesEarly(e *callEnd) bool {
	moved := w.mark.moved(e)
	return moved > resolution && moved < shortestIn
}

// slide goes over to a window that slides. What was not free before is not free
// now; what the own calls do not explain was others.
func (w *window) slide(e *callEnd) {
	taken := w.own + w.others
	w.own = e.underWay + 1 + w.recent.total // With the call that is being settled.
	w.others = max(0, taken-w.own)
	w.counting = sliding
}
