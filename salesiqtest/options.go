package salesiqtest

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/input"
)

// Option configures a [Server]. NewServer reports the first one that refuses its
// argument.
type Option func(*config) error

type config struct {
	listener      net.Listener
	inMemory      bool
	logger        *slog.Logger
	data          []Data
	noDefaultData bool
	bareLists     bool
	seed          uint64
	clockOffset   time.Duration

	plan         salesiq.Plan
	windowKind   WindowKind
	windowLength time.Duration
	maxInFlight  int

	tokenLifetime  time.Duration
	scopes         []string
	apiDomain      string
	throttleStatus int
	role           salesiq.OperatorRole
	dialect        dialect
	bot            *Bot

	webhookPause     time.Duration
	webhookTransport http.RoundTripper

	hosts        []string
	redirectURIs []string
}

// defaultConfig has no plan, since a user's test should not have to wait for a
// rate limit that it is not about.
func defaultConfig() config {
	return config{
		logger:         slog.New(slog.DiscardHandler),
		seed:           1,
		windowLength:   time.Minute,
		maxInFlight:    10,
		tokenLifetime:  time.Hour,
		scopes:         allScopes,
		throttleStatus: 200,
		role:           salesiq.RoleAdmin,
		dialect:        specified{},
		webhookPause:   time.Minute,
	}
}

// WithListener serves on a listener, which the server closes. If NewServer fails,
// the listener stays open. The default is a free port of 127.0.0.1.
func WithListener(listener net.Listener) Option {
	return func(c *config) error { c.listener = listener; return argument.Given("listener", listener) }
}

// InMemory serves on connections that never leave the process, by way of
// [Server.HTTPClient]. It works inside a testing/synctest bubble, in which the
// rate limit's minute passes at once.
func InMemory() Option { return func(c *config) error { c.inMemory = true; return nil } }

// WithLogger logs each request: method, path, status and duration; never
// credentials or bodies. Nil, the default, logs nothing.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		c.logger = cmp.Or(logger, slog.New(slog.DiscardHandler))
		return nil
	}
}

// WithData loads data beside the default data. An object with the id of another
// one replaces it. All of it must be fit for JSON.
func WithData(data Data) Option {
	return func(c *config) error {
		copied, err := convert[Data](data)
		if err != nil {
			return argument("data", "cannot be written as JSON: "+err.Error())
		}
		c.data = append(c.data, copied)
		return nil
	}
}

// WithoutDefaultData starts with nothing but what [WithData] loads.
func WithoutDefaultData() Option {
	return func(c *config) error { c.noDefaultData = true; return nil }
}

// WithoutListedTranscripts lists chats without their transcripts, as the service may:
// the specification leaves that open. Each transcript then costs a call. The live
// dialect never lists them.
func WithoutListedTranscripts() Option {
	return func(c *config) error { c.bareLists = true; return nil }
}

// WithPlan enforces the rate limit of a plan. By default, there is none.
func WithPlan(plan salesiq.Plan) Option {
	return func(c *config) error {
		c.plan = plan
		return argument.NotNegative("plan", min(plan.CallsPerMinute, plan.CallsPerDay))
	}
}

// WithWindow changes when the windows of the rate limit begin, and how long they
// are. The default is [AlignedWindow] and a minute. The Reset header has whole
// seconds, so that the end of a window below one second is reported too late.
func WithWindow(kind WindowKind, length time.Duration) Option {
	return func(c *config) error {
		c.windowKind, c.windowLength = kind, length
		switch {
		case kind != AlignedWindow && kind != OpenedWindow:
			return argument("window kind", "must be AlignedWindow or OpenedWindow")
		case length < time.Millisecond:
			return argument("window", fmt.Sprintf("must be a millisecond at least, not %s", length))
		}
		return nil
	}
}

// WithMaxInFlight changes how many API calls may be under way at once. The
// default is 10, as specified; 0 is no limit.
func WithMaxInFlight(n int) Option {
	return func(c *config) error { c.maxInFlight = n; return argument.NotNegative("max in flight", n) }
}

// WithSeed chooses the sequence of random decisions about faults that have a
// probability. The default is 1.
func WithSeed(seed uint64) Option { return func(c *config) error { c.seed = seed; return nil } }

// WithClockOffset moves the server's clock: its Date header, the Reset of the rate
// limit, the expiry of tokens and all dates in its data.
func WithClockOffset(offset time.Duration) Option {
	return func(c *config) error { c.clockOffset = offset; return nil }
}

// WithTokenLifetime changes how long an access token lives. The default is an
// hour.
func WithTokenLifetime(d time.Duration) Option {
	return func(c *config) error { c.tokenLifetime = d; return argument.Positive("token lifetime", d) }
}

// WithScopes narrows what the refresh token of [Server.Credentials] permits.
// The default is everything.
func WithScopes(scopes ...string) Option {
	return func(c *config) error {
		c.scopes = slices.Clone(scopes)
		if len(scopes) == 0 || slices.ContainsFunc(scopes, input.IsBlank) {
			return argument("scopes", "needs at least one entry, and none that is empty")
		}
		return nil
	}
}

// WithAPIDomain changes the api_domain of token answers, such as
// https://www.zohoapis.eu. Any text is taken that is not empty. The default is the
// server's own URL.
func WithAPIDomain(domain string) Option {
	return func(c *config) error {
		c.apiDomain = domain
		return argument.Required("API domain", domain)
	}
}

// WithThrottleStatus changes the HTTP status with which the OAuth server
// refuses too many tokens. The default is 200; others have seen 400.
func WithThrottleStatus(status int) Option {
	return func(c *config) error { c.throttleStatus = status; return checkStatus("throttle status", status) }
}

// WithRole changes the role of the operator who has signed in. The default is
// an admin. Others may not change operators, brands, routing rules and
// webhooks, and get PERMISSION_DENIED.
func WithRole(role salesiq.OperatorRole) Option {
	return func(c *config) error {
		c.role = role
		if !slices.Contains(operatorRoles, role) {
			return argument("role", "must be one of "+join(operatorRoles))
		}
		return nil
	}
}

// WithWebhookRetryPause changes how long the server waits before it delivers an
// event again that was not taken. The default is a minute.
func WithWebhookRetryPause(d time.Duration) Option {
	return func(c *config) error { c.webhookPause = d; return argument.Positive("webhook retry pause", d) }
}

// WithWebhookTransport delivers events by way of transport, to any host. Without
// it, only webhooks on this machine are delivered to.
func WithWebhookTransport(transport http.RoundTripper) Option {
	return func(c *config) error {
		c.webhookTransport = transport
		return argument.Given("webhook transport", transport)
	}
}

// newConfig applies options to the defaults.
func newConfig(opts []Option) (config, error) {
	c := defaultConfig()
	for _, option := range opts {
		if option == nil {
			return config{}, argument("option", "must not be nil")
		}
		if err := option(&c); err != nil {
			return config{}, err
		}
	}
	switch {
	case c.inMemory && c.listener != nil:
		return config{}, argument("listener", "cannot be used together with InMemory")
	case c.bot != nil && c.dialect.portal() == "":
		return config{}, argument("bot", "is for a server that is Live")
	case c.bot != nil:
		return c, c.bot.check(c.webhookTransport != nil)
	}
	return c, nil
}

// argument refuses what callers pass in.
var argument = input.Checks(func(field, reason string) error {
	return &salesiq.InputError{Field: field, Reason: reason}
})

// checkStatus accepts what can be the status of a whole answer.
func checkStatus(field string, status int) error { return argument.Between(field, status, 200, 599) }
