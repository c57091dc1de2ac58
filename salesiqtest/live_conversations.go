package salesiqtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

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
		"id": chat.ID, "reference_id": strconv.Itoa(s.reference(chat.ID)), "chat_id": "LD_" + chat.ID,
		"uvid": chat.VisitorID + "-" + chat.ID, "type": "chat", "question": "", "unread_chats": false, "notes": len(s.notes[chat.ID]) > 0,
		"status": status["label"], "status_code": status["state"], "chat_status": status,
		"visitor": s.conversationVisitor(chat), "department": ref(department.ID, department.Name),
		"participants": []object{}, "supervisors": []object{}, "tags": s.liveTags(s.tagsOn(ofConversations, chat.Tags)),
		"start_time": millis(chat.StartedAt), "attended_time": "", "missed_time": "", "end_time": "",
		"last_modified_time": millis(lastChange(chat)),
	}
	if operator, ok := s.operators.get(chat.OperatorID); ok {
		attender := party(operator)
		out["owner"], out["attender"], out["participants"] = attender, attender, []object{attender}
	}
	if t := s.talks[chat.ID]; t.open() {
		out["attender"] = t.bot.party()
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
	if len(chat.CustomFields) > 0 {
		out["customer_info"] = textsOf(chat.CustomFields)
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

// visitorOf is the visitor of a chat, who may have left no trace but the chat.
func (s *state) visitorOf(chat *salesiq.Chat) *salesiq.Visitor {
	visitor, _ := s.visitors.get(chat.VisitorID)
	return cmp.Or(visitor, &salesiq.Visitor{})
}

// conversationVisitor is what a conversation tells of its visitor.
func (s *state) conversationVisitor(chat *salesiq.Chat) object {
	return object{
		"id": chat.VisitorID, "user_id": "$" + chat.VisitorID, "name": chat.VisitorInfo.Name, "email": chat.VisitorInfo.Email,
		"country_code": s.visitorOf(chat).CountryCode, "supported_operations": []string{"file_share", "block_ip"},
	}.without("email", "country_code")
}

// textsOf writes custom fields as the live service does.
func textsOf(fields map[string]any) map[string]string {
	texts := map[string]string{}
	for name, value := range fields {
		texts[name] = fmt.Sprint(value)
	}
	return texts
}

// conversationFields are those that can be asked for by name.
var conversationFields = strings.Fields(`id reference_id chat_id uvid type question unread_chats notes status status_code chat_status visitor
	department participants supervisors tags start_time attended_time missed_time end_time last_modified_time owner attender app_id app_name
	customer_info last_message_info`)

// conversationFilters are the parameters of a list of conversations. The vendor
// names page and limit; index instead of page is what a third party reports.
const conversationFilters = "page index limit status department_id attender_id app_id email visitor_type from_time to_time " +
	"updated_from_time updated_till_time sort_by sort_order fields reference_ids"

// listConversations answers with those that match all filters. Without sort_by, they
// come as they were made.
func listConversations(c *call) (any, error) {
	p := &c.query
	status := oneOf(p, "status", []string{"open", "closed", "waiting", "connected", "missed", "end"})
	visitors := oneOf(p, "visitor_type", []string{"lead", "contact"})
	started := span{p.milli("from_time"), p.milli("to_time")}
	updated := span{p.milli("updated_from_time"), p.milli("updated_till_time")}
	department, attender, app, email := p.text("department_id"), p.text("attender_id"), p.text("app_id"), p.text("email")
	references := p.list("reference_ids", nil)
	fields := p.list("fields", conversationFields)
	kept := c.chats.matching(func(chat *salesiq.Chat) bool {
		known := liveStatuses[chat.Status]
		brand, _ := c.brandOf(chat.DepartmentID)
		return started.holds(chat.StartedAt) && updated.holds(lastChange(chat)) &&
			(status == "" || status == known["state_key"] || status == known["status_key"]) &&
			passes(department, chat.DepartmentID) && passes(attender, chat.OperatorID) &&
			passes(visitors, visitorType(c.visitorOf(chat))) &&
			(len(references) == 0 || slices.Contains(references, strconv.Itoa(c.reference(chat.ID)))) &&
			(app == "" || brand != nil && brand.ID == app) && passes(email, chat.VisitorInfo.Email)
	})
	sortBy(p, "sort_by", "sort_order", kept, map[string]func(*salesiq.Chat) time.Time{
		"in_time":      func(chat *salesiq.Chat) time.Time { return chat.StartedAt },
		"end_time":     func(chat *salesiq.Chat) time.Time { return chat.EndedAt },
		"updated_time": lastChange,
	})
	most := liveMaxConversationPage
	if p.text("index") != "" {
		most = liveMaxIndexedConversations
	}
	limit := p.number("limit", liveConversationPage, 1, most)
	from := (p.number("page", 1, 1, endlessly) - 1) * limit
	if p.text("index") != "" {
		if p.text("page") != "" {
			p.fail("index", "cannot be used together with page")
		}
		from = p.number("index", 1, 0, endlessly) - 1
	}
	more := hasMore(from+limit < len(kept))
	if len(fields) == 0 {
		return window(c, kept, from, limit, more)
	}
	narrowed := []object{}
	for _, chat := range kept {
		narrowed = append(narrowed, c.conversation(chat).only(fields))
	}
	return window(c, narrowed, from, limit, more)
}

// only keeps some fields.
func (o object) only(fields []string) object {
	kept := object{}
	for _, field := range fields {
		if value, ok := o[field]; ok {
			kept[field] = value
		}
	}
	return kept
}

// list reads a list of words between commas. Allowed are all of them, or some.
func (p *params) list(name string, allowed []string) []string {
	words := strings.FieldsFunc(p.text(name), func(r rune) bool { return r == ',' })
	for _, word := range words {
		if allowed != nil && !slices.Contains(allowed, word) {
			p.fail(name, "must be some of "+strings.Join(allowed, ", "))
		}
	}
	return words
}

// sortBy sorts by what one parameter names, in the direction that another names.
func sortBy[T any](p *params, by, order string, items []T, keys map[string]func(T) time.Time) {
	key := oneOf(p, by, slices.Sorted(maps.Keys(keys)))
	direction := oneOf(p, order, []string{"ascending", "descending"})
	if keys[key] != nil {
		slices.SortStableFunc(items, func(a, b T) int { return keys[key](a).Compare(keys[key](b)) })
	}
	if direction == "descending" {
		slices.Reverse(items)
	}
}

// messages are the transcript of a chat as the live service writes it.
func (s *state) messages(chat *salesiq.Chat) []object {
	messages := make([]object, len(chat.Transcript))
	for i, message := range chat.Transcript {
		sender := ref("$"+message.SenderID, chat.VisitorInfo.Name)
		if operator, ok := s.operators.get(message.SenderID); ok {
			sender = ref(operator.ID, operator.Name)
		}
		if bot, ok := s.bots[message.SenderID]; ok {
			sender = ref(bot.id, bot.Name)
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
	usual := "ascending"
	if sent.from.IsZero() && !sent.to.IsZero() {
		usual = "descending"
	}
	order := cmp.Or(oneOf(&c.query, "sort_order", []string{"ascending", "descending"}), usual)
	if order == "descending" {
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

// sendToLatest writes into the most recent active chat of a visitor: first of all one
// that the operator who has signed in attends.
func (s *state) sendToLatest(email string, in liveText) (object, error) {
	var latest *salesiq.Chat
	mine := func(chat *salesiq.Chat) bool { return chat.OperatorID == accountOwner }
	for chat := range s.chats.all() {
		switch {
		case chat.Status != salesiq.ChatActive || chat.VisitorInfo.Email != email:
		case latest == nil, mine(chat) && !mine(latest), mine(chat) == mine(latest) && chat.StartedAt.After(latest.StartedAt):
			latest = chat
		}
	}
	if latest == nil {
		return nil, notFound("conversation", email)
	}
	return s.sendText(latest.ID, in)
}

// liveNote is a note to add.
type liveNote struct {
	Text string `json:"notes"`
}

func (s *state) addLiveNote(chatID string, in liveNote) (object, error) {
	if in.Text == "" {
		return nil, missing("notes")
	}
	if _, err := s.chats.find(chatID); err != nil {
		return nil, err
	}
	s.addNote(chatID, in.Text)
	return object{"note": in.Text, "creator": s.owner(), "created_time": millis(s.now)}, nil
}

// channels are where conversations take place. All of ours do so on the website.
var channels = []string{"website", "ios", "android", "emailsignature"}

// deleteConversations takes ids as numbers or as texts.
func deleteConversations(c *call) (any, error) {
	var in struct {
		IDs []json.RawMessage `json:"ids"`
	}
	if err := patch(&in, c.body); err != nil {
		return nil, err
	}
	channel := c.header.Get("X-Siq-Channel")
	switch {
	case !slices.Contains(channels, channel):
		return nil, invalidHeader("X-SIQ-Channel", "must be one of "+join(channels))
	case len(in.IDs) == 0:
		return nil, missing("ids")
	}
	ids := make([]string, len(in.IDs))
	for i, id := range in.IDs {
		ids[i] = strings.Trim(string(id), `"`)
		if channel != channels[0] {
			return nil, notFound("conversation of this channel", ids[i])
		}
	}
	return nil, c.deleteChats(ids)
}

// exported is what to export of a conversation.
type exported struct {
	Data   string `json:"data"`
	Format string `json:"format"`
}

// exportConversation answers with the messages, since no page shows an answer.
func (s *state) exportConversation(chatID string, in exported) (any, error) {
	chat, err := s.chats.find(chatID)
	if err != nil {
		return nil, err
	}
	err = check(allFields, isOneOf("data", in.Data, []string{"messages"}), isOneOf("format", in.Format, []string{"json"}))
	if err != nil {
		return nil, err
	}
	return s.messages(chat), nil
}

// showConversationVisitor tells how the visitor of a conversation came. The vendor
// calls the object a list, and puts it below another root.
func showConversationVisitor(c *call) (any, error) {
	parts := c.query.list("include", []string{"trackinginfo", "moreinfo"})
	chat, err := c.chats.find(c.id)
	if err := cmp.Or(c.query.err, err); err != nil {
		return nil, err
	}
	known := c.conversation(chat)
	operator, _ := c.operators.get(chat.OperatorID)
	department, _ := c.department(chat.DepartmentID)
	about := object{
		"department_name": department.Name, "visit_id": visitID(chat.ID), "attender_name": "", "chat_id": known["chat_id"], "feedback": 0,
		"participants": []string{},
	}
	if operator != nil {
		about["attender_name"], about["participants"] = operator.Name, []string{operator.ID}
	}
	if chat.Rating != nil {
		about["feedback"] = *chat.Rating
	}
	data := object{"conversation_details": about}
	if slices.Contains(parts, "moreinfo") {
		about["add_info"] = textsOf(chat.CustomFields)
	}
	if slices.Contains(parts, "trackinginfo") {
		data["tracking_details"] = object{"source": visitSource(c.visitorOf(chat))}
	}
	url := "/web/v2/" + strings.TrimPrefix(c.url, "/api/v2/")
	return &reply{http.StatusOK, object{"url": url, "object": "list", "data": data}}, nil
}

// visitSource is the vendor's number for how a visitor came: directly, by a search
// engine, or by another website.
func visitSource(visitor *salesiq.Visitor) int {
	switch {
	case visitor.Referrer == "":
		return 1
	case strings.Contains(visitor.Referrer, "search"):
		return 3
	}
	return 2
}
