package salesiqtest

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
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
//     names, and are signed with RSA where the webhook is secured. [Server.Emit] makes
//     any of them happen: it completes data with an id by what is known of that object.
//
// Ids are those of the state, in either dialect. There is what package live has
// calls for. Of what the specification has, there are no devices, notifications and
// statistics, and its routing rules are others than those here. The calls of the
// visitor's side need [Server.OrgCredentials].
func Live() Option { return func(c *config) error { c.dialect = live{}; return nil } }

// live is the dialect of the live service.
type live struct{}

func (live) routes() []route { return liveRoutes }

func (live) portal() string { return Portal }

// schemes are the documented one, and the one that the service takes as well.
func (live) schemes() []string { return []string{"Zoho-oauthtoken", "Bearer"} }

func (live) tellsQuota() bool { return false }

// admits takes bodies of JSON alone, by the vendor's page on errors, and only the
// parameters that the route names, so that none is ignored.
func (live) admits(r *http.Request, route route, query url.Values, body []byte) error {
	if untyped := route.typed && r.Header.Get("Content-Type") == ""; untyped || len(body) > 0 && !isJSON(r) {
		return invalidHeader("Content-Type", "must be application/json")
	}
	known := strings.Fields(route.query)
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !slices.Contains(known, name) {
			p := params{}
			p.fail(name, "is no parameter of this call")
			return p.err
		}
	}
	return nil
}

// answers tells what a result is called, or shows nothing where that has no name,
// as the vendor's pages show for such calls.
func (live) answers(c *call, result any) *reply {
	if c.route.object == "" {
		return &reply{status: http.StatusNoContent}
	}
	return &reply{http.StatusOK, object{"url": c.url, "object": c.route.object, "data": c.show(result)}}
}

// show is an object of the domain as the vendor writes it.
func (s *state) show(item any) any {
	switch item := item.(type) {
	case *salesiq.Chat:
		return s.conversation(item)
	case *salesiq.Visitor:
		return s.liveVisitorDetails(item)
	case *salesiq.Operator:
		return s.liveOperator(item)
	case *salesiq.Brand:
		return s.liveApp(item)
	case *salesiq.Department:
		return s.liveDepartment(item)
	case *salesiq.Webhook:
		return s.liveWebhook(item)
	case *tag:
		return s.liveTag(item)
	case []*tag:
		return s.liveTags(item)
	}
	return item
}

// window answers with some of the items, and with what else there is to tell.
func window[T any](c *call, items []T, from, size int, more object) (any, error) {
	if c.query.err != nil {
		return nil, c.query.err
	}
	from = min(max(from, 0), len(items))
	data := []any{}
	for _, item := range items[from:min(from+size, len(items))] {
		data = append(data, c.show(item))
	}
	body := object{"url": c.url, "object": "list", "data": data, "sync_time": millis(c.now)}
	maps.Copy(body, more)
	return &reply{http.StatusOK, body}, nil
}

// indexed answers with a page whose parameter numbers items from 1.
func indexed[T any](c *call, items []T, more object) (any, error) {
	index := c.query.number("index", 1, 0, endlessly)
	size := c.query.number("limit", liveIndexedPage, 1, liveIndexedPage)
	return window(c, items, index-1, size, more)
}

// The page sizes of the live service.
const (
	liveConversationPage        = 20
	liveMaxConversationPage     = 99
	liveMaxIndexedConversations = 100
	liveMaxMessagePage          = 100
	liveIndexedPage             = 20
	liveVisitorPage             = 200
	liveMaxExecutionPage        = 50
)

// hasMore tells whether a window is not the last one.
func hasMore(more bool) object { return object{"more_data_available": more} }

// ref is how the live service names one object in another.
func ref(id, name string) object { return object{"id": id, "name": name} }

// owner is the operator who is named as the creator of what the API has made.
func (s *state) owner() object {
	operator, ok := s.operators.get(accountOwner)
	if !ok {
		return ref(accountOwner, "")
	}
	return ref(operator.ID, operator.Name)
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
	case e.inHeader:
		out["header"], out["code"] = field, 1054
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

// refusesPath tells a wrong method, a wrong portal and a wrong path apart. Where a
// path has a portal, it stands behind the version.
func (live) refusesPath(r *http.Request, allowed []string) *refusal {
	refused := refuse(salesiq.ErrResourceNotFound, "Invalid URL", nil)
	portal := portalInPath.ReplaceAllString(r.URL.Path, "$1")
	switch {
	case len(allowed) > 0:
		refused.code, refused.message, refused.number = salesiq.ErrInvalidRequest, "Invalid Request Type.", 1004
	case portalInPath.MatchString(r.URL.Path) && portal != Portal:
		refused.message, refused.number = "Invalid portal or wrong screen name.", 1005
	default:
		refused.number = 1006
	}
	return refused
}

var portalInPath = regexp.MustCompile(`^(?:/api|/visitor|/api/visitor)/v\d/([^/]+)/.*$`)
