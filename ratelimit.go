package salesiq

import (
	"context"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq/internal/transport"
)

// The specification's limit on calls at once, for the whole organization.
const maxInFlight = 10

// RateWindow is what the service said about its rate limit: so many calls in a
// window of a minute.
//
// Source: specification, "Rate Limit Headers".
type RateWindow struct {
	Limit     int       // Calls per window.
	Remaining int       // Calls left in it.
	Reset     time.Time // Start of the next window, by the local clock; zero if unknown.
	Known     bool      // The service gave Limit and Remaining.
}

func rateWindow(header http.Header) RateWindow {
	now := time.Now()
	w := transport.ParseWindow(header, now)
	window := RateWindow{Limit: w.Limit, Remaining: w.Remaining, Known: w.Known}
	if w.ResetIn > 0 {
		window.Reset = now.Add(w.ResetIn)
	}
	return window
}

// slots lets a number of requests be under way at once.
type slots chan struct{}

func (s slots) Acquire(ctx context.Context) (transport.Lease, error) {
	select {
	case s <- struct{}{}:
		return s, nil
	default:
	}
	select {
	case s <- struct{}{}:
		return s, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (s slots) Done(int, http.Header) { <-s }
