package salesiqredis

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// replicated is a Redis in memory that claims to have replicas, and how it was asked for them.
type replicated struct {
	*miniredis.Miniredis

	mu    sync.Mutex
	have  int
	waits [][]string
}

func startReplicated(t *testing.T, have int) *replicated {
	t.Helper()
	r := &replicated{Miniredis: miniredis.RunT(t), have: have}
	r.Server().SetPreHook(func(peer *server.Peer, command string, args ...string) bool {
		if command != "WAIT" {
			return false
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.waits = append(r.waits, args)
		peer.WriteInt(r.have)
		return true
	})
	return r
}

func (r *replicated) asked() [][]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waits
}

// clientOf returns a client that gives up at once.
func clientOf(t *testing.T, address string) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: address, MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	return client
}

func TestReplicasAreAskedAfterTheScript(t *testing.T) {
	t.Parallel()
	r := startReplicated(t, 2)
	evaler := newEvaler(clientOf(t, r.Addr())).(ReplicaWaiter)
	const script = "redis.call('SET', KEYS[1], ARGV[1]) return 'set'"
	for range 2 { // The server does not know the script at first.
		reply, have, err := evaler.EvalWait(t.Context(), script, []string{"key"}, []string{"value"}, 3, 1500*time.Millisecond)
		require.NoError(t, err)
		assert.Equal(t, "set", reply)
		assert.Equal(t, 2, have)
		value, err := r.Get("key")
		require.NoError(t, err)
		assert.Equal(t, "value", value)
		r.Del("key")
	}
	assert.Equal(t, [][]string{{"3", "1500"}, {"3", "1500"}, {"3", "1500"}}, r.asked())

	for _, fail := range []func(){func() { r.SetError("LOADING") }, r.Close} {
		fail()
		reply, have, err := evaler.EvalWait(t.Context(), script, []string{"key"}, []string{"value"}, 3, time.Second)
		require.Error(t, err)
		assert.Nil(t, reply)
		assert.Zero(t, have)
	}
}

func TestEventIsOnlyAcceptedWithItsReplicas(t *testing.T) {
	t.Parallel()
	r := startReplicated(t, 1)
	o, err := New(clientOf(t, r.Addr()), "acme", WithTimeout(4*time.Second))
	require.NoError(t, err)
	sink := sinkOf(t, o, WithReplicas(2))
	require.ErrorIs(t, sink.Enqueue(t.Context(), newEvent(t, 1)), ErrNotReplicated)
	r.mu.Lock()
	r.have = 2
	r.mu.Unlock()
	require.NoError(t, sink.Enqueue(t.Context(), newEvent(t, 1)))
	assert.Equal(t, []string{"2", "2000"}, r.asked()[0], "for half of the time")
}

func TestMasterThatIsNotFoundIsAnError(t *testing.T) {
	t.Parallel()
	reason := errors.New("no master")
	w := &goRedisWaiter{goRedisSubscriber{&goRedis{}, nil}, func(_ context.Context, key string) (*redis.Client, error) {
		assert.Equal(t, "key", key)
		return nil, reason
	}}
	reply, have, err := w.EvalWait(t.Context(), "", []string{"key"}, nil, 1, time.Second)
	require.ErrorIs(t, err, reason)
	assert.Nil(t, reply)
	assert.Zero(t, have)
}

func TestClientIsUsedForAllThatItCanDo(t *testing.T) {
	t.Parallel()
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}})
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"one": "127.0.0.1:1"}, HeartbeatFn: func(context.Context, *redis.Client) bool { return true }})
	t.Cleanup(func() { assert.NoError(t, errors.Join(cluster.Close(), ring.Close())) })
	client := clientOf(t, "127.0.0.1:1")
	for name, row := range map[string]struct {
		client         redis.Scripter
		hears, waits   bool
		looksForMaster bool
	}{
		"a server":   {client, true, true, false},
		"a cluster":  {cluster, true, true, true},
		"a ring":     {ring, true, false, false},
		"a pipeline": {client.Pipeline(), false, false, false},
		"a scripter": {struct{ redis.Scripter }{client}, false, false, false},
	} {
		evaler := newEvaler(row.client)
		_, hears := evaler.(Subscriber)
		assert.Equal(t, row.hears, hears, name)
		_, waits := evaler.(ReplicaWaiter)
		assert.Equal(t, row.waits, waits, name)
		if waiter, ok := evaler.(*goRedisWaiter); ok {
			assert.Equal(t, row.looksForMaster, waiter.unreachable != nil, name)
			assert.NotNil(t, waiter.master, name)
			assert.NotNil(t, waiter.ear, name)
		}
	}
	master, err := newEvaler(client).(*goRedisWaiter).master(t.Context(), "key")
	require.NoError(t, err)
	assert.Same(t, client, master)
}

// A cluster's client learns of a new master from an answer. Without an answer it has to look.
func TestMasterIsLookedForIfTheOldOneSaysNothing(t *testing.T) {
	t.Parallel()
	looks := 0
	g := &goRedis{unreachable: func(context.Context) { looks++ }}
	require.NoError(t, g.note(t.Context(), nil))
	require.ErrorIs(t, g.note(t.Context(), redis.Nil), redis.Nil)
	assert.Zero(t, looks)
	require.ErrorIs(t, g.note(t.Context(), io.EOF), io.EOF)
	assert.Equal(t, 1, looks)
	require.ErrorIs(t, (&goRedis{}).note(t.Context(), io.EOF), io.EOF)
}

func TestScriptIsHashedOnce(t *testing.T) {
	t.Parallel()
	g := &goRedis{}
	first := g.script("return 1")
	assert.Same(t, first, g.script("return 1"))
	assert.NotSame(t, first, g.script("return 2"))
}

func TestWhatIsPublishedIsHeardUntilTheEnd(t *testing.T) {
	t.Parallel()
	r := miniredis.RunT(t)
	evaler := newEvaler(clientOf(t, r.Addr())).(Subscriber)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	messages, ended := make(chan string, 10), make(chan error, 1)
	subscribe := func() {
		ended <- evaler.Subscribe(ctx, []string{"one", "two"}, func(message string) { messages <- message })
	}
	go subscribe()
	require.Empty(t, <-messages, "it listens to both")
	assert.Equal(t, map[string]int{"one": 1, "two": 1}, r.PubSubNumSub("one", "two"))
	r.Publish("two", "to two")
	r.Publish("three", "to three")
	r.Publish("one", "to one")
	assert.Equal(t, "to two", <-messages)
	assert.Equal(t, "to one", <-messages)
	cancel()
	require.Error(t, <-ended)
	require.Eventually(t, func() bool { return r.PubSubNumSub("one")["one"] == 0 }, patience, time.Millisecond)

	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	go subscribe()
	require.Empty(t, <-messages)
	r.Close()
	require.Error(t, <-ended, "its connection broke")
	assert.Empty(t, messages)
}
