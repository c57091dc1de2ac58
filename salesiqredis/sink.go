package salesiqredis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq/webhook"
)

var (
	//go:embed scripts/stream_add.lua
	addScript string
	//go:embed scripts/stream_take.lua
	takeScript string
	//go:embed scripts/stream_end.lua
	endScript string
	//go:embed scripts/stream_join.lua
	joinScript string
	//go:embed scripts/stream_return.lua
	returnScript string
	//go:embed scripts/dead_letters.lua
	deadScript string
	//go:embed scripts/dead_replay.lua
	replayScript string
	//go:embed scripts/dead_purge.lua
	purgeScript string
)

// How often an empty stream is looked into.
const (
	firstIdle = 20 * time.Millisecond
	lastIdle  = 500 * time.Millisecond
)

// group is the name of the consumer group.
const group = "salesiq"

// maxDeadLetters is how many dead letters are kept; the oldest go first.
const maxDeadLetters = "100000"

// ErrNotReplicated means that an event is in Redis, but not yet on as many replicas
// as [WithReplicas] asks for.
var ErrNotReplicated = errors.New("salesiqredis: the event is not on enough replicas")

// ErrHandlerStuck means that [Sink.Run] has ended without handlers that do not return
// although their time is over. Their events are handed out again.
var ErrHandlerStuck = errors.New("salesiqredis: handlers do not return though their time is over")

// Sink is a [webhook.Sink] that keeps events in a stream until they have been
// handled, by whichever process has time; see [Sink.Run].
//
// An event that was handed out and not acknowledged, since its handler failed or
// its process was killed, is handed out again, and to the dead letters once it
// has had all its tries. It is therefore handled at least once, and more than
// once where a process ends between the work and the acknowledgment: a handler
// for which that matters can use [webhook.EventInfo.EventID] as a key of its own.
//
// An event that is delivered again, since the answer to the delivery was late, is
// one event, for as long as [WithEventMemory] says.
//
// No event is dropped to make room: what is in the stream waits for a handler.
// It is as durable as Redis is (appendonly yes), and may be lost where a replica
// takes over that has not got it yet ([WithReplicas]). Writing, reading and
// acknowledging fail apart: a Redis that is full is still emptied.
type Sink struct {
	links   *links
	logger  *slog.Logger
	prefix  string
	stream  string
	dead    string
	bytes   string // The key that counts the bytes of the dead letters.
	process string
	memory  time.Duration

	workers   int
	timeout   time.Duration
	tries     int
	deadBytes int64
	replicas  int
}

// SinkOption configures a [Sink]. Organization.Sink reports the first one that
// refuses its argument.
type SinkOption func(*Sink) error

// WithWorkers sets how many events are handled at once in a [Sink.Run]. The
// default is 10.
func WithWorkers(n int) SinkOption {
	return func(s *Sink) error { s.workers = n; return atLeast("workers", n, 1) }
}

// WithHandlerTimeout bounds the handling of one event: its context ends then. A
// quarter of that time later, the event is handed out again. The default is 30
// seconds.
func WithHandlerTimeout(d time.Duration) SinkOption {
	return func(s *Sink) error { s.timeout = d; return aMillisecond("handler timeout", d) }
}

// WithMaxTries sets how often an event is handed out before it goes to the dead
// letters. Between two tries lies the time of [WithHandlerTimeout] and a quarter of
// it. The default is 5, which are two and a half minutes; 4608 are two days.
func WithMaxTries(n int) SinkOption {
	return func(s *Sink) error { s.tries = n; return atLeast("max tries", n, 1) }
}

// WithDeadLetterBytes bounds the bytes of the dead letters, of which Redis takes some
// more for each; the oldest go first. The default is 64 MB.
func WithDeadLetterBytes(n int64) SinkOption {
	return func(s *Sink) error {
		s.deadBytes = n
		if n < 1 {
			return inputError("dead letter bytes", fmt.Sprintf("must be at least 1, not %d", n))
		}
		return nil
	}
}

// WithReplicas has [Sink.Enqueue] wait until n replicas have an event, for half the
// time of [WithTimeout] at most. It then fails with [ErrNotReplicated], so that the
// service delivers the event again, which does not double it. Without it, events
// that a replica lacks are lost when it takes over. The default is 0.
//
// It needs a client of a server, of sentinels or of a cluster of go-redis, or an
// Evaler that is a [ReplicaWaiter].
func WithReplicas(n int) SinkOption {
	return func(s *Sink) error { s.replicas = n; return atLeast("replicas", n, 0) }
}

// Sink returns the organization's stream of events, for [webhook.WithSink] and
// for those who handle them. While Redis is away, the receiver asks the service
// to deliver events again.
//
// Errors: a [salesiq.InputError] that names the option whose argument is no good.
func (o *Organization) Sink(opts ...SinkOption) (*Sink, error) {
	s := &Sink{
		links:     &o.links,
		logger:    o.logger,
		prefix:    o.prefix,
		stream:    o.key("events"),
		dead:      o.key("dead-letters"),
		bytes:     o.key("dead-bytes"),
		process:   o.process,
		memory:    o.eventMemory,
		workers:   10,
		timeout:   30 * time.Second,
		tries:     5,
		deadBytes: 64 << 20,
	}
	for _, option := range opts {
		if option == nil {
			return nil, inputError("option", "must not be nil")
		}
		if err := option(s); err != nil {
			return nil, err
		}
	}
	if _, ok := o.evaler.(ReplicaWaiter); s.replicas > 0 && !ok {
		return nil, inputError("replicas", "needs a client that can wait for them")
	}
	return s, nil
}

// Enqueue implements [webhook.Sink].
func (s *Sink) Enqueue(ctx context.Context, event webhook.Event) error {
	if err := given("event", event); err != nil {
		return err
	}
	info := event.Info()
	add := script{source: addScript, keys: []string{s.stream, s.prefix + "queued:" + info.EventID}, replicas: s.replicas}
	_, err := s.links.write.run(ctx, add, nil, info.EventID, string(info.Body), info.Trace, milliseconds(s.memory), group)
	return err
}

// Stream returns the key of the stream with the events that are not handled yet. Its
// entries have the fields event (the id) and body, and trace if the event has one
// ([webhook.EventInfo]). They are handed out through the consumer group "salesiq".
func (s *Sink) Stream() string { return s.stream }

// MaxAge returns how long events are known after they were taken, also those that were
// handled; see [webhook.WithTolerance].
func (s *Sink) MaxAge() time.Duration { return s.memory }

// DeadLetters returns the key of the stream with the events that have had all
// their tries. Its entries have the fields of [Sink.Stream], and tries. Up to 100,000
// are kept, and as many bytes as [WithDeadLetterBytes] says; the oldest go first.
func (s *Sink) DeadLetters() string { return s.dead }

// ReplayDeadLetters puts up to n dead letters back into the stream, the oldest
// first, to be handled as if they were new. It returns how many there were.
//
// Errors: a [salesiq.InputError] for a bad n, and [ErrAway].
func (s *Sink) ReplayDeadLetters(ctx context.Context, n int) (replayed int, err error) {
	if err := atLeast("n", n, 1); err != nil {
		return 0, err
	}
	return s.batches(ctx, s.links.write, n, func(most string) (script, []string) {
		return script{source: deadScript + replayScript, keys: []string{s.stream, s.dead, s.bytes}}, []string{most}
	})
}

// PurgeDeadLetters deletes the dead letters that have been there since before a
// time. It returns how many there were.
//
// Errors: a [salesiq.InputError] for a zero time, and [ErrAway].
func (s *Sink) PurgeDeadLetters(ctx context.Context, before time.Time) (purged int, err error) {
	if before.IsZero() {
		return 0, inputError("before", "must not be zero")
	}
	age := strconv.FormatInt(max(0, before.UnixMilli()), 10)
	return s.batches(ctx, s.links.acknowledge, math.MaxInt32, func(most string) (script, []string) {
		return script{source: deadScript + purgeScript, keys: []string{s.dead, s.bytes}}, []string{age, most}
	})
}

// batches runs a script on so many entries at a time that it does not hold Redis up,
// until there are no more.
func (s *Sink) batches(ctx context.Context, l *link, n int, next func(most string) (script, []string)) (done int, err error) {
	const atOnce = 100
	for done < n {
		most := min(n-done, atOnce)
		source, args := next(strconv.Itoa(most))
		reply, err := l.run(ctx, source, nil, args...)
		if err != nil {
			return done, err
		}
		count, _ := reply.(int64) // None is 0.
		done += int(count)
		if int(count) < most {
			break
		}
	}
	return done, nil
}

// Handler handles an event, such as [webhook.Receiver.Dispatch].
type Handler func(ctx context.Context, event webhook.Event) error

// Run lets handle work on events, several at once, until ctx ends. It returns the
// context's error as soon as the handlers under way have returned, whose contexts
// do not end with ctx. It waits for none whose time ([WithHandlerTimeout]) has been over
// for some seconds. While Redis is away, Run waits.
//
// An event whose handler fails, panics or ends its goroutine is tried again when its time is
// over ([WithHandlerTimeout]). After its last try ([WithMaxTries]) it is a dead letter.
// Which try it is, the handler finds in [webhook.EventInfo].Try.
//
// Errors: a [salesiq.InputError] for no handler; [ErrHandlerStuck].
func (s *Sink) Run(ctx context.Context, handle Handler) (err error) {
	if err := given("handler", handle); err != nil {
		return err
	}
	s.links.read.insist(script{source: joinScript, keys: []string{s.stream}}, group, milliseconds(s.silence()))
	var running sync.WaitGroup
	defer func() { err = s.await(&running, err) }()
	free := make(chan struct{}, s.workers)
	for range s.workers {
		free <- struct{}{}
	}
	cursor := "0-0"
	for idle := firstIdle; ; {
		workers, err := drain(ctx, free)
		if err != nil {
			return err
		}
		entries, next, err := s.take(ctx, workers, cursor)
		for _, e := range entries {
			running.Go(func() {
				defer func() { free <- struct{}{} }()
				s.handle(context.WithoutCancel(ctx), e, handle)
			})
		}
		for range workers - len(entries) {
			free <- struct{}{}
		}
		if err == nil {
			cursor = next
		}
		if len(entries) > 0 {
			idle = firstIdle
			continue
		}
		select {
		case <-time.After(idle):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		idle = min(2*idle, lastIdle)
	}
}

// stuckGrace is how long a run waits beyond the time of its handlers, and that of the
// acknowledgments.
const stuckGrace = 5 * time.Second

// await waits until the handlers have returned, or should have, and returns why the run
// has ended.
func (s *Sink) await(running *sync.WaitGroup, err error) error {
	ended := make(chan struct{})
	go func() { running.Wait(); close(ended) }()
	select {
	case <-ended:
		return err
	case <-time.After(s.timeout*5/4 + stuckGrace):
		return ErrHandlerStuck
	}
}

// silence is how long a consumer says nothing that has ended. One that has not is
// made anew when it asks.
func (s *Sink) silence() time.Duration { return max(time.Hour, 2*s.timeout) }

// drain waits for a free worker, and returns how many there are.
func drain(ctx context.Context, free <-chan struct{}) (n int, err error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	select {
	case <-free:
		n++
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	for {
		select {
		case <-free:
			n++
		default:
			return n, nil
		}
	}
}

// entry is an event that was handed out.
type entry struct {
	id    string
	body  string
	trace string
	try   int
}

// eventName returns the name of the event, if it has one, for the log.
func (e entry) eventName() string {
	event, err := webhook.Parse([]byte(e.body))
	if err != nil {
		return ""
	}
	return string(event.Info().EventName)
}

// take gets entries to handle.
func (s *Sink) take(ctx context.Context, n int, cursor string) (entries []entry, next string, err error) {
	reply, err := s.links.read.run(ctx, script{source: deadScript + takeScript, keys: []string{s.stream, s.dead, s.bytes}}, s.putBack,
		group, s.process, s.idle(), strconv.Itoa(s.tries), strconv.Itoa(n), cursor, maxDeadLetters, s.deadLimit())
	if err != nil {
		return nil, "", err
	}
	return readEntries(reply)
}

func (s *Sink) deadLimit() string { return strconv.FormatInt(s.deadBytes, 10) }

// idle is how long an entry lies before it is handed out again, in milliseconds.
func (s *Sink) idle() string { return milliseconds(s.timeout * 5 / 4) }

// putBack gives entries back that came too late, so that they are handed out
// again at once, and have not lost a try.
func (s *Sink) putBack(reply any) {
	entries, _, _ := readEntries(reply) //nolint:errcheck // Then there are none.
	args := []string{group, s.process, s.idle()}
	for _, e := range entries {
		args = append(args, e.id, strconv.Itoa(e.try))
	}
	if len(entries) > 0 {
		s.links.read.insist(script{source: returnScript, keys: []string{s.stream}}, args...)
	}
}

func readEntries(reply any) (entries []entry, next string, err error) {
	list, _ := reply.([]any) // The length tells.
	if len(list) == 0 {
		return nil, "", errors.New("salesiqredis: an empty answer")
	}
	next, _ = list[0].(string) // It is one.
	for _, item := range list[1:] {
		fields, _ := item.([]any) // The length tells.
		if len(fields) != 4 {
			continue
		}
		var e entry
		e.id, _ = fields[0].(string)   // It is one.
		e.body, _ = fields[1].(string) // It is one.
		try, _ := fields[2].(int64)    // It is one.
		e.try = int(try)
		e.trace, _ = fields[3].(string) // It is one.
		entries = append(entries, e)
	}
	return entries, next, nil
}

// handle handles an entry. One that fails is left where it is, for its next try,
// unless this was the last.
func (s *Sink) handle(ctx context.Context, e entry, handle Handler) {
	bounded, cancel := context.WithTimeout(ctx, s.timeout)
	err := callHandler(bounded, e, handle)
	cancel()
	tries := ""
	if err != nil {
		level, message := slog.LevelWarn, "salesiq event failed"
		if e.try >= s.tries {
			level, message = slog.LevelError, "salesiq event is a dead letter"
		}
		s.logger.LogAttrs(ctx, level, message, slog.String("event", e.eventName()), slog.String("entry", e.id),
			slog.Int("try", e.try), slog.Int("of", s.tries), slog.String("error", err.Error()))
		if e.try < s.tries {
			return
		}
		tries = strconv.Itoa(e.try)
	}
	if err := s.end(ctx, e, tries); err != nil {
		s.logger.LogAttrs(ctx, slog.LevelWarn, "salesiq event not acknowledged", slog.String("entry", e.id), slog.String("cause", err.Error()))
	}
}

// end acknowledges an entry. As long as nobody else is handed it, that is worth
// another try.
func (s *Sink) end(ctx context.Context, e entry, tries string) error {
	bounded, cancel := context.WithTimeout(ctx, s.timeout/4)
	defer cancel()
	end := script{source: deadScript + endScript, keys: []string{s.stream, s.dead, s.bytes}}
	return s.links.acknowledge.persist(bounded, end, group, e.id, tries, maxDeadLetters, s.deadLimit())
}

var errGoexit = errors.New("the handler ended its goroutine")

// callHandler calls the handler in a goroutine of its own, which it may end. It makes an
// error of a panic, whose value may hold anything.
func callHandler(ctx context.Context, e entry, handle Handler) error {
	event, err := webhook.Parse([]byte(e.body))
	if err != nil {
		return err
	}
	event.Info().Trace, event.Info().Try = e.trace, e.try
	ended := make(chan error, 1)
	go func() {
		err := errGoexit
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %T\n%s", p, debug.Stack())
			}
			ended <- err
		}()
		err = handle(ctx, event)
	}()
	return <-ended
}
