package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata" // Not every machine has them.

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

var noon = time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)

// message is one so many seconds after noon.
func message(sender salesiq.SenderType, seconds int) salesiq.Message {
	return salesiq.Message{SenderType: sender, Timestamp: noon.Add(time.Duration(seconds) * time.Second)}
}

// sampleChats cover all that a chat may or may not tell.
func sampleChats() []salesiq.Chat {
	const visitor, operator = salesiq.SenderVisitor, salesiq.SenderOperator
	return []salesiq.Chat{
		{
			ID: "chat1", Status: salesiq.ChatEnded, StartedAt: noon, Duration: 100, Rating: new(5), OperatorID: "operator1", DepartmentID: "dept1",
			Transcript: []salesiq.Message{message(visitor, 1), message(operator, 10), message(operator, 20)},
		},
		{
			ID: "chat2", Status: salesiq.ChatEnded, StartedAt: noon, Duration: 300, OperatorID: "operator1", DepartmentID: "dept2",
			Transcript: []salesiq.Message{message(operator, 40), message(operator, 30)}, // Out of order.
		},
		{ID: "chat3", Status: salesiq.ChatActive, StartedAt: noon, OperatorID: "operator2", Rating: new(2), Transcript: []salesiq.Message{message(visitor, 1)}},
		{ID: "chat4", Status: salesiq.ChatMissed, StartedAt: noon.AddDate(0, 0, -1)},
		{ID: "chat5", Status: "parked", StartedAt: noon.AddDate(0, 0, -1)},
	}
}

func sampleReport() *report {
	r := newReport(noon.AddDate(0, 0, -2), noon)
	for _, chat := range sampleChats() {
		r.add(&chat)
	}
	r.name(names{operators: map[string]string{"operator1": "<b>Åsa & Co"}, departments: map[string]string{"dept1": "=Sales"}})
	return r
}

func TestFiguresAreRight(t *testing.T) {
	t.Parallel()
	r := sampleReport()
	assert.Equal(t, 5, r.Chats)
	assert.Equal(t, 1, r.Missed)
	assert.Equal(t, 6, r.Messages)
	assert.InDelta(t, 200, *r.AverageDuration, 0, "only chats that have a duration count")
	assert.InDelta(t, 20, *r.AverageResponse, 0, "the first answers came after 10 and 30 seconds")
	assert.InDelta(t, 3.5, *r.AverageRating, 0, "only chats that were rated count")
	assert.Equal(t, []groupCount{{"ended", "ended", 2}, {"active", "active", 1}, {"missed", "missed", 1}, {"parked", "parked", 1}}, r.ByStatus)
	assert.Equal(t, []groupCount{{"operator1", "<b>Åsa & Co", 2}, {"operator2", "operator2", 1}}, r.ByOperator)
	assert.Equal(t, []groupCount{{"dept1", "=Sales", 1}, {"dept2", "dept2", 1}}, r.ByDepartment)
	assert.Equal(t, []groupCount{{"5", "5 of 5", 1}, {"2", "2 of 5", 1}}, r.ByRating)
	assert.Equal(t, []groupCount{{"2026-03-29", "29 Mar", 0}, {"2026-03-30", "30 Mar", 2}, {"2026-03-31", "31 Mar", 3}}, r.ByDay)
}

func TestNoChatsAreNoAverage(t *testing.T) {
	t.Parallel()
	r := newReport(noon.AddDate(0, 0, -2), noon)
	r.name(names{})
	assert.Nil(t, r.AverageDuration)
	assert.Nil(t, r.AverageResponse)
	assert.Nil(t, r.AverageRating)
	for format, write := range formats {
		var out bytes.Buffer
		require.NoError(t, write(&out, r), format)
		assert.NotContains(t, out.String(), "NaN", format)
	}
}

func TestADurationBeyondReasonIsNoObstacle(t *testing.T) {
	t.Parallel()
	r := newReport(noon.AddDate(0, 0, -2), noon)
	for range 2 {
		r.add(&salesiq.Chat{StartedAt: noon, Duration: math.MaxFloat64})
	}
	r.name(names{})
	for format, write := range formats {
		var out bytes.Buffer
		require.NoError(t, write(&out, r), format)
		assert.NotContains(t, out.String(), "Inf", format)
		assert.NotContains(t, out.String(), "-2562047h", format)
	}
}

func TestEveryFormatHoldsTheReport(t *testing.T) {
	t.Parallel()
	outputs := map[string]string{}
	for format, write := range formats {
		var out bytes.Buffer
		require.NoError(t, write(&out, sampleReport()), format)
		outputs[format] = out.String()
	}
	assert.Contains(t, outputs["table"], "Average duration                  3 min 20 s\n")

	var decoded map[string]any
	require.NoError(t, json.Unmarshal([]byte(outputs["json"]), &decoded))
	assert.InDelta(t, 200, decoded["avg_duration"], 0)
	assert.Len(t, decoded["by_status"], 4)

	rows, err := csv.NewReader(strings.NewReader(outputs["csv"])).ReadAll()
	require.NoError(t, err)
	assert.Contains(t, rows, []string{"summary", "avg_rating", "Average rating", "3.50"})
	assert.Contains(t, rows, []string{"department", "dept1", "'=Sales", "1"}, "no spreadsheet takes it for a formula")
	assert.Contains(t, rows, []string{"day", "2026-03-30", "30 Mar", "2"})

	page := outputs["html"]
	assert.Equal(t, 10, strings.Count(page, "<svg"), "five charts, each for a desk and for a phone")
	assert.NotContains(t, page, "<b>Åsa", "names are no markup, in charts neither")
	assert.Contains(t, page, "&lt;b&gt;Åsa &amp; Co")
	assert.NotContains(t, page, "&amp;lt;", "nor are they escaped twice")
	for _, elsewhere := range []string{"<script", "<link", "src=", "@import", "url("} {
		assert.NotContains(t, page, elsewhere, "the page needs nothing from elsewhere")
	}
}

func TestReportOverAnAccountChangesNothing(t *testing.T) { // It sets the environment.
	server := salesiqtest.Start(t)
	for _, line := range server.Environment() {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, 30, "json"))
	var got report
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))

	since, want, missed := time.Now().AddDate(0, 0, -30), 0, 0
	for _, chat := range server.Chats() {
		if !chat.StartedAt.Before(since) {
			want++
			if chat.Status == salesiq.ChatMissed {
				missed++
			}
		}
	}
	assert.Equal(t, want, got.Chats)
	assert.Equal(t, missed, got.Missed)
	for _, group := range append(got.ByOperator, got.ByDepartment...) {
		assert.NotEqual(t, group.ID, group.Name, "names were looked up")
	}
	assert.Empty(t, server.Journal(), "nothing was written")
	require.Error(t, run(t.Context(), &out, 30, "pdf"))
	require.Error(t, run(t.Context(), &out, 0, "json"))
}

func TestFreePlanIsEnough(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := salesiqtest.Data{}
		for i := range 4000 {
			data.Chats = append(data.Chats, salesiq.Chat{ID: fmt.Sprintf("chat-%d", i), Status: salesiq.ChatEnded, StartedAt: time.Now().Add(-time.Hour)})
		}
		server := salesiqtest.Start(t, salesiqtest.InMemory(), salesiqtest.WithPlan(salesiq.Free()),
			salesiqtest.WithoutDefaultData(), salesiqtest.WithData(data))
		began := time.Now()
		r, err := collect(t.Context(), server.Client(t), began.AddDate(0, 0, -30), began)
		require.NoError(t, err)
		assert.Equal(t, 4000, r.Chats)
		assert.Zero(t, server.Stats().Refused[salesiq.ErrRateLimitExceeded])
		assert.Less(t, time.Since(began), 6*time.Minute, "42 calls take five windows")
	})
}

// peak is how much memory a report over so many pages takes at most.
func peak(t *testing.T, pages int) uint64 {
	t.Helper()
	text := strings.Repeat("How long is a piece of string? ", 20)
	var most atomic.Uint64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page")) // 0 for lists of names.
		chats := []map[string]any{}
		if strings.HasSuffix(r.URL.Path, "/chats") {
			for i := range 100 {
				chats = append(chats, map[string]any{
					"id": fmt.Sprintf("chat%d", page*100+i), "status": "ended", "started_at": noon, "duration": 60,
					"transcript": []map[string]any{{"sender_type": "operator", "message": text, "timestamp": noon}},
				})
			}
		}
		if page%40 == 0 {
			var memory runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&memory)
			most.Store(max(most.Load(), memory.HeapAlloc))
		}
		w.Header().Set("Content-Type", "application/json")
		assert.NoError(t, json.NewEncoder(w).Encode(map[string]any{
			"status": "success", "data": chats, "pagination": map[string]int{"page": page, "per_page": 100, "total": pages * len(chats)},
		}))
	}))
	defer server.Close()
	client, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithBaseURL(server.URL))
	require.NoError(t, err)
	r, err := collect(t.Context(), client, noon.AddDate(0, 0, -30), noon)
	require.NoError(t, err)
	require.Equal(t, pages*100, r.Chats)
	return most.Load()
}

func TestMoreChatsTakeNoMoreMemory(t *testing.T) { // Not parallel: others would be measured as well.
	few, many := peak(t, 80), peak(t, 800)
	const underWay = 16 << 20 // What the pages that are read ahead may make of a difference.
	assert.Less(t, many, few+underWay, "72,000 more chats, of 43 MB of text in all, were not kept")
}

func TestDaysSurviveTheChangeOfClocks(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	to := time.Date(2026, 4, 28, 2, 30, 0, 0, berlin)
	r := newReport(to.AddDate(0, 0, -30), to) // At half past two, which that day did not have.
	r.add(&salesiq.Chat{StartedAt: to})
	r.name(names{})
	require.Len(t, r.ByDay, 31)
	assert.Equal(t, groupCount{"2026-03-29", "29 Mar", 0}, r.ByDay[0])
	assert.Equal(t, groupCount{"2026-04-28", "28 Apr", 1}, r.ByDay[30])
}

func TestDaysStandBelowTheirColumns(t *testing.T) {
	t.Parallel()
	label := regexp.MustCompile(`<text x="(\d+)"[^>]*>(\d+ \w{3})</text>`)
	column := regexp.MustCompile(`d="M (\d+) \d+\nL (\d+) \d+\nL `)
	for _, days := range []int{7, 30, 90, 365} {
		for _, size := range []size{full, phone} {
			r := newReport(noon.AddDate(0, 0, -days), noon)
			for i := range days + 1 {
				r.add(&salesiq.Chat{StartedAt: noon.AddDate(0, 0, -i)})
			}
			r.name(names{})
			svg, err := drawDays(size, r.ByDay)
			require.NoError(t, err)
			columns := column.FindAllStringSubmatch(string(svg), -1)
			columns = columns[len(columns)-len(r.ByDay):]
			labels := label.FindAllStringSubmatch(string(svg), -1)
			require.NotEmpty(t, labels)
			number := func(text string) int {
				n, err := strconv.Atoi(text)
				require.NoError(t, err)
				return n
			}
			for _, l := range labels {
				i := slices.IndexFunc(r.ByDay, func(g groupCount) bool { return g.Name == l[2] })
				middle := (number(columns[i][1]) + number(columns[i][2])) / 2
				assert.InDelta(t, middle, number(l[1])+23, 12, "%s of %d days", l[2], days) // It is some 46 wide.
			}
			for i := range len(labels) - 1 {
				assert.Less(t, number(labels[i][1])+46, number(labels[i+1][1]), "labels of %d days do not touch", days)
			}
		}
	}
}

// A phone shows 321 pixels of a panel, so that what is drawn 320 wide is as large
// there as it is drawn.
func TestChartsForAPhoneAreAsLargeAsTheyAreSeen(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, writeHTML(&out, sampleReport()))
	sizes := regexp.MustCompile(`<div class="narrow"><svg[^>]*viewBox="0 0 (\d+) `).FindAllStringSubmatch(out.String(), -1)
	require.Len(t, sizes, 5)
	for _, found := range sizes {
		assert.Equal(t, "320", found[1])
	}
	assert.NotRegexp(t, `font-size:\s*(\d|10)(\.\d+)?px`, out.String(), "no letters that are too small")
}

func TestNumbersReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	r := newReport(noon.AddDate(0, 0, -2), noon)
	for i := range 2345 {
		r.add(&salesiq.Chat{Status: []salesiq.ChatStatus{salesiq.ChatEnded, salesiq.ChatMissed, salesiq.ChatMissed}[i%3], StartedAt: noon, Duration: 1275, OperatorID: "operator1"})
	}
	r.name(names{})
	for _, format := range []string{"table", "html"} {
		var out bytes.Buffer
		require.NoError(t, formats[format](&out, r))
		assert.Contains(t, out.String(), "2,345", format)
		assert.NotContains(t, out.String(), "2345", format)
		assert.Contains(t, out.String(), "21 min 15 s", format)
		assert.NotRegexp(t, `\d\.\d+%`, out.String(), format)
	}
	for _, format := range []string{"json", "csv"} {
		var out bytes.Buffer
		require.NoError(t, formats[format](&out, r))
		assert.Contains(t, out.String(), "2345", "programs read plain numbers")
	}
}

func TestTheEmulatorsMonthIsSpreadOverItsDays(t *testing.T) {
	for _, name := range []string{"ZOHO_REFRESH_TOKEN", "SALESIQ_BASE_URL", "SALESIQ_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, 30, "json"))
	var r report
	require.NoError(t, json.Unmarshal(out.Bytes(), &r))
	require.Len(t, r.ByDay, 31)
	for _, day := range r.ByDay[1:] {
		assert.Positive(t, day.Chats, day.ID)
		assert.Less(t, day.Chats, r.Chats/10, "%s has less than a tenth of all chats", day.ID)
	}
}

func TestTheAxisEndsInRoundNumbers(t *testing.T) {
	t.Parallel()
	for most, want := range map[float64]float64{0: 4, 1: 4, 4: 4, 5: 8, 23: 24, 45: 60, 98: 100, 801: 1000} {
		assert.InDelta(t, want, roundTop([]float64{most, 0}), 0, most)
	}
}
