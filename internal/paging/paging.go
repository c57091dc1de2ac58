// Package paging helps to walk through the pages of a list.
package paging

import (
	"fmt"
	"iter"
	"reflect"
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

// textOf returns a text or a number as text; nothing for any other value.
func textOf(value reflect.Value) string {
	value = indirect(value)
	switch {
	case value.Kind() == reflect.String:
		return value.String()
	case value.IsValid() && value.Comparable() && !value.IsZero() && (value.CanInt() || value.CanUint() || value.CanFloat()):
		return fmt.Sprint(value)
	}
	return ""
}

func indirect(value reflect.Value) reflect.Value {
	for value.Kind() == reflect.Pointer || value.Kind() == reflect.Interface {
		value = value.Elem()
	}
	return value
}
