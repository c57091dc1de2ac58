package salesiqtest

import (
	"net/http"
	"net/url"

	"github.com/salesiq-go/salesiq"
)

// The package is built in layers. A file's name begins with its layer's: http_,
// live_ or domain_. The other dialect is in specified.go and routes.go, and what bots
// are told and answer is in bot.go and bot_.
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
// A request goes through the layers like this:
//
//  1. http picks a fault, takes the server's lock, and checks token, quota and scope.
//     The lock is held, and the clock (state.now) stands still, until 4 is done.
//  2. A handler of the dialect reads the body into a type, and calls the domain.
//  3. The domain changes the state, publishes events, and returns an object or a
//     refusal.
//  4. The dialect writes either in its own words.
//  5. http sends the answer, changed by the fault if there is one.
//
// The widget, the CRM and the protocol of bots are small dialects of their own over the
// same domain. All calls are in routes.go. A bot is told of what happens as a webhook is:
// bot_talk has the rules, bot_answer reads and checks what it answers, bot_post posts, and
// bot_converse plays the visitor in a test.

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
	// answers writes what a handler returned.
	answers(c *call, result any) *reply
	// refuses words a refusal.
	refuses(e *refusal) (status int, body any)
	// refusesPath is the refusal of a request that no route is for. Allowed are the
	// methods that the path has routes for.
	refusesPath(r *http.Request, allowed []string) *refusal
	// tellsQuota is whether answers have the headers of the rate limit.
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
	status    int    // Of a success in the specified dialect, if it is not 200.
	object    string // What the live dialect calls its result; "" if it shows none.
	adminOnly bool
	org       bool // Of a visitor's side: needs the token of an organization's client.
	notAgents bool
	typed     bool // In the live dialect: a body must come with its Content-Type.
	open      bool // The widget's: needs no token, and costs no quota.
}

// handler carries out a call. It returns an object of the domain, or nil, for the
// dialect to write, or a whole *reply. Its error is a *refusal.
type handler func(c *call) (result any, err error)

// call is one API call that was let in. The server's lock is held while its
// handler runs.
type call struct {
	*state

	route  route
	id     string // From the path.
	path   func(name string) string
	header http.Header
	query  params
	body   members
	url    string
}

// reply is what a call answers with.
type reply struct {
	status int
	body   any // Nil for an answer without one.
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

// The handlers of both dialects follow. Their argument of is the table of a kind of
// objects, such as chats.

func get[T any](of func(*state) *table[T]) handler {
	return ask(func(s *state, id string) (*T, error) { return of(s).find(id) })
}

func remove[T any](of func(*state) *table[T]) handler {
	return ask(func(s *state, id string) (any, error) { return nil, of(s).remove(id) })
}

// ask answers with what the domain says about the id of the path.
func ask[Out any](about func(*state, string) (Out, error)) handler {
	return func(c *call) (any, error) {
		out, err := about(c.state, c.id)
		if err != nil {
			return nil, err
		}
		return out, nil
	}
}

// act reads the body, and lets the domain do something with the id of the path.
func act[In, Out any](on func(s *state, id string, in In) (Out, error)) handler {
	return func(c *call) (any, error) {
		var in In
		if err := patch(&in, c.body); err != nil {
			return nil, err
		}
		return ask(func(s *state, id string) (Out, error) { return on(s, id, in) })(c)
	}
}
