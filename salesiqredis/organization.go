package salesiqredis

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/salesiq-go/salesiq"
)

// Organization is what the processes of one organization share. It is made once
// in each of them, and used by any number of goroutines.
type Organization struct {
	config

	evaler  Evaler
	prefix  string // Of all keys.
	process string // Tells this process from the others.
	links   links
	limiter *limiter
}

// New shares what belongs to an organization, by any name that all of its
// processes use, through a client of go-redis: one of a single server, of a
// cluster, or of sentinels. The client stays the caller's.
//
// Errors: a [salesiq.InputError] that names the argument, or the option whose
// argument is no good.
func New(client redis.Scripter, organization string, opts ...Option) (*Organization, error) {
	if err := given("client", client); err != nil {
		return nil, err
	}
	return NewWith(newEvaler(client), organization, opts...)
}

// NewWith is [New] for any other client of Redis or Valkey.
func NewWith(evaler Evaler, organization string, opts ...Option) (*Organization, error) {
	if err := given("evaler", evaler); err != nil {
		return nil, err
	}
	if strings.TrimSpace(organization) == "" || strings.ContainsAny(organization, "{}") {
		return nil, inputError("organization", "must not be empty, nor hold braces")
	}
	o := &Organization{
		config:  defaultConfig(),
		evaler:  evaler,
		prefix:  "salesiq:{" + organization + "}:",
		process: rand.Text(),
	}
	for _, option := range opts {
		if option == nil {
			return nil, inputError("option", "must not be nil")
		}
		if err := option(&o.config); err != nil {
			return nil, err
		}
	}
	if _, err := o.limits().limiter(o.maxWait); err != nil { // As it may have to when Redis is away.
		return nil, err
	}
	o.links = o.newLinks()
	o.limiter = o.newLimiter()
	return o, nil
}

// Format shows the organization's name, and nothing of the client.
func (o *Organization) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "salesiqredis(%s)", o.prefix) }

// key returns a key of the organization. The braces in it put all of them into
// one slot of a cluster.
func (o *Organization) key(name string) string { return o.prefix + name }

func (o *Organization) keys(names ...string) []string {
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = o.key(name)
	}
	return keys
}

// links are the ways to Redis, which fail apart: a server that takes no writes may
// still be read.
type links struct {
	limiter, token, events, write, read, acknowledge *link
}

func (l *links) all() []*link {
	return []*link{l.limiter, l.token, l.events, l.write, l.read, l.acknowledge}
}

func (o *Organization) newLinks() links {
	own, stream := o.key("probe"), o.key("events")
	text := []string{"SET @ a PX 1000", "GET @", "DEL @"}
	return links{
		limiter: o.newLink("limiter", probe{own, []string{
			"TIME", "DEL @", "HSET @ a 1", "PEXPIRE @ 1000", "HGETALL @", "HINCRBY @ a 1", "HGET @ a", "HDEL @ a", "DEL @", "ZADD @ NX 1 a", "PEXPIRE @ 1000", "ZCARD @", "ZRANK @ a",
			"ZSCORE @ a", "ZRANGE @ 0 0 WITHSCORES", "ZRANGEBYSCORE @ -inf 1", "ZREMRANGEBYSCORE @ -inf 0", "ZREM @ a",
		}}),
		token:       o.newLink("token", probe{own, text}),
		events:      o.newLink("events", probe{own, append(text, "PEXPIRE @ 1000")}),
		write:       o.newLink("stream write", probe{own, append(text, "XADD @ MAXLEN 1 * a b", "PEXPIRE @ 1000", "DEL @")}),
		read:        o.newLink("stream read", probe{stream, []string{"XAUTOCLAIM @ " + group + " " + o.process + " 86400000 0-0 COUNT 1 JUSTID"}}),
		acknowledge: o.newLink("stream acknowledge", probe{stream, []string{"XACK @ " + group + " 0-1", "XDEL @ 0-1"}}),
	}
}

func (o *Organization) newLink(use string, probes probe) *link {
	return &link{use: use, evaler: o.evaler, probes: probes, timeout: o.timeout, logger: o.logger.With(slog.String("use", use))}
}

// Option configures an [Organization]. All processes should be given the same. New
// reports the first one that refuses its argument.
type Option func(*config) error

type config struct {
	logger        *slog.Logger
	timeout       time.Duration
	plan          salesiq.Plan
	maxInFlight   int
	maxWait       time.Duration
	lease         time.Duration
	processes     int
	limiterAway   AwayPolicy
	tokenAway     AwayPolicy
	tokenLock     time.Duration
	tokenJitter   time.Duration
	claimLifetime time.Duration
	eventMemory   time.Duration
}

func defaultConfig() config {
	return config{
		logger:        slog.New(slog.DiscardHandler),
		timeout:       time.Second,
		maxInFlight:   10,
		maxWait:       2 * time.Minute,
		lease:         45 * time.Second,
		processes:     4,
		tokenLock:     10 * time.Second,
		tokenJitter:   time.Second,
		claimLifetime: 30 * time.Second,
		eventMemory:   24 * time.Hour,
	}
}

// AwayPolicy is what is done while Redis does not answer.
type AwayPolicy int

// What can be done while Redis does not answer.
const (
	// GoAlone does without the other processes, as well as that goes.
	GoAlone AwayPolicy = iota
	// Refuse fails with [ErrAway].
	Refuse
)

func (p AwayPolicy) check(field string) error {
	if p != GoAlone && p != Refuse {
		return inputError(field, "must be GoAlone or Refuse")
	}
	return nil
}

// WithLogger logs when Redis goes away and when it answers again, at level warn,
// and events that could not be handled, at level error. Nil, the default, logs
// nothing.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		c.logger = cmp.Or(logger, slog.New(slog.DiscardHandler))
		return nil
	}
}

// WithTimeout bounds the time that a script may take, whatever the client's own
// limits are. When it has passed, Redis counts as away. The first script on a
// connection takes six round trips, with TLS: give it ten times the time of one. The
// default of a second suits a Redis that is 100 milliseconds away. Calls wait for
// that long before they go on alone, when Redis stalls.
func WithTimeout(d time.Duration) Option {
	return duration("timeout", d, func(c *config) *time.Duration { return &c.timeout })
}

// WithPlan is [salesiq.WithPlan] for the whole organization: it tells what the
// service grants before the first answer does, and bounds the calls of a day.
func WithPlan(plan salesiq.Plan) Option {
	return func(c *config) error {
		c.plan = plan
		return atLeast("plan", min(plan.CallsPerMinute, plan.CallsPerDay), 0)
	}
}

// WithMaxInFlight is [salesiq.WithMaxInFlight] for the whole organization, with the
// same bounds. The default is the specification's 10.
func WithMaxInFlight(n int) Option {
	return func(c *config) error { c.maxInFlight = n; return atLeast("max in flight", n, 1) }
}

// WithMaxWait is [salesiq.WithMaxWait] for calls that have not been sent. The
// default is two minutes.
func WithMaxWait(d time.Duration) Option {
	return duration("max wait", d, func(c *config) *time.Duration { return &c.maxWait })
}

// WithLease sets when a call counts as ended whose process was killed. A process that
// lives renews the leases of its calls three times as often, so that calls may take longer,
// those that wait for a token and downloads too. The default is 45 seconds.
func WithLease(d time.Duration) Option {
	return duration("lease", d, func(c *config) *time.Duration { return &c.lease })
}

// WithProcesses tells how many processes there are, for a time in which Redis
// cannot tell since it has not answered yet. The default is 4. Once it has, the
// processes that used the limiter within the last two minutes count.
func WithProcesses(n int) Option {
	return func(c *config) error { c.processes = n; return atLeast("processes", n, 1) }
}

// WithLimiterAway chooses what becomes of calls while Redis is away. By default,
// they [GoAlone]: each process keeps account by itself of its share of the plan
// and of the calls at once. Some are refused by the service then, and retried by
// the client.
func WithLimiterAway(policy AwayPolicy) Option {
	return func(c *config) error { c.limiterAway = policy; return policy.check("limiter away") }
}

// WithTokenAway chooses what becomes of the token while Redis is away. By
// default, each process goes on with the one that it has, and renews it for
// itself when it must ([GoAlone]). The service gives out ten in ten minutes, so
// that this is not for more than ten processes.
func WithTokenAway(policy AwayPolicy) Option {
	return func(c *config) error { c.tokenAway = policy; return policy.check("token away") }
}

// WithTokenJitter sets for how long, at most, a process waits before it renews
// the token alone, so that not all do so at once. The default is a second.
func WithTokenJitter(d time.Duration) Option {
	return func(c *config) error {
		c.tokenJitter = d
		if d < 0 {
			return inputError("token jitter", fmt.Sprintf("must not be negative, as %s is", d))
		}
		return nil
	}
}

// WithTokenLock sets when a process that renews the token is given up, since it
// was killed. The default is 10 seconds; clients wait for no more than 15.
func WithTokenLock(d time.Duration) Option {
	return duration("token lock", d, func(c *config) *time.Duration { return &c.tokenLock })
}

// WithClaim sets when an event that was being handled is free again, after its process
// was killed. A process that lives renews its claims three times as often, so that handlers
// may take longer, those of a [Sink] too. The default is 30 seconds.
func WithClaim(d time.Duration) Option {
	return duration("claim", d, func(c *config) *time.Duration { return &c.claimLifetime })
}

// WithEventMemory sets for how long handled events are remembered. The default is
// a day. An event takes about 150 bytes.
func WithEventMemory(d time.Duration) Option {
	return duration("event memory", d, func(c *config) *time.Duration { return &c.eventMemory })
}

// duration sets a duration, which Redis has to the millisecond.
func duration(field string, d time.Duration, of func(*config) *time.Duration) Option {
	return func(c *config) error { *of(c) = d; return aMillisecond(field, d) }
}

func aMillisecond(field string, d time.Duration) error {
	if d < time.Millisecond {
		return inputError(field, fmt.Sprintf("must be a millisecond at least, not %s", d))
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

func inputError(field, reason string) error {
	return &salesiq.InputError{Field: field, Reason: reason}
}
