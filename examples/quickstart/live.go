package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
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

// liveTour is the tour of an account of the live service, which has conversations
// where the specification has chats, and much that the specification has not.
type liveTour struct {
	*quickstart

	live *live.Service
	made []thing // What is to be removed at the end.
}

// thing is something that the tour has made.
type thing struct {
	name   string
	remove func(ctx context.Context) error
}

func newLiveTour(q *quickstart) *liveTour { return &liveTour{quickstart: q, live: live.New(q.Client)} }

// inTurn takes steps until one fails.
func inTurn(ctx context.Context, steps ...func(context.Context) error) error {
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// lookLive only reads.
func (t *liveTour) lookLive(ctx context.Context) error {
	return inTurn(ctx, t.showPortals, t.showConversations, t.countConversations, t.showDepartments, t.showFeedback, t.showVisitors, t.showWebhooks)
}

func (t *liveTour) showPortals(ctx context.Context) error {
	t.title("The portals of the account")
	portals, err := t.live.Portals.List(ctx)
	if err != nil {
		return err
	}
	for _, portal := range portals {
		details, err := t.live.Portals.Get(ctx, portal.ScreenName)
		if err != nil {
			return err
		}
		t.say("%s (%s), owned by %s", portal.ScreenName, portal.Name, cmp.Or(details.Owner.Name, "somebody"))
	}
	return nil
}

func (t *liveTour) showConversations(ctx context.Context) error {
	t.title("The first conversations in %s", t.Portal())
	first, err := t.live.Conversations.List(ctx, &live.ConversationListParams{Limit: 3})
	if err != nil {
		return err
	}
	for _, c := range first {
		t.quote(c.ID, 14, fmt.Sprintf("%s, started %s, %s", c.Status, c.StartedAt.Format(time.DateTime), cmp.Or(c.Attender.Name, "nobody yet")))
	}
	return nil
}

func (t *liveTour) countConversations(ctx context.Context) error {
	t.title("All conversations, page by page")
	count := map[live.ConversationStatus]int{}
	for c, err := range t.live.Conversations.All(ctx, nil) {
		if err != nil {
			return err
		}
		count[c.ChatStatus.StateKey]++
	}
	t.say("%d connected, %d waiting, %d ended, %d missed",
		count[live.Connected], count[live.Waiting], count[live.Ended], count[live.Missed])
	return nil
}

func (t *liveTour) showDepartments(ctx context.Context) error {
	t.title("The departments, and who is in them")
	names := map[string]string{}
	for operator, err := range t.live.Operators.All(ctx, nil) {
		if err != nil {
			return err
		}
		names[operator.ID] = fmt.Sprintf("%s (%s)", operator.FirstName, strings.ToLower(operator.StatusMessage))
	}
	for department, err := range t.live.Departments.All(ctx, nil) {
		if err != nil {
			return err
		}
		details, err := t.live.Departments.Get(ctx, department.ID)
		if err != nil {
			return err
		}
		var members []string
		for _, id := range details.Operators {
			members = append(members, names[id])
		}
		t.quote(department.Name, 14, cmp.Or(strings.Join(members, ", "), "nobody"))
	}
	return nil
}

func (t *liveTour) showFeedback(ctx context.Context) error {
	t.title("What visitors think of it")
	count, remark := map[string]int{}, &live.Feedback{}
	for feedback, err := range t.live.Feedback.All(ctx) {
		if err != nil {
			return err
		}
		count[feedback.Rating.Value]++
		if feedback.Text != "" {
			remark = feedback
		}
	}
	t.say("%d happy, %d neutral, %d sad", count[string(live.Happy)], count[string(live.Neutral)], count[string(live.Sad)])
	if remark.Text != "" {
		t.quote(remark.Visitor.Name, 14, remark.Text)
	}
	return nil
}

func (t *liveTour) showVisitors(ctx context.Context) error {
	t.title("Who came last")
	shown := 0
	for visitor, err := range t.live.Visitors.Before(ctx, time.Now()) {
		if err != nil {
			return err
		}
		t.quote(cmp.Or(visitor.Name, "Somebody"), 14, fmt.Sprintf("from %s, %d visits, a score of %d",
			cmp.Or(visitor.Country, "somewhere"), visitor.Visits, visitor.LeadScore))
		if shown++; shown == 3 {
			break
		}
	}
	return nil
}

func (t *liveTour) showWebhooks(ctx context.Context) error {
	t.title("The webhooks, and what they are told")
	for _, kind := range []live.WebhookType{live.DataWebhook, live.AdministrationWebhook} {
		webhooks, err := t.live.Webhooks.List(ctx, &live.WebhookListParams{Type: kind})
		if err != nil {
			return err
		}
		t.say("%d for %s, which has %d events", len(webhooks), kind, len(live.Events(kind)))
		for _, webhook := range webhooks {
			var events []string
			for _, event := range webhook.Events {
				events = append(events, string(event))
			}
			t.quote(webhook.Status, 14, webhook.URL+" for "+strings.Join(events, ", "))
		}
	}
	return nil
}

// putBack removes what the tour has made, the last first, also after an error.
func (t *liveTour) putBack(ctx context.Context) error {
	if len(t.made) == 0 {
		return nil
	}
	t.title("What we have made is removed again")
	var errs []error
	for ; len(t.made) > 0; t.made = t.made[:len(t.made)-1] {
		last := t.made[len(t.made)-1]
		if err := last.remove(ctx); err != nil {
			errs = append(errs, fmt.Errorf("removing %s: %w", last.name, err))
			continue
		}
		t.say("%s", last.name)
	}
	return errors.Join(errs...)
}

// makes remembers how to remove something.
func (t *liveTour) makes(name string, remove func(ctx context.Context) error) {
	t.made = append(t.made, thing{name, remove})
}
