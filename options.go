package salesiq

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/time/rate"

	"github.com/salesiq-go/salesiq/internal/input"
	"github.com/salesiq-go/salesiq/internal/transport"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// Option configures a [Client]. NewClient returns the error of the first option
// that refuses its argument.
type Option func(*config) error

// config is what the options fill.
type config struct {
	dataCenter     DataCenter          // Empty for that of the base URL.
	stored         DataCenter          // Of the stored token; counts where nothing else is said.
	variables      map[string]variable // What came from the environment, by what errors call it.
	site           site                // Made by finish.
	baseURL        string
	accountsURL    string
	dialect        wire.Dialect
	plaintext      bool
	httpClient     *http.Client
	ownTransport   bool // The transport of httpClient was made by newHTTPTransport, and is not wrapped.
	wrappers       []func(http.RoundTripper) http.RoundTripper
	userAgent      string
	logger         *slog.Logger
	maxAttempts    int
	maxWait        time.Duration
	maxInFlight    int // 0 for the default.
	plan           Plan
	planFromEnv    bool       // A limiter replaces it.
	dayFile        string     // From the environment, for a plan that is not kept elsewhere.
	rate           rate.Limit // 0 for none.
	burst          int
	limiter        Limiter // Nil for the client's own.
	maxBody        int64
	attemptTimeout time.Duration
	stallTimeout   time.Duration
	cache          *Cache // Nil for none.
	tracers        tracers
}

func defaultConfig() *config {
	return &config{
		dialect:        wire.Specified,
		userAgent:      "salesiq-go/" + Version,
		maxAttempts:    4,
		maxWait:        2 * time.Minute,
		maxBody:        16 << 20,
		attemptTimeout: 30 * time.Second,
		stallTimeout:   15 * time.Second,
	}
}

// WithDataCenter selects the region in which the account lives. The default is
// [US].
func WithDataCenter(dc DataCenter) Option {
	return func(c *config) error {
		c.dataCenter = dc
		delete(c.variables, "data center")
		hosts := dc.Hosts()
		if hosts == (Hosts{}) {
			_, err := LookupDataCenter(string(dc))
			return cmp.Or(err, inputError("data center", "must be written as the constants are"))
		}
		return cmp.Or(absoluteURL("data center API", hosts.API), absoluteURL("data center accounts", hosts.Accounts))
	}
}

// WithBaseURL overrides the host of the service, such as
// http://127.0.0.1:8080. A path is kept as a prefix.
//
// The OAuth server is at the same place if that is this machine, or a host below
// .test, .example or .localhost. Anywhere else, such as a gateway, it stays the data
// center's, and [WithAccountsURL] overrides it: client secret and refresh token go
// nowhere else by themselves. A host of Zoho's that is not listed, salesiq.zoho.xy,
// implies accounts.zoho.xy.
func WithBaseURL(address string) Option {
	return func(c *config) error {
		c.baseURL = address
		delete(c.variables, "base URL")
		return absoluteURL("base URL", address)
	}
}

// WithAccountsURL overrides the host of the OAuth server. A host that is not Zoho's
// must be meant: [WithBaseURL] or [WithDataCenter] says for which API. Two hosts of
// Zoho's must be of the same region.
func WithAccountsURL(address string) Option {
	return func(c *config) error {
		c.accountsURL = address
		delete(c.variables, "accounts URL")
		return absoluteURL("accounts URL", address)
	}
}

// WithPortal puts the portal's screen name into each path, as the live service
// wants it: /api/v2/{screen_name}/chats. The specification's paths have none,
// and that is the default. Answers are read in both notations; the error of a call
// that was answered in the other one says so.
func WithPortal(screenName string) Option {
	return func(c *config) error {
		c.dialect = wire.Live(url.PathEscape(screenName))
		return cmp.Or(exactly("portal", screenName), notAddress("portal", screenName), checkID("portal", screenName))
	}
}

// notAddress refuses an address that holds a portal's name, and tells the name.
func notAddress(field, text string) error {
	path, absolute := withoutScheme(text)
	segments := strings.FieldsFunc(path, func(c rune) bool { return strings.ContainsRune("/?#", c) })
	ofZoho := false
	if len(segments) > 0 {
		_, ofZoho = regionOfHost(segments[0])
	}
	bare := strings.Trim(path, "/") == path && !strings.Contains(path, "#") && !strings.HasSuffix(path, "/index")
	if !absolute && !ofZoho && bare {
		return nil
	}
	if len(segments) > 0 && (absolute || ofZoho) {
		segments = segments[1:]
	}
	if name := portalIn(segments); name != "" {
		return inputError(field, fmt.Sprintf("must be the screen name alone, not an address: it is probably %q", name))
	}
	return inputError(field, "must be the screen name alone, which follows the host in the address of the portal")
}

// withoutScheme returns what follows http: or https: in an address, and whether it has
// either.
func withoutScheme(text string) (rest string, absolute bool) {
	scheme, rest, found := strings.Cut(text, ":/")
	if !found || !strings.HasPrefix(strings.ToLower(scheme), "http") {
		return text, false
	}
	return rest, true
}

// portalIn returns the portal's name in the path of an address of Zoho's, be it of a
// page or of a call. It is empty if there is none.
func portalIn(segments []string) string {
	for _, before := range []string{"api", "visitor", "v1", "v2", "v3"} {
		if len(segments) > 0 && segments[0] == before {
			segments = segments[1:]
		}
	}
	if len(segments) == 0 {
		return ""
	}
	name, err := url.PathUnescape(segments[0])
	if err != nil {
		return segments[0]
	}
	return name
}

// WithPlaintext permits sending tokens over plain HTTP to other hosts than this
// machine's own. Anyone on the way can read them.
func WithPlaintext() Option {
	return func(c *config) error { c.plaintext = true; return nil }
}

// WithHTTPClient sends requests through the transport and cookie jar of client,
// which is copied and never changed. Its Timeout bounds one attempt, from the
// sending of the request to the end of the answer. Its CheckRedirect is not
// used: redirects are refused. A transport must not send a request twice: the
// client repeats calls, and stops one that net/http is about to repeat.
//
// The client's own transport goes through the proxy that HTTPS_PROXY names, but for
// the hosts of NO_PROXY and this machine, as [http.ProxyFromEnvironment] says;
// HTTP_PROXY is for addresses without TLS. A transport of yours has a Proxy field for
// that. A proxy that refuses to connect is named in the error, and asked once, unless
// it says that something is wrong for the moment.
//
// Nothing of the transport is changed. The client's own one keeps as many connections
// open as calls may be under way, finds HTTP/2 connections that died in silence, and
// bounds the time to connect. To see or change requests and keep that one, use
// [WithTransport].
func WithHTTPClient(client *http.Client) Option {
	return func(c *config) error {
		if client == nil {
			return inputError("HTTP client", "must not be nil")
		}
		if client.Transport != nil {
			if err := given("HTTP transport", client.Transport); err != nil {
				return err
			}
		}
		copied := *client
		c.httpClient = &copied
		if client.Timeout > 0 {
			c.attemptTimeout = client.Timeout
		}
		return nil
	}
}

// WithTransport wraps the transport of the client, such as for an audit, for headers of
// a gateway, or for a cache of one's own:
//
//	salesiq.WithTransport(func(next http.RoundTripper) http.RoundTripper { return &audit{next} })
//
// It is the client's own transport, with its pool of connections, or that of
// [WithHTTPClient]. Several wrappers nest, the first outermost, also over several
// options.
//
// A wrapper sees each request as it leaves, with the access token in its header, and
// those to the OAuth server with the secrets in their bodies. It must not send a
// request twice: the client repeats calls.
func WithTransport(wrap ...func(next http.RoundTripper) http.RoundTripper) Option {
	return func(c *config) error {
		for _, w := range wrap {
			if w == nil {
				return inputError("transport", "must not be wrapped by nil")
			}
		}
		c.wrappers = append(c.wrappers, wrap...)
		return nil
	}
}

// WithUserAgent names the application in the User-Agent header, before the name
// of this package.
func WithUserAgent(application string) Option {
	return func(c *config) error {
		c.userAgent = application + " salesiq-go/" + Version
		return cmp.Or(required("user agent", application), printable("user agent", application))
	}
}

// WithLogger logs each attempt: operation, status, attempt, how long it waited before
// it was sent, how long it took from then on, and the service's request id; successes
// at level debug, failures at warn, with an error where the service did not speak for
// itself. What ended because the caller canceled it is at level debug, too. A wait is
// logged when it begins, with its reason, and with its length if that is known. For the
// rate limit, or for as long as the service says, a wait of a second or more is at level
// info, so that a nightly job does not look hung: one line, however many calls share the
// wait. All else is at level debug. Bodies, queries and credentials are never logged.
//
// Nil, the default, logs nothing, with one exception: the first time that a new token
// cannot be stored, [slog.Default] gets a warning. After the next start, the program
// might not be able to sign in.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error { c.logger = logger; return nil }
}

const mostAttempts = 100

// WithMaxAttempts bounds how often a request is sent, the first time included, up
// to 100. The default is 4; 1 turns retries off, but for those after a refused token.
// Otherwise an attempt that the rate limit refuses does not count, since nothing was
// done: such attempts are bounded by the context and by [WithMaxWait].
func WithMaxAttempts(n int) Option {
	return func(c *config) error {
		c.maxAttempts = n
		return between("max attempts", n, 1, mostAttempts)
	}
}

// WithMaxWait bounds each wait of a call: for the rate limit, and before a
// retry. A wait that is known to be longer is not begun: the call fails at once, and
// [Error.RetryAt] says when to come back. A call that the rate limit has refused as
// often as [WithMaxAttempts] allows goes on for as long, counted from the first
// refusal. The default is two minutes, which covers the rate limit's window.
func WithMaxWait(d time.Duration) Option {
	return func(c *config) error { c.maxWait = d; return positive("max wait", d) }
}

// WithMaxInFlight bounds the requests under way at once. The default is the
// specification's 10, which counts for the whole organization: several processes
// share it.
func WithMaxInFlight(n int) Option {
	return func(c *config) error {
		c.maxInFlight = n
		return between("max in flight", n, 1, 1000)
	}
}

// WithMaxBody bounds the size of an answer, in bytes after inflation. The
// default is 16 MiB; more is [ErrTooLarge]. So is an answer that would become much
// larger in memory: with more values than one for each 80 bytes of the limit
// (200,000 by default), or 10,000 in one list. Of an error, the first 64 KiB are read.
func WithMaxBody(bytes int64) Option {
	return func(c *config) error {
		c.maxBody = bytes
		if bytes < 1 {
			return inputError("max body", "must be positive")
		}
		return nil
	}
}

// WithAttemptTimeout bounds one attempt, from the sending of the request to the
// end of the answer. Waiting for the rate limit is not part of it. The default
// is 30 seconds. The context of a call bounds all of it. The error after either
// matches [context.DeadlineExceeded].
func WithAttemptTimeout(d time.Duration) Option {
	return func(c *config) error { c.attemptTimeout = d; return positive("attempt timeout", d) }
}

// WithStallTimeout bounds the silence within an answer: without a byte for this
// long, the attempt fails. The default is 15 seconds.
func WithStallTimeout(d time.Duration) Option {
	return func(c *config) error { c.stallTimeout = d; return positive("stall timeout", d) }
}

func positive(field string, d time.Duration) error {
	return input.Checks(inputError).Positive(field, d)
}

// finish fills what the options left open, and checks what they are together.
func (c *config) finish() error {
	base := apiBase(c.baseURL)
	c.site = siteAt(base)
	if base == "" && c.accountsURL == "" {
		c.dataCenter = cmp.Or(c.dataCenter, c.stored)
	}
	if c.dataCenter != "" {
		c.site = siteOf(c.dataCenter)
	}
	c.site.API = cmp.Or(base, c.site.API)
	c.site.Accounts = cmp.Or(plainURL(c.accountsURL), c.site.Accounts)
	if c.dataCenter == "" && c.site.Hosts != c.site.region.Hosts() {
		c.site.region = c.site.Hosts.region()
	}
	if c.httpClient == nil {
		c.httpClient = &http.Client{Transport: newHTTPTransport(c.inFlight(), c.attemptTimeout)}
		t, ok := c.httpClient.Transport.(*http.Transport)
		c.ownTransport = ok && len(t.TLSNextProto) == 0 && len(c.wrappers) == 0
	} else if c.httpClient.Transport == nil {
		c.httpClient.Transport = http.DefaultTransport
	}
	if c.httpClient.Transport == nil {
		return inputError("HTTP client", "has no transport, since http.DefaultTransport is nil")
	}
	return cmp.Or(c.wrapTransport(), c.checkLimits(), c.checkTLS("base URL", c.site.API), c.checkTLS("accounts URL", c.site.Accounts), c.checkHosts())
}

// wrapTransport puts the wrappers around the transport.
func (c *config) wrapTransport() error {
	for _, wrap := range slices.Backward(c.wrappers) {
		c.httpClient.Transport = wrap(c.httpClient.Transport)
		if err := given("transport", c.httpClient.Transport); err != nil {
			return err
		}
	}
	return nil
}

// inFlight is how many requests may be under way at once, as far as that is known.
func (c *config) inFlight() int {
	if l, ok := c.limiter.(*SharedLimiter); ok {
		return l.inFlight
	}
	return cmp.Or(c.maxInFlight, maxInFlight)
}

// checkTLS refuses an address to which tokens would be sent unencrypted.
func (c *config) checkTLS(field, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return inputError(field, "is not a URL")
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return inputError(field, "must not hold credentials, a query or a fragment")
	}
	if strings.ContainsFunc(u.Host, func(r rune) bool { return r > unicode.MaxASCII }) {
		return inputError(field, "must have a host in ASCII: write an international name in its form that begins with xn--")
	}
	if u.Scheme == "https" || c.plaintext || isLoopback(u.Hostname()) {
		return nil
	}
	return inputError(field, "must use https: tokens would be readable on the way (see WithPlaintext)")
}

// newHTTPTransport returns the client's own transport: the program's default one,
// copied. It keeps as many connections open as requests may be under way, since the
// usual two would open new ones in every burst. HTTP/2 connections that say nothing
// are asked for a sign of life, so that one which died in silence is given up within
// half of an attempt's time.
//
// A program may have put a transport of another kind in place of the default one.
// That is used as it is.
func newHTTPTransport(inFlight int, attemptTimeout time.Duration) http.RoundTripper {
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	t := standard.Clone()
	t.MaxIdleConns = 0
	t.MaxIdleConnsPerHost = max(inFlight, maxInFlight)
	t.IdleConnTimeout = 30 * time.Second // Below what servers usually keep.
	t.MaxResponseHeaderBytes = 256 << 10 // Not the usual 10 MB.
	if t.HTTP2 == nil {
		t.HTTP2 = &http.HTTP2Config{}
	}
	patience := min(max(attemptTimeout/4, time.Second), 10*time.Second)
	t.HTTP2.SendPingTimeout = cmp.Or(t.HTTP2.SendPingTimeout, patience)
	t.HTTP2.PingTimeout = cmp.Or(t.HTTP2.PingTimeout, patience)
	transport.OwnDialing(t, dialTimeout)
	transport.NameProxies(t)
	return t
}

// dialTimeout bounds the making of a connection, for all addresses of the host
// together.
const dialTimeout = 5 * time.Second
