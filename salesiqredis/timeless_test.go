package salesiqredis

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// A sink takes each event once. One that tells no time is known by a number, which must
// not be that of an event of another process.
func TestNoEventWithoutATimeIsTakenForThatOfAnotherProcess(t *testing.T) {
	t.Parallel()
	const secret = "the webhook's secret"
	organization, server := solo(t)
	for name, opts := range map[string][]webhook.Option{
		"each with a store in memory":  nil,
		"with a store that they share": {webhook.WithDedupStore(organization.DedupStore())},
	} {
		sink := sinkOf(t, organization)
		before, _ := server.Stream(sink.Stream()) // None at first.
		for range 2 {
			receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(secret)), append(opts, webhook.WithSink(sink))...)
			require.NoError(t, err)
			for range 2 {
				const body = `{"event":"operator.updated","entity_id":"o1","attempt":1,"entity":{"chat_enabled":false}}`
				request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
				request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret(secret), []byte(body)))
				answer := httptest.NewRecorder()
				receiver.ServeHTTP(answer, request)
				assert.Equal(t, http.StatusOK, answer.Code)
			}
		}
		entries, err := server.Stream(sink.Stream())
		require.NoError(t, err)
		assert.Len(t, entries, len(before)+4, name)
	}
}
