package live

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// CriteriaService tells which fields the criteria of a family may name.
type CriteriaService service

// AnyOf is one condition of several that must all hold: it holds if any of its
// criteria does. Conditions that must all hold are and_criteria on the wire.
//
// Source: [V] add-visitor-routing-rule-v2.html.
type AnyOf struct {
	Any []Criterion `json:"or_criteria,omitzero"` // Required, unless Extra has something else.

	// Extra holds the fields that this version of the package does not know. They
	// are sent beside the other fields.
	Extra map[string]json.RawMessage `json:",embed"`
}

// Criterion compares a field with values.
//
// Source: [V] add-visitor-routing-rule-v2.html.
type Criterion struct {
	Field      string     `json:"field_name"` // Required.
	Comparator Comparator `json:"comparator"` // Required.
	Values     []string   `json:"values,omitzero"`
	App        string     `json:"integ_name,omitzero"` // Of an integration, which has the field.

	// Extra holds the fields that this version of the package does not know, such
	// as sub_fields, which history views call sub_field. They are sent beside the
	// other fields.
	Extra map[string]json.RawMessage `json:",embed"`
}

// Comparator is how a field is compared. The service may add others.
type Comparator string

// The comparators of the vendor's pages. [V]. Lead scoring has Is and IsNot where
// the other families have IsEqualTo and NotEquals.
const (
	Is          Comparator = "is"
	IsNot       Comparator = "is_not"
	IsEqualTo   Comparator = "is_equal_to"
	NotEquals   Comparator = "not_equals"
	BeginsWith  Comparator = "begins_with"
	EndsWith    Comparator = "ends_with"
	Contains    Comparator = "contains"
	NotContains Comparator = "not_contains"
	Matches     Comparator = "matches"
	NotMatches  Comparator = "not_matches"
	GreaterThan Comparator = "greater_than"
	LessThan    Comparator = "less_than"
)

// checkCriteria refuses conditions that are missing, or that name nothing to compare.
func checkCriteria(field string, all []AnyOf) error {
	if len(all) == 0 {
		return inputError("", field, "is required")
	}
	for i := range all {
		if err := all[i].check(fmt.Sprintf("%s[%d].or_criteria", field, i)); err != nil {
			return err
		}
	}
	return nil
}

// check is checkCriteria for one condition, whose criteria the service calls field.
func (a *AnyOf) check(field string) error {
	if len(a.Any) == 0 && len(a.Extra) == 0 {
		return inputError("", field, "is required")
	}
	for i := range a.Any {
		name := fmt.Sprintf("%s[%d].", field, i)
		if err := required(name+"field_name", a.Any[i].Field, name+"comparator", string(a.Any[i].Comparator)); err != nil {
			return err
		}
	}
	return nil
}

// CriteriaField is a field that a criterion may name.
//
// Source: [V] get-credentials-visitor-history-view-v2.html.
type CriteriaField struct {
	Name     string `json:"field_name"`
	DataType string `json:"datatype"`   // "options", "count" or "string".
	Group    string `json:"group_name"` // "user_values", "technology", "website_values" or "general".

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// VisitorHistory returns the fields for history views.
//
//   - Endpoint: GET /api/v2/{screen_name}/criteriafields/visitorhistory [V]; scope
//     SalesIQ.criteriafields.READ.
//   - Source: [V] get-credentials-visitor-history-view-v2.html.
func (s *CriteriaService) VisitorHistory(ctx context.Context, opts ...salesiq.CallOption) ([]CriteriaField, error) {
	return s.fields(ctx, "Criteria.VisitorHistory", "/criteriafields/visitorhistory", opts)
}

// VisitorRouting returns the fields for rules of visitor routing.
//
//   - Endpoint: GET /api/v2/{screen_name}/criteriafields/visitorrouting [V]; scope
//     SalesIQ.criteriafields.READ.
//   - Source: [V] get-criteria-fields-visitor-routing-v2.html; [I] for the answer.
func (s *CriteriaService) VisitorRouting(ctx context.Context, opts ...salesiq.CallOption) ([]CriteriaField, error) {
	return s.fields(ctx, "Criteria.VisitorRouting", "/criteriafields/visitorrouting", opts)
}

// TrackingPresets returns the fields for tracking presets.
//
//   - Endpoint: GET /api/v2/{screen_name}/criteriafields/trackingpresets [V]; scope
//     SalesIQ.criteriafields.READ.
//   - Source: [V] get-criteria-fields-tracking-presets-v2.html; [I] for the answer.
func (s *CriteriaService) TrackingPresets(ctx context.Context, opts ...salesiq.CallOption) ([]CriteriaField, error) {
	return s.fields(ctx, "Criteria.TrackingPresets", "/criteriafields/trackingpresets", opts)
}

func (s *CriteriaService) fields(ctx context.Context, name, path string, opts []salesiq.CallOption) ([]CriteriaField, error) {
	out, err := get[criteriaFields](ctx, s.owner(), name, base+path, nil, opts)
	if err != nil {
		return nil, err
	}
	return orEmpty(out.Fields), nil
}

type criteriaFields struct {
	Fields []CriteriaField `json:"fields"`
}

// MarshalJSON writes a with its Extra beside the other members.
func (a AnyOf) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&a) }

// UnmarshalJSON reads what MarshalJSON writes.
func (a *AnyOf) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, a) }

// MarshalJSON writes c with its Extra beside the other members.
func (c Criterion) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *Criterion) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }

// MarshalJSON writes c with its Extra beside the other members.
func (c CriteriaField) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *CriteriaField) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }
