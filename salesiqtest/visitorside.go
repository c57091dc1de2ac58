package salesiqtest

import (
	"cmp"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// This file is what the API has no calls for: what visitors do.

// StartChat lets a visitor begin a chat with a message. It waits for an
// operator: [salesiq.ChatsService.Transfer] gives it one.
//
// Events: chat.started, message.received.
func (s *Server) StartChat(visitorID, text string) (chat salesiq.Chat, err error) {
	return chat, s.act(func(c *call) error {
		visitor, err := c.knownVisitor(visitorID)
		if err != nil {
			return err
		}
		visitor.LastVisit = c.now
		started := c.startChat(visitor, "")
		c.hear(started, text)
		chat = clone(*started)
		return nil
	})
}

func (c *call) startChat(visitor *salesiq.Visitor, departmentID string) *salesiq.Chat {
	chat := &salesiq.Chat{
		ID: c.state.newID("chat"), VisitorID: visitor.ID, DepartmentID: departmentID,
		Status: salesiq.ChatWaiting, Type: salesiq.ChatTypeLive, StartedAt: c.now,
		VisitorInfo: salesiq.VisitorInfo{
			Name: visitor.Name, Email: visitor.Email, Phone: visitor.Phone, City: visitor.City,
			Country: visitor.Country, Browser: visitor.Browser, Platform: visitor.Platform,
		},
	}
	c.state.chats.put(chat.ID, chat)
	department, _ := c.state.department(departmentID)
	c.tell(salesiq.EventChatStarted, &webhook.ChatStarted{
		ChatID: chat.ID, VisitorID: visitor.ID, VisitorName: visitor.Name, VisitorEmail: visitor.Email,
		DepartmentID: departmentID, DepartmentName: department.Name, StartedAt: chat.StartedAt,
	})
	return chat
}

// VisitorSays lets the visitor write into a chat that is waiting or active.
//
// Events: message.received.
func (s *Server) VisitorSays(chatID, text string) error {
	return s.act(func(c *call) error {
		c.id = chatID
		chat, err := c.chatIn(salesiq.ChatWaiting, salesiq.ChatActive)
		if err == nil {
			c.hear(chat, text)
		}
		return err
	})
}

// hear appends what the visitor of a chat writes.
func (c *call) hear(chat *salesiq.Chat, text string) {
	message := salesiq.Message{
		ID: c.state.newID("msg"), SenderType: salesiq.SenderVisitor, SenderID: chat.VisitorID,
		Text: text, Timestamp: c.now, Type: salesiq.MessageText,
	}
	chat.Transcript = append(chat.Transcript, message)
	c.tellMessage(chat, message)
}

// MissChat ends a chat that is waiting, since nobody has picked it up.
//
// Events: chat.missed.
func (s *Server) MissChat(chatID string) error {
	return s.act(func(c *call) error {
		c.id = chatID
		chat, err := c.chatIn(salesiq.ChatWaiting)
		if err != nil {
			return err
		}
		chat.Status, chat.EndedAt = salesiq.ChatMissed, c.now
		department, _ := c.state.department(chat.DepartmentID)
		c.tell(salesiq.EventChatMissed, &webhook.ChatMissed{
			ChatID: chat.ID, VisitorID: chat.VisitorID,
			VisitorName: chat.VisitorInfo.Name, VisitorEmail: chat.VisitorInfo.Email,
			DepartmentID: chat.DepartmentID, DepartmentName: department.Name,
			StartedAt: chat.StartedAt, MissedAt: c.now,
		})
		return nil
	})
}

// VisitorComes lets a visitor come to a page of the website. A new id makes a new
// visitor.
//
// Events: visitor.online.
func (s *Server) VisitorComes(visitorID, page string) error {
	return s.act(func(c *call) error {
		visitor, known := c.state.visitors.get(visitorID)
		if !known {
			visitor = &salesiq.Visitor{
				ID: visitorID, ChatStatus: salesiq.VisitorChatAvailable, FirstVisit: c.now,
				LandingPage: page, Tags: []string{}, CustomFields: map[string]any{},
			}
			c.state.visitors.put(visitorID, visitor)
		}
		if visitor.Status != salesiq.VisitorChatting {
			visitor.Status = salesiq.VisitorOnline
		}
		visitor.CurrentPage, visitor.LastVisit = cmp.Or(page, visitor.CurrentPage), c.now
		visitor.TotalVisits++
		c.tellOnline(visitor)
		return nil
	})
}

func (c *call) tellOnline(visitor *salesiq.Visitor) {
	c.tell(salesiq.EventVisitorOnline, &webhook.VisitorOnline{
		VisitorID: visitor.ID, Name: visitor.Name, Email: visitor.Email,
		CurrentPage: visitor.CurrentPage, OnlineAt: c.now,
	})
}

// tellIfIdentified tells of a visitor who has a name or an e-mail address that
// is not the one before.
func (c *call) tellIfIdentified(visitor *salesiq.Visitor, name, email string) {
	if (visitor.Name == "" || visitor.Name == name) && (visitor.Email == "" || visitor.Email == email) {
		return
	}
	c.tell(salesiq.EventVisitorIdentified, &webhook.VisitorIdentified{
		VisitorID: visitor.ID, Name: visitor.Name, Email: visitor.Email, Phone: visitor.Phone,
		Company: visitor.Company, IdentifiedAt: c.now,
	})
}

// VisitorLeaves lets a visitor leave the website.
//
// Events: visitor.offline.
func (s *Server) VisitorLeaves(visitorID string) error {
	return s.act(func(c *call) error {
		visitor, err := c.knownVisitor(visitorID)
		if err != nil {
			return err
		}
		visitor.Status = salesiq.VisitorOffline
		c.tell(salesiq.EventVisitorOffline, &webhook.VisitorOffline{
			VisitorID: visitor.ID, Name: visitor.Name, Email: visitor.Email, OfflineAt: c.now,
		})
		return nil
	})
}

func (c *call) knownVisitor(id string) (*salesiq.Visitor, error) {
	c.id = id
	return c.visitor()
}

// tellMessage tells of a message in a chat.
func (c *call) tellMessage(chat *salesiq.Chat, message salesiq.Message) {
	c.tell(salesiq.EventMessageReceived, &webhook.MessageReceived{
		ChatID: chat.ID, VisitorID: chat.VisitorID, OperatorID: chat.OperatorID, MessageID: message.ID,
		SenderType: message.SenderType, SenderID: message.SenderID, Text: message.Text, Type: message.Type,
		SentAt: message.Timestamp,
	})
}
