package webhook

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Sink takes events that have been verified, so that the service is answered
// before they are handled; see [WithSink]. Several goroutines use it at once.
//
// A sink that stores events should use [EventInfo.EventID] as their key, store
// [EventInfo.Body], and read that with [Parse]. One that takes no event twice, as long
// as it remembers it, can have a method MaxAge, as a [DedupStore] can. Package webhooktest has the tests
// that a sink must pass.
type Sink interface {
	// Enqueue returns nil once the event will not be lost. After an error, the
	// service delivers it again.
	Enqueue(ctx context.Context, event Event) error
}

// The errors of a [WorkerPool].
var (
	// ErrQueueFull means that the workers do not keep up.
	ErrQueueFull = errors.New("salesiq: the queue of events is full")
	// ErrShutdown means that no more events are taken.
	ErrShutdown = errors.New("salesiq: shutting down")
)

// WorkerPool is a [Sink] in memory: a queue, and goroutines that handle what is
// in it. Events in the queue are lost with the process, unless Shutdown is called
// first. An event whose handler fails is not handled again. Where that is not
// enough, use a sink that keeps events in a database or a lasting queue.
type WorkerPool struct {
	handle  func(context.Context, Event) error
	logger  *slog.Logger
	context context.Context // It is that of all handlers.
	cancel  context.CancelFunc
	workers sync.WaitGroup

	mu     sync.RWMutex // Guards what follows.
	queue  chan Event
	closed bool
}

var errNotAPool = inputError("worker pool", "must be made by NewWorkerPool")

// NewWorkerPool starts workers that call handle for each event. The queue is how
// many events may wait for a worker. Errors and panics of handle are logged; a nil
// logger drops them.
//
// Errors: an [salesiq.InputError] for less than one worker, a negative queue, or
// no handler.
func NewWorkerPool(workers, queue int, handle func(ctx context.Context, event Event) error, logger *slog.Logger) (*WorkerPool, error) {
	switch {
	case workers < 1:
		return nil, inputError("workers", "must be positive")
	case queue < 0:
		return nil, inputError("queue", "must not be negative")
	case handle == nil:
		return nil, inputError("handler", "must not be nil")
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &WorkerPool{handle: handle, logger: guardLogger(logger), context: ctx, cancel: cancel, queue: make(chan Event, queue)}
	for range workers {
		p.workers.Go(p.empty)
	}
	return p, nil
}

// Enqueue implements [Sink]. It does not wait.
//
// Errors: [ErrQueueFull], [ErrShutdown]; an [salesiq.InputError] for no event.
func (p *WorkerPool) Enqueue(_ context.Context, event Event) error {
	if err := given("event", event); err != nil {
		return err
	}
	if p == nil || p.handle == nil {
		return errNotAPool
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return ErrShutdown
	}
	select {
	case p.queue <- event:
		return nil
	default:
		return ErrQueueFull
	}
}

// Shutdown takes no more events and waits until those in the queue are handled.
//
// If ctx ends first, the contexts of the handlers end, too. Events that no handler
// has begun are lost, and logged. Shutdown then returns the error of ctx, once the
// handlers have returned, or after a second.
func (p *WorkerPool) Shutdown(ctx context.Context) error {
	switch {
	case p == nil || p.handle == nil:
		return errNotAPool
	case ctx == nil:
		return inputError("context", "must not be nil")
	}
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.queue)
	}
	p.mu.Unlock()
	defer p.cancel()
	idle := make(chan struct{})
	go func() { p.workers.Wait(); close(idle) }()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
	}
	p.cancel()
	p.empty() // The workers may be stuck.
	select {
	case <-idle:
	case <-time.After(time.Second):
	}
	return ctx.Err()
}

// empty handles events until the queue is empty and closed.
func (p *WorkerPool) empty() {
	for event := range p.queue {
		err := p.context.Err()
		if err == nil {
			err = callHandler(p.context, p.handle, event)
		}
		if err != nil {
			logEvent(p.context, p.logger, event, failed, err)
		}
	}
}
