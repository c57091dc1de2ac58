package live

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// LegacyV1Service makes the calls of version 1 of the API that have no successor
// with the same content.
type LegacyV1Service service

// LegacyChat is a conversation, as version 1 lists it. No page shows more of it: the
// rest is in Extra.
//
// Source: [V] rest-api-chat-list.html.
type LegacyChat struct {
	Duration Milliseconds `json:"chat_duration"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// Chats returns conversations. The query is passed on as it is, since no page
// describes it; nil sends none.
//
//   - Endpoint: GET /api/v1/{screen_name}/chats [V]; scope SalesIQ.chats.READ [I].
//   - Source: [V] rest-api-chat-list.html, which is cut.
func (s *LegacyV1Service) Chats(ctx context.Context, params map[string]string, opts ...salesiq.CallOption) ([]LegacyChat, error) {
	return list[LegacyChat](ctx, s.owner(), "LegacyV1.Chats", baseV1+"/chats", params, opts)
}

// LegacyLine is one line of a transcript of version 1. The first one has no text: it
// tells by whom and when the conversation was begun.
//
// Source: [V] rest-api-chat-transcript.html.
type LegacyLine struct {
	InitiatedAt time.Time `json:"chatinitiated_time"` // Of the first line.
	VisitorName string    `json:"visitor_name"`       // Of the first line.
	Question    string    `json:"question"`           // Of the first line.

	Sender string    `json:"sender"` // An operator's id, in the visitor's lines, too.
	Name   string    `json:"dname"`  // Who spoke.
	Text   string    `json:"msg"`
	At     time.Time `json:"time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// LegacyTranscriptParams narrows a transcript; zero fields do not.
//
// Source: [V] rest-api-chat-transcript.html.
type LegacyTranscriptParams struct {
	From, To time.Time
	Limit    int // 50 by default.
}

// Transcript returns what was said in a conversation, by the small number that
// operators see: [Conversation.ReferenceID]. A nil params returns the first lines.
//
//   - Endpoint: GET /api/v1/{screen_name}/chats/{chat_id}/transcript [V]; scope
//     SalesIQ.chats.READ [I].
//   - Source: [V] rest-api-chat-transcript.html.
func (s *LegacyV1Service) Transcript(ctx context.Context, referenceID string, params *LegacyTranscriptParams, opts ...salesiq.CallOption) ([]LegacyLine, error) {
	q := query{}
	if params != nil {
		q.time("fromtime", params.From)
		q.time("totime", params.To)
		q.number("limit", params.Limit)
	}
	return list[LegacyLine](ctx, s.owner(), "LegacyV1.Transcript", baseV1+"/chats/{chat_id}/transcript", q, opts, referenceID)
}

// LegacyVisitor is a visitor, as version 1 lists it.
//
// Source: [V] rest-api-visitor-details.html; [T] for Since.
type LegacyVisitor struct {
	ID              string            `json:"id"`
	UniqueID        string            `json:"user_uniqueid"` // A UUID.
	Name            string            `json:"name"`
	Email           string            `json:"email"`
	Country         string            `json:"country"`
	LeadScore       int               `json:"leadscore"`
	CustomerInfo    map[string]string `json:"customer_info"`
	LastVisitSource string            `json:"lastvisit_source"`
	LastVisitAt     time.Time         `json:"lastvisit_time"`
	ContactedBy     string            `json:"lastcontacted_mode"`
	TimeSpent       Milliseconds      `json:"total_timespent"`
	Since           time.Time         `json:"visitor_since"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// visitorPages is how visitors of version 1 are paged: the answer gives the key of
// the next page.
var visitorPages = PageStyle{Key: "startkey", PerPage: 100, Items: "visitorlist"}

// VisitorsByView iterates over the visitors of a view: "-1" for all, "-2" for those
// who have returned, or the id of a [HistoryView].
//
//   - Endpoint: GET /api/v1/{screen_name}/visitorsview/{view_id}/visitors [V]; scope
//     SalesIQ.visitordetails.READ.
//   - Errors: an [salesiq.Error] with code 2210.
//   - Source: [V] rest-api-visitor-details.html.
func (s *LegacyV1Service) VisitorsByView(ctx context.Context, viewID string, opts ...salesiq.CallOption) iter.Seq2[*LegacyVisitor, error] {
	return iterate[LegacyVisitor](ctx, s.owner(), "LegacyV1.VisitorsByView", baseV1+"/visitorsview/{view_id}/visitors", nil, visitorPages, opts, viewID)
}

// MarshalJSON writes l with its Extra beside the other members.
func (l LegacyChat) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&l) }

// UnmarshalJSON reads what MarshalJSON writes.
func (l *LegacyChat) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, l) }

// MarshalJSON writes l with its Extra beside the other members.
func (l LegacyLine) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&l) }

// UnmarshalJSON reads what MarshalJSON writes.
func (l *LegacyLine) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, l) }

// MarshalJSON writes l with its Extra beside the other members.
func (l LegacyVisitor) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&l) }

// UnmarshalJSON reads what MarshalJSON writes.
func (l *LegacyVisitor) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, l) }
