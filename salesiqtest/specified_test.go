package salesiqtest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/salesiqtest"
)

// The fixtures of this file are written by hand from the specification, those of
// live_test.go from the vendor's pages. Neither uses the SDK's types or its codec,
// so that a mistake that both sides of it share is seen.
//
// In a fixture, a list that begins with <each> may be of any length, a member whose
// name ends in a question mark may be absent, and these stand for values:
var placeholders = map[string]func(value any) bool{
	"<time>":     text(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`),
	"<text>":     text(`.`),
	"<any text>": text(``),
	"<number>":   func(value any) bool { _, ok := value.(float64); return ok },

	// Of the live service.
	"<ms>":     text(`^\d{13}$`),
	"<any ms>": text(`^(\d{13}|-1|)$`),
	"<digits>": text(`^\d+$`),
	"<flag>":   text(`^(true|false)$`),
	"<bool>":   func(value any) bool { _, ok := value.(bool); return ok },
}

// text tells whether a value is a string that matches a pattern.
func text(pattern string) func(value any) bool {
	expression := regexp.MustCompile(pattern)
	return func(value any) bool {
		text, ok := value.(string)
		return ok && expression.MatchString(text)
	}
}

// misfit tells where a value is not what a fixture says, or "".
func misfit(want, got any, path string) string {
	wrong := fmt.Sprintf("%s: want %v, got %v", path, want, got)
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return wrong
		}
		for name := range object {
			_, known := want[name]
			if _, optional := want[name+"?"]; !known && !optional {
				return path + "." + name + ": is not published"
			}
		}
		for name, value := range want {
			name, optional := strings.CutSuffix(name, "?")
			if _, there := object[name]; !there {
				if optional {
					continue
				}
				return path + "." + name + ": is missing"
			}
			if reason := misfit(value, object[name], path+"."+name); reason != "" {
				return reason
			}
		}
		return ""
	case []any:
		items, ok := got.([]any)
		each := len(want) == 2 && want[0] == "<each>"
		if !ok || !each && len(items) != len(want) {
			return wrong
		}
		for i, item := range items {
			fixture := want[min(i, len(want)-1)]
			if each {
				fixture = want[1]
			}
			if reason := misfit(fixture, item, fmt.Sprintf("%s[%d]", path, i)); reason != "" {
				return reason
			}
		}
		return ""
	}
	name, _ := want.(string)
	if matches, ok := placeholders[name]; ok && matches(got) || want == got {
		return ""
	}
	return wrong
}

func assertFits(t *testing.T, fixture, body, what string) {
	t.Helper()
	var want, got any
	require.NoError(t, json.Unmarshal([]byte(fixture), &want), "the fixture of %s", what)
	require.NoError(t, json.Unmarshal([]byte(body), &got), "%s: %s", what, body)
	assert.Empty(t, misfit(want, got, "body"), "%s: %.2000s", what, body)
}

// fill puts parts into a fixture, by name.
func fill(fixture string, parts ...string) string {
	return strings.NewReplacer(parts...).Replace(fixture)
}

const (
	successFixture = `{"status":"success","data":DATA}`
	listFixture    = `{"status":"success","data":["<each>",DATA],"pagination":{"page":1,"per_page":50,"total":"<number>"}}`

	messageFixture = `{"id":"<text>","sender_type":"<text>","sender_id":"<text>","message":"<text>","timestamp":"<time>","type":"text"}`
	infoFixture    = `{"name":"<text>","email":"<any text>","phone":"<text>","city":"<text>","country":"<text>","browser":"<text>","platform":"<text>"}`
	chatFixture    = `{"id":"chat123","visitor_id":"visitor123","operator_id":"OPERATOR","department_id":"DEPARTMENT",
		"status":"STATUS","type":"live_chat","started_at":"<time>","ended_at":ENDED,"duration":DURATION,
		"rating":RATING,"feedback":FEEDBACK,"transcript":["<each>",` + messageFixture + `],
		"visitor_info":` + infoFixture + `,"tags":["enterprise","vip"],"custom_fields":{"basket":"<number>"}}`
	visitorFixture = `{"id":"visitor123","name":"NAME","email":"<text>","phone":"+1-555-0100","company":"COMPANY","city":"Malmö",
		"region":"Skåne","country":"Sweden","country_code":"SE","ip_address":"203.0.113.1","browser":"Chrome 140.0",
		"platform":"Windows 11","device":"Mobile","screen_resolution":"1920x1080","language":"sv-SE",
		"timezone":"Europe/Stockholm","referrer":"","landing_page":"https://www.nordlicht.example/rental",
		"current_page":"https://www.nordlicht.example/tents","pages_visited":9,"total_visits":9,"first_visit":"<time>",
		"last_visit":"<time>","status":"chatting","chat_status":"busy","lead_score":88,"tags":TAGS,"custom_fields":FIELDS}`
	operatorFixture = `{"id":"ID","name":"NAME","email":"EMAIL","status":"STATUS","availability":"AVAILABILITY","role":"agent",
		"department_id":"DEPARTMENT","department_name":"<text>","profile_picture":"<any text>","timezone":"<any text>",
		"max_chats":MAX,"active_chats":"<number>","total_chats":"<number>","average_rating":"<number>",
		"languages":["<each>","<text>"],"skills":["<each>","<text>"],"created_at":"<time>","last_active":"<time>"}`
	brandFixture = `{"id":"brand123","name":"Nordlicht Outdoor","website":"https://www.nordlicht.example",
		"logo":"https://www.nordlicht.example/logo.svg","timezone":"Europe/Berlin","language":"en","status":"active",
		"widget_settings":{"theme_color":"COLOR","position":"bottom-right","greeting_message":"GREETING",
			"offline_message":"We are out hiking. Leave us a line.","show_operators":true,"show_attachments":true,"show_emojis":true},
		"departments":[{"id":"dept789","name":"Sales"},{"id":"dept790","name":"Support"},{"id":"dept791","name":"Rentals"}],
		"created_at":"<time>"}`
	ruleFixture = `{"id":"rule123456789","name":"VIPs to sales","priority":1,"enabled":ENABLED,"conditions":[
		{"field":"visitor.tags","operator":"contains","value":"vip"},
		{"field":"visitor.lead_score","operator":"greater_than","value":80}],
		"actions":{"assign_to":"department","department_id":"dept789","operator_ids":["operator456","operator789"],"priority":"high"}}`
)

func specifiedChat(parts ...string) string {
	return fill(fill(chatFixture, parts...), "OPERATOR", "operator456", "DEPARTMENT", "dept789", "STATUS", "active",
		"ENDED", "null", "DURATION", "0", "RATING", "null", "FEEDBACK", "null")
}

func specifiedOperator(parts ...string) string {
	return fill(fill(operatorFixture, parts...), "ID", "operator123", "NAME", "Malik Adeyemi",
		"EMAIL", "malik.operator123@nordlicht.example", "STATUS", "online", "AVAILABILITY", "available", "DEPARTMENT", "dept790", "MAX", "12")
}

// Every call of the specification, with the bodies of its samples, on one
// server and in this order.
func TestEveryEndpointAnswersAsSpecified(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	token := s.AccessToken()
	transferred := []string{"OPERATOR", "operator789", "DEPARTMENT", "dept790"}
	ended := append([]string{"STATUS", "ended", "ENDED", `"<time>"`, "DURATION", `"<number>"`}, transferred...)
	anyChat := `{"id":"<text>","visitor_id":"<text>","operator_id":"<text>","department_id":"<text>","status":"active",
		"type":"live_chat","started_at":"<time>","ended_at":null,"duration":0,"rating":null,"feedback":null,
		"transcript":["<each>",` + messageFixture + `],"visitor_info":` + infoFixture + `,
		"tags":["<each>","<text>"],"custom_fields":{"basket":"<number>"}}`
	visitor := fill(visitorFixture, "NAME", "Ada Marchetti", "COMPANY", "Halden Works", "TAGS", `["enterprise","vip"]`, "FIELDS", `{"budget":"medium"}`)
	changedVisitor := fill(visitorFixture, "NAME", "John Doe", "COMPANY", "Acme Corp", "FIELDS", `{"budget":"10000-50000","industry":"Technology"}`)
	for _, row := range []struct {
		call, body string
		status     int
		fixture    string // Of the whole body; "" for an answer without one.
	}{
		{"GET /api/v2/chats?status=active&operator_id=operator456&department_id=dept789&from_date=2020-01-01T00:00:00.000Z", "", 200, fill(listFixture, "DATA", anyChat)},
		{"GET /api/v2/chats/chat123", "", 200, fill(successFixture, "DATA", specifiedChat())},
		{"GET /api/v2/chats/chat123/transcript", "", 200, fill(successFixture, "DATA", `["<each>",`+messageFixture+`]`)},
		{
			"POST /api/v2/chats/chat123/messages", `{"message":"Thank you for contacting us. How can I help you?","type":"text"}`, 201,
			fill(successFixture, "DATA", `{"id":"<text>","sender_type":"operator","sender_id":"operator456",
				"message":"Thank you for contacting us. How can I help you?","timestamp":"<time>","type":"text"}`),
		},
		{
			"POST /api/v2/chats/chat123/transfer", `{"operator_id":"operator789","message":"Transferring you to our technical specialist"}`, 200,
			fill(successFixture, "DATA", specifiedChat(transferred...)),
		},
		{
			"POST /api/v2/chats/chat123/end", `{"message":"Thank you for chatting with us. Have a great day!"}`, 200,
			fill(successFixture, "DATA", specifiedChat(ended...)),
		},
		{
			"POST /api/v2/chats/chat123/rating", `{"rating":5,"feedback":"Excellent service! Very helpful."}`, 200,
			fill(successFixture, "DATA", specifiedChat(append(ended, "RATING", "5", "FEEDBACK", `"Excellent service! Very helpful."`)...)),
		},

		{"GET /api/v2/visitors?search=ada+marchetti&status=chatting", "", 200, fill(listFixture, "DATA", visitor)},
		{"GET /api/v2/visitors/visitor123", "", 200, fill(successFixture, "DATA", visitor)},
		{
			"PATCH /api/v2/visitors/visitor123", `{"name":"John Doe","email":"john@example.com","phone":"+1-555-0100","company":"Acme Corp",
				"custom_fields":{"industry":"Technology","budget":"10000-50000"}}`, 200,
			fill(successFixture, "DATA", fill(changedVisitor, "TAGS", `["enterprise","vip"]`)),
		},
		{
			"GET /api/v2/visitors/visitor123/activity", "", 200,
			fill(successFixture, "DATA", `{"visitor_id":"visitor123",
				"sessions":["<each>",{"session_id":"<text>","started_at":"<time>","ended_at":"<time>","duration":"<number>",
					"pages":["<each>",{"url":"<text>","title":"<text>","visited_at":"<time>","time_spent":"<number>"}]}],
				"chats":[{"chat_id":"chat123","started_at":"<time>","status":"ended"},
					{"chat_id":"chat123456789","started_at":"<time>","status":"active"}]}`),
		},
		{
			"POST /api/v2/visitors/visitor123/tags", `{"tags":["qualified","enterprise","hot-lead"]}`, 200,
			fill(successFixture, "DATA", fill(changedVisitor, "TAGS", `["enterprise","vip","qualified","hot-lead"]`)),
		},

		{
			"GET /api/v2/operators?status=online&role=agent&department_id=dept790&page=1&per_page=50", "", 200,
			fill(listFixture, "DATA", specifiedOperator("ID", "<text>", "NAME", "<text>", "EMAIL", "<text>", `MAX`, `"<number>"`)),
		},
		{"GET /api/v2/operators/operator123", "", 200, fill(successFixture, "DATA", specifiedOperator())},
		{
			"POST /api/v2/operators", `{"name":"Sarah Johnson","email":"sarah@company.com","role":"agent","department_id":"dept789",
				"max_chats":5,"languages":["English","Spanish"],"skills":["Sales","Technical Support"]}`, 201,
			fill(successFixture, "DATA", specifiedOperator("ID", "<text>", "NAME", "Sarah Johnson", "EMAIL", "sarah@company.com",
				"STATUS", "offline", "AVAILABILITY", "unavailable", "DEPARTMENT", "dept789", "MAX", "5",
				`["<each>","<text>"],"skills":["<each>","<text>"]`, `["English","Spanish"],"skills":["Sales","Technical Support"]`)),
		},
		{
			"PATCH /api/v2/operators/operator123", `{"status":"away","max_chats":3}`, 200,
			fill(successFixture, "DATA", specifiedOperator("STATUS", "away", "MAX", "3")),
		},
		{
			"GET /api/v2/operators/operator789/stats?from_date=2020-01-01&to_date=2099-12-31", "", 200,
			fill(successFixture, "DATA", `{"operator_id":"operator789","total_chats":"<number>","completed_chats":"<number>",
				"missed_chats":"<number>","average_response_time":"<number>","average_chat_duration":"<number>","average_rating":"<number>",
				"total_rating_count":"<number>","ratings_breakdown":{"5":"<number>","4":"<number>","3":"<number>","2":"<number>","1":"<number>"}}`),
		},
		{"DELETE /api/v2/operators/operator202", "", 204, ""},

		{"GET /api/v2/brands/brand123", "", 200, fill(successFixture, "DATA", fill(brandFixture, "COLOR", "#14532d", "GREETING", "Moin! What are you looking for?"))},
		{
			"PATCH /api/v2/brands/brand123", `{"widget_settings":{"theme_color":"#28a745","greeting_message":"Welcome! Need any assistance?"}}`, 200,
			fill(successFixture, "DATA", fill(brandFixture, "COLOR", "#28a745", "GREETING", "Welcome! Need any assistance?")),
		},
		{
			"GET /api/v2/brands?per_page=1", "", 200, `{"status":"success","data":[` +
				fill(brandFixture, "COLOR", "#28a745", "GREETING", "Welcome! Need any assistance?") + `],"pagination":{"page":1,"per_page":1,"total":2}}`,
		},
		{
			"GET /api/v2/brands/brand123/departments", "", 200, `{"status":"success","data":[{"id":"dept789","name":"Sales"},
				{"id":"dept790","name":"Support"},{"id":"dept791","name":"Rentals"}],"pagination":{"page":1,"per_page":50,"total":3}}`,
		},

		{
			"POST /api/v2/devices", `{"device_token":"fcm_device_token_here","platform":"android","operator_id":"operator123"}`, 201,
			fill(successFixture, "DATA", `{"id":"<text>","device_token":"fcm_device_token_here","platform":"android","operator_id":"operator123"}`),
		},
		{"DELETE /api/v2/devices/device123", "", 204, ""},
		{
			"POST /api/v2/notifications", `{"operator_id":"operator123","title":"New High Priority Chat","message":"A VIP customer is waiting",
				"data":{"chat_id":"chat123","priority":"high"}}`, 201,
			fill(successFixture, "DATA", `{"id":"<text>","operator_id":"operator123","title":"New High Priority Chat",
				"message":"A VIP customer is waiting","data":{"chat_id":"chat123","priority":"high"}}`),
		},

		{"PATCH /api/v2/routing/rules/rule123456789", `{"enabled":false}`, 200, fill(successFixture, "DATA", fill(ruleFixture, "ENABLED", "false"))},
		{
			"GET /api/v2/routing/rules?per_page=1", "", 200,
			`{"status":"success","data":[` + fill(ruleFixture, "ENABLED", "false") + `],"pagination":{"page":1,"per_page":1,"total":3}}`,
		},
		{"DELETE /api/v2/routing/rules/rule123456789", "", 204, ""},
		{
			"POST /api/v2/routing/rules", `{"name":"Route High Value Leads","priority":1,"enabled":true,
				"conditions":[{"field":"visitor.lead_score","operator":"greater_than","value":75}],
				"actions":{"assign_to":"operator","operator_ids":["operator456"]}}`, 201,
			fill(successFixture, "DATA", `{"id":"<text>","name":"Route High Value Leads","priority":1,"enabled":true,
				"conditions":[{"field":"visitor.lead_score","operator":"greater_than","value":75}],
				"actions":{"assign_to":"operator","operator_ids":["operator456"]}}`),
		},

		{
			"PATCH /api/v2/webhooks/webhook123", `{"enabled":false}`, 200,
			fill(successFixture, "DATA", `{"id":"webhook123","name":"Archive","url":"https://archive.nordlicht.example/salesiq",
				"events":["chat.ended","chat.rating"],"enabled":false}`),
		},
		{"DELETE /api/v2/webhooks/webhook123", "", 204, ""},
		{
			"POST /api/v2/webhooks", `{"name":"Chat Events Webhook","url":"https://yourdomain.com/webhook/salesiq",
				"events":["chat.started","chat.ended","chat.rating"],"enabled":true,"secret":"your_webhook_secret_key"}`, 201,
			fill(successFixture, "DATA", `{"id":"<text>","name":"Chat Events Webhook","url":"https://yourdomain.com/webhook/salesiq",
				"events":["chat.started","chat.ended","chat.rating"],"enabled":true}`),
		},
		{
			"GET /api/v2/webhooks", "", 200,
			fill(listFixture, "DATA", `{"id":"<text>","name":"Chat Events Webhook","url":"https://yourdomain.com/webhook/salesiq",
				"events":["chat.started","chat.ended","chat.rating"],"enabled":true}`),
		},
	} {
		method, path, _ := strings.Cut(row.call, " ")
		a := do(t, s, token, method, path, row.body)
		require.Equal(t, row.status, a.status, "%s: %s", row.call, a.body)
		for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} {
			assert.Regexp(t, `^\d+$`, a.header.Get(name), "%s: %s", row.call, name)
		}
		if row.fixture == "" {
			assert.Empty(t, a.body, row.call)
			continue
		}
		assert.True(t, strings.HasPrefix(a.header.Get("Content-Type"), "application/json"), row.call)
		assertFits(t, row.fixture, a.body, row.call)
	}
	assert.Len(t, s.Stats().Calls, 33, "all calls of the specification")
	assert.Equal(t, 33, s.Stats().Processed)
}

func TestErrorsAreWrittenAsSpecified(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	for _, row := range []struct {
		token, call, body, code, details string
		status                           int
	}{
		{"", "GET /api/v2/chats", "", "INVALID_TOKEN", `{"field":"Authorization"}`, 401},
		{s.AccessToken("SalesIQ.chats.READ"), "GET /api/v2/brands", "", "INVALID_OAUTH_SCOPE", `{"required_scope":"SalesIQ.settings.READ"}`, 403},
		{s.AccessToken(), "GET /api/v2/chats/none", "", "RESOURCE_NOT_FOUND", `{"resource":"chat","id":"none"}`, 404},
		{s.AccessToken(), "POST /api/v2/operators", `{"name":"A"}`, "REQUIRED_FIELD_MISSING", `{"field":"email"}`, 400},
		{s.AccessToken(), "GET /api/v2/chats?per_page=101", "", "INVALID_REQUEST", `{"field":"per_page","reason":"<text>"}`, 400},
	} {
		method, path, _ := strings.Cut(row.call, " ")
		a := do(t, s, row.token, method, path, row.body)
		assert.Equal(t, row.status, a.status, row.call)
		assertFits(t, `{"status":"error","code":"`+row.code+`","message":"<text>","details":`+row.details+`}`, a.body, row.call)
	}
}

func TestTokensAreWrittenAsSpecified(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	credentials := url.Values{"client_id": {"1000.EMULATORCLIENT"}, "client_secret": {"emulator-client-secret"}}
	for grant, row := range map[string]struct{ name, value, refresh string }{
		"refresh_token":      {"refresh_token", "1000.emulator.refresh-token", ""},
		"authorization_code": {"code", s.AuthorizationCode(), `"refresh_token":"<text>",`},
	} {
		credentials.Set("grant_type", grant)
		credentials.Set(row.name, row.value)
		a := postForm(t, s, "/oauth/v2/token", credentials)
		assert.Equal(t, http.StatusOK, a.status)
		assertFits(t, `{"access_token":"<text>",`+row.refresh+`"api_domain":"<text>","token_type":"Bearer","expires_in":3600}`, a.body, grant)
	}
}

func TestEventsAreWrittenAsSpecified(t *testing.T) {
	t.Parallel()
	s := salesiqtest.Start(t)
	token := s.AccessToken()
	a := do(t, s, token, "POST", "/api/v2/webhooks", `{"name":"n","url":"http://127.0.0.1:1/hook",
		"events":["chat.started","chat.ended","chat.rating","visitor.identified"]}`)
	require.Equal(t, http.StatusCreated, a.status, a.body)
	chat, err := s.StartChat("visitor123", "Hello")
	require.NoError(t, err)
	for _, call := range [][2]string{
		{"/api/v2/chats/" + chat.ID + "/transfer", `{"operator_id":"operator456"}`},
		{"/api/v2/chats/" + chat.ID + "/end", `{"message":"Bye"}`},
		{"/api/v2/chats/" + chat.ID + "/rating", `{"rating":5,"feedback":"Excellent service! Very helpful."}`},
	} {
		require.Equal(t, http.StatusOK, do(t, s, token, "POST", call[0], call[1]).status, call[0])
	}
	do(t, s, token, "PATCH", "/api/v2/visitors/visitor123", `{"name":"John Doe","email":"john@example.com","company":"Acme Corp"}`)
	require.Eventually(t, func() bool { return len(s.Deliveries()) == 4 }, 10*time.Second, time.Millisecond)
	fixtures := map[string]string{
		"chat.started": `{"chat_id":"CHAT","visitor_id":"visitor123","visitor_name":"Ada Marchetti","visitor_email":"<text>",
			"operator_id":"","operator_name":"","department_id":"","department_name":"","started_at":"<time>"}`,
		"chat.ended": `{"chat_id":"CHAT","visitor_id":"visitor123","operator_id":"operator456","started_at":"<time>",
			"ended_at":"<time>","duration":"<number>","message_count":2,"ended_by":"operator"}`,
		"chat.rating": `{"chat_id":"CHAT","visitor_id":"visitor123","operator_id":"operator456","rating":5,
			"feedback":"Excellent service! Very helpful.","submitted_at":"<time>"}`,
		"visitor.identified": `{"visitor_id":"visitor123","name":"John Doe","email":"john@example.com","phone":"+1-555-0100",
			"company":"Acme Corp","identified_at":"<time>"}`,
	}
	for _, delivery := range s.Deliveries() {
		event := string(delivery.Event)
		assertFits(t, `{"event":"`+event+`","timestamp":"<time>","data":`+fill(fixtures[event], "CHAT", chat.ID)+`}`, delivery.Body, event)
		delete(fixtures, event)
	}
	assert.Empty(t, fixtures)
}
