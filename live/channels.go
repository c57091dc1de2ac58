package live

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// AndroidService handles the Android channel of an app.
type AndroidService service

// IOSService handles the iOS channel of an app.
type IOSService service

// MobileChannel is a way into an app from a mobile one.
//
// Source: [V] rest-api-app-create-android-channel.html,
// rest-api-app-ios-details.html.
type MobileChannel struct {
	Enabled    bool        `json:"enabled"`
	AppKey     string      `json:"app_key"` // Percent-encoded, as it is used.
	AccessKeys []AccessKey `json:"access_keys"`
	BundleName string      `json:"bundle_name"`
	Components []Component `json:"components"`
	Creator    Ref         `json:"creator"`
	ModifiedAt time.Time   `json:"modified_time"`

	// Of iOS.
	Sandbox    PushConfig `json:"sandbox_notifications"`
	Production PushConfig `json:"production_notifications"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// Component is a part of the mobile SDK. The service may add others.
type Component string

// The components of rest-api-app-update-android-channel-components.html. [V].
const (
	ComponentChat     Component = "chat"
	ComponentCall     Component = "call"
	ComponentTracking Component = "proactive"
	ComponentFAQ      Component = "faq"
)

// AccessKey lets a mobile app in. A channel has three active ones at most.
//
// Source: [V] rest-api-app-ios-access-key.html.
type AccessKey struct {
	UUID      string    `json:"uuid"`
	Key       string    `json:"key"`
	Version   string    `json:"version"`
	Enabled   bool      `json:"enabled"`
	Creator   Ref       `json:"creator"`
	CreatedAt time.Time `json:"created_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// PushConfig is how notifications reach an iOS app.
//
// Source: [V] rest-api-app-ios-details.html, sandbox_notifications.
type PushConfig struct {
	Enabled     bool            `json:"enabled"`
	Certificate json.RawMessage `json:"certificate"`
	TestDevices []string        `json:"test_devices"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// Create adds an Android channel to an app.
//
//   - Endpoint: POST /api/v2/{screen_name}/apps/{id}/channels/android [S]; scope
//     SalesIQ.apps.CREATE.
//   - Source: [V] rest-api-app-create-android-channel.html.
func (s *AndroidService) Create(ctx context.Context, appID, bundleName string, opts ...salesiq.CallOption) (*MobileChannel, error) {
	return call[MobileChannel](ctx, s.owner(), "Android.Create", http.MethodPost, androidPath, bundle{bundleName}, opts, appID)
}

// Update switches the Android channel of an app on or off.
//
//   - Endpoint: PUT /api/v2/{screen_name}/apps/{id}/channels/android [S]; scope
//     SalesIQ.apps.UPDATE.
//   - Source: [V] rest-api-app-update-android-channel.html.
func (s *AndroidService) Update(ctx context.Context, appID string, enabled bool, opts ...salesiq.CallOption) (*MobileChannel, error) {
	return call[MobileChannel](ctx, s.owner(), "Android.Update", http.MethodPut, androidPath, enable{enabled}, opts, appID)
}

// UpdateComponents replaces the components of the Android channel of an app.
//
//   - Endpoint: PUT /api/v2/{screen_name}/apps/{id}/channels/android/components [S];
//     scope SalesIQ.apps.UPDATE.
//   - Source: [V] rest-api-app-update-android-channel-components.html.
func (s *AndroidService) UpdateComponents(ctx context.Context, appID string, all []Component, opts ...salesiq.CallOption) (*MobileChannel, error) {
	return call[MobileChannel](ctx, s.owner(), "Android.UpdateComponents", http.MethodPut, androidPath+"/components", components{all}, opts, appID)
}

// Get returns the iOS channel of an app.
//
//   - Endpoint: GET /api/v2/{screen_name}/apps/{id}/channels/ios [S]; scope
//     SalesIQ.apps.READ.
//   - Source: [V] rest-api-app-ios-details.html.
func (s *IOSService) Get(ctx context.Context, appID string, opts ...salesiq.CallOption) (*MobileChannel, error) {
	return get[MobileChannel](ctx, s.owner(), "IOS.Get", iosPath, nil, opts, appID)
}

// Create adds an iOS channel to an app.
//
//   - Endpoint: POST /api/v2/{screen_name}/apps/{id}/channels/ios [S]; scope
//     SalesIQ.apps.CREATE.
//   - Source: [V] rest-api-app-add-ios-channel.html.
func (s *IOSService) Create(ctx context.Context, appID, bundleName string, opts ...salesiq.CallOption) (*MobileChannel, error) {
	return call[MobileChannel](ctx, s.owner(), "IOS.Create", http.MethodPost, iosPath, bundle{bundleName}, opts, appID)
}

// IOSUpdate changes an iOS channel; fields left zero stay as they are.
//
// Source: [V] rest-api-app-ios-update-channel.html.
type IOSUpdate struct {
	Enabled    salesiq.Opt[bool] `json:"enabled,omitzero"`
	Sandbox    *PushUpdate       `json:"sandbox_notifications,omitzero"`
	Production *PushUpdate       `json:"production_notifications,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// PushUpdate is a part of [IOSUpdate].
type PushUpdate struct {
	Enabled TextBool `json:"enabled"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// Update changes the iOS channel of an app.
//
//   - Endpoint: PUT /api/v2/{screen_name}/apps/{id}/channels/ios [S]; scope
//     SalesIQ.apps.UPDATE.
//   - Source: [V] rest-api-app-ios-update-channel.html.
func (s *IOSService) Update(ctx context.Context, appID string, update *IOSUpdate, opts ...salesiq.CallOption) (*MobileChannel, error) {
	return call[MobileChannel](ctx, s.owner(), "IOS.Update", http.MethodPut, iosPath, update, opts, appID)
}

// UpdateComponents replaces the components of the iOS channel of an app.
//
//   - Endpoint: PUT /api/v2/{screen_name}/apps/{id}/channels/ios/components [S];
//     scope SalesIQ.apps.UPDATE.
//   - Source: [V] rest-api-app-update-ios-channel-components.html.
func (s *IOSService) UpdateComponents(ctx context.Context, appID string, all []Component, opts ...salesiq.CallOption) (*MobileChannel, error) {
	return call[MobileChannel](ctx, s.owner(), "IOS.UpdateComponents", http.MethodPut, iosPath+"/components", components{all}, opts, appID)
}

// AccessKeys returns the access keys of the iOS channel of an app.
//
//   - Endpoint: GET /api/v2/{screen_name}/apps/{id}/channels/ios/accesskeys [S];
//     scope SalesIQ.apps.READ.
//   - Source: [V] rest-api-app-ios-access-key.html.
func (s *IOSService) AccessKeys(ctx context.Context, appID string, opts ...salesiq.CallOption) ([]AccessKey, error) {
	return list[AccessKey](ctx, s.owner(), "IOS.AccessKeys", iosPath+"/accesskeys", nil, opts, appID)
}

// The paths of the channels.
const (
	androidPath = base + "/apps/{id}/channels/android"
	iosPath     = base + "/apps/{id}/channels/ios"
)

type bundle struct {
	Name string `json:"bundle_name"`
}

func (b bundle) validate() error { return required("bundle_name", b.Name) }

type components struct {
	All []Component `json:"components"`
}

func (c components) validate() error { return required("components", joined(c.All)) }

// enable is the body of calls that switch something on or off.
type enable struct {
	Enabled bool `json:"enabled"`
}

// MarshalJSON writes m with its Extra beside the other members.
func (m MobileChannel) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&m) }

// UnmarshalJSON reads what MarshalJSON writes.
func (m *MobileChannel) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, m) }

// MarshalJSON writes a with its Extra beside the other members.
func (a AccessKey) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&a) }

// UnmarshalJSON reads what MarshalJSON writes.
func (a *AccessKey) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, a) }

// MarshalJSON writes p with its Extra beside the other members.
func (p PushConfig) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *PushConfig) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes i with its Extra beside the other members.
func (i IOSUpdate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&i) }

// UnmarshalJSON reads what MarshalJSON writes.
func (i *IOSUpdate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, i) }

// MarshalJSON writes p with its Extra beside the other members.
func (p PushUpdate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *PushUpdate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }
