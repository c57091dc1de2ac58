package salesiqbolt

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
	"github.com/salesiq-go/salesiq/webhook/webhooktest"
)

func TestInboxKeepsWhatASinkPromises(t *testing.T) {
	t.Parallel()
	webhooktest.TestSink(t, func(t *testing.T, handle func(context.Context, webhook.Event) error) webhook.Sink {
		inbox := inboxOf(t, openNew(t))
		run(t, inbox, handle)
		return inbox
	})
}

func TestEventsAreThereAfterARestart(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	f := openAt(t, path)
	enqueue(t, inboxOf(t, f), 0, 100)
	require.NoError(t, f.Close())
	f = openAt(t, path)
	inbox := inboxOf(t, f)
	assert.Equal(t, 100, stats(t, inbox).Waiting)
	var p tape
	stop := run(t, inbox, p.handle)
	eventually(t, func() bool { return stats(t, inbox).Waiting+stats(t, inbox).Running == 0 }, "all are handled")
	stop()
	assert.Equal(t, 100, p.count())
	enqueue(t, inbox, 0, 100)
	assert.Zero(t, stats(t, inbox).Waiting, "they were handled before")
	require.NoError(t, f.Close())
	inbox = inboxOf(t, openAt(t, path))
	enqueue(t, inbox, 0, 101)
	assert.Equal(t, 1, stats(t, inbox).Waiting, "and are known after another restart")
}

func TestEventThatWaitsIsKnownHoweverOldItIs(t *testing.T) {
	t.Parallel()
	inbox := inboxOf(t, openNew(t, WithMaxAge(time.Nanosecond), WithMaxEvents(1)))
	for range 3 {
		enqueue(t, inbox, 0, 10)
	}
	assert.Equal(t, 10, stats(t, inbox).Waiting)
}

func TestNoEventIsKnownBeforeItHasCome(t *testing.T) {
	t.Parallel()
	f := openNew(t, WithMaxAge(math.MaxInt64))
	assert.Equal(t, webhook.DedupFree, begin(t, f.DedupStore(), "a"))
	enqueue(t, inboxOf(t, f), 0, 1)
	assert.Equal(t, 1, stats(t, inboxOf(t, f)).Waiting)
}

func TestEventsThatTheInboxHasHandledAreForgottenInTheEnd(t *testing.T) {
	t.Parallel()
	f := openNew(t, WithMaxEvents(10))
	inbox := inboxOf(t, f, WithWorkers(1))
	var p tape
	stop := run(t, inbox, p.handle)
	for n := range 30 {
		enqueue(t, inbox, n, n+1)
		eventually(t, func() bool { s := stats(t, inbox); return s.Waiting+s.Running == 0 }, "it is handled")
	}
	stop()
	assert.Equal(t, 10, f.index.now().remembered)
	enqueue(t, inbox, 20, 30)
	assert.Zero(t, stats(t, inbox).Waiting, "they are remembered")
	enqueue(t, inbox, 0, 20)
	assert.Equal(t, 20, stats(t, inbox).Waiting, "they are not")
}

func TestEventThatFailsIsTriedAgainAfterGrowingPauses(t *testing.T) {
	t.Parallel()
	inbox := inboxOf(t, openNew(t), WithPauses(20*time.Millisecond, 80*time.Millisecond), WithMaxTries(5))
	enqueue(t, inbox, 0, 1)
	var mu sync.Mutex
	var at []time.Time
	run(t, inbox, func(context.Context, webhook.Event) error {
		mu.Lock()
		defer mu.Unlock()
		if at = append(at, time.Now()); len(at) < 5 {
			return errors.New("not yet")
		}
		return nil
	})
	eventually(t, func() bool { s := stats(t, inbox); return s.Waiting+s.Running == 0 }, "it succeeds in the end")
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, at, 5)
	for try, least := range []int64{15, 30, 60, 60} {
		assert.GreaterOrEqual(t, at[try+1].Sub(at[try]).Milliseconds(), least, "after try %d", try+1)
	}
	assert.Zero(t, stats(t, inbox).DeadLetters)
}

func TestPausesAreBounded(t *testing.T) {
	t.Parallel()
	inbox := inboxOf(t, openNew(t), WithPauses(time.Second, time.Minute))
	for try, most := range map[int]float64{1: 1, 2: 2, 6: 32, 7: 60, 1000: 60} {
		for range 100 {
			pause := inbox.pause(try)
			assert.InDelta(t, most, pause.Seconds(), most/4+0.001, try)
		}
	}
}

func TestEventThatFailsIsADeadLetterAfterItsTries(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	path := newPath(t)
	f := openAt(t, path, WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	inbox := inboxOf(t, f, WithPauses(time.Millisecond, time.Millisecond), WithMaxTries(4))
	enqueue(t, inbox, 0, 2)
	var p tape
	stop := run(t, inbox, func(ctx context.Context, event webhook.Event) error {
		if event.(*webhook.ChatRated).ChatID == "chat1" {
			return nil
		}
		assert.NoError(t, p.handle(ctx, event))
		switch p.times("chat0") {
		case 2:
			panic("sensitive")
		case 3:
			runtime.Goexit()
		}
		return errors.New("out of order")
	})
	eventually(t, func() bool { s := stats(t, inbox); return s.DeadLetters == 1 && s.Waiting+s.Running == 0 }, "one is dead")
	stop()
	assert.Equal(t, 4, p.times("chat0"))
	require.NoError(t, f.Close())
	assert.Contains(t, log.String(), "dead letter")
	assert.Equal(t, 3, strings.Count(log.String(), `level=WARN msg="salesiq event failed" event=chat.rating event_id=`))
	assert.Equal(t, 1, strings.Count(log.String(), `level=ERROR msg="salesiq event is a dead letter" event=chat.rating event_id=`))
	assert.NotContains(t, log.String(), "sensitive")

	f = openAt(t, path)
	inbox = inboxOf(t, f)
	event := newEvent(t, 0).Info()
	assert.Equal(t, 1, stats(t, inbox).DeadLetters)
	for letter, err := range inbox.DeadLetters(t.Context()) {
		require.NoError(t, err)
		assert.Equal(t, event.EventID, letter.EventID)
		assert.Equal(t, event.Body, letter.Body)
		assert.Equal(t, 4, letter.Tries)
		assert.Equal(t, "out of order", letter.LastError)
		assert.WithinDuration(t, time.Now(), letter.At, time.Minute)
		again, err := letter.Event()
		require.NoError(t, err)
		assert.Equal(t, "chat0", again.(*webhook.ChatRated).ChatID)
	}
	enqueue(t, inbox, 0, 1)
	assert.Zero(t, stats(t, inbox).Waiting, "a dead letter is known")
}

// An outage of hours, of whoever a handler calls, costs no event.
func TestEventIsTriedForTwoDays(t *testing.T) {
	t.Parallel()
	for outage, succeeds := range map[time.Duration]bool{40 * time.Hour: true, 72 * time.Hour: false} {
		synctest.Test(t, func(t *testing.T) {
			f := openAt(t, newPath(t))
			inbox := inboxOf(t, f)
			began := time.Now()
			enqueue(t, inbox, 0, 1)
			var last time.Duration
			stop := run(t, inbox, func(context.Context, webhook.Event) error {
				if last = time.Since(began); last < outage {
					return errors.New("away")
				}
				return nil
			})
			time.Sleep(100 * time.Hour)
			stop()
			s := stats(t, inbox)
			require.NoError(t, f.Close())
			assert.Zero(t, s.Waiting+s.Running)
			if succeeds {
				assert.Zero(t, s.DeadLetters)
				assert.Less(t, last-outage, 10*time.Minute, "it is tried every few minutes")
				return
			}
			assert.Equal(t, 1, s.DeadLetters)
			assert.InDelta(t, 48, last.Hours(), 2)
		})
	}
}

func TestTriesAddUpToTheTimeThatIsAskedFor(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	for _, row := range []struct {
		opts  []InboxOption
		tries int
	}{
		{nil, 585}, // As the documentation says.
		{[]InboxOption{WithRetryFor(1)}, 2},
		{[]InboxOption{WithRetryFor(7 * time.Second)}, 4},
		{[]InboxOption{WithRetryFor(7*time.Second + 1)}, 5},
		{[]InboxOption{WithPauses(time.Minute, time.Minute), WithRetryFor(time.Hour)}, 61},
		{[]InboxOption{WithRetryFor(time.Hour), WithMaxTries(3)}, 3},
		{[]InboxOption{WithMaxTries(3), WithRetryFor(3 * time.Second)}, 3},
		{[]InboxOption{WithPauses(1, 1), WithRetryFor(math.MaxInt64)}, maxTries},
		{[]InboxOption{WithPauses(3, math.MaxInt64), WithRetryFor(math.MaxInt64)}, 63},
	} {
		assert.Equal(t, row.tries, inboxOf(t, f, row.opts...).tries)
	}
}

func TestHandlerKnowsWhichTryItIs(t *testing.T) {
	t.Parallel()
	inbox := inboxOf(t, openNew(t), WithPauses(time.Millisecond, time.Millisecond), WithMaxTries(3))
	enqueue(t, inbox, 0, 1)
	var mu sync.Mutex
	var tries []int
	stop := run(t, inbox, func(_ context.Context, event webhook.Event) error {
		mu.Lock()
		defer mu.Unlock()
		tries = append(tries, event.Info().Try)
		return errors.New("no")
	})
	eventually(t, func() bool { return stats(t, inbox).DeadLetters == 1 }, "it is dead")
	stop()
	assert.Equal(t, []int{1, 2, 3}, tries)
}

func TestAToleranceMayBeAsLongAsTheInboxRemembers(t *testing.T) {
	t.Parallel()
	inbox := inboxOf(t, openNew(t, WithMaxAge(60*24*time.Hour)))
	verifier := webhook.HMAC(salesiq.NewSecret(hookSecret))
	_, err := webhook.NewReceiver(verifier, webhook.WithSink(inbox), webhook.WithTolerance(60*24*time.Hour))
	require.NoError(t, err)
	_, err = webhook.NewReceiver(verifier, webhook.WithSink(inbox), webhook.WithTolerance(61*24*time.Hour))
	require.ErrorContains(t, err, "tolerance")
}

// bury makes dead letters of events.
func bury(t *testing.T, inbox *Inbox, from, to int) {
	t.Helper()
	enqueue(t, inbox, from, to)
	before := stats(t, inbox).DeadLetters
	stop := run(t, inbox, func(context.Context, webhook.Event) error { return errors.New("no") })
	eventually(t, func() bool { return stats(t, inbox).DeadLetters == before+to-from }, "they are dead")
	stop()
}

func TestDeadLettersAreReplayedAndPurged(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	inbox := inboxOf(t, openAt(t, path), WithMaxTries(1))
	bury(t, inbox, 0, 250)
	id := func(n int) string { return newEvent(t, n).Info().EventID }

	n, err := inbox.Replay(t.Context(), id(3), id(4), "unknown", id(1000))
	require.NoError(t, err)
	assert.Equal(t, 2, n)
	s := stats(t, inbox)
	assert.Equal(t, []int{2, 248}, []int{s.Waiting, s.DeadLetters})
	var p tape
	stop := run(t, inbox, p.handle)
	eventually(t, func() bool { s := stats(t, inbox); return s.Waiting+s.Running == 0 }, "they are handled")
	stop()
	assert.Equal(t, map[string]int{"chat3": 1, "chat4": 1}, p.handled)

	n, err = inbox.Purge(t.Context(), id(5), id(3))
	require.NoError(t, err)
	assert.Equal(t, 1, n, "chat3 is no dead letter any more")
	enqueue(t, inbox, 0, 10)
	assert.Zero(t, stats(t, inbox).Waiting, "what was purged counts as handled")

	n, err = inbox.ReplayAll(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 247, n)
	assert.Equal(t, 247, stats(t, inbox).Waiting)
	fails := func(context.Context, webhook.Event) error { return errors.New("no") }
	run(t, inbox, fails)() // It is stopped at once.
	stop = run(t, inbox, fails)
	eventually(t, func() bool { return stats(t, inbox).DeadLetters == 247 }, "they have failed again")
	stop()
	n, err = inbox.PurgeAll(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 247, n)
	s = stats(t, inbox)
	assert.Equal(t, []int{0, 0, 0}, []int{s.Waiting, s.Running, s.DeadLetters})
	assert.Zero(t, s.Age())
	for range inbox.Entries(t.Context()) {
		assert.Fail(t, "there are none")
	}
	assert.Equal(t, 250, inbox.file.index.now().remembered)
	require.NoError(t, inbox.file.Close())
	inbox = inboxOf(t, openAt(t, path))
	enqueue(t, inbox, 0, 251)
	assert.Equal(t, 1, stats(t, inbox).Waiting, "that is so after a restart")
}

// A list of entries must not keep anything from being written in the meantime.
func TestEntriesAreListedWhileOthersAreTaken(t *testing.T) {
	t.Parallel()
	inbox := inboxOf(t, openNew(t))
	enqueue(t, inbox, 0, 250)
	listed := map[string]bool{}
	for e, err := range inbox.Entries(t.Context()) {
		require.NoError(t, err)
		assert.False(t, listed[e.EventID])
		listed[e.EventID] = true
		if len(listed)%50 == 0 && len(listed) <= 250 {
			enqueue(t, inbox, 1000+len(listed), 1000+len(listed)+50)
		}
	}
	assert.Len(t, listed, 500)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, onlyError(t, inbox.Entries(ctx)), context.Canceled)
	for range inbox.Entries(t.Context()) {
		break // And nothing comes after it.
	}
}

func TestListOfAnyLengthIsWhole(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 99, 100, 101, 200, 201} {
		inbox := inboxOf(t, openNew(t))
		enqueue(t, inbox, 0, n)
		var numbers []uint64
		for e, err := range inbox.Entries(t.Context()) {
			require.NoError(t, err)
			numbers = append(numbers, e.number)
		}
		assert.Len(t, numbers, n)
		assert.True(t, slices.IsSorted(numbers), "the oldest is first")
	}
}

func TestEntryThatCannotBeReadEndsTheList(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	inbox := inboxOf(t, f)
	enqueue(t, inbox, 0, 3)
	doChange(t, f, func(c *change) error { return c.bucket(inboxBucket).Put(key(2), []byte("nonsense")) })
	require.ErrorIs(t, onlyError(t, inbox.Entries(t.Context())), ErrDamaged)
}

func TestReplayThatFailsIsAnError(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	inbox := inboxOf(t, f, WithMaxTries(1))
	bury(t, inbox, 0, 101)
	doChange(t, f, nest(inboxBucket, key(101)))
	n, err := inbox.ReplayAll(t.Context())
	require.Error(t, err)
	assert.Equal(t, 100, n, "as many are replayed")
	s := stats(t, inbox)
	assert.Equal(t, []int{100, 1}, []int{s.Waiting, s.DeadLetters})
}

// In a file that is damaged, an entry may have the number of one before it.
func TestListDoesNotGoRoundInCircles(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	f := openAt(t, path)
	enqueue(t, inboxOf(t, f), 0, 300)
	require.NoError(t, f.Close())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	f = openAt(t, path)
	entries, err := inboxOf(t, f).read(t.Context(), inboxBucket, 200, 1)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	written := func(number uint64) []byte { return append(key(number), entries[0].encode()...) }
	require.Positive(t, bytes.Count(content, written(200)))
	require.NoError(t, os.WriteFile(path, bytes.ReplaceAll(content, written(200), written(100)), 0o600))
	listed, last := 0, error(nil)
	for _, err := range inboxOf(t, openAt(t, path)).Entries(t.Context()) {
		if last = err; err != nil {
			continue
		}
		if listed++; listed > 1000 {
			break
		}
	}
	require.ErrorIs(t, last, ErrDamaged)
	assert.Equal(t, 100, listed)
}

// An error in the middle of a change is told, and leaves all as it was.
func TestChangeThatFailsLeavesAllAsItWas(t *testing.T) {
	t.Parallel()
	take := func(_ *File, inbox *Inbox) error { _, _, err := inbox.take(10); return err }
	mark := func(f *File, _ *Inbox) error { return f.DedupStore().Done(t.Context(), "b", 1) }
	nonsense := func(bucket []byte, number uint64) func(*change) error {
		return func(c *change) error { return c.bucket(bucket).Put(key(number), []byte("nonsense")) }
	}
	for name, row := range map[string]struct {
		cuts int // Of the entry that is due, which has number 1. Another one is fresh.
		harm func(*change) error
		do   func(*File, *Inbox) error
	}{
		"a fresh entry is nonsense":        {0, nonsense(inboxBucket, 2), take},
		"an entry that is due is nonsense": {0, nonsense(inboxBucket, 1), take},
		"an entry cannot be taken":         {0, nest(dueBucket, append(key(1), key(9)...)), take},
		"an entry cannot be buried":        {10, nest(deadBucket, key(1)), take},
		"what was taken cannot be noted":   {0, nest(formatBucket, nextKey), take},
		"an event cannot be written":       {0, nest(inboxBucket, key(3)), func(_ *File, inbox *Inbox) error { return inbox.Enqueue(t.Context(), newEvent(t, 9)) }},
		"a dead letter is nonsense": {0, nonsense(deadBucket, 7), func(_ *File, inbox *Inbox) error {
			_, err := inbox.each(t.Context(), []uint64{7}, (*change).revive)
			return err
		}},
		"a mark cannot be written":             {0, nest(handledBucket, key(2)), mark},
		"a mark that is old cannot be deleted": {0, nest(handledBucket, key(1)), mark},
	} {
		f := openNew(t, WithMaxEvents(1))
		inbox := inboxOf(t, f)
		require.NoError(t, f.DedupStore().Done(t.Context(), "a", 1))
		enqueue(t, inbox, 0, 1)
		entries, _, err := inbox.take(1)
		require.NoError(t, err)
		entries[0].cuts = row.cuts
		doChange(t, f, func(c *change) error { return c.putBack(entries[0], 10) })
		enqueue(t, inbox, 1, 2)
		doChange(t, f, row.harm, name)
		before := f.index.now()
		require.Error(t, row.do(f, inbox), name)
		assert.Equal(t, before, f.index.now(), name)
	}
}

// nest puts a bucket in the place of a value, which then can be neither written nor deleted.
func nest(bucket, k []byte) func(*change) error {
	return func(c *change) error {
		if err := c.bucket(bucket).Delete(k); err != nil {
			return err
		}
		_, err := c.bucket(bucket).CreateBucket(k)
		return err
	}
}

func TestNoMoreIsTakenThanThereAreWorkers(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	inbox := inboxOf(t, f)
	enqueue(t, inbox, 0, 10)
	failed, _, err := inbox.take(3)
	require.NoError(t, err)
	doChange(t, f, func(c *change) error {
		return errors.Join(c.putBack(failed[0], 10), c.putBack(failed[1], 10), c.putBack(failed[2], 10))
	})
	for _, expected := range [][]int{{2, 2}, {2, 1}, {1, 1}} { // Those that failed come first.
		entries, _, err := inbox.take(2)
		require.NoError(t, err)
		require.Len(t, entries, 2)
		assert.Equal(t, expected, []int{entries[0].Tries, entries[1].Tries})
	}
}

func TestEntryThatIsDueInAFileThatIsGoneIsAnError(t *testing.T) {
	t.Parallel()
	skipOnWindows(t, "an open file cannot be moved there")
	f := openNew(t)
	inbox := inboxOf(t, f)
	enqueue(t, inbox, 0, 1)
	entries, _, err := inbox.take(1)
	require.NoError(t, err)
	doChange(t, f, func(c *change) error { return c.putBack(entries[0], 10) })
	due, _, err := inbox.nextDue()
	require.NoError(t, err)
	assert.True(t, due)
	require.NoError(t, os.Rename(f.Path(), f.Path()+".away"))
	_, _, err = inbox.nextDue()
	require.ErrorIs(t, err, ErrGone)
}

// In a file that is damaged, an entry that is not there may have a turn.
func TestTurnOfAnEntryThatIsGoneIsSkipped(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	inbox := inboxOf(t, f)
	enqueue(t, inbox, 0, 1)
	doChange(t, f, func(c *change) error {
		c.due++
		return c.bucket(dueBucket).Put(Entry{Due: c.now, number: 9}.dueKey(), nil)
	})
	entries, _, err := inbox.take(2)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	s := stats(t, inbox)
	assert.Equal(t, []int{0, 1, 0}, []int{s.Waiting, s.Running, s.DeadLetters})
}

// Its mark is written again and again until the disk takes it.
func TestTryEndsOnce(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	inbox := inboxOf(t, f)
	enqueue(t, inbox, 0, 2)
	entries, _, err := inbox.take(2)
	require.NoError(t, err)
	for range 2 {
		doChange(t, f, func(c *change) error {
			return errors.Join(c.finish(entries[0]), c.putBack(entries[0], 10), c.putBack(entries[1], 10), c.putBack(entries[1], 1), c.finish(entries[1]))
		})
		s := stats(t, inbox)
		assert.Equal(t, []int{1, 0, 0}, []int{s.Waiting, s.Running, s.DeadLetters})
		assert.Equal(t, 1, f.index.now().remembered)
	}
}

func TestStatsShowDepthAndAge(t *testing.T) {
	t.Parallel()
	inbox := inboxOf(t, openNew(t), WithWorkers(2))
	assert.Zero(t, stats(t, inbox).Age())
	before := time.Now()
	enqueue(t, inbox, 0, 10)
	release := make(chan struct{})
	run(t, inbox, func(context.Context, webhook.Event) error { <-release; return nil })
	eventually(t, func() bool { return stats(t, inbox).Running == 2 }, "two are handled")
	s := stats(t, inbox)
	assert.Equal(t, 8, s.Waiting)
	assert.False(t, s.Oldest.Before(before.Add(-time.Millisecond)))
	assert.Positive(t, s.Age())
	assert.Greater(t, s.MaxBytes, s.Bytes)
	assert.Positive(t, s.Bytes)
	close(release)
	eventually(t, func() bool { s := stats(t, inbox); return s.Waiting+s.Running == 0 }, "they are handled")
	assert.Zero(t, stats(t, inbox).Age())
}

func TestWorkersBoundWhatIsHandledAtOnce(t *testing.T) {
	t.Parallel()
	inbox := inboxOf(t, openNew(t), WithWorkers(3))
	enqueue(t, inbox, 0, 12)
	var mu sync.Mutex
	var now, most, all int
	run(t, inbox, func(context.Context, webhook.Event) error {
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
	eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return all == 12 && now == 0 }, "all are handled")
	assert.Equal(t, 3, most)
}

func TestRunLetsHandlersFinish(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	f := openAt(t, path)
	inbox := inboxOf(t, f)
	enqueue(t, inbox, 0, 1)
	started := make(chan struct{})
	finished := false
	stop := run(t, inbox, func(ctx context.Context, _ webhook.Event) error {
		close(started)
		time.Sleep(50 * time.Millisecond)
		finished = ctx.Err() == nil
		return nil
	})
	<-started
	stop()
	assert.True(t, finished)
	require.NoError(t, f.Close())
	s := stats(t, inboxOf(t, openAt(t, path)))
	assert.Zero(t, s.Waiting+s.Running, "it is acknowledged")
}

func TestHandlerHasItsTimeAndNoMore(t *testing.T) {
	t.Parallel()
	inbox := inboxOf(t, openNew(t), WithHandlerTimeout(20*time.Millisecond), WithMaxTries(1))
	enqueue(t, inbox, 0, 1)
	run(t, inbox, func(ctx context.Context, _ webhook.Event) error { <-ctx.Done(); return ctx.Err() })
	eventually(t, func() bool { return stats(t, inbox).DeadLetters == 1 }, "its time is over")
}

// An event that ends its process does not do so for ever.
func TestTryThatTheProcessCutShortCounts(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	for life := range 3 {
		f := openAt(t, path)
		inbox := inboxOf(t, f, WithMaxTries(2))
		if life == 0 {
			enqueue(t, inbox, 0, 1)
		}
		entries, _, err := inbox.take(1)
		require.NoError(t, err)
		if life < 2 {
			require.Len(t, entries, 1)
			assert.Equal(t, life+1, entries[0].Tries)
		} else {
			assert.Empty(t, entries)
			assert.Equal(t, 1, stats(t, inbox).DeadLetters)
		}
		require.NoError(t, f.Close()) // The entry is not finished: the process has ended.
	}
}

// What waited for its first try when the process ended has lost none.
func TestTryCountsOnlyForEventsThatWereHandedOut(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	f := openAt(t, path)
	inbox := inboxOf(t, f)
	enqueue(t, inbox, 0, 10)
	handedOut, _, err := inbox.take(4)
	require.NoError(t, err)
	require.Len(t, handedOut, 4)
	doChange(t, f, func(c *change) error { return c.finish(handedOut[2]) })
	require.NoError(t, f.Close())
	for range 2 { // Nothing more is cut short when nothing was handed out.
		f = openAt(t, path)
		inbox = inboxOf(t, f)
		tries := map[string]int{}
		for e, err := range inbox.Entries(t.Context()) {
			require.NoError(t, err)
			tries[e.EventID] = e.Tries
		}
		assert.Len(t, tries, 9)
		for n, e := range handedOut {
			if n != 2 {
				assert.Equal(t, 1, tries[e.EventID])
				delete(tries, e.EventID)
			}
		}
		for _, n := range tries {
			assert.Zero(t, n)
		}
		assert.Equal(t, 9, stats(t, inbox).Waiting)
		require.NoError(t, f.Close())
	}
	again, _, err := inboxOf(t, openAt(t, path)).take(20)
	require.NoError(t, err)
	assert.Len(t, again, 9)
}

// A commit that fails leaves nothing that only memory knows of.
func TestCommitThatFailsMakesNothingKnown(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	inbox := inboxOf(t, f)
	enqueue(t, inbox, 0, 2)
	entries, _, err := inbox.take(1)
	require.NoError(t, err)
	before := stats(t, inbox)
	id := fingerprintOf(newEvent(t, 2).Info().EventID)
	failure := errors.New("no room")
	for _, apply := range []func(*change) error{
		func(c *change) error { return c.finish(entries[0]) },
		func(c *change) error { return c.putBack(entries[0], 1) },
		func(c *change) error { return c.enqueue(id, Entry{Body: []byte("{}")}.encode()) },
		func(c *change) error { _, _, err := c.take(1, 1, c.now); return err },
	} {
		require.ErrorIs(t, f.do(t.Context(), &job{apply: func(c *change) error {
			assert.NoError(t, apply(c))
			return failure
		}}), failure)
		assert.Equal(t, before, stats(t, inbox))
	}
	enqueue(t, inbox, 2, 3)
	assert.Equal(t, 2, stats(t, inbox).Waiting, "it was not taken before")
	var p tape
	run(t, inbox, p.handle)
	eventually(t, func() bool { return p.count() == 2 }, "both are handled")
	doChange(t, f, func(c *change) error { return c.finish(entries[0]) })
	eventually(t, func() bool { s := stats(t, inbox); return s.Waiting+s.Running == 0 }, "the one that was handed out is, too")
}

// That holds where the tries are for days.
func TestTryIsNotCutShortForDays(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	assert.Equal(t, 10, maxCuts, "as is documented")
	var log bytes.Buffer
	for life := range maxCuts + 1 {
		f := openAt(t, path, WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		inbox := inboxOf(t, f)
		if life == 0 {
			enqueue(t, inbox, 0, 1)
		}
		entries, _, err := inbox.take(1)
		require.NoError(t, err)
		assert.Equal(t, life < maxCuts, len(entries) == 1)
		if life == maxCuts {
			assert.Equal(t, 1, stats(t, inbox).DeadLetters)
			assert.Contains(t, log.String(), `level=ERROR msg="salesiq event is a dead letter" event=chat.rating`)
			n, err := inbox.ReplayAll(t.Context())
			require.NoError(t, err)
			assert.Equal(t, 1, n)
			entries, _, err = inbox.take(1)
			require.NoError(t, err)
			assert.Len(t, entries, 1, "one that is replayed has all its tries again")
		}
		require.NoError(t, f.Close())
	}
}

// Nobody knows which of several events has ended the process.
func TestEventBesideOneThatEndsTheProcessIsHandled(t *testing.T) {
	t.Parallel()
	const events, workers = 12, 4
	path := newPath(t)
	ends := newEvent(t, 5).Info().EventID
	handled := map[string]int{}
	deaths := 0
	for life := 0; ; life++ {
		require.Less(t, life, 50)
		f, err := Open(path, WithSync(SyncNever), WithOpenWait(patience))
		require.NoError(t, err)
		inbox := inboxOf(t, f)
		if life == 0 {
			enqueue(t, inbox, 0, events)
		}
		var ended bool
		for entries := []Entry{{}}; len(entries) > 0 && !ended; {
			entries, _, err = inbox.take(workers)
			require.NoError(t, err)
			ended = slices.ContainsFunc(entries, func(e Entry) bool { return e.EventID == ends })
			for _, e := range entries {
				if !ended {
					handled[e.EventID]++
					doChange(t, f, func(c *change) error { return c.finish(e) })
				}
			}
		}
		s := stats(t, inbox)
		require.NoError(t, f.Close())
		if !ended {
			assert.Equal(t, []int{0, 0, 1}, []int{s.Waiting, s.Running, s.DeadLetters}, "the one that ends it")
			break
		}
		deaths++
	}
	assert.Len(t, handled, events-1)
	assert.Zero(t, handled[ends])
	assert.Equal(t, maxCuts, deaths)
}

func TestSuspectsAreHandledOneAfterTheOther(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	const events = 20
	for life := range suspectCuts {
		f := openAt(t, path)
		inbox := inboxOf(t, f)
		if life == 0 {
			enqueue(t, inbox, 0, events)
		}
		entries, _, err := inbox.take(events)
		require.NoError(t, err)
		require.Len(t, entries, events)
		require.NoError(t, f.Close())
	}
	inbox := inboxOf(t, openAt(t, path), WithWorkers(events))
	enqueue(t, inbox, events, events+5)
	var now, most, others atomic.Int32
	var p tape
	run(t, inbox, func(ctx context.Context, event webhook.Event) error {
		if event.Info().Try == 1 {
			others.Add(1)
		} else {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			time.Sleep(time.Millisecond)
		}
		return p.handle(ctx, event)
	})
	eventually(t, func() bool { return p.count() == events+5 }, "all are handled")
	assert.EqualValues(t, 1, most.Load())
	assert.EqualValues(t, 5, others.Load(), "they wait for no suspect")
}

func TestHandlerThatDoesNotReturnHoldsUpNoShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := newPath(t)
		f := openAt(t, path)
		inbox := inboxOf(t, f, WithHandlerTimeout(time.Minute))
		enqueue(t, inbox, 0, 1)
		ctx, stop := context.WithCancel(t.Context())
		release := make(chan struct{})
		began := time.Now()
		err := inbox.Run(ctx, func(context.Context, webhook.Event) error { stop(); <-release; return nil })
		require.ErrorIs(t, err, ErrHandlerStuck)
		require.NotErrorIs(t, err, context.Canceled)
		assert.InDelta(t, 65, time.Since(began).Seconds(), 0.1)
		require.NoError(t, f.Close())
		close(release)
		synctest.Wait()
		f = openAt(t, path)
		assert.Equal(t, 1, stats(t, inboxOf(t, f)).Waiting, "it is handled again")
		require.NoError(t, f.Close())
	})
}

func TestEventWithoutABodyIsRefused(t *testing.T) {
	t.Parallel()
	inbox := inboxOf(t, openNew(t))
	event := &webhook.ChatRated{EventInfo: webhook.EventInfo{EventID: "an id"}}
	assertRefuses(t, "event", inbox.Enqueue(t.Context(), event))
	for _, id := range []string{"", strings.Repeat("i", 1025)} {
		event := newEvent(t, 1)
		event.Info().EventID = id
		assertRefuses(t, "event ID", inbox.Enqueue(t.Context(), event))
	}
	assert.Zero(t, stats(t, inbox).Waiting)
}

// A clock that is set back leaves no event behind, be there others in its way.
func TestClockThatIsSetBackHoldsNoEventUp(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	inbox := inboxOf(t, f)
	enqueue(t, inbox, 0, 2)
	entries, _, err := inbox.take(2)
	require.NoError(t, err)
	for n, due := range []time.Duration{time.Minute, 3 * time.Hour} {
		e := entries[n]
		e.Due = time.Now().Add(due)
		doChange(t, f, func(c *change) error { return c.putBack(e, 10) })
	}
	due, next, err := inbox.nextDue()
	require.NoError(t, err)
	assert.True(t, due)
	assert.WithinDuration(t, time.Now().Add(time.Minute), next, time.Second)
	taken, _, err := inbox.take(2)
	require.NoError(t, err)
	require.Len(t, taken, 1)
	assert.Equal(t, entries[1].EventID, taken[0].EventID)
	assert.Zero(t, Stats{Oldest: time.Now().Add(time.Hour)}.Age())
}

// A clock that was an hour ahead lets no event wait for an hour.
func TestEntryFromTheFutureIsDue(t *testing.T) {
	t.Parallel()
	f := openNew(t)
	inbox := inboxOf(t, f)
	enqueue(t, inbox, 0, 1)
	entries, _, err := inbox.take(1)
	require.NoError(t, err)
	e := entries[0]
	e.Due = time.Now().Add(time.Hour)
	doChange(t, f, func(c *change) error { return c.putBack(e, 10) })
	var p tape
	run(t, inbox, p.handle)
	eventually(t, func() bool { return p.count() == 1 }, "it is handled")
}

func TestFileThatHasReachedItsSizeRefusesEventsUntilThereIsRoom(t *testing.T) {
	t.Parallel()
	inbox := inboxOf(t, openNew(t, WithMaxSize(1<<20)), WithWorkers(100))
	var err error
	taken := 0
	for ; err == nil && taken < 20_000; taken++ {
		err = inbox.Enqueue(t.Context(), newEvent(t, taken))
	}
	require.ErrorIs(t, err, ErrFull)
	taken--
	assert.Greater(t, taken, 1000)
	var p tape
	run(t, inbox, p.handle)
	eventually(t, func() bool { s := stats(t, inbox); return s.Waiting+s.Running == 0 }, "they are handled")
	assert.Equal(t, taken, p.count())
	enqueue(t, inbox, taken, taken+1)
	eventually(t, func() bool { return p.count() == taken+1 }, "there is room again")
}

func TestTraceOfAnEventIsThereAfterARestart(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	f := openAt(t, path)
	for body, trace := range map[string]string{`{"event":"chat.started"}`: "00-trace-span-01", `{"event":"chat.ended"}`: strings.Repeat("x", 1001)} {
		event, err := webhook.Parse([]byte(body))
		require.NoError(t, err)
		event.Info().Trace = trace
		require.NoError(t, inboxOf(t, f).Enqueue(t.Context(), event))
	}
	require.NoError(t, f.Close())
	traces := make(chan string, 2)
	run(t, inboxOf(t, openAt(t, path)), func(_ context.Context, event webhook.Event) error {
		traces <- event.Info().Trace
		return nil
	})
	assert.ElementsMatch(t, []string{"00-trace-span-01", ""}, []string{<-traces, <-traces}, "one that is too long is dropped")
}

// Handlers that end while a commit is under way have their next events with the one after it.
func TestWorkersThatAreFreeWhenACommitBeginsHaveEventsAfterIt(t *testing.T) {
	t.Parallel()
	const workers = 3
	f := openNew(t)
	inbox := inboxOf(t, f, WithWorkers(workers))
	enqueue(t, inbox, 0, 2*workers)
	var begun atomic.Int32
	end := make(chan struct{})
	run(t, inbox, func(context.Context, webhook.Event) error { begun.Add(1); <-end; return nil })
	eventually(t, func() bool { return begun.Load() == workers }, "all workers have an event")

	hold, held := make(chan struct{}), make(chan struct{})
	go func() {
		assert.NoError(t, f.do(context.Background(), &job{apply: func(*change) error { close(held); <-hold; return nil }}))
	}()
	<-held
	for range workers {
		end <- struct{}{}
	}
	eventually(t, func() bool {
		f.commits.mu.Lock()
		defer f.commits.mu.Unlock()
		return len(f.commits.queue) == 1 && len(f.commits.queue[0].jobs) == workers+1
	}, "the marks of all, and one asking for events, wait for the next commit")
	before := f.tx.Load()
	close(hold)
	eventually(t, func() bool { return begun.Load() == 2*workers }, "all workers have their next event")
	assert.Equal(t, before+2, f.tx.Load())
	close(end)
}
