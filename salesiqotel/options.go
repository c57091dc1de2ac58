package salesiqotel

import (
	"reflect"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/salesiq-go/salesiq"
)

// Option configures [New], which returns the error of the first one whose
// argument is no good.
type Option func(*config) error

type config struct {
	spans      trace.TracerProvider
	meters     metric.MeterProvider
	propagator propagation.TextMapPropagator
	requests   bool
}

func newConfig(opts []Option) (*config, error) {
	c := &config{
		spans:      otel.GetTracerProvider(),
		meters:     otel.GetMeterProvider(),
		requests:   true,
		propagator: propagation.NewCompositeTextMapPropagator(),
	}
	for _, option := range opts {
		if err := given("option", option); err != nil {
			return nil, err
		}
		if err := option(c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// WithTracerProvider gives spans to provider. The default is OpenTelemetry's
// global one.
func WithTracerProvider(provider trace.TracerProvider) Option {
	return func(c *config) error { c.spans = provider; return given("tracer provider", provider) }
}

// WithMeterProvider gives metrics to provider. The default is OpenTelemetry's
// global one.
func WithMeterProvider(provider metric.MeterProvider) Option {
	return func(c *config) error { c.meters = provider; return given("meter provider", provider) }
}

// WithPropagator tells the service of the trace that a request belongs to, in
// the headers of propagator, such as [propagation.TraceContext]. By default it is
// not told, since the service does nothing with it. Mind that
// [propagation.Baggage] hands on whatever the application has put there.
func WithPropagator(propagator propagation.TextMapPropagator) Option {
	return func(c *config) error { c.propagator = propagator; return given("propagator", propagator) }
}

// WithoutRequests makes neither spans nor durations of requests, and leaves the
// headers of [WithPropagator] out. It is for a client whose transport does all that
// itself, such as one of package otelhttp: each request would be measured twice. The
// spans of that transport are children of those of calls and refreshes.
func WithoutRequests() Option {
	return func(c *config) error { c.requests = false; return nil }
}

// given refuses a value that is nil, or an interface that holds a nil pointer or
// func.
func given(field string, value any) error {
	v := reflect.ValueOf(value)
	if kind := v.Kind(); kind == reflect.Invalid || (kind == reflect.Pointer || kind == reflect.Func) && v.IsNil() {
		return &salesiq.InputError{Field: field, Reason: "must not be nil"}
	}
	return nil
}
