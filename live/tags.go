package live

import (
	"context"
	"encoding/json"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// TagsService handles tags.
type TagsService service

// Tag is a label for conversations, visitors, contacts or companies.
//
// Source: [V] create-tags-v2.html.
type Tag struct {
	ID     string    `json:"id"`
	Name   string    `json:"name"`
	Color  string    `json:"color"`
	Module TagModule `json:"module"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// TagModule is what a tag is for. The service may add others.
type TagModule string

// The modules of create-tags-v2.html. [V].
const (
	ForConversations TagModule = "conversations"
	ForVisitors      TagModule = "visitors"
	ForContacts      TagModule = "contacts"
	ForCompanies     TagModule = "companies"
)

// TagCreate describes a new tag.
//
// Source: [V] create-tags-v2.html.
type TagCreate struct {
	Name   string    `json:"name"`   // Required.
	Color  string    `json:"color"`  // Required.
	Module TagModule `json:"module"` // Required.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// Create makes a tag.
//
//   - Endpoint: POST /api/v2/{screen_name}/tags; scope SalesIQ.tags.CREATE.
//   - Source: [V] create-tags-v2.html.
func (s *TagsService) Create(ctx context.Context, tag *TagCreate, opts ...salesiq.CallOption) (*Tag, error) {
	return Post[Tag](ctx, s.client, base+"/tags", tag, call(opts, "Tags.Create")...)
}

// MarshalJSON writes t with its Extra beside the other members.
func (t Tag) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&t) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Tag) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, t) }

// MarshalJSON writes t with its Extra beside the other members.
func (t TagCreate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&t) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *TagCreate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, t) }
