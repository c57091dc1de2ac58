package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/quota"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// Each link is tried alone here, above one that has its outcome ready.

// ready is a link with an outcome.
type ready struct {
	answer  *Answer
	failure *Failure
	got     *attempt
	takes   time.Duration
}

func (r *ready) do(_ context.Context, a *attempt) (*Answer, *Failure) {
	time.Sleep(r.takes)
	r.got = a
	return r.answer, r.failure
}

func fine() *ready {
	return &ready{answer: &Answer{Status: 200, Header: http.Header{"X-Request-Id": {"r1"}}}}
}

func fails(status int, code string) *ready {
	f := &Failure{Status: status, RequestID: "r1", Said: wire.ErrorBody{Code: code}}
	if status != 0 {
		f.fate = answered
	}
	return &ready{failure: f}
}

func newAttempt(t *testing.T) *attempt {
	t.Helper()
	message, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://salesiq.example/api/v2/chats?email=ada@example.com", strings.NewReader("{}"))
	require.NoError(t, err)
	return &attempt{request: &Request{Operation: "Test", Method: http.MethodPost, Body: []byte("{}")}, number: 2, message: message}
}

func TestLogHasALineForEachAttempt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		next *ready
		want string
	}{
		{fine(), "level=DEBUG msg=\"salesiq attempt\" operation=Test method=POST attempt=2 status=200 code=\"\" wait=1m0s duration=1s request_id=r1\n"},
		{fails(404, "RESOURCE_NOT_FOUND"), "level=WARN msg=\"salesiq attempt\" operation=Test method=POST attempt=2 status=404 code=RESOURCE_NOT_FOUND wait=1m0s duration=1s request_id=r1\n"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			}}))
			tt.next.takes = time.Second
			a := newAttempt(t)
			a.paused = time.Minute
			answer, f := (&logged{tt.next, logger}).do(t.Context(), a)
			assert.Same(t, tt.next.answer, answer)
			assert.Same(t, tt.next.failure, f)
			assert.Equal(t, tt.want, log.String())
		})
	}
}

func TestLogSaysWhyThereIsNoAnswerAndDoesNotWarnOfACancel(t *testing.T) {
	t.Parallel()
	cut := &ready{failure: &Failure{Status: 200, fate: answered, Err: fmt.Errorf("%w: the body\nwas cut", ErrTransport)}}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, end := context.WithTimeout(t.Context(), -1)
	defer end()
	for _, row := range []struct {
		ctx   context.Context
		level string
	}{{t.Context(), "WARN"}, {late, "WARN"}, {canceled, "DEBUG"}} {
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		_, f := (&logged{cut, logger}).do(row.ctx, newAttempt(t))
		assert.Same(t, cut.failure, f)
		assert.Contains(t, log.String(), "level="+row.level+` msg="salesiq attempt"`)
		assert.Contains(t, log.String(), `error="`+ErrTransport.Error()+`: the body; was cut"`)
	}
}

func TestLogDoesNotWarnOfEachCallThatTokenOrLimiterStop(t *testing.T) {
	t.Parallel()
	for _, stopped := range []link{
		&authorized{next: fine(), tokens: noToken{}},
		&limited{next: fine(), limiter: spentLimiter{}},
	} {
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		_, f := (&logged{stopped, logger}).do(t.Context(), newAttempt(t))
		require.NotNil(t, f)
		assert.Contains(t, log.String(), `level=DEBUG msg="salesiq attempt"`)
		assert.Contains(t, log.String(), `error="`+f.Error()+`"`)
	}
}

// noToken has none.
type noToken struct{ Tokens }

func (noToken) Header(context.Context) (string, error) { return "", errors.New("no access token") }

// spentLimiter lets nothing go.
type spentLimiter struct{}

func (spentLimiter) Acquire(context.Context) (Lease, error) {
	return nil, Held(time.Time{}, ErrDailyLimit)
}

func TestLogSaysForWhatAndForHowLongAWaitIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log sharedText
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		q := NewQueue(QueueConfig{Limits: quota.Limits{PerMinute: 1}, MaxWait: time.Hour})
		first, err := q.Acquire(t.Context())
		require.NoError(t, err)
		first.Done(Outcome{StatusCode: http.StatusOK, Sent: true})
		a := newAttempt(t)
		a.audience = &audience{logger: logger, common: new(commonWaits)}
		var chain link = &logged{&limited{fine(), q}, logger}
		go func() {
			time.Sleep(time.Second)
			synctest.Wait()
			assert.Equal(t, "level=INFO msg=\"salesiq wait\" operation=Test reason=quota for=59.999s\n", log.String(), "it is told while the call waits")
		}()
		_, f := chain.do(t.Context(), a)
		require.Nil(t, f)
		assert.Contains(t, log.String(), " wait=1m0s duration=0s ", "the service is not blamed")
	})
}

func TestLogTellsOfAWaitOnceHoweverManyCallsShareIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log sharedText
		logger := slog.New(slog.NewTextHandler(&log, nil)) // At level info.
		q := NewQueue(QueueConfig{Limits: quota.Limits{PerMinute: 10}, MaxWait: time.Hour})
		heard := &audience{logger: logger, common: new(commonWaits)}
		var calls sync.WaitGroup
		for i := range 40 {
			time.Sleep(time.Millisecond)
			calls.Go(func() {
				a := newAttempt(t)
				a.number, a.audience = i, heard
				chain := &logged{&limited{fine(), q}, logger}
				_, f := chain.do(t.Context(), a)
				assert.Nil(t, f)
			})
		}
		calls.Wait()
		assert.Equal(t, 3, strings.Count(log.String(), "salesiq wait"), log.String(), "one for each minute that thirty calls wait for")

		log.text = nil
		smooth := NewQueue(QueueConfig{Rate: 1, Burst: 1, MaxWait: time.Hour})
		for range 100 {
			time.Sleep(time.Millisecond)
			calls.Go(func() {
				a := newAttempt(t)
				a.audience = heard
				chain := &logged{&limited{fine(), smooth}, logger}
				_, f := chain.do(t.Context(), a)
				assert.Nil(t, f)
			})
		}
		calls.Wait()
		assert.Equal(t, 10, strings.Count(log.String(), "salesiq wait"), log.String(), "one for ten calls that are spread evenly")
	})
}

// sharedText is a text that one goroutine writes and another reads.
type sharedText struct {
	mutex sync.Mutex
	text  []byte
}

func (s *sharedText) Write(b []byte) (int, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.text = append(s.text, b...)
	return len(b), nil
}

func (s *sharedText) String() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return string(s.text)
}

// witness notes what an observer is told.
type witness struct {
	deaf    bool // To waits.
	number  int
	end     AttemptEnd
	request AttemptEnd
	begun   []WaitReason
	waits   []WaitReason // That are over.
}

func (w *witness) Attempt(ctx context.Context, number int) (context.Context, http.Header, func(AttemptEnd)) {
	w.number = number
	return ctx, http.Header{"Traceparent": {"trace"}}, func(end AttemptEnd) { w.end = end }
}

func (*witness) Watches(context.Context) bool { return true }

func (w *witness) HearsWaits() bool { return !w.deaf }

func (w *witness) Request(ctx context.Context, _ int) (context.Context, http.Header, func(AttemptEnd)) {
	return ctx, http.Header{"Tracestate": {"request"}}, func(end AttemptEnd) { w.request = end }
}

func (w *witness) Wait(_ context.Context, wait Wait) func(time.Duration) {
	w.begun = append(w.begun, wait.Reason)
	return func(time.Duration) { w.waits = append(w.waits, wait.Reason) }
}

func TestObserverHearsOfEachAttempt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		next *ready
		want AttemptEnd
	}{
		{fine(), AttemptEnd{Status: 200, RequestID: "r1"}},
		{fails(404, "RESOURCE_NOT_FOUND"), AttemptEnd{Status: 404, RequestID: "r1"}},
		{fails(429, ""), AttemptEnd{Status: 429, RequestID: "r1", Throttled: true}},
		{fails(200, wire.CodeRateLimit), AttemptEnd{Status: 200, RequestID: "r1", Throttled: true}},
		{fails(0, wire.CodeRateLimit), AttemptEnd{RequestID: "r1"}}, // The limiter's, not the service's.
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &witness{}
			tt.next.takes = time.Second
			(&observed{&observed{tt.next, w, w.Request}, w, w.Attempt}).do(t.Context(), newAttempt(t)) //nolint:errcheck // The witness tells.
			tt.want.Took = time.Second
			tt.want.Failure = tt.next.failure
			if tt.next.answer != nil {
				tt.want.Header = tt.next.answer.Header
			}
			assert.Equal(t, tt.want, w.end)
			assert.Equal(t, tt.want, w.request, "nothing was waited for")
			assert.Equal(t, "request", tt.next.got.header.Get("Tracestate"))
			assert.Equal(t, 2, w.number)
			assert.Equal(t, "trace", tt.next.got.header.Get("Traceparent"))
		})
	}
}

// slow gives tokens and leases, a second later, unless it has an error.
type slow struct {
	err      error
	rejected string
	accepted string
	outcome  *Outcome
}

func (s *slow) Header(context.Context) (string, error) {
	time.Sleep(time.Second)
	return "Zoho-oauthtoken 1000.token", s.err
}
func (s *slow) Rejected(header string) Refusal { s.rejected = header; return TokenDropped }
func (s *slow) Accepted(header string)         { s.accepted = header }

func (s *slow) Acquire(context.Context) (Lease, error) {
	time.Sleep(time.Second)
	return s, s.err
}
func (s *slow) Done(o Outcome) { s.outcome = &o }

var errBroken = errors.New("broken")

func TestTokenIsPutOnAndItsFateReported(t *testing.T) {
	t.Parallel()
	const token = "Zoho-oauthtoken 1000.token"
	for _, tt := range []struct {
		name               string
		tokens             *slow
		next               *ready
		accepted, rejected string
		err                error
	}{
		{name: "accepted", tokens: &slow{}, next: fine(), accepted: token},
		{name: "refused by code", tokens: &slow{}, next: fails(200, "invalid_token"), rejected: token},
		{name: "refused by status", tokens: &slow{}, next: fails(401, ""), rejected: token},
		{name: "for want of a scope", tokens: &slow{}, next: fails(401, "INVALID_OAUTH_SCOPE")},
		{name: "for want of a permission", tokens: &slow{}, next: fails(401, "PERMISSION_DENIED")},
		{name: "another failure", tokens: &slow{}, next: fails(503, "")},
		{name: "no token", tokens: &slow{err: errBroken}, next: fine(), err: errBroken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a, w := newAttempt(t), &witness{}
				a.audience = &audience{observer: w, common: new(commonWaits)}
				_, f := (&authorized{tt.next, tt.tokens}).do(t.Context(), a)
				assert.Equal(t, tt.accepted, tt.tokens.accepted)
				assert.Equal(t, tt.rejected, tt.tokens.rejected)
				assert.Equal(t, []WaitReason{WaitToken}, w.waits)
				assert.Equal(t, time.Second, a.waited)
				if tt.err != nil {
					assert.ErrorIs(t, f, tt.err)
					assert.Nil(t, tt.next.got, "nothing is sent without a token")
					return
				}
				assert.Equal(t, token, tt.next.got.token)
				assert.Equal(t, tt.rejected != "", f != nil && f.refusal == TokenDropped)
			})
		})
	}
}

func TestWaitsThatNobodyHearsOfAreMeasured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, w, source := newAttempt(t), &witness{deaf: true}, &slow{}
		a.audience = &audience{observer: w, common: new(commonWaits)}
		_, f := (&limited{&authorized{fine(), source}, source}).do(t.Context(), a)
		assert.Nil(t, f)
		assert.Equal(t, 2*time.Second, a.waited)
		assert.Empty(t, w.begun)
	})
}

func TestLeaseIsTakenAndItsOutcomeReported(t *testing.T) {
	t.Parallel()
	header := http.Header{"X-Request-Id": {"r1"}}
	for _, tt := range []struct {
		name    string
		limiter *slow
		next    *ready
		want    *Outcome
		err     error
	}{
		{"answered", &slow{}, fine(), &Outcome{StatusCode: http.StatusOK, Header: header, Sent: true}, nil},
		{"throttled", &slow{}, fails(429, ""), &Outcome{StatusCode: 429, Sent: true, Throttled: true}, nil},
		{"throttled by code", &slow{}, fails(200, wire.CodeRateLimit), &Outcome{StatusCode: http.StatusOK, Sent: true, Throttled: true}, nil},
		{"not sent", &slow{}, fails(0, ""), &Outcome{}, nil},
		{"sent, and not answered", &slow{}, &ready{failure: &Failure{fate: sent}}, &Outcome{Sent: true}, nil},
		{"sent, and its next connection not dialed", &slow{}, &ready{failure: &Failure{fate: sent, Err: &net.OpError{Op: "dial"}}}, &Outcome{Sent: true}, nil},
		{"turned away", &slow{}, &ready{failure: &Failure{fate: turnedAway}}, &Outcome{}, nil},
		{"turned away by a 408", &slow{}, &ready{failure: &Failure{fate: turnedAway, Status: 408, Header: header}}, &Outcome{}, nil},
		{"refused for another reason", &slow{err: errBroken}, fine(), nil, errBroken},
		{"refused as in vain", &slow{err: Held(time.Time{}, ErrDailyLimit)}, fine(), nil, ErrDailyLimit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a, w := newAttempt(t), &witness{}
				a.audience = &audience{observer: w, common: new(commonWaits)}
				_, f := (&limited{tt.next, tt.limiter}).do(t.Context(), a)
				assert.Equal(t, tt.want, tt.limiter.outcome)
				assert.Equal(t, []WaitReason{WaitQuota}, w.waits)
				if tt.err != nil {
					assert.ErrorIs(t, f, tt.err)
					assert.Nil(t, tt.next.got, "nothing is sent without a lease")
				}
			})
		})
	}
}

// tripper is a func as a RoundTripper.
type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestSenderWritesTheHeader(t *testing.T) {
	t.Parallel()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	for _, tt := range []struct {
		name   string
		change func(a *attempt)
		want   http.Header
	}{
		{"of each request", func(*attempt) {}, http.Header{"Content-Type": {"application/json"}}},
		{"without a body", func(a *attempt) { a.request.Body = nil }, http.Header{}},
		{"with a tracer's", func(a *attempt) { a.header = http.Header{"Traceparent": {"t"}}; a.request.Body = nil }, http.Header{"Traceparent": {"t"}}},
		{"with the caller's, which comes before a tracer's", func(a *attempt) {
			a.header, a.request.Header, a.request.Body = http.Header{"X": {"tracer"}}, http.Header{"X": {"caller"}}, nil
		}, http.Header{"X": {"caller"}}},
		{"with cookies of the answer before, once", func(a *attempt) { a.request.Body = nil }, http.Header{"Cookie": {"shard=7"}}},
	} {
		var sent http.Header
		s := newSender(Config{
			Base: tripper(func(r *http.Request) (*http.Response, error) {
				sent = r.Header
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Set-Cookie": {"shard=7"}}, Body: http.NoBody}, nil
			}),
			UserAgent: "test", AttemptTimeout: time.Second, StallTimeout: time.Second, MaxBody: 1 << 10,
		})
		if strings.Contains(tt.name, "cookies") {
			s.jar = jar
			s.do(t.Context(), newAttempt(t)) //nolint:errcheck // It is for the cookie.
		}
		for range 2 {
			a := newAttempt(t)
			a.token = "Zoho-oauthtoken 1000.token"
			tt.change(a)
			_, f := s.do(t.Context(), a)
			require.Nil(t, f)
			tt.want["Accept"], tt.want["User-Agent"], tt.want["Authorization"] = jsonType, []string{"test"}, []string{a.token}
			assert.Equal(t, tt.want, sent, tt.name)
		}
	}
}

func TestConnectionThatEndsUnderARequestCostsNoPauseOnce(t *testing.T) {
	t.Parallel()
	p := &Pipeline{maxAttempts: 4, maxWait: time.Minute}
	s := &series{pipeline: p, last: attempt{request: &Request{Idempotent: true}}, failure: &Failure{fate: cutOff, Err: ErrTransport}}
	for number, free := range map[int]bool{1: true, 2: false, 3: false} {
		s.last.number = number
		before := p.budget.debt.Load()
		pause, again := s.again(t.Context())
		assert.True(t, again)
		assert.Equal(t, free, pause == 0, "attempt %d", number)
		assert.Equal(t, free, p.budget.debt.Load() == before, "attempt %d", number)
	}
}

func TestWhich408IsAboutTheConnection(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(x *exchange, r *http.Response, f *Failure)
		want   bool
	}{
		{"at once, on a kept connection, which it ends", func(*exchange, *http.Response, *Failure) {}, true},
		{"another status", func(_ *exchange, _ *http.Response, f *Failure) { f.Status = 504 }, false},
		{"of the service's own", func(_ *exchange, _ *http.Response, f *Failure) { f.Said.Code = "BUSY" }, false},
		{"on a connection that goes on", func(_ *exchange, r *http.Response, _ *Failure) { r.Close = false }, false},
		{"over HTTP/2", func(_ *exchange, r *http.Response, _ *Failure) { r.ProtoMajor = 2 }, false},
		{"on a new connection", func(x *exchange, _ *http.Response, _ *Failure) { x.reused = false }, false},
		{"after a gateway's patience", func(x *exchange, _ *http.Response, _ *Failure) { x.started = x.started.Add(-time.Second) }, false},
	} {
		x, r, f := &exchange{}, &http.Response{ProtoMajor: 1, Close: true}, &Failure{Status: 408}
		x.reused, x.started = true, time.Now()
		tt.change(x, r, f)
		assert.Equal(t, tt.want, x.connectionWasIdle(r, f), tt.name)
	}
}

// What the service may have done: see mayHaveActed.
func TestWhatAServiceCanHaveProcessed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		f    Failure
		want bool
	}{
		{"never sent", Failure{}, false},
		{"sent, and no answer", Failure{fate: sent}, true},
		{"half an answer", Failure{fate: answered, Status: 200}, true},
		{"a redirect", Failure{fate: answered, Status: 302}, true},
		{"refused by a proxy", Failure{fate: answered, Status: 403}, false},
		{"given up by a gateway", Failure{fate: answered, Status: 408}, true},
		{"one too many", Failure{fate: answered, Status: 429}, false},
		{"one too many, by code", Failure{fate: answered, Status: 200, Said: wire.ErrorBody{Code: wire.CodeRateLimit}}, false},
		{"its token refused", Failure{fate: answered, Status: 401}, false},
		{"refused with a code", Failure{fate: answered, Status: 200, Said: wire.ErrorBody{Code: "CHAT_NOT_ACTIVE"}}, false},
		{"refused in words", Failure{fate: answered, Status: 200, Said: wire.ErrorBody{Message: "no such chat"}}, false},
		{"refused without a word", Failure{fate: answered, Status: 200, Err: errNoCode}, true},
		{"failed within the service", Failure{fate: answered, Status: 200, Said: wire.ErrorBody{Code: wire.CodeInternalError}}, true},
		{"an outage, whatever the code", Failure{fate: answered, Status: 503, Said: wire.ErrorBody{Code: "CHAT_NOT_ACTIVE"}}, true},
	} {
		assert.Equal(t, tt.want, tt.f.mayHaveActed(), tt.name)
	}
}
