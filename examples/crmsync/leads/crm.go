package leads

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/salesiq-go/salesiq"
)

// CRM makes the two calls of Zoho CRM that there are to be made.
type CRM struct {
	base   string
	client *http.Client // Signs in by itself.
}

// timeout bounds one call.
const timeout = 30 * time.Second

// NewCRM returns the CRM at an address. Its requests go through transport. They have
// a token of tokens, and one of spare from the first time on that a token is
// refused; spare may be nil.
func NewCRM(address string, transport http.RoundTripper, tokens, spare oauth2.TokenSource) *CRM {
	s := &signer{tokens: tokens, spare: spare, next: transport}
	return &CRM{base: address, client: &http.Client{Transport: s, Timeout: timeout, CheckRedirect: stay}}
}

// stay follows no redirect: it would take the token elsewhere, and might send a
// lead twice.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Tokens returns access tokens for a refresh token.
func Tokens(ctx context.Context, dc salesiq.DataCenter, credentials salesiq.Credentials) oauth2.TokenSource {
	config := &oauth2.Config{
		ClientID:     credentials.ClientID,
		ClientSecret: credentials.ClientSecret.Reveal(),
		Endpoint:     oauth2.Endpoint{TokenURL: dc.Hosts().Accounts + "/oauth/v2/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	return config.TokenSource(ctx, &oauth2.Token{RefreshToken: credentials.RefreshToken.Reveal()})
}

// signer adds the token, under the name that the service has for it.
type signer struct {
	tokens oauth2.TokenSource
	spare  oauth2.TokenSource // Takes over, once, when a token is refused.
	next   http.RoundTripper
}

func (s *signer) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := s.send(request)
	if err != nil || response.StatusCode != http.StatusUnauthorized || s.spare == nil {
		return response, err
	}
	response.Body.Close()
	s.tokens, s.spare = s.spare, nil
	again := request.Clone(request.Context())
	if again.Body, err = request.GetBody(); err != nil {
		return nil, &unsentError{err}
	}
	return s.send(again)
}

func (s *signer) send(request *http.Request) (*http.Response, error) {
	token, err := s.tokens.Token()
	if err != nil {
		return nil, &unsentError{err}
	}
	signed := request.Clone(request.Context())
	signed.Header.Set("Authorization", "Zoho-oauthtoken "+token.AccessToken)
	return s.next.RoundTrip(signed)
}

// unsentError is why a request was not even sent.
type unsentError struct{ error }

// errUnclear means that the CRM may or may not have done what was asked.
var errUnclear = errors.New("no clear answer")

// exists searches for a lead by its e-mail address.
func (c *CRM) exists(ctx context.Context, email string) (bool, error) {
	address := c.base + "/crm/v8/Leads/search?" + url.Values{"criteria": {"(Email:equals:" + escape(email) + ")"}}.Encode()
	var found struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	var err error
	for attempt := range 4 { // Searching twice does no harm.
		if err = pause(ctx, time.Duration(attempt)*time.Second); err != nil {
			break
		}
		if err = c.call(ctx, http.MethodGet, address, nil, &found); !errors.Is(err, errUnclear) {
			break
		}
	}
	if err != nil {
		return false, fmt.Errorf("searching the CRM: %w", err)
	}
	return len(found.Data) > 0, nil
}

// escape marks what would end a value, or the search, too early.
func escape(value string) string {
	return strings.NewReplacer("(", `\(`, ")", `\)`, ",", `\,`).Replace(value)
}

// create creates a lead. It tries once.
func (c *CRM) create(ctx context.Context, l lead) error {
	body, err := json.Marshal(map[string]any{"data": []lead{l}})
	if err != nil {
		return err
	}
	var answer struct {
		Data []struct {
			Code    string `json:"code"`
			Message string `json:"message"`
			Status  string `json:"status"`
		} `json:"data"`
	}
	if err = c.call(ctx, http.MethodPost, c.base+"/crm/v8/Leads", body, &answer); err != nil {
		return fmt.Errorf("creating a lead: %w", err)
	}
	if len(answer.Data) != 1 {
		return fmt.Errorf("creating a lead: %w", errUnclear)
	}
	if result := answer.Data[0]; result.Status != "success" {
		return fmt.Errorf("creating a lead: %s: %s", result.Code, result.Message)
	}
	return nil
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 4 << 20

// call makes one call. It is unclear what became of it if no whole answer came,
// or one that speaks of a failure of the CRM itself.
func (c *CRM) call(ctx context.Context, method, address string, body []byte, out any) error {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.client.Do(request)
	if unsent := (*unsentError)(nil); errors.As(err, &unsent) {
		return unsent.error
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUnclear, withoutQuery(err))
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errUnclear, err)
	case response.StatusCode == http.StatusNoContent:
		return nil
	case response.StatusCode/100 == 3:
		return fmt.Errorf("HTTP %d: the CRM is elsewhere; set SALESIQ_CRM_URL", response.StatusCode)
	case response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("%w: HTTP %d", errUnclear, response.StatusCode)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%w: HTTP %d without JSON", errUnclear, response.StatusCode)
	}
	if response.StatusCode/100 != 2 {
		return refusal(response.StatusCode, answer)
	}
	return nil
}

// refusal reads why the CRM refused: of the whole request, or of its one record.
func refusal(status int, answer []byte) error {
	type reason struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	var body struct {
		reason

		Data []reason `json:"data"`
	}
	if json.Unmarshal(answer, &body) == nil && len(body.Data) > 0 {
		body.reason = body.Data[0]
	}
	return errors.New("HTTP " + strconv.Itoa(status) + " " + body.Code + ": " + body.Message)
}

// withoutQuery strips the URL, which holds an e-mail address.
func withoutQuery(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
