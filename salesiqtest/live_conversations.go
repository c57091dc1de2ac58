package salesiqtest

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/salesiq-go/salesiq"
)

// person is who takes part in a conversation, as the live service writes it.
func person(id, name, email string) object {
	return object{"id": id, "name": name, "email": email, "is_bot": false}.without("email")
}

// liveStatus is a status as the live service writes it.
func liveStatus(state int, stateKey, statusKey, label string) object {
	return object{
		"state": state, "state_key": stateKey, "status_code": strconv.Itoa(state), "status_key": statusKey, "label": label,
	}
}

// liveStatuses are the vendor's names for the statuses of chats.
var liveStatuses = map[salesiq.ChatStatus]object{
	salesiq.ChatWaiting: liveStatus(1, "waiting", "open", "Live"),
	salesiq.ChatActive:  liveStatus(2, "connected", "open", "Connected"),
	salesiq.ChatMissed:  liveStatus(3, "missed", "closed", "Missed"),
	salesiq.ChatEnded:   liveStatus(4, "end", "closed", "Attended Online"),
}

// conversation is a chat as the live service writes it.
func (s *state) conversation(chat *salesiq.Chat) object {
	status := liveStatuses[chat.Status]
	department, _ := s.department(chat.DepartmentID)
	out := object{
		"id": chat.ID, "reference_id": strconv.Itoa(1 + slices.Index(s.chats.order, chat.ID)), "chat_id": "LD_" + chat.ID,
		"type": "chat", "question": "", "status": status["label"], "status_code": status["state"], "chat_status": status,
		"visitor":    person("$"+chat.VisitorID, chat.VisitorInfo.Name, chat.VisitorInfo.Email),
		"department": person(department.ID, department.Name, ""),
		"tags":       append([]string{}, chat.Tags...),
		"start_time": millis(chat.StartedAt), "attended_time": "", "missed_time": "", "end_time": "",
		"last_modified_time": millis(lastChange(chat)), "last_message_time": "-1",
	}
	if operator, ok := s.operators.get(chat.OperatorID); ok {
		out["attender"] = person(operator.ID, operator.Name, operator.Email)
	}
	if brand, ok := s.brandOf(chat.DepartmentID); ok {
		out["app_id"], out["app_name"] = brand.ID, brand.Name
	}
	if waited, ok := firstResponse(chat); ok {
		out["attended_time"] = millis(chat.StartedAt.Add(waited))
	}
	if !chat.EndedAt.IsZero() {
		out["end_time"] = millis(chat.EndedAt)
	}
	if chat.Status == salesiq.ChatMissed {
		out["missed_time"] = out["end_time"]
	}
	if said := len(chat.Transcript); said > 0 {
		out["question"], out["last_message_time"] = chat.Transcript[0].Text, millis(chat.Transcript[said-1].Timestamp)
	}
	return out
}

// The page sizes of the live service.
const (
	liveConversationPage    = 20
	liveMaxConversationPage = 99
	liveMaxMessagePage      = 100
	liveVisitorPage         = 200
	endlessly               = 1_000_000_000
)

func listConversations(c *call) (*reply, error) {
	p := &c.query
	status := oneOf(p, "status", []string{"open", "closed", "waiting", "connected", "missed", "end"})
	started := span{p.milli("from_time"), p.milli("to_time")}
	updated := span{p.milli("updated_from_time"), p.milli("updated_till_time")}
	department, attender, app, email := p.text("department_id"), p.text("attender_id"), p.text("app_id"), p.text("email")
	page := p.number("page", 1, 1, endlessly)
	limit := p.number("limit", liveConversationPage, 1, liveMaxConversationPage)
	kept := c.chats.matching(func(chat *salesiq.Chat) bool {
		known := liveStatuses[chat.Status]
		brand, _ := c.brandOf(chat.DepartmentID)
		return started.holds(chat.StartedAt) && updated.holds(lastChange(chat)) &&
			(status == "" || status == known["state_key"] || status == known["status_key"]) &&
			passes(department, chat.DepartmentID) && passes(attender, chat.OperatorID) &&
			(app == "" || brand != nil && brand.ID == app) && passes(email, chat.VisitorInfo.Email)
	})
	conversations := shownAs(c.state, kept, (*state).conversation)
	return c.liveWindow(conversations, (page-1)*limit, limit, hasMore(page*limit < len(conversations)), nil)
}

// messages are the transcript of a chat as the live service writes it.
func (s *state) messages(chat *salesiq.Chat) []object {
	messages := make([]object, len(chat.Transcript))
	for i, message := range chat.Transcript {
		sender := person("$"+message.SenderID, chat.VisitorInfo.Name, "")
		if operator, ok := s.operators.get(message.SenderID); ok {
			sender = person(operator.ID, operator.Name, "")
		}
		messages[i] = object{
			"sequence_id": strconv.Itoa(i + 1), "sender": sender, "type": "text",
			"message": object{"text": message.Text}, "time": millis(message.Timestamp),
		}
	}
	return messages
}

// listMessages answers with the oldest first, or the newest, where only to_time
// is given.
func listMessages(c *call) (*reply, error) {
	sent := span{c.query.milli("from_time"), c.query.milli("to_time")}
	limit := c.query.number("limit", liveConversationPage, 1, liveMaxMessagePage)
	chat, err := c.chats.find(c.id)
	if err := cmp.Or(c.query.err, err); err != nil {
		return nil, err
	}
	var kept []object
	for i, message := range c.messages(chat) {
		if sent.holds(chat.Transcript[i].Timestamp) {
			kept = append(kept, message)
		}
	}
	if sent.from.IsZero() && !sent.to.IsZero() {
		slices.Reverse(kept)
	}
	return c.liveWindow(kept, 0, limit, hasMore(limit < len(kept)), nil)
}

// liveText is a message to send.
type liveText struct {
	Text string `json:"text"`
}

func (s *state) sendText(chatID string, in liveText) (any, error) {
	if in.Text == "" {
		return nil, missing("text")
	}
	if _, err := s.sendMessage(chatID, salesiq.Message{Text: in.Text, Type: salesiq.MessageText}); err != nil {
		return nil, err
	}
	chat, _ := s.chats.get(chatID)
	return s.messages(chat)[len(chat.Transcript)-1], nil
}

type liveTransfer struct {
	DepartmentID string `json:"department_id"`
	OperatorID   string `json:"operator_id"`
}

func (s *state) transferConversation(chatID string, in liveTransfer) (any, error) {
	chat, err := s.transferWithin(chatID, in.DepartmentID, in.OperatorID)
	return liveOr(s, chat, err, (*state).conversation)
}

func (s *state) closeConversation(chatID string) (any, error) {
	chat, err := s.end(chatID, salesiq.ChatEnd{})
	return liveOr(s, chat, err, (*state).conversation)
}

func (s *state) tagConversation(chatID string, in idList) (any, error) {
	if len(in.IDs) == 0 {
		return nil, missing("ids")
	}
	return nil, s.tagChat(chatID, in.IDs)
}

func (s *state) createTag(_ string, in tag) (*tag, error) {
	if in.ID != "" {
		return nil, invalid("id", cannotBeSet)
	}
	return s.tags.add(s, in)
}

// liveVisitor is a visitor as version 3 of the API writes one.
func (s *state) liveVisitor(visitor *salesiq.Visitor) object {
	return object{
		"id": visitor.ID, "name": visitor.Name, "email": visitor.Email, "country": visitor.Country, "lead_score": visitor.LeadScore,
		"visit_source": cmp.Or(visitor.Referrer, "Direct"), "visit_count": visitor.TotalVisits,
		"first_accessed_time": millis(visitor.FirstVisit), "last_accessed_time": millis(visitor.LastVisit),
	}.without("email")
}

// listLiveVisitors answers with those after next_key, oldest first, or before
// prev_key, newest first. A page does not end between two of the same moment.
func listLiveVisitors(c *call) (*reply, error) {
	p := &c.query
	after, before := p.milli("next_key"), p.milli("prev_key")
	limit := p.number("limit", liveVisitorPage, 1, liveVisitorPage)
	if !after.IsZero() && !before.IsZero() {
		p.fail("prev_key", "cannot be used together with next_key")
	}
	found := c.visitorsBetween(after, before)
	if !before.IsZero() {
		slices.Reverse(found)
	}
	for limit < len(found) && found[limit].LastVisit.Equal(found[limit-1].LastVisit) {
		limit++
	}
	keys := object{}
	if end := min(limit, len(found)); end > 0 {
		key := millis(found[end-1].LastVisit)
		keys = object{"next_key": key, "prev_key": key}
	}
	return c.liveWindow(shownAs(c.state, found, (*state).liveVisitor), 0, limit, keys, nil)
}
