// Package assign gives each new chat to the operator who can help best. It may be
// killed at any moment and started again.
//
// In assign.go is when a chat is looked at, and what is done then; choose.go says who
// helps best.
package assign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// Assigner assigns chats, one at a time, so that none is assigned twice and the
// number of chats that operators have is never out of date.
type Assigner struct {
	client *salesiq.Client
	tell   func(text string)
	told   chan string     // Chats that events told of.
	done   map[string]bool // Chats that are not to be touched again, until they no longer wait.

	unclear  map[string]time.Time // Chats that may be assigned at any moment, and since when.
	assigned int
}

// settle is how long the service may take to carry out what it never answered.
const settle = time.Minute

// New returns an assigner that works with a client, and tells what it does.
func New(client *salesiq.Client, tell func(text string)) *Assigner {
	return &Assigner{client: client, tell: tell, told: make(chan string, 1000), done: map[string]bool{}, unclear: map[string]time.Time{}}
}

func (a *Assigner) say(format string, args ...any) {
	a.tell(fmt.Sprintf(format, args...))
}

// ChatStarted is a handler of the events of new chats. It answers at once: assigning may have to wait for the rate limit,
// for longer than the service waits for an answer.
func (a *Assigner) ChatStarted(_ context.Context, event *webhook.ChatStarted) error {
	select {
	case a.told <- event.ChatID:
		return nil
	default:
		return errors.New("too many chats at once") // The service tells again.
	}
}

// Work assigns what waits already, what events tell of, and from time to time
// what waits although no event told. It ends with ctx, and returns how many chats it
// has assigned.
func (a *Assigner) Work(ctx context.Context, every time.Duration) (assigned int) {
	for next := time.Now(); ctx.Err() == nil; {
		if !time.Now().Before(next) {
			a.report(a.assignWaiting(ctx))
			next = time.Now().Add(every)
		}
		select {
		case chatID := <-a.told:
			a.report(a.assign(ctx, chatID))
		case <-time.After(time.Until(next)):
		case <-ctx.Done():
		}
	}
	return a.assigned
}

// report says what went wrong. The next look at the waiting chats tries again.
func (a *Assigner) report(err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		a.say("%v", err)
	}
}

func (a *Assigner) assignWaiting(ctx context.Context) error {
	var waiting []string // First all of them: assigned ones leave the list.
	for chat, err := range a.client.Chats.All(ctx, &salesiq.ChatListParams{Status: salesiq.ChatWaiting}) {
		if err != nil {
			return err
		}
		waiting = append(waiting, chat.ID)
	}
	maps.DeleteFunc(a.done, func(chatID string, _ bool) bool { return !slices.Contains(waiting, chatID) })
	maps.DeleteFunc(a.unclear, func(_ string, since time.Time) bool { return time.Since(since) >= settle })
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
func (a *Assigner) assign(ctx context.Context, chatID string) error {
	if a.done[chatID] || time.Since(a.unclear[chatID]) < settle {
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

func (a *Assigner) available(ctx context.Context) (operators []salesiq.Operator, err error) {
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
func (a *Assigner) offer(ctx context.Context, chat *salesiq.Chat, visitor *salesiq.Visitor, operators []salesiq.Operator) error {
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
			a.unclear[chat.ID] = time.Now()
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
func (a *Assigner) transfer(ctx context.Context, chatID string, operator *salesiq.Operator) error {
	_, err := a.client.Chats.Transfer(context.WithoutCancel(ctx), chatID, &salesiq.ChatTransfer{
		OperatorID: operator.ID, Message: "Connecting you with " + operator.Name,
	})
	return err
}
