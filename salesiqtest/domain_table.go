package salesiqtest

import (
	"iter"
	"slices"
)

// table holds the objects of one kind, in the order in which they came. It finds,
// adds, changes and removes them, as all kinds have it in common.
type table[T any] struct {
	rules rules[T]
	order []string
	byID  map[string]*T
}

// rules are what differs between kinds. A nil func permits everything.
type rules[T any] struct {
	kind     string // As errors call it, and as ids begin.
	id       func(*T) *string
	readOnly []string // Fields that the service itself keeps.

	begin   func() T                                          // Makes a new object, before a call says what is in it.
	unknown func(id string) error                             // Words the error about an object that is not there.
	check   func(item *T, sets func(field string) bool) error // Sees an object as it is to be.
	keep    func(item *T) error                               // Refuses to remove an object.
	changed func(before, after *T)                            // Before is nil for a new object, after for one that is removed.
}

func (t *table[T]) get(id string) (*T, bool) {
	item, ok := t.byID[id]
	return item, ok
}

// find is get with the error that the service gives.
func (t *table[T]) find(id string) (*T, error) {
	if item, ok := t.byID[id]; ok {
		return item, nil
	}
	if t.rules.unknown != nil {
		if err := t.rules.unknown(id); err != nil {
			return nil, err
		}
	}
	return nil, notFound(t.rules.kind, id)
}

// put adds an item, or replaces the one with the same id in its place.
func (t *table[T]) put(id string, item *T) {
	if t.byID == nil {
		t.byID = map[string]*T{}
	}
	if _, known := t.byID[id]; !known {
		t.order = append(t.order, id)
	}
	t.byID[id] = item
}

// load puts items that have ids already.
func (t *table[T]) load(items []T) {
	for i := range items {
		t.put(*t.rules.id(&items[i]), &items[i])
	}
}

// add checks a new item, and keeps it under an id of its own.
func (t *table[T]) add(s *state, item T) (*T, error) {
	if err := t.rules.check(&item, allFields); err != nil {
		return nil, err
	}
	id := s.newID(t.rules.kind)
	*t.rules.id(&item) = id
	t.put(id, &item)
	t.tell(nil, &item)
	return &item, nil
}

// change applies a merge patch to an item, all of it or nothing.
func (t *table[T]) change(id string, changes members) (*T, error) {
	item, err := t.find(id)
	if err != nil {
		return nil, err
	}
	before, after := *item, *item
	if err := patch(&after, changes, t.rules.readOnly...); err != nil {
		return nil, err
	}
	if t.rules.check != nil {
		if err := t.rules.check(&after, changes.sets); err != nil {
			return nil, err
		}
	}
	*item = after
	t.tell(&before, item)
	return item, nil
}

// remove takes an item out.
func (t *table[T]) remove(id string) error {
	item, err := t.find(id)
	if err != nil {
		return err
	}
	if t.rules.keep != nil {
		if err := t.rules.keep(item); err != nil {
			return err
		}
	}
	delete(t.byID, id)
	t.order = slices.DeleteFunc(t.order, func(other string) bool { return other == id })
	t.tell(item, nil)
	return nil
}

func (t *table[T]) tell(before, after *T) {
	if t.rules.changed != nil {
		t.rules.changed(before, after)
	}
}

func (t *table[T]) all() iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for _, id := range t.order {
			if !yield(t.byID[id]) {
				return
			}
		}
	}
}

// first returns the first item that matches.
func (t *table[T]) first(match func(*T) bool) (*T, bool) {
	for item := range t.all() {
		if match(item) {
			return item, true
		}
	}
	return nil, false
}

// matching returns the items that match, or all where there is nothing to match.
func (t *table[T]) matching(match func(*T) bool) []*T {
	matches := []*T{}
	for item := range t.all() {
		if match == nil || match(item) {
			matches = append(matches, item)
		}
	}
	return matches
}
