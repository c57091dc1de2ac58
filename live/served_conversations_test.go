package live_test

import (
	"context"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
)

// What the rows are about: a conversation that an operator attends, one that waits,
// and one that is over and rated.
const (
	connected = "chat123"
	waiting   = "chat1080"
	rated     = "chat1009"
)

var bo = live.VisitorIdentity{UserID: "bo-1", Name: "Bo Hill", CurrentPage: "https://www.nordlicht.example/tents"}

// open begins a conversation as its visitor.
func open(ctx context.Context, s *live.Service) (string, error) {
	made, err := s.VisitorSide.Open(ctx, &live.VisitorOpen{Visitor: bo, AppID: "brand123", DepartmentID: "dept789", Question: "Any tents?"})
	if err != nil {
		return "", err
	}
	return made.ID, nil
}

// tagIt makes a tag for a module.
func tagIt(ctx context.Context, s *live.Service, module live.TagModule) (string, error) {
	made, err := s.Tags.Create(ctx, &live.TagCreate{Name: "tent", Color: "#b45309", Module: module})
	if err != nil {
		return "", err
	}
	return made.ID, nil
}

// handOver transfers a conversation to an operator.
func handOver(ctx context.Context, s *live.Service) error {
	return second(s.Conversations.Transfer(ctx, connected, &live.Transfer{DepartmentID: "dept790", OperatorID: "operator789", Note: "knows tents"}))
}

var servedConversations = []servedRow{
	{"Portals.List", "list", "", func(ctx context.Context, s *live.Service) (any, error) { return value(s.Portals.List(ctx)) }},
	{"Portals.Get", "portal", "", func(ctx context.Context, s *live.Service) (any, error) { return value(s.Portals.Get(ctx, "nordlicht")) }},

	{"Conversations.List", "list", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Conversations.List(ctx, &live.ConversationListParams{Status: live.Connected, SortBy: "updated_time", SortOrder: "descending"}))
	}},
	{"Conversations.Get", "conversations", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Conversations.Get(ctx, connected))
	}},
	{"Conversations.UpdateCustomerInfo", "Object", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Conversations.UpdateCustomerInfo(ctx, connected, map[string]string{"plan": "gold"}))
	}},
	{"Conversations.Pickup", "conversations", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Conversations.Pickup(ctx, waiting))
	}},
	{"Conversations.Transfer", "conversations", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Conversations.Transfer(ctx, connected, &live.Transfer{DepartmentID: "dept790"}))
	}},
	{"Conversations.AcceptTransfer", "conversations", "", func(ctx context.Context, s *live.Service) (any, error) {
		if err := handOver(ctx, s); err != nil {
			return nil, err
		}
		return value(s.Conversations.AcceptTransfer(ctx, connected, "operator789"))
	}},
	{"Conversations.RejectTransfer", "", "", func(ctx context.Context, s *live.Service) (any, error) {
		if err := handOver(ctx, s); err != nil {
			return nil, err
		}
		return nothing(s.Conversations.RejectTransfer(ctx, connected, "operator789"))
	}},
	{"Conversations.Close", "conversations", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Conversations.Close(ctx, connected))
	}},
	{"Conversations.Delete", "", "", func(ctx context.Context, s *live.Service) (any, error) {
		return nothing(s.Conversations.Delete(ctx, live.ChannelWebsite, []string{connected}))
	}},
	{"Conversations.Visitor", "list", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Conversations.Visitor(ctx, connected, []string{"trackinginfo", "moreinfo"}))
	}},
	{"Conversations.Export", "list", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Conversations.Export(ctx, connected))
	}},

	{"Threads.List", "conversations", "id", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Threads.List(ctx, rated, &live.ThreadListParams{Include: []string{"attender", "department", "brand", "metrics"}}))
	}},
	{"Threads.Get", "conversations", "id", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Threads.Get(ctx, rated, "1", nil))
	}},
	{"Messages.List", "list", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Messages.List(ctx, connected, &live.MessageListParams{SortOrder: "descending", Limit: 3}))
	}},
	{"Messages.Send", "message", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Messages.Send(ctx, connected, "Moin"))
	}},
	{"Messages.SendToLatest", "message", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Messages.SendToLatest(ctx, "guest0@work.example", "Moin"))
	}},
	{"Notes.Add", "notes", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Notes.Add(ctx, connected, "Called back"))
	}},

	{"Feedback.List", "list", "chatlet_count", func(ctx context.Context, s *live.Service) (any, error) { return value(s.Feedback.List(ctx, nil)) }},
	{"Feedback.Get", "feedback", "chatlet_count", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Feedback.Get(ctx, "feedback-"+rated))
	}},
	{"Feedback.OfConversation", "feedback", "chatlet_count", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Feedback.OfConversation(ctx, rated))
	}},

	{"Calls.List", "list", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Calls.List(ctx, &live.CallListParams{Include: []string{"brand", "department", "conversation"}, SortBy: "end_time"}))
	}},
	{"Calls.OfConversation", "calls", "", func(ctx context.Context, s *live.Service) (any, error) {
		return all(s.Calls.OfConversation(ctx, rated, nil))
	}},
	{"Calls.OfThread", "calls", "", func(ctx context.Context, s *live.Service) (any, error) {
		return all(s.Calls.OfThread(ctx, rated, "1", nil))
	}},

	{"Tags.List", "tags_list", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Tags.List(ctx, live.ForVisitors))
	}},
	{"Tags.Get", "tags_config", "", func(ctx context.Context, s *live.Service) (any, error) { return value(s.Tags.Get(ctx, "tag101")) }},
	{"Tags.Create", "tags_config", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(tagIt(ctx, s, live.ForContacts))
	}},
	{"Tags.Archive", "tags_config", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Tags.Archive(ctx, "tag101"))
	}},
	{"Tags.Delete", "", "", func(ctx context.Context, s *live.Service) (any, error) { return nothing(s.Tags.Delete(ctx, "tag101")) }},
	{"Tags.AddTo", "tag_ids_list", "", func(ctx context.Context, s *live.Service) (any, error) {
		id, err := tagIt(ctx, s, live.ForConversations)
		if err != nil {
			return nil, err
		}
		return value(s.Tags.AddTo(ctx, live.ForConversations, connected, []string{id, "none"}))
	}},
	{"Tags.RemoveFrom", "tags_ids_list", "", func(ctx context.Context, s *live.Service) (any, error) {
		got, err := s.Conversations.Get(ctx, connected)
		if err != nil {
			return nil, err
		}
		return value(s.Tags.RemoveFrom(ctx, live.ForConversations, connected, got.Tags[0].ID))
	}},

	{"Visitors.Since", "list", "", func(ctx context.Context, s *live.Service) (any, error) {
		return all(s.Visitors.Since(ctx, time.Unix(1, 0)))
	}},
	{"Visitors.VisitsSince", "list", "time time_spent uvid visit_id", func(ctx context.Context, s *live.Service) (any, error) {
		return all(s.Visitors.VisitsSince(ctx, time.Unix(1, 0)))
	}},
	{"Visitors.EventsSince", "list", "", func(ctx context.Context, s *live.Service) (any, error) {
		return all(s.Visitors.EventsSince(ctx, time.Unix(1, 0)))
	}},
	{"Visitors.Create", "visitor", "company", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Visitors.Create(ctx, map[string]any{"name": "Bo", "company": "Hill"}))
	}},
	{"Visitors.Get", "visitor", "company", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.Visitors.Get(ctx, "visitor123"))
	}},

	{"VisitorSide.Open", "conversations", "", func(ctx context.Context, s *live.Service) (any, error) { return value(open(ctx, s)) }},
	{"VisitorSide.Reopen", "conversations", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.VisitorSide.Reopen(ctx, rated, &live.VisitorReopen{Message: "Me again"}))
	}},
	{"VisitorSide.Send", "message", "", func(ctx context.Context, s *live.Service) (any, error) {
		id, err := open(ctx, s)
		if err != nil {
			return nil, err
		}
		return value(s.VisitorSide.Send(ctx, id, "Green ones"))
	}},
	{"VisitorSide.Update", "conversations", "", func(ctx context.Context, s *live.Service) (any, error) {
		id, err := open(ctx, s)
		if err != nil {
			return nil, err
		}
		return value(s.VisitorSide.Update(ctx, id, &live.VisitorSideUpdate{Email: salesiq.Set("bo@mail.example")}))
	}},
	{"VisitorSide.Rate", "", "", func(ctx context.Context, s *live.Service) (any, error) {
		id, err := open(ctx, s)
		if err != nil {
			return nil, err
		}
		for conversation, err := range s.Conversations.All(ctx, &live.ConversationListParams{Status: live.Waiting}) {
			if err != nil {
				return nil, err
			}
			if conversation.Visitor.ID == bo.UserID {
				if err := second(s.Conversations.Pickup(ctx, conversation.ID)); err != nil {
					return nil, err
				}
			}
		}
		if err := second(s.VisitorSideV2.Close(ctx, id)); err != nil {
			return nil, err
		}
		return nothing(s.VisitorSide.Rate(ctx, id, live.Happy, "Quick"))
	}},
	{"VisitorSideV2.Open", "conversations", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.VisitorSideV2.Open(ctx, &live.VisitorOpen{Visitor: bo, AppID: "brand123", DepartmentID: "dept789", Question: "Any tents?"}))
	}},
	{"VisitorSideV2.LeaveMessage", "conversations", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.VisitorSideV2.LeaveMessage(ctx, &live.VisitorMessage{Visitor: bo, AppID: "brand123", DepartmentID: "dept789", Message: "Call me"}))
	}},
	{"VisitorSideV2.Close", "conversations", "", func(ctx context.Context, s *live.Service) (any, error) {
		id, err := open(ctx, s)
		if err != nil {
			return nil, err
		}
		return value(s.VisitorSideV2.Close(ctx, id))
	}},

	{"LegacyV1.Chats", "list", "chat_id visitor_name", func(ctx context.Context, s *live.Service) (any, error) { return value(s.LegacyV1.Chats(ctx, nil)) }},
	{"LegacyV1.Transcript", "list", "", func(ctx context.Context, s *live.Service) (any, error) {
		return value(s.LegacyV1.Transcript(ctx, "1", nil))
	}},
	{"LegacyV1.VisitorsByView", "visitors", "", func(ctx context.Context, s *live.Service) (any, error) {
		return all(s.LegacyV1.VisitorsByView(ctx, "-1"))
	}},
}
