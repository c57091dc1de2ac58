package transport_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/salesiq-go/salesiq/internal/transport"
)

// A body that stays open keeps its connection from everybody else.
func TestBodyIsClosedWhateverBecomesOfTheAnswer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		why    string
		status int
		text   string
		err    error
	}{
		{"a success", 200, `{}`, nil},
		{"an error", 404, `{"status":"error","code":"A"}`, nil},
		{"a page", 502, `<html>`, nil},
		{"a redirect", 302, ``, nil},
		{"too large", 200, strings.Repeat(" ", 1<<20+1), nil},
		{"another protocol", 101, ``, nil},
		{"an answer beside an error", 200, `{}`, errors.New("failed")},
	} {
		closed := 0
		c := config(careless(func() (*http.Response, error) {
			text := body{io.NopCloser(strings.NewReader(tt.text)), func() error { closed++; return nil }}
			return &http.Response{StatusCode: tt.status, Header: http.Header{}, Body: text}, tt.err
		}))
		c.MaxAttempts = 1
		transport.New(c).Do(t.Context(), request("GET")) //nolint:errcheck // What comes of it is another test's.
		assert.Equal(t, 1, closed, tt.why)
	}
}
