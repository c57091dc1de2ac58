package salesiqtest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

// botChat is what the widget is told.
type botChat struct {
	widgetChat

	Bot struct {
		Name        string          `json:"name"`
		Open        bool            `json:"open"`
		Busy        bool            `json:"busy"`
		Pending     bool            `json:"pending"`
		Input       json.RawMessage `json:"input"`
		Options     []string        `json:"options"`
		Suggestions []string        `json:"suggestions"`
		Problems    []string        `json:"problems"`
	} `json:"bot"`
}

// settled tells how the chat stands once the bot has answered.
func (b browser) settled() (seen botChat) {
	b.t.Helper()
	require.NoError(b.t, b.server.Settle(b.t.Context()))
	require.Equal(b.t, http.StatusOK, b.do(http.MethodGet, "/widget/chat?visitor="+b.key, "", &seen))
	return seen
}

func TestTheWidgetTalksToABot(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	bot := newBot(t, func(r asked) any {
		switch {
		case len(r.Files) > 0:
			return says(r.Files[0].Name)
		case r.Message.Text == "break a rule":
			return said{"action": "reply"}
		}
		return shop(r)
	})
	require.NoError(t, s.ConnectBot(salesiqtest.Bot{Handler: bot}))
	b := browser{t, s, "key1"}
	var visit struct {
		HasBot bool `json:"has_bot"`
	}
	b.tell("/widget/visits", ``, &visit)
	assert.True(t, visit.HasBot)
	b.tell("/widget/open", ``, nil)
	b.tell("/widget/open", ``, nil)
	seen := b.settled()
	require.Len(t, seen.Messages, 1, "the bot is told once")
	assert.Empty(t, seen.ID, "nobody has said anything yet")
	assert.Equal(t, salesiq.SenderType("bot"), seen.Messages[0].SenderType)
	assert.NotEmpty(t, seen.Messages[0].ID)
	assert.False(t, seen.Messages[0].Timestamp.IsZero())
	assert.Equal(t, []string{"Buy boots", "Talk to somebody"}, seen.Bot.Suggestions)
	assert.True(t, seen.Bot.Open)

	const key = `{"visitor":"key1","values":["Fly"]}`
	assert.Equal(t, http.StatusOK, b.do(http.MethodPost, "/widget/say", key, nil), "a refusal, as the live service tells it")
	assert.Empty(t, b.settled().ID, "what cannot be chosen begins nothing")
	b.tell("/widget/say", `,"values":["Buy boots"]`, nil)
	seen = b.settled()
	assert.NotEmpty(t, seen.ID)
	assert.JSONEq(t, `{"type":"select","options":["41","42"]}`, string(seen.Bot.Input))
	assert.Equal(t, []string{"41", "42"}, seen.Bot.Options)
	before := len(seen.Messages)
	assert.Equal(t, http.StatusOK, b.do(http.MethodPost, "/widget/say", `{"visitor":"key1","values":["43"]}`, nil))
	assert.Len(t, b.settled().Messages, before, "what cannot be chosen is not said")
	b.tell("/widget/say", `,"values":["41"]`, nil)
	b.tell("/widget/say", `,"message":"zoe@post.example"`, nil)
	seen = b.settled()
	assert.Equal(t, salesiq.ChatEnded, seen.Status)

	b.tell("/widget/say", `,"file":{"name":"boots.png","type":"image/png","content":"`+base64.StdEncoding.EncodeToString([]byte("PNG"))+`"}`, nil)
	seen = b.settled()
	assert.Equal(t, "boots.png", seen.Messages[len(seen.Messages)-1].Text)
	b.tell("/widget/say", `,"message":"break a rule"`, nil)
	seen = b.settled()
	assert.Equal(t, []string{`the bot's answer breaks a rule: replies is required: {"action":"reply"}`}, seen.Bot.Problems)
	assert.False(t, seen.Bot.Open, "an operator is to answer")
	pickUp(t, s, seen.ID, "I am here.")
	seen = b.settled()
	assert.Equal(t, "Iris Lindqvist", seen.Operator)
}

func TestAVisitorWhomABotHasBlockedIsNotHeard(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	require.NoError(t, s.ConnectBot(salesiqtest.Bot{Handler: newBot(t, func(asked) any { return said{"action": "block", "replies": []any{}} })}))
	b := browser{t, s, "key1"}
	b.tell("/widget/say", `,"message":"Rude"`, nil)
	seen := b.settled()
	assert.Equal(t, salesiq.ChatEnded, seen.Status)
	b.tell("/widget/say", `,"message":"Again"`, nil)
	again := b.settled()
	assert.Equal(t, seen.ID, again.ID)
	assert.Len(t, again.Messages, 1)
}

func TestAWindowThatOpensWhileSomebodyTalksTellsTheBotNothing(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	bot := newBot(t, func(r asked) any {
		switch r.Message.Text {
		case "Rude":
			return said{"action": "block", "replies": []any{}}
		case "Bye":
			return said{"action": "end", "replies": []any{}}
		case "Help":
			return said{"action": "forward", "replies": []any{}}
		}
		return says("Hm")
	})
	require.NoError(t, s.ConnectBot(salesiqtest.Bot{Handler: bot}))
	for n, text := range []string{"Hello", "Help", "Rude"} {
		b := browser{t, s, fmt.Sprint("key", n)}
		b.tell("/widget/say", `,"message":"`+text+`"`, nil)
		id := b.settled().ID
		b.tell("/widget/open", ``, nil)
		b.settled()
		if text == "Help" {
			pickUp(t, s, id, "I am here.")
			b.tell("/widget/open", ``, nil)
			b.settled()
		}
	}
	bodies, _ := bot.received()
	assert.Len(t, bodies, 3)
	ended := browser{t, s, "key3"}
	ended.tell("/widget/say", `,"message":"Bye"`, nil)
	require.Equal(t, salesiq.ChatEnded, ended.settled().Status)
	ended.tell("/widget/open", ``, nil)
	ended.settled()
	bodies, _ = bot.received()
	assert.Contains(t, bodies[len(bodies)-1], `"handler":"trigger"`, "another conversation may begin")
}

func TestABotsMistakesAreLogged(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&lockedWriter{&mu, &out}, nil))
	s := startBotServer(t, salesiqtest.WithLogger(logger))
	require.NoError(t, s.ConnectBot(salesiqtest.Bot{Handler: newBot(t, func(asked) any { return "no JSON" })}))
	chat, err := s.StartChat("visitor123", "Hello")
	require.NoError(t, err)
	require.NoError(t, s.Settle(t.Context()))
	mu.Lock()
	defer mu.Unlock()
	assert.Contains(t, out.String(), `level=WARN msg=bot problem="the bot's answer breaks a rule: the answer is no JSON object: no JSON" chat_id=`+chat.ID)
}

// lockedWriter is written to by one goroutine at a time.
type lockedWriter struct {
	mu  *sync.Mutex
	out *bytes.Buffer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(p)
}

func TestThePageLoadsNothingButItsOwn(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	a := do(t, s, "", http.MethodGet, "/widget/page", "")
	assert.Equal(t, http.StatusOK, a.status)
	assert.Contains(t, a.header.Get("Content-Security-Policy"), "default-src 'none'")
	assert.Equal(t, "text/html; charset=utf-8", a.header.Get("Content-Type"))
	assert.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
	assert.Equal(t, "no-store", a.header.Get("Cache-Control"), "an old page has an old nonce")
	assert.NotContains(t, a.body, "{nonce}")
	assert.NotContains(t, a.body, "https://")
	again := do(t, s, "", http.MethodGet, "/widget/page", "")
	assert.NotEqual(t, a.header.Get("Content-Security-Policy"), again.header.Get("Content-Security-Policy"), "a nonce is used once")
}

// A bot answers in a chat window of a team's own as well, by the same events.
func TestABotAnswersInAnyWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startBotServer(t)
		require.NoError(t, s.ConnectBot(salesiqtest.Bot{Handler: newBot(t, shop)}))
		var mu sync.Mutex
		var heard []string
		receiver, err := webhook.NewReceiver(s.Verifier())
		require.NoError(t, err)
		require.NoError(t, live.On(receiver, func(_ context.Context, e *live.ConversationOperatorReplied) error {
			mu.Lock()
			defer mu.Unlock()
			heard = append(heard, e.Message.Sender.Name+": "+e.Message.Text)
			return nil
		}))
		s.Subscribe(t, receiver)
		window, err := consentForOrganization(t.Context(), s)
		require.NoError(t, err)
		opened, err := window.VisitorSide.Open(t.Context(), opening("zoe-1"))
		require.NoError(t, err)
		require.NoError(t, s.Settle(t.Context()))
		_, err = window.VisitorSide.Send(t.Context(), opened.ID, "Talk to somebody")
		require.NoError(t, err)
		require.NoError(t, s.Settle(t.Context()))
		assert.Equal(t, []string{"Zobot: You said Do you have boots?", "Zobot: One moment, please."}, heard)

		again, err := window.VisitorSide.Open(t.Context(), opening("zoe-2"))
		require.NoError(t, err)
		require.NoError(t, s.Settle(t.Context()))
		closed, err := window.VisitorSideV2.Close(t.Context(), again.ID)
		require.NoError(t, err)
		assert.Equal(t, live.ConversationStatus("end"), closed.ChatStatus.StateKey, "a bot has attended it: it was not missed")
	})
}

func TestABotMayForwardBeforeAnythingIsSaid(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	require.NoError(t, s.ConnectBot(salesiqtest.Bot{Handler: newBot(t, func(asked) any { return said{"action": "forward", "replies": []any{"One moment."}} })}))
	b, other := browser{t, s, "key1"}, browser{t, s, "key2"}
	other.tell("/widget/visits", ``, nil)
	b.tell("/widget/open", ``, nil)
	seen := b.settled()
	require.NotEmpty(t, seen.ID, "operators have a conversation to pick up")
	require.Len(t, seen.Messages, 1)
	pickUp(t, s, seen.ID, "Hello, what is it about?")
	assert.Len(t, b.settled().Messages, 2)
	assert.Empty(t, other.settled().ID)
}
