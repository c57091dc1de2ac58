package salesiqtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// What a visitor and a bot have to say to each other: the rules. Requests are posted,
// and their answers awaited, in bot_post.go.

// senderBot is who writes what a bot says.
const senderBot salesiq.SenderType = "bot"

// callbackLimit is how long a bot may take that has answered "pending".
const callbackLimit = 3 * time.Minute

// mostFailures are those in a row after which a bot is switched off.
const mostFailures = 4

// talk is a conversation as long as a bot has it.
type talk struct {
	bot       *zobot
	visitorID string
	chatID    string            // Empty until the visitor has said something.
	greetings []salesiq.Message // What the bot has said until then.

	turns    int        // Messages that the bot was told of.
	queue    []*botCall // Yet to be told.
	under    *botCall   // The one that is under way or pending.
	pending  bool
	serving  bool // Somebody works on the queue.
	asks     *botInput
	suggests []string
	stores   string // Where the next answer belongs, such as "siq_email".
	context  *contextRun

	outcome  string // How the bot's part has ended; empty while it goes on.
	passedTo string // What a forward names.
	problems []botProblem

	lines   []talkLine
	changed chan struct{} // Closed and made anew with each change.
}

// botProblem is something that went wrong.
type botProblem struct {
	text string

	harmless bool // It can happen to the best of bots.
}

// talkLine is something that happened, for a transcript.
type talkLine struct {
	who, text string

	kind string // Of a card.
	said bool   // It is a message for the visitor.
}

// contextRun are the questions of a context, while they are asked.
type contextRun struct {
	id        string
	questions []botQuestion
	next      int
	answers   map[string]object
}

// botCall is a request to a bot.
type botCall struct {
	id      string
	handler string
	message *salesiq.Message
	first   bool // It is the first message of its conversation.

	contextID string
	answers   map[string]object
	failed    json.RawMessage // The answer that could not be used.
	cause     *botCause

	early    []byte        // An answer by callback that was faster than "pending".
	began    time.Time     // When it was answered "pending".
	answered chan struct{} // Closed when nothing is pending any more.
	arrive   func()        // Tells Settle that the request is done with.
}

// botCause is why an answer could not be used, by the vendor's numbers.
type botCause struct {
	Code int    `json:"code"`
	Desc string `json:"desc"`
}

var (
	causeUnavailable = botCause{1002, "operators_not_available"}
	causeOperators   = botCause{1003, "invalid_operators"}
	causeTooLong     = botCause{1005, "more_than_max_length"}
	causeFailure     = botCause{1007, "execution_failure"}
)

func (s *state) newTalk(visitorID string) *talk {
	return &talk{bot: s.bot, visitorID: visitorID, changed: make(chan struct{})}
}

// stir wakes who waits for a change.
func (t *talk) stir() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// add appends a line to the transcript.
func (t *talk) add(line talkLine) {
	t.lines = append(t.lines, line)
	t.stir()
}

// open tells whether the bot has the conversation.
func (t *talk) open() bool { return t != nil && t.outcome == "" }

// openWindow tells a bot that a visitor has opened the chat window, unless there is a
// conversation already.
func (s *state) openWindow(visitorID string) *talk {
	_, goesOn := s.chats.first(func(chat *salesiq.Chat) bool {
		return chat.VisitorID == visitorID && (chat.Status == salesiq.ChatWaiting || chat.Status == salesiq.ChatActive)
	})
	if s.bot == nil || s.bot.disabled || goesOn || s.greeted[visitorID] != nil || s.blocked[visitorID] {
		return s.greeted[visitorID]
	}
	t := s.newTalk(visitorID)
	s.greeted[visitorID] = t
	s.ask(t, &botCall{handler: "trigger"})
	return t
}

// attend lets a bot have a chat that begins.
func (s *state) attend(chat *salesiq.Chat) {
	t := s.greeted[chat.VisitorID]
	delete(s.greeted, chat.VisitorID)
	if t == nil || !t.open() {
		if s.bot == nil || s.bot.disabled {
			return
		}
		t = s.newTalk(chat.VisitorID)
	}
	t.chatID = chat.ID
	s.talks[chat.ID] = t
	for _, visit := range s.widget.visits {
		if visit.visitorID == chat.VisitorID {
			visit.chatID = chat.ID
		}
	}
	for _, message := range t.greetings {
		s.write(chat, message)
	}
}

// overhear keeps the transcript of a talk, and tells the bot what the visitor says.
func (s *state) overhear(chat *salesiq.Chat, message *salesiq.Message) {
	t := s.talks[chat.ID]
	switch {
	case t == nil || message.SenderType == senderBot:
	case message.SenderType == salesiq.SenderVisitor:
		t.add(talkLine{who: "visitor", text: s.lineOf(message)})
		if t.open() {
			s.hear(t, chat, message)
		}
	default:
		name := "operator"
		if operator, ok := s.operators.get(message.SenderID); ok {
			name = operator.Name
		}
		t.add(talkLine{who: name, text: message.Text, said: true})
	}
}

// lineOf is a message as a transcript has it.
func (s *state) lineOf(message *salesiq.Message) string {
	if message.Type == salesiq.MessageAttachment {
		return strings.TrimSpace("[file] " + message.Text)
	}
	return message.Text
}

// hear lets a bot hear what the visitor says: as the answer to a question of a context, or
// as a message.
func (s *state) hear(t *talk, chat *salesiq.Chat, message *salesiq.Message) {
	if t.bot.disabled {
		s.handOver(t, "failure")
		return
	}
	if t.asks != nil && message.Type == salesiq.MessageText {
		if wrong := t.asks.refuses(message.Text); wrong != nil {
			for _, text := range wrong {
				s.sayAsBot(t, botReply{text: text})
			}
			return
		}
		s.rateByCard(chat, t.asks.stars(message.Text))
	}
	s.store(t, chat, message.Text)
	t.asks, t.suggests = nil, nil
	run := t.context
	if run == nil {
		t.turns++
		s.ask(t, &botCall{handler: "message", message: message, first: t.turns == 1})
		return
	}
	run.answers[run.questions[run.next].name] = object{"text": message.Text}
	if run.next++; run.next < len(run.questions) {
		s.say(t, run.questions[run.next].botSaying)
		return
	}
	t.context = nil
	s.ask(t, &botCall{handler: "context", contextID: run.id, answers: run.answers})
}

// store keeps an answer where the bot's reply has said.
func (s *state) store(t *talk, chat *salesiq.Chat, answer string) {
	field := t.stores
	t.stores = ""
	if field == "" {
		return
	}
	visitor, _ := s.visitors.get(t.visitorID)
	before := *visitor
	switch name := strings.TrimPrefix(field, "siq_"); name {
	case "name":
		visitor.Name = answer
	case "email":
		visitor.Email = answer
	case "phone":
		visitor.Phone = answer
	default:
		setCustomFields(chat, map[string]string{name: answer})
	}
	chat.VisitorInfo = visitorInfo(visitor)
	s.visitorChanged(&before, visitor)
}

// rateByCard keeps the rating of a chat that goes on. Nothing is 0 stars.
func (s *state) rateByCard(chat *salesiq.Chat, stars int) {
	if stars == 0 || chat.Rating != nil {
		return
	}
	chat.Rating = &stars
	s.tell(salesiq.EventChatRated, &webhook.ChatRated{ChatID: chat.ID, VisitorID: chat.VisitorID, Rating: stars, SubmittedAt: s.now})
}

// ask has a bot told of something, after what it is still to be told.
func (s *state) ask(t *talk, call *botCall) {
	s.serial++
	call.id = fmt.Sprintf("%08x-51a7-4b07-8000-%012x", s.serial, s.now.UnixMilli())
	call.answered = make(chan struct{})
	call.arrive = s.courier.expect()
	t.queue = append(t.queue, call)
	if !t.serving {
		t.serving = true
		s.serve(t)
	}
}

// nextCall takes the next request out of the queue, or ends the work on it.
func (t *talk) nextCall() *botCall {
	t.under, t.pending = nil, false
	if len(t.queue) == 0 {
		t.serving = false
		t.stir()
		return nil
	}
	t.under, t.queue = t.queue[0], t.queue[1:]
	return t.under
}

// sayAsBot writes a reply.
func (s *state) sayAsBot(t *talk, reply botReply) {
	message := salesiq.Message{SenderType: senderBot, SenderID: t.bot.id, Text: reply.text, Type: salesiq.MessageText}
	if reply.card != nil {
		message.Type, message.Extra = salesiq.MessageCard, map[string]json.RawMessage{"card": reply.card}
	}
	if reply.field != "" {
		t.stores = reply.field
	}
	if chat, ok := s.chats.get(t.chatID); ok {
		s.write(chat, message)
	} else {
		message.ID, message.Timestamp = s.newID("msg"), s.now
		t.greetings = append(t.greetings, message)
	}
	t.add(talkLine{who: t.bot.Name, text: reply.line(), kind: reply.kind, said: true})
}

// say writes replies, and opens what the visitor can answer with.
func (s *state) say(t *talk, saying botSaying) {
	for _, reply := range saying.replies {
		s.sayAsBot(t, reply)
	}
	t.asks, t.suggests = saying.input, saying.suggestions
	switch {
	case t.asks != nil:
		t.add(talkLine{who: t.bot.Name, text: "(" + t.asks.kind + " card) " + strings.Join(t.asks.options, " | ")})
	case len(t.suggests) > 0:
		t.add(talkLine{who: t.bot.Name, text: "(suggestions) " + strings.Join(t.suggests, " | ")})
	}
}

// note adds what has happened to the transcript.
func (t *talk) note(format string, args ...any) {
	t.add(talkLine{who: t.bot.Name, text: "(" + fmt.Sprintf(format, args...) + ")"})
}

// apply does what an answer says.
func (s *state) apply(t *talk, call *botCall, answer *botAnswer, body []byte) {
	if answer.action == "forward" {
		if cause, ok := s.canForward(answer); !ok {
			s.fail(t, call, cause, body, botProblem{"the forward failed: " + cause.Desc, true})
			return
		}
	}
	s.say(t, answer.botSaying)
	switch answer.action {
	case "pending":
		s.await(t, call)
	case "context":
		t.context = &contextRun{answer.contextID, answer.questions, 0, map[string]object{}}
		s.say(t, answer.questions[0].botSaying)
	case "forward":
		t.passedTo = cmp.Or(answer.department, strings.Join(answer.operators, ", "))
		t.note("forward to %s", cmp.Or(t.passedTo, "anybody"))
		s.handOver(t, "forward")
	case "operator_busy", "end", "block":
		t.note("%s", answer.action)
		s.endByBot(t, answer.action)
	}
}

// canForward tells whether somebody can take what a bot forwards, or why not.
func (s *state) canForward(answer *botAnswer) (botCause, bool) {
	if len(answer.operators) == 0 {
		_, ok := s.operators.first(func(o *salesiq.Operator) bool {
			return (answer.department == "" || slices.Contains(s.departmentsOf(o), answer.department)) && s.isThere(o)
		})
		return causeUnavailable, ok
	}
	available := false
	for _, email := range answer.operators {
		operator, ok := s.operators.first(func(o *salesiq.Operator) bool { return strings.EqualFold(o.Email, email) })
		if !ok || s.disabled[operator.ID] {
			return causeOperators, false
		}
		available = available || s.isThere(operator)
	}
	return causeUnavailable, available
}

// isThere tells whether an operator can take conversations.
func (s *state) isThere(o *salesiq.Operator) bool {
	return o.Status != salesiq.OperatorOffline && !s.disabled[o.ID]
}

// await lets a bot answer later.
func (s *state) await(t *talk, call *botCall) {
	if !t.pending {
		t.note("pending")
		call.began, t.pending = s.now, true
	}
	if early := call.early; early != nil {
		call.early = nil
		s.respond(t, call, early) //nolint:errcheck // It tells of the problem. The time goes on.
	}
}

// callBack takes what a bot says by callback: that it goes on working, or its answer. An
// answer may be faster than the "pending" that it follows.
func (c *call) callBack(t *talk, call *botCall, answers bool, fields []field) error {
	switch {
	case t.under != call || call.early != nil:
		return notFound("pending request", call.id)
	case !answers:
		progress, err := c.amend(object{}, object{}, fields, c.body, "")
		if err != nil {
			return err
		}
		text, _ := progress["text"].(string)
		c.sayAsBot(t, botReply{text: text})
		return nil
	}
	body := asJSON(c.body)
	if !t.pending {
		call.early = body
		return nil
	}
	return c.respond(t, call, body)
}

// respond takes an answer by callback.
func (s *state) respond(t *talk, call *botCall, body []byte) error {
	answer, breaches := s.readBotAnswer(body)
	turn := s.turnOf(t, call)
	turn.Answer = string(body)
	if len(breaches) > 0 {
		turn.Error = rulesBroken(breaches)
		s.turns.add(turn)
		s.complain(t, botProblem{text: turn.Error + ", by callback: " + shorten(body)})
		return invalid(cmp.Or(breaches[0].path, "body"), breaches[0].reason)
	}
	s.turns.add(turn)
	if answer.action != "pending" {
		s.conclude(t, call)
	}
	s.apply(t, call, &answer, body)
	return nil
}

// conclude ends the time that a bot has after "pending".
func (s *state) conclude(t *talk, call *botCall) {
	if t.under == call && t.pending {
		t.pending = false
		close(call.answered)
	}
}

// turnOf begins the record of a request.
func (s *state) turnOf(t *talk, call *botCall) BotTurn {
	return BotTurn{At: s.now, Handler: call.handler, RequestID: call.id, ChatID: t.chatID}
}

// readBotAnswer reads an answer, and checks what the state knows more of.
func (s *state) readBotAnswer(body []byte) (botAnswer, []breach) {
	answer, breaches := readAnswer(body)
	if _, ok := s.department(answer.department); answer.department != "" && !ok {
		breaches = append(breaches, breach{path: "department", reason: fmt.Sprintf("%q is not the id of a department", answer.department)})
	}
	return answer, breaches
}

// rulesBroken tells what is wrong with an answer.
func rulesBroken(breaches []breach) string {
	texts := make([]string, len(breaches))
	for i, b := range breaches {
		texts[i] = b.String()
	}
	return "the bot's answer breaks a rule: " + strings.Join(texts, "; ")
}

// shorten is the beginning of a text on one line.
func shorten(body []byte) string {
	const most = 300
	text := strings.Join(strings.Fields(string(body)), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// complain tells of a bot's mistake wherever people look.
func (s *state) complain(t *talk, problem botProblem) {
	t.problems = append(t.problems, problem)
	t.add(talkLine{who: "!", text: problem.text})
	s.warn(problem.text, t.chatID)
}

// fail is for an answer that cannot be used. The bot is told, if it wants to be, and
// operators get the conversation otherwise.
func (s *state) fail(t *talk, call *botCall, cause botCause, body []byte, problem botProblem) {
	s.complain(t, problem)
	if t.outcome != "" {
		return
	}
	if t.bot.HandlesFailures && call.handler != "failure" && !t.bot.disabled {
		failure := &botCall{handler: "failure", cause: &cause}
		if json.Valid(body) {
			failure.failed = body
		}
		s.ask(t, failure)
		return
	}
	if cause == causeUnavailable {
		s.endByBot(t, "operator_busy")
		return
	}
	s.handOver(t, "failure")
}

// countFailure notes that there was no proper answer.
func (b *zobot) countFailure(gone bool) {
	if b.failures++; gone || b.failures >= mostFailures {
		b.disabled = true
	}
}

// handOver leaves a conversation to the operators. One that has not begun begins, if the
// bot has said so; if it has failed, the next thing that the visitor says goes to it.
func (s *state) handOver(t *talk, outcome string) {
	if t.chatID == "" && outcome == "failure" {
		return
	}
	if visitor, ok := s.visitors.get(t.visitorID); ok && t.chatID == "" {
		s.greeted[t.visitorID] = t
		s.startChat(visitor, "")
	}
	if chat, ok := s.chats.get(t.chatID); ok {
		if _, ok := s.department(t.passedTo); ok {
			chat.DepartmentID = t.passedTo
		}
	}
	s.leave(t, outcome)
}

// leave ends the bot's part in a conversation.
func (s *state) leave(t *talk, outcome string) {
	if t == nil || t.outcome != "" {
		return
	}
	t.outcome, t.asks, t.suggests, t.context, t.stores = outcome, nil, nil, nil, ""
	for _, call := range t.queue {
		call.arrive()
	}
	t.queue = nil
	if t.under != nil {
		s.conclude(t, t.under)
	}
	t.stir()
}

// endByBot ends a conversation, if there is one.
func (s *state) endByBot(t *talk, action string) {
	s.leave(t, action)
	if action == "block" {
		s.blocked[t.visitorID] = true
	}
	chat, ok := s.chats.get(t.chatID)
	switch {
	case !ok || chat.Status != salesiq.ChatWaiting:
	case action == "operator_busy":
		if err := s.missChat(chat.ID); err != nil {
			panic("salesiqtest: " + err.Error()) // It is waiting.
		}
	default:
		s.finish(chat, senderBot)
	}
}

// checkBlocked refuses what a visitor does whom a bot has blocked.
func (s *state) checkBlocked(visitorID string) error {
	if s.blocked[visitorID] {
		return refuse(salesiq.ErrPermissionDenied, "the visitor is blocked", details{"visitor_id": visitorID})
	}
	return nil
}

// party is a bot as one who takes part in a conversation.
func (b *zobot) party() object {
	return object{"id": b.id, "name": b.Name, "email": "", "image_key": "0_" + b.id, "type": "bot", "is_bot": true}
}

// choose lets the visitor choose values of a card, or a suggestion.
func (s *state) choose(chat *salesiq.Chat, values []string) error {
	t := s.talks[chat.ID]
	text, err := t.choice(values)
	if err != nil {
		return invalid("values", err.Error())
	}
	s.writeAsVisitor(chat, text)
	return nil
}

// choice is what the visitor says by choosing values.
func (t *talk) choice(values []string) (string, error) {
	switch {
	case !t.open():
		return "", fmt.Errorf("no bot has the conversation")
	case len(values) == 0:
		return "", fmt.Errorf("nothing is chosen")
	case t.asks != nil:
		return t.asks.answer(values), t.asks.choosable(values)
	case len(values) > 1 || !slices.Contains(t.suggests, values[0]):
		return "", fmt.Errorf("%s cannot be chosen; there is %s", quotedList(values), cmp.Or(quotedList(t.suggests), "neither a card nor a suggestion"))
	}
	return values[0], nil
}
