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
	errNoRefreshToken = errors.New("the credentials hold no refresh token")
	errNothingNewer   = errors.New("the store has no newer token")
	errTokenStore     = errors.New("token store") // It could not be read, not even once.
)

// tokenFinder finds the next token: in the store, or else by a request, and stores it then.
// Each method calls those below it:
//
//	find           loadOrRequest; after a failure findAfter, up to twice
//	findAfter      loadAfter; loadOrRequest if the store has got another refresh token
//	loadAfter      loadNewer, to see what the store has got since a failure
//	loadOrRequest  loadNewer; obtain if there is nothing newer, under the store's lock if it
//	               has one
//	loadNewer      the token of the store, if it is newer, and ours: another one is left out,
//	               and the next obtain overwrites it; if the credentials have no refresh
//	               token of their own, one of another data center is a permanent error
//	obtain         a request, and the new token into the store
//
// What the server denies, and for how long, is in internal/oauth/answer.go and auth_error.go.
// What the store does not do costs no call, but for the first reading. Each failure is
// logged:
//
//	Load, until one   an error: the store may hold the refresh token. If the error says that
//	has succeeded     the store can be done without, the credentials' refresh token is used
//	Load, later on    as if it had nothing newer
//	Lock              the request is made without the lock
//	Save              the token is in use all the same. It is not saved again, but the next
//	                  one is, an hour later
//	unlock            nothing
//
// A refresh makes six requests at most: loadOrRequest is called three times at most, and
// request makes two. One method is called at a time, so the fields need no lock.
type tokenFinder struct {
	server      *oauthServer
	credentials *Credentials
	self        *selfClient // Nil for a refresh token.
	vault       *TokenVault
	logger      *slog.Logger // Optional.

	// The newest token that is known, be it refused or expired by now. The next request is
	// made with its refresh token, which is that of the credentials at first.
	newest   Token
	outdated []Secret // Refresh tokens that the store may have, since newer ones could not be stored.
	loaded   bool     // The store was read once. From then on, it can be done without.
	unread   error    // Why the store could not be read last.
	warned   bool     // The default logger was told that a token could not be stored.

	// Of the last tokenWindow, oldest first, as far as they are known. Those of this client have
	// the reading of the monotonic clock, others come from the store.
	requests    []time.Time
	requested   int        // How many were made by this client.
	throttled   *AuthError // The server's last refusal for too many requests.
	unreachable bool       // The server could not be reached by the last one.
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

// find returns a token that expires later than the newest. Another process may store one
// while this process fails to get one. So after a failure, the store is read once more.
//
// Where a refresh token is good for one use, the other process is even the cause of the
// failure: the second one to use it is refused, while the first is about to store the next
// one. So after that failure, the store is read again a moment later.
func (f *tokenFinder) find(ctx context.Context) (*bearer, error) {
	b, err := f.loadOrRequest(ctx)
	if err == nil || errors.Is(err, errTokenStore) {
		return b, err
	}
	b, err = f.findAfter(ctx, err)
	if refusedToken(err) != "" && sleep(ctx, secondTry) {
		b, err = f.findAfter(ctx, err)
	}
	return b, err
}

// findAfter returns the token that the store has got since a failure, or a new one if the
// store has got another refresh token. Without either, it returns the failure.
func (f *tokenFinder) findAfter(ctx context.Context, failure error) (*bearer, error) {
	b, mayRequest := f.loadAfter(ctx, failure)
	switch {
	case b != nil:
		return b, nil
	case mayRequest:
		return f.loadOrRequest(ctx)
	}
	return nil, failure
}

// loadAfter returns the newer token that the store has got since a failure, or nil. Without
// one, it reports whether a request may succeed all the same: the server has refused the
// refresh token, or there was none, and the store has got another one.
func (f *tokenFinder) loadAfter(ctx context.Context, failure error) (b *bearer, mayRequest bool) {
	b, err := f.loadNewer(ctx, f.vault)
	if err == nil {
		return b, false
	}
	if errors.Is(failure, errNoRefreshToken) {
		return nil, !f.newest.RefreshToken.IsZero()
	}
	refused := refusedToken(failure)
	return nil, refused != "" && refused != fingerprint(f.newest.RefreshToken) // Which is the store's now, if that was another.
}

// loadOrRequest returns the newer token of the store, or requests one. If the store can
// lock, the request is made under its lock, and the store is read again first.
func (f *tokenFinder) loadOrRequest(ctx context.Context) (*bearer, error) {
	if b, err := f.loadNewer(ctx, f.vault); !errors.Is(err, errNothingNewer) {
		return b, err // A token, or a store that cannot be used.
	}
	lock, locked := f.lock(ctx)
	if !locked {
		return f.obtain(ctx, f.vault)
	}
	defer f.unlock(ctx, lock)
	vault := f.vault.over(lock.store)
	if b, err := f.loadNewer(ctx, vault); !errors.Is(err, errNothingNewer) {
		return b, err
	}
	return f.obtain(ctx, vault)
}

// loadNewer reads the store, and returns the stored access token if that is good and newer
// than the newest. Otherwise it returns errNothingNewer, or what is wrong with the store.
// For the next request, it takes over the refresh token, scopes and grant that are stored,
// and learns of the requests of others.
func (f *tokenFinder) loadNewer(ctx context.Context, vault *TokenVault) (*bearer, error) {
	stored, err := f.read(ctx, vault)
	if err != nil {
		return nil, err
	}
	f.newest.Grant = cmp.Or(stored.Grant, f.newest.Grant)
	if !slices.Contains(f.outdated, stored.RefreshToken) {
		f.newest.RefreshToken = cmp.Or(stored.RefreshToken, f.newest.RefreshToken)
	}
	if len(stored.Scopes) > 0 {
		f.newest.Scopes = stored.Scopes
	}
	now := time.Now()
	f.learn(stored.requests, now)
	good := transport.ValidToken(stored.AccessToken.Reveal()) && stored.Expiry.Sub(now) > expiryMargin
	if !good || !stored.Expiry.After(f.newest.Expiry) {
		return nil, errNothingNewer
	}
	f.newest.Expiry = stored.Expiry
	b := newBearer(stored, now)
	b.stored = true
	return b, nil
}

// obtain requests a new token and stores it.
func (f *tokenFinder) obtain(ctx context.Context, vault *TokenVault) (*bearer, error) {
	switch none := f.newest.RefreshToken.IsZero() && f.self == nil; {
	case none && !f.loaded:
		return nil, &AuthError{Err: fmt.Errorf("%w, and the store was not read: %w", errNoRefreshToken, f.unread)}
	case none:
		return nil, &AuthError{Permanent: true, Err: fmt.Errorf("%w, and neither does the store", errNoRefreshToken)}
	}
	token, err := f.request(ctx)
	if err != nil {
		return nil, err
	}
	token.Grant = f.newest.Grant
	if len(token.Scopes) == 0 {
		token.Scopes = f.newest.Scopes // The answer to a consent may have told, and this one not.
	}
	token.requests = slices.Clone(f.requests)
	if !slices.Contains(f.outdated, f.newest.RefreshToken) {
		f.outdated = append(f.outdated, f.newest.RefreshToken)
	}
	f.newest = token
	_, err = usercode.AskWithin(ctx, storeTimeout, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, vault.Save(ctx, token)
	})
	if err != nil {
		f.warnUnsaved(ctx, err)
	} else {
		f.outdated = nil
	}
	return newBearer(token, time.Now()), nil
}

// request makes a request, and another one a moment later if the server cannot be reached.
// As long as it cannot, further requests are made once.
func (f *tokenFinder) request(ctx context.Context) (Token, error) {
	token, err := f.requestOnce(ctx)
	if isUnreachable(err) && !f.unreachable && sleep(ctx, secondTry) {
		token, err = f.requestOnce(ctx)
	}
	f.unreachable = isUnreachable(err)
	return token, err
}

func isUnreachable(err error) bool {
	e, ok := errors.AsType[*AuthError](err)
	return ok && e.unreachable
}

func (f *tokenFinder) requestOnce(ctx context.Context) (Token, error) {
	if err := f.spend(time.Now()); err != nil {
		return Token{}, err
	}
	token, err := f.ask(ctx)
	if e, ok := errors.AsType[*AuthError](err); ok && e.throttled {
		f.throttled = e
	}
	return token, err
}

func (f *tokenFinder) ask(ctx context.Context) (Token, error) {
	if f.self != nil {
		return f.server.clientCredentials(ctx, *f.credentials, f.self)
	}
	return f.server.refresh(ctx, *f.credentials, f.newest.RefreshToken)
}

// spend counts a request, or refuses it.
func (f *tokenFinder) spend(now time.Time) error {
	if f.throttled.pauses(now) {
		return f.throttled // Whatever tokens the store has had meanwhile.
	}
	f.learn(nil, now)
	n := len(f.requests)
	if n >= tokenBudget {
		e := &AuthError{Err: errBudget}
		e.pause(now, tokenWindow-now.Sub(f.requests[n-tokenBudget]))
		return e
	}
	if n > 0 && now.Sub(f.requests[n-1]) < time.Millisecond {
		now = now.Add(f.requests[n-1].Sub(now) + time.Millisecond) // No two requests are stored with the same time.
	}
	f.requests = append(f.requests, now)
	f.requested++
	return nil
}

// learn adds the requests of others, and forgets those that the server does not count any
// more. It leaves out what a clock that is ahead has dated. Sub goes by the monotonic clock
// where both times have it: whatever the wall clock is set to, own requests count.
func (f *tokenFinder) learn(others []time.Time, now time.Time) {
	for _, other := range others {
		same := func(t time.Time) bool { return t.UnixMilli() == other.UnixMilli() }
		if !slices.ContainsFunc(f.requests, same) { // The store has own ones, too.
			f.requests = append(f.requests, other)
		}
	}
	f.requests = slices.DeleteFunc(f.requests, func(t time.Time) bool {
		return now.Sub(t) >= tokenWindow || t.Sub(now) > time.Second
	})
	slices.SortFunc(f.requests, func(a, b time.Time) int { return cmp.Compare(now.Sub(b), now.Sub(a)) })
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

// read returns what the store has. It returns errNothingNewer for a token that came from
// elsewhere, and from the second time on also for a store that cannot be read.
func (f *tokenFinder) read(ctx context.Context, vault *TokenVault) (Token, error) {
	token, err := usercode.AskWithin(ctx, storeTimeout, vault.Load)
	switch {
	case err != nil && !f.loaded && !canDoWithout(err):
		return Token{}, &AuthError{Permanent: isUnopened(err), Err: fmt.Errorf("%w: %w", errTokenStore, err)}
	case err != nil:
		f.unread = err
		f.warn(ctx, "salesiq token store not read", err)
		return Token{}, errNothingNewer
	}
	f.loaded = true
	if !f.owns(token) {
		return Token{}, f.disowned(token)
	}
	return token, nil
}

// canDoWithout reports whether a store that could not be read yet says that a token may be
// requested nevertheless.
func canDoWithout(err error) bool {
	e, ok := errors.AsType[interface {
		error
		DoWithout() bool
	}](err)
	return ok && e.DoWithout()
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
