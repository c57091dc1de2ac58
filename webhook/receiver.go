package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/salesiq-go/salesiq/internal/hooks"
	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/internal/usercode"
)

// Receiver is an [http.Handler] that receives the service's events. [NewReceiver]
// makes one; [On] and [OnAny] add its handlers.
//
// # What is guaranteed
//
// An event is handled at least once. It is answered with success only after the
// handlers have succeeded. Otherwise the service delivers it again, a minute
// later, three times.
//
// An event is handled at most once, too, however often it is delivered, as long
// as the [DedupStore] remembers it. The exception is a process that ends, or a
// store that fails, between the end of the handlers and the mark that the event
// is handled. A handler for which that window is too wide can use
// [EventInfo.EventID] as a key of its own, in the same transaction as its work.
//
// Two deliveries are of one event if their bodies are the same, but for the count
// of deliveries. Events arrive in any order: compare [EventInfo.EventTime].
//
// # What is answered
//
//   - GET and HEAD: 200, since the service probes with them. Any other method but
//     POST: 405.
//   - A body over the limit ([WithMaxBody]): 413, before all of it is read. How
//     slowly a body may come is for [http.Server.ReadTimeout] to say.
//   - A compressed body: 415, since nothing says which form of it is signed.
//   - A signature that the [Verifier] refuses: 401. The body is not parsed, and
//     the content type does not matter.
//   - A body that is not a JSON object: 400.
//   - An event that is too old ([WithTolerance]): 403.
//   - An event that was handled before: 200, without handling it again.
//   - An event that another delivery is handling: 200 once that has succeeded, or
//     503 if it takes too long.
//   - A handler that fails, panics or takes too long ([WithHandlerTimeout]): 500.
//     If the handler succeeds after that, the event counts as handled.
//   - A [DedupStore] or a [Sink] that fails: 503.
//   - Anything else, also an event that no handler is for: 200.
type Receiver struct {
	verifier  Verifier
	store     DedupStore
	onFailure DedupFailure
	sink      Sink
	maxBody   int64
	timeout   time.Duration
	tolerance time.Duration
	logger    *slog.Logger
	handlers  []func(context.Context, Event) error
	hooks     hooks.Starts[DeliveryInfo, DeliveryResult]
	inUse     *atomic.Bool // No more handlers can be added.
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
		inUse:    new(atomic.Bool),
	}
	for _, option := range opts {
		if option == nil {
			return nil, inputError("option", "must not be nil")
		}
		if err := option(r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// On registers a handler for events of one type. Handlers run one after the other,
// in the order in which they were registered. The first error ends the run. All
// handlers run again when the event is delivered again.
//
// The context of a handler ends when the time for the event is over
// ([WithHandlerTimeout]), not when the service hangs up.
//
// Errors: an [salesiq.InputError] for a nil receiver or handler, and for a
// receiver that has received something already.
func On[E EventType](receiver *Receiver, handle func(ctx context.Context, event *E) error) error {
	if handle == nil {
		return OnAny(receiver, nil)
	}
	return OnAny(receiver, func(ctx context.Context, event Event) error {
		if e, ok := any(event).(*E); ok {
			return handle(ctx, e)
		}
		return nil
	})
}

// OnAny registers a handler for events of all types, as [On] does for one.
func OnAny(receiver *Receiver, handle func(ctx context.Context, event Event) error) error {
	switch {
	case receiver == nil:
		return inputError("receiver", "must not be nil")
	case handle == nil:
		return inputError("handler", "must not be nil")
	case receiver.inUse.Load():
		return inputError("handler", "must be registered before the receiver receives anything")
	}
	receiver.handlers = append(receiver.handlers, handle)
	return nil
}

// Dispatch runs the handlers for an event that came another way, such as out of a
// queue that a [Sink] has filled. It neither verifies nor deduplicates.
func (r *Receiver) Dispatch(ctx context.Context, event Event) error {
	for _, handle := range r.handlers {
		if err := handle(ctx, event); err != nil {
			return err
		}
	}
	return nil
}

// ServeHTTP implements [http.Handler].
func (r *Receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	switch request.Method {
	case http.MethodPost:
	case http.MethodGet, http.MethodHead:
		w.WriteHeader(http.StatusOK)
		return
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		wrongMethod.send(w)
		return
	}
	if !r.inUse.Load() {
		r.inUse.Store(true)
	}
	began := time.Now()
	ctx, ends := r.hooks.Begin(request.Context(), DeliveryInfo{})
	event, refusal, err := r.accept(request)
	if err != nil {
		r.logger.LogAttrs(request.Context(), slog.LevelWarn, "webhook refused",
			slog.Int("status", refusal.status), slog.String("reason", err.Error()))
		refusal.send(w)
		ends.Tell(DeliveryResult{StatusCode: refusal.status, Duration: time.Since(began), Err: err})
		return
	}
	work := startWork(ctx, r.timeout, w)
	answer, err := failed, errGoroutineEnded
	defer func() {
		logEvent(request.Context(), r.logger, event, err, slog.Int("status", answer.status), slog.Duration("duration", time.Since(began)))
		status := work.finish(answer)
		duplicate := answer == receivedBefore || answer == stillAtWork
		ends.Tell(DeliveryResult{Event: event, Duplicate: duplicate, StatusCode: status, Duration: time.Since(began), Err: err})
	}()
	answer, err = r.process(work, event)
}

// logEvent logs how the handling of an event ended.
func logEvent(ctx context.Context, logger *slog.Logger, event Event, err error, more ...slog.Attr) {
	level, message := slog.LevelDebug, "webhook event handled"
	if err != nil {
		level, message = slog.LevelError, "webhook event failed"
	}
	if !logger.Enabled(ctx, level) {
		return
	}
	info := event.Info()
	attrs := append([]slog.Attr{slog.String("event", string(info.EventName)), slog.String("event_id", info.EventID)}, more...)
	if err != nil {
		attrs = append(attrs, slog.String("error", redact.Summary(err.Error())))
	}
	if p := (*usercode.PanicError)(nil); errors.As(err, &p) {
		attrs = append(attrs, slog.String("stack", string(p.Stack)))
	}
	logger.LogAttrs(ctx, level, message, attrs...)
}

// reply is an answer to the service.
type reply struct {
	status int
	body   string
	header map[string]string
}

var (
	retryLater = map[string]string{"Retry-After": "10"}

	received       = &reply{status: http.StatusOK, body: `{"received":true}`}
	receivedBefore = &reply{status: http.StatusOK, body: `{"received":true}`}
	wrongMethod    = &reply{status: http.StatusMethodNotAllowed, body: `{"error":"method not allowed"}`}
	tooLarge       = &reply{status: http.StatusRequestEntityTooLarge, body: `{"error":"body too large"}`, header: map[string]string{"Connection": "close"}}
	compressed     = &reply{status: http.StatusUnsupportedMediaType, body: `{"error":"compressed body"}`}
	unreadable     = &reply{status: http.StatusBadRequest, body: `{"error":"body cut short"}`}
	notSigned      = &reply{status: http.StatusUnauthorized, body: `{"error":"invalid signature"}`}
	notAnEvent     = &reply{status: http.StatusBadRequest, body: `{"error":"not an event"}`}
	tooOld         = &reply{status: http.StatusForbidden, body: `{"error":"event too old or too new"}`}
	failed         = &reply{status: http.StatusInternalServerError, body: `{"error":"not handled"}`}
	unavailable    = &reply{status: http.StatusServiceUnavailable, body: `{"error":"not now"}`, header: retryLater}
	stillAtWork    = &reply{status: http.StatusServiceUnavailable, body: `{"error":"another delivery is being handled"}`, header: retryLater}
	tookTooLong    = &reply{status: http.StatusInternalServerError, body: `{"error":"took too long"}`, header: map[string]string{"Connection": "close"}}
	jsonMimeType   = []string{"application/json"}
)

func (a *reply) send(w http.ResponseWriter) {
	header := w.Header()
	header["Content-Type"] = jsonMimeType
	for name, value := range a.header {
		header.Set(name, value)
	}
	w.WriteHeader(a.status)
	io.WriteString(w, a.body) //nolint:gosec // It is one of the texts above.
}

var (
	errBodyTooLarge = errors.New("the body is too large")
	errCompressed   = errors.New("the body is compressed")
	errTooOld       = errors.New("the time of the event is too far away")

	// errGoroutineEnded stands for what a handler does not return when it calls
	// runtime.Goexit.
	errGoroutineEnded = errors.New("the handler has ended its goroutine")
)

// accept reads a request and returns its event, or how to refuse it.
func (r *Receiver) accept(request *http.Request) (Event, *reply, error) {
	if encoding := request.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, compressed, errCompressed
	}
	body, err := r.read(request)
	if _, bounded := errors.AsType[*http.MaxBytesError](err); bounded || errors.Is(err, errBodyTooLarge) {
		return nil, tooLarge, err
	}
	if err != nil {
		return nil, unreadable, fmt.Errorf("reading the body: %w", err)
	}
	if err := r.verifier.Verify(request.Header, body); err != nil {
		return nil, notSigned, err
	}
	event, err := Parse(body)
	if err != nil {
		return nil, notAnEvent, err
	}
	if at := event.Info().EventTime; r.tolerance > 0 && !at.IsZero() && time.Since(at).Abs() > r.tolerance {
		return nil, tooOld, errTooOld
	}
	return event, nil, nil
}

// firstRead bounds the buffer that is made before any of the body has arrived,
// whatever its announced length.
const firstRead = 64 << 10

// read returns a body that is not too large, with one allocation where its
// length is known.
func (r *Receiver) read(request *http.Request) ([]byte, error) {
	if request.ContentLength > r.maxBody {
		return nil, errBodyTooLarge
	}
	// One byte more, so that the end is seen without making room.
	body := make([]byte, 0, min(max(request.ContentLength, 511), firstRead)+1)
	for {
		n, err := request.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > r.maxBody:
			return nil, errBodyTooLarge
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, err
		case len(body) == cap(body):
			body = append(body, 0)[:len(body)]
		}
	}
}

// process claims an event, has it handled, and marks it.
func (r *Receiver) process(work *handling, event Event) (answer *reply, err error) {
	id := event.Info().EventID
	state, err := r.claim(work, id)
	switch {
	case err != nil && r.onFailure == DedupProcess:
		answer, handling := r.handle(work, event)
		return answer, errors.Join(err, handling)
	case err != nil:
		return unavailable, err
	case state == DedupDone:
		return receivedBefore, nil
	case state == DedupClaimed:
		return stillAtWork, nil
	}
	succeeded := false
	defer func() { err = errors.Join(err, r.settle(work, id, succeeded)) }()
	answer, err = r.handle(work, event)
	succeeded = err == nil
	return answer, err
}

// claim claims an event. It waits while another delivery has the event, for half of
// the time that there is at most. It waits for a store that does not answer, for
// three quarters at most. The rest is left for the handlers.
func (r *Receiver) claim(work *handling, eventID string) (DedupState, error) {
	const shortest, longest = 5 * time.Millisecond, 200 * time.Millisecond
	latest := work.deadline.Add(-r.timeout / 2)
	var ctx context.Context = work
	if _, inMemory := r.store.(*memoryDedup); !inMemory { // It always answers.
		limited, cancel := context.WithDeadline(work, work.deadline.Add(-r.timeout/4))
		defer cancel()
		ctx = limited
	}
	for pause := shortest; ; pause = min(2*pause, longest) {
		state, err := r.store.Begin(ctx, eventID)
		if err != nil {
			return state, fmt.Errorf("deduplication: %w", err)
		}
		left := time.Until(latest)
		if state != DedupClaimed || left <= 0 {
			return state, nil
		}
		<-time.After(min(pause, left))
	}
}

// settle ends a claim, even when the time for the event is over.
func (r *Receiver) settle(work *handling, eventID string, succeeded bool) error {
	end := r.store.Abort
	if succeeded {
		end = r.store.Done
	}
	err := end(work, eventID)
	if err != nil && work.Err() != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(work), settleTimeout)
		defer cancel()
		err = end(ctx, eventID)
	}
	if err != nil {
		return fmt.Errorf("deduplication: %w", err)
	}
	return nil
}

// settleTimeout is for a store that answers late, after the time of the event.
const settleTimeout = 2 * time.Second

// handle has an event handled, or handed over to the sink.
func (r *Receiver) handle(ctx context.Context, event Event) (*reply, error) {
	handle, otherwise := r.Dispatch, failed
	if r.sink != nil {
		handle, otherwise = r.sink.Enqueue, unavailable
	}
	if err := callHandler(ctx, handle, event); err != nil {
		return otherwise, err
	}
	return received, nil
}

// callHandler calls a handler, and turns a panic into an error.
func callHandler(ctx context.Context, handle func(context.Context, Event) error, event Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = usercode.NewPanic(p)
		}
	}()
	return handle(ctx, event)
}
