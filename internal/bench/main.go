// Bench measures the SDK beside what else one might call SalesIQ with: on the
// same bytes, in turns, in one process, with each version of Go that is supported.
// From the root of the repository:
//
//	go run ./internal/bench          seven minutes; writes docs/bench.md, docs/bench.svg and the README's part
//	go run ./internal/bench -short   a minute and a half; writes nothing, and fails where a goal is missed by far
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// What this program is when it runs itself.
const (
	measureRole = "measure"
	serverRole  = "server"
	quotaRole   = "quota"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == quotaRole {
		simulate()
		return
	}
	if err := start(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func start() error {
	if len(os.Args) > 1 && os.Args[1] == serverRole {
		return serve()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) > 2 && os.Args[1] == measureRole {
		return measure(ctx, plans[os.Args[2]])
	}
	short := flag.Bool("short", false, "measure for a short while, write nothing, and fail where a goal is missed by far")
	flag.Parse() //nolint:revive // start is main, but for its exit.
	all, err := runVersions(ctx, *short)
	if err != nil {
		return err
	}
	fmt.Print(all.text())
	if *short {
		return all.gate()
	}
	return all.write()
}

// plan says how much is measured. Numbers of rounds are those of races.
type plan struct {
	goals  int // Where there is a goal.
	others int // Where there is none.

	pages, transcripts, bursts int
	jobRounds                  int
}

// The plans, by the word that a child is told.
const (
	longPlan  = "long"
	shortPlan = "short"
)

var plans = map[string]plan{
	longPlan:  {goals: 17, others: 7, pages: 1000, transcripts: 1000, bursts: 50, jobRounds: 3},
	shortPlan: {goals: 7, others: 1, pages: 100, transcripts: 100, bursts: 10, jobRounds: 1},
}

// parts are what is measured, in that order.
var parts = []struct {
	name    string
	measure func(ctx context.Context, p plan, base string, r *report) error
}{
	{"calls", measureCalls},
	{"watched calls", measureWatched},
	{"decoding", measureFloor},
	{"live page", measureLive},
	{"stripe-go", measureStripe},
	{"list over loopback", measureSync},
	{"latency", measureLatency},
	{"webhooks", measureWebhooks},
	{"quota", measureQuota},
}

// measure measures with the version of Go that this program was built with, and
// writes a report, as JSON, to the standard output.
func measure(ctx context.Context, p plan) error {
	runtime.GOMAXPROCS(1)
	began := time.Now()
	base, stop, err := startServer(ctx)
	if err != nil {
		return err
	}
	defer stop()
	r := &report{Date: began, Machine: machine(), Version: runtime.Version()}
	for _, part := range parts {
		began := time.Now()
		if err := part.measure(ctx, p, base, r); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%s: %s took %s\n", r.Version, part.name, time.Since(began).Round(100*time.Millisecond))
	}
	r.Took = time.Since(began)
	return json.NewEncoder(os.Stdout).Encode(r) //nolint:musttag // It is read by the same program.
}
