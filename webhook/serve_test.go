package webhook_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// served is a Serve under way.
type served struct {
	address string
	stop    context.CancelFunc
	ended   chan error
}

// startServing serves handler at a free port of this machine.
func startServing(t *testing.T, handler http.HandlerFunc, workers ...func(context.Context) error) *served {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	s := &served{stop: stop, ended: make(chan error, 1)}
	listening := make(chan string, 1)
	server := &http.Server{Addr: "127.0.0.1:0", Handler: handler, BaseContext: func(l net.Listener) context.Context {
		listening <- l.Addr().String()
		return context.WithoutCancel(ctx)
	}}
	go func() { s.ended <- webhook.Serve(ctx, server, workers...) }()
	select {
	case s.address = <-listening:
	case err := <-s.ended:
		require.NoError(t, err)
	}
	return s
}

// post returns 0 if nobody answers.
func (s *served) post(ctx context.Context) (status int) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.address, strings.NewReader("{}"))
	if err != nil {
		return 0
	}
	response, err := (&http.Client{Transport: new(http.Transport)}).Do(request)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// The end comes while a delivery is under way: it is answered, its worker is still
// there to take it, and nobody is let in any more.
func TestServeEndsDeliveriesBeforeWorkers(t *testing.T) {
	t.Parallel()
	var s *served
	begun, queue, worked := make(chan bool), make(chan string), make(chan []string, 1)
	handler := func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		for s.accepts() {
			time.Sleep(time.Millisecond)
		}
		queue <- "the last one"
		w.WriteHeader(http.StatusAccepted)
	}
	worker := func(ctx context.Context) error {
		var events []string
		for {
			select {
			case event := <-queue:
				events = append(events, event)
			case <-ctx.Done():
				worked <- events
				return context.Cause(ctx)
			}
		}
	}
	s = startServing(t, handler, worker)
	answered := make(chan int, 1)
	go func() { answered <- s.post(t.Context()) }()
	<-begun
	s.stop()
	assert.Equal(t, http.StatusAccepted, <-answered)
	require.NoError(t, <-s.ended)
	assert.Equal(t, []string{"the last one"}, <-worked)
}

// accepts reports whether anybody listens.
func (s *served) accepts() bool {
	connection, err := new(net.Dialer).DialContext(context.Background(), "tcp", s.address)
	if err != nil {
		return false
	}
	connection.Close()
	return true
}

func TestServeEndsWithAWorkerThatFails(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{errors.New("the database is away"), nil} {
		fail, other := make(chan bool), false
		s := startServing(t, func(http.ResponseWriter, *http.Request) {},
			func(context.Context) error { <-fail; return cause },
			func(ctx context.Context) error { <-ctx.Done(); other = true; return nil })
		assert.Equal(t, http.StatusOK, s.post(t.Context()))
		close(fail)
		err := <-s.ended
		require.Error(t, err, "a service that handles nothing must not look well")
		require.ErrorIs(t, err, cmp.Or(cause, err))
		assert.True(t, other, "the others end, too")
		assert.Zero(t, s.post(t.Context()))
	}
}

// W24: what a worker returns before its context ends is no end that was asked for, and what
// it returns after that may tell of more.
func TestServeTellsOfWorkersThatEndForAnotherReasonThanTheirContext(t *testing.T) {
	t.Parallel()
	away := errors.New("the database is away")
	for name, test := range map[string]struct {
		early   bool
		returns func(context.Context) error
		want    error // Nil for none.
	}{
		"canceled, early":           {true, func(context.Context) error { return context.Canceled }, context.Canceled},
		"wrapped, early":            {true, func(context.Context) error { return fmt.Errorf("worker: %w", context.Canceled) }, context.Canceled},
		"another server, early":     {true, func(context.Context) error { return http.ErrServerClosed }, http.ErrServerClosed},
		"canceled":                  {false, func(ctx context.Context) error { return ctx.Err() }, nil},
		"wrapped":                   {false, func(ctx context.Context) error { return fmt.Errorf("worker: %w", ctx.Err()) }, nil},
		"two ends":                  {false, func(ctx context.Context) error { return errors.Join(ctx.Err(), http.ErrServerClosed) }, nil},
		"joined with another error": {false, func(ctx context.Context) error { return errors.Join(ctx.Err(), away) }, away},
		"wrapped with another one":  {false, func(ctx context.Context) error { return fmt.Errorf("%w: %w", away, ctx.Err()) }, away},
		"joined, and wrapped": {false, func(ctx context.Context) error {
			return fmt.Errorf("worker: %w", errors.Join(ctx.Err(), away))
		}, away},
	} {
		early := make(chan struct{})
		s := startServing(t, func(http.ResponseWriter, *http.Request) {}, func(ctx context.Context) error {
			select {
			case <-ctx.Done():
			case <-early:
			}
			return test.returns(ctx)
		})
		if test.early {
			close(early)
		} else {
			s.stop()
		}
		err := <-s.ended
		s.stop()
		if test.want == nil {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, test.want, name)
		assert.Equal(t, test.early, strings.Contains(err.Error(), "a worker ended before its context"), name)
	}
}

func TestServeRefusesWhatCannotServe(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	worked := false
	work := func(context.Context) error { worked = true; return nil }
	require.Error(t, webhook.Serve(t.Context(), &http.Server{Addr: taken.Addr().String()}, work))
	assert.False(t, worked)

	var none context.Context
	require.ErrorIs(t, webhook.Serve(none, &http.Server{Addr: "127.0.0.1:0"}), salesiq.ErrInvalidInput)
	require.ErrorIs(t, webhook.Serve(t.Context(), nil), salesiq.ErrInvalidInput)
	require.ErrorIs(t, webhook.Serve(t.Context(), &http.Server{Addr: "127.0.0.1:0"}, nil), salesiq.ErrInvalidInput)
}

func TestServeSpeaksTLSWhereTheServerHasACertificate(t *testing.T) {
	t.Parallel()
	like := httptest.NewTLSServer(nil) // Its certificate is known to its client.
	defer like.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	listening, ended := make(chan string, 1), make(chan error, 1)
	server := &http.Server{
		Addr: "127.0.0.1:0", Handler: http.NotFoundHandler(), TLSConfig: like.TLS.Clone(),
		BaseContext: func(l net.Listener) context.Context {
			listening <- l.Addr().String()
			return context.WithoutCancel(ctx)
		},
	}
	go func() { ended <- webhook.Serve(ctx, server) }()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+<-listening, http.NoBody)
	require.NoError(t, err)
	response, err := like.Client().Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusNotFound, response.StatusCode)
	stop()
	require.NoError(t, <-ended)
}

func TestServeBoundsHowSlowlyABodyMayCome(t *testing.T) {
	t.Parallel()
	for given, want := range map[time.Duration]time.Duration{0: 10 * time.Second, time.Minute: time.Minute} {
		ctx, stop := context.WithCancel(t.Context())
		stop()
		server := &http.Server{Addr: "127.0.0.1:0", ReadTimeout: given}
		assert.NoError(t, webhook.Serve(ctx, server))
		assert.Equal(t, want, server.ReadTimeout)
	}
}

// Over HTTP/2 a delivery whose time is over is answered while its handlers go on. What
// they work with is still there.
func TestServeWaitsForLateHandlersOverHTTP2(t *testing.T) {
	t.Parallel()
	secret := salesiq.NewSecret("of the webhook")
	receiver, err := webhook.NewReceiver(webhook.HMAC(secret), webhook.WithHandlerTimeout(20*time.Millisecond))
	require.NoError(t, err)
	release, done := make(chan struct{}), make(chan struct{})
	require.NoError(t, webhook.OnAny(receiver, func(context.Context, webhook.Event) error {
		<-release
		close(done)
		return nil
	}))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	listening, ended := make(chan string, 1), make(chan error, 1)
	server := &http.Server{Addr: "127.0.0.1:0", Handler: receiver, Protocols: new(http.Protocols), BaseContext: func(l net.Listener) context.Context {
		listening <- l.Addr().String()
		return context.WithoutCancel(ctx)
	}}
	server.Protocols.SetUnencryptedHTTP2(true)
	worked := make(chan error, 1)
	go func() {
		ended <- webhook.Serve(ctx, server, func(ctx context.Context) error {
			<-ctx.Done()
			select {
			case <-done:
				worked <- nil
			default:
				worked <- errors.New("the worker has ended before a handler")
			}
			return ctx.Err()
		})
	}()
	body := `{"event":"chat.rating","data":{"rating":1}}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+<-listening, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(secret, []byte(body)))
	transport := &http.Transport{Protocols: server.Protocols}
	response, err := (&http.Client{Transport: transport}).Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	transport.CloseIdleConnections()
	assert.Equal(t, 2, response.ProtoMajor)
	assert.Equal(t, http.StatusInternalServerError, response.StatusCode)
	stop()
	select {
	case err := <-ended:
		require.Fail(t, "it has ended before the handler", "%v", err)
	case <-time.After(200 * time.Millisecond):
	}
	close(release)
	require.NoError(t, <-ended)
	require.NoError(t, <-worked)
}
