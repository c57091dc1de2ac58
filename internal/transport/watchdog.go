package transport

import (
	"context"
	"io"
	"sync"
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
// it.
type watchdog struct {
	io.Reader // The answer's body.

	timer   *time.Timer
	started time.Time
	limit   time.Duration
	stall   time.Duration

	mu       sync.Mutex // Guards what follows: an upload goes on beside its answer.
	deadline time.Time
	silence  timeout // What to call a silence.
}

func (w *watchdog) watch(cancel context.CancelCauseFunc, limit, stall time.Duration) {
	w.started, w.limit, w.stall = time.Now(), limit, stall
	w.deadline, w.silence = w.started.Add(limit), errStalled
	w.timer = time.AfterFunc(limit, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if time.Now().Before(w.deadline) {
			cancel(w.silence)
		} else {
			cancel(errTimeout)
		}
	})
}

func (w *watchdog) Read(b []byte) (int, error) {
	w.mu.Lock()
	w.silence = errStalled
	w.timer.Reset(min(w.stall, time.Until(w.deadline)))
	w.mu.Unlock()
	return w.Reader.Read(b)
}

// slowest is how many bytes of a file must move in a second, on the average.
const slowest = 8 << 10

// extend lets an exchange go on of whose upload n bytes have moved. The next ones, or
// the answer, have as much time as an attempt.
func (w *watchdog) extend(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silence = errStuck
	w.postpone(time.Duration(n) * time.Second / slowest)
	w.timer.Reset(min(w.limit, time.Until(w.deadline)))
}

// postpone moves the end of the whole.
func (w *watchdog) postpone(d time.Duration) { w.deadline = w.deadline.Add(d) }

// pauseFor runs write, which takes n bytes of a download, with the clock stopped.
func (w *watchdog) pauseFor(n int, write func() error) error {
	start := time.Now()
	w.timer.Stop()
	err := write()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.postpone(time.Since(start) + time.Duration(n)*time.Second/slowest)
	return err
}
