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
// Source: [V] rest-api-portal-list.html for what List answers with;
// https://www.zoho.com/deluge/help/salesiq/get-portal-info.html for Get.
type Portal struct {
	ScreenName string `json:"screenname"` // For [salesiq.WithPortal].
	Logo       string `json:"logo"`       // A path on the API's host, which wants the token.

	// In the answer of List.
	Name       string    `json:"name"`
	OwnerZUID  string    `json:"owner_zuid"`  // The owner's Zoho user id.
	OperatorID string    `json:"operator_id"` // Of who has signed in.
	CreatedAt  time.Time `json:"created_time"`

	// In the answer of Get.
	Owner       PortalOwner `json:"owner"`
	Company     string      `json:"company_name"`
	Description string      `json:"description"`
	Email       string      `json:"email_id"`
	Phone       string      `json:"phone"`
	Mobile      string      `json:"mobile"`
	Website     string      `json:"website"`
	Language    string      `json:"language"`
	Address     string      `json:"address"`
	Street      string      `json:"street"`
	City        string      `json:"city"`
	State       string      `json:"state"`
	Country     string      `json:"country"`
	Icon        string      `json:"icon"` // As Logo.

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// PortalOwner is whom a portal belongs to.
//
// Source: [V] https://www.zoho.com/deluge/help/salesiq/get-portal-info.html, owner.
type PortalOwner struct {
	ZUID       string `json:"zuid"`
	OperatorID string `json:"operator_id"`
	Name       string `json:"name"`
	Email      string `json:"email_id"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// List returns the portals that the signed-in user belongs to.
//
//   - Endpoint: GET /api/v2/portals [V]; scope SalesIQ.portals.READ.
//   - Source: [V] rest-api-portal-list.html.
func (s *PortalsService) List(ctx context.Context, opts ...salesiq.CallOption) ([]Portal, error) {
	return list[Portal](ctx, s.owner(), "Portals.List", "/api/v2/portals", nil, opts)
}

// Get returns one portal by its screen name.
//
//   - Endpoint: GET /api/v2/portals/{screen_name} [V]; scope SalesIQ.portals.READ.
//   - Source: [V] https://www.zoho.com/deluge/help/salesiq/get-portal-info.html.
func (s *PortalsService) Get(ctx context.Context, screenName string, opts ...salesiq.CallOption) (*Portal, error) {
	return get[Portal](ctx, s.owner(), "Portals.Get", "/api/v2/portals/{screen_name}", nil, opts, screenName)
}

// MarshalJSON writes p with its Extra beside the other members.
func (p Portal) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Portal) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes p with its Extra beside the other members.
func (p PortalOwner) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *PortalOwner) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }
