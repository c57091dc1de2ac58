package salesiqredis

import (
	"context"
	_ "embed"
	"errors"
	"strconv"
	"sync"
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
	//go:embed scripts/dedup_renew.lua
	renewScript string
)

// DedupStore returns a store for [webhook.WithDedupStore], so that an event is
// handled by one process, whichever it is delivered to.
//
// A claim is renewed for as long as its event is being handled. That of a process that was
// killed ends by itself ([WithClaim]). So does that of a process that does not reach Redis
// for so long: another one may then handle the event beside it. Handled events are
// forgotten after a while ([WithEventMemory]).
//
// While Redis is away, its methods fail at once with [ErrAway], and
// [webhook.WithDedupFailure] says what that means: by default, the service is
// asked to deliver the event again. That an event was handled meanwhile is noted
// when Redis answers again, if it does before the claim has ended.
func (o *Organization) DedupStore() webhook.DedupStore {
	return &dedupStore{organization: o, link: o.links.events, renewals: map[holding]*time.Timer{}}
}

type dedupStore struct {
	organization *Organization
	link         *link

	mu       sync.Mutex
	renewals map[holding]*time.Timer // Of the claims that are held.
}

// holding is a claim of an event.
type holding struct {
	eventID string
	claim   int64
}

// owner tells the claim from those of others.
func (h holding) owner() string { return strconv.FormatInt(h.claim, 10) }

// MaxAge returns how long handled events are remembered; see [webhook.WithTolerance].
func (d *dedupStore) MaxAge() time.Duration { return d.organization.eventMemory }

// Begin implements [webhook.DedupStore].
func (d *dedupStore) Begin(ctx context.Context, eventID string, claim int64) (webhook.DedupState, error) {
	h := holding{eventID, claim}
	reply, err := d.run(ctx, beginScript, d.abandon(h), eventID, h.owner(), milliseconds(d.organization.claimLifetime))
	if err != nil {
		return webhook.DedupFree, err
	}
	state, _ := reply.(int64) // None is 0.
	if webhook.DedupState(state) == webhook.DedupFree {
		d.renewLater(h)
	}
	return webhook.DedupState(state), nil
}

// abandon frees an event that was claimed after the caller had gone.
func (d *dedupStore) abandon(h holding) func(any) {
	return func(reply any) {
		if reply == int64(webhook.DedupFree) {
			d.link.insist(d.script(abortScript, h.eventID), h.owner())
		}
	}
}

// renewLater renews a claim when a third of its time is over, and so on until release.
func (d *dedupStore) renewLater(h holding) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.renewals[h] = time.AfterFunc(d.organization.claimLifetime/3, func() { d.renew(h) })
}

// renew renews a claim, unless somebody else has the event, or nobody has.
func (d *dedupStore) renew(h holding) {
	reply, err := d.run(context.Background(), renewScript, nil, h.eventID, h.owner(), milliseconds(d.organization.claimLifetime))
	d.mu.Lock()
	defer d.mu.Unlock()
	timer, held := d.renewals[h]
	switch {
	case !held:
	case err == nil && reply == int64(0):
		delete(d.renewals, h)
	default:
		timer.Reset(d.organization.claimLifetime / 3)
	}
}

// release has a claim renewed no more.
func (d *dedupStore) release(h holding) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if timer, held := d.renewals[h]; held {
		timer.Stop()
		delete(d.renewals, h)
	}
}

// Done implements [webhook.DedupStore].
func (d *dedupStore) Done(ctx context.Context, eventID string, claim int64) error {
	d.release(holding{eventID, claim})
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
func (d *dedupStore) Abort(ctx context.Context, eventID string, claim int64) error {
	h := holding{eventID, claim}
	d.release(h)
	_, err := d.run(ctx, abortScript, nil, eventID, h.owner())
	return err
}

func (d *dedupStore) run(ctx context.Context, source string, undo func(any), eventID string, args ...string) (any, error) {
	return d.link.run(ctx, d.script(source, eventID), undo, args...)
}

func (d *dedupStore) script(source, eventID string) script {
	return script{source: source, keys: d.organization.keys("event:" + eventID)}
}
