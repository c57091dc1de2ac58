package live

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// FeedbackService reads what visitors think of conversations. For a visitor's side
// of it, see [VisitorSideService.Rate].
type FeedbackService service

// Feedback is what a visitor thinks of a conversation.
//
// Source: [V] get-a-visitor-feedback-v2.html.
type Feedback struct {
	ID           string               `json:"id"`
	Text         string               `json:"feedback"`
	Rating       FeedbackRating       `json:"rating"`
	Attender     FeedbackAttender     `json:"attender"`
	Visitor      FeedbackVisitor      `json:"visitor"`
	Conversation FeedbackConversation `json:"conversation"`
	AppID        string               `json:"app_id"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// FeedbackAttender is the operator whom a feedback is about.
//
// Source: [V] get-a-visitor-feedback-v2.html, attender.
type FeedbackAttender struct {
	ID    string `json:"id"`
	Name  string `json:"display_name"`
	Email string `json:"email"`
	Type  string `json:"type"`      // Such as "operator".
	Image string `json:"image_url"` // A path on the API's host, which wants the token.

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// FeedbackRating is a visitor's verdict.
//
// Source: [V] get-a-visitor-feedback-v2.html, rating.
type FeedbackRating struct {
	Type  string `json:"type"`  // Such as "smiley".
	Value string `json:"value"` // Such as "happy".

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// FeedbackVisitor is who gave a feedback.
//
// Source: [V] get-a-visitor-feedback-v2.html, visitor.
type FeedbackVisitor struct {
	Name                string   `json:"name"`
	FirstName           string   `json:"first_name"`
	LastName            string   `json:"last_name"`
	Salutation          string   `json:"salutation"`
	SupportedOperations []string `json:"supported_operations"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// FeedbackConversation is the conversation that a feedback is about.
//
// Source: [V] get-a-visitor-feedback-v2.html, conversation.
type FeedbackConversation struct {
	ID          string    `json:"id"`
	ReferenceID string    `json:"reference_id"`
	Question    string    `json:"question"`
	Mode        string    `json:"mode"` // Such as "chat".
	HasNotes    bool      `json:"notes_available"`
	StartedAt   time.Time `json:"start_time"`
	EndedAt     time.Time `json:"end_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// FeedbackListParams says which page of feedback to list.
//
// Source: [T] a published connector.
type FeedbackListParams struct {
	Index int // Of the first item, from 1.
	Limit int // 20 by default.
}

func (p *FeedbackListParams) query() query {
	q := query{}
	if p == nil {
		return q
	}
	q.number("index", p.Index)
	q.number("limit", p.Limit)
	return q
}

// List returns one page of feedback. A nil params returns the first one.
//
//   - Endpoint: GET /api/v2/{screen_name}/feedbacks [T]; scope
//     SalesIQ.conversations.READ, elsewhere SalesIQ.feedbacks.READ.
//   - Source: [T] a published connector; visitor-feedback-v2.html was not seen.
func (s *FeedbackService) List(ctx context.Context, params *FeedbackListParams, opts ...salesiq.CallOption) ([]Feedback, error) {
	return list[Feedback](ctx, s.owner(), "Feedback.List", base+"/feedbacks", params.query(), opts)
}

// All iterates over all feedback.
//
// Endpoint, scope and source are those of List.
func (s *FeedbackService) All(ctx context.Context, opts ...salesiq.CallOption) iter.Seq2[*Feedback, error] {
	return iterate[Feedback](ctx, s.owner(), "Feedback.All", base+"/feedbacks", nil, IndexAndLimit(), opts)
}

// Get returns one feedback by its own id, which is not that of the conversation.
//
//   - Endpoint: GET /api/v2/{screen_name}/feedbacks/{feedback_id} [V]; scope
//     SalesIQ.conversations.READ.
//   - Source: [V] get-a-visitor-feedback-v2.html.
func (s *FeedbackService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*Feedback, error) {
	return get[Feedback](ctx, s.owner(), "Feedback.Get", base+"/feedbacks/{feedback_id}", nil, opts, id)
}

// OfConversation returns the feedback on a conversation. Prefer Get where the id of
// the feedback is known: a published connector calls this path, but cites the page
// of Get.
//
//   - Endpoint: GET /api/v2/{screen_name}/conversations/{id}/feedback [T]; scope
//     SalesIQ.feedbacks.READ.
//   - Source: [T] a published connector, after get-a-visitor-feedback-v2.html.
func (s *FeedbackService) OfConversation(ctx context.Context, conversationID string, opts ...salesiq.CallOption) (*Feedback, error) {
	return get[Feedback](ctx, s.owner(), "Feedback.OfConversation", base+"/conversations/{id}/feedback", nil, opts, conversationID)
}

// MarshalJSON writes f with its Extra beside the other members.
func (f Feedback) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&f) }

// UnmarshalJSON reads what MarshalJSON writes.
func (f *Feedback) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, f) }

// MarshalJSON writes f with its Extra beside the other members.
func (f FeedbackRating) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&f) }

// UnmarshalJSON reads what MarshalJSON writes.
func (f *FeedbackRating) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, f) }

// MarshalJSON writes f with its Extra beside the other members.
func (f FeedbackVisitor) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&f) }

// UnmarshalJSON reads what MarshalJSON writes.
func (f *FeedbackVisitor) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, f) }

// MarshalJSON writes f with its Extra beside the other members.
func (f FeedbackConversation) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&f) }

// UnmarshalJSON reads what MarshalJSON writes.
func (f *FeedbackConversation) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, f) }
