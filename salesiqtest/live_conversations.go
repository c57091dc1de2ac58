package salesiqtest

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/salesiq-go/salesiq"
)

// party is who takes part in a conversation, as the live service writes it.
func party(operator *salesiq.Operator) object {
	return object{
		"id": operator.ID, "name": operator.Name, "email": operator.Email, "image_key": "0_" + operator.ID, "is_bot": false,
	}
}

// liveStatus is a status as the live service writes it.
func liveStatus(state int, stateKey, statusKey, label string) object {
	return object{
		"id": strconv.Itoa(state), "state": state, "state_key": stateKey, "status_code": state, "status_key": statusKey, "label": label,
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
		"uvid": chat.VisitorID + "-" + chat.ID, "type": "chat", "question": "", "unread_chats": false, "notes": false,
		"status": status["label"], "status_code": status["state"], "chat_status": status,
		"visitor": s.conversationVisitor(chat), "department": ref(department.ID, department.Name),
		"participants": []object{}, "supervisors": []object{},
		"start_time": millis(chat.StartedAt), "attended_time": "", "missed_time": "", "end_time": "",
		"last_modified_time": millis(lastChange(chat)),
	}
	if operator, ok := s.operators.get(chat.OperatorID); ok {
		attender := party(operator)
		out["owner"], out["attender"], out["participants"] = attender, attender, []object{attender}
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
	if messages := s.messages(chat); len(messages) > 0 {
		last := messages[len(messages)-1]
		out["question"] = chat.Transcript[0].Text
		out["last_message_info"] = object{
			"sequence_id": last["sequence_id"], "sender": last["sender"], "type": last["type"], "message": last["message"],
		}
	}
	return out
}

// conversationVisitor is what a conversation tells of its visitor.
func (s *state) conversationVisitor(chat *salesiq.Chat) object {
	visitor, ok := s.visitors.get(chat.VisitorID)
	if !ok {
		visitor = &salesiq.Visitor{}
	}
	return object{
		"id": chat.VisitorID, "user_id": "$" + chat.VisitorID, "name": chat.VisitorInfo.Name, "email": chat.VisitorInfo.Email,
		"country_code": visitor.CountryCode, "supported_operations": []string{"file_share", "block_ip"},
	}.without("email", "country_code")
}

func listConversations(c *call) (any, error) {
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
	return window(c, kept, (page-1)*limit, limit, hasMore(page*limit < len(kept)))
}

// messages are the transcript of a chat as the live service writes it.
func (s *state) messages(chat *salesiq.Chat) []object {
	messages := make([]object, len(chat.Transcript))
	for i, message := range chat.Transcript {
		sender := ref("$"+message.SenderID, chat.VisitorInfo.Name)
		if operator, ok := s.operators.get(message.SenderID); ok {
			sender = ref(operator.ID, operator.Name)
		}
		messages[i] = object{
			"sequence_id": strconv.Itoa(i + 1), "sender": sender, "type": "text",
			"message": object{"text": message.Text}, "time": millis(message.Timestamp),
		}
		s.showFile(chat.ID, message, messages[i])
	}
	return messages
}

// listMessages answers with the oldest first, or the newest, where only to_time
// is given.
func listMessages(c *call) (any, error) {
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
	return window(c, kept, 0, limit, hasMore(limit < len(kept)))
}

// liveText is a message to send.
type liveText struct {
	Text string `json:"text"`
}

func (s *state) sendText(chatID string, in liveText) (object, error) {
	if in.Text == "" {
		return nil, missing("text")
	}
	if _, err := s.sendMessage(chatID, salesiq.Message{Text: in.Text, Type: salesiq.MessageText}); err != nil {
		return nil, err
	}
	chat, _ := s.chats.get(chatID)
	return s.messages(chat)[len(chat.Transcript)-1], nil
}

// idList is a body that is a list of ids.
type idList struct {
	IDs []string `json:"ids"`
}

// tagConversation tells which tags could not be given. The call succeeds all the
// same.
func (s *state) tagConversation(chatID string, in idList) (any, error) {
	if len(in.IDs) == 0 {
		return nil, missing("ids")
	}
	tags, failed, err := s.tagChat(chatID, in.IDs)
	if err != nil {
		return nil, err
	}
	associated := []object{}
	for _, tag := range tags {
		associated = append(associated, s.liveTag(tag))
	}
	return object{"associated_tags": associated, "failed_tag_ids": append([]string{}, failed...)}, nil
}

func (s *state) createTag(_ string, in tag) (*tag, error) {
	if in.ID != "" {
		return nil, invalid("id", cannotBeSet)
	}
	in.created = s.now
	return s.tags.add(s, in)
}

// liveTag is a tag as the live service writes it.
func (s *state) liveTag(tag *tag) object {
	modifier, modified := s.owner(), millis(tag.created)
	modifier["modified_time"] = modified
	return object{
		"id": tag.ID, "name": tag.Name, "color": tag.Color, "module": tag.Module, "archived": false, "status": "unarchived",
		"modified_time": modified, "modifier": modifier,
	}
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
func listLiveVisitors(c *call) (any, error) {
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
	keys := object{"url": "/api/v3/visitors"} // Without the screen name, as the vendor has it.
	if end := min(limit, len(found)); end > 0 {
		key := millis(found[end-1].LastVisit)
		keys["next_key"], keys["prev_key"] = key, key
	}
	return window(c, found, 0, limit, keys)
}
