package salesiqtest

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
)

// Portal is the screen name of the portal that a server has which is [Live].
const Portal = "nordlicht"

// Live speaks as the live service does by its vendor's pages, instead of as
// specified. The state is the same: chats are conversations, brands are apps.
//
//   - The paths have the portal's screen name in them, all but /api/v2/portals.
//   - Errors have status 200, and the vendor's numbers: an expired token is 1008,
//     too many calls are 1023. No header speaks of the rate limit.
//   - Flags and numbers are strings, times are milliseconds in strings.
//   - Webhooks are probed with HEAD when they are made. Events have the vendor's
//     names, and are signed with RSA where the webhook is secured.
//
// There is what package live has calls for. Of what the specification has,
// there are no ratings, devices, notifications, statistics, routing rules and
// updates.
func Live() Option { return func(c *config) error { c.dialect = live{}; return nil } }

// live is the dialect of the live service.
type live struct{}

const liveRoot = "/api/v2/" + Portal

// liveRoutes are the vendor's calls that package live makes, and the CRM's.
var liveRoutes = append([]route{
	{pattern: "GET /api/v2/portals", scope: "SalesIQ.portals.READ", handle: listPortals},
	{pattern: "GET /api/v2/portals/{name}", scope: "SalesIQ.portals.READ", handle: askLive("portal", (*state).livePortal)},

	{pattern: "GET " + liveRoot + "/conversations", scope: "SalesIQ.conversations.READ", handle: listConversations},
	{pattern: "GET " + liveRoot + "/conversations/{id}", scope: "SalesIQ.conversations.READ", handle: getLive("conversations", chats, (*state).conversation)},
	{pattern: "GET " + liveRoot + "/conversations/{id}/messages", scope: "SalesIQ.conversations.READ", handle: listMessages},
	{pattern: "POST " + liveRoot + "/conversations/{id}/messages", scope: "SalesIQ.conversations.CREATE", handle: actLive("message", (*state).sendText)},
	{pattern: "PUT " + liveRoot + "/conversations/{id}/transfer", scope: "SalesIQ.conversations.UPDATE", handle: actLive("conversations", (*state).transferConversation)},
	{pattern: "PUT " + liveRoot + "/conversations/{id}/close", scope: "SalesIQ.conversations.UPDATE", handle: askLive("conversations", (*state).closeConversation)},
	{pattern: "PUT " + liveRoot + "/conversations/{id}/tags", scope: "SalesIQ.conversations.UPDATE", handle: actLive("", (*state).tagConversation)},

	{pattern: "GET " + liveRoot + "/operators", scope: "SalesIQ.operators.READ", handle: listLiveOperators},
	{pattern: "POST " + liveRoot + "/operators", scope: "SalesIQ.operators.CREATE", handle: actLive("operator", (*state).createLiveOperator), adminOnly: true},
	{pattern: "GET " + liveRoot + "/operators/{id}", scope: "SalesIQ.operators.READ", handle: getLive("operator", operators, (*state).liveOperator)},
	{pattern: "DELETE " + liveRoot + "/operators/{id}", scope: "SalesIQ.operators.DELETE", handle: remove(operators), adminOnly: true},
	{pattern: "PUT " + liveRoot + "/operators/{id}/enable", scope: "SalesIQ.operators.UPDATE", handle: enableLiveOperator(true), adminOnly: true},
	{pattern: "PUT " + liveRoot + "/operators/{id}/disable", scope: "SalesIQ.operators.UPDATE", handle: enableLiveOperator(false), adminOnly: true},

	{pattern: "GET " + liveRoot + "/departments", scope: "SalesIQ.departments.READ", handle: listLiveDepartments},
	{pattern: "GET " + liveRoot + "/apps", scope: "SalesIQ.apps.READ", handle: listLive(brands, (*state).liveApp)},
	{pattern: "GET " + liveRoot + "/apps/{id}", scope: "SalesIQ.apps.READ", handle: getLive("app", brands, (*state).liveApp)},
	{pattern: "POST " + liveRoot + "/tags", scope: "SalesIQ.tags.CREATE", handle: actLive("tags", (*state).createTag)},
	{pattern: "GET /api/v3/" + Portal + "/visitors", scope: "SalesIQ.visitors.READ", handle: listLiveVisitors},

	{pattern: "GET " + liveRoot + "/webhooks", scope: "SalesIQ.webhooks.READ", handle: listLive(webhooks, (*state).liveWebhook)},
	{pattern: "POST " + liveRoot + "/webhooks", scope: "SalesIQ.webhooks.CREATE", handle: createLiveWebhook, adminOnly: true},
	{pattern: "GET " + liveRoot + "/webhooks/{id}", scope: "SalesIQ.webhooks.READ", handle: getLive("webhook", webhooks, (*state).liveWebhook)},
	{pattern: "PUT " + liveRoot + "/webhooks/{id}", scope: "SalesIQ.webhooks.UPDATE", handle: updateLiveWebhook, adminOnly: true},
	{pattern: "DELETE " + liveRoot + "/webhooks/{id}", scope: "SalesIQ.webhooks.DELETE", handle: remove(webhooks), adminOnly: true},
	{pattern: "POST " + liveRoot + "/webhooks/{id}/keys", scope: "SalesIQ.webhooks.CREATE", handle: generateKey, adminOnly: true},
	{pattern: "DELETE " + liveRoot + "/webhooks/{id}/keys/{key}", scope: "SalesIQ.webhooks.DELETE", handle: deleteKey, adminOnly: true},
	{pattern: "GET " + liveRoot + "/webhooks/{id}/executions", scope: "SalesIQ.webhooks.READ", handle: listExecutions},
	{pattern: "POST " + liveRoot + "/webhooks/{id}/executions", scope: "SalesIQ.webhooks.CREATE", handle: actLive("webhook", (*state).retryExecutions), adminOnly: true},
}, crmRoutes...)

func (live) routes() []route { return liveRoutes }

func (live) portal() string { return Portal }

// schemes are the documented one, and the one that the service takes as well.
func (live) schemes() []string { return []string{"Zoho-oauthtoken", "Bearer"} }

func (live) tellsQuota() bool { return false }

// admits everything, since nobody knows what the service refuses.
func (live) admits(*http.Request, route, url.Values, []byte) error { return nil }

// liveReply answers with one object, or with nothing where that has no name, as
// the vendor's pages show for such calls.
func (c *call) liveReply(kind string, data any, err error) (*reply, error) {
	if err != nil {
		return nil, err
	}
	if kind == "" {
		return deleted()
	}
	return &reply{http.StatusOK, object{"url": c.url, "object": kind, "data": data}}, nil
}

// liveWindow answers with some of the items, and with what else there is to tell.
func (c *call) liveWindow(items []object, from, size int, more object, err error) (*reply, error) {
	if err := cmp.Or(c.query.err, err); err != nil {
		return nil, err
	}
	from = min(max(from, 0), len(items))
	data := append([]object{}, items[from:min(from+size, len(items))]...)
	body := object{"url": c.url, "object": "list", "data": data, "sync_time": millis(c.now)}
	maps.Copy(body, more)
	return &reply{http.StatusOK, body}, nil
}

// hasMore tells whether a window is not the last one.
func hasMore(more bool) object { return object{"more_data_available": more} }

// shownAs writes objects as the live service does.
func shownAs[T any](s *state, items []*T, show func(*state, *T) object) []object {
	out := make([]object, len(items))
	for i, item := range items {
		out[i] = show(s, item)
	}
	return out
}

// liveOr writes an object, unless there is an error.
func liveOr[T any](s *state, item *T, err error, show func(*state, *T) object) (any, error) {
	if err != nil {
		return nil, err
	}
	return show(s, item), nil
}

// listLive answers with all objects of a kind.
func listLive[T any](of func(*state) *table[T], show func(*state, *T) object) handler {
	return func(c *call) (*reply, error) {
		items := shownAs(c.state, of(c.state).matching(nil), show)
		return c.liveWindow(items, 0, len(items), nil, nil)
	}
}

func getLive[T any](kind string, of func(*state) *table[T], show func(*state, *T) object) handler {
	return askLive(kind, func(s *state, id string) (any, error) {
		item, err := of(s).find(id)
		return liveOr(s, item, err, show)
	})
}

// askLive is askAbout for the live dialect.
func askLive[Out any](kind string, ask func(*state, string) (Out, error)) handler {
	return func(c *call) (*reply, error) {
		out, err := ask(c.state, c.id)
		return c.liveReply(kind, out, err)
	}
}

// actLive is actOn for the live dialect.
func actLive[In, Out any](kind string, act func(*state, string, In) (Out, error)) handler {
	return func(c *call) (*reply, error) {
		in, err := readBody[In](c)
		if err != nil {
			return nil, err
		}
		out, err := act(c.state, c.id, in)
		return c.liveReply(kind, out, err)
	}
}

// idList is a body that is a list of ids.
type idList struct {
	IDs []string `json:"ids"`
}

// millis writes a time as the live service does, also one that never was.
func millis(t time.Time) string {
	if t.IsZero() {
		return "-1"
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}

// milli reads a time out of a query.
func (p *params) milli(name string) time.Time {
	text := p.text(name)
	if text == "" {
		return time.Time{}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		p.fail(name, "must be milliseconds since 1970")
	}
	return time.UnixMilli(n).UTC()
}

// liveNumbers are the vendor's numbers for our codes.
var liveNumbers = map[salesiq.ErrorCode]int{
	salesiq.ErrInvalidToken:         1008,
	salesiq.ErrInvalidOAuthScope:    1009,
	salesiq.ErrInvalidRequest:       1011,
	salesiq.ErrRequiredFieldMissing: 1011,
	salesiq.ErrChatNotActive:        1011,
	salesiq.ErrDuplicateResource:    1014,
	salesiq.ErrPermissionDenied:     1016,
	salesiq.ErrResourceNotFound:     1019,
	salesiq.ErrInvalidVisitorID:     1019,
	salesiq.ErrOperatorOffline:      1020,
	salesiq.ErrRateLimitExceeded:    1023,
	salesiq.ErrInvalidDepartment:    1025,
	salesiq.ErrInternalError:        1001,
}

// refuses with 200, whatever happened, unless the server itself failed. Fields
// have the names of the specification where the rule is the domain's.
func (live) refuses(e *refusal) (status int, body any) {
	out := object{"code": cmp.Or(e.number, liveNumbers[e.code]), "message": e.message}
	field, named := e.details["field"]
	switch {
	case !named:
	case e.inQuery:
		out["param"] = field
	case e.code == salesiq.ErrInvalidToken:
		out["header"] = field
	case field == "body":
		out["code"] = 1015
	default:
		out["json_key"] = field
	}
	if e.code == salesiq.ErrInternalError {
		return http.StatusInternalServerError, object{"error": out}
	}
	return http.StatusOK, object{"error": out}
}

// hasNoCall refuses a path that leads nowhere, or not with this method.
func (live) hasNoCall(r *http.Request, allowed []string) *refusal {
	segments := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	refused := refuse(salesiq.ErrResourceNotFound, "Invalid URL", nil)
	switch {
	case len(allowed) > 0:
		refused.code, refused.message, refused.number = salesiq.ErrInvalidRequest, "Invalid Request Type.", 1004
	case len(segments) > 3 && segments[0] == "api" && segments[2] != Portal:
		refused.message, refused.number = "Invalid portal or wrong screen name.", 1005
	default:
		refused.number = 1006
	}
	return refused
}
