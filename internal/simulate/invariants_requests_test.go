package simulate

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
)

// arrives checks a request for what it may not have with it, and how many are there.
func (w *world) arrives(p *process, r *http.Request, body []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests++
	w.serving[p]++
	w.tell("request", fmt.Sprintf("%s %s %s", p.name, r.Method, r.URL))
	w.holds("nothing goes elsewhere", !strings.Contains(string(body)+r.URL.String(), clientSecret), "the client's secret at the API: %s", r.URL)
	w.asks(p)
	if text := textOf(r, body); text != "" {
		w.holds("a pause is kept", !time.Now().Before(w.notBefore[text]), "%q came %v early", text, time.Until(w.notBefore[text]))
	}
}

// together checks how many requests of a process there are. Each has been there for a
// moment, in which those left that were given up.
func (w *world) together(p *process) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holds("no more calls at once than allowed", w.serving[p] <= shares[p.name].atOnce, "%d of %s", w.serving[p], p.name)
}

// A program's day is the service's, whose clock may be off by an hour and a half.
const dayMayBeOff = 95 * time.Minute

// asks counts a request of the day, and of the next one if that may have begun.
func (w *world) asks(p *process) {
	now := time.Now()
	if day := now.Truncate(24 * time.Hour); !day.Equal(w.askedDay) {
		w.askedDay, w.askedBefore, w.asked, w.askedEarly = day, w.asked, w.askedEarly, map[string]int{}
	}
	w.asked[p.name]++
	w.recent[p] = append(w.recent[p], now)
	if most := 15 * callsPerMinute; len(w.recent[p]) > 2*most { // More than the longest call may have seen.
		w.recent[p] = slices.Clone(w.recent[p][most:])
	}
	if now.Add(dayMayBeOff).Truncate(24 * time.Hour).After(w.askedDay) {
		w.askedEarly[p.name]++
	}
}

func (w *world) leaves(p *process) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.serving[p]--; w.serving[p] == 0 {
		delete(w.serving, p)
	}
}

// textOf is the text of a message that a request sends.
func textOf(r *http.Request, body []byte) string {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/messages") {
		return ""
	}
	var message struct{ Message string }
	json.Unmarshal(body, &message)
	return message.Message
}

// toldToWait notes that a message may not come again before a while.
func (w *world) toldToWait(r *http.Request, body []byte, seconds string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if text := textOf(r, body); text != "" {
		n, _ := strconv.Atoi(seconds)
		w.notBefore[text] = time.Now().Add(time.Duration(n) * time.Second)
	}
}

// processed notes that the service has carried a call out.
func (w *world) processed(p *process, r *http.Request, body []byte, a *answer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tell("processed", fmt.Sprintf("%s %s %s %d", p.name, r.Method, r.URL.Path, a.status))
	if a.status < 300 && strings.HasSuffix(r.URL.Path, "/transfer") {
		w.assigns(p, r, body)
	}
	text := textOf(r, body)
	if text == "" || a.status >= 300 {
		return
	}
	w.messages[text]++
	w.holds("a message is processed once", w.messages[text] == 1, "%q: %d times", text, w.messages[text])
}

// reports compares what a caller was told of a message with what became of it.
func (w *world) reports(text string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.messages[text]
	e, _ := errors.AsType[*salesiq.Error](err)
	switch {
	case err == nil:
		w.holds("a message is what its caller was told", n == 1, "%q succeeded, and was processed %d times", text, n)
	case e != nil && !e.MaybeProcessed:
		w.holds("a message is what its caller was told", n == 0, "%q was processed: %v", text, err)
		w.messages[text]++ // It may not come later, either.
	}
	delete(w.notBefore, text)
}
