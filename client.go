package salesiq

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/salesiq-go/salesiq/internal/seal"
	"github.com/salesiq-go/salesiq/internal/transport"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// Version is the version of this package, as sent in the User-Agent header.
const Version = "0.1.0"

// Client calls SalesIQ on behalf of one account. Make one and keep it, since its
// calls share its limits and its token. It is safe for concurrent use, and needs no
// closing: a connection that is idle is closed after 30 seconds. A program whose tenants come and go just drops their clients.
// With [WithHTTPClient], the pool is that transport's, and so is the time.
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
	config   *config
	limiter  meteredLimiter
	tokens   transport.Tokens
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
		return nil, c.byVariable(err)
	}
	tokens, err := auth.bind(c)
	if err != nil {
		return nil, err
	}
	limiter, err := c.newLimiter()
	if err != nil {
		return nil, err
	}
	client := newClient(c, tokens, limiter)
	if c.cache == nil {
		return client, nil
	}
	if client.cache, err = newAnswerCache(client, *c.cache); err != nil {
		return nil, err
	}
	return client, nil
}

// Batch returns a client for work that can wait, such as a nightly export. The two
// share everything: token, limits, connections, kept answers. But the calls of the
// batch leave a fifth of each minute and of each day to those of client, which need
// not wait behind them; see [SharedLimiter.Batch]. With a [Limiter] that NewLimiter has
// not made, it is client itself.
func (client *Client) Batch() *Client {
	if client.usable() != nil {
		return client
	}
	queue, ok := client.limiter.(*transport.Queue)
	if !ok {
		return client
	}
	batch := newClient(client.config, client.tokens, transport.BatchQueue{Queue: queue})
	if client.cache != nil {
		batch.cache = new(*client.cache)
		batch.cache.pipeline = batch.pipeline
	}
	return batch
}

// DailyQuota tells how many calls the day has left, for progress and logs. It is zero
// without a plan that bounds them, and with a [Limiter] that does not tell.
func (client *Client) DailyQuota() DailyQuota {
	if client.usable() != nil {
		return DailyQuota{}
	}
	return dailyQuota(client.limiter)()
}

func newClient(c *config, tokens transport.Tokens, limiter meteredLimiter) *Client {
	client := &Client{
		site: c.site, dialect: c.dialect, config: c, limiter: limiter, tokens: tokens,
		width: c.width(limiter), trace: newClientTrace(c, limiter),
	}
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
//	ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET   required
//	ZOHO_REFRESH_TOKEN    required, unless the token file has one
//	SALESIQ_TOKEN_FILE    keeps the token from one start to the next
//	SALESIQ_TOKEN_KEY     seals that file: 64 hexadecimal digits; needs the file
//	SALESIQ_DATA_CENTER   such as EU; that of the token file, or else US, by default
//	SALESIQ_BASE_URL      overrides the data center's API host
//	SALESIQ_ACCOUNTS_URL  overrides the data center's OAuth host
//	SALESIQ_PORTAL        the screen name, for the live service
//	SALESIQ_PLAN          such as basic; see LookupPlan
//	SALESIQ_DAY_FILE      keeps the plan's day over restarts; see Plan.KeptIn
//
// The options come after the environment and override it: [WithLimiter] replaces
// SALESIQ_PLAN and SALESIQ_DAY_FILE.
//
// Without a token file, each start requests a token, and the service gives out 10 in
// 10 minutes. The file is a [FileTokenStore]. Without SALESIQ_TOKEN_KEY, its key is
// read from a file beside it whose name ends in .key. An empty file is filled, and one
// that came from another ZOHO_REFRESH_TOKEN is replaced. One that does not open with the
// key is left alone, and the client does without it. Of each, its logger, or else the
// default one, gets a warning.
//
// [OAuth.Find] and examples/signin tell what belongs into these variables.
//
// Errors: an [InputError] that names the variable, or the option.
func NewClientFromEnv(opts ...Option) (*Client, error) {
	credentials := Credentials{
		ClientID:     os.Getenv("ZOHO_CLIENT_ID"),
		ClientSecret: NewSecret(os.Getenv("ZOHO_CLIENT_SECRET")),
		RefreshToken: NewSecret(os.Getenv("ZOHO_REFRESH_TOKEN")),
	}
	vault, stored, err := vaultFromEnv()
	if err != nil {
		return nil, err
	}
	missing := cmp.Or(
		exactly("ZOHO_CLIENT_ID", credentials.ClientID),
		secretVariable("ZOHO_CLIENT_SECRET", credentials.ClientSecret))
	if missing == nil && (!credentials.RefreshToken.IsZero() || stored.RefreshToken.IsZero()) {
		missing = secretVariable("ZOHO_REFRESH_TOKEN", credentials.RefreshToken)
	}
	if input, ok := errors.AsType[*InputError](missing); ok {
		input.Reason += "; examples/signin tells how to get it, and OAuth.Find (examples/signin -find) which region and portal belong to it"
		return nil, input
	}
	auth := &refreshAuth{credentials: &credentials, vault: vault, forgiving: true}
	dc := stored.DataCenter()
	if mine := credentials.RefreshToken; !mine.IsZero() && stored.Grant != fingerprint(mine) {
		dc = "" // The file is about another account.
	}
	return NewClient(auth, append([]Option{fromEnv(dc)}, opts...)...)
}

// secretVariable refuses a secret that is not set, or that is none.
func secretVariable(name string, secret Secret) error {
	return cmp.Or(required(name, os.Getenv(name)), requiredSecret(name, secret))
}

// vaultFromEnv returns where the token is kept, and what is there already.
func vaultFromEnv() (*TokenVault, Token, error) {
	path := os.Getenv("SALESIQ_TOKEN_FILE")
	digits, source := os.Getenv("SALESIQ_TOKEN_KEY"), "SALESIQ_TOKEN_KEY"
	if path == "" {
		if digits != "" {
			return nil, Token{}, inputError("SALESIQ_TOKEN_FILE", "is required: SALESIQ_TOKEN_KEY seals that file, and nothing is kept without it")
		}
		return NewMemoryTokenStore(), Token{}, nil
	}
	if digits == "" {
		content, err := readPrivate(path + ".key")
		if err != nil {
			return nil, Token{}, inputError(source, fmt.Sprintf("is required for SALESIQ_TOKEN_FILE: 64 hexadecimal digits, since there is no key in %s.key (%v)", path, err))
		}
		digits, source = strings.TrimSpace(string(content)), path+".key"
	}
	key, err := hex.DecodeString(digits)
	if err != nil || len(key) != seal.KeySize {
		return nil, Token{}, inputError(source, fmt.Sprintf("must be %d hexadecimal digits", 2*seal.KeySize))
	}
	vault := FileTokenStore(path, key)
	if store, ok := vault.store.(*fileStore); ok {
		store.emptyOK = true
	}
	stored, err := vault.Load(context.Background())
	switch {
	case err == nil:
	case !isUnopened(err):
		return nil, Token{}, inputError("SALESIQ_TOKEN_FILE", fmt.Sprintf("cannot be used (%v); examples/signin makes one that can", err))
	case os.Getenv("ZOHO_REFRESH_TOKEN") == "":
		return nil, Token{}, inputError("SALESIQ_TOKEN_FILE", fmt.Sprintf("cannot be used (%v); delete the file, and set ZOHO_REFRESH_TOKEN or run examples/signin, to begin anew", err))
	}
	return vault, stored, nil
}

// variable is one of the environment that stands for an option.
type variable struct {
	name   string
	field  string // What errors of the option call it.
	hint   string // Ends its errors.
	option func(string) Option
}

var environment = []variable{
	{"SALESIQ_DATA_CENTER", "data center", findHint, withDataCenterNamed},
	{"SALESIQ_BASE_URL", "base URL", findHint, WithBaseURL},
	{"SALESIQ_ACCOUNTS_URL", "accounts URL", findHint, WithAccountsURL},
	{"SALESIQ_PORTAL", "portal", findHint, WithPortal},
	{"SALESIQ_PLAN", "plan", "", withPlanNamed},
	{dayFileVariable, "day file", "", withDayFile},
}

const dayFileVariable = "SALESIQ_DAY_FILE"

// findHint ends the errors about what OAuth.Find tells.
const findHint = "; go run ./examples/signin -find tells what belongs here"

// fromEnv applies the variables that are set. An error names the variable. Where they
// name no host, the stored token does.
func fromEnv(stored DataCenter) Option {
	return func(c *config) error {
		c.stored, c.variables = stored, map[string]variable{}
		for _, v := range environment {
			value := os.Getenv(v.name)
			if value == "" {
				continue
			}
			if input, ok := errors.AsType[*InputError](v.option(value)(c)); ok {
				return inputError(v.name, input.Reason+v.hint)
			}
			c.variables[v.field] = v
		}
		return nil
	}
}

// byVariable names the variable in an error about what came from the environment.
func (c *config) byVariable(err error) error {
	if input, ok := errors.AsType[*InputError](err); ok {
		if v, ok := c.variables[input.Field]; ok {
			input.Field, input.Reason = v.name, input.Reason+v.hint
		}
	}
	return err
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

func withDayFile(path string) Option {
	return func(c *config) error { c.dayFile = path; return nil }
}

// Do makes a call that has no method. It goes through the whole pipeline: quota,
// retries, token, errors. The path lies below /api/v2 (and the portal), unless it
// names another root: /api/…, /visitor/… or /portals. It may hold a query. In the
// path, {portal} stands for the portal's name, and other names in braces for the
// ids of [WithIDs]. The caller must escape anything else that is put into it.
//
// The value in is sent as JSON unless it is nil, a [Multipart], a *[File], a form
// ([url.Values]), or bytes ([io.Reader], []byte) with the content type of
// [WithHeader]. JSON is written as encoding/json writes it,
// but with times in the service's notation (null for the zero time) and with the
// text of each [Secret]; the same is true of params. The data of the answer is
// decoded into out, a pointer, unless out is nil. An answer without an envelope is
// decoded as a whole. An out with a method UnmarshalAnswer(body []byte) error reads
// all of the answer itself, and must copy what it keeps of body. A *[Download] takes
// the answer as a file.
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
	if file, ok := out.(*Download); ok && file != nil {
		c.check(file.check())
		c.download = file
	}
	decode := func(body []byte) error { return c.decodeOpen(body, out) }
	if whole, ok := out.(interface{ UnmarshalAnswer(body []byte) error }); ok {
		decode = func(body []byte) error { return whole.UnmarshalAnswer(wire.WithoutByteOrderMark(body)) }
	}
	return client.do(ctx, c, opts, decode)
}

// freeCall starts a call to a path of the caller's.
func (client *Client) freeCall(method, path string, opts []CallOption) *call {
	options, err := newCallOptions(opts)
	operation := cmp.Or(options.operation, "Do")
	if err := client.usable(); err != nil {
		return &call{request: transport.Request{Operation: operation, Method: method}, err: named(operation, err)}
	}
	bare, _, _ := strings.Cut(path, "?")
	err = cmp.Or(err, token("method", method), checkPath(path), client.checkWildcards(bare, len(options.ids)))
	if err != nil {
		return &call{request: transport.Request{Operation: operation, Method: method}, err: named(operation, err)}
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
