package transport

import (
	"context"
	"errors"
	"io"
	"time"
)

var (
	errTimeout = errors.New("the attempt took too long")
	errStalled = errors.New("the answer stalled")
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

func (w *watchdog) watch(cancel context.CancelCauseFunc, timeout, stall time.Duration) {
	w.started, w.stall = time.Now(), stall
	w.deadline = w.started.Add(timeout)
	w.timer = time.AfterFunc(timeout, func() {
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
