package salesiqredis

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	randv2 "math/rand/v2"
	"time"

	"github.com/salesiq-go/salesiq"
)

var (
	//go:embed scripts/get.lua
	getScript string
	//go:embed scripts/token_lock.lua
	lockScript string
	//go:embed scripts/token_save.lua
	saveScript string
	//go:embed scripts/token_unlock.lua
	unlockScript string
)

// How often a process looks whether the lock is free.
const (
	firstLook = 50 * time.Millisecond
	lastLook  = 200 * time.Millisecond
)

// ErrLockLost means that a token was not stored, since another process has begun
// to renew it in the meantime, or has stored one.
var ErrLockLost = errors.New("salesiqredis: the lock for the token is lost")

// TokenStore returns a store that all processes share: one of them renews the
// token, the others take it from there. It keeps sealed bytes:
//
//	salesiq.RefreshToken(credentials, salesiq.SealTokens(organization.TokenStore(), key))
//
// Who renews the token holds a lock, which ends by itself ([WithTokenLock]). What
// an earlier holder brings after the next one has taken it, or after somebody has
// stored a token without it, is not stored ([ErrLockLost]).
//
// While Redis is away, Load fails, and a client does without the store: see
// [WithTokenAway]. One whose refresh token is only in Redis waits for it.
func (o *Organization) TokenStore() salesiq.TokenLocker {
	return &tokenStore{
		config: &o.config,
		link:   o.links.token,
		get:    script{source: getScript, keys: o.keys("token")},
		lock:   script{source: lockScript, keys: o.keys("token-lock", "token-last")},
		save:   script{source: saveScript, keys: o.keys("token", "token-last")},
		unlock: script{source: unlockScript, keys: o.keys("token-lock")},
	}
}

type tokenStore struct {
	*config

	link                    *link
	get, lock, save, unlock script
}

// loadPatience is how long reading the token may take, at least: a connection that
// is being made is no reason to request a token that is there already.
const loadPatience = 4 * time.Second

// lockPatience is how long a process waits for a Redis that is silent before it
// renews the token alone. Clients wait for a lock for 15 seconds.
const lockPatience = 10 * time.Second

// Load implements [salesiq.TokenStore].
func (s *tokenStore) Load(ctx context.Context) ([]byte, error) {
	reply, err := s.link.runWithin(ctx, max(s.timeout, loadPatience), s.get, nil)
	if errors.Is(err, ErrAway) && s.tokenAway == GoAlone {
		err = aloneError{err}
	}
	sealed, _ := reply.(string) // None is "".
	return []byte(sealed), err
}

// aloneError is an error after which a process goes on alone.
type aloneError struct{ error }

func (e aloneError) Unwrap() error { return e.error }

// DoWithout tells a client to request a token without the store.
func (e aloneError) DoWithout() bool { return true }

// Save implements [salesiq.TokenStore].
func (s *tokenStore) Save(ctx context.Context, sealed []byte) error {
	return s.store(ctx, sealed, "")
}

// store stores a token, for the owner of the lock if there is one.
func (s *tokenStore) store(ctx context.Context, sealed []byte, owner string) error {
	reply, err := s.link.run(ctx, s.save, nil, string(sealed), owner)
	if err == nil && reply != int64(1) {
		err = ErrLockLost
	}
	return err
}

// Lock implements [salesiq.TokenLocker].
func (s *tokenStore) Lock(ctx context.Context) (locked salesiq.TokenStore, unlock func(), err error) {
	held := &lockedStore{tokenStore: s, owner: rand.Text()}
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		reply, err := s.link.run(ctx, s.lock, func(any) { held.release() }, held.owner, milliseconds(s.tokenLock))
		if err != nil {
			if err := s.unlocked(ctx, err); err != nil {
				return nil, nil, err
			}
			continue // Redis answers again.
		}
		if reply == int64(1) {
			return held, held.release, nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
}

// unlocked lets a while pass before a process renews the token alone: for as long
// as the client waits for a lock, if Redis is only silent. It returns nil if Redis
// answers again before that.
func (s *tokenStore) unlocked(ctx context.Context, err error) error {
	if !errors.Is(err, ErrAway) || s.tokenJitter <= 0 || s.tokenAway == Refuse {
		return err
	}
	pause := randv2.N(s.tokenJitter) //nolint:gosec // It is no secret.
	if _, cause := s.link.trouble(); errors.Is(cause, errSilent) {
		pause += lockPatience
	}
	bounded, cancel := context.WithTimeout(ctx, pause)
	defer cancel()
	s.link.untilBack(bounded)
	if bounded.Err() == nil {
		return nil
	}
	return err
}

// lockedStore is the store for the holder of the lock.
type lockedStore struct {
	*tokenStore

	owner string
}

// Save implements [salesiq.TokenStore].
func (l *lockedStore) Save(ctx context.Context, sealed []byte) error {
	return l.store(ctx, sealed, l.owner)
}

// release gives the lock back. If that fails, the lock ends by itself.
func (l *lockedStore) release() { l.link.insist(l.unlock, l.owner) }
