package live

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// VisitorRoutingService handles the rules by which visitors are shown to operators.
type VisitorRoutingService service

// ChatRoutingService handles the rules by which conversations reach operators.
type ChatRoutingService service

// CallRoutingService handles the rules by which calls reach operators.
type CallRoutingService service

// RoutingRule is one rule of visitor, chat or call routing.
//
// Source: [V] details-visitor-routing-rule-v2.html,
// chat-routing-rule-get-details-v2.html.
type RoutingRule struct {
	ID          string       `json:"id"`
	Title       string       `json:"title"`
	Enabled     bool         `json:"enabled"`
	Position    int          `json:"position"`
	RoutingType string       `json:"routing_type"` // Such as "route_to_selected_users".
	App         Ref          `json:"app"`
	All         []AnyOf      `json:"and_criteria"`
	Users       RoutingUsers `json:"userset"`
	Stats       RoutingStats `json:"stats"`
	Creator     Ref          `json:"creator"`
	CreatedAt   time.Time    `json:"created_time"`
	ModifiedAt  time.Time    `json:"modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// RoutingUsers are those to whom a rule routes.
//
// Source: [V] add-visitor-routing-rule-v2.html, userset.
type RoutingUsers struct {
	OperatorIDs   []string `json:"operator_ids,omitzero"`
	DepartmentIDs []string `json:"department_ids,omitzero"`
	Dynamic       []string `json:"dynamic_users,omitzero"` // Such as the last available attender.

	// Extra holds the fields that this version of the package does not know. They
	// are sent beside the other fields.
	Extra map[string]json.RawMessage `json:",embed"`
}

// RoutingStats counts what a rule did: the first three for visitors, the others for
// conversations.
//
// Source: [V] details-visitor-routing-rule-v2.html,
// chat-routing-rule-get-details-v2.html, stats.
type RoutingStats struct {
	Routed       int       `json:"routed_count"`
	Replied      int       `json:"replied_count"`
	Triggered    int       `json:"triggered_count"`
	Requested    int       `json:"requested_count"`
	Connected    int       `json:"connected_count"`
	Missed       int       `json:"missed_count"`
	Transferred  int       `json:"transfered_count"` //nolint:misspell // The service spells it so.
	LastRoutedAt time.Time `json:"last_routed_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// RoutingRules are all rules, and whether everybody is told where none fits.
//
// Source: [V] list-visitor-routing-rule-v2.html, list-chat-routing-rule-v2.html.
type RoutingRules struct {
	RouteToAll Switch        `json:"route_to_all"`
	Rules      []RoutingRule `json:"rule_list"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// RoutingRuleWrite describes a rule.
//
// Source: [V] update-details-visitor-routing-rule-v2.html; [I] for Title.
type RoutingRuleWrite struct {
	All         []AnyOf       `json:"and_criteria"` // Required.
	Users       *RoutingUsers `json:"userset,omitzero"`
	AppID       string        `json:"app_id,omitzero"`
	RoutingType string        `json:"routing_type,omitzero"`
	Title       string        `json:"title,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *RoutingRuleWrite) validate() error { return checkCriteria("and_criteria", p.All) }

// List returns the rules.
//
//   - Endpoint: GET /api/v2/{screen_name}/visitorroutingrules [V]; scope
//     SalesIQ.visitorroutingrules.READ.
//   - Source: [V] list-visitor-routing-rule-v2.html.
func (s *VisitorRoutingService) List(ctx context.Context, opts ...salesiq.CallOption) (*RoutingRules, error) {
	return get[RoutingRules](ctx, s.owner(), "VisitorRouting.List", visitorRules, nil, opts)
}

// Get returns one rule.
//
//   - Endpoint: GET /api/v2/{screen_name}/visitorroutingrules/{id} [V]; scope
//     SalesIQ.visitorroutingrules.READ.
//   - Source: [V] details-visitor-routing-rule-v2.html.
func (s *VisitorRoutingService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*RoutingRule, error) {
	return get[RoutingRule](ctx, s.owner(), "VisitorRouting.Get", visitorRules+"/{id}", nil, opts, id)
}

// Create adds a rule. The RoutingRule is a zero one where the service answers
// without it.
//
//   - Endpoint: POST /api/v2/{screen_name}/visitorroutingrules [V]; scope
//     SalesIQ.visitorroutingrules.CREATE.
//   - Source: [V] add-visitor-routing-rule-v2.html, whose answer is cut.
func (s *VisitorRoutingService) Create(ctx context.Context, rule *RoutingRuleWrite, opts ...salesiq.CallOption) (*RoutingRule, error) {
	return call[RoutingRule](ctx, s.owner(), "VisitorRouting.Create", http.MethodPost, visitorRules, rule, opts)
}

// Update replaces a rule. The RoutingRule is a zero one where the service answers
// without it.
//
//   - Endpoint: PUT /api/v2/{screen_name}/visitorroutingrules/{id} [V]; scope
//     SalesIQ.visitorroutingrules.UPDATE.
//   - Source: [V] update-details-visitor-routing-rule-v2.html, which shows no answer.
func (s *VisitorRoutingService) Update(ctx context.Context, id string, rule *RoutingRuleWrite, opts ...salesiq.CallOption) (*RoutingRule, error) {
	return call[RoutingRule](ctx, s.owner(), "VisitorRouting.Update", http.MethodPut, visitorRules+"/{id}", rule, opts, id)
}

// Enable switches a rule on or off.
//
//   - Endpoint: PUT /api/v2/{screen_name}/visitorroutingrules/{id} [V]; scope
//     SalesIQ.visitorroutingrules.UPDATE.
//   - Source: [V] enable-disable-visitor-routing-rule-v2.html, which shows no answer.
func (s *VisitorRoutingService) Enable(ctx context.Context, id string, enabled bool, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "VisitorRouting.Enable", http.MethodPut, visitorRules+"/{id}", enable{enabled}, opts, id)
}

// Move gives a rule its position among the others.
//
//   - Endpoint: PUT /api/v2/{screen_name}/visitorroutingrules/{id} [V]; scope
//     SalesIQ.visitorroutingrules.UPDATE.
//   - Source: [V] update-visitor-routing-rule-order-v2.html, which shows no answer.
func (s *VisitorRoutingService) Move(ctx context.Context, id string, position int, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "VisitorRouting.Move", http.MethodPut, visitorRules+"/{id}", move{position}, opts, id)
}

// Delete removes a rule.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/visitorroutingrules/{id} [V]; scope
//     SalesIQ.visitorroutingrules.DELETE.
//   - Source: [V] delete-visitor-routing-rule-v2.html, which shows no answer.
func (s *VisitorRoutingService) Delete(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "VisitorRouting.Delete", http.MethodDelete, visitorRules+"/{id}", nil, opts, id)
}

// Common tells whether visitors are shown to all operators where no rule fits.
//
//   - Endpoint: GET /api/v2/{screen_name}/visitorroutingrules/commonrule [V]; scope
//     SalesIQ.visitorroutingrules.READ.
//   - Source: [V] get-visitor-routing-rule-configurations-v2.html.
func (s *VisitorRoutingService) Common(ctx context.Context, opts ...salesiq.CallOption) (*CommonRule, error) {
	return get[CommonRule](ctx, s.owner(), "VisitorRouting.Common", visitorRules+"/commonrule", nil, opts)
}

// CommonRule is what happens where no rule fits.
//
// Source: [V] get-visitor-routing-rule-configurations-v2.html.
type CommonRule struct {
	RouteToAll Switch `json:"route_to_all"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// UpdateCommon says whether visitors are shown to all operators where no rule fits.
//
//   - Endpoint: PUT /api/v2/{screen_name}/visitorroutingrules/commonrule [V]; scope
//     SalesIQ.visitorroutingrules.UPDATE.
//   - Source: [V] update-visitor-routing-rule-common-v2.html, which shows no answer.
func (s *VisitorRoutingService) UpdateCommon(ctx context.Context, routeToAll Switch, opts ...salesiq.CallOption) error {
	body := commonRule{routeToAll}
	return send(ctx, s.owner(), "VisitorRouting.UpdateCommon", http.MethodPut, visitorRules+"/commonrule", body, opts)
}

type commonRule struct {
	RouteToAll Switch `json:"route_to_all"`
}

func (c commonRule) validate() error { return required("route_to_all", string(c.RouteToAll)) }

// List returns the rules.
//
//   - Endpoint: GET /api/v2/{screen_name}/chatroutingrules [S]; scope
//     SalesIQ.chatroutingrules.READ.
//   - Source: [V] list-chat-routing-rule-v2.html.
func (s *ChatRoutingService) List(ctx context.Context, opts ...salesiq.CallOption) (*RoutingRules, error) {
	return get[RoutingRules](ctx, s.owner(), "ChatRouting.List", chatRules, nil, opts)
}

// Get returns one rule.
//
//   - Endpoint: GET /api/v2/{screen_name}/chatroutingrules/{id} [S]; scope
//     SalesIQ.chatroutingrules.READ.
//   - Source: [V] chat-routing-rule-get-details-v2.html.
func (s *ChatRoutingService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*RoutingRule, error) {
	return get[RoutingRule](ctx, s.owner(), "ChatRouting.Get", chatRules+"/{id}", nil, opts, id)
}

// Create adds a rule. The RoutingRule is a zero one where the service answers
// without it.
//
//   - Endpoint: POST /api/v2/{screen_name}/chatroutingrules [S]; scope
//     SalesIQ.chatroutingrules.CREATE.
//   - Source: [V] add-chat-routing-rule-v2.html, whose answer is cut.
func (s *ChatRoutingService) Create(ctx context.Context, rule *RoutingRuleWrite, opts ...salesiq.CallOption) (*RoutingRule, error) {
	return call[RoutingRule](ctx, s.owner(), "ChatRouting.Create", http.MethodPost, chatRules, rule, opts)
}

// Update replaces a rule. The RoutingRule is a zero one where the service answers
// without it.
//
//   - Endpoint: PUT /api/v2/{screen_name}/chatroutingrules/{id} [S]; scope
//     SalesIQ.chatroutingrules.UPDATE.
//   - Source: [V] chat-routing-rule-update-details-v2.html, which shows no answer.
func (s *ChatRoutingService) Update(ctx context.Context, id string, rule *RoutingRuleWrite, opts ...salesiq.CallOption) (*RoutingRule, error) {
	return call[RoutingRule](ctx, s.owner(), "ChatRouting.Update", http.MethodPut, chatRules+"/{id}", rule, opts, id)
}

// Enable switches a rule on or off.
//
//   - Endpoint: PUT /api/v2/{screen_name}/chatroutingrules/{id} [S]; scope
//     SalesIQ.chatroutingrules.UPDATE.
//   - Source: [V] enable-disable-routing-rule-v2.html, which shows no answer.
func (s *ChatRoutingService) Enable(ctx context.Context, id string, enabled bool, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "ChatRouting.Enable", http.MethodPut, chatRules+"/{id}", enable{enabled}, opts, id)
}

// Create adds a rule. The RoutingRule is a zero one where the service answers
// without it.
//
//   - Endpoint: POST /api/v2/{screen_name}/callroutingrules [V]; scope
//     SalesIQ.callroutingrules.CREATE.
//   - Source: [V] add-call-routing-rule-v2.html, whose answer is cut.
func (s *CallRoutingService) Create(ctx context.Context, rule *RoutingRuleWrite, opts ...salesiq.CallOption) (*RoutingRule, error) {
	return call[RoutingRule](ctx, s.owner(), "CallRouting.Create", http.MethodPost, base+"/callroutingrules", rule, opts)
}

// The paths of the rules.
const (
	visitorRules = base + "/visitorroutingrules"
	chatRules    = base + "/chatroutingrules"
)

// move is the body of calls that change a position.
type move struct {
	Position int `json:"position"`
}

// MarshalJSON writes r with its Extra beside the other members.
func (r RoutingRule) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&r) }

// UnmarshalJSON reads what MarshalJSON writes.
func (r *RoutingRule) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, r) }

// MarshalJSON writes r with its Extra beside the other members.
func (r RoutingUsers) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&r) }

// UnmarshalJSON reads what MarshalJSON writes.
func (r *RoutingUsers) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, r) }

// MarshalJSON writes r with its Extra beside the other members.
func (r RoutingStats) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&r) }

// UnmarshalJSON reads what MarshalJSON writes.
func (r *RoutingStats) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, r) }

// MarshalJSON writes r with its Extra beside the other members.
func (r RoutingRules) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&r) }

// UnmarshalJSON reads what MarshalJSON writes.
func (r *RoutingRules) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, r) }

// MarshalJSON writes p with its Extra beside the other members.
func (p RoutingRuleWrite) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *RoutingRuleWrite) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes c with its Extra beside the other members.
func (c CommonRule) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *CommonRule) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }
