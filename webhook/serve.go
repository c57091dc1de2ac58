package webhook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// slowestBody is how long a delivery may take to arrive. The service gives up
	// earlier.
	slowestBody = 10 * time.Second
	// grace is how long deliveries under way may take at the end. The longest that the
	// service waits for is 5 seconds.
	grace = 10 * time.Second
)

var errWorkerEnded = errors.New("salesiq: a worker ended before its context")

// Serve serves HTTP until ctx ends, such as by signal.NotifyContext, and then returns
// nil once all is done, in this order: no more deliveries are taken, those under way
// are answered, handlers that go on after that have ended, and then the contexts of the
// workers end. A worker is what handles the
// events of a [Sink], and returns when its context ends; a receiver without a sink
// needs none:
//
//	err := webhook.Serve(ctx, &http.Server{Addr: ":8090", Handler: receiver})
//
// A server without a ReadTimeout gets one of ten seconds, and one with a TLSConfig
// serves TLS by that. Its BaseContext is called once it listens, with the address.
// Deliveries and handlers that take longer than ten seconds at the end are cut
// off. Serve also ends, in the same order, when a worker returns before ctx ends.
//
// Errors: a [salesiq.InputError] for a nil argument; that of listening or serving;
// those of the workers, but for the end of their contexts.
func Serve(ctx context.Context, server *http.Server, workers ...func(ctx context.Context) error) error {
	if err := cmp.Or(given("context", ctx), given("server", server)); err != nil {
		return err
	}
	for _, work := range workers {
		if err := given("worker", work); err != nil {
			return err
		}
	}
	server.ReadTimeout = cmp.Or(server.ReadTimeout, slowestBody)
	late := countLate(server)
	listen, serve := ":http", server.Serve
	if server.TLSConfig != nil {
		listen, serve = ":https", func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cmp.Or(server.Addr, listen))
	if err != nil {
		return err
	}

	ended := make(chan error, 1+len(workers))
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	go func() { ended <- serve(listener) }()
	for _, work := range workers {
		go func() { ended <- work(working) }()
	}
	var errs []error
	open := cap(ended)
	select {
	case <-ctx.Done():
	case err := <-ended:
		errs = append(errs, cmp.Or(err, errWorkerEnded))
		open--
	}
	errs = append(errs, shutDown(ctx, server, late))
	stop()
	for range open {
		errs = append(errs, <-ended)
	}
	for i, err := range errs {
		if errors.Is(err, http.ErrServerClosed) || errors.Is(err, context.Canceled) {
			errs[i] = nil
		}
	}
	return errors.Join(errs...)
}

// shutDown ends a server once the deliveries under way are answered and their handlers
// have ended, or after a while.
func shutDown(ctx context.Context, server *http.Server, late *lateHandlers) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := server.Shutdown(ctx)
	if err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case <-late.none():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("salesiq: handlers go on after the end: %w", ctx.Err())
	}
}

// lateHandlers counts handlers that may go on after their delivery was answered, as over
// HTTP/2, where the server does not wait for them.
type lateHandlers struct {
	mu   sync.Mutex
	open int
	idle chan struct{} // Closed when there are none any more; nil if nobody waits.
}

// lateKey is where the context of a delivery has its *lateHandlers.
type lateKey struct{}

// countLate has the deliveries of a server counted.
func countLate(server *http.Server) *lateHandlers {
	late, base := new(lateHandlers), server.BaseContext
	server.BaseContext = func(l net.Listener) context.Context {
		ctx := context.Background()
		if base != nil {
			ctx = base(l)
		}
		return context.WithValue(ctx, lateKey{}, late)
	}
	return late
}

// lateHandlersOf returns what counts the handlers of a delivery, or nil.
func lateHandlersOf(ctx context.Context) *lateHandlers {
	late, _ := ctx.Value(lateKey{}).(*lateHandlers)
	return late
}

// begin counts a handler.
func (l *lateHandlers) begin() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open++
}

// end counts it no more.
func (l *lateHandlers) end() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open--; l.open == 0 && l.idle != nil {
		close(l.idle)
		l.idle = nil
	}
}

// none returns a channel that is closed once no handler goes on.
func (l *lateHandlers) none() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	idle := make(chan struct{})
	if l.open == 0 {
		close(idle)
	} else {
		l.idle = idle
	}
	return idle
}
