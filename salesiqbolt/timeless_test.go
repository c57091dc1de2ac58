package salesiqbolt

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// absentStore is a store that is away.
type absentStore struct{ webhook.DedupStore }

func (absentStore) Begin(context.Context, string, int64) (webhook.DedupState, error) {
	return webhook.DedupFree, errors.New("the store is away")
}

// An inbox takes each event once. One that tells no time is known by a number, which must
// not be that of an earlier event: after a restart, in another process, or while the store
// is away.
func TestNoEventWithoutATimeIsTakenForAnother(t *testing.T) {
	t.Parallel()
	const secret = "the webhook's secret"
	path := newPath(t)
	waiting := 0
	for _, opts := range [][]webhook.Option{
		nil, // The store in memory.
		nil,
		{webhook.WithDedupStore(absentStore{}), webhook.WithDedupFailure(webhook.DedupProcess)},
	} {
		f := openAt(t, path)
		inbox := inboxOf(t, f)
		receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(secret)), append(opts, webhook.WithSink(inbox))...)
		require.NoError(t, err)
		for _, body := range []string{
			`{"event":"operator.updated","entity_id":"o1","attempt":1,"entity":{"chat_enabled":false}}`,
			`{"id":"o1","chat_enabled":false}`,
		} {
			for range 2 {
				request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
				request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret(secret), []byte(body)))
				answer := httptest.NewRecorder()
				receiver.ServeHTTP(answer, request)
				assert.Equal(t, http.StatusOK, answer.Code)
				waiting++
				assert.Equal(t, waiting, stats(t, inbox).Waiting, body)
			}
		}
		require.NoError(t, f.Close())
	}
}
