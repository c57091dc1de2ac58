package salesiqtest

import (
	"maps"

	"github.com/salesiq-go/salesiq"
)

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

// add loads data, which belongs to the state from then on. An object with the id of
// another one replaces it.
func (s *state) add(data Data) {
	s.chats.load(data.Chats)
	s.visitors.load(data.Visitors)
	s.operators.load(data.Operators)
	s.brands.load(data.Brands)
	s.rules.load(data.RoutingRules)
	s.webhooks.load(data.Webhooks)
	for i := range data.Webhooks {
		s.settingsOf(data.Webhooks[i].ID) // They are as old as the data.
	}
	s.devices.load(data.Devices)
	maps.Copy(s.sessions, data.Sessions)
}

// snapshot copies one object for the outside.
func snapshot[T any](s *Server, of func(*state) *table[T], id string) (value T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	item, ok := of(s.state).get(id)
	if ok {
		value = clone(*item)
	}
	return value, ok
}

// snapshots copies all objects of one kind for the outside.
func snapshots[T any](s *Server, of func(*state) *table[T]) []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	items := []T{}
	for item := range of(s.state).all() {
		items = append(items, clone(*item))
	}
	return items
}

// The tables, by kind.
func chats(s *state) *table[salesiq.Chat]                 { return &s.chats }
func visitors(s *state) *table[salesiq.Visitor]           { return &s.visitors }
func operators(s *state) *table[salesiq.Operator]         { return &s.operators }
func brands(s *state) *table[salesiq.Brand]               { return &s.brands }
func routingRules(s *state) *table[salesiq.RoutingRule]   { return &s.rules }
func webhooks(s *state) *table[salesiq.Webhook]           { return &s.webhooks }
func devices(s *state) *table[salesiq.Device]             { return &s.devices }
func notifications(s *state) *table[salesiq.Notification] { return &s.notifications }
func tags(s *state) *table[tag]                           { return &s.tags }
func leads(s *state) *table[lead]                         { return &s.leads }

// Chat returns a copy of a chat as it stands, and whether there is one.
func (s *Server) Chat(id string) (salesiq.Chat, bool) { return snapshot(s, chats, id) }

// Chats returns copies of all chats.
func (s *Server) Chats() []salesiq.Chat { return snapshots(s, chats) }

// Visitor returns a copy of a visitor as it stands, and whether there is one.
func (s *Server) Visitor(id string) (salesiq.Visitor, bool) { return snapshot(s, visitors, id) }

// Visitors returns copies of all visitors.
func (s *Server) Visitors() []salesiq.Visitor { return snapshots(s, visitors) }

// Operator returns a copy of an operator as it stands, and whether there is one.
func (s *Server) Operator(id string) (salesiq.Operator, bool) { return snapshot(s, operators, id) }

// Operators returns copies of all operators.
func (s *Server) Operators() []salesiq.Operator { return snapshots(s, operators) }

// Brand returns a copy of a brand as it stands, and whether there is one.
func (s *Server) Brand(id string) (salesiq.Brand, bool) { return snapshot(s, brands, id) }

// RoutingRules returns copies of all routing rules.
func (s *Server) RoutingRules() []salesiq.RoutingRule { return snapshots(s, routingRules) }

// Webhooks returns copies of all webhooks, with their secrets.
func (s *Server) Webhooks() []salesiq.Webhook { return snapshots(s, webhooks) }

// Devices returns copies of all devices.
func (s *Server) Devices() []salesiq.Device { return snapshots(s, devices) }

// Notifications returns copies of all notifications that were pushed.
func (s *Server) Notifications() []salesiq.Notification { return snapshots(s, notifications) }
