package salesiq_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// setEnvironment gives the test nothing but these of the variables that
// NewClientFromEnv reads.
func setEnvironment(t *testing.T, lines ...string) {
	t.Helper()
	for _, name := range []string{
		"ZOHO_CLIENT_ID", "ZOHO_CLIENT_SECRET", "ZOHO_REFRESH_TOKEN",
		"SALESIQ_DATA_CENTER", "SALESIQ_BASE_URL", "SALESIQ_ACCOUNTS_URL", "SALESIQ_PORTAL",
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

func TestAnEnvironmentThatDoesNotDoIsRefusedByTheNameOfItsVariable(t *testing.T) {
	for _, line := range append(environmentCredentials,
		"SALESIQ_DATA_CENTER=Mars", "SALESIQ_BASE_URL=Mars", "SALESIQ_ACCOUNTS_URL=Mars", "SALESIQ_PORTAL=..") {
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
