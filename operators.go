package salesiq

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// OperatorsService handles the people who answer chats.
type OperatorsService service

func (s *OperatorsService) owner() *Client { return (*service)(s).owner() }

// Operator is one person who answers chats.
//
// Source: specification, "Operator Object Structure".
type Operator struct {
	ID             string               `json:"id"`
	Name           string               `json:"name"`
	Email          string               `json:"email"`
	Status         OperatorStatus       `json:"status"`
	Availability   OperatorAvailability `json:"availability"`
	Role           OperatorRole         `json:"role"`
	DepartmentID   string               `json:"department_id"`
	DepartmentName string               `json:"department_name"`
	ProfilePicture string               `json:"profile_picture"` // URL.
	Timezone       string               `json:"timezone"`        // IANA name.
	MaxChats       int                  `json:"max_chats"`       // At the same time.
	ActiveChats    int                  `json:"active_chats"`
	TotalChats     int                  `json:"total_chats"`
	AverageRating  float64              `json:"average_rating"` // 1 to 5; 0 without ratings.
	Languages      []string             `json:"languages"`
	Skills         []string             `json:"skills"`
	CreatedAt      time.Time            `json:"created_at"`
	LastActive     time.Time            `json:"last_active"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// OperatorStatus tells whether an operator is there. The service may add
// others.
type OperatorStatus string

// The documented operator statuses.
const (
	OperatorOnline  OperatorStatus = "online"
	OperatorOffline OperatorStatus = "offline"
	OperatorAway    OperatorStatus = "away"
	OperatorBusy    OperatorStatus = "busy"
)

// OperatorAvailability tells whether an operator takes chats. The service may
// add others.
type OperatorAvailability string

// The availability that the specification's object and samples show, and its
// opposite.
const (
	OperatorAvailable   OperatorAvailability = "available"
	OperatorUnavailable OperatorAvailability = "unavailable"
)

// OperatorRole is what an operator may do. The service may add others.
type OperatorRole string

// The documented roles.
const (
	RoleAdmin      OperatorRole = "admin"
	RoleAgent      OperatorRole = "agent"
	RoleSupervisor OperatorRole = "supervisor"
)

// OperatorStats sums up an operator's work.
//
// Source: specification, "Get Operator Stats".
type OperatorStats struct {
	OperatorID          string      `json:"operator_id"`
	TotalChats          int         `json:"total_chats"`
	CompletedChats      int         `json:"completed_chats"`
	MissedChats         int         `json:"missed_chats"`
	AverageResponseTime Seconds     `json:"average_response_time"`
	AverageChatDuration Seconds     `json:"average_chat_duration"`
	AverageRating       float64     `json:"average_rating"`
	TotalRatingCount    int         `json:"total_rating_count"`
	RatingsBreakdown    map[int]int `json:"ratings_breakdown"` // Count by rating, 1 to 5.

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// OperatorListParams narrows a list of operators; zero fields do not.
type OperatorListParams struct {
	Status       OperatorStatus       `json:"status,omitzero"`
	Availability OperatorAvailability `json:"availability,omitzero"` // In the specification's samples only.
	DepartmentID string               `json:"department_id,omitzero"`
	Role         OperatorRole         `json:"role,omitzero"`
	Page         int                  `json:"page,omitzero"`     // First page; 1 by default.
	PerPage      int                  `json:"per_page,omitzero"` // 1 to 100.
}

func (p *OperatorListParams) validate() error { return checkPaging(p.Page, p.PerPage) }

// OperatorCreate describes a new operator.
type OperatorCreate struct {
	Name         string       `json:"name"`  // Required.
	Email        string       `json:"email"` // Required, unique.
	Role         OperatorRole `json:"role"`  // Required.
	DepartmentID string       `json:"department_id,omitzero"`
	MaxChats     Opt[int]     `json:"max_chats,omitzero"` // At the same time.
	Languages    []string     `json:"languages,omitzero"`
	Skills       []string     `json:"skills,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *OperatorCreate) validate() error {
	return cmp.Or(required("name", p.Name), required("email", p.Email), required("role", string(p.Role)),
		optionalAtLeast("max_chats", p.MaxChats, 0))
}

// OperatorUpdate changes an operator; fields left zero stay as they are.
type OperatorUpdate struct {
	Name         Opt[string]               `json:"name,omitzero"`
	Email        Opt[string]               `json:"email,omitzero"`
	Status       Opt[OperatorStatus]       `json:"status,omitzero"`
	Availability Opt[OperatorAvailability] `json:"availability,omitzero"`
	Role         Opt[OperatorRole]         `json:"role,omitzero"`
	DepartmentID Opt[string]               `json:"department_id,omitzero"`
	Timezone     Opt[string]               `json:"timezone,omitzero"`
	MaxChats     Opt[int]                  `json:"max_chats,omitzero"`
	Languages    Opt[[]string]             `json:"languages,omitzero"`
	Skills       Opt[[]string]             `json:"skills,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *OperatorUpdate) validate() error { return optionalAtLeast("max_chats", p.MaxChats, 0) }

// OperatorStatsParams bounds the time that statistics cover.
type OperatorStatsParams struct {
	FromDate time.Time `json:"from_date,omitzero"`
	ToDate   time.Time `json:"to_date,omitzero"`
}

func (p *OperatorStatsParams) validate() error { return checkDates(p.FromDate, p.ToDate) }

// List returns one page of operators. A nil params lists all of them.
//
//   - Endpoint: GET /api/v2/operators; scope SalesIQ.operators.READ.
//   - Errors: [ErrInvalidInput] for a page below 1 or a page size outside 1 to 100;
//     [ErrInvalidRequest].
//   - Source: specification, "List Operators".
func (s *OperatorsService) List(ctx context.Context, params *OperatorListParams, opts ...CallOption) (*Page[Operator], error) {
	return fetchPage[Operator](ctx, s.owner(), newCall("Operators.List", "GET /operators").params(params), opts)
}

// All iterates over every operator that matches params, page by page.
// See [Page] for what all iterators promise.
//
//   - Endpoint: GET /api/v2/operators, once for each page; scope SalesIQ.operators.READ.
//   - Errors: as for List.
//   - Source: specification, "List Operators".
func (s *OperatorsService) All(ctx context.Context, params *OperatorListParams, opts ...CallOption) iter.Seq2[*Operator, error] {
	return iterate[Operator](ctx, s.owner(), newCall("Operators.All", "GET /operators").params(params), opts)
}

// Get returns one operator.
//
//   - Endpoint: GET /api/v2/operators/{operator_id}; scope SalesIQ.operators.READ.
//   - Errors: [ErrResourceNotFound].
//   - Source: specification, "Get Operator by ID".
func (s *OperatorsService) Get(ctx context.Context, operatorID string, opts ...CallOption) (*Operator, error) {
	return fetch[Operator](ctx, s.owner(), newCall("Operators.Get", "GET /operators/{operator_id}", operatorID), opts)
}

// Create adds an operator and returns it.
//
//   - Endpoint: POST /api/v2/operators; scope SalesIQ.operators.CREATE.
//   - Required: Name, Email, Role, else [ErrInvalidInput].
//   - Errors: [ErrDuplicateResource] for an email that is taken,
//     [ErrInvalidDepartment], [ErrInvalidRequest], [ErrRequiredFieldMissing],
//     [ErrPermissionDenied].
//   - Source: specification, "Create Operator".
func (s *OperatorsService) Create(ctx context.Context, operator *OperatorCreate, opts ...CallOption) (*Operator, error) {
	return fetch[Operator](ctx, s.owner(), newCall("Operators.Create", "POST /operators").body("operator", operator), opts)
}

// Update changes some fields of an operator and returns it.
//
//   - Endpoint: PATCH /api/v2/operators/{operator_id}; scope
//     SalesIQ.operators.UPDATE.
//   - Errors: [ErrInvalidInput] for a MaxChats below 0; [ErrResourceNotFound],
//     [ErrInvalidDepartment], [ErrDuplicateResource], [ErrInvalidRequest],
//     [ErrRequiredFieldMissing] for what is set to nothing, [ErrPermissionDenied].
//   - Source: specification, "Update Operator".
func (s *OperatorsService) Update(ctx context.Context, operatorID string, update *OperatorUpdate, opts ...CallOption) (*Operator, error) {
	c := newCall("Operators.Update", "PATCH /operators/{operator_id}", operatorID).update(update)
	return fetch[Operator](ctx, s.owner(), c, opts)
}

// Delete removes an operator. A repeated Delete ends in [ErrResourceNotFound];
// see the package documentation on retries.
//
//   - Endpoint: DELETE /api/v2/operators/{operator_id}; scope
//     SalesIQ.operators.DELETE.
//   - Errors: [ErrResourceNotFound], [ErrPermissionDenied].
//   - Source: specification, "Delete Operator".
func (s *OperatorsService) Delete(ctx context.Context, operatorID string, opts ...CallOption) error {
	return send(ctx, s.owner(), newCall("Operators.Delete", "DELETE /operators/{operator_id}", operatorID), opts)
}

// Stats sums up an operator's work, over all time if params is nil.
//
//   - Endpoint: GET /api/v2/operators/{operator_id}/stats; scope
//     SalesIQ.operators.READ.
//   - Errors: [ErrInvalidInput] for dates in the wrong order;
//     [ErrResourceNotFound].
//   - Source: specification, "Get Operator Stats".
func (s *OperatorsService) Stats(ctx context.Context, operatorID string, params *OperatorStatsParams, opts ...CallOption) (*OperatorStats, error) {
	c := newCall("Operators.Stats", "GET /operators/{operator_id}/stats", operatorID).params(params)
	return fetch[OperatorStats](ctx, s.owner(), c, opts)
}

// MarshalJSON writes o with its Extra beside the other members.
func (o Operator) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&o) }

// UnmarshalJSON reads what MarshalJSON writes.
func (o *Operator) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, o) }

// MarshalJSON writes o with its Extra beside the other members.
func (o OperatorStats) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&o) }

// UnmarshalJSON reads what MarshalJSON writes.
func (o *OperatorStats) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, o) }

// MarshalJSON writes p with its Extra beside the other members.
func (p OperatorCreate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *OperatorCreate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes p with its Extra beside the other members.
func (p OperatorUpdate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *OperatorUpdate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }
