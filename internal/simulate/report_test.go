package simulate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// report is what came of a run.
type report struct {
	failure                                    *failure
	steps                                      int
	sum                                        uint64
	virtual                                    time.Duration
	calls, succeeded, requests, events, tokens int
	faults, hit, checked                       map[string]int
}

func (w *world) report() *report {
	virtual := time.Since(w.began)
	if w.failure != nil {
		virtual = w.failure.At
	}
	return &report{
		failure: w.failure, steps: w.counted, sum: w.sum, virtual: virtual, calls: w.calls, succeeded: w.succeeded,
		requests: w.requests, events: w.events, tokens: w.tokens, faults: w.faults, hit: w.hit, checked: w.checked,
	}
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
