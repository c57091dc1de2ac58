package salesiqtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/salesiq-go/salesiq"
)

var visitorStatuses = []salesiq.VisitorStatus{salesiq.VisitorOnline, salesiq.VisitorOffline, salesiq.VisitorChatting}

// chatStatusBusy is the chat status of a visitor who is in a chat.
const chatStatusBusy salesiq.VisitorChatStatus = "busy"

// visitorPrefix begins each well-formed visitor id.
const visitorPrefix = "visitor"

func listVisitors(c *call) (*reply, error) {
	p := params{query: c.query}
	status, visited := oneOf(&p, "status", visitorStatuses), p.dates()
	if p.err != nil {
		return nil, p.err
	}
	search := strings.ToLower(c.query.Get("search"))
	return list(c, &c.state.visitors, func(visitor *salesiq.Visitor) bool {
		return (status == "" || visitor.Status == status) && visited.holds(visitor.LastVisit) &&
			slices.ContainsFunc([]string{visitor.Name, visitor.Email, visitor.Company}, func(text string) bool {
				return strings.Contains(strings.ToLower(text), search)
			})
	})
}

// visitor finds the visitor that the path names.
func (c *call) visitor() (*salesiq.Visitor, error) {
	if visitor, ok := c.state.visitors.get(c.id); ok {
		return visitor, nil
	}
	if !strings.HasPrefix(c.id, visitorPrefix) {
		return nil, refuse(salesiq.ErrInvalidVisitorID, fmt.Sprintf("%q is no visitor id", c.id),
			details{"field": "visitor_id", "id": c.id})
	}
	return nil, notFound("visitor", c.id)
}

func getVisitor(c *call) (*reply, error) {
	visitor, err := c.visitor()
	if err != nil {
		return nil, err
	}
	return found(visitor)
}

func updateVisitor(c *call) (*reply, error) {
	visitor, err := c.visitor()
	if err != nil {
		return nil, err
	}
	defer c.tellIfIdentified(visitor, visitor.Name, visitor.Email)
	if err := patch(visitor, c.body, "id", "first_visit", "last_visit", "pages_visited", "total_visits"); err != nil {
		return nil, err
	}
	return found(visitor)
}

func getActivity(c *call) (*reply, error) {
	visitor, err := c.visitor()
	if err != nil {
		return nil, err
	}
	activity := salesiq.VisitorActivity{VisitorID: visitor.ID, Sessions: c.state.sessions[visitor.ID]}
	for chat := range c.state.chats.all() {
		if chat.VisitorID == visitor.ID {
			activity.Chats = append(activity.Chats,
				salesiq.ActivityChat{ID: chat.ID, StartedAt: chat.StartedAt, Status: chat.Status})
		}
	}
	return found(activity)
}

func tagVisitor(c *call) (*reply, error) {
	visitor, err := c.visitor()
	if err != nil {
		return nil, err
	}
	var in struct {
		Tags []string `json:"tags"`
	}
	if err := patch(&in, c.body); err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, missing("tags")
	}
	if slices.Contains(in.Tags, "") {
		return nil, invalid("tags", "must not hold an empty tag")
	}
	for _, tag := range in.Tags {
		if !slices.Contains(visitor.Tags, tag) {
			visitor.Tags = append(visitor.Tags, tag)
		}
	}
	return found(visitor)
}
