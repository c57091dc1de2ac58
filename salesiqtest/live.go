package salesiqtest

import (
	"cmp"
	"net/http"
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
func Live() Option { return func(c *config) error { c.live = true; return nil } }

// liveState is what the live dialect remembers beside the rest.
type liveState struct {
	tags     table[liveTag]
	disabled map[string]bool             // Operators, by id.
	webhooks map[string]*webhookSettings // By id.
	retried  map[string]bool             // Failed executions, by id.
}

func newLiveState() *liveState {
	return &liveState{disabled: map[string]bool{}, webhooks: map[string]*webhookSettings{}, retried: map[string]bool{}}
}

// liveRoutes are the vendor's calls that package live makes, and the CRM's.
var liveRoutes = append([]route{
	{pattern: "GET /api/v2/portals", scope: "SalesIQ.portals.READ", handle: listPortals},
	{pattern: "GET /api/v2/portals/{name}", scope: "SalesIQ.portals.READ", handle: getPortal},

	{pattern: "GET " + liveRoot + "/conversations", scope: "SalesIQ.conversations.READ", handle: listConversations},
	{pattern: "GET " + liveRoot + "/conversations/{id}", scope: "SalesIQ.conversations.READ", handle: getConversation},
	{pattern: "GET " + liveRoot + "/conversations/{id}/messages", scope: "SalesIQ.conversations.READ", handle: listMessages},
	{pattern: "POST " + liveRoot + "/conversations/{id}/messages", scope: "SalesIQ.conversations.CREATE", handle: postMessage},
	{pattern: "PUT " + liveRoot + "/conversations/{id}/transfer", scope: "SalesIQ.conversations.UPDATE", handle: transferConversation},
	{pattern: "PUT " + liveRoot + "/conversations/{id}/close", scope: "SalesIQ.conversations.UPDATE", handle: closeConversation},
	{pattern: "PUT " + liveRoot + "/conversations/{id}/tags", scope: "SalesIQ.conversations.UPDATE", handle: tagConversation},

	{pattern: "GET " + liveRoot + "/operators", scope: "SalesIQ.operators.READ", handle: listLiveOperators},
	{pattern: "POST " + liveRoot + "/operators", scope: "SalesIQ.operators.CREATE", handle: createLiveOperator, adminOnly: true},
	{pattern: "GET " + liveRoot + "/operators/{id}", scope: "SalesIQ.operators.READ", handle: getLiveOperator},
	{pattern: "DELETE " + liveRoot + "/operators/{id}", scope: "SalesIQ.operators.DELETE", handle: deleteLiveOperator, adminOnly: true},
	{pattern: "PUT " + liveRoot + "/operators/{id}/enable", scope: "SalesIQ.operators.UPDATE", handle: enableOperator(true), adminOnly: true},
	{pattern: "PUT " + liveRoot + "/operators/{id}/disable", scope: "SalesIQ.operators.UPDATE", handle: enableOperator(false), adminOnly: true},

	{pattern: "GET " + liveRoot + "/departments", scope: "SalesIQ.departments.READ", handle: listLiveDepartments},
	{pattern: "GET " + liveRoot + "/apps", scope: "SalesIQ.apps.READ", handle: listApps},
	{pattern: "GET " + liveRoot + "/apps/{id}", scope: "SalesIQ.apps.READ", handle: getApp},
	{pattern: "POST " + liveRoot + "/tags", scope: "SalesIQ.tags.CREATE", handle: createTag},
	{pattern: "GET /api/v3/" + Portal + "/visitors", scope: "SalesIQ.visitors.READ", handle: listLiveVisitors},

	{pattern: "GET " + liveRoot + "/webhooks", scope: "SalesIQ.webhooks.READ", handle: listLiveWebhooks},
	{pattern: "POST " + liveRoot + "/webhooks", scope: "SalesIQ.webhooks.CREATE", handle: createLiveWebhook, adminOnly: true},
	{pattern: "GET " + liveRoot + "/webhooks/{id}", scope: "SalesIQ.webhooks.READ", handle: getLiveWebhook},
	{pattern: "PUT " + liveRoot + "/webhooks/{id}", scope: "SalesIQ.webhooks.UPDATE", handle: updateLiveWebhook, adminOnly: true},
	{pattern: "DELETE " + liveRoot + "/webhooks/{id}", scope: "SalesIQ.webhooks.DELETE", handle: deleteWebhook, adminOnly: true},
	{pattern: "POST " + liveRoot + "/webhooks/{id}/keys", scope: "SalesIQ.webhooks.CREATE", handle: generateKey, adminOnly: true},
	{pattern: "DELETE " + liveRoot + "/webhooks/{id}/keys/{key}", scope: "SalesIQ.webhooks.DELETE", handle: deleteKey, adminOnly: true},
	{pattern: "GET " + liveRoot + "/webhooks/{id}/executions", scope: "SalesIQ.webhooks.READ", handle: listExecutions},
	{pattern: "POST " + liveRoot + "/webhooks/{id}/executions", scope: "SalesIQ.webhooks.CREATE", handle: retryExecutions, adminOnly: true},
}, crmRoutes...)

const liveRoot = "/api/v2/" + Portal

// liveAnswer surrounds the live service's answers.
type liveAnswer struct {
	URL      string `json:"url"`
	Object   string `json:"object"`
	Data     any    `json:"data"`
	SyncTime string `json:"sync_time,omitzero"`
	More     *bool  `json:"more_data_available,omitzero"`
	NextKey  string `json:"next_key,omitzero"`
	PrevKey  string `json:"prev_key,omitzero"`
}

func (c *call) one(object string, data any) (*reply, error) {
	return &reply{http.StatusOK, liveAnswer{URL: c.url, Object: object, Data: data}}, nil
}

func (c *call) many(data any) (*reply, error) {
	return &reply{http.StatusOK, liveAnswer{URL: c.url, Object: "list", Data: data, SyncTime: millis(c.now)}}, nil
}

// window answers with some of the items.
func window[T any](c *call, items []T, from, size int, tellMore bool) (*reply, error) {
	from = min(max(from, 0), len(items))
	to := min(from+size, len(items))
	answer := liveAnswer{URL: c.url, Object: "list", Data: append([]T{}, items[from:to]...), SyncTime: millis(c.now)}
	if tellMore {
		answer.More = new(to < len(items))
	}
	return &reply{http.StatusOK, answer}, nil
}

// millis writes a time as the live service does, also one that never was.
func millis(t time.Time) string {
	if t.IsZero() {
		return "-1"
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}

// millisOrNothing writes a time as the live service does where it leaves out one
// that never was.
func millisOrNothing(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return millis(t)
}

// milli reads a time out of a query.
func (p *params) milli(name string) time.Time {
	text := p.query.Get(name)
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

type liveErrorBody struct {
	Error liveError `json:"error"`
}

type liveError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Key     string `json:"json_key,omitzero"`
	Param   string `json:"param,omitzero"`
	Header  string `json:"header,omitzero"`
}

// liveStatus is 200, whatever happened, unless the server itself failed.
func (e *apiError) liveStatus() int {
	if e.code == salesiq.ErrInternalError {
		return http.StatusInternalServerError
	}
	return http.StatusOK
}

func (e *apiError) liveBody() any {
	out := liveError{Code: cmp.Or(e.number, liveNumbers[e.code]), Message: e.message}
	field, _ := e.details["field"].(string)
	switch {
	case e.inQuery:
		out.Param = field
	case e.code == salesiq.ErrInvalidToken:
		out.Header = field
	case field == "body":
		out.Code = 1015
	default:
		out.Key = field
	}
	return liveErrorBody{out}
}

// unknownLivePath refuses a path that leads nowhere, or not with this method.
func unknownLivePath(path string, otherMethod bool) error {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	refused := refuse(salesiq.ErrResourceNotFound, "Invalid URL", nil)
	switch {
	case otherMethod:
		refused.code, refused.message, refused.number = salesiq.ErrInvalidRequest, "Invalid Request Type.", 1004
	case len(segments) > 3 && segments[0] == "api" && segments[2] != Portal:
		refused.message, refused.number = "Invalid portal or wrong screen name.", 1005
	default:
		refused.number = 1006
	}
	return refused
}
