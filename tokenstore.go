package salesiq

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Token is what the OAuth server gives out. Printing and encoding it hides its
// secrets; a store that keeps it keeps what [Secret.Reveal] returns.
type Token struct {
	AccessToken  Secret
	RefreshToken Secret
	Expiry       time.Time // Of the access token. Zero counts as expired.
	APIDomain    string    // The server's hint at the account's data center.

	// AccountsURL and Grant tell where the token came from: the OAuth server, and
	// a fingerprint of the refresh token that it all began with. With other
	// credentials or another server, a stored token is not used.
	AccountsURL string
	Grant       string
}

// Format hides the secrets for every verb.
func (t Token) Format(f fmt.State, _ rune) {
	type plain Token
	fmt.Fprintf(f, plainVerb(f), plain(t))
}

// TokenStore keeps a token between runs of a program, or for several programs.
// It must be safe for concurrent use, and keep all fields of a token: of the
// secrets what [Secret.Reveal] returns, since encoding a [Secret] gives
// [Redacted]. A store that returns that counts as one that cannot be read.
type TokenStore interface {
	// Load returns the stored token, or a zero Token if there is none.
	Load(ctx context.Context) (Token, error)
	// Save replaces the stored token.
	Save(ctx context.Context, token Token) error
}

var errRedacted = fmt.Errorf("it returned %q for a token: it must keep what Secret.Reveal returns, and not encode a Secret", Redacted)

// checkStored refuses a token that a store has encoded as it stood.
func checkStored(token Token) error {
	if token.AccessToken == Redacted || token.RefreshToken == Redacted {
		return errRedacted
	}
	return nil
}

// TokenLocker is implemented by a [TokenStore] that several processes share, so
// that one of them renews the token while the others wait for it.
type TokenLocker interface {
	// Lock waits until no other process renews the token, or ctx ends. The lock
	// must end by itself if its holder dies. If it cannot be had, the token is
	// renewed without it.
	Lock(ctx context.Context) (LockedTokenStore, error)
}

// LockedTokenStore is a [TokenStore] for the time of a lock. Once the lock is
// lost to another process, Save must fail.
type LockedTokenStore interface {
	TokenStore
	Unlock()
}

// NewMemoryTokenStore returns a store that forgets when the program ends.
func NewMemoryTokenStore() TokenStore {
	return &memoryStore{opaque: "MemoryTokenStore", token: new(Token)}
}

type memoryStore struct {
	opaque

	mu    sync.Mutex
	token *Token
}

func (m *memoryStore) Load(context.Context) (Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return *m.token, nil
}

func (m *memoryStore) Save(_ context.Context, token Token) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	*m.token = token
	return nil
}
