package transport_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/internal/transport"
)

// The tests of this file run on real connections.

// metered returns a transport of the kind that the SDK makes by default.
func metered(t testing.TB, s *testkit.Server) *http.Transport {
	t.Helper()
	base := s.Transport(t)
	base.DialContext = transport.Metered(base.DialContext)
	return base
}

func requestTo(url, method string) *transport.Request {
	r := request(method)
	r.URL = url + "/api/v2/chats?email=ada@example.com"
	return r
}

func failure(t testing.TB, err error) *transport.Failure {
	t.Helper()
	var f *transport.Failure
	require.ErrorAs(t, err, &f)
	return f
}

func TestWhatRealFaultsLeadTo(t *testing.T) {
	t.Parallel()
	ok := testkit.OK()
	tests := []struct {
		name     string
		tls      bool
		method   string
		plan     []testkit.Behavior
		received int   // Requests that reached the service whole.
		cause    error // Nil for a success.
		maybe    bool
	}{
		{name: "GET, reset before reading", method: "GET", plan: []testkit.Behavior{testkit.ResetBefore(), ok}, received: 1},
		{name: "GET, reset after processing", method: "GET", plan: []testkit.Behavior{testkit.ResetAfter(), ok}, received: 2},
		{name: "PUT, reset after processing", method: "PUT", plan: []testkit.Behavior{testkit.ResetAfter(), ok}, received: 2},
		{name: "DELETE, reset after processing", method: "DELETE", plan: []testkit.Behavior{testkit.ResetAfter(), ok}, received: 2},
		{name: "POST, reset after processing", method: "POST", plan: []testkit.Behavior{testkit.ResetAfter(), ok}, received: 1, cause: transport.ErrTransport, maybe: true},
		{name: "PATCH, reset after processing", method: "PATCH", plan: []testkit.Behavior{testkit.ResetAfter(), ok}, received: 1, cause: transport.ErrTransport, maybe: true},
		{name: "POST, closed after processing", method: "POST", plan: []testkit.Behavior{testkit.CloseAfter(), ok}, received: 1, cause: transport.ErrTransport, maybe: true},
		{name: "POST, reset in the TLS handshake: it was not sent", tls: true, method: "POST", plan: []testkit.Behavior{testkit.ResetBefore(), ok}, received: 1},
		{name: "POST through TLS, reset after processing", tls: true, method: "POST", plan: []testkit.Behavior{testkit.ResetAfter(), ok}, received: 1, cause: transport.ErrTransport, maybe: true},

		{name: "GET, short body", method: "GET", plan: []testkit.Behavior{testkit.ShortBody(`{"data":`), ok}, received: 2},
		{name: "GET, broken chunk", method: "GET", plan: []testkit.Behavior{testkit.BrokenChunk(`{"data":`), ok}, received: 2},
		{name: "GET, cut JSON without a length to tell", method: "GET", plan: []testkit.Behavior{testkit.Unframed(`{"data":[{"id":"1"},`), ok}, received: 2},
		{name: "GET, cut JSON with the length of what is left", method: "GET", plan: []testkit.Behavior{testkit.JSON(`{"data":"half`), ok}, received: 2},
		{name: "GET, always cut", method: "GET", plan: []testkit.Behavior{testkit.ShortBody(`{"data":`)}, received: 2, cause: transport.ErrTransport},
		{name: "POST, short body: success, probably", method: "POST", plan: []testkit.Behavior{testkit.ShortBody(`{"data":`), ok}, received: 1, cause: transport.ErrTransport, maybe: true},
		{name: "POST, cut JSON", method: "POST", plan: []testkit.Behavior{testkit.JSON(`{"data":"half`), ok}, received: 1, cause: transport.ErrTransport, maybe: true},

		{name: "GET, 502 of a proxy", method: "GET", plan: []testkit.Behavior{testkit.HTML(502, "<html>bad gateway"), ok}, received: 2},
		{name: "POST, 502 of a proxy", method: "POST", plan: []testkit.Behavior{testkit.HTML(502, "<html>bad gateway"), ok}, received: 1, cause: transport.ErrDecode, maybe: true},
		{name: "POST, 204", method: "POST", plan: []testkit.Behavior{testkit.Empty(204)}, received: 1},
		{name: "GET, error under 200", method: "GET", plan: []testkit.Behavior{testkit.JSON(`{"status":"error","code":"INTERNAL_ERROR"}`), ok}, received: 2},

		{name: "GET, 408", method: "GET", plan: []testkit.Behavior{testkit.HTML(408, ""), ok}, received: 2},
		{name: "POST, 408 of a gateway that had passed it on", method: "POST", plan: []testkit.Behavior{testkit.HTML(408, ""), ok}, received: 1, cause: transport.ErrDecode, maybe: true},
		{name: "POST, 408 on a new connection, which it ends", method: "POST", plan: []testkit.Behavior{testkit.Answer(408, "text/html", "", "Connection: close"), ok}, received: 1, cause: transport.ErrDecode, maybe: true},

		{name: "GET, a status that is none", method: "GET", plan: []testkit.Behavior{testkit.MalformedStatus("HTTP/1.1 twohundred OK"), ok}, received: 2},
		{name: "GET, no HTTP at all", method: "GET", plan: []testkit.Behavior{testkit.MalformedStatus("SSH-2.0-OpenSSH_9.9"), ok}, received: 2},
		{name: "POST, no HTTP at all", method: "POST", plan: []testkit.Behavior{testkit.MalformedStatus("SSH-2.0-OpenSSH_9.9"), ok}, received: 1, cause: transport.ErrTransport, maybe: true},
		{name: "GET, header flood", method: "GET", plan: []testkit.Behavior{testkit.HeaderFlood()}, received: 2, cause: transport.ErrTransport},
		{name: "GET, flood of 1xx answers", method: "GET", plan: []testkit.Behavior{testkit.InformationalFlood()}, received: 2, cause: transport.ErrTransport},
		{name: "GET, another protocol, which no time limit would end", method: "GET", plan: []testkit.Behavior{testkit.Upgrade(), ok}, received: 1, cause: transport.ErrDecode},
		{name: "POST, another protocol", method: "POST", plan: []testkit.Behavior{testkit.Upgrade(), ok}, received: 1, cause: transport.ErrDecode, maybe: true},
		{name: "GET, gzip that is none", method: "GET", plan: []testkit.Behavior{testkit.Answer(200, "application/json", "no gzip", "Content-Encoding: gzip"), ok}, received: 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			start := testkit.NewServer
			if tt.tls {
				start = testkit.NewTLSServer
			}
			s := start(t, tt.plan...)
			c := config(metered(t, s))
			c.MaxAttempts = 2
			_, err := transport.New(c).Do(t.Context(), requestTo(s.URL, tt.method))
			assert.Len(t, s.Received(), tt.received)
			if tt.cause == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, tt.cause)
			assert.Equal(t, tt.maybe, failure(t, err).MaybeProcessed)
			assert.NotContains(t, err.Error(), "ada@example.com", "queries hold visitors' data")
		})
	}
}

// dialer makes the first connection in its own way.
func dialer(s *testkit.Server, first func() (net.Conn, error)) (transport.DialFunc, *atomic.Int32) {
	dials := new(atomic.Int32)
	address := strings.TrimPrefix(s.URL, "http://")
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		if dials.Add(1) == 1 {
			return first()
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}, dials
}

// nobody dials where nobody listens.
func nobody(testing.TB) (net.Conn, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	listener.Close() // The point is that nobody listens.
	return new(net.Dialer).Dial("tcp", listener.Addr().String())
}

// corpse returns a connection that was reset before its first byte.
func corpse(t testing.TB) (net.Conn, error) {
	t.Helper()
	graveyard := testkit.NewServer(t, testkit.ResetBefore())
	conn, err := new(net.Dialer).Dial("tcp", strings.TrimPrefix(graveyard.URL, "http://"))
	if err != nil {
		return nil, err
	}
	conn.Read(make([]byte, 1)) //nolint:errcheck // It waits for the reset.
	return conn, nil
}

// deafMute returns a connection on which reading waits and the first write
// fails: what a corpse is for whoever writes before the reset is noticed.
func deafMute(t testing.TB) (net.Conn, error) {
	t.Helper()
	mute := testkit.NewServer(t, testkit.Mute())
	conn, err := new(net.Dialer).Dial("tcp", strings.TrimPrefix(mute.URL, "http://"))
	return brokenWriter{conn}, err
}

type brokenWriter struct{ net.Conn }

func (brokenWriter) Write([]byte) (int, error) {
	return 0, &net.OpError{Op: "write", Net: "tcp", Err: syscall.ECONNRESET}
}

func TestPostIsSentAgainWhereItWasNeverSent(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(testing.TB) (net.Conn, error){
		"nobody listens": nobody,
		"the connection was reset before the first byte": corpse,
		"the connection broke at the first byte":         deafMute,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.NewServer(t, testkit.OK())
			dial, dials := dialer(s, func() (net.Conn, error) { return first(t) })
			base := s.Transport(t)
			base.DialContext = transport.Metered(dial)
			answer, err := transport.New(config(base)).Do(t.Context(), requestTo(s.URL, "POST"))
			require.NoError(t, err)
			assert.Equal(t, 2, answer.Attempts)
			assert.EqualValues(t, 2, dials.Load())
			assert.Len(t, s.Received(), 1)
		})
	}
}

func TestPostOnAConnectionThatDoesNotCountIsTakenForSent(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.OK())
	dial, _ := dialer(s, func() (net.Conn, error) { return deafMute(t) })
	base := s.Transport(t)
	base.DialContext = dial // Of a user's transport.
	_, err := transport.New(config(base)).Do(t.Context(), requestTo(s.URL, "POST"))
	assert.True(t, failure(t, err).MaybeProcessed)
	assert.Empty(t, s.Received())
}

func TestStaleConnectionNeverCarriesAPostTwice(t *testing.T) {
	t.Parallel()
	t.Run("the service hangs up on the request", func(t *testing.T) {
		t.Parallel()
		for method, received := range map[string]int{"GET": 2, "POST": 1} {
			s := testkit.NewServer(t, testkit.OK(), testkit.CloseAfter(), testkit.OK())
			pipeline := transport.New(config(metered(t, s)))
			_, err := pipeline.Do(t.Context(), requestTo(s.URL, "GET"))
			require.NoError(t, err)
			_, err = pipeline.Do(t.Context(), requestTo(s.URL, method))
			assert.Len(t, s.Received()[1:], received, method)
			if method == "POST" {
				assert.True(t, failure(t, err).MaybeProcessed)
			} else {
				assert.NoError(t, err)
			}
		}
	})
	t.Run("the service hung up while the connection was idle", func(t *testing.T) {
		t.Parallel()
		s := testkit.NewServer(t, testkit.ThenClose(testkit.OK()))
		pipeline := transport.New(config(metered(t, s)))
		for i := range 100 {
			before := len(s.Received())
			_, err := pipeline.Do(t.Context(), requestTo(s.URL, "POST"))
			received := len(s.Received()) - before
			switch {
			case err == nil:
				assert.Equal(t, 1, received, "call %d", i)
			case failure(t, err).MaybeProcessed:
				assert.LessOrEqual(t, received, 1, "call %d", i)
			default:
				assert.Zero(t, received, "call %d", i)
			}
		}
	})
}

func TestServiceThatHangsUpAfterEachAnswerFailsNoGet(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.ThenClose(testkit.OK()))
	pipeline := transport.New(config(metered(t, s)))
	for range 300 { // More than the retry budget would pay for.
		_, err := pipeline.Do(t.Context(), requestTo(s.URL, "GET"))
		require.NoError(t, err)
	}
}

func TestIdleConnectionThatEndsWithA408FailsNoPost(t *testing.T) {
	t.Parallel()
	for _, start := range []func(testing.TB, ...testkit.Behavior) *testkit.Server{testkit.NewServer, testkit.NewTLSServer} {
		s := start(t, testkit.ThenTimeout(testkit.OK()))
		pipeline := transport.New(config(metered(t, s)))
		for range 200 {
			_, err := pipeline.Do(t.Context(), requestTo(s.URL, "POST"))
			require.NoError(t, err)
		}
		assert.Len(t, s.Received(), 200)
	}
}

func TestHTTP2StreamsAreProcessedOnce(t *testing.T) {
	t.Parallel()
	const maybe = true
	tests := []struct {
		name    string
		step    testkit.StreamBehavior
		first   bool // Nothing is known of the server yet.
		body    string
		streams int
		fails   bool
	}{
		{"refused stream: it was not processed", testkit.RefuseStream, false, "{}", 2, false},
		{"refused stream, without a body", testkit.RefuseStream, false, "", 2, false},
		{"refused stream, the first one", testkit.RefuseStream, true, "{}", 2, false},
		{"connection that goes away: it was not processed", testkit.GoAway, false, "{}", 2, false},
		{"connection that goes away, without a body", testkit.GoAway, false, "", streamsOfGoneAway(), !tellsGoneAway},
		{"the same, the first one", testkit.GoAway, true, "", streamsOfGoneAway(), !tellsGoneAway},
		{"connection that goes away, the first one", testkit.GoAway, true, "{}", 2, false},
		{"stream that fails late: it was processed", testkit.ProcessAndFail, false, "{}", 1, maybe},
		{"stream that fails late with an error that net/http takes for a refusal", testkit.ProcessAndBlame, false, "{}", 1, maybe},
		{"the same, without a body", testkit.ProcessAndBlame, false, "", 1, maybe},
		{"the same, the first one", testkit.ProcessAndBlame, true, "{}", 1, maybe},
	}
	for _, tt := range tests {
		for _, ours := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, metered %t", tt.name, ours), func(t *testing.T) {
				t.Parallel()
				plan := []testkit.StreamBehavior{testkit.Serve, tt.step, testkit.Serve}
				if tt.first {
					plan = plan[1:]
				}
				s := testkit.NewHTTP2(t, plan...)
				base := s.Transport(t)
				if ours {
					base.DialContext = transport.Metered(base.DialContext)
				}
				c := config(base)
				c.OwnBase = true
				pipeline := transport.New(c)
				if !tt.first {
					_, err := pipeline.Do(t.Context(), requestTo(s.URL, "GET"))
					require.NoError(t, err)
				}
				before, opened := s.Processed()
				r := requestTo(s.URL, "POST")
				if r.Body = nil; tt.body != "" {
					r.Body = []byte(tt.body)
				}
				_, err := pipeline.Do(t.Context(), r)
				processed, streams := s.Processed()
				assert.LessOrEqual(t, processed-before, 1)
				assert.Equal(t, tt.streams, streams-opened)
				if tt.fails {
					assert.True(t, failure(t, err).MaybeProcessed)
				} else {
					assert.NoError(t, err)
				}
			})
		}
	}
}

func TestInvalidCertificateIsRefusedForGood(t *testing.T) {
	t.Parallel()
	s := testkit.NewTLSServer(t, testkit.OK())
	base := metered(t, s)
	base.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	answer, err := transport.New(config(base)).Do(t.Context(), requestTo(s.URL, "POST"))
	var certificate *tls.CertificateVerificationError
	require.ErrorAs(t, err, &certificate)
	assert.False(t, failure(t, err).MaybeProcessed)
	assert.Equal(t, 1, answer.Attempts)
	assert.Empty(t, s.Received())
}

// Here net/http says of no connection that it speaks HTTP/2.
func TestUnencryptedHTTP2StreamsAreProcessedOnce(t *testing.T) {
	t.Parallel()
	for _, body := range [][]byte{nil, []byte("{}")} {
		s := testkit.NewUnencryptedHTTP2(t, testkit.Serve, testkit.ProcessAndBlame, testkit.Serve)
		pipeline := transport.New(config(s.Transport(t)))
		_, err := pipeline.Do(t.Context(), requestTo(s.URL, "GET"))
		require.NoError(t, err)
		r := requestTo(s.URL, "POST")
		r.Body = body
		_, err = pipeline.Do(t.Context(), r)
		assert.True(t, failure(t, err).MaybeProcessed)
		processed, streams := s.Processed()
		assert.Equal(t, 2, processed, "the GET, and the POST once")
		assert.Equal(t, 2, streams)
	}
}

func TestRedirectsAreRefused(t *testing.T) {
	t.Parallel()
	elsewhere := testkit.NewServer(t, testkit.OK())
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, method := range []string{"GET", "POST"} {
			t.Run(fmt.Sprintf("%d on %s", status, method), func(t *testing.T) {
				t.Parallel()
				for kind, location := range map[string]string{
					"other port of the same host":   elsewhere.URL + "/?token=copied",
					"other host":                    strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1),
					"same origin":                   "/elsewhere",
					"nowhere":                       "http://[::1",
					"no address but a scheme of it": "javascript:alert(1)",
				} {
					s := testkit.NewTLSServer(t, testkit.Redirect(status, location))
					_, err := transport.New(config(metered(t, s))).Do(t.Context(), requestTo(s.URL, method))
					assert.ErrorIs(t, err, transport.ErrRedirect, kind)
					assert.NotContains(t, err.Error(), "copied", "a location may hold anything")
					assert.Len(t, s.Received(), 1, kind)
				}
			})
		}
	}
	t.Cleanup(func() { assert.Zero(t, elsewhere.Connections(), "https to http, and with the token") })
}

func TestRedirectThatExplainsItselfIsOne(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.Answer(307, "application/json", `{"status":"error","code":"MOVED"}`, "Location: https://elsewhere.example/"))
	_, err := transport.New(config(metered(t, s))).Do(t.Context(), requestTo(s.URL, "GET"))
	require.ErrorIs(t, err, transport.ErrRedirect)
	assert.Equal(t, "MOVED", failure(t, err).Said.Code)
}

// allocated returns how many bytes f allocates, all goroutines included.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// It measures memory, and so runs alone.
func TestHostileBodyCostsAtMostTwiceTheCap(t *testing.T) {
	const limit = 16 << 20
	liar := fmt.Sprintf("Content-Length: %d", int64(1)<<60)
	tests := []struct {
		name  string
		body  testkit.Behavior
		cause error
	}{
		{"gzip that inflates to 256 MB", testkit.GzipBomb(256), transport.ErrTooLarge},
		{"100 MB", testkit.Huge(100 << 20), transport.ErrTooLarge},
		{"an exabyte, as the header has it", testkit.MalformedStatus("HTTP/1.1 200 OK\r\n" + liar), transport.ErrTransport},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testkit.NewServer(t, tt.body)
			c := config(metered(t, s))
			c.MaxBody, c.MaxAttempts = limit, 1
			pipeline := transport.New(c)
			bytes := allocated(func() {
				_, err := pipeline.Do(t.Context(), requestTo(s.URL, "GET"))
				assert.ErrorIs(t, err, tt.cause)
			})
			t.Logf("%.1f MB, %.2f times the cap", float64(bytes)/(1<<20), float64(bytes)/limit)
			assert.LessOrEqual(t, float64(bytes), 2.2*limit)
			assert.Eventually(t, func() bool { return s.Open() == 0 }, 5*time.Second, time.Millisecond, "the connection is closed")
		})
	}
}

func TestBodyOfExactlyTheCapIsRead(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 4 << 10, 1 << 20, 1<<20 + 1} {
		s := testkit.NewServer(t, testkit.JSON(strings.Repeat(" ", size)))
		for limit, cause := range map[int64]error{int64(size): nil, int64(size) - 1: transport.ErrTooLarge, 1<<63 - 1: nil} {
			if limit < 1 {
				continue
			}
			c := config(metered(t, s))
			c.MaxBody = limit
			answer, err := transport.New(c).Do(t.Context(), requestTo(s.URL, "GET"))
			assert.ErrorIs(t, err, cause, "%d bytes under a cap of %d", size, limit)
			if cause == nil {
				assert.Len(t, answer.Body, size)
			}
		}
	}
}

func TestSlowAnswersEnd(t *testing.T) {
	t.Parallel()
	const limit = 60 * time.Millisecond
	tests := []struct {
		name           string
		behavior       testkit.Behavior
		attempt, stall time.Duration
	}{
		{"silence, by the time limit", testkit.Silence(), limit, time.Hour},
		{"a body that stops, by the stall limit", testkit.Stall(), time.Hour, limit},
		{"a body that trickles, by the time limit", testkit.Trickle(time.Millisecond), limit, time.Hour},
		{"a body that trickles too slowly, by the stall limit", testkit.Trickle(time.Second), time.Hour, limit},
		{"no handshake, by the time limit", testkit.Mute(), limit, time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := testkit.NewTLSServer(t, tt.behavior)
			c := config(metered(t, s))
			c.AttemptTimeout, c.StallTimeout, c.MaxAttempts = tt.attempt, tt.stall, 1
			start := time.Now()
			_, err := transport.New(c).Do(t.Context(), requestTo(s.URL, "GET"))
			assert.ErrorIs(t, err, transport.ErrTransport)
			assert.NotErrorIs(t, err, context.Canceled, "the caller did not cancel")
			assert.GreaterOrEqual(t, time.Since(start), limit)
			assert.Less(t, time.Since(start), 5*time.Second)
		})
	}
}
