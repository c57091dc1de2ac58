package salesiqtest

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// table holds the objects of one kind, in the order in which they came.
type table[T any] struct {
	order []string
	byID  map[string]*T
}

func (t *table[T]) get(id string) (*T, bool) {
	item, ok := t.byID[id]
	return item, ok
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

func (t *table[T]) remove(id string) bool {
	if _, known := t.byID[id]; !known {
		return false
	}
	delete(t.byID, id)
	t.order = slices.DeleteFunc(t.order, func(other string) bool { return other == id })
	return true
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

// find returns the first item that matches.
func (t *table[T]) find(match func(*T) bool) (*T, bool) {
	for item := range t.all() {
		if match(item) {
			return item, true
		}
	}
	return nil, false
}

// state is all that the service remembers about one organization.
type state struct {
	chats         table[salesiq.Chat]
	visitors      table[salesiq.Visitor]
	operators     table[salesiq.Operator]
	brands        table[salesiq.Brand]
	rules         table[salesiq.RoutingRule]
	webhooks      table[salesiq.Webhook]
	devices       table[salesiq.Device]
	notifications table[salesiq.Notification]
	leads         table[lead]
	sessions      map[string][]salesiq.Session // By visitor.
	widget        widget
	serial        int
	courier       *courier
	live          *liveState // Nil in the specified dialect.
}

// newID returns an id that nothing else has.
func (s *state) newID(kind string) string {
	s.serial++
	return fmt.Sprintf("%s%d", kind, 900000+s.serial)
}

// department finds a department of any brand.
func (s *state) department(id string) (salesiq.Department, bool) {
	if brand, ok := s.brandOf(id); ok {
		return brand.Departments[slices.IndexFunc(brand.Departments, hasID(id))], true
	}
	return salesiq.Department{}, false
}

// brandOf finds the brand of a department.
func (s *state) brandOf(departmentID string) (*salesiq.Brand, bool) {
	return s.brands.find(func(brand *salesiq.Brand) bool {
		return slices.ContainsFunc(brand.Departments, hasID(departmentID))
	})
}

func hasID(id string) func(salesiq.Department) bool {
	return func(department salesiq.Department) bool { return department.ID == id }
}

// checkDepartment accepts no department, and every one that exists.
func (s *state) checkDepartment(field, id string) error {
	if id == "" {
		return nil
	}
	if _, ok := s.department(id); !ok {
		return refuse(salesiq.ErrInvalidDepartment, fmt.Sprintf("there is no department %q", id),
			details{"field": field, "id": id})
	}
	return nil
}

// Data is what a server knows at its start, for [WithData].
type Data struct {
	Chats        []salesiq.Chat
	Visitors     []salesiq.Visitor
	Operators    []salesiq.Operator
	Brands       []salesiq.Brand // With their departments.
	RoutingRules []salesiq.RoutingRule
	Webhooks     []salesiq.Webhook
	Devices      []salesiq.Device
	Sessions     map[string][]salesiq.Session // By visitor, for Visitors.Activity.
}

// add loads data and keeps it: what is the caller's must be cloned before. An
// object that is there already is replaced.
func (s *state) add(data Data) {
	load(&s.chats, data.Chats, func(v *salesiq.Chat) string { return v.ID })
	load(&s.visitors, data.Visitors, func(v *salesiq.Visitor) string { return v.ID })
	load(&s.operators, data.Operators, func(v *salesiq.Operator) string { return v.ID })
	load(&s.brands, data.Brands, func(v *salesiq.Brand) string { return v.ID })
	load(&s.rules, data.RoutingRules, func(v *salesiq.RoutingRule) string { return v.ID })
	load(&s.webhooks, data.Webhooks, func(v *salesiq.Webhook) string { return v.ID })
	load(&s.devices, data.Devices, func(v *salesiq.Device) string { return v.ID })
	if s.sessions == nil {
		s.sessions = map[string][]salesiq.Session{}
	}
	maps.Copy(s.sessions, data.Sessions)
}

func load[T any](t *table[T], items []T, id func(*T) string) {
	for i := range items {
		t.put(id(&items[i]), &items[i])
	}
}

// copyOf copies a value all the way down, by way of the wire.
func copyOf[T any](value T) (copied T, err error) {
	data, err := wire.Marshal(value)
	if err != nil {
		return copied, err
	}
	err = wire.Unmarshal(data, &copied)
	return copied, err
}

// clone is copyOf for what is known to be fit for the wire.
func clone[T any](value T) T {
	copied, err := copyOf(value)
	if err != nil {
		panic(fmt.Sprintf("salesiqtest: a %T that cannot travel: %v", value, err))
	}
	return copied
}

// snapshot copies one object for the outside.
func snapshot[T any](s *Server, t *table[T], id string) (value T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	item, ok := t.get(id)
	if ok {
		value = clone(*item)
	}
	return value, ok
}

// snapshots copies all objects of one kind for the outside.
func snapshots[T any](s *Server, t *table[T]) []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	items := []T{}
	for item := range t.all() {
		items = append(items, clone(*item))
	}
	return items
}

// Chat returns a copy of a chat as it stands, and whether there is one.
func (s *Server) Chat(id string) (salesiq.Chat, bool) { return snapshot(s, &s.state.chats, id) }

// Chats returns copies of all chats.
func (s *Server) Chats() []salesiq.Chat { return snapshots(s, &s.state.chats) }

// Visitor returns a copy of a visitor as it stands, and whether there is one.
func (s *Server) Visitor(id string) (salesiq.Visitor, bool) {
	return snapshot(s, &s.state.visitors, id)
}

// Visitors returns copies of all visitors.
func (s *Server) Visitors() []salesiq.Visitor { return snapshots(s, &s.state.visitors) }

// Operator returns a copy of an operator as it stands, and whether there is one.
func (s *Server) Operator(id string) (salesiq.Operator, bool) {
	return snapshot(s, &s.state.operators, id)
}

// Operators returns copies of all operators.
func (s *Server) Operators() []salesiq.Operator { return snapshots(s, &s.state.operators) }

// Brand returns a copy of a brand as it stands, and whether there is one.
func (s *Server) Brand(id string) (salesiq.Brand, bool) { return snapshot(s, &s.state.brands, id) }

// RoutingRules returns copies of all routing rules.
func (s *Server) RoutingRules() []salesiq.RoutingRule { return snapshots(s, &s.state.rules) }

// Webhooks returns copies of all webhooks, with their secrets.
func (s *Server) Webhooks() []salesiq.Webhook { return snapshots(s, &s.state.webhooks) }

// Devices returns copies of all devices.
func (s *Server) Devices() []salesiq.Device { return snapshots(s, &s.state.devices) }

// Notifications returns copies of all notifications that were pushed.
func (s *Server) Notifications() []salesiq.Notification {
	return snapshots(s, &s.state.notifications)
}
