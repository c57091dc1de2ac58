package webhook

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// occurrencePeriod is how long a later delivery of an event that tells no time can
// follow the first one. The service delivers an event four times, a minute apart.
const occurrencePeriod = 5 * time.Minute

// claimEvent claims an event, and gives it an identity if its body has none.
func (r *Receiver) claimEvent(work *handling, info *EventInfo) (DedupState, error) {
	body, recurs := recurringBody(info)
	if !recurs {
		return r.claim(work, info.EventID)
	}
	if body.attempt != 1 {
		if state, found, err := r.findOccurrence(work, info, body); found || err != nil {
			return state, err
		}
	}
	return r.claimOccurrence(work, info, body)
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

// occurrence is one of several events with equal bodies: so many before it came in the
// same period. It has two keys in the store, which together tell its state:
//
//	ticket   event     the occurrence
//	free     free      has not come; the next event may be it
//	done     free      has come, and was not handled; a later delivery handles it
//	done     claimed   is being handled
//	done     done      was handled
type occurrence struct {
	eventID string
	body    []byte
}

func (o *occurrence) ticket() string { return "occurrence/" + o.eventID }

// occurrence returns one of the occurrences of the body within a period. They are
// counted from 0.
func (r recurring) occurrence(period int64, n int) (*occurrence, error) {
	body, err := wire.MarkEvent(r.body, strconv.FormatInt(period, 36)+"-"+strconv.Itoa(n))
	if err != nil {
		return nil, err
	}
	return &occurrence{eventID(body, r.counter), body}, nil
}

// become gives an event the identity of an occurrence.
func (i *EventInfo) become(o *occurrence) { i.EventID, i.Body = o.eventID, o.body }

func periodOf(at time.Time) int64 { return at.UnixNano() / int64(occurrencePeriod) }

// claimOccurrence claims the first occurrence that has not come.
func (r *Receiver) claimOccurrence(work *handling, info *EventInfo, body recurring) (DedupState, error) {
	for n, period := 0, periodOf(time.Now()); ; n++ {
		o, err := body.occurrence(period, n)
		if err != nil {
			return DedupFree, err
		}
		state, err := r.claim(work, o.ticket())
		if err != nil {
			return state, err
		}
		if state != DedupFree {
			continue
		}
		// The event is claimed before its ticket is done, so that no later delivery of
		// another occurrence takes it.
		state, err = r.claim(work, o.eventID)
		if err == nil {
			err = r.settle(work, o.ticket(), true)
		}
		if err != nil || state == DedupFree {
			info.become(o)
			return state, err
		}
	}
}

// findOccurrence claims an occurrence that was seen and not handled. If there is none,
// and the body counts its deliveries, it finds the newest one that is handled now, or
// else the newest that was.
func (r *Receiver) findOccurrence(work *handling, info *EventInfo, body recurring) (_ DedupState, found bool, _ error) {
	var busy, done *occurrence
	for o, failure := range r.occurrences(work, body) {
		if failure != nil {
			return DedupFree, false, failure
		}
		state, err := r.begin(work, o.eventID)
		switch {
		case err != nil:
			return state, false, err
		case state == DedupFree:
			info.become(o)
			return state, true, nil
		case state == DedupClaimed:
			busy = o
		default:
			done = o
		}
	}
	switch {
	case body.attempt == 0:
		return DedupFree, false, nil
	case busy != nil:
		info.become(busy)
		state, err := r.claim(work, busy.eventID)
		return state, true, err
	case done != nil:
		info.become(done)
		return DedupDone, true, nil
	}
	return DedupFree, false, nil
}

// occurrences iterates over what was seen in this period and the one before.
func (r *Receiver) occurrences(work *handling, body recurring) iter.Seq2[*occurrence, error] {
	return func(yield func(*occurrence, error) bool) {
		now := periodOf(time.Now())
		for period, n := now-1, 0; period <= now; n++ {
			o, err := body.occurrence(period, n)
			seen := false
			if err == nil {
				seen, err = r.hasSeen(work, o)
			}
			switch {
			case err != nil:
				yield(nil, err)
				return
			case !seen:
				period, n = period+1, -1
			case !yield(o, nil):
				return
			}
		}
	}
}

// hasSeen reports whether an occurrence has been seen. The way to ask a store is to
// claim the ticket, so a ticket that was free is given back.
func (r *Receiver) hasSeen(work *handling, o *occurrence) (bool, error) {
	state, err := r.begin(work, o.ticket())
	if err == nil && state == DedupFree {
		err = r.settle(work, o.ticket(), false)
	}
	return state == DedupDone, err
}

// begin asks the store once, and waits for three quarters of the time at most.
func (r *Receiver) begin(work *handling, id string) (DedupState, error) {
	ctx, cancel := context.WithDeadline(work, work.deadline.Add(-r.timeout/4))
	defer cancel()
	state, err := r.store.Begin(ctx, id)
	if err != nil {
		return state, fmt.Errorf("deduplication: %w", err)
	}
	return state, nil
}

// dispatchRecurring runs the handlers for an event that has no identity yet. Nobody has to
// be answered, so the handling is only the time limit of the claim.
func (r *Receiver) dispatchRecurring(ctx context.Context, event Event) (err error) {
	info := event.Info()
	state, err := r.claimEvent(&handling{request: ctx, deadline: time.Now().Add(r.timeout)}, info)
	switch {
	case err != nil && r.onFailure == DedupProcess:
		return r.dispatch(ctx, event)
	case err != nil:
		return err
	case state == DedupDone:
		return nil
	case state == DedupClaimed:
		return errBeingRun
	}
	succeeded := false
	defer func() { // Also if a handler panics.
		if settling := r.settle(ctx, info.EventID, succeeded); settling != nil {
			err = errors.Join(err, settling)
		}
	}()
	err = r.dispatch(ctx, event)
	succeeded = err == nil
	return err
}
