package salesiq

import (
	"context"
	"errors"
	"log/slog"
	"sync"
)

// Sink takes events that have been verified, so that the service is answered
// before they are handled; see [WithSink]. It is used by several goroutines at
// once.
//
// A sink that keeps events where they survive should use [EventInfo.EventID] as
// their key, keep [EventInfo.Body], and read that with [ParseEvent] again.
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
// in it. Events in it are lost with the process, unless Shutdown was called
// first, and an event whose handler fails is not handled again. For more, keep
// events in a database or a queue that lasts.
type WorkerPool struct {
	handle  func(context.Context, Event) error
	logger  *slog.Logger
	context context.Context //nolint:containedctx // It is that of all handlers.
	cancel  context.CancelFunc
	workers sync.WaitGroup

	mu     sync.RWMutex // Guards what follows.
	queue  chan Event
	closed bool
}

// NewWorkerPool starts workers that call handle for each event, of which at most
// so many wait. Errors and panics of handle are logged; a nil logger drops them.
func NewWorkerPool(workers, queue int, handle func(ctx context.Context, event Event) error, logger *slog.Logger) *WorkerPool {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background()) //nolint:gosec // Shutdown calls it.
	p := &WorkerPool{handle: handle, logger: logger, context: ctx, cancel: cancel, queue: make(chan Event, max(queue, 0))}
	for range max(workers, 1) {
		p.workers.Go(p.work)
	}
	return p
}

// Enqueue implements [Sink]. It does not wait.
//
// Errors: [ErrQueueFull], [ErrShutdown].
func (p *WorkerPool) Enqueue(_ context.Context, event Event) error {
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
// If ctx ends first, so do the contexts of the handlers, and Shutdown returns its
// error once they have returned; what was not begun by then is lost, and logged.
func (p *WorkerPool) Shutdown(ctx context.Context) error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.queue)
	}
	p.mu.Unlock()
	inTime := context.AfterFunc(ctx, p.cancel)
	p.workers.Wait()
	if !inTime() {
		return ctx.Err()
	}
	return nil
}

func (p *WorkerPool) work() {
	for event := range p.queue {
		err := p.context.Err()
		if err == nil {
			err = callHandler(p.context, p.handle, event)
		}
		if err != nil {
			logEvent(p.context, p.logger, event, err)
		}
	}
}
