package main

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/salesiq-go/salesiq/webhook"
)

// eventJob is an event as River keeps it. Its body stays byte by byte, so that
// it has the same id when it is read again.
type eventJob struct {
	EventID string `json:"event_id" river:"unique"`
	Body    []byte `json:"body"`
}

// Kind implements river.JobArgs.
func (eventJob) Kind() string { return "salesiq_event" }

// InsertOpts makes one job of all deliveries of an event, for as long as River
// keeps jobs that are done: a day, unless configured otherwise.
func (eventJob) InsertOpts() river.InsertOpts {
	return river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

// sink is a webhook.Sink that inserts jobs.
type sink struct{ client *river.Client[pgx.Tx] }

// Enqueue implements webhook.Sink. It returns once the job is in the database.
func (s *sink) Enqueue(ctx context.Context, event webhook.Event) error {
	info := event.Info()
	_, err := s.client.Insert(ctx, eventJob{EventID: info.EventID, Body: info.Body}, nil)
	return err
}

// worker handles jobs.
type worker struct {
	river.WorkerDefaults[eventJob]

	handle func(context.Context, webhook.Event) error
}

// Work implements river.Worker. After an error, River tries again.
func (w *worker) Work(ctx context.Context, job *river.Job[eventJob]) error {
	event, err := webhook.Parse(job.Args.Body)
	if err != nil {
		return river.JobCancel(err) // It would not become an event later.
	}
	return w.handle(ctx, event)
}
