package transport

import (
	"context"
	"net/http"
)

// Limiter decides when a request may be sent.
type Limiter interface {
	// Acquire waits for permission to send one request.
	Acquire(ctx context.Context) (Lease, error)
}

// Lease is the permission to send one request.
type Lease interface {
	// Done ends the request. The status is 0 and the header nil if the service
	// gave no answer.
	Done(status int, header http.Header)
}

// limiter is the link that keeps the number of requests within bounds: how
// many at once, how many a minute.
type limiter struct {
	next    http.RoundTripper
	limiter Limiter
}

func (l *limiter) RoundTrip(request *http.Request) (*http.Response, error) {
	lease, err := l.limiter.Acquire(request.Context())
	if err != nil {
		return nil, &Failure{Err: err}
	}
	response, err := l.next.RoundTrip(request)
	if err == nil {
		lease.Done(response.StatusCode, response.Header)
	} else {
		f := failureOf(err)
		lease.Done(f.Status, f.Header)
	}
	return response, err
}
