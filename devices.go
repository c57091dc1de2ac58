package salesiq

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// DevicesService handles operators' devices and what is pushed to them.
type DevicesService service

func (s *DevicesService) owner() *Client { return (*service)(s).owner() }

// Device is where an operator receives push notifications.
//
// Source: specification, "Register Device for Push Notifications".
type Device struct {
	ID         string         `json:"id"`
	Token      Secret         `json:"device_token"` // From FCM, APNS or the browser.
	Platform   DevicePlatform `json:"platform"`
	OperatorID string         `json:"operator_id"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// DevicePlatform is a push service. The service may add others.
type DevicePlatform string

// The documented platforms.
const (
	PlatformAndroid DevicePlatform = "android" // FCM
	PlatformIOS     DevicePlatform = "ios"     // APNS
	PlatformWeb     DevicePlatform = "web"     // Web push
)

// DeviceCreate registers a device.
type DeviceCreate struct {
	Token      Secret         `json:"device_token"` // Required.
	Platform   DevicePlatform `json:"platform"`     // Required.
	OperatorID string         `json:"operator_id"`  // Required.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *DeviceCreate) validate() error {
	return cmp.Or(required("device_token", p.Token.Reveal()), required("platform", string(p.Platform)),
		required("operator_id", p.OperatorID))
}

// Notification is a message pushed to an operator's devices.
//
// Source: specification, "Send Custom Notification".
type Notification struct {
	ID         string         `json:"id"`
	OperatorID string         `json:"operator_id"`
	Title      string         `json:"title"`
	Message    string         `json:"message"`
	Data       map[string]any `json:"data"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// NotificationCreate is a message to push.
type NotificationCreate struct {
	OperatorID string         `json:"operator_id"`   // Required.
	Title      string         `json:"title"`         // Required.
	Message    string         `json:"message"`       // Required.
	Data       map[string]any `json:"data,omitzero"` // For the receiving app.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *NotificationCreate) validate() error {
	return cmp.Or(required("operator_id", p.OperatorID), required("title", p.Title), required("message", p.Message))
}

// Register adds a device of an operator and returns it.
//
//   - Endpoint: POST /api/v2/devices; scope SalesIQ.operators.UPDATE.
//   - Required: Token, Platform, OperatorID, else [ErrInvalidInput].
//   - Errors: [ErrResourceNotFound] for an unknown operator,
//     [ErrDuplicateResource], [ErrInvalidRequest], [ErrRequiredFieldMissing].
//   - Source: specification, "Register Device for Push Notifications".
func (s *DevicesService) Register(ctx context.Context, device *DeviceCreate, opts ...CallOption) (*Device, error) {
	return fetch[Device](ctx, s.owner(), newCall("Devices.Register", "POST /devices").body("device", device), opts)
}

// Unregister removes a device. A repeated Unregister ends in
// [ErrResourceNotFound]; see the package documentation on retries.
//
//   - Endpoint: DELETE /api/v2/devices/{device_id}; scope
//     SalesIQ.operators.UPDATE.
//   - Errors: [ErrResourceNotFound].
//   - Source: specification, "Unregister Device".
func (s *DevicesService) Unregister(ctx context.Context, deviceID string, opts ...CallOption) error {
	return send(ctx, s.owner(), newCall("Devices.Unregister", "DELETE /devices/{device_id}", deviceID), opts)
}

// Notify pushes a message to an operator's devices and returns it, or a zero
// Notification where the service answers without one.
//
//   - Endpoint: POST /api/v2/notifications; scope SalesIQ.operators.UPDATE.
//   - Required: OperatorID, Title, Message, else [ErrInvalidInput].
//   - Errors: [ErrResourceNotFound] for an unknown operator,
//     [ErrRequiredFieldMissing].
//   - Source: specification, "Send Custom Notification".
func (s *DevicesService) Notify(ctx context.Context, notification *NotificationCreate, opts ...CallOption) (*Notification, error) {
	c := newCall("Devices.Notify", "POST /notifications").body("notification", notification).answers("notification")
	return fetchOpen[Notification](ctx, s.owner(), c, opts)
}

// MarshalJSON writes d with its Extra beside the other members.
func (d Device) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&d) }

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Device) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, d) }

// MarshalJSON writes p with its Extra beside the other members.
func (p DeviceCreate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *DeviceCreate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes n with its Extra beside the other members.
func (n Notification) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&n) }

// UnmarshalJSON reads what MarshalJSON writes.
func (n *Notification) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, n) }

// MarshalJSON writes p with its Extra beside the other members.
func (p NotificationCreate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *NotificationCreate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }
