package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/widget"
)

// nasty is a name that would be script, if anything in a page could be.
const nasty = "</script><script>alert(1)</script>\u2028\u2029\"'`${1}\\<!--👩🏽‍🚀 &lt;"

const (
	desktopWidth, desktopHeight = 1280, 900
	phoneWidth, phoneHeight     = 390, 844
)

// example is examples/widget, as it runs.
type example struct {
	t              *testing.T
	page, emulator string
}

// startExample builds and runs the example. It ends with the test.
func startExample(t *testing.T) *example {
	t.Helper()
	needBrowser(t)
	program := filepath.Join(t.TempDir(), "widget.exe")
	built, err := exec.CommandContext(t.Context(), "go", "build", "-C", filepath.Join("..", "..", "..", "examples"), "-o", program, "./widget").CombinedOutput()
	require.NoError(t, err, string(built))

	command := exec.CommandContext(t.Context(), program)
	command.Env = append(command.Environ(), "ZOHO_REFRESH_TOKEN=", "SALESIQ_BASE_URL=")
	printed, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		assert.NoError(t, command.Process.Kill())
		assert.Error(t, command.Wait(), "it was killed")
	})
	started := &example{t: t}
	for lines := bufio.NewScanner(printed); started.page == "" && lines.Scan(); {
		if _, address, ok := strings.Cut(lines.Text(), "emulator is at "); ok {
			started.emulator = address
		}
		if _, address, ok := strings.Cut(lines.Text(), "page is at "); ok {
			started.page = strings.TrimSuffix(address, "/")
		}
	}
	require.NotEmpty(t, started.page)
	require.NotEmpty(t, started.emulator)
	return started
}

// signIn makes the visitor somebody else.
func (e *example) signIn(name, email, phone, company string) {
	e.t.Helper()
	form := url.Values{"name": {name}, "email": {email}, "phone": {phone}, "company": {company}}
	e.send(http.MethodPost, e.page+"/sign-in", strings.NewReader(form.Encode()))
}

func (e *example) send(method, address string, body io.Reader) []byte {
	e.t.Helper()
	request, err := http.NewRequestWithContext(e.t.Context(), method, address, body)
	require.NoError(e.t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(e.t, err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	require.NoError(e.t, err)
	require.Less(e.t, response.StatusCode, http.StatusBadRequest, string(data))
	return data
}

// made is a call with its arguments, as the emulator noted it.
type made struct {
	Function string `json:"function"`
	Args     []any  `json:"args"`
}

func call(function string, args ...any) made { return made{function, append([]any{}, args...)} }

// calls waits for the emulator to note a number of calls.
func (e *example) calls(count int) []made {
	e.t.Helper()
	return waitForCalls(e.t, count, func() (noted []made) {
		require.NoError(e.t, json.Unmarshal(e.send(http.MethodGet, e.emulator+"/_emulator/widget/calls", http.NoBody), &noted))
		return noted
	})
}

func waitForCalls(t *testing.T, count int, look func() []made) []made {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		noted := look()
		if len(noted) >= count || ctx.Err() != nil {
			return noted
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// readyCalls are what the example asks for as soon as the widget is ready.
func readyCalls(e *example, name, email, phone, company, path string) []made {
	first, _, _ := strings.Cut(name, " ")
	calls := []made{
		call("visitor.name", name), call("visitor.email", email), call("visitor.phone", phone), call("visitor.contactnumber", phone),
		call("visitor.info", map[string]any{"Company": company, "Plan": "trial", "Tents bought": 2.0}),
		call("chat.department", "Sales"), call("theme.color", "#166534"), call("floatbutton.position", "bottomright"),
		call("greeting.message", "Hello "+first+"! Shall we find you a tent?"), call("offlinemessage.visibility", false),
		call("tracking.pageview", e.page+path),
	}
	for _, event := range []string{"chat.start", "chat.end", "message.received", "operator.typing", "widget.opened", "widget.closed"} {
		calls = append(calls, call("on", event, "[function]"))
	}
	return calls
}

func TestEachCallOfTheExampleArrivesWithItsExactValues(t *testing.T) {
	t.Parallel()
	e := startExample(t)
	p := openTab(t, desktopWidth, desktopHeight)
	e.signIn(nasty, `"><img src=x onerror=alert(2)>@post.example`, nasty, "</SCRIPT >"+nasty)
	p.open(e.page + "/")
	want := readyCalls(e, nasty, `"><img src=x onerror=alert(2)>@post.example`, nasty, "</SCRIPT >"+nasty, "/")
	require.Equal(t, want, e.calls(len(want)))

	// What was signed in as markup is shown as text, in the page and the widget.
	assert.Equal(t, nasty, eval[string](p, `document.querySelector("#visitor-name").textContent`))
	assert.True(t, strings.HasPrefix(eval[string](p, inWidget(".bubble")+".textContent"), "Hello </script><script>alert(1)</script>\u2028\u2029"))

	tent := map[string]any{"product_id": "tent-2", "price": 349.5}
	for _, row := range []struct {
		button string
		makes  made
	}{
		{"#cart", call("tracking.event", "product_added", tent)},
		{"#buy", call("tracking.conversion", "product_bought", tent)},
		{"#open", call("floatwindow.open")},
		{"#minimize", call("floatwindow.minimize")},
		{"#close", call("floatwindow.close")},
		{"#hide", call("floatwindow.visible", "hide")},
		{"#show", call("floatwindow.visible", "show")},
		{"#toggle", call("floatwindow.visible", "toggle")},
		{"#toggle", call("floatwindow.visible", "toggle")},
		{"#blue", call("theme.color", "#1d4ed8")},
		{"#left", call("floatbutton.position", "bottomleft")},
		{"#right", call("floatbutton.position", "bottomright")},
		{"#swedish", call("greeting.message", "Hej! Ska vi hitta ett tält?")},
		{"#away", call("offlinemessage.visibility", true)},
		{"#ask", call("floatwindow.open", map[string]any{"message": "Does this tent stand up to a storm?"})},
		{"#talk", call("chat.start", "Sales")},
	} {
		p.click(row.button)
		want = append(want, row.makes)
		noted := e.calls(len(want))
		require.Equal(t, row.makes, noted[len(noted)-1], row.button)
		require.Len(t, noted, len(want))
	}
	p.isFine()
}

func TestTheWidgetDoesWhatItIsAsked(t *testing.T) {
	t.Parallel()
	e := startExample(t)
	p := openTab(t, desktopWidth, desktopHeight)
	p.open(e.page + "/")
	host := `document.querySelector("#salesiq-emulator")`
	p.until(inWidget(".bubble") + "?.textContent.startsWith('Hello Zoë')")
	p.until(host + ".dataset.position === 'bottomright'")
	for _, row := range []struct{ button, becomes string }{
		{"#open", host + ".dataset.state === 'open'"},
		{"#minimize", host + ".dataset.state === 'minimized'"},
		{"#close", host + ".dataset.state === 'closed'"},
		{"#hide", host + ".hidden"},
		{"#toggle", "!" + host + ".hidden"},
		{"#toggle", host + ".hidden"},
		{"#show", "!" + host + ".hidden"},
		{"#left", host + ".getBoundingClientRect().left < 30"},
		{"#right", "innerWidth - " + host + ".getBoundingClientRect().right < 30"},
		{"#blue", "getComputedStyle(" + inWidget(".launcher") + ").backgroundColor === 'rgb(29, 78, 216)'"},
		{"#amber", "getComputedStyle(" + inWidget(".launcher") + ").color === 'rgb(28, 36, 48)'"}, // Readable on a light color.
		{"#swedish", inWidget(".bubble") + ".textContent === 'Hej! Ska vi hitta ett tält?'"},
		{"#away", "!" + inWidget(".offline") + ".hidden"},
		{"#back", inWidget(".offline") + ".hidden"},
	} {
		p.click(row.button)
		p.until(row.becomes)
	}
	p.isFine()
}

func TestAChatGoesFromTheWidgetToTheOperatorAndBack(t *testing.T) {
	t.Parallel()
	e := startExample(t)
	p := openTab(t, desktopWidth, desktopHeight)
	p.open(e.page + "/")
	p.picture("desktop-start")
	p.clickInWidget(".launcher")
	fromVisitor := func(message string) {
		p.clickInWidget("textarea")
		p.write(message)
		p.clickInWidget(".send")
		p.until(`[...document.querySelectorAll("#conversation .visitor")].at(-1)?.textContent === ` + text(t, message))
	}
	fromOperator := func(message string) {
		p.click("#desk textarea")
		p.write(message)
		p.click("#desk .primary")
		p.until("[..." + shadow + ".querySelectorAll('.list .operator')].at(-1)?.lastChild.textContent === " + text(t, message))
	}
	fromVisitor("Hi! Does Fjellheim come in red?")
	p.until(`document.querySelector("#who").textContent === "Zoë O’Brien"`)
	fromOperator("Hello Zoë! It does, and in moss green.")
	p.until(`document.querySelector("#status").textContent === "active"`)
	fromVisitor("Lovely. Can you put one aside for me until Friday?")
	fromOperator("Done. It waits for you at the counter.")
	p.until(`document.querySelectorAll("#conversation li").length === 4`)
	p.picture("desktop-chat")
	fromVisitor("Thank you " + nasty)
	fromOperator("You are welcome " + nasty)
	p.click("#end")
	p.until(inWidget(".note") + "?.textContent === 'This chat has ended.'")
	p.clickInWidget(".close")

	for _, event := range []string{"widget.opened", "chat.start", "operator.typing", "message.received", "chat.end", "widget.closed"} {
		p.until(`[...document.querySelectorAll("#reports code")].some((code) => code.textContent === "` + event + `")`)
	}
	assert.Equal(t, "chat_started", eval[string](p, "dataLayer[0].event"))
	assert.True(t, strings.HasPrefix(eval[string](p, "dataLayer[0].event_label"), "chat"))
	assert.True(t, strings.HasPrefix(eval[string](p, "document.title"), "✉"), "desk.flash was called")
	p.isFine()
}

func TestTheChatOpensByItselfOnChosenPagesAlone(t *testing.T) {
	t.Parallel()
	e := startExample(t)
	chosen, other := openTab(t, desktopWidth, desktopHeight), openTab(t, desktopWidth, desktopHeight)
	other.open(e.page + "/")
	other.until(inWidget(".bubble") + "?.checkVisibility()")
	chosen.open(e.page + "/pricing")
	chosen.until(`document.querySelector("#salesiq-emulator")?.dataset.state === "open"`)
	chosen.picture("pricing")
	assert.Equal(t, "closed", eval[string](other, `document.querySelector("#salesiq-emulator").dataset.state`))
	chosen.isFine()
	other.isFine()
}

func TestWhatTheOperatorWroteOutlivesAFailure(t *testing.T) {
	t.Parallel()
	e := startExample(t)
	p := openTab(t, desktopWidth, desktopHeight)
	p.open(e.page + "/")
	p.until(inWidget(".bubble") + "?.checkVisibility()") // From then on, the buttons do something.
	p.click("#ask")
	p.until("!document.querySelector('#desk textarea').disabled")
	eval[bool](p, "(window.kept = fetch, window.fetch = async () => { throw new TypeError('no network'); }, true)")
	p.click("#desk textarea")
	p.write("A long answer")
	p.click("#desk .primary")
	p.until("!document.querySelector('#problem').hidden")
	assert.Equal(t, "A long answer", eval[string](p, "document.querySelector('#desk textarea').value"))
	eval[bool](p, "(window.fetch = kept, true)")
	p.until("!document.querySelector('#desk .primary').disabled")
	p.click("#desk .primary")
	p.until("[..." + shadow + ".querySelectorAll('.list .operator')].at(-1)?.lastChild.textContent === 'A long answer'")
	assert.True(t, eval[bool](p, "document.querySelector('#problem').hidden"))
	p.isFine()
}

func TestTheDelayedOpeningKnowsThePage(t *testing.T) {
	t.Parallel()
	p := openTab(t, desktopWidth, desktopHeight)
	for _, row := range []struct {
		why, page, path string
		opens           bool
	}{
		{"a query and a fragment do not count", "/pricing?plan=pro#top", "/pricing", true},
		{"a slash at the end counts", "/pricing/", "/pricing", false},
		{"a beginning is enough", "/pricing/", "/pricing*", true},
		{"browsers escape", "/%C3%BCber%20uns", "/über uns", true},
		{"escapes are written in two ways", "/caf%c3%a9/x", "/caf%C3%A9/*", true},
		{"escapes of another encoding are no reason to fail", "/caf%E9", "/*", true},
		{"the visitor has gone on", "/leave", "/leave", false},
	} {
		s := openShop(t, widget.Widget{Code: "siq1", Calls: []widget.Call{
			widget.On(widget.Opened, widget.CallFunction("opened")),
			widget.OpenAfter(50*time.Millisecond, row.path),
		}}, `function opened() { window.wasOpened = true; }`, `
			const ready = $zoho.salesiq.ready;
			$zoho.salesiq.ready = () => {
				ready();
				if (location.pathname === "/leave") history.pushState(null, "", "/left");
			};`)
		p.open(s.URL + row.page)
		s.calls(t, 1) // The widget is ready, and the delay has begun.
		eval[bool](p, "(setTimeout(() => window.timeIsUp = true, 100), true)")
		p.until("window.timeIsUp")
		assert.Equal(t, row.opens, eval[bool](p, "Boolean(window.wasOpened)"), row.why)
	}
	p.isFine()
}

func TestTheExampleFitsAPhone(t *testing.T) {
	t.Parallel()
	e := startExample(t)
	p := openTab(t, phoneWidth, phoneHeight)
	e.signIn(strings.Repeat("Wolfeschlegelstein", 5)+" von Hausenberger", "w@post.example", "", "")
	p.open(e.page + "/")
	p.until(inWidget(".bubble") + "?.checkVisibility()")
	p.picture("phone-start")
	assert.LessOrEqual(t, eval[int](p, "document.documentElement.scrollWidth"), phoneWidth)
	assert.Equal(t, "[]", eval[string](p, "JSON.stringify("+buttonsBelow+"("+inWidget(".bubble")+"))"), "the greeting covers no button")
	assert.True(t, eval[bool](p, "(scrollBy(0, 300), true)"))
	p.until("!" + inWidget(".bubble") + ".checkVisibility()") // Nor what is scrolled to.
	p.click("#ask")
	p.until(inWidget(".list .visitor:not(.pending)"))
	p.picture("phone-chat")
	box := eval[[]float64](p, "(() => { const r = "+inWidget(".panel")+".getBoundingClientRect(); return [r.left, r.right, r.top, r.bottom]; })()")
	assert.GreaterOrEqual(t, min(box[0], box[2]), 0.0)
	assert.LessOrEqual(t, box[1], float64(phoneWidth))
	assert.LessOrEqual(t, box[3], float64(phoneHeight))
	p.isFine()
}

// buttonsBelow is a function that lists the buttons of the page that an element
// covers.
const buttonsBelow = `((cover) => [...document.querySelectorAll("button")].filter((button) => {
	const a = cover.getBoundingClientRect(), b = button.getBoundingClientRect();
	return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}).map((button) => button.textContent))`

func TestPricesStandOnOneLine(t *testing.T) {
	t.Parallel()
	e := startExample(t)
	p := openTab(t, desktopWidth, desktopHeight)
	p.open(e.page + "/pricing")
	p.picture("pricing")
	tops := eval[[]float64](p, `[...document.querySelectorAll(".plans span")].map((price) => price.getBoundingClientRect().top)`)
	require.Len(t, tops, 3)
	assert.Equal(t, []float64{tops[0], tops[0], tops[0]}, tops)
	p.isFine()
}

func TestTheNewestCallStandsOnTopAsAWhole(t *testing.T) {
	t.Parallel()
	e := startExample(t)
	p := openTab(t, desktopWidth, desktopHeight)
	p.open(e.page + "/pricing")
	p.until(`document.querySelector("#calls li")?.textContent === "floatwindow.open()"`)
	assert.True(t, eval[bool](p, `document.querySelector("#calls li").getBoundingClientRect().top >= document.querySelector("#calls").getBoundingClientRect().top`))
	p.isFine()
}

func TestTheWidgetIsUsedWithoutAMouse(t *testing.T) {
	t.Parallel()
	p := openTab(t, desktopWidth, desktopHeight)
	s := openShop(t, widget.Widget{Code: "siq1"}, "", "")
	p.open(s.URL)
	p.until(inWidget(".launcher") + "?.checkVisibility()")
	for _, row := range []struct{ on, key, state, focus string }{
		{".launcher", "\r", "open", "textarea"},
		{"textarea", "\x1b", "closed", ".launcher"},
		{".launcher", " ", "open", "textarea"},
		{".minimize", "\r", "minimized", ".minimize"},
		{".minimize", "\r", "open", "textarea"},
		{".close", "\r", "closed", ".launcher"},
	} {
		eval[bool](p, "("+inWidget(row.on)+".focus(), true)")
		p.press(row.key)
		p.until(`document.querySelector("#salesiq-emulator").dataset.state === "` + row.state + `"`)
		assert.True(t, eval[bool](p, shadow+".activeElement === "+inWidget(row.focus)), "%s on %s leaves the focus elsewhere", row.key, row.on)
		assert.Empty(t, eval[string](p, inWidget("textarea")+".value"), "a key that opens the window writes nothing")
	}
	p.isFine()
}

// shop is a page of the test's own, under a strict policy.
type shop struct {
	*httptest.Server

	emulator *salesiqtest.Server

	mu    sync.Mutex
	posts []string
}

var shopPage = template.Must(template.New("shop").Parse(`<!doctype html><title>Shop</title><link rel="icon" href="/icon">
<p id="hello">Hello</p><button id="button">Go</button>
<script nonce="{{.Nonce}}">{{.Before}}</script>
{{.Widget}}
<script nonce="{{.Nonce}}">{{.After}} window.pageIsDone = true;</script>`))

// openShop serves one page with a widget, before and after which it runs script
// of its own.
func openShop(t *testing.T, w widget.Widget, before, after template.JS) *shop {
	t.Helper()
	const nonce = "bm9uY2U="
	s := &shop{emulator: salesiqtest.Start(t)}
	w.DataCenter = salesiq.Hosts{API: s.emulator.URL}.DataCenter()
	if w.OfficialNames {
		w.ScriptURL = s.emulator.URL + "/widget?surface=official"
	}
	snippet, err := w.HTML(nonce)
	require.NoError(t, err)
	policy := widget.ContentSecurityPolicy(w.DataCenter).
		With("default-src", "'none'").With("script-src", "'nonce-"+nonce+"'").With("connect-src", "'self'").With("img-src", "'self'").
		With("base-uri", "'none'").With("form-action", "'none'").With("require-trusted-types-for", "'script'")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /icon", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("POST /events", func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.posts = append(s.posts, string(body))
	})
	mux.HandleFunc("GET /{page...}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", policy.String())
		assert.NoError(t, shopPage.Execute(w, map[string]any{"Nonce": nonce, "Widget": snippet, "Before": before, "After": after}))
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *shop) calls(t *testing.T, count int) []made {
	t.Helper()
	return waitForCalls(t, count, func() (noted []made) {
		for _, c := range s.emulator.WidgetCalls() {
			noted = append(noted, made{c.Function, c.Args})
		}
		return noted
	})
}

func (s *shop) posted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.posts...)
}

func TestTheTestsSeeWhatIsForbidden(t *testing.T) {
	t.Parallel()
	p := openTab(t, desktopWidth, desktopHeight)
	s := openShop(t, widget.Widget{Code: "siq1"}, `alert("seen")`, `
		new Image().src = "https://elsewhere.example/dot";
		try { document.body.innerHTML = "<b>text</b>"; } catch { window.refused = true; }`)
	p.open(s.URL)
	p.until("window.pageIsDone && window.refused")
	problems := strings.Join(p.all(), "\n")
	assert.Contains(t, problems, "dialog: seen")
	assert.Contains(t, problems, "violation of img-src by https://elsewhere.example/dot")
	assert.Contains(t, problems, "violation of require-trusted-types-for")
}

func TestAMissingFunctionLeavesThePageWorking(t *testing.T) {
	t.Parallel()
	p := openTab(t, desktopWidth, desktopHeight)
	s := openShop(t, widget.Widget{Code: "siq1", Calls: []widget.Call{
		widget.Invoke("nowhere.to.be.found", 1),
		widget.Invoke("theme.missing"),
		widget.Invoke("visitor"),
		widget.OnClick("(no selector", widget.Show()),
		widget.OnClick("#button", widget.Invoke("missing"), widget.SetVisitorEmail("a@b.example")),
		widget.On(widget.Opened, widget.CallFunction("missing.function"), widget.SendToGtag("no gtag here", nil)),
		widget.On(widget.Opened, widget.CallFunction("fails"), widget.PostTo("/nowhere"), widget.CallFunction("opened")),
		widget.SetThemeColor("no color"),
		widget.SetVisitorName("Ann"),
		widget.OpenWindow(),
	}}, `
		addEventListener("load", () => { document.querySelector("#button").onclick = (event) => event.stopPropagation(); });
		function fails() { throw new Error("on purpose"); } function opened() { window.wasOpened = true; }`, "")
	p.open(s.URL)
	p.until("window.wasOpened && window.pageIsDone")
	p.click("#button")
	want := []made{
		call("on", "widget.opened", "[function]"), call("on", "widget.opened", "[function]"),
		call("theme.color", "no color"), call("visitor.name", "Ann"), call("floatwindow.open"), call("visitor.email", "a@b.example"),
	}
	assert.Equal(t, want, s.calls(t, len(want)))
	assert.NotEqual(t, "rgba(0, 0, 0, 0)", eval[string](p, "getComputedStyle("+inWidget("header")+").backgroundColor"), "it stays visible")
	for _, problem := range p.all() {
		assert.Contains(t, problem, "/nowhere", "a server that refuses a report is all there is to complain about")
	}
}

func TestAWidgetThatDoesNotLoadLeavesThePageWorking(t *testing.T) {
	t.Parallel()
	p := openTab(t, desktopWidth, desktopHeight)
	s := openShop(t, widget.Widget{Code: "siq1", Calls: []widget.Call{widget.SetVisitorName("Ann")}}, "", "")
	require.NoError(t, s.emulator.Inject(salesiqtest.Fault{Path: "/widget", Status: http.StatusServiceUnavailable}))
	p.open(s.URL)
	p.until("window.pageIsDone && document.readyState === 'complete'")
	for _, problem := range p.all() {
		assert.Contains(t, problem, "503")
	}
}

func TestTheSnippetAddsOneGlobalAndKeepsTheReadyFunctionOfThePage(t *testing.T) {
	t.Parallel()
	p := openTab(t, desktopWidth, desktopHeight)
	s := openShop(t, widget.Widget{Code: "siq1", Calls: []widget.Call{widget.SetVisitorName("Ann")}}, `
		Object.defineProperty(window, "$zoho", {value: {salesiq: {
			ready() { window.ownReady = (window.ownReady || 0) + 1; throw new Error("own mistake"); }, values: {kept: 1},
		}}});
		window.before = Object.getOwnPropertyNames(window);`, `
		window.added = Object.getOwnPropertyNames(window).filter((name) => !before.includes(name) && name !== "before");`)
	p.open(s.URL)
	want := []made{call("visitor.name", "Ann")}
	assert.Equal(t, want, s.calls(t, 1))
	assert.Empty(t, eval[[]string](p, "window.added"))
	assert.Equal(t, 1, eval[int](p, "window.ownReady"))
	assert.Equal(t, "siq1", eval[string](p, "$zoho.salesiq.widgetcode"))
	assert.Equal(t, 1, eval[int](p, "$zoho.salesiq.values.kept"))
	require.Len(t, p.all(), 1)
	assert.Contains(t, p.all()[0], "own mistake")
}

func TestAWidgetThatIsLoadedTwiceIsThereOnce(t *testing.T) {
	t.Parallel()
	p := openTab(t, desktopWidth, desktopHeight)
	s := openShop(t, widget.Widget{Code: "siq1", Calls: []widget.Call{widget.SetVisitorName("Ann")}}, "", `
		const again = document.createElement("script");
		again.src = trustedTypes.createPolicy("again", {createScriptURL: (address) => address}).createScriptURL(document.querySelector("#zsiqscript").src);
		again.onload = () => { window.loadedAgain = true; };
		document.body.append(again);`)
	p.open(s.URL)
	p.until("window.loadedAgain && $zoho.salesiq.visitor")
	assert.Equal(t, []made{call("visitor.name", "Ann")}, s.calls(t, 1))
	assert.Equal(t, 1, eval[int](p, `document.querySelectorAll("#salesiq-emulator").length`))
	eval[bool](p, `(() => { const info = {tents: 1}; $zoho.salesiq.visitor.name("Bo"); $zoho.salesiq.visitor.info(info); info.tents = 2; return true; })()`)
	assert.Equal(t, call("visitor.info", map[string]any{"tents": 1.0}), s.calls(t, 3)[2], "as it was when the call was made")
	p.isFine()
}

func TestCallsAreMadeAtOnceWhereTheWidgetHasLoadedAlready(t *testing.T) {
	t.Parallel()
	p := openTab(t, desktopWidth, desktopHeight)
	s := openShop(t, widget.Widget{Code: "siq1", Calls: []widget.Call{widget.SetVisitorName(nasty)}}, `
		window.names = [];
		window.$zoho = {salesiq: {visitor: {name(name) { names.push(name); }}}};`, `
		$zoho.salesiq.ready();`)
	p.open(s.URL)
	assert.Equal(t, []string{nasty}, eval[[]string](p, "names"), "once, although the widget is ready twice")
	p.isFine()
}

func TestEventsReachFunctionsAnalyticsAndTheServer(t *testing.T) {
	t.Parallel()
	p := openTab(t, desktopWidth, desktopHeight)
	fields := map[string]any{"category": nasty}
	s := openShop(t, widget.Widget{Code: "siq1", Calls: []widget.Call{
		widget.On(widget.ChatStarted, widget.CallFunction("app.chat.started"),
			widget.PushDataLayer("started", fields), widget.SendToGtag("started", fields), widget.PostTo("/events?from=widget")),
		widget.On(widget.MessageReceived, widget.PushDataLayer("message", nil), widget.PostTo("/events")),
		widget.OpenWindowWith(nasty),
	}}, `
		window.pushed = [];
		function gtag() { pushed.push([...arguments]); }
		window.app = {chat: {id: "", started(id) { this.id = id; }}};`, "")
	p.open(s.URL)
	p.until("window.app.chat.id && window.dataLayer.length === 1 && window.pushed.length === 1")
	chatID := eval[string](p, "app.chat.id")
	chat, ok := s.emulator.Chat(chatID)
	require.True(t, ok)
	assert.Equal(t, nasty, chat.Transcript[0].Text)
	assert.Equal(t, map[string]any{"event": "started", "category": nasty, "event_label": chatID}, eval[map[string]any](p, "dataLayer[0]"))
	assert.Equal(t, []any{"event", "started", map[string]any{"category": nasty, "event_label": chatID}}, eval[[]any](p, "pushed[0]"))

	client := s.emulator.Client(t)
	_, err := client.Chats.Transfer(t.Context(), chatID, &salesiq.ChatTransfer{OperatorID: "operator456"})
	require.NoError(t, err)
	_, err = client.Chats.SendMessage(t.Context(), chatID, salesiq.TextMessage("private words"))
	require.NoError(t, err)
	p.until("window.dataLayer.length === 2")
	assert.Equal(t, map[string]any{"event": "message"}, eval[map[string]any](p, "dataLayer[1]"), "analytics learn no words")
	require.Eventually(t, func() bool { return len(s.posted()) == 2 }, patience, 20*time.Millisecond)
	assert.JSONEq(t, `{"event":"chat.start","data":["`+chatID+`"]}`, s.posted()[0])
	assert.Contains(t, s.posted()[1], "private words")
	p.isFine()
}

func TestEventsAreHandledWhateverThePageMakesOfThem(t *testing.T) {
	t.Parallel()
	p := openTab(t, desktopWidth, desktopHeight)
	fields := map[string]any{"__proto__": map[string]any{"event_label": "inherited"}, "nested": map[string]any{"kept": true}}
	s := openShop(t, widget.Widget{Code: "siq1", Calls: []widget.Call{
		widget.On(widget.ChatStarted, widget.PushDataLayer("started", fields)),
		widget.On(widget.Opened, widget.SendToGtag("opened", fields)),
		widget.On(widget.Closed, widget.PushDataLayer("closed", nil), widget.CallFunction("closed")),
		widget.OpenWindowWith("Hi"),
	}}, `
		window.seen = [];
		function gtag(kind, name, fields) { seen.push(JSON.stringify(fields)); fields.nested.kept = false; }
		function closed() { window.wasClosed = true; }`, "")
	p.open(s.URL)
	p.until("window.dataLayer?.length && seen.length")
	assert.JSONEq(t, `{"__proto__":{"event_label":"inherited"},"nested":{"kept":true}}`, eval[string](p, "seen[0]"))
	assert.True(t, eval[bool](p, `Object.hasOwn(dataLayer[0], "__proto__") && dataLayer[0].event_label.startsWith("chat")`))
	assert.True(t, eval[bool](p, `(dataLayer = {}, $zoho.salesiq.floatwindow.close(), wasClosed)`), "a dataLayer that takes nothing keeps nobody else from hearing")
	eval[bool](p, "($zoho.salesiq.floatwindow.open(), true)")
	assert.Equal(t, eval[string](p, "seen[0]"), eval[string](p, "seen[1]"), "what the page does to the fields is gone the next time")
	p.isFine()
}

func TestLongValuesArrive(t *testing.T) {
	t.Parallel()
	p := openTab(t, desktopWidth, desktopHeight)
	long := strings.Repeat("é", 40_000) // Beyond what browsers keep alive.
	s := openShop(t, widget.Widget{Code: "siq1", Calls: []widget.Call{
		widget.On(widget.MessageReceived, widget.PostTo("/events")),
		widget.On(widget.ChatStarted, widget.CallFunction("started")),
		widget.SetVisitorInfo(map[string]any{"long": long}),
		widget.OpenWindowWith(long),
	}}, `function started(id) { window.chatID = id; }`, "")
	p.open(s.URL)
	p.until("window.chatID")
	noted := s.calls(t, 4)
	assert.Equal(t, []made{call("visitor.info", map[string]any{"long": long}), call("floatwindow.open", map[string]any{"message": long})}, noted[2:])

	client, chatID := s.emulator.Client(t), eval[string](p, "chatID")
	_, err := client.Chats.Transfer(t.Context(), chatID, &salesiq.ChatTransfer{OperatorID: "operator456"})
	require.NoError(t, err)
	_, err = client.Chats.SendMessage(t.Context(), chatID, salesiq.TextMessage(long))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(s.posted()) == 1 }, patience, 20*time.Millisecond)
	assert.Contains(t, s.posted()[0], long)
	p.isFine()
}

func TestMessagesOfEveryKindAreShownAsText(t *testing.T) {
	t.Parallel()
	p := openTab(t, desktopWidth, desktopHeight)
	s := openShop(t, widget.Widget{Code: "siq1", Calls: []widget.Call{
		widget.On(widget.ChatStarted, widget.CallFunction("started")), widget.OpenWindowWith("Hi"),
	}}, `function started(id) { window.chatID = id; }`, "")
	p.open(s.URL)
	p.until("window.chatID")
	client, chatID := s.emulator.Client(t), eval[string](p, "chatID")
	_, err := client.Chats.Transfer(t.Context(), chatID, &salesiq.ChatTransfer{OperatorID: "operator456"})
	require.NoError(t, err)
	for _, row := range []struct {
		message *salesiq.MessageCreate
		shown   string
	}{
		{salesiq.HTMLMessage("<b>Hi</b><img src=x onerror=alert(1)>"), "<b>Hi</b><img src=x onerror=alert(1)>"},
		{salesiq.AttachmentMessage("", map[string]any{"url": "https://shop.example/tent.pdf"}), "(attachment)"},
		{salesiq.TextMessage("نعم، بالتأكيد! (2)."), "نعم، بالتأكيد! (2)."},
	} {
		_, err := client.Chats.SendMessage(t.Context(), chatID, row.message)
		require.NoError(t, err)
		p.until("[..." + shadow + ".querySelectorAll('.list .operator')].at(-1)?.lastChild.textContent === " + text(t, row.shown))
	}
	assert.Equal(t, "plaintext", eval[string](p, "getComputedStyle("+inWidget(".operator")+").unicodeBidi"), "Arabic runs from the right")
	p.isFine()
}

func TestOfficialNamesWorkWhereOnlyTheyExist(t *testing.T) {
	t.Parallel()
	p := openTab(t, desktopWidth, desktopHeight)
	s := openShop(t, widget.Widget{Code: "siq 1&2", OfficialNames: true, CodeInURL: true, Calls: []widget.Call{
		widget.SetVisitorName(nasty), widget.SetVisitorPhone("+1"), widget.SetThemeColor("red"), widget.Toggle(),
		widget.TrackEvent("viewed", map[string]any{"price": 1.5}),
		widget.On(widget.Opened, widget.CallFunction("opened")),
		widget.On(widget.ChatStarted, widget.CallFunction("started")),
		widget.On(widget.OperatorTyping, widget.CallFunction("typing")),
		widget.OnClick("#button", widget.OpenWindowWith("Prices?")),
		widget.OpenAfter(10*time.Millisecond, "/docs/*"),
	}}, `function opened() { window.wasOpened = true; } function started(id, data) { window.begun = [id, data.chat_id]; }`, "")
	p.open(s.URL + "/docs/first")
	p.until("window.wasOpened")
	p.click("#button")
	p.until("window.begun")
	begun := eval[[]string](p, "window.begun")
	assert.Equal(t, begun[0], begun[1])
	want := []made{
		call("visitor.name", nasty), call("visitor.contactnumber", "+1"), call("visitor.customaction", `viewed {"price":1.5}`),
		call("floatwindow.open", "[function]"), call("visitor.chat", "[function]"), call("floatwindow.visible", "show"),
		call("visitor.question", "Prices?"), call("chat.start"),
	}
	assert.Equal(t, want, s.calls(t, len(want)))
	assert.Equal(t, "siq 1&2", s.emulator.WidgetCalls()[0].Code)
	p.isFine()
}
