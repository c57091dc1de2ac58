package salesiq

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// VisitorsService handles the people who come to the website.
type VisitorsService service

func (s *VisitorsService) owner() *Client { return (*service)(s).owner() }

// Visitor is one person, or one browser, that came to the website.
//
// Source: specification, "Visitor Object Structure".
type Visitor struct {
	ID               string            `json:"id"`
	Name             string            `json:"name"`
	Email            string            `json:"email"`
	Phone            string            `json:"phone"`
	Company          string            `json:"company"`
	City             string            `json:"city"`
	Region           string            `json:"region"`
	Country          string            `json:"country"`
	CountryCode      string            `json:"country_code"` // ISO 3166-1 alpha-2.
	IPAddress        string            `json:"ip_address"`
	Browser          string            `json:"browser"`
	Platform         string            `json:"platform"`
	Device           string            `json:"device"`
	ScreenResolution string            `json:"screen_resolution"`
	Language         string            `json:"language"` // BCP 47.
	Timezone         string            `json:"timezone"` // IANA name.
	Referrer         string            `json:"referrer"`
	LandingPage      string            `json:"landing_page"`
	CurrentPage      string            `json:"current_page"`
	PagesVisited     int               `json:"pages_visited"`
	TotalVisits      int               `json:"total_visits"`
	FirstVisit       time.Time         `json:"first_visit"`
	LastVisit        time.Time         `json:"last_visit"`
	Status           VisitorStatus     `json:"status"`
	ChatStatus       VisitorChatStatus `json:"chat_status"`
	LeadScore        int               `json:"lead_score"`
	Tags             []string          `json:"tags"`
	CustomFields     map[string]any    `json:"custom_fields"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// VisitorStatus tells whether a visitor is there. The service may add others.
type VisitorStatus string

// The documented visitor statuses.
const (
	VisitorOnline   VisitorStatus = "online"
	VisitorOffline  VisitorStatus = "offline"
	VisitorChatting VisitorStatus = "chatting"
)

// VisitorChatStatus tells whether a visitor can be chatted with. The service
// may add others.
type VisitorChatStatus string

// VisitorChatAvailable is the documented visitor chat status.
const VisitorChatAvailable VisitorChatStatus = "available"

// VisitorActivity is what a visitor did on the website.
//
// Source: specification, "Get Visitor Activity".
type VisitorActivity struct {
	VisitorID string         `json:"visitor_id"`
	Sessions  []Session      `json:"sessions"`
	Chats     []ActivityChat `json:"chats"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// Session is one stay of a visitor on the website.
//
// Source: specification, "Get Visitor Activity", sessions.
type Session struct {
	ID        string     `json:"session_id"`
	StartedAt time.Time  `json:"started_at"`
	EndedAt   time.Time  `json:"ended_at"` // Zero while the visitor is there.
	Duration  Seconds    `json:"duration"`
	Pages     []PageView `json:"pages"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// PageView is one page seen during a [Session].
//
// Source: specification, "Get Visitor Activity", pages.
type PageView struct {
	URL       string    `json:"url"`
	Title     string    `json:"title"`
	VisitedAt time.Time `json:"visited_at"`
	TimeSpent Seconds   `json:"time_spent"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ActivityChat is one chat of a visitor, in short.
//
// Source: specification, "Get Visitor Activity", chats.
type ActivityChat struct {
	ID        string     `json:"chat_id"`
	StartedAt time.Time  `json:"started_at"`
	Status    ChatStatus `json:"status"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// VisitorListParams narrows a list of visitors; zero fields do not. Its dates
// bound the time of the last visit.
type VisitorListParams struct {
	Status   VisitorStatus `json:"status,omitzero"`
	FromDate time.Time     `json:"from_date,omitzero"`
	ToDate   time.Time     `json:"to_date,omitzero"`
	Search   string        `json:"search,omitzero"`   // In name, email or company.
	Page     int           `json:"page,omitzero"`     // First page; 1 by default.
	PerPage  int           `json:"per_page,omitzero"` // 1 to 100.
}

func (p *VisitorListParams) validate() error {
	return cmp.Or(checkPaging(p.Page, p.PerPage), checkDates(p.FromDate, p.ToDate))
}

// VisitorUpdate changes a visitor; fields left zero stay as they are.
type VisitorUpdate struct {
	Name         Opt[string]         `json:"name,omitzero"`
	Email        Opt[string]         `json:"email,omitzero"`
	Phone        Opt[string]         `json:"phone,omitzero"`
	Company      Opt[string]         `json:"company,omitzero"`
	CustomFields Opt[map[string]any] `json:"custom_fields,omitzero"` // Fields not named stay.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

type visitorTags struct {
	Tags []string `json:"tags"`
}

func (p *visitorTags) validate() error { return requiredTexts("tags", p.Tags) }

// List returns one page of visitors. A nil params lists all of them.
//
//   - Endpoint: GET /api/v2/visitors; scope SalesIQ.visitors.READ.
//   - Errors: [ErrInvalidInput] for a page below 1, a page size outside 1 to 100 or
//     dates in the wrong order; [ErrInvalidRequest].
//   - Source: specification, "List Visitors".
func (s *VisitorsService) List(ctx context.Context, params *VisitorListParams, opts ...CallOption) (*Page[Visitor], error) {
	return fetchPage[Visitor](ctx, s.owner(), newCall("Visitors.List", "GET /visitors").params(params), opts)
}

// All iterates over every visitor that matches params, page by page.
// See [Page] for what all iterators promise.
//
//   - Endpoint: GET /api/v2/visitors, once for each page; scope SalesIQ.visitors.READ.
//   - Errors: as for List.
//   - Source: specification, "List Visitors".
func (s *VisitorsService) All(ctx context.Context, params *VisitorListParams, opts ...CallOption) iter.Seq2[*Visitor, error] {
	return iterate[Visitor](ctx, s.owner(), newCall("Visitors.All", "GET /visitors").params(params), opts)
}

// Get returns one visitor.
//
//   - Endpoint: GET /api/v2/visitors/{visitor_id}; scope SalesIQ.visitors.READ.
//   - Errors: [ErrResourceNotFound], [ErrInvalidVisitorID].
//   - Source: specification, "Get Visitor by ID".
func (s *VisitorsService) Get(ctx context.Context, visitorID string, opts ...CallOption) (*Visitor, error) {
	return fetch[Visitor](ctx, s.owner(), newCall("Visitors.Get", "GET /visitors/{visitor_id}", visitorID), opts)
}

// Update changes some fields of a visitor and returns the visitor.
//
//   - Endpoint: PATCH /api/v2/visitors/{visitor_id}; scope SalesIQ.visitors.ALL.
//   - Errors: [ErrResourceNotFound], [ErrInvalidVisitorID], [ErrInvalidRequest].
//   - Source: specification, "Update Visitor Information".
func (s *VisitorsService) Update(ctx context.Context, visitorID string, update *VisitorUpdate, opts ...CallOption) (*Visitor, error) {
	c := newCall("Visitors.Update", "PATCH /visitors/{visitor_id}", visitorID).update(update)
	return fetch[Visitor](ctx, s.owner(), c, opts)
}

// Activity returns the sessions and chats of a visitor.
//
//   - Endpoint: GET /api/v2/visitors/{visitor_id}/activity; scope
//     SalesIQ.visitors.READ.
//   - Errors: [ErrResourceNotFound], [ErrInvalidVisitorID].
//   - Source: specification, "Get Visitor Activity".
func (s *VisitorsService) Activity(ctx context.Context, visitorID string, opts ...CallOption) (*VisitorActivity, error) {
	c := newCall("Visitors.Activity", "GET /visitors/{visitor_id}/activity", visitorID)
	return fetch[VisitorActivity](ctx, s.owner(), c, opts)
}

// Tag adds tags to a visitor and returns the visitor, or a zero Visitor where
// the service answers without one.
//
//   - Endpoint: POST /api/v2/visitors/{visitor_id}/tags; scope SalesIQ.visitors.ALL.
//   - Required: one tag at least, and none that is empty, else [ErrInvalidInput].
//   - Errors: [ErrResourceNotFound], [ErrInvalidVisitorID],
//     [ErrRequiredFieldMissing].
//   - Source: specification, "Tag Visitor".
func (s *VisitorsService) Tag(ctx context.Context, visitorID string, tags []string, opts ...CallOption) (*Visitor, error) {
	c := newCall("Visitors.Tag", "POST /visitors/{visitor_id}/tags", visitorID).body("tags", &visitorTags{Tags: tags}).answers("visitor")
	return fetchOpen[Visitor](ctx, s.owner(), c, opts)
}

// MarshalJSON writes v with its Extra beside the other members.
func (v Visitor) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&v) }

// UnmarshalJSON reads what MarshalJSON writes.
func (v *Visitor) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, v) }

// MarshalJSON writes v with its Extra beside the other members.
func (v VisitorActivity) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&v) }

// UnmarshalJSON reads what MarshalJSON writes.
func (v *VisitorActivity) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, v) }

// MarshalJSON writes v with its Extra beside the other members.
func (v Session) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&v) }

// UnmarshalJSON reads what MarshalJSON writes.
func (v *Session) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, v) }

// MarshalJSON writes p with its Extra beside the other members.
func (p PageView) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *PageView) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes a with its Extra beside the other members.
func (a ActivityChat) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&a) }

// UnmarshalJSON reads what MarshalJSON writes.
func (a *ActivityChat) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, a) }

// MarshalJSON writes v with its Extra beside the other members.
func (v VisitorUpdate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&v) }

// UnmarshalJSON reads what MarshalJSON writes.
func (v *VisitorUpdate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, v) }
