package transport_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/internal/transport"
)

// leases counts permissions that are out. It may also never give one.
type leases struct {
	out  atomic.Int64
	none bool
}

func (l *leases) Acquire(ctx context.Context) (transport.Lease, error) {
	if l.none {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	l.out.Add(1)
	return l, nil
}

func (l *leases) Done(transport.Outcome) { l.out.Add(-1) }

// noToken waits for a token that never comes.
type noToken struct{ tokens }

func (noToken) Header(ctx context.Context) (string, error) {
	<-ctx.Done()
	return "", context.Cause(ctx)
}

func TestCancelReturnsAtOnceFromEveryWait(t *testing.T) {
	t.Parallel()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	tests := []struct {
		name     string
		behavior testkit.Behavior
		change   func(c *transport.Config)
		arrives  bool // The service has the request by then,
		maybe    bool // and may have processed it.
	}{
		{name: "dial", behavior: testkit.OK(), change: func(c *transport.Config) { c.Base.(*http.Transport).DialContext = dial }},
		{name: "TLS handshake", behavior: testkit.Mute()},
		{name: "wait for the header", behavior: testkit.Silence(), arrives: true, maybe: true},
		{name: "body", behavior: testkit.Stall(), arrives: true, maybe: true},
		{name: "body that trickles", behavior: testkit.Trickle(time.Millisecond), arrives: true, maybe: true},
		{name: "pause before a retry", behavior: testkit.Answer(429, "application/json", tooMany.body, "Retry-After: 60"), arrives: true},
		{name: "limiter's queue", behavior: testkit.OK(), change: func(c *transport.Config) { c.Limiter = &leases{none: true} }},
		{name: "wait for a token", behavior: testkit.OK(), change: func(c *transport.Config) { c.Tokens = &noToken{} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := testkit.NewTLSServer(t, tt.behavior)
			slots := &leases{}
			c := config(metered(t, s))
			c.Limiter = slots
			if tt.change != nil {
				tt.change(&c)
			}
			pipeline := transport.New(c)
			best := time.Hour // Of several, since the machine has other work, too.
			for range 5 {
				took, err := cancelOnce(t, pipeline, s, tt.arrives)
				best = min(best, took)
				assert.ErrorIs(t, err, context.Canceled)
				assert.ErrorIs(t, err, errCause, "why it was canceled is kept")
				assert.Equal(t, tt.maybe, failure(t, err).MaybeProcessed)
				assert.Zero(t, slots.out.Load(), "its slot is free")
			}
			assert.LessOrEqual(t, best, 5*time.Millisecond)
			assert.Eventually(t, func() bool { return s.Open() == 0 || tt.name == "pause before a retry" || tt.name == "TLS handshake" },
				5*time.Second, time.Millisecond, "its connection is closed")
		})
	}
}

var errCause = errors.New("the user has lost interest")

// cancelOnce cancels a POST, if it is to be once the service has it. It returns
// how long after that the POST did.
func cancelOnce(t *testing.T, pipeline *transport.Pipeline, s *testkit.Server, received bool) (time.Duration, error) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	before := len(s.Received())
	canceled := make(chan time.Time, 1)
	go func() {
		for received && len(s.Received()) == before {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(20 * time.Millisecond)
		canceled <- time.Now()
		cancel(errCause)
	}()
	_, err := pipeline.Do(ctx, requestTo(s.URL, "POST"))
	returned := time.Now()
	require.Error(t, ctx.Err(), "it returned before: %v", err)
	return returned.Sub(<-canceled), err
}
