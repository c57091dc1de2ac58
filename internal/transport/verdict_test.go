package transport_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/transport"
	"github.com/salesiq-go/salesiq/internal/usercode"
)

func TestWhatMaySucceedAMomentLater(t *testing.T) {
	t.Parallel()
	tooLarge := fmt.Errorf("%w: over 10 bytes", transport.ErrTooLarge)
	redirect := fmt.Errorf("%w to nowhere", transport.ErrRedirect)
	broken := fmt.Errorf("%w: reset", transport.ErrTransport)
	panicked := fmt.Errorf("%w: %w", transport.ErrTransport, usercode.NewPanic("boom"))
	for _, tt := range []struct {
		why    string
		status int
		code   string
		err    error
		want   bool
	}{
		{"one too many", 429, "", nil, true},
		{"one too many, by code", 400, "RATE_LIMIT_EXCEEDED", nil, true},
		{"one too many, whose body was too large", 429, "", tooLarge, true},
		{"the service broke down, by code", 400, "INTERNAL_ERROR", nil, true},
		{"a bad request", 400, "INVALID_REQUEST", nil, false},
		{"too large", 200, "", tooLarge, false},
		{"too large, though of an outage", 503, "", tooLarge, false},
		{"a redirect", 302, "", redirect, false},
		{"a redirect, though it calls itself an internal error", 302, "INTERNAL_ERROR", redirect, false},
		{"no answer", 0, "", broken, true},
		{"half an answer", 200, "", broken, true},
		{"no answer, for a panic of the user's transport", 0, "", panicked, false},
		{"another error", 0, "", errors.New("no token"), false},
		{"not an answer of the service", 200, "", transport.ErrDecode, false},
		{"given up by a gateway", 408, "", nil, true},
		{"broken down", 500, "", nil, true},
		{"not implemented", 501, "", nil, false},
		{"a gateway before one that broke down", 502, "", nil, true},
		{"out of order", 503, "", nil, true},
		{"too slow for a gateway", 504, "", nil, true},
		{"another version of HTTP", 505, "", nil, false},
		{"before the gateways' own", 519, "", nil, false},
		{"the first of the gateways' own", 520, "", nil, true},
		{"before the certificate", 525, "", nil, true},
		{"the certificate of the service", 526, "", nil, false},
		{"after the certificate", 527, "", nil, true},
		{"the last of the gateways' own", 530, "", nil, true},
		{"after the gateways' own", 531, "", nil, false},
		{"before the time limits", 597, "", nil, false},
		{"a time limit of reading", 598, "", nil, true},
		{"a time limit of connecting", 599, "", nil, true},
	} {
		assert.Equal(t, tt.want, transport.IsTransient(tt.status, tt.code, tt.err), tt.why)
	}
}

// A failure that forgets what was wrong would be a success to its caller.
func TestVerdictSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	const page = "<html>no such page"
	for _, tt := range []struct {
		why     string
		step    step
		cause   error
		says    string // In the error.
		code    string
		excerpt string
		pause   time.Duration // Until RetryAt; 0 for none.
	}{
		{why: "not an error body", step: step{status: 404, body: page},
			cause: transport.ErrDecode, says: "not an error body of the service", excerpt: page},
		{why: "an error with a code", step: step{status: 404, body: `{"status":"error","code":"A","message":"m"}`},
			says: "HTTP 404 A", code: "A"},
		{why: "an error with neither a code nor a message", step: step{status: 404, body: `{"status":"error"}`},
			says: "an error without a code"},
		{why: "an error with a message alone", step: step{status: 404, body: `{"status":"error","message":"m"}`},
			says: "HTTP 404 "},
		{why: "an error under a success", step: step{status: 200, body: `{"status":"error","code":"A"}`},
			says: "HTTP 200 A", code: "A"},
		{why: "JSON that breaks off", step: step{status: 200, body: `{"data":[{"id":`},
			cause: transport.ErrTransport, says: "the JSON breaks off", excerpt: `{"data":[{"id":`},
		{why: "more values than their memory", step: step{status: 200, body: `[` + strings.Repeat("0,", 20_000) + `0]`},
			cause: transport.ErrTooLarge, says: "values"},
		{why: "more bytes than are read", step: step{status: 200, body: strings.Repeat(" ", 1<<20+1)},
			cause: transport.ErrTooLarge, says: "over 1048576 bytes"},
		{why: "a redirect, of which nothing is quoted", step: step{status: 302, header: map[string]string{"Location": "https://elsewhere.example/x"}, body: page},
			cause: transport.ErrRedirect, says: "redirect to https://elsewhere.example"},
		{why: "the last status that is a redirect", step: step{status: 399}, cause: transport.ErrRedirect, says: "nowhere"},
		{why: "the first status that is a redirect", step: step{status: 300}, cause: transport.ErrRedirect, says: "nowhere"},
		{why: "the status before a success", step: step{status: 199}, cause: transport.ErrDecode, says: "not an error body"},
		{why: "a lock of the live service, which takes a while", step: step{status: 400, body: `{"error":{"code":1023,"message":"m"}}`},
			says: "HTTP 400", code: "RATE_LIMIT_EXCEEDED", pause: time.Minute},
		{why: "a lock whose end the header tells", step: step{status: 400, header: map[string]string{"Retry-After": "7"}, body: `{"error":{"code":1023,"message":"m"}}`},
			says: "HTTP 400", code: "RATE_LIMIT_EXCEEDED", pause: 7 * time.Second},
		{why: "one too many by the code alone, in a window whose end the header tells",
			step: step{status: 403, header: map[string]string{"X-Ratelimit-Limit": "20", "X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "946684809"}, body: `{"status":"error","code":"RATE_LIMIT_EXCEEDED"}`},
			says: "HTTP 403", code: "RATE_LIMIT_EXCEEDED", pause: 9 * time.Second},
	} {
		t.Run(tt.why, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := config(&script{steps: []step{tt.step}})
				c.MaxAttempts = 1
				start := time.Now()
				_, err := transport.New(c).Do(t.Context(), request("GET"))
				require.Error(t, err)
				f := failure(t, err)
				if tt.cause != nil {
					require.ErrorIs(t, err, tt.cause)
				}
				assert.ErrorContains(t, err, tt.says)
				assert.Equal(t, tt.step.status, f.Status)
				assert.Equal(t, tt.code, f.Said.Code)
				assert.Equal(t, tt.excerpt, f.Excerpt)
				if tt.pause == 0 {
					assert.Zero(t, f.RetryAt)
				} else {
					assert.Equal(t, start.Add(tt.pause), f.RetryAt)
				}
			})
		})
	}
}

// An EOF is how an answer ends well. To a caller, one that ends a connection would
// look like the end of a list.
func TestConnectionThatEndsIsNoEndOfAnAnswer(t *testing.T) {
	t.Parallel()
	for name, base := range map[string]careless{
		"before the answer": func() (*http.Response, error) { return nil, io.EOF },
		"within the answer": func() (*http.Response, error) {
			r := io.MultiReader(strings.NewReader("{"), readerFunc(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }))
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: body{r, func() error { return nil }}}, nil
		},
	} {
		c := config(base)
		c.MaxAttempts = 1
		_, err := transport.New(c).Do(t.Context(), request("GET"))
		require.ErrorIs(t, err, transport.ErrTransport, name)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, name)
		assert.NotErrorIs(t, err, io.EOF, name)
	}
}
