package main

import (
	"context"
	"time"

	"github.com/salesiq-go/salesiq/salesiqtest"
)

// play lets visitors of the emulator begin chats.
func play(ctx context.Context, emulator *salesiqtest.Server) {
	const pause = 2 * time.Second
	for _, visitor := range emulator.Visitors() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
			emulator.StartChat(visitor.ID, "Hello, is anybody there?") //nolint:errcheck // The visitor is known.
		}
	}
}
