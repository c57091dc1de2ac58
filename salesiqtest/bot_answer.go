package salesiqtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq/internal/input"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// What a bot answers, read and checked by the rules of the vendor's pages. It is read
// without package live, so that a mistake over there shows here.

// botAnswer is the answer to a request.
type botAnswer struct {
	botSaying

	action     string
	operators  []string // E-mail addresses.
	department string   // An id.
	contextID  string
	questions  []botQuestion
}

// botSaying is what a visitor gets to see.
type botSaying struct {
	replies     []botReply
	suggestions []string
	input       *botInput // Nil where the visitor just writes.
}

// botQuestion is one of the questions of a context.
type botQuestion struct {
	botSaying

	name string
}

// botReply is a text or a card.
type botReply struct {
	kind  string // Of a card: "file", "links", or "" for a text with a picture at most.
	text  string
	field string          // Where the visitor's answer is stored, such as "siq_email".
	card  json.RawMessage // Nil for a mere text.
}

// line is a reply as a transcript has it.
func (r *botReply) line() string {
	switch {
	case r.kind != "" && r.text != "":
		return "[" + r.kind + "] " + r.text
	case r.kind != "":
		return "[" + r.kind + "]"
	case r.text == "":
		return "[image]"
	}
	return r.text
}

// breach is a rule that an answer breaks.
type breach struct {
	path, reason string

	tooLong bool
}

func (b breach) String() string {
	if b.path == "" {
		return b.reason
	}
	return b.path + " " + b.reason
}

// answerReader collects all that is wrong with an answer.
type answerReader struct{ breaches []breach }

func (r *answerReader) broken(path, format string, args ...any) {
	r.breaches = append(r.breaches, breach{path: path, reason: fmt.Sprintf(format, args...)})
}

// botActions are those of the vendor's pages.
var botActions = []string{"reply", "forward", "context", "pending", "operator_busy", "block", "end"}

// readAnswer reads what a bot has answered.
func readAnswer(body []byte) (botAnswer, []breach) {
	r := &answerReader{}
	root := object{}
	if err := wire.Unmarshal(body, &root); err != nil || root == nil {
		r.broken("", "the answer is no JSON object")
		return botAnswer{}, r.breaches
	}
	answer := botAnswer{action: r.text(root, "", "action", needed)}
	if answer.action != "" && !slices.Contains(botActions, answer.action) {
		r.broken("action", "is %q; there is %s", answer.action, strings.Join(botActions, ", "))
	}
	// A page calls replies mandatory. Samples of a context have none, and bots of others
	// answer "pending" without.
	answer.botSaying = r.saying(root, "", answer.action != "context" && answer.action != "pending")
	answer.department = r.text(root, "", "department", 0)
	for i, email := range r.list(root, "", "operators", false) {
		answer.operators = append(answer.operators, r.asText(element("operators", i), email))
	}
	if answer.action == "context" {
		answer.contextID = r.text(root, "", "context_id", needed)
		answer.questions = r.questions(root)
	}
	return answer, r.breaches
}

// questions reads those of a context.
func (r *answerReader) questions(root object) (all []botQuestion) {
	names := map[string]bool{}
	for i, item := range r.some(root, "", "questions") {
		path := element("questions", i)
		question, ok := r.asObject(path, item)
		if !ok {
			continue
		}
		name := r.text(question, path, "name", needed)
		if names[name] && name != "" {
			r.broken(path+".name", "is that of another question")
		}
		names[name] = true
		all = append(all, botQuestion{r.saying(question, path, true), name})
	}
	return all
}

// saying reads replies, and what the visitor can answer with.
func (r *answerReader) saying(from object, path string, mandatory bool) botSaying {
	said := botSaying{}
	for i, item := range r.list(from, path, "replies", mandatory) {
		said.replies = append(said.replies, r.reply(element(memberOf(path, "replies"), i), item))
	}
	for i, item := range r.list(from, path, "suggestions", false) {
		said.suggestions = append(said.suggestions, r.asText(element(memberOf(path, "suggestions"), i), item))
	}
	if value, ok := from["input"]; ok && value != nil {
		said.input = r.input(memberOf(path, "input"), value)
		said.suggestions = nil // Only the input counts.
	}
	return said
}

// memberOf is the path of a member.
func memberOf(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// needed marks a text that must be there, and bounds it by nothing.
const needed = -1

// text reads a text of so many characters at most. It may be left out where most is 0.
func (r *answerReader) text(from object, path, name string, most int) string {
	value, ok := from[name]
	if !ok || value == nil {
		if most == needed {
			r.broken(memberOf(path, name), "is required")
		}
		return ""
	}
	text := r.asText(memberOf(path, name), value)
	if most > 0 && len([]rune(text)) > most {
		r.tooLong(memberOf(path, name), most)
	}
	return text
}

func (r *answerReader) tooLong(path string, most int) {
	reason := fmt.Sprintf("must have at most %d characters", most)
	r.breaches = append(r.breaches, breach{path, reason, true})
}

func (r *answerReader) asText(path string, value any) string {
	text, ok := value.(string)
	switch {
	case !ok:
		r.broken(path, "must be a text")
	case input.IsBlank(text):
		r.broken(path, "must not be empty")
	}
	return text
}

func (r *answerReader) asObject(path string, value any) (object, bool) {
	members, ok := value.(map[string]any)
	if !ok {
		r.broken(path, "must be an object")
	}
	return members, ok
}

func (r *answerReader) list(from object, path, name string, mandatory bool) []any {
	value, there := from[name]
	items, ok := value.([]any)
	switch {
	case ok:
	case !there && mandatory:
		r.broken(memberOf(path, name), "is required")
	case there && (value != nil || mandatory):
		r.broken(memberOf(path, name), "must be a list")
	}
	return items
}

// some reads a list that must have something in it.
func (r *answerReader) some(from object, path, name string) []any {
	items := r.list(from, path, name, true)
	if items != nil && len(items) == 0 {
		r.broken(memberOf(path, name), "must not be empty")
	}
	return items
}

// number reads a whole number between bounds, unless it is left out.
func (r *answerReader) number(from object, path, name string, low, high int, mandatory bool) int {
	value, there := from[name]
	number, ok := value.(float64)
	switch {
	case !there && !mandatory:
	case !there:
		r.broken(memberOf(path, name), "is required")
	case !ok || number != float64(int(number)) || int(number) < low || int(number) > high:
		r.broken(memberOf(path, name), "must be a number from %d to %d", low, high)
	}
	return int(number)
}

// flag reads a bool, which some samples write as a text.
func (r *answerReader) flag(from object, path, name string) bool {
	switch value := from[name].(type) {
	case nil:
	case bool:
		return value
	default:
		if value != "true" && value != "false" {
			r.broken(memberOf(path, name), "must be true or false")
		}
		return value == "true"
	}
	return false
}

// replyCards read what is particular to a kind of reply. The words of products are those
// that package live uses, since no page shows them.
var replyCards = map[string]func(r *answerReader, path string, card object){
	"file": func(r *answerReader, path string, card object) {
		r.text(card, path, "text", needed)
		r.text(card, path, "url", needed)
	},
	"articles": func(r *answerReader, path string, card object) {
		r.some(card, path, "articles")
	},
	"links": func(r *answerReader, path string, card object) {
		for i, item := range r.some(card, path, "links") {
			at := element(path+".links", i)
			if link, ok := r.asObject(at, item); ok {
				r.text(link, at, "url", needed)
			}
		}
	},
	"video": func(r *answerReader, path string, card object) {
		r.text(card, path, "text", needed)
		r.text(card, path, "url", needed)
	},
	"single-product": func(r *answerReader, path string, card object) {
		r.text(card, path, "title", needed)
		r.list(card, path, "elements", false)
		r.actions(card, path)
	},
	"multiple-product": func(r *answerReader, path string, card object) {
		for i, item := range r.list(card, path, "elements", true) {
			at := element(path+".elements", i)
			if product, ok := r.asObject(at, item); ok {
				r.text(product, at, "title", needed)
				r.actions(product, at)
			}
		}
	},
}

// actions reads the buttons of a product.
func (r *answerReader) actions(card object, path string) {
	names := map[string]bool{}
	for i, item := range r.list(card, path, "actions", false) {
		at := element(path+".actions", i)
		action, ok := r.asObject(at, item)
		if !ok {
			continue
		}
		r.text(action, at, "label", needed)
		name := r.text(action, at, "name", needed)
		if names[name] {
			r.broken(at+".name", "is that of another action")
		}
		names[name] = true
		switch kind := r.text(action, at, "type", needed); kind {
		case "url":
			r.text(action, at, "link", needed)
		case "client_action":
			r.text(action, at, "clientaction_name", needed)
		default:
			r.broken(at+".type", "must be url or client_action")
		}
	}
}

// reply reads a text or a card.
func (r *answerReader) reply(path string, item any) botReply {
	if text, ok := item.(string); ok {
		return botReply{text: r.asText(path, text)}
	}
	card, ok := item.(map[string]any)
	if !ok {
		r.broken(path, "must be a text or an object")
		return botReply{}
	}
	reply := botReply{card: asJSON(card), text: r.text(card, path, "text", 0), field: r.text(card, path, "field_name", 0), kind: r.text(card, path, "type", 0)}
	if _, delays := card["delay_config"]; delays {
		reply.kind = "delay"
		r.delay(card, path)
		return reply
	}
	read, known := replyCards[reply.kind]
	_, product := card["elements"]
	switch {
	case known:
		read(r, path, card)
	case reply.kind != "" && !product:
		r.broken(path+".type", "is %q; there is %s", reply.kind, strings.Join(slices.Sorted(maps.Keys(replyCards)), ", "))
	case reply.text == "" && r.text(card, path, "image", 0) == "" && !product:
		r.broken(path, "has neither text nor image")
	}
	return reply
}

// delay reads what is shown while a bot takes its time.
func (r *answerReader) delay(card object, path string) {
	path += ".delay_config"
	config, ok := r.asObject(path, card["delay_config"])
	if !ok {
		return
	}
	r.flag(config, path, "enabled")
	r.list(config, path, "info_messages", false)
	if kind := r.text(config, path, "type", 0); kind != "" && kind != "random" && kind != "all" {
		r.broken(path+".type", "must be random or all")
	}
}

// botInput is a card that a visitor answers with.
type botInput struct {
	kind    string
	card    json.RawMessage
	options []string // To choose from; none where the visitor fills something in.
	least   int      // How many can be chosen,
	most    int      // 1 unless several can.
	errors  []string // What the visitor is told about a wrong e-mail address and the like.
	rates   bool     // The answer is the rating of the conversation.
}

// The bounds of cards, by the vendor's pages.
const (
	mostOptions, longestOption   = 20, 80
	mostDropDown                 = 200
	mostSliderValues             = 10
	longestSliderValue           = 10
	longestSelectLabel           = 20
	nearestRadius, widestRadius  = 2, 500
	fewestStars, mostStars       = 3, 10
	visitorsDate, visitorsMinute = "02/01/2006", "15:04"
)

// inputCards read what is particular to a card.
var inputCards = map[string]func(r *answerReader, path string, card object, in *botInput){
	"select": readOptions,
	"multiple-select": func(r *answerReader, path string, card object, in *botInput) {
		readOptions(r, path, card, in)
		in.most = len(in.options)
		if _, bounded := card["max_selection"]; bounded {
			in.most = r.number(card, path, "max_selection", 2, mostOptions, false)
		}
	},
	"drop-down": readDropDown,
	"slider":    readSlider,
	"range-slider": func(r *answerReader, path string, card object, in *botInput) {
		readSlider(r, path, card, in)
		in.least, in.most = 2, 2
	},
	"calendar":         readCalendar,
	"range-calendar":   readCalendar,
	"timeslots":        readTimeSlots,
	"date-timeslots":   readDateSlots,
	"location":         readLocation,
	"email":            readField,
	"tel":              readField,
	"name":             readField,
	"happiness-rating": readHappiness,
	"star-rating": func(r *answerReader, path string, card object, in *botInput) {
		for star := range max(0, min(mostStars, r.number(card, path, "level", fewestStars, mostStars, true))) {
			in.options = append(in.options, strconv.Itoa(star+1))
		}
	},
	"like": func(_ *answerReader, _ string, _ object, in *botInput) { in.options = []string{"like", "dislike"} },
}

// input reads a card that the visitor answers with.
func (r *answerReader) input(path string, value any) *botInput {
	card, ok := r.asObject(path, value)
	if !ok {
		return nil
	}
	in := &botInput{kind: r.text(card, path, "type", needed), card: asJSON(card), least: 1, most: 1}
	read, known := inputCards[in.kind]
	if !known {
		if in.kind != "" {
			r.broken(path+".type", "is %q; there is %s", in.kind, strings.Join(slices.Sorted(maps.Keys(inputCards)), ", "))
		}
		return nil
	}
	in.rates = r.flag(card, path, "set_conversation_rating")
	r.text(card, path, "select_label", longestSelectLabel)
	read(r, path, card, in)
	return in
}

// atMost accepts so many of something.
func (r *answerReader) atMost(path string, count, most int) {
	if count > most {
		r.breaches = append(r.breaches, breach{path, fmt.Sprintf("must be at most %d", most), true})
	}
}

// texts reads a list of so many texts of so many characters at most.
func (r *answerReader) texts(card object, path, name string, most, longest int) (all []string) {
	items := r.some(card, path, name)
	path = memberOf(path, name)
	r.atMost(path, len(items), most)
	for i, item := range items {
		text := r.asText(element(path, i), item)
		if len([]rune(text)) > longest {
			r.tooLong(element(path, i), longest)
		}
		all = append(all, text)
	}
	return all
}

func readOptions(r *answerReader, path string, card object, in *botInput) {
	in.options = r.texts(card, path, "options", mostOptions, longestOption)
}

func readSlider(r *answerReader, path string, card object, in *botInput) {
	in.options = r.texts(card, path, "values", mostSliderValues, longestSliderValue)
}

// readDropDown reads options with a value and a label. The visitor chooses a label.
func readDropDown(r *answerReader, path string, card object, in *botInput) {
	options := r.some(card, path, "options")
	at := path + ".options"
	r.atMost(at, len(options), mostDropDown)
	for i, item := range options {
		option, ok := r.asObject(element(at, i), item)
		if !ok {
			continue
		}
		r.text(option, element(at, i), "value", needed)
		label := r.text(option, element(at, i), "label", needed)
		if len([]rune(label)) > longestOption {
			r.tooLong(element(at, i)+".label", longestOption)
		}
		in.options = append(in.options, label)
	}
	if r.flag(card, path, "multiple") {
		in.most = len(in.options)
	}
	if _, bounded := card["max_selection"]; bounded {
		in.most = r.number(card, path, "max_selection", 1, mostDropDown, false)
	}
	if _, bounded := card["min_selection"]; bounded {
		in.least = r.number(card, path, "min_selection", 1, max(1, in.most), false)
	}
}

// readCalendar reads bounds such as "+10" and "-2" days, or milliseconds.
func readCalendar(r *answerReader, path string, card object, _ *botInput) {
	for _, name := range []string{"from", "to"} {
		switch value := card[name].(type) {
		case nil, float64:
		case string:
			if _, err := strconv.ParseInt(value, 10, 64); err != nil {
				r.broken(memberOf(path, name), "must be days from today, as +10 or -2, or milliseconds")
			}
		default:
			r.broken(memberOf(path, name), "must be days from today, as +10 or -2, or milliseconds")
		}
	}
	for _, name := range []string{"time", "tz"} {
		r.flag(card, path, name)
	}
}

func (r *answerReader) slot(path string, value any) string {
	slot := r.asText(path, value)
	if _, err := time.Parse(visitorsMinute, slot); err != nil {
		r.broken(path, "must be a time, as 09:30")
	}
	return slot
}

func (r *answerReader) day(path, day string) {
	if _, err := time.Parse(visitorsDate, day); day != "" && err != nil {
		r.broken(path, "must be a day, as 31/12/2026")
	}
}

// readTimeSlots reads the times of one day, of which the visitor chooses one.
func readTimeSlots(r *answerReader, path string, card object, in *botInput) {
	r.day(path+".date", r.text(card, path, "date", needed))
	r.text(card, path, "time_zone_id", needed)
	for i, item := range r.list(card, path, "slots", true) {
		in.options = append(in.options, r.slot(element(path+".slots", i), item))
	}
}

// readDateSlots reads the times of several days. The visitor chooses day and time.
func readDateSlots(r *answerReader, path string, card object, in *botInput) {
	r.text(card, path, "label", needed)
	r.text(card, path, "time_zone_id", needed)
	days, ok := r.asObject(path+".slots", card["slots"])
	if !ok {
		return
	}
	byDate := func(a, b string) int {
		first, _ := time.Parse(visitorsDate, a)  //nolint:errcheck // It is checked below.
		second, _ := time.Parse(visitorsDate, b) //nolint:errcheck // As is this.
		return first.Compare(second)
	}
	for _, day := range slices.SortedFunc(maps.Keys(days), byDate) {
		at := path + ".slots." + day
		r.day(at, day)
		for i, item := range r.list(days, path+".slots", day, true) {
			in.options = append(in.options, day+" "+r.slot(element(at, i), item))
		}
	}
}

func readLocation(r *answerReader, path string, card object, _ *botInput) {
	for _, name := range []string{"lat", "lng"} {
		if value, there := card[name]; there {
			if _, ok := value.(float64); !ok {
				r.broken(memberOf(path, name), "must be a number")
			}
		}
	}
	radius := r.text(card, path, "radius", 0)
	if radius == "" {
		return
	}
	number, unit, _ := strings.Cut(radius, " ")
	length, err := strconv.ParseFloat(number, 64)
	if err != nil || length < nearestRadius || length > widestRadius || unit != "kms" && unit != "miles" {
		r.broken(path+".radius", "must be 2 to 500 kms or miles, as 9 kms")
	}
}

// readField reads a card that the visitor writes into.
func readField(r *answerReader, path string, card object, in *botInput) {
	r.text(card, path, "placeholder", needed)
	for i, item := range r.list(card, path, "error", false) {
		in.errors = append(in.errors, r.asText(element(path+".error", i), item))
	}
}

// faces are the answers to a happiness card, from the saddest.
var faces = []string{":rating-angry:", ":rating-sad:", ":rating-neutral:", ":rating-happy:", ":rating-excited:"}

func readHappiness(r *answerReader, path string, card object, in *botInput) {
	in.options = faces
	switch r.number(card, path, "level", 3, 5, true) {
	case 3:
		in.options = faces[1:4]
	case 4:
		r.broken(path+".level", "must be 3 or 5")
	}
}

// refuses tells what is wrong with an answer that the visitor has written, or nothing.
func (in *botInput) refuses(text string) []string {
	wrong := false
	switch in.kind {
	case "email":
		address, err := mail.ParseAddress(text)
		wrong = err != nil || address.Address != text
	case "tel":
		digits := strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, text)
		wrong = len(digits) < 5 || strings.Trim(text, "0123456789 ()+-./") != ""
	}
	switch {
	case !wrong:
		return nil
	case len(in.errors) > 0:
		return in.errors
	}
	return []string{"This is no " + map[string]string{"email": "e-mail address", "tel": "phone number"}[in.kind] + "."}
}

// choosable tells whether a visitor can choose some values, and if not, why.
func (in *botInput) choosable(values []string) error {
	if len(in.options) == 0 {
		return nil // It is filled in.
	}
	for _, value := range values {
		if !slices.Contains(in.options, value) {
			return fmt.Errorf("the %s card has no %q; it has %s", in.kind, value, quotedList(in.options))
		}
	}
	if len(values) < in.least || len(values) > in.most {
		if in.least == in.most {
			return fmt.Errorf("of the %s card %d must be chosen, not %d", in.kind, in.least, len(values))
		}
		return fmt.Errorf("of the %s card %d to %d can be chosen, not %d", in.kind, in.least, in.most, len(values))
	}
	return nil
}

// answer is what chosen values become in a message.
func (in *botInput) answer(values []string) string {
	if strings.HasPrefix(in.kind, "range-") {
		return strings.Join(values, " - ")
	}
	return strings.Join(values, ",")
}

// stars are the rating that an answer means, or 0.
func (in *botInput) stars(answer string) int {
	switch at := slices.Index(faces, answer); {
	case !in.rates:
		return 0
	case answer == "like":
		return 5
	case answer == "dislike":
		return 1
	case at >= 0 && len(in.options) == len(faces):
		return at + 1
	case at >= 0:
		return 2*at - 1 // Of three: 1, 3 and 5.
	}
	return 0
}

// quotedList is a list for people.
func quotedList(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = strconv.Quote(text)
	}
	return strings.Join(quoted, ", ")
}
