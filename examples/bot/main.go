// Bot answers visitors from a small file of questions and answers. What is not in the
// file it does not make up: it asks for name, email address and order, notes down what
// the visitor wanted, and hands the conversation over to an operator.
//
//	go run ./examples/bot
//
// It starts an emulator, has a visitor talk to the bot, and prints what they say. With
// the variables of salesiq.NewClientFromEnv set, it answers the visitors of that account
// instead, until it is interrupted:
//
//	SALESIQ_PORTAL=myportal SALESIQ_BOT_KEY=… go run ./examples/bot -listen 127.0.0.1:8090 -write
//
// The key is the public key of the bot. In SalesIQ, add a Zobot of the type webhook, with
// the address where the service finds what listens here, such as by way of a proxy that
// adds TLS. That address must not have a port.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/salesiq-go/salesiq/examples/internal/account"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

// settings are what flags and environment say.
type settings struct {
	listen     string
	faq        string // A file; the sample if it is empty.
	department string
	write      bool
	key        string // The bot's public key.
}

func main() {
	set := settings{key: os.Getenv("SALESIQ_BOT_KEY")}
	flag.StringVar(&set.listen, "listen", "127.0.0.1:0", "`address` to listen on; port 0 is a free one")
	flag.StringVar(&set.faq, "faq", "", "`file` of questions and answers, as faq.txt explains (default: that one)")
	flag.StringVar(&set.department, "department", "", "`id` of the department that takes over (default: anybody)")
	flag.BoolVar(&set.write, "write", false, "answer also on an account that is not on this machine")
	account.ParseFlags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, set); err != nil {
		fmt.Fprintln(os.Stderr, "bot:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, set settings) (err error) {
	client, err := account.OpenOrEmulate([]salesiqtest.Option{salesiqtest.Live()})
	if err != nil {
		return err
	}
	defer client.Close()
	if client.Live() && (!set.write || set.key == "") {
		return errors.New("a real account needs -write and SALESIQ_BOT_KEY")
	}
	bot, err := newBot(out, set, client)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", set.listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: bot, ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(listener) }()
	defer func() { err = errors.Join(err, shutDown(ctx, server, bot, stopped)) }()

	url := "http://" + listener.Addr().String()
	fmt.Fprintln(out, "The bot is at", url)
	if client.Emulator != nil {
		if err := play(ctx, out, url); ctx.Err() == nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

// newBot returns the bot of an account.
func newBot(out io.Writer, set settings, client *account.Account) (*live.Bot, error) {
	known, err := openFAQ(set.faq)
	if err != nil {
		return nil, err
	}
	verifier := live.Unsigned() // On this machine, there is nobody to sign.
	if set.key != "" {
		key, err := webhook.ParseRSAKey(set.key)
		if err != nil {
			return nil, err
		}
		verifier = webhook.RSA(key)
	}
	notes := live.New(client.Client).Notes
	d := &desk{
		faq: known, department: set.department, logger: slog.New(slog.NewTextHandler(out, nil)),
		note: func(ctx context.Context, conversationID, text string) error {
			_, err := notes.Add(ctx, conversationID, text)
			return err
		},
	}
	return live.NewBot(verifier, append(d.options(), live.WithCallbacks(client.Client))...)
}

// shutDown lets the answers that are under way be given.
func shutDown(ctx context.Context, server *http.Server, bot *live.Bot, stopped <-chan error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := errors.Join(server.Shutdown(ctx), bot.Shutdown(ctx))
	if served := <-stopped; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
