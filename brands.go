package salesiq

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// BrandsService handles brands: the websites and apps that carry a widget.
type BrandsService service

func (s *BrandsService) owner() *Client { return (*service)(s).owner() }

// Brand is one website or app with a chat widget.
//
// Source: specification, "Brand Object Structure".
type Brand struct {
	ID             string         `json:"id"`
	Name           string         `json:"name"`
	Website        string         `json:"website"`
	Logo           string         `json:"logo"`     // URL.
	Timezone       string         `json:"timezone"` // IANA name.
	Language       string         `json:"language"` // BCP 47.
	Status         BrandStatus    `json:"status"`
	WidgetSettings WidgetSettings `json:"widget_settings"`
	Departments    []Department   `json:"departments"`
	CreatedAt      time.Time      `json:"created_at"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// BrandStatus tells whether a brand is in use. The service may add others.
type BrandStatus string

// BrandActive is the documented brand status.
const BrandActive BrandStatus = "active"

// WidgetSettings is how a brand's chat widget looks and behaves.
//
// Source: specification, "Brand Object Structure", widget_settings.
type WidgetSettings struct {
	ThemeColor      string         `json:"theme_color"` // #rrggbb.
	Position        WidgetPosition `json:"position"`
	GreetingMessage string         `json:"greeting_message"`
	OfflineMessage  string         `json:"offline_message"`
	ShowOperators   bool           `json:"show_operators"`
	ShowAttachments bool           `json:"show_attachments"`
	ShowEmojis      bool           `json:"show_emojis"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// WidgetPosition is the corner that holds the widget. The service may add
// others.
type WidgetPosition string

// The position that the specification's object shows, and its mirror image.
const (
	WidgetBottomRight WidgetPosition = "bottom-right"
	WidgetBottomLeft  WidgetPosition = "bottom-left"
)

// Department is a group of operators within a brand.
//
// Source: specification, "Brand Object Structure", departments.
type Department struct {
	ID   string `json:"id"`
	Name string `json:"name"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// BrandUpdate changes a brand; fields left zero stay as they are.
type BrandUpdate struct {
	Name           Opt[string]               `json:"name,omitzero"`
	Website        Opt[string]               `json:"website,omitzero"`
	Logo           Opt[string]               `json:"logo,omitzero"`
	Timezone       Opt[string]               `json:"timezone,omitzero"`
	Language       Opt[string]               `json:"language,omitzero"`
	Status         Opt[BrandStatus]          `json:"status,omitzero"`
	WidgetSettings Opt[WidgetSettingsUpdate] `json:"widget_settings,omitzero"` // Settings not named stay.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// WidgetSettingsUpdate changes a widget; fields left zero stay as they are.
type WidgetSettingsUpdate struct {
	ThemeColor      Opt[string]         `json:"theme_color,omitzero"` // #rrggbb.
	Position        Opt[WidgetPosition] `json:"position,omitzero"`
	GreetingMessage Opt[string]         `json:"greeting_message,omitzero"`
	OfflineMessage  Opt[string]         `json:"offline_message,omitzero"`
	ShowOperators   Opt[bool]           `json:"show_operators,omitzero"`
	ShowAttachments Opt[bool]           `json:"show_attachments,omitzero"`
	ShowEmojis      Opt[bool]           `json:"show_emojis,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// List returns one page of brands. A nil params lists all of them.
//
//   - Endpoint: GET /api/v2/brands; scope SalesIQ.settings.READ. The specification
//     documents no parameters for it; page and per_page are sent as for the other
//     lists.
//   - Errors: [ErrInvalidInput] for a page below 1 or a page size outside 1 to 100.
//   - Source: specification, "List Brands".
func (s *BrandsService) List(ctx context.Context, params *ListParams, opts ...CallOption) (*Page[Brand], error) {
	return fetchPage[Brand](ctx, s.owner(), newCall("Brands.List", "GET /brands").params(params), opts)
}

// All iterates over every brand, page by page.
// See [Page] for what all iterators promise.
//
//   - Endpoint: GET /api/v2/brands, once for each page; scope SalesIQ.settings.READ.
//   - Errors: as for List.
//   - Source: specification, "List Brands".
func (s *BrandsService) All(ctx context.Context, params *ListParams, opts ...CallOption) iter.Seq2[*Brand, error] {
	return iterate[Brand](ctx, s.owner(), newCall("Brands.All", "GET /brands").params(params), opts)
}

// Get returns one brand.
//
//   - Endpoint: GET /api/v2/brands/{brand_id}; scope SalesIQ.settings.READ.
//   - Errors: [ErrResourceNotFound].
//   - Source: specification, "Get Brand by ID".
func (s *BrandsService) Get(ctx context.Context, brandID string, opts ...CallOption) (*Brand, error) {
	return fetch[Brand](ctx, s.owner(), newCall("Brands.Get", "GET /brands/{brand_id}", brandID), opts)
}

// Update changes some settings of a brand and returns it. Within
// WidgetSettings, too, only what is set changes.
//
//   - Endpoint: PATCH /api/v2/brands/{brand_id}; scope SalesIQ.settings.ALL.
//   - Errors: [ErrResourceNotFound], [ErrInvalidRequest], [ErrRequiredFieldMissing]
//     for a name that is set to nothing, [ErrPermissionDenied].
//   - Source: specification, "Update Brand Settings".
func (s *BrandsService) Update(ctx context.Context, brandID string, update *BrandUpdate, opts ...CallOption) (*Brand, error) {
	return fetch[Brand](ctx, s.owner(), newCall("Brands.Update", "PATCH /brands/{brand_id}", brandID).update(update), opts)
}

// Departments returns the departments of a brand.
//
//   - Endpoint: GET /api/v2/brands/{brand_id}/departments; scope
//     SalesIQ.settings.READ.
//   - Errors: [ErrResourceNotFound].
//   - Source: specification, "List Departments".
func (s *BrandsService) Departments(ctx context.Context, brandID string, opts ...CallOption) ([]Department, error) {
	page, err := fetchPage[Department](ctx, s.owner(), newCall("Brands.Departments", "GET /brands/{brand_id}/departments", brandID), opts)
	if err != nil {
		return nil, err
	}
	return page.Items, nil
}

// MarshalJSON writes b with its Extra beside the other members.
func (b Brand) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&b) }

// UnmarshalJSON reads what MarshalJSON writes.
func (b *Brand) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, b) }

// MarshalJSON writes w with its Extra beside the other members.
func (w WidgetSettings) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&w) }

// UnmarshalJSON reads what MarshalJSON writes.
func (w *WidgetSettings) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, w) }

// MarshalJSON writes d with its Extra beside the other members.
func (d Department) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&d) }

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Department) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, d) }

// MarshalJSON writes b with its Extra beside the other members.
func (b BrandUpdate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&b) }

// UnmarshalJSON reads what MarshalJSON writes.
func (b *BrandUpdate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, b) }

// MarshalJSON writes w with its Extra beside the other members.
func (w WidgetSettingsUpdate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&w) }

// UnmarshalJSON reads what MarshalJSON writes.
func (w *WidgetSettingsUpdate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, w) }
