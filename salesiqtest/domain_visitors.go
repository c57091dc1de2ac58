package salesiqtest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

var visitorStatuses = []salesiq.VisitorStatus{salesiq.VisitorOnline, salesiq.VisitorOffline, salesiq.VisitorChatting}

// chatStatusBusy is the chat status of a visitor who is in a chat.
const chatStatusBusy salesiq.VisitorChatStatus = "busy"

// visitorPrefix begins every id of a visitor.
const visitorPrefix = "visitor"

func unknownVisitor(id string) error {
	if strings.HasPrefix(id, visitorPrefix) {
		return nil
	}
	return refuse(salesiq.ErrInvalidVisitorID, fmt.Sprintf("%q is no visitor id", id), details{"field": "visitor_id", "id": id})
}

// visitorComes makes or finds the visitor who looks at a page.
func (s *state) visitorComes(id, page string) *salesiq.Visitor {
	visitor, known := s.visitors.get(id)
	if !known {
		visitor = &salesiq.Visitor{
			ID: id, ChatStatus: salesiq.VisitorChatAvailable, FirstVisit: s.now,
			LandingPage: page, Tags: []string{}, CustomFields: map[string]any{},
		}
		s.visitors.put(id, visitor)
	}
	if visitor.Status != salesiq.VisitorChatting {
		visitor.Status = salesiq.VisitorOnline
	}
	visitor.CurrentPage, visitor.LastVisit = cmp.Or(page, visitor.CurrentPage), s.now
	visitor.TotalVisits++
	s.tell(salesiq.EventVisitorOnline, &webhook.VisitorOnline{
		VisitorID: visitor.ID, Name: visitor.Name, Email: visitor.Email, CurrentPage: visitor.CurrentPage, OnlineAt: s.now,
	})
	return visitor
}

func (s *state) visitorLeaves(id string) error {
	visitor, err := s.visitors.find(id)
	if err != nil {
		return err
	}
	visitor.Status = salesiq.VisitorOffline
	s.tell(salesiq.EventVisitorOffline, &webhook.VisitorOffline{
		VisitorID: visitor.ID, Name: visitor.Name, Email: visitor.Email, OfflineAt: s.now,
	})
	return nil
}

// visitorChanged tells of a visitor who has got a name or an e-mail address.
func (s *state) visitorChanged(before, after *salesiq.Visitor) {
	if (after.Name == "" || after.Name == before.Name) && (after.Email == "" || after.Email == before.Email) {
		return
	}
	s.tell(salesiq.EventVisitorIdentified, &webhook.VisitorIdentified{
		VisitorID: after.ID, Name: after.Name, Email: after.Email, Phone: after.Phone,
		Company: after.Company, IdentifiedAt: s.now,
	})
}

func (s *state) activity(visitorID string) (*salesiq.VisitorActivity, error) {
	visitor, err := s.visitors.find(visitorID)
	if err != nil {
		return nil, err
	}
	activity := &salesiq.VisitorActivity{VisitorID: visitor.ID, Sessions: s.sessions[visitor.ID]}
	for chat := range s.chats.all() {
		if chat.VisitorID == visitor.ID {
			activity.Chats = append(activity.Chats,
				salesiq.ActivityChat{ID: chat.ID, StartedAt: chat.StartedAt, Status: chat.Status})
		}
	}
	return activity, nil
}

// tagging is a list of tags to add.
type tagging struct {
	Tags []string `json:"tags"`
}

func (s *state) tagVisitor(visitorID string, in tagging) (*salesiq.Visitor, error) {
	visitor, err := s.visitors.find(visitorID)
	switch {
	case err != nil:
		return nil, err
	case len(in.Tags) == 0:
		return nil, missing("tags")
	case slices.Contains(in.Tags, ""):
		return nil, invalid("tags", "must not hold an empty tag")
	}
	visitor.Tags = addMissing(visitor.Tags, in.Tags...)
	return visitor, nil
}

// What visitors do follows. The API has no calls for it.

// act does something that no API call does, under the server's lock.
func (s *Server) act(do func(*state) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.now = s.now()
	return do(s.state)
}

// StartChat lets a visitor begin a chat with a message. It waits for an
// operator: [salesiq.ChatsService.Transfer] gives it one.
//
// Events: chat.started, message.received.
func (s *Server) StartChat(visitorID, text string) (chat salesiq.Chat, err error) {
	err = s.act(func(d *state) error {
		visitor, err := d.visitors.find(visitorID)
		if err != nil {
			return err
		}
		visitor.LastVisit = d.now
		started := d.startChat(visitor, "")
		d.writeAsVisitor(started, text)
		chat = clone(*started)
		return nil
	})
	return chat, err
}

// VisitorSays lets the visitor write into a chat that is waiting or active.
//
// Events: message.received.
func (s *Server) VisitorSays(chatID, text string) error {
	return s.act(func(d *state) error {
		chat, err := d.chatIn(chatID, salesiq.ChatWaiting, salesiq.ChatActive)
		if err == nil {
			d.writeAsVisitor(chat, text)
		}
		return err
	})
}

// MissChat ends a chat that is waiting, since nobody has picked it up.
//
// Events: chat.missed.
func (s *Server) MissChat(chatID string) error {
	return s.act(func(d *state) error { return d.missChat(chatID) })
}

// VisitorComes lets a visitor come to a page of the website. A new id makes a new
// visitor.
//
// Events: visitor.online.
func (s *Server) VisitorComes(visitorID, page string) error {
	return s.act(func(d *state) error {
		d.visitorComes(visitorID, page)
		return nil
	})
}

// VisitorLeaves lets a visitor leave the website.
//
// Events: visitor.offline.
func (s *Server) VisitorLeaves(visitorID string) error {
	return s.act(func(d *state) error { return d.visitorLeaves(visitorID) })
}
