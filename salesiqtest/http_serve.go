package salesiqtest

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// maxBody bounds the body of a request.
const maxBody = 1 << 20

// recorder keeps the whole answer of a handler before any of it is sent, so that a
// fault can change it.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newRecorder() *recorder { return &recorder{header: http.Header{}, status: http.StatusOK} }

func (r *recorder) Header() http.Header    { return r.header }
func (r *recorder) WriteHeader(status int) { r.status = status }

func (r *recorder) Write(p []byte) (int, error) {
	r.body.Write(p)
	return len(p), nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	status := 0
	defer func() { s.log(r, status, time.Since(began)) }()
	w.Header().Set("Date", s.now().Format(http.TimeFormat))
	if !s.isFor(r) {
		answer := newRecorder()
		refuseHost(answer)
		status = answer.status
		answer.send(w)
		return
	}
	if strings.HasPrefix(r.URL.Path, controlRoot) {
		answer := newRecorder()
		s.controls.ServeHTTP(answer, r)
		status = answer.status
		answer.send(w)
		return
	}
	status = s.serve(w, r)
}

// log writes a line about a request, without the query, which may hold tokens and
// names of people.
func (s *Server) log(r *http.Request, status int, duration time.Duration) {
	s.config.logger.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("method", r.Method),
		slog.String("path", r.URL.EscapedPath()), slog.Int("status", status), slog.Duration("duration", duration))
}

// serve answers a request, perhaps with a fault, and returns its status, or 0
// without an answer.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) int {
	leave, err := s.enter(r)
	defer leave()
	if err != nil {
		answer := newRecorder()
		s.refuseCall(answer, r, err)
		answer.send(w)
		return answer.status
	}
	body, readErr := io.ReadAll(io.LimitReader(r.Body, bodyLimit(r)+1))
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err := s.countSignIn(r, len(body)); err != nil {
		answer := newRecorder()
		s.refuseCall(answer, r, err)
		answer.send(w)
		return answer.status
	}
	fault := s.pickFault(r)
	if readErr != nil || !sleep(r.Context(), fault.Latency) {
		panic(http.ErrAbortHandler) // The client has gone, or the server is about to.
	}
	answer, ok := s.answer(r, fault)
	leave() // Before the client can see the answer and call again.
	if !ok {
		hangUp(w)
		return 0
	}
	fault.deliver(r.Context(), w, answer)
	return answer.status
}

// answer carries a call out and makes its answer, unless the fault leaves none.
func (s *Server) answer(r *http.Request, fault Fault) (answer *recorder, ok bool) {
	if fault.Effect == RevokeToken {
		s.revokePresented(r)
	}
	processed := fault.Processed || !fault.replaces()
	answer = newRecorder()
	switch {
	case processed && isClean(r):
		s.mux.ServeHTTP(answer, r)
	case processed:
		s.unknown(s.mux).ServeHTTP(answer, r)
	}
	if fault.Effect == ResetConnection {
		return nil, false
	}
	refused := processed && answer.status >= http.StatusBadRequest
	if fault.replaces() && !refused {
		answer = s.instead(r, fault)
	}
	return answer, true
}

// send writes the answer out.
func (r *recorder) send(w http.ResponseWriter) {
	r.begin(w, r.body.Len())
	w.Write(r.body.Bytes())
}

// begin announces a body of so many bytes.
func (r *recorder) begin(w http.ResponseWriter, length int) {
	maps.Copy(w.Header(), r.header)
	if r.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(length))
	}
	w.WriteHeader(r.status)
}

// isAPI tells the calls to which the rate limit applies.
func isAPI(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/visitor/")
}

// enter counts an API call as under way. The function that it returns ends
// that; it may be called more than once.
func (s *Server) enter(r *http.Request) (leave func(), err error) {
	if !isAPI(r) {
		return func() {}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight++
	s.stats.InFlightPeak = max(s.stats.InFlightPeak, s.inFlight)
	if s.config.maxInFlight > 0 && s.inFlight > s.config.maxInFlight {
		err = tooMany("concurrency", time.Time{})
	}
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.inFlight--
	}), err
}

// refuseCall answers a call that was not let in.
func (s *Server) refuseCall(w *recorder, r *http.Request, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, pattern := s.mux.Handler(r)
	s.conclude(w, r, pattern, nil, err)
}

// unknown refuses requests that no route is for.
func (s *Server) unknown(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		err := s.admit(r, route{open: !isAPI(r)})
		if err == nil {
			err = noSuchCall(w, mux, r, s.config.dialect)
		}
		s.conclude(w, r, r.Pattern, nil, err)
	})
}

// noSuchCall is the refusal of such a request. It names the methods that the path
// takes, if any.
func noSuchCall(w http.ResponseWriter, mux *http.ServeMux, r *http.Request, speaks dialect) error {
	var allowed []string
	if isClean(r) {
		allowed = methodsOf(mux, r)
	}
	e := speaks.refusesPath(r, allowed)
	if e.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
	}
	return e
}

// isClean reports whether a path has no empty or relative part. A mux would redirect
// others, and a path with an empty id would lead to another call.
func isClean(r *http.Request) bool {
	escaped := r.URL.EscapedPath()
	return path.Clean(escaped) == escaped
}

// methodsOf lists the methods that a path takes.
func methodsOf(mux *http.ServeMux, r *http.Request) (methods []string) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "/" {
			methods = append(methods, method)
		}
	}
	return methods
}

// api returns what stands between the wire and a handler: token, quota, scope,
// role, body, and the accounts. The server's lock is held from end to end.
func (s *Server) api(route route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if route.open {
			permitAnyOrigin(w.Header())
		}
		body, err := io.ReadAll(r.Body)
		if most := bodyLimit(r); err == nil && int64(len(body)) > most {
			err = invalid("body", fmt.Sprintf("must be at most %d bytes", most))
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		var answer *reply
		if err == nil && route.open && r.Method != http.MethodGet {
			err = s.countPage(len(body))
		}
		if err == nil {
			answer, err = s.carryOut(r, route, body)
		}
		if err == nil {
			s.record(r, body)
		}
		s.conclude(w, r, r.Pattern, answer, err)
	})
}

func (s *Server) carryOut(r *http.Request, route route, body []byte) (*reply, error) {
	if err := s.admit(r, route); err != nil {
		return nil, err
	}
	if answer, taken, err := s.carryOutFile(r, route, body); taken {
		return answer, err
	}
	query, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	if !route.open {
		if err := s.config.dialect.admits(r, route, query, body); err != nil {
			return nil, err
		}
	}
	object, err := parseObject(body)
	if err != nil {
		return nil, err
	}
	s.state.now = s.now()
	c := &call{
		state:  s.state,
		route:  route,
		id:     r.PathValue(route.wildcard()),
		path:   r.PathValue,
		url:    r.URL.Path,
		header: r.Header,
		query:  params{values: query},
		body:   object,
	}
	result, err := route.handle(c)
	if err != nil {
		return nil, err
	}
	if whole, ok := result.(*reply); ok {
		return whole, nil
	}
	if route.open {
		return specified{}.answers(c, result), nil // The widget knows no other dialect.
	}
	return s.config.dialect.answers(c, result), nil
}

// wildcard is the name of the id in the pattern.
func (r route) wildcard() string {
	_, rest, _ := strings.Cut(r.pattern, "{")
	name, _, _ := strings.Cut(rest, "}")
	return name
}

// admit checks the token, spends a call, and checks what the token may do. A
// call without a valid token costs no quota, since nobody knows whose it is.
func (s *Server) admit(r *http.Request, route route) error {
	if route.open {
		return nil
	}
	token, err := s.tokens.authenticate(r.Header, s.config.dialect.schemes(), s.now())
	if err != nil {
		return err
	}
	if isAPI(r) {
		if err := s.quota.spend(s.now()); err != nil {
			return err
		}
	}
	if !covered(token.scopes, route.scope) {
		return refuse(salesiq.ErrInvalidOAuthScope, "the token lacks the scope "+route.scope,
			details{"required_scope": route.scope})
	}
	if route.org && !token.org {
		return refuse(salesiq.ErrInvalidOAuthScope, "the token is not of an organization's client", nil)
	}
	if route.adminOnly && s.config.role != salesiq.RoleAdmin {
		return refuse(salesiq.ErrPermissionDenied, "only admins may do this",
			details{"role": s.config.role, "required_role": salesiq.RoleAdmin})
	}
	if route.notAgents && s.config.role == salesiq.RoleAgent {
		return refuse(salesiq.ErrPermissionDenied, "agents may not do this",
			details{"role": s.config.role, "required_role": salesiq.RoleSupervisor})
	}
	return nil
}

// conclude writes a reply or a refusal, and counts the call by its method and
// pattern.
func (s *Server) conclude(w http.ResponseWriter, r *http.Request, pattern string, answer *reply, err error) {
	if isAPI(r) {
		s.quota.describe(w.Header(), s.now())
	}
	key := pattern
	if !strings.Contains(pattern, " ") {
		key = r.Method + " " + pattern
	}
	if err != nil {
		refused := asRefusal(err)
		s.stats.count(key, refused)
		status, body := s.config.dialect.refuses(refused)
		writeJSON(w, status, body)
		return
	}
	s.stats.count(key, nil)
	if answer.body == nil {
		w.WriteHeader(answer.status)
		return
	}
	if file, ok := answer.body.(*storedFile); ok {
		file.write(w)
		return
	}
	writeJSON(w, answer.status, answer.body)
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	data, err := wire.Marshal(value)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"status":"error","code":"INTERNAL_ERROR","message":"not JSON","details":{}}`)
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	w.Write(data)
}
