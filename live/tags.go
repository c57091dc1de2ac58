package live

import (
	"context"
	"encoding/json"

	"github.com/salesiq-go/salesiq"
)

// TagsService handles tags.
type TagsService service

func (s *TagsService) owner() *salesiq.Client { return (*service)(s).owner() }

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
	return Post[Tag](ctx, s.owner(), base+"/tags", tag, call(opts, "Tags.Create")...)
}
