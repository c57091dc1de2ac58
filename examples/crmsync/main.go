// Crmsync makes a lead in Zoho CRM of each visitor of the last day who has left
// an e-mail address. It may be stopped or killed at any moment and run again: no
// address ever gets two leads.
//
//	go run ./examples/crmsync
//
// It starts an emulator, which has the two calls of the CRM as well. With the
// variables of salesiq.NewClientFromEnv set, it reads that account, and writes to
// the CRM at SALESIQ_CRM_URL, by default that of the account's data center; where
// that is not on this machine, only with -write:
//
//	go run ./examples/crmsync -dry-run
//	go run ./examples/crmsync -write
//
// The token must permit ZohoCRM.modules.leads.READ and .CREATE as well; or set
// ZOHO_CRM_ACCESS_TOKEN to one that does. Zoho grants ten access tokens in ten
// minutes, of which each start takes one for the visitors and one for the CRM;
// SALESIQ_TOKEN_FILE (see examples/signin) saves the first.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/internal/account"
)

type config struct {
	write  bool
	dryRun bool
	state  string // Path of the state file.
	since  time.Duration
	settle time.Duration // Until the CRM finds what was created.
}

func main() {
	var c config
	flag.BoolVar(&c.write, "write", false, "create leads in a CRM that is not on this machine")
	flag.BoolVar(&c.dryRun, "dry-run", false, "only say what would be done")
	flag.StringVar(&c.state, "state", "", "`file` that remembers what was done (default: one for each CRM, in the user's cache)")
	flag.DurationVar(&c.since, "since", 24*time.Hour, "how far back to look for visitors")
	flag.DurationVar(&c.settle, "settle", 30*time.Second, "how long the CRM may take to find a new lead")
	account.ParseFlags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, c); err != nil {
		fmt.Fprintln(os.Stderr, "crmsync:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, c config) error {
	client, err := account.Open()
	if err != nil {
		return err
	}
	defer client.Close()
	client.Introduce(out)
	leads, err := newCRM(ctx, client)
	if err != nil {
		return err
	}
	if !account.OnThisMachine(leads.base) && !c.write && !c.dryRun {
		fmt.Fprintln(out, "This is a real CRM, so that nothing is created. Run with -write to do it.")
		c.dryRun = true
	}
	journal, err := openJournal(c, client, leads.base)
	if err != nil {
		return err
	}
	defer journal.Close()
	s := &syncer{config: c, visitors: client.Visitors, leads: leads, journal: journal, out: out}
	return s.run(ctx)
}

// summary counts what became of the visitors.
type summary struct{ created, existing, skipped, failed int }

// syncer takes one visitor after the other.
type syncer struct {
	config

	visitors *salesiq.VisitorsService
	leads    *crm
	journal  *journal
	out      io.Writer
	summary  summary
}

var errFailures = errors.New("some visitors have no lead yet: run it again")

func (s *syncer) run(ctx context.Context) error {
	visitors, err := s.recent(ctx)
	if err != nil {
		return fmt.Errorf("listing visitors: %w", err)
	}
	p := newProgress(s.out, len(visitors))
	for _, visitor := range visitors {
		what, err := s.sync(ctx, &visitor)
		if err == nil || ctx.Err() == nil {
			p.step(line(&visitor, what, err), err != nil)
		}
		if ctx.Err() != nil {
			p.finish()
			s.print()
			return fmt.Errorf("stopped, and may be run again: %w", context.Cause(ctx))
		}
	}
	p.finish()
	s.print()
	if s.summary.failed > 0 {
		return errFailures
	}
	return nil
}

func (s *syncer) print() {
	created := "created"
	if s.dryRun {
		created = "would be created"
	}
	fmt.Fprintf(s.out, "%d %s, %d existing, %d skipped, %d failed\n",
		s.summary.created, created, s.summary.existing, s.summary.skipped, s.summary.failed)
}

// recent returns the visitors of the time in question. They are read before the
// first is worked on, since a list that is read slowly shifts: who comes back
// leaves the time in question.
func (s *syncer) recent(ctx context.Context) (visitors []salesiq.Visitor, err error) {
	now := time.Now()
	for visitor, err := range s.visitors.All(ctx, &salesiq.VisitorListParams{FromDate: now.Add(-s.since), ToDate: now}) {
		if err != nil {
			return nil, err
		}
		visitors = append(visitors, *visitor)
	}
	return visitors, nil
}

// sync makes sure that a visitor has a lead, and says how.
func (s *syncer) sync(ctx context.Context, visitor *salesiq.Visitor) (what string, err error) {
	email := address(visitor.Email)
	if email == "" {
		s.summary.skipped++
		return "skipped: no e-mail address", nil
	}
	what, err = s.ensure(ctx, email, visitor)
	switch {
	case err != nil && ctx.Err() != nil: // Neither one nor the other; the next run tells.
	case err != nil:
		s.summary.failed++
	case what == created:
		s.summary.created++
	default:
		s.summary.existing++
	}
	return what, err
}

const (
	created = "created"
	exists  = "exists"
)

// ensure creates a lead unless there is one. Before it creates one, it writes
// down that it is about to: if it never learns the outcome, the next run knows
// that there may be a lead that the CRM does not find yet.
func (s *syncer) ensure(ctx context.Context, email string, visitor *salesiq.Visitor) (string, error) {
	known := s.journal.Get(email)
	if known.State == stateDone {
		return exists, nil
	}
	if known.State == stateCreating {
		if err := pause(ctx, time.Until(known.At.Add(s.settle))); err != nil {
			return "", err
		}
	}
	found, err := s.leads.exists(ctx, email)
	if err != nil {
		return "", err
	}
	if found {
		return exists, s.note(email, stateDone)
	}
	if s.dryRun {
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
func (s *syncer) note(email, state string) error {
	return s.journal.Put(email, entry{State: state, At: time.Now()})
}

// create creates a lead. If the answer is lost, it looks for the lead instead of
// creating another one.
func (s *syncer) create(ctx context.Context, email string, visitor *salesiq.Visitor) error {
	err := s.leads.create(ctx, newLead(email, visitor))
	if err == nil || !errors.Is(err, errUnclear) {
		return err
	}
	if ended := pause(ctx, s.settle); ended != nil {
		return errors.Join(err, ended)
	}
	found, searching := s.leads.exists(ctx, email)
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
