// Package usage counts what a client of package salesiq does: how many calls there
// are, how many fail, how long they take and wait, and how many the day has left.
//
//	monitor := usage.NewMonitor()
//	client, err := salesiq.NewClient(auth, salesiq.WithTracer(monitor.Tracer()))
//	…
//	fmt.Println(monitor.Snapshot().Total.P95.Duration())
package usage

import (
	"context"
	"math/bits"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq"
)

// Monitor counts a client's calls. Its memory is bounded. It is safe for concurrent use, and may serve several
// clients of one organization.
//
// Source: specification, "Track API Usage".
type Monitor struct {
	mu            sync.Mutex // Guards what follows.
	since         time.Time
	operations    map[string]*operationCount
	daily         salesiq.DailyQuota
	refreshes     int
	refreshErrors int
}

// Report is what a [Monitor] has counted.
type Report struct {
	Since      time.Time            `json:"since"`
	Total      Operation            `json:"total"`
	Operations map[string]Operation `json:"operations"` // By name, such as "Chats.List".

	// CallsLeftToday is what [salesiq.WithPlan] leaves of the day, as of the last
	// attempt. It is nil if the client does not count days, or has not called.
	CallsLeftToday *int `json:"calls_left_today"`

	TokenRefreshes     int `json:"token_refreshes"` // Without those that found one in the store.
	TokenRefreshErrors int `json:"token_refresh_errors"`
}

// Operation is what was counted of one operation. Durations are those of whole
// calls, retries included, without the waits; calls whose answer was kept (see
// [salesiq.WithCache]) are not among them. The percentiles are true within 4 percent.
type Operation struct {
	Calls     int     `json:"calls"`
	Errors    int     `json:"errors"`     // Calls that failed.
	ErrorRate float64 `json:"error_rate"` // Errors per call, from 0 to 1.
	Cached    int     `json:"cached"`     // Calls whose answer was kept.
	Attempts  int     `json:"attempts"`   // Retries included.
	Throttled int     `json:"throttled"`  // Attempts that the service refused as too many.

	Average salesiq.Seconds `json:"average_seconds"`
	P50     salesiq.Seconds `json:"p50_seconds"`
	P95     salesiq.Seconds `json:"p95_seconds"`
	P99     salesiq.Seconds `json:"p99_seconds"`
	Max     salesiq.Seconds `json:"max_seconds"`

	Waited     salesiq.Seconds `json:"waited_seconds"`      // For quota, token and retries, all calls together.
	WaitedMost salesiq.Seconds `json:"waited_most_seconds"` // By one call.
}

// maxOperations bounds the operations that are counted by name, since
// [salesiq.WithOperation] takes any name. All further ones are counted together.
const (
	maxOperations   = 200
	otherOperations = "other"
)

// NewMonitor returns a monitor whose counts are zero.
func NewMonitor() *Monitor {
	return &Monitor{since: time.Now()}
}

// Snapshot returns what has been counted so far.
func (m *Monitor) Snapshot() Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	report := Report{
		Since:              m.since,
		Operations:         make(map[string]Operation, len(m.operations)),
		CallsLeftToday:     callsLeft(m.daily, time.Now()),
		TokenRefreshes:     m.refreshes,
		TokenRefreshErrors: m.refreshErrors,
	}
	var total operationCount
	for name, operation := range m.operations {
		report.Operations[name] = operation.usage()
		total.add(operation)
	}
	report.Total = total.usage()
	return report
}

func callsLeft(daily salesiq.DailyQuota, now time.Time) *int {
	switch {
	case daily.Limit == 0:
		return nil
	case !now.Before(daily.Reset):
		return &daily.Limit
	}
	return &daily.Left
}

// Tracer returns a tracer for [salesiq.WithTracer], which counts in m. It is nil if m
// is.
func (m *Monitor) Tracer() *salesiq.Tracer {
	if m == nil {
		return nil
	}
	// Each func is made once, not for each call.
	called, attempted, refreshed := m.called, m.attempted, m.refreshed
	return &salesiq.Tracer{
		Call: func(context.Context, salesiq.CallTrace) (context.Context, func(salesiq.CallTrace)) {
			return nil, called
		},
		Attempt: func(context.Context, salesiq.AttemptTrace) (context.Context, func(salesiq.AttemptTrace)) {
			return nil, attempted
		},
		Refresh: func(context.Context, salesiq.RefreshTrace) (context.Context, func(salesiq.RefreshTrace)) {
			return nil, refreshed
		},
	}
}

func (m *Monitor) called(call salesiq.CallTrace) {
	m.count(call.Operation, func(o *operationCount) { o.call(&call) })
}

func (m *Monitor) attempted(attempt salesiq.AttemptTrace) {
	m.count(attempt.Call.Operation, func(o *operationCount) { o.attempt(&attempt) })
	m.look(attempt.DailyQuota)
}

func (m *Monitor) count(name string, add func(*operationCount)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.operations[name] == nil && len(m.operations) >= maxOperations {
		name = otherOperations
	}
	if m.operations == nil {
		m.operations = map[string]*operationCount{}
	}
	if m.operations[name] == nil {
		m.operations[name] = new(operationCount)
	}
	add(m.operations[name])
}

func (m *Monitor) look(daily salesiq.DailyQuota) {
	if daily.Limit > 0 {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.daily = daily
	}
}

func (m *Monitor) refreshed(refresh salesiq.RefreshTrace) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case refresh.Err != nil:
		m.refreshErrors++
	case refresh.Requests > 0:
		m.refreshes++
	}
}

// operationCount is what the monitor keeps of one operation.
type operationCount struct {
	calls, errors, cached, attempts, throttled int

	waited     time.Duration
	waitedMost time.Duration
	sum        time.Duration
	max        time.Duration
	durations  histogram
}

func (o *operationCount) call(call *salesiq.CallTrace) {
	o.calls++
	o.waited += call.Waited
	o.waitedMost = max(o.waitedMost, call.Waited)
	if call.Err != nil {
		o.errors++
	} else if call.Attempts == 0 {
		o.cached++
		return
	}
	o.sum += call.Duration
	o.max = max(o.max, call.Duration)
	o.durations[bucketOf(call.Duration)]++
}

func (o *operationCount) attempt(attempt *salesiq.AttemptTrace) {
	o.attempts++
	if attempt.Throttled {
		o.throttled++
	}
}

func (o *operationCount) add(other *operationCount) {
	o.calls += other.calls
	o.errors += other.errors
	o.cached += other.cached
	o.attempts += other.attempts
	o.throttled += other.throttled
	o.waited += other.waited
	o.waitedMost = max(o.waitedMost, other.waitedMost)
	o.sum += other.sum
	o.max = max(o.max, other.max)
	for i, n := range other.durations {
		o.durations[i] += n
	}
}

func (o *operationCount) usage() Operation {
	u := Operation{
		Calls:      o.calls,
		Errors:     o.errors,
		Cached:     o.cached,
		Attempts:   o.attempts,
		Throttled:  o.throttled,
		Max:        seconds(o.max),
		Waited:     seconds(o.waited),
		WaitedMost: seconds(o.waitedMost),
	}
	if o.calls > 0 {
		u.ErrorRate = float64(o.errors) / float64(o.calls)
	}
	if timed := o.calls - o.cached; timed > 0 {
		u.Average = seconds(o.sum / time.Duration(timed))
		u.P50 = seconds(min(o.max, o.durations.percentile(50, timed)))
		u.P95 = seconds(min(o.max, o.durations.percentile(95, timed)))
		u.P99 = seconds(min(o.max, o.durations.percentile(99, timed)))
	}
	return u
}

func seconds(d time.Duration) salesiq.Seconds { return salesiq.Seconds(d.Seconds()) }

// histogram counts durations in microseconds: each of the first 32 for itself,
// and then 16 buckets for each power of two, so that a bucket is no wider than a
// sixteenth of what is in it. The last one begins after two hours.
type histogram [(maxExponent + 2) << bucketBits]uint64

const (
	bucketBits  = 4
	maxExponent = 28
)

func bucketOf(d time.Duration) int {
	us := uint64(max(0, d.Microseconds()))
	exponent := max(0, bits.Len64(us)-bucketBits-1)
	if exponent > maxExponent {
		return len(histogram{}) - 1
	}
	return exponent<<bucketBits + int(us>>exponent) //nolint:gosec // Less than 32.
}

// middle returns the duration that a bucket stands for.
func middle(bucket int) time.Duration {
	exponent := max(0, bucket>>bucketBits-1)
	us := (bucket-exponent<<bucketBits)<<exponent + 1<<exponent/2
	return time.Duration(us) * time.Microsecond
}

// percentile returns the duration that percent of the n durations do not exceed.
func (h *histogram) percentile(percent, n int) time.Duration {
	rank := uint64(n*percent+99) / 100 //nolint:gosec // Both are positive.
	for bucket, count := range h {
		if rank <= count {
			return middle(bucket)
		}
		rank -= count
	}
	return 0
}
