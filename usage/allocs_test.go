package usage_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/usage"
)

// chatService answers each request with the same chat, in memory.
type chatService struct{}

func (chatService) RoundTrip(request *http.Request) (*http.Response, error) {
	body := io.NopCloser(strings.NewReader(`{"status":"success","data":{"id":"chat1"}}`))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: body, Request: request}, nil
}

// allocations returns how often a call allocates.
func allocations(t *testing.T, opts ...salesiq.Option) float64 {
	t.Helper()
	client, err := salesiq.NewClient(salesiq.StaticToken("1000.token"),
		append(opts, salesiq.WithHTTPClient(&http.Client{Transport: chatService{}}))...)
	require.NoError(t, err)
	return testing.AllocsPerRun(500, func() {
		_, err := client.Chats.Get(context.Background(), "chat1")
		assert.NoError(t, err)
	})
}

func TestMonitorAllocatesAtMostFiveTimesACall(t *testing.T) { // It counts what the whole process allocates.
	if testkit.RaceEnabled {
		t.Skip("the race detector allocates")
	}
	bare := allocations(t)
	monitored := allocations(t, salesiq.WithTracer(usage.NewMonitor().Tracer()))
	t.Logf("%.0f allocations, and %.0f more with a monitor", bare, monitored-bare)
	assert.LessOrEqual(t, monitored, bare+5)
}
