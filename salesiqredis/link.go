package salesiqredis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

//go:embed scripts/probe.lua
var probeScript string

// ErrAway means that Redis did not answer, or not with what was asked for.
var ErrAway = errors.New("salesiqredis: Redis is away")

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
	evaler  Evaler
	probes  script // It writes, where the others do: a replica is no help.
	timeout time.Duration
	logger  *slog.Logger

	mu      sync.Mutex    // Guards what follows.
	back    chan struct{} // Closed when Redis answers again; nil while it does.
	pause   time.Duration // The length of the last one, if no script succeeded since.
	retryAt time.Time
	probing bool
}

// script is one of the scripts, with the keys that it is for.
type script struct {
	source string
	keys   []string
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
	reply, err := l.send(ctx, s, undo, args)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx) // Which says nothing about Redis.
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
	l.send(context.Background(), s, nil, args) //nolint:errcheck // What is left lying ends by itself.
}

type outcome struct {
	reply any
	err   error
}

// send does not rely on the client to heed the context, since not all do.
func (l *link) send(ctx context.Context, s script, undo func(any), args []string) (any, error) {
	arrived, gone := make(chan outcome), make(chan struct{})
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.timeout)
	go func() {
		defer cancel()
		reply, err := l.evaler.Eval(bounded, s.source, s.keys, args)
		select {
		case arrived <- outcome{reply, err}:
		case <-gone:
			o := outcome{reply, err}
			o.undo(undo)
		}
	}()
	timer := time.NewTimer(l.timeout)
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
		return nil, fmt.Errorf("no answer within %s", l.timeout)
	}
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
	if l.back == nil {
		l.back = make(chan struct{})
		l.logger.Warn("salesiq redis is away", slog.String("cause", err.Error()))
		l.wait()
	}
}

func (l *link) wait() {
	l.pause = min(max(firstPause, 2*l.pause), lastPause)
	l.retryAt = time.Now().Add(l.pause)
}

// probe finds out whether Redis answers.
func (l *link) probe() {
	_, err := l.send(context.Background(), l.probes, nil, nil)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.probing = false
	if err != nil {
		l.wait()
		return
	}
	l.logger.Warn("salesiq redis answers again")
	close(l.back)
	l.back = nil
}
