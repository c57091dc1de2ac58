package simulate

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/salesiq-go/salesiq/webhook"
)

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

func (w *world) handlingOf(key string) *handling {
	if w.handled[key] == nil {
		w.handled[key] = &handling{}
	}
	return w.handled[key]
}

// handlings counts how often the handling of an event has begun.
func (w *world) handlings(p *process, e webhook.Event) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.handlingOf(keyOf(p.name, e))
	h.begun++
	return h.begun
}

// handles notes that a program has handled an event.
func (w *world) handles(p *process, e webhook.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events++
	w.succeeds(p, keyOf(p.name, e), e.Info().EventID)
}

// notesOnce notes that the handler of the desk that has a name has handled an event.
func (w *world) notesOnce(p *process, e webhook.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.succeeds(p, keyOf(p.name, e)+" "+onceName, e.Info().EventID+"/"+onceName)
}

// succeeds checks that a handler succeeds for the first time, or that the process was
// killed, or the store failed, before the mark.
func (w *world) succeeds(p *process, key, id string) {
	h := w.handlingOf(key)
	window := h.trouble || h.by != nil && !h.by.alive() && h.by.died.Sub(h.last) < 10*time.Second
	w.holds("an event is handled once", h.times == 0 || window && !h.marked, "%s: again, marked %v", key, h.marked)
	h.times++
	h.last, h.by, h.trouble = time.Now(), p, w.going("store", p.name)
	w.tell("handled", key)
	if p.name == desk {
		w.handled["id "+id] = h
	}
}

// marks notes what a store says of a mark.
func (w *world) marks(_ *process, id string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if h := w.handled["id "+id]; h != nil {
		h.marked, h.trouble = h.marked || err == nil, h.trouble || err != nil
	}
}

// botAnswers checks that a request is handled once in a process, however often it comes.
func (w *world) botAnswers(p *process, requestID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tell("bot", "asked")
	w.holds("a bot answers once", w.botRequests[requestID] != p, "%s again", requestID)
	w.botRequests[requestID] = p
}

// checkAnswers checks that no visitor has read an answer of the bot twice.
func (w *world) checkAnswers() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range w.conversations {
		chat, _ := w.live.emulator.Chat(id)
		said := map[string]int{}
		for _, m := range chat.Transcript {
			said[m.Text]++
		}
		for _, text := range []string{"one", "two"} {
			w.holds("a bot answers once", said["answer to "+text] <= 1, "%s: %d times", id, said["answer to "+text])
		}
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
	w.tell("delivered", fmt.Sprintf("%s %d", key, status))
	if program == dispatcher {
		return // To whom an event is a hint.
	}
	a := w.arrivals[key]
	if a == nil {
		a = &arrival{first: time.Now()}
		w.arrivals[key] = a
	}
	if status >= 200 && status < 300 {
		a.accepted = true
	}
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
