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
//
// What is done is in package leads, in this folder. Here are the flags, which CRM
// it is (crm.go), where the journal is kept (state.go), and what is printed
// (progress.go).
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/salesiq-go/salesiq/examples/crmsync/leads"
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
	crm, address, err := openCRM(ctx, client)
	if err != nil {
		return err
	}
	if !account.OnThisMachine(address) && !c.write && !c.dryRun {
		fmt.Fprintln(out, "This is a real CRM, so that nothing is created. Run with -write to do it.")
		c.dryRun = true
	}
	journal, err := openJournal(c, client, address)
	if err != nil {
		return err
	}
	defer journal.Close()
	return sync(ctx, out, &leads.Syncer{
		Visitors: client.Visitors, CRM: crm, Journal: journal, Since: c.since, Settle: c.settle, DryRun: c.dryRun,
	})
}

// sync tells what becomes of each visitor, and at last of all of them.
func sync(ctx context.Context, out io.Writer, s *leads.Syncer) error {
	visitors, err := s.Recent(ctx)
	if err != nil {
		return fmt.Errorf("listing visitors: %w", err)
	}
	p := newProgress(out, len(visitors))
	sum, err := s.Sync(ctx, visitors, p.step)
	p.finish()
	created := "created"
	if s.DryRun {
		created = "would be created"
	}
	fmt.Fprintf(out, "%d %s, %d existing, %d skipped, %d failed\n", sum.Created, created, sum.Existing, sum.Skipped, sum.Failed)
	return err
}
