// Quickstart shows what an account holds and takes one chat from a greeting to
// a rating.
//
//	go run ./examples/quickstart
//
// It starts an emulator, so that nothing needs to be set up. With the variables
// of salesiq.NewClientFromEnv set, it works on that account instead; where that
// is not on this machine, it changes something only if asked to:
//
//	go run ./examples/quickstart -write
//
// Where SALESIQ_PORTAL is set, the account is one of the live service, which has
// other calls than the specification: the tour goes through fourteen families of
// them. An emulator that speaks like it is started with
//
//	go run ./examples/quickstart -dialect live
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/internal/account"
)

func main() {
	write := flag.Bool("write", false, "change something on an account that is not on this machine")
	dialect := flag.String("dialect", "specified", "of the emulator that is started: specified or live")
	account.ParseFlags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, *dialect == "live", *write); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, live, write bool) error {
	client, err := open(live)
	if err != nil {
		return err
	}
	defer client.Close()
	q := &quickstart{Account: client, out: out}
	look, act := q.look, q.act
	if client.Portal() != "" {
		tour := newLiveTour(q)
		look, act = tour.lookLive, tour.actLive
	}
	q.Introduce(out)
	if err := look(ctx); err != nil {
		return err
	}
	if client.Live() && !write {
		q.say("This is a real account, so nothing was changed. Run with -write to take part in a chat.")
		return nil
	}
	return act(ctx)
}

type quickstart struct {
	*account.Account

	out io.Writer
}

// look only reads.
func (q *quickstart) look(ctx context.Context) error {
	q.title("The first page of chats")
	page, err := q.Chats.List(ctx, &salesiq.ChatListParams{PerPage: 3})
	if err != nil {
		return err
	}
	for _, chat := range page.Items {
		q.quote(chat.ID, 14, fmt.Sprintf("%s since %s, %s", chat.Status, chat.StartedAt.Format(time.DateTime), cmp.Or(chat.OperatorID, "nobody yet")))
	}
	q.say("… of %d in all.", page.Total)

	q.title("All chats, page by page")
	count := map[salesiq.ChatStatus]int{}
	for chat, err := range q.Chats.All(ctx, nil) {
		if err != nil {
			return err
		}
		count[chat.Status]++
	}
	q.say("%d active, %d waiting, %d ended, %d missed",
		count[salesiq.ChatActive], count[salesiq.ChatWaiting], count[salesiq.ChatEnded], count[salesiq.ChatMissed])
	return nil
}

// act takes one active chat from a greeting to a rating.
func (q *quickstart) act(ctx context.Context) error {
	chat, err := first(q.Chats.All(ctx, &salesiq.ChatListParams{Status: salesiq.ChatActive}), nil)
	if err != nil {
		return fmt.Errorf("looking for an active chat: %w", err)
	}
	visitor, err := q.Visitors.Get(ctx, chat.VisitorID)
	if err != nil {
		return err
	}

	q.title("%s with %s", account.Named("chat", chat.ID), cmp.Or(visitor.Name, "somebody"))
	messages, err := q.Chats.Transcript(ctx, chat.ID)
	if err != nil {
		return err
	}
	for _, m := range messages {
		q.quote(string(m.SenderType), 8, m.Text)
	}

	q.title("What we do")
	message, err := q.Chats.SendMessage(ctx, chat.ID, salesiq.TextMessage("Hi! Let me find the right person for you."))
	if err != nil {
		return err
	}
	q.say("answered the visitor (message %s)", message.ID)

	colleague, err := first(q.Operators.All(ctx, &salesiq.OperatorListParams{
		Status:       salesiq.OperatorOnline,
		Availability: salesiq.OperatorAvailable,
	}), func(o *salesiq.Operator) bool { return o.ID != chat.OperatorID })
	if err != nil {
		return fmt.Errorf("looking for a colleague: %w", err)
	}
	if _, err := q.Chats.Transfer(ctx, chat.ID, &salesiq.ChatTransfer{OperatorID: colleague.ID, Message: "Meet " + colleague.Name + "."}); err != nil {
		return err
	}
	q.say("transferred the chat to %s (%s)", colleague.Name, colleague.ID)

	ended, err := q.Chats.End(ctx, chat.ID, &salesiq.ChatEnd{Message: "Thank you, and see you soon!"})
	if err != nil {
		return err
	}
	q.say("ended it after %s", account.Duration(ended.Duration.Duration()))

	if _, err := q.Chats.Rate(ctx, chat.ID, &salesiq.ChatRating{Rating: 5, Feedback: "Quick and kind."}); err != nil {
		return err
	}
	q.say("recorded a rating of 5")

	visitor, err = q.Visitors.Update(ctx, visitor.ID, &salesiq.VisitorUpdate{
		Company:      salesiq.Set("Northwind Kites"),
		CustomFields: salesiq.Set(map[string]any{"plan": "trial"}),
	})
	if err != nil {
		return err
	}
	q.say("noted that the visitor is from %s", visitor.Company)

	visitor, err = q.Visitors.Tag(ctx, visitor.ID, []string{"quickstart"})
	if err != nil {
		return err
	}
	q.say("tagged the visitor: %s", strings.Join(visitor.Tags, ", "))

	q.title("What the service does not allow")
	_, err = q.Chats.SendMessage(ctx, chat.ID, salesiq.TextMessage("One more thing…"))
	if !errors.Is(err, salesiq.ErrChatNotActive) {
		return fmt.Errorf("a message to an ended chat: %w", err)
	}
	q.say("%v", err)
	return nil
}

func (q *quickstart) title(format string, args ...any) {
	fmt.Fprintf(q.out, "\n"+format+"\n", args...)
}

func (q *quickstart) say(format string, args ...any) {
	fmt.Fprintln(q.out, account.Wrapped("  ", fmt.Sprintf(format, args...)))
}

// quote prints who said what, with the room that speakers take.
func (q *quickstart) quote(speaker string, room int, text string) {
	fmt.Fprintln(q.out, account.Wrapped("  "+account.Column(speaker, room)+"  ", text))
}
