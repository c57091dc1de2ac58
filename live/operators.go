package live

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// OperatorsService handles the people who answer conversations.
type OperatorsService service

// Operator is one person who answers conversations.
//
// Source: [V] rest-api-create-operator.html,
// rest-api-associate-operator-department.html.
type Operator struct {
	ID            string    `json:"id"`
	FirstName     string    `json:"first_name"`
	LastName      string    `json:"last_name"`
	Nickname      string    `json:"nick_name"`
	Email         string    `json:"email_id"`
	Role          Role      `json:"role"`
	Departments   []string  `json:"departments"` // Ids.
	StatusCode    int       `json:"status_code"`
	StatusMessage string    `json:"status_message"` // Such as "Available".
	ChatEnabled   bool      `json:"is_chat_enabled"`
	Enabled       bool      `json:"is_enabled"` // Not in all answers.
	Owner         bool      `json:"is_owner"`
	Confirmed     bool      `json:"is_confirmed"`
	Deleted       bool      `json:"is_deleted"`
	MaxChats      int       `json:"maximum_concurrent_chat"` // 0 for unlimited.
	Language      string    `json:"language"`
	TimeZone      string    `json:"time_zone"`
	Country       string    `json:"country"`
	ImageURL      string    `json:"image_url"` // A path on the API's host, which wants the token.
	CreatedAt     time.Time `json:"created_time"`

	// ModifiedAt is misspelled as modifed_time on one of the vendor's pages. A
	// member of that name is in Extra.
	ModifiedAt time.Time `json:"modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// Role is what an operator may do. The service may add others.
type Role string

// The roles of rest-api-create-operator.html. [V].
const (
	Administrator Role = "Administrator"
	Supervisor    Role = "Supervisor"
	Associate     Role = "Associate"
)

// OperatorCreate describes a new operator.
//
// Source: [V] rest-api-create-operator.html.
type OperatorCreate struct {
	Email       string   `json:"email_id"`    // Required.
	Role        Role     `json:"role"`        // Required.
	Departments []string `json:"departments"` // Required, ids.
	Monitored   bool     `json:"is_monitored"`
	FirstName   string   `json:"first_name,omitzero"`
	LastName    string   `json:"last_name,omitzero"`
	Nickname    string   `json:"nick_name,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// operatorPages is how operators and departments are paged: 20 at a time, which
// cannot be changed.
var operatorPages = PageStyle{Index: "index", First: 1, PerPage: 20}

// All iterates over the operators.
//
//   - Endpoint: GET /api/v2/{screen_name}/operators; scope SalesIQ.operators.READ.
//   - Source: [V] rest-api-operator-list.html; [I] that index counts operators,
//     not pages.
func (s *OperatorsService) All(ctx context.Context, opts ...salesiq.CallOption) iter.Seq2[*Operator, error] {
	return All[Operator](ctx, s.client, base+"/operators", nil, operatorPages, call(opts, "Operators.All")...)
}

// List returns the first twenty operators.
//
// Endpoint, scope and source are those of All.
func (s *OperatorsService) List(ctx context.Context, opts ...salesiq.CallOption) ([]Operator, error) {
	return list[Operator](ctx, s.client, base+"/operators", nil, call(opts, "Operators.List")...)
}

// Get returns one operator.
//
//   - Endpoint: GET /api/v2/{screen_name}/operators/{id}; scope
//     SalesIQ.operators.READ.
//   - Source: [I]: other calls answer with this url.
func (s *OperatorsService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*Operator, error) {
	return Get[Operator](ctx, s.client, base+"/operators/{id}", nil, call(opts, "Operators.Get", id)...)
}

// Create adds an operator.
//
//   - Endpoint: POST /api/v2/{screen_name}/operators; scope
//     SalesIQ.operators.CREATE.
//   - Errors: [salesiq.ErrDuplicateResource], [salesiq.ErrPlanLimit].
//   - Source: [V] rest-api-create-operator.html.
func (s *OperatorsService) Create(ctx context.Context, operator *OperatorCreate, opts ...salesiq.CallOption) (*Operator, error) {
	return Post[Operator](ctx, s.client, base+"/operators", operator, call(opts, "Operators.Create")...)
}

// Enable lets an operator sign in again.
//
//   - Endpoint: PUT /api/v2/{screen_name}/operators/{id}/enable; scope
//     SalesIQ.operators.UPDATE.
//   - Source: [V] rest-api-enable-operator.html; [I] for the method.
func (s *OperatorsService) Enable(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	_, err := Put[any](ctx, s.client, base+"/operators/{id}/enable", nil, call(opts, "Operators.Enable", id)...)
	return err
}

// Disable keeps an operator from signing in.
//
//   - Endpoint: PUT /api/v2/{screen_name}/operators/{id}/disable; scope
//     SalesIQ.operators.UPDATE.
//   - Source: [V] rest-api-disable-operator.html; [I] for the method.
func (s *OperatorsService) Disable(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	_, err := Put[any](ctx, s.client, base+"/operators/{id}/disable", nil, call(opts, "Operators.Disable", id)...)
	return err
}

// Delete removes an operator.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/operators/{id}; scope
//     SalesIQ.operators.DELETE.
//   - Source: [V] rest-api-delete-operator.html.
func (s *OperatorsService) Delete(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	_, err := Delete[any](ctx, s.client, base+"/operators/{id}", nil, call(opts, "Operators.Delete", id)...)
	return err
}

// MarshalJSON writes o with its Extra beside the other members.
func (o Operator) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&o) }

// UnmarshalJSON reads what MarshalJSON writes.
func (o *Operator) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, o) }

// MarshalJSON writes o with its Extra beside the other members.
func (o OperatorCreate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&o) }

// UnmarshalJSON reads what MarshalJSON writes.
func (o *OperatorCreate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, o) }
