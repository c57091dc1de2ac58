// Package browser tries the widget in a real one. Where there is none, tests are
// skipped, and say so.
package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	browserlog "github.com/chromedp/cdproto/log"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for what must happen. It is long, since a
// browser on a busy machine is slow; nothing waits for it that goes well.
const patience = 30 * time.Second

// browser starts the one that all tests share. Each test has a profile of its
// own in it.
var browser = sync.OnceValues(startBrowser)

// stopBrowser ends it, if it was started.
var stopBrowser = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	stopBrowser()
	os.Exit(code)
}

// findBrowser returns the path of Chromium, or "".
func findBrowser() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func startBrowser() (context.Context, error) {
	profile, err := os.MkdirTemp("", "e2e-browser")
	if err != nil {
		return nil, err
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(findBrowser()), chromedp.UserDataDir(profile), chromedp.Headless, chromedp.NoSandbox,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.DisableGPU,
		chromedp.WSURLReadTimeout(2 * patience),
	}
	for _, flag := range []string{
		"disable-background-networking", "disable-component-update", "disable-sync", "disable-quic",
		"disable-dev-shm-usage", "disable-extensions", "no-proxy-server", "hide-scrollbars",
	} {
		options = append(options, chromedp.Flag(flag, true))
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(allocator)
	stopBrowser = func() {
		stop()
		stopAllocator()
		os.RemoveAll(profile) //nolint:errcheck // It is in the temporary folder anyway.
	}
	return ctx, chromedp.Do(ctx)
}

// tab is a page in the browser, with all that went wrong in it.
type tab struct {
	t   *testing.T
	ctx context.Context // It is how chromedp hands out a page.

	mu       sync.Mutex
	problems []string
}

// witness reports each violation of the Content-Security-Policy as an error.
const witness = `addEventListener("securitypolicyviolation", (event) =>
	console.error("violation of " + event.violatedDirective + " by " + event.blockedURI));`

// needBrowser skips the test where there is no browser.
func needBrowser(t *testing.T) {
	t.Helper()
	if findBrowser() == "" {
		t.Skip("no Chromium on this machine: nothing is tried in a browser (Debian's package is called chromium)")
	}
}

// openTab opens a page without cookies and without memory.
func openTab(t *testing.T, width, height int64) *tab {
	t.Helper()
	needBrowser(t)
	process, err := browser()
	require.NoError(t, err)
	ctx, closeTab := chromedp.NewContext(process, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	opened := &tab{t: t, ctx: ctx}
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, height)))
	require.NoError(t, chromedp.Listen(ctx, opened.note))
	_, err = chromedp.Call(ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: witness})
	require.NoError(t, err)
	return opened
}

// note keeps what must not happen: errors, exceptions, violations, dialogs.
func (p *tab) note(event any) {
	problem := ""
	switch event := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if event.Type == runtime.ConsoleAPICalledTypeError || event.Type == runtime.ConsoleAPICalledTypeAssert {
			words := []string{"console:"}
			for _, argument := range event.Args {
				words = append(words, string(argument.Value)+argument.Description)
			}
			problem = strings.Join(words, " ")
		}
	case *runtime.EventExceptionThrown:
		problem = "exception: " + event.ExceptionDetails.Text
		if event.ExceptionDetails.Exception != nil {
			problem += " " + event.ExceptionDetails.Exception.Description
		}
	case *browserlog.EventEntryAdded:
		if event.Entry.Level == browserlog.EntryLevelError {
			problem = "log: " + event.Entry.Text + " " + event.Entry.URL
		}
	case *cdppage.EventJavascriptDialogOpening:
		problem = "dialog: " + event.Message
		go chromedp.Call(p.ctx, cdppage.HandleJavaScriptDialog, cdppage.HandleJavaScriptDialogParams{Accept: true}) //nolint:errcheck // The test fails anyway.
	}
	if problem != "" {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.problems = append(p.problems, problem)
	}
}

// all returns what went wrong so far.
func (p *tab) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.problems...)
}

// isFine checks that nothing went wrong.
func (p *tab) isFine() {
	p.t.Helper()
	assert.Empty(p.t, p.all(), "the browser complains")
}

// run does something in the tab and returns what came of it.
func run[T any](p *tab, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	require.NoError(p.t, err)
	return value
}

func (p *tab) open(address string) {
	p.t.Helper()
	run(p, chromedp.Navigate(address))
}

// click clicks with the mouse, as people do: on what is visible.
func (p *tab) click(selector string) {
	p.t.Helper()
	run(p, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// write types into what has the focus.
func (p *tab) write(text string) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, input.InsertText, input.InsertTextParams{Text: text})
	require.NoError(p.t, err)
}

// press presses a key on what has the focus.
func (p *tab) press(key string) {
	p.t.Helper()
	run(p, chromedp.KeyEvent(key))
}

// eval returns the value of an expression.
func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	return run(p, chromedp.Evaluate[T](expression))
}

// until waits for an expression to become true.
func (p *tab) until(expression string) {
	p.t.Helper()
	deadline := time.Now().Add(patience)
	for !eval[bool](p, "Boolean("+expression+")") {
		if time.Now().After(deadline) {
			require.Fail(p.t, "this never became true: "+expression, "problems: %v", p.all())
		}
		run(p, chromedp.Sleep(50*time.Millisecond))
	}
}

// shadow is the stand-in's shadow tree, and inWidget a part of it.
const shadow = `document.querySelector("#salesiq-emulator")?.shadowRoot`

func inWidget(selector string) string { return fmt.Sprintf("%s?.querySelector(%q)", shadow, selector) }

// clickInWidget clicks on a part of the widget.
func (p *tab) clickInWidget(selector string) {
	p.t.Helper()
	p.until(inWidget(selector) + "?.checkVisibility()")
	at := eval[[]float64](p, fmt.Sprintf("(() => { const r = %s.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()", inWidget(selector)))
	run(p, chromedp.MouseClickXY(at[0], at[1]))
}

// picture saves what is to be seen, for whoever runs the tests with -artifacts.
func (p *tab) picture(name string) {
	p.t.Helper()
	image := run(p, chromedp.CaptureScreenshot())
	require.NoError(p.t, os.WriteFile(filepath.Join(p.t.ArtifactDir(), name+".png"), image, 0o600))
}

// text quotes a Go string for JavaScript.
func text(t *testing.T, value string) string {
	t.Helper()
	literal, err := json.Marshal(value)
	require.NoError(t, err)
	return string(literal)
}
