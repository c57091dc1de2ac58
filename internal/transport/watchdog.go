package transport

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// timeout is a time limit that is over. Like those of net/http, it is a net.Error
// and a [context.DeadlineExceeded].
type timeout string

func (t timeout) Error() string   { return string(t) }
func (t timeout) Timeout() bool   { return true }
func (t timeout) Temporary() bool { return true }

func (t timeout) Is(target error) bool { return target == context.DeadlineExceeded }

const (
	errTimeout = timeout("the attempt took too long")
	errStalled = timeout("the answer stalled")
)

// watchdog ends an exchange that takes too long as a whole, or between two
// reads of the answer. Its timer is set again when it is due, and not by each read.
type watchdog struct {
	io.Reader // The answer's body.

	started time.Time
	limit   time.Duration // For the whole.
	stall   time.Duration // For each read.
	cancel  context.CancelCauseFunc
	read    atomic.Int64 // When the last read began, after started; 0 before the first.

	mutex   sync.Mutex
	timer   *time.Timer
	stopped bool
}

func (w *watchdog) watch(cancel context.CancelCauseFunc, limit, stall time.Duration) {
	w.started, w.limit, w.stall, w.cancel = time.Now(), limit, stall, cancel
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.timer = time.AfterFunc(min(limit, stall), w.look)
}

// look is called when the exchange may have taken too long. A read may begin at any time,
// so that the next look is at most the time of a read away.
func (w *watchdog) look() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	now, read := time.Since(w.started), time.Duration(w.read.Load())
	switch {
	case w.stopped:
	case now >= w.limit:
		w.cancel(errTimeout)
	case read == 0:
		w.timer.Reset(min(w.stall, w.limit-now))
	case now >= read+w.stall:
		w.cancel(errStalled)
	default:
		w.timer.Reset(min(read+w.stall, w.limit) - now)
	}
}

// unwatch has nothing end the exchange any more.
func (w *watchdog) unwatch() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.stopped = true
	w.timer.Stop()
}

func (w *watchdog) Read(b []byte) (int, error) {
	w.read.Store(int64(max(1, time.Since(w.started))))
	return w.Reader.Read(b)
}
