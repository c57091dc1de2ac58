package transport

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// Window is what the service says about its rate limit.
type Window struct {
	Limit     int           // Calls per window.
	Remaining int           // Calls left in it.
	ResetIn   time.Duration // From the answer to the next window; 0 if unknown.
	Known     bool          // Limit and Remaining were given.

	// The two that ResetIn is made of, by the service's clock: zero if they
	// were not given.
	Reset time.Time
	Date  time.Time
}

// The longest pause that is believed. A longer one is a unit mistaken or a
// value broken.
const (
	maxResetIn    = time.Hour
	maxRetryAfter = 24 * time.Hour
)

// ParseWindow reads the X-RateLimit headers. The time to the reset is counted
// from the answer's own Date, so that a wrong local clock changes nothing; now
// stands in where there is none.
func ParseWindow(header http.Header, now time.Time) Window {
	limit, err1 := strconv.Atoi(header.Get("X-Ratelimit-Limit"))
	remaining, err2 := strconv.Atoi(header.Get("X-Ratelimit-Remaining"))
	w := Window{Limit: limit, Remaining: remaining}
	w.Known = err1 == nil && err2 == nil && limit > 0 && remaining >= 0 && limit <= math.MaxInt32
	if !w.Known {
		w.Limit, w.Remaining = 0, 0
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		w.Date, now = date, date
	}
	reset, err := strconv.ParseInt(header.Get("X-Ratelimit-Reset"), 10, 64)
	if err != nil || reset <= 0 || reset > math.MaxInt32*4 {
		return w
	}
	w.Reset = time.Unix(reset, 0)
	if in := w.Reset.Sub(now); in > 0 && in <= maxResetIn {
		w.ResetIn = in
	}
	return w
}

// retryAt tells when the service wants to hear from the client again, by the
// local clock, or returns zero.
func retryAt(status int, header http.Header, now time.Time) time.Time {
	if wait, ok := retryAfter(header, now); ok {
		return now.Add(wait)
	}
	if status != http.StatusTooManyRequests {
		return time.Time{}
	}
	// With calls remaining, the refusal was about too many at once, which has
	// nothing to do with the window.
	if w := ParseWindow(header, now); w.ResetIn > 0 && w.Remaining == 0 {
		return now.Add(w.ResetIn)
	}
	return time.Time{}
}

func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	value := header.Get("Retry-After")
	wait := time.Duration(-1)
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		if date, err := http.ParseTime(header.Get("Date")); err == nil {
			now = date
		}
		wait = max(0, at.Sub(now))
	}
	return wait, wait >= 0 && wait <= maxRetryAfter
}
