package transport_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/transport"
)

// always is a service that answers everything alike, to any number at once.
type always struct {
	step     step
	attempts atomic.Int64
}

func (a *always) RoundTrip(r *http.Request) (*http.Response, error) {
	a.attempts.Add(1)
	if a.step.dial != nil {
		return nil, a.step.dial
	}
	return a.step.response(r), nil
}

// callTogether makes calls from 10 goroutines and returns how many succeeded.
func callTogether(ctx context.Context, p *transport.Pipeline, calls int) int64 {
	var wg sync.WaitGroup
	var left, succeeded atomic.Int64
	left.Store(int64(calls))
	for range 10 {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if _, err := p.Do(ctx, request("GET")); err == nil {
					succeeded.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return succeeded.Load()
}

func TestOutageCostsAtMostAFifthMore(t *testing.T) {
	t.Parallel()
	for name, down := range map[string]step{"unavailable": unavailable, "nobody listens": refused} {
		for _, calls := range []int{100, 1000} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					service := &always{step: down}
					assert.Zero(t, callTogether(t.Context(), transport.New(config(service)), calls))
					t.Logf("%d attempts for %d calls", service.attempts.Load(), calls)
					assert.LessOrEqual(t, float64(service.attempts.Load()), 1.2*float64(calls))
					assert.Greater(t, service.attempts.Load(), int64(calls), "a moment's blip would be survived")
				})
			})
		}
	}
}

// alternating is a service that fails every other request.
type alternating struct{ always }

func (a *alternating) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.attempts.Add(1)%2 == 0 {
		return good.response(r), nil
	}
	return unavailable.response(r), nil
}

func TestHalfAnOutageCostsAtMostAFifthMoreBeyondTheReserve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const calls = 2000
		service := &alternating{}
		callTogether(t.Context(), transport.New(config(service)), calls)
		assert.LessOrEqual(t, service.attempts.Load(), int64(1.2*calls+20))
	})
}

func TestSuccessesRefillTheRetryBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &always{step: unavailable}
		pipeline := transport.New(config(service))
		callTogether(t.Context(), pipeline, 100)
		service.step = good
		callTogether(t.Context(), pipeline, 5*20)
		service.step = unavailable
		service.attempts.Store(0)
		callTogether(t.Context(), pipeline, 100)
		assert.EqualValues(t, 120, service.attempts.Load())
	})
}

// anotherToken is there whenever one is refused.
type anotherToken struct{}

func (anotherToken) Header(context.Context) (string, error) { return "a token", nil }
func (anotherToken) Rejected(string) transport.Refusal      { return transport.TokenDropped }
func (anotherToken) Accepted(string)                        {}

func TestRateLimitAndRefusedTokenAreNotChargedToTheRetryBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &always{step: tooMany}
		c := config(service)
		c.Tokens = anotherToken{}
		pipeline := transport.New(c)
		callTogether(t.Context(), pipeline, 50)
		assert.GreaterOrEqual(t, service.attempts.Load(), int64(50*c.MaxAttempts))
		assert.LessOrEqual(t, service.attempts.Load(), int64(50*20), "it is no hot loop")
		service.step = badToken
		service.attempts.Store(0)
		callTogether(t.Context(), pipeline, 50)
		assert.EqualValues(t, 50*2, service.attempts.Load())
		service.step = unavailable
		service.attempts.Store(0)
		_, err := pipeline.Do(t.Context(), request("GET"))
		require.Error(t, err)
		assert.EqualValues(t, c.MaxAttempts, service.attempts.Load(), "the budget is whole")
	})
}

// pool is a transport whose idle connections belong to others, too.
type pool struct {
	always

	closed atomic.Int64
}

func (p *pool) CloseIdleConnections() { p.closed.Add(1) }

func TestConnectionsOfASharedPoolAreLeftAlone(t *testing.T) {
	t.Parallel()
	for _, outcome := range []step{unavailable, refused, badToken, good} {
		synctest.Test(t, func(t *testing.T) {
			shared := &pool{always: always{step: outcome}}
			pipeline := transport.New(config(shared))
			ctx, cancel := context.WithCancel(t.Context())
			pipeline.Do(ctx, request("GET")) //nolint:errcheck // Whatever comes of it.
			cancel()
			pipeline.Do(ctx, request("GET")) //nolint:errcheck // Whatever comes of it.
			assert.Zero(t, shared.closed.Load())
		})
	}
}
