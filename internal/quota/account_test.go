package quota_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/quota"
)

// newAccount returns an account with a day of its own.
func newAccount(l quota.Limits) *quota.Account { return quota.NewSharing(l, new(quota.Day)) }

// ledger is an account in a test, with a clock and short words.
type ledger struct {
	*recorder

	t   *testing.T
	now time.Time
}

func newLedger(t *testing.T, l quota.Limits) *ledger {
	t.Helper()
	return &ledger{recorder: record(t, l), t: t, now: start}
}

func (l *ledger) start() quota.Call {
	l.t.Helper()
	require.True(l.t, l.Ready(l.now, quota.Interactive))
	return l.Start(l.now)
}

func (l *ledger) end(c quota.Call, r quota.Report) { l.End(c, r, l.now) }

// call starts and ends a call at once.
func (l *ledger) call(r quota.Report) {
	l.t.Helper()
	l.end(l.start(), r)
}

func (l *ledger) pass(d time.Duration) { l.now = l.now.Add(d) }

// free counts how many calls may be started now, each beside the others.
func (l *ledger) free() (n int) {
	var calls []quota.Call
	for l.Ready(l.now, quota.Interactive) && n < 100 {
		calls = append(calls, l.Start(l.now))
		n++
	}
	for _, call := range calls {
		l.Cancel(call, l.now)
	}
	return n
}

// wait returns how long it takes until a call may be started.
func (l *ledger) wait() time.Duration { return l.Look(l.now, quota.Interactive).Sub(l.now) }

// says is an answer of a service whose window ends after in.
func (l *ledger) says(limit, remaining int, in time.Duration) quota.Report {
	return quota.Report{
		Sent: true, Answered: true, Known: true, Limit: limit, Remaining: remaining,
		Reset: l.now.Add(in).Truncate(time.Second), Date: l.now.Truncate(time.Second),
	}
}

// saysUndated is the answer of a service without a Date whose window is spent.
func (l *ledger) saysUndated(in time.Duration) quota.Report {
	r := l.says(10, 0, in)
	r.Date = time.Time{}
	return r
}

var silent = quota.Report{Sent: true, Answered: true}

func TestFirstCallGoesAloneButNotForEver(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{PerMinute: 10, InFlight: 10})
	l.start()
	assert.False(t, l.Ready(l.now, quota.Interactive))
	assert.Equal(t, 3*time.Second, l.wait())
	l.pass(3 * time.Second)
	assert.Equal(t, 9, l.free(), "a first call that hangs must not hold everybody up")
}

func TestFirstCallThatFailedLeavesItsPartToTheNext(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{InFlight: 10})
	l.call(quota.Report{Sent: true})
	l.start()
	assert.False(t, l.Ready(l.now, quota.Interactive), "nothing has been learned")
}

func TestNobodyGoesAloneInAWindowThatAnAnswerHasToldOf(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{InFlight: 10})
	for range 5 { // A service whose reset moves on as time does.
		l.call(l.says(100, 90, time.Minute))
		assert.Equal(t, 10, l.free())
		l.pass(5 * time.Second)
	}
}

// A service that counts the last sixty seconds may not have got to the calls under
// way when it answers, and none of its answers is about the window of another.
func TestCallsUnderWayAreNotFreeWhereTheWindowMovesOn(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{})
	l.call(l.says(20, 12, time.Minute))
	var underWay []quota.Call
	for range 10 {
		underWay = append(underWay, l.start())
	}
	for i, call := range underWay {
		l.pass(5 * time.Second)
		l.end(call, l.says(20, 11-i, time.Minute))
		assert.Equal(t, 2, l.free())
	}
}

func TestWhatOthersUsedIsNotFree(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{})
	l.call(l.says(10, 6, 40*time.Second)) // Three by others.
	assert.Equal(t, 6, l.free())
	l.call(l.says(10, 2, 40*time.Second)) // Three more.
	assert.Equal(t, 2, l.free())
}

func TestCallsUnderWayAreNotTakenForOthers(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{})
	l.call(l.says(10, 9, 40*time.Second))
	first, second := l.start(), l.start()
	l.end(first, l.says(10, 7, 40*time.Second)) // Both were processed.
	assert.Equal(t, 7, l.free())
	l.end(second, l.says(10, 8, 40*time.Second)) // This one was before, and was overtaken.
	assert.Equal(t, 7, l.free())
}

func TestCallUnderWayIsCountedInTheNextWindowUntilItsAnswerTells(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		in   time.Duration // To the reset that the answer tells.
		free int
	}{
		{"it was charged to the old window", -2 * time.Second, 9},
		{"it was charged to the new window", 58 * time.Second, 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, quota.Limits{})
			l.call(l.says(10, 9, 40*time.Second))
			late := l.start()
			l.pass(42 * time.Second)
			r := l.says(10, 9, tt.in)
			if tt.in < 0 { // Answered before the window ended.
				r.Date = r.Reset.Add(-time.Second)
			}
			probe := l.start()
			l.end(late, r)
			l.end(probe, l.says(10, tt.free, 58*time.Second))
			assert.Equal(t, tt.free, l.free())
		})
	}
}

func TestEndOfAWindow(t *testing.T) {
	t.Parallel()
	const second = time.Second
	tests := []struct {
		name   string
		report func(l *ledger) quota.Report
		wait   time.Duration
	}{
		{"the header may hide a fraction of a second", func(l *ledger) quota.Report { return l.says(10, 0, 40*second) }, 41 * second},
		{"a minute is a minute", func(l *ledger) quota.Report { return l.says(10, 0, 60*second) }, 60 * second},
		{"a reset that was rounded up", func(l *ledger) quota.Report { return l.says(10, 0, 61*second) }, 60 * second},
		{"a reset more than two seconds past a minute is not rounding", func(l *ledger) quota.Report { return l.says(10, 0, 62*second) }, 63 * second},
		{"windows need not be minutes", func(l *ledger) quota.Report { return l.says(10, 0, 50*time.Minute) }, 50*time.Minute + second},
		{"this second", func(l *ledger) quota.Report { return l.says(10, 0, 0) }, second},
		{"a reset in an hour is the furthest", func(l *ledger) quota.Report { return l.says(10, 0, time.Hour) }, time.Hour + second},
		{"a reset further away is none", func(l *ledger) quota.Report { return l.says(10, 0, time.Hour+second) }, time.Minute},
		{"no reset", func(l *ledger) quota.Report { r := l.says(10, 0, 0); r.Reset = time.Time{}; return r }, time.Minute},
		{"a reset in the past is none", func(l *ledger) quota.Report { return l.says(10, 0, -second) }, time.Minute},
		{"a reset in the far future is none", func(l *ledger) quota.Report { return l.says(10, 0, 2*time.Hour) }, time.Minute},
		{"no date but a reset that agrees with our clock", func(l *ledger) quota.Report { return l.saysUndated(4 * second) }, 5 * second},
		{"no date but a reset that is over", func(l *ledger) quota.Report { return l.saysUndated(-30 * second) }, time.Minute},
		{"no date but a reset that is now", func(l *ledger) quota.Report { return l.saysUndated(0) }, time.Minute},
		{"no date but the furthest reset that agrees", func(l *ledger) quota.Report { return l.saysUndated(62 * second) }, 63 * second},
		{"no date but a reset a little too far away", func(l *ledger) quota.Report { return l.saysUndated(63 * second) }, time.Minute},
		{"no date but a reset too far away", func(l *ledger) quota.Report { return l.saysUndated(90 * second) }, time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, quota.Limits{})
			l.call(tt.report(l))
			assert.Equal(t, tt.wait, l.wait())
			assert.False(t, l.Ready(l.now.Add(tt.wait-1), quota.Interactive))
			assert.True(t, l.Ready(l.now.Add(tt.wait), quota.Interactive))
		})
	}
}

func TestWindowThatBeganBeforeAnybodyCalledKeepsToTheClock(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{})
	l.call(l.says(1, 0, 40*time.Second))
	assert.Equal(t, 40*time.Second, l.wait(), "its reset is exact")
	l.pass(40 * time.Second)
	r := l.says(1, 0, 0)
	r.Throttled, r.Refused = true, true
	l.call(r)
	assert.Equal(t, time.Second, l.wait(), "it was not")
}

// Three answers with the same Date and Reset: the service's second began no
// later than the first of them arrived.
func TestAnswerEarlyInItsSecondTellsMost(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{})
	for range 3 {
		l.pass(300 * time.Millisecond)
		r := l.says(10, 0, 0)
		r.Reset = start.Add(40 * time.Second)
		l.End(l.Start(l.now), r, l.now)
	}
	assert.Equal(t, start.Add(300*time.Millisecond+41*time.Second), l.Look(l.now, quota.Interactive))
}

func TestWithoutDateTheClockRunsOn(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{})
	dated := l.says(10, 5, 10*time.Second)
	dated.Date, dated.Reset = dated.Date.Add(time.Hour), dated.Reset.Add(time.Hour)
	l.call(dated)
	l.pass(20 * time.Second)
	undated := l.says(10, 0, 30*time.Second)
	undated.Date, undated.Reset = time.Time{}, undated.Reset.Add(time.Hour)
	l.call(undated)
	assert.Equal(t, 31*time.Second, l.wait())
}

func TestClockThatAWindowOutlivesIsNotTakenForTheServices(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{})
	r := l.saysUndated(4 * time.Second)
	l.call(r)
	l.pass(5*time.Second + 300*time.Millisecond)
	r.Throttled, r.Refused = true, true
	l.call(r)
	assert.Equal(t, time.Minute, l.wait())
	l.pass(time.Minute)
	l.call(l.saysUndated(4 * time.Second))
	assert.Equal(t, time.Minute, l.wait(), "it was found to be wrong")
}

func TestClockIsDoubtedForARefusalBehindTheResetAlone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		throttled bool
		in        time.Duration
		wait      time.Duration // That an answer with a reset in four seconds leads to, later.
	}{
		{"a refusal within the window", true, 20 * time.Second, 5 * time.Second},
		{"a refusal as late as rounding explains", true, -time.Second, 5 * time.Second},
		{"a refusal later than that", true, -2 * time.Second, time.Minute},
		{"a refusal without a reset", true, 0, 5 * time.Second},
		{"an answer that is late", false, -30 * time.Second, 5 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, quota.Limits{})
			r := l.saysUndated(tt.in)
			r.Throttled, r.Refused = tt.throttled, tt.throttled
			if tt.in == 0 {
				r.Reset = time.Time{}
			}
			l.call(r)
			l.pass(2 * time.Minute)
			l.call(l.saysUndated(4 * time.Second))
			assert.Equal(t, tt.wait, l.wait())
		})
	}
}

func TestFreshWindowDoesNotTellWhetherItKeepsToTheClock(t *testing.T) {
	t.Parallel()
	for in, wait := range map[time.Duration]time.Duration{
		57 * time.Second: 57 * time.Second,
		58 * time.Second: 59 * time.Second, // It may have been opened by this call.
	} {
		t.Run(in.String(), func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, quota.Limits{})
			l.call(l.says(1, 0, in))
			assert.Equal(t, wait, l.wait())
		})
	}
}

func TestCallOfAnOlderWindowDoesNotTellWhetherThisOneKeepsToTheClock(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{})
	slow := l.start()
	l.pass(3 * time.Second)
	l.call(l.says(1, 0, 10*time.Second))
	l.pass(11 * time.Second)
	l.end(slow, l.says(1, 0, 50*time.Second))
	assert.Equal(t, 51*time.Second, l.wait())
}

func TestPlanBoundsOwnCallsOnly(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{PerMinute: 25})
	l.call(l.says(100, 60, 40*time.Second))
	assert.Equal(t, 24, l.free(), "others may use the rest")
	l.call(l.says(100, 7, 40*time.Second))
	assert.Equal(t, 7, l.free(), "or more than that")
}

func TestPlanOfOneCallIsAPlan(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{PerMinute: 1})
	l.call(l.says(10, 9, 40*time.Second))
	assert.Zero(t, l.free())
	at, _ := l.Earliest(l.now, 1, quota.Interactive)
	assert.Equal(t, 100*time.Second, at.Sub(l.now), "the second one waits for another window")
	calls, known := l.PerWindow()
	assert.Equal(t, 1, calls)
	assert.True(t, known)
}

func TestCallsOfAWindowAreKnownOnceAnAnswerTells(t *testing.T) {
	t.Parallel()
	type known struct {
		calls int
		known bool
	}
	perWindow := func(a *quota.Account) (k known) { k.calls, k.known = a.PerWindow(); return k }
	a := newAccount(quota.Limits{})
	assert.Equal(t, known{math.MaxInt, false}, perWindow(a), "before the first answer")
	a.End(a.Start(start), silent, start)
	assert.Equal(t, known{math.MaxInt, true}, perWindow(a), "an answer that speaks of no limit")
	r := silent
	r.Known, r.Limit = true, 10
	a.End(a.Start(start), r, start)
	assert.Equal(t, known{10, true}, perWindow(a))
	assert.Equal(t, known{3, true}, perWindow(newAccount(quota.Limits{PerMinute: 3})), "a plan tells beforehand")
}

func TestPlanHoldsWhereTheServiceIsSilent(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{PerMinute: 3})
	for range 3 {
		l.call(silent)
		l.pass(10 * time.Second)
	}
	assert.Equal(t, 30*time.Second, l.wait(), "a minute after the first")
	l.pass(30 * time.Second)
	assert.Equal(t, 1, l.free(), "the others count for longer")
}

func TestNothingIsKnownNothingIsBoundedButCallsAtOnce(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{InFlight: 10})
	for range 1000 {
		l.call(silent)
	}
	assert.Equal(t, 10, l.free())
}

func TestRefusedTokenCostsNothingUnlessTheServiceSaysSo(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{})
	l.call(l.says(10, 9, 40*time.Second))
	r := l.says(10, 9, 40*time.Second)
	r.Refused = true
	l.call(r)
	assert.Equal(t, 9, l.free())
	r.Remaining = 8
	l.call(r)
	assert.Equal(t, 8, l.free())
}

// What a refusal says of itself decides what it is heeded with.
func TestRefusalMakesCallsFewerOrLater(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		remaining int
		reset     bool
		atOnce    int
		wait      time.Duration
	}{
		{"there were too many at once if a call remains", 1, true, 5, 0},
		{"the window is spent if none remains", 0, true, 10, 40 * time.Second},
		{"a call remains until nobody knows when", 1, false, 5, 0},
		{"none remains until nobody knows when", 0, false, 5, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, quota.Limits{InFlight: 10})
			l.call(l.says(100, 99, 40*time.Second))
			r := l.says(100, tt.remaining, 40*time.Second)
			r.Throttled, r.Refused = true, true
			if !tt.reset {
				r.Reset = time.Time{}
			}
			l.call(r)
			assert.Equal(t, tt.wait, l.wait())
			l.pass(time.Minute)
			l.call(l.says(100, 99, 40*time.Second))
			assert.Equal(t, tt.atOnce, l.free())
		})
	}
}

func TestCallsStartedBeforeARefusalWasHeededAreNotHeededAgain(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{InFlight: 8})
	l.call(l.says(100, 99, 40*time.Second))
	first, second := l.start(), l.start()
	refusal := l.says(100, 50, 40*time.Second)
	refusal.Throttled, refusal.Refused = true, true
	l.end(first, refusal)
	assert.Equal(t, 4-1, l.free(), "one is under way")
	l.end(second, refusal)
	assert.Equal(t, 4, l.free(), "it says nothing new")
	l.call(refusal)
	assert.Equal(t, 2, l.free(), "it was one too many again")
}

func TestUnexplainedRefusalsOfCallsUnderWayTogetherPauseOnce(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{InFlight: 8})
	l.call(silent)
	calls := []quota.Call{l.start(), l.start(), l.start()}
	refusal := quota.Report{Sent: true, Answered: true, Refused: true, Throttled: true}
	for _, call := range calls {
		l.end(call, refusal)
		assert.Equal(t, time.Second, l.wait())
	}
	l.pass(time.Second)
	assert.Equal(t, 4, l.free(), "nor does each of them halve the calls at once")
	l.call(refusal)
	assert.Equal(t, 2*time.Second, l.wait(), "it came after the pause")
}

func TestUnexplainedRefusalsPauseLongerEachTime(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{InFlight: 10})
	refusal := quota.Report{Sent: true, Answered: true, Refused: true, Throttled: true}
	for _, seconds := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
		l.call(refusal)
		assert.InDelta(t, seconds, l.wait().Seconds(), 0)
		l.pass(l.wait())
	}
	l.call(silent)
	l.call(refusal)
	assert.Equal(t, time.Second, l.wait(), "a good answer ends the series")
}

func TestDayIsThatOfTheServicesClock(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{PerDay: 2})
	evening := silent
	evening.Date = start.Add(23 * time.Hour)
	l.call(evening)
	l.call(evening)
	at, daily := l.Earliest(l.now, 0, quota.Interactive)
	assert.True(t, daily)
	assert.Equal(t, start.Add(time.Hour), at)
	at, _ = l.Earliest(l.now, 2, quota.Interactive)
	assert.Equal(t, start.Add(25*time.Hour), at, "two go the next day")
	l.pass(time.Hour)
	assert.Equal(t, 2, l.free())
	l.call(silent)
	at, _ = l.Earliest(l.now, 2, quota.Interactive)
	assert.Equal(t, l.now.Add(24*time.Hour), at, "one goes today, and two the next day")
}

func TestCallThatWasNeverMadeIsTakenBack(t *testing.T) {
	t.Parallel()
	a := newAccount(quota.Limits{PerMinute: 1, PerDay: 1, InFlight: 1})
	require.True(t, a.Ready(start, quota.Interactive))
	call := a.Start(start)
	require.False(t, a.Ready(start, quota.Interactive))
	a.Cancel(call, start)
	assert.True(t, a.Ready(start, quota.Interactive))
	_, left, _ := a.Today(start)
	assert.Equal(t, 1, left)
}

// The account has no clock: each question may be the first of a new day.
func TestDayIsOverWhicheverQuestionIsAskedFirst(t *testing.T) {
	t.Parallel()
	morning := start.Add(24 * time.Hour)
	newSpent := func() *quota.Account {
		a := newAccount(quota.Limits{PerDay: 1})
		require.True(t, a.Ready(start, quota.Interactive))
		a.End(a.Start(start), silent, start)
		require.False(t, a.Ready(morning.Add(-1), quota.Interactive))
		return a
	}
	assert.True(t, newSpent().Ready(morning, quota.Interactive))
	at, daily := newSpent().Earliest(morning, 0, quota.Interactive)
	assert.Equal(t, morning, at)
	assert.False(t, daily)
	at, daily = newSpent().Earliest(morning.Add(36*time.Hour), 1, quota.Interactive)
	assert.Equal(t, morning.Add(48*time.Hour), at, "days later, the second one waits for another day")
	assert.True(t, daily)
	assert.Equal(t, morning, newSpent().Look(morning, quota.Interactive))
	_, left, _ := newSpent().Today(morning.Add(-1))
	assert.Zero(t, left, "the day before")
	limit, left, end := newSpent().Today(morning)
	assert.Equal(t, 1, limit)
	assert.Equal(t, 1, left)
	assert.Equal(t, morning.Add(24*time.Hour), end)
}

func TestCallThatEndsAfterMidnightIsCountedInTheNewDay(t *testing.T) {
	t.Parallel()
	a := newAccount(quota.Limits{PerDay: 5})
	require.True(t, a.Ready(start, quota.Interactive))
	late := a.Start(start)
	a.End(late, silent, start.Add(24*time.Hour))
	_, left, _ := a.Today(start.Add(24 * time.Hour))
	assert.Equal(t, 4, left)
}

// The Date of a download is written when it begins, and an answer may be late. What is
// written down of it is repeated by the script of package salesiqredis.
func TestDateOfACallThatBeganBeforeMidnightDoesNotBringTheDayBack(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		ahead      time.Duration // The service's clock.
		began, end time.Duration // After its midnight.
	}{
		{"a download", 0, -2 * time.Minute, 4*time.Minute + 40*time.Second},
		{"a download where clocks differ", -time.Hour, -2 * time.Minute, 4*time.Minute + 40*time.Second},
		{"a late answer", 0, -time.Second, 12 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, quota.Limits{PerDay: 9})
			dated := func() quota.Report {
				r := silent
				r.Date = l.now.Add(tt.ahead).Truncate(time.Second)
				return r
			}
			l.pass(24*time.Hour - tt.ahead + tt.began)
			l.call(dated())
			slow, written := l.start(), dated()
			l.pass(tt.end - tt.began)
			l.call(dated())
			l.call(dated())
			assert.Equal(t, 9-3, l.free(), "the slow one may be charged to this day")
			l.end(slow, written)
			assert.Equal(t, 9-3, l.free())
			at, daily := l.Earliest(l.now, 6, quota.Interactive)
			assert.True(t, daily)
			assert.Equal(t, start.Add(48*time.Hour-tt.ahead), at)
			l.pass(time.Second)
			l.call(dated())
			assert.Equal(t, 9-4, l.free())
		})
	}
}

// A clock that is set back while calls are under way is known from the next one.
func TestClockThatIsSetBackIsFollowedWhateverIsUnderWay(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{PerDay: 9})
	l.pass(12 * time.Hour)
	dated := func(ahead time.Duration) quota.Report {
		r := silent
		r.Date = l.now.Add(ahead)
		return r
	}
	l.call(dated(0))
	slow := l.start()
	l.pass(10 * time.Minute)
	l.end(slow, dated(-5*time.Minute))
	at, _ := l.Earliest(l.now, 9, quota.Interactive)
	assert.Equal(t, start.Add(24*time.Hour), at, "its Date may be from when it began")
	l.call(dated(-5 * time.Minute))
	at, _ = l.Earliest(l.now, 9, quota.Interactive)
	assert.Equal(t, start.Add(24*time.Hour+5*time.Minute), at)
}

func TestTodayKnowsNoDayWithoutALimit(t *testing.T) {
	t.Parallel()
	limit, left, end := newAccount(quota.Limits{}).Today(start)
	assert.Zero(t, limit)
	assert.Zero(t, left)
	assert.Zero(t, end)
}

// Date has whole seconds, and an answer takes its time: only what they do not
// explain moves the day.
func TestDayMovesWithAClockThatMoved(t *testing.T) {
	t.Parallel()
	noon, midnight := start.Add(12*time.Hour), start.Add(24*time.Hour)
	for _, tt := range []struct {
		moved, day time.Duration
	}{
		{2 * time.Second, 0},
		{-2 * time.Second, 0},
		{2*time.Second + 1, 2*time.Second + 1},
		{-2*time.Second - 1, -2*time.Second - 1},
	} {
		a := newAccount(quota.Limits{PerDay: 5})
		for _, ahead := range []time.Duration{0, tt.moved} {
			require.True(t, a.Ready(noon, quota.Interactive))
			r := silent
			r.Date = noon.Add(ahead)
			a.End(a.Start(noon), r, noon)
		}
		_, _, end := a.Today(noon)
		assert.Equal(t, midnight.Add(-tt.day), end, tt.moved.String())
	}
}

// Between the midnight of the caller's clock and that of the service's, an account that was
// made anew has heard no Date, but the day that was kept tells when it ends.
func TestKeptDayGoesOnAlthoughTheClocksDiffer(t *testing.T) {
	t.Parallel()
	midnight := start.Add(24 * time.Hour)
	for _, tt := range []struct {
		name          string
		offset        time.Duration // Of the service's clock.
		kept, resumed time.Time
		left          int
		end           time.Time
	}{
		{"the service's day goes on", -5 * time.Minute, midnight.Add(-time.Hour), midnight.Add(2 * time.Minute), 3, midnight.Add(5 * time.Minute)},
		{"the service's day has begun", 5 * time.Minute, midnight.Add(-4 * time.Minute), midnight.Add(-3 * time.Minute), 3, midnight.Add(24*time.Hour - 5*time.Minute)},
		{"the clock is that of another time zone", -5 * time.Hour, midnight.Add(time.Hour), midnight.Add(2 * time.Hour), 3, midnight.Add(5 * time.Hour)},
		{"the service's day is over", 5 * time.Minute, midnight.Add(-6 * time.Minute), midnight.Add(-3 * time.Minute), 5, midnight},
	} {
		before, after := newAccount(quota.Limits{PerDay: 5}), newAccount(quota.Limits{PerDay: 5})
		for range 2 {
			require.True(t, before.Ready(tt.kept, quota.Interactive))
			r := silent
			r.Date = tt.kept.Add(tt.offset)
			before.End(before.Start(tt.kept), r, tt.kept)
		}
		_, left, kept := before.Today(tt.kept)
		require.Equal(t, 3, left, tt.name)
		after.Resume(tt.resumed, 2, kept)
		_, left, end := after.Today(tt.resumed)
		assert.Equal(t, tt.left, left, tt.name)
		assert.Equal(t, tt.end, end, tt.name)
		_, left, _ = after.Today(end)
		assert.Equal(t, 5, left, tt.name)
		_, _, next := after.Today(end)
		assert.Equal(t, end.Add(24*time.Hour), next, tt.name)
	}
}

// An account that has begun the day by the caller's clock drops what it counted on the day
// before, once another one that shares the day tells that it is over.
func TestSharedDayEndsByTheClockOfWhoeverKnowsIt(t *testing.T) {
	t.Parallel()
	now, end := start.Add(24*time.Hour-3*time.Minute), start.Add(48*time.Hour-5*time.Minute)
	a := newAccount(quota.Limits{PerDay: 5})
	for range 2 {
		require.True(t, a.Ready(now, quota.Interactive))
		a.End(a.Start(now), silent, now)
	}
	a.Resume(now, 1, end)
	_, left, day := a.Today(now)
	assert.Equal(t, 4, left)
	assert.Equal(t, end, day)

	a.Resume(now, 1, now.Add(24*time.Hour+1))
	_, left, day = a.Today(now)
	assert.Equal(t, 4, left, "no day is so long")
	assert.Equal(t, end, day)

	require.True(t, a.Ready(now, quota.Interactive))
	r := silent
	r.Date = now
	a.End(a.Start(now), r, now)
	a.Resume(now, 1, end)
	_, left, day = a.Today(now)
	assert.Equal(t, 3, left, "a Date tells more")
	assert.Equal(t, start.Add(24*time.Hour), day)
}

// Between the midnight of the caller's clock and that of the service's, only one of those who
// share a day has heard a Date.
func TestAccountsThatShareADayHaveOneClock(t *testing.T) {
	t.Parallel()
	morning := start.Add(24*time.Hour + 2*time.Minute)
	day := new(quota.Day)
	a, b := quota.NewSharing(quota.Limits{PerDay: 5}, day), quota.NewSharing(quota.Limits{PerDay: 7}, day)
	dated := silent
	dated.Date = morning.Add(-5 * time.Minute)
	for _, account := range []*quota.Account{a, b, a} {
		require.True(t, account.Ready(morning, quota.Interactive))
		account.End(account.Start(morning), dated, morning)
		dated.Date = time.Time{}
	}
	end := start.Add(24*time.Hour + 5*time.Minute)
	for account, size := range map[*quota.Account]int{a: 5, b: 7} {
		limit, left, ends := account.Today(morning)
		assert.Equal(t, size, limit)
		assert.Equal(t, size-3, left)
		assert.Equal(t, end, ends)
		at, daily := account.Earliest(morning, size-3, quota.Interactive)
		assert.Equal(t, end, at)
		assert.True(t, daily)
	}
	used, ends := day.Used(morning)
	assert.Equal(t, 3, used)
	assert.Equal(t, end, ends)
}

func TestCallUnderWayAtMidnightCountsForAllWhoShareTheDay(t *testing.T) {
	t.Parallel()
	day := new(quota.Day)
	a, b := quota.NewSharing(quota.Limits{PerDay: 5}, day), quota.NewSharing(quota.Limits{PerDay: 5}, day)
	require.True(t, a.Ready(start, quota.Interactive))
	late, unsent := a.Start(start), a.Start(start)
	b.End(b.Start(start), silent, start)
	midnight := start.Add(24 * time.Hour)
	_, left, _ := b.Today(midnight)
	assert.Equal(t, 3, left)
	a.End(late, silent, midnight)
	a.Cancel(unsent, midnight)
	_, left, _ = b.Today(midnight)
	assert.Equal(t, 4, left)
}

// The monotonic clock stands still while the machine sleeps: a time that has its reading
// would come as much later.
func TestDayEndsByTheWallClock(t *testing.T) {
	t.Parallel()
	now := time.Now()
	require.Contains(t, now.String(), "m=")
	a := newAccount(quota.Limits{PerDay: 1})
	a.End(a.Start(now), quota.Report{Sent: true, Date: now.Add(time.Hour)}, now)
	_, _, end := a.Today(now)
	at, daily := a.Earliest(now, 1, quota.Interactive)
	assert.True(t, daily)
	for _, told := range []time.Time{end, at} {
		assert.NotContains(t, told.String(), "m=")
	}
}

// What is written down of it is repeated by the script of package salesiqredis.
func TestDayThatBeganByTheServicesClockHasAllItsCalls(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{PerDay: 3})
	l.pass(24*time.Hour - 10*time.Minute)
	l.call(silent)
	l.call(silent)
	later := silent
	later.Date = l.now.Add(20 * time.Minute)
	l.call(later)
	assert.Equal(t, 2, l.free(), "the one that told is charged to the day that began")
	at, daily := l.Earliest(l.now, 2, quota.Interactive)
	assert.True(t, daily)
	assert.Equal(t, l.now.Add(24*time.Hour-10*time.Minute), at)
}

func TestDayThatIsOverByTheServicesClockCostsNothing(t *testing.T) {
	t.Parallel()
	evening := start.Add(24*time.Hour - 10*time.Minute)
	a := newAccount(quota.Limits{PerDay: 5})
	call := func(ahead time.Duration) {
		require.True(t, a.Ready(evening, quota.Interactive))
		r := silent
		r.Date = evening.Add(ahead)
		a.End(a.Start(evening), r, evening)
	}
	for range 4 {
		call(0)
	}
	call(5 * time.Minute)
	_, left, _ := a.Today(evening)
	assert.Zero(t, left, "it is the same day there")

	a = newAccount(quota.Limits{PerDay: 5})
	for range 3 {
		call(0)
	}
	underWay := a.Start(evening)
	call(20 * time.Minute)
	_, left, end := a.Today(evening)
	assert.Equal(t, 3, left, "one was charged to the day after, and one may be")
	assert.Equal(t, evening.Add(24*time.Hour-10*time.Minute), end)
	a.End(underWay, silent, evening)
	_, left, _ = a.Today(evening)
	assert.Equal(t, 3, left)
}

func TestEarliestCountsThoseAhead(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{})
	l.call(l.says(10, 2, 40*time.Second))
	for ahead, want := range map[int]int{0: 0, 1: 0, 2: 41, 11: 41, 12: 101, 22: 161} {
		at, daily := l.Earliest(l.now, ahead, quota.Interactive)
		assert.InDelta(t, want, at.Sub(l.now).Seconds(), 0, "%d ahead", ahead)
		assert.False(t, daily)
	}
}
