package salesiqredis

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
)

// BenchmarkSharedQuota measures what docs/shared-quota.md says: processes that
// share a quota through a real Redis, which is as far away as its name tells. A
// process is an Organization of its own.
//
//	go test -run '^$' -bench SharedQuota -benchtime 1x
func BenchmarkSharedQuota(b *testing.B) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		b.Skip("no redis-server on this machine (Debian's package is called redis-server)")
	}
	for _, c := range []crowd{
		{bound: "none", processes: 1, callers: 1, windows: 2, limit: 100_000, took: 10 * time.Millisecond},
		{bound: "window", processes: 4, callers: 10, windows: 4, limit: 50, took: 150 * time.Millisecond},
		{bound: "window", processes: 40, callers: 3, windows: 4, limit: 50, took: 150 * time.Millisecond},
		{bound: "slots", processes: 4, callers: 10, windows: 2, limit: 100_000, took: 100 * time.Millisecond},
		{bound: "slots", processes: 40, callers: 3, windows: 2, limit: 100_000, took: 100 * time.Millisecond},
	} {
		for _, distance := range []time.Duration{0, 20 * time.Millisecond} {
			b.Run(fmt.Sprintf("bound=%s/processes=%d/distance=%s", c.bound, c.processes, distance), func(b *testing.B) {
				for b.Loop() {
					c.measure(b, distance)
				}
			})
		}
	}
}

const (
	benchWindow = 3 * time.Second // What the service calls a minute.
	atOnce      = 10
)

// crowd is so many processes, each with callers who call without a pause.
type crowd struct {
	bound     string // What there is too little of.
	processes int
	callers   int
	windows   int
	limit     int           // Calls per window.
	took      time.Duration // A call.
}

// optimum is how many calls someone could make who knows all and is nowhere far.
func (c crowd) optimum() int {
	most := min(atOnce, c.processes*c.callers)
	return min(c.windows*c.limit, int(time.Duration(c.windows*most)*benchWindow/c.took))
}

// tally is what came of it.
type tally struct {
	made    []atomic.Int64 // By process.
	failed  atomic.Int64
	mu      sync.Mutex
	longest time.Duration // A caller waited.
}

func (c crowd) measure(b *testing.B, distance time.Duration) {
	b.Helper()
	address := startServer(b)
	server := redis.NewClient(&redis.Options{Addr: address})
	defer func() { assert.NoError(b, server.Close()) }()
	require.Eventually(b, func() bool { return server.Ping(b.Context()).Err() == nil }, patience, 10*time.Millisecond)
	far := relay(b, address, distance/2)

	var wires []*wire
	var limiters []salesiq.Limiter
	for range c.processes {
		client := redis.NewClient(&redis.Options{Addr: far, MaxRetries: -1, DialerRetries: 1, PoolSize: 20, MinIdleConns: 3})
		b.Cleanup(func() { assert.NoError(b, client.Close()) })
		w := &wire{Evaler: newEvaler(client)}
		organization, err := NewWith(w, "acme", WithTimeout(2*time.Second), WithMaxWait(time.Hour))
		require.NoError(b, err)
		wires, limiters = append(wires, w), append(limiters, organization.Limiter())
	}
	s := &windowed{limit: c.limit, took: c.took}
	first, err := limiters[0].Acquire(b.Context())
	require.NoError(b, err)
	first.Done(s.call()) // Since then, the window is known.

	<-time.After(time.Until(time.Now().Truncate(benchWindow).Add(benchWindow)))
	s.reset()
	for _, w := range wires {
		w.trips.Store(0)
	}
	before, t := busy(b, server), &tally{made: make([]atomic.Int64, c.processes)}
	t.run(b, c, limiters, s)
	c.report(b, t, s, wires, busy(b, server)-before)
}

// run calls until the windows are over.
func (t *tally) run(b *testing.B, c crowd, limiters []salesiq.Limiter, s *windowed) {
	b.Helper()
	end := time.Now().Truncate(benchWindow).Add(time.Duration(c.windows)*benchWindow - 20*time.Millisecond)
	over, cancel := context.WithCancel(b.Context()) // A deadline would be refused at once.
	defer time.AfterFunc(time.Until(end), cancel).Stop()
	var callers sync.WaitGroup
	for i, limiter := range limiters {
		for range c.callers {
			callers.Go(func() {
				for over.Err() == nil {
					asked := time.Now()
					lease, err := limiter.Acquire(over)
					t.wait(time.Since(asked))
					if err == nil {
						outcome := s.call()
						lease.Done(outcome)
						if !outcome.Throttled {
							t.made[i].Add(1)
						}
					} else if over.Err() == nil {
						t.failed.Add(1)
					}
				}
			})
		}
	}
	callers.Wait()
}

func (t *tally) wait(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.longest = max(t.longest, d)
}

func (c crowd) report(b *testing.B, t *tally, s *windowed, wires []*wire, took time.Duration) {
	b.Helper()
	var calls, most, trips int64
	least := t.made[0].Load()
	for i := range t.made {
		n := t.made[i].Load()
		calls, least, most, trips = calls+n, min(least, n), max(most, n), trips+wires[i].trips.Load()
	}
	b.ReportMetric(0, "ns/op") // It is as long as the windows are.
	b.ReportMetric(float64(calls)/float64(c.optimum()), "of-optimum")
	b.ReportMetric(float64(s.refused), "429s")
	b.ReportMetric(float64(t.failed.Load()), "failed")
	b.ReportMetric(float64(trips)/float64(calls), "trips/call")
	b.ReportMetric(float64(least), "least/process")
	b.ReportMetric(float64(most), "most/process")
	b.ReportMetric(t.longest.Seconds(), "longest-wait-s")
	b.ReportMetric(float64(took.Microseconds())/float64(calls), "redis-µs/call")
}

// windowed is a service that grants so many calls in a window, and ten at once.
type windowed struct {
	limit int
	took  time.Duration

	mu      sync.Mutex // Guards what follows.
	opened  time.Time
	used    int
	under   int
	refused int
}

func (s *windowed) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = 0
}

func (s *windowed) call() salesiq.Outcome {
	outcome := s.begin()
	time.Sleep(s.took)
	outcome.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	if !outcome.Throttled {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.under--
	}
	return outcome
}

func (s *windowed) begin() salesiq.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	if opened := time.Now().Truncate(benchWindow); !opened.Equal(s.opened) {
		s.opened, s.used = opened, 0
	}
	outcome := salesiq.Outcome{StatusCode: http.StatusOK, Sent: true, Header: http.Header{}}
	if s.used < s.limit && s.under < atOnce {
		s.used++
		s.under++
	} else {
		outcome.StatusCode, outcome.Throttled = http.StatusTooManyRequests, true
		s.refused++
	}
	outcome.Header.Set("X-RateLimit-Limit", strconv.Itoa(s.limit))
	outcome.Header.Set("X-RateLimit-Remaining", strconv.Itoa(s.limit-s.used))
	outcome.Header.Set("X-RateLimit-Reset", strconv.FormatInt(s.opened.Add(benchWindow).Unix(), 10))
	return outcome
}

// startServer starts a redis-server that keeps nothing, and returns its address.
func startServer(b *testing.B) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	address := listener.Addr().String()
	require.NoError(b, listener.Close())
	_, port, err := net.SplitHostPort(address)
	require.NoError(b, err)
	server := exec.CommandContext(context.WithoutCancel(b.Context()), "redis-server",
		"--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", b.TempDir())
	require.NoError(b, server.Start())
	b.Cleanup(func() {
		assert.NoError(b, server.Process.Kill())
		_ = server.Wait() // It was killed.
	})
	return address
}

// busy is the time of the processor that a server has taken so far.
func busy(b *testing.B, server *redis.Client) (sum time.Duration) {
	b.Helper()
	for line := range strings.Lines(server.Info(b.Context(), "cpu").Val()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "used_cpu_sys" || name == "used_cpu_user" {
			d, err := time.ParseDuration(value + "s")
			require.NoError(b, err)
			sum += d
		}
	}
	return sum
}

// relay passes everything on to an address, later, and returns its own.
func relay(b *testing.B, address string, later time.Duration) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	b.Cleanup(func() { assert.NoError(b, listener.Close()) })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := new(net.Dialer).DialContext(b.Context(), "tcp", address)
			if err != nil {
				_ = near.Close()
				continue
			}
			go passOn(far, near, later)
			go passOn(near, far, later)
		}
	}()
	return listener.Addr().String()
}

type piece struct {
	data []byte
	due  time.Time
}

// passOn copies what one end says to the other, until it says no more.
func passOn(to, from net.Conn, later time.Duration) {
	pieces := make(chan piece, 1024)
	go func() {
		defer func() { _ = to.Close() }()
		for p := range pieces {
			time.Sleep(time.Until(p.due))
			_, _ = to.Write(p.data) // Whoever is gone misses it.
		}
	}()
	defer close(pieces)
	for {
		data := make([]byte, 32<<10)
		n, err := from.Read(data)
		if err != nil {
			return
		}
		pieces <- piece{data[:n], time.Now().Add(later)}
	}
}
