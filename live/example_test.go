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
	"testing"

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

// A conversation with the bot is played as in a test.
func ExampleNewBot() {
	listener := httptest.NewServer(http.DefaultServeMux)
	defer listener.Close()
	server, err := salesiqtest.NewServer(salesiqtest.Live(), salesiqtest.WithBot(salesiqtest.Bot{URL: listener.URL + "/bot"}))
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	t, key, client := printedTest{}, botKey(server), newPortalClient()

	bot, err := live.NewBot(webhook.RSA(key), live.WithCallbacks(client),
		live.OnMessage(func(_ context.Context, r *live.BotMessage) (*live.BotAnswer, error) {
			if strings.Contains(r.Text, "deliver") {
				return live.Reply("Within two days.").Suggest("That helps", "Talk to somebody"), nil
			}
			return live.Forward("I do not know that, and get a colleague for you."), nil
		}))
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/bot", bot)

	c := server.Converse(t, nil) // The bot that is connected; elsewhere salesiqtest.Converse(t, bot).
	c.Opens()
	c.Expects("Hello! …")
	c.Says("When do you deliver?")
	c.Expects("Within two days.")
	c.ExpectsCard("suggestions", "That helps", "Talk to somebody")
	c.Chooses("Talk to somebody")
	c.Expects("… a colleague for you.")
	c.ExpectsForward("")
	fmt.Print(c)
	// Output:
	//   visitor  (opens the chat window)
	//   Zobot    Hello! How can I help you?
	//   visitor  When do you deliver?
	//   Zobot    Within two days.
	//   Zobot    (suggestions) That helps | Talk to somebody
	//   visitor  Talk to somebody
	//   Zobot    I do not know that, and get a colleague for you.
	//   Zobot    (forward to anybody)
}

// botKey returns the public key of what a server tells a bot.
func botKey(server *salesiqtest.Server) *rsa.PublicKey {
	for _, line := range server.Environment() {
		if text, ok := strings.CutPrefix(line, "SALESIQ_BOT_KEY="); ok {
			key, err := webhook.ParseRSAKey(text)
			if err != nil {
				log.Fatal(err)
			}
			return key
		}
	}
	log.Fatal("the server has no bot")
	return nil
}

// printedTest is a test outside of go test.
type printedTest struct{ testing.TB }

func (printedTest) Helper() {}

// Cleanup has nothing to do, since the server is closed.
func (printedTest) Cleanup(func()) {}

func (printedTest) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }

// newPortalClient returns a client of an account of the live service.
func newPortalClient() *salesiq.Client {
	client, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithPortal("nordlicht"))
	if err != nil {
		log.Fatal(err)
	}
	return client
}

// What an operator must know is asked before the conversation is handed over.
func ExampleAskQuestions() {
	bot, err := live.NewBot(live.Unsigned(),
		live.OnMessage(func(context.Context, *live.BotMessage) (*live.BotAnswer, error) {
			return live.AskQuestions("hand-over",
				live.Question("name", "A few questions first.", "What is your name?").Ask(live.NameCard{Placeholder: "Your name"}),
				live.Question("size", "Which size is it about?").Ask(live.SelectCard{Options: []string{"S", "M", "L"}})), nil
		}),
		live.OnContext(func(_ context.Context, r *live.BotContext) (*live.BotAnswer, error) {
			return live.Forward("Thank you, " + r.Answer("name") + ".").ToDepartment("74100250000000071"), nil
		}))
	if err != nil {
		log.Fatal(err)
	}
	body := `{"handler":"context","visitor":{},"request":{"id":"7d5a0c67"},"context_id":"hand-over","answers":{"name":{"text":"Amira"},"size":{"text":"M"}}}`
	answer := httptest.NewRecorder()
	bot.ServeHTTP(answer, httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/bot", strings.NewReader(body)))
	fmt.Println(answer.Body)
	// Output: {"action":"forward","replies":["Thank you, Amira."],"department":"74100250000000071"}
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
