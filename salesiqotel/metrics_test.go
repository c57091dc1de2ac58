package salesiqotel_test

import (
	"context"
	"errors"
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
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqotel"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

// level is the requirement level of an attribute.
type level int

// The levels of the conventions that are used here.
const (
	required    level = iota // On each point.
	conditional              // On some, depending on what came of it.
)

type wantAttribute struct {
	kind  attribute.Type
	level level
}

type wantMetric struct {
	kind, unit string
	attributes map[string]wantAttribute
}

var (
	always    = wantAttribute{attribute.STRING, required}
	sometimes = wantAttribute{attribute.STRING, conditional}
)

// wantMetrics is written from the conventions for HTTP clients, version 1.43.0
// (http.client.request.duration), and from the package documentation (the others).
var wantMetrics = map[string]wantMetric{
	"http.client.request.duration": {"histogram", "s", map[string]wantAttribute{
		"http.request.method":       always,
		"server.address":            always,
		"server.port":               {attribute.INT64, required},
		"error.type":                sometimes,                      // If the request has failed.
		"http.response.status_code": {attribute.INT64, conditional}, // If there was an answer.
		"network.protocol.version":  sometimes,                      // Recommended, if there was an answer.
		"url.template":              sometimes,                      // If it is known; it is opt-in.
	}},
	"salesiq.client.call.duration": {"histogram", "s", map[string]wantAttribute{
		"salesiq.operation": always, "error.type": sometimes, "salesiq.cached": {attribute.BOOL, conditional},
	}},
	"salesiq.client.throttled": {"counter", "{request}", map[string]wantAttribute{"salesiq.operation": always}},
	"salesiq.client.wait.duration": {"histogram", "s", map[string]wantAttribute{
		"salesiq.operation": always, "salesiq.wait.reason": always,
	}},
	"salesiq.client.quota.remaining": {"gauge", "{call}", map[string]wantAttribute{"server.address": always, "salesiq.quota.period": always}},
	"salesiq.client.quota.limit":     {"gauge", "{call}", map[string]wantAttribute{"server.address": always, "salesiq.quota.period": always}},
	"salesiq.client.token.refresh.duration": {"histogram", "s", map[string]wantAttribute{
		"salesiq.token.source": always, "error.type": sometimes,
	}},
	"salesiq.webhook.delivery.duration": {"histogram", "s", map[string]wantAttribute{
		"http.response.status_code": {attribute.INT64, required}, "salesiq.delivery.outcome": always, "salesiq.event": sometimes,
	}},
	"salesiq.client.alone":                 {"gauge", "{process}", nil},
	"salesiq.webhook.backlog.events":       {"gauge", "{event}", map[string]wantAttribute{"salesiq.backlog.name": always}},
	"salesiq.webhook.backlog.age":          {"gauge", "s", map[string]wantAttribute{"salesiq.backlog.name": always}},
	"salesiq.webhook.backlog.dead_letters": {"gauge", "{event}", map[string]wantAttribute{"salesiq.backlog.name": always}},
}

func TestMetricsAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	opts := []salesiq.Option{salesiq.WithPlan(salesiq.Plan{CallsPerMinute: 60, CallsPerDay: 500}), salesiq.WithCache(salesiq.Cache{})}
	observed(t, opts, func(t *testing.T, s *salesiqtest.Server, client *salesiq.Client, o *telemetry) {
		doAll(t, s, client, o)
		var data metricdata.ResourceMetrics
		require.NoError(t, o.reader.Collect(t.Context(), &data))
		require.Len(t, data.ScopeMetrics, 1)
		assert.Equal(t, "github.com/salesiq-go/salesiq/salesiqotel", data.ScopeMetrics[0].Scope.Name)
		assert.Equal(t, "https://opentelemetry.io/schemas/1.43.0", data.ScopeMetrics[0].Scope.SchemaURL)
		missing := maps.Clone(wantMetrics)
		for _, m := range data.ScopeMetrics[0].Metrics {
			want, ok := wantMetrics[m.Name]
			if !assert.True(t, ok, "%s is not in the table", m.Name) {
				continue
			}
			delete(missing, m.Name)
			kind, points := pointsOf(t, m.Data)
			assert.Equal(t, want.kind, kind, m.Name)
			assert.Equal(t, want.unit, m.Unit, m.Name)
			assert.NotEmpty(t, m.Description, m.Name)
			assertAttributes(t, m.Name, want.attributes, points)
		}
		assert.Empty(t, slices.Collect(maps.Keys(missing)), "in the table, but not emitted")
	})
}

func TestBucketsReachAsFarAsTheClientWaits(t *testing.T) {
	t.Parallel()
	observed(t, []salesiq.Option{salesiq.WithCache(salesiq.Cache{})}, func(t *testing.T, s *salesiqtest.Server, client *salesiq.Client, o *telemetry) {
		doAll(t, s, client, o)
		var data metricdata.ResourceMetrics
		require.NoError(t, o.reader.Collect(t.Context(), &data))
		last := map[string][]float64{}
		for _, m := range data.ScopeMetrics[0].Metrics {
			if d, ok := m.Data.(metricdata.Histogram[float64]); ok {
				bounds := d.DataPoints[0].Bounds
				last[m.Name] = bounds[len(bounds)-5:]
			}
		}
		assert.Equal(t, map[string][]float64{
			"salesiq.client.call.duration": {10, 30, 60, 120, 300}, "salesiq.client.wait.duration": {10, 30, 60, 120, 300},
			"http.client.request.duration": {1, 2.5, 5, 7.5, 10}, "salesiq.client.token.refresh.duration": {1, 2.5, 5, 7.5, 10},
			"salesiq.webhook.delivery.duration": {1, 2.5, 5, 7.5, 10},
		}, last)
	})
}

// brokenMeters makes no counter, and registers nothing.
type brokenMeters struct{ metricnoop.MeterProvider }

func (brokenMeters) Meter(string, ...metric.MeterOption) metric.Meter { return brokenMeter{} }

type brokenMeter struct{ metricnoop.Meter }

func (brokenMeter) Int64Counter(string, ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return metricnoop.Int64Counter{}, errors.New("no counter")
}

func (brokenMeter) RegisterCallback(metric.Callback, ...metric.Observable) (metric.Registration, error) {
	return metricnoop.Registration{}, errors.New("no register")
}

func TestGaugeThatCannotBeRegisteredIsAnError(t *testing.T) {
	t.Parallel()
	telemetry, err := salesiqotel.New(salesiqotel.WithMeterProvider(brokenMeters{}))
	require.NoError(t, err)
	stop, err := telemetry.ObserveAlone(func(context.Context) (bool, error) { return false, nil })
	assert.Nil(t, stop)
	require.EqualError(t, err, "no register")
}

func TestInstrumentThatCannotBeMadeIsReportedAndDoneWithout(t *testing.T) { //nolint:paralleltest // The handler is the program's.
	var reported []error
	before := otel.GetErrorHandler()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { reported = append(reported, err) }))
	defer otel.SetErrorHandler(before)
	newTelemetry()
	assert.Empty(t, reported)
	o := newTelemetry(salesiqotel.WithMeterProvider(brokenMeters{}))
	assert.Equal(t, []error{errors.New("no counter")}, reported)
	require.NoError(t, second(chatClient(t, salesiq.WithTracer(o.telemetry.ClientTracer())).Chats.Get(t.Context(), "chat123")))
}

func TestTokenOfTheStoreIsToldFromARequestedOne(t *testing.T) {
	t.Parallel()
	o, vault := newTelemetry(), salesiq.NewMemoryTokenStore()
	require.NoError(t, vault.Save(t.Context(), salesiq.Token{AccessToken: salesiq.NewSecret("1000.stored"), Expiry: time.Now().Add(time.Hour)}))
	credentials := salesiq.Credentials{ClientID: "id", ClientSecret: salesiq.NewSecret("secret"), RefreshToken: salesiq.NewSecret("refresh")}
	client, err := salesiq.NewClient(salesiq.RefreshToken(credentials, vault), salesiq.WithTracer(o.telemetry.ClientTracer()),
		salesiq.WithHTTPClient(&http.Client{Transport: roundTripper(answer)}))
	require.NoError(t, err)
	require.NoError(t, second(client.Chats.Get(t.Context(), "chat123")))
	assert.Equal(t, map[string]any{"salesiq.token.source": "store"}, values(o.exporter.GetSpans()[0].Attributes))
	assert.Contains(t, o.metric(t, "salesiq.client.token.refresh.duration", "s"), "salesiq.token.source=store")
}

func TestEitherMetricOfTheQuotaIsShownWithoutTheOther(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"salesiq.client.quota.remaining", "salesiq.client.quota.limit"} {
		reader := sdkmetric.NewManualReader()
		o := newTelemetry(keepAlone(name, reader))
		o.reader = reader
		client := chatClient(t, salesiq.WithPlan(salesiq.Plan{CallsPerDay: 500}), salesiq.WithTracer(o.telemetry.ClientTracer()))
		require.NoError(t, second(client.Chats.Get(t.Context(), "chat123")))
		assert.Len(t, o.metric(t, name, "{call}"), 1)
	}
}

func TestQuotaOfADayIsShownOnlyWhereThereIsOne(t *testing.T) {
	t.Parallel()
	for calls, want := range map[int][]string{0: {"minute"}, 1: {"day", "minute"}, 500: {"day", "minute"}} {
		observed(t, []salesiq.Option{salesiq.WithPlan(salesiq.Plan{CallsPerMinute: 60, CallsPerDay: calls})},
			func(t *testing.T, _ *salesiqtest.Server, client *salesiq.Client, o *telemetry) {
				require.NoError(t, second(client.Chats.Get(t.Context(), "chat123")))
				var periods []string
				for line := range o.metric(t, "salesiq.client.quota.limit", "{call}") {
					periods = append(periods, strings.TrimPrefix(line, "salesiq.quota.period="))
				}
				assert.ElementsMatch(t, want, periods)
			})
	}
}

// assertAttributes holds points against the levels of their attributes.
func assertAttributes(t *testing.T, name string, want map[string]wantAttribute, points []attribute.Set) {
	t.Helper()
	assert.NotEmpty(t, points, name)
	seen := map[string]int{}
	for _, point := range points {
		for _, a := range point.ToSlice() {
			known, ok := want[string(a.Key)]
			assert.True(t, ok, "%s: %s is not in the table", name, a.Key)
			assert.Equal(t, known.kind, a.Value.Type(), "%s: %s", name, a.Key)
			seen[string(a.Key)]++
		}
	}
	for key, a := range want {
		if a.level == required {
			assert.Len(t, points, seen[key], "%s: %s is required", name, key)
		}
		assert.NotZero(t, seen[key], "%s: %s is never there", name, key)
	}
}

func pointsOf(t *testing.T, data metricdata.Aggregation) (kind string, points []attribute.Set) {
	t.Helper()
	switch d := data.(type) {
	case metricdata.Histogram[float64]:
		return "histogram", setsOf(d.DataPoints, func(p metricdata.HistogramDataPoint[float64]) attribute.Set { return p.Attributes })
	case metricdata.Sum[int64]:
		assert.True(t, d.IsMonotonic)
		return "counter", setsOf(d.DataPoints, func(p metricdata.DataPoint[int64]) attribute.Set { return p.Attributes })
	case metricdata.Gauge[int64]:
		return "gauge", setsOf(d.DataPoints, func(p metricdata.DataPoint[int64]) attribute.Set { return p.Attributes })
	case metricdata.Gauge[float64]:
		return "gauge", setsOf(d.DataPoints, func(p metricdata.DataPoint[float64]) attribute.Set { return p.Attributes })
	}
	t.Errorf("points of type %T", data)
	return "", nil
}

func setsOf[P any](points []P, set func(P) attribute.Set) (sets []attribute.Set) {
	for _, p := range points {
		sets = append(sets, set(p))
	}
	return sets
}

// doAll does what every metric tells of.
func doAll(t *testing.T, s *salesiqtest.Server, client *salesiq.Client, o *telemetry) {
	t.Helper()
	require.NoError(t, s.Inject(
		salesiqtest.Fault{Path: "/oauth", Latency: time.Second},
		salesiqtest.Fault{Path: "/api/v2/operators/operator456", Status: 429, Header: map[string]string{"Retry-After": "3"}},
		salesiqtest.Fault{Path: "/api/v2/chats", Effect: salesiqtest.ResetConnection, Times: 10},
		salesiqtest.Fault{Path: "/oauth", Status: 400, Body: `{"error":"invalid_client"}`},
	))
	require.NoError(t, second(client.Operators.Get(t.Context(), "operator456")))
	require.NoError(t, second(client.Operators.Get(t.Context(), "operator456")), "from the cache")
	require.Error(t, second(client.Chats.Get(t.Context(), "chat123")), "no connection")
	require.Error(t, client.Do(t.Context(), "GET", "/visitors/4711", nil, nil), "no template")
	time.Sleep(2 * time.Hour)
	require.Error(t, second(client.Operators.Get(t.Context(), "operator456")), "no token")

	receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret("hook-secret")), webhook.WithTracer(o.telemetry.WebhookTracer()))
	require.NoError(t, err)
	const body = `{"event":"chat.rating","data":{"chat_id":"c1","rating":4}}`
	for _, secret := range []string{"hook-secret", "another"} {
		request := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(body))
		request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret(secret), []byte(body)))
		receiver.ServeHTTP(httptest.NewRecorder(), request)
	}
	require.NoError(t, second(o.telemetry.ObserveBacklog("inbox", func(context.Context) (salesiqotel.Backlog, error) { return salesiqotel.Backlog{}, nil })))
	require.NoError(t, second(o.telemetry.ObserveAlone(func(context.Context) (bool, error) { return false, nil })))
}

func TestBacklogIsShownAsItIsAtEachCollection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newTelemetry()
		now := map[string]salesiqotel.Backlog{
			"inbox": {Events: 3, Oldest: time.Now(), DeadLetters: 1}, "stream": {}, "clock ahead": {Oldest: time.Now().Add(time.Hour)},
		}
		var stops []func() error
		for name := range now {
			stop, err := o.telemetry.ObserveBacklog(name, func(context.Context) (salesiqotel.Backlog, error) { return now[name], nil })
			require.NoError(t, err)
			stops = append(stops, stop)
		}
		time.Sleep(time.Minute)
		backlogs := func(inbox float64) map[string]point {
			return map[string]point{"salesiq.backlog.name=inbox": {1, inbox}, "salesiq.backlog.name=stream": {1, 0}, "salesiq.backlog.name=clock ahead": {1, 0}}
		}
		assert.Equal(t, backlogs(3), o.metric(t, "salesiq.webhook.backlog.events", "{event}"))
		assert.Equal(t, backlogs(60), o.metric(t, "salesiq.webhook.backlog.age", "s"))
		assert.Equal(t, backlogs(1), o.metric(t, "salesiq.webhook.backlog.dead_letters", "{event}"))
		now["inbox"] = salesiqotel.Backlog{}
		assert.Equal(t, point{1, 0}, o.metric(t, "salesiq.webhook.backlog.events", "{event}")["salesiq.backlog.name=inbox"])
		for _, stop := range stops {
			require.NoError(t, stop())
		}
		assert.Empty(t, o.metric(t, "salesiq.webhook.backlog.events", "{event}"))
	})
}

func TestAloneIsOneWhileTheSharedQuotaIsOutOfReach(t *testing.T) {
	t.Parallel()
	o, alone := newTelemetry(), true
	stop, err := o.telemetry.ObserveAlone(func(context.Context) (bool, error) { return alone, nil })
	require.NoError(t, err)
	assert.Equal(t, map[string]point{"": {1, 1}}, o.metric(t, "salesiq.client.alone", "{process}"))
	alone = false
	assert.Equal(t, map[string]point{"": {1, 0}}, o.metric(t, "salesiq.client.alone", "{process}"))
	require.NoError(t, stop())
}

func TestReadingThatFailsShowsNothing(t *testing.T) {
	t.Parallel()
	o, broken, away := newTelemetry(), errors.New("no file"), errors.New("no Redis")
	require.NoError(t, second(o.telemetry.ObserveBacklog("inbox", func(context.Context) (salesiqotel.Backlog, error) { return salesiqotel.Backlog{Events: 1}, broken })))
	require.NoError(t, second(o.telemetry.ObserveAlone(func(context.Context) (bool, error) { return true, away })))
	var data metricdata.ResourceMetrics
	err := o.reader.Collect(t.Context(), &data)
	require.ErrorIs(t, err, broken)
	require.ErrorIs(t, err, away)
	for _, scope := range data.ScopeMetrics {
		assert.Empty(t, scope.Metrics)
	}
}

func TestGaugesOfNothingAreRefused(t *testing.T) {
	t.Parallel()
	o := newTelemetry().telemetry
	_, noName := o.ObserveBacklog("", func(context.Context) (salesiqotel.Backlog, error) { return salesiqotel.Backlog{}, nil })
	_, noBacklog := o.ObserveBacklog("inbox", nil)
	_, noAlone := o.ObserveAlone(nil)
	for i, err := range []error{noName, noBacklog, noAlone} {
		var input *salesiq.InputError
		require.ErrorAs(t, err, &input)
		assert.Equal(t, []string{"name", "read", "read"}[i], input.Field)
	}
}
