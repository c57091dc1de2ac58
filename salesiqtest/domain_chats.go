package salesiqtest

import (
	"cmp"
	"slices"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/input"
	"github.com/salesiq-go/salesiq/webhook"
)

var (
	chatStatuses = []salesiq.ChatStatus{salesiq.ChatActive, salesiq.ChatWaiting, salesiq.ChatEnded, salesiq.ChatMissed}
	messageTypes = []salesiq.MessageType{
		salesiq.MessageText, salesiq.MessageHTML, salesiq.MessageAttachment, salesiq.MessageCard, salesiq.MessageArticle,
	}
)

// chatIn finds a chat, if it has one of statuses.
func (s *state) chatIn(id string, statuses ...salesiq.ChatStatus) (*salesiq.Chat, error) {
	chat, err := s.chats.find(id)
	if err == nil && !slices.Contains(statuses, chat.Status) {
		return nil, refuse(salesiq.ErrChatNotActive, "the chat is "+string(chat.Status),
			details{"chat_id": chat.ID, "status": chat.Status})
	}
	return chat, err
}

func (s *state) transcript(chatID string) ([]salesiq.Message, error) {
	chat, err := s.chats.find(chatID)
	if err != nil {
		return nil, err
	}
	return chat.Transcript, nil
}

// startChat begins a chat that waits for an operator.
func (s *state) startChat(visitor *salesiq.Visitor, departmentID string) *salesiq.Chat {
	chat := &salesiq.Chat{
		ID: s.newID("chat"), VisitorID: visitor.ID, DepartmentID: departmentID,
		Status: salesiq.ChatWaiting, Type: salesiq.ChatTypeLive, StartedAt: s.now, VisitorInfo: visitorInfo(visitor),
	}
	s.chats.put(chat.ID, chat)
	department, _ := s.department(departmentID)
	s.tell(salesiq.EventChatStarted, &webhook.ChatStarted{
		ChatID: chat.ID, VisitorID: visitor.ID, VisitorName: visitor.Name, VisitorEmail: visitor.Email,
		DepartmentID: departmentID, DepartmentName: department.Name, StartedAt: chat.StartedAt,
	})
	s.attend(chat)
	return chat
}

// visitorInfo is the copy of a visitor that a chat has.
func visitorInfo(visitor *salesiq.Visitor) salesiq.VisitorInfo {
	return salesiq.VisitorInfo{
		Name: visitor.Name, Email: visitor.Email, Phone: visitor.Phone, City: visitor.City,
		Country: visitor.Country, Browser: visitor.Browser, Platform: visitor.Platform,
	}
}

// sendMessage lets the operator of an active chat write.
func (s *state) sendMessage(chatID string, message salesiq.Message) (*salesiq.Message, error) {
	chat, err := s.chatIn(chatID, salesiq.ChatActive)
	if err != nil {
		return nil, err
	}
	needsText := message.Type == salesiq.MessageText || message.Type == salesiq.MessageHTML
	err = check(allFields,
		requirement{"id", message.ID != "", cannotBeSet},
		requirement{"sender_type", message.SenderType != "", cannotBeSet},
		requirement{"sender_id", message.SenderID != "", cannotBeSet},
		requirement{"timestamp", !message.Timestamp.IsZero(), cannotBeSet},
		requirement{"type", message.Type == "", ""},
		isOneOf("type", message.Type, messageTypes),
		requirement{"message", needsText && input.IsBlank(message.Text), ""})
	if err != nil {
		return nil, err
	}
	message.SenderType, message.SenderID = salesiq.SenderOperator, cmp.Or(chat.OperatorID, accountOwner)
	return s.write(chat, message), nil
}

// writeAsOperator lets the operator of a chat write a text, if there is one.
func (s *state) writeAsOperator(chat *salesiq.Chat, text string) {
	if text != "" {
		s.write(chat, salesiq.Message{
			SenderType: salesiq.SenderOperator, SenderID: cmp.Or(chat.OperatorID, accountOwner),
			Text: text, Type: salesiq.MessageText,
		})
	}
}

// writeAsVisitor lets the visitor of a chat write a text.
func (s *state) writeAsVisitor(chat *salesiq.Chat, text string) {
	s.write(chat, salesiq.Message{
		SenderType: salesiq.SenderVisitor, SenderID: chat.VisitorID, Text: text, Type: salesiq.MessageText,
	})
}

// write appends a message to a chat.
func (s *state) write(chat *salesiq.Chat, message salesiq.Message) *salesiq.Message {
	message.ID, message.Timestamp = s.newID("msg"), s.now
	chat.Transcript = append(chat.Transcript, message)
	s.tell(salesiq.EventMessageReceived, &webhook.MessageReceived{
		ChatID: chat.ID, VisitorID: chat.VisitorID, OperatorID: chat.OperatorID, MessageID: message.ID,
		SenderType: message.SenderType, SenderID: message.SenderID, Text: message.Text, Type: message.Type,
		SentAt: message.Timestamp,
	})
	s.overhear(chat, &message)
	return &message
}

// transfer gives a chat to an operator who is not offline. A waiting chat becomes
// active.
func (s *state) transfer(chatID string, to salesiq.ChatTransfer) (*salesiq.Chat, error) {
	chat, err := s.chatIn(chatID, salesiq.ChatActive, salesiq.ChatWaiting)
	if err != nil {
		return nil, err
	}
	if to.OperatorID == "" {
		return nil, missing("operator_id")
	}
	receiver, err := s.operators.find(to.OperatorID)
	switch {
	case err != nil:
		return nil, err
	case s.disabled[receiver.ID]:
		return nil, refuse(salesiq.ErrOperatorOffline, "the operator is disabled", details{"field": "operator_id"})
	case receiver.Status == salesiq.OperatorOffline:
		return nil, refuse(salesiq.ErrOperatorOffline, "the operator is offline",
			details{"operator_id": receiver.ID, "status": receiver.Status})
	}
	s.writeAsOperator(chat, to.Message)
	if chat.OperatorID != receiver.ID {
		receiver.TotalChats++
	}
	if chat.Status == salesiq.ChatActive {
		s.release(chat)
	}
	s.leave(s.talks[chat.ID], "picked up")
	receiver.ActiveChats++
	chat.OperatorID, chat.Status = receiver.ID, salesiq.ChatActive
	chat.DepartmentID = cmp.Or(receiver.DepartmentID, chat.DepartmentID)
	if visitor, ok := s.visitors.get(chat.VisitorID); ok {
		visitor.Status, visitor.ChatStatus = salesiq.VisitorChatting, chatStatusBusy
	}
	return chat, nil
}

// departmentTransfer says which department takes a chat over, and which operator
// in it. Without an operator, anyone does.
type departmentTransfer struct {
	DepartmentID string `json:"department_id"`
	OperatorID   string `json:"operator_id"`
	Note         string `json:"note"`
	Notes        string `json:"notes"` // The vendor writes both.
}

// transferWithin gives a chat to an operator of a department.
func (s *state) transferWithin(chatID string, to departmentTransfer) (*salesiq.Chat, error) {
	if to.DepartmentID == "" {
		return nil, missing("department_id")
	}
	if err := s.checkDepartment("department_id", to.DepartmentID); err != nil {
		return nil, err
	}
	if to.OperatorID == "" {
		operator, ok := s.operators.first(func(o *salesiq.Operator) bool {
			return slices.Contains(s.departmentsOf(o), to.DepartmentID) && o.Status != salesiq.OperatorOffline && !s.disabled[o.ID]
		})
		if !ok {
			return nil, refuse(salesiq.ErrOperatorOffline, "no operator of the department is online", details{"field": "department_id"})
		}
		to.OperatorID = operator.ID
	}
	if operator, ok := s.operators.get(to.OperatorID); !ok || !slices.Contains(s.departmentsOf(operator), to.DepartmentID) {
		refused := invalid("operator_id", "is not the id of an operator of the department")
		refused.number = 1024
		return nil, refused
	}
	before, err := s.chats.find(chatID)
	if err != nil {
		return nil, err
	}
	from := handover{before.OperatorID, before.DepartmentID, before.Status}
	chat, err := s.transfer(chatID, salesiq.ChatTransfer{OperatorID: to.OperatorID})
	if err != nil {
		return nil, err
	}
	chat.DepartmentID = to.DepartmentID
	s.handovers[chatID] = from
	s.addNote(chatID, cmp.Or(to.Note, to.Notes))
	s.tellVendors("conversation.transfer.initiated", chat)
	s.tellVendors("conversation.attender.updated", chat)
	return chat, nil
}

// release takes an active chat off its operator's count.
func (s *state) release(chat *salesiq.Chat) {
	if operator, ok := s.operators.get(chat.OperatorID); ok {
		operator.ActiveChats = max(0, operator.ActiveChats-1)
	}
}

// closeChat is endChat without a farewell.
func (s *state) closeChat(chatID string) (*salesiq.Chat, error) {
	return s.endChat(chatID, salesiq.ChatEnd{})
}

// endChat lets the operator of an active chat end it.
func (s *state) endChat(chatID string, in salesiq.ChatEnd) (*salesiq.Chat, error) {
	chat, err := s.chatIn(chatID, salesiq.ChatActive)
	if err != nil {
		return nil, err
	}
	s.writeAsOperator(chat, in.Message)
	s.finish(chat, salesiq.SenderOperator)
	return chat, nil
}

// finish ends an active chat on behalf of one of both sides.
func (s *state) finish(chat *salesiq.Chat, by salesiq.SenderType) {
	s.release(chat)
	s.leave(s.talks[chat.ID], "ended")
	delete(s.handovers, chat.ID)
	s.ends(chat, string(by))
	chat.Status, chat.EndedAt, chat.Duration = salesiq.ChatEnded, s.now, wholeSeconds(s.now.Sub(chat.StartedAt))
	s.freeVisitor(chat.VisitorID)
	s.tell(salesiq.EventChatEnded, &webhook.ChatEnded{
		ChatID: chat.ID, VisitorID: chat.VisitorID, OperatorID: chat.OperatorID,
		StartedAt: chat.StartedAt, EndedAt: s.now, Duration: chat.Duration,
		MessageCount: len(chat.Transcript), EndedBy: by,
	})
}

// freeVisitor makes a visitor available again who is in no other chat.
func (s *state) freeVisitor(visitorID string) {
	_, busy := s.chats.first(func(chat *salesiq.Chat) bool {
		return chat.VisitorID == visitorID && chat.Status == salesiq.ChatActive
	})
	if visitor, ok := s.visitors.get(visitorID); ok && !busy && visitor.Status == salesiq.VisitorChatting {
		visitor.Status, visitor.ChatStatus = salesiq.VisitorOnline, salesiq.VisitorChatAvailable
	}
}

// missChat ends a chat that is waiting.
func (s *state) missChat(chatID string) error {
	chat, err := s.chatIn(chatID, salesiq.ChatWaiting)
	if err != nil {
		return err
	}
	s.leave(s.talks[chat.ID], "missed")
	chat.Status, chat.EndedAt = salesiq.ChatMissed, s.now
	s.ends(chat, "scheduler")
	department, _ := s.department(chat.DepartmentID)
	s.tell(salesiq.EventChatMissed, &webhook.ChatMissed{
		ChatID: chat.ID, VisitorID: chat.VisitorID,
		VisitorName: chat.VisitorInfo.Name, VisitorEmail: chat.VisitorInfo.Email,
		DepartmentID: chat.DepartmentID, DepartmentName: department.Name,
		StartedAt: chat.StartedAt, MissedAt: s.now,
	})
	return nil
}

// rating is what a visitor thinks of a chat.
type rating struct {
	Rating   *int    `json:"rating"`
	Feedback *string `json:"feedback"`
}

// rateChat keeps the rating of a chat that has ended, once.
func (s *state) rateChat(chatID string, in rating) (*salesiq.Chat, error) {
	chat, err := s.chats.find(chatID)
	switch {
	case err != nil:
		return nil, err
	case in.Rating == nil:
		return nil, missing("rating")
	case *in.Rating < 1 || *in.Rating > 5:
		return nil, invalid("rating", "must be from 1 to 5")
	case chat.Status != salesiq.ChatEnded:
		return nil, invalid("status", "of the chat is "+string(chat.Status)+": only an ended chat can be rated")
	case chat.Rating != nil:
		return nil, duplicate("rating", "chat_id")
	}
	chat.Rating, chat.Feedback = in.Rating, in.Feedback
	rated := &webhook.ChatRated{
		ChatID: chat.ID, VisitorID: chat.VisitorID, OperatorID: chat.OperatorID, Rating: *in.Rating, SubmittedAt: s.now,
	}
	if in.Feedback != nil {
		rated.Feedback = *in.Feedback
	}
	s.tell(salesiq.EventChatRated, rated)
	if operator, ok := s.operators.get(chat.OperatorID); ok {
		operator.AverageRating = s.stats(operator.ID, span{}).AverageRating
	}
	return chat, nil
}

// addMissing appends the values that a list does not have yet.
func addMissing(to []string, values ...string) []string {
	for _, value := range values {
		if !slices.Contains(to, value) {
			to = append(to, value)
		}
	}
	return to
}

// firstResponse tells how long a visitor waited for the first answer.
func firstResponse(chat *salesiq.Chat) (time.Duration, bool) {
	for _, message := range chat.Transcript {
		if message.SenderType == salesiq.SenderOperator {
			return message.Timestamp.Sub(chat.StartedAt), true
		}
	}
	return 0, false
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

func wholeSeconds(d time.Duration) salesiq.Seconds { return salesiq.Seconds(d / time.Second) }
