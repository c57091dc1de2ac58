package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// ErrNoEvent means that the body of a webhook is not a JSON object.
var ErrNoEvent = errors.New("salesiq: not an event")

// Event is something that happened, as a webhook tells it: a pointer to one of
// the types of [EventType], such as [*ChatRated].
type Event interface {
	// Info returns what all events have in common.
	Info() *EventInfo
}

// EventType is any of the types that an event can have.
type EventType interface {
	ChatStarted | ChatEnded | ChatMissed | ChatRated | MessageReceived |
		VisitorIdentified | VisitorOnline | VisitorOffline |
		OperatorStatusChanged | LeadCreated | TriggerExecuted | UnknownEvent
}

// EventInfo is what all events have in common.
type EventInfo struct {
	// EventID tells events apart, and is the same for every delivery of an event.
	// It is a hash of the body without its count of deliveries, its white space, and
	// the order of its members. It can be a key in a database or a queue. [Receiver]
	// says what it is where the body tells no time.
	EventID string `json:"-"`

	EventName salesiq.EventName `json:"-"` // Empty where the body has none.
	EventTime time.Time         `json:"-"` // Zero where the body has none. Later deliveries do not change it.

	// Trace tells where in a trace the delivery belongs, as [Tracer.Trace] says. A sink
	// that keeps events keeps it beside the body. Empty without such a tracer.
	Trace string `json:"-"`

	// Try is which try of the handlers it is, from 1, for an event out of a queue that
	// counts them, such as the Inbox of salesiqbolt and the Sink of salesiqredis.
	// Elsewhere it is 0.
	Try int `json:"-"`

	// Body is what was delivered, byte by byte. A [Receiver] adds a member occurrence
	// where the body tells no time, and the envelope with the name that [WithEventName]
	// gives. Data is the part of Body from which the event's own fields were read. A
	// field whose value does not fit its type stays zero; its value is found here.
	Body []byte          `json:"-"`
	Data json.RawMessage `json:"-"`
}

// Info returns the receiver.
func (i *EventInfo) Info() *EventInfo { return i }

// ChatStarted tells that a chat has begun.
//
// Source: specification, "Webhook Payload Examples".
type ChatStarted struct {
	EventInfo `json:"-"`

	ChatID         string    `json:"chat_id"`
	VisitorID      string    `json:"visitor_id"`
	VisitorName    string    `json:"visitor_name"`
	VisitorEmail   string    `json:"visitor_email"`
	OperatorID     string    `json:"operator_id"` // Empty while nobody has picked the chat up.
	OperatorName   string    `json:"operator_name"`
	DepartmentID   string    `json:"department_id"`
	DepartmentName string    `json:"department_name"`
	StartedAt      time.Time `json:"started_at"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ChatEnded tells that a chat is over. On the wire it is chat.ended.
//
// Source: specification, "Webhook Payload Examples".
type ChatEnded struct {
	EventInfo `json:"-"`

	ChatID       string             `json:"chat_id"`
	VisitorID    string             `json:"visitor_id"`
	OperatorID   string             `json:"operator_id"`
	StartedAt    time.Time          `json:"started_at"`
	EndedAt      time.Time          `json:"ended_at"`
	Duration     salesiq.Seconds    `json:"duration"`
	MessageCount int                `json:"message_count"`
	EndedBy      salesiq.SenderType `json:"ended_by"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ChatMissed tells that no operator picked a chat up in time. On the wire it
// is chat.missed, which the specification names without showing it: its fields
// are those that other events about a chat have.
type ChatMissed struct {
	EventInfo `json:"-"`

	ChatID         string    `json:"chat_id"`
	VisitorID      string    `json:"visitor_id"`
	VisitorName    string    `json:"visitor_name"`
	VisitorEmail   string    `json:"visitor_email"`
	DepartmentID   string    `json:"department_id"`
	DepartmentName string    `json:"department_name"`
	StartedAt      time.Time `json:"started_at"`
	MissedAt       time.Time `json:"missed_at"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ChatRated tells what a visitor thought of a chat. On the wire it is
// chat.rating.
//
// Source: specification, "Webhook Payload Examples".
type ChatRated struct {
	EventInfo `json:"-"`

	ChatID      string    `json:"chat_id"`
	VisitorID   string    `json:"visitor_id"`
	OperatorID  string    `json:"operator_id"`
	Rating      int       `json:"rating"` // 1 to 5.
	Feedback    string    `json:"feedback"`
	SubmittedAt time.Time `json:"submitted_at"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// MessageReceived tells of a new message in a chat. The specification names the
// event without showing it: its fields are those of a [salesiq.Message], and the chat's.
type MessageReceived struct {
	EventInfo `json:"-"`

	ChatID     string              `json:"chat_id"`
	VisitorID  string              `json:"visitor_id"`
	OperatorID string              `json:"operator_id"`
	MessageID  string              `json:"message_id"`
	SenderType salesiq.SenderType  `json:"sender_type"`
	SenderID   string              `json:"sender_id"`
	Text       string              `json:"message"`
	Type       salesiq.MessageType `json:"type"`
	SentAt     time.Time           `json:"timestamp"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// VisitorIdentified tells that a visitor has given a name or an e-mail address.
//
// Source: specification, "Webhook Payload Examples".
type VisitorIdentified struct {
	EventInfo `json:"-"`

	VisitorID    string    `json:"visitor_id"`
	Name         string    `json:"name"`
	Email        string    `json:"email"`
	Phone        string    `json:"phone"`
	Company      string    `json:"company"`
	IdentifiedAt time.Time `json:"identified_at"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// VisitorOnline tells that a visitor has come to the website. On the wire
// it is visitor.online, which the specification names without showing it: its
// fields are those of a [salesiq.Visitor].
type VisitorOnline struct {
	EventInfo `json:"-"`

	VisitorID   string    `json:"visitor_id"`
	Name        string    `json:"name"`
	Email       string    `json:"email"`
	CurrentPage string    `json:"current_page"`
	OnlineAt    time.Time `json:"online_at"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// VisitorOffline tells that a visitor has left the website. On the wire it
// is visitor.offline, which the specification names without showing it: its
// fields are those of a [salesiq.Visitor].
type VisitorOffline struct {
	EventInfo `json:"-"`

	VisitorID string    `json:"visitor_id"`
	Name      string    `json:"name"`
	Email     string    `json:"email"`
	OfflineAt time.Time `json:"offline_at"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// OperatorStatusChanged tells that an operator has come, gone, or turned to
// something else. The specification names the event without showing it: its
// fields are those of an [salesiq.Operator], and the status before.
type OperatorStatusChanged struct {
	EventInfo `json:"-"`

	OperatorID     string                 `json:"operator_id"`
	OperatorName   string                 `json:"operator_name"`
	Status         salesiq.OperatorStatus `json:"status"`
	PreviousStatus salesiq.OperatorStatus `json:"previous_status"`
	ChangedAt      time.Time              `json:"changed_at"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// LeadCreated tells of a new lead. The specification shows no more of it than
// lead_id: its other fields are those of [VisitorIdentified].
type LeadCreated struct {
	EventInfo `json:"-"`

	LeadID    string    `json:"lead_id"`
	VisitorID string    `json:"visitor_id"`
	Name      string    `json:"name"`
	Email     string    `json:"email"`
	Phone     string    `json:"phone"`
	Company   string    `json:"company"`
	CreatedAt time.Time `json:"created_at"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// TriggerExecuted tells that an automation has run. The specification names the
// event without showing it: its fields are what the name implies.
type TriggerExecuted struct {
	EventInfo `json:"-"`

	TriggerID   string    `json:"trigger_id"`
	TriggerName string    `json:"trigger_name"`
	VisitorID   string    `json:"visitor_id"`
	ChatID      string    `json:"chat_id"`
	ExecutedAt  time.Time `json:"executed_at"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// UnknownEvent is an event that this version of the package has no type for,
// such as all of those of the live service, whose names begin with
// "conversation.".
type UnknownEvent struct {
	EventInfo `json:"-"`

	// Extra holds all of its fields.
	Extra map[string]json.RawMessage `json:",embed"`
}

// eventKind is a name and the type of its events.
type eventKind struct {
	name  salesiq.EventName
	fresh func() Event
}

// eventKinds has the names for which there is a type, as the specification orders
// them.
var eventKinds = []eventKind{
	{salesiq.EventChatStarted, func() Event { return new(ChatStarted) }},
	{salesiq.EventChatEnded, func() Event { return new(ChatEnded) }},
	{salesiq.EventChatMissed, func() Event { return new(ChatMissed) }},
	{salesiq.EventChatRated, func() Event { return new(ChatRated) }},
	{salesiq.EventMessageReceived, func() Event { return new(MessageReceived) }},
	{salesiq.EventVisitorIdentified, func() Event { return new(VisitorIdentified) }},
	{salesiq.EventVisitorOnline, func() Event { return new(VisitorOnline) }},
	{salesiq.EventVisitorOffline, func() Event { return new(VisitorOffline) }},
	{salesiq.EventOperatorStatusChanged, func() Event { return new(OperatorStatusChanged) }},
	{salesiq.EventLeadCreated, func() Event { return new(LeadCreated) }},
	{salesiq.EventTriggerExecuted, func() Event { return new(TriggerExecuted) }},
}

var kindByName = func() map[string]eventKind {
	byName := make(map[string]eventKind, len(eventKinds))
	for _, kind := range eventKinds {
		byName[string(kind.name)] = kind
	}
	return byName
}()

// namesWhere returns the names of the events that a func accepts.
func namesWhere(accepts func(Event) bool) []salesiq.EventName {
	var names []salesiq.EventName
	for _, kind := range eventKinds {
		if accepts(kind.fresh()) {
			names = append(names, kind.name)
		}
	}
	return names
}

// ParseSigned reads an event that something else than a [Receiver] has received, such
// as a function in a cloud or a framework that does not use net/http:
//
//	event, err := webhook.ParseSigned(webhook.HMAC(secret), header, body)
//	if err != nil {
//		return 401 // The body is not from the service.
//	}
//	if err := receiver.Dispatch(ctx, event); err != nil {
//		return 500 // The service delivers the event again.
//	}
//
// The body must be there byte by byte as it arrived, and bounded in size. The names of
// the header may be in any case. Nothing is deduplicated; [Once] does that for a handler.
//
// Errors: [ErrSignature] for a body that verifier refuses, [ErrNoEvent] for one that is
// not a JSON object; an [salesiq.InputError] for a verifier that can accept nothing.
func ParseSigned(verifier Verifier, header http.Header, body []byte) (Event, error) {
	if err := checkVerifier(verifier); err != nil {
		return nil, err
	}
	canonical := make(http.Header, len(header))
	for name, values := range header {
		name = http.CanonicalHeaderKey(name)
		canonical[name] = append(canonical[name], values...)
	}
	if err := verify(verifier, canonical, body); err != nil {
		return nil, err
	}
	return Parse(body)
}

// Parse reads the body of a webhook. The event keeps body, which must not be
// changed afterwards. Parse does not verify anything; a [Receiver] and [ParseSigned] do.
//
// An event of an unknown name is an [*UnknownEvent]. A value of another type is
// taken for what it means, such as "5" for a number. If it means nothing, the field
// stays zero. The envelope of the live service is understood as well.
//
// Errors: [ErrNoEvent] for a body that is not one JSON object.
func Parse(body []byte) (Event, error) {
	envelope, err := wire.DecodeEvent(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoEvent, err)
	}
	kind, known := kindByName[string(envelope.Name)]
	if !known {
		kind = eventKind{salesiq.EventName(envelope.Name), func() Event { return new(UnknownEvent) }}
	}
	event := kind.fresh()
	if err := wire.UnmarshalLenient(envelope.Data, event); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoEvent, err)
	}
	*event.Info() = EventInfo{EventID: eventID(body, envelope.Counter), EventName: kind.name, EventTime: envelope.Time, Body: body, Data: envelope.Data}
	return event, nil
}

// ParseNamed reads a body as [Parse] does. If the body names no event, its event has that
// name. With an entity, an attempt or a time, the body is an envelope that lacks the name
// alone, and [EventInfo.Body] is the body with the name. Any other is the entity, as in some
// of the live service's samples, and [EventInfo.Body] is an envelope with the name around
// it. Parse reads either again.
//
// Errors: those of Parse; an [salesiq.InputError] for no name.
func ParseNamed(name salesiq.EventName, body []byte) (Event, error) {
	if name == "" {
		return nil, inputError("event name", "is required")
	}
	event, err := Parse(body)
	if err != nil || event.Info().EventName != "" {
		return event, err
	}
	named, err := wire.NameEvent(body, string(name))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoEvent, err)
	}
	return Parse(named)
}

// eventID hashes a body without the member that counts its deliveries, if it has one.
// Half of a SHA-256 is enough to tell events apart.
func eventID(body, counter []byte) string {
	sum := wire.HashObject(body, string(counter))
	return hex.EncodeToString(sum[:sha256.Size/2])
}

// MarshalJSON writes c with its Extra beside the other members.
func (c ChatStarted) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *ChatStarted) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }

// MarshalJSON writes c with its Extra beside the other members.
func (c ChatEnded) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *ChatEnded) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }

// MarshalJSON writes c with its Extra beside the other members.
func (c ChatMissed) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *ChatMissed) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }

// MarshalJSON writes c with its Extra beside the other members.
func (c ChatRated) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *ChatRated) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }

// MarshalJSON writes m with its Extra beside the other members.
func (m MessageReceived) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&m) }

// UnmarshalJSON reads what MarshalJSON writes.
func (m *MessageReceived) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, m) }

// MarshalJSON writes v with its Extra beside the other members.
func (v VisitorIdentified) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&v) }

// UnmarshalJSON reads what MarshalJSON writes.
func (v *VisitorIdentified) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, v) }

// MarshalJSON writes v with its Extra beside the other members.
func (v VisitorOnline) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&v) }

// UnmarshalJSON reads what MarshalJSON writes.
func (v *VisitorOnline) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, v) }

// MarshalJSON writes v with its Extra beside the other members.
func (v VisitorOffline) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&v) }

// UnmarshalJSON reads what MarshalJSON writes.
func (v *VisitorOffline) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, v) }

// MarshalJSON writes o with its Extra beside the other members.
func (o OperatorStatusChanged) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&o) }

// UnmarshalJSON reads what MarshalJSON writes.
func (o *OperatorStatusChanged) UnmarshalJSON(data []byte) error {
	return wire.UnmarshalObject(data, o)
}

// MarshalJSON writes l with its Extra beside the other members.
func (l LeadCreated) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&l) }

// UnmarshalJSON reads what MarshalJSON writes.
func (l *LeadCreated) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, l) }

// MarshalJSON writes t with its Extra beside the other members.
func (t TriggerExecuted) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&t) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *TriggerExecuted) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, t) }

// MarshalJSON writes u with its Extra beside the other members.
func (u UnknownEvent) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&u) }

// UnmarshalJSON reads what MarshalJSON writes.
func (u *UnknownEvent) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, u) }
