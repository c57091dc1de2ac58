package salesiqtest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// page is what a test reads of a page of the live service.
type page struct {
	Data []struct {
		ID string `json:"id"`
	} `json:"data"`
	More *bool  `json:"more_data_available"`
	Next string `json:"next_key"`
}

func getPage(t *testing.T, s *salesiqtest.Server, path string) (p page) {
	t.Helper()
	a := get(t, s, path)
	require.NotContains(t, a.body, `"error"`, path)
	require.NoError(t, json.Unmarshal([]byte(a.body), &p), a.body)
	return p
}

func TestEachListTakesTheLimitsOfItsPage(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	for _, tt := range []struct {
		path      string
		low, high int
	}{
		{liveRoot + "/conversations?", 1, 99},
		{liveRoot + "/conversations?index=1&", 1, 100},
		{liveRoot + "/conversations/chat123/messages?", 1, 100},
		{liveRoot + "/conversations/chat123/threads?", 1, 50},
		{liveRoot + "/conversations/chat1009/calls?", 1, 10},
		{liveRoot + "/calls?", 1, 10},
		{liveRoot + "/feedbacks?", 1, 20},
		{liveRoot + "/operators?", 1, 20},
		{liveRoot + "/departments?", 1, 20},
		{liveRoot + "/articles?", 1, 99},
		{liveRoot + "/articlecategories?", 1, 99},
		{liveRoot + "/cannedresponses?", 1, 99},
		{liveRoot + "/blockedips?", 1, 100},
		{liveRoot + "/webhooks/webhook123/executions?", 5, 50},
		{"/api/v3/nordlicht/visitors?", 1, 200},
		{"/api/v3/nordlicht/visits?", 1, 200},
		{"/api/v3/nordlicht/visitorevents?", 1, 200},
	} {
		getPage(t, s, fmt.Sprintf("%slimit=%d", tt.path, tt.low))
		getPage(t, s, fmt.Sprintf("%slimit=%d", tt.path, tt.high))
		for _, limit := range []int{tt.low - 1, tt.high + 1} {
			path := fmt.Sprintf("%slimit=%d", tt.path, limit)
			assert.Equal(t, liveRefusal{Code: wrongValue, Param: "limit"}, liveRefusalIn(t, get(t, s, path)), path)
		}
	}
}

func TestALastPageSaysThatItIsTheLast(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	all := len(s.Chats())
	require.Greater(t, all, 100)
	for _, tt := range []struct {
		path  string
		items int
		more  bool
	}{
		{"/conversations", 20, true},
		{"/conversations?page=2&limit=50", 50, true},
		{fmt.Sprintf("/conversations?page=%d&limit=1", all-1), 1, true},
		{fmt.Sprintf("/conversations?page=%d&limit=1", all), 1, false},
		{fmt.Sprintf("/conversations?page=%d&limit=1", all+1), 0, false},
		{fmt.Sprintf("/conversations?index=%d&limit=2", all-2), 2, true},
		{fmt.Sprintf("/conversations?index=%d&limit=2", all-1), 2, false},
		{fmt.Sprintf("/conversations?index=%d&limit=2&fields=id", all-2), 2, true},
		{fmt.Sprintf("/conversations?index=%d&limit=2&fields=id", all-1), 2, false},
		{"/conversations/chat123/messages?limit=4", 4, true},
		{"/conversations/chat123/messages?limit=5", 5, false},
	} {
		p := getPage(t, s, liveRoot+tt.path)
		assert.Len(t, p.Data, tt.items, tt.path)
		require.NotNil(t, p.More, tt.path)
		assert.Equal(t, tt.more, *p.More, tt.path)
	}
	// The first index is 1, and 0 is taken for it; that of calls is 0.
	for _, path := range []string{"/conversations?", "/feedbacks?", "/operators?", "/departments?"} {
		whole := getPage(t, s, liveRoot+path+"limit=3").Data
		assert.Equal(t, whole, getPage(t, s, liveRoot+path+"limit=3&index=1").Data, path)
		assert.Equal(t, whole, getPage(t, s, liveRoot+path+"limit=3&index=0").Data, path)
		assert.Equal(t, whole[1:], getPage(t, s, liveRoot+path+"limit=2&index=2").Data, path)
	}
	calls := getPage(t, s, liveRoot+"/calls").Data
	assert.Equal(t, calls[:1], getPage(t, s, liveRoot+"/calls?limit=1&index=0").Data)
	assert.Equal(t, calls[1:2], getPage(t, s, liveRoot+"/calls?limit=1&index=1").Data)
}

func TestAPageDoesNotEndBetweenTwoOfTheSameMoment(t *testing.T) {
	t.Parallel()
	data := salesiqtest.Data{}
	for i := range 12 {
		at := time.Date(2026, time.May, 1+i/3, 9, 0, 0, 0, time.UTC) // Three a day.
		data.Visitors = append(data.Visitors, salesiq.Visitor{ID: fmt.Sprintf("visitor%d", i), LastVisit: at})
	}
	s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.WithoutDefaultData(), salesiqtest.WithData(data))
	const path = "/api/v3/nordlicht/visitors?limit="
	for limit, items := range map[int]int{1: 3, 3: 3, 4: 6} {
		p := getPage(t, s, path+fmt.Sprint(limit))
		assert.Len(t, p.Data, items, limit)
		next := getPage(t, s, path+"1&next_key="+p.Next)
		assert.Len(t, next.Data, 3)
		assert.Equal(t, data.Visitors[items].ID, next.Data[0].ID)
	}
}

// Views are of visitors, by criteria of which any holds in each condition.
func TestAViewShowsWhomItsCriteriaMatch(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.May, 1, 9, 0, 0, 0, time.UTC)
	s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.WithoutDefaultData(), salesiqtest.WithData(salesiqtest.Data{Visitors: []salesiq.Visitor{
		{ID: "0", Email: "ada@mail.example", Browser: "Chrome 140.0", Country: "Finland", LeadScore: 30, TotalVisits: 2, LastVisit: at.Add(2 * time.Hour)},
		{ID: "1", Email: "bo@work.example", Browser: "Firefox", Country: "Norway", LeadScore: 4, TotalVisits: 11, LastVisit: at.Add(time.Hour)},
		{ID: "2", Browser: "Mobile Safari", Country: "Finland", LeadScore: 200, TotalVisits: 7, LastVisit: at},
	}}))
	criterion := func(field, comparator, values string) string {
		return `{"field_name":"` + field + `","comparator":"` + comparator + `","values":["` + strings.ReplaceAll(values, " ", `","`) + `"]}`
	}
	anyOf := func(criteria ...string) string { return `{"or_criteria":[` + strings.Join(criteria, ",") + `]}` }
	shown := func(conditions, order string) (ids string) {
		a := do(t, s, s.AccessToken(), "POST", liveRoot+"/visitorhistoryviews", `{"name":"v`+fmt.Sprint(s.Stats().Processed)+`","and_criteria":[`+conditions+`],"sort_by":"`+order+`"}`)
		require.Contains(t, a.body, `"id"`)
		view := into[struct {
			ID string `json:"id"`
		}](t, a)
		for _, visitor := range into[struct {
			Visitors []struct {
				ID string `json:"user_uniqueid"`
			} `json:"visitorlist"`
		}](t, get(t, s, "/api/v1/nordlicht/visitorsview/"+view.ID+"/visitors")).Visitors {
			ids += visitor.ID
		}
		return ids
	}
	for _, tt := range []struct {
		field, comparator, values string
		want                      string
	}{
		{"country", "is_equal_to", "finland", "02"},
		{"country", "not_equals", "finland", "1"},
		{"country", "is_equal_to", "finland norway", "012"},
		{"browser", "is", "google_chrome", "0"},
		{"browser", "is_not", "google_chrome", "12"},
		{"browser", "is", "safari", ""},
		{"email", "begins_with", "BO", "1"},
		{"email", "ends_with", "mail.example", "0"},
		{"email", "contains", "example", "01"},
		{"email", "not_contains", "example", "2"},
		{"leadscore", "greater_than", "30", "2"},
		{"leadscore", "less_than", "30", "1"},
		{"number_of_visits", "greater_than", "6.5", "12"},
	} {
		assert.Equal(t, tt.want, shown(anyOf(criterion(tt.field, tt.comparator, tt.values)), "last_visit_time"), "%+v", tt)
	}
	finland, known := criterion("country", "is_equal_to", "finland"), criterion("email", "contains", "@")
	assert.Equal(t, "012", shown(anyOf(finland, known), "last_visit_time"))
	assert.Equal(t, "0", shown(anyOf(finland)+","+anyOf(known), "last_visit_time"))
	assert.Equal(t, "120", shown(anyOf(finland, known), "frequency"))
	assert.Equal(t, "201", shown(anyOf(finland, known), "leadscore"))
}

func TestAViewComesInPagesOfAHundred(t *testing.T) {
	t.Parallel()
	data := salesiqtest.Data{}
	for i := range 201 {
		data.Visitors = append(data.Visitors, salesiq.Visitor{ID: fmt.Sprintf("visitor%d", i)})
	}
	s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.WithoutDefaultData(), salesiqtest.WithData(data))
	for key, want := range map[string]struct {
		first, next string
		count       int
	}{
		"":         {"visitor0", "1207-101", 100},
		"1207-1":   {"visitor0", "1207-101", 100},
		"1207-101": {"visitor100", "1207-201", 100},
		"1207-102": {"visitor101", "", 100},
		"1207-201": {"visitor200", "", 1},
		"1207-999": {"", "", 0},
	} {
		a := get(t, s, "/api/v1/nordlicht/visitorsview/-1/visitors?startkey="+key)
		view := into[struct {
			Visitors []struct {
				ID string `json:"user_uniqueid"`
			} `json:"visitorlist"`
			Next string `json:"startkey"`
		}](t, a)
		require.Len(t, view.Visitors, want.count, key)
		assert.Equal(t, want.next, view.Next, key)
		if want.count > 0 {
			assert.Equal(t, want.first, view.Visitors[0].ID, key)
		}
	}
}

func TestVersionOneTellsAsMuchAsIsAsked(t *testing.T) {
	t.Parallel()
	chat := salesiq.Chat{ID: "chat1", Status: salesiq.ChatActive, OperatorID: "operator1"}
	at := time.Date(2026, time.May, 1, 9, 0, 0, 0, time.UTC)
	for i := range 60 {
		chat.Transcript = append(chat.Transcript, salesiq.Message{ID: fmt.Sprint(i), Text: fmt.Sprint(i), Timestamp: at.Add(time.Duration(i) * time.Minute)})
	}
	s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.WithoutDefaultData(), salesiqtest.WithData(salesiqtest.Data{Chats: []salesiq.Chat{chat, {ID: "chat2"}, {ID: "chat3"}}}))
	const chats = "/api/v1/nordlicht/chats"
	type line struct {
		ID   string `json:"chat_id"`
		Text string `json:"msg"`
	}
	assert.Len(t, into[[]line](t, get(t, s, chats)), 3)
	assert.Len(t, into[[]line](t, get(t, s, chats+"?limit=2")), 2)
	path := chats + "/" + into[[]line](t, get(t, s, chats))[0].ID + "/transcript"
	minute := func(i int) int64 { return at.Add(time.Duration(i) * time.Minute).UnixMilli() }
	for query, want := range map[string][]string{ // The first line is about the chat.
		"":                                      {"0", "49"},
		"?limit=1":                              {"0", "0"},
		"?limit=2":                              {"0", "1"},
		fmt.Sprintf("?fromtime=%d", minute(58)): {"58", "59"},
		fmt.Sprintf("?totime=%d", minute(1)):    {"0", "1"},
		fmt.Sprintf("?fromtime=%d&totime=%d", minute(3), minute(7)): {"3", "7"},
	} {
		lines := into[[]line](t, get(t, s, path+query))
		assert.Equal(t, want, []string{lines[1].Text, lines[len(lines)-1].Text}, query)
	}
	for _, limit := range []string{"0", "x"} {
		assert.Equal(t, liveRefusal{Code: wrongValue, Param: "limit"}, liveRefusalIn(t, get(t, s, chats+"?limit="+limit)), limit)
		assert.Equal(t, liveRefusal{Code: wrongValue, Param: "limit"}, liveRefusalIn(t, get(t, s, path+"?limit="+limit)), limit)
	}
}

func TestAFeedbackIsWhatAChatWasRated(t *testing.T) {
	t.Parallel()
	data := salesiqtest.Data{Operators: []salesiq.Operator{{ID: "operator1", Name: "Ida Falk", Email: "ida@work.example"}}}
	for stars := range 6 {
		chat := salesiq.Chat{ID: fmt.Sprint("chat", stars), OperatorID: "operator1", Status: salesiq.ChatEnded, Transcript: make([]salesiq.Message, stars)}
		chat.VisitorInfo = salesiq.VisitorInfo{Name: "Bo Long Name"}
		if stars > 0 {
			chat.Rating = &stars
		}
		if stars > 3 {
			chat.Feedback, chat.OperatorID = new("Quick"), ""
		}
		data.Chats = append(data.Chats, chat)
	}
	s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.WithoutDefaultData(), salesiqtest.WithData(data))
	type feedback struct {
		ID     string `json:"id"`
		Text   string `json:"feedback"`
		Rating struct {
			Value string `json:"value"`
		} `json:"rating"`
		Attender struct {
			ID    string `json:"id"`
			Name  string `json:"display_name"`
			Email string `json:"email"`
		} `json:"attender"`
		Visitor struct {
			First string `json:"first_name"`
			Last  string `json:"last_name"`
		} `json:"visitor"`
		Count        string `json:"chatlet_count"`
		Conversation struct {
			HasNotes string `json:"notes_available"`
		} `json:"conversation"`
	}
	require.NotContains(t, do(t, s, s.AccessToken(), "POST", liveRoot+"/conversations/chat2/notes", `{"notes":"Late"}`).body, `"error"`)
	var got []string
	all := into[[]feedback](t, get(t, s, liveRoot+"/feedbacks"))
	for _, f := range all {
		got = append(got, strings.Join([]string{f.Rating.Value, f.Text, f.Attender.ID, f.Attender.Name, f.Attender.Email, f.Visitor.First, f.Visitor.Last, f.Count, f.Conversation.HasNotes}, "|"))
		assert.Equal(t, f, into[feedback](t, get(t, s, liveRoot+"/feedbacks/"+f.ID)))
	}
	assert.Equal(t, []string{
		"sad||operator1|Ida Falk|ida@work.example|Bo|Long Name|1|false",
		"sad||operator1|Ida Falk|ida@work.example|Bo|Long Name|2|true",
		"neutral||operator1|Ida Falk|ida@work.example|Bo|Long Name|3|false",
		"happy|Quick||||Bo|Long Name|4|false",
		"happy|Quick||||Bo|Long Name|5|false",
	}, got)
}
