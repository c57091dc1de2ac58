package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/internal/account"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// roomy makes room: the operators of the default data are busy people.
func roomy(server *salesiqtest.Server, most int) salesiqtest.Data {
	operators := server.Operators()
	for i := range operators {
		operators[i].MaxChats = most
	}
	return salesiqtest.Data{Operators: operators}
}

func waiting(server *salesiqtest.Server) (count int) {
	for _, chat := range server.Chats() {
		if chat.Status == salesiq.ChatWaiting {
			count++
		}
	}
	return count
}

// transfers counts transfers by chat.
func transfers(server *salesiqtest.Server) map[string]int {
	count := map[string]int{}
	for _, write := range server.Journal() {
		if path, ok := strings.CutSuffix(write.Path, "/transfer"); ok {
			count[path[strings.LastIndex(path, "/")+1:]]++
		}
	}
	return count
}

func TestChatsAreAssignedWhenEventsTellOfThem(t *testing.T) { // It sets the environment.
	data := roomy(salesiqtest.Start(t), 100)
	server := salesiqtest.Start(t, salesiqtest.WithData(data))
	for _, line := range server.Environment() {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
	before := waiting(server)
	ctx, stop := context.WithCancel(t.Context())
	var out bytes.Buffer
	done := make(chan error)
	go func() {
		done <- run(ctx, &out, config{every: time.Hour, hook: account.Subscription{
			Listen: "127.0.0.1:0", Name: "test", Events: []salesiq.EventName{salesiq.EventChatStarted},
		}})
	}()
	assigned := func(count int) func() bool {
		return func() bool {
			return server.Stats().Calls["POST /api/v2/chats/{chat_id}/transfer"].Processed == count
		}
	}
	require.Eventually(t, assigned(before), time.Minute, 10*time.Millisecond, "those from before are assigned first")

	technical, err := server.StartChat("visitor123456789", "It does not work.") // Tagged technical.
	require.NoError(t, err)
	enterprise, err := server.StartChat("visitor123", "We need 500 tents.") // Tagged enterprise.
	require.NoError(t, err)
	require.Eventually(t, assigned(before+2), time.Minute, 10*time.Millisecond)
	stop()
	require.NoError(t, <-done)

	for id, skill := range map[string]string{technical.ID: "Technical Support", enterprise.ID: "Sales"} {
		chat, _ := server.Chat(id)
		assert.Equal(t, salesiq.ChatActive, chat.Status)
		operator, ok := server.Operator(chat.OperatorID)
		require.True(t, ok)
		assert.Contains(t, operator.Skills, skill)
		assert.Equal(t, "Connecting you with "+operator.Name, chat.Transcript[1].Text)
	}
	for id, count := range transfers(server) {
		assert.Equal(t, 1, count, "%s was transferred once", id)
	}
	for _, webhook := range server.Webhooks() {
		assert.NotEqual(t, "test", webhook.Name, "the webhook was removed")
	}
	assert.Contains(t, out.String(), fmt.Sprintf("Stopped. Assigned %d chats.", before+2))
}

func TestNoTimeBetweenLooksIsRefused(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, run(t.Context(), io.Discard, config{}), "-every")
}
