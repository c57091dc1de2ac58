package widget_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"log"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/redact"
	"github.com/salesiq-go/salesiq/widget"
)

const testNonce = "dGVzdC1ub25jZQ=="

// widgetPage is a snippet taken apart.
type widgetPage struct {
	skeleton string // The snippet without the plan and the address.
	plan     string // As JSON.
	address  string // As HTML.
}

// takeApart finds the string literal of the plan as a JavaScript parser would:
// it ends at the first quote that is not escaped.
func takeApart(t *testing.T, page string) widgetPage {
	t.Helper()
	head, rest, ok := strings.Cut(page, `JSON.parse("`)
	require.True(t, ok)
	end := 0
	for rest[end] != '"' {
		if rest[end] == '\\' {
			end++
		}
		end++
	}
	literal, rest := rest[:end], rest[end:]
	assert.False(t, strings.ContainsAny(literal, "<>&\n\u2028\u2029"), literal)
	var taken widgetPage
	require.NoError(t, json.Unmarshal([]byte(`"`+literal+`"`), &taken.plan))
	before, rest, ok := strings.Cut(rest, ` src="`)
	require.True(t, ok)
	address, after, ok := strings.Cut(rest, `"`)
	require.True(t, ok)
	assert.NotContains(t, address, "<")
	taken.address, taken.skeleton = address, head+before+after
	return taken
}

func render(t *testing.T, w widget.Widget) widgetPage {
	t.Helper()
	page, err := w.HTML(testNonce)
	require.NoError(t, err)
	return takeApart(t, string(page))
}

func TestACustomActionHasUpTo250Characters(t *testing.T) {
	t.Parallel()
	for given, want := range map[int]int{250: 250, 251: 250} {
		page, err := widget.Widget{Code: "siq1", OfficialNames: true, Calls: []widget.Call{widget.TrackEvent(strings.Repeat("~", given), nil)}}.HTML("")
		require.NoError(t, err)
		assert.Equal(t, want, strings.Count(string(page), "~"))
	}
}

func TestEveryWidgetCallIsMadeBySpecifiedAndOfficialName(t *testing.T) {
	t.Parallel()
	type calls = []widget.Call
	for _, row := range []struct {
		calls               calls
		specified, official string
	}{
		{calls{widget.SetVisitorName("Ann")}, `{"call":"visitor.name","args":["Ann"]}`, `{"call":"visitor.name","args":["Ann"]}`},
		{calls{widget.SetVisitorEmail("a@b.example")}, `{"call":"visitor.email","args":["a@b.example"]}`, `{"call":"visitor.email","args":["a@b.example"]}`},
		{calls{widget.SetVisitorPhone("+1-555-0100")}, `{"call":"visitor.phone","args":["+1-555-0100"]}`, `{"call":"visitor.contactnumber","args":["+1-555-0100"]}`},
		{calls{widget.SetVisitorContactNumber("+1-555-0101")}, `{"call":"visitor.contactnumber","args":["+1-555-0101"]}`, `{"call":"visitor.contactnumber","args":["+1-555-0101"]}`},
		{
			calls{widget.SetVisitorInfo(map[string]any{"Plan": "trial", "Seats": 3})},
			`{"call":"visitor.info","args":[{"Plan":"trial","Seats":3}]}`,
			`{"call":"visitor.info","args":[{"Plan":"trial","Seats":3}]}`,
		},
		{calls{widget.TrackPageView("https://shop.example/tents")}, `{"call":"tracking.pageview","args":["https://shop.example/tents"]}`, ``},
		{calls{widget.TrackPageView("")}, `{"call":"tracking.pageview","address":true}`, ``},
		{
			calls{widget.TrackEvent("viewed", map[string]any{"price": 99.99})},
			`{"call":"tracking.event","args":["viewed",{"price":99.99}]}`,
			`{"call":"visitor.customaction","args":["viewed {\"price\":99.99}"]}`,
		},
		{calls{widget.TrackEvent("viewed", map[string]any{})}, `{"call":"tracking.event","args":["viewed"]}`, `{"call":"visitor.customaction","args":["viewed"]}`},
		{calls{widget.TrackEvent("viewed", nil)}, `{"call":"tracking.event","args":["viewed"]}`, `{"call":"visitor.customaction","args":["viewed"]}`},
		{
			calls{widget.TrackConversion("bought", map[string]any{"value": 9})},
			`{"call":"tracking.conversion","args":["bought",{"value":9}]}`,
			`{"call":"visitor.customaction","args":["bought {\"value\":9}"]}`,
		},
		{calls{widget.Show()}, `{"call":"floatwindow.visible","args":["show"]}`, `{"call":"floatwindow.visible","args":["show"]}`},
		{calls{widget.Hide()}, `{"call":"floatwindow.visible","args":["hide"]}`, `{"call":"floatwindow.visible","args":["hide"]}`},
		{calls{widget.Toggle()}, `{"call":"floatwindow.visible","args":["toggle"]}`, ``},
		{calls{widget.OpenWindow()}, `{"call":"floatwindow.open"}`, `{"call":"floatwindow.visible","args":["show"]}`},
		{
			calls{widget.OpenWindowWith("Prices?")},
			`{"call":"floatwindow.open","args":[{"message":"Prices?"}]}`,
			`{"call":"visitor.question","args":["Prices?"]},{"call":"chat.start"}`,
		},
		{calls{widget.CloseWindow()}, `{"call":"floatwindow.close"}`, `{"call":"floatwindow.visible","args":["hide"]}`},
		{calls{widget.MinimizeWindow()}, `{"call":"floatwindow.minimize"}`, ``},
		{calls{widget.SetChatDepartment("Sales")}, `{"call":"chat.department","args":["Sales"]}`, `{"call":"chat.department","args":["Sales"]}`},
		{
			calls{widget.StartChat("Sales")},
			`{"call":"chat.start","args":["Sales"]}`,
			`{"call":"chat.department","args":["Sales"]},{"call":"chat.start"}`,
		},
		{calls{widget.SetThemeColor("#007bff")}, `{"call":"theme.color","args":["#007bff"]}`, ``},
		{
			calls{widget.SetButtonPosition(salesiq.WidgetBottomLeft)},
			`{"call":"floatbutton.position","args":["bottomleft"]}`,
			`{"call":"floatbutton.position","args":["bottomleft"]}`,
		},
		{calls{widget.SetGreeting("Moin!")}, `{"call":"greeting.message","args":["Moin!"]}`, ``},
		{calls{widget.ShowOfflineMessage(false)}, `{"call":"offlinemessage.visibility","args":[false]}`, ``},
		{calls{widget.Invoke("language", "de")}, `{"call":"language","args":["de"]}`, `{"call":"language","args":["de"]}`},
		{
			calls{widget.OpenAfter(3*time.Second, "/pricing", "/docs/*")},
			`{"after":3000,"paths":["/pricing","/docs/*"],"steps":[{"call":"floatwindow.open"}]}`,
			`{"after":3000,"paths":["/pricing","/docs/*"],"steps":[{"call":"floatwindow.visible","args":["show"]}]}`,
		},
		{
			calls{widget.OnClick("#help", widget.SetChatDepartment("Sales"), widget.OpenWindow())},
			`{"click":"#help","steps":[{"call":"chat.department","args":["Sales"]},{"call":"floatwindow.open"}]}`,
			`{"click":"#help","steps":[{"call":"chat.department","args":["Sales"]},{"call":"floatwindow.visible","args":["show"]}]}`,
		},
		{
			calls{widget.On(widget.ChatStarted, widget.CallFunction("app.started"), widget.PostTo("/events"))},
			`{"call":"on","args":["chat.start"],"handlers":[{"function":"app.started"},{"post":"/events"}],"event":"chat.start","labeled":true}`,
			`{"call":"visitor.chat","handlers":[{"function":"app.started"},{"post":"/events"}],"event":"chat.start","labeled":true}`,
		},
		{
			calls{widget.On(widget.ChatEnded, widget.PushDataLayer("ended", map[string]any{"x": 1}))},
			`{"call":"on","args":["chat.end"],"handlers":[{"push":"ended","fields":{"x":1}}],"event":"chat.end","labeled":true}`,
			`{"call":"chat.complete","handlers":[{"push":"ended","fields":{"x":1}}],"event":"chat.end","labeled":true}`,
		},
		{
			calls{widget.On(widget.MessageReceived, widget.SendToGtag("got", nil))},
			`{"call":"on","args":["message.received"],"handlers":[{"gtag":"got"}],"event":"message.received"}`, ``,
		},
		{
			calls{widget.On(widget.OperatorTyping, widget.CallFunction("typing"))},
			`{"call":"on","args":["operator.typing"],"handlers":[{"function":"typing"}],"event":"operator.typing"}`, ``,
		},
		{
			calls{widget.On(widget.Opened, widget.CallFunction("opened"))},
			`{"call":"on","args":["widget.opened"],"handlers":[{"function":"opened"}],"event":"widget.opened"}`,
			`{"call":"floatwindow.open","handlers":[{"function":"opened"}],"event":"widget.opened"}`,
		},
		{
			calls{widget.On(widget.Closed, widget.CallFunction("closed"))},
			`{"call":"on","args":["widget.closed"],"handlers":[{"function":"closed"}],"event":"widget.closed"}`,
			`{"call":"floatwindow.close","handlers":[{"function":"closed"}],"event":"widget.closed"}`,
		},
		// What is not known of a visitor must not keep the page from being served.
		{calls{widget.SetVisitorName(""), widget.SetVisitorPhone(""), widget.SetVisitorInfo(nil), {}}, ``, ``},
		{calls{widget.SetVisitorName("Ann"), widget.Hide()}, `{"call":"visitor.name","args":["Ann"]},{"call":"floatwindow.visible","args":["hide"]}`, `{"call":"visitor.name","args":["Ann"]},{"call":"floatwindow.visible","args":["hide"]}`},
	} {
		t.Run(row.specified, func(t *testing.T) {
			t.Parallel()
			specified := render(t, widget.Widget{Code: "siq1", Calls: row.calls})
			assert.JSONEq(t, `{"code":"siq1","steps":[`+row.specified+`]}`, specified.plan)
			official := render(t, widget.Widget{Code: "siq1", Calls: row.calls, OfficialNames: true})
			assert.JSONEq(t, `{"code":"siq1","steps":[`+row.official+`]}`, official.plan)
		})
	}
}

func TestOfficialActionsAreCutAt250Characters(t *testing.T) {
	t.Parallel()
	call := widget.TrackEvent(strings.Repeat("x", 249)+"🌿", nil)
	plan := render(t, widget.Widget{Code: "siq1", OfficialNames: true, Calls: []widget.Call{call}}).plan
	assert.JSONEq(t, `{"code":"siq1","steps":[{"call":"visitor.customaction","args":["`+strings.Repeat("x", 249)+`"]}]}`, plan)
}

func TestWidgetValuesKeepTheirMeaning(t *testing.T) {
	t.Parallel()
	info := map[string]any{
		"__proto__": map[string]any{"admin": true},
		"markup":    "</script><script>alert(1)</script><!--",
		"lines":     "a\u2028b\u2029c\nd\\e\x00f",
		"quotes":    `"'` + "`${1}",
		"emoji":     "👩🏽‍🚀",
		"since":     time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC),
		"token":     salesiq.NewSecret("hunter2"),
	}
	page := render(t, widget.Widget{Code: "siq1", Calls: []widget.Call{widget.SetVisitorInfo(info)}})
	var plan struct {
		Steps []struct{ Args []map[string]any }
	}
	require.NoError(t, json.Unmarshal([]byte(page.plan), &plan))
	info["since"], info["token"] = "2026-05-04T03:02:01.000Z", redact.Mask
	assert.Equal(t, info, plan.Steps[0].Args[0])
}

func TestBothWidgetElementsCarryTheNonce(t *testing.T) {
	t.Parallel()
	w := widget.Widget{Code: "siq1", Nonce: "another"}
	page, err := w.HTML(testNonce)
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(string(page), "<script"))
	assert.Equal(t, 2, strings.Count(string(page), `<script nonce="`+testNonce+`"`))
	assert.Equal(t, 1, strings.Count(string(page), " defer></script>"))

	var written strings.Builder
	n, err := w.WriteTo(&written)
	require.NoError(t, err)
	assert.Equal(t, int64(written.Len()), n)
	assert.Equal(t, 2, strings.Count(written.String(), `<script nonce="another"`))

	page, err = w.HTML("")
	require.NoError(t, err)
	assert.NotContains(t, page, "nonce")
}

func TestWidgetScriptComesFromWhereItIsServed(t *testing.T) {
	t.Parallel()
	own := salesiq.Hosts{API: "http://127.0.0.1:8080/"}.DataCenter()
	for _, row := range []struct {
		why           string
		widget        widget.Widget
		address, code string
	}{
		{"as specified", widget.Widget{}, "https://salesiq.zoho.com/widget", "a b"},
		{"another data center", widget.Widget{DataCenter: salesiq.EU}, "https://salesiq.zoho.eu/widget", "a b"},
		{"as published", widget.Widget{CodeInURL: true}, "https://salesiq.zohopublic.com/widget?wc=a+b", ""},
		{"as published, elsewhere", widget.Widget{DataCenter: salesiq.CACloud, CodeInURL: true}, "https://salesiq.zohopublic.ca/widget?wc=a+b", ""},
		{"an emulator", widget.Widget{DataCenter: own}, "http://127.0.0.1:8080/widget", "a b"},
		{"an emulator without a widget host", widget.Widget{DataCenter: own, CodeInURL: true}, "http://127.0.0.1:8080/widget?wc=a+b", ""},
		{"an address of one's own", widget.Widget{ScriptURL: "https://cdn.example/w.js?v=1&x=2"}, "https://cdn.example/w.js?v=1&amp;x=2", "a b"},
		{"both", widget.Widget{ScriptURL: "https://cdn.example/w.js?v=1", CodeInURL: true}, "https://cdn.example/w.js?v=1&amp;wc=a+b", ""},
		{"an address with quotes", widget.Widget{ScriptURL: `https://cdn.example/"><script>`}, "https://cdn.example/%22%3E%3Cscript%3E", "a b"},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			row.widget.Code = "a b"
			page := render(t, row.widget)
			assert.Equal(t, row.address, page.address)
			var plan struct{ Code string }
			require.NoError(t, json.Unmarshal([]byte(page.plan), &plan))
			assert.Equal(t, row.code, plan.Code)
		})
	}
}

func TestWidgetRefusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	with := func(call widget.Call) widget.Widget {
		return widget.Widget{Code: "siq1", Calls: []widget.Call{widget.Show(), call}}
	}
	on := func(handlers ...widget.Handler) widget.Widget {
		return with(widget.On(widget.Opened, handlers...))
	}
	for _, row := range []struct {
		field  string
		widget widget.Widget
	}{
		{"Code", widget.Widget{}},
		{"nonce", widget.Widget{Code: "siq1", Nonce: `x" onload="y`}},
		{"ScriptURL", widget.Widget{Code: "siq1", ScriptURL: "javascript:alert(1)"}},
		{"ScriptURL", widget.Widget{Code: "siq1", ScriptURL: "/widget.js"}},
		{"ScriptURL", widget.Widget{Code: "siq1", ScriptURL: "https://cdn.example/?\xd3"}},
		{"DataCenter", widget.Widget{Code: "siq1", DataCenter: salesiq.DataCenter("nowhere")}},
		{"DataCenter", widget.Widget{Code: "siq1", DataCenter: salesiq.DataCenter("nowhere"), CodeInURL: true}},
		{"DataCenter", widget.Widget{Code: "siq1", DataCenter: salesiq.Hosts{API: "salesiq.example"}.DataCenter()}},
		{"Calls[1].name", with(widget.TrackEvent("", nil))},
		{"Calls[1].name", with(widget.TrackConversion("", nil))},
		{"Calls[1].message", with(widget.OpenWindowWith(""))},
		{"Calls[1].department", with(widget.SetChatDepartment(""))},
		{"Calls[1].department", with(widget.StartChat(""))},
		{"Calls[1].color", with(widget.SetThemeColor(""))},
		{"Calls[1].position", with(widget.SetButtonPosition(""))},
		{"Calls[1].function", with(widget.Invoke("a.b()"))},
		{"Calls[1].function", with(widget.Invoke(""))},
		{"Calls[1].selector", with(widget.OnClick("", widget.Show()))},
		{"Calls[1].calls", with(widget.OnClick("#a"))},
		{"Calls[1].department", with(widget.OnClick("#a", widget.StartChat("")))},
		{"Calls[1].delay", with(widget.OpenAfter(-1, "/"))},
		{"Calls[1].delay", with(widget.OpenAfter(25*24*time.Hour, "/"))}, // The timer of a browser would fire at once.
		{"Calls[1].paths", with(widget.OpenAfter(1))},
		{"Calls[1].path", with(widget.OpenAfter(1, "/pricing?plan=pro"))}, // No page would ever match.
		{"Calls[1].path", with(widget.OpenAfter(1, "/", "/#pricing"))},
		{"Calls[1].path", with(widget.OpenAfter(1, "/", "pricing"))},
		{"Calls[1].event", with(widget.On("", widget.PostTo("/")))},
		{"Calls[1].handlers", on()},
		{"Calls[1].function", on(widget.CallFunction("alert(1)"))},
		{"Calls[1].function", on(widget.CallFunction("a..b"))},
		{"Calls[1].function", on(widget.CallFunction("a\n"))},
		{"Calls[1].name", on(widget.PushDataLayer("", nil))},
		{"Calls[1].name", on(widget.SendToGtag("", nil))},
		{"Calls[1].path", on(widget.PostTo("https://elsewhere.example/"))},
		{"Calls[1].path", on(widget.PostTo("//elsewhere.example/"))},
		{"Calls[1].path", on(widget.PostTo(`/\elsewhere.example/`))},
		{"Calls[1].path", on(widget.PostTo("/\t/elsewhere.example/"))},
		{"Calls[1].path", on(widget.CallFunction("fine"), widget.PostTo(""))},
		{"Calls[1]", with(widget.SetVisitorInfo(map[string]any{"x": math.NaN()}))},
		{"Calls[1]", with(widget.TrackEvent("x", map[string]any{"x": func() {}}))},
		{"Calls[0]", widget.Widget{Code: "siq1", OfficialNames: true, Calls: []widget.Call{widget.TrackEvent("x", map[string]any{"x": math.NaN()})}}},
		{"Calls[1]", on(widget.PushDataLayer("x", map[string]any{"x": make(chan int)}))},
	} {
		t.Run(row.field, func(t *testing.T) {
			t.Parallel()
			var written strings.Builder
			_, err := row.widget.WriteTo(&written)
			var refused *salesiq.InputError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, row.field, refused.Field)
			assert.Empty(t, written.String())
		})
	}
}

func TestDelaysEndWhereTheTimerOfABrowserDoes(t *testing.T) {
	t.Parallel()
	const most = 24 * 24 * time.Hour
	for delay, fits := range map[time.Duration]bool{-1: false, 0: true, most: true, most + 1: false} {
		_, err := widget.Widget{Code: "siq1", Calls: []widget.Call{widget.OpenAfter(delay, "/")}}.WriteTo(io.Discard)
		assert.Equal(t, fits, err == nil, delay.String())
	}
}

func TestTheSnippetIsOneExpressionThatEndsNoElement(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("widget.js")
	require.NoError(t, err)
	text := strings.TrimSpace(string(source))
	assert.True(t, strings.HasPrefix(text, "(function (plan) {\n  \"use strict\";"))
	assert.True(t, strings.HasSuffix(text, "})"))
	for _, end := range []string{"</", "<!--", "eval(", "innerHTML", `JSON.parse("`} {
		assert.NotContains(t, text, end)
	}
}

// FuzzWidgetValues checks that a value is a value, wherever it stands: the
// markup and the program stay those of a harmless page, and the plan has the
// same shape and the value itself.
func FuzzWidgetValues(f *testing.F) {
	for _, value := range []string{
		"harmless", "</script><script>alert(1)</script>", "<!-- <script>", "\u2028\u2029", `"'\` + "`", "👩🏽‍🚀", "\xff", "]]>", `"));alert(1);((("`,
		"__proto__", "?\xd30", "/path", "a.b", "https://x.example/?a=b&c=d", "${x}", "\x00\r\n", `\u0022`,
	} {
		f.Add(value)
	}
	nested := func(v string) map[string]any {
		return map[string]any{"key": v, "list": []any{v, map[string]any{"x": v}}}
	}
	// Each has one place for the value in all kinds of calls; some of them
	// refuse some values.
	places := []func(v string) widget.Widget{
		func(v string) widget.Widget { return widget.Widget{Code: v} },
		func(v string) widget.Widget { return widget.Widget{Code: v, CodeInURL: true} },
		func(v string) widget.Widget { return widget.Widget{Code: "c", ScriptURL: v} },
		func(v string) widget.Widget { return widget.Widget{Code: "c", ScriptURL: "https://x.example/" + v} },
	}
	for _, call := range []func(v string) widget.Call{
		func(v string) widget.Call { return widget.SetVisitorName(v + " ") },
		func(v string) widget.Call { return widget.SetVisitorEmail(v + " ") },
		func(v string) widget.Call { return widget.SetVisitorPhone(v + " ") },
		func(v string) widget.Call { return widget.SetVisitorContactNumber(v + " ") },
		func(v string) widget.Call { return widget.SetVisitorInfo(nested(v)) },
		func(v string) widget.Call { return widget.SetVisitorInfo(map[string]any{v: 1}) },
		func(v string) widget.Call { return widget.TrackPageView(v + " ") },
		func(v string) widget.Call { return widget.TrackEvent(v, nested(v)) },
		func(v string) widget.Call { return widget.TrackConversion(v, nested(v)) },
		widget.OpenWindowWith, widget.SetChatDepartment, widget.StartChat, widget.SetThemeColor, widget.SetGreeting,
		func(v string) widget.Call { return widget.SetButtonPosition(salesiq.WidgetPosition(v)) },
		func(v string) widget.Call { return widget.Invoke(v) },
		func(v string) widget.Call { return widget.Invoke("a.b", v, nested(v)) },
		func(v string) widget.Call { return widget.OpenAfter(1, v) },
		func(v string) widget.Call { return widget.OnClick(v, widget.SetGreeting(v)) },
		func(v string) widget.Call {
			return widget.On(widget.Event(v), widget.CallFunction("f"))
		},
		func(v string) widget.Call {
			return widget.On(widget.Opened, widget.CallFunction(v))
		},
		func(v string) widget.Call {
			return widget.On(widget.Opened, widget.PostTo(v))
		},
		func(v string) widget.Call {
			return widget.On(widget.Opened, widget.PushDataLayer(v, nested(v)), widget.SendToGtag(v, nested(v)))
		},
	} {
		for _, official := range []bool{false, true} {
			places = append(places, func(v string) widget.Widget {
				return widget.Widget{Code: "c", OfficialNames: official, Calls: []widget.Call{call(v)}}
			})
		}
	}
	f.Fuzz(func(t *testing.T, value string) {
		harmless := render(t, widget.Widget{Code: "c"}).skeleton
		for _, place := range places {
			page, err := place(value).HTML(testNonce)
			if err != nil {
				require.ErrorIs(t, err, salesiq.ErrInvalidInput)
				continue
			}
			require.True(t, utf8.ValidString(string(page)))
			taken := takeApart(t, string(page))
			require.Equal(t, harmless, taken.skeleton)
			require.True(t, json.Valid([]byte(taken.plan)))
		}
		meant := strings.ToValidUTF8(value+" ", "\ufffd")
		if !utf8.ValidString(value) {
			return // Each byte that is wrong becomes a sign of its own.
		}
		plan := render(t, widget.Widget{Code: "c", Calls: []widget.Call{widget.SetVisitorName(value + " ")}}).plan
		var steps struct{ Steps []struct{ Args []string } }
		require.NoError(t, json.Unmarshal([]byte(plan), &steps))
		require.Equal(t, meant, steps.Steps[0].Args[0])
	})
}

func TestContentSecurityPolicyNamesTheSourcesOfTheWidget(t *testing.T) {
	t.Parallel()
	eu := widget.ContentSecurityPolicy(salesiq.EU)
	assert.Equal(t, []string{"https://salesiq.zoho.eu", "https://salesiq.zohopublic.eu", "https://js.zohocdn.com", "https://static.zohocdn.com"}, eu["script-src"])
	assert.Contains(t, eu["connect-src"], "wss://salesiq.zohopublic.eu")
	assert.Contains(t, eu["img-src"], "https://*.zohopublic.eu")
	assert.Equal(t, []string{"https://css.zohocdn.com", "https://static.zohocdn.com"}, eu["style-src"])
	assert.Equal(t, eu["style-src"], eu["font-src"])
	assert.Equal(t, []string{"https://salesiq.zoho.eu", "https://salesiq.zohopublic.eu"}, eu["frame-src"])
	assert.Equal(t, []string{"https://static.zohocdn.com"}, eu["media-src"])

	own := widget.ContentSecurityPolicy(salesiq.Hosts{API: "http://127.0.0.1:8080/base"}.DataCenter())
	for directive, sources := range own {
		assert.Contains(t, sources, "http://127.0.0.1:8080", directive)
	}
	assert.Equal(t, []string{"http://127.0.0.1:8080", "ws://127.0.0.1:8080"}, own["connect-src"])
	assert.Equal(t, widget.ContentSecurityPolicy(salesiq.US), widget.ContentSecurityPolicy(salesiq.DataCenter("")))
	for _, dc := range salesiq.DataCenters() {
		assert.NotContains(t, widget.ContentSecurityPolicy(dc).String(), "unsafe", string(dc))
	}
}

func TestContentPolicyMergesAndLeavesTheOriginalAlone(t *testing.T) {
	t.Parallel()
	first := widget.ContentPolicy{"script-src": {"https://a.example"}, "object-src": nil}
	second := first.With("script-src", "'self'", "https://a.example").With("default-src", "'none'")
	assert.Equal(t, "script-src https://a.example", first.String())
	assert.Equal(t, "default-src 'none'; script-src https://a.example 'self'", second.String())
	assert.Equal(t, "img-src *", widget.ContentPolicy(nil).With("img-src", "*").String())
}

func ExampleWidget() {
	page := template.Must(template.New("page").Parse(`<!doctype html>
<title>Pricing</title>
<p>Hello, {{.Name}}!</p>
{{.Widget.HTML .Nonce}}`))

	serve := func(w http.ResponseWriter, r *http.Request) {
		name, nonce := r.FormValue("name"), rand.Text()
		chat := widget.Widget{Code: "siq-your-code", DataCenter: salesiq.EU, Calls: []widget.Call{
			widget.SetVisitorName(name),
			widget.SetVisitorInfo(map[string]any{"Plan": "trial"}),
			widget.On(widget.ChatStarted, widget.SendToGtag("chat_started", nil)),
			widget.OpenAfter(3*time.Second, "/pricing"),
		}}
		policy := widget.ContentSecurityPolicy(salesiq.EU).
			With("default-src", "'self'").
			With("script-src", "'nonce-"+nonce+"'")
		w.Header().Set("Content-Security-Policy", policy.String())
		if err := page.Execute(w, map[string]any{"Name": name, "Widget": chat, "Nonce": nonce}); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}

	answer := httptest.NewRecorder()
	serve(answer, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/pricing?name=Ann", http.NoBody))
	fmt.Println(strings.Contains(answer.Body.String(), `src="https://salesiq.zoho.eu/widget" defer></script>`))
	// Output: true
}

func ExampleContentSecurityPolicy() {
	policy := widget.ContentSecurityPolicy(salesiq.Hosts{API: "http://127.0.0.1:8080"}.DataCenter()).
		With("default-src", "'self'")
	fmt.Println(policy["script-src"], policy["default-src"])
	// Output: [http://127.0.0.1:8080] ['self']
}

func ExampleOnClick() {
	chat := widget.Widget{Code: "siq-your-code", Calls: []widget.Call{
		widget.OnClick("#ask-sales", widget.SetChatDepartment("Sales"), widget.OpenWindow()),
		widget.OnClick("#hide-chat", widget.Hide()),
	}}
	page, err := chat.HTML("")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.Contains(string(page), "#ask-sales"))
	// Output: true
}
