package salesiqotel

import (
	"context"
	"reflect"
	"slices"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// scope is the name by which spans and metrics are known to be from here.
const scope = "github.com/salesiq-go/salesiq/salesiqotel"

// Telemetry makes spans and metrics of what clients and receivers do. One may
// serve any number of both.
type Telemetry struct {
	spans      trace.Tracer
	meter      metric.Meter
	metrics    *metrics
	propagator propagation.TextMapPropagator
	provider   trace.TracerProvider
	requests   bool // Spans and durations of requests are made here.
}

// New returns the telemetry that the options describe.
//
// Errors: an [salesiq.InputError] for a nil option, or one that was given nil.
func New(opts ...Option) (*Telemetry, error) {
	c, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	meter := c.meters.Meter(scope, metric.WithInstrumentationVersion(salesiq.Version), metric.WithSchemaURL(semconv.SchemaURL))
	return &Telemetry{
		spans:      c.spans.Tracer(scope, trace.WithInstrumentationVersion(salesiq.Version), trace.WithSchemaURL(semconv.SchemaURL)),
		meter:      meter,
		metrics:    newMetrics(meter),
		propagator: c.propagator,
		provider:   c.spans,
		requests:   c.requests,
	}, nil
}

// ClientTracer returns a tracer for [salesiq.WithTracer].
func (t *Telemetry) ClientTracer() *salesiq.Tracer {
	tracer := &salesiq.Tracer{Enabled: t.enabled, Call: t.call, Attempt: t.attempt, Wait: t.wait, Refresh: t.refresh}
	if t.requests {
		tracer.Request = t.request
	}
	return tracer
}

// WebhookTracer returns a tracer for [webhook.WithTracer].
func (t *Telemetry) WebhookTracer() *webhook.Tracer {
	return &webhook.Tracer{Delivery: t.delivery, Trace: traceOf}
}

// enabled reports whether a call would be seen by anybody.
func (t *Telemetry) enabled(ctx context.Context) bool {
	if !idle(t.provider) || t.metrics.calls.Enabled(ctx) || t.metrics.requests.Enabled(ctx) || t.metrics.waits.Enabled(ctx) ||
		t.metrics.throttled.Enabled(ctx) || t.metrics.quota.Enabled(ctx) || t.metrics.wholeQuota.Enabled(ctx) || t.requests && propagates(t.propagator) {
		return true
	}
	// A program that instruments this one from outside makes spans of its own.
	_, span := t.spans.Start(ctx, "")
	return span.IsRecording()
}

func propagates(propagator propagation.TextMapPropagator) bool { return len(propagator.Fields()) > 0 }

// idle reports whether a provider makes no spans: it is the one that does nothing,
// or the global one before the program has set it.
func idle(provider trace.TracerProvider) bool {
	if unset(provider) {
		provider = otel.GetTracerProvider()
	}
	_, nothing := provider.(noop.TracerProvider)
	return nothing || unset(provider)
}

// unset reports whether a provider is OpenTelemetry's placeholder.
func unset(provider trace.TracerProvider) bool {
	kind := reflect.TypeOf(provider)
	return kind.Kind() == reflect.Pointer && kind.Elem().PkgPath() == "go.opentelemetry.io/otel/internal/global"
}

func (t *Telemetry) call(ctx context.Context, call salesiq.CallTrace) (context.Context, func(salesiq.CallTrace)) {
	ctx, span := t.spans.Start(ctx, call.Operation, trace.WithAttributes(operationName.String(call.Operation)))
	return ctx, func(result salesiq.CallTrace) {
		if span.IsRecording() {
			span.SetAttributes(attempts.Int(result.Attempts))
			span.SetAttributes(outcome(result.StatusCode, result.Err)...)
			span.SetAttributes(cached(result)...)
			span.SetAttributes(serviceCode(result.Err)...)
		}
		end(span, result.Err)
		record(ctx, t.metrics.calls, result.Duration+result.Waited, func() attributes {
			return slices.Concat(operation(call), failure(result.StatusCode, result.Err), cached(result))
		})
	}
}

// request makes the span that the conventions want of a request.
func (t *Telemetry) request(ctx context.Context, request salesiq.AttemptTrace) (context.Context, func(salesiq.AttemptTrace)) {
	ctx, span := t.spans.Start(ctx, requestName(request.Call), // The client calls what is returned.
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(asked(request.Call)...))
	t.propagator.Inject(ctx, propagation.HeaderCarrier(request.Header))
	return ctx, func(result salesiq.AttemptTrace) {
		if span.IsRecording() {
			span.SetAttributes(answered(result)...)
			span.SetAttributes(methodOriginal(request.Call.Method)...)
			span.SetAttributes(resends(request.Number - 1)...)
			span.SetAttributes(serviceCode(result.Err)...)
		}
		end(span, result.Err)
		record(ctx, t.metrics.requests, result.Duration, func() attributes {
			return append(asked(request.Call), answered(result)...)
		})
	}
}

// end ends a span. Its status has no description, since an error may quote a visitor.
func end(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

func (t *Telemetry) attempt(ctx context.Context, attempt salesiq.AttemptTrace) (context.Context, func(salesiq.AttemptTrace)) {
	return nil, func(result salesiq.AttemptTrace) {
		if result.Throttled && t.metrics.throttled.Enabled(ctx) {
			t.metrics.throttled.Add(ctx, 1, metric.WithAttributes(operation(attempt.Call)...))
		}
		if t.metrics.quota.Enabled(ctx) || t.metrics.wholeQuota.Enabled(ctx) {
			t.quota(ctx, result)
		}
	}
}

func (t *Telemetry) quota(ctx context.Context, result salesiq.AttemptTrace) {
	left := func(period string, left, limit int) {
		with := metric.WithAttributes(server(result.Call)[0], quotaPeriod.String(period))
		t.metrics.quota.Record(ctx, int64(left), with)
		t.metrics.wholeQuota.Record(ctx, int64(limit), with)
	}
	if w := result.RateWindow; w.Known {
		left("minute", w.Remaining, w.Limit)
	}
	if day := result.DailyQuota; day.Limit > 0 {
		left("day", day.Left, day.Limit)
	}
}

func (t *Telemetry) wait(ctx context.Context, _ salesiq.WaitTrace) func(salesiq.WaitTrace) {
	return func(wait salesiq.WaitTrace) {
		reason := waitReason.String(string(wait.Reason))
		if span := trace.SpanFromContext(ctx); span.IsRecording() {
			span.AddEvent("salesiq.wait", trace.WithAttributes(reason, duration.Float64(wait.Duration.Seconds())))
		}
		record(ctx, t.metrics.waits, wait.Duration, func() attributes { return append(operation(wait.Call), reason) })
	}
}

func (t *Telemetry) refresh(ctx context.Context, _ salesiq.RefreshTrace) (context.Context, func(salesiq.RefreshTrace)) {
	ctx, span := t.spans.Start(ctx, "Token.Refresh")
	return ctx, func(result salesiq.RefreshTrace) {
		source := tokenSource.String("server")
		if result.Requests == 0 {
			source = tokenSource.String("store")
		}
		described := append(attributes{source}, failure(0, result.Err)...)
		span.SetAttributes(described...)
		end(span, result.Err)
		record(ctx, t.metrics.refreshes, result.Duration, func() attributes { return described })
	}
}

func (t *Telemetry) delivery(ctx context.Context, _ webhook.DeliveryInfo) (context.Context, func(webhook.DeliveryResult)) {
	return nil, func(result webhook.DeliveryResult) {
		record(ctx, t.metrics.deliveries, result.Duration, func() attributes { return delivered(result) })
	}
}

// record adds a duration to a histogram, if anybody reads it.
func record(ctx context.Context, to metric.Float64Histogram, took time.Duration, with func() attributes) {
	if to.Enabled(ctx) {
		to.Record(ctx, took.Seconds(), metric.WithAttributeSet(attribute.NewSet(with()...)))
	}
}
