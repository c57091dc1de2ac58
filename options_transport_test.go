package salesiq

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withDefaultTransport puts a transport in place of the program's default one.
func withDefaultTransport(t *testing.T, instead http.RoundTripper) {
	t.Helper()
	standard := http.DefaultTransport
	http.DefaultTransport = instead                        //nolint:reassign // A program may do that.
	t.Cleanup(func() { http.DefaultTransport = standard }) //nolint:reassign // As it was.
}

// wrapped is a RoundTripper that is no *http.Transport.
type wrapped struct{ http.RoundTripper }

func TestDefaultTransportMayBeSomebodysOwn(t *testing.T) { //nolint:paralleltest // It changes a global.
	var http2 atomic.Bool
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http2.Store(r.ProtoMajor == 2)
		io.WriteString(w, `{"status":"success","data":{"id":"c1"}}`)
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	trusting := func() *http.Transport {
		return &http.Transport{TLSClientConfig: s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()}
	}
	var dialed atomic.Int64
	for name, tt := range map[string]struct {
		instead func() http.RoundTripper
		dials   int64 // Through the program's own func.
		fails   bool
	}{
		"wrapped":               {instead: func() http.RoundTripper { return wrapped{trusting()} }},
		"without a DialContext": {instead: func() http.RoundTripper { return trusting() }},
		"with the old Dial": {dials: 1, instead: func() http.RoundTripper {
			base := trusting()
			base.Dial = func(network, address string) (net.Conn, error) { //nolint:staticcheck // That is the point.
				dialed.Add(1)
				return new(net.Dialer).DialContext(t.Context(), network, address)
			}
			return base
		}},
		"with a DialContext": {dials: 1, instead: func() http.RoundTripper {
			t := trusting()
			t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				dialed.Add(1)
				return new(net.Dialer).DialContext(ctx, network, address)
			}
			return t
		}},
		"with a Dial that returns nothing": {fails: true, instead: func() http.RoundTripper {
			t := trusting()
			t.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, nil }
			return t
		}},
		"none at all": {fails: true, instead: func() http.RoundTripper { return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			withDefaultTransport(t, tt.instead())
			dialed.Store(0)
			client, err := NewClient(StaticToken("token"), WithBaseURL(s.URL), WithMaxAttempts(1))
			if err == nil {
				_, err = client.Chats.Get(t.Context(), "c1")
			}
			assert.Equal(t, tt.fails, err != nil, "%v", err)
			assert.Equal(t, tt.dials, dialed.Load())
			if name == "without a DialContext" {
				assert.True(t, http2.Load(), "it spoke HTTP/2 before")
			}
		})
	}
}

// answering is the other end of a connection: it answers each request alike.
func answering(conn net.Conn) {
	reader := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		io.Copy(io.Discard, r.Body) //nolint:errcheck // The next read tells.
		const answer = `{"status":"success","data":{"id":"c1"}}`
		_, err = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
		if err != nil {
			return
		}
	}
}

func TestAddressThatSwallowsEverythingCostsSeconds(t *testing.T) { //nolint:paralleltest // It changes a global.
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		withDefaultTransport(t, &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			if dials++; dials == 1 {
				<-ctx.Done()
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
			}
			ours, theirs := net.Pipe()
			go answering(theirs)
			return ours, nil
		}})
		client, err := NewClient(StaticToken("token"), WithBaseURL("http://127.0.0.1:1"))
		require.NoError(t, err)
		start := time.Now()
		_, err = client.Chats.End(t.Context(), "c1", nil)
		require.NoError(t, err, "a POST, too: it was not sent")
		assert.LessOrEqual(t, time.Since(start), 6*time.Second, "the limit and a pause")
		time.Sleep(time.Minute) // The idle connection ends.
	})
}

// relay passes bytes on between its clients and a server, until it swallows them.
type relay struct {
	net.Listener

	swallows atomic.Bool
	opened   atomic.Int64
}

func newRelay(t *testing.T, to string) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &relay{Listener: listener}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := new(net.Dialer).DialContext(t.Context(), "tcp", to)
			if err != nil {
				return
			}
			first := r.opened.Add(1) == 1
			go r.pass(server, client, first)
			go r.pass(client, server, first)
		}
	}()
	return r
}

func (r *relay) pass(to, from net.Conn, mortal bool) {
	defer to.Close()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		if !mortal || !r.swallows.Load() {
			to.Write(b[:n]) //nolint:errcheck // The next read tells.
		}
	}
}

func TestHTTP2ConnectionThatDiesInSilenceIsGivenUp(t *testing.T) { //nolint:paralleltest // It changes a global.
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"status":"success","data":{"id":"c1"}}`)
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	r := newRelay(t, strings.TrimPrefix(s.URL, "https://"))
	trusting := &http.Transport{TLSClientConfig: s.Client().Transport.(*http.Transport).TLSClientConfig.Clone(), ForceAttemptHTTP2: true}
	trusting.TLSClientConfig.ServerName = "example.com"
	withDefaultTransport(t, trusting)
	client, err := NewClient(StaticToken("token"), WithBaseURL("https://"+r.Addr().String()), WithAttemptTimeout(4*time.Second))
	require.NoError(t, err)
	_, err = client.Chats.Get(t.Context(), "c1")
	require.NoError(t, err)
	r.swallows.Store(true)
	start := time.Now()
	_, err = client.Chats.Get(t.Context(), "c1")
	require.NoError(t, err)
	assert.Less(t, time.Since(start), 4*time.Second, "before the attempt's time was over")
	assert.EqualValues(t, 2, r.opened.Load())
}

// auditor counts the requests that pass.
type auditor struct {
	next http.RoundTripper
	seen *atomic.Int64
}

func (a auditor) RoundTrip(r *http.Request) (*http.Response, error) {
	a.seen.Add(1)
	return a.next.RoundTrip(r)
}

// An audit of a transport of its own, such as a copy of the default one, opened a
// connection for nearly every page that was fetched ahead.
func TestWrappedTransportKeepsTheTunedPool(t *testing.T) {
	t.Parallel()
	const pages = 60
	var opened, seen atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Millisecond) // The other pages are on their way meanwhile.
		fmt.Fprintf(w, `{"status":"success","data":[{"id":"c%s"}],"pagination":{"total":%d,"page":%[1]s,"per_page":1}}`, r.URL.Query().Get("page"), pages)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	client, err := NewClient(StaticToken("token"), WithBaseURL(s.URL),
		WithTransport(func(next http.RoundTripper) http.RoundTripper { return auditor{next, &seen} }))
	require.NoError(t, err)
	n := 0
	for _, err := range client.Chats.All(t.Context(), &ChatListParams{PerPage: 1}) {
		require.NoError(t, err)
		n++
	}
	assert.Equal(t, pages, n)
	assert.Equal(t, int64(pages), seen.Load())
	// Ten, and some that net/http opens where one is put back late. A pool of
	// net/http's own size opens forty.
	assert.LessOrEqual(t, opened.Load(), int64(20))
}

func TestWrappersOfTheTransportNestInTheOrderOfTheirOptions(t *testing.T) {
	t.Parallel()
	var order []string
	wrap := func(name string) func(http.RoundTripper) http.RoundTripper {
		return func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				order = append(order, name)
				return next.RoundTrip(r)
			})
		}
	}
	client := chatClient(t, WithTransport(wrap("outer"), wrap("middle")), WithTransport(wrap("inner")))
	_, err := client.Chats.Get(t.Context(), "c1")
	require.NoError(t, err)
	assert.Equal(t, []string{"outer", "middle", "inner"}, order)
}

// roundTrip is a func as a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
