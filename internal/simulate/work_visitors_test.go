package simulate

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const (
	greeting = "Good day" // An operator answers that, when the chat is assigned.
	goodbye  = "Goodbye"
)

// chat is what a visitor does.
func (w *world) chat(n int64) {
	roll := w.dice.roll("visitor", n)
	visitor := roll.IntN(visitors)
	w.tellsAddress(visitor, n)
	chat, err := w.service.emulator.StartChat(fmt.Sprintf("visitor%d", visitor), greeting)
	w.must(err)
	w.beginsToWait(chat.ID, visitor)
	for range 2 + roll.IntN(4) {
		if !w.sleep(time.Duration(20+roll.Int64N(100))*time.Second + latency(roll.Int64())) {
			return
		}
		w.service.emulator.VisitorSays(chat.ID, "And what about the other one?")
	}
	if w.sleep(30*time.Second + latency(roll.Int64())) {
		w.service.emulator.VisitorSays(chat.ID, goodbye)
	}
}

// comeAndGo lets visitors come, more of them in a crowd.
func (w *world) comeAndGo() {
	for n := int64(1); ; n++ {
		roll := w.dice.roll("comes", n)
		pause := time.Duration((.5 + roll.Float64()) * float64(betweenVisitors))
		if crowd := w.active("crowd", "all"); crowd > 0 {
			pause = time.Duration(float64(pause) / crowd)
		}
		if !w.sleep(pause) {
			return
		}
		w.works.Go(func() { w.chat(n) })
	}
}

// betweenVisitors makes for about 1,400 calls of the desk a day, and as many of the dispatcher.
const betweenVisitors = 277 * time.Second

// changeOperators lets somebody rename an operator, and add others or delete them.
func (w *world) changeOperators() {
	for n := int64(1); w.sleep(53*time.Second + latency(n*7919)); n++ {
		if n%4 == 0 {
			w.renames(fmt.Sprintf("operator3 v%d", n))
		} else {
			w.changeList()
		}
	}
}

// changeList adds an operator or deletes one: an hour the one, an hour the other, since
// a list of which as many items leave as come cannot be gone through without a gap. Who
// came first goes first, so that those behind move up.
func (w *world) changeList() {
	w.mu.Lock()
	defer w.mu.Unlock()
	adds := time.Now().Hour()%2 == 0
	w.changes++
	switch {
	case adds && len(w.temporary) < 60:
		status, body := w.service.console(http.MethodPost, "/api/v2/operators", fmt.Sprintf(`{"name":"t","email":"t%d@shop.example","role":"agent"}`, w.changes))
		var made struct{ Data struct{ ID string } }
		json.Unmarshal(body, &made)
		if status >= 300 || made.Data.ID == "" {
			panic(string(body))
		}
		w.temporary = append(w.temporary, made.Data.ID)
		w.operatorComes(made.Data.ID)
		w.tell("added", made.Data.ID)
	case !adds && len(w.temporary) > 0:
		id := w.temporary[0]
		w.temporary = w.temporary[1:]
		w.service.console(http.MethodDelete, "/api/v2/operators/"+id, "")
		w.tell("deleted", id)
		w.operatorGoes(id)
	}
}
