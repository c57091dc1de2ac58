package quota_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/quota"
)

// Whatever happens on the way, a client that is alone is never refused, and
// never waits for ever. It takes the headers of all answers, or of none: a call
// that ended without a word, just as a window did, may be one too many in the
// next, and then the retry has something to do.
func FuzzNeverRefusedNeverStuck(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { newWalk(t, seed).run(t, 2000) })
}

// walk is a random sequence of events.
type walk struct {
	random  *rand.Rand
	service *service
	account *recorder
	now     time.Time
	queue   events
	under   int
	slowest time.Duration
	blind   bool // No answer has rate headers, and some are lost.
	patient bool // Refusals are counted.
	refused int
}

func newWalk(t *testing.T, seed uint64) *walk {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	w := &walk{
		random:  random,
		now:     start.Add(time.Duration(random.Int64N(int64(time.Hour)))),
		slowest: time.Duration(1+random.Int64N(2000)) * time.Millisecond,
		service: &service{limit: 1 + random.IntN(60), kind: kind(random.IntN(3)), skew: time.Duration(random.Int64N(int64(48*time.Hour))) - 24*time.Hour},
	}
	own := quota.Limits{InFlight: atOnce}
	switch random.IntN(3) {
	case 0: // Nothing is known beforehand.
	case 1:
		own.PerMinute = w.service.limit
	case 2: // And nothing is to be learned.
		own.PerMinute, w.blind = w.service.limit, true
	}
	w.account = record(t, own)
	return w
}

func (w *walk) run(t *testing.T, steps int) {
	t.Helper()
	for range steps {
		wanted := w.random.IntN(4)
		for range wanted {
			if w.account.Ready(w.now, quota.Interactive) {
				w.start(t)
			}
		}
		w.step(t)
	}
}

// start makes a call to which something may happen.
func (w *walk) start(t *testing.T) {
	t.Helper()
	w.under++
	require.LessOrEqual(t, w.under, atOnce)
	call := w.account.Start(w.now)
	if w.chance(0.02) { // It never gets away.
		w.queue.add(event{at: w.now, call: call, answer: &quota.Report{}})
		return
	}
	w.queue.add(event{at: w.later(), call: call})
}

// step lets the next event happen, or time pass.
func (w *walk) step(t *testing.T) {
	t.Helper()
	if len(w.queue) == 0 {
		w.idle(t)
		return
	}
	e := w.queue.next()
	w.now = e.at
	if e.answer == nil {
		answer := w.answer(t)
		w.queue.add(event{at: w.later(), call: e.call, answer: &answer})
		return
	}
	w.under--
	w.account.End(e.call, *e.answer, w.now)
}

// idle finds the time at which the next call may be started. It must exist.
func (w *walk) idle(t *testing.T) {
	t.Helper()
	if w.chance(0.1) {
		w.now = w.now.Add(time.Duration(w.random.Int64N(int64(3 * time.Minute))))
	}
	for began := w.now; !w.account.Ready(w.now, quota.Interactive); {
		look := w.account.Look(w.now, quota.Interactive)
		require.True(t, look.After(w.now), "nothing is under way, and there is no time to wait for")
		require.LessOrEqual(t, look.Sub(began), 2*time.Minute)
		w.now = look
	}
}

// answer is what the service makes of a call that arrives now.
func (w *walk) answer(t *testing.T) quota.Report {
	t.Helper()
	if w.chance(0.02) { // A token is refused, which costs nothing.
		w.service.roll(w.now)
		return w.headers(quota.Report{Sent: true, Answered: true, Refused: true})
	}
	if !w.service.take(w.now) {
		require.True(t, w.patient, "refused")
		w.refused++
		return w.service.report(w.now, false)
	}
	if w.blind && w.chance(0.02) { // The answer is lost.
		return quota.Report{Sent: true}
	}
	return w.headers(quota.Report{Sent: true, Answered: true})
}

// headers adds the rate headers, if there are any.
func (w *walk) headers(r quota.Report) quota.Report {
	if w.blind {
		return r
	}
	full := w.service.report(w.now, true)
	full.Refused = r.Refused
	return full
}

func (w *walk) chance(p float64) bool { return w.random.Float64() < p }

// later returns a random time, so that answers overtake each other.
func (w *walk) later() time.Time {
	return w.now.Add(time.Millisecond + time.Duration(w.random.Int64N(int64(w.slowest))))
}
