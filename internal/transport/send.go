package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq/internal/redact"
)

// sender is the lowest link: one request, one whole answer in memory. Every other outcome
// is a failure. Since the sender reads the body itself, no caller can hold a connection or
// a slot by forgetting to. A Download is different: its answer goes to the caller's writer as
// it arrives, and may take more requests (receiveFile in download.go).
type sender struct {
	base      *roundTripper
	jar       http.CookieJar // Nil for none.
	userAgent []string
	patience  patience
	maxBody   int64
}

func newSender(c Config) *sender {
	return &sender{
		base:      newRoundTripper(c.Base, c.OwnBase),
		jar:       c.Jar,
		userAgent: []string{c.UserAgent},
		patience:  patience{attempt: c.AttemptTimeout, stall: c.StallTimeout},
		maxBody:   c.MaxBody,
	}
}

// exchange is the request of an attempt and its answer: one object, since one
// allocation for each part could be felt.
type exchange struct {
	watchdog
	sending

	up      *uploading // Nil without an upload.
	attempt *attempt
	hide    redact.Secrets // What must not be seen of the request.
	token   [1]string      // As all requests of the attempt carry it.
	answer  Answer
}

func (s *sender) do(ctx context.Context, a *attempt) (*Answer, *Failure) {
	caller := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	x := a.memory
	if x == nil {
		x = new(exchange)
	}
	x.attempt, x.hide, x.token = a, a.secrets(), [1]string{a.token}
	x.watch(cancel, &s.patience)
	defer x.unwatch()
	f := s.sendAndReceive(ctx, x)
	if a.request.Upload != nil {
		_, unread := x.endUpload(caller)
		x.blameReader(caller, f, unread)
	}
	if f != nil {
		f.MaybeProcessed = !a.request.Idempotent && f.mayHaveActed()
		return nil, f
	}
	return &x.answer, nil
}

// sendAndReceive fills x.answer with a success.
func (s *sender) sendAndReceive(ctx context.Context, x *exchange) (f *Failure) {
	response, err := s.base.do(ctx, x, func() http.Header { return s.header(x) }) //nolint:bodyclose // Receive does.
	if errors.Is(err, errUnread) || errors.Is(err, ErrLongHeader) {
		return &Failure{Err: err}
	}
	if err != nil {
		return x.broken(ctx, err, &Failure{fate: x.fate(ctx, err)})
	}
	x.attempt.protocol = response.Proto
	if s.jar != nil {
		s.jar.SetCookies(x.attempt.message.URL, response.Cookies())
	}
	if x.attempt.request.Download == nil {
		f = s.receive(ctx, x, response)
	} else {
		f = s.receiveFile(ctx, x, response)
	}
	if f != nil && x.connectionWasIdle(response, f) {
		f.fate = turnedAway
	}
	return f
}

// receive reads the answer, and fills x.answer with a success.
func (s *sender) receive(ctx context.Context, x *exchange, response *http.Response) *Failure {
	x.Reader = response.Body
	whole, err := readAll(&x.watchdog, response.ContentLength, s.maxBody)
	closeBody(response.Body)
	if err == nil {
		f := s.judge(response, whole.data, x.hide)
		if f != nil {
			whole.free()
			return f
		}
		x.answer = Answer{Status: response.StatusCode, Header: response.Header, Body: whole.data, request: x.attempt.request, hide: &x.hide, buffer: whole}
		return nil
	}
	whole.free()
	f := newFailure(response.StatusCode, response.Header, nil, x.hide)
	if errors.Is(err, ErrTooLarge) {
		f.Err = fmt.Errorf("%w: over %d bytes", ErrTooLarge, s.maxBody)
		return f
	}
	return x.broken(ctx, err, f)
}

// idleAnswer is longer than a round trip takes, and shorter than a gateway waits.
const idleAnswer = time.Second

// connectionWasIdle reports whether a failure is a 408 about the connection: the service gave the
// connection up for idle while the request was on its way, and did not read the request.
// Any other 408 may be a gateway's that has passed the request on, and waited in vain, or
// has a code of the service's own.
func (x *exchange) connectionWasIdle(response *http.Response, f *Failure) bool {
	return f.Status == http.StatusRequestTimeout && f.Said.Code == "" && response.ProtoMajor == 1 && response.Close &&
		x.onUsedConnection() && time.Since(x.started) < idleAnswer
}

var (
	jsonType = []string{"application/json"}
	anyType  = []string{"*/*"}
)

// header returns a new header for each request: that of the one before may still
// be read by the connection that it was written to. They share values, which nobody changes.
func (s *sender) header(x *exchange) http.Header {
	a := x.attempt
	h := make(http.Header, 5+len(a.request.Header)+len(a.header))
	maps.Copy(h, a.header)
	if s.jar != nil {
		cookies := &http.Request{Header: h}
		for _, cookie := range s.jar.Cookies(a.message.URL) {
			cookies.AddCookie(cookie)
		}
	}
	h["Accept"] = jsonType
	if a.request.Download != nil {
		h["Accept"] = anyType
	}
	if a.request.Body != nil {
		h["Content-Type"] = jsonType
	}
	maps.Copy(h, a.request.Header)
	h["User-Agent"] = s.userAgent
	h["Authorization"] = x.token[:]
	return h
}

// secrets gathers what must not be seen of an attempt.
func (a *attempt) secrets() redact.Secrets {
	_, token, _ := strings.Cut(a.token, " ")
	return redact.Secrets{Token: token, Query: a.message.URL.RawQuery, Values: a.request.Secrets}
}

// broken completes the failure of an exchange that ended early. The context's
// own reason comes before what the connection made of it.
func (x *exchange) broken(ctx context.Context, err error, f *Failure) *Failure {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if err == io.EOF { //nolint:errorlint // A bare EOF says nothing to a reader.
		err = io.ErrUnexpectedEOF
	}
	f.Err = fmt.Errorf("%w: %w", ErrTransport, x.hide.InError(redact.StripURL(err)))
	return f
}
