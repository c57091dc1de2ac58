package transport

import (
	"context"
	"maps"
	"net/http"
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

// authorizer is the link that puts the current token on each attempt, and
// reports the ones that the service refuses.
type authorizer struct {
	next      *sender
	tokens    Tokens
	userAgent []string
}

func (a *authorizer) RoundTrip(request *http.Request) (*http.Response, error) {
	token, err := a.tokens.Header(request.Context())
	if err != nil {
		return nil, &Failure{Err: err}
	}
	response, err := a.next.send(request, a.header(token, request))
	if err == nil {
		a.tokens.Accepted(token)
		return response, nil
	}
	if f := failureOf(err); tokenRefused(f) {
		f.otherToken = a.tokens.Rejected(token)
	}
	return nil, err
}

var jsonType = []string{"application/json"}

func (a *authorizer) header(token string, request *http.Request) http.Header {
	r := callOf(request.Context()).request
	h := make(http.Header, 4+len(r.Header)+len(request.Header))
	maps.Copy(h, request.Header) // What the cookie jar put there.
	h["Accept"] = jsonType
	if r.Body != nil {
		h["Content-Type"] = jsonType
	}
	maps.Copy(h, r.Header)
	h["User-Agent"] = a.userAgent
	h["Authorization"] = []string{token}
	return h
}

func tokenRefused(f *Failure) bool { return f.Answer.RefusesToken(f.Status) }

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
