package salesiqtest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/salesiqtest"
)

// liveRefusal is an error of the live service.
type liveRefusal struct {
	Code  int    `json:"code"`
	Key   string `json:"json_key"`
	Param string `json:"param"`
}

func liveRefusalIn(t *testing.T, a answer) liveRefusal {
	t.Helper()
	var body struct {
		Error liveRefusal `json:"error"`
	}
	require.NoError(t, json.Unmarshal([]byte(a.body), &body), a.body)
	return body.Error
}

// The vendor's numbers.
const (
	wrongTypeNumber = 1007
	wrongValue      = 1011
	nameTaken       = 1014
	wrongBody       = 1015
	notThere        = 1019
	noDepartment    = 1025
)

func TestLiveServiceSaysWhatIsWrongWithACall(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	before := len(s.Chats())
	for _, tt := range []struct {
		call, body string
		want       liveRefusal
	}{
		{"POST /conversations/chat123/messages", `{"text":""}`, liveRefusal{Code: wrongValue, Key: "text"}},
		{"POST /conversations/nobody/messages", `{"text":"Hi"}`, liveRefusal{Code: notThere}},
		{"POST /visitors/nobody@work.example/messages", `{"text":"Hi"}`, liveRefusal{Code: notThere}},
		{"GET /conversations/nobody/messages", "", liveRefusal{Code: notThere}},
		{"GET /conversations/chat123/messages?from_time=now", "", liveRefusal{Code: wrongValue, Param: "from_time"}},
		{"GET /conversations/chat123/messages?sort_order=up", "", liveRefusal{Code: wrongValue, Param: "sort_order"}},
		{"POST /conversations/chat123/notes", `{}`, liveRefusal{Code: wrongValue, Key: "notes"}},
		{"POST /conversations/nobody/notes", `{"notes":"Hi"}`, liveRefusal{Code: notThere}},
		{"POST /conversations/nobody/export", `{"data":"messages","format":"json"}`, liveRefusal{Code: notThere}},
		{"POST /conversations/chat123/export", `{"data":"files","format":"json"}`, liveRefusal{Code: wrongValue, Key: "data"}},
		{"POST /conversations/chat123/export", `{"data":"messages","format":"pdf"}`, liveRefusal{Code: wrongValue, Key: "format"}},

		{"PUT /conversations/nobody/pickup", "", liveRefusal{Code: notThere}},
		{"PUT /conversations/chat123/pickup", "", liveRefusal{Code: wrongValue}},
		{"PUT /conversations/chat123/transfer", `{}`, liveRefusal{Code: wrongValue, Key: "department_id"}},
		{"PUT /conversations/chat123/transfer", `{"department_id":"nowhere"}`, liveRefusal{Code: noDepartment, Key: "department_id"}},
		{"PUT /conversations/chat123/accept", `{}`, liveRefusal{Code: wrongValue, Key: "operator_id"}},
		{"PUT /conversations/chat123/accept", `{"operator_id":"operator456"}`, liveRefusal{Code: wrongValue, Key: "id"}},
		{"PUT /conversations/nobody/reject", `{"operator_id":"operator456"}`, liveRefusal{Code: notThere}},
		{"PUT /conversations/chat123", `{}`, liveRefusal{Code: wrongValue, Key: "customer_info"}},
		{"PUT /conversations/nobody", `{"customer_info":{"a":"b"}}`, liveRefusal{Code: notThere}},
		{"GET /conversations/nobody/visitor", "", liveRefusal{Code: notThere}},
		{"PUT /conversations/nobody/transfer", `{"department_id":"dept789"}`, liveRefusal{Code: notThere}},
		{"PUT /conversations/chat1200/transfer", `{"department_id":"dept789"}`, liveRefusal{Code: wrongValue}}, // It has ended.
		{"PUT /conversations/chat123", `{"customer_info":{"sum":1e999}}`, liveRefusal{Code: wrongTypeNumber, Key: "customer_info"}},

		{"GET /conversations/nobody/threads", "", liveRefusal{Code: notThere}},
		{"GET /conversations/nobody/threads/1", "", liveRefusal{Code: notThere}},
		{"GET /conversations/chat123/threads/99", "", liveRefusal{Code: notThere}},
		{"GET /conversations/chat123/threads/1?include_fields=brand", "", liveRefusal{Code: wrongValue, Param: "include_fields"}},
		{"GET /conversations/chat123/threads?include_fields=%5B%22color%22%5D", "", liveRefusal{Code: wrongValue, Param: "include_fields"}},
		{"GET /conversations/nobody/calls", "", liveRefusal{Code: notThere}},
		{"GET /conversations/chat123/threads/99/calls", "", liveRefusal{Code: notThere}},
		{"GET /calls?status=lost", "", liveRefusal{Code: wrongValue, Param: "status"}},
		{"GET /calls?sort_by=length", "", liveRefusal{Code: wrongValue, Param: "sort_by"}},
		{"GET /feedbacks/nobody", "", liveRefusal{Code: notThere}},
		{"GET /conversations/chat123/feedback", "", liveRefusal{Code: notThere}},

		{"POST /tags", `{"id":"tag1","name":"New","color":"#111111","module":"visitors"}`, liveRefusal{Code: wrongValue, Key: "id"}},
		{"POST /tags", `{"name":"vip","color":"#111111","module":"visitors"}`, liveRefusal{Code: nameTaken, Key: "name"}},
		{"POST /tags", `{"name":"New","color":"#111111","module":"robots"}`, liveRefusal{Code: wrongValue, Key: "module"}},
		{"POST /tags/nobody/archives", "", liveRefusal{Code: notThere}},
		{"PUT /conversations/chat123/tags", `{}`, liveRefusal{Code: wrongValue, Key: "ids"}},
		{"PUT /conversations/nobody/tags", `{"ids":["tag101"]}`, liveRefusal{Code: notThere}},
		{"PUT /visitors/nobody/tags", `{"ids":["tag101"]}`, liveRefusal{Code: notThere, Key: "visitor_id"}},
		{"PUT /contacts/visitor123/tags", `{"ids":["tag101"]}`, liveRefusal{Code: notThere}}, // A lead.
		{"PUT /companies/visitor123/tags", `{"ids":["tag101"]}`, liveRefusal{Code: notThere}},
		{"DELETE /conversations/chat123/tags", "", liveRefusal{Code: wrongValue, Param: "id"}},
		{"DELETE /conversations/chat123/tags?id=nobody", "", liveRefusal{Code: notThere}},
		{"DELETE /conversations/nobody/tags?id=tag101", "", liveRefusal{Code: notThere}},

		{"POST /visitors", `{"id":"visitor1"}`, liveRefusal{Code: wrongValue, Key: "id"}},
		{"GET /visitors/nobody", "", liveRefusal{Code: notThere, Key: "visitor_id"}},
		{"POST /operators", `{"email_id":"new@work.example","role":"Associate","date_of_birth":"1999-01-31"}`, liveRefusal{Code: wrongValue, Key: "date_of_birth"}},
		{"PUT /operators/nobody/departments", `{"ids":["dept789"]}`, liveRefusal{Code: notThere}},
		{"PUT /operators/operator456/departments", `{}`, liveRefusal{Code: wrongValue, Key: "ids"}},
		{"PUT /operators/operator456/departments", `{"ids":["dept789","nowhere"]}`, liveRefusal{Code: noDepartment, Key: "ids[1]"}},
		{"PUT /departments/nowhere/operators", `{"ids":["operator456"]}`, liveRefusal{Code: notThere}},
		{"DELETE /departments/dept789/operators", "", liveRefusal{Code: wrongValue, Param: "ids"}},
		{"DELETE /departments/dept789/operators?ids=nobody", "", liveRefusal{Code: 1024, Param: "ids[0]"}},
		{"DELETE /departments/dept789", "", liveRefusal{Code: wrongValue, Param: "configure_to"}},
		{"DELETE /departments/dept789?configure_to=dept789", "", liveRefusal{Code: wrongValue, Param: "configure_to"}},
		{"DELETE /departments/dept789?configure_to=nowhere", "", liveRefusal{Code: noDepartment, Param: "configure_to"}},
		{"POST /apps", `{"departments":["nowhere"]}`, liveRefusal{Code: noDepartment, Key: "departments[0]"}},
		{"PUT /apps/brand123", `{"name":""}`, liveRefusal{Code: wrongValue, Key: "name"}},
		{"PUT /apps/brand123", `{"Name":"New"}`, liveRefusal{Code: wrongValue, Key: "Name"}},
		{"PUT /apps/brand123", `{"enabled":"perhaps"}`, liveRefusal{Code: wrongTypeNumber, Key: "enabled"}},
		{"PUT /apps/brand123", `{"description":7}`, liveRefusal{Code: wrongTypeNumber, Key: "description"}},
		{"PUT /apps/brand123", `{"of_its_own":[1e999]}`, liveRefusal{Code: wrongTypeNumber, Key: "of_its_own"}},
		{"PUT /apps/brand123", `{"unique_name":"other"}`, liveRefusal{Code: wrongValue, Key: "unique_name"}},
		{"PUT /apps/brand123", `{"waiting_time":"7"}`, liveRefusal{Code: wrongValue, Key: "waiting_time"}},
		{"POST /cannedresponses", `{"content":"x","associate_with_all_departments":false}`, liveRefusal{Code: wrongValue, Key: "department_id"}},
		{"POST /chatmonitors", `{"type":"operator"}`, liveRefusal{Code: wrongValue, Key: "operator"}},
		{"POST /chatmonitors", `{"type":"visitor_ip","operator":"operator123"}`, liveRefusal{Code: wrongValue, Key: "visitor_ip"}},
		{"PUT /operators/operator1/disable", "", liveRefusal{Code: 1016}},
		{"DELETE /webhooks/webhook123/keys/nobody", "", liveRefusal{Code: notThere}},
		{"DELETE /webhooks/nobody/keys/nobody", "", liveRefusal{Code: notThere}},
		{"POST /webhooks", `{"url":7}`, liveRefusal{Code: wrongTypeNumber, Key: "url"}},
		{"PUT /webhooks/webhook123", `{"secured":1e999}`, liveRefusal{Code: wrongTypeNumber, Key: "secured"}},
		{"PUT /webhooks/webhook123", `{"type":"robot"}`, liveRefusal{Code: wrongValue, Key: "type"}},
		{"PUT /webhooks/nobody", `{}`, liveRefusal{Code: notThere}},
		{"GET /webhooks/nobody/executions", "", liveRefusal{Code: notThere}},
		{"POST /webhooks/nobody/executions", `{"ids":["none"]}`, liveRefusal{Code: notThere}},
		{"POST /webhooks/webhook123/executions", `{"ids":7}`, liveRefusal{Code: wrongTypeNumber, Key: "ids"}},
		{"POST /webhooks/webhook123/executions", `{}`, liveRefusal{Code: wrongValue, Key: "ids"}},
		{"POST /webhooks/webhook123/executions/none", "", liveRefusal{Code: wrongValue, Key: "ids[0]"}},
		{"POST /webhooks/webhook123/events", `{"ids":7}`, liveRefusal{Code: wrongTypeNumber, Key: "ids"}},
		{"DELETE /webhooks/webhook123/executions?ids=none", "", liveRefusal{Code: wrongValue, Param: "ids[0]"}},
		{"DELETE /webhooks/webhook123/executions", `{"ids":["` + strings.Repeat(`none","`, 300) + `none"]}`, liveRefusal{Code: wrongValue, Key: "ids"}},
		{"DELETE /webhooks/webhook123/executions", `{"ids":["` + strings.Repeat(`none","`, 299) + `none"]}`, liveRefusal{Code: wrongValue, Key: "ids[0]"}},
		{"POST /blockedips", `{"app_ids":"brand123"}`, liveRefusal{Code: wrongTypeNumber, Key: "app_ids"}},
		{"PUT /apps/brand123/widgets", `{"button":7}`, liveRefusal{Code: wrongTypeNumber, Key: "button"}},
		{"POST /apps/brand123/website", `{}`, liveRefusal{Code: wrongValue, Key: "website"}},
		{"POST /apps/brand123/channels/ios", `{}`, liveRefusal{Code: wrongValue, Key: "bundle_name"}},
	} {
		method, path, _ := strings.Cut(tt.call, " ")
		a := do(t, s, s.AccessToken(), method, liveRoot+path, tt.body)
		assert.Equal(t, http.StatusOK, a.status, tt.call)
		assert.Equal(t, tt.want, liveRefusalIn(t, a), "%s %s: %s", tt.call, tt.body, a.body)
	}
	for path, want := range map[string]liveRefusal{
		"/api/v2/portals/other":                                      {Code: 1005},
		"/api/v1/nordlicht/chats/nobody/transcript":                  {Code: notThere},
		"/api/v1/nordlicht/visitorsview/all/visitors":                {Code: 2210},
		"/api/v1/nordlicht/visitorsview/-1/visitors?startkey=1207-0": {Code: wrongValue, Param: "startkey"},
		"/api/v1/nordlicht/visitorsview/-1/visitors?startkey=1207-a": {Code: wrongValue, Param: "startkey"},
		"/api/v3/nordlicht/visitors?next_key=1&prev_key=2":           {Code: wrongValue, Param: "prev_key"},
	} {
		a := get(t, s, path)
		assert.Equal(t, want, liveRefusalIn(t, a), "%s: %s", path, a.body)
	}
	assert.Len(t, s.Chats(), before, "what is refused changes nothing")
}

func TestVisitorsSideSaysWhatIsWrongWithACall(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live())
	token, before := orgToken(t, s), len(s.Chats())
	opening := func(app, department, attender, question string) string {
		return `{"visitor":{"user_id":"reader"},"app_id":"` + app + `","department_id":"` + department + `","attender_id":"` + attender + `","question":"` + question + `"}`
	}
	for _, tt := range []struct {
		call, body string
		want       liveRefusal
	}{
		{"POST /conversations", opening("nobody", "dept789", "", "Hi"), liveRefusal{Code: notThere}},
		{"POST /conversations", opening("brand123", "dept801", "", "Hi"), liveRefusal{Code: noDepartment, Key: "department_id"}},
		{"POST /conversations", opening("brand123", "dept789", "nobody", "Hi"), liveRefusal{Code: notThere}},
		{"POST /conversations", opening("brand123", "dept789", "", " "), liveRefusal{Code: wrongValue, Key: "question"}},
		{"POST /conversations", opening("brand123", "", "", "Hi"), liveRefusal{Code: wrongValue, Key: "department_id"}},
		{"POST /conversations", opening("", "dept789", "", "Hi"), liveRefusal{Code: wrongValue, Key: "app_id"}},
		{"POST /conversations/chat123/messages", `{"text":" "}`, liveRefusal{Code: wrongValue, Key: "text"}},
		{"POST /conversations/chat123/messages", `{"text":7}`, liveRefusal{Code: wrongTypeNumber, Key: "text"}},
		{"POST /conversations/chat123/feedback", `{"rating":7}`, liveRefusal{Code: wrongTypeNumber, Key: "rating"}},
		{"POST /conversations/nobody/messages", `{"text":"Hi"}`, liveRefusal{Code: notThere}},
		{"POST /conversations/chat123/reopen", `{"message":"Hi"}`, liveRefusal{Code: wrongValue}},
		{"POST /conversations/" + firstUnrated(t, s) + "/reopen", `{"message":" "}`, liveRefusal{Code: wrongValue, Key: "message"}},
		{"PUT /conversations/nobody/visitor", `{"email":"a@b.example"}`, liveRefusal{Code: notThere}},
		{"POST /conversations/nobody/feedback", `{"rating":"happy"}`, liveRefusal{Code: notThere}},
		{"POST /conversations/chat123/feedback", `{"rating":"4"}`, liveRefusal{Code: wrongValue, Key: "rating"}},
		{"POST /conversations/chat123/feedback", `{}`, liveRefusal{Code: wrongValue, Key: "rating"}},
		{"POST /conversations/chat123/feedback", `{"rating":"sad","feedback":"` + strings.Repeat("é", 2049) + `"}`, liveRefusal{Code: wrongValue, Key: "feedback"}},
		{"POST /conversations/chat123/feedback", `{"rating":"sad","feedback":"` + strings.Repeat("é", 2048) + `"}`, liveRefusal{Code: wrongValue, Key: "status"}},
	} {
		method, path, _ := strings.Cut(tt.call, " ")
		a := do(t, s, token, method, "/api/visitor/v1/nordlicht"+path, tt.body)
		assert.Equal(t, tt.want, liveRefusalIn(t, a), "%s %s: %s", tt.call, tt.body, a.body)
	}
	assert.Len(t, s.Chats(), before, "what is refused changes nothing")
}

func TestAPortalWithoutDataIsServedAsWell(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.WithoutDefaultData())
	for _, tt := range []struct {
		call, body, want string
	}{
		{"GET /apps", "", `"data":[]`},
		{"GET /operators", "", `"data":[]`},
		{"GET /departments", "", `"CRC":"0"`},
		{"GET /conversations", "", `"more_data_available":false`},
		{"GET /feedbacks", "", `"data":[]`},
		{"GET /calls", "", `"data":[]`},
		{"POST /departments", `{"name":"Sales","operators":[]}`, `"code":1019,"message":"there is no app \"\""`},
		{"POST /visitorroutingrules", `{"and_criteria":[{"or_criteria":[{"field_name":"country","comparator":"is"}]}]}`, `"title":""`},
		{"POST /apps", `{}`, `"creator":{"id":"operator1","name":""}`},
		{"GET /apps", "", `"name":"New app"`},
		{"POST /tags", `{"name":"n","color":"c","module":"visitors"}`, `"name":"n"`},
	} {
		method, path, _ := strings.Cut(tt.call, " ")
		a := do(t, s, s.AccessToken(), method, liveRoot+path, tt.body)
		assert.Contains(t, a.body, tt.want, tt.call)
	}
	require.NoError(t, s.Emit("conversation.created", map[string]any{"id": "of nobody"}))
}
