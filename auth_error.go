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

	// Permanent is set when waiting does not help: something must be changed first,
	// and Error says what. A token is requested again all the same, since the change may
	// be made where the program does not see it: after one to ten minutes, or after the
	// answer's Retry-After, from a second to 24 hours.
	Permanent bool

	// DataCenter is where the account lives, if the server says so ("other_dc").
	DataCenter DataCenter

	// RetryAt is when a token may be requested again. Until then, calls that have no
	// valid token fail with this error, at once: all but one a second, which looks into
	// the store first, unless that is what has failed. Outside of calls, it is zero unless
	// the server gave out too many tokens, or named a time. It is a time of the wall clock.
	// If that is set, or the machine sleeps, the pause still lasts as long as it was to
	// last, by the monotonic clock.
	RetryAt time.Time

	// Err is the cause, where it is not a code of the server.
	Err error

	pauseEnds   time.Time // RetryAt by the monotonic clock, which goes on when the wall clock is set.
	location    string    // Where the account lives, in the server's own word; empty if it does not say.
	unreachable bool      // The next request may well get through.
	throttled   bool      // The server gave out too many tokens.
	refused     string    // The fingerprint of the refresh token, if the server refused that.
}

// The codes of the OAuth server that this package acts upon.
const (
	codeInvalidCode         = "invalid_code"
	codeInvalidRefreshToken = "invalid_refresh_token"
	codeInvalidGrant        = "invalid_grant"
	codeInvalidClient       = "invalid_client"
	codeInvalidClientSecret = "invalid_client_secret"
	codeOtherDC             = "other_dc"
	codePending             = "authorization_pending"
	codeSlowDown            = "slow_down"
)

const (
	tokenRemedy   = "the refresh token or code is revoked, used up, too old, or another data center's: sign in again (OAuth.Find tells where a refresh token belongs)"
	scopesRemedy  = "ask for scopes that exist and that the client may have: comma-separated, with their prefix, such as SalesIQ.operators.READ"
	soidRemedy    = "name the organization, as service.number (see Credentials.SelfClient): its number is in the service's settings"
	expiryRemedy  = "nobody consented in time: begin anew"
	startsRemedy  = "keep the token from one start to the next, and for all processes: FileTokenStore, or SALESIQ_TOKEN_FILE"
	requestRemedy = "the server misses or does not know a parameter: check the client's type in the API console, and its redirect URL"
)

// remedies tells which codes are permanent, and what to do about them: the codes that the vendor's
// pages list, and those that others met. docs/first-hour.md has their sources.
var remedies = map[string]string{
	"access_denied":             "the user, or an administrator, did not consent",
	codeInvalidCode:             tokenRemedy,
	codeInvalidGrant:            tokenRemedy,
	codeInvalidRefreshToken:     tokenRemedy,
	"invalid_token":             "the token is revoked already, or another data center's",
	"invalid_grant_type":        requestRemedy,
	"unsupported_grant_type":    "the client's type does not allow this way of signing in: a self client is needed for client_credentials, a non-browser client for a device",
	codeInvalidClient:           "check the client ID, and that it is enabled for this data center (API console, the client's settings)",
	"invalid_client_id":         "check the client ID, and that it is enabled for this data center (API console, the client's settings)",
	codeInvalidClientSecret:     "check the client secret: it may differ from one data center to another",
	"invalid_redirect_uri":      "use the redirect URL that the application is registered with, to the letter; none for a self client",
	"redirect_uri_mismatch":     "use the redirect URL that the application is registered with, to the letter; none for a self client",
	"unauthorized_client":       "check the client's type in the API console",
	"invalid_scope":             scopesRemedy,
	"invalid_scopes":            scopesRemedy,
	"invalid_oauthscope":        scopesRemedy,
	"invalid_oauth_scope":       scopesRemedy,
	"scope_does_not_exist":      scopesRemedy,
	"missing_org_info":          soidRemedy,
	"invalid_org_info":          soidRemedy,
	"invalid_org":               soidRemedy,
	"invalid_soid":              soidRemedy,
	"no_org":                    "the user has no account in a service whose scopes are asked for: leave those scopes out, or sign up for it",
	codeOtherDC:                 "the account lives in another data center: OAuth.Find tells in which",
	"invalid_request":           requestRemedy,
	"invalid_response_type":     requestRemedy,
	"unsupported_response_type": requestRemedy,
	"expired":                   expiryRemedy,
	"expired_token":             expiryRemedy,
	"invalid_device_code":       expiryRemedy,
}

// remedy returns what to do about the error, or "" if nothing is known.
func (e *AuthError) remedy() string {
	switch other := strings.EqualFold(e.Code, codeOtherDC); {
	case e.throttled:
		return startsRemedy
	case other && e.DataCenter != "":
		return fmt.Sprintf("the account lives in data center %s: use WithDataCenter(%s), or OAuth.DataCenter to sign in", shortName(e.DataCenter), goName(e.DataCenter))
	case other && e.location != "":
		return fmt.Sprintf("the account lives in data center %q, which this package does not know: give LookupDataCenter the address of its portal", e.location)
	}
	return remedies[strings.ToLower(e.Code)]
}

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

// Is reports whether target is [ErrAuth], or [ErrWrongDataCenter] where the server
// says that the account lives elsewhere.
func (e *AuthError) Is(target error) bool {
	return target == ErrAuth || target == ErrWrongDataCenter && strings.EqualFold(e.Code, codeOtherDC)
}

// Unwrap returns the cause.
func (e *AuthError) Unwrap() error { return e.Err }

// LogValue returns the error's text, for structured logs: an error in them is a text,
// whether or not it is wrapped. For its fields, see LogFields.
func (e *AuthError) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// LogFields returns the error's fields as a group, to stand beside the error in
// structured logs:
//
//	logger.Error("no answer", "error", err, "fields", e.LogFields())
func (e *AuthError) LogFields() slog.Value {
	return slog.GroupValue(
		slog.String("error", e.Error()),
		slog.String("code", e.Code),
		slog.Int("status", e.StatusCode),
		slog.Bool("permanent", e.Permanent),
		slog.Time("retry_at", e.RetryAt))
}

// refusedToken returns the fingerprint of the refresh token that the server refused, or ""
// for any other failure.
func refusedToken(err error) string {
	if e, ok := errors.AsType[*AuthError](err); ok {
		return e.refused
	}
	return ""
}

// throttlePause is how long the OAuth server refuses requests after too many.
const throttlePause = 10 * time.Minute

// newAuthError makes an AuthError of the failure of a request for a token.
func newAuthError(err error) *AuthError {
	f, ok := errors.AsType[*oauth.Failure](err)
	if !ok {
		return &AuthError{Err: err} // The user's transport panicked, or the time was up.
	}
	e := &AuthError{Code: f.Code, Description: f.Description, StatusCode: f.Status, Err: f.Err, unreachable: f.Unreachable, throttled: f.Throttled}
	if dc, ok := regionOfLocation(f.Location); ok {
		e.DataCenter = dc
	}
	e.location = f.Location
	e.Permanent = !f.Throttled && (e.remedy() != "" || errors.Is(f.Err, ErrRedirect))
	wait := f.RetryAfter
	if f.Throttled {
		wait = max(throttlePause, wait)
	}
	if wait > 0 {
		e.pause(time.Now(), wait)
	}
	return e
}

// pause sets when a token may be requested again.
func (e *AuthError) pause(now time.Time, wait time.Duration) {
	e.pauseEnds = now.Add(wait)
	e.RetryAt = e.pauseEnds.Round(0)
}

// pauses reports whether it is too soon to request a token again. No failure, nil, is no reason.
func (e *AuthError) pauses(now time.Time) bool { return e != nil && now.Before(e.pauseEnds) }
