package main

import (
	"bytes"
	"cmp"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/internal/account"
	"github.com/salesiq-go/salesiq/widget"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed style.css
	styleCSS []byte
	//go:embed icon.svg
	iconSVG []byte
	//go:embed desk.js
	deskJS []byte
)

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// visitor is who has signed in to the shop.
type visitor struct{ Name, Email, Phone, Company string }

// Initial is what the shop shows for a portrait.
func (v visitor) Initial() string {
	for _, r := range strings.ToUpper(v.Name) {
		return string(r)
	}
	return "?"
}

// report is what the widget tells the site; see widget.PostTo.
type report struct {
	Event widget.Event `json:"event"`
	Data  []any        `json:"data"`
}

// site is the shop and the desk, for one visitor at a time.
type site struct {
	client *account.Account
	code   string

	mu      sync.Mutex // Guards what follows.
	visitor visitor
	chatID  string // The chat that the widget has told of.
	reports []report
}

func newSite(client *account.Account, code string) *site {
	return &site{
		client: client,
		code:   code,
		visitor: visitor{
			Name: "Zoë O’Brien", Email: "zoe@post.example", Phone: "+1-555-0142", Company: "Tindra AB",
		},
	}
}

// handler returns all pages. Pages of other sites may not send forms here.
func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /pricing", s.page)
	mux.HandleFunc("POST /sign-in", s.signIn)
	mux.HandleFunc("POST /events", s.takeReport)
	mux.HandleFunc("GET /desk", s.desk)
	mux.HandleFunc("POST /desk/answer", s.answer)
	mux.HandleFunc("POST /desk/end", s.end)
	mux.HandleFunc("GET /style.css", serveFile("text/css; charset=utf-8", styleCSS))
	mux.HandleFunc("GET /icon.svg", serveFile("image/svg+xml", iconSVG))
	mux.HandleFunc("GET /desk.js", serveFile("text/javascript; charset=utf-8", deskJS))
	return http.NewCrossOriginProtection().Handler(mux)
}

func serveFile(contentType string, data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Write(data)
	}
}

func (s *site) signedIn() visitor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.visitor
}

// page serves the shop. Its Content-Security-Policy permits what the widget
// needs, and otherwise the site's own files alone.
func (s *site) page(w http.ResponseWriter, r *http.Request) {
	nonce := rand.Text()
	who := s.signedIn()
	var page bytes.Buffer
	err := pageTemplate.Execute(&page, map[string]any{
		"Visitor":  who,
		"Pricing":  r.URL.Path == "/pricing",
		"Emulated": s.client.Emulator != nil,
		"Pause":    s.pause(),
		"Nonce":    nonce,
		"Widget":   s.widget(who),
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	policy := widget.ContentSecurityPolicy(dataCenter(s.client)).
		With("default-src", "'none'").
		With("script-src", "'self'", "'nonce-"+nonce+"'").
		With("style-src", "'self'").
		With("img-src", "'self'").
		With("connect-src", "'self'").
		With("form-action", "'self'").
		With("base-uri", "'none'").
		With("frame-ancestors", "'none'")
	w.Header().Set("Content-Security-Policy", policy.String())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(page.Bytes())
}

// pause is how long the desk waits before it looks again. Each look at a chat is
// a call, of which an account has few a minute.
func (s *site) pause() time.Duration {
	if s.client.Live() {
		return 10 * time.Second
	}
	return time.Second
}

// widget asks all that can be asked of a widget: some of it as soon as it is
// ready, the rest when a button of the page is clicked.
func (s *site) widget(who visitor) widget.Widget {
	first, _, _ := strings.Cut(who.Name, " ")
	return widget.Widget{
		Code:          s.code,
		DataCenter:    dataCenter(s.client),
		CodeInURL:     s.client.Live(),
		OfficialNames: s.client.Live(),
		Calls: slices.Concat([]widget.Call{
			widget.SetVisitorName(who.Name),
			widget.SetVisitorEmail(who.Email),
			widget.SetVisitorPhone(who.Phone),
			widget.SetVisitorContactNumber(who.Phone),
			widget.SetVisitorInfo(map[string]any{"Company": who.Company, "Plan": "trial", "Tents bought": 2}),
			widget.SetChatDepartment("Sales"),
			widget.SetThemeColor("#166534"),
			widget.SetButtonPosition(salesiq.WidgetBottomRight),
			widget.SetGreeting("Hello " + first + "! Shall we find you a tent?"),
			widget.ShowOfflineMessage(false),
			widget.TrackPageView(""),
			widget.OpenAfter(3*time.Second, "/pricing"),
		}, eventCalls(), clickCalls()),
	}
}

// eventCalls let this site know of all that happens in the widget.
func eventCalls() []widget.Call {
	home := widget.PostTo("/events")
	return []widget.Call{
		widget.On(widget.ChatStarted, home, widget.PushDataLayer("chat_started", nil)),
		widget.On(widget.ChatEnded, home, widget.SendToGtag("chat_ended", map[string]any{"event_category": "engagement"})),
		widget.On(widget.MessageReceived, home, widget.CallFunction("desk.flash")),
		widget.On(widget.OperatorTyping, home),
		widget.On(widget.Opened, home),
		widget.On(widget.Closed, home),
	}
}

// clickCalls are what the buttons of the page do.
func clickCalls() []widget.Call {
	tent := map[string]any{"product_id": "tent-2", "price": 349.5}
	return []widget.Call{
		widget.OnClick("#ask", widget.OpenWindowWith("Does this tent stand up to a storm?")),
		widget.OnClick("#talk", widget.StartChat("Sales")),
		widget.OnClick("#cart", widget.TrackEvent("product_added", tent)),
		widget.OnClick("#buy", widget.TrackConversion("product_bought", tent)),
		widget.OnClick("#open", widget.OpenWindow()),
		widget.OnClick("#minimize", widget.MinimizeWindow()),
		widget.OnClick("#close", widget.CloseWindow()),
		widget.OnClick("#show", widget.Show()),
		widget.OnClick("#hide", widget.Hide()),
		widget.OnClick("#toggle", widget.Toggle()),
		widget.OnClick("#green", widget.SetThemeColor("#166534")),
		widget.OnClick("#blue", widget.SetThemeColor("#1d4ed8")),
		widget.OnClick("#amber", widget.SetThemeColor("#fbbf24")),
		widget.OnClick("#left", widget.SetButtonPosition(salesiq.WidgetBottomLeft)),
		widget.OnClick("#right", widget.SetButtonPosition(salesiq.WidgetBottomRight)),
		widget.OnClick("#swedish", widget.SetGreeting("Hej! Ska vi hitta ett tält?")),
		widget.OnClick("#away", widget.ShowOfflineMessage(true)),
		widget.OnClick("#back", widget.ShowOfflineMessage(false)),
	}
}

// signIn makes the visitor somebody else, whatever the name.
func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.visitor = visitor{
		Name: r.PostFormValue("name"), Email: r.PostFormValue("email"),
		Phone: r.PostFormValue("phone"), Company: r.PostFormValue("company"),
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

const (
	maxReport  = 64 << 10
	maxReports = 50
)

// takeReport notes what the widget has told. It may have been made up, so that
// the chat that it names is looked up before anything is done with it.
func (s *site) takeReport(w http.ResponseWriter, r *http.Request) {
	var told report
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxReport)).Decode(&told); err != nil {
		http.Error(w, "not a report", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports = append(s.reports, told)
	s.reports = s.reports[max(0, len(s.reports)-maxReports):]
	if told.Event == widget.ChatStarted && len(told.Data) > 0 {
		s.chatID = fmt.Sprint(told.Data[0])
	}
	w.WriteHeader(http.StatusNoContent)
}

// greetingName is how the operator calls the visitor.
func greetingName(chat *salesiq.Chat) string { return cmp.Or(chat.VisitorInfo.Name, "a visitor") }
