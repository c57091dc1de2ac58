// Observability runs a small service that others can watch: it calls SalesIQ, takes
// events into an inbox on disk, and shows what happens as Prometheus metrics and
// OpenTelemetry traces.
//
//	go run ./examples/observability
//	curl http://127.0.0.1:9464/metrics
//
// It starts an emulator that fails at times, and runs until Ctrl-C. Import
// dashboard.json into Grafana, and have Prometheus read alerts.yml. The counts of
// package usage are at /usage. With OTEL_EXPORTER_OTLP_ENDPOINT set, spans go there.
//
// With a Redis, the quota and the events are those of all processes that use it:
//
//	go run ./examples/observability -redis redis://127.0.0.1:6379
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqotel"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/usage"
	"github.com/salesiq-go/salesiq/webhook"
)

type config struct {
	listen string
	redis  string        // URL; empty for an inbox on disk, and a quota of its own.
	pause  time.Duration // Between what happens.
}

func main() {
	var c config
	flag.StringVar(&c.listen, "listen", "127.0.0.1:9464", "`address` to serve metrics on, and to receive webhooks")
	flag.StringVar(&c.redis, "redis", "", "`URL` of a Redis through which processes share quota and events")
	flag.DurationVar(&c.pause, "pause", time.Second, "between what happens in the emulator")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, c); err != nil {
		fmt.Fprintln(os.Stderr, "observability:", err)
		os.Exit(1)
	}
}

// run serves metrics and handles events until ctx ends.
func run(ctx context.Context, out io.Writer, c config) (err error) {
	p, err := newProviders(ctx, os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.shutdown()) }()
	service, err := salesiqtest.NewServer()
	if err != nil {
		return err
	}
	defer service.Close()
	parts, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, parts.close()) }()

	w, err := watch(p, service, parts)
	if err != nil {
		return err
	}
	return w.serve(ctx, out, c, service, p)
}

// watched is a client, a receiver and an inbox that are watched.
type watched struct {
	telemetry *salesiqotel.Telemetry
	monitor   *usage.Monitor
	client    *salesiq.Client
	receiver  *webhook.Receiver
	handle    func(context.Context, handler) error // Hands events over until the context ends.
	secret    salesiq.Secret
}

// watch makes them.
func watch(p *providers, service *salesiqtest.Server, parts *parts) (*watched, error) {
	w := &watched{monitor: usage.NewMonitor(), handle: parts.handle, secret: salesiq.NewSecret("the webhook's secret")}
	var err error
	w.telemetry, err = salesiqotel.New(salesiqotel.WithTracerProvider(p.spans), salesiqotel.WithMeterProvider(p.metrics))
	if err != nil {
		return nil, err
	}
	w.client, err = salesiq.NewClient(
		salesiq.RefreshToken(service.Credentials(), salesiq.NewMemoryTokenStore()),
		append(service.Options(), parts.quota, salesiq.WithTracer(w.telemetry.ClientTracer(), w.monitor.Tracer()))...)
	if err != nil {
		return nil, err
	}
	w.receiver, err = webhook.NewReceiver(webhook.HMAC(w.secret), webhook.WithSink(parts.events), webhook.WithTracer(w.telemetry.WebhookTracer()))
	if err != nil {
		return nil, err
	}
	if err := webhook.OnAny(w.receiver, handle); err != nil {
		return nil, err
	}
	if _, err := w.telemetry.ObserveBacklog(parts.name, parts.backlog); err != nil {
		return nil, err
	}
	if parts.alone != nil {
		if _, err := w.telemetry.ObserveAlone(parts.alone); err != nil {
			return nil, err
		}
	}
	return w, exportUsage(p.metrics, w.monitor)
}

// handle fails for one event of some, and goes on doing so when it is tried again.
func handle(_ context.Context, event webhook.Event) error {
	if ended, ok := event.(*webhook.ChatEnded); ok {
		return fmt.Errorf("nobody knows what to do at the end of %s", ended.ChatID)
	}
	return nil
}

// serve answers, handles and plays until ctx ends.
func (w *watched) serve(ctx context.Context, out io.Writer, c config, service *salesiqtest.Server, p *providers) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", p.page)
	mux.HandleFunc("GET /usage", func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("Content-Type", "application/json")
		json.NewEncoder(answer).Encode(w.monitor.Snapshot()) //nolint:errcheck // Whoever asked is gone.
	})
	// The span of otelhttp is the delivery's, to which that of the handling links.
	mux.Handle("POST /salesiq", otelhttp.NewHandler(w.receiver, "POST /salesiq", otelhttp.WithTracerProvider(p.spans)))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second}
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	var served, handled error
	running.Go(func() { served = server.Serve(listener); stop() })
	running.Go(func() { handled = w.handle(ctx, w.telemetry.Handler(w.receiver.Dispatch)); stop() })
	running.Go(func() { w.play(ctx, service, "http://"+listener.Addr().String(), c.pause) })
	fmt.Fprintf(out, "Metrics are at http://%s/metrics\n", listener.Addr())
	<-ctx.Done()
	closing := server.Close()
	running.Wait()
	return errors.Join(closing, unless(served, http.ErrServerClosed), unless(handled, context.Canceled))
}

// unless returns err, but for the one that is as it should be.
func unless(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}
