package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/internal/account"
	"github.com/salesiq-go/salesiq/live"
)

// actLive takes part in a conversation, and sets up what helps with the next ones.
// Of what it has set up, nothing stays.
func (t *liveTour) actLive(ctx context.Context) error {
	conversation, err := first(t.live.Conversations.All(ctx, &live.ConversationListParams{Status: live.Connected}), nil)
	if err != nil {
		return fmt.Errorf("looking for a conversation that is under way: %w", err)
	}
	about := func(step func(context.Context, *live.Conversation) error) func(context.Context) error {
		return func(ctx context.Context) error { return step(ctx, conversation) }
	}
	err = inTurn(ctx, t.pickUp, about(t.read), about(t.answer), about(t.tag), about(t.handOver), about(t.measure),
		t.writeHelp, t.keepOut, t.makeView, about(t.tryLimits), t.tellGaps)
	return errors.Join(err, t.putBack(context.WithoutCancel(ctx)))
}

func (t *liveTour) pickUp(ctx context.Context) error {
	t.title("Somebody is waiting")
	waiting, err := first(t.live.Conversations.All(ctx, &live.ConversationListParams{Status: live.Waiting}), nil)
	if errors.Is(err, errNone) {
		t.say("nobody just now")
		return nil
	}
	if err != nil {
		return err
	}
	t.quote(waiting.Visitor.Name, 14, waiting.Question)
	picked, err := t.live.Conversations.Pickup(ctx, waiting.ID)
	if err != nil {
		return err
	}
	t.say("%s picks up %s", picked.Attender.Name, account.Named("conversation", picked.ID))
	return nil
}

func (t *liveTour) read(ctx context.Context, conversation *live.Conversation) error {
	t.title("Conversation %s with %s", conversation.ID, cmp.Or(conversation.Visitor.Name, "somebody"))
	messages, err := t.live.Messages.List(ctx, conversation.ID, nil)
	if err != nil {
		return err
	}
	for _, m := range messages {
		t.quote(m.Sender.Name, 16, m.Text())
	}
	return nil
}

func (t *liveTour) answer(ctx context.Context, conversation *live.Conversation) error {
	t.title("What we do")
	if _, err := t.live.Messages.Send(ctx, conversation.ID, "Hi! Let me find the right person for you."); err != nil {
		return err
	}
	t.say("answered the visitor")
	note, err := t.live.Notes.Add(ctx, conversation.ID, "Ask for the color of the tent")
	if err != nil {
		return err
	}
	t.say("noted: %s", note.Text)
	return nil
}

// tag gives two tags to a conversation. One is archived: the call succeeds all the
// same, and says which one it did not give.
func (t *liveTour) tag(ctx context.Context, conversation *live.Conversation) error {
	var ids []string
	for _, name := range []string{"quickstart", "quickstart-old"} {
		tag, err := t.live.Tags.Create(ctx, &live.TagCreate{Name: name, Color: "#14532d", Module: live.ForConversations})
		if err != nil {
			return err
		}
		t.makes("the tag "+name, func(ctx context.Context) error { return t.live.Tags.Delete(ctx, tag.ID) })
		ids = append(ids, tag.ID)
	}
	if _, err := t.live.Tags.Archive(ctx, ids[1]); err != nil {
		return err
	}
	outcome, err := t.live.Tags.AddTo(ctx, live.ForConversations, conversation.ID, ids)
	if err != nil {
		return err
	}
	for _, tag := range outcome.Tags {
		if slices.Contains(ids, tag.ID) {
			t.say("tagged the conversation: %s", tag.Name)
		}
	}
	t.say("tags that it cannot have, since they are archived: %d", len(outcome.Failed))
	return nil
}

func (t *liveTour) handOver(ctx context.Context, conversation *live.Conversation) error {
	colleague, err := first(t.live.Operators.All(ctx, nil), func(o *live.Operator) bool {
		return o.ID != conversation.Attender.ID && o.StatusMessage == "Available" && len(o.Departments) > 0
	})
	if err != nil {
		return fmt.Errorf("looking for a colleague: %w", err)
	}
	to := &live.Transfer{DepartmentID: colleague.Departments[0], OperatorID: colleague.ID}
	if _, err := t.live.Conversations.Transfer(ctx, conversation.ID, to); err != nil {
		return err
	}
	t.say("transferred the conversation to %s (%s)", colleague.FirstName, colleague.ID)
	if _, err := t.live.Conversations.Close(ctx, conversation.ID); err != nil {
		return err
	}
	t.say("closed it")
	return nil
}

func (t *liveTour) measure(ctx context.Context, conversation *live.Conversation) error {
	t.title("How it went")
	for thread, err := range t.live.Threads.All(ctx, conversation.ID, &live.ThreadListParams{Include: []string{"metrics"}}) {
		if err != nil {
			return err
		}
		m := thread.Metrics
		t.say("thread %s: %d messages of the visitor's and %d of operators', the first answer after %s, %s in all", thread.Number,
			m.VisitorMessages, m.OperatorMessages, account.Duration(m.FirstResponse.Duration()), account.Duration(m.Duration.Duration()))
	}
	return nil
}

// writeHelp writes an article for visitors, and an answer for operators.
func (t *liveTour) writeHelp(ctx context.Context) error {
	t.title("What helps the next time")
	category, err := first(t.live.ArticleCategories.All(ctx), nil)
	if err != nil {
		return fmt.Errorf("looking for a category of articles: %w", err)
	}
	department, err := first(t.live.Departments.All(ctx, nil), nil)
	if err != nil {
		return fmt.Errorf("looking for a department: %w", err)
	}
	article, err := t.live.Articles.Create(ctx, &live.ArticleCreate{
		DepartmentID: department.ID, CategoryID: category.ID, Title: "Pitching a tent in a storm", Content: "<p>Use all twelve pegs.</p>",
	})
	if err != nil {
		return err
	}
	t.makes("the article", func(ctx context.Context) error { return t.live.Articles.Delete(ctx, article.ID) })
	article, err = t.live.Articles.Update(ctx, article.ID, &live.ArticleUpdate{Published: salesiq.Set[live.TextBool](true)})
	if err != nil {
		return err
	}
	t.say("an article in %s, published: %s", category.Name, article.Title)
	response, err := t.live.CannedResponses.Create(ctx, &live.CannedResponseCreate{
		Content: "I would add the storm cords.", AllDepartments: true, Public: true,
	})
	if err != nil {
		return err
	}
	t.makes("the canned response", func(ctx context.Context) error { return t.live.CannedResponses.Delete(ctx, response.ID) })
	t.say("a canned response for everybody: %s", response.Content)
	return nil
}

// keepOut blocks an address, and lets it in again. It is one that no visitor has.
func (t *liveTour) keepOut(ctx context.Context) error {
	t.title("Who is kept out")
	blocked, err := t.live.BlockedIPs.Create(ctx, &live.BlockedIPCreate{IP: "192.0.2.66", Comment: "Advertises"})
	if err != nil {
		return err
	}
	for _, entry := range blocked {
		t.makes("the blocked address of "+entry.App.Name, func(ctx context.Context) error { return t.live.BlockedIPs.Delete(ctx, entry.ID) })
		t.say("%s is %s from %s", entry.IP, entry.Status, entry.App.Name)
	}
	if len(blocked) == 0 {
		return nil
	}
	if err := t.live.BlockedIPs.SetStatus(ctx, blocked[0].ID, live.UnblockIP); err != nil {
		return err
	}
	t.say("… and from %s no longer", blocked[0].App.Name)
	return nil
}

// makeView asks the visitor history for those who score high and come often.
func (t *liveTour) makeView(ctx context.Context) error {
	t.title("A view of our own: a score above 80, and more than five visits")
	view, err := t.live.HistoryViews.Create(ctx, &live.HistoryViewCreate{
		Name: "Quickstart", SortBy: "leadscore", All: []live.AnyOf{
			{Any: []live.Criterion{{Field: "leadscore", Comparator: live.GreaterThan, Values: []string{"80"}}}},
			{Any: []live.Criterion{{Field: "number_of_visits", Comparator: live.GreaterThan, Values: []string{"5"}}}},
		},
	})
	if err != nil {
		return err
	}
	t.makes("the view", func(ctx context.Context) error { return t.live.HistoryViews.Delete(ctx, view.ID) })
	shown := 0
	for visitor, err := range t.live.LegacyV1.VisitorsByView(ctx, view.ID) {
		if err != nil {
			return err
		}
		if shown++; shown <= 3 {
			t.quote(cmp.Or(visitor.Name, "Somebody"), 16, fmt.Sprintf("%d, on the website for %s", visitor.LeadScore, account.Duration(visitor.TimeSpent.Duration())))
		}
	}
	t.say("… of %d in all.", shown)
	return nil
}

func (t *liveTour) tryLimits(ctx context.Context, conversation *live.Conversation) error {
	t.title("What the service does not allow")
	_, err := t.live.Messages.Send(ctx, conversation.ID, "One more thing…")
	if !errors.Is(err, salesiq.ErrInvalidRequest) {
		return fmt.Errorf("a message in a closed conversation: %w", err)
	}
	t.say("%v", err)
	return nil
}

func (t *liveTour) tellGaps(context.Context) error {
	t.title("What the live service has no call for")
	for _, missing := range []string{
		"a greeting or a farewell that goes with a transfer or an end",
		"statistics of operators",
		"devices, and notifications to them",
		"the specification's routing rules: it has its own, for visitors, chats and calls",
	} {
		t.say("%s", missing)
	}
	return nil
}
