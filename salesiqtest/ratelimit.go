package salesiqtest

import (
	"net/http"
	"strconv"
	"time"

	"github.com/salesiq-go/salesiq"
)

// Plan is what an organization pays for: how many calls it may make.
//
// Source: specification, "API Call Limits".
type Plan struct {
	Name      string
	PerMinute int // 0 for no limit.
	PerDay    int // 0 for no limit.
}

// The plans of the specification, and one without limits.
var (
	None         = Plan{Name: "none"}
	Free         = Plan{Name: "free", PerMinute: 10, PerDay: 1_000}
	Basic        = Plan{Name: "basic", PerMinute: 20, PerDay: 5_000}
	Professional = Plan{Name: "professional", PerMinute: 50, PerDay: 20_000}
	Enterprise   = Plan{Name: "enterprise", PerMinute: 100, PerDay: 50_000}
)

// LookupPlan finds a plan by its name.
func LookupPlan(name string) (Plan, bool) {
	for _, plan := range []Plan{None, Free, Basic, Professional, Enterprise} {
		if plan.Name == name {
			return plan, true
		}
	}
	return Plan{}, false
}

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
	plan   Plan
	kind   WindowKind
	length time.Duration
	silent bool // Tells of no limits.

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

// take spends one call, or tells why there is none. A refused call costs
// nothing.
func (q *quota) take(now time.Time) error {
	q.roll(now)
	if q.plan.PerDay > 0 && q.usedDay >= q.plan.PerDay {
		return tooMany("day", q.day.Add(24*time.Hour))
	}
	if q.plan.PerMinute > 0 && q.used >= q.plan.PerMinute {
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
	return refuse(salesiq.ErrRateLimitExceeded, "too many calls: the limit by "+limit+" is spent", d)
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
	limit := q.plan.PerMinute
	if limit == 0 {
		limit = unlimited
	}
	header.Set("X-Ratelimit-Limit", strconv.Itoa(limit))
	header.Set("X-Ratelimit-Remaining", strconv.Itoa(max(0, limit-q.used)))
	header.Set("X-Ratelimit-Reset", strconv.FormatInt(q.reset().Unix(), 10))
}
