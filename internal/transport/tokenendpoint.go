package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// TokenEndpoint is the way to the OAuth server. It follows no redirect, bounds
// the answer, and recognizes all the forms in which the server refuses. It returns
// a token in the form that x/oauth2 reads, or a TokenFailure, which holds neither
// the answer's text nor a secret of the request.
type TokenEndpoint struct {
	Base      http.RoundTripper
	UserAgent string
}

// TokenFailure is an exchange with the OAuth server that ended without success.
type TokenFailure struct {
	Status      int           // 0 without an answer.
	Code        string        // The server's own, if it gave one.
	Description string        // The server's own, if it gave one.
	Throttled   bool          // The server asks for a pause.
	Unreachable bool          // Another request, a moment later, may well get through.
	RetryAfter  time.Duration // The pause that the server asks for; 0 if it does not.
	Err         error         // What went wrong, unless the server gave a code.
}

func (f *TokenFailure) Error() string {
	if f.Err != nil {
		return f.Err.Error()
	}
	return f.Code
}

func (f *TokenFailure) Unwrap() error { return f.Err }

const (
	maxTokenAnswer = 1 << 20
	maxToken       = 8 << 10 // Longer ones do not fit into a header.
	maxWords       = 256     // Of the server's own code and description.

	assumedLifetime = 3600 // Seconds; what the service documents.
	maxLifetime     = 24 * 3600
)

// RoundTrip returns an answer with a token, or an error.
func (t *TokenEndpoint) RoundTrip(request *http.Request) (*http.Response, error) {
	fields, err := t.Send(request)
	if err != nil {
		return nil, err
	}
	token, err := readToken(fields)
	if err != nil {
		return nil, &TokenFailure{Status: http.StatusOK, Err: err}
	}
	body, err := wire.Marshal(token)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status:        "200 OK",
		StatusCode:    http.StatusOK,
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        http.Header{"Content-Type": jsonType},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       request,
	}, nil
}

// Send returns the fields of a successful answer.
func (t *TokenEndpoint) Send(request *http.Request) (map[string]any, error) {
	attempt := request.Clone(request.Context())
	attempt.Header.Set("User-Agent", t.UserAgent)
	attempt.Header.Set("Accept", "application/json")
	hide := secrets{body: secretsOf(request)}
	response, err := t.Base.RoundTrip(attempt)
	if err != nil {
		return nil, &TokenFailure{Err: hide.inError(withoutURL(err)), Unreachable: !permanent(err)}
	}
	refuseUpgrade(response)
	defer response.Body.Close()
	if status := response.StatusCode; status >= 300 && status < 400 {
		return nil, &TokenFailure{Status: status, Err: fmt.Errorf("%w to %s", ErrRedirect, hide.inText(redirectHost(response)))}
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxTokenAnswer+1))
	if err != nil {
		return nil, &TokenFailure{Status: response.StatusCode, Err: hide.inError(err), Unreachable: true}
	}
	fields, f := judgeToken(response.StatusCode, body)
	if f == nil {
		return fields, nil
	}
	if wait, ok := retryAfter(response.Header, time.Now()); ok {
		f.RetryAfter = wait
		f.Unreachable = f.Unreachable && wait == 0
	}
	f.Code, f.Description = hide.inShortLine(f.Code), hide.inShortLine(f.Description)
	return nil, f
}

// judgeToken tells the fields of a success from a failure. The server sends
// errors with status 200, too, and JSON under any content type.
func judgeToken(status int, body []byte) (map[string]any, *TokenFailure) {
	if len(body) > maxTokenAnswer {
		return nil, &TokenFailure{Status: status, Err: fmt.Errorf("%w: over %d bytes", ErrTooLarge, maxTokenAnswer)}
	}
	var fields map[string]any
	if err := wire.Unmarshal(body, &fields); err != nil {
		return nil, notJSON(status, body)
	}
	f := &TokenFailure{Status: status, Code: text(fields["error"]), Description: text(fields["error_description"])}
	f.Throttled = status == http.StatusTooManyRequests || saysThrottled(f.Code) || saysThrottled(f.Description)
	success := status >= 200 && status < 300
	switch {
	case f.Code != "":
		return nil, f
	case success && fields["error"] == nil && fields["status"] != "failure":
		return fields, nil
	}
	f.Err = fmt.Errorf("%w: no token and no error code", ErrDecode)
	return nil, f
}

func notJSON(status int, body []byte) *TokenFailure {
	f := &TokenFailure{Status: status, Err: fmt.Errorf("%w: not JSON", ErrDecode)}
	f.Throttled = status == http.StatusTooManyRequests || saysThrottled(string(body))
	nobody := status >= http.StatusBadGateway // Behind a proxy.
	f.Unreachable = !f.Throttled && (nobody || wire.Truncated(body))
	return f
}

func saysThrottled(words string) bool {
	words = strings.ToLower(words)
	return strings.Contains(words, "access denied") || strings.Contains(words, "too many requests")
}

// tokenAnswer is what x/oauth2 is given to read.
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token,omitempty"`
	APIDomain    string `json:"api_domain,omitempty"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
}

func readToken(fields map[string]any) (*tokenAnswer, error) {
	token := &tokenAnswer{
		AccessToken:  text(fields["access_token"]),
		RefreshToken: text(fields["refresh_token"]),
		APIDomain:    text(fields["api_domain"]),
		TokenType:    "Bearer",
		ExpiresIn:    lifetime(fields),
	}
	if token.RefreshToken != "" && !ValidToken(token.RefreshToken) {
		return nil, fmt.Errorf("%w: the refresh token cannot be one", ErrDecode)
	}
	if !ValidToken(token.AccessToken) {
		return nil, fmt.Errorf("%w: no access token in it", ErrDecode)
	}
	return token, nil
}

// lifetime returns a number of seconds that can be true. Where the server
// counts in milliseconds, an older field holds the seconds.
func lifetime(fields map[string]any) int64 {
	for _, name := range []string{"expires_in_sec", "expires_in"} {
		if seconds, err := strconv.ParseFloat(text(fields[name]), 64); err == nil && seconds >= 1 && seconds <= maxLifetime {
			return int64(seconds)
		}
	}
	return assumedLifetime
}

// text returns a JSON string or number as it was written.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// ValidToken reports whether token can stand in a header.
func ValidToken(token string) bool {
	for _, c := range []byte(token) {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return token != "" && len(token) <= maxToken
}

// inShortLine is ShortLine without the secrets of the request, which the server
// may repeat.
func (s secrets) inShortLine(words string) string { return shorten(s.inText(OneLine(words))) }

// ShortLine makes what the OAuth server says fit for an error.
func ShortLine(words string) string { return shorten(OneLine(words)) }

func shorten(words string) string {
	return strings.ToValidUTF8(words[:min(len(words), maxWords)], "")
}

// secretsOf returns what must not be seen of a request to the OAuth server.
func secretsOf(request *http.Request) (secrets []string) {
	form := request.URL.Query()
	if request.GetBody != nil {
		if body, err := request.GetBody(); err == nil {
			encoded, _ := io.ReadAll(body)               //nolint:errcheck // From memory.
			values, _ := url.ParseQuery(string(encoded)) //nolint:errcheck // x/oauth2 encoded it.
			for name := range values {
				form[name] = values[name]
			}
		}
	}
	for _, name := range []string{"client_secret", "refresh_token", "code", "token"} {
		if secret := form.Get(name); secret != "" {
			secrets = append(secrets, secret)
		}
	}
	return secrets
}

// AsTokenFailure finds the failure within what net/http and x/oauth2 made of it.
func AsTokenFailure(err error) *TokenFailure {
	if f, ok := errors.AsType[*TokenFailure](err); ok {
		return f
	}
	return &TokenFailure{Err: withoutURL(err)}
}
