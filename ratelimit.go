package salesiq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/time/rate"

	"github.com/salesiq-go/salesiq/internal/atomicfile"
	"github.com/salesiq-go/salesiq/internal/quota"
	"github.com/salesiq-go/salesiq/internal/transport"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// maxInFlight is the specification's limit on calls at once, for the whole
// organization.
const maxInFlight = 10

// Plan is how many calls the organization may make. Zero is no limit.
//
// Source: specification, "API Call Limits".
type Plan struct {
	CallsPerMinute int
	CallsPerDay    int

	kept    bool   // In dayFile, which may be missing.
	dayFile string // See KeptIn.
}

// KeptIn returns the plan with the day's count kept in a file, so that a program that
// was restarted, or killed, knows how much of the day is left:
//
//	salesiq.WithPlan(salesiq.Basic().KeptIn("day.json"))
//
// The file holds a [DailyQuota] as JSON. It is read when the first client or limiter is
// made, and replaced as a whole before each request is sent, and after one that turns out
// not to count. While it cannot be written, calls go on, and the next one writes it. Its
// directory must exist.
//
// Clients and limiters of one process may have the same file: then they share the day.
// A second process is refused, so that two runs of a nightly job do not overlap: the
// first one locks path.lock, which is made beside the file and stays there. It has the
// lock until it ends, however it ends, even when it has no client any more. Over a
// network file system, the lock is as good as that system's; where the system has none,
// as in a browser, there is none. Package salesiqredis keeps the day for several
// processes in Redis, and needs no file.
//
// Errors, reported by [NewClient] and [NewLimiter]: an [InputError] for a plan
// that bounds no day, for a file that cannot be read or written, and, after a second in
// which the other might have ended, for one that another process has.
func (p Plan) KeptIn(path string) Plan {
	p.kept, p.dayFile = true, path
	return p
}

// Free returns the specification's plan of that name: 10 calls a minute, 1,000 a day.
func Free() Plan { return Plan{CallsPerMinute: 10, CallsPerDay: 1_000} }

// Basic returns the specification's plan of that name: 20 calls a minute, 5,000 a
// day.
func Basic() Plan { return Plan{CallsPerMinute: 20, CallsPerDay: 5_000} }

// Professional returns the specification's plan of that name: 50 calls a minute,
// 20,000 a day.
func Professional() Plan { return Plan{CallsPerMinute: 50, CallsPerDay: 20_000} }

// Enterprise returns the specification's plan of that name: 100 calls a minute,
// 50,000 a day.
func Enterprise() Plan { return Plan{CallsPerMinute: 100, CallsPerDay: 50_000} }

// LookupPlan finds a plan by its name, in any case: "free", "basic",
// "professional", "enterprise", or "none" for no limits.
//
// Errors: an [InputError] for another name.
func LookupPlan(name string) (Plan, error) {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "none":
		return Plan{}, nil
	case "free":
		return Free(), nil
	case "basic":
		return Basic(), nil
	case "professional":
		return Professional(), nil
	case "enterprise":
		return Enterprise(), nil
	}
	return Plan{}, inputError("plan", fmt.Sprintf("%q is unknown; known are none, free, basic, professional, enterprise", name))
}

// WithPlan tells the client what the service grants. The client then knows the limit
// of a minute before the first answer, and bounds the calls of a day, which answers
// do not mention. Without it, the minute's limit is learned from the first answer, and
// days are not counted. If the service says that it grants less than the plan, the client
// believes the service.
//
// Clients of one process share a plan through [NewLimiter], and a batch shares it with
// other calls through [Client.Batch]. Processes may each be given a part, such as
// Plan{CallsPerMinute: 25, CallsPerDay: 10_000}, or share all of it through [WithLimiter].
//
// A call that would have to wait for longer than [WithMaxWait] or its context
// allows fails at once, with an [Error] that has a RetryAt and matches
// [ErrRateLimitExceeded]. It also matches [ErrDailyLimit] if the day's calls are
// spent. A day is one of UTC by the service's clock, since the specification says
// nothing of it. The count begins anew with each Client, unless a file keeps it
// ([Plan.KeptIn]), or a limiter was told of the day so far ([SharedLimiter.ResumeDay]).
func WithPlan(plan Plan) Option {
	return func(c *config) error {
		c.plan, c.planFromEnv = plan, false
		if plan.CallsPerMinute < 0 || plan.CallsPerDay < 0 {
			return inputError("plan", "must not be negative")
		}
		return nil
	}
}

// WithRateLimit spreads calls evenly: so many a second, after a burst. It is for a
// service that tells nothing of its limits. Where the service tells them, a client
// follows them more closely without this option. The other limits remain.
func WithRateLimit(perSecond rate.Limit, burst int) Option {
	return func(c *config) error {
		c.rate, c.burst = perSecond, burst
		if !(perSecond > 0) { // NaN is refused, too.
			return inputError("rate limit", "must be positive")
		}
		return between("burst", burst, 1, 1_000_000)
	}
}

// WithLimiter makes every request ask limiter, instead of the client's own
// accounting. It is for clients of one process that share the limits of an account
// ([NewLimiter]), and for processes that share those of an organization (package
// salesiqredis). [WithPlan], [WithRateLimit] and [WithMaxInFlight] are refused
// beside it: give them to the limiter. [WithMaxWait] does not bound the waits of a
// limiter.
func WithLimiter(limiter Limiter) Option {
	return func(c *config) error { c.limiter = limiter; return given("limiter", limiter) }
}

// SharedLimiter keeps to a plan as a client does for itself, for all clients of a
// process that share an account. [NewLimiter] makes one.
type SharedLimiter struct {
	queue    localQueue
	inFlight int
}

// NewLimiter returns a limiter for clients of one process that share an account:
//
//	limiter, err := salesiq.NewLimiter(salesiq.Basic(), salesiq.WithMaxInFlight(5))
//	interactive, err := salesiq.NewClient(auth, salesiq.WithLimiter(limiter))
//	nightly, err := salesiq.NewClient(auth, salesiq.WithLimiter(limiter.Batch()))
//
// With the zero Plan, it learns the limits from the answers. It takes the options
// [WithRateLimit], [WithMaxInFlight] and [WithMaxWait]. Who comes first is served
// first.
//
// Errors: an [InputError] for a bad plan or option, and for an option that is
// about something else.
func NewLimiter(plan Plan, opts ...Option) (*SharedLimiter, error) {
	c := defaultConfig()
	for _, option := range append([]Option{WithPlan(plan)}, opts...) {
		if option == nil {
			return nil, inputError("option", "must not be nil")
		}
		if err := option(c); err != nil {
			return nil, err
		}
	}
	rest, none := *c, defaultConfig()
	rest.rate, rest.burst, rest.maxInFlight, rest.maxWait = none.rate, none.burst, none.maxInFlight, none.maxWait
	none.plan = plan
	if !reflect.DeepEqual(&rest, none) {
		return nil, inputError("limiter", "takes no option but WithRateLimit, WithMaxInFlight and WithMaxWait")
	}
	queue, err := c.newQueue()
	if err != nil {
		return nil, err
	}
	return &SharedLimiter{queue: queue, inFlight: c.inFlight()}, nil
}

// Batch returns a view of the limiter for work that can wait, such as a nightly
// export. Its calls leave a fifth of each minute and of each day to the others, which
// need not wait behind them for the next minute. Otherwise, who comes first is served
// first, so that the batch gets its calls, too. A batch that has used up its four
// fifths of a day gets [ErrDailyLimit]. [Client.Batch] does so for a client.
func (l *SharedLimiter) Batch() *SharedLimiter {
	if l.made() != nil {
		return l
	}
	if queue, ok := l.queue.(*transport.Queue); ok {
		return &SharedLimiter{queue: transport.BatchQueue{Queue: queue}, inFlight: l.inFlight}
	}
	return l
}

// Acquire implements [Limiter].
func (l *SharedLimiter) Acquire(ctx context.Context) (Lease, error) {
	if err := cmp.Or(givenContext(ctx), l.made()); err != nil {
		return nil, err
	}
	lease, err := l.queue.Acquire(ctx)
	if f, ok := errors.AsType[*transport.Failure](err); ok {
		return nil, &Error{Operation: "Limiter.Acquire", Code: ErrRateLimitExceeded, RetryAt: f.RetryAt.Round(0), Err: f.Err}
	}
	if err != nil {
		return nil, err
	}
	return localLease{lease}, nil
}

// DailyQuota tells how many calls the day has left. That is the whole day's, also of
// the view that [SharedLimiter.Batch] returns, which leaves a fifth of it to others. It
// is zero without a plan that bounds them.
func (l *SharedLimiter) DailyQuota() DailyQuota {
	if l.made() != nil {
		return DailyQuota{}
	}
	return dayOf(l.queue)()
}

// ResumeDay counts the calls of a day that were made before the limiter was, such as
// those before a restart. The day is what [SharedLimiter.DailyQuota] has told then,
// and was kept as JSON. It changes nothing if that day is over. Call it once, since
// each time counts. Save the day at the end, and as often before as the program may be
// killed; [Plan.KeptIn] does both with a file.
//
// Errors: an [InputError] for a day that cannot be.
func (l *SharedLimiter) ResumeDay(day DailyQuota) error {
	if err := l.made(); err != nil {
		return err
	}
	if day.Left < 0 || day.Left > day.Limit {
		return inputError("day", fmt.Sprintf("has %d of %d calls left", day.Left, day.Limit))
	}
	l.queue.Resume(day.Limit-day.Left, day.Reset)
	return nil
}

// made refuses a limiter that NewLimiter has not made.
func (l *SharedLimiter) made() error {
	if l == nil || l.queue == nil {
		return inputError("limiter", "must be one of NewLimiter")
	}
	return nil
}

// Limiter decides when a request may be sent. It must be safe for concurrent
// use.
//
// A Limiter may also have a method DailyQuota() [DailyQuota], which tells how many
// calls the day has left. A client with a [Tracer] calls it after each attempt. It
// must return at once.
type Limiter interface {
	// Acquire waits for permission to send one request. Each attempt of a call
	// asks anew. Acquire returns when ctx ends. The Lease may be nil if nobody
	// needs to hear of the end of the request.
	//
	// A limiter that knows that waiting is in vain returns an [*Error] with a
	// RetryAt, and an Err if there is more to say, such as [ErrDailyLimit]. The
	// call then fails with these and with [ErrRateLimitExceeded], and is not
	// retried.
	Acquire(ctx context.Context) (Lease, error)
}

// Lease is the permission to send one request.
type Lease interface {
	// Done ends the request. It is called once, whatever happens.
	Done(o Outcome)
}

// Outcome is what a [Limiter] learns from one request.
type Outcome struct {
	StatusCode int         // 0 without an answer.
	Header     http.Header // Nil without an answer. It must not be changed.
	Sent       bool        // Some of the request may have reached the service.
	Throttled  bool        // The service refused it as one too many.
	RetryAt    time.Time   // After such a refusal, when the service wants to be asked again; zero if it does not say.
}

// RateWindow returns what the answer's header says about the rate limit.
func (o Outcome) RateWindow() RateWindow { return rateWindow(o.Header) }

// ServiceClock returns two times by the service's own clock: when the answer was
// given, and when the next window starts. Each is zero if the answer does not say.
// Their difference is right even where the clocks of this machine, the service and
// a shared store differ.
func (o Outcome) ServiceClock() (date, reset time.Time) {
	r := o.report(time.Now())
	return r.Date, r.Reset
}

// Refused reports whether the service refused the request without processing it,
// as one too many or for its token. Such a request counts only as far as
// [Outcome.RateWindow] shows.
func (o Outcome) Refused() bool { return o.report(time.Now()).Refused }

// RetryAfter returns how long the service wants to be left alone after a request
// that it refused as one too many, and whether it says so.
func (o Outcome) RetryAfter() (wait time.Duration, ok bool) {
	now := time.Now()
	r := o.report(now)
	if r.RetryAt.IsZero() {
		return 0, false
	}
	return max(0, r.RetryAt.Sub(now)), true
}

// report returns what the client's own accounting makes of the outcome.
func (o Outcome) report(now time.Time) quota.Report {
	t := transport.Outcome(o)
	return t.Report(now)
}

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
		window.Reset = now.Add(w.ResetIn).Round(0)
	}
	return window
}

// checkLimits refuses limits beside a limiter, which keeps its own.
func (c *config) checkLimits() error {
	const reason = "cannot be set beside WithLimiter: give it to the limiter"
	switch {
	case c.limiter == nil:
		return nil
	case c.plan != Plan{} && !c.planFromEnv:
		return inputError("plan", reason)
	case c.rate != 0:
		return inputError("rate limit", reason)
	case c.maxInFlight != 0:
		return inputError("max in flight", reason)
	}
	if l, ok := c.limiter.(*SharedLimiter); ok {
		return l.made()
	}
	return nil
}

// newLimiter returns the limiter of a client: a queue of its own, the queue of a
// [SharedLimiter], which other clients may have as well, or a limiter of the user's.
func (c *config) newLimiter() (meteredLimiter, error) {
	switch l := c.limiter.(type) {
	case nil:
		return c.newQueue()
	case *SharedLimiter:
		return l.queue, nil
	default:
		return &foreignLimiter{Limiter: l}, nil
	}
}

func (c *config) newQueue() (localQueue, error) {
	queue := transport.QueueConfig{
		Limits:  quota.Limits{PerMinute: c.plan.CallsPerMinute, PerDay: c.plan.CallsPerDay, InFlight: c.inFlight()},
		Rate:    c.rate,
		Burst:   c.burst,
		MaxWait: c.maxWait,
	}
	plan, field := c.plan, "plan"
	if c.dayFile != "" && !plan.kept {
		plan, field = plan.KeptIn(c.dayFile), dayFileVariable
	}
	if !plan.kept {
		return transport.NewQueue(queue), nil
	}
	file, err := plan.openDay()
	if err != nil {
		return nil, inputError(field, "keeps the day in a file: "+err.Error())
	}
	queue.Day = file.day
	return transport.NewQueue(queue), nil
}

// openDay returns the file of the plan, which this process has from then on.
func (p *Plan) openDay() (*dayFile, error) {
	switch {
	case p.CallsPerDay == 0:
		return nil, errors.New("there is none, since CallsPerDay of the plan bounds no day")
	case p.dayFile == "":
		return nil, errors.New("its path must not be empty")
	}
	path, err := filepath.Abs(p.dayFile)
	if err != nil {
		return nil, err
	}
	if _, err := readDay(path); err != nil {
		return nil, err // Before a lock is made beside it.
	}
	return openDayFile(path, p.CallsPerDay)
}

// readDay returns the day that is in a file, and a zero one if there is none.
func readDay(path string) (day DailyQuota, err error) {
	kept, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return day, nil
	case err != nil:
		return day, err
	case wire.Unmarshal(kept, &day) != nil || day.Left < 0 || day.Left > day.Limit:
		return day, fmt.Errorf("%s holds something else: name another file, or delete this one", path)
	}
	return day, nil
}

// dayFile is a file that keeps the day that queues of this process share.
type dayFile struct {
	path string
	lock *flock.Flock // Nil where the system has no locks.
	day  *transport.Day

	mu    sync.Mutex // Guards the file, and what follows.
	limit int        // Of the largest plan.
}

// dayFiles are the files that this process has, by their paths. It has them, and their
// locks, until it ends: a job may have work left when its last client is garbage.
var dayFiles = struct {
	mu     sync.Mutex
	byPath map[string]*dayFile
}{byPath: map[string]*dayFile{}}

// dayFileWait is how long a process waits for another one to end.
const dayFileWait = time.Second

// openDayFile returns the file for a plan of so many calls. The file is locked and read,
// unless this process has it already.
func openDayFile(path string, limit int) (*dayFile, error) {
	dayFiles.mu.Lock()
	defer dayFiles.mu.Unlock()
	if file := dayFiles.byPath[path]; file != nil {
		err := file.write(limit)
		return file, err
	}
	lock, err := lockDayFile(path)
	if err != nil {
		return nil, err
	}
	file := &dayFile{path: path, lock: lock}
	file.day = transport.NewDay(func() { file.write(0) }) //nolint:errcheck // The next call writes it.
	if err := file.resume(limit); err != nil {
		file.unlock()
		return nil, err
	}
	dayFiles.byPath[path] = file
	return file, nil
}

func lockDayFile(path string) (*flock.Flock, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dayFileWait)
	defer cancel()
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	_, err := lock.TryLockContext(ctx, lockRetry)
	switch {
	case err == nil:
		return lock, nil
	case errors.Is(err, errors.ErrUnsupported):
		return nil, nil //nolint:nilnil // There is none.
	case errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("another process has %s: wait until it has ended, or share the day through package salesiqredis", path)
	}
	lock.Close() //nolint:errcheck // Nothing was written.
	return nil, err
}

func (f *dayFile) unlock() {
	if f.lock != nil {
		f.lock.Close() //nolint:errcheck // Closing a file that was not written does not fail.
	}
}

// resume goes on with the day that is in the file.
func (f *dayFile) resume(limit int) error {
	day, err := readDay(f.path)
	if err != nil {
		return err
	}
	f.day.Resume(day.Limit-day.Left, day.Reset)
	return f.write(limit)
}

// write keeps the day as it is now. Its limit is that of the largest plan, so that no
// call is lost that a smaller one has no room for.
func (f *dayFile) write(limit int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.limit = max(f.limit, limit)
	used, end := f.day.Used()
	day, err := wire.Marshal(DailyQuota{Limit: max(f.limit, used), Left: max(0, f.limit-used), Reset: end})
	if err != nil {
		return err
	}
	return atomicfile.Write(f.path, day)
}

// meteredLimiter knows how many calls a minute grants, once an answer has told.
type meteredLimiter interface {
	transport.Limiter
	PerMinute() (calls int, known bool)
}

// width returns a func that tells how many calls to begin at once, for someone who
// makes many.
//
//	what a minute grants    calls to begin
//	not known yet           as many as may be under way
//	many                    twice as many, so that no request waits until the answer of
//	                        another is decoded; with a limiter of the caller's, or with
//	                        more than ten under way, as many
//	few                     a tenth of what a minute grants, which uses it up: more would
//	                        make the last calls wait for minute after minute
func (c *config) width(limiter meteredLimiter) func() int {
	underWay := min(c.inFlight(), maxInFlight)
	most := underWay
	if c.limiter == nil && c.inFlight() <= maxInFlight {
		most = 2 * underWay
	}
	return func() int {
		perMinute, known := limiter.PerMinute()
		if !known {
			return underWay
		}
		return min(most, max(perMinute/10, 1))
	}
}

// localQueue is a queue, or the view of it for batches.
type localQueue interface {
	meteredLimiter
	Today() (limit, left int, end time.Time)
	Resume(used int, end time.Time)
}

// dayOf returns a func that tells how many calls the day of a queue has left.
func dayOf(queue localQueue) func() DailyQuota {
	return func() DailyQuota {
		limit, left, end := queue.Today()
		return DailyQuota{Limit: limit, Left: left, Reset: end}
	}
}

type localLease struct{ lease transport.Lease }

// Done implements [Lease].
func (l localLease) Done(o Outcome) { l.lease.Done(transport.Outcome(o)) }

// foreignLimiter is the user's limiter in the pipeline.
type foreignLimiter struct {
	Limiter

	limit atomic.Int64 // Calls a minute, as of the last answer.
}

func (l *foreignLimiter) PerMinute() (calls int, known bool) {
	limit := l.limit.Load()
	return int(limit), limit > 0
}

func (l *foreignLimiter) Acquire(ctx context.Context) (transport.Lease, error) {
	lease, err := l.Limiter.Acquire(ctx)
	if err == nil {
		return foreignLease{lease, l}, nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return nil, transport.Held(e.RetryAt, e.Err)
	}
	return nil, err
}

type foreignLease struct {
	Lease

	limiter *foreignLimiter
}

func (l foreignLease) Done(o transport.Outcome) {
	if limit, ok := transport.ParseLimit(o.Header); ok {
		l.limiter.limit.Store(int64(limit))
	}
	if l.Lease != nil {
		l.Lease.Done(Outcome(o))
	}
}
