package salesiq

import (
	"bytes"
	"cmp"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/salesiq-go/salesiq/internal/transport"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// CallOption adjusts a single call. If an option refuses its argument, the call
// fails with an [InputError] before any request.
type CallOption func(*callOptions) error

type callOptions struct {
	header      http.Header
	idempotent  bool
	maxAttempts int
	response    *responseTaker // Nil for none.
	operation   string
	ids         []string
	query       url.Values
	fresh       bool
}

// Response is the answer of a call, for [WithResponse].
type Response struct {
	StatusCode int
	Header     http.Header
	Body       []byte // As it arrived, after inflation.
	Attempts   int    // 0 for an answer that was kept; see WithCache.
	Total      int    // Items on all pages of a list; 0 where the service does not tell.
	RateWindow RateWindow
}

// WithResponse fills r with the answer of a call. If the call makes several requests,
// r has the answer of the last one. Header and Body are the caller's own and may be
// changed.
//
// After a call that fails, r has the answer that says so, if there was one, but no
// Body; see [Error]. Beside an iterator, r belongs to the page that the loop is at, so
// that a progress bar knows the Total from the first item on.
func WithResponse(r *Response) CallOption {
	taker := &responseTaker{response: r}
	return func(o *callOptions) error {
		o.response = taker
		if r == nil {
			return inputError("response", "must not be nil")
		}
		return nil
	}
}

// responseTaker fills a Response, by one call at a time.
type responseTaker struct {
	mu       sync.Mutex
	response *Response
}

func (t *responseTaker) take(r Response) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*t.response = r
}

// WithIdempotent declares that the call may be carried out twice without harm,
// so that it is retried like a GET.
func WithIdempotent() CallOption {
	return func(o *callOptions) error { o.idempotent = true; return nil }
}

// WithCallAttempts is [WithMaxAttempts] for one call.
func WithCallAttempts(n int) CallOption {
	return func(o *callOptions) error {
		o.maxAttempts = n
		return between("max attempts", n, 1, mostAttempts)
	}
}

// WithOperation names a call of [Client.Do], which has no name of its own, in
// errors and logs. Other calls refuse it.
func WithOperation(name string) CallOption {
	return func(o *callOptions) error {
		o.operation = name
		return cmp.Or(required("operation", name), printable("operation", name))
	}
}

// WithIDs fills the names in braces in the path of [Client.Do], each as one
// escaped segment: "/conversations/{id}". Other calls refuse it.
func WithIDs(ids ...string) CallOption {
	ids = slices.Clone(ids)
	return func(o *callOptions) error { o.ids = ids; return nil }
}

// WithQuery adds params to the query of a call: a struct with json tags, a map, or
// [url.Values]. What is null is left out. Parameters that the call sets itself are not
// replaced.
func WithQuery(params any) CallOption {
	query, err := queryOf(params)
	return func(o *callOptions) error { o.query = query; return err }
}

func queryOf(params any) (url.Values, error) {
	if query, ok := params.(url.Values); ok {
		return url.Values(http.Header(query).Clone()), nil
	}
	if err := given("params", params); err != nil {
		return nil, err
	}
	query, err := wire.Query(params)
	if err != nil {
		return nil, inputError("params", "cannot be a query: "+err.Error())
	}
	return query, nil
}

// WithHeader sets a header of the request. Authorization and User-Agent are the
// client's own and cannot be set. Neither can Idempotency-Key, which makes net/http
// repeat a POST by itself. For these, and for a name or value that no header can
// have, the call fails with an [InputError].
func WithHeader(name, value string) CallOption {
	return func(o *callOptions) error {
		name := http.CanonicalHeaderKey(name)
		if o.header == nil {
			o.header = http.Header{}
		}
		o.header.Set(name, value)
		return checkHeader(name, value)
	}
}

func checkHeader(name, value string) error {
	if ownHeader(name) {
		return inputError("header "+name, "cannot be set: it is the client's own")
	}
	return cmp.Or(token("header name", name), printable("header "+name, value))
}

// ownHeader reports whether only the client itself may set a header.
func ownHeader(name string) bool {
	switch name {
	case "Authorization", "User-Agent", "Idempotency-Key", "X-Idempotency-Key":
		return true
	}
	return false
}

func newCallOptions(opts []CallOption) (callOptions, error) {
	if len(opts) == 0 {
		return callOptions{}, nil // It stays off the heap.
	}
	options := new(callOptions)
	for _, option := range opts {
		if option == nil {
			return callOptions{}, inputError("call option", "must not be nil")
		}
		if err := option(options); err != nil {
			return callOptions{}, err
		}
	}
	return *options, nil
}

// checkFor refuses the options that a call has no use for.
func (o *callOptions) checkFor(c *call) error {
	switch {
	case c.free:
	case o.operation != "":
		return inputError("operation", "is this call's own: WithOperation is for Do")
	case len(o.ids) > 0:
		return inputError("ids", "are this call's arguments: WithIDs is for Do")
	}
	return nil
}

// addTo returns query with the parameters of WithQuery that are not in it.
func (o *callOptions) addTo(query url.Values) url.Values {
	if o.query == nil {
		return query
	}
	all := maps.Clone(o.query)
	maps.Copy(all, query)
	return all
}

// keepFailure hands an answer that is a failure to WithResponse.
func (o *callOptions) keepFailure(answer *transport.Answer, err error) {
	failure, ok := errors.AsType[*transport.Failure](err)
	if o.response == nil || !ok || failure.Status == 0 {
		return
	}
	o.response.take(Response{
		StatusCode: failure.Status,
		Header:     failure.Header.Clone(),
		Attempts:   answer.Attempts,
		RateWindow: rateWindow(failure.Header),
	})
}

// keepTotal hands the number of items of a list to WithResponse.
func (o *callOptions) keepTotal(n int) {
	if o.response != nil && n > 0 {
		o.response.mu.Lock()
		defer o.response.mu.Unlock()
		o.response.response.Total = n
	}
}

// keep hands the answer to WithResponse.
func (o *callOptions) keep(answer *transport.Answer) {
	if o.response == nil {
		return
	}
	o.response.take(Response{
		StatusCode: answer.Status,
		Header:     answer.Header.Clone(),
		Body:       bytes.Clone(answer.Body),
		Attempts:   answer.Attempts,
		RateWindow: rateWindow(answer.Header),
	})
}
