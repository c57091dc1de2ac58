package salesiq

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// WebhooksService handles the subscriptions by which the service reports
// events. To receive the events, use package webhook.
type WebhooksService service

func (s *WebhooksService) owner() *Client { return (*service)(s).owner() }

// Webhook is one subscription to events.
//
// Source: specification, "Create Webhook".
type Webhook struct {
	ID      string      `json:"id"`
	Name    string      `json:"name"`
	URL     string      `json:"url"`
	Events  []EventName `json:"events"`
	Enabled bool        `json:"enabled"`
	Secret  Secret      `json:"secret,omitzero"` // Where the service gives it back.

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// EventName names a kind of event. The service may add others.
type EventName string

// The documented events.
const (
	EventChatStarted           EventName = "chat.started"
	EventChatEnded             EventName = "chat.ended"
	EventChatMissed            EventName = "chat.missed"
	EventChatRated             EventName = "chat.rating"
	EventMessageReceived       EventName = "message.received"
	EventVisitorIdentified     EventName = "visitor.identified"
	EventVisitorOnline         EventName = "visitor.online"
	EventVisitorOffline        EventName = "visitor.offline"
	EventOperatorStatusChanged EventName = "operator.status_changed"
	EventLeadCreated           EventName = "lead.created"
	EventTriggerExecuted       EventName = "trigger.executed"
)

// WebhookCreate describes a new subscription.
type WebhookCreate struct {
	Name    string      `json:"name"`   // Required.
	URL     string      `json:"url"`    // Required, absolute.
	Events  []EventName `json:"events"` // Required, one at least.
	Enabled Opt[bool]   `json:"enabled,omitzero"`
	Secret  Secret      `json:"secret,omitzero"` // Signs what is delivered. Left out if empty.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *WebhookCreate) validate() error {
	if !p.Secret.IsZero() {
		if err := requiredSecret("secret", p.Secret); err != nil {
			return err
		}
	}
	return cmp.Or(required("name", p.Name), absoluteURL("url", p.URL), requiredTexts("events", p.Events))
}

// WebhookUpdate changes a subscription; fields left zero stay as they are.
type WebhookUpdate struct {
	Name    Opt[string]      `json:"name,omitzero"`
	URL     Opt[string]      `json:"url,omitzero"`
	Events  Opt[[]EventName] `json:"events,omitzero"` // Replaces them all.
	Enabled Opt[bool]        `json:"enabled,omitzero"`
	Secret  Opt[Secret]      `json:"secret,omitzero"` // Must not be set to an empty one.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *WebhookUpdate) validate() error {
	// An update that was kept as JSON has lost its secret, and would clear it.
	if secret, ok := p.Secret.Get(); ok {
		if secret.IsZero() {
			return inputError("secret", "must not be empty: set it again if the update was read from JSON, or use Null to remove it")
		}
		if err := requiredSecret("secret", secret); err != nil {
			return err
		}
	}
	if address, ok := p.URL.Get(); ok {
		return absoluteURL("url", address)
	}
	return nil
}

// List returns one page of webhooks. A nil params lists all of them.
//
//   - Endpoint: GET /api/v2/webhooks; scope SalesIQ.settings.READ. The
//     specification documents no parameters for it; page and per_page are sent as
//     for the other lists.
//   - Errors: [ErrInvalidInput] for a page below 1 or a page size outside 1 to 100.
//   - Source: specification, "List Webhooks".
func (s *WebhooksService) List(ctx context.Context, params *ListParams, opts ...CallOption) (*Page[Webhook], error) {
	return fetchPage[Webhook](ctx, s.owner(), newCall("Webhooks.List", "GET /webhooks").params(params), opts)
}

// All iterates over every webhook, page by page.
// See [Page] for what all iterators promise.
//
//   - Endpoint: GET /api/v2/webhooks, once for each page; scope SalesIQ.settings.READ.
//   - Errors: as for List.
//   - Source: specification, "List Webhooks".
func (s *WebhooksService) All(ctx context.Context, params *ListParams, opts ...CallOption) iter.Seq2[*Webhook, error] {
	return iterate[Webhook](ctx, s.owner(), newCall("Webhooks.All", "GET /webhooks").params(params), opts)
}

// Create adds a webhook and returns it.
//
//   - Endpoint: POST /api/v2/webhooks; scope SalesIQ.settings.ALL.
//   - Required: Name, URL, Events, else [ErrInvalidInput].
//   - Errors: [ErrRequiredFieldMissing], [ErrInvalidRequest],
//     [ErrDuplicateResource], [ErrPermissionDenied].
//   - Source: specification, "Create Webhook".
func (s *WebhooksService) Create(ctx context.Context, webhook *WebhookCreate, opts ...CallOption) (*Webhook, error) {
	return fetch[Webhook](ctx, s.owner(), newCall("Webhooks.Create", "POST /webhooks").body("webhook", webhook), opts)
}

// Update changes some fields of a webhook and returns it.
//
//   - Endpoint: PATCH /api/v2/webhooks/{webhook_id}; scope SalesIQ.settings.ALL.
//   - Errors: [ErrInvalidInput] for a URL that is not absolute, and for a secret
//     that is set to nothing; [ErrResourceNotFound], [ErrInvalidRequest], [ErrRequiredFieldMissing],
//     [ErrDuplicateResource], [ErrPermissionDenied].
//   - Source: specification, "Update Webhook".
func (s *WebhooksService) Update(ctx context.Context, webhookID string, update *WebhookUpdate, opts ...CallOption) (*Webhook, error) {
	c := newCall("Webhooks.Update", "PATCH /webhooks/{webhook_id}", webhookID).update(update)
	return fetch[Webhook](ctx, s.owner(), c, opts)
}

// Delete removes a webhook. A repeated Delete ends in [ErrResourceNotFound];
// see the package documentation on retries.
//
//   - Endpoint: DELETE /api/v2/webhooks/{webhook_id}; scope SalesIQ.settings.ALL.
//   - Errors: [ErrResourceNotFound], [ErrPermissionDenied].
//   - Source: specification, "Delete Webhook".
func (s *WebhooksService) Delete(ctx context.Context, webhookID string, opts ...CallOption) error {
	return send(ctx, s.owner(), newCall("Webhooks.Delete", "DELETE /webhooks/{webhook_id}", webhookID), opts)
}

// MarshalJSON writes w with its Extra beside the other members.
func (w Webhook) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&w) }

// UnmarshalJSON reads what MarshalJSON writes.
func (w *Webhook) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, w) }

// MarshalJSON writes p with its Extra beside the other members.
func (p WebhookCreate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *WebhookCreate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes p with its Extra beside the other members.
func (p WebhookUpdate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *WebhookUpdate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }
