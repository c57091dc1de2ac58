package salesiqbolt

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/webhook"
)

func TestRunLooksAgainWhenSomethingIsDue(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		changed bool
		next    time.Duration // From now; zero for never.
		failing bool
		waits   time.Duration
	}{
		"nothing waits":                    {false, 0, false, time.Minute},
		"the next one is due":              {false, 10 * time.Second, false, 10 * time.Second},
		"the next one is due in two hours": {false, 2 * time.Hour, false, time.Minute},
		"the next one was due":             {false, -time.Hour, false, time.Millisecond},
		"an event has come":                {true, time.Hour, false, 0},
		"the file cannot be written":       {true, 10 * time.Second, true, 10 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			began, next, changed := time.Now(), time.Time{}, make(chan struct{})
			if row.changed {
				close(changed)
			}
			if row.next != 0 {
				next = began.Add(row.next)
			}
			idle(t.Context(), changed, next, row.failing)
			assert.Equal(t, row.waits, time.Since(began), name)
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			idle(ended, nil, time.Time{}, false)
			assert.Equal(t, row.waits, time.Since(began), "it does not wait when it is to end")
		})
	}
}

func TestRunThatIsToEndTakesNoWorker(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	cancel(reason)
	free := make(chan struct{}, 1)
	free <- struct{}{}
	for range 20 { // Either would do for select.
		_, err := awaitFree(ctx, free)
		require.ErrorIs(t, err, reason)
	}
	assert.Len(t, free, 1)
	_, err := awaitFree(ctx, nil)
	require.ErrorIs(t, err, reason)
}

// How long it pauses before it looks at a file again that could not be written.
func TestRunGoesOnSoonAfterTheFileIsThereAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := openAt(t, newPath(t))
		inbox := inboxOf(t, f)
		enqueue(t, inbox, 0, 1)
		f.commits.mu.Lock()
		f.commits.trouble = errors.New("no room")
		f.commits.mu.Unlock()
		var p tape
		stop := run(t, inbox, p.handle)
		time.Sleep(time.Hour)
		assert.Zero(t, p.count())
		f.commits.mu.Lock()
		f.commits.trouble = nil
		f.commits.mu.Unlock()
		time.Sleep(2 * time.Second)
		assert.Equal(t, 1, p.count())
		stop()
		require.NoError(t, f.Close())
	})
}

func TestRunSaysWhyItEndsBesideHandlersThatDoNotReturn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := openAt(t, newPath(t))
		inbox := inboxOf(t, f, WithWorkers(2))
		enqueue(t, inbox, 0, 1)
		began, release := time.Now(), make(chan struct{})
		err := inbox.Run(t.Context(), func(context.Context, webhook.Event) error {
			assert.NoError(t, f.Close())
			<-release
			return nil
		})
		require.ErrorIs(t, err, ErrHandlerStuck)
		require.ErrorIs(t, err, ErrClosed)
		assert.GreaterOrEqual(t, time.Since(began), 35*time.Second)
		close(release)
	})
}

// What cannot be parsed is tried as often as what fails.
func TestEntryThatIsNoEventIsADeadLetter(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	f := openNew(t, WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	inbox := inboxOf(t, f, WithMaxTries(2), WithPauses(time.Millisecond, time.Millisecond))
	entry := Entry{EventID: "an id", Body: []byte("no event"), At: time.Now()}.encode()
	doChange(t, f, func(c *change) error { return c.enqueue(fingerprintOf("an id"), entry) })
	stop := run(t, inbox, new(tape).handle)
	eventually(t, func() bool { return stats(t, inbox).DeadLetters == 1 }, "it is dead")
	stop()
	for letter, err := range inbox.DeadLetters(t.Context()) {
		require.NoError(t, err)
		_, err = letter.Event()
		require.Error(t, err)
		assert.Equal(t, shorten(err), letter.LastError)
	}
	assert.Contains(t, log.String(), `level=WARN msg="salesiq event failed" event="" event_id="an id" try=1 of=2 error=`)
	assert.Contains(t, log.String(), `level=ERROR msg="salesiq event is a dead letter" event="" event_id="an id" try=2 of=2 error=`)
}

func TestLogTellsWhatBecameOfEvents(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	f := openNew(t, WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	inbox := inboxOf(t, f, WithMaxTries(3))
	event := newEvent(t, 0)
	inbox.acknowledge(t.Context(), Entry{EventID: "first", Tries: 2}, event, nil)
	assert.Contains(t, log.String(), `level=DEBUG msg="salesiq event handled" event=chat.rating event_id=first try=2`)
	require.NoError(t, f.Close())
	log.Reset()
	inbox.acknowledge(t.Context(), Entry{EventID: "second", Tries: 2}, event, nil)
	assert.Contains(t, log.String(), `level=WARN msg="salesiq event not acknowledged" event=chat.rating event_id=second cause="salesiqbolt: `)
	assert.NotContains(t, log.String(), "handled")
	log.Reset()
	inbox.acknowledge(t.Context(), Entry{EventID: "third", Tries: 2}, event, errors.New("away"))
	assert.Contains(t, log.String(), `level=WARN msg="salesiq event failed" event=chat.rating event_id=third try=2 of=3 error=away`)
	assert.Contains(t, log.String(), `level=WARN msg="salesiq event not acknowledged" event=chat.rating event_id=third`)
}
