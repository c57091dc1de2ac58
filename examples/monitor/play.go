package main

import (
	"context"
	"time"

	"github.com/salesiq-go/salesiq"
)

// play lets somebody leave for lunch in the emulator.
func play(ctx context.Context, client *salesiq.Client) {
	select {
	case <-ctx.Done():
	case <-time.After(3 * time.Second):
		client.Operators.Update(ctx, "operator456", &salesiq.OperatorUpdate{Status: salesiq.Set(salesiq.OperatorAway)}) //nolint:errcheck // Then there is less to see.
	}
}
