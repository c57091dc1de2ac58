package webhook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"unicode"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/internal/usercode"
)

// handler is one of a receiver's handlers.
type handler struct {
	wants  func(Event) bool
	names  []salesiq.EventName // Of the events to subscribe to; nil for those of this package that it wants.
	handle func(context.Context, Event) error
	name   string // For the log: that of Once, or else of the func.
	once   string // Its name in the store, if it must succeed once.
}

// HandlerOption says how a handler runs.
type HandlerOption func(*handler) error

// On registers a handler for events of one type. Handlers run one after the other,
// in the order in which they were registered. The first error ends the run. When the
// event is delivered again, all handlers run again but those with [Once] that have
// succeeded.
//
// The context of a handler ends when the time for the event is over
// ([WithHandlerTimeout]), not when the service hangs up.
//
// Errors: an [salesiq.InputError] for a nil receiver or handler, for an option that
// refuses its argument, and for a receiver that has received or dispatched something already.
func On[E EventType](receiver *Receiver, handle func(ctx context.Context, event *E) error, opts ...HandlerOption) error {
	h := handler{wants: func(event Event) bool { _, ok := any(event).(*E); return ok }, name: nameOf(handle)}
	if handle != nil {
		h.handle = func(ctx context.Context, event Event) error {
			return handle(ctx, any(event).(*E)) //nolint:forcetypeassert // It wants no others.
		}
	}
	return register(receiver, h, opts)
}

// OnAny registers a handler for events of all types, as [On] does for one.
func OnAny(receiver *Receiver, handle func(ctx context.Context, event Event) error, opts ...HandlerOption) error {
	return register(receiver, handler{wants: func(Event) bool { return true }, handle: handle, name: nameOf(handle)}, opts)
}

// OnWhere registers a handler for the events that wants accepts, as [On] does for those
// of one type. It is for packages that have types of their own for events, such as
// package live: here, those are an [*UnknownEvent]. The names are what [Receiver.Events]
// tells of the handler.
//
// Errors: those of On; an [salesiq.InputError] for a nil wants.
func OnWhere(receiver *Receiver, names []salesiq.EventName, wants func(Event) bool, handle func(ctx context.Context, event Event) error, opts ...HandlerOption) error {
	if wants == nil {
		return inputError("wants", "must not be nil")
	}
	return register(receiver, handler{wants: wants, names: append([]salesiq.EventName{}, names...), handle: handle, name: nameOf(handle)}, opts)
}

// Once has a handler succeed once for each event, however often the handlers of the
// event run: because another handler failed, or because [Receiver.Dispatch] got the
// event again. It is for effects that must not be repeated, such as a message:
//
//	webhook.On(receiver, tellSlack, webhook.Once("slack"))
//	webhook.On(receiver, saveRating, webhook.Once("ratings"))
//
// For one event, the handler runs once at a time, but for one that has not returned 25
// seconds after the deadline of its context. A [DedupStore] of your own must hold a claim
// for that long.
//
// The receiver's [DedupStore] remembers the success under the name, which no other
// handler of the receiver may have. The name must stay the same over restarts. Each
// handler counts as one more event in the store.
//
// An effect happens at least once, since an error of the handler has it run again. It
// happens once as far as the store remembers. It happens again if the process ends, or
// the store fails, between the effect and the mark in the store, or if the handler has
// its effect and returns an error all the same. No store can close that gap. A handler
// that must close it gives [EventInfo.EventID] to whoever has the effect, as the key of
// a row or of an idempotent request.
//
// Errors: an [salesiq.InputError] for a name that is empty, has more than 256 bytes, white
// space or control characters, or is that of another handler.
func Once(name string) HandlerOption {
	return func(h *handler) error {
		if len(name) > maxHandlerName {
			return inputError("handler name", fmt.Sprintf("must have %d bytes at most, not %d", maxHandlerName, len(name)))
		}
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
			return inputError("handler name", "must not be empty, nor have white space or control characters")
		}
		h.once, h.name = name, name
		return nil
	}
}

// maxHandlerName bounds the name of a handler, in bytes. With the id of an event, it is a
// key of a store, which may bound its keys.
const maxHandlerName = 256

// nameOf returns the name of a func as Go knows it, such as main.tellSlack.
func nameOf(handle any) string {
	if usercode.IsNil(handle) {
		return ""
	}
	return runtime.FuncForPC(reflect.ValueOf(handle).Pointer()).Name()
}

// check refuses a receiver that nobody made.
func (r *Receiver) check() error {
	if r == nil || r.verifier == nil {
		return inputError("receiver", "must be made by NewReceiver")
	}
	return nil
}

func register(receiver *Receiver, h handler, opts []HandlerOption) error {
	if err := receiver.check(); err != nil {
		return err
	}
	if h.handle == nil {
		return inputError("handler", "must not be nil")
	}
	for _, option := range opts {
		if option == nil {
			return inputError("handler option", "must not be nil")
		}
		if err := option(&h); err != nil {
			return err
		}
	}
	receiver.inUse.mu.Lock()
	defer receiver.inUse.mu.Unlock()
	if receiver.inUse.set.Load() {
		return inputError("handler", "must be registered before the receiver receives anything")
	}
	if h.once != "" && slices.ContainsFunc(receiver.handlers, func(other handler) bool { return other.once == h.once }) {
		return inputError("handler name", "must be that of one handler only: "+h.once)
	}
	receiver.handlers = append(receiver.handlers, h)
	return nil
}

// Events returns the names of the events that there are handlers for, as the
// specification orders them, and then those of [OnWhere]: what [salesiq.WebhookCreate]
// subscribes to. A handler of [OnAny] is for all of the specification. A handler for
// [UnknownEvent] adds none, since the names of its events are not known.
func (r *Receiver) Events() []salesiq.EventName {
	if r == nil {
		return nil
	}
	names := namesWhere(func(event Event) bool {
		return slices.ContainsFunc(r.handlers, func(h handler) bool { return h.names == nil && h.wants(event) })
	})
	for _, h := range r.handlers {
		for _, name := range h.names {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// Dispatch runs the handlers for an event that came another way, such as out of a
// queue that a [Sink] has filled. It does not verify the event, and deduplicates no
// handlers but those with [Once]. If there are such handlers, an event that tells no
// time first gets the identity that the documentation of the package describes. A panic of a handler is an
// error, and so is the end of its goroutine.
//
// Errors: those of the handlers and of the [DedupStore]; an [salesiq.InputError] for no
// event, and for a receiver that [NewReceiver] has not made.
func (r *Receiver) Dispatch(ctx context.Context, event Event) error {
	if err := cmp.Or(r.check(), given("event", event)); err != nil {
		return err
	}
	r.inUse.begin()
	handle := r.dispatch
	if _, recurs := recurringBody(event.Info()); recurs && slices.ContainsFunc(r.handlers, func(h handler) bool { return h.once != "" }) {
		handle = r.dispatchRecurring
	}
	return callHandler(ctx, handle, event)
}

// dispatch runs the handlers until one fails.
func (r *Receiver) dispatch(ctx context.Context, event Event) error {
	delivered, _ := ctx.(*handling) // Otherwise the event came another way.
	for _, h := range r.handlers {
		if !h.wants(event) {
			continue
		}
		if delivered != nil {
			delivered.claim.runs(h.name)
		}
		run := h.handle
		if h.once != "" {
			run = func(ctx context.Context, event Event) error { return r.runOnce(ctx, h, event) }
		}
		if err := run(ctx, event); err != nil {
			return err
		}
	}
	return nil
}

var errBeingRun = errors.New("another delivery is running the handler")

// runOnce runs a handler unless it has succeeded before, and marks its success.
func (r *Receiver) runOnce(ctx context.Context, h handler, event Event) error {
	if event.Info().EventID == "" {
		return inputError("event ID", "is required for a handler with Once: read the event with Parse")
	}
	id := event.Info().EventID + "/" + h.once
	by := newClaimant()
	state, err := r.beginLate(ctx, by, id)
	switch {
	case err != nil && r.onFailure == DedupProcess:
		r.logStore(ctx, h, event, err)
		id = "" // Nothing is claimed.
	case err != nil:
		return fmt.Errorf("handler %s: %w", h.once, err)
	case state == DedupDone:
		return nil
	case state == DedupClaimed:
		return fmt.Errorf("handler %s: %w", h.once, errBeingRun)
	}
	c, succeeded := r.newClaim(ctx, by, event, id, h.name), false
	defer func() { // Also if the handler panics.
		if err := c.end(ctx, succeeded); err != nil {
			r.logStore(ctx, h, event, err)
		}
	}()
	err = h.handle(ctx, event)
	succeeded = err == nil
	return err
}

// logStore logs that the store has failed for a handler, which may run again.
func (r *Receiver) logStore(ctx context.Context, h handler, event Event, err error) {
	r.logger.LogAttrs(ctx, slog.LevelError, "webhook handler not deduplicated",
		slog.String("event", string(event.Info().EventName)), slog.String("event_id", event.Info().EventID),
		slog.String("handler", h.once), slog.String("error", redact.Summary(err.Error())))
}
