package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/live"
)

// visit is a conversation with the bot. For each request, another bot answers, as if the
// program had been started anew.
type visit struct {
	notes []string
	fail  error  // Of a note.
	name  string // Of the visitor.
	turns int
}

// said is an answer as it is on the wire.
type said struct {
	Action      string            `json:"action"`
	Replies     []json.RawMessage `json:"replies"`
	Suggestions []string          `json:"suggestions"`
	Department  string            `json:"department"`
	ContextID   string            `json:"context_id"`
	Questions   []struct {
		Name    string
		Replies []string
		Input   *struct{ Type, Placeholder, Value string }
	}
}

// ask sends a request, and returns the answer.
func (v *visit) ask(t *testing.T, handler, more string) (answer said) {
	t.Helper()
	known, err := openFAQ("")
	require.NoError(t, err)
	d := &desk{faq: known, department: "d7", logger: slog.New(slog.DiscardHandler), note: func(_ context.Context, id, text string) error {
		v.notes = append(v.notes, id+": "+text)
		return v.fail
	}}
	bot, err := live.NewBot(live.Unsigned(), d.options()...)
	require.NoError(t, err)
	v.turns++
	body := fmt.Sprintf(`{"handler":%q,"visitor":{"name":%q,"active_conversation_id":"c1"},"org_id":"1","request":{"id":"r%d"}%s}`, handler, v.name, v.turns, more)
	w := httptest.NewRecorder()
	bot.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body)))
	require.NoError(t, bot.Shutdown(t.Context()))
	require.Equal(t, http.StatusOK, w.Code)
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer), w.Body.String())
	return answer
}

// says sends what the visitor writes.
func (v *visit) says(t *testing.T, text string) said {
	t.Helper()
	return v.ask(t, "message", fmt.Sprintf(`,"operation":"message","message":{"text":%q},"attachments":[]`, text))
}

func TestTheVisitorIsGreetedWithTheTopics(t *testing.T) {
	t.Parallel()
	answer := (&visit{}).ask(t, "trigger", "")
	assert.Equal(t, `"Hello! I am the assistant of Nordlicht Outdoor."`, string(answer.Replies[0]))
	assert.Equal(t, []string{"Delivery", "Returns", "Repairs", "Storms", "Opening hours", "Something else"}, answer.Suggestions)
	answer = (&visit{name: "Zoë O’Brien"}).ask(t, "trigger", "")
	assert.Contains(t, string(answer.Replies[0]), "Hello Zoë O’Brien!")
}

func TestAQuestionOfTheFileIsAnsweredWithItsLink(t *testing.T) {
	t.Parallel()
	for _, question := range []string{"When will my tent arrive?", "delivery", "How long does shipping take"} {
		v := &visit{}
		answer := v.says(t, question)
		assert.Equal(t, "reply", answer.Action, question)
		require.Len(t, answer.Replies, 2, question)
		assert.Contains(t, string(answer.Replies[0]), "before noon", question)
		assert.Contains(t, string(answer.Replies[1]), `"url":"https://www.nordlicht.example/delivery"`, question)
		assert.Equal(t, []string{"That helps, thank you", "Something else", "Talk to somebody"}, answer.Suggestions, question)
		assert.Empty(t, v.notes)
	}
	assert.Equal(t, "end", (&visit{}).says(t, "That helps, thank you").Action)
	assert.Empty(t, (&visit{}).says(t, "Something else").Suggestions, "so that the visitor can write")
}

func TestTwoThingsAtOnceAreAskedAbout(t *testing.T) {
	t.Parallel()
	answer := (&visit{}).says(t, "Can I return a broken one?")
	assert.Equal(t, []string{"Returns", "Repairs", "Something else"}, answer.Suggestions)
}

func TestWhatTheBotDoesNotKnowGoesToAnOperatorWithANote(t *testing.T) {
	t.Parallel()
	v := &visit{name: "Amira"}
	answer := v.says(t, "Do you sell canoes?")
	assert.Equal(t, "context", answer.Action)
	assert.Equal(t, "hand-over", answer.ContextID)
	require.Len(t, answer.Questions, 3)
	assert.Equal(t, "name", answer.Questions[0].Input.Type)
	assert.Equal(t, "Amira", answer.Questions[0].Input.Value)
	assert.Equal(t, "email", answer.Questions[1].Input.Type)
	assert.Nil(t, answer.Questions[2].Input, "no card is for a number: it is written")
	assert.Equal(t, []string{`c1: The bot did not know an answer to "Do you sell canoes?".`}, v.notes, "it is noted down at once")

	answer = v.ask(t, "context", `,"context_id":"hand-over","answers":{"name":{"text":"Amira Osei"},"email":{"text":"amira@post.example"},"order":{"text":"N-4711"}}`)
	assert.Equal(t, "forward", answer.Action)
	assert.Equal(t, "d7", answer.Department)
	assert.Contains(t, string(answer.Replies[0]), "Thank you, Amira Osei.")
	assert.Equal(t, "c1: Name: Amira Osei\nEmail: amira@post.example\nOrder: N-4711", v.notes[1])
}

func TestWhoeverAsksForSomebodyGetsSomebody(t *testing.T) {
	t.Parallel()
	v := &visit{}
	assert.Equal(t, "context", v.says(t, "Talk to somebody").Action)
	assert.Empty(t, v.notes)
	answer := v.ask(t, "message", `,"operation":"message","message":{"text":"delivery"},"attachments":[{"name":"torn.jpg"}]`)
	assert.Equal(t, "context", answer.Action, "the bot does not see pictures")
	assert.Len(t, v.notes, 1)
}

func TestWhereNobodyIsThereTheVisitorLeavesAMessage(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{1001: "operator_busy", 1002: "operator_busy", 1003: "forward", 1007: "forward"} {
		answer := (&visit{}).ask(t, "failure", fmt.Sprintf(`,"failed_response":{"action":"forward"},"cause":{"code":%d,"desc":"x"}`, code))
		assert.Equal(t, want, answer.Action, code)
	}
}

func TestANoteThatFailsKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	v := &visit{fail: errors.New("no service")}
	assert.Equal(t, "context", v.says(t, "Do you sell canoes?").Action)
	assert.Equal(t, "forward", v.ask(t, "context", `,"context_id":"hand-over","answers":{"name":"A","order":"none"}`).Action)
}

func TestTheFileIsReadOrToldWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	known, err := readFAQ(strings.NewReader("# A comment\nTea: tea*, hot water\nYes,\nand coffee.\nhttps://a.example\n\nCake:\nNo.\n"))
	require.NoError(t, err)
	assert.Equal(t, faq{
		{topic: "Tea", words: [][]string{{"tea*"}, {"hot", "water"}}, answer: "Yes, and coffee.", links: []string{"https://a.example"}},
		{topic: "Cake", answer: "No."},
	}, known)
	for question, want := range map[string]int{
		"Teas?": 1, "HOT  water!": 1, "water, hot": 0, "the team": 1, "steam": 0, "cake": 1, "cakes": 0, "": 0,
	} {
		assert.Len(t, known.find(question), want, question)
	}
	for text, want := range map[string]string{
		"":                      "no entries",
		"Tea\nYes.":             "line 1: an entry begins with its topic",
		"Tea: tea":              "no answer for Tea",
		"Tea: a\nx\n\ntea: b\n": "line 4: there are two entries for tea",
	} {
		_, err := readFAQ(strings.NewReader(text))
		require.ErrorContains(t, err, want)
	}
	_, err = openFAQ("testdata/none.txt")
	require.Error(t, err)
}
