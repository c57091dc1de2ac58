package live_test

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

// What one call changes, another one tells.

// answer is what a call returns.
type answer[T any] struct {
	value T
	err   error
}

// of takes what a call returns.
func of[T any](value T, err error) answer[T] { return answer[T]{value, err} }

// must returns the value of a call that may not fail.
func must[T any](t *testing.T, got answer[T]) T {
	t.Helper()
	require.NoError(t, got.err)
	return got.value
}

// mustHave collects all items of a list, of which there must be some.
func mustHave[T any](t *testing.T, got any, err error) []*T {
	t.Helper()
	items, ok := must(t, of(got, err)).([]*T)
	require.True(t, ok)
	require.NotEmpty(t, items)
	return items
}

// visitors returns the calls with the token of an organization's client.
func visitors(t *testing.T, server *salesiqtest.Server) *live.Service {
	t.Helper()
	client, err := salesiq.NewClient(salesiq.RefreshToken(server.OrgCredentials(), salesiq.NewMemoryTokenStore()), server.Options()...)
	require.NoError(t, err)
	return live.New(client)
}

func TestAConversationGoesFromHandToHand(t *testing.T) {
	t.Parallel()
	_, s := start(t)
	ctx := t.Context()
	before := must(t, of(s.Conversations.Get(ctx, waiting)))
	assert.Empty(t, before.Attender.ID)

	mine := must(t, of(s.Conversations.Pickup(ctx, waiting)))
	me := must(t, of(s.Portals.List(ctx)))[0].OperatorID
	assert.Equal(t, []string{me, me}, []string{mine.Owner.ID, mine.Attender.ID})
	assert.Equal(t, live.Connected, mine.ChatStatus.StateKey)
	require.Error(t, second(s.Conversations.Pickup(ctx, waiting)), "nobody waits any longer")

	theirs := must(t, of(s.Conversations.Transfer(ctx, waiting, &live.Transfer{DepartmentID: "dept790", OperatorID: "operator789", Note: "A tent"})))
	assert.Equal(t, "operator789", theirs.Attender.ID)
	assert.True(t, theirs.HasNotes, "the note of the transfer")
	require.ErrorIs(t, s.Conversations.RejectTransfer(ctx, waiting, "operator456"), salesiq.ErrOperatorOffline, "it is not theirs")
	require.NoError(t, s.Conversations.RejectTransfer(ctx, waiting, "operator789"))
	back := must(t, of(s.Conversations.Get(ctx, waiting)))
	assert.Equal(t, me, back.Attender.ID)
	assert.Equal(t, before.Department.ID, back.Department.ID)
	require.Error(t, second(s.Conversations.AcceptTransfer(ctx, waiting, "operator789")), "it was rejected")

	require.NoError(t, second(s.Conversations.Transfer(ctx, waiting, &live.Transfer{DepartmentID: "dept790", OperatorID: "operator789"})))
	assert.Equal(t, "operator789", must(t, of(s.Conversations.AcceptTransfer(ctx, waiting, "operator789"))).Attender.ID)
	require.Error(t, second(s.Conversations.AcceptTransfer(ctx, waiting, "operator789")), "once")
	assert.False(t, must(t, of(s.Conversations.Close(ctx, waiting))).EndedAt.IsZero())

	require.NoError(t, s.Conversations.Delete(ctx, live.ChannelWebsite, []string{waiting}))
	require.ErrorIs(t, second(s.Conversations.Get(ctx, waiting)), salesiq.ErrResourceNotFound)
	require.ErrorIs(t, s.Conversations.Delete(ctx, live.ChannelWebsite, []string{connected, "none"}), salesiq.ErrResourceNotFound)
	require.NoError(t, second(s.Conversations.Get(ctx, connected)), "all or none")
	require.ErrorIs(t, s.Conversations.Delete(ctx, live.ChannelIOS, []string{connected}), salesiq.ErrResourceNotFound, "it took place on the website")
}

func TestReferencesStayWhenOthersAreDeleted(t *testing.T) {
	t.Parallel()
	server, s := start(t)
	chats := server.Chats()
	require.NoError(t, s.Conversations.Delete(t.Context(), live.ChannelWebsite, []string{chats[0].ID}))
	last := must(t, of(s.Conversations.Get(t.Context(), chats[len(chats)-1].ID)))
	assert.Equal(t, strconv.Itoa(len(chats)), last.ReferenceID)
}

func TestACustomFieldDoesNotChangeTheVisitor(t *testing.T) {
	t.Parallel()
	_, s := start(t)
	require.NoError(t, second(s.Conversations.UpdateCustomerInfo(t.Context(), connected, map[string]string{"name": "Nobody", "plan": "gold"})))
	got := must(t, of(s.Conversations.Get(t.Context(), connected)))
	assert.Equal(t, map[string]string{"basket": "513", "name": "Nobody", "plan": "gold"}, got.CustomerInfo)
	assert.Equal(t, "Ada Marchetti", got.Visitor.Name)
	assert.Contains(t, string(must(t, of(s.Conversations.Visitor(t.Context(), connected, []string{"moreinfo"}))).Details.AddInfo["plan"]), "gold")
	assert.Zero(t, must(t, of(s.Conversations.Visitor(t.Context(), connected, nil))).Tracking.Source, "only what was asked for")
}

// Each filter keeps what it should, and something.
func TestFiltersOfConversationsNarrow(t *testing.T) {
	t.Parallel()
	server, s := start(t)
	chats := server.Chats()
	type chat = salesiq.Chat
	returning := map[string]bool{}
	for _, visitor := range server.Visitors() {
		returning[visitor.ID] = slices.Contains(visitor.Tags, "returning")
	}
	half := chats[0].StartedAt.Add(-14 * 24 * time.Hour)
	for name, row := range map[string]struct {
		params live.ConversationListParams
		keeps  func(chat) bool
	}{
		"open":         {live.ConversationListParams{Status: live.Open}, func(c chat) bool { return c.EndedAt.IsZero() }},
		"missed":       {live.ConversationListParams{Status: live.Missed}, func(c chat) bool { return c.Status == salesiq.ChatMissed }},
		"department":   {live.ConversationListParams{DepartmentID: "dept801"}, func(c chat) bool { return c.DepartmentID == "dept801" }},
		"attender":     {live.ConversationListParams{AttenderID: "operator456"}, func(c chat) bool { return c.OperatorID == "operator456" }},
		"app":          {live.ConversationListParams{AppID: "brand123456789"}, func(c chat) bool { return slices.Contains([]string{"dept801", "dept802"}, c.DepartmentID) }},
		"email":        {live.ConversationListParams{Email: "guest0@work.example"}, func(c chat) bool { return c.VisitorInfo.Email == "guest0@work.example" }},
		"contacts":     {live.ConversationListParams{VisitorType: "contact"}, func(c chat) bool { return returning[c.VisitorID] }},
		"leads":        {live.ConversationListParams{VisitorType: "lead"}, func(c chat) bool { return !returning[c.VisitorID] }},
		"begun later":  {live.ConversationListParams{From: half}, func(c chat) bool { return !c.StartedAt.Before(half) }},
		"begun before": {live.ConversationListParams{To: half}, func(c chat) bool { return !c.StartedAt.After(half) }},
		"references":   {live.ConversationListParams{ReferenceIDs: []string{"1", "3"}}, func(c chat) bool { return c.ID == chats[0].ID || c.ID == chats[2].ID }},
	} {
		var want, got []string
		for _, c := range chats {
			if row.keeps(c) {
				want = append(want, c.ID)
			}
		}
		list, err := all(s.Conversations.All(t.Context(), &row.params))
		for _, c := range mustHave[live.Conversation](t, list, err) {
			got = append(got, c.ID)
		}
		assert.Equal(t, want, got, name)
		assert.Less(t, len(got), len(chats), name)
	}

	for by, at := range map[string]func(*live.Conversation) time.Time{
		"in_time":      func(c *live.Conversation) time.Time { return c.StartedAt },
		"end_time":     func(c *live.Conversation) time.Time { return c.EndedAt },
		"updated_time": func(c *live.Conversation) time.Time { return c.ModifiedAt },
	} {
		for order, sign := range map[string]int{"ascending": 1, "descending": -1} {
			list, err := all(s.Conversations.All(t.Context(), &live.ConversationListParams{SortBy: by, SortOrder: order}))
			sorted := mustHave[live.Conversation](t, list, err)
			assert.Len(t, sorted, len(chats))
			assert.True(t, slices.IsSortedFunc(sorted, func(a, b *live.Conversation) int { return sign * at(a).Compare(at(b)) }), "%s %s", by, order)
		}
	}
	updated := must(t, of(s.Conversations.List(t.Context(), &live.ConversationListParams{UpdatedFrom: half, UpdatedTo: half.Add(72 * time.Hour)})))
	require.NotEmpty(t, updated)
	for _, c := range updated {
		assert.WithinRange(t, c.ModifiedAt, half, half.Add(72*time.Hour))
	}
	for _, c := range must(t, of(s.Conversations.List(t.Context(), &live.ConversationListParams{Fields: []string{"id", "question"}}))) {
		assert.NotEmpty(t, c.ID)
		assert.Equal(t, live.Conversation{ID: c.ID, Question: c.Question}, c)
	}
}

func TestTagsComeBackAsObjectsAndFailuresAreTold(t *testing.T) {
	t.Parallel()
	server, s := start(t)
	ctx := t.Context()
	visitor := must(t, of(s.Visitors.Get(ctx, "visitor123")))
	var company live.Ref
	require.NoError(t, json.Unmarshal(visitor.Extra["company"], &company))
	records := map[live.TagModule]string{live.ForConversations: connected, live.ForVisitors: visitor.ID, live.ForCompanies: company.ID}
	for _, v := range server.Visitors() {
		if slices.Contains(v.Tags, "returning") {
			records[live.ForContacts] = v.ID
		}
	}
	for module, record := range records {
		id, old := must(t, of(tagIt(ctx, s, module))), must(t, of(s.Tags.Create(ctx, &live.TagCreate{Name: "old", Color: "#000000", Module: module})))
		archived := must(t, of(s.Tags.Archive(ctx, old.ID)))
		assert.Equal(t, []any{true, "achived"}, []any{archived.Archived, archived.Status}) //nolint:misspell // The vendor's word.
		foreign := must(t, of(tagFor(t, s, module)))

		outcome := must(t, of(s.Tags.AddTo(ctx, module, record, []string{id, old.ID, "none", foreign})))
		assert.Equal(t, []string{old.ID, "none", foreign}, outcome.Failed, module)
		require.Len(t, outcome.Tags, 1)
		assert.Equal(t, "tent", outcome.Tags[0].Name)
		assert.Contains(t, names(must(t, of(s.Tags.List(ctx, module)))), "tent")

		kept := must(t, of(s.Tags.RemoveFrom(ctx, module, record, id)))
		assert.NotContains(t, names(kept), "tent")
		require.ErrorIs(t, second(s.Tags.RemoveFrom(ctx, module, record, id)), salesiq.ErrResourceNotFound, "it is gone")
		require.NoError(t, second(s.Tags.AddTo(ctx, module, record, []string{id})))
		require.NoError(t, s.Tags.Delete(ctx, id))
		require.ErrorIs(t, second(s.Tags.Get(ctx, id)), salesiq.ErrResourceNotFound)
		require.Error(t, second(s.Tags.AddTo(ctx, module, "none", []string{old.ID})), module)
	}
	id := must(t, of(tagIt(ctx, s, live.ForConversations)))
	require.NoError(t, second(s.Tags.AddTo(ctx, live.ForConversations, connected, []string{id})))
	assert.Equal(t, []string{"enterprise", "vip", "tent"}, names(must(t, of(s.Conversations.Get(ctx, connected))).Tags))
	require.NoError(t, s.Tags.Delete(ctx, id))
	assert.Equal(t, []string{"enterprise", "vip"}, names(must(t, of(s.Conversations.Get(ctx, connected))).Tags))
	chat, _ := server.Chat(connected)
	assert.Equal(t, []string{"enterprise", "vip"}, chat.Tags)
}

// tagFor finds a tag that is for another module than one.
func tagFor(t *testing.T, s *live.Service, not live.TagModule) (string, error) {
	t.Helper()
	other := live.ForVisitors
	if not == other {
		other = live.ForConversations
	}
	list, err := s.Tags.List(t.Context(), other)
	if err != nil {
		return "", err
	}
	return list[0].ID, nil
}

func names(tags []live.Tag) (names []string) {
	for _, tag := range tags {
		names = append(names, tag.Name)
	}
	return names
}

func TestWhatAVisitorDoesArrivesAtTheOperators(t *testing.T) {
	t.Parallel()
	server, s := start(t)
	ctx, side := t.Context(), visitors(t, server)
	made := must(t, of(side.VisitorSide.Open(ctx, &live.VisitorOpen{
		Visitor: live.VisitorIdentity{UserID: "bo-1", Name: "Bo Hill", CountryCode: "DE"}, AppID: "brand123", DepartmentID: "dept789",
		Question: "Any tents?", CustomerInfo: map[string]string{"plan": "gold"},
	})))
	assert.Regexp(t, "^siq[0-9a-f]+$", made.ID)
	assert.Equal(t, "Any tents?", made.Question)

	list := must(t, of(s.Conversations.List(ctx, &live.ConversationListParams{Status: live.Waiting, SortBy: "in_time", SortOrder: "descending"})))
	got := list[0]
	assert.Equal(t, []string{"bo-1", "Bo Hill", "Any tents?", "dept789", "brand123"},
		[]string{got.Visitor.ID, got.Visitor.Name, got.Question, got.Department.ID, got.AppID})
	assert.Equal(t, map[string]string{"plan": "gold"}, got.CustomerInfo)

	require.NoError(t, second(s.Conversations.Pickup(ctx, got.ID)))
	require.NoError(t, second(side.VisitorSide.Send(ctx, made.ID, "Green ones")))
	updated := must(t, of(side.VisitorSide.Update(ctx, made.ID, &live.VisitorSideUpdate{LastName: salesiq.Set("Long"), Email: salesiq.Set("bo@mail.example")})))
	assert.Equal(t, []string{"Bo Long", "lead"}, []string{updated.Visitor.Name, updated.Visitor.Type})
	require.ErrorIs(t, second(s.Messages.SendToLatest(ctx, "none@mail.example", "Moin")), salesiq.ErrResourceNotFound)
	sent := must(t, of(s.Messages.SendToLatest(ctx, "bo@mail.example", "Moin")))
	assert.Equal(t, "3", sent.SequenceID)
	var said []string
	for _, message := range must(t, of(s.Messages.List(ctx, got.ID, &live.MessageListParams{SortOrder: "descending"}))) {
		said = append(said, message.Sender.Name+": "+message.Text())
	}
	assert.Equal(t, []string{"Iris Lindqvist: Moin", "Bo Long: Green ones", "Bo Long: Any tents?"}, said)

	closed := must(t, of(side.VisitorSideV2.Close(ctx, made.ID)))
	assert.NotEqual(t, made.ID, closed.ID, "as on the page")
	assert.False(t, closed.EndedAt.IsZero())
	require.Error(t, second(side.VisitorSide.Send(ctx, made.ID, "?")), "it is over")
	require.NoError(t, side.VisitorSide.Rate(ctx, closed.ID, live.Sad, "Slow"), "either id will do")
	feedback := must(t, of(s.Feedback.OfConversation(ctx, got.ID)))
	assert.Equal(t, []string{"Slow", "sad", "Iris Lindqvist"}, []string{feedback.Text, feedback.Rating.Value, feedback.Attender.Name})
	assert.Equal(t, *feedback, *must(t, of(s.Feedback.Get(ctx, feedback.ID))))
	rated, err := all(s.Feedback.All(ctx))
	assert.True(t, slices.ContainsFunc(mustHave[live.Feedback](t, rated, err), func(f *live.Feedback) bool { return f.ID == feedback.ID }))

	again := must(t, of(side.VisitorSide.Reopen(ctx, made.ID, &live.VisitorReopen{Message: "Blue ones?"})))
	assert.Equal(t, "Blue ones?", again.Question)
	assert.Equal(t, live.Waiting, must(t, of(s.Conversations.Get(ctx, got.ID))).ChatStatus.StateKey)
	threads := must(t, of(s.Threads.List(ctx, got.ID, &live.ThreadListParams{Include: []string{"metrics"}})))
	require.Len(t, threads, 2)
	assert.Equal(t, []string{"1", "2", "visitor", ""}, []string{threads[0].Number, threads[1].Number, threads[0].EndedBy, threads[1].EndedBy})
	assert.Equal(t, []int{2, 1}, []int{threads[0].Metrics.VisitorMessages, threads[0].Metrics.OperatorMessages})
	assert.True(t, threads[1].To.IsZero())
	assert.Equal(t, "2", must(t, of(s.Threads.Get(ctx, got.ID, "2", nil))).Number)
	require.ErrorIs(t, second(s.Threads.Get(ctx, got.ID, "3", nil)), salesiq.ErrResourceNotFound)

	left := must(t, of(side.VisitorSideV2.LeaveMessage(ctx, &live.VisitorMessage{
		Visitor: live.VisitorIdentity{UserID: "bo-2"}, AppID: "brand123", DepartmentID: "dept789", Message: "Call me", AttenderID: "operator456",
	})))
	missed := must(t, of(s.Conversations.List(ctx, &live.ConversationListParams{Status: live.Missed, SortBy: "in_time", SortOrder: "descending"})))[0]
	assert.Equal(t, []string{left.Question, "operator456", "bo-2"}, []string{missed.Question, missed.Owner.ID, missed.Visitor.ID})
	require.NoError(t, second(side.VisitorSideV2.Open(ctx, &live.VisitorOpen{Visitor: bo, AppID: "brand123", DepartmentID: "dept789", Question: "Boots?"})))
	assert.Equal(t, "Boots?", must(t, of(s.Conversations.List(ctx, &live.ConversationListParams{Status: live.Waiting, SortBy: "in_time", SortOrder: "descending"})))[0].Question)
}

func TestAVisitorsSideNeedsAnOrganizationsToken(t *testing.T) {
	t.Parallel()
	_, s := start(t)
	_, err := open(t.Context(), s)
	require.ErrorIs(t, err, salesiq.ErrInvalidOAuthScope)
	failure := &salesiq.Error{}
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, 1009, failure.VendorCode)
}

func TestNotesAreKnownToTheConversation(t *testing.T) {
	t.Parallel()
	_, s := start(t)
	assert.False(t, must(t, of(s.Conversations.Get(t.Context(), rated))).HasNotes)
	note := must(t, of(s.Notes.Add(t.Context(), rated, "Likes tents")))
	assert.Equal(t, "Likes tents", note.Text)
	assert.Equal(t, "Iris Lindqvist", note.Creator.Name)
	assert.True(t, must(t, of(s.Conversations.Get(t.Context(), rated))).HasNotes)
	assert.True(t, must(t, of(s.Feedback.OfConversation(t.Context(), rated))).Conversation.HasNotes, "true in a string")
}

func TestCallsAreListedByWhatTheyBelongTo(t *testing.T) {
	t.Parallel()
	_, s := start(t)
	ctx := t.Context()
	every := must(t, of(s.Calls.List(ctx, &live.CallListParams{Include: []string{"conversation", "brand", "department"}, SortBy: "initiated_time", Order: "descending"})))
	require.Len(t, every, 4)
	assert.True(t, slices.IsSortedFunc(every, func(a, b live.Call) int { return b.CreatedAt.Compare(a.CreatedAt) }))
	for _, call := range every {
		for _, params := range []live.CallListParams{
			{Status: call.Status}, {ConversationIDs: []string{call.Conversation.ID}}, {BrandIDs: []string{call.Brand.ID}},
			{DepartmentIDs: []string{call.Department.ID}}, {From: call.CreatedAt, To: call.CreatedAt},
		} {
			some := must(t, of(s.Calls.List(ctx, &params)))
			assert.True(t, slices.ContainsFunc(some, func(c live.Call) bool { return c.ID == call.ID }), "%+v", params)
			assert.Less(t, len(some), len(every), "%+v", params)
			assert.Empty(t, cmp.Or(some[0].Brand.ID, some[0].Conversation.ID), "only what was asked for")
		}
		list, err := all(s.Calls.OfConversation(ctx, call.Conversation.ID, nil))
		assert.Len(t, mustHave[live.Call](t, list, err), 1)
		list, err = all(s.Calls.OfThread(ctx, call.Conversation.ID, strconv.Itoa(call.Conversation.ThreadNumber), nil))
		assert.Len(t, mustHave[live.Call](t, list, err), 1)
	}
	assert.Len(t, must(t, of(s.Calls.List(ctx, &live.CallListParams{AttenderIDs: []string{"operator202"}}))), 1)
	assert.Len(t, must(t, of(s.Calls.List(ctx, &live.CallListParams{Email: "guest0@work.example", VisitorType: "lead"}))), 1)
	assert.Empty(t, must(t, of(s.Calls.List(ctx, &live.CallListParams{Email: "guest0@work.example", VisitorType: "contact"}))))
	assert.Len(t, must(t, of(s.Calls.List(ctx, &live.CallListParams{Index: 3, Limit: 2}))), 1, "the index counts from 0")
}

func TestVisitsAndEventsAreReadForwardsAndBackwards(t *testing.T) {
	t.Parallel()
	_, s := start(t)
	ctx, first, last := t.Context(), time.Unix(1, 0), time.Now().Add(time.Hour)
	forwards, err := all(s.Visitors.EventsSince(ctx, first))
	events := mustHave[live.VisitorEvent](t, forwards, err)
	assert.Greater(t, len(events), 200, "more than a page")
	assert.True(t, slices.IsSortedFunc(events, func(a, b *live.VisitorEvent) int { return a.At.Compare(b.At) }))
	backwards, err := all(s.Visitors.EventsBefore(ctx, last))
	assert.Len(t, mustHave[live.VisitorEvent](t, backwards, err), len(events))
	visits, err := all(s.Visitors.VisitsSince(ctx, first))
	count := len(mustHave[live.Visit](t, visits, err))
	visits, err = all(s.Visitors.VisitsBefore(ctx, last))
	assert.Len(t, mustHave[live.Visit](t, visits, err), count)

	made := must(t, of(s.Visitors.Create(ctx, map[string]any{"name": "Bo Hill", "email": "bo@mail.example", "lead_score": 7})))
	got := must(t, of(s.Visitors.Get(ctx, made.ID)))
	assert.Equal(t, []any{"Bo Hill", "bo@mail.example", 7}, []any{got.Name, got.Email, got.LeadScore})
}

func TestVersionOneTellsTheSame(t *testing.T) {
	t.Parallel()
	server, s := start(t)
	ctx := t.Context()
	assert.Len(t, must(t, of(s.LegacyV1.Chats(ctx, nil))), len(server.Chats()))
	conversation := must(t, of(s.Conversations.Get(ctx, connected)))
	chat, _ := server.Chat(connected)
	lines := must(t, of(s.LegacyV1.Transcript(ctx, conversation.ReferenceID, nil)))
	assert.Equal(t, conversation.Question, lines[0].Question)
	require.Len(t, lines, 1+len(chat.Transcript))
	assert.Equal(t, chat.Transcript[0].Text, lines[1].Text)
	later := must(t, of(s.LegacyV1.Transcript(ctx, conversation.ReferenceID, &live.LegacyTranscriptParams{From: chat.Transcript[1].Timestamp, Limit: 1})))
	assert.Equal(t, chat.Transcript[1].Text, later[1].Text)

	everyone, err := all(s.LegacyV1.VisitorsByView(ctx, "-1"))
	assert.Len(t, mustHave[live.LegacyVisitor](t, everyone, err), len(server.Visitors()), "both pages")
	back, err := all(s.LegacyV1.VisitorsByView(ctx, "-2"))
	assert.Less(t, len(mustHave[live.LegacyVisitor](t, back, err)), len(server.Visitors()))
	for _, view := range []struct {
		comparator live.Comparator
		field      string
		values     []string
		holds      func(salesiq.Visitor) bool
	}{
		{live.IsEqualTo, "country", []string{"sweden", "JAPAN"}, func(v salesiq.Visitor) bool { return v.Country == "Sweden" || v.Country == "Japan" }},
		{live.NotEquals, "country", []string{"Sweden"}, func(v salesiq.Visitor) bool { return v.Country != "Sweden" }},
		{live.IsEqualTo, "browser", []string{"google_chrome"}, func(v salesiq.Visitor) bool { return strings.HasPrefix(v.Browser, "Chrome ") }},
		{live.IsEqualTo, "operating_system", []string{"microsoft_windows"}, func(v salesiq.Visitor) bool { return strings.HasPrefix(v.Platform, "Windows ") }},
		{live.GreaterThan, "leadscore", []string{"40"}, func(v salesiq.Visitor) bool { return v.LeadScore > 40 }},
		{live.LessThan, "number_of_visits", []string{"3"}, func(v salesiq.Visitor) bool { return v.TotalVisits < 3 }},
		{live.EndsWith, "email", []string{"@work.example"}, func(v salesiq.Visitor) bool { return strings.HasSuffix(v.Email, "@work.example") }},
		{live.NotContains, "landing_page_url", []string{"tents"}, func(v salesiq.Visitor) bool { return !strings.Contains(v.LandingPage, "tents") }},
		{live.IsEqualTo, "campaign_source", []string{"newsletter"}, func(salesiq.Visitor) bool { return false }},
	} {
		made := must(t, of(s.HistoryViews.Create(ctx, &live.HistoryViewCreate{Name: view.field, SortBy: "leadscore", All: []live.AnyOf{
			{Any: []live.Criterion{{Field: view.field, Comparator: view.comparator, Values: view.values}}},
			{Any: []live.Criterion{{Field: "visitor_type", Comparator: live.IsEqualTo, Values: []string{"all"}}}},
		}})))
		want := 0
		for _, visitor := range server.Visitors() {
			if view.holds(visitor) {
				want++
			}
		}
		got, err := all(s.LegacyV1.VisitorsByView(ctx, made.ID))
		shown, _ := must(t, of(got, err)).([]*live.LegacyVisitor)
		assert.Len(t, shown, want, "%s %s", view.field, view.comparator)
		assert.Less(t, want, len(server.Visitors()), "the view %s narrows", view.field)
		assert.True(t, slices.IsSortedFunc(shown, func(a, b *live.LegacyVisitor) int { return cmp.Compare(b.LeadScore, a.LeadScore) }), view.field)
		require.NoError(t, s.HistoryViews.Delete(ctx, made.ID))
		_, err = all(s.LegacyV1.VisitorsByView(ctx, made.ID))
		require.Error(t, err)
	}
	for _, wrong := range []live.Criterion{{Field: "mood", Comparator: live.Is}, {Field: "country", Comparator: "resembles"}} {
		_, err = s.HistoryViews.Create(ctx, &live.HistoryViewCreate{Name: "n", All: []live.AnyOf{{Any: []live.Criterion{wrong}}}})
		require.ErrorIs(t, err, salesiq.ErrInvalidRequest)
	}

	_, err = all(s.LegacyV1.VisitorsByView(ctx, "7"))
	failure := &salesiq.Error{}
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, 2210, failure.VendorCode)
}

// What has no criteria would be sent as null, and name nothing to compare.
func TestCriteriaThatCompareNothingAreRefused(t *testing.T) {
	t.Parallel()
	server, service := start(t)
	for _, row := range []struct {
		all  []live.AnyOf
		want string
	}{
		{nil, "and_criteria is required"},
		{[]live.AnyOf{}, "and_criteria is required"},
		{[]live.AnyOf{{}}, "and_criteria[0].or_criteria is required"},
		{[]live.AnyOf{criteria[0], {Any: []live.Criterion{}}}, "and_criteria[1].or_criteria is required"},
		{[]live.AnyOf{{Any: []live.Criterion{{Comparator: live.Is}}}}, "and_criteria[0].or_criteria[0].field_name is required"},
		{[]live.AnyOf{{Any: []live.Criterion{{Field: "country"}}}}, "and_criteria[0].or_criteria[0].comparator is required"},
	} {
		_, err := service.HistoryViews.Create(t.Context(), &live.HistoryViewCreate{Name: "n", All: row.all})
		require.ErrorIs(t, err, salesiq.ErrInvalidInput)
		assert.ErrorContains(t, err, "live.HistoryViews.Create: "+row.want)
		_, err = service.VisitorRouting.Create(t.Context(), &live.RoutingRuleWrite{All: row.all})
		assert.ErrorContains(t, err, row.want)
		_, err = service.Triggers.Create(t.Context(), &live.TriggerWrite{All: row.all, AppID: "a", Title: "t"})
		assert.ErrorContains(t, err, row.want)
		_, err = service.TrackingPresets.Create(t.Context(), &live.TrackingPresetWrite{
			Name: "n", Rule: live.Rings{One: criteria, Two: criteria, Three: row.all, Four: criteria},
		})
		assert.ErrorContains(t, err, strings.Replace(row.want, "and_criteria", "rule.ring_three", 1))
		if row.all != nil { // An update leaves them as they are.
			_, err = service.HistoryViews.Update(t.Context(), "-1", &live.HistoryViewUpdate{All: row.all})
			assert.ErrorContains(t, err, row.want)
		}
		lead := []live.LeadAnyOf{}
		for _, one := range row.all {
			lead = append(lead, live.LeadAnyOf(one))
		}
		_, err = service.LeadScoring.Create(t.Context(), &live.LeadRuleWrite{All: lead})
		assert.ErrorContains(t, err, strings.NewReplacer("and_", "AND_", "or_", "OR_").Replace(row.want))
	}
	assert.Empty(t, server.Journal(), "none is sent")

	// What is not known yet is sent as it is, without a null beside it.
	sent := live.AnyOf{Extra: map[string]json.RawMessage{"none_of": json.RawMessage(`[1]`)}}
	data, err := json.Marshal(sent)
	require.NoError(t, err)
	assert.JSONEq(t, `{"none_of":[1]}`, string(data))
	data, err = json.Marshal(live.Criterion{Field: "country", Comparator: "is_known"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"field_name":"country","comparator":"is_known"}`, string(data))
}

// A webhook that is not secured sends no signature.
func TestEventsOfAWebhookThatIsNotSecuredAreTakenUnsigned(t *testing.T) {
	t.Parallel()
	server, service := start(t)
	receiver, err := webhook.NewReceiver(webhook.Unsigned())
	require.NoError(t, err)
	var rated []int
	live.On(receiver, func(_ context.Context, e *live.ConversationRated) error {
		rated = append(rated, e.Rating)
		return nil
	})
	front := httptest.NewServer(receiver)
	t.Cleanup(front.Close)
	made, err := service.Webhooks.Create(t.Context(), &live.WebhookCreate{
		Type: live.DataWebhook, URL: front.URL, Events: []salesiq.EventName{live.EventConversationRated},
	})
	require.NoError(t, err)
	assert.Empty(t, made.PublicKeys)
	require.NoError(t, server.Emit(live.EventConversationRated, map[string]any{"id": "chat1009", "rating": 4}))
	require.NoError(t, server.Settle(t.Context()))
	assert.Equal(t, []int{4}, rated)
}
