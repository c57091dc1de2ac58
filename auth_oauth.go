package salesiq

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"golang.org/x/oauth2"

	"github.com/salesiq-go/salesiq/internal/oauth"
	"github.com/salesiq-go/salesiq/internal/usercode"
)

// Scope is a permission that the user is asked for. Any other string of the
// service's can be used as well.
type Scope string

// The scopes of the specification, "Available Scopes".
const (
	ScopeOperatorsAll    Scope = "SalesIQ.operators.ALL"    // Full access to operators.
	ScopeOperatorsRead   Scope = "SalesIQ.operators.READ"   // Read operators.
	ScopeOperatorsCreate Scope = "SalesIQ.operators.CREATE" // Create operators.
	ScopeOperatorsUpdate Scope = "SalesIQ.operators.UPDATE" // Update operators.
	ScopeOperatorsDelete Scope = "SalesIQ.operators.DELETE" // Delete operators.
	ScopeVisitorsAll     Scope = "SalesIQ.visitors.ALL"     // Full access to visitors.
	ScopeVisitorsRead    Scope = "SalesIQ.visitors.READ"    // Read visitors.
	ScopeChatsAll        Scope = "SalesIQ.chats.ALL"        // Full access to chats.
	ScopeChatsRead       Scope = "SalesIQ.chats.READ"       // Read chats and transcripts.
	ScopeChatsCreate     Scope = "SalesIQ.chats.CREATE"     // Start chats.
	ScopeChatsUpdate     Scope = "SalesIQ.chats.UPDATE"     // Change a chat's state.
	ScopeLeadsAll        Scope = "SalesIQ.leads.ALL"        // Full access to leads.
	ScopeLeadsRead       Scope = "SalesIQ.leads.READ"       // Read leads.
	ScopeSettingsAll     Scope = "SalesIQ.settings.ALL"     // Full access to settings.
	ScopeSettingsRead    Scope = "SalesIQ.settings.READ"    // Read settings.
	ScopeAnalyticsRead   Scope = "SalesIQ.analytics.READ"   // Read analytics.
)

// PromptConsent asks for consent although it was given before. See [OAuth].
const PromptConsent = "consent"

// OAuth signs a user in, once, for a refresh token to use from then on:
//
//   - send the user to [OAuth.AuthURL];
//   - read the request in which they come back with [OAuth.ParseCallback];
//   - turn its code into a [Token] with [OAuth.Exchange].
//
// A self client skips the first two: its code is made in the API console.
//
// Source: specification, "OAuth 2.0 Flow".
type OAuth struct {
	Credentials Credentials // ClientID and ClientSecret.
	DataCenter  DataCenter  // Where users are sent to sign in; [US] by default.
	Scopes      []Scope
	RedirectURL string // As registered; empty for a self client.

	// Prompt is empty or [PromptConsent]. The server gives a refresh token only
	// with the user's first consent, unless it is asked for again.
	Prompt string

	// HTTPClient gives its transport to the requests. Redirects are refused. The
	// default is [http.DefaultTransport].
	HTTPClient *http.Client

	// Plaintext permits plain HTTP to other hosts than this machine's own. The
	// client secret can then be read on the way.
	Plaintext bool
}

// AuthCode is what a user comes back with, for [OAuth.Exchange].
type AuthCode struct {
	Code Secret // Good for two minutes, and once.

	// DataCenter is the one that the account lives in, which the client must use
	// from then on. Empty stands for that of [OAuth].
	DataCenter DataCenter
}

// AuthURL returns the address of the page on which the user consents. The state
// is any unguessable string, bound to the user's session; it comes back in the
// callback.
//
//	GET {accounts}/oauth/v2/auth
//
// Errors: an [InputError] for a missing client ID, redirect URL, scope or state.
func (o *OAuth) AuthURL(state string) (string, error) {
	server, err := o.server(o.DataCenter)
	if err == nil {
		err = cmp.Or(
			exactly("client ID", o.Credentials.ClientID),
			absoluteURL("redirect URL", o.RedirectURL),
			checkScopes(o.Scopes),
			required("state", state))
	}
	if err != nil {
		return "", err
	}
	config := oauth2.Config{
		ClientID:    o.Credentials.ClientID,
		Endpoint:    oauth2.Endpoint{AuthURL: server.site.Accounts + "/oauth/v2/auth"},
		RedirectURL: o.RedirectURL,
		Scopes:      []string{joinScopes(o.Scopes)},
	}
	options := []oauth2.AuthCodeOption{oauth2.AccessTypeOffline}
	if o.Prompt != "" {
		options = append(options, oauth2.SetAuthURLParam("prompt", o.Prompt))
	}
	return config.AuthCodeURL(state, options...), nil
}

// checkScopes refuses white space, with which a scope is another one.
func checkScopes(scopes []Scope) error {
	for _, scope := range scopes {
		if strings.ContainsFunc(string(scope), unicode.IsSpace) {
			return inputError("scopes", fmt.Sprintf("must not hold white space, as %q does", scope))
		}
	}
	return requiredTexts("scopes", scopes)
}

// joinScopes separates scopes by commas, as the service wants them. x/oauth2 would
// use spaces.
func joinScopes(scopes []Scope) string {
	names := make([]string, len(scopes))
	for i, scope := range scopes {
		names[i] = string(scope)
	}
	return strings.Join(names, ",")
}

// ParseCallback reads the query with which the user comes back, such as
// r.URL.Query(). The state is the one given to AuthURL.
//
// The query names the OAuth server that knows the code. It must be the server of a
// known data center, or the configured one, since the client secret is sent there.
// For an account in Canada, the result is [CACloud].
//
// Errors: an [InputError] for another state, a missing code, a foreign server, or a
// location without a server that is not known;
// an [AuthError] with the server's code, such as "access_denied".
func (o *OAuth) ParseCallback(query url.Values, state string) (AuthCode, error) {
	if state == "" || subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(state)) != 1 {
		return AuthCode{}, inputError("state", "is not the one that was sent: the callback belongs to another sign-in, or is forged")
	}
	if code := query.Get("error"); code != "" {
		return AuthCode{}, newAuthError(oauth.ConsentFailure(code, query.Get("error_description")))
	}
	if err := checkToken("code", query.Get("code")); err != nil {
		return AuthCode{}, err
	}
	dc, err := o.callbackDataCenter(query.Get("accounts-server"), query.Get("location"))
	if err != nil {
		return AuthCode{}, err
	}
	return AuthCode{Code: NewSecret(query.Get("code")), DataCenter: dc}, nil
}

// callbackDataCenter finds the data center that the callback names.
func (o *OAuth) callbackDataCenter(server, location string) (DataCenter, error) {
	configured := siteOf(o.DataCenter)
	if server = plainURL(server); server != "" {
		for _, dc := range append([]DataCenter{configured.dataCenter()}, DataCenters()...) {
			if server == dc.Hosts().Accounts && dc != CA {
				return dc, nil
			}
		}
		return "", inputError("accounts-server", unknownServer(server))
	}
	if location == "" || configured.region == "" {
		return configured.dataCenter(), nil
	}
	dc, ok := regionNames[strings.ToLower(location)]
	if !ok {
		return "", inputError("location", fmt.Sprintf("%q is no data center that this package knows, and the callback names no accounts-server: "+
			"set OAuth.DataCenter to the one of the account", location))
	}
	if dc.Hosts().Accounts == configured.Accounts {
		return configured.dataCenter(), nil
	}
	return dc, nil
}

// unknownServer says how to go on with an OAuth server that is not known.
func unknownServer(server string) string {
	reason := "is not the OAuth server of a known data center"
	if dc, ok := regionAt(server); ok {
		return fmt.Sprintf("%s: if %s is Zoho's, set OAuth.DataCenter to %s, and sign in again", reason, server, goName(dc))
	}
	return reason + ", so that the client secret is not sent there"
}

// Exchange turns a code into a token. Keep the token with [TokenVault.Save], or
// its RefreshToken with the credentials. For a self client, give the code as
// AuthCode{Code: code}, and leave RedirectURL empty.
//
//	POST {accounts}/oauth/v2/token
//
// Errors: an [InputError]; an [AuthError] if the server refuses, and one that
// matches [ErrWrongDataCenter] if the account lives in another data center.
func (o *OAuth) Exchange(ctx context.Context, code AuthCode) (Token, error) {
	server, err := o.server(code.DataCenter)
	if err == nil {
		err = cmp.Or(
			givenContext(ctx),
			exactly("client ID", o.Credentials.ClientID),
			requiredSecret("client secret", o.Credentials.ClientSecret),
			requiredSecret("code", code.Code))
	}
	if err != nil {
		return Token{}, err
	}
	token, err := server.exchange(ctx, o.Credentials, code, o.RedirectURL)
	if !token.RefreshToken.IsZero() {
		token.Grant = fingerprint(token.RefreshToken)
	}
	return token, err
}

// Revoke makes a token useless: an access token, or a refresh token with all
// access tokens made from it. The request goes to the OAuth server of o.DataCenter.
//
//	POST {accounts}/oauth/v2/token/revoke
//
// Errors: an [InputError]; an [AuthError] if the server refuses.
func (o *OAuth) Revoke(ctx context.Context, token Secret) error {
	server, err := o.server("")
	if err != nil {
		return err
	}
	if err := cmp.Or(givenContext(ctx), requiredSecret("token", token)); err != nil {
		return err
	}
	return server.revoke(ctx, token)
}

// server returns the OAuth server of a data center, o's by default.
func (o *OAuth) server(dc DataCenter) (*oauthServer, error) {
	site := siteOf(cmp.Or(dc, o.DataCenter))
	base := http.DefaultTransport
	if o.HTTPClient != nil && o.HTTPClient.Transport != nil {
		base = o.HTTPClient.Transport
	}
	c := &config{plaintext: o.Plaintext}
	server := newOAuthServer(site, base, defaultConfig().userAgent)
	return server, cmp.Or(absoluteURL("data center accounts", site.Accounts), c.checkTLS("data center accounts", site.Accounts))
}

// oauthServer is the OAuth server of one data center.
type oauthServer struct {
	site     site
	endpoint *oauth.Server
}

func newOAuthServer(site site, base http.RoundTripper, userAgent string) *oauthServer {
	return &oauthServer{site, &oauth.Server{URL: site.Accounts, Transport: base, UserAgent: userAgent}}
}

func (s *oauthServer) exchange(ctx context.Context, c Credentials, code AuthCode, redirectURL string) (Token, error) {
	return s.token(ctx, func(ctx context.Context) (oauth.Token, error) {
		return s.endpoint.Exchange(ctx, c.application(), code.Code.Reveal(), redirectURL)
	})
}

// refresh gets an access token for a refresh token. If the answer has no refresh
// token, the result has the given one.
func (s *oauthServer) refresh(ctx context.Context, c Credentials, refreshToken Secret) (Token, error) {
	return s.token(ctx, func(ctx context.Context) (oauth.Token, error) {
		return s.endpoint.Refresh(ctx, c.application(), refreshToken.Reveal())
	})
}

func (s *oauthServer) revoke(ctx context.Context, token Secret) error {
	_, err := askServer(ctx, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.endpoint.Revoke(ctx, token.Reveal())
	})
	return err
}

// token makes one token request, and accepts the token if it belongs to this
// data center.
func (s *oauthServer) token(ctx context.Context, request func(context.Context) (oauth.Token, error)) (Token, error) {
	token, err := askServer(ctx, request)
	if err != nil {
		return Token{}, err
	}
	if err := s.site.checkAPIDomain(token.APIDomain); err != nil {
		return Token{}, &AuthError{Permanent: true, Err: err}
	}
	return Token{
		AccessToken:  NewSecret(token.AccessToken),
		RefreshToken: NewSecret(token.RefreshToken),
		Expiry:       token.Expiry,
		APIDomain:    token.APIDomain,
		AccountsURL:  s.site.Accounts,
	}, nil
}

func (c Credentials) application() oauth.Application {
	return oauth.Application{ClientID: c.ClientID, ClientSecret: c.ClientSecret.Reveal()}
}

// requestTimeout bounds one request to the OAuth server.
const requestTimeout = 30 * time.Second

var errNoAnswer = errors.New("the OAuth server did not answer in time")

// askServer makes one request to the OAuth server. The request ends in time even if
// the user's transport ignores its context. The error is an [AuthError].
func askServer[T any](ctx context.Context, request func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, requestTimeout, errNoAnswer)
	defer cancel()
	value, err := usercode.Ask(ctx, request)
	if err != nil {
		return value, newAuthError(err)
	}
	return value, nil
}
