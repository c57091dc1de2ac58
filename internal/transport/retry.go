package transport

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// The service's codes on which a retry depends.
const (
	codeRateLimit     = wire.CodeRateLimit
	codeInternalError = wire.CodeInternalError
)

// retrier is the uppermost link. The library does the loop; which failure is
// worth another attempt, and when, is decided here.
type retrier struct {
	client      *http.Client
	maxAttempts int
	maxWait     time.Duration
	budget      budget
	loops       sync.Pool
}

func newRetrier(next http.RoundTripper, c Config) *retrier {
	r := &retrier{
		// A struct around the transport hides its CloseIdleConnections, which
		// the library would call after each failure, on a pool that others use.
		client:      &http.Client{Transport: struct{ http.RoundTripper }{next}, Jar: c.Jar, CheckRedirect: refuseRedirects},
		maxAttempts: c.MaxAttempts,
		maxWait:     c.MaxWait,
	}
	r.loops.New = func() any { return r.newLoop() }
	return r
}

func refuseRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// loop is the library's client. It serves one call at a time, since its Backoff
// is not told which call it is asked about.
type loop struct {
	library retryablehttp.Client
	call    *call
}

func (r *retrier) newLoop() *loop {
	l := new(loop)
	l.library = retryablehttp.Client{
		HTTPClient:   r.client,
		RetryMax:     math.MaxInt, // The call counts.
		CheckRetry:   func(ctx context.Context, _ *http.Response, err error) (bool, error) { return l.call.check(ctx, err) },
		Backoff:      func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return l.call.pause },
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	return l
}

// do sends the request of one call.
func (r *retrier) do(c *call, request *retryablehttp.Request) (*http.Response, error) {
	c.retrier = r
	l := r.loops.Get().(*loop) //nolint:forcetypeassert // The pool holds nothing else.
	l.call = c
	defer func() {
		l.call = nil
		r.loops.Put(l)
	}()
	return l.library.Do(request)
}

// check is called after each attempt. It keeps the failure in the call, where
// it survives whatever ends the loop.
func (c *call) check(ctx context.Context, err error) (bool, error) {
	if err == nil {
		c.retrier.budget.earn()
		return false, nil
	}
	f := c.fail(err)
	if ctx.Err() != nil || c.answer.Attempts >= c.maxAttempts() && !tokenRefused(f) || !c.worthRetrying(f) {
		return false, f
	}
	c.pause = f.pause(c.answer.Attempts)
	if !c.affordable(ctx) || !f.cheap() && !c.retrier.budget.spend() {
		return false, f
	}
	return true, nil
}

func (c *call) maxAttempts() int { return cmp.Or(c.request.MaxAttempts, c.retrier.maxAttempts) }

// fail notes the outcome of an attempt.
func (c *call) fail(err error) *Failure {
	f := failureOf(err)
	f.MaybeProcessed = !c.request.Idempotent && f.maybeProcessed()
	c.failure = f
	return f
}

// maybeProcessed reports whether the service may have acted on the request: it
// was sent, and not refused before anything could happen.
func (f *Failure) maybeProcessed() bool {
	if !f.Sent || f.notProcessed() {
		return false
	}
	return f.Status == 0 || f.Status >= 500 || f.Status < 400
}

// notProcessed reports whether the service said that it did not act.
func (f *Failure) notProcessed() bool {
	return f.cheap() || f.Answer.Code != "" && f.Answer.Code != codeInternalError && f.Status < 500
}

// cheap reports whether a retry adds nothing to an outage: the service works,
// and wants the request later, or with another token.
func (f *Failure) cheap() bool {
	return f.Status == http.StatusTooManyRequests || f.Answer.Code == codeRateLimit || tokenRefused(f)
}

// worthRetrying is the retry contract of the package documentation.
func (c *call) worthRetrying(f *Failure) bool {
	switch {
	case tokenRefused(f):
		if c.reauthenticated || !f.otherToken {
			return false
		}
		c.reauthenticated = true
		return true
	case f.cheap():
		return !f.held
	case errors.Is(f.Err, ErrTooLarge) || errors.Is(f.Err, ErrRedirect) || f.MaybeProcessed:
		return false
	case f.Answer.Code == codeInternalError:
		return true
	}
	switch f.Status {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return errors.Is(f.Err, ErrTransport) && !IsPermanent(f.Err)
}

const (
	minBackoff = 500 * time.Millisecond
	maxBackoff = 20 * time.Second
)

// pause returns how long to wait after a failure: as long as the service says,
// or longer after each attempt.
func (f *Failure) pause(attempts int) time.Duration {
	switch {
	case tokenRefused(f):
		return 0
	case !f.RetryAt.IsZero():
		return max(0, time.Until(f.RetryAt)) + jitter(minBackoff)
	}
	return jitter(min(maxBackoff, minBackoff<<min(attempts, 10)))
}

// affordable reports whether the pause is worth beginning: no longer than the
// caller accepts, and over before the deadline.
func (c *call) affordable(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return c.pause <= c.retrier.maxWait && (!ok || c.pause < time.Until(deadline))
}

// jitter spreads callers over the whole of d.
func jitter(d time.Duration) time.Duration { return rand.N(d) + 1 } //nolint:gosec // It is no secret.

// verdict is the outcome of a call that failed. Where the caller's context
// ended it, the context's error and its cause stand beside the last failure.
func (c *call) verdict(ctx context.Context, err error) *Failure {
	f := c.failure
	if f == nil {
		f = c.fail(err)
	}
	for _, ended := range []error{context.Cause(ctx), ctx.Err()} {
		if ended != nil && !errors.Is(f.Err, ended) {
			f.Err = errors.Join(ended, f.Err)
		}
	}
	return f
}
