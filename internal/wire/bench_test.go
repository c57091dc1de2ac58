//go:build unix

package wire

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// benchChat has the fields of a chat of the specification.
type (
	benchChat struct {
		ID           string             `json:"id"`
		VisitorID    string             `json:"visitor_id"`
		OperatorID   string             `json:"operator_id"`
		DepartmentID string             `json:"department_id"`
		Status       benchWord          `json:"status"`
		Type         benchWord          `json:"type"`
		StartedAt    time.Time          `json:"started_at"`
		EndedAt      time.Time          `json:"ended_at"`
		Duration     float64            `json:"duration"`
		Rating       *int               `json:"rating"`
		Feedback     *string            `json:"feedback"`
		Transcript   []benchMessage     `json:"transcript"`
		VisitorInfo  benchVisitor       `json:"visitor_info"`
		Tags         []string           `json:"tags"`
		CustomFields map[string]any     `json:"custom_fields"`
		Extra        map[string]rawJSON `json:",embed"`
	}
	benchMessage struct {
		ID         string             `json:"id"`
		SenderType benchWord          `json:"sender_type"`
		SenderID   string             `json:"sender_id"`
		Text       string             `json:"message"`
		Timestamp  time.Time          `json:"timestamp"`
		Type       benchWord          `json:"type"`
		Extra      map[string]rawJSON `json:",embed"`
	}
	benchVisitor struct {
		Name     string             `json:"name"`
		Email    string             `json:"email"`
		Phone    string             `json:"phone"`
		City     string             `json:"city"`
		Country  string             `json:"country"`
		Browser  string             `json:"browser"`
		Platform string             `json:"platform"`
		Extra    map[string]rawJSON `json:",embed"`
	}
	benchWord string
	rawJSON   = json.RawMessage
)

var benchLines = []string{
	"Hello! The parcel that I ordered last week has not come yet, and the tracking page shows nothing but its number. " +
		"It is order A-20871: two lamps and a shelf, paid with a voucher, if that matters. Where is it by now? I asked on Monday already.",
	"Good morning, I am sorry to hear that. It left the warehouse yesterday evening and is due on Thursday before noon; " +
		"the tracking page follows when the carrier has scanned it. You will get a message an hour before it comes, and I leave a note here, so that whoever answers next time knows all of this at once, too.",
}

// benchPage returns a page of 147 kB, with a hundred chats.
func benchPage() string {
	var b strings.Builder
	b.WriteString(`{"status":"success","data":[`)
	for n := range 100 {
		if n > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"chat-%07d","visitor_id":"visitor-%05d","operator_id":"operator-%02d","department_id":"department-%d",`, n, 20000+n, n%17, n%5)
		fmt.Fprintf(&b, `"status":"ended","type":"live_chat","started_at":"2026-04-09T08:%02d:12.250Z","ended_at":"2026-04-09T09:%02d:40.000Z",`, n%60, n%60)
		fmt.Fprintf(&b, `"duration":%d,"rating":%d,"feedback":"Quick and kind, and the parcel came on the day that I was told. Thank you!","transcript":[`, 600+n, 1+n%5)
		for i, sender := range []string{"visitor", "operator"} {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"id":"message-%07d-%d","sender_type":%q,"sender_id":"%s-%05d","message":%q,"timestamp":"2026-04-09T08:%02d:%02d.500Z","type":"text"}`,
				n, i, sender, sender, n, benchLines[i], n%60, 13+i)
		}
		fmt.Fprintf(&b, `],"visitor_info":{"name":"Noor van Dijk-Jansen %d","email":"noor.van.dijk.%d@mail.test","phone":"+31 20 555 %04d",`, n, n, n)
		b.WriteString(`"city":"Utrecht","country":"Netherlands","browser":"Firefox","platform":"Linux"},`)
		fmt.Fprintf(&b, `"tags":["delivery","returning customer"],"custom_fields":{"order":"A-%05d"}}`, 20800+n)
	}
	b.WriteString(`],"pagination":{"page":1,"per_page":100,"total":1000}}`)
	return b.String()
}

// benchPages returns variants of the page by what they are odd in.
func benchPages() map[string]string {
	page := benchPage()
	last := strings.LastIndex(page, `"duration":`)
	return map[string]string{
		"specified":       page,
		"unknown members": strings.ReplaceAll(page, `"status":"ended"`, `"channel":{"kind":"web","since":3},"queue":"a \"b\"","status":"ended"`),
		"offsets":         strings.ReplaceAll(page, `0Z"`, `0+05:30"`),
		"escapes":         strings.ReplaceAll(page, `Monday already.`, `Monday already.\nThank you \ud83d\ude00`),
		"cut emoji":       strings.ReplaceAll(page, `Monday already.`, `Monday already. \ud83d`),
		"a duplicate":     page[:last] + `"status":"ended",` + page[last:],
		"a misfit":        page[:last] + `"duration":"1e1",` + page[last+len(`"duration":699,`):],
	}
}

// liveItem has the fields of a conversation of the live service.
type liveItem struct {
	ID         string             `json:"id"`
	Reference  string             `json:"reference_id"`
	Type       string             `json:"type"`
	Question   string             `json:"question"`
	Status     string             `json:"status"`
	State      liveState          `json:"chat_status"`
	Visitor    liveParty          `json:"visitor"`
	Attender   liveParty          `json:"attender"`
	AppID      string             `json:"app_id"`
	StartedAt  time.Time          `json:"start_time"`
	AttendedAt time.Time          `json:"attended_time"`
	MissedAt   time.Time          `json:"missed_time"`
	EndedAt    time.Time          `json:"end_time"`
	Extra      map[string]rawJSON `json:",embed"`
}

type (
	liveState struct {
		State  int                `json:"state"`
		Key    string             `json:"state_key"`
		Status int                `json:"status_code"`
		Extra  map[string]rawJSON `json:",embed"`
	}
	liveParty struct {
		ID    string             `json:"id"`
		Name  string             `json:"name"`
		Email string             `json:"email"`
		IsBot bool               `json:"is_bot"`
		Extra map[string]rawJSON `json:",embed"`
	}
)

// livePage returns a page as the live service writes it, or the same as specified.
func livePage(live bool) string {
	item := `{"id":"4052600000000%04d","reference_id":"%d","type":"chat","question":"Where is my parcel, please? It should have come on Monday.","status":"Attended Online",` +
		`"chat_status":{"state":3,"state_key":"ended","status_code":2},"visitor":{"id":"19000000%06d","name":"Noor van Dijk","email":"noor.%d@mail.test","is_bot":false},` +
		`"attender":{"id":"190000000331","name":"Mia Lang","email":"mia@desk.test","is_bot":false},"app_id":"9001","start_time":"2021-02-10T07:54:13.720Z",` +
		`"attended_time":"2021-02-10T07:54:20.020Z","missed_time":null,"end_time":"2021-02-10T08:01:02.000Z"}`
	if live {
		item = `{"id":4052600000000%04d,"reference_id":%d,"type":"chat","question":"Where is my parcel, please? It should have come on Monday.","status":"Attended Online",` +
			`"chat_status":{"state":"3","state_key":"ended","status_code":"2"},"visitor":{"id":"19000000%06d","name":"Noor van Dijk","email":"noor.%d@mail.test","is_bot":"false"},` +
			`"attender":{"id":190000000331,"name":"Mia Lang","email":"mia@desk.test","is_bot":0},"app_id":9001,"start_time":"1612943653720",` +
			`"attended_time":"1612943660020","missed_time":"-1","end_time":1612944062000}`
	}
	var items []string
	for n := range 100 {
		items = append(items, fmt.Sprintf(item, n, n, n, n))
	}
	return `{"url":"/api/v2/x/conversations","object":"list","data":[` + strings.Join(items, ",") + `],"more_data_available":false}`
}

// contest runs contenders in turns and reports how long the first takes beside
// each other: the median of the ratios of all rounds.
func contest(b *testing.B, names []string, contenders ...func()) {
	b.Helper()
	const turn = 60
	ratios := make([][]float64, len(contenders))
	for b.Loop() {
		var took []float64
		for _, decode := range contenders {
			runtime.GC()
			begin := processorTime(b)
			for range turn {
				decode()
			}
			took = append(took, float64(processorTime(b)-begin))
		}
		for i := range took {
			ratios[i] = append(ratios[i], took[0]/took[i])
		}
	}
	for i, name := range names {
		slices.Sort(ratios[i+1])
		b.ReportMetric(ratios[i+1][len(ratios[i+1])/2], "of-"+name)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(testing.AllocsPerRun(3, contenders[0]), "allocs")
}

// processorTime is what this process has used, garbage collector included.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var use syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &use))
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// go test -run '^$' -bench Plans -benchtime 50x ./internal/wire.
func BenchmarkPlansBesideTheLibrary(b *testing.B) {
	for name, text := range benchPages() {
		b.Run(name, func(b *testing.B) {
			body := []byte(text)
			contest(b, []string{"library"}, listDecoder[benchChat](b, body, true), listDecoder[benchChat](b, body, false))
		})
	}
	b.Run("live", func(b *testing.B) {
		body, specified := []byte(livePage(true)), []byte(livePage(false))
		contest(b, []string{"library", "specified"}, listDecoder[liveItem](b, body, true), listDecoder[liveItem](b, body, false),
			listDecoder[liveItem](b, specified, true))
	})
	b.Run("one chat", func(b *testing.B) {
		page := benchPage()
		end := strings.Index(page, `,{"id":"chat-0000001"`)
		body := []byte(`{"status":"success","data":` + page[strings.Index(page, `[`)+1:end] + `}`)
		many := func(decode func([]byte, any) error) func() {
			return func() {
				for range 50 {
					var env envelope[benchChat]
					require.NoError(b, decode(body, &env))
				}
			}
		}
		contest(b, []string{"library"}, many(UnmarshalLenient), many(unmarshalAsIs))
	})
	b.Run("floor", func(b *testing.B) {
		body := []byte(benchPage())
		contest(b, []string{"floor"}, listDecoder[benchChat](b, body, true), func() {
			h := byHand{scan: scan{text: body}}
			require.Len(b, h.page(), 100)
		})
	})
}

// listDecoder decodes a list by plan, or as the library does alone.
func listDecoder[T any](b *testing.B, body []byte, byPlan bool) func() {
	b.Helper()
	return func() {
		var env envelope[[]T]
		decode := UnmarshalLenient
		if !byPlan {
			decode = unmarshalAsIs
		}
		if err := decode(body, &env); err != nil || len(*env.Data) != 100 {
			b.Fatal(err)
		}
	}
}

// byHand is what somebody might write who needs nothing but that one page: the floor.
type byHand struct {
	scan

	d decoding
}

func (h *byHand) page() (chats []benchChat) {
	chats = make([]benchChat, 0, 100)
	h.members(func(name []byte) {
		if string(name) != "data" {
			h.skip()
			return
		}
		h.items(func() {
			chats = append(chats, benchChat{})
			h.chat(&chats[len(chats)-1])
		})
	})
	return chats
}

func (h *byHand) members(member func(name []byte)) {
	h.take('{')
	for !h.take('}') {
		name, _ := h.plain()
		h.take(':')
		member(name)
		h.take(',')
	}
}

func (h *byHand) items(item func()) {
	h.take('[')
	for !h.take(']') {
		item()
		h.take(',')
	}
}

func (h *byHand) plain() (text []byte, ok bool) {
	h.peek()
	return h.plainText()
}

func (h *byHand) string() string {
	text, _ := h.plain()
	return string(text)
}

func (h *byHand) short() string {
	text, _ := h.plain()
	h.d.sharing = true
	return h.d.string(text)
}

func (h *byHand) time() time.Time {
	text, _ := h.plain()
	at, _ := instantOf(text)
	return at
}

func (h *byHand) number() float64 {
	h.peek()
	literal, _, _ := h.scan.number()
	n, _ := wholeOf(literal)
	return float64(n)
}

func (h *byHand) chat(c *benchChat) {
	h.members(func(name []byte) {
		switch string(name) {
		case "id":
			c.ID = h.string()
		case "visitor_id":
			c.VisitorID = h.string()
		case "operator_id":
			c.OperatorID = h.short()
		case "department_id":
			c.DepartmentID = h.short()
		case "status":
			c.Status = benchWord(h.short())
		case "type":
			c.Type = benchWord(h.short())
		case "started_at":
			c.StartedAt = h.time()
		case "ended_at":
			c.EndedAt = h.time()
		case "duration":
			c.Duration = h.number()
		case "rating":
			rating := int(h.number())
			c.Rating = &rating
		case "feedback":
			feedback := h.string()
			c.Feedback = &feedback
		case "transcript":
			c.Transcript = make([]benchMessage, 0, 2)
			h.items(func() {
				c.Transcript = append(c.Transcript, benchMessage{})
				h.message(&c.Transcript[len(c.Transcript)-1])
			})
		case "visitor_info":
			h.visitor(&c.VisitorInfo)
		case "tags":
			c.Tags = make([]string, 0, 2)
			h.items(func() { c.Tags = append(c.Tags, h.short()) })
		case "custom_fields":
			c.CustomFields = map[string]any{}
			h.members(func(name []byte) { c.CustomFields[string(name)] = h.string() })
		}
	})
}

func (h *byHand) message(m *benchMessage) {
	h.members(func(name []byte) {
		switch string(name) {
		case "id":
			m.ID = h.string()
		case "sender_type":
			m.SenderType = benchWord(h.short())
		case "sender_id":
			m.SenderID = h.string()
		case "message":
			m.Text = h.string()
		case "timestamp":
			m.Timestamp = h.time()
		case "type":
			m.Type = benchWord(h.short())
		}
	})
}

func (h *byHand) visitor(v *benchVisitor) {
	h.members(func(name []byte) {
		switch string(name) {
		case "name":
			v.Name = h.string()
		case "email":
			v.Email = h.string()
		case "phone":
			v.Phone = h.string()
		case "city":
			v.City = h.short()
		case "country":
			v.Country = h.short()
		case "browser":
			v.Browser = h.short()
		case "platform":
			v.Platform = h.short()
		}
	})
}

func TestTheFloorIsRight(t *testing.T) {
	t.Parallel()
	body := []byte(benchPage())
	want, _, err := DecodeList[benchChat](body)
	require.NoError(t, err)
	h := byHand{scan: scan{text: body}}
	require.Equal(t, want, h.page())
	require.Greater(t, len(body), 145_000, strconv.Itoa(len(body)))
}
