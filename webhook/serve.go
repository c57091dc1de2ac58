package webhook

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
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
// are answered, and then the contexts of the workers end. A worker is what handles the
// events of a [Sink], and returns when its context ends; a receiver without a sink
// needs none:
//
//	err := webhook.Serve(ctx, &http.Server{Addr: ":8090", Handler: receiver})
//
// A server without a ReadTimeout gets one of ten seconds, and one with a TLSConfig
// serves TLS by that. Its BaseContext is called once it listens, with the address.
// Deliveries that take longer than ten seconds at the end are cut
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
	errs = append(errs, shutDown(ctx, server))
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

// shutDown ends a server once the deliveries under way are answered, or after a while.
func shutDown(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, server.Close())
	}
	return err
}
