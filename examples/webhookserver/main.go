// Webhookserver subscribes to all events and prints them. Each event is in a file
// before the service is answered, so that none is lost when the program ends,
// however it ends. Whatever it has printed it does not print again.
//
//	go run ./examples/webhookserver
//
// It starts an emulator, lets each kind of event happen there, and ends. With the
// variables of salesiq.NewClientFromEnv set, it works on that account instead,
// until it is interrupted:
//
//	SALESIQ_WEBHOOK_URL=https://hooks.example.com/salesiq SALESIQ_WEBHOOK_SECRET=… \
//		go run ./examples/webhookserver -listen 127.0.0.1:8090 -write
//
// The URL is where the service finds what listens here, such as by way of a
// proxy that adds TLS. The secret must be the same at each start, since events
// may still come that were signed with it.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/internal/account"
	"github.com/salesiq-go/salesiq/salesiqbolt"
	"github.com/salesiq-go/salesiq/webhook"
)

// settings are what flags and environment say.
type settings struct {
	listen string
	store  string // The file that keeps events, and remembers what was printed.
	write  bool
	url    string
	secret salesiq.Secret
}

func main() {
	set := settings{
		url:    os.Getenv("SALESIQ_WEBHOOK_URL"),
		secret: salesiq.NewSecret(os.Getenv("SALESIQ_WEBHOOK_SECRET")),
	}
	flag.StringVar(&set.listen, "listen", "127.0.0.1:0", "`address` to listen on; port 0 is a free one")
	flag.StringVar(&set.store, "store", "", "`file` that keeps events (default webhookserver.db, or none that stays for the emulator)")
	flag.BoolVar(&set.write, "write", false, "subscribe also on an account that is not on this machine")
	account.ParseFlags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, set); err != nil {
		fmt.Fprintln(os.Stderr, "webhookserver:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, set settings) error {
	client, err := account.Open()
	if err != nil {
		return err
	}
	defer client.Close()
	if client.Live() && (!set.write || set.url == "" || set.secret.IsZero()) {
		return errors.New("a real account needs -write, SALESIQ_WEBHOOK_URL and SALESIQ_WEBHOOK_SECRET")
	}
	if set.secret.IsZero() {
		set.secret = salesiq.NewSecret(rand.Text())
	}
	if set.store == "" {
		set.store = "webhookserver.db"
		if client.Emulator != nil {
			directory, err := os.MkdirTemp("", "webhookserver")
			if err != nil {
				return err
			}
			defer os.RemoveAll(directory) //nolint:errcheck // The system cleans up what is left.
			set.store = filepath.Join(directory, set.store)
		}
	}
	return serve(ctx, out, set, client)
}

// serve prints events until ctx ends, or the emulator has shown enough.
func serve(ctx context.Context, out io.Writer, set settings, client *account.Account) (err error) {
	file, err := salesiqbolt.Open(set.store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	inbox, err := file.Inbox(salesiqbolt.WithWorkers(1)) // Lines come in the order of the events.
	if err != nil {
		return err
	}
	receiver, err := webhook.NewReceiver(webhook.HMAC(set.secret), webhook.WithSink(inbox), webhook.WithTracer(complain(out)))
	if err != nil {
		return err
	}
	printed := make(chan struct{}, 1000)
	err = webhook.OnAny(receiver, func(_ context.Context, event webhook.Event) error {
		if _, err := fmt.Fprintln(out, describe(event)); err != nil {
			return err // It is tried again.
		}
		select {
		case printed <- struct{}{}:
		default: // Nobody counts.
		}
		return nil
	})
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	listening, served := make(chan net.Addr, 1), make(chan error, 1)
	lasting := context.WithoutCancel(ctx) // A delivery under way is not given up.
	server := &http.Server{Addr: set.listen, Handler: receiver, ReadTimeout: 10 * time.Second, BaseContext: func(l net.Listener) context.Context {
		listening <- l.Addr()
		return lasting
	}}
	go func() {
		defer stop() // Nobody receives any more.
		served <- inbox.Serve(serving, server, receiver.Dispatch)
	}()
	// What is under way is finished before the file is closed.
	defer func() { stop(); err = errors.Join(err, <-served) }()
	ctx = serving

	select {
	case address := <-listening:
		set.url = cmp.Or(set.url, "http://"+address.String())
	case <-ctx.Done():
		return nil
	}
	if err := subscribe(ctx, client.Client, set, receiver.Events()); err != nil {
		return err
	}
	fmt.Fprintln(out, "Receiving at", set.url)
	if client.Emulator != nil {
		if err := tour(ctx, client, printed); ctx.Err() == nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

// complain prints what was not taken, and why.
func complain(out io.Writer) *webhook.Tracer {
	return &webhook.Tracer{Delivery: func(ctx context.Context, _ webhook.DeliveryInfo) (context.Context, func(webhook.DeliveryResult)) {
		return ctx, func(result webhook.DeliveryResult) {
			if result.Err != nil {
				fmt.Fprintf(out, "Not taken, and answered %d:\n  %v\n", result.StatusCode, result.Err)
			}
		}
	}}
}

// subscribe makes the webhook, or takes up the one of the last time. It stays at
// the end, so that what happens until the next start is not lost at once.
func subscribe(ctx context.Context, client *salesiq.Client, set settings, events []salesiq.EventName) error {
	const name = "webhookserver"
	for webhook, err := range client.Webhooks.All(ctx, nil) {
		if err != nil {
			return err
		}
		if webhook.Name == name && webhook.URL == set.url {
			_, err := client.Webhooks.Update(ctx, webhook.ID, &salesiq.WebhookUpdate{
				Events: salesiq.Set(events), Enabled: salesiq.Set(true), Secret: salesiq.Set(set.secret),
			})
			return err
		}
	}
	_, err := client.Webhooks.Create(ctx, &salesiq.WebhookCreate{
		Name: name, URL: set.url, Events: events, Enabled: salesiq.Set(true), Secret: set.secret,
	})
	return err
}
