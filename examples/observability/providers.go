package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// providers take what is told through OpenTelemetry.
type providers struct {
	spans   *sdktrace.TracerProvider
	metrics *sdkmetric.MeterProvider
	page    http.Handler // Shows the metrics to Prometheus.
}

// newProviders returns the providers. Spans are dropped, unless they are exported.
func newProviders(ctx context.Context, export bool) (*providers, error) {
	registry := prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithoutScopeInfo())
	if err != nil {
		return nil, err
	}
	p := &providers{
		spans:   sdktrace.NewTracerProvider(),
		metrics: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
		page:    promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}), // Exemplars are in OpenMetrics alone.
	}
	if export {
		out, err := otlptracehttp.New(ctx)
		if err != nil {
			return nil, err
		}
		p.spans = sdktrace.NewTracerProvider(sdktrace.WithBatcher(out))
	}
	return p, nil
}

// shutdown sends what is left.
func (p *providers) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(p.spans.Shutdown(ctx), p.metrics.Shutdown(ctx))
}
