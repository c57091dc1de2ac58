// Chatworkflow takes one chat from the greeting to the rating and tags its
// visitor, and shows what to do about each thing that can go wrong on the way.
//
//	go run ./examples/chatworkflow
//
// It starts an emulator, in which the visitor answers. With the variables of
// salesiq.NewClientFromEnv set, it works on that account instead; where that is
// not on this machine, only with -write:
//
//	go run ./examples/chatworkflow -write -chat chat123
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

type config struct {
	write    bool
	chat     string
	patience time.Duration // For the visitor to answer.
	poll     time.Duration // Between looks at the transcript.
}

func main() {
	c := config{poll: 10 * time.Second}
	flag.BoolVar(&c.write, "write", false, "take part in a chat on an account that is not on this machine")
	flag.StringVar(&c.chat, "chat", "", "`id` of the chat (default: the first that is active)")
	flag.DurationVar(&c.patience, "patience", 5*time.Minute, "how long to wait for the visitor's answer")
	account.ParseFlags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, c); err != nil {
		fmt.Fprintf(os.Stderr, "chatworkflow: %v\n%s\n", err, advice(err))
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, c config) error {
	client, err := account.Open()
	if err != nil {
		return err
	}
	defer client.Close()
	client.Introduce(out)
	if client.Live() && !c.write {
		fmt.Fprintln(out, "This is a real account: run with -write to take part in a chat.")
		return nil
	}
	if client.Emulator != nil {
		c.poll = 100 * time.Millisecond
	}
	w := &workflow{config: c, Account: client, out: out}
	return w.run(ctx)
}

type workflow struct {
	config
	*account.Account

	out io.Writer
}

// run is the workflow, step by step.
func (w *workflow) run(ctx context.Context) error {
	chat, err := w.find(ctx)
	if err != nil {
		return err
	}
	visitor, err := w.Visitors.Get(ctx, chat.VisitorID)
	if err != nil {
		return err
	}
	w.say("%s with %s, started %s", account.Named("chat", chat.ID), cmp.Or(visitor.Name, "somebody"), chat.StartedAt.Format(time.DateTime))

	tags := []string{"assisted"}
	switch err := w.talk(ctx, chat, visitor); {
	case errors.Is(err, salesiq.ErrChatNotActive):
		w.say("The visitor has left, so there is nobody to talk to.")
	case err != nil:
		return err
	default:
		if tags, err = w.rate(ctx, chat.ID, tags); err != nil {
			return err
		}
	}
	tagged, err := w.Visitors.Tag(ctx, visitor.ID, tags)
	if errors.Is(err, salesiq.ErrMaybeProcessed) {
		tagged, err = w.Visitors.Tag(ctx, visitor.ID, tags) // The same tags twice are there once.
	}
	if err != nil {
		return err
	}
	w.say("Tagged the visitor: %s", strings.Join(tagged.Tags, ", "))
	return nil
}

var errNoChat = errors.New("there is no active chat")

// find returns the chat that was asked for, or any that is active.
func (w *workflow) find(ctx context.Context) (*salesiq.Chat, error) {
	if w.chat != "" {
		return w.Chats.Get(ctx, w.chat)
	}
	for chat, err := range w.Chats.All(ctx, &salesiq.ChatListParams{Status: salesiq.ChatActive}) {
		return chat, err
	}
	return nil, errNoChat
}

// talk greets, waits for an answer, and ends the chat.
func (w *workflow) talk(ctx context.Context, chat *salesiq.Chat, visitor *salesiq.Visitor) error {
	if err := w.send(ctx, chat.ID, fmt.Sprintf("Hi %s! How can I help you today?", cmp.Or(visitor.Name, "there"))); err != nil {
		return err
	}
	if w.Emulator != nil {
		w.Emulator.VisitorSays(chat.ID, "It works again, thank you.") //nolint:errcheck // Then there is no answer.
	}
	answer, err := w.hear(ctx, chat.ID)
	if err != nil {
		return err
	}
	w.say("The visitor: %s", cmp.Or(answer, "(nothing)"))
	if err := w.send(ctx, chat.ID, "Is there anything else I can help you with?"); err != nil {
		return err
	}
	if err := w.end(ctx, chat.ID); err != nil {
		return err
	}
	w.say("The chat is ended.")
	return nil
}

// end ends a chat. If it is not known whether that arrived, the chat tells.
func (w *workflow) end(ctx context.Context, chatID string) error {
	farewell := &salesiq.ChatEnd{Message: "Thank you for chatting with us. Have a great day!"}
	_, err := w.Chats.End(ctx, chatID, farewell)
	if !errors.Is(err, salesiq.ErrMaybeProcessed) {
		return err
	}
	chat, err := w.Chats.Get(ctx, chatID)
	if err == nil && chat.Status != salesiq.ChatEnded {
		_, err = w.Chats.End(ctx, chatID, farewell)
	}
	return err
}

// send writes a message. If it is not known whether it arrived, the transcript
// tells; only a message that is not there is sent again, so that the visitor
// reads it once.
func (w *workflow) send(ctx context.Context, chatID, text string) error {
	before, err := w.Chats.Transcript(ctx, chatID)
	if err != nil {
		return err
	}
	_, err = w.Chats.SendMessage(ctx, chatID, salesiq.TextMessage(text))
	if errors.Is(err, salesiq.ErrMaybeProcessed) {
		after, reading := w.Chats.Transcript(ctx, chatID)
		if reading != nil {
			return errors.Join(err, reading)
		}
		if !said(after[min(len(before), len(after)):], text) {
			_, err = w.Chats.SendMessage(ctx, chatID, salesiq.TextMessage(text))
		} else {
			err = nil
		}
	}
	if err == nil {
		w.say("We: %s", text)
	}
	return err
}

func said(messages []salesiq.Message, text string) bool {
	for _, message := range messages {
		if message.SenderType == salesiq.SenderOperator && message.Text == text {
			return true
		}
	}
	return false
}

// hear waits for the visitor's next message, or returns nothing when patience is
// over. A program that has many chats would use webhooks instead; see
// examples/autoassign.
func (w *workflow) hear(ctx context.Context, chatID string) (string, error) {
	giveUp := time.Now().Add(w.patience)
	for {
		messages, err := w.Chats.Transcript(ctx, chatID)
		if err != nil {
			return "", err
		}
		if last := len(messages) - 1; last >= 0 && messages[last].SenderType == salesiq.SenderVisitor {
			return messages[last].Text, nil
		}
		if time.Now().After(giveUp) {
			return "", nil
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(w.poll):
		}
	}
}

// rate records the visitor's verdict, which a real visitor gives in the widget.
func (w *workflow) rate(ctx context.Context, chatID string, tags []string) ([]string, error) {
	rating := &salesiq.ChatRating{Rating: 5, Feedback: "Quick and kind."}
	_, err := w.Chats.Rate(ctx, chatID, rating)
	if errors.Is(err, salesiq.ErrMaybeProcessed) {
		// A chat is rated once: the second call finds the first, or takes its place.
		if _, err = w.Chats.Rate(ctx, chatID, rating); errors.Is(err, salesiq.ErrDuplicateResource) {
			err = nil
		}
	}
	switch {
	case errors.Is(err, salesiq.ErrDuplicateResource):
		w.say("The visitor was faster and has rated the chat already.")
		return tags, nil
	case err != nil:
		return nil, err
	}
	w.say("Recorded a rating of 5.")
	return append(tags, "satisfied"), nil
}

func (w *workflow) say(format string, args ...any) {
	fmt.Fprintln(w.out, account.Wrapped("", fmt.Sprintf(format, args...)))
}
