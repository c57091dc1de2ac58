package salesiq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq/internal/seal"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// Token is what the OAuth server gives out. A [TokenVault] keeps it.
type Token struct {
	AccessToken  Secret
	RefreshToken Secret
	Expiry       time.Time // Of the access token. Zero counts as expired.
	APIDomain    string    // The server's hint at the account's data center.
	Scopes       []Scope   // What was granted; none if the server does not say.

	// AccountsURL and Grant tell where the token came from: the OAuth server, and
	// a fingerprint of the refresh token that it all began with. With other
	// credentials or another server, a stored token is not used.
	AccountsURL string
	Grant       string

	requests []time.Time // When this token and those before it were requested, oldest first.
}

// DataCenter returns the data center that the token is good for, or "" if it is not
// known where the token came from.
func (t Token) DataCenter() DataCenter {
	if dc, ok := regionAt(t.AccountsURL); ok {
		return dc
	}
	u, err := url.Parse(t.AccountsURL)
	if err != nil || !isForTests(u.Hostname()) {
		return ""
	}
	return Hosts{API: t.AccountsURL, Accounts: t.AccountsURL}.DataCenter()
}

// where is what to write for the data center of a token.
func (t Token) where() string {
	if dc := t.DataCenter(); dc != "" {
		return "WithDataCenter(" + goName(dc) + "), or sign in again"
	}
	return "that server, or sign in again"
}

// TokenStore keeps the sealed bytes of a token between runs of a program, or for
// several programs. It knows nothing of what is in them: [SealTokens] seals them
// on the way there. They are printable ASCII and take less than 4 KiB, so that a
// column of text can hold them.
//
// A store must be safe for concurrent use. One that several processes share
// should be a [TokenLocker].
type TokenStore interface {
	// Load returns what was saved last. It returns no bytes and no error if nothing
	// was saved. Until it has succeeded once, no token is requested after an error,
	// unless one in its chain has a method DoWithout() bool that returns true.
	Load(ctx context.Context) (sealed []byte, err error)
	// Save replaces what was saved before.
	Save(ctx context.Context, sealed []byte) error
}

// TokenLocker is a [TokenStore] that several processes share, so that one of
// them renews the token while the others wait for it, for up to 15 seconds each.
type TokenLocker interface {
	TokenStore
	// Lock waits until no other process renews the token, or ctx ends. The store
	// that it returns is used while the lock is held. Its Save must fail once
	// another process has the lock. Calling unlock gives the lock back. The lock
	// must end by itself if its holder dies. After an error, the token is renewed
	// without a lock.
	Lock(ctx context.Context) (locked TokenStore, unlock func(), err error)
}

// TokenVault keeps tokens for [RefreshToken]: in a file ([FileTokenStore]), in
// a store of one's own ([SealTokens]) or in memory ([NewMemoryTokenStore]). It is
// safe for concurrent use.
type TokenVault struct {
	store TokenStore
	codec *seal.Codec // Nil leaves tokens as they are, which is for memory alone.
	name  string      // Of what is stored, for errors.
	err   error       // Of the arguments; NewClient reports it.
}

// SealTokens returns a vault that encrypts tokens with key (AES-256-GCM) and
// keeps them in store. The key must be 32 random bytes, such as from
// [crypto/rand.Read], and is best kept apart from the store. Tokens that were
// sealed with an older key are opened as well. To replace a key while processes
// run, restart all of them with the new key among the older ones, and then with
// the new key in the place of the old one.
//
// What does not open with the keys is refused, and never overwritten: delete it
// to begin anew.
//
// Errors, reported by [NewClient], Load and Save: an [InputError] for no store,
// or a key of another size.
func SealTokens(store TokenStore, key []byte, older ...[]byte) *TokenVault {
	if err := given("token store", store); err != nil {
		return &TokenVault{err: err}
	}
	codec, err := seal.New(key, older...)
	if err != nil {
		err = inputError("token key", err.Error())
	}
	return &TokenVault{store: store, codec: codec, name: "stored token", err: err}
}

// NewMemoryTokenStore returns a vault that forgets its token when the program ends.
// It does not seal, since the token never leaves the process. It is for tests, and
// for programs that start seldom: each start requests a token, and the service
// gives out ten in ten minutes.
func NewMemoryTokenStore() *TokenVault {
	return &TokenVault{store: &memoryStore{}, name: "stored token"}
}

type memoryStore struct {
	mu    sync.Mutex
	token Secret // It is not sealed, and must not be printed.
}

func (m *memoryStore) Load(context.Context) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return []byte(m.token.Reveal()), nil
}

func (m *memoryStore) Save(_ context.Context, token []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.token = NewSecret(string(token))
	return nil
}

// Load returns the stored token, or a zero Token if there is none.
func (v *TokenVault) Load(ctx context.Context) (Token, error) {
	if err := cmp.Or(v.check(), givenContext(ctx)); err != nil {
		return Token{}, err
	}
	if err := ctx.Err(); err != nil {
		return Token{}, err
	}
	sealed, err := v.store.Load(ctx)
	if err != nil || len(sealed) == 0 {
		return Token{}, err
	}
	token, err := v.open(sealed)
	if err != nil {
		return Token{}, fmt.Errorf("%s %w", v.name, err)
	}
	return token, nil
}

// Save replaces the stored token.
func (v *TokenVault) Save(ctx context.Context, token Token) error {
	if _, err := v.Load(ctx); err != nil {
		return err // What is stored may belong to somebody else.
	}
	sealed, err := v.seal(token)
	if err != nil {
		return err
	}
	return v.store.Save(ctx, sealed)
}

// check returns what was wrong with the arguments that the vault was made from.
func (v *TokenVault) check() error {
	if v == nil || v.store == nil && v.err == nil {
		return inputError("token vault", "must be made by SealTokens, FileTokenStore or NewMemoryTokenStore")
	}
	return v.err
}

// over returns a vault with another store, for the time of a lock.
func (v *TokenVault) over(store TokenStore) *TokenVault {
	return &TokenVault{store: store, codec: v.codec, name: v.name}
}

// storedToken is what is sealed.
type storedToken struct {
	AccessToken  string    `json:"access_token"`
	RefreshToken string    `json:"refresh_token"`
	Expiry       time.Time `json:"expiry,omitzero"`
	APIDomain    string    `json:"api_domain"`
	Scopes       []Scope   `json:"scopes,omitempty"`
	AccountsURL  string    `json:"accounts_url"`
	Grant        string    `json:"grant"`
	Requests     []int64   `json:"requests,omitempty"` // In milliseconds, as of time.Time.UnixMilli.
}

func (v *TokenVault) seal(token Token) ([]byte, error) {
	plain, err := wire.Marshal(storedToken{
		AccessToken:  token.AccessToken.Reveal(),
		RefreshToken: token.RefreshToken.Reveal(),
		Expiry:       token.Expiry,
		APIDomain:    token.APIDomain,
		Scopes:       storable(token.Scopes),
		AccountsURL:  token.AccountsURL,
		Grant:        token.Grant,
		Requests:     converted(token.requests, time.Time.UnixMilli),
	})
	if err != nil || v.codec == nil {
		return plain, err
	}
	return v.codec.Seal(plain), nil
}

// converted returns what f makes of each value.
func converted[T, U any](values []T, f func(T) U) (all []U) {
	for _, value := range values {
		all = append(all, f(value))
	}
	return all
}

// maxStoredScopes bounds the scopes that are stored, in bytes, so that a token keeps to
// the size that stores can rely on. They only make errors clearer.
const maxStoredScopes = 1 << 10

func storable(scopes []Scope) []Scope {
	if len(joinScopes(scopes)) > maxStoredScopes {
		return nil
	}
	return scopes
}

func (v *TokenVault) open(sealed []byte) (token Token, err error) {
	plain := sealed
	if v.codec != nil {
		if plain, err = v.codec.Open(sealed); err != nil {
			return Token{}, err
		}
	}
	var t storedToken
	if wire.Unmarshal(plain, &t) != nil {
		return Token{}, seal.ErrFormat
	}
	return Token{
		AccessToken:  NewSecret(t.AccessToken),
		RefreshToken: NewSecret(t.RefreshToken),
		Expiry:       t.Expiry,
		APIDomain:    t.APIDomain,
		Scopes:       t.Scopes,
		AccountsURL:  t.AccountsURL,
		Grant:        t.Grant,
		requests:     converted(t.Requests, time.UnixMilli),
	}, nil
}

// isUnopened reports whether err says that a vault could not open what its store holds.
func isUnopened(err error) bool { return errors.Is(err, seal.ErrFormat) || errors.Is(err, seal.ErrKey) }
