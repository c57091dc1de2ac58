package salesiq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/salesiq-go/salesiq/internal/transport"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// service is the underlying type of every XService.
type service struct{ client *Client }

// owner returns the client of a service, or nil for one that NewClient did not make.
func (s *service) owner() *Client {
	if s == nil {
		return nil
	}
	return s.client
}

// usable refuses a client that NewClient did not make.
func (client *Client) usable() error {
	if client == nil || client.pipeline == nil {
		return inputError("client", "must be made by NewClient")
	}
	return nil
}

// call is one request in the making. The first error on the way is kept and
// reported when the call is made.
type call struct {
	path     string // Escaped, below the API's root.
	template string // The path with names in braces for ids; empty if it may hold an id.
	query    url.Values
	content  any               // Sent as JSON unless nil.
	free     bool              // It goes to a path of the caller's.
	changes  bool              // Its content must change something.
	total    int               // Items of the list that it answers with, as far as the service tells.
	download *Download         // Takes the answer; nil for none.
	status   int               // Of the answer that is decoded.
	names    []string          // Members in which an open answer may be wrapped.
	dialect  wire.Dialect      // Of the client; nil where that does not matter.
	request  transport.Request // Its operation and method; newRequest adds the rest.
	err      error
}

// newCall starts a call from a pattern such as "GET /chats/{chat_id}". The ids
// fill its wildcards, each as one escaped path segment.
func newCall(operation, pattern string, ids ...string) *call {
	c := new(call)
	c.request.Operation = operation
	c.request.Method, c.path, _ = strings.Cut(pattern, " ")
	c.template = c.path
	for _, id := range ids {
		before, rest, _ := strings.Cut(c.path, "{")
		name, after, _ := strings.Cut(rest, "}")
		c.check(checkID(name, id))
		c.path = before + url.PathEscape(id) + after
	}
	return c
}

type validator interface{ validate() error }

// params sends p as the query; a nil pointer sends none.
func (c *call) params(p validator) *call {
	if reflect.ValueOf(p).IsNil() {
		return c
	}
	c.check(p.validate())
	query, err := wire.Query(p)
	c.check(err)
	c.query = query
	return c
}

// body sends content as JSON. It must not be nil; argument is its name in the
// method's signature.
func (c *call) body(argument string, content any) *call {
	if reflect.ValueOf(content).IsNil() {
		c.check(inputError(argument, "must not be nil"))
		return c
	}
	if v, ok := content.(validator); ok {
		c.check(v.validate())
	}
	c.content = content
	return c
}

// update sends the changes to an object as JSON. There must be some.
func (c *call) update(update any) *call {
	c.changes = true
	return c.body("update", update)
}

// answers names what an answer may be wrapped in, where the specification
// leaves its shape open.
func (c *call) answers(names ...string) *call {
	c.names = names
	return c
}

func (c *call) check(err error) {
	if c.err == nil {
		c.err = named(c.request.Operation, err)
	}
}

// fetch makes a call that answers with one object.
func fetch[T any](ctx context.Context, client *Client, c *call, opts []CallOption) (*T, error) {
	var out *T
	err := client.do(ctx, c, opts, func(body []byte) (err error) {
		out, err = wire.Decode[T](body)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// fetchOpen makes a call whose answer has no documented shape. It may be the
// object, another that wraps it, or nothing; then the result is a zero T.
func fetchOpen[T any](ctx context.Context, client *Client, c *call, opts []CallOption) (*T, error) {
	out := new(T)
	err := client.do(ctx, c, opts, func(body []byte) error { return c.decodeOpen(body, out) })
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *call) decodeOpen(body []byte, out any) error {
	if c.request.Method == http.MethodGet {
		return wire.DecodeOpen(body, out, c.names...)
	}
	return wire.DecodeOutcome(body, out, c.names...)
}

// send makes a call whose answer is of no interest.
func send(ctx context.Context, client *Client, c *call, opts []CallOption) error {
	return client.do(ctx, c, opts, wire.RefusePage)
}

// do makes one call: it checks, encodes, sends through the pipeline and
// decodes, and tells the tracers. Whatever fails becomes an *InputError or an
// *Error.
func (client *Client) do(ctx context.Context, c *call, opts []CallOption, decode func([]byte) error) error {
	options, err := newCallOptions(opts)
	c.check(cmp.Or(client.usable(), err, options.checkFor(c), givenContext(ctx)))
	if c.err != nil {
		return c.err
	}
	request, err := client.newRequest(ctx, c, &options)
	if err != nil {
		return named(c.request.Operation, err)
	}
	if c.download != nil {
		request.Download = client.newDownload(c.download)
		defer func() { c.download.fill(request.Download) }()
	}
	if client.trace != nil && client.trace.look(ctx) {
		return client.traced(ctx, c, func(ctx context.Context) (*transport.Answer, error) {
			return client.carryOut(ctx, c, request, &options, decode)
		})
	}
	_, err = client.carryOut(ctx, c, request, &options, decode)
	return err
}

// newRequest makes the request of a call: its address, header and body.
func (client *Client) newRequest(ctx context.Context, c *call, options *callOptions) (*transport.Request, error) {
	if c.err != nil {
		return nil, c.err
	}
	if v := reflect.ValueOf(c.content); v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, inputError("body", "must not be a nil pointer")
	}
	c.dialect = client.dialect
	address := client.resolve(c.path)
	if query := options.addTo(c.query); len(query) > 0 {
		joint := "?"
		if strings.Contains(address, "?") {
			joint = "&"
		}
		address += joint + query.Encode()
	}
	c.request.URL = address
	c.request.Header = options.header
	c.request.Idempotent = options.idempotent || isIdempotent(c.request.Method)
	c.request.MaxAttempts = options.maxAttempts
	if err := c.encode(ctx, &c.request); err != nil {
		return nil, err
	}
	return &c.request, nil
}

func (client *Client) newDownload(d *Download) *transport.Download {
	return &transport.Download{To: d.To, Limit: cmp.Or(d.MaxBytes, defaultMaxDownload), Follow: client.mayFetch}
}

// mayFetch reports whether a file may be fetched from an address to which the service
// redirects: one of a file host of Zoho's, or of the API's own host.
func (client *Client) mayFetch(address *url.URL) bool {
	own, err := url.Parse(client.site.API)
	if err == nil && own.Scheme == address.Scheme && strings.EqualFold(own.Host, address.Host) {
		return true
	}
	return address.Scheme == "https" && (address.Port() == "" || address.Port() == "443") &&
		isFileHost(strings.TrimSuffix(strings.ToLower(address.Hostname()), "."), client.site.region)
}

// isFileHost reports whether a host is one of Zoho's and may have files: not those
// where people sign in. Its ending is that of a listed data center, or of the client's
// own.
func isFileHost(host string, own DataCenter) bool {
	labels := strings.Split(host, ".")
	if strings.HasPrefix(host, "accounts") || len(labels) < 3 {
		return false
	}
	for _, ending := range append(slices.Collect(maps.Keys(regionEndings)), own.ending()) {
		rest, ok := strings.CutSuffix(host, "."+ending)
		if !ok || ending == "" {
			continue
		}
		dot := strings.LastIndexByte(rest, '.')
		if dot > 0 && slices.Contains([]string{"zoho", "zohopublic", "zohocdn", "zohocloud", "zohousercontent"}, rest[dot+1:]) {
			return true
		}
	}
	return false
}

// isIdempotent tells which methods the specification calls idempotent.
func isIdempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// quickToDecode is the size, in bytes, up to which decoding an answer does not
// hold up other calls.
const quickToDecode = 4 << 10

// carryOut sends a request and decodes the answer. The answer's memory is reused
// afterwards.
func (client *Client) carryOut(ctx context.Context, c *call, request *transport.Request, options *callOptions, decode func([]byte) error) (*transport.Answer, error) {
	if ctx.Err() != nil {
		return &transport.Answer{}, newError(c, &transport.Answer{}, transport.Ended(ctx))
	}
	answer, err := client.ask(ctx, request, options)
	if err != nil {
		options.keepFailure(answer, err)
		failed := newError(c, answer, err)
		client.addRemedy(c, failed)
		return answer, failed
	}
	defer answer.Release()
	options.keep(answer)
	if decode == nil || c.download != nil {
		return answer, nil
	}
	c.status = answer.Status
	if len(answer.Body) > quickToDecode {
		runtime.Gosched() // Let other calls send their requests before this one decodes.
	}
	if err := decode(answer.Body); err != nil {
		client.cache.forget(request)
		return answer, newError(c, answer, answer.Undecodable(err))
	}
	options.keepTotal(c.total)
	return answer, nil
}

// ask sends a request, unless the cache has its answer.
func (client *Client) ask(ctx context.Context, r *transport.Request, options *callOptions) (*transport.Answer, error) {
	if client.cache != nil {
		return client.cache.ask(ctx, r, options.fresh)
	}
	return client.pipeline.Do(ctx, r)
}

// named puts the operation's name into an input error that has none.
func named(operation string, err error) error {
	if err == nil {
		return nil // Before anything is allocated.
	}
	var input *InputError
	if errors.As(err, &input) && input.Operation == "" {
		input.Operation = operation
	}
	return err
}

// newError makes an Error of what the pipeline reports.
func newError(c *call, answer *transport.Answer, cause error) *Error {
	e := &Error{Operation: c.request.Operation, Method: c.request.Method, Attempts: answer.Attempts, Err: cause}
	if failure, ok := errors.AsType[*transport.Failure](cause); ok {
		e.StatusCode = failure.Status
		e.Code = ErrorCode(failure.Said.Code)
		e.Message = failure.Said.Message
		e.Details = failure.Said.Details
		e.VendorCode = failure.Said.Number
		e.Key = failure.Said.Key
		e.Param = failure.Said.Param
		e.ContentType = failure.ContentType
		e.Excerpt = failure.Excerpt
		e.RequestID = failure.RequestID
		e.RetryAt = failure.RetryAt.Round(0)
		e.MaybeProcessed = failure.MaybeProcessed
		e.RateWindow = rateWindow(failure.Header)
		e.Err = c.cause(failure)
	}
	if auth, ok := errors.AsType[*AuthError](cause); ok {
		e.RetryAt = auth.RetryAt.Round(0)
	}
	return e
}

// cause returns why a call failed, and says so if the answer is in the other
// dialect than the client's.
func (c *call) cause(failure *transport.Failure) error {
	mismatch := wire.Mismatch(c.dialect, failure.Dialect, c.path)
	if mismatch == nil || failure.Err == nil {
		return cmp.Or(mismatch, failure.Err)
	}
	return fmt.Errorf("%w: %w", failure.Err, mismatch)
}
