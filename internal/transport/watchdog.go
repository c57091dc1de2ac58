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
	errStuck   = timeout("the upload stalled")
)

// watchdog ends an exchange that takes too long as a whole, or between two
// reads of the answer. An exchange that moves a file has more time for each piece of
// it. The timer is set again when it is due, and not by each read.
type watchdog struct {
	io.Reader // The answer's body.

	started  time.Time
	patience *patience
	cancel   context.CancelCauseFunc
	read     atomic.Int64 // When the last read began, after started; 0 before the first.

	mutex   sync.Mutex    // Guards what follows: an upload goes on beside its answer.
	limit   time.Duration // For the whole.
	moved   time.Duration // When the last piece of an upload did, after started; 0 for none.
	timer   *time.Timer
	writing bool // The caller's writer takes a piece of a download.
	stopped bool
}

// patience is how long the parts of an exchange may take.
type patience struct {
	attempt time.Duration // The whole; each piece of an upload, and the answer after it.
	stall   time.Duration // Each read.
}

func (w *watchdog) watch(cancel context.CancelCauseFunc, p *patience) {
	w.started, w.limit, w.patience, w.cancel = time.Now(), p.attempt, p, cancel
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.timer = time.AfterFunc(min(p.attempt, p.stall), w.look)
}

// look is called when the exchange may have taken too long. A read, or a piece of an
// upload, may begin at any time, so that the next look is at most the time of a read
// away.
func (w *watchdog) look() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	now, read := time.Since(w.started), time.Duration(w.read.Load())
	quiet, until := timeout(""), w.limit
	switch {
	case read > 0:
		quiet, until = errStalled, read+w.patience.stall
	case w.moved > 0:
		quiet, until = errStuck, w.moved+w.patience.attempt
	}
	switch {
	case w.stopped:
	case w.writing:
		w.timer.Reset(w.patience.stall)
	case now >= w.limit:
		w.cancel(errTimeout)
	case now >= until:
		w.cancel(quiet)
	case read > 0:
		w.timer.Reset(min(until, w.limit) - now)
	default:
		w.timer.Reset(min(w.patience.stall, min(until, w.limit)-now))
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

// slowest is how many bytes of a file must move in a second, on the average.
const slowest = 8 << 10

// extend lets an exchange go on of whose upload n bytes have moved. The next ones, or
// the answer, have as much time as an attempt.
func (w *watchdog) extend(n int) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.moved = max(1, time.Since(w.started))
	w.limit += time.Duration(n) * time.Second / slowest
}

// pauseFor runs write, which takes n bytes of a download, with the clock stopped.
func (w *watchdog) pauseFor(n int, write func() error) error {
	start := time.Now()
	w.setWriting(true)
	err := write()
	w.setWriting(false)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.limit += time.Since(start) + time.Duration(n)*time.Second/slowest
	w.read.Store(int64(max(1, time.Since(w.started))))
	return err
}

func (w *watchdog) setWriting(writing bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.writing = writing
}
