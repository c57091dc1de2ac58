package quota

import "time"

// A Reset names the end of a window by the service's clock, in whole seconds. This file
// makes of it a time by the caller's clock, without comparing the two clocks: a window is
// over as long after the answer's arrival as its Reset is after its Date.

const (
	// resolution is that of a Reset and of a Date, which need not be rounded in the same
	// way each time.
	resolution = time.Second
	// longestIn and shortestIn bound what a minute looks like, by two such times.
	longestIn  = minute + 2*resolution
	shortestIn = minute - 2*resolution
	// maxResetIn is the furthest reset that is believed. One that is further away is a
	// unit mistaken or a value broken.
	maxResetIn = time.Hour
)

// beginsBy is what windows begin with.
type beginsBy int

const (
	unclear beginsBy = iota // Not known yet: taken for byACall.
	byClock                 // The minutes of the service's clock: they end at the start of the second of their reset.
	byACall                 // The first call: they may end anywhere in that second.
)

// learn finds out what windows begin with, from an answer that tells the reset of its
// window for the first time.
func (o *beginsBy) learn(e *callEnd, first, sameAsBefore bool) {
	firstOfAll := first && e.Known && e.Remaining == e.Limit-1
	someIsGone := e.trusted && e.in < shortestIn
	switch {
	case sameAsBefore:
		*o = byACall // The window before should have been over, and went on.
	case *o == unclear && firstOfAll && someIsGone:
		*o = byClock // Some of the window was over before anybody had called.
	}
}

// end returns when the window of an answer is over at the latest, by the caller's clock.
// No window is longer than a minute, unless its reset is further away than rounding
// explains.
func (o beginsBy) end(e *callEnd) time.Time {
	if !e.trusted {
		return e.now.Add(minute)
	}
	in := e.in
	if o != byClock {
		in += resolution
	}
	if in <= longestIn {
		in = min(in, minute)
	}
	return e.now.Add(in)
}

// clock is the service's. An answer's Date was true, within its second, after the call had
// begun and before the answer arrived. As long as no answer has told a Date, the two clocks
// are taken to be the same.
type clock struct {
	offset time.Duration // By how much it is ahead of the caller's, at least.
	known  bool          // An answer has told a Date.
	moved  bool          // The offset is another, and the day has not followed.

	// The caller's clock cannot stand in for the service's: by the caller's, a window
	// refused a call after its reset.
	doubted bool
}

// read finds out how long the window of an answer lasts, as in and trusted.
//
//	the service has told a Date   the reset is believed if it is not past, and an hour
//	                              away at most; otherwise it is deleted
//	it never has                  the reset is compared with the caller's clock, and
//	                              believed if it is yet to come, and 62 s away at most (a
//	                              minute, and two roundings); but never again after a 429
//	                              whose reset was past (doubted). Otherwise it still tells
//	                              windows apart, and they end in a minute
func (c *clock) read(e *callEnd) {
	if !e.Date.IsZero() {
		c.set(e)
	}
	if e.Reset.IsZero() {
		return
	}
	e.in = e.Reset.Sub(e.Date)
	if e.Date.IsZero() {
		e.in = e.Reset.Sub(e.now) - c.offset
	}
	if !c.known {
		c.doubted = c.doubted || e.Throttled && e.in < -resolution
		e.trusted = !c.doubted && e.in > 0 && e.in <= longestIn
		return
	}
	if e.trusted = e.in >= 0 && e.in <= maxResetIn; !e.trusted {
		e.Reset = time.Time{}
	}
}

// set notes what a Date tells, unless the offset that is known explains it: the Date of a
// call that took minutes may be as old. Two Dates may differ by their rounding alone.
func (c *clock) set(e *callEnd) {
	least, most := e.Date.Sub(e.now), e.Date.Sub(e.call.began)
	if !c.known || c.offset < least-2*resolution || c.offset > most+2*resolution {
		c.offset, c.moved = least, true
	}
	c.known = true
}

// midnight returns the end of the day of UTC by the service's clock. It has no monotonic
// reading, which would make the day longer while the machine sleeps.
func (c *clock) midnight(now time.Time) time.Time {
	now = now.Round(0)
	service := now.Add(c.offset).UTC()
	return now.Add(service.Truncate(aDay).Add(aDay).Sub(service))
}

func latest(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if t.After(first) {
			first = t
		}
	}
	return first
}
