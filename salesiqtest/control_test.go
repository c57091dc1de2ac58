package salesiqtest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

func TestOtherLanguagesCanInjectFaults(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	for body, status := range map[string]int{
		`{"path":"/api/v2/brands","status":503,"latency_ms":1}`:                  503,
		`[{"method":"GET","code":"PERMISSION_DENIED","message":"not today"}]`:    403,
		`{"status":504.0,"times":1e0}`:                                           504,
		`{"effect":"html","header":{"Retry-After":"3"},"times":1,"pause_ms":10}`: 502,
	} {
		a := do(t, s, "", "POST", "/_emulator/faults", body)
		require.Equal(t, http.StatusOK, a.status, a.body)
		assert.Equal(t, status, get(t, s, "/api/v2/brands").status, body)
		assert.Equal(t, http.StatusOK, get(t, s, "/api/v2/brands").status, body)
	}
	do(t, s, "", "POST", "/_emulator/faults", `{"status":500,"times":5}`)
	do(t, s, "", "DELETE", "/_emulator/faults", "")
	assert.Equal(t, http.StatusOK, get(t, s, "/api/v2/brands").status)
}

func TestAMisspeltFaultIsRefused(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	for body, field := range map[string]string{
		`{"latency":5}`:       "latency",
		`{"effect":"reste"}`:  "effect",
		`{"status":99}`:       "status",
		`{"probability":1.5}`: "probability",
		`{"path":"api/v2"}`:   "path",
		`{"times":-1}`:        "times",
		`{"skip":-1}`:         "skip",
		`{"latency_ms":-1}`:   "latency_ms",
		`{"status":"500"}`:    "status",
		`[{"status":true}]`:   "status",
		`{}`:                  "body",
		``:                    "body",
		`nonsense`:            "body",
	} {
		a := do(t, s, "", "POST", "/_emulator/faults", body)
		assert.Equal(t, http.StatusBadRequest, a.status, body)
		assert.Equal(t, field, a.refusal(t).Details["field"], body)
	}
	assert.Equal(t, http.StatusOK, get(t, s, "/api/v2/brands").status)
}

func TestOtherLanguagesCanCount(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	do(t, s, s.AccessToken(), "POST", messagesPath, hello)
	get(t, s, "/api/v2/chats/none")
	var stats salesiqtest.Stats
	a := do(t, s, "", "GET", "/_emulator/stats", "")
	require.NoError(t, json.Unmarshal([]byte(a.body), &stats))
	assert.Equal(t, s.Stats(), stats)
	assert.Equal(t, 1, stats.Processed)
	assert.Equal(t, salesiqtest.CallStats{Processed: 1}, stats.Calls["POST /api/v2/chats/{chat_id}/messages"])
	assert.Equal(t, salesiqtest.CallStats{Refused: 1}, stats.Calls["GET /api/v2/chats/{chat_id}"])
	assert.Equal(t, 1, stats.InFlightPeak)
	a = do(t, s, "", "GET", "/_emulator/journal", "")
	assert.Contains(t, a.body, `"path":"`+messagesPath+`"`)
	do(t, s, "", "POST", "/_emulator/reset", "")
	assert.Zero(t, s.Stats().Processed)
}

func TestOtherLanguagesGetAndLoseTokens(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	var got struct {
		AccessToken string `json:"access_token"`
		Code        string `json:"code"`
	}
	require.NoError(t, json.Unmarshal([]byte(do(t, s, "", "POST", "/_emulator/tokens", `{"scopes":["SalesIQ.settings.READ"]}`).body), &got))
	assert.Equal(t, http.StatusOK, do(t, s, got.AccessToken, "GET", "/api/v2/brands", "").status)
	assert.Equal(t, http.StatusForbidden, do(t, s, got.AccessToken, "GET", "/api/v2/chats", "").status)
	do(t, s, "", "POST", "/_emulator/tokens/revoke", "")
	assert.Equal(t, http.StatusUnauthorized, do(t, s, got.AccessToken, "GET", "/api/v2/brands", "").status)
	require.NoError(t, json.Unmarshal([]byte(do(t, s, "", "POST", "/_emulator/codes", "").body), &got))
	assert.NotEmpty(t, ask(t, s, form(s, "grant_type", "authorization_code", "code", got.Code)).AccessToken)
}

func TestWebPagesCannotSteer(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	for name, value := range map[string]string{"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-origin"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/_emulator/reset", strings.NewReader(""))
		require.NoError(t, err)
		request.Header.Set(name, value)
		a, err := send(s, request)
		require.NoError(t, err)
		assert.Equal(t, http.StatusForbidden, a.status, name)
	}
}

func TestUnknownControlCallsAreRefused(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	assert.Equal(t, http.StatusNotFound, do(t, s, "", "GET", "/_emulator/nothing", "").status)
}

func TestAShellCanSubscribeAndLetAChatBeMissed(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	arrived := make(chan string, 10)
	receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret("one of a shell")))
	require.NoError(t, err)
	require.NoError(t, webhook.OnAny(receiver, func(_ context.Context, event webhook.Event) error {
		arrived <- string(event.Info().EventName)
		return nil
	}))
	there := httptest.NewServer(receiver)
	defer there.Close()
	a := do(t, s, "", "POST", "/_emulator/webhooks", `{"url":"`+there.URL+`","events":["chat.started","chat.missed"],"secret":"one of a shell"}`)
	require.Equal(t, http.StatusOK, a.status, a.body)
	assert.Contains(t, a.body, `"secret":"one of a shell"`)

	a = do(t, s, "", "POST", "/_emulator/chats", `{"text":"Anybody?"}`)
	require.Equal(t, http.StatusOK, a.status, a.body)
	var chat salesiq.Chat
	require.NoError(t, json.Unmarshal([]byte(a.body), &chat))
	assert.Equal(t, salesiq.ChatWaiting, chat.Status)
	assert.Equal(t, "chat.started", <-arrived)
	a = do(t, s, "", "POST", "/_emulator/chats/miss", `{"chat_id":"`+chat.ID+`"}`)
	require.Equal(t, http.StatusOK, a.status, a.body)
	assert.Equal(t, "chat.missed", <-arrived)

	a = do(t, s, "", "POST", "/_emulator/webhooks", `{"url":"`+there.URL+`"}`)
	assert.Contains(t, a.body, `"lead.created"`, "without events, it is for all")
	assert.Contains(t, a.body, `"secret":"`)
	for _, bad := range [][3]string{
		{"webhooks", `{}`, "url"},
		{"webhooks", `{"url":"http://salesiq.example/"}`, "url"},
		{"webhooks", `{"url":"` + there.URL + `","events":["chat.sung"]}`, "events[0]"},
		{"webhooks", `{"address":"x"}`, "address"},
		{"chats/miss", `{}`, "chat_id"},
		{"chats", `{"visitor":"visitor123"}`, "visitor"},
		{"chats", `{"visitor_id":7}`, "visitor_id"},
		{"chats/miss", `{"id":"chat123"}`, "id"},
	} {
		a := do(t, s, "", "POST", "/_emulator/"+bad[0], bad[1])
		assert.Equal(t, http.StatusBadRequest, a.status, bad)
		assert.Equal(t, bad[2], a.refusal(t).Details["field"], bad)
	}
	assert.Equal(t, http.StatusNotFound, do(t, s, "", "POST", "/_emulator/chats", `{"visitor_id":"visitor 7"}`).status)
	assert.Equal(t, http.StatusNotFound, do(t, s, "", "POST", "/_emulator/chats/miss", `{"chat_id":"chat9999"}`).status)
}
