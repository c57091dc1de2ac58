package live

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// EventConversation is what events tell of a conversation. [Conversation], which the
// calls return, has other names for some of it.
//
// Source: [V] webhook-events-conversation.html, workflows-module-conversation.html; [T]
// the schema of a published integration; [L] for URL, ThreadNumber, Company,
// CustomerInfo and Meta.
type EventConversation struct {
	// ID is what the calls take. If the entity has none, as in conversation.rated, it is
	// EntityID of the envelope, or ConversationID where there is no envelope.
	ID                    string        `json:"id"`
	ConversationID        string        `json:"conversation_id"`         // Not in all events.
	VisitorConversationID string        `json:"visitor_conversation_id"` // What [VisitorSideService] takes.
	ReferenceID           string        `json:"reference_id"`            // What the operators' pages show, such as 282.
	Question              string        `json:"question"`
	Status                string        `json:"status"` // A label for people, such as "Attended Online".
	ChatStatus            EventState    `json:"chat_status"`
	AppID                 string        `json:"app_id"`
	DepartmentID          string        `json:"department_id"`
	Visitor               EventVisitor  `json:"visitor"`
	Owner                 *EventPerson  `json:"owner"`        // Nil while nobody has attended.
	Supervisors           []string      `json:"supervisors"`  // Ids.
	Participants          []string      `json:"participants"` // Ids.
	URL                   string        `json:"chat_initiated_url"`
	ThreadNumber          int           `json:"thread_number"`
	Company               *EventCompany `json:"company"`
	OpenedAt              time.Time     `json:"opened_time"`
	AttendedAt            time.Time     `json:"attended_time"` // Zero while nobody has attended.
	MissedAt              time.Time     `json:"missed_time"`   // Zero unless it was missed.
	EndedAt               time.Time     `json:"end_time"`      // Zero while it goes on.

	CustomerInfo map[string]json.RawMessage `json:"customer_info"`
	Meta         json.RawMessage            `json:"_meta"` //nolint:tagliatelle // So spelt by the service.
}

// EventState is where a conversation stands.
//
// Source: [V] webhook-events-conversation.html, chat_status.
type EventState struct {
	ID        string             `json:"id"`
	State     int                `json:"state"`
	StateKey  ConversationStatus `json:"state_key"`
	Codes     StatusCodes        `json:"status_code"`
	StatusKey ConversationStatus `json:"status_key"`
	Label     string             `json:"label"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// StatusCodes are the codes of a conversation's status: one, or several where the
// service sends a list of a text, such as ["1,2"].
type StatusCodes []int

// UnmarshalJSON reads a number, a text, or a list of either.
func (c *StatusCodes) UnmarshalJSON(data []byte) error {
	var list []string
	if err := wire.UnmarshalLenient(data, &list); err != nil {
		var code string
		if err := wire.UnmarshalLenient(data, &code); err != nil {
			return err
		}
		list = []string{code}
	}
	*c = nil
	for text := range strings.SplitSeq(strings.Join(list, ","), ",") {
		if code, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
			*c = append(*c, code)
		}
	}
	return nil
}

// MarshalJSON returns one code as a number, and several as a list of a text.
func (c StatusCodes) MarshalJSON() ([]byte, error) {
	switch len(c) {
	case 0:
		return []byte("null"), nil
	case 1:
		return strconv.AppendInt(nil, int64(c[0]), 10), nil
	}
	texts := make([]string, len(c))
	for i, code := range c {
		texts[i] = strconv.Itoa(code)
	}
	return json.Marshal([]string{strings.Join(texts, ",")})
}

// EventVisitor is with whom a conversation is, as its events tell it.
//
// Source: [V] webhook-events-conversation.html, visitor; [T] for the names, Salutation
// and Channel.
type EventVisitor struct {
	ID         string      `json:"id"`
	Type       VisitorType `json:"type"`
	Name       string      `json:"name"`
	FirstName  string      `json:"first_name"`
	LastName   string      `json:"last_name"`
	Salutation string      `json:"salutation"`
	Email      string      `json:"email_id"`
	Phone      string      `json:"phone"`
	Channel    string      `json:"channel"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// VisitorType is what a visitor is in the CRM. The service may add others.
type VisitorType string

// The types of visitors. [V] webhook-events-conversation.html.
const (
	VisitorContact VisitorType = "contact"
	VisitorLead    VisitorType = "lead"
)

// UnmarshalText reads a type without the blank that the vendor's pages show after it.
func (t *VisitorType) UnmarshalText(text []byte) error {
	*t = VisitorType(strings.TrimSpace(string(text)))
	return nil
}

// EventPerson is an operator, a bot or a visitor, as events name who did something.
//
// Source: [V] webhook-events-conversation.html, owner; workflows-module-visitor.html,
// modifier; [T] for Type and sender.
type EventPerson struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Email   string `json:"email"` // That of EmailID, where the service sends no other.
	EmailID string `json:"email_id"`
	Type    string `json:"type"` // "operator", "visitor" or "bot".

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// EventCompany is for whom a visitor works.
//
// Source: [L].
type EventCompany struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Domain string `json:"domain"`
	Status string `json:"status"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// EventMessage is what was said in a conversation.
//
// Source: [T] the schema of a published integration; [I] for File and Files.
type EventMessage struct {
	ID     string        `json:"msgid"`
	Text   string        `json:"text"` // Empty for what has none, such as a file.
	Meta   MessageMeta   `json:"meta"`
	Sender EventPerson   `json:"sender"` // A visitor's id begins with "$", a bot's with "b".
	File   *MessageFile  `json:"file"`
	Files  []MessageFile `json:"files"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ConversationCreated tells that a conversation has begun.
//
// Source: [V] webhook-events-conversation.html, conversation.created.
type ConversationCreated struct {
	EventEnvelope `json:"-"`

	Conversation EventConversation `json:",embed"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ConversationAttenderUpdated tells that an operator has taken a conversation: the Owner
// of it.
//
// Source: [V] webhook-events-conversation.html, conversation.attender.updated; [T].
type ConversationAttenderUpdated struct {
	EventEnvelope `json:"-"`

	Conversation EventConversation `json:",embed"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ConversationMissed tells that nobody has taken a conversation in time: at MissedAt of
// it.
//
// Source: [V] webhook-events-conversation.html, conversation.missed; [T].
type ConversationMissed struct {
	EventEnvelope `json:"-"`

	Conversation EventConversation `json:",embed"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ConversationOperatorReplied tells what an operator or a bot has said.
//
// Source: [T] the schema of a published integration; [I] for Files.
type ConversationOperatorReplied struct {
	EventEnvelope `json:"-"`

	Conversation EventConversation `json:",embed"`
	Message      EventMessage      `json:"message"`
	Files        []MessageFile     `json:"files"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ConversationVisitorReplied tells what the visitor has said.
//
// Source: [V] webhook-events-conversation.html, conversation.visitor.replied; [T] for
// the message. The pages name files, and do not show where they are.
type ConversationVisitorReplied struct {
	EventEnvelope `json:"-"`

	Conversation EventConversation `json:",embed"`
	Message      EventMessage      `json:"message"`
	Files        []MessageFile     `json:"files"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ConversationCompleted tells that a conversation is over. On the wire it is
// conversation.completed, or conversation.ended.
//
// Source: [V] webhook-events-conversation.html, conversation.completed; [T].
type ConversationCompleted struct {
	EventEnvelope `json:"-"`

	Conversation EventConversation `json:",embed"`
	EndedBy      string            `json:"ended_by"` // "agent", "visitor" or "system".

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ConversationRated tells what the visitor thought of a conversation. Its entity has no
// id: that of the conversation is from the envelope, unless the body is the bare entity.
//
// Source: [V] webhook-events-conversation.html, conversation.rated.
type ConversationRated struct {
	EventEnvelope `json:"-"`

	Conversation EventConversation `json:",embed"`
	Rating       int               `json:"rating"`
	Feedback     string            `json:"feedback"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ConversationTransfer tells that a conversation was handed to somebody else, who has
// accepted or refused. EventName tells which of the three. Who that is, and how often it
// was tried, is in Extra: the pages do not show the fields.
//
// Source: [V] workflows.html, conversation.transfer.*.
type ConversationTransfer struct {
	EventEnvelope `json:"-"`

	Conversation EventConversation `json:",embed"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ConversationParticipants tells that an operator has joined a conversation or left it,
// as EventName tells. Who that is, is in Extra: the pages do not show the fields.
//
// Source: [V] workflows.html, conversation.participants.*.
type ConversationParticipants struct {
	EventEnvelope `json:"-"`

	Conversation EventConversation `json:",embed"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ConversationSupervisorAdded tells that a supervisor watches a conversation. Who that
// is, is in Extra: the pages do not show the fields.
//
// Source: [V] workflows.html, conversation.supervisor.added.
type ConversationSupervisorAdded struct {
	EventEnvelope `json:"-"`

	Conversation EventConversation `json:",embed"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ConversationMessageChanged tells that a message was edited or deleted, as EventName
// tells. Who did so is in Extra: the pages do not show the fields.
//
// Source: [V] workflows.html, conversation.message.*; [I] for Message.
type ConversationMessageChanged struct {
	EventEnvelope `json:"-"`

	Conversation EventConversation `json:",embed"`
	Message      EventMessage      `json:"message"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ConversationMetrics tells a figure about a conversation. Which one, and its value, is
// in Extra: the pages do not show the fields.
//
// Source: [V] workflows.html, conversation.metrics.
type ConversationMetrics struct {
	EventEnvelope `json:"-"`

	Conversation EventConversation `json:",embed"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ConversationReopened tells that a conversation which was over goes on. By whom, and
// after what time, is in Extra: the pages do not show the fields.
//
// Source: [V] workflows.html, conversation.reopened.
type ConversationReopened struct {
	EventEnvelope `json:"-"`

	Conversation EventConversation `json:",embed"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// VisitorUpdated tells what is now known about a visitor.
//
// Source: [V] workflows-module-visitor.html, which shows the bare entity.
type VisitorUpdated struct {
	EventEnvelope `json:"-"`

	ID        string      `json:"id"`
	Type      VisitorType `json:"type"`
	FirstName string      `json:"first_name"`
	LastName  string      `json:"last_name"`
	Email     string      `json:"email_id"`
	Phone     string      `json:"phone"`
	Lead      *Ref        `json:"lead"`
	Modifier  EventPerson `json:"modifier"`

	CustomerInfo map[string]json.RawMessage `json:"customer_info"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// TagAction tells that a contact or a lead, as EventName tells, was given a tag or lost
// it. Which tag, and by whom, is in Extra: the pages do not show the fields.
//
// Source: [V] workflows.html, contact.tag.action, lead.tag.action.
type TagAction struct {
	EventEnvelope `json:"-"`

	ID string `json:"id"` // Of the contact or lead. [I].

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// OperatorChanged tells that there is a new operator, that one has changed or is gone,
// or that one was put into departments or taken out of them, as EventName tells. The
// last has two names, see [EventOperatorDisassociated].
//
// Source: [V] workflows-module-operator.html.
type OperatorChanged struct {
	EventEnvelope `json:"-"`

	ID           string   `json:"id"` // [I].
	Email        string   `json:"email_id"`
	FirstName    string   `json:"first_name"`
	LastName     string   `json:"last_name"`
	Nickname     string   `json:"nick_name"` // [I].
	Role         Role     `json:"role"`
	AccessLevels []string `json:"access_levels"` // Such as "chat" and "tracking".
	ChatEnabled  bool     `json:"chat_enabled"`  // What [Operator] has as is_chat_enabled.
	Enabled      bool     `json:"is_enabled"`    // [I].
	Departments  []string `json:"departments"`   // Ids. [I].

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// DepartmentChanged tells that there is a new department, or that one has changed or is
// gone, as EventName tells.
//
// Source: [V] workflows-module-department.html.
type DepartmentChanged struct {
	EventEnvelope `json:"-"`

	ID              string    `json:"id"`
	Name            string    `json:"name"`
	DisplayName     string    `json:"display_name"`
	Description     string    `json:"description"`
	Enabled         bool      `json:"is_enabled"`
	Public          bool      `json:"is_public"`
	SystemGenerated bool      `json:"is_system_generated"`
	Operators       []string  `json:"operators"`  // Ids.
	CreatedBy       string    `json:"created_by"` // An operator's id.
	CreatedAt       time.Time `json:"created_time"`
	ModifiedAt      time.Time `json:"modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// BrandChanged tells that a brand, which the calls name an app, was enabled or disabled,
// as EventName tells. Who did so is in Extra: the pages do not show the fields.
//
// Source: [V] workflows.html, brands.*; [I] for the fields, which are those of an [App].
type BrandChanged struct {
	EventEnvelope `json:"-"`

	ID      string `json:"id"`
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// TagChanged tells that there is a new tag, or that one has changed or is gone, as
// EventName tells. Who did so is in Extra: the pages do not show the fields.
//
// Source: [V] workflows.html, tag.*; [I] for the fields, which are those of a [Tag].
type TagChanged struct {
	EventEnvelope `json:"-"`

	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Color      string    `json:"color"`
	Module     TagModule `json:"module"`
	Modifier   Ref       `json:"modifier"`
	ModifiedAt time.Time `json:"modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// UnknownEvent is an event of a name for which there is no type, or without a name.
type UnknownEvent struct {
	EventEnvelope `json:"-"`

	// Extra holds all fields of the entity.
	Extra map[string]json.RawMessage `json:",embed"`
}

func (e *ConversationCreated) conversation() *EventConversation         { return &e.Conversation }
func (e *ConversationAttenderUpdated) conversation() *EventConversation { return &e.Conversation }
func (e *ConversationMissed) conversation() *EventConversation          { return &e.Conversation }
func (e *ConversationOperatorReplied) conversation() *EventConversation { return &e.Conversation }
func (e *ConversationVisitorReplied) conversation() *EventConversation  { return &e.Conversation }
func (e *ConversationCompleted) conversation() *EventConversation       { return &e.Conversation }
func (e *ConversationRated) conversation() *EventConversation           { return &e.Conversation }
func (e *ConversationTransfer) conversation() *EventConversation        { return &e.Conversation }
func (e *ConversationParticipants) conversation() *EventConversation    { return &e.Conversation }
func (e *ConversationSupervisorAdded) conversation() *EventConversation { return &e.Conversation }
func (e *ConversationMessageChanged) conversation() *EventConversation  { return &e.Conversation }
func (e *ConversationMetrics) conversation() *EventConversation         { return &e.Conversation }
func (e *ConversationReopened) conversation() *EventConversation        { return &e.Conversation }

func (e *ConversationOperatorReplied) message() *EventMessage { return &e.Message }
func (e *ConversationVisitorReplied) message() *EventMessage  { return &e.Message }
func (e *ConversationMessageChanged) message() *EventMessage  { return &e.Message }

// MarshalJSON writes e with its Extra beside the other members.
func (e EventState) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *EventState) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, e) }

// MarshalJSON writes e with its Extra beside the other members.
func (e EventVisitor) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *EventVisitor) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, e) }

// MarshalJSON writes e with its Extra beside the other members.
func (e EventPerson) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *EventPerson) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, e) }

// MarshalJSON writes e with its Extra beside the other members.
func (e EventCompany) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *EventCompany) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, e) }

// MarshalJSON writes e with its Extra beside the other members.
func (e EventMessage) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *EventMessage) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, e) }

// MarshalJSON writes e with its Extra beside the other members.
func (e ConversationCreated) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *ConversationCreated) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, e) }

// MarshalJSON writes e with its Extra beside the other members.
func (e ConversationAttenderUpdated) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *ConversationAttenderUpdated) UnmarshalJSON(data []byte) error {
	return wire.UnmarshalObject(data, e)
}

// MarshalJSON writes e with its Extra beside the other members.
func (e ConversationMissed) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *ConversationMissed) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, e) }

// MarshalJSON writes e with its Extra beside the other members.
func (e ConversationOperatorReplied) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *ConversationOperatorReplied) UnmarshalJSON(data []byte) error {
	return wire.UnmarshalObject(data, e)
}

// MarshalJSON writes e with its Extra beside the other members.
func (e ConversationVisitorReplied) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *ConversationVisitorReplied) UnmarshalJSON(data []byte) error {
	return wire.UnmarshalObject(data, e)
}

// MarshalJSON writes e with its Extra beside the other members.
func (e ConversationCompleted) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *ConversationCompleted) UnmarshalJSON(data []byte) error {
	return wire.UnmarshalObject(data, e)
}

// MarshalJSON writes e with its Extra beside the other members.
func (e ConversationRated) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *ConversationRated) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, e) }

// MarshalJSON writes e with its Extra beside the other members.
func (e ConversationTransfer) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *ConversationTransfer) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, e) }

// MarshalJSON writes e with its Extra beside the other members.
func (e ConversationParticipants) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *ConversationParticipants) UnmarshalJSON(data []byte) error {
	return wire.UnmarshalObject(data, e)
}

// MarshalJSON writes e with its Extra beside the other members.
func (e ConversationSupervisorAdded) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *ConversationSupervisorAdded) UnmarshalJSON(data []byte) error {
	return wire.UnmarshalObject(data, e)
}

// MarshalJSON writes e with its Extra beside the other members.
func (e ConversationMessageChanged) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *ConversationMessageChanged) UnmarshalJSON(data []byte) error {
	return wire.UnmarshalObject(data, e)
}

// MarshalJSON writes e with its Extra beside the other members.
func (e ConversationMetrics) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *ConversationMetrics) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, e) }

// MarshalJSON writes e with its Extra beside the other members.
func (e ConversationReopened) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *ConversationReopened) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, e) }

// MarshalJSON writes v with its Extra beside the other members.
func (v VisitorUpdated) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&v) }

// UnmarshalJSON reads what MarshalJSON writes.
func (v *VisitorUpdated) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, v) }

// MarshalJSON writes t with its Extra beside the other members.
func (t TagAction) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&t) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *TagAction) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, t) }

// MarshalJSON writes o with its Extra beside the other members.
func (o OperatorChanged) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&o) }

// UnmarshalJSON reads what MarshalJSON writes.
func (o *OperatorChanged) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, o) }

// MarshalJSON writes d with its Extra beside the other members.
func (d DepartmentChanged) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&d) }

// UnmarshalJSON reads what MarshalJSON writes.
func (d *DepartmentChanged) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, d) }

// MarshalJSON writes b with its Extra beside the other members.
func (b BrandChanged) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&b) }

// UnmarshalJSON reads what MarshalJSON writes.
func (b *BrandChanged) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, b) }

// MarshalJSON writes t with its Extra beside the other members.
func (t TagChanged) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&t) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *TagChanged) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, t) }

// MarshalJSON writes u with its Extra beside the other members.
func (u UnknownEvent) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&u) }

// UnmarshalJSON reads what MarshalJSON writes.
func (u *UnknownEvent) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, u) }
