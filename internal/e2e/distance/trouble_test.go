package distance

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqredis"
)

// Whatever is gone from Redis, calls go on within seconds, and none fails.
func TestCallsGoOnWhateverRedisForgets(t *testing.T) {
	needsRedis(t)
	t.Parallel()
	do := func(args ...any) func(*testing.T, *deployment) {
		return func(t *testing.T, d *deployment) { assert.NoError(t, d.nodes[0].do(args...)) }
	}
	for name, c := range map[string]struct {
		args   []string // Of the server.
		forget func(t *testing.T, d *deployment)
	}{
		"everything":                      {nil, do("FLUSHALL")},
		"the line":                        {nil, do("DEL", "salesiq:{acme}:line")},
		"the leases":                      {nil, do("DEL", "salesiq:{acme}:leases")},
		"the account":                     {nil, do("DEL", "salesiq:{acme}:quota")},
		"what others have no room beside": {[]string{"--maxmemory", "4mb", "--maxmemory-policy", "allkeys-random"}, crowdOut},
		"the scripts":                     {nil, do("SCRIPT", "FLUSH")},
		"the connections":                 {nil, do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")},
		"the subscriptions":               {nil, do("CLIENT", "KILL", "TYPE", "pubsub")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := single(t, 0, c.args...)
			goOn(t, d, func() { c.forget(t, d) })
		})
	}
}

// crowdOut fills a server with keys of others.
func crowdOut(t *testing.T, d *deployment) {
	client := d.nodes[0].client()
	for i := range 500 {
		assert.NoError(t, client.Set(t.Context(), "other"+strconv.Itoa(i), make([]byte, 10_000), 0).Err())
	}
	evicted, err := client.InfoMap(t.Context(), "stats").Result()
	assert.NoError(t, err)
	assert.NotEqual(t, "0", evicted["Stats"]["evicted_keys"])
}

// goOn has three processes with ten callers each call, and something happen twice.
func goOn(t *testing.T, d *deployment, happen func()) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var made atomic.Int64
	var callers sync.WaitGroup
	for range 3 {
		organization, err := salesiqredis.New(d.client(), "acme", salesiqredis.WithMaxInFlight(5))
		require.NoError(t, err)
		for range 10 {
			callers.Go(func() {
				for ctx.Err() == nil {
					lease, err := organization.Limiter().Acquire(ctx)
					if err != nil {
						assert.ErrorIs(t, err, context.Canceled)
						return
					}
					time.Sleep(20 * time.Millisecond)
					lease.Done(salesiq.Outcome{StatusCode: 200, Sent: true})
					made.Add(1)
				}
			})
		}
	}
	for range 2 {
		time.Sleep(500 * time.Millisecond)
		happen()
		before := made.Load()
		// A first call of a window that was forgotten holds the others up for three seconds.
		assert.Eventually(t, func() bool { return made.Load() >= before+40 }, 8*time.Second, 10*time.Millisecond)
	}
	stop()
	callers.Wait()
}
