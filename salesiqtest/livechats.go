package salesiqtest

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
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

func (s *state) conversation(chat *salesiq.Chat) liveConversation {
	status := liveStatuses[chat.Status]
	department, _ := s.department(chat.DepartmentID)
	out := liveConversation{
		ID: chat.ID, ReferenceID: strconv.Itoa(1 + slices.Index(s.chats.order, chat.ID)), ChatID: "LD_" + chat.ID, Type: "chat",
		Status: status.Label, StatusCode: status.State, ChatStatus: status,
		Visitor:    liveParty{ID: "$" + chat.VisitorID, Name: chat.VisitorInfo.Name, Email: chat.VisitorInfo.Email},
		Department: liveParty{ID: department.ID, Name: department.Name},
		Tags:       append([]string{}, chat.Tags...),
		Start:      millis(chat.StartedAt), End: millisOrNothing(chat.EndedAt), LastModified: millis(lastChange(chat)), LastMessage: "-1",
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

// lastChange is when a chat began or ended, or something was said in it.
func lastChange(chat *salesiq.Chat) time.Time {
	last := chat.StartedAt
	for _, message := range chat.Transcript {
		last = message.Timestamp
	}
	if chat.EndedAt.After(last) {
		last = chat.EndedAt
	}
	return last
}

// The page sizes of the live service.
const (
	liveConversationPage    = 20
	liveMaxConversationPage = 99
)

func listConversations(c *call) (*reply, error) {
	p := params{query: c.query}
	oneOf(&p, "status", []string{"open", "closed", "waiting", "connected", "missed", "end"})
	started := span{p.milli("from_time"), p.milli("to_time")}
	updated := span{p.milli("updated_from_time"), p.milli("updated_till_time")}
	page := p.number("page", 1, 1, 1_000_000_000)
	limit := p.number("limit", liveConversationPage, 1, liveMaxConversationPage)
	if p.err != nil {
		return nil, p.err
	}
	matches := func(name string, values ...string) bool {
		return c.query.Get(name) == "" || slices.Contains(values, c.query.Get(name))
	}
	var kept []liveConversation
	for chat := range c.state.chats.all() {
		conversation := c.state.conversation(chat)
		if started.holds(chat.StartedAt) && updated.holds(lastChange(chat)) &&
			matches("status", conversation.ChatStatus.StateKey, conversation.ChatStatus.StatusKey) &&
			matches("department_id", chat.DepartmentID) && matches("attender_id", chat.OperatorID) &&
			matches("app_id", conversation.AppID) && matches("email", chat.VisitorInfo.Email) {
			kept = append(kept, conversation)
		}
	}
	return window(c, kept, (page-1)*limit, limit, true)
}

func getConversation(c *call) (*reply, error) {
	chat, err := c.chat()
	if err != nil {
		return nil, err
	}
	return c.conversation(chat)
}

func (c *call) conversation(chat *salesiq.Chat) (*reply, error) {
	return c.one("conversations", c.state.conversation(chat))
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
	p := params{query: c.query}
	sent := span{p.milli("from_time"), p.milli("to_time")}
	limit := p.number("limit", liveConversationPage, 1, 100)
	chat, err := c.chat()
	if err := cmp.Or(p.err, err); err != nil {
		return nil, err
	}
	var kept []liveMessage
	for i, message := range c.state.messages(chat) {
		if sent.holds(chat.Transcript[i].Timestamp) {
			kept = append(kept, message)
		}
	}
	if sent.from.IsZero() && !sent.to.IsZero() {
		slices.Reverse(kept)
	}
	return window(c, kept, 0, limit, true)
}

// as is a call with another body, for a handler of the specified dialect.
func (c *call) as(body map[string]any) *call {
	translated := *c
	translated.body = members{}
	for name, value := range body {
		data, err := wire.Marshal(value)
		if err != nil {
			panic("salesiqtest: " + err.Error()) // They are strings.
		}
		translated.body[name] = json.RawMessage(data)
	}
	return &translated
}

func postMessage(c *call) (*reply, error) {
	var in liveText
	if err := patch(&in, c.body); err != nil {
		return nil, err
	}
	if in.Text == "" {
		return nil, missing("text")
	}
	if _, err := sendMessage(c.as(map[string]any{"message": in.Text, "type": "text"})); err != nil {
		return nil, err
	}
	chat, err := c.chat()
	if err != nil {
		return nil, err
	}
	messages := c.state.messages(chat)
	return c.one("message", messages[len(messages)-1])
}

// transferConversation hands over to an operator, or to anybody in a department
// who is there.
func transferConversation(c *call) (*reply, error) {
	var in struct {
		DepartmentID string `json:"department_id"`
		OperatorID   string `json:"operator_id"`
	}
	if err := patch(&in, c.body); err != nil {
		return nil, err
	}
	if in.DepartmentID == "" {
		return nil, missing("department_id")
	}
	if err := c.state.checkDepartment("department_id", in.DepartmentID); err != nil {
		return nil, err
	}
	if in.OperatorID == "" {
		operator, ok := c.state.operators.find(func(o *salesiq.Operator) bool {
			return o.DepartmentID == in.DepartmentID && o.Status != salesiq.OperatorOffline && !c.state.live.disabled[o.ID]
		})
		if !ok {
			return nil, refuse(salesiq.ErrOperatorOffline, "nobody in the department is there", details{"field": "department_id"})
		}
		in.OperatorID = operator.ID
	}
	if c.state.live.disabled[in.OperatorID] {
		return nil, refuse(salesiq.ErrOperatorOffline, "the operator is disabled", details{"field": "operator_id"})
	}
	if _, err := transferChat(c.as(map[string]any{"operator_id": in.OperatorID})); err != nil {
		return nil, err
	}
	chat, err := c.chat()
	if err != nil {
		return nil, err
	}
	chat.DepartmentID = in.DepartmentID
	c.tellLive("conversation.attender.updated", chat.ID, c.state.conversation(chat))
	return c.conversation(chat)
}

func closeConversation(c *call) (*reply, error) {
	if _, err := endChat(c.as(nil)); err != nil {
		return nil, err
	}
	return getConversation(c)
}

// tagConversation gives a conversation the names of tags. It answers without
// data, as the vendor's pages show for such calls.
func tagConversation(c *call) (*reply, error) {
	chat, err := c.chat()
	if err != nil {
		return nil, err
	}
	ids, err := c.ids()
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		tag, ok := c.state.live.tags.get(id)
		if !ok {
			return nil, invalid("ids["+strconv.Itoa(i)+"]", "is no tag")
		}
		if !slices.Contains(chat.Tags, tag.Name) {
			chat.Tags = append(chat.Tags, tag.Name)
		}
	}
	return deleted()
}

// ids reads a body that is a list of ids.
func (c *call) ids() ([]string, error) {
	var in struct {
		IDs []string `json:"ids"`
	}
	if err := patch(&in, c.body); err != nil {
		return nil, err
	}
	if len(in.IDs) == 0 {
		return nil, missing("ids")
	}
	return in.IDs, nil
}

type liveTag struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Color  string `json:"color"`
	Module string `json:"module"`
}

var tagModules = []string{"conversations", "visitors", "contacts", "companies"}

func createTag(c *call) (*reply, error) {
	var tag liveTag
	if err := patch(&tag, c.body, "id"); err != nil {
		return nil, err
	}
	switch {
	case tag.Name == "":
		return nil, missing("name")
	case tag.Color == "":
		return nil, missing("color")
	case !slices.Contains(tagModules, tag.Module):
		return nil, invalid("module", "must be one of "+join(tagModules))
	}
	if _, taken := c.state.live.tags.find(func(other *liveTag) bool { return other.Name == tag.Name && other.Module == tag.Module }); taken {
		return nil, duplicate("tag", "name")
	}
	tag.ID = c.state.newID("tag")
	c.state.live.tags.put(tag.ID, &tag)
	c.tellLive("tag.created", tag.ID, tag)
	return c.one("tags", tag)
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

const liveVisitorPage = 200

// listLiveVisitors answers with those after next_key, oldest first, or before
// prev_key, newest first. A page does not end between two of the same moment.
func listLiveVisitors(c *call) (*reply, error) {
	p := params{query: c.query}
	after, before := p.milli("next_key"), p.milli("prev_key")
	limit := p.number("limit", liveVisitorPage, 1, liveVisitorPage)
	if !after.IsZero() && !before.IsZero() {
		p.fail("prev_key", "cannot be used together with next_key")
	}
	if p.err != nil {
		return nil, p.err
	}
	found := c.state.visitorsBetween(after, before)
	if !before.IsZero() {
		slices.Reverse(found)
	}
	shown := []liveVisitor{}
	for i, visitor := range found {
		if i >= limit && !visitor.LastVisit.Equal(found[i-1].LastVisit) {
			break
		}
		shown = append(shown, c.state.liveVisitor(visitor))
	}
	answer := liveAnswer{URL: c.url, Object: "list", Data: shown, SyncTime: millis(c.now)}
	if len(shown) > 0 {
		key := shown[len(shown)-1].Last
		answer.NextKey, answer.PrevKey = key, key
	}
	return &reply{200, answer}, nil
}

// visitorsBetween returns those who came last between two times, oldest first. A
// zero time is no bound.
func (s *state) visitorsBetween(after, before time.Time) (found []*salesiq.Visitor) {
	for visitor := range s.visitors.all() {
		if visitor.LastVisit.After(after) && (before.IsZero() || visitor.LastVisit.Before(before)) {
			found = append(found, visitor)
		}
	}
	slices.SortStableFunc(found, func(a, b *salesiq.Visitor) int { return a.LastVisit.Compare(b.LastVisit) })
	return found
}
