package salesiqtest

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/salesiq-go/salesiq"
)

// route is one call of the API.
type route struct {
	pattern   string
	scope     string // "" for none.
	handle    handler
	adminOnly bool
	open      bool   // Needs no token and costs no quota.
	wildcard  string // The name of the id in the pattern.
}

// The scopes that the specification has no finer name for.
const (
	visitorsAll = "SalesIQ.visitors.ALL"
	settingsAll = "SalesIQ.settings.ALL"
)

// allScopes is what the default refresh token permits.
var allScopes = []string{
	"SalesIQ.operators.ALL", visitorsAll, "SalesIQ.chats.ALL", "SalesIQ.leads.ALL", settingsAll,
	"SalesIQ.analytics.READ", "ZohoCRM.modules.ALL",
	// Of the live service.
	"SalesIQ.portals.ALL", "SalesIQ.conversations.ALL", "SalesIQ.departments.ALL", "SalesIQ.apps.ALL",
	"SalesIQ.webhooks.ALL", "SalesIQ.tags.ALL",
}

// crmRoutes are the calls of Zoho CRM that the specification's samples make.
var crmRoutes = []route{
	{pattern: "GET /crm/v8/Leads/search", scope: "ZohoCRM.modules.leads.READ", handle: searchLeads},
	{pattern: "POST /crm/v8/Leads", scope: "ZohoCRM.modules.leads.CREATE", handle: createLeads},
}

// apiRoutes are the calls of the specification, in its order, and the CRM's.
var apiRoutes = append([]route{
	{pattern: "GET /api/v2/chats", scope: "SalesIQ.chats.READ", handle: listChats},
	{pattern: "GET /api/v2/chats/{chat_id}", scope: "SalesIQ.chats.READ", handle: getChat},
	{pattern: "GET /api/v2/chats/{chat_id}/transcript", scope: "SalesIQ.chats.READ", handle: getTranscript},
	{pattern: "POST /api/v2/chats/{chat_id}/messages", scope: "SalesIQ.chats.UPDATE", handle: sendMessage},
	{pattern: "POST /api/v2/chats/{chat_id}/transfer", scope: "SalesIQ.chats.UPDATE", handle: transferChat},
	{pattern: "POST /api/v2/chats/{chat_id}/end", scope: "SalesIQ.chats.UPDATE", handle: endChat},
	{pattern: "POST /api/v2/chats/{chat_id}/rating", scope: "SalesIQ.chats.UPDATE", handle: rateChat},

	{pattern: "GET /api/v2/visitors", scope: "SalesIQ.visitors.READ", handle: listVisitors},
	{pattern: "GET /api/v2/visitors/{visitor_id}", scope: "SalesIQ.visitors.READ", handle: getVisitor},
	{pattern: "PATCH /api/v2/visitors/{visitor_id}", scope: visitorsAll, handle: updateVisitor},
	{pattern: "GET /api/v2/visitors/{visitor_id}/activity", scope: "SalesIQ.visitors.READ", handle: getActivity},
	{pattern: "POST /api/v2/visitors/{visitor_id}/tags", scope: visitorsAll, handle: tagVisitor},

	{pattern: "GET /api/v2/operators", scope: "SalesIQ.operators.READ", handle: listOperators},
	{pattern: "GET /api/v2/operators/{operator_id}", scope: "SalesIQ.operators.READ", handle: getOperator},
	{pattern: "POST /api/v2/operators", scope: "SalesIQ.operators.CREATE", handle: createOperator, adminOnly: true},
	{pattern: "PATCH /api/v2/operators/{operator_id}", scope: "SalesIQ.operators.UPDATE", handle: updateOperator, adminOnly: true},
	{pattern: "DELETE /api/v2/operators/{operator_id}", scope: "SalesIQ.operators.DELETE", handle: deleteOperator, adminOnly: true},
	{pattern: "GET /api/v2/operators/{operator_id}/stats", scope: "SalesIQ.operators.READ", handle: getOperatorStats},

	{pattern: "GET /api/v2/brands", scope: "SalesIQ.settings.READ", handle: listBrands},
	{pattern: "GET /api/v2/brands/{brand_id}", scope: "SalesIQ.settings.READ", handle: getBrand},
	{pattern: "PATCH /api/v2/brands/{brand_id}", scope: settingsAll, handle: updateBrand, adminOnly: true},
	{pattern: "GET /api/v2/brands/{brand_id}/departments", scope: "SalesIQ.settings.READ", handle: listDepartments},

	{pattern: "POST /api/v2/devices", scope: "SalesIQ.operators.UPDATE", handle: registerDevice},
	{pattern: "DELETE /api/v2/devices/{device_id}", scope: "SalesIQ.operators.UPDATE", handle: unregisterDevice},
	{pattern: "POST /api/v2/notifications", scope: "SalesIQ.operators.UPDATE", handle: sendNotification},

	{pattern: "GET /api/v2/routing/rules", scope: "SalesIQ.settings.READ", handle: listRules},
	{pattern: "POST /api/v2/routing/rules", scope: settingsAll, handle: createRule, adminOnly: true},
	{pattern: "PATCH /api/v2/routing/rules/{rule_id}", scope: settingsAll, handle: updateRule, adminOnly: true},
	{pattern: "DELETE /api/v2/routing/rules/{rule_id}", scope: settingsAll, handle: deleteRule, adminOnly: true},

	{pattern: "GET /api/v2/webhooks", scope: "SalesIQ.settings.READ", handle: listWebhooks},
	{pattern: "POST /api/v2/webhooks", scope: settingsAll, handle: createWebhook, adminOnly: true},
	{pattern: "PATCH /api/v2/webhooks/{webhook_id}", scope: settingsAll, handle: updateWebhook, adminOnly: true},
	{pattern: "DELETE /api/v2/webhooks/{webhook_id}", scope: settingsAll, handle: deleteWebhook, adminOnly: true},
}, crmRoutes...)

// routes returns everything that faults may befall.
func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	served := apiRoutes
	if s.config.live {
		served = liveRoutes
	}
	for _, route := range served {
		_, rest, _ := strings.Cut(route.pattern, "{")
		route.wildcard, _, _ = strings.Cut(rest, "}")
		mux.Handle(route.pattern, s.api(route))
	}
	mux.HandleFunc("/oauth/v2/auth", s.consent)
	mux.HandleFunc("POST /oauth/v2/token", s.issueToken)
	mux.HandleFunc("POST /oauth/v2/token/revoke", s.revokeToken)
	s.widgetRoutes(mux)
	mux.Handle("/", s.unknown(mux))
	return mux
}

// unknown answers what no route does.
func (s *Server) unknown(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.api(route{open: !isAPI(r), handle: func(*call) (*reply, error) {
			if s.config.live {
				return nil, unknownLivePath(r.URL.Path, len(methodsOf(mux, r)) > 0)
			}
			return nil, noSuchCall(w, mux, r)
		}}).ServeHTTP(w, r)
	})
}

// noSuchCall is 405 where another method would do, 404 otherwise.
func noSuchCall(w http.ResponseWriter, mux *http.ServeMux, r *http.Request) error {
	if !isClean(r) {
		e := notFound("path", r.URL.Path)
		e.message += ": a part of it is empty or relative"
		return e
	}
	allowed := methodsOf(mux, r)
	if len(allowed) == 0 {
		return notFound("path", r.URL.Path)
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	e := refuse(salesiq.ErrInvalidRequest, "the method "+r.Method+" is not allowed here",
		details{"field": "method", "allowed": allowed})
	e.status = http.StatusMethodNotAllowed
	return e
}

// isClean tells whether a path is as written in the specification. A mux would
// redirect other ones, and an id that is empty would lead to another call.
func isClean(r *http.Request) bool {
	escaped := r.URL.EscapedPath()
	return path.Clean(escaped) == escaped
}

// methodsOf lists the methods that a path takes.
func methodsOf(mux *http.ServeMux, r *http.Request) (methods []string) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "/" && !slices.Contains(methods, method) {
			methods = append(methods, method)
		}
	}
	return methods
}
