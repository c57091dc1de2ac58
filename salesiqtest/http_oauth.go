package salesiqtest

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
)

// What the OAuth server permits, as published for the live one.
const (
	codeLifetime    = 2 * time.Minute
	throttleWindow  = 10 * time.Minute
	throttleLimit   = 10 // Access tokens of one refresh token in that window.
	maxActiveTokens = 15 // Of one refresh token; one more ends the oldest.
)

// tokens is what the OAuth server has given out.
type tokens struct {
	access  map[string]*accessToken
	grants  map[string]*grant // By refresh token.
	codes   map[string]*code
	devices map[string]*device // By device code.
	client  *grant             // Of the client that signs in without a user; nil before the first time.
}

// accessToken opens the API for a while.
type accessToken struct {
	scopes  []string
	org     bool // Of an organization's client.
	expires time.Time
}

// grant is what one user has permitted to one client.
type grant struct {
	scopes []string
	org    bool        // An administrator has permitted it to an organization's client.
	issued []time.Time // Access tokens, within the throttle's window.
	active []string    // Access tokens, oldest first.
}

// code is a consent that waits to be exchanged.
type code struct {
	scopes      []string
	org         bool
	redirectURI string // Empty for a self-client's.
	offline     bool
	expires     time.Time
}

// prepare adds the default grants, and forgets how many tokens were given out.
func (t *tokens) prepare(c config) {
	if t.access == nil {
		t.access, t.grants, t.codes = map[string]*accessToken{}, map[string]*grant{}, map[string]*code{}
		t.devices = map[string]*device{}
	}
	for _, token := range []string{refreshToken, orgRefreshToken} {
		if t.grants[token] == nil {
			t.grants[token] = &grant{org: token == orgRefreshToken}
		}
		t.grants[token].scopes = c.scopes
	}
	for _, g := range t.grants {
		g.issued = nil
	}
	t.client = nil
}

// newToken returns a secret in the notation of the live service. It is not the
// same at every start, so that tokens of an earlier server are invalid.
func newToken() string { return "1000." + randomText(26) + "." + randomText(26) }

// randomText is a text of letters and digits. It guards nothing: crypto/rand panics
// in the virtual time of a test where FIPS 140-3 is in force, since the clock that
// it takes its entropy from stands still.
func randomText(length int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	text := make([]byte, length)
	for i := range text {
		text[i] = letters[rand.IntN(len(letters))]
	}
	return string(text)
}

// issue makes an access token that counts towards no limit.
func (t *tokens) issue(scopes []string, expires time.Time) string {
	token := newToken()
	t.access[token] = &accessToken{scopes: scopes, expires: expires}
	return token
}

// allow reports whether a grant may have one more access token now.
func (g *grant) allow(now time.Time) bool {
	g.issued = slices.DeleteFunc(g.issued, func(at time.Time) bool { return now.Sub(at) >= throttleWindow })
	return len(g.issued) < throttleLimit
}

// issueFor makes an access token of a grant, and ends the oldest if there are
// too many.
func (t *tokens) issueFor(g *grant, now, expires time.Time) string {
	token := t.issue(g.scopes, expires)
	t.access[token].org = g.org
	g.issued = append(g.issued, now)
	g.active = slices.DeleteFunc(g.active, func(old string) bool {
		a := t.access[old]
		return a == nil || !a.expires.After(now)
	})
	g.active = append(g.active, token)
	for len(g.active) > maxActiveTokens {
		delete(t.access, g.active[0])
		g.active = g.active[1:]
	}
	return token
}

// revoke ends an access token, or a refresh token with all that came from it.
func (t *tokens) revoke(token string) bool {
	if g := t.grants[token]; g != nil {
		for _, a := range g.active {
			delete(t.access, a)
		}
		delete(t.grants, token)
		return true
	}
	known := t.access[token] != nil
	delete(t.access, token)
	return known
}

// presented returns the access token of a request, which follows one of schemes.
func presented(header http.Header, schemes []string) string {
	scheme, token, _ := strings.Cut(header.Get("Authorization"), " ")
	if slices.ContainsFunc(schemes, func(known string) bool { return strings.EqualFold(scheme, known) }) {
		return strings.TrimSpace(token)
	}
	return ""
}

// authenticate finds the token of a request.
func (t *tokens) authenticate(header http.Header, schemes []string, now time.Time) (*accessToken, error) {
	text := presented(header, schemes)
	if text == "" {
		refused := refuse(salesiq.ErrInvalidToken, "there is no access token: Authorization must be "+
			strings.Join(schemes, ", or ")+", a space, and the token", details{"field": "Authorization"})
		refused.number = 1002
		return nil, refused
	}
	token := t.access[text]
	if token == nil {
		return nil, refuse(salesiq.ErrInvalidToken, "the access token is not valid", details{"field": "Authorization"})
	}
	if !token.expires.After(now) {
		return nil, refuse(salesiq.ErrInvalidToken, "the access token has expired",
			details{"field": "Authorization", "token_expires_at": token.expires})
	}
	return token, nil
}

// covered reports whether scopes permit a call that needs one. A scope that ends in .ALL
// permits all that begins like it.
func covered(scopes []string, need string) bool {
	return need == "" || slices.ContainsFunc(scopes, func(scope string) bool {
		family, all := strings.CutSuffix(scope, "ALL")
		return scope == need || all && strings.HasPrefix(need, family)
	})
}

// AccessToken returns a new access token for requests that are not made by a
// [salesiq.Client]. Without scopes it permits everything. It lives as long as
// others but counts for no limit.
func (s *Server) AccessToken(scopes ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens.issue(orAll(scopes), s.now().Add(s.config.tokenLifetime))
}

// AuthorizationCode returns a code as the API console gives it to a
// self-client: it is exchanged without a redirect URI, once, within two
// minutes. Without scopes it permits everything.
func (s *Server) AuthorizationCode(scopes ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newCode(code{scopes: orAll(scopes), offline: true})
}

func orAll(scopes []string) []string {
	if len(scopes) == 0 {
		return allScopes
	}
	return scopes
}

// RevokeTokens ends all access tokens at once. Refresh tokens stay.
func (s *Server) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens.access)
}

func (s *Server) revokePresented(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens.access, presented(r.Header, s.config.dialect.schemes()))
}

func (s *Server) newCode(c code) string {
	text := newToken()
	c.expires = s.now().Add(codeLifetime)
	s.tokens.codes[text] = &c
	return text
}

// consent stands for the page on which a user agrees to scopes. It agrees at once.
func (s *Server) consent(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	redirect, err := url.Parse(query.Get("redirect_uri"))
	switch {
	case query.Get("client_id") != clientID:
		writeJSON(w, http.StatusBadRequest, object{"error": "invalid_client"})
		return
	case err != nil || !redirect.IsAbs() || redirect.Host == "" || !s.mayRedirect(query.Get("redirect_uri"), redirect):
		writeJSON(w, http.StatusBadRequest, object{"error": "invalid_redirect_uri"})
		return
	}
	answer := redirect.Query()
	answer.Set("state", query.Get("state"))
	scopes := splitScopes(query.Get("scope"))
	switch {
	case query.Get("response_type") != "code":
		answer.Set("error", "unsupported_response_type")
	case len(scopes) == 0:
		answer.Set("error", "invalid_scope")
	default:
		s.mu.Lock()
		defer s.mu.Unlock()
		answer.Set("code", s.newCode(code{
			scopes:      scopes,
			org:         strings.HasPrefix(r.URL.Path, "/oauth/v2/org/"),
			redirectURI: redirect.String(),
			offline:     query.Get("access_type") == "offline",
		}))
		answer.Set("location", "us")
		answer.Set("accounts-server", s.URL)
	}
	redirect.RawQuery = answer.Encode()
	w.Header().Set("Location", redirect.String())
	w.WriteHeader(http.StatusFound)
}

// issueToken answers POST /oauth/v2/token. Parameters count from a form of either
// kind in the body and from the query; errors have status 200, as those of the
// live service.
func (s *Server) issueToken(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.TokenRequests++
	g, refresh, reason := s.grantFor(r)
	if reason != "" {
		s.stats.TokensDenied++
		writeJSON(w, http.StatusOK, object{"error": reason})
		return
	}
	s.giveToken(w, g, refresh)
}

// giveToken answers with an access token of a grant, unless it has had too many.
func (s *Server) giveToken(w http.ResponseWriter, g *grant, refresh string) {
	now := s.now()
	switch {
	case !g.allow(now):
		s.stats.TokensDenied++
		writeJSON(w, s.config.throttleStatus, object{
			"error": "Access Denied", "error_description": "too many tokens were asked for; wait some minutes", "status": "failure",
		})
	default:
		s.stats.TokensIssued++
		var scope string // The specification's answer has none.
		if s.config.dialect.portal() != "" {
			scope = strings.Join(g.scopes, " ")
		}
		writeJSON(w, http.StatusOK, object{
			"access_token": s.tokens.issueFor(g, now, now.Add(s.config.tokenLifetime)), "refresh_token": refresh,
			"api_domain": cmp.Or(s.config.apiDomain, s.URL), "token_type": "Bearer", "expires_in": int(s.config.tokenLifetime / time.Second),
			"scope": scope,
		}.without("refresh_token", "scope"))
	}
}

// grantFor finds what a request for a token relies on, or the reason to refuse it.
func (s *Server) grantFor(r *http.Request) (g *grant, refresh, reason string) {
	if err := r.ParseMultipartForm(maxBody); err != nil && !errors.Is(err, http.ErrNotMultipart) { //nolint:gosec // serve has bounded the body.
		return nil, "", "invalid_request"
	}
	switch form := r.Form; {
	case form.Get("client_id") != clientID:
		reason = "invalid_client"
	case form.Get("client_secret") != clientSecret:
		reason = "invalid_client_secret"
	case form.Get("grant_type") == "authorization_code":
		return s.exchange(form.Get("code"), form.Get("redirect_uri"))
	case form.Get("grant_type") == "client_credentials":
		if g, reason = grantClient(form.Get("scope"), form.Get("soid")); reason == "" {
			s.tokens.client = cmp.Or(s.tokens.client, g)
			s.tokens.client.scopes = g.scopes
			g = s.tokens.client
		}
	case form.Get("grant_type") != "refresh_token":
		reason = "unsupported_grant_type"
	default:
		if g = s.tokens.grants[form.Get("refresh_token")]; g == nil {
			reason = "invalid_code"
		}
	}
	return g, "", reason
}

// exchange makes a grant of a code, and tells its refresh token if the client asked
// for one.
func (s *Server) exchange(text, redirectURI string) (g *grant, refresh, reason string) {
	c := s.tokens.codes[text]
	if c == nil || !c.expires.After(s.now()) {
		return nil, "", "invalid_code"
	}
	if redirectURI != c.redirectURI {
		return nil, "", "invalid_redirect_uri"
	}
	delete(s.tokens.codes, text)
	g, refresh = s.newGrant(c.scopes, c.offline, c.org)
	return g, refresh, ""
}

// newGrant keeps what a user has permitted under a refresh token, if the client asked
// for one.
func (s *Server) newGrant(scopes []string, offline, org bool) (g *grant, refresh string) {
	g = &grant{scopes: scopes, org: org}
	if offline {
		refresh = newToken()
		s.tokens.grants[refresh] = g
	}
	return g, refresh
}

// revokeToken answers POST /oauth/v2/token/revoke.
func (s *Server) revokeToken(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.tokens.revoke(r.FormValue("token")) {
		writeJSON(w, http.StatusBadRequest, object{"error": "invalid_token"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "success"})
}

// Environment returns the variables that [salesiq.NewClientFromEnv] reads, and
// the address of the CRM calls, as lines of NAME=value. With [WithBot], there are also
// SALESIQ_BOT_KEY, the public key of what the bot is told, as [webhook.ParseRSAKey] reads
// it, and SALESIQ_WIDGET_PAGE, where the bot can be tried in a browser.
func (s *Server) Environment() []string {
	lines := []string{
		"SALESIQ_BASE_URL=" + s.URL,
		"SALESIQ_ACCOUNTS_URL=" + s.URL,
		"SALESIQ_CRM_URL=" + s.URL,
		"ZOHO_CLIENT_ID=" + clientID,
		"ZOHO_CLIENT_SECRET=" + clientSecret,
		"ZOHO_REFRESH_TOKEN=" + refreshToken,
	}
	if portal := s.config.dialect.portal(); portal != "" {
		lines = append(lines, "SALESIQ_PORTAL="+portal)
	}
	if s.config.bot != nil {
		lines = append(lines, "SALESIQ_BOT_KEY="+publicKeyText(&s.webhookKey().PublicKey), "SALESIQ_WIDGET_PAGE="+s.URL+"/widget/page")
	}
	return lines
}
