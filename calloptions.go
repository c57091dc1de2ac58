package salesiq

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq/internal/transport"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// CallOption adjusts a single call.
type CallOption func(*callOptions)

type callOptions struct {
	header      http.Header
	idempotent  bool
	maxAttempts int
	response    *Response
	operation   string
	ids         []string
	paging      *PageStyle // Nil for the specified one.
	fresh       bool
	err         error // The first of an option that refuses its argument.
}

// Response is what [WithResponse] hands out.
type Response struct {
	StatusCode int
	Header     http.Header
	Body       []byte // As it arrived, after inflation.
	Attempts   int    // 0 for an answer that was kept; see WithCache.
	RateWindow RateWindow
}

// Envelope is what stands around the data of an answer of the live service.
type Envelope struct {
	URL      string    `json:"url"`
	Object   string    `json:"object"`    // "list", or the name of what data is.
	SyncTime time.Time `json:"sync_time"` // For the last_sync_time of a later call; zero if there is none.

	// MoreData tells whether a list goes on; nil where the service does not say.
	MoreData *bool `json:"more_data_available"`

	Data json.RawMessage `json:"data"`

	// Extra holds all other fields.
	Extra map[string]json.RawMessage `json:",embed"`
}

// Envelope takes the body apart. An answer that is no object, or has no body,
// has a zero one.
func (r *Response) Envelope() Envelope {
	var envelope Envelope
	if err := wire.UnmarshalLenient(r.Body, &envelope); err != nil {
		return Envelope{}
	}
	return envelope
}

// WithResponse fills r with the answer of a successful call. In a call that
// makes several requests, it is the last one's.
func WithResponse(r *Response) CallOption {
	return func(o *callOptions) { o.response = r }
}

// WithIdempotent declares that the call may be carried out twice without harm,
// so that it is retried like a GET.
func WithIdempotent() CallOption {
	return func(o *callOptions) { o.idempotent = true }
}

// WithCallAttempts is [WithMaxAttempts] for one call. Numbers below 1 are
// ignored.
func WithCallAttempts(n int) CallOption {
	return func(o *callOptions) { o.maxAttempts = max(n, 0) }
}

// WithOperation names the call in errors and logs: one of [Client.Do], [Get] and
// the like, which have no name of their own.
func WithOperation(name string) CallOption {
	return func(o *callOptions) { o.operation = name }
}

// WithIDs fills the names in braces in the path of [Client.Do], [Get] and the
// like, each as one escaped segment: "/conversations/{id}".
func WithIDs(ids ...string) CallOption {
	return func(o *callOptions) { o.ids = ids }
}

// WithPaging has an All method ask for its pages in another way than the
// specified one; see [PageStyle]. Where that is by key, the params' Page is not
// used: keys know no numbers.
func WithPaging(style PageStyle) CallOption {
	return func(o *callOptions) { o.paging = &style }
}

// WithHeader sets a header of the request. Authorization and User-Agent are the
// client's own and cannot be set; nor can Idempotency-Key, which makes net/http
// repeat a POST by itself. The call fails with an [InputError] then, as for a
// name or value that no header can have.
func WithHeader(name, value string) CallOption {
	return func(o *callOptions) {
		name = http.CanonicalHeaderKey(name)
		if o.err = firstOf(o.err, checkHeader(name, value)); o.err != nil {
			return
		}
		if o.header == nil {
			o.header = http.Header{}
		}
		o.header.Set(name, value)
	}
}

func checkHeader(name, value string) error {
	if ownHeader(name) {
		return inputError("header "+name, "cannot be set: it is the client's own")
	}
	return firstOf(token("header name", name), printable("header "+name, value))
}

// ownHeader reports whether a header is not for others to set.
func ownHeader(name string) bool {
	switch name {
	case "Authorization", "User-Agent", "Idempotency-Key", "X-Idempotency-Key":
		return true
	}
	return false
}

func (client *Client) callOptions(opts []CallOption) callOptions {
	if len(opts) == 0 {
		return callOptions{} // Which stays off the heap.
	}
	options := new(callOptions)
	for _, option := range opts {
		if option != nil {
			option(options)
		}
	}
	return *options
}

// keep hands the answer to WithResponse.
func (o *callOptions) keep(answer *transport.Answer) {
	if o.response == nil {
		return
	}
	*o.response = Response{
		StatusCode: answer.Status,
		Header:     maps.Clone(answer.Header),
		Body:       bytes.Clone(answer.Body),
		Attempts:   answer.Attempts,
		RateWindow: rateWindow(answer.Header),
	}
}
