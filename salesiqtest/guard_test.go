package salesiqtest_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// askAs makes a request whose Host header is another than that of the URL, as a
// browser does for a page whose host has come to mean this machine.
func askAs(t *testing.T, s *salesiqtest.Server, host, method, path string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(""))
	require.NoError(t, err)
	request.Host = host
	request.Header.Set("Authorization", "Zoho-oauthtoken "+s.AccessToken())
	a, err := send(s, request)
	require.NoError(t, err)
	return a
}

func TestRequestsForAnotherHostAreRefusedEverywhere(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]salesiqtest.Option{"specified": nil, "live": {salesiqtest.Live()}} {
		s := salesiqtest.Start(t, opts...)
		path := map[string]string{"specified": "/api/v2/chats/chat123", "live": "/api/v2/" + salesiqtest.Portal + "/conversations"}[name]
		for _, host := range []string{
			"rebound.example", "rebound.example:80", "127.0.0.1.rebound.example", "localhost.rebound.example", "notlocalhost",
			"192.0.2.1:8080", "0.0.0.0", "[2001:db8::1]:80", "xn--localhost-", "[::1", "@127.0.0.1",
		} {
			for call, method := range map[string]string{
				path: "GET", "/oauth/v2/token?" + refreshForm(s).Encode(): "POST", "/oauth/v2/token/revoke?token=x": "POST",
				"/oauth/v2/auth": "GET", "/_emulator/deliveries": "GET", "/_emulator/stats": "GET", "/_emulator/reset": "POST",
				"/_emulator/events": "POST", "/widget": "GET", "/widget/visits": "POST", "/nothing": "GET",
			} {
				a := askAs(t, s, host, method, call)
				if a.status == http.StatusBadRequest && strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") {
					continue // Not even net/http takes it.
				}
				assert.Equal(t, http.StatusForbidden, a.status, "%s %s", host, call)
				assert.Contains(t, a.body, "Host", host)
				assert.NotContains(t, a.body, "access_token")
			}
		}
		assert.Zero(t, s.Stats().TokenRequests)
		for _, host := range []string{"localhost", "LOCALHOST:80", "localhost.", "hooks.localhost:1", "127.0.0.1", "127.8.9.1:80", "[::1]:80", "[::ffff:127.0.0.1]:80", s.URL[len("http://"):]} {
			assert.Equal(t, http.StatusOK, askAs(t, s, host, "GET", path).status, host)
		}
	}
}

func TestOtherHostsCanBePermitted(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.WithHosts("emulator", "salesiq.test"))
	for host, status := range map[string]int{"emulator:8080": 200, "SalesIQ.test": 200, "salesiq.test.": 200, "other.test": 403} {
		assert.Equal(t, status, askAs(t, s, host, "GET", "/api/v2/brands").status, host)
	}
	for _, host := range []string{"", " ", "emulator:80", "http://emulator", "Emulator", "[::1]"} {
		_, err := salesiqtest.NewServer(salesiqtest.WithHosts(host))
		require.ErrorIs(t, err, salesiq.ErrInvalidInput, host)
	}
}

// A test that calls the handler itself, or serves it, needs no permission.
func TestTheServerIsAHandlerForHTTPTest(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/_emulator/stats", http.NoBody)) // For example.com.
	assert.Equal(t, http.StatusOK, recorder.Code)

	served := httptest.NewServer(s)
	defer served.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, served.URL+"/_emulator/stats", http.NoBody)
	require.NoError(t, err)
	response, err := served.Client().Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusOK, response.StatusCode)

	inMemory := salesiqtest.Start(t, salesiqtest.InMemory())
	assert.Equal(t, http.StatusOK, askAs(t, inMemory, "salesiq.zoho.eu", "GET", "/api/v2/brands").status)
}

func TestConsentRedirectsToThisMachineOrWhereItIsRegistered(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.WithRedirectURIs("https://shop.example/signed-in"))
	for redirect, status := range map[string]int{
		"http://127.0.0.1:7/back": 302, "https://localhost/back": 302, "http://[::1]:80/": 302, "http://app.localhost": 302,
		"https://shop.example/signed-in":           302,
		"https://shop.example/signed-in?next=evil": 400, "https://shop.example/": 400, "https://evil.example/": 400,
		"http://127.0.0.1.evil.example/": 400, "http://127.0.0.1@evil.example/": 400, "javascript://localhost/%0aalert(1)": 400,
	} {
		query := consentQuery(s)
		query.Set("redirect_uri", redirect)
		back, a := consent(t, s, query)
		assert.Equal(t, status, a.status, redirect)
		assert.Equal(t, status == 302, back.Get("code") != "", redirect)
		if status == 400 {
			assert.Empty(t, a.header.Get("Location"), redirect)
		}
	}
	for _, uri := range []string{"", "/relative", "shop.example"} {
		_, err := salesiqtest.NewServer(salesiqtest.WithRedirectURIs(uri))
		require.ErrorIs(t, err, salesiq.ErrInvalidInput, uri)
	}
}

// Both the name and the address that it means must be loopback.
func TestAWebhookForAnotherMachineIsNotContacted(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	_, err := s.Client(t).Webhooks.Create(t.Context(), &salesiq.WebhookCreate{
		Name: "Test", URL: (&url.URL{Scheme: "https", Host: "192.0.2.1"}).String(), Events: allEvents,
	})
	require.NoError(t, err)
	require.NoError(t, s.Emit(salesiq.EventChatRated, struct{}{}))
	require.Eventually(t, func() bool { return len(s.Deliveries()) == 1 }, 5*time.Second, time.Millisecond)
	assert.Contains(t, s.Deliveries()[0].Error, "only webhooks on this machine")
}
