package transport

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Config is what a pipeline is made of. All fields are required unless they
// say otherwise.
type Config struct {
	Base           http.RoundTripper
	OwnBase        bool           // Base is an http.Transport with the HTTP/2 of package net/http.
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
	Body        []byte      // JSON, unless Header says otherwise; nil sends none.
	Upload      *Upload     // Instead of Body; nil for none.
	Download    *Download   // That takes the answer; nil for none.
	Secrets     []string    // In the body, not to be seen in a Failure.
	Idempotent  bool        // It may be sent again although it may have been processed.
	MaxAttempts int         // Overrides the pipeline's unless 0.
}

// link is a part of the chain. An attempt goes in; an answer or a failure comes
// out, and the other one is nil.
type link interface {
	do(ctx context.Context, a *attempt) (*Answer, *Failure)
}

// attempt is one try at a request, on its way down the chain.
type attempt struct {
	request   *Request
	number    int           // Of the call's attempts, from 1.
	message   *http.Request // Method, address and body to send.
	audience  *audience     // Hears of its waits; nil if nobody does.
	memory    *exchange     // Unused, for its exchange; nil for new memory.
	header    http.Header   // What the observer adds; nil for nothing.
	token     string        // The Authorization header.
	protocol  string        // Of the answer; empty without one.
	paused    time.Duration // How long the call paused before it; zero without an audience.
	waited    time.Duration // For lease and token; zero without an audience.
	waitBegan time.Time     // Set within a wait that is only measured: see startWait.
}

// Pipeline sends requests. It is safe for concurrent use.
type Pipeline struct {
	chain       link
	audience    *audience // As in attempt.
	maxAttempts int
	maxWait     time.Duration
	budget      budget
}

// New assembles the pipeline. It reads from the wire upwards.
func New(c Config) *Pipeline {
	// One request is sent, and its whole answer read and judged.
	var chain link = newSender(c)

	// Tracers are told of the request alone, without the waits.
	if c.Observer != nil {
		chain = &observed{next: chain, observer: c.Observer, begin: c.Observer.Request}
	}

	// It carries the token of the moment.
	chain = &authorized{next: chain, tokens: c.Tokens}

	// Before that, it waits for its turn: quota, and a free place.
	chain = &limited{next: chain, limiter: c.Limiter}

	// Tracers are told of the attempt, and of what it waits for on the way down.
	if c.Observer != nil {
		chain = &observed{next: chain, observer: c.Observer, begin: c.Observer.Attempt}
	}

	// The log has a line for each attempt.
	if c.Logger != nil {
		chain = &logged{next: chain, logger: c.Logger}
	}

	// On top is the call, which makes attempts until one is the last.
	return &Pipeline{chain: chain, audience: newAudience(&c), maxAttempts: c.MaxAttempts, maxWait: c.MaxWait}
}

// Do sends a request until it is answered or given up. The Answer is never nil;
// after an error it has nothing but Attempts and Waited.
func (p *Pipeline) Do(ctx context.Context, r *Request) (*Answer, error) {
	l := &loop{series: series{pipeline: p, last: attempt{request: r, audience: p.audience.of(ctx)}}}
	l.run(ctx)
	if l.failure != nil {
		l.endPause()
		return &Answer{Attempts: l.last.number, Waited: l.waited}, l.failure.endedBy(ctx, l.enough())
	}
	l.answer.Attempts, l.answer.Waited = l.last.number, l.waited
	return l.answer, nil
}
