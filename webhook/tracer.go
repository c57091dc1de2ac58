package webhook

import (
	"context"
	"time"
)

// Tracer is told what a [Receiver] does, for traces, metrics and logs. Package
// salesiqotel makes one for OpenTelemetry.
//
// Delivery may be nil, and later versions may add other funcs. It returns a
// context, derived from its own, in which the rest goes on, and a func that is told
// of the end. Either may be nil. Several goroutines call it at once, and the
// receiver waits for it: it must return soon, and must not panic.
type Tracer struct {
	// Delivery is told of the delivery of an event: a POST. Handlers have the
	// context that it returns.
	Delivery func(ctx context.Context, delivery DeliveryInfo) (context.Context, func(DeliveryResult))
}

// DeliveryInfo is a delivery that begins. It has no fields yet.
type DeliveryInfo struct{}

// DeliveryResult is how a delivery ended.
type DeliveryResult struct {
	Event      Event // Nil if the delivery was refused.
	Duplicate  bool  // Another delivery of the event was handled, or still is.
	StatusCode int   // As answered.
	Duration   time.Duration
	Err        error // Nil after a success.
}
