package live_test

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
)

// botVisitorJSON has each field that the vendor's pages show of a visitor.
const botVisitorJSON = `{"name":"Amira Osei","email":"amira@post.example","phone":"+31201234567",` +
	`"active_conversation_id":"74100250000000777","visitid":"282","channel":"Website","question":"Hello","browser":"Firefox","os":"Linux",` +
	`"country":"Netherlands","state":"Utrecht","city":"Utrecht","time_zone":"Europe/Amsterdam","language":"nl",` +
	`"campaign_source":"letter","campaign_medium":"email","campaign_content":"spring",` +
	`"current_page_url":"https://nordlicht.example/tents","current_page_title":"Tents",` +
	`"landing_page_url":"https://nordlicht.example/","landing_page_title":"Nordlicht",` +
	`"previous_page_url":"https://nordlicht.example/maps","previous_page_title":"Maps","lead_score":12345678901234567890}`

var botVisitor = live.BotVisitor{
	Name: "Amira Osei", Email: "amira@post.example", Phone: "+31201234567",
	ConversationID: "74100250000000777", VisitID: "282", Channel: live.BotChannelWebsite, Question: "Hello", Browser: "Firefox", OS: "Linux",
	Country: "Netherlands", State: "Utrecht", City: "Utrecht", TimeZone: "Europe/Amsterdam", Language: "nl",
	CampaignSource: "letter", CampaignMedium: "email", CampaignContent: "spring",
	CurrentPageURL: "https://nordlicht.example/tents", CurrentPageTitle: "Tents",
	LandingPageURL: "https://nordlicht.example/", LandingPageTitle: "Nordlicht",
	PreviousPageURL: "https://nordlicht.example/maps", PreviousPageTitle: "Maps",
	Extra: map[string]json.RawMessage{"lead_score": json.RawMessage("12345678901234567890")},
}

// caught is what the handlers of a bot have got.
type caught struct {
	trigger *live.BotTrigger
	message *live.BotMessage
	context *live.BotContext
	failure *live.BotFailure
}

// ask sends a request to a bot with a handler for each kind.
func (c *caught) ask(t *testing.T, body string) {
	t.Helper()
	bot, err := live.NewBot(
		live.Unsigned(),
		live.OnTrigger(func(_ context.Context, r *live.BotTrigger) (*live.BotAnswer, error) {
			c.trigger = r
			return live.Reply("trigger"), nil
		}),
		live.OnMessage(func(_ context.Context, r *live.BotMessage) (*live.BotAnswer, error) {
			c.message = r
			return live.Reply("message"), nil
		}),
		live.OnContext(func(_ context.Context, r *live.BotContext) (*live.BotAnswer, error) {
			c.context = r
			return live.Reply("context"), nil
		}),
		live.OnFailure(func(_ context.Context, r *live.BotFailure) (*live.BotAnswer, error) {
			c.failure = r
			return live.Reply("failure"), nil
		}),
	)
	require.NoError(t, err)
	status, _ := ask(t, bot, body)
	require.Equal(t, http.StatusOK, status)
	require.NoError(t, bot.Shutdown(t.Context()))
}

// ask sends a request to a bot, and returns its answer.
func ask(t *testing.T, bot http.Handler, body string) (status int, answer string) {
	t.Helper()
	w := httptest.NewRecorder()
	bot.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/bot", strings.NewReader(body)))
	return w.Code, w.Body.String()
}

func TestEachRequestToABotIsReadWhole(t *testing.T) {
	t.Parallel()
	var c caught
	trigger := `{"handler":"trigger","visitor":` + botVisitorJSON + `,"org_id":"55778119","request":{"id":"7d5a0c66-1"}}`
	c.ask(t, trigger)
	require.NotNil(t, c.trigger)
	assert.Equal(t, "7d5a0c66-1", c.trigger.ID)
	assert.Equal(t, "55778119", c.trigger.OrgID)
	assert.Equal(t, botVisitor, c.trigger.Visitor)
	assert.Equal(t, trigger, string(c.trigger.Body))
	assert.Empty(t, c.trigger.Extra)

	c.ask(t, `{"handler":"message","operation":"chat","visitor":`+botVisitorJSON+`,"org_id":55778119,"request":{"id":7,"attempt":2},
		"message":{"text":"Where is my order?","type":"text","meta":{"suggestions":["a"],"x":1},"msgid":"m1"},
		"attachments":[{"name":"a.png"}],"platform":"webhook"}`)
	require.NotNil(t, c.message)
	assert.Equal(t, live.FirstTurn, c.message.Operation)
	assert.Equal(t, "7", c.message.ID, "a number is taken for a text")
	assert.Equal(t, "55778119", c.message.OrgID)
	assert.Equal(t, "Where is my order?", c.message.Text)
	assert.Equal(t, "text", c.message.Type)
	assert.Equal(t, live.MessageMeta{Suggestions: []string{"a"}, Extra: map[string]json.RawMessage{"x": json.RawMessage("1")}}, c.message.Meta)
	assert.Equal(t, []json.RawMessage{json.RawMessage(`{"name":"a.png"}`)}, c.message.Attachments)
	assert.Equal(t, map[string]json.RawMessage{
		"platform": json.RawMessage(`"webhook"`), "request": json.RawMessage(`{"attempt":2}`), "message": json.RawMessage(`{"msgid":"m1"}`),
	}, c.message.Extra)

	c.ask(t, `{"handler":"message","operation":"message","visitor":{},"request":{"id":"8"},"message":{"text":"Yes"},"attachments":[]}`)
	assert.Equal(t, live.LaterTurn, c.message.Operation)
	assert.Equal(t, "Yes", c.message.Text)
	assert.Empty(t, c.message.Attachments)
	c.ask(t, `{"handler":"message","request":{"id":"8"},"message":"Yes"}`)
	assert.Equal(t, "Yes", c.message.Text, "a bare text is one, too")
	c.ask(t, `{"handler":"message","request":{"id":"8","attempt":2},"message":"Yes"}`)
	assert.Equal(t, map[string]json.RawMessage{"request": json.RawMessage(`{"attempt":2}`)}, c.message.Extra)

	c.ask(t, `{"handler":"failure","visitor":{"name":"A"},"request":{"id":"9"},"failed_response":{"action":"forward","replies":["x"]},
		"cause":{"code":1002,"desc":"operators_not_available","more":true}}`)
	require.NotNil(t, c.failure)
	assert.Equal(t, "9", c.failure.ID)
	assert.JSONEq(t, `{"action":"forward","replies":["x"]}`, string(c.failure.FailedAnswer))
	assert.Equal(t, live.BotCause{
		Code: live.CauseNoOperators, Description: "operators_not_available", Extra: map[string]json.RawMessage{"more": json.RawMessage("true")},
	}, c.failure.Cause)
}

// The vendor's pages give the answers of a context two types, and others have seen a
// third.
func TestAnswersOfAContextAreReadInEachForm(t *testing.T) {
	t.Parallel()
	for name, answers := range map[string]string{
		"a map":                    `{"name":"Amira","order":1234567890123456789}`,
		"a text with a map":        `"{\"name\":\"Amira\",\"order\":\"1234567890123456789\"}"`,
		"objects by name":          `{"name":{"text":"Amira"},"order":{"text":"1234567890123456789","type":"text"}}`,
		"objects of other members": `{"name":{"text":"Amira","attachments":[]},"order":{"message":"1234567890123456789"}}`,
	} {
		var c caught
		c.ask(t, `{"handler":"context","visitor":{},"org_id":"1","request":{"id":"c1"},"context_id":"order","answers":`+answers+`}`)
		require.NotNil(t, c.context, name)
		assert.Equal(t, "order", c.context.ContextID, name)
		assert.Equal(t, "Amira", c.context.Answer("name"), name)
		assert.Equal(t, "1234567890123456789", c.context.Answer("order"), name)
		assert.Empty(t, c.context.Answer("age"), name)
	}
	for _, answers := range []string{`null`, `"free text"`, `[1]`, `5`} {
		var c caught
		c.ask(t, `{"handler":"context","request":{"id":"c1"},"context_id":"order","answers":`+answers+`}`)
		require.NotNil(t, c.context, answers)
		assert.Empty(t, c.context.Answers, answers)
		assert.Contains(t, string(c.context.Body), answers, "it is in the body")
	}
}

var day = time.UnixMilli(1798675200000)

// Each row is written by hand from the vendor's pages.
var botAnswers = map[string]struct {
	answer *live.BotAnswer
	want   string
}{
	"reply":                   {live.Reply("Hello", "How can I help?"), `{"action":"reply","replies":["Hello","How can I help?"]}`},
	"suggestions":             {live.Reply("Which?").Suggest("Tents", "Maps"), `{"action":"reply","replies":["Which?"],"suggestions":["Tents","Maps"]}`},
	"forward":                 {live.Forward("Wait"), `{"action":"forward","replies":["Wait"]}`},
	"forward to operators":    {live.Forward("Wait").ToOperators("a@x.example"), `{"action":"forward","replies":["Wait"],"operators":["a@x.example"]}`},
	"forward to a department": {live.Forward("Wait").ToDepartment("d1"), `{"action":"forward","replies":["Wait"],"department":"d1"}`},
	"pending":                 {live.Pending("Wait"), `{"action":"pending","replies":["Wait"]}`},
	"operator busy":           {live.OperatorBusy("Leave a message"), `{"action":"operator_busy","replies":["Leave a message"]}`},
	"block":                   {live.Block("No"), `{"action":"block","replies":["No"]}`},
	"end":                     {live.End("Bye"), `{"action":"end","replies":["Bye"]}`},
	"context": {
		live.AskQuestions(
			"order",
			live.Question("name", "Your name?").Ask(live.NameCard{Placeholder: "Name"}),
			live.Question("size", "Which size?").With(live.ImageReply{Image: "https://x.example/s.png"}).Suggest("S", "M"),
		),
		`{"action":"context","context_id":"order","questions":[` +
			`{"name":"name","replies":["Your name?"],"input":{"type":"name","placeholder":"Name"}},` +
			`{"name":"size","replies":["Which size?",{"image":"https://x.example/s.png"}],"suggestions":["S","M"]}]}`,
	},
	"stored answer": {
		live.Reply().With(live.TextReply{Text: "Your email?", FieldName: "siq_email", Validate: map[string]any{"format": "email"}}),
		`{"action":"reply","replies":[{"text":"Your email?","field_name":"siq_email","validate":{"format":"email"}}]}`,
	},
	"icon":  {live.Reply().With(live.TextReply{Text: "Hi", Icon: "https://x.example/i.png"}), `{"action":"reply","replies":[{"text":"Hi","icon":"https://x.example/i.png"}]}`},
	"image": {live.Reply("See").With(live.ImageReply{Text: "A tent", Image: "https://x.example/t.png"}), `{"action":"reply","replies":["See",{"text":"A tent","image":"https://x.example/t.png"}]}`},
	"file": {
		live.Reply().With(live.FileReply{Text: "The map", URL: "https://x.example/m.pdf", Headers: map[string]salesiq.Secret{"Authorization": salesiq.NewSecret("hush")}}),
		`{"action":"reply","replies":[{"type":"file","text":"The map","url":"https://x.example/m.pdf","headers":{"Authorization":"hush"}}]}`,
	},
	"articles": {
		live.Reply().With(live.ArticlesReply{Text: "Read", Image: "https://x.example/a.png", Description: "All", Articles: []string{"7410025000000071"}}),
		`{"action":"reply","replies":[{"type":"articles","text":"Read","image":"https://x.example/a.png","description":"All","articles":["7410025000000071"]}]}`,
	},
	"links": {
		live.Reply().With(live.LinksReply{Text: "Go", Links: []live.BotLink{{URL: "https://x.example", Text: "X", Icon: "https://x.example/i.png"}, {URL: "tel:+31201234567"}}}),
		`{"action":"reply","replies":[{"type":"links","text":"Go","links":[{"url":"https://x.example","text":"X","icon":"https://x.example/i.png"},{"url":"tel:+31201234567"}]}]}`,
	},
	"video": {
		live.Reply().With(live.VideoReply{Text: "Watch", URL: "https://x.example/v.mp4", Subtitles: "https://x.example/v.vtt", Thumbnail: "https://x.example/v.png"}),
		`{"action":"reply","replies":[{"type":"video","text":"Watch","url":"https://x.example/v.mp4","subtitles":"https://x.example/v.vtt","thumbnail":"https://x.example/v.png"}]}`,
	},
	"one product": {
		live.Reply().With(live.ProductReply{
			Text: "Ours", Title: "Tent", Subtitle: "Small", Elements: []live.BotPicture{{ID: "1", Image: "https://x.example/1.png"}},
			Actions: []live.BotButton{{Label: "Buy", Name: "buy", Link: "https://x.example/buy"}, {Label: "Cart", Name: "cart", ClientAction: "addToCart"}},
		}),
		`{"action":"reply","replies":[{"type":"single-product","text":"Ours","title":"Tent","subtitle":"Small","elements":[{"id":"1","image":"https://x.example/1.png"}],` +
			`"actions":[{"label":"Buy","name":"buy","type":"url","link":"https://x.example/buy"},{"label":"Cart","name":"cart","type":"client_action","clientaction_name":"addToCart"}]}]}`,
	},
	"products": {
		live.Reply().With(live.ProductsReply{Text: "Ours", Elements: []live.BotProduct{{
			ID: "1", Title: "Tent", Subtitle: "Small", Image: "https://x.example/1.png", Actions: []live.BotButton{{Label: "Buy", Name: "buy", Link: "https://x.example/buy"}},
		}}}),
		`{"action":"reply","replies":[{"type":"multiple-product","text":"Ours","elements":[{"id":"1","title":"Tent","subtitle":"Small","image":"https://x.example/1.png",` +
			`"actions":[{"label":"Buy","name":"buy","type":"url","link":"https://x.example/buy"}]}]}]}`,
	},
	"delay": {
		live.Reply().With(live.DelayReply{Messages: []string{"Looking", "Still looking"}, Time: 4}, live.TextReply{Text: "Here"}),
		`{"action":"reply","replies":[{"delay_config":{"enabled":true,"info_messages":["Looking","Still looking"],"type":"all","time":4}},"Here"]}`,
	},
	"free reply": {live.Reply().With(live.FreeReply{map[string]any{"type": "carousel", "n": 1}}), `{"action":"reply","replies":[{"n":1,"type":"carousel"}]}`},
}

// botCards has the JSON of each card, within an answer.
var botCards = map[string]struct {
	card live.BotCard
	want string
}{
	"select":          {live.SelectCard{Options: []string{"S", "M"}}, `{"type":"select","options":["S","M"]}`},
	"multiple-select": {live.MultiSelectCard{Options: []string{"S", "M", "L"}, MaxSelection: 2}, `{"type":"multiple-select","options":["S","M","L"],"max_selection":2}`},
	"drop-down": {
		live.DropDownCard{
			Options: []live.DropDownOption{{Value: "nl", Label: "Netherlands", Selected: true}, {Value: "be", Label: "Belgium"}}, Placeholder: "Country",
			Multiple: true, SelectLabel: "Choose", MinSelection: 1, MaxSelection: 2,
		},
		`{"type":"drop-down","options":[{"value":"nl","label":"Netherlands","selected":true},{"value":"be","label":"Belgium"}],"placeholder":"Country",` +
			`"multiple":true,"select_label":"Choose","min_selection":1,"max_selection":2}`,
	},
	"slider":       {live.SliderCard{Values: []string{"1", "2"}}, `{"type":"slider","values":["1","2"]}`},
	"range-slider": {live.RangeSliderCard{Values: []string{"1", "2"}}, `{"type":"range-slider","values":["1","2"]}`},
	"calendar": {
		live.CalendarCard{From: live.CalendarDays(-2), To: live.CalendarDays(10), WithTime: true, TimeFormat: "24", WithZone: true, Label: "When?", SelectLabel: "Choose"},
		`{"type":"calendar","from":"-2","to":"+10","time":true,"time_format":"24","tz":true,"label":"When?","select_label":"Choose"}`,
	},
	"calendar from a day": {live.CalendarCard{From: live.CalendarTime(day)}, `{"type":"calendar","from":1798675200000}`},
	"range-calendar":      {live.RangeCalendarCard{To: live.CalendarDays(5)}, `{"type":"range-calendar","to":"+5"}`},
	"timeslots": {
		live.TimeSlotsCard{Date: "31/12/2026", Slots: []string{"09:30", "10:00"}, ZoneID: "Europe/Paris", WithZone: true, Label: "When?"},
		`{"type":"timeslots","date":"31/12/2026","slots":["09:30","10:00"],"time_zone_id":"Europe/Paris","tz":true,"label":"When?"}`,
	},
	"date-timeslots": {
		live.DateTimeSlotsCard{Slots: map[string][]string{"31/12/2026": {"09:30"}}, Label: "When?", ZoneID: "Europe/Paris", WithZone: true},
		`{"type":"date-timeslots","slots":{"31/12/2026":["09:30"]},"label":"When?","time_zone_id":"Europe/Paris","tz":true}`,
	},
	"location": {
		live.LocationCard{Lat: new(0.0), Lng: new(5.25), Radius: "9 kms", Label: "Where?", SelectLabel: "Here"},
		`{"type":"location","lat":0,"lng":5.25,"radius":"9 kms","label":"Where?","select_label":"Here"}`,
	},
	"location of the device": {live.LocationCard{}, `{"type":"location"}`},
	"email":                  {live.EmailCard{Placeholder: "Email", Value: "a@", Errors: []string{"Again?"}}, `{"type":"email","placeholder":"Email","value":"a@","error":["Again?"]}`},
	"tel":                    {live.PhoneCard{Placeholder: "Phone", Value: "1", Errors: []string{"Again?"}, CountryCode: "+33"}, `{"type":"tel","placeholder":"Phone","value":"1","error":["Again?"],"country_code":"+33"}`},
	"name":                   {live.NameCard{Placeholder: "Name", Value: "A", Errors: []string{"Again?"}}, `{"type":"name","placeholder":"Name","value":"A","error":["Again?"]}`},
	"name of another type":   {live.NameCard{Type: "visitor_name", Placeholder: "Name"}, `{"type":"visitor_name","placeholder":"Name"}`},
	"happiness-rating":       {live.HappinessCard{Level: 5, SetRating: true}, `{"type":"happiness-rating","level":5,"set_conversation_rating":true}`},
	"star-rating":            {live.StarsCard{Level: 10}, `{"type":"star-rating","level":10}`},
	"like":                   {live.LikeCard{SetRating: true}, `{"type":"like","set_conversation_rating":true}`},
	"free":                   {live.FreeCard{json.RawMessage(`{"type":"signature"}`)}, `{"type":"signature"}`},
}

// answering returns a bot that gives an answer to each message.
func answering(t *testing.T, answer *live.BotAnswer, opts ...live.BotOption) *live.Bot {
	t.Helper()
	return newBot(t, func(context.Context, *live.BotMessage) (*live.BotAnswer, error) { return answer, nil }, opts...)
}

// newBot returns a bot with a handler for messages.
func newBot(t *testing.T, handle func(context.Context, *live.BotMessage) (*live.BotAnswer, error), opts ...live.BotOption) *live.Bot {
	t.Helper()
	bot, err := live.NewBot(live.Unsigned(), append([]live.BotOption{live.OnMessage(handle)}, opts...)...)
	require.NoError(t, err)
	return bot
}

const botMessage = `{"handler":"message","operation":"message","visitor":{"name":"Amira"},"org_id":"1","request":{"id":"r1"},"message":{"text":"Hello"},"attachments":[]}`

func TestEachAnswerOfABotIsOnTheWireAsPublished(t *testing.T) {
	t.Parallel()
	for name, row := range botAnswers {
		status, body := ask(t, answering(t, row.answer), botMessage)
		assert.Equal(t, http.StatusOK, status, name)
		assert.JSONEq(t, row.want, body, name)
	}
	for name, row := range botCards {
		_, body := ask(t, answering(t, live.Reply("?").Ask(row.card)), botMessage)
		assert.JSONEq(t, `{"action":"reply","replies":["?"],"input":`+row.want+`}`, body, name)
	}
	assert.GreaterOrEqual(t, len(botCards), 16)
}

func TestASecretOfAnAnswerIsSentAndNotShown(t *testing.T) {
	t.Parallel()
	answer := botAnswers["file"].answer
	shown, err := json.Marshal(answer)
	require.NoError(t, err)
	assert.NotContains(t, string(shown), "hush")
	assert.Contains(t, string(shown), `"type":"file"`)
	got := record(t, func(ctx context.Context, s *live.Service) error { return s.Callbacks.Respond(ctx, "r1", answer) })
	assert.JSONEq(t, botAnswers["file"].want, got.body)
}

func long(n int) string { return strings.Repeat("ü", n) }

func many(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = "x"
	}
	return texts
}

func manyOptions(n int) []live.DropDownOption {
	options := make([]live.DropDownOption, n)
	for i := range options {
		options[i] = live.DropDownOption{Value: "x", Label: "x"}
	}
	return options
}

// Each row breaks one rule that is published.
var badAnswers = map[string]struct {
	answer *live.BotAnswer
	field  string
}{
	"no answer":                           {nil, "answer"},
	"no action":                           {&live.BotAnswer{Replies: []live.BotReply{live.TextReply{Text: "Hi"}}}, "action"},
	"an action of another name":           {&live.BotAnswer{Action: "dance", Replies: []live.BotReply{live.TextReply{Text: "Hi"}}}, "action"},
	"no replies":                          {live.Reply(), "replies"},
	"no replies of a forward":             {live.Forward().ToOperators("a@x.example"), "replies"},
	"an empty text":                       {live.Reply("Hi", " "), "replies[1]"},
	"no reply":                            {live.Reply("Hi").With(nil), "replies[1]"},
	"a stored answer without a text":      {live.Reply().With(live.TextReply{FieldName: "siq_name"}), "replies[0].text"},
	"an image that is no URL":             {live.Reply().With(live.ImageReply{Image: "t.png"}), "replies[0].image"},
	"a file without a text":               {live.Reply().With(live.FileReply{URL: "https://x.example"}), "replies[0].text"},
	"a file without a URL":                {live.Reply().With(live.FileReply{Text: "x"}), "replies[0].url"},
	"no articles":                         {live.Reply().With(live.ArticlesReply{Text: "x"}), "replies[0].articles"},
	"an article without an id":            {live.Reply().With(live.ArticlesReply{Articles: []string{"1", ""}}), "replies[0].articles[1]"},
	"no links":                            {live.Reply().With(live.LinksReply{Text: "x"}), "replies[0].links"},
	"a link without a URL":                {live.Reply().With(live.LinksReply{Links: []live.BotLink{{Text: "x"}}}), "replies[0].links[0].url"},
	"a link that is a script":             {live.Reply().With(live.LinksReply{Links: []live.BotLink{{URL: "javascript:alert(1)"}}}), "replies[0].links[0].url"},
	"a video without a text":              {live.Reply().With(live.VideoReply{URL: "https://x.example"}), "replies[0].text"},
	"a video without a URL":               {live.Reply().With(live.VideoReply{Text: "x"}), "replies[0].url"},
	"a product without a text":            {live.Reply().With(live.ProductReply{Title: "x"}), "replies[0].text"},
	"a product without a title":           {live.Reply().With(live.ProductReply{Text: "x"}), "replies[0].title"},
	"a picture without a URL":             {live.Reply().With(live.ProductReply{Text: "x", Title: "x", Elements: []live.BotPicture{{ID: "1"}}}), "replies[0].elements[0].image"},
	"no products":                         {live.Reply().With(live.ProductsReply{Text: "x"}), "replies[0].elements"},
	"one of products without an id":       {live.Reply().With(live.ProductsReply{Elements: []live.BotProduct{{Title: "x"}}}), "replies[0].elements[0].id"},
	"one of products without a title":     {live.Reply().With(live.ProductsReply{Elements: []live.BotProduct{{ID: "1"}}}), "replies[0].elements[0].title"},
	"a button without a label":            {withButtons(live.BotButton{Name: "a", Link: "https://x.example"}), "replies[0].actions[0].label"},
	"a button without a name":             {withButtons(live.BotButton{Label: "a", Link: "https://x.example"}), "replies[0].actions[0].name"},
	"a button that does nothing":          {withButtons(live.BotButton{Label: "a", Name: "a"}), "replies[0].actions[0].link"},
	"a button that does two things":       {withButtons(live.BotButton{Label: "a", Name: "a", Link: "https://x.example", ClientAction: "f"}), "replies[0].actions[0].link"},
	"two buttons of one name":             {withButtons(live.BotButton{Label: "a", Name: "a", ClientAction: "f"}, live.BotButton{Label: "b", Name: "a", ClientAction: "g"}), "replies[0].actions[1].name"},
	"a delay without words":               {live.Reply().With(live.DelayReply{}), "replies[0].delay_config.info_messages"},
	"a delay in another order":            {live.Reply().With(live.DelayReply{Messages: []string{"x"}, Order: "last"}), "replies[0].delay_config.type"},
	"a delay of less than nothing":        {live.Reply().With(live.DelayReply{Messages: []string{"x"}, Time: -1}), "replies[0].delay_config.time"},
	"a free reply of nothing":             {live.Reply().With(live.FreeReply{}), "replies[0]"},
	"a free reply that is a text":         {live.Reply().With(live.FreeReply{"x"}), "replies[0]"},
	"a free reply that cannot be written": {live.Reply().With(live.FreeReply{map[string]any{"n": math.NaN()}}), "replies[0]"},
	"what cannot be written":              {live.Reply().With(live.TextReply{Text: "x", Validate: map[string]any{"n": math.NaN()}}), "answer"},

	"an input beside suggestions":       {live.Reply("?").Ask(live.LikeCard{}).Suggest("x"), "suggestions"},
	"an empty suggestion":               {live.Reply("?").Suggest("x", ""), "suggestions[1]"},
	"operators of a reply":              {live.Reply("?").ToOperators("a@x.example"), "operators"},
	"the department of an end":          {live.End("?").ToDepartment("d1"), "department"},
	"operators beside a department":     {live.Forward("?").ToOperators("a@x.example").ToDepartment("d1"), "department"},
	"an operator without an address":    {live.Forward("?").ToOperators("a@x.example", "o1"), "operators[1]"},
	"a context without an id":           {live.AskQuestions("", live.Question("a", "?")), "context_id"},
	"a context without questions":       {live.AskQuestions("c"), "questions"},
	"no question":                       {live.AskQuestions("c", nil), "questions[0]"},
	"a question without a name":         {live.AskQuestions("c", live.Question("", "?")), "questions[0].name"},
	"two questions of one name":         {live.AskQuestions("c", live.Question("a", "?"), live.Question("a", "?")), "questions[1].name"},
	"a question without words":          {live.AskQuestions("c", live.Question("a")), "questions[0].replies"},
	"a question with a bad card":        {live.AskQuestions("c", live.Question("a", "?").Ask(live.StarsCard{})), "questions[0].input.level"},
	"a question with a choice too much": {live.AskQuestions("c", live.Question("a", "?").Ask(live.LikeCard{}).Suggest("x")), "questions[0].suggestions"},
	"questions of a reply":              {&live.BotAnswer{Action: live.ActionReply, Replies: live.Reply("?").Replies, Questions: []*live.BotQuestion{live.Question("a", "?")}}, "questions"},
}

func withButtons(buttons ...live.BotButton) *live.BotAnswer {
	return live.Reply().With(live.ProductReply{Text: "x", Title: "x", Actions: buttons})
}

// badCards breaks each limit of each card by one.
var badCards = map[string]struct {
	card  live.BotCard
	field string
}{
	"select without options":             {live.SelectCard{}, "options"},
	"select of 21":                       {live.SelectCard{Options: many(21)}, "options"},
	"select with a long option":          {live.SelectCard{Options: []string{"x", long(81)}}, "options[1]"},
	"select with an empty option":        {live.SelectCard{Options: []string{""}}, "options[0]"},
	"multiple-select of 21":              {live.MultiSelectCard{Options: many(21)}, "options"},
	"multiple-select of one":             {live.MultiSelectCard{Options: many(3), MaxSelection: 1}, "max_selection"},
	"drop-down without options":          {live.DropDownCard{}, "options"},
	"drop-down of 201":                   {live.DropDownCard{Options: manyOptions(201)}, "options"},
	"drop-down without a value":          {live.DropDownCard{Options: []live.DropDownOption{{Label: "x"}}}, "options[0].value"},
	"drop-down without a label":          {live.DropDownCard{Options: []live.DropDownOption{{Value: "x"}}}, "options[0].label"},
	"drop-down with a long label":        {live.DropDownCard{Options: []live.DropDownOption{{Value: "x", Label: long(81)}}}, "options[0].label"},
	"drop-down with a long value":        {live.DropDownCard{Options: []live.DropDownOption{{Value: long(81), Label: "x"}}}, "options[0].value"},
	"drop-down with a negative minimum":  {live.DropDownCard{Options: manyOptions(3), MinSelection: -1}, "min_selection"},
	"drop-down with a negative maximum":  {live.DropDownCard{Options: manyOptions(3), MaxSelection: -1}, "max_selection"},
	"drop-down of more than its maximum": {live.DropDownCard{Options: manyOptions(3), MinSelection: 3, MaxSelection: 2}, "min_selection"},
	"slider without steps":               {live.SliderCard{}, "values"},
	"slider of 11":                       {live.SliderCard{Values: many(11)}, "values"},
	"slider with a long step":            {live.SliderCard{Values: []string{long(11)}}, "values[0]"},
	"range-slider of 11":                 {live.RangeSliderCard{Values: many(11)}, "values"},
	"calendar from no day":               {live.CalendarCard{From: "tomorrow"}, "from"},
	"calendar to no day":                 {live.CalendarCard{To: "31/12/2026"}, "to"},
	"calendar with a long label":         {live.CalendarCard{SelectLabel: long(21)}, "select_label"},
	"range-calendar with a long label":   {live.RangeCalendarCard{SelectLabel: long(21)}, "select_label"},
	"timeslots without a date":           {live.TimeSlotsCard{Slots: []string{"09:30"}, ZoneID: "UTC"}, "date"},
	"timeslots of another date":          {live.TimeSlotsCard{Date: "2026-12-31", Slots: []string{"09:30"}, ZoneID: "UTC"}, "date"},
	"timeslots without a zone":           {live.TimeSlotsCard{Date: "31/12/2026", Slots: []string{"09:30"}}, "time_zone_id"},
	"timeslots without slots":            {live.TimeSlotsCard{Date: "31/12/2026", ZoneID: "UTC"}, "slots"},
	"timeslots with another time":        {live.TimeSlotsCard{Date: "31/12/2026", Slots: []string{"09:30", "9:30"}, ZoneID: "UTC"}, "slots[1]"},
	"date-timeslots without a label":     {live.DateTimeSlotsCard{Slots: map[string][]string{"31/12/2026": {"09:30"}}, ZoneID: "UTC"}, "label"},
	"date-timeslots without a zone":      {live.DateTimeSlotsCard{Slots: map[string][]string{"31/12/2026": {"09:30"}}, Label: "x"}, "time_zone_id"},
	"date-timeslots without days":        {live.DateTimeSlotsCard{Label: "x", ZoneID: "UTC"}, "slots"},
	"date-timeslots of no day":           {live.DateTimeSlotsCard{Slots: map[string][]string{"31/13/2026": {"09:30"}}, Label: "x", ZoneID: "UTC"}, `slots["31/13/2026"]`},
	"date-timeslots of an empty day":     {live.DateTimeSlotsCard{Slots: map[string][]string{"31/12/2026": {}}, Label: "x", ZoneID: "UTC"}, `slots["31/12/2026"]`},
	"date-timeslots of no time":          {live.DateTimeSlotsCard{Slots: map[string][]string{"31/12/2026": {"25:00"}}, Label: "x", ZoneID: "UTC"}, `slots["31/12/2026"][0]`},
	"location by half":                   {live.LocationCard{Lat: new(1.0)}, "lat"},
	"location beyond the pole":           {live.LocationCard{Lat: new(91.0), Lng: new(1.0)}, "lat"},
	"location around the earth":          {live.LocationCard{Lat: new(1.0), Lng: new(181.0)}, "lng"},
	"location of 501":                    {live.LocationCard{Radius: "501 kms"}, "radius"},
	"location of 1":                      {live.LocationCard{Radius: "1 miles"}, "radius"},
	"location in another unit":           {live.LocationCard{Radius: "9 km"}, "radius"},
	"location with a long label":         {live.LocationCard{SelectLabel: long(21)}, "select_label"},
	"email without a placeholder":        {live.EmailCard{}, "placeholder"},
	"email with an empty error":          {live.EmailCard{Placeholder: "x", Errors: []string{""}}, "error[0]"},
	"tel without a placeholder":          {live.PhoneCard{}, "placeholder"},
	"tel of no country":                  {live.PhoneCard{Placeholder: "x", CountryCode: "33"}, "country_code"},
	"name without a placeholder":         {live.NameCard{}, "placeholder"},
	"happiness of 4":                     {live.HappinessCard{Level: 4}, "level"},
	"stars of 2":                         {live.StarsCard{Level: 2}, "level"},
	"stars of 11":                        {live.StarsCard{Level: 11}, "level"},
	"a free card that is a list":         {live.FreeCard{[]string{"x"}}, ""},
	"no card":                            {(*live.SelectCard)(nil), ""},
}

// goodCards are at the limits that badCards breaks.
var goodCards = []live.BotCard{
	live.SelectCard{Options: append(many(19), long(80))}, live.MultiSelectCard{Options: many(20), MaxSelection: 2}, live.MultiSelectCard{Options: many(2)},
	live.DropDownCard{Options: append(manyOptions(199), live.DropDownOption{Value: long(80), Label: long(80)}), MinSelection: 2, MaxSelection: 2},
	live.SliderCard{Values: append(many(9), long(10))}, live.RangeSliderCard{Values: many(10)},
	live.CalendarCard{From: "+0", To: "1798675200000", SelectLabel: long(20)}, live.LocationCard{Lat: new(-90.0), Lng: new(180.0), Radius: "500 miles"},
	live.LocationCard{Radius: "2 kms", SelectLabel: long(20)}, live.HappinessCard{Level: 3}, live.StarsCard{Level: 3}, live.StarsCard{Level: 10}, live.LikeCard{},
}

// asCallback has the client check an answer before it makes a call.
func asCallback(t *testing.T, answer *live.BotAnswer) error {
	t.Helper()
	client, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithBaseURL("https://127.0.0.1:1"), salesiq.WithPortal("p"))
	require.NoError(t, err)
	return live.New(client).Callbacks.Respond(t.Context(), "r1", answer)
}

func TestABadAnswerIsAnErrorThatNamesTheField(t *testing.T) {
	t.Parallel()
	bad := map[string]string{}
	rows := map[string]*live.BotAnswer{}
	for name, row := range badAnswers {
		if row.field == "answer" {
			continue // Nil, or what the codec alone refuses.
		}
		rows[name], bad[name] = row.answer, row.field
	}
	for name, row := range badCards {
		rows[name] = live.Reply("?").Ask(row.card)
		bad[name] = strings.TrimSuffix("input."+row.field, ".")
	}
	for name, answer := range rows {
		var wrong *salesiq.InputError
		require.ErrorAs(t, asCallback(t, answer), &wrong, name)
		assert.Equal(t, bad[name], wrong.Field, "%s: %s", name, wrong)
		assert.Equal(t, "live.Callbacks.Respond", wrong.Operation, name)
		_, err := json.Marshal(answer)
		require.ErrorAs(t, err, &wrong, name)
		assert.Equal(t, bad[name], wrong.Field, name)
	}
}

func TestLimitsOfCardsMayBeReached(t *testing.T) {
	t.Parallel()
	for i, card := range goodCards {
		_, body := ask(t, answering(t, live.Reply("?").Ask(card)), botMessage)
		assert.Contains(t, body, `"input":{`, "%d: %T", i, card)
	}
}

func TestABadAnswerNeverLeaves(t *testing.T) {
	t.Parallel()
	for name, row := range badAnswers {
		log := new(logged)
		bot := answering(t, row.answer, live.WithLogger(log.logger()), live.WithFallback(live.Forward("Sorry")))
		status, body := ask(t, bot, botMessage)
		require.NoError(t, bot.Shutdown(t.Context()))
		assert.Equal(t, http.StatusOK, status, name)
		assert.JSONEq(t, `{"action":"forward","replies":["Sorry"]}`, body, name)
		assert.Contains(t, log.String(), "ERROR bot request failed", name)
		if row.answer != nil {
			assert.Contains(t, log.String(), "salesiq: "+row.field+" ", name)
		}
		assert.Contains(t, log.String(), "request_id=r1", name)
	}
}

func TestTheURLOfABotIsOneThatTheServiceReaches(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"https://bot.example", "https://bot.example/salesiq?x=1", "http://bot.example/", "https://[2001:db8::1]/"} {
		require.NoError(t, live.CheckBotURL(address), address)
	}
	for address, reason := range map[string]string{
		"": "is required", "bot.example": "https://", "ftp://bot.example": "https://", "https://": "https://",
		"https://bot.example:8443/": "port", "https://bot.example:443": "port", "https://bot.example:": "port", "https://[2001:db8::1]:443/": "port",
		"https://localhost/": "reach", "http://127.0.0.1/": "reach", "https://[::1]/": "reach",
	} {
		var wrong *salesiq.InputError
		require.ErrorAs(t, live.CheckBotURL(address), &wrong, address)
		assert.Equal(t, "bot URL", wrong.Field)
		assert.Contains(t, wrong.Reason, reason, address)
	}
}
