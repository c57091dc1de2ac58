package salesiq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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
// often the store is read while no token is requested after a failure. Whoever has the
// lock may need more than lockTimeout if the OAuth server is slow. Then a second token
// is requested without the lock: calls should not wait for that long.
const (
	storeTimeout = 5 * time.Second
	lockTimeout  = 15 * time.Second
	secondTry    = time.Second
	lookInterval = time.Second
)

var (
	errBudget         = errors.New("10 tokens were requested within 10 minutes, which is all that the service allows")
	errNoRefreshToken = errors.New("neither the credentials nor the store hold a refresh token")
	errNothingNewer   = errors.New("the store has no newer token")
)

// refresher keeps an access token fresh. Each refresh is begun by a call, and may
// outlive that call. There is no timer. The age of the token, which is the type
// tokenAge, decides what a call gets:
//
//	the token              a call gets
//	---------------------  ------------------------------------------
//	fresh                  the token
//	due, from renewAt on   the token, and begins a refresh
//	stale, from staleAt    what the refresh finds; if that fails, the token
//	expired, or none       what the refresh finds
//
// What happens to a token that the service refuses depends on where it is from:
//
//	the token              what happens
//	---------------------  ------------------------------------------
//	from the store         it is dropped: another process may have stored it long ago,
//	                       and its refusal tells nothing of the next one
//	requested              it is dropped
//	requested, after one   it stays in use until droppableAt, since the tokens are not the
//	that was refused, too  cause, and more of them would not help; a refusal after that
//	                       drops it, and the next one stays for longer
//
// After a refresh that has failed, no token is requested until the failure's
// RetryAt. Calls that would wait get the failure at once. Only once in a second does
// one of them look into the store, where another process may have put a token.
type refresher struct {
	finder *tokenFinder
	hooks  hooks.Starts[RefreshTrace, RefreshTrace]

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
	earlier *AuthError // The failure after which no token may be requested yet; nil if one may.
	twice   bool       // Whether a server that cannot be reached is asked twice.

	done   chan struct{} // Closed when the outcome is there: header or err.
	header Secret
	err    error
}

// bearer is an access token in use.
type bearer struct {
	accepted    atomic.Bool // By the service, at least once.
	droppableAt time.Time   // From then on, a refusal drops it. Zero if it was never refused. Guarded by refresher.mu.
	stored      bool        // It was not requested, but found in the store.

	header  Secret
	scopes  []Scope   // None if the server did not say.
	renewAt time.Time // From then on, a new one is looked for in the background.
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

// tokenAge is how old a token is: see [refresher].
type tokenAge int

const (
	tokenFresh tokenAge = iota
	tokenDue
	tokenStale
	tokenExpired
)

// age returns how old a token is. None counts as expired.
func (b *bearer) age(now time.Time) tokenAge {
	switch {
	case b == nil:
		return tokenExpired
	case now.Before(b.renewAt):
		return tokenFresh
	case now.Before(b.staleAt):
		return tokenDue
	case now.Before(b.expiry):
		return tokenStale
	}
	return tokenExpired
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
	return &refresher{hooks: c.tracers.refresh, finder: &tokenFinder{
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
	b, now := r.current.Load(), time.Now()
	switch b.age(now) {
	case tokenFresh:
		return b.header.Reveal(), nil
	case tokenDue:
		r.refreshInBackground(ctx, now)
		return b.header.Reveal(), nil
	}
	return r.wait(ctx)
}

// Rejected implements [transport.Tokens]. If the refused token is not the current
// one, a newer one is there, or will be found by the next call. What happens to the
// current one is in the second table of refresher.
func (r *refresher) Rejected(header string) transport.Refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.current.Load()
	if b == nil || b.header.Reveal() != header {
		return transport.TokenOutdated
	}
	if b.stored { // Another process may have stored it long ago.
		r.current.Store(nil)
		return transport.TokenOutdated
	}
	now := time.Now()
	if r.noteRefusal(b, now); now.Before(b.droppableAt) {
		return transport.TokenKept
	}
	r.current.Store(nil)
	return transport.TokenDropped
}

// noteRefusal counts a requested token that is refused for the first time, and sets when
// it may be dropped: the first such token at once, each further one after a longer time
// than the one before.
func (r *refresher) noteRefusal(b *bearer, now time.Time) {
	if !b.droppableAt.IsZero() {
		return
	}
	b.droppableAt = now
	if r.refusals > 0 {
		b.droppableAt = now.Add(doubled(firstPause, r.refusals-1, maxPermanentPause))
	}
	r.refusals++
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
	if b.droppableAt.IsZero() { // One that was refused as well shows no sound service.
		r.refusals = 0
	}
}

// refreshInBackground begins a refresh for which nobody waits, unless one is under
// way or the last one was begun a moment ago.
func (r *refresher) refreshInBackground(ctx context.Context, now time.Time) {
	if !r.mu.TryLock() {
		return
	}
	defer r.mu.Unlock()
	if r.flight == nil && now.Sub(r.started) >= renewInterval && !r.tooSoon(now) {
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
	if b := r.current.Load(); b.age(time.Now()) < tokenExpired {
		return b.header.Reveal(), nil // It is still valid, which is what expiryMargin is for.
	}
	return "", f.err
}

// join returns the refresh to wait for. The first line that fits decides:
//
//	another call has found a token         one that has ended, with that token
//	a refresh is under way                 that one
//	too soon after a failure to request,   one that has ended, with that failure
//	and to look into the store, too
//	too soon to request                    a new one, which begins with a look into the
//	                                       store, and ends there unless the store has
//	                                       another refresh token
//	any other                              a new one
func (r *refresher) join(ctx context.Context) *flight {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if b := r.current.Load(); b.age(now) < tokenStale {
		return endedFlight(b.header, nil)
	}
	if r.flight != nil {
		return r.flight
	}
	if r.tooSoon(now) && now.Before(r.lookAt) {
		return endedFlight(Secret{}, r.failure)
	}
	return r.startFlight(ctx, now)
}

func endedFlight(header Secret, err error) *flight {
	f := &flight{done: make(chan struct{}), header: header, err: err}
	close(f.done)
	return f
}

// tooSoon reports whether no token may be requested yet, because of a failure.
func (r *refresher) tooSoon(now time.Time) bool {
	return r.failure != nil && now.Before(r.failure.RetryAt)
}

// startFlight begins a refresh, which outlives the call that needed it first. What it may
// do is decided here: see join.
func (r *refresher) startFlight(ctx context.Context, now time.Time) *flight {
	f := &flight{done: make(chan struct{}), twice: r.failures == 0}
	if r.tooSoon(now) {
		f.earlier = r.failure
	}
	r.flight, r.started = f, now
	go r.runFlight(context.WithoutCancel(ctx), f)
	return f
}

// runFlight carries out a refresh, and tells those who wait. A success ends the failures.
// A look into the store that finds nothing leaves the last failure as it was. Any other
// failure is the last one from now on.
func (r *refresher) runFlight(ctx context.Context, f *flight) {
	b, err := r.refresh(ctx, f)
	if isNews := r.land(f, b, err); isNews {
		r.finder.warn(ctx, "salesiq token not renewed", err) // Once, and without the lock: the handler is the user's.
	}
	close(f.done)
}

// land notes the outcome of a flight, and reports whether it is a failure that nobody was
// told of.
func (r *refresher) land(f *flight, b *bearer, err error) (isNews bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flight = nil
	switch now := time.Now(); {
	case err == nil:
		r.failure, r.failures = nil, 0
		r.current.Store(b)
		f.header = b.header
	case f.earlier != nil && errors.Is(err, f.earlier):
		r.lookAt = now.Add(lookInterval)
		f.err = err
	default:
		r.fail(err, now)
		f.err = r.failure
		return true
	}
	return false
}

// refresh finds a new token. If it is too soon to request one, and the store has
// neither a token nor another refresh token, it returns the earlier failure.
func (r *refresher) refresh(ctx context.Context, f *flight) (*bearer, error) {
	if f.earlier != nil {
		if b := r.finder.look(ctx); b != nil {
			return b, nil
		}
		if !r.finder.hasAnother() {
			return nil, f.earlier
		}
	}
	return r.findTraced(ctx, f.twice)
}

func (r *refresher) findTraced(ctx context.Context, twice bool) (*bearer, error) {
	start, requested := time.Now(), r.finder.requested
	ctx, ends := r.hooks.Begin(ctx, RefreshTrace{})
	b, err := r.finder.find(ctx, twice)
	ends.Tell(RefreshTrace{Requests: r.finder.requested - requested, Duration: time.Since(start), Err: err})
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
	if !r.finder.loaded {
		r.lookAt = e.RetryAt // It is the store that has failed.
	}
}

// doubled returns a pause that has been doubled so many times.
func doubled(first time.Duration, times int, most time.Duration) time.Duration {
	return min(first<<min(times, 10), most)
}

// tokenFinder finds new tokens: in the store, or else by a request. The methods above
// call those below:
//
//	find         findOnce; after a failure findAfter, up to twice
//	findAfter    look; findOnce again if hasAnother
//	findOnce     load, then obtain, under the store's lock if it has one
//	look         load, if nothing is to be requested
//	hasAnother   whether the store had another refresh token than the refused one
//	load         the token of the store, and its refresh token, which it puts into
//	             refreshToken
//	obtain       request; notes in refused a refresh token that was refused, and stores
//	             the new token
//	request      one request, or two if the server cannot be reached
//
// So a refresh token that another process has stored is noticed by load, and used by the
// next findOnce. One of the methods is called at a time, so the fields need no lock.
type tokenFinder struct {
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
	loaded       bool                   // The store could be read once.
	unsaved      bool                   // The store could not be written last.
	requests     [tokenBudget]time.Time // When the last ones were made.
	requested    int                    // How many were made.
}

// find returns a token that is newer than the newest, which means that it expires
// later. A server that cannot be reached is asked twice if twice is set.
//
// Another process may find a token while this one fails to. So after a failure, the
// store is read once more. A refused refresh token is a failure that such a process
// causes, where a refresh token is good for one use: the second process to use it is
// refused, while the first is about to store the next one. So after that failure, the
// store is read again a moment later.
func (f *tokenFinder) find(ctx context.Context, twice bool) (*bearer, error) {
	b, err := f.findOnce(ctx, twice)
	if err != nil && f.loaded {
		b, err = f.findAfter(ctx, err)
	}
	if refusesRefreshToken(err) && sleep(ctx, secondTry) {
		b, err = f.findAfter(ctx, err)
	}
	return f.remember(b), err
}

// findAfter returns what the store has got since a failure, or what another refresh
// token yields that it has got. Without either, it returns the failure.
func (f *tokenFinder) findAfter(ctx context.Context, failure error) (*bearer, error) {
	if b := f.look(ctx); b != nil {
		return b, nil
	}
	if f.hasAnother() {
		return f.findOnce(ctx, false)
	}
	return nil, failure
}

// sleep waits for a time, and reports whether ctx lasted for as long.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

func refusesRefreshToken(err error) bool {
	e, ok := errors.AsType[*AuthError](err)
	return ok && slices.Contains([]string{codeInvalidCode, codeInvalidGrant, codeInvalidRefreshToken}, strings.ToLower(e.Code))
}

// hasAnother reports whether there is another refresh token than the one that the
// server has just refused: the last load has found it.
func (f *tokenFinder) hasAnother() bool { return !f.refused.IsZero() && f.refused != f.refreshToken }

// look returns a newer token of the store, or nil.
func (f *tokenFinder) look(ctx context.Context) *bearer {
	b, _ := f.load(ctx, f.vault) //nolint:errcheck // The next findOnce returns it.
	return f.remember(b)
}

func (f *tokenFinder) remember(b *bearer) *bearer {
	if b != nil {
		f.newest = b
	}
	return b
}

// findOnce finds a newer token in the store, or requests one. If the store can
// lock, the request is made under its lock, and the store is read again first.
func (f *tokenFinder) findOnce(ctx context.Context, twice bool) (*bearer, error) {
	if b, err := f.load(ctx, f.vault); !errors.Is(err, errNothingNewer) {
		return b, err // A token, or a store that cannot be used.
	}
	locker, ok := f.vault.store.(TokenLocker)
	if !ok {
		return f.obtain(ctx, f.vault, twice)
	}
	lock, err := usercode.BorrowWithin(ctx, lockTimeout, func(ctx context.Context) (l tokenLock, err error) {
		l.store, l.unlock, err = locker.Lock(ctx)
		return l, cmp.Or(err, given("locked store", l.store), given("unlock", l.unlock))
	}, func(late tokenLock) { f.unlock(ctx, late) })
	if err != nil {
		f.warn(ctx, "salesiq token store not locked", err)
		return f.obtain(ctx, f.vault, twice)
	}
	defer f.unlock(ctx, lock)
	vault := f.vault.over(lock.store)
	if b, err := f.load(ctx, vault); !errors.Is(err, errNothingNewer) {
		return b, err
	}
	return f.obtain(ctx, vault, twice)
}

// tokenLock is what a [TokenLocker] gives out.
type tokenLock struct {
	store  TokenStore
	unlock func()
}

func (f *tokenFinder) unlock(ctx context.Context, lock tokenLock) {
	_, err := usercode.AskWithin(ctx, storeTimeout, func(context.Context) (struct{}, error) {
		lock.unlock()
		return struct{}{}, nil
	})
	if err != nil {
		f.warn(ctx, "salesiq token store not unlocked", err)
	}
}

// load returns the stored token if it is good and newer than the newest, and
// otherwise errNothingNewer or what is wrong with the store. In either case it takes over
// the stored refresh token, for hasAnother and the next request.
func (f *tokenFinder) load(ctx context.Context, vault *TokenVault) (*bearer, error) {
	token, err := usercode.AskWithin(ctx, storeTimeout, vault.Load)
	if err != nil && !f.loaded {
		return nil, &AuthError{Permanent: isUnopened(err), Err: fmt.Errorf("token store: %w", err)}
	}
	if err != nil {
		f.warn(ctx, "salesiq token store not read", err)
		return nil, errNothingNewer
	}
	f.loaded = true
	if !f.owns(token) {
		return nil, f.disowned(token)
	}
	if !token.RefreshToken.IsZero() && !f.unsaved { // Ours is later if it could not be stored.
		f.refreshToken = token.RefreshToken
	}
	if token.Grant != "" {
		f.grant = token.Grant
	}
	if len(token.Scopes) > 0 {
		f.scopes = token.Scopes
	}
	now := time.Now()
	good := transport.ValidToken(token.AccessToken.Reveal()) && token.Expiry.Sub(now) > expiryMargin
	newer := f.newest == nil || token.Expiry.After(f.newest.expiry)
	if !good || !newer {
		return nil, errNothingNewer
	}
	b := newBearer(token, now)
	b.stored = true
	return b, nil
}

// owns reports whether a stored token came from these credentials and server.
func (f *tokenFinder) owns(token Token) bool {
	mine := f.credentials.RefreshToken
	switch {
	case token.AccountsURL != "" && token.AccountsURL != f.server.site.Accounts:
		return false
	case f.server.site.checkAPIDomain(token.APIDomain) != nil:
		return false
	case f.self != nil:
		return token.Grant == f.grant
	case mine.IsZero():
		return true
	case token.Grant != "":
		return token.Grant == fingerprint(mine)
	}
	return token.RefreshToken.IsZero() || token.RefreshToken == mine
}

// disowned returns the error for a stored token that came from elsewhere. The store
// has nothing newer, then, unless the credentials depend on what it has.
func (f *tokenFinder) disowned(token Token) error {
	if !f.credentials.RefreshToken.IsZero() || f.self != nil {
		return errNothingNewer
	}
	err := fmt.Errorf("%w: the stored token belongs to %s, the client uses %s: use %s",
		ErrWrongDataCenter, token.AccountsURL, f.server.site.Accounts, token.where())
	return &AuthError{Permanent: true, Err: err}
}

// obtain requests a new token and stores it.
func (f *tokenFinder) obtain(ctx context.Context, vault *TokenVault, twice bool) (*bearer, error) {
	if f.refreshToken.IsZero() && f.self == nil {
		return nil, &AuthError{Permanent: true, Err: errNoRefreshToken}
	}
	token, err := f.request(ctx, twice)
	f.refused = Secret{}
	if refusesRefreshToken(err) {
		f.refused = f.refreshToken
	}
	if err != nil {
		return nil, err
	}
	token.Grant = f.grant
	if len(token.Scopes) == 0 {
		token.Scopes = f.scopes // The answer to a consent may have told, and this one not.
	}
	f.scopes = token.Scopes
	f.refreshToken = token.RefreshToken
	_, err = usercode.AskWithin(ctx, storeTimeout, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, vault.Save(ctx, token)
	})
	if f.unsaved = err != nil; f.unsaved {
		f.warnUnsaved(ctx, err)
	}
	return newBearer(token, time.Now()), nil
}

// request makes a request. If the server could not be reached and twice is set, it
// makes another one a moment later.
func (f *tokenFinder) request(ctx context.Context, twice bool) (Token, error) {
	if err := f.spend(time.Now()); err != nil {
		return Token{}, err
	}
	token, err := f.askServer(ctx)
	if e, ok := errors.AsType[*AuthError](err); !twice || !ok || !e.unreachable {
		return token, err
	}
	if !sleep(ctx, secondTry) {
		return Token{}, err
	}
	return f.request(ctx, false)
}

func (f *tokenFinder) askServer(ctx context.Context) (Token, error) {
	if f.self == nil {
		return f.server.refresh(ctx, *f.credentials, f.refreshToken)
	}
	token, err := f.server.clientCredentials(ctx, *f.credentials, f.self)
	if len(token.Scopes) == 0 && err == nil {
		token.Scopes = f.self.scopes
	}
	return token, err
}

// spend counts a request, or refuses it.
func (f *tokenFinder) spend(now time.Time) error {
	oldest := &f.requests[f.requested%tokenBudget]
	if !oldest.IsZero() && now.Sub(*oldest) < tokenWindow {
		return &AuthError{RetryAt: oldest.Add(tokenWindow), Err: errBudget}
	}
	*oldest = now
	f.requested++
	return nil
}

// warnUnsaved says that a token was not stored. Once, it does so even without a
// logger: if the service has replaced the refresh token, the next start may be unable
// to sign in.
func (f *tokenFinder) warnUnsaved(ctx context.Context, err error) {
	const message = "salesiq token not stored"
	f.warn(ctx, message, err)
	if f.logger == nil && !f.warned {
		f.warned = true
		slog.Default().LogAttrs(ctx, slog.LevelWarn, message, slog.String("cause", err.Error()))
	}
}

func (f *tokenFinder) warn(ctx context.Context, message string, err error) {
	if f.logger != nil {
		f.logger.LogAttrs(ctx, slog.LevelWarn, message, slog.String("cause", err.Error()))
	}
}
