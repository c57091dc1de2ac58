package salesiqtest

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/salesiq-go/salesiq"
)

// Stats tells what a server did. A call is processed if it was carried out,
// whether or not its answer arrived, and refused if it was answered with an
// error of the service.
type Stats struct {
	Processed     int                       `json:"processed"`
	Refused       map[salesiq.ErrorCode]int `json:"refused"`        // By code.
	Faults        int                       `json:"faults"`         // That were used.
	InFlightPeak  int                       `json:"in_flight_peak"` // API calls at once, refused ones included.
	Calls         map[string]CallStats      `json:"calls"`          // By method and pattern, as in "GET /api/v2/chats/{chat_id}".
	ByPath        map[string]int            `json:"by_path"`        // Processed, by method and path, as in "GET /api/v2/chats/chat123".
	TokenRequests int                       `json:"token_requests"` // To /oauth/v2/token.
	TokensIssued  int                       `json:"tokens_issued"`  // Access tokens given out there.
	TokensDenied  int                       `json:"tokens_refused"` // Requests there that were refused.
}

// CallStats counts one kind of call.
type CallStats struct {
	Processed int `json:"processed"`
	Refused   int `json:"refused"`
}

// Write is one call that changed something.
type Write struct {
	At     time.Time `json:"at"` // By the server's clock.
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Body   string    `json:"body"`
}

// history remembers the latest of what happened.
type history[T any] struct{ entries []T }

// maxHistory bounds a history; the oldest entries go first, many at once.
const maxHistory = 10_000

func (h *history[T]) add(entry T) {
	if len(h.entries) == maxHistory {
		h.entries = slices.Delete(h.entries, 0, maxHistory/10)
	}
	h.entries = append(h.entries, entry)
}

// all returns a copy of the entries, oldest first.
func (h *history[T]) all() []T { return append([]T{}, h.entries...) }

func newStats() Stats {
	return Stats{Refused: map[salesiq.ErrorCode]int{}, Calls: map[string]CallStats{}, ByPath: map[string]int{}}
}

// count counts a call, by the code of its refusal if there is one.
func (s *Stats) count(key string, refused *refusal) {
	counts := s.Calls[key]
	if refused != nil {
		s.Refused[refused.code]++
		counts.Refused++
	} else {
		s.Processed++
		counts.Processed++
	}
	s.Calls[key] = counts
}

// Stats returns what the server did since its start, or since Reset.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Refused, stats.Calls, stats.ByPath = maps.Clone(stats.Refused), maps.Clone(stats.Calls), maps.Clone(stats.ByPath)
	return stats
}

// record counts a call that was carried out, and writes it down if it changed
// something.
func (s *Server) record(r *http.Request, body []byte) {
	s.stats.ByPath[r.Method+" "+r.URL.EscapedPath()]++
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return
	}
	s.journal.add(Write{At: s.now(), Method: r.Method, Path: r.URL.EscapedPath(), Body: string(body)})
}

// Journal returns the calls that changed something, oldest first: the last
// 9,000 of them at least.
func (s *Server) Journal() []Write {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.all()
}
