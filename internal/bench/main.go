// Bench measures the SDK beside what else one might call SalesIQ with: on the
// same bytes, in turns, in one process. From the root of the repository:
//
//	go run ./internal/bench          three minutes; writes docs/bench.md, docs/bench.svg and the README's part
//	go run ./internal/bench -short   half a minute; writes nothing, and fails where a goal is missed by far
package main

import (
	"context"
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
	serverRole = "server"
	quotaRole  = "quota"
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
	short := flag.Bool("short", false, "measure for a short while, write nothing, and fail where a goal is missed by far")
	flag.Parse() //nolint:revive // start is main, but for its exit.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, *short)
}

// plan says how much is measured.
type plan struct {
	canned, loopback, webhooks pace
	pages, transcripts, bursts int
	jobRounds                  int
}

var (
	longPlan = plan{
		canned: pace{41, 10 * time.Millisecond}, loopback: pace{31, 10 * time.Millisecond}, webhooks: pace{31, 1},
		pages: 1000, transcripts: 1000, bursts: 50, jobRounds: 3,
	}
	shortPlan = plan{
		canned: pace{15, 5 * time.Millisecond}, loopback: pace{7, 5 * time.Millisecond}, webhooks: pace{7, 1},
		pages: 100, transcripts: 100, bursts: 10, jobRounds: 1,
	}
)

func run(ctx context.Context, short bool) error {
	runtime.GOMAXPROCS(1)
	began := time.Now()
	p := longPlan
	if short {
		p = shortPlan
	}
	base, stop, err := startServer(ctx)
	if err != nil {
		return err
	}
	defer stop()
	r := &report{date: began, machine: machine()}
	for _, measure := range []func(context.Context, plan, string, *report) error{
		measureCalls, measureStripe, measureSync, measureLatency, measureWebhooks, measureQuota,
	} {
		if err := measure(ctx, p, base, r); err != nil {
			return err
		}
	}
	r.took = time.Since(began)
	fmt.Print(r.text())
	if short {
		return r.gate()
	}
	return r.write()
}
