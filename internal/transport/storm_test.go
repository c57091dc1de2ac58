package transport_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/transport"
)

// storm refuses every call until it is over.
type storm struct {
	over     time.Time
	refusal  step
	outage   bool // Every other answer is that of a service out of order.
	mu       sync.Mutex
	attempts int
}

func (s *storm) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts++
	switch {
	case time.Now().After(s.over):
		return good.response(r), nil
	case s.outage && s.attempts%2 == 0:
		return unavailable.response(r), nil
	}
	return s.refusal.response(r), nil
}

func TestStormOfRefusalsFailsNoCall(t *testing.T) {
	t.Parallel()
	soon := step{status: 429, header: map[string]string{"Retry-After": "1"}, body: tooMany.body}
	for name, refusal := range map[string]step{"without a word": tooMany, "with a time that is too early": soon} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &storm{over: time.Now().Add(time.Minute), refusal: refusal}
				pipeline := transport.New(config(service))
				var all sync.WaitGroup
				for range 232 {
					all.Go(func() {
						_, err := pipeline.Do(t.Context(), request("POST"))
						assert.NoError(t, err)
					})
				}
				all.Wait()
				assert.LessOrEqual(t, service.attempts, 232*20, "the pauses grow")
			})
		})
	}
}

func TestRefusalsWithoutEndAreBounded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		attempts int
		deadline time.Duration // 0 for none.
		outage   bool
		least    time.Duration
		most     time.Duration
		requests int // At most.
	}{
		{"by the longest wait", 4, 0, false, 90 * time.Second, 2 * time.Minute, 30},
		{"by the context", 4, 20 * time.Second, false, 0, 20 * time.Second, 15},
		{"by one attempt", 1, 0, false, 0, 0, 1},
		{"by the attempts that count", 4, 0, true, 0, time.Minute, 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &storm{over: time.Now().Add(time.Hour), refusal: tooMany, outage: tt.outage}
				c := config(service)
				c.MaxAttempts, c.MaxWait = tt.attempts, 2*time.Minute
				ctx := t.Context()
				if tt.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}
				start := time.Now()
				answer, err := transport.New(c).Do(ctx, request("GET"))
				require.Error(t, err)
				assert.GreaterOrEqual(t, time.Since(start), tt.least)
				assert.LessOrEqual(t, time.Since(start), tt.most)
				assert.LessOrEqual(t, answer.Attempts, tt.requests)
			})
		})
	}
}
