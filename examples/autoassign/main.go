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
//
// What is done is in package assign, in this folder. Here are the flags, how events
// come in, and, in play.go, the visitors of the emulator.
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
	"github.com/salesiq-go/salesiq/examples/autoassign/assign"
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
	say := func(text string) { fmt.Fprintln(out, account.Wrapped("", text)) }
	a := assign.New(client.Client, say)
	stop, err := client.Receive(ctx, c.hook, out, func(receiver *webhook.Receiver) error {
		return webhook.On(receiver, a.ChatStarted)
	})
	if err != nil {
		return err
	}
	defer stop()
	if client.Emulator != nil {
		go play(ctx, client.Emulator)
	}
	assigned := a.Work(ctx, c.every)
	say("Stopped. Assigned " + account.Count(assigned, "chat") + ".")
	return nil
}
