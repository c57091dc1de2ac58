package live

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// NotesService handles what operators note down about a conversation. Visitors do
// not see it.
type NotesService service

// Note is one note.
//
// Source: [V] rest-api-add-notes-v2.html.
type Note struct {
	Text      string    `json:"note"`
	Creator   Ref       `json:"creator"`
	CreatedAt time.Time `json:"created_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// Add adds a note to a conversation.
//
//   - Endpoint: POST /api/v2/{screen_name}/conversations/{id}/notes [S]; scope
//     SalesIQ.conversations.CREATE.
//   - Source: [V] rest-api-add-notes-v2.html.
func (s *NotesService) Add(ctx context.Context, conversationID, text string, opts ...salesiq.CallOption) (*Note, error) {
	return call[Note](ctx, s.owner(), "Notes.Add", http.MethodPost, base+"/conversations/{id}/notes", note{text}, opts, conversationID)
}

type note struct {
	Text string `json:"notes"`
}

func (n note) validate() error { return required("notes", n.Text) }

// MarshalJSON writes n with its Extra beside the other members.
func (n Note) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&n) }

// UnmarshalJSON reads what MarshalJSON writes.
func (n *Note) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, n) }
