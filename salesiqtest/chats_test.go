package salesiqtest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

func TestAChatHasALife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory())
		chats := s.Client(t).Chats
		ctx := t.Context()
		from, _ := s.Operator("operator456")
		to, _ := s.Operator("operator789")

		message, err := chats.SendMessage(ctx, "chat123", salesiq.CardMessage("Choose", map[string]any{"buttons": []string{"a", "b"}}))
		require.NoError(t, err)
		assert.Equal(t, salesiq.SenderOperator, message.SenderType)
		assert.Equal(t, "operator456", message.SenderID)
		assert.JSONEq(t, `["a","b"]`, string(message.Extra["buttons"]), "rich content is kept")
		transcript, err := chats.Transcript(ctx, "chat123")
		require.NoError(t, err)
		assert.Equal(t, *message, transcript[len(transcript)-1])

		chat, err := chats.Transfer(ctx, "chat123", &salesiq.ChatTransfer{OperatorID: "operator789", Message: "To Kenji"})
		require.NoError(t, err)
		assert.Equal(t, "operator789", chat.OperatorID)
		assert.Equal(t, "dept790", chat.DepartmentID)
		assert.Equal(t, "To Kenji", chat.Transcript[len(chat.Transcript)-1].Text)
		fromAfter, _ := s.Operator("operator456")
		toAfter, _ := s.Operator("operator789")
		assert.Equal(t, from.ActiveChats-1, fromAfter.ActiveChats)
		assert.Equal(t, to.ActiveChats+1, toAfter.ActiveChats)
		assert.Equal(t, to.TotalChats+1, toAfter.TotalChats)

		_, err = chats.Rate(ctx, "chat123", &salesiq.ChatRating{Rating: 5})
		require.ErrorIs(t, err, salesiq.ErrInvalidRequest, "only what has ended is rated")

		time.Sleep(5 * time.Minute)
		chat, err = chats.End(ctx, "chat123", &salesiq.ChatEnd{Message: "Bye"})
		require.NoError(t, err)
		assert.Equal(t, salesiq.ChatEnded, chat.Status)
		require.NotZero(t, chat.EndedAt)
		assert.Equal(t, chat.EndedAt.Sub(chat.StartedAt).Truncate(time.Second), chat.Duration.Duration())
		assert.Equal(t, 17*time.Minute, chat.Duration.Duration())
		assert.Equal(t, "Bye", chat.Transcript[len(chat.Transcript)-1].Text)
		toAfter, _ = s.Operator("operator789")
		assert.Equal(t, to.ActiveChats, toAfter.ActiveChats)

		_, err = chats.End(ctx, "chat123", nil)
		require.ErrorIs(t, err, salesiq.ErrChatNotActive)
		chat, err = chats.Rate(ctx, "chat123", &salesiq.ChatRating{Rating: 1, Feedback: "meh"})
		require.NoError(t, err)
		assert.Equal(t, 1, *chat.Rating)
		assert.Equal(t, "meh", *chat.Feedback)
		_, err = chats.Rate(ctx, "chat123", &salesiq.ChatRating{Rating: 5})
		require.ErrorIs(t, err, salesiq.ErrDuplicateResource)

		visitor, _ := s.Visitor("visitor123")
		assert.Equal(t, salesiq.VisitorChatting, visitor.Status, "still in the other chat")
		_, err = chats.End(ctx, "chat123456789", nil)
		require.NoError(t, err)
		visitor, _ = s.Visitor("visitor123")
		assert.Equal(t, salesiq.VisitorOnline, visitor.Status)
		assert.Equal(t, salesiq.VisitorChatAvailable, visitor.ChatStatus)
	})
}

func TestATransferWakesAWaitingChat(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	chats := s.Client(t).Chats
	waiting, err := chats.List(t.Context(), &salesiq.ChatListParams{Status: salesiq.ChatWaiting})
	require.NoError(t, err)
	id := waiting.Items[0].ID
	_, err = chats.SendMessage(t.Context(), id, salesiq.TextMessage("Hello"))
	require.ErrorIs(t, err, salesiq.ErrChatNotActive)
	_, err = chats.End(t.Context(), id, nil)
	require.ErrorIs(t, err, salesiq.ErrChatNotActive)
	chat, err := chats.Transfer(t.Context(), id, &salesiq.ChatTransfer{OperatorID: "operator789"})
	require.NoError(t, err)
	assert.Equal(t, salesiq.ChatActive, chat.Status)
	visitor, _ := s.Visitor(chat.VisitorID)
	assert.Equal(t, salesiq.VisitorChatting, visitor.Status)
	_, err = chats.SendMessage(t.Context(), id, salesiq.TextMessage("Hello"))
	require.NoError(t, err)
}

func TestOnlyOfflineOperatorsCannotTakeAChat(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	chats := s.Client(t).Chats
	for _, operator := range s.Operators() {
		_, err := chats.Transfer(t.Context(), "chat123", &salesiq.ChatTransfer{OperatorID: operator.ID})
		if operator.Status == salesiq.OperatorOffline {
			require.ErrorIs(t, err, salesiq.ErrOperatorOffline, operator.ID)
			continue
		}
		require.NoError(t, err, operator.ID)
	}
}

func TestStatsFollowTheChats(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	chat := func(id string, status salesiq.ChatStatus, day, rating, answeredAfter, length int) salesiq.Chat {
		began := at.AddDate(0, 0, day)
		c := salesiq.Chat{ID: id, OperatorID: "o1", Status: status, StartedAt: began, Duration: salesiq.Seconds(length)}
		if rating > 0 {
			c.Rating = &rating
		}
		if answeredAfter > 0 {
			c.Transcript = []salesiq.Message{
				{SenderType: salesiq.SenderVisitor, Timestamp: began},
				{SenderType: salesiq.SenderOperator, Timestamp: began.Add(time.Duration(answeredAfter) * time.Second)},
			}
		}
		return c
	}
	s := salesiqtest.Start(t, salesiqtest.WithoutDefaultData(), salesiqtest.WithData(salesiqtest.Data{
		Operators: []salesiq.Operator{{ID: "o1"}, {ID: "o2"}},
		Chats: []salesiq.Chat{
			chat("a", salesiq.ChatEnded, 0, 5, 10, 100),
			chat("b", salesiq.ChatEnded, 1, 4, 30, 300),
			chat("c", salesiq.ChatMissed, 2, 0, 0, 0),
			chat("d", salesiq.ChatActive, 3, 0, 0, 0),
			chat("e", salesiq.ChatEnded, 9, 1, 99, 999),
		},
	}))
	operators := s.Client(t).Operators
	stats, err := operators.Stats(t.Context(), "o1", &salesiq.OperatorStatsParams{FromDate: at, ToDate: at.AddDate(0, 0, 3)})
	require.NoError(t, err)
	assert.Equal(t, &salesiq.OperatorStats{
		OperatorID: "o1", TotalChats: 4, CompletedChats: 2, MissedChats: 1,
		AverageResponseTime: 20, AverageChatDuration: 200, AverageRating: 4.5, TotalRatingCount: 2,
		RatingsBreakdown: map[int]int{1: 0, 2: 0, 3: 0, 4: 1, 5: 1},
	}, stats)
	stats, err = operators.Stats(t.Context(), "o2", nil)
	require.NoError(t, err)
	assert.Equal(t, map[int]int{1: 0, 2: 0, 3: 0, 4: 0, 5: 0}, stats.RatingsBreakdown, "nothing is no NaN")
}
