package transport

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/salesiq-go/salesiq/internal/redact"
)

// This file is all there is of go-retryablehttp, and can be skipped. A series makes the
// attempts, and decides after each whether another one follows, and when. The library
// rewinds the body, calls RoundTrip for an attempt, and waits until the next one is due
// or ctx ends.

// loop is a series in the hands of the library. It is the transport of the
// library's http.Client. Series, library and client are one object, and so one
// allocation a call.
type loop struct {
	series

	library retryablehttp.Client
	client  http.Client
	message retryablehttp.Request
}

// noHeader is what the library sees of the header, which is the sender's to set.
// Nobody writes to it.
var noHeader = http.Header{}

// run makes the attempts. It leaves the outcome of the last one in the series.
func (l *loop) run(ctx context.Context) {
	if err := l.prepare(ctx); err != nil {
		l.failure = &Failure{Err: redact.StripURL(err)}
		return
	}
	l.client.Transport = l
	l.library = retryablehttp.Client{
		HTTPClient: &l.client,
		RetryMax:   math.MaxInt, // The series counts.
		CheckRetry: func(_ context.Context, _ *http.Response, err error) (bool, error) {
			return errors.Is(err, errAgain), nil
		},
		Backoff: func(pause, _ time.Duration, _ int, _ *http.Response) time.Duration { return pause },
	}
	l.library.Do(&l.message) //nolint:bodyclose,errcheck // The series has kept what came of it.
}

// prepare makes the message that is the same in all attempts.
func (l *loop) prepare(ctx context.Context) error {
	r := l.last.request
	address, err := url.Parse(r.URL)
	if err != nil {
		return err
	}
	l.message.Request = (&http.Request{Method: r.Method, URL: address, Header: noHeader}).WithContext(ctx)
	if r.Body == nil {
		return nil
	}
	return l.message.SetBody(r.Body)
}

// What the library is told of an attempt. The series has kept the rest.
var (
	errAgain = errors.New("another attempt follows")
	over     = &http.Response{StatusCode: http.StatusOK, Body: http.NoBody} // No other one follows, whatever came of it.
)

// RoundTrip makes an attempt for the library. If another one follows, it leaves the pause
// before it in RetryWaitMin, which the library hands to Backoff.
func (l *loop) RoundTrip(message *http.Request) (*http.Response, error) {
	if l.try(message); l.failure == nil {
		return over, nil
	}
	ctx := message.Context()
	pause, again := l.again(ctx)
	if !again {
		return over, nil
	}
	l.startPause(ctx, pause)
	l.library.RetryWaitMin = pause
	return nil, errAgain
}
