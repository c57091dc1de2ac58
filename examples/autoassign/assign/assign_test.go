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
		require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api/v2/chats/{chat_id}/transfer", Code: salesiq.ErrOperatorOffline}))
		require.NoError(t, a.assign(t.Context(), chat.ID))
		chat, _ = server.Chat(chat.ID)
		assert.Equal(t, salesiq.ChatActive, chat.Status)
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
