// Package testkit helps tests. [NewServer] is a server that misbehaves on real
// connections: it resets, cuts, trickles, floods, redirects or says nothing.
// [NewHTTP2] does so for HTTP/2. [Main] finds goroutines that a package's tests
// leave behind. [RaceEnabled] tells whether the race detector is on.
package testkit

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Server does with each request, or connection, what its plan says.
type Server struct {
	URL string

	listener net.Listener
	tls      *tls.Config // Nil without TLS.
	roots    *x509.CertPool
	ctx      context.Context // The life of the server.
	stop     context.CancelFunc
	serving  sync.WaitGroup

	mu          sync.Mutex // Guards what follows.
	plan        []Behavior
	received    []Request
	connections int
	open        map[net.Conn]struct{}
}

// Request is one that arrived whole.
type Request struct {
	Method string
	URI    string
	Header http.Header
	Body   string
}

// NewServer starts a server on loopback that ends with the test. It does one step of
// the plan after the other, and then repeats the last.
func NewServer(tb testing.TB, plan ...Behavior) *Server {
	tb.Helper()
	return start(tb, "http", nil, nil, plan)
}

// NewTLSServer is [NewServer] with TLS. [Server.Transport] knows its certificate.
func NewTLSServer(tb testing.TB, plan ...Behavior) *Server {
	tb.Helper()
	config, roots := certificate()
	return start(tb, "https", config, roots, plan)
}

// certificate borrows the one of package httptest, which is good for 127.0.0.1.
func certificate() (*tls.Config, *x509.CertPool) {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates, MinVersion: tls.VersionTLS12}, roots
}

func start(tb testing.TB, scheme string, config *tls.Config, roots *x509.CertPool, plan []Behavior) *Server {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{
		URL:      scheme + "://" + listener.Addr().String(),
		listener: listener,
		tls:      config,
		roots:    roots,
		plan:     plan,
		open:     map[net.Conn]struct{}{},
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.serving.Go(s.accept)
	tb.Cleanup(s.Close)
	return s
}

// Transport returns a new transport that trusts the server. It closes with the
// test.
func (s *Server) Transport(tb testing.TB) *http.Transport {
	tb.Helper()
	t := &http.Transport{
		DialContext:            new(net.Dialer).DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost:    10,
		MaxResponseHeaderBytes: 256 << 10,
	}
	tb.Cleanup(t.CloseIdleConnections)
	return t
}

// Close ends the server and all its connections.
func (s *Server) Close() {
	s.stop()
	s.listener.Close()
	s.mu.Lock()
	for conn := range s.open {
		conn.Close()
	}
	s.mu.Unlock()
	s.serving.Wait()
}

// Received returns the requests that arrived whole.
func (s *Server) Received() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.received...)
}

// Connections returns how many were accepted.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections
}

// Open returns how many connections are there now.
func (s *Server) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		if !s.keep(conn) {
			return
		}
		s.serving.Go(func() { s.serve(conn) })
	}
}

// keep notes a connection, unless the server has ended.
func (s *Server) keep(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connections++
	if s.ctx.Err() != nil {
		conn.Close()
		return false
	}
	s.open[conn] = struct{}{}
	return true
}

func (s *Server) drop(conn net.Conn) {
	conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
}

func (s *Server) serve(raw net.Conn) {
	defer s.drop(raw)
	conn := raw
	if s.tls != nil {
		conn = tls.Server(raw, s.tls)
	}
	reader := bufio.NewReader(conn)
	for {
		if early, ok := s.nextEarly(); ok {
			early.act(&exchange{ctx: s.ctx, conn: conn, raw: raw})
			return
		}
		request, ok := readRequest(reader)
		if !ok {
			return
		}
		step := s.next(request)
		if !step.act(&exchange{ctx: s.ctx, conn: conn, raw: raw, request: request}) {
			return
		}
	}
}

func readRequest(reader *bufio.Reader) (Request, bool) {
	r, err := http.ReadRequest(reader)
	if err != nil {
		return Request{}, false
	}
	body, err := io.ReadAll(r.Body)
	return Request{Method: r.Method, URI: r.RequestURI, Header: r.Header, Body: string(body)}, err == nil
}

// nextEarly takes the next step if it does not wait for a request.
func (s *Server) nextEarly() (Behavior, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.plan[0].early {
		return Behavior{}, false
	}
	return s.take(), true
}

func (s *Server) next(request Request) Behavior {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received = append(s.received, request)
	return s.take()
}

func (s *Server) take() Behavior {
	step := s.plan[0]
	if len(s.plan) > 1 {
		s.plan = s.plan[1:]
	}
	return step
}
