package salesiq

import (
	"context"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/internal/transport"
)

// hotPath is what a call passes between the retry and the wire: the limiter's
// queue with plan and slots, and the token.
type hotPath struct {
	limiter transport.Limiter
	tokens  transport.Tokens
	outcome transport.Outcome
}

func newHotPath(t testing.TB) *hotPath {
	t.Helper()
	c := defaultConfig()
	require.NoError(t, WithPlan(Plan{CallsPerMinute: 1 << 30, CallsPerDay: 1 << 30})(c))
	require.NoError(t, c.finish())
	c.httpClient.Transport = &fakeZoho{}
	tokens, err := RefreshToken(testCredentials, NewMemoryTokenStore()).bind(c)
	require.NoError(t, err)
	now := time.Now()
	header := http.Header{}
	header.Set("Date", now.UTC().Format(http.TimeFormat))
	header.Set("X-RateLimit-Limit", strconv.Itoa(1<<30))
	header.Set("X-RateLimit-Remaining", strconv.Itoa(1<<30-1))
	header.Set("X-RateLimit-Reset", strconv.FormatInt(now.Add(time.Minute).Unix(), 10))
	limiter, err := c.newLimiter()
	require.NoError(t, err)
	return &hotPath{limiter: limiter, tokens: tokens, outcome: transport.Outcome{StatusCode: 200, Header: header, Sent: true}}
}

func (h *hotPath) pass(ctx context.Context) error {
	lease, err := h.limiter.Acquire(ctx)
	if err != nil {
		return err
	}
	token, err := h.tokens.Header(ctx)
	h.tokens.Accepted(token)
	lease.Done(h.outcome)
	return err
}

// BenchmarkHotPath measures token, limiter and slot: at most 300 ns, most of it for
// three readings of the clock, and no allocation. A second benchmark also reads the
// rate headers of an answer.
func BenchmarkHotPath(b *testing.B) {
	for name, change := range map[string]func(h *hotPath){
		"token+limiter+slot": func(h *hotPath) { h.outcome.Header = http.Header{} },
		"with rate headers":  func(*hotPath) {},
	} {
		b.Run(name, func(b *testing.B) {
			h := newHotPath(b)
			change(h)
			b.ReportAllocs()
			for b.Loop() {
				if err := h.pass(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) { // It counts what the whole process allocates.
	if testkit.RaceEnabled {
		t.Skip("the race detector allocates, too")
	}
	h := newHotPath(t)
	for _, header := range []http.Header{h.outcome.Header, {}, nil} {
		h.outcome.Header = header
		assert.Zero(t, testing.AllocsPerRun(1000, func() {
			if err := h.pass(t.Context()); err != nil {
				t.Error(err)
			}
		}))
	}
}
