package live

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/usercode"
	"github.com/salesiq-go/salesiq/internal/wire"
	"github.com/salesiq-go/salesiq/webhook"
)

// Event is something that happened, as the live service tells it: a pointer to one of
// the types of [EventType], such as [*ConversationRated].
type Event interface {
	webhook.Event
	// Envelope returns what all events of the live service have in common.
	Envelope() *EventEnvelope
}

// EventType is any of the types that an event can have.
type EventType interface {
	ConversationCreated | ConversationAttenderUpdated | ConversationMissed |
		ConversationOperatorReplied | ConversationVisitorReplied |
		ConversationCompleted | ConversationRated | ConversationTransfer |
		ConversationParticipants | ConversationSupervisorAdded | ConversationMessageChanged |
		ConversationMetrics | ConversationReopened |
		VisitorUpdated | TagAction |
		OperatorChanged | DepartmentChanged | BrandChanged | TagChanged | UnknownEvent
}

// EventEnvelope is what stands around the entity of an event. Where a body is the bare
// entity, EntityID and AppID are those that the entity has, and the rest is zero.
//
// Source: [V] workflows-module-operator.html, workflows-module-department.html; [T] for
// EventTime, WebhookID, and the numbers and texts that differ from those pages.
type EventEnvelope struct {
	// EventInfo has the name, the time and the id of the event, and its body.
	webhook.EventInfo `json:"-"`

	EntityType string `json:"entity_type"` // Such as "conversation".
	EntityID   string `json:"entity_id"`
	OrgID      string `json:"org_id"`
	AppID      string `json:"app_id"` // Empty for administration.
	WebhookID  string `json:"-"`      // On the wire it is webhook.id. Not on the vendor's pages.
	Attempt    int    `json:"attempt"`
	Version    string `json:"version"`

	// Extra holds the members of the envelope that this version of the package does
	// not know. Those of the entity are in Extra of the event.
	Extra map[string]json.RawMessage `json:"-"`
}

// Envelope returns the receiver.
func (e *EventEnvelope) Envelope() *EventEnvelope { return e }

// The events of the vendor's pages. Some of them have two names: the service sends
// either, and Events of a receiver subscribes to the newer one.
//
// Source: [V] webhook-events-conversation.html, workflows.html, workflows-module-*.html.
const (
	EventConversationCreated             salesiq.EventName = "conversation.created"
	EventConversationAttenderUpdated     salesiq.EventName = "conversation.attender.updated"
	EventConversationMissed              salesiq.EventName = "conversation.missed"
	EventConversationOperatorReplied     salesiq.EventName = "conversation.operator.replied"
	EventConversationVisitorReplied      salesiq.EventName = "conversation.visitor.replied"
	EventConversationCompleted           salesiq.EventName = "conversation.completed"
	EventConversationRated               salesiq.EventName = "conversation.rated"
	EventConversationTransferInitiated   salesiq.EventName = "conversation.transfer.initiated"
	EventConversationTransferAccepted    salesiq.EventName = "conversation.transfer.accepted"
	EventConversationTransferRejected    salesiq.EventName = "conversation.transfer.rejected"
	EventConversationParticipantsAdded   salesiq.EventName = "conversation.participants.added"
	EventConversationParticipantsDeleted salesiq.EventName = "conversation.participants.deleted"
	EventConversationSupervisorAdded     salesiq.EventName = "conversation.supervisor.added"
	EventConversationMessageEdited       salesiq.EventName = "conversation.message.edited"
	EventConversationMessageDeleted      salesiq.EventName = "conversation.message.deleted"
	EventConversationMetrics             salesiq.EventName = "conversation.metrics"
	EventConversationReopened            salesiq.EventName = "conversation.reopened"
	EventVisitorUpdated                  salesiq.EventName = "visitor.updated"
	EventContactTagAction                salesiq.EventName = "contact.tag.action"
	EventLeadTagAction                   salesiq.EventName = "lead.tag.action"
	EventOperatorCreated                 salesiq.EventName = "operator.created"
	EventOperatorUpdated                 salesiq.EventName = "operator.updated"
	EventOperatorDeleted                 salesiq.EventName = "operator.deleted"
	EventOperatorAssociated              salesiq.EventName = "operator.departments.associated"
	EventOperatorDissociated             salesiq.EventName = "operator.departments.dissociated"
	EventDepartmentCreated               salesiq.EventName = "department.created"
	EventDepartmentUpdated               salesiq.EventName = "department.updated"
	EventDepartmentDeleted               salesiq.EventName = "department.deleted"
	EventBrandsEnabled                   salesiq.EventName = "brands.enabled"
	EventBrandsDisabled                  salesiq.EventName = "brands.disabled"
	EventTagCreated                      salesiq.EventName = "tag.created"
	EventTagUpdated                      salesiq.EventName = "tag.updated"
	EventTagDeleted                      salesiq.EventName = "tag.deleted"

	// Other spellings.
	EventConversationEnded     salesiq.EventName = "conversation.ended"                 // Of completed, on failure-list-webhook-v2.html.
	EventOperatorDisassociated salesiq.EventName = "operator.departments.disassociated" // Of dissociated, on an older page.
)

type eventNames []salesiq.EventName

// eventKind is the type of some events.
type eventKind struct {
	fresh   func() Event
	names   eventNames
	aliases eventNames // Nobody subscribes to them.

	administration bool
}

var eventKinds = []eventKind{
	{fresh: fresh[ConversationCreated], names: eventNames{EventConversationCreated}},
	{fresh: fresh[ConversationAttenderUpdated], names: eventNames{EventConversationAttenderUpdated}},
	{fresh: fresh[ConversationMissed], names: eventNames{EventConversationMissed}},
	{fresh: fresh[ConversationOperatorReplied], names: eventNames{EventConversationOperatorReplied}},
	{fresh: fresh[ConversationVisitorReplied], names: eventNames{EventConversationVisitorReplied}},
	{fresh: fresh[ConversationCompleted], names: eventNames{EventConversationCompleted}, aliases: eventNames{EventConversationEnded}},
	{fresh: fresh[ConversationRated], names: eventNames{EventConversationRated}},
	{fresh: fresh[ConversationTransfer], names: eventNames{EventConversationTransferInitiated, EventConversationTransferAccepted, EventConversationTransferRejected}},
	{fresh: fresh[ConversationParticipants], names: eventNames{EventConversationParticipantsAdded, EventConversationParticipantsDeleted}},
	{fresh: fresh[ConversationSupervisorAdded], names: eventNames{EventConversationSupervisorAdded}},
	{fresh: fresh[ConversationMessageChanged], names: eventNames{EventConversationMessageEdited, EventConversationMessageDeleted}},
	{fresh: fresh[ConversationMetrics], names: eventNames{EventConversationMetrics}},
	{fresh: fresh[ConversationReopened], names: eventNames{EventConversationReopened}},
	{fresh: fresh[VisitorUpdated], names: eventNames{EventVisitorUpdated}},
	{fresh: fresh[TagAction], names: eventNames{EventContactTagAction, EventLeadTagAction}},
	{
		fresh:   fresh[OperatorChanged],
		names:   eventNames{EventOperatorCreated, EventOperatorUpdated, EventOperatorDeleted, EventOperatorAssociated, EventOperatorDissociated},
		aliases: eventNames{EventOperatorDisassociated}, administration: true,
	},
	{fresh: fresh[DepartmentChanged], names: eventNames{EventDepartmentCreated, EventDepartmentUpdated, EventDepartmentDeleted}, administration: true},
	{fresh: fresh[BrandChanged], names: eventNames{EventBrandsEnabled, EventBrandsDisabled}, administration: true},
	{fresh: fresh[TagChanged], names: eventNames{EventTagCreated, EventTagUpdated, EventTagDeleted}, administration: true},
}

// kindByName has the names of all events that have a type.
var kindByName = func() map[salesiq.EventName]*eventKind {
	byName := map[salesiq.EventName]*eventKind{}
	for i, kind := range eventKinds {
		for _, name := range slices.Concat(kind.names, kind.aliases) {
			byName[name] = &eventKinds[i]
		}
	}
	return byName
}()

func fresh[E EventType]() Event { return any(new(E)).(Event) } //nolint:forcetypeassert // All of them are.

// Events returns the names of the events that have a type, for a webhook that is about
// data or about administration.
func Events(kind WebhookType) []salesiq.EventName {
	var names []salesiq.EventName
	for _, k := range eventKinds {
		if k.administration == (kind == AdministrationWebhook) {
			names = append(names, k.names...)
		}
	}
	return names
}

// On registers a handler for events of one type, as [webhook.On] does for those of the
// specification:
//
//	err := live.On(receiver, func(ctx context.Context, e *live.ConversationRated) error {
//		return ratings.Save(ctx, e.Conversation.ID, e.Rating)
//	}, webhook.Once("ratings"))
//
// Order, options and errors are those of webhook.On, and [webhook.Receiver.Events] has
// the names of the events.
func On[E EventType](receiver *webhook.Receiver, handle func(ctx context.Context, event *E) error, opts ...webhook.HandlerOption) error {
	var of *eventKind // Nil for [UnknownEvent].
	var names []salesiq.EventName
	for i := range eventKinds {
		if _, ok := any(eventKinds[i].fresh()).(*E); ok {
			of, names = &eventKinds[i], eventKinds[i].names
		}
	}
	wants := func(event webhook.Event) bool { return kindByName[event.Info().EventName] == of }
	if handle == nil {
		return webhook.OnWhere(receiver, names, wants, nil, opts...)
	}
	return webhook.OnWhere(receiver, names, wants, func(ctx context.Context, event webhook.Event) error {
		converted, err := EventOf(event)
		if err != nil {
			return err
		}
		return handle(ctx, any(converted).(*E)) //nolint:forcetypeassert // It wants no others.
	}, opts...)
}

// OnAny registers a handler for events of all types, as [On] does for one.
func OnAny(receiver *webhook.Receiver, handle func(ctx context.Context, event Event) error, opts ...webhook.HandlerOption) error {
	names := slices.Concat(Events(DataWebhook), Events(AdministrationWebhook))
	wants := func(webhook.Event) bool { return true }
	if handle == nil {
		return webhook.OnWhere(receiver, names, wants, nil, opts...)
	}
	return webhook.OnWhere(receiver, names, wants, func(ctx context.Context, event webhook.Event) error {
		converted, err := EventOf(event)
		if err != nil {
			return err
		}
		return handle(ctx, converted)
	}, opts...)
}

// ParseEvent reads the body of a webhook, as [webhook.Parse] does. It verifies nothing.
//
// Errors: [webhook.ErrNoEvent] for a body that is not one JSON object.
func ParseEvent(body []byte) (Event, error) {
	event, err := webhook.Parse(body)
	if err != nil {
		return nil, err
	}
	return EventOf(event)
}

// ParseNamed reads a body that may be the bare entity of an event of that name, as
// [webhook.ParseNamed] does. For a receiver, there is [webhook.WithEventName].
//
// Errors: those of ParseEvent; a [salesiq.InputError] for no name.
func ParseNamed(name salesiq.EventName, body []byte) (Event, error) {
	event, err := webhook.ParseNamed(name, body)
	if err != nil {
		return nil, err
	}
	return EventOf(event)
}

// EventOf returns an event of package webhook with its type here, such as one that
// [webhook.ParseSigned] has read. An event of a name that has no type is an
// [*UnknownEvent], and so are those of the specification.
//
// Errors: a [salesiq.InputError] for no event; [webhook.ErrNoEvent] for one whose Data
// are not an object.
func EventOf(event webhook.Event) (Event, error) {
	if usercode.IsNil(event) {
		return nil, inputError("", "event", "must not be nil")
	}
	if converted, ok := event.(Event); ok {
		return converted, nil
	}
	info := event.Info()
	var converted Event = new(UnknownEvent)
	if kind := kindByName[info.EventName]; kind != nil {
		converted = kind.fresh()
	}
	if err := wire.UnmarshalLenient(info.Data, converted); err != nil {
		return nil, fmt.Errorf("%w: %w", webhook.ErrNoEvent, err)
	}
	envelope, err := readEnvelope(info)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", webhook.ErrNoEvent, err)
	}
	*converted.Envelope() = envelope
	complete(converted, &envelope)
	return converted, nil
}

// complete fills fields in that stand elsewhere in an event.
func complete(event Event, envelope *EventEnvelope) {
	if about, ok := event.(interface{ conversation() *EventConversation }); ok {
		c := about.conversation()
		c.ID, c.AppID = cmp.Or(c.ID, envelope.EntityID, c.ConversationID), cmp.Or(c.AppID, envelope.AppID)
		if c.Owner != nil {
			c.Owner.Email = cmp.Or(c.Owner.Email, c.Owner.EmailID)
		}
	}
	if about, ok := event.(interface{ message() *EventMessage }); ok {
		m := about.message()
		m.Sender.Email = cmp.Or(m.Sender.Email, m.Sender.EmailID)
		var sent struct {
			Message json.RawMessage `json:"message"`
		}
		var text string // In place of an object.
		if wire.Unmarshal(envelope.Data, &sent) == nil && json.Unmarshal(sent.Message, &text) == nil {
			m.Text = text
		}
	}
	if visitor, ok := event.(*VisitorUpdated); ok {
		visitor.Modifier.Email = cmp.Or(visitor.Modifier.Email, visitor.Modifier.EmailID)
	}
}

// readEnvelope reads what stands around the entity of an event. What is missing there is
// taken from the entity.
func readEnvelope(info *webhook.EventInfo) (EventEnvelope, error) {
	sent := struct {
		EventEnvelope

		Webhook Ref                        `json:"webhook"`
		Rest    map[string]json.RawMessage `json:",embed"`
	}{}
	if len(info.Data) < len(info.Body) {
		if err := wire.UnmarshalLenient(info.Body, &sent); err != nil {
			return EventEnvelope{}, err
		}
	}
	envelope := sent.EventEnvelope
	envelope.EventInfo, envelope.WebhookID = *info, sent.Webhook.ID
	envelope.Extra = sent.Rest
	for _, name := range []string{"event", "event_time", "timestamp", "entity", "data", "occurrence"} {
		delete(envelope.Extra, name)
	}
	var entity struct {
		ID    string `json:"id"`
		AppID string `json:"app_id"`
	}
	if err := wire.UnmarshalLenient(info.Data, &entity); err != nil {
		return EventEnvelope{}, err
	}
	envelope.EntityID, envelope.AppID = cmp.Or(envelope.EntityID, entity.ID), cmp.Or(envelope.AppID, entity.AppID)
	return envelope, nil
}
