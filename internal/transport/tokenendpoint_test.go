package transport

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type tokenServer func(*http.Request) (*http.Response, error)

func (f tokenServer) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func tokenExchange(t *testing.T, answer *http.Response, err error) (*http.Response, error) {
	t.Helper()
	const form = "grant_type=refresh_token&client_secret=shush&refresh_token=r%2B1%2B1"
	request, failed := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://accounts.example/oauth/v2/token", strings.NewReader(form))
	require.NoError(t, failed)
	server := tokenServer(func(r *http.Request) (*http.Response, error) {
		require.Equal(t, "agent", r.Header.Get("User-Agent"))
		return answer, err
	})
	return (&TokenEndpoint{Base: server, UserAgent: "agent"}).RoundTrip(request)
}

func tokenText(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

// endless is an answer whose body ends once it is closed.
func endless(status int) *http.Response {
	body, _ := io.Pipe()
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: body}
}

func TestTokenAnswerIsPassedOnInItsPlainestForm(t *testing.T) {
	t.Parallel()
	for why, body := range map[string]string{
		"as documented":    `{"access_token":"a","refresh_token":"r","api_domain":"d","token_type":"Bearer","expires_in":60}`,
		"other types":      `{"access_token":"a","refresh_token":"r","api_domain":"d","expires_in":"60","scope":["x"]}`,
		"names twice":      `{"access_token":"b","access_token":"a","refresh_token":"r","api_domain":"d","expires_in":60}`,
		"an error of null": `{"access_token":"a","refresh_token":"r","api_domain":"d","expires_in":60,"error":null}`,
	} {
		response, err := tokenExchange(t, tokenText(http.StatusOK, body), nil)
		require.NoError(t, err, why)
		var got tokenAnswer
		require.NoError(t, json.NewDecoder(response.Body).Decode(&got))
		require.Equal(t, tokenAnswer{AccessToken: "a", RefreshToken: "r", APIDomain: "d", TokenType: "Bearer", ExpiresIn: 60}, got, why)
	}
}

func TestTokenFailureTellsItsKind(t *testing.T) {
	t.Parallel()
	for why, test := range map[string]struct {
		answer *http.Response
		err    error
		want   TokenFailure
		cause  error
	}{
		"refused":                 {answer: tokenText(200, `{"error":"invalid_code"}`), want: TokenFailure{Status: 200, Code: "invalid_code"}},
		"secrets are taken out":   {answer: tokenText(400, `{"error":"no r+1+1, r%2B1%2B1","error_description":"nor\nshush"}`), want: TokenFailure{Status: 400, Code: "no [redacted], [redacted]", Description: "nor [redacted]"}},
		"throttled":               {answer: tokenText(400, `{"error":"Access Denied"}`), want: TokenFailure{Status: 400, Code: "Access Denied", Throttled: true}},
		"throttled, in words":     {answer: tokenText(200, `{"error":"failure","error_description":"Too many requests."}`), want: TokenFailure{Status: 200, Code: "failure", Description: "Too many requests.", Throttled: true}},
		"not throttled":           {answer: tokenText(200, `{"error":"access_denied"}`), want: TokenFailure{Status: 200, Code: "access_denied"}},
		"no connection":           {err: io.EOF, want: TokenFailure{Unreachable: true}, cause: io.EOF},
		"no HTTP":                 {err: errors.New(`malformed HTTP status code "shush"`), want: TokenFailure{Unreachable: true, Err: errors.New(`malformed HTTP status code "[redacted]"`)}},
		"a proxy alone":           {answer: tokenText(503, "<html>"), want: TokenFailure{Status: 503, Unreachable: true}, cause: ErrDecode},
		"a token that breaks off": {answer: tokenText(200, `{"access_token":"a`), want: TokenFailure{Status: 200, Unreachable: true}, cause: ErrDecode},
		"failure without error":   {answer: tokenText(200, `{"status":"failure","access_token":"a"}`), want: TokenFailure{Status: 200}, cause: ErrDecode},
		"no token":                {answer: tokenText(200, `{}`), want: TokenFailure{Status: 200}, cause: ErrDecode},
		"not an object":           {answer: tokenText(200, `["a"]`), want: TokenFailure{Status: 200}, cause: ErrDecode},
		"more after the end":      {answer: tokenText(200, `{"access_token":"a"}{"error":"e"}`), want: TokenFailure{Status: 200}, cause: ErrDecode},
		"too much":                {answer: tokenText(200, `{"access_token":"a"}`+strings.Repeat(" ", maxTokenAnswer)), want: TokenFailure{Status: 200}, cause: ErrTooLarge},
		"another protocol":        {answer: endless(101), want: TokenFailure{Status: 101}, cause: ErrDecode},
		"a redirect":              {answer: tokenText(307, ""), want: TokenFailure{Status: 307}, cause: ErrRedirect},
	} {
		_, err := tokenExchange(t, test.answer, test.err)
		var got *TokenFailure
		require.ErrorAs(t, err, &got, why)
		if test.cause != nil {
			require.ErrorIs(t, err, test.cause, why)
			got.Err = nil
		}
		require.Equal(t, test.want, *got, why)
	}
}

func TestPauseThatTheTokenServerAsksForIsTold(t *testing.T) {
	t.Parallel()
	for status, throttled := range map[int]bool{http.StatusTooManyRequests: true, http.StatusServiceUnavailable: false} {
		answer := tokenText(status, "")
		answer.Header.Set("Retry-After", "1200")
		_, err := tokenExchange(t, answer, nil)
		f := AsTokenFailure(err)
		require.InDelta(t, 1200, f.RetryAfter.Seconds(), 1)
		require.Equal(t, throttled, f.Throttled)
		require.False(t, f.Unreachable, "another request a moment later is not what it asked for")
	}
}

// FuzzTokenAnswer: whatever the server sends, what comes out is a token that
// fits into a header and a lifetime within reason, or a failure without a word
// of the request's secrets.
func FuzzTokenAnswer(f *testing.F) {
	for _, body := range []string{
		`{"access_token":"a","refresh_token":"r","expires_in":3600}`,
		`{"access_token":"a","expires_in":"NaN"}`, `{"access_token":"a","expires_in":-1e400}`,
		`{"error":"invalid_code"}`, `{"error":"r+1+1"}`, `{"error":{"a":"shush"}}`, `<html>Access Denied`, ``, `null`, `{"ERROR":"x"}`,
		"{\"access_token\":\"a\\r\\nb\"}", `{"error_description":"shushushsh r+1r+1+1+1"}`,
	} {
		f.Add(200, body)
		f.Add(500, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		response, err := tokenExchange(t, tokenText(status, body), nil)
		if err != nil {
			var failure *TokenFailure
			if !errors.As(err, &failure) {
				t.Fatalf("%T is not a failure of the kind", err)
			}
			for _, words := range []string{failure.Code, failure.Description} {
				if strings.Contains(words, "r+1+1") || strings.Contains(words, "shush") {
					t.Fatalf("%q holds a secret", words)
				}
				if len(words) > maxWords || strings.ContainsAny(words, "\r\n") {
					t.Fatalf("%q is not fit for a log", words)
				}
			}
			return
		}
		var token tokenAnswer
		if err := json.NewDecoder(response.Body).Decode(&token); err != nil {
			t.Fatal(err)
		}
		if !ValidToken(token.AccessToken) || token.ExpiresIn < 1 || token.ExpiresIn > maxLifetime || status < 200 || status > 299 {
			t.Fatalf("status %d: %+v", status, token)
		}
	})
}
