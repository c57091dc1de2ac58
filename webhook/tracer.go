package webhook

import (
	"context"
	"time"
)

// Tracer is told what a [Receiver] does, for traces, metrics and logs. Package
// salesiqotel makes one for OpenTelemetry.
//
// Delivery may be nil, and further funcs may be added. It returns a context,
// derived from its own, in which the rest goes on, and a func for the end;
// either may be nil. It is called by several goroutines at once and waited for:
// it must return soon, and must not panic.
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
