package simulate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// invariants are what must hold whatever happens.
var invariants = []string{
	"a message is processed once",
	"a message is what its caller was told",
	"no 429 that nothing explains",
	"no more calls at once than allowed",
	"no more tokens than allowed",
	"one token for all programs",
	"no token while it is denied",
	"a pause is kept",
	"an event is handled",
	"an event is handled once",
	"a walk sees all, and each once",
	"a read is no older than the cache",
	"a call ends in time",
	"an error is typed and has no secret",
	"calls succeed in calm",
	"nothing goes elsewhere",
	"nothing grows",
	"the world works",
}

// record is what is known of a run, by which invariants are checked.
type record struct {
	mu      sync.Mutex // Guards all of it.
	log     io.Writer
	counted int // Steps.

	sum, sumOfMoment uint64 // Of all steps but those of the moment, and of these.
	moment           time.Duration

	failure *failure
	checked map[string]int

	calls, succeeded, requests, events, tokens int
	faults                                     map[string]int // Steps by kind.

	messages  map[string]int       // How often each was processed.
	notBefore map[string]time.Time // When a message may come again.
	underWay  map[*call]bool
	serving   map[*process]int
	asked     map[string]int // Requests of the day, by program.
	askedDay  time.Time

	askedBefore map[string]int // Of the day before.

	disturbed   map[string]time.Time // Until when a 429 is explained, by why.
	tokenTimes  map[*process][]time.Time
	denied      map[*process]time.Time
	calmTokens  []time.Time // When tokens were requested in calm.
	revocations []time.Time

	handled  map[string]*handling
	arrivals map[string]*arrival

	names []version // Of the operator whom the desk reads.
	comes map[string]time.Time
	goes  map[string]time.Time

	heap uint64
}

type failure struct {
	Invariant, Detail string
	Step              int
	At                time.Duration
}

func (f *failure) String() string {
	return fmt.Sprintf("step %d, %v: %s: %s", f.Step, f.At, f.Invariant, f.Detail)
}

func newRecord(log io.Writer) *record {
	return &record{
		log: log, checked: map[string]int{}, faults: map[string]int{},
		messages: map[string]int{}, notBefore: map[string]time.Time{}, underWay: map[*call]bool{},
		serving: map[*process]int{}, asked: map[string]int{}, disturbed: map[string]time.Time{},
		tokenTimes: map[*process][]time.Time{}, denied: map[*process]time.Time{},
		handled: map[string]*handling{}, arrivals: map[string]*arrival{},
		comes: map[string]time.Time{}, goes: map[string]time.Time{},
	}
}

func (w *world) failed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failure != nil
}

// violate ends the run, since something does not hold.
func (w *world) violate(invariant, format string, arguments ...any) {
	if !slices.Contains(invariants, invariant) {
		panic(invariant)
	}
	if w.failure != nil {
		return
	}
	detail := fmt.Sprintf(format, arguments...)
	w.tell("VIOLATED", invariant+": "+detail)
	w.failure = &failure{invariant, detail, w.counted, time.Since(w.began)}
	w.stopAll()
}

// holds checks an invariant.
func (w *world) holds(invariant string, ok bool, format string, arguments ...any) {
	w.checked[invariant]++
	if !ok {
		w.violate(invariant, format, arguments...)
	}
}

// Calls.

type call struct {
	process       *process
	operation     string
	began, latest time.Time
	calm          bool
	canceled      bool
}

// haste is how late a call may end.
const haste = 5 * time.Millisecond

// dayOf is what a program has kept of its day.
func (w *world) dayOf(program string) salesiq.DailyQuota {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.days[program]
}

func (w *world) begins(c *call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.underWay[c] = true
}

// returns checks what a call has come to.
func (w *world) returns(c *call, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.underWay, c)
	if !c.process.alive() {
		return
	}
	w.days[c.process.name] = c.process.limiter.DailyQuota()
	w.calls++
	if err == nil {
		w.succeeded++
	}
	now := time.Now()
	w.tell("call", fmt.Sprintf("%s %s %v %v", c.process.name, c.operation, now.Sub(c.began), outcome(err)))
	w.holds("a call ends in time", !now.After(c.latest.Add(haste)), "%s of %s, %v late: %v", c.operation, c.process.name, now.Sub(c.latest), err)
	if err == nil {
		return
	}
	w.checkError(err)
	e, _ := errors.AsType[*salesiq.Error](err)
	if !c.calm || !w.calm() || c.canceled || e == nil || c.process.context.Err() != nil {
		return
	}
	w.holds("calls succeed in calm", w.isFair(c.process, e), "%s of %s: %v", c.operation, c.process.name, err)
}

// isFair reports whether an error is no fault of the way to the service: the service
// has refused the call for what it asks, or the program has used up its share.
func (w *world) isFair(p *process, e *salesiq.Error) bool {
	mine := shares[p.name]
	switch {
	case errors.Is(e, salesiq.ErrChatNotActive), errors.Is(e, salesiq.ErrResourceNotFound):
		return true
	case errors.Is(e, salesiq.ErrDailyLimit):
		most := mine.perDay
		if p.name == batch {
			most = most * 4 / 5
		}
		// The day is the service's, whose clock may be off by an hour and a half.
		asked := w.asked[p.name]
		if now := time.Now(); now.Sub(now.Truncate(24*time.Hour)) < 95*time.Minute {
			asked = max(asked, w.askedBefore[p.name])
		}
		return asked >= most*3/4
	case errors.Is(e, salesiq.ErrRateLimitExceeded):
		return e.RetryAt.After(time.Now()) && p.name != batch
	}
	return errors.Is(e, salesiq.ErrIncomplete)
}

func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	e, _ := errors.AsType[*salesiq.Error](err)
	if e == nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %s %d attempts, maybe processed %v", e.StatusCode, e.Code, e.Attempts, e.MaybeProcessed)
}

// checkError checks that an error is one of the documented ones, and shows no secret.
func (w *world) checkError(err error) {
	e, typed := errors.AsType[*salesiq.Error](err)
	_, input := errors.AsType[*salesiq.InputError](err)
	w.holds("an error is typed and has no secret", typed || input, "%T: %v", err, err)
	shown := fmt.Sprintf("%v\n%+v\n%#v", err, err, err)
	if e != nil {
		data, _ := json.Marshal(e)
		shown += string(data) + e.LogValue().String() + e.LogFields().String()
	}
	for _, secret := range []string{clientSecret, refreshToken, webhookSecret} {
		w.holds("an error is typed and has no secret", !strings.Contains(shown, secret), "%s", shown)
	}
	w.holds("an error is typed and has no secret", !strings.Contains(shown, "oauthtoken 1000."), "%s", shown)
}

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

// asks counts a request of the day.
func (w *world) asks(p *process) {
	if day := time.Now().Truncate(24 * time.Hour); !day.Equal(w.askedDay) {
		w.askedDay, w.askedBefore, w.asked = day, w.asked, map[string]int{}
	}
	w.asked[p.name]++
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

// Limits.

// disturbs notes why 429s may come for a while.
func (w *world) disturbs(s step) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch s.Kind {
	case "limit", "opened-window", "sliding-window", "no-headers", "clock", "storm", "kill", "restart":
		w.disturbed[s.Kind] = time.Now().Add(150 * time.Second)
	}
	if s.Kind == "kill" || s.Kind == "clock" {
		w.disturbed["day"] = time.Now().Truncate(24 * time.Hour).Add(25 * time.Hour)
	}
}

// refuses checks that there is a reason for a refusal of the rate limit.
func (w *world) refuses(p *process, minute bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tell("refused", p.name)
	explained := !minute && time.Now().Before(w.disturbed["day"])
	for kind, until := range w.disturbed {
		explained = explained || kind != "day" && (time.Now().Before(until) || w.going(kind, "all"))
	}
	w.holds("no 429 that nothing explains", explained, "to %s, of the minute: %v", p.name, minute)
}

// Tokens.

func (w *world) requestsToken(p *process, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	w.tell("token", p.name)
	times := slices.DeleteFunc(w.tokenTimes[p], func(t time.Time) bool { return now.Sub(t) >= 10*time.Minute })
	w.tokenTimes[p] = append(times, now)
	w.holds("no more tokens than allowed", len(w.tokenTimes[p]) <= 10, "%d requests of %s in ten minutes", len(w.tokenTimes[p]), p.name)
	w.holds("no token while it is denied", now.Sub(w.denied[p]) >= 10*time.Minute, "%s asks %v after it was denied", p.name, now.Sub(w.denied[p]))
	w.holds("nothing goes elsewhere", r.Header.Get("Authorization") == "", "an access token at the OAuth server")
}

func (w *world) givesToken(p *process, refused string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tokens++
	if refused == "Access Denied" {
		if heard := !slices.ContainsFunc(kindsOfBreak, func(kind string) bool { return w.going(kind, p.name) }); heard {
			w.denied[p] = time.Now()
		}
		w.holds("no more tokens than allowed", w.going("oauth-denied", "all"), "the OAuth server denies %s a token", p.name)
	}
	// Of calm, a token is requested when the last one expires, which takes an hour, or was
	// revoked.
	if w.calm() && p.alive() {
		now := time.Now()
		w.calmTokens = append(slices.DeleteFunc(w.calmTokens, func(t time.Time) bool { return now.Sub(t) > 30*time.Minute }), now)
		w.revocations = slices.DeleteFunc(w.revocations, func(t time.Time) bool { return now.Sub(t) > 40*time.Minute })
		w.holds("one token for all programs", len(w.calmTokens) <= 1+len(w.revocations), "%d requests within half an hour of calm, and %d revocations",
			len(w.calmTokens), len(w.revocations))
	}
}

func (w *world) revokes() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.revocations = append(w.revocations, time.Now())
}

// Events.

// arrival is what the service knows of an event that a program is to get.
type arrival struct {
	first    time.Time
	accepted bool
}

// handling is what a program has made of an event.
type handling struct {
	begun   int64
	times   int
	last    time.Time
	by      *process
	marked  bool
	trouble bool // Its mark may be missing.
}

func keyOf(program string, e webhook.Event) string {
	switch e := e.(type) {
	case *webhook.ChatStarted:
		return program + " started " + e.ChatID
	case *webhook.ChatEnded:
		return program + " ended " + e.ChatID
	case *webhook.MessageReceived:
		return program + " message " + e.MessageID
	}
	return program + " unknown"
}

func (w *world) handlingOf(p *process, e webhook.Event) *handling {
	key := keyOf(p.name, e)
	if w.handled[key] == nil {
		w.handled[key] = &handling{}
	}
	return w.handled[key]
}

// handlings counts how often the handling of an event has begun.
func (w *world) handlings(p *process, e webhook.Event) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.handlingOf(p, e)
	h.begun++
	return h.begun
}

// handles notes that a program has handled an event. It may do so again only if it was
// killed, or its store failed, before the mark.
func (w *world) handles(p *process, e webhook.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.handlingOf(p, e)
	window := h.trouble || h.by != nil && !h.by.alive() && h.by.died.Sub(h.last) < 10*time.Second
	w.holds("an event is handled once", h.times == 0 || window && !h.marked, "%s: again, marked %v", keyOf(p.name, e), h.marked)
	h.times++
	h.last, h.by, h.trouble = time.Now(), p, w.going("store", p.name)
	w.events++
	w.tell("handled", keyOf(p.name, e))
	if p.name == desk {
		w.ids(e.Info().EventID, h)
	}
}

func (w *world) ids(id string, h *handling) { w.handled["id "+id] = h }

// marks notes what a store says of a mark.
func (w *world) marks(_ *process, id string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if h := w.handled["id "+id]; h != nil {
		h.marked, h.trouble = h.marked || err == nil, h.trouble || err != nil
	}
}

// delivers notes how a delivery was answered.
func (w *world) delivers(program string, body []byte, status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e, err := webhook.Parse(body)
	if err != nil {
		w.violate("the world works", "%v", err)
		return
	}
	key := keyOf(program, e)
	a := w.arrivals[key]
	if a == nil {
		a = &arrival{first: time.Now()}
		w.arrivals[key] = a
	}
	if status >= 200 && status < 300 {
		a.accepted = true
	}
	w.tell("delivered", fmt.Sprintf("%s %d", key, status))
}

// checkEvents checks that events which were accepted a while ago have been handled.
func (w *world) checkEvents(age time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(w.arrivals)) {
		if a := w.arrivals[key]; a.accepted && time.Since(a.first) >= age {
			h := w.handled[key]
			w.holds("an event is handled", h != nil && h.times > 0, "%s was answered with success", key)
		}
	}
}

// Reads.

type version struct {
	name  string
	since time.Time
}

func (w *world) renames(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	status, body := w.service.console(http.MethodPatch, "/api/v2/operators/operator3", fmt.Sprintf(`{"name":%q}`, name))
	if status >= 300 {
		panic(string(body))
	}
	w.names = append(w.names, version{name, time.Now()})
	w.names = w.names[max(0, len(w.names)-50):]
}

// readsOperator checks that what was read has been so within the time that the cache
// keeps an answer.
func (w *world) readsOperator(name string, languages []string, began time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, v := range w.names {
		until := time.Now()
		if i+1 < len(w.names) {
			until = w.names[i+1].since
		}
		if v.name == name && !until.Before(began.Add(-5*time.Minute-time.Second)) && languages[0] == "en" {
			w.holds("a read is no older than the cache", true, "")
			return
		}
	}
	w.holds("a read is no older than the cache", false, "%s %v", name, languages)
}

func (w *world) operatorComes(id string) { w.comes[id] = time.Now() }
func (w *world) operatorGoes(id string)  { w.goes[id] = time.Now(); delete(w.comes, id) }

// walk is a way through the list of operators.
type walk struct {
	world *world
	began time.Time
	seen  map[string]bool
	there []string // When it began.
	twice string
}

func (w *world) beginWalk() *walk {
	w.mu.Lock()
	defer w.mu.Unlock()
	there := slices.Sorted(maps.Keys(w.comes))
	for i := 1; i <= operators; i++ {
		there = append(there, fmt.Sprintf("operator%d", i))
	}
	return &walk{world: w, began: time.Now(), seen: map[string]bool{}, there: there}
}

// sees notes an item. Somebody may change the list meanwhile.
func (k *walk) sees(id string) {
	if k.seen[id] {
		k.twice = id
	}
	k.seen[id] = true
	if w := k.world; w.dice.roll("changes "+id, time.Now().UnixNano()).Float64() < .03 {
		w.changeList()
	}
}

// endWalk checks that a walk has seen what was there throughout.
func (w *world) endWalk(k *walk, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holds("a walk sees all, and each once", k.twice == "", "%s came twice", k.twice)
	if err != nil || k.began.Hour() != time.Now().Hour() {
		return
	}
	for _, id := range k.there {
		if gone := w.goes[id]; gone.IsZero() {
			w.holds("a walk sees all, and each once", k.seen[id], "%s did not come", id)
		}
	}
}

// Growth.

// checkGrowth checks that nothing is left of programs that have ended.
func (w *world) checkGrowth() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holds("nothing grows", w.network.open.Load() == 0, "%d connections are open", w.network.open.Load())
	w.holds("nothing grows", len(w.underWay) == 0, "%d calls have not returned", len(w.underWay))
	buffer := make([]byte, 1<<20)
	buffer = buffer[:runtime.Stack(buffer, true)]
	var left []string
	for stack := range strings.SplitSeq(string(buffer), "\n\n") {
		if strings.Contains(stack, "salesiq.(*") || strings.Contains(stack, "internal/transport.(*") || strings.Contains(stack, "webhook.(*") || strings.Contains(stack, "salesiqbolt.(*") {
			left = append(left, stack)
		}
	}
	w.holds("nothing grows", len(left) == 0, "%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if w.heap == 0 {
		w.heap = m.HeapAlloc
	}
	w.holds("nothing grows", m.HeapAlloc < 2*w.heap+32<<20, "%d MiB in use, after %d at first", m.HeapAlloc>>20, w.heap>>20)
}

// forget drops what the service has forgotten as well.
func (w *world) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.messages)
	clear(w.handled)
	clear(w.arrivals)
	clear(w.comes)
	clear(w.goes)
	clear(w.tokenTimes)
	clear(w.denied)
	w.temporary, w.names = nil, nil
}

// report is what came of a run.
type report struct {
	failure                                    *failure
	steps                                      int
	sum                                        uint64
	virtual                                    time.Duration
	calls, succeeded, requests, events, tokens int
	faults, hit, checked                       map[string]int
}

func (w *world) report() *report {
	return &report{
		failure: w.failure, steps: w.counted, sum: w.sum, virtual: time.Since(w.began), calls: w.calls, succeeded: w.succeeded,
		requests: w.requests, events: w.events, tokens: w.tokens, faults: w.faults, hit: w.hit, checked: w.checked,
	}
}
