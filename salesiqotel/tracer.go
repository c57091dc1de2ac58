package salesiqotel

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// scope is the name by which spans and metrics are known to be from here.
const scope = "github.com/salesiq-go/salesiq/salesiqotel"

// Telemetry makes spans and metrics of what clients and receivers do. One may
// serve any number of both.
type Telemetry struct {
	spans      trace.Tracer
	metrics    *metrics
	propagator propagation.TextMapPropagator
}

// New returns the telemetry that the options describe.
//
// Errors: an [salesiq.InputError] for a nil option, or one that was given nil.
func New(opts ...Option) (*Telemetry, error) {
	c, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	return &Telemetry{
		spans:      c.spans.Tracer(scope, trace.WithInstrumentationVersion(salesiq.Version), trace.WithSchemaURL(semconv.SchemaURL)),
		metrics:    newMetrics(c.meters.Meter(scope, metric.WithInstrumentationVersion(salesiq.Version), metric.WithSchemaURL(semconv.SchemaURL))),
		propagator: c.propagator,
	}, nil
}

// ClientTracer returns a tracer for [salesiq.WithTracer].
func (t *Telemetry) ClientTracer() *salesiq.Tracer {
	return &salesiq.Tracer{Call: t.call, Attempt: t.attempt, Wait: t.wait, Refresh: t.refresh}
}

// WebhookTracer returns a tracer for [webhook.WithTracer].
func (t *Telemetry) WebhookTracer() *webhook.Tracer {
	return &webhook.Tracer{Delivery: t.delivery}
}

func (t *Telemetry) call(ctx context.Context, call salesiq.CallTrace) (context.Context, func(salesiq.CallTrace)) {
	ctx, span := t.spans.Start(ctx, call.Operation, // The client calls what is returned.
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(request(call)...))
	return ctx, func(result salesiq.CallTrace) {
		span.SetAttributes(outcome(result.StatusCode, result.Err)...)
		span.SetAttributes(resends(result.Attempts - 1)...)
		kept := cached(result)
		span.SetAttributes(kept...)
		if result.Err != nil {
			span.SetAttributes(serviceCode(result.Err)...)
			span.SetStatus(codes.Error, "")
		}
		span.End()
		record(ctx, t.metrics.calls, result.Duration+result.Waited, operation(call), failure(result.StatusCode, result.Err), kept)
	}
}

func (t *Telemetry) attempt(ctx context.Context, attempt salesiq.AttemptTrace) (context.Context, func(salesiq.AttemptTrace)) {
	t.propagator.Inject(ctx, propagation.HeaderCarrier(attempt.Header))
	return nil, func(result salesiq.AttemptTrace) {
		answer := outcome(result.StatusCode, result.Err)
		event(ctx, "salesiq.attempt", result.Duration, answer, resends(attempt.Number-1))
		if tried(result) {
			record(ctx, t.metrics.requests, result.Duration, request(attempt.Call), answer)
		}
		if result.Throttled {
			t.metrics.throttled.Add(ctx, 1, metric.WithAttributes(operation(attempt.Call)...))
		}
		t.quota(ctx, result)
	}
}

func (t *Telemetry) quota(ctx context.Context, result salesiq.AttemptTrace) {
	host := server(result.Call)[0]
	if result.RateWindow.Known {
		t.metrics.quota.Record(ctx, int64(result.RateWindow.Remaining), metric.WithAttributes(host, quotaPeriod.String("minute")))
	}
	if result.DailyQuota.Limit > 0 {
		t.metrics.quota.Record(ctx, int64(result.DailyQuota.Left), metric.WithAttributes(host, quotaPeriod.String("day")))
	}
}

func (t *Telemetry) wait(ctx context.Context, _ salesiq.WaitTrace) func(salesiq.WaitTrace) {
	return func(wait salesiq.WaitTrace) {
		reason := attributes{waitReason.String(string(wait.Reason))}
		event(ctx, "salesiq.wait", wait.Duration, reason)
		record(ctx, t.metrics.waits, wait.Duration, operation(wait.Call), reason)
	}
}

func (t *Telemetry) refresh(ctx context.Context, _ salesiq.RefreshTrace) (context.Context, func(salesiq.RefreshTrace)) {
	return nil, func(result salesiq.RefreshTrace) {
		source := tokenSource.String("server")
		if result.Requests == 0 {
			source = tokenSource.String("store")
		}
		record(ctx, t.metrics.refreshes, result.Duration, attributes{source}, failure(0, result.Err))
	}
}

func (t *Telemetry) delivery(ctx context.Context, _ webhook.DeliveryInfo) (context.Context, func(webhook.DeliveryResult)) {
	return nil, func(result webhook.DeliveryResult) {
		record(ctx, t.metrics.deliveries, result.Duration, delivered(result))
	}
}

// event adds an event to the span of the call.
func event(ctx context.Context, name string, took time.Duration, more ...attributes) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	all := append(attributes{duration.Float64(took.Seconds())}, joined(more)...)
	span.AddEvent(name, trace.WithAttributes(all...))
}

// record adds a duration to a histogram.
func record(ctx context.Context, to metric.Float64Histogram, took time.Duration, with ...attributes) {
	to.Record(ctx, took.Seconds(), metric.WithAttributeSet(attribute.NewSet(joined(with)...)))
}
