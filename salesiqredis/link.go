package salesiqredis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

//go:embed scripts/probe.lua
var probeScript string

// probe is what is tried to find out whether Redis can be used: all commands of
// the scripts that it is for, on a key.
type probe struct {
	key      string
	commands []string
}

// ErrAway means that Redis did not answer, or not with what was asked for.
var ErrAway = errors.New("salesiqredis: Redis is away")

var errSilent = errors.New("no answer")

// How long Redis is left alone after a failure. It doubles with each further
// one.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 2 * time.Second
)

// link is the way to Redis for one use of it. It bounds the time of each script,
// and is a circuit breaker: after a failure, nothing waits for Redis but a probe
// in the background, until that is answered.
type link struct {
	use     string
	evaler  Evaler
	probes  probe
	timeout time.Duration
	logger  *slog.Logger

	mu      sync.Mutex    // Guards what follows.
	back    chan struct{} // Closed when Redis answers again; nil while it does.
	cause   error         // Why it counts as away; nil while it does not.
	since   time.Time     // When it went away.
	pause   time.Duration // The length of the last one, if no script succeeded since.
	retryAt time.Time
	probing bool
	logged  time.Time // When its going away was logged last.
}

// logInterval is the least time between two lines about the same use.
const logInterval = time.Minute

// script is one of the scripts, with the keys that it is for.
type script struct {
	source   string
	keys     []string
	replicas int // That must have what it writes.
}

// run runs a script. If it fails, and the script was run nevertheless, or may have
// been, undo is called with what it returned, which is nil if that is not known.
// Undo may be nil.
func (l *link) run(ctx context.Context, s script, undo func(reply any), args ...string) (any, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if l.away() != nil {
		return nil, ErrAway
	}
	return l.runWithin(ctx, l.timeout, s, undo, args...)
}

// runWithin is run with another time limit, and even if Redis is believed to be
// away.
func (l *link) runWithin(ctx context.Context, limit time.Duration, s script, undo func(reply any), args ...string) (any, error) {
	reply, err := l.send(ctx, limit, s, undo, args)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx) // Which says nothing about Redis.
	}
	if errors.Is(err, ErrNotReplicated) {
		return nil, err // Redis itself has answered.
	}
	l.note(err)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAway, err)
	}
	return reply, nil
}

// persist runs a script until Redis has answered, or ctx ends.
func (l *link) persist(ctx context.Context, s script, args ...string) error {
	for {
		_, err := l.run(ctx, s, nil, args...)
		if !errors.Is(err, ErrAway) {
			return err
		}
		l.untilBack(ctx)
		if ctx.Err() != nil {
			return err
		}
	}
}

// insist runs a script that must not be left out, even if Redis is believed to be
// away.
func (l *link) insist(s script, args ...string) {
	l.send(context.Background(), l.timeout, s, nil, args) //nolint:errcheck // What is left lying ends by itself.
}

type outcome struct {
	reply any
	err   error
}

// send does not rely on the client to heed the context, since not all do.
func (l *link) send(ctx context.Context, limit time.Duration, s script, undo func(any), args []string) (any, error) {
	arrived, gone := make(chan outcome), make(chan struct{})
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	go func() {
		defer cancel()
		reply, err := l.eval(bounded, limit, s, args)
		err = explain(err)
		select {
		case arrived <- outcome{reply, err}:
		case <-gone:
			o := outcome{reply, err}
			o.undo(undo)
		}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case o := <-arrived:
		if o.err != nil {
			o.undo(undo)
		}
		return o.reply, o.err
	case <-ctx.Done():
		close(gone)
		return nil, context.Cause(ctx)
	case <-timer.C:
		close(gone)
		return nil, fmt.Errorf("%w within %s", errSilent, limit)
	}
}

// eval runs a script, and waits for the replicas that must have what it writes.
func (l *link) eval(ctx context.Context, limit time.Duration, s script, args []string) (any, error) {
	waiter, ok := l.evaler.(ReplicaWaiter)
	if s.replicas == 0 || !ok {
		return l.evaler.Eval(ctx, s.source, s.keys, args)
	}
	reply, have, err := waiter.EvalWait(ctx, s.source, s.keys, args, s.replicas, limit/2)
	if err == nil && have < s.replicas {
		err = fmt.Errorf("%w: it is on %d of %d", ErrNotReplicated, have, s.replicas)
	}
	return reply, err
}

func (o outcome) undo(undo func(any)) {
	switch {
	case undo == nil:
	case o.err != nil:
		undo(nil)
	default:
		undo(o.reply)
	}
}

// away returns nil if Redis is believed to answer, and otherwise a channel that
// is closed when it does again. It sees to it that somebody finds out.
func (l *link) away() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.back != nil && !l.probing && !time.Now().Before(l.retryAt) {
		l.probing = true
		go l.probe()
	}
	return l.back
}

// untilBack waits until Redis answers again, or ctx ends.
func (l *link) untilBack(ctx context.Context) {
	for {
		back := l.away()
		if back == nil {
			return
		}
		select {
		case <-back:
			return
		case <-ctx.Done():
			return
		case <-time.After(firstPause):
		}
	}
}

// note opens the circuit after a failure; it is closed by a probe.
func (l *link) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.pause = 0
		return
	}
	l.cause = err
	if l.back == nil {
		l.back, l.since = make(chan struct{}), time.Now()
		l.complain()
		l.wait()
	}
}

// complain logs that Redis cannot be used, once in a while.
func (l *link) complain() {
	now := time.Now()
	if now.Sub(l.logged) < logInterval {
		return
	}
	l.logged = now
	if setup, ok := errors.AsType[*SetupError](l.cause); ok {
		l.logger.Error("salesiq redis is not set up", slog.String("remedy", setup.Remedy), slog.String("cause", setup.Err.Error()))
		return
	}
	l.logger.Warn("salesiq redis is away", slog.String("cause", l.cause.Error()))
}

func (l *link) wait() {
	l.pause = min(max(firstPause, 2*l.pause), lastPause)
	l.retryAt = time.Now().Add(l.pause)
}

// probe finds out whether Redis answers.
func (l *link) probe() {
	err := l.try(context.Background())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.probing = false
	if err != nil {
		l.cause = err
		l.wait()
		return
	}
	if l.logged.After(l.since) || l.logged.Equal(l.since) {
		l.logger.Warn("salesiq redis answers again")
	}
	close(l.back)
	l.back, l.cause = nil, nil
}

// try tries what the scripts need.
func (l *link) try(ctx context.Context) error {
	_, err := l.send(ctx, l.timeout, script{source: probeScript, keys: []string{l.probes.key}}, nil, l.probes.commands)
	return err
}

// trouble returns why Redis counts as away, and since when. It is nil if it does not.
func (l *link) trouble() (since time.Time, cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.back == nil {
		return time.Time{}, nil
	}
	return l.since, l.cause
}

// SetupError is the failure of a Redis that answers, but refuses what this package
// needs. It lasts until somebody changes the setup.
type SetupError struct {
	Remedy string // What to change.
	Err    error  // What Redis said.
}

// Error implements error.
func (e *SetupError) Error() string { return e.Remedy + ": " + e.Err.Error() }

// Unwrap returns what Redis said.
func (e *SetupError) Unwrap() error { return e.Err }

// remedies are for answers that hold a word.
var remedies = []struct{ word, remedy string }{
	{"NOPERM", remedyACL},
	{"ACL failure", remedyACL},
	{"user executing the script can't", remedyACL},
	{"WRONGPASS", remedyLogin},
	{"NOAUTH", remedyLogin},
	{"invalid password", remedyLogin},
	{"READONLY", "let the client talk to the master: this server is a replica"},
	{"unknown command", remedyVersion},
	{"Unknown Redis command", remedyVersion},
	{"MISCONF", "make room on the server's disk: it cannot save, and takes no writes"},
}

const (
	remedyACL     = "give the user the commands, keys and channels that the package's documentation lists"
	remedyLogin   = "give the client the user's name and password"
	remedyVersion = "use Redis or Valkey 6.2 or later, with all commands"
)

// explain makes a SetupError of what will not end by itself.
func explain(err error) error {
	if err == nil {
		return nil
	}
	for _, r := range remedies {
		if strings.Contains(err.Error(), r.word) {
			return &SetupError{Remedy: r.remedy, Err: err}
		}
	}
	return err
}
