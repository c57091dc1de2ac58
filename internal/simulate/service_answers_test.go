package simulate

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
)

// answer is what is sent back, if anything is.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (s *service) refusal(status int, code string) *answer {
	body := fmt.Appendf(nil, `{"status":"error","code":%q,"message":"it was simulated","details":{}}`, code)
	if s.live {
		number := map[string]int{"INTERNAL_ERROR": 1001, "RATE_LIMIT_EXCEEDED": 1023}[code]
		body = fmt.Appendf(nil, `{"error":{"code":%d,"message":"it was simulated"}}`, number)
	}
	return &answer{status, http.Header{"Content-Type": {"application/json"}}, body}
}

func page(status int) *answer {
	return &answer{status, http.Header{"Content-Type": {"text/html"}}, []byte("<html><title>Oops</title>The gateway is unwell.</html>")}
}

func (a *answer) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	w.Write(a.body)
}
