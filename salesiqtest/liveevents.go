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

// liveEventNames are the vendor's events.
var liveEventNames = []salesiq.EventName{
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

// liveChange is what an event tells that the specification does not have.
type liveChange struct {
	id     string
	entity any
}

// tellLive is tell for such an event.
func (c *call) tellLive(event salesiq.EventName, id string, entity any) {
	if err := c.emitLive(event, liveChange{id, entity}); err != nil {
		panic("salesiqtest: " + err.Error()) // Its entity was written by us.
	}
}

// emitLive is emit for the live dialect.
func (c *call) emitLive(event salesiq.EventName, data any) error {
	event, id, entity := c.translate(event, data)
	if event == "" {
		return nil
	}
	body, err := wire.Marshal(entity)
	if err != nil {
		return err
	}
	kind, _, _ := strings.Cut(string(event), ".")
	number := c.state.newID("event")
	for webhook := range c.state.webhooks.all() {
		settings := c.state.liveSettings(webhook.ID)
		if !webhook.Enabled || !slices.Contains(webhook.Events, event) || !settings.wants(entity) {
			continue
		}
		sent := &liveEvent{
			EntityType: kind, OrgID: liveOrgID, Event: event, EntityID: id, Version: "1", AppID: liveAppID, Entity: body, id: number,
		}
		if settings.secured && len(settings.keys) > 0 {
			sent.key = settings.keys[0].private
		}
		c.state.courier.take(parcel{webhook: *webhook, event: event, live: sent})
	}
	return nil
}

// wants tells whether a webhook is for the app that an event comes from, if that
// is known.
func (s *webhookSettings) wants(entity any) bool {
	conversation, ok := entity.(liveConversation)
	return !ok || conversation.AppID == "" || len(s.apps) == 0 || slices.Contains(s.apps, conversation.AppID)
}

// translate finds the vendor's event for one of the specification's, and what it
// is about. One that the vendor does not have has no name, nor has one about
// something that is not there; one that is none of the specification's stays as it
// is.
func (c *call) translate(event salesiq.EventName, data any) (name salesiq.EventName, id string, entity any) {
	switch e := data.(type) {
	case *webhook.ChatStarted:
		return c.aboutChat("conversation.created", e.ChatID)
	case *webhook.ChatEnded:
		return c.aboutChat("conversation.completed", e.ChatID)
	case *webhook.ChatMissed:
		return c.aboutChat("conversation.missed", e.ChatID)
	case *webhook.ChatRated:
		return c.aboutChat("conversation.rated", e.ChatID)
	case *webhook.MessageReceived:
		if e.SenderType == salesiq.SenderVisitor {
			return c.aboutChat("conversation.visitor.replied", e.ChatID)
		}
		return c.aboutChat("conversation.operator.replied", e.ChatID)
	case *webhook.VisitorIdentified:
		visitor, ok := c.state.visitors.get(e.VisitorID)
		if !ok {
			return "", "", nil
		}
		return "visitor.updated", e.VisitorID, c.state.liveVisitor(visitor)
	case *webhook.OperatorStatusChanged:
		operator, ok := c.state.operators.get(e.OperatorID)
		if !ok {
			return "", "", nil
		}
		return "operator.updated", e.OperatorID, c.state.liveOperator(operator)
	case liveChange:
		return event, e.id, e.entity
	case webhook.Event:
		return "", "", nil
	}
	return event, "", data
}

func (c *call) aboutChat(name salesiq.EventName, chatID string) (event salesiq.EventName, id string, entity any) {
	chat, ok := c.state.chats.get(chatID)
	if !ok {
		return "", "", nil
	}
	return name, chatID, c.state.conversation(chat)
}
