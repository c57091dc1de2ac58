package account

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// Subscription says how events come in while an example runs.
type Subscription struct {
	Listen string // Address of this machine to listen on.
	URL    string // Where the service finds it; for an emulator, it is known.
	Name   string // Of the webhook.
	Events []salesiq.EventName
}

// Flags lets the command line say where.
func (s *Subscription) Flags() {
	flag.StringVar(&s.Listen, "listen", "127.0.0.1:0", "`address` to receive webhooks on")
	flag.StringVar(&s.URL, "url", "", "public `URL` that leads there")
}

// Receive subscribes to events for as long as the program runs, and removes the
// subscription at the end, or, if the program was killed, at the next start. On a
// real account it needs a public URL. Without one, or if the account permits no
// subscription, it returns, too: the example then polls only.
func (a *Account) Receive(ctx context.Context, s Subscription, out io.Writer, register func(*webhook.Receiver) error) (stop func(), err error) {
	if a.Live() && s.URL == "" {
		fmt.Fprintln(out, "No -url was given for webhooks, so that this only polls.")
		return func() {}, nil
	}
	secret := salesiq.NewSecret(rand.Text())
	receiver, err := webhook.NewReceiver(webhook.HMAC(secret))
	if err != nil {
		return nil, err
	}
	if err := register(receiver); err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: receiver, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "receiving webhooks:", err)
		}
	}()
	if s.URL == "" {
		s.URL = "http://" + listener.Addr().String()
	}
	unsubscribe, err := s.subscribe(ctx, a.Client, secret)
	stop = func() {
		// What ends the program must not keep it from cleaning up.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err := unsubscribe(ctx); err != nil {
			fmt.Fprintln(out, "The webhook is still there:", err)
		}
		server.Shutdown(ctx) //nolint:errcheck // Whoever was cut off tries again.
		<-served
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(out, "There are no events, so that this only polls:", err)
	}
	return stop, nil
}

// subscribe makes the webhook, in the place of one that was left behind.
func (s *Subscription) subscribe(ctx context.Context, client *salesiq.Client, secret salesiq.Secret) (unsubscribe func(context.Context) error, err error) {
	remove := func(ctx context.Context) error { return s.removeAll(ctx, client) }
	if err := remove(ctx); err != nil {
		return func(context.Context) error { return nil }, err
	}
	webhook, err := client.Webhooks.Create(ctx, &salesiq.WebhookCreate{
		Name: s.Name, URL: s.URL, Events: s.Events, Enabled: salesiq.Set(true), Secret: secret,
	})
	switch {
	case errors.Is(err, salesiq.ErrMaybeProcessed):
		return remove, err
	case err != nil:
		return func(context.Context) error { return nil }, err
	}
	return func(ctx context.Context) error { return client.Webhooks.Delete(ctx, webhook.ID) }, nil
}

// removeAll removes the webhooks that this program made.
func (s *Subscription) removeAll(ctx context.Context, client *salesiq.Client) error {
	var ids []string // First all of them, since removing one shifts the list.
	for webhook, err := range client.Webhooks.All(ctx, nil) {
		if err != nil {
			return err
		}
		if webhook.Name == s.Name && webhook.URL == s.URL {
			ids = append(ids, webhook.ID)
		}
	}
	for _, id := range ids {
		if err := client.Webhooks.Delete(ctx, id); err != nil && !errors.Is(err, salesiq.ErrResourceNotFound) {
			return err
		}
	}
	return nil
}
