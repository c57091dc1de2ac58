// Package transport is the pipeline that every request goes through. Each link
// is one file; New puts them together.
package transport

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/salesiq-go/salesiq/internal/redact"
)

// Config is what a pipeline is made of. All fields are required unless they
// say otherwise.
type Config struct {
	Base           http.RoundTripper
	Jar            http.CookieJar // Optional.
	Tokens         Tokens
	Limiter        Limiter
	Logger         *slog.Logger // Optional.
	Observer       Observer     // Optional.
	UserAgent      string
	AttemptTimeout time.Duration // From the moment a request may be sent to the end of its answer.
	StallTimeout   time.Duration // Without a byte of the answer's body.
	MaxBody        int64         // Bytes, after inflation.
	MaxAttempts    int
	MaxWait        time.Duration // The longest pause before a retry.
}

// Request is one call to make.
type Request struct {
	Operation   string
	Method      string
	URL         string
	Header      http.Header // Optional, beyond the pipeline's own.
	Body        []byte      // JSON; nil sends none.
	Secrets     []string    // In the body, not to be seen in a Failure.
	Idempotent  bool        // It may be sent again although it may have been processed.
	MaxAttempts int         // Overrides the pipeline's unless 0.
}

// Pipeline sends requests. It is safe for concurrent use.
type Pipeline struct {
	retrier  *retrier
	observer Observer // Nil for none.
}

// New assembles the pipeline, from the wire upwards: limiter and token sit
// below the retry, so that each attempt pays quota and carries the current
// token.
func New(c Config) *Pipeline {
	c.watch()
	wire := &sender{next: c.Base, timeout: c.AttemptTimeout, stall: c.StallTimeout, maxBody: c.MaxBody}
	authorized := &authorizer{next: wire, tokens: c.Tokens, userAgent: []string{c.UserAgent}}
	var limited http.RoundTripper = &limiter{next: authorized, limiter: c.Limiter}
	if c.Observer != nil {
		limited = &watcher{next: limited, observer: c.Observer}
	}
	traced := &tracer{next: limited, logger: c.Logger}
	return &Pipeline{retrier: newRetrier(traced, c), observer: c.Observer}
}

// Do sends a request until it is answered or given up. The Answer is never nil;
// after an error only its Attempts count.
func (p *Pipeline) Do(ctx context.Context, r *Request) (*Answer, error) {
	c := &call{Context: ctx, request: r}
	var body any // Not a []byte: the library tells nil from empty.
	if r.Body != nil {
		body = r.Body
	}
	request, err := retryablehttp.NewRequestWithContext(c, r.Method, r.URL, body)
	if err != nil {
		return &Answer{}, &Failure{Err: redact.StripURL(err)}
	}
	request.Host = ""                         // It is the URL's, which http.Client would copy otherwise.
	response, err := p.retrier.do(c, request) //nolint:bodyclose // It is in memory.
	if err != nil {
		if ctx.Err() != nil {
			c.endPause(request.Context(), p.observer)
		}
		return &c.answer, c.verdict(ctx, err)
	}
	c.answer.take(response, r)
	return &c.answer, nil
}

// call is the state of one call. The links find it in the request's context.
// It is used by one goroutine at a time.
type call struct {
	context.Context // It is the context, with itself as a value.

	request         *Request
	retrier         *retrier
	answer          Answer        // Of one piece with the call. Its Attempts count from the start.
	reauthenticated bool          // A second try with a new token was made.
	failure         *Failure      // Of the last attempt.
	pause           time.Duration // Before the next attempt.
	ended           time.Time     // The last attempt; zero unless observed.
	waited          time.Duration // Within the attempt; zero unless observed.
}

type callKey struct{}

// Value returns the call itself beside what the caller's context holds.
func (c *call) Value(key any) any {
	if key == (callKey{}) {
		return c
	}
	return c.Context.Value(key)
}

func callOf(ctx context.Context) *call {
	return ctx.Value(callKey{}).(*call) //nolint:forcetypeassert // Do put it there.
}
