package webhook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
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
// workers end. A worker is what handles the events of a [Sink], and returns when its
// context ends; a receiver without a sink needs none:
//
//	err := webhook.Serve(ctx, &http.Server{Addr: ":8090", Handler: receiver})
//
// A server without a ReadTimeout gets one of ten seconds, and one with a TLSConfig
// serves TLS by that. Its BaseContext is called once it listens, with the address.
// Deliveries and handlers that take longer than ten seconds at the end are cut
// off. Serve also ends, in the same order, when a worker returns before ctx ends.
//
// Errors: a [salesiq.InputError] for a nil argument; that of listening or serving;
// those of the workers, but for the end of their contexts. That a worker has returned before
// ctx ended is an error, whatever it returned.
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
		go func() { ended <- runWorker(ctx, working, work) }()
	}
	var errs []error
	open := cap(ended)
	select {
	case <-ctx.Done():
	case err := <-ended:
		errs = append(errs, err)
		open--
	}
	errs = append(errs, shutDown(ctx, server, late))
	stop()
	for range open {
		errs = append(errs, <-ended)
	}
	for i, err := range errs {
		if isEnd(err) {
			errs[i] = nil
		}
	}
	return errors.Join(errs...)
}

// runWorker returns the error of a worker, and one for a worker that has ended though neither
// its context had, nor that of Serve.
func runWorker(ctx, working context.Context, work func(context.Context) error) error {
	err := work(working)
	switch early := ctx.Err() == nil && working.Err() == nil; {
	case early && err == nil:
		return errWorkerEnded
	case early && isEnd(err):
		return fmt.Errorf("%w: %w", errWorkerEnded, err)
	}
	return err
}

// isEnd reports whether an error is the end of a context or of a server, and no other error
// is joined with it.
func isEnd(err error) bool {
	if !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, context.Canceled) {
		return false
	}
	for ; err != nil; err = errors.Unwrap(err) {
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			return !slices.ContainsFunc(joined.Unwrap(), func(e error) bool { return !isEnd(e) })
		}
	}
	return true
}

// shutDown ends a server once the deliveries under way are answered and their handlers
// have ended, or after a while.
func shutDown(ctx context.Context, server *http.Server, late *sync.WaitGroup) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := server.Shutdown(ctx)
	if err != nil {
		return errors.Join(err, server.Close())
	}
	ended := make(chan struct{})
	go func() { late.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("salesiq: handlers go on after the end: %w", ctx.Err())
	}
}

// lateKey is where the context of a delivery has the *sync.WaitGroup of its server.
type lateKey struct{}

// countLate counts the handlers of a server's deliveries. They may go on after their
// delivery was answered; over HTTP/2, the server does not wait for them.
func countLate(server *http.Server) *sync.WaitGroup {
	late, base := new(sync.WaitGroup), server.BaseContext
	server.BaseContext = func(l net.Listener) context.Context {
		ctx := context.Background()
		if base != nil {
			ctx = base(l)
		}
		return context.WithValue(ctx, lateKey{}, late)
	}
	return late
}
