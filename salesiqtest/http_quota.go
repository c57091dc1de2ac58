package salesiqtest

import (
	"net/http"
	"strconv"
	"time"

	"github.com/salesiq-go/salesiq"
)

// WindowKind tells when the windows of the rate limit begin.
type WindowKind int

const (
	// AlignedWindow begins with each minute of the server's clock, as the
	// default does.
	AlignedWindow WindowKind = iota
	// OpenedWindow begins with the first call after the one before has ended.
	OpenedWindow
)

// unlimited stands in the headers where no limit applies.
const unlimited = 1_000_000

// quota counts calls against a plan.
type quota struct {
	plan   salesiq.Plan
	kind   WindowKind
	length time.Duration
	silent bool // Sets no headers.

	start   time.Time // Of the current window.
	used    int
	day     time.Time
	usedDay int
}

// roll begins a new window and a new day where they are due.
func (q *quota) roll(now time.Time) {
	if day := now.UTC().Truncate(24 * time.Hour); !day.Equal(q.day) {
		q.day, q.usedDay = day, 0
	}
	if now.Before(q.start.Add(q.length)) && !now.Before(q.start) {
		return
	}
	q.start, q.used = now, 0
	if q.kind == AlignedWindow {
		q.start = now.Truncate(q.length)
	}
}

// spend counts one call, or refuses it. A refused call costs nothing.
func (q *quota) spend(now time.Time) error {
	q.roll(now)
	if q.plan.CallsPerDay > 0 && q.usedDay >= q.plan.CallsPerDay {
		return tooMany("day", q.day.Add(24*time.Hour))
	}
	if q.plan.CallsPerMinute > 0 && q.used >= q.plan.CallsPerMinute {
		return tooMany("minute", q.reset())
	}
	q.used++
	q.usedDay++
	return nil
}

// tooMany refuses a call because of one of the three limits.
func tooMany(limit string, reset time.Time) error {
	d := details{"limit": limit}
	if !reset.IsZero() {
		d["reset_at"] = reset.UTC()
	}
	return refuse(salesiq.ErrRateLimitExceeded, "too many calls: the limit by "+limit+" is reached", d)
}

// reset returns the first whole second of the next window.
func (q *quota) reset() time.Time {
	return q.start.Add(q.length + time.Second - 1).Truncate(time.Second)
}

// describe sets the three headers. They speak of the window, as the
// specification says, also when it is the day that is spent.
func (q *quota) describe(header http.Header, now time.Time) {
	q.roll(now)
	if q.silent {
		return
	}
	limit := q.plan.CallsPerMinute
	if limit == 0 {
		limit = unlimited
	}
	header.Set("X-Ratelimit-Limit", strconv.Itoa(limit))
	header.Set("X-Ratelimit-Remaining", strconv.Itoa(max(0, limit-q.used)))
	header.Set("X-Ratelimit-Reset", strconv.FormatInt(q.reset().Unix(), 10))
}
