package transport

import (
	"context"
)

// Tokens supplies access tokens.
type Tokens interface {
	// Header returns the value of the Authorization header to send now.
	Header(ctx context.Context) (string, error)
	// Rejected reports that the service refused the token in header. It returns
	// whether another attempt would carry another token.
	Rejected(header string) bool
	// Accepted reports that a call with the token in header succeeded.
	Accepted(header string)
}

// authorized is the link that puts the current token on each attempt, and reports
// the ones that the service refuses.
type authorized struct {
	next   link
	tokens Tokens
}

func (l *authorized) do(ctx context.Context, a *attempt) (*Answer, *Failure) {
	token, err := l.header(ctx, a)
	if err != nil {
		return nil, &Failure{Err: err}
	}
	a.token = token
	answer, f := l.next.do(ctx, a)
	switch {
	case f == nil:
		l.tokens.Accepted(token)
	case f.tokenRefused():
		f.otherToken = l.tokens.Rejected(token)
	}
	return answer, f
}

// header waits for a token, and has the wait told of.
func (l *authorized) header(ctx context.Context, a *attempt) (string, error) {
	w := a.startWait(ctx, WaitToken)
	defer a.endWait(w)
	return l.tokens.Header(ctx)
}

func (f *Failure) tokenRefused() bool { return f.Answer.RefusesToken(f.Status) }

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
