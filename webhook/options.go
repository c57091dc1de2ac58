package webhook

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/input"
	"github.com/salesiq-go/salesiq/internal/usercode"
)

// Option configures a [Receiver]. NewReceiver returns the error of the first option
// that refuses its argument.
type Option func(*Receiver) error

// WithDedupStore remembers handled events in store. The default store is in memory,
// for a hundred thousand events and a day.
func WithDedupStore(store DedupStore) Option {
	return func(r *Receiver) error { r.store = store; return given("dedup store", store) }
}

// WithDedupFailure chooses what happens while the store does not answer. The
// default is [DedupRefuse].
func WithDedupFailure(failure DedupFailure) Option {
	return func(r *Receiver) error {
		r.onFailure = failure
		if failure != DedupRefuse && failure != DedupProcess {
			return inputError("dedup failure", "must be DedupRefuse or DedupProcess")
		}
		return nil
	}
}

// WithSink hands events to sink instead of to the handlers, and answers as soon as
// the sink has them. A sink that takes each event once, as that of salesiqbolt and that
// of salesiqredis do, needs no [WithDedupStore] beside it. Both may be combined: the store
// is asked first, and it is what handlers with [Once] use.
func WithSink(sink Sink) Option {
	return func(r *Receiver) error {
		if err := given("sink", sink); err != nil {
			return err
		}
		r.sink, r.handle, r.failsAs = sink, sink.Enqueue, unavailable
		return nil
	}
}

// WithMaxBody bounds the size of an event, in bytes. The default is 1 MiB.
func WithMaxBody(bytes int64) Option {
	return func(r *Receiver) error {
		r.maxBody = bytes
		if bytes < 1 {
			return inputError("max body", "must be positive")
		}
		return nil
	}
}

// WithHandlerTimeout bounds the work on one event, from when its body has been read. After
// that time its context ends, and the service is answered. The default is 4.5 seconds, since
// the service waits for 5.
func WithHandlerTimeout(d time.Duration) Option {
	return func(r *Receiver) error {
		r.timeout = d
		return positive("handler timeout", d)
	}
}

// WithEventName says which event a body is about that names none. The live service
// publishes some events as the bare entity, without an envelope: a receiver at a path of
// its own then serves one event. Bodies that name their event keep that name. [ParseNamed]
// says what becomes of the others.
func WithEventName(name salesiq.EventName) Option {
	return func(r *Receiver) error {
		r.eventName = name
		if name == "" {
			return inputError("event name", "must not be empty")
		}
		return nil
	}
}

// WithTolerance refuses events whose time is further away than d. Without it, no
// event is refused for its time: the signature tells that an event is genuine, and the
// [DedupStore] that it is new. Whoever has captured a delivery can then play it again
// once the store has forgotten the event, and it is handled again. A tolerance that is
// as long as the store remembers closes that gap. For the default store:
//
//	webhook.NewReceiver(verifier, webhook.WithTolerance(24*time.Hour))
//
// An event that tells no time has no age to refuse. It can be played again at any time:
// with the attempt 1, or none, each delivery counts as another event. Its handlers should
// be such that running them twice does no harm.
//
// A longer tolerance than that is refused, if the store has a method MaxAge. A [Sink]
// with that method remembers events, too, and then the longer of both counts: a tolerance
// of sixty days goes with an inbox that remembers sixty days. A store
// that is bounded in size needs room for the events of all that time. Events without a
// time are not refused.
//
// A later delivery has the time of the first, so a tolerance below five minutes loses
// events.
func WithTolerance(d time.Duration) Option {
	return func(r *Receiver) error {
		r.tolerance = d
		return positive("tolerance", d)
	}
}

// WithLogger logs what is refused and what fails, and, at level debug, what is
// handled or left to another delivery: name and id of the event, status, duration, and the errors of
// handlers. Bodies and signatures are never logged. Nil, the default, logs
// nothing. What its handler panics on is not logged, and changes nothing else.
func WithLogger(logger *slog.Logger) Option {
	return func(r *Receiver) error {
		r.logger = guardLogger(logger)
		return nil
	}
}

// guardLogger returns a logger that no panic of its handler leaves. One that is nil logs
// nothing.
func guardLogger(logger *slog.Logger) *slog.Logger {
	if logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(guardedHandler{logger.Handler()})
}

// guardedHandler is a handler in which a panic is an error, which package slog drops. Nobody
// here calls its other methods.
type guardedHandler struct{ slog.Handler }

func (g guardedHandler) Enabled(ctx context.Context, level slog.Level) (enabled bool) {
	defer usercode.CatchPanic(new(error))
	return g.Handler.Enabled(ctx, level)
}

func (g guardedHandler) Handle(ctx context.Context, record slog.Record) (err error) {
	defer usercode.CatchPanic(&err)
	return g.Handler.Handle(ctx, record)
}

// WithTracer tells tracers what the receiver does. Several of them nest, also
// over several options: their ends are called in reverse order, as deferred funcs
// are. Without any, tracing costs nothing.
func WithTracer(tracers ...*Tracer) Option {
	return func(r *Receiver) error {
		if slices.Contains(tracers, nil) {
			return inputError("tracer", "must not be nil")
		}
		for _, t := range tracers {
			r.hooks.Add(t.Delivery)
			if t.Trace != nil {
				r.traces = append(r.traces, t.Trace)
			}
		}
		return nil
	}
}

func inputError(field, reason string) error {
	return &salesiq.InputError{Field: field, Reason: reason}
}

// given refuses a value that is nil, or an interface that holds a nil pointer or
// func.
func given(field string, value any) error { return input.Checks(inputError).Given(field, value) }

func positive(field string, d time.Duration) error {
	return input.Checks(inputError).Positive(field, d)
}
