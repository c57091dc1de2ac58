package live_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

func ExampleOn() {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		log.Fatal(err)
	}
	key := &private.PublicKey // That of the webhook: see webhook.ParseRSAKey.

	receiver, err := webhook.NewReceiver(webhook.RSA(key))
	if err != nil {
		log.Fatal(err)
	}
	live.On(receiver, func(_ context.Context, e *live.ConversationRated) error {
		fmt.Println(e.Conversation.ID, "was rated", e.Rating)
		return nil
	})
	http.Handle("/webhook/live", receiver)

	body := `{"event":"conversation.rated","entity_type":"conversation","entity_id":"74100250000000777","attempt":1,` +
		`"event_time":"1790000000123","entity":{"rating":5,"feedback":"Quick"}}`
	delivery := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/webhook/live", strings.NewReader(body))
	signature, err := webhook.SignRSA(private, []byte(body))
	if err != nil {
		log.Fatal(err)
	}
	delivery.Header.Set(webhook.HeaderRSASignature, signature)
	http.DefaultServeMux.ServeHTTP(httptest.NewRecorder(), delivery)
	fmt.Println(receiver.Events())
	// Output:
	// 74100250000000777 was rated 5
	// [conversation.rated]
}

func ExampleNew() {
	server, err := salesiqtest.NewServer(salesiqtest.Live())
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	client, err := salesiq.NewClient(
		salesiq.RefreshToken(server.Credentials(), salesiq.NewMemoryTokenStore()),
		salesiq.WithBaseURL(server.URL),
		salesiq.WithPortal("nordlicht"),
	)
	if err != nil {
		log.Fatal(err)
	}
	service := live.New(client)
	waiting := 0
	for conversation, err := range service.Conversations.All(context.Background(), &live.ConversationListParams{Status: live.Waiting}) {
		if err != nil {
			log.Fatal(err)
		}
		if conversation.AttendedAt.IsZero() {
			waiting++
		}
	}
	fmt.Println(waiting, "are waiting")
	// Output: 6 are waiting
}
