package processes

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/valkey-io/valkey-go"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqredis"
	"github.com/salesiq-go/salesiq/webhook"
)

// valkeyEvaler is what the documentation of package salesiqredis shows.
type valkeyEvaler struct{ client valkey.Client }

func (v valkeyEvaler) Eval(ctx context.Context, script string, keys, args []string) (any, error) {
	return valkey.NewLuaScript(script).Exec(ctx, v.client, keys, args).ToAny()
}

func (v valkeyEvaler) Subscribe(ctx context.Context, channels []string, heard func(string)) error {
	return v.client.Receive(ctx, v.client.B().Subscribe().Channel(channels...).Build(), func(m valkey.PubSubMessage) { heard(m.Message) })
}

// Every script runs through another client than go-redis, too.
func TestOtherClientsFit(t *testing.T) {
	t.Parallel()
	needsRedis(t)
	server := startRedis(t)
	client, err := valkey.NewClient(valkey.ClientOption{InitAddress: []string{server.address}, DisableCache: true})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	organization, err := salesiqredis.NewWith(valkeyEvaler{client}, "acme", salesiqredis.WithMaxInFlight(1))
	require.NoError(t, err)
	require.NoError(t, organization.Check(t.Context()))

	lease, err := organization.Limiter().Acquire(t.Context())
	require.NoError(t, err)
	time.AfterFunc(500*time.Millisecond, func() { lease.Done(salesiq.Outcome{StatusCode: 200, Sent: true}) })
	next, err := organization.Limiter().Acquire(t.Context())
	require.NoError(t, err)
	next.Done(salesiq.Outcome{StatusCode: 200, Sent: true})

	store := organization.TokenStore()
	locked, unlock, err := store.Lock(t.Context())
	require.NoError(t, err)
	require.NoError(t, locked.Save(t.Context(), []byte("a")))
	unlock()
	token, err := store.Load(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "a", string(token))

	events := organization.DedupStore()
	for claim, want := range []webhook.DedupState{webhook.DedupFree, webhook.DedupClaimed} {
		state, err := events.Begin(t.Context(), "event", int64(claim))
		require.NoError(t, err)
		assert.Equal(t, want, state)
	}
	require.NoError(t, events.Done(t.Context(), "event", 0))
	require.NoError(t, events.Abort(t.Context(), "event", 0))

	sink, err := organization.Sink()
	require.NoError(t, err)
	event, err := webhook.Parse([]byte(`{"event":"chat.started"}`))
	require.NoError(t, err)
	require.NoError(t, sink.Enqueue(t.Context(), event))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	var handled string
	require.ErrorIs(t, sink.Run(ctx, func(_ context.Context, e webhook.Event) error {
		handled = e.Info().EventID
		time.AfterFunc(100*time.Millisecond, cancel)
		return nil
	}), context.Canceled)
	assert.Equal(t, event.Info().EventID, handled)
}
