package salesiqredis

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
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

var errNoCodec = errors.New("salesiqredis: a token is not stored without a codec")

// TokenStore returns a store for [salesiq.RefreshToken] that all processes share:
// one of them renews the token, the others take it from there. What is stored
// goes through codec, such as that of [AESGCM].
//
// Who renews the token holds a lock, which ends by itself ([WithTokenLock]). What
// an earlier holder brings after the next one has taken it, or after somebody has
// stored a token without it, is not stored ([ErrLockLost]).
//
// While Redis is away, there is no stored token: see [WithTokenAway].
func (o *Organization) TokenStore(codec Codec) salesiq.TokenStore {
	return &tokenStore{
		config: &o.config,
		link:   o.newLink("token"),
		codec:  codec,
		get:    script{getScript, o.keys("token")},
		lock:   script{lockScript, o.keys("token-lock", "token-last")},
		save:   script{saveScript, o.keys("token", "token-last")},
		unlock: script{unlockScript, o.keys("token-lock")},
	}
}

type tokenStore struct {
	*config

	link                    *link
	codec                   Codec
	get, lock, save, unlock script
}

// storedToken is what is sealed.
type storedToken struct {
	AccessToken  string    `json:"access_token"`
	RefreshToken string    `json:"refresh_token"`
	Expiry       time.Time `json:"expiry"`
	APIDomain    string    `json:"api_domain"`
	AccountsURL  string    `json:"accounts_url"`
	Grant        string    `json:"grant"`
}

// Format shows nothing that is stored.
func (*tokenStore) Format(f fmt.State, _ rune) { fmt.Fprint(f, "salesiqredis.TokenStore") }

// Load implements [salesiq.TokenStore].
func (s *tokenStore) Load(ctx context.Context) (salesiq.Token, error) {
	if s.codec == nil {
		return salesiq.Token{}, errNoCodec
	}
	reply, err := s.link.run(ctx, s.get, nil)
	if errors.Is(err, ErrAway) && s.tokenAway == GoAlone {
		return salesiq.Token{}, nil
	}
	sealed, _ := reply.(string) // None is "".
	if err != nil || sealed == "" {
		return salesiq.Token{}, err
	}
	return s.open(sealed)
}

func (s *tokenStore) open(sealed string) (salesiq.Token, error) {
	plain, err := s.codec.Open([]byte(sealed))
	var t storedToken
	if err == nil {
		err = json.Unmarshal(plain, &t)
	}
	if err != nil {
		return salesiq.Token{}, fmt.Errorf("salesiqredis: the stored token: %w", err)
	}
	return salesiq.Token{
		AccessToken:  salesiq.Secret(t.AccessToken),
		RefreshToken: salesiq.Secret(t.RefreshToken),
		Expiry:       t.Expiry,
		APIDomain:    t.APIDomain,
		AccountsURL:  t.AccountsURL,
		Grant:        t.Grant,
	}, nil
}

// Save implements [salesiq.TokenStore].
func (s *tokenStore) Save(ctx context.Context, token salesiq.Token) error {
	return s.store(ctx, token, "")
}

// store stores a token, for the owner of the lock if there is one.
func (s *tokenStore) store(ctx context.Context, token salesiq.Token, owner string) error {
	if s.codec == nil {
		return errNoCodec
	}
	plain, err := json.Marshal(storedToken{
		AccessToken:  token.AccessToken.Reveal(),
		RefreshToken: token.RefreshToken.Reveal(),
		Expiry:       token.Expiry,
		APIDomain:    token.APIDomain,
		AccountsURL:  token.AccountsURL,
		Grant:        token.Grant,
	})
	if err != nil {
		return err
	}
	sealed, err := s.codec.Seal(plain)
	if err != nil {
		return fmt.Errorf("salesiqredis: sealing the token: %w", err)
	}
	reply, err := s.link.run(ctx, s.save, nil, string(sealed), owner)
	if err == nil && reply != int64(1) {
		err = ErrLockLost
	}
	return err
}

// Lock implements [salesiq.TokenLocker].
func (s *tokenStore) Lock(ctx context.Context) (salesiq.LockedTokenStore, error) {
	locked := &lockedStore{tokenStore: s, owner: rand.Text()}
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		reply, err := s.link.run(ctx, s.lock, func(any) { locked.Unlock() }, locked.owner, milliseconds(s.tokenLock))
		if err != nil {
			return nil, s.unlocked(ctx, err)
		}
		if reply == int64(1) {
			return locked, nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// unlocked lets a while pass before a process renews the token alone.
func (s *tokenStore) unlocked(ctx context.Context, err error) error {
	if !errors.Is(err, ErrAway) || s.tokenJitter <= 0 {
		return err
	}
	select {
	case <-time.After(randv2.N(s.tokenJitter)): //nolint:gosec // It is no secret.
	case <-ctx.Done():
	}
	return err
}

// lockedStore is the store for the holder of the lock.
type lockedStore struct {
	*tokenStore

	owner string
}

// Save implements [salesiq.TokenStore].
func (l *lockedStore) Save(ctx context.Context, token salesiq.Token) error {
	return l.store(ctx, token, l.owner)
}

// Unlock implements [salesiq.LockedTokenStore]. If it fails, the lock ends by
// itself.
func (l *lockedStore) Unlock() { l.link.insist(l.unlock, l.owner) }
