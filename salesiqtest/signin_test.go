package salesiqtest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/salesiqtest"
)

// deviceAnswer is what the endpoints for devices answer.
type deviceAnswer struct {
	DeviceCode   string `json:"device_code"`
	UserCode     string `json:"user_code"`
	Address      string `json:"verification_url"`
	ExpiresIn    int    `json:"expires_in"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	Error        string `json:"error"`
	Location     string `json:"user_location"`
}

func askDevice(t *testing.T, s *salesiqtest.Server, path string, values url.Values) (got deviceAnswer) {
	t.Helper()
	a := postForm(t, s, path, values)
	require.Equal(t, http.StatusOK, a.status)
	require.NoError(t, json.Unmarshal([]byte(a.body), &got), a.body)
	return got
}

func beginDevice(t *testing.T, s *salesiqtest.Server) deviceAnswer {
	t.Helper()
	return askDevice(t, s, "/oauth/v3/device/code", url.Values{
		"client_id": {s.Credentials().ClientID}, "grant_type": {"device_request"}, "scope": {"SalesIQ.chats.READ"}, "access_type": {"offline"},
	})
}

func TestADeviceWaitsForItsUser(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{"": "", "&answer=deny": "access_denied", "&location=eu": "other_dc"} {
		synctest.Test(t, func(t *testing.T) {
			s := salesiqtest.Start(t, salesiqtest.InMemory())
			code := beginDevice(t, s)
			assert.Equal(t, 300000, code.ExpiresIn, "milliseconds, as the live service was seen to send")
			poll := func() deviceAnswer {
				return askDevice(t, s, "/oauth/v3/device/token", form(s, "grant_type", "device_token", "code", code.DeviceCode))
			}
			assert.Equal(t, "authorization_pending", poll().Error)
			time.Sleep(29 * time.Second)
			assert.Equal(t, "slow_down", poll().Error)
			time.Sleep(30 * time.Second)
			assert.Equal(t, "authorization_pending", poll().Error)
			a := do(t, s, "", "GET", "/oauth/v3/device?user_code="+url.QueryEscape(code.UserCode)+query, "")
			assert.Equal(t, http.StatusOK, a.status)
			time.Sleep(30 * time.Second)
			got := poll()
			assert.Equal(t, want, got.Error)
			if want != "" {
				return
			}
			assert.NotEmpty(t, got.RefreshToken)
			assert.Equal(t, http.StatusOK, do(t, s, got.AccessToken, "GET", "/api/v2/chats", "").status)
			assert.Equal(t, http.StatusForbidden, do(t, s, got.AccessToken, "GET", "/api/v2/operators", "").status)
			assert.Equal(t, "invalid_code", poll().Error, "a code works once")
		})
	}
}

func TestACodeForADeviceEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := salesiqtest.Start(t, salesiqtest.InMemory())
		code := beginDevice(t, s)
		time.Sleep(5 * time.Minute)
		a := do(t, s, "", "GET", "/oauth/v3/device?user_code="+url.QueryEscape(code.UserCode), "")
		assert.Equal(t, http.StatusBadRequest, a.status)
		got := askDevice(t, s, "/oauth/v3/device/token", form(s, "grant_type", "device_token", "code", code.DeviceCode))
		assert.Equal(t, "expired", got.Error)
	})
}

func TestADeviceIsCheckedAsOthersAre(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	for want, values := range map[string]url.Values{
		"invalid_client":         {},
		"unsupported_grant_type": {"client_id": {s.Credentials().ClientID}},
		"invalid_scope":          {"client_id": {s.Credentials().ClientID}, "grant_type": {"device_request"}},
	} {
		assert.Equal(t, want, askDevice(t, s, "/oauth/v3/device/code", values).Error)
	}
	for want, values := range map[string]url.Values{
		"invalid_client":         {},
		"invalid_client_secret":  {"client_id": {s.Credentials().ClientID}},
		"unsupported_grant_type": form(s),
		"invalid_code":           form(s, "grant_type", "device_token"),
	} {
		assert.Equal(t, want, askDevice(t, s, "/oauth/v3/device/token", values).Error)
	}
}

func TestASelfClientNamesItsOrganization(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	grant := func(pairs ...string) tokens {
		return ask(t, s, form(s, append([]string{"grant_type", "client_credentials"}, pairs...)...))
	}
	assert.Equal(t, "invalid_scope", grant("soid", salesiqtest.SOID).Error)
	assert.Equal(t, "missing_org_info", grant("scope", "SalesIQ.chats.READ").Error)
	assert.Equal(t, "invalid_soid", grant("scope", "SalesIQ.chats.READ", "soid", "SalesIQ.1").Error)
	got := grant("scope", "SalesIQ.chats.READ", "soid", salesiqtest.SOID)
	assert.Nil(t, got.RefreshToken)
	assert.Equal(t, http.StatusOK, do(t, s, got.AccessToken, "GET", "/api/v2/chats", "").status)
	for range 9 {
		grant("scope", "SalesIQ.chats.READ", "soid", salesiqtest.SOID)
	}
	assert.Equal(t, "Access Denied", grant("scope", "SalesIQ.chats.READ", "soid", salesiqtest.SOID).Error, "ten in ten minutes, as with a refresh token")
}
