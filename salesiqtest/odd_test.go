package salesiqtest_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// Clients in other languages make these requests by mistake, or because their
// library does. Each must learn what is wrong.

func TestAPathIsNeverGuessed(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	for path, why := range map[string]string{
		"//api/v2/chats":                     "a base URL that ends in a slash",
		"/api/v2//chats":                     "the same, further on",
		"/api/v2/chats/":                     "an id that is empty",
		"/api/v2/chats//transcript":          "the same; to go to /api/v2/chats/transcript would be another call",
		"/api/v2/visitors/../chats":          "a relative path",
		"/api/v2/visitors/./visitor123/tags": "the same",
		"//_emulator/stats":                  "a control call",
	} {
		a := do(t, s, s.AccessToken(), "GET", path, "")
		assert.Equal(t, http.StatusNotFound, a.status, why)
		assert.Equal(t, "RESOURCE_NOT_FOUND", a.refusal(t).Code, why)
		assert.Contains(t, a.refusal(t).Message, "empty or relative", why)
	}
	do(t, s, s.AccessToken(), "POST", "/api/v2/visitors/visitor123//tags", `{"tags":["x"]}`)
	assert.Empty(t, s.Journal())
	assert.Zero(t, s.Stats().Processed)
}

func TestNothingInAQueryIsLostSilently(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	for query, field := range map[string]string{
		"status=active&status=waiting":     "status", // A list, as Python writes it.
		"status[]=active&status[]=waiting": "status", // As JavaScript does.
		"status%5B%5D=active":              "status",
		"status=%ZZ":                       "query",
		"status=active;per_page=1":         "query",
		"status=%FF":                       "status",
		"per_page=abc":                     "per_page",
		"per_page=1e1":                     "per_page",
		"page=0":                           "page",
		"page=10000001":                    "page",
		"from_date=yesterday":              "from_date",
	} {
		a := do(t, s, s.AccessToken(), "GET", "/api/v2/chats?"+query, "")
		assert.Equal(t, http.StatusBadRequest, a.status, query)
		assert.Equal(t, field, a.refusal(t).Details["field"], query)
	}
	assert.Equal(t, http.StatusOK, get(t, s, "/api/v2/chats?page=10000000").status)
	long := get(t, s, "/api/v2/visitors?search="+strings.Repeat("x", 100_000))
	assert.Equal(t, http.StatusOK, long.status)
}

func TestABodyThatCannotBeReadIsExplained(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	for body, reason := range map[string]string{
		"{\"tags\":[\"Gr\xfc\xdfe\"]}": "must be UTF-8",
		"tags=a&tags=b":                "must be JSON: invalid character",
		`{"tags":["a"]`:                "must be JSON: unexpected end",
		`{"tags":["a"]} {}`:            "must be JSON: invalid character",
		"\ufeff{\"tags\":[\"a\"]}":     "must be JSON: invalid character",
		`["a"]`:                        "must be a JSON object",

		`{"tags":["` + strings.Repeat("x", 1<<20) + `"]}`: "must be at most 1048576 bytes",
	} {
		a := do(t, s, s.AccessToken(), "POST", "/api/v2/visitors/visitor123/tags", body)
		assert.Equal(t, http.StatusBadRequest, a.status, body)
		assert.Contains(t, a.refusal(t).Message, reason, body)
		assert.NotContains(t, a.body, "salesiqtest", "%s: no types of Go", body)
	}
	assert.Empty(t, s.Journal())
	most := `{"tags":["x"]` + strings.Repeat(" ", 1<<20-len(`{"tags":["x"]}`)) + `}`
	assert.Equal(t, http.StatusOK, do(t, s, s.AccessToken(), "POST", "/api/v2/visitors/visitor123/tags", most).status)
}

// Python computes 5.0 where JavaScript computes 5; JSON knows no difference.
func TestAnIntegerMayBeWrittenAsAFloat(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	do(t, s, s.AccessToken(), "POST", "/api/v2/chats/chat123/end", "")
	for _, row := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/api/v2/chats/chat123/rating", `{"rating":4.5}`, 400},
		{"POST", "/api/v2/chats/chat123/rating", `{"rating":"4"}`, 400},
		{"POST", "/api/v2/chats/chat123/rating", `{"rating":4.0,"feedback":"4.0"}`, 200},
		{"PATCH", "/api/v2/operators/operator123", `{"max_chats":3e0,"skills":["Sales"]}`, 200},
		{"PATCH", "/api/v2/routing/rules/rule123456789", `{"priority":2.00,"name":"Later"}`, 200},
	} {
		a := do(t, s, s.AccessToken(), row.method, row.path, row.body)
		assert.Equal(t, row.status, a.status, row.body)
	}
	chat := into[salesiq.Chat](t, get(t, s, "/api/v2/chats/chat123"))
	require.NotNil(t, chat.Rating)
	assert.Equal(t, 4, *chat.Rating)
	assert.Equal(t, "4.0", *chat.Feedback)
	assert.Equal(t, 3, into[salesiq.Operator](t, get(t, s, "/api/v2/operators/operator123")).MaxChats)
}

func TestABodyMayComeInChunks(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v2/visitors/visitor123/tags",
		struct{ *strings.Reader }{strings.NewReader(`{"tags":["chunked"]}`)})
	require.NoError(t, err)
	require.Zero(t, request.ContentLength, "unknown")
	request.Header.Set("Authorization", "Zoho-oauthtoken "+s.AccessToken())
	a, err := send(s, request)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, a.status, a.body)
	assert.Contains(t, a.body, "chunked")
}

func TestHeadIsGetWithoutABody(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	whole := get(t, s, "/api/v2/brands")
	a := do(t, s, s.AccessToken(), "HEAD", "/api/v2/brands", "")
	assert.Equal(t, http.StatusOK, a.status)
	assert.Empty(t, a.body)
	assert.Equal(t, whole.header.Get("Content-Length"), a.header.Get("Content-Length"))
}

func TestATokenInTheWrongPlaceIsToldTheRightOne(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	token := s.AccessToken()
	for _, authorization := range []string{"", token, "Basic " + token, "Token " + token, "Bearer " + token} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/api/v2/brands?access_token="+token, http.NoBody)
		require.NoError(t, err)
		request.Header.Set("Authorization", authorization)
		a, err := send(s, request)
		require.NoError(t, err)
		assert.Equal(t, http.StatusUnauthorized, a.status, authorization)
		assert.Contains(t, a.refusal(t).Message, "must be Zoho-oauthtoken, a space,", authorization)
		assert.NotContains(t, a.body, token)
	}
}

func TestSigningInTakesFormsOfEitherKind(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for name, values := range form(s, "grant_type", "refresh_token", "refresh_token", string(s.Credentials().RefreshToken.Reveal())) {
		require.NoError(t, parts.WriteField(name, values[0]))
	}
	require.NoError(t, parts.Close())
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/oauth/v2/token", &body)
	require.NoError(t, err)
	request.Header.Set("Content-Type", parts.FormDataContentType())
	a, err := send(s, request)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, a.status)
	assert.Contains(t, a.body, `"access_token"`)
}

func TestControlCallsTellWhatTheyTake(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	a := do(t, s, "", "GET", "/_emulator/faults", "")
	assert.Equal(t, http.StatusMethodNotAllowed, a.status)
	assert.Equal(t, "POST, DELETE", a.header.Get("Allow"))
	a = do(t, s, "", "GET", "/_emulator/nothing", "")
	assert.Equal(t, "/_emulator/nothing", a.refusal(t).Details["id"])
	assert.Empty(t, s.Stats().Refused, "control calls do not count")
	for _, call := range []string{"faults", "tokens", "codes"} {
		a := do(t, s, "", "POST", "/_emulator/"+call, `{"scope":["SalesIQ.chats.READ"]}`)
		assert.Equal(t, http.StatusBadRequest, a.status, call)
		assert.Equal(t, "scope", a.refusal(t).Details["field"], "%s: not everything, by mistake", call)
	}
	for _, call := range []string{"faults", "tokens", "codes", "chats", "chats/miss", "webhooks"} {
		a := do(t, s, "", "POST", "/_emulator/"+call, `{"scopes":["SalesIQ.chats.READ"`)
		assert.Equal(t, http.StatusBadRequest, a.status, call)
		assert.Equal(t, "body", a.refusal(t).Details["field"], "%s: not everything, by mistake", call)
	}
	for _, call := range []string{"reset", "tokens/revoke", "events"} {
		a := do(t, s, "", "POST", "/_emulator/"+call, `{"event":"chat.ended"}`)
		assert.JSONEq(t, `{"status":"success"}`, a.body, call)
	}
}
