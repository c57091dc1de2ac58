package salesiq_test

import (
	"context"
	"iter"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
)

type refusal struct {
	call  string
	field string
	why   string
	do    func(ctx context.Context, c *salesiq.Client) error
}

// withID are the calls that take an id, and the id's name on the wire.
var withID = []struct {
	call, field string
	do          func(ctx context.Context, c *salesiq.Client, id string) error
}{
	{"Chats.Get", "chat_id", func(ctx context.Context, c *salesiq.Client, id string) error { return second(c.Chats.Get(ctx, id)) }},
	{"Chats.Transcript", "chat_id", func(ctx context.Context, c *salesiq.Client, id string) error {
		return second(c.Chats.Transcript(ctx, id))
	}},
	{"Chats.Transcript", "chat_id", func(ctx context.Context, c *salesiq.Client, id string) error {
		return transcriptsOf(c.Chats.Transcripts(ctx, chatsOf(id)))[0].Err
	}},
	{"Chats.SendMessage", "chat_id", func(ctx context.Context, c *salesiq.Client, id string) error {
		return second(c.Chats.SendMessage(ctx, id, salesiq.TextMessage("Hello")))
	}},
	{"Chats.Transfer", "chat_id", func(ctx context.Context, c *salesiq.Client, id string) error {
		return second(c.Chats.Transfer(ctx, id, &salesiq.ChatTransfer{OperatorID: "o1"}))
	}},
	{"Chats.End", "chat_id", func(ctx context.Context, c *salesiq.Client, id string) error {
		return second(c.Chats.End(ctx, id, nil))
	}},
	{"Chats.Rate", "chat_id", func(ctx context.Context, c *salesiq.Client, id string) error {
		return second(c.Chats.Rate(ctx, id, &salesiq.ChatRating{Rating: 5}))
	}},
	{"Visitors.Get", "visitor_id", func(ctx context.Context, c *salesiq.Client, id string) error {
		return second(c.Visitors.Get(ctx, id))
	}},
	{"Visitors.Update", "visitor_id", func(ctx context.Context, c *salesiq.Client, id string) error {
		return second(c.Visitors.Update(ctx, id, &salesiq.VisitorUpdate{}))
	}},
	{"Visitors.Activity", "visitor_id", func(ctx context.Context, c *salesiq.Client, id string) error {
		return second(c.Visitors.Activity(ctx, id))
	}},
	{"Visitors.Tag", "visitor_id", func(ctx context.Context, c *salesiq.Client, id string) error {
		return second(c.Visitors.Tag(ctx, id, []string{"vip"}))
	}},
	{"Operators.Get", "operator_id", func(ctx context.Context, c *salesiq.Client, id string) error {
		return second(c.Operators.Get(ctx, id))
	}},
	{"Operators.Update", "operator_id", func(ctx context.Context, c *salesiq.Client, id string) error {
		return second(c.Operators.Update(ctx, id, &salesiq.OperatorUpdate{}))
	}},
	{"Operators.Delete", "operator_id", func(ctx context.Context, c *salesiq.Client, id string) error {
		return c.Operators.Delete(ctx, id)
	}},
	{"Operators.Stats", "operator_id", func(ctx context.Context, c *salesiq.Client, id string) error {
		return second(c.Operators.Stats(ctx, id, nil))
	}},
	{"Brands.Get", "brand_id", func(ctx context.Context, c *salesiq.Client, id string) error { return second(c.Brands.Get(ctx, id)) }},
	{"Brands.Update", "brand_id", func(ctx context.Context, c *salesiq.Client, id string) error {
		return second(c.Brands.Update(ctx, id, &salesiq.BrandUpdate{}))
	}},
	{"Brands.Departments", "brand_id", func(ctx context.Context, c *salesiq.Client, id string) error {
		return second(c.Brands.Departments(ctx, id))
	}},
	{"Routing.Update", "rule_id", func(ctx context.Context, c *salesiq.Client, id string) error {
		return second(c.Routing.Update(ctx, id, &salesiq.RoutingRuleUpdate{}))
	}},
	{"Routing.Delete", "rule_id", func(ctx context.Context, c *salesiq.Client, id string) error { return c.Routing.Delete(ctx, id) }},
	{"Webhooks.Update", "webhook_id", func(ctx context.Context, c *salesiq.Client, id string) error {
		return second(c.Webhooks.Update(ctx, id, &salesiq.WebhookUpdate{}))
	}},
	{"Webhooks.Delete", "webhook_id", func(ctx context.Context, c *salesiq.Client, id string) error { return c.Webhooks.Delete(ctx, id) }},
	{"Devices.Unregister", "device_id", func(ctx context.Context, c *salesiq.Client, id string) error {
		return c.Devices.Unregister(ctx, id)
	}},
}

// badIDs would name another resource if they were put into a path: DELETE on "" or
// "." is DELETE on the collection.
var badIDs = []string{"", " ", "\t", "\u2028", ".", "..", "\x00", "a\x00b", "a\nb", "a\rb", "\x7f", "a\u0085b"}

// refusals has a row for every check of an argument but the ids.
var refusals = []refusal{
	listRefusal("Chats.List", func(ctx context.Context, c *salesiq.Client, page, perPage int) error {
		return second(c.Chats.List(ctx, &salesiq.ChatListParams{Page: page, PerPage: perPage}))
	}, -1, 0),
	listRefusal("Chats.List", func(ctx context.Context, c *salesiq.Client, page, perPage int) error {
		return second(c.Chats.List(ctx, &salesiq.ChatListParams{Page: page, PerPage: perPage}))
	}, 0, 101),
	listRefusal("Chats.All", func(ctx context.Context, c *salesiq.Client, page, perPage int) error {
		return drain(c.Chats.All(ctx, &salesiq.ChatListParams{Page: page, PerPage: perPage}))
	}, 0, -1),
	listRefusal("Visitors.List", func(ctx context.Context, c *salesiq.Client, page, perPage int) error {
		return second(c.Visitors.List(ctx, &salesiq.VisitorListParams{Page: page, PerPage: perPage}))
	}, 0, 101),
	listRefusal("Visitors.All", func(ctx context.Context, c *salesiq.Client, page, perPage int) error {
		return drain(c.Visitors.All(ctx, &salesiq.VisitorListParams{Page: page, PerPage: perPage}))
	}, -1, 10),
	listRefusal("Operators.List", func(ctx context.Context, c *salesiq.Client, page, perPage int) error {
		return second(c.Operators.List(ctx, &salesiq.OperatorListParams{Page: page, PerPage: perPage}))
	}, 0, -1),
	listRefusal("Operators.All", func(ctx context.Context, c *salesiq.Client, page, perPage int) error {
		return drain(c.Operators.All(ctx, &salesiq.OperatorListParams{Page: page, PerPage: perPage}))
	}, 0, 1000),
	listRefusal("Brands.List", func(ctx context.Context, c *salesiq.Client, page, perPage int) error {
		return second(c.Brands.List(ctx, &salesiq.ListParams{Page: page, PerPage: perPage}))
	}, -7, 0),
	listRefusal("Brands.All", func(ctx context.Context, c *salesiq.Client, page, perPage int) error {
		return drain(c.Brands.All(ctx, &salesiq.ListParams{Page: page, PerPage: perPage}))
	}, 0, 101),
	listRefusal("Routing.List", func(ctx context.Context, c *salesiq.Client, page, perPage int) error {
		return second(c.Routing.List(ctx, &salesiq.ListParams{Page: page, PerPage: perPage}))
	}, 0, 101),
	listRefusal("Routing.All", func(ctx context.Context, c *salesiq.Client, page, perPage int) error {
		return drain(c.Routing.All(ctx, &salesiq.ListParams{Page: page, PerPage: perPage}))
	}, 0, 101),
	listRefusal("Webhooks.List", func(ctx context.Context, c *salesiq.Client, page, perPage int) error {
		return second(c.Webhooks.List(ctx, &salesiq.ListParams{Page: page, PerPage: perPage}))
	}, 0, 101),
	listRefusal("Webhooks.All", func(ctx context.Context, c *salesiq.Client, page, perPage int) error {
		return drain(c.Webhooks.All(ctx, &salesiq.ListParams{Page: page, PerPage: perPage}))
	}, 0, 101),

	{"Chats.List", "to_date", "before from_date", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Chats.List(ctx, &salesiq.ChatListParams{FromDate: laterOn, ToDate: someTime}))
	}},
	{"Visitors.All", "to_date", "before from_date", func(ctx context.Context, c *salesiq.Client) error {
		return drain(c.Visitors.All(ctx, &salesiq.VisitorListParams{FromDate: laterOn, ToDate: someTime}))
	}},
	{"Operators.Stats", "to_date", "before from_date", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Operators.Stats(ctx, "o1", &salesiq.OperatorStatsParams{FromDate: laterOn, ToDate: laterOn.Add(-time.Second)}))
	}},

	{"Chats.SendMessage", "message", "nil", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Chats.SendMessage(ctx, "c1", nil))
	}},
	{"Chats.SendMessage", "message", "empty text", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Chats.SendMessage(ctx, "c1", salesiq.TextMessage("")))
	}},
	{"Chats.SendMessage", "message", "blank HTML", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Chats.SendMessage(ctx, "c1", salesiq.HTMLMessage(" \n")))
	}},
	{"Chats.SendMessage", "type", "no type", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Chats.SendMessage(ctx, "c1", &salesiq.MessageCreate{Text: "Hello"}))
	}},
	{"Chats.SendMessage", "body", "a value that has no JSON", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Chats.SendMessage(ctx, "c1", salesiq.CardMessage("x", map[string]any{"f": func() {}})))
	}},
	{"Chats.Transfer", "params", "nil", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Chats.Transfer(ctx, "c1", nil))
	}},
	{"Chats.Transfer", "operator_id", "to nobody", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Chats.Transfer(ctx, "c1", &salesiq.ChatTransfer{Message: "Bye"}))
	}},
	{"Chats.Rate", "params", "nil", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Chats.Rate(ctx, "c1", nil))
	}},
	{"Chats.Rate", "rating", "0", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Chats.Rate(ctx, "c1", &salesiq.ChatRating{}))
	}},
	{"Chats.Rate", "rating", "6", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Chats.Rate(ctx, "c1", &salesiq.ChatRating{Rating: 6}))
	}},
	{"Visitors.Update", "update", "nil", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Visitors.Update(ctx, "v1", nil))
	}},
	{"Visitors.Tag", "tags", "none", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Visitors.Tag(ctx, "v1", nil))
	}},
	{"Visitors.Tag", "tags", "an empty one", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Visitors.Tag(ctx, "v1", []string{"vip", " "}))
	}},
	{"Operators.Create", "operator", "nil", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Operators.Create(ctx, nil))
	}},
	{"Operators.Create", "name", "missing", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Operators.Create(ctx, &salesiq.OperatorCreate{Email: "e@desk.test", Role: salesiq.RoleAgent}))
	}},
	{"Operators.Create", "email", "missing", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Operators.Create(ctx, &salesiq.OperatorCreate{Name: "Mia", Role: salesiq.RoleAgent}))
	}},
	{"Operators.Create", "role", "missing", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Operators.Create(ctx, &salesiq.OperatorCreate{Name: "Mia", Email: "e@desk.test"}))
	}},
	{"Operators.Create", "max_chats", "negative", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Operators.Create(ctx, &salesiq.OperatorCreate{
			Name: "Mia", Email: "e@desk.test", Role: salesiq.RoleAgent, MaxChats: salesiq.Set(-1),
		}))
	}},
	{"Operators.Update", "update", "nil", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Operators.Update(ctx, "o1", nil))
	}},
	{"Operators.Update", "max_chats", "negative", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Operators.Update(ctx, "o1", &salesiq.OperatorUpdate{MaxChats: salesiq.Set(-1)}))
	}},
	{"Brands.Update", "update", "nil", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Brands.Update(ctx, "b1", nil))
	}},
	{"Routing.Create", "rule", "nil", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Routing.Create(ctx, nil))
	}},
	{"Routing.Create", "name", "missing", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Routing.Create(ctx, &salesiq.RoutingRuleCreate{
			Conditions: []salesiq.RoutingCondition{{Field: "f"}}, Actions: salesiq.RoutingActions{AssignTo: "operator"},
		}))
	}},
	{"Routing.Create", "conditions", "none", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Routing.Create(ctx, &salesiq.RoutingRuleCreate{Name: "r", Actions: salesiq.RoutingActions{AssignTo: "operator"}}))
	}},
	{"Routing.Create", "actions.assign_to", "missing", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Routing.Create(ctx, &salesiq.RoutingRuleCreate{
			Name: "r", Conditions: []salesiq.RoutingCondition{{Field: "f"}},
		}))
	}},
	{"Routing.Create", "conditions[1].field", "missing", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Routing.Create(ctx, &salesiq.RoutingRuleCreate{
			Name: "r", Actions: salesiq.RoutingActions{AssignTo: "operator"},
			Conditions: []salesiq.RoutingCondition{{Field: "f", Operator: "is"}, {Operator: "is"}},
		}))
	}},
	{"Routing.Update", "conditions[0].operator", "missing", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Routing.Update(ctx, "r1", &salesiq.RoutingRuleUpdate{
			Conditions: salesiq.Set([]salesiq.RoutingCondition{{Field: "f"}}),
		}))
	}},
	{"Routing.Update", "update", "nil", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Routing.Update(ctx, "r1", nil))
	}},
	{"Webhooks.Create", "webhook", "nil", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Webhooks.Create(ctx, nil))
	}},
	webhookRefusal("name", "missing", &salesiq.WebhookCreate{URL: "https://a.test", Events: []salesiq.EventName{"e"}}),
	webhookRefusal("url", "missing", &salesiq.WebhookCreate{Name: "w", Events: []salesiq.EventName{"e"}}),
	webhookRefusal("url", "relative", &salesiq.WebhookCreate{Name: "w", URL: "/hook", Events: []salesiq.EventName{"e"}}),
	webhookRefusal("url", "without a host", &salesiq.WebhookCreate{Name: "w", URL: "https://:443/", Events: []salesiq.EventName{"e"}}),
	webhookRefusal("url", "another scheme", &salesiq.WebhookCreate{Name: "w", URL: "ftp://a.test", Events: []salesiq.EventName{"e"}}),
	webhookRefusal("url", "not a URL", &salesiq.WebhookCreate{Name: "w", URL: "https://a b:c", Events: []salesiq.EventName{"e"}}),
	webhookRefusal("events", "none", &salesiq.WebhookCreate{Name: "w", URL: "https://a.test"}),
	{"Webhooks.Update", "update", "nil", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Webhooks.Update(ctx, "w1", nil))
	}},
	{"Webhooks.Update", "url", "set to nothing", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Webhooks.Update(ctx, "w1", &salesiq.WebhookUpdate{URL: salesiq.Set("")}))
	}},
	{"Devices.Register", "device", "nil", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Devices.Register(ctx, nil))
	}},
	{"Devices.Register", "device_token", "missing", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Devices.Register(ctx, &salesiq.DeviceCreate{Platform: salesiq.PlatformWeb, OperatorID: "o1"}))
	}},
	{"Devices.Register", "platform", "missing", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Devices.Register(ctx, &salesiq.DeviceCreate{Token: salesiq.NewSecret("t"), OperatorID: "o1"}))
	}},
	{"Devices.Register", "operator_id", "missing", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Devices.Register(ctx, &salesiq.DeviceCreate{Token: salesiq.NewSecret("t"), Platform: salesiq.PlatformWeb}))
	}},
	{"Devices.Notify", "notification", "nil", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Devices.Notify(ctx, nil))
	}},
	{"Devices.Notify", "operator_id", "missing", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Devices.Notify(ctx, &salesiq.NotificationCreate{Title: "t", Message: "m"}))
	}},
	{"Devices.Notify", "title", "missing", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Devices.Notify(ctx, &salesiq.NotificationCreate{OperatorID: "o1", Message: "m"}))
	}},
	{"Devices.Notify", "message", "missing", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Devices.Notify(ctx, &salesiq.NotificationCreate{OperatorID: "o1", Title: "t"}))
	}},
	{"Chats.Get", "operation", "a name for a call that has its own", func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Chats.Get(ctx, "c1", salesiq.WithOperation("Mine")))
	}},
	{"Chats.All", "ids", "ids for a call that takes its own", func(ctx context.Context, c *salesiq.Client) error {
		return drain(c.Chats.All(ctx, nil, salesiq.WithIDs("c1")))
	}},
	{"Do", "out", "no pointer", func(ctx context.Context, c *salesiq.Client) error {
		return c.Do(ctx, "POST", "/chats/c1/end", nil, salesiq.Chat{})
	}},
	{"Do", "out", "a nil pointer", func(ctx context.Context, c *salesiq.Client) error {
		return c.Do(ctx, "POST", "/chats/c1/end", nil, (*salesiq.Chat)(nil))
	}},
}

func listRefusal(call string, list func(context.Context, *salesiq.Client, int, int) error, page, perPage int) refusal {
	field := "per_page"
	if page < 0 {
		field = "page"
	}
	return refusal{call, field, "out of range", func(ctx context.Context, c *salesiq.Client) error {
		return list(ctx, c, page, perPage)
	}}
}

func webhookRefusal(field, why string, webhook *salesiq.WebhookCreate) refusal {
	return refusal{"Webhooks.Create", field, why, func(ctx context.Context, c *salesiq.Client) error {
		return second(c.Webhooks.Create(ctx, webhook))
	}}
}

func TestBadArgumentsAreRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	api := newAPIRecorder(t, answerSuitably)
	client := api.client(t)
	rows := refusals
	for _, call := range withID {
		for _, id := range badIDs {
			rows = append(rows, refusal{call.call, call.field, "an id that is no path segment", func(ctx context.Context, c *salesiq.Client) error {
				return call.do(ctx, c, id)
			}})
		}
	}
	for _, row := range rows {
		err := row.do(t.Context(), client)
		require.ErrorIs(t, err, salesiq.ErrInvalidInput, "%s: %s %s", row.call, row.field, row.why)
		var input *salesiq.InputError
		require.ErrorAs(t, err, &input)
		assert.Equal(t, row.call, input.Operation)
		assert.Equal(t, row.field, input.Field, "%s: %s", row.call, row.why)
		assert.NotEmpty(t, input.Reason)
		assert.Equal(t, "salesiq: "+row.call+": "+row.field+" "+input.Reason, err.Error())
		assert.False(t, salesiq.IsRetryable(err), "it would fail again")
		assert.NotErrorAs(t, err, new(*salesiq.Error), "the service said nothing")
	}
	assert.Empty(t, api.requests())
}

func TestLimitsOfArgumentsAreAccepted(t *testing.T) {
	t.Parallel()
	api := newAPIRecorder(t, answerSuitably)
	client := api.client(t)
	for _, rating := range []int{1, 5} {
		_, err := client.Chats.Rate(t.Context(), "c1", &salesiq.ChatRating{Rating: rating})
		require.NoError(t, err)
	}
	for _, perPage := range []int{1, 100} {
		_, err := client.Chats.List(t.Context(), &salesiq.ChatListParams{Page: 1, PerPage: perPage})
		require.NoError(t, err)
	}
	_, err := client.Chats.List(t.Context(), &salesiq.ChatListParams{FromDate: laterOn, ToDate: laterOn})
	require.NoError(t, err)
	_, err = client.Operators.Update(t.Context(), "o1", &salesiq.OperatorUpdate{MaxChats: salesiq.Set(0)})
	require.NoError(t, err)
	_, err = client.Chats.SendMessage(t.Context(), "c1", salesiq.CardMessage("", nil))
	require.NoError(t, err, "only text and html need a text")
}

func TestUnknownDataCenterIsRefused(t *testing.T) {
	t.Parallel()
	_, err := salesiq.LookupDataCenter("atlantis")
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
	require.ErrorContains(t, err, "data center")
	require.ErrorContains(t, err, "atlantis")
	require.ErrorContains(t, err, "EU", "it says what is known")
	_, err = salesiq.NewClient(salesiq.StaticToken("t"), salesiq.WithDataCenter(salesiq.DataCenter("atlantis")))
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
	require.ErrorContains(t, err, "data center")
}

// I8
func TestNilContextIsAnErrorBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	api := newAPIRecorder(t, answerSuitably)
	client := api.client(t)
	var none context.Context // A nil that somebody passes by mistake.
	credentials := salesiq.Credentials{ClientID: "id", ClientSecret: salesiq.NewSecret("secret")}
	oauth := &salesiq.OAuth{Credentials: credentials, DataCenter: client.DataCenter()}
	vault := salesiq.NewMemoryTokenStore()
	for name, use := range map[string]func() error{
		"Get":         func() error { _, err := client.Chats.Get(none, "c1"); return err },
		"List":        func() error { _, err := client.Chats.List(none, nil); return err },
		"All":         func() error { return firstError(client.Chats.All(none, nil)) },
		"SendMessage": func() error { _, err := client.Chats.SendMessage(none, "c1", salesiq.TextMessage("x")); return err },
		"Delete":      func() error { return client.Webhooks.Delete(none, "w1") },
		"Transcripts": func() error { return transcriptsOf(client.Chats.Transcripts(none, chatsOf("c1")))[0].Err },
		"AllOpen":     func() error { return firstError(client.Chats.AllOpen(none, nil)) },
		"Export":      func() error { return transcriptsOf(client.Chats.Export(none, nil, nil))[0].Err },
		"Do":          func() error { return client.Do(none, "GET", "/chats", nil, nil) },
		"live.Get":    func() error { _, err := live.Get[any](none, client, "/apps", nil); return err },
		"Exchange": func() error {
			_, err := oauth.Exchange(none, salesiq.AuthCode{Code: salesiq.NewSecret("c")})
			return err
		},
		"Revoke":     func() error { return oauth.Revoke(none, salesiq.NewSecret("token")) },
		"Load":       func() error { _, err := vault.Load(none); return err },
		"Save":       func() error { return vault.Save(none, salesiq.Token{}) },
		"nil vault":  func() error { _, err := (*salesiq.TokenVault)(nil).Load(t.Context()); return err },
		"zero vault": func() error { return new(salesiq.TokenVault).Save(t.Context(), salesiq.Token{}) },
	} {
		assert.NotPanics(t, func() { require.ErrorIs(t, use(), salesiq.ErrInvalidInput, name) }, name)
	}
	assert.Empty(t, api.requests())
}

func firstError[T any](items iter.Seq2[T, error]) error {
	for _, err := range items {
		return err
	}
	return nil
}

// nilStore is a store that its user has forgotten to make.
type nilStore struct{ path string }

func (s *nilStore) Load(context.Context) ([]byte, error) { return []byte(s.path), nil }
func (s *nilStore) Save(context.Context, []byte) error   { s.path = ""; return nil }

// I8
func TestTypedNilIsRefusedLikeNil(t *testing.T) {
	t.Parallel()
	credentials := salesiq.Credentials{ClientID: "id", ClientSecret: salesiq.NewSecret("secret"), RefreshToken: salesiq.NewSecret("token")}
	var store *nilStore
	_, err := salesiq.NewClient(salesiq.RefreshToken(credentials, salesiq.SealTokens(store, make([]byte, 32))))
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
	_, err = salesiq.NewClient(salesiq.TokenSource((*nilSource)(nil)))
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
	var transport *http.Transport
	_, err = salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithHTTPClient(&http.Client{Transport: transport}))
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
}

type nilSource oauth2.Config

func (s *nilSource) Token() (*oauth2.Token, error) {
	return &oauth2.Token{AccessToken: s.ClientID}, nil
}

// A client that nobody made, and its services, are refused; nothing panics.
func TestClientThatNobodyMadeIsAnError(t *testing.T) {
	t.Parallel()
	for name, client := range map[string]*salesiq.Client{"nil": nil, "zero": {}, "with services that nobody made": {
		Chats: new(salesiq.ChatsService), Visitors: new(salesiq.VisitorsService), Operators: new(salesiq.OperatorsService),
		Brands: new(salesiq.BrandsService), Routing: new(salesiq.RoutingService), Webhooks: new(salesiq.WebhooksService),
		Devices: new(salesiq.DevicesService),
	}} {
		values := []reflect.Value{reflect.ValueOf(client)}
		if client != nil {
			for _, field := range reflect.VisibleFields(reflect.TypeFor[salesiq.Client]()) {
				if field.IsExported() {
					values = append(values, reflect.ValueOf(client).Elem().FieldByIndex(field.Index))
				}
			}
			require.Len(t, values, 8)
		}
		for _, value := range values {
			for i := range value.NumMethod() {
				operation := value.Type().Elem().Name() + "." + value.Type().Method(i).Name
				if name == "nil" && value.Type() == reflect.TypeFor[*salesiq.Client]() && operation == "Client.Cache" {
					continue
				}
				for _, err := range callWithNothing(t, value.Method(i)) {
					require.ErrorIs(t, err, salesiq.ErrInvalidInput, "%s: %s", name, operation)
				}
			}
		}
	}
}

// callWithNothing calls a method with zero values, and returns the errors that it
// returns or yields.
func callWithNothing(t *testing.T, method reflect.Value) (errs []error) {
	t.Helper()
	var in []reflect.Value
	for i := range method.Type().NumIn() {
		switch argument := method.Type().In(i); {
		case method.Type().IsVariadic() && i == method.Type().NumIn()-1:
		case argument == reflect.TypeFor[context.Context]():
			in = append(in, reflect.ValueOf(t.Context()))
		default:
			in = append(in, reflect.Zero(argument))
		}
	}
	for _, out := range method.Call(in) {
		if out.Kind() == reflect.Func && out.Type().CanSeq2() {
			for _, err := range out.Seq2() {
				errs = append(errs, err.Interface().(error))
			}
		} else if out.Type() == reflect.TypeFor[error]() {
			errs = append(errs, out.Interface().(error))
		}
	}
	return errs
}

// The test walks over the services, so that an Update that is added is held to it.
func TestUpdateThatChangesNothingIsRefusedBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	s := newAPIRecorder(t, answerSuitably)
	client := reflect.ValueOf(s.client(t)).Elem()
	updates := 0
	for i := range client.NumField() {
		if !client.Type().Field(i).IsExported() {
			continue
		}
		update := client.Field(i).MethodByName("Update")
		if !update.IsValid() {
			continue
		}
		updates++
		name := client.Type().Field(i).Name + ".Update"
		params := reflect.New(update.Type().In(2).Elem())
		arguments := []reflect.Value{reflect.ValueOf(t.Context()), reflect.ValueOf("x1"), params}
		failed := func() error {
			err, _ := reflect.TypeAssert[error](update.Call(arguments)[1])
			return err
		}
		var input *salesiq.InputError
		require.ErrorAs(t, failed(), &input, name)
		assert.Equal(t, name, input.Operation)
		assert.Equal(t, "update", input.Field)
		assert.Len(t, s.requests(), updates-1, name)

		params.Elem().FieldByName("Extra").Set(reflect.ValueOf(map[string]any{"note": nil}))
		require.NoError(t, failed(), name)
	}
	assert.Equal(t, 5, updates)
}
