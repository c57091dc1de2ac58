package salesiqtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/salesiq-go/salesiq"
)

// The credentials that every server accepts. They are the same everywhere, and
// so protect nothing: a server belongs on loopback.
const (
	clientID     = "1000.EMULATORCLIENT"
	clientSecret = "emulator-client-secret"
	refreshToken = "1000.emulator.refresh-token"

	orgRefreshToken = "1000.emulator.org-refresh-token"
)

// Server is a SalesIQ in memory. It is safe for concurrent use.
type Server struct {
	// URL is where the API, the OAuth server and the CRM calls are served,
	// without a slash at the end.
	URL string

	config   config
	http     *http.Server
	dial     func(ctx context.Context, network, address string) (net.Conn, error) // Nil outside of memory.
	mux      *http.ServeMux
	controls *http.ServeMux
	stop     context.CancelFunc
	served   chan struct{} // Closed when the listener has gone.
	couriers sync.WaitGroup

	mu         sync.Mutex // Guards what follows.
	random     *rand.Rand
	state      *state
	quota      quota
	tokens     tokens
	faults     []*Fault
	stats      Stats
	journal    history[Write]
	inFlight   int
	handlerKey *signingKey // Signs what Subscribe has delivered, in the live dialect.
	bots       []*zobot    // That have been connected; the last has what begins.
	httpClient *http.Client
}

// NewServer returns a server that has started. The caller should call Close. Tests
// have it shorter with [Start].
//
// Errors: a [salesiq.InputError] that names the option with a bad argument; an error
// of package net, if no listener can be opened.
func NewServer(opts ...Option) (*Server, error) {
	c, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	s := &Server{config: c, served: make(chan struct{})}
	listener, err := s.listen()
	if err != nil {
		return nil, fmt.Errorf("salesiqtest: %w", err)
	}
	if c.bot != nil {
		s.bots = []*zobot{s.newBot(*c.bot)}
	}
	s.reset()
	s.serveOn(listener)
	return s, nil
}

// Start is [NewServer] for a test: it fails the test if the server cannot start,
// and closes the server at the end.
func Start(tb testing.TB, opts ...Option) *Server {
	tb.Helper()
	s, err := NewServer(opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

// listen opens the listener that the options ask for, and tells the server's
// address.
func (s *Server) listen() (listener net.Listener, err error) {
	if s.config.inMemory {
		pipe := newPipeListener()
		s.dial, s.URL = pipe.dial, "http://salesiq.localhost"
		return pipe, nil
	}
	if listener = s.config.listener; listener == nil {
		listener, err = new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	}
	if err == nil {
		s.URL = "http://" + listener.Addr().String()
	}
	return listener, err
}

// serveOn accepts connections until Close or Shutdown.
func (s *Server) serveOn(listener net.Listener) {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.mux, s.controls = s.routes(), s.controlRoutes()
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: s.headerTime(),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	go func() {
		defer close(s.served)
		s.http.Serve(listener) //nolint:errcheck // It ends with ErrServerClosed, or with the listener.
	}()
}

// headerTime is how long a new connection may take until its first request. There are
// no strangers in memory. A connection that net/http has opened ahead would otherwise be
// closed after a minute, just when a client in virtual time begins its next window.
func (s *Server) headerTime() time.Duration {
	if s.config.inMemory {
		return 0
	}
	return time.Minute
}

// reset puts everything but the tokens into the state of a new server.
func (s *Server) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.random = rand.New(rand.NewPCG(s.config.seed, s.config.seed)) // Faults must come again the same.
	s.quota = quota{plan: s.config.plan, kind: s.config.windowKind, length: s.config.windowLength, silent: !s.config.dialect.tellsQuota()}
	s.faults, s.journal, s.stats = nil, history[Write]{}, newStats()
	if s.state != nil {
		s.couriers.Go(s.state.courier.end)
	}
	s.state = newState(s.config.dialect.events())
	s.state.bareLists = s.config.bareLists
	s.state.courier = newCourier(s.config)
	s.state.publish = publisher(s.state, s.config.dialect)
	s.state.warn, s.state.serve = s.warnOfBot, s.talkServer(s.state)
	if len(s.bots) > 0 {
		s.state.take(s.bots[len(s.bots)-1])
	}
	if !s.config.noDefaultData {
		s.state.loadSeed(s.now())
	}
	for _, data := range s.config.data {
		s.state.add(clone(data))
	}
	s.state.nameTags()
	s.tokens.prepare(s.config)
}

// Reset puts the server back to its start: data, rate limit, faults,
// statistics, journal and deliveries. Tokens stay valid.
func (s *Server) Reset() { s.reset() }

// Close stops the server at once. Calls and deliveries under way are cut off.
func (s *Server) Close() {
	s.stop()
	s.http.Close() //nolint:errcheck // There is nothing left to do about it.
	<-s.served
	s.courier().end()
	s.couriers.Wait() // Also those of before a Reset.
	for _, bot := range s.connected() {
		bot.close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.httpClient != nil {
		s.httpClient.CloseIdleConnections()
	}
}

// Shutdown stops the server as soon as the calls under way have ended, or ctx
// has.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.Close()
	if err := s.http.Shutdown(ctx); err != nil {
		return fmt.Errorf("salesiqtest: %w", err)
	}
	return nil
}

// now is the time by the server's clock.
func (s *Server) now() time.Time {
	return time.Now().Add(s.config.clockOffset).UTC().Truncate(time.Millisecond)
}

// Credentials returns what signs a client in, with every scope.
func (s *Server) Credentials() salesiq.Credentials {
	return salesiq.Credentials{ClientID: clientID, ClientSecret: salesiq.NewSecret(clientSecret), RefreshToken: salesiq.NewSecret(refreshToken)}
}

// OrgCredentials returns what signs in a client of the whole organization, which the
// visitor's side of the [Live] service needs. Its scopes are those of Credentials.
func (s *Server) OrgCredentials() salesiq.Credentials {
	credentials := s.Credentials()
	credentials.RefreshToken = salesiq.NewSecret(orgRefreshToken)
	return credentials
}

// HTTPClient returns an HTTP client that reaches the server, also one that is
// [InMemory]. It does not sign in and does not follow redirects.
func (s *Server) HTTPClient() *http.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.httpClient == nil {
		s.httpClient = &http.Client{
			Transport:     &http.Transport{DialContext: s.dial, MaxIdleConnsPerHost: 100},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return s.httpClient
}

// Options returns what points a [salesiq.Client] at the server.
func (s *Server) Options() []salesiq.Option {
	opts := []salesiq.Option{salesiq.WithBaseURL(s.URL), salesiq.WithAccountsURL(s.URL)}
	if portal := s.config.dialect.portal(); portal != "" {
		opts = append(opts, salesiq.WithPortal(portal))
	}
	if s.config.inMemory {
		opts = append(opts, salesiq.WithHTTPClient(s.HTTPClient()))
	}
	return opts
}

// Client returns a client of the server that signs in by itself. The options
// come after those that point it at the server.
func (s *Server) Client(tb testing.TB, opts ...salesiq.Option) *salesiq.Client {
	tb.Helper()
	auth := salesiq.RefreshToken(s.Credentials(), salesiq.NewMemoryTokenStore())
	client, err := salesiq.NewClient(auth, append(s.Options(), opts...)...)
	if err != nil {
		tb.Fatalf("salesiqtest: %v", err)
	}
	return client
}

// NewClient returns a client of a new server with the default data, which goes
// away with the test.
func NewClient(tb testing.TB, opts ...salesiq.Option) *salesiq.Client {
	tb.Helper()
	return Start(tb).Client(tb, opts...)
}
