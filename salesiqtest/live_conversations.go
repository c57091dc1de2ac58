package salesiqtest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/salesiq-go/salesiq"
)

// liveConversation is a chat as the live service writes it.
type liveConversation struct {
	ID           string     `json:"id"`
	ReferenceID  string     `json:"reference_id"`
	ChatID       string     `json:"chat_id"`
	Type         string     `json:"type"`
	Question     string     `json:"question"`
	Status       string     `json:"status"`
	StatusCode   int        `json:"status_code"`
	ChatStatus   liveStatus `json:"chat_status"`
	Visitor      liveParty  `json:"visitor"`
	Department   liveParty  `json:"department"`
	AppID        string     `json:"app_id,omitzero"`
	AppName      string     `json:"app_name,omitzero"`
	Attender     *liveParty `json:"attender,omitzero"`
	Tags         []string   `json:"tags"`
	Start        string     `json:"start_time"`
	Attended     string     `json:"attended_time"`
	Missed       string     `json:"missed_time"`
	End          string     `json:"end_time"`
	LastModified string     `json:"last_modified_time"`
	LastMessage  string     `json:"last_message_time"`
}

type liveStatus struct {
	State      int    `json:"state"`
	StateKey   string `json:"state_key"`
	StatusCode string `json:"status_code"`
	StatusKey  string `json:"status_key"`
	Label      string `json:"label"`
}

type liveParty struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email,omitzero"`
	IsBot bool   `json:"is_bot"`
}

// liveStatuses are the vendor's names for the statuses of chats.
var liveStatuses = map[salesiq.ChatStatus]liveStatus{
	salesiq.ChatWaiting: {State: 1, StateKey: "waiting", StatusCode: "1", StatusKey: "open", Label: "Live"},
	salesiq.ChatActive:  {State: 2, StateKey: "connected", StatusCode: "2", StatusKey: "open", Label: "Connected"},
	salesiq.ChatMissed:  {State: 3, StateKey: "missed", StatusCode: "3", StatusKey: "closed", Label: "Missed"},
	salesiq.ChatEnded:   {State: 4, StateKey: "end", StatusCode: "4", StatusKey: "closed", Label: "Attended Online"},
}

// conversation is a chat as the live service writes it.
func (s *state) conversation(chat *salesiq.Chat) liveConversation {
	status := liveStatuses[chat.Status]
	department, _ := s.department(chat.DepartmentID)
	out := liveConversation{
		ID: chat.ID, ReferenceID: strconv.Itoa(1 + slices.Index(s.chats.order, chat.ID)), ChatID: "LD_" + chat.ID, Type: "chat",
		Status: status.Label, StatusCode: status.State, ChatStatus: status,
		Visitor:    liveParty{ID: "$" + chat.VisitorID, Name: chat.VisitorInfo.Name, Email: chat.VisitorInfo.Email},
		Department: liveParty{ID: department.ID, Name: department.Name},
		Tags:       append([]string{}, chat.Tags...),
		Start:      millis(chat.StartedAt), End: strings.TrimPrefix(millis(chat.EndedAt), "-1"), LastModified: millis(lastChange(chat)), LastMessage: "-1",
	}
	if operator, ok := s.operators.get(chat.OperatorID); ok {
		out.Attender = &liveParty{ID: operator.ID, Name: operator.Name, Email: operator.Email}
	}
	if brand, ok := s.brandOf(chat.DepartmentID); ok {
		out.AppID, out.AppName = brand.ID, brand.Name
	}
	if waited, ok := firstResponse(chat); ok {
		out.Attended = millis(chat.StartedAt.Add(waited))
	}
	if chat.Status == salesiq.ChatMissed {
		out.Missed = out.End
	}
	for i, message := range chat.Transcript {
		if i == 0 {
			out.Question = message.Text
		}
		out.LastMessage = millis(message.Timestamp)
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
			(is(status, known.StateKey) || is(status, known.StatusKey)) &&
			is(department, chat.DepartmentID) && is(attender, chat.OperatorID) &&
			(app == "" || brand != nil && brand.ID == app) && is(email, chat.VisitorInfo.Email)
	})
	conversations := shownAs(c.state, kept, (*state).conversation)
	return withMore(liveWindow(c, conversations, (page-1)*limit, limit), conversations, page*limit).reply(p.err)
}

// liveMessage is a message as the live service writes it.
type liveMessage struct {
	SequenceID string    `json:"sequence_id"`
	Sender     liveParty `json:"sender"`
	Type       string    `json:"type"`
	Message    liveText  `json:"message"`
	Time       string    `json:"time"`
}

type liveText struct {
	Text string `json:"text"`
}

func (s *state) messages(chat *salesiq.Chat) []liveMessage {
	messages := make([]liveMessage, len(chat.Transcript))
	for i, message := range chat.Transcript {
		sender := liveParty{ID: "$" + message.SenderID, Name: chat.VisitorInfo.Name}
		if operator, ok := s.operators.get(message.SenderID); ok {
			sender = liveParty{ID: operator.ID, Name: operator.Name}
		}
		messages[i] = liveMessage{strconv.Itoa(i + 1), sender, "text", liveText{message.Text}, millis(message.Timestamp)}
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
	var kept []liveMessage
	for i, message := range c.messages(chat) {
		if sent.holds(chat.Transcript[i].Timestamp) {
			kept = append(kept, message)
		}
	}
	if sent.from.IsZero() && !sent.to.IsZero() {
		slices.Reverse(kept)
	}
	return withMore(liveWindow(c, kept, 0, limit), kept, limit).reply(nil)
}

func (s *state) sendText(chatID string, in liveText) (out liveMessage, err error) {
	if in.Text == "" {
		return out, missing("text")
	}
	if _, err := s.sendMessage(chatID, salesiq.Message{Text: in.Text, Type: salesiq.MessageText}); err != nil {
		return out, err
	}
	chat, _ := s.chats.get(chatID)
	messages := s.messages(chat)
	return messages[len(messages)-1], nil
}

type liveTransfer struct {
	DepartmentID string `json:"department_id"`
	OperatorID   string `json:"operator_id"`
}

func (s *state) transferConversation(chatID string, in liveTransfer) (liveConversation, error) {
	return s.conversationOr(s.transferWithin(chatID, in.DepartmentID, in.OperatorID))
}

func (s *state) closeConversation(chatID string) (liveConversation, error) {
	return s.conversationOr(s.end(chatID, salesiq.ChatEnd{}))
}

func (s *state) conversationOr(chat *salesiq.Chat, err error) (out liveConversation, _ error) {
	if err == nil {
		out = s.conversation(chat)
	}
	return out, err
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
type liveVisitor struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Email     string `json:"email,omitzero"`
	Country   string `json:"country"`
	LeadScore int    `json:"lead_score"`
	Source    string `json:"visit_source"`
	Visits    int    `json:"visit_count"`
	First     string `json:"first_accessed_time"`
	Last      string `json:"last_accessed_time"`
}

func (s *state) liveVisitor(visitor *salesiq.Visitor) liveVisitor {
	return liveVisitor{
		ID: visitor.ID, Name: visitor.Name, Email: visitor.Email, Country: visitor.Country, LeadScore: visitor.LeadScore,
		Source: cmp.Or(visitor.Referrer, "Direct"), Visits: visitor.TotalVisits,
		First: millis(visitor.FirstVisit), Last: millis(visitor.LastVisit),
	}
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
	answer := liveWindow(c, shownAs(c.state, found, (*state).liveVisitor), 0, limit)
	if end := min(limit, len(found)); end > 0 {
		key := millis(found[end-1].LastVisit)
		answer.NextKey, answer.PrevKey = key, key
	}
	return answer.reply(p.err)
}
