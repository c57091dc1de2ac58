package webhook

import (
	"net/http"
	"strconv"
)

// outcome is how a delivery ended. The documentation of the package says when it ends
// so.
type outcome uint8

const (
	failed        outcome = iota // A handler failed.
	handled                      // The handlers have succeeded, or the sink has the event.
	handledBefore                // They had succeeded for another delivery.
	beingHandled                 // Another delivery has the event.
	tookTooLong                  // The handlers go on.
	unavailable                  // The store or the sink failed.
	wrongMethod
	tooLarge
	compressed
	cutShort
	notSigned
	notAnEvent
	tooOld
)

// answers tells what the service is answered. With a 503 goes a Retry-After of ten
// seconds, for proxies that heed it: the service comes again after a minute, whatever it
// is told. The connection is closed after a 413, since nobody reads the rest of the body, and
// where handlers still have it. After a 405 and a 415, which read nothing of the body, that is
// for net/http to decide: it reads what is short, and otherwise closes the connection.
var answers = [...]struct {
	status int
	body   []byte
	header string // With a value; empty for none.
	value  string
}{
	handled:       {http.StatusOK, []byte(`{"received":true}`), "", ""},
	handledBefore: {http.StatusOK, []byte(`{"received":true}`), "", ""},
	notAnEvent:    {http.StatusBadRequest, []byte(`{"error":"not an event"}`), "", ""},
	cutShort:      {http.StatusBadRequest, []byte(`{"error":"body cut short"}`), "", ""},
	notSigned:     {http.StatusUnauthorized, []byte(`{"error":"invalid signature"}`), "", ""},
	tooOld:        {http.StatusForbidden, []byte(`{"error":"event too old or too new"}`), "", ""},
	wrongMethod:   {http.StatusMethodNotAllowed, []byte(`{"error":"method not allowed"}`), "Allow", "GET, HEAD, POST"},
	tooLarge:      {http.StatusRequestEntityTooLarge, []byte(`{"error":"body too large"}`), "Connection", "close"},
	compressed:    {http.StatusUnsupportedMediaType, []byte(`{"error":"compressed body"}`), "", ""},
	failed:        {http.StatusInternalServerError, []byte(`{"error":"not handled"}`), "", ""},
	tookTooLong:   {http.StatusInternalServerError, []byte(`{"error":"took too long"}`), "Connection", "close"},
	unavailable:   {http.StatusServiceUnavailable, []byte(`{"error":"not now"}`), "Retry-After", "10"},
	beingHandled:  {http.StatusServiceUnavailable, []byte(`{"error":"another delivery is being handled"}`), "Retry-After", "10"},
}

var jsonMimeType = []string{"application/json"}

func (o outcome) status() int { return answers[o].status }

// send answers the service over a version of HTTP. Only HTTP/1 closes the connection: the
// end of a stream of HTTP/2 leaves the connection to the others.
func (o outcome) send(w http.ResponseWriter, protocol int) {
	answer := &answers[o]
	if answer.header != "" && (answer.header != "Connection" || protocol < 2) {
		w.Header().Set(answer.header, answer.value)
	}
	w.Header()["Content-Type"] = jsonMimeType
	w.WriteHeader(answer.status)
	w.Write(answer.body)
}

// sendAtOnce answers over HTTP/1 while the handlers go on, which keep the connection.
func (o outcome) sendAtOnce(w http.ResponseWriter) {
	w.Header().Set("Content-Length", strconv.Itoa(len(answers[o].body)))
	o.send(w, 1)
	http.NewResponseController(w).Flush() //nolint:errcheck // If it fails, the service hangs up by itself.
}
