package salesiq_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// The snippets of README.md and of docs are parts of these examples.

// emulated returns a client of a SalesIQ in memory.
func emulated() (ctx context.Context, client *salesiq.Client, stop func()) {
	server, err := salesiqtest.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	auth := salesiq.RefreshToken(server.Credentials(), salesiq.NewMemoryTokenStore())
	client, err = salesiq.NewClient(auth, server.Options()...)
	if err != nil {
		log.Fatal(err)
	}
	return context.Background(), client, server.Close
}

func ExampleNewClient() {
	id, secret, token := "1000.EXAMPLE", salesiq.NewSecret("from a vault"), salesiq.NewSecret("from there, too")
	path := filepath.Join(os.TempDir(), "salesiq-token")
	key := []byte("32 bytes that only this app knows")[:32]

	credentials := salesiq.Credentials{ClientID: id, ClientSecret: secret, RefreshToken: token}
	client, err := salesiq.NewClient(
		salesiq.RefreshToken(credentials, salesiq.FileTokenStore(path, key)),
		salesiq.WithDataCenter(salesiq.EU),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.DataCenter().Hosts().API)
	// Output: https://salesiq.zoho.eu
}

func ExampleChatsService_All() {
	ctx, client, stop := emulated()
	defer stop()

	show := func() error {
		params := &salesiq.ChatListParams{VisitorID: "visitor123", Status: salesiq.ChatActive}
		for chat, err := range client.Chats.All(ctx, params) {
			if err != nil {
				return err
			}
			fmt.Println(chat.ID, chat.Status)
		}
		return nil
	}
	if err := show(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// chat123 active
	// chat123456789 active
}

func ExampleChatsService_SendMessage() {
	ctx, client, stop := emulated()
	defer stop()

	message, err := client.Chats.SendMessage(ctx, "chat123", salesiq.TextMessage("How can I help?"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(message.SenderType, message.Text)
	// Output: operator How can I help?
}

func ExampleError() {
	ctx, client, stop := emulated()
	defer stop()
	const chatID = "chat123"
	if _, err := client.Chats.End(ctx, chatID, nil); err != nil {
		log.Fatal(err)
	}

	_, err := client.Chats.End(ctx, chatID, nil)
	if errors.Is(err, salesiq.ErrChatNotActive) {
		fmt.Println("somebody was faster")
	}
	if failure, ok := errors.AsType[*salesiq.Error](err); ok {
		fmt.Println(failure.Operation, failure.StatusCode, failure.Attempts)
	}
	// Output:
	// somebody was faster
	// Chats.End 400 1
}

func ExampleOperatorsService_Update() {
	ctx, client, stop := emulated()
	defer stop()

	operator, err := client.Operators.Update(ctx, "operator456", &salesiq.OperatorUpdate{
		Status:   salesiq.Set(salesiq.OperatorAway),
		MaxChats: salesiq.Set(0),
		Timezone: salesiq.Null[string](),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %d %q\n", operator.Status, operator.MaxChats, operator.Timezone)
	// Output: away 0 ""
}

func ExampleBrandsService_Update() {
	ctx, client, stop := emulated()
	defer stop()

	brand, err := client.Brands.Update(ctx, "brand123", &salesiq.BrandUpdate{
		WidgetSettings: salesiq.Set(salesiq.WidgetSettingsUpdate{ThemeColor: salesiq.Set("#28a745")}),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(brand.WidgetSettings.ThemeColor, brand.WidgetSettings.GreetingMessage != "")
	// Output: #28a745 true
}

func ExampleChatsService_Transcripts() {
	ctx, client, stop := emulated()
	defer stop()

	chats := client.Chats.All(ctx, &salesiq.ChatListParams{VisitorID: "visitor123", Status: salesiq.ChatActive})
	for chat, err := range client.Chats.Transcripts(ctx, chats) {
		switch {
		case err == nil:
			fmt.Println(chat.ID, len(chat.Transcript) > 0)
		case chat != nil:
			fmt.Println(chat.ID, err) // The others go on.
		default:
			log.Fatal(err) // The list is at its end.
		}
	}
	// Output:
	// chat123 true
	// chat123456789 true
}

func ExampleWithResponse() {
	ctx, client, stop := emulated()
	defer stop()

	var response salesiq.Response
	chat, err := client.Chats.Get(ctx, "chat123", salesiq.WithResponse(&response))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(chat.ID, response.StatusCode, response.Attempts, response.RateWindow.Known)
	// Output: chat123 200 1 true
}

func ExampleClient_Do() {
	ctx, client, stop := emulated()
	defer stop()

	var visitor struct{ Name, Email string }
	update := map[string]any{"name": "Amira Osei"}
	err := client.Do(ctx, "PATCH", "/visitors/visitor123", update, &visitor)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(visitor.Name)
	// Output: Amira Osei
}

// greetEveryone is code of a user, to be tested.
func greetEveryone(ctx context.Context, client *salesiq.Client) error {
	for chat, err := range client.Chats.All(ctx, &salesiq.ChatListParams{Status: salesiq.ChatActive}) {
		if err != nil {
			return err
		}
		if _, err := client.Chats.SendMessage(ctx, chat.ID, salesiq.TextMessage("Hello!")); err != nil {
			return err
		}
	}
	return nil
}

func TestEveryoneIsGreeted(t *testing.T) {
	t.Parallel()
	client := salesiqtest.NewClient(t)
	require.NoError(t, greetEveryone(t.Context(), client))
	messages, err := client.Chats.Transcript(t.Context(), "chat123")
	require.NoError(t, err)
	assert.Equal(t, "Hello!", messages[len(messages)-1].Text)
}

func TestSnippetsOfTheReadmeAreExamplesThatRun(t *testing.T) {
	t.Parallel()
	var examples strings.Builder
	for _, file := range []string{"example_test.go", "webhook/example_test.go", "widget/widget_test.go", "live/example_test.go"} {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		examples.WriteString(unindented(string(source)))
	}
	documents, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	for _, document := range append(documents, "README.md") {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(text), -1)
		if document == "README.md" {
			require.GreaterOrEqual(t, len(snippets), 10)
		}
		for _, snippet := range snippets {
			if !strings.Contains(examples.String(), unindented(snippet[1])) {
				t.Errorf("no example has this snippet of %s:\n%s", document, snippet[1])
			}
		}
	}
}

func unindented(code string) string {
	var lines []string
	for line := range strings.Lines(code) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, "\n")
}
