package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// This file holds all that depends on how net/http works inside. What differs between
// the supported versions of Go is in nethttp_go*.go.
//
// Package net/http repeats requests by itself:
//
//	over     which                        when
//	-------  ---------------------------  ---------------------------------------
//	HTTP/1   replayable, without a body   a connection breaks that was used before
//	HTTP/2   without a body, or with a    the server refuses the stream or goes away;
//	         GetBody                      up to Go 1.26, it sends PROTOCOL_ERROR,
//	                                      even after it has processed the request
//
// Here, a request that leaves is an attempt, with its quota and its line in the log.
// So a request is repeated only if nothing of it was sent: a request with a body has
// no GetBody, and one without is stopped in the trace (gotConn).
//
// TestNetHTTPWorksAsTheSenderExpects holds the facts of the table, and others that
// this file rests on. It runs with each supported version of Go, and names the fact
// and the version if net/http has changed.

// roundTripper is a RoundTripper, and what is known of it.
type roundTripper struct {
	next   http.RoundTripper
	http2  atomic.Bool // The last answer came by it.
	traces atomic.Bool // It tells of connections, as net/http does.

	// It repeats over HTTP/2 only what the server surely refused.
	repeatsRefused bool
}

func newRoundTripper(next http.RoundTripper, own bool) *roundTripper {
	r := &roundTripper{next: next, repeatsRefused: own && !repeatsBlamed}
	_, ok := next.(*http.Transport)
	r.traces.Store(ok && !dialsItself)
	return r
}

// send sends the request of an exchange. As long as nothing of it could be written
// to a connection that was used before, it tries the next one.
func (r *roundTripper) send(ctx context.Context, x *exchange, header func() http.Header) (*http.Response, error) {
	for {
		response, err := r.sendOnce(ctx, x, header())
		if err == nil || ctx.Err() != nil || !x.unsentOnOldConnection() || !x.attempt.request.repeatable() {
			return response, err
		}
	}
}

func (r *roundTripper) sendOnce(ctx context.Context, x *exchange, header http.Header) (*http.Response, error) {
	x.begin(r, x.attempt.message.Method, header)
	request := x.attempt.message.WithContext(httptrace.WithClientTrace(ctx, &x.trace))
	request.Header, request.Host = header, request.URL.Host
	if request.Body != nil {
		body, err := request.GetBody()
		if err != nil {
			return nil, err
		}
		request.Body = body
	}
	if err := x.open(ctx, request); err != nil {
		return nil, err
	}
	request.GetBody = nil // So that net/http says why it would repeat the request, and does not.
	response, err := Exchange(r.next, request)
	if err == nil {
		r.http2.Store(response.ProtoMajor == 2)
	}
	return response, err
}

// sending follows a request through net/http. If it calls a request unsent, the
// service has not seen any of it. The reverse need not be true.
type sending struct {
	trace httptrace.ClientTrace
	wire  *roundTripper

	mu         sync.Mutex // Guards what follows.
	conn       net.Conn   // That the request was given.
	before     int64      // What conn had carried by then, if it counts.
	reused     bool       // It carried other requests before.
	header     bool       // The header was handed over to a connection, or to its buffer.
	replayable bool       // HTTP/1 would repeat it, too, although it may have been processed.
	stopped    bool       // Net/http was about to repeat the request, and was stopped.
	refused    bool       // It was about to do so since the service had refused the request.
}

var (
	errMoved   = errors.New("the connection ended the request, which may have been carried out by then")
	errRefused = errors.New("the service refused the request's stream")
)

func (x *exchange) begin(wire *roundTripper, method string, header http.Header) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.wire, x.conn, x.header, x.replayable = wire, nil, false, replayable(method, header)
	x.trace.GotConn, x.trace.WroteHeaders = x.gotConn, x.wroteHeaders
}

// gotConn is called when net/http has a connection for the request, and again before
// it repeats the request on another. If the request was sent, the second call stops
// that. Over HTTP/2, ending the context is enough: net/http looks at it before it
// writes. Over HTTP/1 it may not look, so the connection is closed, which nobody else
// uses.
//
// Whether the service had refused the request shows in the second connection. A
// refused stream leaves its connection in use, so that the second is the first. After
// a PROTOCOL_ERROR, and when the server goes away, it is another one. A server that
// goes away says which requests it has read, so that is a refusal, too, with a version
// of net/http that does not repeat after a PROTOCOL_ERROR (repeatsRefused).
func (x *exchange) gotConn(info httptrace.GotConnInfo) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.wire.traces.Store(true)
	if x.conn == nil || !x.written() {
		x.conn, x.reused = info.Conn, info.Reused
		if meter := meterOf(info.Conn); meter != nil {
			x.before = meter.written.Load()
		}
		return
	}
	x.sending.stopped, x.refused = true, info.Conn == x.conn || x.wire.repeatsRefused && !x.replayable
	if x.refused {
		x.cancel(errRefused)
	} else {
		x.cancel(errMoved)
	}
	if x.reused && !x.wire.http2.Load() && !speaksHTTP2(info.Conn) {
		info.Conn.Close()
	}
}

// replayable reports whether net/http takes a request for one that can be repeated
// over HTTP/1.
func replayable(method string, header http.Header) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return header["Idempotency-Key"] != nil || header["X-Idempotency-Key"] != nil
}

func speaksHTTP2(conn net.Conn) bool {
	secured, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	return ok && secured.ConnectionState().NegotiatedProtocol == "h2"
}

func (s *sending) wroteHeaders() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.header = true
}

// written reports whether the service may know of the request: net/http has written
// the whole header to a buffer, and some of it has left the buffer.
func (s *sending) written() bool { return s.header && s.counted() }

func (s *sending) counted() bool {
	meter := meterOf(s.conn)
	return meter == nil || meter.written.Load() != s.before
}

// unsentOnOldConnection reports whether a request that failed was given nothing but
// a connection that had ended before.
func (s *sending) unsentOnOldConnection() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reused && s.conn != nil && !s.written() && !s.stopped
}

// fate tells what became of a request that failed: whether the service may carry it
// out (sent), and whether its connection ended under it (moved). If ctx has ended in
// the middle, net/http may still be writing the request. A transport that tells of no
// connection is believed to have sent it, unless it could not connect.
func (s *sending) fate(ctx context.Context, err error) (sent, moved bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.refused || refused(err):
		return false, true
	case s.header || s.conn != nil:
		return s.counted() && (s.header || ctx.Err() != nil), s.stopped
	}
	return !s.wire.traces.Load() && !undialed(err), false
}

// kept reports whether the request was given a connection that carried others
// before.
func (s *sending) kept() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reused
}

// refused reports whether an HTTP/2 server has said that it did not begin with
// a request that has no GetBody. Such errors are known by their text alone.
func refused(err error) bool {
	_, reason, _ := strings.Cut(err.Error(), "http2: Transport: cannot retry err [")
	return strings.Contains(reason, "; REFUSED_STREAM;") || strings.Contains(reason, "shutdown GOAWAY]")
}

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
