package salesiq

import (
	"bytes"
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/salesiq-go/salesiq/internal/transport"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// CallOption adjusts a single call. The call fails with the [InputError] of the
// first one whose argument is no good, before any request.
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

// Response is what [WithResponse] hands out.
type Response struct {
	StatusCode int
	Header     http.Header
	Body       []byte // As it arrived, after inflation.
	Attempts   int    // 0 for an answer that was kept; see WithCache.
	RateWindow RateWindow
}

// WithResponse fills r with the answer of a successful call. In a call that
// makes several requests, it is the last one's. What r holds is its own: header and
// body may be changed.
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
// errors and logs.
func WithOperation(name string) CallOption {
	return func(o *callOptions) error {
		o.operation = name
		return cmp.Or(required("operation", name), printable("operation", name))
	}
}

// WithIDs fills the names in braces in the path of [Client.Do], each as one
// escaped segment: "/conversations/{id}".
func WithIDs(ids ...string) CallOption {
	ids = slices.Clone(ids)
	return func(o *callOptions) error { o.ids = ids; return nil }
}

// WithQuery adds params to the query of a call: a struct with json tags, a map, or
// [url.Values]. A call that has such a parameter of its own keeps it.
func WithQuery(params any) CallOption {
	query, err := queryOf(params)
	return func(o *callOptions) error { o.query = query; return err }
}

func queryOf(params any) (url.Values, error) {
	switch params := params.(type) {
	case url.Values:
		return url.Values(http.Header(params).Clone()), nil
	case nil:
		return nil, inputError("params", "must not be nil")
	}
	query, err := wire.Query(params)
	if err != nil {
		return nil, inputError("params", "cannot be a query: "+err.Error())
	}
	return query, nil
}

// WithHeader sets a header of the request. Authorization and User-Agent are the
// client's own and cannot be set; nor can Idempotency-Key, which makes net/http
// repeat a POST by itself. The call fails with an [InputError] then, as for a
// name or value that no header can have.
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

// ownHeader reports whether a header is not for others to set.
func ownHeader(name string) bool {
	switch name {
	case "Authorization", "User-Agent", "Idempotency-Key", "X-Idempotency-Key":
		return true
	}
	return false
}

func newCallOptions(opts []CallOption) (callOptions, error) {
	if len(opts) == 0 {
		return callOptions{}, nil // Which stays off the heap.
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

// addTo returns query with the parameters of WithQuery that are not in it.
func (o *callOptions) addTo(query url.Values) url.Values {
	if o.query == nil {
		return query
	}
	all := maps.Clone(o.query)
	maps.Copy(all, query)
	return all
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
