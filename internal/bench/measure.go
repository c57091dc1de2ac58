package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
	"time"
)

const cannedBase = "http://127.0.0.1:9"

// cannedWire answers requests, one at a time, and touches no network: what is left is
// the client's own work.
type cannedWire struct {
	header http.Header
	bodies [][]byte
	next   int
}

// canned answers with each of some bodies in turn: a client that remembers what it
// has read before has no advantage.
func canned(bodies [][]byte) http.RoundTripper {
	now := time.Now()
	return &cannedWire{bodies: bodies, header: http.Header{
		"Content-Type":          {"application/json"},
		"Date":                  {now.UTC().Format(http.TimeFormat)},
		"X-Ratelimit-Limit":     {strconv.Itoa(plenty)},
		"X-Ratelimit-Remaining": {strconv.Itoa(plenty - 1)},
		"X-Ratelimit-Reset":     {strconv.FormatInt(now.Add(time.Hour).Unix(), 10)},
	}}
}

// plenty is a rate limit that nobody reaches.
const plenty = 1 << 30

func (w *cannedWire) RoundTrip(request *http.Request) (*http.Response, error) {
	body := w.bodies[w.next%len(w.bodies)]
	w.next++
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: request,
	}, nil
}

// contestant is one that runs against others.
type contestant struct {
	name string
	peer bool
	op   func(ctx context.Context) error
}

func expect(got, want int) error {
	if got != want {
		return fmt.Errorf("got %d, want %d", got, want)
	}
	return nil
}

// result is what was found out about a contestant. Ratios are those of single
// rounds.
type result struct {
	Name   string
	Peer   bool
	Time   spread // By the wall clock, in seconds.
	CPU    spread // Of this process, in seconds.
	Ratio  spread // Of the time, to the first contestant's.
	Load   spread // Of the processor time, to the first contestant's.
	Shares spread // Our processor time in this contestant's.
	Memory memory
}

// spread is the median of many rounds between its quartiles.
type spread struct{ Low, Median, High float64 }

func spreadOf(values []float64) spread {
	slices.Sort(values)
	at := func(q float64) float64 { return values[int(q*float64(len(values)-1)+0.5)] }
	return spread{at(0.25), at(0.5), at(0.75)}
}

// memory is what one operation allocates.
type memory struct{ Allocations, Bytes float64 }

// race lets contestants run in turns, a short while each, so that whatever else
// the machine does slows all of them down.
func race(ctx context.Context, contestants []contestant, rounds int) ([]result, error) {
	results := make([]result, len(contestants))
	times := make([][]float64, len(contestants))
	loads := make([][]float64, len(contestants))
	us := 0
	for i, c := range contestants {
		results[i] = result{Name: c.name, Peer: c.peer}
		if c.name == ours {
			us = i
		}
		took, err := warm(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		if results[i].Memory, err = c.measureMemory(ctx, took); err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	count := slice(results)
	for round := range rounds {
		// Shuffled, so that nobody has the same predecessor, and its traces in
		// the caches, each time.
		shuffled := rand.New(rand.NewPCG(1, uint64(round))) //nolint:gosec // It is no secret.
		for _, i := range shuffled.Perm(len(contestants)) {
			took, load, err := contestants[i].run(ctx, count)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", contestants[i].name, err)
			}
			times[i] = append(times[i], took)
			loads[i] = append(loads[i], load)
		}
	}
	for i := range results {
		results[i].Ratio = spreadOf(ratios(times[i], times[0]))
		results[i].Load = spreadOf(ratios(loads[i], loads[0]))
		results[i].Shares = spreadOf(ratios(loads[us], loads[i]))
	}
	for i := range results { // Sorts, so that rounds no longer match.
		results[i].Time = spreadOf(times[i])
		results[i].CPU = spreadOf(loads[i])
	}
	return results, nil
}

// slice returns how many operations each contestant makes in a round. It is the same
// number for all, and each allocates at least two heaps' worth: the garbage collector
// would favor those who make too few to meet it.
func slice(results []result) int {
	least := math.Inf(1)
	for _, r := range results {
		least = min(least, max(1, r.Memory.Bytes))
	}
	const heaps, most = 2, 5000 // The bound is for those who allocate next to nothing.
	return int(min(most, math.Ceil(heaps*heapGoal()/least)))
}

// heapGoal returns the size, in bytes, at which the garbage collector sets in.
func heapGoal() float64 {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
	metrics.Read(sample)
	return float64(sample[0].Value.Uint64())
}

func ratios(some, others []float64) []float64 {
	ratios := make([]float64, len(some))
	for i := range some {
		ratios[i] = some[i] / others[i]
	}
	return ratios
}

// run makes a number of operations and returns the time and the processor time
// of one.
func (c contestant) run(ctx context.Context, count int) (took, load float64, err error) {
	runtime.GC() // The predecessor's garbage.
	began, used := time.Now(), processorTime()
	for range count {
		if err := c.op(ctx); err != nil {
			return 0, 0, err
		}
	}
	load = (processorTime() - used).Seconds() / float64(count)
	return time.Since(began).Seconds() / float64(count), load, nil
}

// warm runs an operation until its pools, caches and connections are there.
func warm(ctx context.Context, c contestant) (took time.Duration, err error) {
	const enough = 20 * time.Millisecond
	for began, n := time.Now(), 1; ; n++ {
		if err := c.op(ctx); err != nil {
			return 0, err
		}
		if all := time.Since(began); all > enough {
			return all / time.Duration(n), nil
		}
	}
}

// measureMemory counts what an operation allocates, without a garbage
// collection in between, so that it is the same each time: three times for each answer that
// takes turns, unless that would take long. The least of a few tries leaves out what
// happens beside it.
func (c contestant) measureMemory(ctx context.Context, took time.Duration) (least memory, err error) {
	const tries, long = 3, 50 * time.Millisecond
	count := 3 * rotation
	if took > long {
		count = 1
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for try := range tries {
		runtime.GC()
		m, err := c.countMemory(ctx, count)
		if err != nil {
			return m, err
		}
		if try == 0 || m.Allocations < least.Allocations {
			least = m
		}
	}
	return least, nil
}

func (c contestant) countMemory(ctx context.Context, count int) (m memory, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range count {
		if err := c.op(ctx); err != nil {
			return m, err
		}
	}
	runtime.ReadMemStats(&after)
	m.Allocations = math.Round(float64(after.Mallocs-before.Mallocs) / float64(count))
	m.Bytes = math.Round(float64(after.TotalAlloc-before.TotalAlloc) / float64(count))
	return m, nil
}
