package transport

import "context"

// Tokens supplies access tokens.
type Tokens interface {
	// Header returns the value of the Authorization header to send now.
	Header(ctx context.Context) (string, error)
	// Rejected reports that the service refused the token in header, and tells
	// what has become of it.
	Rejected(header string) Refusal
	// Accepted reports that a call with the token in header succeeded.
	Accepted(header string)
}

// Refusal is what becomes of a token that the service refuses.
type Refusal int

// What becomes of a token. Whether another attempt follows is told at tokenReplaced.
const (
	TokenKept     Refusal = iota // It stays in use: another attempt would carry it again.
	TokenDropped                 // It is not used any more: another attempt carries another one.
	TokenOutdated                // The same, and it may have been out of date, such as one from a store.
)

// authorized is the link that puts the current token on each attempt, and reports
// the ones that the service refuses.
type authorized struct {
	next   link
	tokens Tokens
}

func (l *authorized) do(ctx context.Context, a *attempt) (*Answer, *Failure) {
	token, err := l.header(ctx, a)
	if err != nil {
		return nil, &Failure{Err: err, fate: tokenless}
	}
	a.token = token
	answer, f := l.next.do(ctx, a)
	switch {
	case f == nil:
		l.tokens.Accepted(token)
	case f.tokenRefused():
		f.refusal = l.tokens.Rejected(token)
	}
	return answer, f
}

// header waits for a token, and reports the wait.
func (l *authorized) header(ctx context.Context, a *attempt) (string, error) {
	w := a.startWait(ctx, WaitToken)
	defer a.endWait(w)
	return l.tokens.Header(ctx)
}

const maxToken = 8 << 10 // Longer ones do not fit into a header.

// ValidToken reports whether token can stand in a header.
func ValidToken(token string) bool {
	for _, c := range []byte(token) {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return token != "" && len(token) <= maxToken
}
