package transport

import (
	"context"
	"errors"
	"net/http"

	"maps"
)

// Tokens supplies access tokens.
type Tokens interface {
	// Header returns the value of the Authorization header to send now.
	Header(ctx context.Context) (string, error)
	// Rejected reports that the service refused the token in header. It returns
	// whether another attempt would carry another token.
	Rejected(header string) bool
}

// authorizer is the link that puts the current token on each attempt, and
// reports the ones that the service refuses.
type authorizer struct {
	next      http.RoundTripper
	tokens    Tokens
	userAgent string
}

func (a *authorizer) RoundTrip(request *http.Request) (*http.Response, error) {
	header, err := a.tokens.Header(request.Context())
	if err != nil {
		return nil, &Failure{Err: err}
	}
	// The previous attempt may still be reading its own header.
	attempt := *request
	attempt.Header = maps.Clone(request.Header)
	attempt.Header["Authorization"] = []string{header}
	attempt.Header["User-Agent"] = []string{a.userAgent}
	response, err := a.next.RoundTrip(&attempt)
	var f *Failure
	if errors.As(err, &f) && tokenRefused(f) {
		f.otherToken = a.tokens.Rejected(header)
	}
	return response, err
}

// tokenRefused follows the service's code; a bare 401 counts, too.
func tokenRefused(f *Failure) bool {
	return f.Answer.Code == codeInvalidToken || f.Status == http.StatusUnauthorized && f.Answer.Code == ""
}
