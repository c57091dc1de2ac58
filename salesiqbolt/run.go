package salesiqbolt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq/webhook"
)

// Handler handles an event, such as [webhook.Receiver.Dispatch].
type Handler func(ctx context.Context, event webhook.Event) error

// Run lets handle work on events, several at once ([WithWorkers]), until ctx ends.
// It returns the context's error as soon as the handlers under way have returned,
// whose contexts do not end with ctx. It waits for none whose time
// ([WithHandlerTimeout]) has been over for some seconds. While the file cannot be
// written, Run waits.
//
// An event whose handler fails, panics or ends its goroutine is tried again after
// a pause ([WithPauses]). After its last try ([WithRetryFor], [WithMaxTries]) it is a dead letter.
// Which try it is, the handler finds in [webhook.EventInfo].Try.
//
// Errors: a [salesiq.InputError] for no handler; a [FileError] once the file is
// closed, or cannot be used any more without opening it anew; [ErrHandlerStuck].
func (i *Inbox) Run(ctx context.Context, handle Handler) (err error) {
	if err := cmp.Or(i.check(), given("handler", handle)); err != nil {
		return err
	}
	free := make(chan struct{}, i.workers)
	for range i.workers {
		free <- struct{}{}
	}
	crew := &crew{entries: make(chan Entry), handle: func(e Entry) { i.handle(context.WithoutCancel(ctx), e, handle, free) }}
	defer func() { err = i.await(ctx, crew, err) }()
	for retry := firstRetry; ; {
		workers, err := awaitFree(ctx, free)
		if err != nil {
			return err
		}
		changed := i.file.index.wait()
		entries, next, err := i.takeFor(func() int { workers += drain(free); return workers })
		for _, e := range entries {
			crew.begin(e)
		}
		for range workers - len(entries) {
			free <- struct{}{}
		}
		switch {
		case err != nil && i.file.broken.Load() != nil, errors.Is(err, ErrClosed):
			return err
		case err != nil:
			next = time.Now().Add(retry)
			retry = min(2*retry, lastRetry)
		default:
			retry = firstRetry
		}
		if len(entries) == 0 {
			idle(ctx, changed, next, err != nil)
		}
	}
}

// stuckGrace is how long a handler may take beyond its time, and the file to be
// written.
const stuckGrace = 5 * time.Second

// await waits until the handlers have returned, or should have, and returns why the run
// has ended.
func (i *Inbox) await(ctx context.Context, crew *crew, err error) error {
	ended := make(chan struct{})
	go func() { crew.end(); close(ended) }()
	select {
	case <-ended:
		return err
	case <-time.After(i.timeout + stuckGrace):
	}
	if ctx.Err() != nil {
		return ErrHandlerStuck
	}
	return errors.Join(ErrHandlerStuck, err)
}

// crew is goroutines that handle entries, one after the other, so that a stack grows once.
type crew struct {
	handle  func(Entry)
	entries chan Entry // For those that have handled one.
	running sync.WaitGroup
}

// begin has an entry handled. A goroutine that does not wait for one handles another, or waits
// for the commit that marks it.
func (c *crew) begin(e Entry) {
	select {
	case c.entries <- e:
	default:
		c.running.Go(func() {
			c.handle(e)
			for e := range c.entries {
				c.handle(e)
			}
		})
	}
}

// end waits until all entries are handled.
func (c *crew) end() {
	close(c.entries)
	c.running.Wait()
}

// Serve receives events and lets handle work on them until ctx ends: it is
// [webhook.Serve] with [Inbox.Run]. The server's handler is a [webhook.Receiver] that
// has the inbox as its sink, or leads to one. After ctx has ended, deliveries under way
// are still taken, and handlers under way end, before Serve returns nil. What was taken
// and not handled waits in the file. [File.Close] comes after it.
//
// Errors: those of [webhook.Serve] and of Run, but for the end of ctx.
func (i *Inbox) Serve(ctx context.Context, server *http.Server, handle Handler) error {
	if err := cmp.Or(i.check(), given("handler", handle)); err != nil {
		return err
	}
	return webhook.Serve(ctx, server, func(ctx context.Context) error { return i.Run(ctx, handle) })
}

// idle waits until an entry begins to wait, or is due.
func idle(ctx context.Context, changed <-chan struct{}, next time.Time, failing bool) {
	const longest = time.Minute // A clock may be set.
	wait := longest
	if !next.IsZero() {
		wait = min(longest, max(time.Until(next), time.Millisecond))
	}
	if failing {
		changed = nil
	}
	select {
	case <-changed:
	case <-time.After(wait):
	case <-ctx.Done():
	}
}

// awaitFree waits for a free worker, and takes that one.
func awaitFree(ctx context.Context, free <-chan struct{}) (workers int, err error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	select {
	case <-free:
		return 1, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// drain takes all workers that are free, and returns how many there are.
func drain(free <-chan struct{}) (workers int) {
	for len(free) > 0 { // Nobody else takes them.
		<-free
		workers++
	}
	return workers
}

// takeFor gets entries to handle, for as many workers as are free when the commit is
// made. That they are handled is in the file before, so that a try counts that the end of
// the process cuts short.
func (i *Inbox) takeFor(workers func() int) (entries []Entry, next time.Time, err error) {
	if err := i.file.commits.inTrouble(); err != nil {
		return nil, time.Time{}, err
	}
	due, next, err := i.nextDue()
	if err != nil || !due {
		return nil, next, err
	}
	var dead []Entry
	err = i.file.do(context.Background(), &job{apply: func(c *change) (err error) {
		entries, dead, err = c.take(workers(), i.tries, c.now.Add(2*i.longestPause))
		return err
	}})
	if err != nil {
		return nil, time.Time{}, err
	}
	for _, e := range dead {
		event, _ := e.Event() //nolint:errcheck // The log does without.
		i.logFailure(e, event, true)
	}
	return entries, time.Time{}, nil
}

// handle handles an entry, and has the file say how that ended. The next entry
// does not wait for the latter. The handler may panic, or end the goroutine.
func (i *Inbox) handle(ctx context.Context, e Entry, handle Handler, free chan<- struct{}) {
	event, err := e.Event()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %T\n%s", p, debug.Stack()) // The value may hold anything.
		}
		free <- struct{}{}
		i.acknowledge(ctx, e, event, err)
	}()
	if err == nil {
		err = errGoexit // Unless the handler returns or panics.
		limited, cancel := context.WithTimeout(ctx, i.timeout)
		defer cancel()
		err = handle(limited, event)
	}
}

var errGoexit = errors.New("the handler ended its goroutine")

// acknowledge has the file say how a try ended.
func (i *Inbox) acknowledge(ctx context.Context, e Entry, event webhook.Event, err error) {
	id, name := slog.String("event_id", e.EventID), slog.String("event", nameOf(event))
	if err != nil {
		e.LastError = shorten(err)
		e.Due = time.Now().Add(i.pause(e.Tries))
		i.logFailure(e, event, e.Tries >= i.tries)
		err = i.file.do(ctx, &job{owed: true, apply: func(c *change) error { return c.putBack(e, i.tries) }, bytes: len(e.Body) + overhead})
	} else if err = i.file.do(ctx, &job{owed: true, apply: func(c *change) error { return c.finish(e) }}); err == nil {
		i.file.logger.LogAttrs(ctx, slog.LevelDebug, "salesiq event handled", name, id, slog.Int("try", e.Tries))
	}
	if err != nil {
		i.file.logger.LogAttrs(ctx, slog.LevelWarn, "salesiq event not acknowledged", name, id, slog.String("cause", err.Error()))
	}
}

// logFailure logs a try that failed. That is an error once it was the last.
func (i *Inbox) logFailure(e Entry, event webhook.Event, last bool) {
	level, message := slog.LevelWarn, "salesiq event failed"
	if last {
		level, message = slog.LevelError, "salesiq event is a dead letter"
	}
	i.file.logger.LogAttrs(context.Background(), level, message,
		slog.String("event", nameOf(event)), slog.String("event_id", e.EventID), slog.Int("try", e.Tries), slog.Int("of", i.tries), slog.String("error", e.LastError))
}
