package salesiqredis

import (
	"strconv"
	"time"

	"github.com/salesiq-go/salesiq"
)

// report is what the script is told of the end of a call.
type report struct {
	sent, answered, refused, throttled, known bool

	limit, remaining int
	reset, date      int64 // Microseconds of the service's clock; 0 if not given.
	retryIn          int64 // Microseconds; -1 if not given.
}

func reportOf(o salesiq.Outcome) *report {
	window := o.RateWindow()
	date, reset := o.ServiceClock()
	r := &report{
		sent: o.Sent, answered: o.StatusCode != 0, refused: o.Refused(), throttled: o.Throttled, known: window.Known,
		limit: window.Limit, remaining: window.Remaining, reset: unixMicro(reset), date: unixMicro(date), retryIn: -1,
	}
	if wait, ok := o.RetryAfter(); ok {
		r.retryIn = wait.Microseconds()
	}
	return r
}

// args are the report as the script reads it.
func (r *report) args() []string {
	args := []string{flag(r.sent), flag(r.answered), flag(r.refused), flag(r.throttled), flag(r.known)}
	for _, n := range []int64{int64(r.limit), int64(r.remaining), r.reset, r.date, r.retryIn} {
		args = append(args, strconv.FormatInt(n, 10))
	}
	return args
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

func microseconds(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func unixMicro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
