package salesiqtest_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/salesiqtest"
)

// answer is what a raw request brought back.
type answer struct {
	status int
	header http.Header
	body   string
}

// into decodes the data of an envelope.
func into[T any](t *testing.T, a answer) T {
	t.Helper()
	var envelope struct {
		Data T `json:"data"`
	}
	require.NoError(t, json.Unmarshal([]byte(a.body), &envelope), a.body)
	return envelope.Data
}

// refusal is an error body.
type refusal struct {
	Status  string         `json:"status"`
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Details map[string]any `json:"details"`
}

func (a answer) refusal(t *testing.T) refusal {
	t.Helper()
	var r refusal
	require.NoError(t, json.Unmarshal([]byte(a.body), &r), a.body)
	return r
}

// try makes a request as any HTTP client would. An empty token sends none.
func try(t *testing.T, s *salesiqtest.Server, token, method, path, body string) (answer, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Zoho-oauthtoken "+token)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	return send(s, request)
}

func send(s *salesiqtest.Server, request *http.Request) (answer, error) {
	response, err := s.HTTPClient().Do(request)
	if err != nil {
		return answer{}, err
	}
	data, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(data)}, errors.Join(err, response.Body.Close())
}

// do makes a request that must get an answer.
func do(t *testing.T, s *salesiqtest.Server, token, method, path, body string) answer {
	t.Helper()
	a, err := try(t, s, token, method, path, body)
	require.NoError(t, err)
	return a
}

// get reads with a token that permits everything.
func get(t *testing.T, s *salesiqtest.Server, path string) answer {
	t.Helper()
	return do(t, s, s.AccessToken(), http.MethodGet, path, "")
}

// postForm asks the OAuth server.
func postForm(t *testing.T, s *salesiqtest.Server, path string, form url.Values) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a, err := send(s, request)
	require.NoError(t, err)
	return a
}
