// Package leads makes leads in Zoho CRM of visitors who have left an e-mail address.
// It may be stopped or killed at any moment and run again: no address ever gets two
// leads.
//
// In sync.go is what is done about an address, and in which order. The journal, in
// journal.go, remembers how far that has come; crm.go makes the calls; lead.go says
// what a lead is.
package leads

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/salesiq-go/salesiq"
)

// Syncer takes one visitor after the other.
type Syncer struct {
	Visitors *salesiq.VisitorsService
	CRM      *CRM
	Journal  *Journal
	Since    time.Duration // How far back to look for visitors.
	Settle   time.Duration // How long the CRM may take to find a new lead.
	DryRun   bool          // Only say what would be done.
}

// Result is what became of a visitor.
type Result struct {
	Visitor *salesiq.Visitor
	What    string // "created", "exists", or why there is to be no lead.
	Err     error  // Why there may be no lead yet.
}

// Summary counts what became of the visitors.
type Summary struct{ Created, Existing, Skipped, Failed int }

var errFailures = errors.New("some visitors have no lead yet: run it again")

// Recent returns the visitors of the time in question. They are read before the
// first is worked on, since a list that is read slowly shifts: who comes back
// leaves the time in question.
func (s *Syncer) Recent(ctx context.Context) (visitors []salesiq.Visitor, err error) {
	now := time.Now()
	for visitor, err := range s.Visitors.All(ctx, &salesiq.VisitorListParams{FromDate: now.Add(-s.Since), ToDate: now}) {
		if err != nil {
			return nil, err
		}
		visitors = append(visitors, *visitor)
	}
	return visitors, nil
}

// Sync makes sure that each visitor has a lead, and tells what becomes of each.
// The summary counts those that it has told of, also if it is stopped.
func (s *Syncer) Sync(ctx context.Context, visitors []salesiq.Visitor, tell func(Result)) (sum Summary, err error) {
	for _, visitor := range visitors {
		what, err := s.sync(ctx, &visitor)
		if err == nil || ctx.Err() == nil { // Otherwise the next run tells.
			sum.count(what, err)
			tell(Result{&visitor, what, err})
		}
		if ctx.Err() != nil {
			return sum, fmt.Errorf("stopped, and may be run again: %w", context.Cause(ctx))
		}
	}
	if sum.Failed > 0 {
		return sum, errFailures
	}
	return sum, nil
}

// What becomes of a visitor.
const (
	created = "created"
	exists  = "exists"
	skipped = "skipped: no e-mail address"
)

func (s *Summary) count(what string, err error) {
	switch {
	case err != nil:
		s.Failed++
	case what == created:
		s.Created++
	case what == exists:
		s.Existing++
	default:
		s.Skipped++
	}
}

func (s *Syncer) sync(ctx context.Context, visitor *salesiq.Visitor) (what string, err error) {
	email := address(visitor.Email)
	if email == "" {
		return skipped, nil
	}
	return s.ensure(ctx, email, visitor)
}

// ensure creates a lead unless there is one. Before it creates one, it writes
// down that it is about to: if it never learns the outcome, the next run knows
// that there may be a lead that the CRM does not find yet.
func (s *Syncer) ensure(ctx context.Context, email string, visitor *salesiq.Visitor) (string, error) {
	known := s.Journal.Get(email)
	if known.State == stateDone {
		return exists, nil
	}
	if known.State == stateCreating {
		if err := pause(ctx, time.Until(known.At.Add(s.Settle))); err != nil {
			return "", err
		}
	}
	found, err := s.CRM.exists(ctx, email)
	if err != nil {
		return "", err
	}
	if found {
		return exists, s.note(email, stateDone)
	}
	if s.DryRun {
		return created, s.note(email, stateDone)
	}
	if err := s.note(email, stateCreating); err != nil {
		return "", err
	}
	if err := s.create(ctx, email, visitor); errors.Is(err, errUnclear) {
		return "", err // The next run finds out.
	} else if err != nil {
		return "", errors.Join(err, s.note(email, stateRefused))
	}
	return created, s.note(email, stateDone)
}

// note writes down how far it is with an address.
func (s *Syncer) note(email, state string) error {
	return s.Journal.Put(email, Entry{State: state, At: time.Now()})
}

// create creates a lead. If the answer is lost, it looks for the lead instead of
// creating another one.
func (s *Syncer) create(ctx context.Context, email string, visitor *salesiq.Visitor) error {
	err := s.CRM.create(ctx, newLead(email, visitor))
	if err == nil || !errors.Is(err, errUnclear) {
		return err
	}
	if ended := pause(ctx, s.Settle); ended != nil {
		return errors.Join(err, ended)
	}
	found, searching := s.CRM.exists(ctx, email)
	if found {
		return nil
	}
	return errors.Join(err, searching)
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
