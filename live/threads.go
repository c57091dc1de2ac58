package live

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// ThreadsService reads the threads of a conversation: each time that it was begun
// or taken up again.
type ThreadsService service

// Thread is a part of a conversation, from its beginning to its end.
//
// Source: [V] get-conversation-thread-list.html, get-conversation-thread.html.
type Thread struct {
	ID             string    `json:"thread_id"`
	Number         string    `json:"thread_number"` // What paths want.
	ConversationID string    `json:"conversation_id"`
	ReferenceID    string    `json:"reference_id"`
	ChatID         string    `json:"wms_chat_id"`
	Question       string    `json:"question"`
	Status         string    `json:"status"` // A label for people.
	StatusCode     int       `json:"status_code"`
	InitiatedBy    string    `json:"inititated_by"` // So spelt by the service. Such as "visitor".
	EndedBy        string    `json:"ended_by"`      // Such as "visitor" or "scheduler".
	From           time.Time `json:"from_time"`
	To             time.Time `json:"to_time"`

	// If asked for; see ThreadListParams.
	Attender   ConversationParty `json:"attender"`
	Department Ref               `json:"department"`
	Brand      Ref               `json:"brand"`
	Metrics    ThreadMetrics     `json:"metrics"`
	Times      ThreadTimes       `json:"time"`
	Transfers  json.RawMessage   `json:"transfer_details"` // Not shown by any page.

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ThreadMetrics counts and times what happened in a thread.
//
// Source: [V] get-conversation-thread-list.html, metrics.
type ThreadMetrics struct {
	OperatorMessages  int          `json:"operator_message_count"`
	VisitorMessages   int          `json:"visitor_message_count"`
	BotMessages       int          `json:"bot_message_count"`
	InfoMessages      int          `json:"info_message_count"`
	SystemEvents      int          `json:"system_event_count"`
	AverageResponse   Milliseconds `json:"average_response_time"`
	FirstResponse     Milliseconds `json:"first_response_time"`
	Duration          Milliseconds `json:"total_chat_duration"`
	VisitorWaited     Milliseconds `json:"visitor_waiting_time"`
	BotPickedUpAfter  Milliseconds `json:"bot_pickup_after"`
	BotDuration       Milliseconds `json:"bot_duration"`
	Queued            Milliseconds `json:"queued_duration"`
	AcceptedAfter     Milliseconds `json:"first_agent_accept_after"`
	OperatorsDuration Milliseconds `json:"total_operator_duration"`
	MissedReason      string       `json:"missed_reason"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ThreadTimes tells when a thread reached which state.
//
// Source: [V] get-conversation-thread-list.html, time.
type ThreadTimes struct {
	Initiated time.Time `json:"initiated_time"`
	Connected time.Time `json:"connected_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ThreadListParams says what to return of threads.
//
// Source: [V] get-conversation-thread-list.html.
type ThreadListParams struct {
	Include []string // "attender", "department", "brand", "metrics", "transfer_details".
	Page    int      // First page; 1 by default.
	Limit   int      // Per page, up to 50, which is the default.
}

func (p *ThreadListParams) query() query {
	q := query{}
	if p == nil {
		return q
	}
	q.list("include_fields", p.Include)
	q.number("page", p.Page)
	q.number("limit", p.Limit)
	return q
}

// List returns one page of the threads of a conversation. A nil params asks for no
// more than the plain fields.
//
//   - Endpoint: GET /api/v2/{screen_name}/conversations/{id}/threads [V]; scope
//     SalesIQ.conversations.READ.
//   - Source: [V] get-conversation-thread-list.html.
func (s *ThreadsService) List(ctx context.Context, conversationID string, params *ThreadListParams, opts ...salesiq.CallOption) ([]Thread, error) {
	return list[Thread](ctx, s.owner(), "Threads.List", base+"/conversations/{id}/threads", params.query(), opts, conversationID)
}

// All iterates over the threads of a conversation.
//
// Endpoint, scope and source are those of List.
func (s *ThreadsService) All(ctx context.Context, conversationID string, params *ThreadListParams, opts ...salesiq.CallOption) iter.Seq2[*Thread, error] {
	return iterate[Thread](ctx, s.owner(), "Threads.All", base+"/conversations/{id}/threads", params.query(), threadPages, opts, conversationID)
}

// threadPages is how threads are paged.
var threadPages = PageStyle{Number: "page", Size: "limit", PerPage: 50}

// Get returns one thread by its number. The params may name what to include.
//
//   - Endpoint: GET
//     /api/v2/{screen_name}/conversations/{id}/threads/{thread_number} [V]; scope
//     SalesIQ.conversations.READ.
//   - Source: [V] get-conversation-thread.html.
func (s *ThreadsService) Get(ctx context.Context, conversationID, number string, params *ThreadListParams, opts ...salesiq.CallOption) (*Thread, error) {
	return get[Thread](ctx, s.owner(), "Threads.Get", base+"/conversations/{id}/threads/{thread_number}", params.query(), opts, conversationID, number)
}

// MarshalJSON writes t with its Extra beside the other members.
func (t Thread) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&t) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Thread) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, t) }

// MarshalJSON writes t with its Extra beside the other members.
func (t ThreadMetrics) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&t) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *ThreadMetrics) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, t) }

// MarshalJSON writes t with its Extra beside the other members.
func (t ThreadTimes) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&t) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *ThreadTimes) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, t) }
