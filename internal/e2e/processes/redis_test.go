// Package processes lets several processes of one organization share a real
// Redis. Where there is no redis-server, tests are skipped, and say so.
package processes

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/salesiqredis"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

const (
	processes = 4
	// window is what the emulator calls a minute, in the tests with Redis.
	window = 3 * time.Second
	// perWindow is how many calls it takes in one.
	perWindow = 50
	// patience is how long a test waits for what must happen.
	patience = 30 * time.Second
)

var tokenKey = bytes.Repeat([]byte("k"), 32)

// TestProcessesShareThroughRedis runs real processes against one Redis and one
// emulator, which are the test's own in each case.
func TestProcessesShareThroughRedis(t *testing.T) { // It takes the time.
	if testkit.RaceEnabled {
		t.Skip("its figures are not those of a service that the race detector slows down")
	}
	needsRedis(t)
	program := filepath.Join(t.TempDir(), "worker.exe")
	said, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./worker").CombinedOutput()
	require.NoError(t, err, string(said))
	for _, c := range []struct {
		name  string
		alone bool // Since it is busy, and others take the time.
		test  func(t *testing.T, program string)
	}{
		{"quota", false, testProcessesShareTheQuota},
		{"Redis is killed", false, testNoCallFailsWhileRedisIsKilled},
		{"a process is killed", false, testOthersGoOnAfterAProcessWasKilled},
		{"token", false, testProcessesShareOneToken},
		{"events", true, testNoEventIsLostWithAConsumer},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !c.alone {
				t.Parallel()
			}
			c.test(t, program)
		})
	}
}

func needsRedis(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("no redis-server on this machine: nothing is shared between real processes (Debian's package is called redis-server)")
	}
}

// redisServer is a real one, on a port of its own.
type redisServer struct {
	t       *testing.T
	address string
	process *exec.Cmd
}

func startRedis(t *testing.T) *redisServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &redisServer{t: t, address: listener.Addr().String()}
	require.NoError(t, listener.Close())
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *redisServer) start() {
	s.t.Helper()
	_, port, err := net.SplitHostPort(s.address)
	require.NoError(s.t, err)
	s.process = exec.CommandContext(context.WithoutCancel(s.t.Context()), "redis-server",
		"--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", s.t.TempDir())
	require.NoError(s.t, s.process.Start())
	client := s.client()
	require.Eventually(s.t, func() bool { return client.Ping(s.t.Context()).Err() == nil }, patience, 20*time.Millisecond)
}

// kill ends it as a power failure would.
func (s *redisServer) kill() {
	assert.NoError(s.t, s.process.Process.Kill())
	_ = s.process.Wait() // It was killed.
}

func (s *redisServer) client() *redis.Client {
	s.t.Helper()
	client := redis.NewClient(&redis.Options{Addr: s.address, MaxRetries: -1})
	s.t.Cleanup(func() { assert.NoError(s.t, client.Close()) })
	return client
}

// organization returns what the test's own process shares with the workers.
func (s *redisServer) organization() *salesiqredis.Organization {
	s.t.Helper()
	organization, err := salesiqredis.New(s.client(), "acme")
	require.NoError(s.t, err)
	return organization
}

// task and result are those of ./worker.
type task struct {
	Do      string        `json:"do"`
	Redis   string        `json:"redis"`
	Key     []byte        `json:"key"`
	Calls   int           `json:"calls"`
	Callers int           `json:"callers"`
	Pause   time.Duration `json:"pause"`
	Lease   time.Duration `json:"lease"`
	Timeout time.Duration `json:"timeout"`
}

type result struct {
	Ended      time.Time     `json:"ended"`
	Failures   []string      `json:"failures"`
	RoundTrips int           `json:"round_trips"`
	Longest    time.Duration `json:"longest"`
}

// worker is a ./worker, as it runs.
type worker struct {
	t       *testing.T
	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
}

// startWorkers starts processes, and returns when all are ready.
func startWorkers(t *testing.T, program string, n int, do *task, environment []string) []*worker {
	t.Helper()
	argument, err := json.Marshal(do)
	require.NoError(t, err)
	workers := make([]*worker, n)
	for i := range workers {
		command := exec.CommandContext(t.Context(), program, string(argument))
		command.Env = append(command.Environ(), environment...)
		command.Stderr = t.Output()
		in, err := command.StdinPipe()
		require.NoError(t, err)
		out, err := command.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, command.Start())
		workers[i] = &worker{t, command, in, bufio.NewScanner(out)}
	}
	for _, w := range workers {
		require.Equal(t, "ready", w.line())
	}
	return workers
}

func (w *worker) line() string {
	w.t.Helper()
	require.True(w.t, w.out.Scan(), "the worker ended early")
	return w.out.Text()
}

func (w *worker) begin() {
	w.t.Helper()
	_, err := io.WriteString(w.in, "go\n")
	require.NoError(w.t, err)
}

func (w *worker) result() (r result) {
	w.t.Helper()
	require.NoError(w.t, json.Unmarshal([]byte(w.line()), &r))
	require.NoError(w.t, w.process.Wait())
	return r
}

// atWindow returns the begin of the emulator's next window, once it is there.
func atWindow() time.Time {
	<-time.After(time.Until(time.Now().Truncate(window).Add(window)))
	return time.Now().Truncate(window)
}

// total is what all workers say together.
func total(workers []*worker) (all result) {
	for _, w := range workers {
		r := w.result()
		all.Failures = append(all.Failures, r.Failures...)
		all.RoundTrips += r.RoundTrips
		all.Longest = max(all.Longest, r.Longest)
		if r.Ended.After(all.Ended) {
			all.Ended = r.Ended
		}
	}
	return all
}

func startSharedEmulator(t *testing.T, plan salesiq.Plan) *salesiqtest.Server {
	t.Helper()
	server := salesiqtest.Start(t, salesiqtest.WithPlan(plan), salesiqtest.WithWindow(salesiqtest.AlignedWindow, window))
	return server
}

var sharedPlan = salesiq.Plan{CallsPerMinute: perWindow}

// Four processes make ten windows of calls, as fast as they may. The optimum is
// that of someone who knows when each window begins, and whose calls take no time.
// Whatever else a machine does can only add to it, and may stop a process between
// the limiter and the wire for longer than a lease, so that the best try counts.
func testProcessesShareTheQuota(t *testing.T, program string) {
	t.Helper()
	const tries, goal = 3, 1.02
	ratio, refused := shareTheQuota(t, program)
	for try := 1; try < tries && (ratio > goal || refused > 0); try++ {
		ratio, refused = shareTheQuota(t, program)
	}
	assert.LessOrEqual(t, ratio, goal)
	assert.Zero(t, refused)
}

func shareTheQuota(t *testing.T, program string) (ratio float64, refused int) {
	t.Helper()
	const windows = 10
	server, emulator := startRedis(t), startSharedEmulator(t, sharedPlan)
	workers := startWorkers(t, program, processes, &task{
		Do: "call", Redis: server.address, Key: tokenKey, Calls: windows * perWindow / processes, Callers: 10, Timeout: time.Second,
	}, emulator.Environment())
	first := atWindow()
	began := time.Now()
	for _, w := range workers {
		w.begin()
	}
	all := total(workers)
	stats := emulator.Stats()
	ratio = float64(all.Ended.Sub(began)) / float64(first.Add((windows-1)*window).Sub(began))
	refused = stats.Refused[salesiq.ErrRateLimitExceeded]
	t.Logf("%d processes, %d windows, %d calls: %.4f times the optimum, %d 429s, %d failed, %d at once, %.2f round trips a call, waiting included",
		processes, windows, stats.Processed, ratio, refused, len(all.Failures), stats.InFlightPeak, float64(all.RoundTrips)/float64(stats.Processed))
	assert.Empty(t, all.Failures)
	assert.Equal(t, windows*perWindow, stats.Processed)
	assert.LessOrEqual(t, stats.InFlightPeak, 10)
	assert.Equal(t, 1, stats.TokensIssued)
	assert.LessOrEqual(t, float64(all.RoundTrips)/float64(stats.Processed), 2.25, "two, and those of who waits for a window")
	return ratio, refused
}

func testNoCallFailsWhileRedisIsKilled(t *testing.T, program string) {
	t.Helper()
	const windows = 4
	server, emulator := startRedis(t), startSharedEmulator(t, sharedPlan)
	workers := startWorkers(t, program, processes, &task{
		Do: "call", Redis: server.address, Key: tokenKey, Calls: windows * perWindow / processes, Callers: 10,
	}, emulator.Environment())
	first := atWindow()
	began := time.Now()
	for _, w := range workers {
		w.begin()
	}
	<-time.After(window * 3 / 4)
	server.kill()
	<-time.After(window * 5 / 4)
	server.start()
	all := total(workers)
	stats := emulator.Stats()
	ratio := float64(all.Ended.Sub(began)) / float64(first.Add((windows-1)*window).Sub(began))
	t.Logf("Redis killed for %s: %d calls, %d failed, %d 429s, %.2f times the optimum, longest call %s, %d tokens",
		window*5/4, stats.Processed, len(all.Failures), stats.Refused[salesiq.ErrRateLimitExceeded], ratio, all.Longest.Round(time.Millisecond), stats.TokensIssued)
	assert.Empty(t, all.Failures)
	assert.Equal(t, windows*perWindow/processes*processes, stats.Processed)
}

// A killed process leaves its slots and the lock to the others when its lease ends.
func testOthersGoOnAfterAProcessWasKilled(t *testing.T, program string) {
	t.Helper()
	const lease = 2 * time.Second
	server, emulator := startRedis(t), startSharedEmulator(t, salesiq.Plan{})
	do := task{Do: "hold", Redis: server.address, Key: tokenKey, Calls: 9, Lease: lease}
	holder := startWorkers(t, program, 1, &do, emulator.Environment())[0]
	do.Do, do.Calls, do.Callers = "call", 30, 10
	others := startWorkers(t, program, processes-1, &do, emulator.Environment())
	holder.begin()
	require.Equal(t, "holding", holder.line())
	killed := time.Now()
	require.NoError(t, holder.process.Process.Kill())
	require.Error(t, holder.process.Wait(), "it was killed")
	for _, w := range others {
		w.begin()
	}
	all := total(others)
	took := all.Ended.Sub(killed)
	stats := emulator.Stats()
	t.Logf("killed with SIGKILL while it held 9 of 10 slots and the lock: %d calls of the others done %s later, the lease being %s; %d failed, %d token requests",
		stats.Processed, took.Round(time.Millisecond), lease, len(all.Failures), stats.TokenRequests)
	assert.Empty(t, all.Failures)
	assert.Equal(t, 90, stats.Processed)
	assert.Equal(t, 1, stats.TokenRequests)
	assert.Greater(t, took, lease/2, "they had to wait for the lock")
	assert.Less(t, took, 2*lease)
}

func testProcessesShareOneToken(t *testing.T, program string) {
	t.Helper()
	server, emulator := startRedis(t), startSharedEmulator(t, salesiq.Plan{})
	store := salesiq.SealTokens(server.organization().TokenStore(), tokenKey)
	require.NoError(t, store.Save(t.Context(), salesiq.Token{
		AccessToken: salesiq.NewSecret("expired"), RefreshToken: emulator.Credentials().RefreshToken, Expiry: time.Now().Add(-time.Minute),
	}))
	workers := startWorkers(t, program, processes, &task{
		Do: "call", Redis: server.address, Key: tokenKey, Calls: 25, Callers: 25,
	}, emulator.Environment())
	for _, w := range workers {
		w.begin()
	}
	all := total(workers)
	stats := emulator.Stats()
	t.Logf("100 callers in %d processes, with an expired token: %d token requests, %d calls, %d failed", processes, stats.TokenRequests, stats.Processed, len(all.Failures))
	assert.Equal(t, 1, stats.TokenRequests)
	assert.Equal(t, 100, stats.Processed)
	assert.Empty(t, all.Failures)
	token, err := store.Load(t.Context())
	require.NoError(t, err)
	assert.True(t, token.Expiry.After(time.Now()))
}

func testNoEventIsLostWithAConsumer(t *testing.T, program string) {
	t.Helper()
	const events = 10_000
	server := startRedis(t)
	workers := startWorkers(t, program, 2, &task{
		Do: "handle", Redis: server.address, Callers: 10, Pause: time.Millisecond, Lease: time.Second, Timeout: time.Second,
	}, nil)
	sink, err := server.organization().Sink()
	require.NoError(t, err)
	var writers sync.WaitGroup
	wanted := make([]string, events)
	for w := range 10 {
		writers.Go(func() {
			for i := w; i < events; i += 10 {
				event, err := webhook.Parse([]byte(`{"event":"chat.started","data":{"chat_id":"chat` + strconv.Itoa(i) + `"}}`))
				assert.NoError(t, err)
				assert.NoError(t, sink.Enqueue(t.Context(), event))
				wanted[i] = event.Info().EventID
			}
		})
	}
	var (
		mu      sync.Mutex
		handled = map[string]int{}
		readers sync.WaitGroup
		before  int
	)
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(handled)
	}
	for _, w := range workers {
		w.begin()
		readers.Go(func() {
			for w.out.Scan() {
				mu.Lock()
				handled[w.out.Text()]++
				mu.Unlock()
			}
		})
	}
	require.Eventually(t, func() bool { return count() > events/4 }, patience, time.Millisecond)
	before = count()
	require.NoError(t, workers[0].process.Process.Kill())
	writers.Wait()
	assert.Eventually(t, func() bool { return count() >= events }, patience, 10*time.Millisecond)
	require.NoError(t, workers[1].process.Process.Signal(syscall.SIGTERM))
	readers.Wait()
	require.NoError(t, workers[1].process.Wait())
	_ = workers[0].process.Wait() // It was killed.
	lost, twice := 0, 0
	for _, id := range wanted {
		switch n := handled[id]; {
		case n == 0:
			lost++
		case n > 1:
			twice++
		}
	}
	left := server.client().XLen(t.Context(), "salesiq:{acme}:events").Val()
	t.Logf("%d events through the sink, one of two consumers killed after %d: %d lost, %d handled twice, %d left in the stream", events, before, lost, twice, left)
	assert.Zero(t, lost)
	assert.Zero(t, left)
	assert.LessOrEqual(t, twice, 10, "no more than were being handled")
}
