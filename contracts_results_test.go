package salesiq_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/types"
	"io"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/usage"
	"github.com/salesiq-go/salesiq/webhook"
	"github.com/salesiq-go/salesiq/widget"
)

// Results: a call that fails returns its error and nothing else, and one that
// succeeds returns something. It holds for every method of every service, and for
// all that makes a call besides, with arguments that reflection makes up.

// anyCall is a func that makes a call.
type anyCall struct {
	name string
	fn   reflect.Value
}

// anyCalls returns all that makes calls.
func anyCalls(t testing.TB, client *salesiq.Client) (calls []anyCall) {
	t.Helper()
	for prefix, services := range map[string]any{"": client, "live.": live.New(client)} {
		for field, service := range reflect.ValueOf(services).Elem().Fields() {
			if !field.IsExported() {
				continue
			}
			for method, fn := range service.Methods() {
				calls = append(calls, anyCall{prefix + field.Name + "." + method.Name, fn})
			}
		}
	}
	require.Greater(t, len(calls), 60)
	for name, fn := range freeCalls(client) {
		calls = append(calls, anyCall{name, reflect.ValueOf(fn)})
	}
	return calls
}

// freeCalls are the calls that belong to no service, each generic one with a type.
func freeCalls(client *salesiq.Client) map[string]any {
	return map[string]any{
		"Do": func(ctx context.Context, path string, in any, opts ...salesiq.CallOption) error {
			return client.Do(ctx, "POST", path, in, new(live.App), opts...)
		},
		"live.Get":    live.Get[live.App],
		"live.Post":   live.Post[live.App],
		"live.Put":    live.Put[live.App],
		"live.Patch":  live.Patch[live.App],
		"live.Delete": live.Delete[live.App],
		"live.Pages":  live.Pages[live.App],
		"live.All":    live.All[live.App],
	}
}

// Whoever adds a func that takes a client adds it to freeCalls.
func TestNoFreeCallIsForgotten(t *testing.T) {
	t.Parallel()
	table := freeCalls(nil)
	delete(table, "Do")
	for _, p := range apiPackages(t) {
		for f := range p.funcs() {
			first := slices.IndexFunc(f.Type.Params.List, func(field *ast.Field) bool { return types.ExprString(field.Type) == "*salesiq.Client" })
			if f.Recv != nil || first != 1 { // After the context.
				continue
			}
			name := p.name + "." + f.Name.Name
			assert.NotNil(t, table[name], "%s is not in freeCalls", name)
			delete(table, name)
		}
	}
	assert.Empty(t, table, "funcs that are gone")
}

// arguments makes up what a call takes, save for its options.
func arguments(ctx context.Context, client *salesiq.Client, fn reflect.Value) []reflect.Value {
	args := make([]reflect.Value, 0, fn.Type().NumIn())
	for in := range fn.Type().Ins() {
		arg := reflect.New(in).Elem()
		switch in {
		case reflect.TypeFor[context.Context]():
			arg.Set(reflect.ValueOf(ctx))
		case reflect.TypeFor[*salesiq.Client]():
			arg.Set(reflect.ValueOf(client))
		case reflect.TypeFor[live.PageStyle]():
			arg.Set(reflect.ValueOf(live.PageAndLimit()))
		case reflect.TypeFor[[]salesiq.CallOption]():
			continue
		case reflect.TypeFor[iter.Seq2[*salesiq.Chat, error]]():
			arg.Set(reflect.ValueOf(chatsOf("x1")))
		default:
			makeUp(arg, "")
			changeSomething(arg)
		}
		args = append(args, arg)
	}
	return args
}

// changeSomething makes an update of nothing one of something.
func changeSomething(arg reflect.Value) {
	if arg.Kind() == reflect.Pointer && strings.HasSuffix(arg.Type().Elem().Name(), "Update") {
		arg.Elem().FieldByName("Extra").Set(reflect.ValueOf(map[string]any{"x1": "x1"}))
	}
}

// madeUpTime is neither before nor after itself, whatever it is compared with.
var madeUpTime = time.Date(2026, 4, 5, 6, 7, 8, 0, time.UTC)

// makeUp fills a value with what passes for an argument. What is optional within
// another type stays as it is.
func makeUp(v reflect.Value, name string) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(madeUpTime))
		return
	case v.Type() == reflect.TypeFor[salesiq.Secret]():
		v.Set(reflect.ValueOf(salesiq.NewSecret("x1")))
		return
	case v.Type() == reflect.TypeFor[salesiq.File]():
		v.Set(reflect.ValueOf(salesiq.File{Name: "x1", Content: strings.NewReader("x1")}))
		return
	case v.Type() == reflect.TypeFor[salesiq.Download]():
		v.Set(reflect.ValueOf(salesiq.Download{To: io.Discard}))
		return
	case v.Kind() == reflect.String && name == "URL":
		v.SetString("https://x1.example")
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("x1")
	case reflect.Int:
		v.SetInt(1)
	case reflect.Interface:
		v.Set(reflect.ValueOf(map[string]string{"x1": "x1"}))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		makeUp(v.Elem(), "")
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		makeUp(v.Index(0), "")
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		if v.Type().Key().Kind() == reflect.String {
			v.SetMapIndex(reflect.ValueOf("x1").Convert(v.Type().Key()), reflect.Zero(v.Type().Elem()))
		}
	case reflect.Struct:
		for field, value := range v.Fields() {
			if field.IsExported() && field.Name != "Extra" {
				makeUp(value, field.Name)
			}
		}
	}
}

// checkResults makes a call, holds its results to the contract, and returns the
// error.
func checkResults(t *testing.T, call anyCall, args []reflect.Value, why string) error {
	t.Helper()
	results := call.fn.Call(args)
	last := results[len(results)-1]
	why = call.name + ": " + why
	switch {
	case last.Kind() == reflect.Slice:
		return checkEach(t, last, why)
	case last.Type() == reflect.TypeFor[iter.Seq[salesiq.TranscriptResult]]():
		return checkEach(t, reflect.ValueOf(slices.Collect(last.Interface().(iter.Seq[salesiq.TranscriptResult]))), why)
	case last.Type().CanSeq2():
		return checkSequence(t, last, why)
	}
	err, _ := reflect.TypeAssert[error](last)
	for _, result := range results[:len(results)-1] {
		assert.Equal(t, err != nil, result.IsZero(), "%s: %#v beside error %v", why, result, err)
	}
	return err
}

// checkSequence holds an iterator to the contract: at most one error, as the last
// thing, with nothing beside it.
func checkSequence(t *testing.T, sequence reflect.Value, why string) (err error) {
	t.Helper()
	for item, e := range sequence.Seq2() {
		require.NoError(t, err, "%s: it goes on after an error", why)
		err, _ = reflect.TypeAssert[error](e)
		assert.Equal(t, err != nil, item.IsZero(), "%s: %#v beside error %v", why, item, err)
	}
	return err
}

// checkEach holds each of several results that have errors of their own to the
// contract. The texts in them tell what they are about.
func checkEach(t *testing.T, list reflect.Value, why string) (err error) {
	t.Helper()
	for i := range list.Len() {
		own := list.Index(i)
		err, _ = reflect.TypeAssert[error](own.FieldByName("Err"))
		for field, value := range own.Fields() {
			if field.Name != "Err" && field.Type.Kind() != reflect.String {
				assert.Equal(t, err != nil, value.IsZero(), "%s: %s beside error %v", why, field.Name, err)
			}
		}
	}
	return err
}

func TestNothingIsReturnedBesideAnError(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.Answer(500, "application/json", `{"status":"error","code":"INTERNAL_ERROR"}`))
	client := faultyClient(t, s, salesiq.WithMaxAttempts(1), salesiq.WithPortal("x1"))
	for _, call := range anyCalls(t, client) {
		err := checkResults(t, call, arguments(t.Context(), client, call.fn), "the service fails")
		require.ErrorIs(t, err, salesiq.ErrInternalError, call.name)
		require.ErrorAs(t, err, new(*salesiq.Error), call.name)
	}
	assert.GreaterOrEqual(t, len(s.Received()), len(anyCalls(t, client)), "each call was made")

	made := len(s.Received())
	ended, end := context.WithCancel(t.Context())
	end()
	for _, call := range anyCalls(t, client) {
		err := checkResults(t, call, arguments(ended, client, call.fn), "the context has ended")
		require.ErrorIs(t, err, context.Canceled, call.name)
		require.ErrorAs(t, err, new(*salesiq.Error), call.name)
	}
	assert.Len(t, s.Received(), made)
}

// strangeAnswers have status 200. To some of the calls they are a success.
var strangeAnswers = []string{
	``, ` `, `<html>`, `{`, `{"data":`, `null`, `5`, `"sent"`, `[]`, `[5]`, `[{}]`, `[null]`, `{}`,
	`{"data":null}`, `{"data":5}`, `{"data":"sent"}`, `{"data":[]}`, `{"data":[5]}`, `{"data":[{}]}`, `{"data":[null]}`, `{"data":{}}`,
	`{"data":{"skipped":null}}`, `{"data":{"messages":null}}`, `{"data":[{"id":"x1"}]}`, `{"data":{"id":"x1"}}`,
	`{"status":"success"}`, `{"status":"success","data":null}`, `{"status":"error"}`, `{"status":"error","code":"CHAT_NOT_ACTIVE"}`, `{"error":{}}`,
}

func TestSomethingIsReturnedWithoutAnError(t *testing.T) {
	t.Parallel()
	failed, succeeded := map[string]bool{}, map[string]bool{}
	for _, answer := range strangeAnswers {
		client := faultyClient(t, testkit.NewServer(t, testkit.JSON(answer)), salesiq.WithMaxAttempts(1), salesiq.WithPortal("x1"))
		for _, call := range anyCalls(t, client) {
			err := checkResults(t, call, arguments(t.Context(), client, call.fn), "200 "+answer)
			failed[call.name] = failed[call.name] || err != nil
			succeeded[call.name] = succeeded[call.name] || err == nil
		}
	}
	for name := range failed {
		assert.True(t, failed[name] && succeeded[name], "%s has been seen to fail and to succeed", name)
	}
}

// Errors: whatever is refused before a request is an InputError that says which
// argument it is. Each argument is left out in turn, and all of them.
func TestWhatIsRefusedBeforeARequestNamesTheArgument(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.JSON(`{"status":"success","data":{}}`))
	client := faultyClient(t, s, salesiq.WithMaxAttempts(1), salesiq.WithPortal("x1"))
	refused := 0
	for _, call := range anyCalls(t, client) {
		good := arguments(t.Context(), client, call.fn)
		for why, args := range lacking(good) {
			made := len(s.Received())
			err := checkResults(t, call, args, why)
			if len(s.Received()) > made || err == nil {
				continue
			}
			refused++
			assertNamesArgument(t, err, call.name+": "+why)
		}
		made := len(s.Received())
		err := checkResults(t, call, append(good, reflect.ValueOf(salesiq.CallOption(nil))), "a nil option")
		assertNamesArgument(t, err, call.name+": a nil option")
		assert.Len(t, s.Received(), made, call.name)
	}
	assert.Greater(t, refused, 60, "most calls need some argument")
}

// Whatever is nil or was not made is an error, and no panic: each argument of each
// call, and what has methods.
func TestNilIsNeverAPanic(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.JSON(`{"status":"success","data":{}}`))
	client := faultyClient(t, s, salesiq.WithMaxAttempts(1), salesiq.WithPortal("x1"))
	calls := anyCalls(t, client)
	handle := func(context.Context, webhook.Event) error { return nil }
	for name, value := range map[string]any{
		"nil Client": (*salesiq.Client)(nil), "zero Client": &salesiq.Client{},
		"nil OAuth": (*salesiq.OAuth)(nil), "zero OAuth": &salesiq.OAuth{},
		"nil SharedLimiter": (*salesiq.SharedLimiter)(nil), "zero SharedLimiter": &salesiq.SharedLimiter{},
		"nil TokenVault": (*salesiq.TokenVault)(nil), "zero TokenVault": &salesiq.TokenVault{}, "TokenVault": salesiq.NewMemoryTokenStore(),
		"nil WorkerPool": (*webhook.WorkerPool)(nil), "zero WorkerPool": &webhook.WorkerPool{}, "WorkerPool": testkit.Must(webhook.NewWorkerPool(1, 1, handle, nil)),
		"zero Monitor": &usage.Monitor{}, "zero Widget": widget.Widget{},
	} {
		for method, fn := range reflect.ValueOf(value).Methods() {
			calls = append(calls, anyCall{name + "." + method.Name, fn})
		}
	}
	for name, fn := range map[string]any{
		"NewClient": salesiq.NewClient, "StaticToken": salesiq.StaticToken, "TokenSource": salesiq.TokenSource, "RefreshToken": salesiq.RefreshToken,
		"FileTokenStore": salesiq.FileTokenStore, "SealTokens": salesiq.SealTokens, "NewLimiter": salesiq.NewLimiter, "IsRetryable": salesiq.IsRetryable, "KindOf": salesiq.KindOf,
		"webhook.NewReceiver": webhook.NewReceiver, "webhook.HMAC": webhook.HMAC, "webhook.RSA": webhook.RSA, "webhook.AnyOf": webhook.AnyOf,
		"webhook.Parse": webhook.Parse, "webhook.ParseSigned": webhook.ParseSigned, "webhook.On": webhook.On[webhook.ChatEnded], "webhook.Forward": webhook.Forward[webhook.ChatEnded], "webhook.OnAny": webhook.OnAny,
		"webhook.OnWhere": webhook.OnWhere, "webhook.Serve": webhook.Serve, "webhook.SignRSA": webhook.SignRSA, "webhook.NewWorkerPool": webhook.NewWorkerPool,
		"live.New": live.New, "live.NewBot": live.NewBot, "live.On": live.On[live.ConversationRated], "live.OnAny": live.OnAny, "live.EventOf": live.EventOf,
		"live.ParseEvent": live.ParseEvent, "live.ReadEnvelope": live.ReadEnvelope, "live.AskQuestions": live.AskQuestions,
		"widget.On": widget.On, "widget.OnClick": widget.OnClick, "widget.Invoke": widget.Invoke,
	} {
		calls = append(calls, anyCall{name, reflect.ValueOf(fn)})
	}
	for _, call := range calls {
		kind := call.fn.Type()
		if kind.NumIn() > 0 && (kind.In(0) == reflect.TypeFor[fmt.State]()) {
			continue // Package fmt alone calls it.
		}
		for _, given := range []reflect.Value{{}, reflect.ValueOf(t.Context())} {
			for _, options := range []int{0, 1} {
				assert.NotPanics(t, func() { use(call.fn.Call(nothing(kind, given, options))) }, "%s, context %v, nil options: %d", call.name, given, options)
			}
		}
	}
}

// nothing returns zeros for what a func takes, but for a context, if there is one, and
// so many of a last parameter that takes any number.
func nothing(kind reflect.Type, ctx reflect.Value, last int) (args []reflect.Value) {
	for i := range kind.NumIn() {
		switch in := kind.In(i); {
		case kind.IsVariadic() && i == kind.NumIn()-1:
			args = append(args, slices.Repeat([]reflect.Value{reflect.Zero(in.Elem())}, last)...)
		case ctx.IsValid() && in == reflect.TypeFor[context.Context]():
			args = append(args, ctx)
		default:
			args = append(args, reflect.Zero(in))
		}
	}
	return args
}

// use goes through the results of a call as a caller does.
func use(results []reflect.Value) {
	for _, result := range results {
		switch {
		case result.Kind() != reflect.Func || result.IsNil():
		case result.Type().CanSeq2():
			for range result.Seq2() {
				break
			}
		case result.Type().CanSeq():
			for range result.Seq() {
				break
			}
		}
		if err, ok := reflect.TypeAssert[error](result); ok && err != nil {
			_ = err.Error()
		}
	}
}

func assertNamesArgument(t *testing.T, err error, why string) {
	t.Helper()
	var input *salesiq.InputError
	require.ErrorAs(t, err, &input, why)
	assert.NotEmpty(t, input.Operation, why)
	assert.NotEmpty(t, input.Field, why)
	assert.NotEmpty(t, input.Reason, why)
}

// lacking returns arguments with one of them left out, and with none but the
// context.
func lacking(good []reflect.Value) map[string][]reflect.Value {
	none := slices.Clone(good)
	all := map[string][]reflect.Value{"no argument": none}
	for i := 1; i < len(good); i++ {
		none[i] = reflect.Zero(good[i].Type())
		args := slices.Clone(good)
		args[i] = none[i]
		all[fmt.Sprintf("no argument %d", i)] = args
	}
	return all
}
