package salesiq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/salesiq-go/salesiq/internal/transport"
	"github.com/salesiq-go/salesiq/internal/usercode"
)

// The OAuth server gives out tokenBudget tokens in ten minutes. It counts by its
// own clock, from the arrival of a request, so tokenWindow is a little longer.
const (
	tokenBudget = 10
	tokenWindow = 10*time.Minute + 5*time.Second
)

// Time limits for the store and its lock, and the pause before a second try. Whoever has
// the lock may need more than lockTimeout if the OAuth server is slow. Then a second token
// is requested without the lock: calls should not wait for that long.
const (
	storeTimeout = 5 * time.Second
	lockTimeout  = 15 * time.Second
	secondTry    = time.Second
)

var (
	errBudget         = errors.New("10 tokens were requested within 10 minutes, which is all that the service allows")
	errNoRefreshToken = errors.New("neither the credentials nor the store hold a refresh token")
	errNothingNewer   = errors.New("the store has no newer token")
	errTokenStore     = errors.New("token store") // It could not be read, not even once.
)

// tokenFinder finds the next token: in the store, or else by a request, which it stores.
// Each method calls those below it:
//
//	find       findOnce; after a failure findAfter, up to twice
//	findAfter  look; findOnce again if the store has another refresh token
//	findOnce   load, then obtain, under the store's lock if it has one
//	look       load, if nothing is to be requested
//	load       the store's token, if it is newer
//	obtain     a new token, which it stores
//
// One of them is called at a time, so the fields need no lock.
type tokenFinder struct {
	server      *oauthServer
	credentials *Credentials
	self        *selfClient // Nil for a refresh token.
	vault       *TokenVault
	logger      *slog.Logger // Optional.

	// The newest token that is known, be it refused or expired by now. The next request is
	// made with its refresh token, which is that of the credentials at first.
	newest  Token
	loaded  bool // The store was read once. From then on, the client does without it if need be.
	unsaved bool // The newest token could not be stored, so that the store's is older.
	warned  bool // The default logger was told so.

	requests  []time.Time // Of the last tokenWindow, oldest first, as far as they are known.
	requested int         // How many were made by this client.
}

func newTokenFinder(c *config, credentials *Credentials, vault *TokenVault, self *selfClient) *tokenFinder {
	server := newOAuthServer(c.site, c.httpClient.Transport, c.userAgent)
	if len(c.tracers.request) > 0 {
		server.endpoint.Trace = c.tracers.tokenRequest
	}
	first := Token{RefreshToken: credentials.RefreshToken, Grant: fingerprint(credentials.RefreshToken)}
	if self != nil {
		first.Grant = self.fingerprint(credentials)
	}
	return &tokenFinder{server: server, credentials: credentials, self: self, vault: vault, logger: c.logger, newest: first}
}

// find returns a token that is newer than the newest, which means that it expires
// later. A server that cannot be reached is asked twice if twice is set.
//
// Another process may store a token while this one fails to get one. So after a failure,
// the store is read once more. Where a refresh token is good for one use, that process is
// even the cause of the failure: the second one to use it is refused, while the first is
// about to store the next one. So after that failure, the store is read again a moment
// later.
func (f *tokenFinder) find(ctx context.Context, twice bool) (*bearer, error) {
	b, err := f.findOnce(ctx, twice)
	if err == nil || errors.Is(err, errTokenStore) {
		return b, err
	}
	b, err = f.findAfter(ctx, err)
	if refusedToken(err) != "" && sleep(ctx, secondTry) {
		b, err = f.findAfter(ctx, err)
	}
	return b, err
}

// findAfter returns what the store has got since a failure, or what another refresh
// token yields that it has got. Without either, it returns the failure.
func (f *tokenFinder) findAfter(ctx context.Context, failure error) (*bearer, error) {
	b, another := f.look(ctx, failure)
	switch {
	case b != nil:
		return b, nil
	case another:
		return f.findOnce(ctx, false)
	}
	return nil, failure
}

// look returns a newer token of the store, or nil. Then it reports whether there is another
// refresh token than the one that was refused, if that is the failure.
func (f *tokenFinder) look(ctx context.Context, failure error) (b *bearer, another bool) {
	b, err := f.load(ctx, f.vault)
	if err == nil {
		return b, false
	}
	refused := refusedToken(failure)
	return nil, refused != "" && refused != fingerprint(f.newest.RefreshToken)
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

// findOnce finds a newer token in the store, or requests one. If the store can
// lock, the request is made under its lock, and the store is read again first.
func (f *tokenFinder) findOnce(ctx context.Context, twice bool) (*bearer, error) {
	if b, err := f.load(ctx, f.vault); !errors.Is(err, errNothingNewer) {
		return b, err // A token, or a store that cannot be used.
	}
	lock, locked := f.lock(ctx)
	if !locked {
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

// lock locks the store, if it can be locked.
func (f *tokenFinder) lock(ctx context.Context) (lock tokenLock, locked bool) {
	locker, ok := f.vault.store.(TokenLocker)
	if !ok {
		return tokenLock{}, false
	}
	lock, err := usercode.BorrowWithin(ctx, lockTimeout, func(ctx context.Context) (l tokenLock, err error) {
		l.store, l.unlock, err = locker.Lock(ctx)
		return l, cmp.Or(err, given("locked store", l.store), given("unlock", l.unlock))
	}, func(late tokenLock) { f.unlock(ctx, late) })
	if err != nil {
		f.warn(ctx, "salesiq token store not locked", err)
	}
	return lock, err == nil
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

// load returns the stored token if it is good and newer than the newest, and otherwise
// errNothingNewer or what is wrong with the store. It also takes over the stored refresh
// token, for the next request, and learns which requests others have made.
func (f *tokenFinder) load(ctx context.Context, vault *TokenVault) (*bearer, error) {
	token, err := usercode.AskWithin(ctx, storeTimeout, vault.Load)
	if err != nil && !f.loaded {
		return nil, &AuthError{Permanent: isUnopened(err), Err: fmt.Errorf("%w: %w", errTokenStore, err)}
	}
	if err != nil {
		f.warn(ctx, "salesiq token store not read", err)
		return nil, errNothingNewer
	}
	f.loaded = true
	if !f.owns(token) {
		return nil, f.disowned(token)
	}
	if !token.RefreshToken.IsZero() && !f.unsaved {
		f.newest.RefreshToken = token.RefreshToken
	}
	if token.Grant != "" {
		f.newest.Grant = token.Grant
	}
	if len(token.Scopes) > 0 {
		f.newest.Scopes = token.Scopes
	}
	now := time.Now()
	f.learn(token.requests, now)
	good := transport.ValidToken(token.AccessToken.Reveal()) && token.Expiry.Sub(now) > expiryMargin
	if !good || !token.Expiry.After(f.newest.Expiry) {
		return nil, errNothingNewer
	}
	f.newest.Expiry = token.Expiry
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
		return token.Grant == f.newest.Grant
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
	if f.newest.RefreshToken.IsZero() && f.self == nil {
		return nil, &AuthError{Permanent: true, Err: errNoRefreshToken}
	}
	token, err := f.request(ctx, twice)
	if err != nil {
		return nil, err
	}
	token.Grant = f.newest.Grant
	if len(token.Scopes) == 0 {
		token.Scopes = f.newest.Scopes // The answer to a consent may have told, and this one not.
	}
	token.requests = slices.Clone(f.requests)
	f.newest = token
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
	token, err := f.requestOnce(ctx)
	if e, ok := errors.AsType[*AuthError](err); ok && e.unreachable && twice && sleep(ctx, secondTry) {
		return f.requestOnce(ctx)
	}
	return token, err
}

func (f *tokenFinder) requestOnce(ctx context.Context) (Token, error) {
	if err := f.spend(time.Now()); err != nil {
		return Token{}, err
	}
	if f.self == nil {
		return f.server.refresh(ctx, *f.credentials, f.newest.RefreshToken)
	}
	token, err := f.server.clientCredentials(ctx, *f.credentials, f.self)
	if len(token.Scopes) == 0 && err == nil {
		token.Scopes = f.self.scopes
	}
	return token, err
}

// spend counts a request, or refuses it.
func (f *tokenFinder) spend(now time.Time) error {
	f.learn(nil, now)
	n := len(f.requests)
	if n >= tokenBudget {
		return &AuthError{RetryAt: f.requests[n-tokenBudget].Add(tokenWindow), Err: errBudget}
	}
	at := now.Truncate(time.Millisecond) // It is stored so.
	if n > 0 && !at.After(f.requests[n-1]) {
		at = f.requests[n-1].Add(time.Millisecond) // No two requests have the same time.
	}
	f.requests = append(f.requests, at)
	f.requested++
	return nil
}

// learn adds the requests of others, and forgets those that the server does not count any
// more. It leaves out what a clock that is ahead has dated.
func (f *tokenFinder) learn(others []time.Time, now time.Time) {
	all := slices.Concat(f.requests, others)
	slices.SortFunc(all, time.Time.Compare)
	all = slices.CompactFunc(all, time.Time.Equal)
	f.requests = slices.DeleteFunc(all, func(t time.Time) bool {
		return now.Sub(t) >= tokenWindow || t.Sub(now) > time.Second
	})
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
