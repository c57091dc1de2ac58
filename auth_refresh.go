package salesiq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/salesiq-go/salesiq/internal/hooks"
	"github.com/salesiq-go/salesiq/internal/transport"
	"github.com/salesiq-go/salesiq/internal/usercode"
)

// When a token is renewed.
const (
	renewBefore   = 90 * time.Second // Before expiry: in the background.
	expiryMargin  = 15 * time.Second // Before expiry: calls wait for the new one.
	renewInterval = 30 * time.Second // Between attempts in the background.
)

// How long a failure is remembered. It doubles with each further one.
const (
	firstPause = 5 * time.Second
	maxPause   = 80 * time.Second

	firstPermanentPause = time.Minute
	maxPermanentPause   = 10 * time.Minute
)

// The OAuth server gives out tokenBudget tokens in ten minutes. It counts by its
// own clock, from the arrival of a request, so tokenWindow is a little longer.
const (
	tokenBudget = 10
	tokenWindow = 10*time.Minute + 5*time.Second
)

// Time limits for the store and its lock, the pause before a second try, and how
// often the store is read while no token is requested after a failure.
const (
	storeTimeout = 5 * time.Second
	lockTimeout  = 15 * time.Second
	secondTry    = time.Second
	lookInterval = time.Second
)

var (
	errBudget         = errors.New("10 tokens were requested within 10 minutes, which is all that the service allows")
	errNoRefreshToken = errors.New("neither the credentials nor the store hold a refresh token")
)

// refresher keeps an access token fresh. Each refresh is begun by a call, and may
// outlive that call. There is no timer. The token decides what a call gets:
//
//	the token              a call gets
//	---------------------  ---------------------------------------------------
//	fresh                  the token
//	due (renewAt)          the token, and begins a refresh
//	stale (staleAt)        what the refresh finds; if that fails, the token
//	expired, or none yet   what the refresh finds
//	refused                what the refresh finds
//	refused, as the one    the token, until keep is over: it is not the cause
//	before it was
//
// A token from the store that is refused proves nothing about the next one, since
// another process may have stored it before things changed. So the last line is for
// tokens that were requested.
//
// After a refresh that has failed, no token is requested for a while. Calls that
// would wait get the failure at once, but for one in a second: that one looks
// whether the store has something new, since another process may have been luckier.
type refresher struct {
	renewer *renewer
	hooks   hooks.Starts[RefreshTrace, RefreshTrace]

	current atomic.Pointer[bearer] // Nil before the first, and once it was refused.

	mu       sync.Mutex // Guards what follows.
	flight   *flight    // The refresh under way.
	started  time.Time  // When the last one was begun.
	failure  *AuthError // Of the last one.
	failures int        // Since the last success.
	lookAt   time.Time  // When the store is read again after a failure.
	refusals int        // Requested tokens that the service refused, since it accepted one.
}

// flight is one refresh that any number of calls wait for.
type flight struct {
	known  *AuthError // The failure after which no token is requested; nil for none.
	twice  bool       // Whether a server that cannot be reached is asked twice.
	done   chan struct{}
	header Secret
	err    error
}

// bearer is an access token in use.
type bearer struct {
	accepted atomic.Bool // By the service, at least once.
	keep     time.Time   // Until then it stays in use although it was refused; zero if it was not.
	stored   bool        // It was not requested, but found in the store.

	header  Secret
	scopes  []Scope   // None if the server did not say.
	renewAt time.Time // From then on, it is renewed in the background.
	staleAt time.Time // From then on, calls wait for a new one.
	expiry  time.Time
}

// newBearer plans the life of a token. The margins of a short one are shorter.
func newBearer(token Token, now time.Time) *bearer {
	left := token.Expiry.Sub(now)
	return &bearer{
		header:  NewSecret(scheme + token.AccessToken.Reveal()),
		scopes:  token.Scopes,
		renewAt: token.Expiry.Add(-min(renewBefore, left/4)),
		staleAt: token.Expiry.Add(-min(expiryMargin, left/10)),
		expiry:  token.Expiry,
	}
}

func newRefresher(c *config, credentials *Credentials, vault *TokenVault, self *selfClient) *refresher {
	grant := fingerprint(credentials.RefreshToken)
	if self != nil {
		grant = self.fingerprint(credentials)
	}
	server := newOAuthServer(c.site, c.httpClient.Transport, c.userAgent)
	if len(c.tracers.request) > 0 {
		server.endpoint.Trace = c.tracers.tokenRequest
	}
	return &refresher{hooks: c.tracers.refresh, renewer: &renewer{
		server:       server,
		credentials:  credentials,
		vault:        vault,
		logger:       c.logger,
		refreshToken: credentials.RefreshToken,
		self:         self,
		grant:        grant,
	}}
}

// scopes returns what the token in use permits, as far as that is known.
func (r *refresher) scopes() []Scope {
	if b := r.current.Load(); b != nil {
		return b.scopes
	}
	return nil
}

// refusesNewTokens reports whether the service has refused a token that was just
// requested, and accepted none since.
func (r *refresher) refusesNewTokens() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refusals > 0
}

// Header implements [transport.Tokens].
func (r *refresher) Header(ctx context.Context) (string, error) {
	b := r.current.Load()
	if b == nil {
		return r.wait(ctx)
	}
	now := time.Now()
	if now.Before(b.renewAt) {
		return b.header.Reveal(), nil
	}
	if now.Before(b.staleAt) {
		r.renew(ctx, now)
		return b.header.Reveal(), nil
	}
	return r.wait(ctx)
}

// Rejected implements [transport.Tokens]. A refusal of a token that is not the
// current one comes late: a newer one is there already. A token from the store may
// have been refused to others before. If the service refuses one requested token
// after another, the tokens are not the cause. Each new one then stays in use for
// longer before the next is requested.
func (r *refresher) Rejected(header string) transport.Replacement {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.current.Load()
	if b == nil || b.header.Reveal() != header {
		return transport.LikelyNewOne
	}
	if b.stored {
		r.current.Store(nil)
		return transport.LikelyNewOne
	}
	now := time.Now()
	if b.keep.IsZero() {
		b.keep = now
		if r.refusals > 0 {
			b.keep = now.Add(doubled(firstPause, r.refusals-1, maxPermanentPause))
		}
		r.refusals++
	}
	if now.Before(b.keep) {
		return transport.SameToken
	}
	r.current.Store(nil)
	return transport.OtherToken
}

// Accepted implements [transport.Tokens]. It takes the lock once per token.
func (r *refresher) Accepted(header string) {
	b := r.current.Load()
	if b == nil || b.accepted.Load() || b.header.Reveal() != header {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	b.accepted.Store(true)
	if b.keep.IsZero() {
		r.refusals = 0
	}
}

// renew begins a refresh for which nobody waits.
func (r *refresher) renew(ctx context.Context, now time.Time) {
	if !r.mu.TryLock() {
		return
	}
	defer r.mu.Unlock()
	if r.flight == nil && now.Sub(r.started) >= renewInterval && !r.paused(now) {
		r.startFlight(ctx, now)
	}
}

// wait returns the outcome of a refresh, or the end of ctx.
func (r *refresher) wait(ctx context.Context) (string, error) {
	f := r.join(ctx)
	select {
	case <-f.done:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if f.err == nil {
		return f.header.Reveal(), nil
	}
	if b := r.current.Load(); b != nil && time.Now().Before(b.expiry) {
		return b.header.Reveal(), nil // It is still valid, which is what expiryMargin is for.
	}
	return "", f.err
}

// join returns the refresh under way, a new one, or what is known already.
func (r *refresher) join(ctx context.Context) *flight {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if b := r.current.Load(); b != nil && now.Before(b.staleAt) {
		return endedFlight(b.header, nil)
	}
	if r.flight != nil {
		return r.flight
	}
	if r.paused(now) && now.Before(r.lookAt) {
		return endedFlight(Secret{}, r.failure)
	}
	return r.startFlight(ctx, now)
}

func endedFlight(header Secret, err error) *flight {
	f := &flight{done: make(chan struct{}), header: header, err: err}
	close(f.done)
	return f
}

func (r *refresher) paused(now time.Time) bool {
	return r.failure != nil && now.Before(r.failure.RetryAt)
}

// startFlight begins a refresh, which outlives the call that needed it first. While
// no token is requested, it looks into the store.
func (r *refresher) startFlight(ctx context.Context, now time.Time) *flight {
	f := &flight{done: make(chan struct{}), twice: r.failures == 0}
	if r.paused(now) {
		f.known = r.failure
	}
	r.flight, r.started = f, now
	go r.runFlight(context.WithoutCancel(ctx), f)
	return f
}

func (r *refresher) runFlight(ctx context.Context, f *flight) {
	b, err := r.find(ctx, f)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flight = nil
	switch now := time.Now(); {
	case err == nil:
		r.failure, r.failures = nil, 0
		r.current.Store(b)
		f.header = b.header
	case f.known != nil && errors.Is(err, f.known):
		r.lookAt = now.Add(lookInterval)
		f.err = err
	default:
		r.fail(err, now)
		f.err = r.failure
	}
	close(f.done)
}

// find returns a new token, or the failure that is known if there is no news.
func (r *refresher) find(ctx context.Context, f *flight) (*bearer, error) {
	if f.known == nil {
		return r.tracedRenewal(ctx, f.twice)
	}
	b := r.renewer.look(ctx)
	switch {
	case b != nil:
		return b, nil
	case r.renewer.hasAnother():
		return r.tracedRenewal(ctx, f.twice)
	}
	return nil, f.known
}

func (r *refresher) tracedRenewal(ctx context.Context, twice bool) (*bearer, error) {
	start, requested := time.Now(), r.renewer.requested
	ctx, ends := r.hooks.Begin(ctx, RefreshTrace{})
	b, err := r.renewer.renew(ctx, twice)
	ends.Tell(RefreshTrace{Requests: r.renewer.requested - requested, Duration: time.Since(start), Err: err})
	return b, err
}

// fail remembers a failure until it is worth another request.
func (r *refresher) fail(err error, now time.Time) {
	var e *AuthError
	if !errors.As(err, &e) {
		e = &AuthError{Err: err}
	}
	if e.RetryAt.IsZero() {
		first, most := firstPause, maxPause
		if e.Permanent {
			first, most = firstPermanentPause, maxPermanentPause
		}
		e.RetryAt = now.Add(doubled(first, r.failures, most))
	}
	r.failure = e
	r.failures++
	r.lookAt = now.Add(lookInterval)
	if !r.renewer.loaded {
		r.lookAt = e.RetryAt // It is the store that has failed.
	}
}

// doubled returns a pause that has been doubled so many times.
func doubled(first time.Duration, times int, most time.Duration) time.Duration {
	return min(first<<min(times, 10), most)
}

// renewer finds new tokens: in the store, or else by a request. One renewal goes on
// at a time, so its fields need no lock.
type renewer struct {
	server      *oauthServer
	credentials *Credentials
	vault       *TokenVault
	logger      *slog.Logger // Optional.
	warned      bool         // The default logger was told that a token was not stored.

	newest       *bearer     // The last one, even if refused or expired.
	self         *selfClient // Nil for a refresh token.
	refreshToken Secret
	refused      Secret // The refresh token, if the last request was refused for it.
	grant        string
	scopes       []Scope
	loaded       bool // The store could be read once.
	unsaved      bool // The store could not be written last.
	requests     [tokenBudget]time.Time
	requested    int
}

// renew returns a token that is newer than the newest. A server that cannot be
// reached is asked twice if twice is set.
//
// A failure is not believed before the store was read once more, and the refusal of
// a refresh token not before a moment has passed. Where such tokens are good for
// one use, the process that comes second is refused while the first is about to
// store what it got.
func (r *renewer) renew(ctx context.Context, twice bool) (*bearer, error) {
	b, err := r.renewLocked(ctx, twice)
	for _, pause := range []time.Duration{0, secondTry} {
		if err == nil || !r.loaded || pause > 0 && !refusesRefreshToken(err) {
			break
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, err
		}
		if stored := r.look(ctx); stored != nil {
			return stored, nil
		}
		if r.hasAnother() {
			b, err = r.renewLocked(ctx, false)
		}
	}
	return r.remember(b), err
}

func refusesRefreshToken(err error) bool {
	e, ok := errors.AsType[*AuthError](err)
	return ok && (strings.EqualFold(e.Code, codeInvalidCode) || strings.EqualFold(e.Code, codeInvalidGrant))
}

// hasAnother reports whether there is another refresh token than the one that the
// server has just refused.
func (r *renewer) hasAnother() bool { return !r.refused.IsZero() && r.refused != r.refreshToken }

// look returns a newer token of the store, or nil.
func (r *renewer) look(ctx context.Context) *bearer {
	b, _ := r.load(ctx, r.vault) //nolint:errcheck // The next refresh tells of the error.
	return r.remember(b)
}

func (r *renewer) remember(b *bearer) *bearer {
	if b != nil {
		r.newest = b
	}
	return b
}

// renewLocked finds a newer token in the store, or requests one. If the store can
// lock, the request is made under its lock, and the store is read again first.
func (r *renewer) renewLocked(ctx context.Context, twice bool) (*bearer, error) {
	if b, err := r.load(ctx, r.vault); b != nil || err != nil {
		return b, err
	}
	locker, ok := r.vault.store.(TokenLocker)
	if !ok {
		return r.request(ctx, r.vault, twice)
	}
	lock, err := usercode.BorrowWithin(ctx, lockTimeout, func(ctx context.Context) (l tokenLock, err error) {
		l.store, l.unlock, err = locker.Lock(ctx)
		return l, cmp.Or(err, given("locked store", l.store), given("unlock", l.unlock))
	}, func(late tokenLock) { r.unlock(ctx, late) })
	if err != nil {
		r.warn(ctx, "salesiq token store not locked", err)
		return r.request(ctx, r.vault, twice)
	}
	defer r.unlock(ctx, lock)
	vault := r.vault.over(lock.store)
	if b, err := r.load(ctx, vault); b != nil || err != nil {
		return b, err
	}
	return r.request(ctx, vault, twice)
}

// tokenLock is what a [TokenLocker] gives out.
type tokenLock struct {
	store  TokenStore
	unlock func()
}

func (r *renewer) unlock(ctx context.Context, lock tokenLock) {
	_, err := usercode.AskWithin(ctx, storeTimeout, func(context.Context) (struct{}, error) {
		lock.unlock()
		return struct{}{}, nil
	})
	if err != nil {
		r.warn(ctx, "salesiq token store not unlocked", err)
	}
}

// load returns the stored token if it is good and newer than the current one. It
// also takes over the stored refresh token.
func (r *renewer) load(ctx context.Context, vault *TokenVault) (*bearer, error) {
	token, err := usercode.AskWithin(ctx, storeTimeout, vault.Load)
	if err != nil && !r.loaded {
		return nil, &AuthError{Permanent: isForeign(err), Err: fmt.Errorf("token store: %w", err)}
	}
	if err != nil {
		r.warn(ctx, "salesiq token store not read", err)
		return nil, nil //nolint:nilnil // No token, and none needed.
	}
	r.loaded = true
	if !r.owns(token) {
		return nil, r.disowned(token)
	}
	if !token.RefreshToken.IsZero() && !r.unsaved {
		r.refreshToken = token.RefreshToken
	}
	if token.Grant != "" {
		r.grant = token.Grant
	}
	if len(token.Scopes) > 0 {
		r.scopes = token.Scopes
	}
	now := time.Now()
	good := transport.ValidToken(token.AccessToken.Reveal()) && token.Expiry.Sub(now) > expiryMargin
	if !good || r.newest != nil && !token.Expiry.After(r.newest.expiry) {
		return nil, nil //nolint:nilnil // The stored token is of no use, which is no error.
	}
	b := newBearer(token, now)
	b.stored = true
	return b, nil
}

// owns reports whether a stored token came from these credentials and server.
func (r *renewer) owns(token Token) bool {
	mine := r.credentials.RefreshToken
	switch {
	case token.AccountsURL != "" && token.AccountsURL != r.server.site.Accounts:
		return false
	case r.server.site.checkAPIDomain(token.APIDomain) != nil:
		return false
	case r.self != nil:
		return token.Grant == r.grant
	case mine.IsZero():
		return true
	case token.Grant != "":
		return token.Grant == fingerprint(mine)
	}
	return token.RefreshToken.IsZero() || token.RefreshToken == mine
}

// disowned returns the error for a stored token that came from elsewhere. It is nil
// if the credentials can do without it.
func (r *renewer) disowned(token Token) error {
	if !r.credentials.RefreshToken.IsZero() || r.self != nil {
		return nil
	}
	err := fmt.Errorf("%w: the stored token belongs to %s, the client uses %s",
		ErrWrongDataCenter, token.AccountsURL, r.server.site.Accounts)
	return &AuthError{Permanent: true, Err: err}
}

// request gets a new token and stores it.
func (r *renewer) request(ctx context.Context, vault *TokenVault, twice bool) (*bearer, error) {
	if r.refreshToken.IsZero() && r.self == nil {
		return nil, &AuthError{Permanent: true, Err: errNoRefreshToken}
	}
	token, err := r.requestToken(ctx, twice)
	r.refused = Secret{}
	if refusesRefreshToken(err) {
		r.refused = r.refreshToken
	}
	if err != nil {
		r.warn(ctx, "salesiq token not renewed", err)
		return nil, err
	}
	token.Grant = r.grant
	if len(token.Scopes) == 0 {
		token.Scopes = r.scopes // The answer to a consent may have told, and this one not.
	}
	r.scopes = token.Scopes
	r.refreshToken = token.RefreshToken
	_, err = usercode.AskWithin(ctx, storeTimeout, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, vault.Save(ctx, token)
	})
	if r.unsaved = err != nil; r.unsaved {
		r.warnUnsaved(ctx, err)
	}
	return newBearer(token, time.Now()), nil
}

// requestToken makes a request, and another one if it is to be made twice and the
// server could not be reached.
func (r *renewer) requestToken(ctx context.Context, twice bool) (Token, error) {
	if err := r.spend(time.Now()); err != nil {
		return Token{}, err
	}
	token, err := r.askServer(ctx)
	if e, ok := errors.AsType[*AuthError](err); !twice || !ok || !e.unreachable {
		return token, err
	}
	select {
	case <-time.After(secondTry):
	case <-ctx.Done():
		return Token{}, err
	}
	return r.requestToken(ctx, false)
}

func (r *renewer) askServer(ctx context.Context) (Token, error) {
	if r.self == nil {
		return r.server.refresh(ctx, *r.credentials, r.refreshToken)
	}
	token, err := r.server.clientCredentials(ctx, *r.credentials, r.self)
	if len(token.Scopes) == 0 && err == nil {
		token.Scopes = r.self.scopes
	}
	return token, err
}

// spend counts a request, or refuses it.
func (r *renewer) spend(now time.Time) error {
	oldest := &r.requests[r.requested%tokenBudget]
	if !oldest.IsZero() && now.Sub(*oldest) < tokenWindow {
		return &AuthError{RetryAt: oldest.Add(tokenWindow), Err: errBudget}
	}
	*oldest = now
	r.requested++
	return nil
}

// warnUnsaved says that a token was not stored. Once, it does so even without a
// logger: if the service has replaced the refresh token, the next start may be unable
// to sign in.
func (r *renewer) warnUnsaved(ctx context.Context, err error) {
	const message = "salesiq token not stored"
	r.warn(ctx, message, err)
	if r.logger == nil && !r.warned {
		r.warned = true
		slog.Default().LogAttrs(ctx, slog.LevelWarn, message, slog.String("cause", err.Error()))
	}
}

func (r *renewer) warn(ctx context.Context, message string, err error) {
	if r.logger != nil {
		r.logger.LogAttrs(ctx, slog.LevelWarn, message, slog.String("cause", err.Error()))
	}
}
