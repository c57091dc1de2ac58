package salesiqotel

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/salesiq-go/salesiq/webhook"
)

var errPanic = errors.New("panic")

// traceparent is the header whose value [webhook.EventInfo.Trace] holds.
const traceparent = "traceparent"

// traceOf says where in a trace the delivery of ctx belongs.
func traceOf(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[traceparent]
}

// Handler makes a span of the handling of each event: of kind consumer, with a link
// to the delivery, if [Telemetry.WebhookTracer] saw that. It is for the handler of a
// sink, such as [webhook.Receiver.Dispatch], which handles events some time after
// they were delivered, maybe in another process.
func (t *Telemetry) Handler(handle func(context.Context, webhook.Event) error) func(context.Context, webhook.Event) error {
	return func(ctx context.Context, event webhook.Event) error {
		name := knownEvent(event)
		ctx, span := t.spans.Start(ctx, "process "+name, trace.WithSpanKind(trace.SpanKindConsumer),
			trace.WithAttributes(eventName.String(name)), trace.WithLinks(trace.Link{SpanContext: deliveryOf(event)}))
		result := errPanic // Unless handle returns.
		defer func() {
			span.SetAttributes(failure(0, result)...)
			end(span, result)
		}()
		result = handle(ctx, event)
		return result
	}
}

// deliveryOf says where in a trace an event was delivered. It is not valid if that is not
// known; OpenTelemetry leaves a link to it out.
func deliveryOf(event webhook.Event) trace.SpanContext {
	carrier := propagation.MapCarrier{traceparent: event.Info().Trace}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier))
}
