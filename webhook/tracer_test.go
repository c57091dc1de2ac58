package webhook_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/webhook"
)

// tracerKey finds what a tracer puts into the context.
type tracerKey struct{}

func TestTracerHearsOfEachDelivery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var deliveries []webhook.DeliveryResult
		receiver, handler := newReceiver(webhook.WithTracer(&webhook.Tracer{}, &webhook.Tracer{
			Delivery: func(context.Context, webhook.DeliveryInfo) (context.Context, func(webhook.DeliveryResult)) {
				return nil, func(result webhook.DeliveryResult) { deliveries = append(deliveries, result) }
			},
		}))
		outcomes := []func() error{
			func() error { return nil },
			func() error { return errors.New("no") },
			func() error { time.Sleep(5 * time.Second); return nil },
		}
		handler.answer = func() error {
			outcome := outcomes[0]
			outcomes = outcomes[1:]
			return outcome()
		}
		post(t, receiver, ratedBody("chat1"))
		post(t, receiver, ratedBody("chat1"))
		post(t, receiver, ratedBody("chat2"))
		post(t, receiver, ratedBody("chat3"))
		serve(receiver, newRequest(t, http.MethodPost, ratedBody("chat4")))
		serve(receiver, newRequest(t, http.MethodGet, nil))

		require.Len(t, deliveries, 5, "a probe is no delivery")
		for i, want := range []struct {
			why       string
			status    int
			duplicate bool
			failed    bool
			took      time.Duration
		}{
			{why: "handled", status: 200},
			{why: "handled before", status: 200, duplicate: true},
			{why: "the handler failed", status: 500, failed: true},
			{why: "answered before the handler was done", status: 500, took: 5 * time.Second},
			{why: "not signed", status: 401, failed: true},
		} {
			got := deliveries[i]
			assert.Equal(t, want.status, got.StatusCode, want.why)
			assert.Equal(t, want.duplicate, got.Duplicate, want.why)
			assert.Equal(t, want.failed, got.Err != nil, want.why)
			assert.Equal(t, want.took, got.Duration, want.why)
			assert.Equal(t, got.StatusCode == http.StatusUnauthorized, got.Event == nil, want.why)
		}
	})
}

func TestHandlersHaveTheContextOfTheTracer(t *testing.T) {
	t.Parallel()
	receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret)), webhook.WithTracer(&webhook.Tracer{
		Delivery: func(ctx context.Context, _ webhook.DeliveryInfo) (context.Context, func(webhook.DeliveryResult)) {
			return context.WithValue(ctx, tracerKey{}, 7), nil
		},
	})))
	var seen any
	webhook.OnAny(receiver, func(ctx context.Context, _ webhook.Event) error {
		seen = ctx.Value(tracerKey{})
		return nil
	})
	assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("chat1")).Code)
	assert.Equal(t, 7, seen)
}

func TestTraceOfAnEventIsWhatTheTracerSaysUnlessItIsTooLong(t *testing.T) {
	t.Parallel()
	for _, length := range []int{0, 55, 1000, 1001} {
		receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret)), webhook.WithTracer(
			&webhook.Tracer{Trace: func(context.Context) string { return "first" }},
			&webhook.Tracer{Trace: func(context.Context) string { return strings.Repeat("t", length) }},
		)))
		var got string
		webhook.OnAny(receiver, func(_ context.Context, event webhook.Event) error {
			got = event.Info().Trace
			return nil
		})
		assert.Equal(t, http.StatusOK, post(t, receiver, ratedBody("chat1")).Code)
		if length == 0 || length > 1000 {
			assert.Equal(t, "first", got)
			continue
		}
		assert.Len(t, got, length)
	}
}
