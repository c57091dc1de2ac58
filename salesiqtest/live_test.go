package salesiqtest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// In the live dialect every word is the vendor's, also of what goes wrong.
func TestTheLiveDialectIsTheVendors(t *testing.T) {
	t.Parallel()
	server := salesiqtest.Start(t, salesiqtest.Live())
	token := server.AccessToken()
	for _, row := range []struct {
		why, method, path, token, body, want string
	}{
		{"a flag and a number are strings, a time is milliseconds", "GET", "/api/v2/nordlicht/operators/operator456", token, "",
			`"is_chat_enabled":"true"`},
		{"a list tells when it was asked for", "GET", "/api/v2/nordlicht/departments", token, "", `"sync_time":"1`},
		{"no screen name", "GET", "/api/v2/operators", token, "", `{"error":{"code":1006,`},
		{"another one", "GET", "/api/v2/elsewhere/operators", token, "", `{"error":{"code":1005,`},
		{"another method", "PATCH", "/api/v2/nordlicht/operators", token, "", `{"error":{"code":1004,`},
		{"nothing there", "GET", "/api/v2/nordlicht/nothing", token, "", `{"error":{"code":1006,`},
		{"no token", "GET", "/api/v2/portals", "", "", `{"error":{"code":1002,`},
		{"a token that is none", "GET", "/api/v2/portals", "no", "", `"header":"Authorization"`},
		{"a body that is none", "POST", "/api/v2/nordlicht/tags", token, `{"name":`, `{"error":{"code":1015,`},
		{"a parameter that is wrong", "GET", "/api/v2/nordlicht/conversations?limit=100", token, "", `"param":"limit"`},
		{"no scope", "GET", "/api/v2/portals", server.AccessToken("SalesIQ.apps.READ"), "", `{"error":{"code":1009,`},
		{"a field that is missing", "POST", "/api/v2/nordlicht/tags", token, `{"name":"x"}`, `"json_key":"color"`},
		{"the specified paths", "GET", "/api/v2/nordlicht/chats", token, "", `{"error":{"code":1006,`},
	} {
		request, err := http.NewRequestWithContext(t.Context(), row.method, server.URL+row.path, strings.NewReader(row.body))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Zoho-oauthtoken "+row.token)
		response, err := server.HTTPClient().Do(request)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, http.StatusOK, response.StatusCode, row.why)
		assert.Contains(t, string(body), row.want, row.why)
		assert.Empty(t, response.Header.Get("X-RateLimit-Limit"), row.why)
	}
}

func TestFaultsOfTheLiveDialectAreTheVendors(t *testing.T) {
	t.Parallel()
	server := salesiqtest.Start(t, salesiqtest.Live())
	require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api/", Code: salesiq.ErrPermissionDenied, Times: 1}))
	client := server.Client(t)
	_, err := client.Operators.List(t.Context(), nil)
	failure := &salesiq.Error{}
	require.ErrorAs(t, err, &failure)
	require.ErrorIs(t, err, salesiq.ErrPermissionDenied)
	assert.Equal(t, 1016, failure.VendorCode)
	assert.Equal(t, http.StatusOK, failure.StatusCode)
}
