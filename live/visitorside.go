package live

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// VisitorSideService does what a visitor does in the widget, for teams with a chat
// window of their own: it opens a conversation, writes, rates. Its calls need the
// token of an organization's client, for which an administrator consents under
// /oauth/v2/org/auth; a user's token is refused with 1009.
//
// What operators answer arrives by webhook.
type VisitorSideService service

// VisitorSideV2Service is version 2 of [VisitorSideService], as far as pages
// describe it.
type VisitorSideV2Service service

// VisitorIdentity tells who a visitor is, in requests of the visitor's side.
//
// Source: [V] open-conversation-v1.html, create-conversations-visitor-v2.html.
type VisitorIdentity struct {
	UserID        string `json:"user_id,omitzero"` // Required, but for Reopen; any unique value.
	Name          string `json:"name,omitzero"`
	Email         string `json:"email,omitzero"`
	Phone         string `json:"phone,omitzero"`
	AVUID         string `json:"avuid,omitzero"` // A UUID, by which a visitor's list is filtered; version 1 only.
	CVUID         string `json:"cvuid,omitzero"` // As AVUID.
	Platform      string `json:"platform,omitzero"`
	CurrentPage   string `json:"current_page,omitzero"`
	PageTitle     string `json:"page_title,omitzero"`
	CountryCode   string `json:"country_code,omitzero"`
	TimeZone      string `json:"local_time_zone,omitzero"`
	CookieEnabled bool   `json:"cookie_enabled,omitzero"`
	Screen        string `json:"screen,omitzero"`
	Referrer      string `json:"referrer,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// VisitorConversation is a conversation, as its visitor sees it.
//
// Source: [V] reopen-chat.html, rest-api-conversation-visitor-close-v2.html,
// update-visitor-info.html.
type VisitorConversation struct {
	ID             string              `json:"id"` // Encrypted: "siq" and hex digits.
	WMSChatID      string              `json:"wms_chat_id"`
	ChatID         string              `json:"chat_id"`
	ReferenceID    string              `json:"reference_id"`
	Question       string              `json:"question"`
	Unread         bool                `json:"unread_chats"`
	TimeDifference Milliseconds        `json:"time_difference"`
	Attender       ConversationParty   `json:"attender"`
	Department     Ref                 `json:"department"`
	Visitor        ConversationVisitor `json:"visitor"`
	ChatStatus     ConversationState   `json:"chat_status"`
	StartedAt      time.Time           `json:"start_time"`
	AttendedAt     time.Time           `json:"attended_time"`
	EndedAt        time.Time           `json:"end_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// VisitorOpen describes a conversation that a visitor begins.
//
// Source: [V] open-conversation-v1.html, create-conversations-visitor-v2.html.
type VisitorOpen struct {
	Visitor      VisitorIdentity   `json:"visitor"` // Required: its UserID.
	AppID        string            `json:"app_id"`  // Required.
	DepartmentID string            `json:"department_id"`
	Question     string            `json:"question"` // Required.
	CustomerInfo map[string]string `json:"customer_info,omitzero"`
	WaitTime     Milliseconds      `json:"custom_wait_time,omitzero"` // Up to 999 in version 2, which does not name the unit; [T] for version 1.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *VisitorOpen) validate() error {
	return required("visitor.user_id", p.Visitor.UserID, "app_id", p.AppID, "department_id", p.DepartmentID, "question", p.Question)
}

// Open begins a conversation. All of the fields but CustomerInfo and WaitTime are
// required. It is never sent twice.
//
//   - Endpoint: POST /api/visitor/v1/{screen_name}/conversations [V]; scope
//     SalesIQ.conversations.CREATE.
//   - Source: [V] open-conversation-v1.html, which is cut; [I] that the answer is
//     that of Reopen.
func (s *VisitorSideService) Open(ctx context.Context, conversation *VisitorOpen, opts ...salesiq.CallOption) (*VisitorConversation, error) {
	return call[VisitorConversation](ctx, s.owner(), "VisitorSide.Open", http.MethodPost, visitorBase+"/conversations", conversation, opts)
}

// VisitorReopen describes a conversation that a visitor takes up again. The page
// lists the visitor's fields flat, and its sample nests them, as is done here.
//
// Source: [V] reopen-chat.html.
type VisitorReopen struct {
	Message string          `json:"message"` // Required.
	Visitor VisitorIdentity `json:"visitor"` // Its CookieEnabled, Platform, TimeZone, PageTitle, CurrentPage and Referrer.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *VisitorReopen) validate() error { return required("message", p.Message) }

// Reopen takes a conversation up again. The ID of the answer is a new one. It is
// never sent twice.
//
//   - Endpoint: POST /api/visitor/v1/{screen_name}/conversations/{id}/reopen [V];
//     scope SalesIQ.conversations.CREATE.
//   - Source: [V] reopen-chat.html.
func (s *VisitorSideService) Reopen(ctx context.Context, id string, reopen *VisitorReopen, opts ...salesiq.CallOption) (*VisitorConversation, error) {
	return call[VisitorConversation](ctx, s.owner(), "VisitorSide.Reopen", http.MethodPost, visitorBase+"/conversations/{id}/reopen", reopen, opts, id)
}

// Send writes a text into a conversation as its visitor. It is never sent twice.
// The Message is a zero one where the service answers without it.
//
//   - Endpoint: POST /api/visitor/v1/{screen_name}/conversations/{id}/messages [S];
//     scope SalesIQ.conversations.CREATE.
//   - Source: [V] send-message-visitor-conversation-v2.html, which shows no answer.
func (s *VisitorSideService) Send(ctx context.Context, id, text string, opts ...salesiq.CallOption) (*Message, error) {
	return call[Message](ctx, s.owner(), "VisitorSide.Send", http.MethodPost, visitorBase+"/conversations/{id}/messages", said{text}, opts, id)
}

// VisitorSideUpdate changes what is known of a visitor; fields left zero stay as
// they are.
//
// Source: [V] update-visitor-info.html.
type VisitorSideUpdate struct {
	LastName salesiq.Opt[string] `json:"last_name,omitzero"`
	Email    salesiq.Opt[string] `json:"email,omitzero"`
	Phone    salesiq.Opt[string] `json:"phone,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// Update changes what is known of the visitor of a conversation.
//
//   - Endpoint: PUT /api/visitor/v1/{screen_name}/conversations/{id}/visitor [V];
//     scope SalesIQ.conversations.UPDATE.
//   - Source: [V] update-visitor-info.html.
func (s *VisitorSideService) Update(ctx context.Context, id string, update *VisitorSideUpdate, opts ...salesiq.CallOption) (*VisitorConversation, error) {
	return call[VisitorConversation](ctx, s.owner(), "VisitorSide.Update", http.MethodPut, visitorBase+"/conversations/{id}/visitor", update, opts, id)
}

// Smiley is a visitor's verdict on a conversation.
type Smiley string

// The verdicts of create-feedback-v2.html. [V].
const (
	Happy   Smiley = "happy"
	Neutral Smiley = "neutral"
	Sad     Smiley = "sad"
)

// Rate tells what the visitor thinks of a conversation, in up to 2,048 characters.
//
//   - Endpoint: POST /api/visitor/v1/{screen_name}/conversations/{id}/feedback [V];
//     scope SalesIQ.conversations.CREATE.
//   - Source: [V] create-feedback-v2.html, which promises no answer.
func (s *VisitorSideService) Rate(ctx context.Context, id string, rating Smiley, feedback string, opts ...salesiq.CallOption) error {
	body := verdict{rating, feedback}
	return send(ctx, s.owner(), "VisitorSide.Rate", http.MethodPost, visitorBase+"/conversations/{id}/feedback", body, opts, id)
}

type verdict struct {
	Rating   Smiley `json:"rating"`
	Feedback string `json:"feedback,omitzero"`
}

func (v verdict) validate() error {
	if len([]rune(v.Feedback)) > 2048 {
		return inputError("", "feedback", "must have at most 2,048 characters")
	}
	return required("rating", string(v.Rating))
}

// Open begins a conversation. It is never sent twice.
//
//   - Endpoint: POST /visitor/v2/{screen_name}/conversations [I]; the page names no
//     scope.
//   - Source: [V] create-conversations-visitor-v2.html; [I] that the visitor is
//     nested, and that the answer is that of Close.
func (s *VisitorSideV2Service) Open(ctx context.Context, conversation *VisitorOpen, opts ...salesiq.CallOption) (*VisitorConversation, error) {
	return call[VisitorConversation](ctx, s.owner(), "VisitorSideV2.Open", http.MethodPost, visitorBaseV2+"/conversations", conversation, opts)
}

// VisitorMessage is what a visitor leaves while nobody is there.
//
// Source: [V] rest-api-conversation-leave-message-v2.html.
type VisitorMessage struct {
	Visitor      VisitorIdentity   `json:"visitor"`       // Required: its UserID.
	AppID        string            `json:"app_id"`        // Required.
	DepartmentID string            `json:"department_id"` // Required.
	Message      string            `json:"message"`       // Required.
	CustomerInfo map[string]string `json:"customer_info,omitzero"`
	AttenderID   string            `json:"attender_id,omitzero"` // Who is to own the missed conversation.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *VisitorMessage) validate() error {
	return required("visitor.user_id", p.Visitor.UserID, "app_id", p.AppID, "department_id", p.DepartmentID, "message", p.Message)
}

// LeaveMessage leaves a message while operators are offline. It is never sent twice.
//
//   - Endpoint: POST /visitor/v2/{screen_name}/conversations/leavemessage [I]; the
//     page names no scope.
//   - Source: [V] rest-api-conversation-leave-message-v2.html, which shows no answer.
func (s *VisitorSideV2Service) LeaveMessage(ctx context.Context, message *VisitorMessage, opts ...salesiq.CallOption) (*VisitorConversation, error) {
	return call[VisitorConversation](ctx, s.owner(), "VisitorSideV2.LeaveMessage", http.MethodPost, visitorBaseV2+"/conversations/leavemessage", message, opts)
}

// Close ends a conversation as its visitor. The ID of the answer is not that of the
// path.
//
//   - Endpoint: PUT /visitor/v2/{screen_name}/conversations/{id}/close [I]; the page
//     names no scope.
//   - Source: [V] rest-api-conversation-visitor-close-v2.html.
func (s *VisitorSideV2Service) Close(ctx context.Context, id string, opts ...salesiq.CallOption) (*VisitorConversation, error) {
	return call[VisitorConversation](ctx, s.owner(), "VisitorSideV2.Close", http.MethodPut, visitorBaseV2+"/conversations/{id}/close", nil, opts, id)
}

// MarshalJSON writes v with its Extra beside the other members.
func (v VisitorIdentity) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&v) }

// UnmarshalJSON reads what MarshalJSON writes.
func (v *VisitorIdentity) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, v) }

// MarshalJSON writes v with its Extra beside the other members.
func (v VisitorConversation) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&v) }

// UnmarshalJSON reads what MarshalJSON writes.
func (v *VisitorConversation) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, v) }

// MarshalJSON writes p with its Extra beside the other members.
func (p VisitorOpen) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *VisitorOpen) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes p with its Extra beside the other members.
func (p VisitorReopen) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *VisitorReopen) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes v with its Extra beside the other members.
func (v VisitorSideUpdate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&v) }

// UnmarshalJSON reads what MarshalJSON writes.
func (v *VisitorSideUpdate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, v) }

// MarshalJSON writes p with its Extra beside the other members.
func (p VisitorMessage) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *VisitorMessage) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }
