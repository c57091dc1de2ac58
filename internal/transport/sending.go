package transport

import (
	"context"
	"crypto/tls"
	"net"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
)

// sending finds out whether a request, or a part of it, was written. It may
// err on one side only: what it calls unsent, the service has not seen.
type sending struct {
	mu     sync.Mutex
	header bool         // net/http has handed the header over to a connection, or to its buffer.
	conn   *meteredConn // The last one; nil if it does not count.
	before int64        // What it had carried by then.
}

func watchSending(ctx context.Context) (context.Context, *sending) {
	s := new(sending)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: s.gotConn, WroteHeaders: s.wroteHeaders}), s
}

// gotConn is called again if net/http moves the request to another connection,
// which it does for a POST only where the first one did not carry it.
func (s *sending) gotConn(info httptrace.GotConnInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn = meterOf(info.Conn); s.conn != nil {
		s.before = s.conn.written.Load()
	}
}

func (s *sending) wroteHeaders() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.header = true
}

// begun reports whether the service may know of the request. Without the whole
// header, which net/http buffers, it does not; nor if nothing of it left the
// buffer.
func (s *sending) begun() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.header && (s.conn == nil || s.conn.written.Load() != s.before)
}

// DialFunc opens connections for an http.Transport.
type DialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// Metered makes connections count what they carry, which is how a POST that
// met a dead connection is known to be unsent. Without it, such a POST counts
// as sent.
func Metered(dial DialFunc) DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
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
