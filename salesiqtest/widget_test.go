package salesiqtest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// browser does what the widget's script does in a page.
type browser struct {
	t      *testing.T
	server *salesiqtest.Server
	key    string
}

type widgetChat struct {
	ID       string             `json:"chat_id"`
	Status   salesiq.ChatStatus `json:"status"`
	Operator string             `json:"operator"`
	Messages []salesiq.Message  `json:"messages"`
}

func (b browser) do(method, path, body string, out any) int {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), method, b.server.URL+path, strings.NewReader(body))
	require.NoError(b.t, err)
	request.Header.Set("Origin", "https://shop.example")
	response, err := b.server.HTTPClient().Do(request)
	require.NoError(b.t, err)
	defer response.Body.Close()
	assert.Equal(b.t, "*", response.Header.Get("Access-Control-Allow-Origin"), path)
	data, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	if out != nil {
		require.NoError(b.t, json.Unmarshal(data, &struct{ Data any }{out}))
	}
	return response.StatusCode
}

func (b browser) tell(path, members string, out any) {
	b.t.Helper()
	body := `{"visitor":"` + b.key + `","code":"siq1","page":"https://shop.example/tents"` + members + `}`
	require.Equal(b.t, http.StatusOK, b.do(http.MethodPost, path, body, out))
}

func newBrowser(t *testing.T) (browser, *salesiqtest.Server) {
	t.Helper()
	server := salesiqtest.Start(t)
	return browser{t, server, "key1"}, server
}

func TestWidgetScriptIsServedToAnyPage(t *testing.T) {
	t.Parallel()
	_, server := newBrowser(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/widget?wc=siq1", http.NoBody)
	require.NoError(t, err)
	response, err := server.HTTPClient().Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, http.StatusOK, response.StatusCode)
	assert.Equal(t, "text/javascript; charset=utf-8", response.Header.Get("Content-Type"))
	assert.Equal(t, "no-store", response.Header.Get("Cache-Control"))
	assert.Equal(t, "nosniff", response.Header.Get("X-Content-Type-Options"))
	for _, call := range [][2]string{{"OPTIONS", "/widget/say"}, {"GET", "/widget/chat?visitor=nobody"}} {
		a := do(t, server, "", call[0], call[1], "")
		assert.Equal(t, "*", a.header.Get("Access-Control-Allow-Origin"), call)
		assert.Equal(t, "Content-Type", a.header.Get("Access-Control-Allow-Headers"), call)
	}
	script, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	for _, unfit := range []string{"eval(", "innerHTML", `setAttribute("style"`, "https://"} {
		assert.NotContains(t, string(script), unfit, "under a strict policy, or offline, this fails")
	}
}

func TestWidgetCallsMakeAVisitorKnown(t *testing.T) {
	t.Parallel()
	b, server := newBrowser(t)
	var shown struct {
		Brand  salesiq.Brand `json:"brand"`
		Chat   widgetChat    `json:"chat"`
		HasBot *bool         `json:"has_bot"`
	}
	b.tell("/widget/visits", `,"language":"sv-SE","referrer":"https://search.example/","timezone":"Europe/Stockholm","screen_resolution":"390x844"`, &shown)
	assert.Equal(t, "Nordlicht Outdoor", shown.Brand.Name)
	assert.Empty(t, shown.Chat.ID)
	assert.NotNil(t, shown.Chat.Messages)
	assert.False(t, *shown.HasBot)
	for _, call := range []string{
		`"function":"visitor.name","args":["Åsa </script>"]`,
		`"function":"visitor.email","args":["asa@post.example"]`,
		`"function":"visitor.phone","args":["+46-1"]`,
		`"function":"visitor.contactnumber","args":["+46-2"]`,
		`"function":"visitor.info","args":[{"Plan":"trial"}]`,
		`"function":"visitor.info","args":[{"Seats":3}]`,
		`"function":"visitor.name","args":[7]`,
		`"function":"floatwindow.open","args":[]`,
		`"function":"tracking.pageview","args":["https://shop.example/boots"]`,
	} {
		b.tell("/widget/calls", ","+call, nil)
	}

	calls := server.WidgetCalls()
	require.Len(t, calls, 9)
	assert.Equal(t, "visitor.name", calls[0].Function)
	assert.Equal(t, []any{"Åsa </script>"}, calls[0].Args)
	assert.Equal(t, "siq1", calls[0].Code)
	assert.Equal(t, "https://shop.example/tents", calls[0].Page)
	visitor, ok := server.Visitor(calls[0].VisitorID)
	require.True(t, ok)
	assert.Equal(t, "Åsa </script>", visitor.Name)
	assert.Equal(t, "asa@post.example", visitor.Email)
	assert.Equal(t, "+46-2", visitor.Phone)
	assert.Equal(t, []string{"sv-SE", "https://search.example/", "Europe/Stockholm", "390x844"},
		[]string{visitor.Language, visitor.Referrer, visitor.Timezone, visitor.ScreenResolution})
	assert.Equal(t, map[string]any{"Plan": "trial", "Seats": 3.0}, visitor.CustomFields)
	assert.Equal(t, "https://shop.example/boots", visitor.CurrentPage)
	assert.Equal(t, 1, visitor.PagesVisited)

	server.Reset()
	assert.Empty(t, server.WidgetCalls())
}

func TestWhatTheWidgetSaysIsAChatThatAnOperatorAnswers(t *testing.T) {
	t.Parallel()
	b, server := newBrowser(t)
	client := server.Client(t)
	b.tell("/widget/calls", `,"function":"visitor.name","args":["Åsa"]`, nil)
	b.tell("/widget/calls", `,"function":"chat.department","args":["Rentals"]`, nil)
	b.tell("/widget/calls", `,"function":"chat.department","args":["Nowhere"]`, nil)
	var begun, seen widgetChat
	b.tell("/widget/say", `,"message":"Hej!"`, &begun)
	b.tell("/widget/say", `,"message":"Anyone?"`, &seen)
	assert.Equal(t, begun.ID, seen.ID)
	assert.Equal(t, salesiq.ChatWaiting, seen.Status)

	chat, err := client.Chats.Get(t.Context(), begun.ID)
	require.NoError(t, err)
	assert.Equal(t, "Åsa", chat.VisitorInfo.Name)
	assert.Equal(t, "dept791", chat.DepartmentID)
	require.Len(t, chat.Transcript, 2)
	assert.Equal(t, "Anyone?", chat.Transcript[1].Text)
	assert.Equal(t, salesiq.SenderVisitor, chat.Transcript[1].SenderType)

	_, err = client.Chats.Transfer(t.Context(), chat.ID, &salesiq.ChatTransfer{OperatorID: "operator456"})
	require.NoError(t, err)
	_, err = client.Chats.SendMessage(t.Context(), chat.ID, salesiq.TextMessage("Hello, Åsa"))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, b.do(http.MethodGet, "/widget/chat?visitor=key1", "", &seen))
	assert.Equal(t, salesiq.ChatActive, seen.Status)
	assert.Equal(t, "Greta Sommer", seen.Operator)
	require.Len(t, seen.Messages, 3)
	assert.Equal(t, "Hello, Åsa", seen.Messages[2].Text)

	_, err = client.Chats.End(t.Context(), chat.ID, nil)
	require.NoError(t, err)
	b.tell("/widget/say", `,"message":"One more thing"`, &seen)
	assert.NotEqual(t, begun.ID, seen.ID, "an ended chat stays ended")
	assert.Len(t, seen.Messages, 1)
}

func TestWidgetRefusesWhatNoBrowserSends(t *testing.T) {
	t.Parallel()
	b, _ := newBrowser(t)
	assert.Equal(t, http.StatusBadRequest, b.do(http.MethodPost, "/widget/say", `{}`, nil))
	assert.Equal(t, http.StatusBadRequest, b.do(http.MethodPost, "/widget/calls", `{"visitor":"key1"}`, nil))
	assert.Equal(t, http.StatusNotFound, b.do(http.MethodGet, "/widget/chat?visitor=nobody", "", nil))
	assert.Equal(t, http.StatusNoContent, b.do(http.MethodOptions, "/widget/say", "", nil))
}
