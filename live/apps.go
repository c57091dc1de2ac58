package live

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// AppsService handles apps, which are what the specification calls brands. For
// their channels into mobile apps, see [AndroidService] and [IOSService].
//
// Most pages call the scopes SalesIQ.apps, one calls them SalesIQ.Apps. Whether
// case matters is not known.
type AppsService service

// App is one website or app with a chat widget.
//
// Source: [V] rest-api-apps-list.html, rest-api-app-add.html.
type App struct {
	ID            string                `json:"id"`
	Name          string                `json:"name"`
	UniqueName    string                `json:"unique_name"`
	Enabled       bool                  `json:"enabled"`
	Privacy       bool                  `json:"privacy"`
	BusinessHours bool                  `json:"business_hours"`
	ReplyTime     salesiq.Seconds       `json:"reply_time"`   // [I] for the unit.
	WaitingTime   salesiq.Seconds       `json:"waiting_time"` // [I] for the unit.
	Description   map[string]string     `json:"description"`  // By language, or under "default".
	LogoURL       string                `json:"logo_url"`     // A path on the API's host, which wants the token.
	Creator       Ref                   `json:"creator"`
	Channels      map[string]AppChannel `json:"channels"` // By name, such as website.
	CreatedAt     time.Time             `json:"created_time"`
	ModifiedAt    time.Time             `json:"modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// AppChannel is a way into an app.
//
// Source: [V] rest-api-apps-list.html, channels.
type AppChannel struct {
	Enabled   bool `json:"enabled"`
	Chat      bool `json:"chat"`
	Call      bool `json:"call"`
	FAQ       bool `json:"faq"`
	Proactive bool `json:"proactive"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// AppCreate describes a new app. The page calls no field mandatory.
//
// Source: [V] rest-api-app-add.html.
type AppCreate struct {
	Name          string            `json:"name,omitzero"`
	Departments   []string          `json:"departments,omitzero"` // Ids.
	Description   map[string]string `json:"description,omitzero"`
	BusinessHours bool              `json:"business_hours,omitzero"`
	Privacy       bool              `json:"privacy,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// AppUpdate changes an app; fields left zero stay as they are. The page is cut:
// what else it takes goes into Extra.
//
// Source: [V] rest-api-update-app.html.
type AppUpdate struct {
	Name             salesiq.Opt[string]            `json:"name,omitzero"`
	Enabled          salesiq.Opt[bool]              `json:"enabled,omitzero"`
	Departments      salesiq.Opt[[]string]          `json:"departments,omitzero"` // Ids.
	Description      salesiq.Opt[map[string]string] `json:"description,omitzero"`
	BusinessHours    salesiq.Opt[bool]              `json:"business_hours,omitzero"`
	Privacy          salesiq.Opt[bool]              `json:"privacy,omitzero"`
	WaitingTime      salesiq.Opt[salesiq.Seconds]   `json:"waiting_time,omitzero"` // 30, 45, 60, 90 or 120.
	MailTranscript   salesiq.Opt[bool]              `json:"mail_transcript,omitzero"`
	ShareFile        salesiq.Opt[bool]              `json:"share_file,omitzero"`
	ShowEmojis       salesiq.Opt[bool]              `json:"show_emojis,omitzero"`
	ShareScreen      salesiq.Opt[bool]              `json:"share_screen,omitzero"`
	ViewConversation salesiq.Opt[bool]              `json:"view_conversation,omitzero"`
	Language         salesiq.Opt[string]            `json:"language,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// List returns the apps.
//
//   - Endpoint: GET /api/v2/{screen_name}/apps [S]; scope SalesIQ.apps.READ.
//   - Source: [V] rest-api-apps-list.html, which names no paging.
func (s *AppsService) List(ctx context.Context, opts ...salesiq.CallOption) ([]App, error) {
	return list[App](ctx, s.owner(), "Apps.List", base+"/apps", nil, opts)
}

// Get returns one app.
//
//   - Endpoint: GET /api/v2/{screen_name}/apps/{id} [T]; scope SalesIQ.apps.READ.
//   - Source: [T] a published integration.
func (s *AppsService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*App, error) {
	return get[App](ctx, s.owner(), "Apps.Get", base+"/apps/{id}", nil, opts, id)
}

// Create adds an app.
//
//   - Endpoint: POST /api/v2/{screen_name}/apps [S]; scope SalesIQ.apps.CREATE.
//   - Source: [V] rest-api-app-add.html.
func (s *AppsService) Create(ctx context.Context, app *AppCreate, opts ...salesiq.CallOption) (*App, error) {
	return call[App](ctx, s.owner(), "Apps.Create", http.MethodPost, base+"/apps", app, opts)
}

// Update changes an app. The App is a zero one where the service answers without
// it.
//
//   - Endpoint: PUT /api/v2/{screen_name}/apps/{id} [S]; scope SalesIQ.apps.UPDATE.
//   - Source: [V] rest-api-update-app.html, whose answer is cut.
func (s *AppsService) Update(ctx context.Context, id string, update *AppUpdate, opts ...salesiq.CallOption) (*App, error) {
	return call[App](ctx, s.owner(), "Apps.Update", http.MethodPut, base+"/apps/{id}", update, opts, id)
}

// Delete removes an app.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/apps/{id} [S]; scope
//     SalesIQ.apps.DELETE.
//   - Source: [V] rest-api-delete-app.html, which shows no answer.
func (s *AppsService) Delete(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "Apps.Delete", http.MethodDelete, base+"/apps/{id}", nil, opts, id)
}

// Widgets is how the widget of an app looks.
//
// Source: [V] rest-api-app-update-website-configs.html.
type Widgets struct {
	AppName       string        `json:"app_name"`
	Type          WidgetType    `json:"widget_type"`
	Button        WidgetPart    `json:"button"`
	Float         WidgetPart    `json:"float"`
	Content       WidgetContent `json:"content"`
	CustomSticker CustomSticker `json:"custom_sticker"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// WidgetType is a form of the widget. The service may add others.
type WidgetType string

// The forms of rest-api-app-update-website-configs.html. [V].
const (
	FloatWidget  WidgetType = "float"
	ButtonWidget WidgetType = "button"
	CustomWidget WidgetType = "custom"
)

// WidgetPart is the float or the button of a widget.
//
// Source: [V] rest-api-app-update-website-configs.html.
type WidgetPart struct {
	Position   string    `json:"position"` // Of a float.
	Sticker    string    `json:"sticker"`
	ModifiedAt time.Time `json:"modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// WidgetContent is what a widget says.
//
// Source: [V] rest-api-app-update-website-configs.html, content.
type WidgetContent struct {
	Header    string `json:"header"`
	SubHeader string `json:"sub_header"`
	Action    string `json:"action"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// CustomSticker is a picture of one's own for a widget.
//
// Source: [V] rest-api-app-update-website-configs.html, custom_sticker.
type CustomSticker struct {
	ID      string     `json:"id"`
	Type    WidgetType `json:"type"`
	URL     string     `json:"url"` // A path on the API's host, which wants the token.
	Preview bool       `json:"is_preview"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// WidgetsUpdate changes how the widget of an app looks; fields left zero stay as
// they are.
//
// Source: [V] rest-api-app-update-website-configs.html.
type WidgetsUpdate struct {
	Type          WidgetType           `json:"widget_type,omitzero"`
	Button        *WidgetPartUpdate    `json:"button,omitzero"`
	Float         *WidgetPartUpdate    `json:"float,omitzero"`
	CustomSticker *CustomStickerUpdate `json:"custom_sticker,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// WidgetPartUpdate is a part of [WidgetsUpdate].
type WidgetPartUpdate struct {
	Position string `json:"position,omitzero"` // Of a float.
	Sticker  string `json:"sticker,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// CustomStickerUpdate is a part of [WidgetsUpdate].
type CustomStickerUpdate struct {
	Type WidgetType `json:"type,omitzero"` // FloatWidget or ButtonWidget.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// UpdateWidgets changes how the widget of an app looks.
//
//   - Endpoint: PUT /api/v2/{screen_name}/apps/{id}/widgets [S]; scope
//     SalesIQ.Apps.UPDATE.
//   - Source: [V] rest-api-app-update-website-configs.html.
func (s *AppsService) UpdateWidgets(ctx context.Context, id string, update *WidgetsUpdate, opts ...salesiq.CallOption) (*Widgets, error) {
	return call[Widgets](ctx, s.owner(), "Apps.UpdateWidgets", http.MethodPut, base+"/apps/{id}/widgets", update, opts, id)
}

// Website is the website of an app.
//
// Source: [V] rest-api-app-add-website.html, which is cut: the rest is in Extra.
type Website struct {
	Website    string       `json:"website"`
	Code       string       `json:"code"` // The widget code.
	Float      WebsiteFloat `json:"float"`
	ModifiedAt time.Time    `json:"modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// WebsiteFloat is how the float of a website looks.
//
// Source: [V] rest-api-app-add-website.html, float.
type WebsiteFloat struct {
	Position        string    `json:"position"`
	Sticker         string    `json:"sticker"`
	Color           string    `json:"color"`
	Font            string    `json:"font"`
	HideWhenOffline bool      `json:"hide_when_offline"`
	HideOnMobile    bool      `json:"hide_in_mobile_device"`
	ModifiedAt      time.Time `json:"modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// AddWebsite gives an app a website, and returns its widget code.
//
//   - Endpoint: POST /api/v2/{screen_name}/apps/{id}/website [I]; the page names no
//     scope.
//   - Source: [V] rest-api-app-add-website.html.
func (s *AppsService) AddWebsite(ctx context.Context, id, website string, opts ...salesiq.CallOption) (*Website, error) {
	return call[Website](ctx, s.owner(), "Apps.AddWebsite", http.MethodPost, base+"/apps/{id}/website", newWebsite{website}, opts, id)
}

type newWebsite struct {
	Website string `json:"website"`
}

func (n newWebsite) validate() error { return required("website", n.Website) }

// MarshalJSON writes a with its Extra beside the other members.
func (a App) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&a) }

// UnmarshalJSON reads what MarshalJSON writes.
func (a *App) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, a) }

// MarshalJSON writes a with its Extra beside the other members.
func (a AppChannel) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&a) }

// UnmarshalJSON reads what MarshalJSON writes.
func (a *AppChannel) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, a) }

// MarshalJSON writes a with its Extra beside the other members.
func (a AppCreate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&a) }

// UnmarshalJSON reads what MarshalJSON writes.
func (a *AppCreate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, a) }

// MarshalJSON writes a with its Extra beside the other members.
func (a AppUpdate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&a) }

// UnmarshalJSON reads what MarshalJSON writes.
func (a *AppUpdate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, a) }

// MarshalJSON writes w with its Extra beside the other members.
func (w Widgets) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&w) }

// UnmarshalJSON reads what MarshalJSON writes.
func (w *Widgets) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, w) }

// MarshalJSON writes w with its Extra beside the other members.
func (w WidgetPart) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&w) }

// UnmarshalJSON reads what MarshalJSON writes.
func (w *WidgetPart) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, w) }

// MarshalJSON writes w with its Extra beside the other members.
func (w WidgetContent) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&w) }

// UnmarshalJSON reads what MarshalJSON writes.
func (w *WidgetContent) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, w) }

// MarshalJSON writes c with its Extra beside the other members.
func (c CustomSticker) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *CustomSticker) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }

// MarshalJSON writes w with its Extra beside the other members.
func (w WidgetsUpdate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&w) }

// UnmarshalJSON reads what MarshalJSON writes.
func (w *WidgetsUpdate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, w) }

// MarshalJSON writes w with its Extra beside the other members.
func (w WidgetPartUpdate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&w) }

// UnmarshalJSON reads what MarshalJSON writes.
func (w *WidgetPartUpdate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, w) }

// MarshalJSON writes c with its Extra beside the other members.
func (c CustomStickerUpdate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *CustomStickerUpdate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }

// MarshalJSON writes w with its Extra beside the other members.
func (w Website) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&w) }

// UnmarshalJSON reads what MarshalJSON writes.
func (w *Website) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, w) }

// MarshalJSON writes w with its Extra beside the other members.
func (w WebsiteFloat) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&w) }

// UnmarshalJSON reads what MarshalJSON writes.
func (w *WebsiteFloat) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, w) }
