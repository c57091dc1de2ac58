package salesiqredis

import (
	"context"
	_ "embed"
	"errors"
	"time"

	"github.com/salesiq-go/salesiq/webhook"
)

var (
	//go:embed scripts/dedup_begin.lua
	beginScript string
	//go:embed scripts/dedup_done.lua
	doneScript string
	//go:embed scripts/dedup_abort.lua
	abortScript string
)

// DedupStore returns a store for [webhook.WithDedupStore], so that an event is
// handled by one process, whichever it is delivered to.
//
// Claims end by themselves ([WithClaim]), and handled events are forgotten after
// a while ([WithEventMemory]).
//
// While Redis is away, its methods fail at once with [ErrAway], and
// [webhook.WithDedupFailure] says what that means: by default, the service is
// asked to deliver the event again. That an event was handled meanwhile is noted
// when Redis answers again, if it does before the claim has ended.
func (o *Organization) DedupStore() webhook.DedupStore { return &dedupStore{o, o.links.events} }

type dedupStore struct {
	organization *Organization
	link         *link
}

// MaxAge returns how long handled events are remembered; see [webhook.WithTolerance].
func (d *dedupStore) MaxAge() time.Duration { return d.organization.eventMemory }

// Begin implements [webhook.DedupStore].
func (d *dedupStore) Begin(ctx context.Context, eventID string) (webhook.DedupState, error) {
	reply, err := d.run(ctx, beginScript, d.abandon(eventID), eventID, d.organization.process, milliseconds(d.organization.claimLifetime))
	if err != nil {
		return webhook.DedupFree, err
	}
	state, _ := reply.(int64) // None is 0.
	return webhook.DedupState(state), nil
}

// abandon frees an event that was claimed after the caller had gone.
func (d *dedupStore) abandon(eventID string) func(any) {
	return func(reply any) {
		if reply == int64(webhook.DedupFree) {
			d.link.insist(d.script(abortScript, eventID), d.organization.process)
		}
	}
}

// Done implements [webhook.DedupStore].
func (d *dedupStore) Done(ctx context.Context, eventID string) error {
	memory := milliseconds(d.organization.eventMemory)
	_, err := d.run(ctx, doneScript, nil, eventID, memory)
	if errors.Is(err, ErrAway) {
		go d.markLater(eventID, memory) //nolint:gosec // It outlives the request that the context is of.
	}
	return err
}

// markLater marks an event that is handled once Redis answers, for as long as the
// claim keeps others from handling it.
func (d *dedupStore) markLater(eventID, memory string) {
	ctx, cancel := context.WithTimeout(context.Background(), d.organization.claimLifetime)
	defer cancel()
	d.link.persist(ctx, d.script(doneScript, eventID), memory) //nolint:errcheck // The caller knows that it failed.
}

// Abort implements [webhook.DedupStore].
func (d *dedupStore) Abort(ctx context.Context, eventID string) error {
	_, err := d.run(ctx, abortScript, nil, eventID, d.organization.process)
	return err
}

func (d *dedupStore) run(ctx context.Context, source string, undo func(any), eventID string, args ...string) (any, error) {
	return d.link.run(ctx, d.script(source, eventID), undo, args...)
}

func (d *dedupStore) script(source, eventID string) script {
	return script{source: source, keys: d.organization.keys("event:" + eventID)}
}
