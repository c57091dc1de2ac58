package live

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
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
	Creator     Ref                 `json:"creator"`
	Modifier    Ref                 `json:"modifier"`
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
	Creator   Ref       `json:"creator"`
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
// Source: [V] create-webhook-v2.html, update-webhook-v2.html.
type WebhookCreate struct {
	Type        WebhookType         `json:"type"`                                     // Required.
	URL         string              `json:"url"`                                      // Required. A HEAD request to it must be answered with 200.
	Events      []salesiq.EventName `json:"events"`                                   // Required. Replaced as a whole.
	AppIDs      []string            `json:"app_ids,omitzero"`                         // For data only. Replaced as a whole.
	Secured     bool                `json:"secured"`                                  // Whether to sign. For what is not signed there is webhook.Unsigned.
	Version     string              `json:"version,omitzero"`                         // "1".
	KeepsFailed Milliseconds        `json:"expiry_time_for_executions_data,omitzero"` // A week to 60 days, which is the default.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *WebhookCreate) validate() error {
	return required("type", string(p.Type), "url", p.URL, "events", joined(p.Events))
}

// WebhookListParams narrows a list of webhooks.
//
// Source: [V] get-webhooks-list-v2.html.
type WebhookListParams struct {
	Type   WebhookType // DataWebhook by default, since the page calls it mandatory.
	AppIDs []string    // For data only.
	SortBy string      // "created_time" or "modified_time", with "-" for the newest first.
}

func (p *WebhookListParams) query() query {
	q := query{"type": string(DataWebhook)}
	if p == nil {
		return q
	}
	q.set("type", string(p.Type))
	q.set("app_ids", strings.Join(p.AppIDs, ","))
	q.set("sort_by", signed(p.SortBy))
	return q
}

// signed puts the plus before a name that the service wants.
func signed(name string) string {
	if name == "" || strings.HasPrefix(name, "-") || strings.HasPrefix(name, "+") {
		return name
	}
	return "+" + name
}

// List returns the webhooks of one type. A nil params lists those for data.
//
//   - Endpoint: GET /api/v2/{screen_name}/webhooks [V]; scope SalesIQ.webhooks.READ.
//   - Source: [V] get-webhooks-list-v2.html.
func (s *WebhooksService) List(ctx context.Context, params *WebhookListParams, opts ...salesiq.CallOption) ([]Webhook, error) {
	return list[Webhook](ctx, s.owner(), "Webhooks.List", base+"/webhooks", params.query(), opts)
}

// WebhookSummary counts webhooks, or events that could not be delivered.
//
// Source: [V] get-webhooks-executions-summary-v2.html; [I] for webhooks.
type WebhookSummary struct {
	All   int            `json:"all"`
	ByApp map[string]int `json:"app_based"` // By the app's id.

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// Summary counts the webhooks.
//
//   - Endpoint: GET /api/v2/{screen_name}/webhooks [V], with mode=meta; scope
//     SalesIQ.webhooks.READ.
//   - Source: [V] get-webhooks-summary-v2.html, which shows no answer; [I] that it is
//     that of FailedExecutionsSummary.
func (s *WebhooksService) Summary(ctx context.Context, opts ...salesiq.CallOption) (*WebhookSummary, error) {
	return get[WebhookSummary](ctx, s.owner(), "Webhooks.Summary", base+"/webhooks", query{"mode": "meta"}, opts)
}

// Get returns one webhook.
//
//   - Endpoint: GET /api/v2/{screen_name}/webhooks/{id} [V]; scope
//     SalesIQ.webhooks.READ.
//   - Source: [V] the list of calls on update-webhook-v2.html.
func (s *WebhooksService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*Webhook, error) {
	return get[Webhook](ctx, s.owner(), "Webhooks.Get", base+"/webhooks/{id}", nil, opts, id)
}

// Create subscribes to events.
//
//   - Endpoint: POST /api/v2/{screen_name}/webhooks [V]; scope
//     SalesIQ.webhooks.CREATE.
//   - Source: [V] create-webhook-v2.html.
func (s *WebhooksService) Create(ctx context.Context, webhook *WebhookCreate, opts ...salesiq.CallOption) (*Webhook, error) {
	return call[Webhook](ctx, s.owner(), "Webhooks.Create", http.MethodPost, base+"/webhooks", webhook, opts)
}

// Update replaces what a subscription is about.
//
//   - Endpoint: PUT /api/v2/{screen_name}/webhooks/{id} [V]; scope
//     SalesIQ.webhooks.UPDATE.
//   - Source: [V] update-webhook-v2.html.
func (s *WebhooksService) Update(ctx context.Context, id string, webhook *WebhookCreate, opts ...salesiq.CallOption) (*Webhook, error) {
	return call[Webhook](ctx, s.owner(), "Webhooks.Update", http.MethodPut, base+"/webhooks/{id}", webhook, opts, id)
}

// Delete ends a subscription.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/webhooks/{id} [V]; scope
//     SalesIQ.webhooks.DELETE.
//   - Source: [V] the list of calls on update-webhook-v2.html, which shows no answer.
func (s *WebhooksService) Delete(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "Webhooks.Delete", http.MethodDelete, base+"/webhooks/{id}", nil, opts, id)
}

// AddEvents adds to the events of a webhook. In the page's sample the Webhook has
// them as ids, which are in Extra.
//
//   - Endpoint: POST /api/v2/{screen_name}/webhooks/{id}/events [V]; scope
//     SalesIQ.webhooks.UPDATE.
//   - Source: [V] add-event-webhook-v2.html.
func (s *WebhooksService) AddEvents(ctx context.Context, id string, events []salesiq.EventName, opts ...salesiq.CallOption) (*Webhook, error) {
	return call[Webhook](ctx, s.owner(), "Webhooks.AddEvents", http.MethodPost, base+"/webhooks/{id}/events", ids{texts(events)}, opts, id)
}

// RemoveEvents takes events from a webhook.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/webhooks/{id}/events [V]; scope
//     SalesIQ.webhooks.DELETE [I].
//   - Source: [V] the list of calls on add-event-webhook-v2.html, which shows no
//     answer; [I] that the events are in the query, as elsewhere.
func (s *WebhooksService) RemoveEvents(ctx context.Context, id string, events []salesiq.EventName, opts ...salesiq.CallOption) error {
	_, err := remove[any](ctx, s.owner(), "Webhooks.RemoveEvents", base+"/webhooks/{id}/events", "ids", texts(events), opts, id)
	return err
}

// AddApps adds to the apps of a webhook.
//
//   - Endpoint: POST /api/v2/{screen_name}/webhooks/{id}/apps [V]; scope
//     SalesIQ.webhooks.UPDATE.
//   - Source: [V] add-apps-webhook-v2.html.
func (s *WebhooksService) AddApps(ctx context.Context, id string, appIDs []string, opts ...salesiq.CallOption) (*Webhook, error) {
	return call[Webhook](ctx, s.owner(), "Webhooks.AddApps", http.MethodPost, base+"/webhooks/{id}/apps", ids{appIDs}, opts, id)
}

// RemoveApps takes apps from a webhook.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/webhooks/{id}/apps [V]; scope
//     SalesIQ.webhooks.DELETE [I].
//   - Source: [V] the list of calls on add-apps-webhook-v2.html, which shows no
//     answer; [I] that the apps are in the query, as elsewhere.
func (s *WebhooksService) RemoveApps(ctx context.Context, id string, appIDs []string, opts ...salesiq.CallOption) error {
	_, err := remove[any](ctx, s.owner(), "Webhooks.RemoveApps", base+"/webhooks/{id}/apps", "ids", appIDs, opts, id)
	return err
}

// GenerateKey gives a webhook one more key, and returns the webhook with all of
// them. The new key is used once the old one is deleted.
//
//   - Endpoint: POST /api/v2/{screen_name}/webhooks/{id}/keys [V]; scope
//     SalesIQ.webhooks.CREATE.
//   - Source: [V] generate-public-key-webhook-v2.html.
func (s *WebhooksService) GenerateKey(ctx context.Context, id string, opts ...salesiq.CallOption) (*Webhook, error) {
	return call[Webhook](ctx, s.owner(), "Webhooks.GenerateKey", http.MethodPost, base+"/webhooks/{id}/keys", nil, opts, id)
}

// DeleteKey takes a key from a webhook.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/webhooks/{id}/keys/{key_id} [V]; scope
//     SalesIQ.webhooks.DELETE.
//   - Source: [V] the list of calls on generate-public-key-webhook-v2.html, which
//     shows no answer.
func (s *WebhooksService) DeleteKey(ctx context.Context, id, keyID string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "Webhooks.DeleteKey", http.MethodDelete, base+"/webhooks/{id}/keys/{key_id}", nil, opts, id, keyID)
}

// MarshalJSON writes w with its Extra beside the other members.
func (w Webhook) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&w) }

// UnmarshalJSON reads what MarshalJSON writes.
func (w *Webhook) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, w) }

// MarshalJSON writes p with its Extra beside the other members.
func (p PublicKey) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *PublicKey) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes p with its Extra beside the other members.
func (p WebhookCreate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *WebhookCreate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes w with its Extra beside the other members.
func (w WebhookSummary) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&w) }

// UnmarshalJSON reads what MarshalJSON writes.
func (w *WebhookSummary) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, w) }
