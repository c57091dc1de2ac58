package salesiqtest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

func TestEachCodeCanBeProvoked(t *testing.T) {
	t.Parallel()
	all := map[salesiq.ErrorCode]int{
		salesiq.ErrInvalidRequest: 400, salesiq.ErrRequiredFieldMissing: 400, salesiq.ErrDuplicateResource: 400,
		salesiq.ErrChatNotActive: 400, salesiq.ErrOperatorOffline: 400, salesiq.ErrInvalidDepartment: 400,
		salesiq.ErrInvalidVisitorID: 400, salesiq.ErrInvalidToken: 401, salesiq.ErrInvalidOAuthScope: 403,
		salesiq.ErrPermissionDenied: 403, salesiq.ErrResourceNotFound: 404, salesiq.ErrRateLimitExceeded: 429,
		salesiq.ErrInternalError: 500,
	}
	const operator = `{"name":"A","email":"a@a.example","role":"agent"`
	seen := map[salesiq.ErrorCode]bool{}
	for _, c := range []struct {
		method, path, body string
		code               salesiq.ErrorCode
		field              string
		scopes             []string
		opts               []salesiqtest.Option
		fault              *salesiqtest.Fault
	}{
		{method: "GET", path: "/api/v2/chats?per_page=101", code: salesiq.ErrInvalidRequest, field: "per_page"},
		{method: "POST", path: "/api/v2/operators", body: `{"name":`, code: salesiq.ErrInvalidRequest, field: "body"},
		{method: "POST", path: "/api/v2/operators", body: `[1]`, code: salesiq.ErrInvalidRequest, field: "body"},
		{method: "POST", path: "/api/v2/operators", body: `null`, code: salesiq.ErrInvalidRequest, field: "body"},
		{method: "POST", path: "/api/v2/operators", body: operator + `,"max_chats":"five"}`, code: salesiq.ErrInvalidRequest, field: "max_chats"},
		{method: "POST", path: "/api/v2/operators", body: operator + `,"status":"asleep"}`, code: salesiq.ErrInvalidRequest, field: "status"},
		{method: "POST", path: "/api/v2/operators", body: operator + `,"id":"mine"}`, code: salesiq.ErrInvalidRequest, field: "id"},
		{method: "POST", path: "/api/v2/operators", body: `{"pad":"` + strings.Repeat("x", 1<<20) + `"}`, code: salesiq.ErrInvalidRequest, field: "body"},
		{method: "POST", path: "/api/v2/chats/chat123/rating", body: `{"rating":6}`, code: salesiq.ErrInvalidRequest, field: "rating"},
		{method: "POST", path: "/api/v2/chats/chat123/rating", body: `{"rating":5}`, code: salesiq.ErrInvalidRequest, field: "status"},
		{method: "POST", path: "/api/v2/chats/chat123/messages", body: `{"type":"shout","message":"x"}`, code: salesiq.ErrInvalidRequest, field: "type"},
		{method: "POST", path: "/api/v2/chats/chat123/messages", body: `{"type":"text","message":7}`, code: salesiq.ErrInvalidRequest, field: "message"},
		{method: "POST", path: "/api/v2/webhooks", body: `{"name":"n","url":"http://hook.example","events":["chat.ended"]}`, code: salesiq.ErrInvalidRequest, field: "url"},
		{method: "POST", path: "/api/v2/webhooks", body: `{"name":"n","url":"https://hook.example","events":["chat.over"]}`, code: salesiq.ErrInvalidRequest, field: "events[0]"},
		{method: "POST", path: "/api/v2/devices", body: `{"device_token":"t","platform":"fax","operator_id":"operator123"}`, code: salesiq.ErrInvalidRequest, field: "platform"},
		{method: "PATCH", path: "/api/v2/operators/operator123", body: `{"max_chats":1e999}`, code: salesiq.ErrInvalidRequest, field: "max_chats"},
		{method: "PATCH", path: "/api/v2/operators/operator123", body: `{"notes":{"sum":[1,1e999]}}`, code: salesiq.ErrInvalidRequest, field: "notes"},
		{method: "PATCH", path: "/api/v2/operators/operator123", body: `{"total_chats":1}`, code: salesiq.ErrInvalidRequest, field: "total_chats"},
		{method: "POST", path: "/api/v2/operators", body: `{"name":"A","role":"agent"}`, code: salesiq.ErrRequiredFieldMissing, field: "email"},
		{method: "PATCH", path: "/api/v2/operators/operator123", body: `{"name":null}`, code: salesiq.ErrRequiredFieldMissing, field: "name"},
		{method: "POST", path: "/api/v2/chats/chat123/messages", body: `{"type":"text"}`, code: salesiq.ErrRequiredFieldMissing, field: "message"},
		{method: "POST", path: "/api/v2/chats/chat123/messages", body: `{"type":"html","message":" \n\t "}`, code: salesiq.ErrRequiredFieldMissing, field: "message"},
		{method: "POST", path: "/api/v2/chats/chat123/messages", code: salesiq.ErrRequiredFieldMissing, field: "type"},
		{method: "POST", path: "/api/v2/chats/chat123/transfer", body: `{}`, code: salesiq.ErrRequiredFieldMissing, field: "operator_id"},
		{method: "POST", path: "/api/v2/chats/chat123/rating", body: `{}`, code: salesiq.ErrRequiredFieldMissing, field: "rating"},
		{method: "POST", path: "/api/v2/visitors/visitor123/tags", body: `{"tags":[]}`, code: salesiq.ErrRequiredFieldMissing, field: "tags"},
		{method: "POST", path: "/api/v2/notifications", body: `{"operator_id":"operator123","title":"t"}`, code: salesiq.ErrRequiredFieldMissing, field: "message"},
		{method: "POST", path: "/api/v2/devices", body: `{"device_token":"t","platform":"ios"}`, code: salesiq.ErrRequiredFieldMissing, field: "operator_id"},
		{method: "POST", path: "/api/v2/webhooks", body: `{"name":"n","url":"https://hook.example"}`, code: salesiq.ErrRequiredFieldMissing, field: "events"},
		{method: "POST", path: "/api/v2/routing/rules", body: `{"name":"n"}`, code: salesiq.ErrRequiredFieldMissing, field: "conditions"},
		{method: "POST", path: "/api/v2/routing/rules", body: `{"name":"n","conditions":[{"operator":"is"}]}`, code: salesiq.ErrRequiredFieldMissing, field: "conditions[0].field"},
		{method: "POST", path: "/api/v2/routing/rules", body: `{"name":"n","conditions":[{"field":"f","operator":"is"}],"actions":{"assign_to":"operator"}}`, code: salesiq.ErrRequiredFieldMissing, field: "actions.operator_ids"},
		{method: "POST", path: "/api/v2/routing/rules", body: `{"name":"n","conditions":[{"field":"f","operator":"is"}],"actions":{"assign_to":"operator","operator_ids":["nobody"]}}`, code: salesiq.ErrResourceNotFound},
		{method: "POST", path: "/api/v2/devices", body: `{"device_token":"t","platform":"ios","operator_id":"nobody"}`, code: salesiq.ErrResourceNotFound},
		{method: "POST", path: "/api/v2/visitors/visitor123/tags", body: `{"tags":["x",""]}`, code: salesiq.ErrInvalidRequest, field: "tags"},
		{method: "POST", path: "/api/v2/operators", body: strings.Replace(operator, "a@a.example", "MALIK.operator123@nordlicht.example", 1) + `}`, code: salesiq.ErrDuplicateResource, field: "email"},
		{method: "POST", path: "/api/v2/devices", body: `{"device_token":"seeded-device-token","platform":"ios","operator_id":"operator123"}`, code: salesiq.ErrDuplicateResource, field: "device_token"},
		{method: "POST", path: "/api/v2/webhooks", body: `{"name":"Archive","url":"https://archive.nordlicht.example/salesiq","events":["chat.ended"]}`, code: salesiq.ErrDuplicateResource, field: "url"},
		{method: "POST", path: "/api/v2/chats/chat1200/messages", body: `{"type":"text","message":"x"}`, code: salesiq.ErrChatNotActive},
		{method: "POST", path: "/api/v2/chats/chat123/transfer", body: `{"operator_id":"operator203"}`, code: salesiq.ErrOperatorOffline},
		{method: "POST", path: "/api/v2/operators", body: operator + `,"department_id":"dept0"}`, code: salesiq.ErrInvalidDepartment, field: "department_id"},
		{method: "PATCH", path: "/api/v2/operators/operator123", body: `{"department_id":"dept0"}`, code: salesiq.ErrInvalidDepartment, field: "department_id"},
		{method: "POST", path: "/api/v2/routing/rules", body: `{"name":"n","conditions":[{"field":"f","operator":"is"}],"actions":{"assign_to":"department","department_id":"dept0"}}`, code: salesiq.ErrInvalidDepartment, field: "actions.department_id"},
		{method: "GET", path: "/api/v2/visitors/12345", code: salesiq.ErrInvalidVisitorID, field: "visitor_id"},
		{method: "POST", path: "/api/v2/visitors/undefined/tags", body: `{"tags":["x"]}`, code: salesiq.ErrInvalidVisitorID, field: "visitor_id"},
		{method: "GET", path: "/api/v2/visitors/visitor0", code: salesiq.ErrResourceNotFound},
		{method: "GET", path: "/api/v2/chats/a%2Fb%3Fc", code: salesiq.ErrResourceNotFound},
		{method: "POST", path: "/api/v2/chats/chat123/transfer", body: `{"operator_id":"nobody"}`, code: salesiq.ErrResourceNotFound},
		{method: "DELETE", path: "/api/v2/devices/none", code: salesiq.ErrResourceNotFound},
		{method: "GET", path: "/api/v2/chats/nobody/transcript", code: salesiq.ErrResourceNotFound},
		{method: "POST", path: "/api/v2/chats/nobody/transfer", body: `{"operator_id":"operator456"}`, code: salesiq.ErrResourceNotFound},
		{method: "GET", path: "/api/v2/visitors/visitor0/activity", code: salesiq.ErrResourceNotFound},
		{method: "PATCH", path: "/api/v2/operators/nobody", body: `{"name":"A"}`, code: salesiq.ErrResourceNotFound},
		{method: "GET", path: "/api/v2/operators/nobody/stats", code: salesiq.ErrResourceNotFound},
		{method: "GET", path: "/api/v2/brands/nobody/departments", code: salesiq.ErrResourceNotFound},
		{method: "GET", path: "/api/v2/nothing", code: salesiq.ErrResourceNotFound},
		{method: "GET", path: "/api/v2/chats/", code: salesiq.ErrResourceNotFound},
		{method: "PATCH", path: "/api/v2/visitors/visitor123", body: `{}`, scopes: []string{"SalesIQ.visitors.READ"}, code: salesiq.ErrInvalidOAuthScope},
		{method: "DELETE", path: "/api/v2/operators/operator1", code: salesiq.ErrPermissionDenied},
		{method: "POST", path: "/api/v2/operators", body: operator + `}`, opts: []salesiqtest.Option{salesiqtest.WithRole(salesiq.RoleAgent)}, code: salesiq.ErrPermissionDenied},
		{method: "GET", path: "/api/v2/brands", opts: []salesiqtest.Option{salesiqtest.WithTokenLifetime(time.Nanosecond)}, fault: &salesiqtest.Fault{Latency: 2 * time.Millisecond}, code: salesiq.ErrInvalidToken, field: "Authorization"},
		{method: "GET", path: "/api/v2/brands", opts: []salesiqtest.Option{salesiqtest.WithPlan(salesiq.Plan{CallsPerDay: 1, CallsPerMinute: 1}), salesiqtest.WithMaxInFlight(0)}, fault: &salesiqtest.Fault{Code: salesiq.ErrRateLimitExceeded}, code: salesiq.ErrRateLimitExceeded},
		{method: "GET", path: "/api/v2/brands", fault: &salesiqtest.Fault{Status: 400}, code: salesiq.ErrInvalidRequest},
		{method: "GET", path: "/api/v2/brands", fault: &salesiqtest.Fault{Status: 401}, code: salesiq.ErrInvalidToken},
		{method: "GET", path: "/api/v2/brands", fault: &salesiqtest.Fault{Status: 403}, code: salesiq.ErrPermissionDenied},
		{method: "GET", path: "/api/v2/brands", fault: &salesiqtest.Fault{Status: 404}, code: salesiq.ErrResourceNotFound},
		{method: "GET", path: "/api/v2/brands", fault: &salesiqtest.Fault{Status: 429}, code: salesiq.ErrRateLimitExceeded},
		{method: "GET", path: "/api/v2/brands", fault: &salesiqtest.Fault{Status: 500}, code: salesiq.ErrInternalError},
	} {
		name := fmt.Sprintf("%s %s %.80s", c.method, c.path, c.body)
		s := salesiqtest.Start(t, c.opts...)
		if c.fault != nil {
			require.NoError(t, s.Inject(*c.fault))
		}
		a := do(t, s, s.AccessToken(c.scopes...), c.method, c.path, c.body)
		r := a.refusal(t)
		assert.Equal(t, string(c.code), r.Code, name)
		assert.Equal(t, all[c.code], a.status, name)
		assert.Equal(t, "error", r.Status, name)
		assert.NotEmpty(t, r.Message, name)
		assert.NotNil(t, r.Details, "%s: details is an object", name)
		if c.field != "" {
			assert.Equal(t, c.field, r.Details["field"], name)
		}
		if c.fault == nil || c.fault.Latency > 0 { // It is not the fault that refuses.
			assert.Equal(t, 1, s.Stats().Refused[c.code], name)
			assert.Zero(t, s.Stats().Processed, name)
			assert.Empty(t, s.Journal(), name)
		}
		seen[c.code] = true
	}
	for code := range all {
		assert.True(t, seen[code], code)
	}
}

func TestAWrongMethodIsTold(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	a := do(t, s, s.AccessToken(), "DELETE", "/api/v2/visitors/visitor123", "")
	assert.Equal(t, http.StatusMethodNotAllowed, a.status)
	assert.Equal(t, "GET, PATCH", a.header.Get("Allow"))
	assert.Equal(t, "INVALID_REQUEST", a.refusal(t).Code)
}

// What the specification does not have is refused, or a wrong client would look
// right. The live service takes both schemes. What it refuses is in
// TestLiveRequestsAreNarrowedOrRefused.
func TestOnlyRequestsOfTheSpecificationAreTaken(t *testing.T) {
	t.Parallel()
	const tags, tagged = "/api/v2/visitors/visitor123/tags", `{"tags":["x"]}`
	specified, live := salesiqtest.Start(t), salesiqtest.Start(t, salesiqtest.Live())
	for _, row := range []struct {
		s                                       *salesiqtest.Server
		method, path, body, scheme, contentType string
		status                                  int
		field                                   string
	}{
		{specified, "POST", tags, tagged, "Zoho-oauthtoken", "", http.StatusOK, ""},
		{specified, "POST", tags, tagged, "zoho-OAuthToken", "application/json", http.StatusOK, ""},
		{specified, "POST", tags, tagged, "Zoho-oauthtoken", "application/json; charset=utf-8", http.StatusOK, ""},
		{specified, "POST", "/api/v2/chats/chat123/end", "", "Zoho-oauthtoken", "text/plain", http.StatusOK, ""},
		{specified, "POST", tags, tagged, "Zoho-oauthtoken", "text/plain", http.StatusBadRequest, "Content-Type"},
		{specified, "POST", tags, tagged, "Zoho-oauthtoken", "application/x-www-form-urlencoded", http.StatusBadRequest, "Content-Type"},
		{specified, "POST", tags, tagged, "Zoho-oauthtoken", "application/merge-patch+json", http.StatusBadRequest, "Content-Type"},
		{specified, "POST", tags, tagged, "Bearer", "application/json", http.StatusUnauthorized, "Authorization"},
		{specified, "GET", "/api/v2/chats?perPage=5", "", "Zoho-oauthtoken", "", http.StatusBadRequest, "perPage"},
		{specified, "GET", "/api/v2/chats?include=everything", "", "Zoho-oauthtoken", "", http.StatusOK, ""},
		{specified, "GET", "/api/v2/chats?Status=active", "", "Zoho-oauthtoken", "", http.StatusBadRequest, "Status"},
		{specified, "GET", "/api/v2/chats/chat123?page=1", "", "Zoho-oauthtoken", "", http.StatusBadRequest, "page"},
		{specified, "GET", "/api/v2/brands?status=active", "", "Zoho-oauthtoken", "", http.StatusBadRequest, "status"},
		{live, "GET", "/api/v2/portals", "", "Bearer", "", http.StatusOK, ""},
		{live, "POST", "/api/v2/nordlicht/tags", `{"name":"n","color":"c","module":"visitors"}`, "Bearer", "application/json; charset=utf-8", http.StatusOK, ""},
		{live, "PUT", "/api/v2/nordlicht/conversations/chat123/close", "", "Bearer", "text/plain", http.StatusOK, ""},
	} {
		request, err := http.NewRequestWithContext(t.Context(), row.method, row.s.URL+row.path, strings.NewReader(row.body))
		require.NoError(t, err)
		request.Header.Set("Authorization", row.scheme+" "+row.s.AccessToken())
		if row.contentType != "" {
			request.Header.Set("Content-Type", row.contentType)
		}
		a, err := send(row.s, request)
		require.NoError(t, err)
		assert.Equal(t, row.status, a.status, "%+v: %s", row, a.body)
		assert.NotContains(t, a.body, `"error":`, "in the live dialect, refusals have status 200")
		if row.field != "" {
			assert.Equal(t, row.field, a.refusal(t).Details["field"])
		}
	}
}
