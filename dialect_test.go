package salesiq_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

func TestAnAnswerInTheOtherDialectSaysSo(t *testing.T) {
	t.Parallel()
	const (
		live      = "this is the live service's answer: see WithPortal"
		specified = "this is an answer as specified, where paths have no portal"
	)
	portal := salesiq.WithPortal("zylker")
	for _, row := range []struct {
		why, body string
		status    int
		option    salesiq.Option
		says      string
	}{
		{"a live error", `{"error":{"code":1006,"message":"Invalid URL"}}`, 200, nil, live},
		{"a live error with its status", `{"error":{"code":1006,"message":"Invalid URL"}}`, 404, nil, live},
		{"a live success without data", `{"url":"/x","object":"chat"}`, 200, nil, live},
		{"a specified error", `{"status":"error","code":"RESOURCE_NOT_FOUND","message":"No such path"}`, 404, portal, specified},
		{"a specified success without data", `{"status":"success"}`, 200, portal, specified},
	} {
		client := newAPIRecorder(t, answerJSON(row.status, row.body))
		opts := []salesiq.Option{}
		if row.option != nil {
			opts = append(opts, row.option)
		}
		_, err := client.client(t, opts...).Chats.Get(t.Context(), "c1")
		require.ErrorContains(t, err, row.says, row.why)
		requireOneLine(t, err)
		switch {
		case row.body[2] == 'e':
			require.ErrorIs(t, err, salesiq.ErrInvalidInput, row.why)
		case row.status != http.StatusOK:
			require.ErrorIs(t, err, salesiq.ErrResourceNotFound, row.why)
		default:
			require.ErrorIs(t, err, salesiq.ErrDecode, row.why)
		}

		own := portal
		if row.option != nil {
			own = salesiq.WithUserAgent("x")
		}
		_, err = client.client(t, own).Chats.Get(t.Context(), "c1")
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "this is", row.why)
	}
}

// Nobody who looks for portals has one yet.
func TestWhoeverLooksForPortalsIsToldNothingOfDialects(t *testing.T) {
	t.Parallel()
	client := newAPIRecorder(t, answerJSON(http.StatusOK, `{"error":{"code":1009,"message":"No scope"}}`)).client(t)
	for _, path := range []string{"/portals", "/api/v2/portals"} {
		err := client.Do(t.Context(), http.MethodGet, path, nil, nil)
		require.ErrorIs(t, err, salesiq.ErrInvalidOAuthScope)
		assert.NotContains(t, err.Error(), "WithPortal")
	}
}

func TestAClientOfOneDialectIsToldAtAServerOfTheOther(t *testing.T) {
	t.Parallel()
	specified, live := salesiqtest.Start(t), newLiveServer(t)
	bare, err := salesiq.NewClient(salesiq.StaticToken(live.AccessToken()), salesiq.WithBaseURL(live.URL))
	require.NoError(t, err)
	_, err = bare.Chats.Get(t.Context(), "chat123")
	require.ErrorContains(t, err, "see WithPortal")
	_, err = specified.Client(t, salesiq.WithPortal("zylker")).Chats.Get(t.Context(), "chat123")
	require.ErrorContains(t, err, "without WithPortal")
}
