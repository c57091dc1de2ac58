package salesiqredis

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorder is an Evaler for virtual time. It keeps what it was asked, and when.
type recorder struct {
	answer func(ctx context.Context, script string, args []string) (any, error)
	began  time.Time

	mu    sync.Mutex
	asked []asked
}

type asked struct {
	script string
	args   []string
	after  time.Duration
}

// record returns a Redis that answers so.
func record(answer func(ctx context.Context, script string, args []string) (any, error)) *recorder {
	return &recorder{answer: answer, began: time.Now()}
}

func (r *recorder) Eval(ctx context.Context, script string, _, args []string) (any, error) {
	r.mu.Lock()
	r.asked = append(r.asked, asked{script, slices.Clone(args), time.Since(r.began)})
	r.mu.Unlock()
	return r.answer(ctx, script, args)
}

// of returns what was asked with a script.
func (r *recorder) of(script string) (found []asked) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.asked {
		if a.script == script {
			found = append(found, a)
		}
	}
	return found
}

// times returns after how long a script was run.
func (r *recorder) times(script string) (times []time.Duration) {
	for _, a := range r.of(script) {
		times = append(times, a.after)
	}
	return times
}

// away is a Redis that cannot be reached.
func away(context.Context, string, []string) (any, error) { return nil, io.ErrUnexpectedEOF }

// awayFor is a Redis that cannot be reached at first, and then says the same to everybody.
func awayFor(d time.Duration, reply any) func(context.Context, string, []string) (any, error) {
	back := time.Now().Add(d)
	return func(context.Context, string, []string) (any, error) {
		if time.Now().Before(back) {
			return nil, io.ErrUnexpectedEOF
		}
		return reply, nil
	}
}

// silent is a Redis that does not answer.
func silent(ctx context.Context, _ string, _ []string) (any, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// milli returns so many milliseconds each.
func milli(times ...int) (all []time.Duration) {
	for _, n := range times {
		all = append(all, time.Duration(n)*time.Millisecond)
	}
	return all
}

func TestRedisThatIsAwayIsLeftAloneForLongerAndLonger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record(away)
		o := join(t, r)
		_, err := o.DedupStore().Begin(t.Context(), "event", 1)
		require.ErrorIs(t, err, ErrAway)
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		o.links.events.untilBack(ctx)
		assert.Equal(t, milli(100, 300, 700, 1500, 3100, 5100, 7100), r.times(probeScript))
		assert.Len(t, r.of(beginScript), 1)
		since, cause := o.links.events.trouble()
		assert.Equal(t, r.began, since)
		require.ErrorIs(t, cause, io.ErrUnexpectedEOF)
	})
}

func TestPauseBeginsAnewOnceAScriptWasRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fails := true
		r := record(func(_ context.Context, script string, _ []string) (any, error) {
			if fails && script != probeScript {
				return nil, io.ErrUnexpectedEOF
			}
			return int64(1), nil
		})
		o := join(t, r)
		store := o.DedupStore()
		wait := func() time.Duration {
			_, err := store.Begin(t.Context(), "event", 1)
			require.ErrorIs(t, err, ErrAway)
			began := time.Now()
			o.links.events.untilBack(t.Context())
			return time.Since(began)
		}
		for _, pause := range milli(100, 200, 400) {
			assert.Equal(t, pause, wait(), "that a probe is answered says little")
		}
		fails = false
		_, err := store.Begin(t.Context(), "event", 1)
		require.NoError(t, err)
		fails = true
		assert.Equal(t, 100*time.Millisecond, wait())
	})
}

func TestUseThatGoesAwayAgainAndAgainIsLoggedOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		r := record(func(_ context.Context, script string, _ []string) (any, error) {
			if script != probeScript {
				return nil, io.ErrUnexpectedEOF
			}
			return int64(1), nil
		})
		o := join(t, r, WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		for time.Since(r.began) < 150*time.Second {
			_, err := o.DedupStore().Begin(t.Context(), "event", 1)
			require.ErrorIs(t, err, ErrAway)
			o.links.events.untilBack(t.Context())
		}
		assert.Equal(t, 3, strings.Count(log.String(), `msg="salesiq redis is away" use=events cause="unexpected EOF"`), log.String())
		assert.Equal(t, 3, strings.Count(log.String(), `msg="salesiq redis answers again" use=events`), log.String())
	})
}

func TestWhatMustBeToldIsToldWhenRedisIsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record(awayFor(20*time.Second, int64(1)))
		store := join(t, r).DedupStore()
		require.ErrorIs(t, store.Done(t.Context(), "event", 1), ErrAway)
		time.Sleep(29 * time.Second)
		done := r.of(doneScript)
		require.Len(t, done, 2)
		assert.InDelta(t, 20, done[1].after.Seconds(), 2)
		assert.Equal(t, []string{"86400000"}, done[1].args)
	})
}

func TestWhatIsToldTooLateForItsClaimIsNotTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record(awayFor(31*time.Second, int64(1)))
		store := join(t, r).DedupStore()
		require.ErrorIs(t, store.Done(t.Context(), "event", 1), ErrAway)
		time.Sleep(time.Minute)
		assert.Less(t, r.times(doneScript)[len(r.times(doneScript))-1], 31*time.Second)
	})
}

func TestClaimIsRenewedThreeTimesInItsLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var taken, fails atomic.Bool
		r := record(func(_ context.Context, script string, _ []string) (any, error) {
			switch {
			case script == renewScript && fails.Load():
				return nil, io.ErrUnexpectedEOF
			case script == renewScript && !taken.Load():
				return int64(1), nil
			}
			return int64(0), nil // Free; or not renewed, since somebody else has it.
		})
		store := join(t, r).DedupStore()
		begin(t, store, "event", 7)
		time.Sleep(31 * time.Second)
		assert.Equal(t, milli(10_000, 20_000, 30_000), r.times(renewScript))
		assert.Equal(t, []string{"7", "30000"}, r.of(renewScript)[0].args)
		assert.Equal(t, []string{"7", "30000"}, r.of(beginScript)[0].args)
		fails.Store(true)
		time.Sleep(10 * time.Second)
		fails.Store(false)
		time.Sleep(20 * time.Second)
		assert.Equal(t, milli(40_000, 60_000), r.times(renewScript)[3:], "at 50 it was believed to be away still")
		taken.Store(true)
		time.Sleep(time.Minute)
		assert.Len(t, r.of(renewScript), 6)
	})
}

func TestTokenIsReadThoughTheConnectionTakesFourSeconds(t *testing.T) {
	t.Parallel()
	for took, away := range map[time.Duration]error{3900 * time.Millisecond: nil, 4100 * time.Millisecond: ErrAway} {
		synctest.Test(t, func(t *testing.T) {
			r := record(func(ctx context.Context, _ string, _ []string) (any, error) {
				select {
				case <-time.After(took):
					return "sealed", nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			})
			token, err := join(t, r).TokenStore().Load(t.Context())
			require.ErrorIs(t, err, away)
			assert.Equal(t, away == nil, string(token) == "sealed")
			assert.Equal(t, min(took, 4*time.Second), time.Since(r.began))
		})
	}
}

func TestLockIsTakenFromARedisThatIsBackInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record(awayFor(500*time.Millisecond, int64(1)))
		_, unlock, err := join(t, r, WithTokenJitter(1000*time.Hour)).TokenStore().Lock(t.Context())
		require.NoError(t, err)
		assert.Equal(t, milli(0, 700), r.times(lockScript), "and not in between")
		assert.Equal(t, "10000", r.of(lockScript)[1].args[1])
		unlock()
		assert.Equal(t, r.of(lockScript)[1].args[:1], r.of(unlockScript)[0].args)
	})
}

func TestSilentRedisIsWaitedForBeforeATokenIsRenewedAlone(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		opts        []Option
		least, most time.Duration
	}{
		{nil, 12 * time.Second, 13 * time.Second},
		{[]Option{WithTokenJitter(0)}, 2 * time.Second, 2 * time.Second},
		{[]Option{WithTokenAway(Refuse)}, 2 * time.Second, 2 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := record(silent)
			_, _, err := join(t, r, row.opts...).TokenStore().Lock(t.Context())
			require.ErrorIs(t, err, ErrAway)
			took := time.Since(r.began)
			assert.GreaterOrEqual(t, took, row.least)
			assert.LessOrEqual(t, took, row.most)
			time.Sleep(10 * time.Second) // For a probe.
		})
	}
}

func TestLockThatSomebodyHasIsLookedForAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record(func(context.Context, string, []string) (any, error) { return int64(0), nil })
		reason := errors.New("reason")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, reason)
		defer cancel()
		_, _, err := join(t, r).TokenStore().Lock(ctx)
		require.ErrorIs(t, err, reason)
		assert.Equal(t, milli(0, 50, 150, 350, 550, 750, 950), r.times(lockScript))
	})
}

// A lock of which nobody knows would keep all processes waiting.
func TestLockWhoseAnswerWasLostIsGivenBack(t *testing.T) {
	t.Parallel()
	o, server := solo(t)
	w := &wire{Evaler: o.evaler}
	store := join(t, w, WithTokenJitter(0)).TokenStore()
	w.lost.Store(true)
	_, _, err := store.Lock(t.Context())
	require.ErrorIs(t, err, ErrAway)
	assert.False(t, server.Exists("salesiq:{acme}:token-lock"))
	assert.True(t, server.Exists("salesiq:{acme}:token-last"), "it was there")
}

func TestCheckTellsThatNothingIsHeard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record(func(context.Context, string, []string) (any, error) { return int64(1), nil })
		for _, row := range []struct {
			subscribe func(ctx context.Context, heard func(string)) error
			want      string
		}{
			{func(context.Context, func(string)) error { return errors.New("NOPERM no channel") }, "salesiqredis: subscribe: " + remedyACL + ": NOPERM no channel"},
			{func(ctx context.Context, _ func(string)) error { <-ctx.Done(); return ctx.Err() }, ": context deadline exceeded"},
			{func(ctx context.Context, heard func(string)) error {
				heard("x")
				heard("x")
				<-ctx.Done()
				return ctx.Err()
			}, ""},
		} {
			err := join(t, &ear{r, row.subscribe}).Check(t.Context())
			if row.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, row.want)
			}
		}
		synctest.Wait()
		published := r.of(probeScript)
		assert.Equal(t, []string{"PUBLISH @ x"}, published[len(published)-1].args)

		refuses := record(func(_ context.Context, _ string, args []string) (any, error) {
			if args[0] == "PUBLISH @ x" {
				return nil, errors.New("NOPERM no channel")
			}
			return int64(1), nil
		})
		hears := func(ctx context.Context, _ func(string)) error { <-ctx.Done(); return ctx.Err() }
		require.EqualError(t, join(t, &ear{refuses, hears}).Check(t.Context()), "salesiqredis: publish: "+remedyACL+": NOPERM no channel")
		synctest.Wait()
	})
}

// ear is a recorder that hears what is published.
type ear struct {
	*recorder

	subscribe func(ctx context.Context, heard func(string)) error
}

func (e *ear) Subscribe(ctx context.Context, _ []string, heard func(string)) error {
	return e.subscribe(ctx, heard)
}
