package salesiqtest

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
)

// Effect is what a [Fault] does beside its other fields.
type Effect string

// The effects.
const (
	ResetConnection Effect = "reset"        // The connection breaks without an answer.
	CutBody         Effect = "cut_body"     // The connection breaks in the middle of the answer's body.
	TrickleBody     Effect = "trickle_body" // The answer's body comes byte by byte, with a pause after each.
	HTMLPage        Effect = "html"         // A proxy's page instead of JSON; status 502 unless Status says otherwise.
	EmptyBody       Effect = "empty_body"   // No body; status 200 unless Status says otherwise.
	RevokeToken     Effect = "revoke_token" // The token that the call presents is revoked first.
)

// Fault is something that goes wrong. Its first fields select calls, the others
// say what befalls them.
//
// A fault that replaces the answer (Status, Code, Body, ResetConnection, HTMLPage,
// EmptyBody) strikes before the call is processed, and then costs no quota, unless
// Processed is set. A call that is refused then, such as one with an old token, gets
// the refusal: nothing was processed. All other faults let the call be processed.
type Fault struct {
	Method string `json:"method,omitzero"` // Any by default.

	// Path is the beginning of a path, or a whole one with placeholders, as in
	// /api/v2/chats/{chat_id}/messages. Any by default, also /oauth/v2/token, which
	// a new client calls first.
	Path string `json:"path,omitzero"`

	Skip        int     `json:"skip,omitzero"`        // Calls that are left alone first.
	Times       int     `json:"times,omitzero"`       // Calls that are struck; by default 1, or all with a probability.
	Probability float64 `json:"probability,omitzero"` // From 0 to 1; by default certain.

	Effect    Effect            `json:"effect,omitzero"`
	Status    int               `json:"status,omitzero"`
	Code      salesiq.ErrorCode `json:"code,omitzero"`    // By default what fits Status.
	Message   string            `json:"message,omitzero"` // Of the error body.
	Body      string            `json:"body,omitzero"`    // Instead of an error body, as it is.
	Header    map[string]string `json:"header,omitzero"`  // Set on the answer; "" removes.
	Processed bool              `json:"processed,omitzero"`

	Latency    time.Duration `json:"-"` // Before anything else.
	Pause      time.Duration `json:"-"` // Between the bytes of TrickleBody; a second by default.
	DateOffset time.Duration `json:"-"` // Added to the Date header of the answer.
}

// Inject adds faults. Of those that match a call, the oldest strikes, alone.
//
// Errors: a [salesiq.InputError] that names the field of a fault that could never
// strike as it says; then none is added.
func (s *Server) Inject(faults ...Fault) error {
	for _, fault := range faults {
		if err := fault.check(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, fault := range faults {
		if fault.Times == 0 && fault.Probability == 0 {
			fault.Times = 1
		}
		s.faults = append(s.faults, &fault)
	}
	return nil
}

var effects = []Effect{"", ResetConnection, CutBody, TrickleBody, HTMLPage, EmptyBody, RevokeToken}

// check names fields as the control calls do.
func (f *Fault) check() error {
	switch {
	case !slices.Contains(effects, f.Effect):
		return argument("effect", "must be one of "+join(effects[1:]))
	case !(f.Probability >= 0 && f.Probability <= 1): // Also not a number.
		return argument("probability", "must be from 0 to 1")
	case f.Path != "" && !strings.HasPrefix(f.Path, "/"):
		return argument("path", "must begin with a slash, or it is the beginning of none")
	case f.Status != 0 && checkStatus("status", f.Status) != nil:
		return checkStatus("status", f.Status)
	}
	return cmp.Or(
		argument.NotNegative("skip", f.Skip), argument.NotNegative("times", f.Times),
		argument.NotNegative("latency_ms", cmp.Compare(f.Latency, 0)), argument.NotNegative("pause_ms", cmp.Compare(f.Pause, 0)))
}

// ClearFaults removes all faults that are left.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// pickFault returns the fault that strikes a call, or one that does nothing.
func (s *Server) pickFault(r *http.Request) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, fault := range s.faults {
		if !fault.matches(r) || fault.Probability > 0 && s.random.Float64() >= fault.Probability {
			continue
		}
		if fault.Skip > 0 {
			fault.Skip--
			continue
		}
		if fault.Times > 0 {
			fault.Times--
			if fault.Times == 0 {
				s.faults = slices.Delete(s.faults, i, i+1)
			}
		}
		s.stats.Faults++
		return *fault
	}
	return Fault{}
}

func (f *Fault) matches(r *http.Request) bool {
	if f.Method != "" && !strings.EqualFold(f.Method, r.Method) {
		return false
	}
	if !strings.Contains(f.Path, "{") {
		return strings.HasPrefix(r.URL.Path, f.Path)
	}
	want, got := strings.Split(f.Path, "/"), strings.Split(r.URL.Path, "/")
	return slices.EqualFunc(want, got, func(want, got string) bool {
		return want == got || strings.HasPrefix(want, "{")
	})
}

// replaces tells whether the client gets something else than the answer.
func (f *Fault) replaces() bool {
	return f.Status != 0 || f.Code != "" || f.Body != "" || f.Effect == ResetConnection || f.Effect == HTMLPage || f.Effect == EmptyBody
}

// instead is the answer that the client gets.
func (s *Server) instead(f Fault) *recorder {
	answer := newRecorder()
	status, contentType, body := cmp.Or(f.Status, statuses[f.Code], http.StatusOK), "application/json;charset=UTF-8", f.Body
	switch {
	case f.Effect == HTMLPage:
		status, contentType = cmp.Or(f.Status, http.StatusBadGateway), "text/html; charset=utf-8"
		body = cmp.Or(body, "<html><head><title>Oops</title></head><body>The gateway is unwell.</body></html>\n")
	case f.Effect == EmptyBody:
		answer.status = status
		return answer
	case body == "":
		ownStatus, own := s.config.dialect.refuses(refuse(cmp.Or(f.Code, codeOf(status)), cmp.Or(f.Message, "a fault was injected"), nil))
		writeJSON(answer, cmp.Or(f.Status, ownStatus, status), own)
		return answer
	}
	answer.header.Set("Content-Type", contentType)
	answer.status = status
	answer.body.WriteString(body)
	return answer
}

// codeOf tells a code that goes with a status.
func codeOf(status int) salesiq.ErrorCode {
	switch {
	case status == http.StatusUnauthorized:
		return salesiq.ErrInvalidToken
	case status == http.StatusForbidden:
		return salesiq.ErrPermissionDenied
	case status == http.StatusNotFound:
		return salesiq.ErrResourceNotFound
	case status == http.StatusTooManyRequests:
		return salesiq.ErrRateLimitExceeded
	case status >= http.StatusInternalServerError:
		return salesiq.ErrInternalError
	}
	return salesiq.ErrInvalidRequest
}

// deliver sends an answer in the way the fault wants it.
func (f *Fault) deliver(ctx context.Context, w http.ResponseWriter, answer *recorder) {
	f.dress(w.Header(), answer.header)
	body := answer.body.Bytes()
	switch f.Effect {
	case CutBody:
		answer.begin(w, max(len(body), 2))
		w.Write(body[:len(body)/2])
		flush(w)
		panic(http.ErrAbortHandler)
	case TrickleBody:
		answer.begin(w, len(body))
		for i := range body {
			_, err := w.Write(body[i : i+1])
			flush(w)
			if err != nil || !sleep(ctx, cmp.Or(f.Pause, time.Second)) {
				return
			}
		}
	default:
		answer.send(w)
	}
}

// dress changes the headers.
func (f *Fault) dress(sent, answered http.Header) {
	if date, err := http.ParseTime(sent.Get("Date")); err == nil && f.DateOffset != 0 {
		sent.Set("Date", date.Add(f.DateOffset).Format(http.TimeFormat))
	}
	for name, value := range f.Header {
		answered.Del(name)
		if value == "" {
			sent[http.CanonicalHeaderKey(name)] = nil // Also keeps net/http from adding its own.
			continue
		}
		answered.Set(name, value)
	}
}

func flush(w http.ResponseWriter) {
	http.NewResponseController(w).Flush() //nolint:errcheck // The client may be gone.
}

// hangUp breaks the connection, with a reset where there is such a thing.
func hangUp(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		tcp.SetLinger(0) //nolint:errcheck // Without it, the connection ends less rudely.
	}
	connection.Close()
}

// sleep pauses, and reports whether it was allowed to.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
