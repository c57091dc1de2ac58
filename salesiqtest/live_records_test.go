package salesiqtest_test

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// companyOf is the id of a visitor's company.
func companyOf(t *testing.T, s liveServer, visitorID string) string {
	t.Helper()
	visitor := into[struct {
		Company struct {
			ID string `json:"id"`
		} `json:"company"`
	}](t, get(t, s.Server, liveRoot+"/visitors/"+visitorID))
	require.NotEmpty(t, visitor.Company.ID)
	return visitor.Company.ID
}

func TestEachKindOfRecordKeepsItsTags(t *testing.T) {
	t.Parallel()
	s := newLiveServer(t)
	contact := ""
	for _, visitor := range s.Visitors() {
		if slices.Contains(visitor.Tags, "returning") {
			contact = visitor.ID
		}
	}
	for module, record := range map[live.TagModule]string{
		"conversations": "chat1002", "visitors": "visitor1002", "contacts": contact, "companies": companyOf(t, s, "visitor1002"),
	} {
		create := func(name string, of live.TagModule) string {
			return must[*live.Tag](t)(s.calls.Tags.Create(t.Context(), &live.TagCreate{Name: name, Color: "#101010", Module: of})).ID
		}
		first, second, archived := create("first", module), create("second", module), create("archived", module)
		must[*live.Tag](t)(s.calls.Tags.Archive(t.Context(), archived))
		elsewhere := "tag101" // Of conversations.
		if module == "conversations" {
			elsewhere = create("elsewhere", "visitors")
		}
		outcome := must[*live.TagOutcome](t)(s.calls.Tags.AddTo(t.Context(), module, record, []string{first, elsewhere, second, archived, "nobody"}))
		assert.Equal(t, []string{first, second}, tagIDs(outcome.Tags), module)
		assert.Equal(t, []string{elsewhere, archived, "nobody"}, outcome.Failed, module)

		// A tag that is deleted leaves the records: one of the same name is another.
		require.NoError(t, s.calls.Tags.Delete(t.Context(), first))
		again := create("first", module)
		left := must[[]live.Tag](t)(s.calls.Tags.RemoveFrom(t.Context(), module, record, second))
		assert.NotContains(t, tagIDs(left), again, module)
		assert.NotContains(t, tagIDs(left), second, module)
		_, err := s.calls.Tags.RemoveFrom(t.Context(), module, record, second)
		assert.Equal(t, notThere, number(t, err), "%s: it is gone already", module)
	}
}

func tagIDs(tags []live.Tag) (ids []string) {
	for _, tag := range tags {
		ids = append(ids, tag.ID)
	}
	return ids
}

// timesOf reads a member of the objects of a list that is a time in milliseconds.
func timesOf(t *testing.T, s liveServer, path, member string) (times []int64) {
	t.Helper()
	for _, item := range into[[]map[string]any](t, get(t, s.Server, liveRoot+path)) {
		text, told := item[member].(string)
		if !told || text == "" {
			text = "-1" // It has not come so far.
		}
		at, err := strconv.ParseInt(text, 10, 64)
		require.NoError(t, err, "%s of %v", member, item)
		times = append(times, at)
	}
	require.Greater(t, len(times), 1)
	return times
}

func TestListsAreSortedByEachTimeInBothDirections(t *testing.T) {
	t.Parallel()
	s := newLiveServer(t)
	for _, tt := range []struct{ path, by, order, member string }{
		{"/calls", "initiated_time", "order", "created_time"},
		{"/calls", "pickup_time", "order", "pickup_time"},
		{"/calls", "end_time", "order", "end_time"},
		{"/calls", "missed_time", "order", "missed_time"},
		{"/conversations", "in_time", "sort_order", "start_time"},
		{"/conversations", "end_time", "sort_order", "end_time"},
		{"/conversations", "updated_time", "sort_order", "last_modified_time"},
	} {
		query := tt.path + "?sort_by=" + tt.by
		up := timesOf(t, s, query+"&"+tt.order+"=ascending", tt.member)
		down := timesOf(t, s, query+"&"+tt.order+"=descending", tt.member)
		assert.True(t, slices.IsSorted(up), "%s: %v", query, up)
		assert.Equal(t, up, timesOf(t, s, query, tt.member), "%s: ascending by default", query)
		slices.Reverse(down)
		assert.True(t, slices.IsSorted(down), "%s: %v", query, down)
		assert.Greater(t, down[len(down)-1], down[0], query)
	}
}

func TestMessagesComeInTheOrderThatTheTimesImply(t *testing.T) {
	t.Parallel()
	s := newLiveServer(t)
	const path = "/conversations/chat123/messages"
	all := timesOf(t, s, path, "time")
	require.True(t, slices.IsSorted(all), "oldest first")
	last := strconv.FormatInt(all[len(all)-1]+1, 10)
	reversed := timesOf(t, s, path+"?to_time="+last, "time")
	assert.Equal(t, all[len(all)-1], reversed[0], "newest first, where only the end is given")
	assert.Equal(t, all, timesOf(t, s, path+"?sort_order=ascending&to_time="+last, "time"))
	assert.Equal(t, all, timesOf(t, s, path+"?from_time=1&to_time="+last, "time"))
	assert.Equal(t, reversed, timesOf(t, s, path+"?sort_order=descending", "time"))
}

func TestTransferIsAnsweredByWhomItWasMadeTo(t *testing.T) {
	t.Parallel()
	s := newLiveServer(t)
	put := func(call, body string) answer {
		return do(t, s.Server, s.AccessToken(), http.MethodPut, liveRoot+"/conversations/chat123/"+call, body)
	}
	before, _ := s.Chat("chat123")
	require.Equal(t, http.StatusOK, put("transfer", `{"department_id":"dept790","operator_id":"operator123"}`).status)
	assert.Equal(t, liveRefusal{Code: 1020, Key: "operator_id"}, liveRefusalIn(t, put("accept", `{"operator_id":"operator789"}`)))
	handed, _ := s.Chat("chat123")
	require.Equal(t, "operator123", handed.OperatorID)

	assert.Equal(t, http.StatusNoContent, put("reject", `{"operator_id":"operator123"}`).status)
	back, _ := s.Chat("chat123")
	assert.Equal(t, before.OperatorID, back.OperatorID)
	assert.Equal(t, before.DepartmentID, back.DepartmentID)
	assert.Equal(t, salesiq.ChatActive, back.Status)

	put("transfer", `{"department_id":"dept790","operator_id":"operator123"}`)
	assert.Empty(t, liveRefusalIn(t, put("accept", `{"operator_id":"operator123"}`)))
	assert.Equal(t, liveRefusal{Code: wrongValue, Key: "id"}, liveRefusalIn(t, put("accept", `{"operator_id":"operator123"}`)), "it is accepted once")

	put("transfer", `{"department_id":"dept789"}`)
	to, _ := s.Chat("chat123")
	assert.Equal(t, "dept789", to.DepartmentID)
	operator := s.Operators()[slices.IndexFunc(s.Operators(), func(o salesiq.Operator) bool { return o.ID == to.OperatorID })]
	assert.Equal(t, "dept789", operator.DepartmentID, "somebody of the department")
	assert.NotEqual(t, salesiq.OperatorOffline, operator.Status, "who is there")

	do(t, s.Server, s.AccessToken(), http.MethodPut, liveRoot+"/operators/operator123/departments", `{"ids":["dept789"]}`)
	put("transfer", `{"department_id":"dept790","operator_id":"operator123","note":"Wants a tent"}`)
	put("transfer", `{"department_id":"dept789","operator_id":"operator123"}`)
	to, _ = s.Chat("chat123")
	assert.Equal(t, "operator123", to.OperatorID)
	assert.Equal(t, "dept789", to.DepartmentID, "the one of the transfer, of the two that the operator is in")
}

func TestLiveOperatorsAreThoseOfTheSpecification(t *testing.T) {
	t.Parallel()
	s := newLiveServer(t)
	must[*live.Operator](t)(s.calls.Operators.Update(t.Context(), "operator789", &live.OperatorUpdate{Nickname: salesiq.Set("Ken")}))
	require.NoError(t, s.calls.Operators.Disable(t.Context(), "operator456"))
	present := map[string]int{}
	for _, known := range s.Operators() {
		shown := into[map[string]any](t, get(t, s.Server, liveRoot+"/operators/"+known.ID))
		want, most := "1", "unlimited"
		if known.Status == salesiq.OperatorOffline {
			want = "0"
		}
		if known.MaxChats > 0 {
			most = strconv.Itoa(known.MaxChats)
		}
		present[want]++
		nickname, _, _ := strings.Cut(known.Name, " ")
		if known.ID == "operator789" {
			nickname = "Ken"
		}
		for name, value := range map[string]string{
			"id": known.ID, "email_id": known.Email, "status_code": want, "maximum_concurrent_chat": most, "nick_name": nickname,
			"is_enabled": strconv.FormatBool(known.ID != "operator456"), "is_chat_enabled": strconv.FormatBool(known.ID != "operator456"),
			"is_owner": strconv.FormatBool(known.ID == "operator1"), "is_confirmed": "true", "is_deleted": "false",
			"created_time": strconv.FormatInt(known.CreatedAt.UnixMilli(), 10), "time_zone": known.Timezone,
		} {
			assert.Equal(t, value, shown[name], "%s of %s", name, known.ID)
		}
	}
	assert.Len(t, present, 2, "some are there, and some are not")
}

func TestVisitorEndsAChatThatWasPickedUpAndMissesOneThatWasNot(t *testing.T) {
	t.Parallel()
	s := newLiveServer(t)
	token := orgToken(t, s.Server)
	leave := func(id string) {
		a := do(t, s.Server, token, http.MethodPut, "/visitor/v2/nordlicht/conversations/"+id+"/close", "")
		require.Equal(t, http.StatusOK, a.status, a.body)
		assert.Empty(t, liveRefusalIn(t, a))
	}
	leave("chat123")
	chat, _ := s.Chat("chat123")
	assert.Equal(t, salesiq.ChatEnded, chat.Status)
	waiting, err := s.StartChat("visitor1002", "Is anybody there?")
	require.NoError(t, err)
	leave(waiting.ID)
	chat, _ = s.Chat(waiting.ID)
	assert.Equal(t, salesiq.ChatMissed, chat.Status)
	thread := into[[]map[string]any](t, get(t, s.Server, liveRoot+"/conversations/"+waiting.ID+"/threads?include_fields=%5B%22metrics%22%5D"))[0]
	metrics, _ := thread["metrics"].(map[string]any)
	assert.Equal(t, "no_response", metrics["missed_reason"])
	assert.Equal(t, "0", metrics["first_response_time"], "nobody has answered")
	assert.Equal(t, "1", metrics["visitor_message_count"])
	assert.Equal(t, "0", metrics["operator_message_count"])
}

// liveServer is a server of the live dialect, and its calls.
type liveServer struct {
	*salesiqtest.Server

	calls *live.Service
}

func newLiveServer(t *testing.T) liveServer {
	t.Helper()
	server, calls := startLive(t)
	return liveServer{server, calls}
}

func TestVersionOneTellsWhoHasBeenInTouch(t *testing.T) {
	t.Parallel()
	s := newLiveServer(t)
	talked := map[string]string{}
	for _, chat := range s.Chats() {
		talked[chat.VisitorID] = "chat"
	}
	view := into[struct {
		Visitors []struct {
			ID   string `json:"user_uniqueid"`
			Mode string `json:"lastcontacted_mode"`
		} `json:"visitorlist"`
	}](t, get(t, s.Server, "/api/v1/nordlicht/visitorsview/-1/visitors"))
	modes := map[string]int{}
	for _, visitor := range view.Visitors {
		assert.Equal(t, cmp.Or(talked[visitor.ID], "none"), visitor.Mode, visitor.ID)
		modes[visitor.Mode]++
	}
	assert.Len(t, modes, 2, "some have, and some have not")
}

func TestConversationTellsHowItsVisitorCame(t *testing.T) {
	t.Parallel()
	s := newLiveServer(t)
	sources, rated := map[int]int{}, 0
	for _, chat := range s.Chats()[:60] {
		about := into[struct {
			Details struct {
				Feedback int `json:"feedback"`
			} `json:"conversation_details"`
			Tracking struct {
				Source int `json:"source"`
			} `json:"tracking_details"`
		}](t, get(t, s.Server, liveRoot+"/conversations/"+chat.ID+"/visitor?include=trackinginfo"))
		if chat.Rating != nil {
			assert.Equal(t, *chat.Rating, about.Details.Feedback)
			rated++
		} else {
			assert.Zero(t, about.Details.Feedback)
		}
		visitor, _ := s.Visitor(chat.VisitorID)
		want := 2
		if visitor.Referrer == "" {
			want = 1
		} else if strings.Contains(visitor.Referrer, "search") {
			want = 3
		}
		assert.Equal(t, want, about.Tracking.Source, visitor.Referrer)
		sources[want]++
	}
	assert.Len(t, sources, 3)
	assert.Positive(t, rated)
}

func TestSettingsOfTheSpecificationFollowThoseOfTheLiveService(t *testing.T) {
	t.Parallel()
	s := newLiveServer(t)
	before, _ := s.Brand("brand123")
	put := func(body string) salesiq.Brand {
		a := do(t, s.Server, s.AccessToken(), http.MethodPut, liveRoot+"/apps/brand123", body)
		assert.Empty(t, liveRefusalIn(t, a))
		brand, _ := s.Brand("brand123")
		return brand
	}
	renamed := put(`{"name":"Renamed"}`)
	assert.Equal(t, "Renamed", renamed.Name)
	assert.Equal(t, before.Language, renamed.Language)
	changed := put(`{"language":"fi","enabled":false}`)
	assert.Equal(t, "fi", changed.Language)
	assert.Equal(t, "Renamed", changed.Name)
	assert.NotEqual(t, before.Status, changed.Status)

	a := do(t, s.Server, s.AccessToken(), http.MethodPost, liveRoot+"/operators", `{"email_id":"nora@work.example","role":"Associate","departments":["dept789"],"is_monitored":"false"}`)
	assert.Contains(t, a.body, `"first_name":"nora"`, "the name is that of the account, where none is given")
}

func TestAConversationThatIsTakenUpAgainHasAnotherThread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.InMemory())
		chat, err := s.StartChat("visitor1002", "Do you have boots?")
		require.NoError(t, err)
		id, org := chat.ID, orgToken(t, s)
		call := func(token, method, path, body string) {
			time.Sleep(10 * time.Second)
			assert.Empty(t, liveRefusalIn(t, do(t, s, token, method, path, body)), path)
		}
		operator := func(of, body string) {
			call(s.AccessToken(), http.MethodPut, liveRoot+"/conversations/"+id+"/"+of, body)
		}
		says := func(text string) {
			call(s.AccessToken(), http.MethodPost, liveRoot+"/conversations/"+id+"/messages", `{"text":"`+text+`"}`)
		}
		operator("pickup", "")
		says("In black.")
		require.NoError(t, s.VisitorSays(id, "And in red?"))
		says("No.")
		operator("close", "")
		call(org, http.MethodPost, "/api/visitor/v1/nordlicht/conversations/"+id+"/reopen", `{"message":"Then in black"}`)
		operator("pickup", "")
		call(org, http.MethodPut, "/visitor/v2/nordlicht/conversations/"+id+"/close", "")
		type thread struct {
			Number   string            `json:"thread_number"`
			Question string            `json:"question"`
			Status   string            `json:"status"`
			EndedBy  string            `json:"ended_by"`
			Metrics  map[string]string `json:"metrics"`
		}
		all := into[[]thread](t, get(t, s, liveRoot+"/conversations/"+id+"/threads?include_fields=%5B%22metrics%22%5D"))
		require.Len(t, all, 2)
		first, second := all[0], all[1]
		if first.Number != "1" {
			first, second = second, first
		}
		assert.Equal(t, []string{"1", "Do you have boots?", "Attended Online", "operator"}, []string{first.Number, first.Question, first.Status, first.EndedBy})
		assert.Equal(t, []string{"2", "Then in black", "Attended Online", "visitor"}, []string{second.Number, second.Question, second.Status, second.EndedBy})
		for name, want := range map[string][2]string{
			"operator_message_count": {"2", "0"}, "visitor_message_count": {"2", "1"}, "first_response_time": {"20000", "0"},
			"average_response_time": {"15000", "0"}, "total_chat_duration": {"40000", "20000"}, "missed_reason": {"", ""},
		} {
			assert.Equal(t, want, [2]string{first.Metrics[name], second.Metrics[name]}, name)
		}
		one := into[thread](t, get(t, s, liveRoot+"/conversations/"+id+"/threads/2?include_fields=%5B%22metrics%22%5D"))
		assert.Equal(t, second, one)
	})
}

func TestConversationsAreDeletedAllOrNone(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	before, header := len(s.Chats()), http.Header{"Content-Type": {"application/json"}, "X-Siq-Channel": {"website"}}
	remove := func(ids string) answer {
		return request(t, s, s.AccessToken(), http.MethodDelete, liveRoot+"/conversations", `{"ids":`+ids+`}`, header.Clone())
	}
	chat, _ := s.Chat("chat123")
	busy, _ := s.Operator(chat.OperatorID)
	assert.Equal(t, liveRefusal{Code: notThere}, liveRefusalIn(t, remove(`["chat123","nobody"]`)))
	assert.Len(t, s.Chats(), before)
	assert.Equal(t, http.StatusNoContent, remove(`["chat123","chat1009","chat123"]`).status, "one may be named twice")
	assert.Len(t, s.Chats(), before-2)
	operator, _ := s.Operator(chat.OperatorID)
	assert.Equal(t, busy.ActiveChats-1, operator.ActiveChats, "the operator has one less")
}
