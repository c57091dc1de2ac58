package webhook

// Whoever reads the code of the receiver may go from file to file like this:
//
//	receiver.go           ServeHTTP, and below it what it calls: accept reads and verifies
//	                      a request, process claims its event, has it handled and settles that
//	verifier.go           whether a request is genuine: which header has the signature, and
//	                      no second one; hexadecimal digits for HMAC, which are compared in
//	                      constant time, and base64 for RSA
//	receiver_answers.go   how a delivery can end, and what is answered then
//	receiver_claim.go     asking the store, and what ends a claim
//	handlers.go           On, Once, and the run of the handlers
//	receiver_work.go      an answer in time: a context with a time limit, and little else
//	receiver_identity.go  events without a time, which most readers can do without

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/hooks"
	"github.com/salesiq-go/salesiq/internal/inbound"
	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/internal/usercode"
)

// Receiver is an [http.Handler] that receives the service's events. [NewReceiver]
// makes one; [On] and [OnAny] add its handlers. How it answers, and what states an event
// has, is in the documentation of the package.
//
// The handlers of an event run one after the other, in the order in which they were
// registered. The first error ends the run: those after it wait for the next delivery.
//
// # What is guaranteed
//
// This is so for events that tell their time, as all of the specification do.
//
// An event is handled at least once, if the service delivers it often enough: it is
// answered with success only after the handlers have succeeded. Otherwise the service
// delivers it again, a minute later, three times.
//
// Once all handlers of an event have succeeded, none of them runs again for it, however
// often it is delivered, as long as the [DedupStore] remembers the event. Until then,
// each delivery runs the handlers from the first on, but for those with [Once] that
// have succeeded.
//
// A handler that has succeeded runs again if the process ends, or the store fails, before
// the mark is in the store, and while the store fails with [DedupProcess]. Where that must
// not be, it can use [EventInfo.EventID] as a key of its own, in the same transaction as
// its work.
//
// Handlers run for one delivery of an event at a time, as long as the store holds the claim.
// Another delivery runs them beside a handler that has not returned 25 seconds after its
// context has ended, beside a process that has not reached Redis for half a minute, and
// while the store fails with [DedupProcess]. A store of your own must hold a claim for those
// 25 seconds.
//
// An event without a time is told from others by its body, and by the count of its
// deliveries. So it may be handled twice, and it may be dropped where an equal body was
// handled minutes before. The documentation of the package has the cases.
//
// Whoever has captured a delivery can play it again after the store has forgotten the
// event. [WithTolerance] prevents that, but for an event without a time, which can be played
// again at any time.
//
// Events arrive in any order: compare [EventInfo.EventTime].
type Receiver struct {
	verifier  Verifier
	store     DedupStore
	onFailure DedupFailure
	sink      Sink                               // Nil if there are handlers alone.
	handle    func(context.Context, Event) error // It runs the handlers, or gives the event to the sink.
	failsAs   outcome                            // How a delivery ends if handle fails.
	maxBody   int64
	timeout   time.Duration
	tolerance time.Duration
	eventName salesiq.EventName // Of a body that names no event; may be empty.
	logger    *slog.Logger
	handlers  []handler // Changed by register alone.
	hooks     hooks.Starts[DeliveryInfo, DeliveryResult]
	traces    []func(context.Context) string
	inUse     *inUse
}

// inUse is set once a receiver has received something: its handlers do not change any more.
type inUse struct {
	mu  sync.Mutex // Held while handlers are added, and while set changes.
	set atomic.Bool
}

func (u *inUse) begin() {
	if !u.set.Load() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.set.Store(true)
	}
}

// NewReceiver returns a receiver of the events that verifier accepts.
//
// Errors: an [salesiq.InputError] for no verifier, a verifier without a key,
// and an option that refuses its argument.
func NewReceiver(verifier Verifier, opts ...Option) (*Receiver, error) {
	if err := checkVerifier(verifier); err != nil {
		return nil, err
	}
	r := &Receiver{
		verifier: verifier,
		store:    newMemoryDedup(defaultDedupEvents, defaultDedupAge),
		maxBody:  1 << 20,
		timeout:  4500 * time.Millisecond,
		logger:   slog.New(slog.DiscardHandler),
		inUse:    new(inUse),
	}
	r.handle, r.failsAs = r.dispatch, failed
	for _, option := range opts {
		if option == nil {
			return nil, inputError("option", "must not be nil")
		}
		if err := option(r); err != nil {
			return nil, err
		}
	}
	if age, known := r.maxAge(); known && r.tolerance > age {
		return nil, inputError("tolerance", fmt.Sprintf("must not be longer than the dedup store or the sink remembers events, which is %s", age))
	}
	r.store = guard(r.store)
	return r, nil
}

// maxAge returns for how long an event is known not to be new: as long as the store or
// the sink remembers it.
func (r *Receiver) maxAge() (age time.Duration, known bool) {
	type remembers interface{ MaxAge() time.Duration }
	store, known := r.store.(remembers)
	if known {
		age = store.MaxAge()
	}
	if sink, ok := r.sink.(remembers); ok {
		age = max(age, sink.MaxAge())
	}
	return age, known
}

// ServeHTTP implements [http.Handler]. A receiver that NewReceiver has not made
// answers 503, since it can verify nothing.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if r == nil || r.verifier == nil {
		unavailable.send(w, request.ProtoMajor)
		return
	}
	switch request.Method {
	case http.MethodPost:
	case http.MethodGet, http.MethodHead:
		w.WriteHeader(http.StatusOK)
		return
	default:
		wrongMethod.send(w, request.ProtoMajor)
		return
	}
	r.inUse.begin()
	d := delivery{receiver: r, requested: time.Now()}
	ctx, ends := r.hooks.Begin(request.Context(), DeliveryInfo{})
	d.ends = ends
	by, event, how, err := r.accept(request)
	d.by = by
	if event == nil {
		r.logger.LogAttrs(request.Context(), slog.LevelWarn, "webhook refused",
			append(describe("reason", err), slog.Int("status", how.status()))...)
		how.send(w, request.ProtoMajor)
		d.tell(nil, how, time.Since(d.requested), err)
		return
	}
	for _, trace := range r.traces {
		if text := trace(ctx); len(text) <= maxTrace {
			event.Info().Trace = cmp.Or(text, event.Info().Trace)
		}
	}
	work := startWork(ctx, d, w, request.ProtoMajor)
	if work.expired == nil {
		d.carryOut(work, event)
		return
	}
	// Over HTTP/2, an answer ends when ServeHTTP returns, and not before.
	ended := make(chan struct{})
	startLate(request.Context(), func() { defer close(ended); d.carryOut(work, event) })
	select {
	case <-ended:
	case <-work.expired:
	}
}

// maxTrace bounds what a sink has to keep of a trace, in bytes. A longer one is left
// out, since a part of it would say something else.
const maxTrace = 1000

// delivery is one delivery of an event, for the log and the tracers.
type delivery struct {
	receiver  *Receiver
	requested time.Time // Before the body was read.
	by        claimant  // It began when the body was read.
	ends      hooks.Ends[DeliveryResult]
}

// carryOut has an event handled, answers the service, and tells of it when the handlers have
// ended.
func (d delivery) carryOut(work *handling, event Event) {
	ended, err := d.receiver.process(work, event)
	answered := work.finish(ended) // Unless it was, since the handlers took too long.
	took := time.Since(d.requested)
	logEvent(work, d.receiver.logger, event, ended, err, slog.Int("status", answered.status()), slog.Duration("duration", took))
	d.tell(event, answered, took, err)
}

func (d delivery) tell(event Event, how outcome, took time.Duration, err error) {
	duplicate := how == handledBefore || how == beingHandled
	result := DeliveryResult{Event: event, Duplicate: duplicate, StatusCode: how.status(), Duration: took, Err: err}
	if err := tellTracers(d.ends, result); err != nil {
		d.receiver.logger.LogAttrs(context.Background(), slog.LevelError, "webhook tracer failed", describe("error", err)...)
	}
}

// tellTracers tells tracers of an end. A panic of one is an error, since nobody is above them
// where a delivery was answered long ago.
func tellTracers(ends hooks.Ends[DeliveryResult], result DeliveryResult) (err error) {
	defer usercode.CatchPanic(&err)
	ends.Tell(result)
	return nil
}

// logEvent logs how the handling of an event ended, whatever the service was answered by
// then. If the event was handled, err is that of the store.
func logEvent(ctx context.Context, logger *slog.Logger, event Event, ended outcome, err error, more ...slog.Attr) {
	level, message := slog.LevelDebug, "webhook event handled"
	switch {
	case ended == beingHandled:
		message = "webhook event is being handled by another delivery"
	case err != nil && ended == handled:
		level, message = slog.LevelError, "webhook event handled, but not marked"
	case err != nil:
		level, message = slog.LevelError, "webhook event failed"
	}
	if !logger.Enabled(ctx, level) {
		return
	}
	info := event.Info()
	attrs := append([]slog.Attr{slog.String("event", string(info.EventName)), slog.String("event_id", info.EventID)}, more...)
	logger.LogAttrs(ctx, level, message, append(attrs, describe("error", err)...)...)
}

// describe returns what a log says of an error, if there is one: the stack of a panic, too.
func describe(key string, err error) (attrs []slog.Attr) {
	if err != nil {
		attrs = append(attrs, slog.String(key, redact.Summary(err.Error())))
	}
	if panicked, ok := errors.AsType[*usercode.PanicError](err); ok {
		attrs = append(attrs, slog.String("stack", string(panicked.Stack)))
	}
	return attrs
}

var errTooOld = errors.New("the time of the event is too far away")

// accept reads a request and returns its event, or no event and how to refuse it. The time
// of the claimant begins when the body has been read.
func (r *Receiver) accept(request *http.Request) (by claimant, event Event, how outcome, err error) {
	body, err := inbound.ReadBody(request, r.maxBody)
	by = newClaimant()
	switch {
	case errors.Is(err, inbound.ErrCompressed):
		return by, nil, compressed, err
	case errors.Is(err, inbound.ErrTooLarge):
		return by, nil, tooLarge, err
	case err != nil:
		return by, nil, cutShort, err
	}
	err = r.verify(request, by, body)
	switch {
	case errors.Is(err, errVerifierTimeout):
		return by, nil, unavailable, err
	case err != nil:
		return by, nil, notSigned, err
	}
	event, err = r.parse(body)
	if err != nil {
		return by, nil, notAnEvent, err
	}
	if at := event.Info().EventTime; r.tolerance > 0 && !at.IsZero() && time.Since(at).Abs() > r.tolerance {
		return by, nil, tooOld, errTooOld
	}
	return by, event, handled, nil // The outcome counts only if there is no event.
}

var errVerifierTimeout = errors.New("the Verifier has taken half of the time for handlers, and has not answered")

// verify asks the verifier. One of the user's has half of the time for handlers, so that the
// rest is left for the store and for them.
func (r *Receiver) verify(request *http.Request, by claimant, body []byte) error {
	if isOwn(r.verifier) {
		return r.verifier.Verify(request.Header, body)
	}
	ctx, cancel := context.WithDeadlineCause(context.WithoutCancel(request.Context()), by.began.Add(r.timeout/2), errVerifierTimeout)
	defer cancel()
	return ask(ctx, func(context.Context) error { return r.verifier.Verify(request.Header, body) })
}

// parse makes an event of a body. Where the receiver has a name for events, the body
// need not have one.
func (r *Receiver) parse(body []byte) (Event, error) {
	if r.eventName == "" {
		return Parse(body)
	}
	return ParseNamed(r.eventName, body)
}

// process claims an event, has it handled, and tells the store how that ended. If only
// the store fails in the end, the event is handled all the same, and err says so.
func (r *Receiver) process(work *handling, event Event) (outcome, error) {
	state, err := r.claimEvent(work, work.claim.by, event.Info())
	key := event.Info().EventID
	switch {
	case err != nil && r.onFailure == DedupProcess:
		key, err = "", errors.Join(err, setApart(event.Info())) // Nothing is claimed.
	case err != nil:
		return unavailable, err
	case state == DedupDone:
		return handledBefore, nil
	case state == DedupClaimed:
		return beingHandled, nil
	}
	work.claim.hold(key, event)
	how, failure := handled, callHandler(work, r.handle, event)
	if failure != nil {
		how = r.failsAs
	}
	return how, errors.Join(err, failure, work.claim.end(work, failure == nil))
}

// callHandler calls a handler in a goroutine of its own, and waits for its end. A
// panic is an error, and so is the end of the goroutine. It runs for each event, so it
// allocates no more than it must: TestReceivingAllocatesLittle.
func callHandler(ctx context.Context, handle func(context.Context, Event) error, event Event) error {
	ended := make(chan error)
	go func() {
		err := usercode.ErrGoexit // Unless the handler returns or panics.
		defer func() {
			if p := recover(); p != nil {
				err = usercode.NewPanic(p)
			}
			ended <- err
		}()
		err = handle(ctx, event)
	}()
	return <-ended
}
