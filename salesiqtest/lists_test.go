package salesiqtest_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

func TestPagesCoverEveryChatOnce(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	seen := map[string]bool{}
	for chat, err := range s.Client(t).Chats.All(t.Context(), &salesiq.ChatListParams{PerPage: 7}) {
		require.NoError(t, err)
		assert.False(t, seen[chat.ID], chat.ID)
		seen[chat.ID] = true
	}
	assert.Len(t, seen, len(s.Chats()))
}

func TestListedChatsHaveNoTranscriptsOnRequest(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.WithoutListedTranscripts())
	client := s.Client(t)
	page, err := client.Chats.List(t.Context(), &salesiq.ChatListParams{VisitorID: "visitor123"})
	require.NoError(t, err)
	listed := page.Items[0]
	assert.Nil(t, listed.Transcript)
	chat, err := client.Chats.Get(t.Context(), listed.ID)
	require.NoError(t, err)
	assert.NotEmpty(t, chat.Transcript)
	chat.Transcript = nil
	assert.Equal(t, *chat, listed, "all else is there")
	for result := range client.Chats.Transcripts(t.Context(), client.Chats.All(t.Context(), &salesiq.ChatListParams{VisitorID: "visitor123"})) {
		require.NoError(t, result.Err)
		assert.NotNil(t, result.Chat.Transcript)
	}
	s.Reset()
	page, err = client.Chats.List(t.Context(), nil)
	require.NoError(t, err)
	assert.Nil(t, page.Items[0].Transcript)
}

func TestPagingSaysWhatItDid(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	total := len(s.Chats())
	chats := s.Client(t).Chats
	page, err := chats.List(t.Context(), nil)
	require.NoError(t, err)
	assert.Len(t, page.Items, 50, "the specification's default")
	assert.Equal(t, []int{1, 50, total}, []int{page.Number, page.PerPage, page.Total})
	page, err = chats.List(t.Context(), &salesiq.ChatListParams{Page: 3, PerPage: 100})
	require.NoError(t, err)
	assert.Len(t, page.Items, total-200)
	page, err = chats.List(t.Context(), &salesiq.ChatListParams{Page: 4, PerPage: 100})
	require.NoError(t, err)
	assert.Empty(t, page.Items)
	assert.Contains(t, get(t, s, "/api/v2/chats?page=99").body, `"data":[]`, "an empty page is a list")
}

func TestFiltersLetThroughWhatTheySay(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	client := s.Client(t)
	for _, params := range []salesiq.ChatListParams{
		{Status: salesiq.ChatActive},
		{Status: salesiq.ChatMissed},
		{OperatorID: "operator123"},
		{DepartmentID: "dept790"},
		{VisitorID: "visitor123"},
		{Status: salesiq.ChatEnded, OperatorID: "operator123", DepartmentID: "dept790"},
		{FromDate: time.Now().Add(-time.Hour)},
		{FromDate: time.Now().AddDate(0, 0, -20), ToDate: time.Now().AddDate(0, 0, -10)},
	} {
		want := map[string]bool{}
		for _, chat := range s.Chats() {
			if (params.Status == "" || chat.Status == params.Status) &&
				(params.OperatorID == "" || chat.OperatorID == params.OperatorID) &&
				(params.DepartmentID == "" || chat.DepartmentID == params.DepartmentID) &&
				(params.VisitorID == "" || chat.VisitorID == params.VisitorID) &&
				(params.FromDate.IsZero() || !chat.StartedAt.Before(params.FromDate)) &&
				(params.ToDate.IsZero() || !chat.StartedAt.After(params.ToDate)) {
				want[chat.ID] = true
			}
		}
		got := map[string]bool{}
		for chat, err := range client.Chats.All(t.Context(), &params) {
			require.NoError(t, err)
			got[chat.ID] = true
		}
		assert.Equal(t, want, got, "%+v", params)
		assert.NotEmpty(t, want, "%+v", params)
		assert.Less(t, len(want), len(s.Chats()), "%+v", params)
	}
	operators, err := client.Operators.List(t.Context(), &salesiq.OperatorListParams{
		Status: salesiq.OperatorOnline, Availability: salesiq.OperatorAvailable, Role: salesiq.RoleAgent, DepartmentID: "dept790",
	})
	require.NoError(t, err)
	ids := []string{}
	for _, operator := range operators.Items {
		ids = append(ids, operator.ID)
	}
	assert.Equal(t, []string{"operator123", "operator789"}, ids)
}

func TestSearchLooksAtNameEmailAndCompany(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.WithoutDefaultData(), salesiqtest.WithData(salesiqtest.Data{Visitors: []salesiq.Visitor{
		{ID: "visitor1", Name: "Zoë Ångström"},
		{ID: "visitor2", Email: "ZOE@mail.example"},
		{ID: "visitor3", Company: "Tents & More"},
	}}))
	for search, want := range map[string][]string{
		"zoë": {"visitor1"}, "ångs": {"visitor1"}, "zoe@MAIL": {"visitor2"}, "& m": {"visitor3"}, "nobody": {}, "": {"visitor1", "visitor2", "visitor3"},
	} {
		got := []string{}
		for _, visitor := range into[[]salesiq.Visitor](t, get(t, s, "/api/v2/visitors?search="+url.QueryEscape(search))) {
			got = append(got, visitor.ID)
		}
		assert.Equal(t, want, got, search)
	}
}

func TestDatesOfAllClientsAreUnderstood(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 31, 8, 30, 0, 0, time.UTC)
	s := salesiqtest.Start(t, salesiqtest.WithoutDefaultData(), salesiqtest.WithData(salesiqtest.Data{
		Chats: []salesiq.Chat{{ID: "chat1", StartedAt: at}},
	}))
	for _, c := range []struct {
		name, from, to string
		found          bool
	}{
		{"RFC 3339", "2026-01-31T08:30:00Z", "2026-01-31T08:30:00Z", true},
		{"JavaScript's toISOString", "2026-01-31T08:30:00.000Z", "2026-01-31T08:30:00.001Z", true},
		{"another zone", "2026-01-31T10:30:00%2B02:00", "", true},
		{"a plus that nobody escaped", "2026-01-31T10:30:00+02:00", "", true},
		{"another zone, too late", "2026-01-31T10:30:01%2B02:00", "", false},
		{"Python's isoformat with microseconds", "2026-01-31T08:29:59.999999", "2026-01-31T08:30:00.000001", true},
		{"Python's isoformat without a fraction", "2026-01-31T08:30:00", "", true},
		{"a day", "2026-01-31", "2026-01-31", true},
		{"the day before", "", "2026-01-30", false},
		{"the day after", "2026-02-01", "", false},
	} {
		a := get(t, s, fmt.Sprintf("/api/v2/chats?from_date=%s&to_date=%s", c.from, c.to))
		require.Equal(t, 200, a.status, "%s: %s", c.name, a.body)
		assert.Equal(t, c.found, len(into[[]salesiq.Chat](t, a)) == 1, c.name)
	}
}

func TestBadParametersAreNamed(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	for path, field := range map[string]string{
		"/api/v2/chats?page=0":                                  "page",
		"/api/v2/chats?page=-1":                                 "page",
		"/api/v2/chats?page=one":                                "page",
		"/api/v2/chats?per_page=0":                              "per_page",
		"/api/v2/chats?per_page=101":                            "per_page",
		"/api/v2/chats?status=open":                             "status",
		"/api/v2/chats?from_date=yesterday":                     "from_date",
		"/api/v2/chats?to_date=2026-13-01":                      "to_date",
		"/api/v2/chats?from_date=2026-02-01&to_date=2026-01-01": "to_date",
		"/api/v2/visitors?status=away":                          "status",
		"/api/v2/operators?status=waiting":                      "status",
		"/api/v2/operators?role=boss":                           "role",
		"/api/v2/operators?availability=maybe":                  "availability",
		"/api/v2/operators/operator123/stats?from_date=x":       "from_date",
		"/api/v2/brands?per_page=1000":                          "per_page",
		"/api/v2/routing/rules?page=x":                          "page",
		"/api/v2/webhooks?page=x":                               "page",
		"/api/v2/brands/brand123/departments?per_page=-5":       "per_page",
	} {
		a := get(t, s, path)
		assert.Equal(t, 400, a.status, path)
		r := a.refusal(t)
		assert.Equal(t, "INVALID_REQUEST", r.Code, path)
		assert.Equal(t, field, r.Details["field"], path)
		assert.NotEmpty(t, r.Message, path)
	}
}
