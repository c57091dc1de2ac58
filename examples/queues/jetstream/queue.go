package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/salesiq-go/salesiq/webhook"
)

// Events wait in one stream. Dead letters, which have had all their tries, stay in another
// until somebody replays or deletes them.
const (
	eventStream  = "SALESIQ"
	eventSubject = "salesiq.events"
	deadStream   = "SALESIQ_DEAD"
	deadSubject  = "salesiq.dead"
)

const (
	// handlerTime is how long a handler may take.
	handlerTime = 30 * time.Second
	// ackWait is when an event comes again that nobody has answered for, since its
	// process was killed.
	ackWait = 2 * handlerTime
)

// queue is a stream of events: a webhook.Sink, and what empties it.
type queue struct {
	streams  jetstream.JetStream
	consumer jetstream.Consumer
	dead     jetstream.Stream
	logger   *slog.Logger

	// The pauses between two tries double from the first to the longest one. With the
	// usual ones, the tries of an event take two days.
	firstPause, longestPause time.Duration
	tries                    uint64
}

func openQueue(ctx context.Context, streams jetstream.JetStream, logger *slog.Logger) (*queue, error) {
	q := &queue{streams: streams, logger: logger, firstPause: time.Second, longestPause: 5 * time.Minute, tries: 585}
	_, err := streams.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:       eventStream,
		Subjects:   []string{eventSubject},
		Retention:  jetstream.WorkQueuePolicy,
		Duplicates: time.Hour, // The service delivers again for some minutes.
	})
	if err != nil {
		return nil, err
	}
	q.dead, err = streams.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: deadStream, Subjects: []string{deadSubject}, Duplicates: time.Hour})
	if err != nil {
		return nil, err
	}
	q.consumer, err = streams.CreateOrUpdateConsumer(ctx, eventStream, jetstream.ConsumerConfig{
		Durable:       "handlers",
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       ackWait,
		MaxDeliver:    -1, // An event that JetStream gives up is never handed out again: the queue counts the tries.
		MaxAckPending: -1, // Events that pause count, and must not hold up the others.
	})
	if err != nil {
		return nil, err
	}
	return q, nil
}

// Enqueue implements webhook.Sink. It returns once the stream has the event.
func (q *queue) Enqueue(ctx context.Context, event webhook.Event) error {
	info := event.Info()
	_, err := q.streams.Publish(ctx, eventSubject, info.Body, jetstream.WithMsgID(info.EventID))
	return err
}

// consume handles events, one after the other, until stop. That waits for the one under
// way, though not for a handler that does not return.
func (q *queue) consume(ctx context.Context, handle func(context.Context, webhook.Event) error) (stop func(), err error) {
	consuming, err := q.consumer.Consume(func(message jetstream.Msg) {
		if err := q.work(context.WithoutCancel(ctx), message, handle); err != nil {
			// It comes again, since it was not acknowledged: handlers must bear that.
			q.logger.LogAttrs(ctx, slog.LevelWarn, "event not acknowledged", slog.String("error", err.Error()))
		}
	}, jetstream.PullMaxMessages(1)) // The time to acknowledge an event begins when it is pulled.
	if err != nil {
		return nil, err
	}
	return func() {
		consuming.Drain()
		select {
		case <-consuming.Closed():
		case <-time.After(ackWait):
		}
	}, nil
}

// work has an event handled, and says what becomes of it: it is done, or is tried again
// after a pause, or goes to the dead letters.
func (q *queue) work(ctx context.Context, message jetstream.Msg, handle func(context.Context, webhook.Event) error) error {
	meta, err := message.Metadata()
	if err != nil {
		return err
	}
	if meta.NumDelivered > q.tries { // The last try was cut short, or the dead letters were away.
		return q.bury(ctx, message, meta, errors.New("its last try did not end"))
	}
	event, err := webhook.Parse(message.Data())
	if err != nil {
		return q.bury(ctx, message, meta, err) // It would not become an event later.
	}
	event.Info().Try = int(meta.NumDelivered) //nolint:gosec // It is no more than the tries.
	bounded, cancel := context.WithTimeout(ctx, handlerTime)
	defer cancel()
	// A panic would end the program: Receiver.Dispatch makes an error of it.
	err = handle(bounded, event)
	switch {
	case err == nil:
		return message.Ack()
	case meta.NumDelivered >= q.tries:
		return q.bury(ctx, message, meta, err)
	default:
		return message.NakWithDelay(q.pause(meta.NumDelivered))
	}
}

// pause returns the pause after a try.
func (q *queue) pause(try uint64) time.Duration {
	pause := q.firstPause
	for ; try > 1 && pause < q.longestPause; try-- {
		pause *= 2
	}
	return min(pause, q.longestPause)
}

// bury moves an event to the dead letters, which say why in a header.
func (q *queue) bury(ctx context.Context, message jetstream.Msg, meta *jetstream.MsgMetadata, reason error) error {
	letter := nats.NewMsg(deadSubject)
	letter.Data = message.Data()
	letter.Header.Set("Error", strings.Join(strings.Fields(reason.Error()), " "))
	// The id makes one letter of it, should it be buried again since it could not be acknowledged.
	id := strconv.FormatUint(meta.Sequence.Stream, 10)
	if _, err := q.streams.PublishMsg(ctx, letter, jetstream.WithMsgID(id)); err != nil {
		return errors.Join(err, message.NakWithDelay(q.longestPause))
	}
	q.logger.LogAttrs(ctx, slog.LevelError, "event is a dead letter", slog.Uint64("try", meta.NumDelivered), slog.String("error", reason.Error()))
	return message.Ack()
}

// replay puts the dead letters back into the stream of events, where they have all their
// tries again. It returns how many there were.
func (q *queue) replay(ctx context.Context) (replayed int, err error) {
	for {
		info, err := q.dead.Info(ctx)
		if err != nil || info.State.Msgs == 0 {
			return replayed, err
		}
		oldest := info.State.FirstSeq
		letter, err := q.dead.GetMsg(ctx, oldest)
		if err != nil {
			return replayed, err
		}
		id := fmt.Sprintf("replay/%d", oldest)
		if _, err := q.streams.Publish(ctx, eventSubject, letter.Data, jetstream.WithMsgID(id)); err != nil {
			return replayed, err
		}
		if err := q.dead.DeleteMsg(ctx, oldest); err != nil {
			return replayed, err
		}
		replayed++
	}
}
