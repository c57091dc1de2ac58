package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqbolt"
	"github.com/salesiq-go/salesiq/salesiqotel"
	"github.com/salesiq-go/salesiq/salesiqredis"
	"github.com/salesiq-go/salesiq/webhook"
)

type handler = func(context.Context, webhook.Event) error

// parts are what is of this process alone, or shared with others.
type parts struct {
	name    string // Of the backlog.
	events  webhook.Sink
	handle  func(context.Context, handler) error
	quota   salesiq.Option
	backlog func(context.Context) (salesiqotel.Backlog, error)
	alone   func(context.Context) (bool, error) // Nil where nothing is shared.
	close   func() error
}

var plan = salesiq.Plan{CallsPerMinute: 150, CallsPerDay: 5000}

func (c *config) open(ctx context.Context) (*parts, error) {
	if c.redis == "" {
		return openFile()
	}
	return openRedis(ctx, c.redis)
}

// openFile returns parts that are of this process.
func openFile() (*parts, error) {
	folder, err := os.MkdirTemp("", "salesiq-observability")
	if err != nil {
		return nil, err
	}
	file, err := salesiqbolt.Open(filepath.Join(folder, "events.db"))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	events, err := file.Inbox(salesiqbolt.WithMaxTries(3), salesiqbolt.WithPauses(50*time.Millisecond, time.Second))
	if err != nil {
		return nil, errors.Join(err, file.Close(), os.RemoveAll(folder))
	}
	return &parts{
		name:   "inbox",
		events: events,
		handle: func(ctx context.Context, h handler) error { return events.Run(ctx, h) },
		quota:  salesiq.WithPlan(plan),
		backlog: func(context.Context) (salesiqotel.Backlog, error) {
			s, err := events.Stats()
			return salesiqotel.Backlog{Events: s.Waiting + s.Running, Oldest: s.Oldest, DeadLetters: s.DeadLetters}, err
		},
		close: func() error { return errors.Join(file.Close(), os.RemoveAll(folder)) },
	}, nil
}

// openRedis returns parts that are shared with other processes.
func openRedis(ctx context.Context, url string) (*parts, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		return nil, err
	}
	client := redis.NewClient(options)
	p, err := share(ctx, client)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return p, nil
}

func share(ctx context.Context, client *redis.Client) (*parts, error) {
	organization, err := salesiqredis.New(client, "observability example", salesiqredis.WithPlan(plan))
	if err != nil {
		return nil, err
	}
	if err := organization.Check(ctx); err != nil {
		return nil, err
	}
	events, err := organization.Sink(salesiqredis.WithMaxTries(3), salesiqredis.WithHandlerTimeout(time.Second))
	if err != nil {
		return nil, err
	}
	return &parts{
		name:   "stream",
		events: events,
		handle: func(ctx context.Context, h handler) error { return events.Run(ctx, h) },
		quota:  salesiq.WithLimiter(organization.Limiter()),
		backlog: func(ctx context.Context) (salesiqotel.Backlog, error) {
			h := organization.Health(ctx)
			if !h.EventsKnown {
				return salesiqotel.Backlog{}, h.Err()
			}
			return salesiqotel.Backlog{Events: h.Backlog, Oldest: h.OldestEvent, DeadLetters: h.DeadLetters}, nil
		},
		alone: func(ctx context.Context) (bool, error) { return !organization.Health(ctx).Shared, nil },
		close: client.Close,
	}, nil
}
