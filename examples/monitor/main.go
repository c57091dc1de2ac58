// Monitor watches the active chats. It alerts a supervisor's device about those
// that take longer than half an hour, once each, and hands the chats of operators
// who are no longer online to somebody who is. It never transfers a chat twice; with
// -state, not even when it was stopped or killed in between.
//
//	go run ./examples/monitor
//
// It starts an emulator, in which an operator leaves after a while, and runs
// until Ctrl-C. Events make it look at once; without any, it looks every five
// minutes. With the variables of salesiq.NewClientFromEnv set, it works on that
// account instead; where that is not on this machine, it needs -write, and a
// public address that leads to -listen, without which it only polls:
//
//	go run ./examples/monitor -write -supervisor operator789 -listen :8090 -url https://example.com/salesiq
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/internal/account"
	"github.com/salesiq-go/salesiq/webhook"
)

type config struct {
	write      bool
	supervisor string        // Operator to alert.
	limit      time.Duration // Of a chat, before it is one to alert about.
	every      time.Duration // How often to look without an event.
	pause      time.Duration // Between looks, however many events there are.
	state      string        // File that outlives the program.
	hook       account.Subscription
}

// events are what makes it look at once.
var events = []salesiq.EventName{salesiq.EventOperatorStatusChanged, salesiq.EventChatStarted}

func main() {
	c := config{pause: 5 * time.Second, hook: account.Subscription{Name: "monitor example", Events: events}}
	flag.BoolVar(&c.write, "write", false, "alert and transfer on an account that is not on this machine")
	flag.StringVar(&c.supervisor, "supervisor", "supervisor_id", "`id` of the operator to alert")
	flag.DurationVar(&c.limit, "limit", 30*time.Minute, "how long a chat may take")
	flag.DurationVar(&c.every, "every", 5*time.Minute, "how often to look without an event")
	flag.StringVar(&c.state, "state", "", "`file` that remembers what was done (default: none)")
	c.hook.Flags()
	account.ParseFlags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, c); err != nil {
		fmt.Fprintln(os.Stderr, "monitor:", err)
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
		fmt.Fprintln(out, "This is a real account: run with -write to watch over its chats.")
		return nil
	}
	done, err := loadState(c.state)
	if err != nil {
		return err
	}
	defer done.Close()
	m := newMonitor(client.Client, c, done, out)
	stop, err := client.Receive(ctx, c.hook, out, func(receiver *webhook.Receiver) error {
		return webhook.OnAny(receiver, func(context.Context, webhook.Event) error { m.lookSoon(); return nil })
	})
	if err != nil {
		return err
	}
	defer stop()
	if client.Emulator != nil {
		go play(ctx, client.Client)
	}
	m.watch(ctx)
	m.say("Stopped. Alerted about %s, transferred %d.", account.Count(m.alerts, "chat"), m.transfers)
	return nil
}

// monitor has one goroutine that looks and acts. Events only wake it up, so that
// an event and the clock cannot act on the same chat at the same time.
type monitor struct {
	config

	client *salesiq.Client
	out    io.Writer
	wake   chan struct{} // Holds one wish to look.
	done   *state

	alerts, transfers int // Of this run.
}

func newMonitor(client *salesiq.Client, c config, done *state, out io.Writer) *monitor {
	return &monitor{config: c, client: client, out: out, wake: make(chan struct{}, 1), done: done}
}

func (m *monitor) say(format string, args ...any) {
	fmt.Fprintln(m.out, account.Wrapped("", fmt.Sprintf(format, args...)))
}

// lookSoon asks for a look. Any number of wishes makes one.
func (m *monitor) lookSoon() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// watch looks until ctx ends.
func (m *monitor) watch(ctx context.Context) {
	tick := time.NewTicker(m.every)
	defer tick.Stop()
	for ctx.Err() == nil {
		if err := m.look(ctx); err != nil && ctx.Err() == nil {
			m.say("%v", err) // The next look may be luckier.
		}
		select { // Events come in bursts.
		case <-ctx.Done():
		case <-time.After(m.pause):
		}
		select {
		case <-ctx.Done():
		case <-m.wake:
		case <-tick.C:
		}
	}
}

// look goes through all active chats once.
func (m *monitor) look(ctx context.Context) error {
	operators, err := m.operators(ctx)
	if err != nil {
		return err
	}
	count := 0
	for chat, err := range m.client.Chats.All(ctx, &salesiq.ChatListParams{Status: salesiq.ChatActive}) {
		if err != nil {
			return err
		}
		count++
		err := errors.Join(m.renew(chat.ID), m.checkDuration(ctx, chat), m.checkOperator(ctx, chat, operators))
		switch {
		case err == nil:
		case ctx.Err() != nil, salesiq.IsRetryable(err):
			return err // The other chats would fare no better.
		default:
			m.say("%s: %v", chat.ID, err)
		}
	}
	if err := m.done.Keep(remembered); err != nil {
		return err
	}
	m.say("%s  looked at %s", time.Now().Format(time.TimeOnly), account.Count(count, "active chat"))
	return nil
}

func (m *monitor) operators(ctx context.Context) (operators []*salesiq.Operator, err error) {
	for operator, err := range m.client.Operators.All(ctx, nil) {
		if err != nil {
			return nil, err
		}
		operators = append(operators, operator)
	}
	return operators, nil
}

// checkDuration alerts the supervisor about a chat that takes too long.
func (m *monitor) checkDuration(ctx context.Context, chat *salesiq.Chat) error {
	minutes, tooLong := long(chat, m.limit, time.Now())
	mark := m.done.Get(chat.ID)
	if mark.Alerted || !tooLong {
		return nil
	}
	_, err := m.client.Devices.Notify(ctx, &salesiq.NotificationCreate{
		OperatorID: m.supervisor,
		Title:      "Long Chat Alert",
		Message:    fmt.Sprintf("Chat %s has been active for %d minutes", chat.ID, minutes),
		Data:       map[string]any{"chat_id": chat.ID, "duration": minutes},
	})
	if err == nil || errors.Is(err, salesiq.ErrMaybeProcessed) {
		m.alerts++
		mark.Alerted = true
		err = errors.Join(err, m.note(chat.ID, mark))
		m.say("%s has been active for %d minutes: alerted %s", chat.ID, minutes, m.supervisor)
	}
	return err
}

// checkOperator transfers a chat whose operator has left. A chat that was
// transferred before is left to people: something is odd about it.
func (m *monitor) checkOperator(ctx context.Context, chat *salesiq.Chat, operators []*salesiq.Operator) error {
	mark := m.done.Get(chat.ID)
	current := find(operators, chat.OperatorID)
	if mark.Moved || current == nil || !hasLeft(current) {
		return nil
	}
	next := successor(chat, operators)
	if next == nil {
		m.say("%s: %s is %s, but nobody is free", chat.ID, current.Name, current.Status)
		return nil
	}
	// It is written down first, so that whoever is killed here does not do it again.
	moved := mark
	moved.Moved = true
	if err := m.note(chat.ID, moved); err != nil {
		return errors.Join(err, m.note(chat.ID, mark))
	}
	// Once begun, it is not given up because the program is told to stop: whether
	// it arrived would be unknown.
	_, err := m.client.Chats.Transfer(context.WithoutCancel(ctx), chat.ID, &salesiq.ChatTransfer{
		OperatorID: next.ID, Message: "Transferring you to another available agent",
	})
	if err == nil || errors.Is(err, salesiq.ErrMaybeProcessed) {
		m.transfers++
		next.ActiveChats++ // The list is from before.
		m.say("%s moves from %s (%s) to %s", chat.ID, current.Name, current.Status, next.Name)
		return err
	}
	saving := m.note(chat.ID, mark) // It was refused.
	switch {
	case errors.Is(err, salesiq.ErrChatNotActive):
		return saving // It has ended meanwhile.
	case errors.Is(err, salesiq.ErrOperatorOffline):
		next.Status = salesiq.OperatorOffline
		m.lookSoon()
		return saving
	}
	return errors.Join(err, saving)
}

func find(operators []*salesiq.Operator, id string) *salesiq.Operator {
	for _, operator := range operators {
		if operator.ID == id {
			return operator
		}
	}
	return nil
}
