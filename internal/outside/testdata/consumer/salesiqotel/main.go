// Salesiqotel makes a call and shows the spans that are exported for it.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqotel"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	server, err := salesiqtest.NewServer()
	if err != nil {
		return err
	}
	defer server.Close()
	exporter := tracetest.NewInMemoryExporter()
	provider := trace.NewTracerProvider(trace.WithSyncer(exporter))
	telemetry, err := salesiqotel.New(salesiqotel.WithTracerProvider(provider))
	if err != nil {
		return err
	}
	client, err := salesiq.NewClient(
		salesiq.StaticToken(server.AccessToken()),
		append(server.Options(), salesiq.WithTracer(telemetry.ClientTracer()))...)
	if err != nil {
		return err
	}
	if _, err := client.Chats.List(ctx, nil); err != nil {
		return err
	}
	spans := exporter.GetSpans()
	if len(spans) == 0 {
		return errors.New("no span was exported")
	}
	for _, span := range spans {
		fmt.Println("span:", span.Name)
	}
	return nil
}
