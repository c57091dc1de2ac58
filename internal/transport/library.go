package transport

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/salesiq-go/salesiq/internal/redact"
)

// This file is all there is of go-retryablehttp. The library makes the loop:
//
//	for {
//		series.try               one attempt
//		series.again             is there another, and after which pause?
//		wait for the pause, or for the end of ctx
//	}
//
// All decisions are in try and again.

// loop is a series in the hands of the library. It is the transport of the
// library's http.Client. Series, library and client are one object, and so one
// allocation a call.
type loop struct {
	series

	library retryablehttp.Client
	client  http.Client
}

// run makes the attempts. It leaves the outcome of the last one in the series.
func (l *loop) run(ctx context.Context) {
	var body any // Not a []byte: the library tells nil from empty.
	if l.request.Body != nil {
		body = l.request.Body
	}
	request, err := retryablehttp.NewRequestWithContext(ctx, l.request.Method, l.request.URL, body)
	if err != nil {
		l.failure = &Failure{Err: redact.StripURL(err)}
		return
	}
	request.Host = "" // It is the URL's, which http.Client would copy otherwise.
	l.client.Transport = l
	l.library = retryablehttp.Client{
		HTTPClient:   &l.client,
		RetryMax:     math.MaxInt, // The series counts.
		CheckRetry:   l.checkRetry,
		Backoff:      func(pause, _ time.Duration, _ int, _ *http.Response) time.Duration { return pause },
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	l.library.Do(request) //nolint:bodyclose,errcheck // The series has kept what came of it.
}

// checkRetry asks the series whether there is another attempt. The library passes
// RetryWaitMin to Backoff, which returns it as the pause.
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
		return nil, l.failure
	}
	return succeeded, nil
}
