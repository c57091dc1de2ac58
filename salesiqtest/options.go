package salesiqtest

import (
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq"
)

// Option configures a [Server].
type Option func(*config)

type config struct {
	listener      net.Listener
	inMemory      bool
	logger        *slog.Logger
	data          []Data
	noDefaultData bool
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
	live           bool

	webhookPause     time.Duration
	webhookTransport http.RoundTripper
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
		webhookPause:   time.Minute,
	}
}

// WithListener serves on a listener of the caller's, which the server closes.
// The default is a free port of 127.0.0.1.
func WithListener(listener net.Listener) Option { return func(c *config) { c.listener = listener } }

// InMemory serves on connections that never leave the process, by way of
// [Server.HTTPClient]. It works inside a testing/synctest bubble, in which the
// rate limit's minute passes at once.
func InMemory() Option { return func(c *config) { c.inMemory = true } }

// WithLogger logs each request: method, path, status and duration; never
// credentials or bodies.
func WithLogger(logger *slog.Logger) Option { return func(c *config) { c.logger = logger } }

// WithData loads data beside the default data. An object with the id of another
// one replaces it. Data that cannot be written as JSON panics.
func WithData(data Data) Option { return func(c *config) { c.data = append(c.data, data) } }

// WithoutDefaultData starts with nothing but what [WithData] loads.
func WithoutDefaultData() Option { return func(c *config) { c.noDefaultData = true } }

// WithPlan enforces the rate limit of a plan. By default, there is none.
func WithPlan(plan salesiq.Plan) Option { return func(c *config) { c.plan = plan } }

// WithWindow changes how the rate limit counts: when its windows begin and how
// long they are. The default is [AlignedWindow] and a minute. The Reset header
// has whole seconds, so that a shorter window than one second reports its end
// too late.
func WithWindow(kind WindowKind, length time.Duration) Option {
	return func(c *config) { c.windowKind, c.windowLength = kind, max(length, time.Millisecond) }
}

// WithMaxInFlight changes how many API calls may be under way at once. The
// default is 10, as specified; 0 is no limit.
func WithMaxInFlight(n int) Option { return func(c *config) { c.maxInFlight = n } }

// WithSeed chooses the sequence of random decisions about faults that have a
// probability. The default is 1.
func WithSeed(seed uint64) Option { return func(c *config) { c.seed = seed } }

// WithClockOffset sets the server's clock wrong: its Date header, the Reset of
// the rate limit, the expiry of tokens and all dates in its data.
func WithClockOffset(offset time.Duration) Option {
	return func(c *config) { c.clockOffset = offset }
}

// WithTokenLifetime changes how long an access token lives. The default is an
// hour.
func WithTokenLifetime(d time.Duration) Option { return func(c *config) { c.tokenLifetime = d } }

// WithScopes narrows what the refresh token of [Server.Credentials] permits.
// The default is everything.
func WithScopes(scopes ...string) Option { return func(c *config) { c.scopes = scopes } }

// WithAPIDomain changes the api_domain of token answers, such as
// https://www.zohoapis.eu. The default is the server's own URL.
func WithAPIDomain(url string) Option { return func(c *config) { c.apiDomain = url } }

// WithThrottleStatus changes the HTTP status with which the OAuth server
// refuses too many tokens. The default is 200; others have seen 400.
func WithThrottleStatus(status int) Option { return func(c *config) { c.throttleStatus = status } }

// WithRole changes the role of the operator who has signed in. The default is
// an admin. Others may not change operators, brands, routing rules and
// webhooks, and get PERMISSION_DENIED.
func WithRole(role salesiq.OperatorRole) Option { return func(c *config) { c.role = role } }

// WithWebhookRetryPause changes how long the server waits before it delivers an
// event again that was not taken. The default is a minute.
func WithWebhookRetryPause(d time.Duration) Option {
	return func(c *config) { c.webhookPause = d }
}

// WithWebhookTransport delivers events by way of transport, to any host. Without
// it, only webhooks on this machine are delivered to.
func WithWebhookTransport(transport http.RoundTripper) Option {
	return func(c *config) { c.webhookTransport = transport }
}
