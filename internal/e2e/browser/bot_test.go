package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

type wire = map[string]any

// guide is a bot that knows the protocol alone.
func guide(t *testing.T) http.Handler {
	t.Helper()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			return
		}
		var in struct {
			Handler string `json:"handler"`
			Message struct {
				Text string `json:"text"`
			} `json:"message"`
			Attachments []wire `json:"attachments"`
			Answers     map[string]struct {
				Text string `json:"text"`
			} `json:"answers"`
		}
		if !assert.NoError(t, json.NewDecoder(r.Body).Decode(&in)) {
			return
		}
		out := wire{"action": "reply", "replies": []any{"You said " + in.Message.Text}}
		switch {
		case in.Handler == "trigger":
			out["replies"], out["suggestions"] = []any{"Hello! " + nasty}, []string{"Show me boots", "Order " + nasty}
		case in.Handler == "context":
			out["replies"] = []any{"Size " + in.Answers["size"].Text + " for " + in.Answers["email"].Text + "."}
		case in.Message.Text == "Show me boots":
			out["replies"] = []any{
				wire{"text": "Our best", "image": "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='40' height='20'/%3E"},
				wire{"type": "links", "text": "More", "links": []wire{{"url": "https://nordlicht.example/boots", "text": "All boots"}, {"url": "javascript:alert(1)", "text": "Not this"}}},
			}
		case in.Message.Text == "Order "+nasty:
			out = wire{"action": "context", "context_id": "order", "questions": []wire{
				{"name": "size", "replies": []string{"Which size?"}, "input": wire{"type": "select", "options": []string{"41", "42"}}},
				{"name": "email", "replies": []string{"Your address?"}, "input": wire{"type": "email", "placeholder": "you@post.example", "error": []string{"That is none."}}},
			}}
		case in.Message.Text == "break a rule":
			out = wire{"action": "reply", "replies": "no list"}
		case in.Message.Text == "somebody, please":
			out = wire{"action": "forward", "department": "dept790", "replies": []string{"One moment."}}
		case len(in.Attachments) > 0:
			out["replies"] = []any{in.Attachments[0]["name"]}
		}
		assert.NoError(t, json.NewEncoder(w).Encode(out))
	})
}

// startBot serves the emulator's page for a bot.
func startBot(t *testing.T, bot http.Handler) *salesiqtest.Server {
	t.Helper()
	needBrowser(t)
	at := httptest.NewServer(bot)
	t.Cleanup(at.Close)
	return salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.WithBot(salesiqtest.Bot{URL: at.URL}))
}

// last is the text of the latest message of somebody.
func last(who string) string {
	return "[..." + shadow + ".querySelectorAll('.list ." + who + "')].at(-1)?.lastChild.textContent"
}

// say writes into the window.
func (p *tab) say(message string) {
	p.t.Helper()
	p.clickInWidget("textarea")
	p.write(message)
	p.clickInWidget(".send")
}

func TestAVisitorTalksToABotUpToTheOperatorsAnswer(t *testing.T) {
	t.Parallel()
	for name, width := range map[string]int64{"desktop": desktopWidth, "phone": 375} {
		s := startBot(t, guide(t))
		p := openTab(t, width, phoneHeight)
		p.open(s.URL + "/widget/page")
		p.until(inWidget(".launcher"))
		if name == "phone" {
			p.clickInWidget(".launcher")
		}
		p.until(last("bot") + " === " + text(t, "Hello! "+nasty))
		p.until("!" + inWidget("form:not(.fields)") + ".checkVisibility()") // While there are suggestions, nothing can be written.
		p.picture("bot-greeting-" + name)
		p.clickInWidget(".choice:last-child")
		p.until(last("bot") + " === 'Which size?'")
		p.clickInWidget(".choice:last-child")
		p.until(last("bot") + " === 'Your address?'")
		p.until(shadow + ".activeElement === " + inWidget("input[type=email]")) // The card has the focus.
		p.write("at home")
		p.clickInWidget(".submit")
		p.until(last("bot") + " === 'That is none.'")
		eval[bool](p, "("+inWidget("input[type=email]")+".select(), "+inWidget("input[type=email]")+".focus(), true)") // What was wrong can be mended.
		p.write("zoe@post.example")
		p.clickInWidget(".submit")
		p.until(last("bot") + " === 'Size 42 for zoe@post.example.'")
		p.picture("bot-cards-" + name)
		p.say("somebody, please")
		p.until(last("bot") + " === 'One moment.'")
		p.until(inWidget(".subtitle") + ".textContent.startsWith('Somebody will')")

		id := eval[string](p, `document.querySelector("#conversation").textContent`)
		service := live.New(s.Client(t))
		_, err := service.Conversations.Pickup(t.Context(), id)
		require.NoError(t, err)
		_, err = service.Messages.Send(t.Context(), id, "Hello Zoë, this is Iris.")
		require.NoError(t, err)
		p.until(last("operator") + " === 'Hello Zoë, this is Iris.'")
		p.until(inWidget(".title") + ".textContent === 'Iris Lindqvist'")
		p.picture("bot-operator-" + name)
		fits(p, width)
		p.isFine()
	}
}

// fits checks that nothing is wider than the page, or covers anything else in the window.
func fits(p *tab, width int64) {
	p.t.Helper()
	assert.LessOrEqual(p.t, eval[int64](p, "document.documentElement.scrollWidth"), width)
	assert.True(p.t, eval[bool](p, `(() => {
		const boxes = ["header", ".log", ".card", "form:not(.fields)", "footer"].map((part) => `+shadow+`.querySelector(".panel > " + part))
			.filter((part) => part.checkVisibility()).map((part) => part.getBoundingClientRect());
		return boxes.every((box, i) => box.width <= innerWidth && (i === 0 || box.top >= boxes[i - 1].bottom - 1));
	})()`))
}

func TestWhatABotShowsIsNoScriptAndItsMistakesAreTold(t *testing.T) {
	t.Parallel()
	s := startBot(t, guide(t))
	p := openTab(t, desktopWidth, desktopHeight)
	p.open(s.URL + "/widget/page")
	p.clickInWidget(".choice")
	p.until(inWidget(".message.bot img"))
	p.until(inWidget("a.entry"))
	assert.Equal(t, []string{"https://nordlicht.example/boots", s.URL + "/widget/page#"},
		eval[[]string](p, "[..."+shadow+".querySelectorAll('a.entry')].map((link) => link.href)"))
	p.say("break a rule")
	p.until(inWidget(".problem") + "?.textContent.includes('replies must be a list')")
	p.until(inWidget(".subtitle") + ".textContent.startsWith('Somebody will')") // An operator is to answer.
	p.picture("bot-problem")
	fits(p, desktopWidth)
	p.isFine()
}

// All other cards are on the way of the visitor above.
func TestEachCardIsAnsweredOnThePage(t *testing.T) {
	t.Parallel()
	rows := []struct {
		card    wire
		do      string // In the page, with the card as its root.
		becomes string
	}{
		{wire{"type": "select", "options": []string{"41", "42, wide"}}, "card.querySelectorAll('button')[1].click()", "42, wide"},
		{wire{"type": "multiple-select", "options": []string{"a", "b", "c"}, "max_selection": 2}, "for (const at of [0, 2, 1]) card.querySelectorAll('input')[at].click(); submit()", "a,c"},
		{wire{"type": "drop-down", "options": []wire{{"value": "1", "label": "One"}, {"value": "2", "label": "Two", "selected": true}}}, "submit()", "Two"},
		{wire{"type": "slider", "values": []string{"S", "M", "L"}}, "set('input', '1'); submit()", "M"},
		{wire{"type": "range-slider", "values": []string{"0", "100", "200"}}, "set('input', '1'); submit()", "100 - 200"},
		{wire{"type": "calendar", "from": "-1", "time": true}, "set('[type=date]', '2030-12-31'); set('[type=time]', '09:30'); submit()", "31/12/2030 09:30"},
		{wire{"type": "range-calendar"}, "set('[type=date]', '2026-12-01'); set('label:nth-of-type(2) input', '2026-12-05'); submit()", "01/12/2026 - 05/12/2026"},
		{wire{"type": "timeslots", "slots": []string{"09:00", "09:30"}, "date": "31/12/2026", "time_zone_id": "Europe/Oslo"}, "card.querySelectorAll('button')[1].click()", "09:30"},
		{wire{"type": "date-timeslots", "slots": wire{"31/12/2026": []string{"09:00"}}, "label": "When?", "time_zone_id": "Europe/Oslo"}, "card.querySelector('button').click()", "31/12/2026 09:00"},
		{wire{"type": "location", "lat": 59.9, "lng": 10.5}, "submit()", "59.9,10.5"},
		{wire{"type": "tel", "placeholder": "Phone"}, "set('input', '+47 22 33 44 55'); submit()", "+47 22 33 44 55"},
		{wire{"type": "name", "placeholder": "Name"}, "set('input', ' Zoë '); submit()", "Zoë"},
		{wire{"type": "happiness-rating", "level": 5}, "card.querySelectorAll('button')[3].click()", ":rating-happy:"},
		{wire{"type": "star-rating", "level": 5}, "card.querySelectorAll('button')[3].click()", "4"},
		{wire{"type": "like"}, "card.querySelector('[aria-label=\"I like it\"]').click()", "like"},
	}
	next := 0 // Requests come one after the other.
	s := startBot(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Message struct {
				Text string `json:"text"`
			} `json:"message"`
		}
		if r.Method == http.MethodHead || !assert.NoError(t, json.NewDecoder(r.Body).Decode(&in)) {
			return
		}
		out := wire{"action": "reply", "replies": []string{"You said " + in.Message.Text}}
		if next < len(rows) {
			out["input"] = rows[next].card
		}
		next++
		assert.NoError(t, json.NewEncoder(w).Encode(out))
	}))
	p := openTab(t, 375, phoneHeight)
	p.open(s.URL + "/widget/page")
	p.clickInWidget(".launcher")
	p.until(last("bot") + " === 'You said '")
	for _, row := range rows {
		p.until(inWidget(".card") + ".checkVisibility()")
		fits(p, 375)
		p.picture(fmt.Sprint("card-", row.card["type"]))
		eval[bool](p, `(() => {
			const card = `+inWidget(".card")+`;
			const submit = () => card.querySelector("form").requestSubmit();
			const set = (where, value) => { const field = card.querySelector(where); field.value = value; field.dispatchEvent(new Event("input")); };
			`+row.do+`;
			return true;
		})()`)
		p.until(last("bot") + " === " + text(t, "You said "+row.becomes))
	}
	p.isFine()
}
