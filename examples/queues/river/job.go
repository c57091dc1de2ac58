package main

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

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

// maxAttempts is how often a job is tried. By River's own policy the pauses are 1 s, 16 s,
// 81 s and so on, the fourth powers, up to 14 hours: two days in all.
const maxAttempts = 16

// InsertOpts makes one job of all deliveries of an event, for as long as River
// keeps jobs that are done: a day, unless configured otherwise.
func (eventJob) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: maxAttempts, UniqueOpts: river.UniqueOpts{ByArgs: true}}
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
	event.Info().Try = job.Attempt
	return w.handle(ctx, event)
}

// replay has all jobs tried once more that have had all their tries. It returns how many
// there were.
func replay(ctx context.Context, client *river.Client[pgx.Tx]) (replayed int, err error) {
	dead := river.NewJobListParams().Kinds(eventJob{}.Kind()).States(rivertype.JobStateDiscarded)
	for {
		page, err := client.JobList(ctx, dead)
		if err != nil || len(page.Jobs) == 0 {
			return replayed, err
		}
		for _, job := range page.Jobs {
			if _, err := client.JobRetry(ctx, job.ID); err != nil {
				return replayed, err
			}
			replayed++
		}
		dead = dead.After(page.LastCursor)
	}
}
