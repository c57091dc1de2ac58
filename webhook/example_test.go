package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

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
