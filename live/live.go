package live

import (
	"context"
	"math"
	"strconv"
	"time"

	"github.com/salesiq-go/salesiq"
)

// Service makes calls to the live service on behalf of one client.
type Service struct {
	Portals       *PortalsService
	Conversations *ConversationsService
	Operators     *OperatorsService
	Departments   *DepartmentsService
	Apps          *AppsService
	Webhooks      *WebhooksService
	Visitors      *VisitorsService
	Tags          *TagsService
}

type service struct{ client *salesiq.Client }

// owner returns the client of a service, or nil for one that New did not make.
func (s *service) owner() *salesiq.Client {
	if s == nil {
		return nil
	}
	return s.client
}

// New returns the calls of client. All but those of Portals need
// [salesiq.WithPortal].
func New(client *salesiq.Client) *Service {
	s := service{client}
	return &Service{
		Portals:       (*PortalsService)(&s),
		Conversations: (*ConversationsService)(&s),
		Operators:     (*OperatorsService)(&s),
		Departments:   (*DepartmentsService)(&s),
		Apps:          (*AppsService)(&s),
		Webhooks:      (*WebhooksService)(&s),
		Visitors:      (*VisitorsService)(&s),
		Tags:          (*TagsService)(&s),
	}
}

// The scopes of the calls. [V], each on the page of its call.
const (
	ScopePortalsRead         salesiq.Scope = "SalesIQ.portals.READ"
	ScopeConversationsRead   salesiq.Scope = "SalesIQ.conversations.READ"
	ScopeConversationsCreate salesiq.Scope = "SalesIQ.conversations.CREATE"
	ScopeConversationsUpdate salesiq.Scope = "SalesIQ.conversations.UPDATE"
	ScopeDepartmentsRead     salesiq.Scope = "SalesIQ.departments.READ"
	ScopeAppsRead            salesiq.Scope = "SalesIQ.apps.READ"
	ScopeWebhooksRead        salesiq.Scope = "SalesIQ.webhooks.READ"
	ScopeWebhooksCreate      salesiq.Scope = "SalesIQ.webhooks.CREATE"
	ScopeWebhooksUpdate      salesiq.Scope = "SalesIQ.webhooks.UPDATE"
	ScopeWebhooksDelete      salesiq.Scope = "SalesIQ.webhooks.DELETE"
	ScopeTagsCreate          salesiq.Scope = "SalesIQ.tags.CREATE"
)

// base is where the calls of version 2 are.
const base = "/api/v2/{portal}"

// call returns the options of a call: its name, the ids of its path, and opts.
func call(opts []salesiq.CallOption, name string, ids ...string) []salesiq.CallOption {
	return append([]salesiq.CallOption{salesiq.WithOperation("live." + name), salesiq.WithIDs(ids...)}, opts...)
}

// list makes a call that answers with a list.
func list[T any](ctx context.Context, client *salesiq.Client, path string, params any, opts ...salesiq.CallOption) ([]T, error) {
	items, err := Get[[]T](ctx, client, path, params, opts...)
	if err != nil {
		return nil, err
	}
	return orEmpty(*items), nil
}

// orEmpty returns items, or an empty list in place of nil, which would say that
// there was an error.
func orEmpty[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// Milliseconds is a length of time as the live service counts it; see
// [salesiq.Seconds].
type Milliseconds float64

// Duration converts m for use with package time.
func (m Milliseconds) Duration() time.Duration {
	return time.Duration(math.Round(float64(m) * float64(time.Millisecond)))
}

// query has the parameters of a call that are set.
type query map[string]string

func (q query) set(name, value string) {
	if value != "" {
		q[name] = value
	}
}

func (q query) number(name string, n int) {
	if n != 0 {
		q[name] = strconv.Itoa(n)
	}
}

// time sets a time in milliseconds since 1970, as the live service wants it.
func (q query) time(name string, t time.Time) {
	if !t.IsZero() {
		q[name] = strconv.FormatInt(t.UnixMilli(), 10)
	}
}
