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
	Processed    int                       `json:"processed"`
	Refused      map[salesiq.ErrorCode]int `json:"refused"`        // By code.
	Faults       int                       `json:"faults"`         // That struck.
	InFlightPeak int                       `json:"in_flight_peak"` // API calls at once, refused ones included.
	Calls        map[string]CallStats      `json:"calls"`          // By method and pattern, as in "GET /api/v2/chats/{chat_id}".
	ByPath       map[string]int            `json:"by_path"`        // Processed, by method and path, as in "GET /api/v2/chats/chat123".
	TokenCalls   int                       `json:"token_requests"` // To /oauth/v2/token.
	TokensIssued int                       `json:"tokens_issued"`  // Access tokens given out there.
	TokensDenied int                       `json:"tokens_refused"` // Requests there that were refused.
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

// maxJournal bounds the journal; the oldest entries go first.
const maxJournal = 10_000

func newStats() Stats {
	return Stats{Refused: map[salesiq.ErrorCode]int{}, Calls: map[string]CallStats{}, ByPath: map[string]int{}}
}

func (s *Stats) process(key string) {
	s.Processed++
	counts := s.Calls[key]
	counts.Processed++
	s.Calls[key] = counts
}

func (s *Stats) refuse(key string, code salesiq.ErrorCode) {
	s.Refused[code]++
	counts := s.Calls[key]
	counts.Refused++
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

// note counts a call that was carried out, and writes it down if it changed
// something.
func (s *Server) note(r *http.Request, body []byte) {
	s.stats.ByPath[r.Method+" "+r.URL.EscapedPath()]++
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return
	}
	if len(s.journal) == maxJournal {
		s.journal = slices.Delete(s.journal, 0, maxJournal/10)
	}
	s.journal = append(s.journal, Write{At: s.now(), Method: r.Method, Path: r.URL.EscapedPath(), Body: string(body)})
}

// Journal returns the calls that changed something, oldest first: the last
// 9,000 of them at least.
func (s *Server) Journal() []Write {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.journal)
}
