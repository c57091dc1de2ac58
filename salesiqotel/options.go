package salesiqotel

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Option configures [NewTracer]. Nil for what it sets leaves the default.
type Option func(*config)

type config struct {
	spans      trace.TracerProvider
	meters     metric.MeterProvider
	propagator propagation.TextMapPropagator
}

func newConfig(opts []Option) *config {
	c := &config{
		spans:      otel.GetTracerProvider(),
		meters:     otel.GetMeterProvider(),
		propagator: propagation.NewCompositeTextMapPropagator(),
	}
	for _, option := range opts {
		option(c)
	}
	return c
}

// WithTracerProvider gives spans to provider. The default is OpenTelemetry's
// global one.
func WithTracerProvider(provider trace.TracerProvider) Option {
	return func(c *config) {
		if provider != nil {
			c.spans = provider
		}
	}
}

// WithMeterProvider gives metrics to provider. The default is OpenTelemetry's
// global one.
func WithMeterProvider(provider metric.MeterProvider) Option {
	return func(c *config) {
		if provider != nil {
			c.meters = provider
		}
	}
}

// WithPropagator tells the service of the trace that a request belongs to, in
// the headers of propagator, such as [propagation.TraceContext]. By default it is
// not told, since the service does nothing with it. Mind that
// [propagation.Baggage] hands on whatever the application has put there.
func WithPropagator(propagator propagation.TextMapPropagator) Option {
	return func(c *config) {
		if propagator != nil {
			c.propagator = propagator
		}
	}
}
