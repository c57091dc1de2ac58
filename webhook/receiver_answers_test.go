package webhook

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEachOutcomeHasItsAnswer(t *testing.T) {
	t.Parallel()
	again := map[string]string{"Retry-After": "10"}
	hangUp := map[string]string{"Connection": "close"}
	rows := []struct {
		how    outcome
		status int
		header map[string]string
	}{
		{failed, http.StatusInternalServerError, nil},
		{handled, http.StatusOK, nil},
		{handledBefore, http.StatusOK, nil},
		{beingHandled, http.StatusServiceUnavailable, again},
		{tookTooLong, http.StatusInternalServerError, hangUp},
		{unavailable, http.StatusServiceUnavailable, again},
		{wrongMethod, http.StatusMethodNotAllowed, map[string]string{"Allow": "GET, HEAD, POST"}},
		{tooLarge, http.StatusRequestEntityTooLarge, hangUp},
		{compressed, http.StatusUnsupportedMediaType, nil},
		{cutShort, http.StatusBadRequest, nil},
		{notSigned, http.StatusUnauthorized, nil},
		{notAnEvent, http.StatusBadRequest, nil},
		{tooOld, http.StatusForbidden, nil},
	}
	for i, row := range rows {
		assert.Equal(t, outcome(i), row.how, "each outcome has a row")
		got := httptest.NewRecorder()
		row.how.send(got, 1)
		assert.Equal(t, row.status, got.Code, row.how)
		assert.True(t, json.Valid(got.Body.Bytes()), row.how)
		want := http.Header{"Content-Type": {"application/json"}}
		for name, value := range row.header {
			want.Set(name, value)
		}
		assert.Equal(t, want, got.Header(), row.how)

		got = httptest.NewRecorder()
		row.how.send(got, 2)
		want.Del("Connection") // Which would end the work of others.
		assert.Equal(t, want, got.Header(), row.how)
	}
	assert.Len(t, answers, len(rows))
}
