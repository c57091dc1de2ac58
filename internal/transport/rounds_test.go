package transport_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/internal/transport"
)

// mortal is a connection that dies unnoticed: whoever writes finds out.
type mortal struct {
	net.Conn

	dead atomic.Bool
}

func (c *mortal) Write(b []byte) (int, error) {
	if c.dead.Load() {
		return 0, &net.OpError{Op: "write", Err: syscall.EPIPE}
	}
	return c.Conn.Write(b)
}

// mortals are the connections of a transport.
type mortals struct {
	mu   sync.Mutex
	made []*mortal
}

func (m *mortals) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	m.mu.Lock()
	defer m.mu.Unlock()
	made := &mortal{Conn: conn}
	m.made = append(m.made, made)
	return made, err
}

// kill ends the connections that there are.
func (m *mortals) kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, conn := range m.made {
		conn.dead.Store(true)
	}
}

// hooks counts the calls of all hooks of a trace.
type hooks struct {
	mu     sync.Mutex
	counts map[string]int
}

func (h *hooks) count(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts[name]++
}

func (h *hooks) all() map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.counts)
}

// trace returns a trace with every hook that there is.
func (h *hooks) trace() *httptrace.ClientTrace {
	h.counts = map[string]int{}
	return &httptrace.ClientTrace{
		GetConn:              func(string) { h.count("GetConn") },
		GotConn:              func(httptrace.GotConnInfo) { h.count("GotConn") },
		PutIdleConn:          func(error) { h.count("PutIdleConn") },
		GotFirstResponseByte: func() { h.count("GotFirstResponseByte") },
		Got100Continue:       func() { h.count("Got100Continue") },
		Got1xxResponse:       func(int, textproto.MIMEHeader) error { h.count("Got1xxResponse"); return nil },
		DNSStart:             func(httptrace.DNSStartInfo) { h.count("DNSStart") },
		DNSDone:              func(httptrace.DNSDoneInfo) { h.count("DNSDone") },
		ConnectStart:         func(string, string) { h.count("ConnectStart") },
		ConnectDone:          func(string, string, error) { h.count("ConnectDone") },
		TLSHandshakeStart:    func() { h.count("TLSHandshakeStart") },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { h.count("TLSHandshakeDone") },
		WroteHeaderField:     func(name string, _ []string) { h.count("WroteHeaderField " + name) },
		WroteHeaders:         func() { h.count("WroteHeaders") },
		Wait100Continue:      func() { h.count("Wait100Continue") },
		WroteRequest:         func(httptrace.WroteRequestInfo) { h.count("WroteRequest") },
	}
}

func TestCallersTraceHearsOfEachConnectionThatIsTriedOnce(t *testing.T) {
	t.Parallel()
	const ended = 3
	warm := testkit.Together(ended, testkit.OK())
	s := testkit.NewTLSServer(t, warm, warm, warm, testkit.OK())
	base, conns := s.Transport(t), new(mortals)
	base.DialContext = transport.Metered(conns.dial)
	pipeline := transport.New(config(base))
	var all sync.WaitGroup
	for range ended {
		all.Go(func() {
			_, err := pipeline.Do(t.Context(), requestTo(s.URL, "GET"))
			assert.NoError(t, err)
		})
	}
	all.Wait()
	conns.kill()
	heard := new(hooks)
	answer, err := pipeline.Do(httptrace.WithClientTrace(t.Context(), heard.trace()), requestTo(s.URL, "POST"))
	require.NoError(t, err)
	assert.Equal(t, 1, answer.Attempts)
	want := map[string]int{
		"ConnectStart": 1, "ConnectDone": 1, "TLSHandshakeStart": 1, "TLSHandshakeDone": 1,
		"GotFirstResponseByte": 1, "PutIdleConn": 1,
	}
	for _, each := range []string{"GetConn", "GotConn", "WroteHeaders", "WroteRequest"} {
		want[each] = ended + 1
	}
	for _, field := range []string{"Host", "User-Agent", "Content-Length", "Accept", "Authorization", "Content-Type", "Accept-Encoding"} {
		want["WroteHeaderField "+field] = ended + 1
	}
	assert.Equal(t, want, heard.all())
}

// A request that is given a connection which another one has left does without the one that
// is being opened for it, and that one reads the trace for as long as that takes. The race
// detector watches.
func TestConnectionThatOutlivesItsRoundReadsItsTraceAlone(t *testing.T) {
	t.Parallel()
	asked, answer, opening := make(chan struct{}), make(chan struct{}), make(chan struct{})
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			close(asked)
			<-answer
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"status":"success"}`)
	}))
	t.Cleanup(s.Close)
	base, conns := s.Client().Transport.(*http.Transport).Clone(), new(mortals)
	var dials atomic.Int64
	base.DialContext = transport.Metered(func(ctx context.Context, network, address string) (net.Conn, error) {
		second := dials.Add(1) == 2
		if second {
			conns.kill()
		}
		conn, err := conns.dial(ctx, network, address)
		if second {
			close(answer)
			<-opening
		}
		return conn, err
	})
	t.Cleanup(base.CloseIdleConnections)
	pipeline := transport.New(config(base))
	var get sync.WaitGroup
	defer get.Wait()
	get.Go(func() {
		_, err := pipeline.Do(t.Context(), requestTo(s.URL, "GET"))
		assert.NoError(t, err)
	})
	<-asked
	heard := new(hooks)
	trace := heard.trace()
	var once sync.Once
	trace.GotConn = func(httptrace.GotConnInfo) { once.Do(func() { close(opening) }) }
	_, err := pipeline.Do(httptrace.WithClientTrace(t.Context(), trace), requestTo(s.URL, "POST"))
	require.NoError(t, err)
	assert.Equal(t, 2, heard.all()["WroteHeaders"])
}

// lingering refuses each request once it has a connection, and still reads its header then,
// as a RoundTripper may.
type lingering struct {
	readers sync.WaitGroup
	read    chan http.Header
}

func (l *lingering) RoundTrip(r *http.Request) (*http.Response, error) {
	here, there := net.Pipe()
	there.Close()
	httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{Conn: here, Reused: true})
	l.readers.Go(func() { l.read <- r.Header.Clone() })
	return nil, errors.New("refused")
}

// The race detector watches here, too.
func TestHeaderOfARoundIsNotWrittenInTheNext(t *testing.T) {
	t.Parallel()
	base := &lingering{read: make(chan http.Header, 100)}
	c := config(base)
	c.MaxAttempts = 1
	_, err := transport.New(c).Do(t.Context(), request("POST"))
	require.Error(t, err)
	base.readers.Wait()
	close(base.read)
	read := 0
	for header := range base.read {
		read++
		assert.Equal(t, "first token", header.Get("Authorization"))
	}
	assert.Equal(t, 100, read)
}
