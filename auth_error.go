package salesiq

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq/internal/oauth"
)

// AuthError says why there is no access token. It matches [ErrAuth], and
// [errors.As] finds it in the [Error] of a call that failed for want of a token.
// It holds no secret, and of the OAuth server's answer only the code and
// description.
type AuthError struct {
	Code        string // The server's own, such as "invalid_code"; empty if it gave none.
	Description string // The server's own, if it gave one.
	StatusCode  int    // Of the server's answer, which is 200 for many errors; 0 without one.

	// Permanent is set when asking again does not help: something must be
	// changed first, and Error says what.
	Permanent bool

	// RetryAt is when a token will be requested again. Until then calls fail
	// with this error at once. It is zero outside of calls.
	RetryAt time.Time

	// Err is the cause, where it is not a code of the server.
	Err error

	unreachable bool // The next request may well get through.
}

// The codes of the OAuth server that have a known remedy.
const (
	codeAccessDenied        = "access_denied"
	codeInvalidCode         = "invalid_code"
	codeInvalidGrant        = "invalid_grant"
	codeInvalidClient       = "invalid_client"
	codeInvalidClientSecret = "invalid_client_secret"
	codeInvalidRedirectURI  = "invalid_redirect_uri"
	codeUnauthorizedClient  = "unauthorized_client"
)

// remedies tells what to do about a permanent error.
var remedies = map[string]string{
	codeAccessDenied:        "the user, or an administrator, did not consent",
	codeInvalidCode:         "the refresh token or code is revoked, used up, too old, or another data center's: sign in again",
	codeInvalidGrant:        "the refresh token or code is revoked, used up, too old, or another data center's: sign in again",
	codeInvalidClient:       "check the client ID, and that it is enabled for this data center",
	codeInvalidClientSecret: "check the client secret: it may differ from one data center to another",
	codeInvalidRedirectURI:  "use the redirect URL that the application is registered with",
	codeUnauthorizedClient:  "check the client's type in the API console",
}

// remedy returns what to do about the error, or "" if nothing is known.
func (e *AuthError) remedy() string { return remedies[strings.ToLower(e.Code)] }

// Error describes the failure in one line.
func (e *AuthError) Error() string {
	parts := []string{ErrAuth.Error()}
	for _, part := range []string{e.Code, e.Description} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	text := strings.Join(parts, ": ")
	if e.StatusCode != 0 {
		text += fmt.Sprintf(" (HTTP %d)", e.StatusCode)
	}
	if remedy := e.remedy(); remedy != "" {
		text += "; " + remedy
	}
	if !e.RetryAt.IsZero() && !e.Permanent { // Whoever reads it is to change something, not to wait.
		text += "; next try at " + e.RetryAt.UTC().Format(time.RFC3339)
	}
	return text
}

// Is reports whether target is [ErrAuth].
func (e *AuthError) Is(target error) bool { return target == ErrAuth }

// Unwrap returns the cause.
func (e *AuthError) Unwrap() error { return e.Err }

// LogValue shows the error's fields to structured logs.
func (e *AuthError) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("error", e.Error()),
		slog.String("code", e.Code),
		slog.Int("status", e.StatusCode),
		slog.Bool("permanent", e.Permanent),
		slog.Time("retry_at", e.RetryAt))
}

// throttlePause is how long the OAuth server refuses requests after too many.
const throttlePause = 10 * time.Minute

// newAuthError makes an AuthError of the failure of a request for a token.
func newAuthError(err error) *AuthError {
	f, ok := errors.AsType[*oauth.Failure](err)
	if !ok {
		return &AuthError{Err: err} // The user's transport panicked, or the time was up.
	}
	e := &AuthError{Code: f.Code, Description: f.Description, StatusCode: f.Status, Err: f.Err, unreachable: f.Unreachable}
	e.Permanent = !f.Throttled && (e.remedy() != "" || errors.Is(f.Err, ErrRedirect))
	wait := f.RetryAfter
	if f.Throttled {
		wait = max(throttlePause, wait)
	}
	if wait > 0 {
		e.RetryAt = time.Now().Add(wait)
	}
	return e
}
