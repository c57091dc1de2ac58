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

func refusal(status int, code string) *answer {
	return &answer{status, http.Header{"Content-Type": {"application/json"}},
		fmt.Appendf(nil, `{"status":"error","code":%q,"message":"it was simulated","details":{}}`, code)}
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
