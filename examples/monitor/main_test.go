package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/internal/account"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

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

// alerts counts notifications by chat.
func alerts(server *salesiqtest.Server) map[string]int {
	count := map[string]int{}
	for _, notification := range server.Notifications() {
		count[notification.Data["chat_id"].(string)]++
	}
	return count
}

// abandoned lists the active chats whose operators have left.
func abandoned(server *salesiqtest.Server) (ids []string) {
	for _, chat := range server.Chats() {
		operator, _ := server.Operator(chat.OperatorID)
		if chat.Status == salesiq.ChatActive && hasLeft(&operator) {
			ids = append(ids, chat.ID)
		}
	}
	return ids
}

// roomy is the default data with operators who can take any number of chats.
func roomy(t *testing.T) salesiqtest.Option {
	t.Helper()
	server := salesiqtest.Start(t)
	operators := server.Operators()
	for i := range operators {
		operators[i].MaxChats = 1000
	}
	return salesiqtest.WithData(salesiqtest.Data{Operators: operators})
}

// monitoring runs a monitor against a server in memory, in virtual time.
func monitoring(t *testing.T, opts []salesiqtest.Option, test func(t *testing.T, server *salesiqtest.Server, m *monitor)) {
	t.Helper()
	opts = append(opts, roomy(t), salesiqtest.InMemory())
	synctest.Test(t, func(t *testing.T) {
		server := salesiqtest.Start(t, opts...)
		c := config{supervisor: "supervisor_id", limit: 30 * time.Minute, every: 5 * time.Minute, pause: time.Second}
		done, err := loadState("")
		require.NoError(t, err)
		test(t, server, newMonitor(server.Client(t), c, done, io.Discard))
		time.Sleep(time.Minute) // For a renewal of the token that nobody waits for.
	})
}

func TestOneLookSettlesEverything(t *testing.T) {
	t.Parallel()
	monitoring(t, nil, func(t *testing.T, server *salesiqtest.Server, m *monitor) {
		lost := abandoned(server)
		require.NotEmpty(t, lost)
		long := 0
		for _, chat := range server.Chats() {
			if chat.Status == salesiq.ChatActive && time.Since(chat.StartedAt) >= 31*time.Minute {
				long++
			}
		}
		require.NotZero(t, long)
		require.NoError(t, m.look(t.Context()))

		assert.Empty(t, abandoned(server))
		assert.Len(t, transfers(server), len(lost))
		assert.Len(t, alerts(server), long)
		for _, notification := range server.Notifications() {
			assert.Equal(t, "supervisor_id", notification.OperatorID)
			chat, ok := server.Chat(notification.Data["chat_id"].(string))
			require.True(t, ok)
			assert.GreaterOrEqual(t, time.Since(chat.StartedAt), 31*time.Minute)
		}
	})
}

func TestItDoesWhatTheSampleOfTheSpecificationDoes(t *testing.T) {
	t.Parallel()
	monitoring(t, nil, func(t *testing.T, server *salesiqtest.Server, m *monitor) {
		require.NoError(t, m.look(t.Context()))
		require.NotEmpty(t, server.Notifications())
		for _, notification := range server.Notifications() {
			chat, ok := server.Chat(notification.Data["chat_id"].(string))
			require.True(t, ok)
			minutes := int(time.Since(chat.StartedAt) / time.Minute)
			assert.Equal(t, "Long Chat Alert", notification.Title)
			assert.Equal(t, fmt.Sprintf("Chat %s has been active for %d minutes", chat.ID, minutes), notification.Message)
			assert.EqualValues(t, minutes, notification.Data["duration"])
			assert.Len(t, notification.Data, 2)
		}
		for id := range transfers(server) {
			chat, _ := server.Chat(id)
			assert.Equal(t, "Transferring you to another available agent", chat.Transcript[len(chat.Transcript)-1].Text)
		}
	})
}

func TestAChatIsLongAboveTheLimitOfWholeMinutes(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]bool{
		29 * time.Minute: false, 30 * time.Minute: false, 30*time.Minute + 59*time.Second: false, 31 * time.Minute: true,
	} {
		now := time.Now()
		minutes, tooLong := long(&salesiq.Chat{StartedAt: now.Add(-age)}, 30*time.Minute, now)
		assert.Equal(t, want, tooLong, age)
		assert.Equal(t, int(age.Minutes()), minutes)
	}
}

func TestWhoeverIsNotOnlineHasLeft(t *testing.T) {
	t.Parallel()
	for status, want := range map[salesiq.OperatorStatus]bool{
		salesiq.OperatorOnline: false, salesiq.OperatorBusy: true, salesiq.OperatorAway: true, salesiq.OperatorOffline: true, "in a meeting": true,
	} {
		assert.Equal(t, want, hasLeft(&salesiq.Operator{Status: status}), status)
	}
}

func TestNothingIsDoneTwice(t *testing.T) {
	t.Parallel()
	monitoring(t, nil, func(t *testing.T, server *salesiqtest.Server, m *monitor) {
		m.pause = 20 * time.Second
		require.NoError(t, server.Inject(salesiqtest.Fault{
			Method: http.MethodPost, Path: "/api/v2/chats/{chat_id}/transfer", Skip: 2, Times: 2,
			Effect: salesiqtest.ResetConnection, Processed: true,
		}))
		ctx, stop := context.WithTimeout(t.Context(), 25*time.Minute)
		defer stop()
		var others sync.WaitGroup
		others.Go(func() { // Events and the clock at the same time, again and again.
			for ctx.Err() == nil {
				m.lookSoon()
				time.Sleep(13 * time.Second)
			}
		})
		others.Go(func() { // Those who took chats over leave as well.
			time.Sleep(10 * time.Minute)
			for _, operator := range server.Operators() {
				_, err := m.client.Operators.Update(ctx, operator.ID, &salesiq.OperatorUpdate{Status: salesiq.Set(salesiq.OperatorAway)})
				assert.NoError(t, err)
				time.Sleep(time.Minute)
			}
		})
		m.watch(ctx)
		others.Wait()
		require.NotEmpty(t, transfers(server))
		for id, count := range transfers(server) {
			assert.Equal(t, 1, count, "transfers of %s", id)
		}
		for id, count := range alerts(server) {
			assert.Equal(t, 1, count, "alerts about %s", id)
		}
	})
}

func TestLostAnswersDoNothingTwice(t *testing.T) {
	t.Parallel()
	monitoring(t, nil, func(t *testing.T, server *salesiqtest.Server, m *monitor) {
		require.NoError(t, server.Inject(
			salesiqtest.Fault{Method: http.MethodPost, Path: "/api/v2/chats/{chat_id}/transfer", Effect: salesiqtest.ResetConnection, Processed: true, Times: 3},
			salesiqtest.Fault{Method: http.MethodPost, Path: "/api/v2/notifications", Effect: salesiqtest.ResetConnection, Processed: true, Times: 3},
		))
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		m.watch(ctx)
		assert.Empty(t, abandoned(server), "a failure does not keep it from going on")
		for id, count := range transfers(server) {
			assert.Equal(t, 1, count, "transfers of %s", id)
		}
		for id, count := range alerts(server) {
			assert.Equal(t, 1, count, "alerts about %s", id)
		}
	})
}

func TestFreePlanIsEnough(t *testing.T) {
	t.Parallel()
	monitoring(t, []salesiqtest.Option{salesiqtest.WithPlan(salesiq.Free())}, func(t *testing.T, server *salesiqtest.Server, m *monitor) {
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		m.watch(ctx)
		assert.Empty(t, abandoned(server))
		assert.Zero(t, server.Stats().Refused[salesiq.ErrRateLimitExceeded])
	})
}

func TestAnEventMakesItLookAtOnce(t *testing.T) { // It sets the environment.
	server := salesiqtest.Start(t, roomy(t))
	for _, line := range server.Environment() {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
	ctx, stop := context.WithCancel(t.Context())
	var out bytes.Buffer
	done := make(chan error)
	go func() {
		done <- run(ctx, &out, config{
			supervisor: "supervisor_id", limit: 30 * time.Minute, every: time.Hour, pause: time.Millisecond,
			hook: account.Subscription{Listen: "127.0.0.1:0", Name: "test", Events: events},
		})
	}()
	require.Eventually(t, func() bool { return len(abandoned(server)) == 0 }, time.Minute, 100*time.Millisecond)
	_, err := server.Client(t).Operators.Update(t.Context(), "operator456", &salesiq.OperatorUpdate{Status: salesiq.Set(salesiq.OperatorOffline)})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		chat, _ := server.Chat("chat123")
		return chat.OperatorID != "operator456"
	}, time.Minute, 10*time.Millisecond, "the event said that operator456 has left")
	stop()
	require.NoError(t, <-done)
	assert.Contains(t, out.String(), "Stopped. Alerted about ")
	for _, webhook := range server.Webhooks() {
		assert.NotEqual(t, "test", webhook.Name, "the webhook was removed")
	}
}

func TestSuccessorIsThereAndHasRoom(t *testing.T) {
	t.Parallel()
	person := func(id string, chats int, department string) *salesiq.Operator {
		return &salesiq.Operator{
			ID: id, Status: salesiq.OperatorOnline, Availability: salesiq.OperatorAvailable,
			ActiveChats: chats, MaxChats: 3, DepartmentID: department,
		}
	}
	away := person("away", 0, "sales")
	away.Status = salesiq.OperatorAway
	taken := person("taken", 0, "sales")
	taken.Availability = salesiq.OperatorUnavailable
	chat := &salesiq.Chat{OperatorID: "gone", DepartmentID: "sales"}
	for name, row := range map[string]struct {
		operators []*salesiq.Operator
		want      string
	}{
		"the least busy": {[]*salesiq.Operator{person("a", 2, "sales"), person("b", 1, "sales")}, "b"},
		"the same department before a shorter list": {[]*salesiq.Operator{person("a", 2, "sales"), person("b", 0, "help")}, "a"},
		"another department before nobody":          {[]*salesiq.Operator{person("a", 3, "sales"), person("b", 0, "help")}, "b"},
		"not the one who left":                      {[]*salesiq.Operator{person("gone", 0, "sales")}, ""},
		"not who is away or unavailable":            {[]*salesiq.Operator{away, taken}, ""},
		"not who is full":                           {[]*salesiq.Operator{person("a", 3, "sales")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if operator := successor(chat, row.operators); operator != nil {
				got = operator.ID
			}
			assert.Equal(t, row.want, got)
		})
	}
}

func TestOneChatsTroubleIsNotThatOfOthers(t *testing.T) {
	t.Parallel()
	monitoring(t, nil, func(t *testing.T, server *salesiqtest.Server, m *monitor) {
		lost := abandoned(server)
		require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api/v2/notifications", Code: salesiq.ErrResourceNotFound, Probability: 1}))
		require.NoError(t, m.look(t.Context()))
		assert.Len(t, transfers(server), len(lost), "although there is no such supervisor")
	})
}

func TestNoTimeBetweenLooksIsRefused(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, run(t.Context(), io.Discard, config{}), "-every")
}

func TestAStateFileIsNoDevice(t *testing.T) {
	t.Parallel()
	_, err := loadState("/dev/zero") // It has no end.
	require.ErrorContains(t, err, "no file")
}

func TestARestartForgetsNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	monitoring(t, nil, func(t *testing.T, server *salesiqtest.Server, m *monitor) {
		for range 3 {
			var err error
			m.done, err = loadState(path)
			require.NoError(t, err)
			require.NoError(t, m.look(t.Context()))
			m.done.Close()
			for _, operator := range server.Operators() { // Those who took chats over leave as well, and others come.
				status := salesiq.OperatorOffline
				if operator.Status == salesiq.OperatorOffline {
					status = salesiq.OperatorOnline
				}
				_, err := m.client.Operators.Update(t.Context(), operator.ID, &salesiq.OperatorUpdate{
					Status: salesiq.Set(status), Availability: salesiq.Set(salesiq.OperatorAvailable),
				})
				require.NoError(t, err)
			}
		}
		require.NotEmpty(t, transfers(server))
		for id, count := range transfers(server) {
			assert.Equal(t, 1, count, "transfers of %s", id)
		}
		for id, count := range alerts(server) {
			assert.Equal(t, 1, count, "alerts about %s", id)
		}
	})
}

func TestARefusedTransferIsTriedAgain(t *testing.T) {
	t.Parallel()
	monitoring(t, nil, func(t *testing.T, server *salesiqtest.Server, m *monitor) {
		require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api/v2/chats/{chat_id}/transfer", Code: salesiq.ErrPermissionDenied}))
		require.NoError(t, m.look(t.Context()))
		require.Len(t, abandoned(server), 1)
		require.NoError(t, m.look(t.Context()))
		assert.Empty(t, abandoned(server))
	})
}

func TestAStateThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	require.NoError(t, os.WriteFile(path, []byte("dear diary"), 0o600))
	_, err := loadState(path)
	require.ErrorContains(t, err, "is no state")
}
