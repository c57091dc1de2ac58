package distance

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/salesiqredis"
	"github.com/salesiq-go/salesiq/webhook"
)

// eventRow is a scenario of events. They are written while the servers are in
// trouble, delivered again as long as they are refused, and handled afterwards.
type eventRow struct {
	name     string
	deploy   func(t *testing.T, distance time.Duration, args ...string) *deployment
	args     []string // Of the servers.
	replicas int
	loses    bool // As documented.
	short    bool
	disturb  func(t *testing.T, d *deployment)
}

func eventRows() []eventRow {
	aof := func(fsync string) []string { return []string{"--appendonly", "yes", "--appendfsync", fsync} }
	return []eventRow{
		{name: "single, killed, no AOF", deploy: single, loses: true, disturb: killAndRestart},
		{name: "single, killed, AOF everysec", deploy: single, args: aof("everysec"), disturb: killAndRestart, short: true},
		{name: "single, killed, AOF always", deploy: single, args: aof("always"), disturb: killAndRestart},
		{name: "single, stopped for 2 s", deploy: single, disturb: stall(2 * time.Second), short: true},
		{name: "sentinel, replica lags, master killed", deploy: replicated, loses: true, disturb: failOverLate},
		{name: "sentinel, the same, WithReplicas(1)", deploy: replicated, replicas: 1, disturb: failOverLate, short: true},
		{name: "sentinel, master killed", deploy: replicated, loses: true, disturb: killMaster},
		{name: "cluster, replica lags, master killed", deploy: cluster, loses: true, disturb: failOverLate},
		{name: "cluster, the same, WithReplicas(1)", deploy: cluster, replicas: 1, disturb: failOverLate},
		{name: "cluster, failover asked for", deploy: cluster, disturb: askForFailover},
	}
}

func killAndRestart(_ *testing.T, d *deployment) {
	d.nodes[0].kill()
	d.nodes[0].start()
}

// failOverLate lets a replica take over that has not heard the last of its master.
func failOverLate(t *testing.T, d *deployment) {
	replica := d.nodes[1]
	if len(d.nodes) > 2 {
		if replica = d.replicaOf(); !assert.NotNil(t, replica) {
			return
		}
	}
	replica.signal(syscall.SIGSTOP)
	time.Sleep(500 * time.Millisecond)
	d.nodes[0].kill()
	replica.signal(syscall.SIGCONT)
	client := replica.client()
	assert.Eventually(t, func() bool {
		role, err := client.Do(t.Context(), "ROLE").Slice()
		return err == nil && role[0] == "master"
	}, patience, 50*time.Millisecond)
	d.nodes[0].start() // As a replica of the other.
}

// TestTableOfEvents writes events through servers in trouble.
func TestTableOfEvents(t *testing.T) {
	rows := eventRows()
	table := make([]trial, len(rows))
	for i := range rows {
		table[i] = trial{rows[i].name, rows[i].short, rows[i].run}
	}
	tabulate(t, "| scenario | accepted | refused, and delivered again | lost | twice |\n| --- | ---: | ---: | ---: | ---: |\n", table)
}

func (r *eventRow) run(t *testing.T) string {
	t.Helper()
	const events, writers = 2000, 10
	d := r.deploy(t, 0, r.args...)
	organization, err := salesiqredis.New(d.client(), "acme")
	require.NoError(t, err)
	sink, err := organization.Sink(salesiqredis.WithReplicas(r.replicas), salesiqredis.WithHandlerTimeout(5*time.Second))
	require.NoError(t, err)
	var (
		mu       sync.Mutex
		accepted []string
		refused  int
		writing  sync.WaitGroup
	)
	for w := range writers {
		writing.Go(func() {
			for i := w; i < events; i += writers {
				event := newEvent(t, i)
				failures := deliver(t, sink, event)
				mu.Lock()
				accepted, refused = append(accepted, event.Info().EventID), refused+failures
				mu.Unlock()
				time.Sleep(5 * time.Millisecond) // A second for all, beside the trouble.
			}
		})
	}
	time.Sleep(300 * time.Millisecond)
	r.disturb(t, d)
	writing.Wait()
	handled := drain(t, sink, organization)
	lost, twice := 0, 0
	for _, id := range accepted {
		switch n := handled[id]; {
		case n == 0:
			lost++
		case n > 1:
			twice++
		}
	}
	assert.Len(t, accepted, events)
	assert.Zero(t, twice)
	if !r.loses {
		assert.Zero(t, lost)
	}
	return fmt.Sprintf("| %s | %d | %d | %d | %d |", r.name, len(accepted), refused, lost, twice)
}

func newEvent(t *testing.T, n int) webhook.Event {
	event, err := webhook.Parse(fmt.Appendf(nil, `{"event":"chat.started","data":{"chat_id":"chat%d"}}`, n))
	assert.NoError(t, err)
	return event
}

// deliver delivers an event as often as it takes, and returns how often it was
// refused.
func deliver(t *testing.T, sink *salesiqredis.Sink, event webhook.Event) (refused int) {
	for latest := time.Now().Add(patience); ; refused++ {
		err := sink.Enqueue(t.Context(), event)
		if err == nil || t.Failed() || !assert.Less(t, time.Now(), latest, "%v", err) {
			return refused
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// drain handles all events, and returns how often each was.
func drain(t *testing.T, sink *salesiqredis.Sink, organization *salesiqredis.Organization) map[string]int {
	t.Helper()
	var mu sync.Mutex
	handled := map[string]int{}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		assert.ErrorIs(t, sink.Run(ctx, func(_ context.Context, event webhook.Event) error {
			mu.Lock()
			defer mu.Unlock()
			handled[event.Info().EventID]++
			return nil
		}), context.Canceled)
	})
	require.Eventually(t, func() bool { h := organization.Health(t.Context()); return h.EventsKnown && h.Backlog == 0 }, patience, 50*time.Millisecond)
	stop()
	running.Wait()
	return handled
}

// A Redis that takes no events is emptied as fast as any.
func TestFullRedisIsEmptied(t *testing.T) {
	needsRedis(t)
	t.Parallel()
	d := single(t, 0)
	organization, err := salesiqredis.New(d.client(), "acme", salesiqredis.WithEventMemory(time.Minute))
	require.NoError(t, err)
	sink, err := organization.Sink()
	require.NoError(t, err)
	const events = 3000
	for i := range events {
		require.NoError(t, sink.Enqueue(t.Context(), newEvent(t, i)))
	}
	require.NoError(t, d.nodes[0].do("CONFIG", "SET", "maxmemory", "1"))
	require.ErrorIs(t, sink.Enqueue(t.Context(), newEvent(t, events)), salesiqredis.ErrAway)
	ctx, stop := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	defer writing.Wait()
	defer stop()
	writing.Go(func() { // The service delivers on.
		for i := events; ctx.Err() == nil; i++ {
			err := sink.Enqueue(ctx, newEvent(t, i))
			assert.True(t, errors.Is(err, salesiqredis.ErrAway) || ctx.Err() != nil, err)
			time.Sleep(time.Millisecond)
		}
	})
	began := time.Now()
	handled := drain(t, sink, organization)
	took := time.Since(began)
	t.Logf("%d events of a full Redis handled in %s", len(handled), took.Round(time.Millisecond))
	assert.Len(t, handled, events)
	assert.Less(t, took, 20*time.Second)
	var names []string
	for _, f := range organization.Health(t.Context()).Failures {
		names = append(names, f.Use)
	}
	assert.Contains(t, names, "stream write")
	assert.NotContains(t, names, "stream read")
	assert.NotContains(t, names, "stream acknowledge")
}
