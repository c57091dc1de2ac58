package live

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// LeadScoringService handles the rules by which visitors get points.
type LeadScoringService service

// LeadRule gives points to visitors who meet its criteria.
//
// Source: [V] get-details-lead-scoring-v2.html.
type LeadRule struct {
	ID      string      `json:"id"`
	Status  Switch      `json:"status"`
	Points  int         `json:"points"`
	All     []LeadAnyOf `json:"AND_criteria"` //nolint:tagliatelle // The page spells it so.
	Creator Ref         `json:"creator"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// LeadAnyOf is [AnyOf], as lead scoring spells it.
//
// Source: [V] get-details-lead-scoring-v2.html.
type LeadAnyOf struct {
	Any []Criterion `json:"OR_criteria,omitzero"` //nolint:tagliatelle // Likewise.

	// Extra holds the fields that this version of the package does not know. They
	// are sent beside the other fields.
	Extra map[string]json.RawMessage `json:",embed"`
}

// LeadRuleWrite describes a rule.
//
// Source: [V] update-details-lead-scoring-v2.html; [I] that Create takes the same.
type LeadRuleWrite struct {
	Points int         `json:"points"`
	All    []LeadAnyOf `json:"AND_criteria"` //nolint:tagliatelle // Required. The page spells it so.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *LeadRuleWrite) validate() error {
	if len(p.All) == 0 {
		return inputError("", "AND_criteria", "is required")
	}
	for i := range p.All {
		same := AnyOf(p.All[i])
		if err := same.check(fmt.Sprintf("AND_criteria[%d].OR_criteria", i)); err != nil {
			return err
		}
	}
	return nil
}

// LeadConfig is how old points lose weight.
//
// Source: [V] frequency-details-lead-scoring-v2.html.
type LeadConfig struct {
	Percentage int       `json:"percentage"`
	Frequency  string    `json:"frequency"` // Such as "yearly".
	NextAt     time.Time `json:"next_crunch_time"`
	LastAt     time.Time `json:"last_crunch_time"` // Zero if it never was.

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// List returns the rules.
//
//   - Endpoint: GET /api/v2/{screen_name}/leadscorerules [V]; scope
//     SalesIQ.leadscorerules.READ.
//   - Source: [V] list-lead-scoring-v2.html.
func (s *LeadScoringService) List(ctx context.Context, opts ...salesiq.CallOption) ([]LeadRule, error) {
	return ruleList[LeadRule](ctx, s.owner(), "LeadScoring.List", leadRules, opts)
}

// Get returns one rule.
//
//   - Endpoint: GET /api/v2/{screen_name}/leadscorerules/{id} [V]; scope
//     SalesIQ.leadscorerules.READ.
//   - Source: [V] get-details-lead-scoring-v2.html.
func (s *LeadScoringService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*LeadRule, error) {
	return get[LeadRule](ctx, s.owner(), "LeadScoring.Get", leadRules+"/{id}", nil, opts, id)
}

// Create adds a rule. The LeadRule is a zero one where the service answers without
// it.
//
//   - Endpoint: POST /api/v2/{screen_name}/leadscorerules [V]; scope
//     SalesIQ.leadscorerules.CREATE.
//   - Source: [V] the list of calls on list-lead-scoring-v2.html, which shows no
//     answer.
func (s *LeadScoringService) Create(ctx context.Context, rule *LeadRuleWrite, opts ...salesiq.CallOption) (*LeadRule, error) {
	return call[LeadRule](ctx, s.owner(), "LeadScoring.Create", http.MethodPost, leadRules, rule, opts)
}

// Update replaces a rule. The LeadRule is a zero one where the service answers
// without it.
//
//   - Endpoint: PUT /api/v2/{screen_name}/leadscorerules/{id} [V]; scope
//     SalesIQ.leadscorerules.UPDATE.
//   - Source: [V] update-details-lead-scoring-v2.html, which shows no answer.
func (s *LeadScoringService) Update(ctx context.Context, id string, rule *LeadRuleWrite, opts ...salesiq.CallOption) (*LeadRule, error) {
	return call[LeadRule](ctx, s.owner(), "LeadScoring.Update", http.MethodPut, leadRules+"/{id}", rule, opts, id)
}

// Enable switches a rule on or off. The page's text names a field enable, its sample
// sends status, as is done here.
//
//   - Endpoint: PUT /api/v2/{screen_name}/leadscorerules/{id} [V]; scope
//     SalesIQ.leadscorerules.UPDATE.
//   - Source: [V] enable-disable-lead-scoring-v2.html, which shows no answer.
func (s *LeadScoringService) Enable(ctx context.Context, id string, status Switch, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "LeadScoring.Enable", http.MethodPut, leadRules+"/{id}", newStatus{string(status)}, opts, id)
}

// newStatus is the body of calls that set a status.
type newStatus struct {
	Status string `json:"status"`
}

func (n newStatus) validate() error { return required("status", n.Status) }

// Delete removes a rule.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/leadscorerules/{id} [V]; scope
//     SalesIQ.leadscorerules.DELETE.
//   - Source: [V] the list of calls on list-lead-scoring-v2.html, which shows no
//     answer.
func (s *LeadScoringService) Delete(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "LeadScoring.Delete", http.MethodDelete, leadRules+"/{id}", nil, opts, id)
}

// Config returns how old points lose weight.
//
//   - Endpoint: GET /api/v2/{screen_name}/leadscoreconfigs [V]; scope
//     SalesIQ.leadscoreconfigs.READ.
//   - Source: [V] frequency-details-lead-scoring-v2.html.
func (s *LeadScoringService) Config(ctx context.Context, opts ...salesiq.CallOption) (*LeadConfig, error) {
	return get[LeadConfig](ctx, s.owner(), "LeadScoring.Config", base+"/leadscoreconfigs", nil, opts)
}

// UpdateConfig says how often old points lose weight. Of the words for the
// frequency the page shows "yearly" alone; it speaks of daily, weekly, bi-weekly,
// 30, 90 and 180 days, too.
//
//   - Endpoint: PUT /api/v2/{screen_name}/leadscoreconfigs/timerange [V]; scope
//     SalesIQ.leadscoreconfigs.UPDATE.
//   - Source: [V] update-frequency-details-lead-scoring-v2.html, which shows no
//     answer.
func (s *LeadScoringService) UpdateConfig(ctx context.Context, frequency string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "LeadScoring.UpdateConfig", http.MethodPut, base+"/leadscoreconfigs/timerange", timeRange{frequency}, opts)
}

type timeRange struct {
	Frequency string `json:"frequency"`
}

func (t timeRange) validate() error { return required("frequency", t.Frequency) }

const leadRules = base + "/leadscorerules"

// ruleList returns a list that is nested in data.
func ruleList[T any](ctx context.Context, client *salesiq.Client, name, path string, opts []salesiq.CallOption) ([]T, error) {
	type rules struct {
		Rules []T `json:"rule_list"`
	}
	out, err := get[rules](ctx, client, name, path, nil, opts)
	if err != nil {
		return nil, err
	}
	return orEmpty(out.Rules), nil
}

// MarshalJSON writes l with its Extra beside the other members.
func (l LeadRule) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&l) }

// UnmarshalJSON reads what MarshalJSON writes.
func (l *LeadRule) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, l) }

// MarshalJSON writes l with its Extra beside the other members.
func (l LeadAnyOf) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&l) }

// UnmarshalJSON reads what MarshalJSON writes.
func (l *LeadAnyOf) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, l) }

// MarshalJSON writes p with its Extra beside the other members.
func (p LeadRuleWrite) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *LeadRuleWrite) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes l with its Extra beside the other members.
func (l LeadConfig) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&l) }

// UnmarshalJSON reads what MarshalJSON writes.
func (l *LeadConfig) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, l) }
