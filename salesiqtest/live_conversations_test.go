package salesiqtest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/salesiqtest"
)

// The shapes of the vendor's pages on conversations, and what is around them.
const (
	threadFixture = `{"id":"<digits>","thread_id":"<digits>","thread_number":"<digits>","conversation_id":"chat1009","reference_id":"<digits>",
		"wms_chat_id":"LD_chat1009","question":"<text>","status":"<text>","status_code":"<digits>","inititated_by":"visitor",
		"ended_by":"<any text>","from_time":"<ms>","to_time":"<any ms>"MORE}`
	threadMoreFixture = `,"attender":{"id":"<text>","name":"<text>","type":"operator"},"department":` + liveRefFixture + `,"brand":` + liveRefFixture + `,
		"transfer_details":[],"time":{"initiated_time":"<ms>","connected_time":"<any ms>"},"metrics":{"operator_message_count":"<digits>",
		"visitor_message_count":"<digits>","bot_message_count":"<digits>","info_message_count":"<digits>","system_event_count":"<digits>",
		"average_response_time":"<digits>","first_response_time":"<digits>","total_chat_duration":"<digits>","visitor_waiting_time":"<digits>",
		"bot_pickup_after":"<digits>","bot_duration":"<digits>","queued_duration":"<digits>","first_agent_accept_after":"<digits>",
		"total_operator_duration":"<digits>","missed_reason":"<any text>"}`
	callFixture = `{"id":"<text>","type":"<text>","status":"STATUS","created_time":"<ms>","pickup_time":"<any ms>","connected_time":"<any ms>",
		"end_time":"<any ms>","missed_time":"<any ms>","initiated_by":{"type":"<text>","id":"<text>"},"ended_by":{"type":"<any text>","id":"<any text>"},
		"last_attender":{"id":"<any text>","name?":"<text>","email?":"<text>","image_key?":"<text>"},"voice_message_available":"<bool>",
		"recording_available":"<bool>","transcript_available":"<bool>","summary_available":"<bool>"MORE}`
	callMoreFixture = `,"brand":` + liveRefFixture + `,"department":` + liveRefFixture + `,"conversation":{"id":"<text>","reference_id":"<digits>",
		"status":"<text>","type":"call","in_time":"<ms>","thread_number":"<number>"}`
	feedbackFixture = `{"id":"<text>","feedback":"<any text>","rating":{"type":"smiley","value":"<text>"},"attender":{"id":"<text>","display_name":"<text>",
		"email":"<text>","type":"operator","image_url":"<text>"},"visitor":{"name":"<text>","first_name":"<text>","last_name":"<any text>",
		"salutation":"<any text>","supported_operations":["<each>","<text>"]},"conversation":{"id":"<text>","question":"<text>",
		"reference_id":"<digits>","start_time":"<ms>","end_time":"<ms>","notes_available":"<flag>","mode":"chat"},"app_id":"<text>","chatlet_count":"<digits>"}`
	visitorsChatFixture = `{"id":"<text>","wms_chat_id":"<text>","chat_id":"<text>","reference_id":"<digits>","question":"QUESTION","unread_chats":"<bool>",
		"time_difference":"<digits>","attender?":` + livePartyFixture + `,"department":` + liveRefFixture + `,"visitor":{"name":"<text>",
		"country_code":"<any text>","ip":"<any text>"},"chat_status":` + liveStatusFixture + `,"start_time":"<ms>","attended_time":"<any ms>","end_time":"<any ms>"}`
	insightFixture = `{"conversation_details":{"department_name":"<text>","visit_id":"<digits>","attender_name":"<text>","chat_id":"<text>",
		"feedback":"<number>","participants":["<each>","<text>"],"add_info":{"basket":"<digits>"}},"tracking_details":{"source":"<number>"}}`
	v3VisitorFixture = `{"id":"<text>","name":"<any text>","email?":"<text>","country":"<any text>","lead_score":"<number>","visit_source":"<text>",
		"visit_count":"<number>","first_accessed_time":"<ms>","last_accessed_time":"<ms>","company?":` + liveRefFixture + `}`
	visitorEventFixture = `{"uuid":"<text>","uvid":"<text>","visit_id":"<digits>","event":"PAGE_ACCESS","url":"<text>","time":"<ms>","time_spent":"<digits>"}`
	legacyFixture       = `{"id":"<digits>","user_uniqueid":"<text>","name":"<any text>","email?":"<text>","country?":"<text>","lastvisit_source":"<text>",
		"lastvisit_time":"<ms>","lastcontacted_mode":"<text>","total_timespent":"<digits>","leadscore":"<digits>","customer_info":{"budget?":"<text>"},"visitor_since":"<ms>"}`
	changedVisitorFixture = `{"id":"<text>","question":"<text>","visitor":{"id":"<text>","user_id":"<text>","name":"Bo Long","email":"bo@mail.example",
		"phone":"<any text>","type":"lead","ip":"<any text>","country_code":"<any text>","channel_name":"Website",
		"channel_details":{"channel":"website","source":"direct"},"supported_operations":["<each>","<text>"]}}`
)

// Every call about conversations, tags and visitors that is not in
// TestEveryLiveCallAnswersAsPublished, on one server and in this order.
func TestEveryConversationCallAnswersAsPublished(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	operator, visitor := s.AccessToken(), orgToken(t, s)
	const included = `?include_fields=%5B%22attender%22,%22department%22,%22brand%22,%22metrics%22,%22transfer_details%22%5D`
	const keys = `,"next_key":"<ms>","prev_key":"<ms>"`
	whole := func(id, status string) string {
		return fill(conversationFixture, "LD_CHAT", "<text>", "CHAT", id, "STATUS", status)
	}
	ids := map[string]string{}
	for _, row := range []struct {
		call, body, object, data string // Without data, the page shows no answer.
		more, url, keep          string
	}{
		{call: "GET {b}/conversations?fields=id,status&reference_ids=1&limit=2", data: `{"id":"chat123","status":"Connected"}`, more: `,"more_data_available":false`},
		{call: "PUT {b}/conversations/chat123", body: `{"customer_info":{"basket":"7"}}`, object: "Object", data: whole("chat123", "Connected")},
		{call: "PUT {b}/conversations/chat1080/pickup", object: "conversations", data: whole("chat1080", "Connected")},
		{call: "PUT {b}/conversations/chat1080/transfer", body: `{"department_id":"dept789","operator_id":"operator456","notes":"A tent"}`, object: "conversations", data: whole("chat1080", "Connected")},
		{call: "PUT {b}/conversations/chat1080/accept", body: `{"operator_id":"operator456"}`, object: "conversations", data: whole("chat1080", "Connected")},
		{call: "PUT {b}/conversations/chat1080/transfer", body: `{"department_id":"dept790","operator_id":"operator789"}`, object: "conversations", data: whole("chat1080", "Connected")},
		{call: "PUT {b}/conversations/chat1080/reject", body: `{"operator_id":"operator789"}`},
		{call: "POST {b}/conversations/chat123/notes", body: `{"notes":"Likes tents"}`, object: "notes", data: `{"note":"Likes tents","creator":` + liveRefFixture + `,"created_time":"<ms>"}`},
		{call: "GET {b}/conversations/chat123/visitor?include=trackinginfo,moreinfo", object: "list", data: insightFixture, url: "/web/v2/nordlicht/conversations/chat123/visitor"},
		{call: "POST {b}/conversations/chat123/export", body: `{"data":"messages","format":"json"}`, object: "list", data: `["<each>",` + liveMessageFixture + `]`},
		{call: "POST {b}/visitors/guest0@work.example/messages", body: `{"text":"Moin"}`, object: "message", data: fill(liveMessageFixture, `{"text":"<text>"}`, `{"text":"Moin"}`)},
		{call: "GET {b}/conversations/chat1009/threads", object: "conversations", data: `["<each>",` + fill(threadFixture, "MORE", "") + `]`, more: `,"sync_time":"<ms>"`},
		{call: "GET {b}/conversations/chat1009/threads/1" + included, object: "conversations", data: fill(threadFixture, "MORE", threadMoreFixture), url: "{b}/conversations/chat1009/threads/10001"},
		{call: "GET {b}/calls?status=missed", data: fill(callFixture, "STATUS", "missed", "MORE", "")},
		{call: "GET {b}/conversations/chat1009/calls?include_fields=brand,department,conversation", object: "calls", data: `["<each>",` + fill(callFixture, "STATUS", "ended", "MORE", callMoreFixture) + `]`, more: `,"sync_time":"<ms>"`},
		{call: "GET {b}/conversations/chat1009/threads/1/calls", object: "calls", data: `["<each>",` + fill(callFixture, "STATUS", "ended", "MORE", "") + `]`, more: `,"sync_time":"<ms>"`},
		{call: "GET {b}/feedbacks?index=1&limit=3", data: feedbackFixture},
		{call: "GET {b}/feedbacks/feedback-chat1009", object: "feedback", data: feedbackFixture},
		{call: "GET {b}/conversations/chat1009/feedback", object: "feedback", data: feedbackFixture},
		{call: "POST {b}/tags", body: `{"name":"tent","color":"#b45309","module":"visitors"}`, object: "tags_config", data: liveAnyTagFixture, keep: "TAG"},
		{call: "GET {b}/tags?module=visitors", object: "tags_list", data: `["<each>",` + liveAnyTagFixture + `]`, more: `,"sync_time":"<ms>"`},
		{call: "GET {b}/tags/TAG", object: "tags_config", data: liveAnyTagFixture},
		{call: "PUT {b}/visitors/visitor123/tags", body: `{"ids":["TAG","none"]}`, object: "tag_ids_list", data: `{"failed_tag_ids":["none"],"associated_tags":[` + liveAnyTagFixture + `]}`},
		{call: "DELETE {b}/visitors/visitor123/tags?id=TAG", object: "tags_ids_list", data: `["<each>",` + liveAnyTagFixture + `]`},
		{call: "POST {b}/tags/TAG/archives", object: "tags_config", data: fill(liveAnyTagFixture, `"archived":"<bool>","status":"<text>"`, `"archived":true,"status":"achived"`)}, //nolint:misspell // The vendor's word.
		{call: "DELETE {b}/tags/TAG"},
		{call: "GET /api/v3/nordlicht/visitors?next_key=1&limit=3", data: v3VisitorFixture, url: "/api/v3/visitors", more: keys},
		{call: "GET /api/v3/nordlicht/visits?prev_key=4102444800000&limit=3", data: `{"uvid":"<text>","visit_id":"<digits>","time":"<ms>","time_spent":"<digits>"}`, url: "/api/v3/visits", more: keys},
		{call: "GET /api/v3/nordlicht/visitorevents?next_key=1", data: visitorEventFixture, url: "/api/v3/visitorevents", more: keys},
		{call: "POST {b}/visitors", body: `{"name":"Bo Hill","email":"bo@mail.example"}`, object: "visitor", data: v3VisitorFixture, keep: "MADE"},
		{call: "GET {b}/visitors/MADE", object: "visitor", data: v3VisitorFixture},
		{call: "GET /api/v1/nordlicht/chats?limit=3", data: `{"chat_id":"<digits>","visitor_name":"<text>","chat_duration":"<digits>"}`},
		{
			call: "GET /api/v1/nordlicht/chats/1/transcript?limit=2", object: "list", more: `,"sync_time":"<ms>"`,
			data: `[{"chatinitiated_time":"<ms>","visitor_name":"Ada Marchetti","question":"<text>"},
				{"sender":"operator456","time":"<ms>","dname":"Ada Marchetti","msg":"<text>"},{"sender":"operator456","time":"<ms>","dname":"Greta Sommer","msg":"<text>"}]`,
		},
		{call: "GET /api/v1/nordlicht/visitorsview/-1/visitors", object: "visitors", data: `{"startkey":"1207-101","visitorlist":["<each>",` + legacyFixture + `]}`},

		{
			call: "POST /api/visitor/v1/nordlicht/conversations", object: "conversations", keep: "OPEN", data: fill(visitorsChatFixture, "QUESTION", "Any tents?"),
			body: `{"visitor":{"user_id":"bo-1","name":"Bo Hill"},"app_id":"brand123","department_id":"dept789","question":"Any tents?","customer_info":{"basket":"7"}}`,
		},
		{call: "POST /api/visitor/v1/nordlicht/conversations/OPEN/messages", body: `{"text":"Green ones"}`, object: "message", data: liveMessageFixture},
		{call: "PUT /api/visitor/v1/nordlicht/conversations/OPEN/visitor", body: `{"last_name":"Long","email":"bo@mail.example"}`, object: "conversations", data: changedVisitorFixture},
		{call: "PUT /visitor/v2/nordlicht/conversations/OPEN/close", object: "conversations", data: fill(visitorsChatFixture, "QUESTION", "Any tents?")},
		{
			call: "POST /api/visitor/v1/nordlicht/conversations/OPEN/reopen", object: "conversations", keep: "AGAIN", data: fill(visitorsChatFixture, "QUESTION", "Still there?"),
			body: `{"message":"Still there?","visitor":{"cookie_enabled":true,"platform":"Linux"}}`,
		},
		{
			call: "POST /visitor/v2/nordlicht/conversations", object: "conversations", data: fill(visitorsChatFixture, "QUESTION", "Boots?"),
			body: `{"visitor":{"user_id":"bo-2","name":"Bo"},"app_id":"brand123","department_id":"dept789","question":"Boots?"}`,
		},
		{
			call: "POST /visitor/v2/nordlicht/conversations/leavemessage", object: "conversations", data: fill(visitorsChatFixture, "QUESTION", "Call me"),
			body: `{"visitor":{"user_id":"bo-3","name":"Bo"},"app_id":"brand123","department_id":"dept789","message":"Call me","attender_id":"operator456"}`,
		},
		{call: "DELETE {b}/conversations", body: `{"ids":["chat123"]}`},
	} {
		parts := []string{"{b}", "/api/v2/nordlicht"}
		for name, id := range ids {
			parts = append(parts, name, id)
		}
		method, path, _ := strings.Cut(fill(row.call, parts...), " ")
		token := operator
		if strings.Contains(path, "visitor/v") {
			token = visitor
		}
		header := http.Header{"Content-Type": {"application/json"}, "X-Siq-Channel": {"website"}}
		a := request(t, s, token, method, path, fill(row.body, parts...), header)
		if row.data == "" {
			assert.Equal(t, http.StatusNoContent, a.status, "%s: %s", row.call, a.body)
			continue
		}
		require.Equal(t, http.StatusOK, a.status, "%s: %s", row.call, a.body)
		envelope := `{"url":"URL","object":"OBJECT","data":DATAMORE}`
		if row.object == "" {
			envelope = liveList
		}
		address, _, _ := strings.Cut(path, "?")
		if row.url != "" {
			address = fill(row.url, parts...)
		}
		assertFits(t, fill(envelope, "URL", address, "OBJECT", row.object, "DATA", fill(row.data, parts...), "MORE", row.more), a.body, row.call)
		assert.NotContains(t, a.body, `"data":[]`, row.call)
		if row.keep != "" {
			remember(t, ids, row.keep, a.body)
		}
	}
	assert.Len(t, s.Stats().Calls, 41)

	a := request(t, s, visitor, "POST", "/api/visitor/v1/nordlicht/conversations/"+sealed("chat1015x")+"/feedback", `{"rating":"happy"}`, nil)
	assert.Contains(t, a.body, `"code":1019`)
	unrated := firstUnrated(t, s)
	a = request(t, s, visitor, "POST", "/api/visitor/v1/nordlicht/conversations/"+sealed(unrated)+"/feedback", `{"rating":"sad","feedback":"Slow"}`, nil)
	assert.Equal(t, answer{status: http.StatusOK, header: a.header}, a, "nothing but the status is promised")
	assert.Contains(t, get(t, s, "/api/v2/nordlicht/conversations/"+unrated+"/feedback").body, `"value":"sad"`)
}

// sealed is an id as visitors have it.
func sealed(chatID string) string {
	const digits = "0123456789abcdef"
	var hex strings.Builder
	for _, b := range []byte(chatID) {
		hex.WriteByte(digits[b>>4])
		hex.WriteByte(digits[b&15])
	}
	return "siq" + hex.String()
}

func firstUnrated(t *testing.T, s *salesiqtest.Server) string {
	t.Helper()
	for _, chat := range s.Chats() {
		if chat.Status == "ended" && chat.Rating == nil {
			return chat.ID
		}
	}
	t.Fatal("all are rated")
	return ""
}

// request makes a request with headers.
func request(t *testing.T, s *salesiqtest.Server, token, method, path, body string, header http.Header) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	if header != nil {
		r.Header = header
	}
	r.Header.Set("Authorization", "Zoho-oauthtoken "+token)
	a, err := send(s, r)
	require.NoError(t, err)
	return a
}

// orgToken signs in as the client of an organization.
func orgToken(t *testing.T, s *salesiqtest.Server) string {
	t.Helper()
	return ask(t, s, form(s, "grant_type", "refresh_token", "refresh_token", s.OrgCredentials().RefreshToken.Reveal())).AccessToken
}

// What narrows a list is never ignored, and what is wrong has the vendor's number.
func TestLiveRequestsAreNarrowedOrRefused(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	org := orgToken(t, s)
	const list = "GET /api/v2/nordlicht/conversations?"
	for _, row := range []struct{ why, call, body, contentType, channel, want string }{
		{"a body that is no JSON by its header", "POST /api/v2/nordlicht/tags", `{"name":"n"}`, "text/plain", "", `"code":1054,"header":"Content-Type"`},
		{"a form", "POST /api/v2/nordlicht/tags", `name=n`, "application/x-www-form-urlencoded", "", `"code":1054`},
		{"a parameter that nobody knows", list + "include=all", "", "", "", `"param":"include"`},
		{"a parameter of a list that takes none", "GET /api/v2/portals?any=thing", "", "", "", `"code":1011,"message":"any is no parameter of this call","param":"any"`},
		{"a parameter of one object", "GET /api/v2/nordlicht/operators/operator456?fields=id", "", "", "", `"param":"fields"`},
		{"a parameter of a change", "PUT /api/v2/nordlicht/conversations/chat123/close?notes=x", "", "", "", `"param":"notes"`},
		{"a limit of a list without pages", "GET /api/v2/nordlicht/visitorroutingrules?limit=5", "", "", "", `"param":"limit"`},
		{"an order of a list that has but one", "GET /api/v2/nordlicht/articlecategories?sort_by=name", "", "", "", `"param":"sort_by"`},
		{"a parameter twice", list + "limit=5&limit=6", "", "", "", `"param":"limit"`},
		{"a wrong portal in the details of one", "GET /api/v2/portals/elsewhere", "", "", "", `"code":1005`},
		{"a type of visitors that is none", list + "visitor_type=friend", "", "", "", `"param":"visitor_type"`},
		{"an order that is none", list + "sort_order=up", "", "", "", `"param":"sort_order"`},
		{"a time that is none to sort by", list + "sort_by=name", "", "", "", `"message":"sort_by must be one of end_time, in_time, updated_time","param":"sort_by"`},
		{"a field that is none", list + "fields=id,color", "", "", "", `"param":"fields"`},
		{"more than a page", list + "limit=100", "", "", "", `"param":"limit"`},
		{"two ways to page", list + "index=1&page=1", "", "", "", `"param":"index"`},
		{"pages by index are larger", list + "index=1&limit=100", "", "", "", `"more_data_available":true`},
		{"calls of a thread have no status", "GET /api/v2/nordlicht/conversations/chat1009/threads/1/calls?status=missed", "", "", "", `"param":"status"`},
		{"a list between commas", "GET /api/v2/nordlicht/conversations/chat1009/threads?include_fields=attender,brand", "", "", "", `"param":"include_fields"`},
		{"a deletion without a channel", "DELETE /api/v2/nordlicht/conversations", `{"ids":[1]}`, "", "", `"code":1054,"header":"X-SIQ-Channel"`},
		{"a deletion in another channel", "DELETE /api/v2/nordlicht/conversations", `{"ids":["chat123"]}`, "", "ios", `"code":1019`},
		{"a deletion of nothing", "DELETE /api/v2/nordlicht/conversations", `{}`, "", "website", `"json_key":"ids"`},
		{"a deletion of what is no list", "DELETE /api/v2/nordlicht/conversations", `{"ids":7}`, "", "website", `"code":1007`},
		{"a deletion of one that is there and one that is not", "DELETE /api/v2/nordlicht/conversations", `{"ids":["chat123","nobody"]}`, "", "website", `"code":1019`},
		{"a message that is left with nobody's words", "POST /visitor/v2/nordlicht/conversations/leavemessage org", `{"visitor":{"user_id":"u"},"app_id":"brand123","department_id":"dept789","message":" "}`, "", "", `"json_key":"message"`},
		{"a chat to leave that is over", "PUT /visitor/v2/nordlicht/conversations/chat1200/close org", "", "", "", `"code":1011`},
		{"a user's token on the visitor's side", "POST /api/visitor/v1/nordlicht/conversations", `{}`, "", "", `"code":1009`},
		{"a wrong portal on the visitor's side", "POST /api/visitor/v1/elsewhere/conversations", `{}`, "", "", `"code":1005`},
		{"a wrong portal on the visitor's side, version 2", "POST /visitor/v2/elsewhere/conversations", `{}`, "", "", `"code":1005`},
		{"a path that nobody knows", "GET /visitor/v2/nordlicht/conversations/x/y/z", "", "", "", `"code":1006`},
		{"a view that is none", "GET /api/v1/nordlicht/visitorsview/7/visitors", "", "", "", `"code":2210`},
		{"a chat that was picked up already", "PUT /api/v2/nordlicht/conversations/chat123/pickup", "", "", "", `"code":1011`},
		{"a chat that nobody handed over", "PUT /api/v2/nordlicht/conversations/chat123/accept", `{"operator_id":"operator456"}`, "", "", `"json_key":"id"`},
		{"two keys", "GET /api/v3/nordlicht/visits?next_key=1&prev_key=2", "", "", "", `"param":"prev_key"`},
		{"a department of another app", "POST /visitor/v2/nordlicht/conversations org", `{"visitor":{"user_id":"u"},"app_id":"brand123","department_id":"dept801","question":"q"}`, "", "", `"code":1025`},
		{"a visitor without an id", "POST /visitor/v2/nordlicht/conversations org", `{"app_id":"brand123","department_id":"dept789","question":"q"}`, "", "", `"json_key":"visitor.user_id"`},
		{"an operator of another department", "PUT /api/v2/nordlicht/conversations/chat123/transfer", `{"department_id":"dept789","operator_id":"operator1"}`, "", "", `"code":1024,"json_key":"operator_id"`},
		{"an operator whose address another one has", "POST /api/v2/nordlicht/operators", `{"email_id":"greta.operator456@nordlicht.example","role":"Associate","departments":["dept789"],"is_monitored":"false"}`, "", "", `"code":1014,"json_key":"email_id"`},
		{"an address that is none", "POST /api/v2/nordlicht/blockedips", `{"ip":"here"}`, "", "", `"json_key":"ip"`},
		{"an address for no app", "POST /api/v2/nordlicht/blockedips", `{"ip":"203.0.113.9","app_ids":[]}`, "", "", `"json_key":"app_ids"`},
		{"a change of nothing", "PUT /api/v2/nordlicht/visitorroutingrules/commonrule", `{"color":"red"}`, "", "", `"json_key":"route_to_all"`},
		{"an article of which it is not said who sees it", "POST /api/v2/nordlicht/articles", `{"title":"t","content":"c","department_id":"dept789","category_id":"910000000000000001"}`, "", "", `"code":1011,"json_key":"published"`},
		{"a number for a text", "POST /api/v2/nordlicht/conversations/chat123/messages", `{"text":5}`, "", "", `"code":1007,"json_key":"text"`},
		{"a rating that is none", "POST /api/visitor/v1/nordlicht/conversations/chat1009/feedback org", `{"rating":"great"}`, "", "", `"json_key":"rating"`},
	} {
		parts := strings.Fields(row.call)
		token := s.AccessToken()
		if len(parts) == 3 {
			token = org
		}
		header := http.Header{}
		for name, value := range map[string]string{"Content-Type": row.contentType, "X-Siq-Channel": row.channel} {
			if value != "" {
				header.Set(name, value)
			}
		}
		a := request(t, s, token, parts[0], parts[1], row.body, header)
		assert.Equal(t, http.StatusOK, a.status, row.why)
		assert.Contains(t, a.body, row.want, row.why)
	}
}

// An administrator's consent makes tokens that the visitor's side takes.
func TestConsentOfAnOrganizationOpensTheVisitorsSide(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	for path, want := range map[string]string{"/oauth/v2/org/auth": `"code":1011`, "/oauth/v2/auth": `"code":1009`} {
		query := url.Values{
			"client_id": {s.OrgCredentials().ClientID}, "response_type": {"code"}, "access_type": {"offline"},
			"redirect_uri": {"http://127.0.0.1/back"}, "scope": {"SalesIQ.conversations.ALL"},
		}
		a := request(t, s, "", "GET", path+"?"+query.Encode(), "", nil)
		location, err := url.Parse(a.header.Get("Location"))
		require.NoError(t, err)
		token := ask(t, s, form(s, "grant_type", "authorization_code", "code", location.Query().Get("code"), "redirect_uri", "http://127.0.0.1/back"))
		a = request(t, s, token.AccessToken, "POST", "/api/visitor/v1/nordlicht/conversations", `{}`, nil)
		assert.Contains(t, a.body, want, path)
	}
}
