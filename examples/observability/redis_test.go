package main

import (
	"context"
	"net"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startRedis starts a server that keeps nothing.
func startRedis(t *testing.T) (server *exec.Cmd, url string) {
	t.Helper()
	program, address := tool(t, "redis-server"), freeAddress(t)
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	server = exec.CommandContext(context.WithoutCancel(t.Context()), program, "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		assert.NoError(t, server.Process.Kill())
		server.Wait() //nolint:errcheck // It was killed.
	})
	client := redis.NewClient(&redis.Options{Addr: address})
	defer func() { assert.NoError(t, client.Close()) }()
	require.Eventually(t, func() bool { return client.Ping(t.Context()).Err() == nil }, 10*time.Second, 20*time.Millisecond)
	return server, "redis://" + address
}

func TestGaugesTellOfRedis(t *testing.T) {
	t.Parallel()
	server, url := startRedis(t)
	page := "http://" + start(t, url) + "/metrics"
	shows := func(pattern string) {
		t.Helper()
		require.EventuallyWithT(t, func(c *assert.CollectT) { assert.Regexp(c, pattern, get(c, page)) }, 30*time.Second, 100*time.Millisecond)
	}
	shows(`(?m)^salesiq_client_alone(\{\})? 0$`)
	shows(`(?m)^salesiq_webhook_backlog_events\{.*"stream".*\} `)
	shows(`(?m)^salesiq_webhook_backlog_dead_letters\{.*"stream".*\} [1-9]`)
	require.NoError(t, server.Process.Signal(syscall.SIGSTOP))
	shows(`(?m)^salesiq_client_alone(\{\})? 1$`)
	require.NoError(t, server.Process.Signal(syscall.SIGCONT))
	shows(`(?m)^salesiq_client_alone(\{\})? 0$`)
}
