package salesiqotel_test

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqotel"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// A program would give spans to an exporter, and use the environment's client.
func Example() {
	exporter := tracetest.NewInMemoryExporter()
	provider := trace.NewTracerProvider(trace.WithSyncer(exporter))
	service, err := salesiqtest.NewServer()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer service.Close()

	telemetry, err := salesiqotel.New(salesiqotel.WithTracerProvider(provider))
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := salesiq.NewClient(
		salesiq.RefreshToken(service.Credentials(), salesiq.NewMemoryTokenStore()),
		append(service.Options(), salesiq.WithTracer(telemetry.ClientTracer()))...)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := client.Chats.Get(context.Background(), "chat123"); err != nil {
		fmt.Println(err)
	}

	for _, span := range exporter.GetSpans() {
		fmt.Println(span.Name)
		for _, attribute := range span.Attributes {
			if attribute.Key == "url.template" || attribute.Key == "http.response.status_code" {
				fmt.Printf("  %s: %s\n", attribute.Key, attribute.Value.String())
			}
		}
	}
	// Output:
	// POST /oauth/v2/token
	//   url.template: /oauth/v2/token
	//   http.response.status_code: 200
	// Token.Refresh
	// GET /api/v2/chats/{chat_id}
	//   url.template: /api/v2/chats/{chat_id}
	//   http.response.status_code: 200
	// Chats.Get
	//   http.response.status_code: 200
}
