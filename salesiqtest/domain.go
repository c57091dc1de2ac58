package salesiqtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// state is one organization: its objects and the rules that they follow. It
// speaks no dialect; see [dialect] for who does. The server's lock guards it.
type state struct {
	now     time.Time // The moment of the call under way.
	publish func(event salesiq.EventName, data any) error

	bareLists bool // Chats are listed without transcripts.

	chats         table[salesiq.Chat]
	visitors      table[salesiq.Visitor]
	operators     table[salesiq.Operator]
	brands        table[salesiq.Brand]
	rules         table[salesiq.RoutingRule]
	webhooks      table[salesiq.Webhook]
	devices       table[salesiq.Device]
	notifications table[salesiq.Notification]
	leads         table[lead]
	tags          table[tag]

	sessions map[string][]salesiq.Session // By visitor.
	disabled map[string]bool              // Operators, by id.
	settings map[string]*webhookSettings  // Of webhooks, by id.
	retried  map[string]bool              // Failed deliveries that were retried or deleted, by id.
	files    map[string]*storedFile       // By id.
	events   []salesiq.EventName          // That a webhook may be for.
	told     time.Time                    // When the last event of the live service happened.

	calls      []phoneCall
	references map[string]int       // Of chats, by id.
	handovers  map[string]handover  // Of chats that were transferred, by id, until the operator answers.
	notes      map[string][]note    // Of chats, by id.
	pauses     map[string][]span    // Of chats that were taken up again, by id.
	endings    map[string]string    // Who ended them, by chat and number of pauses before.
	marked     map[string]*[]string // Tags of contacts and companies, by module and id.

	// Of the live service alone.
	families  map[string]*family          // By path.
	documents map[string]*table[document] // By their family's path.
	singles   map[string]object           // What there is one of, by path.
	callbacks map[string]*callback        // By the request's id.
	overlays  map[string]object           // What calls have set of operators, departments and apps, by id.
	belongs   map[string][]string         // Further departments of operators, by the operator's id.
	retries   map[string]int              // Of events, by id.

	// Of bots.
	bot     *zobot            // Who has what begins; nil for nobody.
	bots    map[string]*zobot // By id.
	talks   map[string]*talk  // By the chat's id.
	greeted map[string]*talk  // Of visitors who have opened the window and said nothing yet, by id.
	blocked map[string]bool   // Visitors, by id.
	turns   history[BotTurn]
	serve   func(*talk)                  // Begins to work on its queue.
	warn    func(problem, chatID string) // Tells people what a bot has done wrong.

	widget  widget
	courier *courier
	serial  int
}

func newState(events []salesiq.EventName) *state {
	s := &state{
		sessions: map[string][]salesiq.Session{},
		disabled: map[string]bool{}, settings: map[string]*webhookSettings{}, retried: map[string]bool{}, files: map[string]*storedFile{},
		references: map[string]int{}, handovers: map[string]handover{}, notes: map[string][]note{},
		pauses: map[string][]span{}, endings: map[string]string{}, marked: map[string]*[]string{},
		events:   events,
		families: familiesByPath(), documents: map[string]*table[document]{}, singles: map[string]object{}, callbacks: map[string]*callback{},
		overlays: map[string]object{}, belongs: map[string][]string{}, retries: map[string]int{},
		bots: map[string]*zobot{}, talks: map[string]*talk{}, greeted: map[string]*talk{}, blocked: map[string]bool{},
	}
	s.chats.rules = rules[salesiq.Chat]{kind: "chat", id: func(v *salesiq.Chat) *string { return &v.ID }}
	s.visitors.rules = rules[salesiq.Visitor]{
		kind: "visitor", id: func(v *salesiq.Visitor) *string { return &v.ID }, unknown: unknownVisitor, changed: s.visitorChanged,
		readOnly: []string{"id", "first_visit", "last_visit", "pages_visited", "total_visits"},
	}
	s.operators.rules = rules[salesiq.Operator]{
		kind: "operator", id: func(v *salesiq.Operator) *string { return &v.ID },
		readOnly: []string{"id", "department_name", "active_chats", "total_chats", "average_rating", "created_at", "last_active"},
		begin:    s.newOperator, check: s.checkOperator, keep: keepOwner, changed: s.operatorChanged,
	}
	s.brands.rules = rules[salesiq.Brand]{
		kind: "brand", id: func(v *salesiq.Brand) *string { return &v.ID }, check: checkBrand,
		readOnly: []string{"id", "departments", "created_at"},
	}
	s.rules.rules = rules[salesiq.RoutingRule]{
		kind: "rule", id: func(v *salesiq.RoutingRule) *string { return &v.ID }, readOnly: onlyID, begin: s.newRule, check: s.checkRule,
	}
	s.webhooks.rules = rules[salesiq.Webhook]{
		kind: "webhook", id: func(v *salesiq.Webhook) *string { return &v.ID }, readOnly: onlyID, begin: newWebhook, check: s.checkWebhook,
	}
	s.devices.rules = rules[salesiq.Device]{
		kind: "device", id: func(v *salesiq.Device) *string { return &v.ID }, readOnly: onlyID,
		begin: empty[salesiq.Device], check: s.checkDevice,
	}
	s.notifications.rules = rules[salesiq.Notification]{
		kind: "notification", id: func(v *salesiq.Notification) *string { return &v.ID }, readOnly: onlyID,
		begin: empty[salesiq.Notification], check: s.checkNotification,
	}
	s.tags.rules = rules[tag]{
		kind: "tag", id: func(v *tag) *string { return &v.ID }, readOnly: onlyID, begin: empty[tag], check: s.checkTag, changed: s.tagChanged,
	}
	return s
}

// onlyID is all that is read-only of objects that the service adds nothing to.
var onlyID = []string{"id"}

func empty[T any]() (item T) { return item }

// newID returns an id that nothing else has.
func (s *state) newID(kind string) string {
	s.serial++
	return fmt.Sprintf("%s%d", kind, 900000+s.serial)
}

// tell publishes an event of the specification.
func (s *state) tell(event salesiq.EventName, data webhook.Event) { s.mustPublish(event, data) }

// vendorFact is the data of an event that the specification does not have.
type vendorFact struct{ about any } // A pointer to what has changed.

// tellVendors publishes an event that only the live service has.
func (s *state) tellVendors(event salesiq.EventName, about any) {
	s.mustPublish(event, vendorFact{about})
}

func (s *state) mustPublish(event salesiq.EventName, data any) {
	if err := s.publish(event, data); err != nil {
		panic("salesiqtest: " + err.Error()) // Data of our own types are always fit for JSON.
	}
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
	return s.brands.first(func(brand *salesiq.Brand) bool {
		return slices.ContainsFunc(brand.Departments, hasID(departmentID))
	})
}

func hasID(id string) func(salesiq.Department) bool {
	return func(department salesiq.Department) bool { return department.ID == id }
}

// departmentNamed returns the id of a department, or "".
func (s *state) departmentNamed(name string) string {
	for brand := range s.brands.all() {
		for _, department := range brand.Departments {
			if department.Name == name {
				return department.ID
			}
		}
	}
	return ""
}

// checkDepartment accepts no department, and every one that exists.
func (s *state) checkDepartment(field, id string) error {
	if _, ok := s.department(id); !ok && id != "" {
		return refuse(salesiq.ErrInvalidDepartment, fmt.Sprintf("there is no department %q", id), details{"field": field, "id": id})
	}
	return nil
}
