package webhook_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/webhook"
)

func TestAWorkerPoolNeedsNoLogger(t *testing.T) {
	t.Parallel()
	var handled atomic.Int32
	pool := testkit.Must(webhook.NewWorkerPool(1, 10, func(context.Context, webhook.Event) error {
		handled.Add(1)
		return errors.New("broken")
	}, nil))
	for range 2 {
		require.NoError(t, pool.Enqueue(t.Context(), anEvent(t)))
	}
	require.NoError(t, pool.Shutdown(t.Context()))
	assert.EqualValues(t, 2, handled.Load())
}
