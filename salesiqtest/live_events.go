package salesiqtest

import (
	"cmp"
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
	"github.com/salesiq-go/salesiq/webhook"
)

// events are the vendor's, in all spellings.
func (live) events() []salesiq.EventName {
	names := []salesiq.EventName{
		"conversation.created", "conversation.attender.updated", "conversation.missed", "conversation.operator.replied",
		"conversation.visitor.replied", "conversation.completed", "conversation.rated", "conversation.transfer.initiated",
		"conversation.transfer.accepted", "conversation.transfer.rejected", "conversation.participants.added",
		"conversation.participants.deleted", "conversation.supervisor.added", "conversation.message.edited",
		"conversation.message.deleted", "conversation.metrics", "conversation.reopened", "visitor.updated",
		"contact.tag.action", "lead.tag.action",
		"operator.created", "operator.updated", "operator.deleted", "operator.departments.associated",
		"operator.departments.dissociated", "department.created", "department.updated", "department.deleted",
		"brands.enabled", "brands.disabled", "tag.created", "tag.updated", "tag.deleted",
	}
	for _, other := range otherSpellings {
		names = append(names, other)
	}
	return names
}

// otherSpellings are names that some of the vendor's pages have for an event.
var otherSpellings = map[salesiq.EventName]salesiq.EventName{
	"conversation.completed":           "conversation.ended",
	"operator.departments.dissociated": "operator.departments.disassociated",
}

// spelled returns the name of an event that a webhook is for.
func spelled(event salesiq.EventName, to *salesiq.Webhook) salesiq.EventName {
	if other, ok := otherSpellings[event]; ok && !slices.Contains(to.Events, event) {
		return other
	}
	return event
}

// liveEvent is an event as the live service sends it.
type liveEvent struct {
	EntityType string            `json:"entity_type"`
	OrgID      string            `json:"org_id"`
	Event      salesiq.EventName `json:"event"`
	EventTime  string            `json:"event_time"`
	EntityID   string            `json:"entity_id"`
	Attempt    int               `json:"attempt"`
	Version    int               `json:"version"`
	AppID      string            `json:"app_id,omitzero"` // None for administration.
	Webhook    object            `json:"webhook"`
	Entity     json.RawMessage   `json:"entity"`

	id      string          // Tells one event from another.
	payload object          // What a failed execution tells of it.
	key     *rsa.PrivateKey // Nil where the webhook is not secured.
}

const liveOrgID = "60021477"

// body writes the event for one attempt.
func (e *liveEvent) body(attempt int) []byte {
	counted := *e
	counted.Attempt = attempt
	return asJSON(counted)
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
	for name, other := range otherSpellings {
		if event == other {
			event = name
		}
	}
	event, id, entity := s.translate(event, data)
	body, err := wire.Marshal(entity)
	if event == "" || err != nil {
		return nil, err
	}
	kind, _, _ := strings.Cut(string(event), ".")
	about, _ := entity.(object)
	app := ""
	if !slices.Contains(administrationKinds, kind) {
		app = cmp.Or(textOf(about["app_id"]), s.defaultAppID())
	}
	at := millis(s.eventTime())
	payload := object{"version": 1, "event_time": at, "id": id}
	if message, ok := about["message"]; ok {
		payload["message"] = message
	}
	number := s.newID("event")
	return func(to *salesiq.Webhook) *parcel {
		settings := s.settingsOf(to.ID)
		if !settings.wants(about) {
			return nil
		}
		sent := &liveEvent{
			EntityType: kind, OrgID: liveOrgID, Event: spelled(event, to), EventTime: at, EntityID: id, Version: 1, AppID: app,
			Webhook: object{"id": to.ID}, Entity: body, id: number, payload: payload,
		}
		if settings.secured && len(settings.keys) > 0 {
			sent.key = settings.keys[0].private
		}
		return &parcel{webhook: *to, event: sent.Event, message: sent}
	}, nil
}

// eventTime is the time of an event. No two events have the same, so that a state that
// comes back at once is not taken for the first one.
func (s *state) eventTime() time.Time {
	at := s.now
	if !at.After(s.told) {
		at = s.told.Add(time.Millisecond)
	}
	s.told = at
	return at
}

// administrationKinds are what the events of administration webhooks are about.
var administrationKinds = []string{"operator", "department", "brands", "tag"}

// wants tells whether a webhook is for the app that an event comes from, if that
// is known.
func (s *webhookSettings) wants(entity object) bool {
	app := textOf(entity["app_id"])
	return app == "" || len(s.apps) == 0 || slices.Contains(s.apps, app)
}

// defaultAppID is the app of what does not tell its own.
func (s *state) defaultAppID() string {
	return cmp.Or(s.firstApp(), &salesiq.Brand{}).ID
}

// textOf is a text or a number, with every digit, or "".
func textOf(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case json.RawMessage:
		return strings.Trim(string(value), `"`)
	}
	return ""
}

// translate finds the vendor's event for one of the domain, and its entity. The name
// is empty if the vendor has no such event, or if its object is gone. What [Server.Emit]
// tells that is not the domain's is completed with what is known of its object.
func (s *state) translate(event salesiq.EventName, data any) (name salesiq.EventName, id string, entity any) {
	switch e := data.(type) {
	case *webhook.ChatStarted:
		return s.aboutChat("conversation.created", e.ChatID, nil)
	case *webhook.ChatEnded:
		return s.aboutChat("conversation.completed", e.ChatID, object{"ended_by": endedBy(e.EndedBy)})
	case *webhook.ChatMissed:
		return s.aboutChat("conversation.missed", e.ChatID, nil)
	case *webhook.ChatRated:
		return s.aboutChat("conversation.rated", e.ChatID, object{"rating": e.Rating, "feedback": e.Feedback})
	case *webhook.MessageReceived:
		return s.aboutMessage(e)
	case *webhook.VisitorIdentified:
		if visitor, ok := s.visitors.get(e.VisitorID); ok {
			return "visitor.updated", visitor.ID, s.visitorEntity(visitor)
		}
		return "", "", nil
	case *webhook.OperatorStatusChanged:
		if operator, ok := s.operators.get(e.OperatorID); ok {
			return "operator.updated", operator.ID, s.operatorEntity(operator)
		}
		return "", "", nil
	case vendorFact:
		switch changed := e.about.(type) {
		case *salesiq.Chat:
			return event, changed.ID, s.conversationEntity(changed)
		case *salesiq.Operator:
			return event, changed.ID, s.operatorEntity(changed)
		case *salesiq.Department:
			return event, changed.ID, s.liveDepartment(changed)
		case *salesiq.Brand:
			return event, changed.ID, s.liveApp(changed)
		case *tag:
			return event, changed.ID, s.liveTag(changed)
		}
	case webhook.Event:
		return "", "", nil
	}
	return s.complete(event, data)
}

// complete adds what the state knows of the object whose id is told, as the vendor
// publishes it. Data that are no object stay as they are.
func (s *state) complete(event salesiq.EventName, data any) (name salesiq.EventName, id string, entity any) {
	told := map[string]json.RawMessage{}
	text, err := wire.Marshal(data)
	if err != nil || wire.Unmarshal(text, &told) != nil {
		return event, "", data
	}
	id = textOf(told["id"])
	completed := s.entityOf(event, id)
	for name, value := range told {
		completed[name] = value
	}
	if event == "conversation.rated" {
		delete(completed, "id")
	}
	return event, id, completed
}

// entityOf is the object of an event, or an empty one if there is none of that id.
func (s *state) entityOf(event salesiq.EventName, id string) object {
	switch kind, _, _ := strings.Cut(string(event), "."); kind {
	case "conversation":
		if chat, ok := s.chats.get(id); ok {
			return s.conversationEntity(chat)
		}
	case "visitor", "contact", "lead":
		if visitor, ok := s.visitors.get(id); ok {
			return s.visitorEntity(visitor)
		}
	case "operator":
		if operator, ok := s.operators.get(id); ok {
			return s.operatorEntity(operator)
		}
	case "department":
		if department, ok := s.department(id); ok {
			return s.liveDepartment(&department)
		}
	case "brands":
		if brand, ok := s.brands.get(id); ok {
			return s.liveApp(brand)
		}
	case "tag":
		if tag, ok := s.tags.get(id); ok {
			return s.liveTag(tag)
		}
	}
	return object{}
}

// endedBy is who ended a conversation, in the vendor's words.
func endedBy(sender salesiq.SenderType) string {
	switch sender {
	case salesiq.SenderOperator:
		return "agent"
	case salesiq.SenderVisitor:
		return "visitor"
	}
	return "system"
}

// aboutChat is an event about a chat, and what it tells beyond that.
func (s *state) aboutChat(event salesiq.EventName, id string, more object) (name salesiq.EventName, _ string, entity any) {
	chat, ok := s.chats.get(id)
	if !ok {
		return "", "", nil
	}
	told := s.conversationEntity(chat)
	maps.Copy(told, more)
	if event == "conversation.rated" {
		delete(told, "id") // The vendor's page has it in entity_id alone.
	}
	return event, id, told
}

func (s *state) aboutMessage(e *webhook.MessageReceived) (name salesiq.EventName, id string, entity any) {
	sender := object{"id": "$" + e.SenderID, "name": "", "type": "visitor"}
	if visitor, ok := s.visitors.get(e.SenderID); ok {
		sender["name"] = visitor.Name
	}
	name = "conversation.visitor.replied"
	if e.SenderType != salesiq.SenderVisitor {
		name = "conversation.operator.replied"
		sender["id"], sender["type"] = e.SenderID, "operator"
		if operator, ok := s.operators.get(e.SenderID); ok {
			sender["name"] = operator.Name
		}
		if bot, ok := s.bots[e.SenderID]; ok {
			sender["name"], sender["type"] = bot.Name, "bot"
		}
	}
	message := object{"msgid": e.MessageID, "text": e.Text, "meta": object{}, "sender": sender}
	return s.aboutChat(name, e.ChatID, object{"message": message})
}

// conversationEntity is a chat as events tell of it. It has other names than the
// calls have, and ids for objects.
func (s *state) conversationEntity(chat *salesiq.Chat) object {
	known := s.conversation(chat)
	visitor := object{"id": chat.VisitorID, "type": "lead", "name": chat.VisitorInfo.Name, "email_id": chat.VisitorInfo.Email, "phone": chat.VisitorInfo.Phone}
	entity := object{
		"id": chat.ID, "visitor_conversation_id": hex.EncodeToString([]byte(chat.ID)), "opened_time": known["start_time"],
		"department_id": chat.DepartmentID, "visitor": visitor.without("email_id", "phone"), "supervisors": []string{}, "participants": []string{},
	}
	for _, name := range []string{"reference_id", "attended_time", "missed_time", "end_time", "app_id", "question", "status", "chat_status"} {
		if value, ok := known[name]; ok {
			entity[name] = value
		}
	}
	if _, ok := entity["app_id"]; !ok {
		entity["app_id"] = s.defaultAppID()
	}
	if operator, ok := s.operators.get(chat.OperatorID); ok {
		entity["owner"] = eventPerson(operator)
		entity["participants"] = []string{operator.ID}
	}
	return entity
}

// eventPerson is an operator as events name who did something.
func eventPerson(operator *salesiq.Operator) object {
	return object{
		"id": operator.ID, "name": operator.Name, "email_id": operator.Email, "email": operator.Email, "type": "operator",
	}
}

// visitorEntity is a visitor as events tell of one. The blank in the type is the
// vendor's.
func (s *state) visitorEntity(visitor *salesiq.Visitor) object {
	first, last, _ := strings.Cut(visitor.Name, " ")
	entity := object{
		"id": visitor.ID, "type": "lead ", "first_name": first, "last_name": last, "email_id": visitor.Email, "phone": visitor.Phone,
	}.without("email_id", "phone")
	if operator, ok := s.operators.get(accountOwner); ok {
		entity["modifier"] = object{"id": operator.ID, "name": operator.Name, "email_id": operator.Email, "type": "operator"}
	}
	return entity
}

// operatorEntity is an operator as events tell of one, where chat_enabled is a real
// bool.
func (s *state) operatorEntity(operator *salesiq.Operator) object {
	entity := s.liveOperator(operator)
	delete(entity, "is_chat_enabled")
	entity["chat_enabled"], entity["access_levels"] = !s.disabled[operator.ID], []string{"chat", "tracking"}
	return entity
}
