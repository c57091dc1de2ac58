package live

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// WebhooksService handles the subscriptions by which the service reports events.
// To receive the events, use RSA and NewReceiver of package webhook.
type WebhooksService service

// Webhook is one subscription to events.
//
// Source: [V] generate-public-key-webhook-v2.html.
type Webhook struct {
	ID          string              `json:"id"`
	URL         string              `json:"url"`
	Type        WebhookType         `json:"type"`
	Events      []salesiq.EventName `json:"events"`
	AppIDs      []string            `json:"app_ids"`
	Secured     bool                `json:"secured"` // Whether what is sent is signed.
	Version     string              `json:"version"`
	Status      string              `json:"status"` // "enabled", or another word.
	Failures    int                 `json:"failures_count"`
	PublicKeys  []PublicKey         `json:"public_keys"` // Two at most; the oldest is in use.
	KeepsFailed Milliseconds        `json:"expiry_time_for_executions_data"`
	CreatedAt   time.Time           `json:"created_time"`
	ModifiedAt  time.Time           `json:"modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// PublicKey verifies what a webhook sends. ParseRSAKey of package webhook reads
// its Key.
//
// Source: [V] generate-public-key-webhook-v2.html, public_keys.
type PublicKey struct {
	ID        string    `json:"id"`
	Key       string    `json:"key"`
	CreatedAt time.Time `json:"created_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// WebhookType is what a webhook's events are about.
type WebhookType string

// The types of update-webhook-v2.html. [V].
const (
	DataWebhook           WebhookType = "data"           // Conversations and visitors.
	AdministrationWebhook WebhookType = "administration" // Operators, departments, brands, tags.
)

// WebhookCreate describes a new subscription. The service sends a HEAD request to
// the URL, which must be answered with 200.
//
// Source: [V] update-webhook-v2.html; [I] that Create takes the same.
type WebhookCreate struct {
	Type    WebhookType         `json:"type"`             // Required.
	URL     string              `json:"url"`              // Required.
	Events  []salesiq.EventName `json:"events"`           // Required.
	AppIDs  []string            `json:"app_ids,omitzero"` // For data only.
	Secured bool                `json:"secured"`
	Version string              `json:"version,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// List returns the webhooks.
//
//   - Endpoint: GET /api/v2/{screen_name}/webhooks; scope SalesIQ.webhooks.READ.
//   - Source: [V] the list of calls on update-webhook-v2.html.
func (s *WebhooksService) List(ctx context.Context, opts ...salesiq.CallOption) ([]Webhook, error) {
	return list[Webhook](ctx, s.client, base+"/webhooks", nil, call(opts, "Webhooks.List")...)
}

// Get returns one webhook.
//
//   - Endpoint: GET /api/v2/{screen_name}/webhooks/{id}; scope
//     SalesIQ.webhooks.READ.
//   - Source: [V] the list of calls on update-webhook-v2.html.
func (s *WebhooksService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*Webhook, error) {
	return Get[Webhook](ctx, s.client, base+"/webhooks/{id}", nil, call(opts, "Webhooks.Get", id)...)
}

// Create subscribes to events.
//
//   - Endpoint: POST /api/v2/{screen_name}/webhooks; scope SalesIQ.webhooks.CREATE.
//   - Source: [V] the list of calls on update-webhook-v2.html; [T] a published
//     integration.
func (s *WebhooksService) Create(ctx context.Context, webhook *WebhookCreate, opts ...salesiq.CallOption) (*Webhook, error) {
	return Post[Webhook](ctx, s.client, base+"/webhooks", webhook, call(opts, "Webhooks.Create")...)
}

// Update replaces what a subscription is about.
//
//   - Endpoint: PUT /api/v2/{screen_name}/webhooks/{id}; scope
//     SalesIQ.webhooks.UPDATE.
//   - Source: [V] update-webhook-v2.html.
func (s *WebhooksService) Update(ctx context.Context, id string, webhook *WebhookCreate, opts ...salesiq.CallOption) (*Webhook, error) {
	return Put[Webhook](ctx, s.client, base+"/webhooks/{id}", webhook, call(opts, "Webhooks.Update", id)...)
}

// Delete ends a subscription.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/webhooks/{id}; scope
//     SalesIQ.webhooks.DELETE.
//   - Source: [V] the list of calls on update-webhook-v2.html.
func (s *WebhooksService) Delete(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	_, err := Delete[any](ctx, s.client, base+"/webhooks/{id}", nil, call(opts, "Webhooks.Delete", id)...)
	return err
}

// GenerateKey gives a webhook one more key, and returns the webhook with all of
// them. The new key is used once the old one is deleted.
//
//   - Endpoint: POST /api/v2/{screen_name}/webhooks/{id}/keys; scope
//     SalesIQ.webhooks.CREATE.
//   - Source: [V] generate-public-key-webhook-v2.html.
func (s *WebhooksService) GenerateKey(ctx context.Context, id string, opts ...salesiq.CallOption) (*Webhook, error) {
	return Post[Webhook](ctx, s.client, base+"/webhooks/{id}/keys", nil, call(opts, "Webhooks.GenerateKey", id)...)
}

// DeleteKey takes a key from a webhook.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/webhooks/{id}/keys/{key_id}; scope
//     SalesIQ.webhooks.DELETE.
//   - Source: [V] the list of calls on generate-public-key-webhook-v2.html.
func (s *WebhooksService) DeleteKey(ctx context.Context, id, keyID string, opts ...salesiq.CallOption) error {
	_, err := Delete[any](ctx, s.client, base+"/webhooks/{id}/keys/{key_id}", nil, call(opts, "Webhooks.DeleteKey", id, keyID)...)
	return err
}

// Execution is an event that could not be delivered.
//
// Source: [V] failure-list-webhook-v2.html.
type Execution struct {
	ID           string            `json:"id"`
	WebhookID    string            `json:"webhook_id"`
	Event        salesiq.EventName `json:"event"`
	Entity       string            `json:"entity"` // Such as "conversation".
	EntityID     string            `json:"entity_id"`
	AppID        string            `json:"app_id"`
	RemoteStatus int               `json:"remote_server_status"` // The receiver's.
	Retries      int               `json:"number_of_retries"`
	Payload      json.RawMessage   `json:"payload"`
	LastTriedAt  time.Time         `json:"last_execution_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// executionPages is how failed executions are paged.
var executionPages = PageStyle{Number: "pageno", Size: "limit", PerPage: 50}

// FailedExecutions iterates over the events that could not be delivered, of
// which the service keeps those of a week to sixty days.
//
//   - Endpoint: GET /api/v2/{screen_name}/webhooks/{id}/executions; scope
//     SalesIQ.webhooks.READ.
//   - Source: [V] failure-list-webhook-v2.html.
func (s *WebhooksService) FailedExecutions(ctx context.Context, id string, opts ...salesiq.CallOption) iter.Seq2[*Execution, error] {
	return All[Execution](ctx, s.client, base+"/webhooks/{id}/executions", nil, executionPages, call(opts, "Webhooks.FailedExecutions", id)...)
}

// Retry asks for another delivery of events that could not be delivered. It returns
// the ids of those that have been tried too often (99 times).
//
//   - Endpoint: POST /api/v2/{screen_name}/webhooks/{id}/executions; scope
//     SalesIQ.webhooks.CREATE.
//   - Source: [V] retry-failed-executions-webhook-v2.html.
func (s *WebhooksService) Retry(ctx context.Context, id string, executionIDs []string, opts ...salesiq.CallOption) (skipped []string, err error) {
	type outcome struct {
		Skipped []string `json:"skipped"`
	}
	in := map[string][]string{"ids": executionIDs}
	out, err := Post[outcome](ctx, s.client, base+"/webhooks/{id}/executions", in, call(opts, "Webhooks.Retry", id)...)
	if err != nil {
		return nil, err
	}
	return orEmpty(out.Skipped), nil
}

// MarshalJSON writes w with its Extra beside the other members.
func (w Webhook) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&w) }

// UnmarshalJSON reads what MarshalJSON writes.
func (w *Webhook) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, w) }

// MarshalJSON writes p with its Extra beside the other members.
func (p PublicKey) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *PublicKey) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes w with its Extra beside the other members.
func (w WebhookCreate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&w) }

// UnmarshalJSON reads what MarshalJSON writes.
func (w *WebhookCreate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, w) }

// MarshalJSON writes e with its Extra beside the other members.
func (e Execution) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Execution) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, e) }
