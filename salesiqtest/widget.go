package salesiqtest

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"maps"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq"
)

// widgetScript is what /widget serves.
//
//go:embed widget.js
var widgetScript []byte

// WidgetCall is one call that a page made to the widget of [Server.URL]/widget.
type WidgetCall struct {
	At        time.Time `json:"at"`         // By the server's clock.
	Code      string    `json:"code"`       // The widget's.
	Page      string    `json:"page"`       // The address of the page.
	VisitorID string    `json:"visitor_id"` // The visitor whom the server made of the browser.
	Function  string    `json:"function"`   // Below $zoho.salesiq, such as "visitor.name".
	Args      []any     `json:"args"`       // As JSON decodes them; "[function]" for a function.
}

// WidgetCalls returns the calls that pages made to the widget, oldest first:
// the last 9,000 of them at least.
func (s *Server) WidgetCalls() []WidgetCall {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.widget.calls.all()
}

// widget is what the service remembers of browsers.
type widget struct {
	calls  history[WidgetCall]
	visits map[string]*visit // By the key that a browser made up for itself.

	received int // Bytes that count for maxPageBytes.
}

// visit is a browser that has the widget.
type visit struct {
	visitorID    string
	chatID       string // The latest; "" before the first.
	departmentID string // That the page has chosen.
}

func serveWidget(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Write(widgetScript)
}

// permitAnyOrigin lets pages of other servers call, as they do with the real widget.
func permitAnyOrigin(header http.Header) {
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Access-Control-Allow-Headers", "Content-Type")
}

// preflight answers a browser that asks whether it may call.
func preflight(w http.ResponseWriter, _ *http.Request) {
	permitAnyOrigin(w.Header())
	w.WriteHeader(http.StatusNoContent)
}

// widgetRequest is the body of what the widget tells.
type widgetRequest struct {
	Key  string `json:"visitor"`
	Code string `json:"code"`
	Page string `json:"page"`

	Referrer         string `json:"referrer"` // Of a visit,
	Language         string `json:"language"`
	Timezone         string `json:"timezone"`
	ScreenResolution string `json:"screen_resolution"`

	Function string `json:"function"` // of a call,
	Args     []any  `json:"args"`

	Message string   `json:"message"` // of what is said,
	Values  []string `json:"values"`  // or chosen of a card or suggestions,
	File    *struct {
		Name    string `json:"name"`
		Type    string `json:"type"`
		Content []byte `json:"content"`
	} `json:"file"` // and of what is attached.
}

func fromWidget(handle func(*state, widgetRequest) (any, error)) handler {
	return act(func(s *state, _ string, request widgetRequest) (any, error) {
		if request.Key == "" {
			return nil, missing("visitor")
		}
		return handle(s, request)
	})
}

// visit finds the visit of a browser. A browser that comes for the first time
// becomes a visitor.
func (s *state) visit(request widgetRequest) (*visit, *salesiq.Visitor) {
	if known, ok := s.widget.visits[request.Key]; ok {
		if visitor, ok := s.visitors.get(known.visitorID); ok {
			return known, visitor
		}
	}
	if s.widget.visits == nil {
		s.widget.visits = map[string]*visit{}
	}
	visitor := s.visitorComes(s.newID(visitorPrefix), request.Page)
	begun := &visit{visitorID: visitor.ID}
	s.widget.visits[request.Key] = begun
	return begun, visitor
}

// beginVisit answers what the widget shows at first.
func (s *state) beginVisit(request widgetRequest) (any, error) {
	visit, visitor := s.visit(request)
	visitor.CurrentPage, visitor.LastVisit = request.Page, s.now
	visitor.PagesVisited++
	visitor.Referrer, visitor.Language = request.Referrer, request.Language
	visitor.Timezone, visitor.ScreenResolution = request.Timezone, request.ScreenResolution
	brand := cmp.Or(s.firstApp(), &salesiq.Brand{Name: "Chat"})
	return map[string]any{"brand": brand, "chat": s.widgetChat(visit), "has_bot": s.bot != nil}, nil
}

// openForWidget tells the bot that the window has been opened.
func (s *state) openForWidget(request widgetRequest) (any, error) {
	visit, visitor := s.visit(request)
	s.openWindow(visitor.ID)
	return s.widgetChat(visit), nil
}

// widgetChat is a chat as the visitor sees it.
type widgetChat struct {
	ChatID   string             `json:"chat_id"`
	Status   salesiq.ChatStatus `json:"status"`
	Operator string             `json:"operator"` // A name.
	Messages []salesiq.Message  `json:"messages"`
	Bot      *widgetBot         `json:"bot"` // Null where none has taken part.
}

// widgetBot is what there is to see of a bot.
type widgetBot struct {
	Name        string          `json:"name"`
	Open        bool            `json:"open"` // It has the conversation.
	Busy        bool            `json:"busy"` // It has not answered yet,
	Pending     bool            `json:"pending"`
	Input       json.RawMessage `json:"input"` // A card to answer.
	Options     []string        `json:"options"`
	Suggestions []string        `json:"suggestions"`
	Problems    []string        `json:"problems"` // What it has done wrong.
}

func (t *talk) view() *widgetBot {
	if t == nil {
		return nil
	}
	view := &widgetBot{Name: t.bot.Name, Open: t.open(), Busy: t.serving, Pending: t.pending, Suggestions: t.suggests, Problems: []string{}}
	if t.asks != nil {
		view.Input, view.Options = t.asks.card, t.asks.options
	}
	for _, problem := range t.problems {
		view.Problems = append(view.Problems, problem.text)
	}
	return view
}

func (s *state) widgetChat(visit *visit) widgetChat {
	chat, ok := s.chats.get(visit.chatID)
	if !ok {
		view := widgetChat{Messages: []salesiq.Message{}}
		if t := s.greeted[visit.visitorID]; t != nil {
			view.Messages, view.Bot = append(view.Messages, t.greetings...), t.view()
		}
		return view
	}
	view := widgetChat{
		ChatID: chat.ID, Status: chat.Status, Messages: append([]salesiq.Message{}, chat.Transcript...), Bot: s.talks[chat.ID].view(),
	}
	if operator, ok := s.operators.get(chat.OperatorID); ok {
		view.Operator = operator.Name
	}
	return view
}

// showWidgetChat answers how the latest chat of a browser stands.
func showWidgetChat(c *call) (any, error) {
	key := c.query.text("visitor")
	visit, ok := c.widget.visits[key]
	if !ok {
		return nil, notFound("visitor", key)
	}
	return c.widgetChat(visit), nil
}

// sayAsVisitor begins a chat, unless there is one, and adds what the visitor
// wrote. A new chat waits for an operator.
func (s *state) sayAsVisitor(request widgetRequest) (any, error) {
	visit, visitor := s.visit(request)
	if err := s.checkBlocked(visitor.ID); err != nil {
		return nil, err
	}
	if t := s.greeted[visitor.ID]; t != nil && len(request.Values) > 0 {
		if _, err := t.choice(request.Values); err != nil {
			return nil, invalid("values", err.Error())
		}
	}
	chat, ok := s.chats.get(visit.chatID)
	if !ok || chat.Status == salesiq.ChatEnded || chat.Status == salesiq.ChatMissed {
		chat = s.startChat(visitor, visit.departmentID)
		visit.chatID = chat.ID
	}
	var err error
	switch {
	case len(request.Values) > 0:
		err = s.choose(chat, request.Values)
	case request.File != nil:
		err = s.attachAsVisitor(chat, &storedFile{name: request.File.Name, kind: request.File.Type, content: request.File.Content})
	case request.Message != "":
		s.writeAsVisitor(chat, request.Message)
	}
	if err != nil {
		return nil, err
	}
	return s.widgetChat(visit), nil
}

// recordWidgetCall remembers a call, and does what it means for the visitor.
func (s *state) recordWidgetCall(request widgetRequest) (any, error) {
	if request.Function == "" {
		return nil, missing("function")
	}
	visit, visitor := s.visit(request)
	s.widget.calls.add(WidgetCall{
		At: s.now, Code: request.Code, Page: request.Page, VisitorID: visitor.ID,
		Function: request.Function, Args: request.Args,
	})
	if len(request.Args) > 0 {
		before := *visitor
		s.applyWidgetCall(visit, visitor, request.Function, request.Args[0])
		s.visitorChanged(&before, visitor)
	}
	return object{}, nil
}

// applyWidgetCall changes what is known of a visitor. Values of a wrong type change
// nothing, as with the real widget.
func (s *state) applyWidgetCall(visit *visit, visitor *salesiq.Visitor, function string, value any) {
	if fields, ok := value.(map[string]any); ok && function == "visitor.info" {
		merged := map[string]any{}
		maps.Copy(merged, visitor.CustomFields)
		maps.Copy(merged, fields)
		visitor.CustomFields = merged
		return
	}
	text, ok := value.(string)
	if !ok {
		return
	}
	switch function {
	case "visitor.name":
		visitor.Name = text
	case "visitor.email":
		visitor.Email = text
	case "visitor.phone", "visitor.contactnumber":
		visitor.Phone = text
	case "tracking.pageview":
		visitor.CurrentPage = text
	case "chat.department", "chat.start":
		visit.departmentID = cmp.Or(s.departmentNamed(text), visit.departmentID)
	}
}
