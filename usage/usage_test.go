package usage_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/usage"
)

// inBubble runs a test in virtual time, with a SalesIQ in memory.
func inBubble(t *testing.T, test func(t *testing.T, s *salesiqtest.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, salesiqtest.Start(t, salesiqtest.InMemory())) })
}

// second returns the error of a call.
func second[T any](_ T, err error) error { return err }

// answered answers each request with the same object, in memory.
type answered struct{}

func (answered) RoundTrip(request *http.Request) (*http.Response, error) {
	body := io.NopCloser(strings.NewReader(`{"status":"success","data":{"id":"x1"}}`))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: body, Request: request}, nil
}

func answeredClient(t *testing.T, monitor *usage.Monitor) *salesiq.Client {
	t.Helper()
	client, err := salesiq.NewClient(salesiq.StaticToken("1000.token"),
		salesiq.WithHTTPClient(&http.Client{Transport: answered{}}), salesiq.WithTracer(monitor.Tracer()))
	require.NoError(t, err)
	return client
}

func TestMonitorCountsCallsByOperation(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *salesiqtest.Server) {
		start, monitor := time.Now(), usage.NewMonitor()
		client := s.Client(t, salesiq.WithTracer(monitor.Tracer()), salesiq.WithCache(salesiq.Cache{}))
		require.NoError(t, s.Inject(
			salesiqtest.Fault{Path: "/api/v2/chats/chat123", Status: 503, Latency: 200 * time.Millisecond},
			salesiqtest.Fault{Path: "/api/v2/brands", Status: 429, Latency: 100 * time.Millisecond},
		))
		for _, id := range []string{"chat123", "chat123", "chat999", "chat998"} {
			client.Chats.Get(t.Context(), id) //nolint:errcheck // What comes of it is counted.
		}
		for range 3 {
			require.NoError(t, second(client.Brands.Get(t.Context(), "brand123")))
		}
		report := monitor.Snapshot()
		assert.Equal(t, start, report.Since)
		assert.Len(t, report.Operations, 2)

		chats := report.Operations["Chats.Get"]
		assert.Equal(t, 4, chats.Calls)
		assert.Equal(t, 2, chats.Errors)
		assert.InDelta(t, 0.5, chats.ErrorRate, 1e-9)
		assert.Equal(t, 5, chats.Attempts)
		assert.Zero(t, chats.Throttled)
		assert.Positive(t, chats.Waited, "before the retry")
		assert.Equal(t, chats.Waited.Duration(), chats.WaitedMost.Duration(), "one call alone")
		assert.Equal(t, 200*time.Millisecond, chats.Max.Duration(), "the service is not blamed for the wait")
		assert.Equal(t, chats.Max.Duration()/4, chats.Average.Duration())
		assert.Zero(t, chats.P50)
		assert.InEpsilon(t, chats.Max.Duration(), chats.P95.Duration(), 0.04)

		brands := report.Operations["Brands.Get"]
		assert.Equal(t, 3, brands.Calls)
		assert.Equal(t, 2, brands.Cached)
		assert.Equal(t, 2, brands.Attempts)
		assert.Equal(t, 1, brands.Throttled)
		assert.Equal(t, brands.Max.Duration(), brands.Average.Duration(), "answers that were kept are not timed")
		assert.InEpsilon(t, brands.Max.Duration(), brands.P50.Duration(), 0.04, "nor among the percentiles")

		assert.Equal(t, 100*time.Millisecond, brands.Max.Duration())
		assert.Positive(t, brands.Waited)

		assert.Equal(t, 7, report.Total.Calls)
		assert.InDelta(t, float64(chats.Waited+brands.Waited), float64(report.Total.Waited), 1e-9)
		assert.Equal(t, max(chats.WaitedMost, brands.WaitedMost).Duration(), report.Total.WaitedMost.Duration())
		assert.Equal(t, 7, report.Total.Attempts)
		assert.Equal(t, 2, report.Total.Errors)
		assert.Equal(t, max(chats.Max, brands.Max).Duration(), report.Total.Max.Duration())
		assert.Equal(t, 1, report.TokenRefreshes)
		assert.Nil(t, report.CallsLeftToday, "without a plan it is not known")
	})
}

func TestOneCallHasARateAndADayMayHaveOneCall(t *testing.T) {
	t.Parallel()
	var monitor usage.Monitor
	client := salesiqtest.NewClient(t, salesiq.WithTracer(monitor.Tracer()), salesiq.WithPlan(salesiq.Plan{CallsPerDay: 1}))
	require.ErrorIs(t, second(client.Chats.Get(t.Context(), "chat0")), salesiq.ErrResourceNotFound)
	report := monitor.Snapshot()
	assert.InDelta(t, 1, report.Operations["Chats.Get"].ErrorRate, 1e-9)
	assert.Equal(t, new(0), report.CallsLeftToday)
}

func TestMonitorNeedsNoConstructor(t *testing.T) {
	t.Parallel()
	monitor := new(usage.Monitor)
	require.NoError(t, second(answeredClient(t, monitor).Chats.Get(t.Context(), "chat123")))
	assert.Equal(t, 1, monitor.Snapshot().Operations["Chats.Get"].Calls)
}

func TestMonitorKnowsWhatIsLeftOfTheDay(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *salesiqtest.Server) {
		monitor := usage.NewMonitor()
		client := s.Client(t, salesiq.WithTracer(monitor.Tracer()), salesiq.WithPlan(salesiq.Plan{CallsPerDay: 3}))
		assert.Nil(t, monitor.Snapshot().CallsLeftToday)
		for left := 2; left >= 0; left-- {
			require.NoError(t, second(client.Chats.Get(t.Context(), "chat123")))
			assert.Equal(t, new(left), monitor.Snapshot().CallsLeftToday)
		}
		require.ErrorIs(t, second(client.Chats.Get(t.Context(), "chat123")), salesiq.ErrDailyLimit)
		assert.Equal(t, new(0), monitor.Snapshot().CallsLeftToday)
		assert.Equal(t, 0, monitor.Snapshot().Total.Throttled, "the service has refused nothing")

		time.Sleep(24 * time.Hour)
		assert.Equal(t, new(3), monitor.Snapshot().CallsLeftToday, "another day, although nobody has called")
	})
}

func TestMonitorSumsUpWhatItCountedOfFailedRefreshes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *salesiqtest.Server) {
		monitor := usage.NewMonitor()
		client := s.Client(t, salesiq.WithTracer(monitor.Tracer()))
		require.NoError(t, s.Inject(salesiqtest.Fault{Path: "/oauth", Status: 400, Body: `{"error":"invalid_client"}`}))
		require.ErrorIs(t, second(client.Chats.Get(t.Context(), "chat123")), salesiq.ErrAuth)
		report := monitor.Snapshot()
		assert.Equal(t, 1, report.TokenRefreshErrors)
		assert.Zero(t, report.TokenRefreshes)
		assert.Equal(t, 1, report.Total.Errors)
	})
}

// WithOperation takes any name, so there may be names without end.
func TestMonitorsMemoryIsBounded(t *testing.T) {
	t.Parallel()
	monitor := usage.NewMonitor()
	client := answeredClient(t, monitor)
	for i := range 300 {
		require.NoError(t, client.Do(t.Context(), "GET", "/portals", nil, nil, salesiq.WithOperation(strconv.Itoa(i))))
	}
	report := monitor.Snapshot()
	assert.Len(t, report.Operations, 201)
	assert.Equal(t, 100, report.Operations["other"].Calls)
	assert.Equal(t, 300, report.Total.Calls)
}

func TestSnapshotIsJSONWithUnits(t *testing.T) {
	t.Parallel()
	left := 17
	report := usage.Report{
		Since:          time.Date(2026, 3, 5, 9, 0, 0, 0, time.UTC),
		Operations:     map[string]usage.Operation{"Chats.Get": {Calls: 2, Errors: 1, ErrorRate: 0.5, P95: 0.001}},
		CallsLeftToday: &left,
	}
	none := `"calls":0,"errors":0,"error_rate":0,"cached":0,"attempts":0,"throttled":0,
		"waited_seconds":0,"waited_most_seconds":0,"average_seconds":0,"p50_seconds":0,"p95_seconds":0,"p99_seconds":0,"max_seconds":0`
	for version, marshal := range map[string]func(any) ([]byte, error){
		"encoding/json":    json.Marshal,
		"encoding/json/v2": func(v any) ([]byte, error) { return jsonv2.Marshal(v) },
	} {
		data, err := marshal(report)
		require.NoError(t, err, version)
		assert.JSONEq(t, `{"since":"2026-03-05T09:00:00Z","total":{`+none+`},"operations":{"Chats.Get":{`+none+`,
			"calls":2,"errors":1,"error_rate":0.5,"p95_seconds":0.001}},
			"calls_left_today":17,"token_refreshes":0,"token_refresh_errors":0}`, string(data), version)
	}
}

func TestMonitorServesSeveralClientsAtOnce(t *testing.T) {
	t.Parallel()
	monitor := usage.NewMonitor()
	var wg sync.WaitGroup
	for range 4 {
		client := answeredClient(t, monitor)
		wg.Go(func() {
			for range 25 {
				assert.NoError(t, second(client.Chats.Get(t.Context(), "chat123")))
				monitor.Snapshot()
			}
		})
	}
	wg.Wait()
	assert.Equal(t, 100, monitor.Snapshot().Total.Calls)
}

func ExampleMonitor() {
	service, err := salesiqtest.NewServer()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer service.Close()
	monitor := usage.NewMonitor()
	client, err := salesiq.NewClient(
		salesiq.RefreshToken(service.Credentials(), salesiq.NewMemoryTokenStore()),
		append(service.Options(), salesiq.WithPlan(salesiq.Free()), salesiq.WithTracer(monitor.Tracer()))...)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, id := range []string{"chat123", "chat999"} {
		if _, err := client.Chats.Get(context.Background(), id); err != nil {
			fmt.Println(err)
		}
	}

	report := monitor.Snapshot()
	fmt.Println(report.Total.Calls, "calls,", report.Total.Errors, "failed,", *report.CallsLeftToday, "left today")
	// Output:
	// salesiq: Chats.Get: HTTP 404: RESOURCE_NOT_FOUND: there is no chat "chat999"
	// 2 calls, 1 failed, 998 left today
}
