package salesiq_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/faulty"
)

func TestMethodThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	s := faulty.New(t, faulty.OK())
	client := faultyClient(t, s)
	for _, method := range []string{"", " ", "G ET", "GET /elsewhere", "GET\r\n", "gét"} {
		err := client.Do(t.Context(), method, "/chats/x", nil, nil)
		require.ErrorIs(t, err, salesiq.ErrInvalidInput, "%q", method)
		assert.ErrorContains(t, err, "method")
	}
	assert.Empty(t, s.Received())
	require.NoError(t, client.Do(t.Context(), "get", "/chats/x", nil, nil))
	assert.Equal(t, http.MethodGet, s.Received()[0].Method)
}

func TestNilOptionIsNone(t *testing.T) {
	t.Parallel()
	_, err := salesiq.NewClient(salesiq.StaticToken("token"), nil)
	require.NoError(t, err)
}

type generous struct{}

func (generous) Acquire(context.Context) (salesiq.Lease, error) { return nil, nil } //nolint:nilnil // As documented.

func TestLimiterNeedNotGiveALease(t *testing.T) {
	t.Parallel()
	require.NoError(t, say(t.Context(), faultyClient(t, faulty.New(t, faulty.OK()), salesiq.WithLimiter(generous{}))))
}
