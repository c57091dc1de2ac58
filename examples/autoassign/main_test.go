package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
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

	for id, skill := range map[string]string{technical.ID: technicalSupport, enterprise.ID: sales} {
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

// assigning runs the assigner against a server in memory, in virtual time.
func assigning(t *testing.T, opts []salesiqtest.Option, test func(t *testing.T, server *salesiqtest.Server, a *assigner)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := salesiqtest.Start(t, append(opts, salesiqtest.InMemory())...)
		test(t, server, newAssigner(server.Client(t), io.Discard))
		time.Sleep(time.Minute) // For a renewal of the token that nobody waits for.
	})
}

func TestNobodyGetsMoreChatsThanTheyTake(t *testing.T) {
	t.Parallel()
	assigning(t, nil, func(t *testing.T, server *salesiqtest.Server, a *assigner) {
		before := map[string]salesiq.Operator{}
		for _, operator := range server.Operators() {
			before[operator.ID] = operator
		}
		require.NoError(t, a.assignWaiting(t.Context()))
		for _, operator := range server.Operators() {
			most := max(operator.MaxChats, before[operator.ID].ActiveChats)
			assert.LessOrEqual(t, operator.ActiveChats, most, "%s", operator.ID)
		}
	})
}

func TestTheNextBestIsAskedIfTheBestHasLeft(t *testing.T) {
	t.Parallel()
	assigning(t, nil, func(t *testing.T, server *salesiqtest.Server, a *assigner) {
		chat, err := server.StartChat("visitor123456789", "Hello?")
		require.NoError(t, err)
		require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api/v2/chats/{chat_id}/transfer", Code: salesiq.ErrOperatorOffline}))
		require.NoError(t, a.assign(t.Context(), chat.ID))
		chat, _ = server.Chat(chat.ID)
		assert.Equal(t, salesiq.ChatActive, chat.Status)
	})
}

func TestAnAnswerThatIsLostAssignsNothingTwice(t *testing.T) {
	t.Parallel()
	assigning(t, nil, func(t *testing.T, server *salesiqtest.Server, a *assigner) {
		chat, err := server.StartChat("visitor123", "Hello?")
		require.NoError(t, err)
		require.NoError(t, server.Inject(salesiqtest.Fault{Method: http.MethodPost, Path: "/api/v2/chats/", Effect: salesiqtest.ResetConnection, Processed: true}))
		require.ErrorIs(t, a.assign(t.Context(), chat.ID), salesiq.ErrMaybeProcessed)
		require.NoError(t, a.assign(t.Context(), chat.ID), "the next look")
		assert.Equal(t, 1, transfers(server)[chat.ID])
	})
}

func TestFreePlanIsEnough(t *testing.T) {
	t.Parallel()
	assigning(t, []salesiqtest.Option{salesiqtest.WithPlan(salesiq.Free())}, func(t *testing.T, server *salesiqtest.Server, a *assigner) {
		before := waiting(server)
		require.NoError(t, a.assignWaiting(t.Context()))
		assert.Less(t, waiting(server), before)
		assert.Zero(t, server.Stats().Refused[salesiq.ErrRateLimitExceeded])
	})
}

func TestOneChatsTroubleIsNotThatOfOthers(t *testing.T) {
	t.Parallel()
	assigning(t, nil, func(t *testing.T, server *salesiqtest.Server, a *assigner) {
		before := waiting(server)
		require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api/v2/visitors/", Code: salesiq.ErrInvalidVisitorID}))
		require.NoError(t, a.assignWaiting(t.Context()))
		assert.Equal(t, 1, waiting(server), "of %d", before)
	})
}

func TestNoTimeBetweenLooksIsRefused(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, run(t.Context(), io.Discard, config{}), "-every")
}
