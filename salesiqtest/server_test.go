package salesiqtest_test

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

func TestNewClientIsAllThatATestNeeds(t *testing.T) {
	t.Parallel()
	client := salesiqtest.NewClient(t)
	chat, err := client.Chats.Get(t.Context(), "chat123")
	require.NoError(t, err)
	assert.Equal(t, salesiq.ChatActive, chat.Status)
}

// Package net/http opens connections that it may not need at once.
func TestConnectionInMemoryWaitsForItsFirstRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory())
		conn, err := s.HTTPClient().Transport.(*http.Transport).DialContext(t.Context(), "tcp", "")
		require.NoError(t, err)
		defer conn.Close()
		time.Sleep(time.Hour)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/api/v2/chats", http.NoBody)
		require.NoError(t, err)
		require.NoError(t, request.Write(conn))
		answer, err := http.ReadResponse(bufio.NewReader(conn), request)
		require.NoError(t, err)
		assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
		require.NoError(t, answer.Body.Close())
	})
}

// failing is a test that a helper fails.
type failing struct {
	testing.TB

	reason []any
}

func (*failing) Helper() {}

func (f *failing) Fatal(reason ...any) {
	f.reason = reason
	runtime.Goexit()
}

func TestServerThatCannotStartFailsItsTest(t *testing.T) {
	t.Parallel()
	test := &failing{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		salesiqtest.Start(test, salesiqtest.WithMaxInFlight(-1))
	}()
	<-done
	require.Len(t, test.reason, 1)
	assert.ErrorContains(t, test.reason[0].(error), "max in flight")
}

func TestServerEndsWithItsTest(t *testing.T) {
	t.Parallel()
	var s *salesiqtest.Server
	t.Run("test", func(t *testing.T) { //nolint:paralleltest // What follows waits for its end.
		s = salesiqtest.Start(t, salesiqtest.InMemory())
		assert.Equal(t, http.StatusOK, get(t, s, "/api/v2/brands").status)
	})
	_, err := try(t, s, s.AccessToken(), "GET", "/api/v2/brands", "")
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestListenerStaysTheCallersWhereTheServerDoesNotStart(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	for _, opts := range [][]salesiqtest.Option{
		{salesiqtest.InMemory(), salesiqtest.WithListener(listener)},
		{salesiqtest.WithListener(listener), salesiqtest.InMemory()},
	} {
		s, err := salesiqtest.NewServer(opts...)
		var input *salesiq.InputError
		require.ErrorAs(t, err, &input)
		assert.Equal(t, "listener", input.Field)
		assert.Nil(t, s)
	}
	s := salesiqtest.Start(t, salesiqtest.WithListener(listener))
	assert.Equal(t, "http://"+listener.Addr().String(), s.URL)
	assert.Equal(t, http.StatusOK, get(t, s, "/api/v2/brands").status)
}

func TestSamplesOfTheSpecificationFindWhatTheyName(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	for _, id := range []string{"chat123", "chat123456789"} {
		chat, ok := s.Chat(id)
		require.True(t, ok, id)
		assert.Equal(t, salesiq.ChatActive, chat.Status, "%s can be answered, transferred and ended", id)
		assert.Equal(t, "visitor123", chat.VisitorID, id)
		assert.Equal(t, "operator456", chat.OperatorID, id)
	}
	for _, id := range []string{"visitor123", "visitor123456789"} {
		_, ok := s.Visitor(id)
		assert.True(t, ok, id)
	}
	for _, id := range []string{"operator123", "operator456", "operator789", "operator123456789", "supervisor_id"} {
		operator, ok := s.Operator(id)
		require.True(t, ok, id)
		assert.NotEqual(t, salesiq.OperatorOffline, operator.Status, "%s can take a chat", id)
	}
	free, _ := s.Operator("operator789")
	assert.Equal(t, salesiq.OperatorOnline, free.Status)
	assert.Equal(t, salesiq.OperatorAvailable, free.Availability)
	_, ok := s.Brand("brand123456789")
	assert.True(t, ok)
	brand, ok := s.Brand("brand123")
	require.True(t, ok)
	ids := []string{}
	for _, department := range brand.Departments {
		ids = append(ids, department.ID)
	}
	assert.Subset(t, ids, []string{"dept789", "dept790"})
	assert.Equal(t, http.StatusOK, do(t, s, s.AccessToken(), "PATCH", "/api/v2/routing/rules/rule123456789", `{"enabled":false}`).status)
}

func TestDefaultDataIsPlentyAndConsistent(t *testing.T) {
	t.Parallel()
	began := time.Now()
	s := salesiqtest.Start(t)
	count := map[salesiq.ChatStatus]int{}
	active := map[string]int{}
	total := map[string]int{}
	long := 0
	for _, chat := range s.Chats() {
		count[chat.Status]++
		total[chat.OperatorID]++
		for _, message := range chat.Transcript {
			assert.False(t, message.Timestamp.Before(chat.StartedAt), "%s speaks before it starts", chat.ID)
			assert.False(t, message.Timestamp.After(began), "%s speaks in the future", chat.ID)
			if !chat.EndedAt.IsZero() {
				assert.False(t, message.Timestamp.After(chat.EndedAt), "%s speaks after its end", chat.ID)
			}
		}
		visitor, ok := s.Visitor(chat.VisitorID)
		require.True(t, ok, chat.VisitorID)
		if chat.Status == salesiq.ChatActive {
			active[chat.OperatorID]++
			assert.Equal(t, salesiq.VisitorChatting, visitor.Status)
			if began.Sub(chat.StartedAt) > 30*time.Minute {
				long++
			}
		}
		assert.Equal(t, chat.Status == salesiq.ChatEnded || chat.Status == salesiq.ChatMissed, !chat.EndedAt.IsZero(), chat.ID)
	}
	assert.GreaterOrEqual(t, len(s.Chats()), 250)
	assert.GreaterOrEqual(t, count[salesiq.ChatActive], 60)
	assert.Len(t, count, 4, "all statuses")
	assert.Greater(t, long, 5, "chats for a supervisor to hear of")

	statuses := map[salesiq.OperatorStatus]int{}
	roles := map[salesiq.OperatorRole]int{}
	skills := map[string]int{}
	for _, operator := range s.Operators() {
		statuses[operator.Status]++
		roles[operator.Role]++
		assert.Equal(t, active[operator.ID], operator.ActiveChats, operator.ID)
		assert.Equal(t, total[operator.ID], operator.TotalChats, operator.ID)
		for _, skill := range operator.Skills {
			skills[skill]++
		}
	}
	assert.GreaterOrEqual(t, len(s.Operators()), 12)
	assert.Len(t, statuses, 4)
	assert.Len(t, roles, 3)
	assert.Subset(t, skills, map[string]int{"Sales": skills["Sales"]})
	for _, skill := range []string{"Sales", "Technical Support", "General Support"} {
		assert.Positive(t, skills[skill], skill)
	}

	silent, emails, high, low := 0, map[string]int{}, 0, 0
	for _, visitor := range s.Visitors() {
		emails[visitor.Email]++
		if visitor.Email == "" {
			silent++
		}
		if visitor.LeadScore > 75 {
			high++
		} else {
			low++
		}
	}
	assert.GreaterOrEqual(t, len(s.Visitors()), 120)
	assert.Positive(t, silent)
	assert.Positive(t, high)
	assert.Positive(t, low)
	delete(emails, "")
	twice := 0
	for _, n := range emails {
		if n > 1 {
			twice++
		}
	}
	assert.Positive(t, twice, "an e-mail address of two visitors")
}

func TestTranscriptsReadLikeConversations(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	openings := map[string]bool{}
	for _, chat := range s.Chats() {
		require.NotEmpty(t, chat.Transcript, chat.ID)
		assert.Equal(t, salesiq.SenderVisitor, chat.Transcript[0].SenderType, "%s: a visitor asks first", chat.ID)
		openings[chat.Transcript[0].Text] = true
		said := map[string]bool{}
		for _, message := range chat.Transcript {
			assert.False(t, said[message.Text], "%s: nobody says twice: %s", chat.ID, message.Text)
			assert.NotContains(t, message.Text, "{", chat.ID)
			said[message.Text] = true
			if message.SenderType == salesiq.SenderOperator {
				assert.Equal(t, chat.OperatorID, message.SenderID, chat.ID)
				assert.Contains(t, []salesiq.ChatStatus{salesiq.ChatActive, salesiq.ChatEnded}, chat.Status, "%s has no answer", chat.ID)
			}
		}
	}
	assert.Greater(t, len(openings), 40, "visitors ask for many things")
	chat, _ := s.Chat("chat123")
	assert.Equal(t, "Hello Ada, Greta here. Two people yes, the backpacks go into the vestibule, which is 90 cm deep.", chat.Transcript[1].Text)
}

func TestDefaultDataIsTheSameAtEveryStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := salesiqtest.Start(t, salesiqtest.InMemory())
		two := salesiqtest.Start(t, salesiqtest.InMemory())
		assert.Equal(t, one.Chats(), two.Chats())
		assert.Equal(t, one.Visitors(), two.Visitors())
		assert.Equal(t, one.Operators(), two.Operators())

		time.Sleep(24 * time.Hour)
		later := salesiqtest.Start(t, salesiqtest.InMemory())
		before, _ := one.Chat("chat123")
		after, _ := later.Chat("chat123")
		assert.Equal(t, 24*time.Hour, after.StartedAt.Sub(before.StartedAt), "dates count from the start")
	})
}

func TestUsersCanLoadTheirOwnData(t *testing.T) {
	t.Parallel()
	mine := salesiqtest.Data{
		Chats:     []salesiq.Chat{{ID: "c1", VisitorID: "v1", OperatorID: "o1", Status: salesiq.ChatActive, StartedAt: time.Now()}},
		Visitors:  []salesiq.Visitor{{ID: "v1", Name: "One"}},
		Operators: []salesiq.Operator{{ID: "o1", ActiveChats: 1}},
		Sessions:  map[string][]salesiq.Session{"v1": {{ID: "s1"}}},
	}
	s := salesiqtest.Start(t, salesiqtest.WithoutDefaultData(), salesiqtest.WithData(mine))
	client := s.Client(t)
	page, err := client.Chats.List(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, page.Items, 1, "nothing else is there")
	visitor, err := client.Visitors.Get(t.Context(), "v1")
	require.NoError(t, err, "an id of the user's own is fine")
	assert.Equal(t, "One", visitor.Name)
	activity, err := client.Visitors.Activity(t.Context(), "v1")
	require.NoError(t, err)
	assert.Equal(t, "s1", activity.Sessions[0].ID)
	assert.Equal(t, "c1", activity.Chats[0].ID)

	beside := salesiqtest.Start(t, salesiqtest.WithData(mine))
	assert.Len(t, beside.Chats(), len(salesiqtest.Start(t).Chats())+1, "beside the default data")
}

func TestLoadedDataIsCopied(t *testing.T) {
	t.Parallel()
	tags := []string{"mine"}
	s := salesiqtest.Start(t, salesiqtest.WithData(salesiqtest.Data{Visitors: []salesiq.Visitor{{ID: "v1", Tags: tags}}}))
	tags[0] = "changed"
	visitor, _ := s.Visitor("v1")
	assert.Equal(t, []string{"mine"}, visitor.Tags)
	visitor.Tags[0] = "changed"
	visitor, _ = s.Visitor("v1")
	assert.Equal(t, []string{"mine"}, visitor.Tags)
}

func TestResetGoesBackToTheStart(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.WithPlan(salesiq.Free()))
	client := s.Client(t)
	_, err := client.Chats.End(t.Context(), "chat123", nil)
	require.NoError(t, err)
	require.NoError(t, s.Inject(salesiqtest.Fault{Status: 500, Times: 99}))
	s.Reset()
	chat, err := client.Chats.Get(t.Context(), "chat123")
	require.NoError(t, err, "the fault is gone and the token is still good")
	assert.Equal(t, salesiq.ChatActive, chat.Status)
	assert.Equal(t, 1, s.Stats().Processed)
	assert.Empty(t, s.Journal())
}

func TestLogHoldsNeitherQueriesNorTokens(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	s := salesiqtest.Start(t, salesiqtest.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	token := s.AccessToken()
	do(t, s, token, "GET", "/api/v2/visitors?search=someone%40mail.example", "")
	do(t, s, "", "POST", "/oauth/v2/token?refresh_token=1000.emulator.refresh-token", "")
	require.NoError(t, s.Shutdown(t.Context()))
	assert.Contains(t, log.String(), "method=GET path=/api/v2/visitors status=200")
	assert.NotContains(t, log.String(), "someone")
	assert.NotContains(t, log.String(), "refresh-token")
	assert.NotContains(t, log.String(), token)
}

func TestShutdownLetsCallsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory())
		require.NoError(t, s.Inject(salesiqtest.Fault{Latency: 2 * time.Second}))
		token := s.AccessToken()
		status := make(chan int)
		go func() {
			a, err := try(t, s, token, "GET", "/api/v2/chats/chat123", "")
			assert.NoError(t, err)
			status <- a.status
		}()
		synctest.Wait()
		ended := make(chan error)
		go func() { ended <- s.Shutdown(t.Context()) }()
		assert.Equal(t, http.StatusOK, <-status)
		require.NoError(t, <-ended)
	})
}

func TestCloseEndsCallsThatHang(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory())
		require.NoError(t, s.Inject(salesiqtest.Fault{Latency: 1000 * time.Hour}))
		token := s.AccessToken()
		failed := make(chan error)
		go func() {
			_, err := try(t, s, token, "GET", "/api/v2/chats/chat123", "")
			failed <- err
		}()
		synctest.Wait()
		began := time.Now()
		s.Close()
		require.Error(t, <-failed)
		assert.Zero(t, time.Since(began))
	})
}

func TestServerImportsNoTestLibrary(t *testing.T) {
	t.Parallel()
	list, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "../cmd/salesiq-emulator").Output()
	require.NoError(t, err)
	assert.NotContains(t, string(list), "testify")
}

// What follows from something else in the default data is not written down twice.
func TestDefaultDataFollowFromEachOther(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	departments, ratings := map[string]string{}, map[string][]int{}
	for _, id := range []string{"brand123", "brand123456789"} {
		brand, _ := s.Brand(id)
		for _, department := range brand.Departments {
			departments[department.ID] = department.Name
		}
	}
	numbers := 0
	for _, chat := range s.Chats() {
		visitor, _ := s.Visitor(chat.VisitorID)
		assert.Equal(t, salesiq.ChatTypeLive, chat.Type, chat.ID)
		assert.Equal(t, []string{visitor.Name, visitor.Email, visitor.Phone}, []string{chat.VisitorInfo.Name, chat.VisitorInfo.Email, chat.VisitorInfo.Phone})
		assert.ElementsMatch(t, visitor.Tags, chat.Tags)
		length := time.Duration(0)
		if chat.Status == salesiq.ChatEnded {
			length = chat.EndedAt.Sub(chat.StartedAt).Truncate(time.Second)
		}
		assert.Equal(t, length, chat.Duration.Duration(), chat.ID)
		if chat.Rating != nil {
			ratings[chat.OperatorID] = append(ratings[chat.OperatorID], *chat.Rating)
		}
		at := chat.StartedAt
		for i, message := range chat.Transcript {
			assert.Equal(t, fmt.Sprintf("%s-msg%d", chat.ID, i+1), message.ID)
			assert.Equal(t, salesiq.MessageText, message.Type)
			typing := (4*time.Second + time.Duration(len(message.Text))*300*time.Millisecond).Truncate(time.Second)
			assert.LessOrEqual(t, message.Timestamp.Sub(at), typing, "%s takes longer than it takes to type it", message.ID)
			if chat.ID == "chat123" {
				assert.Equal(t, typing, message.Timestamp.Sub(at))
			}
			at = message.Timestamp
			if number := regexp.MustCompile(`\b\d{6}\b`).FindString(message.Text); number != "" {
				assert.Regexp(t, "^4", number, "an order")
				numbers++
			}
		}
	}
	assert.Positive(t, numbers)
	for _, operator := range s.Operators() {
		assert.Equal(t, departments[operator.DepartmentID], operator.DepartmentName, operator.ID)
		sum := 0
		for _, rating := range ratings[operator.ID] {
			sum += rating
		}
		assert.InDelta(t, float64(sum)/float64(max(1, len(ratings[operator.ID]))), operator.AverageRating, 0.05, operator.ID)
	}
	client, visited := s.Client(t), 0
	for _, visitor := range s.Visitors()[:30] {
		activity, err := client.Visitors.Activity(t.Context(), visitor.ID)
		require.NoError(t, err)
		for _, session := range activity.Sessions {
			at := session.StartedAt
			for _, page := range session.Pages {
				assert.Equal(t, at, page.VisitedAt, session.ID)
				at = at.Add(page.TimeSpent.Duration())
				visited++
			}
			assert.Equal(t, at, session.EndedAt, session.ID)
			assert.Equal(t, at.Sub(session.StartedAt), session.Duration.Duration(), session.ID)
			assert.False(t, session.StartedAt.After(time.Now()))
		}
	}
	assert.Positive(t, visited)
}
