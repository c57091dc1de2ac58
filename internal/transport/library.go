package transport

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/salesiq-go/salesiq/internal/redact"
)

// This file is all there is of go-retryablehttp. A series decides what is sent again,
// and when. The library does the rest:
//
//	for {
//		rewind the body
//		series.try               one attempt
//		series.again             is there another, and after which pause?
//		wait for the pause, or for the end of ctx
//	}
//
// It asks three funcs of ours on the way: RoundTrip calls try, CheckRetry calls again,
// and Backoff returns the pause. The last two share the pause in RetryWaitMin, which the
// library hands from one to the other, and uses for nothing else.

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
		HTTPClient:   &l.client,
		RetryMax:     math.MaxInt, // The series counts.
		CheckRetry:   never,
		Backoff:      func(pause, _ time.Duration, _ int, _ *http.Response) time.Duration { return pause },
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
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

// never stands in for checkRetry where an attempt has not failed.
func never(context.Context, *http.Response, error) (again bool, err error) { return false, nil }

// checkRetry asks the series whether there is another attempt, and leaves the pause
// before it to Backoff.
func (l *loop) checkRetry(ctx context.Context, _ *http.Response, _ error) (again bool, err error) {
	l.library.RetryWaitMin, again = l.again(ctx)
	if again {
		l.startPause(ctx, l.library.RetryWaitMin)
	}
	return again, nil
}

var succeeded = &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}

// RoundTrip makes an attempt for the library.
func (l *loop) RoundTrip(message *http.Request) (*http.Response, error) {
	if l.try(message); l.failure != nil {
		l.library.CheckRetry = l.checkRetry
		return nil, l.failure
	}
	l.library.CheckRetry = never
	return succeeded, nil
}
