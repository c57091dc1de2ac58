package salesiq_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

var (
	soakTime = flag.Duration("soak", 4*time.Second, "how long TestSoak runs")
	soakSeed = flag.Uint64("soakseed", 0, "the seed of TestSoak; random by default")
)

const (
	soakCallers = 50
	soakRound   = 5 * time.Second
	soakRefresh = 80 * time.Second // Between revocations; ten tokens in ten minutes are all there are.
)

// soakPlan is far below what the callers want.
var soakPlan = salesiq.Plan{CallsPerMinute: 400}

// soakFaults befall every sixth call or so.
var soakFaults = []salesiqtest.Fault{
	{Path: "/api/", Probability: 0.02, Effect: salesiqtest.ResetConnection},
	{Path: "/api/", Probability: 0.02, Effect: salesiqtest.ResetConnection, Processed: true},
	{Path: "/api/", Probability: 0.02, Effect: salesiqtest.CutBody},
	{Method: "POST", Probability: 0.02, Effect: salesiqtest.TrickleBody, Pause: 100 * time.Microsecond},
	{Path: "/api/", Probability: 0.02, Effect: salesiqtest.HTMLPage},
	{Path: "/api/", Probability: 0.02, Effect: salesiqtest.HTMLPage, Status: 200, Processed: true},
	{Path: "/api/", Probability: 0.02, Effect: salesiqtest.EmptyBody, Processed: true},
	{Path: "/api/", Probability: 0.02, Status: 503},
	{Path: "/api/", Probability: 0.02, Status: 500, Processed: true},
	{Path: "/api/", Probability: 0.02, Latency: 20 * time.Millisecond},
}

// TestSoak makes random calls under random faults, and checks what must hold
// whatever happens. Run it for longer with -soak 10m.
func TestSoak(t *testing.T) { // Not parallel: it measures memory and goroutines.
	seed := *soakSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-soakseed %d", seed)
	s := salesiqtest.Start(t, salesiqtest.WithPlan(soakPlan), salesiqtest.WithWindow(salesiqtest.AlignedWindow, time.Second), salesiqtest.WithSeed(seed))
	k := &soak{
		server: s,
		client: s.Client(t),
		random: rand.New(rand.NewPCG(seed, seed)),
	}
	var before footprint
	for end := time.Now().Add(*soakTime); time.Now().Before(end); {
		k.round(t, min(soakRound, time.Until(end)))
		if before == (footprint{}) {
			before = measure()
		}
	}
	after := measure()
	t.Logf("%d calls, %d failed, %d tokens; %d → %d KB, %d → %d goroutines",
		k.calls, k.failures, k.tokens, before.heap>>10, after.heap>>10, before.goroutines, after.goroutines)
	assert.Less(t, after.heap, 2*before.heap+8<<20, "memory stays flat")
	assert.LessOrEqual(t, after.goroutines, before.goroutines+20, "so do goroutines")
}

type footprint struct {
	heap       uint64
	goroutines int
}

func measure() footprint {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return footprint{m.HeapAlloc, runtime.NumGoroutine()}
}

type soak struct {
	server  *salesiqtest.Server
	client  *salesiq.Client
	tokens  int       // Requested so far.
	revoked time.Time // When all tokens were revoked last.

	mu       sync.Mutex // Guards what follows.
	random   *rand.Rand
	outcomes map[string]error // Of the messages, by text.
	calls    int
	failures int
}

// round makes calls for a while and then compares what they came to with what
// the server did.
func (k *soak) round(t *testing.T, length time.Duration) {
	t.Helper()
	require.NoError(t, k.server.Inject(soakFaults...))
	k.outcomes = map[string]error{}
	end := time.Now().Add(length)
	var callers sync.WaitGroup
	for range soakCallers {
		callers.Go(func() {
			for time.Now().Before(end) {
				k.call(t.Context())
			}
		})
	}
	expiries := 0
	if k.revoked.IsZero() {
		expiries++ // The first token has to be had, too.
	}
	if time.Since(k.revoked) > soakRefresh {
		time.Sleep(length / 2)
		k.revoked = time.Now()
		k.server.RevokeTokens()
		expiries++
	}
	callers.Wait()

	stats := k.server.Stats()
	k.tokens += expiries
	assert.Equal(t, expiries, stats.TokensIssued, "one refresh per expiry")
	assert.LessOrEqual(t, stats.InFlightPeak, 10)
	assert.Zero(t, stats.Refused[salesiq.ErrRateLimitExceeded], "never over the plan")
	assert.Positive(t, stats.Faults)
	k.compare(t)
	k.server.Reset()
}

// compare checks that each message was processed as often as its caller was
// told.
func (k *soak) compare(t *testing.T) {
	t.Helper()
	times := map[string]int{}
	for _, write := range k.server.Journal() {
		if write.Method == http.MethodPost {
			times[write.Body]++
		}
	}
	require.Less(t, len(times), 9000, "the journal has forgotten some")
	for text, err := range k.outcomes {
		n := times[fmt.Sprintf(`{"message":%q,"type":"text"}`, text)]
		switch failure, _ := err.(*salesiq.Error); { //nolint:errorlint // Calls return nothing else.
		case err == nil:
			assert.Equal(t, 1, n, "%s succeeded", text)
		case failure.MaybeProcessed:
			assert.LessOrEqual(t, n, 1, "%s: %v", text, err)
		default:
			assert.Zero(t, n, "%s: %v", text, err)
		}
	}
}

// call makes one random call.
func (k *soak) call(ctx context.Context) {
	k.mu.Lock()
	k.calls++
	kind, text := k.random.IntN(4), fmt.Sprintf("message %d", k.calls)
	k.mu.Unlock()
	var err error
	switch kind {
	case 0:
		_, err = k.client.Chats.SendMessage(ctx, "chat123", salesiq.TextMessage(text))
	case 1:
		_, err = k.client.Chats.List(ctx, nil)
	case 2:
		_, err = k.client.Chats.Get(ctx, "chat123")
	case 3:
		_, err = k.client.Operators.List(ctx, nil)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.failures++
	}
	if kind == 0 {
		k.outcomes[text] = err
	}
}
