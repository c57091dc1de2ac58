package transport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// Failure is an unsuccessful outcome: of one attempt, or of the call.
type Failure struct {
	Status         int // 0 without an answer.
	Header         http.Header
	Answer         wire.ErrorBody // The service's own words, if there are any.
	Dialect        wire.Dialect   // In which it answered; nil if that is not clear.
	ContentType    string
	Excerpt        string // Of a body that is not the service's.
	RequestID      string
	RetryAt        time.Time // By the local clock; zero if unknown.
	Sent           bool      // The service may have taken the request up: some of it may have arrived, and was not refused unread.
	MaybeProcessed bool      // The service may have acted on it, and the request is not idempotent.
	Err            error     // The cause, unless the service spoke for itself.

	refusal   Refusal // What became of the token, if it was refused.
	freeRetry bool    // The connection or its stream was given up, which says nothing of the service: a second attempt is free.
	mixed     bool    // Some parts of what was asked for were done, others not.
	held      bool    // The limiter did not let it go, since it would wait for too long.
	tokenless bool    // There was no token for it.
}

func (f *Failure) Error() string {
	if f.Err != nil {
		return f.Err.Error()
	}
	return fmt.Sprintf("HTTP %d %s", f.Status, f.Answer.Code)
}

func (f *Failure) Unwrap() error { return f.Err }

// mayHaveActed reports whether the service may have acted on the request. It is the
// table of the package documentation.
func (f *Failure) mayHaveActed() bool {
	switch {
	case f.mixed:
		return true
	case !f.Sent, f.refusedUnread():
		return false
	case f.Answer.Code == codeInternalError:
		return true // The service broke down, whatever the status says.
	case errors.Is(f.Err, ErrTransport):
		return true // The missing part of the answer may say that.
	case f.Answer.Code != "" && f.Status < 500, f.Answer.Message != "" && f.Status < 400:
		return false // The service says why it did not act.
	}
	return f.Status < 400 || f.Status >= 500 || f.Status == http.StatusRequestTimeout
}

// refusedUnread reports whether the request was turned away before anybody read it, for
// the rate limit or for its token. The service is up, then, so that another attempt
// spends no retry budget.
func (f *Failure) refusedUnread() bool { return f.throttled() || f.tokenRefused() }

// throttled reports whether the service refused the request for the rate limit. What the
// limiter held has the same code, but no status: it has not left.
func (f *Failure) throttled() bool {
	return !f.mixed && f.Status != 0 && (f.Status == http.StatusTooManyRequests || f.Answer.Code == codeRateLimit)
}

// endedBy returns the failure of a call. If ctx ended it, the context's error and
// its cause stand beside the failure.
func (f *Failure) endedBy(ctx context.Context) *Failure {
	for _, ended := range []error{context.Cause(ctx), ctx.Err()} {
		if ended != nil && !errors.Is(f.Err, ended) {
			f.Err = errors.Join(ended, f.Err)
		}
	}
	return f
}

const excerptBytes = 512

// newFailure describes an answer; whether the service itself speaks in it is
// for the caller to find out.
func newFailure(status int, header http.Header, body []byte, hide redact.Secrets) *Failure {
	f := &Failure{Status: status, Header: header, Sent: true, RequestID: requestID(header, hide)}
	f.RetryAt = retryAt(status, header, time.Now())
	contentType, _, _ := mime.ParseMediaType(hide.InText(header.Get("Content-Type"))) //nolint:errcheck // As good as absent.
	f.ContentType = cmp.Or(label(contentType), "no content type")
	f.Dialect = wire.Spoken(body)
	f.Excerpt = excerpt(hide.InBody(body))
	return f
}

// excerpt makes the start of a body fit for one line of a log.
func excerpt(body []byte) string {
	body = redact.HideSecretMembers(body[:min(len(body), 4*excerptBytes)])
	return redact.OneLine(string(body[:min(len(body), excerptBytes)]))
}

func requestID(header http.Header, hide redact.Secrets) string {
	for _, name := range []string{"X-Request-Id", "X-Correlation-Id"} {
		if id := header.Get(name); id != "" {
			return label(hide.InText(id))
		}
	}
	return ""
}

const maxLabel = 128

// label is what is kept of a header's value: no more than fits into a log.
func label(value string) string { return redact.OneLine(value[:min(len(value), maxLabel)]) }
