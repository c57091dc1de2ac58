package salesiq

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"golang.org/x/oauth2"

	"github.com/salesiq-go/salesiq/internal/transport"
	"github.com/salesiq-go/salesiq/internal/usercode"
)

// Authenticator supplies the access tokens of a [Client]: [RefreshToken],
// [StaticToken], or [TokenSource] for anything else.
type Authenticator interface {
	// bind ties the authenticator to the hosts of one client.
	bind(c *config) (transport.Tokens, error)
}

// scheme begins the Authorization header of a request to the service.
const scheme = "Zoho-oauthtoken "

// StaticToken signs in with an access token that never changes. The service lets
// the token expire after an hour.
func StaticToken(token string) Authenticator {
	return &staticToken{header: NewSecret(scheme + token)}
}

type staticToken struct {
	header Secret
}

func (s *staticToken) bind(*config) (transport.Tokens, error) {
	return s, checkToken("access token", s.header.Reveal()[len(scheme):])
}

func (s *staticToken) Header(context.Context) (string, error) { return s.header.Reveal(), nil }

func (s *staticToken) Rejected(string) transport.Refusal { return transport.TokenKept }

func (s *staticToken) Accepted(string) {}

func checkToken(field, token string) error {
	if err := cmp.Or(exactly(field, token), notMask(field, token)); err != nil {
		return err
	}
	if !transport.ValidToken(token) {
		return inputError(field, "must not hold spaces or control characters")
	}
	return nil
}

// TokenSource signs in with the tokens of source. The source is asked before each
// attempt, and does its own caching. A call waits for it no longer than the
// context of the call lasts.
func TokenSource(source oauth2.TokenSource) Authenticator {
	if usercode.IsNil(source) {
		return &foreignTokens{}
	}
	return &foreignTokens{source.Token}
}

type foreignTokens struct {
	token func() (*oauth2.Token, error) // Nil for no source. A func shows nothing when it is printed.
}

func (f *foreignTokens) bind(*config) (transport.Tokens, error) {
	if f.token == nil {
		return nil, inputError("token source", "must not be nil")
	}
	return f, nil
}

func (f *foreignTokens) Header(ctx context.Context) (string, error) {
	token, err := usercode.Ask(ctx, func(context.Context) (*oauth2.Token, error) { return f.token() })
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused):
		// The text of the error may hold the whole answer, so it is dropped.
		return "", &AuthError{Code: refused.ErrorCode, StatusCode: statusOf(refused), Err: errForeignRefused}
	case err != nil && ctx.Err() != nil:
		return "", err
	case err != nil:
		return "", &AuthError{Err: err}
	case token == nil || checkToken("access token", token.AccessToken) != nil:
		return "", &AuthError{Err: errForeignToken}
	}
	return scheme + token.AccessToken, nil
}

var (
	errForeignRefused = errors.New("the OAuth server refused the token source")
	errForeignToken   = errors.New("the token source returned no usable token")
)

func statusOf(e *oauth2.RetrieveError) int {
	if e.Response == nil {
		return 0
	}
	return e.Response.StatusCode
}

func (f *foreignTokens) Rejected(string) transport.Refusal { return transport.TokenDropped }

func (f *foreignTokens) Accepted(string) {}

// Credentials identify an application, and the user on whose behalf it acts.
type Credentials struct {
	ClientID     string
	ClientSecret Secret
	RefreshToken Secret // Does not expire. Empty where a [TokenVault] holds it.
}

// RefreshToken signs in with a refresh token, and keeps the tokens that it gets in
// vault. A nil vault stands for [NewMemoryTokenStore].
//
// An access token is renewed in the background a minute and a half before it
// expires, and at once when the service refuses it. However many calls need a
// token, one refresh is made, and all calls share its success or failure. It is one
// request, as a rule, and six at most. Each call waits no longer than its own context.
// A failure is an [AuthError]. It is remembered until its RetryAt, so that an outage or a
// revoked token does not become a storm. If the service refuses one requested token after another, the
// last one stays in use for a while, so that calls fail with what the service says.
// No more than 10 tokens are requested in 10 minutes, which is what the service
// allows. A token is stored with all requests before it, those in vain among them. So this
// is true of all processes together that share the vault, but for what another one has
// asked in vain since its last token.
//
// The vault is read before each request: a newer token that another process has
// put there is used instead. It is read again after a request that has failed, and
// once a second until RetryAt, if there are calls: another process may have been
// faster, or a user may have signed in again. The vault is written after each
// request, before the calls go on. If that fails, the calls go on nevertheless, the
// client's logger gets a warning (without one, [slog.Default] does, once), and the next
// renewal writes again. A vault that
// cannot be read at the start is an error, since without it each start would use up
// one of the 10 tokens. Later, that is a warning. A stored token is used only with
// the credentials and the OAuth server that it came from. Where the credentials hold no
// refresh token, a stored one of another server is a permanent error.
//
// The authenticator may serve several clients of the same data center. It uses the
// transport and logger of the first. NewClient refuses it for another data center.
func RefreshToken(credentials Credentials, vault *TokenVault) Authenticator {
	return &refreshAuth{credentials: &credentials, vault: vault}
}

// SelfClient signs in a self client for its organization, without a user or a refresh
// token (grant type client_credentials). The soid names the organization by service
// and number, such as SalesIQ.600434; empty names none, which the server may refuse
// with "missing_org_info". The service's name within it is not published for SalesIQ.
// Otherwise it is as [RefreshToken]; the RefreshToken of c must be empty.
func (c Credentials) SelfClient(vault *TokenVault, soid string, scopes ...Scope) Authenticator {
	return &refreshAuth{credentials: &c, vault: vault, self: &selfClient{soid: soid, scopes: scopes}}
}

// selfClient is what a self client asks for.
type selfClient struct {
	soid   string
	scopes []Scope
}

func (s *selfClient) check(c *Credentials) error {
	if !c.RefreshToken.IsZero() {
		return inputError("refresh token", "must be empty: a self client's credentials are enough")
	}
	if service, number, ok := strings.Cut(s.soid, "."); s.soid != "" && (!ok || service == "" || number == "") {
		return inputError("soid", "must be the service's name, a dot, and the organization's number")
	}
	return cmp.Or(printable("soid", s.soid), checkScopes(s.scopes))
}

// fingerprint tells what a stored token was asked with.
func (s *selfClient) fingerprint(c *Credentials) string {
	return fingerprint(NewSecret(strings.Join([]string{c.ClientID, c.ClientSecret.Reveal(), s.soid, joinScopes(s.scopes)}, "\n")))
}

type refreshAuth struct {
	credentials *Credentials
	vault       *TokenVault
	self        *selfClient // Nil for a refresh token.
	forgiving   bool        // A file that does not open is left alone, and done without.

	mu        sync.Mutex
	refresher *refresher
}

func (a *refreshAuth) bind(c *config) (transport.Tokens, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.check(); err != nil {
		return nil, err
	}
	if a.refresher == nil {
		a.doWithoutVault(c)
		a.refresher = newRefresher(c, a.credentials, a.vault, a.self)
	}
	bound := a.refresher.finder.server.site
	if bound.API != c.site.API || bound.Accounts != c.site.Accounts {
		return nil, inputError("authenticator", fmt.Sprintf("serves a client of %s already, and cannot serve %s: tokens are good for one data center",
			bound.API, c.site.API))
	}
	return a.refresher, nil
}

func (a *refreshAuth) check() error {
	if a.vault == nil {
		a.vault = NewMemoryTokenStore()
		if a.self == nil {
			if err := checkToken("refresh token", a.credentials.RefreshToken.Reveal()); err != nil {
				return err
			}
		}
	}
	if a.self != nil {
		if err := a.self.check(a.credentials); err != nil {
			return err
		}
	}
	if mine := a.credentials.RefreshToken; !mine.IsZero() {
		if err := exactly("refresh token", mine.Reveal()); err != nil {
			return err
		}
	}
	return cmp.Or(
		a.vault.check(),
		exactly("client ID", a.credentials.ClientID),
		requiredSecret("client secret", a.credentials.ClientSecret))
}

// doWithoutVault keeps the token in memory if what is stored does not open, and the
// credentials can do without it.
func (a *refreshAuth) doWithoutVault(c *config) {
	if !a.forgiving || a.credentials.RefreshToken.IsZero() {
		return
	}
	logger := c.logger
	if logger == nil {
		logger = slog.Default() // Whoever sets variables alone has none, and must hear of it.
	}
	if store, ok := a.vault.store.(*fileStore); ok && store.isEmpty() {
		logger.Warn("salesiq token file is empty: it is filled with the first token", slog.String("file", store.path))
		return
	}
	stored, err := a.vault.Load(context.Background())
	if err == nil && stored.Grant != "" && stored.Grant != fingerprint(a.credentials.RefreshToken) {
		logger.Warn("salesiq token file is another refresh token's than ZOHO_REFRESH_TOKEN: it is replaced with the first token")
	}
	if !isUnopened(err) {
		return
	}
	a.vault = NewMemoryTokenStore()
	logger.Warn("salesiq token file not used: the token is in memory alone, and each start requests one; delete the file to begin anew",
		slog.String("cause", err.Error()))
}

// fingerprint returns a hash by which a secret can be recognized.
func fingerprint(secret Secret) string {
	sum := sha256.Sum256([]byte(secret.Reveal()))
	return hex.EncodeToString(sum[:16])
}
