package webhook_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

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
