package simulate

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

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
	w.holds("an account sees its own alone", name != guestName, "an account has read of another: %s", name)
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

// readsGuest checks that an account has read what is its own.
func (w *world) readsGuest(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holds("an account sees its own alone", name == guestName, "an account has read of another: %s", name)
}

func (w *world) operatorComes(id string) { w.comes[id] = time.Now() }

func (w *world) operatorGoes(id string) { w.goes[id] = time.Now(); delete(w.comes, id) }

// walk is a way through a list.
type walk struct {
	world   *world
	by      string
	began   time.Time
	seen    map[string]bool
	there   []string // When it began.
	twice   string
	change  func()  // What somebody does to the list meanwhile,
	odds    float64 // and how often per item.
	leaving bool    // Items leave it, if only in some hours.
}

func (w *world) beginWalkOfConversations() *walk {
	w.mu.Lock()
	defer w.mu.Unlock()
	return &walk{world: w, by: clerk, began: time.Now(), seen: map[string]bool{}, there: slices.Clone(w.conversations), change: w.beginConversation, odds: .004}
}

func (w *world) beginWalk() *walk {
	w.mu.Lock()
	defer w.mu.Unlock()
	there := slices.Sorted(maps.Keys(w.comes))
	for i := 1; i <= operators; i++ {
		there = append(there, fmt.Sprintf("operator%d", i))
	}
	return &walk{world: w, by: batch, began: time.Now(), seen: map[string]bool{}, there: there, change: w.changeList, odds: .03, leaving: true}
}

// sees notes an item. Somebody may change the list meanwhile.
func (k *walk) sees(id string) {
	if k.seen[id] {
		k.twice = id
	}
	k.seen[id] = true
	if k.world.dice.roll("changes "+id, time.Now().UnixNano()).Float64() < k.odds {
		k.change()
	}
}

// endWalk checks that a walk has seen what was there throughout.
func (w *world) endWalk(k *walk, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holds("a walk sees all, and each once", k.twice == "", "%s came twice", k.twice)
	if err != nil || k.leaving && k.began.Hour() != time.Now().Hour() {
		return
	}
	if len(k.seen) == 0 && k.by == clerk && w.going("empty-answer", clerk) {
		return // Nobody knows what the live service says of an empty list.
	}
	for _, id := range k.there {
		if gone := w.goes[id]; gone.IsZero() {
			w.holds("a walk sees all, and each once", k.seen[id], "%s did not come", id)
		}
	}
}
