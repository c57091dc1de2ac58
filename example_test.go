package salesiq_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

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
	for result := range client.Chats.Transcripts(ctx, chats) {
		if result.Err != nil {
			log.Println(result.ChatID, result.Err) // The others go on.
			continue
		}
		fmt.Println(result.ChatID, len(result.Chat.Transcript) > 0)
	}
	// Output:
	// chat123 true
	// chat123456789 true
}

// A nightly export, which may be killed at any moment: the next one goes on. It keeps to
// its plan, over restarts as well, and leaves a fifth of it to those who wait for an
// answer. Its logger tells of long waits. A database would stand in place of the map.
func ExampleChatsService_Export() {
	server, err := salesiqtest.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	auth := salesiq.RefreshToken(server.Credentials(), salesiq.NewMemoryTokenStore())
	dayFile := filepath.Join(os.TempDir(), "salesiq-day-of-the-export.json")
	defer os.Remove(dayFile) //nolint:errcheck // The program ends.
	chats := map[string]*salesiq.Chat{}
	var from time.Time // It is kept beside the chats.

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	export := func() error {
		// Elsewhere, NewClientFromEnv with the same two options, and SALESIQ_TOKEN_FILE
		// for a job that is started often.
		plan := salesiq.WithPlan(salesiq.Basic().KeptIn(dayFile))
		client, err := salesiq.NewClient(auth, append(server.Options(), plan, salesiq.WithLogger(slog.Default()))...)
		if err != nil {
			return err // Such as that another process is at work with the file.
		}
		var failed error
		began := time.Now()
		params := &salesiq.ChatListParams{FromDate: from} // Zero at first, then 30 days before the last run without an error.
		stored := func(chatID string) (bool, error) { return chats[chatID] != nil, nil }
		for result := range client.Batch().Chats.Export(ctx, params, stored) {
			if result.Err != nil {
				failed = errors.Join(failed, result.Err) // The next run tries it again.
				continue
			}
			chats[result.ChatID] = result.Chat // An error of a database is returned.
		}
		if failed == nil {
			from = began.AddDate(0, 0, -30)
		}
		return failed
	}
	fmt.Println(export(), len(chats) > 100)
	once := len(chats)
	fmt.Println(export(), len(chats) == once)
	// Output:
	// <nil> true
	// <nil> true
}

// errUnknownTenant is told apart by errors.Is, and is ErrInvalidRequest for KindOf.
var errUnknownTenant error = &salesiq.InputError{Field: "tenant", Reason: "is unknown"}

// Several accounts have a client each, which is made once and kept in a map. It makes no
// request before the first call, and needs no closing. Each has its own token, data
// center, plan and logger.
//
// The day's file of KeptIn is for one process, such as a service: a second one is refused.
// Tools that run beside each other have the plan alone, WithPlan(t.plan), and count the
// day each for itself, or share it through package salesiqredis.
func Example_tenants() {
	folder, err := os.MkdirTemp("", "tenants")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)                              //nolint:errcheck // The system cleans up what is left.
	key := []byte("32 bytes that only this app knows")[:32] // From where secrets are kept.
	type tenant struct {
		credentials salesiq.Credentials
		dataCenter  salesiq.DataCenter
		plan        salesiq.Plan
	}
	secret := salesiq.NewSecret("from a vault")
	tenants := map[string]tenant{
		"north": {salesiq.Credentials{ClientID: "1000.NORTH", ClientSecret: secret, RefreshToken: secret}, salesiq.EU, salesiq.Basic()},
		"south": {salesiq.Credentials{ClientID: "1000.SOUTH", ClientSecret: secret, RefreshToken: secret}, salesiq.IN, salesiq.Enterprise()},
	}

	clients := make(map[string]*salesiq.Client, len(tenants))
	for name, t := range tenants {
		path := filepath.Join(folder, name)
		clients[name], err = salesiq.NewClient(
			salesiq.RefreshToken(t.credentials, salesiq.FileTokenStore(path+".token", key)),
			salesiq.WithDataCenter(t.dataCenter),
			salesiq.WithPlan(t.plan.KeptIn(path+".day")),
			salesiq.WithLogger(slog.New(slog.DiscardHandler).With("tenant", name)), // Elsewhere, a logger of the program.
		)
		if err != nil {
			log.Fatalf("tenant %s: %v", name, err)
		}
	}
	get := func(ctx context.Context, tenant, chatID string) (*salesiq.Chat, error) {
		client, ok := clients[tenant]
		if !ok {
			return nil, fmt.Errorf("tenant %q: %w", tenant, errUnknownTenant)
		}
		chat, err := client.Chats.Get(ctx, chatID)
		if err != nil {
			return nil, fmt.Errorf("tenant %s: %w", tenant, err) // KindOf looks through it.
		}
		return chat, nil
	}
	_, err = get(context.Background(), "west", "chat123")
	fmt.Println(clients["south"].DataCenter(), clients["north"].DailyQuota().Left, salesiq.KindOf(err), errors.Is(err, errUnknownTenant))
	// Output: IN 5000 INVALID_REQUEST true
}

// What a service that several accounts use does about an error.
func ExampleKindOf() {
	ctx, client, stop := emulated()
	defer stop()

	_, err := client.Chats.SendMessage(ctx, "chat999", salesiq.TextMessage("Hello!"))
	switch salesiq.KindOf(err) {
	case salesiq.ErrMaybeProcessed:
		fmt.Println("look into the chat before sending it again")
	case salesiq.ErrInvalidRequest:
		fmt.Println("400", err)
	case salesiq.ErrResourceNotFound, salesiq.ErrChatNotActive:
		fmt.Println("404 the chat is over, or there is none")
	case salesiq.ErrRateLimitExceeded, salesiq.ErrInternalError:
		if failure, ok := errors.AsType[*salesiq.Error](err); ok {
			fmt.Println("503 not before", failure.RetryAt)
		}
	case salesiq.ErrPermissionDenied, salesiq.ErrInvalidToken:
		fmt.Println("502 the account's owner must sign in again")
	default:
		fmt.Println("500", err)
	}
	// Output: 404 the chat is over, or there is none
}

// A batch of the same client leaves a fifth of its plan to those who wait for an answer.
func ExampleClient_Batch() {
	ctx, client, stop := emulated()
	defer stop()

	nightly := client.Batch()
	count := 0
	for _, err := range nightly.Chats.All(ctx, nil) {
		if err != nil {
			log.Fatal(err)
		}
		count++
	}
	fmt.Println(count)
	// Output: 286
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

func ExampleLookupPlan() {
	plan, err := salesiq.LookupPlan("basic") // Such as from a configuration.
	if err != nil {
		log.Fatal(err)
	}
	client, err := salesiq.NewClient(salesiq.StaticToken("1000.EXAMPLE"), salesiq.WithPlan(plan))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan.CallsPerMinute, plan.CallsPerDay, client.DataCenter())
	// Output: 20 5000 US
}

// A nightly export and the answers to visitors share an account.
func ExampleNewLimiter() {
	limiter, err := salesiq.NewLimiter(salesiq.Basic())
	if err != nil {
		log.Fatal(err)
	}
	auth := salesiq.StaticToken("1000.EXAMPLE")
	interactive, err := salesiq.NewClient(auth, salesiq.WithLimiter(limiter))
	if err != nil {
		log.Fatal(err)
	}
	nightly, err := salesiq.NewClient(auth, salesiq.WithLimiter(limiter.Batch()))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(interactive != nightly, limiter.DailyQuota().Left)
	// Output: true 5000
}

// What a day has left is kept in a file, or wherever the program keeps its state.
func ExampleSharedLimiter_ResumeDay() {
	path := filepath.Join(os.TempDir(), "salesiq-day-of-the-example.json")
	defer os.Remove(path) //nolint:errcheck // The program ends.
	limiter, err := salesiq.NewLimiter(salesiq.Plan{CallsPerDay: 100})
	if err != nil {
		log.Fatal(err)
	}
	var day salesiq.DailyQuota
	if kept, err := os.ReadFile(path); err == nil && json.Unmarshal(kept, &day) == nil {
		if err := limiter.ResumeDay(day); err != nil {
			log.Fatal(err)
		}
	}

	kept, err := json.Marshal(limiter.DailyQuota()) // At the end, and now and then.
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(path, kept, 0o600); err != nil {
		log.Fatal(err)
	}
	fmt.Println(limiter.DailyQuota().Left)
	// Output: 100
}

// audit writes down what is asked. It must not write down headers and bodies, which
// hold secrets.
type audit struct{ next http.RoundTripper }

func (a audit) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		fmt.Println(r.Method, r.URL.Path)
	}
	return a.next.RoundTrip(r)
}

func ExampleWithTransport() {
	server, err := salesiqtest.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	auth := salesiq.RefreshToken(server.Credentials(), salesiq.NewMemoryTokenStore())
	wrap := salesiq.WithTransport(func(next http.RoundTripper) http.RoundTripper { return audit{next} })
	client, err := salesiq.NewClient(auth, append(server.Options(), wrap)...)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Chats.Get(context.Background(), "chat123"); err != nil {
		log.Fatal(err)
	}
	// Output: GET /api/v2/chats/chat123
}

// A program that shows what it waits for.
func ExampleWithTracer() {
	server, err := salesiqtest.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	tracer := &salesiq.Tracer{
		Call: func(context.Context, salesiq.CallTrace) (context.Context, func(salesiq.CallTrace)) {
			return nil, func(call salesiq.CallTrace) { fmt.Println(call.Operation, call.StatusCode, call.Attempts) }
		},
		Wait: func(_ context.Context, wait salesiq.WaitTrace) func(salesiq.WaitTrace) {
			if wait.Reason == salesiq.WaitQuota {
				fmt.Println("waiting for the quota until", wait.Until)
			}
			return nil
		},
	}
	auth := salesiq.RefreshToken(server.Credentials(), salesiq.NewMemoryTokenStore())
	client, err := salesiq.NewClient(auth, append(server.Options(), salesiq.WithTracer(tracer))...)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Chats.Get(context.Background(), "chat123"); err != nil {
		log.Fatal(err)
	}
	// Output: Chats.Get 200 1
}

// The total is known from the first item on.
func ExampleWithResponse_progress() {
	ctx, client, stop := emulated()
	defer stop()

	var response salesiq.Response
	done := 0
	for _, err := range client.Chats.All(ctx, nil, salesiq.WithResponse(&response)) {
		if err != nil {
			log.Fatal(err)
		}
		if done++; done%100 == 0 {
			fmt.Println(done, "of", response.Total)
		}
	}
	// Output:
	// 100 of 286
	// 200 of 286
}

func ExampleVisitorsService_Tag() {
	ctx, client, stop := emulated()
	defer stop()

	visitor, err := client.Visitors.Tag(ctx, "visitor123", []string{"newsletter"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(slices.Contains(visitor.Tags, "newsletter"))
	// Output: true
}
