package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
)

const (
	chatsPerPage   = 100
	chatID         = "chat-4711"
	listPath       = "/api/v2/chats?page=1&per_page=100"
	transcriptPath = "/api/v2/chats/" + chatID + "/transcript"
)

// listAnswer and chatAnswer are what somebody would write who reads the
// specification. All contenders but stripe-go decode into them, or into the
// same Chat.
type listAnswer struct {
	Status     string         `json:"status"`
	Data       []salesiq.Chat `json:"data"`
	Pagination struct {
		Page    int `json:"page"`
		PerPage int `json:"per_page"`
		Total   int `json:"total"`
	} `json:"pagination"`
}

type chatAnswer struct {
	Status string        `json:"status"`
	Data   *salesiq.Chat `json:"data"`
}

// plainAnswer is a listAnswer whose structs have no methods, and so are decoded by
// whichever library it is given to.
type (
	plainAnswer struct {
		Data []plainChat `json:"data"`
	}
	plainChat struct {
		ID           string             `json:"id"`
		VisitorID    string             `json:"visitor_id"`
		OperatorID   string             `json:"operator_id"`
		DepartmentID string             `json:"department_id"`
		Status       salesiq.ChatStatus `json:"status"`
		Type         salesiq.ChatType   `json:"type"`
		StartedAt    time.Time          `json:"started_at"`
		EndedAt      time.Time          `json:"ended_at"`
		Duration     salesiq.Seconds    `json:"duration"`
		Rating       *int               `json:"rating"`
		Feedback     *string            `json:"feedback"`
		Transcript   []plainMessage     `json:"transcript"`
		VisitorInfo  plainVisitor       `json:"visitor_info"`
		Tags         []string           `json:"tags"`
		CustomFields map[string]any     `json:"custom_fields"`
	}
	plainMessage struct {
		ID         string              `json:"id"`
		SenderType salesiq.SenderType  `json:"sender_type"`
		SenderID   string              `json:"sender_id"`
		Text       string              `json:"message"`
		Timestamp  time.Time           `json:"timestamp"`
		Type       salesiq.MessageType `json:"type"`
	}
	plainVisitor struct {
		Name     string `json:"name"`
		Email    string `json:"email"`
		Phone    string `json:"phone"`
		City     string `json:"city"`
		Country  string `json:"country"`
		Browser  string `json:"browser"`
		Platform string `json:"platform"`
	}
)

// lines are said in every chat.
var lines = []string{
	"Hello! The parcel that I ordered last week has not come yet, and the tracking page shows nothing but its number. " +
		"It is order A-20871: two lamps and a shelf, paid with a voucher, if that matters. Where is it by now? I asked on Monday already.",
	"Good morning, I am sorry to hear that. It left the warehouse yesterday evening and is due on Thursday before noon; " +
		"the tracking page follows when the carrier has scanned it. You will get a message an hour before it comes, and I leave a note here, so that whoever answers next time knows all of this at once, too.",
}

// chatJSON returns a chat of about 1.47 kB that has the parts of the
// specification's example.
func chatJSON(id string, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"id":%q,"visitor_id":"visitor-%05d","operator_id":"operator-%02d","department_id":"department-%d",`,
		id, 20000+n, n%17, n%5)
	fmt.Fprintf(&b, `"status":"ended","type":"live_chat","started_at":"2026-04-09T08:%02d:12.250Z","ended_at":"2026-04-09T09:%02d:40.000Z",`,
		n%60, n%60)
	fmt.Fprintf(&b, `"duration":%d,"rating":%d,"feedback":"Quick and kind, and the parcel came on the day that I was told. Thank you!","transcript":[`,
		600+n, 1+n%5)
	for i, sender := range []string{"visitor", "operator"} {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"message-%07d-%d","sender_type":%q,"sender_id":"%s-%05d","message":%q,`, n, i, sender, sender, n, lines[i])
		fmt.Fprintf(&b, `"timestamp":"2026-04-09T08:%02d:%02d.500Z","type":"text"}`, n%60, 13+i)
	}
	fmt.Fprintf(&b, `],"visitor_info":{"name":"Noor van Dijk-Jansen %d","email":"noor.van.dijk.%d@mail.test","phone":"+31 20 555 %04d",`, n, n, n)
	b.WriteString(`"city":"Utrecht","country":"Netherlands","browser":"Firefox","platform":"Linux"},`)
	fmt.Fprintf(&b, `"tags":["delivery","returning customer"],"custom_fields":{"order":"A-%05d"}}`, 20800+n)
	return b.String()
}

// listJSON returns a page of a list of so many chats.
func listJSON(page, total int) []byte { return listOf(chatsPerPage, (page-1)*chatsPerPage, total) }

// listOf returns a page of some chats, from number first on.
func listOf(chats, first, total int) []byte {
	var b strings.Builder
	b.WriteString(`{"status":"success","data":[`)
	for i := range chats {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(chatJSON(fmt.Sprintf("chat-%07d", first+i), first+i))
	}
	fmt.Fprintf(&b, `],"pagination":{"page":%d,"per_page":%d,"total":%d}}`, 1+first/chats, chats, total)
	return []byte(b.String())
}

// rotation is how many different answers take turns.
const rotation = 16

func pagesJSON() (pages [][]byte) {
	for page := range rotation {
		pages = append(pages, listJSON(1+page, rotation*chatsPerPage))
	}
	return pages
}

func objectsJSON() (objects [][]byte) {
	for n := range rotation {
		objects = append(objects, []byte(`{"status":"success","data":`+chatJSON(chatID, 4711+n)+`}`))
	}
	return objects
}

func objectJSON() []byte { return []byte(`{"status":"success","data":` + chatJSON(chatID, 4711) + `}`) }

// transcriptJSON returns the transcript of a chat.
func transcriptJSON() []byte {
	_, after, _ := strings.Cut(chatJSON(chatID, 4711), `"transcript":`)
	transcript, _, _ := strings.Cut(after, `,"visitor_info"`)
	return []byte(`{"status":"success","data":` + transcript + `}`)
}

// customersJSON returns a list in the shape that stripe-go asks for, as large as
// a page of chats.
func customersJSON() []byte {
	var b strings.Builder
	b.WriteString(`{"object":"list","url":"/v1/customers","has_more":false,"data":[`)
	for n := range chatsPerPage {
		if n > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"cus_%08d","object":"customer","address":{"city":"Utrecht","country":"NL","line1":"Oudegracht %d",`+
			`"postal_code":"3511 AB","state":"UT"},"balance":%d,"created":%d,"currency":"eur","delinquent":false,`+
			`"description":%q,"email":"noor.%d@mail.test","invoice_prefix":"A%07d","livemode":false,`+
			`"metadata":{"order":"A-%05d","note":%q,"voucher":"yes"},"name":"Noor van Dijk %d","next_invoice_sequence":%d,`+
			`"phone":"+31 20 555 %04d","preferred_locales":["nl","en"],"shipping":{"address":{"city":"Utrecht","country":"NL",`+
			`"line1":"Oudegracht %d","postal_code":"3511 AB","state":"UT"},"name":"Noor van Dijk","phone":"+31 20 555 0000"},`+
			`"tax_exempt":"none","invoice_settings":{"footer":%q}}`,
			n, n, n, 1_700_000_000+n, lines[0], n, n, n, lines[1], n, n, n, n, lines[0])
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}
