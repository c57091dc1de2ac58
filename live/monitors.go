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

// MonitorsService handles chat monitors: whose conversations supervisors are told
// of.
type MonitorsService service

// Monitor watches the conversations of an operator or of a visitor.
//
// Source: [V] list-chat-monitor-v2.html.
type Monitor struct {
	ID      string        `json:"id"`
	Enabled bool          `json:"enabled"`
	Target  MonitorTarget `json:"monitoring"`
	Stats   MonitorStats  `json:"stats"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// MonitorTarget is whom a monitor watches.
//
// Source: [V] list-chat-monitor-v2.html, monitoring.
type MonitorTarget struct {
	Type          MonitorType `json:"type"`
	OperatorID    string      `json:"operator_id"`
	OperatorName  string      `json:"operator_name"`
	OperatorEmail string      `json:"operator_email"`
	VisitorIP     string      `json:"visitor_ip"`
	VisitorEmail  string      `json:"visitor_email"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// MonitorType is by what a monitor knows whom to watch.
type MonitorType string

// The types of create-chat-monitor-v2.html. [V].
const (
	MonitorOperator     MonitorType = "operator"
	MonitorVisitorIP    MonitorType = "visitor_ip"
	MonitorVisitorEmail MonitorType = "visitor_email"
)

// MonitorStats counts what a monitor did.
//
// Source: [V] list-chat-monitor-v2.html, stats.
type MonitorStats struct {
	Joined          int       `json:"chats_joined"`
	Monitored       int       `json:"chats_monitored"`
	LastMonitoredAt time.Time `json:"last_monitored_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// monitorPages is how monitors are paged. [I] that the index is from 0, as that of
// calls is.
var monitorPages = PageStyle{Index: "index", First: 0, Size: "limit", PerPage: 50}

// All iterates over the monitors.
//
//   - Endpoint: GET /api/v2/{screen_name}/chatmonitors [S]; scope
//     SalesIQ.chatmonitors.READ.
//   - Source: [V] list-chat-monitor-v2.html.
func (s *MonitorsService) All(ctx context.Context, opts ...salesiq.CallOption) iter.Seq2[*Monitor, error] {
	return iterate[Monitor](ctx, s.owner(), "Monitors.All", monitors, nil, monitorPages, opts)
}

// Create watches an operator, by id, or a visitor, by IP address or email.
//
//   - Endpoint: POST /api/v2/{screen_name}/chatmonitors [S]; scope
//     SalesIQ.chatmonitors.CREATE.
//   - Source: [V] create-chat-monitor-v2.html.
func (s *MonitorsService) Create(ctx context.Context, by MonitorType, whom string, opts ...salesiq.CallOption) (*Monitor, error) {
	return call[Monitor](ctx, s.owner(), "Monitors.Create", http.MethodPost, monitors, newMonitor{by, whom}, opts)
}

// newMonitor is the body of Create: whom is below a name that is the type's.
type newMonitor struct {
	by   MonitorType
	whom string
}

func (n newMonitor) validate() error { return required("type", string(n.by), string(n.by), n.whom) }

// MarshalJSON returns the body.
func (n newMonitor) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"type": string(n.by), string(n.by): n.whom})
}

// Enable switches a monitor on or off. The page's text names a field status, its
// sample sends enabled, as is done here.
//
//   - Endpoint: PUT /api/v2/{screen_name}/chatmonitors/{id} [S]; scope
//     SalesIQ.chatmonitors.UPDATE.
//   - Source: [V] enable-disable-chat-monitor-v2.html.
func (s *MonitorsService) Enable(ctx context.Context, id string, enabled bool, opts ...salesiq.CallOption) (*Monitor, error) {
	return call[Monitor](ctx, s.owner(), "Monitors.Enable", http.MethodPut, monitors+"/{id}", enable{enabled}, opts, id)
}

// Delete removes a monitor.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/chatmonitors/{id} [S]; scope
//     SalesIQ.chatmonitors.DELETE.
//   - Source: [V] the list of calls on list-chat-monitor-v2.html, which shows no
//     answer.
func (s *MonitorsService) Delete(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "Monitors.Delete", http.MethodDelete, monitors+"/{id}", nil, opts, id)
}

const monitors = base + "/chatmonitors"

// MarshalJSON writes m with its Extra beside the other members.
func (m Monitor) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&m) }

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Monitor) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, m) }

// MarshalJSON writes m with its Extra beside the other members.
func (m MonitorTarget) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&m) }

// UnmarshalJSON reads what MarshalJSON writes.
func (m *MonitorTarget) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, m) }

// MarshalJSON writes m with its Extra beside the other members.
func (m MonitorStats) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&m) }

// UnmarshalJSON reads what MarshalJSON writes.
func (m *MonitorStats) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, m) }
