package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

const secret = "of the queue"

func TestAJobIsTheEventThatWasReceived(t *testing.T) {
	t.Parallel()
	event, err := webhook.Parse([]byte(`{"event":"chat.rating","data":{"chat_id":"c1","rating":5}}`))
	require.NoError(t, err)
	refusal := errors.New("not now")
	var got webhook.Event
	w := &worker{handle: func(_ context.Context, event webhook.Event) error { got = event; return refusal }}
	job := &river.Job[eventJob]{JobRow: &rivertype.JobRow{}, Args: eventJob{EventID: event.Info().EventID, Body: event.Info().Body}}
	require.ErrorIs(t, w.Work(t.Context(), job), refusal)
	assert.Equal(t, event, got)

	job.Args.Body = []byte("damaged")
	require.ErrorIs(t, w.Work(t.Context(), job), &river.JobCancelError{})
}

func TestWithoutASecretTheProgramDoesNotStart(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), "postgres://127.0.0.1:1/none", "127.0.0.1:0", salesiq.NewSecret(""))
	require.ErrorContains(t, err, "SALESIQ_WEBHOOK_SECRET is required")
}

func TestAHandlerThatPanicsFailsItsJob(t *testing.T) {
	t.Parallel()
	receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(secret)), webhook.WithSink(new(sink)))
	require.NoError(t, err)
	end := func() { panic("not an event that it knows") }
	require.NoError(t, webhook.OnAny(receiver, func(context.Context, webhook.Event) error { end(); return nil }))
	w := &worker{handle: receiver.Dispatch}
	job := &river.Job[eventJob]{JobRow: &rivertype.JobRow{}, Args: eventJob{Body: []byte(`{"event":"chat.rating","data":{"rating":5}}`)}}
	require.ErrorContains(t, w.Work(t.Context(), job), "panic")
	end = runtime.Goexit
	require.Error(t, w.Work(t.Context(), job), "River tries again")
}

func TestTheTriesOfAnEventTakeTwoDays(t *testing.T) {
	t.Parallel()
	var policy river.DefaultClientRetryPolicy
	var sum time.Duration
	row := &rivertype.JobRow{}
	for range (eventJob{}).InsertOpts().MaxAttempts - 1 {
		sum += time.Until(policy.NextRetry(row))
		row.Errors = append(row.Errors, rivertype.AttemptError{}) // Of the tries before the next one.
	}
	assert.InDelta(t, 49.5, sum.Hours(), 5, "River adds or takes up to a tenth")
}

// It needs a PostgreSQL, too.
func TestAnEventThatFailsForTooLongIsADeadLetterThatCanBeReplayed(t *testing.T) {
	t.Parallel()
	database := os.Getenv("DATABASE_URL")
	if database == "" {
		t.Skip("no DATABASE_URL: not tried against PostgreSQL")
	}
	pool, err := pgxpool.New(t.Context(), database)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	_, err = pool.Exec(t.Context(), "CREATE SCHEMA IF NOT EXISTS dead_letters")
	require.NoError(t, err)
	// A schema of its own, so that no other test works on its jobs.
	config := pool.Config()
	config.ConnConfig.RuntimeParams["search_path"] = "dead_letters"
	own, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(own.Close)
	handled := make(chan int, 1)
	client, err := open(t.Context(), own, func(_ context.Context, event webhook.Event) error {
		handled <- event.Info().Try
		return nil
	})
	require.NoError(t, err)
	event, err := webhook.Parse([]byte(`{"event":"chat.rating","timestamp":"` + time.Now().Format(time.RFC3339Nano) + `","data":{}}`))
	require.NoError(t, err)
	require.NoError(t, (&sink{client: client}).Enqueue(t.Context(), event))
	_, err = own.Exec(t.Context(), "UPDATE river_job SET state = 'discarded', attempt = max_attempts, finalized_at = now() - interval '1 year' WHERE state = 'available'")
	require.NoError(t, err)
	replayed, err := replay(t.Context(), client)
	require.NoError(t, err)
	assert.Equal(t, 1, replayed)
	require.NoError(t, client.Start(t.Context()))
	assert.Equal(t, maxAttempts+1, <-handled)
	require.NoError(t, client.Stop(context.WithoutCancel(t.Context())))
	replayed, err = replay(t.Context(), client)
	require.NoError(t, err)
	assert.Zero(t, replayed)
}

// It needs a PostgreSQL: DATABASE_URL names one that may be written to.
func TestAnEventIsOneJobHoweverOftenItIsDelivered(t *testing.T) {
	t.Parallel()
	database := os.Getenv("DATABASE_URL")
	if database == "" {
		t.Skip("no DATABASE_URL: not tried against PostgreSQL")
	}
	pool, err := pgxpool.New(t.Context(), database)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	var mu sync.Mutex
	handled := map[string]int{}
	client, err := open(t.Context(), pool, func(_ context.Context, event webhook.Event) error {
		mu.Lock()
		defer mu.Unlock()
		handled[event.Info().EventID]++
		return nil
	})
	require.NoError(t, err)
	body := `{"event":"chat.rating","timestamp":"` + time.Now().Format(time.RFC3339Nano) + `","data":{}}`
	for range 3 { // Each receiver is one after a restart.
		receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(secret)), webhook.WithSink(&sink{client: client}))
		require.NoError(t, err)
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(salesiq.NewSecret(secret), []byte(body)))
		answer := httptest.NewRecorder()
		receiver.ServeHTTP(answer, request)
		assert.Equal(t, http.StatusOK, answer.Code)
	}
	require.NoError(t, client.Start(t.Context()))
	count := func() (total int) {
		mu.Lock()
		defer mu.Unlock()
		for _, n := range handled {
			total += n
		}
		return total
	}
	require.Eventually(t, func() bool { return count() > 0 }, 20*time.Second, 10*time.Millisecond)
	require.NoError(t, client.Stop(context.WithoutCancel(t.Context())))
	assert.Equal(t, 1, count())
}
