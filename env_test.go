package salesiq_test

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

// setEnvironment gives the test nothing but these of the variables that
// NewClientFromEnv reads.
func setEnvironment(t *testing.T, lines ...string) {
	t.Helper()
	for _, name := range []string{
		"ZOHO_CLIENT_ID", "ZOHO_CLIENT_SECRET", "ZOHO_REFRESH_TOKEN",
		"SALESIQ_DATA_CENTER", "SALESIQ_BASE_URL", "SALESIQ_ACCOUNTS_URL", "SALESIQ_PORTAL", "SALESIQ_PLAN", "SALESIQ_DAY_FILE",
		"SALESIQ_TOKEN_FILE", "SALESIQ_TOKEN_KEY",
	} {
		t.Setenv(name, "")
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
}

var environmentCredentials = []string{"ZOHO_CLIENT_ID=id", "ZOHO_CLIENT_SECRET=secret", "ZOHO_REFRESH_TOKEN=token"}

func TestTheEnvironmentIsEnoughForAClient(t *testing.T) { // The environment is the process's.
	server := salesiqtest.Start(t, salesiqtest.Live())
	setEnvironment(t, server.Environment()...)
	client, err := salesiq.NewClientFromEnv()
	require.NoError(t, err)
	assert.Equal(t, server.URL, client.DataCenter().Hosts().API)
	assert.Equal(t, server.URL, client.DataCenter().Hosts().Accounts)
	assert.Equal(t, salesiqtest.Portal, client.Portal())
	_, err = live.Get[any](t.Context(), client, "/apps", nil)
	require.NoError(t, err, "its credentials sign in, and its portal is in the path")
}

func TestTheEnvironmentNamesTheDataCenterAndOptionsOverrideIt(t *testing.T) {
	setEnvironment(t, append(environmentCredentials, "SALESIQ_DATA_CENTER=eu")...)
	client, err := salesiq.NewClientFromEnv()
	require.NoError(t, err)
	assert.Equal(t, salesiq.EU, client.DataCenter())
	client, err = salesiq.NewClientFromEnv(salesiq.WithDataCenter(salesiq.IN))
	require.NoError(t, err)
	assert.Equal(t, salesiq.IN, client.DataCenter())
}

func TestTheEnvironmentNamesThePlanAndALimiterReplacesIt(t *testing.T) {
	setEnvironment(t, append(environmentCredentials, "SALESIQ_PLAN=basic")...)
	left := func(opts ...salesiq.Option) (day salesiq.DailyQuota) {
		api := newAPIRecorder(t, answerSuitably)
		tracer := &salesiq.Tracer{Attempt: func(context.Context, salesiq.AttemptTrace) (context.Context, func(salesiq.AttemptTrace)) {
			return nil, func(attempt salesiq.AttemptTrace) { day = attempt.DailyQuota }
		}}
		client, err := salesiq.NewClientFromEnv(append(opts, salesiq.WithBaseURL(api.URL), salesiq.WithTracer(tracer))...)
		require.NoError(t, err)
		client.Chats.Get(t.Context(), "c1") //nolint:errcheck // The tracer has heard of the attempt, whatever came of it.
		return day
	}
	assert.Equal(t, 5_000, left().Limit)
	assert.Equal(t, 1_000, left(salesiq.WithPlan(salesiq.Free())).Limit)
	assert.Equal(t, 7, left(salesiq.WithLimiter(newLimiter(t, salesiq.Plan{CallsPerDay: 7}))).Limit)
}

func TestTheEnvironmentNamesTheFileOfTheDay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "day.json")
	setEnvironment(t, append(salesiqtest.Start(t).Environment(), "SALESIQ_PLAN=basic", "SALESIQ_DAY_FILE="+path)...)
	left := func(opts ...salesiq.Option) int {
		client, err := salesiq.NewClientFromEnv(opts...)
		require.NoError(t, err)
		require.NoError(t, second(client.Chats.Get(t.Context(), "chat123")))
		return client.DailyQuota().Left
	}
	assert.Equal(t, 4_999, left())
	assert.Equal(t, 4_998, left(), "the next start knows")
	assert.Equal(t, 997, left(salesiq.WithPlan(salesiq.Free())), "so does a plan of the program's")
	assert.Equal(t, 4_999, left(salesiq.WithPlan(salesiq.Basic().KeptIn(filepath.Join(t.TempDir(), "own.json")))))
	assert.Equal(t, 6, left(salesiq.WithLimiter(newLimiter(t, salesiq.Plan{CallsPerDay: 7}))))
}

func TestAnEnvironmentThatDoesNotDoIsRefusedByTheNameOfItsVariable(t *testing.T) {
	for _, line := range append(environmentCredentials,
		"SALESIQ_DATA_CENTER=Mars", "SALESIQ_BASE_URL=Mars", "SALESIQ_ACCOUNTS_URL=Mars", "SALESIQ_PORTAL=..", "SALESIQ_PLAN=gold", "SALESIQ_DAY_FILE=without-a-plan.json") {
		name, value, _ := strings.Cut(line, "=")
		t.Run(name, func(t *testing.T) {
			setEnvironment(t, environmentCredentials...)
			if strings.HasPrefix(name, "ZOHO_") {
				value = ""
			}
			t.Setenv(name, value)
			_, err := salesiq.NewClientFromEnv()
			var input *salesiq.InputError
			require.ErrorAs(t, err, &input)
			require.Equal(t, name, input.Field)
		})
	}
}

// I7: a secret that is mounted as a file often ends with a newline.
func TestWhiteSpaceAroundAVariableIsRefusedByItsName(t *testing.T) {
	for name, value := range map[string]string{
		"ZOHO_CLIENT_ID": "id", "ZOHO_CLIENT_SECRET": "secret", "ZOHO_REFRESH_TOKEN": "token",
		"SALESIQ_BASE_URL": "https://salesiq.zoho.eu", "SALESIQ_ACCOUNTS_URL": "https://accounts.zoho.eu", "SALESIQ_PORTAL": "acme",
	} {
		for _, spoiled := range []string{value + "\n", value + "\r\n", " " + value, value + "\t", "\n", "\u00a0" + value, "\ufeff" + value, value + "\u200b"} {
			setEnvironment(t, environmentCredentials...)
			t.Setenv(name, spoiled)
			_, err := salesiq.NewClientFromEnv()
			var input *salesiq.InputError
			require.ErrorAs(t, err, &input, "%s=%q", name, spoiled)
			assert.Equal(t, name, input.Field)
			assert.NotContains(t, err.Error(), value+"\n")
		}
	}
	setEnvironment(t, append(environmentCredentials, "SALESIQ_DATA_CENTER=eu\n")...)
	client, err := salesiq.NewClientFromEnv()
	require.NoError(t, err, "the name of a data center is found without it")
	assert.Equal(t, salesiq.EU, client.DataCenter())
	for _, name := range []string{"ZOHO_CLIENT_SECRET", "ZOHO_REFRESH_TOKEN"} {
		setEnvironment(t, environmentCredentials...)
		t.Setenv(name, redact.Mask)
		_, err := salesiq.NewClientFromEnv()
		require.ErrorContains(t, err, name, "the mask is no secret")
	}
}

// I7
func TestWhiteSpaceAroundACredentialIsRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	sent := &requestCounter{}
	transport := &http.Client{Transport: sent}
	client, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithHTTPClient(transport))
	require.NoError(t, err)
	for _, space := range []string{"\n", " ", "\r\n", "\t", "\u00a0", "\ufeff", "\u200b"} {
		secret := func(text string) salesiq.Secret { return salesiq.NewSecret(text + space) }
		good := salesiq.Credentials{ClientID: "id", ClientSecret: salesiq.NewSecret("secret"), RefreshToken: salesiq.NewSecret("token")}
		id, clientSecret, refreshToken := good, good, good
		id.ClientID += space
		clientSecret.ClientSecret = secret("secret")
		refreshToken.RefreshToken = secret("token")
		build := func(auth salesiq.Authenticator, opts ...salesiq.Option) func() error {
			return func() error {
				_, err := salesiq.NewClient(auth, append(opts, salesiq.WithHTTPClient(transport))...)
				return err
			}
		}
		vault := salesiq.NewMemoryTokenStore()
		static := salesiq.StaticToken("token")
		oauth := func(c salesiq.Credentials) *salesiq.OAuth {
			return &salesiq.OAuth{Credentials: c, HTTPClient: transport, RedirectURL: "https://app.example", Scopes: []salesiq.Scope{salesiq.ScopeChatsAll}}
		}
		exchange := func(c salesiq.Credentials, code salesiq.AuthCode) func() error {
			return func() error { _, err := oauth(c).Exchange(t.Context(), code); return err }
		}
		code := salesiq.AuthCode{Code: salesiq.NewSecret("code")}
		for name, use := range map[string]func() error{
			"access token":            build(salesiq.StaticToken("token" + space)),
			"client ID":               build(salesiq.RefreshToken(id, vault)),
			"client secret":           build(salesiq.RefreshToken(clientSecret, vault)),
			"refresh token":           build(salesiq.RefreshToken(refreshToken, nil)),
			"refresh token, in vault": build(salesiq.RefreshToken(refreshToken, vault)),
			"portal":                  build(static, salesiq.WithPortal("acme"+space)),
			"base URL":                build(static, salesiq.WithBaseURL("https://salesiq.zoho.eu"+space)),
			"accounts URL":            build(static, salesiq.WithAccountsURL("https://accounts.zoho.eu"+space)),
			"data center":             build(static, salesiq.WithDataCenter("EU"+salesiq.DataCenter(space))),
			"AuthURL, client ID":      func() error { _, err := oauth(id).AuthURL("state"); return err },
			"Exchange, client ID":     exchange(id, code),
			"Exchange, client secret": exchange(clientSecret, code),
			"Exchange, code":          exchange(good, salesiq.AuthCode{Code: secret("code")}),
			"Revoke":                  func() error { return oauth(good).Revoke(t.Context(), secret("token")) },
			"webhook.HMAC":            func() error { _, err := webhook.NewReceiver(webhook.HMAC(secret("webhook-secret"))); return err },
			"webhook.HMAC, the second": func() error {
				_, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret("webhook-secret"), secret("s")))
				return err
			},
			"Webhooks.Create": func() error {
				_, err := client.Webhooks.Create(t.Context(), &salesiq.WebhookCreate{
					Name: "n", URL: "https://app.example", Events: []salesiq.EventName{salesiq.EventChatEnded}, Secret: secret("s"),
				})
				return err
			},
			"Webhooks.Update": func() error {
				_, err := client.Webhooks.Update(t.Context(), "w1", &salesiq.WebhookUpdate{Secret: salesiq.Set(secret("s"))})
				return err
			},
		} {
			require.ErrorIs(t, use(), salesiq.ErrInvalidInput, "%s with %q", name, space)
		}
	}
	assert.Zero(t, sent.requests.Load())
}

// silence never answers.
type silence struct{}

func (silence) RoundTrip(request *http.Request) (*http.Response, error) {
	<-request.Context().Done()
	return nil, request.Context().Err()
}

func TestAnAttemptEndsAtItsTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, err := salesiq.NewClient(salesiq.StaticToken("token"),
			salesiq.WithHTTPClient(&http.Client{Transport: silence{}}),
			salesiq.WithAttemptTimeout(7*time.Second), salesiq.WithMaxAttempts(1))
		require.NoError(t, err)
		start := time.Now()
		_, err = client.Chats.Get(t.Context(), "chat1")
		require.ErrorIs(t, err, salesiq.ErrTransport)
		assert.Equal(t, 7*time.Second, time.Since(start))
	})
}
