package salesiq_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// signIn returns what signs users of the emulator in.
func signIn(s *salesiqtest.Server, scopes ...salesiq.Scope) *salesiq.OAuth {
	credentials := s.Credentials()
	credentials.RefreshToken = salesiq.Secret{}
	return &salesiq.OAuth{
		Credentials: credentials,
		DataCenter:  salesiq.Hosts{API: s.URL, Accounts: s.URL}.DataCenter(),
		Scopes:      scopes,
		RedirectURL: "http://127.0.0.1/callback",
		HTTPClient:  s.HTTPClient(),
	}
}

// visit gets a page of the emulator.
func visit(ctx context.Context, s *salesiqtest.Server, address string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := s.HTTPClient().Do(request)
	if err != nil {
		return nil, err
	}
	return response, response.Body.Close()
}

// clientWith returns a client of the emulator that has a token's refresh token.
func clientWith(t *testing.T, s *salesiqtest.Server, token salesiq.Token) *salesiq.Client {
	t.Helper()
	credentials := s.Credentials()
	credentials.RefreshToken = token.RefreshToken
	client, err := salesiq.NewClient(salesiq.RefreshToken(credentials, nil), s.Options()...)
	require.NoError(t, err)
	return client
}

// atEmulator sends requests for any host to the emulator.
type atEmulator struct{ server *salesiqtest.Server }

func (a atEmulator) RoundTrip(r *http.Request) (*http.Response, error) {
	emulator, err := url.Parse(a.server.URL)
	if err != nil {
		return nil, err
	}
	moved := r.Clone(r.Context())
	moved.Host, moved.URL.Scheme, moved.URL.Host = r.URL.Host, emulator.Scheme, emulator.Host
	return a.server.HTTPClient().Transport.RoundTrip(moved)
}

func TestDeviceSignsInAtThePaceThatIsPermitted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.InMemory())
		start := time.Now()
		token, err := signIn(s, live.ScopeOperatorsRead).SignInDevice(t.Context(), func(address, code string) error {
			go func() {
				time.Sleep(70 * time.Second) // The user looks for a phone.
				_, err := visit(t.Context(), s, address+"?user_code="+url.QueryEscape(code))
				assert.NoError(t, err)
			}()
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, 90*time.Second, time.Since(start), "the third time that it asks")
		require.Equal(t, 3, s.Stats().TokenRequests)
		require.Equal(t, []salesiq.Scope{live.ScopeOperatorsRead}, token.Scopes)
		require.Equal(t, s.URL, token.DataCenter().Hosts().API)
		_, err = clientWith(t, s, token).Operators.List(t.Context(), nil)
		require.NoError(t, err)
	})
}

func TestDeviceGoesOnInTheDataCenterOfItsUser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory())
		o := signIn(s, salesiq.ScopeChatsRead)
		o.HTTPClient = &http.Client{Transport: atEmulator{s}}
		token, err := o.SignInDevice(t.Context(), func(address, code string) error {
			_, err := visit(t.Context(), s, address+"?location=eu&user_code="+url.QueryEscape(code))
			return err
		})
		require.NoError(t, err)
		require.Equal(t, salesiq.EU, token.DataCenter())
		require.Equal(t, salesiq.EU.Hosts().Accounts, token.AccountsURL)
	})
}

func TestDeviceEndsWithTheUsersAnswer(t *testing.T) {
	t.Parallel()
	problem := errors.New("no screen")
	for why, test := range map[string]struct {
		show func(s *salesiqtest.Server, address, code string) error
		code string // Of the server.
		is   error
		ends time.Duration
	}{
		"refused": {func(s *salesiqtest.Server, address, code string) error {
			_, err := visit(context.Background(), s, address+"?answer=deny&user_code="+url.QueryEscape(code))
			return err
		}, "access_denied", salesiq.ErrAuth, 30 * time.Second},
		"nobody came":        {func(*salesiqtest.Server, string, string) error { return nil }, "expired", salesiq.ErrAuth, 5 * time.Minute},
		"not shown":          {func(*salesiqtest.Server, string, string) error { return problem }, "", problem, 0},
		"a func that panics": {func(*salesiqtest.Server, string, string) error { panic("boom") }, "", nil, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := salesiqtest.Start(t, salesiqtest.InMemory())
			start := time.Now()
			token, err := signIn(s, salesiq.ScopeChatsRead).SignInDevice(t.Context(), func(address, code string) error {
				return test.show(s, address, code)
			})
			require.Error(t, err, why)
			require.Zero(t, token, why)
			require.Equal(t, test.ends, time.Since(start), why)
			if test.is != nil {
				require.ErrorIs(t, err, test.is, why)
			}
			if test.code != "" {
				var e *salesiq.AuthError
				require.ErrorAs(t, err, &e, why)
				require.Equal(t, test.code, e.Code, why)
				require.True(t, e.Permanent, why)
			}
		})
	}
	_, err := (&salesiq.OAuth{}).SignInDevice(t.Context(), nil)
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
}

func TestDeviceStopsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory())
		ctx, cancel := context.WithTimeout(t.Context(), 45*time.Second)
		defer cancel()
		start := time.Now()
		_, err := signIn(s, salesiq.ScopeChatsRead).SignInDevice(ctx, func(string, string) error { return nil })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 45*time.Second, time.Since(start))
	})
}

func TestAdministratorConsentsForTheOrganization(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	o := signIn(s, salesiq.ScopeChatsRead)
	o.Organization = true
	address, err := o.AuthURL("state")
	require.NoError(t, err)
	require.Contains(t, address, s.URL+"/oauth/v2/org/auth?")
	response, err := visit(t.Context(), s, address)
	require.NoError(t, err)
	back, err := response.Location()
	require.NoError(t, err)
	code, err := o.ParseCallback(back.Query(), "state")
	require.NoError(t, err)
	token, err := o.Exchange(t.Context(), code)
	require.NoError(t, err)
	_, err = clientWith(t, s, token).Chats.List(t.Context(), nil)
	require.NoError(t, err)
}

func TestSelfClientSignsInWithItsCredentialsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.InMemory())
		o := signIn(s)
		vault := salesiq.NewMemoryTokenStore()
		open := func(scopes ...salesiq.Scope) *salesiq.Client {
			client, err := salesiq.NewClient(o.Credentials.SelfClient(vault, salesiqtest.SOID, scopes...), s.Options()...)
			require.NoError(t, err)
			return client
		}
		for range 12 {
			_, err := open(live.ScopeOperatorsRead).Operators.List(t.Context(), nil)
			require.NoError(t, err)
		}
		require.Equal(t, 1, s.Stats().TokenRequests, "the vault keeps the token")
		client := open(live.ScopeOperatorsRead, live.ScopeAppsRead)
		_, err := live.Get[any](t.Context(), client, "/apps", nil)
		require.NoError(t, err)
		require.Equal(t, 2, s.Stats().TokenRequests, "a token with other scopes is another one")
		time.Sleep(2 * time.Hour)
		_, err = client.Operators.List(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, 3, s.Stats().TokenRequests)
		s.RevokeTokens()
		_, err = client.Operators.List(t.Context(), nil)
		require.NoError(t, err, "a refused token is replaced, as with a refresh token")
	})
}

func TestSelfClientThatNamesNoOrganizationIsToldHow(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	c := signIn(s).Credentials
	for soid, code := range map[string]string{"": "missing_org_info", "SalesIQ.1": "invalid_soid"} {
		client, err := salesiq.NewClient(c.SelfClient(nil, soid, salesiq.ScopeChatsRead), s.Options()...)
		require.NoError(t, err)
		_, err = client.Chats.List(t.Context(), nil)
		var e *salesiq.AuthError
		require.ErrorAs(t, err, &e)
		require.Equal(t, code, e.Code)
		require.True(t, e.Permanent)
		require.ErrorContains(t, err, "service.number")
	}
	for why, auth := range map[string]salesiq.Authenticator{
		"a number alone":  c.SelfClient(nil, "600434", salesiq.ScopeChatsRead),
		"no scope":        c.SelfClient(nil, salesiqtest.SOID),
		"a refresh token": s.Credentials().SelfClient(nil, salesiqtest.SOID, salesiq.ScopeChatsRead),
	} {
		_, err := salesiq.NewClient(auth, s.Options()...)
		require.ErrorIs(t, err, salesiq.ErrInvalidInput, why)
	}
}

func TestFindTellsRegionPortalsAndScopes(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.WithScopes("SalesIQ.portals.READ", "SalesIQ.chats.READ"))
	o := signIn(s)
	o.Credentials = s.Credentials()
	found, err := o.Find(t.Context())
	require.NoError(t, err)
	require.Equal(t, &salesiq.Account{
		DataCenter: o.DataCenter, Portals: []string{salesiqtest.Portal},
		Scopes: []salesiq.Scope{"SalesIQ.portals.READ", "SalesIQ.chats.READ"},
	}, found)
	require.Equal(t, 1, s.Stats().TokenRequests)

	s = salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.WithScopes("SalesIQ.chats.READ"))
	o = signIn(s)
	o.Credentials = s.Credentials()
	found, err = o.Find(t.Context())
	require.NoError(t, err, "the region is worth knowing without the portals")
	require.Empty(t, found.Portals)
	require.ErrorIs(t, found.PortalsErr, salesiq.ErrInvalidOAuthScope)
	require.ErrorContains(t, found.PortalsErr, "SalesIQ.portals.READ")
}

// livesIn is Zoho with an account in one region.
type livesIn struct {
	atEmulator

	accounts string
	asked    *[]string
}

func (l livesIn) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != "/oauth/v2/token" {
		return l.atEmulator.RoundTrip(r)
	}
	*l.asked = append(*l.asked, r.URL.Host)
	if r.URL.Host == l.accounts {
		return l.atEmulator.RoundTrip(r)
	}
	form := url.Values{"client_id": {"nobody"}} // As in a region to which nothing of it is known.
	r, err := http.NewRequestWithContext(r.Context(), http.MethodPost, r.URL.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return l.atEmulator.RoundTrip(r)
}

func TestFindAsksRegionAfterRegion(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.InMemory())
	var asked []string
	o := &salesiq.OAuth{Credentials: s.Credentials(), DataCenter: salesiq.JP}
	o.HTTPClient = &http.Client{Transport: livesIn{atEmulator{s}, "accounts.zohocloud.ca", &asked}}
	found, err := o.Find(t.Context())
	require.NoError(t, err)
	require.Equal(t, salesiq.CACloud, found.DataCenter)
	require.Equal(t, []string{salesiqtest.Portal}, found.Portals)
	require.Equal(t, "accounts.zoho.jp", asked[0], "the likely one comes first")
	seen := map[string]bool{}
	for _, host := range asked {
		require.False(t, seen[host], "%s was asked twice", host)
		seen[host] = true
	}

	asked = nil
	o.HTTPClient = &http.Client{Transport: livesIn{atEmulator{s}, "accounts.zoho.nowhere", &asked}}
	found, err = o.Find(t.Context())
	require.Nil(t, found)
	require.ErrorIs(t, err, salesiq.ErrAuth)
	require.ErrorContains(t, err, "JP: invalid_client, US: invalid_client")
	require.ErrorContains(t, err, "AE: invalid_client")
	require.NotContains(t, err.Error(), s.Credentials().RefreshToken.Reveal())
}

func TestMissingScopeNamesWhatIsNeededAndWhatIsThere(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.WithScopes("SalesIQ.apps.READ", "SalesIQ.tags.CREATE"))
	_, err := live.New(s.Client(t)).Conversations.List(t.Context(), nil)
	require.ErrorIs(t, err, salesiq.ErrInvalidOAuthScope)
	require.ErrorContains(t, err, "the call needs the scope SalesIQ.conversations.READ: sign in again with it; the token has SalesIQ.apps.READ,SalesIQ.tags.CREATE")

	for _, code := range []string{"OAUTH_SCOPE_MISMATCH", "INVALID_OAUTHSCOPE", "invalid_oauthscope", "INVALID_OAUTH_SCOPE"} {
		api := newAPIRecorder(t, answerJSON(http.StatusUnauthorized, `{"status":"error","code":"`+code+`","message":"m"}`))
		_, err := api.client(t).Brands.Update(t.Context(), "b1", &salesiq.BrandUpdate{Name: salesiq.Set("n")})
		require.ErrorIs(t, err, salesiq.ErrInvalidOAuthScope, code)
		require.ErrorContains(t, err, "SalesIQ.settings.ALL")
		require.Len(t, api.requests(), 1, "another token would not help")
	}
}

func TestPortalThatIsAnAddressIsRefusedWithItsName(t *testing.T) {
	t.Parallel()
	for address, name := range map[string]string{
		"https://salesiq.zoho.com/acme/index":        `"acme"`,
		"https://salesiq.zoho.eu/acme":               `"acme"`,
		"salesiq.zoho.eu/acme/index#/home":           `"acme"`,
		"/acme/":                                     `"acme"`,
		"acme/index":                                 `"acme"`,
		"https://salesiq.zoho.com/api/v2/acme/chats": `"acme"`,
		"https://salesiq.zoho.com":                   "follows the host",
		"https://salesiq.zoho.com/?x=y":              `"x=y"`,
		"SALESIQ.ZOHO.IN/acme":                       `"acme"`,
		"zoho.com.au/acme":                           `"acme"`,
		"//salesiq.zoho.jp/acme":                     `"acme"`,
		"HTTPS://SalesIQ.zohocloud.ca:443/acme":      `"acme"`,
		"https:/salesiq.zoho.in/acme":                `"acme"`,
		"acme/":                                      `"acme"`,
		"acme#/home":                                 `"acme"`,
		"salesiq.zoho.in.":                           "follows the host",
		"https://salesiq.zoho.com/acme%20inc/index":  `"acme inc"`,
		"https://salesiq.zoho.com/visitor/v2/acme/conversations":     `"acme"`,
		"https://salesiq.zoho.com/api/visitor/v1/acme/conversations": `"acme"`,
	} {
		_, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithPortal(address))
		var e *salesiq.InputError
		require.ErrorAs(t, err, &e, address)
		require.Equal(t, "portal", e.Field)
		require.ErrorContains(t, err, name, address)
	}
}

const tokenKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

// environmentWithFile points the environment to the emulator and to a token file.
func environmentWithFile(t *testing.T, s *salesiqtest.Server) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "token")
	setEnvironment(t, append(s.Environment(), "SALESIQ_TOKEN_FILE="+path, "SALESIQ_TOKEN_KEY="+tokenKey)...)
	return path
}

func startAndCall(t *testing.T, opts ...salesiq.Option) error {
	t.Helper()
	client, err := salesiq.NewClientFromEnv(opts...)
	if err != nil {
		return err
	}
	_, err = client.Operators.List(t.Context(), nil)
	return err
}

func TestTokenOutlivesTheProcess(t *testing.T) { // The environment is the process's.
	s := salesiqtest.Start(t)
	environmentWithFile(t, s)
	for range 12 { // The service gives out 10 tokens in 10 minutes.
		require.NoError(t, startAndCall(t))
	}
	require.Equal(t, 1, s.Stats().TokensIssued)
	t.Setenv("ZOHO_REFRESH_TOKEN", "")
	require.NoError(t, startAndCall(t), "the file has a refresh token as well")
	require.Equal(t, 1, s.Stats().TokensIssued)
}

func TestTokenFileThatIsEmptyIsFilled(t *testing.T) {
	s := salesiqtest.Start(t)
	path := environmentWithFile(t, s)
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	var log bytes.Buffer
	logged := salesiq.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, startAndCall(t, logged))
	require.Contains(t, log.String(), "level=WARN msg=\"salesiq token file is empty")
	require.Contains(t, log.String(), path)
	log.Reset()
	require.NoError(t, startAndCall(t, logged))
	require.Empty(t, log.String())
	require.Equal(t, 1, s.Stats().TokensIssued)
}

func TestTokenFileThatIsDamagedIsDoneWithoutAndTold(t *testing.T) {
	s := salesiqtest.Start(t)
	path := environmentWithFile(t, s)
	require.NoError(t, startAndCall(t))
	sealed, err := os.ReadFile(path)
	require.NoError(t, err)
	for why, damaged := range map[string][]byte{
		"garbage":    []byte("garbage"),
		"cut":        sealed[:len(sealed)-10],
		"one letter": bytes.Replace(sealed, sealed[len(sealed)-9:], []byte("AAAAAAAAA"), 1),
	} {
		require.NoError(t, os.WriteFile(path, damaged, 0o600))
		t.Setenv("ZOHO_REFRESH_TOKEN", s.Credentials().RefreshToken.Reveal())
		var log bytes.Buffer
		require.NoError(t, startAndCall(t, salesiq.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))), why)
		require.Contains(t, log.String(), "salesiq token file not used", why)
		require.Contains(t, log.String(), path, why)
		left, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, damaged, left, "it may be somebody else's")

		t.Setenv("ZOHO_REFRESH_TOKEN", "")
		err = startAndCall(t)
		var e *salesiq.InputError
		require.ErrorAs(t, err, &e, why)
		require.Equal(t, "SALESIQ_TOKEN_FILE", e.Field)
		require.ErrorContains(t, err, "delete the file")
	}
}

func TestTokenKeyIsNamedAndNeverShown(t *testing.T) {
	s := salesiqtest.Start(t)
	path := environmentWithFile(t, s)
	for _, key := range []string{"short", strings.Repeat("zz", 32), tokenKey + "00"} {
		t.Setenv("SALESIQ_TOKEN_KEY", key)
		_, err := salesiq.NewClientFromEnv()
		require.ErrorContains(t, err, "SALESIQ_TOKEN_KEY must be 64 hexadecimal digits")
		require.NotContains(t, err.Error(), key)
	}
	t.Setenv("SALESIQ_TOKEN_KEY", "")
	_, err := salesiq.NewClientFromEnv()
	require.ErrorContains(t, err, "SALESIQ_TOKEN_KEY")
	require.NoError(t, os.WriteFile(path+".key", []byte(tokenKey+"\n"), 0o600))
	require.NoError(t, startAndCall(t), "the key may lie beside the file, as examples/signin puts it")
}

func TestTokenFileTellsTheDataCenter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	key, err := hex.DecodeString(tokenKey)
	require.NoError(t, err)
	require.NoError(t, salesiq.FileTokenStore(path, key).Save(t.Context(), salesiq.Token{
		RefreshToken: salesiq.NewSecret("refresh"), AccountsURL: "https://accounts.zohocloud.ca",
	}))
	file := []string{"ZOHO_CLIENT_ID=id", "ZOHO_CLIENT_SECRET=secret", "SALESIQ_TOKEN_FILE=" + path, "SALESIQ_TOKEN_KEY=" + tokenKey}
	setEnvironment(t, file...)
	client, err := salesiq.NewClientFromEnv()
	require.NoError(t, err)
	require.Equal(t, salesiq.CACloud, client.DataCenter())
	for _, override := range []string{"SALESIQ_DATA_CENTER=EU", "SALESIQ_BASE_URL=https://salesiq.zoho.eu"} {
		setEnvironment(t, append(file, override)...)
		client, err = salesiq.NewClientFromEnv()
		require.NoError(t, err)
		require.Equal(t, salesiq.EU, client.DataCenter(), override)
	}
	setEnvironment(t, append(file, "ZOHO_REFRESH_TOKEN=another")...)
	client, err = salesiq.NewClientFromEnv()
	require.NoError(t, err)
	require.Equal(t, salesiq.US, client.DataCenter(), "the file is about another account")
	setEnvironment(t, file...)
	client, err = salesiq.NewClientFromEnv(salesiq.WithDataCenter(salesiq.IN))
	require.NoError(t, err)
	require.Equal(t, salesiq.IN, client.DataCenter())
}

func TestEnvironmentOfTwoRegionsIsRefusedByTheNameOfItsVariable(t *testing.T) {
	for field, lines := range map[string][]string{
		"SALESIQ_ACCOUNTS_URL": {"SALESIQ_ACCOUNTS_URL=https://accounts.zoho.eu"},
		"SALESIQ_BASE_URL":     {"SALESIQ_BASE_URL=https://salesiq.zoho.in", "SALESIQ_DATA_CENTER=EU"},
	} {
		setEnvironment(t, append(environmentCredentials, lines...)...)
		_, err := salesiq.NewClientFromEnv()
		var e *salesiq.InputError
		require.ErrorAs(t, err, &e, field)
		require.Equal(t, field, e.Field)
		require.ErrorContains(t, err, "https://accounts.zoho.eu")
	}
	setEnvironment(t, append(environmentCredentials, "SALESIQ_BASE_URL=https://salesiq.zoho.uk")...)
	client, err := salesiq.NewClientFromEnv()
	require.NoError(t, err)
	require.Equal(t, salesiq.DataCenter("UK"), client.DataCenter())
	setEnvironment(t, environmentCredentials[:2]...)
	_, err = salesiq.NewClientFromEnv()
	require.ErrorContains(t, err, "examples/signin")
	require.ErrorContains(t, err, "OAuth.Find")
	require.NotContains(t, err.Error(), "redacted", "nothing was set")
	for _, line := range []string{
		"SALESIQ_DATA_CENTER=Mars", "SALESIQ_BASE_URL=salesiq.zoho.in", "SALESIQ_BASE_URL=https://salesiq.zoho.in/acme",
		"SALESIQ_ACCOUNTS_URL=https://accounts.zoho.in", "SALESIQ_ACCOUNTS_URL=https://sso.corp.com", "SALESIQ_PORTAL=https://salesiq.zoho.in/acme",
	} {
		setEnvironment(t, append(environmentCredentials, line)...)
		_, err = salesiq.NewClientFromEnv()
		require.ErrorIs(t, err, salesiq.ErrInvalidInput, line)
		require.ErrorContains(t, err, "examples/signin -find", line)
		name, _, _ := strings.Cut(line, "=")
		require.ErrorContains(t, err, name, line)
	}
}

func TestTokenKeyWithoutAFileIsRefused(t *testing.T) {
	setEnvironment(t, append(environmentCredentials, "SALESIQ_TOKEN_KEY="+tokenKey)...)
	_, err := salesiq.NewClientFromEnv()
	var e *salesiq.InputError
	require.ErrorAs(t, err, &e)
	require.Equal(t, "SALESIQ_TOKEN_FILE", e.Field)
	require.NotContains(t, err.Error(), tokenKey)
}

func TestTokenFileOfAnotherAccountIsReplacedAndTold(t *testing.T) {
	s := salesiqtest.Start(t)
	path := environmentWithFile(t, s)
	key, err := hex.DecodeString(tokenKey)
	require.NoError(t, err)
	vault := salesiq.FileTokenStore(path, key)
	require.NoError(t, vault.Save(t.Context(), salesiq.Token{
		AccessToken: salesiq.NewSecret("theirs"), RefreshToken: salesiq.NewSecret("theirs-too"), Expiry: time.Now().Add(time.Hour), AccountsURL: s.URL, Grant: "theirs",
	}))
	var log bytes.Buffer
	require.NoError(t, startAndCall(t, salesiq.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))))
	require.Contains(t, log.String(), "another refresh token's than ZOHO_REFRESH_TOKEN")
	token, err := vault.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, s.Credentials().RefreshToken, token.RefreshToken)
}

func TestTokenFileThatCannotBeReadForAnotherReasonIsNotToBeDeleted(t *testing.T) {
	s := salesiqtest.Start(t)
	path := environmentWithFile(t, s)
	for why, file := range map[string]string{"its folder is missing": filepath.Join(path, "token"), "a folder": filepath.Dir(path)} {
		t.Setenv("SALESIQ_TOKEN_FILE", file)
		_, err := salesiq.NewClientFromEnv()
		require.ErrorContains(t, err, "SALESIQ_TOKEN_FILE cannot be used", why)
		require.NotContains(t, err.Error(), "delete", why)
	}
}
