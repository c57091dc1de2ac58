package live

import (
	"fmt"
	"slices"
	"strings"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// BotAction is what the service does with an answer.
type BotAction string

// The actions of the vendor's pages. [V] responses-actions.html.
const (
	ActionReply        BotAction = "reply"
	ActionForward      BotAction = "forward"
	ActionContext      BotAction = "context"
	ActionPending      BotAction = "pending"
	ActionOperatorBusy BotAction = "operator_busy"
	ActionBlock        BotAction = "block"
	ActionEnd          BotAction = "end"
)

var botActions = []BotAction{ActionReply, ActionForward, ActionContext, ActionPending, ActionOperatorBusy, ActionBlock, ActionEnd}

// BotAnswer is what a bot answers. [Reply], [Forward], [End], [Pending], [OperatorBusy],
// [Block] and [AskQuestions] make one, and the methods add to it:
//
//	live.Reply("Which size do you need?").Ask(live.SelectCard{Options: []string{"S", "M", "L"}})
//
// A [Bot] checks an answer against what the vendor publishes before it sends it. The
// methods change the answer: one that several requests share must be left as it is.
//
// Source: [V] zobot-webhook-request-response-format.html, responses-actions.html.
type BotAnswer struct {
	Action  BotAction
	Replies []BotReply

	// Input is how the visitor answers. While there are Suggestions, the visitor can
	// choose one of them and cannot type. The service takes one of the two.
	Input       BotCard
	Suggestions []string

	// Who takes over after a forward: operators by their email addresses, or a department
	// by its id. Without either, it is anybody.
	Operators    []string
	DepartmentID string

	// What a context asks.
	ContextID string
	Questions []*BotQuestion
}

// BotQuestion is one of several that [AskQuestions] asks.
//
// Source: [V] responses-actions-context.html.
type BotQuestion struct {
	Name        string // What [BotContext.Answer] takes.
	Replies     []BotReply
	Input       BotCard
	Suggestions []string
}

// Reply says something, and waits for what the visitor says. Each text is a message.
func Reply(texts ...string) *BotAnswer { return answerOf(ActionReply, texts) }

// Forward hands the conversation over to an operator: to anybody, unless
// [BotAnswer.ToOperators] or [BotAnswer.ToDepartment] says to whom.
func Forward(texts ...string) *BotAnswer { return answerOf(ActionForward, texts) }

// End ends the conversation.
func End(texts ...string) *BotAnswer { return answerOf(ActionEnd, texts) }

// Pending says that the answer follows within three minutes, by way of [Bot.Respond],
// of this process or another one. For work that the handler does itself, it is not
// needed: [Bot] says so.
func Pending(texts ...string) *BotAnswer { return answerOf(ActionPending, texts) }

// OperatorBusy asks the visitor to leave a message, and marks the conversation as missed.
func OperatorBusy(texts ...string) *BotAnswer { return answerOf(ActionOperatorBusy, texts) }

// Block blocks the visitor.
//
// Source: [I] that it has replies.
func Block(texts ...string) *BotAnswer { return answerOf(ActionBlock, texts) }

// AskQuestions asks one question after the other. The answers come as one [BotContext]
// with that id.
func AskQuestions(contextID string, questions ...*BotQuestion) *BotAnswer {
	return &BotAnswer{Action: ActionContext, ContextID: contextID, Questions: questions}
}

// Question returns a question for [AskQuestions]. Each text is a message.
func Question(name string, texts ...string) *BotQuestion {
	return &BotQuestion{Name: name, Replies: textReplies(texts)}
}

func answerOf(action BotAction, texts []string) *BotAnswer {
	return &BotAnswer{Action: action, Replies: textReplies(texts)}
}

func textReplies(texts []string) (replies []BotReply) {
	for _, text := range texts {
		replies = append(replies, TextReply{Text: text})
	}
	return replies
}

// With adds replies to a, and returns it.
func (a *BotAnswer) With(replies ...BotReply) *BotAnswer {
	a.Replies = append(a.Replies, replies...)
	return a
}

// Ask shows an input card, and returns a.
func (a *BotAnswer) Ask(card BotCard) *BotAnswer {
	a.Input = card
	return a
}

// Suggest offers texts to choose from, and returns a.
func (a *BotAnswer) Suggest(texts ...string) *BotAnswer {
	a.Suggestions = append(a.Suggestions, texts...)
	return a
}

// ToOperators says to whom a forwards, by email address, and returns a.
func (a *BotAnswer) ToOperators(emails ...string) *BotAnswer {
	a.Operators = append(a.Operators, emails...)
	return a
}

// ToDepartment says to which department a forwards, and returns a.
func (a *BotAnswer) ToDepartment(id string) *BotAnswer {
	a.DepartmentID = id
	return a
}

// With adds replies to q, and returns it.
func (q *BotQuestion) With(replies ...BotReply) *BotQuestion {
	q.Replies = append(q.Replies, replies...)
	return q
}

// Ask shows an input card, and returns q.
func (q *BotQuestion) Ask(card BotCard) *BotQuestion {
	q.Input = card
	return q
}

// Suggest offers texts to choose from, and returns q.
func (q *BotQuestion) Suggest(texts ...string) *BotQuestion {
	q.Suggestions = append(q.Suggestions, texts...)
	return q
}

// answerOnWire is an answer as it is sent.
type answerOnWire struct {
	Action       BotAction        `json:"action"`
	Replies      []any            `json:"replies,omitzero"` // A context needs none.
	Suggestions  []string         `json:"suggestions,omitzero"`
	Input        any              `json:"input,omitzero"`
	Operators    []string         `json:"operators,omitzero"`
	DepartmentID string           `json:"department,omitzero"`
	ContextID    string           `json:"context_id,omitzero"`
	Questions    []questionOnWire `json:"questions,omitzero"`
}

type questionOnWire struct {
	Name        string   `json:"name"`
	Replies     []any    `json:"replies"`
	Suggestions []string `json:"suggestions,omitzero"`
	Input       any      `json:"input,omitzero"`
}

// onWire returns an answer that is valid as it is sent.
func (a *BotAnswer) onWire() answerOnWire {
	out := answerOnWire{
		Action: a.Action, Replies: repliesOnWire(a.Replies), Suggestions: a.Suggestions, Input: cardOnWire(a.Input),
		Operators: a.Operators, DepartmentID: a.DepartmentID, ContextID: a.ContextID,
	}
	for _, q := range a.Questions {
		out.Questions = append(out.Questions, questionOnWire{q.Name, repliesOnWire(q.Replies), q.Suggestions, cardOnWire(q.Input)})
	}
	return out
}

func repliesOnWire(replies []BotReply) (all []any) {
	for _, reply := range replies {
		all = append(all, reply.onWire())
	}
	return all
}

func cardOnWire(card BotCard) any {
	if card == nil {
		return nil
	}
	return card.onWire()
}

// MarshalJSON writes a as a bot sends it, but for secrets, which stay hidden.
//
// Errors: a [salesiq.InputError] for an answer that breaks a rule.
func (a *BotAnswer) MarshalJSON() ([]byte, error) {
	if err := a.validate(); err != nil {
		return nil, err
	}
	return wire.MarshalPublic(a.onWire())
}

// checkedAnswer is an answer that is right, and its body.
type checkedAnswer struct {
	*BotAnswer

	body salesiq.Secret // Since it may hold one.
}

// checkAnswer checks an answer and encodes it.
func checkAnswer(answer *BotAnswer) (*checkedAnswer, error) {
	if err := answer.validate(); err != nil {
		return nil, err
	}
	body, err := wire.Marshal(answer.onWire())
	if err != nil {
		return nil, inputError("", "answer", "must be something that can be written as JSON: "+err.Error())
	}
	return &checkedAnswer{answer, salesiq.NewSecret(string(body))}, nil
}

func (a *checkedAnswer) isPending() bool { return a.Action == ActionPending }

// validate checks a against what the vendor publishes.
func (a *BotAnswer) validate() error {
	if a == nil {
		return inputError("", "answer", "must not be nil")
	}
	if a.Action == "" {
		return inputError("", "action", "is required")
	}
	if !slices.Contains(botActions, a.Action) {
		return inputError("", "action", fmt.Sprintf("must be one of %s, not %s", joined(botActions), a.Action))
	}
	if a.Action != ActionContext || len(a.Replies) > 0 {
		if err := checkReplies("replies", a.Replies); err != nil {
			return err
		}
	}
	if err := checkChoice("", a.Input, a.Suggestions); err != nil {
		return err
	}
	if err := a.checkReceivers(); err != nil {
		return err
	}
	return a.checkQuestions()
}

func (a *BotAnswer) checkReceivers() error {
	switch {
	case a.Action != ActionForward && len(a.Operators) > 0:
		return inputError("", "operators", "must be those of a forward")
	case a.Action != ActionForward && a.DepartmentID != "":
		return inputError("", "department", "must be that of a forward")
	case len(a.Operators) > 0 && a.DepartmentID != "":
		return inputError("", "department", "must not stand beside operators")
	}
	for i, email := range a.Operators {
		if local, domain, ok := strings.Cut(email, "@"); !ok || local == "" || domain == "" {
			return inputError("", element("operators", i), "must be an email address")
		}
	}
	return nil
}

func (a *BotAnswer) checkQuestions() error {
	if a.Action != ActionContext {
		if a.ContextID != "" || len(a.Questions) > 0 {
			return inputError("", "questions", "must be those of a context")
		}
		return nil
	}
	if err := required("context_id", a.ContextID); err != nil {
		return err
	}
	if len(a.Questions) == 0 {
		return inputError("", "questions", "is required")
	}
	names := map[string]bool{}
	for i, q := range a.Questions {
		at := element("questions", i)
		switch {
		case q == nil:
			return inputError("", at, "must not be nil")
		case names[q.Name]:
			return inputError("", at+".name", "must be that of one question only")
		}
		names[q.Name] = true
		if err := required(at+".name", q.Name); err != nil {
			return err
		}
		if err := checkReplies(at+".replies", q.Replies); err != nil {
			return err
		}
		if err := checkChoice(at+".", q.Input, q.Suggestions); err != nil {
			return err
		}
	}
	return nil
}

func checkReplies(field string, replies []BotReply) error {
	if len(replies) == 0 {
		return inputError("", field, "is required")
	}
	for i, reply := range replies {
		if err := checkPart(element(field, i), reply); err != nil {
			return err
		}
	}
	return nil
}

// checkChoice checks what a visitor can choose from.
func checkChoice(prefix string, card BotCard, suggestions []string) error {
	if card != nil {
		if len(suggestions) > 0 {
			return inputError("", prefix+"suggestions", "must not stand beside an input, which alone counts")
		}
		return checkPart(prefix+"input", card)
	}
	return checkTexts(prefix+"suggestions", suggestions, 0, 0)
}
