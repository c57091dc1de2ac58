package simulate

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
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
	"a bot answers once",
	"a walk sees all, and each once",
	"a read is no older than the cache",
	"an account sees its own alone",
	"a call ends in time",
	"an error is typed and has no secret",
	"calls succeed in calm",
	"throughput is back",
	"an address has one lead",
	"a visitor with an address has a lead",
	"what is said of a visitor is so",
	"a chat is assigned once",
	"a chat that waits is assigned",
	"a chat goes to who can help",
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
	recent    map[*process][]time.Time // The latest requests of each.

	askedBefore map[string]int // Of the day before.
	askedEarly  map[string]int // Of the next day, if that may have begun.

	disturbed   map[string]time.Time // Until when a 429 is explained, by why.
	tokenTimes  map[*process][]time.Time
	denied      map[*process]time.Time
	apart       time.Time   // Until when programs may be denied a token: each has requested its own.
	calmTokens  []time.Time // When tokens were requested in calm.
	revocations []time.Time

	handled  map[string]*handling
	arrivals map[string]*arrival

	names []version // Of the operator whom the desk reads.
	comes map[string]time.Time

	conversations []string            // At the live service, oldest first.
	botRequests   map[string]*process // By whom each was handled.

	goes map[string]time.Time

	mailboxes map[string]mailbox     // By the visitor.
	waiting   map[string]wait        // By the chat.
	assigned  map[string]*assignment // By the chat.

	heap uint64
}

func newRecord(log io.Writer) *record {
	return &record{
		log: log, checked: map[string]int{}, faults: map[string]int{},
		messages: map[string]int{}, notBefore: map[string]time.Time{}, underWay: map[*call]bool{},
		serving: map[*process]int{}, asked: map[string]int{}, askedEarly: map[string]int{}, recent: map[*process][]time.Time{}, disturbed: map[string]time.Time{},
		tokenTimes: map[*process][]time.Time{}, denied: map[*process]time.Time{},
		handled: map[string]*handling{}, arrivals: map[string]*arrival{},
		botRequests: map[string]*process{},
		comes:       map[string]time.Time{}, goes: map[string]time.Time{},
		mailboxes: map[string]mailbox{}, waiting: map[string]wait{}, assigned: map[string]*assignment{},
	}
}

type failure struct {
	Invariant, Detail string
	Step              int
	At                time.Duration
}

func (f *failure) String() string {
	return fmt.Sprintf("step %d, %v: %s: %s", f.Step, f.At, f.Invariant, f.Detail)
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

// notes is tell for who is not at the record.
func (w *world) notes(what, detail string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tell(what, detail)
}

// tell counts a step of the run. The same seed takes the same steps, which the sum of
// all of them shows. It is the same for steps of one moment in any order, since nothing
// but the scheduler decides on that.
func (w *world) tell(what, detail string) {
	w.counted++
	at := time.Since(w.began)
	if at != w.moment {
		w.sum = mix(w.sum + w.sumOfMoment)
		w.moment, w.sumOfMoment = at, 0
	}
	w.sumOfMoment += mix(hash(uint64(at), what) + hash(0, detail))
	if w.log != nil {
		fmt.Fprintf(w.log, "%9d %12v %s %s\n", w.counted, at, what, detail)
	}
}
