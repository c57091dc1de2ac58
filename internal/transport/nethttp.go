package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
)

// This file holds what depends on how net/http works inside. What differs between the
// supported versions of Go is in nethttp_go*.go. Elsewhere, two funcs go by a text of the
// standard library's: nameProxy in proxy.go, and isRefusal in http.go.
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
// Here, a request to the service that leaves is an attempt, with its quota and its line in
// the log. So a request is repeated only if no whole header of it was sent: a request with
// a body has no GetBody, and one without is stopped in the trace (gotConn). Requests for a
// file that is elsewhere are part of an attempt: see fetch in download.go.
//
// TestNetHTTPWorksAsTheSenderExpects holds the facts of the table, and others that
// this file rests on. Tests beside it hold the texts. They run with each supported version
// of Go, and name the fact and the version if net/http or crypto/tls has changed.

// roundTripper is a RoundTripper, and what is known of it.
type roundTripper struct {
	next   http.RoundTripper
	http2  atomic.Bool // The last answer came over HTTP/2.
	traces atomic.Bool // It calls httptrace, as net/http does.

	// A repeat over HTTP/2 means that the server has refused the request. It does with a
	// transport of our own, in a version of Go that repeats nothing else.
	repeatsRefusedOnly bool
}

func newRoundTripper(next http.RoundTripper, own bool) *roundTripper {
	r := &roundTripper{next: next, repeatsRefusedOnly: own && !repeatsAfterProtocolError}
	_, ok := next.(*http.Transport)
	r.traces.Store(ok && !dialsItself)
	return r
}

// mostEnded bounds the connections that are tried for a request. Most pools keep fewer.
const mostEnded = 100

// do sends the request of an exchange. If no whole header of it could be written to a
// connection that was used before, that connection has probably ended, and do tries the next
// one. A connection that is given again has not ended: the request is at fault.
func (r *roundTripper) do(ctx context.Context, x *exchange, header func() http.Header) (response *http.Response, err error) {
	var last net.Conn
	for range mostEnded {
		response, err = r.doOnce(ctx, x, header())
		if err == nil || ctx.Err() != nil || errors.Is(err, ErrLongHeader) || !x.attempt.request.repeatable() {
			return response, err
		}
		ended := x.endedConnection()
		if ended == nil || ended == last {
			return nil, err
		}
		last = ended
	}
	return nil, err
}

func (r *roundTripper) doOnce(ctx context.Context, x *exchange, header http.Header) (*http.Response, error) {
	trace := x.begin(r, x.attempt.message.Method, header)
	request := x.attempt.message.WithContext(httptrace.WithClientTrace(ctx, trace))
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
	response, err := RoundTrip(r.next, request)
	switch {
	case err == nil:
		r.http2.Store(response.ProtoMajor == 2)
	case saysLongHeader(err):
		err = longHeader(request)
	}
	return response, err
}

// sending follows a request through net/http, to tell its fate if it fails.
type sending struct {
	trace httptrace.ClientTrace // Of the first round.
	base  *roundTripper

	mu          sync.Mutex // Guards what follows.
	conn        net.Conn   // The connection that the request was given; nil before.
	reused      bool       // Conn had carried other requests.
	before      int64      // Bytes that conn had carried, if it counts them.
	wroteHeader bool       // Net/http has written the whole header to conn, or to a buffer before it.
	replayable  bool       // Net/http would repeat the request over HTTP/1, too.
	repeat      fate       // Of a request that net/http was about to repeat: turnedAway or cutOff. Otherwise unsent.
}

var (
	errEnded   = errors.New("the connection ended the request, which may have been carried out by then")
	errRefused = errors.New("the service refused the request's stream")
)

// fate returns what became of a request that failed with err, and has no answer. The first
// line that fits decides:
//
//	the service says that it has not read it    turnedAway
//	it was certainly given no connection        unsent: the transport tells of connections, or could not dial
//	it is not known to have been given one      sent
//	no byte of it has left                      unsent
//	half of its header has left                 unsent: a service acts on whole headers alone. But if ctx
//	                                            has ended, net/http may be writing the rest
//	net/http was about to repeat it             cutOff
//	any other                                   sent
func (s *sending) fate(ctx context.Context, err error) fate {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.repeat == turnedAway || saysRefused(err):
		return turnedAway
	case s.conn == nil && !s.wroteHeader && (s.base.traces.Load() || undialed(err)):
		return unsent
	case s.conn == nil:
		return sent
	case !s.connWrote():
		return unsent
	case !s.wroteHeader && ctx.Err() == nil:
		return unsent
	case s.repeat == cutOff:
		return cutOff
	}
	return sent
}

// begin prepares x for a round of [roundTripper.do], and returns the trace of the round.
// Each round has its own: WithClientTrace adds the caller's hooks to it, and a connection
// that net/http opens for a round may read the trace when the round is over.
func (x *exchange) begin(base *roundTripper, method string, header http.Header) *httptrace.ClientTrace {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.base, x.conn, x.wroteHeader, x.replayable = base, nil, false, replayable(method, header)
	trace := &x.trace
	if trace.GotConn != nil {
		trace = new(httptrace.ClientTrace)
	}
	trace.GotConn, trace.WroteHeaders = x.gotConn, x.wroteHeaders
	return trace
}

// gotConn is called when net/http has a connection for the request, and again before
// it repeats the request on another. If some of the request was sent, it stops the
// repeat:
//
//	HTTP/2   by ending the context, at which net/http looks before it writes
//	HTTP/1   by closing the connection as well, since net/http may not look
//
// Over HTTP/1, nobody else uses that connection.
func (x *exchange) gotConn(info httptrace.GotConnInfo) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.base.traces.Store(true)
	if x.conn == nil || !x.written() {
		x.conn, x.reused = info.Conn, info.Reused
		if meter := meterOf(info.Conn); meter != nil {
			x.before = meter.written.Load()
		}
		return
	}
	cause := errEnded
	if x.repeat = x.fateIfRepeated(info.Conn); x.repeat == turnedAway {
		cause = errRefused
	}
	x.cancel(cause)
	if x.reused && !x.base.http2.Load() && !speaksHTTP2(info.Conn) {
		info.Conn.Close()
	}
}

// fateIfRepeated tells from the second connection why net/http repeats a request, and so its
// fate. It is for requests without a body; for others, see saysRefused.
//
//	second connection   replayable   why                                              fate
//	the first one       yes or no    its stream was refused (REFUSED_STREAM), which   turnedAway
//	                                 leaves the connection in use
//	another one         yes          unknown: the first one may have broken           cutOff
//	another one         no           Go 1.27, and our own transport: GOAWAY, with      turnedAway
//	                                 which the service says that it has not read it
//	another one         no           otherwise: GOAWAY or PROTOCOL_ERROR              cutOff
func (s *sending) fateIfRepeated(second net.Conn) fate {
	if second == s.conn || s.base.repeatsRefusedOnly && !s.replayable {
		return turnedAway
	}
	return cutOff
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
	s.wroteHeader = true
}

// written reports whether the service may know of the request: net/http has written
// the whole header to a buffer, and some of it has left the buffer.
func (s *sending) written() bool { return s.wroteHeader && s.connWrote() }

// connWrote reports whether the connection may have carried a byte since the request
// was given to it. One that does not count may.
func (s *sending) connWrote() bool {
	meter := meterOf(s.conn)
	return meter == nil || meter.written.Load() != s.before
}

// endedConnection returns the connection of a request that failed, if it was used before
// and no whole header of the request has left. Otherwise it returns nil.
func (s *sending) endedConnection() net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil || !s.reused || s.written() || s.repeat != unsent {
		return nil
	}
	return s.conn
}

// undialed reports whether no connection came about.
func undialed(err error) bool {
	operation, ok := errors.AsType[*net.OpError](err)
	return ok && operation.Op == "dial"
}

// onUsedConnection reports whether the connection had carried other requests.
func (s *sending) onUsedConnection() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reused
}

// saysRefused reports whether an HTTP/2 server has said that it did not begin with
// a request that has no GetBody. Such errors are known by their text alone.
func saysRefused(err error) bool {
	_, reason, _ := strings.Cut(err.Error(), "http2: Transport: cannot retry err [")
	return strings.Contains(reason, "; REFUSED_STREAM;") || strings.Contains(reason, "shutdown GOAWAY]")
}

// saysLongHeader reports whether net/http has refused to send a header that is longer than
// an HTTP/2 server permits. The path, the query and the token count. It would refuse again.
func saysLongHeader(err error) bool {
	return strings.Contains(err.Error(), "request header list larger than peer's advertised limit")
}

// ErrLongHeader means that a request was not sent: the server has told how long a header may be.
var ErrLongHeader = errors.New("the request's header is longer than the service accepts")

// longHeader names the longest part of a header that is too long.
func longHeader(request *http.Request) error {
	longest, size := "path and query", len(request.URL.RequestURI())
	for name, values := range request.Header {
		if n := len(strings.Join(values, "")); n > size {
			longest, size = name, n
		}
	}
	return fmt.Errorf("%w: its %s has %d bytes", ErrLongHeader, longest, size)
}
