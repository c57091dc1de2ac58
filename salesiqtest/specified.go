package salesiqtest

import (
	"cmp"
	"encoding/json"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
	"github.com/salesiq-go/salesiq/webhook"
)

// specified is the dialect of the specification.
type specified struct{}

func (specified) routes() []route { return specifiedRoutes }

func (specified) events() []salesiq.EventName {
	return []salesiq.EventName{
		salesiq.EventChatStarted, salesiq.EventChatEnded, salesiq.EventChatMissed, salesiq.EventChatRated,
		salesiq.EventMessageReceived, salesiq.EventVisitorIdentified, salesiq.EventVisitorOnline,
		salesiq.EventVisitorOffline, salesiq.EventOperatorStatusChanged, salesiq.EventLeadCreated,
		salesiq.EventTriggerExecuted,
	}
}

func (specified) portal() string { return "" }

func (specified) schemes() []string { return []string{"Zoho-oauthtoken"} }

func (specified) tellsQuota() bool { return true }

// admits takes bodies of JSON alone, and of the specification's parameters those
// that the call has. Other parameters are ignored, as other fields are kept.
func (specified) admits(r *http.Request, route route, query url.Values, body []byte) error {
	if len(body) > 0 && !isJSON(r) {
		return invalid("Content-Type", "must be application/json")
	}
	if !isAPI(r) {
		return nil
	}
	known := strings.Fields(route.query)
	for _, name := range slices.Sorted(maps.Keys(query)) {
		for parameter := range strings.FieldsSeq(allParameters) {
			switch {
			case slices.Contains(known, name) || !sameButForSpelling(parameter, name):
			case slices.Contains(known, parameter):
				return invalid(name, "must be spelled "+parameter)
			default:
				return invalid(name, "is no parameter of this call")
			}
		}
	}
	return nil
}

// isJSON reports whether a body says that it is JSON, or nothing about itself.
func isJSON(r *http.Request) bool {
	contentType := r.Header.Get("Content-Type")
	mediaType, _, _ := mime.ParseMediaType(contentType) //nolint:errcheck // What cannot be read is not JSON.
	return contentType == "" || mediaType == "application/json"
}

// envelope surrounds every answer.
type envelope struct {
	Status     string       `json:"status"`
	Data       any          `json:"data"`
	Pagination *wire.Paging `json:"pagination,omitzero"`
}

type errorBody struct {
	Status  string            `json:"status"`
	Code    salesiq.ErrorCode `json:"code"`
	Message string            `json:"message"`
	Details details           `json:"details"`
}

// statuses tells the HTTP status of each code.
var statuses = map[salesiq.ErrorCode]int{
	salesiq.ErrInvalidRequest:       http.StatusBadRequest,
	salesiq.ErrRequiredFieldMissing: http.StatusBadRequest,
	salesiq.ErrDuplicateResource:    http.StatusBadRequest,
	salesiq.ErrChatNotActive:        http.StatusBadRequest,
	salesiq.ErrOperatorOffline:      http.StatusBadRequest,
	salesiq.ErrInvalidDepartment:    http.StatusBadRequest,
	salesiq.ErrInvalidVisitorID:     http.StatusBadRequest,
	salesiq.ErrInvalidToken:         http.StatusUnauthorized,
	salesiq.ErrInvalidOAuthScope:    http.StatusForbidden,
	salesiq.ErrPermissionDenied:     http.StatusForbidden,
	salesiq.ErrResourceNotFound:     http.StatusNotFound,
	salesiq.ErrRateLimitExceeded:    http.StatusTooManyRequests,
	salesiq.ErrInternalError:        http.StatusInternalServerError,
}

func (specified) refuses(e *refusal) (status int, body any) {
	if status = e.status; status == 0 {
		status = statuses[e.code]
	}
	return status, errorBody{Status: "error", Code: e.code, Message: e.message, Details: e.details}
}

// refusesPath is 405 where another method would do, 404 otherwise.
func (specified) refusesPath(r *http.Request, allowed []string) *refusal {
	if len(allowed) == 0 {
		e := notFound("path", r.URL.Path)
		if !isClean(r) {
			e.message += ": a part of it is empty or relative"
		}
		return e
	}
	e := refuse(salesiq.ErrInvalidRequest, "the method "+r.Method+" is not allowed here", details{"field": "method", "allowed": allowed})
	e.status = http.StatusMethodNotAllowed
	return e
}

// writes signs an event with the webhook's secret, if it has one.
func (specified) writes(s *state, event salesiq.EventName, data any) (func(*salesiq.Webhook) *parcel, error) {
	if _, ok := data.(vendorFact); ok {
		return nil, nil //nolint:nilnil // There is no such event.
	}
	body, err := wire.Marshal(struct {
		Event     salesiq.EventName `json:"event"`
		Timestamp time.Time         `json:"timestamp"`
		Data      any               `json:"data"`
	}{event, s.now, data})
	if err == nil {
		body, err = asJavaScript(body)
	}
	return func(to *salesiq.Webhook) *parcel {
		return &parcel{webhook: *to, event: event, message: specifiedMessage{body, to.Secret}}
	}, err
}

type specifiedMessage struct {
	text   []byte
	secret salesiq.Secret
}

func (m specifiedMessage) body(int) []byte { return m.text }

func (m specifiedMessage) sign(header http.Header, body []byte) error {
	if !m.secret.IsZero() {
		header.Set(webhook.HeaderSignature, webhook.SignHMAC(m.secret, body))
	}
	return nil
}

// answers surrounds a result with the envelope.
func (specified) answers(c *call, result any) *reply {
	if result == nil {
		return &reply{status: http.StatusNoContent}
	}
	return &reply{cmp.Or(c.route.status, http.StatusOK), envelope{Status: "success", Data: shown(result)}}
}

// shown is an object without secrets.
func shown(item any) any {
	if webhook, ok := item.(*salesiq.Webhook); ok {
		public := *webhook
		public.Secret = salesiq.NewSecret("")
		return public
	}
	return item
}

// withoutTranscript is a chat that has no such member.
func withoutTranscript(chat *salesiq.Chat) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	wire.Unmarshal(asJSON(chat), &members) //nolint:errcheck // It is an object.
	delete(members, "transcript")
	return members
}

// The handlers that only this dialect has.

// list answers with one page of the objects that a filter lets through.
func list[T any](of func(*state) *table[T], filter func(*params) func(*T) bool) handler {
	return func(c *call) (any, error) {
		var keep func(*T) bool
		if filter != nil {
			keep = filter(&c.query)
		}
		return page(c, of(c.state).matching(keep))
	}
}

// page answers with one page of items.
func page[T any](c *call, items []*T) (any, error) {
	paging := c.query.paging()
	if c.query.err != nil {
		return nil, c.query.err
	}
	paging.Total = len(items)
	from := min((paging.Page-1)*paging.PerPage, len(items))
	data := []any{}
	for _, item := range items[from:min(from+paging.PerPage, len(items))] {
		if chat, ok := any(item).(*salesiq.Chat); ok && c.bareLists {
			data = append(data, withoutTranscript(chat))
			continue
		}
		data = append(data, shown(item))
	}
	return &reply{http.StatusOK, envelope{Status: "success", Data: data, Pagination: &paging}}, nil
}

// create makes an object out of what new ones begin with, and of the body.
func create[T any](of func(*state) *table[T]) handler {
	return func(c *call) (any, error) {
		kind := of(c.state)
		made := kind.rules.begin()
		if err := patch(&made, c.body, kind.rules.readOnly...); err != nil {
			return nil, err
		}
		return kind.add(c.state, made)
	}
}

func update[T any](of func(*state) *table[T]) handler {
	return func(c *call) (any, error) { return of(c.state).change(c.id, c.body) }
}

// The filters of lists.

// passes tells whether a filter lets a value through. The empty filter lets all.
func passes[T ~string](filter, value T) bool { return filter == "" || filter == value }

func chatFilter(p *params) func(*salesiq.Chat) bool {
	status, started := oneOf(p, "status", chatStatuses), p.dates()
	operator, department, visitor := p.text("operator_id"), p.text("department_id"), p.text("visitor_id")
	return func(chat *salesiq.Chat) bool {
		return passes(status, chat.Status) && started.holds(chat.StartedAt) && passes(operator, chat.OperatorID) &&
			passes(department, chat.DepartmentID) && passes(visitor, chat.VisitorID)
	}
}

func visitorFilter(p *params) func(*salesiq.Visitor) bool {
	status, visited, search := oneOf(p, "status", visitorStatuses), p.dates(), strings.ToLower(p.text("search"))
	return func(visitor *salesiq.Visitor) bool {
		return passes(status, visitor.Status) && visited.holds(visitor.LastVisit) &&
			slices.ContainsFunc([]string{visitor.Name, visitor.Email, visitor.Company}, func(text string) bool {
				return strings.Contains(strings.ToLower(text), search)
			})
	}
}

func operatorFilter(p *params) func(*salesiq.Operator) bool {
	status, availability := oneOf(p, "status", operatorStatuses), oneOf(p, "availability", availabilities)
	role, department := oneOf(p, "role", operatorRoles), p.text("department_id")
	return func(operator *salesiq.Operator) bool {
		return passes(status, operator.Status) && passes(availability, operator.Availability) &&
			passes(role, operator.Role) && passes(department, operator.DepartmentID)
	}
}

// What is left is about more than one object.

func listDepartments(c *call) (any, error) {
	brand, err := c.brands.find(c.id)
	if err != nil {
		return nil, err
	}
	departments := []*salesiq.Department{}
	for i := range brand.Departments {
		departments = append(departments, &brand.Departments[i])
	}
	return page(c, departments)
}

func operatorStats(c *call) (any, error) {
	operator, err := c.operators.find(c.id)
	if err != nil {
		return nil, err
	}
	started := c.query.dates()
	return c.stats(operator.ID, started), c.query.err
}
