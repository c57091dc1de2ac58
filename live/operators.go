package live

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// OperatorsService handles the people who answer conversations.
type OperatorsService service

// Operator is one person who answers conversations.
//
// Source: [V] rest-api-operator-details.html.
type Operator struct {
	ID            string         `json:"id"`
	ZUID          string         `json:"zuid"` // The Zoho user id.
	FirstName     string         `json:"first_name"`
	LastName      string         `json:"last_name"`
	Nickname      string         `json:"nick_name"`
	Email         string         `json:"email_id"`
	Role          Role           `json:"role"`
	Description   string         `json:"description"`
	Mobile        string         `json:"mobile"`
	Phone         string         `json:"phone"`
	DateOfBirth   string         `json:"date_of_birth"` // As DD-MM-YYYY.
	Street        string         `json:"street"`
	City          string         `json:"city"`
	State         string         `json:"state"`
	Country       string         `json:"country"` // Two small letters.
	PinCode       string         `json:"pin_code"`
	Language      string         `json:"language"`
	TimeZone      string         `json:"time_zone"`
	Departments   []string       `json:"departments"` // Ids.
	StatusCode    int            `json:"status_code"`
	StatusMessage string         `json:"status_message"`          // Such as "Available".
	MaxChats      string         `json:"maximum_concurrent_chat"` // A number, or "unlimited".
	ChatEnabled   bool           `json:"is_chat_enabled"`
	Enabled       bool           `json:"is_enabled"` // Not in all answers.
	Owner         bool           `json:"is_owner"`
	Confirmed     bool           `json:"is_confirmed"`
	Deleted       bool           `json:"is_deleted"`
	Notify        OperatorNotify `json:"notify"`
	ImageURL      string         `json:"image_url"` // A path on the API's host, which wants the token.
	CreatedAt     time.Time      `json:"created_time"`

	// MessengerID is messenger_id in some answers, and ModifiedAt is misspelled as
	// modifed_time. Members of those names are in Extra.
	MessengerID string    `json:"wms_id"`
	ModifiedAt  time.Time `json:"modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// OperatorNotify is what an operator is told about.
//
// Source: [V] rest-api-operator-details.html, notify.
type OperatorNotify struct {
	NewVisit    bool `json:"new_visit"`
	ReturnVisit bool `json:"return_visit"`

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
	Email       string   `json:"email_id"`     // Required.
	Role        Role     `json:"role"`         // Required.
	Departments []string `json:"departments"`  // Required, ids.
	Monitored   TextBool `json:"is_monitored"` // Sent in any case.
	ChatEnabled TextBool `json:"is_chat_enabled,omitzero"`
	FirstName   string   `json:"first_name,omitzero"`
	LastName    string   `json:"last_name,omitzero"`
	Nickname    string   `json:"nick_name,omitzero"`
	Description string   `json:"description,omitzero"`
	Mobile      string   `json:"mobile,omitzero"`
	Phone       string   `json:"phone,omitzero"`
	TimeZone    string   `json:"time_zone,omitzero"`
	Language    string   `json:"language,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *OperatorCreate) validate() error {
	return required("email_id", p.Email, "role", string(p.Role), "departments", strings.Join(p.Departments, ""))
}

// OperatorUpdate changes an operator; fields left zero stay as they are.
//
// Source: [V] rest-api-update-operator-details.html.
type OperatorUpdate struct {
	FirstName   salesiq.Opt[string]   `json:"first_name,omitzero"`
	LastName    salesiq.Opt[string]   `json:"last_name,omitzero"`
	Nickname    salesiq.Opt[string]   `json:"nick_name,omitzero"`
	Role        salesiq.Opt[Role]     `json:"role,omitzero"`
	Description salesiq.Opt[string]   `json:"description,omitzero"`
	Mobile      salesiq.Opt[string]   `json:"mobile,omitzero"`
	Phone       salesiq.Opt[string]   `json:"phone,omitzero"`
	DateOfBirth salesiq.Opt[string]   `json:"date_of_birth,omitzero"`           // As DD/MM/YYYY.
	MaxChats    salesiq.Opt[string]   `json:"maximum_concurrent_chat,omitzero"` // "0" to "5", "7", "10", "25" or "unlimited".
	ChatEnabled salesiq.Opt[TextBool] `json:"is_chat_enabled,omitzero"`
	Street      salesiq.Opt[string]   `json:"street,omitzero"`
	City        salesiq.Opt[string]   `json:"city,omitzero"`
	State       salesiq.Opt[string]   `json:"state,omitzero"`
	Country     salesiq.Opt[string]   `json:"country,omitzero"`
	PinCode     salesiq.Opt[string]   `json:"pin_code,omitzero"`
	TimeZone    salesiq.Opt[string]   `json:"time_zone,omitzero"`
	Language    salesiq.Opt[string]   `json:"language,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// SyncParams says which page of a list to return, and from when on.
//
// Source: [V] rest-api-operator-list.html, rest-api-department-list.html.
type SyncParams struct {
	Index int       // Of the first item, from 1. There are 20 on a page.
	Since time.Time // Leaves out what has not changed since.
}

func (p *SyncParams) query() query {
	q := query{}
	if p == nil {
		return q
	}
	q.number("index", p.Index)
	q.time("last_sync_time", p.Since)
	return q
}

// syncPages is how operators and departments are paged: 20 at a time, which cannot
// be changed. [I]: the index counts items, not pages.
var syncPages = PageStyle{Index: "index", First: 1, PerPage: 20}

// List returns one page of operators. A nil params returns the first twenty.
//
//   - Endpoint: GET /api/v2/{screen_name}/operators [V]; scope
//     SalesIQ.operators.READ.
//   - Source: [V] rest-api-operator-list.html.
func (s *OperatorsService) List(ctx context.Context, params *SyncParams, opts ...salesiq.CallOption) ([]Operator, error) {
	return list[Operator](ctx, s.owner(), "Operators.List", base+"/operators", params.query(), opts)
}

// All iterates over the operators.
//
// Endpoint, scope and source are those of List.
func (s *OperatorsService) All(ctx context.Context, params *SyncParams, opts ...salesiq.CallOption) iter.Seq2[*Operator, error] {
	return iterate[Operator](ctx, s.owner(), "Operators.All", base+"/operators", params.query(), syncPages, opts)
}

// Get returns one operator.
//
//   - Endpoint: GET /api/v2/{screen_name}/operators/{id} [S]; scope
//     SalesIQ.operators.READ.
//   - Source: [V] rest-api-operator-details.html.
func (s *OperatorsService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*Operator, error) {
	return get[Operator](ctx, s.owner(), "Operators.Get", base+"/operators/{id}", nil, opts, id)
}

// Create adds an operator.
//
//   - Endpoint: POST /api/v2/{screen_name}/operators [V]; scope
//     SalesIQ.operators.CREATE.
//   - Errors: [salesiq.ErrDuplicateResource], [salesiq.ErrPlanLimit].
//   - Source: [V] rest-api-create-operator.html.
func (s *OperatorsService) Create(ctx context.Context, operator *OperatorCreate, opts ...salesiq.CallOption) (*Operator, error) {
	return call[Operator](ctx, s.owner(), "Operators.Create", http.MethodPost, base+"/operators", operator, opts)
}

// Update changes an operator.
//
//   - Endpoint: PUT /api/v2/{screen_name}/operators/{id} [S]; scope
//     SalesIQ.operators.UPDATE.
//   - Source: [V] rest-api-update-operator-details.html.
func (s *OperatorsService) Update(ctx context.Context, id string, update *OperatorUpdate, opts ...salesiq.CallOption) (*Operator, error) {
	return call[Operator](ctx, s.owner(), "Operators.Update", http.MethodPut, base+"/operators/{id}", update, opts, id)
}

// Enable lets an operator sign in again.
//
//   - Endpoint: PUT /api/v2/{screen_name}/operators/{id}/enable [S]; scope
//     SalesIQ.operators.UPDATE.
//   - Source: [V] rest-api-enable-operator.html, which shows no answer.
func (s *OperatorsService) Enable(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "Operators.Enable", http.MethodPut, base+"/operators/{id}/enable", nil, opts, id)
}

// Disable keeps an operator from signing in.
//
//   - Endpoint: PUT /api/v2/{screen_name}/operators/{id}/disable [S]; scope
//     SalesIQ.operators.UPDATE.
//   - Source: [V] rest-api-disable-operator.html, which shows no answer.
func (s *OperatorsService) Disable(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "Operators.Disable", http.MethodPut, base+"/operators/{id}/disable", nil, opts, id)
}

// Delete removes an operator.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/operators/{id} [S]; scope
//     SalesIQ.operators.DELETE.
//   - Source: [V] rest-api-delete-operator.html, which shows no answer.
func (s *OperatorsService) Delete(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "Operators.Delete", http.MethodDelete, base+"/operators/{id}", nil, opts, id)
}

// AddDepartments puts an operator into departments.
//
//   - Endpoint: PUT /api/v2/{screen_name}/operators/{id}/departments [S]; scope
//     SalesIQ.operators.UPDATE.
//   - Source: [V] rest-api-associate-operator-department.html.
func (s *OperatorsService) AddDepartments(ctx context.Context, id string, departmentIDs []string, opts ...salesiq.CallOption) (*Operator, error) {
	return call[Operator](ctx, s.owner(), "Operators.AddDepartments", http.MethodPut, base+"/operators/{id}/departments", ids{departmentIDs}, opts, id)
}

// RemoveDepartments takes an operator out of departments.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/operators/{id}/departments [S]; scope
//     SalesIQ.operators.DELETE.
//   - Source: [V] rest-api-remove-operator-department.html.
func (s *OperatorsService) RemoveDepartments(ctx context.Context, id string, departmentIDs []string, opts ...salesiq.CallOption) (*Operator, error) {
	return remove[Operator](ctx, s.owner(), "Operators.RemoveDepartments", base+"/operators/{id}/departments", "ids", departmentIDs, opts, id)
}

// MarshalJSON writes o with its Extra beside the other members.
func (o Operator) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&o) }

// UnmarshalJSON reads what MarshalJSON writes.
func (o *Operator) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, o) }

// MarshalJSON writes p with its Extra beside the other members.
func (p OperatorCreate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *OperatorCreate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes o with its Extra beside the other members.
func (o OperatorNotify) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&o) }

// UnmarshalJSON reads what MarshalJSON writes.
func (o *OperatorNotify) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, o) }

// MarshalJSON writes o with its Extra beside the other members.
func (o OperatorUpdate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&o) }

// UnmarshalJSON reads what MarshalJSON writes.
func (o *OperatorUpdate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, o) }
