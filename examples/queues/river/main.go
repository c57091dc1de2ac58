// River acknowledges events at once and handles them as jobs of River, a queue
// in PostgreSQL.
//
//	DATABASE_URL=postgres://… SALESIQ_WEBHOOK_SECRET=… go run . -listen 127.0.0.1:8090
//
// An event that is delivered twice becomes one job, since its id makes the job
// unique. A handler that fails gets the event again, with growing pauses. After two days
// of that, its job is a dead letter, which River calls discarded. It is kept:
//
//	psql $DATABASE_URL -c "SELECT id, errors[attempt] FROM river_job WHERE state = 'discarded'"
//	DATABASE_URL=postgres://… go run . -replay   # has all of them tried once more
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// grace is how long events and jobs under way may take to end.
const grace = 10 * time.Second

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "`address` to listen on")
	again := flag.Bool("replay", false, "have the dead letters tried once more, and end")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	secret := salesiq.NewSecret(os.Getenv("SALESIQ_WEBHOOK_SECRET"))
	database := os.Getenv("DATABASE_URL")
	work := func() error { return run(ctx, database, *listen, secret) }
	if *again {
		work = func() error { return replayAll(ctx, database) }
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, "river:", err)
		os.Exit(1)
	}
}

func show(_ context.Context, event webhook.Event) error {
	_, err := fmt.Println(event.Info().EventTime.Format(time.DateTime), event.Info().EventName)
	return err
}

// run receives and handles events until ctx ends.
func run(ctx context.Context, database, listen string, secret salesiq.Secret) error {
	if secret.IsZero() {
		return errors.New("SALESIQ_WEBHOOK_SECRET is required: without it, anybody could send events")
	}
	pool, err := pgxpool.New(ctx, database)
	if err != nil {
		return err
	}
	defer pool.Close()
	queue := new(sink)
	receiver, err := webhook.NewReceiver(webhook.HMAC(secret), webhook.WithSink(queue))
	if err != nil {
		return err
	}
	if err := webhook.OnAny(receiver, show); err != nil {
		return err
	}
	client, err := open(ctx, pool, receiver.Dispatch)
	if err != nil {
		return err
	}
	queue.client = client
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	server := &http.Server{Addr: listen, Handler: receiver, ReadTimeout: grace}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
	}
	// First no more events come in, then the jobs under way end.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	return errors.Join(err, server.Shutdown(ending), client.Stop(ending))
}

// replayAll has all dead letters tried once more, by whichever process works on jobs.
func replayAll(ctx context.Context, database string) error {
	pool, err := pgxpool.New(ctx, database)
	if err != nil {
		return err
	}
	defer pool.Close()
	client, err := open(ctx, pool, show) // It is not started, and so handles nothing.
	if err != nil {
		return err
	}
	replayed, err := replay(ctx, client)
	fmt.Println("replayed", replayed, "dead letters")
	return err
}

// open prepares the database and returns a client that works on its jobs.
func open(ctx context.Context, pool *pgxpool.Pool, handle func(context.Context, webhook.Event) error) (*river.Client[pgx.Tx], error) {
	driver := riverpgxv5.New(pool)
	migrator, err := rivermigrate.New(driver, nil)
	if err != nil {
		return nil, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{handle: handle})
	return river.NewClient(driver, &river.Config{
		Queues:  map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 10}},
		Workers: workers,
		// Dead letters are kept until somebody replays or deletes them.
		DiscardedJobRetentionPeriod: -1,
	})
}
