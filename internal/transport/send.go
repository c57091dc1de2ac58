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

// sender is the lowest link: one request, one whole answer in memory. Every
// other outcome is a failure. Since it reads the body itself, no caller can
// hold a connection or a slot by forgetting to.
type sender struct {
	exchanger

	jar       http.CookieJar // Nil for none.
	userAgent []string
	timeout   time.Duration
	stall     time.Duration
	maxBody   int64
}

func newSender(c Config) *sender {
	return &sender{
		exchanger: exchanger{next: c.Base},
		jar:       c.Jar,
		userAgent: []string{c.UserAgent},
		timeout:   c.AttemptTimeout,
		stall:     c.StallTimeout,
		maxBody:   c.MaxBody,
	}
}

func (s *sender) do(ctx context.Context, a *attempt) (*Answer, *Failure) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := startWatchdog(cancel, s.timeout, s.stall)
	defer w.timer.Stop()

	hide := a.secrets()
	answer, f := s.exchange(ctx, cancel, w, a, hide)
	if f != nil {
		f.MaybeProcessed = !a.request.Idempotent && f.processable()
	}
	return answer, f
}

// exchange sends the request and reads the answer.
func (s *sender) exchange(ctx context.Context, cancel context.CancelCauseFunc, w *watchdog, a *attempt, hide redact.Secrets) (*Answer, *Failure) {
	response, sent, err := s.roundTrip(ctx, cancel, a, s.header(a))
	if err != nil {
		return nil, broken(ctx, err, &Failure{Sent: sent}, hide)
	}
	if s.jar != nil {
		s.jar.SetCookies(a.message.URL, response.Cookies())
	}
	w.Reader = response.Body
	whole, err := readAll(w, response.ContentLength, s.maxBody)
	response.Body.Close() //nolint:errcheck // What was needed has been read.
	if err == nil {
		if f := s.judge(response, whole.data, hide); f != nil {
			whole.free()
			return nil, f
		}
		return &Answer{Status: response.StatusCode, Header: response.Header, Body: whole.data, request: a.request, hide: hide, buffer: whole}, nil
	}
	whole.free()
	f := newFailure(response.StatusCode, response.Header, nil, hide)
	if errors.Is(err, ErrTooLarge) {
		f.Err = fmt.Errorf("%w: over %d bytes", ErrTooLarge, s.maxBody)
		return nil, f
	}
	return nil, broken(ctx, err, f, hide)
}

var jsonType = []string{"application/json"}

// header returns a new header for each attempt: that of the one before may still
// be read by the connection that it was written to.
func (s *sender) header(a *attempt) http.Header {
	h := make(http.Header, 5+len(a.request.Header)+len(a.header))
	maps.Copy(h, a.header)
	if s.jar != nil {
		cookies := &http.Request{Header: h}
		for _, cookie := range s.jar.Cookies(a.message.URL) {
			cookies.AddCookie(cookie)
		}
	}
	h["Accept"] = jsonType
	if a.request.Body != nil {
		h["Content-Type"] = jsonType
	}
	maps.Copy(h, a.request.Header)
	h["User-Agent"] = s.userAgent
	h["Authorization"] = []string{a.token}
	return h
}

// secrets gathers what must not be seen of an attempt.
func (a *attempt) secrets() redact.Secrets {
	_, token, _ := strings.Cut(a.token, " ")
	return redact.Secrets{Token: token, Query: a.message.URL.RawQuery, Values: a.request.Secrets}
}

// broken completes the failure of an exchange that ended early. The context's
// own reason comes before what the connection made of it.
func broken(ctx context.Context, err error, f *Failure, hide redact.Secrets) *Failure {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if err == io.EOF { //nolint:errorlint // A bare EOF says nothing to a reader.
		err = io.ErrUnexpectedEOF
	}
	f.Err = fmt.Errorf("%w: %w", ErrTransport, hide.InError(redact.StripURL(err)))
	return f
}
