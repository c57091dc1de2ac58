package transport

import (
	"context"
	"net/http"
	"time"
)

// Observer is told what happens to a call on its way.
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

// observed is the link that tells the observer of each attempt.
type observed struct {
	next     link
	observer Observer
}

func (l *observed) do(ctx context.Context, a *attempt) (*Answer, *Failure) {
	a.header = http.Header{}
	ctx, end := l.observer.Attempt(ctx, a.number, a.header)
	start := time.Now()
	answer, f := l.next.do(ctx, a)
	took := time.Since(start) - a.waited
	if f == nil {
		end(AttemptEnd{Status: answer.Status, Header: answer.Header, RequestID: requestID(answer.Header, answer.hide), Took: took})
		return answer, nil
	}
	throttled := f.Status != 0 && f.throttled()
	end(AttemptEnd{Status: f.Status, Header: f.Header, RequestID: f.RequestID, Took: took, Throttled: throttled, Failure: f})
	return nil, f
}

// startWait returns when a wait begins, for endWait.
func (a *attempt) startWait() (start time.Time) {
	if a.observer != nil {
		start = time.Now()
	}
	return start
}

// endWait tells the observer, if there is one, of a wait that is over.
func (a *attempt) endWait(ctx context.Context, reason WaitReason, start time.Time) {
	if a.observer != nil {
		took := time.Since(start)
		a.waited += took
		tellWait(ctx, a.observer, reason, took)
	}
}

// minWait is the shortest wait that is told of. Whatever is shorter was spent on
// finding that there is nothing to wait for.
const minWait = time.Millisecond

func tellWait(ctx context.Context, o Observer, reason WaitReason, d time.Duration) {
	if d >= minWait {
		o.Waited(ctx, reason, d)
	}
}
