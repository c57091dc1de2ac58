package salesiq

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
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

// OAuth signs a user in, once, for a refresh token to use from then on:
//
//   - send the user to [OAuth.AuthURL];
//   - read the request in which they come back with [OAuth.ParseCallback];
//   - turn its code into a [Token] with [OAuth.Exchange].
//
// A self client skips the first two: its code is made in the API console. One that
// acts for an organization needs no code: see [Credentials.SelfClient]. A program
// without a browser signs in with [OAuth.SignInDevice].
//
// Source: specification, "OAuth 2.0 Flow".
type OAuth struct {
	Credentials Credentials // ClientID and ClientSecret.
	DataCenter  DataCenter  // Where users are sent to sign in; [US] by default.
	Scopes      []Scope
	RedirectURL string // As registered; empty for a self client.

	// Organization asks an administrator to consent for the organization, so that the
	// token does not depend on one user. Whether the vendor permits this for the scopes
	// of SalesIQ is not published.
	Organization bool

	// Prompt is empty, or "consent" to ask for consent although it was given before:
	// the server gives a refresh token only with the user's first consent otherwise.
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
//	GET {accounts}/oauth/v2/org/auth   for Organization
//
// Errors: an [InputError] for a missing client ID, redirect URL, scope or state.
func (o *OAuth) AuthURL(state string) (string, error) {
	server, err := o.server("")
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
	page := "/oauth/v2/auth"
	if o.Organization {
		page = "/oauth/v2/org/auth"
	}
	config := oauth2.Config{
		ClientID:    o.Credentials.ClientID,
		Endpoint:    oauth2.Endpoint{AuthURL: server.site.Accounts + page},
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

// splitScopes reads the scopes of a token, which the server separates by spaces.
func splitScopes(text string) (scopes []Scope) {
	for name := range strings.FieldsFuncSeq(text, func(c rune) bool { return c == ',' || unicode.IsSpace(c) }) {
		scopes = append(scopes, Scope(name))
	}
	return scopes
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
	if o == nil {
		return AuthCode{}, errNilOAuth()
	}
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

// callbackDataCenter finds the data center that the callback names. Server and location
// must agree, where both are known.
func (o *OAuth) callbackDataCenter(server, location string) (DataCenter, error) {
	configured := siteOf(o.DataCenter)
	there, located := regionOfLocation(location)
	if server != "" {
		server = plainURL(withScheme(server))
		dc, ok := configured.signsInAt(server)
		switch {
		case !ok:
			return "", inputError("accounts-server", unknownServer(server))
		case located && dc.Hosts().region() != "" && dc.Hosts().Accounts != there.Hosts().Accounts:
			return "", inputError("location", fmt.Sprintf("%q does not belong to the accounts-server %s, which is that of data center %s: "+
				"the callback is damaged or forged; set OAuth.DataCenter to the one of the account, and sign in again", location, server, shortName(dc)))
		}
		return dc, nil
	}
	if location == "" || configured.region == "" {
		return configured.dataCenter(), nil
	}
	if !located {
		return "", inputError("location", fmt.Sprintf("%q is no data center that this package knows, and the callback names no accounts-server: "+
			"set OAuth.DataCenter to the one of the account", location))
	}
	if there.Hosts().Accounts == configured.Accounts && configured.region != CA {
		return configured.dataCenter(), nil
	}
	return there, nil
}

// signsInAt returns the data center whose OAuth server it is: this one, or a listed
// one. Canada's is [CACloud].
func (s site) signsInAt(server string) (DataCenter, bool) {
	for _, dc := range append([]DataCenter{s.dataCenter()}, DataCenters()...) {
		if server == dc.Hosts().Accounts && dc != CA {
			return dc, true
		}
	}
	return "", false
}

// unknownServer says how to go on with an OAuth server that is not known.
func unknownServer(server string) string {
	const reason = "is not the OAuth server of a known data center"
	dc, ok := regionAt(server)
	switch own := dc.Hosts().Accounts; {
	case !ok:
		return reason + ", so that the client secret is not sent there"
	case own != server:
		return fmt.Sprintf("%s: that of %s is %s, and not %s, so that the client secret is not sent there", reason, shortName(dc), own, server)
	}
	return fmt.Sprintf("%s: if %s is Zoho's, set OAuth.DataCenter to %s, and sign in again", reason, server, goName(dc))
}

// Exchange turns a code into a token. Keep the token with [TokenVault.Save], or
// its RefreshToken with the credentials. For a self client, give the code as
// AuthCode{Code: code}, and leave RedirectURL empty.
//
//	POST {accounts}/oauth/v2/token
//
// Errors: an [InputError]; an [AuthError] if the server refuses or gives no refresh
// token, and one that matches [ErrWrongDataCenter] if the account lives in another
// data center.
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
	token, err := server.token(ctx, func(ctx context.Context) (oauth.Token, error) {
		return server.endpoint.Exchange(ctx, o.Credentials.application(), code.Code.Reveal(), o.RedirectURL)
	})
	if err != nil {
		return Token{}, err
	}
	return token.granted()
}

var errNoRefresh = errors.New("the answer has no refresh token, which the server gives with the first consent only: " +
	"sign in again with OAuth.Prompt set to \"consent\", or remove the application from the account's connected apps first")

// granted returns the first token of a consent, which must have a refresh token.
func (t Token) granted() (Token, error) {
	if t.RefreshToken.IsZero() {
		return Token{}, &AuthError{Permanent: true, Err: errNoRefresh}
	}
	t.Grant = fingerprint(t.RefreshToken)
	return t, nil
}

// How often a device asks whether its user has consented.
const (
	devicePace     = 30 * time.Second // What the vendor permits.
	devicePaceStep = 5 * time.Second  // More, after each "slow_down".
)

// SignInDevice signs in where there is no browser. The func show tells the user at
// which address to enter which code, such as on any phone, and must not wait for that.
// SignInDevice then asks every 30 seconds, which is as often as the vendor permits,
// until the user has consented or the code is too old. The application's type in the
// API console must be one for devices.
//
// The account may live in another data center than o.DataCenter: the server that it
// lives at is asked from then on. [Token.DataCenter] tells which that is.
//
//	POST {accounts}/oauth/v3/device/code
//	POST {accounts}/oauth/v3/device/token
//
// Errors: an [InputError]; the error of show; an [AuthError] if the user refuses, the
// code is too old, or the server gives no refresh token.
func (o *OAuth) SignInDevice(ctx context.Context, show func(address, userCode string) error) (Token, error) {
	server, err := o.server("")
	if err == nil {
		err = cmp.Or(
			givenContext(ctx),
			given("show", show),
			exactly("client ID", o.Credentials.ClientID),
			requiredSecret("client secret", o.Credentials.ClientSecret),
			checkScopes(o.Scopes))
	}
	if err != nil {
		return Token{}, err
	}
	code, err := askServer(ctx, func(ctx context.Context) (oauth.DeviceCode, error) {
		return server.endpoint.DeviceCode(ctx, o.Credentials.ClientID, joinScopes(o.Scopes), o.Prompt)
	})
	if err != nil {
		return Token{}, err
	}
	_, err = usercode.Ask(ctx, func(context.Context) (struct{}, error) { return struct{}{}, show(code.Address, code.UserCode) })
	if err != nil {
		return Token{}, err
	}
	return o.awaitDevice(ctx, server, code)
}

// awaitDevice asks until the user has consented.
func (o *OAuth) awaitDevice(ctx context.Context, server *oauthServer, code oauth.DeviceCode) (Token, error) {
	for pace := max(devicePace, code.Interval); ; {
		select {
		case <-time.After(pace):
		case <-ctx.Done():
			return Token{}, context.Cause(ctx)
		}
		token, err := server.token(ctx, func(ctx context.Context) (oauth.Token, error) {
			return server.endpoint.DeviceToken(ctx, o.Credentials.application(), code.DeviceCode)
		})
		e, failed := errors.AsType[*AuthError](err)
		if !failed {
			return token.granted()
		}
		waiting := strings.EqualFold(e.Code, codePending) || strings.EqualFold(e.Code, codeSlowDown)
		switch {
		case waiting && time.Now().After(code.Expiry):
			return Token{}, &AuthError{Permanent: true, Err: errCodeExpired}
		case strings.EqualFold(e.Code, codeSlowDown):
			pace += devicePaceStep
		case strings.EqualFold(e.Code, codeOtherDC) && e.DataCenter != "" && e.DataCenter.Hosts().Accounts != server.site.Accounts:
			if server, err = o.server(e.DataCenter); err != nil {
				return Token{}, err
			}
		case !waiting && !e.unreachable, time.Now().After(code.Expiry):
			return Token{}, e
		}
	}
}

var errCodeExpired = errors.New("nobody consented before the code was too old: begin anew")

// Account is what [OAuth.Find] finds.
type Account struct {
	DataCenter DataCenter // Where the account lives: for [WithDataCenter].
	Scopes     []Scope    // What the token permits; none if the server does not say.
	Portals    []string   // Screen names, one of which is for [WithPortal].
	PortalsErr error      // Why there are none, such as a missing SalesIQ.portals.READ.
}

// Find tells where the account of o.Credentials lives, and what they permit: which
// options a client needs. It asks the OAuth server of each known data center, o's
// first, until one accepts the refresh token or tells which does, and then the service
// for the portals. So client secret and refresh token go to all those servers of
// Zoho's; but to none of them if o.DataCenter is one of your own. Each has 10 seconds.
// Of the 10 tokens in 10 minutes that the server gives out, one is spent.
//
//	POST {accounts}/oauth/v2/token
//	GET /api/v2/portals
//
// Errors: an [InputError]; an [AuthError] that tells what each server said. It is
// permanent if all of them answered.
func (o *OAuth) Find(ctx context.Context) (*Account, error) {
	if o == nil {
		return nil, errNilOAuth()
	}
	err := cmp.Or(
		givenContext(ctx),
		exactly("client ID", o.Credentials.ClientID),
		requiredSecret("client secret", o.Credentials.ClientSecret),
		requiredSecret("refresh token", o.Credentials.RefreshToken))
	if err != nil {
		return nil, err
	}
	said := make([]string, 0, len(dataCenters))
	nowhere := &AuthError{Permanent: true, Err: errFoundNowhere}
	for ahead := o.candidates(); len(ahead) > 0; {
		dc := ahead[0]
		ahead = ahead[1:]
		token, err := o.refreshAt(ctx, dc)
		e, failed := errors.AsType[*AuthError](err)
		switch {
		case err == nil:
			return o.account(ctx, dc, token), nil
		case !failed:
			return nil, err
		case ctx.Err() != nil, !e.RetryAt.IsZero() && (e.Code != "" || e.StatusCode == http.StatusTooManyRequests):
			return nil, e
		case strings.EqualFold(e.Code, codeOtherDC) && slices.Contains(ahead, e.DataCenter):
			ahead = []DataCenter{e.DataCenter}
		case e.Code == "":
			nowhere = &AuthError{Err: errNotAllAsked, RetryAt: later(nowhere.RetryAt, e.RetryAt)}
		}
		what := cmp.Or(e.Code, e.Description)
		if what == "" && e.Err != nil {
			what = e.Err.Error()
		}
		said = append(said, shortName(dc)+": "+what)
	}
	nowhere.Err = fmt.Errorf("%w (%s)", nowhere.Err, strings.Join(said, ", "))
	return nil, nowhere
}

// findPatience bounds the wait for one data center of many.
const findPatience = 10 * time.Second

// refreshAt asks the OAuth server of a data center for a token.
func (o *OAuth) refreshAt(ctx context.Context, dc DataCenter) (oauth.Token, error) {
	server, err := o.server(dc)
	if err != nil {
		return oauth.Token{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, findPatience, errNoAnswer)
	defer cancel()
	return askServer(ctx, func(ctx context.Context) (oauth.Token, error) {
		return server.endpoint.Refresh(ctx, o.Credentials.application(), o.Credentials.RefreshToken.Reveal())
	})
}

var (
	errFoundNowhere = errors.New("no data center accepts these credentials; where it says invalid_code, the client is known and the refresh token is not")
	errNotAllAsked  = errors.New("no data center that answered accepts these credentials, and not all did: try again")
)

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// candidates are the data centers in which an account may live.
func (o *OAuth) candidates() []DataCenter {
	first := siteOf(o.DataCenter)
	found := []DataCenter{first.dataCenter()}
	if first.region == "" {
		return found
	}
	for _, dc := range DataCenters() {
		if dc != CA && dc.Hosts().Accounts != first.Accounts {
			found = append(found, dc)
		}
	}
	return found
}

// account completes what is known of an account whose data center has given a token.
func (o *OAuth) account(ctx context.Context, dc DataCenter, token oauth.Token) *Account {
	found := &Account{DataCenter: dc, Scopes: splitScopes(token.Scope)}
	if theirs, ok := regionAt(token.APIDomain); ok && siteOf(dc).region != "" && theirs.Hosts().Accounts != dc.Hosts().Accounts {
		found.DataCenter = theirs
	}
	opts := []Option{WithDataCenter(found.DataCenter)}
	if o.HTTPClient != nil {
		opts = append(opts, WithHTTPClient(o.HTTPClient))
	}
	if o.Plaintext {
		opts = append(opts, WithPlaintext())
	}
	client, err := NewClient(StaticToken(token.AccessToken), opts...)
	if err != nil {
		found.PortalsErr = err
		return found
	}
	var portals []struct {
		ScreenName string `json:"screenname"`
	}
	found.PortalsErr = client.Do(ctx, http.MethodGet, "/portals", nil, &portals)
	for _, portal := range portals {
		found.Portals = append(found.Portals, portal.ScreenName)
	}
	return found
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
	_, err = askServer(ctx, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, server.endpoint.Revoke(ctx, token.Reveal())
	})
	return err
}

func errNilOAuth() error { return inputError("OAuth", "must not be nil") }

// server returns the OAuth server of a data center, o's by default.
func (o *OAuth) server(dc DataCenter) (*oauthServer, error) {
	if o == nil {
		return nil, errNilOAuth()
	}
	site := siteOf(cmp.Or(dc, o.DataCenter))
	base := http.DefaultTransport
	if o.HTTPClient != nil && o.HTTPClient.Transport != nil {
		base = o.HTTPClient.Transport
	}
	c := &config{plaintext: o.Plaintext, site: site, dataCenter: site.dataCenter()}
	server := newOAuthServer(site, base, defaultConfig().userAgent)
	return server, cmp.Or(absoluteURL("data center accounts", site.Accounts), c.checkTLS("data center accounts", site.Accounts), c.checkHosts())
}

// oauthServer is the OAuth server of one data center.
type oauthServer struct {
	site     site
	endpoint *oauth.Server
}

func newOAuthServer(site site, base http.RoundTripper, userAgent string) *oauthServer {
	return &oauthServer{site, &oauth.Server{URL: site.Accounts, Transport: base, UserAgent: userAgent}}
}

// refresh gets an access token for a refresh token. If the answer has no refresh token, the
// result has the given one. An error for a refresh token that the server refuses names it.
func (s *oauthServer) refresh(ctx context.Context, c Credentials, refreshToken Secret) (Token, error) {
	token, err := s.token(ctx, func(ctx context.Context) (oauth.Token, error) {
		return s.endpoint.Refresh(ctx, c.application(), refreshToken.Reveal())
	})
	if e, ok := errors.AsType[*AuthError](err); ok {
		switch strings.ToLower(e.Code) {
		case codeInvalidCode, codeInvalidGrant, codeInvalidRefreshToken:
			e.refused = fingerprint(refreshToken)
		}
	}
	return token, err
}

// clientCredentials gets an access token for a self client. If the answer names no scopes,
// the result has those that were asked for.
func (s *oauthServer) clientCredentials(ctx context.Context, c Credentials, self *selfClient) (Token, error) {
	token, err := s.token(ctx, func(ctx context.Context) (oauth.Token, error) {
		return s.endpoint.ClientCredentials(ctx, c.application(), joinScopes(self.scopes), self.soid)
	})
	if len(token.Scopes) == 0 && err == nil {
		token.Scopes = self.scopes
	}
	return token, err
}

// token makes one token request, and accepts the token if it belongs to this
// data center.
func (s *oauthServer) token(ctx context.Context, request func(context.Context) (oauth.Token, error)) (Token, error) {
	token, err := askServer(ctx, request)
	if err != nil {
		return Token{}, err
	}
	if err := cmp.Or(s.site.checkAPIDomain(token.APIDomain), s.site.checkLocation(token.Location)); err != nil {
		return Token{}, &AuthError{Permanent: true, Err: err}
	}
	return Token{
		AccessToken:  NewSecret(token.AccessToken),
		RefreshToken: NewSecret(token.RefreshToken),
		Expiry:       token.Expiry,
		APIDomain:    token.APIDomain,
		Scopes:       splitScopes(token.Scope),
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
