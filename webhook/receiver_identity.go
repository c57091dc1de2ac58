package webhook

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// This file is about events without a time. The documentation of the package has the
// rule, with an example. An occurrence is what is called there an event with a number.

// occurrencePeriod is how long a later delivery can follow the first one at least. The
// service delivers an event four times, a minute apart.
const occurrencePeriod = 5 * time.Minute

// claimEvent claims an event. One whose body tells no time gets its identity first.
func (r *Receiver) claimEvent(ctx context.Context, by claimant, info *EventInfo) (DedupState, error) {
	body, recurs := recurringBody(info)
	if !recurs {
		return r.beginOrWait(ctx, by, info.EventID)
	}
	o, state, err := r.claimOccurrence(ctx, by, body)
	if o != nil {
		info.EventID, info.Body = o.eventID, o.body
	}
	return state, err
}

// recurring is a body of the live service that tells no time, so that it may come again
// for another event.
type recurring struct {
	body    []byte
	counter []byte // The name of the member that counts its deliveries; empty for none.
	attempt int    // That count, or 0.
}

// recurringBody returns the body of an event if it is recurring.
func recurringBody(info *EventInfo) (r recurring, ok bool) {
	if !info.EventTime.IsZero() {
		return r, false
	}
	envelope, err := wire.DecodeEvent(info.Body)
	if err != nil || envelope.Marked || len(envelope.Counter) == 0 && !envelope.Entity {
		return r, false
	}
	return recurring{info.Body, envelope.Counter, envelope.Attempt}, true
}

// occurrence is one of several events with equal bodies. It has two keys in the store,
// seenKey and eventID.
type occurrence struct {
	eventID string
	body    []byte // With a mark that makes it unlike the others.
}

func (o *occurrence) seenKey() string { return "seen/" + o.eventID }

// nth returns the occurrence of the body with a number, from 0, in a period.
func (r recurring) nth(period int64, n int) (*occurrence, error) {
	body, err := wire.MarkEvent(r.body, strconv.FormatInt(period, 36)+"-"+strconv.Itoa(n))
	if err != nil {
		return nil, err
	}
	return &occurrence{eventID(body, r.counter), body}, nil
}

func periodOf(at time.Time) int64 { return at.UnixNano() / int64(occurrencePeriod) }

// claimOccurrence finds the occurrence that a delivery is of, and claims it.
func (r *Receiver) claimOccurrence(ctx context.Context, by claimant, body recurring) (*occurrence, DedupState, error) {
	if body.attempt == 1 {
		return r.claimNext(ctx, by, body)
	}
	waiting, busy, handled, err := r.findSeen(ctx, by, body)
	switch {
	case err != nil:
		return nil, DedupFree, err
	case waiting != nil:
		return waiting, DedupFree, nil
	case body.attempt == 0:
	case busy != nil:
		state, err := r.beginOrWait(ctx, by, busy.eventID)
		return busy, state, err
	case handled != nil:
		return handled, DedupDone, nil
	}
	return r.claimNext(ctx, by, body)
}

// findSeen looks at the occurrences that were seen in this period and the one
// before, from the oldest on. It claims the first one that waits for a delivery that
// succeeds, and returns it. If none does, it returns the newest one that is being
// handled, and the newest one that was.
func (r *Receiver) findSeen(ctx context.Context, by claimant, body recurring) (waiting, busy, handled *occurrence, err error) {
	now := periodOf(time.Now())
	before, err := r.seenIn(ctx, by, body, now-1)
	if err != nil {
		return nil, nil, nil, err
	}
	seen, err := r.seenIn(ctx, by, body, now)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, o := range append(before, seen...) {
		state, err := r.begin(ctx, by, o.eventID)
		switch {
		case err != nil:
			return nil, nil, nil, err
		case state == DedupFree:
			return o, nil, nil, nil
		case state == DedupClaimed:
			busy = o
		default:
			handled = o
		}
	}
	return nil, busy, handled, nil
}

// seenIn returns the occurrences that were seen in a period, the oldest first. It goes past
// a seenKey that is claimed, which may be so for long if the store has failed.
func (r *Receiver) seenIn(ctx context.Context, by claimant, body recurring, period int64) (all []*occurrence, err error) {
	for n := 0; ; n++ {
		o, err := body.nth(period, n)
		if err != nil {
			return nil, err
		}
		seen, err := r.wasSeen(ctx, by, o)
		if err != nil || seen == DedupFree {
			return all, err
		}
		if seen == DedupDone {
			all = append(all, o)
		}
	}
}

// wasSeen returns the state of a seenKey, which is done once a delivery of the occurrence
// has come. The only way to ask a store is to begin, so a key that was free is given back.
func (r *Receiver) wasSeen(ctx context.Context, by claimant, o *occurrence) (DedupState, error) {
	state, err := r.begin(ctx, by, o.seenKey())
	if err == nil && state == DedupFree {
		err = r.settleInTime(ctx, by, o.seenKey(), false)
	}
	return state, err
}

// claimNext claims the first occurrence of this period that was not seen.
func (r *Receiver) claimNext(ctx context.Context, by claimant, body recurring) (*occurrence, DedupState, error) {
	for n, period := 0, periodOf(time.Now()); ; n++ {
		o, err := body.nth(period, n)
		if err != nil {
			return nil, DedupFree, err
		}
		seen, err := r.beginOrWait(ctx, by, o.seenKey())
		if err != nil {
			return nil, seen, err
		}
		if seen != DedupFree {
			continue
		}
		state, err := r.claimUnseen(ctx, by, o)
		if err != nil || state == DedupFree {
			return o, state, err
		}
	}
}

// claimUnseen claims an occurrence whose seenKey the caller has claimed, and marks that it
// was seen. It claims first, so that no delivery of another occurrence takes it for
// one that waits. If anything fails, both keys are freed.
func (r *Receiver) claimUnseen(ctx context.Context, by claimant, o *occurrence) (DedupState, error) {
	state, err := r.beginOrWait(ctx, by, o.eventID)
	if err == nil {
		if err = r.settleInTime(ctx, by, o.seenKey(), true); err == nil {
			return state, nil
		}
		if state == DedupFree {
			err = errors.Join(err, r.settleInTime(ctx, by, o.eventID, false))
		}
	}
	return state, errors.Join(err, r.settleInTime(ctx, by, o.seenKey(), false))
}

// dispatchRecurring runs the handlers for an event that has no identity yet, as a
// receiver does for a delivery.
func (r *Receiver) dispatchRecurring(ctx context.Context, event Event) (err error) {
	by := newClaimant()
	state, err := r.claimEvent(ctx, by, event.Info())
	switch {
	case err != nil && r.onFailure == DedupProcess && ctx.Err() == nil:
		return r.dispatch(ctx, event)
	case err != nil:
		return err
	case state == DedupDone:
		return nil
	case state == DedupClaimed:
		return errBeingRun
	}
	c, succeeded := r.newClaim(ctx, by, event, event.Info().EventID, ""), false
	defer func() { err = errors.Join(err, c.end(ctx, succeeded)) }() // Also if a handler panics.
	err = r.dispatch(ctx, event)
	succeeded = err == nil
	return err
}
