package assign

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

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

// assigning runs the assigner against a server in memory, in virtual time.
func assigning(t *testing.T, opts []salesiqtest.Option, test func(t *testing.T, server *salesiqtest.Server, a *Assigner)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := salesiqtest.Start(t, append(opts, salesiqtest.InMemory())...)
		test(t, server, New(server.Client(t), func(string) {}))
		time.Sleep(time.Minute) // For a renewal of the token that nobody waits for.
	})
}

func TestNobodyGetsMoreChatsThanTheyTake(t *testing.T) {
	t.Parallel()
	assigning(t, nil, func(t *testing.T, server *salesiqtest.Server, a *Assigner) {
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
	assigning(t, nil, func(t *testing.T, server *salesiqtest.Server, a *Assigner) {
		chat, err := server.StartChat("visitor123456789", "Hello?")
		require.NoError(t, err)
		visitor, ok := server.Visitor(chat.VisitorID)
		require.True(t, ok)
		best := choose(&visitor, server.Operators())
		require.NotNil(t, best)
		require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api/v2/chats/{chat_id}/transfer", Code: salesiq.ErrOperatorOffline}))
		require.NoError(t, a.assign(t.Context(), chat.ID))
		chat, _ = server.Chat(chat.ID)
		assert.Equal(t, salesiq.ChatActive, chat.Status)
		assert.NotEqual(t, best.ID, chat.OperatorID)
	})
}

func TestAnAnswerThatIsLostAssignsNothingTwice(t *testing.T) {
	t.Parallel()
	assigning(t, nil, func(t *testing.T, server *salesiqtest.Server, a *Assigner) {
		chat, err := server.StartChat("visitor123", "Hello?")
		require.NoError(t, err)
		require.NoError(t, server.Inject(salesiqtest.Fault{Method: http.MethodPost, Path: "/api/v2/chats/", Effect: salesiqtest.ResetConnection, Processed: true}))
		require.ErrorIs(t, a.assign(t.Context(), chat.ID), salesiq.ErrMaybeProcessed)
		require.NoError(t, a.assign(t.Context(), chat.ID), "the next look")
		assert.Equal(t, 1, transfers(server)[chat.ID])
	})
}

// lateService carries a transfer out after its gateway has given up.
type lateService struct {
	next http.RoundTripper
	late time.Duration
	once sync.Once
}

func (l *lateService) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/transfer") {
		return l.next.RoundTrip(r)
	}
	first := false
	l.once.Do(func() {
		first = true
		body, _ := io.ReadAll(r.Body)
		later := r.Clone(context.WithoutCancel(r.Context()))
		later.Body = io.NopCloser(bytes.NewReader(body))
		time.AfterFunc(l.late, func() {
			if response, err := l.next.RoundTrip(later); err == nil {
				response.Body.Close()
			}
		})
	})
	if first {
		return &http.Response{StatusCode: http.StatusGatewayTimeout, Body: http.NoBody, Request: r}, nil
	}
	return l.next.RoundTrip(r)
}

func TestATransferThatArrivesLateAssignsNothingTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := salesiqtest.Start(t, salesiqtest.InMemory())
		late := salesiq.WithTransport(func(next http.RoundTripper) http.RoundTripper {
			return &lateService{next: next, late: 20 * time.Second}
		})
		a := New(server.Client(t, late), func(string) {})
		chat, err := server.StartChat("visitor123", "Hello?")
		require.NoError(t, err)
		require.ErrorIs(t, a.assign(t.Context(), chat.ID), salesiq.ErrMaybeProcessed)
		for range 10 {
			require.NoError(t, a.assign(t.Context(), chat.ID), "a look")
			time.Sleep(10 * time.Second)
		}
		assert.Equal(t, 1, transfers(server)[chat.ID])
		chat, _ = server.Chat(chat.ID)
		assert.Equal(t, salesiq.ChatActive, chat.Status)
		time.Sleep(time.Minute) // For a renewal of the token that nobody waits for.
	})
}

func TestFreePlanIsEnough(t *testing.T) {
	t.Parallel()
	assigning(t, []salesiqtest.Option{salesiqtest.WithPlan(salesiq.Free())}, func(t *testing.T, server *salesiqtest.Server, a *Assigner) {
		before := waiting(server)
		require.NoError(t, a.assignWaiting(t.Context()))
		assert.Less(t, waiting(server), before)
		assert.Zero(t, server.Stats().Refused[salesiq.ErrRateLimitExceeded])
	})
}

func TestOneChatsTroubleIsNotThatOfOthers(t *testing.T) {
	t.Parallel()
	assigning(t, nil, func(t *testing.T, server *salesiqtest.Server, a *Assigner) {
		before := waiting(server)
		require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api/v2/visitors/", Code: salesiq.ErrInvalidVisitorID}))
		require.NoError(t, a.assignWaiting(t.Context()))
		assert.Equal(t, 1, waiting(server), "of %d", before)
	})
}

// listen has an assigner say what it does into a list.
func listen(a *Assigner) *[]string {
	said := new([]string)
	a.tell = func(text string) { *said = append(*said, text) }
	return said
}

func TestAChatThatCannotBeAssignedIsTold(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/api/v2/chats/{chat_id}", "/api/v2/visitors/", "/api/v2/operators", "/api/v2/chats/{chat_id}/transfer"} {
		assigning(t, nil, func(t *testing.T, server *salesiqtest.Server, a *Assigner) {
			chat, err := server.StartChat("visitor123", "Hello?")
			require.NoError(t, err)
			require.NoError(t, server.Inject(salesiqtest.Fault{Path: path, Status: http.StatusForbidden, Message: "not today"}))
			err = a.assign(t.Context(), chat.ID)
			require.ErrorContains(t, err, "not today", path)
			said := listen(a)
			a.report(err)
			a.report(nil)
			a.report(context.Canceled)
			assert.Equal(t, []string{err.Error()}, *said)
			require.NoError(t, a.assign(t.Context(), chat.ID), "the next look")
			assert.Equal(t, 1, a.assigned)
		})
	}
}

func TestAListThatFailsIsTold(t *testing.T) {
	t.Parallel()
	assigning(t, nil, func(t *testing.T, server *salesiqtest.Server, a *Assigner) {
		require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api/v2/chats", Status: http.StatusForbidden, Message: "not today"}))
		require.ErrorContains(t, a.assignWaiting(t.Context()), "not today")
		assert.Empty(t, transfers(server))
	})
}

// A service that is down is not asked for each of the chats.
func TestTroubleOfTheServiceEndsALook(t *testing.T) {
	t.Parallel()
	assigning(t, nil, func(t *testing.T, server *salesiqtest.Server, a *Assigner) {
		require.Greater(t, waiting(server), 1)
		require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api/v2/visitors/", Status: http.StatusServiceUnavailable, Probability: 1}))
		said := listen(a)
		require.True(t, salesiq.IsRetryable(a.assignWaiting(t.Context())))
		assert.Equal(t, 1, server.Stats().Calls["GET /api/v2/chats/{chat_id}"].Processed)
		assert.Empty(t, *said, "who looks tells it")
	})
}

func TestWhoHasGoneIsLeftAlone(t *testing.T) {
	t.Parallel()
	assigning(t, nil, func(t *testing.T, server *salesiqtest.Server, a *Assigner) {
		chat, err := server.StartChat("visitor123", "Hello?")
		require.NoError(t, err)
		require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api/v2/chats/{chat_id}/transfer", Code: salesiq.ErrChatNotActive}))
		require.NoError(t, a.assign(t.Context(), chat.ID))
		require.NoError(t, a.assign(t.Context(), chat.ID))
		require.NoError(t, server.MissChat(chat.ID))
		assert.Zero(t, a.assigned)
		assert.Equal(t, 1, server.Stats().Calls["GET /api/v2/chats/{chat_id}"].Processed, "it is not looked at again")

		missed, err := server.StartChat("visitor123", "Hello?")
		require.NoError(t, err)
		require.NoError(t, server.MissChat(missed.ID))
		for range 2 {
			require.NoError(t, a.assign(t.Context(), missed.ID))
		}
		assert.Equal(t, 2, server.Stats().Calls["GET /api/v2/chats/{chat_id}"].Processed)
		require.NoError(t, a.assignWaiting(t.Context()))
		assert.NotContains(t, a.done, missed.ID, "chats that are over are forgotten")
		assert.Zero(t, transfers(server)[missed.ID])
	})
}

func TestItSaysWhoGetsWhichChatAndWhy(t *testing.T) {
	t.Parallel()
	assigning(t, nil, func(t *testing.T, server *salesiqtest.Server, a *Assigner) {
		chat, err := server.StartChat("visitor123", "Hello?")
		require.NoError(t, err)
		visitor, _ := server.Visitor("visitor123")
		said := listen(a)
		require.NoError(t, a.assign(t.Context(), chat.ID))
		chat, _ = server.Chat(chat.ID)
		operator, _ := server.Operator(chat.OperatorID)
		assert.Equal(t, []string{chat.ID + " goes to " + operator.Name + ": " + visitor.Name + " needs " + strings.Join(skillsFor(&visitor), " or ")}, *said)

		another, err := server.StartChat("visitor123", "Hello?")
		require.NoError(t, err)
		require.NoError(t, a.offer(t.Context(), &another, &visitor, nil))
		assert.Equal(t, another.ID+" waits: nobody is free", (*said)[1])
		assert.Equal(t, 1, a.assigned)
	})
}

func TestEventsAreAnsweredAtOnceAndChatsLookedForWithout(t *testing.T) {
	t.Parallel()
	assigning(t, nil, func(t *testing.T, server *salesiqtest.Server, a *Assigner) {
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan int)
		go func() { ended <- a.Work(ctx, time.Hour) }()
		active := func(chatID string) bool {
			chat, _ := server.Chat(chatID)
			return chat.Status == salesiq.ChatActive
		}
		time.Sleep(time.Minute)
		before := len(transfers(server))
		told, err := server.StartChat("visitor123", "Hello?")
		require.NoError(t, err)
		untold, err := server.StartChat("visitor123456789", "Hello?")
		require.NoError(t, err)
		require.NoError(t, a.ChatStarted(ctx, &webhook.ChatStarted{ChatID: told.ID}))
		time.Sleep(time.Minute)
		assert.True(t, active(told.ID))
		assert.False(t, active(untold.ID))
		time.Sleep(57 * time.Minute)
		assert.False(t, active(untold.ID), "it is not time yet")
		time.Sleep(2 * time.Minute)
		assert.True(t, active(untold.ID))
		stop()
		assert.Equal(t, before+2, <-ended)
	})
}

func TestAnEventTooManyIsRefused(t *testing.T) {
	t.Parallel()
	a := New(nil, func(string) {})
	accepted := 0
	for accepted < 10_000 && a.ChatStarted(t.Context(), &webhook.ChatStarted{}) == nil {
		accepted++
	}
	assert.Greater(t, accepted, 100)
	assert.Less(t, accepted, 10_000, "the service is asked to tell again")
}
