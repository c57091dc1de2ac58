package salesiq

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fakeZoho is an OAuth server and a service in one round tripper, so that it
// works in a synctest bubble. It gives out the tokens "access-1", "access-2", …
type fakeZoho struct {
	mu       sync.Mutex
	tokens   []*tokenRequest // The requests to the OAuth server.
	calls    []string        // The tokens that the service saw.
	revoked  map[string]bool // The service refuses these.
	answer   func(n int, r *tokenRequest) (*http.Response, error)
	call     func(r *http.Request) *http.Response
	perCall  time.Duration
	perToken time.Duration
}

type tokenRequest struct {
	*http.Request

	form url.Values
}

const accountsHost = "accounts.zoho.com"

func (z *fakeZoho) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/oauth/") {
		return z.token(r)
	}
	if err := pause(r, z.perCall); err != nil {
		return nil, err
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	token := strings.TrimPrefix(r.Header.Get("Authorization"), scheme)
	z.calls = append(z.calls, token)
	if z.revoked[token] {
		return answerWith(http.StatusUnauthorized, `{"status":"error","code":"INVALID_TOKEN","message":"no"}`), nil
	}
	if z.call != nil {
		return z.call(r), nil
	}
	return answerWith(http.StatusOK, `{"status":"success","data":{"id":"c1"}}`), nil
}

func (z *fakeZoho) token(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	z.mu.Lock()
	request := &tokenRequest{r, form}
	z.tokens = append(z.tokens, request)
	n, answer := len(z.tokens), z.answer
	z.mu.Unlock()
	if err := pause(r, z.perToken); err != nil {
		return nil, err
	}
	if answer == nil {
		return answerWith(http.StatusOK, tokenJSON(n, nil)), nil
	}
	return answer(n, request)
}

// pause takes virtual time, and ends with the request's context.
func pause(r *http.Request, d time.Duration) error {
	if d == 0 {
		return r.Context().Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-r.Context().Done():
		return r.Context().Err()
	}
}

func (z *fakeZoho) revoke(token string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.revoked == nil {
		z.revoked = map[string]bool{}
	}
	z.revoked[token] = true
}

// requests returns how many token requests the server saw.
func (z *fakeZoho) requests() int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return len(z.tokens)
}

func (z *fakeZoho) seen() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	return append([]string(nil), z.calls...)
}

func answerWith(status int, body string) *http.Response {
	return &http.Response{
		StatusCode:    status,
		Header:        http.Header{"Content-Type": {"application/json"}},
		Body:          io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)),
	}
}

// tokenJSON is the specification's token answer, with changes; nil removes.
func tokenJSON(n int, changes map[string]any) string {
	fields := map[string]any{
		"access_token": "access-" + string(rune('0'+n)),
		"api_domain":   "https://www.zohoapis.com",
		"token_type":   "Bearer",
		"expires_in":   3600,
	}
	maps.Copy(fields, changes)
	maps.DeleteFunc(fields, func(_ string, v any) bool { return v == nil })
	encoded, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

var testCredentials = Credentials{ClientID: "client-id", ClientSecret: "client-secret", RefreshToken: "refresh-token"}

// clientOf returns a client of z, with the credentials above.
func clientOf(t *testing.T, z http.RoundTripper, store TokenStore, opts ...Option) *Client {
	t.Helper()
	opts = append([]Option{WithHTTPClient(&http.Client{Transport: z})}, opts...)
	client, err := NewClient(RefreshToken(testCredentials, store), opts...)
	require.NoError(t, err)
	return client
}

func TestRefreshTokenSignsIn(t *testing.T) {
	t.Parallel()
	z := &fakeZoho{}
	client := clientOf(t, z, nil)
	for range 3 {
		_, err := client.Chats.Get(t.Context(), "c1")
		require.NoError(t, err)
	}
	require.Equal(t, []string{"access-1", "access-1", "access-1"}, z.seen())
	require.Equal(t, 1, z.requests())
}
