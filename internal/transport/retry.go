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

// The service's codes on which a retry depends.
const (
	codeRateLimit     = wire.CodeRateLimit
	codeInternalError = wire.CodeInternalError
)

// series is the attempts of one call. After each of them, either answer or
// failure is set.
type series struct {
	pipeline *Pipeline
	last     attempt  // Its request and audience are those of all.
	first    exchange // That of the first attempt, which so needs no memory of its own.
	answer   *Answer
	failure  *Failure

	throttledSince time.Time // When the rate limit refused the first attempt.
	throttled      uint32    // Attempts that it refused. They do not count against the most, unless that is one.
	refused        uint16    // Attempts whose token was refused. They count, but do not end the call: tokenReplaced bounds them.
	outdated       uint16    // Those of them whose token was out of date.

	pauseBegan time.Time           // Zero without a pause, or without an audience.
	resume     func(time.Duration) // Tells of the end of the pause; may be nil.
	waited     time.Duration       // In pauses, and for lease and token; zero without an audience.
}

// try makes one attempt.
func (s *series) try(message *http.Request) {
	s.last = attempt{request: s.last.request, number: s.last.number + 1, message: message, audience: s.last.audience, paused: s.endPause()}
	if s.last.number == 1 {
		s.last.room = &s.first
	}
	s.answer, s.failure = s.pipeline.chain.do(message.Context(), &s.last)
	s.waited += s.last.waited
}

// again decides whether another attempt follows the last one, and after which
// pause. If the first attempt failed for its connection alone, the second one costs no
// pause and no budget: the service is not known to be in trouble.
func (s *series) again(ctx context.Context) (pause time.Duration, again bool) {
	f := s.failure
	s.count(f)
	if ctx.Err() != nil || s.enough(f) || !s.worthRetrying(f) || !s.last.request.repeatable() {
		return 0, false
	}
	if f.freeRetry && s.last.number == 1 {
		return jitter(s.last.request, 0), true // It is 0, except in a simulation: see Random.
	}
	pause = f.pause(s.last.request, s.last.number)
	return pause, s.affordable(ctx, pause) && (f.refusedUnread() || s.pipeline.budget.spend())
}

// count counts the refusals for the rate limit and for a token.
func (s *series) count(f *Failure) {
	if f.throttled() {
		if s.throttled++; s.throttled == 1 {
			s.throttledSince = time.Now()
		}
	}
	if f.tokenRefused() {
		s.refused++
		if f.refusal == TokenOutdated {
			s.outdated++
		}
	}
}

// enough reports whether there were as many attempts as there may be, not counting those
// that the rate limit refused. If there may be one attempt only, it is enough in any case but
// that of a refused token, for which tokenReplaced has a bound of its own.
func (s *series) enough(f *Failure) bool {
	if f.tokenRefused() {
		return false
	}
	return s.most() == 1 || s.last.number-int(s.throttled) >= s.most()
}

// most is how many attempts there may be, without those that are not counted.
func (s *series) most() int { return cmp.Or(s.last.request.MaxAttempts, s.pipeline.maxAttempts) }

// worthRetrying is the retry contract of the package documentation.
func (s *series) worthRetrying(f *Failure) bool {
	switch {
	case f.held:
		return false
	case f.tokenRefused():
		return s.tokenReplaced(f)
	case f.throttled():
		return true
	case f.MaybeProcessed:
		return false
	}
	return IsTransient(f.Status, f.Answer.Code, f.Err)
}

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
		return s.refused-s.outdated == 1
	case TokenOutdated:
		return s.outdated <= mostOutdated
	}
	return false
}

// IsTransient reports whether the same request may succeed a moment after a failure
// with a status, a code of the service's, and a cause.
func IsTransient(status int, code string, err error) bool {
	switch {
	case status == http.StatusTooManyRequests || code == codeRateLimit:
		return true
	case errors.Is(err, ErrTooLarge) || errors.Is(err, ErrRedirect):
		return false
	case code == codeInternalError || isOutage(status):
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

// affordable reports whether the pause is worth beginning: no longer than the
// caller accepts, and over before the deadline. If the rate limit refuses more
// attempts than would count, all its refusals together may take as long as one pause.
func (s *series) affordable(ctx context.Context, pause time.Duration) bool {
	deadline, ok := ctx.Deadline()
	all := pause
	if s.failure.throttled() && s.last.number >= s.most() {
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
	switch {
	case f.tokenRefused():
		return 0
	case !f.RetryAt.IsZero():
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
