package live

import (
	"context"
	"net/http"

	"github.com/salesiq-go/salesiq"
)

// CallbacksService answers for a bot that has answered "pending". The service waits
// three minutes.
type CallbacksService service

// Progress tells the visitor that the answer is still to come.
//
//   - Endpoint: POST /api/v2/{screen_name}/callbacks/{request_id}/progress [T];
//     scope SalesIQ.callbacks.UPDATE.
//   - Source: [V] pending-progress-v2.html, which shows no answer; [T] for the
//     method, three published callers.
func (s *CallbacksService) Progress(ctx context.Context, requestID, text string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "Callbacks.Progress", http.MethodPost, base+"/callbacks/{request_id}/progress", said{text}, opts, requestID)
}

// Respond gives the answer that was pending: a [*BotAnswer], or any other value that is
// one on the wire, such as
//
//		{"action": "reply", "replies": ["Here it is."]}
//
//	  - Endpoint: POST /api/v2/{screen_name}/callbacks/{request_id}/response [T];
//	    scope SalesIQ.callbacks.UPDATE.
//	  - Source: [V] pending-response-v2.html, which shows no answer; [T] for the
//	    method, three published callers.
func (s *CallbacksService) Respond(ctx context.Context, requestID string, answer any, opts ...salesiq.CallOption) error {
	if typed, ok := answer.(*BotAnswer); ok {
		if err := typed.validate(); err != nil {
			return withOperation("live.Callbacks.Respond", err)
		}
		answer = typed.onWire()
	}
	return send(ctx, s.owner(), "Callbacks.Respond", http.MethodPost, base+"/callbacks/{request_id}/response", answer, opts, requestID)
}
