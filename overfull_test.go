package salesiq_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
)

const accessToken = "1000.0123456789abcdef.fedcba9876543210"

// inflating returns a body just below the default limit, and what a server
// would have to send of it.
func inflating(t *testing.T, start, unit, end string) (size int, zipped []byte) {
	t.Helper()
	body := start + strings.Repeat(unit, (16<<20-len(start)-len(end)-1)/len(unit)) + end
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(body))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return len(body), b.Bytes()
}

func TestAnswerTakesNoMoreMemoryThanItsSize(t *testing.T) { // Not parallel: it counts what the whole process allocates.
	nested := `{"data":[{"tags":[` + strings.Repeat(`0,`, 9_000) + `0]}`
	for _, answer := range []struct {
		name             string
		status           int
		start, unit, end string
		want             error
	}{
		{"empty objects", 200, `{"data":[{}`, `,{}`, `]}`, salesiq.ErrTooLarge},
		{"nothing but nulls", 200, `{"data":[null`, `,null`, `]}`, salesiq.ErrTooLarge},
		{"small objects", 200, `{"data":[{"id":1}`, `,{"id":1}`, `]}`, salesiq.ErrTooLarge},
		{"objects with space around", 200, `{"data":[{}`, strings.Repeat(" ", 200) + `,{}`, `]}`, salesiq.ErrTooLarge},
		{"many lists of permitted length", 200, nested, nested[len(`{"data":[`)-1:], `]}`, salesiq.ErrTooLarge},
		{"nothing but space", 200, `{"data":[`, ` `, `]}`, nil},
		{"a string without an end", 200, `{"data":["`, `x`, ``, salesiq.ErrTransport},
		{"zeros in details", 400, `{"status":"error","code":"X","details":{"a":[0`, `,0`, `]}}`, salesiq.ErrDecode},
		{"lists in details", 400, `{"status":"error","code":"X","details":{"a":[[]`, `,[]`, `]}}`, salesiq.ErrDecode},
		{"a message in the open", 400, `{"status":"error","code":"X","message":"`, `x`, `"}`, salesiq.ErrDecode},
		{"a hidden error's zeros", 200, `{"status":"error","code":"X","details":{"error":[0`, `,0`, `]}}`, salesiq.ErrTooLarge},
		{"a page of tokens", 502, `<html>`, accessToken, ``, salesiq.ErrDecode},
		{"a page of tokens with status 200", 200, `<html>`, accessToken, ``, salesiq.ErrDecode},
	} {
		t.Run(answer.name, func(t *testing.T) {
			size, zipped := inflating(t, answer.start, answer.unit, answer.end)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(answer.status)
				_, err := w.Write(zipped)
				assert.NoError(t, err)
			}))
			defer server.Close()
			client, err := salesiq.NewClient(salesiq.StaticToken(accessToken), salesiq.WithBaseURL(server.URL), salesiq.WithMaxAttempts(1))
			require.NoError(t, err)

			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err = client.Chats.List(t.Context(), nil)
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, answer.want)
			if err != nil {
				assert.NotContains(t, err.Error(), accessToken[:len(accessToken)/2])
			}
			const constant = 2 << 20
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(size)*22/10+constant)
		})
	}
}
