package transport

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// Answer is a successful outcome.
type Answer struct {
	Status   int
	Header   http.Header
	Body     []byte // Valid until Release.
	Attempts int

	request *Request
	body    *body
	shared  bool // Others may read the same body.
}

// body is a whole answer in memory, as the Body of a response.
type body struct {
	bytes.Reader

	data []byte
	hide redact.Secrets
}

func (b *body) Close() error { return nil }

func (a *Answer) take(response *http.Response, r *Request) {
	a.Status, a.Header, a.request = response.StatusCode, response.Header, r
	a.body = response.Body.(*body) //nolint:forcetypeassert // The sender put it there.
	a.Body = a.body.data
}

// Release gives the body's memory back. Whoever keeps the body copies it first.
func (a *Answer) Release() {
	if a.body != nil && !a.shared {
		a.body.free()
		a.body, a.Body = nil, nil
	}
}

// Undecodable is the failure of a caller who could not make sense of the body.
func (a *Answer) Undecodable(cause error) *Failure {
	hide, kind := a.body.hide, ErrDecode
	if errors.Is(cause, io.ErrUnexpectedEOF) {
		kind = ErrTransport
	}
	f := newFailure(a.Status, a.Header, a.Body, hide)
	f.Err = fmt.Errorf("%w: %w", kind, hide.InError(cause))
	f.MaybeProcessed = !a.request.Idempotent
	return f
}

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
	Sent           bool      // Some of the request may have reached the service.
	MaybeProcessed bool
	Err            error // The cause, unless the service spoke for itself.

	otherToken bool // The next attempt would carry another token.
	held       bool // The limiter did not let it go, and knows that waiting is in vain.
}

func (f *Failure) Error() string {
	if f.Err != nil {
		return f.Err.Error()
	}
	return fmt.Sprintf("HTTP %d %s", f.Status, f.Answer.Code)
}

func (f *Failure) Unwrap() error { return f.Err }

// failureOf finds the failure in what a link, or net/http around one, returned.
func failureOf(err error) *Failure {
	var f *Failure
	if !errors.As(err, &f) {
		f = &Failure{Err: fmt.Errorf("%w: %w", ErrTransport, redact.StripURL(err))}
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

// bodies holds bodies between answers. Rare large ones are left to the garbage
// collector.
var bodies = sync.Pool{New: func() any { return new(body) }}

const maxPooledBody = 1 << 20

// free gives the memory back. Nobody may use the body, or a part of it, after
// that.
func (b *body) free() {
	if cap(b.data) <= maxPooledBody {
		*b = body{data: b.data[:0]}
		bodies.Put(b)
	}
}

const minBuffer = 4 << 10

// readAll reads src into a pooled body. It believes a header's size only so
// far, and grows such that all buffers together, outgrown ones included, are no
// larger than twice the limit.
func readAll(src io.Reader, sizeHint, limit int64) (*body, error) {
	most := int(min(limit, math.MaxInt-1)) + 1 // A byte over the limit tells.
	whole := bodies.Get().(*body)              //nolint:forcetypeassert // The pool holds nothing else.
	b := whole.data
	if want := int(min(sizeHint, maxPooledBody-1)) + 1; want > cap(b) {
		b = make([]byte, 0, max(want, minBuffer))
	}
	for {
		if len(b) == cap(b) {
			grown := make([]byte, len(b), nextSize(cap(b), most))
			copy(grown, b)
			b = grown
		}
		n, err := src.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		whole.data = b
		switch {
		case len(b) >= most:
			return whole, ErrTooLarge
		case err == io.EOF:
			return whole, nil
		case err != nil:
			return whole, err
		}
	}
}

func nextSize(size, most int) int {
	next := 2 * max(size, minBuffer)
	if next > most/2 {
		return most
	}
	return next
}
