package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/salesiq-go/salesiq/live"
)

// desk is what the bot does. It keeps nothing of a conversation. What a visitor has
// answered comes back with the request about it, and what an operator must know is noted
// down as soon as it is said. So the program may be stopped and started between any two
// requests, and run several times at once.
type desk struct {
	faq        faq
	department string // That takes over; anybody if it is empty.
	note       func(ctx context.Context, conversationID, text string) error
	logger     *slog.Logger
}

// What a visitor can choose beside the topics.
const (
	somethingElse = "Something else"
	toSomebody    = "Talk to somebody"
	thatHelps     = "That helps, thank you"
)

// The questions before an operator takes over.
const (
	handOver   = "hand-over"
	askedName  = "name"
	askedEmail = "email"
	askedOrder = "order"
)

// options are the handlers of the bot.
func (d *desk) options() []live.BotOption {
	return []live.BotOption{
		live.OnTrigger(d.greet), live.OnMessage(d.answer), live.OnContext(d.forward), live.OnFailure(d.excuse),
		live.WithFallback(live.Forward("Let me get a colleague for you.")), live.WithLogger(d.logger),
	}
}

// greet is the first thing that a visitor reads.
func (d *desk) greet(_ context.Context, r *live.BotTrigger) (*live.BotAnswer, error) {
	hello := "Hello!"
	if r.Visitor.Name != "" {
		hello = "Hello " + r.Visitor.Name + "!"
	}
	return d.offer(live.Reply(hello+" I am the assistant of Nordlicht Outdoor.", "What is it about?"), d.faq.topics()), nil
}

// offer has the visitor choose a topic, or write.
func (d *desk) offer(answer *live.BotAnswer, topics []string) *live.BotAnswer {
	return answer.Suggest(topics...).Suggest(somethingElse)
}

// answer answers what a visitor has written or chosen.
func (d *desk) answer(ctx context.Context, r *live.BotMessage) (*live.BotAnswer, error) {
	switch r.Text {
	case somethingElse:
		return live.Reply("Please write what you would like to know."), nil
	case thatHelps:
		return live.End("You are welcome. Enjoy your trip!"), nil
	case toSomebody:
		return d.ask(r, "I will get a colleague for you. A few questions, so that you need not repeat yourself."), nil
	}
	found := d.faq.find(r.Text)
	switch {
	case len(r.Attachments) > 0:
		d.write(ctx, r.BotRequest, "The bot cannot read what the visitor has attached.")
		return d.ask(r, "I cannot read attachments, and get a colleague for you. A few questions first."), nil
	case len(found) == 0:
		d.write(ctx, r.BotRequest, fmt.Sprintf("The bot did not know an answer to %q.", r.Text))
		return d.ask(r, "I do not know that, and get a colleague for you. A few questions first."), nil
	case len(found) > 1:
		return d.offer(live.Reply("Do you mean one of these?"), faq(found).topics()), nil
	}
	answer := live.Reply(found[0].answer)
	if links := found[0].links; len(links) > 0 {
		more := live.LinksReply{Text: "More about it"}
		for _, link := range links {
			more.Links = append(more.Links, live.BotLink{URL: link, Text: found[0].topic})
		}
		answer.With(more)
	}
	return answer.Suggest(thatHelps, somethingElse, toSomebody), nil
}

// ask asks what an operator needs to know. The answers come to forward.
func (d *desk) ask(r *live.BotMessage, why string) *live.BotAnswer {
	name := live.Question(askedName, why, "What is your name?").
		Ask(live.NameCard{Placeholder: "Your name", Value: r.Visitor.Name, Errors: []string{"Please enter your name"}})
	email := live.Question(askedEmail, "Where can we write to you, should you have left?").
		Ask(live.EmailCard{Placeholder: "you@example.com", Value: r.Visitor.Email, Errors: []string{"Please enter an email address"}})
	order := live.Question(askedOrder, "Which order is it about? Enter its number, or “none”.")
	return live.AskQuestions(handOver, name, email, order)
}

// forward hands the conversation over to an operator, with a note.
func (d *desk) forward(ctx context.Context, r *live.BotContext) (*live.BotAnswer, error) {
	name := strings.TrimSpace(r.Answer(askedName))
	d.write(ctx, r.BotRequest, fmt.Sprintf("Name: %s\nEmail: %s\nOrder: %s", name, r.Answer(askedEmail), r.Answer(askedOrder)))
	answer := live.Forward("Thank you, " + name + ". A colleague reads this now and answers here.")
	if d.department != "" {
		answer.ToDepartment(d.department)
	}
	return answer, nil
}

// excuse answers when nobody could take over.
func (d *desk) excuse(_ context.Context, r *live.BotFailure) (*live.BotAnswer, error) {
	switch r.Cause.Code {
	case live.CauseOfflineHours, live.CauseNoOperators:
		return live.OperatorBusy("Nobody is at the desk right now. Leave us a message, and we write back to you."), nil
	default:
		return live.Forward("Sorry, that went wrong. Let me get a colleague for you."), nil
	}
}

// write notes something down for the operators. A visitor need not wait because it
// fails. While the bot is tried in its editor, there is no conversation to note it in.
func (d *desk) write(ctx context.Context, r live.BotRequest, text string) {
	id := r.Visitor.ConversationID
	if id == "" || strings.HasPrefix(id, "botpreview_") {
		return
	}
	if err := d.note(ctx, id, text); err != nil {
		d.logger.LogAttrs(ctx, slog.LevelError, "note not added", slog.String("conversation", id), slog.String("error", err.Error()))
	}
}
