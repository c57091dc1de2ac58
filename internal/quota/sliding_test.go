package quota_test

import (
	"iter"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/salesiq-go/salesiq/internal/quota"
	"github.com/salesiq-go/salesiq/internal/transport"
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

// Before an answer tells when windows end, those who wait take places that are free now, and
// not only those of calls under way.
func TestCallsThatComeTogetherAreServedByTheMinuteBeforeAnAnswerTellsAReset(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{PerMinute: 20, InFlight: 10})
	first := l.start()
	for ahead, want := range map[int]int{0: 0, 18: 0, 20: 60, 38: 60, 39: 60, 40: 120} {
		at, _ := l.Earliest(l.now, ahead, quota.Interactive)
		assert.InDelta(t, want, at.Sub(l.now).Seconds(), 0, "%d ahead", ahead)
	}
	l.end(first, silent)

	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		queue := transport.NewQueue(transport.QueueConfig{Limits: quota.Limits{PerMinute: 20, InFlight: 10}, MaxWait: 2 * time.Minute})
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				lease, err := queue.Acquire(t.Context())
				if assert.NoError(t, err) {
					time.Sleep(oneWay)
					lease.Done(transport.Outcome{StatusCode: http.StatusOK, Sent: true})
				}
			})
		}
		all.Wait()
		assert.InDelta(t, 60, time.Since(began).Seconds(), 2)
	})
}

// If a service tells resets no more, own calls count for a minute each, and no longer.
func TestServiceThatTellsResetsNoMoreIsAskedAsOftenAsItAllows(t *testing.T) {
	t.Parallel()
	for _, answered := range []bool{true, false} {
		l := newLedger(t, quota.Limits{})
		l.silent = true
		l.call(l.says(20, 19, 40*time.Second))
		l.pass(41 * time.Second)
		var made []time.Time
		for end := l.now.Add(10 * time.Minute); l.now.Before(end); l.pass(3 * time.Second) {
			if l.Ready(l.now, quota.Interactive) {
				made = append(made, l.now)
				l.call(quota.Report{Sent: true, Answered: answered})
			}
			if !l.Ready(l.now, quota.Interactive) && l.wait() > 0 {
				assert.LessOrEqual(t, l.wait(), 4*time.Second, "until the first of the minute expires")
			}
		}
		assert.Len(t, made, 200)
		for i := 20; i < len(made); i++ {
			assert.GreaterOrEqual(t, made[i].Sub(made[i-20]), time.Minute, "twenty a minute, whichever minute")
		}
	}
}

// One answer without headers, such as a gateway's, changes no more than that.
func TestAnswerWithoutHeadersAtTheBeginningOfAWindowCostsNothing(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{})
	for i := range 10 {
		l.call(l.says(10, 9-i, 40*time.Second))
	}
	l.pass(41 * time.Second)
	l.call(silent)
	assert.Equal(t, 9, l.free(), "those of the window before are over")
	l.call(l.says(10, 8, 50*time.Second))
	assert.Equal(t, 8, l.free())
	l.pass(51 * time.Second)
	l.start()
	at, _ := l.Earliest(l.now, 9, quota.Interactive)
	assert.Equal(t, l.now, at)
}

// A download may be the only own call that counts. Nobody knows when it ends, but others'
// calls count for a minute.
func TestCallUnderWayDoesNotHideTheEndOfOthers(t *testing.T) {
	t.Parallel()
	l := newLedger(t, quota.Limits{})
	download := l.start()
	l.pass(5 * time.Second)
	r := l.says(10, 0, 0)
	r.Reset, r.Refused = time.Time{}, true // For its token.
	l.call(r)
	assert.Equal(t, time.Minute, l.wait())
	l.pass(time.Minute)
	assert.Positive(t, l.free())
	l.pass(3 * time.Minute)
	l.end(download, silent)
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
