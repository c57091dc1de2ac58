package live

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// ConversationsService handles conversations, which are what the specification
// calls chats.
type ConversationsService service

// Conversation is one conversation between a visitor and operators.
//
// Source: [V] get-conversation-details-v2.html, close-chat-v2.html.
type Conversation struct {
	ID           string              `json:"id"`           // What paths want.
	ReferenceID  string              `json:"reference_id"` // What the operators' pages show, such as 282.
	ChatID       string              `json:"chat_id"`
	Type         string              `json:"type"`
	Question     string              `json:"question"`
	Status       string              `json:"status"` // A label for people, such as "Attended Online".
	ChatStatus   ConversationState   `json:"chat_status"`
	Visitor      ConversationParty   `json:"visitor"`    // [I]: the pages name it among the fields.
	Department   ConversationParty   `json:"department"` // [I]: the pages name it among the fields.
	Owner        ConversationParty   `json:"owner"`
	Attender     ConversationParty   `json:"attender"`
	Supervisors  []ConversationParty `json:"supervisors"`
	Participants []ConversationParty `json:"participants"`
	AppID        string              `json:"app_id"`
	AppName      string              `json:"app_name"`
	StartedAt    time.Time           `json:"start_time"`
	AttendedAt   time.Time           `json:"attended_time"` // Zero while nobody has attended.
	MissedAt     time.Time           `json:"missed_time"`   // Zero unless it was missed.
	EndedAt      time.Time           `json:"end_time"`      // Zero while it goes on.
	ModifiedAt   time.Time           `json:"last_modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ConversationState is where a conversation stands.
//
// Source: [V] get-conversation-details-v2.html, chat_status.
type ConversationState struct {
	State     int                `json:"state"`
	StateKey  ConversationStatus `json:"state_key"`
	Status    int                `json:"status_code"`
	StatusKey ConversationStatus `json:"status_key"`
	Label     string             `json:"label"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ConversationParty is who or what a conversation is with: a visitor, an
// operator, a bot or a department.
//
// Source: [V] get-conversation-details-v2.html, owner, attender, supervisors.
type ConversationParty struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	IsBot bool   `json:"is_bot"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ConversationStatus selects conversations. The service may add others.
type ConversationStatus string

// The statuses of get-conversation-list-details-v2.html. [V].
const (
	Open      ConversationStatus = "open"
	Closed    ConversationStatus = "closed"
	Waiting   ConversationStatus = "waiting"
	Connected ConversationStatus = "connected"
	Missed    ConversationStatus = "missed"
	Ended     ConversationStatus = "end"
)

// ConversationListParams narrows a list of conversations; zero fields do not.
//
// Source: [V] get-conversation-list-details-v2.html.
type ConversationListParams struct {
	Status       ConversationStatus
	DepartmentID string // The operator's current department by default.
	AttenderID   string // Of an operator.
	AppID        string
	Email        string    // Of the visitor.
	VisitorType  string    // "lead" or "contact".
	From, To     time.Time // Of the start.
	UpdatedFrom  time.Time
	UpdatedTo    time.Time
	SortBy       string // "in_time", "end_time" or "updated_time".
	Page         int    // First page; 1 by default.
	Limit        int    // Per page, up to 99; 20 by default, and 99 for All.
}

func (p *ConversationListParams) query() query {
	q := query{}
	if p == nil {
		return q
	}
	q.set("status", string(p.Status))
	q.set("department_id", p.DepartmentID)
	q.set("attender_id", p.AttenderID)
	q.set("app_id", p.AppID)
	q.set("email", p.Email)
	q.set("visitor_type", p.VisitorType)
	q.time("from_time", p.From)
	q.time("to_time", p.To)
	q.time("updated_from_time", p.UpdatedFrom)
	q.time("updated_till_time", p.UpdatedTo)
	q.set("sort_by", p.SortBy)
	q.number("page", p.Page)
	q.number("limit", p.Limit)
	return q
}

// List returns one page of conversations. A nil params lists all of them.
//
//   - Endpoint: GET /api/v2/{screen_name}/conversations; scope
//     SalesIQ.conversations.READ.
//   - Source: [V] get-conversation-list-details-v2.html.
func (s *ConversationsService) List(ctx context.Context, params *ConversationListParams, opts ...salesiq.CallOption) ([]Conversation, error) {
	return list[Conversation](ctx, s.client, base+"/conversations", params.query(), call(opts, "Conversations.List")...)
}

// All iterates over every conversation that matches params, page by page.
//
// Endpoint, scope and source are those of List.
func (s *ConversationsService) All(ctx context.Context, params *ConversationListParams, opts ...salesiq.CallOption) iter.Seq2[*Conversation, error] {
	return All[Conversation](ctx, s.client, base+"/conversations", params.query(), PageAndLimit(), call(opts, "Conversations.All")...)
}

// Get returns one conversation.
//
//   - Endpoint: GET /api/v2/{screen_name}/conversations/{id}; scope
//     SalesIQ.conversations.READ.
//   - Errors: [salesiq.ErrResourceNotFound].
//   - Source: [V] get-conversation-details-v2.html.
func (s *ConversationsService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*Conversation, error) {
	return Get[Conversation](ctx, s.client, base+"/conversations/{id}", nil, call(opts, "Conversations.Get", id)...)
}

// Message is one line of a conversation.
//
// Source: [V] get-chat-transcripts-conversation-v2.html.
type Message struct {
	SequenceID string            `json:"sequence_id"`
	Sender     ConversationParty `json:"sender"`
	Type       string            `json:"type"`    // Such as "text".
	Text       string            `json:"message"` // Empty for what has no text, such as media.
	At         time.Time         `json:"time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// MessageListParams narrows a list of messages; zero fields do not. With To and
// without From, the newest come first.
//
// Source: [V] get-chat-transcripts-conversation-v2.html.
type MessageListParams struct {
	From, To time.Time
	Limit    int // 20 by default.
}

// Messages returns messages of a conversation. A nil params returns the first
// ones.
//
//   - Endpoint: GET /api/v2/{screen_name}/conversations/{id}/messages; scope
//     SalesIQ.conversations.READ.
//   - Source: [V] get-chat-transcripts-conversation-v2.html.
func (s *ConversationsService) Messages(ctx context.Context, id string, params *MessageListParams, opts ...salesiq.CallOption) ([]Message, error) {
	q := query{}
	if params != nil {
		q.time("from_time", params.From)
		q.time("to_time", params.To)
		q.number("limit", params.Limit)
	}
	return list[Message](ctx, s.client, base+"/conversations/{id}/messages", q, call(opts, "Conversations.Messages", id)...)
}

// Send writes a text into a conversation as the signed-in operator. It is never
// sent twice. The Message is a zero one where the service answers without it.
//
//   - Endpoint: POST /api/v2/{screen_name}/conversations/{id}/messages; scope
//     SalesIQ.conversations.CREATE.
//   - Source: [V] send-message-operator-conversation-v2.html.
func (s *ConversationsService) Send(ctx context.Context, id, text string, opts ...salesiq.CallOption) (*Message, error) {
	in := map[string]string{"text": text}
	return Post[Message](ctx, s.client, base+"/conversations/{id}/messages", in, call(opts, "Conversations.Send", id)...)
}

// Transfer says who takes a conversation over.
//
// Source: [V] rest-api-transfer-chat-v2.html.
type Transfer struct {
	DepartmentID string `json:"department_id"` // Required.
	OperatorID   string `json:"operator_id,omitzero"`
	Note         string `json:"note,omitzero"` // The page also writes notes.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// Transfer hands a conversation over. The Conversation is a zero one where the
// service answers without it.
//
//   - Endpoint: PUT /api/v2/{screen_name}/conversations/{id}/transfer; scope
//     SalesIQ.conversations.UPDATE.
//   - Errors: [salesiq.ErrInvalidDepartment], [salesiq.ErrOperatorOffline].
//   - Source: [V] rest-api-transfer-chat-v2.html.
func (s *ConversationsService) Transfer(ctx context.Context, id string, to *Transfer, opts ...salesiq.CallOption) (*Conversation, error) {
	return Put[Conversation](ctx, s.client, base+"/conversations/{id}/transfer", to, call(opts, "Conversations.Transfer", id)...)
}

// Close ends a conversation. The Conversation is a zero one where the service
// answers without it.
//
//   - Endpoint: PUT /api/v2/{screen_name}/conversations/{id}/close; scope
//     SalesIQ.conversations.UPDATE.
//   - Source: [V] close-chat-v2.html; [I] for the method.
func (s *ConversationsService) Close(ctx context.Context, id string, opts ...salesiq.CallOption) (*Conversation, error) {
	return Put[Conversation](ctx, s.client, base+"/conversations/{id}/close", nil, call(opts, "Conversations.Close", id)...)
}

// Tag gives a conversation the tags with these ids.
//
//   - Endpoint: PUT /api/v2/{screen_name}/conversations/{id}/tags; scope
//     SalesIQ.conversations.UPDATE.
//   - Source: [T] a published webhook service.
func (s *ConversationsService) Tag(ctx context.Context, id string, tagIDs []string, opts ...salesiq.CallOption) error {
	in := map[string][]string{"ids": tagIDs}
	_, err := Put[any](ctx, s.client, base+"/conversations/{id}/tags", in, call(opts, "Conversations.Tag", id)...)
	return err
}

// MarshalJSON writes c with its Extra beside the other members.
func (c Conversation) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *Conversation) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }

// MarshalJSON writes c with its Extra beside the other members.
func (c ConversationState) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *ConversationState) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }

// MarshalJSON writes c with its Extra beside the other members.
func (c ConversationParty) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *ConversationParty) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }

// MarshalJSON writes m with its Extra beside the other members.
func (m Message) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&m) }

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Message) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, m) }

// MarshalJSON writes t with its Extra beside the other members.
func (t Transfer) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&t) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Transfer) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, t) }
