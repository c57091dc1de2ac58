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

// Tracer is told what a [Client] does, for traces, metrics and logs. Package
// salesiqotel makes one for OpenTelemetry, and [UsageMonitor] counts with one.
//
// Each func may be nil, and later versions may add others. A func is called at the
// beginning. It returns a context derived from its own, which is used from then on,
// and a func that is called at the end. Either may be nil.
//
// Funcs are called by several goroutines at once, those of one call one after the
// other. The client waits for them: they must return soon, and must not panic.
type Tracer struct {
	// Call is told of a call of the API: one page, for an iterator. A call whose
	// arguments are refused does not begin. Attempts and waits have the context
	// that it returns.
	Call func(ctx context.Context, call CallInfo) (context.Context, func(CallResult))

	// Attempt is told of an attempt of a call: the wait for quota and token, and
	// the request, unless that wait fails.
	Attempt func(ctx context.Context, attempt AttemptInfo) (context.Context, func(AttemptResult))

	// Wait is told of a wait once it is over, unless it was shorter than a
	// millisecond.
	Wait func(ctx context.Context, wait WaitInfo)

	// Refresh is told of a refresh of the access token by [RefreshToken]. It is
	// one refresh, however many calls wait for it. Its context has the values of
	// the context of the call that needed it first.
	Refresh func(ctx context.Context, refresh RefreshInfo) (context.Context, func(RefreshResult))
}

// CallInfo is a call that begins.
type CallInfo struct {
	Operation string // The method called, such as "Chats.SendMessage".
	Method    string // Of the request.
	Host      string // Of the service, with the port: "salesiq.zoho.com:443".

	// Template is the path, with names in braces for ids, so that calls of one
	// kind have the same. It is empty for a path of [Client.Do] that may hold an
	// id; see [WithIDs].
	Template string
}

// CallResult is how a call ended.
type CallResult struct {
	StatusCode int           // Of the last answer; 0 without one.
	Attempts   int           // 0 for an answer that was kept; see [WithCache].
	Duration   time.Duration // Waits included.
	Err        error         // Nil after a success, and an [*Error] otherwise.
}

// AttemptInfo is an attempt that begins.
type AttemptInfo struct {
	Call   CallInfo
	Number int // From 1.

	// Header is empty. What is put into it is sent along, such as a trace's id,
	// unless [WithHeader] would refuse it, or the request has it already.
	Header http.Header
}

// AttemptResult is how an attempt ended.
type AttemptResult struct {
	StatusCode int           // 0 without an answer.
	Throttled  bool          // The service refused it as one too many.
	RequestID  string        // The service's own, if it gave one.
	Duration   time.Duration // Without the waits for quota and token.
	RateWindow RateWindow    // As the answer told.
	DailyQuota DailyQuota    // As the client counts; zero if it does not.
	Err        error         // Nil after a success, and an [*Error] otherwise. It may be retried.
}

// WaitReason is what a call waits for.
type WaitReason string

// What a call waits for.
const (
	WaitQuota   = WaitReason(transport.WaitQuota)   // The rate limit, or a free place among the calls at once.
	WaitBackoff = WaitReason(transport.WaitBackoff) // The next attempt.
	WaitToken   = WaitReason(transport.WaitToken)   // An access token.
)

// WaitInfo is a wait that is over.
type WaitInfo struct {
	Call     CallInfo
	Reason   WaitReason
	Duration time.Duration
}

// RefreshInfo is a refresh that begins. It has no fields yet.
type RefreshInfo struct{}

// RefreshResult is how a refresh ended.
type RefreshResult struct {
	Requests int // To the OAuth server; 0 if the store had a newer token.
	Duration time.Duration
	Err      error // Nil after a success.
}

// DailyQuota is what is left of a day's calls; see [WithPlan].
type DailyQuota struct {
	Limit int       // Zero if it is not known.
	Left  int       // Calls.
	Reset time.Time // Start of the next day, by the local clock.
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
	call    hooks.Starts[CallInfo, CallResult]
	attempt hooks.Starts[AttemptInfo, AttemptResult]
	wait    []func(context.Context, WaitInfo)
	refresh hooks.Starts[RefreshInfo, RefreshResult]
}

func (h *tracers) add(all []*Tracer) {
	for _, t := range all {
		h.call.Add(t.Call)
		h.attempt.Add(t.Attempt)
		h.refresh.Add(t.Refresh)
		if t.Wait != nil {
			h.wait = append(h.wait, t.Wait)
		}
	}
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
	if len(c.tracers.call)+len(c.tracers.attempt)+len(c.tracers.wait) == 0 {
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
	case *transport.Queue:
		return (&localLimiter{queue: l}).DailyQuota
	case *foreignLimiter:
		if reporter, ok := l.Limiter.(quotaReporter); ok {
			return reporter.DailyQuota
		}
	}
	return func() DailyQuota { return DailyQuota{} }
}

// callInfoKey finds the CallInfo of a call in its context.
type callInfoKey struct{}

func callInfo(ctx context.Context) CallInfo {
	info, _ := ctx.Value(callInfoKey{}).(CallInfo) // traced put it there.
	return info
}

// traced makes a call and tells the tracers.
func (client *Client) traced(ctx context.Context, c *call, exchange func(context.Context) (*transport.Answer, error)) error {
	info := CallInfo{Operation: c.operation, Method: c.method, Host: client.trace.host}
	if c.template != "" {
		info.Template = strings.TrimPrefix(client.resolve(c.template), client.trace.root)
	}
	start := time.Now()
	ctx, ends := client.trace.call.Begin(context.WithValue(ctx, callInfoKey{}, info), info)
	answer, err := exchange(ctx)
	ends.Tell(CallResult{StatusCode: statusOfCall(answer, err), Attempts: answer.Attempts, Duration: time.Since(start), Err: err})
	return err
}

func statusOfCall(answer *transport.Answer, err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.StatusCode
	}
	return answer.Status
}

// Attempt implements [transport.Observer].
func (t *clientTrace) Attempt(ctx context.Context, number int, header http.Header) (context.Context, func(transport.AttemptEnd)) {
	info := AttemptInfo{Call: callInfo(ctx), Number: number, Header: header}
	ctx, ends := t.attempt.Begin(ctx, info)
	maps.DeleteFunc(header, func(name string, _ []string) bool { return ownHeader(http.CanonicalHeaderKey(name)) })
	return ctx, func(end transport.AttemptEnd) {
		if len(ends) > 0 {
			ends.Tell(t.attemptResult(&info, &end))
		}
	}
}

func (t *clientTrace) attemptResult(info *AttemptInfo, end *transport.AttemptEnd) AttemptResult {
	result := AttemptResult{
		StatusCode: end.Status,
		Throttled:  end.Throttled,
		RequestID:  end.RequestID,
		Duration:   end.Took,
		RateWindow: rateWindow(end.Header),
		DailyQuota: t.daily(),
	}
	if f := end.Failure; f != nil {
		c := &call{operation: info.Call.Operation, method: info.Call.Method, path: info.Call.Template, dialect: t.dialect}
		result.Err = newError(c, &transport.Answer{Attempts: info.Number}, f)
	}
	return result
}

// Waited implements [transport.Observer].
func (t *clientTrace) Waited(ctx context.Context, reason transport.WaitReason, d time.Duration) {
	info := WaitInfo{Call: callInfo(ctx), Reason: WaitReason(reason), Duration: d}
	for _, hook := range t.wait {
		hook(ctx, info)
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
