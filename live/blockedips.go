package live

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// BlockedIPsService handles the addresses from which nobody can chat. Associates
// may not use it.
type BlockedIPsService service

// BlockedIP is an address that is blocked from an app.
//
// Source: [V] get-blocked-ip-list-v2.html.
type BlockedIP struct {
	ID           string      `json:"id"`
	IP           string      `json:"ip"`
	Status       string      `json:"status"`     // Such as "blocked".
	BlockedBy    string      `json:"blocked_by"` // An operator's id.
	App          Ref         `json:"app"`
	Comments     []IPComment `json:"comments"`
	CommentCount int         `json:"no_of_comments"` // It need not be that of Comments.
	ModifiedAt   time.Time   `json:"modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// IPComment says why an address is blocked.
//
// Source: [V] get-blocked-ip-list-v2.html, comments.
type IPComment struct {
	OperatorID string    `json:"operator_id"`
	Text       string    `json:"text"`
	At         time.Time `json:"time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// BlockedIPCreate describes an address to block.
//
// Source: [V] create-blocked-ip-v2.html.
type BlockedIPCreate struct {
	IP      string   `json:"ip"`               // Required.
	AppIDs  []string `json:"app_ids,omitzero"` // All apps by default.
	Comment string   `json:"comment,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *BlockedIPCreate) validate() error { return required("ip", p.IP) }

// IPAction is what to do with a blocked address.
type IPAction string

// The actions of block-unblock-ip-address-v2.html. [V].
const (
	BlockIP   IPAction = "block"
	UnblockIP IPAction = "unblock"
	ApproveIP IPAction = "approve" // Of what somebody has asked to block.
	RejectIP  IPAction = "reject"  // As ApproveIP.
)

// All iterates over the blocked addresses.
//
//   - Endpoint: GET /api/v2/{screen_name}/blockedips [S]; scope
//     SalesIQ.blockedips.READ.
//   - Source: [V] get-blocked-ip-list-v2.html, which names index and limit; [I] that
//     the index is from 1, and 20 the limit.
func (s *BlockedIPsService) All(ctx context.Context, opts ...salesiq.CallOption) iter.Seq2[*BlockedIP, error] {
	return iterate[BlockedIP](ctx, s.owner(), "BlockedIPs.All", blockedIPs, nil, IndexAndLimit(), opts)
}

// Create blocks an address. It returns one entry for each app.
//
//   - Endpoint: POST /api/v2/{screen_name}/blockedips [S]; scope
//     SalesIQ.blockedips.CREATE.
//   - Source: [V] create-blocked-ip-v2.html.
func (s *BlockedIPsService) Create(ctx context.Context, ip *BlockedIPCreate, opts ...salesiq.CallOption) ([]BlockedIP, error) {
	return items(call[[]BlockedIP](ctx, s.owner(), "BlockedIPs.Create", http.MethodPost, blockedIPs, ip, opts))
}

// SetStatus blocks an address again, or no longer. It returns no answer, since the
// one on the page is that of Create.
//
//   - Endpoint: PUT /api/v2/{screen_name}/blockedips/{id} [S]; [I] for the id, which
//     the page's URL lacks; scope SalesIQ.blockedips.UPDATE.
//   - Source: [V] block-unblock-ip-address-v2.html.
func (s *BlockedIPsService) SetStatus(ctx context.Context, id string, action IPAction, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "BlockedIPs.SetStatus", http.MethodPut, blockedIPs+"/{id}", newStatus{string(action)}, opts, id)
}

// Delete forgets a blocked address.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/blockedips/{id} [S]; scope
//     SalesIQ.blockedips.DELETE.
//   - Source: [V] delete-blocked-ip-v2.html, which shows no answer.
func (s *BlockedIPsService) Delete(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "BlockedIPs.Delete", http.MethodDelete, blockedIPs+"/{id}", nil, opts, id)
}

const blockedIPs = base + "/blockedips"

// MarshalJSON writes b with its Extra beside the other members.
func (b BlockedIP) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&b) }

// UnmarshalJSON reads what MarshalJSON writes.
func (b *BlockedIP) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, b) }

// MarshalJSON writes i with its Extra beside the other members.
func (i IPComment) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&i) }

// UnmarshalJSON reads what MarshalJSON writes.
func (i *IPComment) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, i) }

// MarshalJSON writes p with its Extra beside the other members.
func (p BlockedIPCreate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *BlockedIPCreate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }
