package salesiqtest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

var chatStatuses = []salesiq.ChatStatus{salesiq.ChatActive, salesiq.ChatWaiting, salesiq.ChatEnded, salesiq.ChatMissed}

var messageTypes = []salesiq.MessageType{
	salesiq.MessageText, salesiq.MessageHTML, salesiq.MessageAttachment, salesiq.MessageCard, salesiq.MessageArticle,
}

func listChats(c *call) (*reply, error) {
	p := params{query: c.query}
	status, started := oneOf(&p, "status", chatStatuses), p.dates()
	if p.err != nil {
		return nil, p.err
	}
	matches := func(name, value string) bool { return c.query.Get(name) == "" || c.query.Get(name) == value }
	return list(c, &c.state.chats, func(chat *salesiq.Chat) bool {
		return (status == "" || chat.Status == status) && started.holds(chat.StartedAt) &&
			matches("operator_id", chat.OperatorID) &&
			matches("department_id", chat.DepartmentID) &&
			matches("visitor_id", chat.VisitorID)
	})
}

// chat finds the chat that the path names.
func (c *call) chat() (*salesiq.Chat, error) {
	chat, ok := c.state.chats.get(c.id)
	if !ok {
		return nil, notFound("chat", c.id)
	}
	return chat, nil
}

// chatIn finds the chat that the path names, if it has one of statuses.
func (c *call) chatIn(statuses ...salesiq.ChatStatus) (*salesiq.Chat, error) {
	chat, err := c.chat()
	if err != nil {
		return nil, err
	}
	if slices.Contains(statuses, chat.Status) {
		return chat, nil
	}
	return nil, refuse(salesiq.ErrChatNotActive, "the chat is "+string(chat.Status),
		details{"chat_id": chat.ID, "status": chat.Status})
}

func getChat(c *call) (*reply, error) {
	chat, err := c.chat()
	if err != nil {
		return nil, err
	}
	return found(chat)
}

func getTranscript(c *call) (*reply, error) {
	chat, err := c.chat()
	if err != nil {
		return nil, err
	}
	return found(chat.Transcript)
}

func sendMessage(c *call) (*reply, error) {
	chat, err := c.chatIn(salesiq.ChatActive)
	if err != nil {
		return nil, err
	}
	var message salesiq.Message
	if err := patch(&message, c.body, "id", "sender_type", "sender_id", "timestamp"); err != nil {
		return nil, err
	}
	switch {
	case message.Type == "":
		return nil, missing("type")
	case !slices.Contains(messageTypes, message.Type):
		return nil, invalid("type", "must be one of "+join(messageTypes))
	case strings.TrimSpace(message.Text) == "" && (message.Type == salesiq.MessageText || message.Type == salesiq.MessageHTML):
		return nil, missing("message")
	}
	return created(c.say(chat, message))
}

// say appends what the operator of a chat writes.
func (c *call) say(chat *salesiq.Chat, message salesiq.Message) salesiq.Message {
	message.ID = c.state.newID("msg")
	message.SenderType = salesiq.SenderOperator
	message.SenderID = cmp.Or(chat.OperatorID, accountOwner)
	message.Timestamp = c.now
	chat.Transcript = append(chat.Transcript, message)
	c.tellMessage(chat, message)
	return message
}

func transferChat(c *call) (*reply, error) {
	chat, err := c.chatIn(salesiq.ChatActive, salesiq.ChatWaiting)
	if err != nil {
		return nil, err
	}
	var in salesiq.ChatTransfer
	if err := patch(&in, c.body); err != nil {
		return nil, err
	}
	if in.OperatorID == "" {
		return nil, missing("operator_id")
	}
	receiver, ok := c.state.operators.get(in.OperatorID)
	if !ok {
		return nil, notFound("operator", in.OperatorID)
	}
	if receiver.Status == salesiq.OperatorOffline {
		return nil, refuse(salesiq.ErrOperatorOffline, "the operator is offline",
			details{"operator_id": receiver.ID, "status": receiver.Status})
	}
	if in.Message != "" {
		c.say(chat, salesiq.Message{Text: in.Message, Type: salesiq.MessageText})
	}
	c.handOver(chat, receiver)
	return found(chat)
}

// handOver gives a chat to an operator. One that was waiting becomes active.
func (c *call) handOver(chat *salesiq.Chat, receiver *salesiq.Operator) {
	if chat.OperatorID != receiver.ID {
		receiver.TotalChats++
	}
	if chat.Status == salesiq.ChatActive {
		c.release(chat)
	}
	receiver.ActiveChats++
	chat.OperatorID = receiver.ID
	chat.DepartmentID = cmp.Or(receiver.DepartmentID, chat.DepartmentID)
	chat.Status = salesiq.ChatActive
	if visitor, ok := c.state.visitors.get(chat.VisitorID); ok {
		visitor.Status, visitor.ChatStatus = salesiq.VisitorChatting, chatStatusBusy
	}
}

// release takes an active chat off its operator's count.
func (c *call) release(chat *salesiq.Chat) {
	if operator, ok := c.state.operators.get(chat.OperatorID); ok {
		operator.ActiveChats = max(0, operator.ActiveChats-1)
	}
}

func endChat(c *call) (*reply, error) {
	chat, err := c.chatIn(salesiq.ChatActive)
	if err != nil {
		return nil, err
	}
	var in salesiq.ChatEnd
	if err := patch(&in, c.body); err != nil {
		return nil, err
	}
	if in.Message != "" {
		c.say(chat, salesiq.Message{Text: in.Message, Type: salesiq.MessageText})
	}
	c.release(chat)
	chat.Status = salesiq.ChatEnded
	chat.EndedAt = c.now
	chat.Duration = wholeSeconds(c.now.Sub(chat.StartedAt))
	c.leave(chat.VisitorID)
	c.tell(salesiq.EventChatEnded, &webhook.ChatEnded{
		ChatID: chat.ID, VisitorID: chat.VisitorID, OperatorID: chat.OperatorID,
		StartedAt: chat.StartedAt, EndedAt: c.now, Duration: chat.Duration,
		MessageCount: len(chat.Transcript), EndedBy: salesiq.SenderOperator,
	})
	return found(chat)
}

// leave makes a visitor available again who is in no other chat.
func (c *call) leave(visitorID string) {
	_, busy := c.state.chats.find(func(chat *salesiq.Chat) bool {
		return chat.VisitorID == visitorID && chat.Status == salesiq.ChatActive
	})
	if visitor, ok := c.state.visitors.get(visitorID); ok && !busy && visitor.Status == salesiq.VisitorChatting {
		visitor.Status, visitor.ChatStatus = salesiq.VisitorOnline, salesiq.VisitorChatAvailable
	}
}

func rateChat(c *call) (*reply, error) {
	chat, err := c.chat()
	if err != nil {
		return nil, err
	}
	var in struct {
		Rating   *int    `json:"rating"`
		Feedback *string `json:"feedback"`
	}
	if err := patch(&in, c.body); err != nil {
		return nil, err
	}
	switch {
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
		ChatID: chat.ID, VisitorID: chat.VisitorID, OperatorID: chat.OperatorID, Rating: *in.Rating, SubmittedAt: c.now,
	}
	if in.Feedback != nil {
		rated.Feedback = *in.Feedback
	}
	c.tell(salesiq.EventChatRating, rated)
	if operator, ok := c.state.operators.get(chat.OperatorID); ok {
		operator.AverageRating = c.state.stats(operator.ID, span{}).AverageRating
	}
	return found(chat)
}

func wholeSeconds(d time.Duration) salesiq.Seconds {
	return salesiq.Seconds(d / time.Second)
}
