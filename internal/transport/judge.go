package transport

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/internal/wire"
)

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

var errNoCode = errors.New("an error without a code")

// say completes the failure with the service's own words.
func (f *Failure) say(answer wire.ErrorBody) {
	f.Said, f.Excerpt = answer.At(f.Status), ""
	if answer.Code == "" && answer.Message == "" {
		f.Err = errNoCode
	}
	if f.RetryAt.IsZero() {
		f.RetryAt = retryAt(f.throttled(), f.Header, time.Now()) // The code may say what the status does not.
	}
	if pause := answer.Pause(); f.RetryAt.IsZero() && pause > 0 {
		f.RetryAt = time.Now().Add(pause)
	}
}

var (
	errSomeFailed = errors.New("not all of it was done")
	errUntold     = fmt.Errorf("%w: nothing tells what was done", ErrDecode)
)

// judgeParts returns nil if every part of what was asked for was done.
func judgeParts(response *http.Response, body []byte, hide redact.Secrets) *Failure {
	parts := wire.ReadParts(hide.InBody(body))
	if parts.Total > 0 && parts.Failed == 0 {
		return nil
	}
	f := newFailure(response.StatusCode, response.Header, body, hide)
	f.fate = partlyDone
	f.Err = errUntold
	if parts.Total > 0 {
		f.Said, f.Excerpt = parts.First.At(f.Status), ""
		f.Err = fmt.Errorf("%w: %d of %d failed", errSomeFailed, parts.Failed, parts.Total)
	}
	return f
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
		hidden, _ := wire.HiddenError(hide.InBody(body)) // Hiding secrets first would cost each success a copy.
		f := newFailure(response.StatusCode, response.Header, body, hide)
		f.say(hidden)
		return f
	}
	if response.StatusCode == http.StatusMultiStatus {
		if f := judgeParts(response, body, hide); f != nil {
			return f
		}
	}
	if wire.Truncated(body) {
		f := newFailure(response.StatusCode, response.Header, body, hide)
		f.Err = fmt.Errorf("%w: %w", ErrTransport, errCutJSON)
		return f
	}
	return nil
}
