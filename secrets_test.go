package salesiq_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/usage"
	"github.com/salesiq-go/salesiq/webhook"
	"github.com/salesiq-go/salesiq/widget"
)

// The known secrets. None may be seen anywhere.
const (
	secretToken   = "1000.5ec7e70000000001.5ec7e70000000002"
	secretRefresh = "1000.5ec7e70000000003.5ec7e70000000004"
	secretClient  = "5ec7e70000000005-client-secret"
	secretWebhook = "5ec7e70000000006-webhook-secret"
	secretKey     = "5ec7e70000000007-token-file-key!" // 32 bytes.
	secretVisitor = "ada@example.com"
)

var (
	secretCredentials = salesiq.Credentials{ClientID: "1000.CLIENT", ClientSecret: salesiq.NewSecret(secretClient), RefreshToken: salesiq.NewSecret(secretRefresh)}
	secretTokenPair   = salesiq.Token{AccessToken: salesiq.NewSecret(secretToken), RefreshToken: salesiq.NewSecret(secretRefresh), Expiry: time.Now().Add(time.Hour)}
)

// assertHidden looks for the secrets in all notations that fmt knows.
func assertHidden(t testing.TB, text, where string) {
	t.Helper()
	for _, secret := range []string{secretToken, secretRefresh, secretClient, secretWebhook, secretKey} {
		for _, form := range []string{
			secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprintf("% x", secret),
			strings.Trim(fmt.Sprintf("%d", []byte(secret)), "[]"), base64.StdEncoding.EncodeToString([]byte(secret)),
		} {
			if strings.Contains(text, form) {
				t.Errorf("%s shows %q", where, form)
			}
		}
	}
}

var verbs = []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%w", "%t"}

// show prints, logs and encodes v in every way that programs do. Not all of
// them succeed with every value.
func show(t testing.TB, v any, verbs ...string) string {
	t.Helper()
	var out bytes.Buffer
	for _, verb := range verbs {
		fmt.Fprintf(&out, verb+"\n", v)
		fmt.Fprintln(&out, fmt.Errorf(verb, v))
	}
	for _, encoded := range []any{v, []any{v}, map[string]any{"value": v}} {
		data, err := json.Marshal(encoded)
		fmt.Fprintln(&out, string(data), err)
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("shown", "value", v, "values", []any{v})
	}
	if err, ok := v.(error); ok {
		joined := errors.Join(errors.New("something else"), fmt.Errorf("wrapped: %w", err))
		fmt.Fprintf(&out, "%v\n%+v\n%#v\n", joined, joined, joined)
	}
	return out.String()
}

// fill puts secrets into every exported field that can hold one, at any depth.
func fill(v reflect.Value, depth int) {
	if depth == 0 || !v.CanSet() {
		return
	}
	switch v.Interface().(type) {
	case salesiq.Secret:
		v.Set(reflect.ValueOf(salesiq.NewSecret(secretWebhook)))
		return
	case salesiq.Opt[salesiq.Secret]:
		v.Set(reflect.ValueOf(salesiq.Set(salesiq.NewSecret(secretWebhook))))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth-1)
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, depth-1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), depth-1)
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value, depth-1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.Zero(v.Type().Key()), value)
	}
}

// filled returns a T full of secrets, and a pointer to it.
func filled[T any]() []any {
	value := new(T)
	fill(reflect.ValueOf(value).Elem(), 6)
	return []any{*value, value}
}

// exampleTypes has an example of each exported type that could hold a secret,
// and of each that could not, so that none can be forgotten.
func exampleTypes(t testing.TB) map[string][]any {
	t.Helper()
	store := salesiq.NewMemoryTokenStore()
	require.NoError(t, store.Save(t.Context(), secretTokenPair))
	file := salesiq.FileTokenStore(filepath.Join(t.TempDir(), "token"), []byte(secretKey))
	require.NoError(t, file.Save(t.Context(), secretTokenPair))
	stores := []any{store, file}
	verifiers := []any{webhook.HMAC(salesiq.NewSecret(secretWebhook)), webhook.AnyOf(webhook.HMAC(salesiq.NewSecret(secretWebhook), salesiq.NewSecret(secretClient)))}
	receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret(secretWebhook))))
	client := secretBearer(t, "http://127.0.0.1:1")
	service := live.New(client)
	bot := testkit.Must(live.NewBot(
		webhook.HMAC(salesiq.NewSecret(secretWebhook)), live.WithCallbacks(secretBearer(t, "http://127.0.0.1:1", salesiq.WithPortal("p"))),
		live.WithFallback(live.Reply().With(live.FileReply{
			Text: "x", URL: "https://x.example", Headers: map[string]salesiq.Secret{"Authorization": salesiq.NewSecret(secretToken)},
		})),
		live.OnMessage(func(context.Context, *live.BotMessage) (*live.BotAnswer, error) { return live.Reply("x"), nil }),
	))
	refused := &salesiq.AuthError{Code: "invalid_code", Err: errors.New("refused")}
	examples := map[string][]any{
		"Authenticator": {
			salesiq.RefreshToken(secretCredentials, store), salesiq.StaticToken(secretToken),
			salesiq.TokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: secretToken})),
		},
		"Credentials":      {secretCredentials, &secretCredentials, struct{ C salesiq.Credentials }{secretCredentials}},
		"Token":            {secretTokenPair, &secretTokenPair, struct{ T *salesiq.Token }{&secretTokenPair}},
		"Secret":           {salesiq.NewSecret(secretToken), []salesiq.Secret{salesiq.NewSecret(secretToken)}, new(salesiq.NewSecret(secretToken))},
		"Opt":              {salesiq.Set(salesiq.NewSecret(secretToken)), salesiq.Set(secretTokenPair), salesiq.Set([]salesiq.Secret{salesiq.NewSecret(secretKey)})},
		"OAuth":            {salesiq.OAuth{Credentials: secretCredentials}, &salesiq.OAuth{Credentials: secretCredentials}},
		"Account":          {salesiq.Account{DataCenter: salesiq.EU, Scopes: []salesiq.Scope{salesiq.ScopeChatsAll}, Portals: []string{"acme"}}},
		"AuthCode":         filled[salesiq.AuthCode](),
		"Client":           {client, client.Chats, *client},
		"Option":           {salesiq.WithBaseURL("https://salesiq.example")},
		"TokenVault":       stores,
		"webhook.Verifier": verifiers, "webhook.Receiver": {receiver, *receiver},

		"AuthError": {refused, &salesiq.Error{Operation: "Chats.Get", Err: refused}},
		"Error":     filled[salesiq.Error](), "InputError": filled[salesiq.InputError](), "ErrorCode": filled[salesiq.ErrorCode](),
		"Cache": filled[salesiq.Cache](), "Response": {salesiq.Response{StatusCode: 200, Header: http.Header{}}}, "CallOption": {salesiq.WithIdempotent()},
		"File": filled[salesiq.File](), "Multipart": {salesiq.Multipart{"comment": "Hello", "file": &salesiq.File{Name: "a"}}}, "Download": filled[salesiq.Download](),
		"Page": append(filled[salesiq.Page[salesiq.Webhook]](), filled[salesiq.Page[salesiq.Chat]]()...),

		"Webhook": filled[salesiq.Webhook](), "WebhookCreate": filled[salesiq.WebhookCreate](), "WebhookUpdate": filled[salesiq.WebhookUpdate](),
		"WebhooksService": {client.Webhooks}, "EventName": filled[salesiq.EventName](),
		"Brand": filled[salesiq.Brand](), "BrandUpdate": filled[salesiq.BrandUpdate](), "BrandsService": {client.Brands},
		"BrandStatus": filled[salesiq.BrandStatus](), "Department": filled[salesiq.Department](), "WidgetPosition": filled[salesiq.WidgetPosition](),
		"WidgetSettings": filled[salesiq.WidgetSettings](), "WidgetSettingsUpdate": filled[salesiq.WidgetSettingsUpdate](),
		"Chat": filled[salesiq.Chat](), "ChatEnd": filled[salesiq.ChatEnd](), "ChatListParams": filled[salesiq.ChatListParams](),
		"ChatRating": filled[salesiq.ChatRating](), "ChatStatus": filled[salesiq.ChatStatus](), "ChatTransfer": filled[salesiq.ChatTransfer](),
		"ChatType": filled[salesiq.ChatType](), "ChatsService": {client.Chats}, "Message": filled[salesiq.Message](),
		"MessageCreate": filled[salesiq.MessageCreate](), "MessageType": filled[salesiq.MessageType](), "SenderType": filled[salesiq.SenderType](),
		"TranscriptResult": filled[salesiq.TranscriptResult](), "VisitorInfo": filled[salesiq.VisitorInfo](),
		"Device": filled[salesiq.Device](), "DeviceCreate": filled[salesiq.DeviceCreate](), "DevicePlatform": filled[salesiq.DevicePlatform](),
		"DevicesService": {client.Devices}, "Notification": filled[salesiq.Notification](), "NotificationCreate": filled[salesiq.NotificationCreate](),
		"Operator": filled[salesiq.Operator](), "OperatorAvailability": filled[salesiq.OperatorAvailability](), "OperatorCreate": filled[salesiq.OperatorCreate](),
		"OperatorListParams": filled[salesiq.OperatorListParams](), "OperatorRole": filled[salesiq.OperatorRole](), "OperatorStats": filled[salesiq.OperatorStats](),
		"OperatorStatsParams": filled[salesiq.OperatorStatsParams](), "OperatorStatus": filled[salesiq.OperatorStatus](),
		"OperatorUpdate": filled[salesiq.OperatorUpdate](), "OperatorsService": {client.Operators},
		"RoutingActions": filled[salesiq.RoutingActions](), "RoutingCondition": filled[salesiq.RoutingCondition](), "RoutingOperator": filled[salesiq.RoutingOperator](),
		"RoutingPriority": filled[salesiq.RoutingPriority](), "RoutingRule": filled[salesiq.RoutingRule](), "RoutingRuleCreate": filled[salesiq.RoutingRuleCreate](),
		"RoutingRuleUpdate": filled[salesiq.RoutingRuleUpdate](), "RoutingService": {client.Routing}, "RoutingTarget": filled[salesiq.RoutingTarget](),
		"ActivityChat": filled[salesiq.ActivityChat](), "PageView": filled[salesiq.PageView](), "Session": filled[salesiq.Session](),
		"Visitor": filled[salesiq.Visitor](), "VisitorActivity": filled[salesiq.VisitorActivity](), "VisitorChatStatus": filled[salesiq.VisitorChatStatus](),
		"VisitorListParams": filled[salesiq.VisitorListParams](), "VisitorStatus": filled[salesiq.VisitorStatus](),
		"VisitorUpdate": filled[salesiq.VisitorUpdate](), "VisitorsService": {client.Visitors},

		"webhook.ChatEnded": filled[webhook.ChatEnded](), "webhook.ChatRated": filled[webhook.ChatRated](), "webhook.ChatStarted": filled[webhook.ChatStarted](),
		"webhook.ChatMissed": filled[webhook.ChatMissed](), "webhook.EventInfo": filled[webhook.EventInfo](), "webhook.LeadCreated": filled[webhook.LeadCreated](),
		"webhook.MessageReceived": filled[webhook.MessageReceived](), "webhook.OperatorStatusChanged": filled[webhook.OperatorStatusChanged](),
		"webhook.TriggerExecuted": filled[webhook.TriggerExecuted](), "webhook.UnknownEvent": filled[webhook.UnknownEvent](),
		"webhook.VisitorIdentified": filled[webhook.VisitorIdentified](), "webhook.VisitorOffline": filled[webhook.VisitorOffline](),
		"webhook.VisitorOnline": filled[webhook.VisitorOnline](),

		"DataCenter": filled[salesiq.DataCenter](), "Hosts": filled[salesiq.Hosts](), "ListParams": filled[salesiq.ListParams](), "Plan": filled[salesiq.Plan](),
		"RateWindow": filled[salesiq.RateWindow](), "Outcome": filled[salesiq.Outcome](), "Scope": filled[salesiq.Scope](), "Seconds": filled[salesiq.Seconds](),
		"webhook.DedupFailure": filled[webhook.DedupFailure](), "webhook.DedupState": filled[webhook.DedupState](),
		"webhook.WorkerPool": {&webhook.WorkerPool{}}, "widget.Widget": filled[widget.Widget](), "widget.ContentPolicy": filled[widget.ContentPolicy](),
		"widget.Call": filled[widget.Call](), "widget.Event": filled[widget.Event](), "widget.Handler": filled[widget.Handler](),

		"live.Service": {service, *service}, "live.Envelope": filled[live.Envelope](), "live.PageStyle": filled[live.PageStyle](),
		"live.MessageFile": filled[live.MessageFile](), "live.Bot": {bot, struct{ B *live.Bot }{bot}},

		"CallTrace": {salesiq.CallTrace{Err: refused}}, "AttemptTrace": {salesiq.AttemptTrace{Header: http.Header{}, Err: refused}},
		"WaitTrace": {salesiq.WaitTrace{Call: salesiq.CallTrace{Err: refused}}}, "WaitReason": filled[salesiq.WaitReason](),
		"RefreshTrace": {salesiq.RefreshTrace{Err: refused}}, "SharedLimiter": {testkit.Must(salesiq.NewLimiter(salesiq.Free()))},
		"webhook.DeliveryInfo": filled[webhook.DeliveryInfo](), "webhook.DeliveryResult": filled[webhook.DeliveryResult](), "DailyQuota": filled[salesiq.DailyQuota](),
		"usage.Monitor": {usage.NewMonitor()}, "usage.Report": filled[usage.Report](), "usage.Operation": filled[usage.Operation](),

		// Interfaces and funcs that users implement.
		"live.Event": nil, "live.EventType": nil, "live.BotOption": nil, "live.BotReply": nil, "live.BotCard": nil, "TokenStore": nil, "TokenLocker": nil, "Lease": nil, "Limiter": nil, "Tracer": nil,
		"webhook.DedupStore": nil, "webhook.Event": nil, "webhook.EventType": nil, "webhook.HandlerOption": nil, "webhook.Option": nil, "webhook.Sink": nil, "webhook.Tracer": nil,
	}
	maps.Copy(examples, liveExamples(service))
	return examples
}

// liveEvents are the types of events of package live.
var liveEvents = []live.Event{
	&live.ConversationCreated{}, &live.ConversationAttenderUpdated{}, &live.ConversationMissed{}, &live.ConversationOperatorReplied{},
	&live.ConversationVisitorReplied{}, &live.ConversationCompleted{}, &live.ConversationRated{}, &live.ConversationTransfer{},
	&live.ConversationParticipants{}, &live.ConversationSupervisorAdded{}, &live.ConversationMessageChanged{}, &live.ConversationMetrics{},
	&live.ConversationReopened{}, &live.VisitorUpdated{}, &live.TagAction{}, &live.OperatorChanged{}, &live.DepartmentChanged{},
	&live.BrandChanged{}, &live.TagChanged{}, &live.UnknownEvent{},
}

// liveBots are what bots of package live are asked, and what they answer.
var liveBots = []any{
	live.BotTrigger{}, live.BotMessage{}, live.BotContext{}, live.BotFailure{}, live.BotAnswer{},
	live.TextReply{}, live.ImageReply{}, live.FileReply{}, live.ArticlesReply{}, live.LinksReply{}, live.VideoReply{}, live.ProductReply{},
	live.ProductsReply{}, live.DelayReply{}, live.FreeReply{},
	live.SelectCard{}, live.MultiSelectCard{}, live.DropDownCard{}, live.SliderCard{}, live.RangeSliderCard{}, live.CalendarCard{},
	live.RangeCalendarCard{}, live.TimeSlotsCard{}, live.DateTimeSlotsCard{}, live.LocationCard{}, live.EmailCard{}, live.PhoneCard{},
	live.NameCard{}, live.HappinessCard{}, live.StarsCard{}, live.LikeCard{}, live.FreeCard{},
}

// liveExamples has an example of each type that the calls of package live take or
// return, of each service, of each event, and of what bots say.
func liveExamples(service *live.Service) map[string][]any {
	examples := map[string][]any{}
	var add func(t reflect.Type)
	add = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			add(t.Elem())
		case reflect.Func:
			for in := range t.Ins() {
				add(in)
			}
		}
		name := "live." + t.Name()
		if examples[name] != nil || t.PkgPath() != reflect.TypeFor[live.Service]().PkgPath() || t.Name() == "" {
			return
		}
		if t.Kind() == reflect.Interface {
			return
		}
		value := reflect.New(t)
		fill(value.Elem(), 6)
		examples[name] = []any{value.Elem().Interface(), value.Interface()}
		if t.Kind() == reflect.Struct {
			for field := range t.Fields() {
				if field.IsExported() {
					add(field.Type)
				}
			}
		}
	}
	for _, event := range liveEvents {
		add(reflect.TypeOf(event))
	}
	for _, said := range liveBots {
		add(reflect.TypeOf(said))
	}
	for field, value := range reflect.ValueOf(service).Elem().Fields() {
		for method := range field.Type.Methods() {
			for in := range method.Type.Ins() {
				add(in)
			}
			for out := range method.Type.Outs() {
				add(out)
			}
		}
		examples["live."+field.Type.Elem().Name()] = []any{value.Interface()}
	}
	return examples
}

// secretBearer returns a client that holds every secret a client can.
func secretBearer(t testing.TB, url string, opts ...salesiq.Option) *salesiq.Client {
	t.Helper()
	store := salesiq.NewMemoryTokenStore()
	opts = append([]salesiq.Option{salesiq.WithBaseURL(url), salesiq.WithMaxAttempts(1)}, opts...)
	client, err := salesiq.NewClient(salesiq.RefreshToken(secretCredentials, store), opts...)
	require.NoError(t, err)
	return client
}

func TestNoExportedTypeShowsASecret(t *testing.T) {
	t.Parallel()
	for name, examples := range exampleTypes(t) {
		for _, example := range examples {
			assertHidden(t, show(t, example, verbs...), name)
			assertHidden(t, show(t, struct{ Inner any }{example}, verbs...), name)
			assertHidden(t, show(t, struct{ inner any }{example}, verbs...), name)
		}
	}
}

func TestNoExportedTypeIsForgottenInTheSearchForSecrets(t *testing.T) {
	t.Parallel()
	examples := exampleTypes(t)
	for _, name := range exportedTypes(t) {
		_, ok := examples[name]
		assert.True(t, ok, "type %s has no example", name)
		delete(examples, name)
	}
	assert.Empty(t, examples, "examples of types that are gone")
}

// exportedTypes returns the exported types of the root, and those of the other
// packages with the package's name before them. The emulator's secrets protect
// nothing, and modules of their own have tests of their own.
func exportedTypes(t testing.TB) (names []string) {
	t.Helper()
	for _, p := range apiPackages(t) {
		if p.module || p.name == "salesiqtest" {
			continue
		}
		prefix := strings.TrimPrefix(p.name+".", "salesiq.")
		for declaration := range p.declarations() {
			group, ok := declaration.(*ast.GenDecl)
			if !ok || group.Tok != token.TYPE {
				continue
			}
			for _, spec := range group.Specs {
				if name := spec.(*ast.TypeSpec).Name; name.IsExported() {
					names = append(names, prefix+name.Name)
				}
			}
		}
	}
	require.Greater(t, len(names), 130)
	return names
}

// hostile are the faults that end a call, echoes of the request among them.
func hostile() map[string]testkit.Behavior {
	return map[string]testkit.Behavior{
		"reset":             testkit.ResetAfter(),
		"closed":            testkit.CloseAfter(),
		"short body":        testkit.ShortBody(`{"data":`),
		"broken chunk":      testkit.BrokenChunk(`{"data":`),
		"cut JSON":          testkit.JSON(`{"data":`),
		"no HTTP":           testkit.MalformedStatus("HTTP/1.1 " + secretToken),
		"header flood":      testkit.HeaderFlood(),
		"1xx flood":         testkit.InformationalFlood(),
		"nothing":           testkit.Empty(200),
		"a page":            testkit.HTML(200, "<html>"),
		"bomb":              testkit.GzipBomb(2),
		"redirect":          testkit.Redirect(302, "https://elsewhere.example/?token="+secretToken),
		"redirect, POST":    testkit.Redirect(307, "http://elsewhere.example/"),
		"too many":          testkit.Answer(429, "application/json", `{"status":"error","code":"RATE_LIMIT_EXCEEDED"}`),
		"token refused":     testkit.Answer(401, "application/json", `{"status":"error","code":"INVALID_TOKEN","message":"bad token `+secretToken+`"}`),
		"echo, page":        testkit.Echo(502, "text/html", "<html>%s"),
		"echo, 200":         testkit.Echo(200, "text/html", "%s"),
		"echo, message":     testkit.Echo(400, "application/json", `{"status":"error","code":"INVALID_REQUEST","message":"%s"}`),
		"echo, details":     testkit.Echo(400, "application/json", `{"status":"error","code":"INVALID_REQUEST","details":{"echo":"%s"}}`),
		"echo, data":        testkit.Echo(200, "application/json", `{"status":"success","data":"%s"}`),
		"echo, redirect":    testkit.Echo(301, "text/html", "%s"),
		"webhook, odd type": testkit.JSON(`{"data":{"id":"w1","secret":"` + secretWebhook + `","active":"perhaps"}}`),
	}
}

func TestNoFailureOfACallShowsASecret(t *testing.T) {
	t.Parallel()
	for name, behavior := range hostile() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := testkit.NewServer(t, behavior)
			auth := testkit.NewServer(t, testkit.JSON(`{"access_token":"`+secretToken+`","expires_in":3600}`))
			var log bytes.Buffer
			client := secretBearer(t, api.URL, salesiq.WithAccountsURL(auth.URL), salesiq.WithHTTPClient(&http.Client{Transport: api.Transport(t)}),
				salesiq.WithMaxBody(1<<20), salesiq.WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
			for call, err := range failures(t.Context(), client) {
				if err == nil {
					continue // Not every call needs an answer that makes sense.
				}
				assertHidden(t, show(t, err, verbs...), call)
				assert.NotContains(t, err.Error(), secretVisitor, "the query holds visitors' data")
				assert.NotContains(t, err.Error(), "http://127.0.0.1", "nor is the URL of any use")
			}
			assertLogIsOnTheList(t, log.String())
		})
	}
}

func TestServiceThatRepeatsASecretDoesNotShowIt(t *testing.T) {
	t.Parallel()
	for _, behavior := range []testkit.Behavior{
		testkit.Answer(400, "application/json", `{"status":"error","code":"INVALID_REQUEST","message":"`+secretWebhook+` is too short"}`),
		testkit.Answer(400, "application/json", `{"status":"error","code":"INVALID_REQUEST","details":{"field":["`+secretWebhook+`"]}}`),
		testkit.HTML(502, `<html>{&quot;signed&quot;:&quot;`+secretWebhook+`&quot;}`),
	} {
		client := faultyClient(t, testkit.NewServer(t, behavior))
		_, created := client.Webhooks.Create(t.Context(), &salesiq.WebhookCreate{
			Name: "name", URL: "https://example.com", Events: []salesiq.EventName{salesiq.EventChatEnded}, Secret: salesiq.NewSecret(secretWebhook),
		})
		_, updated := client.Webhooks.Update(t.Context(), "w1", &salesiq.WebhookUpdate{Secret: salesiq.Set(salesiq.NewSecret(secretWebhook))})
		for call, err := range map[string]error{
			"create": created,
			"update": updated,
			"do":     client.Do(t.Context(), "POST", "/any", map[string]any{"signed": salesiq.NewSecret(secretWebhook)}, nil),
		} {
			require.Error(t, err)
			assertHidden(t, show(t, err, verbs...), call)
		}
	}
}

// failures makes calls with a token, a query and a body.
func failures(ctx context.Context, client *salesiq.Client) map[string]error {
	_, webhook := client.Webhooks.Update(ctx, "w1", &salesiq.WebhookUpdate{})
	_, message := client.Chats.SendMessage(ctx, "c1", salesiq.TextMessage("hello"))
	return map[string]error{
		"PUT":   webhook,
		"POST":  message,
		"query": client.Do(ctx, "GET", "/visitors?email="+secretVisitor, nil, new(int)),
	}
}

// assertLogIsOnTheList checks that a log says what it may and nothing else.
func assertLogIsOnTheList(t testing.TB, log string) {
	t.Helper()
	assertHidden(t, log, "log")
	assert.NotContains(t, log, secretVisitor)
	lines := 0
	for line := range strings.Lines(log) {
		var entry map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &entry))
		for key := range entry {
			assert.Contains(t, []string{"time", "level", "msg", "operation", "method", "attempt", "status", "code", "wait", "duration", "request_id", "error", "reason", "for"}, key)
		}
		lines++
	}
	assert.Positive(t, lines, "each attempt is logged")
}

func TestNoFailureToSignInShowsASecret(t *testing.T) {
	t.Parallel()
	behaviors := hostile()
	behaviors["no HTTP"] = testkit.MalformedStatus("SSH-2.0-OpenSSH_9.9")
	behaviors["echo, OAuth"] = testkit.Echo(200, "application/json", `{"error":"invalid_code","error_description":"%s"}`)
	behaviors["token for nobody"] = testkit.JSON(`{"access_token":"` + secretToken + ` and more","refresh_token":"` + secretRefresh + `"}`)
	for name, behavior := range behaviors {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			auth := testkit.NewServer(t, behavior)
			api := testkit.NewServer(t, testkit.OK())
			var log bytes.Buffer
			client := secretBearer(t, api.URL, salesiq.WithAccountsURL(auth.URL), salesiq.WithHTTPClient(&http.Client{Transport: auth.Transport(t)}),
				salesiq.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			_, err := client.Chats.Get(t.Context(), "c1")
			require.ErrorIs(t, err, salesiq.ErrAuth)
			assertHidden(t, show(t, err, verbs...), name)
			assertHidden(t, log.String(), "log")
			assert.Empty(t, api.Received())
		})
	}
}

func TestTokenGoesNowhereButToTheConfiguredHost(t *testing.T) {
	t.Parallel()
	elsewhere := testkit.NewServer(t, testkit.OK())
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, location := range []string{elsewhere.URL, strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)} {
			api := testkit.NewTLSServer(t, testkit.Redirect(status, location))
			client, err := salesiq.NewClient(salesiq.StaticToken(secretToken), salesiq.WithBaseURL(api.URL),
				salesiq.WithHTTPClient(&http.Client{Transport: api.Transport(t)}))
			require.NoError(t, err)
			_, err = client.Chats.Get(t.Context(), "c1")
			require.ErrorIs(t, err, salesiq.ErrRedirect)
			_, err = client.Chats.SendMessage(t.Context(), "c1", salesiq.TextMessage("hello"))
			require.ErrorIs(t, err, salesiq.ErrRedirect)
			assert.Len(t, api.Received(), 2)

			auth := testkit.NewTLSServer(t, testkit.Redirect(status, location))
			client = secretBearer(t, "http://127.0.0.1:1", salesiq.WithAccountsURL(auth.URL), salesiq.WithHTTPClient(&http.Client{Transport: auth.Transport(t)}))
			_, err = client.Chats.Get(t.Context(), "c1")
			require.ErrorIs(t, err, salesiq.ErrRedirect)
		}
	}
	assert.Zero(t, elsewhere.Connections())
}

func TestTokenIsNotSentInTheClear(t *testing.T) {
	t.Parallel()
	for address, allowed := range map[string]bool{
		"https://salesiq.example":          true,
		"http://127.0.0.1:8080":            true,
		"http://[::1]:8080":                true,
		"http://localhost":                 true,
		"http://salesiq.example":           false,
		"http://10.0.0.1":                  false,
		"http://127.0.0.1.example":         false,
		"http://localhost.example":         false,
		"http://user:secret@127.0.0.1":     false,
		"ftp://salesiq.example":            false,
		"https://salesiq.example?token=of": false,
	} {
		_, err := salesiq.NewClient(salesiq.StaticToken(secretToken), salesiq.WithBaseURL(address))
		assert.Equal(t, allowed, err == nil, "%s: %v", address, err)
	}
	_, err := salesiq.NewClient(salesiq.StaticToken(secretToken), salesiq.WithBaseURL("http://salesiq.example"), salesiq.WithPlaintext())
	assert.NoError(t, err, "the caller insists")
}

// A service may repeat what it was sent, escaped as its library does it.
func TestNoFailureShowsASecretInAnotherNotation(t *testing.T) {
	t.Parallel()
	const secret, token = `pa/ss+wo=rd&<'ö`, `1000.ab/cd+ef==`
	for _, row := range []struct{ library, secret, token string }{
		{"PHP", `pa\/ss+wo=rd&<'\u00f6`, `1000.ab\/cd+ef==`},
		{"Gson", `pa/ss+wo\u003drd\u0026\u003c\u0027ö`, `1000.ab/cd+ef\u003d\u003d`},
		{"System.Text.Json", `pa/ss\u002Bwo=rd\u0026\u003C\u0027\u00F6`, `1000.ab/cd\u002Bef==`},
		{"System.Text.Json in lower case", `pa/ss\u002bwo=rd\u0026\u003c\u0027\u00f6`, `1000.ab/cd\u002bef==`},
		{"HTML", `pa&#x2F;ss&#43;wo&equals;rd&amp;&lt;&#039;&ouml;`, `1000.ab&#x2f;cd&plus;ef&#61;=`},
		{"a query", `pa%2fss%2Bwo%3drd%26%3C%27%c3%b6`, `1000.ab%2Fcd%2bef%3D%3d`},
	} {
		for _, body := range []string{
			`{"status":"error","code":"INVALID_REQUEST","message":"bad: %s"}`,
			`{"status":"error","code":"INVALID_REQUEST","details":{"got":["%s"]}}`,
			`{"error":{"code":1007,"message":"bad","param":"%s"}}`,
			`<html>%s</html>`,
			`{"status":"success","data":{"url":"%s","events":7`,
			`{"status":"success","data":"%s"}`,
		} {
			for _, status := range []int{200, 400, 502} {
				api := newAPIRecorder(t, answerJSON(status, strings.ReplaceAll(body, "%s", row.secret+" "+row.token)))
				client, err := salesiq.NewClient(salesiq.StaticToken(token), salesiq.WithBaseURL(api.URL), salesiq.WithMaxAttempts(1))
				require.NoError(t, err)
				_, err = client.Webhooks.Create(t.Context(), &salesiq.WebhookCreate{
					Name: "n", URL: "https://shop.test/", Events: []salesiq.EventName{"e"}, Secret: salesiq.NewSecret(secret),
				})
				require.Error(t, err, row.library)
				shown := show(t, err, verbs...)
				for _, part := range []string{secret, token, row.secret, row.token, "pa/ss", `pa\/ss`, "1000.ab"} {
					assert.NotContains(t, shown, part, "%s in %s", row.library, body)
				}
			}
		}
	}
}
