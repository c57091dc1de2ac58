package salesiqredis

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// wire is an Evaler on the way to a Redis in memory. It can be made slow, or to
// lose scripts or answers, or to send everything twice, as clients do whose connection breaks.
type wire struct {
	Evaler

	trips atomic.Int64
	delay atomic.Int64
	deaf  atomic.Bool // Nothing arrives.
	lost  atomic.Bool
	twice atomic.Bool
}

func (w *wire) Eval(ctx context.Context, script string, keys, args []string) (any, error) {
	w.trips.Add(1)
	if w.deaf.Load() {
		return nil, io.ErrUnexpectedEOF
	}
	if w.twice.Load() {
		_, err := w.Evaler.Eval(ctx, script, keys, args)
		if err != nil {
			return nil, err
		}
	}
	reply, err := w.Evaler.Eval(ctx, script, keys, args)
	time.Sleep(time.Duration(w.delay.Load()))
	if w.lost.Load() {
		return nil, io.ErrUnexpectedEOF
	}
	return reply, err
}

func (w *wire) Subscribe(ctx context.Context, channels []string, heard func(string)) error {
	return w.Evaler.(Subscriber).Subscribe(ctx, channels, heard)
}

// dial returns a way to a server, for one process.
func dial(t *testing.T, server *miniredis.Miniredis) *wire {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	return &wire{Evaler: newEvaler(client)}
}

// join makes a process of an organization. A busy machine is no reason to take
// Redis for away.
func join(t *testing.T, evaler Evaler, opts ...Option) *Organization {
	t.Helper()
	o, err := NewWith(evaler, "acme", append([]Option{WithTimeout(2 * time.Second)}, opts...)...)
	require.NoError(t, err)
	return o
}

// solo makes the only process of an organization, and its server.
func solo(t *testing.T, opts ...Option) (*Organization, *miniredis.Miniredis) {
	t.Helper()
	server := miniredis.RunT(t)
	return join(t, dial(t, server), opts...), server
}

// sinkOf returns the stream of an organization.
func sinkOf(t *testing.T, o *Organization, opts ...SinkOption) *Sink {
	t.Helper()
	sink, err := o.Sink(opts...)
	require.NoError(t, err)
	return sink
}

func acquire(t *testing.T, l salesiq.Limiter) salesiq.Lease {
	t.Helper()
	lease, err := l.Acquire(t.Context())
	require.NoError(t, err)
	return lease
}

// blocked reports that nothing can be acquired at present.
func blocked(t *testing.T, l salesiq.Limiter) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	stop := time.AfterFunc(100*time.Millisecond, cancel)
	defer stop.Stop()
	lease, err := l.Acquire(ctx)
	if err == nil {
		lease.Done(salesiq.Outcome{})
	}
	return err != nil
}

// success is an answer, at the beginning of a window.
func success(limit, remaining int) salesiq.Outcome {
	now := time.Now()
	header := http.Header{}
	header.Set("Date", now.UTC().Format(http.TimeFormat))
	header.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	header.Set("X-RateLimit-Remaining", strconv.Itoa(remaining))
	header.Set("X-RateLimit-Reset", strconv.FormatInt(now.Add(50*time.Second).Unix(), 10))
	return salesiq.Outcome{StatusCode: http.StatusOK, Header: header, Sent: true}
}

// deaf is a server that takes connections and says nothing.
func deaf(t *testing.T) Evaler {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	client := redis.NewClient(&redis.Options{Addr: listener.Addr().String(), MaxRetries: -1, DialerRetries: 1, ReadTimeout: time.Second, DisableIdentity: true})
	t.Cleanup(func() {
		assert.NoError(t, listener.Close())
		assert.NoError(t, client.Close())
	})
	return &goRedis{client: client}
}
