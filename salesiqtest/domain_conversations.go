package salesiqtest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/input"
)

// What only the live service does with chats.

// reference is the small number by which operators speak of a chat. It stays when
// other chats are deleted.
func (s *state) reference(chatID string) int {
	if s.references[chatID] == 0 {
		for _, id := range s.chats.order {
			if s.references[id] == 0 {
				s.references[id] = len(s.references) + 1
			}
		}
	}
	return s.references[chatID]
}

// pickUp gives a waiting chat to the operator who has signed in.
func (s *state) pickUp(chatID string) (*salesiq.Chat, error) {
	if _, err := s.chatIn(chatID, salesiq.ChatWaiting); err != nil {
		return nil, err
	}
	chat, err := s.transfer(chatID, salesiq.ChatTransfer{OperatorID: accountOwner})
	if err == nil {
		s.tellVendors("conversation.attender.updated", chat)
	}
	return chat, err
}

// handover is where a chat was before it was transferred.
type handover struct {
	operatorID, departmentID string
	status                   salesiq.ChatStatus
}

// byOperator says who accepts or rejects a chat.
type byOperator struct {
	OperatorID string `json:"operator_id"`
}

// handedTo finds a chat that was transferred to an operator who has not answered yet.
func (s *state) handedTo(chatID string, by byOperator) (*salesiq.Chat, handover, error) {
	chat, err := s.chatIn(chatID, salesiq.ChatActive)
	from, pending := s.handovers[chatID]
	switch {
	case err != nil:
	case by.OperatorID == "":
		err = missing("operator_id")
	case !pending:
		err = invalid("id", "is of no conversation that was transferred")
	case chat.OperatorID != by.OperatorID:
		err = refuse(salesiq.ErrOperatorOffline, "the conversation was transferred to another operator", details{"field": "operator_id"})
	}
	return chat, from, err
}

func (s *state) acceptTransfer(chatID string, by byOperator) (*salesiq.Chat, error) {
	chat, _, err := s.handedTo(chatID, by)
	if err != nil {
		return nil, err
	}
	delete(s.handovers, chatID)
	s.tellVendors("conversation.transfer.accepted", chat)
	return chat, nil
}

// rejectTransfer gives a chat back to where it came from.
func (s *state) rejectTransfer(chatID string, by byOperator) (any, error) {
	chat, from, err := s.handedTo(chatID, by)
	if err != nil {
		return nil, err
	}
	s.release(chat)
	chat.OperatorID, chat.DepartmentID, chat.Status = from.operatorID, from.departmentID, from.status
	if operator, ok := s.operators.get(chat.OperatorID); ok {
		operator.ActiveChats++
	}
	s.freeVisitor(chat.VisitorID)
	delete(s.handovers, chatID)
	s.tellVendors("conversation.transfer.rejected", chat)
	return nil, nil
}

// deleteChats deletes all of some chats, or none.
func (s *state) deleteChats(ids []string) error {
	for _, id := range ids {
		if _, err := s.chats.find(id); err != nil {
			return err
		}
		s.reference(id)
	}
	for _, id := range ids {
		chat, ok := s.chats.get(id)
		if !ok {
			continue // It was named twice.
		}
		if chat.Status == salesiq.ChatActive {
			s.release(chat)
		}
		s.leave(s.talks[id], "deleted")
		if err := s.chats.remove(id); err != nil {
			return err
		}
		s.freeVisitor(chat.VisitorID)
	}
	return nil
}

// customerInfo is a body of custom fields.
type customerInfo struct {
	Info map[string]string `json:"customer_info"`
}

func (s *state) addCustomerInfo(chatID string, in customerInfo) (*salesiq.Chat, error) {
	chat, err := s.chats.find(chatID)
	if err != nil {
		return nil, err
	}
	if len(in.Info) == 0 {
		return nil, missing("customer_info")
	}
	setCustomFields(chat, in.Info)
	return chat, nil
}

// setCustomFields makes a map of the chat's own, since it may share that of the seed.
func setCustomFields(chat *salesiq.Chat, info map[string]string) {
	fields := map[string]any{}
	maps.Copy(fields, chat.CustomFields)
	for name, value := range info {
		fields[name] = value
	}
	chat.CustomFields = fields
}

// note is what an operator has noted down about a chat.
type note struct {
	text string
	at   time.Time
}

// addNote adds a note, if there is anything in it.
func (s *state) addNote(chatID, text string) {
	if text != "" {
		s.notes[chatID] = append(s.notes[chatID], note{text, s.now})
	}
}

// thread is a part of a chat: from its beginning to its end, or from when it was
// taken up again.
type thread struct {
	chat   *salesiq.Chat
	number int // From 1.
	span
	status   salesiq.ChatStatus
	endedBy  string // "" while it goes on.
	messages []salesiq.Message
}

// ends remembers who ends the thread of a chat that goes on.
func (s *state) ends(chat *salesiq.Chat, by string) {
	s.endings[s.threadKey(chat, len(s.pauses[chat.ID]))] = by
}

func (s *state) threadKey(chat *salesiq.Chat, before int) string {
	return fmt.Sprintf("%s/%d", chat.ID, before)
}

// threads splits a chat.
func (s *state) threads(chat *salesiq.Chat) []thread {
	all := []thread{}
	begin := chat.StartedAt
	add := func(end time.Time, status salesiq.ChatStatus) {
		part := thread{chat: chat, number: len(all) + 1, span: span{begin, end}, status: status}
		if !end.IsZero() {
			part.endedBy = cmp.Or(s.endings[s.threadKey(chat, len(all))], string(salesiq.SenderOperator))
		}
		for _, message := range chat.Transcript {
			if part.holds(message.Timestamp) {
				part.messages = append(part.messages, message)
			}
		}
		all = append(all, part)
	}
	for _, pause := range s.pauses[chat.ID] {
		add(pause.from, salesiq.ChatEnded)
		begin = pause.to
	}
	add(chat.EndedAt, chat.Status)
	return all
}

// What the visitor's side does.

// caller is a visitor, as a chat window of a team's own tells of one.
type caller struct {
	UserID      string `json:"user_id"`
	Name        string `json:"name"`
	Email       string `json:"email"`
	Phone       string `json:"phone"`
	Platform    string `json:"platform"`
	CurrentPage string `json:"current_page"`
	CountryCode string `json:"country_code"`
	TimeZone    string `json:"local_time_zone"`
	Referrer    string `json:"referrer"`
}

// opening is a chat that a visitor begins.
type opening struct {
	Visitor      caller            `json:"visitor"`
	AppID        string            `json:"app_id"`
	DepartmentID string            `json:"department_id"`
	Question     string            `json:"question"`
	Message      string            `json:"message"` // Left while nobody is there, instead of a question.
	CustomerInfo map[string]string `json:"customer_info"`
	AttenderID   string            `json:"attender_id"` // Who is to own the chat that was missed.
}

// begin lets the visitor of an opening begin a chat with a text.
func (s *state) begin(in opening, field, text string) (*salesiq.Chat, error) {
	err := check(allFields,
		requirement{"visitor.user_id", in.Visitor.UserID == "", ""},
		requirement{"app_id", in.AppID == "", ""},
		requirement{"department_id", in.DepartmentID == "", ""},
		requirement{field, input.IsBlank(text), ""})
	if err != nil {
		return nil, err
	}
	app, err := s.brands.find(in.AppID)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(app.Departments, hasID(in.DepartmentID)) {
		return nil, refuse(salesiq.ErrInvalidDepartment, "the app has no such department", details{"field": "department_id"})
	}
	if in.AttenderID != "" {
		if _, err := s.operators.find(in.AttenderID); err != nil {
			return nil, err
		}
	}
	if err := s.checkBlocked(in.Visitor.UserID); err != nil {
		return nil, err
	}
	visitor := s.visitorComes(in.Visitor.UserID, in.Visitor.CurrentPage)
	before := *visitor
	for to, told := range map[*string]string{
		&visitor.Name: in.Visitor.Name, &visitor.Email: in.Visitor.Email, &visitor.Phone: in.Visitor.Phone,
		&visitor.Platform: in.Visitor.Platform, &visitor.CountryCode: in.Visitor.CountryCode,
		&visitor.Timezone: in.Visitor.TimeZone, &visitor.Referrer: in.Visitor.Referrer,
	} {
		*to = cmp.Or(told, *to)
	}
	s.visitorChanged(&before, visitor)
	chat := s.startChat(visitor, in.DepartmentID)
	setCustomFields(chat, in.CustomerInfo)
	s.writeAsVisitor(chat, text)
	return chat, nil
}

func (s *state) openChat(in opening) (*salesiq.Chat, error) {
	return s.begin(in, "question", in.Question)
}

// leaveMessage begins a chat that nobody answers.
func (s *state) leaveMessage(in opening) (*salesiq.Chat, error) {
	chat, err := s.begin(in, "message", in.Message)
	if err != nil {
		return nil, err
	}
	chat.OperatorID = in.AttenderID
	return chat, s.missChat(chat.ID)
}

// sayInChat lets the visitor of a chat write that has not ended.
func (s *state) sayInChat(chatID, text string) (*salesiq.Chat, error) {
	chat, err := s.chatIn(chatID, salesiq.ChatWaiting, salesiq.ChatActive)
	if err == nil && input.IsBlank(text) {
		err = missing("text")
	}
	if err != nil {
		return nil, err
	}
	s.writeAsVisitor(chat, text)
	return chat, nil
}

// reopenChat lets the visitor of a chat that is over take it up again. It waits for
// an operator once more.
func (s *state) reopenChat(chatID, text string) (*salesiq.Chat, error) {
	chat, err := s.chatIn(chatID, salesiq.ChatEnded, salesiq.ChatMissed)
	if err == nil && input.IsBlank(text) {
		err = missing("message")
	}
	if err != nil {
		return nil, err
	}
	s.pauses[chatID] = append(s.pauses[chatID], span{chat.EndedAt, s.now})
	chat.Status, chat.EndedAt, chat.Duration, chat.OperatorID = salesiq.ChatWaiting, time.Time{}, 0, ""
	s.tellVendors("conversation.reopened", chat)
	s.writeAsVisitor(chat, text)
	return chat, nil
}

// leaveChat lets the visitor of a chat end it. One that nobody has picked up was
// missed, unless a bot has it.
func (s *state) leaveChat(chatID string) (*salesiq.Chat, error) {
	chat, err := s.chatIn(chatID, salesiq.ChatWaiting, salesiq.ChatActive)
	switch {
	case err != nil:
		return nil, err
	case chat.Status == salesiq.ChatWaiting && !s.talks[chatID].open():
		return chat, s.missChat(chatID)
	}
	s.finish(chat, salesiq.SenderVisitor)
	return chat, nil
}

// visitorDetails are what a visitor tells about themselves within a chat.
type visitorDetails struct {
	LastName *string `json:"last_name"`
	Email    *string `json:"email"`
	Phone    *string `json:"phone"`
}

func (s *state) updateChatVisitor(chatID string, in visitorDetails) (*salesiq.Chat, error) {
	chat, err := s.chats.find(chatID)
	if err != nil {
		return nil, err
	}
	visitor := s.visitorOf(chat)
	before := *visitor
	if in.LastName != nil {
		visitor.Name = firstWord(visitor.Name) + " " + *in.LastName
	}
	for to, told := range map[*string]*string{&visitor.Email: in.Email, &visitor.Phone: in.Phone} {
		if told != nil {
			*to = *told
		}
	}
	chat.VisitorInfo = visitorInfo(visitor)
	s.visitorChanged(&before, visitor)
	return chat, nil
}
