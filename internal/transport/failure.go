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
	Said           wire.ErrorBody // The service's own words, if there are any.
	Dialect        wire.Dialect   // In which it answered; nil if that is not clear.
	ContentType    string
	Excerpt        string // Of a body that is not the service's.
	RequestID      string
	RetryAt        time.Time // By the local clock; zero if unknown.
	MaybeProcessed bool      // The service may have acted on it, and the request is not idempotent.
	Err            error     // The cause, unless the service spoke for itself.

	fate    fate
	refusal Refusal // What became of the token, if it was refused.
}

// fate is how far a request got that failed. Who notices the failure sets it. It tells
// whether the service may have acted on the request:
//
//	fate        the request                                                  acted
//	----------  -----------------------------------------------------------  -----
//	unsent      did not leave: no whole header was written to a connection   no
//	held        did not leave: the limiter would have held it for too long   no
//	tokenless   did not leave: there was no token for it                     no
//	turnedAway  was not read: the service refused its HTTP/2 stream          no
//	            (REFUSED_STREAM), went away (GOAWAY; but see cutOff), or
//	            gave up the idle connection (a 408: connectionWasIdle in
//	            send.go)
//	sent        may have arrived, in part at least; there is no answer: a    maybe
//	            time limit, or the end of a new connection or a POST's
//	cutOff      as sent, but net/http itself began to repeat it: the end     maybe
//	            of a used connection, or a GOAWAY, under a GET; up to
//	            Go 1.26, a GOAWAY or PROTOCOL_ERROR under any request
//	            without a body (fateIfRepeated in nethttp.go)
//	partlyDone  was answered: some parts were done, others not               maybe
//	answered    was answered, in whole or in part                            see mayHaveActed
type fate uint8

const (
	unsent fate = iota
	held
	tokenless
	turnedAway
	sent // From here on, the service may have acted.
	cutOff
	partlyDone
	answered
)

func (f *Failure) Error() string {
	if f.Err != nil {
		return f.Err.Error()
	}
	return fmt.Sprintf("HTTP %d %s", f.Status, f.Said.Code)
}

func (f *Failure) Unwrap() error { return f.Err }

// mayHaveActed reports whether the service may have acted on the request. Of one that was
// answered, the first line that fits decides:
//
//	refused unread: for the rate limit, or its token    no
//	half an answer                                      yes
//	an error with the code of an internal error         yes
//	an error with another code, and no 5xx              no
//	a 2xx or 3xx whose body is an error with a message  no
//	any other 2xx or 3xx, 408, 5xx                      yes
//	any other 4xx                                       no
//
// Codes are those of the service's own error bodies: a gateway in front of it has none. Its 408
// says that it has waited in vain. A 408 about an idle connection is no answer, but turnedAway.
func (f *Failure) mayHaveActed() bool {
	switch {
	case f.fate != answered:
		return f.fate >= sent
	case f.throttled(), f.tokenRefused():
		return false
	case errors.Is(f.Err, ErrTransport), f.Said.Code == wire.CodeInternalError:
		return true
	case f.Said.Code != "" && f.Status < 500, f.Said.Message != "" && f.Status < 400:
		return false
	}
	return f.Status < 400 || f.Status >= 500 || f.Status == http.StatusRequestTimeout
}

// throttled reports whether the service refused the request for the rate limit.
func (f *Failure) throttled() bool {
	return f.fate == answered && (f.Status == http.StatusTooManyRequests || f.Said.Code == wire.CodeRateLimit)
}

// tokenRefused reports whether the service refused the request for its token.
func (f *Failure) tokenRefused() bool { return f.fate == answered && f.Said.RefusesToken(f.Status) }

// lostConnection reports whether the request failed for its HTTP/2 stream, for a GOAWAY, or,
// over HTTP/1, for a connection that was used before. That says nothing of the service. Where a
// new connection ends, or none comes about, the service may be down.
func (f *Failure) lostConnection() bool { return f.fate == turnedAway || f.fate == cutOff }

// isFinal reports whether there would be no other attempt even if ctx went on: the service has
// given a whole answer, which lasts or came to the last attempt, or the limiter has. If a caller's
// writer fails, or there is no whole answer, ctx may be the reason.
func (f *Failure) isFinal(last bool) bool {
	switch {
	case f.fate == held:
		return true
	case f.fate < partlyDone, errors.Is(f.Err, ErrTransport), errors.Is(f.Err, errUnwritten):
		return false
	}
	return f.MaybeProcessed || !f.tokenRefused() && (last || !IsTransient(f.Status, f.Said.Code, f.Err))
}

// endedBy returns the failure of a call, of whose last attempt it is. If ctx ended the call, the
// context's error and its cause stand beside the failure. Ctx may also have ended too late to
// matter: see isFinal. Last tells that as many attempts were counted as there may be.
func (f *Failure) endedBy(ctx context.Context, last bool) *Failure {
	if f.isFinal(last) {
		return f
	}
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
	f := &Failure{Status: status, Header: header, fate: answered, RequestID: requestID(header, hide)}
	f.RetryAt = retryAt(f.throttled(), header, time.Now())
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
