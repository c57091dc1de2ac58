package salesiq

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/salesiq-go/salesiq/internal/hooks"
	"github.com/salesiq-go/salesiq/internal/transport"
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

// lookInterval is how often the store is read while no token may be requested.
const lookInterval = time.Second

// refresher keeps an access token in use, and decides when another one is looked for. That
// is a refresh, which the tokenFinder of auth_find.go carries out, one at a time. A call
// begins it, and it may outlive that call. There is no timer.
//
// The age of the token decides what a call gets:
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
//	the token               what happens                       the call is told
//	----------------------  ---------------------------------  ----------------
//	is not in use any more  nothing                            TokenOutdated
//	from the store          it is dropped                      TokenOutdated
//	requested, the 1st      it is dropped                      TokenDropped
//	requested, the 2nd or   until droppableAt, it is kept;     TokenKept
//	later in a row          from then on, it is dropped        TokenDropped
//
// Which answers of the service refuse a token is told at RefusesToken in
// internal/wire/errorbody.go. How often a call is repeated then is told at tokenReplaced in
// internal/transport/retry.go: once for a token that is dropped, three times for outdated ones.
//
// Another process may have stored a token long ago, so that its refusal tells nothing of
// the next one. But if the service refuses two requested tokens in a row, the tokens are not
// the cause. So a further one stays in use for a time, although it is refused:
//
//	the refused token in a row           1st   2nd  3rd   4th   ...  9th and later
//	is kept, from when it was obtained   0 s   5 s  10 s  20 s  ...  10 min
//
// Calls that carry a token that is kept fail with what the service says. A row ends when the
// service accepts a token that it has never refused.
//
// If ten tokens were requested within ten minutes, also by other processes that have stored
// theirs in the same store, and also in vain by this one, the refresh fails until another
// may be requested, and so do the calls that wait for it. The last token comes into use
// again, although it was dropped, and is kept until then. Calls get it from the next one on.
//
// After a refresh that has failed, no token is requested until the failure's RetryAt. The
// OAuth server may name that time. If it refuses for too many requests, that is ten minutes
// later at least, and nothing is requested until then, whatever the store has. Otherwise it
// is 5 to 80 seconds later, and 1 to 10 minutes after a permanent failure. What failure is
// which is told in internal/oauth/oauth.go, and at remedies in auth_error.go. Calls that would
// wait get the failure at once. Only once in a second does one of them begin a refresh that
// looks into the store, where another process may have put a token. If the failure was a
// refused refresh token, and the store has another one, that refresh requests a token at
// once. A store that could not be read even once is not looked into before RetryAt.
type refresher struct {
	finder *tokenFinder // Used by the flight alone.
	hooks  hooks.Starts[RefreshTrace, RefreshTrace]

	current atomic.Pointer[bearer] // Nil before the first, and once it was dropped.

	mu       sync.Mutex // Guards what follows.
	flight   *flight    // The refresh under way.
	started  time.Time  // When the last one was begun.
	failure  *AuthError // Of the last one.
	failures int        // Since the last success.
	lookAt   time.Time  // When the store is read again after a failure.
	dropped  *bearer    // The last one that was, until there is another.
	refusals int        // Requested tokens that the service refused, since it accepted one.
}

// flight is one refresh that any number of calls wait for.
type flight struct {
	after     *AuthError    // The last failure, before it; nil if none.
	storeOnly bool          // After that failure, it is too soon to request a token.
	done      chan struct{} // Closed when the outcome is there: header or err.
	header    Secret
	err       error
}

// bearer is an access token in use.
type bearer struct {
	accepted    atomic.Bool // By the service, at least once.
	droppableAt time.Time   // From then on, a refusal drops it. Zero if it was never refused. Guarded by refresher.mu.
	stored      bool        // It was not requested, but found in the store.

	header   Secret
	scopes   []Scope   // None if the server did not say.
	obtained time.Time // From the server or the store.
	renewAt  time.Time // From then on, a new one is looked for in the background.
	staleAt  time.Time // From then on, calls wait for a new one.
	expiry   time.Time
}

// newBearer plans the life of a token. The margins of a short one are shorter.
func newBearer(token Token, now time.Time) *bearer {
	left := token.Expiry.Sub(now)
	token.Expiry = token.Expiry.Round(0) // By the wall clock, which goes on while the machine sleeps.
	return &bearer{
		header:   NewSecret(scheme + token.AccessToken.Reveal()),
		scopes:   token.Scopes,
		obtained: now,
		renewAt:  token.Expiry.Add(-min(renewBefore, left/4)),
		staleAt:  token.Expiry.Add(-min(expiryMargin, left/10)),
		expiry:   token.Expiry,
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
	return &refresher{hooks: c.tracers.refresh, finder: newTokenFinder(c, credentials, vault, self)}
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

// refreshInBackground begins a refresh for which nobody waits, unless one is under
// way or the last one was begun a moment ago.
func (r *refresher) refreshInBackground(ctx context.Context, now time.Time) {
	if !r.mu.TryLock() {
		return
	}
	defer r.mu.Unlock()
	if r.flight == nil && now.Sub(r.started) >= renewInterval && !r.failure.pauses(now) {
		r.startFlight(ctx, now)
	}
}

// wait returns the outcome of a refresh, or the end of ctx.
func (r *refresher) wait(ctx context.Context) (string, error) {
	before := r.current.Load()
	f := r.join(ctx)
	select {
	case <-f.done:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if f.err == nil {
		return f.header.Reveal(), nil
	}
	if b := r.current.Load(); b == before && b.age(time.Now()) < tokenExpired {
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
	if r.failure.pauses(now) && now.Before(r.lookAt) {
		return endedFlight(Secret{}, r.failure)
	}
	return r.startFlight(ctx, now)
}

func endedFlight(header Secret, err error) *flight {
	f := &flight{done: make(chan struct{}), header: header, err: err}
	close(f.done)
	return f
}

// startFlight begins a refresh, which outlives the call that needed it first.
func (r *refresher) startFlight(ctx context.Context, now time.Time) *flight {
	f := &flight{after: r.failure, storeOnly: r.failure.pauses(now), done: make(chan struct{})}
	r.flight, r.started = f, now
	go r.runFlight(context.WithoutCancel(ctx), f)
	return f
}

// runFlight carries out a refresh, and tells those who wait.
func (r *refresher) runFlight(ctx context.Context, f *flight) {
	b, err := r.refresh(ctx, f)
	if isNews := r.land(f, b, err); isNews {
		r.finder.warn(ctx, "salesiq token not renewed", err) // Once, and without the lock: the handler is the user's.
	}
	close(f.done)
}

// errStillTooSoon is the outcome of a refresh that was to read the store alone, and has
// found nothing there.
var errStillTooSoon = errors.New("the store has nothing new, and it is too soon to request a token")

// refresh finds a token. As long as none may be requested, it reads the store. Then it
// goes on only if the store has another refresh token than the one that was refused.
func (r *refresher) refresh(ctx context.Context, f *flight) (*bearer, error) {
	if f.storeOnly {
		b, mayRequest := r.finder.loadAfter(ctx, f.after)
		if b != nil {
			return b, nil
		}
		if !mayRequest {
			return nil, errStillTooSoon
		}
	}
	start, requested := time.Now(), r.finder.requested
	ctx, ends := r.hooks.Begin(ctx, RefreshTrace{})
	b, err := r.finder.find(ctx)
	if e, ok := errors.AsType[*AuthError](err); ok && e.pauseEnds.IsZero() {
		r.plan(e) // The tracer may keep the error, so it must not change later.
	}
	ends.Tell(RefreshTrace{Requests: r.finder.requested - requested, Duration: time.Since(start), Err: err})
	return b, err
}

// land notes the outcome of a flight, and reports whether it is a failure that nobody was
// told of:
//
//	a token            is in use from now on, and ends the failures
//	errStillTooSoon,   the failure before the flight stays the last one
//	or that failure
//	any other failure  is the last one, and is news
func (r *refresher) land(f *flight, b *bearer, err error) (isNews bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flight = nil
	switch now := time.Now(); {
	case err == nil:
		r.failure, r.failures, r.dropped = nil, 0, nil
		r.current.Store(b)
		f.header = b.header
	case errors.Is(err, errStillTooSoon), errors.Is(err, f.after):
		r.lookAt = now.Add(lookInterval)
		f.err = f.after
	default:
		r.fail(err, now)
		f.err = r.failure
		if errors.Is(err, errBudget) && r.dropped.age(now) < tokenExpired { // The service may accept it yet.
			r.dropped.droppableAt = r.failure.pauseEnds
			r.current.Store(r.dropped)
		}
		return true
	}
	return false
}

// plan sets when a failure for which the server names no time is worth another request.
func (r *refresher) plan(e *AuthError) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first, most := firstPause, maxPause
	if e.Permanent {
		first, most = firstPermanentPause, maxPermanentPause
	}
	e.pause(time.Now(), doubled(first, r.failures, most))
}

// fail remembers a failure until its RetryAt.
func (r *refresher) fail(err error, now time.Time) {
	r.failure, _ = errors.AsType[*AuthError](err) // A finder fails with no other.
	r.lookAt = now.Add(lookInterval)
	r.failures++
	if errors.Is(err, errTokenStore) {
		r.lookAt = r.failure.pauseEnds
	}
}

// doubled returns a pause that has been doubled so many times.
func doubled(first time.Duration, times int, most time.Duration) time.Duration {
	return min(first<<min(times, 10), most)
}

// Rejected implements [transport.Tokens]: see the second table of refresher.
func (r *refresher) Rejected(header string) transport.Refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.current.Load()
	if b == nil || b.header.Reveal() != header {
		return transport.TokenOutdated // A newer one is there, or the next call will find it.
	}
	now := time.Now()
	if !b.stored {
		r.noteRefusal(b)
	}
	if now.Before(b.droppableAt) {
		return transport.TokenKept
	}
	r.current.Store(nil)
	r.dropped = b
	if b.stored {
		return transport.TokenOutdated
	}
	return transport.TokenDropped
}

// noteRefusal counts a requested token that is refused for the first time, and sets when
// it may be dropped.
func (r *refresher) noteRefusal(b *bearer) {
	if !b.droppableAt.IsZero() {
		return
	}
	b.droppableAt = b.obtained
	if r.refusals > 0 {
		b.droppableAt = b.obtained.Add(doubled(firstPause, r.refusals-1, maxPermanentPause))
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
