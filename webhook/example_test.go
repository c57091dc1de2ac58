package webhook_test

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
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

func ExampleOnce() {
	receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret("the webhook's secret")))
	if err != nil {
		log.Fatal(err)
	}
	tellSlack := func(_ context.Context, e *webhook.ChatRated) error {
		fmt.Println("Slack hears of", e.ChatID)
		return nil
	}
	tries := 0
	saveRating := func(_ context.Context, e *webhook.ChatRated) error {
		if tries++; tries == 1 {
			return errors.New("the database is away")
		}
		fmt.Println("saved", e.Rating)
		return nil
	}
	err = errors.Join(
		webhook.On(receiver, tellSlack, webhook.Once("slack")),
		webhook.On(receiver, saveRating, webhook.Once("ratings")))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("subscribe to", receiver.Events())

	event, err := webhook.Parse([]byte(`{"event":"chat.rating","data":{"chat_id":"chat123","rating":5}}`))
	if err != nil {
		log.Fatal(err)
	}
	for range 2 { // The service delivers again what has failed.
		fmt.Println("error:", receiver.Dispatch(context.Background(), event))
	}
	// Output:
	// subscribe to [chat.rating]
	// Slack hears of chat123
	// error: the database is away
	// saved 5
	// error: <nil>
}

// A Slack channel hears of bad ratings. The event is tried again if Slack does not take
// the message.
func ExampleForward() {
	slack := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(os.Stdout, r.Body) //nolint:errcheck // The output tells.
	}))
	defer slack.Close()
	slackURL := salesiq.NewSecret(slack.URL) // Such as os.Getenv("SLACK_WEBHOOK_URL").
	receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret("the webhook's secret")))
	if err != nil {
		log.Print(err)
		return
	}

	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;") // What visitors write is no markup.
	err = webhook.Forward(receiver, slackURL, func(e *webhook.ChatRated) any {
		if e.Rating > 2 {
			return nil
		}
		return map[string]any{"text": fmt.Sprintf("Chat %s: %d of 5. %s", e.ChatID, e.Rating, escape.Replace(e.Feedback))}
	}, webhook.Once("slack"))
	if err != nil {
		log.Print(err)
		return
	}
	event, err := webhook.Parse([]byte(`{"event":"chat.rating","data":{"chat_id":"chat123","rating":1,"feedback":"Too slow"}}`))
	if err != nil {
		log.Print(err)
		return
	}
	if err := receiver.Dispatch(context.Background(), event); err != nil {
		log.Print(err)
	}
	// Output: {"text":"Chat chat123: 1 of 5. Too slow"}
}

// Several accounts have a receiver each, at a path of its own: with its own secret, and
// its own memory of events.
func Example_tenants() {
	secrets := map[string]salesiq.Secret{"north": salesiq.NewSecret("the secret of north"), "south": salesiq.NewSecret("the secret of south")}
	logger := slog.New(slog.DiscardHandler) // Elsewhere, that of the program.
	mux := http.NewServeMux()
	for tenant, secret := range secrets {
		receiver, err := webhook.NewReceiver(webhook.HMAC(secret), webhook.WithLogger(logger.With("tenant", tenant)))
		if err != nil {
			log.Fatalf("tenant %s: %v", tenant, err)
		}
		webhook.On(receiver, func(_ context.Context, e *webhook.ChatMissed) error {
			fmt.Println(tenant, "missed", e.ChatID)
			return nil
		})
		mux.Handle("POST /webhook/"+tenant, receiver)
	}

	body := `{"event":"chat.missed","timestamp":"2026-03-01T09:30:00.000Z","data":{"chat_id":"chat123"}}`
	for _, tenant := range []string{"north", "south"} {
		delivery := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/webhook/"+tenant, strings.NewReader(body))
		delivery.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(secrets["north"], []byte(body)))
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, delivery)
		fmt.Println(tenant, answer.Code)
	}
	// Output:
	// north missed chat123
	// north 200
	// south 401
}

// A handler is tested with what the service would deliver.
func TestARatingIsTold(t *testing.T) {
	t.Parallel()
	server := salesiqtest.Start(t)
	receiver, err := webhook.NewReceiver(server.Verifier())
	require.NoError(t, err)
	var told atomic.Int32
	require.NoError(t, webhook.On(receiver, func(_ context.Context, e *webhook.ChatRated) error {
		told.Add(int32(e.Rating))
		return nil
	}))
	server.Subscribe(t, receiver)
	client := server.Client(t)
	_, err = client.Chats.End(t.Context(), "chat123", nil)
	require.NoError(t, err)
	_, err = client.Chats.Rate(t.Context(), "chat123", &salesiq.ChatRating{Rating: 5})
	require.NoError(t, err)
	require.NoError(t, server.Settle(t.Context()))
	require.EqualValues(t, 5, told.Load())
}

func ExampleParseSigned() {
	secret := salesiq.NewSecret("the webhook's secret")

	// What a function in a cloud is given.
	body := `{"event":"chat.rating","data":{"chat_id":"chat123","rating":5}}`
	headers := map[string]string{"x-salesiq-signature": webhook.SignHMAC(secret, []byte(body))}

	header := http.Header{}
	for name, value := range headers {
		header.Add(name, value)
	}
	receiver, err := webhook.NewReceiver(webhook.HMAC(secret))
	if err != nil {
		log.Fatal(err)
	}
	webhook.On(receiver, func(_ context.Context, e *webhook.ChatRated) error {
		fmt.Println(e.ChatID, "was rated", e.Rating)
		return nil
	})
	answer := func(ctx context.Context, header http.Header, body string) (status int) {
		event, err := webhook.ParseSigned(webhook.HMAC(secret), header, []byte(body))
		if err != nil {
			return http.StatusUnauthorized
		}
		if err := receiver.Dispatch(ctx, event); err != nil {
			return http.StatusInternalServerError // The service delivers the event again.
		}
		return http.StatusOK
	}
	fmt.Println(answer(context.Background(), header, body))
	fmt.Println(answer(context.Background(), header, body+" "))
	// Output:
	// chat123 was rated 5
	// 200
	// 401
}

func ExampleReceiver_Events() {
	ctx, secret := context.Background(), salesiq.NewSecret("the webhook's secret")
	server, err := salesiqtest.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := salesiq.NewClient(salesiq.RefreshToken(server.Credentials(), salesiq.NewMemoryTokenStore()), server.Options()...)
	if err != nil {
		log.Print(err)
		return
	}
	receiver, err := webhook.NewReceiver(webhook.HMAC(secret))
	if err != nil {
		log.Print(err)
		return
	}
	webhook.On(receiver, func(context.Context, *webhook.ChatRated) error { return nil })
	webhook.On(receiver, func(context.Context, *webhook.ChatMissed) error { return nil })

	_, err = client.Webhooks.Create(ctx, &salesiq.WebhookCreate{
		Name: "ratings", URL: "https://hooks.example/salesiq", Secret: secret, Events: receiver.Events(),
	})
	fmt.Println(receiver.Events(), err)
	// Output: [chat.missed chat.rating] <nil>
}

func ExampleNewReceiver() {
	secret := salesiq.NewSecret("the webhook's secret")

	receiver, err := webhook.NewReceiver(webhook.HMAC(secret))
	if err != nil {
		log.Fatal(err)
	}
	webhook.On(receiver, func(_ context.Context, e *webhook.ChatRated) error {
		fmt.Println(e.ChatID, "was rated", e.Rating)
		return nil
	})
	http.Handle("/webhook/salesiq", receiver)

	body := `{"event":"chat.rating","timestamp":"2026-03-01T09:30:00.000Z","data":{"chat_id":"chat123","rating":5}}`
	for range 2 { // The service delivers again what it believes to be lost.
		delivery := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/webhook/salesiq", strings.NewReader(body))
		delivery.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(secret, []byte(body)))
		answer := httptest.NewRecorder()
		http.DefaultServeMux.ServeHTTP(answer, delivery)
		fmt.Println(answer.Code)
	}
	// Output:
	// chat123 was rated 5
	// 200
	// 200
}
