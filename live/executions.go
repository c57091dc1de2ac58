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

// Execution is an event that could not be delivered.
//
// Source: [V] failure-list-webhook-v2.html.
type Execution struct {
	ID           string            `json:"id"`
	WebhookID    string            `json:"webhook_id"`
	Event        salesiq.EventName `json:"event"`
	Entity       string            `json:"entity"` // Such as "conversation".
	EntityID     string            `json:"entity_id"`
	AppID        string            `json:"app_id"`
	RemoteStatus int               `json:"remote_server_status"` // The receiver's.
	Retries      int               `json:"number_of_retries"`
	Payload      json.RawMessage   `json:"payload"`
	LastTriedAt  time.Time         `json:"last_execution_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ExecutionListParams narrows a list of executions; zero fields do not.
//
// Source: [V] failure-list-webhook-v2.html.
type ExecutionListParams struct {
	From, To time.Time
	Events   []salesiq.EventName
	Page     int // First page; 1 by default.
	Limit    int // Per page, 5 to 50, which is the default.
}

func (p *ExecutionListParams) query() query {
	q := query{}
	if p == nil {
		return q
	}
	q.time("from_time", p.From)
	q.time("to_time", p.To)
	q.set("events", joined(p.Events))
	q.number("pageno", p.Page)
	q.number("limit", p.Limit)
	return q
}

// executionPages is how executions are paged.
var executionPages = PageStyle{Number: "pageno", Size: "limit", PerPage: 50}

// FailedExecutions iterates over the events that could not be delivered, of
// which the service keeps those of a week to sixty days. A nil params lists all
// of them.
//
//   - Endpoint: GET /api/v2/{screen_name}/webhooks/{id}/executions [V]; scope
//     SalesIQ.webhooks.READ.
//   - Source: [V] failure-list-webhook-v2.html.
func (s *WebhooksService) FailedExecutions(ctx context.Context, id string, params *ExecutionListParams, opts ...salesiq.CallOption) iter.Seq2[*Execution, error] {
	return iterate[Execution](ctx, s.owner(), "Webhooks.FailedExecutions", base+"/webhooks/{id}/executions", params.query(), executionPages, opts, id)
}

// FailedExecutionsSummary counts the events that could not be delivered.
//
//   - Endpoint: GET /api/v2/{screen_name}/webhooks/{id}/executions [V], with
//     mode=meta; scope SalesIQ.webhooks.READ.
//   - Source: [V] get-webhooks-executions-summary-v2.html.
func (s *WebhooksService) FailedExecutionsSummary(ctx context.Context, id string, opts ...salesiq.CallOption) (*WebhookSummary, error) {
	q := query{"mode": "meta"}
	return get[WebhookSummary](ctx, s.owner(), "Webhooks.FailedExecutionsSummary", base+"/webhooks/{id}/executions", q, opts, id)
}

// Retry asks for another delivery of events that could not be delivered. It returns
// the ids of those that have been tried too often (99 times). The call is that of
// ExportFailedExecutions: the header Accept alone tells them apart.
//
//   - Endpoint: POST /api/v2/{screen_name}/webhooks/{id}/executions [V]; scope
//     SalesIQ.webhooks.CREATE.
//   - Source: [V] retry-failed-executions-webhook-v2.html.
func (s *WebhooksService) Retry(ctx context.Context, id string, executionIDs []string, opts ...salesiq.CallOption) (skipped []string, err error) {
	out, err := call[retried](ctx, s.owner(), "Webhooks.Retry", http.MethodPost, base+"/webhooks/{id}/executions", ids{executionIDs}, opts, id)
	if err != nil {
		return nil, err
	}
	return orEmpty(out.Skipped), nil
}

type retried struct {
	Skipped []string `json:"skipped"`
}

// DeleteFailedExecutions forgets events that could not be delivered, up to 300 at a
// time. The page's text has the ids in the query, its sample in the body: they are
// sent in the query, as elsewhere.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/webhooks/{id}/executions [V]; scope
//     SalesIQ.webhooks.DELETE.
//   - Source: [V] delete-failed-executions-webhook-v2.html, which shows no answer.
func (s *WebhooksService) DeleteFailedExecutions(ctx context.Context, id string, executionIDs []string, opts ...salesiq.CallOption) error {
	_, err := remove[any](ctx, s.owner(), "Webhooks.DeleteFailedExecutions", base+"/webhooks/{id}/executions", "ids", executionIDs, opts, id)
	return err
}

// MarshalJSON writes e with its Extra beside the other members.
func (e Execution) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&e) }

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Execution) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, e) }
