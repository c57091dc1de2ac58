package salesiq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/salesiq-go/salesiq/internal/transport"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// Version is the version of this package, as sent in the User-Agent header.
const Version = "0.1.0"

// Client calls SalesIQ on behalf of one account. Make one and keep it, since its
// calls share its limits and its token. It is safe for concurrent use, and needs no
// closing.
type Client struct {
	Chats     *ChatsService
	Visitors  *VisitorsService
	Operators *OperatorsService
	Brands    *BrandsService
	Routing   *RoutingService
	Webhooks  *WebhooksService
	Devices   *DevicesService

	site     site
	dialect  wire.Dialect
	width    func() int // How many calls an iterator begins at once.
	pipeline *transport.Pipeline
	cache    *answerCache // Nil for none.
	trace    *clientTrace // Nil for none.
}

// NewClient returns a client that signs in with auth: [RefreshToken],
// [StaticToken] or [TokenSource]. It makes no request.
//
// Errors: an [InputError] that names the option whose argument is refused.
func NewClient(auth Authenticator, opts ...Option) (*Client, error) {
	if auth == nil {
		return nil, inputError("authenticator", "must not be nil")
	}
	c := defaultConfig()
	for _, option := range opts {
		if option == nil {
			return nil, inputError("option", "must not be nil")
		}
		if err := option(c); err != nil {
			return nil, err
		}
	}
	if err := c.finish(); err != nil {
		return nil, err
	}
	tokens, err := auth.bind(c)
	if err != nil {
		return nil, err
	}
	client := newClient(c, tokens)
	if c.cache == nil {
		return client, nil
	}
	if client.cache, err = newAnswerCache(client, *c.cache); err != nil {
		return nil, err
	}
	return client, nil
}

func newClient(c *config, tokens transport.Tokens) *Client {
	limiter := c.newLimiter()
	client := &Client{site: c.site, dialect: c.dialect, width: c.width(limiter), trace: newClientTrace(c, limiter)}
	client.pipeline = transport.New(transport.Config{
		Base:           c.httpClient.Transport,
		OwnBase:        c.ownTransport,
		Jar:            c.httpClient.Jar,
		Tokens:         tokens,
		Limiter:        limiter,
		Logger:         c.logger,
		Observer:       client.trace.observer(),
		UserAgent:      c.userAgent,
		AttemptTimeout: c.attemptTimeout,
		StallTimeout:   c.stallTimeout,
		MaxBody:        c.maxBody,
		MaxAttempts:    c.maxAttempts,
		MaxWait:        c.maxWait,
	})
	s := service{client}
	client.Chats = (*ChatsService)(&s)
	client.Visitors = (*VisitorsService)(&s)
	client.Operators = (*OperatorsService)(&s)
	client.Brands = (*BrandsService)(&s)
	client.Routing = (*RoutingService)(&s)
	client.Webhooks = (*WebhooksService)(&s)
	client.Devices = (*DevicesService)(&s)
	return client
}

// NewClientFromEnv returns a client that is configured by the environment:
//
//	ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET, ZOHO_REFRESH_TOKEN   required
//	SALESIQ_DATA_CENTER   such as EU; US by default
//	SALESIQ_BASE_URL      overrides the data center's API host
//	SALESIQ_ACCOUNTS_URL  overrides the data center's OAuth host
//	SALESIQ_PORTAL        the screen name, for the live service
//	SALESIQ_PLAN          such as basic; see LookupPlan
//
// The options come after the environment and override it: [WithLimiter] replaces
// SALESIQ_PLAN.
//
// Errors: an [InputError] that names the variable, or the option.
func NewClientFromEnv(opts ...Option) (*Client, error) {
	credentials := Credentials{
		ClientID:     os.Getenv("ZOHO_CLIENT_ID"),
		ClientSecret: NewSecret(os.Getenv("ZOHO_CLIENT_SECRET")),
		RefreshToken: NewSecret(os.Getenv("ZOHO_REFRESH_TOKEN")),
	}
	missing := cmp.Or(
		exactly("ZOHO_CLIENT_ID", credentials.ClientID),
		requiredSecret("ZOHO_CLIENT_SECRET", credentials.ClientSecret),
		requiredSecret("ZOHO_REFRESH_TOKEN", credentials.RefreshToken))
	if missing != nil {
		return nil, missing
	}
	return NewClient(RefreshToken(credentials, NewMemoryTokenStore()), append([]Option{fromEnv}, opts...)...)
}

// fromEnv applies the variables that are set. An error names the variable.
func fromEnv(c *config) error {
	for _, variable := range []struct {
		name   string
		option func(string) Option
	}{
		{"SALESIQ_DATA_CENTER", withDataCenterNamed},
		{"SALESIQ_BASE_URL", WithBaseURL},
		{"SALESIQ_ACCOUNTS_URL", WithAccountsURL},
		{"SALESIQ_PORTAL", WithPortal},
		{"SALESIQ_PLAN", withPlanNamed},
	} {
		value := os.Getenv(variable.name)
		if value == "" {
			continue
		}
		if input, ok := errors.AsType[*InputError](variable.option(value)(c)); ok {
			return inputError(variable.name, input.Reason)
		}
	}
	return nil
}

func withDataCenterNamed(name string) Option {
	return func(c *config) error {
		dc, err := LookupDataCenter(name)
		if err != nil {
			return err
		}
		return WithDataCenter(dc)(c)
	}
}

func withPlanNamed(name string) Option {
	return func(c *config) error {
		plan, err := LookupPlan(name)
		c.plan, c.planFromEnv = plan, true
		return err
	}
}

// Do makes a call that has no method. It goes through the whole pipeline: quota,
// retries, token, errors. The path lies below /api/v2 (and the portal), unless it
// names another root: /api/…, /visitor/… or /portals. It may hold a query. In the
// path, {portal} stands for the portal's name, and other names in braces for the
// ids of [WithIDs]. The caller must escape anything else that is put into it.
//
// The value in is sent as JSON unless nil. It is written as encoding/json writes it,
// but with times in the service's notation (null for the zero time) and with the
// text of each [Secret]; the same is true of params. The data of the answer is
// decoded into out, a pointer, unless out is nil. An answer without an envelope is
// decoded as a whole. An out with a method UnmarshalAnswer(body []byte) error reads
// all of the answer itself, and must copy what it keeps of body.
//
// Errors: an [InputError] for a method that HTTP does not allow, a path that leaves
// the API, or an out that is not a pointer; an [Error] otherwise.
func (client *Client) Do(ctx context.Context, method, path string, in, out any, opts ...CallOption) error {
	c := client.freeCall(strings.ToUpper(method), path, opts)
	c.content = in
	if out == nil {
		return client.do(ctx, c, opts, nil)
	}
	c.check(checkTarget(out))
	decode := func(body []byte) error { return c.decodeOpen(body, out) }
	if whole, ok := out.(interface{ UnmarshalAnswer(body []byte) error }); ok {
		decode = func(body []byte) error { return whole.UnmarshalAnswer(wire.WithoutMark(body)) }
	}
	return client.do(ctx, c, opts, decode)
}

// freeCall starts a call to a path of the caller's.
func (client *Client) freeCall(method, path string, opts []CallOption) *call {
	options, err := newCallOptions(opts)
	operation := cmp.Or(options.operation, "Do")
	if err := client.usable(); err != nil {
		return &call{operation: operation, method: method, err: named(operation, err)}
	}
	bare, _, _ := strings.Cut(path, "?")
	err = cmp.Or(err, token("method", method), checkPath(path), client.checkWildcards(bare, len(options.ids)))
	if err != nil {
		return &call{operation: operation, method: method, err: named(operation, err)}
	}
	c := newCall(operation, method+" "+strings.ReplaceAll(path, portalWildcard, client.dialect.Portal()), options.ids...)
	c.template = freeTemplate(bare)
	c.free = true
	return c
}

// portalWildcard stands for the portal's name in a path.
const portalWildcard = "{portal}"

// checkWildcards makes sure that each wildcard of a path can be filled.
func (client *Client) checkWildcards(path string, ids int) error {
	portals := strings.Count(path, portalWildcard)
	if portals > 0 && client.dialect.Portal() == "" {
		return inputError("portal", "is required: see WithPortal")
	}
	if wildcards := strings.Count(path, "{") - portals; wildcards != ids {
		return inputError("path", fmt.Sprintf("has %d names in braces for the %d ids of WithIDs", wildcards, ids))
	}
	return nil
}

// checkPath refuses a path that leads out of the API.
func checkPath(path string) error {
	if strings.Contains(path, "://") || strings.HasPrefix(path, "//") {
		return inputError("path", "must not name a host")
	}
	clean, _, _ := strings.Cut(path, "?")
	for segment := range strings.SplitSeq(strings.ToLower(clean), "/") {
		if segment := strings.ReplaceAll(segment, "%2e", "."); segment == "." || segment == ".." {
			return inputError("path", `must not hold "." or ".." segments`)
		}
	}
	return required("path", strings.Trim(clean, "/"))
}

// resolve returns the address of a path.
func (client *Client) resolve(path string) string {
	return client.dialect.Address(client.site.API, path)
}

// DataCenter returns the data center that the client uses.
func (client *Client) DataCenter() DataCenter {
	if client.usable() != nil {
		return ""
	}
	return client.site.dataCenter()
}

// Portal returns the screen name of [WithPortal], or "" without that option.
func (client *Client) Portal() string {
	if client.usable() != nil {
		return ""
	}
	name, err := url.PathUnescape(client.dialect.Portal())
	if err != nil {
		return client.dialect.Portal() // This cannot happen: WithPortal has escaped it.
	}
	return name
}
