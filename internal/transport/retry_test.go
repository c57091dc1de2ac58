package transport_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/transport"
)

// step is what the service does with one attempt.
type step struct {
	status  int
	header  map[string]string
	body    string
	cut     bool  // The body breaks off.
	dial    error // Nothing was ever sent.
	reset   error // The connection broke after the request was written.
	forever bool  // Silence.
}

// script is a service that does one step after the other, and repeats the last.
type script struct {
	steps  []step
	bodies []string      // Received.
	tokens []string      // Received.
	times  []time.Time   // Of the attempts.
	header []http.Header // Received.
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	st := s.steps[min(len(s.times), len(s.steps)-1)]
	s.times = append(s.times, time.Now())
	s.tokens = append(s.tokens, r.Header.Get("Authorization"))
	s.header = append(s.header, r.Header)
	if st.dial != nil {
		return nil, st.dial
	}
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil {
		trace.WroteHeaders()
	}
	if r.Body != nil {
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		s.bodies = append(s.bodies, string(sent))
	}
	if st.reset != nil {
		return nil, st.reset
	}
	if st.forever {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return st.response(r), nil
}

func (st step) response(r *http.Request) *http.Response {
	header := http.Header{"Content-Type": {"application/json"}, "Date": {time.Now().UTC().Format(http.TimeFormat)}}
	for name, value := range st.header {
		header.Set(name, value)
	}
	var body io.Reader = strings.NewReader(st.body)
	if st.cut {
		body = io.MultiReader(body, brokenReader{})
	}
	return &http.Response{StatusCode: st.status, Header: header, ContentLength: -1, Body: io.NopCloser(body), Request: r}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// tokens hands out token-1, token-2, …; each refusal leads to the next.
type tokens struct {
	current string
	static  bool
}

func (t *tokens) Header(context.Context) (string, error) { return t.current, nil }

func (t *tokens) Rejected(string) transport.Refusal {
	if t.static {
		return transport.TokenKept
	}
	t.current = "another token"
	return transport.TokenDropped
}

func (t *tokens) Accepted(string) {}

type unlimited struct{}

func (unlimited) Acquire(context.Context) (transport.Lease, error) { return unlimited{}, nil }
func (unlimited) Done(transport.Outcome)                           {}

func config(base http.RoundTripper) transport.Config {
	return transport.Config{
		Base:           base,
		Tokens:         &tokens{current: "first token"},
		Limiter:        unlimited{},
		UserAgent:      "test",
		AttemptTimeout: 30 * time.Second,
		StallTimeout:   15 * time.Second,
		MaxBody:        1 << 20,
		MaxAttempts:    4,
		MaxWait:        2 * time.Minute,
	}
}

var (
	good        = step{status: 200, body: `{"status":"success","data":{}}`}
	unavailable = step{status: 503, body: `{"status":"error","code":"INTERNAL_ERROR","message":"down"}`}
	brokeDown   = step{status: 409, body: `{"status":"error","code":"INTERNAL_ERROR","message":"down"}`}
	tooMany     = step{status: 429, body: `{"status":"error","code":"RATE_LIMIT_EXCEEDED","message":"slow down"}`}
	badToken    = step{status: 401, body: `{"status":"error","code":"INVALID_TOKEN","message":"expired"}`}
	refused     = step{dial: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}}
	reset       = step{reset: &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}}
	cut         = step{status: 200, body: `{"status":"succ`, cut: true}
	cutError    = step{status: 409, body: `{"status":"error","co`, cut: true}
)

func TestWhatIsSentAgain(t *testing.T) {
	t.Parallel()
	certificate := step{dial: &tls.CertificateVerificationError{Err: errors.New("unknown authority")}}
	unknownHost := step{dial: &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}}
	tests := []struct {
		name       string
		method     string
		idempotent bool
		steps      []step
		attempts   int
		fails      bool
		maybe      bool // The failure says that the service may have acted.
	}{
		{name: "GET after an outage: reading twice does no harm", method: "GET", steps: []step{unavailable, good}, attempts: 2},
		{name: "PUT after an outage: idempotent by the specification", method: "PUT", steps: []step{unavailable, good}, attempts: 2},
		{name: "DELETE after an outage: idempotent by the specification", method: "DELETE", steps: []step{unavailable, good}, attempts: 2},
		{name: "POST after an outage: the service may have acted", method: "POST", steps: []step{unavailable, good}, attempts: 1, fails: true, maybe: true},
		{name: "PATCH after an outage: the service may have acted", method: "PATCH", steps: []step{unavailable, good}, attempts: 1, fails: true, maybe: true},
		{name: "POST declared idempotent: the caller takes it on", method: "POST", idempotent: true, steps: []step{unavailable, good}, attempts: 2},

		{name: "GET after a reset", method: "GET", steps: []step{reset, good}, attempts: 2},
		{name: "POST after a reset: its body was written", method: "POST", steps: []step{reset, good}, attempts: 1, fails: true, maybe: true},
		{name: "POST where no connection came about: nothing was written", method: "POST", steps: []step{refused, good}, attempts: 2},
		{name: "POST that was only ever refused a connection", method: "POST", steps: []step{refused}, attempts: 4, fails: true},

		{name: "GET whose answer was cut", method: "GET", steps: []step{cut, good}, attempts: 2},
		{name: "POST whose answer was cut: it succeeded, probably", method: "POST", steps: []step{cut, good}, attempts: 1, fails: true, maybe: true},

		{name: "POST whose error was cut: the rest may have said that the service broke down", method: "POST", steps: []step{cutError, good}, attempts: 1, fails: true, maybe: true},
		{name: "GET whose error was cut", method: "GET", steps: []step{cutError, good}, attempts: 2},

		{name: "POST after a 429: it was refused before anything happened", method: "POST", steps: []step{tooMany, good}, attempts: 2},
		{name: "POST after a 409 that calls itself an internal error: the service broke down", method: "POST", steps: []step{brokeDown, good}, attempts: 1, fails: true, maybe: true},
		{name: "GET after a 409 that calls itself an internal error", method: "GET", steps: []step{brokeDown, good}, attempts: 2},
		{name: "GET after a 500", method: "GET", steps: []step{{status: 500}, good}, attempts: 2},
		{name: "GET after a 502", method: "GET", steps: []step{{status: 502}, good}, attempts: 2},
		{name: "GET after a 504", method: "GET", steps: []step{{status: 504}, good}, attempts: 2},
		{name: "GET after a 501: it will not be implemented a second later", method: "GET", steps: []step{{status: 501}, good}, attempts: 1, fails: true},
		{name: "GET after a 408", method: "GET", steps: []step{{status: 408}, good}, attempts: 2},
		{name: "POST after a 408 of a gateway, which may have passed it on", method: "POST", steps: []step{{status: 408}, good}, attempts: 1, fails: true, maybe: true},
		{name: "POST after a 408 with a code, which says that nothing happened", method: "POST", steps: []step{{status: 408, body: `{"status":"error","code":"INVALID_REQUEST"}`}, good}, attempts: 2},
		{name: "POST after a 504 of a proxy", method: "POST", steps: []step{{status: 504}, good}, attempts: 1, fails: true, maybe: true},

		{name: "POST after a refused token: nothing happened", method: "POST", steps: []step{badToken, good}, attempts: 2},
		{name: "POST after a 401 of whatever words", method: "POST", steps: []step{{status: 401, body: `{"status":"error","code":"AUTHENTICATION_FAILURE"}`}, good}, attempts: 2},
		{name: "POST after a 401 without words", method: "POST", steps: []step{{status: 401}, good}, attempts: 2},
		{name: "a 401 for want of a scope, which a new token lacks, too", method: "GET", steps: []step{{status: 401, body: `{"status":"error","code":"OAUTH_SCOPE_MISMATCH"}`}, good}, attempts: 1, fails: true},
		{name: "a 401 for want of a permission, likewise", method: "GET", steps: []step{{status: 401, body: `{"status":"error","code":"PERMISSION_DENIED"}`}, good}, attempts: 1, fails: true},
		{name: "a second refused token ends the call", method: "GET", steps: []step{badToken, badToken, good}, attempts: 2, fails: true},

		{name: "a bad request stays bad", method: "GET", steps: []step{{status: 400, body: `{"status":"error","code":"INVALID_REQUEST"}`}, good}, attempts: 1, fails: true},
		{name: "a missing scope does not appear by itself", method: "GET", steps: []step{{status: 403, body: `{"status":"error","code":"INVALID_OAUTH_SCOPE"}`}, good}, attempts: 1, fails: true},
		{name: "nothing there", method: "GET", steps: []step{{status: 404, body: `{"status":"error","code":"RESOURCE_NOT_FOUND"}`}, good}, attempts: 1, fails: true},
		{name: "POST refused with a reason: nothing happened", method: "POST", steps: []step{{status: 400, body: `{"status":"error","code":"CHAT_NOT_ACTIVE"}`}, good}, attempts: 1, fails: true},
		{name: "an error under status 200", method: "GET", steps: []step{{status: 200, body: `{"status":"error","code":"RATE_LIMIT_EXCEEDED"}`}, good}, attempts: 2},

		{name: "an invalid certificate stays invalid", method: "GET", steps: []step{certificate, good}, attempts: 1, fails: true},
		{name: "an unknown host stays unknown", method: "GET", steps: []step{unknownHost, good}, attempts: 1, fails: true},
		{name: "a redirect is refused for good", method: "GET", steps: []step{{status: 302, header: map[string]string{"Location": "https://elsewhere.example/"}}, good}, attempts: 1, fails: true},
		{name: "an answer too large stays too large", method: "GET", steps: []step{{status: 200, body: strings.Repeat(" ", 2<<20)}, good}, attempts: 1, fails: true},
		{name: "four attempts are enough", method: "GET", steps: []step{unavailable}, attempts: 4, fails: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &script{steps: tt.steps}
				r := request(tt.method)
				r.Idempotent = r.Idempotent || tt.idempotent
				answer, err := transport.New(config(service)).Do(t.Context(), r)
				assert.Len(t, service.times, tt.attempts)
				assert.Equal(t, tt.attempts, answer.Attempts)
				if !tt.fails {
					require.NoError(t, err)
					return
				}
				var f *transport.Failure
				require.ErrorAs(t, err, &f)
				assert.Equal(t, tt.maybe, f.MaybeProcessed)
			})
		})
	}
}

func request(method string) *transport.Request {
	r := &transport.Request{Operation: "Test", Method: method, URL: "https://salesiq.example/api/v2/chats"}
	switch method {
	case "POST", "PATCH":
		r.Body = []byte(`{"message":"hello"}`)
	default:
		r.Idempotent = true
	}
	return r
}

func TestEachAttemptCarriesTheWholeBodyAndTheCurrentToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &script{steps: []step{tooMany, badToken, good}}
		_, err := transport.New(config(service)).Do(t.Context(), request("POST"))
		require.NoError(t, err)
		assert.Equal(t, []string{`{"message":"hello"}`, `{"message":"hello"}`, `{"message":"hello"}`}, service.bodies)
		assert.Equal(t, []string{"first token", "first token", "another token"}, service.tokens)
		for _, h := range service.header {
			assert.Empty(t, h.Get("Idempotency-Key"), "net/http would repeat the POST by itself")
		}
	})
}

func TestRefusedStaticTokenIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	service := &script{steps: []step{badToken}}
	c := config(service)
	c.Tokens = &tokens{current: "only token", static: true}
	_, err := transport.New(c).Do(t.Context(), request("GET"))
	require.Error(t, err)
	assert.Len(t, service.times, 1)
}

func TestPauseBeforeTheNextAttempt(t *testing.T) {
	t.Parallel()
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // When a bubble's clock starts.
	in := func(d time.Duration) string { return epoch.Add(d).Format(http.TimeFormat) }
	unix := func(d time.Duration) string { return strconv.FormatInt(epoch.Add(d).Unix(), 10) }
	const jitter = 500 * time.Millisecond
	tests := []struct {
		name   string
		status int
		header map[string]string
		least  time.Duration
		most   time.Duration
	}{
		{"Retry-After in seconds", 503, map[string]string{"Retry-After": "7"}, 7 * time.Second, 7*time.Second + jitter},
		{"Retry-After as a date", 503, map[string]string{"Retry-After": in(9 * time.Second)}, 9 * time.Second, 9*time.Second + jitter},
		{"Retry-After as a date of a service whose clock is a day ahead", 503, map[string]string{"Date": in(24 * time.Hour), "Retry-After": in(24*time.Hour + 9*time.Second)}, 9 * time.Second, 9*time.Second + jitter},
		{"Retry-After in the past", 503, map[string]string{"Retry-After": in(-time.Hour)}, 0, jitter},
		{"Retry-After that overflows is no Retry-After", 503, map[string]string{"Retry-After": "9223372036854775807"}, 0, time.Second},
		{"negative Retry-After", 503, map[string]string{"Retry-After": "-5"}, 0, time.Second},
		{"fractional Retry-After", 503, map[string]string{"Retry-After": "1.5"}, 0, time.Second},
		{"reset of a spent window", 429, map[string]string{"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": unix(40 * time.Second)}, 40 * time.Second, 40*time.Second + jitter},
		{"reset by the service's clock, five minutes behind ours", 429, map[string]string{"Date": in(-5 * time.Minute), "X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": unix(-5*time.Minute + 40*time.Second)}, 40 * time.Second, 40*time.Second + jitter},
		{"calls remain: too many at once, not too many a minute", 429, map[string]string{"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "5", "X-RateLimit-Reset": unix(40 * time.Second)}, 0, time.Second},
		{"reset in the past: never a hot loop", 429, map[string]string{"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": unix(-time.Minute)}, 1, time.Second},
		{"reset in milliseconds is no reset", 429, map[string]string{"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": unix(0) + "000"}, 1, time.Second},
		{"a reset means nothing to an outage", 503, map[string]string{"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": unix(40 * time.Second)}, 1, time.Second},
		{"nothing said", 503, nil, 1, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &script{steps: []step{{status: tt.status, header: tt.header}, good}}
				_, err := transport.New(config(service)).Do(t.Context(), request("GET"))
				require.NoError(t, err)
				require.Len(t, service.times, 2)
				pause := service.times[1].Sub(service.times[0])
				assert.GreaterOrEqual(t, pause, tt.least)
				assert.LessOrEqual(t, pause, tt.most)
			})
		})
	}
}

func TestPauseThatAnAnswerAsksForCountsThoughItsBodyIsCut(t *testing.T) {
	t.Parallel()
	for _, status := range []int{429, 503} {
		synctest.Test(t, func(t *testing.T) {
			service := &script{steps: []step{{status: status, header: map[string]string{"Retry-After": "7"}, body: `{"st`, cut: true}, good}}
			_, err := transport.New(config(service)).Do(t.Context(), request("GET"))
			require.NoError(t, err)
			assert.GreaterOrEqual(t, service.times[1].Sub(service.times[0]), 7*time.Second, "status %d", status)
		})
	}
}

func TestPauseGrowsUpToTheCap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &script{steps: []step{unavailable}}
		c := config(service)
		c.MaxAttempts = 12
		_, err := transport.New(c).Do(t.Context(), request("GET"))
		require.Error(t, err)
		ceiling := time.Second
		for i := 1; i < len(service.times); i++ {
			assert.LessOrEqual(t, service.times[i].Sub(service.times[i-1]), ceiling)
			ceiling = min(20*time.Second, 2*ceiling)
		}
	})
}

func TestPauseThatIsTooLongIsNotBegun(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		wait    string
		timeout time.Duration
	}{
		{"longer than the caller's longest", "121", time.Hour},
		{"longer than the deadline allows", "60", 30 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tt.timeout)
				defer cancel()
				start := time.Now()
				service := &script{steps: []step{{status: 429, header: map[string]string{"Retry-After": tt.wait}, body: tooMany.body}}}
				_, err := transport.New(config(service)).Do(ctx, request("GET"))
				assert.Zero(t, time.Since(start), "returned at once")
				var f *transport.Failure
				require.ErrorAs(t, err, &f)
				assert.Equal(t, "RATE_LIMIT_EXCEEDED", f.Said.Code)
				seconds, perr := time.ParseDuration(tt.wait + "s")
				require.NoError(t, perr)
				assert.Equal(t, start.Add(seconds), f.RetryAt)
			})
		})
	}
}

func TestCancelEndsACallWhereverItIs(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]step{
		"in the pause":    {status: 503, header: map[string]string{"Retry-After": "60"}},
		"in the exchange": {forever: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				start := time.Now()
				time.AfterFunc(10*time.Second, cancel)
				_, err := transport.New(config(&script{steps: []step{first}})).Do(ctx, request("GET"))
				require.ErrorIs(t, err, context.Canceled)
				assert.Equal(t, 10*time.Second, time.Since(start))
			})
		})
	}
}

func TestLastFailureIsKeptBesideTheContextsError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		service := &script{steps: []step{{status: 503, header: map[string]string{"Retry-After": "60"}, body: unavailable.body}}}
		_, err := transport.New(config(service)).Do(ctx, request("GET"))
		require.ErrorIs(t, err, context.Canceled)
		var f *transport.Failure
		require.ErrorAs(t, err, &f)
		assert.Equal(t, 503, f.Status)
		assert.Equal(t, "INTERNAL_ERROR", f.Said.Code)
	})
}

// canceling is a limiter that cancels once the request has its outcome.
type canceling struct{ cancel context.CancelCauseFunc }

func (c canceling) Acquire(context.Context) (transport.Lease, error) { return c, nil }
func (c canceling) Done(transport.Outcome)                           { c.cancel(errCause) }

func TestOnlyACallThatTheContextEndedHasItsError(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		why    string
		method string
		step   step
		ended  bool // Another attempt was due, or may have been.
		once   bool // The same of a call with one attempt.
	}{
		{"not found", "GET", step{status: 404, body: `{"status":"error","code":"RESOURCE_NOT_FOUND"}`}, false, false},
		{"not found, by a page", "POST", step{status: 404, body: "<html>"}, false, false},
		{"an error under status 200", "GET", step{status: 200, body: `{"status":"error","code":"INVALID_REQUEST"}`}, false, false},
		{"a redirect", "GET", step{status: 302}, false, false},
		{"too large", "GET", step{status: 200, body: strings.Repeat(" ", 1<<20+1)}, false, false},
		{"an outage, and not to be repeated", "POST", unavailable, false, false},
		{"an outage", "GET", unavailable, true, false},
		{"the rate limit", "POST", tooMany, true, false},
		{"a refused token", "POST", badToken, true, true},
		{"half an answer", "GET", step{status: 404, body: "{", cut: true}, true, true},
		{"half an answer, and not to be repeated", "POST", step{status: 404, body: "{", cut: true}, true, true},
		{"no answer", "GET", reset, true, true},
	} {
		for most, ended := range map[int]bool{4: tt.ended, 1: tt.once} {
			t.Run(fmt.Sprintf("%s, of %d", tt.why, most), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancelCause(t.Context())
					service := &script{steps: []step{tt.step}}
					c := config(service)
					c.Limiter, c.MaxAttempts = canceling{cancel}, most
					_, err := transport.New(c).Do(ctx, request(tt.method))
					require.Error(t, err)
					assert.Len(t, service.times, 1)
					assert.Equal(t, tt.step.status, failure(t, err).Status)
					assert.Equal(t, ended, errors.Is(err, context.Canceled))
					assert.Equal(t, ended, errors.Is(err, errCause))
				})
			})
		}
	}
}

func TestAttemptAndStallTimeouts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &script{steps: []step{{forever: true}}}
		c := config(service)
		c.MaxAttempts = 1
		start := time.Now()
		_, err := transport.New(c).Do(t.Context(), request("GET"))
		require.ErrorIs(t, err, transport.ErrTransport)
		assert.Equal(t, c.AttemptTimeout, time.Since(start))
		assert.NoError(t, t.Context().Err(), "the caller's context is not involved")
	})
}
