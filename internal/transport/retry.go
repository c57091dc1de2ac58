package transport

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// series is the attempts of one call. After each of them, either answer or
// failure is set.
type series struct {
	pipeline *Pipeline
	last     attempt  // Its request and audience are those of all.
	first    exchange // Memory for that of the first attempt, which so needs no other.
	answer   *Answer
	failure  *Failure

	counted        uint32    // Attempts, without those that the rate limit refused. All of them are last.number.
	dropped        uint8     // Attempts whose token was refused, and dropped.
	outdated       uint8     // Attempts whose token was refused, and out of date.
	throttledSince time.Time // When the rate limit refused an attempt for the first time; zero if it did not.

	pauseBegan time.Time           // Zero without a pause, or without an audience.
	resume     func(time.Duration) // Tells of the end of the pause; may be nil.
	waited     time.Duration       // In pauses, and for lease and token; zero without an audience.
}

// try makes one attempt.
func (s *series) try(message *http.Request) {
	s.last = attempt{request: s.last.request, number: s.last.number + 1, message: message, audience: s.last.audience, paused: s.endPause()}
	if s.last.number == 1 {
		s.last.memory = &s.first
	}
	s.answer, s.failure = s.pipeline.chain.do(message.Context(), &s.last)
	s.waited += s.last.waited
	if s.failure == nil {
		s.pipeline.budget.earn()
	}
}

// again decides whether another attempt follows the last one, and after which pause. The
// first line that fits decides:
//
//	ctx has ended                                   no
//	a file cannot be sent or taken again            no
//	the limiter held the request                    no
//	its token was refused                           at once, if there is another: see tokenReplaced
//	as many attempts were counted as there may be   no: see enough
//	the rate limit refused it                       after a pause
//	it is MaybeProcessed, or not transient          no
//	it is the first, and turnedAway or cutOff       at once: its stream ended, or a used connection
//	any other: an outage, half an answer to a GET,  after a pause, if the budget pays for it
//	a new connection that ended or was refused
//
// A pause that is not affordable is not begun: there is no other attempt.
func (s *series) again(ctx context.Context) (pause time.Duration, again bool) {
	f, r := s.failure, s.last.request
	s.count(f)
	switch {
	case ctx.Err() != nil, !r.repeatable(), f.fate == held:
		return 0, false
	case f.tokenRefused():
		return 0, s.tokenReplaced(f)
	case s.enough():
		return 0, false
	case f.throttled():
		pause = f.pause(r, s.last.number)
		return pause, s.affordable(ctx, pause)
	case f.MaybeProcessed, !IsTransient(f.Status, f.Said.Code, f.Err):
		return 0, false
	case s.last.number == 1 && f.lostConnection():
		return jitter(r, 0), true // It is 0, except in a simulation: see Random.
	}
	pause = f.pause(r, s.last.number)
	return pause, s.affordable(ctx, pause) && s.pipeline.budget.spend()
}

// count notes what is counted of an attempt.
func (s *series) count(f *Failure) {
	switch {
	case !f.throttled():
		s.counted++
	case s.throttledSince.IsZero():
		s.throttledSince = time.Now()
	}
	switch f.refusal {
	case TokenDropped:
		s.dropped++
	case TokenOutdated:
		s.outdated++
	}
}

// enough reports whether as many attempts were counted as there may be. Those that the rate
// limit refused do not count. But a caller who wants a single attempt gets no other after the
// rate limit has refused it; after a refused token there is one.
func (s *series) enough() bool { return s.most() == 1 || int(s.counted) >= s.most() }

// most is how many attempts may be counted.
func (s *series) most() int { return cmp.Or(s.last.request.MaxAttempts, s.pipeline.maxAttempts) }

// mostOutdated bounds the tokens of one call that were out of date.
const mostOutdated = 3

// tokenReplaced reports whether another attempt has a token that may be accepted:
//
//	the refused token          another attempt
//	is outdated                up to mostOutdated times: its refusal tells nothing of the next
//	is dropped, first such     yes
//	is dropped, second such    no: the tokens are not the cause
//	is kept                    no: it would be refused again
func (s *series) tokenReplaced(f *Failure) bool {
	switch f.refusal {
	case TokenDropped:
		return s.dropped == 1
	case TokenOutdated:
		return s.outdated <= mostOutdated
	}
	return false
}

// IsTransient reports whether the same request may succeed a moment after a failure
// with a status, a code of the service's, and a cause.
func IsTransient(status int, code string, err error) bool {
	switch {
	case status == http.StatusTooManyRequests || code == wire.CodeRateLimit:
		return true
	case errors.Is(err, ErrTooLarge) || errors.Is(err, ErrRedirect):
		return false
	case code == wire.CodeInternalError || isOutage(status):
		return true
	}
	return errors.Is(err, ErrTransport) && !IsPermanent(err)
}

// isOutage tells the statuses of a service, or of a gateway in front of it, that is
// out of order for the moment. Gateways have added some: 520 to 530 are about the
// way to the service, where 526 is its certificate, and 598 and 599 time limits.
func isOutage(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, 598, 599:
		return true
	}
	return status >= 520 && status <= 530 && status != 526
}

// affordable reports whether a pause is worth beginning: no longer than maxWait, and over
// before the deadline of ctx. Attempts that the rate limit refused are bounded by time, as
// they do not count: once most attempts were made with them, maxWait is for all of the time
// since the first refusal.
func (s *series) affordable(ctx context.Context, pause time.Duration) bool {
	deadline, ok := ctx.Deadline()
	made, all := s.last.number, pause
	if s.failure.throttled() && made >= s.most() {
		all += time.Since(s.throttledSince)
	}
	return all <= s.pipeline.maxWait && (!ok || pause < time.Until(deadline))
}

const (
	baseBackoff = 500 * time.Millisecond // Doubled for each attempt, it bounds the random pause: a second after the first.
	maxBackoff  = 20 * time.Second

	// If the service says when to come again, that many attempts come within baseBackoff
	// of that time. Later ones come later.
	promptAttempts = 4
)

// pause returns how long to wait after a failure: a random time that grows with the
// attempts. If the service says when to come again, that time counts from then on, and
// grows only after promptAttempts.
func (f *Failure) pause(r *Request, attempts int) time.Duration {
	if !f.RetryAt.IsZero() {
		return max(0, time.Until(f.RetryAt)) + backoff(r, max(0, attempts-promptAttempts))
	}
	return backoff(r, attempts)
}

// backoff returns a random pause of up to baseBackoff, doubled so many times.
func backoff(r *Request, doublings int) time.Duration {
	return jitter(r, min(maxBackoff, baseBackoff<<min(doublings, 10)))
}

// Random draws a number up to n, for a request. A simulation puts one in its place that
// a seed fixes, and that tells requests apart which come at one moment.
var Random = func(_ *Request, n int64) int64 { return rand.Int64N(n + 1) } //nolint:gochecknoglobals,gosec // Nobody else sets it, and it is no secret.

// jitter spreads callers over the whole of d.
func jitter(r *Request, d time.Duration) time.Duration { return time.Duration(Random(r, int64(d))) }
