package quota_test

import (
	"fmt"
	"time"

	"github.com/salesiq-go/salesiq/internal/quota"
)

// start is when simulations begin, by the true clock: when the clock of a
// synctest bubble does, at the start of a minute.
var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// kind is how a service counts.
type kind int

const (
	aligned       kind = iota // A window begins with each minute of the service's clock.
	openedUp                  // The first call opens a window; the reset is rounded up to the second.
	openedCut                 // The same; the fraction of the reset is cut.
	slidingAll                // The window is the last minute; the reset tells when all calls will have left it.
	slidingOldest             // The same; the reset tells when the oldest call will.
	slidingSilent             // The same; there is no reset.
)

func (k kind) String() string {
	return [...]string{
		"aligned", "opened, reset rounded up", "opened, reset cut",
		"sliding, reset of all", "sliding, reset of the oldest", "sliding, no reset",
	}[k]
}

// service is the model of a service with a rate limit, and knows what no client
// can. Its times are the true ones; its clock is wrong by skew.
type service struct {
	limit int
	kind  kind
	skew  time.Duration
	mute  bool // It tells no Date.

	opened time.Time // The current window; zero before the first.
	used   int
	recent []time.Time // Calls of the last minute, where that is the window.

	stranger     time.Duration // Between two calls of someone else; 0 for nobody.
	strangerNext time.Time
}

// roll begins a new window where that is due.
func (s *service) roll(now time.Time) {
	switch {
	case s.kind == aligned:
		if opened := now.Add(s.skew).Truncate(time.Minute).Add(-s.skew); !opened.Equal(s.opened) {
			s.opened, s.used = opened, 0
		}
	case s.kind >= slidingAll:
		for len(s.recent) > 0 && !now.Before(s.recent[0].Add(time.Minute)) {
			s.recent = s.recent[1:]
		}
		s.opened, s.used = now, len(s.recent)
		if s.used > 0 {
			s.opened = s.recent[0]
		}
	case s.opened.IsZero() || !now.Before(s.opened.Add(time.Minute)):
		s.opened, s.used = now, 0
	}
}

// catchUp lets the stranger make the calls that are due.
func (s *service) catchUp(now time.Time) {
	for s.stranger > 0 && !s.strangerNext.After(now) {
		s.roll(s.strangerNext)
		if s.used < s.limit {
			s.count(s.strangerNext)
		}
		s.strangerNext = s.strangerNext.Add(s.stranger)
	}
}

// take processes a call that arrives now, or refuses it.
func (s *service) take(now time.Time) bool {
	s.catchUp(now)
	s.roll(now)
	if s.used >= s.limit {
		return false
	}
	s.count(now)
	return true
}

// count counts a call that arrives now.
func (s *service) count(now time.Time) {
	s.used++
	if s.kind >= slidingAll {
		s.recent = append(s.recent, now)
	}
}

// earliest returns when a call that arrives now, or later, is processed.
func (s *service) earliest(now time.Time) time.Time {
	for {
		s.catchUp(now)
		s.roll(now)
		if s.used < s.limit {
			return now
		}
		now = s.opened.Add(time.Minute) // Where the window slides, the oldest call leaves then.
	}
}

// reset is what the header says: whole seconds of the service's clock.
func (s *service) reset(now time.Time) time.Time {
	end := s.opened.Add(time.Minute + s.skew)
	switch s.kind {
	case openedUp, slidingOldest:
		end = end.Add(time.Second - 1)
	case slidingAll:
		end = now.Add(time.Minute + s.skew)
	case slidingSilent:
		return time.Time{}
	}
	return end.Truncate(time.Second)
}

// report is the headers of an answer that is given now.
func (s *service) report(now time.Time, processed bool) quota.Report {
	r := quota.Report{
		Sent: true, Answered: true, Refused: !processed, Throttled: !processed,
		Known: true, Limit: s.limit, Remaining: s.limit - s.used,
		Reset: s.reset(now), Date: now.Add(s.skew).Truncate(time.Second),
	}
	if s.mute {
		r.Date = time.Time{}
	}
	return r
}

// scenario is one run of a simulation: so many calls as fast as it goes, ten at
// once.
type scenario struct {
	limit    int
	second   int // Of the minute, at which the client starts.
	skew     time.Duration
	kind     kind
	stranger bool
	mute     bool // The service tells no Date.

	took time.Duration // From a call's arrival to its answer.
	late bool          // The headers are written after that time, not before.
}

const (
	windows = 10
	atOnce  = 10
	oneWay  = 150 * time.Millisecond
)

func (sc scenario) String() string {
	return fmt.Sprintf("L=%d, second %d, skew %s, %s, stranger %t, mute %t, took %s, late %t",
		sc.limit, sc.second, sc.skew, sc.kind, sc.stranger, sc.mute, sc.took, sc.late)
}

func (sc scenario) calls() int { return windows * sc.limit }

func (sc scenario) begin() time.Time { return start.Add(time.Duration(sc.second) * time.Second) }

// service returns the service as the client finds it. A stranger uses three
// tenths of what there is, evenly.
func (sc scenario) service() *service {
	s := &service{limit: sc.limit, kind: sc.kind, skew: sc.skew, mute: sc.mute}
	if sc.stranger {
		s.stranger = time.Minute * 10 / time.Duration(3*sc.limit)
		s.strangerNext = start
	}
	return s
}

// oracle returns the shortest time in which the calls can be made by someone
// who knows the state of the service: a call is sent so that it arrives at the
// moment at which it will be processed. Where the window slides, each moment's delay
// would leave a free call to the stranger, who keeps it; the stranger gets what it
// asks for there, and the oracle the rest.
func (sc scenario) oracle() time.Duration {
	s := sc.service()
	if sc.kind >= slidingAll && sc.stranger {
		s.limit, s.stranger = s.limit-3*s.limit/10, 0
	}
	var free [atOnce]time.Time // When each of the ten may call again.
	for i := range free {
		free[i] = sc.begin()
	}
	arrives := sc.begin()
	for i := range sc.calls() {
		if sent := free[i%atOnce].Add(oneWay); sent.After(arrives) {
			arrives = sent
		}
		arrives = s.earliest(arrives)
		s.take(arrives)
		free[i%atOnce] = arrives.Add(sc.took + oneWay)
	}
	return free[(sc.calls()-1)%atOnce].Sub(sc.begin())
}

// outcome is what a client made of a scenario.
type outcome struct {
	makespan time.Duration
	refused  int // Calls answered with a 429.
	failed   int // Calls given up.
}

// tally sums outcomes up.
type tally struct {
	runs, calls     int
	refused, failed int
	sum, worst      float64 // Of the makespan's ratio to the oracle's.
	where           scenario
}

func (t *tally) add(sc scenario, o outcome) {
	t.runs++
	t.calls += sc.calls()
	t.refused += o.refused
	t.failed += o.failed
	ratio := float64(o.makespan) / float64(sc.oracle())
	t.sum += ratio
	if ratio > t.worst {
		t.worst, t.where = ratio, sc
	}
}

func (t *tally) mean() float64 { return t.sum / float64(t.runs) }

// perThousand is how many 429s there were per thousand calls.
func (t *tally) perThousand() float64 { return 1000 * float64(t.refused) / float64(t.calls) }

func (t *tally) String() string {
	return fmt.Sprintf("%5d runs  makespan mean %6.4f, worst %6.4f  429s per 1000 calls %6.1f  failed %5d of %d",
		t.runs, t.mean(), t.worst, t.perThousand(), t.failed, t.calls)
}
