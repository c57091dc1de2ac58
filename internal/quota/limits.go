package quota

import (
	"math"
	"time"
)

// Class is how urgent a call is.
type Class int

// The classes.
const (
	Interactive Class = iota
	Batch             // It leaves a fifth of each limit to others.
)

// reserve returns how many calls of a limit the class keeps free for others.
func (c Class) reserve(limit int) int {
	if c == Batch {
		return limit / 5
	}
	return 0
}

// day counts the calls of a day, which no header does. When it begins is
// not documented; it is taken to be the day of UTC, by the service's clock.
type day struct {
	limit int       // 0 for none.
	used  int       // Own calls.
	end   time.Time // By the caller's clock; zero before the first call.
}

const aDay = 24 * time.Hour

func (d *day) free() int {
	if d.limit == 0 {
		return math.MaxInt
	}
	return d.limit - d.used
}

// roll begins the next day. Calls under way may be charged to it.
func (d *day) roll(c *clock, now time.Time, inFlight int) {
	switch {
	case d.limit == 0:
	case d.end.IsZero():
		d.end = c.midnight(now)
	case !now.Before(d.end):
		d.end, d.used = c.midnight(now), inFlight
	}
}

// follow moves the end of the day when the service's clock proves to be
// another than was thought. If it is past midnight there, the day is another one, to
// which the calls under way may be charged.
func (d *day) follow(c *clock, now time.Time, underWay int) {
	if d.limit == 0 || !c.moved {
		return
	}
	end := c.midnight(now)
	if end.Sub(d.end) > aDay/2 {
		d.used = underWay
	}
	d.end, c.moved = end, false
}

func (d *day) earliest(now time.Time, ahead int) time.Time {
	if d.limit == 0 || ahead < d.free() {
		return now
	}
	return d.end.Add(time.Duration((ahead-max(0, d.free()))/d.limit) * aDay)
}

// clock knows by how much the service's clock is ahead of the caller's, at
// least: an answer's Date was true, within its second, before the answer
// arrived.
type clock struct {
	ahead time.Duration
	known bool
	moved bool // By more than the resolution, and nobody has looked since.

	// The caller's clock cannot stand in for the service's: by the caller's, a window
	// refused a call after its reset.
	doubted bool
}

// read finds out how long the window of an answer lasts, as in and trusted.
//
//	the service has told a Date   the reset is believed if it is an hour away at most;
//	                              otherwise it is deleted
//	it never has                  the reset is compared with the caller's clock, and
//	                              believed if it is a minute away at most
func (c *clock) read(a *answer) {
	if !a.Date.IsZero() {
		c.set(a.Date.Sub(a.now))
	}
	if a.Reset.IsZero() {
		return
	}
	a.in = a.Reset.Sub(a.Date)
	if a.Date.IsZero() {
		a.in = a.Reset.Sub(a.now) - c.ahead
	}
	if !c.known {
		c.doubted = c.doubted || a.Throttled && a.in < -resolution
		a.trusted = !c.doubted && a.in > 0 && a.in <= longestIn
		return
	}
	if a.trusted = a.in >= 0 && a.in <= maxResetIn; !a.trusted {
		a.Reset = time.Time{}
	}
}

// set notes by how much the service's clock is ahead. Two Dates may differ by their
// rounding alone.
func (c *clock) set(ahead time.Duration) {
	if d := ahead - c.ahead; !c.known || d < -2*resolution || d > 2*resolution {
		c.ahead, c.moved = ahead, true
	}
	c.known = true
}

// midnight returns the end of the day of UTC by the service's clock.
func (c *clock) midnight(now time.Time) time.Time {
	service := now.Add(c.ahead).UTC()
	return now.Add(service.Truncate(aDay).Add(aDay).Sub(service.Round(0)))
}

// slots bounds the calls at once. The service's bound is the organization's, so
// that others may fill it: a refusal halves the calls at once, and each round of
// answers that are no 429 adds one.
type slots struct {
	most     int // 0 for no bound.
	open     int // At present; from 1 to most.
	inFlight int
	passed   int // Answers that were no 429, since open has changed.
	shrunkAt int // Number of the newest call when open was halved last.
}

func (s *slots) free() bool { return s.most == 0 || s.inFlight < s.open }

// shrink halves the calls at once after a refusal. Calls that were under way when it
// did so last were too many for the same reason, so their refusals change nothing.
func (s *slots) shrink(c Call, newest int) {
	if c.number <= s.shrunkAt {
		return
	}
	s.open, s.passed, s.shrunkAt = max(1, s.open/2), 0, newest
}

// grow counts an answer that is no 429.
func (s *slots) grow() {
	if s.open >= s.most {
		return
	}
	if s.passed++; s.passed >= s.open {
		s.open, s.passed = s.open+1, 0
	}
}

// pause keeps everybody from calling.
type pause struct {
	until  time.Time
	last   time.Duration // The length of the last one; zero once an answer was no 429.
	grewAt int           // Number of the newest call when it was begun by grow last.
}

func (p *pause) extend(until time.Time) {
	if until.After(p.until) {
		p.until = until
	}
}

// grow pauses after a refusal that gave no time: twice as long each time, but no longer
// than a window can last. As in [slots.shrink], calls that were under way then change
// nothing.
func (p *pause) grow(c Call, newest int, now time.Time) {
	if c.number <= p.grewAt {
		return
	}
	p.last = min(minute, max(time.Second, 2*p.last))
	p.grewAt = newest
	p.extend(now.Add(p.last))
}
