package live

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// VisitorsService handles visitors. It uses version 3 of the API, which the
// portal's settings must permit, under "API Permissions".
type VisitorsService service

// Visitor is one person, or one browser, that came to the website.
//
// Source: [V] portal-settings-visitor-list-v3.html.
type Visitor struct {
	ID              string    `json:"id"`
	Name            string    `json:"name"`
	Email           string    `json:"email"` // [I]: where it is known.
	Country         string    `json:"country"`
	LeadScore       int       `json:"lead_score"`
	VisitSource     string    `json:"visit_source"` // Such as "Direct".
	Visits          int       `json:"visit_count"`
	FirstAccessedAt time.Time `json:"first_accessed_time"`
	LastAccessedAt  time.Time `json:"last_accessed_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// Since iterates over the visitors who came after t, oldest first.
//
//   - Endpoint: GET /api/v3/{screen_name}/visitors; scope SalesIQ.visitors.READ.
//   - Source: [V] portal-settings-visitor-list-v3.html.
func (s *VisitorsService) Since(ctx context.Context, t time.Time, opts ...salesiq.CallOption) iter.Seq2[*Visitor, error] {
	return s.by(ctx, "next_key", t, call(opts, "Visitors.Since"))
}

// Before iterates over the visitors who came before t, newest first.
//
// Endpoint, scope and source are those of Since.
func (s *VisitorsService) Before(ctx context.Context, t time.Time, opts ...salesiq.CallOption) iter.Seq2[*Visitor, error] {
	return s.by(ctx, "prev_key", t, call(opts, "Visitors.Before"))
}

// by pages with one of the two keys, which must not be sent together.
func (s *VisitorsService) by(ctx context.Context, key string, t time.Time, opts []salesiq.CallOption) iter.Seq2[*Visitor, error] {
	q := query{}
	q.time(key, t)
	style := KeyAndLimit()
	style.Key = key
	return All[Visitor](ctx, s.client, "/api/v3/{portal}/visitors", q, style, opts...)
}

// MarshalJSON writes v with its Extra beside the other members.
func (v Visitor) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&v) }

// UnmarshalJSON reads what MarshalJSON writes.
func (v *Visitor) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, v) }
