package salesiq

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// RoutingService handles the rules that bring visitors to operators.
type RoutingService service

func (s *RoutingService) owner() *Client { return (*service)(s).owner() }

// RoutingRule sends visitors that meet its conditions to whom its actions name.
//
// Source: specification, "Routing Rules Object".
type RoutingRule struct {
	ID         string             `json:"id"`
	Name       string             `json:"name"`
	Priority   int                `json:"priority"` // 1 comes first.
	Enabled    bool               `json:"enabled"`
	Conditions []RoutingCondition `json:"conditions"`
	Actions    RoutingActions     `json:"actions"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// RoutingCondition compares one field of a visitor with a value.
//
// Source: specification, "Routing Rules Object", conditions.
type RoutingCondition struct {
	Field    string          `json:"field"` // Such as visitor.lead_score.
	Operator RoutingOperator `json:"operator"`
	Value    any             `json:"value"` // Of any JSON type; for numbers see the package documentation, "Values".

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// RoutingOperator is a comparison. The service may add others.
type RoutingOperator string

// The comparisons that the specification shows.
const (
	RoutingContains    RoutingOperator = "contains"
	RoutingGreaterThan RoutingOperator = "greater_than"
)

// RoutingActions says where a visitor goes.
//
// Source: specification, "Routing Rules Object", actions.
type RoutingActions struct {
	AssignTo     RoutingTarget   `json:"assign_to,omitzero"`
	DepartmentID string          `json:"department_id,omitzero"`
	OperatorIDs  []string        `json:"operator_ids,omitzero"`
	Priority     RoutingPriority `json:"priority,omitzero"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// RoutingTarget is the kind of receiver of a visitor. The service may add
// others.
type RoutingTarget string

// The documented targets.
const (
	AssignToDepartment RoutingTarget = "department"
	AssignToOperator   RoutingTarget = "operator"
)

// RoutingPriority is how urgent a routed visitor is. The service may add
// others.
type RoutingPriority string

// RoutingPriorityHigh is the documented priority.
const RoutingPriorityHigh RoutingPriority = "high"

// RoutingRuleCreate describes a new rule.
type RoutingRuleCreate struct {
	Name       string             `json:"name"`              // Required.
	Priority   Opt[int]           `json:"priority,omitzero"` // 1 comes first.
	Enabled    Opt[bool]          `json:"enabled,omitzero"`
	Conditions []RoutingCondition `json:"conditions"` // Required, one at least.
	Actions    RoutingActions     `json:"actions"`    // Required: AssignTo.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *RoutingRuleCreate) validate() error {
	return cmp.Or(required("name", p.Name), requiredList("conditions", p.Conditions),
		required("actions.assign_to", string(p.Actions.AssignTo)), checkConditions(p.Conditions))
}

func checkConditions(conditions []RoutingCondition) error {
	for i, condition := range conditions {
		name := fmt.Sprintf("conditions[%d]", i)
		if err := cmp.Or(required(name+".field", condition.Field), required(name+".operator", string(condition.Operator))); err != nil {
			return err
		}
	}
	return nil
}

// RoutingRuleUpdate changes a rule; fields left zero stay as they are.
type RoutingRuleUpdate struct {
	Name       Opt[string]             `json:"name,omitzero"`
	Priority   Opt[int]                `json:"priority,omitzero"`
	Enabled    Opt[bool]               `json:"enabled,omitzero"`
	Conditions Opt[[]RoutingCondition] `json:"conditions,omitzero"` // Replaces them all.
	Actions    Opt[RoutingActions]     `json:"actions,omitzero"`    // Fields left zero are not sent.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *RoutingRuleUpdate) validate() error {
	conditions, _ := p.Conditions.Get()
	return checkConditions(conditions)
}

// List returns one page of routing rules. A nil params lists all of them.
//
//   - Endpoint: GET /api/v2/routing/rules; scope SalesIQ.settings.READ. The
//     specification documents no parameters for it; page and per_page are sent as
//     for the other lists.
//   - Errors: [ErrInvalidInput] for a page below 1 or a page size outside 1 to 100.
//   - Source: specification, "List Routing Rules".
func (s *RoutingService) List(ctx context.Context, params *ListParams, opts ...CallOption) (*Page[RoutingRule], error) {
	return fetchPage[RoutingRule](ctx, s.owner(), newCall("Routing.List", "GET /routing/rules").params(params), opts)
}

// All iterates over every routing rule, page by page.
// See [Page] for what all iterators promise.
//
//   - Endpoint: GET /api/v2/routing/rules, once for each page; scope SalesIQ.settings.READ.
//   - Errors: as for List.
//   - Source: specification, "List Routing Rules".
func (s *RoutingService) All(ctx context.Context, params *ListParams, opts ...CallOption) iter.Seq2[*RoutingRule, error] {
	return iterate[RoutingRule](ctx, s.owner(), newCall("Routing.All", "GET /routing/rules").params(params), opts)
}

// Create adds a routing rule and returns it.
//
//   - Endpoint: POST /api/v2/routing/rules; scope SalesIQ.settings.ALL.
//   - Required: Name, Conditions, each with Field and Operator, and
//     Actions.AssignTo, else [ErrInvalidInput].
//   - Errors: [ErrInvalidDepartment], [ErrResourceNotFound] for an unknown operator,
//     [ErrRequiredFieldMissing], [ErrInvalidRequest], [ErrPermissionDenied].
//   - Source: specification, "Create Routing Rule".
func (s *RoutingService) Create(ctx context.Context, rule *RoutingRuleCreate, opts ...CallOption) (*RoutingRule, error) {
	return fetch[RoutingRule](ctx, s.owner(), newCall("Routing.Create", "POST /routing/rules").body("rule", rule), opts)
}

// Update changes some fields of a routing rule and returns it.
//
//   - Endpoint: PATCH /api/v2/routing/rules/{rule_id}; scope SalesIQ.settings.ALL.
//   - Errors: [ErrInvalidInput] for a condition without Field or Operator;
//     [ErrResourceNotFound], [ErrInvalidDepartment], [ErrRequiredFieldMissing],
//     [ErrInvalidRequest], [ErrPermissionDenied].
//   - Source: specification, "Update Routing Rule".
func (s *RoutingService) Update(ctx context.Context, ruleID string, update *RoutingRuleUpdate, opts ...CallOption) (*RoutingRule, error) {
	c := newCall("Routing.Update", "PATCH /routing/rules/{rule_id}", ruleID).update(update)
	return fetch[RoutingRule](ctx, s.owner(), c, opts)
}

// Delete removes a routing rule. A repeated Delete ends in
// [ErrResourceNotFound]; see the package documentation on retries.
//
//   - Endpoint: DELETE /api/v2/routing/rules/{rule_id}; scope
//     SalesIQ.settings.ALL.
//   - Errors: [ErrResourceNotFound], [ErrPermissionDenied].
//   - Source: specification, "Delete Routing Rule".
func (s *RoutingService) Delete(ctx context.Context, ruleID string, opts ...CallOption) error {
	return send(ctx, s.owner(), newCall("Routing.Delete", "DELETE /routing/rules/{rule_id}", ruleID), opts)
}

// MarshalJSON writes r with its Extra beside the other members.
func (r RoutingRule) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&r) }

// UnmarshalJSON reads what MarshalJSON writes.
func (r *RoutingRule) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, r) }

// MarshalJSON writes r with its Extra beside the other members.
func (r RoutingCondition) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&r) }

// UnmarshalJSON reads what MarshalJSON writes.
func (r *RoutingCondition) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, r) }

// MarshalJSON writes r with its Extra beside the other members.
func (r RoutingActions) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&r) }

// UnmarshalJSON reads what MarshalJSON writes.
func (r *RoutingActions) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, r) }

// MarshalJSON writes p with its Extra beside the other members.
func (p RoutingRuleCreate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *RoutingRuleCreate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes p with its Extra beside the other members.
func (p RoutingRuleUpdate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *RoutingRuleUpdate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }
