package salesiqtest

import (
	"net/http"
	"net/url"

	"github.com/salesiq-go/salesiq"
)

// The package is built in layers. A file's name begins with its layer's: http_,
// live_ or domain_. The other dialect is in specified.go and routes.go.
//
//	       request                                        webhook
//	          │                                              ▲
//	┌─ http ──┴──────────────────────────────────────────────┴───────────────┐
//	│ http_serve: one at a time, in and out    http_deliver: events, retried │
//	│ http_faults: what goes wrong             http_quota, http_oauth        │
//	├─ dialects ─────────────────────────────────────────────────────────────┤
//	│ specified: /api/v2/chats      live: /api/v2/nordlicht/conversations    │
//	│ paths, names, envelopes, errors, paging, events; no rule of SalesIQ    │
//	├─ domain ───────────────────────────────────────────────────────────────┤
//	│ table: what all kinds of objects have in common                        │
//	│ chats, visitors, operators, webhooks, …: the rules, once               │
//	│ data and seed: what there is at the start                              │
//	└────────────────────────────────────────────────────────────────────────┘
//
// A request takes the server's lock, which it keeps until its answer is made; the
// clock stands still meanwhile (state.now). The layer http picks a fault, and
// asks for token, quota and scope. A handler of the dialect reads the body into a
// type and calls the domain, which changes the state, publishes what has happened
// as events, and returns an object or a refusal. The dialect writes either in its
// words, and http delivers, or lets the fault befall it. The widget and the CRM
// are small dialects of their own over the same domain.

// dialect is how one version of the service speaks: the one of the specification,
// or the one that its vendor publishes.
type dialect interface {
	routes() []route
	// portal is the part of all paths that clients must be told, or "".
	portal() string
	// events are those that a webhook may be for.
	events() []salesiq.EventName
	// schemes are those of the Authorization header.
	schemes() []string
	// admits refuses requests that the service does not describe.
	admits(r *http.Request, route route, query url.Values, body []byte) error
	// refuses words a refusal.
	refuses(e *refusal) (status int, body any)
	// hasNoCall words what leads nowhere; allowed are the methods that would.
	hasNoCall(r *http.Request, allowed []string) *refusal
	// tellsQuota is whether headers speak of the rate limit.
	tellsQuota() bool
	// writes turns an event into what is sent to a webhook, or into nil.
	writes(s *state, event salesiq.EventName, data any) (func(*salesiq.Webhook) *parcel, error)
}

// route is one call of the API.
type route struct {
	pattern   string // With the id that the call is about as its first wildcard.
	scope     string // "" for none.
	handle    handler
	query     string // The parameters that it takes, separated by spaces.
	adminOnly bool
	open      bool // Needs no token, costs no quota, and takes any request.
	nowhere   bool // Is what no other route is for.
}

// handler carries out a call. Its error is a *refusal.
type handler func(c *call) (*reply, error)

// call is one API call that was let in. The server's lock is held while its
// handler runs.
type call struct {
	*state

	id    string // From the path.
	path  func(name string) string
	query params
	body  members
	url   string
}

// reply is what a call answers with.
type reply struct {
	status int
	body   any // Nil for an answer without one.
}

func deleted() (*reply, error) { return &reply{status: http.StatusNoContent}, nil }

// readBody reads the body of a call.
func readBody[T any](c *call) (in T, err error) {
	err = patch(&in, c.body)
	return in, err
}

// object is JSON that has no type in package salesiq.
type object map[string]any

// without leaves fields out that are empty.
func (o object) without(fields ...string) object {
	for _, field := range fields {
		if o[field] == "" {
			delete(o, field)
		}
	}
	return o
}
