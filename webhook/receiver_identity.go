package webhook

import (
	"context"
	"errors"
	"math/rand/v2"
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
	if err == nil {
		info.EventID, info.Body = o.eventID, o.body
	}
	return state, err
}

// setApart gives an event whose body tells no time an identity that no other has. It is
// for an event that is handled though the store cannot number it.
func setApart(info *EventInfo) error {
	body, recurs := recurringBody(info)
	if !recurs {
		return nil
	}
	o, err := body.marked(strconv.FormatUint(rand.Uint64(), 36)) //nolint:gosec // It is no secret.
	if err == nil {
		info.EventID, info.Body = o.eventID, o.body
	}
	return err
}

// recurring is a body of the live service that tells no time, so that it may come again
// for another event.
type recurring struct {
	body    []byte
	counter []byte // The name of the member that counts its deliveries; empty for none.
	attempt int    // That count, or 0.
	numbers numbers
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
	return recurring{body: info.Body, counter: envelope.Counter, attempt: envelope.Attempt}, true
}

// occurrence is one of several events with equal bodies. It has two keys in the store,
// seenKey and eventID.
type occurrence struct {
	eventID string
	body    []byte // With a mark that makes it unlike the others.
}

func (o *occurrence) seenKey() string { return "seen/" + o.eventID }

// marked returns the occurrence of the body that has a mark.
func (r recurring) marked(mark string) (*occurrence, error) {
	body, err := wire.MarkEvent(r.body, mark)
	if err != nil {
		return nil, err
	}
	return &occurrence{eventID(body, r.counter), body}, nil
}

// nth returns the occurrence with a number, from 0, in a period.
func (r recurring) nth(period int64, n int) (*occurrence, error) {
	mark := strconv.FormatInt(period, 36) + "-" + strconv.Itoa(n)
	if era := r.numbers.era; era != 0 {
		mark += "-" + strconv.FormatUint(era, 36)
	}
	return r.marked(mark)
}

func periodOf(at time.Time) int64 { return at.UnixNano() / int64(occurrencePeriod) }

// numbers are those that occurrences get from 0 on. None is given to two events, as a
// sink would take the second for the first. So a store that forgets numbers of the period
// has others in its next era.
type numbers struct {
	period int64
	era    uint64 // Zero for a store whose memory lasts.
}

// numbersNow returns the numbers of now.
func (r *Receiver) numbersNow() numbers {
	if m := r.memory(); m != nil {
		return m.numbers()
	}
	return numbers{period: periodOf(time.Now())}
}

var errOutdated = errors.New("there are other numbers now")

// checkNumbers returns errOutdated if a number of the body may have been forgotten by now.
func (r *Receiver) checkNumbers(body recurring) error {
	if r.numbersNow() != body.numbers {
		return errOutdated
	}
	return nil
}

// claimOccurrence finds the occurrence that a delivery is of, and claims it.
func (r *Receiver) claimOccurrence(ctx context.Context, by claimant, body recurring) (*occurrence, DedupState, error) {
	for {
		body.numbers = r.numbersNow()
		o, state, err := r.claimNumbered(ctx, by, body)
		if !errors.Is(err, errOutdated) {
			return o, state, err
		}
	}
}

// claimNumbered is claimOccurrence among the numbers of the body.
func (r *Receiver) claimNumbered(ctx context.Context, by claimant, body recurring) (*occurrence, DedupState, error) {
	if body.attempt == 1 {
		return r.claimNext(ctx, by, body)
	}
	waiting, busy, handled, err := r.findSeen(ctx, by, body)
	switch {
	case err != nil:
		return nil, DedupFree, err
	case waiting != nil:
		if err := r.checkNumbers(body); err != nil {
			return nil, DedupFree, errors.Join(err, r.settleInTime(ctx, by, waiting.eventID, false))
		}
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
	before, err := r.seenIn(ctx, by, body, body.numbers.period-1)
	if err != nil {
		return nil, nil, nil, err
	}
	seen, err := r.seenIn(ctx, by, body, body.numbers.period)
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
	for n := 0; ; n++ {
		o, err := body.nth(body.numbers.period, n)
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
		state, err := r.claimUnseen(ctx, by, body, o)
		if err != nil || state == DedupFree {
			return o, state, err
		}
	}
}

// claimUnseen claims an occurrence whose seenKey the caller has claimed, and marks that it
// was seen. It claims first, so that no delivery of another occurrence takes it for
// one that waits. If anything fails, both keys are freed.
func (r *Receiver) claimUnseen(ctx context.Context, by claimant, body recurring, o *occurrence) (DedupState, error) {
	state, err := r.beginOrWait(ctx, by, o.eventID)
	claimed := err == nil && state == DedupFree
	if err == nil {
		err = r.checkNumbers(body) // If it was forgotten that the number was given away, there are others now.
	}
	if err == nil {
		err = r.settleInTime(ctx, by, o.seenKey(), true)
	}
	if err == nil {
		return state, nil
	}
	if claimed {
		err = errors.Join(err, r.settleInTime(ctx, by, o.eventID, false))
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
		if err := setApart(event.Info()); err != nil {
			return err
		}
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
