package simulate

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/crmsync/leads"
)

// mailbox is the address of a visitor.
type mailbox struct {
	email string
	last  time.Time // When the visitor came.
}

// says checks what is said of a visitor: that there is a lead, if so, and nothing that
// does not belong into a log.
func (w *world) says(p *process, r leads.Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !p.alive() {
		return
	}
	email, said := strings.ToLower(r.Visitor.Email), strings.ToLower(fmt.Sprint(r.What, r.Err))
	w.tell("said", r.Visitor.ID+" "+said)
	w.holds("what is said of a visitor is so", !strings.Contains(said, mailHost) && !strings.Contains(said, crmToken), "%s", said)
	if r.Err == nil && email != "" {
		w.holds("what is said of a visitor is so", !w.leads.created[email].IsZero(), "%s: %s, but has no lead", email, said)
	}
}

// endRun checks that a run of the crm succeeds in calm, and that all visitors have leads
// after one that says so. Who comes meanwhile leaves the list.
func (w *world) endRun(p *process, began time.Time, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !p.alive() {
		return
	}
	w.tell("run", fmt.Sprint(err))
	if w.calmSince(began) && !p.stopped.Load() && p.context.Err() == nil {
		e, _ := errors.AsType[*salesiq.Error](err)
		w.holds("a visitor with an address has a lead", err == nil || e != nil && w.isFair(p, e), "a run fails in calm: %v", err)
	}
	if err != nil {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(w.mailboxes)) {
		if box := w.mailboxes[id]; box.last.Before(began.Add(-time.Second)) && began.Sub(box.last) < 23*time.Hour {
			w.holds("a visitor with an address has a lead", !w.leads.created[box.email].IsZero(), "%s, %s, since %v", id, box.email, box.last.Sub(w.began))
		}
	}
}

// wait is a chat that no operator has.
type wait struct {
	since   time.Time
	visitor int
}

func (w *world) beginsToWait(chatID string, visitor int) {
	w.checkWaiting()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting[chatID] = wait{time.Now(), visitor}
}

// assignedWithin is how long a chat may wait in calm, until the dispatcher's look after the
// next, and for those that are before it: its share allows one a minute.
func (w *world) assignedWithin() time.Duration {
	return 2*looksEvery + time.Duration(20+len(w.waiting))*time.Minute
}

// checkWaiting checks that no chat waits for long in calm.
func (w *world) checkWaiting() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(w.waiting)) {
		w.waitsNotFor(id, w.waiting[id])
	}
}

// waitsNotFor checks that a chat has not waited for long in calm, and while the dispatcher
// had some of its share of the day left.
func (w *world) waitsNotFor(id string, chat wait) {
	if !w.calm() || !w.processes[dispatcher].alive() || w.mayBeUsedUp(dispatcher) {
		return
	}
	w.guard.Lock()
	since := later(later(chat.since, w.lastEnds), w.newDay(dispatcher))
	w.guard.Unlock()
	w.holds("a chat that waits is assigned", time.Since(since) < w.assignedWithin(), "%s waits for %v of calm", id, time.Since(since))
}

// assignment is who has assigned a chat. A request of one that was killed may be carried out
// late, of which the next one cannot know.
type assignment struct {
	by   *process
	late bool
}

// assigns checks an assignment that the service has carried out.
func (w *world) assigns(p *process, r *http.Request, body []byte) {
	path := strings.Split(r.URL.Path, "/")
	id := path[len(path)-2]
	before, late := w.assigned[id], !p.alive()
	w.holds("a chat is assigned once", before == nil || before.by != p && (late || before.late), "%s again", id)
	w.assigned[id] = &assignment{p, late}
	chat, waits := w.waiting[id]
	delete(w.waiting, id)
	var to struct {
		Operator string `json:"operator_id"`
	}
	json.Unmarshal(body, &to)
	var number int
	fmt.Sscanf(to.Operator, "operator%d", &number)
	if !waits {
		return
	}
	w.waitsNotFor(id, chat)
	w.holds("a chat goes to who can help", number%len(skills) == chat.visitor%len(needs), "%s of visitor%d goes to %s", id, chat.visitor, to.Operator)
	if !w.calm() {
		return
	}
	chosen, _ := w.service.emulator.Operator(to.Operator)
	for n := 1 + (number+2)%len(skills); n <= operators; n += len(skills) {
		other, _ := w.service.emulator.Operator(fmt.Sprintf("operator%d", n))
		// Chats may have ended since the operators were listed.
		w.holds("a chat goes to who can help", chosen.ActiveChats-1 <= other.ActiveChats+3, "%s with %d chats, although %s has %d",
			to.Operator, chosen.ActiveChats-1, other.ID, other.ActiveChats)
	}
}
