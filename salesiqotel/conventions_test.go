package salesiqotel_test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqotel"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// wantSpan is a row of the conventions for HTTP clients, version 1.43.0, or of the
// package documentation.
type wantSpan struct {
	name, parent string
	kind         trace.SpanKind
	status       codes.Code
	took         time.Duration
	attributes   map[string]any
}

// api is what all requests of a chat have in common.
func api(more map[string]any) map[string]any {
	return with(map[string]any{
		"http.request.method": "GET", "url.template": "/api/v2/chats/{chat_id}",
		"server.address": "salesiq.localhost", "server.port": int64(80), "network.protocol.version": "1.1",
	}, more)
}

func with(all, more map[string]any) map[string]any {
	maps.Copy(all, more)
	return all
}

func TestCallWithRetriesQuotaAndRefreshIsDrawnAsTheConventionsSay(t *testing.T) {
	t.Parallel()
	opts := []salesiq.Option{salesiq.WithPlan(salesiq.Plan{CallsPerMinute: 1}), salesiq.WithMaxAttempts(5)}
	observed(t, opts, func(t *testing.T, s *salesiqtest.Server, client *salesiq.Client, o *telemetry) {
		require.NoError(t, s.Inject(
			salesiqtest.Fault{Path: "/oauth", Latency: time.Second},
			salesiqtest.Fault{Path: "/api", Status: 503, Latency: 250 * time.Millisecond, Times: 2},
		))
		require.NoError(t, second(client.Chats.Get(t.Context(), "chat123")))
		failed := map[string]any{"http.response.status_code": int64(503), "error.type": "503", "salesiq.error.code": "INTERNAL_ERROR"}
		assertSpans(t, o.exporter.GetSpans(), []wantSpan{
			{name: "POST /oauth/v2/token", parent: "Token.Refresh", kind: trace.SpanKindClient, took: time.Second, attributes: map[string]any{
				"http.request.method": "POST", "url.template": "/oauth/v2/token", "server.address": "salesiq.localhost",
				"server.port": int64(80), "network.protocol.version": "1.1", "http.response.status_code": int64(200),
			}},
			{name: "Token.Refresh", parent: "Chats.Get", kind: trace.SpanKindInternal, took: time.Second, attributes: map[string]any{"salesiq.token.source": "server"}},
			{name: "GET /api/v2/chats/{chat_id}", parent: "Chats.Get", kind: trace.SpanKindClient, status: codes.Error, took: 250 * time.Millisecond, attributes: api(failed)},
			{name: "GET /api/v2/chats/{chat_id}", parent: "Chats.Get", kind: trace.SpanKindClient, status: codes.Error, took: 250 * time.Millisecond,
				attributes: with(api(failed), map[string]any{"http.request.resend_count": int64(1)})},
			{name: "GET /api/v2/chats/{chat_id}", parent: "Chats.Get", kind: trace.SpanKindClient,
				attributes: api(map[string]any{"http.response.status_code": int64(200), "http.request.resend_count": int64(2)})},
			{name: "Chats.Get", kind: trace.SpanKindInternal, took: -1,
				attributes: map[string]any{"salesiq.operation": "Chats.Get", "salesiq.attempts": int64(3), "http.response.status_code": int64(200)}},
		})
		assertWaits(t, o.exporter.GetSpans()[5], "token", "backoff", "quota", "backoff", "quota")
	})
}

func assertSpans(t *testing.T, spans tracetest.SpanStubs, want []wantSpan) {
	t.Helper()
	names := map[trace.SpanID]string{}
	for _, span := range spans {
		names[span.SpanContext.SpanID()] = span.Name
	}
	require.Len(t, spans, len(want))
	for i, w := range want {
		span := spans[i]
		assert.Equal(t, w.name, span.Name)
		assert.Equal(t, w.parent, names[span.Parent.SpanID()], w.name)
		assert.Equal(t, w.kind, span.SpanKind, w.name)
		assert.Equal(t, w.status, span.Status.Code, w.name)
		assert.Equal(t, w.attributes, values(span.Attributes), w.name)
		assert.Equal(t, "https://opentelemetry.io/schemas/1.43.0", span.InstrumentationScope.SchemaURL)
		assert.Equal(t, salesiq.Version, span.InstrumentationScope.Version)
		if w.took >= 0 {
			assert.Equal(t, w.took, span.EndTime.Sub(span.StartTime), w.name)
		}
	}
}

func assertWaits(t *testing.T, span tracetest.SpanStub, reasons ...string) {
	t.Helper()
	var got []string
	for _, event := range span.Events {
		all := values(event.Attributes)
		assert.Equal(t, "salesiq.wait", event.Name)
		assert.Greater(t, all["salesiq.duration"], 0.0)
		reason, _ := all["salesiq.wait.reason"].(string)
		got = append(got, reason)
	}
	assert.Equal(t, reasons, got)
}

func TestUnknownMethodIsOtherAndKeptIfItIsAName(t *testing.T) {
	t.Parallel()
	twenty := strings.Repeat("X", 20)
	for method, original := range map[string]any{"PURGE": "PURGE", "4711": nil, twenty: twenty, twenty + "X": nil} {
		observed(t, nil, func(t *testing.T, _ *salesiqtest.Server, client *salesiq.Client, o *telemetry) {
			require.Error(t, client.Do(t.Context(), method, "/visitors", nil, nil))
			span := o.exporter.GetSpans()[2]
			assert.Equal(t, "HTTP /api/v2/visitors", span.Name)
			assert.Equal(t, "_OTHER", values(span.Attributes)["http.request.method"])
			assert.Equal(t, original, values(span.Attributes)["http.request.method_original"])
		})
	}
}

func TestRequestWithoutATemplateHasTheNameOfItsMethod(t *testing.T) {
	t.Parallel()
	observed(t, nil, func(t *testing.T, _ *salesiqtest.Server, client *salesiq.Client, o *telemetry) {
		require.Error(t, client.Do(t.Context(), http.MethodGet, "/visitors/4711", nil, nil))
		assert.Equal(t, "GET", o.exporter.GetSpans()[2].Name)
	})
}

func TestAskingWhetherACallIsSeenMakesNoSpan(t *testing.T) {
	t.Parallel()
	recorder := tracetest.NewSpanRecorder()
	telemetry, err := salesiqotel.New(salesiqotel.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))),
		salesiqotel.WithMeterProvider(metricnoop.NewMeterProvider()))
	require.NoError(t, err)
	require.NoError(t, second(chatClient(t, salesiq.WithTracer(telemetry.ClientTracer())).Chats.Get(t.Context(), "chat123")))
	assert.Len(t, recorder.Started(), 2, "the call and its request")
	assert.Len(t, recorder.Ended(), 2)
}

func TestDurationsOfRequestsHaveTheAdvisedBucketsAndExemplars(t *testing.T) {
	t.Parallel()
	observed(t, nil, func(t *testing.T, _ *salesiqtest.Server, client *salesiq.Client, o *telemetry) {
		require.NoError(t, second(client.Chats.Get(t.Context(), "chat123")))
		ids := map[string]bool{}
		for _, span := range o.exporter.GetSpans() {
			ids[span.SpanContext.SpanID().String()] = span.SpanKind == trace.SpanKindClient
		}
		var data metricdata.ResourceMetrics
		require.NoError(t, o.reader.Collect(t.Context(), &data))
		var seen int
		for _, m := range data.ScopeMetrics[0].Metrics {
			if m.Name != "http.client.request.duration" {
				continue
			}
			histogram, ok := m.Data.(metricdata.Histogram[float64])
			require.True(t, ok)
			for _, p := range histogram.DataPoints {
				seen++
				assert.Equal(t, []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}, p.Bounds)
				require.Len(t, p.Exemplars, 1)
				assert.True(t, ids[trace.SpanID(p.Exemplars[0].SpanID).String()], "the span of a request")
			}
		}
		assert.Equal(t, 2, seen)
	})
}

// instrumented is a transport that makes a span and a header for each request, as
// that of package otelhttp does.
type instrumented struct {
	base    http.RoundTripper
	tracer  trace.Tracer
	parents *[]string
}

func (i instrumented) RoundTrip(request *http.Request) (*http.Response, error) {
	*i.parents = append(*i.parents, request.Header.Values("Traceparent")...)
	ctx, span := i.tracer.Start(request.Context(), request.Method, trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	request = request.Clone(ctx)
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(request.Header))
	return i.base.RoundTrip(request)
}

func TestRequestsAreLeftToAnInstrumentedTransport(t *testing.T) {
	t.Parallel()
	var headers []http.Header
	service := roundTripper(func(request *http.Request) (*http.Response, error) {
		headers = append(headers, request.Header)
		return answer(request)
	})
	o := newTelemetry(salesiqotel.WithoutRequests(), salesiqotel.WithPropagator(propagation.TraceContext{}))
	var before []string
	client, err := salesiq.NewClient(salesiq.StaticToken("1000.token"),
		salesiq.WithHTTPClient(&http.Client{Transport: instrumented{service, o.provider.Tracer("test"), &before}}),
		salesiq.WithTracer(o.telemetry.ClientTracer()))
	require.NoError(t, err)
	require.NoError(t, second(client.Chats.Get(t.Context(), "chat123")))
	spans := o.exporter.GetSpans()
	require.Len(t, spans, 2)
	assert.Equal(t, []string{"GET", "Chats.Get"}, []string{spans[0].Name, spans[1].Name})
	assert.Equal(t, spans[1].SpanContext.SpanID(), spans[0].Parent.SpanID())
	assert.Empty(t, o.metric(t, "http.client.request.duration", "s"))
	assert.Empty(t, before, "the header is the transport's to send")
	require.Len(t, headers[0].Values("Traceparent"), 1)
	assert.Contains(t, headers[0].Get("Traceparent"), spans[0].SpanContext.SpanID().String())
}

func TestSpansOfATransportAreBelowThoseOfTheRequests(t *testing.T) {
	t.Parallel()
	o := newTelemetry()
	var before []string
	client, err := salesiq.NewClient(salesiq.StaticToken("1000.token"), salesiq.WithTracer(o.telemetry.ClientTracer()),
		salesiq.WithHTTPClient(&http.Client{Transport: instrumented{roundTripper(answer), o.provider.Tracer("test"), &before}}))
	require.NoError(t, err)
	require.NoError(t, second(client.Chats.Get(t.Context(), "chat123")))
	spans := o.exporter.GetSpans()
	require.Len(t, spans, 3)
	assert.Equal(t, []string{"GET", "GET /api/v2/chats/{chat_id}", "Chats.Get"}, []string{spans[0].Name, spans[1].Name, spans[2].Name})
	assert.Equal(t, spans[1].SpanContext.SpanID(), spans[0].Parent.SpanID())
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

func answer(request *http.Request) (*http.Response, error) {
	body := io.NopCloser(strings.NewReader(`{"status":"success","data":{"id":"chat1"}}`))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: body, Request: request}, nil
}

func chatClient(t testing.TB, opts ...salesiq.Option) *salesiq.Client {
	t.Helper()
	client, err := salesiq.NewClient(salesiq.StaticToken("1000.token"),
		append(opts, salesiq.WithHTTPClient(&http.Client{Transport: roundTripper(answer)}))...)
	require.NoError(t, err)
	return client
}

func quietTelemetry(t testing.TB) map[string]*salesiqotel.Telemetry {
	t.Helper()
	unset, err := salesiqotel.New()
	require.NoError(t, err)
	nothing, err := salesiqotel.New(
		salesiqotel.WithTracerProvider(tracenoop.NewTracerProvider()), salesiqotel.WithMeterProvider(metricnoop.NewMeterProvider()))
	require.NoError(t, err)
	return map[string]*salesiqotel.Telemetry{"unset": unset, "no-op": nothing}
}

// keepAlone drops all metrics but one.
func keepAlone(name string, reader sdkmetric.Reader) salesiqotel.Option {
	view := func(i sdkmetric.Instrument) (sdkmetric.Stream, bool) {
		return sdkmetric.Stream{Aggregation: sdkmetric.AggregationDrop{}}, i.Name != name
	}
	return salesiqotel.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithView(view)))
}

func TestCallIsTracedIfAnythingOfItWouldBeSeen(t *testing.T) {
	t.Parallel()
	keep := func(name string) salesiqotel.Option { return keepAlone(name, sdkmetric.NewManualReader()) }
	tell := salesiqotel.WithPropagator(propagation.Baggage{})
	for name, row := range map[string]struct {
		opts []salesiqotel.Option
		want bool
	}{
		"nothing":                           {nil, false},
		"spans":                             {[]salesiqotel.Option{salesiqotel.WithTracerProvider(sdktrace.NewTracerProvider())}, true},
		"durations of calls":                {[]salesiqotel.Option{keep("salesiq.client.call.duration")}, true},
		"durations of requests":             {[]salesiqotel.Option{keep("http.client.request.duration")}, true},
		"durations of waits":                {[]salesiqotel.Option{keep("salesiq.client.wait.duration")}, true},
		"refusals":                          {[]salesiqotel.Option{keep("salesiq.client.throttled")}, true},
		"the quota's rest":                  {[]salesiqotel.Option{keep("salesiq.client.quota.remaining")}, true},
		"the quota":                         {[]salesiqotel.Option{keep("salesiq.client.quota.limit")}, true},
		"deliveries alone":                  {[]salesiqotel.Option{keep("salesiq.webhook.delivery.duration")}, false},
		"the header":                        {[]salesiqotel.Option{tell}, true},
		"a header that the transport sends": {[]salesiqotel.Option{tell, salesiqotel.WithoutRequests()}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			telemetry, err := salesiqotel.New(append([]salesiqotel.Option{
				salesiqotel.WithTracerProvider(tracenoop.NewTracerProvider()), salesiqotel.WithMeterProvider(metricnoop.NewMeterProvider()),
			}, row.opts...)...)
			require.NoError(t, err)
			assert.Equal(t, row.want, telemetry.ClientTracer().Enabled(t.Context()))
		})
	}
}

func TestTelemetryThatNobodyReadsAllocatesAtMostFiveTimes(t *testing.T) { // It counts what the whole process allocates.
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	allocations := func(client *salesiq.Client) float64 {
		return testing.AllocsPerRun(500, func() {
			if _, err := client.Chats.Get(context.Background(), "chat1"); err != nil {
				t.Error(err)
			}
		})
	}
	bare := allocations(chatClient(t))
	for name, telemetry := range quietTelemetry(t) {
		with := allocations(chatClient(t, salesiq.WithTracer(telemetry.ClientTracer())))
		t.Logf("%s: %.0f allocations more", name, with-bare)
		assert.LessOrEqual(t, with, bare+5, name)
	}
}

func BenchmarkCall(b *testing.B) {
	clients := map[string]*salesiq.Client{"no tracer": chatClient(b)}
	for name, telemetry := range quietTelemetry(b) {
		clients[name] = chatClient(b, salesiq.WithTracer(telemetry.ClientTracer()))
	}
	for name, client := range clients {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := client.Chats.Get(b.Context(), "chat1"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
