package salesiqtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

// many are so many texts.
func many(n int) string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("%q", fmt.Sprintf("option %d", i))
	}
	return "[" + strings.Join(texts, ",") + "]"
}

func TestABotMayFailInItsSecondConversation(t *testing.T) {
	t.Parallel()
	s := startBotServer(t)
	tb := &failingTest{TB: t}
	c := s.Converse(tb, newBot(t, func(r asked) any {
		if r.Handler == "trigger" {
			return said{"action": "end", "replies": []any{}}
		}
		return http.StatusInternalServerError
	}))
	c.Opens()
	c.ExpectsEnd()
	c.Says("How are you?")
	assert.Contains(t, tb.run(func() { c.Expects("Fine.") }), "salesiqtest: the bot has answered with status 500")
}

func TestAnAnswerThatBreaksARuleFailsTheTestAndSaysWhich(t *testing.T) {
	t.Parallel()
	reply := func(item string) string { return `{"action":"reply","replies":[` + item + `]}` }
	input := func(card string) string { return `{"action":"reply","replies":["?"],"input":` + card + `}` }
	const (
		actions = "reply, forward, context, pending, operator_busy, block, end"
		cards   = "articles, file, links, multiple-product, single-product, video"
		inputs  = "calendar, date-timeslots, drop-down, email, happiness-rating, like, location, multiple-select, name, range-calendar, range-slider, select, slider, star-rating, tel, timeslots"
		days    = "must be days from today, as +10 or -2, or milliseconds"
		radius  = "must be 2 to 500 kms or miles, as 9 kms"
	)
	s := startBotServer(t)
	for _, row := range []struct{ answer, want string }{
		{`Hello`, "the answer is no JSON object"},
		{`null`, "the answer is no JSON object"},
		{`["Hello"]`, "the answer is no JSON object"},
		{`{"replies":["x"]}`, "action is required"},
		{`{"received":true}`, "action is required; replies is required"},
		{`{"action":"dance","replies":["x"]}`, `action is "dance"; there is ` + actions},
		{`{"action":"reply"}`, "replies is required"},
		{`{"action":"end"}`, "replies is required"},
		{`{"action":"reply","replies":"x"}`, "replies must be a list"},
		{reply(`7`), "replies[0] must be a text or an object"},
		{reply(`" "`), "replies[0] must not be empty"},
		{reply(`{}`), "replies[0] has neither text nor image"},
		{reply(`{"type":"link","text":"x"}`), `replies[0].type is "link"; there is ` + cards},
		{reply(`{"type":"file","url":"https://x.example/"}`), "replies[0].text is required"},
		{reply(`{"type":"links","text":"x","links":[{"text":"a"}]}`), "replies[0].links[0].url is required"},
		{reply(`{"type":"links","text":"x","links":[]}`), "replies[0].links must not be empty"},
		{reply(`{"type":"articles","text":"x"}`), "replies[0].articles is required"},
		{reply(`{"type":"video","url":"https://x.example/v.mp4"}`), "replies[0].text is required"},
		{reply(`{"type":"single-product","text":"x","title":"Boots","actions":[{"label":"Buy","name":"buy","type":"url"}]}`), "replies[0].actions[0].link is required"},
		{reply(`{"type":"multiple-product","text":"x","elements":[{"title":"a","actions":[{"label":"A","name":"n","type":"url","link":"l"},{"label":"B","name":"n","type":"go"}]}]}`), "replies[0].elements[0].actions[1].name is that of another action; replies[0].elements[0].actions[1].type must be url or client_action"},
		{reply(`{"delay_config":{"enabled":true,"type":"some"}}`), "replies[0].delay_config.type must be random or all"},
		{`{"action":"reply","replies":["x"],"suggestions":[1]}`, "suggestions[0] must be a text"},
		{`{"action":"context","context_id":"c","questions":[]}`, "questions must not be empty"},
		{`{"action":"context","questions":[{"name":"a","replies":["?"]},{"name":"a","replies":["?"]},{"replies":"?"}]}`, "context_id is required; questions[1].name is that of another question; questions[2].name is required; questions[2].replies must be a list"},
		{`{"action":"forward","replies":[],"department":"dept1"}`, `department "dept1" is not the id of a department`},
		{`{"action":"forward","replies":[],"operators":"iris"}`, "operators must be a list"},
		{input(`"select"`), "input must be an object"},
		{input(`{}`), "input.type is required"},
		{input(`{"type":"choice"}`), `input.type is "choice"; there is ` + inputs},
		{input(`{"type":"select"}`), "input.options is required"},
		{input(`{"type":"select","options":` + many(21) + `}`), "input.options must be at most 20"},
		{input(`{"type":"select","options":["` + strings.Repeat("ø", 81) + `"]}`), "input.options[0] must have at most 80 characters"},
		{input(`{"type":"multiple-select","options":["a","b"],"max_selection":1}`), "input.max_selection must be a number from 2 to 20"},
		{input(`{"type":"drop-down","options":["a"]}`), "input.options[0] must be an object"},
		{input(`{"type":"drop-down","options":[{"label":"a"}]}`), "input.options[0].value is required"},
		{input(`{"type":"slider","values":` + many(11) + `}`), "input.values must be at most 10"},
		{input(`{"type":"range-slider","values":["12345678901"]}`), "input.values[0] must have at most 10 characters"},
		{input(`{"type":"calendar","from":"tomorrow"}`), "input.from " + days},
		{input(`{"type":"calendar","time":"perhaps"}`), "input.time must be true or false"},
		{input(`{"type":"calendar","select_label":"` + strings.Repeat("x", 21) + `"}`), "input.select_label must have at most 20 characters"},
		{input(`{"type":"timeslots","slots":["9"],"date":"2026-12-31","time_zone_id":"Europe/Oslo"}`), "input.date must be a day, as 31/12/2026; input.slots[0] must be a time, as 09:30"},
		{input(`{"type":"date-timeslots","slots":{"31/12/2026":["09:00"],"1.1.":["09:00"]},"label":"x"}`), "input.time_zone_id is required; input.slots.1.1. must be a day, as 31/12/2026"},
		{input(`{"type":"location","radius":"1 kms"}`), "input.radius " + radius},
		{input(`{"type":"email"}`), "input.placeholder is required"},
		{input(`{"type":"tel","placeholder":"x","error":"no"}`), "input.error must be a list"},
		{input(`{"type":"happiness-rating","level":4}`), "input.level must be 3 or 5"},
		{input(`{"type":"star-rating","level":11}`), "input.level must be a number from 3 to 10"},
		{input(`{"type":"star-rating"}`), "input.level is required"},
		{`{"action":7,"replies":["x"]}`, "action must be a text"},
		{`{"action":" ","replies":["x"]}`, `action must not be empty; action is " "; there is ` + actions},
		{`{"action":"reply","replies":null}`, "replies must be a list"},
		{`{"action":"reply","replies":["x"],"suggestions":"x"}`, "suggestions must be a list"},
		{`{"action":"reply","replies":["x",null]}`, "replies[1] must be a text or an object"},
		{`{"action":"context","context_id":"c"}`, "questions is required"},
		{`{"action":"context","context_id":"c","questions":[7,{"replies":["?"]},{"replies":["?"]}]}`, "questions[0] must be an object; questions[1].name is required; questions[2].name is required"},
		{`{"action":"context","context_id":"c","questions":[{"name":"a","replies":[7],"suggestions":[7],"input":{}},{"name":"b"}]}`, "questions[0].replies[0] must be a text or an object; questions[0].suggestions[0] must be a text; questions[0].input.type is required; questions[1].replies is required"},
		{`{"action":"forward","replies":[],"operators":[7,""],"department":7}`, "department must be a text; operators[0] must be a text; operators[1] must not be empty"},
		{reply(`{"type":"file"}`), "replies[0].text is required; replies[0].url is required"},
		{reply(`{"type":"articles","articles":[]}`), "replies[0].articles must not be empty"},
		{reply(`{"type":"links"}`), "replies[0].links is required"},
		{reply(`{"type":"links","links":[7]}`), "replies[0].links[0] must be an object"},
		{reply(`{"type":"video"}`), "replies[0].text is required; replies[0].url is required"},
		{reply(`{"type":"single-product","elements":"x","actions":[7,{},{"label":"A","name":"a","type":"client_action"},{"label":"A","name":"a","type":"url","link":"l"}]}`), "replies[0].title is required; replies[0].elements must be a list; replies[0].actions[0] must be an object; replies[0].actions[1].label is required; replies[0].actions[1].name is required; " +
			"replies[0].actions[1].type is required; replies[0].actions[1].type must be url or client_action; replies[0].actions[2].clientaction_name is required; replies[0].actions[3].name is that of another action"},
		{reply(`{"type":"multiple-product"}`), "replies[0].elements is required"},
		{reply(`{"type":"multiple-product","elements":[7,{"actions":[7]}]}`), "replies[0].elements[0] must be an object; replies[0].elements[1].title is required; replies[0].elements[1].actions[0] must be an object"},
		{reply(`{"delay_config":7}`), "replies[0].delay_config must be an object"},
		{reply(`{"delay_config":{"enabled":"perhaps","info_messages":"x"}}`), "replies[0].delay_config.enabled must be true or false; replies[0].delay_config.info_messages must be a list"},
		{reply(`{"text":7,"type":7,"field_name":7}`), "replies[0].text must be a text; replies[0].field_name must be a text; replies[0].type must be a text; replies[0] has neither text nor image"},
		{reply(`{"image":7}`), "replies[0].image must be a text; replies[0] has neither text nor image"},
		{reply(`{"type":"product","title":"x"}`), `replies[0].type is "product"; there is ` + cards},
		{input(`{"type":7}`), "input.type must be a text"},
		{input(`{"type":"like","set_conversation_rating":"perhaps"}`), "input.set_conversation_rating must be true or false"},
		{input(`{"type":"select","options":[]}`), "input.options must not be empty"},
		{input(`{"type":"select","options":[7,""]}`), "input.options[0] must be a text; input.options[1] must not be empty"},
		{input(`{"type":"multiple-select","options":["a","b"],"max_selection":21}`), "input.max_selection must be a number from 2 to 20"},
		{input(`{"type":"multiple-select","options":["a","b"],"max_selection":"2"}`), "input.max_selection must be a number from 2 to 20"},
		{input(`{"type":"drop-down"}`), "input.options is required"},
		{input(`{"type":"drop-down","options":[]}`), "input.options must not be empty"},
		{input(`{"type":"drop-down","options":[{"value":"v"}],"multiple":"perhaps"}`), "input.options[0].label is required; input.multiple must be true or false"},
		{input(`{"type":"drop-down","options":[{"value":"v","label":"` + strings.Repeat("x", 81) + `"}]}`), "input.options[0].label must have at most 80 characters"},
		{input(`{"type":"drop-down","options":[` + strings.Repeat(`{"value":"v","label":"l"},`, 200) + `{"value":"v","label":"l"}]}`), "input.options must be at most 200"},
		{input(`{"type":"drop-down","options":[{"value":"v","label":"l"}],"max_selection":0,"min_selection":0}`), "input.max_selection must be a number from 1 to 200; input.min_selection must be a number from 1 to 1"},
		{input(`{"type":"drop-down","options":[{"value":"v","label":"l"}],"max_selection":201}`), "input.max_selection must be a number from 1 to 200"},
		{input(`{"type":"drop-down","options":[{"value":"v","label":"l"}],"max_selection":2,"min_selection":3}`), "input.min_selection must be a number from 1 to 2"},
		{input(`{"type":"slider"}`), "input.values is required"},
		{input(`{"type":"range-slider","values":` + many(11) + `}`), "input.values must be at most 10"},
		{input(`{"type":"calendar","from":true,"to":"+x","tz":7}`), "input.from " + days + "; input.to " + days + "; input.tz must be true or false"},
		{input(`{"type":"timeslots"}`), "input.date is required; input.time_zone_id is required; input.slots is required"},
		{input(`{"type":"timeslots","slots":[7,"24:00"],"date":"31/12/2026","time_zone_id":"UTC"}`), "input.slots[0] must be a text; input.slots[0] must be a time, as 09:30; input.slots[1] must be a time, as 09:30"},
		{input(`{"type":"date-timeslots"}`), "input.label is required; input.time_zone_id is required; input.slots must be an object"},
		{input(`{"type":"date-timeslots","slots":{"31/12/2026":"09:00","01/01/2027":["9"]},"label":"x","time_zone_id":"UTC"}`), "input.slots.31/12/2026 must be a list; input.slots.01/01/2027[0] must be a time, as 09:30"},
		{input(`{"type":"location","lat":"x","lng":"x","radius":7}`), "input.lat must be a number; input.lng must be a number; input.radius must be a text"},
		{input(`{"type":"location","radius":"501 miles"}`), "input.radius " + radius},
		{input(`{"type":"location","radius":"9 km"}`), "input.radius " + radius},
		{input(`{"type":"location","radius":"far kms"}`), "input.radius " + radius},
		{input(`{"type":"email","placeholder":"x","error":["",7]}`), "input.error[0] must not be empty; input.error[1] must be a text"},
		{input(`{"type":"happiness-rating"}`), "input.level is required"},
		{input(`{"type":"happiness-rating","level":2}`), "input.level must be a number from 3 to 5"},
		{input(`{"type":"happiness-rating","level":6}`), "input.level must be a number from 3 to 5"},
		{input(`{"type":"star-rating","level":2}`), "input.level must be a number from 3 to 10"},
		{input(`{"type":"star-rating","level":3.5}`), "input.level must be a number from 3 to 10"},
		{input(`{"type":"star-rating","level":"5"}`), "input.level must be a number from 3 to 10"},
	} {
		tb := &failingTest{TB: t}
		c := s.Converse(tb, newBot(t, func(asked) any { return row.answer }))
		c.Says("Hello")
		failure := tb.run(func() { c.Expects("Hello") })
		quoted := []rune(row.answer)
		if len(quoted) > 300 {
			quoted = append(quoted[:300], '…')
		}
		assert.Contains(t, failure, "the bot's answer breaks a rule: "+row.want+": "+string(quoted)+"\n")
		assert.Contains(t, failure, "visitor  Hello", "with all that was said")
	}
}

// Each card that the pages have is taken, and so is each answer to it.
func TestEachCardCanBeAnswered(t *testing.T) {
	t.Parallel()
	s := startBotServer(t)
	for _, row := range []struct {
		card    said
		options []string
		chooses []string
		says    string // In place of choosing.
		becomes string
		wrong   []string
	}{
		{said{"type": "select", "options": []string{"Yes", "No, thanks"}}, []string{"Yes", "No, thanks"}, []string{"No, thanks"}, "", "No, thanks", []string{"Perhaps"}},
		{said{"type": "multiple-select", "options": []string{"a", "b", "c"}, "max_selection": 2}, nil, []string{"a", "c"}, "", "a,c", []string{"a", "b", "c"}},
		{said{"type": "multiple-select", "options": []string{"a", "b", "c"}}, nil, []string{"a", "b", "c"}, "", "a,b,c", []string{"d"}},
		{said{"type": "drop-down", "options": []said{{"value": "1", "label": "One"}, {"value": "2", "label": "Two"}}}, []string{"One", "Two"}, []string{"Two"}, "", "Two", []string{"2"}},
		{said{"type": "drop-down", "multiple": "true", "min_selection": 2, "options": []said{{"value": "1", "label": "One"}, {"value": "2", "label": "Two"}}}, nil, []string{"One", "Two"}, "", "One,Two", []string{"One"}},
		{said{"type": "slider", "values": []string{"1", "2", "3"}}, nil, []string{"2"}, "", "2", []string{"4"}},
		{said{"type": "range-slider", "values": []string{"1", "2", "3"}}, nil, []string{"1", "3"}, "", "1 - 3", []string{"1"}},
		{said{"type": "calendar", "from": "+1", "to": "+10", "time": true}, nil, []string{"31/12/2026 10:00"}, "", "31/12/2026 10:00", nil},
		{said{"type": "range-calendar", "from": "-2", "to": int64(1798675200000)}, nil, []string{"30/12/2026", "31/12/2026"}, "", "30/12/2026 - 31/12/2026", nil},
		{said{"type": "timeslots", "slots": []string{"09:00", "09:30"}, "date": "31/12/2026", "time_zone_id": "Europe/Oslo"}, []string{"09:00", "09:30"}, []string{"09:30"}, "", "09:30", []string{"31/12/2026 09:30"}},
		{said{"type": "date-timeslots", "slots": said{"02/01/2027": []string{"10:00"}, "31/12/2026": []string{"09:00"}}, "label": "When?", "time_zone_id": "Europe/Oslo"},
			[]string{"31/12/2026 09:00", "02/01/2027 10:00"}, []string{"02/01/2027 10:00"}, "", "02/01/2027 10:00", nil},
		{said{"type": "location", "lat": 59.9, "lng": 10.7, "radius": "9 kms"}, nil, []string{"59.91,10.75"}, "", "59.91,10.75", nil},
		{said{"type": "email", "placeholder": "you@post.example"}, nil, nil, "zoe@post.example", "zoe@post.example", nil},
		{said{"type": "tel", "placeholder": "+47", "country_code": "+47"}, nil, nil, "+47 22 33 44 55", "+47 22 33 44 55", nil},
		{said{"type": "name", "placeholder": "Name"}, nil, nil, "Zoë Brun", "Zoë Brun", nil},
		{said{"type": "happiness-rating", "level": 3}, []string{":rating-sad:", ":rating-neutral:", ":rating-happy:"}, []string{":rating-happy:"}, "", ":rating-happy:", []string{":rating-angry:"}},
		{said{"type": "star-rating", "level": 5}, []string{"1", "2", "3", "4", "5"}, []string{"4"}, "", "4", []string{"6"}},
		{said{"type": "like"}, []string{"like", "dislike"}, []string{"like"}, "", "like", []string{"love"}},
	} {
		kind := fmt.Sprint(row.card["type"])
		tb := &failingTest{TB: t}
		c := s.Converse(tb, newBot(t, func(r asked) any {
			if r.Message.Text == "Ask me" {
				return asking(says("Well?"), row.card)
			}
			return says("You said " + r.Message.Text)
		}))
		c.Says("Ask me")
		c.Expects("Well?")
		c.ExpectsCard(kind, row.options...)
		if row.wrong != nil {
			assert.Contains(t, tb.run(func() { c.Chooses(row.wrong...) }), kind+" card", kind)
			assert.Contains(t, tb.run(func() { c.Says("something else") }), "something to choose", kind)
		}
		if row.says == "" {
			c.Chooses(row.chooses...)
		} else {
			c.Says(row.says)
		}
		c.Expects("You said " + row.becomes)
	}
}

func TestRepliesOfAllKindsAreShown(t *testing.T) {
	t.Parallel()
	s := startBotServer(t)
	c := s.Converse(t, newBot(t, func(asked) any {
		return says("Plain", said{"text": "With an icon", "icon": "https://x.example/i.png"}, said{"image": "https://x.example/i.png"},
			said{"type": "file", "text": "The guide", "url": "https://x.example/guide.pdf", "headers": said{"Authorization": "x"}},
			said{"type": "articles", "text": "Read on", "articles": []any{"1", 2}},
			said{"type": "links", "text": "See", "links": []said{{"url": "https://x.example/", "text": "Shop"}}})
	}))
	c.Says("Show me")
	c.Expects("Plain", "With an icon", "[image]", "[file] The guide")
	c.ExpectsCard("articles")
	c.ExpectsCard("links")
	said := c.Chat().Transcript
	assert.Equal(t, salesiq.MessageText, said[1].Type)
	assert.Equal(t, "Plain", said[1].Text)
	assert.Equal(t, salesiq.MessageCard, said[5].Type)
	assert.JSONEq(t, `{"type":"articles","text":"Read on","articles":["1",2]}`, string(said[5].Extra["card"]))
}

func TestProductsAndDelaysAreShown(t *testing.T) {
	t.Parallel()
	s := startBotServer(t)
	c := s.Converse(t, newBot(t, func(asked) any {
		return says(
			said{"type": "video", "text": "Watch", "url": "https://x.example/v.mp4"},
			said{"type": "single-product", "text": "Boots", "title": "Fjell", "elements": []said{{"id": "1", "image": "https://x.example/i.png"}},
				"actions": []said{{"label": "Buy", "name": "buy", "type": "url", "link": "https://x.example/"}}},
			said{"type": "multiple-product", "text": "More", "elements": []said{{"id": "1", "title": "A", "actions": []said{{"label": "Buy", "name": "b", "type": "client_action", "clientaction_name": "buy"}}}}},
			said{"type": "product-of-another-name", "text": "Same", "elements": []said{{"id": "1", "title": "A"}}},
			said{"delay_config": said{"enabled": true, "info_messages": []string{"Thinking"}, "type": "all", "time": 2}})
	}))
	c.Says("Show me")
	c.Expects("[video] Watch", "[single-product] …", "[multiple-product] More", "[product-of-another-name] Same", "[delay]")
}

func TestTheRulesOfCardsMayBeKeptToTheLimit(t *testing.T) {
	t.Parallel()
	s := startBotServer(t)
	for _, card := range []string{
		`{"type":"select","options":` + many(20) + `,"select_label":"` + strings.Repeat("ø", 20) + `"}`,
		`{"type":"select","options":["` + strings.Repeat("ø", 80) + `"]}`,
		`{"type":"multiple-select","options":["a","b"],"max_selection":20}`,
		`{"type":"drop-down","options":[` + strings.Repeat(`{"value":"v","label":"l"},`, 199) + `{"value":"v","label":"` + strings.Repeat("ø", 80) + `"}],"max_selection":200,"min_selection":200}`,
		`{"type":"drop-down","options":[{"value":"v","label":"l"}],"max_selection":1,"min_selection":1}`,
		`{"type":"slider","values":` + many(10) + `}`,
		`{"type":"slider","values":["1234567890"]}`,
		`{"type":"calendar","from":null,"time":"true","tz":"false"}`,
		`{"type":"location","radius":"2 kms"}`,
		`{"type":"location","radius":"500 miles"}`,
		`{"type":"tel","placeholder":"x","error":[]}`,
		`{"type":"star-rating","level":3}`,
		`{"type":"star-rating","level":10}`,
	} {
		c := s.Converse(t, newBot(t, func(asked) any { return `{"action":"reply","replies":["Well?"],"input":` + card + `}` }))
		c.Says("Ask me")
		c.Expects("Well?")
	}
}

func TestWhatIsNullInAnAnswerIsLeftOut(t *testing.T) {
	t.Parallel()
	c := salesiqtest.Converse(t, newBot(t, func(asked) any {
		return `{"action":"reply","replies":["Fine.",{"text":"Good.","type":null}],"suggestions":null,"input":null,"operators":null,"department":null}`
	}))
	c.Says("How are you?")
	c.Expects("Fine.", "Good.")
}

func TestOnlyTheInputCountsBesideSuggestions(t *testing.T) {
	t.Parallel()
	s := startBotServer(t)
	c := s.Converse(t, newBot(t, func(asked) any {
		return said{"action": "reply", "replies": []any{"?"}, "suggestions": []string{"a"}, "input": said{"type": "like"}}
	}))
	c.Says("Hello")
	c.ExpectsCard("like", "like", "dislike")
	c = s.Converse(t, newBot(t, func(asked) any { return said{"action": "reply", "replies": []any{"?"}, "suggestions": []string{"a"}} }))
	c.Says("Hello")
	c.ExpectsCard("suggestions", "a")
	c = s.Converse(t, newBot(t, func(r asked) any {
		return said{"action": "reply", "replies": []any{"?" + r.Message.Text}, "suggestions": []string{"a"}, "input": said{"type": "email", "placeholder": "@"}}
	}))
	c.Says("Hello")
	c.Says("zoe@post.example") // It can be written, since the suggestions are not shown.
	c.Expects("?zoe@post.example")
}

func TestWhatIsWrittenIntoACardIsChecked(t *testing.T) {
	t.Parallel()
	s := startBotServer(t)
	for _, row := range []struct{ kind, wrong, right, told string }{
		{"email", "zoe@", "zoe@post.example", "This is no e-mail address."},
		{"email", "Zoë <zoe@post.example>", "z@x.y", "This is no e-mail address."},
		{"tel", "4711", "00 00 00", "This is no phone number."},
		{"tel", "(+)-(.)", "12345", "This is no phone number."},
		{"tel", "call 999 999", "+47 (22) 99.99-99", "This is no phone number."},
	} {
		c := s.Converse(t, newBot(t, func(r asked) any {
			return asking(says("You said "+r.Message.Text), said{"type": row.kind, "placeholder": "?"})
		}))
		c.Says("Ask me")
		c.Says(row.wrong)
		c.Expects(row.told)
		c.Says(row.right)
		c.Expects("You said " + row.right)
	}
}

func TestACardMayRateTheConversation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startBotServer(t)
		rated := make(chan int, 9)
		receiver, err := webhook.NewReceiver(s.Verifier())
		require.NoError(t, err)
		require.NoError(t, live.On(receiver, func(_ context.Context, e *live.ConversationRated) error {
			rated <- e.Rating
			return nil
		}))
		s.Subscribe(t, receiver)
		for _, row := range []struct {
			card   said
			choose string
			stars  int
		}{
			{said{"type": "happiness-rating", "level": 5, "set_conversation_rating": true}, ":rating-happy:", 4},
			{said{"type": "happiness-rating", "level": 3, "set_conversation_rating": true}, ":rating-happy:", 5},
			{said{"type": "happiness-rating", "level": 5, "set_conversation_rating": true}, ":rating-angry:", 1},
			{said{"type": "happiness-rating", "level": 5, "set_conversation_rating": true}, ":rating-excited:", 5},
			{said{"type": "happiness-rating", "level": 3, "set_conversation_rating": true}, ":rating-sad:", 1},
			{said{"type": "happiness-rating", "level": 3, "set_conversation_rating": "true"}, ":rating-neutral:", 3},
			{said{"type": "like", "set_conversation_rating": true}, "dislike", 1},
			{said{"type": "like", "set_conversation_rating": true}, "like", 5},
		} {
			c := s.Converse(t, newBot(t, func(r asked) any {
				if r.Message.Text == "Bye" {
					return asking(says("How was it?"), row.card)
				}
				return said{"action": "end", "replies": []any{"Bye."}}
			}))
			c.Says("Bye")
			c.Chooses(row.choose)
			c.ExpectsEnd()
			assert.Equal(t, row.stars, *c.Chat().Rating)
			require.NoError(t, s.Settle(t.Context()))
			assert.Equal(t, row.stars, <-rated)
		}
	})
}

func TestACardRatesOnceAndOnlyIfItIsToRate(t *testing.T) {
	t.Parallel()
	s := startBotServer(t)
	rate := true
	c := s.Converse(t, newBot(t, func(asked) any { return asking(says("Well?"), said{"type": "like", "set_conversation_rating": rate}) }))
	c.Says("Ask me")
	c.Chooses("like")
	c.Chooses("dislike")
	assert.Equal(t, 5, *c.Chat().Rating)
	rate = false
	other := s.Converse(t, nil)
	other.Says("Ask me")
	other.Chooses("like")
	assert.Nil(t, other.Chat().Rating)
}

func TestAnAnswerIsKeptWhereTheReplySays(t *testing.T) {
	t.Parallel()
	s := startBotServer(t)
	for _, row := range []struct {
		field string
		kept  func(salesiq.Chat) any
	}{
		{"siq_name", func(chat salesiq.Chat) any { return chat.VisitorInfo.Name }},
		{"siq_email", func(chat salesiq.Chat) any { return chat.VisitorInfo.Email }},
		{"siq_phone", func(chat salesiq.Chat) any { return chat.VisitorInfo.Phone }},
		{"siq_size", func(chat salesiq.Chat) any { return chat.CustomFields["size"] }},
	} {
		c := s.Converse(t, newBot(t, func(r asked) any {
			if r.Message.Text == "Hello" {
				return says(said{"text": "Well?", "field_name": row.field})
			}
			return says("Thanks.")
		}))
		c.Says("Hello")
		c.Says("forty-two")
		c.Says("and more")
		assert.Equal(t, "forty-two", row.kept(c.Chat()), row.field)
		assert.Equal(t, row.field == "siq_size", len(c.Chat().CustomFields) > 0, "other answers are not kept")
	}
}

func TestABotForwardsToWhoIsThere(t *testing.T) {
	t.Parallel()
	s := startBotServer(t)
	service := live.New(s.Client(t))
	for _, id := range []string{"operator201", "operator204", "operator205", "operator207"} { // All of two departments.
		require.NoError(t, service.Operators.Disable(t.Context(), id))
	}
	_, err := service.Operators.AddDepartments(t.Context(), "operator456", []string{"dept801"})
	require.NoError(t, err)
	for _, row := range []struct {
		why  string
		to   said
		want string // Of the cause; empty for none.
	}{
		{"anybody", said{}, ""},
		{"a department", said{"department": "dept789"}, ""},
		{"a department of which nobody may sign in", said{"department": "dept791"}, "operators_not_available"},
		{"one more department of an operator's", said{"department": "dept801"}, ""},
		{"an address in another case", said{"operators": []string{"IRIS.operator1@nordlicht.example"}}, ""},
		{"one of two who is there", said{"operators": []string{"amlie.operator203@nordlicht.example", "iris.operator1@nordlicht.example"}}, ""},
		{"one of two who is there, the other way round", said{"operators": []string{"iris.operator1@nordlicht.example", "amlie.operator203@nordlicht.example"}}, ""},
		{"one who is not", said{"operators": []string{"amlie.operator203@nordlicht.example"}}, "operators_not_available"},
		{"one who may not sign in", said{"operators": []string{"priya.operator201@nordlicht.example"}}, "invalid_operators"},
		{"nobody's address", said{"operators": []string{"iris.operator1@nordlicht.example", "x@nordlicht.example"}}, "invalid_operators"},
	} {
		row.to["action"], row.to["replies"] = "forward", []any{}
		b := newBot(t, func(r asked) any {
			if r.Handler == "failure" {
				return said{"action": "end", "replies": []any{r.Cause.Desc}}
			}
			return row.to
		})
		require.NoError(t, s.ConnectBot(salesiqtest.Bot{Handler: b, HandlesFailures: true}))
		c := s.Converse(t, nil)
		c.Says("Hello")
		if row.want != "" {
			c.Expects(row.want)
			continue
		}
		switch to := row.to["operators"].(type) {
		case []string:
			c.ExpectsForward(strings.Join(to, ", "))
		default:
			department, _ := row.to["department"].(string)
			c.ExpectsForward(department)
		}
	}
}

func TestAForwardToNobodyAsksTheVisitorToLeaveAMessage(t *testing.T) {
	t.Parallel()
	c := startBotServer(t).Converse(t, newBot(t, func(asked) any {
		return said{"action": "forward", "replies": []any{}, "operators": []string{"amlie.operator203@nordlicht.example"}}
	}))
	c.Says("Hello")
	c.ExpectsBusy()
	assert.Equal(t, salesiq.ChatMissed, c.Chat().Status)
}

func TestABotMayFailOrEndBeforeAnythingIsSaid(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		trigger any
		fails   string
	}{
		{http.StatusInternalServerError, "status 500"},
		{said{"action": "end", "replies": []any{}}, ""},
	} {
		s := startBotServer(t)
		tb := &failingTest{TB: t}
		c := s.Converse(tb, newBot(t, func(r asked) any {
			if r.Handler == "trigger" {
				return row.trigger
			}
			return says("Fine.")
		}))
		before := len(s.Chats())
		c.Opens()
		if row.fails == "" {
			c.ExpectsEnd()
		} else {
			assert.Contains(t, tb.run(func() { c.Expects("Hello") }), row.fails)
		}
		assert.Len(t, s.Chats(), before, "there is nothing to pick up")
		c.Says("How are you?")
		c.Expects("Fine.")
	}
}

func TestWhatABotHasNotHeardYetIsTheOperators(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startBotServer(t)
		b := newBot(t, func(asked) any { return said{"action": "pending", "replies": []any{"Wait."}} })
		c := s.Converse(t, b)
		c.Says("One")
		c.Expects("Wait.")
		waiting, err := live.New(s.Client(t)).Conversations.List(t.Context(), &live.ConversationListParams{Status: live.Waiting, SortBy: "in_time", SortOrder: "descending"})
		require.NoError(t, err)
		require.NoError(t, s.VisitorSays(waiting[0].ID, "Two"))
		began := time.Now()
		pickUp(t, s, waiting[0].ID, "I am here.")
		require.NoError(t, s.Settle(t.Context()))
		assert.Less(t, time.Since(began), time.Minute)
		bodies, _ := b.received()
		assert.Len(t, bodies, 1)
	})
}

func TestAConversationEndsWithItsServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startBotServer(t)
		tb := &failingTest{TB: t}
		c := s.Converse(tb, newBot(t, func(asked) any { return said{"action": "pending"} }))
		c.Says("Hello")
		time.AfterFunc(time.Second, s.Reset)
		began := time.Now()
		assert.Contains(t, tb.run(func() { c.Expects("Hello") }), "the server has been closed or reset")
		assert.Equal(t, time.Second, time.Since(began).Truncate(time.Second))
		assert.Contains(t, tb.run(func() { c.Opens() }), "the server has been")
	})
}

func TestABotThatIsSwitchedOffIsToldNothingMore(t *testing.T) {
	t.Parallel()
	s := startBotServer(t)
	b := newBot(t, func(r asked) any {
		if r.Message.Text == "Fail" {
			return http.StatusInternalServerError
		}
		return says("Fine.")
	})
	tb := &failingTest{TB: t}
	c := s.Converse(tb, b)
	c.Says("How are you?")
	c.Expects("Fine.")
	for n := range 4 {
		other := s.Converse(tb, nil)
		other.Says("Fail")
		failure := tb.run(func() { other.ExpectsEnd() })
		assert.Equal(t, n == 3, strings.Contains(failure, "(the bot is switched off now)"), failure)
	}
	c.Says("And now?")
	require.NoError(t, s.Settle(t.Context()))
	bodies, _ := b.received()
	assert.Len(t, bodies, 5)
	assert.Equal(t, salesiq.ChatWaiting, c.Chat().Status)
	assert.Contains(t, tb.run(func() { c.ExpectsEnd() }), "its part has ended by: failure")
	assert.Contains(t, tb.run(func() { s.Converse(tb, nil).Opens() }), "the bot is switched off")
	assert.Contains(t, tb.run(func() { s.Converse(tb, nil).Says("Hello") }), "the bot is switched off")
}

func TestATranscriptTellsOfFilesAndOperators(t *testing.T) {
	t.Parallel()
	s := startBotServer(t)
	c := s.Converse(t, newBot(t, func(r asked) any {
		if len(r.Files) > 0 {
			return said{"action": "forward", "replies": []any{}}
		}
		return asking(says("Your address?"), said{"type": "email", "placeholder": "@"})
	}))
	c.Says("Hello")
	c.Attaches("boots.png", []byte("PNG")) // A file is no answer to the card.
	c.ExpectsForward("")
	pickUp(t, s, c.Chat().ID, "Nice boots")
	c.Expects("Nice boots")
	for _, line := range []string{"visitor         [file]\n", "Zobot           (forward to anybody)\n", "Iris Lindqvist  Nice boots\n"} {
		assert.Contains(t, c.String(), line)
	}
}

func TestOnlyWhatIsOfferedCanBeChosen(t *testing.T) {
	t.Parallel()
	s := startBotServer(t)
	tb := &failingTest{TB: t}
	c := s.Converse(tb, newBot(t, shop))
	assert.Contains(t, tb.run(func() { c.Chooses("Buy boots") }), "no bot has the conversation")
	c.Opens()
	assert.Contains(t, tb.run(func() { c.Chooses() }), "nothing is chosen")
	assert.Contains(t, tb.run(func() { c.Chooses("Buy boots", "Talk to somebody") }), `"Buy boots", "Talk to somebody" cannot be chosen`)
	c.Chooses("Buy boots")
	assert.Contains(t, tb.run(func() { c.Chooses("41", "42") }), "of the select card 1 must be chosen, not 2")
	plain := s.Converse(tb, newBot(t, shop))
	plain.Says("Hello")
	assert.Contains(t, tb.run(func() { plain.Chooses("Hello") }), `"Hello" cannot be chosen; there is neither a card nor a suggestion`)
}

// outcome is what a conversation comes to whose bot answers in some way.
func outcome(t *testing.T, handle func(r asked) any, bot salesiqtest.Bot) (failure string, chat salesiq.Chat, s *salesiqtest.Server, bodies []string) {
	t.Helper()
	s = startBotServer(t)
	b := newBot(t, handle)
	bot.Handler = b
	require.NoError(t, s.ConnectBot(bot))
	tb := &failingTest{TB: t}
	c := s.Converse(tb, nil)
	c.Says("Hello")
	failure = tb.run(func() { c.ExpectsEnd() })
	chat = c.Chat()
	bodies, _ = b.received()
	return failure, chat, s, bodies
}

func TestWhatABotDoesWrongLeavesTheVisitorToOperators(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why    string
		handle func(r asked) any
		bot    salesiqtest.Bot
		want   string
	}{
		{"it is late", func(asked) any { time.Sleep(6 * time.Second); return says("Late") }, salesiqtest.Bot{}, "has not answered in 5s: it should answer pending"},
		{"its way is long", func(asked) any { time.Sleep(3 * time.Second); return says("Late") }, salesiqtest.Bot{Delay: 3 * time.Second}, "has not answered in 5s"},
		{"it fails", func(asked) any { return http.StatusInternalServerError }, salesiqtest.Bot{}, "has answered with status 500"},
		{"it redirects", func(asked) any { return http.StatusFound }, salesiqtest.Bot{}, "has answered with status 302"},
		{"it hangs up", func(asked) any { panic(http.ErrAbortHandler) }, salesiqtest.Bot{}, "does not answer"},
		{"nobody has the address", func(asked) any {
			return said{"action": "forward", "replies": []any{}, "operators": []string{"x@nordlicht.example"}}
		}, salesiqtest.Bot{}, "the forward failed: invalid_operators"},
	} {
		synctest.Test(t, func(t *testing.T) {
			failure, chat, s, bodies := outcome(t, row.handle, row.bot)
			assert.Contains(t, failure, row.want, row.why)
			assert.Len(t, bodies, 1, row.why)
			require.Equal(t, salesiq.ChatWaiting, chat.Status, row.why)
			pickUp(t, s, chat.ID, "I am here.")
			turns := s.BotTurns()
			require.Len(t, turns, 1)
			assert.Equal(t, chat.ID, turns[0].ChatID)
		})
	}
}

func TestABotMayBeToldOfItsFailure(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		answer any
		failed string
		code   int
		desc   string
	}{
		{`{"action":"reply"}`, `{"action":"reply"}`, 1007, "execution_failure"},
		{"no JSON", ``, 1007, "execution_failure"},
		{`["no object"]`, ``, 1007, "execution_failure"},
		{http.StatusBadGateway, ``, 1007, "execution_failure"},
		{asking(says("?"), said{"type": "select", "options": []string{strings.Repeat("x", 81)}}), `"options":`, 1005, "more_than_max_length"},
		{`{"action":"reply","replies":["?"],"input":{"type":"select","options":` + many(21) + `}}`, `"options":`, 1005, "more_than_max_length"},
		{`{"action":"reply","replies":[7],"input":{"type":"select","options":` + many(21) + `}}`, `"options":`, 1007, "execution_failure"},
		{said{"action": "forward", "replies": []any{}, "operators": []string{"x@nordlicht.example"}}, `"operators":`, 1003, "invalid_operators"},
		{said{"action": "forward", "replies": []any{}, "operators": []string{"amlie.operator203@nordlicht.example"}}, `"forward"`, 1002, "operators_not_available"},
	} {
		synctest.Test(t, func(t *testing.T) {
			_, chat, _, bodies := outcome(t, func(r asked) any {
				if r.Handler == "failure" {
					return said{"action": "operator_busy", "replies": []any{"Leave a message."}}
				}
				return row.answer
			}, salesiqtest.Bot{HandlesFailures: true})
			require.Len(t, bodies, 2)
			var in asked
			require.NoError(t, json.Unmarshal([]byte(bodies[1]), &in))
			assert.Equal(t, row.code, in.Cause.Code)
			assert.Equal(t, row.desc, in.Cause.Desc)
			assert.Contains(t, string(in.Failed), row.failed)
			assert.Equal(t, row.failed == "", in.Failed == nil)
			assert.Equal(t, salesiq.ChatMissed, chat.Status)
		})
	}
}

func TestABotThatKeepsFailingIsSwitchedOff(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ status, failures int }{{http.StatusInternalServerError, 4}, {http.StatusGone, 1}} {
		s := startBotServer(t)
		require.NoError(t, s.ConnectBot(salesiqtest.Bot{Handler: newBot(t, func(asked) any { return row.status })}))
		begin := func() salesiq.Chat {
			chat, err := s.StartChat("visitor123", "Hello")
			require.NoError(t, err)
			require.NoError(t, s.Settle(t.Context()))
			return chat
		}
		for range row.failures + 1 {
			pickUp(t, s, begin().ID, "I am here.")
		}
		turns := s.BotTurns()
		require.Len(t, turns, row.failures, "it is not asked any more")
		assert.Contains(t, turns[0].Error, fmt.Sprint(row.status))
		s.Reset()
		begin()
		assert.Len(t, s.BotTurns(), 1, "a reset switches it on")
	}
}

func TestABotMayEndBlockOrHaveNobody(t *testing.T) {
	t.Parallel()
	s := startBotServer(t)
	b := newBot(t, func(r asked) any { return said{"action": r.Message.Text, "replies": []any{"So be it."}} })
	end := s.Converse(t, b)
	end.Says("end")
	end.Expects("So be it.")
	end.ExpectsEnd()
	assert.Equal(t, salesiq.ChatEnded, end.Chat().Status)
	busy := s.Converse(t, b)
	busy.Says("operator_busy")
	busy.ExpectsBusy()
	assert.Equal(t, salesiq.ChatMissed, busy.Chat().Status)
	tb := &failingTest{TB: t}
	blocked := s.Converse(tb, b)
	blocked.Says("block")
	blocked.ExpectsBlock()
	assert.Contains(t, tb.run(func() { blocked.Says("But") }), "blocked")
	assert.Equal(t, salesiq.ChatEnded, blocked.Chat().Status)
	anybody := s.Converse(tb, b)
	anybody.Says("forward")
	anybody.ExpectsForward("")
	assert.Contains(t, tb.run(func() { anybody.ExpectsForward("Sales") }), "to Sales, and has to anybody")
}

func TestABotsConversationTellsItsEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var events []string
		s := receiveLive(t, func(event live.Event) {
			told := string(event.Info().EventName)
			switch e := event.(type) {
			case *live.ConversationOperatorReplied:
				told += " " + e.Message.Sender.Type + " " + e.Message.Text
				assert.Equal(t, e.Message.Sender.Type == "bot", strings.HasPrefix(e.Message.Sender.ID, "b"))
			case *live.ConversationVisitorReplied:
				told += " " + e.Message.Text
			case *live.ConversationCompleted:
				told += " " + e.EndedBy
			}
			events = append(events, told)
		})
		c := s.Converse(t, newBot(t, shop))
		c.Opens()
		c.Chooses("Talk to somebody")
		c.ExpectsForward("Support")
		pickUp(t, s, c.Chat().ID, "Hello")
		_, err := live.New(s.Client(t)).Conversations.Close(t.Context(), c.Chat().ID)
		require.NoError(t, err)
		require.NoError(t, s.Settle(t.Context()))
		assert.Equal(t, []string{
			"conversation.created", "conversation.operator.replied bot Hello, what can I do for you?",
			"conversation.visitor.replied Talk to somebody", "conversation.operator.replied bot One moment, please.",
			"conversation.attender.updated", "conversation.operator.replied operator Hello", "conversation.completed agent",
		}, slices.DeleteFunc(events, func(event string) bool { return event == "visitor.updated" }))
	})
}

func TestAConversationThatFailsIsLegible(t *testing.T) {
	t.Parallel()
	s := startBotServer(t)
	tb := &failingTest{TB: t}
	c := s.Converse(tb, newBot(t, shop))
	assert.Contains(t, tb.run(func() { c.Expects("Hello") }), `should have said "Hello", and has said nothing more`)
	c.Opens()
	assert.Equal(t, `salesiqtest: the bot should have said "Good evening …", and has said "Hello, what can I do for you?"

  visitor  (opens the chat window)
  Zobot    Hello, what can I do for you?
  Zobot    (suggestions) Buy boots | Talk to somebody
`, tb.run(func() { c.Expects("Good evening …") }))
	assert.Contains(t, tb.run(func() { c.Opens() }), "already")
	assert.Contains(t, tb.run(func() { c.Chooses("Buy a tent") }), `"Buy a tent" cannot be chosen; there is "Buy boots", "Talk to somebody"`)
	c.Chooses("Buy boots")
	assert.Contains(t, tb.run(func() { c.ExpectsCard("calendar") }), "should have shown calendar, and has shown select")
	assert.Contains(t, tb.run(func() { c.ExpectsCard("select", "41") }), `should have been "41", and are "41", "42"`)
	assert.Contains(t, tb.run(func() { c.ExpectsForward("Sales") }), "still has the conversation")
	assert.Contains(t, tb.run(func() { c.ExpectsCard("links") }), "should have shown links")
}

func TestLinesOfATextStandBelowEachOther(t *testing.T) {
	t.Parallel()
	c := salesiqtest.Converse(t, newBot(t, func(asked) any { return says("One\nTwo") }))
	c.Says("Count")
	c.Expects("One\nTwo")
	assert.Equal(t, "  visitor  Count\n  Zobot    One\n           Two\n", c.String())
}

// tracedTest is a test that notes who calls Helper, and who else is on the way to its
// failure.
type tracedTest struct {
	testing.TB

	helpers map[string]bool
	others  []string
}

func (tt *tracedTest) Helper() {
	frame, _ := tt.callers().Next()
	tt.helpers[frame.Function] = true
}

func (tt *tracedTest) Fatalf(string, ...any) {
	frames := tt.callers()
	for {
		frame, more := frames.Next()
		if name, ours := strings.CutPrefix(frame.Function, "github.com/salesiq-go/salesiq/salesiqtest."); ours && !tt.helpers[frame.Function] {
			tt.others = append(tt.others, name)
		}
		if !more {
			runtime.Goexit()
		}
	}
}

func (tt *tracedTest) Fatal(...any) { tt.Fatalf("") }

func (tt *tracedTest) callers() *runtime.Frames {
	pcs := make([]uintptr, 32)
	return runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
}

func TestAFailureIsAtALineOfTheTest(t *testing.T) {
	t.Parallel()
	s := startBotServer(t)
	without, gone := startBotServer(t), startBotServer(t)
	bot := newBot(t, shop)
	for name, fails := range map[string]func(tt *tracedTest, c *salesiqtest.Conversation){
		"Start":           func(tt *tracedTest, _ *salesiqtest.Conversation) { salesiqtest.Start(tt, nil) },
		"Converse":        func(tt *tracedTest, _ *salesiqtest.Conversation) { salesiqtest.Converse(tt, http.NotFoundHandler()) },
		"Client":          func(tt *tracedTest, _ *salesiqtest.Conversation) { s.Client(tt, nil) },
		"NewClient":       func(tt *tracedTest, _ *salesiqtest.Conversation) { salesiqtest.NewClient(tt, nil) },
		"Subscribe":       func(tt *tracedTest, _ *salesiqtest.Conversation) { s.Subscribe(tt, nil) },
		"an event":        func(tt *tracedTest, _ *salesiqtest.Conversation) { s.Subscribe(tt, bot, "tea.served") },
		"Server.Converse": func(tt *tracedTest, _ *salesiqtest.Conversation) { s.Converse(tt, http.NotFoundHandler()) },
		"no bot":          func(tt *tracedTest, _ *salesiqtest.Conversation) { without.Converse(tt, nil) },
		"As": func(tt *tracedTest, _ *salesiqtest.Conversation) {
			c := gone.Converse(tt, bot)
			gone.Reset()
			c.As(salesiq.Visitor{})
		},
		"Opens":          func(_ *tracedTest, c *salesiqtest.Conversation) { c.Opens(); c.Opens() },
		"Says":           func(_ *tracedTest, c *salesiqtest.Conversation) { c.Opens(); c.Says("Hello") },
		"Chooses":        func(_ *tracedTest, c *salesiqtest.Conversation) { c.Chooses("a") },
		"Attaches":       func(_ *tracedTest, c *salesiqtest.Conversation) { c.Says("Talk to somebody"); c.Attaches("", nil) },
		"Expects":        func(_ *tracedTest, c *salesiqtest.Conversation) { c.Expects("a") },
		"ExpectsCard":    func(_ *tracedTest, c *salesiqtest.Conversation) { c.ExpectsCard("select") },
		"a card":         func(_ *tracedTest, c *salesiqtest.Conversation) { c.ExpectsCard("links") },
		"ExpectsForward": func(_ *tracedTest, c *salesiqtest.Conversation) { c.ExpectsForward("") },
		"to another": func(_ *tracedTest, c *salesiqtest.Conversation) {
			c.Says("Talk to somebody")
			c.ExpectsForward("Sales")
		},
		"ExpectsEnd":   func(_ *tracedTest, c *salesiqtest.Conversation) { c.ExpectsEnd() },
		"ExpectsBusy":  func(_ *tracedTest, c *salesiqtest.Conversation) { c.ExpectsBusy() },
		"ExpectsBlock": func(_ *tracedTest, c *salesiqtest.Conversation) { c.ExpectsBlock() },
		"Chat":         func(_ *tracedTest, c *salesiqtest.Conversation) { c.Chat() },
		"a broken rule, settling": func(tt *tracedTest, _ *salesiqtest.Conversation) {
			c := s.Converse(tt, newBot(t, func(asked) any { return "no JSON" }))
			c.Says("Hello")
			c.Says("Hello?")
		},
		"a broken rule, expecting": func(tt *tracedTest, _ *salesiqtest.Conversation) {
			c := s.Converse(tt, newBot(t, func(asked) any { return "no JSON" }))
			c.Says("Hello")
			c.Expects("Hello?")
		},
	} {
		failed := true
		tt := &tracedTest{TB: t, helpers: map[string]bool{}}
		done := make(chan struct{})
		go func() {
			defer close(done)
			fails(tt, s.Converse(tt, bot))
			failed = false
		}()
		<-done
		assert.True(t, failed, name)
		assert.Empty(t, tt.others, "%s: they are to call Helper", name)
	}
}

func TestOneOfSeveralTextsMayBeAnything(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		want, got string
		matches   bool
	}{
		{"Hello", "Hello", true}, {"Hello", "Hello!", false}, {"Hello …", "Hello you", true}, {"… you", "Hello you", true},
		{"H…o…u", "Hello you", true}, {"…", "", true}, {"ab…ba", "aba", false}, {"a…c…b…d", "a b c d", false}, {"One moment…", "One moment…", true},
	} {
		c := salesiqtest.Converse(&failingTest{TB: t}, newBot(t, func(asked) any { return says(row.got + ".") }))
		c.Says("?")
		if row.matches {
			c.Expects(row.want + ".")
			continue
		}
		tb := &failingTest{TB: t}
		c = salesiqtest.Converse(tb, newBot(t, func(asked) any { return says(row.got + ".") }))
		c.Says("?")
		tb.run(func() { c.Expects(row.want + ".") })
	}
}
