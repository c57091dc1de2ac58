package main

import (
	"context"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// play lets things happen: calls of which some fail, and events of which some
// cannot be handled. What fails is what the dashboard is to show.
func (w *watched) play(ctx context.Context, service *salesiqtest.Server, address string, pause time.Duration) {
	w.client.Webhooks.Create(ctx, &salesiq.WebhookCreate{ //nolint:errcheck // Then there is less to see, as with all here.
		Name: "observability example", URL: address + "/salesiq", Secret: w.secret,
		Events: []salesiq.EventName{salesiq.EventChatRated, salesiq.EventChatEnded},
	})
	service.Inject( //nolint:errcheck // The faults are good.
		salesiqtest.Fault{Path: "/api/v2/visitors", Status: 503, Probability: 0.1},
		salesiqtest.Fault{Path: "/api/v2/chats", Status: 429, Probability: 0.05, Header: map[string]string{"Retry-After": "1"}},
		salesiqtest.Fault{Path: "/api/v2/operators", Latency: 30 * time.Millisecond, Probability: 0.5},
		salesiqtest.Fault{Path: "/api/v2/webhooks", Effect: salesiqtest.RevokeToken, Skip: 1, Probability: 0.1},
		salesiqtest.Fault{Path: "/oauth", Status: 503, Skip: 1, Probability: 0.3},
	)
	for round := 0; ctx.Err() == nil; round++ {
		w.client.Operators.List(ctx, nil)  //nolint:errcheck // It is counted.
		w.client.Visitors.List(ctx, nil)   //nolint:errcheck // As above.
		w.client.Chats.Get(ctx, "chat123") //nolint:errcheck // As above.
		if round%10 == 5 {
			w.client.Chats.Get(ctx, "chat999") //nolint:errcheck // There is none.
			w.client.Webhooks.List(ctx, nil)   //nolint:errcheck // Its token is revoked at times.
		}
		event := salesiq.EventChatRated
		if round%5 == 4 {
			event = salesiq.EventChatEnded
		}
		service.Emit(event, map[string]any{"chat_id": "chat123", "rating": 1 + round%5}) //nolint:errcheck // It is a known one.
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}
