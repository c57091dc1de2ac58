package oauth

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/internal/transport"
	"github.com/salesiq-go/salesiq/internal/wire"
)

const (
	maxAnswer = 1 << 20 // Bytes.

	assumedLifetime = time.Hour // What the service documents.
	maxLifetime     = 24 * time.Hour
)

// answer is a JSON object of the server's.
type answer struct {
	status int
	fields map[string]any
}

// judge tells a success from a failure. It is the table of the package
// documentation, as far as that is about an answer's status and body.
func judge(status int, body []byte) (answer, *Failure) {
	a := answer{status: status}
	if len(body) > maxAnswer || wire.Unmarshal(body, &a.fields) != nil {
		return answer{}, unread(status, body)
	}
	f := &Failure{Status: status, Code: a.text("error"), Description: a.text("error_description"), Location: a.location()}
	f.Throttled = status == http.StatusTooManyRequests || saysDenied(f.Code) || saysTooMany(f.Code) || saysTooMany(f.Description)
	success := status >= 200 && status < 300 && (!f.Throttled || a.text("access_token") != "")
	switch {
	case f.Code != "":
		return answer{}, f
	case success && a.fields["error"] == nil && a.fields["status"] != "failure":
		return a, nil
	}
	f.Err = fmt.Errorf("%w: no token and no error code", transport.ErrDecode)
	return answer{}, f
}

// unread is the failure of an answer that is no JSON, or too much of it. Its status counts
// all the same, and so does what it says in words.
func unread(status int, body []byte) *Failure {
	f := &Failure{Status: status, Err: fmt.Errorf("%w: not JSON", transport.ErrDecode)}
	cut := wire.Truncated(body)
	if len(body) > maxAnswer {
		f.Err, cut = fmt.Errorf("%w: over %d bytes", transport.ErrTooLarge, maxAnswer), false
	}
	words := string(body)
	f.Throttled = status == http.StatusTooManyRequests || saysDenied(words) || saysTooMany(words)
	fromProxy := status >= http.StatusBadGateway // A proxy answers so when it cannot reach the server.
	f.Unreachable = !f.Throttled && (fromProxy || cut)
	return f
}

// saysDenied finds the server's code for too many requests, "Access Denied". With an
// underscore, it says that the user did not consent.
func saysDenied(code string) bool { return strings.Contains(strings.ToLower(code), "access denied") }

// saysTooMany finds what the server says of too many requests beside its code.
func saysTooMany(words string) bool {
	return strings.Contains(strings.ToLower(words), "too many requests")
}

// token reads the token of an answer whose request began at start.
func (a answer) token(start time.Time) (Token, error) {
	token := Token{
		AccessToken:  a.text("access_token"),
		RefreshToken: a.text("refresh_token"),
		APIDomain:    a.text("api_domain"),
		Scope:        a.text("scope"),
		Location:     a.location(),
		Expiry:       start.Add(a.lifetime()).Round(0),
	}
	var problem string
	switch {
	case token.RefreshToken != "" && !validToken(token.RefreshToken):
		problem = "the refresh token cannot be one"
	case !validToken(token.AccessToken):
		problem = "no access token in it"
	default:
		return token, nil
	}
	return Token{}, &Failure{Status: a.status, Err: fmt.Errorf("%w: %s", transport.ErrDecode, problem)}
}

// location returns where the account lives, as far as the answer tells.
func (a answer) location() string { return cmp.Or(a.text("user_location"), a.text("location")) }

// validToken reports whether text can be a token: the mask of one cannot.
func validToken(text string) bool { return transport.ValidToken(text) && text != redact.Mask }

// lifetime returns a number of seconds that can be true. Where the server
// counts in milliseconds, an older field holds the seconds.
func (a answer) lifetime() time.Duration {
	for _, name := range []string{"expires_in_sec", "expires_in"} {
		seconds, err := strconv.ParseFloat(a.text(name), 64)
		if err == nil && seconds >= 1 && seconds <= maxLifetime.Seconds() {
			return time.Duration(seconds) * time.Second
		}
	}
	return assumedLifetime
}

// Of a device's code, in seconds.
const (
	assumedCodeLifetime = 5 * time.Minute
	maxCodeLifetime     = time.Hour
)

// deviceCode reads the answer to a device. The vendor's pages call expires_in seconds,
// and the live service was seen to count it in milliseconds: what would be more than
// an hour in seconds is taken for those. The standard (RFC 8628) has an interval, which
// the vendor's pages do not; one that is longer than the code lives is not believed.
func (a answer) deviceCode(start time.Time) (DeviceCode, error) {
	code := DeviceCode{
		DeviceCode: a.text("device_code"),
		UserCode:   a.text("user_code"),
		Address:    cmp.Or(a.text("verification_uri"), a.text("verification_url")),
	}
	if !validToken(code.DeviceCode) || code.UserCode == "" || code.Address == "" {
		return DeviceCode{}, &Failure{Status: a.status, Err: fmt.Errorf("%w: no code for a device in it", transport.ErrDecode)}
	}
	lifetime := assumedCodeLifetime
	if n, err := strconv.ParseFloat(a.text("expires_in"), 64); err == nil && n >= 1 && n <= maxCodeLifetime.Seconds()*1000 {
		lifetime = time.Duration(n * float64(time.Second))
		if lifetime > maxCodeLifetime {
			lifetime /= 1000
		}
	}
	code.Expiry = start.Add(lifetime).Round(0)
	if n, err := strconv.ParseFloat(a.text("interval"), 64); err == nil && n >= 1 && n <= lifetime.Seconds() {
		code.Interval = time.Duration(n * float64(time.Second))
	}
	return code, nil
}

// text returns a string or a number as it was written, and nothing for a field
// of another kind.
func (a answer) text(name string) string {
	switch v := a.fields[name].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}
