package live

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// TagsService handles tags.
type TagsService service

// Tag is a label for conversations, visitors, contacts or companies.
//
// Source: [V] create-tags-v2.html, get-specific-tags-v2.html.
type Tag struct {
	ID         string      `json:"id"`
	Name       string      `json:"name"`
	Color      string      `json:"color"`
	Module     TagModule   `json:"module"`
	Archived   bool        `json:"archived"`
	Status     string      `json:"status"` //nolint:misspell // Such as "unarchived"; the service spells another "achived".
	Modifier   TagModifier `json:"modifier"`
	ModifiedAt time.Time   `json:"modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// TagModifier is who changed a tag.
//
// Source: [V] create-tags-v2.html, modifier.
type TagModifier struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	ModifiedAt time.Time `json:"modified_time"`

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

func (p *TagCreate) validate() error {
	return required("name", p.Name, "color", p.Color, "module", string(p.Module))
}

// TagOutcome is what became of tags that were added. Some can fail although the
// call succeeds: archived ones, for example.
//
// Source: [V] add-tags-v2.html.
type TagOutcome struct {
	Failed []string `json:"failed_tag_ids"`
	Tags   []Tag    `json:"associated_tags"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// List returns the tags of a module, or of all of them if it is empty.
//
//   - Endpoint: GET /api/v2/{screen_name}/tags [V]; scope SalesIQ.tags.READ.
//   - Source: [V] get-tags-list-v2.html, which names no paging.
func (s *TagsService) List(ctx context.Context, module TagModule, opts ...salesiq.CallOption) ([]Tag, error) {
	q := query{}
	q.set("module", string(module))
	return list[Tag](ctx, s.owner(), "Tags.List", base+"/tags", q, opts)
}

// Get returns one tag.
//
//   - Endpoint: GET /api/v2/{screen_name}/tags/{id} [V]; scope SalesIQ.tags.READ.
//   - Source: [V] get-specific-tags-v2.html.
func (s *TagsService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*Tag, error) {
	return get[Tag](ctx, s.owner(), "Tags.Get", base+"/tags/{id}", nil, opts, id)
}

// Create makes a tag.
//
//   - Endpoint: POST /api/v2/{screen_name}/tags [V]; scope SalesIQ.tags.CREATE.
//   - Errors: [salesiq.ErrDuplicateResource].
//   - Source: [V] create-tags-v2.html.
func (s *TagsService) Create(ctx context.Context, tag *TagCreate, opts ...salesiq.CallOption) (*Tag, error) {
	return call[Tag](ctx, s.owner(), "Tags.Create", http.MethodPost, base+"/tags", tag, opts)
}

// Archive keeps a tag from being used again. Records keep it.
//
//   - Endpoint: POST /api/v2/{screen_name}/tags/{id}/archives [V]; scope
//     SalesIQ.tags.CREATE.
//   - Source: [V] archive-tag-v2.html.
func (s *TagsService) Archive(ctx context.Context, id string, opts ...salesiq.CallOption) (*Tag, error) {
	return call[Tag](ctx, s.owner(), "Tags.Archive", http.MethodPost, base+"/tags/{id}/archives", nil, opts, id)
}

// Delete removes a tag.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/tags/{id} [V]; scope
//     SalesIQ.tags.DELETE.
//   - Source: [V] delete-tag-v2.html, which shows no answer.
func (s *TagsService) Delete(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "Tags.Delete", http.MethodDelete, base+"/tags/{id}", nil, opts, id)
}

// AddTo gives tags to a record, such as a conversation. The outcome tells which of
// them failed.
//
//   - Endpoint: PUT /api/v2/{screen_name}/{module}/{record_id}/tags [V]; scope
//     SalesIQ.{module}.UPDATE. No page names one for contacts.
//   - Source: [V] add-tags-v2.html.
func (s *TagsService) AddTo(ctx context.Context, module TagModule, recordID string, tagIDs []string, opts ...salesiq.CallOption) (*TagOutcome, error) {
	return call[TagOutcome](ctx, s.owner(), "Tags.AddTo", http.MethodPut, base+"/{module}/{record_id}/tags", ids{tagIDs}, opts, string(module), recordID)
}

// RemoveFrom takes a tag from a record, and returns those that it keeps.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/{module}/{record_id}/tags [V]; scope
//     SalesIQ.{module}.DELETE. No page names one for contacts.
//   - Source: [V] remove-tags-v2.html.
func (s *TagsService) RemoveFrom(ctx context.Context, module TagModule, recordID, tagID string, opts ...salesiq.CallOption) ([]Tag, error) {
	return items(remove[[]Tag](ctx, s.owner(), "Tags.RemoveFrom", base+"/{module}/{record_id}/tags", "id", []string{tagID}, opts, string(module), recordID))
}

// MarshalJSON writes t with its Extra beside the other members.
func (t Tag) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&t) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Tag) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, t) }

// MarshalJSON writes p with its Extra beside the other members.
func (p TagCreate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *TagCreate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes t with its Extra beside the other members.
func (t TagOutcome) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&t) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *TagOutcome) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, t) }
