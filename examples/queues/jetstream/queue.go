package main

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/salesiq-go/salesiq/webhook"
)

const (
	streamName = "SALESIQ"
	subject    = "salesiq.events"
)

// queue is a stream of events: a webhook.Sink, and what empties it.
type queue struct {
	stream   jetstream.JetStream
	consumer jetstream.Consumer
	pause    time.Duration // Before an event is handled again that failed.
}

func openQueue(ctx context.Context, stream jetstream.JetStream) (*queue, error) {
	_, err := stream.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:       streamName,
		Subjects:   []string{subject},
		Retention:  jetstream.WorkQueuePolicy,
		Duplicates: time.Hour, // The service delivers again for some minutes.
	})
	if err != nil {
		return nil, err
	}
	consumer, err := stream.CreateOrUpdateConsumer(ctx, streamName, jetstream.ConsumerConfig{
		Durable:    "handlers",
		AckPolicy:  jetstream.AckExplicitPolicy,
		AckWait:    time.Minute,
		MaxDeliver: 20,
	})
	return &queue{stream: stream, consumer: consumer, pause: 30 * time.Second}, err
}

// Enqueue implements webhook.Sink. It returns once the stream has the event.
func (q *queue) Enqueue(ctx context.Context, event webhook.Event) error {
	info := event.Info()
	_, err := q.stream.Publish(ctx, subject, info.Body, jetstream.WithMsgID(info.EventID))
	return err
}

// consume handles events until stop, which waits for the one under way. A panic of
// handle would end the program: [webhook.Receiver.Dispatch] makes an error of it.
func (q *queue) consume(ctx context.Context, handle func(context.Context, webhook.Event) error) (stop func(), err error) {
	consuming, err := q.consumer.Consume(func(message jetstream.Msg) {
		event, err := webhook.Parse(message.Data())
		if err != nil {
			message.Term() //nolint:errcheck // It would not become an event later.
			return
		}
		if handle(context.WithoutCancel(ctx), event) != nil {
			message.NakWithDelay(q.pause) //nolint:errcheck // Without an answer, it comes again as well.
			return
		}
		message.Ack() //nolint:errcheck // Without an answer, it comes again: handlers must bear that.
	})
	if err != nil {
		return nil, err
	}
	return func() {
		consuming.Drain()
		<-consuming.Closed()
	}, nil
}
