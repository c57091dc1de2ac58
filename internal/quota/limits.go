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

// Day counts the calls of a day, which no header does. When it begins is
// not documented; it is taken to be the day of UTC, by the service's clock.
type Day struct {
	clock    clock
	used     int       // Own calls, of all accounts that share the day.
	underWay int       // Those of them that have not ended.
	end      time.Time // By the wall clock of the caller; zero before the first call.
}

const aDay = 24 * time.Hour

// Used returns how many calls of the day count, and when it is over.
func (d *Day) Used(now time.Time) (used int, end time.Time) {
	d.roll(now)
	return d.used, d.end
}

func (d *Day) free(limit int) int {
	if limit == 0 {
		return math.MaxInt
	}
	return limit - d.used
}

// roll begins the next day. Calls under way may be charged to it.
func (d *Day) roll(now time.Time) {
	switch {
	case d.end.IsZero():
		d.end = d.clock.midnight(now)
	case !now.Before(d.end):
		d.end, d.used = d.clock.midnight(now), d.underWay
	}
}

// follow moves the end of the day when the service's clock proves to be
// another than was thought. If it is past midnight there, the day is another one, to
// which the calls under way may be charged.
func (d *Day) follow(now time.Time) {
	if !d.clock.moved {
		return
	}
	end := d.clock.midnight(now)
	if end.Sub(d.end) > aDay/2 {
		d.used = d.underWay
	}
	d.end, d.clock.moved = end, false
}

func (d *Day) start() { d.used, d.underWay = d.used+1, d.underWay+1 }

// settle accounts for the end of a call, and reads the clock of its answer.
func (d *Day) settle(e *callEnd) {
	d.clock.read(e)
	d.follow(e.now)
	d.underWay--
	if !e.Counts() {
		d.used--
	}
}

// Resume counts calls that were made before the day was, on one that ends at a time by the
// caller's clock. If that is another one, they do not count. As long as no answer has told
// a Date, the time also tells when days end.
func (d *Day) Resume(now time.Time, used int, end time.Time) {
	d.roll(now)
	if !now.Before(end) || end.Sub(now) > aDay {
		return
	}
	if !d.clock.known {
		d.clock.offset, d.clock.moved = end.Round(aDay).Sub(end), true
		d.follow(now)
	}
	if end.Sub(d.end).Abs() < aDay/2 {
		d.used += used
	}
}

func (d *Day) earliest(now time.Time, ahead, limit int) time.Time {
	free := d.free(limit)
	if ahead < free {
		return now
	}
	return d.end.Add(time.Duration((ahead-max(0, free))/limit) * aDay)
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
