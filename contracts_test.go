package salesiq_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"iter"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

// The contracts that hold for all that is exported. The tests read the sources, so
// that what is added later is held to them as well.

// badOption is an option with an argument that is no good.
type badOption struct {
	option any
	field  string // That the error names.
}

// nothingBad says of an option that every argument is good.
var nothingBad = []badOption{}

// badOptions has a row for every func that returns an option.
var badOptions = map[string][]badOption{
	"salesiq.WithDataCenter": {
		{salesiq.WithDataCenter(""), "data center"},
		{salesiq.WithDataCenter("atlantis"), "data center"},
		{salesiq.WithDataCenter("eu"), "data center"},
		{salesiq.WithDataCenter(salesiq.Hosts{API: "salesiq.example", Accounts: "https://a.example"}.DataCenter()), "data center API"},
		{salesiq.WithDataCenter(salesiq.Hosts{API: "https://salesiq.example"}.DataCenter()), "data center accounts"},
	},
	"salesiq.WithBaseURL":     badURLs(salesiq.WithBaseURL, "base URL"),
	"salesiq.WithAccountsURL": badURLs(salesiq.WithAccountsURL, "accounts URL"),
	"salesiq.WithPortal":      {{salesiq.WithPortal(""), "portal"}, {salesiq.WithPortal(".."), "portal"}, {salesiq.WithPortal("a\nb"), "portal"}},
	"salesiq.WithPlaintext":   nothingBad,
	"salesiq.WithHTTPClient": {
		{salesiq.WithHTTPClient(nil), "HTTP client"},
		{salesiq.WithHTTPClient(&http.Client{Transport: (*http.Transport)(nil)}), "HTTP transport"},
	},
	"salesiq.WithTransport": {
		{salesiq.WithTransport(nil), "transport"},
		{salesiq.WithTransport(func(http.RoundTripper) http.RoundTripper { return nil }), "transport"},
		{salesiq.WithTransport(func(http.RoundTripper) http.RoundTripper { return (*http.Transport)(nil) }), "transport"},
	},
	"salesiq.WithUserAgent":      {{salesiq.WithUserAgent(" "), "user agent"}, {salesiq.WithUserAgent("a\r\nb: c"), "user agent"}},
	"salesiq.WithLogger":         nothingBad,
	"salesiq.WithMaxAttempts":    {{salesiq.WithMaxAttempts(0), "max attempts"}, {salesiq.WithMaxAttempts(101), "max attempts"}},
	"salesiq.WithMaxWait":        {{salesiq.WithMaxWait(0), "max wait"}, {salesiq.WithMaxWait(-time.Second), "max wait"}},
	"salesiq.WithMaxInFlight":    {{salesiq.WithMaxInFlight(0), "max in flight"}, {salesiq.WithMaxInFlight(1001), "max in flight"}},
	"salesiq.WithMaxBody":        {{salesiq.WithMaxBody(0), "max body"}, {salesiq.WithMaxBody(-1), "max body"}},
	"salesiq.WithAttemptTimeout": {{salesiq.WithAttemptTimeout(0), "attempt timeout"}},
	"salesiq.WithStallTimeout":   {{salesiq.WithStallTimeout(-1), "stall timeout"}},
	"salesiq.WithPlan": {
		{salesiq.WithPlan(salesiq.Plan{CallsPerMinute: -1}), "plan"},
		{salesiq.WithPlan(salesiq.Plan{CallsPerDay: -1}), "plan"},
	},
	"salesiq.WithRateLimit": {
		{salesiq.WithRateLimit(0, 1), "rate limit"}, {salesiq.WithRateLimit(-1, 1), "rate limit"},
		{salesiq.WithRateLimit(rate.Limit(math.NaN()), 1), "rate limit"}, {salesiq.WithRateLimit(1, 0), "burst"},
	},
	"salesiq.WithLimiter": {{salesiq.WithLimiter(nil), "limiter"}, {salesiq.WithLimiter((*countingLimiter)(nil)), "limiter"}},
	"salesiq.WithTracer":  {{salesiq.WithTracer(nil), "tracer"}, {salesiq.WithTracer(&salesiq.Tracer{}, nil), "tracer"}},
	"salesiq.WithCache": {
		{salesiq.WithCache(salesiq.Cache{TTL: -1}), "cache TTL"},
		{salesiq.WithCache(salesiq.Cache{MaxEntries: -1}), "cache entries"},
		{salesiq.WithCache(salesiq.Cache{MaxBytes: -1}), "cache bytes"},
	},

	"salesiq.WithResponse":     {{salesiq.WithResponse(nil), "response"}},
	"salesiq.WithIdempotent":   nothingBad,
	"salesiq.WithFresh":        nothingBad,
	"salesiq.WithCallAttempts": {{salesiq.WithCallAttempts(0), "max attempts"}, {salesiq.WithCallAttempts(101), "max attempts"}},
	"salesiq.WithOperation":    {{salesiq.WithOperation(""), "operation"}, {salesiq.WithOperation("a\nb"), "operation"}},
	"salesiq.WithIDs":          {{salesiq.WithIDs(""), "thing"}, {salesiq.WithIDs(".."), "thing"}, {salesiq.WithIDs("x1", "x2"), "path"}},
	"salesiq.WithQuery": {
		{salesiq.WithQuery(nil), "params"}, {salesiq.WithQuery((*salesiq.ListParams)(nil)), "params"},
		{salesiq.WithQuery(func() {}), "params"}, {salesiq.WithQuery(5), "params"},
	},
	"salesiq.WithHeader": {
		{salesiq.WithHeader("", "value"), "header name"}, {salesiq.WithHeader("a b", "value"), "header name"},
		{salesiq.WithHeader("X-A", "a\r\nb: c"), "header X-A"}, {salesiq.WithHeader("authorization", "value"), "header Authorization"},
		{salesiq.WithHeader("host", "elsewhere"), "header Host"}, {salesiq.WithHeader("content-length", "1"), "header Content-Length"},
		{salesiq.WithHeader("connection", "upgrade"), "header Connection"}, {salesiq.WithHeader("Transfer-encoding", "chunked"), "header Transfer-Encoding"},
	},

	"webhook.WithDedupStore": {
		{webhook.WithDedupStore(nil), "dedup store"}, {webhook.WithDedupStore((*nilDedupStore)(nil)), "dedup store"},
	},
	"webhook.WithDedupFailure":   {{webhook.WithDedupFailure(2), "dedup failure"}, {webhook.WithDedupFailure(-1), "dedup failure"}},
	"webhook.WithSink":           {{webhook.WithSink(nil), "sink"}, {webhook.WithSink((*webhook.WorkerPool)(nil)), "sink"}},
	"webhook.WithMaxBody":        {{webhook.WithMaxBody(0), "max body"}},
	"webhook.WithHandlerTimeout": {{webhook.WithHandlerTimeout(0), "handler timeout"}},
	"webhook.WithEventName":      {{webhook.WithEventName(""), "event name"}},
	"webhook.WithTolerance":      {{webhook.WithTolerance(-1), "tolerance"}},
	"webhook.WithLogger":         nothingBad,
	"webhook.WithTracer":         {{webhook.WithTracer(nil), "tracer"}},
	"webhook.Once":               {{webhook.Once(""), "handler name"}, {webhook.Once("a b"), "handler name"}},

	"live.OnTrigger":     {{live.OnTrigger(nil), "trigger handler"}},
	"live.OnMessage":     {{live.OnMessage(nil), "message handler"}},
	"live.OnContext":     {{live.OnContext(nil), "context handler"}},
	"live.OnFailure":     {{live.OnFailure(nil), "failure handler"}},
	"live.WithCallbacks": {{live.WithCallbacks(nil), "client"}},
	"live.WithFallback":  {{live.WithFallback(nil), "fallback"}, {live.WithFallback(live.Reply()), "fallback"}},
	"live.WithPending": {
		{live.WithPending(0), "pending time"}, {live.WithPending(5 * time.Second), "pending time"}, {live.WithPending(time.Second, ""), "pending"},
	},
	"live.WithLogger": nothingBad,

	"salesiqtest.WithListener":             {{salesiqtest.WithListener(nil), "listener"}, {salesiqtest.WithListener((*net.TCPListener)(nil)), "listener"}},
	"salesiqtest.InMemory":                 nothingBad,
	"salesiqtest.Live":                     nothingBad,
	"salesiqtest.WithLogger":               nothingBad,
	"salesiqtest.WithoutDefaultData":       nothingBad,
	"salesiqtest.WithoutListedTranscripts": nothingBad,
	"salesiqtest.WithSeed":                 nothingBad,
	"salesiqtest.WithClockOffset":          nothingBad,
	"salesiqtest.WithData": {
		{salesiqtest.WithData(salesiqtest.Data{Chats: []salesiq.Chat{{ID: "c1", CustomFields: map[string]any{"f": func() {}}}}}), "data"},
		{salesiqtest.WithData(salesiqtest.Data{Visitors: []salesiq.Visitor{{ID: "v1", CustomFields: map[string]any{"f": math.NaN()}}}}), "data"},
	},
	"salesiqtest.WithPlan": {
		{salesiqtest.WithPlan(salesiq.Plan{CallsPerMinute: -1}), "plan"},
		{salesiqtest.WithPlan(salesiq.Plan{CallsPerDay: -1}), "plan"},
	},
	"salesiqtest.WithWindow": {
		{salesiqtest.WithWindow(7, time.Minute), "window kind"}, {salesiqtest.WithWindow(-1, time.Minute), "window kind"},
		{salesiqtest.WithWindow(salesiqtest.AlignedWindow, 0), "window"}, {salesiqtest.WithWindow(salesiqtest.OpenedWindow, -time.Minute), "window"},
	},
	"salesiqtest.WithMaxInFlight":       {{salesiqtest.WithMaxInFlight(-1), "max in flight"}},
	"salesiqtest.WithTokenLifetime":     {{salesiqtest.WithTokenLifetime(0), "token lifetime"}, {salesiqtest.WithTokenLifetime(-1), "token lifetime"}},
	"salesiqtest.WithScopes":            {{salesiqtest.WithScopes(), "scopes"}, {salesiqtest.WithScopes("SalesIQ.chats.READ", " "), "scopes"}},
	"salesiqtest.WithAPIDomain":         {{salesiqtest.WithAPIDomain(""), "API domain"}},
	"salesiqtest.WithThrottleStatus":    {{salesiqtest.WithThrottleStatus(0), "throttle status"}, {salesiqtest.WithThrottleStatus(600), "throttle status"}},
	"salesiqtest.WithRole":              {{salesiqtest.WithRole(""), "role"}, {salesiqtest.WithRole("boss"), "role"}},
	"salesiqtest.WithWebhookRetryPause": {{salesiqtest.WithWebhookRetryPause(0), "webhook retry pause"}},
	"salesiqtest.WithHosts":             {{salesiqtest.WithHosts(""), "host"}, {salesiqtest.WithHosts("emulator", "emulator:80"), "host"}},
	"salesiqtest.WithRedirectURIs":      {{salesiqtest.WithRedirectURIs(""), "redirect URI"}, {salesiqtest.WithRedirectURIs("/back"), "redirect URI"}},
	"salesiqtest.WithBot":               {{salesiqtest.WithBot(salesiqtest.Bot{}), "bot"}, {salesiqtest.WithBot(salesiqtest.Bot{URL: "bot"}), "bot URL"}},
	"salesiqtest.WithWebhookTransport": {
		{salesiqtest.WithWebhookTransport(nil), "webhook transport"}, {salesiqtest.WithWebhookTransport((*http.Transport)(nil)), "webhook transport"},
	},
}

// nilDedupStore is a pointer type that is a store.
type nilDedupStore struct{ webhook.DedupStore }

func badURLs[O any](option func(string) O, field string) (rows []badOption) {
	for _, address := range []string{"", "nonsense", "/path", "ftp://a.example", "https://", "http://elsewhere.example", "https://user@a.example", "https://a.example?q=1"} {
		rows = append(rows, badOption{option(address), field})
	}
	return rows
}

// construct makes what an option is for.
func construct(t *testing.T, option any) (made any, err error) {
	t.Helper()
	switch option := option.(type) {
	case salesiq.Option:
		return result(salesiq.NewClient(salesiq.StaticToken("token"), option))
	case salesiq.CallOption:
		s := testkit.NewServer(t, testkit.OK())
		made, err = result(live.Get[live.App](t.Context(), faultyClient(t, s), "/x/{thing}", nil, salesiq.WithIDs("x1"), option))
		assert.Empty(t, s.Received(), "it is refused before any request")
		return made, err
	case webhook.Option:
		return result(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret("a secret of some length")), option))
	case webhook.HandlerOption:
		receiver := testkit.Must(webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret("a secret of some length"))))
		return nil, webhook.OnAny(receiver, func(context.Context, webhook.Event) error { return nil }, option)
	case live.BotOption:
		return result(live.NewBot(live.Unsigned(), option))
	case salesiqtest.Option:
		return result(salesiqtest.NewServer(option))
	}
	require.Failf(t, "nothing takes it", "%T", option)
	return nil, nil
}

// result tells a pointer that is nil from something.
func result[T any](made *T, err error) (any, error) {
	if made == nil {
		return nil, err
	}
	return made, err
}

func TestBadOptionIsAnErrorThatNamesIt(t *testing.T) {
	t.Parallel()
	rows := map[string][]badOption{"nil": {
		{salesiq.Option(nil), "option"}, {salesiq.CallOption(nil), "call option"},
		{webhook.Option(nil), "option"}, {webhook.HandlerOption(nil), "handler option"}, {live.BotOption(nil), "option"}, {salesiqtest.Option(nil), "option"},
	}}
	kinds := map[string]bool{}
	for _, p := range apiPackages(t) {
		for f := range p.funcs() {
			if kind := returnedOption(p, f); kind != "" && !p.module { // A module of its own has a test of its own.
				name := p.name + "." + f.Name.Name
				row, ok := badOptions[name]
				assert.True(t, ok, "%s has no row in badOptions", name)
				rows[name] = row
				kinds[kind] = true
			}
		}
	}
	assert.Len(t, rows, 1+len(badOptions), "rows of options that are gone")
	assert.Len(t, kinds, len(rows["nil"]), "each kind of option is given as nil")
	for name, row := range rows {
		for _, bad := range row {
			made, err := construct(t, bad.option)
			var input *salesiq.InputError
			require.ErrorAs(t, err, &input, name)
			assert.Equal(t, bad.field, input.Field, "%s: %s", name, err)
			assert.NotEmpty(t, input.Reason, name)
			assert.Nil(t, made, name)
		}
	}
}

// returnedOption returns the type of the option that a func makes, if it does.
func returnedOption(p apiPackage, f *ast.FuncDecl) string {
	if f.Recv != nil || f.Type.Results == nil {
		return ""
	}
	kind := types.ExprString(f.Type.Results.List[0].Type)
	switch {
	case !strings.HasSuffix(kind, "Option"):
		return ""
	case strings.Contains(kind, "."): // Of another package.
		return kind
	}
	return p.name + "." + kind
}

// What takes options says what is wrong with them.
func TestWhateverTakesOptionsReturnsAnError(t *testing.T) {
	t.Parallel()
	taking := 0
	for _, p := range apiPackages(t) {
		for f := range p.funcs() {
			params := f.Type.Params.List
			if len(params) == 0 {
				continue
			}
			if last, ok := params[len(params)-1].Type.(*ast.Ellipsis); !ok || !strings.HasSuffix(types.ExprString(last.Elt), "Option") {
				continue
			}
			taking++
			results := f.Type.Results.List
			switch told := types.ExprString(results[len(results)-1].Type); {
			case told == "error":
			case strings.HasPrefix(told, "iter.Seq2[") && strings.HasSuffix(told, ", error]"):
			case strings.HasPrefix(told, "iter.Seq[") && strings.HasSuffix(told, "Result]"): // Each has an error of its own.
			case types.ExprString(params[0].Type) == "testing.TB": // Which fails.
			default:
				assert.Failf(t, "it cannot say so", "%s.%s returns %s", p.name, f.Name.Name, told)
			}
		}
	}
	assert.Greater(t, taking, 70)
}

func TestNilLoggerLogsNothing(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	loud := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := salesiqtest.Start(t, salesiqtest.WithLogger(loud), salesiqtest.WithLogger(nil))
	_, err := s.Client(t, salesiq.WithLogger(loud), salesiq.WithLogger(nil)).Chats.Get(t.Context(), "chat123")
	require.NoError(t, err)
	receiver, err := webhook.NewReceiver(webhook.HMAC(salesiq.NewSecret("a secret of some length")), webhook.WithLogger(loud), webhook.WithLogger(nil))
	require.NoError(t, err)
	receiver.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", http.NoBody))
	assert.Empty(t, log.String())
}

// An importer can change an exported variable. Errors alone may be one.
func TestPresetsCannotBeChanged(t *testing.T) {
	t.Parallel()
	found := 0
	for _, p := range apiPackages(t) {
		for declaration := range p.declarations() {
			group, ok := declaration.(*ast.GenDecl)
			if !ok || group.Tok != token.VAR {
				continue
			}
			for _, spec := range group.Specs {
				value := spec.(*ast.ValueSpec)
				for i, name := range value.Names {
					if name.IsExported() {
						found++
						assert.True(t, isError(value, i), "%s.%s is a variable", p.name, name.Name)
					}
				}
			}
		}
	}
	assert.Greater(t, found, 10)
}

// isError reports whether a variable is an error by its declaration: its type, the
// func that makes it, or the variable whose value it has.
func isError(value *ast.ValueSpec, i int) bool {
	if value.Type != nil {
		return types.ExprString(value.Type) == "error"
	}
	if len(value.Values) <= i {
		return false
	}
	if call, ok := value.Values[i].(*ast.CallExpr); ok {
		maker := types.ExprString(call.Fun)
		return maker == "errors.New" || maker == "fmt.Errorf"
	}
	_, name, _ := strings.Cut(types.ExprString(value.Values[i]), ".")
	return strings.HasPrefix(name, "Err")
}

// lengthOfTime finds the name that a length of time has on the wire.
var lengthOfTime = regexp.MustCompile(`(^|_)(time|duration|seconds|ms|ns)(_|$)`)

// A time that is not there is a zero time.Time, and a length of time is of a type
// that names its unit.
func TestTimesFollowOneRule(t *testing.T) {
	t.Parallel()
	times, lengths := 0, 0
	for _, p := range apiPackages(t) {
		for name, field := range p.fields() {
			wire := wireName(field)
			if wire == "" {
				continue
			}
			kind, where := types.ExprString(field.Type), p.name+"."+name
			assert.NotContains(t, kind, "*time.Time", where)
			assert.NotContains(t, kind, "time.Duration", where)
			if strings.Contains(kind, "Opt[time.Time]") {
				assert.Regexp(t, `Update\.`, where, "only an update leaves a time alone")
			}
			if lengthOfTime.MatchString(wire) {
				assert.NotRegexp(t, `^\*?(u?int|float)\d*$`, kind, "%s: a length of time is Seconds", where)
			}
			switch {
			case strings.HasSuffix(kind, "Seconds"), kind == "Milliseconds":
				lengths++
			case kind == "time.Time":
				times++
			}
		}
	}
	assert.Greater(t, times, 40)
	assert.Greater(t, lengths, 10)
}

// secretName finds the names of what must not be seen. What it finds may also be a
// count of such.
var (
	secretName  = regexp.MustCompile(`(?i)secret|token|password`)
	harmless    = regexp.MustCompile(`^(bool|u?int\d*|float\d*|time\.Time)$`)
	hidesItself = regexp.MustCompile(`\b(Secret|TokenVault)\b`)
)

func TestSecretsAreOfATypeThatHidesThem(t *testing.T) {
	t.Parallel()
	secrets := 0
	for _, p := range apiPackages(t) {
		for name, field := range p.fields() {
			kind := types.ExprString(field.Type)
			_, bare, _ := strings.Cut(name, ".")
			if !secretName.MatchString(bare+" "+wireName(field)) || harmless.MatchString(kind) {
				continue
			}
			secrets++
			assert.Regexp(t, hidesItself, kind, "%s.%s", p.name, name)
		}
	}
	assert.Greater(t, secrets, 8)
}

// apiPackage is a package that users import.
type apiPackage struct {
	name   string
	folder string
	module bool // It is a module of its own.
	files  []*ast.File
}

// apiPackages returns all of them, as the sources have them.
func apiPackages(t testing.TB) (all []apiPackage) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		switch name := entry.Name(); {
		case name == "internal", name == "examples", name == "cmd", name == "testdata", strings.HasPrefix(name, ".") && path != ".":
			return filepath.SkipDir
		}
		p := apiPackage{folder: path}
		if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
			p.module = path != "."
		}
		sources, err := filepath.Glob(filepath.Join(path, "*.go"))
		require.NoError(t, err)
		for _, source := range sources {
			if strings.HasSuffix(source, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			p.name = file.Name.Name
			p.files = append(p.files, file)
		}
		if len(p.files) > 0 {
			all = append(all, p)
		}
		return nil
	}))
	require.GreaterOrEqual(t, len(all), 7)
	return all
}

// declarations yields what a package declares.
func (p apiPackage) declarations() iter.Seq[ast.Decl] {
	return func(yield func(ast.Decl) bool) {
		for _, file := range p.files {
			for _, declaration := range file.Decls {
				if !yield(declaration) {
					return
				}
			}
		}
	}
}

// funcs yields the exported funcs and methods.
func (p apiPackage) funcs() iter.Seq[*ast.FuncDecl] {
	return func(yield func(*ast.FuncDecl) bool) {
		for declaration := range p.declarations() {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Name.IsExported() && !yield(f) {
				return
			}
		}
	}
}

// fields yields the exported fields of exported structs, as Type.Field.
func (p apiPackage) fields() iter.Seq2[string, *ast.Field] {
	return func(yield func(string, *ast.Field) bool) {
		for declaration := range p.declarations() {
			group, ok := declaration.(*ast.GenDecl)
			if !ok || group.Tok != token.TYPE {
				continue
			}
			for _, spec := range group.Specs {
				named := spec.(*ast.TypeSpec)
				structure, ok := named.Type.(*ast.StructType)
				if !ok || !named.Name.IsExported() {
					continue
				}
				for _, field := range structure.Fields.List {
					for _, name := range field.Names {
						if name.IsExported() && !yield(named.Name.Name+"."+name.Name, field) {
							return
						}
					}
				}
			}
		}
	}
}

// wireName returns the name that a field has in JSON, if it is there at all.
func wireName(field *ast.Field) string {
	if field.Tag == nil {
		return ""
	}
	tag, err := strconv.Unquote(field.Tag.Value)
	if err != nil {
		return ""
	}
	name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
	return strings.TrimPrefix(name, "-")
}
