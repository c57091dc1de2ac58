package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/internal/account"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// start returns a server that the environment names, without a refresh token.
func start(t *testing.T) *salesiqtest.Server {
	t.Helper()
	server := salesiqtest.Start(t)
	for _, line := range server.Environment() {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
	t.Setenv("ZOHO_REFRESH_TOKEN", "")
	return server
}

func testConfig(t *testing.T) config {
	t.Helper()
	return config{
		dc: "US", redirect: "http://127.0.0.1:0/callback", scopes: join(defaultScopes),
		file: filepath.Join(t.TempDir(), "folder", "token"), browse: agree(t.Context()),
	}
}

// assertKept checks what is on the disk, and that the other examples sign in
// with it.
func assertKept(t *testing.T, c config, out string) {
	t.Helper()
	assert.Contains(t, out, "It works: the account at http://127.0.0.1:")
	for _, path := range []string{c.file, c.file + ".key"} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "nobody else may read %s", path)
	}
	sealed, err := os.ReadFile(c.file)
	require.NoError(t, err)
	store, err := account.TokenFile(c.file)
	require.NoError(t, err)
	token, err := store.Load(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, token.RefreshToken)
	assert.NotContains(t, string(sealed), token.RefreshToken.Reveal())
	assert.NotContains(t, out, token.RefreshToken.Reveal())
	assert.NotContains(t, out, token.AccessToken.Reveal())

	t.Setenv("SALESIQ_TOKEN_FILE", c.file)
	client, err := account.Open()
	require.NoError(t, err)
	defer client.Close()
	assert.Nil(t, client.Emulator, "it is the account that was signed in to")
	_, err = client.Operators.List(t.Context(), nil)
	require.NoError(t, err)
}

func TestSignInWithABrowser(t *testing.T) {
	start(t)
	c := testConfig(t)
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, c))
	assertKept(t, c, out.String())
}

func TestSignInAsASelfClient(t *testing.T) {
	server := start(t)
	c := testConfig(t)
	c.code = server.AuthorizationCode()
	c.browse = func(string) error { t.Error("no browser is needed"); return nil }
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, c))
	assertKept(t, c, out.String())
}

func TestSignInWithoutAnySetup(t *testing.T) {
	for _, name := range []string{"ZOHO_CLIENT_ID", "SALESIQ_ACCOUNTS_URL", "SALESIQ_BASE_URL"} {
		t.Setenv(name, "")
	}
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, config{dc: "US", scopes: join(defaultScopes)}))
	assert.Contains(t, out.String(), "It works")
}

func TestScopesAreNoMoreThanAskedFor(t *testing.T) {
	start(t)
	c := testConfig(t)
	c.scopes = "SalesIQ.operators.READ"
	require.NoError(t, run(t.Context(), io.Discard, c))
	t.Setenv("SALESIQ_TOKEN_FILE", c.file)
	client, err := account.Open()
	require.NoError(t, err)
	_, err = client.Chats.List(t.Context(), nil)
	require.ErrorIs(t, err, salesiq.ErrInvalidOAuthScope)
}

func TestAForgedCallbackIsNotBelieved(t *testing.T) {
	start(t)
	c := testConfig(t)
	c.browse = func(address string) error {
		consent, err := url.Parse(address)
		if err != nil {
			return err
		}
		for _, query := range []string{"?code=1000.evil.code&state=guessed", "?code=1000.evil.code", ""} {
			status, err := visit(t.Context(), consent.Query().Get("redirect_uri")+query)
			if err != nil {
				return err
			}
			assert.Equal(t, http.StatusBadRequest, status)
		}
		return agree(t.Context())(address) // The real one comes later, and counts.
	}
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, c))
	assertKept(t, c, out.String())
}

func TestARefusalEndsIt(t *testing.T) {
	start(t)
	c := testConfig(t)
	c.browse = func(address string) error {
		consent, err := url.Parse(address)
		if err != nil {
			return err
		}
		query := url.Values{"error": {"access_denied"}, "state": {consent.Query().Get("state")}}
		_, err = visit(t.Context(), consent.Query().Get("redirect_uri")+"?"+query.Encode())
		return err
	}
	err := run(t.Context(), io.Discard, c)
	require.ErrorContains(t, err, "access_denied")
	assert.NoFileExists(t, c.file)
}

func TestTheCodeGoesToTheDataCenterThatTheCallbackNames(t *testing.T) {
	t.Parallel()
	oauth := &salesiq.OAuth{Credentials: salesiq.Credentials{ClientID: "id"}, DataCenter: salesiq.US, Scopes: defaultScopes}
	c := config{redirect: "http://127.0.0.1:0/callback", browse: func(address string) error {
		consent, err := url.Parse(address)
		if err != nil {
			return err
		}
		query := consent.Query()
		back := url.Values{"code": {"1000.a.b"}, "state": {query.Get("state")}, "location": {"eu"}, "accounts-server": {"https://accounts.zoho.eu"}}
		_, err = visit(t.Context(), query.Get("redirect_uri")+"?"+back.Encode())
		return err
	}}
	code, err := askInBrowser(t.Context(), io.Discard, oauth, c)
	require.NoError(t, err)
	assert.Equal(t, salesiq.EU, code.DataCenter)
}

func TestAnotherKeyIsRefused(t *testing.T) {
	start(t)
	c := testConfig(t)
	t.Setenv("SALESIQ_TOKEN_KEY", strings.Repeat("ab", 32))
	require.NoError(t, run(t.Context(), io.Discard, c))
	assert.NoFileExists(t, c.file+".key", "the key came from the environment")
	t.Setenv("SALESIQ_TOKEN_FILE", c.file)
	for _, key := range []string{strings.Repeat("cd", 32), "short", strings.Repeat("zz", 32)} {
		t.Setenv("SALESIQ_TOKEN_KEY", key)
		_, err := account.Open()
		require.Error(t, err)
		assert.NotContains(t, err.Error(), key)
	}
}

func TestAPageThatIsReloadedDoesNoHarm(t *testing.T) {
	t.Parallel()
	back := &callback{oauth: &salesiq.OAuth{}, state: "state", result: make(chan result, 1)}
	for range 3 {
		w := httptest.NewRecorder()
		back.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/callback?code=1000.a.b&state=state", nil))
		assert.Equal(t, http.StatusOK, w.Code)
	}
	code, err := back.wait(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "1000.a.b", code.Code.Reveal())
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = back.wait(stopped)
	require.ErrorIs(t, err, context.Canceled)
}

func TestSignInForAnOrganization(t *testing.T) {
	start(t)
	c := testConfig(t)
	c.org = true
	browse := c.browse
	c.browse = func(address string) error {
		assert.Contains(t, address, "/oauth/v2/org/auth?")
		return browse(address)
	}
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, c))
	assertKept(t, c, out.String())
}

func TestSignInOnAnotherScreen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // The device asks every 30 seconds.
		server := salesiqtest.Start(t, salesiqtest.InMemory())
		oauth := &salesiq.OAuth{
			Credentials: server.Credentials(), Scopes: defaultScopes, HTTPClient: server.HTTPClient(),
			DataCenter: salesiq.Hosts{API: server.URL, Accounts: server.URL}.DataCenter(),
		}
		c := config{device: true, demo: true, browse: func(address string) error {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
			if err != nil {
				return err
			}
			response, err := server.HTTPClient().Do(request)
			if err != nil {
				return err
			}
			return response.Body.Close()
		}}
		var out bytes.Buffer
		token, err := consent(t.Context(), &out, oauth, c)
		require.NoError(t, err)
		require.NotEmpty(t, token.RefreshToken)
		assert.Contains(t, out.String(), server.URL+"/oauth/v3/device")
	})
}

func TestSignInWithTheCredentialsOfASelfClient(t *testing.T) {
	start(t)
	c := testConfig(t)
	c.soid = salesiqtest.SOID
	c.browse = func(string) error { t.Error("no browser is needed"); return nil }
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, c))
	assert.Contains(t, out.String(), "It works")
	assert.NoFileExists(t, c.file, "there is no refresh token to keep")
}

func TestAnAccountIsFound(t *testing.T) {
	server := start(t)
	t.Setenv("ZOHO_REFRESH_TOKEN", server.Credentials().RefreshToken.Reveal())
	c := testConfig(t)
	c.find = true
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, c))
	assert.Contains(t, out.String(), "The account lives at "+server.URL)
	assert.Contains(t, out.String(), "SALESIQ_BASE_URL="+server.URL+" SALESIQ_ACCOUNTS_URL="+server.URL)
	t.Setenv("ZOHO_REFRESH_TOKEN", "")
	require.ErrorIs(t, run(t.Context(), io.Discard, c), salesiq.ErrInvalidInput)
}

func TestTheAccountOfAnEarlierSignInIsFound(t *testing.T) {
	start(t)
	c := testConfig(t)
	require.NoError(t, run(t.Context(), io.Discard, c))
	t.Setenv("SALESIQ_TOKEN_FILE", c.file)
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, config{dc: "US", find: true}))
	assert.Contains(t, out.String(), "The account lives at ")
}

func TestWhatIsFoundCanBeSet(t *testing.T) {
	t.Parallel()
	unlisted, err := salesiq.LookupDataCenter("https://salesiq.zoho.xy")
	require.NoError(t, err)
	for dc, want := range map[salesiq.DataCenter]string{
		salesiq.EU: "SALESIQ_DATA_CENTER=EU",
		unlisted:   "SALESIQ_DATA_CENTER=https://salesiq.zoho.xy",
		salesiq.Hosts{API: "http://127.0.0.1:1", Accounts: "http://127.0.0.1:2"}.DataCenter(): "SALESIQ_BASE_URL=http://127.0.0.1:1 SALESIQ_ACCOUNTS_URL=http://127.0.0.1:2",
	} {
		assert.Equal(t, want, variables(dc))
	}
}

func TestFindWithoutAnySetupShowsPortalsAndScopes(t *testing.T) {
	for _, name := range []string{"ZOHO_CLIENT_ID", "SALESIQ_ACCOUNTS_URL", "SALESIQ_BASE_URL", "SALESIQ_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, config{dc: "US", find: true}))
	assert.Contains(t, out.String(), "SALESIQ_PORTAL="+salesiqtest.Portal)
	assert.NotContains(t, out.String(), "cannot be listed")
}

func TestWaysThatExcludeEachOtherAreRefused(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]config{
		"-code and -device":          {code: "1000.a.b", device: true},
		"-soid and -find":            {soid: salesiqtest.SOID, find: true},
		"-device and -find and -org": {device: true, find: true, org: true},
	} {
		require.ErrorContains(t, run(t.Context(), io.Discard, c), want+" are different ways")
	}
}
