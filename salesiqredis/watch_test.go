package salesiqredis

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
)

// account is what the script of the quota would say, as far as tests want it.
type account struct {
	mu        sync.Mutex
	look      time.Duration // When to ask again.
	far       time.Duration // The way to Redis and back.
	processes int64
	listening int64
	granted   string // The lease that who asks gets.
	brought   string // One for a call that asked before.
}

// change has it say something else from now on.
func (a *account) change(change func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change()
}

// answer says to all questions that they are in line since 1, unless there is a lease.
func (a *account) answer(_ context.Context, script string, args []string) (any, error) {
	if script != quotaScript {
		return int64(1), nil
	}
	time.Sleep(a.far / 2)
	reply := a.reply(args)
	time.Sleep(a.far / 2)
	return reply, nil
}

func (a *account) reply(args []string) []any {
	a.mu.Lock()
	defer a.mu.Unlock()
	answers := []any{}
	for _, arg := range args {
		if arg == "ask" {
			answers = append(answers, []any{a.granted, int64(0), int64(0), int64(1)})
		}
	}
	brought := []any{}
	if a.brought != "" {
		brought = append(brought, a.brought)
	}
	return []any{
		int64(0), int64(0), int64(0), max(1, a.processes), int64(100), int64(0), int64(0), int64(0), a.look.Microseconds(), int64(-1),
		int64(0), int64(0), int64(0), answers, brought, a.listening,
	}
}

// standInLine has a call wait for so long, and returns when it was asked for.
func standInLine(t *testing.T, r *recorder, evaler Evaler, d time.Duration) []time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	time.AfterFunc(d, cancel)
	_, err := join(t, evaler).Limiter().Acquire(ctx)
	require.ErrorIs(t, err, context.Canceled)
	time.Sleep(2 * time.Minute) // Until nobody watches any more.
	synctest.Wait()
	var times []time.Duration
	for _, a := range r.of(quotaScript) {
		if a.args[6] == "ask" {
			times = append(times, a.after)
		}
	}
	return times
}

// attentive hears what is published, and what it is sent.
func attentive(news <-chan string) func(ctx context.Context, heard func(string)) error {
	return func(ctx context.Context, heard func(string)) error {
		heard("")
		for {
			select {
			case message, ok := <-news:
				if !ok {
					return io.ErrUnexpectedEOF
				}
				heard(message)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

func TestProcessThatIsNotToldAsksTenTimesASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record(new(account).answer)
		assert.Equal(t, milli(0, 10, 30, 70, 150, 250, 350, 450), standInLine(t, r, r, 500*time.Millisecond))
		last := r.of(quotaScript)
		assert.Equal(t, "leave", last[len(last)-1].args[6], "it takes its question back")
	})
}

func TestProcessThatIsAboutToListenAsksBeforeItsPlaceIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record(new(account).answer)
		deaf := &ear{r, func(ctx context.Context, _ func(string)) error { <-ctx.Done(); return ctx.Err() }}
		assert.Equal(t, milli(0, 400, 800, 1200), standInLine(t, r, deaf, 1500*time.Millisecond))
	})
}

func TestProcessThatIsToldAsksEveryFourSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record((&account{listening: 1}).answer)
		assert.Equal(t, milli(0, 2000, 4000, 8000, 12_000, 16_000), standInLine(t, r, &ear{r, attentive(nil)}, 17*time.Second))
	})
}

func TestQuietBeginsAnewWithNews(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record((&account{listening: 1}).answer)
		news := make(chan string)
		time.AfterFunc(9*time.Second, func() { news <- "1:0:1:0:x:process" })
		assert.Equal(t, milli(0, 2000, 4000, 8000, 11_000), standInLine(t, r, &ear{r, attentive(news)}, 12*time.Second))
	})
}

func TestProcessThatIsToldNoMoreAsksAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record((&account{listening: -1}).answer)
		news := make(chan string)
		time.AfterFunc(5*time.Second, func() { close(news) })
		listens := attentive(news)
		broken := false
		mute := func(ctx context.Context, heard func(string)) error {
			if broken {
				return io.ErrUnexpectedEOF
			}
			broken = true
			return listens(ctx, heard)
		}
		assert.Equal(t, milli(0, 2000, 4000, 5000, 5020, 5060, 5140, 5300, 5620, 6020, 6420), standInLine(t, r, &ear{r, mute}, 6500*time.Millisecond))
	})
}

// As after a failover: what it listens to is not where leases are granted.
func TestProcessThatRedisCannotTellListensAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &account{listening: 1}
		r := record(a.answer)
		listened := 0
		hears := attentive(nil)
		time.AfterFunc(3*time.Second, func() { a.change(func() { a.listening = 0 }) })
		time.AfterFunc(4100*time.Millisecond, func() { a.change(func() { a.listening = 1 }) })
		times := standInLine(t, r, &ear{r, func(ctx context.Context, heard func(string)) error { listened++; return hears(ctx, heard) }}, 7*time.Second)
		assert.Equal(t, 2, listened)
		assert.Contains(t, times, 4*time.Second, "which it hears then")
		assert.NotContains(t, times, 5*time.Second)
	})
}

// The question is there when the moment is, however far it has to go.
func TestQuestionArrivesWhenThereIsSomethingToAskFor(t *testing.T) {
	t.Parallel()
	for _, far := range milli(0, 100, 300) {
		synctest.Test(t, func(t *testing.T) {
			r := record((&account{far: far, look: time.Second, listening: 1}).answer)
			times := standInLine(t, r, &ear{r, attentive(nil)}, 4*time.Second)
			require.GreaterOrEqual(t, len(times), 4)
			for i, at := range times[1:] {
				assert.GreaterOrEqual(t, at-times[i], time.Second, "%v", times)
				assert.Less(t, at-times[i], time.Second+12*time.Millisecond, "%v", times)
			}
		})
	}
}

// Those who wait for the same moment do not ask all at once.
func TestQuestionsOfManyProcessesAreSpread(t *testing.T) {
	t.Parallel()
	for processes, most := range map[int64]time.Duration{1: 10 * time.Millisecond, 30: 300 * time.Millisecond, 1000: time.Second} {
		var longest time.Duration
		for range 50 {
			w := watch{listens: true}
			now := time.Now()
			w.plan(now, time.Minute, int(processes))
			late := w.next().Sub(now) - time.Minute
			assert.GreaterOrEqual(t, late, time.Millisecond)
			assert.Less(t, late, most+time.Millisecond)
			longest = max(longest, late)
		}
		assert.Greater(t, longest, most/2)
	}
}

func TestShortWayIsBelievedAtOnceAndLongOneByAndBy(t *testing.T) {
	t.Parallel()
	var w watch
	for _, row := range [][2]time.Duration{{100, 100}, {180, 110}, {110, 110}, {60, 60}, {100, 65}} {
		w.learn(outlook{}, row[0])
		assert.Equal(t, row[1], w.far)
	}
}

func TestProcessThatDoesNotListenAsksBeforeTheMomentToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record((&account{look: 200 * time.Millisecond}).answer)
		assert.Equal(t, milli(0, 10, 30, 70, 150, 310), standInLine(t, r, r, 500*time.Millisecond)[:6])
	})
}

func TestNewsForAllSaysWhenToAsk(t *testing.T) {
	t.Parallel()
	for message, row := range map[string]struct{ least, most time.Duration }{
		"look 500000 1":     {1501 * time.Millisecond, 1512 * time.Millisecond}, // It is the first itself.
		"look 0 1":          {3 * time.Second, 3 * time.Second},
		"look 60000000 2":   {1050 * time.Millisecond, 1050 * time.Millisecond}, // It is first, and Redis does not know.
		"look x 1":          {3 * time.Second, 3 * time.Second},                 // Two seconds after news of any kind.
		"look 500000 x":     {3 * time.Second, 3 * time.Second},
		"looks 500000 1":    {3 * time.Second, 3 * time.Second},
		"look 500000 1 1":   {3 * time.Second, 3 * time.Second},
		"1:0:1:0:x:process": {3 * time.Second, 3 * time.Second},
		"1:0:1:0:1:x:y":     {3 * time.Second, 3 * time.Second},
		"something else":    {3 * time.Second, 3 * time.Second},
		"look -5 1":         {3 * time.Second, 3 * time.Second},
		"look 100000000 0":  {5 * time.Second, 5 * time.Second}, // Later than this test.
	} {
		synctest.Test(t, func(t *testing.T) {
			a := &account{listening: 1}
			r := record(a.answer)
			news := make(chan string)
			time.AfterFunc(time.Second, func() { news <- message })
			times := append(standInLine(t, r, &ear{r, attentive(news)}, 4*time.Second), 5*time.Second)
			assert.GreaterOrEqual(t, times[1], row.least, message)
			assert.LessOrEqual(t, times[1], row.most, message)
		})
	}
}

func TestLeaseThatIsPublishedIsTheCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record((&account{listening: 1}).answer)
		news := make(chan string)
		time.AfterFunc(time.Second, func() { news <- "5:0:1:0:1:process" })
		o := join(t, &ear{r, attentive(news)})
		lease, err := o.Limiter().Acquire(t.Context())
		require.NoError(t, err)
		assert.Equal(t, time.Second, time.Since(r.began))
		news <- "5:0:1:0:1:process" // It is told twice.
		synctest.Wait()
		assert.Len(t, r.of(quotaScript), 1, "and not given back")
		lease.Done(salesiq.Outcome{Sent: true})
		told := r.of(quotaScript)
		assert.Equal(t, []string{"end", "5:0:1:0:1:process", "1"}, told[len(told)-1].args[6:9])
		news <- "6:0:1:0:1:process" // Nobody waits for it.
		time.Sleep(10 * time.Second)
		told = r.of(quotaScript)
		assert.Equal(t, []string{"leave", "1"}, told[len(told)-1].args[6:])
	})
}

func TestLeaseThatAnotherAnswerBringsIsTheCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := new(account)
		r := record(a.answer)
		l := join(t, r).limiter
		time.AfterFunc(5*time.Millisecond, func() {
			a.change(func() { a.brought = "5:0:1:0:1:process" })
			(&sharedLease{l, "4:0:1:0:x:process"}).Done(salesiq.Outcome{})
			a.change(func() { a.brought = "" })
		})
		lease := acquire(t, l)
		assert.Equal(t, 5*time.Millisecond, time.Since(r.began))
		assert.Equal(t, &sharedLease{l, "5:0:1:0:1:process"}, lease)
		time.Sleep(10 * time.Second)
	})
}

func TestProcessListensForASecondAfterItsLastCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record((&account{listening: 1}).answer)
		news := make(chan string)
		var ended time.Duration
		listens := attentive(news)
		o := join(t, &ear{r, func(ctx context.Context, heard func(string)) error {
			defer func() { ended = time.Since(r.began) }()
			return listens(ctx, heard)
		}})
		time.AfterFunc(500*time.Millisecond, func() { news <- "5:0:1:0:1:process" })
		_, err := o.Limiter().Acquire(t.Context())
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		assert.Equal(t, 1500*time.Millisecond, ended)
		assert.False(t, o.limiter.watch.on)
		assert.False(t, o.limiter.watch.listens)
	})
}

// Its question is on the way when the process would stop to listen.
func TestProcessListensOnForACallThatComesInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &account{listening: 1, far: 400 * time.Millisecond}
		r := record(a.answer)
		news, listened := make(chan string), 0
		listens := attentive(news)
		l := join(t, &ear{r, func(ctx context.Context, heard func(string)) error { listened++; return listens(ctx, heard) }}).Limiter()
		time.AfterFunc(500*time.Millisecond, func() { news <- "5:0:1:0:1:process" })
		acquire(t, l)
		time.Sleep(800 * time.Millisecond)
		a.change(func() { a.granted = "6:0:1:0:2:process" })
		acquire(t, l)
		assert.Equal(t, 1700*time.Millisecond, time.Since(r.began))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		assert.Equal(t, 1, listened)
		assert.Len(t, r.of(quotaScript), 2)
	})
}

func TestDayIsToldOnceItIsKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record((&account{granted: "1:0:1:0:1:process"}).answer)
		for _, limit := range []int{0, 100} {
			l := join(t, r, WithPlan(salesiq.Plan{CallsPerDay: limit})).limiter
			assert.Zero(t, l.DailyQuota(), "nobody has called")
			acquire(t, l)
			assert.Equal(t, limit, l.DailyQuota().Limit)
			assert.Equal(t, limit == 0, l.DailyQuota().Reset.IsZero())
		}
	})
}

func TestManyCallsAreAskedForTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record(new(account).answer)
		l := join(t, r).Limiter()
		ctx, cancel := context.WithCancel(t.Context())
		for range 100 {
			go l.Acquire(ctx) //nolint:errcheck // It is canceled.
		}
		time.Sleep(15 * time.Millisecond)
		polls := r.of(quotaScript)
		assert.Len(t, polls, 101)
		assert.Len(t, polls[100].args, 6+64*4, "those who have waited longest")
		assert.Equal(t, []string{"ask", "1", "10000", "119990000"}, polls[100].args[6:10], "how long it has waited, and may")
		cancel()
		time.Sleep(10 * time.Second)
	})
}

func TestCallAloneWaitsForItsShareAsLongAsItMay(t *testing.T) {
	t.Parallel()
	reason := errors.New("reason")
	for name, row := range map[string]struct {
		ctx  func(ctx context.Context) (context.Context, context.CancelFunc)
		took time.Duration
		want []error
	}{
		"the most that a call may wait": {
			func(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} },
			5 * time.Second, []error{salesiq.ErrRateLimitExceeded},
		},
		"a deadline": {
			func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, 3*time.Second)
			},
			3 * time.Second, []error{context.DeadlineExceeded},
		},
		"its end": {
			func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancelCause(ctx)
				time.AfterFunc(time.Second, func() { cancel(reason) })
				return ctx, func() { cancel(nil) }
			},
			time.Second, []error{reason},
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := record(away)
			l := join(t, r, WithProcesses(1), WithMaxInFlight(1), WithMaxWait(5*time.Second)).Limiter()
			lease := acquire(t, l)
			ctx, cancel := row.ctx(t.Context())
			defer cancel()
			_, err := l.Acquire(ctx)
			for _, want := range row.want {
				require.ErrorIs(t, err, want, name)
			}
			assert.Equal(t, row.took, time.Since(r.began), name)
			lease.Done(salesiq.Outcome{})
			acquire(t, l).Done(salesiq.Outcome{})
		})
	}
}

func TestShareOfAProcess(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		options          limits
		processes, heard int // As options say, and as Redis says.
		size             int
		want             limits
		groups           int
	}{
		{limits{0, 0, 10}, 4, 0, 0, limits{0, 0, 2}, 1},
		{limits{100, 1000, 10}, 4, 0, 0, limits{25, 250, 2}, 1},
		{limits{100, 1000, 10}, 4, 2, 50, limits{25, 500, 5}, 1},
		{limits{100, 1000, 10}, 4, 2, 0, limits{0, 500, 5}, 1},
		{limits{0, 0, 10}, 10, 0, 0, limits{0, 0, 1}, 1},
		{limits{0, 0, 10}, 11, 0, 0, limits{0, 0, 1}, 2},
		{limits{0, 3, 10}, 20, 0, 0, limits{0, 1, 1}, 2},
		{limits{0, 0, 10}, 21, 0, 0, limits{0, 0, 1}, 3},
		{limits{5, 0, 10}, 4, 21, 5, limits{1, 0, 2}, 5},
	} {
		l := &limiter{config: &config{maxInFlight: row.options.InFlight, processes: row.processes}}
		l.plan = salesiq.Plan{CallsPerMinute: row.options.PerMinute, CallsPerDay: row.options.PerDay}
		part, groups := l.shareOf(outlook{processes: row.heard, size: row.size})
		assert.Equal(t, row.want, part, "%+v", row)
		assert.Equal(t, row.groups, groups, "%+v", row)
	}
}

// Calls begin in the first half of a turn, which is as long as two leases.
func TestTurnsFollowOneAnother(t *testing.T) {
	t.Parallel()
	l := &limiter{config: &config{lease: 45 * time.Second}}
	round := time.Date(2031, 1, 2, 3, 0, 0, 0, time.UTC).Truncate(270 * time.Second)
	l.last.rank = 4 // The second of three.
	for after, begin := range map[int]int{0: 90, 90: 90, 135: 90, 136: 360, 269: 360, 270: 360} {
		now := round.Add(time.Duration(after) * time.Second)
		assert.Equal(t, round.Add(time.Duration(begin)*time.Second), l.turn(now, 3), "%d s", after)
		assert.Equal(t, now, l.turn(now, 1))
	}
}

func TestPlaceIsAskedForEveryTenSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record((&account{processes: 30, granted: "1:0:1:0:1:process"}).answer)
		l := join(t, r).Limiter()
		for range 25 {
			acquire(t, l)
			time.Sleep(time.Second)
		}
		var ranks []time.Duration
		for _, a := range r.of(quotaScript) {
			if a.args[len(a.args)-1] == "rank" {
				ranks = append(ranks, a.after)
			}
		}
		assert.Equal(t, milli(1000, 11_000, 21_000), ranks)
	})
}

func TestWhatRedisIsOwedIsBoundedAndToldInParts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var told atomic.Int64
		a := new(account)
		r := record(func(ctx context.Context, script string, args []string) (any, error) {
			if script == quotaScript && told.Add(1) == 2 {
				return nil, io.ErrUnexpectedEOF
			}
			return a.answer(ctx, script, args)
		})
		l := join(t, r).limiter
		for range 1200 {
			l.owe(taken("1"), taken("2"))
		}
		owed := l.owed
		require.Len(t, owed, 1000)
		l.owed = nil
		l.pay(owed[:120])
		assert.Len(t, l.owed, 70, "the rest is for later")
		assert.Len(t, r.of(quotaScript), 2)
		assert.Len(t, r.of(quotaScript)[0].args, 6+50*2)
	})
}
