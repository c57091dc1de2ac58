package salesiqotel_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// kept is a sink that keeps what another process would find.
type kept struct{ body, trace string }

func (k *kept) Enqueue(_ context.Context, event webhook.Event) error {
	k.body, k.trace = string(event.Info().Body), event.Info().Trace
	return nil
}

func TestEventThatIsHandledLaterLinksToItsDelivery(t *testing.T) {
	t.Parallel()
	o, sink := newTelemetry(), &kept{}
	receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret("hook-secret")),
		webhook.WithTracer(o.telemetry.WebhookTracer()), webhook.WithSink(sink))
	require.NoError(t, err)
	ctx, delivery := o.provider.Tracer("test").Start(t.Context(), "POST /hook", trace.WithSpanKind(trace.SpanKindServer))
	const body = `{"event":"chat.rating","data":{"chat_id":"c1","rating":4}}`
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(body))
	request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret("hook-secret"), []byte(body)))
	receiver.ServeHTTP(httptest.NewRecorder(), request)
	delivery.End()
	o.exporter.Reset()

	event, err := webhook.Parse([]byte(sink.body))
	require.NoError(t, err)
	event.Info().Trace = sink.trace
	var inside trace.SpanContext
	require.Error(t, o.telemetry.Handler(func(ctx context.Context, _ webhook.Event) error {
		inside = trace.SpanContextFromContext(ctx)
		return errors.New("no")
	})(t.Context(), event))

	spans := o.exporter.GetSpans()
	require.Len(t, spans, 1)
	span := spans[0]
	assert.Equal(t, "process chat.rating", span.Name)
	assert.Equal(t, trace.SpanKindConsumer, span.SpanKind)
	assert.Equal(t, codes.Error, span.Status.Code)
	assert.Equal(t, map[string]any{"salesiq.event": "chat.rating", "error.type": "_OTHER"}, values(span.Attributes))
	assert.Equal(t, inside.SpanID(), span.SpanContext.SpanID())
	assert.False(t, span.Parent.IsValid(), "the delivery is over")
	require.Len(t, span.Links, 1)
	assert.Equal(t, delivery.SpanContext().SpanID(), span.Links[0].SpanContext.SpanID())
	assert.Equal(t, delivery.SpanContext().TraceID(), span.Links[0].SpanContext.TraceID())
}

func TestEventWithoutATraceIsHandledWithoutALink(t *testing.T) {
	t.Parallel()
	o := newTelemetry()
	event, err := webhook.Parse([]byte(`{"event":"chat.rating","data":{"chat_id":"c1"}}`))
	require.NoError(t, err)
	require.NoError(t, o.telemetry.Handler(func(context.Context, webhook.Event) error { return nil })(t.Context(), event))
	assert.Empty(t, o.exporter.GetSpans()[0].Links)
	require.Error(t, o.telemetry.Handler(func(context.Context, webhook.Event) error {
		return &salesiq.Error{StatusCode: 400, Code: salesiq.ErrChatNotActive}
	})(t.Context(), event))
	assert.Equal(t, "_OTHER", values(o.exporter.GetSpans()[1].Attributes)["error.type"], "the code of a call is the call's")
	assert.Panics(t, func() {
		_ = o.telemetry.Handler(func(context.Context, webhook.Event) error { panic("no") })(t.Context(), event)
	})
	assert.Equal(t, codes.Error, o.exporter.GetSpans()[2].Status.Code, "a panic goes on, and the span ends")
}
