package salesiqredis

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// strict is an Evaler to which Redis refuses some scripts.
type strict struct {
	Evaler

	refuses func(script string) string // Why, or "".
}

func (s *strict) Eval(ctx context.Context, script string, keys, args []string) (any, error) {
	if why := s.refuses(script); why != "" {
		return nil, errors.New(why)
	}
	return s.Evaler.Eval(ctx, script, keys, args)
}

func TestHealthTellsTheNumbers(t *testing.T) {
	t.Parallel()
	o, _ := solo(t, WithPlan(salesiq.Plan{CallsPerMinute: 50, CallsPerDay: 1000}), WithMaxInFlight(2))
	require.NoError(t, o.Check(t.Context()))
	l := o.Limiter()
	acquire(t, l).Done(success(50, 49))
	acquire(t, l)
	acquire(t, l)
	waitFor(t, l)
	sink := sinkOf(t, o)
	enqueue(t, sink, 3)
	bury(t, sink, 1)
	h := o.Health(t.Context())
	require.NoError(t, h.Err())
	assert.True(t, h.Shared)
	assert.True(t, h.QuotaKnown)
	assert.True(t, h.EventsKnown)
	assert.Equal(t, []int{1, 1, 2, 2}, []int{h.Processes, h.Waiting, h.InFlight, h.MaxInFlight})
	assert.Equal(t, []int{50, 47}, []int{h.WindowSize, h.WindowLeft})
	assert.Equal(t, []int{1000, 997}, []int{h.Day.Limit, h.Day.Left})
	assert.Equal(t, []int{2, 1}, []int{h.Backlog, h.DeadLetters})
	assert.Positive(t, h.DeadLetterBytes)
	assert.WithinDuration(t, time.Now(), h.OldestEvent, time.Minute)
	assert.Equal(t, 1, o.Health(t.Context()).Processes, "who looks is no process that calls")
}

func TestHealthOfARedisThatSaysSomethingElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var gauges any
		r := record(func(_ context.Context, script string, _ []string) (any, error) {
			if script == gaugesScript {
				return gauges, nil
			}
			return []any{}, nil
		})
		o := join(t, r)
		for _, reply := range []any{nil, int64(1), []any{int64(1)}, []any{int64(1), "", int64(1), int64(1), int64(1)}} {
			gauges = reply
			h := o.Health(t.Context())
			require.NoError(t, h.Err(), "it answers")
			assert.Equal(t, &Health{Shared: true}, h)
		}
		gauges = []any{int64(3), "1700000000123-7", int64(2), int64(9)}
		h := o.Health(t.Context())
		assert.Equal(t, &Health{Shared: true, EventsKnown: true, Backlog: 3, OldestEvent: time.UnixMilli(1700000000123), DeadLetters: 2, DeadLetterBytes: 9}, h)
		for _, id := range []string{"", "x-1", "1700000000123"} {
			gauges = []any{int64(0), id, int64(0), int64(0)}
			assert.Equal(t, &Health{Shared: true, EventsKnown: true}, o.Health(t.Context()))
		}
		gauges = nil
		_, err := o.Limiter().Acquire(t.Context())
		require.ErrorContains(t, err, "an answer of 0 parts")
	})
}

// bury makes so many dead letters of the oldest events.
func bury(t *testing.T, sink *Sink, n int) {
	t.Helper()
	entries, _, err := sink.take(t.Context(), n, "0-0")
	require.NoError(t, err)
	for _, e := range entries {
		require.NoError(t, sink.end(t.Context(), e, "1"))
	}
}

func TestHealthOfARedisThatIsAway(t *testing.T) {
	t.Parallel()
	o, server := solo(t)
	acquire(t, o.Limiter()).Done(success(50, 49))
	server.Close()
	acquire(t, o.Limiter())
	h := o.Health(t.Context())
	assert.False(t, h.Shared)
	assert.False(t, h.QuotaKnown)
	assert.False(t, h.EventsKnown)
	require.NotEmpty(t, h.Failures)
	assert.Equal(t, "limiter", h.Failures[0].Use)
	assert.WithinDuration(t, time.Now(), h.Failures[0].Since, time.Minute)
	require.Error(t, h.Err())
	require.Error(t, o.Check(t.Context()))
}

func TestSetupThatCannotWorkIsAnErrorWithItsRemedy(t *testing.T) {
	t.Parallel()
	for why, remedy := range map[string]string{
		"NOPERM this user has no permissions":                                 "commands, keys and channels",
		"ERR ACL failure in script: User alice has no permissions":            "commands, keys and channels",
		"WRONGPASS invalid username-password pair":                            "name and password",
		"NOAUTH Authentication required.":                                     "name and password",
		"READONLY You can't write against a read only replica.":               "replica",
		"ERR unknown command 'EVALSHA'":                                       "6.2",
		"ERR Error running script: Unknown Redis command called from script":  "6.2",
		"MISCONF Redis is configured to save RDB snapshots, but is unable to": "disk",
	} {
		var log bytes.Buffer
		w := &strict{dial(t, miniredis.RunT(t)), func(string) string { return why }}
		o := join(t, w, WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		var setup *SetupError
		require.ErrorAs(t, o.Check(t.Context()), &setup, why)
		assert.Contains(t, setup.Remedy, remedy)
		store := o.DedupStore()
		for range 20 { // The breaker tries again in the meantime.
			_, err := store.Begin(t.Context(), "event", 1)
			require.ErrorIs(t, err, ErrAway)
			time.Sleep(10 * time.Millisecond)
		}
		require.ErrorAs(t, o.Health(t.Context()).Err(), &setup)
		assert.Equal(t, 1, strings.Count(log.String(), "use=events"), log.String())
		assert.Contains(t, log.String(), remedy)
	}
}

// A probe that is let through although the scripts are not would let the circuit
// breaker flap. What then goes away again and again is logged once.
func TestUseThatFlapsIsLoggedOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	w := &strict{dial(t, miniredis.RunT(t)), func(script string) string {
		if script == beginScript {
			return "ERR broken"
		}
		return ""
	}}
	o := join(t, w, WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	store := o.DedupStore()
	for latest := time.Now().Add(time.Second); time.Now().Before(latest); time.Sleep(20 * time.Millisecond) {
		_, err := store.Begin(t.Context(), "event", 1)
		require.ErrorIs(t, err, ErrAway)
	}
	assert.Equal(t, 1, strings.Count(log.String(), "is away"), log.String())
}

func TestFullRedisIsStillEmptied(t *testing.T) {
	t.Parallel()
	inner := dial(t, miniredis.RunT(t))
	enqueue(t, sinkOf(t, join(t, inner)), 20)
	w := &strict{inner, func(script string) string {
		if script == addScript {
			return "OOM command not allowed when used memory > 'maxmemory'."
		}
		return ""
	}}
	sink := sinkOf(t, join(t, w))
	require.ErrorIs(t, sink.Enqueue(t.Context(), newEvent(t, 100)), ErrAway)
	var p tape
	consume(t, sink, p.handle)
	assert.Eventually(t, func() bool { return p.count() == 20 }, patience, time.Millisecond)
}

func TestEventThatIsDeliveredAgainIsOne(t *testing.T) {
	t.Parallel()
	o, server := solo(t, WithEventMemory(time.Hour))
	sink := sinkOf(t, o)
	length := func() int {
		entries, err := server.Stream(sink.Stream())
		require.NoError(t, err)
		return len(entries)
	}
	enqueue(t, sink, 2)
	enqueue(t, sink, 2)
	assert.Equal(t, 2, length())
	var p tape
	stop := consume(t, sink, p.handle)
	require.Eventually(t, func() bool { return p.count() == 2 && length() == 0 }, patience, time.Millisecond)
	stop()
	enqueue(t, sink, 2)
	assert.Zero(t, length(), "it was handled meanwhile")
	server.FastForward(2 * time.Hour)
	enqueue(t, sink, 2)
	assert.Equal(t, 2, length(), "that was too long ago")
}

func TestDeadLettersAreBoundedByTheirBytes(t *testing.T) {
	t.Parallel()
	o, server := solo(t)
	sink := sinkOf(t, o, WithDeadLetterBytes(500))
	enqueue(t, sink, 10)
	bury(t, sink, 10)
	letters, err := server.Stream(sink.DeadLetters())
	require.NoError(t, err)
	size := 0
	for _, letter := range letters {
		for _, field := range letter.Values {
			size += len(field)
		}
	}
	assert.LessOrEqual(t, size, 500)
	assert.Greater(t, size, 250)
	assert.Contains(t, letters[len(letters)-1].Values[3], "chat9", "the newest are kept")
	assert.EqualValues(t, size, o.Health(t.Context()).DeadLetterBytes)
}

func TestDeadLettersAreReplayed(t *testing.T) {
	t.Parallel()
	o, server := solo(t)
	sink := sinkOf(t, o)
	enqueue(t, sink, 250)
	bury(t, sink, 250)
	n, err := sink.ReplayDeadLetters(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	n, err = sink.ReplayDeadLetters(t.Context(), 1000)
	require.NoError(t, err)
	assert.Equal(t, 249, n)
	assert.False(t, server.Exists(sink.DeadLetters()))
	assert.Zero(t, o.Health(t.Context()).DeadLetterBytes)
	var p tape
	consume(t, sink, p.handle)
	assert.Eventually(t, func() bool { return p.count() == 250 }, patience, time.Millisecond)
	n, err = sink.ReplayDeadLetters(t.Context(), 0)
	assertRefuses(t, "n", err)
	assert.Zero(t, n)
}

func TestOldDeadLettersArePurged(t *testing.T) {
	t.Parallel()
	o, server := solo(t)
	now := time.Now()
	server.SetTime(now)
	sink := sinkOf(t, o)
	enqueue(t, sink, 150)
	bury(t, sink, 149)
	server.SetTime(now.Add(time.Hour))
	bury(t, sink, 1)
	n, err := sink.PurgeDeadLetters(t.Context(), now.Add(time.Minute))
	require.NoError(t, err)
	assert.Equal(t, 149, n)
	assert.Equal(t, 1, o.Health(t.Context()).DeadLetters)
	n, err = sink.PurgeDeadLetters(t.Context(), time.Time{})
	assertRefuses(t, "before", err)
	assert.Zero(t, n)
}

// replicas is an Evaler whose replicas lag.
type replicas struct {
	*wire

	have int
}

func (r *replicas) EvalWait(ctx context.Context, script string, keys, args []string, _ int, _ time.Duration) (any, int, error) {
	reply, err := r.Eval(ctx, script, keys, args)
	return reply, r.have, err
}

func TestEventThatReplicasLackIsNotAccepted(t *testing.T) {
	t.Parallel()
	w := &replicas{wire: dial(t, miniredis.RunT(t))}
	o := join(t, w)
	sink := sinkOf(t, o, WithReplicas(2))
	w.have = 1
	err := sink.Enqueue(t.Context(), newEvent(t, 1))
	require.ErrorIs(t, err, ErrNotReplicated)
	require.NotErrorIs(t, err, ErrAway, "Redis answers")
	w.have = 2
	require.NoError(t, sink.Enqueue(t.Context(), newEvent(t, 1)), "it is delivered again")
	assert.Equal(t, 1, o.Health(t.Context()).Backlog)
	_, err = join(t, w.wire).Sink(WithReplicas(1))
	assertRefuses(t, "replicas", err)
}

func TestFirstLoadWaitsForTheConnection(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	require.NoError(t, join(t, dial(t, server)).TokenStore().Save(t.Context(), []byte("sealed")))
	w := dial(t, server)
	w.delay.Store(int64(500 * time.Millisecond)) // Six round trips.
	token, err := join(t, w, WithTimeout(100*time.Millisecond)).TokenStore().Load(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "sealed", string(token))
}

var _ webhook.Sink = (*Sink)(nil)
