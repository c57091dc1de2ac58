package paging

import (
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// Remembered is how many ids a [Walk] knows again, at least: those of the last
// items. It forgets the older ones, so that its memory is bounded.
const Remembered = 10_000

// Walk is what is known of a list while its pages are gone through, which may
// change meanwhile.
type Walk[Item any] struct {
	id      []int           // The index of the field ID of an item; nil if it has none.
	before  int             // Items before the first page.
	pages   map[string]bool // Fingerprints of those that were seen.
	read    int             // Pages, the first reading of each.
	again   int             // Pages that were read again.
	gap     bool            // Fewer than had to be.
	recent  map[string]bool // IDs of items; nil if the items have none.
	older   map[string]bool
	items   int // That were seen, each once.
	reached int // The end of the page that reaches furthest, in items.
	total   int // As told last; 0 if none was.
	least   int // The smallest total that was told.
	most    int // The largest.
}

// NewWalk returns a walk that begins behind a number of items.
func NewWalk[Item any](before int) *Walk[Item] {
	w := &Walk[Item]{before: before, pages: map[string]bool{}, recent: map[string]bool{}}
	if t := reflect.TypeFor[Item](); t.Kind() == reflect.Struct {
		field, _ := t.FieldByName("ID")
		w.id = field.Index
	}
	return w
}

// Step is what a page means to a [Walk].
type Step struct {
	Repeats bool // An earlier page: the list goes no further.
	Left    int  // Items that left the list since the page before was read.

	gone int // Items that left the list while pages before this one were read again.
}

// Take notes a page, which begins behind a number of items, and the total that came
// with it, which is 0 if none did. A page that repeats an earlier one is no end where
// the total has grown: new items have moved the old ones on.
func (w *Walk[Item]) Take(items []Item, from, total int) Step {
	if total >= math.MaxInt32 {
		total = 0 // No list is that long.
	}
	step := Step{}
	key := w.fingerprint(items)
	if w.pages[key] && total <= w.total {
		step.Repeats = true
	}
	w.pages[key] = true
	w.read++
	w.reached = max(w.reached, from+len(items))
	if total > 0 {
		step.Left = max(0, w.total-total)
		w.total, w.most = total, max(w.most, total)
		if w.least == 0 || total < w.least {
			w.least = total
		}
	}
	return step
}

// Back returns how many pages to read again after items have left the list: the
// others have moved up, to pages that were read before.
func (w *Walk[Item]) Back(step Step, size int) int {
	return w.goBack(Count(step.Left, max(1, size)), 0, size)
}

// Again notes the total that came with a page that was read again, so many pages
// before the one of the step, and returns which one comes next in the same way. If
// more items have left meanwhile, that is one further back.
func (w *Walk[Item]) Again(step *Step, back, total, size int) (next int) {
	next = back - 1
	left := w.total - step.gone - total
	if total <= 0 || left <= 0 {
		return next
	}
	step.gone += left
	return w.goBack(back+Count(left, max(1, size)), next, size)
}

// goBack returns how many pages to go back: as many as are wanted, but no further than
// to the first, and no more in all than the list has, or had, so that it costs at most
// twice its pages. So many are paid for already.
func (w *Walk[Item]) goBack(wanted, paid, size int) int {
	wanted = min(wanted, w.read-1)
	left := max(w.read, Count(w.most, max(1, size))) - w.again
	w.gap = w.gap || wanted > paid+left
	pages := max(paid, min(wanted, paid+left))
	w.again += pages - paid
	return pages
}

// New returns the items that were not seen before, by their ids. Items without an id
// are all new. It reuses the slice.
func (w *Walk[Item]) New(items []Item) []Item {
	items = slices.DeleteFunc(items, func(item Item) bool { return w.seen(w.idOf(&item)) })
	w.items += len(items)
	return items
}

// seen reports whether an id was seen before, and remembers it.
func (w *Walk[Item]) seen(id string) bool {
	switch {
	case id == "":
		return false
	case w.recent[id] || w.older[id]:
		return true
	case len(w.recent) == Remembered:
		w.recent, w.older = map[string]bool{}, w.recent
	}
	w.recent[id] = true
	return false
}

// Missing tells why items may be missing, or nothing if none are: fewer were seen than
// the service has told, by position than its last total or by number than its smallest
// one, or so many left the list that too few pages could be read again.
func (w *Walk[Item]) Missing() string {
	seen := w.before + w.items
	switch {
	case w.total <= w.before: // There was nothing to be seen.
	case seen < w.least:
		return fmt.Sprintf("%d of %d", seen, w.least)
	case w.reached < w.total:
		return fmt.Sprintf("%d of %d", min(seen, w.reached), w.total)
	case w.gap:
		return "items left it faster than pages could be read again"
	}
	return ""
}

// fingerprint tells one page from another by its ends. A service that ignores
// the page number, or starts over, would be iterated for ever otherwise.
func (w *Walk[Item]) fingerprint(items []Item) string {
	if len(items) == 0 {
		return ""
	}
	return fmt.Sprint(w.identity(&items[0]), len(items), w.identity(&items[len(items)-1]))
}

// identity returns an item's id, or the whole item if it has none.
func (w *Walk[Item]) identity(item *Item) any {
	if id := w.idOf(item); id != "" {
		return id
	}
	text, err := wire.MarshalPublic(item) // What pointers in it point to counts, not where.
	if err != nil {
		return *item
	}
	return string(text)
}

// idOf returns the text of the field ID, or of the member "id" of a map; empty if
// there is none.
func (w *Walk[Item]) idOf(item *Item) string {
	value := reflect.ValueOf(item).Elem()
	if w.id != nil {
		id, err := value.FieldByIndexErr(w.id)
		if err != nil {
			return ""
		}
		return textOf(id)
	}
	if value = indirect(value); value.Kind() == reflect.Map && value.Type().Key().Kind() == reflect.String {
		return textOf(value.MapIndex(reflect.ValueOf("id").Convert(value.Type().Key())))
	}
	return ""
}
