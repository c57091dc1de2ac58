package salesiqtest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

// In the live dialect every word is the vendor's, also of what goes wrong.
func TestTheLiveDialectIsTheVendors(t *testing.T) {
	t.Parallel()
	server := salesiqtest.Start(t, salesiqtest.Live())
	token := server.AccessToken()
	for _, row := range []struct {
		why, method, path, token, body, want string
	}{
		{"a flag and a number are strings, a time is milliseconds", "GET", "/api/v2/nordlicht/operators/operator456", token, "",
			`"is_chat_enabled":"true"`},
		{"a list tells when it was asked for", "GET", "/api/v2/nordlicht/departments", token, "", `"sync_time":"1`},
		{"no screen name", "GET", "/api/v2/operators", token, "", `{"error":{"code":1006,`},
		{"another one", "GET", "/api/v2/elsewhere/operators", token, "", `{"error":{"code":1005,`},
		{"another method", "PATCH", "/api/v2/nordlicht/operators", token, "", `{"error":{"code":1004,`},
		{"nothing there", "GET", "/api/v2/nordlicht/nothing", token, "", `{"error":{"code":1006,`},
		{"no token", "GET", "/api/v2/portals", "", "", `{"error":{"code":1002,`},
		{"a token that is none", "GET", "/api/v2/portals", "no", "", `"header":"Authorization"`},
		{"a body that is none", "POST", "/api/v2/nordlicht/tags", token, `{"name":`, `{"error":{"code":1015,`},
		{"a parameter that is wrong", "GET", "/api/v2/nordlicht/conversations?limit=100", token, "", `"param":"limit"`},
		{"no scope", "GET", "/api/v2/portals", server.AccessToken("SalesIQ.apps.READ"), "", `{"error":{"code":1009,`},
		{"a field that is missing", "POST", "/api/v2/nordlicht/tags", token, `{"name":"x"}`, `"json_key":"color"`},
		{"the specified paths", "GET", "/api/v2/nordlicht/chats", token, "", `{"error":{"code":1006,`},
	} {
		request, err := http.NewRequestWithContext(t.Context(), row.method, server.URL+row.path, strings.NewReader(row.body))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Zoho-oauthtoken "+row.token)
		response, err := server.HTTPClient().Do(request)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, http.StatusOK, response.StatusCode, row.why)
		assert.Contains(t, string(body), row.want, row.why)
		assert.Empty(t, response.Header.Get("X-RateLimit-Limit"), row.why)
	}
}

func TestFaultsOfTheLiveDialectAreTheVendors(t *testing.T) {
	t.Parallel()
	server := salesiqtest.Start(t, salesiqtest.Live())
	require.NoError(t, server.Inject(salesiqtest.Fault{Path: "/api/", Code: salesiq.ErrPermissionDenied, Times: 1}))
	client := server.Client(t)
	_, err := client.Operators.List(t.Context(), nil)
	failure := &salesiq.Error{}
	require.ErrorAs(t, err, &failure)
	require.ErrorIs(t, err, salesiq.ErrPermissionDenied)
	assert.Equal(t, 1016, failure.VendorCode)
	assert.Equal(t, http.StatusOK, failure.StatusCode)
}

// The shapes of the vendor's pages. What stands in brackets is explained in
// specified_test.go.
const (
	liveObject = `{"url":"URL","object":"OBJECT","data":DATA}`
	liveList   = `{"url":"URL","object":"list","data":["<each>",DATA],"sync_time":"<ms>"MORE}`

	livePartyFixture  = `{"id":"<text>","name":"<text>","email":"<text>","image_key":"<text>","is_bot":false}`
	liveRefFixture    = `{"id":"<text>","name":"<text>"}`
	liveStatusFixture = `{"id":"<digits>","state":"<number>","status_code":"<number>","state_key":"<text>","status_key":"<text>","label":"<text>"}`
	liveAnyTagFixture = `{"id":"<text>","name":"<text>","color":"<text>","module":"<text>","archived":"<bool>","status":"<text>",
		"modified_time":"<ms>","modifier":{"id":"<text>","name":"<text>","modified_time":"<ms>"}}`
	liveMessageFixture  = `{"sequence_id":"<digits>","sender":` + liveRefFixture + `,"type":"text","message":{"text":"<text>"},"time":"<ms>"}`
	conversationFixture = `{"id":"CHAT","type":"chat","reference_id":"<digits>","chat_id":"LD_CHAT","owner":` + livePartyFixture + `,
		"attender":` + livePartyFixture + `,"participants":["<each>",` + livePartyFixture + `],"supervisors":[],
		"department":` + liveRefFixture + `,"visitor":{"id":"<text>","user_id":"<text>","name":"<text>","email?":"<text>","country_code":"<text>",
			"supported_operations":["<each>","<text>"]},"app_id":"<text>","app_name":"<text>","uvid":"<text>","question":"<text>",
		"unread_chats":"<bool>","notes":"<bool>","tags":["<each>",` + liveAnyTagFixture + `],"customer_info?":{"basket":"<digits>"},"status":"STATUS","status_code":"<number>","chat_status":` + liveStatusFixture + `,
		"last_message_info":{"sequence_id":"<digits>","sender":` + liveRefFixture + `,"type":"text","message":{"text":"<text>"}},
		"start_time":"<ms>","attended_time":"<any ms>","missed_time":"<any ms>","end_time":"<any ms>","last_modified_time":"<ms>"}`
	liveOperatorFixture = `{"id":"ID","zuid":"<digits>","first_name":"FIRST","last_name":"LAST","nick_name":"<any text>","email_id":"<text>",
		"role":"ROLE","description":"<any text>","mobile":"<any text>","phone":"<any text>","date_of_birth":"<any text>","street":"<any text>",
		"city":"<any text>","state":"<any text>","country":"<any text>","pin_code":"<any text>","language":"<text>","time_zone":"<any text>",
		"departments":["<each>","<text>"],"maximum_concurrent_chat":"<text>","status_code":"<digits>","status_message":"<text>",
		"is_chat_enabled":"<flag>","is_enabled":"<flag>","is_owner":"<flag>","is_confirmed":"<flag>","is_deleted":"<flag>",
		"notify":{"new_visit":"<flag>","return_visit":"<flag>"},"wms_id":"<text>","created_time":"<ms>","modified_time":"<ms>","image_url":"<text>"}`
	liveDepartmentFixture = `{"id":"<text>","name":"<text>","display_name":"<text>","description":"<any text>","is_enabled":"<flag>",
		"is_public":"<flag>","is_system_generated":"<flag>","created_by":"<text>","created_time":"<ms>","modified_time":"<ms>"}`
	liveChannelFixture = `{"enabled":"<bool>","chat":"<number>","call":"<number>","faq":"<number>","proactive":"<number>"}`
	liveAppFixture     = `{"id":"<text>","name":"<text>","unique_name":"<text>","enabled":true,"privacy":"<bool>","business_hours":"<bool>",
		"reply_time":"<digits>","waiting_time":"<digits>","description":{"default":"<any text>"},"logo_url":"<text>","creator":` + liveRefFixture + `,
		"channels":{"website":` + liveChannelFixture + `,"emailsignature":` + liveChannelFixture + `,"android":` + liveChannelFixture + `,
			"ios":` + liveChannelFixture + `},"created_time":"<ms>","modified_time":"<ms>"}`
	liveTagFixture = `{"id":"TAG","name":"urgent","color":"#b45309","module":"conversations","archived":false,"status":"unarchived",
		"modified_time":"<ms>","modifier":{"id":"<text>","name":"<text>","modified_time":"<ms>"}}`
	liveWebhookFixture = `{"id":"HOOK","type":"data","url":"ADDRESS","events":EVENTS,"app_ids":APPS,"secured":SECURED,"version":1,
		"status":"enabled","failures_count":"<digits>","expiry_time_for_executions_data":"EXPIRY",
		"public_keys":["<each>",{"id":"<ms>","key":"<text>","creator":{"id":"<text>"},"created_time":"<ms>"}],
		"creator":{"id":"<text>"},"modifier":{"id":"<text>"},"created_time":"<ms>","modified_time":"<ms>"}`
)

// Every call of the live dialect, with bodies as on the vendor's pages, on one
// server and in this order.
func TestEveryLiveCallAnswersAsPublished(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.WithWebhookRetryPause(time.Millisecond))
	token := s.AccessToken()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead {
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	t.Cleanup(receiver.Close)
	const root = "/api/v2/nordlicht"
	ids := map[string]string{} // Of what calls have made.
	for _, row := range []struct {
		call, body, object, data string // Without data, the page shows no answer.
		more                     string // Of the envelope of a list.
		keep                     string // Remembers the id of the answer by this name.
	}{
		{call: "GET /api/v2/portals", data: `{"screenname":"nordlicht","name":"<text>","owner_zuid":"<digits>","operator_id":"<text>","logo":"<text>","created_time":"<ms>"}`},
		{
			// The name is not on the page; package live reads it there.
			call: "GET /api/v2/portals/nordlicht", object: "portal", data: `{"screenname":"nordlicht","name":"<text>","company_name":"<text>",
				"description":"<any text>","email_id":"<text>","phone":"<any text>","mobile":"<any text>","website":"<text>","language":"<text>",
				"address":"<any text>","street":"<any text>","city":"<any text>","state":"<any text>","country":"<any text>","logo":"<text>",
				"icon":"<text>","owner":{"zuid":"<digits>","operator_id":"<text>","name":"<text>","email_id":"<text>"}}`,
		},

		{call: "GET {b}/conversations?status=connected&department_id=dept789&limit=99", data: fill(conversationFixture, "LD_CHAT", "<text>", "CHAT", "<text>", "STATUS", "Connected"), more: `,"more_data_available":false`},
		{call: "GET {b}/conversations/chat123", object: "conversations", data: fill(conversationFixture, "CHAT", "chat123", "STATUS", "Connected")},
		{call: "GET {b}/conversations/chat123/messages?limit=5", data: liveMessageFixture, more: `,"more_data_available":"<bool>"`},
		{
			call: "POST {b}/conversations/chat123/messages", body: `{"text":"One moment"}`, object: "message",
			data: fill(liveMessageFixture, `{"text":"<text>"}`, `{"text":"One moment"}`),
		},
		{
			call: "PUT {b}/conversations/chat123/transfer", body: `{"department_id":"dept790","operator_id":"operator789","note":"A tent"}`,
			object: "conversations", data: fill(conversationFixture, "CHAT", "chat123", "STATUS", "Connected"),
		},
		{call: "POST {b}/tags", body: `{"name":"urgent","color":"#b45309","module":"conversations"}`, object: "tags_config", data: fill(liveTagFixture, "TAG", "<text>"), keep: "TAG"},
		{
			call: "PUT {b}/conversations/chat123/tags", body: `{"ids":["TAG","none"]}`, object: "tag_ids_list",
			data: `{"failed_tag_ids":["none"],"associated_tags":[` + liveTagFixture + `]}`,
		},
		{call: "PUT {b}/conversations/chat123/close", object: "conversations", data: fill(conversationFixture, "CHAT", "chat123", "STATUS", "Attended Online")},

		{call: "GET {b}/operators?index=1", data: fill(liveOperatorFixture, "ID", "<text>", "FIRST", "<text>", "LAST", "<any text>", "ROLE", "<text>")},
		{call: "GET {b}/operators/operator456", object: "operator", data: fill(liveOperatorFixture, "ID", "operator456", "FIRST", "Greta", "LAST", "Sommer", "ROLE", "Associate")},
		{
			call: "POST {b}/operators", body: `{"email_id":"edda@nordlicht.example","role":"Supervisor","departments":["dept790"],"is_monitored":"true","first_name":"Edda"}`,
			object: "operator", data: fill(liveOperatorFixture, "ID", "<text>", "FIRST", "Edda", "LAST", "", "ROLE", "Supervisor"), keep: "MADE",
		},
		{call: "PUT {b}/operators/MADE/disable"},
		{call: "PUT {b}/operators/MADE/enable"},
		{call: "DELETE {b}/operators/MADE"},

		{call: "GET {b}/departments?index=1", data: liveDepartmentFixture, more: `,"CRC":"<digits>"`},
		{call: "GET {b}/apps", data: liveAppFixture},
		{call: "GET {b}/apps/brand123", object: "app", data: liveAppFixture},
		{
			call: "GET /api/v3/nordlicht/visitors?prev_key=4102444800000&limit=10", data: `{"id":"<text>","name":"<any text>","email?":"<text>",
				"country":"<any text>","lead_score":"<number>","visit_source":"<text>","visit_count":"<number>","first_accessed_time":"<ms>",
				"last_accessed_time":"<ms>"}`, more: `,"next_key":"<ms>","prev_key":"<ms>"`,
		},

		{
			call: "POST {b}/webhooks", body: `{"type":"data","url":"ADDRESS","events":["conversation.created"],"app_ids":["brand123"],"secured":"true",
				"version":"1","expiry_time_for_executions_data":"604800000"}`, object: "webhook", keep: "HOOK",
			data: fill(liveWebhookFixture, "HOOK", "<text>", "EVENTS", `["conversation.created"]`, "APPS", `["brand123"]`, "SECURED", "true", "EXPIRY", "604800000"),
		},
		{
			// What an answer says can be sent back.
			call: "PUT {b}/webhooks/HOOK", body: `{"id":"HOOK","type":"data","url":"ADDRESS","events":["conversation.visitor.replied"],"app_ids":[],"secured":true,
				"version":1,"expiry_time_for_executions_data":"604800000","status":"enabled"}`, object: "webhook",
			data: fill(liveWebhookFixture, "EVENTS", `["conversation.visitor.replied"]`, "APPS", `[]`, "SECURED", "true", "EXPIRY", "604800000"),
		},
		{
			call: "POST {b}/webhooks/HOOK/keys", object: "webhook", keep: "HOOK",
			data: fill(liveWebhookFixture, "EVENTS", `["conversation.visitor.replied"]`, "APPS", `[]`, "SECURED", "true", "EXPIRY", "604800000"),
		},
		{
			call: "GET {b}/webhooks/HOOK", object: "webhook",
			data: fill(liveWebhookFixture, "EVENTS", `["conversation.visitor.replied"]`, "APPS", `[]`, "SECURED", "true", "EXPIRY", "604800000"),
		},
		{call: "DELETE {b}/webhooks/webhook123"},
		{
			call: "GET {b}/webhooks?type=data",
			data: fill(liveWebhookFixture, "EVENTS", `["conversation.visitor.replied"]`, "APPS", `[]`, "SECURED", "true", "EXPIRY", "604800000"),
		},
		{
			call: "GET {b}/webhooks/HOOK/executions?limit=5&pageno=1", keep: "RUN",
			data: `{"id":"<text>","webhook_id":"HOOK","event":"conversation.visitor.replied","entity":"conversation","entity_id":"<text>","app_id":"brand123",
				"remote_server_status":418,"number_of_retries":3,"payload":{"version":1,"event_time":"<ms>","id":"<text>",
					"message":{"msgid":"<text>","text":"Hello","meta":{},"sender":{"id":"<text>","name":"<text>","type":"visitor"}}},
				"last_execution_time":"<ms>"}`,
		},
		{call: "POST {b}/webhooks/HOOK/executions", body: `{"ids":["RUN"]}`, object: "webhook", data: `{"skipped":[]}`},
		{call: "DELETE {b}/webhooks/HOOK/keys/KEY"},
		{call: "DELETE {b}/webhooks/HOOK"},
	} {
		if strings.Contains(row.call, "HOOK/executions?") {
			_, err := s.StartChat("visitor123", "Hello")
			require.NoError(t, err)
			require.Eventually(t, func() bool { return len(s.Deliveries()) == 4 }, 10*time.Second, time.Millisecond)
		}
		parts := []string{"{b}", root, "ADDRESS", receiver.URL}
		for name, id := range ids {
			parts = append(parts, name, id)
		}
		method, path, _ := strings.Cut(fill(row.call, parts...), " ")
		a := do(t, s, token, method, path, fill(row.body, parts...))
		if row.data == "" {
			assert.Equal(t, http.StatusNoContent, a.status, "%s: %s", row.call, a.body)
			continue
		}
		require.Equal(t, http.StatusOK, a.status, "%s: %s", row.call, a.body)
		envelope := liveObject
		if row.object == "" {
			envelope = liveList
		}
		url, _, _ := strings.Cut(path, "?")
		if strings.HasPrefix(url, "/api/v3/") {
			url = "/api/v3/visitors" // The vendor's sample has no screen name.
		}
		fixture := fill(envelope, "URL", url, "OBJECT", row.object, "DATA", fill(row.data, parts...), "MORE", row.more)
		assertFits(t, fixture, a.body, row.call)
		if row.keep != "" {
			remember(t, ids, row.keep, a.body)
		}
	}
	assert.Len(t, s.Stats().Calls, 29, "all calls of the live dialect")
	assert.Equal(t, 30, s.Stats().Processed)
}

// remember keeps the id of an answer by name, or of the first item of a list, and
// that of its first key.
func remember(t *testing.T, ids map[string]string, name, body string) {
	t.Helper()
	type named struct {
		ID   string `json:"id"`
		Keys []struct {
			ID string `json:"id"`
		} `json:"public_keys"`
	}
	var one struct {
		Data named `json:"data"`
	}
	if json.Unmarshal([]byte(body), &one) != nil {
		var list struct {
			Data []named `json:"data"`
		}
		require.NoError(t, json.Unmarshal([]byte(body), &list))
		require.NotEmpty(t, list.Data, name)
		one.Data = list.Data[0]
	}
	ids[name] = one.Data.ID
	if len(one.Data.Keys) > 0 {
		ids["KEY"] = one.Data.Keys[0].ID
	}
}

// The events of the vendor's pages, in the envelope that others have seen.
func TestLiveEventsAreWrittenAsPublished(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	token := s.AccessToken()
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close)
	const chatEntity = `{"id":"CHAT","app_id":"brand123","visitor_conversation_id":"<text>","reference_id":"<digits>","opened_time":"<ms>","attended_time":"<any ms>",
		"missed_time":"<any ms>","end_time":"<any ms>","department_id":"<any text>","question":"<any text>","status":"<text>",
		"chat_status":` + liveStatusFixture + `,"visitor":{"id":"visitor123","type":"lead","name":"Ada Marchetti","email_id":"<text>","phone":"<text>"},
		"supervisors":[],"participants":["<each>","<text>"]MORE}`
	const taken = `,"owner":{"id":"operator456","name":"Greta Sommer","email_id":"<text>","email":"<text>","type":"operator"}`
	const message = `,"message":{"msgid":"<text>","text":"TEXT","meta":{},"sender":{"id":"SENDER","name":"<text>","type":"TYPE"}}`
	fixtures := map[string]string{ // The events and their entities.
		"conversation.created":          fill(chatEntity, "MORE", ""),
		"conversation.visitor.replied":  fill(chatEntity, "MORE", fill(message, "TEXT", "Hello", "SENDER", "$visitor123", "TYPE", "visitor")),
		"conversation.attender.updated": fill(chatEntity, "MORE", taken),
		"conversation.operator.replied": fill(chatEntity, "MORE", taken+fill(message, "TEXT", "Moin", "SENDER", "operator456", "TYPE", "operator")),
		"conversation.completed":        fill(chatEntity, "MORE", taken+`,"ended_by":"agent"`, `"end_time":"<any ms>"`, `"end_time":"<ms>"`),
		"conversation.missed":           fill(chatEntity, "MORE", "", "CHAT", "MISSED", `"missed_time":"<any ms>"`, `"missed_time":"<ms>"`),
		"conversation.rated":            fill(chatEntity, "MORE", taken+`,"rating":4,"feedback":"Quick"`, `"id":"CHAT",`, ""),
		"visitor.updated": `{"id":"visitor123","type":"lead ","first_name":"Ada","last_name":"Marchetti","email_id":"<text>","phone":"<text>",
			"modifier":{"id":"<text>","name":"<text>","email_id":"<text>","type":"operator"}}`,
		"operator.updated": `{"chat_enabled":false,"access_levels":["<each>","<text>"],` +
			fill(strings.TrimPrefix(liveOperatorFixture, "{"), `"is_chat_enabled":"<flag>",`, "", "ID", "operator789", "FIRST", "Kenji", "LAST", "Watanabe", "ROLE", "Associate"),
		"tag.created": fill(liveTagFixture, "TAG", "<text>"),
	}
	for kind, events := range map[string]string{
		"data": `"conversation.created","conversation.visitor.replied","conversation.attender.updated","conversation.operator.replied","conversation.completed","conversation.missed",
			"conversation.rated","visitor.updated"`,
		"administration": `"operator.updated","tag.created"`,
	} {
		do(t, s, token, "POST", "/api/v2/nordlicht/webhooks", `{"type":"`+kind+`","url":"`+receiver.URL+`","events":[`+events+`]}`)
	}
	chat, err := s.StartChat("visitor123", "Hello")
	require.NoError(t, err)
	for _, call := range [][3]string{
		{"PUT", "/conversations/" + chat.ID + "/transfer", `{"department_id":"dept789","operator_id":"operator456"}`},
		{"POST", "/conversations/" + chat.ID + "/messages", `{"text":"Moin"}`},
		{"PUT", "/conversations/" + chat.ID + "/close", ""},
		{"PUT", "/operators/operator789/disable", ""},
		{"POST", "/tags", `{"name":"urgent","color":"#b45309","module":"conversations"}`},
	} {
		a := do(t, s, token, call[0], "/api/v2/nordlicht"+call[1], call[2])
		require.NotContains(t, a.body, `"error":`, call[1])
	}
	require.NoError(t, s.Emit(salesiq.EventChatRated, &webhook.ChatRated{ChatID: chat.ID, Rating: 4, Feedback: "Quick"}))
	require.NoError(t, s.Emit(salesiq.EventVisitorIdentified, &webhook.VisitorIdentified{VisitorID: "visitor123"}))
	missed, err := s.StartChat("visitor123", "Hello")
	require.NoError(t, err)
	require.NoError(t, s.MissChat(missed.ID))
	require.Eventually(t, func() bool { return len(s.Deliveries()) == 12 }, 10*time.Second, time.Millisecond)
	for _, delivery := range s.Deliveries() {
		event := string(delivery.Event)
		kind, _, _ := strings.Cut(event, ".")
		app := `,"app_id":"brand123"`
		if kind == "operator" || kind == "tag" {
			app = ""
		}
		id := chat.ID
		if strings.Contains(delivery.Body, missed.ID) {
			id = missed.ID
		}
		entity := fill(fixtures[event], "CHAT", id, "MISSED", missed.ID)
		assertFits(t, `{"entity_type":"`+kind+`","org_id":"<digits>","event":"`+event+`","entity_id":"<text>","attempt":1,"version":1,"event_time":"<ms>",
			"webhook":{"id":"`+delivery.WebhookID+`"}`+app+`,"entity":`+entity+`}`, delivery.Body, event)
		fixtures[event+" seen"] = ""
	}
	assert.Len(t, fixtures, 20, "each event was seen")
}

func TestLiveWebhooksAreChecked(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close)
	for _, row := range []struct{ members, field string }{
		{``, ""},
		{`,"version":1,"secured":"false"`, ""},
		{`,"expiry_time_for_executions_data":604800000`, ""},
		{`,"version":"2"`, "version"},
		{`,"secured":"maybe"`, "secured"},
		{`,"type":"robot"`, "type"},
		{`,"app_ids":["brand123","none"]`, "app_ids[1]"},
		{`,"events":["chat.ended"]`, "events[0]"},
		{`,"expiry_time_for_executions_data":"604799999"`, "expiry_time_for_executions_data"},
		{`,"expiry_time_for_executions_data":"5184000001"`, "expiry_time_for_executions_data"},
		{`,"expiry_time_for_executions_data":"soon"`, "expiry_time_for_executions_data"},
	} {
		body := `{"type":"data","url":"` + receiver.URL + `","events":["conversation.created"]` + row.members + `}`
		a := do(t, s, s.AccessToken(), "POST", "/api/v2/nordlicht/webhooks", body)
		if row.field == "" {
			assert.Contains(t, a.body, `"object":"webhook"`, row.members)
			continue
		}
		assert.Contains(t, a.body, `"json_key":"`+row.field+`"`, row.members)
	}
}
