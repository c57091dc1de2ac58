package salesiqtest

import (
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
	"github.com/salesiq-go/salesiq/webhook"
)

// events are the vendor's.
func (live) events() []salesiq.EventName {
	return []salesiq.EventName{
		"conversation.created", "conversation.attender.updated", "conversation.missed", "conversation.operator.replied",
		"conversation.visitor.replied", "conversation.completed", "conversation.rated", "conversation.transfer.initiated",
		"conversation.transfer.accepted", "conversation.transfer.rejected", "conversation.participants.added",
		"conversation.participants.deleted", "conversation.supervisor.added", "conversation.message.edited",
		"conversation.message.deleted", "conversation.metrics", "conversation.reopened", "visitor.updated",
		"contact.tag.action", "lead.tag.action",
		"operator.created", "operator.updated", "operator.deleted", "operator.departments.associated",
		"operator.departments.disassociated", "department.created", "department.updated", "department.deleted",
		"brands.enabled", "brands.disabled", "tag.created", "tag.updated", "tag.deleted",
	}
}

// liveEvent is an event as the live service sends it.
type liveEvent struct {
	EntityType string            `json:"entity_type"`
	OrgID      string            `json:"org_id"`
	Event      salesiq.EventName `json:"event"`
	EntityID   string            `json:"entity_id"`
	Attempt    int               `json:"attempt"`
	Version    string            `json:"version"`
	AppID      int64             `json:"app_id"` // Beyond what a float64 can hold.
	Entity     json.RawMessage   `json:"entity"`

	id  string          // Tells one event from another.
	key *rsa.PrivateKey // Nil where the webhook is not secured.
}

const (
	liveOrgID = "60021477"
	liveAppID = 40526000000002041
)

// body writes the event for one attempt.
func (e *liveEvent) body(attempt int) []byte {
	counted := *e
	counted.Attempt = attempt
	data, err := wire.Marshal(counted)
	if err != nil {
		panic("salesiqtest: " + err.Error()) // Its entity was written by us.
	}
	return data
}

func (e *liveEvent) sign(header http.Header, body []byte) error {
	if e.key == nil {
		return nil
	}
	signature, err := webhook.SignRSA(e.key, body)
	header.Set(webhook.HeaderRSASignature, signature)
	return err
}

// writes signs an event with the webhook's first key, if it is secured.
func (live) writes(s *state, event salesiq.EventName, data any) (func(*salesiq.Webhook) *parcel, error) {
	event, id, entity := s.translate(event, data)
	body, err := wire.Marshal(entity)
	if event == "" || err != nil {
		return nil, err
	}
	kind, _, _ := strings.Cut(string(event), ".")
	number := s.newID("event")
	return func(to *salesiq.Webhook) *parcel {
		settings := s.settingsOf(to.ID)
		if !settings.wants(entity) {
			return nil
		}
		sent := &liveEvent{
			EntityType: kind, OrgID: liveOrgID, Event: event, EntityID: id, Version: "1", AppID: liveAppID, Entity: body, id: number,
		}
		if settings.secured && len(settings.keys) > 0 {
			sent.key = settings.keys[0].private
		}
		return &parcel{webhook: *to, event: event, message: sent}
	}, nil
}

// wants tells whether a webhook is for the app that an event comes from, if that
// is known.
func (s *webhookSettings) wants(entity any) bool {
	conversation, _ := entity.(object)
	app, known := conversation["app_id"].(string)
	return !known || len(s.apps) == 0 || slices.Contains(s.apps, app)
}

// translate finds the vendor's event for one of the domain's, and what it is
// about. One that the vendor does not have has no name, nor has one about
// something that is not there; one that is none of the domain's stays as it is.
func (s *state) translate(event salesiq.EventName, data any) (name salesiq.EventName, id string, entity any) {
	switch e := data.(type) {
	case *webhook.ChatStarted:
		return about(s, "conversation.created", chats, e.ChatID, (*state).conversation)
	case *webhook.ChatEnded:
		return about(s, "conversation.completed", chats, e.ChatID, (*state).conversation)
	case *webhook.ChatMissed:
		return about(s, "conversation.missed", chats, e.ChatID, (*state).conversation)
	case *webhook.ChatRated:
		return about(s, "conversation.rated", chats, e.ChatID, (*state).conversation)
	case *webhook.MessageReceived:
		if e.SenderType == salesiq.SenderVisitor {
			return about(s, "conversation.visitor.replied", chats, e.ChatID, (*state).conversation)
		}
		return about(s, "conversation.operator.replied", chats, e.ChatID, (*state).conversation)
	case *webhook.VisitorIdentified:
		return about(s, "visitor.updated", visitors, e.VisitorID, (*state).liveVisitor)
	case *webhook.OperatorStatusChanged:
		return about(s, "operator.updated", operators, e.OperatorID, (*state).liveOperator)
	case vendorFact:
		switch changed := e.about.(type) {
		case *salesiq.Chat:
			return event, changed.ID, s.conversation(changed)
		case *salesiq.Operator:
			return event, changed.ID, s.liveOperator(changed)
		case *tag:
			return event, changed.ID, changed
		}
	case webhook.Event:
		return "", "", nil
	}
	return event, "", data
}

// about is what an event tells of an object, if that is there.
func about[T any](s *state, event salesiq.EventName, of func(*state) *table[T], id string, show func(*state, *T) object) (name salesiq.EventName, _ string, entity any) {
	item, ok := of(s).get(id)
	if !ok {
		return "", "", nil
	}
	return event, id, show(s, item)
}
