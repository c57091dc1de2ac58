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
	Batch             // It leaves a fifth of each minute and day to others.
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

// slots bounds the calls at once. The service's bound is the organization's, so
// that others may fill it: a refusal halves the calls at once, and each round of
// answers that are no 429 adds one.
type slots struct {
	most     int // 0 for no bound.
	open     int // At present; from 1 to most.
	inFlight int
	passed   int // Answers that were no 429, since open has changed.
}

func (s *slots) free() bool { return s.most == 0 || s.inFlight < s.open }

// shrink halves the calls at once.
func (s *slots) shrink() { s.open, s.passed = max(1, s.open/2), 0 }

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
	until time.Time
	last  time.Duration // The length of the last one; zero once an answer was no 429.
}

func (p *pause) extend(until time.Time) {
	if until.After(p.until) {
		p.until = until
	}
}

// grow pauses for twice as long each time, but no longer than a window can last.
func (p *pause) grow(now time.Time) {
	p.last = min(minute, max(time.Second, 2*p.last))
	p.extend(now.Add(p.last))
}
