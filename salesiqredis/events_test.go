package salesiqredis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/webhook"
)

func begin(t *testing.T, store webhook.DedupStore, id string, claim int64) webhook.DedupState {
	t.Helper()
	state, err := store.Begin(t.Context(), id, claim)
	require.NoError(t, err)
	return state
}

func TestEventIsHandledByOneProcess(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	here, there := join(t, dial(t, server)).DedupStore(), join(t, dial(t, server)).DedupStore()
	assert.Equal(t, webhook.DedupFree, begin(t, here, "a", 1))
	assert.Equal(t, webhook.DedupClaimed, begin(t, there, "a", 2))
	assert.Equal(t, webhook.DedupFree, begin(t, there, "b", 2), "another event")
	require.NoError(t, here.Abort(t.Context(), "a", 1))
	assert.Equal(t, webhook.DedupFree, begin(t, there, "a", 2))
	require.NoError(t, here.Abort(t.Context(), "a", 1), "it is not here's to free")
	assert.Equal(t, webhook.DedupClaimed, begin(t, here, "a", 3))
	require.NoError(t, there.Done(t.Context(), "a", 2))
	assert.Equal(t, webhook.DedupDone, begin(t, here, "a", 4))
	require.NoError(t, there.Abort(t.Context(), "a", 2))
	assert.Equal(t, webhook.DedupDone, begin(t, here, "a", 5), "what is done stays done")
}

func TestClaimOfADeadProcessEnds(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	begin(t, join(t, dial(t, server)).DedupStore(), "a", 1)
	store := join(t, dial(t, server)).DedupStore()
	server.FastForward(29 * time.Second)
	assert.Equal(t, webhook.DedupClaimed, begin(t, store, "a", 2))
	server.FastForward(2 * time.Second)
	assert.Equal(t, webhook.DedupFree, begin(t, store, "a", 3))
}

// A Redis in memory does not let time pass by itself, and processes do.
func TestClaimLastsAsLongAsItsHandlerAndIsThenRenewedNoMore(t *testing.T) {
	t.Parallel()
	const lifetime = 90 * time.Millisecond
	server := miniredis.RunT(t)
	store := join(t, dial(t, server), WithClaim(lifetime)).DedupStore()
	renewed := func() int {
		d := store.(*dedupStore)
		d.mu.Lock()
		defer d.mu.Unlock()
		return len(d.renewals)
	}
	for id, end := range map[string]func(context.Context, string, int64) error{"a": store.Done, "b": store.Abort} {
		key := "salesiq:{acme}:event:" + id
		begin(t, store, id, 1)
		for range 3 {
			server.FastForward(lifetime - time.Millisecond)
			assert.Eventually(t, func() bool { return server.TTL(key) == lifetime }, patience, time.Millisecond)
		}
		require.NoError(t, end(t.Context(), id, 1))
		assert.Zero(t, renewed())
	}
	begin(t, store, "c", 1)
	server.FastForward(lifetime)
	assert.Eventually(t, func() bool { return renewed() == 0 }, patience, time.Millisecond, "its claim has ended")
	assert.Equal(t, webhook.DedupFree, begin(t, store, "c", 2))
}

func TestClaimThatHasEndedFreesNoOtherOfItsProcess(t *testing.T) {
	t.Parallel()
	o, server := solo(t)
	store := o.DedupStore()
	begin(t, store, "a", 1)
	server.FastForward(31 * time.Second)
	assert.Equal(t, webhook.DedupFree, begin(t, store, "a", 2))
	require.NoError(t, store.Abort(t.Context(), "a", 1))
	assert.Equal(t, webhook.DedupClaimed, begin(t, store, "a", 3))
	require.NoError(t, store.Done(t.Context(), "a", 1))
	require.NoError(t, store.Abort(t.Context(), "a", 2))
	assert.Equal(t, webhook.DedupDone, begin(t, store, "a", 4), "the first one has succeeded")
}

func TestClaimThatIsSentTwiceIsTheCallers(t *testing.T) {
	t.Parallel()
	w := dial(t, miniredis.RunT(t))
	w.twice.Store(true)
	assert.Equal(t, webhook.DedupFree, begin(t, join(t, w).DedupStore(), "a", 1))
}

func TestHandledEventsAreForgottenInTheEnd(t *testing.T) {
	t.Parallel()
	o, server := solo(t, WithEventMemory(time.Hour))
	store := o.DedupStore()
	begin(t, store, "a", 1)
	require.NoError(t, store.Done(t.Context(), "a", 1))
	server.FastForward(59 * time.Minute)
	assert.Equal(t, webhook.DedupDone, begin(t, store, "a", 2))
	server.FastForward(2 * time.Minute)
	assert.Equal(t, webhook.DedupFree, begin(t, store, "a", 3))
}

func TestStoreThatIsAwayFailsAtOnce(t *testing.T) {
	t.Parallel()
	store := join(t, deaf(t), WithTimeout(500*time.Millisecond), WithClaim(time.Second)).DedupStore()
	began := time.Now()
	for range 20 {
		_, err := store.Begin(t.Context(), "a", 1)
		require.ErrorIs(t, err, ErrAway)
	}
	require.ErrorIs(t, store.Done(t.Context(), "a", 1), ErrAway)
	require.ErrorIs(t, store.Abort(t.Context(), "a", 1), ErrAway)
	assert.Less(t, time.Since(began), 5*time.Second, "one timeout, and not twenty")
}

func TestClaimForWhoHasLeftIsFreed(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	w := dial(t, server)
	store := join(t, w).DedupStore()
	w.delay.Store(int64(50 * time.Millisecond))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := store.Begin(ctx, "a", 1)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Eventually(t, func() bool { return w.trips.Load() == 2 && !server.Exists("salesiq:{acme}:event:a") }, patience, time.Millisecond)
}

func TestClaimThatCameTooLateIsFreed(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	w := dial(t, server)
	store := join(t, w, WithTimeout(500*time.Millisecond)).DedupStore()
	w.delay.Store(int64(time.Second))
	_, err := store.Begin(t.Context(), "a", 1)
	require.ErrorIs(t, err, ErrAway)
	assert.Eventually(t, func() bool { return w.trips.Load() == 2 && !server.Exists("salesiq:{acme}:event:a") }, patience, time.Millisecond)
}

func TestEventThatWasHandledWhileRedisWasAwayIsDoneAfterwards(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	w := dial(t, server)
	store := join(t, w).DedupStore()
	begin(t, store, "a", 1)
	w.deaf.Store(true)
	require.ErrorIs(t, store.Done(t.Context(), "a", 1), ErrAway)
	w.deaf.Store(false)
	elsewhere := join(t, dial(t, server)).DedupStore()
	assert.Eventually(t, func() bool {
		state, err := elsewhere.Begin(t.Context(), "a", 2)
		return err == nil && state == webhook.DedupDone
	}, patience, time.Millisecond)
}

// newEvent returns an event that differs from others by its number.
func newEvent(t *testing.T, n int) webhook.Event {
	t.Helper()
	event, err := webhook.Parse(fmt.Appendf(nil, `{"event":"chat.started","data":{"chat_id":"chat%d"}}`, n))
	require.NoError(t, err)
	return event
}

func enqueue(t *testing.T, sink *Sink, events int) {
	t.Helper()
	for n := range events {
		require.NoError(t, sink.Enqueue(t.Context(), newEvent(t, n)))
	}
}

// tape records what handlers are given.
type tape struct {
	mu      sync.Mutex
	handled map[string]int // How often, by chat.
}

func (p *tape) handle(_ context.Context, event webhook.Event) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.handled == nil {
		p.handled = map[string]int{}
	}
	p.handled[event.(*webhook.ChatStarted).ChatID]++
	return nil
}

func (p *tape) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.handled)
}

func (p *tape) times(chat string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.handled[chat]
}

// consume runs a consumer until the test, or stop, ends it.
func consume(t *testing.T, sink *Sink, handle Handler) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { assert.ErrorIs(t, sink.Run(ctx, handle), context.Canceled) })
	stop = func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(stop)
	return stop
}

func TestEventsAreHandledOnceByWhicheverConsumer(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	const events = 100
	enqueue(t, sinkOf(t, join(t, dial(t, server))), events)
	var p tape
	for range 2 {
		consume(t, sinkOf(t, join(t, dial(t, server))), p.handle)
	}
	require.Eventually(t, func() bool { return p.count() == events }, patience, time.Millisecond)
	require.Eventually(t, func() bool { s, err := server.Stream("salesiq:{acme}:events"); return err == nil && len(s) == 0 }, patience, time.Millisecond)
	p.mu.Lock()
	defer p.mu.Unlock()
	for chat, times := range p.handled {
		assert.Equal(t, 1, times, chat)
	}
}

func TestEventOfADeadConsumerIsHandedOutAgain(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	const time100 = 100 * time.Millisecond
	dead := sinkOf(t, join(t, dial(t, server)), WithHandlerTimeout(time100))
	enqueue(t, dead, 3)
	entries, _, err := dead.take(t.Context(), 3, "0-0")
	require.NoError(t, err)
	require.Len(t, entries, 3)
	var p tape
	consume(t, sinkOf(t, join(t, dial(t, server)), WithHandlerTimeout(time100)), p.handle)
	assert.Zero(t, p.count(), "they may be being handled")
	assert.Eventually(t, func() bool { return p.count() == 3 }, patience, time.Millisecond)
}

func TestEventThatFailsGoesToTheDeadLettersAfterItsTries(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	server := miniredis.RunT(t)
	o := join(t, dial(t, server), WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	sink := sinkOf(t, o, WithHandlerTimeout(20*time.Millisecond), WithMaxTries(3))
	enqueue(t, sink, 1)
	var p tape
	stop := consume(t, sink, func(ctx context.Context, event webhook.Event) error {
		assert.NoError(t, p.handle(ctx, event))
		assert.Equal(t, p.times("chat0"), event.Info().Try)
		if p.times("chat0") == 2 {
			panic("sensitive")
		}
		return errors.New("out of order")
	})
	require.Eventually(t, func() bool { s, err := server.Stream(sink.DeadLetters()); return err == nil && len(s) == 1 }, patience, time.Millisecond)
	stop()
	assert.Equal(t, 3, p.handled["chat0"])
	dead, err := server.Stream(sink.DeadLetters())
	require.NoError(t, err)
	event := newEvent(t, 0).Info()
	assert.Equal(t, []string{"event", event.EventID, "body", string(event.Body), "tries", "3"}, dead[0].Values)
	left, err := server.Stream("salesiq:{acme}:events")
	require.NoError(t, err)
	assert.Empty(t, left)
	assert.Contains(t, log.String(), "out of order")
	assert.Equal(t, 2, strings.Count(log.String(), `level=WARN msg="salesiq event failed" event=chat.started entry=`))
	assert.Equal(t, 1, strings.Count(log.String(), `level=ERROR msg="salesiq event is a dead letter" event=chat.started entry=`))
	assert.NotContains(t, log.String(), "sensitive")
}

// Neither the end of a try nor the lifetime of a claim lets a second run begin.
func TestHandlerWithOnceThatTakesLongerThanItsClaimRunsOnceAtATime(t *testing.T) {
	t.Parallel()
	const tick, lifetime = 10 * time.Millisecond, 300 * time.Millisecond
	server := miniredis.RunT(t)
	o := join(t, dial(t, server), WithClaim(lifetime))
	receiver, err := webhook.NewReceiver(webhook.Unsigned(), webhook.WithDedupStore(o.DedupStore()))
	require.NoError(t, err)
	var tries, runs atomic.Int32
	require.NoError(t, webhook.OnAny(receiver, func(context.Context, webhook.Event) error {
		runs.Add(1)
		for range 4 * lifetime / tick {
			time.Sleep(tick)
			server.FastForward(tick) // A Redis in memory has no time of its own.
		}
		return nil
	}, webhook.Once("slow")))
	sink := sinkOf(t, o, WithHandlerTimeout(lifetime/2), WithMaxTries(100))
	enqueue(t, sink, 1)
	consume(t, sink, func(ctx context.Context, event webhook.Event) error {
		tries.Add(1)
		return receiver.Dispatch(ctx, event)
	})
	require.Eventually(t, func() bool { s, err := server.Stream(sink.Stream()); return err == nil && len(s) == 0 }, patience, tick)
	assert.EqualValues(t, 1, runs.Load())
	assert.Greater(t, tries.Load(), int32(2))
}

// A handler that ends its goroutine has failed, and no worker is lost.
func TestHandlerThatEndsItsGoroutineHasFailed(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	server := miniredis.RunT(t)
	o := join(t, dial(t, server), WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	sink := sinkOf(t, o, WithHandlerTimeout(20*time.Millisecond), WithMaxTries(2), WithWorkers(1))
	enqueue(t, sink, 1)
	stop := consume(t, sink, func(context.Context, webhook.Event) error { runtime.Goexit(); return nil })
	require.Eventually(t, func() bool { s, err := server.Stream(sink.DeadLetters()); return err == nil && len(s) == 1 }, patience, time.Millisecond)
	stop()
	assert.Equal(t, 1, strings.Count(log.String(), "level=WARN msg=\"salesiq event failed\""))
	assert.Equal(t, 1, strings.Count(log.String(), "level=ERROR msg=\"salesiq event is a dead letter\""))
	assert.Equal(t, 2, strings.Count(log.String(), errGoexit.Error()))
}

// An event that kills its consumers does not do so for ever.
func TestAbandonedEventGoesToTheDeadLettersAfterItsTries(t *testing.T) {
	t.Parallel()
	o, server := solo(t)
	sink := sinkOf(t, o, WithHandlerTimeout(8*time.Millisecond), WithMaxTries(2))
	enqueue(t, sink, 1)
	tries := 0
	require.Eventually(t, func() bool {
		entries, _, err := sink.take(t.Context(), 1, "0-0")
		assert.NoError(t, err)
		tries += len(entries)
		s, err := server.Stream(sink.DeadLetters())
		return err == nil && len(s) == 1
	}, patience, 20*time.Millisecond)
	assert.Equal(t, 2, tries)
}

// Each process is another consumer, and does not say when it is killed.
func TestConsumersThatHaveEndedAreForgotten(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	w := dial(t, server)
	now := time.Now()
	server.SetTime(now)
	ended, owes := sinkOf(t, join(t, w)), sinkOf(t, join(t, w))
	enqueue(t, ended, 2)
	for _, sink := range []*Sink{owes, ended} {
		_, _, err := sink.take(t.Context(), 1, "0-0")
		require.NoError(t, err)
	}
	consumers := func() string {
		reply, err := w.Evaler.Eval(t.Context(), `
			local names = {}
			for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], 'salesiq')) do names[#names + 1] = consumer[2] end
			return table.concat(names, ' ')`, []string{ended.stream}, nil)
		require.NoError(t, err)
		return reply.(string)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	claimed, err := w.Evaler.Eval(t.Context(), `
		local id = redis.call('XPENDING', KEYS[1], 'salesiq', '-', '+', 1, ARGV[1])[1][1]
		redis.call('XCLAIM', KEYS[1], 'salesiq', ARGV[1], 0, id) -- So that this Redis notes when it was seen.
		return #redis.call('XCLAIM', KEYS[1], 'salesiq', ARGV[2], 0, id)`, []string{ended.stream}, []string{ended.process, owes.process})
	require.NoError(t, err)
	require.EqualValues(t, 1, claimed)
	require.ErrorIs(t, sinkOf(t, join(t, w)).Run(ctx, new(tape).handle), context.Canceled)
	assert.Contains(t, consumers(), ended.process, "it may only be slow")
	server.SetTime(now.Add(2 * time.Hour))
	require.ErrorIs(t, sinkOf(t, join(t, w)).Run(ctx, new(tape).handle), context.Canceled)
	assert.Equal(t, owes.process, consumers(), "whose events are still to be handed out again")
}

// An event that nobody was given has not been tried.
func TestSlowRedisCostsEventsNoTries(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	w := dial(t, server)
	slow := sinkOf(t, join(t, w, WithTimeout(100*time.Millisecond)), WithMaxTries(1))
	enqueue(t, sinkOf(t, join(t, w)), 3)
	w.delay.Store(int64(200 * time.Millisecond))
	_, _, err := slow.take(t.Context(), 3, "0-0")
	require.ErrorIs(t, err, ErrAway)
	other := sinkOf(t, join(t, dial(t, server)), WithMaxTries(1))
	var entries []entry
	require.Eventually(t, func() bool {
		more, _, err := other.take(t.Context(), 3, "0-0")
		assert.NoError(t, err)
		entries = append(entries, more...)
		return len(entries) == 3
	}, patience, 10*time.Millisecond)
	for _, e := range entries {
		assert.Equal(t, 1, e.try)
	}
	assert.False(t, server.Exists(other.DeadLetters()))
}

func TestWorkersBoundWhatIsHandledAtOnce(t *testing.T) {
	t.Parallel()
	o, _ := solo(t)
	sink := sinkOf(t, o, WithWorkers(3))
	enqueue(t, sink, 12)
	var mu sync.Mutex
	var now, most, all int
	consume(t, sink, func(context.Context, webhook.Event) error {
		mu.Lock()
		now++
		most, all = max(most, now), all+1
		mu.Unlock()
		time.Sleep(10 * time.Millisecond)
		mu.Lock()
		now--
		mu.Unlock()
		return nil
	})
	require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return all == 12 && now == 0 }, patience, time.Millisecond)
	assert.Equal(t, 3, most)
}

func TestRunLetsHandlersFinish(t *testing.T) {
	t.Parallel()
	o, server := solo(t)
	sink := sinkOf(t, o)
	enqueue(t, sink, 1)
	started := make(chan struct{})
	finished := false
	stop := consume(t, sink, func(ctx context.Context, _ webhook.Event) error {
		close(started)
		time.Sleep(50 * time.Millisecond)
		finished = ctx.Err() == nil
		return nil
	})
	<-started
	stop()
	assert.True(t, finished)
	left, err := server.Stream("salesiq:{acme}:events")
	require.NoError(t, err)
	assert.Empty(t, left, "it is acknowledged")
}

// onePending is a Redis that hands out one entry, and takes whatever it is told.
type onePending struct {
	began     time.Time
	handedOut atomic.Bool
}

func (p *onePending) Eval(_ context.Context, script string, _, _ []string) (any, error) {
	if !strings.Contains(script, "XREADGROUP") || p.handedOut.Swap(true) {
		return []any{"0-0"}, nil
	}
	return []any{"0-0", []any{"1-1", `{"event":"chat.ended","data":{}}`, int64(1), ""}}, nil
}

func TestHandlerThatDoesNotReturnHoldsUpNoEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sink := sinkOf(t, join(t, new(onePending)), WithHandlerTimeout(time.Minute))
		ctx, stop := context.WithCancel(t.Context())
		release := make(chan struct{})
		began := time.Now()
		err := sink.Run(ctx, func(context.Context, webhook.Event) error { stop(); <-release; return nil })
		require.ErrorIs(t, err, ErrHandlerStuck)
		assert.InDelta(t, time.Minute, time.Since(began), float64(30*time.Second))
		close(release)
		synctest.Wait()
	})
}

// takes returns a sink of a Redis in virtual time, and how often its stream was looked into.
func takes(t *testing.T, answer func(ctx context.Context, script string, args []string) (any, error), opts ...SinkOption) (*Sink, func() []asked) {
	t.Helper()
	r := record(answer)
	return sinkOf(t, join(t, r), opts...), func() []asked { return r.of(deadScript + takeScript) }
}

func nothing(context.Context, string, []string) (any, error) { return []any{"0-0"}, nil }

func TestEmptyStreamIsLookedIntoMoreAndMoreSeldom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sink, looks := takes(t, nothing)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		require.ErrorIs(t, sink.Run(ctx, new(tape).handle), context.DeadlineExceeded)
		var times []time.Duration
		for _, look := range looks() {
			times = append(times, look.after)
		}
		assert.Equal(t, milli(0, 20, 60, 140, 300, 620, 1120, 1620, 2120, 2620), times)
	})
}

func TestStreamIsLookedIntoAtOnceAfterAnEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := new(onePending)
		sink, looks := takes(t, func(ctx context.Context, script string, args []string) (any, error) {
			if time.Since(one.began) < time.Second {
				return nothing(ctx, script, args)
			}
			return one.Eval(ctx, script, nil, args)
		})
		one.began = time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 1300*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, sink.Run(ctx, func(context.Context, webhook.Event) error { return nil }), context.DeadlineExceeded)
		var times []time.Duration
		for _, look := range looks() {
			times = append(times, look.after)
		}
		assert.Equal(t, milli(620, 1120, 1120, 1140, 1180, 1260), times[5:])
	})
}

func TestStreamIsAskedForWhatTheOptionsSay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		answer := func(context.Context, string, []string) (any, error) { return []any{"7-7"}, nil }
		byDefault, looks := takes(t, answer)
		time.AfterFunc(30*time.Millisecond, cancel)
		require.ErrorIs(t, byDefault.Run(ctx, new(tape).handle), context.Canceled)
		const bytes = "67108864"
		assert.Equal(t, []string{group, byDefault.process, "37500", "5", "10", "0-0", "100000", bytes}, looks()[0].args)
		assert.Equal(t, []string{group, byDefault.process, "37500", "5", "10", "7-7", "100000", bytes}, looks()[1].args, "it goes on from there")

		chosen, looks := takes(t, answer, WithWorkers(3), WithHandlerTimeout(2*time.Second), WithMaxTries(7), WithDeadLetterBytes(9))
		require.ErrorIs(t, chosen.Run(ctx, new(tape).handle), context.Canceled)
		_, _, err := chosen.take(t.Context(), 3, "0-0")
		require.NoError(t, err)
		assert.Equal(t, []string{group, chosen.process, "2500", "7", "3", "0-0", "100000", "9"}, looks()[0].args)
	})
}

func TestConsumerIsForgottenAfterAnHourOrTwiceItsTime(t *testing.T) {
	t.Parallel()
	for timeout, want := range map[time.Duration]string{time.Second: "3600000", time.Hour: "7200000"} {
		synctest.Test(t, func(t *testing.T) {
			r := record(nothing)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			require.ErrorIs(t, sinkOf(t, join(t, r), WithHandlerTimeout(timeout)).Run(ctx, new(tape).handle), context.Canceled)
			assert.Equal(t, []string{group, want}, r.of(joinScript)[0].args)
		})
	}
}

// What comes too late goes back, with the number of its try.
func TestEventsThatCameTooLateGoBackAsTheyWere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record(func(_ context.Context, script string, _ []string) (any, error) {
			if script == deadScript+takeScript {
				time.Sleep(3 * time.Second)
				return []any{"0-0", []any{"1-1", "{}", int64(2), ""}, []any{"too short"}, []any{"1-2", "{}", int64(1), ""}}, nil
			}
			return int64(1), nil
		})
		sink := sinkOf(t, join(t, r))
		_, _, err := sink.take(t.Context(), 3, "0-0")
		require.ErrorIs(t, err, ErrAway)
		time.Sleep(5 * time.Second)
		require.Len(t, r.of(returnScript), 1)
		assert.Equal(t, []string{group, sink.process, "37500", "1-1", "2", "1-2", "1"}, r.of(returnScript)[0].args)
	})
}

func TestAcknowledgmentIsTriedUntilTheEventMayBeHandedOutAgain(t *testing.T) {
	t.Parallel()
	for outage, told := range map[time.Duration]bool{6 * time.Second: true, 9 * time.Second: false} {
		synctest.Test(t, func(t *testing.T) {
			r := record(awayFor(outage, int64(1)))
			sink := sinkOf(t, join(t, r))
			err := sink.end(t.Context(), entry{id: "1-1"}, "3")
			assert.Equal(t, told, err == nil)
			assert.LessOrEqual(t, time.Since(r.began), 7500*time.Millisecond)
			assert.Equal(t, []string{group, "1-1", "3", "100000", "67108864"}, r.of(deadScript + endScript)[0].args)
			time.Sleep(5 * time.Second)
		})
	}
}

func TestEntryThatIsNoEventGoesToTheDeadLetters(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	o, server := solo(t, WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	sink := sinkOf(t, o, WithMaxTries(1))
	enqueue(t, sink, 1) // It makes the group.
	_, err := server.XAdd(sink.Stream(), "*", []string{"event", "x", "body", "no event"})
	require.NoError(t, err)
	stop := consume(t, sink, new(tape).handle)
	require.Eventually(t, func() bool { s, err := server.Stream(sink.DeadLetters()); return err == nil && len(s) == 1 }, patience, time.Millisecond)
	stop()
	assert.Contains(t, log.String(), `msg="salesiq event is a dead letter" event="" entry=`)
}

func TestDeadLettersAreTakenAHundredAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		left, fails := 250, false
		r := record(func(_ context.Context, _ string, args []string) (any, error) {
			mu.Lock()
			defer mu.Unlock()
			if fails && left <= 150 {
				return nil, io.ErrUnexpectedEOF
			}
			most, err := strconv.Atoi(args[len(args)-1])
			n := min(left, most)
			left -= n
			return int64(n), err
		})
		sink := sinkOf(t, join(t, r))
		sizes := func(script string) (sizes []string) {
			for _, a := range r.of(deadScript + script) {
				sizes = append(sizes, a.args[len(a.args)-1])
			}
			return sizes
		}
		n, err := sink.ReplayDeadLetters(t.Context(), 130)
		require.NoError(t, err)
		assert.Equal(t, 130, n)
		assert.Equal(t, []string{"100", "30"}, sizes(replayScript))
		n, err = sink.PurgeDeadLetters(t.Context(), time.UnixMilli(5))
		require.NoError(t, err)
		assert.Equal(t, 120, n)
		assert.Equal(t, []string{"100", "100"}, sizes(purgeScript))
		assert.Equal(t, []string{"5", "100"}, r.of(deadScript + purgeScript)[0].args)

		mu.Lock()
		left, fails = 250, true
		mu.Unlock()
		n, err = sink.ReplayDeadLetters(t.Context(), 1000)
		require.ErrorIs(t, err, ErrAway)
		assert.Equal(t, 100, n, "as many as there were")
		time.Sleep(5 * time.Second)
		mu.Lock()
		left, fails = 0, false
		mu.Unlock()
		sink.links.acknowledge.untilBack(t.Context())
		_, err = sink.PurgeDeadLetters(t.Context(), time.Unix(-5, 0))
		require.NoError(t, err)
		purges := r.of(deadScript + purgeScript)
		assert.Equal(t, "0", purges[len(purges)-1].args[0], "before there were computers")
	})
}

func TestConsumerOutlivesRedis(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	o := join(t, dial(t, server))
	var p tape
	consume(t, sinkOf(t, o), p.handle)
	enqueue(t, sinkOf(t, o), 1)
	require.Eventually(t, func() bool { return p.count() == 1 }, patience, time.Millisecond)
	server.Close()
	writer := sinkOf(t, o)
	require.ErrorIs(t, writer.Enqueue(t.Context(), newEvent(t, 1)), ErrAway)
	server.FlushAll() // It comes back without its memory, and so without the group.
	require.NoError(t, server.Restart())
	require.Eventually(t, func() bool { return writer.Enqueue(t.Context(), newEvent(t, 1)) == nil }, patience, 10*time.Millisecond)
	assert.Eventually(t, func() bool { return p.count() == 2 }, patience, time.Millisecond)
}

func TestTraceOfAnEventReachesItsHandlerInAnotherProcess(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	traced := newEvent(t, 1)
	traced.Info().Trace = "00-trace-span-01"
	writer := sinkOf(t, join(t, dial(t, server)))
	require.NoError(t, writer.Enqueue(t.Context(), traced))
	require.NoError(t, writer.Enqueue(t.Context(), newEvent(t, 2)))
	traces := make(chan string, 2)
	consume(t, sinkOf(t, join(t, dial(t, server)), WithWorkers(1)), func(_ context.Context, event webhook.Event) error {
		traces <- event.Info().Trace
		return nil
	})
	assert.Equal(t, "00-trace-span-01", <-traces)
	assert.Empty(t, <-traces)
}
