package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
)

// This file holds all that depends on how net/http works inside: when it repeats
// a request by itself, what its traces tell, and the words of its errors. Its
// test runs with each supported version of Go, and fails if one behaves otherwise.

// exchanger sends requests through a RoundTripper.
type exchanger struct {
	next  http.RoundTripper
	http2 atomic.Bool // The last answer came by it.
}

// roundTrip sends the message of an attempt. After an error it reports whether the
// service may know of the request.
func (x *exchanger) roundTrip(ctx context.Context, stop context.CancelCauseFunc, a *attempt, header http.Header) (response *http.Response, sent bool, err error) {
	request := a.message.WithContext(ctx)
	request.Header, request.Host = header, request.URL.Host
	var s *sending
	if !a.request.Idempotent {
		request, s = watchSending(request, x.http2.Load(), stop)
	}
	response, err = x.next.RoundTrip(request)
	if err != nil {
		if response != nil && response.Body != nil {
			response.Body.Close() //nolint:errcheck // Not a legal pair, but seen in the wild.
		}
		return nil, s == nil || s.begun() && !refused(err), err
	}
	x.http2.Store(response.ProtoMajor == 2)
	RefuseUpgrade(response)
	return response, true, nil
}

// sending finds out whether a request, or a part of it, was written. It may
// err on one side only: what it calls unsent, the service has not seen.
type sending struct {
	http2 bool // Over any connection, since the last answer came by it.
	stop  context.CancelCauseFunc

	mu     sync.Mutex   // Guards what follows.
	header bool         // net/http has handed the header over to a connection, or to its buffer.
	conn   net.Conn     // The last connection.
	meter  *meteredConn // That of conn; nil if it does not count.
	before int64        // What conn had carried by then.
}

var errMoved = errors.New("the connection ended the request, which may have been carried out by then")

// watchSending returns the request to send in place of one that must not be
// carried out twice.
func watchSending(request *http.Request, http2 bool, stop context.CancelCauseFunc) (*http.Request, *sending) {
	s := &sending{http2: http2, stop: stop}
	trace := &httptrace.ClientTrace{GotConn: s.gotConn, WroteHeaders: s.wroteHeaders}
	request = request.WithContext(httptrace.WithClientTrace(request.Context(), trace))
	if http2 {
		request.GetBody = nil // So that net/http tells why it would send it again, and does not.
	}
	return request, s
}

// gotConn is called again if net/http moves the request to another connection.
// With HTTP/2, the request may have been carried out by then: net/http takes a
// PROTOCOL_ERROR for a refusal.
func (s *sending) gotConn(info httptrace.GotConnInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil && (s.http2 || speaksHTTP2(s.conn)) && info.Conn != s.conn && s.written() {
		s.stop(errMoved)
		return
	}
	s.conn = info.Conn
	if s.meter = meterOf(info.Conn); s.meter != nil {
		s.before = s.meter.written.Load()
	}
}

func speaksHTTP2(conn net.Conn) bool {
	secured, ok := conn.(*tls.Conn)
	return ok && secured.ConnectionState().NegotiatedProtocol == "h2"
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
	return s.written()
}

func (s *sending) written() bool {
	return s.header && (s.meter == nil || s.meter.written.Load() != s.before)
}

// refused reports whether an HTTP/2 server has said that it did not begin with
// a request that has no GetBody. Such errors are known by their text alone.
func refused(err error) bool {
	_, reason, _ := strings.Cut(err.Error(), "http2: Transport: cannot retry err [")
	return strings.Contains(reason, "; REFUSED_STREAM;") || strings.Contains(reason, "shutdown GOAWAY]")
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
