package salesiqbolt_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqbolt"
	"github.com/salesiq-go/salesiq/webhook"
)

const body = `{"event":"chat.rating","timestamp":"2026-03-01T09:30:00.000Z","data":{"chat_id":"chat123","rating":5,"feedback":"Wow & thanks"}}`

// post delivers an event as the service does.
func post(receiver http.Handler, secret salesiq.Secret) int {
	delivery := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/", strings.NewReader(body))
	delivery.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(secret, []byte(body)))
	answer := httptest.NewRecorder()
	receiver.ServeHTTP(answer, delivery)
	return answer.Code
}

// An event that was answered is handled after a restart, and once.
func Example() {
	folder, err := os.MkdirTemp("", "salesiqbolt")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder) //nolint:errcheck // The system cleans up what is left.
	secret := salesiq.NewSecret("the webhook's secret")

	for _, life := range []string{"first", "second"} {
		file, err := salesiqbolt.Open(filepath.Join(folder, "events.db"))
		if err != nil {
			log.Fatal(err)
		}
		inbox, err := file.Inbox()
		if err != nil {
			log.Fatal(err)
		}
		receiver, err := webhook.NewReceiver(webhook.HMAC(secret), webhook.WithSink(inbox))
		if err != nil {
			log.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		webhook.On(receiver, func(_ context.Context, e *webhook.ChatRated) error {
			fmt.Println(life, "process:", e.ChatID, "was rated", e.Rating)
			stop()
			return nil
		})
		fmt.Println(life, "process: answered", post(receiver, secret))
		if life == "second" {
			if err := inbox.Run(ctx, receiver.Dispatch); !errors.Is(err, context.Canceled) {
				log.Fatal(err)
			}
		}
		stop()
		if err := file.Close(); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// first process: answered 200
	// second process: answered 200
	// second process: chat123 was rated 5
}

// A whole service that tells a Slack channel. It takes an event before it answers, and
// tries again for two days while Slack does not take the message. It ends in the right
// order: no more events, then no more handlers, then the file.
func ExampleInbox_Serve() {
	folder, err := os.MkdirTemp("", "salesiqbolt")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)                          //nolint:errcheck // The system cleans up what is left.
	secret := salesiq.NewSecret("the webhook's secret") // Such as os.Getenv("SALESIQ_WEBHOOK_SECRET").
	path := filepath.Join(folder, "events.db")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	slack := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(os.Stdout, r.Body) //nolint:errcheck // The output tells.
		stop()                     // Elsewhere, a signal does so.
	}))
	defer slack.Close()
	slackURL := salesiq.NewSecret(slack.URL) // Such as os.Getenv("SLACK_WEBHOOK_URL").

	run := func() (err error) {
		file, err := salesiqbolt.Open(path, salesiqbolt.WithLogger(slog.Default()))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		inbox, err := file.Inbox()
		if err != nil {
			return err
		}
		receiver, err := webhook.NewReceiver(webhook.HMAC(secret), webhook.WithSink(inbox), webhook.WithLogger(slog.Default()))
		if err != nil {
			return err
		}
		escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;") // What visitors write is no markup.
		err = webhook.Forward(receiver, slackURL, func(e *webhook.ChatRated) any {
			return map[string]any{"text": fmt.Sprintf("%d of 5: %s", e.Rating, escape.Replace(e.Feedback))}
		})
		if err != nil {
			return err
		}
		mux := http.NewServeMux()
		mux.Handle("POST /webhook/salesiq", receiver)
		mux.HandleFunc("GET /healthz", inbox.Health)
		post(receiver, secret) // Elsewhere, the service does so.
		return inbox.Serve(ctx, &http.Server{Addr: "127.0.0.1:0", Handler: mux}, receiver.Dispatch)
	}
	if err := run(); err != nil {
		log.Fatal(err)
	}
	// Output: {"text":"5 of 5: Wow \u0026amp; thanks"}
}

// What failed for good is looked at, and handled again once its cause is gone.
func ExampleInbox_Replay() {
	folder, err := os.MkdirTemp("", "salesiqbolt")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder) //nolint:errcheck // The system cleans up what is left.
	file, err := salesiqbolt.Open(filepath.Join(folder, "events.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // The program ends.
	inbox, err := file.Inbox(salesiqbolt.WithMaxTries(2), salesiqbolt.WithPauses(time.Millisecond, time.Second))
	if err != nil {
		log.Fatal(err)
	}
	event, err := webhook.Parse([]byte(body))
	if err != nil {
		log.Fatal(err)
	}
	if err := inbox.Enqueue(context.Background(), event); err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		defer stop()
		for {
			stats, err := inbox.Stats()
			if err != nil || stats.DeadLetters == 1 {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	err = inbox.Run(ctx, func(context.Context, webhook.Event) error { return errors.New("the CRM is away") })
	if !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}

	for letter, err := range inbox.DeadLetters(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("after", letter.Tries, "tries:", letter.LastError)
		n, err := inbox.Replay(context.Background(), letter.EventID)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("replayed:", n)
	}
	// Output:
	// after 2 tries: the CRM is away
	// replayed: 1
}

// The token outlives the program. Here the key is no secret.
func ExampleFile_TokenStore() {
	folder, err := os.MkdirTemp("", "salesiqbolt")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder) //nolint:errcheck // The system cleans up what is left.
	file, err := salesiqbolt.Open(filepath.Join(folder, "events.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // The program ends.
	key := []byte("thirty-two bytes that are random")
	credentials := salesiq.Credentials{ClientID: "id", ClientSecret: salesiq.NewSecret("secret"), RefreshToken: salesiq.NewSecret("token")}
	_, err = salesiq.NewClient(salesiq.RefreshToken(credentials, salesiq.SealTokens(file.TokenStore(), key)), salesiq.WithDataCenter(salesiq.EU))
	fmt.Println(err)
	// Output:
	// <nil>
}
