package live

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// ConversationsService handles conversations, which are what the specification
// calls chats. What is said in them is with [MessagesService].
type ConversationsService service

// Conversation is one conversation between a visitor and operators.
//
// Source: [V] get-conversation-details-v2.html, pickup-chat-v2.html,
// close-chat-v2.html.
type Conversation struct {
	ID           string              `json:"id"`           // What paths want.
	ReferenceID  string              `json:"reference_id"` // What the operators' pages show, such as 282.
	ChatID       string              `json:"chat_id"`
	Type         string              `json:"type"` // "chat" or "call".
	Question     string              `json:"question"`
	Status       string              `json:"status"` // A label for people, such as "Attended Online".
	StatusCode   int                 `json:"status_code"`
	ChatStatus   ConversationState   `json:"chat_status"`
	Visitor      ConversationVisitor `json:"visitor"`
	VisitID      string              `json:"uvid"` // A UUID and a number.
	Department   Ref                 `json:"department"`
	Owner        ConversationParty   `json:"owner"`
	Attender     ConversationParty   `json:"attender"`
	Supervisors  []ConversationParty `json:"supervisors"`
	Participants []ConversationParty `json:"participants"`
	AppID        string              `json:"app_id"`
	AppName      string              `json:"app_name"`
	Tags         []Tag               `json:"tags"`          // [I].
	CustomerInfo map[string]string   `json:"customer_info"` // [I]: what UpdateCustomerInfo has added.
	Unread       bool                `json:"unread_chats"`
	HasNotes     bool                `json:"notes"`
	LastMessage  Message             `json:"last_message_info"` // Its sequence id, sender, type and text, where it is known.
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
	ID        string             `json:"id"`
	State     int                `json:"state"`
	StateKey  ConversationStatus `json:"state_key"`
	Status    int                `json:"status_code"`
	StatusKey ConversationStatus `json:"status_key"`
	Label     string             `json:"label"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ConversationParty is who takes part in a conversation: an operator or a bot.
//
// Source: [V] get-conversation-details-v2.html, owner, attender, supervisors.
type ConversationParty struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Email       string `json:"email"`
	Type        string `json:"type"` // "operator", "bot" or "visitor", where the answer says it.
	IsBot       bool   `json:"is_bot"`
	CallEnabled bool   `json:"call_enabled"`
	AboutMe     string `json:"aboutme"`
	ImageKey    string `json:"image_key"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ConversationVisitor is with whom a conversation is.
//
// Source: [V] get-conversation-details-v2.html and update-visitor-info.html,
// visitor.
type ConversationVisitor struct {
	ID                  string         `json:"id"`
	UserID              string         `json:"user_id"` // A dollar sign and digits.
	Name                string         `json:"name"`
	Email               string         `json:"email"`
	Phone               string         `json:"phone"`
	Type                string         `json:"type"` // "contact" or "lead".
	IP                  string         `json:"ip"`   // Masked.
	CountryCode         string         `json:"country_code"`
	ChannelName         string         `json:"channel_name"`
	Channel             VisitorChannel `json:"channel_details"`
	SupportedOperations []string       `json:"supported_operations"` // Such as "file_share".

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// VisitorChannel is how a visitor writes.
//
// Source: [V] update-visitor-info.html, channel_details.
type VisitorChannel struct {
	Channel string `json:"channel"`
	Source  string `json:"source"`

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
// Source: [V] get-conversation-list-details-v2.html; [T] for ReferenceIDs and
// SortOrder.
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
	ReferenceIDs []string
	Fields       []string // Members of the answer; all by default.
	SortBy       string   // "in_time", "end_time" or "updated_time".
	SortOrder    string   // "ascending" or "descending".
	Page         int      // First page; 1 by default.
	Limit        int      // Per page, up to 99; 20 by default, and 99 for All.
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
	q.set("reference_ids", strings.Join(p.ReferenceIDs, ","))
	q.set("fields", strings.Join(p.Fields, ","))
	q.set("sort_by", p.SortBy)
	q.set("sort_order", p.SortOrder)
	q.number("page", p.Page)
	q.number("limit", p.Limit)
	return q
}

// List returns one page of conversations. A nil params lists all of them.
//
//   - Endpoint: GET /api/v2/{screen_name}/conversations [V]; scope
//     SalesIQ.conversations.READ.
//   - Source: [V] get-conversation-list-details-v2.html.
func (s *ConversationsService) List(ctx context.Context, params *ConversationListParams, opts ...salesiq.CallOption) ([]Conversation, error) {
	return list[Conversation](ctx, s.owner(), "Conversations.List", base+"/conversations", params.query(), opts)
}

// All iterates over every conversation that matches params, page by page. A third
// party reports pages by index and limit; page and limit are what the vendor
// writes, and what All uses.
//
// Endpoint, scope and source are those of List.
func (s *ConversationsService) All(ctx context.Context, params *ConversationListParams, opts ...salesiq.CallOption) iter.Seq2[*Conversation, error] {
	return iterate[Conversation](ctx, s.owner(), "Conversations.All", base+"/conversations", params.query(), PageAndLimit(), opts)
}

// Get returns one conversation.
//
//   - Endpoint: GET /api/v2/{screen_name}/conversations/{id} [S]; scope
//     SalesIQ.conversations.READ.
//   - Errors: [salesiq.ErrResourceNotFound].
//   - Source: [V] get-conversation-details-v2.html.
func (s *ConversationsService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*Conversation, error) {
	return get[Conversation](ctx, s.owner(), "Conversations.Get", base+"/conversations/{id}", nil, opts, id)
}

// UpdateCustomerInfo adds custom fields to a conversation. The keys name, email and
// phone make new fields, too: they do not change the visitor.
//
//   - Endpoint: PUT /api/v2/{screen_name}/conversations/{id} [V]; scope
//     SalesIQ.conversations.UPDATE.
//   - Source: [V] update-visitor-custom-info-v2.html.
func (s *ConversationsService) UpdateCustomerInfo(ctx context.Context, id string, info map[string]string, opts ...salesiq.CallOption) (*Conversation, error) {
	body := customerInfo{info}
	return call[Conversation](ctx, s.owner(), "Conversations.UpdateCustomerInfo", http.MethodPut, base+"/conversations/{id}", body, opts, id)
}

type customerInfo struct {
	Info map[string]string `json:"customer_info"`
}

func (c customerInfo) validate() error {
	if len(c.Info) == 0 {
		return inputError("", "customer_info", "is required")
	}
	return nil
}

// Pickup makes the signed-in operator the owner and attender of a conversation.
//
//   - Endpoint: PUT /api/v2/{screen_name}/conversations/{id}/pickup [S]; scope
//     SalesIQ.conversations.UPDATE.
//   - Source: [V] pickup-chat-v2.html.
func (s *ConversationsService) Pickup(ctx context.Context, id string, opts ...salesiq.CallOption) (*Conversation, error) {
	return call[Conversation](ctx, s.owner(), "Conversations.Pickup", http.MethodPut, base+"/conversations/{id}/pickup", nil, opts, id)
}

// Transfer says who takes a conversation over: the operator within the department,
// or, without one, anybody in it.
//
// Source: [V] rest-api-transfer-chat-v2.html.
type Transfer struct {
	DepartmentID string `json:"department_id"` // Required.
	OperatorID   string `json:"operator_id,omitzero"`
	Note         string `json:"note,omitzero"` // So in the page's sample; its text says notes.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (t *Transfer) validate() error { return required("department_id", t.DepartmentID) }

// Transfer hands a conversation over. The Conversation is a zero one where the
// service answers without it. A conversation of a bot's preview, whose id begins
// with "botpreview_", cannot be transferred.
//
//   - Endpoint: PUT /api/v2/{screen_name}/conversations/{id}/transfer [V]; scope
//     SalesIQ.conversations.UPDATE.
//   - Errors: [salesiq.ErrInvalidDepartment], [salesiq.ErrOperatorOffline].
//   - Source: [V] rest-api-transfer-chat-v2.html, which shows no answer.
func (s *ConversationsService) Transfer(ctx context.Context, id string, to *Transfer, opts ...salesiq.CallOption) (*Conversation, error) {
	return call[Conversation](ctx, s.owner(), "Conversations.Transfer", http.MethodPut, base+"/conversations/{id}/transfer", to, opts, id)
}

// AcceptTransfer takes a conversation over that was handed to an operator. The ID
// of the answer need not be that of the path.
//
//   - Endpoint: PUT /api/v2/{screen_name}/conversations/{id}/accept [I]; the page
//     names no scope.
//   - Source: [V] rest-api-accept-transfer-chat-v2.html.
func (s *ConversationsService) AcceptTransfer(ctx context.Context, id, operatorID string, opts ...salesiq.CallOption) (*Conversation, error) {
	return call[Conversation](ctx, s.owner(), "Conversations.AcceptTransfer", http.MethodPut, base+"/conversations/{id}/accept", byOperator{operatorID}, opts, id)
}

// RejectTransfer refuses a conversation that was handed to an operator.
//
//   - Endpoint: PUT /api/v2/{screen_name}/conversations/{id}/reject [I]; the page
//     names no scope.
//   - Source: [V] rest-api-reject-transfer-chat-v2.html, which shows no answer.
func (s *ConversationsService) RejectTransfer(ctx context.Context, id, operatorID string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "Conversations.RejectTransfer", http.MethodPut, base+"/conversations/{id}/reject", byOperator{operatorID}, opts, id)
}

type byOperator struct {
	OperatorID string `json:"operator_id"`
}

func (b byOperator) validate() error { return required("operator_id", b.OperatorID) }

// Close ends a conversation. The Conversation is a zero one where the service
// answers without it.
//
//   - Endpoint: PUT /api/v2/{screen_name}/conversations/{id}/close [S]; scope
//     SalesIQ.conversations.UPDATE. One published caller sends POST.
//   - Source: [V] close-chat-v2.html.
func (s *ConversationsService) Close(ctx context.Context, id string, opts ...salesiq.CallOption) (*Conversation, error) {
	return call[Conversation](ctx, s.owner(), "Conversations.Close", http.MethodPut, base+"/conversations/{id}/close", nil, opts, id)
}

// Channel is where a conversation took place. The service may add others.
type Channel string

// The channels of delete-chat.html. [V].
const (
	ChannelWebsite        Channel = "website"
	ChannelIOS            Channel = "ios"
	ChannelAndroid        Channel = "android"
	ChannelEmailSignature Channel = "emailsignature"
)

// Delete moves conversations of one channel into the recycle bin, which keeps them
// for 90 days.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/conversations [V]; scope
//     SalesIQ.conversations.DELETE; header X-SIQ-Channel.
//   - Source: [V] delete-chat.html, which shows no answer.
func (s *ConversationsService) Delete(ctx context.Context, channel Channel, conversationIDs []string, opts ...salesiq.CallOption) error {
	opts = append([]salesiq.CallOption{salesiq.WithHeader("X-SIQ-Channel", string(channel))}, opts...)
	return send(ctx, s.owner(), "Conversations.Delete", http.MethodDelete, base+"/conversations", numericIDs{conversationIDs}, opts)
}

// numericIDs is the body of a call that takes ids as numbers.
type numericIDs struct {
	ids []string
}

func (n numericIDs) validate() error { return required("ids", strings.Join(n.ids, "")) }

// MarshalJSON returns the ids with every digit. One that is no number stays a text.
func (n numericIDs) MarshalJSON() ([]byte, error) {
	type numbers struct {
		IDs []any `json:"ids"`
	}
	var body numbers
	for _, id := range n.ids {
		if id == "" || strings.Trim(id, "0123456789") != "" {
			body.IDs = append(body.IDs, id)
		} else {
			body.IDs = append(body.IDs, json.Number(id))
		}
	}
	return json.Marshal(body)
}

// ConversationInsight is what is known about a conversation and how its visitor came.
//
// Source: [V] get-visitor-info-v2.html, which is cut: the rest is in Extra.
type ConversationInsight struct {
	Details  ConversationDetails `json:"conversation_details"`
	Tracking VisitTracking       `json:"tracking_details"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ConversationDetails is a part of [ConversationInsight].
type ConversationDetails struct {
	ChatID         string                     `json:"chat_id"`
	VisitID        string                     `json:"visit_id"`
	DepartmentName string                     `json:"department_name"`
	AttenderName   string                     `json:"attender_name"`
	Feedback       int                        `json:"feedback"`
	AddInfo        map[string]json.RawMessage `json:"add_info"`
	Participants   []string                   `json:"participants"` // Ids.

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// VisitTracking is a part of [ConversationInsight].
type VisitTracking struct {
	// Source is 1 for direct, 2 for a referral, 3 for a search engine, 4 for a
	// campaign, 5 for Google Ads, 6 for social media, 7 for a Facebook ad, and 8
	// for a Bing ad.
	Source int `json:"source"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// Visitor returns what is known about a conversation and its visitor. The parts are
// asked for by name: "trackinginfo", "moreinfo".
//
//   - Endpoint: GET /api/v2/{screen_name}/conversations/{id}/visitor [S]; scope
//     SalesIQ.conversations.READ.
//   - Source: [V] get-visitor-info-v2.html.
func (s *ConversationsService) Visitor(ctx context.Context, id string, parts []string, opts ...salesiq.CallOption) (*ConversationInsight, error) {
	q := query{}
	q.set("include", strings.Join(parts, ","))
	return get[ConversationInsight](ctx, s.owner(), "Conversations.Visitor", base+"/conversations/{id}/visitor", q, opts, id)
}

// Export asks for the messages of a conversation as JSON. What the service answers
// is not published, so it is returned as it is.
//
//   - Endpoint: POST /api/v2/{screen_name}/conversations/{id}/export [T]; no scope
//     is published.
//   - Source: [T] a published exporter.
func (s *ConversationsService) Export(ctx context.Context, id string, opts ...salesiq.CallOption) (*json.RawMessage, error) {
	body := map[string]string{"data": "messages", "format": "json"}
	return call[json.RawMessage](ctx, s.owner(), "Conversations.Export", http.MethodPost, base+"/conversations/{id}/export", body, opts, id)
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

// MarshalJSON writes t with its Extra beside the other members.
func (t Transfer) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&t) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Transfer) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, t) }

// MarshalJSON writes c with its Extra beside the other members.
func (c ConversationVisitor) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *ConversationVisitor) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }

// MarshalJSON writes c with its Extra beside the other members.
func (c ConversationInsight) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *ConversationInsight) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }

// MarshalJSON writes c with its Extra beside the other members.
func (c ConversationDetails) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *ConversationDetails) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }

// MarshalJSON writes v with its Extra beside the other members.
func (v VisitTracking) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&v) }

// UnmarshalJSON reads what MarshalJSON writes.
func (v *VisitTracking) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, v) }
