package live

import (
	"context"
	"encoding/json"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// AppsService handles apps, which are what the specification calls brands.
type AppsService service

// App is one website or app with a chat widget.
//
// Source: [V] rest-api-apps-list.html for the call and its channels; [I] for the
// other fields, which are those of other objects.
type App struct {
	ID         string                `json:"id"`
	Name       string                `json:"name"`
	Enabled    bool                  `json:"is_enabled"`
	Channels   map[string]AppChannel `json:"channels"` // By name, such as website.
	CreatedAt  time.Time             `json:"created_time"`
	ModifiedAt time.Time             `json:"modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// AppChannel is a way into an app.
//
// Source: [V] rest-api-apps-list.html, channels.
type AppChannel struct {
	Chat bool `json:"chat"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// List returns the apps.
//
//   - Endpoint: GET /api/v2/{screen_name}/apps; scope SalesIQ.apps.READ.
//   - Source: [V] rest-api-apps-list.html.
func (s *AppsService) List(ctx context.Context, opts ...salesiq.CallOption) ([]App, error) {
	return list[App](ctx, s.client, base+"/apps", nil, call(opts, "Apps.List")...)
}

// Get returns one app.
//
//   - Endpoint: GET /api/v2/{screen_name}/apps/{id}; scope SalesIQ.apps.READ.
//   - Source: [T] a published integration.
func (s *AppsService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*App, error) {
	return Get[App](ctx, s.client, base+"/apps/{id}", nil, call(opts, "Apps.Get", id)...)
}

// MarshalJSON writes a with its Extra beside the other members.
func (a App) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&a) }

// UnmarshalJSON reads what MarshalJSON writes.
func (a *App) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, a) }

// MarshalJSON writes a with its Extra beside the other members.
func (a AppChannel) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&a) }

// UnmarshalJSON reads what MarshalJSON writes.
func (a *AppChannel) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, a) }
