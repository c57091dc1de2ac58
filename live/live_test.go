package live_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

func start(t *testing.T, opts ...salesiqtest.Option) (*salesiqtest.Server, *live.Service) {
	t.Helper()
	server := salesiqtest.Start(t, append([]salesiqtest.Option{salesiqtest.Live()}, opts...)...)
	return server, live.New(server.Client(t))
}

func TestAScreenNameIsFoundWithoutOne(t *testing.T) {
	t.Parallel()
	server, _ := start(t)
	client, err := salesiq.NewClient(salesiq.StaticToken(server.AccessToken()), salesiq.WithBaseURL(server.URL))
	require.NoError(t, err)
	service := live.New(client)

	portals, err := service.Portals.List(t.Context())
	require.NoError(t, err)
	require.Len(t, portals, 1)
	assert.Equal(t, salesiqtest.Portal, portals[0].ScreenName)
	assert.False(t, portals[0].CreatedAt.IsZero())
	portal, err := service.Portals.Get(t.Context(), portals[0].ScreenName)
	require.NoError(t, err)
	assert.Equal(t, portals[0].Name, portal.Name)

	_, err = service.Apps.List(t.Context())
	require.ErrorIs(t, err, salesiq.ErrInvalidInput, "all else needs the portal, and says so before a request")
	require.ErrorContains(t, err, "live.Apps.List: portal is required")
}

func TestConversationsAreListedAndRead(t *testing.T) {
	t.Parallel()
	server, service := start(t)
	var all []*live.Conversation
	for conversation, err := range service.Conversations.All(t.Context(), nil) {
		require.NoError(t, err)
		all = append(all, conversation)
	}
	chats := server.Chats()
	require.Len(t, all, len(chats), "all pages of 99")
	for i, chat := range chats {
		assert.Equal(t, chat.ID, all[i].ID)
		assert.True(t, chat.StartedAt.Equal(all[i].StartedAt))
		assert.Equal(t, chat.EndedAt.IsZero(), all[i].EndedAt.IsZero(), "an empty string is no time")
		assert.Equal(t, chat.OperatorID, all[i].Attender.ID)
	}

	connected, err := service.Conversations.List(t.Context(), &live.ConversationListParams{Status: live.Connected, Limit: 5, Page: 2})
	require.NoError(t, err)
	require.Len(t, connected, 5)
	for _, conversation := range connected {
		assert.Equal(t, live.Connected, conversation.ChatStatus.StateKey)
		assert.Equal(t, 2, conversation.ChatStatus.Status, "a number in a string")
	}
	since := time.Now().Add(-30 * time.Minute)
	for conversation, err := range service.Conversations.All(t.Context(), &live.ConversationListParams{From: since}) {
		require.NoError(t, err)
		assert.True(t, conversation.StartedAt.After(since))
	}

	one, err := service.Conversations.Get(t.Context(), "chat123")
	require.NoError(t, err)
	assert.Equal(t, "operator456", one.Attender.ID)
	assert.NotEmpty(t, one.Question)
	_, err = service.Conversations.Get(t.Context(), "nobody")
	require.ErrorIs(t, err, salesiq.ErrResourceNotFound)

	_, err = service.Conversations.List(t.Context(), &live.ConversationListParams{Limit: 100})
	require.ErrorIs(t, err, salesiq.ErrInvalidRequest, "99 is the most")
}

func TestParamsBecomeTheQueryOfTheirPage(t *testing.T) {
	t.Parallel()
	queries := make(chan url.Values, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { queries <- r.URL.Query() }))
	t.Cleanup(server.Close)
	client, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithBaseURL(server.URL), salesiq.WithPortal("p"))
	require.NoError(t, err)
	service := live.New(client)
	at := time.UnixMilli

	_, err = service.Conversations.List(t.Context(), &live.ConversationListParams{
		Status: live.Closed, DepartmentID: "d", AttenderID: "o", AppID: "a", Email: "e@post.example", VisitorType: "lead",
		From: at(1), To: at(2), UpdatedFrom: at(3), UpdatedTo: at(4), SortBy: "in_time", Page: 5, Limit: 6,
	})
	require.NoError(t, err)
	assert.Equal(t, "app_id=a&attender_id=o&department_id=d&email=e%40post.example&from_time=1&limit=6&page=5&sort_by=in_time"+
		"&status=closed&to_time=2&updated_from_time=3&updated_till_time=4&visitor_type=lead", (<-queries).Encode())

	_, err = service.Messages.List(t.Context(), "c", &live.MessageListParams{From: at(1), To: at(2), Limit: 3})
	require.NoError(t, err)
	assert.Equal(t, "from_time=1&limit=3&to_time=2", (<-queries).Encode())
}

func TestAConversationIsTakenPartIn(t *testing.T) {
	t.Parallel()
	server, service := start(t)
	sent, err := service.Messages.Send(t.Context(), "chat123", "Hello from here")
	require.NoError(t, err)
	assert.Equal(t, "Hello from here", sent.Text())
	assert.WithinDuration(t, time.Now(), sent.At, time.Minute)

	messages, err := service.Messages.List(t.Context(), "chat123", &live.MessageListParams{To: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	assert.Equal(t, "Hello from here", messages[0].Text(), "the newest first")

	_, err = service.Conversations.Transfer(t.Context(), "chat123", &live.Transfer{})
	require.ErrorIs(t, err, salesiq.ErrInvalidInput, "before a request")
	_, err = service.Conversations.Transfer(t.Context(), "chat123", &live.Transfer{DepartmentID: "dept0"})
	require.ErrorIs(t, err, salesiq.ErrInvalidDepartment)
	_, err = service.Conversations.Transfer(t.Context(), "chat123", &live.Transfer{DepartmentID: "dept790", OperatorID: "operator203"})
	require.ErrorIs(t, err, salesiq.ErrOperatorOffline)
	moved, err := service.Conversations.Transfer(t.Context(), "chat123", &live.Transfer{DepartmentID: "dept790"})
	require.NoError(t, err)
	assert.Equal(t, "dept790", moved.Department.ID)
	assert.NotEqual(t, "operator456", moved.Attender.ID)

	tag, err := service.Tags.Create(t.Context(), &live.TagCreate{Name: "urgent", Color: "#b45309", Module: live.ForConversations})
	require.NoError(t, err)
	require.NoError(t, second(service.Tags.AddTo(t.Context(), live.ForConversations, "chat123", []string{tag.ID})))
	_, err = service.Tags.Create(t.Context(), &live.TagCreate{Name: "urgent", Color: "#b45309", Module: live.ForConversations})
	require.ErrorIs(t, err, salesiq.ErrDuplicateResource)

	closed, err := service.Conversations.Close(t.Context(), "chat123")
	require.NoError(t, err)
	assert.False(t, closed.EndedAt.IsZero())
	chat, _ := server.Chat("chat123")
	assert.Equal(t, salesiq.ChatEnded, chat.Status, "it is the same state")
	assert.Contains(t, chat.Tags, "urgent")
	_, err = service.Conversations.Close(t.Context(), "chat123")
	require.Error(t, err)
}

func TestOperatorsAndDepartmentsComeTwentyAtATime(t *testing.T) {
	t.Parallel()
	data := salesiqtest.Data{}
	for i := range 50 {
		data.Operators = append(data.Operators, salesiq.Operator{ID: fmt.Sprint("extra", i), Name: "A B", Email: fmt.Sprint(i, "@x.example"), Role: salesiq.RoleAgent})
	}
	server, service := start(t, salesiqtest.WithData(data))
	count := 0
	for operator, err := range service.Operators.All(t.Context(), nil) {
		require.NoError(t, err)
		if operator.ID == "operator456" {
			assert.Equal(t, "Greta", operator.FirstName)
			assert.True(t, operator.ChatEnabled, "true in a string")
			assert.Equal(t, "10", operator.MaxChats)
			assert.Equal(t, live.Associate, operator.Role)
		}
		if strings.HasPrefix(operator.ID, "extra") {
			assert.Equal(t, "unlimited", operator.MaxChats)
		}
		count++
	}
	assert.Len(t, server.Operators(), count)

	departments := 0
	for department, err := range service.Departments.All(t.Context(), nil) {
		require.NoError(t, err)
		assert.True(t, department.Enabled)
		departments++
	}
	assert.Equal(t, 5, departments)

	apps, err := service.Apps.List(t.Context())
	require.NoError(t, err)
	require.Len(t, apps, 2)
	app, err := service.Apps.Get(t.Context(), apps[0].ID)
	require.NoError(t, err)
	assert.True(t, app.Channels["website"].Chat, "1 for true")
	assert.False(t, app.Channels["ios"].Chat)
}

func TestOperatorsAreCreatedAndDisabled(t *testing.T) {
	t.Parallel()
	_, service := start(t)
	made, err := service.Operators.Create(t.Context(), &live.OperatorCreate{
		Email: "edda@nordlicht.example", Role: live.Supervisor, Departments: []string{"dept790"}, FirstName: "Edda", LastName: "Ipsen",
	})
	require.NoError(t, err)
	assert.Equal(t, "Ipsen", made.LastName)
	require.NoError(t, service.Operators.Disable(t.Context(), made.ID))
	got, err := service.Operators.Get(t.Context(), made.ID)
	require.NoError(t, err)
	assert.False(t, got.Enabled)
	require.NoError(t, service.Operators.Enable(t.Context(), made.ID))
	require.NoError(t, service.Operators.Delete(t.Context(), made.ID))
	_, err = service.Operators.Get(t.Context(), made.ID)
	require.ErrorIs(t, err, salesiq.ErrResourceNotFound)
	list, err := service.Operators.List(t.Context(), nil)
	require.NoError(t, err)
	assert.NotEmpty(t, list)
}

func TestVisitorsAreReadForwardsAndBackwards(t *testing.T) {
	t.Parallel()
	server, service := start(t)
	var last time.Time
	count := 0
	for visitor, err := range service.Visitors.Since(t.Context(), time.Unix(1, 0)) {
		require.NoError(t, err)
		assert.False(t, visitor.LastAccessedAt.Before(last))
		last = visitor.LastAccessedAt
		count++
	}
	assert.Len(t, server.Visitors(), count)
	for visitor, err := range service.Visitors.Before(t.Context(), time.Now().Add(time.Hour)) {
		require.NoError(t, err)
		assert.False(t, visitor.LastAccessedAt.After(last))
		last = visitor.LastAccessedAt
		count--
	}
	assert.Zero(t, count)
}

// receiver is a receiver of webhooks that takes an event only after so many
// tries.
func receiver(t *testing.T, failing int64) (url string, got <-chan []byte, signed <-chan string) {
	t.Helper()
	bodies, signatures := make(chan []byte, 20), make(chan string, 20)
	var tries atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			return
		}
		body, err := io.ReadAll(r.Body)
		if !assert.NoError(t, err) {
			return
		}
		bodies <- body
		signatures <- r.Header.Get(webhook.HeaderRSASignature)
		if tries.Add(1) <= failing {
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, bodies, signatures
}

func TestWebhooksAreProbedSignedAndRetried(t *testing.T) {
	t.Parallel()
	server, service := start(t, salesiqtest.WithWebhookRetryPause(time.Millisecond))
	address, bodies, signatures := receiver(t, 4)
	closed := httptest.NewServer(http.NotFoundHandler())
	defer closed.Close()
	_, err := service.Webhooks.Create(t.Context(), &live.WebhookCreate{Type: live.DataWebhook, URL: closed.URL, Events: []salesiq.EventName{"conversation.created"}})
	require.ErrorIs(t, err, salesiq.ErrInvalidRequest, "the HEAD request was not answered with 200")

	hook, err := service.Webhooks.Create(t.Context(), &live.WebhookCreate{
		Type: live.DataWebhook, URL: address, Events: []salesiq.EventName{"conversation.created"}, AppIDs: []string{"brand123"}, Secured: true, Version: "1",
	})
	require.NoError(t, err)
	require.Len(t, hook.PublicKeys, 1)
	assert.Equal(t, 60*24*time.Hour, hook.KeepsFailed.Duration())
	assert.Equal(t, "1", hook.Version, "a number for a text")
	key, err := webhook.ParseRSAKey(hook.PublicKeys[0].Key)
	require.NoError(t, err)

	_, err = server.StartChat("visitor123", "Anybody there?")
	require.NoError(t, err)
	for attempt := range 4 {
		body, signature := <-bodies, <-signatures
		header := http.Header{webhook.HeaderRSASignature: {signature}}
		require.NoError(t, webhook.RSA(key).Verify(header, body))
		assert.Contains(t, string(body), fmt.Sprintf(`"attempt":%d`, attempt+1))
		assert.Contains(t, string(body), `"app_id":"brand123"`, "as in the entity")
	}
	var failed *live.Execution
	require.Eventually(t, func() bool {
		for execution, err := range service.Webhooks.FailedExecutions(t.Context(), hook.ID, nil) {
			failed = execution
			return assert.NoError(t, err)
		}
		return false
	}, 10*time.Second, 5*time.Millisecond)
	assert.Equal(t, http.StatusTeapot, failed.RemoteStatus)
	assert.Equal(t, 3, failed.Retries)

	skipped, err := service.Webhooks.Retry(t.Context(), hook.ID, []string{failed.ID})
	require.NoError(t, err)
	assert.Empty(t, skipped)
	event, err := webhook.Parse(<-bodies)
	require.NoError(t, err)
	assert.Equal(t, salesiq.EventName("conversation.created"), event.Info().EventName)
}

func TestWebhooksHaveTwoKeysAtMost(t *testing.T) {
	t.Parallel()
	_, service := start(t)
	address, _, _ := receiver(t, 0)
	in := &live.WebhookCreate{Type: live.DataWebhook, URL: address, Events: []salesiq.EventName{"conversation.rated"}, Secured: true, Version: "1"}
	hook, err := service.Webhooks.Create(t.Context(), in)
	require.NoError(t, err)
	hook, err = service.Webhooks.GenerateKey(t.Context(), hook.ID)
	require.NoError(t, err)
	require.Len(t, hook.PublicKeys, 2)
	_, err = service.Webhooks.GenerateKey(t.Context(), hook.ID)
	require.ErrorIs(t, err, salesiq.ErrInvalidRequest)
	require.NoError(t, service.Webhooks.DeleteKey(t.Context(), hook.ID, hook.PublicKeys[0].ID))

	in.Events = []salesiq.EventName{"conversation.missed"}
	updated, err := service.Webhooks.Update(t.Context(), hook.ID, in)
	require.NoError(t, err)
	assert.Equal(t, in.Events, updated.Events)
	got, err := service.Webhooks.Get(t.Context(), hook.ID)
	require.NoError(t, err)
	assert.Equal(t, hook.PublicKeys[1].Key, got.PublicKeys[0].Key, "a new one does not come by itself")
	list, err := service.Webhooks.List(t.Context(), nil)
	require.NoError(t, err)
	assert.Len(t, list, 2)
	require.NoError(t, service.Webhooks.Delete(t.Context(), hook.ID))
	_, err = service.Webhooks.Get(t.Context(), hook.ID)
	failure, ok := errors.AsType[*salesiq.Error](err)
	require.True(t, ok)
	assert.Equal(t, "live.Webhooks.Get", failure.Operation)
	assert.Equal(t, 1019, failure.VendorCode)
}

func TestLiveCallsAreToldToTheWebhooksOfTheirApp(t *testing.T) {
	t.Parallel()
	_, service := start(t)
	address, bodies, _ := receiver(t, 0)
	for _, webhook := range []live.WebhookCreate{
		{Type: live.DataWebhook, AppIDs: []string{"brand123"}, Events: []salesiq.EventName{"conversation.attender.updated"}},
		{Type: live.AdministrationWebhook, Events: []salesiq.EventName{"operator.created", "operator.updated", "operator.deleted", "tag.created"}},
	} {
		webhook.URL, webhook.Version = address, "1"
		_, err := service.Webhooks.Create(t.Context(), &webhook)
		require.NoError(t, err)
	}
	told := func(name salesiq.EventName, entity string) {
		t.Helper()
		select {
		case body := <-bodies:
			event, err := webhook.Parse(body)
			require.NoError(t, err)
			assert.Equal(t, name, event.Info().EventName)
			assert.Contains(t, string(body), entity)
		case <-time.After(10 * time.Second):
			require.Fail(t, "nobody tells of "+string(name))
		}
	}

	_, err := service.Conversations.Transfer(t.Context(), "chat123", &live.Transfer{DepartmentID: "dept801"})
	require.NoError(t, err, "away to another app, whose events the webhook does not want")
	moved, err := service.Conversations.Transfer(t.Context(), "chat123", &live.Transfer{DepartmentID: "dept790"})
	require.NoError(t, err)
	assert.Equal(t, "brand123", moved.AppID)
	told("conversation.attender.updated", `"app_id":"brand123"`)

	made, err := service.Operators.Create(t.Context(), &live.OperatorCreate{Email: "a@b.example", Role: live.Associate, Departments: []string{"dept790"}})
	require.NoError(t, err)
	told("operator.created", `"entity_id":"`+made.ID)
	require.NoError(t, service.Operators.Disable(t.Context(), "operator789"))
	told("operator.updated", `"is_enabled":"false"`)
	_, err = service.Conversations.Transfer(t.Context(), "chat123", &live.Transfer{DepartmentID: "dept790", OperatorID: "operator789"})
	require.ErrorIs(t, err, salesiq.ErrOperatorOffline, "nobody hands over to whom the portal has disabled")
	require.NoError(t, service.Operators.Delete(t.Context(), made.ID))
	told("operator.deleted", `"entity_id":"`+made.ID)
	tag, err := service.Tags.Create(t.Context(), &live.TagCreate{Name: "late", Color: "#b45309", Module: live.ForVisitors})
	require.NoError(t, err)
	told("tag.created", `"entity_id":"`+tag.ID)
}

func TestConversationsAreFoundByAppAndChange(t *testing.T) {
	t.Parallel()
	_, service := start(t)
	list := func(params live.ConversationListParams) (found []*live.Conversation) {
		for conversation, err := range service.Conversations.All(t.Context(), &params) {
			require.NoError(t, err)
			found = append(found, conversation)
		}
		return found
	}
	ours, theirs := list(live.ConversationListParams{AppID: "brand123"}), list(live.ConversationListParams{AppID: "brand123456789"})
	assert.NotEmpty(t, theirs)
	assert.Len(t, list(live.ConversationListParams{}), len(ours)+len(theirs))
	for _, conversation := range ours {
		assert.Equal(t, "brand123", conversation.AppID)
		assert.Equal(t, conversation.ChatStatus.StateKey != live.Missed, conversation.MissedAt.IsZero())
	}
	edge := ours[0].ModifiedAt
	for _, conversation := range list(live.ConversationListParams{UpdatedFrom: edge}) {
		assert.False(t, conversation.ModifiedAt.Before(edge))
	}
	for _, conversation := range list(live.ConversationListParams{UpdatedTo: edge}) {
		assert.False(t, conversation.ModifiedAt.After(edge))
	}
}

func TestCallWithoutAClientIsRefused(t *testing.T) {
	t.Parallel()
	service := live.New(nil)
	_, err := service.Apps.List(t.Context())
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
	require.ErrorContains(t, err, "client")
	for _, err := range service.Operators.All(t.Context(), nil) {
		require.ErrorIs(t, err, salesiq.ErrInvalidInput)
	}
	_, err = live.Delete[any](t.Context(), nil, "/apps", nil)
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
	assert.Zero(t, live.ReadEnvelope(nil))
}

func TestParamsMayBeANilOfAnyKind(t *testing.T) {
	t.Parallel()
	server, _ := start(t)
	client := server.Client(t)
	for _, params := range []any{nil, url.Values(nil), map[string]string(nil), (*live.ConversationListParams)(nil)} {
		apps, err := live.Get[[]live.App](t.Context(), client, "/apps", params)
		require.NoError(t, err, "%T", params)
		assert.NotEmpty(t, *apps)
		for _, err := range live.Pages[live.Conversation](t.Context(), client, "/conversations", params, live.PageAndLimit()) {
			require.NoError(t, err, "%T", params)
		}
	}
}

func TestPageStyleThatPagesNothingIsRefused(t *testing.T) {
	t.Parallel()
	server, _ := start(t)
	for _, style := range []live.PageStyle{
		{}, {Number: "page", Index: "index"}, {Number: "page", PerPage: -1}, {Index: "index", First: -1},
	} {
		for page, err := range live.Pages[live.App](t.Context(), server.Client(t), "/apps", nil, style) {
			require.ErrorIs(t, err, salesiq.ErrInvalidInput, "%+v", style)
			assert.Nil(t, page)
		}
	}
}

// Pages of messages overlap, since the next one begins at the time of the last
// message.
func TestAllMessagesOfAConversationAreYieldedOnce(t *testing.T) {
	t.Parallel()
	const said = 250
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		from, _ := strconv.ParseInt(r.URL.Query().Get("from_time"), 10, 64)
		var lines []string
		for n := range said {
			at := 1_700_000_000_000 + int64(n/4) // Four bear the same time.
			if at >= from && len(lines) < 100 {
				lines = append(lines, fmt.Sprintf(`{"sequence_id":"%d","time":"%d","message":{"text":"line %d"}}`, n, at, n))
			}
		}
		fmt.Fprintf(w, `{"url":"/x","object":"list","data":[%s]}`, strings.Join(lines, ","))
	}))
	t.Cleanup(server.Close)
	client, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithBaseURL(server.URL), salesiq.WithPortal("p"))
	require.NoError(t, err)
	n := 0
	for message, err := range live.New(client).Messages.All(t.Context(), "c") {
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("line %d", n), message.Text())
		n++
	}
	assert.Equal(t, said, n)
	assert.Equal(t, 3, requests)
}

func TestWhatAMessageIsCanBeTold(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"text":"Hello"}`: "Hello", `"Hello"`: "Hello", `{"message":"Hello","mode":"x"}`: "Hello", `{"url":"/photo.png"}`: "", `null`: "", ``: "", `[1]`: "",
	} {
		message := live.Message{Body: []byte(body)}
		assert.Equal(t, want, message.Text(), body)
		assert.Nil(t, message.File(), body)
	}
	message := live.Message{Body: []byte(`{"file":{"name":"invoice.pdf","size":"4096"},"comment":"Here"}`)}
	assert.Empty(t, message.Text())
	require.NotNil(t, message.File())
	assert.Equal(t, "invoice.pdf", message.File().Name)
	assert.EqualValues(t, 4096, message.File().Size)
}
