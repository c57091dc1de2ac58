package transport_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/internal/transport"
)

// tellsGoneAway tells that a request without a body, which net/http would repeat
// after a GOAWAY, was surely not read. Up to Go 1.26, the server may have blamed the
// client instead, after the fact.
var tellsGoneAway = !strings.HasPrefix(runtime.Version(), "go1.26")

// streamsOfGoneAway is how many streams such a request takes.
func streamsOfGoneAway() int {
	if tellsGoneAway {
		return 2
	}
	return 1
}

// observedTrip sends a request through net/http alone, and tells what its traces
// tell. The first func is called for each connection but the first.
func observedTrip(t *testing.T, base *http.Transport, method, url, body string, again func(first, next net.Conn, cancel func())) (conns int, wroteHeaders bool, err error) {
	t.Helper()
	return observedTripWith(t, base, method, url, body, nil, again)
}

func observedTripWith(t *testing.T, base *http.Transport, method, url, body string, header http.Header, again func(first, next net.Conn, cancel func())) (conns int, wroteHeaders bool, err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var first net.Conn
	var wrote atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			if conns++; conns == 1 {
				first = info.Conn
			} else if again != nil {
				again(first, info.Conn, cancel)
			}
		},
		WroteHeaders: func() { wrote.Store(true) },
	})
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, url, content)
	require.NoError(t, err)
	request.GetBody = nil
	maps.Copy(request.Header, header)
	response, err := base.RoundTrip(request)
	if err == nil {
		io.Copy(io.Discard, response.Body) //nolint:errcheck // Whatever comes.
		response.Body.Close()
	}
	return conns, wrote.Load(), err
}

// These are the facts that nethttp.go rests on. Where one fails, net/http has
// changed, and that file must follow.
func TestNetHTTPWorksAsTheSenderExpects(t *testing.T) {
	t.Parallel()
	changed := func(fact string) string {
		return fmt.Sprintf("net/http of %s has changed; nethttp.go expects: %s", runtime.Version(), fact)
	}
	t.Run("HTTP/1", func(t *testing.T) {
		t.Parallel()
		for range 10 { // Whether an idle connection is at hand is for select to say.
			s := testkit.NewServer(t, testkit.OK(), testkit.CloseAfter(), testkit.OK())
			base := s.Transport(t)
			_, _, err := observedTrip(t, base, "GET", s.URL, "", nil)
			require.NoError(t, err)
			conns, wrote, err := observedTrip(t, base, "GET", s.URL, "", nil)
			require.NoError(t, err)
			assert.True(t, wrote, changed("WroteHeaders is called before a request leaves"))
			assert.Equal(t, 2, conns, changed("GotConn is called before a GET is repeated"))
			assert.Len(t, s.Received(), 3, changed("a GET is repeated where a connection breaks that was used before"))

			s = testkit.NewServer(t, testkit.OK(), testkit.CloseAfter(), testkit.OK())
			base = s.Transport(t)
			observedTrip(t, base, "GET", s.URL, "", nil) //nolint:errcheck // It was tried above.
			_, _, err = observedTrip(t, base, "GET", s.URL, "", func(_, next net.Conn, cancel func()) { cancel(); next.Close() })
			require.Error(t, err)
			assert.Len(t, s.Received(), 2, changed("nothing is sent on a connection that GotConn closes"))

			s = testkit.NewServer(t, testkit.OK(), testkit.CloseAfter(), testkit.OK())
			base = s.Transport(t)
			observedTrip(t, base, "GET", s.URL, "", nil) //nolint:errcheck // It was tried above.
			conns, _, err = observedTrip(t, base, "PUT", s.URL, "{}", nil)
			require.Error(t, err)
			assert.Equal(t, 1, conns, changed("a request with a body and no GetBody is not repeated"))
		}
	})
	for _, tt := range []struct {
		method   string
		header   string
		repeated bool
	}{
		{method: "GET", repeated: true},
		{method: "HEAD", repeated: true},
		{method: "OPTIONS", repeated: true},
		{method: "TRACE", repeated: true},
		{method: "POST"},
		{method: "PUT"},
		{method: "PATCH"},
		{method: "DELETE"},
		{method: "POST", header: "Idempotency-Key", repeated: true},
		{method: "POST", header: "X-Idempotency-Key", repeated: true},
	} {
		t.Run("HTTP/1, replayable "+tt.method+" "+tt.header, func(t *testing.T) {
			t.Parallel()
			header := http.Header{}
			if tt.header != "" {
				header[tt.header] = []string{"1"}
			}
			s := testkit.NewServer(t, testkit.OK(), testkit.CloseAfter(), testkit.OK())
			base := s.Transport(t)
			observedTrip(t, base, "GET", s.URL, "", nil) //nolint:errcheck // It was tried above.
			conns, _, err := observedTripWith(t, base, tt.method, s.URL, "", header, nil)
			if tt.repeated {
				require.NoError(t, err)
				assert.Equal(t, 2, conns, changed("the request is replayable"))
			} else {
				require.Error(t, err)
				assert.Equal(t, 1, conns, changed("the request is not replayable"))
			}
		})
	}
	for _, tt := range []struct {
		step   testkit.StreamBehavior
		reason string // In the error of a request with a body.
		same   bool   // One without is repeated on the same connection.
	}{
		{testkit.RefuseStream, "; REFUSED_STREAM;", true},
		{testkit.GoAway, "shutdown GOAWAY]", false},
		{testkit.ProcessAndBlame, "; PROTOCOL_ERROR;", false}, // Up to Go 1.26.
	} {
		t.Run("HTTP/2, "+tt.reason, func(t *testing.T) {
			t.Parallel()
			s := testkit.NewHTTP2(t, tt.step, testkit.Serve)
			conns, wrote, err := observedTrip(t, s.Transport(t), "POST", s.URL, "{}", nil)
			require.Error(t, err)
			assert.Equal(t, 1, conns)
			assert.True(t, wrote, changed("WroteHeaders is called before a request leaves"))
			assert.Contains(t, err.Error(), tt.reason, changed("the error says what the server said"))
			if tt.step == testkit.ProcessAndBlame && !strings.HasPrefix(runtime.Version(), "go1.26") {
				assert.NotContains(t, err.Error(), "cannot retry", changed("a PROTOCOL_ERROR is not taken for a refusal any more"))
				return
			}
			assert.Contains(t, err.Error(), "http2: Transport: cannot retry err [", changed("a request without GetBody is not repeated"))

			s = testkit.NewHTTP2(t, tt.step, testkit.Serve)
			var same bool
			conns, _, err = observedTrip(t, s.Transport(t), "POST", s.URL, "", func(first, next net.Conn, _ func()) { same = first == next })
			require.NoError(t, err)
			assert.Equal(t, 2, conns, changed("GotConn is called before a request without a body is repeated"))
			assert.Equal(t, tt.same, same, changed("only a refused stream leaves its connection in use"))

			s = testkit.NewHTTP2(t, tt.step, testkit.Serve)
			_, _, err = observedTrip(t, s.Transport(t), "POST", s.URL, "", func(_, _ net.Conn, cancel func()) { cancel() })
			require.Error(t, err)
			_, streams := s.Processed()
			assert.Equal(t, 1, streams, changed("nothing is sent once GotConn has canceled the context"))
		})
	}
}

// The text of this error is all that tells it from one of a connection that has ended.
func TestNetHTTPSaysWhichHeaderIsTooLong(t *testing.T) {
	t.Parallel()
	s := newShortOnHeaders(t)
	base := s.base()
	_, _, err := observedTrip(t, base, "GET", s.URL, "", nil)
	require.NoError(t, err)
	conns, wrote, err := observedTripWith(t, base, "GET", s.URL, "", http.Header{"X-Note": {strings.Repeat("x", 5<<10)}}, nil)
	const fact = "net/http of %s has changed; nethttp.go expects: a header that is too long is told, and not sent"
	require.ErrorContains(t, err, "request header list larger than peer's advertised limit", fact, runtime.Version())
	assert.Equal(t, 1, conns, fact, runtime.Version())
	assert.False(t, wrote, fact, runtime.Version())
	assert.EqualValues(t, 1, s.asked.Load(), fact, runtime.Version())
}

// The text of the status is all that tells a proxy's refusal from an error of another kind.
func TestNetHTTPSaysWithWhichStatusAProxyRefuses(t *testing.T) {
	t.Parallel()
	for _, status := range []int{403, 407, 502, 503} {
		address, _ := proxy(t, status)
		base := &http.Transport{Proxy: http.ProxyURL(address)}
		_, _, err := observedTrip(t, base, "GET", "https://service.example/", "", nil)
		require.EqualError(t, err, http.StatusText(status), "net/http of %s has changed; proxy.go expects: the error is the text of the status", runtime.Version())
	}
}

// The text of an alert is all that tells whether the next handshake would end as well.
func TestTLSSaysWithWhichAlertAServerRefuses(t *testing.T) {
	t.Parallel()
	for alert, refuses := range map[byte]bool{
		0:   false, // Close notify.
		10:  false, // Unexpected message.
		20:  false, // Bad record MAC.
		40:  true,  // Handshake failure.
		42:  true,  // Bad certificate.
		70:  true,  // Protocol version.
		80:  false, // Internal error.
		90:  false, // User canceled.
		112: true,  // Unrecognized name.
		116: true,  // Certificate required.
	} {
		base := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			go io.Copy(io.Discard, there) //nolint:errcheck // It ends with the connection.
			go func() {
				there.Write([]byte{21, 3, 3, 0, 2, 2, alert}) //nolint:errcheck // The client tells.
				there.Close()
			}()
			return here, nil
		}}
		_, _, err := observedTrip(t, base, "GET", "https://service.example/", "", nil)
		require.Error(t, err)
		assert.Equal(t, refuses, transport.IsPermanent(err), "crypto/tls of %s has changed; http.go expects other words than %q for alert %d", runtime.Version(), err, alert)
	}
}

// shortOnHeaders is a service that speaks HTTP/2 and takes headers of some 4 KiB.
type shortOnHeaders struct {
	*httptest.Server

	asked atomic.Int64
}

func newShortOnHeaders(t *testing.T) *shortOnHeaders {
	t.Helper()
	s := new(shortOnHeaders)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"status":"success"}`)
	}))
	s.EnableHTTP2, s.Config.MaxHeaderBytes = true, 4<<10
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func (s *shortOnHeaders) base() *http.Transport {
	return s.Client().Transport.(*http.Transport).Clone()
}

// countConnections returns a context that counts how often a request in it is given a
// connection.
func countConnections(t *testing.T) (context.Context, *atomic.Int64) {
	t.Helper()
	var given atomic.Int64
	return httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { given.Add(1) }}), &given
}

func TestRequestWithTooLongAHeaderFailsAtOnceAndSaysWhatIsTooLong(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5<<10)
	for _, method := range []string{"GET", "POST"} {
		for name, lengthen := range map[string]func(c *transport.Config, r *transport.Request){
			"path and query": func(_ *transport.Config, r *transport.Request) { r.URL += "&note=" + long },
			"Authorization": func(c *transport.Config, _ *transport.Request) {
				c.Tokens.(*tokens).current = "Zoho-oauthtoken " + long
			},
			"X-Note": func(_ *transport.Config, r *transport.Request) { r.Header = http.Header{"X-Note": {long}} },
		} {
			t.Run(method+", "+name, func(t *testing.T) {
				t.Parallel()
				s := newShortOnHeaders(t)
				c := config(s.base())
				c.AttemptTimeout = time.Second
				pipeline := transport.New(c)
				_, err := pipeline.Do(t.Context(), requestTo(s.URL, "GET"))
				require.NoError(t, err)
				ctx, given := countConnections(t)
				r := requestTo(s.URL, method)
				lengthen(&c, r)
				answer, err := pipeline.Do(ctx, r)
				require.Error(t, err)
				assert.EqualValues(t, 1, given.Load(), "it is not tried again")
				assert.Equal(t, 1, answer.Attempts)
				assert.ErrorContains(t, err, "longer than the service accepts: its "+name+" has 51")
				assert.NotContains(t, err.Error(), long)
				assert.NotErrorIs(t, err, context.DeadlineExceeded)
				assert.False(t, failure(t, err).MaybeProcessed, "nothing was sent")
				assert.EqualValues(t, 1, s.asked.Load())
				_, err = pipeline.Do(ctx, requestTo(s.URL, "GET"))
				assert.Equal(t, name == "Authorization", err != nil, "the connection goes on")
			})
		}
	}
}

// refusing is a transport that refuses each request, once it has a connection.
type refusing struct{ connect func() net.Conn }

func (r refusing) RoundTrip(request *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(request.Context()).GotConn(httptrace.GotConnInfo{Conn: r.connect(), Reused: true})
	return nil, errors.New("refused")
}

func TestRequestThatFailsUnwrittenOnEachConnectionIsNoHotLoop(t *testing.T) {
	t.Parallel()
	newConn := func() net.Conn {
		here, there := net.Pipe()
		there.Close()
		return here
	}
	one := newConn()
	s := newShortOnHeaders(t)
	for _, tt := range []struct {
		name   string
		base   http.RoundTripper
		header http.Header
		most   int64 // Connections that it is given.
	}{
		{"HTTP/2, and net/http refuses it", s.base(), http.Header{"Connection": {"upgrade"}}, 2},
		{"the same connection each time", refusing{func() net.Conn { return one }}, nil, 2},
		{"another one each time", refusing{newConn}, nil, 100},
	} {
		for _, method := range []string{"GET", "POST"} {
			t.Run(tt.name+", "+method, func(t *testing.T) {
				t.Parallel()
				c := config(tt.base)
				c.MaxAttempts, c.AttemptTimeout = 1, time.Second
				pipeline := transport.New(c)
				if tt.header != nil {
					_, err := pipeline.Do(t.Context(), requestTo(s.URL, "GET"))
					require.NoError(t, err)
				}
				ctx, given := countConnections(t)
				r := requestTo(s.URL, method)
				r.Header = tt.header
				_, err := pipeline.Do(ctx, r)
				require.ErrorIs(t, err, transport.ErrTransport)
				assert.NotErrorIs(t, err, context.DeadlineExceeded)
				assert.LessOrEqual(t, given.Load(), tt.most)
				assert.False(t, failure(t, err).MaybeProcessed)
			})
		}
	}
}

// hidden is a connection that does not tell what it is.
type hidden struct{ net.Conn }

// throughSidecar makes TLS connections of its own, as the sidecar of a mesh does, for a
// client that thinks that it speaks HTTP/2 in the clear.
func throughSidecar(t *testing.T, s *testkit.HTTP2) *http.Transport {
	t.Helper()
	base := s.Transport(t)
	config := base.TLSClientConfig.Clone()
	config.NextProtos = []string{"h2"}
	base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, network, address)
		return hidden{conn}, err
	}
	return base
}

func TestNetHTTPNeverRepeatsAPostByItself(t *testing.T) {
	t.Parallel()
	transports := map[string]func(t *testing.T, plan ...testkit.StreamBehavior) (*testkit.HTTP2, *http.Transport, string){
		"TLS": func(t *testing.T, plan ...testkit.StreamBehavior) (*testkit.HTTP2, *http.Transport, string) {
			s := testkit.NewHTTP2(t, plan...)
			base := s.Transport(t)
			return s, base, s.URL
		},
		"in the clear": func(t *testing.T, plan ...testkit.StreamBehavior) (*testkit.HTTP2, *http.Transport, string) {
			s := testkit.NewUnencryptedHTTP2(t, plan...)
			base := s.Transport(t)
			return s, base, s.URL
		},
		"through a sidecar": func(t *testing.T, plan ...testkit.StreamBehavior) (*testkit.HTTP2, *http.Transport, string) {
			s := testkit.NewHTTP2(t, plan...)
			return s, throughSidecar(t, s), strings.Replace(s.URL, "https", "http", 1)
		},
	}
	const maybe = true
	for name, dial := range transports {
		for _, tt := range []struct {
			name    string
			step    testkit.StreamBehavior
			body    string
			fails   bool
			streams int
		}{
			{"processed, then blamed", testkit.ProcessAndBlame, "{}", maybe, 1},
			{"processed, then blamed, without a body", testkit.ProcessAndBlame, "", maybe, 1},
			{"processed, then failed", testkit.ProcessAndFail, "{}", maybe, 1},
			{"refused", testkit.RefuseStream, "{}", false, 2},
			{"refused, without a body", testkit.RefuseStream, "", false, 2},
			{"gone away", testkit.GoAway, "{}", false, 2},
			{"gone away, without a body", testkit.GoAway, "", !tellsGoneAway, streamsOfGoneAway()},
		} {
			for _, method := range []string{"POST", "PATCH"} {
				for _, first := range []bool{true, false} {
					t.Run(fmt.Sprintf("%s: %s %s, first %t", name, method, tt.name, first), func(t *testing.T) {
						t.Parallel()
						plan := []testkit.StreamBehavior{testkit.Serve, tt.step, testkit.Serve}
						if first {
							plan = plan[1:]
						}
						s, base, url := dial(t, plan...)
						c := config(base)
						c.OwnBase = true
						pipeline := transport.New(c)
						if !first {
							_, err := pipeline.Do(t.Context(), requestTo(url, "GET"))
							require.NoError(t, err)
						}
						before, opened := s.Processed()
						r := requestTo(url, method)
						if r.Body = nil; tt.body != "" {
							r.Body = []byte(tt.body)
						}
						answer, err := pipeline.Do(t.Context(), r)
						processed, streams := s.Processed()
						assert.LessOrEqual(t, processed-before, 1)
						assert.Equal(t, tt.streams, streams-opened)
						assert.Equal(t, streams-opened, answer.Attempts, "each request that left is an attempt")
						if tt.fails {
							assert.True(t, failure(t, err).MaybeProcessed)
						} else {
							assert.NoError(t, err)
						}
					})
				}
			}
		}
	}
}

// counted is a limiter that counts.
type counted struct {
	leases atomic.Int64
	sent   atomic.Int64
}

func (c *counted) Acquire(context.Context) (transport.Lease, error) { c.leases.Add(1); return c, nil }

func (c *counted) Done(o transport.Outcome) {
	if o.Sent {
		c.sent.Add(1)
	}
}

// slowCloser takes its time to close, so that what is written meanwhile leaves.
type slowCloser struct{ net.Conn }

func (c slowCloser) Close() error {
	time.Sleep(5 * time.Millisecond)
	return c.Conn.Close()
}

func slowly(dial transport.DialFunc) transport.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return slowCloser{conn}, err
	}
}

func TestEachRequestThatLeavesIsAnAttempt(t *testing.T) {
	t.Parallel()
	for _, ours := range []bool{true, false} {
		for _, most := range []int{1, 4} {
			for name, fault := range map[string]testkit.Behavior{"closed": testkit.CloseAfter(), "reset": testkit.ResetAfter()} {
				t.Run(fmt.Sprintf("HTTP/1 %s, metered %t, attempts %d", name, ours, most), func(t *testing.T) {
					t.Parallel()
					for range 5 { // Of two idle connections, the second is at hand at times.
						pair := testkit.Together(2, testkit.OK())
						s := testkit.NewServer(t, pair, pair, fault, testkit.OK())
						base := s.Transport(t)
						base.DialContext = slowly(base.DialContext)
						if ours {
							base.DialContext = transport.Metered(base.DialContext)
						}
						c, limiter := config(base), &counted{}
						c.Limiter, c.MaxAttempts = limiter, most
						pipeline := transport.New(c)
						var both sync.WaitGroup
						for range 2 {
							both.Go(func() {
								_, err := pipeline.Do(t.Context(), requestTo(s.URL, "GET"))
								assert.NoError(t, err)
							})
						}
						both.Wait()
						answer, err := pipeline.Do(t.Context(), requestTo(s.URL, "GET"))
						assert.Equal(t, most == 1, err != nil)
						assert.Equal(t, answer.Attempts, len(s.Received())-2)
						assert.EqualValues(t, len(s.Received()), limiter.leases.Load())
						assert.EqualValues(t, len(s.Received()), limiter.sent.Load())
					}
				})
			}
			for name, step := range map[string]testkit.StreamBehavior{"blamed": testkit.ProcessAndBlame, "refused": testkit.RefuseStream, "gone away": testkit.GoAway} {
				t.Run(fmt.Sprintf("HTTP/2 %s, metered %t, attempts %d", name, ours, most), func(t *testing.T) {
					t.Parallel()
					s := testkit.NewUnencryptedHTTP2(t, step, testkit.Serve)
					base := s.Transport(t)
					if ours {
						base.DialContext = transport.Metered(base.DialContext)
					}
					c, limiter := config(base), &counted{}
					c.Limiter, c.MaxAttempts = limiter, most
					answer, err := transport.New(c).Do(t.Context(), requestTo(s.URL, "GET"))
					assert.Equal(t, most == 1, err != nil)
					_, streams := s.Processed()
					assert.Equal(t, answer.Attempts, streams)
					assert.EqualValues(t, streams, limiter.leases.Load())
				})
			}
		}
	}
}

// silent is a transport that tells nothing of what it does.
type silent struct{ err error }

func (s silent) RoundTrip(*http.Request) (*http.Response, error) { return nil, s.err }

func TestTransportThatTellsNothingMayHaveSentAPost(t *testing.T) {
	t.Parallel()
	answer, err := transport.New(config(silent{io.ErrUnexpectedEOF})).Do(t.Context(), request("POST"))
	assert.True(t, failure(t, err).MaybeProcessed)
	assert.Equal(t, 1, answer.Attempts)
}
