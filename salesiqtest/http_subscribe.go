package salesiqtest

import (
	"context"
	"crypto/rsa"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// webhookSecret signs what Subscribe has delivered. As with the credentials, it is the
// same everywhere, and so protects nothing.
const webhookSecret = "emulator-webhook-secret"

// Verifier returns what accepts the events that [Server.Subscribe] has delivered, what a
// [Bot] without a secret is told, and nothing else:
//
//	receiver, err := webhook.NewReceiver(server.Verifier())
func (s *Server) Verifier() webhook.Verifier {
	verifier := webhook.HMAC(salesiq.NewSecret(webhookSecret))
	if s.config.dialect.portal() != "" {
		verifier = webhook.AnyOf(verifier, webhook.RSA(&s.webhookKey().PublicKey))
	}
	return verifier
}

// processKey is the key of all servers of a process, since making one takes its time.
var processKey = sync.OnceValue(func() *rsa.PrivateKey { return new(webhookSettings).newKey(time.Now()).private })

// webhookKey is the key that stands for the secret where the dialect signs with keys.
func (s *Server) webhookKey() *rsa.PrivateKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handlerKey == nil {
		now := s.now()
		s.handlerKey = &signingKey{millis(now), processKey(), now}
	}
	return s.handlerKey.private
}

// Subscribe delivers events to a handler, on connections that never leave the process,
// also inside a testing/synctest bubble. Its webhook is there until the test ends, or
// [Server.Reset]. [Server.Verifier] accepts what it delivers:
//
//	receiver, err := webhook.NewReceiver(server.Verifier())
//	…
//	server.Subscribe(t, receiver)
//
// Without events, the webhook is for those that the handler has in its method Events,
// as a [webhook.Receiver] does, or else for all. Deliveries are made by the rules for
// other webhooks; [Server.Settle] waits for them. A bad argument fails the test.
func (s *Server) Subscribe(tb testing.TB, handler http.Handler, events ...salesiq.EventName) salesiq.Webhook {
	tb.Helper()
	if err := argument.Given("handler", handler); err != nil {
		tb.Fatalf("salesiqtest: %v", err)
	}
	if s.config.dialect.portal() != "" {
		s.webhookKey()
	}
	line := newHandlerLine(handler)
	var made salesiq.Webhook
	err := s.act(func(d *state) error {
		name := d.newID("handler")
		hook, err := d.webhooks.add(d, salesiq.Webhook{
			Name: name, URL: "http://" + name + ".localhost", Enabled: true,
			Events: eventsFor(handler, events, d.events), Secret: salesiq.NewSecret(webhookSecret),
		})
		if err != nil {
			return err
		}
		if s.handlerKey != nil {
			settings := d.settingsOf(hook.ID)
			settings.secured, settings.keys = true, []signingKey{*s.handlerKey}
		}
		d.courier.connect(hook.URL, line.client)
		made = *hook
		return nil
	})
	if err != nil {
		line.close()
		tb.Fatalf("salesiqtest: subscribe: %v", err)
	}
	tb.Cleanup(func() {
		s.forget(&made)
		line.close()
	})
	return made
}

// forget removes a webhook, unless the test has done so, or Reset.
func (s *Server) forget(made *salesiq.Webhook) {
	s.act(func(d *state) error { //nolint:errcheck // It returns none.
		if hook, ok := d.webhooks.get(made.ID); ok && hook.URL == made.URL {
			d.webhooks.remove(made.ID) //nolint:errcheck // It is there.
		}
		return nil
	})
}

// eventsFor returns the events that a handler is subscribed to.
func eventsFor(handler http.Handler, asked, known []salesiq.EventName) []salesiq.EventName {
	if len(asked) > 0 {
		return slices.Clone(asked)
	}
	if wants, ok := handler.(interface{ Events() []salesiq.EventName }); ok {
		wanted := slices.DeleteFunc(wants.Events(), func(event salesiq.EventName) bool { return !slices.Contains(known, event) })
		if len(wanted) > 0 {
			return wanted
		}
	}
	return slices.Clone(known)
}

// handlerLine is an HTTP server for one handler, and the client that reaches it.
type handlerLine struct {
	client *http.Client
	server *http.Server
	stop   context.CancelFunc // Ends the requests under way.
	ended  chan struct{}
	open   sync.WaitGroup // Connections.
}

func newHandlerLine(handler http.Handler) *handlerLine {
	pipe := newPipeListener()
	ctx, stop := context.WithCancel(context.Background())
	line := &handlerLine{
		client: newDeliveryClient(&http.Transport{DialContext: pipe.dial}),
		server: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: deliveryTimeout,
			BaseContext:       func(net.Listener) context.Context { return ctx },
		},
		stop:  stop,
		ended: make(chan struct{}),
	}
	line.server.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			line.open.Add(1)
		case http.StateClosed, http.StateHijacked:
			line.open.Done()
		default: // It stays open.
		}
	}
	go func() {
		defer close(line.ended)
		line.server.Serve(pipe) //nolint:errcheck // It ends with ErrServerClosed.
	}()
	return line
}

// close returns when the handler does not run any more.
func (l *handlerLine) close() {
	l.stop()
	l.server.Close() //nolint:errcheck // There is nothing left to do about it.
	<-l.ended
	l.client.CloseIdleConnections()
	l.open.Wait()
}

// Settle waits until each event has been delivered, or was given up after its last try,
// and also those that happen meanwhile. A failed delivery is made again after a minute;
// [WithWebhookRetryPause] shortens that, and in a testing/synctest bubble it passes at
// once.
//
// Errors: that of ctx, if it ends first.
func (s *Server) Settle(ctx context.Context) error {
	if ctx == nil {
		return argument("context", "must not be nil")
	}
	select {
	case <-s.courier().settled():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("salesiqtest: events are still on their way: %w", context.Cause(ctx))
	}
}

// RevokeRefreshToken ends the refresh token of [Server.Credentials] and all access
// tokens that came from it, as a user does who withdraws the consent. [Server.Reset]
// makes the refresh token valid again.
func (s *Server) RevokeRefreshToken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens.revoke(refreshToken)
}
