package salesiq

import (
	"context"
	"math/bits"
	"sync"
	"time"
)

// UsageMonitor counts a client's calls: how many there are, how many fail, how
// long they take, and how many the day has left.
//
//	monitor := salesiq.NewUsageMonitor()
//	client, err := salesiq.NewClient(auth, salesiq.WithUsageMonitor(monitor))
//	…
//	fmt.Println(monitor.Snapshot().Total.P95.Duration())
//
// Its memory is bounded. It is safe for concurrent use, and may serve several
// clients of one organization.
//
// Source: specification, "Track API Usage".
type UsageMonitor struct {
	mu            sync.Mutex // Guards what follows.
	since         time.Time
	operations    map[string]*operationCount
	daily         DailyQuota
	refreshes     int
	refreshErrors int
}

// Usage is what a [UsageMonitor] has counted.
type Usage struct {
	Since      time.Time                 `json:"since"`
	Total      OperationUsage            `json:"total"`
	Operations map[string]OperationUsage `json:"operations"` // By name, such as "Chats.List".

	// CallsLeftToday is what [WithPlan] leaves of the day, as of the last
	// attempt. It is nil if the client does not count days, or has not called.
	CallsLeftToday *int `json:"calls_left_today"`

	TokenRefreshes     int `json:"token_refreshes"` // Without those that found one in the store.
	TokenRefreshErrors int `json:"token_refresh_errors"`
}

// OperationUsage is what was counted of one operation. Durations are those of
// whole calls, retries and waits included; calls whose answer was kept (see
// [WithCache]) are not among them. The percentiles are true within 4 percent.
type OperationUsage struct {
	Calls     int     `json:"calls"`
	Errors    int     `json:"errors"`     // Calls that failed.
	ErrorRate float64 `json:"error_rate"` // Errors per call, from 0 to 1.
	Cached    int     `json:"cached"`     // Calls whose answer was kept.
	Attempts  int     `json:"attempts"`   // Retries included.
	Throttled int     `json:"throttled"`  // Attempts that the service refused as too many.

	Waited  Seconds `json:"waited_seconds"` // For quota, token and retries, all calls together.
	Average Seconds `json:"average_seconds"`
	P50     Seconds `json:"p50_seconds"`
	P95     Seconds `json:"p95_seconds"`
	P99     Seconds `json:"p99_seconds"`
	Max     Seconds `json:"max_seconds"`
}

// maxOperations bounds the operations that are counted by name, since
// [WithOperation] takes any name. All further ones are counted together.
const (
	maxOperations   = 200
	otherOperations = "other"
)

// NewUsageMonitor returns a monitor whose counts are zero.
func NewUsageMonitor() *UsageMonitor {
	return &UsageMonitor{since: time.Now()}
}

// WithUsageMonitor counts the client's calls in m.
func WithUsageMonitor(m *UsageMonitor) Option {
	if m == nil {
		return func(*config) error { return inputError("usage monitor", "must not be nil") }
	}
	return WithTracer(m.tracer())
}

// Snapshot returns what has been counted so far.
func (m *UsageMonitor) Snapshot() Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := Usage{
		Since:              m.since,
		Operations:         make(map[string]OperationUsage, len(m.operations)),
		CallsLeftToday:     callsLeft(m.daily, time.Now()),
		TokenRefreshes:     m.refreshes,
		TokenRefreshErrors: m.refreshErrors,
	}
	var total operationCount
	for name, operation := range m.operations {
		u.Operations[name] = operation.usage()
		total.add(operation)
	}
	u.Total = total.usage()
	return u
}

func callsLeft(daily DailyQuota, now time.Time) *int {
	switch {
	case daily.Limit == 0:
		return nil
	case !now.Before(daily.Reset):
		return &daily.Limit
	}
	return &daily.Left
}

func (m *UsageMonitor) tracer() *Tracer {
	return &Tracer{
		Call: func(_ context.Context, call CallInfo) (context.Context, func(CallResult)) {
			return nil, func(result CallResult) {
				m.count(call, func(o *operationCount) { o.call(result) })
			}
		},
		Attempt: func(_ context.Context, attempt AttemptInfo) (context.Context, func(AttemptResult)) {
			return nil, func(result AttemptResult) {
				m.count(attempt.Call, func(o *operationCount) { o.attempt(result) })
				m.look(result.DailyQuota)
			}
		},
		Wait: func(_ context.Context, wait WaitInfo) {
			m.count(wait.Call, func(o *operationCount) { o.waited += wait.Duration })
		},
		Refresh: func(context.Context, RefreshInfo) (context.Context, func(RefreshResult)) {
			return nil, m.refreshed
		},
	}
}

func (m *UsageMonitor) count(call CallInfo, add func(*operationCount)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := call.Operation
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

func (m *UsageMonitor) look(daily DailyQuota) {
	if daily.Limit > 0 {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.daily = daily
	}
}

func (m *UsageMonitor) refreshed(result RefreshResult) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case result.Err != nil:
		m.refreshErrors++
	case result.Requests > 0:
		m.refreshes++
	}
}

// operationCount is what the monitor keeps of one operation.
type operationCount struct {
	calls, errors, cached, attempts, throttled int

	waited    time.Duration
	sum       time.Duration
	max       time.Duration
	durations histogram
}

func (o *operationCount) call(result CallResult) {
	o.calls++
	if result.Err != nil {
		o.errors++
	} else if result.Attempts == 0 {
		o.cached++
		return
	}
	o.sum += result.Duration
	o.max = max(o.max, result.Duration)
	o.durations[bucketOf(result.Duration)]++
}

func (o *operationCount) attempt(result AttemptResult) {
	o.attempts++
	if result.Throttled {
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
	o.sum += other.sum
	o.max = max(o.max, other.max)
	for i, n := range other.durations {
		o.durations[i] += n
	}
}

func (o *operationCount) usage() OperationUsage {
	u := OperationUsage{
		Calls:     o.calls,
		Errors:    o.errors,
		Cached:    o.cached,
		Attempts:  o.attempts,
		Throttled: o.throttled,
		Waited:    secondsOf(o.waited),
		Max:       secondsOf(o.max),
	}
	if o.calls > 0 {
		u.ErrorRate = float64(o.errors) / float64(o.calls)
	}
	if timed := o.calls - o.cached; timed > 0 {
		u.Average = secondsOf(o.sum / time.Duration(timed))
		u.P50 = secondsOf(min(o.max, o.durations.percentile(50, timed)))
		u.P95 = secondsOf(min(o.max, o.durations.percentile(95, timed)))
		u.P99 = secondsOf(min(o.max, o.durations.percentile(99, timed)))
	}
	return u
}

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
