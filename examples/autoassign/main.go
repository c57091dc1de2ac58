// Autoassign gives each new chat to the operator who can help best: by the
// skills that the visitor's tags and lead score ask for, and of those with the
// skills the one with the fewest chats.
//
//	go run ./examples/autoassign
//
// It starts an emulator, in which visitors begin chats, and runs until Ctrl-C.
// With the variables of salesiq.NewClientFromEnv set, it works on that account
// instead; where that is not on this machine, it needs -write, and a public
// address that leads to -listen, without which it only polls:
//
//	go run ./examples/autoassign -write -listen :8090 -url https://example.com/salesiq
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/internal/account"
	"github.com/salesiq-go/salesiq/webhook"
)

type config struct {
	write bool
	every time.Duration
	hook  account.Subscription
}

func main() {
	c := config{hook: account.Subscription{Name: "autoassign example", Events: []salesiq.EventName{salesiq.EventChatStarted}}}
	flag.BoolVar(&c.write, "write", false, "assign chats on an account that is not on this machine")
	flag.DurationVar(&c.every, "every", 5*time.Minute, "how often to look for waiting chats that no event told of")
	c.hook.Flags()
	account.ParseFlags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, c); err != nil {
		fmt.Fprintln(os.Stderr, "autoassign:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, c config) error {
	if c.every <= 0 {
		return errors.New("-every must be more than nothing")
	}
	client, err := account.Open()
	if err != nil {
		return err
	}
	defer client.Close()
	client.Introduce(out)
	if client.Live() && !c.write {
		fmt.Fprintln(out, "This is a real account: run with -write to assign its chats.")
		return nil
	}
	a := newAssigner(client.Client, out)
	stop, err := client.Receive(ctx, c.hook, out, func(receiver *webhook.Receiver) error {
		return webhook.On(receiver, a.chatStarted)
	})
	if err != nil {
		return err
	}
	defer stop()
	if client.Emulator != nil {
		go play(ctx, client.Emulator)
	}
	a.work(ctx, c.every)
	a.say("Stopped. Assigned %s.", account.Count(a.assigned, "chat"))
	return nil
}

// assigner assigns chats, one at a time, so that none is assigned twice and the
// number of chats that operators have is never out of date.
type assigner struct {
	client *salesiq.Client
	out    io.Writer
	told   chan string     // Chats that events told of.
	done   map[string]bool // Chats that are not to be touched again, until they no longer wait.

	assigned int
}

func newAssigner(client *salesiq.Client, out io.Writer) *assigner {
	return &assigner{client: client, out: out, told: make(chan string, 1000), done: map[string]bool{}}
}

func (a *assigner) say(format string, args ...any) {
	fmt.Fprintln(a.out, account.Wrapped("", fmt.Sprintf(format, args...)))
}

// chatStarted answers at once: assigning may have to wait for the rate limit,
// for longer than the service waits for an answer.
func (a *assigner) chatStarted(_ context.Context, event *webhook.ChatStarted) error {
	select {
	case a.told <- event.ChatID:
		return nil
	default:
		return errors.New("too many chats at once") // The service tells again.
	}
}

// work assigns what waits already, what events tell of, and from time to time
// what waits although no event told.
func (a *assigner) work(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	a.report(a.assignWaiting(ctx))
	for {
		select {
		case <-ctx.Done():
			return
		case chatID := <-a.told:
			a.report(a.assign(ctx, chatID))
		case <-tick.C:
			a.report(a.assignWaiting(ctx))
		}
	}
}

// report says what went wrong. The next look at the waiting chats tries again.
func (a *assigner) report(err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		a.say("%v", err)
	}
}

func (a *assigner) assignWaiting(ctx context.Context) error {
	var waiting []string // First all of them: assigned ones leave the list.
	for chat, err := range a.client.Chats.All(ctx, &salesiq.ChatListParams{Status: salesiq.ChatWaiting}) {
		if err != nil {
			return err
		}
		waiting = append(waiting, chat.ID)
	}
	maps.DeleteFunc(a.done, func(chatID string, _ bool) bool { return !slices.Contains(waiting, chatID) })
	for _, chatID := range waiting {
		err := a.assign(ctx, chatID)
		switch {
		case err == nil:
		case ctx.Err() != nil, salesiq.IsRetryable(err):
			return err // The other chats would fare no better.
		default:
			a.report(fmt.Errorf("%s: %w", chatID, err))
		}
	}
	return nil
}

// assign gives a chat to an operator, unless somebody else was faster.
func (a *assigner) assign(ctx context.Context, chatID string) error {
	if a.done[chatID] {
		return nil
	}
	chat, err := a.client.Chats.Get(ctx, chatID)
	if err != nil {
		return err
	}
	if chat.Status != salesiq.ChatWaiting {
		a.done[chatID] = true
		return nil
	}
	visitor, err := a.client.Visitors.Get(ctx, chat.VisitorID)
	if err != nil {
		return err
	}
	operators, err := a.available(ctx)
	if err != nil {
		return err
	}
	return a.offer(ctx, chat, visitor, operators)
}

func (a *assigner) available(ctx context.Context) (operators []salesiq.Operator, err error) {
	for operator, err := range a.client.Operators.All(ctx, &salesiq.OperatorListParams{
		Status:       salesiq.OperatorOnline,
		Availability: salesiq.OperatorAvailable,
	}) {
		if err != nil {
			return nil, err
		}
		operators = append(operators, *operator)
	}
	return operators, nil
}

// offer transfers the chat to the best operator, or to the next best if that one
// has left meanwhile.
func (a *assigner) offer(ctx context.Context, chat *salesiq.Chat, visitor *salesiq.Visitor, operators []salesiq.Operator) error {
	for {
		operator := choose(visitor, operators)
		if operator == nil {
			a.say("%s waits: nobody is free", chat.ID)
			return nil
		}
		err := a.transfer(ctx, chat.ID, operator)
		switch {
		case errors.Is(err, salesiq.ErrOperatorOffline):
			operator.Status = salesiq.OperatorOffline
			continue
		case errors.Is(err, salesiq.ErrChatNotActive):
			a.done[chat.ID] = true // The visitor has gone.
			return nil
		case errors.Is(err, salesiq.ErrMaybeProcessed):
			return fmt.Errorf("%s may be with %s now; the next look tells: %w", chat.ID, operator.Name, err)
		case err != nil:
			return err
		}
		a.done[chat.ID] = true
		a.assigned++
		a.say("%s goes to %s: %s needs %s", chat.ID, operator.Name,
			cmp.Or(visitor.Name, "the visitor"), strings.Join(skillsFor(visitor), " or "))
		return nil
	}
}

// transfer hands a chat over. Once begun, it is not given up because the program
// is told to stop: whether it arrived would be unknown. The client's own limits
// bound it.
func (a *assigner) transfer(ctx context.Context, chatID string, operator *salesiq.Operator) error {
	_, err := a.client.Chats.Transfer(context.WithoutCancel(ctx), chatID, &salesiq.ChatTransfer{
		OperatorID: operator.ID, Message: "Connecting you with " + operator.Name,
	})
	return err
}
