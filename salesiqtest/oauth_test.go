package salesiqtest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/salesiqtest"
)

// form returns what the default client sends, with changes in pairs.
func form(s *salesiqtest.Server, pairs ...string) url.Values {
	credentials := s.Credentials()
	values := url.Values{"client_id": {credentials.ClientID}, "client_secret": {credentials.ClientSecret.Reveal()}}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return values
}

func refreshForm(s *salesiqtest.Server) url.Values {
	return form(s, "grant_type", "refresh_token", "refresh_token", s.Credentials().RefreshToken.Reveal())
}

// tokens is the answer of the token endpoint.
type tokens struct {
	AccessToken  string  `json:"access_token"`
	RefreshToken *string `json:"refresh_token"`
	APIDomain    string  `json:"api_domain"`
	TokenType    string  `json:"token_type"`
	ExpiresIn    int     `json:"expires_in"`
	Error        string  `json:"error"`
	Status       string  `json:"status"`
}

func ask(t *testing.T, s *salesiqtest.Server, values url.Values) tokens {
	t.Helper()
	a := postForm(t, s, "/oauth/v2/token", values)
	require.Equal(t, http.StatusOK, a.status, "errors, too, are 200")
	var got tokens
	require.NoError(t, json.Unmarshal([]byte(a.body), &got), a.body)
	return got
}

func TestARefreshGivesAnAccessTokenAndNothingElse(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	got := ask(t, s, refreshForm(s))
	assert.Nil(t, got.RefreshToken)
	assert.Equal(t, tokens{AccessToken: got.AccessToken, APIDomain: s.URL, TokenType: "Bearer", ExpiresIn: 3600}, got)
	assert.Equal(t, http.StatusOK, do(t, s, got.AccessToken, "GET", "/api/v2/chats", "").status)

	a := do(t, s, "", "POST", "/oauth/v2/token?"+refreshForm(s).Encode(), "")
	assert.Contains(t, a.body, "access_token", "parameters count from the query as well")
}

func TestOAuthErrorsAreNamed(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	for want, values := range map[string]url.Values{
		"invalid_client":         form(s, "client_id", "nobody"),
		"invalid_client_secret":  form(s, "client_secret", "guess"),
		"invalid_code":           form(s, "grant_type", "authorization_code", "code", "made-up"),
		"unsupported_grant_type": form(s, "grant_type", "password"),
	} {
		got := ask(t, s, values)
		assert.Equal(t, want, got.Error)
		assert.Empty(t, got.AccessToken)
	}
	assert.Equal(t, "invalid_code", ask(t, s, form(s, "grant_type", "refresh_token", "refresh_token", "made-up")).Error)
	assert.Equal(t, 5, s.Stats().TokenRequests)
	assert.Equal(t, 5, s.Stats().TokensDenied)
	assert.Zero(t, s.Stats().TokensIssued)
}

// consent runs the first half of the flow.
func consent(t *testing.T, s *salesiqtest.Server, query url.Values) (url.Values, answer) {
	t.Helper()
	a := do(t, s, "", "GET", "/oauth/v2/auth?"+query.Encode(), "")
	location, err := url.Parse(a.header.Get("Location"))
	require.NoError(t, err)
	return location.Query(), a
}

func consentQuery(s *salesiqtest.Server) url.Values {
	return url.Values{
		"client_id": {s.Credentials().ClientID}, "response_type": {"code"}, "access_type": {"offline"}, "state": {"a&b=c"},
		"scope": {"SalesIQ.chats.READ,SalesIQ.visitors.ALL"}, "redirect_uri": {"http://127.0.0.1:7/back?keep=1"},
	}
}

func TestConsentRedirectsWithACode(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	back, a := consent(t, s, consentQuery(s))
	assert.Equal(t, http.StatusFound, a.status)
	assert.Contains(t, a.header.Get("Location"), "http://127.0.0.1:7/back?")
	assert.Equal(t, []string{"a&b=c", "1", "us", s.URL},
		[]string{back.Get("state"), back.Get("keep"), back.Get("location"), back.Get("accounts-server")})

	exchange := form(s, "grant_type", "authorization_code", "code", back.Get("code"), "redirect_uri", "http://127.0.0.1:7/other")
	assert.Equal(t, "invalid_redirect_uri", ask(t, s, exchange).Error)
	exchange.Set("redirect_uri", "http://127.0.0.1:7/back?keep=1")
	got := ask(t, s, exchange)
	require.NotNil(t, got.RefreshToken)
	assert.Equal(t, "invalid_code", ask(t, s, exchange).Error, "a code works once")

	for _, token := range []string{got.AccessToken, ask(t, s, form(s, "grant_type", "refresh_token", "refresh_token", *got.RefreshToken)).AccessToken} {
		assert.Equal(t, http.StatusOK, do(t, s, token, "GET", "/api/v2/chats/chat123", "").status)
		assert.Equal(t, http.StatusOK, do(t, s, token, "GET", "/api/v2/visitors", "").status, ".ALL covers READ")
		assert.Equal(t, http.StatusForbidden, do(t, s, token, "POST", "/api/v2/chats/chat123/end", "").status)
		assert.Equal(t, http.StatusForbidden, do(t, s, token, "GET", "/api/v2/operators", "").status)
	}
}

func TestConsentWithoutOfflineAccessGivesNoRefreshToken(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	query := consentQuery(s)
	query.Del("access_type")
	back, _ := consent(t, s, query)
	got := ask(t, s, form(s, "grant_type", "authorization_code", "code", back.Get("code"), "redirect_uri", query.Get("redirect_uri")))
	assert.NotEmpty(t, got.AccessToken)
	assert.Nil(t, got.RefreshToken)
}

func TestConsentChecksWhoAsks(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	for name, c := range map[string]struct {
		change [2]string
		status int
		reason string
	}{
		"a stranger is not sent anywhere": {[2]string{"client_id", "nobody"}, 400, ""},
		"nor is one without an address":   {[2]string{"redirect_uri", "/relative"}, 400, ""},
		"no scope":                        {[2]string{"scope", ""}, 302, "invalid_scope"},
		"another flow":                    {[2]string{"response_type", "token"}, 302, "unsupported_response_type"},
	} {
		query := consentQuery(s)
		query.Set(c.change[0], c.change[1])
		back, a := consent(t, s, query)
		assert.Equal(t, c.status, a.status, name)
		assert.Equal(t, c.reason, back.Get("error"), name)
		assert.Empty(t, back.Get("code"), name)
	}
}

func TestASelfClientsCodeNeedsNoRedirect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory())
		fresh := s.AuthorizationCode("SalesIQ.chats.READ")
		stale := s.AuthorizationCode()
		time.Sleep(2*time.Minute - time.Second)
		got := ask(t, s, form(s, "grant_type", "authorization_code", "code", fresh))
		assert.NotNil(t, got.RefreshToken)
		time.Sleep(time.Second)
		assert.Equal(t, "invalid_code", ask(t, s, form(s, "grant_type", "authorization_code", "code", stale)).Error)
	})
}

func TestTenTokensInTenMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory())
		for range 10 {
			require.NotEmpty(t, ask(t, s, refreshForm(s)).AccessToken)
			time.Sleep(time.Second)
		}
		got := ask(t, s, refreshForm(s))
		assert.Equal(t, "Access Denied", got.Error)
		assert.Equal(t, "failure", got.Status)
		time.Sleep(10*time.Minute - 11*time.Second)
		assert.Equal(t, "Access Denied", ask(t, s, refreshForm(s)).Error)
		time.Sleep(time.Second)
		assert.NotEmpty(t, ask(t, s, refreshForm(s)).AccessToken, "the first is ten minutes old")
	})
	s := salesiqtest.Start(t, salesiqtest.WithThrottleStatus(400))
	for range 10 {
		ask(t, s, refreshForm(s))
	}
	assert.Equal(t, 400, postForm(t, s, "/oauth/v2/token", refreshForm(s)).status)
}

func TestTheSixteenthTokenEndsTheFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory())
		var given []string
		for range 16 {
			given = append(given, ask(t, s, refreshForm(s)).AccessToken)
			time.Sleep(2 * time.Minute)
		}
		assert.Equal(t, http.StatusUnauthorized, do(t, s, given[0], "GET", "/api/v2/brands", "").status)
		for _, token := range given[1:] {
			assert.Equal(t, http.StatusOK, do(t, s, token, "GET", "/api/v2/brands", "").status)
		}
	})
}

func TestATokenEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory(), salesiqtest.WithTokenLifetime(90*time.Second), salesiqtest.WithAPIDomain("https://www.zohoapis.eu"))
		got := ask(t, s, refreshForm(s))
		assert.Equal(t, 90, got.ExpiresIn)
		assert.Equal(t, "https://www.zohoapis.eu", got.APIDomain)
		time.Sleep(89 * time.Second)
		assert.Equal(t, http.StatusOK, do(t, s, got.AccessToken, "GET", "/api/v2/brands", "").status)
		time.Sleep(time.Second)
		a := do(t, s, got.AccessToken, "GET", "/api/v2/brands", "")
		assert.Equal(t, http.StatusUnauthorized, a.status)
		assert.NotEmpty(t, a.refusal(t).Details["token_expires_at"])
	})
}

func TestTokensCanBeRevoked(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	one, two := ask(t, s, refreshForm(s)).AccessToken, ask(t, s, refreshForm(s)).AccessToken
	a := do(t, s, "", "POST", "/oauth/v2/token/revoke?token="+one, "")
	assert.Equal(t, http.StatusOK, a.status)
	assert.JSONEq(t, `{"status":"success"}`, a.body)
	assert.Equal(t, http.StatusUnauthorized, do(t, s, one, "GET", "/api/v2/brands", "").status)
	assert.Equal(t, http.StatusOK, do(t, s, two, "GET", "/api/v2/brands", "").status)
	assert.Equal(t, http.StatusBadRequest, do(t, s, "", "POST", "/oauth/v2/token/revoke?token="+one, "").status)

	s.RevokeTokens()
	assert.Equal(t, http.StatusUnauthorized, do(t, s, two, "GET", "/api/v2/brands", "").status)
	two = ask(t, s, refreshForm(s)).AccessToken
	postForm(t, s, "/oauth/v2/token/revoke", url.Values{"token": {s.Credentials().RefreshToken.Reveal()}})
	assert.Equal(t, http.StatusUnauthorized, do(t, s, two, "GET", "/api/v2/brands", "").status, "gone with its refresh token")
	assert.Equal(t, "invalid_code", ask(t, s, refreshForm(s)).Error)
}

func TestScopesOfTheRefreshTokenCanBeNarrowed(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.WithScopes("SalesIQ.chats.READ"))
	token := ask(t, s, refreshForm(s)).AccessToken
	assert.Equal(t, http.StatusOK, do(t, s, token, "GET", "/api/v2/chats", "").status)
	a := do(t, s, token, "GET", "/api/v2/brands", "")
	assert.Equal(t, http.StatusForbidden, a.status)
	assert.Equal(t, "SalesIQ.settings.READ", a.refusal(t).Details["required_scope"])
}
