package salesiq_test

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
)

const testToken = "1000.wire-test.do-not-show"

// apiRecorder is a service that keeps what it is sent.
type apiRecorder struct {
	*httptest.Server

	mu      sync.Mutex
	arrived []arrival
}

// arrival is one request as it came over the wire.
type arrival struct {
	Method string
	Path   string // Escaped.
	Query  url.Values
	Body   string
	Header http.Header
}

func newAPIRecorder(t testing.TB, answer http.HandlerFunc) *apiRecorder {
	t.Helper()
	r := &apiRecorder{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		assert.NoError(t, err)
		query, err := url.ParseQuery(request.URL.RawQuery)
		assert.NoError(t, err)
		r.mu.Lock()
		r.arrived = append(r.arrived, arrival{request.Method, request.URL.EscapedPath(), query, string(body), request.Header})
		r.mu.Unlock()
		answer(w, request)
	}))
	t.Cleanup(r.Close)
	return r
}

// requests returns what has arrived so far.
func (r *apiRecorder) requests() []arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]arrival(nil), r.arrived...)
}

// client returns a client of the recorder; further options override.
func (r *apiRecorder) client(t testing.TB, opts ...salesiq.Option) *salesiq.Client {
	t.Helper()
	opts = append([]salesiq.Option{
		salesiq.WithBaseURL(r.URL),
		salesiq.WithHTTPClient(r.Client()),
		salesiq.WithMaxAttempts(1),
	}, opts...)
	client, err := salesiq.NewClient(salesiq.StaticToken(testToken), opts...)
	require.NoError(t, err)
	return client
}

// answerJSON answers every request alike.
func answerJSON(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// answerSuitably answers with data of the right kind for a method and path.
func answerSuitably(w http.ResponseWriter, r *http.Request) {
	switch list := isListPath(r.URL.Path); {
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodGet && list:
		answerJSON(http.StatusOK, `{"status":"success","data":[]}`)(w, r)
	default:
		answerJSON(http.StatusOK, `{"status":"success","data":{"id":"x1"}}`)(w, r)
	}
}

func isListPath(path string) bool {
	for _, end := range []string{
		"/chats", "/transcript", "/visitors", "/operators", "/brands", "/departments", "/rules", "/webhooks",
	} {
		if strings.HasSuffix(path, end) {
			return true
		}
	}
	return false
}

// drain runs an iterator to its end.
func drain[T any](items iter.Seq2[*T, error]) error {
	for _, err := range items {
		if err != nil {
			return err
		}
	}
	return nil
}

// second drops a call's result.
func second[T any](_ T, err error) error { return err }

// A moment with a fraction and an offset, and how it must look on the wire.
var (
	someTime = time.Date(2026, 3, 1, 10, 15, 30, 250e6, time.FixedZone("", 3600))
	laterOn  = time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
)

const (
	someTimeOnWire = "2026-03-01T09:15:30.250Z"
	laterOnOnWire  = "2026-03-31T00:00:00.000Z"
)

type wireCase struct {
	call   string // Service and method.
	why    string // What the row adds to the one before.
	do     func(ctx context.Context, c *salesiq.Client) error
	method string
	path   string
	query  url.Values
	body   string // Empty where none may be sent.
	more   int    // Requests after the one that is shown.
}

type values = map[string][]string

// wireCases is the specification written out by hand, a row or more for every
// exported method.
var wireCases = []wireCase{
	{
		call: "Chats.List", why: "no filters, no query",
		do:     func(ctx context.Context, c *salesiq.Client) error { return second(c.Chats.List(ctx, nil)) },
		method: "GET", path: "/api/v2/chats",
	},
	{
		call: "Chats.List", why: "every filter",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Chats.List(ctx, &salesiq.ChatListParams{
				Status: salesiq.ChatWaiting, OperatorID: "op 1&2", DepartmentID: "dep=3", VisitorID: "vis+4",
				FromDate: someTime, ToDate: laterOn, Page: 3, PerPage: 25,
			}))
		},
		method: "GET", path: "/api/v2/chats",
		query: values{
			"status": {"waiting"}, "operator_id": {"op 1&2"}, "department_id": {"dep=3"}, "visitor_id": {"vis+4"},
			"from_date": {someTimeOnWire}, "to_date": {laterOnOnWire}, "page": {"3"}, "per_page": {"25"},
		},
	},
	{
		call: "Chats.All", why: "the largest page by default",
		do:     func(ctx context.Context, c *salesiq.Client) error { return drain(c.Chats.All(ctx, nil)) },
		method: "GET", path: "/api/v2/chats", query: values{"page": {"1"}, "per_page": {"100"}},
	},
	{
		call: "Chats.All", why: "filters stay, the caller's page counts",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return drain(c.Chats.All(ctx, &salesiq.ChatListParams{Status: salesiq.ChatMissed, Page: 2, PerPage: 10}))
		},
		method: "GET", path: "/api/v2/chats", query: values{"status": {"missed"}, "page": {"2"}, "per_page": {"10"}},
	},
	{
		call:   "Chats.Get",
		do:     func(ctx context.Context, c *salesiq.Client) error { return second(c.Chats.Get(ctx, "c1")) },
		method: "GET", path: "/api/v2/chats/c1",
	},
	{
		call:   "Chats.Transcript",
		do:     func(ctx context.Context, c *salesiq.Client) error { return second(c.Chats.Transcript(ctx, "c1")) },
		method: "GET", path: "/api/v2/chats/c1/transcript",
	},
	{
		call: "Chats.Transcripts",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return transcriptsOf(c.Chats.Transcripts(ctx, chatsOf("c1")))[0].Err
		},
		method: "GET", path: "/api/v2/chats/c1/transcript",
	},
	{
		call: "Chats.AllOpen", why: "those that wait come first",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return drain(c.Chats.AllOpen(ctx, &salesiq.ChatListParams{DepartmentID: "d1"}))
		},
		more: 1, method: "GET", path: "/api/v2/chats", query: values{"department_id": {"d1"}, "status": {"waiting"}, "page": {"1"}, "per_page": {"100"}},
	},
	{
		call: "Chats.Export", why: "the list of all that began since a day",
		do: func(ctx context.Context, c *salesiq.Client) error {
			params := &salesiq.ChatListParams{FromDate: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
			for result := range c.Chats.Export(ctx, params, nil) {
				return result.Err
			}
			return nil
		},
		method: "GET", path: "/api/v2/chats", query: values{"from_date": {"2026-03-01T00:00:00.000Z"}, "page": {"1"}, "per_page": {"100"}},
	},
	{
		call: "Chats.SendMessage", why: "text: markup and quotes arrive as typed",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Chats.SendMessage(ctx, "c1", salesiq.TextMessage(`a < b & "c" 👍`)))
		},
		method: "POST", path: "/api/v2/chats/c1/messages", body: `{"message":"a < b & \"c\" 👍","type":"text"}`,
	},
	{
		call: "Chats.SendMessage", why: "html",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Chats.SendMessage(ctx, "c1", salesiq.HTMLMessage("<b>Hello</b>")))
		},
		method: "POST", path: "/api/v2/chats/c1/messages", body: `{"message":"<b>Hello</b>","type":"html"}`,
	},
	{
		call: "Chats.SendMessage", why: "attachment: free fields beside the others",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Chats.SendMessage(ctx, "c1",
				salesiq.AttachmentMessage("The offer", map[string]any{"url": "https://files.test/offer.pdf", "size": 12})))
		},
		method: "POST", path: "/api/v2/chats/c1/messages",
		body: `{"message":"The offer","type":"attachment","url":"https://files.test/offer.pdf","size":12}`,
	},
	{
		call: "Chats.SendMessage", why: "card",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Chats.SendMessage(ctx, "c1",
				salesiq.CardMessage("Choose", map[string]any{"buttons": []string{"Yes", "No"}})))
		},
		method: "POST", path: "/api/v2/chats/c1/messages", body: `{"message":"Choose","type":"card","buttons":["Yes","No"]}`,
	},
	{
		call: "Chats.SendMessage", why: "article",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Chats.SendMessage(ctx, "c1",
				salesiq.ArticleMessage("Setting up", map[string]any{"article_id": "kb7"})))
		},
		method: "POST", path: "/api/v2/chats/c1/messages",
		body: `{"message":"Setting up","type":"article","article_id":"kb7"}`,
	},
	{
		call: "Chats.Transfer",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Chats.Transfer(ctx, "c1", &salesiq.ChatTransfer{OperatorID: "o2", Message: "One moment"}))
		},
		method: "POST", path: "/api/v2/chats/c1/transfer", body: `{"operator_id":"o2","message":"One moment"}`,
	},
	{
		call: "Chats.End", why: "the message is optional, the body is an object all the same",
		do:     func(ctx context.Context, c *salesiq.Client) error { return second(c.Chats.End(ctx, "c1", nil)) },
		method: "POST", path: "/api/v2/chats/c1/end", body: `{}`,
	},
	{
		call: "Chats.End", why: "with a message",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Chats.End(ctx, "c1", &salesiq.ChatEnd{Message: "Goodbye"}))
		},
		method: "POST", path: "/api/v2/chats/c1/end", body: `{"message":"Goodbye"}`,
	},
	{
		call: "Chats.Rate",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Chats.Rate(ctx, "c1", &salesiq.ChatRating{Rating: 4, Feedback: "Quick"}))
		},
		method: "POST", path: "/api/v2/chats/c1/rating", body: `{"rating":4,"feedback":"Quick"}`,
	},
	{
		call: "Visitors.List",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Visitors.List(ctx, &salesiq.VisitorListParams{
				Status: salesiq.VisitorChatting, FromDate: someTime, ToDate: laterOn,
				Search: `Müller & "Söhne" 100%?#`, Page: 2, PerPage: 100,
			}))
		},
		method: "GET", path: "/api/v2/visitors",
		query: values{
			"status": {"chatting"}, "from_date": {someTimeOnWire}, "to_date": {laterOnOnWire},
			"search": {`Müller & "Söhne" 100%?#`}, "page": {"2"}, "per_page": {"100"},
		},
	},
	{
		call:   "Visitors.All",
		do:     func(ctx context.Context, c *salesiq.Client) error { return drain(c.Visitors.All(ctx, nil)) },
		method: "GET", path: "/api/v2/visitors", query: values{"page": {"1"}, "per_page": {"100"}},
	},
	{
		call:   "Visitors.Get",
		do:     func(ctx context.Context, c *salesiq.Client) error { return second(c.Visitors.Get(ctx, "v1")) },
		method: "GET", path: "/api/v2/visitors/v1",
	},
	{
		call: "Visitors.Update",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Visitors.Update(ctx, "v1", &salesiq.VisitorUpdate{
				Name: salesiq.Set("Ada"), Email: salesiq.Set("ada@mail.test"), Phone: salesiq.Set("+44 20"),
				Company:      salesiq.Set("Engines Ltd"),
				CustomFields: salesiq.Set(map[string]any{"seats": 40, "trial": true}),
			}))
		},
		method: "PATCH", path: "/api/v2/visitors/v1",
		body: `{"name":"Ada","email":"ada@mail.test","phone":"+44 20","company":"Engines Ltd","custom_fields":{"seats":40,"trial":true}}`,
	},
	{
		call:   "Visitors.Activity",
		do:     func(ctx context.Context, c *salesiq.Client) error { return second(c.Visitors.Activity(ctx, "v1")) },
		method: "GET", path: "/api/v2/visitors/v1/activity",
	},
	{
		call: "Visitors.Tag",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Visitors.Tag(ctx, "v1", []string{"vip", "returning"}))
		},
		method: "POST", path: "/api/v2/visitors/v1/tags", body: `{"tags":["vip","returning"]}`,
	},
	{
		call: "Operators.List",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Operators.List(ctx, &salesiq.OperatorListParams{
				Status: salesiq.OperatorBusy, Availability: salesiq.OperatorAvailable, DepartmentID: "d1",
				Role: salesiq.RoleSupervisor, Page: 1, PerPage: 5,
			}))
		},
		method: "GET", path: "/api/v2/operators",
		query: values{
			"status": {"busy"}, "availability": {"available"}, "department_id": {"d1"}, "role": {"supervisor"},
			"page": {"1"}, "per_page": {"5"},
		},
	},
	{
		call:   "Operators.All",
		do:     func(ctx context.Context, c *salesiq.Client) error { return drain(c.Operators.All(ctx, nil)) },
		method: "GET", path: "/api/v2/operators", query: values{"page": {"1"}, "per_page": {"100"}},
	},
	{
		call:   "Operators.Get",
		do:     func(ctx context.Context, c *salesiq.Client) error { return second(c.Operators.Get(ctx, "o1")) },
		method: "GET", path: "/api/v2/operators/o1",
	},
	{
		call: "Operators.Create", why: "every field",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Operators.Create(ctx, &salesiq.OperatorCreate{
				Name: "Mia Lang", Email: "mia@desk.test", Role: salesiq.RoleAgent, DepartmentID: "d1",
				MaxChats: salesiq.Set(3), Languages: []string{"German"}, Skills: []string{"Billing", "Setup"},
			}))
		},
		method: "POST", path: "/api/v2/operators",
		body: `{"name":"Mia Lang","email":"mia@desk.test","role":"agent","department_id":"d1","max_chats":3,
			"languages":["German"],"skills":["Billing","Setup"]}`,
	},
	{
		call: "Operators.Create", why: "the required fields alone",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Operators.Create(ctx, &salesiq.OperatorCreate{Name: "Mia", Email: "mia@desk.test", Role: salesiq.RoleAdmin}))
		},
		method: "POST", path: "/api/v2/operators", body: `{"name":"Mia","email":"mia@desk.test","role":"admin"}`,
	},
	{
		call: "Operators.Update",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Operators.Update(ctx, "o1", &salesiq.OperatorUpdate{
				Status: salesiq.Set(salesiq.OperatorAway), MaxChats: salesiq.Set(2),
			}))
		},
		method: "PATCH", path: "/api/v2/operators/o1", body: `{"status":"away","max_chats":2}`,
	},
	{
		call:   "Operators.Delete",
		do:     func(ctx context.Context, c *salesiq.Client) error { return c.Operators.Delete(ctx, "o1") },
		method: "DELETE", path: "/api/v2/operators/o1",
	},
	{
		call: "Operators.Stats", why: "over all time",
		do:     func(ctx context.Context, c *salesiq.Client) error { return second(c.Operators.Stats(ctx, "o1", nil)) },
		method: "GET", path: "/api/v2/operators/o1/stats",
	},
	{
		call: "Operators.Stats", why: "over a time",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Operators.Stats(ctx, "o1", &salesiq.OperatorStatsParams{FromDate: someTime, ToDate: laterOn}))
		},
		method: "GET", path: "/api/v2/operators/o1/stats",
		query: values{"from_date": {someTimeOnWire}, "to_date": {laterOnOnWire}},
	},
	{
		call: "Brands.List",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Brands.List(ctx, &salesiq.ListParams{Page: 2, PerPage: 1}))
		},
		method: "GET", path: "/api/v2/brands", query: values{"page": {"2"}, "per_page": {"1"}},
	},
	{
		call:   "Brands.All",
		do:     func(ctx context.Context, c *salesiq.Client) error { return drain(c.Brands.All(ctx, nil)) },
		method: "GET", path: "/api/v2/brands", query: values{"page": {"1"}, "per_page": {"100"}},
	},
	{
		call:   "Brands.Get",
		do:     func(ctx context.Context, c *salesiq.Client) error { return second(c.Brands.Get(ctx, "b1")) },
		method: "GET", path: "/api/v2/brands/b1",
	},
	{
		call: "Brands.Update", why: "one widget setting, the rest is not mentioned",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Brands.Update(ctx, "b1", &salesiq.BrandUpdate{
				WidgetSettings: salesiq.Set(salesiq.WidgetSettingsUpdate{ThemeColor: salesiq.Set("#28a745")}),
			}))
		},
		method: "PATCH", path: "/api/v2/brands/b1", body: `{"widget_settings":{"theme_color":"#28a745"}}`,
	},
	{
		call:   "Brands.Departments",
		do:     func(ctx context.Context, c *salesiq.Client) error { return second(c.Brands.Departments(ctx, "b1")) },
		method: "GET", path: "/api/v2/brands/b1/departments",
	},
	{
		call:   "Routing.List",
		do:     func(ctx context.Context, c *salesiq.Client) error { return second(c.Routing.List(ctx, nil)) },
		method: "GET", path: "/api/v2/routing/rules",
	},
	{
		call:   "Routing.All",
		do:     func(ctx context.Context, c *salesiq.Client) error { return drain(c.Routing.All(ctx, nil)) },
		method: "GET", path: "/api/v2/routing/rules", query: values{"page": {"1"}, "per_page": {"100"}},
	},
	{
		call: "Routing.Create", why: "conditions hold values of any JSON type",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Routing.Create(ctx, &salesiq.RoutingRuleCreate{
				Name: "Big accounts", Priority: salesiq.Set(1), Enabled: salesiq.Set(true),
				Conditions: []salesiq.RoutingCondition{
					{Field: "visitor.lead_score", Operator: salesiq.RoutingGreaterThan, Value: 75},
					{Field: "visitor.tags", Operator: salesiq.RoutingContains, Value: "vip"},
					{Field: "visitor.country_code", Operator: "in", Value: []string{"DE", "AT"}},
					{Field: "visitor.known", Operator: "equals", Value: false},
					{Field: "visitor.company", Operator: "equals", Value: nil},
				},
				Actions: salesiq.RoutingActions{AssignTo: salesiq.AssignToOperator, OperatorIDs: []string{"o1"}},
			}))
		},
		method: "POST", path: "/api/v2/routing/rules",
		body: `{"name":"Big accounts","priority":1,"enabled":true,"conditions":[
			{"field":"visitor.lead_score","operator":"greater_than","value":75},
			{"field":"visitor.tags","operator":"contains","value":"vip"},
			{"field":"visitor.country_code","operator":"in","value":["DE","AT"]},
			{"field":"visitor.known","operator":"equals","value":false},
			{"field":"visitor.company","operator":"equals","value":null}],
			"actions":{"assign_to":"operator","operator_ids":["o1"]}}`,
	},
	{
		call: "Routing.Update",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Routing.Update(ctx, "r1", &salesiq.RoutingRuleUpdate{Enabled: salesiq.Set(false)}))
		},
		method: "PATCH", path: "/api/v2/routing/rules/r1", body: `{"enabled":false}`,
	},
	{
		call:   "Routing.Delete",
		do:     func(ctx context.Context, c *salesiq.Client) error { return c.Routing.Delete(ctx, "r1") },
		method: "DELETE", path: "/api/v2/routing/rules/r1",
	},
	{
		call:   "Webhooks.List",
		do:     func(ctx context.Context, c *salesiq.Client) error { return second(c.Webhooks.List(ctx, nil)) },
		method: "GET", path: "/api/v2/webhooks",
	},
	{
		call:   "Webhooks.All",
		do:     func(ctx context.Context, c *salesiq.Client) error { return drain(c.Webhooks.All(ctx, nil)) },
		method: "GET", path: "/api/v2/webhooks", query: values{"page": {"1"}, "per_page": {"100"}},
	},
	{
		call: "Webhooks.Create", why: "the secret reaches the service, and only the service",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Webhooks.Create(ctx, &salesiq.WebhookCreate{
				Name: "Chats", URL: "https://shop.test/hooks?from=siq",
				Events:  []salesiq.EventName{salesiq.EventChatStarted, salesiq.EventChatRated},
				Enabled: salesiq.Set(true), Secret: salesiq.NewSecret("signing-key"),
			}))
		},
		method: "POST", path: "/api/v2/webhooks",
		body: `{"name":"Chats","url":"https://shop.test/hooks?from=siq","events":["chat.started","chat.rating"],
			"enabled":true,"secret":"signing-key"}`,
	},
	{
		call: "Webhooks.Update", why: "a secret within an Opt reaches the service, too",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Webhooks.Update(ctx, "w1", &salesiq.WebhookUpdate{
				Enabled: salesiq.Set(false), Secret: salesiq.Set(salesiq.NewSecret("new-key")),
			}))
		},
		method: "PATCH", path: "/api/v2/webhooks/w1", body: `{"enabled":false,"secret":"new-key"}`,
	},
	{
		call:   "Webhooks.Delete",
		do:     func(ctx context.Context, c *salesiq.Client) error { return c.Webhooks.Delete(ctx, "w1") },
		method: "DELETE", path: "/api/v2/webhooks/w1",
	},
	{
		call: "Devices.Register",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Devices.Register(ctx, &salesiq.DeviceCreate{
				Token: salesiq.NewSecret("push-7"), Platform: salesiq.PlatformIOS, OperatorID: "o1",
			}))
		},
		method: "POST", path: "/api/v2/devices", body: `{"device_token":"push-7","platform":"ios","operator_id":"o1"}`,
	},
	{
		call:   "Devices.Unregister",
		do:     func(ctx context.Context, c *salesiq.Client) error { return c.Devices.Unregister(ctx, "dev1") },
		method: "DELETE", path: "/api/v2/devices/dev1",
	},
	{
		call: "Devices.Notify",
		do: func(ctx context.Context, c *salesiq.Client) error {
			return second(c.Devices.Notify(ctx, &salesiq.NotificationCreate{
				OperatorID: "o1", Title: "Queue", Message: "Four are waiting",
				Data: map[string]any{"waiting": 4, "chats": []string{"c1"}},
			}))
		},
		method: "POST", path: "/api/v2/notifications",
		body: `{"operator_id":"o1","title":"Queue","message":"Four are waiting","data":{"waiting":4,"chats":["c1"]}}`,
	},
}

func TestEveryCallIsOnTheWireAsSpecified(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "/proxy/salesiq"} {
		for _, row := range wireCases {
			t.Run(strings.TrimSpace(row.call+" "+row.why+" "+prefix), func(t *testing.T) {
				t.Parallel()
				api := newAPIRecorder(t, answerSuitably)
				client := api.client(t, salesiq.WithBaseURL(api.URL+prefix), salesiq.WithUserAgent("desk/1.2"))
				require.NoError(t, row.do(t.Context(), client))

				require.Len(t, api.requests(), 1+row.more)
				got := api.requests()[0]
				assert.Equal(t, row.method, got.Method)
				assert.Equal(t, prefix+row.path, got.Path)
				if row.query == nil {
					assert.Empty(t, got.Query)
				} else {
					assert.Equal(t, row.query, got.Query)
				}
				assert.Equal(t, []string{"Zoho-oauthtoken " + testToken}, got.Header["Authorization"])
				assert.Equal(t, []string{"application/json"}, got.Header["Accept"])
				assert.Equal(t, []string{"desk/1.2 salesiq-go/" + salesiq.Version}, got.Header["User-Agent"])
				if row.body == "" {
					assert.Empty(t, got.Body)
					assert.NotContains(t, got.Header, "Content-Type", "nothing has no type")
				} else {
					assert.JSONEq(t, row.body, got.Body)
					assert.Equal(t, []string{"application/json"}, got.Header["Content-Type"])
				}
			})
		}
	}
}

// Whoever adds a method adds a row.
func TestEveryMethodHasAWireRow(t *testing.T) {
	t.Parallel()
	rows, endpoints := map[string]bool{}, map[string]bool{}
	for _, row := range wireCases {
		rows[row.call] = true
		endpoints[row.method+" "+row.path] = true
	}
	for field := range reflect.TypeFor[salesiq.Client]().Fields() {
		if !field.IsExported() {
			continue
		}
		for method := range field.Type.Methods() {
			call := field.Name + "." + method.Name
			assert.True(t, rows[call], "%s has no row in wireCases", call)
			delete(rows, call)
		}
	}
	assert.Empty(t, rows, "rows of methods that do not exist")
	assert.Len(t, endpoints, 33, "the specification has 33 calls")
}

func TestPortalIsPartOfEveryPath(t *testing.T) {
	t.Parallel()
	api := newAPIRecorder(t, answerSuitably)
	client := api.client(t, salesiq.WithPortal("Zylker INC/2"))
	var paths []string
	for _, row := range wireCases {
		require.NoError(t, row.do(t.Context(), client))
		paths = append(paths, slices.Repeat([]string{row.path}, 1+row.more)...)
	}
	require.Len(t, api.requests(), len(paths))
	for i, got := range api.requests() {
		assert.Equal(t, "/api/v2/Zylker%20INC%2F2"+strings.TrimPrefix(paths[i], "/api/v2"), got.Path)
	}
}

// awkwardIDs are legal, however they look.
var awkwardIDs = []string{
	"plain", "a/b", "//", "a/../b", "../operators/1", "a?x=1", "a#b", "100%", "%2F", "%2e%2e", "a b", " padded ",
	"...", ".hidden", "ünï-côdé", "客服", "👍", "a+b", "a&b=c", "a;b", "a:b", `a\b`, `"quoted"`, "{id}", "*", "~", "\xff",
}

func TestAnyIDArrivesAsThatOneID(t *testing.T) {
	t.Parallel()
	api, seen := newIDServer(t)
	client := api.client(t)
	for _, id := range awkwardIDs {
		_, err := client.Visitors.Get(t.Context(), id)
		require.NoError(t, err, "%q", id)
		_, err = client.Visitors.Activity(t.Context(), id)
		require.NoError(t, err, "%q", id)
		assert.Equal(t, []string{id, id}, seen())
	}
	// The standard multiplexer matches no segment that is a slash and nothing
	// else, so this one is looked at as it was sent.
	_, err := client.Visitors.Get(t.Context(), "/")
	require.Error(t, err)
	assert.Equal(t, "/api/v2/visitors/%2F", api.requests()[2*len(awkwardIDs)].Path)
}

// newIDServer routes as real servers do and tells which ids arrived since it
// was last asked.
func newIDServer(t testing.TB) (*apiRecorder, func() []string) {
	t.Helper()
	var arrived []string
	mux := http.NewServeMux()
	for _, pattern := range []string{"GET /api/v2/visitors/{id}", "GET /api/v2/visitors/{id}/activity"} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			arrived = append(arrived, r.PathValue("id"))
			answerJSON(http.StatusOK, `{"status":"success","data":{"id":"x1"}}`)(w, r)
		})
	}
	return newAPIRecorder(t, mux.ServeHTTP), func() []string {
		ids := arrived
		arrived = nil
		return ids
	}
}
