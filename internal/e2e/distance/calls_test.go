// Package distance tries package salesiqredis on real servers that are far away,
// crowded, full and failing over, and prints what came of it. Where there is no
// redis-server, tests are skipped, and say so.
//
//	go test ./distance -run Table -v -long    # all rows, in some ten minutes
package distance

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/salesiqredis"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

var long = flag.Bool("long", false, "try everything, for long enough to judge it")

const (
	// window is what the emulator calls a minute.
	window = 3 * time.Second
	// atOnce is how many calls the service takes at once.
	atOnce = 10
)

var tokenKey = bytes.Repeat([]byte("k"), 32)

// row is a scenario of calls.
type row struct {
	name      string
	deploy    func(t *testing.T, distance time.Duration, args ...string) *deployment
	args      []string // Of the servers.
	distance  time.Duration
	processes int
	callers   int
	windows   int
	limit     int           // Calls in a window; 0 for none.
	took      time.Duration // A call, where calls at once are what is scarce.
	goal      float64       // Of the time beside the optimum; 0 for none.
	short     bool          // It is tried in every run.
	disturb   func(t *testing.T, d *deployment)
}

func rows() []row {
	var all []row
	for _, ms := range []int64{0, 5, 20, 40, 80} {
		goal := 1.05
		if ms > 20 {
			goal = 1.15
		}
		all = append(all, row{
			name: fmt.Sprintf("single, %d ms away", ms), deploy: single, distance: time.Duration(ms * int64(time.Millisecond)),
			processes: 4, callers: 10, limit: 50, goal: goal, short: ms == 20 || ms == 80,
		})
	}
	return append(all,
		row{name: "30 processes", deploy: single, processes: 30, callers: 3, limit: 50, goal: 1.05},
		row{name: "30 processes, 20 ms away", deploy: single, distance: 20 * time.Millisecond, processes: 30, callers: 3, limit: 50, goal: 1.05, short: true},
		row{name: "500 processes", deploy: single, processes: 500, callers: 1, limit: 100, goal: 1.05},
		row{name: "slots, 4 processes", deploy: single, processes: 4, callers: 10, took: 100 * time.Millisecond, goal: 1.05},
		row{name: "slots, 30 processes", deploy: single, processes: 30, callers: 4, took: 100 * time.Millisecond, goal: 1.05, short: true},
		row{name: "slots, 4 processes, 20 ms away", deploy: single, distance: 20 * time.Millisecond, processes: 4, callers: 10, took: 100 * time.Millisecond, goal: 1.05},
		row{name: "slots, 30 processes, 80 ms away", deploy: single, distance: 80 * time.Millisecond, processes: 30, callers: 4, took: 100 * time.Millisecond, goal: 1.15},
		row{name: "cluster, 5 ms away", deploy: cluster, distance: 5 * time.Millisecond, processes: 4, callers: 10, limit: 50, goal: 1.05},
		row{name: "cluster, failover asked for", deploy: cluster, processes: 4, callers: 10, limit: 50, short: true, disturb: askForFailover},
		row{name: "cluster, master killed", deploy: cluster, processes: 4, callers: 10, limit: 50, disturb: killMaster},
		row{name: "sentinel, master killed", deploy: replicated, processes: 4, callers: 10, limit: 50, short: true, disturb: killMaster},
		row{name: "stopped for 1 s", deploy: single, processes: 4, callers: 10, limit: 50, short: true, disturb: stall(time.Second)},
		row{name: "stopped for 3 s, 20 ms away", deploy: single, distance: 20 * time.Millisecond, processes: 4, callers: 10, limit: 50, disturb: stall(3 * time.Second)},
		row{name: "killed, empty after 3 s", deploy: single, processes: 4, callers: 10, limit: 50, disturb: restart},
		row{name: "full for 4 s", deploy: single, processes: 4, callers: 10, limit: 50, short: true, disturb: fill(4 * time.Second)},
		row{name: "read-only for 4 s", deploy: single, processes: 4, callers: 10, limit: 50, disturb: readOnly(4 * time.Second)},
		row{name: "SCRIPT FLUSH each 100 ms", deploy: single, processes: 4, callers: 10, limit: 50, disturb: flushScripts},
	)
}

func stall(d time.Duration) func(*testing.T, *deployment) {
	return func(_ *testing.T, d2 *deployment) { d2.nodes[0].stall(d) }
}

func killMaster(_ *testing.T, d *deployment) { d.nodes[0].kill() }

func restart(_ *testing.T, d *deployment) {
	d.nodes[0].kill()
	time.Sleep(3 * time.Second)
	d.nodes[0].start()
}

func askForFailover(t *testing.T, d *deployment) {
	replica := d.replicaOf()
	if assert.NotNil(t, replica) {
		assert.NoError(t, replica.do("CLUSTER", "FAILOVER"))
	}
}

func fill(d time.Duration) func(*testing.T, *deployment) {
	return func(t *testing.T, where *deployment) {
		assert.NoError(t, where.nodes[0].do("CONFIG", "SET", "maxmemory", "1"))
		time.Sleep(d)
		assert.NoError(t, where.nodes[0].do("CONFIG", "SET", "maxmemory", "0"))
	}
}

func readOnly(d time.Duration) func(*testing.T, *deployment) {
	return func(t *testing.T, where *deployment) {
		assert.NoError(t, where.nodes[0].do("REPLICAOF", "127.0.0.1", "1"))
		time.Sleep(d)
		assert.NoError(t, where.nodes[0].do("REPLICAOF", "NO", "ONE"))
	}
}

func flushScripts(t *testing.T, d *deployment) {
	client := d.nodes[0].client()
	for range 40 {
		assert.NoError(t, client.ScriptFlush(t.Context()).Err())
		time.Sleep(100 * time.Millisecond)
	}
}

// result is a line of the table.
type result struct {
	row

	calls, failed, refused int
	ratio                  float64
	least, most            int64
	longest, queue         time.Duration
	trips                  float64
	peak, tokens           int
}

func (r *result) String() string {
	var missed []string
	miss := func(is bool, what string) {
		if is {
			missed = append(missed, what)
		}
	}
	equal := float64(r.calls) / float64(r.processes)
	judged := r.goal > 0 && *long // Three windows are mostly beginning and end.
	miss(r.failed > 0, "failed")
	miss(judged && r.ratio > r.goal, "time")
	miss(judged && equal >= 10 && (float64(r.least) < 0.8*equal || float64(r.most) > 1.2*equal), "shares")
	miss(r.trips > 2.5, "round trips")
	miss(r.goal > 0 && r.longest > 2*r.queue, "longest wait")
	return fmt.Sprintf("| %s | %d×%d | %d | %d | %d | %.3f | %d–%d | %.1f s / %.1f s | %.2f | %d | %d | %s |",
		r.name, r.processes, r.callers, r.calls, r.failed, r.refused, r.ratio, r.least, r.most,
		r.longest.Seconds(), r.queue.Seconds(), r.trips, r.peak, r.tokens, strings.Join(missed, ", "))
}

// TestTableOfCalls makes calls through servers in trouble. No call fails.
func TestTableOfCalls(t *testing.T) {
	rows := rows()
	table := make([]trial, len(rows))
	for i := range rows {
		r := rows[i]
		table[i] = trial{r.name, r.short, func(t *testing.T) string {
			t.Helper()
			result := r.run(t)
			assert.Zero(t, result.failed)
			assert.LessOrEqual(t, result.tokens, 1)
			assert.Positive(t, result.trips)
			assert.LessOrEqual(t, result.trips, 3.5, "in a short run there is much beginning and end")
			return result.String()
		}}
	}
	tabulate(t, "| scenario | processes | calls | failed | 429s | of the optimum | per process | longest wait, of one queue | round trips | peak | tokens | missed |\n"+
		"| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n", table)
}

// trial is a row of a table.
type trial struct {
	name  string
	short bool // It is tried in every run.
	run   func(t *testing.T) (line string)
}

// tabulate tries rows, all at once unless they are measured, and shows their lines.
func tabulate(t *testing.T, head string, trials []trial) {
	t.Helper()
	needsRedis(t)
	if !*long {
		t.Parallel()
	}
	var mu sync.Mutex
	var table []string
	var running sync.WaitGroup
	for _, row := range trials {
		if !*long && !row.short {
			continue
		}
		running.Go(func() {
			t.Run(row.name, func(t *testing.T) {
				line := row.run(t)
				mu.Lock()
				defer mu.Unlock()
				table = append(table, line)
			})
		})
		if *long {
			running.Wait() // The others would be in the way.
		}
	}
	running.Wait()
	t.Log("\n" + head + strings.Join(table, "\n"))
}

func needsRedis(t *testing.T) {
	t.Helper()
	if testkit.RaceEnabled {
		t.Skip("its figures are not those of a service that the race detector slows down")
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("no redis-server on this machine: nothing is tried on real servers (Debian's package is called redis-server)")
	}
}

// process is one of those that share the quota.
type process struct {
	client *salesiq.Client
	made   atomic.Int64
}

// tripCounter counts the limiter's scripts, whose first key is the quota.
type tripCounter struct{ trips atomic.Int64 }

func (c *tripCounter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *tripCounter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (c *tripCounter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if args := cmd.Args(); len(args) > 3 && strings.HasPrefix(cmd.Name(), "eval") && strings.HasSuffix(fmt.Sprint(args[3]), ":quota") {
			c.trips.Add(1)
		}
		return next(ctx, cmd)
	}
}

// plan returns the limit of the service, and how many calls are made.
func (r *row) plan() (plan salesiq.Plan, calls int) {
	if r.windows = 10; !*long {
		r.windows = 3
	}
	if r.took > 0 {
		return salesiq.Plan{}, int(time.Duration(r.windows*atOnce) * window / r.took / 2)
	}
	// The last window is used by half, so that one call more or less is not one window
	// more or less.
	return salesiq.Plan{CallsPerMinute: r.limit}, (r.windows-1)*r.limit + r.limit/2
}

func (r *row) run(t *testing.T) *result {
	t.Helper()
	plan, calls := r.plan()
	emulator := r.emulate(t, plan)
	d := r.deploy(t, r.distance, r.args...)
	counter := &tripCounter{}
	processes := r.join(t, d, emulator, counter)
	if r.disturb != nil {
		var disturbance sync.WaitGroup
		defer disturbance.Wait()
		disturbance.Go(func() {
			time.Sleep(2 * window) // There is a moment before the first window.
			r.disturb(t, d)
		})
	}
	var yardstick func() (took, longest time.Duration)
	if r.took > 0 {
		yardstick = r.startAlone(t, r.emulate(t, plan), calls)
	}
	first := atWindow()
	began := time.Now()
	failed, longest := r.call(t, processes, calls)
	ended := time.Now()
	stats := emulator.Stats()
	result := &result{
		row: *r, calls: calls, failed: failed, refused: stats.Refused[salesiq.ErrRateLimitExceeded],
		longest: longest, trips: float64(counter.trips.Load()) / float64(calls),
		peak: stats.InFlightPeak, tokens: stats.TokensIssued, least: processes[0].made.Load(),
	}
	for _, p := range processes {
		result.least, result.most = min(result.least, p.made.Load()), max(result.most, p.made.Load())
	}
	all := r.processes * r.callers
	if r.took > 0 {
		// What one process takes for them, where a slot changes hands by a round trip.
		took, longest := yardstick()
		turns := r.distance * time.Duration(calls/atOnce)
		result.ratio = float64(ended.Sub(began)) / float64(took+turns)
		result.queue = longest + turns/time.Duration(calls)*time.Duration(all)
	} else {
		// That of someone who knows when each window begins, and whose calls take no time.
		result.ratio = float64(ended.Sub(began)) / float64(first.Add(time.Duration(r.windows-1)*window).Sub(began))
		result.queue = window * time.Duration((all+r.limit-1)/r.limit)
	}
	return result
}

// call makes calls, as fast as all callers can.
func (r *row) call(t *testing.T, processes []*process, calls int) (failures int, longest time.Duration) {
	t.Helper()
	var left atomic.Int64
	left.Store(int64(calls))
	var mu sync.Mutex
	var callers sync.WaitGroup
	for _, p := range processes {
		for range r.callers {
			callers.Go(func() {
				for left.Add(-1) >= 0 {
					asked := time.Now()
					_, err := p.client.Chats.List(t.Context(), nil)
					took := time.Since(asked)
					p.made.Add(1)
					mu.Lock()
					longest = max(longest, took)
					if err != nil {
						if failures++; failures <= 3 {
							t.Log("failed:", err)
						}
					}
					mu.Unlock()
				}
			})
		}
	}
	callers.Wait()
	return failures, longest
}

// startAlone has a single process with a limiter of its own make as many calls of as
// many callers, at the same time, since the machine is as busy then. It returns how
// long that took, and how long the callers waited at most.
func (r *row) startAlone(t *testing.T, emulator *salesiqtest.Server, calls int) (yardstick func() (took, longest time.Duration)) {
	t.Helper()
	client := emulator.Client(t, salesiq.WithMaxInFlight(atOnce), salesiq.WithMaxWait(time.Hour))
	_, err := client.Chats.List(t.Context(), nil) // It has a token then.
	require.NoError(t, err)
	one := *r
	one.callers = r.processes * r.callers
	var took, longest time.Duration
	var running sync.WaitGroup
	running.Go(func() {
		began := atWindow()
		_, longest = one.call(t, []*process{{client: client}}, calls)
		took = time.Since(began)
	})
	return func() (time.Duration, time.Duration) { running.Wait(); return took, longest }
}

// emulate starts the service.
func (r *row) emulate(t *testing.T, plan salesiq.Plan) *salesiqtest.Server {
	t.Helper()
	emulator := salesiqtest.Start(t, salesiqtest.WithPlan(plan), salesiqtest.WithWindow(salesiqtest.AlignedWindow, window))
	if r.took > 0 {
		require.NoError(t, emulator.Inject(salesiqtest.Fault{Path: "/api", Latency: r.took, Times: 1_000_000}))
	}
	return emulator
}

// join starts the processes. The token is in Redis already.
func (r *row) join(t *testing.T, d *deployment, emulator *salesiqtest.Server, counter *tripCounter) []*process {
	t.Helper()
	web := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DialContext: (&net.Dialer{}).DialContext}}
	t.Cleanup(web.CloseIdleConnections)
	processes := make([]*process, r.processes)
	for i := range processes {
		client := d.client()
		client.AddHook(counter)
		organization, err := salesiqredis.New(client, "acme", salesiqredis.WithMaxWait(time.Hour), salesiqredis.WithProcesses(r.processes))
		require.NoError(t, err)
		options := append(emulator.Options(), salesiq.WithLimiter(organization.Limiter()), salesiq.WithHTTPClient(web))
		made, err := salesiq.NewClient(salesiq.RefreshToken(emulator.Credentials(), salesiq.SealTokens(organization.TokenStore(), tokenKey)), options...)
		require.NoError(t, err)
		processes[i] = &process{client: made}
	}
	_, err := processes[0].client.Chats.List(t.Context(), nil) // Since then, the token is in Redis.
	require.NoError(t, err)
	counter.trips.Store(0)
	return processes
}

// atWindow returns the begin of the emulator's next window, once it is there.
func atWindow() time.Time {
	<-time.After(time.Until(time.Now().Truncate(window).Add(window)))
	return time.Now().Truncate(window)
}

func TestMain(m *testing.M) {
	redis.SetLogger(silence{}) // That Redis is away is part of the tests.
	m.Run()
}

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}
