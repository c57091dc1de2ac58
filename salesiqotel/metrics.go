package salesiqotel

import (
	"slices"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
)

// metrics are the instruments of one meter.
type metrics struct {
	calls, requests, waits, refreshes, deliveries metric.Float64Histogram

	throttled         metric.Int64Counter
	quota, wholeQuota metric.Int64Gauge
}

// Bounds of histograms, in seconds: those of the conventions, and for what may
// have to wait, some beyond them, since the client waits for up to minutes.
var (
	requestBounds = []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}
	waitBounds    = append(slices.Clip(requestBounds), 30, 60, 120, 300)
)

func newMetrics(meter metric.Meter) *metrics {
	return &metrics{
		calls:      histogram(meter, "salesiq.client.call.duration", "Duration of calls, waits and retries included.", waitBounds),
		requests:   histogram(meter, "http.client.request.duration", "Duration of HTTP client requests.", requestBounds),
		waits:      histogram(meter, "salesiq.client.wait.duration", "Duration of waits for quota, token and retries.", waitBounds),
		refreshes:  histogram(meter, "salesiq.client.token.refresh.duration", "Duration of refreshes of the access token.", requestBounds),
		deliveries: histogram(meter, "salesiq.webhook.delivery.duration", "Duration of deliveries of events.", requestBounds),
		throttled: reported(meter.Int64Counter("salesiq.client.throttled",
			metric.WithUnit("{request}"), metric.WithDescription("Requests that the service refused as too many."))),
		quota: reported(meter.Int64Gauge("salesiq.client.quota.remaining",
			metric.WithUnit("{call}"), metric.WithDescription("Calls that are left of the quota."))),
		wholeQuota: reported(meter.Int64Gauge("salesiq.client.quota.limit",
			metric.WithUnit("{call}"), metric.WithDescription("Calls of the whole quota."))),
	}
}

func histogram(meter metric.Meter, name, description string, bounds []float64) metric.Float64Histogram {
	return reported(meter.Float64Histogram(name,
		metric.WithUnit("s"), metric.WithDescription(description), metric.WithExplicitBucketBoundaries(bounds...)))
}

// reported hands an error to OpenTelemetry's handler: an instrument that comes
// with one works, or does nothing.
func reported[I any](instrument I, err error) I {
	if err != nil {
		otel.Handle(err)
	}
	return instrument
}
