package salesiqotel

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/salesiq-go/salesiq"
)

// Backlog is what lies between deliveries and their handlers.
type Backlog struct {
	Events      int       // That are not handled yet.
	Oldest      time.Time // When the oldest of them came; zero if there is none.
	DeadLetters int       // Events that nobody tries to handle any more.
}

// ObserveBacklog makes gauges of a backlog, such as the inbox of package salesiqbolt
// or the stream of package salesiqredis. Each time that metrics are collected, read
// is called, which must be quick. If it fails, there is no value, and OpenTelemetry
// is told of the error. Name tells one backlog from another. After stop, read is not
// called again.
//
//	stop, err := telemetry.ObserveBacklog("inbox", func(context.Context) (salesiqotel.Backlog, error) {
//		s, err := inbox.Stats()
//		return salesiqotel.Backlog{Events: s.Waiting + s.Running, Oldest: s.Oldest, DeadLetters: s.DeadLetters}, err
//	})
//
// Errors: a [salesiq.InputError] for no name or no func.
func (t *Telemetry) ObserveBacklog(name string, read func(context.Context) (Backlog, error)) (stop func() error, err error) {
	if name == "" {
		return nil, &salesiq.InputError{Field: "name", Reason: "must not be empty"}
	}
	if err := given("read", read); err != nil {
		return nil, err
	}
	events := reported(t.meter.Int64ObservableGauge("salesiq.webhook.backlog.events",
		metric.WithUnit("{event}"), metric.WithDescription("Events that are not handled yet.")))
	age := reported(t.meter.Float64ObservableGauge("salesiq.webhook.backlog.age",
		metric.WithUnit("s"), metric.WithDescription("For how long the oldest event has waited.")))
	dead := reported(t.meter.Int64ObservableGauge("salesiq.webhook.backlog.dead_letters",
		metric.WithUnit("{event}"), metric.WithDescription("Events that have had all their tries.")))
	with := metric.WithAttributes(backlogName.String(name))
	return t.observe(func(ctx context.Context, to metric.Observer) error {
		backlog, err := read(ctx)
		if err != nil {
			return err
		}
		to.ObserveInt64(events, int64(backlog.Events), with)
		to.ObserveFloat64(age, backlog.age().Seconds(), with)
		to.ObserveInt64(dead, int64(backlog.DeadLetters), with)
		return nil
	}, events, age, dead)
}

// age is for how long the oldest event has waited.
func (b Backlog) age() time.Duration {
	if b.Oldest.IsZero() {
		return 0
	}
	return max(0, time.Since(b.Oldest))
}

// ObserveAlone makes a gauge that is 1 while a process keeps to its own part of the
// quota, since the one that it shares with others is out of reach, such as the Redis
// of package salesiqredis. It is 0 otherwise. Read is called as in
// [Telemetry.ObserveBacklog].
//
// Errors: a [salesiq.InputError] for no func.
func (t *Telemetry) ObserveAlone(read func(context.Context) (alone bool, err error)) (stop func() error, err error) {
	if err := given("read", read); err != nil {
		return nil, err
	}
	gauge := reported(t.meter.Int64ObservableGauge("salesiq.client.alone",
		metric.WithUnit("{process}"), metric.WithDescription("Processes that the shared quota is out of reach for.")))
	return t.observe(func(ctx context.Context, to metric.Observer) error {
		alone, err := read(ctx)
		switch {
		case err != nil:
			return err
		case alone:
			to.ObserveInt64(gauge, 1)
		default:
			to.ObserveInt64(gauge, 0)
		}
		return nil
	}, gauge)
}

func (t *Telemetry) observe(callback metric.Callback, instruments ...metric.Observable) (stop func() error, err error) {
	registration, err := t.meter.RegisterCallback(callback, instruments...)
	if err != nil {
		return nil, err
	}
	return registration.Unregister, nil
}
