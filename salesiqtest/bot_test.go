package salesiqtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

// asked is a request to a bot, as a bot without any package reads it.
type asked struct {
	Handler   string `json:"handler"`
	Operation string `json:"operation"`
	Request   struct{ ID string }
	Visitor   map[string]any `json:"visitor"`
	Message   struct{ Text, Type string }
	Files     []struct {
		Name string `json:"name"`
		URL  string `json:"url"`
		Size int    `json:"size"`
	} `json:"attachments"`
	ContextID string                           `json:"context_id"`
	Answers   map[string]struct{ Text string } `json:"answers"`
	Failed    json.RawMessage                  `json:"failed_response"`
	Cause     struct {
		Code int    `json:"code"`
		Desc string `json:"desc"`
	} `json:"cause"`
}

// failingTest is a test that may fail.
type failingTest struct {
	testing.TB

	failure string
}

func (f *failingTest) Fatalf(format string, args ...any) {
	f.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// run returns how a test has failed.
func (f *failingTest) run(test func()) string {
	f.Helper()
	f.failure = ""
	done := make(chan struct{})
	go func() {
		defer close(done)
		test()
	}()
	<-done
	require.NotEmpty(f.TB, f.failure, "it should have failed")
	return f.failure
}

// bot answers requests with JSON. It notes what it was asked.
type bot struct {
	t      *testing.T
	answer func(r asked) any

	mu     sync.Mutex
	bodies []string
	heads  []http.Header
}

func (b *bot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		return
	}
	body, err := io.ReadAll(r.Body)
	assert.NoError(b.t, err)
	var in asked
	assert.NoError(b.t, json.Unmarshal(body, &in))
	b.mu.Lock()
	b.bodies, b.heads = append(b.bodies, string(body)), append(b.heads, r.Header)
	b.mu.Unlock()
	switch answer := b.answer(in).(type) {
	case int:
		w.WriteHeader(answer)
	case string:
		_, err = io.WriteString(w, answer)
		assert.NoError(b.t, err)
	default:
		assert.NoError(b.t, json.NewEncoder(w).Encode(answer))
	}
}

func (b *bot) received() ([]string, []http.Header) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string{}, b.bodies...), append([]http.Header{}, b.heads...)
}

type said = map[string]any

// says is an answer that replies with texts or cards.
func says(replies ...any) said { return said{"action": "reply", "replies": replies} }

// asking adds a card to an answer.
func asking(a said, input said) said { a["input"] = input; return a }

func newBot(t *testing.T, answer func(r asked) any) *bot {
	t.Helper()
	return &bot{t: t, answer: answer}
}

func startBotServer(t *testing.T, opts ...salesiqtest.Option) *salesiqtest.Server {
	t.Helper()
	return salesiqtest.Start(t, append([]salesiqtest.Option{salesiqtest.Live(), salesiqtest.InMemory()}, opts...)...)
}

// pickUp lets the operator who has signed in take a conversation, and say something.
func pickUp(t *testing.T, s *salesiqtest.Server, id, text string) {
	t.Helper()
	service := live.New(s.Client(t))
	_, err := service.Conversations.Pickup(t.Context(), id)
	require.NoError(t, err)
	_, err = service.Messages.Send(t.Context(), id, text)
	require.NoError(t, err)
}

// shop is a small bot: it greets, asks for a size and an address, and hands over.
func shop(r asked) any {
	switch {
	case r.Handler == "trigger":
		return said{"action": "reply", "replies": []any{"Hello, what can I do for you?"}, "suggestions": []string{"Buy boots", "Talk to somebody"}}
	case r.Handler == "context":
		return said{"action": "end", "replies": []any{"Boots of size " + r.Answers["size"].Text + " go to " + r.Answers["email"].Text + ". Bye!"}}
	case r.Message.Text == "Buy boots":
		return said{"action": "context", "context_id": "boots", "questions": []any{
			said{"name": "size", "replies": []any{"Which size?"}, "input": said{"type": "select", "options": []string{"41", "42"}}},
			said{"name": "email", "replies": []any{said{"text": "Your e-mail address?", "field_name": "siq_email"}}, "input": said{"type": "email", "placeholder": "you@post.example", "error": []string{"That is no address."}}},
		}}
	case r.Message.Text == "Talk to somebody":
		return said{"action": "forward", "department": "dept790", "replies": []any{"One moment, please."}}
	}
	return says("You said " + r.Message.Text)
}

func TestAVisitorTalksToABotUpToTheOperator(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startBotServer(t)
		b := newBot(t, shop)
		c := s.Converse(t, b).As(salesiq.Visitor{Name: "Zoë Brun", Country: "Norway", Timezone: "Europe/Oslo"})
		c.Opens()
		c.Expects("Hello, what can I do for you?")
		c.ExpectsCard("suggestions", "Buy boots", "Talk to somebody")
		c.Chooses("Talk to somebody")
		c.Expects("One moment, please.")
		c.ExpectsForward("Support")
		chat := c.Chat()
		assert.Equal(t, salesiq.ChatWaiting, chat.Status)
		assert.Equal(t, "dept790", chat.DepartmentID)

		service := live.New(s.Client(t))
		conversation, err := service.Conversations.Get(t.Context(), chat.ID)
		require.NoError(t, err)
		assert.Empty(t, conversation.Attender.ID, "nobody has picked it up")
		pickUp(t, s, chat.ID, "Hello Zoë, this is Iris.")
		conversation, err = service.Conversations.Get(t.Context(), chat.ID)
		require.NoError(t, err)
		assert.Equal(t, "operator1", conversation.Attender.ID)
		assert.False(t, conversation.Attender.IsBot)
		c.Expects("Hello Zoë, this is Iris.")
		c.Says("Hello Iris")
		require.NoError(t, s.Settle(t.Context()))
		bodies, _ := b.received()
		assert.Len(t, bodies, 2, "the bot does not hear what goes to the operator")

		messages, err := service.Messages.List(t.Context(), chat.ID, nil)
		require.NoError(t, err)
		var senders []string
		for _, message := range messages {
			senders = append(senders, message.Sender.Name)
		}
		assert.Equal(t, []string{"Zobot", "Zoë Brun", "Zobot", "Iris Lindqvist", "Zoë Brun"}, senders)
	})
}

func TestABotIsToldWhatTheVendorsPageHas(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startBotServer(t)
		b := newBot(t, shop)
		c := s.Converse(t, b).As(salesiq.Visitor{Name: "Zoë", Country: "Norway", Browser: "Firefox 140", Platform: "Linux", Language: "nb"})
		c.Opens()
		c.Chooses("Buy boots")
		c.Expects("Which size?")
		c.ExpectsCard("select", "41", "42")
		conversation, err := live.New(s.Client(t)).Conversations.Get(t.Context(), c.Chat().ID)
		require.NoError(t, err)
		assert.True(t, conversation.Attender.IsBot)
		assert.Equal(t, byte('b'), conversation.Attender.ID[0], "so begin the ids of bots")
		c.Chooses("42")
		c.Expects("Your e-mail address?")
		c.Says("at home")
		c.Expects("That is no address.")
		c.Says("zoe@post.example")
		c.Expects("Boots of size 42 go to zoe@post.example. Bye!")
		c.ExpectsEnd()
		chat := c.Chat()
		assert.Equal(t, salesiq.ChatEnded, chat.Status)
		assert.Equal(t, "zoe@post.example", chat.VisitorInfo.Email, "field_name says where it is stored")

		bodies, headers := b.received()
		require.Len(t, bodies, 3)
		ids := map[string]bool{}
		for i, body := range bodies {
			require.NoError(t, s.Verifier().Verify(headers[i], []byte(body)))
			assert.Equal(t, "application/json", headers[i].Get("Content-Type"))
			var in asked
			require.NoError(t, json.Unmarshal([]byte(body), &in))
			ids[in.Request.ID] = true
			bodies[i] = strings.NewReplacer(in.Request.ID, "ID", chat.ID, "CHAT", fmt.Sprint(in.Visitor["visitid"]), "VISIT").Replace(body)
		}
		assert.Len(t, ids, 3, "each request has an id of its own")
		const visitor = `"browser":"Firefox 140","channel":"Website","country":"Norway","current_page_url":"https://www.nordlicht.example/",` +
			`"landing_page_url":"https://www.nordlicht.example/","language":"nb","name":"Zoë","os":"Linux","visitid":"VISIT"`
		assert.JSONEq(t, `{"handler":"trigger","org_id":"60021477","request":{"id":"ID"},"visitor":{`+visitor+`}}`, bodies[0])
		assert.JSONEq(t, `{"handler":"message","operation":"chat","org_id":"60021477","request":{"id":"ID"},
			"visitor":{`+visitor+`,"active_conversation_id":"CHAT","question":"Buy boots"},
			"message":{"text":"Buy boots","type":"text","meta":{}},"attachments":[]}`, bodies[1])
		assert.JSONEq(t, `{"handler":"context","org_id":"60021477","request":{"id":"ID"},
			"visitor":{`+visitor+`,"active_conversation_id":"CHAT","question":"Buy boots","email":"zoe@post.example"},
			"context_id":"boots","answers":{"size":{"text":"42"},"email":{"text":"zoe@post.example"}}}`, bodies[2])
	})
}

func TestLaterMessagesAndFilesAreToldAsSuch(t *testing.T) {
	t.Parallel()
	s := startBotServer(t)
	b := newBot(t, func(r asked) any {
		if len(r.Files) > 0 {
			return says(fmt.Sprintf("%s %s has %d bytes", r.Operation, r.Files[0].Name, r.Files[0].Size))
		}
		return says(r.Operation + " " + r.Message.Text)
	})
	c := s.Converse(t, b)
	c.Says("one")
	c.Expects("chat one")
	c.Says("two")
	c.Expects("message two")
	c.Attaches("boots.png", []byte("PNG"))
	c.Expects("message boots.png has 3 bytes")
	bodies, headers := b.received()
	assert.Contains(t, bodies[1], `"type":"text"`)
	assert.Contains(t, bodies[2], `"type":"file"`)
	assert.Equal(t, "application/json", headers[2].Get("Content-Type"))
	assert.Equal(t, "salesiqtest", headers[2].Get("User-Agent"))
	var in asked
	require.NoError(t, json.Unmarshal([]byte(bodies[2]), &in))
	a := get(t, s, strings.TrimPrefix(in.Files[0].URL, s.URL))
	assert.Equal(t, "PNG", a.body, "the file can be fetched")
}

func TestASecretSignsInPlaceOfAKey(t *testing.T) {
	t.Parallel()
	s := startBotServer(t)
	secret := salesiq.NewSecret("a secret of enough bytes")
	b := newBot(t, shop)
	require.NoError(t, s.ConnectBot(salesiqtest.Bot{Handler: b, Secret: secret, Name: "Nora"}))
	c := s.Converse(t, nil)
	c.Says("hm")
	c.Expects("You said hm")
	assert.Contains(t, c.String(), "Nora     You said hm")
	bodies, headers := b.received()
	require.NoError(t, webhook.HMAC(secret).Verify(headers[0], []byte(bodies[0])))
	assert.Empty(t, headers[0].Get(webhook.HeaderRSASignature))
}

// A server in the plain dialect, a bot that is not there, and what else cannot be
// connected.
func TestABotThatCannotBeReachedIsRefused(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	for _, row := range []struct {
		why  string
		bot  salesiqtest.Bot
		want string
	}{
		{"nothing", salesiqtest.Bot{}, "a URL or a handler"},
		{"both", salesiqtest.Bot{URL: "http://127.0.0.1:1/", Handler: http.NotFoundHandler()}, "not both"},
		{"a nil handler", salesiqtest.Bot{Handler: http.HandlerFunc(nil)}, "nil"},
		{"no URL", salesiqtest.Bot{URL: "bot"}, "http or https"},
		{"a port, elsewhere", salesiqtest.Bot{URL: "https://bot.example:8443/"}, "must not have a port"},
		{"another machine", salesiqtest.Bot{URL: "https://bot.example/"}, "WithWebhookTransport"},
		{"no HEAD", salesiqtest.Bot{Handler: http.NotFoundHandler()}, "HEAD request with 200: the status was 404"},
		{"nobody there", salesiqtest.Bot{URL: "http://127.0.0.1:1/"}, "HEAD request with 200"},
		{"a delay", salesiqtest.Bot{URL: "http://127.0.0.1:1/", Delay: -1}, "negative"},
	} {
		err := s.ConnectBot(row.bot)
		refused := &salesiq.InputError{}
		require.ErrorAs(t, err, &refused, row.why)
		assert.Contains(t, err.Error(), row.want, row.why)
	}
	plain := salesiqtest.Start(t)
	require.ErrorContains(t, plain.ConnectBot(salesiqtest.Bot{Handler: newBot(t, shop)}), "Live")
	_, err := salesiqtest.NewServer(salesiqtest.WithBot(salesiqtest.Bot{URL: "http://127.0.0.1:1/"}))
	require.ErrorContains(t, err, "Live")
	_, err = salesiqtest.NewServer(salesiqtest.Live(), salesiqtest.WithBot(salesiqtest.Bot{URL: "https://bot.example/"}))
	require.ErrorContains(t, err, "this machine")
}

func TestABotAtAURLMayStartAfterTheServer(t *testing.T) {
	t.Parallel()
	b := newBot(t, shop)
	there := httptest.NewUnstartedServer(b)
	t.Cleanup(there.Close)
	s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.WithBot(salesiqtest.Bot{URL: "http://" + there.Listener.Addr().String() + "/zobot"}))
	there.Start()
	c := s.Converse(t, nil)
	c.Says("late")
	c.Expects("You said late")
	s.Reset()
	again := s.Converse(t, nil)
	again.Says("again")
	again.Expects("You said again")
}

func TestABotThatAnswersNoProbeIsNotAsked(t *testing.T) {
	t.Parallel()
	posts := 0
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts++
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(there.Close)
	s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.WithBot(salesiqtest.Bot{URL: there.URL}))
	tb := &failingTest{TB: t}
	c := s.Converse(tb, nil)
	c.Says("Hello")
	assert.Contains(t, tb.run(func() { c.Expects("Hello") }), "it must answer a HEAD request with 200: the status was 404")
	assert.Zero(t, posts)
}

func TestABotIsProbedOnce(t *testing.T) {
	t.Parallel()
	probes, b := 0, newBot(t, shop)
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			probes++
		}
		b.ServeHTTP(w, r)
	}))
	t.Cleanup(there.Close)
	c := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.WithBot(salesiqtest.Bot{URL: there.URL})).Converse(t, nil)
	for _, text := range []string{"one", "two"} {
		c.Says(text)
		c.Expects("You said " + text)
	}
	assert.Equal(t, 1, probes)
}

func TestABotConnectsByAControlCall(t *testing.T) {
	t.Parallel()
	b := newBot(t, shop)
	there := httptest.NewServer(b)
	t.Cleanup(there.Close)
	s := salesiqtest.Start(t, salesiqtest.Live())
	a := do(t, s, "", http.MethodPost, "/_emulator/bot", `{"url":"ftp://x"}`)
	assert.Equal(t, http.StatusBadRequest, a.status)
	assert.Contains(t, a.body, "http or https")
	a = do(t, s, "", http.MethodPost, "/_emulator/bot", `{"url":"`+there.URL+`","redelivers":true}`)
	require.Equal(t, http.StatusOK, a.status, a.body)
	c := s.Converse(t, nil)
	c.Says("twice")
	c.Expects("You said twice")
	bodies, _ := b.received()
	require.Len(t, bodies, 2)
	assert.Equal(t, bodies[0], bodies[1], "a request that comes again is the same")
	a = do(t, s, "", http.MethodGet, "/_emulator/bot/turns", "")
	assert.Contains(t, a.body, `"handler":"message"`)
	assert.Contains(t, a.body, `You said twice`)
}

func TestAPendingAnswerComesOnceWithinThreeMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startBotServer(t)
		service := live.New(s.Client(t))
		var work sync.WaitGroup
		answered := map[string]any{"action": "reply", "replies": []string{"It is on its way."}}
		b := newBot(t, func(r asked) any {
			if r.Message.Text != "Where is my order?" {
				return says("You said " + r.Message.Text)
			}
			work.Go(func() {
				ctx := context.Background()
				time.Sleep(20 * time.Second)
				assert.NoError(t, service.Callbacks.Progress(ctx, r.Request.ID, "I am still looking."))
				time.Sleep(time.Minute)
				refused := service.Callbacks.Respond(ctx, r.Request.ID, map[string]any{"replies": "no list"})
				assert.Equal(t, 1011, number(t, refused))
				assert.ErrorContains(t, refused, "action is required")
				assert.NoError(t, service.Callbacks.Respond(ctx, r.Request.ID, answered))
				assert.Equal(t, 1019, number(t, service.Callbacks.Respond(ctx, r.Request.ID, answered)), "it is answered")
				assert.Equal(t, 1019, number(t, service.Callbacks.Progress(ctx, "r1", "Hm")), "nobody was asked that")
			})
			return said{"action": "pending", "replies": []any{"One moment."}}
		})
		tb := &failingTest{TB: t}
		c := s.Converse(tb, b)
		began := time.Now()
		c.Says("Where is my order?")
		c.Expects("One moment.", "I am still looking.")
		assert.Equal(t, 20*time.Second, time.Since(began).Truncate(time.Second))
		failure := tb.run(func() { c.Expects("It is on its way.") })
		assert.Contains(t, failure, "action is required; replies must be a list, by callback")
		c.Expects("It is on its way.")
		assert.Equal(t, 80*time.Second, time.Since(began).Truncate(time.Second))
		c.Says("Thanks")
		c.Expects("You said Thanks")
		work.Wait()
		var wrong []string
		for _, turn := range s.BotTurns() {
			if turn.Error != "" {
				wrong = append(wrong, turn.Answer)
			}
		}
		assert.Equal(t, []string{`{"replies":"no list"}`}, wrong)
	})
}

func TestAnAnswerByCallbackMayBeFasterThanPending(t *testing.T) {
	t.Parallel()
	s := startBotServer(t)
	service := live.New(s.Client(t))
	b := newBot(t, func(r asked) any {
		assert.NoError(t, service.Callbacks.Respond(context.Background(), r.Request.ID, says("Done.")))
		return said{"action": "pending", "replies": []any{"Wait."}}
	})
	c := s.Converse(t, b)
	c.Says("Do it")
	c.Expects("Wait.", "Done.")
}

func TestABotThatNeverComesBackLeavesItToOperators(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startBotServer(t)
		b := newBot(t, func(asked) any { return said{"action": "pending"} })
		tb := &failingTest{TB: t}
		c := s.Converse(tb, b)
		began := time.Now()
		c.Says("Hello?")
		failure := tb.run(func() { c.Expects("Yes?") })
		assert.Contains(t, failure, "nothing in the three minutes after that")
		assert.Equal(t, 3*time.Minute, time.Since(began).Truncate(time.Second))
		pickUp(t, s, c.Chat().ID, "I am here.")
		c.Expects("I am here.")
	})
}

func TestWhoPicksAConversationUpHasItAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startBotServer(t)
		service := live.New(s.Client(t))
		ids := make(chan string, 1)
		b := newBot(t, func(r asked) any {
			ids <- r.Request.ID
			return said{"action": "pending", "replies": []any{"One moment."}}
		})
		c := s.Converse(t, b)
		began := time.Now()
		c.Says("Hello?")
		c.Expects("One moment.")
		id := <-ids
		a := do(t, s, s.AccessToken(), http.MethodPost, "/api/v2/nordlicht/callbacks/"+id+"/progress", `{"texts":"x"}`)
		assert.Contains(t, a.body, `"json_key":"text"`, "progress needs a text")
		waiting, err := service.Conversations.List(t.Context(), &live.ConversationListParams{Status: live.Waiting, SortBy: "in_time", SortOrder: "descending"})
		require.NoError(t, err)
		pickUp(t, s, waiting[0].ID, "I am here.")
		c.Expects("I am here.")
		assert.Less(t, time.Since(began), time.Minute, "nobody waits for the bot any more")
		assert.Equal(t, 1019, number(t, service.Callbacks.Respond(t.Context(), id, says("Too late"))))
		c.Says("Hello operator")
		assert.Len(t, c.Chat().Transcript, 4)
	})
}
