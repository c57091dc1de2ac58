package transport

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"time"
)

// Observer watches calls on their way.
type Observer interface {
	// Watches reports whether the call of ctx is watched. If not, no other method is
	// called for it.
	Watches(ctx context.Context) bool
	// Attempt is called when an attempt begins, with its number in the call, from 1.
	// It returns a context for the attempt, derived from ctx, a header to be sent along,
	// which is not changed any more, and a func to call at its end.
	Attempt(ctx context.Context, number int) (context.Context, http.Header, func(AttemptEnd))
	// Request is called when the request of an attempt is sent, after all waits.
	// Otherwise it is like Attempt.
	Request(ctx context.Context, number int) (context.Context, http.Header, func(AttemptEnd))
	// HearsWaits reports whether Wait is to be called at all.
	HearsWaits() bool
	// Wait is called when a wait has begun. It returns a func to call at its end.
	Wait(ctx context.Context, w Wait) func(took time.Duration)
}

// Wait is a wait that has begun.
type Wait struct {
	Reason WaitReason
	Until  time.Time // When it is over, as far as that is known; zero if it is not.
	Shared bool      // Another call waits for the same, and was told of.
}

// WaitReason is what a call waits for.
type WaitReason string

// What a call waits for.
const (
	WaitQuota      WaitReason = "quota"
	WaitSlot       WaitReason = "slot"
	WaitToken      WaitReason = "token"
	WaitBackoff    WaitReason = "backoff"
	WaitRetryAfter WaitReason = "retry_after"
)

// AttemptEnd is the outcome of an attempt.
type AttemptEnd struct {
	Status    int         // 0 without an answer.
	Header    http.Header // Nil without an answer. It must not be changed.
	RequestID string
	Protocol  string        // Such as "HTTP/2.0"; empty without an answer.
	Took      time.Duration // Without waits.
	Waited    time.Duration // For quota and token.
	Throttled bool          // The service refused it as one too many.
	Failure   *Failure      // Nil after a success.
}

// observed is the link that tells the observer of each attempt or, further down, of each
// request.
type observed struct {
	next     link
	observer Observer
	begin    func(ctx context.Context, number int) (context.Context, http.Header, func(AttemptEnd))
}

func (l *observed) do(ctx context.Context, a *attempt) (*Answer, *Failure) {
	if !l.observer.Watches(ctx) {
		return l.next.do(ctx, a)
	}
	ctx, header, end := l.begin(ctx, a.number)
	a.header = join(a.header, header)
	start, before := time.Now(), a.waited
	answer, f := l.next.do(ctx, a)
	e := a.end(answer, f)
	e.Waited = a.waited - before
	e.Took = time.Since(start) - e.Waited
	end(e)
	return answer, f
}

// join returns a header with what is in both, and the second one's value of a name. It changes neither.
func join(first, second http.Header) http.Header {
	switch {
	case len(second) == 0:
		return first
	case len(first) == 0:
		return second
	}
	both := maps.Clone(first)
	maps.Copy(both, second)
	return both
}

// end returns the outcome of an attempt, but for how long it took.
func (a *attempt) end(answer *Answer, f *Failure) AttemptEnd {
	e := AttemptEnd{Protocol: a.protocol, Failure: f}
	if f == nil {
		e.Status, e.Header, e.RequestID = answer.Status, answer.Header, requestID(answer.Header, answer.secrets())
	} else {
		e.Status, e.Header, e.RequestID = f.Status, f.Header, f.RequestID
		e.Throttled = f.throttled()
	}
	return e
}

// audience gets the reports of waits: the observer and the log, each unless it is
// nil.
type audience struct {
	observer Observer
	logger   *slog.Logger
	common   *commonWaits
}

// newAudience returns nil if there is neither an observer nor a log.
func newAudience(c *Config) *audience {
	if c.Observer == nil && c.Logger == nil {
		return nil
	}
	return &audience{observer: c.Observer, logger: c.Logger, common: new(commonWaits)}
}

// of returns the audience of a call: without the observer, unless it watches.
func (l *audience) of(ctx context.Context) *audience {
	switch {
	case l == nil || l.observer == nil || l.observer.Watches(ctx):
		return l
	case l.logger == nil:
		return nil
	}
	return &audience{logger: l.logger, common: l.common}
}

// hearsWaits reports whether waits are reported. Otherwise they are only measured.
func (l *audience) hearsWaits() bool { return l.logger != nil || l.observer.HearsWaits() }

// tell reports that a wait has begun. It returns a func to call at its end.
func (l *audience) tell(ctx context.Context, operation string, w Wait) (end func(time.Duration)) {
	shared, over := l.common.begin(w)
	w.Shared = shared
	if l.logger != nil {
		logWait(ctx, l.logger, operation, w)
	}
	var told func(time.Duration)
	if l.observer != nil {
		told = l.observer.Wait(ctx, w)
	}
	return func(took time.Duration) {
		over()
		if told != nil {
			told(took)
		}
	}
}

// commonWaits knows which waits of a pipeline are one for whoever looks at it: ten calls
// that wait for the next minute wait for one thing.
type commonWaits struct {
	mu     sync.Mutex
	byKind map[waitKind]*commonWait
}

// waitKind is what waits have in common that may be one. A short one does not stand for
// those that are worth a line.
type waitKind struct {
	reason WaitReason
	long   bool
}

// commonWait is what calls wait for at a time.
type commonWait struct {
	calls int
	until time.Time // As it was told last.
}

const (
	// longWait is the shortest wait that a program looks hung in.
	longWait = time.Second
	// sameWait is how far the ends of waits may be apart that are reported as one, such as
	// those of calls that are spread evenly.
	sameWait = 10 * time.Second
)

// begin reports whether a wait is shared with one that was reported and is not over. It
// returns a func for its end. Pauses between the attempts of a call are its own.
func (c *commonWaits) begin(w Wait) (shared bool, end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKind == nil {
		c.byKind = map[waitKind]*commonWait{}
	}
	kind := waitKind{w.Reason, time.Until(w.Until) >= longWait}
	common := c.byKind[kind]
	if common == nil {
		common = new(commonWait)
		c.byKind[kind] = common
	}
	shared = w.Reason != WaitBackoff && common.calls > 0 && w.Until.Sub(common.until) < sameWait
	if !shared {
		common.until = w.Until
	}
	common.calls++
	return shared, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		common.calls--
	}
}

// minWait is the shortest wait that is reported. Whatever is shorter was spent on
// finding that there is nothing to wait for.
const minWait = time.Millisecond

// wait is a wait that is reported once it has lasted for minWait. A nil wait is never
// reported: its methods do nothing.
type wait struct {
	audience  *audience
	ctx       context.Context //nolint:containedctx // It is that of the goroutine that waits.
	operation string
	start     time.Time

	mu    sync.Mutex  // Guards what follows, and keeps begin and end in order.
	timer *time.Timer // Nil as long as there may be nothing to wait for.
	what  Wait
	told  bool
	over  bool
	done  func(time.Duration) // Reports the end; may be nil.
}

// startWait begins a wait of an attempt. What becomes of it depends on who listens:
//
//	nobody                               nothing
//	those who want to know of no waits   it is only measured, by means of waitBegan
//	others, and there is a reason        it is reported once it has lasted for minWait
//	others, and there is none            so it is, from when the limiter's forecast gives one
//
// In the first two cases, the wait is nil.
func (a *attempt) startWait(ctx context.Context, reason WaitReason) *wait {
	if a.audience == nil {
		return nil
	}
	if !a.audience.hearsWaits() {
		a.waitBegan = time.Now()
		return nil
	}
	w := &wait{audience: a.audience, ctx: ctx, operation: a.request.Operation, start: time.Now(), what: Wait{Reason: reason}}
	if reason != "" {
		w.tellLater()
	}
	return w
}

// tellLater reports the wait once it has lasted for minWait.
func (w *wait) tellLater() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(minWait, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.tell()
	})
}

// endWait ends a wait of an attempt.
func (a *attempt) endWait(w *wait) {
	if !a.waitBegan.IsZero() {
		a.waited += time.Since(a.waitBegan)
		a.waitBegan = time.Time{}
	}
	a.waited += w.end()
}

// tell reports the wait, once, unless it is over.
func (w *wait) tell() {
	if !w.told && !w.over {
		w.told = true
		w.done = w.audience.tell(w.ctx, w.operation, w.what)
	}
}

// end ends the wait and returns how long it took.
func (w *wait) end() time.Duration {
	if w == nil {
		return 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	took := time.Since(w.start)
	if w.timer != nil {
		w.timer.Stop()
		if took >= minWait {
			w.tell() // The timer may be late.
		}
	}
	w.over = true
	if w.done != nil {
		w.done(took)
	}
	return took
}

// waitKey finds the wait of an attempt in its context.
type waitKey struct{}

// in returns a context in which forecast finds the wait.
func (w *wait) in(ctx context.Context) context.Context {
	if w == nil {
		return ctx
	}
	return context.WithValue(ctx, waitKey{}, w)
}

// forecast says what the wait in ctx is for. A limiter calls it, since only it knows.
func forecast(ctx context.Context, what Wait) {
	if w, ok := ctx.Value(waitKey{}).(*wait); ok {
		w.mu.Lock()
		w.what = what
		w.mu.Unlock()
		w.tellLater()
	}
}

// startPause reports a pause that comes before the next attempt.
func (s *series) startPause(ctx context.Context, pause time.Duration) {
	if s.last.audience == nil || pause < minWait {
		return
	}
	what := Wait{Reason: WaitBackoff, Until: time.Now().Add(pause)}
	if !s.failure.RetryAt.IsZero() {
		what.Reason = WaitRetryAfter
	}
	s.pauseBegan = time.Now()
	s.resume = s.last.audience.tell(ctx, s.last.request.Operation, what)
}

// endPause ends the pause since the last attempt, if there was one, and returns how
// long it took.
func (s *series) endPause() time.Duration {
	if s.pauseBegan.IsZero() {
		return 0
	}
	took := time.Since(s.pauseBegan)
	s.waited += took
	s.pauseBegan = time.Time{}
	if s.resume != nil {
		s.resume(took)
	}
	return took
}
