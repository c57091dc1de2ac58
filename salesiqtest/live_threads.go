package salesiqtest

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
)

const (
	liveThreadPage = 50
	liveCallPage   = 10
)

var threadFields = []string{"attender", "department", "brand", "metrics", "transfer_details"}

// included reads the fields to include of threads: a JSON list.
func (p *params) included() (fields []string) {
	text := p.text("include_fields")
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), &fields); err != nil || slices.ContainsFunc(fields, func(f string) bool { return !slices.Contains(threadFields, f) }) {
		p.fail("include_fields", "must be a JSON list of some of "+join(threadFields))
	}
	return fields
}

// threadID is the id of a thread, which is not its number.
func (s *state) threadID(t thread) string {
	return strconv.Itoa(1000*s.reference(t.chat.ID) + t.number)
}

// liveThread is a thread as the live service writes one. A word in it is spelled as
// the vendor does.
func (s *state) liveThread(t thread, fields []string) object {
	status, id := liveStatuses[t.status], s.threadID(t)
	question := ""
	if len(t.messages) > 0 {
		question = t.messages[0].Text
	}
	out := object{
		"id": id, "thread_id": id, "thread_number": strconv.Itoa(t.number), "conversation_id": t.chat.ID,
		"reference_id": strconv.Itoa(s.reference(t.chat.ID)), "wms_chat_id": "LD_" + t.chat.ID, "question": question,
		"status": status["label"], "status_code": status["id"], "inititated_by": "visitor", "ended_by": t.endedBy,
		"from_time": millis(t.from), "to_time": millis(t.to),
	}
	known := s.conversation(t.chat)
	more := object{
		"attender": object{"id": "", "name": "", "type": "operator"}, "department": known["department"],
		"brand": s.brandRef(t.chat), "metrics": threadMetrics(t), "transfer_details": []object{},
	}
	if operator, ok := s.operators.get(t.chat.OperatorID); ok {
		more["attender"] = object{"id": operator.ID, "name": operator.Name, "type": "operator"}
	}
	for _, field := range fields {
		out[field] = more[field]
	}
	if slices.Contains(fields, "metrics") {
		out["time"] = object{"initiated_time": millis(t.from), "connected_time": millis(t.answered())}
	}
	return out
}

// brandRef names the brand that a chat's department is of.
func (s *state) brandRef(chat *salesiq.Chat) object {
	brand, _ := s.brandOf(chat.DepartmentID)
	brand = cmp.Or(brand, &salesiq.Brand{})
	return ref(brand.ID, brand.Name)
}

// answered is when an operator first wrote in a thread.
func (t thread) answered() time.Time {
	for _, message := range t.messages {
		if message.SenderType == salesiq.SenderOperator {
			return message.Timestamp
		}
	}
	return time.Time{}
}

// threadMetrics counts and times a thread. There are no bots and no queue here.
func threadMetrics(t thread) object {
	metrics := object{"missed_reason": ""}
	for name := range strings.FieldsSeq(`bot_message_count info_message_count system_event_count bot_pickup_after bot_duration queued_duration`) {
		metrics[name] = "0"
	}
	counts := map[salesiq.SenderType]int{}
	var answers, waited time.Duration // How often, and for how long in all, the visitor waited for the operator.
	var asked time.Time               // Zero while nothing waits for an answer.
	for _, message := range t.messages {
		counts[message.SenderType]++
		switch operator := message.SenderType == salesiq.SenderOperator; {
		case operator && !asked.IsZero():
			answers, waited, asked = answers+1, waited+message.Timestamp.Sub(asked), time.Time{}
		case !operator && asked.IsZero():
			asked = message.Timestamp
		}
	}
	metrics["operator_message_count"] = strconv.Itoa(counts[salesiq.SenderOperator])
	metrics["visitor_message_count"] = strconv.Itoa(counts[salesiq.SenderVisitor])
	between := func(a, b time.Time) string {
		if a.IsZero() || b.IsZero() {
			return "0"
		}
		return durationText(b.Sub(a))
	}
	answered := between(t.from, t.answered())
	metrics["first_response_time"], metrics["visitor_waiting_time"], metrics["first_agent_accept_after"] = answered, answered, answered
	metrics["average_response_time"] = durationText(waited / max(1, answers))
	metrics["total_chat_duration"], metrics["total_operator_duration"] = between(t.from, t.to), between(t.answered(), t.to)
	if t.status == salesiq.ChatMissed {
		metrics["missed_reason"] = "no_response"
	}
	return metrics
}

// durationText writes a length of time as the live service does.
func durationText(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func listThreads(c *call) (any, error) {
	page, limit := c.query.number("page", 1, 1, endlessly), c.query.number("limit", liveThreadPage, 1, liveThreadPage)
	fields := c.query.included()
	chat, err := c.chats.find(c.id)
	if err != nil {
		return nil, err
	}
	all := []object{}
	for _, thread := range c.threads(chat) {
		all = append(all, c.liveThread(thread, fields))
	}
	return window(c, all, (page-1)*limit, limit, object{"object": c.route.object})
}

// threadInPath finds the thread that the path names.
func (c *call) threadInPath() (thread, error) {
	chat, err := c.chats.find(c.id)
	if err != nil {
		return thread{}, err
	}
	number := c.path("number")
	for _, t := range c.threads(chat) {
		if strconv.Itoa(t.number) == number {
			return t, nil
		}
	}
	return thread{}, notFound("thread", number)
}

// getThread answers with an address that ends in the id of the thread, as the vendor's
// sample does.
func getThread(c *call) (any, error) {
	fields := c.query.included()
	found, err := c.threadInPath()
	if err := cmp.Or(c.query.err, err); err != nil {
		return nil, err
	}
	c.url = strings.TrimSuffix(c.url, c.path("number")) + c.threadID(found)
	return c.liveThread(found, fields), nil
}

var callStatuses = strings.Fields("cancelled missed rejected initiated accepted ended connected") //nolint:misspell // The vendor's words.

// The parameters of the lists of calls.
const (
	threadCallFilters = "index limit include_fields"
	chatCallFilters   = threadCallFilters + " status from_time to_time sort_by order"
	callFilters       = chatCallFilters + " department_ids attender_ids brand_ids conversation_ids visitor_type email"
)

// liveCall is a call as the live service writes one.
func (s *state) liveCall(call phoneCall, fields []string) object {
	out := object{
		"id": call.ID, "type": call.Type, "status": call.Status, "created_time": millis(call.CreatedAt), "pickup_time": millis(call.PickedUp),
		"connected_time": millis(call.PickedUp), "end_time": millis(call.EndedAt), "missed_time": millis(call.MissedAt),
		"initiated_by": object{"type": "visitor", "id": ""}, "ended_by": object{"type": "", "id": ""}, "last_attender": object{"id": ""},
		"voice_message_available": false, "recording_available": false, "transcript_available": false, "summary_available": false,
	}
	chat, ok := s.chats.get(call.ChatID)
	if !ok {
		return out
	}
	out["initiated_by"] = object{"type": "visitor", "id": chat.VisitorID}
	if operator, ok := s.operators.get(chat.OperatorID); ok {
		out["last_attender"] = party(operator).only([]string{"id", "name", "email", "image_key"})
		if !call.EndedAt.IsZero() {
			out["ended_by"] = object{"type": "operator", "id": operator.ID}
		}
	}
	known := s.conversation(chat)
	more := object{
		"brand": s.brandRef(chat), "department": known["department"], "attachments": []object{}, "conversation": object{
			"id": chat.ID, "reference_id": known["reference_id"], "status": known["status"], "type": "call",
			"in_time": known["start_time"], "thread_number": s.threadOf(chat, call.CreatedAt),
		},
	}
	for _, field := range fields {
		out[field] = more[field]
	}
	return out
}

// threadOf is the number of the thread of a chat at a time.
func (s *state) threadOf(chat *salesiq.Chat, at time.Time) int {
	for _, thread := range s.threads(chat) {
		if thread.holds(at) {
			return thread.number
		}
	}
	return 1
}

// callFilter reads the filters of a list of calls. The routes say which of them a
// list takes.
func (c *call) callFilter() func(phoneCall, *salesiq.Chat) bool {
	p := &c.query
	created := span{p.milli("from_time"), p.milli("to_time")}
	status, visitors, email := oneOf(p, "status", callStatuses), oneOf(p, "visitor_type", []string{"lead", "contact"}), p.text("email")
	departments, attenders := p.list("department_ids", nil), p.list("attender_ids", nil)
	brands, chats := p.list("brand_ids", nil), p.list("conversation_ids", nil)
	in := func(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }
	return func(call phoneCall, chat *salesiq.Chat) bool {
		return created.holds(call.CreatedAt) && passes(status, call.Status) && passes(visitors, visitorType(c.visitorOf(chat))) &&
			passes(email, chat.VisitorInfo.Email) && in(departments, chat.DepartmentID) && in(attenders, chat.OperatorID) &&
			in(brands, c.brandRef(chat)["id"].(string)) && in(chats, chat.ID) //nolint:forcetypeassert // It is what brandRef writes.
	}
}

// listCalls answers with the calls of the place that within finds in the path.
func listCalls(within func(*call) (chatID string, thread int, err error)) handler {
	return func(c *call) (any, error) {
		chatID, number, err := within(c)
		if err != nil {
			return nil, err
		}
		p, matches := &c.query, c.callFilter()
		kept := slices.DeleteFunc(slices.Clone(c.calls), func(call phoneCall) bool {
			chat, ok := c.chats.get(call.ChatID)
			return !ok || !matches(call, chat) || !passes(chatID, chat.ID) || number != 0 && number != c.threadOf(chat, call.CreatedAt)
		})
		sortBy(p, "sort_by", "order", kept, map[string]func(phoneCall) time.Time{
			"initiated_time": func(call phoneCall) time.Time { return call.CreatedAt },
			"pickup_time":    func(call phoneCall) time.Time { return call.PickedUp },
			"end_time":       func(call phoneCall) time.Time { return call.EndedAt },
			"missed_time":    func(call phoneCall) time.Time { return call.MissedAt },
		})
		fields := p.list("include_fields", []string{"brand", "department", "conversation", "attachments"})
		index, limit := p.number("index", 0, 0, endlessly), p.number("limit", liveCallPage, 1, liveCallPage)
		shown := []object{}
		for _, call := range kept {
			shown = append(shown, c.liveCall(call, fields))
		}
		return window(c, shown, index, limit, object{"object": cmp.Or(c.route.object, "list")})
	}
}

// The places of calls: everywhere, in a chat, in a thread.
func everywhere(*call) (chatID string, number int, err error) { return "", 0, nil }

func inChat(c *call) (chatID string, number int, err error) {
	_, err = c.chats.find(c.id)
	return c.id, 0, err
}

func inThread(c *call) (chatID string, number int, err error) {
	found, err := c.threadInPath()
	return c.id, found.number, err
}
