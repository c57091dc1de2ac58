package salesiq

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/oauth"
)

func testOAuth(z http.RoundTripper) *OAuth {
	return &OAuth{
		Credentials: Credentials{ClientID: "client-id", ClientSecret: NewSecret("client-secret")},
		Scopes:      []Scope{ScopeChatsAll, ScopeVisitorsRead, "SalesIQ.portals.READ"},
		RedirectURL: "https://app.example/callback",
		HTTPClient:  &http.Client{Transport: z},
	}
}

func TestConsentURLIsTheSpecifications(t *testing.T) {
	t.Parallel()
	o := testOAuth(nil)
	address, err := o.AuthURL("s&t")
	require.NoError(t, err)
	u, err := url.Parse(address)
	require.NoError(t, err)
	require.Equal(t, "https://accounts.zoho.com/oauth/v2/auth", u.Scheme+"://"+u.Host+u.Path)
	require.Equal(t, url.Values{
		"scope":         {"SalesIQ.chats.ALL,SalesIQ.visitors.READ,SalesIQ.portals.READ"},
		"client_id":     {"client-id"},
		"response_type": {"code"},
		"access_type":   {"offline"},
		"redirect_uri":  {"https://app.example/callback"},
		"state":         {"s&t"},
	}, u.Query())
	require.NotContains(t, address, "client-secret")

	o.Prompt, o.DataCenter = "consent", EU
	address, err = o.AuthURL("state")
	require.NoError(t, err)
	require.Contains(t, address, "prompt=consent")
	require.True(t, strings.HasPrefix(address, "https://accounts.zoho.eu/"))
}

func TestConsentURLNeedsAllItsParts(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*OAuth){
		"client ID":            func(o *OAuth) { o.Credentials.ClientID = "" },
		"redirect URL":         func(o *OAuth) { o.RedirectURL = "callback" },
		"scopes":               func(o *OAuth) { o.Scopes = nil },
		"data center accounts": func(o *OAuth) { o.DataCenter = Hosts{Accounts: "http://accounts.example"}.DataCenter() },
	} {
		o := testOAuth(nil)
		change(o)
		_, err := o.AuthURL("state")
		var e *InputError
		require.ErrorAs(t, err, &e, field)
		require.Equal(t, field, e.Field)
	}
	_, err := testOAuth(nil).AuthURL("")
	require.ErrorContains(t, err, "state")
	o := testOAuth(nil)
	o.Scopes = []Scope{ScopeChatsAll, "SalesIQ.chats.READ SalesIQ.chats.ALL"}
	_, err = o.AuthURL("state")
	require.ErrorContains(t, err, `must not hold white space, as "SalesIQ.chats.READ SalesIQ.chats.ALL" does`)
}

func TestNilOAuthIsAnErrorOfEachMethod(t *testing.T) {
	t.Parallel()
	var o *OAuth
	_, noURL := o.AuthURL("state")
	_, noCode := o.ParseCallback(url.Values{"code": {"c"}, "state": {"s"}}, "s")
	_, noToken := o.Exchange(t.Context(), AuthCode{Code: NewSecret("c")})
	_, noDevice := o.SignInDevice(t.Context(), func(string, string) error { return nil })
	_, noAccount := o.Find(t.Context())
	for _, err := range []error{noURL, noCode, noToken, noDevice, noAccount, o.Revoke(t.Context(), NewSecret("token"))} {
		require.ErrorContains(t, err, "OAuth must not be nil")
		require.ErrorIs(t, err, ErrInvalidInput)
	}
}

func TestCallbackIsBelievedOnlyWithTheStateAndAKnownServer(t *testing.T) {
	t.Parallel()
	local := Hosts{API: "http://127.0.0.1:1", Accounts: "http://127.0.0.1:1"}.DataCenter()
	for why, test := range map[string]struct {
		query  string
		own    DataCenter
		want   DataCenter
		refuse string // A part of the error.
	}{
		"plain":                                       {query: "code=c&state=s", want: US},
		"configured":                                  {query: "code=c&state=s", own: EU, want: EU},
		"the account lives elsewhere":                 {query: "code=c&state=s&location=in&accounts-server=https%3A%2F%2Faccounts.zoho.in", want: IN},
		"a final slash":                               {query: "code=c&state=s&accounts-server=https://accounts.zoho.in/", want: IN},
		"only its OAuth server is known":              {query: "code=c&state=s&location=uk&accounts-server=https://accounts.zoho.uk", want: "UK"},
		"in capitals":                                 {query: "code=c&state=s&accounts-server=HTTPS://Accounts.Zoho.EU", want: EU},
		"the location alone":                          {query: "code=c&state=s&location=au", want: AU},
		"the location of the configured one":          {query: "code=c&state=s&location=eu", own: EU, want: EU},
		"an unknown location":                         {query: "code=c&state=s&location=mars", refuse: "OAuth.DataCenter"},
		"the United Kingdom, in a word":               {query: "code=c&state=s&location=uk", want: "UK"},
		"the Emirates":                                {query: "code=c&state=s&location=ae&accounts-server=https://accounts.zoho.ae", want: "AE"},
		"Canada, in a word":                           {query: "code=c&state=s&location=ca", want: CACloud},
		"Canada's server":                             {query: "code=c&state=s&location=ca&accounts-server=https://accounts.zohocloud.ca", want: CACloud},
		"Canada's, to the specification's":            {query: "code=c&state=s&location=ca&accounts-server=https://accounts.zohocloud.ca", own: CA, want: CACloud},
		"a region that is not listed":                 {query: "code=c&state=s&location=xy&accounts-server=https://accounts.zoho.xy", refuse: `salesiq.LookupDataCenter("https://salesiq.zoho.xy")`},
		"two data centers on one server":              {query: "code=c&state=s&location=ca&accounts-server=https://accounts.zohocloud.ca", own: CACloud, want: CACloud},
		"Canada, in a word, to its doubtful host":     {query: "code=c&state=s&location=ca", own: CA, want: CACloud},
		"a server without https":                      {query: "code=c&state=s&accounts-server=accounts.zoho.com.au&location=au", want: AU},
		"a location in capitals, with a space":        {query: "code=c&state=s&location=JP+", want: JP},
		"a location of another server":                {query: "code=c&state=s&location=in&accounts-server=https://accounts.zoho.eu", refuse: "EU"},
		"a location of another server than one's own": {query: "code=c&state=s&location=in&accounts-server=https://accounts.zoho.eu", own: EU, refuse: "https://accounts.zoho.eu"},
		"Canada's server under its former name":       {query: "code=c&state=s&accounts-server=https://accounts.zoho.ca", refuse: "https://accounts.zohocloud.ca"},
		"the API's host":                              {query: "code=c&state=s&accounts-server=https://salesiq.zoho.eu", refuse: "that of EU is https://accounts.zoho.eu"},
		"a server of one's own":                       {query: "code=c&state=s&location=us&accounts-server=http://127.0.0.1:1", own: local, want: local},
		"a location, to one's own":                    {query: "code=c&state=s&location=us", own: local, want: local},
		"another state":                               {query: "code=c&state=other", refuse: "state"},
		"no state":                                    {query: "code=c", refuse: "state"},
		"another state, though refused":               {query: "error=access_denied&state=other", refuse: "state"},
		"refused":                                     {query: "error=access_denied&state=s", refuse: "access_denied"},
		"refused, with a line break":                  {query: "error=a%0d%0aforged+line&state=s", refuse: "a forged line"},
		"no code":                                     {query: "state=s", refuse: "code"},
		"a code that is none":                         {query: "state=s&code=a%0d%0ab", refuse: "code"},
		"a foreign server":                            {query: "code=c&state=s&accounts-server=https://accounts.zoho.com.evil.example", refuse: "accounts-server"},
		"a foreign server, dressed up":                {query: "code=c&state=s&accounts-server=https://accounts.zoho.com@evil.example", refuse: "accounts-server"},
		"a known server, another port":                {query: "code=c&state=s&accounts-server=https://accounts.zoho.com:8443", refuse: "accounts-server"},
		"a known server, another path":                {query: "code=c&state=s&accounts-server=https://accounts.zoho.com/evil", refuse: "accounts-server"},
		"a known server, without TLS":                 {query: "code=c&state=s&accounts-server=http://accounts.zoho.com", refuse: "accounts-server"},
		"another service of a known owner":            {query: "code=c&state=s&accounts-server=https://sites.zoho.com", refuse: "accounts-server"},
	} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			o := testOAuth(nil)
			o.DataCenter = test.own
			query, err := url.ParseQuery(test.query)
			require.NoError(t, err)
			code, err := o.ParseCallback(query, "s")
			if test.refuse != "" {
				require.ErrorContains(t, err, test.refuse)
				require.NotContains(t, err.Error(), "\n")
				require.Zero(t, code.DataCenter)
				return
			}
			require.NoError(t, err)
			require.Equal(t, AuthCode{Code: NewSecret("c"), DataCenter: test.want}, code)
		})
	}
	_, err := testOAuth(nil).ParseCallback(url.Values{"code": {"c"}, "state": {""}}, "")
	require.Error(t, err, "no state is no protection")
}

func TestExchangeIsTheSpecifications(t *testing.T) {
	t.Parallel()
	answer := func(int, *tokenRequest) (*http.Response, error) {
		return answerWith(http.StatusOK, tokenJSON(1, map[string]any{"refresh_token": "refresh-1", "api_domain": "https://www.zohoapis.in"})), nil
	}
	z := &fakeZoho{answer: answer}
	o := testOAuth(z)
	token, err := o.Exchange(t.Context(), AuthCode{Code: NewSecret("the-code"), DataCenter: IN})
	require.NoError(t, err)

	request := z.tokens[0]
	require.Equal(t, http.MethodPost, request.Method)
	require.Equal(t, "https://accounts.zoho.in/oauth/v2/token", request.URL.String())
	require.Equal(t, "application/x-www-form-urlencoded", request.Header.Get("Content-Type"))
	require.Equal(t, "salesiq-go/"+Version, request.Header.Get("User-Agent"))
	require.Empty(t, request.Header.Get("Authorization"))
	require.Equal(t, url.Values{
		"grant_type":    {"authorization_code"},
		"client_id":     {"client-id"},
		"client_secret": {"client-secret"},
		"redirect_uri":  {"https://app.example/callback"},
		"code":          {"the-code"},
	}, request.form)

	require.WithinDuration(t, time.Now().Add(time.Hour), token.Expiry, 5*time.Second)
	token.Expiry = time.Time{}
	require.Equal(t, Token{
		AccessToken:  NewSecret("access-1"),
		RefreshToken: NewSecret("refresh-1"),
		APIDomain:    "https://www.zohoapis.in",
		AccountsURL:  "https://accounts.zoho.in",
		Grant:        fingerprint(NewSecret("refresh-1")),
	}, token)
}

func TestSelfClientExchangesWithoutRedirect(t *testing.T) {
	t.Parallel()
	z := &fakeZoho{answer: func(int, *tokenRequest) (*http.Response, error) {
		return answerWith(http.StatusOK, tokenJSON(1, map[string]any{"refresh_token": "refresh-1"})), nil
	}}
	o := testOAuth(z)
	o.RedirectURL = ""
	_, err := o.Exchange(t.Context(), AuthCode{Code: NewSecret("the-code")})
	require.NoError(t, err)
	require.False(t, z.tokens[0].form.Has("redirect_uri"))
	require.Equal(t, accountsHost, z.tokens[0].URL.Host)
}

func TestExchangeFailsWithTheServersReason(t *testing.T) {
	t.Parallel()
	z := &fakeZoho{answer: refusal("invalid_code")}
	_, err := testOAuth(z).Exchange(t.Context(), AuthCode{Code: NewSecret("the-code")})
	var e *AuthError
	require.ErrorAs(t, err, &e)
	require.ErrorIs(t, err, ErrAuth)
	require.Equal(t, "invalid_code", e.Code)
	require.ErrorContains(t, err, "sign in again")

	z.answer = nil
	_, err = testOAuth(z).Exchange(t.Context(), AuthCode{Code: NewSecret("the-code"), DataCenter: EU})
	require.ErrorIs(t, err, ErrWrongDataCenter)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = testOAuth(z).Exchange(ctx, AuthCode{Code: NewSecret("the-code")})
	require.ErrorIs(t, err, context.Canceled)

	_, err = testOAuth(z).Exchange(t.Context(), AuthCode{})
	require.ErrorIs(t, err, ErrInvalidInput)
}

func TestAuthErrorIsPermanentOnlyWhereAskingAgainDoesNotHelp(t *testing.T) {
	t.Parallel()
	for why, test := range map[string]struct {
		failure   oauth.Failure
		permanent bool
	}{
		"a code with a remedy":         {oauth.Failure{Status: 200, Code: "invalid_client"}, true},
		"the same, but too often":      {oauth.Failure{Status: 200, Code: "invalid_client", Throttled: true}, false},
		"a code without":               {oauth.Failure{Status: 200, Code: "general_error"}, false},
		"a redirect":                   {oauth.Failure{Status: 302, Err: fmt.Errorf("%w to nowhere", ErrRedirect)}, true},
		"a server that nobody reached": {oauth.Failure{Err: io.EOF, Unreachable: true}, false},
	} {
		e := newAuthError(&test.failure)
		require.Equal(t, test.permanent, e.Permanent, why)
		require.Equal(t, test.failure.Unreachable, e.unreachable, why)
		require.Equal(t, test.failure.Throttled, !e.RetryAt.IsZero(), why)
		require.Equal(t, test.failure.Throttled, strings.Contains(e.Error(), "SALESIQ_TOKEN_FILE"), why)
	}
}

func TestAuthErrorTellsWhatIsKnownAndNoMore(t *testing.T) {
	t.Parallel()
	retryAt := time.Date(2026, 3, 1, 10, 30, 0, 0, time.FixedZone("", 3600))
	for want, e := range map[string]*AuthError{
		"no access token": {},
		"no access token; next try at 2026-03-01T09:30:00Z":   {RetryAt: retryAt},
		"no access token: no_such_code: in words (HTTP 400)":  {Code: "no_such_code", Description: "in words", StatusCode: 400},
		"no access token: EOF":                                {Err: io.EOF},
		"no access token: invalid_scope; " + scopesRemedy:     {Code: "invalid_scope", Permanent: true, RetryAt: retryAt},
		"no access token: Invalid_Code; " + tokenRemedy:       {Code: "Invalid_Code", DataCenter: EU, location: "eu"},
		"no access token: invalid_grant; " + tokenRemedy:      {Code: "invalid_grant", location: "mars"},
		"no access token: invalid_client; " + startsRemedy:    {Code: "invalid_client", throttled: true},
		"no access token: other_dc; " + remedies[codeOtherDC]: {Code: "other_dc"},
		"no access token: other_dc; the account lives in data center EU: use WithDataCenter(salesiq.EU), or OAuth.DataCenter to sign in":                        {Code: "other_dc", DataCenter: EU, location: "eu"},
		`no access token: other_dc; the account lives in data center "mars", which this package does not know: give LookupDataCenter the address of its portal`: {Code: "other_dc", location: "mars"},
	} {
		require.EqualError(t, e, want)
		require.Equal(t, want, e.LogValue().String())
	}
	e := &AuthError{Code: "no_such_code", StatusCode: 400, Permanent: true, RetryAt: retryAt}
	require.Equal(t, []slog.Attr{
		slog.String("error", "no access token: no_such_code (HTTP 400)"), slog.String("code", "no_such_code"), slog.Int("status", 400),
		slog.Bool("permanent", true), slog.Time("retry_at", retryAt),
	}, e.LogFields().Group())
}

func TestRefreshIsTheSpecifications(t *testing.T) {
	t.Parallel()
	z := &fakeZoho{}
	require.NoError(t, get(t.Context(), clientOf(t, z, nil, WithUserAgent("app"))))
	request := z.tokens[0]
	require.Equal(t, http.MethodPost, request.Method)
	require.Equal(t, "https://accounts.zoho.com/oauth/v2/token", request.URL.String())
	require.Equal(t, "application/x-www-form-urlencoded", request.Header.Get("Content-Type"))
	require.Equal(t, "app salesiq-go/"+Version, request.Header.Get("User-Agent"))
	require.Equal(t, url.Values{
		"grant_type":    {"refresh_token"},
		"client_id":     {"client-id"},
		"client_secret": {"client-secret"},
		"refresh_token": {"refresh-token"},
	}, request.form)
}

func TestRevokeIsTheVendors(t *testing.T) {
	t.Parallel()
	z := &fakeZoho{answer: func(int, *tokenRequest) (*http.Response, error) {
		return answerWith(http.StatusOK, `{"status":"success"}`), nil
	}}
	require.NoError(t, testOAuth(z).Revoke(t.Context(), NewSecret("refresh+1")))
	request := z.tokens[0]
	require.Equal(t, http.MethodPost, request.Method)
	require.Equal(t, "https://accounts.zoho.com/oauth/v2/token/revoke?token=refresh%2B1", request.URL.String())

	z.answer = func(int, *tokenRequest) (*http.Response, error) {
		return answerWith(http.StatusBadRequest, `{"error":"invalid_token","error_description":"refresh+1 is none"}`), nil
	}
	err := testOAuth(z).Revoke(t.Context(), NewSecret("refresh+1"))
	require.ErrorIs(t, err, ErrAuth)
	require.ErrorContains(t, err, "invalid_token")
	require.NotContains(t, err.Error(), "refresh+1")
	require.ErrorIs(t, testOAuth(z).Revoke(t.Context(), NewSecret("")), ErrInvalidInput)
}

// A8
func TestTransportThatIgnoresItsContextHoldsNobody(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]func(context.Context, *OAuth) error{
		"Exchange": func(ctx context.Context, o *OAuth) error {
			_, err := o.Exchange(ctx, AuthCode{Code: NewSecret("the-code")})
			return err
		},
		"Revoke": func(ctx context.Context, o *OAuth) error { return o.Revoke(ctx, NewSecret("refresh-token")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				deaf := &fakeZoho{answer: func(int, *tokenRequest) (*http.Response, error) {
					time.Sleep(time.Hour)
					return answerWith(http.StatusOK, tokenJSON(1, nil)), nil
				}}
				start := time.Now()
				err := request(t.Context(), testOAuth(deaf))
				require.ErrorIs(t, err, errNoAnswer)
				require.ErrorIs(t, err, ErrAuth)
				require.Equal(t, requestTimeout, time.Since(start))

				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				start = time.Now()
				require.ErrorIs(t, request(ctx, testOAuth(deaf)), context.DeadlineExceeded)
				require.Equal(t, time.Second, time.Since(start))
				time.Sleep(time.Hour) // Until the deaf transport has returned.
			})
		})
	}
}

// A11, over real connections.
func TestSecretsDoNotFollowARedirect(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		assert.Fail(t, "the redirect was followed")
	}))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	client, err := NewClient(RefreshToken(testCredentials, nil), WithBaseURL(server.URL))
	require.NoError(t, err)
	require.ErrorIs(t, get(t.Context(), client), ErrRedirect)
	o := testOAuth(http.DefaultTransport)
	o.DataCenter = Hosts{API: server.URL, Accounts: server.URL}.DataCenter()
	_, err = o.Exchange(t.Context(), AuthCode{Code: NewSecret("c")})
	require.ErrorIs(t, err, ErrRedirect)
	require.ErrorIs(t, o.Revoke(t.Context(), NewSecret("token")), ErrRedirect)
}

func TestScopesAreTheSpecifications(t *testing.T) {
	t.Parallel()
	all := []Scope{
		ScopeOperatorsAll, ScopeOperatorsRead, ScopeOperatorsCreate, ScopeOperatorsUpdate, ScopeOperatorsDelete,
		ScopeVisitorsAll, ScopeVisitorsRead,
		ScopeChatsAll, ScopeChatsRead, ScopeChatsCreate, ScopeChatsUpdate,
		ScopeLeadsAll, ScopeLeadsRead, ScopeSettingsAll, ScopeSettingsRead, ScopeAnalyticsRead,
	}
	require.Equal(t, "SalesIQ.operators.ALL,SalesIQ.operators.READ,SalesIQ.operators.CREATE,SalesIQ.operators.UPDATE,"+
		"SalesIQ.operators.DELETE,SalesIQ.visitors.ALL,SalesIQ.visitors.READ,SalesIQ.chats.ALL,SalesIQ.chats.READ,"+
		"SalesIQ.chats.CREATE,SalesIQ.chats.UPDATE,SalesIQ.leads.ALL,SalesIQ.leads.READ,SalesIQ.settings.ALL,"+
		"SalesIQ.settings.READ,SalesIQ.analytics.READ", joinScopes(all))
}

func TestConsentWithoutARefreshTokenIsAnErrorWithItsRemedy(t *testing.T) {
	t.Parallel()
	z := &fakeZoho{}
	token, err := testOAuth(z).Exchange(t.Context(), AuthCode{Code: NewSecret("the-code")})
	require.Zero(t, token)
	var e *AuthError
	require.ErrorAs(t, err, &e)
	require.True(t, e.Permanent)
	require.ErrorContains(t, err, `OAuth.Prompt set to "consent"`)
}

func TestScopesOfTheAnswerAreKept(t *testing.T) {
	t.Parallel()
	want := []Scope{ScopeChatsAll, ScopeVisitorsRead}
	for _, text := range []string{"SalesIQ.chats.ALL SalesIQ.visitors.READ", "SalesIQ.chats.ALL,SalesIQ.visitors.READ", " SalesIQ.chats.ALL, SalesIQ.visitors.READ "} {
		z := &fakeZoho{answer: func(int, *tokenRequest) (*http.Response, error) {
			return answerWith(http.StatusOK, tokenJSON(1, map[string]any{"refresh_token": "refresh-1", "scope": text})), nil
		}}
		token, err := testOAuth(z).Exchange(t.Context(), AuthCode{Code: NewSecret("the-code")})
		require.NoError(t, err)
		require.Equal(t, want, token.Scopes, "%q", text)
		vault := NewMemoryTokenStore()
		require.NoError(t, vault.Save(t.Context(), token))
		stored, err := vault.Load(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, stored.Scopes)
	}
}

func TestScopesNeverMakeAStoredTokenTooLarge(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[int]int{1 << 10: 1, 1<<10 + 1: 0} {
		vault := NewMemoryTokenStore()
		require.NoError(t, vault.Save(t.Context(), Token{Scopes: []Scope{Scope(strings.Repeat("s", bytes))}}))
		stored, err := vault.Load(t.Context())
		require.NoError(t, err)
		require.Len(t, stored.Scopes, want, bytes)
	}
	token := fullToken()
	for range 500 {
		token.Scopes = append(token.Scopes, ScopeOperatorsCreate)
	}
	path := filepath.Join(t.TempDir(), "token")
	require.NoError(t, FileTokenStore(path, testKey).Save(t.Context(), token))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(4<<10))
}

func TestCodeThatMeansNeverIsPermanentAndHasARemedy(t *testing.T) {
	t.Parallel()
	for _, code := range []string{
		"access_denied", "invalid_code", "invalid_grant", "invalid_client", "invalid_client_secret", "invalid_redirect_uri",
		"unauthorized_client", "invalid_scope", "invalid_scopes", "invalid_oauthscope", "INVALID_OAUTHSCOPE", "missing_org_info", "invalid_org",
		"invalid_soid", "no_org", "other_dc", "unsupported_grant_type", "unsupported_response_type", "invalid_response_type", "invalid_request",
		"invalid_token", "expired", "expired_token",
	} {
		e := newAuthError(&oauth.Failure{Status: 200, Code: code})
		require.True(t, e.Permanent, code)
		require.NotEmpty(t, e.remedy(), code)
		require.ErrorContains(t, e, e.remedy())
	}
	for _, code := range []string{codePending, codeSlowDown, "general_error", "server_error", ""} {
		require.False(t, newAuthError(&oauth.Failure{Status: 200, Code: code}).Permanent, code)
	}
	for location, want := range map[string]DataCenter{"eu": EU, "IN": IN, "ca": CACloud, "mars": ""} {
		e := newAuthError(&oauth.Failure{Status: 200, Code: "other_dc", Location: location})
		require.Equal(t, want, e.DataCenter)
		require.ErrorIs(t, e, ErrWrongDataCenter)
		if want != "" {
			require.ErrorContains(t, e, "WithDataCenter("+goName(want)+")")
		}
	}
	require.NotErrorIs(t, newAuthError(&oauth.Failure{Code: "invalid_code"}), ErrWrongDataCenter)
}

func TestDeviceAsksMoreSeldomWhenItIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		answers := []string{
			`{"error":"authorization_pending"}`, `{"error":"slow_down"}`, ``, `{"error":"slow_down"}`,
			tokenJSON(1, map[string]any{"refresh_token": "refresh-1"}),
		}
		var asked []time.Duration
		start := time.Now()
		z := &fakeZoho{answer: func(_ int, r *tokenRequest) (*http.Response, error) {
			if r.URL.Path == "/oauth/v3/device/code" {
				require.Equal(t, url.Values{
					"grant_type": {"device_request"}, "client_id": {"client-id"}, "access_type": {"offline"}, "prompt": {"consent"},
					"scope": {"SalesIQ.chats.ALL,SalesIQ.visitors.READ,SalesIQ.portals.READ"},
				}, r.form)
				return answerWith(http.StatusOK, `{"device_code":"d","user_code":"u","verification_url":"https://v.example","interval":5000,"expires_in":300000}`), nil
			}
			require.Equal(t, url.Values{"grant_type": {"device_token"}, "client_id": {"client-id"}, "client_secret": {"client-secret"}, "code": {"d"}}, r.form)
			require.Empty(t, r.URL.RawQuery, "a secret in an address ends in logs")
			asked = append(asked, time.Since(start))
			if answer := answers[len(asked)-1]; answer != "" {
				return answerWith(http.StatusOK, answer), nil
			}
			return nil, io.ErrUnexpectedEOF // A connection that breaks ends nothing.
		}}
		o := testOAuth(z)
		o.Prompt = "consent"
		token, err := o.SignInDevice(t.Context(), func(address, code string) error {
			require.Equal(t, []string{"https://v.example", "u"}, []string{address, code})
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, "refresh-1", token.RefreshToken.Reveal())
		require.Equal(t, US, token.DataCenter())
		require.Equal(t, []time.Duration{30 * time.Second, 60 * time.Second, 95 * time.Second, 130 * time.Second, 170 * time.Second}, asked)
	})
}

func TestDataCenterOfATokenIsWhereItCameFrom(t *testing.T) {
	t.Parallel()
	for accounts, want := range map[string]DataCenter{
		"https://accounts.zoho.eu": EU, "https://accounts.zohocloud.ca": CACloud, "": "", "https://sso.corp.com": "",
		"http://127.0.0.1:80": Hosts{API: "http://127.0.0.1:80", Accounts: "http://127.0.0.1:80"}.DataCenter(),
	} {
		require.Equal(t, want, Token{AccountsURL: accounts}.DataCenter(), accounts)
	}
}

func TestNeededScopeIsThatOfTheCall(t *testing.T) {
	t.Parallel()
	calls, err := os.ReadFile("docs/calls.md")
	require.NoError(t, err)
	rows := regexp.MustCompile("(?m)\\| ([A-Z]+) (/\\S+) \\| `(SalesIQ\\.[^`]+)` \\|$").FindAllStringSubmatch(string(calls), -1)
	require.Len(t, rows, 33)
	for _, row := range rows {
		require.Equal(t, Scope(row[3]), neededScope(row[1], row[2], ""), row[0])
	}
	for path, want := range map[string]Scope{ // Of the vendor's pages.
		"GET /portals":                        "SalesIQ.portals.READ",
		"GET /conversations?page=1":           "SalesIQ.conversations.READ",
		"POST /api/v2/acme/conversations/1/x": "SalesIQ.conversations.CREATE",
		"PUT /conversations/1/transfer":       "SalesIQ.conversations.UPDATE",
		"DELETE /webhooks/1":                  "SalesIQ.webhooks.DELETE",
		"POST /operators":                     "SalesIQ.operators.CREATE",
		"GET /api/v3/acme/visitors":           "SalesIQ.visitors.READ",
		"GET /nothing":                        "",
		"TRACE /apps":                         "",
	} {
		method, path, _ := strings.Cut(path, " ")
		require.Equal(t, want, neededScope(method, path, "acme"), path)
	}
}

func TestFindBelievesTheTokenAndKeepsToTheThrottle(t *testing.T) {
	t.Parallel()
	z := &fakeZoho{answer: func(int, *tokenRequest) (*http.Response, error) {
		return answerWith(http.StatusOK, tokenJSON(1, map[string]any{"api_domain": "https://www.zohoapis.eu"})), nil
	}}
	o := testOAuth(z)
	o.Credentials.RefreshToken = NewSecret("refresh-token")
	found, err := o.Find(t.Context())
	require.NoError(t, err)
	require.Equal(t, EU, found.DataCenter, "as the token says")
	require.Len(t, z.tokens, 1)

	z = &fakeZoho{answer: func(int, *tokenRequest) (*http.Response, error) {
		return answerWith(http.StatusOK, `{"error":"Access Denied","error_description":"too many requests"}`), nil
	}}
	o.HTTPClient = &http.Client{Transport: z}
	_, err = o.Find(t.Context())
	var e *AuthError
	require.ErrorAs(t, err, &e)
	require.False(t, e.RetryAt.IsZero())
	require.Len(t, z.tokens, 1, "other servers would not know better")
}

func TestFindAsksNoServerWithWhatCannotBeRight(t *testing.T) {
	t.Parallel()
	z := &fakeZoho{}
	o := testOAuth(z)
	o.Credentials.RefreshToken, o.DataCenter = NewSecret("refresh-token"), Hosts{API: "https://api.corp", Accounts: "http://sso.corp"}.DataCenter()
	found, err := o.Find(t.Context())
	require.Nil(t, found)
	require.ErrorIs(t, err, ErrInvalidInput)
	require.ErrorContains(t, err, "must use https")

	o.Credentials.RefreshToken, o.DataCenter = Secret{}, US
	found, err = o.Find(t.Context())
	require.Nil(t, found)
	require.ErrorContains(t, err, "refresh token")
	require.Zero(t, z.requests())
}

func TestFindGivesSecretsToNoServerOfZohosForAServerOfOnesOwn(t *testing.T) {
	t.Parallel()
	z := &fakeZoho{answer: refusal("invalid_client")}
	o := testOAuth(z)
	o.Credentials.RefreshToken, o.DataCenter = NewSecret("refresh-token"), Hosts{API: "https://api.corp", Accounts: "https://sso.corp"}.DataCenter()
	_, err := o.Find(t.Context())
	require.ErrorIs(t, err, ErrAuth)
	require.Equal(t, 1, z.requests())
	require.Equal(t, "sso.corp", z.tokens[0].URL.Host)
}

func TestFindSaysWhyItCouldNotAskForPortals(t *testing.T) {
	t.Parallel()
	for why, row := range map[string]struct {
		hosts     Hosts
		plaintext bool
		want      string
	}{
		"an API that is asked":           {Hosts{API: "https://api.corp", Accounts: "https://sso.corp"}, false, ""},
		"plain HTTP":                     {Hosts{API: "http://api.corp", Accounts: "https://sso.corp"}, false, "must use https"},
		"plain HTTP, as it is asked for": {Hosts{API: "http://api.corp", Accounts: "http://sso.corp"}, true, ""},
	} {
		z := &fakeZoho{
			answer: func(int, *tokenRequest) (*http.Response, error) {
				return answerWith(http.StatusOK, tokenJSON(1, map[string]any{"api_domain": nil})), nil
			},
			call: func(*http.Request) *http.Response {
				return answerWith(http.StatusOK, `{"data":[{"screenname":"acme"}]}`)
			},
		}
		o := testOAuth(z)
		o.Credentials.RefreshToken, o.DataCenter, o.Plaintext = NewSecret("refresh-token"), row.hosts.DataCenter(), row.plaintext
		found, err := o.Find(t.Context())
		require.NoError(t, err, why)
		if row.want == "" {
			require.NoError(t, found.PortalsErr, why)
			require.Equal(t, []string{"acme"}, found.Portals, why)
			continue
		}
		require.ErrorContains(t, found.PortalsErr, row.want, why)
		require.Empty(t, found.Portals, why)
	}
}

// deviceAnswers is an OAuth server that gives out a device code with these fields, and
// then these answers, of which the last is for ever.
func deviceAnswers(asked *[]string, fields string, answers ...string) *fakeZoho {
	start := time.Now()
	return &fakeZoho{answer: func(n int, r *tokenRequest) (*http.Response, error) {
		if n == 1 {
			return answerWith(http.StatusOK, `{"device_code":"d","user_code":"u","verification_uri":"https://v.example"`+fields+`}`), nil
		}
		*asked = append(*asked, fmt.Sprint(strings.TrimPrefix(r.URL.Host, "accounts."), " ", time.Since(start)))
		return answerWith(http.StatusOK, answers[min(n-2, len(answers)-1)]), nil
	}}
}

func TestDeviceKeepsToTheIntervalThatCanBeTrue(t *testing.T) {
	t.Parallel()
	token := tokenJSON(1, map[string]any{"refresh_token": "refresh-1"})
	for fields, want := range map[string][]string{
		``:                                    {"zoho.com 30s"},
		`,"interval":5`:                       {"zoho.com 30s"},
		`,"interval":-5`:                      {"zoho.com 30s"},
		`,"interval":"soon"`:                  {"zoho.com 30s"},
		`,"interval":45,"expires_in":300`:     {"zoho.com 45s"},
		`,"interval":"60","expires_in":300`:   {"zoho.com 1m0s"},
		`,"interval":9000,"expires_in":30000`: {"zoho.com 30s"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var asked []string
			_, err := testOAuth(deviceAnswers(&asked, fields, token)).SignInDevice(t.Context(), func(string, string) error { return nil })
			require.NoError(t, err, fields)
			require.Equal(t, want, asked, fields)
		})
	}
}

func TestDeviceThatNobodyAnswersEndsWithItsCode(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{`{"error":"authorization_pending"}`, `{"error":"slow_down"}`, `{"error":"SLOW_DOWN"}`} {
		synctest.Test(t, func(t *testing.T) {
			var asked []string
			_, err := testOAuth(deviceAnswers(&asked, `,"expires_in":120`, answer)).SignInDevice(t.Context(), func(string, string) error { return nil })
			var e *AuthError
			require.ErrorAs(t, err, &e, answer)
			require.True(t, e.Permanent, "%s: asking for ever is no use", answer)
			require.ErrorContains(t, err, "begin anew", answer)
			require.False(t, IsRetryable(err))
			require.LessOrEqual(t, len(asked), 5)
		})
	}
}

func TestOtherDataCenterIsNamedHoweverTheServerDoes(t *testing.T) {
	t.Parallel()
	token := tokenJSON(1, map[string]any{"refresh_token": "refresh-1", "api_domain": nil})
	for answer, want := range map[string]string{
		`{"error":"other_dc","user_location":"EU"}`: "zoho.eu",
		`{"error":"other_dc","location":"au"}`:      "zoho.com.au",
		`{"error":"other_dc","user_location":"ca"}`: "zohocloud.ca",
		`{"error":"OTHER_DC","user_location":"jp"}`: "zoho.jp",
	} {
		synctest.Test(t, func(t *testing.T) {
			var asked []string
			_, err := testOAuth(deviceAnswers(&asked, ``, answer, token)).SignInDevice(t.Context(), func(string, string) error { return nil })
			require.NoError(t, err, answer)
			require.Equal(t, []string{"zoho.com 30s", want + " 1m0s"}, asked, answer)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		_, err := testOAuth(deviceAnswers(&asked, ``, `{"error":"other_dc","user_location":"kz"}`)).SignInDevice(t.Context(), func(string, string) error { return nil })
		require.ErrorIs(t, err, ErrWrongDataCenter)
		require.ErrorContains(t, err, `"kz"`)
	})
}

func TestFindTellsAnOutageFromARefusal(t *testing.T) {
	t.Parallel()
	for why, test := range map[string]struct {
		answer    func(host string) (*http.Response, error)
		permanent bool
		asked     int
		found     DataCenter
	}{
		"bad credentials": {func(string) (*http.Response, error) {
			return answerWith(http.StatusOK, `{"error":"invalid_client"}`), nil
		}, true, 10, ""},
		"no network": {func(string) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, false, 10, ""},
		"one region is down, and no other knows": {func(host string) (*http.Response, error) {
			if host == "accounts.zoho.in" {
				return nil, io.ErrUnexpectedEOF
			}
			return answerWith(http.StatusOK, `{"error":"invalid_client"}`), nil
		}, false, 10, ""},
		"one region is down for a while, and another knows": {func(host string) (*http.Response, error) {
			if host == "accounts.zoho.eu" {
				return answerWith(http.StatusOK, tokenJSON(1, map[string]any{"api_domain": "https://www.zohoapis.eu"})), nil
			}
			down := answerWith(http.StatusServiceUnavailable, "<html>")
			down.Header.Set("Retry-After", "30")
			return down, nil
		}, false, 2, EU},
		"each tells of a place that is not known": {func(string) (*http.Response, error) {
			return answerWith(http.StatusOK, `{"error":"other_dc","user_location":"mars"}`), nil
		}, true, 10, ""},
		"a place is told, but not that the account is there": {func(string) (*http.Response, error) {
			return answerWith(http.StatusOK, `{"error":"invalid_code","user_location":"jp"}`), nil
		}, true, 10, ""},
		"one tells which": {func(host string) (*http.Response, error) {
			if host == "accounts.zoho.jp" {
				return answerWith(http.StatusOK, tokenJSON(1, map[string]any{"api_domain": nil})), nil
			}
			return answerWith(http.StatusOK, `{"error":"other_dc","user_location":"jp"}`), nil
		}, false, 2, JP},
	} {
		z := &fakeZoho{answer: func(_ int, r *tokenRequest) (*http.Response, error) { return test.answer(r.URL.Host) }}
		o := testOAuth(z)
		o.Credentials.RefreshToken = NewSecret("refresh-token")
		found, err := o.Find(t.Context())
		require.Len(t, z.tokens, test.asked, why)
		if test.found != "" {
			require.NoError(t, err, why)
			require.Equal(t, test.found, found.DataCenter, why)
			continue
		}
		var e *AuthError
		require.ErrorAs(t, err, &e, why)
		require.Equal(t, test.permanent, e.Permanent, why)
		require.Equal(t, !test.permanent, IsRetryable(err), why)
	}
	synctest.Test(t, func(t *testing.T) {
		o := testOAuth(&fakeZoho{answer: func(_ int, r *tokenRequest) (*http.Response, error) {
			down := answerWith(http.StatusServiceUnavailable, "<html>")
			down.Header.Set("Retry-After", map[string]string{"accounts.zoho.com": "40", "accounts.zoho.eu": "60"}[r.URL.Host])
			return down, nil
		}})
		o.Credentials.RefreshToken = NewSecret("refresh-token")
		_, err := o.Find(t.Context())
		var e *AuthError
		require.ErrorAs(t, err, &e)
		require.Equal(t, time.Now().Add(time.Minute), e.RetryAt, "the latest of all")
	})
	o := testOAuth(&fakeZoho{answer: func(_ int, r *tokenRequest) (*http.Response, error) {
		switch r.URL.Host {
		case "accounts.zoho.com":
			return answerWith(http.StatusOK, `{"error":"invalid_code","error_description":"not here"}`), nil
		case "accounts.zoho.eu":
			return answerWith(http.StatusInternalServerError, `{"error_description":"under repair"}`), nil
		}
		return answerWith(http.StatusOK, "<html>"), nil
	}})
	o.Credentials.RefreshToken = NewSecret("refresh-token")
	_, err := o.Find(t.Context())
	for _, want := range []string{"US: invalid_code", "EU: under repair", "IN: the answer was not understood: not JSON"} {
		require.ErrorContains(t, err, want)
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		o := testOAuth(&fakeZoho{perToken: time.Hour})
		o.Credentials.RefreshToken = NewSecret("refresh-token")
		_, err := o.Find(t.Context())
		require.ErrorContains(t, err, "did not answer in time")
		require.LessOrEqual(t, time.Since(start), 100*time.Second, "ten regions that hang")
	})
}

func TestScopeOfEachLiveCallIsThatOfTheVendorsPages(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile("live/calls.tsv")
	require.NoError(t, err)
	known := 0
	for row := range strings.Lines(string(table)) {
		columns := strings.Split(strings.TrimSpace(row), "\t")
		method, path, scope := columns[2], columns[3], strings.ToLower(columns[4])
		if _, isMethod := scopeVerbs[method]; !isMethod || path == "-" || scope == "-" {
			continue
		}
		known++
		path = strings.NewReplacer("{portal}", "acme", "{module}", "companies").Replace(path)
		want := "salesiq." + strings.Replace(scope, "{module}", "companies", 1)
		require.Equal(t, want, strings.ToLower(string(neededScope(method, path, "acme"))), columns[1])
	}
	require.Greater(t, known, 150)
}
