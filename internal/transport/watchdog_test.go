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
