package salesiqotel_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqotel"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

// telemetry is what was exported.
type telemetry struct {
	exporter  *tracetest.InMemoryExporter
	reader    *sdkmetric.ManualReader
	provider  *sdktrace.TracerProvider
	telemetry *salesiqotel.Telemetry
}

func newTelemetry(opts ...salesiqotel.Option) *telemetry {
	o := &telemetry{exporter: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	o.provider = sdktrace.NewTracerProvider(sdktrace.WithSyncer(o.exporter))
	var err error
	o.telemetry, err = salesiqotel.New(append([]salesiqotel.Option{
		salesiqotel.WithTracerProvider(o.provider),
		salesiqotel.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(o.reader))),
	}, opts...)...)
	if err != nil {
		panic(err)
	}
	return o
}

// observed runs a test in virtual time, with a client that is traced.
func observed(t *testing.T, opts []salesiq.Option, test func(t *testing.T, s *salesiqtest.Server, client *salesiq.Client, o *telemetry)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, o := salesiqtest.Start(t, salesiqtest.InMemory()), newTelemetry()
		test(t, s, s.Client(t, append(opts, salesiq.WithTracer(o.telemetry.ClientTracer()))...), o)
	})
}

// values are attributes by name.
func values(attributes []attribute.KeyValue) map[string]any {
	all := map[string]any{}
	for _, a := range attributes {
		all[string(a.Key)] = a.Value.AsInterface()
	}
	return all
}

// point is a value of a metric: a sum, or the last one of a gauge, or the count
// and sum of a histogram.
type point struct {
	count uint64
	value float64
}

// metric returns the points of a metric, by their attributes in one line.
func (o *telemetry) metric(t *testing.T, name, unit string) map[string]point {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, o.reader.Collect(t.Context(), &data))
	points := map[string]point{}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != name {
				continue
			}
			assert.Equal(t, unit, m.Unit)
			assert.NotEmpty(t, m.Description)
			switch d := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					points[line(p.Attributes)] = point{p.Count, p.Sum}
				}
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					points[line(p.Attributes)] = point{1, float64(p.Value)}
				}
			case metricdata.Gauge[int64]:
				for _, p := range d.DataPoints {
					points[line(p.Attributes)] = point{1, float64(p.Value)}
				}
			case metricdata.Gauge[float64]:
				for _, p := range d.DataPoints {
					points[line(p.Attributes)] = point{1, p.Value}
				}
			}
		}
	}
	return points
}

// line leaves the address out, which differs from run to run.
func line(set attribute.Set) string {
	var words []string
	for name, value := range values(set.ToSlice()) {
		if !strings.HasPrefix(name, "server.") {
			words = append(words, fmt.Sprint(name, "=", value))
		}
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

func second[T any](_ T, err error) error { return err }

func TestSpanIsAChildOfTheCallers(t *testing.T) {
	t.Parallel()
	observed(t, nil, func(t *testing.T, _ *salesiqtest.Server, client *salesiq.Client, o *telemetry) {
		ctx, parent := o.provider.Tracer("test").Start(t.Context(), "parent")
		require.NoError(t, second(client.Chats.Get(ctx, "chat123")))
		parent.End()
		spans := o.exporter.GetSpans()
		require.Len(t, spans, 5, "the token's request and refresh, the request, the call, and the caller's")
		assert.Equal(t, "Chats.Get", spans[3].Name)
		assert.Equal(t, parent.SpanContext().SpanID(), spans[3].Parent.SpanID())
		assert.NotContains(t, values(spans[3].Attributes), "salesiq.cached")
		assert.Empty(t, spans[4].Events, "events are the call's")
	})
}

func TestFailedCallSaysWhy(t *testing.T) {
	t.Parallel()
	short := func(ctx context.Context) context.Context {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		context.AfterFunc(ctx, cancel)
		return ctx
	}
	get := func(id string) func(context.Context, *salesiq.Client) error {
		return func(ctx context.Context, c *salesiq.Client) error { return second(c.Chats.Get(ctx, id)) }
	}
	for name, test := range map[string]struct {
		fault     salesiqtest.Fault
		call      func(context.Context, *salesiq.Client) error
		errorType string
		code      any
		status    any
	}{
		"not found": {call: get("chat999"), errorType: "404", code: "RESOURCE_NOT_FOUND", status: int64(404)},
		"a code of the service's invention": {
			fault: salesiqtest.Fault{Path: "/api", Status: 400, Code: "ADA_AT_EXAMPLE"}, call: get("chat123"), errorType: "400", status: int64(400),
		},
		"an error in a success": {
			fault: salesiqtest.Fault{Path: "/api", Status: 200, Body: `{"status":"error","code":"CHAT_NOT_ACTIVE","message":"no"}`},
			call:  get("chat123"), errorType: "CHAT_NOT_ACTIVE", code: "CHAT_NOT_ACTIVE", status: int64(200),
		},
		"no connection": {
			fault: salesiqtest.Fault{Path: "/api", Effect: salesiqtest.ResetConnection, Times: 10}, call: get("chat123"), errorType: "transport",
		},
		"a proxy's page": {
			fault: salesiqtest.Fault{Path: "/api", Effect: salesiqtest.HTMLPage, Status: 200, Times: 10}, call: get("chat123"), errorType: "decode", status: int64(200),
		},
		"too late": {
			fault: salesiqtest.Fault{Path: "/api", Latency: time.Minute}, errorType: "timeout",
			call: func(ctx context.Context, c *salesiq.Client) error { return get("chat123")(short(ctx), c) },
		},
		"no token": {
			fault: salesiqtest.Fault{Path: "/oauth", Status: 400, Body: `{"error":"invalid_client"}`}, call: get("chat123"), errorType: "auth",
		},
		"not today": {errorType: "daily_limit", code: "RATE_LIMIT_EXCEEDED", call: func(ctx context.Context, c *salesiq.Client) error {
			return errors.Join(get("chat123")(ctx, c), get("chat123")(ctx, c), get("chat123")(ctx, c))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := []salesiq.Option{salesiq.WithPlan(salesiq.Plan{CallsPerDay: 2})}
			if name != "not today" {
				opts = nil
			}
			observed(t, opts, func(t *testing.T, s *salesiqtest.Server, client *salesiq.Client, o *telemetry) {
				if test.fault.Path != "" {
					require.NoError(t, s.Inject(test.fault))
				}
				require.Error(t, test.call(t.Context(), client))
				spans := o.exporter.GetSpans()
				span := spans[len(spans)-1]
				got := values(span.Attributes)
				assert.Equal(t, test.errorType, got["error.type"])
				assert.Equal(t, test.code, got["salesiq.error.code"])
				assert.Equal(t, test.status, got["http.response.status_code"])
				assert.Equal(t, codes.Error, span.Status.Code)
				assert.Empty(t, span.Status.Description, "the error may quote a visitor")
			})
		})
	}
}

func TestMetricsOfCallsAttemptsWaitsAndQuota(t *testing.T) {
	t.Parallel()
	opts := []salesiq.Option{salesiq.WithPlan(salesiq.Plan{CallsPerMinute: 60, CallsPerDay: 500}), salesiq.WithCache(salesiq.Cache{})}
	observed(t, opts, func(t *testing.T, s *salesiqtest.Server, client *salesiq.Client, o *telemetry) {
		require.NoError(t, s.Inject(
			salesiqtest.Fault{Path: "/oauth", Latency: time.Second},
			salesiqtest.Fault{Path: "/api", Status: 429, Header: map[string]string{"Retry-After": "3"}},
		))
		require.NoError(t, second(client.Operators.Get(t.Context(), "operator456")))
		require.NoError(t, second(client.Operators.Get(t.Context(), "operator456")))
		require.Error(t, second(client.Operators.Get(t.Context(), "operator999")))

		var kept []any // In the order of the calls.
		for _, span := range o.exporter.GetSpans() {
			if span.Name == "Operators.Get" {
				kept = append(kept, values(span.Attributes)["salesiq.cached"])
			}
		}
		assert.Equal(t, []any{nil, true, nil}, kept)

		calls := o.metric(t, "salesiq.client.call.duration", "s")
		assert.Len(t, calls, 3)
		assert.Equal(t, uint64(1), calls["salesiq.operation=Operators.Get"].count)
		assert.Greater(t, calls["salesiq.operation=Operators.Get"].value, 4.0)
		assert.Equal(t, uint64(1), calls["salesiq.cached=true salesiq.operation=Operators.Get"].count)
		assert.Equal(t, uint64(1), calls["error.type=404 salesiq.operation=Operators.Get"].count)

		template := "network.protocol.version=1.1 url.template=/api/v2/operators/{operator_id}"
		assert.ElementsMatch(t, []string{
			"error.type=429 http.request.method=GET http.response.status_code=429 " + template,
			"http.request.method=GET http.response.status_code=200 " + template,
			"error.type=404 http.request.method=GET http.response.status_code=404 " + template,
			"http.request.method=POST http.response.status_code=200 network.protocol.version=1.1 url.template=/oauth/v2/token",
		}, slices.Collect(maps.Keys(o.metric(t, "http.client.request.duration", "s"))))

		assert.Equal(t, map[string]point{"salesiq.operation=Operators.Get": {1, 1}}, o.metric(t, "salesiq.client.throttled", "{request}"))

		waits := o.metric(t, "salesiq.client.wait.duration", "s")
		assert.InDelta(t, 1.0, waits["salesiq.operation=Operators.Get salesiq.wait.reason=token"].value, 1e-9)
		assert.GreaterOrEqual(t, waits["salesiq.operation=Operators.Get salesiq.wait.reason=retry_after"].value, 3.0)

		quota := o.metric(t, "salesiq.client.quota.remaining", "{call}")
		assert.InDelta(t, 498, quota["salesiq.quota.period=day"].value, 0)
		assert.Positive(t, quota["salesiq.quota.period=minute"].value)

		refreshes := o.metric(t, "salesiq.client.token.refresh.duration", "s")
		assert.Equal(t, map[string]point{"salesiq.token.source=server": {1, 1}}, refreshes)
	})
}

// What never came as far as the network is no request, and no refusal of the
// service's.
func TestCallsThatWereHeldBackAreNoRequests(t *testing.T) {
	t.Parallel()
	opts := []salesiq.Option{salesiq.WithPlan(salesiq.Plan{CallsPerDay: 1})}
	observed(t, opts, func(t *testing.T, _ *salesiqtest.Server, client *salesiq.Client, o *telemetry) {
		require.NoError(t, second(client.Chats.Get(t.Context(), "chat123")))
		require.ErrorIs(t, second(client.Chats.Get(t.Context(), "chat123")), salesiq.ErrDailyLimit)
		requests := o.metric(t, "http.client.request.duration", "s")
		maps.DeleteFunc(requests, func(line string, _ point) bool { return strings.HasSuffix(line, "/oauth/v2/token") })
		assert.Len(t, requests, 1)
		assert.Empty(t, o.metric(t, "salesiq.client.throttled", "{request}"))
		assert.Equal(t, uint64(1), o.metric(t, "salesiq.client.call.duration", "s")["error.type=daily_limit salesiq.operation=Chats.Get"].count)
	})
}

func TestMetricsOfDeliveries(t *testing.T) {
	t.Parallel()
	o := newTelemetry()
	const secret = "hook-secret"
	receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(secret)), webhook.WithTracer(o.telemetry.WebhookTracer()))
	require.NoError(t, err)
	webhook.OnAny(receiver, func(_ context.Context, event webhook.Event) error {
		if _, ended := event.(*webhook.ChatEnded); ended {
			return errors.New("no")
		}
		return nil
	})
	post := func(body string, secret salesiq.Secret) {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(secret, []byte(body)))
		receiver.ServeHTTP(httptest.NewRecorder(), request)
	}
	rated := `{"event":"chat.rating","data":{"chat_id":"c1","rating":4}}`
	post(rated, salesiq.NewSecret(secret))
	post(rated, salesiq.NewSecret(secret))
	post(`{"event":"chat.ended","data":{"chat_id":"c1"}}`, salesiq.NewSecret(secret))
	post(`{"event":"ada@example.eu","data":{}}`, salesiq.NewSecret(secret))
	post(rated, salesiq.NewSecret("another secret"))

	assert.ElementsMatch(t, []string{
		"http.response.status_code=200 salesiq.delivery.outcome=handled salesiq.event=chat.rating",
		"http.response.status_code=200 salesiq.delivery.outcome=duplicate salesiq.event=chat.rating",
		"http.response.status_code=500 salesiq.delivery.outcome=failed salesiq.event=chat.ended",
		"http.response.status_code=200 salesiq.delivery.outcome=handled salesiq.event=_OTHER",
		"http.response.status_code=401 salesiq.delivery.outcome=refused",
	}, slices.Collect(maps.Keys(o.metric(t, "salesiq.webhook.delivery.duration", "s"))))
	assert.Empty(t, o.exporter.GetSpans(), "the server's span is enough")
}

func TestOutcomeOfADeliveryIsThatOfItsAnswer(t *testing.T) {
	t.Parallel()
	event, err := webhook.Parse([]byte(`{"event":"chat.rating","data":{"chat_id":"c1"}}`))
	require.NoError(t, err)
	for _, row := range []struct {
		result webhook.DeliveryResult
		want   string
	}{
		{webhook.DeliveryResult{StatusCode: 200}, "handled"},
		{webhook.DeliveryResult{StatusCode: 200, Err: errors.New("the store has failed")}, "failed"},
		{webhook.DeliveryResult{StatusCode: 400}, "failed"},
		{webhook.DeliveryResult{StatusCode: 500}, "failed"}, // The handlers took too long.
		{webhook.DeliveryResult{StatusCode: 503, Duplicate: true}, "duplicate"},
	} {
		o := newTelemetry()
		_, end := o.telemetry.WebhookTracer().Delivery(t.Context(), webhook.DeliveryInfo{})
		row.result.Event = event
		end(row.result)
		want := fmt.Sprintf("http.response.status_code=%d salesiq.delivery.outcome=%s salesiq.event=chat.rating", row.result.StatusCode, row.want)
		assert.Contains(t, o.metric(t, "salesiq.webhook.delivery.duration", "s"), want)
	}
}

func TestServiceIsToldOfTracesOnlyIfAsked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts []salesiqotel.Option
		told bool
	}{
		"not asked": {},
		"asked":     {opts: []salesiqotel.Option{salesiqotel.WithPropagator(propagation.TraceContext{})}, told: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var header http.Header
			service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				header = r.Header.Clone()
				w.WriteHeader(http.StatusNoContent)
			}))
			defer service.Close()
			o := newTelemetry(test.opts...)
			client, err := salesiq.NewClient(salesiq.StaticToken("1000.token"), salesiq.WithBaseURL(service.URL), salesiq.WithTracer(o.telemetry.ClientTracer()))
			require.NoError(t, err)
			require.NoError(t, client.Do(t.Context(), http.MethodDelete, "/things", nil, nil))
			if !test.told {
				assert.Empty(t, header.Get("Traceparent"))
				return
			}
			assert.Contains(t, header.Get("Traceparent"), o.exporter.GetSpans()[0].SpanContext.SpanID().String())
		})
	}
}

func TestNothingOfVisitorsIsExported(t *testing.T) {
	t.Parallel()
	observed(t, nil, func(t *testing.T, s *salesiqtest.Server, client *salesiq.Client, o *telemetry) {
		const email, words = "ada@example.eu", "my card number"
		require.NoError(t, s.Inject(salesiqtest.Fault{Path: "/api", Status: 400, Message: "not an address: " + email, Times: 2}))
		for _, call := range []func() error{
			func() error { return second(client.Visitors.Get(t.Context(), "visitor-4711")) },
			func() error { return second(client.Visitors.Get(t.Context(), "visitor-4711")) },
			func() error {
				return second(client.Chats.SendMessage(t.Context(), "chat-4711", salesiq.TextMessage(words)))
			},
			func() error {
				return second(client.Visitors.List(t.Context(), &salesiq.VisitorListParams{PerPage: 10}))
			},
			func() error { return client.Do(t.Context(), "GET", "/visitors/"+email+"?q=4711", nil, nil) },
			func() error { return client.Do(t.Context(), "GET", "/visitors/4711", nil, nil) },
			func() error { return client.Do(t.Context(), "4711", "/visitors", nil, nil) },
		} {
			call() //nolint:errcheck // Most of them fail.
		}
		var data metricdata.ResourceMetrics
		require.NoError(t, o.reader.Collect(t.Context(), &data))
		var metrics []string
		for _, scope := range data.ScopeMetrics {
			for _, m := range scope.Metrics {
				metrics = slices.AppendSeq(metrics, maps.Keys(o.metric(t, m.Name, m.Unit)))
			}
		}
		spans := o.exporter.GetSpans()
		require.Len(t, spans, 7+7+2, "calls, their requests, and the token")
		exported := fmt.Sprintf("%+v %v", spans, metrics)
		for _, private := range []string{"4711", email, "ada", words} {
			assert.NotContains(t, exported, private)
		}
	})
}
