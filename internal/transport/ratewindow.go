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
	ResetIn   time.Duration // From the answer to the next window; 0 if unknown or not believed.
	Known     bool          // Limit and Remaining were given.

	// The two that ResetIn is made of, by the service's clock: zero if they
	// were not given.
	Reset time.Time
	Date  time.Time
}

// The longest pause that is believed. A longer one is a unit mistaken or a value broken.
//
// Without a Date, a reset is compared with the local clock. If it is further away than a
// window lasts, with two times that are rounded, one of the two clocks is wrong.
//
// These bounds are for what users see, and for retryAt. Package quota is given Reset and
// Date, and has bounds of its own, since it learns about clocks as well.
const (
	maxResetIn        = time.Hour
	maxUndatedResetIn = time.Minute + 2*time.Second
	maxRetryAfter     = 24 * time.Hour
)

// ParseWindow reads the X-RateLimit headers. The time to the reset is counted
// from the answer's own Date, so that a wrong local clock changes nothing; now
// stands in where there is none.
func ParseWindow(header http.Header, now time.Time) Window {
	return parseWindow(header, parseDate(first(header, "Date")), now)
}

func parseWindow(header http.Header, date, now time.Time) Window {
	w := Window{Date: date}
	limit, ok := ParseLimit(header)
	remaining := number(header, "X-Ratelimit-Remaining")
	if w.Known = ok && remaining >= 0; w.Known {
		w.Limit, w.Remaining = limit, int(min(remaining, math.MaxInt32))
	}
	longest := maxUndatedResetIn
	if !date.IsZero() {
		now, longest = date, maxResetIn
	}
	reset := number(header, "X-Ratelimit-Reset")
	if reset <= 0 || reset > math.MaxInt32*4 { // Those are no seconds, but milliseconds: they would be after 2242.
		return w
	}
	w.Reset = time.Unix(reset, 0)
	if in := w.Reset.Sub(now); in > 0 && in <= longest {
		w.ResetIn = in
	}
	return w
}

// ParseLimit reads how many calls a window has.
func ParseLimit(header http.Header) (limit int, ok bool) {
	n := number(header, "X-Ratelimit-Limit")
	return int(n), n > 0 && n <= math.MaxInt32
}

// number returns -1 for what is absent or no number.
func number(header http.Header, name string) int64 {
	text := first(header, name)
	if text == "" {
		return -1 // An error would have to be allocated.
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// first is header.Get for a canonical name, which it need not make canonical.
func first(header http.Header, name string) string {
	if values := header[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// parseDate returns zero for what is no date.
func parseDate(text string) time.Time {
	if text == "" {
		return time.Time{} // Before an error is made.
	}
	date, err := http.ParseTime(text)
	if err != nil {
		return time.Time{}
	}
	return date
}

// dates remembers the last date, which comes with all answers of a second.
type dates struct {
	text string
	date time.Time
}

func (d *dates) of(header http.Header) time.Time {
	if text := first(header, "Date"); text != d.text {
		d.text, d.date = text, parseDate(text)
	}
	return d.date
}

// retryAt tells when the service wants to hear from the client again, by the local clock,
// or returns zero. Retry-After says so, and, if it was one call too many and none is left, the reset.
func retryAt(throttled bool, header http.Header, now time.Time) time.Time {
	if wait, ok := RetryAfter(header, now); ok {
		return now.Add(wait)
	}
	if !throttled {
		return time.Time{}
	}
	w := ParseWindow(header, now)
	if w.ResetIn == 0 || w.Remaining > 0 { // Calls remain: there were too many at once, whatever the window.
		return time.Time{}
	}
	return now.Add(w.ResetIn)
}
