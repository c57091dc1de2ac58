package webhook

import (
	"context"
	"time"
)

// Tracer is told what a [Receiver] does, for traces, metrics and logs. Package
// salesiqotel makes one for OpenTelemetry.
//
// Each func may be nil, and later versions may add others. Delivery returns a
// context, derived from its own, in which the rest goes on, and a func that is told
// of the end. Either may be nil. Several goroutines call the funcs at once, and the
// receiver waits for them: they must return soon, and must not panic.
type Tracer struct {
	// Delivery is told of the delivery of an event: a POST. Handlers have the
	// context that it returns.
	Delivery func(ctx context.Context, delivery DeliveryInfo) (context.Context, func(DeliveryResult))

	// Trace returns what [EventInfo.Trace] of the event becomes: where in a trace
	// its delivery belongs, in a form of the tracer's own. Its context is that which
	// Delivery has returned. A text that is empty, or longer than 1,000 bytes, leaves
	// the field alone.
	Trace func(ctx context.Context) string
}

// DeliveryInfo is a delivery that begins. It has no fields yet.
type DeliveryInfo struct{}

// DeliveryResult is how a delivery ended.
type DeliveryResult struct {
	Event      Event // Nil if the delivery was refused.
	Duplicate  bool  // Another delivery of the event was handled, or still is.
	StatusCode int   // As answered.
	Duration   time.Duration

	// Err is what failed: why the delivery was refused, the error of a handler or sink,
	// or that of the [DedupStore]. So with a StatusCode of 200, the event was handled, and
	// the store failed. It is nil with a 503 if another delivery has the event, and with
	// a 500 if handlers took too long, but succeeded.
	Err error
}
