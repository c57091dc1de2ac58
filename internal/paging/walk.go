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
//
// When items leave the list, those behind them move up, and may be skipped. So each
// item has a place: its position, plus the number of items that had left when its page
// was read, as if all of them had been before it. (Those that were behind it raise its
// place, so that it is rather looked for in vain than skipped.) A page that begins behind
// the place up to which the list was seen leaves a gap. The page that has the items of
// the gap by now is then read again.
type Walk[Item any] struct {
	id     []int           // The index of the field ID of an item; nil if it has none.
	before int             // Items before the first page.
	pages  map[string]bool // Fingerprints of those that were seen.
	read   int             // Pages, the first reading of each.
	again  int             // Pages that were read again.
	recent map[string]bool // IDs of items; nil if the items have none.
	older  map[string]bool
	items  int // That were seen, each once.

	total   int // As told last; 0 if none was.
	least   int // The smallest total that was told.
	most    int // The largest.
	left    int // How many items have left the list, by its totals.
	reached int // The end of the page that reaches furthest, in items.

	from    int  // The position of the page that was taken last.
	ends    int  // The place of the first item on the next page.
	through int  // The place up to which nothing was skipped.
	gap     bool // Something was, and too many pages were read again.
}

// NewWalk returns a walk that begins behind a number of items.
func NewWalk[Item any](before int) *Walk[Item] {
	w := &Walk[Item]{before: before, through: before, pages: map[string]bool{}, recent: map[string]bool{}}
	if t := reflect.TypeFor[Item](); t.Kind() == reflect.Struct {
		field, _ := t.FieldByName("ID")
		w.id = field.Index
	}
	return w
}

// Take notes a page, the positions of its first item and of the next page's, and the
// total that came with it, which is 0 if none did. It reports whether the page repeats
// an earlier one, so that the list goes no further. That is no end where the total has
// grown: new items have moved the old ones on.
func (w *Walk[Item]) Take(items []Item, from, to, total int) (repeats bool) {
	key, before := w.fingerprint(items), w.total
	w.tell(total)
	repeats = w.pages[key] && w.total <= before
	w.pages[key] = true
	w.read++
	w.reached = max(w.reached, from+len(items))
	w.from, w.ends = from, to+w.left
	return repeats
}

// tell notes a total.
func (w *Walk[Item]) tell(total int) {
	if total <= 0 || total >= math.MaxInt32 { // No list is that long.
		return
	}
	w.left += max(0, w.total-total)
	w.total, w.most = total, max(w.most, total)
	if w.least == 0 || total < w.least {
		w.least = total
	}
}

// Back returns how many pages before the one that was taken last a page is to be read
// again; 0 if none is. A list costs at most twice its pages.
func (w *Walk[Item]) Back(size int) int {
	size = max(1, size)
	skips := w.from+w.left > w.through && w.through < w.total+w.left
	spent := w.again >= max(w.read, Count(w.most, size))
	if !skips || spent {
		w.gap = w.gap || skips
		w.through = max(w.through, w.ends)
		return 0
	}
	w.again++
	return min(Count(w.from+w.left-w.through, size), w.read-1)
}

// Again notes the total that came with a page that was read again, so many pages
// before the one that was taken last. If the total has grown, that tells nothing of
// what has left.
func (w *Walk[Item]) Again(back, total, size int) {
	if total < w.total {
		w.tell(total)
	}
	size = max(1, size)
	begins := w.from - back*size + w.left
	if begins <= w.through || back == w.read-1 { // Nothing was before the first page.
		w.through = max(w.through, begins+size)
	}
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
