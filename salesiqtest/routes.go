package salesiqtest

import (
	"net/http"
	"slices"
)

// All calls are here: those of a dialect, the CRM's and the widget's in tables, the
// others in routes. The control calls are in http_control.go, since no fault can be
// injected into them.

// routes returns all calls that a fault can be injected into.
func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, route := range slices.Concat(s.config.dialect.routes(), crmRoutes, widgetRoutes) {
		mux.Handle(route.pattern, s.api(route))
	}
	mux.HandleFunc("/oauth/v2/auth", s.consent)
	mux.HandleFunc("/oauth/v2/org/auth", s.consent)
	mux.HandleFunc("POST /oauth/v2/token", s.issueToken)
	mux.HandleFunc("POST /oauth/v2/token/revoke", s.revokeToken)
	mux.HandleFunc("POST /oauth/v3/device/code", s.beginDevice)
	mux.HandleFunc("POST /oauth/v3/device/token", s.pollDevice)
	mux.HandleFunc("GET /oauth/v3/device", s.visitDevice)
	mux.HandleFunc("GET /widget", serveWidget)
	mux.HandleFunc("OPTIONS /widget/", preflight)
	mux.Handle("/", s.unknown(mux))
	return mux
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

const (
	// paged are the parameters of all lists.
	paged = "page per_page "
	// allParameters are those that any call of the specification has.
	allParameters = paged + "status operator_id department_id visitor_id from_date to_date search availability role"
)

// specifiedRoutes are the calls of the specification, in its order.
var specifiedRoutes = []route{
	{pattern: "GET /api/v2/chats", scope: "SalesIQ.chats.READ", handle: list(chats, chatFilter), query: paged + "status operator_id department_id visitor_id from_date to_date"},
	{pattern: "GET /api/v2/chats/{chat_id}", scope: "SalesIQ.chats.READ", handle: get(chats)},
	{pattern: "GET /api/v2/chats/{chat_id}/transcript", scope: "SalesIQ.chats.READ", handle: ask((*state).transcript)},
	{pattern: "POST /api/v2/chats/{chat_id}/messages", scope: "SalesIQ.chats.UPDATE", handle: act((*state).sendMessage), status: http.StatusCreated},
	{pattern: "POST /api/v2/chats/{chat_id}/transfer", scope: "SalesIQ.chats.UPDATE", handle: act((*state).transfer)},
	{pattern: "POST /api/v2/chats/{chat_id}/end", scope: "SalesIQ.chats.UPDATE", handle: act((*state).endChat)},
	{pattern: "POST /api/v2/chats/{chat_id}/rating", scope: "SalesIQ.chats.UPDATE", handle: act((*state).rateChat)},

	{pattern: "GET /api/v2/visitors", scope: "SalesIQ.visitors.READ", handle: list(visitors, visitorFilter), query: paged + "status from_date to_date search"},
	{pattern: "GET /api/v2/visitors/{visitor_id}", scope: "SalesIQ.visitors.READ", handle: get(visitors)},
	{pattern: "PATCH /api/v2/visitors/{visitor_id}", scope: visitorsAll, handle: update(visitors)},
	{pattern: "GET /api/v2/visitors/{visitor_id}/activity", scope: "SalesIQ.visitors.READ", handle: ask((*state).activity)},
	{pattern: "POST /api/v2/visitors/{visitor_id}/tags", scope: visitorsAll, handle: act((*state).tagVisitor)},

	{pattern: "GET /api/v2/operators", scope: "SalesIQ.operators.READ", handle: list(operators, operatorFilter), query: paged + "status availability role department_id"},
	{pattern: "GET /api/v2/operators/{operator_id}", scope: "SalesIQ.operators.READ", handle: get(operators)},
	{pattern: "POST /api/v2/operators", scope: "SalesIQ.operators.CREATE", handle: create(operators), status: http.StatusCreated, adminOnly: true},
	{pattern: "PATCH /api/v2/operators/{operator_id}", scope: "SalesIQ.operators.UPDATE", handle: update(operators), adminOnly: true},
	{pattern: "DELETE /api/v2/operators/{operator_id}", scope: "SalesIQ.operators.DELETE", handle: remove(operators), adminOnly: true},
	{pattern: "GET /api/v2/operators/{operator_id}/stats", scope: "SalesIQ.operators.READ", handle: operatorStats, query: "from_date to_date"},

	{pattern: "GET /api/v2/brands", scope: "SalesIQ.settings.READ", handle: list(brands, nil), query: paged},
	{pattern: "GET /api/v2/brands/{brand_id}", scope: "SalesIQ.settings.READ", handle: get(brands)},
	{pattern: "PATCH /api/v2/brands/{brand_id}", scope: settingsAll, handle: update(brands), adminOnly: true},
	{pattern: "GET /api/v2/brands/{brand_id}/departments", scope: "SalesIQ.settings.READ", handle: listDepartments, query: paged},

	{pattern: "POST /api/v2/devices", scope: "SalesIQ.operators.UPDATE", handle: create(devices), status: http.StatusCreated},
	{pattern: "DELETE /api/v2/devices/{device_id}", scope: "SalesIQ.operators.UPDATE", handle: remove(devices)},
	{pattern: "POST /api/v2/notifications", scope: "SalesIQ.operators.UPDATE", handle: create(notifications), status: http.StatusCreated},

	{pattern: "GET /api/v2/routing/rules", scope: "SalesIQ.settings.READ", handle: list(routingRules, nil), query: paged},
	{pattern: "POST /api/v2/routing/rules", scope: settingsAll, handle: create(routingRules), status: http.StatusCreated, adminOnly: true},
	{pattern: "PATCH /api/v2/routing/rules/{rule_id}", scope: settingsAll, handle: update(routingRules), adminOnly: true},
	{pattern: "DELETE /api/v2/routing/rules/{rule_id}", scope: settingsAll, handle: remove(routingRules), adminOnly: true},

	{pattern: "GET /api/v2/webhooks", scope: "SalesIQ.settings.READ", handle: list(webhooks, nil), query: paged},
	{pattern: "POST /api/v2/webhooks", scope: settingsAll, handle: create(webhooks), status: http.StatusCreated, adminOnly: true},
	{pattern: "PATCH /api/v2/webhooks/{webhook_id}", scope: settingsAll, handle: update(webhooks), adminOnly: true},
	{pattern: "DELETE /api/v2/webhooks/{webhook_id}", scope: settingsAll, handle: remove(webhooks), adminOnly: true},
}

// livePath begins the paths of the live service, but for a few.
const livePath = "/api/v2/" + Portal

// liveRoutes are the vendor's calls that package live makes.
var liveRoutes = []route{
	{pattern: "GET /api/v2/portals", scope: "SalesIQ.portals.READ", handle: listPortals},
	{pattern: "GET /api/v2/portals/{name}", scope: "SalesIQ.portals.READ", handle: ask((*state).livePortal), object: "portal"},

	{pattern: "GET " + livePath + "/conversations", scope: "SalesIQ.conversations.READ", handle: listConversations},
	{pattern: "GET " + livePath + "/conversations/{id}", scope: "SalesIQ.conversations.READ", handle: get(chats), object: "conversations"},
	{pattern: "GET " + livePath + "/conversations/{id}/messages", scope: "SalesIQ.conversations.READ", handle: listMessages},
	{pattern: "POST " + livePath + "/conversations/{id}/messages", scope: "SalesIQ.conversations.CREATE", handle: act((*state).sendText), object: "message"},
	{pattern: "PUT " + livePath + "/conversations/{id}/transfer", scope: "SalesIQ.conversations.UPDATE", handle: act((*state).transferWithin), object: "conversations"},
	{pattern: "PUT " + livePath + "/conversations/{id}/close", scope: "SalesIQ.conversations.UPDATE", handle: ask((*state).closeChat), object: "conversations"},
	{pattern: "PUT " + livePath + "/conversations/{id}/tags", scope: "SalesIQ.conversations.UPDATE", handle: act((*state).tagConversation), object: "tag_ids_list"},

	{pattern: "GET " + livePath + "/operators", scope: "SalesIQ.operators.READ", handle: listLiveOperators},
	{pattern: "POST " + livePath + "/operators", scope: "SalesIQ.operators.CREATE", handle: act((*state).createLiveOperator), object: "operator", adminOnly: true},
	{pattern: "GET " + livePath + "/operators/{id}", scope: "SalesIQ.operators.READ", handle: get(operators), object: "operator"},
	{pattern: "DELETE " + livePath + "/operators/{id}", scope: "SalesIQ.operators.DELETE", handle: remove(operators), adminOnly: true},
	{pattern: "PUT " + livePath + "/operators/{id}/enable", scope: "SalesIQ.operators.UPDATE", handle: enableLiveOperator(true), adminOnly: true},
	{pattern: "PUT " + livePath + "/operators/{id}/disable", scope: "SalesIQ.operators.UPDATE", handle: enableLiveOperator(false), adminOnly: true},

	{pattern: "GET " + livePath + "/departments", scope: "SalesIQ.departments.READ", handle: listLiveDepartments},
	{pattern: "GET " + livePath + "/apps", scope: "SalesIQ.apps.READ", handle: listAll(brands)},
	{pattern: "GET " + livePath + "/apps/{id}", scope: "SalesIQ.apps.READ", handle: get(brands), object: "app"},
	{pattern: "POST " + livePath + "/tags", scope: "SalesIQ.tags.CREATE", handle: act((*state).createTag), object: "tags_config"},
	{pattern: "GET /api/v3/" + Portal + "/visitors", scope: "SalesIQ.visitors.READ", handle: listLiveVisitors},

	{pattern: "GET " + livePath + "/webhooks", scope: "SalesIQ.webhooks.READ", handle: listAll(webhooks)},
	{pattern: "POST " + livePath + "/webhooks", scope: "SalesIQ.webhooks.CREATE", handle: createLiveWebhook, object: "webhook", adminOnly: true},
	{pattern: "GET " + livePath + "/webhooks/{id}", scope: "SalesIQ.webhooks.READ", handle: get(webhooks), object: "webhook"},
	{pattern: "PUT " + livePath + "/webhooks/{id}", scope: "SalesIQ.webhooks.UPDATE", handle: updateLiveWebhook, object: "webhook", adminOnly: true},
	{pattern: "DELETE " + livePath + "/webhooks/{id}", scope: "SalesIQ.webhooks.DELETE", handle: remove(webhooks), adminOnly: true},
	{pattern: "POST " + livePath + "/webhooks/{id}/keys", scope: "SalesIQ.webhooks.CREATE", handle: ask((*state).addKey), object: "webhook", adminOnly: true},
	{pattern: "DELETE " + livePath + "/webhooks/{id}/keys/{key}", scope: "SalesIQ.webhooks.DELETE", handle: deleteKey, adminOnly: true},
	{pattern: "GET " + livePath + "/webhooks/{id}/executions", scope: "SalesIQ.webhooks.READ", handle: listExecutions},
	{pattern: "POST " + livePath + "/webhooks/{id}/executions", scope: "SalesIQ.webhooks.CREATE", handle: act((*state).retryExecutions), object: "webhook", adminOnly: true},
}

// crmRoutes are the calls of Zoho CRM that the specification's samples make.
var crmRoutes = []route{
	{pattern: "GET /crm/v8/Leads/search", scope: "ZohoCRM.modules.leads.READ", handle: searchLeads},
	{pattern: "POST /crm/v8/Leads", scope: "ZohoCRM.modules.leads.CREATE", handle: createLeads},
}

// widgetRoutes are the calls that the widget makes.
var widgetRoutes = []route{
	{pattern: "POST /widget/visits", handle: fromWidget((*state).beginVisit), open: true},
	{pattern: "POST /widget/calls", handle: fromWidget((*state).recordWidgetCall), open: true},
	{pattern: "POST /widget/say", handle: fromWidget((*state).sayAsVisitor), open: true},
	{pattern: "GET /widget/chat", handle: showWidgetChat, open: true},
}
