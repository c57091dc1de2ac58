package live

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// TriggersService handles the rules by which something happens by itself to
// visitors on the website.
type TriggersService service

// Trigger is one such rule.
//
// Source: [V] get-details-trigger-rule-v2.html.
type Trigger struct {
	ID         string        `json:"id"`
	Title      string        `json:"title"`
	Enabled    bool          `json:"enabled"`
	Position   int           `json:"position"`
	App        Ref           `json:"app"`
	All        []AnyOf       `json:"and_criteria"`
	Event      TriggerEvent  `json:"event"`
	Action     TriggerAction `json:"action"`
	Stats      TriggerStats  `json:"stats"`
	Creator    Ref           `json:"creator"`
	CreatedAt  time.Time     `json:"created_time"`
	ModifiedAt time.Time     `json:"modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// TriggerEvent is what sets a trigger off.
//
// Source: [V] update-details-trigger-rule-v2.html, event.
type TriggerEvent struct {
	Type string `json:"type"` // Such as "lands_on_website".

	// Extra holds the fields that this version of the package does not know. They
	// are sent beside the other fields.
	Extra map[string]json.RawMessage `json:",embed"`
}

// TriggerAction is what a trigger does.
//
// Source: [V] update-details-trigger-rule-v2.html, action.
type TriggerAction struct {
	Type   string        `json:"type"` // Such as "send_chat_invite".
	Params TriggerParams `json:"params"`
	Delay  int           `json:"delay"` // In seconds. [I].

	// Extra holds the fields that this version of the package does not know. They
	// are sent beside the other fields.
	Extra map[string]json.RawMessage `json:",embed"`
}

// TriggerParams is a part of [TriggerAction].
type TriggerParams struct {
	SenderName string `json:"sender_name"`
	Value      string `json:"value"`

	// Extra holds the fields that this version of the package does not know. They
	// are sent beside the other fields.
	Extra map[string]json.RawMessage `json:",embed"`
}

// TriggerStats counts what a trigger did.
//
// Source: [V] get-details-trigger-rule-v2.html, stats.
type TriggerStats struct {
	Triggered       int       `json:"triggered_count"`
	Replied         int       `json:"replied_count"`
	Failed          int       `json:"failed_count"`
	Seen            int       `json:"seen_count"`
	LastTriggeredAt time.Time `json:"last_triggered_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// TriggerWrite describes a trigger. All fields are required.
//
// Source: [V] update-details-trigger-rule-v2.html; [I] that Create takes the same.
type TriggerWrite struct {
	All    []AnyOf       `json:"and_criteria"`
	AppID  string        `json:"app_id"`
	Title  string        `json:"title"`
	Event  TriggerEvent  `json:"event"`
	Action TriggerAction `json:"action"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *TriggerWrite) validate() error {
	if err := checkCriteria("and_criteria", p.All); err != nil {
		return err
	}
	return required("app_id", p.AppID, "title", p.Title, "event.type", p.Event.Type, "action.type", p.Action.Type)
}

// List returns the triggers.
//
//   - Endpoint: GET /api/v2/{screen_name}/triggerrules [V]; scope
//     SalesIQ.triggerrules.READ.
//   - Source: [V] list-trigger-rules-v2.html.
func (s *TriggersService) List(ctx context.Context, opts ...salesiq.CallOption) ([]Trigger, error) {
	return ruleList[Trigger](ctx, s.owner(), "Triggers.List", triggerRules, opts)
}

// Get returns one trigger.
//
//   - Endpoint: GET /api/v2/{screen_name}/triggerrules/{id} [V]; scope
//     SalesIQ.triggerrules.READ.
//   - Source: [V] get-details-trigger-rule-v2.html.
func (s *TriggersService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*Trigger, error) {
	return get[Trigger](ctx, s.owner(), "Triggers.Get", triggerRules+"/{id}", nil, opts, id)
}

// Create adds a trigger. The Trigger is a zero one where the service answers
// without it.
//
//   - Endpoint: POST /api/v2/{screen_name}/triggerrules [V]; scope
//     SalesIQ.triggerrules.CREATE.
//   - Source: [V] the list of calls on list-trigger-rules-v2.html, which shows no
//     answer.
func (s *TriggersService) Create(ctx context.Context, trigger *TriggerWrite, opts ...salesiq.CallOption) (*Trigger, error) {
	return call[Trigger](ctx, s.owner(), "Triggers.Create", http.MethodPost, triggerRules, trigger, opts)
}

// Update replaces a trigger. The Trigger is a zero one where the service answers
// without it.
//
//   - Endpoint: PUT /api/v2/{screen_name}/triggerrules/{id} [V]; scope
//     SalesIQ.triggerrules.UPDATE.
//   - Source: [V] update-details-trigger-rule-v2.html, which shows no answer.
func (s *TriggersService) Update(ctx context.Context, id string, trigger *TriggerWrite, opts ...salesiq.CallOption) (*Trigger, error) {
	return call[Trigger](ctx, s.owner(), "Triggers.Update", http.MethodPut, triggerRules+"/{id}", trigger, opts, id)
}

// Enable switches a trigger on or off.
//
//   - Endpoint: PUT /api/v2/{screen_name}/triggerrules/{id} [V]; scope
//     SalesIQ.triggerrules.UPDATE.
//   - Source: [V] enable-disable-trigger-rule-v2.html, which shows no answer.
func (s *TriggersService) Enable(ctx context.Context, id string, enabled bool, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "Triggers.Enable", http.MethodPut, triggerRules+"/{id}", enable{enabled}, opts, id)
}

// Move gives a trigger its position among the others.
//
//   - Endpoint: PUT /api/v2/{screen_name}/triggerrules/{id} [V]; scope
//     SalesIQ.triggerrules.UPDATE.
//   - Source: [V] the list of calls on list-trigger-rules-v2.html, which shows no
//     answer.
func (s *TriggersService) Move(ctx context.Context, id string, position int, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "Triggers.Move", http.MethodPut, triggerRules+"/{id}", move{position}, opts, id)
}

// Delete removes a trigger.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/triggerrules/{id} [V]; scope
//     SalesIQ.triggerrules.DELETE.
//   - Source: [V] the list of calls on list-trigger-rules-v2.html, which shows no
//     answer.
func (s *TriggersService) Delete(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "Triggers.Delete", http.MethodDelete, triggerRules+"/{id}", nil, opts, id)
}

const triggerRules = base + "/triggerrules"

// MarshalJSON writes t with its Extra beside the other members.
func (t Trigger) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&t) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Trigger) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, t) }

// MarshalJSON writes t with its Extra beside the other members.
func (t TriggerEvent) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&t) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *TriggerEvent) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, t) }

// MarshalJSON writes t with its Extra beside the other members.
func (t TriggerAction) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&t) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *TriggerAction) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, t) }

// MarshalJSON writes t with its Extra beside the other members.
func (t TriggerParams) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&t) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *TriggerParams) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, t) }

// MarshalJSON writes t with its Extra beside the other members.
func (t TriggerStats) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&t) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *TriggerStats) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, t) }

// MarshalJSON writes p with its Extra beside the other members.
func (p TriggerWrite) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *TriggerWrite) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }
