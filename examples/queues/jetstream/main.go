// Jetstream acknowledges events at once and handles them out of NATS JetStream,
// which keeps them while the program is away.
//
//	nats-server -js &
//	SALESIQ_WEBHOOK_SECRET=… go run . -listen 127.0.0.1:8090
//
// An event that is delivered twice gets into the stream once, since its id is
// the message's. A handler that fails gets the event again after a second, and then after
// pauses that double up to five minutes. After two days of that, the event is a dead
// letter, in a stream of its own:
//
//	nats stream view SALESIQ_DEAD   # shows them, with the last error of each
//	go run . -replay                # has them tried again
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// grace is how long events under way may take to be queued.
const grace = 10 * time.Second

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "`address` to listen on")
	server := flag.String("nats", nats.DefaultURL, "`URL` of the NATS server")
	replay := flag.Bool("replay", false, "put the dead letters back into the stream, and end")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	secret := salesiq.NewSecret(os.Getenv("SALESIQ_WEBHOOK_SECRET"))
	work := func() error { return run(ctx, *server, *listen, secret) }
	if *replay {
		work = func() error { return replayAll(ctx, *server) }
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, "jetstream:", err)
		os.Exit(1)
	}
}

func show(_ context.Context, event webhook.Event) error {
	_, err := fmt.Println(event.Info().EventTime.Format(time.DateTime), event.Info().EventName)
	return err
}

// run receives and handles events until ctx ends.
func run(ctx context.Context, natsURL, listen string, secret salesiq.Secret) error {
	if secret.IsZero() {
		return errors.New("SALESIQ_WEBHOOK_SECRET is required: without it, anybody could send events")
	}
	queue, closeQueue, err := dial(ctx, natsURL)
	if err != nil {
		return err
	}
	defer closeQueue()
	receiver, err := webhook.NewReceiver(webhook.HMAC(secret), webhook.WithSink(queue))
	if err != nil {
		return err
	}
	if err := webhook.OnAny(receiver, show); err != nil {
		return err
	}
	stop, err := queue.consume(ctx, receiver.Dispatch)
	if err != nil {
		return err
	}
	defer stop()

	server := &http.Server{Addr: listen, Handler: receiver, ReadTimeout: grace}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
	}
	// First no more events come in, then the one at work ends.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	return errors.Join(err, server.Shutdown(ending))
}

// replayAll has all dead letters tried again, by whichever process handles events.
func replayAll(ctx context.Context, natsURL string) error {
	queue, closeQueue, err := dial(ctx, natsURL)
	if err != nil {
		return err
	}
	defer closeQueue()
	replayed, err := queue.replay(ctx)
	fmt.Println("replayed", replayed, "dead letters")
	return err
}

// dial connects to the NATS server that has the queue.
func dial(ctx context.Context, natsURL string) (q *queue, closeQueue func(), err error) {
	connection, err := nats.Connect(natsURL)
	if err != nil {
		return nil, nil, err
	}
	streams, err := jetstream.New(connection)
	if err == nil {
		q, err = openQueue(ctx, streams, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	}
	if err != nil {
		connection.Close()
		return nil, nil, err
	}
	return q, connection.Close, nil
}
