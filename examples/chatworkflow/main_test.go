package main

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// work runs the workflow against a server, and lets the visitor answer.
func work(t *testing.T, server *salesiqtest.Server) (string, error) {
	t.Helper()
	for _, line := range server.Environment() {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		for ctx.Err() == nil {
			chat, _ := server.Chat("chat123")
			if last := chat.Transcript[len(chat.Transcript)-1]; strings.HasPrefix(last.Text, "Hi ") {
				assert.NoError(t, server.VisitorSays("chat123", "All is well."))
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	var out bytes.Buffer
	err := run(t.Context(), &out, config{chat: "chat123", patience: 10 * time.Second, poll: 5 * time.Millisecond})
	return out.String(), err
}

// operatorSaid lists what the operator has written in chat123 since the start.
func operatorSaid(server *salesiqtest.Server, before int) (texts []string) {
	chat, _ := server.Chat("chat123")
	for _, message := range chat.Transcript[before:] {
		if message.SenderType == salesiq.SenderOperator {
			texts = append(texts, message.Text)
		}
	}
	return texts
}

func start(t *testing.T) (server *salesiqtest.Server, before int) {
	t.Helper()
	server = salesiqtest.Start(t)
	chat, ok := server.Chat("chat123")
	require.True(t, ok)
	return server, len(chat.Transcript)
}

func assertWholeTalk(t *testing.T, server *salesiqtest.Server, before int) {
	t.Helper()
	texts := operatorSaid(server, before)
	require.Len(t, texts, 3)
	assert.Contains(t, texts[0], "How can I help you today?")
	assert.Contains(t, texts[1], "anything else")
	assert.Contains(t, texts[2], "Thank you for chatting")
	chat, _ := server.Chat("chat123")
	assert.Equal(t, salesiq.ChatEnded, chat.Status)
}

func TestFromGreetingToRating(t *testing.T) {
	server, before := start(t)
	out, err := work(t, server)
	require.NoError(t, err)
	assert.Contains(t, out, "The visitor: All is well.")
	assertWholeTalk(t, server, before)
	chat, _ := server.Chat("chat123")
	require.NotNil(t, chat.Rating)
	assert.Equal(t, 5, *chat.Rating)
	visitor, _ := server.Visitor("visitor123")
	assert.Subset(t, visitor.Tags, []string{"enterprise", "vip", "assisted", "satisfied"})
}

func TestTheVisitorReadsEachMessageOnce(t *testing.T) {
	for name, processed := range map[string]bool{"it arrived, and the answer was lost": true, "it never arrived": false} {
		t.Run(name, func(t *testing.T) {
			server, before := start(t)
			require.NoError(t, server.Inject(salesiqtest.Fault{
				Method: http.MethodPost, Path: "/api/v2/chats/{chat_id}/messages",
				Effect: salesiqtest.ResetConnection, Processed: processed,
			}))
			_, err := work(t, server)
			require.NoError(t, err)
			assertWholeTalk(t, server, before)
		})
	}
}

func TestWhateverAnswerIsLostAllIsDoneOnce(t *testing.T) {
	for _, path := range []string{"/api/v2/chats/{chat_id}/end", "/api/v2/chats/{chat_id}/rating", "/api/v2/visitors/{visitor_id}/tags"} {
		for name, processed := range map[string]bool{"it arrived": true, "it never arrived": false} {
			t.Run(path+": "+name, func(t *testing.T) {
				server, before := start(t)
				require.NoError(t, server.Inject(salesiqtest.Fault{Method: http.MethodPost, Path: path, Effect: salesiqtest.ResetConnection, Processed: processed}))
				_, err := work(t, server)
				require.NoError(t, err)
				assert.Equal(t, 1, server.Stats().Faults)
				assertWholeTalk(t, server, before)
				chat, _ := server.Chat("chat123")
				require.NotNil(t, chat.Rating)
				visitor, _ := server.Visitor("visitor123")
				assert.Equal(t, []string{"enterprise", "vip", "assisted", "satisfied"}, visitor.Tags)
			})
		}
	}
}

func TestAVisitorWhoLeavesIsTaggedAllTheSame(t *testing.T) {
	server, before := start(t)
	_, err := server.Client(t).Chats.End(t.Context(), "chat123", nil)
	require.NoError(t, err)
	out, err := work(t, server)
	require.NoError(t, err)
	assert.Contains(t, out, "has left")
	assert.Empty(t, operatorSaid(server, before))
	visitor, _ := server.Visitor("visitor123")
	assert.Contains(t, visitor.Tags, "assisted")
	assert.NotContains(t, visitor.Tags, "satisfied")
}

func TestAVisitorMayRateFirst(t *testing.T) {
	server, _ := start(t)
	require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api/v2/chats/{chat_id}/rating", Code: salesiq.ErrDuplicateResource}))
	out, err := work(t, server)
	require.NoError(t, err)
	assert.Contains(t, out, "rated the chat already")
}

func TestEachErrorHasItsAdvice(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		fault salesiqtest.Fault
		want  string
	}{
		"token":       {salesiqtest.Fault{Code: salesiq.ErrInvalidToken, Times: 9}, "Sign in again: go run"},
		"scope":       {salesiqtest.Fault{Code: salesiq.ErrInvalidOAuthScope}, "lacks a scope"},
		"permission":  {salesiqtest.Fault{Code: salesiq.ErrPermissionDenied}, "Ask an admin"},
		"not found":   {salesiqtest.Fault{Code: salesiq.ErrResourceNotFound}, "Check the ids"},
		"visitor id":  {salesiqtest.Fault{Code: salesiq.ErrInvalidVisitorID}, "Check the ids"},
		"department":  {salesiqtest.Fault{Code: salesiq.ErrInvalidDepartment}, "Check the ids"},
		"not active":  {salesiqtest.Fault{Code: salesiq.ErrChatNotActive}, "The chat is over"},
		"offline":     {salesiqtest.Fault{Code: salesiq.ErrOperatorOffline}, "who is there"},
		"duplicate":   {salesiqtest.Fault{Code: salesiq.ErrDuplicateResource}, "exists already"},
		"request":     {salesiqtest.Fault{Code: salesiq.ErrInvalidRequest}, "does not like"},
		"required":    {salesiqtest.Fault{Code: salesiq.ErrRequiredFieldMissing}, "does not like"},
		"rate limit":  {salesiqtest.Fault{Status: 429, Times: 9, Header: map[string]string{"Retry-After": "600"}}, "Come back at "},
		"outage":      {salesiqtest.Fault{Status: 503, Times: 9}, "may work later"},
		"a proxy":     {salesiqtest.Fault{Effect: salesiqtest.HTMLPage, Status: 404}, "check the address"},
		"no answer":   {salesiqtest.Fault{Effect: salesiqtest.ResetConnection, Times: 9}, "may work later"},
		"a new code":  {salesiqtest.Fault{Status: 400, Code: "TEAPOT"}, "own words"},
		"lost answer": {salesiqtest.Fault{Method: http.MethodPost, Effect: salesiqtest.ResetConnection}, "look before you repeat"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := salesiqtest.Start(t)
			row.fault.Path = "/api/"
			require.NoError(t, server.Inject(row.fault))
			client := server.Client(t, salesiq.WithMaxAttempts(2))
			_, err := client.Chats.Get(t.Context(), "chat123")
			if row.fault.Method != "" {
				_, err = client.Visitors.Tag(t.Context(), "visitor123", []string{"vip"})
			}
			require.Error(t, err)
			assert.Contains(t, advice(err), row.want)
		})
	}
	_, err := salesiqtest.NewClient(t).Chats.Get(t.Context(), "")
	assert.Contains(t, advice(err), "The program's own mistake")
	assert.Contains(t, advice(context.Canceled), "nothing is wrong")
	assert.Contains(t, advice(errNoChat), "-chat")
}
