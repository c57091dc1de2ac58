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
	mux.HandleFunc("GET /widget/page", servePage)
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
var allScopes = append([]string{
	"SalesIQ.operators.ALL", visitorsAll, "SalesIQ.chats.ALL", "SalesIQ.leads.ALL", settingsAll,
	"SalesIQ.analytics.READ", "ZohoCRM.modules.ALL",
}, scopesOf(liveRoutes)...)

// scopesOf lists what calls need.
func scopesOf(routes []route) (scopes []string) {
	for _, route := range routes {
		scopes = addMissing(scopes, route.scope)
	}
	return scopes
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
var liveRoutes = slices.Concat(liveConversationRoutes, tagRoutes(), liveVisitorRoutes, liveSettingsRoutes)

// The scopes of many calls of the live service. Where a page names none, it is that
// of a similar call.
const (
	conversationsRead   = "SalesIQ.conversations.READ"
	conversationsCreate = "SalesIQ.conversations.CREATE"
	conversationsUpdate = "SalesIQ.conversations.UPDATE"
	visitorsRead        = "SalesIQ.visitors.READ"
	mediaRead           = "SalesIQ.media.READ"
)

const (
	conversation = livePath + "/conversations/{id}"
	ofVisitor    = "/api/visitor/v1/" + Portal + "/conversations"
	ofVisitorV2  = "/visitor/v2/" + Portal + "/conversations"
	keys         = "limit prev_key next_key"
)

// liveConversationRoutes are the calls about conversations, from the operator's side.
var liveConversationRoutes = []route{
	{pattern: "GET /api/v2/portals", scope: "SalesIQ.portals.READ", handle: listPortals},
	{pattern: "GET /api/v2/portals/{name}", scope: "SalesIQ.portals.READ", handle: ask((*state).livePortal), object: "portal"},

	{pattern: "GET " + livePath + "/conversations", scope: conversationsRead, handle: listConversations, query: conversationFilters},
	{pattern: "DELETE " + livePath + "/conversations", scope: "SalesIQ.conversations.DELETE", handle: deleteConversations},
	{pattern: "GET " + conversation, scope: conversationsRead, handle: get(chats), object: "conversations"},
	{pattern: "PUT " + conversation, scope: conversationsUpdate, handle: act((*state).addCustomerInfo), object: "Object"},
	{pattern: "PUT " + conversation + "/pickup", scope: conversationsUpdate, handle: ask((*state).pickUp), object: "conversations"},
	{pattern: "PUT " + conversation + "/transfer", scope: conversationsUpdate, handle: act((*state).transferWithin), object: "conversations"},
	{pattern: "PUT " + conversation + "/accept", scope: conversationsUpdate, handle: act((*state).acceptTransfer), object: "conversations"},
	{pattern: "PUT " + conversation + "/reject", scope: conversationsUpdate, handle: act((*state).rejectTransfer)},
	{pattern: "PUT " + conversation + "/close", scope: conversationsUpdate, handle: ask((*state).closeChat), object: "conversations"},
	{pattern: "GET " + conversation + "/visitor", scope: conversationsRead, handle: showConversationVisitor, query: "include"},
	{pattern: "POST " + conversation + "/export", scope: conversationsRead, handle: act((*state).exportConversation), object: "list"},
	{pattern: "POST " + conversation + "/notes", scope: conversationsCreate, handle: act((*state).addLiveNote), object: "notes"},
	{pattern: "GET " + conversation + "/attachments/{attachment_id}", scope: conversationsRead, handle: getAttachment},

	{pattern: "GET " + conversation + "/messages", scope: conversationsRead, handle: listMessages, query: "limit from_time to_time sort_order"},
	{pattern: "POST " + conversation + "/messages", scope: conversationsCreate, handle: act((*state).sendText), object: "message"},
	{pattern: "POST " + livePath + "/visitors/{email}/messages", scope: conversationsCreate, handle: act((*state).sendToLatest), object: "message"},

	{pattern: "GET " + conversation + "/threads", scope: conversationsRead, handle: listThreads, object: "conversations", query: "page limit include_fields"},
	{pattern: "GET " + conversation + "/threads/{number}", scope: conversationsRead, handle: getThread, object: "conversations", query: "include_fields"},
	{pattern: "GET " + livePath + "/calls", scope: mediaRead, handle: listCalls(everywhere), query: callFilters},
	{pattern: "GET " + conversation + "/calls", scope: mediaRead, handle: listCalls(inChat), object: "calls", query: chatCallFilters},
	{pattern: "GET " + conversation + "/threads/{number}/calls", scope: mediaRead, handle: listCalls(inThread), object: "calls", query: threadCallFilters},

	{pattern: "GET " + livePath + "/feedbacks", scope: conversationsRead, handle: listFeedback, query: "index limit"},
	{pattern: "GET " + livePath + "/feedbacks/{id}", scope: conversationsRead, handle: ask((*state).feedbackByID), object: "feedback"},
	{pattern: "GET " + conversation + "/feedback", scope: "SalesIQ.feedbacks.READ", handle: ask((*state).feedbackOf), object: "feedback"},

	{pattern: "GET " + livePath + "/tags", scope: "SalesIQ.tags.READ", handle: listTags, object: "tags_list", query: "module"},
	{pattern: "POST " + livePath + "/tags", scope: "SalesIQ.tags.CREATE", handle: act((*state).createTag), object: "tags_config"},
	{pattern: "GET " + livePath + "/tags/{id}", scope: "SalesIQ.tags.READ", handle: get(tags), object: "tags_config"},
	{pattern: "POST " + livePath + "/tags/{id}/archives", scope: "SalesIQ.tags.CREATE", handle: ask((*state).archiveTag), object: "tags_config"},
	{pattern: "DELETE " + livePath + "/tags/{id}", scope: "SalesIQ.tags.DELETE", handle: remove(tags)},

	{pattern: "GET /api/v1/" + Portal + "/chats", scope: "SalesIQ.chats.READ", handle: listLegacyChats, query: "limit"},
	{pattern: "GET /api/v1/" + Portal + "/chats/{id}/transcript", scope: "SalesIQ.chats.READ", handle: showLegacyTranscript, query: "limit fromtime totime"},
	{pattern: "GET /api/v1/" + Portal + "/visitorsview/{id}/visitors", scope: "SalesIQ.visitordetails.READ", handle: showView, object: "visitors", query: "startkey"},
}

// liveVisitorRoutes are the calls about visitors, and those of their own side.
var liveVisitorRoutes = []route{
	{pattern: "GET /api/v3/" + Portal + "/visitors", scope: visitorsRead, handle: keyed((*state).visitorMoments), query: keys},
	{pattern: "GET /api/v3/" + Portal + "/visits", scope: visitorsRead, handle: keyed((*state).visitMoments), query: keys},
	{pattern: "GET /api/v3/" + Portal + "/visitorevents", scope: visitorsRead, handle: keyed((*state).visitorEventMoments), query: keys},
	{pattern: "POST " + livePath + "/visitors", scope: "SalesIQ.visitors.CREATE", handle: act((*state).createLiveVisitor), object: "visitor"},
	{pattern: "GET " + livePath + "/visitors/{id}", scope: visitorsRead, handle: get(visitors), object: "visitor"},

	{pattern: "POST " + ofVisitor, scope: conversationsCreate, org: true, handle: asVisitor(noID((*state).openChat), (*state).visitorsChat), object: "conversations"},
	{pattern: "POST " + ofVisitor + "/{id}/reopen", scope: conversationsCreate, org: true, handle: asVisitor(reopenLive, (*state).visitorsChat), object: "conversations"},
	{pattern: "POST " + ofVisitor + "/{id}/messages", scope: conversationsCreate, org: true, handle: asVisitor(sayLive, (*state).lastMessage), object: "message"},
	{pattern: "PUT " + ofVisitor + "/{id}/visitor", scope: conversationsUpdate, org: true, handle: asVisitor((*state).updateChatVisitor, (*state).updatedVisitor), object: "conversations"},
	{pattern: "POST " + ofVisitor + "/{id}/feedback", scope: conversationsCreate, org: true, handle: rateLive},
	{pattern: "POST " + ofVisitorV2, scope: conversationsCreate, org: true, handle: asVisitor(noID((*state).openChat), (*state).visitorsChat), object: "conversations"},
	{pattern: "POST " + ofVisitorV2 + "/leavemessage", scope: conversationsCreate, org: true, handle: asVisitor(noID((*state).leaveMessage), (*state).visitorsChat), object: "conversations"},
	{pattern: "PUT " + ofVisitorV2 + "/{id}/close", scope: conversationsUpdate, org: true, handle: asVisitor(leaveLive, (*state).visitorsChat), object: "conversations"},
}

// syncing are the parameters of lists that tell what has changed.
const syncing = "index limit last_sync_time"

// liveSettingsRoutes are those about the portal's settings.
var liveSettingsRoutes = slices.Concat([]route{
	{pattern: "GET " + livePath + "/operators", scope: "SalesIQ.operators.READ", handle: listLiveOperators, query: syncing},
	{pattern: "POST " + livePath + "/operators", scope: "SalesIQ.operators.CREATE", handle: createLiveOperator, object: "operator", adminOnly: true},
	{pattern: "GET " + livePath + "/operators/{id}", scope: "SalesIQ.operators.READ", handle: get(operators), object: "operator"},
	{pattern: "PUT " + livePath + "/operators/{id}", scope: "SalesIQ.operators.UPDATE", handle: updateLiveOperator, object: "operator", adminOnly: true},
	{pattern: "DELETE " + livePath + "/operators/{id}", scope: "SalesIQ.operators.DELETE", handle: remove(operators), adminOnly: true},
	{pattern: "PUT " + livePath + "/operators/{id}/enable", scope: "SalesIQ.operators.UPDATE", handle: enableLiveOperator(true), adminOnly: true},
	{pattern: "PUT " + livePath + "/operators/{id}/disable", scope: "SalesIQ.operators.UPDATE", handle: enableLiveOperator(false), adminOnly: true},
	{pattern: "PUT " + livePath + "/operators/{id}/departments", scope: "SalesIQ.operators.UPDATE", handle: changeMembership(true, true), object: "operator", adminOnly: true},
	{pattern: "DELETE " + livePath + "/operators/{id}/departments", scope: "SalesIQ.operators.DELETE", handle: changeMembership(true, false), object: "operator", adminOnly: true, query: "ids"},

	{pattern: "GET " + livePath + "/departments", scope: "SalesIQ.departments.READ", handle: listLiveDepartments, query: syncing},
	{pattern: "POST " + livePath + "/departments", scope: "SalesIQ.departments.CREATE", handle: createDepartment, object: "department", adminOnly: true},
	{pattern: "GET " + livePath + "/departments/{id}", scope: "SalesIQ.departments.READ", handle: ask((*state).findDepartment), object: "department"},
	{pattern: "PUT " + livePath + "/departments/{id}", scope: "SalesIQ.departments.UPDATE", handle: updateDepartment, object: "department", adminOnly: true},
	{pattern: "DELETE " + livePath + "/departments/{id}", scope: "SalesIQ.departments.DELETE", handle: deleteDepartment, adminOnly: true, query: heirParameter},
	{pattern: "PUT " + livePath + "/departments/{id}/enable", scope: "SalesIQ.departments.UPDATE", handle: enableDepartment("true"), adminOnly: true},
	{pattern: "PUT " + livePath + "/departments/{id}/disable", scope: "SalesIQ.departments.UPDATE", handle: enableDepartment("false"), adminOnly: true},
	{pattern: "PUT " + livePath + "/departments/{id}/operators", scope: "SalesIQ.departments.UPDATE", handle: changeMembership(false, true), object: "department", adminOnly: true},
	{pattern: "DELETE " + livePath + "/departments/{id}/operators", scope: "SalesIQ.departments.DELETE", handle: changeMembership(false, false), object: "department", adminOnly: true, query: "ids"},

	{pattern: "GET " + livePath + "/apps", scope: "SalesIQ.apps.READ", handle: listApps, query: "last_sync_time"},
	{pattern: "POST " + livePath + "/apps", scope: "SalesIQ.apps.CREATE", handle: createApp, object: "app", adminOnly: true},
	{pattern: "GET " + livePath + "/apps/{id}", scope: "SalesIQ.apps.READ", handle: get(brands), object: "app"},
	{pattern: "PUT " + livePath + "/apps/{id}", scope: "SalesIQ.apps.UPDATE", handle: updateApp, object: "app", adminOnly: true},
	{pattern: "DELETE " + livePath + "/apps/{id}", scope: "SalesIQ.apps.DELETE", handle: deleteApp, adminOnly: true},
	{pattern: "PUT " + livePath + "/apps/{id}/widgets", scope: "SalesIQ.apps.UPDATE", handle: updateWidgets, object: "widgets", adminOnly: true},
	{pattern: "POST " + livePath + "/apps/{id}/website", scope: "SalesIQ.apps.CREATE", handle: addWebsite, object: "website", adminOnly: true},
	{pattern: "POST " + livePath + "/apps/{id}/channels/android", scope: "SalesIQ.apps.CREATE", handle: createChannel("android"), object: "android", adminOnly: true},
	{pattern: "PUT " + livePath + "/apps/{id}/channels/android", scope: "SalesIQ.apps.UPDATE", handle: updateChannel("android", androidFields...), object: "android", adminOnly: true},
	{pattern: "PUT " + livePath + "/apps/{id}/channels/android/components", scope: "SalesIQ.apps.UPDATE", handle: updateChannel("android", components), object: "android", adminOnly: true},
	{pattern: "GET " + livePath + "/apps/{id}/channels/ios", scope: "SalesIQ.apps.READ", handle: getChannel("ios"), object: "ios"},
	{pattern: "POST " + livePath + "/apps/{id}/channels/ios", scope: "SalesIQ.apps.CREATE", handle: createChannel("ios"), object: "ios", adminOnly: true},
	{pattern: "PUT " + livePath + "/apps/{id}/channels/ios", scope: "SalesIQ.apps.UPDATE", handle: updateChannel("ios", iosFields...), object: "ios", adminOnly: true},
	{pattern: "PUT " + livePath + "/apps/{id}/channels/ios/components", scope: "SalesIQ.apps.UPDATE", handle: updateChannel("ios", components), object: "ios", adminOnly: true},
	{pattern: "GET " + livePath + "/apps/{id}/channels/ios/accesskeys", scope: "SalesIQ.apps.READ", handle: listAccessKeys},

	{pattern: "GET " + livePath + "/webhooks", scope: "SalesIQ.webhooks.READ", handle: listLiveWebhooks, query: "type app_ids sort_by mode"},
	{pattern: "POST " + livePath + "/webhooks", scope: "SalesIQ.webhooks.CREATE", handle: createLiveWebhook, object: "webhook", adminOnly: true},
	{pattern: "GET " + livePath + "/webhooks/{id}", scope: "SalesIQ.webhooks.READ", handle: get(webhooks), object: "webhook"},
	{pattern: "PUT " + livePath + "/webhooks/{id}", scope: "SalesIQ.webhooks.UPDATE", handle: updateLiveWebhook, object: "webhook", adminOnly: true},
	{pattern: "DELETE " + livePath + "/webhooks/{id}", scope: "SalesIQ.webhooks.DELETE", handle: remove(webhooks), adminOnly: true},
	{pattern: "POST " + livePath + "/webhooks/{id}/events", scope: "SalesIQ.webhooks.UPDATE", handle: changeEvents(true), object: "webhook", adminOnly: true},
	{pattern: "DELETE " + livePath + "/webhooks/{id}/events", scope: "SalesIQ.webhooks.DELETE", handle: changeEvents(false), adminOnly: true, query: "ids"},
	{pattern: "POST " + livePath + "/webhooks/{id}/apps", scope: "SalesIQ.webhooks.UPDATE", handle: changeApps(true), object: "webhook", adminOnly: true},
	{pattern: "DELETE " + livePath + "/webhooks/{id}/apps", scope: "SalesIQ.webhooks.DELETE", handle: changeApps(false), adminOnly: true, query: "ids"},
	{pattern: "POST " + livePath + "/webhooks/{id}/keys", scope: "SalesIQ.webhooks.CREATE", handle: ask((*state).addKey), object: "webhook", adminOnly: true},
	{pattern: "DELETE " + livePath + "/webhooks/{id}/keys/{key}", scope: "SalesIQ.webhooks.DELETE", handle: deleteKey, adminOnly: true},
	{pattern: "GET " + livePath + "/webhooks/{id}/executions", scope: "SalesIQ.webhooks.READ", handle: listExecutions, query: "from_time to_time events limit pageno mode"},
	{pattern: "POST " + livePath + "/webhooks/{id}/executions", scope: "SalesIQ.webhooks.CREATE", handle: retryExecutions, object: "webhook", adminOnly: true},
	{pattern: "POST " + livePath + "/webhooks/{id}/executions/{execution}", scope: "SalesIQ.webhooks.CREATE", handle: retryExecutions, object: "webhook", adminOnly: true},
	{pattern: "DELETE " + livePath + "/webhooks/{id}/executions", scope: "SalesIQ.webhooks.DELETE", handle: deleteExecutions, adminOnly: true, query: "ids"},

	{pattern: "POST " + livePath + "/blockedips", scope: "SalesIQ.blockedips.CREATE", handle: blockIP, notAgents: true},
	{pattern: "PUT " + livePath + "/blockedips/{id}", scope: "SalesIQ.blockedips.UPDATE", handle: setBlock, notAgents: true},
	{pattern: "GET " + livePath + "/criteriafields/visitorhistory", scope: "SalesIQ.criteriafields.READ", handle: listCriteriaFields("visitorhistory"), object: "criteria_fields"},
	{pattern: "GET " + livePath + "/criteriafields/visitorrouting", scope: "SalesIQ.criteriafields.READ", handle: listCriteriaFields("visitorrouting"), object: "criteria_fields"},
	{pattern: "GET " + livePath + "/criteriafields/trackingpresets", scope: "SalesIQ.criteriafields.READ", handle: listCriteriaFields("trackingpresets"), object: "criteria_fields"},
	{pattern: "GET " + livePath + "/userpreferences", scope: "SalesIQ.userpreferences.READ", handle: preferences, object: "userpreference_config"},
	{pattern: "PUT " + livePath + "/userpreferences/visitorhistoryviews", scope: "SalesIQ.userpreferences.UPDATE", handle: selectView},
	{pattern: "POST " + livePath + "/callbacks/{request}/progress", scope: "SalesIQ.callbacks.UPDATE", handle: answerLater(false, progressFields...)},
	{pattern: "POST " + livePath + "/callbacks/{request}/response", scope: "SalesIQ.callbacks.UPDATE", handle: answerLater(true, responseFields...)},
	{pattern: "POST /api/v2/encryptions", scope: "SalesIQ.encryptions.CREATE", handle: encrypt, typed: true},
},
	articles.routes(listDocuments, createDocument, getDocument, updateDocument, deleteDocument),
	articleCategories.routes(listDocuments, createDocument, updateDocument),
	cannedResponses.routes(listDocuments, createDocument, getDocument, updateDocument, deleteDocument),
	cannedCategories.routes(createDocument, getDocument, updateDocument, deleteDocument),
	visitorRules.routes(listDocuments, createDocument, getDocument, updateDocument, deleteDocument),
	chatRules.routes(listDocuments, createDocument, getDocument, updateDocument),
	callRules.routes(createDocument),
	leadRules.routes(listDocuments, createDocument, getDocument, updateDocument, deleteDocument),
	triggers.routes(listDocuments, createDocument, getDocument, updateDocument, deleteDocument),
	presets.routes(listDocuments, createDocument, getDocument, updateDocument, deleteDocument),
	historyViews.routes(listDocuments, createDocument, getDocument, updateDocument, deleteDocument),
	monitors.routes(listDocuments, createDocument, updateDocument, deleteDocument),
	blockedIPs.routes(listDocuments, deleteDocument),
	commonRule.routes(""),
	leadConfig.routes("/timerange"),
)

// crmRoutes are the calls of Zoho CRM that the specification's samples make.
var crmRoutes = []route{
	{pattern: "GET /crm/v8/Leads/search", scope: "ZohoCRM.modules.leads.READ", handle: searchLeads},
	{pattern: "POST /crm/v8/Leads", scope: "ZohoCRM.modules.leads.CREATE", handle: createLeads},
}

// widgetRoutes are the calls that the widget makes.
var widgetRoutes = []route{
	{pattern: "POST /widget/visits", handle: fromWidget((*state).beginVisit), open: true},
	{pattern: "POST /widget/calls", handle: fromWidget((*state).recordWidgetCall), open: true},
	{pattern: "POST /widget/open", handle: fromWidget((*state).openForWidget), open: true},
	{pattern: "POST /widget/say", handle: fromWidget((*state).sayAsVisitor), open: true},
	{pattern: "GET /widget/chat", handle: showWidgetChat, open: true},
}
