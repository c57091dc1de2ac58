package transport

import (
	"context"
	"io"
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
// reads of the answer.
type watchdog struct {
	io.Reader // The answer's body.

	timer    *time.Timer
	started  time.Time
	deadline time.Time
	stall    time.Duration
}

func (w *watchdog) watch(cancel context.CancelCauseFunc, limit, stall time.Duration) {
	w.started, w.stall = time.Now(), stall
	w.deadline = w.started.Add(limit)
	w.timer = time.AfterFunc(limit, func() {
		if time.Now().Before(w.deadline) {
			cancel(errStalled)
		} else {
			cancel(errTimeout)
		}
	})
}

func (w *watchdog) Read(b []byte) (int, error) {
	w.timer.Reset(min(w.stall, time.Until(w.deadline)))
	return w.Reader.Read(b)
}
