package salesiqredis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
)

//go:embed scripts/stream_gauges.lua
var gaugesScript string

// Health is how an organization does, as one of its processes sees it. Its numbers
// are gauges.
type Health struct {
	Shared   bool      // The quota is shared. While it is not, the calls of this process go alone.
	Failures []Failure // Uses of Redis that do not work at present.

	QuotaKnown  bool // Redis has told the numbers that follow; they are zero otherwise.
	Processes   int  // That have made calls within two minutes.
	Waiting     int  // Calls that wait for a slot or a window, in all processes.
	InFlight    int  // Calls under way.
	MaxInFlight int  // As many as may be at present.
	WindowSize  int  // Calls in a window; 0 if unknown.
	WindowLeft  int  // Calls that are left in it.
	Day         salesiq.DailyQuota

	EventsKnown     bool      // Redis has told the numbers that follow; they are zero otherwise.
	Backlog         int       // Events that are not handled yet.
	OldestEvent     time.Time // When the oldest of them came; zero if there is none.
	DeadLetters     int
	DeadLetterBytes int64
}

// Failure is a use of Redis that does not work.
type Failure struct {
	Use   string // Limiter, token, events, stream write, stream read or stream acknowledge.
	Since time.Time
	Err   error // A [SetupError] if it takes somebody to change the setup.
}

// Err returns what does not work, or nil.
func (h *Health) Err() error {
	var all []error
	for _, f := range h.Failures {
		all = append(all, fmt.Errorf("salesiqredis: %s: %w", f.Use, f.Err))
	}
	return errors.Join(all...)
}

// Health asks Redis for the state of the organization. It takes two round trips, and
// is for health checks and gauges: every few seconds is often enough.
func (o *Organization) Health(ctx context.Context) *Health {
	h := &Health{}
	h.QuotaKnown = o.limiter.readGauges(ctx, h) == nil
	h.EventsKnown = o.readEventGauges(ctx, h) == nil
	for _, l := range o.links.all() {
		if since, cause := l.trouble(); cause != nil {
			h.Failures = append(h.Failures, Failure{l.use, since, cause})
		}
	}
	_, cause := o.links.limiter.trouble()
	h.Shared = cause == nil
	return h
}

// Check tries all that the package needs of Redis. It is for the start of a program,
// so that a setup that cannot work shows then.
//
// Errors: one for each use that does not work, joined, with a [SetupError] if it
// takes somebody to change the setup.
func (o *Organization) Check(ctx context.Context) error {
	var all []error
	for _, l := range o.links.all() {
		if err := l.try(ctx); err != nil {
			all = append(all, fmt.Errorf("salesiqredis: %s: %w", l.use, err))
		}
	}
	if ear, ok := o.evaler.(Subscriber); ok && len(all) == 0 {
		all = append(all, o.checkSubscriber(ctx, ear))
	}
	return errors.Join(all...)
}

// checkSubscriber finds out whether what is published arrives.
func (o *Organization) checkSubscriber(ctx context.Context, ear Subscriber) error {
	channel := o.key("line") + ":" + o.process
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	failed, heard := make(chan error, 1), make(chan struct{}, 1)
	go func() {
		failed <- ear.Subscribe(ctx, []string{channel}, func(string) {
			select {
			case heard <- struct{}{}:
			default:
			}
		})
	}()
	for {
		if _, err := o.links.limiter.send(ctx, o.timeout, script{source: probeScript, keys: []string{channel}}, nil, []string{"PUBLISH @ x"}); err != nil {
			return fmt.Errorf("salesiqredis: publish: %w", err)
		}
		select {
		case <-heard:
			return nil
		case err := <-failed:
			return fmt.Errorf("salesiqredis: subscribe: %w", explain(err))
		case <-time.After(firstPause):
		}
	}
}

// readGauges reads those of the quota.
func (l *limiter) readGauges(ctx context.Context, h *Health) error {
	args := append([]string{""}, l.args[1:]...)
	reply, err := l.link.run(ctx, l.script, nil, args...)
	if err != nil {
		return err
	}
	o, _, _, err := readReply(reply, time.Now())
	if err != nil {
		return err
	}
	h.Processes, h.Waiting, h.InFlight, h.MaxInFlight = o.processes, o.waiting, o.inFlight, o.open
	h.WindowSize, h.WindowLeft = o.size, o.windowLeft
	if l.plan.CallsPerDay > 0 {
		h.Day = salesiq.DailyQuota{Limit: l.plan.CallsPerDay, Left: o.left, Reset: o.midnight}
	}
	return nil
}

// readEventGauges reads those of the events. What can be written need not be
// readable, and the other way round: reading tells.
func (o *Organization) readEventGauges(ctx context.Context, h *Health) error {
	gauges := script{source: gaugesScript, keys: o.keys("events", "dead-letters", "dead-bytes")}
	reply, err := o.links.read.run(ctx, gauges, nil)
	if err != nil {
		return err
	}
	list, _ := reply.([]any) // The length tells.
	if len(list) != 4 {
		return fmt.Errorf("salesiqredis: an answer of %d parts", len(list))
	}
	backlog, _ := list[0].(int64) // None is 0.
	oldest, _ := list[1].(string) // None is "".
	dead, _ := list[2].(int64)    // None is 0.
	h.DeadLetterBytes, _ = list[3].(int64)
	h.Backlog, h.DeadLetters = int(backlog), int(dead)
	if milli, _, ok := strings.Cut(oldest, "-"); ok {
		if n, err := strconv.ParseInt(milli, 10, 64); err == nil {
			h.OldestEvent = time.UnixMilli(n)
		}
	}
	return nil
}
