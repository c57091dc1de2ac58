package salesiqtest_test

import (
	"io"
	"math"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

const (
	messagesPath = "/api/v2/chats/chat123/messages"
	hello        = `{"type":"text","message":"hello"}`
)

// sent counts how often a message was processed.
func sent(s *salesiqtest.Server) int { return s.Stats().ByPath["POST "+messagesPath] }

func TestAResetBeforeProcessingDoesNothing(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	require.NoError(t, s.Inject(salesiqtest.Fault{Path: messagesPath, Effect: salesiqtest.ResetConnection}))
	_, err := try(t, s, s.AccessToken(), "POST", messagesPath, hello)
	require.ErrorIs(t, err, syscall.ECONNRESET)
	assert.Zero(t, sent(s))
	assert.Empty(t, s.Journal())
	assert.Equal(t, http.StatusCreated, do(t, s, s.AccessToken(), "POST", messagesPath, hello).status, "it struck once")
}

func TestAResetAfterProcessingLeavesTheMessage(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	require.NoError(t, s.Inject(salesiqtest.Fault{Method: "post", Path: "/api/v2/chats/{chat_id}/messages", Effect: salesiqtest.ResetConnection, Processed: true}))
	_, err := try(t, s, s.AccessToken(), "POST", messagesPath, hello)
	require.ErrorIs(t, err, syscall.ECONNRESET)
	assert.Equal(t, 1, sent(s))
	journal := s.Journal()
	require.Len(t, journal, 1)
	assert.Equal(t, []string{"POST", messagesPath, hello}, []string{journal[0].Method, journal[0].Path, journal[0].Body})
	chat, _ := s.Chat("chat123")
	assert.Equal(t, "hello", chat.Transcript[len(chat.Transcript)-1].Text)
}

func TestAConnectionInMemoryBreaksAsWell(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory())
		for _, effect := range []salesiqtest.Effect{salesiqtest.ResetConnection, salesiqtest.CutBody} {
			require.NoError(t, s.Inject(salesiqtest.Fault{Effect: effect, Processed: true}))
			_, err := try(t, s, s.AccessToken(), "POST", messagesPath, hello)
			require.Error(t, err, effect)
		}
		assert.Equal(t, 2, sent(s))
	})
}

func TestACutBodyEndsInTheMiddle(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	require.NoError(t, s.Inject(salesiqtest.Fault{Effect: salesiqtest.CutBody}))
	a, err := try(t, s, s.AccessToken(), "GET", "/api/v2/chats", "")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Equal(t, http.StatusOK, a.status)
	assert.True(t, strings.HasPrefix(a.body, `{"status":"success"`))
	assert.Equal(t, 1, s.Stats().Processed)
}

func TestABodyTricklesOneByteAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory())
		require.NoError(t, s.Inject(salesiqtest.Fault{Effect: salesiqtest.TrickleBody, Pause: time.Minute}))
		began := time.Now()
		a := get(t, s, "/api/v2/chats/none")
		assert.Equal(t, 404, a.status)
		assert.Equal(t, len(a.body)-1, int(time.Since(began)/time.Minute))
	})
}

func TestAFaultCanAnswerAnything(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	for name, c := range map[string]struct {
		fault       salesiqtest.Fault
		status      int
		contentType string
		body        string
	}{
		"a status":          {salesiqtest.Fault{Status: 503}, 503, "application/json", `"code":"INTERNAL_ERROR"`},
		"a code":            {salesiqtest.Fault{Code: salesiq.ErrChatNotActive, Message: "why"}, 400, "application/json", `"message":"why"`},
		"both":              {salesiqtest.Fault{Status: 418, Code: "TEAPOT"}, 418, "application/json", `"code":"TEAPOT"`},
		"a page":            {salesiqtest.Fault{Effect: salesiqtest.HTMLPage}, 502, "text/html", "<html>"},
		"a page as success": {salesiqtest.Fault{Effect: salesiqtest.HTMLPage, Status: 200}, 200, "text/html", "<html>"},
		"nothing":           {salesiqtest.Fault{Effect: salesiqtest.EmptyBody}, 200, "", ""},
		"a body":            {salesiqtest.Fault{Body: `{"status":"error","code":"X"}`}, 200, "application/json", `"code":"X"`},
		"another type":      {salesiqtest.Fault{Body: "x", Header: map[string]string{"Content-Type": "text/x"}}, 200, "text/x", "x"},
	} {
		require.NoError(t, s.Inject(c.fault))
		a := do(t, s, s.AccessToken(), "POST", messagesPath, hello)
		assert.Equal(t, c.status, a.status, name)
		assert.True(t, strings.HasPrefix(a.header.Get("Content-Type"), c.contentType), name)
		assert.Contains(t, a.body, c.body, name)
	}
	assert.Zero(t, sent(s))
	require.NoError(t, s.Inject(salesiqtest.Fault{Status: 500, Processed: true}))
	do(t, s, s.AccessToken(), "POST", messagesPath, hello)
	assert.Equal(t, 1, sent(s), "an answer may lie")
	assert.Equal(t, 9, s.Stats().Faults)
}

func TestAFaultChangesHeaders(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	require.NoError(t, s.Inject(salesiqtest.Fault{
		Status: 429, DateOffset: -time.Hour,
		Header: map[string]string{"Retry-After": "7", "X-RateLimit-Reset": "", "X-RateLimit-Limit": "banana"},
	}))
	a := get(t, s, "/api/v2/chats")
	assert.Equal(t, "7", a.header.Get("Retry-After"))
	assert.Equal(t, "banana", a.header.Get("X-Ratelimit-Limit"))
	assert.Empty(t, a.header.Get("X-Ratelimit-Reset"))
	assert.Empty(t, a.header.Values("X-Ratelimit-Reset"), "it is not there, which differs from an empty one")
	date, err := http.ParseTime(a.header.Get("Date"))
	require.NoError(t, err)
	assert.InDelta(t, time.Hour, time.Since(date), float64(10*time.Second))
	require.NoError(t, s.Inject(salesiqtest.Fault{Header: map[string]string{"Date": ""}}))
	a = get(t, s, "/api/v2/chats")
	assert.Equal(t, http.StatusOK, a.status)
	assert.Empty(t, a.header.Get("Date"))
}

func TestARevokedTokenIsFoundOutAtOnce(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	client := s.Client(t)
	require.NoError(t, s.Inject(salesiqtest.Fault{Effect: salesiqtest.RevokeToken, Skip: 1}))
	for range 3 {
		_, err := client.Chats.Get(t.Context(), "chat123")
		require.NoError(t, err, "the client signs in again")
	}
	assert.Equal(t, 1, s.Stats().Refused[salesiq.ErrInvalidToken])
	assert.Equal(t, 2, s.Stats().TokensIssued)
}

func TestTheOAuthServerFailsOnDemand(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	require.NoError(t, s.Inject(salesiqtest.Fault{Path: "/oauth/v2/token", Effect: salesiqtest.HTMLPage, Status: 200}))
	assert.Equal(t, http.StatusOK, get(t, s, "/api/v2/brands").status, "others are left alone")
	a := postForm(t, s, "/oauth/v2/token", refreshForm(s))
	assert.Contains(t, a.body, "<html>")
	assert.Zero(t, s.Stats().TokenRequests)
}

func TestFaultThatCouldNeverStrikeIsRefused(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	for _, row := range []struct {
		fault salesiqtest.Fault
		field string
	}{
		{salesiqtest.Fault{Effect: "explode"}, "effect"},
		{salesiqtest.Fault{Status: 99}, "status"},
		{salesiqtest.Fault{Status: 600}, "status"},
		{salesiqtest.Fault{Status: 500, Path: "api"}, "path"},
		{salesiqtest.Fault{Status: 500, Probability: 1.5}, "probability"},
		{salesiqtest.Fault{Status: 500, Probability: -0.1}, "probability"},
		{salesiqtest.Fault{Status: 500, Probability: math.NaN()}, "probability"},
		{salesiqtest.Fault{Status: 500, Skip: -1}, "skip"},
		{salesiqtest.Fault{Status: 500, Times: -1}, "times"},
		{salesiqtest.Fault{Latency: -1}, "latency_ms"},
		{salesiqtest.Fault{Effect: salesiqtest.TrickleBody, Pause: -1}, "pause_ms"},
	} {
		err := s.Inject(salesiqtest.Fault{Status: 503}, row.fault)
		var input *salesiq.InputError
		require.ErrorAs(t, err, &input, row.field)
		assert.Equal(t, row.field, input.Field)
	}
	assert.Equal(t, http.StatusOK, get(t, s, "/api/v2/brands").status, "none of them is there")
}

func TestAFaultStrikesTheRequestsThatItNames(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		method, path string
		strikes      bool
	}{
		{"", "", true},
		{"get", "", true},
		{"POST", "", false},
		{"", "/api/v2/chats", true},
		{"", "/api/v2/visitors", false},
		{"", "/api/v2/chats/{chat_id}", true},
		{"", "/api/v2/chats/{chat_id}/rating", false},
		{"", "/api/v2/visitors/{visitor_id}", false},
		{"GET", "/api/v2/chats/{chat_id}", true},
		{"POST", "/api/v2/chats/{chat_id}", false},
	} {
		s := salesiqtest.Start(t)
		require.NoError(t, s.Inject(salesiqtest.Fault{Method: row.method, Path: row.path, Status: http.StatusTeapot}))
		a := do(t, s, s.AccessToken(), http.MethodGet, "/api/v2/chats/chat123", "")
		assert.Equal(t, row.strikes, a.status == http.StatusTeapot, "%+v", row)
	}
}

func TestFaultsStrikeAsOftenAsTold(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	require.NoError(t, s.Inject(salesiqtest.Fault{Status: 500, Skip: 2, Times: 3}))
	require.NoError(t, s.Inject(salesiqtest.Fault{Status: 502}))
	var got []int
	for range 7 {
		got = append(got, get(t, s, "/api/v2/brands").status)
	}
	assert.Equal(t, []int{502, 200, 500, 500, 500, 200, 200}, got)
	require.NoError(t, s.Inject(salesiqtest.Fault{Status: 500, Times: 9}))
	s.ClearFaults()
	assert.Equal(t, 200, get(t, s, "/api/v2/brands").status)
}

func TestRandomFaultsFollowTheSeed(t *testing.T) {
	t.Parallel()
	roll := func(seed uint64) (statuses []int) {
		s := salesiqtest.Start(t, salesiqtest.WithSeed(seed))
		require.NoError(t, s.Inject(salesiqtest.Fault{Status: 500, Probability: 0.3}))
		for range 100 {
			statuses = append(statuses, get(t, s, "/api/v2/brands").status)
		}
		failed := s.Stats().Faults
		assert.Greater(t, failed, 15)
		assert.Less(t, failed, 50)
		return statuses
	}
	first, again, other := roll(7), roll(7), roll(8)
	assert.Equal(t, first, again)
	assert.NotEqual(t, first, other)
}

// Whoever sees a success can rely on it that the call was carried out.
func TestFaultAfterProcessingLeavesARefusalAsItIs(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	require.NoError(t, s.Inject(salesiqtest.Fault{Method: http.MethodPost, Path: "/api/", Effect: salesiqtest.EmptyBody, Processed: true}))
	client := s.Client(t)
	_, err := client.Chats.SendMessage(t.Context(), "no such chat", salesiq.TextMessage("Hello"))
	require.ErrorIs(t, err, salesiq.ErrResourceNotFound)
	_, err = client.Chats.SendMessage(t.Context(), "chat123", salesiq.TextMessage("Hello"))
	require.NoError(t, err)
	assert.Len(t, s.Journal(), 1)
}
