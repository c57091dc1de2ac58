package quota_test

import (
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/salesiq-go/salesiq/internal/quota"
)

// event is a moment in a simulation without goroutines.
type event struct {
	at     time.Time
	call   quota.Call
	answer *quota.Report // Nil while the call is on its way there.

	processed bool // The service is about to answer.
}

// events are what is to come, soonest first.
type events []event

func (e *events) add(x event) {
	i := len(*e)
	for i > 0 && (*e)[i-1].at.After(x.at) {
		i--
	}
	*e = slices.Insert(*e, i, x)
}

func (e *events) next() event {
	first := (*e)[0]
	*e = slices.Delete(*e, 0, 1)
	return first
}

// account runs the accounting alone through a scenario.
func (sc scenario) account() (o outcome) {
	s := sc.service()
	a := newAccount(quota.Limits{InFlight: atOnce})
	now, left, under := sc.begin(), sc.calls(), 0
	var queue events
	for left > 0 || under > 0 {
		for left > 0 && a.Ready(now, quota.Interactive) {
			queue.add(event{at: now.Add(oneWay), call: a.Start(now)})
			left--
			under++
		}
		look := a.Look(now, quota.Interactive)
		if left > 0 && look.After(now) && (len(queue) == 0 || look.Before(queue[0].at)) {
			now = look
			continue
		}
		e := queue.next()
		now = e.at
		if e.answer == nil {
			queue.add(sc.process(s, e))
			continue
		}
		under--
		if e.answer.Throttled && !e.answer.Reset.IsZero() && !sc.mute { // As package transport reads it.
			e.answer.RetryAt = now.Add(e.answer.Reset.Sub(e.answer.Date))
		}
		a.End(e.call, *e.answer, now)
		if e.answer.Throttled {
			o.refused++
			left++
		}
	}
	o.makespan = now.Sub(sc.begin())
	return o
}

// process has the service process a call that arrives, or answer one that it has
// processed. A refusal takes no time.
func (sc scenario) process(s *service, e event) event {
	if !e.processed && !s.take(e.at) {
		refusal := s.report(e.at, false)
		return event{at: e.at.Add(oneWay), call: e.call, answer: &refusal}
	}
	if !e.processed && sc.late {
		return event{at: e.at.Add(sc.took), call: e.call, processed: true}
	}
	s.catchUp(e.at)
	s.roll(e.at)
	answer := s.report(e.at, true)
	if !e.processed {
		e.at = e.at.Add(sc.took)
	}
	if !sc.mute { // Written when the answer leaves.
		answer.Date = e.at.Add(sc.skew).Truncate(time.Second)
	}
	return event{at: e.at.Add(oneWay), call: e.call, answer: &answer}
}

// grid yields every combination of the given values.
func grid(limits, seconds []int, skews []time.Duration, kind kind, stranger bool) iter.Seq[scenario] {
	return func(yield func(scenario) bool) {
		for _, limit := range limits {
			for _, second := range seconds {
				for _, skew := range skews {
					if !yield(scenario{limit: limit, second: second, skew: skew, kind: kind, stranger: stranger}) {
						return
					}
				}
			}
		}
	}
}

// every returns the seconds of a minute, step apart.
func every(step int) (seconds []int) {
	for second := 0; second < 60; second += step {
		seconds = append(seconds, second)
	}
	return seconds
}

var (
	limits = []int{10, 20, 50, 100} // Of the specification's plans.
	kinds  = []kind{aligned, openedUp, openedCut}
	skews  = []time.Duration{
		0, 30 * time.Second, -30 * time.Second, 5 * time.Minute, -5 * time.Minute, 24 * time.Hour, -24 * time.Hour,
	}
)

// Ten windows of calls as fast as they go, in virtual time, beside an oracle
// that knows the state of the service.
func TestQuotaSimulation(t *testing.T) {
	t.Parallel()
	t.Run("accounting", testAccounting)
	t.Run("without Date", testWithoutDate)
	t.Run("clients", testClients)
}

// A service that tells no Date: with a right clock its resets are as good as
// with one; a wrong one is found out by few refusals.
func testWithoutDate(t *testing.T) {
	t.Parallel()
	for _, skew := range append(skews, time.Second/2, -time.Second/2, 50*time.Second, -50*time.Second) {
		var all tally
		for _, kind := range kinds {
			for sc := range grid(limits, append(every(7), 57, 59), []time.Duration{skew}, kind, false) {
				sc.mute = true
				o := sc.account()
				all.add(sc, o)
				if skew == 0 {
					assert.Zero(t, o.refused, "%s", sc)
				}
				assert.LessOrEqual(t, o.refused, 2, "%s", sc)
			}
		}
		t.Logf("skew %-6s %s", skew, &all)
		if skew == 0 {
			assert.LessOrEqual(t, all.mean(), 1.01, "mean")
			assert.LessOrEqual(t, all.worst, 1.12, "worst, %s", all.where)
		}
	}
}

// The accounting alone: every plan, every second of the minute, every clock,
// every kind of window.
func testAccounting(t *testing.T) {
	t.Parallel()
	seconds, skews := every(1), skews
	if testing.Short() {
		seconds, skews = append(every(7), 57, 59), []time.Duration{0, -30 * time.Second, 24 * time.Hour}
	}
	for _, stranger := range []bool{false, true} {
		for _, kind := range kinds {
			var all tally
			for sc := range grid(limits, seconds, skews, kind, stranger) {
				o := sc.account()
				all.add(sc, o)
				if !stranger {
					assert.Zero(t, o.refused, "429s although nobody else calls: %s", sc)
				}
				assert.LessOrEqual(t, o.refused, windows*atOnce, "more 429s than calls under way when a window is spent: %s", sc)
			}
			t.Logf("%-26s %-15s %s", kind, company(stranger), &all)
			assert.LessOrEqual(t, all.mean(), 1.01, "mean")
			assert.LessOrEqual(t, all.worst, 1.12, "worst, %s", all.where)
			assert.LessOrEqual(t, all.perThousand(), 15.0)
		}
	}
}

func company(stranger bool) string {
	if stranger {
		return "with a stranger"
	}
	return "alone"
}

// Whole clients, with goroutines and waiting, beside each other.
func testClients(t *testing.T) {
	t.Parallel()
	limits, seconds, skews := limits, every(15), []time.Duration{0, -30 * time.Second}
	if testing.Short() {
		limits, seconds = []int{10, 50}, []int{20}
	}
	for _, stranger := range []bool{false, true} {
		for _, client := range clients {
			var all tally
			for _, kind := range []kind{aligned, openedUp} {
				for sc := range grid(limits, seconds, skews, kind, stranger) {
					all.add(sc, sc.run(t, client.dial))
				}
			}
			t.Logf("%-26s %-15s %s", client.name, company(stranger), &all)
			if client.name != ours {
				continue
			}
			assert.Zero(t, all.failed)
			assert.LessOrEqual(t, all.mean(), 1.01, "mean")
			assert.LessOrEqual(t, all.worst, 1.12, "worst, %s", all.where)
			if !stranger {
				assert.Zero(t, all.refused)
			}
		}
	}
}
