package salesiqbolt

import (
	"cmp"
	"fmt"
	"log/slog"
	"reflect"
	"time"
)

// Option configures a [File]. Open reports the first one that refuses its
// argument.
type Option func(*config) error

type config struct {
	logger    *slog.Logger
	sync      SyncPolicy
	wait      time.Duration
	maxSize   int64
	maxEvents int
	maxAge    time.Duration
}

func defaultConfig() config {
	return config{
		logger:    slog.New(slog.DiscardHandler),
		wait:      time.Second,
		maxSize:   1 << 30,
		maxEvents: 100_000,
		maxAge:    30 * 24 * time.Hour,
	}
}

// SyncPolicy is when what was written is on disk for certain. Under each policy,
// nothing is lost when the process ends, however it ends.
type SyncPolicy int

// When what was written is on disk.
const (
	// SyncCommits waits for the disk at each commit, which is one for all events that
	// arrive at the same time. Power loss costs nothing that was answered with
	// success, as far as the disk keeps what it has confirmed.
	SyncCommits SyncPolicy = iota
	// SyncNever leaves it to the operating system. Power loss, or a crash of the
	// system, may cost what was written within the last half a minute, or the whole
	// file, since the system writes in any order. It is for tests, and for events
	// that may be lost.
	SyncNever
)

// WithLogger logs, at level error, events that are dead letters now. At level warn, it
// logs events that are tried again after a failure, and a file that cannot be written;
// at level debug, events that were handled. Bodies are never logged. Nil, the default, logs nothing.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		c.logger = cmp.Or(logger, slog.New(slog.DiscardHandler))
		return nil
	}
}

// WithSync chooses when what was written is on disk. The default is [SyncCommits].
func WithSync(policy SyncPolicy) Option {
	return func(c *config) error {
		c.sync = policy
		if policy != SyncCommits && policy != SyncNever {
			return inputError("sync", "must be SyncCommits or SyncNever")
		}
		return nil
	}
}

// WithOpenWait sets for how long [Open] waits for another program to close the
// file, such as one that is being replaced. The default is a second. Zero does not
// wait.
func WithOpenWait(d time.Duration) Option {
	return func(c *config) error {
		c.wait = d
		if d < 0 {
			return inputError("open wait", fmt.Sprintf("must not be negative, as %s is", d))
		}
		return nil
	}
}

// WithMaxSize bounds what is in the file, in bytes. Events that do not fit are
// refused ([ErrFull]), so that the service delivers them again. What is already in
// the file is worked off, and needs some more room for that. The default is 1 GiB.
func WithMaxSize(bytes int64) Option {
	return func(c *config) error {
		c.maxSize = bytes
		if bytes < 1<<20 {
			return inputError("max size", fmt.Sprintf("must be at least 1 MiB, not %d bytes", bytes))
		}
		return nil
	}
}

// WithMaxEvents sets how many handled events are remembered. The oldest go first, those
// of a commit together. The default is 100,000. An event takes about 25 bytes of the file,
// and 90 of memory.
func WithMaxEvents(n int) Option {
	return func(c *config) error { c.maxEvents = n; return atLeast("max events", n, 1) }
}

// WithMaxAge bounds for how long handled events are remembered. The default is thirty
// days, since the service delivers events again on request for weeks. [WithMaxEvents]
// bounds them as well.
func WithMaxAge(d time.Duration) Option {
	return func(c *config) error { c.maxAge = d; return positive("max age", d) }
}

// InboxOption configures an [Inbox]. File.Inbox reports the first one that refuses
// its argument.
type InboxOption func(*Inbox) error

// WithWorkers sets how many events are handled at once in an [Inbox.Run]. The
// default is 10.
func WithWorkers(n int) InboxOption {
	return func(i *Inbox) error { i.workers = n; return atLeast("workers", n, 1) }
}

// WithHandlerTimeout bounds the handling of one event: its context ends then. The
// default is 30 seconds.
func WithHandlerTimeout(d time.Duration) InboxOption {
	return func(i *Inbox) error { i.timeout = d; return positive("handler timeout", d) }
}

// WithRetryFor sets for how long an event is tried again before it goes to the dead
// letters: the pauses between its tries add up to that. The time that the process is
// not running does not count. The default is two days, which are 585 tries with the
// default of [WithPauses]. Of this option and [WithMaxTries], the last one counts.
func WithRetryFor(d time.Duration) InboxOption {
	return func(i *Inbox) error { i.retryFor = d; return positive("retry for", d) }
}

// WithMaxTries sets how often an event is handled before it goes to the dead
// letters, however long that takes. The default is what [WithRetryFor] says.
func WithMaxTries(n int) InboxOption {
	return func(i *Inbox) error { i.tries, i.retryFor = n, 0; return atLeast("max tries", n, 1) }
}

// WithPauses sets the pause after the first try of an event, and the longest one.
// Each is twice as long as the one before, give or take a quarter. The default is
// one second, and five minutes.
func WithPauses(first, longest time.Duration) InboxOption {
	return func(i *Inbox) error {
		i.firstPause, i.longestPause = first, longest
		if longest < first {
			return inputError("pauses", fmt.Sprintf("the longest, %s, must not be shorter than the first, %s", longest, first))
		}
		return positive("pauses", first)
	}
}

func positive(field string, d time.Duration) error {
	if d <= 0 {
		return inputError(field, fmt.Sprintf("must be positive, not %s", d))
	}
	return nil
}

func atLeast(field string, n, least int) error {
	if n < least {
		return inputError(field, fmt.Sprintf("must be at least %d, not %d", least, n))
	}
	return nil
}

// given refuses a value that is nil, or an interface that holds a nil pointer or
// func.
func given(field string, value any) error {
	v := reflect.ValueOf(value)
	if kind := v.Kind(); kind == reflect.Invalid || (kind == reflect.Pointer || kind == reflect.Func) && v.IsNil() {
		return inputError(field, "must not be nil")
	}
	return nil
}
