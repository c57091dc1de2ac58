package distance

import (
	"context"
	"fmt"
	"net"
	"os"
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
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// node is a redis-server, or a sentinel.
type node struct {
	t       *testing.T
	address string
	args    []string
	folder  string
	process *exec.Cmd
}

func startNode(t *testing.T, args ...string) *node {
	t.Helper()
	n := &node{t: t, address: freeAddress(t), args: args, folder: t.TempDir()}
	n.start()
	t.Cleanup(n.kill)
	return n
}

// freeAddress returns one whose port is low enough for the bus of a cluster.
func freeAddress(t *testing.T) string {
	t.Helper()
	for {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		port := listener.Addr().(*net.TCPAddr).Port
		require.NoError(t, listener.Close())
		if port < 55_000 {
			return listener.Addr().String()
		}
	}
}

func (n *node) port() string {
	_, port, _ := net.SplitHostPort(n.address)
	return port
}

func (n *node) start() {
	n.t.Helper()
	args := append([]string{"--port", n.port(), "--bind", "127.0.0.1", "--save", "", "--dir", n.folder}, n.args...)
	n.process = exec.CommandContext(context.WithoutCancel(n.t.Context()), "redis-server", args...)
	require.NoError(n.t, n.process.Start())
	n.awaitReady()
}

func (n *node) awaitReady() {
	n.t.Helper()
	client := n.client()
	require.Eventually(n.t, func() bool { return client.Ping(n.t.Context()).Err() == nil }, patience, 20*time.Millisecond)
}

// kill ends it as a power failure of the process would.
func (n *node) kill() {
	if n.process.ProcessState == nil {
		_ = n.process.Process.Kill() // It may have ended.
		_ = n.process.Wait()         // It was killed.
	}
}

func (n *node) signal(s syscall.Signal) { assert.NoError(n.t, n.process.Process.Signal(s)) }

// stall stops it for a while.
func (n *node) stall(d time.Duration) {
	n.signal(syscall.SIGSTOP)
	time.Sleep(d)
	n.signal(syscall.SIGCONT)
}

// client returns one that is near.
func (n *node) client() *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: n.address, MaxRetries: -1})
	n.t.Cleanup(func() { _ = client.Close() }) // It may be closed already.
	return client
}

func (n *node) do(args ...any) error { return n.client().Do(n.t.Context(), args...).Err() }

// deployment is what clients are made for.
type deployment struct {
	t      *testing.T
	nodes  []*node // The master comes first.
	relays *relays
	dial   func(d *deployment) redis.UniversalClient
}

// client returns one that is as far away as the deployment is.
func (d *deployment) client() redis.UniversalClient {
	client := d.dial(d)
	d.t.Cleanup(func() { _ = client.Close() }) // It may be closed already.
	return client
}

func single(t *testing.T, distance time.Duration, args ...string) *deployment {
	t.Helper()
	return &deployment{t: t, nodes: []*node{startNode(t, args...)}, relays: newRelays(t, distance), dial: func(d *deployment) redis.UniversalClient {
		return redis.NewClient(&redis.Options{Addr: d.nodes[0].address, Dialer: d.relays.dial, MaxRetries: -1, DialerRetries: 1, PoolSize: 20})
	}}
}

// replicated is a master with a replica, and three sentinels.
func replicated(t *testing.T, distance time.Duration, args ...string) *deployment {
	t.Helper()
	master := startNode(t, args...)
	replica := startNode(t, append(args, "--replicaof", "127.0.0.1", master.port())...)
	replicas := replica.client()
	require.Eventually(t, func() bool {
		role, err := replicas.Do(t.Context(), "ROLE").Slice()
		return err == nil && len(role) > 3 && role[3] == "connected"
	}, patience, 20*time.Millisecond)
	var sentinels []string
	for range 3 {
		config := filepath.Join(t.TempDir(), "sentinel.conf")
		text := fmt.Sprintf("sentinel monitor acme 127.0.0.1 %s 2\nsentinel down-after-milliseconds acme 1000\nsentinel failover-timeout acme 5000\n", master.port())
		require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
		sentinels = append(sentinels, startSentinel(t, config).address)
	}
	sentinel := redis.NewSentinelClient(&redis.Options{Addr: sentinels[0]})
	t.Cleanup(func() { _ = sentinel.Close() })
	require.Eventually(t, func() bool {
		found, err := sentinel.Sentinels(t.Context(), "acme").Result()
		knows, also := sentinel.Replicas(t.Context(), "acme").Result()
		return err == nil && also == nil && len(found) == 2 && len(knows) == 1
	}, patience, 50*time.Millisecond)
	return &deployment{t: t, nodes: []*node{master, replica}, relays: newRelays(t, distance), dial: func(d *deployment) redis.UniversalClient {
		return redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "acme", SentinelAddrs: sentinels, Dialer: d.relays.dial, MaxRetries: -1, DialerRetries: 1, PoolSize: 20})
	}}
}

func startSentinel(t *testing.T, config string) *node {
	t.Helper()
	n := &node{t: t, address: freeAddress(t), folder: t.TempDir()}
	n.process = exec.CommandContext(context.WithoutCancel(t.Context()), "redis-server", config, "--sentinel", "--port", n.port(), "--dir", n.folder)
	require.NoError(t, n.process.Start())
	t.Cleanup(n.kill)
	n.awaitReady()
	return n
}

// cluster has three masters with a replica each. The first node is the master of
// the organization.
func cluster(t *testing.T, distance time.Duration, args ...string) *deployment {
	t.Helper()
	args = append(args, "--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
	d := &deployment{t: t, relays: newRelays(t, distance)}
	create := []string{"--cluster", "create"}
	for range 6 {
		n := startNode(t, args...)
		d.nodes, create = append(d.nodes, n), append(create, n.address)
	}
	create = append(create, "--cluster-replicas", "1", "--cluster-yes")
	said, err := exec.CommandContext(t.Context(), "redis-cli", create...).CombinedOutput()
	require.NoError(t, err, string(said))
	d.dial = func(d *deployment) redis.UniversalClient {
		var all []string
		for _, n := range d.nodes {
			all = append(all, n.address)
		}
		return redis.NewClusterClient(&redis.ClusterOptions{Addrs: all, Dialer: d.relays.dial, DialerRetries: 1, MaxRedirects: 3, PoolSize: 20})
	}
	client := d.client().(*redis.ClusterClient)
	key := "salesiq:{acme}:quota"
	require.Eventually(t, func() bool { return client.Set(t.Context(), key, "x", 0).Err() == nil && allKnow(t, d) }, patience, 50*time.Millisecond)
	require.NoError(t, client.Del(t.Context(), key).Err())
	master, err := client.MasterForKey(t.Context(), key)
	require.NoError(t, err)
	for i, n := range d.nodes {
		if n.address == master.Options().Addr {
			d.nodes[0], d.nodes[i] = d.nodes[i], d.nodes[0]
		}
	}
	return d
}

// allKnow reports whether every replica has found its master.
func allKnow(t *testing.T, d *deployment) bool {
	for _, n := range d.nodes {
		role, err := n.client().Do(t.Context(), "ROLE").Slice()
		if err != nil || len(role) > 3 && role[0] == "slave" && role[3] != "connected" {
			return false
		}
	}
	return true
}

// replicaOf returns the node that follows the first one.
func (d *deployment) replicaOf() *node {
	for _, n := range d.nodes[1:] {
		role, err := n.client().Do(d.t.Context(), "ROLE").Slice()
		if err == nil && len(role) > 3 && role[0] == "slave" && strconv.Itoa(int(role[2].(int64))) == d.nodes[0].port() {
			return n
		}
	}
	return nil
}

// relays pass on what is said to servers, later.
type relays struct {
	t        *testing.T
	distance time.Duration // A round trip.

	mu        sync.Mutex
	addresses map[string]string
}

func newRelays(t *testing.T, distance time.Duration) *relays {
	return &relays{t: t, distance: distance, addresses: map[string]string{}}
}

// dial takes a round trip, and reaches a server through its relay.
func (r *relays) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if r.distance > 0 {
		time.Sleep(r.distance)
		address = r.address(address)
	}
	return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, address)
}

func (r *relays) address(server string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if relay, ok := r.addresses[server]; ok {
		return relay
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if !assert.NoError(r.t, err) {
		return server
	}
	r.t.Cleanup(func() { assert.NoError(r.t, listener.Close()) })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", server)
			if err != nil {
				_ = near.Close() // Nobody is there.
				continue
			}
			go passOn(far, near, r.distance/2)
			go passOn(near, far, r.distance/2)
		}
	}()
	r.addresses[server] = listener.Addr().String()
	return r.addresses[server]
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
