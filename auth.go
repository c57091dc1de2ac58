package salesiq

import (
	"context"
	"fmt"

	"golang.org/x/oauth2"

	"github.com/salesiq-go/salesiq/internal/transport"
)

// Authenticator supplies the access tokens of a [Client]: [RefreshToken],
// [StaticToken], or [TokenSource] for anything else.
type Authenticator interface {
	// bind ties the authenticator to the hosts of one client.
	bind(c *config) (transport.Tokens, error)
}

// scheme is the name by which the service knows its tokens.
const scheme = "Zoho-oauthtoken "

// StaticToken signs in with an access token that never changes. It is good for
// an hour, until the service lets it expire.
func StaticToken(token string) Authenticator { return staticToken{scheme + token} }

type staticToken struct{ header string }

func (s staticToken) bind(*config) (transport.Tokens, error) {
	return s, required("access token", s.header[len(scheme):])
}

func (s staticToken) Header(context.Context) (string, error) { return s.header, nil }

func (s staticToken) Rejected(string) bool { return false }

// TokenSource signs in with the tokens of source, which is asked for each
// attempt and does its own caching.
func TokenSource(source oauth2.TokenSource) Authenticator { return foreignTokens{source} }

type foreignTokens struct{ source oauth2.TokenSource }

func (f foreignTokens) bind(*config) (transport.Tokens, error) {
	if f.source == nil {
		return nil, inputError("token source", "must not be nil")
	}
	return f, nil
}

func (f foreignTokens) Header(context.Context) (string, error) {
	token, err := f.source.Token()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrAuth, err)
	}
	return scheme + token.AccessToken, nil
}

func (f foreignTokens) Rejected(string) bool { return true }

// Credentials identify an application, and the user on whose behalf it acts.
type Credentials struct {
	ClientID     string
	ClientSecret Secret
	RefreshToken Secret // Does not expire. Empty where a [TokenStore] holds it.
}

// RefreshToken signs in with a refresh token.
func RefreshToken(credentials Credentials, store TokenStore) Authenticator { return nil }
