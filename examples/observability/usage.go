package main

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/salesiq-go/salesiq/usage"
)

// exportUsage makes metrics of what a monitor counts. They are those of whoever
// counts already, and needs no histograms: a few numbers for each operation.
func exportUsage(provider metric.MeterProvider, monitor *usage.Monitor) error {
	meter := provider.Meter("github.com/salesiq-go/salesiq/examples/observability")
	count := func(name, unit, description string) metric.Int64ObservableCounter {
		counter, _ := meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(description)) //nolint:errcheck // The names are good.
		return counter
	}
	calls := count("salesiq.usage.calls", "{call}", "Calls.")
	failed := count("salesiq.usage.errors", "{call}", "Calls that failed.")
	attempts := count("salesiq.usage.attempts", "{attempt}", "Attempts, retries included.")
	refreshes := count("salesiq.usage.token.refreshes", "{refresh}", "Refreshes of the access token.")
	refused := count("salesiq.usage.token.refresh_errors", "{refresh}", "Refreshes that failed.")
	p95, _ := meter.Float64ObservableGauge("salesiq.usage.p95", metric.WithUnit("s"), metric.WithDescription("Nineteen of twenty calls took no longer."))      //nolint:errcheck // As above.
	left, _ := meter.Int64ObservableGauge("salesiq.usage.calls_left_today", metric.WithUnit("{call}"), metric.WithDescription("Calls that the day has left.")) //nolint:errcheck // As above.
	_, err := meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		report := monitor.Snapshot()
		for name, operation := range report.Operations {
			with := metric.WithAttributes(attribute.String("salesiq.operation", name))
			to.ObserveInt64(calls, int64(operation.Calls), with)
			to.ObserveInt64(failed, int64(operation.Errors), with)
			to.ObserveInt64(attempts, int64(operation.Attempts), with)
			to.ObserveFloat64(p95, operation.P95.Duration().Seconds(), with)
		}
		to.ObserveInt64(refreshes, int64(report.TokenRefreshes))
		to.ObserveInt64(refused, int64(report.TokenRefreshErrors))
		if report.CallsLeftToday != nil {
			to.ObserveInt64(left, int64(*report.CallsLeftToday))
		}
		return nil
	}, calls, failed, attempts, refreshes, refused, p95, left)
	return err
}
