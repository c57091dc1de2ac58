package live

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// DepartmentsService handles departments. They belong to the portal, not to a brand
// as in the specification.
type DepartmentsService service

// Department is a group of operators.
//
// Source: [V] rest-api-department-list.html.
type Department struct {
	ID              string    `json:"id"`
	Name            string    `json:"name"`
	DisplayName     string    `json:"display_name"`
	Description     string    `json:"description"`
	Enabled         bool      `json:"is_enabled"`
	Public          bool      `json:"is_public"`
	SystemGenerated bool      `json:"is_system_generated"`
	CreatedBy       string    `json:"created_by"` // An operator's id.
	CreatedAt       time.Time `json:"created_time"`
	ModifiedAt      time.Time `json:"modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// All iterates over the departments.
//
//   - Endpoint: GET /api/v2/{screen_name}/departments; scope
//     SalesIQ.departments.READ.
//   - Source: [V] rest-api-department-list.html; [I] that index counts
//     departments, not pages.
func (s *DepartmentsService) All(ctx context.Context, opts ...salesiq.CallOption) iter.Seq2[*Department, error] {
	return All[Department](ctx, s.client, base+"/departments", nil, operatorPages, call(opts, "Departments.All")...)
}

// MarshalJSON writes d with its Extra beside the other members.
func (d Department) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&d) }

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Department) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, d) }
