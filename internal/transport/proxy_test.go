package transport_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/internal/transport"
)

// proxy starts a proxy that answers CONNECT with a status, or connects where that is
// 200. It returns the number of times that it was asked.
func proxy(t *testing.T, status int) (address *url.URL, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		assert.Equal(t, http.MethodConnect, r.Method)
		if status != http.StatusOK {
			w.WriteHeader(status)
			return
		}
		there, err := new(net.Dialer).DialContext(r.Context(), "tcp", r.Host)
		if !assert.NoError(t, err) {
			return
		}
		defer there.Close()
		here, ahead, err := w.(http.Hijacker).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		defer here.Close()
		if _, err := io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n"); !assert.NoError(t, err) {
			return
		}
		go io.Copy(there, ahead) //nolint:errcheck // It ends with the connection. What net/http has read ahead comes first.
		io.Copy(here, there)     //nolint:errcheck // See above.
	}))
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	require.NoError(t, err)
	address.User = url.UserPassword("user", "s3cr3t")
	return address, asked
}

func TestProxyThatRefusesIsNamedAndAskedOnce(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{true, false} {
		for status, asks := range map[int]int64{403: 1, 407: 1, 502: 1, 503: 4} {
			t.Run(fmt.Sprintf("%d, our transport %t", status, own), func(t *testing.T) {
				t.Parallel()
				address, asked := proxy(t, status)
				base := &http.Transport{Proxy: http.ProxyURL(address)}
				t.Cleanup(base.CloseIdleConnections)
				if own {
					transport.NameProxies(base)
				}
				_, err := transport.New(config(base)).Do(t.Context(), requestTo("https://service.example/", "POST"))
				require.ErrorIs(t, err, transport.ErrTransport)
				f := failure(t, err)
				assert.False(t, f.MaybeProcessed)
				assert.Equal(t, asks, asked.Load())
				assert.Equal(t, asks > 1, transport.IsTransient(f.Status, f.Said.Code, f.Err))
				name := "the proxy"
				if own {
					name += " " + address.Host
				}
				require.ErrorContains(t, err, fmt.Sprintf("%s refused to connect: %d %s", name, status, http.StatusText(status)))
				assert.NotContains(t, err.Error(), "s3cr3t")
			})
		}
	}
}

func TestProxyThatConnectsIsNotInTheWay(t *testing.T) {
	t.Parallel()
	address, asked := proxy(t, http.StatusOK)
	s := testkit.NewTLSServer(t, testkit.OK())
	base := s.Transport(t)
	base.Proxy = http.ProxyURL(address)
	transport.NameProxies(base)
	_, err := transport.New(config(base)).Do(t.Context(), requestTo(s.URL, "POST"))
	require.NoError(t, err)
	assert.Equal(t, int64(1), asked.Load(), "the first connection was good")
}
