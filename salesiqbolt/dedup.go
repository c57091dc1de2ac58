package salesiqbolt

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/salesiq-go/salesiq/webhook"
)

// DedupStore returns a store for [webhook.WithDedupStore], so that an event that
// was handled before a restart is not handled after it. All stores of a file are
// one.
//
// Claims end with the process. Handled events are forgotten after a while
// ([WithMaxAge], [WithMaxEvents]).
//
// A mark is in the file before Done returns. Where it cannot be written, since the
// disk is full, Done fails, and the mark is kept and written as soon as that is
// possible. Until then Begin fails, so that no more events are handled whose marks
// might be lost.
func (f *File) DedupStore() webhook.DedupStore { return &dedupStore{f} }

type dedupStore struct{ file *File }

// MaxAge returns how long handled events are remembered; see [webhook.WithTolerance].
func (d *dedupStore) MaxAge() time.Duration { return d.file.maxAge }

// claim is what is known of an event that is being handled.
type claim struct {
	state  claimState
	number int64 // Of an event that is claimed.
}

type claimState int

const (
	unclaimed claimState = iota
	claimed
	handled // Its mark is still to be written.
)

// claims are of this process alone, as the file is.
type claims struct {
	mu     sync.Mutex
	states map[string]claim
}

// take claims an event, unless there is a claim already.
func (c *claims) take(id string, number int64) (before claimState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if before = c.states[id].state; before == unclaimed {
		c.states[id] = claim{claimed, number}
	}
	return before
}

// set makes a claim, or changes it.
func (c *claims) set(id string, to claim) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.states[id] = to
}

// drop ends a claim, if it is this one.
func (c *claims) drop(id string, of claim) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.states[id] == of {
		delete(c.states, id)
	}
}

// maxID bounds the length of an event's id.
const maxID = 1024

func checkID(id string) error {
	if id == "" || len(id) > maxID {
		return inputError("event ID", fmt.Sprintf("must have 1 to %d bytes, not %d", maxID, len(id)))
	}
	return nil
}

// Begin implements [webhook.DedupStore].
func (d *dedupStore) Begin(_ context.Context, eventID string, number int64) (webhook.DedupState, error) {
	f := d.file
	if err := cmp.Or(f.check(), checkID(eventID)); err != nil {
		return webhook.DedupFree, err
	}
	if err := f.commits.inTrouble(); err != nil {
		return webhook.DedupFree, err
	}
	before := f.claims.take(eventID, number)
	known := before == handled
	err := f.view(func(*bbolt.Tx) error { known = known || f.knows(fingerprintOf(eventID)); return nil })
	if before == unclaimed && (err != nil || known) {
		f.claims.drop(eventID, claim{claimed, number})
	}
	switch {
	case err != nil:
		return webhook.DedupFree, err
	case known:
		return webhook.DedupDone, nil
	case before == claimed:
		return webhook.DedupClaimed, nil
	}
	return webhook.DedupFree, nil
}

// Done implements [webhook.DedupStore].
func (d *dedupStore) Done(ctx context.Context, eventID string, number int64) error {
	f := d.file
	if err := cmp.Or(f.check(), checkID(eventID)); err != nil {
		return err
	}
	event := fingerprintOf(eventID)
	if f.knows(event) { // It is in the inbox.
		f.claims.drop(eventID, claim{claimed, number})
		return nil
	}
	f.claims.set(eventID, claim{state: handled})
	return f.do(ctx, &job{
		apply: func(c *change) error {
			if !c.knows(event) {
				c.markHandled(event)
			}
			return nil
		},
		after: func() { f.claims.drop(eventID, claim{state: handled}) },
		owed:  true,
	})
}

// Abort implements [webhook.DedupStore].
func (d *dedupStore) Abort(_ context.Context, eventID string, number int64) error {
	if err := d.file.check(); err != nil {
		return err
	}
	d.file.claims.drop(eventID, claim{claimed, number})
	return nil
}
