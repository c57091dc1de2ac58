package salesiq_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
)

func TestMethodThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.OK())
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

func TestNilOptionIsRefused(t *testing.T) {
	t.Parallel()
	_, err := salesiq.NewClient(salesiq.StaticToken("token"), nil)
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
	s := testkit.NewServer(t, testkit.OK())
	_, err = faultyClient(t, s).Chats.Get(t.Context(), "c1", nil)
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
	assert.Empty(t, s.Received())
}

type generous struct{}

func (generous) Acquire(context.Context) (salesiq.Lease, error) { return nil, nil }

func TestLimiterNeedNotGiveALease(t *testing.T) {
	t.Parallel()
	require.NoError(t, say(t.Context(), faultyClient(t, testkit.NewServer(t, testkit.OK()), salesiq.WithLimiter(generous{}))))
}

func TestRateLimitNeedsNoCode(t *testing.T) {
	t.Parallel()
	for _, behavior := range []testkit.Behavior{testkit.HTML(429, "<html>"), testkit.Empty(429), testkit.Answer(429, "application/json", `{"status":"error"}`)} {
		err := say(t.Context(), faultyClient(t, testkit.NewServer(t, behavior), salesiq.WithMaxAttempts(1)))
		require.ErrorIs(t, err, salesiq.ErrRateLimitExceeded)
		require.NotErrorIs(t, err, salesiq.ErrorCode(""))
		assert.True(t, salesiq.IsRetryable(err))
	}
	err := say(t.Context(), faultyClient(t, testkit.NewServer(t, testkit.HTML(503, "<html>")), salesiq.WithMaxAttempts(1)))
	assert.NotErrorIs(t, err, salesiq.ErrRateLimitExceeded)
}

func TestAnswerWithoutDataIsNoObject(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`null`, ` null `, `{"error":{}}`, `{"error":null}`, `{}`, `{"data":null}`} {
		chat, err := faultyClient(t, testkit.NewServer(t, testkit.JSON(body))).Chats.Get(t.Context(), "c1")
		require.ErrorIs(t, err, salesiq.ErrDecode, body)
		assert.Nil(t, chat)
	}
	page, err := faultyClient(t, testkit.NewServer(t, testkit.JSON(`null`))).Chats.List(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, page.Items)
}

func TestErrorWithoutACodeSaysSo(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 400} {
		s := testkit.NewServer(t, testkit.Answer(status, "application/json", `{"status":"error"}`))
		_, err := faultyClient(t, s).Chats.Get(t.Context(), "c1")
		require.ErrorContains(t, err, "an error without a code")
	}
}
