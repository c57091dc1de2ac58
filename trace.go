package salesiq

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq/internal/hooks"
	"github.com/salesiq-go/salesiq/internal/transport"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// Tracer is told what a [Client] does, for traces, metrics, logs and progress bars.
// Package salesiqotel makes one for OpenTelemetry, and package usage counts with one.
//
// Each func may be nil, and later versions may add others. A func is called at a
// beginning, with the fields that are known then. It returns a func that is called
// at the end, with all of them, or nil. Call, Attempt and Refresh also return a
// context derived from their own, which is used from then on, or nil.
//
// Funcs are called by several goroutines at once, those of one call one after the
// other. The client waits for them: they must return soon, and must not panic.
type Tracer struct {
	// Enabled reports whether anybody looks. It is asked before each call; if no
	// tracer's says so, nothing is told of the call, which then costs nothing. A
	// nil Enabled always looks.
	Enabled func(ctx context.Context) bool

	// Call is told of a call of the API: one page, for an iterator. A call whose
	// arguments are refused does not begin. Attempts and waits have the context
	// that it returns.
	Call func(ctx context.Context, call CallTrace) (context.Context, func(CallTrace))

	// Attempt is told of an attempt of a call: the wait for quota and token, and
	// the request, unless that wait fails.
	Attempt func(ctx context.Context, attempt AttemptTrace) (context.Context, func(AttemptTrace))

	// Request is told of a request that is sent: that of an attempt, once its waits
	// are over, and each that [RefreshToken] makes to the OAuth server. The
	// operation of the latter is "OAuth.Token".
	Request func(ctx context.Context, request AttemptTrace) (context.Context, func(AttemptTrace))

	// Wait is told of a wait once it has lasted for a millisecond, so that a
	// program that waits for its quota does not look hung.
	Wait func(ctx context.Context, wait WaitTrace) func(WaitTrace)

	// Refresh is told of a refresh of the access token by [RefreshToken]. It is
	// one refresh, however many calls wait for it. Its context has the values of
	// the context of the call that needed it first.
	Refresh func(ctx context.Context, refresh RefreshTrace) (context.Context, func(RefreshTrace))
}

// CallTrace is a call, for [Tracer].
type CallTrace struct {
	Operation string // The method called, such as "Chats.SendMessage".
	Method    string // Of the request.
	Host      string // Of the service, with the port: "salesiq.zoho.com:443".

	// Template is the path, with names in braces for ids, so that calls of one
	// kind have the same. It is empty for a path of [Client.Do] that may hold an
	// id; see [WithIDs].
	Template string

	// What follows is known at the end.

	StatusCode int           // Of the last answer; 0 without one.
	Attempts   int           // 0 for an answer that was kept; see [WithCache].
	Duration   time.Duration // Without the waits.
	Waited     time.Duration // For quota, token and the next attempt, all together.
	Err        error         // Nil after a success, and an [*Error] otherwise.
}

// AttemptTrace is an attempt of a call, or its request alone, for [Tracer].
type AttemptTrace struct {
	Call   CallTrace // As it began.
	Number int       // From 1.

	// Header is empty at the beginning. What is put into it is sent along, such as
	// a trace's id, unless [WithHeader] would refuse it, or the request has it
	// already.
	Header http.Header

	// What follows is known at the end.

	StatusCode int           // 0 without an answer.
	Throttled  bool          // The service refused it as one too many.
	RequestID  string        // The service's own, if it gave one.
	Protocol   string        // Of the answer, such as "HTTP/2.0".
	Duration   time.Duration // Without the waits.
	Waited     time.Duration // For quota and token.
	RateWindow RateWindow    // As the answer told.
	DailyQuota DailyQuota    // As the client counts; zero if it does not.
	Err        error         // Nil after a success, and an [*Error] otherwise. It may be retried.
}

// WaitTrace is a wait of a call, for [Tracer].
type WaitTrace struct {
	Call     CallTrace // As it began.
	Reason   WaitReason
	Until    time.Time     // When it is over, as far as that is known; zero if it is not.
	Shared   bool          // Another call of the client waits for the same, and was told of: a log needs one line for both.
	Duration time.Duration // Known at the end.
}

// String says what the call waits for and until when, in local time: "waiting for quota
// until 15:04:05".
func (w WaitTrace) String() string {
	reason := strings.ReplaceAll(string(w.Reason), "_", " ")
	if w.Until.IsZero() {
		return "waiting for " + reason
	}
	return "waiting for " + reason + " until " + w.Until.Local().Format(time.TimeOnly)
}

// WaitReason is what a call waits for.
type WaitReason string

// What a call waits for.
const (
	WaitQuota      = WaitReason(transport.WaitQuota)      // The rate limit, or the limiter of [WithLimiter].
	WaitSlot       = WaitReason(transport.WaitSlot)       // The end of another call, since there are enough at once.
	WaitToken      = WaitReason(transport.WaitToken)      // An access token.
	WaitBackoff    = WaitReason(transport.WaitBackoff)    // The next attempt.
	WaitRetryAfter = WaitReason(transport.WaitRetryAfter) // The next attempt, at the time that the service has named.
)

// RefreshTrace is a refresh of the access token, for [Tracer]. All of it is known at
// the end.
type RefreshTrace struct {
	Requests int // To the OAuth server; 0 if the store had a newer token.
	Duration time.Duration
	Err      error // Nil after a success.
}

// DailyQuota is what is left of a day's calls; see [WithPlan].
type DailyQuota struct {
	Limit int       `json:"limit"` // Zero if it is not known.
	Left  int       `json:"left"`  // Calls.
	Reset time.Time `json:"reset"` // Start of the next day, by the local clock.
}

// quotaReporter is a [Limiter] that knows how many calls the day has left.
type quotaReporter interface{ DailyQuota() DailyQuota }

// WithTracer tells tracers what the client does. Several of them nest, also over
// several options: their ends are called in reverse order, as deferred funcs are.
// Without any, tracing costs nothing.
//
// An authenticator that serves several clients tells the tracers of the first
// client about refreshes.
func WithTracer(tracers ...*Tracer) Option {
	return func(c *config) error {
		if slices.Contains(tracers, nil) {
			return inputError("tracer", "must not be nil")
		}
		c.tracers.add(tracers)
		return nil
	}
}

// tracers has the funcs of all tracers, by what they are told of.
type tracers struct {
	call    hooks.Starts[CallTrace, CallTrace]
	attempt hooks.Starts[AttemptTrace, AttemptTrace]
	request hooks.Starts[AttemptTrace, AttemptTrace]
	wait    []func(context.Context, WaitTrace) func(WaitTrace)
	refresh hooks.Starts[RefreshTrace, RefreshTrace]
	enabled []func(context.Context) bool // Of those who want to know of calls.
	always  bool                         // One of those has none.
}

func (h *tracers) add(all []*Tracer) {
	for _, t := range all {
		h.call.Add(t.Call)
		h.attempt.Add(t.Attempt)
		h.request.Add(t.Request)
		h.refresh.Add(t.Refresh)
		if t.Wait != nil {
			h.wait = append(h.wait, t.Wait)
		}
		switch {
		case t.Call == nil && t.Attempt == nil && t.Request == nil && t.Wait == nil:
		case t.Enabled == nil:
			h.always = true
		default:
			h.enabled = append(h.enabled, t.Enabled)
		}
	}
}

// look reports whether a tracer wants to know of a call.
func (h *tracers) look(ctx context.Context) bool {
	if h.always {
		return true
	}
	for _, enabled := range h.enabled {
		if enabled(ctx) {
			return true
		}
	}
	return false
}

// clientTrace tells the tracers of a client's calls. It is the observer of its
// pipeline.
type clientTrace struct {
	tracers

	dialect wire.Dialect
	host    string
	root    string // The address before its path.
	daily   func() DailyQuota
}

// newClientTrace returns nil if no tracer wants to know of calls.
func newClientTrace(c *config, limiter transport.Limiter) *clientTrace {
	if !c.tracers.always && len(c.tracers.enabled) == 0 {
		return nil
	}
	t := &clientTrace{tracers: c.tracers, dialect: c.dialect, root: c.site.API, daily: dailyQuota(limiter)}
	if u, err := url.Parse(c.site.API); err == nil {
		t.host = hostPort(u)
		t.root = strings.TrimSuffix(t.root, u.EscapedPath())
	}
	return t
}

func hostPort(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "http":
		port = "80"
	default:
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// observer returns t, or nil if t is nil. A nil *clientTrace in an interface would
// not be nil.
func (t *clientTrace) observer() transport.Observer {
	if t == nil {
		return nil
	}
	return t
}

func dailyQuota(limiter transport.Limiter) func() DailyQuota {
	switch l := limiter.(type) {
	case localQueue:
		return dayOf(l)
	case *foreignLimiter:
		if reporter, ok := l.Limiter.(quotaReporter); ok {
			return reporter.DailyQuota
		}
	}
	return func() DailyQuota { return DailyQuota{} }
}

// callKey finds the CallTrace of a call in its context, as it began.
type callKey struct{}

// callContext is the context of a call that tracers hear of.
type callContext struct {
	context.Context //nolint:containedctx // It is one, with a value that needs no memory of its own.

	call CallTrace // As it began.
}

// Value implements [context.Context].
func (c *callContext) Value(key any) any {
	if key == (callKey{}) {
		return c
	}
	return c.Context.Value(key)
}

func callOf(ctx context.Context) CallTrace {
	if c, ok := ctx.Value(callKey{}).(*callContext); ok {
		return c.call
	}
	return CallTrace{}
}

// traced makes a call and tells the tracers.
func (client *Client) traced(ctx context.Context, c *call, carryOut func(context.Context) (*transport.Answer, error)) error {
	call := CallTrace{Operation: c.request.Operation, Method: c.request.Method, Host: client.trace.host}
	if c.template != "" {
		call.Template = strings.TrimPrefix(client.resolve(c.template), client.trace.root)
	}
	start := time.Now()
	ctx, ends := client.trace.call.Begin(&callContext{ctx, call}, call)
	answer, err := carryOut(ctx)
	took := time.Since(start)
	call.StatusCode, call.Attempts, call.Err = statusOfCall(answer, err), answer.Attempts, err
	call.Waited = min(answer.Waited, took) // Another caller may have asked earlier for the same.
	call.Duration = took - call.Waited
	ends.Tell(call)
	return err
}

func statusOfCall(answer *transport.Answer, err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.StatusCode
	}
	return answer.Status
}

// Watches implements [transport.Observer].
func (t *clientTrace) Watches(ctx context.Context) bool { return ctx.Value(callKey{}) != nil }

// Attempt implements [transport.Observer].
func (t *clientTrace) Attempt(ctx context.Context, number int) (context.Context, http.Header, func(transport.AttemptEnd)) {
	return t.begin(ctx, t.attempt, number)
}

// Request implements [transport.Observer].
func (t *clientTrace) Request(ctx context.Context, number int) (context.Context, http.Header, func(transport.AttemptEnd)) {
	return t.begin(ctx, t.request, number)
}

// begin tells hooks of an attempt or of its request.
func (t *clientTrace) begin(
	ctx context.Context, starts hooks.Starts[AttemptTrace, AttemptTrace], number int,
) (context.Context, http.Header, func(transport.AttemptEnd)) {
	if len(starts) == 0 {
		return ctx, nil, func(transport.AttemptEnd) {}
	}
	attempt := AttemptTrace{Call: callOf(ctx), Number: number, Header: http.Header{}}
	ctx, ends := starts.Begin(ctx, attempt)
	return ctx, sendable(attempt.Header), func(end transport.AttemptEnd) {
		if !ends.Empty() {
			t.finish(&attempt, &end)
			ends.Tell(attempt)
		}
	}
}

// sendable returns what a tracer has put into a header and may. The tracer may keep the header,
// so it is not changed.
func sendable(header http.Header) http.Header {
	sent := header
	for name := range header {
		if ownHeader(http.CanonicalHeaderKey(name)) {
			sent = maps.Clone(sent)
			delete(sent, name)
		}
	}
	return sent
}

// finish fills in what is known at the end of an attempt.
func (t *clientTrace) finish(attempt *AttemptTrace, end *transport.AttemptEnd) {
	attempt.StatusCode = end.Status
	attempt.Throttled = end.Throttled
	attempt.RequestID = end.RequestID
	attempt.Protocol = end.Protocol
	attempt.Duration = end.Took
	attempt.Waited = end.Waited
	attempt.RateWindow = rateWindow(end.Header)
	attempt.DailyQuota = t.daily()
	if f := end.Failure; f != nil {
		c := &call{path: attempt.Call.Template, dialect: t.dialect, request: transport.Request{Operation: attempt.Call.Operation, Method: attempt.Call.Method}}
		attempt.Err = newError(c, &transport.Answer{Attempts: attempt.Number}, f)
	}
}

// tokenRequest tells the tracers of a request to the OAuth server. It returns the
// request to send, and a func for the end.
func (h *tracers) tokenRequest(request *http.Request) (*http.Request, func(*http.Response, error)) {
	trace := AttemptTrace{Number: 1, Header: http.Header{}, Call: CallTrace{
		Operation: "OAuth.Token", Method: request.Method, Host: hostPort(request.URL), Template: request.URL.Path,
	}}
	start := time.Now()
	ctx, ends := h.request.Begin(request.Context(), trace)
	request = request.WithContext(ctx)
	for name, values := range sendable(trace.Header) {
		if request.Header[name] == nil {
			request.Header[name] = values
		}
	}
	return request, func(response *http.Response, err error) {
		trace.Duration = time.Since(start)
		if response != nil {
			trace.StatusCode, trace.Protocol = response.StatusCode, response.Proto
		}
		if err != nil {
			trace.Err = newAuthError(err)
		}
		ends.Tell(trace)
	}
}

// HearsWaits implements [transport.Observer].
func (t *clientTrace) HearsWaits() bool { return len(t.wait) > 0 }

// Wait implements [transport.Observer].
func (t *clientTrace) Wait(ctx context.Context, w transport.Wait) func(took time.Duration) {
	wait := WaitTrace{Call: callOf(ctx), Reason: WaitReason(w.Reason), Until: w.Until.Round(0), Shared: w.Shared}
	var ends hooks.Ends[WaitTrace]
	for _, hook := range t.wait {
		ends.Add(hook(ctx, wait))
	}
	return func(took time.Duration) {
		wait.Duration = took
		ends.Tell(wait)
	}
}

// freeTemplate returns the template of a path of the caller's own, or "" if the
// path may hold an id.
func freeTemplate(path string) string {
	for segment := range strings.SplitSeq(path, "/") {
		wildcard := strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}")
		if !wildcard && !version(segment) && strings.Trim(segment, "abcdefghijklmnopqrstuvwxyz_-") != "" {
			return ""
		}
	}
	return path
}

// version reports whether a segment is a version of the API, such as v2.
func version(segment string) bool {
	return len(segment) == 2 && segment[0] == 'v' && segment[1] >= '0' && segment[1] <= '9'
}
