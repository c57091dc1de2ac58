package live_test

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
)

// wireRow is what one call puts on the wire, written by hand from the vendor's
// pages.
type wireRow struct {
	call string
	do   func(ctx context.Context, s *live.Service) error
	want string // Method and path.
	q    string // The query, decoded.
	body string // JSON, or empty.
}

var (
	at1 = time.UnixMilli(1700000000001)
	at2 = time.UnixMilli(1700000000002)
)

func second[T any](_ T, err error) error { return err }

func drain[T any](all iter.Seq2[*T, error]) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

var criteria = []live.AnyOf{{Any: []live.Criterion{{Field: "country", Comparator: live.IsEqualTo, Values: []string{"canada"}}}}}

const criteriaJSON = `[{"or_criteria":[{"field_name":"country","comparator":"is_equal_to","values":["canada"]}]}]`

const b = "/api/v2/p"

var wireRows = []wireRow{
	{"Portals.List", func(ctx context.Context, s *live.Service) error { return second(s.Portals.List(ctx)) }, "GET /api/v2/portals", "", ""},
	{"Portals.Get", func(ctx context.Context, s *live.Service) error { return second(s.Portals.Get(ctx, "north")) }, "GET /api/v2/portals/north", "", ""},

	{"Conversations.List", func(ctx context.Context, s *live.Service) error {
		return second(s.Conversations.List(ctx, &live.ConversationListParams{
			Status: live.Closed, DepartmentID: "d", AttenderID: "o", AppID: "a", Email: "e@post.example", VisitorType: "lead",
			From: at1, To: at2, UpdatedFrom: at1, UpdatedTo: at2, SortBy: "in_time", Page: 5, Limit: 6,
			ReferenceIDs: []string{"7", "8"}, Fields: []string{"id", "status"}, SortOrder: "ascending",
		}))
	}, "GET " + b + "/conversations", "app_id=a&attender_id=o&department_id=d&email=e@post.example&fields=id,status&from_time=1700000000001&limit=6&page=5" +
		"&reference_ids=7,8&sort_by=in_time&sort_order=ascending&status=closed&to_time=1700000000002" +
		"&updated_from_time=1700000000001&updated_till_time=1700000000002&visitor_type=lead", ""},
	{"Conversations.All", func(ctx context.Context, s *live.Service) error { return drain(s.Conversations.All(ctx, nil)) }, "GET " + b + "/conversations", "limit=99&page=1", ""},
	{"Conversations.Get", func(ctx context.Context, s *live.Service) error { return second(s.Conversations.Get(ctx, "c1")) }, "GET " + b + "/conversations/c1", "", ""},
	{"Conversations.UpdateCustomerInfo", func(ctx context.Context, s *live.Service) error {
		return second(s.Conversations.UpdateCustomerInfo(ctx, "c1", map[string]string{"plan": "gold"}))
	}, "PUT " + b + "/conversations/c1", "", `{"customer_info":{"plan":"gold"}}`},
	{"Conversations.Pickup", func(ctx context.Context, s *live.Service) error { return second(s.Conversations.Pickup(ctx, "c1")) }, "PUT " + b + "/conversations/c1/pickup", "", ""},
	{"Conversations.Transfer", func(ctx context.Context, s *live.Service) error {
		return second(s.Conversations.Transfer(ctx, "c1", &live.Transfer{DepartmentID: "d", OperatorID: "o", Note: "knows it"}))
	}, "PUT " + b + "/conversations/c1/transfer", "", `{"department_id":"d","operator_id":"o","note":"knows it"}`},
	{"Conversations.AcceptTransfer", func(ctx context.Context, s *live.Service) error {
		return second(s.Conversations.AcceptTransfer(ctx, "c1", "o"))
	}, "PUT " + b + "/conversations/c1/accept", "", `{"operator_id":"o"}`},
	{"Conversations.RejectTransfer", func(ctx context.Context, s *live.Service) error {
		return s.Conversations.RejectTransfer(ctx, "c1", "o")
	}, "PUT " + b + "/conversations/c1/reject", "", `{"operator_id":"o"}`},
	{"Conversations.Close", func(ctx context.Context, s *live.Service) error { return second(s.Conversations.Close(ctx, "c1")) }, "PUT " + b + "/conversations/c1/close", "", ""},
	{"Conversations.Delete", func(ctx context.Context, s *live.Service) error {
		return s.Conversations.Delete(ctx, live.ChannelWebsite, []string{"32289000000646055", "9007199254740993"})
	}, "DELETE " + b + "/conversations", "", `{"ids":[32289000000646055,9007199254740993]}`},
	{"Conversations.Visitor", func(ctx context.Context, s *live.Service) error {
		return second(s.Conversations.Visitor(ctx, "c1", []string{"trackinginfo", "moreinfo"}))
	}, "GET " + b + "/conversations/c1/visitor", "include=trackinginfo,moreinfo", ""},
	{"Conversations.Export", func(ctx context.Context, s *live.Service) error { return second(s.Conversations.Export(ctx, "c1")) }, "POST " + b + "/conversations/c1/export", "", `{"data":"messages","format":"json"}`},

	{"Conversations.Attachment", func(ctx context.Context, s *live.Service) error {
		return s.Conversations.Attachment(ctx, "c1", "f1", &salesiq.Download{To: io.Discard})
	}, "GET " + b + "/conversations/c1/attachments/f1", "", ""},

	{"Threads.List", func(ctx context.Context, s *live.Service) error {
		return second(s.Threads.List(ctx, "c1", &live.ThreadListParams{Include: []string{"attender", "metrics"}, Page: 2, Limit: 5}))
	}, "GET " + b + "/conversations/c1/threads", `include_fields=["attender","metrics"]&limit=5&page=2`, ""},
	{"Threads.All", func(ctx context.Context, s *live.Service) error { return drain(s.Threads.All(ctx, "c1", nil)) }, "GET " + b + "/conversations/c1/threads", "limit=50&page=1", ""},
	{"Threads.Get", func(ctx context.Context, s *live.Service) error {
		return second(s.Threads.Get(ctx, "c1", "3", &live.ThreadListParams{Include: []string{"brand"}}))
	}, "GET " + b + "/conversations/c1/threads/3", `include_fields=["brand"]`, ""},

	{"Messages.List", func(ctx context.Context, s *live.Service) error {
		return second(s.Messages.List(ctx, "c1", &live.MessageListParams{From: at1, To: at2, SortOrder: "ascending", Limit: 3}))
	}, "GET " + b + "/conversations/c1/messages", "from_time=1700000000001&limit=3&sort_order=ascending&to_time=1700000000002", ""},
	{"Messages.All", func(ctx context.Context, s *live.Service) error { return drain(s.Messages.All(ctx, "c1")) }, "GET " + b + "/conversations/c1/messages", "limit=100", ""},
	{"Messages.Send", func(ctx context.Context, s *live.Service) error { return second(s.Messages.Send(ctx, "c1", "Hello")) }, "POST " + b + "/conversations/c1/messages", "", `{"text":"Hello"}`},
	{"Messages.SendFile", func(ctx context.Context, s *live.Service) error {
		return second(s.Messages.SendFile(ctx, "c1", &salesiq.File{Name: "n.csv", ContentType: "text/csv", Content: strings.NewReader("a,b")}, "Our offer"))
	}, "POST " + b + "/conversations/c1/messages", "", multipartOf("Our offer", "n.csv", "text/csv", "a,b")},
	{"Messages.SendToLatest", func(ctx context.Context, s *live.Service) error {
		return second(s.Messages.SendToLatest(ctx, "ada@post.example", "Hello"))
	}, "POST " + b + "/visitors/ada@post.example/messages", "", `{"text":"Hello"}`},

	{"Notes.Add", func(ctx context.Context, s *live.Service) error { return second(s.Notes.Add(ctx, "c1", "Called back")) }, "POST " + b + "/conversations/c1/notes", "", `{"notes":"Called back"}`},

	{"Feedback.List", func(ctx context.Context, s *live.Service) error {
		return second(s.Feedback.List(ctx, &live.FeedbackListParams{Index: 21, Limit: 20}))
	}, "GET " + b + "/feedbacks", "index=21&limit=20", ""},
	{"Feedback.All", func(ctx context.Context, s *live.Service) error { return drain(s.Feedback.All(ctx)) }, "GET " + b + "/feedbacks", "index=1&limit=20", ""},
	{"Feedback.Get", func(ctx context.Context, s *live.Service) error { return second(s.Feedback.Get(ctx, "f1")) }, "GET " + b + "/feedbacks/f1", "", ""},
	{"Feedback.OfConversation", func(ctx context.Context, s *live.Service) error { return second(s.Feedback.OfConversation(ctx, "c1")) }, "GET " + b + "/conversations/c1/feedback", "", ""},

	{"Calls.List", func(ctx context.Context, s *live.Service) error {
		return second(s.Calls.List(ctx, &live.CallListParams{
			Include: []string{"brand", "department"}, Status: "missed", DepartmentIDs: []string{"d"}, AttenderIDs: []string{"o"},
			BrandIDs: []string{"a"}, ConversationIDs: []string{"c1", "c2"}, From: at1, To: at2, VisitorType: "contact",
			Email: "e@post.example", SortBy: "end_time", Order: "descending", Index: 10, Limit: 5,
		}))
	}, "GET " + b + "/calls", "attender_ids=o&brand_ids=a&conversation_ids=c1,c2&department_ids=d&email=e@post.example&from_time=1700000000001" +
		"&include_fields=brand,department&index=10&limit=5&order=descending&sort_by=end_time&status=missed&to_time=1700000000002&visitor_type=contact", ""},
	{"Calls.All", func(ctx context.Context, s *live.Service) error { return drain(s.Calls.All(ctx, nil)) }, "GET " + b + "/calls", "index=0&limit=10", ""},
	{"Calls.OfConversation", func(ctx context.Context, s *live.Service) error { return drain(s.Calls.OfConversation(ctx, "c1", nil)) }, "GET " + b + "/conversations/c1/calls", "index=0&limit=10", ""},
	{"Calls.OfThread", func(ctx context.Context, s *live.Service) error { return drain(s.Calls.OfThread(ctx, "c1", "3", nil)) }, "GET " + b + "/conversations/c1/threads/3/calls", "index=0&limit=10", ""},

	{"Operators.List", func(ctx context.Context, s *live.Service) error {
		return second(s.Operators.List(ctx, &live.SyncParams{Index: 21, Since: at1}))
	}, "GET " + b + "/operators", "index=21&last_sync_time=1700000000001", ""},
	{"Operators.All", func(ctx context.Context, s *live.Service) error { return drain(s.Operators.All(ctx, nil)) }, "GET " + b + "/operators", "index=1", ""},
	{"Operators.Get", func(ctx context.Context, s *live.Service) error { return second(s.Operators.Get(ctx, "o1")) }, "GET " + b + "/operators/o1", "", ""},
	{"Operators.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.Operators.Create(ctx, &live.OperatorCreate{
			Email: "ada@firm.example", Role: live.Associate, Departments: []string{"d1"}, Monitored: true, ChatEnabled: true,
			FirstName: "Ada", LastName: "Byron", Nickname: "A", Description: "x", Mobile: "1", Phone: "2", TimeZone: "Europe/Paris", Language: "fr",
		}))
	}, "POST " + b + "/operators", "", `{"email_id":"ada@firm.example","role":"Associate","departments":["d1"],"is_monitored":"true","is_chat_enabled":"true",` +
		`"first_name":"Ada","last_name":"Byron","nick_name":"A","description":"x","mobile":"1","phone":"2","time_zone":"Europe/Paris","language":"fr"}`},
	{"Operators.Update", func(ctx context.Context, s *live.Service) error {
		return second(s.Operators.Update(ctx, "o1", &live.OperatorUpdate{
			Nickname: salesiq.Set("Ada"), MaxChats: salesiq.Set("unlimited"), ChatEnabled: salesiq.Set[live.TextBool](false), DateOfBirth: salesiq.Set("10/12/1815"),
		}))
	}, "PUT " + b + "/operators/o1", "", `{"nick_name":"Ada","maximum_concurrent_chat":"unlimited","is_chat_enabled":"false","date_of_birth":"10/12/1815"}`},
	{"Operators.Enable", func(ctx context.Context, s *live.Service) error { return s.Operators.Enable(ctx, "o1") }, "PUT " + b + "/operators/o1/enable", "", ""},
	{"Operators.Disable", func(ctx context.Context, s *live.Service) error { return s.Operators.Disable(ctx, "o1") }, "PUT " + b + "/operators/o1/disable", "", ""},
	{"Operators.Delete", func(ctx context.Context, s *live.Service) error { return s.Operators.Delete(ctx, "o1") }, "DELETE " + b + "/operators/o1", "", ""},
	{"Operators.AddDepartments", func(ctx context.Context, s *live.Service) error {
		return second(s.Operators.AddDepartments(ctx, "o1", []string{"d1", "d2"}))
	}, "PUT " + b + "/operators/o1/departments", "", `{"ids":["d1","d2"]}`},
	{"Operators.RemoveDepartments", func(ctx context.Context, s *live.Service) error {
		return second(s.Operators.RemoveDepartments(ctx, "o1", []string{"d1", "d2"}))
	}, "DELETE " + b + "/operators/o1/departments", "ids=d1,d2", ""},

	{"Departments.List", func(ctx context.Context, s *live.Service) error {
		return second(s.Departments.List(ctx, &live.SyncParams{Index: 21, Since: at1}))
	}, "GET " + b + "/departments", "index=21&last_sync_time=1700000000001", ""},
	{"Departments.All", func(ctx context.Context, s *live.Service) error { return drain(s.Departments.All(ctx, nil)) }, "GET " + b + "/departments", "index=1", ""},
	{"Departments.Get", func(ctx context.Context, s *live.Service) error { return second(s.Departments.Get(ctx, "d1")) }, "GET " + b + "/departments/d1", "", ""},
	{"Departments.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.Departments.Create(ctx, &live.DepartmentCreate{
			Name: "Sales", Operators: []string{"o1"}, Public: true, Description: "x",
			Emails: &live.DepartmentEmails{From: "sales@firm.example", Transcripts: true},
		}))
	}, "POST " + b + "/departments", "", `{"name":"Sales","operators":["o1"],"is_public":"true","description":"x",` +
		`"email_configurations":{"from_email":"sales@firm.example","is_transcript_mail_enabled":"true"}}`},
	{"Departments.Update", func(ctx context.Context, s *live.Service) error {
		return second(s.Departments.Update(ctx, "d1", &live.DepartmentUpdate{Name: salesiq.Set("Care"), Public: salesiq.Set[live.TextBool](false)}))
	}, "PUT " + b + "/departments/d1", "", `{"name":"Care","is_public":"false"}`},
	{"Departments.Enable", func(ctx context.Context, s *live.Service) error { return s.Departments.Enable(ctx, "d1") }, "PUT " + b + "/departments/d1/enable", "", ""},
	{"Departments.Disable", func(ctx context.Context, s *live.Service) error { return s.Departments.Disable(ctx, "d1") }, "PUT " + b + "/departments/d1/disable", "", ""},
	{"Departments.Delete", func(ctx context.Context, s *live.Service) error { return s.Departments.Delete(ctx, "d1", "d2") }, "DELETE " + b + "/departments/d1", "configure_to=d2", ""},
	{"Departments.AddOperators", func(ctx context.Context, s *live.Service) error {
		return second(s.Departments.AddOperators(ctx, "d1", []string{"o1"}))
	}, "PUT " + b + "/departments/d1/operators", "", `{"ids":["o1"]}`},
	{"Departments.RemoveOperators", func(ctx context.Context, s *live.Service) error {
		return second(s.Departments.RemoveOperators(ctx, "d1", []string{"o1", "o2"}))
	}, "DELETE " + b + "/departments/d1/operators", "ids=o1,o2", ""},

	{"Tags.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.Tags.Create(ctx, &live.TagCreate{Name: "VIP", Color: "#ff0000", Module: live.ForConversations}))
	}, "POST " + b + "/tags", "", `{"name":"VIP","color":"#ff0000","module":"conversations"}`},
	{"Tags.List", func(ctx context.Context, s *live.Service) error { return second(s.Tags.List(ctx, live.ForVisitors)) }, "GET " + b + "/tags", "module=visitors", ""},
	{"Tags.Get", func(ctx context.Context, s *live.Service) error { return second(s.Tags.Get(ctx, "t1")) }, "GET " + b + "/tags/t1", "", ""},
	{"Tags.Archive", func(ctx context.Context, s *live.Service) error { return second(s.Tags.Archive(ctx, "t1")) }, "POST " + b + "/tags/t1/archives", "", ""},
	{"Tags.Delete", func(ctx context.Context, s *live.Service) error { return s.Tags.Delete(ctx, "t1") }, "DELETE " + b + "/tags/t1", "", ""},
	{"Tags.AddTo", func(ctx context.Context, s *live.Service) error {
		return second(s.Tags.AddTo(ctx, live.ForConversations, "c1", []string{"t1", "t2"}))
	}, "PUT " + b + "/conversations/c1/tags", "", `{"ids":["t1","t2"]}`},
	{"Tags.RemoveFrom", func(ctx context.Context, s *live.Service) error {
		return second(s.Tags.RemoveFrom(ctx, live.ForCompanies, "x1", "t1"))
	}, "DELETE " + b + "/companies/x1/tags", "id=t1", ""},

	{"VisitorSide.Open", func(ctx context.Context, s *live.Service) error {
		return second(s.VisitorSide.Open(ctx, &live.VisitorOpen{
			Visitor: live.VisitorIdentity{UserID: "u1", Name: "Ada", Email: "ada@post.example", Phone: "1", AVUID: "a-1", CVUID: "c-1", Platform: "web",
				CurrentPage: "https://shop.example/x", PageTitle: "X", CountryCode: "FR", TimeZone: "Europe/Paris", CookieEnabled: true, Screen: "1x1", Referrer: "https://r.example"},
			AppID: "a", DepartmentID: "d", Question: "Open?", CustomerInfo: map[string]string{"plan": "gold"}, WaitTime: 100,
		}))
	}, "POST /api/visitor/v1/p/conversations", "", `{"visitor":{"user_id":"u1","name":"Ada","email":"ada@post.example","phone":"1","avuid":"a-1","cvuid":"c-1","platform":"web",` +
		`"current_page":"https://shop.example/x","page_title":"X","country_code":"FR","local_time_zone":"Europe/Paris","cookie_enabled":true,"screen":"1x1","referrer":"https://r.example"},` +
		`"app_id":"a","department_id":"d","question":"Open?","customer_info":{"plan":"gold"},"custom_wait_time":100}`},
	{"VisitorSide.Reopen", func(ctx context.Context, s *live.Service) error {
		return second(s.VisitorSide.Reopen(ctx, "siqff", &live.VisitorReopen{Message: "Me again", Visitor: live.VisitorIdentity{Platform: "web"}}))
	}, "POST /api/visitor/v1/p/conversations/siqff/reopen", "", `{"message":"Me again","visitor":{"platform":"web"}}`},
	{"VisitorSide.Send", func(ctx context.Context, s *live.Service) error {
		return second(s.VisitorSide.Send(ctx, "siqff", "Hello"))
	}, "POST /api/visitor/v1/p/conversations/siqff/messages", "", `{"text":"Hello"}`},
	{"VisitorSide.SendFile", func(ctx context.Context, s *live.Service) error {
		return second(s.VisitorSide.SendFile(ctx, "c1", &salesiq.File{Name: "n.csv", ContentType: "text/csv", Content: strings.NewReader("a,b")}, "See here"))
	}, "POST /api/visitor/v1/p/conversations/c1/messages", "", multipartOf("See here", "n.csv", "text/csv", "a,b")},
	{"VisitorSide.Update", func(ctx context.Context, s *live.Service) error {
		return second(s.VisitorSide.Update(ctx, "siqff", &live.VisitorSideUpdate{LastName: salesiq.Set("Byron"), Phone: salesiq.Set("1")}))
	}, "PUT /api/visitor/v1/p/conversations/siqff/visitor", "", `{"last_name":"Byron","phone":"1"}`},
	{"VisitorSide.Rate", func(ctx context.Context, s *live.Service) error {
		return s.VisitorSide.Rate(ctx, "siqff", live.Happy, "Quick")
	}, "POST /api/visitor/v1/p/conversations/siqff/feedback", "", `{"rating":"happy","feedback":"Quick"}`},
	{"VisitorSideV2.Open", func(ctx context.Context, s *live.Service) error {
		return second(s.VisitorSideV2.Open(ctx, &live.VisitorOpen{Visitor: live.VisitorIdentity{UserID: "u1"}, AppID: "a", DepartmentID: "d", Question: "Open?"}))
	}, "POST /visitor/v2/p/conversations", "", `{"visitor":{"user_id":"u1"},"app_id":"a","department_id":"d","question":"Open?"}`},
	{"VisitorSideV2.LeaveMessage", func(ctx context.Context, s *live.Service) error {
		return second(s.VisitorSideV2.LeaveMessage(ctx, &live.VisitorMessage{
			Visitor: live.VisitorIdentity{UserID: "u1"}, AppID: "a", DepartmentID: "d", Message: "Call me", AttenderID: "o", CustomerInfo: map[string]string{"k": "v"},
		}))
	}, "POST /visitor/v2/p/conversations/leavemessage", "", `{"visitor":{"user_id":"u1"},"app_id":"a","department_id":"d","message":"Call me","customer_info":{"k":"v"},"attender_id":"o"}`},
	{"VisitorSideV2.Close", func(ctx context.Context, s *live.Service) error { return second(s.VisitorSideV2.Close(ctx, "ff")) }, "PUT /visitor/v2/p/conversations/ff/close", "", ""},

	{"Visitors.Since", func(ctx context.Context, s *live.Service) error { return drain(s.Visitors.Since(ctx, at1)) }, "GET /api/v3/p/visitors", "limit=200&next_key=1700000000001", ""},
	{"Visitors.Before", func(ctx context.Context, s *live.Service) error { return drain(s.Visitors.Before(ctx, at1)) }, "GET /api/v3/p/visitors", "limit=200&prev_key=1700000000001", ""},
	{"Visitors.VisitsSince", func(ctx context.Context, s *live.Service) error { return drain(s.Visitors.VisitsSince(ctx, at1)) }, "GET /api/v3/p/visits", "limit=200&next_key=1700000000001", ""},
	{"Visitors.VisitsBefore", func(ctx context.Context, s *live.Service) error { return drain(s.Visitors.VisitsBefore(ctx, at1)) }, "GET /api/v3/p/visits", "limit=200&prev_key=1700000000001", ""},
	{"Visitors.EventsSince", func(ctx context.Context, s *live.Service) error { return drain(s.Visitors.EventsSince(ctx, at1)) }, "GET /api/v3/p/visitorevents", "limit=200&next_key=1700000000001", ""},
	{"Visitors.EventsBefore", func(ctx context.Context, s *live.Service) error { return drain(s.Visitors.EventsBefore(ctx, at1)) }, "GET /api/v3/p/visitorevents", "limit=200&prev_key=1700000000001", ""},
	{"Visitors.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.Visitors.Create(ctx, map[string]any{"name": "Ada"}))
	}, "POST " + b + "/visitors", "", `{"name":"Ada"}`},
	{"Visitors.Get", func(ctx context.Context, s *live.Service) error { return second(s.Visitors.Get(ctx, "v1")) }, "GET " + b + "/visitors/v1", "", ""},

	{"Webhooks.List", func(ctx context.Context, s *live.Service) error {
		return second(s.Webhooks.List(ctx, &live.WebhookListParams{Type: live.DataWebhook, AppIDs: []string{"a1", "a2"}, SortBy: "created_time"}))
	}, "GET " + b + "/webhooks", "app_ids=a1,a2&sort_by=+created_time&type=data", ""},
	{"Webhooks.Summary", func(ctx context.Context, s *live.Service) error { return second(s.Webhooks.Summary(ctx)) }, "GET " + b + "/webhooks", "mode=meta", ""},
	{"Webhooks.Get", func(ctx context.Context, s *live.Service) error { return second(s.Webhooks.Get(ctx, "w1")) }, "GET " + b + "/webhooks/w1", "", ""},
	{"Webhooks.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.Webhooks.Create(ctx, &live.WebhookCreate{
			Type: live.DataWebhook, URL: "https://hooks.example/x", Events: []salesiq.EventName{"conversation.rated"}, AppIDs: []string{"a1"},
			Secured: true, Version: "1", KeepsFailed: 604800000,
		}))
	}, "POST " + b + "/webhooks", "", `{"type":"data","url":"https://hooks.example/x","events":["conversation.rated"],"app_ids":["a1"],"secured":true,"version":"1","expiry_time_for_executions_data":604800000}`},
	{"Webhooks.Update", func(ctx context.Context, s *live.Service) error {
		return second(s.Webhooks.Update(ctx, "w1", &live.WebhookCreate{Type: live.AdministrationWebhook, URL: "https://hooks.example/x", Events: []salesiq.EventName{"tag.created"}}))
	}, "PUT " + b + "/webhooks/w1", "", `{"type":"administration","url":"https://hooks.example/x","events":["tag.created"],"secured":false}`},
	{"Webhooks.Delete", func(ctx context.Context, s *live.Service) error { return s.Webhooks.Delete(ctx, "w1") }, "DELETE " + b + "/webhooks/w1", "", ""},
	{"Webhooks.AddEvents", func(ctx context.Context, s *live.Service) error {
		return second(s.Webhooks.AddEvents(ctx, "w1", []salesiq.EventName{"conversation.rated"}))
	}, "POST " + b + "/webhooks/w1/events", "", `{"ids":["conversation.rated"]}`},
	{"Webhooks.RemoveEvents", func(ctx context.Context, s *live.Service) error {
		return s.Webhooks.RemoveEvents(ctx, "w1", []salesiq.EventName{"conversation.rated", "conversation.missed"})
	}, "DELETE " + b + "/webhooks/w1/events", "ids=conversation.rated,conversation.missed", ""},
	{"Webhooks.AddApps", func(ctx context.Context, s *live.Service) error {
		return second(s.Webhooks.AddApps(ctx, "w1", []string{"a1"}))
	}, "POST " + b + "/webhooks/w1/apps", "", `{"ids":["a1"]}`},
	{"Webhooks.RemoveApps", func(ctx context.Context, s *live.Service) error {
		return s.Webhooks.RemoveApps(ctx, "w1", []string{"a1"})
	}, "DELETE " + b + "/webhooks/w1/apps", "ids=a1", ""},
	{"Webhooks.GenerateKey", func(ctx context.Context, s *live.Service) error { return second(s.Webhooks.GenerateKey(ctx, "w1")) }, "POST " + b + "/webhooks/w1/keys", "", ""},
	{"Webhooks.DeleteKey", func(ctx context.Context, s *live.Service) error { return s.Webhooks.DeleteKey(ctx, "w1", "k1") }, "DELETE " + b + "/webhooks/w1/keys/k1", "", ""},
	{"Webhooks.FailedExecutions", func(ctx context.Context, s *live.Service) error {
		return drain(s.Webhooks.FailedExecutions(ctx, "w1", &live.ExecutionListParams{From: at1, To: at2, Events: []salesiq.EventName{"conversation.rated", "conversation.missed"}, Limit: 5}))
	}, "GET " + b + "/webhooks/w1/executions", "events=conversation.rated,conversation.missed&from_time=1700000000001&limit=5&pageno=1&to_time=1700000000002", ""},
	{"Webhooks.FailedExecutionsSummary", func(ctx context.Context, s *live.Service) error {
		return second(s.Webhooks.FailedExecutionsSummary(ctx, "w1"))
	}, "GET " + b + "/webhooks/w1/executions", "mode=meta", ""},
	{"Webhooks.Retry", func(ctx context.Context, s *live.Service) error {
		return second(s.Webhooks.Retry(ctx, "w1", []string{"x1"}))
	}, "POST " + b + "/webhooks/w1/executions", "", `{"ids":["x1"]}`},
	{"Webhooks.ExportFailedExecutions", func(ctx context.Context, s *live.Service) error {
		return s.Webhooks.ExportFailedExecutions(ctx, "w1", []string{"e1", "e2"}, &salesiq.Download{To: io.Discard})
	}, "POST " + b + "/webhooks/w1/executions", "", `{"ids":["e1","e2"]}`},
	{"Webhooks.DeleteFailedExecutions", func(ctx context.Context, s *live.Service) error {
		return s.Webhooks.DeleteFailedExecutions(ctx, "w1", []string{"x1", "x2"})
	}, "DELETE " + b + "/webhooks/w1/executions", "ids=x1,x2", ""},

	{"Callbacks.Progress", func(ctx context.Context, s *live.Service) error { return s.Callbacks.Progress(ctx, "r1", "Looking") }, "POST " + b + "/callbacks/r1/progress", "", `{"text":"Looking"}`},
	{"Callbacks.Respond", func(ctx context.Context, s *live.Service) error {
		return s.Callbacks.Respond(ctx, "r1", map[string]any{"action": "reply", "replies": []string{"Here"}})
	}, "POST " + b + "/callbacks/r1/response", "", `{"action":"reply","replies":["Here"]}`},

	{"Articles.List", func(ctx context.Context, s *live.Service) error {
		return second(s.Articles.List(ctx, &live.ArticleListParams{DepartmentID: "d", CategoryID: "k", Mode: "draft", SortBy: "views", Order: "ascending", Page: 2, Limit: 5}))
	}, "GET " + b + "/articles", "category_id=k&department_id=d&limit=5&mode=draft&order=ascending&page=2&sort_by=views", ""},
	{"Articles.All", func(ctx context.Context, s *live.Service) error { return drain(s.Articles.All(ctx, nil)) }, "GET " + b + "/articles", "limit=99&page=1", ""},
	{"Articles.Get", func(ctx context.Context, s *live.Service) error { return second(s.Articles.Get(ctx, "a1")) }, "GET " + b + "/articles/a1", "", ""},
	{"Articles.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.Articles.Create(ctx, &live.ArticleCreate{DepartmentID: "d", CategoryID: "k", Title: "Hours", Content: "<p>9</p>", Published: true}))
	}, "POST " + b + "/articles", "", `{"department_id":"d","category_id":"k","title":"Hours","content":"<p>9</p>","published":"true"}`},
	{"Articles.Update", func(ctx context.Context, s *live.Service) error {
		return second(s.Articles.Update(ctx, "a1", &live.ArticleUpdate{Title: salesiq.Set("Hours"), Enabled: salesiq.Set(false), Published: salesiq.Set[live.TextBool](true)}))
	}, "PUT " + b + "/articles/a1", "", `{"title":"Hours","published":"true","enabled":false}`},
	{"Articles.Delete", func(ctx context.Context, s *live.Service) error { return s.Articles.Delete(ctx, "a1") }, "DELETE " + b + "/articles/a1", "", ""},
	{"ArticleCategories.All", func(ctx context.Context, s *live.Service) error { return drain(s.ArticleCategories.All(ctx)) }, "GET " + b + "/articlecategories", "index=0&limit=20", ""},
	{"ArticleCategories.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.ArticleCategories.Create(ctx, "Help"))
	}, "POST " + b + "/articlecategories", "", `{"name":"Help"}`},
	{"ArticleCategories.Update", func(ctx context.Context, s *live.Service) error {
		return second(s.ArticleCategories.Update(ctx, "k1", "Help"))
	}, "PUT " + b + "/articlecategories/k1", "", `{"name":"Help"}`},

	{"CannedResponses.List", func(ctx context.Context, s *live.Service) error {
		return second(s.CannedResponses.List(ctx, &live.CannedResponseListParams{DepartmentID: "d", SortBy: "usage_count", Order: "descending", Page: 2, Limit: 5}))
	}, "GET " + b + "/cannedresponses", "department_id=d&limit=5&order=descending&page=2&sort_by=usage_count", ""},
	{"CannedResponses.All", func(ctx context.Context, s *live.Service) error { return drain(s.CannedResponses.All(ctx, nil)) }, "GET " + b + "/cannedresponses", "limit=99&page=1", ""},
	{"CannedResponses.Get", func(ctx context.Context, s *live.Service) error { return second(s.CannedResponses.Get(ctx, "r1")) }, "GET " + b + "/cannedresponses/r1", "", ""},
	{"CannedResponses.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.CannedResponses.Create(ctx, &live.CannedResponseCreate{Content: "Hi", DepartmentID: "d", Public: true, CategoryIDs: []string{"k"}}))
	}, "POST " + b + "/cannedresponses", "", `{"content":"Hi","associate_with_all_departments":"false","department_id":"d","public":"true","category_ids":["k"]}`},
	{"CannedResponses.Update", func(ctx context.Context, s *live.Service) error {
		return second(s.CannedResponses.Update(ctx, "r1", &live.CannedResponseUpdate{AllDepartments: salesiq.Set[live.TextBool](true), Enabled: salesiq.Set(true)}))
	}, "PUT " + b + "/cannedresponses/r1", "", `{"associate_with_all_departments":"true","enabled":true}`},
	{"CannedResponses.Delete", func(ctx context.Context, s *live.Service) error { return s.CannedResponses.Delete(ctx, "r1") }, "DELETE " + b + "/cannedresponses/r1", "", ""},
	{"CannedCategories.Get", func(ctx context.Context, s *live.Service) error { return second(s.CannedCategories.Get(ctx, "k1")) }, "GET " + b + "/cannedresponsecategories/k1", "", ""},
	{"CannedCategories.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.CannedCategories.Create(ctx, "Greetings"))
	}, "POST " + b + "/cannedresponsecategories", "", `{"name":"Greetings"}`},
	{"CannedCategories.Update", func(ctx context.Context, s *live.Service) error {
		return second(s.CannedCategories.Update(ctx, "k1", "Greetings"))
	}, "PUT " + b + "/cannedresponsecategories/k1", "", `{"name":"Greetings"}`},
	{"CannedCategories.Delete", func(ctx context.Context, s *live.Service) error { return s.CannedCategories.Delete(ctx, "k1", "k2") }, "DELETE " + b + "/cannedresponsecategories/k1", "configure_to=k2", ""},

	{"Apps.List", func(ctx context.Context, s *live.Service) error { return second(s.Apps.List(ctx)) }, "GET " + b + "/apps", "", ""},
	{"Apps.Get", func(ctx context.Context, s *live.Service) error { return second(s.Apps.Get(ctx, "a1")) }, "GET " + b + "/apps/a1", "", ""},
	{"Apps.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.Apps.Create(ctx, &live.AppCreate{Name: "Shop", Departments: []string{"d"}, Description: map[string]string{"default": "x"}, BusinessHours: true, Privacy: true}))
	}, "POST " + b + "/apps", "", `{"name":"Shop","departments":["d"],"description":{"default":"x"},"business_hours":true,"privacy":true}`},
	{"Apps.Update", func(ctx context.Context, s *live.Service) error {
		return second(s.Apps.Update(ctx, "a1", &live.AppUpdate{Enabled: salesiq.Set(false), WaitingTime: salesiq.Set[salesiq.Seconds](45), ShareFile: salesiq.Set(true)}))
	}, "PUT " + b + "/apps/a1", "", `{"enabled":false,"waiting_time":45,"share_file":true}`},
	{"Apps.Delete", func(ctx context.Context, s *live.Service) error { return s.Apps.Delete(ctx, "a1") }, "DELETE " + b + "/apps/a1", "", ""},
	{"Apps.UpdateWidgets", func(ctx context.Context, s *live.Service) error {
		return second(s.Apps.UpdateWidgets(ctx, "a1", &live.WidgetsUpdate{
			Type: live.FloatWidget, Float: &live.WidgetPartUpdate{Position: "bottomright", Sticker: "2"}, Button: &live.WidgetPartUpdate{Sticker: "1"},
			CustomSticker: &live.CustomStickerUpdate{Type: live.ButtonWidget},
		}))
	}, "PUT " + b + "/apps/a1/widgets", "", `{"widget_type":"float","button":{"sticker":"1"},"float":{"position":"bottomright","sticker":"2"},"custom_sticker":{"type":"button"}}`},
	{"Apps.AddWebsite", func(ctx context.Context, s *live.Service) error {
		return second(s.Apps.AddWebsite(ctx, "a1", "https://shop.example"))
	}, "POST " + b + "/apps/a1/website", "", `{"website":"https://shop.example"}`},
	{"Android.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.Android.Create(ctx, "a1", "example.shop"))
	}, "POST " + b + "/apps/a1/channels/android", "", `{"bundle_name":"example.shop"}`},
	{"Android.Update", func(ctx context.Context, s *live.Service) error { return second(s.Android.Update(ctx, "a1", false)) }, "PUT " + b + "/apps/a1/channels/android", "", `{"enabled":false}`},
	{"Android.UpdateComponents", func(ctx context.Context, s *live.Service) error {
		return second(s.Android.UpdateComponents(ctx, "a1", []live.Component{live.ComponentChat, live.ComponentTracking}))
	}, "PUT " + b + "/apps/a1/channels/android/components", "", `{"components":["chat","proactive"]}`},
	{"IOS.Get", func(ctx context.Context, s *live.Service) error { return second(s.IOS.Get(ctx, "a1")) }, "GET " + b + "/apps/a1/channels/ios", "", ""},
	{"IOS.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.IOS.Create(ctx, "a1", "example.shop"))
	}, "POST " + b + "/apps/a1/channels/ios", "", `{"bundle_name":"example.shop"}`},
	{"IOS.Update", func(ctx context.Context, s *live.Service) error {
		return second(s.IOS.Update(ctx, "a1", &live.IOSUpdate{Enabled: salesiq.Set(true), Sandbox: &live.PushUpdate{Enabled: true}, Production: &live.PushUpdate{}}))
	}, "PUT " + b + "/apps/a1/channels/ios", "", `{"enabled":true,"sandbox_notifications":{"enabled":"true"},"production_notifications":{"enabled":"false"}}`},
	{"IOS.UpdateComponents", func(ctx context.Context, s *live.Service) error {
		return second(s.IOS.UpdateComponents(ctx, "a1", []live.Component{live.ComponentFAQ}))
	}, "PUT " + b + "/apps/a1/channels/ios/components", "", `{"components":["faq"]}`},
	{"IOS.AccessKeys", func(ctx context.Context, s *live.Service) error { return second(s.IOS.AccessKeys(ctx, "a1")) }, "GET " + b + "/apps/a1/channels/ios/accesskeys", "", ""},

	{"VisitorRouting.List", func(ctx context.Context, s *live.Service) error { return second(s.VisitorRouting.List(ctx)) }, "GET " + b + "/visitorroutingrules", "", ""},
	{"VisitorRouting.Get", func(ctx context.Context, s *live.Service) error { return second(s.VisitorRouting.Get(ctx, "r1")) }, "GET " + b + "/visitorroutingrules/r1", "", ""},
	{"VisitorRouting.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.VisitorRouting.Create(ctx, &live.RoutingRuleWrite{
			All: criteria, Users: &live.RoutingUsers{OperatorIDs: []string{"o1"}, DepartmentIDs: []string{"d1"}}, AppID: "a1", RoutingType: "route_to_selected_users", Title: "North",
		}))
	}, "POST " + b + "/visitorroutingrules", "", `{"and_criteria":` + criteriaJSON + `,"userset":{"operator_ids":["o1"],"department_ids":["d1"]},"app_id":"a1","routing_type":"route_to_selected_users","title":"North"}`},
	{"VisitorRouting.Update", func(ctx context.Context, s *live.Service) error {
		return second(s.VisitorRouting.Update(ctx, "r1", &live.RoutingRuleWrite{All: criteria}))
	}, "PUT " + b + "/visitorroutingrules/r1", "", `{"and_criteria":` + criteriaJSON + `}`},
	{"VisitorRouting.Enable", func(ctx context.Context, s *live.Service) error { return s.VisitorRouting.Enable(ctx, "r1", false) }, "PUT " + b + "/visitorroutingrules/r1", "", `{"enabled":false}`},
	{"VisitorRouting.Move", func(ctx context.Context, s *live.Service) error { return s.VisitorRouting.Move(ctx, "r1", 2) }, "PUT " + b + "/visitorroutingrules/r1", "", `{"position":2}`},
	{"VisitorRouting.Delete", func(ctx context.Context, s *live.Service) error { return s.VisitorRouting.Delete(ctx, "r1") }, "DELETE " + b + "/visitorroutingrules/r1", "", ""},
	{"VisitorRouting.Common", func(ctx context.Context, s *live.Service) error { return second(s.VisitorRouting.Common(ctx)) }, "GET " + b + "/visitorroutingrules/commonrule", "", ""},
	{"VisitorRouting.UpdateCommon", func(ctx context.Context, s *live.Service) error {
		return s.VisitorRouting.UpdateCommon(ctx, live.Disabled)
	}, "PUT " + b + "/visitorroutingrules/commonrule", "", `{"route_to_all":"disabled"}`},
	{"ChatRouting.List", func(ctx context.Context, s *live.Service) error { return second(s.ChatRouting.List(ctx)) }, "GET " + b + "/chatroutingrules", "", ""},
	{"ChatRouting.Get", func(ctx context.Context, s *live.Service) error { return second(s.ChatRouting.Get(ctx, "r1")) }, "GET " + b + "/chatroutingrules/r1", "", ""},
	{"ChatRouting.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.ChatRouting.Create(ctx, &live.RoutingRuleWrite{All: criteria}))
	}, "POST " + b + "/chatroutingrules", "", `{"and_criteria":` + criteriaJSON + `}`},
	{"ChatRouting.Update", func(ctx context.Context, s *live.Service) error {
		return second(s.ChatRouting.Update(ctx, "r1", &live.RoutingRuleWrite{All: criteria}))
	}, "PUT " + b + "/chatroutingrules/r1", "", `{"and_criteria":` + criteriaJSON + `}`},
	{"ChatRouting.Enable", func(ctx context.Context, s *live.Service) error { return s.ChatRouting.Enable(ctx, "r1", true) }, "PUT " + b + "/chatroutingrules/r1", "", `{"enabled":true}`},
	{"CallRouting.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.CallRouting.Create(ctx, &live.RoutingRuleWrite{All: criteria}))
	}, "POST " + b + "/callroutingrules", "", `{"and_criteria":` + criteriaJSON + `}`},

	{"Criteria.VisitorHistory", func(ctx context.Context, s *live.Service) error { return second(s.Criteria.VisitorHistory(ctx)) }, "GET " + b + "/criteriafields/visitorhistory", "", ""},
	{"Criteria.VisitorRouting", func(ctx context.Context, s *live.Service) error { return second(s.Criteria.VisitorRouting(ctx)) }, "GET " + b + "/criteriafields/visitorrouting", "", ""},
	{"Criteria.TrackingPresets", func(ctx context.Context, s *live.Service) error { return second(s.Criteria.TrackingPresets(ctx)) }, "GET " + b + "/criteriafields/trackingpresets", "", ""},

	{"LeadScoring.List", func(ctx context.Context, s *live.Service) error { return second(s.LeadScoring.List(ctx)) }, "GET " + b + "/leadscorerules", "", ""},
	{"LeadScoring.Get", func(ctx context.Context, s *live.Service) error { return second(s.LeadScoring.Get(ctx, "l1")) }, "GET " + b + "/leadscorerules/l1", "", ""},
	{"LeadScoring.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.LeadScoring.Create(ctx, &live.LeadRuleWrite{Points: 10, All: leadCriteria}))
	}, "POST " + b + "/leadscorerules", "", `{"points":10,"AND_criteria":` + leadCriteriaJSON + `}`},
	{"LeadScoring.Update", func(ctx context.Context, s *live.Service) error {
		return second(s.LeadScoring.Update(ctx, "l1", &live.LeadRuleWrite{Points: 5, All: leadCriteria}))
	}, "PUT " + b + "/leadscorerules/l1", "", `{"points":5,"AND_criteria":` + leadCriteriaJSON + `}`},
	{"LeadScoring.Enable", func(ctx context.Context, s *live.Service) error {
		return s.LeadScoring.Enable(ctx, "l1", live.Disabled)
	}, "PUT " + b + "/leadscorerules/l1", "", `{"status":"disabled"}`},
	{"LeadScoring.Delete", func(ctx context.Context, s *live.Service) error { return s.LeadScoring.Delete(ctx, "l1") }, "DELETE " + b + "/leadscorerules/l1", "", ""},
	{"LeadScoring.Config", func(ctx context.Context, s *live.Service) error { return second(s.LeadScoring.Config(ctx)) }, "GET " + b + "/leadscoreconfigs", "", ""},
	{"LeadScoring.UpdateConfig", func(ctx context.Context, s *live.Service) error { return s.LeadScoring.UpdateConfig(ctx, "yearly") }, "PUT " + b + "/leadscoreconfigs/timerange", "", `{"frequency":"yearly"}`},

	{"Triggers.List", func(ctx context.Context, s *live.Service) error { return second(s.Triggers.List(ctx)) }, "GET " + b + "/triggerrules", "", ""},
	{"Triggers.Get", func(ctx context.Context, s *live.Service) error { return second(s.Triggers.Get(ctx, "t1")) }, "GET " + b + "/triggerrules/t1", "", ""},
	{"Triggers.Create", func(ctx context.Context, s *live.Service) error { return second(s.Triggers.Create(ctx, &trigger)) }, "POST " + b + "/triggerrules", "", triggerJSON},
	{"Triggers.Update", func(ctx context.Context, s *live.Service) error {
		return second(s.Triggers.Update(ctx, "t1", &trigger))
	}, "PUT " + b + "/triggerrules/t1", "", triggerJSON},
	{"Triggers.Enable", func(ctx context.Context, s *live.Service) error { return s.Triggers.Enable(ctx, "t1", true) }, "PUT " + b + "/triggerrules/t1", "", `{"enabled":true}`},
	{"Triggers.Move", func(ctx context.Context, s *live.Service) error { return s.Triggers.Move(ctx, "t1", 3) }, "PUT " + b + "/triggerrules/t1", "", `{"position":3}`},
	{"Triggers.Delete", func(ctx context.Context, s *live.Service) error { return s.Triggers.Delete(ctx, "t1") }, "DELETE " + b + "/triggerrules/t1", "", ""},

	{"TrackingPresets.List", func(ctx context.Context, s *live.Service) error { return second(s.TrackingPresets.List(ctx)) }, "GET " + b + "/trackingpresets", "", ""},
	{"TrackingPresets.Get", func(ctx context.Context, s *live.Service) error { return second(s.TrackingPresets.Get(ctx, "p1")) }, "GET " + b + "/trackingpresets/p1", "", ""},
	{"TrackingPresets.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.TrackingPresets.Create(ctx, &preset))
	}, "POST " + b + "/trackingpresets", "", presetJSON},
	{"TrackingPresets.Update", func(ctx context.Context, s *live.Service) error {
		return second(s.TrackingPresets.Update(ctx, "p1", &preset))
	}, "PUT " + b + "/trackingpresets/p1", "", presetJSON},
	{"TrackingPresets.Enable", func(ctx context.Context, s *live.Service) error { return s.TrackingPresets.Enable(ctx, "p1", true) }, "PUT " + b + "/trackingpresets/p1", "", `{"enabled":true}`},
	{"TrackingPresets.Delete", func(ctx context.Context, s *live.Service) error { return s.TrackingPresets.Delete(ctx, "p1") }, "DELETE " + b + "/trackingpresets/p1", "", ""},

	{"HistoryViews.List", func(ctx context.Context, s *live.Service) error { return second(s.HistoryViews.List(ctx)) }, "GET " + b + "/visitorhistoryviews", "", ""},
	{"HistoryViews.Get", func(ctx context.Context, s *live.Service) error { return second(s.HistoryViews.Get(ctx, "-1")) }, "GET " + b + "/visitorhistoryviews/-1", "", ""},
	{"HistoryViews.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.HistoryViews.Create(ctx, &live.HistoryViewCreate{Name: "North", All: criteria, SortBy: "leadscore", Favorite: true}))
	}, "POST " + b + "/visitorhistoryviews", "", `{"name":"North","and_criteria":` + criteriaJSON + `,"sort_by":"leadscore","favourited":true}`},
	{"HistoryViews.Update", func(ctx context.Context, s *live.Service) error {
		return second(s.HistoryViews.Update(ctx, "v1", &live.HistoryViewUpdate{Favorite: salesiq.Set(false)}))
	}, "PUT " + b + "/visitorhistoryviews/v1", "", `{"favourited":false}`},
	{"HistoryViews.Delete", func(ctx context.Context, s *live.Service) error { return s.HistoryViews.Delete(ctx, "v1") }, "DELETE " + b + "/visitorhistoryviews/v1", "", ""},
	{"HistoryViews.Preferences", func(ctx context.Context, s *live.Service) error { return second(s.HistoryViews.Preferences(ctx)) }, "GET " + b + "/userpreferences", "", ""},
	{"HistoryViews.Select", func(ctx context.Context, s *live.Service) error { return s.HistoryViews.Select(ctx, "list_one", "v1") }, "PUT " + b + "/userpreferences/visitorhistoryviews", "", `{"list_name":"list_one","view_id":"v1"}`},

	{"Monitors.All", func(ctx context.Context, s *live.Service) error { return drain(s.Monitors.All(ctx)) }, "GET " + b + "/chatmonitors", "index=0&limit=50", ""},
	{"Monitors.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.Monitors.Create(ctx, live.MonitorVisitorEmail, "ada@post.example"))
	}, "POST " + b + "/chatmonitors", "", `{"type":"visitor_email","visitor_email":"ada@post.example"}`},
	{"Monitors.Enable", func(ctx context.Context, s *live.Service) error { return second(s.Monitors.Enable(ctx, "m1", false)) }, "PUT " + b + "/chatmonitors/m1", "", `{"enabled":false}`},
	{"Monitors.Delete", func(ctx context.Context, s *live.Service) error { return s.Monitors.Delete(ctx, "m1") }, "DELETE " + b + "/chatmonitors/m1", "", ""},

	{"BlockedIPs.All", func(ctx context.Context, s *live.Service) error { return drain(s.BlockedIPs.All(ctx)) }, "GET " + b + "/blockedips", "index=1&limit=20", ""},
	{"BlockedIPs.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.BlockedIPs.Create(ctx, &live.BlockedIPCreate{IP: "203.0.113.7", AppIDs: []string{"a1"}, Comment: "spam"}))
	}, "POST " + b + "/blockedips", "", `{"ip":"203.0.113.7","app_ids":["a1"],"comment":"spam"}`},
	{"BlockedIPs.SetStatus", func(ctx context.Context, s *live.Service) error {
		return s.BlockedIPs.SetStatus(ctx, "i1", live.UnblockIP)
	}, "PUT " + b + "/blockedips/i1", "", `{"status":"unblock"}`},
	{"BlockedIPs.Delete", func(ctx context.Context, s *live.Service) error { return s.BlockedIPs.Delete(ctx, "i1") }, "DELETE " + b + "/blockedips/i1", "", ""},

	{"Encryptions.Create", func(ctx context.Context, s *live.Service) error {
		return second(s.Encryptions.Create(ctx, []string{"ada@post.example"}))
	}, "POST /api/v2/encryptions", "", `{"type":"siqidentifiers","values":["ada@post.example"]}`},

	{"LegacyV1.Chats", func(ctx context.Context, s *live.Service) error {
		return second(s.LegacyV1.Chats(ctx, map[string]string{"limit": "5"}))
	}, "GET /api/v1/p/chats", "limit=5", ""},
	{"LegacyV1.Transcript", func(ctx context.Context, s *live.Service) error {
		return second(s.LegacyV1.Transcript(ctx, "282", &live.LegacyTranscriptParams{From: at1, To: at2, Limit: 5}))
	}, "GET /api/v1/p/chats/282/transcript", "fromtime=1700000000001&limit=5&totime=1700000000002", ""},
	{"LegacyV1.VisitorsByView", func(ctx context.Context, s *live.Service) error { return drain(s.LegacyV1.VisitorsByView(ctx, "-1")) }, "GET /api/v1/p/visitorsview/-1/visitors", "", ""},
}

// multipartOf is a form as it is sent, with the boundary B.
func multipartOf(comment, name, contentType, content string) string {
	return "--B\r\nContent-Disposition: form-data; name=\"comment\"\r\n\r\n" + comment + "\r\n--B\r\n" +
		"Content-Disposition: form-data; name=\"file\"; filename=\"" + name + "\"\r\nContent-Type: " + contentType + "\r\n\r\n" + content + "\r\n--B--\r\n"
}

var leadCriteria = []live.LeadAnyOf{{Any: []live.Criterion{{Field: "country", Comparator: live.Is, Values: []string{"canada"}}}}}

const leadCriteriaJSON = `[{"OR_criteria":[{"field_name":"country","comparator":"is","values":["canada"]}]}]`

var trigger = live.TriggerWrite{
	All: criteria, AppID: "a1", Title: "Greet", Event: live.TriggerEvent{Type: "lands_on_website"},
	Action: live.TriggerAction{Type: "send_chat_invite", Params: live.TriggerParams{SenderName: "Ada", Value: "Hi"}, Delay: 5},
}

const triggerJSON = `{"and_criteria":` + criteriaJSON + `,"app_id":"a1","title":"Greet","event":{"type":"lands_on_website"},` +
	`"action":{"type":"send_chat_invite","params":{"sender_name":"Ada","value":"Hi"},"delay":5}}`

var preset = live.TrackingPresetWrite{
	Name: "Buyers", Description: "x", Applied: true, Enabled: true,
	Rule: live.Rings{One: criteria, Two: criteria, Three: criteria, Four: criteria},
}

const presetJSON = `{"name":"Buyers","description":"x","applied":true,"enabled":true,"rule":{"ring_one":` + criteriaJSON + `,"ring_two":` + criteriaJSON +
	`,"ring_three":` + criteriaJSON + `,"ring_four":` + criteriaJSON + `}}`

func TestEachCallPutsItsPageOnTheWire(t *testing.T) {
	t.Parallel()
	for _, row := range wireRows {
		t.Run(row.call, func(t *testing.T) {
			t.Parallel()
			first := record(t, row.do)
			assert.Equal(t, row.want, first.Method+" "+first.path)
			assert.Equal(t, row.q, first.query)
			if row.body == "" {
				assert.Empty(t, first.body)
				return
			}
			if strings.HasPrefix(row.body, "--B") {
				boundary, ok := strings.CutPrefix(first.Header.Get("Content-Type"), "multipart/form-data; boundary=")
				assert.True(t, ok)
				assert.Equal(t, row.body, strings.ReplaceAll(first.body, boundary, "B"))
				return
			}
			assert.Equal(t, "application/json", first.Header.Get("Content-Type"))
			assert.JSONEq(t, row.body, first.body)
			switch row.call {
			case "Webhooks.Retry":
				assert.Equal(t, "application/json", first.Header.Get("Accept"), "what tells it from an export")
			case "Webhooks.ExportFailedExecutions":
				assert.Equal(t, "application/vnd.sealed.xlsx", first.Header.Get("Accept"))
			}
			if row.call == "Conversations.Delete" {
				assert.Equal(t, "website", first.Header.Get("X-SIQ-Channel"))
				assert.Equal(t, row.body, first.body, "every digit")
			}
		})
	}
}

// seen is a request.
type seen struct {
	*http.Request
	path, query, body string
}

// record makes a call, and returns its first request. It is answered with nothing,
// which ends all iterators, or with an empty file.
func record(t *testing.T, do func(ctx context.Context, s *live.Service) error) seen {
	t.Helper()
	var once sync.Once
	var first seen
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		once.Do(func() {
			query, err := unescaped(r.URL.RawQuery)
			assert.NoError(t, err)
			first = seen{r, r.URL.Path, query, string(body)}
		})
		if r.Header.Get("Accept") == "application/json" {
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(server.Close)
	client, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithBaseURL(server.URL), salesiq.WithPortal("p"))
	require.NoError(t, err)
	require.NoError(t, do(t.Context(), live.New(client)))
	require.NotNil(t, first.Request, "no request was made")
	return first
}

// unescaped returns a query as a person writes it.
func unescaped(raw string) (string, error) {
	values := strings.Split(raw, "&")
	for i, value := range values {
		name, text, _ := strings.Cut(value, "=")
		plain, err := unescape(text)
		if err != nil {
			return "", err
		}
		values[i] = name
		if name != "" {
			values[i] += "=" + plain
		}
	}
	return strings.Join(values, "&"), nil
}
