package salesiq

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/salesiq-go/salesiq/internal/oauth"
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

var testCredentials = Credentials{ClientID: "client-id", ClientSecret: NewSecret("client-secret"), RefreshToken: NewSecret("refresh-token")}

// clientOf returns a client of z, with the credentials above.
func clientOf(t *testing.T, z http.RoundTripper, store *TokenVault, opts ...Option) *Client {
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

func TestStaticTokenIsSentAsItIs(t *testing.T) {
	t.Parallel()
	z := &fakeZoho{}
	client, err := NewClient(StaticToken("mine"), WithHTTPClient(&http.Client{Transport: z}))
	require.NoError(t, err)
	require.NoError(t, get(t.Context(), client))
	z.revoke("mine")
	require.ErrorIs(t, get(t.Context(), client), ErrInvalidToken)
	require.Equal(t, []string{"mine", "mine"}, z.seen(), "there is no other token to try")
	require.Zero(t, z.requests())
}

func TestForeignTokenSource(t *testing.T) {
	t.Parallel()
	const secret = "1000.s3cr3t"
	refused := &oauth2.RetrieveError{Response: &http.Response{StatusCode: http.StatusInternalServerError, Status: "500"}, Body: []byte(secret)}
	for name, test := range map[string]struct {
		source sourceFunc
		want   error
	}{
		"a token":              {func() (*oauth2.Token, error) { return &oauth2.Token{AccessToken: "theirs"}, nil }, nil},
		"an error":             {func() (*oauth2.Token, error) { return nil, io.ErrUnexpectedEOF }, io.ErrUnexpectedEOF},
		"an answer's text":     {func() (*oauth2.Token, error) { return nil, refused }, ErrAuth},
		"a panic":              {func() (*oauth2.Token, error) { panic(secret) }, ErrAuth},
		"nothing":              {func() (*oauth2.Token, error) { return new(oauth2.Token), nil }, ErrAuth},
		"a header in a header": {func() (*oauth2.Token, error) { return &oauth2.Token{AccessToken: "a\r\nb"}, nil }, ErrAuth},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := &fakeZoho{}
			client, err := NewClient(TokenSource(test.source), WithHTTPClient(&http.Client{Transport: z}))
			require.NoError(t, err)
			err = get(t.Context(), client)
			if test.want == nil {
				require.NoError(t, err)
				require.Equal(t, []string{"theirs"}, z.seen())
				return
			}
			requireAuthError(t, err)
			require.ErrorIs(t, err, test.want)
			require.NotContains(t, fmt.Sprintf("%+v", err), secret)
			require.Empty(t, z.seen())
		})
	}
}

func TestForeignTokenSourceHoldsNoCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, err := NewClient(TokenSource(sourceFunc(func() (*oauth2.Token, error) {
			time.Sleep(time.Minute)
			return nil, io.EOF
		})), WithHTTPClient(&http.Client{Transport: &fakeZoho{}}))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		err = get(ctx, client)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, ErrAuth)
		require.Equal(t, time.Second, time.Since(start))
		time.Sleep(time.Minute)
	})
}

// S1
func TestNothingOfSigningInPrintsASecret(t *testing.T) {
	t.Parallel()
	const secret = "1000.0f1e2d.s3cr3t"
	credentials := Credentials{ClientID: "client-id", ClientSecret: NewSecret(secret), RefreshToken: NewSecret(secret)}
	token := Token{AccessToken: NewSecret(secret), RefreshToken: NewSecret(secret), Expiry: time.Now()}
	memory := NewMemoryTokenStore()
	require.NoError(t, memory.Save(t.Context(), token))
	key := []byte("0123456789abcdef0123456789abcdef")
	file := FileTokenStore(filepath.Join(t.TempDir(), "token"), key)
	refresh := RefreshToken(credentials, memory)
	client, err := NewClient(refresh, WithHTTPClient(&http.Client{Transport: &fakeZoho{}}))
	require.NoError(t, err)
	_ = get(t.Context(), client)
	bound := refresh.(*refreshAuth).refresher

	type application struct{ hidden any } // Package fmt cannot call the methods of hidden.
	for _, v := range []any{
		credentials, &credentials, token, &token, memory, file, refresh, bound, client,
		StaticToken(secret), TokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: secret})),
		OAuth{Credentials: credentials}, &OAuth{Credentials: credentials}, AuthCode{Code: NewSecret(secret)}, &AuthCode{Code: NewSecret(secret)},
		application{refresh}, application{memory}, application{file}, application{StaticToken(secret)}, application{client},
		&Error{Err: newAuthError(&oauth.Failure{Status: 500, Err: io.EOF})},
	} {
		for _, text := range everyPrint(t, v) {
			require.NotContains(t, text, secret, "%T", v)
			require.NotContains(t, text, "49 48 48 48", "%T: the secret as bytes", v)
			require.NotContains(t, text, string(key), "%T", v)
			require.NotContains(t, text, "48 49 50 51", "%T: the key as bytes", v)
		}
	}
}

// everyPrint shows v in every way in which a program would.
func everyPrint(t *testing.T, v any) (texts []string) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		texts = append(texts, fmt.Sprintf(verb, v), fmt.Sprintf(verb, []any{v}), fmt.Sprintf(verb, map[string]any{"v": v}))
	}
	if encoded, err := json.Marshal(v); err == nil {
		texts = append(texts, string(encoded))
	}
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("", slog.Any("v", v))
	slog.New(slog.NewJSONHandler(&b, nil)).Info("", slog.Any("v", v))
	return append(texts, b.String(), fmt.Sprint(errors.Join(fmt.Errorf("%v", v))))
}

type sourceFunc func() (*oauth2.Token, error)

func (f sourceFunc) Token() (*oauth2.Token, error) { return f() }
