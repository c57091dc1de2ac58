package live

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/usercode"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// Service makes calls to the live service on behalf of one client.
type Service struct {
	Portals           *PortalsService
	Conversations     *ConversationsService
	Threads           *ThreadsService
	Messages          *MessagesService
	Notes             *NotesService
	Feedback          *FeedbackService
	Calls             *CallsService
	Operators         *OperatorsService
	Departments       *DepartmentsService
	Apps              *AppsService
	Android           *AndroidService
	IOS               *IOSService
	Tags              *TagsService
	Visitors          *VisitorsService
	VisitorSide       *VisitorSideService
	VisitorSideV2     *VisitorSideV2Service
	Webhooks          *WebhooksService
	Callbacks         *CallbacksService
	Articles          *ArticlesService
	ArticleCategories *ArticleCategoriesService
	CannedResponses   *CannedResponsesService
	CannedCategories  *CannedCategoriesService
	VisitorRouting    *VisitorRoutingService
	ChatRouting       *ChatRoutingService
	CallRouting       *CallRoutingService
	Criteria          *CriteriaService
	LeadScoring       *LeadScoringService
	Triggers          *TriggersService
	TrackingPresets   *TrackingPresetsService
	HistoryViews      *HistoryViewsService
	Monitors          *MonitorsService
	BlockedIPs        *BlockedIPsService
	Encryptions       *EncryptionsService
	LegacyV1          *LegacyV1Service
}

type service struct{ client *salesiq.Client }

// owner returns the client of a service, or nil for one that New did not make.
func (s *service) owner() *salesiq.Client {
	if s == nil {
		return nil
	}
	return s.client
}

func (s *PortalsService) owner() *salesiq.Client           { return (*service)(s).owner() }
func (s *ConversationsService) owner() *salesiq.Client     { return (*service)(s).owner() }
func (s *ThreadsService) owner() *salesiq.Client           { return (*service)(s).owner() }
func (s *MessagesService) owner() *salesiq.Client          { return (*service)(s).owner() }
func (s *NotesService) owner() *salesiq.Client             { return (*service)(s).owner() }
func (s *FeedbackService) owner() *salesiq.Client          { return (*service)(s).owner() }
func (s *CallsService) owner() *salesiq.Client             { return (*service)(s).owner() }
func (s *OperatorsService) owner() *salesiq.Client         { return (*service)(s).owner() }
func (s *DepartmentsService) owner() *salesiq.Client       { return (*service)(s).owner() }
func (s *AppsService) owner() *salesiq.Client              { return (*service)(s).owner() }
func (s *AndroidService) owner() *salesiq.Client           { return (*service)(s).owner() }
func (s *IOSService) owner() *salesiq.Client               { return (*service)(s).owner() }
func (s *TagsService) owner() *salesiq.Client              { return (*service)(s).owner() }
func (s *VisitorsService) owner() *salesiq.Client          { return (*service)(s).owner() }
func (s *VisitorSideService) owner() *salesiq.Client       { return (*service)(s).owner() }
func (s *VisitorSideV2Service) owner() *salesiq.Client     { return (*service)(s).owner() }
func (s *WebhooksService) owner() *salesiq.Client          { return (*service)(s).owner() }
func (s *CallbacksService) owner() *salesiq.Client         { return (*service)(s).owner() }
func (s *ArticlesService) owner() *salesiq.Client          { return (*service)(s).owner() }
func (s *ArticleCategoriesService) owner() *salesiq.Client { return (*service)(s).owner() }
func (s *CannedResponsesService) owner() *salesiq.Client   { return (*service)(s).owner() }
func (s *CannedCategoriesService) owner() *salesiq.Client  { return (*service)(s).owner() }
func (s *VisitorRoutingService) owner() *salesiq.Client    { return (*service)(s).owner() }
func (s *ChatRoutingService) owner() *salesiq.Client       { return (*service)(s).owner() }
func (s *CallRoutingService) owner() *salesiq.Client       { return (*service)(s).owner() }
func (s *CriteriaService) owner() *salesiq.Client          { return (*service)(s).owner() }
func (s *LeadScoringService) owner() *salesiq.Client       { return (*service)(s).owner() }
func (s *TriggersService) owner() *salesiq.Client          { return (*service)(s).owner() }
func (s *TrackingPresetsService) owner() *salesiq.Client   { return (*service)(s).owner() }
func (s *HistoryViewsService) owner() *salesiq.Client      { return (*service)(s).owner() }
func (s *MonitorsService) owner() *salesiq.Client          { return (*service)(s).owner() }
func (s *BlockedIPsService) owner() *salesiq.Client        { return (*service)(s).owner() }
func (s *EncryptionsService) owner() *salesiq.Client       { return (*service)(s).owner() }
func (s *LegacyV1Service) owner() *salesiq.Client          { return (*service)(s).owner() }

// New returns the calls of client. All but those of Portals and Encryptions need
// [salesiq.WithPortal].
func New(client *salesiq.Client) *Service {
	s := service{client}
	return &Service{
		Portals:           (*PortalsService)(&s),
		Conversations:     (*ConversationsService)(&s),
		Threads:           (*ThreadsService)(&s),
		Messages:          (*MessagesService)(&s),
		Notes:             (*NotesService)(&s),
		Feedback:          (*FeedbackService)(&s),
		Calls:             (*CallsService)(&s),
		Operators:         (*OperatorsService)(&s),
		Departments:       (*DepartmentsService)(&s),
		Apps:              (*AppsService)(&s),
		Android:           (*AndroidService)(&s),
		IOS:               (*IOSService)(&s),
		Tags:              (*TagsService)(&s),
		Visitors:          (*VisitorsService)(&s),
		VisitorSide:       (*VisitorSideService)(&s),
		VisitorSideV2:     (*VisitorSideV2Service)(&s),
		Webhooks:          (*WebhooksService)(&s),
		Callbacks:         (*CallbacksService)(&s),
		Articles:          (*ArticlesService)(&s),
		ArticleCategories: (*ArticleCategoriesService)(&s),
		CannedResponses:   (*CannedResponsesService)(&s),
		CannedCategories:  (*CannedCategoriesService)(&s),
		VisitorRouting:    (*VisitorRoutingService)(&s),
		ChatRouting:       (*ChatRoutingService)(&s),
		CallRouting:       (*CallRoutingService)(&s),
		Criteria:          (*CriteriaService)(&s),
		LeadScoring:       (*LeadScoringService)(&s),
		Triggers:          (*TriggersService)(&s),
		TrackingPresets:   (*TrackingPresetsService)(&s),
		HistoryViews:      (*HistoryViewsService)(&s),
		Monitors:          (*MonitorsService)(&s),
		BlockedIPs:        (*BlockedIPsService)(&s),
		Encryptions:       (*EncryptionsService)(&s),
		LegacyV1:          (*LegacyV1Service)(&s),
	}
}

// The roots of the calls.
const (
	base          = "/api/v2/{portal}"
	baseV1        = "/api/v1/{portal}"
	baseV3        = "/api/v3/{portal}"
	visitorBase   = "/api/visitor/v1/{portal}"
	visitorBaseV2 = "/visitor/v2/{portal}"
)

// call makes a call of the service, and returns the data of its answer. A body
// with a method validate is checked first. The ids fill the names in braces of
// the path behind the portal, in order.
func call[T any](ctx context.Context, client *salesiq.Client, name, method, path string, body any, opts []salesiq.CallOption, ids ...string) (*T, error) {
	if checked, ok := body.(interface{ validate() error }); ok {
		if err := check(checked); err != nil {
			return nil, withOperation("live."+name, err)
		}
	}
	return do[T](ctx, client, "live."+name, method, path, body, append([]salesiq.CallOption{salesiq.WithIDs(ids...)}, opts...))
}

// get makes a call that reads.
func get[T any](ctx context.Context, client *salesiq.Client, name, path string, params query, opts []salesiq.CallOption, ids ...string) (*T, error) {
	return call[T](ctx, client, name, http.MethodGet, path, nil, asked(params, opts), ids...)
}

// list makes a call that answers with a list.
func list[T any](ctx context.Context, client *salesiq.Client, name, path string, params query, opts []salesiq.CallOption, ids ...string) ([]T, error) {
	return items(get[[]T](ctx, client, name, path, params, opts, ids...))
}

// iterate iterates over all pages of a list.
func iterate[T any](ctx context.Context, client *salesiq.Client, name, path string, params query, style PageStyle, opts []salesiq.CallOption, ids ...string) iter.Seq2[*T, error] {
	opts = append([]salesiq.CallOption{salesiq.WithOperation("live." + name), salesiq.WithIDs(ids...)}, opts...)
	return All[T](ctx, client, path, params, style, opts...)
}

// send makes a call of whose answer the vendor's pages show nothing.
func send(ctx context.Context, client *salesiq.Client, name, method, path string, body any, opts []salesiq.CallOption, ids ...string) error {
	_, err := call[any](ctx, client, name, method, path, body, opts, ids...)
	return err
}

// remove makes a DELETE request whose query names what to remove.
func remove[T any](ctx context.Context, client *salesiq.Client, name, path, param string, values []string, opts []salesiq.CallOption, ids ...string) (*T, error) {
	value := strings.Join(values, ",")
	if err := required(param, value); err != nil {
		return nil, withOperation("live."+name, err)
	}
	return call[T](ctx, client, name, http.MethodDelete, path, nil, asked(query{param: value}, opts), ids...)
}

// asked adds params to the query of a call.
func asked(params query, opts []salesiq.CallOption) []salesiq.CallOption {
	if len(params) == 0 {
		return opts
	}
	return append([]salesiq.CallOption{salesiq.WithQuery(params)}, opts...)
}

// items returns the list of an answer.
func items[T any](answer *[]T, err error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	return orEmpty(*answer), nil
}

// orEmpty returns items, or an empty list in place of nil, which would say that
// there was an error.
func orEmpty[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// ids is the body of calls that take a list of ids.
type ids struct {
	IDs []string `json:"ids"`
}

func (i ids) validate() error { return required("ids", strings.Join(i.IDs, "")) }

// check validates a body. A nil one is refused by [salesiq.Client.Do].
func check(body interface{ validate() error }) error {
	if usercode.IsNil(body) {
		return nil
	}
	return body.validate()
}

// required returns an error that names the first field without a text. The
// arguments are names of fields, each followed by its text.
func required(pairs ...string) error {
	for ; len(pairs) > 1; pairs = pairs[2:] {
		if strings.TrimSpace(pairs[1]) == "" {
			return inputError("", pairs[0], "is required")
		}
	}
	return nil
}

func withOperation(name string, err error) error {
	if input, ok := errors.AsType[*salesiq.InputError](err); ok {
		return inputError(name, input.Field, input.Reason)
	}
	return err
}

// Ref names an object of another kind: who created something, where it belongs.
type Ref struct {
	ID   string `json:"id"`
	Name string `json:"name"` // Not in all answers.

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// TextBool is a truth value that the vendor's pages send as a text, "true" or
// "false". Fields of answers are plain bools, since both forms are read.
type TextBool bool

// MarshalJSON returns "true" or "false" as a text.
func (b TextBool) MarshalJSON() ([]byte, error) {
	return strconv.AppendQuote(nil, strconv.FormatBool(bool(b))), nil
}

// UnmarshalJSON reads both forms.
func (b *TextBool) UnmarshalJSON(data []byte) error {
	value, err := strconv.ParseBool(strings.Trim(string(data), `"`))
	*b = TextBool(value)
	return err
}

// Switch is whether something is on, where the service says so by a word.
type Switch string

// The words of the vendor's pages. [V].
const (
	Enabled  Switch = "enabled"
	Disabled Switch = "disabled"
)

// texts returns names as plain texts.
func texts[T ~string](names []T) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = string(name)
	}
	return out
}

func joined[T ~string](names []T) string { return strings.Join(texts(names), ",") }

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

// list sets a list, as JSON.
func (q query) list(name string, values []string) {
	if len(values) > 0 {
		text, _ := json.Marshal(values) //nolint:errcheck // Texts can always be written.
		q[name] = string(text)
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

// MarshalJSON writes r with its Extra beside the other members.
func (r Ref) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&r) }

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Ref) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, r) }
