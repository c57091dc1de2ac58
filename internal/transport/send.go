package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// sender is the lowest link: one request, one whole answer in memory. Every
// other outcome is a *Failure. Since it reads the body itself, no caller can
// hold a connection or a slot by forgetting to.
type sender struct {
	next    http.RoundTripper
	timeout time.Duration
	stall   time.Duration
	maxBody int64
	http2   atomic.Bool // The last answer came by it.
}

var (
	errTimeout = errors.New("the attempt took too long")
	errStalled = errors.New("the answer stalled")
)

// send makes one attempt, as a request and with a header of its own: those of the
// attempt before may still be read by the connection that they were written to.
func (s *sender) send(request *http.Request, header http.Header) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(request.Context())
	defer cancel(nil)
	w := watch(cancel, s.timeout, s.stall)
	defer w.timer.Stop()

	attempt := request.WithContext(ctx)
	attempt.Header, attempt.Host = header, attempt.URL.Host
	hide := secretsIn(attempt)
	var sent *sending
	if !callOf(ctx).request.Idempotent {
		attempt, sent = watchSending(attempt, s.http2.Load(), cancel)
	}
	response, err := s.next.RoundTrip(attempt)
	if err != nil {
		if response != nil && response.Body != nil {
			response.Body.Close() // Not a legal pair, but seen in the wild.
		}
		return nil, broken(ctx, err, &Failure{Sent: sent == nil || sent.begun() && !refused(err)}, hide)
	}
	s.http2.Store(response.ProtoMajor == 2)
	RefuseUpgrade(response)
	w.Reader = response.Body
	return s.receive(ctx, w, response, hide)
}

// watchdog ends an exchange that takes too long as a whole, or between two
// reads of the answer.
type watchdog struct {
	io.Reader // The answer's body.

	timer    *time.Timer
	deadline time.Time
	stall    time.Duration
}

func watch(cancel context.CancelCauseFunc, timeout, stall time.Duration) *watchdog {
	w := &watchdog{deadline: time.Now().Add(timeout), stall: stall}
	w.timer = time.AfterFunc(timeout, func() {
		if time.Now().Before(w.deadline) {
			cancel(errStalled)
		} else {
			cancel(errTimeout)
		}
	})
	return w
}

func (w *watchdog) Read(b []byte) (int, error) {
	w.timer.Reset(min(w.stall, time.Until(w.deadline)))
	return w.Reader.Read(b)
}

// receive reads the answer and tells success from failure.
func (s *sender) receive(ctx context.Context, w *watchdog, response *http.Response, hide redact.Secrets) (*http.Response, error) {
	whole, err := readAll(w, response.ContentLength, s.maxBody)
	response.Body.Close()
	if err != nil {
		whole.free()
		f := newFailure(response.StatusCode, response.Header, nil, hide)
		if errors.Is(err, ErrTooLarge) {
			f.Err = fmt.Errorf("%w: over %d bytes", ErrTooLarge, s.maxBody)
			return nil, f
		}
		return nil, broken(ctx, err, f, hide)
	}
	if f := s.judge(response, whole.data, hide); f != nil {
		whole.free()
		return nil, f
	}
	whole.hide = hide
	whole.Reset(whole.data)
	response.Body = whole
	return response, nil
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

// judge returns nil for a success, and otherwise what is wrong.
func (s *sender) judge(response *http.Response, body []byte, hide redact.Secrets) *Failure {
	status := response.StatusCode
	if status >= 200 && status < 300 {
		return s.judgeSuccess(response, body, hide)
	}
	f := newFailure(status, response.Header, body, hide)
	answer, ok := wire.DecodeError(hide.InBody(body))
	if ok {
		f.say(answer)
	}
	if err := RefuseRedirect(response, hide); err != nil {
		f.Err, f.Excerpt = err, ""
	} else if !ok {
		f.Err = fmt.Errorf("%w: not an error body of the service", ErrDecode)
	}
	return f
}

// lockPause is how long the live service is left alone once it has locked the
// client's address, of which it says only that it takes a while.
const lockPause = time.Minute

var errNoCode = errors.New("an error without a code")

// say completes the failure with the service's own words.
func (f *Failure) say(answer wire.ErrorBody) {
	f.Answer, f.Excerpt = answer.At(f.Status), ""
	if answer.Code == "" && answer.Message == "" {
		f.Err = errNoCode
	}
	if f.RetryAt.IsZero() && answer.Number == wire.NumberLocked {
		f.RetryAt = time.Now().Add(lockPause)
	}
}

var errCutJSON = errors.New("the JSON breaks off")

// bytesPerValue is how much of the largest answer each value in it may claim:
// about what it takes in memory.
const bytesPerValue = 80

// judgeSuccess finds what the status conceals: an error, or half an answer.
func (s *sender) judgeSuccess(response *http.Response, body []byte, hide redact.Secrets) *Failure {
	if err := wire.CheckCount(body, s.maxBody/bytesPerValue); err != nil {
		f := newFailure(response.StatusCode, response.Header, nil, hide)
		f.Err = fmt.Errorf("%w: %w", ErrTooLarge, err)
		return f
	}
	if _, found := wire.HiddenError(body); found {
		hidden, _ := wire.HiddenError(hide.InBody(body)) // Again, since success is the common case.
		f := newFailure(response.StatusCode, response.Header, nil, hide)
		f.say(hidden)
		return f
	}
	if wire.Truncated(body) {
		f := newFailure(response.StatusCode, response.Header, body, hide)
		f.Err = fmt.Errorf("%w: %w", ErrTransport, errCutJSON)
		return f
	}
	return nil
}

// secretsIn gathers what must not be seen of an attempt.
func secretsIn(attempt *http.Request) redact.Secrets {
	_, token, _ := strings.Cut(attempt.Header.Get("Authorization"), " ")
	return redact.Secrets{Token: token, Query: attempt.URL.RawQuery, Values: callOf(attempt.Context()).request.Secrets}
}
