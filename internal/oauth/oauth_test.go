package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

var testApplication = Application{ClientID: "client-id", ClientSecret: "client&secret"}

// requests are all that the package sends, by name.
var requests = map[string]func(ctx context.Context, s *Server) error{
	"Exchange": func(ctx context.Context, s *Server) error {
		_, err := s.Exchange(ctx, testApplication, "the+code", "https://app.example/callback")
		return err
	},
	"Exchange, self client": func(ctx context.Context, s *Server) error {
		_, err := s.Exchange(ctx, testApplication, "the+code", "")
		return err
	},
	"Refresh": func(ctx context.Context, s *Server) error {
		_, err := s.Refresh(ctx, testApplication, "refresh+token")
		return err
	},
	"Revoke": func(ctx context.Context, s *Server) error { return s.Revoke(ctx, "refresh+token") },
}

func TestRequestsAreTheSpecifications(t *testing.T) {
	t.Parallel()
	const secret = "&client_secret=client%26secret"
	for name, want := range map[string]struct{ address, contentType, body string }{
		"Exchange": {
			"/oauth/v2/token", "application/x-www-form-urlencoded",
			"client_id=client-id" + secret + "&code=the%2Bcode&grant_type=authorization_code&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback",
		},
		"Exchange, self client": {
			"/oauth/v2/token", "application/x-www-form-urlencoded",
			"client_id=client-id" + secret + "&code=the%2Bcode&grant_type=authorization_code",
		},
		"Refresh": {
			"/oauth/v2/token", "application/x-www-form-urlencoded",
			"client_id=client-id" + secret + "&grant_type=refresh_token&refresh_token=refresh%2Btoken",
		},
		"Revoke": {"/oauth/v2/token/revoke?token=refresh%2Btoken", "", ""},
	} {
		base := tokenServer(func(r *http.Request) (*http.Response, error) {
			require.Equal(t, http.MethodPost, r.Method, name)
			require.Equal(t, "https://accounts.example"+want.address, r.URL.String(), name)
			header := http.Header{"Accept": {"application/json"}, "User-Agent": {"agent"}}
			if want.contentType != "" {
				header.Set("Content-Type", want.contentType)
			}
			require.Equal(t, header, r.Header, name)
			body, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			require.Equal(t, want.body, string(body), name)
			require.EqualValues(t, len(body), r.ContentLength, name)
			return answerWith(http.StatusOK, `{"access_token":"a"}`), nil
		})
		server := &Server{URL: "https://accounts.example", Transport: base, UserAgent: "agent"}
		require.NoError(t, requests[name](t.Context(), server), name)
	}
}

func TestRefreshTokenIsKeptUnlessTheServerGivesANewOne(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"access_token":"a"}`:                       "r+1+1",
		`{"access_token":"a","refresh_token":"new"}`: "new",
	} {
		token, err := refreshFrom(t, answerWith(http.StatusOK, body), nil)
		require.NoError(t, err)
		require.Equal(t, want, token.RefreshToken)
	}
}

// echoes are ways to show to the client what it sent.
var echoes = map[string]func(text string) (*http.Response, error){
	"an error": func(text string) (*http.Response, error) {
		return answerWith(http.StatusBadRequest, fmt.Sprintf(`{"error":%q,"error_description":%q}`, text, text)), nil
	},
	"a redirect": func(text string) (*http.Response, error) {
		answer := answerWith(http.StatusFound, "")
		answer.Header.Set("Location", "https://"+url.QueryEscape(text)+".example/"+text)
		return answer, nil
	},
	"a page":                    func(text string) (*http.Response, error) { return answerWith(http.StatusOK, "<html>"+text), nil },
	"an error of the transport": func(text string) (*http.Response, error) { return nil, errors.New(text) },
	"an error of the transport that holds a URL": func(text string) (*http.Response, error) {
		return nil, fmt.Errorf("mine: %w", &url.Error{Op: "Post", URL: "https://accounts.example/?" + text, Err: io.EOF})
	},
	"an answer that breaks off": func(text string) (*http.Response, error) {
		return brokenAnswer(http.StatusOK, errors.New(text)), nil
	},
}

func TestServerThatRepeatsTheRequestDoesNotShowItsSecrets(t *testing.T) {
	t.Parallel()
	for name, request := range requests {
		for kind, echo := range echoes {
			base := tokenServer(func(r *http.Request) (*http.Response, error) {
				body, err := io.ReadAll(r.Body)
				require.NoError(t, err)
				return echo(r.URL.RawQuery + string(body) + " the+code refresh+token client&secret")
			})
			err := request(t.Context(), &Server{URL: "https://accounts.example", Transport: base})
			var f *Failure
			require.ErrorAs(t, err, &f, "%s, %s", name, kind)
			require.NotContains(t, err.Error(), "accounts.example", "%s, %s", name, kind)
			for _, secret := range secretsOf[name] {
				for _, form := range []string{secret, url.QueryEscape(secret)} {
					require.NotContains(t, fmt.Sprintf("%+v %v", *f, err), form, "%s, %s", name, kind)
				}
			}
		}
	}
}

var secretsOf = map[string][]string{
	"Exchange":              {"the+code", "client&secret"},
	"Exchange, self client": {"the+code", "client&secret"},
	"Refresh":               {"refresh+token", "client&secret"},
	"Revoke":                {"refresh+token"},
}

func TestAddressThatIsNoneIsAFailureWithoutIt(t *testing.T) {
	t.Parallel()
	for name, request := range requests {
		err := request(t.Context(), &Server{URL: "https://accounts.example:port"})
		var f *Failure
		require.ErrorAs(t, err, &f, name)
		require.NotContains(t, err.Error(), "accounts", name)
	}
}

func TestFailureNamesWhyTheContextEnded(t *testing.T) {
	t.Parallel()
	reason := errors.New("closing time")
	for name, request := range requests {
		ctx, cancel := context.WithCancelCause(t.Context())
		cutAt := map[string]tokenServer{
			"before the answer": func(r *http.Request) (*http.Response, error) {
				cancel(reason)
				return nil, r.Context().Err()
			},
			"within the answer": func(r *http.Request) (*http.Response, error) {
				cancel(reason)
				return brokenAnswer(http.StatusOK, r.Context().Err()), nil
			},
		}
		for when, base := range cutAt {
			err := request(ctx, &Server{URL: "https://accounts.example", Transport: base})
			var f *Failure
			require.ErrorAs(t, err, &f, "%s, %s", name, when)
			require.Equal(t, reason, f.Err, "%s, %s", name, when)
			require.False(t, f.Unreachable, "nobody waits for another request")
		}
	}
}

func TestConsentFailureIsFitForALog(t *testing.T) {
	t.Parallel()
	f := ConsentFailure("access\r\ndenied", "no\x1b[31m")
	require.Equal(t, Failure{Code: "access denied", Description: "no [31m"}, *f)
}
