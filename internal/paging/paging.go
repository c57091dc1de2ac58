// Package paging helps to walk through the pages of a list.
package paging

import (
	"fmt"
	"iter"
	"reflect"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// Count returns the number of pages that hold total items.
func Count(total, perPage int) int { return total/perPage + min(1, total%perPage) }

// Flatten yields the items of pages. It ends with the first error.
func Flatten[Page, Item any](pages iter.Seq2[Page, error], itemsOf func(Page) []Item) iter.Seq2[*Item, error] {
	return func(yield func(*Item, error) bool) {
		for page, err := range pages {
			if err != nil {
				yield(nil, err)
				return
			}
			items := itemsOf(page)
			for i := range items {
				if !yield(&items[i], nil) {
					return
				}
			}
		}
	}
}

// Fingerprint tells one page from another by its ends. A service that ignores
// the page number, or starts over, would be iterated for ever otherwise.
func Fingerprint[Item any](items []Item) string {
	if len(items) == 0 {
		return ""
	}
	return fmt.Sprint(identity(items[0]), len(items), identity(items[len(items)-1]))
}

// identity returns an item's ID, or the whole item if it has none.
func identity(item any) any {
	if v := reflect.Indirect(reflect.ValueOf(item)); v.Kind() == reflect.Struct {
		if field, ok := v.Type().FieldByName("ID"); ok {
			id, err := v.FieldByIndexErr(field.Index)
			if id = reflect.Indirect(id); err == nil && id.IsValid() && !id.IsZero() {
				return id.Interface()
			}
		}
	}
	text, err := wire.MarshalPublic(item) // What pointers in it point to counts, not where.
	if err != nil {
		return item
	}
	return string(text)
}
