package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/webhook"
)

// pipes is a listener of connections that take no descriptors.
type pipes struct {
	accept chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case connection := <-p.accept:
		return connection, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// memoryOfSenders returns how many bytes it costs that senders announce a mebibyte
// each, send a byte, and wait.
func memoryOfSenders(t *testing.T, senders int, handler func(read func()) http.Handler) int64 {
	t.Helper()
	listener := &pipes{accept: make(chan net.Conn), closed: make(chan struct{})}
	var reading sync.WaitGroup
	reading.Add(senders)
	server := &http.Server{Handler: handler(reading.Done)}
	ended := make(chan error, 1)
	before := memoryInUse()
	go func() { ended <- server.Serve(listener) }()
	connections := make([]net.Conn, 0, senders)
	for range senders {
		near, far := net.Pipe()
		listener.accept <- far
		_, err := io.WriteString(near, "POST / HTTP/1.1\r\nHost: receiver.example\r\nContent-Length: 1048576\r\n\r\n{")
		require.NoError(t, err)
		connections = append(connections, near)
	}
	reading.Wait()
	cost := memoryInUse() - before
	for _, connection := range connections {
		require.NoError(t, connection.Close())
	}
	require.NoError(t, server.Close())
	require.ErrorIs(t, <-ended, http.ErrServerClosed)
	return cost
}

func memoryInUse() int64 {
	var stats runtime.MemStats
	for range 2 {
		runtime.GC()
	}
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc + stats.StackInuse)
}

// secondRead calls a func when a body is read for the second time, for which there
// is nothing yet.
type secondRead struct {
	io.ReadCloser

	reads int
	then  func()
}

func (b *secondRead) Read(p []byte) (int, error) {
	if b.reads++; b.reads == 2 {
		b.then()
	}
	return b.ReadCloser.Read(p)
}

func watchReads(next http.Handler, read func()) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = &secondRead{ReadCloser: r.Body, then: read}
		next.ServeHTTP(w, r)
	})
}

// W19. It is not parallel: others allocate, too.
func TestAThousandSlowSendersCostAtMostTwiceABareHandler(t *testing.T) {
	const senders = 1000
	bareHandler := func(read func()) http.Handler {
		return watchReads(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20)); err != nil {
				w.WriteHeader(http.StatusBadRequest)
			}
		}), read)
	}
	receiverOf := func(read func()) http.Handler {
		receiver, _ := newReceiver()
		return watchReads(receiver, read)
	}
	memoryOfSenders(t, senders, receiverOf) // The runtime keeps some memory for the next ones.
	const rounds = 5
	ours, bare := make([]int64, rounds), make([]int64, rounds)
	for i := range rounds {
		ours[i] = memoryOfSenders(t, senders, receiverOf)
		bare[i] = memoryOfSenders(t, senders, bareHandler)
	}
	slices.Sort(ours)
	slices.Sort(bare)
	ratio := float64(ours[rounds/2]) / float64(bare[rounds/2])
	t.Logf("%d senders: receiver %d KiB, bare handler %d KiB, ratio %.2f", senders, ours[rounds/2]>>10, bare[rounds/2]>>10, ratio)
	assert.LessOrEqual(t, ratio, 2.0)
}

// W19: the buffer is at most twice what has arrived, and a body arrives whole.
func TestTheRoomForABodyGrowsWithWhatArrives(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 511, 512, 1023, 1024, 1025, 4096, 8192, 10000, 1<<20 - 1, 1 << 20} {
		for _, announced := range []int64{int64(size), -1} {
			body := ratedBody("")
			body = append(body, bytes.Repeat([]byte(" "), max(0, size-len(body)))...)
			receiver, log := newReceiver()
			request := newRequest(t, http.MethodPost, body)
			watched := &greedyReader{ReadCloser: request.Body}
			request.Body, request.ContentLength = watched, min(announced, int64(len(body)))
			if announced > 0 {
				request.ContentLength = int64(len(body))
			}
			request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret(hookSecret), body))
			assert.Equal(t, http.StatusOK, serve(receiver, request).Code, size)
			assert.Equal(t, body, log.events[0].Info().Body)
			assert.False(t, watched.greedy, "%d bytes: room for more than twice of what had arrived", size)
		}
	}
}

// greedyReader tells whether it was ever given room for much more than it had
// brought before.
type greedyReader struct {
	io.ReadCloser

	brought int
	greedy  bool
}

func (r *greedyReader) Read(p []byte) (int, error) {
	r.greedy = r.greedy || len(p) > max(r.brought, 1<<10)+1
	n, err := r.ReadCloser.Read(p)
	r.brought += n
	return n, err
}

// newTLSServer serves a handler over HTTP/1 or HTTP/2.
func newTLSServer(t *testing.T, handler http.Handler, http2 bool) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = http2
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// sendTo delivers a body over a real connection and reads the whole answer.
func sendTo(t *testing.T, server *httptest.Server, body []byte) (status int, text string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret(hookSecret), body))
	answer, err := server.Client().Do(request)
	if err != nil {
		return 0, "", err
	}
	assert.Equal(t, server.EnableHTTP2, answer.ProtoMajor == 2)
	read, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(read), errors.Join(err, answer.Body.Close())
}

// W9: the answer is whole while the handler goes on, which ends well later.
func TestALateHandlerIsAnsweredForOverBothVersionsOfHTTP(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP/2 %t", http2), func(t *testing.T) {
			t.Parallel()
			release, results := make(chan struct{}), make(chan webhook.DeliveryResult, 10)
			receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(hookSecret)),
				webhook.WithHandlerTimeout(50*time.Millisecond), webhook.WithTracer(&webhook.Tracer{
					Delivery: func(context.Context, webhook.DeliveryInfo) (context.Context, func(webhook.DeliveryResult)) {
						return nil, func(result webhook.DeliveryResult) { results <- result }
					},
				})))
			calls := 0
			require.NoError(t, webhook.OnAny(receiver, func(context.Context, webhook.Event) error { calls++; <-release; return nil }))
			server := newTLSServer(t, receiver, http2)
			status, text, err := sendTo(t, server, ratedBody("c1"))
			require.NoError(t, err)
			assert.Equal(t, http.StatusInternalServerError, status)
			assert.JSONEq(t, `{"error":"took too long"}`, text)
			assert.Empty(t, results, "the handler goes on")

			close(release)
			assert.Equal(t, http.StatusInternalServerError, (<-results).StatusCode, "as answered")
			status, _, err = sendTo(t, server, ratedBody("c1"))
			require.NoError(t, err)
			assert.Equal(t, http.StatusOK, status)
			assert.True(t, (<-results).Duplicate)
			assert.Equal(t, 1, calls)
		})
	}
}

// W3: whoever has sent too much may not end the deliveries of others.
func TestABodyOverTheLimitLeavesAConnectionOfHTTP2Open(t *testing.T) {
	t.Parallel()
	receiver, _ := newReceiver(webhook.WithMaxBody(1000))
	server := newTLSServer(t, receiver, true)
	var dialed atomic.Int32
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) {
		if !c.Reused {
			dialed.Add(1)
		}
	}})
	for _, length := range []int{1001, 1 << 20, 10, 1001} {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader(strings.Repeat("x", length)))
		require.NoError(t, err)
		answer, err := server.Client().Do(request)
		require.NoError(t, err)
		assert.Equal(t, 2, answer.ProtoMajor)
		assert.Equal(t, length > 1000, answer.StatusCode == http.StatusRequestEntityTooLarge)
		_, err = io.ReadAll(answer.Body)
		require.NoError(t, errors.Join(err, answer.Body.Close()))
	}
	assert.EqualValues(t, 1, dialed.Load())
}

// W9: so is one that ends its goroutine, as a failed requirement of a test does.
func TestGoexitInAHandlerIsAnsweredOverBothVersionsOfHTTP(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		receiver, log := newReceiver()
		log.answer = func() error { runtime.Goexit(); return nil }
		status, text, err := sendTo(t, newTLSServer(t, receiver, http2), ratedBody("c1"))
		require.NoError(t, err)
		assert.Equal(t, http.StatusInternalServerError, status)
		assert.JSONEq(t, `{"error":"not handled"}`, text)
	}
}

// panickingHandler panics on each record, or when it is asked for a level.
type panickingHandler struct {
	slog.Handler

	onEnabled bool
}

func (h panickingHandler) Enabled(context.Context, slog.Level) bool {
	if h.onEnabled {
		panic("a level")
	}
	return true
}

func (panickingHandler) Handle(context.Context, slog.Record) error { panic("a record") }

// W31.
func TestAPanicOfALogOrATracerIsAnsweredOverBothVersionsOfHTTP(t *testing.T) {
	t.Parallel()
	var logged lockedBuffer
	tracer := webhook.WithTracer(&webhook.Tracer{
		Delivery: func(context.Context, webhook.DeliveryInfo) (context.Context, func(webhook.DeliveryResult)) {
			return nil, func(webhook.DeliveryResult) { panic("a secret") }
		},
	})
	for name, opts := range map[string][]webhook.Option{
		"record": {webhook.WithLogger(slog.New(panickingHandler{slog.DiscardHandler, false}))},
		"level":  {webhook.WithLogger(slog.New(panickingHandler{slog.DiscardHandler, true}))},
		"tracer": {tracer, webhook.WithLogger(slog.New(slog.NewTextHandler(&logged, nil)))},
		"both":   {tracer, webhook.WithLogger(slog.New(panickingHandler{slog.DiscardHandler, false}))},
	} {
		for _, http2 := range []bool{false, true} {
			receiver, log := newReceiver(opts...)
			server := newTLSServer(t, receiver, http2)
			for answer, want := range map[error]int{nil: http.StatusOK, errors.New("no"): http.StatusInternalServerError} {
				log.answer = func() error { return answer }
				status, _, err := sendTo(t, server, ratedBody(fmt.Sprint(want)))
				require.NoError(t, err, name)
				assert.Equal(t, want, status, name)
			}
			status, _, err := sendTo(t, server, []byte("{"))
			require.NoError(t, err, name)
			assert.Equal(t, http.StatusBadRequest, status, name)
			server.Close() // It waits for the deliveries.
		}
	}
	assert.Equal(t, 6, strings.Count(logged.String(), `msg="webhook tracer failed" error="panic: string" stack=`))
	assert.NotContains(t, logged.String(), "secret")
}

// W31: the log of an event whose handler does not return is written by nobody's delivery.
func TestAPanicOfALogOutsideOfADeliveryEndsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		logger := slog.New(panickingHandler{slog.DiscardHandler, false})
		receiver, log := newReceiver(webhook.WithLogger(logger))
		log.answer = func() error { time.Sleep(time.Minute); return nil }
		post(t, receiver, ratedBody("c1"))

		pool, err := webhook.NewWorkerPool(1, 10, func(context.Context, webhook.Event) error { return errors.New("no") }, logger)
		require.NoError(t, err)
		require.NoError(t, pool.Enqueue(t.Context(), anEvent(t)))
		require.NoError(t, pool.Shutdown(t.Context()))
	})
}

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// endingStore ends the goroutine in one of its methods.
type endingStore struct {
	webhook.DedupStore

	inBegin bool
}

func (s endingStore) Begin(ctx context.Context, eventID string, claim int64) (webhook.DedupState, error) {
	if s.inBegin {
		runtime.Goexit()
	}
	return s.DedupStore.Begin(ctx, eventID, claim)
}

func (endingStore) Done(context.Context, string, int64) error { runtime.Goexit(); return nil }

// W12: and so is a store that does. An event that was handled counts as that.
func TestGoexitInAStoreIsAnsweredOverBothVersionsOfHTTP(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		for inBegin, want := range map[bool]int{true: http.StatusServiceUnavailable, false: http.StatusOK} {
			store := endingStore{testkit.Must(webhook.NewMemoryDedupStore(10, time.Hour)), inBegin}
			receiver, _ := newReceiver(webhook.WithDedupStore(store))
			status, text, err := sendTo(t, newTLSServer(t, receiver, http2), ratedBody("c1"))
			require.NoError(t, err)
			assert.Equal(t, want, status)
			assert.NotEmpty(t, text)
		}
	}
}

// W6: what the store has forgotten is played again, unless a tolerance refuses it.
func TestACapturedDeliveryIsPlayedAgainOnlyWithoutATolerance(t *testing.T) {
	t.Parallel()
	for tolerance, calls := range map[time.Duration]int{0: 2, 24 * time.Hour: 1} {
		synctest.Test(t, func(t *testing.T) {
			var opts []webhook.Option
			if tolerance > 0 {
				opts = append(opts, webhook.WithTolerance(tolerance))
			}
			receiver, log := newReceiver(opts...)
			captured := []byte(`{"event":"chat.ended","timestamp":"` + time.Now().UTC().Format(time.RFC3339Nano) + `","data":{}}`)
			time.Sleep(time.Second) // It has been on its way.
			assert.Equal(t, http.StatusOK, post(t, receiver, captured).Code)
			for range 48 {
				time.Sleep(time.Hour)
				post(t, receiver, captured)
			}
			assert.Equal(t, calls, log.calls())
		})
	}
}

// W6.
func TestAToleranceThatOutlastsTheStoreIsRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	verifier := webhook.HMAC(salesiq.NewSecret(hookSecret))
	hour := testkit.Must(webhook.NewMemoryDedupStore(10, time.Hour))
	for _, row := range []struct {
		opts []webhook.Option
		good bool
	}{
		{[]webhook.Option{webhook.WithTolerance(24 * time.Hour)}, true},
		{[]webhook.Option{webhook.WithTolerance(24*time.Hour + 1)}, false},
		{[]webhook.Option{webhook.WithTolerance(time.Hour), webhook.WithDedupStore(hour)}, true},
		{[]webhook.Option{webhook.WithTolerance(2 * time.Hour), webhook.WithDedupStore(hour)}, false},
		{[]webhook.Option{webhook.WithTolerance(1000 * time.Hour), webhook.WithDedupStore(silentStore{})}, true}, // It does not say.
		{[]webhook.Option{webhook.WithTolerance(1000 * time.Hour), webhook.WithSink(agedSink(1000 * time.Hour))}, true},
		{[]webhook.Option{webhook.WithTolerance(1001 * time.Hour), webhook.WithSink(agedSink(1000 * time.Hour))}, false},
		{[]webhook.Option{webhook.WithTolerance(1000 * time.Hour), webhook.WithSink(agedSink(1000 * time.Hour)), webhook.WithDedupStore(hour)}, true},
		{[]webhook.Option{webhook.WithTolerance(24 * time.Hour), webhook.WithSink(agedSink(time.Hour))}, true}, // The store remembers.
	} {
		_, err := webhook.NewReceiver(verifier, row.opts...)
		assert.Equal(t, row.good, err == nil, err)
		if !row.good {
			require.ErrorContains(t, err, "tolerance")
		}
	}
}

// agedSink is a sink that remembers events for a time.
type agedSink time.Duration

func (agedSink) Enqueue(context.Context, webhook.Event) error { return nil }

func (s agedSink) MaxAge() time.Duration { return time.Duration(s) }
