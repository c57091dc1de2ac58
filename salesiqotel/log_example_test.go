package salesiqotel_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"

	"go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqotel"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// traced is a handler of logs that adds the ids of the trace that a line belongs to.
type traced struct{ slog.Handler }

func (h traced) Handle(ctx context.Context, record slog.Record) error {
	if span := oteltrace.SpanContextFromContext(ctx); span.IsValid() {
		record.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, record)
}

func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(attrs)} }
func (h traced) WithGroup(name string) slog.Handler       { return traced{h.Handler.WithGroup(name)} }

// logCalls returns a tracer that writes a line for each call, at the level debug. It
// comes after that of the telemetry, whose span is then in the context.
func logCalls(logger *slog.Logger) *salesiq.Tracer {
	return &salesiq.Tracer{
		Enabled: func(ctx context.Context) bool { return logger.Enabled(ctx, slog.LevelDebug) },
		Call: func(ctx context.Context, _ salesiq.CallTrace) (context.Context, func(salesiq.CallTrace)) {
			return nil, func(call salesiq.CallTrace) {
				logger.DebugContext(ctx, "salesiq call", "operation", call.Operation, "status", call.StatusCode,
					"attempts", call.Attempts, "failed", call.Err != nil)
			}
		},
	}
}

// Lines of a log lead to their traces: one for each call at the level debug, and
// nothing else at info.
func Example_log() {
	service, err := salesiqtest.NewServer()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer service.Close()
	telemetry, err := salesiqotel.New(salesiqotel.WithTracerProvider(trace.NewTracerProvider()))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo} {
		fmt.Println(level)
		logger := slog.New(traced{slog.NewTextHandler(likeIDs{os.Stdout}, &slog.HandlerOptions{Level: level})})
		client, err := salesiq.NewClient(
			salesiq.RefreshToken(service.Credentials(), salesiq.NewMemoryTokenStore()),
			append(service.Options(), salesiq.WithTracer(telemetry.ClientTracer(), logCalls(logger)))...)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, id := range []string{"chat123", "chat999"} {
			if _, err := client.Chats.Get(context.Background(), id); err != nil {
				fmt.Println(err)
			}
		}
	}
	// Output:
	// DEBUG
	// level=DEBUG msg="salesiq call" operation=Chats.Get status=200 attempts=1 failed=false trace_id=… span_id=…
	// level=DEBUG msg="salesiq call" operation=Chats.Get status=404 attempts=1 failed=true trace_id=… span_id=…
	// salesiq: Chats.Get: HTTP 404: RESOURCE_NOT_FOUND: there is no chat "chat999"
	// INFO
	// salesiq: Chats.Get: HTTP 404: RESOURCE_NOT_FOUND: there is no chat "chat999"
}

// likeIDs leaves out what differs from run to run.
type likeIDs struct{ out io.Writer }

var times, ids = regexp.MustCompile(`time=\S+ `), regexp.MustCompile(`_id=[0-9a-f]+`)

func (w likeIDs) Write(line []byte) (int, error) {
	_, err := w.out.Write(ids.ReplaceAll(times.ReplaceAll(line, nil), []byte("_id=…")))
	return len(line), err
}
