package simulate

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	oneSeed  = flag.Uint64("seed", 0, "run this seed alone")
	seeds    = flag.Int("seeds", 0, "run so many seeds, from 1 on")
	days     = flag.Float64("days", fixedDays, "how many virtual days a run has")
	planFile = flag.String("plan", "", "run the plan in this file, with -seed, instead of the one that the seed draws")
	shrinks  = flag.Bool("shrink", false, "find a shorter plan that still fails")
	stepLog  = flag.String("steps", "", "write each step of the run to this file")
)

// Without flags, these seeds are run, and a new one beside them.
const (
	fixedSeeds = 5
	fixedDays  = .5

	fixedSeedsWhenSlow = 1
	fixedDaysWhenSlow  = .15
)

func TestNothingIsLostDoneTwiceOrLeftBehindWhateverHappens(t *testing.T) { // Not parallel: it has one processor.
	first, n := uint64(1), *seeds
	switch {
	case *oneSeed > 0:
		first, n = *oneSeed, 1
	case n == 0 && slow:
		n, *days = fixedSeedsWhenSlow, min(*days, fixedDaysWhenSlow)
	case n == 0:
		n = fixedSeeds
	}
	for seed := range uint64(n) {
		simulate(t, first+seed)
	}
	if *oneSeed == 0 && *seeds == 0 {
		simulate(t, rand.Uint64N(1_000_000_000))
	}
}

// simulate runs a seed, tells of it, and shrinks its plan if asked to.
func simulate(t *testing.T, seed uint64) {
	t.Helper()
	p := drawPlan(seed, time.Duration(*days*float64(24*time.Hour)))
	if *planFile != "" {
		text, err := os.ReadFile(*planFile)
		if err == nil {
			p, err = parsePlan(string(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var log io.Writer
	if *stepLog != "" {
		file, err := os.Create(*stepLog)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		log = file
	}
	began := time.Now()
	r := run(t, seed, *days, p, log)
	t.Logf("seed %d: %s", seed, r.String(time.Since(began)))
	if r.failure == nil {
		return
	}
	p = p.until(r.failure.At)
	if *shrinks {
		p = shrink(t, seed, *days, p, r.failure)
	}
	t.Errorf("seed %d fails: %v\nrun it again: go test ./internal/simulate -seed %d -days %v -v\nthe plan:\n%s", seed, r.failure, seed, *days, p)
}

// String tells of a run in a few lines.
func (r *report) String(took time.Duration) string {
	var b strings.Builder
	virtual := r.virtual.Hours() / 24
	fmt.Fprintf(&b, "%.2f days in %v; %d calls (%.1f%% succeeded), %d requests (%.0f a second), %d tokens, %d events; a day has %.0f calls, %.0f events; %d steps, sum %016x",
		virtual, took.Round(time.Millisecond), r.calls, 100*float64(r.succeeded)/float64(max(1, r.calls)), r.requests, float64(r.requests)/took.Seconds(),
		r.tokens, r.events, float64(r.calls)/virtual, float64(r.events)/virtual, r.steps, r.sum)
	b.WriteString("\nfaults:")
	for _, kind := range slices.Sorted(maps.Keys(r.faults)) {
		fmt.Fprintf(&b, " %s %d", kind, r.faults[kind])
		if n := r.hit[kind]; n > 0 {
			fmt.Fprintf(&b, " (%d hits)", n)
		}
	}
	b.WriteString("\nchecks:")
	for _, invariant := range slices.Sorted(maps.Keys(r.checked)) {
		fmt.Fprintf(&b, " %q %d", invariant, r.checked[invariant])
	}
	return b.String()
}
