package transport

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq/internal/quota"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// Limiter decides when a request may be sent.
type Limiter interface {
	// Acquire waits for permission to send one request.
	Acquire(ctx context.Context) (Lease, error)
}

// Lease is the permission to send one request.
type Lease interface {
	// Done ends the request. It is called once.
	Done(o Outcome)
}

// Outcome is what a limiter learns from one request. The Outcome of package salesiq has the
// same fields, and says what they mean.
type Outcome struct {
	StatusCode      int
	Header          http.Header
	Sent, Throttled bool
	RetryAt         time.Time
}

// limited is the link that keeps the number of requests within bounds: how many
// at once, how many a minute.
type limited struct {
	next    link
	limiter Limiter
}

func (l *limited) do(ctx context.Context, a *attempt) (*Answer, *Failure) {
	lease, err := l.acquire(ctx, a)
	if f, ok := errors.AsType[*Failure](err); ok {
		return nil, f
	} else if err != nil {
		return nil, &Failure{Err: err}
	}
	o := Outcome{Sent: true}
	defer func() { lease.Done(o) }() // Also after a panic.
	answer, f := l.next.do(ctx, a)
	if f == nil {
		o.StatusCode, o.Header = answer.Status, answer.Header
	} else {
		o = Outcome{Sent: f.fate >= sent, Throttled: f.throttled()}
		if o.Sent { // A 408 about an idle connection is no answer.
			o.StatusCode, o.Header = f.Status, f.Header
		}
		if o.Throttled {
			o.RetryAt = f.RetryAt
		}
	}
	return answer, f
}

// acquire waits for permission, and reports the wait.
func (l *limited) acquire(ctx context.Context, a *attempt) (Lease, error) {
	reason := WaitQuota
	if _, ok := l.limiter.(interface{ forecasts() }); ok {
		reason = "" // It says whether there is a wait, and why.
	}
	w := a.startWait(ctx, reason)
	defer a.endWait(w)
	return l.limiter.Acquire(w.in(ctx))
}

// Report translates an outcome for the accounting. Now is when it arrived.
func (o *Outcome) Report(now time.Time) quota.Report { return o.report(new(dates), now) }

// report is Report for someone who remembers the last date.
func (o *Outcome) report(d *dates, now time.Time) quota.Report {
	w := parseWindow(o.Header, d.of(o.Header), now)
	r := quota.Report{
		Sent:     o.Sent,
		Answered: o.StatusCode != 0,
		// A token may also be refused with a code and another status. A limiter sees no
		// codes, and counts that call, which is safe: it may start one too few.
		Refused:   o.Throttled || o.StatusCode == http.StatusUnauthorized,
		Throttled: o.Throttled,
		Known:     w.Known,
		Limit:     w.Limit,
		Remaining: w.Remaining,
		Reset:     w.Reset,
		Date:      w.Date,
	}
	if r.RetryAt = o.RetryAt; o.Throttled && r.RetryAt.IsZero() {
		r.RetryAt = retryAt(true, o.Header, now) // Whoever made the outcome may have left the time to its header.
	}
	return r
}

// Why a limiter does not let a request go, as causes of a Failure.
var (
	ErrDailyLimit = errors.New("the day's calls are spent")
	errTooLong    = errors.New("the rate limit would make the call wait for too long")
)

// Held is the failure of a request that a limiter does not let go, and that is
// not to be tried again before a certain time, which is zero if unknown.
func Held(retryAt time.Time, cause error) *Failure {
	return &Failure{Said: wire.ErrorBody{Code: wire.CodeRateLimit}, RetryAt: retryAt, Err: cause, fate: held}
}
