package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

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
	refuseUpgrade(response)
	w.Reader = response.Body
	return s.receive(ctx, w, response, hide)
}

// refuseUpgrade closes a connection that the other side would go on to use for
// another protocol. It would be the answer's body, and no context ends that.
func refuseUpgrade(response *http.Response) {
	if response.StatusCode == http.StatusSwitchingProtocols {
		response.Body.Close()
		response.Body = http.NoBody
	}
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
func (s *sender) receive(ctx context.Context, w *watchdog, response *http.Response, hide secrets) (*http.Response, error) {
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
func broken(ctx context.Context, err error, f *Failure, hide secrets) *Failure {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if err == io.EOF { //nolint:errorlint // A bare EOF says nothing to a reader.
		err = io.ErrUnexpectedEOF
	}
	f.Err = fmt.Errorf("%w: %w", ErrTransport, hide.inError(withoutURL(err)))
	return f
}

// withoutURL strips what net/http adds, more than once where a transport uses
// an http.Client of its own: a URL holds visitors' data.
func withoutURL(err error) error {
	for {
		u, ok := errors.AsType[*url.Error](err)
		if !ok {
			return err
		}
		err = u.Err
	}
}

// judge returns nil for a success, and otherwise what is wrong.
func (s *sender) judge(response *http.Response, body []byte, hide secrets) *Failure {
	status := response.StatusCode
	if status >= 200 && status < 300 {
		return s.judgeSuccess(response, body, hide)
	}
	f := newFailure(status, response.Header, body, hide)
	answer, ok := wire.DecodeError(hide.in(body))
	if ok {
		f.say(answer)
	}
	switch {
	case status >= 300 && status < 400:
		f.Err = fmt.Errorf("%w to %s", ErrRedirect, hide.inText(redirectHost(response)))
		f.Excerpt = ""
	case !ok:
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
func (s *sender) judgeSuccess(response *http.Response, body []byte, hide secrets) *Failure {
	if err := wire.CheckCount(body, s.maxBody/bytesPerValue); err != nil {
		f := newFailure(response.StatusCode, response.Header, nil, hide)
		f.Err = fmt.Errorf("%w: %w", ErrTooLarge, err)
		return f
	}
	if _, found := wire.HiddenError(body); found {
		hidden, _ := wire.HiddenError(hide.in(body)) // Again, since success is the common case.
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

func redirectHost(response *http.Response) string {
	location, err := response.Location()
	if err != nil {
		return "nowhere"
	}
	return location.Scheme + "://" + location.Host
}
