package transport_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/internal/transport"
)

// Most tests of this file send files on real connections.

// uploadOf returns a request with a body that is read as it is sent.
func uploadOf(url, method string, once bool, open func() io.ReadCloser) *transport.Request {
	r := requestTo(url, method)
	r.Body = nil
	r.Header = http.Header{"Content-Type": {"text/plain"}}
	r.Upload = &transport.Upload{Length: -1, Once: once, Open: open}
	return r
}

func text(content string) func() io.ReadCloser {
	return func() io.ReadCloser { return io.NopCloser(strings.NewReader(content)) }
}

func TestUploadIsSentAgainOnlyIfItCanBeReadAgain(t *testing.T) {
	t.Parallel()
	tooMany := testkit.Answer(429, "application/json", `{"status":"error","code":"RATE_LIMIT_EXCEEDED"}`)
	oldToken := testkit.Answer(401, "application/json", `{"status":"error","code":"INVALID_TOKEN"}`)
	outage := testkit.Answer(503, "text/html", "<html>")
	for _, tt := range []struct {
		why      string
		method   string
		once     bool
		first    testkit.Behavior
		received int
		fails    bool
		maybe    bool
	}{
		{"a POST that was refused unread", "POST", false, tooMany, 2, false, false},
		{"the same, which can be read once", "POST", true, tooMany, 1, true, false},
		{"a POST whose token was refused", "POST", false, oldToken, 2, false, false},
		{"the same, which can be read once", "POST", true, oldToken, 1, true, false},
		{"a POST that may have been processed", "POST", false, testkit.ResetAfter(), 1, true, true},
		{"the same, which can be read once", "POST", true, testkit.ResetAfter(), 1, true, true},
		{"a POST during an outage", "POST", false, outage, 1, true, true},
		{"a PUT that may have been processed", "PUT", false, testkit.ResetAfter(), 2, false, false},
		{"the same, which can be read once", "PUT", true, testkit.ResetAfter(), 1, true, false},
		{"a PUT during an outage", "PUT", false, outage, 2, false, false},
		{"a PUT that was answered in half", "PUT", false, testkit.ShortBody(`{"data":`), 2, false, false},
		{"a POST that was answered in half", "POST", false, testkit.ShortBody(`{"data":`), 1, true, true},
		{"nothing was read of it", "POST", true, testkit.ResetBefore(), 1, false, false},
	} {
		t.Run(tt.why+", "+tt.method, func(t *testing.T) {
			t.Parallel()
			s := testkit.NewServer(t, tt.first, testkit.OK())
			c := config(metered(t, s))
			opened := 0
			content := strings.NewReader(strings.Repeat("line\n", 20_000))
			_, err := transport.New(c).Do(t.Context(), uploadOf(s.URL, tt.method, tt.once, func() io.ReadCloser {
				if opened++; !tt.once {
					content = strings.NewReader(strings.Repeat("line\n", 20_000))
				}
				return io.NopCloser(content)
			}))
			if tt.why == "nothing was read of it" && err != nil {
				assert.False(t, failure(t, err).MaybeProcessed && len(s.Received()) > 0, "the reset came after the first read")
				return
			}
			assert.Len(t, s.Received(), tt.received)
			for _, r := range s.Received() {
				assert.Len(t, r.Body, 100_000, "from its beginning to its end")
			}
			require.Equal(t, tt.fails, err != nil, err)
			if tt.fails {
				assert.Equal(t, tt.maybe, failure(t, err).MaybeProcessed)
			}
		})
	}
}

func TestUploadThatIsCutInTheMiddleIsNoSecondPost(t *testing.T) {
	t.Parallel()
	for method, maybe := range map[string]bool{"POST": true, "PUT": false} {
		s := testkit.NewServer(t, testkit.ResetWithin(1<<20), testkit.OK())
		_, err := transport.New(config(metered(t, s))).Do(t.Context(), uploadOf(s.URL, method, false, text(strings.Repeat("x", 16<<20))))
		if !maybe {
			require.NoError(t, err)
			assert.Len(t, s.Received()[0].Body, 16<<20)
			continue
		}
		assert.True(t, failure(t, err).MaybeProcessed)
		require.ErrorIs(t, err, transport.ErrTransport)
		assert.Empty(t, s.Received())
		assert.Equal(t, 1, s.Connections())
	}
}

func TestUploadTakesAsLongAsItMoves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const size, block, pause = 8 << 20, 64 << 10, 5 * time.Second
		var received atomic.Int64
		serve := func(conn net.Conn) {
			defer conn.Close()
			request, err := http.ReadRequest(bufio.NewReaderSize(conn, 16))
			if !assert.NoError(t, err) {
				return
			}
			for err == nil {
				var n int64
				n, err = io.CopyN(io.Discard, request.Body, block)
				received.Add(n)
				time.Sleep(pause)
			}
			_, err = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "+strconv.Itoa(len(good.body))+"\r\n\r\n"+good.body)
			assert.NoError(t, err)
		}
		base := &http.Transport{DialContext: transport.Metered(func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe() // Without a buffer, so that it shows how fast the service reads.
			go serve(far)
			return near, nil
		})}
		defer base.CloseIdleConnections()
		c := config(base)
		start := time.Now()
		_, err := transport.New(c).Do(t.Context(), uploadOf("http://salesiq.example", "POST", false, text(strings.Repeat("x", size))))
		require.NoError(t, err)
		assert.Equal(t, int64(size), received.Load())
		assert.Greater(t, time.Since(start), 20*c.AttemptTimeout, "longer than another request may take")
	})
}

func TestUploadThatStopsMovingEnds(t *testing.T) {
	t.Parallel()
	for why, behavior := range map[string]testkit.Behavior{
		"nobody reads it": testkit.Mute(), "nobody answers it": testkit.Silence(),
	} {
		s := testkit.NewServer(t, behavior)
		c := config(metered(t, s))
		c.AttemptTimeout = 200 * time.Millisecond
		start := time.Now()
		_, err := transport.New(c).Do(t.Context(), uploadOf(s.URL, "POST", false, text(strings.Repeat("x", 16<<20))))
		require.ErrorIs(t, err, context.DeadlineExceeded, why)
		assert.True(t, failure(t, err).MaybeProcessed, why)
		assert.Less(t, time.Since(start), 20*time.Second, why)
	}
}

// A trickle moves all the time, and yet not fast enough.
func TestUploadThatTricklesEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := config(tripFunc(func(r *http.Request) (*http.Response, error) {
			_, err := io.Copy(io.Discard, r.Body)
			return nil, err
		}))
		start := time.Now()
		_, err := transport.New(c).Do(t.Context(), uploadOf("https://salesiq.example", "POST", true, func() io.ReadCloser {
			return io.NopCloser(readerFunc(func([]byte) (int, error) {
				time.Sleep(time.Second)
				return 1, nil
			}))
		}))
		require.Error(t, err)
		assert.Less(t, time.Since(start), time.Minute)
	})
}

func TestFailureOfTheCallersReaderIsNotTheServices(t *testing.T) {
	t.Parallel()
	errDisk := errors.New("disk on fire")
	for why, read := range map[string]func([]byte) (int, error){
		"an error":         func([]byte) (int, error) { return 0, errDisk },
		"a panic":          func([]byte) (int, error) { panic(errDisk) },
		"nothing for ever": func([]byte) (int, error) { return 0, nil },
		"too much":         func(b []byte) (int, error) { return len(b) + 1, nil },
		"its goroutine":    func([]byte) (int, error) { runtime.Goexit(); return 0, nil },
	} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			s := testkit.NewServer(t, testkit.OK())
			c := config(metered(t, s))
			c.AttemptTimeout = 300 * time.Millisecond
			pipeline := transport.New(c)
			for i, after := range []string{"", strings.Repeat("x", 1<<20), "", "x"} {
				known := 0
				if i > 1 { // On a connection that was used before.
					_, err := pipeline.Do(t.Context(), requestTo(s.URL, "GET"))
					require.NoError(t, err)
					known = len(s.Received())
				}
				opens := 0
				_, err := pipeline.Do(t.Context(), uploadOf(s.URL, "PUT", false, func() io.ReadCloser {
					opens++
					return io.NopCloser(io.MultiReader(strings.NewReader(after), readerFunc(read)))
				}))
				require.Error(t, err)
				require.ErrorContains(t, err, "the body could not be read")
				require.NotErrorIs(t, err, transport.ErrTransport)
				assert.Equal(t, 1, opens, "it would fail again")
				assert.Len(t, s.Received(), known, "not as a whole")
			}
		})
	}
}

func TestNobodyReadsAnUploadWhoseCallIsOver(t *testing.T) {
	t.Parallel()
	refused := testkit.Answer(413, "application/json", `{"error":{"code":1027,"message":"too large"}}`, "Connection: close")
	s := testkit.NewServer(t, testkit.AnswerWithin(64<<10, refused))
	var over atomic.Bool
	var reads, late, closed atomic.Int64
	_, err := transport.New(config(metered(t, s))).Do(t.Context(), uploadOf(s.URL, "POST", false, func() io.ReadCloser {
		return &closer{readerFunc(func(b []byte) (int, error) {
			if reads.Add(1); over.Load() {
				late.Add(1)
			}
			return len(b), nil
		}), func() { closed.Add(1) }}
	}))
	over.Store(true)
	assert.Equal(t, 413, failure(t, err).Status, "an answer that comes before the end of the upload counts: %v", err)
	assert.False(t, failure(t, err).MaybeProcessed)
	time.Sleep(50 * time.Millisecond) // Real connections have no virtual time.
	assert.Zero(t, late.Load())
	assert.Positive(t, reads.Load())
	assert.Equal(t, int64(1), closed.Load())
}

func TestTransportThatGoesOnReadingReadsNothing(t *testing.T) {
	t.Parallel()
	var kept io.Reader
	c := config(tripFunc(func(r *http.Request) (*http.Response, error) {
		kept = r.Body
		return good.response(r), nil
	}))
	var reads atomic.Int64
	_, err := transport.New(c).Do(t.Context(), uploadOf("https://salesiq.example", "POST", false, func() io.ReadCloser {
		return io.NopCloser(readerFunc(func(b []byte) (int, error) { reads.Add(1); return len(b), nil }))
	}))
	require.NoError(t, err)
	_, err = kept.Read(make([]byte, 8))
	require.Error(t, err)
	assert.Zero(t, reads.Load())
}

type closer struct {
	io.Reader

	close func()
}

func (c *closer) Close() error { c.close(); return nil }

func TestReaderThatHangsDoesNotHoldTheCall(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.OK())
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	hangs := make(chan struct{})
	var once sync.Once
	var closed atomic.Int64
	go func() {
		<-hangs
		cancel(cause)
	}()
	release := make(chan struct{})
	_, err := transport.New(config(metered(t, s))).Do(ctx, uploadOf(s.URL, "PUT", false, func() io.ReadCloser {
		return &closer{readerFunc(func([]byte) (int, error) {
			once.Do(func() { close(hangs) })
			<-release
			return 0, io.EOF
		}), func() { closed.Add(1) }}
	}))
	require.ErrorIs(t, err, cause)
	assert.Zero(t, closed.Load(), "not while it is being read")
	close(release)
	require.Eventually(t, func() bool { return closed.Load() == 1 }, 5*time.Second, time.Millisecond)
}

// A service may answer before it has read all of an upload, and the transport then goes
// on reading beside the answer.
func TestReaderThatHangsWhileTheServiceHasAnsweredIsNotReadAgain(t *testing.T) {
	t.Parallel()
	for why, early := range map[string]step{"refused unread": tooMany, "its token was refused": badToken, "an outage": unavailable, "done": good} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			var attempts, opened, closed atomic.Int64
			c := config(tripFunc(func(r *http.Request) (*http.Response, error) {
				attempts.Add(1)
				first := make(chan struct{})
				go func() {
					r.Body.Read(make([]byte, 8)) //nolint:errcheck // What it returns is not what this is about.
					close(first)
					io.Copy(io.Discard, r.Body) //nolint:errcheck // The same.
				}()
				<-first
				synctest.Wait() // The reader hangs.
				return early.response(r), nil
			}))
			start := time.Now()
			_, err := transport.New(c).Do(t.Context(), uploadOf("https://salesiq.example", "PUT", false, func() io.ReadCloser {
				opened.Add(1)
				reads := 0
				return &closer{readerFunc(func([]byte) (int, error) {
					if reads++; reads == 1 {
						return 1, nil
					}
					<-release
					return 0, io.EOF
				}), func() { closed.Add(1) }}
			}))
			if why == "done" {
				require.NoError(t, err)
			} else {
				assert.Equal(t, early.status, failure(t, err).Status, "%s: what the service said", why)
			}
			assert.Equal(t, int64(1), attempts.Load(), "%s: two would read at once", why)
			assert.Equal(t, int64(1), opened.Load(), why)
			synctest.Wait()
			assert.Zero(t, closed.Load(), "%s: not while it is being read", why)
			assert.LessOrEqual(t, time.Since(start), c.StallTimeout, "%s: a reader has as long as a read may take", why)
			close(release)
			synctest.Wait()
			assert.Equal(t, int64(1), closed.Load(), "%s: once the reader returns", why)
		})
	}
}

func TestUploadIsNotHeldInMemory(t *testing.T) { // Not parallel: what others allocate would count.
	const size = 50 << 20
	s := testkit.NewServer(t, testkit.AnswerWithin(size, testkit.OK()))
	var before, after runtime.MemStats
	r := uploadOf(s.URL, "POST", true, func() io.ReadCloser { return io.NopCloser(io.LimitReader(zeros{}, size+1<<20)) })
	r.Upload.Length = size + 1<<20
	runtime.ReadMemStats(&before)
	_, err := transport.New(config(metered(t, s))).Do(t.Context(), r)
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(size/4))
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestLengthIsToldWhereItIsKnown(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.OK())
	for length, want := range map[int64]string{5: "5", -1: "", 0: "0"} {
		r := uploadOf(s.URL, "POST", false, text("hello"[:max(length, 0)]))
		if r.Upload.Length = length; length < 0 {
			r.Upload.Open = text("hello")
		}
		_, err := transport.New(config(metered(t, s))).Do(t.Context(), r)
		require.NoError(t, err)
		all := s.Received()
		last := all[len(all)-1]
		assert.Equal(t, want, last.Header.Get("Content-Length"))
		assert.Equal(t, "text/plain", last.Header.Get("Content-Type"))
	}

}

type tripFunc func(*http.Request) (*http.Response, error)

func (f tripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
