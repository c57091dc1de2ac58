package transport_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/transport"
)

func TestTimeLimitsAreTimeoutsLikeThoseOfNetHTTP(t *testing.T) {
	t.Parallel()
	stalling := careless(func() (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(readerFunc(func([]byte) (int, error) {
			time.Sleep(20 * time.Second)
			return 0, io.ErrUnexpectedEOF
		}))}, nil
	})
	for name, base := range map[string]http.RoundTripper{"attempt": &script{steps: []step{{forever: true}}}, "stall": stalling} {
		synctest.Test(t, func(t *testing.T) {
			c := config(base)
			c.MaxAttempts = 1
			_, err := transport.New(c).Do(t.Context(), request("GET"))
			require.ErrorIs(t, err, context.DeadlineExceeded, name)
			require.ErrorIs(t, err, transport.ErrTransport, name)
			var timeout net.Error
			require.ErrorAs(t, err, &timeout, name)
			assert.True(t, timeout.Timeout(), name)
			require.NoError(t, t.Context().Err(), "the caller has time left")
		})
	}
}

// heedful is a transport that looks at the request, such as at its context.
type heedful func(*http.Request) (*http.Response, error)

func (h heedful) RoundTrip(r *http.Request) (*http.Response, error) { return h(r) }

// The body's chunks come a little faster than the limit between two reads, and then stop.
func TestAnAnswerStallsOnceNothingHasComeForTheWholeTime(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		header, chunk time.Duration // How long the header takes, and each chunk but the last.
		chunks        int
		want          time.Duration // When it is given up.
	}{
		{header: 0, chunk: 9 * time.Second, chunks: 3, want: 37 * time.Second},
		{header: 11 * time.Second, chunk: 9 * time.Second, chunks: 2, want: 39 * time.Second},
		{header: 25 * time.Second, chunk: time.Second, chunks: 1, want: 36 * time.Second},
		{header: 0, chunk: 9 * time.Second, chunks: 100, want: time.Minute}, // The limit for the whole.
	} {
		synctest.Test(t, func(t *testing.T) {
			left := row.chunks
			c := config(heedful(func(r *http.Request) (*http.Response, error) {
				time.Sleep(row.header)
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(readerFunc(func(b []byte) (int, error) {
					wait := row.chunk
					if left--; left < 0 {
						wait = time.Hour
					}
					select {
					case <-r.Context().Done():
						return 0, r.Context().Err()
					case <-time.After(wait):
						return copy(b, " "), nil
					}
				}))}, nil
			}))
			c.MaxAttempts, c.AttemptTimeout, c.StallTimeout = 1, time.Minute, 10*time.Second
			began := time.Now()
			_, err := transport.New(c).Do(t.Context(), request("GET"))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, row.want, time.Since(began))
		})
	}
}
