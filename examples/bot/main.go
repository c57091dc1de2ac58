// Bot answers visitors from a small file of questions and answers. What is not in the
// file it does not make up: it asks for name, email address and order, notes down what
// the visitor wanted, and hands the conversation over to an operator.
//
//	go run ./examples/bot
//
// It starts an emulator, and prints the address of a page where you are the visitor. With
// the variables of salesiq.NewClientFromEnv set, it answers the visitors of that account
// instead:
//
//	SALESIQ_PORTAL=myportal SALESIQ_BOT_KEY=… go run ./examples/bot -listen 127.0.0.1:8090 -write
//
// The key is the public key of the bot. In SalesIQ, add a Zobot of the type webhook, with
// the address where the service finds what listens here, such as by way of a proxy that
// adds TLS. That address must not have a port. The program may be stopped and started at
// any time: it keeps nothing of a conversation.
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

// answerAsOperator tells how to answer who has been handed over to an operator.
const answerAsOperator = `Once it has handed you over, answer as the operator. ID is in "Noted in ID":
  E=%s C=$E/api/v2/%s/conversations/ID
  A="Authorization: Zoho-oauthtoken $(curl -sd {} $E/_emulator/tokens |
    cut -d '"' -f 4)"
  curl -X PUT -H "$A" $C/pickup --next -H "$A" \
    -H "Content-Type: application/json" -d '{"text":"Hello!"}' $C/messages
`

func run(ctx context.Context, out io.Writer, set settings) (err error) {
	client, err := account.OpenOrEmulate([]salesiqtest.Option{salesiqtest.Live()})
	if err != nil {
		return err
	}
	defer client.Close()
	if client.Live() && (!set.write || set.key == "") {
		return errors.New("a real account needs -write and SALESIQ_BOT_KEY")
	}
	if client.Portal() == "" {
		return errors.New("bots are the live service's: set SALESIQ_PORTAL")
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
		if err := client.Emulator.ConnectBot(salesiqtest.Bot{Name: "Nordlicht's assistant", URL: url, HandlesFailures: true}); err != nil {
			return err
		}
		fmt.Fprintln(out, "The emulator is at", client.Emulator.URL)
		fmt.Fprintln(out, "Talk to it at", client.Emulator.URL+"/widget/page")
		fmt.Fprintf(out, answerAsOperator, client.Emulator.URL, client.Portal())
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
	verifier, err := verifierFor(set, client)
	if err != nil {
		return nil, err
	}
	notes := live.New(client.Client).Notes
	d := &desk{
		faq: known, department: set.department, logger: slog.New(slog.NewTextHandler(out, nil)),
		note: func(ctx context.Context, conversationID, text string) error {
			if _, err := notes.Add(ctx, conversationID, text); err != nil {
				return err
			}
			_, err := fmt.Fprintln(out, account.Wrapped("Noted in "+conversationID+": ", text))
			return err
		},
	}
	return live.NewBot(verifier, append(d.options(), live.WithCallbacks(client.Client))...)
}

// verifierFor returns what tells whether the account has sent a request.
func verifierFor(set settings, client *account.Account) (webhook.Verifier, error) {
	switch {
	case set.key != "":
		key, err := webhook.ParseRSAKey(set.key)
		if err != nil {
			return nil, err
		}
		return webhook.RSA(key), nil
	case client.Emulator != nil:
		return client.Emulator.Verifier(), nil
	default: // Something on this machine.
		return live.Unsigned(), nil
	}
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
