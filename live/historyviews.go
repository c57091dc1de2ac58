package live

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// HistoryViewsService handles the views of the visitor history: who is shown, in
// which order.
type HistoryViewsService service

// HistoryView is one view of the visitor history.
//
// Source: [V] details-visitor-history-view-v2.html.
type HistoryView struct {
	ID         string    `json:"id"` // "-1" and "-2" are the service's own.
	Name       string    `json:"name"`
	SortBy     string    `json:"sort_by"` // "frequency", "leadscore", "last_visit_time" or "time_on_site".
	Favorite   bool      `json:"favourited"`
	System     bool      `json:"system"`
	All        []AnyOf   `json:"and_criteria"`
	Creator    Ref       `json:"creator"`
	ModifiedAt time.Time `json:"modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// HistoryViewCreate describes a new view.
//
// Source: [V] create-visitor-history-view-v2.html.
type HistoryViewCreate struct {
	Name     string  `json:"name"`         // Required.
	All      []AnyOf `json:"and_criteria"` // Required.
	SortBy   string  `json:"sort_by,omitzero"`
	Favorite bool    `json:"favourited,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *HistoryViewCreate) validate() error {
	return cmp.Or(checkCriteria("and_criteria", p.All), required("name", p.Name))
}

// HistoryViewUpdate changes a view; fields left zero stay as they are.
//
// Source: [V] update-visitor-history-view-v2.html.
type HistoryViewUpdate struct {
	Name     salesiq.Opt[string] `json:"name,omitzero"`
	All      []AnyOf             `json:"and_criteria,omitzero"`
	SortBy   salesiq.Opt[string] `json:"sort_by,omitzero"`
	Favorite salesiq.Opt[bool]   `json:"favourited,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *HistoryViewUpdate) validate() error {
	if p.All == nil {
		return nil
	}
	return checkCriteria("and_criteria", p.All)
}

// List returns the views.
//
//   - Endpoint: GET /api/v2/{screen_name}/visitorhistoryviews [S]; scope
//     SalesIQ.visitorhistoryviews.READ.
//   - Source: [V] list-visitor-history-view-v2.html.
func (s *HistoryViewsService) List(ctx context.Context, opts ...salesiq.CallOption) ([]HistoryView, error) {
	return list[HistoryView](ctx, s.owner(), "HistoryViews.List", views, nil, opts)
}

// Get returns one view.
//
//   - Endpoint: GET /api/v2/{screen_name}/visitorhistoryviews/{id} [S]; scope
//     SalesIQ.visitorhistoryviews.READ.
//   - Source: [V] details-visitor-history-view-v2.html.
func (s *HistoryViewsService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*HistoryView, error) {
	return get[HistoryView](ctx, s.owner(), "HistoryViews.Get", views+"/{id}", nil, opts, id)
}

// Create adds a view. The HistoryView is a zero one where the service answers
// without it.
//
//   - Endpoint: POST /api/v2/{screen_name}/visitorhistoryviews [S]; scope
//     SalesIQ.visitorhistoryviews.CREATE.
//   - Source: [V] create-visitor-history-view-v2.html; [I] for the answer.
func (s *HistoryViewsService) Create(ctx context.Context, view *HistoryViewCreate, opts ...salesiq.CallOption) (*HistoryView, error) {
	return call[HistoryView](ctx, s.owner(), "HistoryViews.Create", http.MethodPost, views, view, opts)
}

// Update changes a view. The HistoryView is a zero one where the service answers
// without it.
//
//   - Endpoint: PUT /api/v2/{screen_name}/visitorhistoryviews/{id} [S]; scope
//     SalesIQ.visitorhistoryviews.UPDATE.
//   - Source: [V] update-visitor-history-view-v2.html; [I] for the answer.
func (s *HistoryViewsService) Update(ctx context.Context, id string, update *HistoryViewUpdate, opts ...salesiq.CallOption) (*HistoryView, error) {
	return call[HistoryView](ctx, s.owner(), "HistoryViews.Update", http.MethodPut, views+"/{id}", update, opts, id)
}

// Delete removes a view.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/visitorhistoryviews/{id} [S]; scope
//     SalesIQ.visitorhistoryviews.DELETE.
//   - Source: [V] the list of calls on list-visitor-history-view-v2.html, which shows
//     no answer.
func (s *HistoryViewsService) Delete(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "HistoryViews.Delete", http.MethodDelete, views+"/{id}", nil, opts, id)
}

// Preferences are what the signed-in operator has chosen.
//
// Source: [V] selected-visitor-history-view-v2.html.
type Preferences struct {
	Views    map[string]SelectedView `json:"visitorhistoryviews"` // By "list_one", "list_two" and "list_three".
	Tracking AppliedPreset           `json:"tracking"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// SelectedView is a view that an operator has chosen.
//
// Source: [V] selected-visitor-history-view-v2.html.
type SelectedView struct {
	ID   string `json:"view_id"`
	Name string `json:"view_name"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// AppliedPreset is the tracking preset that an operator has chosen.
//
// Source: [V] selected-visitor-history-view-v2.html.
type AppliedPreset struct {
	Preset TrackingPreset `json:"applied_preset"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// Preferences returns what the signed-in operator has chosen.
//
//   - Endpoint: GET /api/v2/{screen_name}/userpreferences [S]; scope
//     SalesIQ.userpreferences.READ.
//   - Source: [V] selected-visitor-history-view-v2.html.
func (s *HistoryViewsService) Preferences(ctx context.Context, opts ...salesiq.CallOption) (*Preferences, error) {
	return get[Preferences](ctx, s.owner(), "HistoryViews.Preferences", base+"/userpreferences", nil, opts)
}

// Select chooses a view for a list: "list_one", "list_two" or "list_three".
//
//   - Endpoint: PUT /api/v2/{screen_name}/userpreferences/visitorhistoryviews [S];
//     scope SalesIQ.userpreferences.UPDATE.
//   - Source: [V] update-visitor-history-view-column-v2.html, which shows no answer.
func (s *HistoryViewsService) Select(ctx context.Context, listName, viewID string, opts ...salesiq.CallOption) error {
	body := selection{listName, viewID}
	return send(ctx, s.owner(), "HistoryViews.Select", http.MethodPut, base+"/userpreferences/visitorhistoryviews", body, opts)
}

type selection struct {
	List string `json:"list_name"`
	View string `json:"view_id"`
}

func (s selection) validate() error { return required("list_name", s.List, "view_id", s.View) }

const views = base + "/visitorhistoryviews"

// MarshalJSON writes h with its Extra beside the other members.
func (h HistoryView) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&h) }

// UnmarshalJSON reads what MarshalJSON writes.
func (h *HistoryView) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, h) }

// MarshalJSON writes p with its Extra beside the other members.
func (p HistoryViewCreate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *HistoryViewCreate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes p with its Extra beside the other members.
func (p HistoryViewUpdate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *HistoryViewUpdate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes p with its Extra beside the other members.
func (p Preferences) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Preferences) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes o with its Extra beside the other members.
func (o SelectedView) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&o) }

// UnmarshalJSON reads what MarshalJSON writes.
func (o *SelectedView) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, o) }

// MarshalJSON writes a with its Extra beside the other members.
func (a AppliedPreset) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&a) }

// UnmarshalJSON reads what MarshalJSON writes.
func (a *AppliedPreset) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, a) }
