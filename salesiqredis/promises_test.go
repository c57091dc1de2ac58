package salesiqredis

import (
	"context"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
	"github.com/salesiq-go/salesiq/webhook/webhooktest"
)

func TestDedupStoreKeepsWhatTheInterfacePromises(t *testing.T) {
	t.Parallel()
	webhooktest.TestDedupStore(t, func(t *testing.T) webhook.DedupStore {
		t.Helper()
		o, _ := solo(t)
		return o.DedupStore()
	})
}

func TestSinkKeepsWhatTheInterfacePromises(t *testing.T) {
	t.Parallel()
	webhooktest.TestSink(t, func(t *testing.T, handle func(context.Context, webhook.Event) error) webhook.Sink {
		t.Helper()
		sink := sinkOf(t, join(t, dial(t, miniredis.RunT(t))), WithHandlerTimeout(time.Second))
		consume(t, sink, handle)
		return sink
	})
}

func TestTokenStoreKeepsWhatTheInterfacePromises(t *testing.T) {
	t.Parallel()
	salesiqtest.TestTokenStore(t, func(t *testing.T) salesiq.TokenStore {
		t.Helper()
		o, _ := solo(t)
		return o.TokenStore()
	})
}
