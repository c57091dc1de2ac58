package live

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// CannedResponsesService handles the answers that operators have ready.
type CannedResponsesService service

// CannedCategoriesService handles the categories of canned responses.
type CannedCategoriesService service

// CannedResponse is an answer that operators have ready.
//
// Source: [V] get-canned-responses-details-v2.html.
type CannedResponse struct {
	ID             string    `json:"id"`
	Content        string    `json:"content"`
	Public         bool      `json:"public"` // Whether others than its creator see it.
	Enabled        bool      `json:"enabled"`
	AllDepartments bool      `json:"associate_with_all_departments"`
	Categories     []Ref     `json:"categories"`
	Used           int       `json:"usage_count"`
	Creator        Ref       `json:"creator"`
	Modifier       Ref       `json:"modifier"`
	LastUsedAt     time.Time `json:"last_used_time"` // Zero if it never was.
	CreatedAt      time.Time `json:"created_time"`
	ModifiedAt     time.Time `json:"modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// CannedResponseCreate describes a new canned response.
//
// Source: [V] create-canned-response-v2.html.
type CannedResponseCreate struct {
	Content        string   `json:"content"`                        // Required.
	AllDepartments TextBool `json:"associate_with_all_departments"` // Sent in any case.
	DepartmentID   string   `json:"department_id,omitzero"`         // Required unless AllDepartments.
	Public         TextBool `json:"public"`                         // Sent in any case.
	CategoryIDs    []string `json:"category_ids,omitzero"`          // The general one by default.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *CannedResponseCreate) validate() error {
	if !p.AllDepartments {
		return required("content", p.Content, "department_id", p.DepartmentID)
	}
	return required("content", p.Content)
}

// CannedResponseUpdate changes a canned response; fields left zero stay as they
// are.
//
// Source: [V] update-canned-responses-v2.html.
type CannedResponseUpdate struct {
	Content        salesiq.Opt[string]   `json:"content,omitzero"`
	AllDepartments salesiq.Opt[TextBool] `json:"associate_with_all_departments,omitzero"`
	DepartmentID   salesiq.Opt[string]   `json:"department_id,omitzero"`
	Public         salesiq.Opt[TextBool] `json:"public,omitzero"`
	CategoryIDs    salesiq.Opt[[]string] `json:"category_ids,omitzero"`
	Enabled        salesiq.Opt[bool]     `json:"enabled,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// CannedResponseListParams narrows a list of canned responses; zero fields do not.
//
// Source: [V] get-canned-response-list-v2.html.
type CannedResponseListParams struct {
	DepartmentID string
	SortBy       string // "usage_count" or "last_used_time".
	Order        string // "ascending" or "descending".
	Page         int    // First page; 1 by default.
	Limit        int    // Per page, up to 99; 10 by default, and 99 for All.
}

func (p *CannedResponseListParams) query() query {
	q := query{}
	if p == nil {
		return q
	}
	q.set("department_id", p.DepartmentID)
	q.set("sort_by", p.SortBy)
	q.set("order", p.Order)
	q.number("page", p.Page)
	q.number("limit", p.Limit)
	return q
}

// List returns one page of canned responses. A nil params lists all of them. It may
// have one item more than Limit, which says that there are more, and comes again on
// the next page.
//
//   - Endpoint: GET /api/v2/{screen_name}/cannedresponses [S]; scope
//     SalesIQ.cannedresponses.READ.
//   - Source: [V] get-canned-response-list-v2.html; [I] that the additional item
//     comes again.
func (s *CannedResponsesService) List(ctx context.Context, params *CannedResponseListParams, opts ...salesiq.CallOption) ([]CannedResponse, error) {
	return list[CannedResponse](ctx, s.owner(), "CannedResponses.List", base+"/cannedresponses", params.query(), opts)
}

// All iterates over every canned response that matches params, each of them once.
//
// Endpoint, scope and source are those of List.
func (s *CannedResponsesService) All(ctx context.Context, params *CannedResponseListParams, opts ...salesiq.CallOption) iter.Seq2[*CannedResponse, error] {
	all := iterate[CannedResponse](ctx, s.owner(), "CannedResponses.All", base+"/cannedresponses", params.query(), PageAndLimit(), opts)
	return func(yield func(*CannedResponse, error) bool) {
		last := ""
		for response, err := range all {
			if err == nil && response.ID == last {
				continue // The one by which the page before said that there are more.
			}
			if !yield(response, err) {
				return
			}
			if err == nil {
				last = response.ID
			}
		}
	}
}

// Get returns one canned response.
//
//   - Endpoint: GET /api/v2/{screen_name}/cannedresponses/{id} [S]; scope
//     SalesIQ.cannedresponses.READ.
//   - Source: [V] get-canned-responses-details-v2.html.
func (s *CannedResponsesService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*CannedResponse, error) {
	return get[CannedResponse](ctx, s.owner(), "CannedResponses.Get", base+"/cannedresponses/{id}", nil, opts, id)
}

// Create adds a canned response.
//
//   - Endpoint: POST /api/v2/{screen_name}/cannedresponses [S]; scope
//     SalesIQ.cannedresponses.CREATE.
//   - Source: [V] create-canned-response-v2.html.
func (s *CannedResponsesService) Create(ctx context.Context, response *CannedResponseCreate, opts ...salesiq.CallOption) (*CannedResponse, error) {
	return call[CannedResponse](ctx, s.owner(), "CannedResponses.Create", http.MethodPost, base+"/cannedresponses", response, opts)
}

// Update changes a canned response.
//
//   - Endpoint: PUT /api/v2/{screen_name}/cannedresponses/{id} [S]; scope
//     SalesIQ.cannedresponses.UPDATE.
//   - Source: [V] update-canned-responses-v2.html.
func (s *CannedResponsesService) Update(ctx context.Context, id string, update *CannedResponseUpdate, opts ...salesiq.CallOption) (*CannedResponse, error) {
	return call[CannedResponse](ctx, s.owner(), "CannedResponses.Update", http.MethodPut, base+"/cannedresponses/{id}", update, opts, id)
}

// Delete removes a canned response.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/cannedresponses/{id} [S]; scope
//     SalesIQ.cannedresponses.DELETE.
//   - Source: [V] delete-canned-responses-v2.html, which shows no answer.
func (s *CannedResponsesService) Delete(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "CannedResponses.Delete", http.MethodDelete, base+"/cannedresponses/{id}", nil, opts, id)
}

// CannedCategory groups canned responses.
//
// Source: [V] get-canned-response-category-v2.html.
type CannedCategory struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Owner      string    `json:"owner"` // A name.
	OwnerID    string    `json:"owner_id"`
	Default    bool      `json:"is_default"`
	CreatedAt  time.Time `json:"created_time"`
	ModifiedAt time.Time `json:"modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// Get returns one category.
//
//   - Endpoint: GET /api/v2/{screen_name}/cannedresponsecategories/{id} [S]; scope
//     SalesIQ.cannedresponses.READ.
//   - Source: [V] get-canned-response-category-v2.html.
func (s *CannedCategoriesService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*CannedCategory, error) {
	return get[CannedCategory](ctx, s.owner(), "CannedCategories.Get", base+"/cannedresponsecategories/{id}", nil, opts, id)
}

// Create adds a category.
//
//   - Endpoint: POST /api/v2/{screen_name}/cannedresponsecategories [S]; scope
//     SalesIQ.cannedresponses.CREATE.
//   - Source: [V] create-canned-response-category-v2.html.
func (s *CannedCategoriesService) Create(ctx context.Context, name string, opts ...salesiq.CallOption) (*CannedCategory, error) {
	return call[CannedCategory](ctx, s.owner(), "CannedCategories.Create", http.MethodPost, base+"/cannedresponsecategories", named{name}, opts)
}

// Update renames a category. The CannedCategory is a zero one where the service
// answers without it.
//
//   - Endpoint: PUT /api/v2/{screen_name}/cannedresponsecategories/{id} [S]; scope
//     SalesIQ.cannedresponses.UPDATE.
//   - Source: [V] the list of calls on get-canned-response-category-v2.html; [I] for
//     the body.
func (s *CannedCategoriesService) Update(ctx context.Context, id, name string, opts ...salesiq.CallOption) (*CannedCategory, error) {
	return call[CannedCategory](ctx, s.owner(), "CannedCategories.Update", http.MethodPut, base+"/cannedresponsecategories/{id}", named{name}, opts, id)
}

// Delete removes a category, whose responses go over to the one with the id heir.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/cannedresponsecategories/{id} [S], with
//     the heir as configure_to; scope SalesIQ.cannedresponses.DELETE.
//   - Source: [V] delete-canned-response-category-v2.html, which shows no answer.
func (s *CannedCategoriesService) Delete(ctx context.Context, id, heir string, opts ...salesiq.CallOption) error {
	_, err := remove[any](ctx, s.owner(), "CannedCategories.Delete", base+"/cannedresponsecategories/{id}", "configure_to", []string{heir}, opts, id)
	return err
}

// MarshalJSON writes c with its Extra beside the other members.
func (c CannedResponse) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *CannedResponse) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }

// MarshalJSON writes p with its Extra beside the other members.
func (p CannedResponseCreate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *CannedResponseCreate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes c with its Extra beside the other members.
func (c CannedResponseUpdate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *CannedResponseUpdate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }

// MarshalJSON writes c with its Extra beside the other members.
func (c CannedCategory) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *CannedCategory) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }
