package transport

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"
)

// This file holds how a transport dials, so that its connections count what they carry.

// DialFunc opens connections for an http.Transport.
type DialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// OwnDialing makes a transport dial as a pipeline wants it: within a time limit, and
// [Metered]. In a browser, where fetch does it all, there is nothing to dial.
func OwnDialing(t *http.Transport, limit time.Duration) {
	dial, old := t.DialContext, t.Dial //nolint:staticcheck // Deprecated, but used.
	switch {
	case dial != nil:
	case old != nil:
		dial = func(_ context.Context, network, address string) (net.Conn, error) { return old(network, address) }
	case dialsItself:
		return
	default:
		dial = new(net.Dialer).DialContext
		t.ForceAttemptHTTP2 = true // Which a DialContext turns off otherwise.
	}
	t.Dial = nil //nolint:staticcheck // See above.
	t.DialContext = Metered(func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		return dial(ctx, network, address)
	})
}

// dialsItself tells the platforms on which net/http has fetch make a request, unless
// the transport has a func to dial.
const dialsItself = runtime.GOARCH == "wasm"

// Metered makes connections count what they carry, which is how a POST that
// met a dead connection is known to be unsent. Without it, such a POST counts
// as sent.
func Metered(dial DialFunc) DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil || conn == nil { // Without either, net/http says whose fault it is.
			return nil, err
		}
		return &meteredConn{Conn: conn}, nil
	}
}

type meteredConn struct {
	net.Conn

	written atomic.Int64
}

// Write counts before it writes, so that nothing is under way uncounted.
func (c *meteredConn) Write(b []byte) (int, error) {
	c.written.Add(int64(len(b)))
	n, err := c.Conn.Write(b)
	c.written.Add(int64(n - len(b)))
	return n, err
}

func meterOf(conn net.Conn) *meteredConn {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	metered, _ := conn.(*meteredConn) // A user's transport has other ones.
	return metered
}
