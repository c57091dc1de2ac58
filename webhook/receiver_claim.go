package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq/internal/redact"
)

// claimant is a delivery that asks the store for events.
type claimant struct {
	began time.Time // When the body was read, or Dispatch was called.
	claim int64     // The number of its claims.
}

func newClaimant() claimant { return claimant{time.Now(), rand.Int64()} } //nolint:gosec // It is no secret.

// memory returns the store if it is that of this package, which answers at once.
func (r *Receiver) memory() *memoryDedup {
	m, _ := r.store.(*memoryDedup)
	return m
}

// limit returns the context of a store before the handlers run. It has three quarters of
// the time that handlers have, counted from when the delivery began.
func (r *Receiver) limit(ctx context.Context, by claimant) (context.Context, context.CancelFunc) {
	return context.WithDeadline(ctx, by.began.Add(r.timeout/4*3))
}

// begin asks the store for an event once.
func (r *Receiver) begin(ctx context.Context, by claimant, key string) (DedupState, error) {
	if r.memory() == nil {
		limited, cancel := r.limit(ctx, by)
		defer cancel()
		ctx = limited
	}
	return r.askStore(ctx, by, key)
}

// beginLate is begin while the handlers run. The store is asked even if their time is over,
// and has as long as settle gives it.
func (r *Receiver) beginLate(ctx context.Context, by claimant, key string) (DedupState, error) {
	if r.memory() == nil {
		late, cancel := outlast(ctx, settleTimeout)
		defer cancel()
		ctx = late
	}
	return r.askStore(ctx, by, key)
}

// askStore is begin without a limit.
func (r *Receiver) askStore(ctx context.Context, by claimant, key string) (DedupState, error) {
	state, err := r.store.Begin(ctx, key, by.claim)
	if err != nil {
		return state, fmt.Errorf("deduplication: %w", err)
	}
	return state, nil
}

// beginOrWait is begin, and asks again while another delivery has the event: if the
// other fails, this one gets the event. It gives up after half of the time that handlers
// have, so that the rest is left for them.
func (r *Receiver) beginOrWait(ctx context.Context, by claimant, key string) (DedupState, error) {
	const shortest, longest = 5 * time.Millisecond, 200 * time.Millisecond
	for pause := shortest; ; pause = min(2*pause, longest) {
		state, err := r.begin(ctx, by, key)
		if err != nil || state != DedupClaimed {
			return state, err
		}
		left := time.Until(by.began.Add(r.timeout / 2))
		if left <= 0 {
			return state, nil
		}
		select {
		case <-time.After(min(pause, left)):
		case <-ctx.Done():
			return state, fmt.Errorf("deduplication: %w", context.Cause(ctx))
		}
	}
}

// settleTimeout is how much longer than the context of handlers a store may take. If that
// has ended when the store is asked, it is how long the store may take.
const settleTimeout = 2 * time.Second

var errSettleTimeout = fmt.Errorf("no answer within %s after the time for the event", settleTimeout)

// settle tells the store how it ended what begin has begun: Done for a success, or else
// Abort. The store has until settleTimeout after the end of ctx.
func (r *Receiver) settle(ctx context.Context, by claimant, key string, succeeded bool) error {
	if r.memory() == nil {
		late, cancel := outlast(ctx, settleTimeout)
		defer cancel()
		ctx = late
	}
	end := r.store.Abort
	if succeeded {
		end = r.store.Done
	}
	err := end(ctx, key, by.claim)
	switch {
	case err == nil:
		return nil
	case succeeded:
		return fmt.Errorf("deduplication: not marked: %w", err)
	}
	return fmt.Errorf("deduplication: not freed: %w", err)
}

// settleInTime is settle before the handlers run: nobody waits for the store longer than
// begin does.
func (r *Receiver) settleInTime(ctx context.Context, by claimant, key string, succeeded bool) error {
	if r.memory() != nil {
		return r.settle(ctx, by, key, succeeded)
	}
	limited, cancel := r.limit(ctx, by)
	defer cancel()
	err := ask(limited, func(context.Context) error { return r.settle(ctx, by, key, succeeded) })
	if err != nil && limited.Err() != nil {
		return fmt.Errorf("deduplication: %w", err)
	}
	return err
}

// outlast returns a context that ends so long after ctx.
func outlast(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	late, end := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(d, func() { end(errSettleTimeout) }) })
	return late, func() { stop(); end(nil) }
}

// claim is what a delivery has in the store while its handlers run: the event, or the
// success of one handler with Once. The first of these ends it:
//
//	end      the handlers have returned
//	giveUp   they have not, though their time was over long ago
//
// After giveUp, another delivery may have the event. So a late success is still marked,
// and a late failure changes nothing.
type claim struct {
	receiver *Receiver
	by       claimant
	quiet    bool // Another claim tells of a handler that does not return.

	mu      sync.Mutex // Guards what follows.
	held    bool
	key     string // In the store; empty if nothing is claimed there, and the claim only tells of a handler that does not return.
	event   string // The name and the id, for the log: handlers may change an event.
	eventID string
	handler string // The name of the one that runs; empty for a sink.
	timer   *time.Timer
}

// stuckAfter is how long handlers may go on after their time before their claim ends.
// With the usual time of a handler, that is before the service delivers the event again.
const stuckAfter = 25 * time.Second

// newClaim returns the claim of a handler, for which begin has claimed the key. It is
// given up long after the deadline of ctx. Without a deadline, nobody has said how long
// the handler may take.
func (r *Receiver) newClaim(ctx context.Context, by claimant, event Event, key, handler string) *claim {
	c := &claim{receiver: r, by: by, handler: handler}
	c.hold(key, event)
	_, c.quiet = ctx.(*handling) // That has the claim of the event.
	if deadline, ok := ctx.Deadline(); ok {
		c.giveUpAfter(time.Until(deadline.Add(stuckAfter)))
	}
	return c
}

// hold notes that begin has claimed the key, which is for an event.
func (c *claim) hold(key string, event Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	info := event.Info()
	c.held, c.key, c.event, c.eventID = true, key, string(info.EventName), info.EventID
}

// runs notes which handler runs now.
func (c *claim) runs(handler string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handler = handler
}

// giveUpAfter has the claim given up if it is still held after a time.
func (c *claim) giveUpAfter(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer = time.AfterFunc(d, c.giveUp)
}

// release reports whether the claim was held until now.
func (c *claim) release() (held bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
	}
	held, c.held = c.held, false
	return held
}

// end settles the claim when the handlers have returned.
func (c *claim) end(ctx context.Context, succeeded bool) error {
	if held := c.release(); c.key == "" || !held && !succeeded {
		return nil
	}
	return c.receiver.settle(ctx, c.by, c.key, succeeded)
}

// giveUp frees the event of handlers that do not return, so that its next delivery runs
// them again.
func (c *claim) giveUp() {
	if !c.release() {
		return
	}
	ctx := context.Background()
	over, cancel := context.WithCancel(ctx)
	cancel() // As the time for the event is.
	var err error
	if c.key != "" {
		err = c.receiver.settle(over, c.by, c.key, false)
	}
	if c.quiet && err == nil {
		return
	}
	c.mu.Lock()
	attrs := []slog.Attr{slog.String("event", c.event), slog.String("event_id", c.eventID), slog.String("handler", c.handler)}
	c.mu.Unlock()
	if err != nil {
		attrs = append(attrs, slog.String("error", redact.Summary(err.Error())))
	}
	c.receiver.logger.LogAttrs(ctx, slog.LevelError, "webhook handler does not return, and the event may be handled again", attrs...)
}
