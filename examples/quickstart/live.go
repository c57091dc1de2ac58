package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/salesiq-go/salesiq/examples/internal/account"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// open returns the account to show. With live, the emulator that is started if
// the environment names no account speaks the live service's dialect.
func open(live bool) (*account.Account, error) {
	if !live {
		return account.Open()
	}
	return account.OpenOrEmulate([]salesiqtest.Option{salesiqtest.Live()})
}

// lookLive is look for an account of the live service, which has conversations
// where the specification has chats.
func (q *quickstart) lookLive(ctx context.Context) error {
	service := live.New(q.Client)
	q.title("The portals of the account")
	portals, err := service.Portals.List(ctx)
	if err != nil {
		return err
	}
	for _, portal := range portals {
		q.say("%s (%s)", portal.ScreenName, portal.Name)
	}

	q.title("The first conversations in %s", q.Portal())
	first, err := service.Conversations.List(ctx, &live.ConversationListParams{Limit: 3})
	if err != nil {
		return err
	}
	for _, c := range first {
		q.quote(c.ID, 14, fmt.Sprintf("%s, started %s, %s", c.Status, c.StartedAt.Format(time.DateTime), cmp.Or(c.Attender.Name, "nobody yet")))
	}

	q.title("All conversations, page by page")
	count := map[live.ConversationStatus]int{}
	for c, err := range service.Conversations.All(ctx, nil) {
		if err != nil {
			return err
		}
		count[c.ChatStatus.StateKey]++
	}
	q.say("%d connected, %d waiting, %d ended, %d missed",
		count[live.Connected], count[live.Waiting], count[live.Ended], count[live.Missed])
	return nil
}

// actLive is act for an account of the live service.
func (q *quickstart) actLive(ctx context.Context) error {
	service := live.New(q.Client)
	conversation, err := first(service.Conversations.All(ctx, &live.ConversationListParams{Status: live.Connected}), nil)
	if err != nil {
		return fmt.Errorf("looking for a conversation that is under way: %w", err)
	}
	q.title("Conversation %s with %s", conversation.ID, cmp.Or(conversation.Visitor.Name, "somebody"))
	messages, err := service.Messages.List(ctx, conversation.ID, nil)
	if err != nil {
		return err
	}
	for _, m := range messages {
		q.quote(m.Sender.Name, 16, m.Text())
	}

	q.title("What we do")
	if _, err := service.Messages.Send(ctx, conversation.ID, "Hi! Let me find the right person for you."); err != nil {
		return err
	}
	q.say("answered the visitor")
	colleague, err := first(service.Operators.All(ctx, nil), func(o *live.Operator) bool {
		return o.ID != conversation.Attender.ID && o.StatusMessage == "Available" && len(o.Departments) > 0
	})
	if err != nil {
		return fmt.Errorf("looking for a colleague: %w", err)
	}
	to := &live.Transfer{DepartmentID: colleague.Departments[0], OperatorID: colleague.ID}
	if _, err := service.Conversations.Transfer(ctx, conversation.ID, to); err != nil {
		return err
	}
	q.say("transferred the conversation to %s (%s)", colleague.FirstName, colleague.ID)
	if _, err := service.Conversations.Close(ctx, conversation.ID); err != nil {
		return err
	}
	q.say("closed it")

	q.title("What the live service has no call for")
	for _, missing := range []string{
		"a greeting or a farewell that goes with a transfer or an end",
		"rating a chat on the visitor's behalf",
		"reading, changing and tagging one visitor",
		"an operator's availability, and statistics",
		"devices, notifications and the specification's routing rules",
	} {
		q.say("%s", missing)
	}
	return nil
}
