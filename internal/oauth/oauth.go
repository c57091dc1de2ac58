// Package oauth speaks to the OAuth server: it turns a code or a refresh token
// into an access token, and revokes tokens. Each function makes one request. It
// succeeds, or its error is a [Failure].
//
// The package knows nothing of the life of a token. When a token is renewed, and what
// becomes of one that is refused, is told at refresher in auth_refresh.go of package
// salesiq. Whether it comes from the store or by a request is told in auth_find.go.
//
// The server answers in more ways than the standard (RFC 6749) knows. It sends
// errors with status 200, and JSON under any content type. So the status alone
// decides little:
//
//	what the server answers          what the caller gets             kind
//	-------------------------------  -------------------------------  ---------
//	a token, with status 2xx         a Token
//	"error", with any status         a Failure with Code and          denial,
//	                                 Description, even if there is a  or unclear
//	                                 token beside it
//	a token, with any other status   ErrDecode                        unclear
//	JSON without a usable token      ErrDecode                        unclear
//	HTML, other text, or nothing     ErrDecode; from 502 on it was a  unclear;
//	                                 proxy that answered              outage
//	JSON that breaks off             ErrDecode                        outage
//	a body that breaks off, unless   the cause                        outage
//	it is whole JSON already
//	a body that hangs                the cause, after bodyPatience    unclear
//	more than 1 MB                   ErrTooLarge; from 502 on as      unclear;
//	                                 above                            outage
//	a redirect                       ErrRedirect; it is not followed  denial
//	101, for another protocol        ErrDecode; the connection is     unclear
//	                                 closed
//	nothing, or the connection       the cause; but if it would       outage;
//	broke                            break again, since host or       unclear
//	                                 certificate is unknown
//	nothing until the context ended  the context's cause              unclear
//
// If the status is 429, the code says "access denied", or code or description say "too many
// requests", the kind is throttled, whatever the table says, and whatever becomes of the body.
// In what is not JSON, the words count that have arrived. What callers do, by kind:
//
//	kind       is told by          a refresh, in auth_error.go and auth_refresh.go
//	---------  ------------------  --------------------------------------------------------
//	denial     Code, ErrRedirect   is permanent: the codes are those of remedies
//	throttled  Throttled           waits for ten minutes at least
//	outage     Unreachable         asks once more, a second later; then as unclear
//	unclear    neither of these    asks again in 5 to 80 seconds. So it does with a code that
//	                               is not known, and if there is no answer in 30 seconds
//
// A caller may ask once more, a moment later, after a Failure that is
// Unreachable. One whose answer has a Retry-After is not: RetryAfter says when. A
// Failure holds no secret of the request, and of the answer's text only Code and
// Description. ErrDecode, ErrTooLarge and ErrRedirect are those of package
// transport.
package oauth

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/internal/transport"
)

// Server is the OAuth server of one data center.
type Server struct {
	URL       string // Such as https://accounts.zoho.com.
	Transport http.RoundTripper
	UserAgent string

	// Trace is told of each request. It returns the request to send, and a func
	// that is told of the end, without a response if there was no answer. Optional.
	Trace func(*http.Request) (*http.Request, func(*http.Response, error))
}

// Application is who asks for a token.
type Application struct {
	ClientID     string
	ClientSecret string
}

// Token is what the server gives out.
type Token struct {
	AccessToken  string
	RefreshToken string    // Empty if the server gave none.
	APIDomain    string    // Empty if the server gave none.
	Location     string    // Where the account lives; empty if the server does not say.
	Scope        string    // What was granted, separated by spaces or commas; empty if the server does not say.
	Expiry       time.Time // By the wall clock, since the server names it.
}

// Exchange turns the code of a user's consent into a token. The redirect URL is
// the one that the user came back to; a self client has none.
func (s *Server) Exchange(ctx context.Context, app Application, code, redirectURL string) (Token, error) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}}
	if redirectURL != "" {
		form.Set("redirect_uri", redirectURL)
	}
	return s.requestToken(ctx, app, form)
}

// Refresh gets an access token for a refresh token, which is also that of the
// result, unless the server gave a new one.
func (s *Server) Refresh(ctx context.Context, app Application, refreshToken string) (Token, error) {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}}
	token, err := s.requestToken(ctx, app, form)
	if err != nil {
		return Token{}, err
	}
	token.RefreshToken = cmp.Or(token.RefreshToken, refreshToken)
	return token, nil
}

// ClientCredentials gets an access token for a self client, without a user. The soid
// names the organization, as in ZohoCRM.600434; empty for none.
func (s *Server) ClientCredentials(ctx context.Context, app Application, scope, soid string) (Token, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}
	if soid != "" {
		form.Set("soid", soid)
	}
	return s.requestToken(ctx, app, form)
}

// DeviceCode is what a device shows to its user, and asks with.
type DeviceCode struct {
	DeviceCode string
	UserCode   string // For the user to enter at Address.
	Address    string
	Expiry     time.Time
	Interval   time.Duration // At which to ask; 0 if the server does not say.
}

// DeviceCode begins the sign-in of a device that has no browser.
func (s *Server) DeviceCode(ctx context.Context, clientID, scope, prompt string) (DeviceCode, error) {
	form := url.Values{
		"grant_type": {"device_request"}, "client_id": {clientID}, "scope": {scope}, "access_type": {"offline"},
	}
	if prompt != "" {
		form.Set("prompt", prompt)
	}
	start := time.Now()
	a, err := s.post(ctx, "/oauth/v3/device/code", form, redact.Secrets{})
	if err != nil {
		return DeviceCode{}, err
	}
	return a.deviceCode(start)
}

// DeviceToken asks whether the user of a device has consented. Until then, the Code
// of the Failure is "authorization_pending" or "slow_down". It is "other_dc" where
// another server must be asked, that of Location.
func (s *Server) DeviceToken(ctx context.Context, app Application, deviceCode string) (Token, error) {
	return s.requestTokenAt(ctx, "/oauth/v3/device/token", app, url.Values{"grant_type": {"device_token"}, "code": {deviceCode}})
}

// Revoke makes a refresh token useless, and all access tokens made from it; or
// one access token. The server wants it in the query.
func (s *Server) Revoke(ctx context.Context, token string) error {
	query := url.Values{"token": {token}}
	_, err := s.post(ctx, "/oauth/v2/token/revoke?"+query.Encode(), nil, redact.Secrets{Values: []string{token}})
	return err
}

// requestToken sends the form of a grant and reads the token of the answer.
func (s *Server) requestToken(ctx context.Context, app Application, form url.Values) (Token, error) {
	return s.requestTokenAt(ctx, "/oauth/v2/token", app, form)
}

func (s *Server) requestTokenAt(ctx context.Context, path string, app Application, form url.Values) (Token, error) {
	form.Set("client_id", app.ClientID)
	form.Set("client_secret", app.ClientSecret)
	hide := redact.Secrets{Values: []string{app.ClientSecret, form.Get("code"), form.Get("refresh_token")}}
	start := time.Now() // The lifetime begins while the request is under way.
	a, err := s.post(ctx, path, form, hide)
	if err != nil {
		return Token{}, err
	}
	return a.token(start)
}

// bodyPatience is how long the body of an answer may take. If it hangs, the caller has not
// gone yet, and hears of the status and the pause that the server asks for.
const bodyPatience = 15 * time.Second

var errBodyHangs = errors.New("the answer hung in its middle")

// post sends a form and returns a successful answer.
func (s *Server) post(ctx context.Context, path string, form url.Values, hide redact.Secrets) (a answer, err error) {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	request, err := s.newRequest(ctx, path, form)
	if err != nil {
		return answer{}, &Failure{Err: redact.StripURL(err)}
	}
	var response *http.Response
	if s.Trace != nil {
		traced, end := s.Trace(request) //nolint:bodyclose // It makes no response.
		request = traced
		defer func() { end(response, err) }()
	}
	response, err = transport.RoundTrip(s.Transport, request)
	if err != nil {
		return answer{}, broken(ctx, err, hide)
	}
	defer response.Body.Close()
	if err := transport.RefuseRedirect(response, hide); err != nil {
		return answer{}, &Failure{Status: response.StatusCode, Err: err}
	}
	defer time.AfterFunc(bodyPatience, func() { giveUp(errBodyHangs) }).Stop()
	body, cut := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	a, f := judge(response.StatusCode, body)
	if f == nil {
		return a, nil
	}
	if cut != nil && f.Code == "" {
		f.breakOff(ctx, cut, hide)
	}
	if wait, ok := transport.RetryAfter(response.Header, time.Now()); ok {
		f.RetryAfter = wait
		f.Unreachable = f.Unreachable && wait == 0
	}
	f.Code, f.Description, f.Location = shortLine(f.Code, hide), shortLine(f.Description, hide), shortLine(f.Location, hide)
	return answer{}, f
}

func (s *Server) newRequest(ctx context.Context, path string, form url.Values) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", s.UserAgent)
	return request, nil
}
