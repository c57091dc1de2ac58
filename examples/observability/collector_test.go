package main

import (
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricpb "go.opentelemetry.io/proto/otlp/metrics/v1"
	spanpb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqotel"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// collector receives what is exported through OTLP over HTTP.
type collector struct {
	mu      sync.Mutex
	spans   []*spanpb.Span
	metrics []*metricpb.Metric
}

// newCollector starts one, and returns its address.
func newCollector(t *testing.T) (c *collector, address string) {
	t.Helper()
	c = &collector{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", receive(t, func(request *tracepb.ExportTraceServiceRequest) {
		for _, resource := range request.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				assert.Equal(t, "github.com/salesiq-go/salesiq/salesiqotel", scope.GetScope().GetName())
				c.mu.Lock()
				c.spans = append(c.spans, scope.GetSpans()...)
				c.mu.Unlock()
			}
		}
	}))
	mux.HandleFunc("POST /v1/metrics", receive(t, func(request *metricspb.ExportMetricsServiceRequest) {
		for _, resource := range request.GetResourceMetrics() {
			for _, scope := range resource.GetScopeMetrics() {
				c.mu.Lock()
				c.metrics = append(c.metrics, scope.GetMetrics()...)
				c.mu.Unlock()
			}
		}
	}))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return c, server.URL
}

// receive decodes a request of an exporter.
func receive[M any, P interface {
	*M
	proto.Message
}](t *testing.T, take func(P)) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "application/x-protobuf", r.Header.Get("Content-Type"))
		var body io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			unpacked, err := gzip.NewReader(r.Body)
			assert.NoError(t, err)
			body = unpacked
		}
		all, err := io.ReadAll(body)
		assert.NoError(t, err)
		message := P(new(M))
		assert.NoError(t, proto.Unmarshal(all, message))
		take(message)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}
}

// node is a span or an event, in the order in which they began.
type node struct {
	at   uint64
	text string
	span *spanpb.Span // Nil for an event.
}

// draw draws the spans below a parent, and the events in between, as a person would.
func (c *collector) draw(parent []byte, indent string) string {
	var nodes []node
	for _, span := range c.spans {
		switch {
		case string(span.GetParentSpanId()) == string(parent):
			nodes = append(nodes, node{span.GetStartTimeUnixNano(), textOf(span), span})
		case string(span.GetSpanId()) == string(parent):
			for _, event := range span.GetEvents() {
				nodes = append(nodes, node{event.GetTimeUnixNano(), "· waited for " + value(event.GetAttributes(), "salesiq.wait.reason"), nil})
			}
		}
	}
	slices.SortStableFunc(nodes, func(a, b node) int {
		return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(b.text, a.text)) // A wait ends before what it was for begins.
	})
	var tree strings.Builder
	for _, n := range nodes {
		fmt.Fprintf(&tree, "%s%s\n", indent, n.text)
		if n.span != nil {
			tree.WriteString(c.draw(n.span.GetSpanId(), indent+"  "))
		}
	}
	return tree.String()
}

// textOf is a span in one line: kind, name, what came of it, and how long it took,
// unless it has paused for as long as chance would have it.
func textOf(span *spanpb.Span) string {
	kind := strings.ToLower(strings.TrimPrefix(span.GetKind().String(), "SPAN_KIND_"))
	words := []string{kind, span.GetName()}
	for _, key := range []string{"http.response.status_code", "error.type", "http.request.resend_count", "salesiq.attempts", "salesiq.token.source"} {
		if text := value(span.GetAttributes(), key); text != "" {
			words = append(words, key[strings.LastIndexByte(key, '.')+1:]+"="+text)
		}
	}
	if span.GetStatus().GetCode() == spanpb.Status_STATUS_CODE_ERROR {
		words = append(words, "ERROR")
	}
	if len(span.GetEvents()) == 0 {
		words = append(words, time.Duration(span.GetEndTimeUnixNano()-span.GetStartTimeUnixNano()).String())
	}
	return strings.Join(words, " ")
}

func value(attributes []*commonpb.KeyValue, key string) string {
	for _, a := range attributes {
		if a.GetKey() == key {
			if text := a.GetValue().GetStringValue(); text != "" {
				return text
			}
			return fmt.Sprint(a.GetValue().GetIntValue())
		}
	}
	return ""
}

// What an exporter sends of a call with two retries, waits for quota and a refresh of
// the token is the tree that a person would draw.
func TestCollectorSeesACallAsAPersonWouldDrawIt(t *testing.T) {
	t.Parallel()
	memory, reader := tracetest.NewInMemoryExporter(), sdkmetric.NewManualReader()
	var data metricdata.ResourceMetrics
	synctest.Test(t, func(t *testing.T) {
		telemetry, err := salesiqotel.New(
			salesiqotel.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(memory))),
			salesiqotel.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))))
		require.NoError(t, err)
		s := salesiqtest.Start(t, salesiqtest.InMemory())
		client := s.Client(t, salesiq.WithTracer(telemetry.ClientTracer()),
			salesiq.WithPlan(salesiq.Plan{CallsPerMinute: 1}), salesiq.WithMaxAttempts(5))
		require.NoError(t, s.Inject(
			salesiqtest.Fault{Path: "/oauth", Latency: time.Second},
			salesiqtest.Fault{Path: "/api", Status: 503, Latency: 250 * time.Millisecond, Times: 2},
		))
		_, err = client.Chats.Get(t.Context(), "chat123")
		require.NoError(t, err)
		require.NoError(t, reader.Collect(t.Context(), &data))
	})

	c, address := newCollector(t)
	traces, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(address+"/v1/traces"), otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	require.NoError(t, err)
	require.NoError(t, traces.ExportSpans(t.Context(), memory.GetSpans().Snapshots()))
	metrics, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithEndpointURL(address+"/v1/metrics"))
	require.NoError(t, err)
	require.NoError(t, metrics.Export(t.Context(), &data))

	c.mu.Lock()
	defer c.mu.Unlock()
	const want = `
internal Chats.Get status_code=200 attempts=3
  internal Token.Refresh source=server 1s
    client POST /oauth/v2/token status_code=200 1s
  · waited for token
  client GET /api/v2/chats/{chat_id} status_code=503 type=503 ERROR 250ms
  · waited for backoff
  · waited for quota
  client GET /api/v2/chats/{chat_id} status_code=503 type=503 resend_count=1 ERROR 250ms
  · waited for backoff
  · waited for quota
  client GET /api/v2/chats/{chat_id} status_code=200 resend_count=2 0s
`
	tree := "\n" + c.draw(nil, "")
	assert.Equal(t, want, tree, "the collector has seen:%s", tree)
	assert.Equal(t, map[string]uint64{
		"http.client.request.duration": 4, "salesiq.client.call.duration": 1,
		"salesiq.client.wait.duration": 5, "salesiq.client.token.refresh.duration": 1,
	}, c.counts())
}

// counts returns how many durations each histogram has.
func (c *collector) counts() map[string]uint64 {
	counts := map[string]uint64{}
	for _, m := range c.metrics {
		for _, p := range m.GetHistogram().GetDataPoints() {
			counts[m.GetName()] += p.GetCount()
		}
	}
	return counts
}
