package live

import (
	"context"
	"encoding/json"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// PortalsService finds the portals of an account. Its calls need no portal.
type PortalsService service

// Portal is an account's home, whose screen name is part of all other paths.
//
// Source: [V] rest-api-portal-list.html.
type Portal struct {
	ScreenName string    `json:"screenname"` // For [salesiq.WithPortal].
	Name       string    `json:"name"`
	OwnerZUID  string    `json:"owner_zuid"`  // The owner's Zoho user id.
	OperatorID string    `json:"operator_id"` // Of who has signed in.
	Logo       string    `json:"logo"`        // A path on the API's host, which wants the token.
	CreatedAt  time.Time `json:"created_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// List returns the portals that the signed-in user belongs to.
//
//   - Endpoint: GET /api/v2/portals; scope SalesIQ.portals.READ.
//   - Source: [V] rest-api-portal-list.html.
func (s *PortalsService) List(ctx context.Context, opts ...salesiq.CallOption) ([]Portal, error) {
	return list[Portal](ctx, s.client, "/api/v2/portals", nil, call(opts, "Portals.List")...)
}

// Get returns one portal by its screen name.
//
//   - Endpoint: GET /api/v2/portals/{screen_name}; scope SalesIQ.portals.READ [I].
//   - Source: [V] https://www.zoho.com/deluge/help/salesiq/get-portal-info.html.
func (s *PortalsService) Get(ctx context.Context, screenName string, opts ...salesiq.CallOption) (*Portal, error) {
	return Get[Portal](ctx, s.client, "/api/v2/portals/{screen_name}", nil, call(opts, "Portals.Get", screenName)...)
}

// MarshalJSON writes p with its Extra beside the other members.
func (p Portal) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Portal) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }
