package quota_test

import (
	"iter"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/salesiq-go/salesiq/internal/quota"
)

// A service may count the calls of the last minute, whatever its resets say, tell
// no Date, and answer slowly. Nine tenths of what it grants are used, and a client
// that is alone is never refused.
func TestSlidingWindowsAreUsedUp(t *testing.T) {
	t.Parallel()
	for _, stranger := range []bool{false, true} {
		for _, kind := range []kind{slidingAll, slidingOldest, slidingSilent} {
			for _, mute := range []bool{false, true} {
				for _, took := range []time.Duration{0, time.Second, 2 * time.Second} {
					var all tally
					for sc := range slidingGrid(kind, stranger, mute, took) {
						o := sc.account()
						all.add(sc, o)
						if !stranger {
							assert.Zero(t, o.refused, "429s although nobody else calls: %s", sc)
						}
					}
					t.Logf("%-28s %-15s Date %-5t took %-2s %s", kind, company(stranger), !mute, took, &all)
					assert.LessOrEqual(t, all.worst, 1/0.9, "worst, %s", all.where)
					assert.LessOrEqual(t, all.perThousand(), 50.0)
				}
			}
		}
	}
}

// slidingGrid yields what such services may be like.
func slidingGrid(kind kind, stranger, mute bool, took time.Duration) iter.Seq[scenario] {
	return func(yield func(scenario) bool) {
		seconds, skews := []int{0, 7, 59}, []time.Duration{0, 30 * time.Second, -5 * time.Minute}
		if testing.Short() {
			seconds, skews = seconds[:1], skews[:2]
		}
		for sc := range grid(limits, seconds, skews, kind, stranger) {
			sc.mute, sc.took = mute, took
			for _, sc.late = range []bool{false, true} {
				if !yield(sc) {
					return
				}
			}
		}
	}
}

// Whole clients, with goroutines and waiting, before a service whose window slides.
func TestClientsUseUpSlidingWindows(t *testing.T) {
	t.Parallel()
	limits := limits
	if testing.Short() {
		limits = []int{20}
	}
	for _, kind := range []kind{slidingAll, slidingOldest, slidingSilent} {
		for _, mute := range []bool{false, true} {
			var all tally
			for sc := range grid(limits, []int{20}, []time.Duration{0, -5 * time.Minute}, kind, false) {
				sc.mute, sc.took = mute, 2*time.Second
				all.add(sc, sc.run(t, dialOurs))
			}
			t.Logf("%-28s Date %-5t %s", kind, !mute, &all)
			assert.Zero(t, all.failed)
			assert.Zero(t, all.refused)
			assert.LessOrEqual(t, all.worst, 1/0.9, "worst, %s", all.where)
		}
	}
}

// The walks of TestRandomWalk and FuzzNeverRefusedNeverStuck, where the window slides.
// Only calls under way when that shows for the first time may be one too many. The
// first walks are recorded.
func TestRandomWalkWithSlidingWindows(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			w := newWalk(t, seed)
			w.service.kind = slidingAll + kind(seed%3)
			w.patient = w.service.kind != slidingSilent
			if w.account.silent = seed >= 6; w.account.silent {
				w.run(t, 2000)
			} else {
				w.run(t, 120)
			}
			assert.LessOrEqual(t, w.refused, atOnce)
		})
	}
}

// A window that slides is known by calls that it still counts when it should be a
// new one, or when its reset has moved by less than a minute.
func TestOwnCallsLeaveTheLastMinuteOneByOne(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{})
	for i := range 4 {
		l.call(l.says(4, 3-i, time.Minute))
		l.pass(5 * time.Second)
	}
	assert.Equal(t, 40*time.Second, l.wait(), "a minute after the first")
	at, _ := l.Earliest(l.now, 2, quota.Interactive)
	assert.Equal(t, 50*time.Second, at.Sub(l.now), "two go before")
	at, _ = l.Earliest(l.now, 5, quota.Interactive)
	assert.Equal(t, 105*time.Second, at.Sub(l.now), "five go before")
	l.pass(45 * time.Second)
	assert.Equal(t, 2, l.free())
}

// What shows that the window slides, and what shows that it does not.
func TestWindowSlidesIfTheServiceStillCountsTheCallsBefore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		later     time.Duration // After eight calls of ten, in a window of twenty seconds more.
		remaining int           // Of ten, by the next call.
		reset     time.Duration
		free      int
		then      int // How many are free when the eight are older than a minute.
	}{
		"a new window that counts them":                  {22 * time.Second, 1, time.Minute, 1, 9},
		"a new window that has forgotten them":           {22 * time.Second, 9, time.Minute, 9, 9},
		"a reset that has moved on a little":             {4 * time.Second, 1, 20 * time.Second, 1, 9},
		"a short window after one that it has forgotten": {4 * time.Second, 9, 20 * time.Second, 9, 1}, // One goes alone.
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, quota.Limits{})
			for i := range 8 {
				l.call(l.says(10, 9-i, 20*time.Second))
			}
			l.pass(c.later)
			l.call(l.says(10, c.remaining, c.reset))
			assert.Equal(t, c.free, l.free())
			l.pass(time.Minute + time.Second - c.later)
			assert.Equal(t, c.then, l.free())
		})
	}
}

func TestWindowThatGoesOnAfterItsResetSlidesIfCallsHaveLeftIt(t *testing.T) {
	t.Parallel()
	for remaining, then := range map[int]int{
		7: 9, // Of the eight calls before, two are still there.
		1: 1, // All are, and so they may be as long as the window goes on.
	} {
		t.Run(strconv.Itoa(remaining), func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, quota.Limits{})
			for i := range 8 {
				l.call(l.says(10, 9-i, 20*time.Second))
			}
			l.pass(21 * time.Second)
			l.call(l.says(10, remaining, 0))
			assert.Equal(t, 1, l.free())
			l.pass(40 * time.Second)
			assert.Equal(t, then, l.free())
		})
	}
}

func TestWindowsOfASecondDoNotSlide(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{})
	for range 2 {
		for i := range 8 {
			assert.Positive(t, l.free())
			l.call(l.says(10, 9-i, time.Second))
		}
		l.pass(time.Second)
	}
}

func TestLowerLimitWaitsForAllCallsThatAreTooMany(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{PerMinute: 4})
	for range 3 {
		l.call(silent)
		l.pass(10 * time.Second)
	}
	r := l.says(2, 0, 0)
	r.Reset = time.Time{}
	l.call(r)
	assert.Equal(t, 50*time.Second, l.wait(), "when the third has left")
}

// A window of a service need not be a minute. Calls that begin it together are
// answered in any order: the first answer may count all of them.
func TestShortWindowThatCountsCallsUnderWayDoesNotSlide(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{InFlight: 10})
	l.call(l.says(20, 19, 2*time.Second))
	l.pass(time.Second)
	var underWay []quota.Call
	for range 10 {
		underWay = append(underWay, l.start())
	}
	l.pass(time.Second)
	for i, call := range underWay {
		l.end(call, l.says(20, 10+i, 3*time.Second))
	}
	for used := 11; l.free() > 0; used++ {
		l.call(l.says(20, 20-used, 3*time.Second))
	}
	assert.LessOrEqual(t, l.wait(), 4*time.Second, "until the window ends")
}

// Calls that this account does not know of fill a window of a few seconds. They are not
// taken for calls remembered where windows were seen to forget.
func TestShortWindowThatOthersHaveFilledDoesNotSlide(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{})
	const length = 10 * time.Second
	for range 2 {
		for i := range 5 {
			l.call(l.says(10, 9-i, length))
		}
		l.pass(length + time.Second)
	}
	l.call(l.says(10, 0, length))
	assert.LessOrEqual(t, l.wait(), length+time.Second)
}
