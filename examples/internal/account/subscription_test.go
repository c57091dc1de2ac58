package account_test

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/internal/account"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

var subscription = account.Subscription{
	Listen: "127.0.0.1:0", URL: "http://127.0.0.1:1/salesiq", Name: "test",
	Events: []salesiq.EventName{salesiq.EventChatStarted},
}

// receive subscribes, lets use see what there is, and ends.
func receive(t *testing.T, server *salesiqtest.Server, during func()) string {
	t.Helper()
	var out bytes.Buffer
	client := &account.Account{Client: server.Client(t), Emulator: server}
	stop, err := client.Receive(t.Context(), subscription, &out, func(*webhook.Receiver) error { return nil })
	require.NoError(t, err)
	during()
	stop()
	return out.String()
}

func start(t *testing.T) *salesiqtest.Server {
	t.Helper()
	server := salesiqtest.Start(t, salesiqtest.WithoutDefaultData())
	return server
}

func TestWhatAKilledProgramLeftBehindIsReplaced(t *testing.T) {
	t.Parallel()
	server := start(t)
	for _, name := range []string{subscription.Name, "somebody else's"} {
		_, err := server.Client(t).Webhooks.Create(t.Context(), &salesiq.WebhookCreate{Name: name, URL: subscription.URL, Events: subscription.Events})
		require.NoError(t, err)
	}
	receive(t, server, func() { assert.Len(t, server.Webhooks(), 2) })
	left := server.Webhooks()
	require.Len(t, left, 1)
	assert.Equal(t, "somebody else's", left[0].Name)
}

func TestWithoutASubscriptionItGoesOn(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]salesiqtest.Fault{
		"not permitted":                          {Code: salesiq.ErrPermissionDenied},
		"the answer is lost, but the webhook is": {Effect: salesiqtest.ResetConnection, Processed: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			fault.Method, fault.Path = http.MethodPost, "/api/v2/webhooks"
			require.NoError(t, server.Inject(fault))
			out := receive(t, server, func() {})
			assert.Contains(t, out, "only polls")
			assert.NotContains(t, out, "still there")
			assert.Empty(t, server.Webhooks())
		})
	}
}
