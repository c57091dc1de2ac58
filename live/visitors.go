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

// VisitorsService handles visitors. Its lists are of version 3 of the API, which the
// portal's settings must permit, under "API Permissions". For what a visitor does
// in a conversation, see [VisitorSideService].
type VisitorsService service

// Visitor is one person, or one browser, that came to the website.
//
// Source: [V] portal-settings-visitor-list-v3.html, which is cut: the rest is in
// Extra.
type Visitor struct {
	ID              string    `json:"id"`
	Name            string    `json:"name"`
	Email           string    `json:"email"` // Where it is known.
	Country         string    `json:"country"`
	LeadScore       int       `json:"lead_score"`
	VisitSource     string    `json:"visit_source"` // Such as "Direct".
	Visits          int       `json:"visit_count"`
	FirstAccessedAt time.Time `json:"first_accessed_time"`
	LastAccessedAt  time.Time `json:"last_accessed_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// VisitorEvent is something that a visitor did on the website.
//
// Source: [V] portal-settings-events-list-v3.html.
type VisitorEvent struct {
	UUID      string       `json:"uuid"`
	VisitorID string       `json:"uvid"`
	VisitID   string       `json:"visit_id"`
	Event     string       `json:"event"` // Such as "PAGE_ACCESS".
	URL       string       `json:"url"`
	At        time.Time    `json:"time"`
	TimeSpent Milliseconds `json:"time_spent"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// Visit is one visit of a visitor. No page shows its fields, which are in Extra.
type Visit struct {
	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// Since iterates over the visitors who came after t, oldest first.
//
//   - Endpoint: GET /api/v3/{screen_name}/visitors [V]; scope SalesIQ.visitors.READ.
//   - Source: [V] portal-settings-visitor-list-v3.html; [I] for where the key of the
//     next page stands.
func (s *VisitorsService) Since(ctx context.Context, t time.Time, opts ...salesiq.CallOption) iter.Seq2[*Visitor, error] {
	return by[Visitor](ctx, s.owner(), "Visitors.Since", "/visitors", "next_key", t, opts)
}

// Before iterates over the visitors who came before t, newest first.
//
// Endpoint, scope and source are those of Since.
func (s *VisitorsService) Before(ctx context.Context, t time.Time, opts ...salesiq.CallOption) iter.Seq2[*Visitor, error] {
	return by[Visitor](ctx, s.owner(), "Visitors.Before", "/visitors", "prev_key", t, opts)
}

// VisitsSince iterates over the visits after t, oldest first. The portal's settings
// must permit "Visit details of visitors".
//
//   - Endpoint: GET /api/v3/{screen_name}/visits [V]; the page names no scope.
//   - Source: [V] portal-settings-visits-list-v3.html.
func (s *VisitorsService) VisitsSince(ctx context.Context, t time.Time, opts ...salesiq.CallOption) iter.Seq2[*Visit, error] {
	return by[Visit](ctx, s.owner(), "Visitors.VisitsSince", "/visits", "next_key", t, opts)
}

// VisitsBefore iterates over the visits before t, newest first.
//
// Endpoint and source are those of VisitsSince.
func (s *VisitorsService) VisitsBefore(ctx context.Context, t time.Time, opts ...salesiq.CallOption) iter.Seq2[*Visit, error] {
	return by[Visit](ctx, s.owner(), "Visitors.VisitsBefore", "/visits", "prev_key", t, opts)
}

// EventsSince iterates over what visitors did after t, oldest first. The portal's
// settings must permit "Actions performed by visitors on your website".
//
//   - Endpoint: GET /api/v3/{screen_name}/visitorevents [V]; the page names no
//     scope.
//   - Source: [V] portal-settings-events-list-v3.html.
func (s *VisitorsService) EventsSince(ctx context.Context, t time.Time, opts ...salesiq.CallOption) iter.Seq2[*VisitorEvent, error] {
	return by[VisitorEvent](ctx, s.owner(), "Visitors.EventsSince", "/visitorevents", "next_key", t, opts)
}

// EventsBefore iterates over what visitors did before t, newest first.
//
// Endpoint and source are those of EventsSince.
func (s *VisitorsService) EventsBefore(ctx context.Context, t time.Time, opts ...salesiq.CallOption) iter.Seq2[*VisitorEvent, error] {
	return by[VisitorEvent](ctx, s.owner(), "Visitors.EventsBefore", "/visitorevents", "prev_key", t, opts)
}

// by pages with one of two keys, which must not be sent together.
func by[T any](ctx context.Context, client *salesiq.Client, name, path, key string, t time.Time, opts []salesiq.CallOption) iter.Seq2[*T, error] {
	q := query{}
	q.time(key, t)
	style := KeyAndLimit()
	style.Key = key
	return iterate[T](ctx, client, name, baseV3+path, q, style, opts)
}

// Create adds a visitor. No page describes the call: the fields are what two
// published callers send.
//
//   - Endpoint: POST /api/v2/{screen_name}/visitors [T]; scope
//     SalesIQ.visitors.CREATE [I].
//   - Source: [T] two published callers; what they got is not known.
func (s *VisitorsService) Create(ctx context.Context, fields map[string]any, opts ...salesiq.CallOption) (*Visitor, error) {
	return call[Visitor](ctx, s.owner(), "Visitors.Create", http.MethodPost, base+"/visitors", fields, opts)
}

// Get returns one visitor.
//
//   - Endpoint: GET /api/v2/{screen_name}/visitors/{id} [T]; scope
//     SalesIQ.visitors.READ [I].
//   - Source: [T] two published callers; what they got is not known.
func (s *VisitorsService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*Visitor, error) {
	return get[Visitor](ctx, s.owner(), "Visitors.Get", base+"/visitors/{id}", nil, opts, id)
}

// MarshalJSON writes v with its Extra beside the other members.
func (v Visitor) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&v) }

// UnmarshalJSON reads what MarshalJSON writes.
func (v *Visitor) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, v) }

// MarshalJSON writes v with its Extra beside the other members.
func (v VisitorEvent) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&v) }

// UnmarshalJSON reads what MarshalJSON writes.
func (v *VisitorEvent) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, v) }

// MarshalJSON writes v with its Extra beside the other members.
func (v Visit) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&v) }

// UnmarshalJSON reads what MarshalJSON writes.
func (v *Visit) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, v) }
