package transport

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/salesiq-go/salesiq/internal/redact"
)

// This file is all there is of go-retryablehttp, and a reader may skip it: run
// makes attempts until again says that the last one was enough, and pauses between
// them for as long as ctx lasts.

// loop is a series in the hands of the library: one object, and so one allocation a
// call. It is the transport of the library's http.Client, and keeps answer and
// failure where run's caller finds them.
type loop struct {
	series

	library retryablehttp.Client
	client  http.Client
}

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

// checkRetry sets the shortest wait, which the library passes to Backoff.
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
