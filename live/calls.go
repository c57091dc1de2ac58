package live

import (
	"context"
	"encoding/json"
	"iter"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// CallsService reads about calls: what was spoken instead of written.
type CallsService service

// Call is one audio or video call.
//
// Source: [V] get-calls-list.html.
type Call struct {
	ID            string            `json:"id"`
	Type          string            `json:"type"`   // Such as "audio".
	Status        string            `json:"status"` // Such as "missed" or "ended".
	InitiatedBy   ConversationParty `json:"initiated_by"`
	EndedBy       ConversationParty `json:"ended_by"`
	LastAttender  ConversationParty `json:"last_attender"`
	HasVoiceMail  bool              `json:"voice_message_available"`
	HasRecording  bool              `json:"recording_available"`
	HasTranscript bool              `json:"transcript_available"`
	HasSummary    bool              `json:"summary_available"`
	CreatedAt     time.Time         `json:"created_time"`
	PickedUpAt    time.Time         `json:"pickup_time"`
	ConnectedAt   time.Time         `json:"connected_time"`
	EndedAt       time.Time         `json:"end_time"`
	MissedAt      time.Time         `json:"missed_time"`

	// If asked for; see CallListParams.
	Brand        Ref              `json:"brand"`
	Department   Ref              `json:"department"`
	Conversation CallConversation `json:"conversation"`
	Attachments  json.RawMessage  `json:"attachments"` // Not shown by any page.

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// CallConversation is the conversation that a call belongs to.
//
// Source: [V] get-calls-list.html, conversation.
type CallConversation struct {
	ID           string    `json:"id"`
	ReferenceID  string    `json:"reference_id"`
	Type         string    `json:"type"`
	Status       string    `json:"status"` // A label for people.
	ThreadNumber int       `json:"thread_number"`
	StartedAt    time.Time `json:"in_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// CallListParams narrows a list of calls; zero fields do not. The lists of
// conversations and threads take no ids.
//
// Source: [V] get-calls-list.html, get-conversation-call.html.
type CallListParams struct {
	Include         []string // "brand", "department", "conversation", "attachments".
	Status          string   // An older copy of the page calls it mandatory.
	DepartmentIDs   []string
	AttenderIDs     []string
	BrandIDs        []string
	ConversationIDs []string
	From, To        time.Time
	VisitorType     string // "lead" or "contact".
	Email           string
	SortBy          string // "initiated_time", "pickup_time", "end_time" or "missed_time".
	Order           string // "ascending" or "descending".
	Index           int    // Of the first call, from 0.
	Limit           int    // Per page, up to 10, which is the default.
}

func (p *CallListParams) query() query {
	q := query{}
	if p == nil {
		return q
	}
	q.set("include_fields", strings.Join(p.Include, ","))
	q.set("status", p.Status)
	q.set("department_ids", strings.Join(p.DepartmentIDs, ","))
	q.set("attender_ids", strings.Join(p.AttenderIDs, ","))
	q.set("brand_ids", strings.Join(p.BrandIDs, ","))
	q.set("conversation_ids", strings.Join(p.ConversationIDs, ","))
	q.time("from_time", p.From)
	q.time("to_time", p.To)
	q.set("visitor_type", p.VisitorType)
	q.set("email", p.Email)
	q.set("sort_by", p.SortBy)
	q.set("order", p.Order)
	q.number("index", p.Index)
	q.number("limit", p.Limit)
	return q
}

// callPages is how calls are paged.
var callPages = PageStyle{Index: "index", First: 0, Size: "limit", PerPage: 10}

// List returns one page of calls. A nil params lists all of them.
//
//   - Endpoint: GET /api/v2/{screen_name}/calls [V]; scope SalesIQ.media.READ.
//   - Source: [V] get-calls-list.html.
func (s *CallsService) List(ctx context.Context, params *CallListParams, opts ...salesiq.CallOption) ([]Call, error) {
	return list[Call](ctx, s.owner(), "Calls.List", base+"/calls", params.query(), opts)
}

// All iterates over every call that matches params.
//
// Endpoint, scope and source are those of List.
func (s *CallsService) All(ctx context.Context, params *CallListParams, opts ...salesiq.CallOption) iter.Seq2[*Call, error] {
	return iterate[Call](ctx, s.owner(), "Calls.All", base+"/calls", params.query(), callPages, opts)
}

// OfConversation iterates over the calls of a conversation.
//
//   - Endpoint: GET /api/v2/{screen_name}/conversations/{id}/calls [V]; scope
//     SalesIQ.media.READ.
//   - Source: [V] get-conversation-call.html.
func (s *CallsService) OfConversation(ctx context.Context, conversationID string, params *CallListParams, opts ...salesiq.CallOption) iter.Seq2[*Call, error] {
	return iterate[Call](ctx, s.owner(), "Calls.OfConversation", base+"/conversations/{id}/calls", params.query(), callPages, opts, conversationID)
}

// OfThread iterates over the calls of a thread of a conversation.
//
//   - Endpoint: GET
//     /api/v2/{screen_name}/conversations/{id}/threads/{thread_number}/calls [V];
//     scope SalesIQ.media.READ.
//   - Source: [V] get-thread-call.html.
func (s *CallsService) OfThread(ctx context.Context, conversationID, threadNumber string, params *CallListParams, opts ...salesiq.CallOption) iter.Seq2[*Call, error] {
	path := base + "/conversations/{id}/threads/{thread_number}/calls"
	return iterate[Call](ctx, s.owner(), "Calls.OfThread", path, params.query(), callPages, opts, conversationID, threadNumber)
}

// MarshalJSON writes c with its Extra beside the other members.
func (c Call) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *Call) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }

// MarshalJSON writes c with its Extra beside the other members.
func (c CallConversation) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *CallConversation) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }
