package main

import (
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqotel"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// headers notes the Traceparent headers that go out.
type headers struct {
	next http.RoundTripper
	mu   sync.Mutex
	sent [][]string
}

func (h *headers) RoundTrip(request *http.Request) (*http.Response, error) {
	h.mu.Lock()
	h.sent = append(h.sent, request.Header.Values("Traceparent"))
	h.mu.Unlock()
	return h.next.RoundTrip(request)
}

// A transport of package otelhttp measures requests, too. Each is measured once, if
// one of both leaves it to the other, and is told of the trace once.
func TestOtelhttpAndSalesiqotelMeasureARequestOnce(t *testing.T) {
	t.Parallel()
	notOtelhttp := otelhttp.WithFilter(func(*http.Request) bool { return false })
	for name, test := range map[string]struct {
		ours   []salesiqotel.Option
		theirs []otelhttp.Option
		spans  int // Of kind client, for each request.
		names  []string
	}{
		"left to otelhttp":    {ours: []salesiqotel.Option{salesiqotel.WithoutRequests()}, spans: 1, names: []string{"HTTP POST", "HTTP GET"}},
		"left to salesiqotel": {theirs: []otelhttp.Option{notOtelhttp}, spans: 1, names: []string{"POST /oauth/v2/token", "GET /api/v2/chats/{chat_id}"}},
		"left to nobody":      {spans: 2, names: []string{"HTTP POST", "POST /oauth/v2/token", "HTTP GET", "GET /api/v2/chats/{chat_id}"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			memory, reader := tracetest.NewInMemoryExporter(), sdkmetric.NewManualReader()
			spans, meters := sdktrace.NewTracerProvider(sdktrace.WithSyncer(memory)), sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
			telemetry, err := salesiqotel.New(append(test.ours, salesiqotel.WithTracerProvider(spans), salesiqotel.WithMeterProvider(meters),
				salesiqotel.WithPropagator(propagation.TraceContext{}))...)
			require.NoError(t, err)
			out := &headers{next: http.DefaultTransport}
			s := salesiqtest.Start(t)
			client := s.Client(t, salesiq.WithTracer(telemetry.ClientTracer()), salesiq.WithHTTPClient(&http.Client{
				Transport: otelhttp.NewTransport(out, append(test.theirs, otelhttp.WithTracerProvider(spans), otelhttp.WithMeterProvider(meters),
					otelhttp.WithPropagators(propagation.TraceContext{}))...),
			}))
			_, err = client.Chats.Get(t.Context(), "chat123")
			require.NoError(t, err)

			const requests = 2 // The token's and the call's.
			ids, names := map[string]trace.SpanKind{}, []string{}
			for _, span := range memory.GetSpans() {
				ids["00-"+span.SpanContext.TraceID().String()+"-"+span.SpanContext.SpanID().String()+"-01"] = span.SpanKind
				if span.SpanKind == trace.SpanKindClient {
					names = append(names, span.Name)
				}
			}
			assert.Equal(t, test.names, names)
			assert.Len(t, names, requests*test.spans)
			assert.Equal(t, uint64(requests*test.spans), measured(t, reader))
			require.Len(t, out.sent, requests)
			for _, header := range out.sent {
				require.Len(t, header, 1)
				assert.Equal(t, trace.SpanKindClient, ids[header[0]], "the header is that of a request's span")
			}
		})
	}
}

// measured is how many requests are in the metric of the conventions.
func measured(t *testing.T, reader *sdkmetric.ManualReader) (n uint64) {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &data))
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if histogram, ok := m.Data.(metricdata.Histogram[float64]); ok && m.Name == "http.client.request.duration" {
				for _, p := range histogram.DataPoints {
					n += p.Count
				}
			}
		}
	}
	return n
}
