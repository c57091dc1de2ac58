package salesiqtest

import (
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// controlRoot is where tests in other languages steer the server. These calls
// need no token, cost no quota and suffer no faults.
const controlRoot = "/_emulator/"

func (s *Server) controlRoutes() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]func(body []byte) (any, error){
		"POST /_emulator/faults":        s.controlFaults,
		"DELETE /_emulator/faults":      func([]byte) (any, error) { s.ClearFaults(); return nil, nil },
		"POST /_emulator/tokens":        s.controlToken,
		"POST /_emulator/tokens/revoke": func([]byte) (any, error) { s.RevokeTokens(); return nil, nil },
		"POST /_emulator/codes":         s.controlCode,
		"POST /_emulator/reset":         func([]byte) (any, error) { s.Reset(); return nil, nil },
		"POST /_emulator/events":        s.controlEvent,
		"GET /_emulator/deliveries":     func([]byte) (any, error) { return s.Deliveries(), nil },
		"GET /_emulator/stats":          func([]byte) (any, error) { return s.Stats(), nil },
		"GET /_emulator/journal":        func([]byte) (any, error) { return s.Journal(), nil },
		"GET /_emulator/widget/calls":   s.controlWidgetCalls,
	} {
		mux.Handle(pattern, control(handle))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { refuseControl(w, noSuchCall(w, mux, r, specified{})) })
	return mux
}

// control turns a function into a handler. It refuses browsers: any page that
// someone has open could send such a request.
func control(handle func(body []byte) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer any
		var err error
		if r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
			err = refuse(salesiq.ErrPermissionDenied, "control calls are not for web pages", details{"field": "Origin"})
		} else {
			answer, err = readAndHandle(r, handle)
		}
		switch {
		case err != nil:
			refuseControl(w, err)
		case answer == nil:
			writeJSON(w, http.StatusOK, map[string]string{"status": "success"})
		default:
			writeJSON(w, http.StatusOK, answer)
		}
	})
}

// refuseControl does not count, as a refused call of the API does.
func refuseControl(w http.ResponseWriter, err error) {
	status, body := specified{}.refuses(asRefusal(err))
	writeJSON(w, status, body)
}

func readAndHandle(r *http.Request, handle func([]byte) (any, error)) (any, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return nil, invalid("body", "cannot be read")
	}
	return handle(body)
}

// faultOrder is a [Fault] as it comes in JSON.
type faultOrder struct {
	Fault

	LatencyMS    int `json:"latency_ms"`
	PauseMS      int `json:"pause_ms"`
	DateOffsetMS int `json:"date_offset_ms"`

	Unknown map[string]json.RawMessage `json:",embed"`
}

// controlFaults injects one fault, or an array of them.
func (s *Server) controlFaults(body []byte) (any, error) {
	var orders []json.RawMessage
	if wire.Unmarshal(body, &orders) != nil {
		orders = []json.RawMessage{body}
	}
	faults := make([]Fault, len(orders))
	for i, text := range orders {
		var err error
		if faults[i], err = readFault(text); err != nil {
			return nil, err
		}
	}
	return nil, s.Inject(faults...)
}

func readFault(text []byte) (Fault, error) {
	object, err := parseObject(text)
	if err != nil {
		return Fault{}, err
	}
	if len(object) == 0 {
		return Fault{}, missing("body")
	}
	var order faultOrder
	if err := patch(&order, object); err != nil {
		return Fault{}, err
	}
	for name := range order.Unknown {
		return Fault{}, invalid(name, "is no member of a fault")
	}
	order.Latency = milliseconds(order.LatencyMS)
	order.Pause = milliseconds(order.PauseMS)
	order.DateOffset = milliseconds(order.DateOffsetMS)
	return order.Fault, nil
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// scopeOrder is the body of calls that give something out.
type scopeOrder struct {
	Scopes []string `json:"scopes"`

	Unknown map[string]json.RawMessage `json:",embed"`
}

func readScopes(body []byte) (order scopeOrder, err error) {
	object, err := parseObject(body)
	if err != nil {
		return order, err
	}
	if patch(&order, object) != nil {
		return order, invalid("scopes", "must be an array of strings")
	}
	for name := range order.Unknown {
		return order, invalid(name, "is unknown here; there is scopes") // Or the token would permit everything.
	}
	return order, nil
}

func (s *Server) controlToken(body []byte) (any, error) {
	order, err := readScopes(body)
	if err != nil {
		return nil, err
	}
	return map[string]string{"access_token": s.AccessToken(order.Scopes...)}, nil
}

func (s *Server) controlCode(body []byte) (any, error) {
	order, err := readScopes(body)
	if err != nil {
		return nil, err
	}
	return map[string]string{"code": s.AuthorizationCode(order.Scopes...)}, nil
}
