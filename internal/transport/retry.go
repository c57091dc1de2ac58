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
	request  *Request
	audience *audience // Nil for none.
	last     attempt
	answer   *Answer
	failure  *Failure
	newToken bool                // An attempt was made because there was another token.
	outdated int                 // Tokens that were out of date.
	paused   time.Time           // When the present pause began; zero for none, or without an audience.
	resume   func(time.Duration) // Tells of its end; may be nil.
	waited   time.Duration       // In pauses, and for lease and token; zero without an audience.

	throttled int       // Attempts that the rate limit refused.
	since     time.Time // When it refused the first one.
}

// try makes one attempt.
func (s *series) try(message *http.Request) {
	s.last = attempt{request: s.request, number: s.last.number + 1, message: message, audience: s.audience, paused: s.endPause()}
	s.answer, s.failure = s.pipeline.chain.do(message.Context(), &s.last)
	s.waited += s.last.waited
}

// again decides whether another attempt follows the last one, and after which
// pause. If the connection ended under the first attempt, the next one costs
// nothing: it has another connection.
func (s *series) again(ctx context.Context) (pause time.Duration, again bool) {
	f := s.failure
	if f == nil {
		s.pipeline.budget.earn()
		return 0, false
	}
	s.noteThrottled(f)
	if ctx.Err() != nil || s.enough(f) || !s.worthRetrying(f) || !s.request.repeatable() {
		return 0, false
	}
	if f.moved && s.last.number == 1 {
		return 0, true
	}
	pause = f.pause(s.last.number)
	return pause, s.affordable(ctx, pause) && (f.cheap() || s.pipeline.budget.spend())
}

func (s *series) noteThrottled(f *Failure) {
	if !f.throttled() {
		return
	}
	if s.throttled++; s.throttled == 1 {
		s.since = time.Now()
	}
}

// enough reports whether there were as many attempts as there may be. One that the
// rate limit refused does not count, unless there is to be no retry at all. Nor does
// one whose token was refused.
func (s *series) enough(f *Failure) bool {
	if f.tokenRefused() {
		return false
	}
	return s.most() == 1 || s.last.number-s.throttled >= s.most()
}

// most is how many attempts there may be, those aside that do not count.
func (s *series) most() int { return cmp.Or(s.request.MaxAttempts, s.pipeline.maxAttempts) }

// worthRetrying is the retry contract of the package documentation.
func (s *series) worthRetrying(f *Failure) bool {
	switch {
	case f.tokenRefused():
		return s.tokenReplaced(f)
	case f.cheap():
		return !f.held
	case f.MaybeProcessed:
		return false
	}
	return IsTransient(f.Status, f.Answer.Code, f.Err)
}

// mostOutdated bounds the tokens of one call that were out of date.
const mostOutdated = 3

// tokenReplaced reports whether an attempt with another token is due: one, and one
// for each token that was out of date.
func (s *series) tokenReplaced(f *Failure) bool {
	again := f.replacement == OtherToken && !s.newToken
	if f.replacement == LikelyNewOne {
		s.outdated++
		again = s.outdated <= mostOutdated
	}
	s.newToken = true
	return again
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
		all += time.Since(s.since)
	}
	return all <= s.pipeline.maxWait && (!ok || pause < time.Until(deadline))
}

const (
	minBackoff = 500 * time.Millisecond
	maxBackoff = 20 * time.Second

	promptAttempts = 4 // Come as soon as the service says.
)

// pause returns how long to wait after a failure: as long as the service says,
// or longer after each attempt. If the service goes on refusing although the call
// came when it said, the pauses grow, too.
func (f *Failure) pause(attempts int) time.Duration {
	switch {
	case f.tokenRefused():
		return 0
	case !f.RetryAt.IsZero():
		return max(0, time.Until(f.RetryAt)) + jitter(min(maxBackoff, minBackoff<<min(max(0, attempts-promptAttempts), 10)))
	}
	return jitter(min(maxBackoff, minBackoff<<min(attempts, 10)))
}

// Random draws a number below n. A simulation puts one in its place that a seed fixes.
var Random = rand.Int64N //nolint:gochecknoglobals // Nobody else sets it.

// jitter spreads callers over the whole of d.
func jitter(d time.Duration) time.Duration { return time.Duration(Random(int64(d))) + 1 }
