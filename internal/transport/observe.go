package transport

import (
	"context"
	"maps"
	"net/http"
	"time"
)

// Observer is told what happens to a call on its way. A pipeline without one
// has none of the links of this file.
type Observer interface {
	// Attempt is told that an attempt begins: which one of its call, counted
	// from 1. It returns a context for the attempt, derived from ctx, and a func
	// for its end. What it puts into header is sent along.
	Attempt(ctx context.Context, number int, header http.Header) (context.Context, func(AttemptEnd))
	// Waited is told of a wait that is over.
	Waited(ctx context.Context, reason WaitReason, d time.Duration)
}

// WaitReason is what a call waits for.
type WaitReason string

// What a call waits for.
const (
	WaitQuota   WaitReason = "quota"
	WaitBackoff WaitReason = "backoff"
	WaitToken   WaitReason = "token"
)

// AttemptEnd is the outcome of an attempt.
type AttemptEnd struct {
	Status    int         // 0 without an answer.
	Header    http.Header // Nil without an answer. It must not be changed.
	RequestID string
	Took      time.Duration // Without waits.
	Throttled bool          // The service refused it as one too many.
	Failure   *Failure      // Nil after a success.
}

// minWait is the shortest wait that is told of. Whatever is shorter was spent on
// finding that there is nothing to wait for.
const minWait = time.Millisecond

// waited tells the observer of a wait since start.
func waited(ctx context.Context, o Observer, reason WaitReason, start time.Time) {
	d := time.Since(start)
	callOf(ctx).waited += d
	if d >= minWait {
		o.Waited(ctx, reason, d)
	}
}

// watch puts the observer around what a call waits for.
func (c *Config) watch() {
	if c.Observer != nil {
		c.Limiter = watchedLimiter{c.Limiter, c.Observer}
		c.Tokens = watchedTokens{c.Tokens, c.Observer}
	}
}

type watchedLimiter struct {
	Limiter

	observer Observer
}

func (l watchedLimiter) Acquire(ctx context.Context) (Lease, error) {
	defer waited(ctx, l.observer, WaitQuota, time.Now())
	return l.Limiter.Acquire(ctx)
}

type watchedTokens struct {
	Tokens

	observer Observer
}

func (t watchedTokens) Header(ctx context.Context) (string, error) {
	defer waited(ctx, t.observer, WaitToken, time.Now())
	return t.Tokens.Header(ctx)
}

// watcher is the link that tells the observer of each attempt.
type watcher struct {
	next     http.RoundTripper
	observer Observer
}

func (w *watcher) RoundTrip(request *http.Request) (*http.Response, error) {
	c := callOf(request.Context())
	c.endPause(request.Context(), w.observer)
	// A copy, since the next attempt begins with the request as it is.
	header := http.Header{}
	ctx, end := w.observer.Attempt(request.Context(), c.answer.Attempts, header)
	attempt := request.WithContext(ctx)
	maps.Copy(header, request.Header)
	attempt.Header = header

	c.waited = 0
	start := time.Now()
	response, err := w.next.RoundTrip(attempt)
	c.ended = time.Now()
	end(c.attemptEnd(c.ended.Sub(start)-c.waited, response, err))
	return response, err
}

func (c *call) attemptEnd(took time.Duration, response *http.Response, err error) AttemptEnd {
	if err != nil {
		f := c.fail(err)
		return AttemptEnd{
			Status:    f.Status,
			Header:    f.Header,
			RequestID: f.RequestID,
			Took:      took,
			Throttled: f.Status != 0 && outcomeOf(f).Throttled,
			Failure:   f,
		}
	}
	hide := response.Body.(*body).hide //nolint:forcetypeassert // The sender put it there.
	return AttemptEnd{Status: response.StatusCode, Header: response.Header, RequestID: requestID(response.Header, hide), Took: took}
}

// endPause tells the observer of the pause since the last attempt, if there
// was one. A call that is over after its last attempt did not pause.
func (c *call) endPause(ctx context.Context, o Observer) {
	if o != nil && !c.ended.IsZero() {
		waited(ctx, o, WaitBackoff, c.ended)
		c.ended = time.Time{}
	}
}
