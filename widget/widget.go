package widget

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"html/template"
	"io"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// Widget is the chat window of a website: the snippet that loads it, and what the
// page asks of it once it has loaded. It is a plain value. Make one for each page
// that is served.
//
// Values may come from anyone. They reach the page as data, which the snippet
// reads. None can become markup or script. A [salesiq.Secret] stays hidden.
//
// A call that fails, or whose function the loaded widget does not have, is noted in
// the browser's console, at the debug level, and does nothing else. The page gets
// one global variable, $zoho, which the widget itself needs. A ready function that
// the page has set before the snippet is run first. A ready function that the page
// sets after the snippet replaces the snippet's.
//
// Source: specification, "Widget Installation" and "Initialize Widget".
type Widget struct {
	Code       string             // Required. Names the brand whose widget it is.
	DataCenter salesiq.DataCenter // Where the organization lives; US by default.
	Calls      []Call             // Made in this order as soon as the widget is ready.

	// Nonce is that of the page's Content-Security-Policy, for WriteTo. Make a new
	// one for each answer, for example with [crypto/rand.Text].
	Nonce string

	// CodeInURL loads the script as the vendor's own pages now show it, from the
	// data center's Widget host and with the code in the query:
	// https://salesiq.zohopublic.com/widget?wc=…. By default the script comes from
	// the API host, as specified, and the code is in the page.
	CodeInURL bool

	// ScriptURL loads the script from somewhere else, which ContentSecurityPolicy
	// does not know. The code is added to its query if CodeInURL is set.
	ScriptURL string

	// OfficialNames calls the functions by the names that the vendor publishes
	// for the live widget, where they differ from the specified ones. Each call
	// tells what becomes of it.
	OfficialNames bool
}

// snippet is the program that every page gets: a function of one plan.
//
//go:embed widget.js
var snippet string

// pagePlan is what the snippet reads.
type pagePlan struct {
	Code  string            `json:"code,omitzero"`
	Steps []json.RawMessage `json:"steps"`
}

// HTML returns the two script elements that install the widget, for a page of
// html/template; their place is before the end of the body. The nonce is that of
// the page's Content-Security-Policy, for both elements; an empty one leaves the
// attribute out.
//
//	{{.Widget.HTML .Nonce}}
//
// Errors: [salesiq.ErrInvalidInput] for a missing Code, an unknown DataCenter, a
// nonce that is not Base64, a ScriptURL that is not an absolute http or https URL,
// and for a call with an argument that it does not take or that JSON cannot hold.
func (w Widget) HTML(nonce string) (template.HTML, error) {
	w.Nonce = nonce
	var page strings.Builder
	_, err := w.WriteTo(&page)
	return template.HTML(page.String()), err //nolint:gosec // Nothing in it is raw: see render.
}

// WriteTo writes what HTML returns, with the Nonce of w. It returns the errors of
// HTML, and writes nothing then.
func (w Widget) WriteTo(out io.Writer) (int64, error) {
	text, err := w.render()
	if err != nil {
		return 0, err
	}
	n, err := io.WriteString(out, text)
	return int64(n), err
}

// render puts three things into fixed text: the nonce, which is checked, the
// address, which is escaped, and the plan, which is one string literal.
func (w Widget) render() (string, error) {
	address, err := w.address()
	if err != nil {
		return "", err
	}
	if err := cmp.Or(required("Code", w.Code), checkNonce(w.Nonce)); err != nil {
		return "", err
	}
	plan, err := w.plan()
	if err != nil {
		return "", err
	}
	open := "<script"
	if w.Nonce != "" {
		open += ` nonce="` + w.Nonce + `"`
	}
	program := strings.TrimSpace(snippet) + "(" + string(plan) + ");"
	return open + ">\n" + program + "\n</script>\n" +
		open + ` id="zsiqscript" src="` + html.EscapeString(address) + `" defer></script>` + "\n", nil
}

func (w Widget) plan() ([]byte, error) {
	plan := pagePlan{Code: w.Code, Steps: []json.RawMessage{}}
	if w.CodeInURL {
		plan.Code = ""
	}
	for i, call := range w.Calls {
		steps, err := call.encode(w.OfficialNames)
		if err != nil {
			return nil, callError(fmt.Sprintf("Calls[%d]", i), err)
		}
		plan.Steps = append(plan.Steps, steps...)
	}
	return wire.Script(plan)
}

// callError returns an InputError that names the call and what is wrong with it.
func callError(call string, err error) error {
	if input, ok := errors.AsType[*salesiq.InputError](err); ok {
		return inputError(call+"."+input.Field, input.Reason)
	}
	return inputError(call, "cannot be written as JSON: "+err.Error())
}

// address returns where the script is.
func (w Widget) address() (string, error) {
	address := w.ScriptURL
	refusal := inputError("ScriptURL", "must be an absolute http or https URL")
	if address == "" {
		address = w.host() + "/widget"
		refusal = inputError("DataCenter", "must be a known one, or have hosts that are absolute http or https URLs")
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || !utf8.ValidString(address) {
		return "", refusal
	}
	if w.CodeInURL {
		query := u.Query()
		query.Set("wc", w.Code)
		u.RawQuery = query.Encode()
	}
	return u.String(), nil
}

// host returns the base URL of what serves the script, without a slash at the end.
func (w Widget) host() string {
	hosts := cmp.Or(w.DataCenter, salesiq.US).Hosts()
	if w.CodeInURL {
		return widgetHost(hosts)
	}
	return strings.TrimSuffix(hosts.API, "/")
}

// widgetHost returns the base URL of the widget, without a slash at the end.
func widgetHost(hosts salesiq.Hosts) string {
	return strings.TrimSuffix(cmp.Or(hosts.Widget, hosts.API), "/")
}

// base64Text is what a nonce is made of: Base64, in either alphabet.
var base64Text = regexp.MustCompile(`^[A-Za-z0-9+/_-]+={0,2}$`)

func checkNonce(nonce string) error {
	if nonce != "" && !base64Text.MatchString(nonce) {
		return inputError("nonce", "must be Base64")
	}
	return nil
}

// ContentPolicy is a Content-Security-Policy: for each directive, the sources
// that it permits.
type ContentPolicy map[string][]string

// The hosts that serve the live widget's scripts, styles and fonts in all data
// centers.
const (
	scriptHost = "https://js.zohocdn.com"
	styleHost  = "https://css.zohocdn.com"
	staticHost = "https://static.zohocdn.com"
)

// ContentSecurityPolicy returns what a page must permit for the widget of a data
// center: script, style, font, img, connect, frame and media sources. The
// snippet itself needs a nonce, and [PostTo] the page's own server:
//
//	policy := widget.ContentSecurityPolicy(salesiq.EU).
//		With("default-src", "'self'").
//		With("connect-src", "'self'").
//		With("script-src", "'nonce-"+nonce+"'")
//	w.Header().Set("Content-Security-Policy", policy.String())
//
// A directive replaces default-src for its kind of source. The sources of the page
// itself must therefore be added to each directive that the page uses.
//
// For a data center of your own that has no Widget host, the policy permits its API
// host alone. For one that is not known, which [Widget.HTML] refuses, it permits no
// server.
//
// Source: no page of the vendor tells the sources. These are those of a site in
// Canada on which the live widget runs; those of the other data centers are
// inferred from them.
func ContentSecurityPolicy(dc salesiq.DataCenter) ContentPolicy {
	hosts := cmp.Or(dc, salesiq.US).Hosts()
	api, widget := origin(hosts.API), origin(widgetHost(hosts))
	connect := append(sources(api, widget), sources(webSocket(api), webSocket(widget))...)
	policy := ContentPolicy{
		"script-src":  sources(api, widget),
		"style-src":   nil,
		"font-src":    nil,
		"img-src":     sources(api, widget),
		"connect-src": connect,
		"frame-src":   sources(api, widget),
		"media-src":   nil,
	}
	if hosts.Widget == "" {
		return policy.With("style-src", api).With("font-src", api).With("media-src", api)
	}
	if domain, ok := strings.CutPrefix(widget, "https://salesiq."); ok {
		policy = policy.With("img-src", "https://*."+domain).With("connect-src", "https://*."+domain)
	}
	return policy.
		With("script-src", scriptHost, staticHost).
		With("style-src", styleHost, staticHost).
		With("font-src", styleHost, staticHost).
		With("img-src", scriptHost, styleHost, staticHost).
		With("connect-src", scriptHost, styleHost, staticHost).
		With("media-src", staticHost)
}

// With returns a copy of p that permits more sources under a directive.
func (p ContentPolicy) With(directive string, more ...string) ContentPolicy {
	merged := maps.Clone(p)
	if merged == nil {
		merged = ContentPolicy{}
	}
	merged[directive] = sources(append(slices.Clone(p[directive]), more...)...)
	return merged
}

// String returns the value of the Content-Security-Policy header. Directives
// without sources are left out.
func (p ContentPolicy) String() string {
	var directives []string
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if len(p[name]) > 0 {
			directives = append(directives, name+" "+strings.Join(p[name], " "))
		}
	}
	return strings.Join(directives, "; ")
}

// sources returns the sources without repetitions and empty ones.
func sources(all ...string) []string {
	var once []string
	for _, source := range all {
		if source != "" && !slices.Contains(once, source) {
			once = append(once, source)
		}
	}
	return once
}

// origin returns the scheme and host of a URL, or "" if it has none.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// webSocket returns the origin for WebSocket connections to the same host.
func webSocket(origin string) string { return strings.Replace(origin, "http", "ws", 1) }
