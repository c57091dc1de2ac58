package distance

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqredis"
	"github.com/salesiq-go/salesiq/webhook"
)

// documentedRules returns the rules of the user that the package documentation
// shows.
func documentedRules(t *testing.T) []string {
	t.Helper()
	folder, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "github.com/salesiq-go/salesiq/salesiqredis").Output()
	require.NoError(t, err)
	doc, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(folder)), "doc.go"))
	require.NoError(t, err)
	found := regexp.MustCompile(`(?s)//\tACL SETUSER salesiq on >password (.*?)\n//\n`).FindSubmatch(doc)
	require.NotNil(t, found)
	return strings.Fields(strings.ReplaceAll(string(found[1]), "//", ""))
}

// restricted returns a client of a server whose user may do what the rules say.
func restricted(t *testing.T, rules []string) *redis.Client {
	t.Helper()
	n := startNode(t)
	args := []any{"ACL", "SETUSER", "salesiq", "on", ">password"}
	for _, rule := range rules {
		args = append(args, rule)
	}
	require.NoError(t, n.do(args...))
	client := redis.NewClient(&redis.Options{Addr: n.address, Username: "salesiq", Password: "password", MaxRetries: -1})
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	return client
}

func TestDocumentedPermissionsAreEnough(t *testing.T) {
	needsRedis(t)
	t.Parallel()
	client := restricted(t, documentedRules(t))
	var log bytes.Buffer
	logger := salesiqredis.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))
	here, err := salesiqredis.New(client, "acme", salesiqredis.WithMaxInFlight(1), logger)
	require.NoError(t, err)
	there, err := salesiqredis.New(client, "acme", salesiqredis.WithMaxInFlight(1), logger)
	require.NoError(t, err)
	require.NoError(t, here.Check(t.Context()))
	var calls sync.WaitGroup
	for _, o := range []*salesiqredis.Organization{here, there} {
		calls.Go(func() {
			for range 5 {
				lease, err := o.Limiter().Acquire(t.Context())
				if assert.NoError(t, err) {
					time.Sleep(50 * time.Millisecond)
					lease.Done(salesiq.Outcome{StatusCode: 200, Sent: true})
				}
			}
		})
	}
	calls.Wait()
	_, unlock, err := here.TokenStore().Lock(t.Context())
	require.NoError(t, err)
	require.NoError(t, here.TokenStore().Save(t.Context(), []byte("sealed")))
	unlock()
	_, err = here.DedupStore().Begin(t.Context(), "event", 1)
	require.NoError(t, err)
	require.NoError(t, here.DedupStore().Abort(t.Context(), "event", 1))
	sink, err := here.Sink(salesiqredis.WithHandlerTimeout(50*time.Millisecond), salesiqredis.WithMaxTries(2))
	require.NoError(t, err)
	for i := range 10 {
		require.NoError(t, sink.Enqueue(t.Context(), newEvent(t, i)))
	}
	run(t, sink, func() bool { return here.Health(t.Context()).DeadLetters == 10 }, errors.New("out of order"))
	replayed, err := sink.ReplayDeadLetters(t.Context(), 5)
	require.NoError(t, err)
	assert.Equal(t, 5, replayed)
	_, err = sink.PurgeDeadLetters(t.Context(), time.Now().Add(time.Hour))
	require.NoError(t, err)
	run(t, sink, func() bool { return here.Health(t.Context()).Backlog == 0 }, nil)
	require.NoError(t, here.Health(t.Context()).Err())
	assert.NotContains(t, log.String(), "is away")
	assert.NotContains(t, log.String(), "is not set up")
}

// run handles events, with an error for each, until something is so.
func run(t *testing.T, sink *salesiqredis.Sink, until func() bool, outcome error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		assert.ErrorIs(t, sink.Run(ctx, func(context.Context, webhook.Event) error { return outcome }), context.Canceled)
	})
	assert.Eventually(t, until, patience, 20*time.Millisecond)
	stop()
	running.Wait()
}

func TestEveryDocumentedPermissionIsNeeded(t *testing.T) {
	needsRedis(t)
	t.Parallel()
	for _, missing := range []string{"+publish", "&salesiq:*", "+subscribe", "+hset", "+xadd", "+xautoclaim", "+xack", "+eval", "~salesiq:*"} {
		var rules []string
		for _, rule := range documentedRules(t) {
			if rule != missing && (missing != "+eval" || rule != "+evalsha") {
				rules = append(rules, rule)
			}
		}
		o, err := salesiqredis.New(restricted(t, rules), "acme")
		require.NoError(t, err)
		var setup *salesiqredis.SetupError
		require.ErrorAs(t, o.Check(t.Context()), &setup, missing)
		assert.Contains(t, setup.Remedy, "commands, keys and channels", missing)
	}
}

func TestWrongPasswordAndReplicaShowAtTheStart(t *testing.T) {
	needsRedis(t)
	t.Parallel()
	master := startNode(t)
	for name, c := range map[string]struct {
		options redis.Options
		remedy  string
	}{
		"password": {redis.Options{Addr: master.address, Username: "salesiq", Password: "wrong"}, "name and password"},
		"replica":  {redis.Options{Addr: startNode(t, "--replicaof", "127.0.0.1", master.port()).address}, "replica"},
	} {
		client := redis.NewClient(&c.options)
		o, err := salesiqredis.New(client, "acme")
		require.NoError(t, err)
		var setup *salesiqredis.SetupError
		require.ErrorAs(t, o.Check(t.Context()), &setup, name)
		assert.Contains(t, setup.Remedy, c.remedy)
		require.NoError(t, client.Close())
	}
}

// Many processes start at once, far away, while a token is in Redis.
func TestStartFarAwayRequestsNoToken(t *testing.T) {
	needsRedis(t)
	t.Parallel()
	r := row{name: "start", deploy: single, distance: 50 * time.Millisecond, processes: 15, callers: 4, limit: 50}
	result := r.run(t)
	t.Log("\n" + result.String())
	assert.Equal(t, 1, result.tokens, "the first one of all")
	assert.Zero(t, result.failed)
}
