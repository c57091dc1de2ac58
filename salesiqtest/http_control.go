package salesiqtest

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// controlRoot is where tests in other languages steer the server. These calls
// need no token, cost no quota and suffer no faults.
const controlRoot = "/_emulator/"

func (s *Server) controlRoutes() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]controlHandler{
		"POST /_emulator/faults":        s.controlFaults,
		"DELETE /_emulator/faults":      run(s.ClearFaults),
		"POST /_emulator/tokens":        forScopes("access_token", s.AccessToken),
		"POST /_emulator/tokens/revoke": run(s.RevokeTokens),
		"POST /_emulator/codes":         forScopes("code", s.AuthorizationCode),
		"POST /_emulator/reset":         run(s.Reset),
		"POST /_emulator/events":        s.controlEvent,
		"POST /_emulator/chats":         s.controlStart,
		"POST /_emulator/chats/miss":    s.controlMiss,
		"POST /_emulator/webhooks":      s.controlSubscribe,
		"POST /_emulator/bot":           s.controlBot,
		"GET /_emulator/bot/turns":      tell(s.BotTurns),
		"GET /_emulator/deliveries":     tell(s.Deliveries),
		"GET /_emulator/stats":          tell(s.Stats),
		"GET /_emulator/journal":        tell(s.Journal),
		"GET /_emulator/widget/calls":   tell(s.WidgetCalls),
	} {
		mux.Handle(pattern, handle)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answerControl(w, nil, noSuchCall(w, mux, r, specified{}))
	})
	return mux
}

// controlHandler carries a control call out. It refuses browsers: any page that
// someone has open could send such a request.
type controlHandler func(body []byte) (any, error)

func (handle controlHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isFromPage(r) {
		answerControl(w, nil, refuse(salesiq.ErrPermissionDenied, "control calls are not for web pages", details{"field": "Origin"}))
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		answerControl(w, nil, invalid("body", "cannot be read"))
		return
	}
	answer, err := handle(body)
	answerControl(w, answer, err)
}

// answerControl counts nothing, other than the answers of the API.
func answerControl(w http.ResponseWriter, answer any, err error) {
	status := http.StatusOK
	switch {
	case err != nil:
		status, answer = specified{}.refuses(asRefusal(err))
	case answer == nil:
		answer = object{"status": "success"}
	}
	writeJSON(w, status, answer)
}

func run(do func()) controlHandler {
	return func([]byte) (any, error) { do(); return nil, nil }
}

func tell[T any](what func() T) controlHandler {
	return func([]byte) (any, error) { return what(), nil }
}

// forScopes answers with what scopes are given for. A body that does not name them
// as it should is refused, or what is given out would permit everything.
func forScopes(name string, give func(scopes ...string) string) controlHandler {
	return func(body []byte) (any, error) {
		order, err := readOrder[struct {
			Scopes []string `json:"scopes"`
		}](body)
		if err != nil {
			return nil, err
		}
		return object{name: give(order.Scopes...)}, nil
	}
}

// readOrder reads a body whose names must all be known.
func readOrder[T any](body []byte) (order T, err error) {
	named, err := parseObject(body)
	if err != nil {
		return order, err
	}
	if err := patch(&order, named); err != nil {
		return order, err
	}
	known := []string{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && name != "-" {
			known = append(known, name)
		}
	}
	for name := range named {
		if !slices.Contains(known, name) {
			return order, invalid(name, "is unknown here; there is "+join(known))
		}
	}
	return order, nil
}

// faultOrder is a [Fault] as it comes in JSON.
type faultOrder struct {
	Fault

	LatencyMS    int `json:"latency_ms"`
	PauseMS      int `json:"pause_ms"`
	DateOffsetMS int `json:"date_offset_ms"`
}

// controlFaults injects one fault, or an array of them.
func (s *Server) controlFaults(body []byte) (any, error) {
	var orders []json.RawMessage
	if wire.Unmarshal(body, &orders) != nil {
		orders = []json.RawMessage{body}
	}
	faults := make([]Fault, len(orders))
	for i, text := range orders {
		order, err := readOrder[faultOrder](text)
		if err != nil {
			return nil, err
		}
		if reflect.ValueOf(order).IsZero() {
			return nil, missing("body")
		}
		order.Latency, order.Pause, order.DateOffset = milliseconds(order.LatencyMS), milliseconds(order.PauseMS), milliseconds(order.DateOffsetMS)
		faults[i] = order.Fault
	}
	return nil, s.Inject(faults...)
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// controlEvent is [Server.Emit] for other languages.
func (s *Server) controlEvent(body []byte) (any, error) {
	order := struct {
		Event salesiq.EventName `json:"event"`
		Data  json.RawMessage   `json:"data"`
	}{Data: json.RawMessage("{}")}
	if wire.Unmarshal(body, &order) != nil || !isObject(order.Data) {
		return nil, invalid("body", "must be an object with an event and an object data")
	}
	if order.Event == "" {
		return nil, missing("event")
	}
	return nil, s.Emit(order.Event, order.Data)
}

// controlStart lets a visitor begin a chat, and answers with it.
func (s *Server) controlStart(body []byte) (any, error) {
	order, err := readOrder[struct {
		VisitorID string `json:"visitor_id"`
		Text      string `json:"text"`
	}](body)
	if err != nil {
		return nil, err
	}
	return s.StartChat(cmp.Or(order.VisitorID, "visitor123"), cmp.Or(order.Text, "Hello"))
}

// controlMiss lets a chat that is waiting be missed.
func (s *Server) controlMiss(body []byte) (any, error) {
	order, err := readOrder[struct {
		ChatID string `json:"chat_id"`
	}](body)
	if err != nil {
		return nil, err
	}
	if order.ChatID == "" {
		return nil, missing("chat_id")
	}
	return nil, s.MissChat(order.ChatID)
}

// controlSubscribe makes a webhook, and answers with its secret. Without events, it is
// for all.
func (s *Server) controlSubscribe(body []byte) (any, error) {
	order, err := readOrder[struct {
		URL    string              `json:"url"`
		Events []salesiq.EventName `json:"events"`
		Secret string              `json:"secret"`
	}](body)
	if err != nil {
		return nil, err
	}
	secret := cmp.Or(order.Secret, webhookSecret)
	var made salesiq.Webhook
	err = s.act(func(d *state) error {
		if len(order.Events) == 0 {
			order.Events = slices.Clone(d.events)
		}
		hook := salesiq.Webhook{Name: d.newID("control"), URL: order.URL, Enabled: true, Events: order.Events, Secret: salesiq.NewSecret(secret)}
		if err := d.checkWebhook(&hook, func(string) bool { return true }); err != nil {
			return err
		}
		added, err := d.webhooks.add(d, hook)
		if err == nil {
			made = *added
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return object{"id": made.ID, "url": made.URL, "events": made.Events, "secret": secret}, nil
}
