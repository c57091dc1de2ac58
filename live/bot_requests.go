package live

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// BotRequest is what all requests to a bot have in common.
//
// Source: [V] zobot-webhook-request-response-format.html, bot-handler-*.html.
type BotRequest struct {
	// ID is what callbacks take, and what tells a repeated request from another one. On
	// the wire it is request.id.
	ID      string
	OrgID   string // Not in a [BotFailure].
	Visitor BotVisitor
	Body    []byte // As it came.

	// Extra holds the members that this version of the package does not know. Those
	// within request and message are in objects of these names.
	Extra map[string]json.RawMessage

	exchange *exchange
}

// Progress tells the visitor that the answer is still to come. The first time, it
// answers the service "pending" with that text, whether or not the handler has been at
// work for long. After that it is a progress callback.
//
// Errors: a [salesiq.InputError] for no text, for a bot without [WithCallbacks], and for
// a request that no bot has received; [ErrBotAnswered]; those of
// [CallbacksService.Progress].
func (r *BotRequest) Progress(ctx context.Context, text string) error {
	if r == nil || r.exchange == nil {
		return inputError("", "request", "must be one that a bot has received")
	}
	return r.exchange.progress(ctx, text)
}

// BotVisitor is who talks to a bot.
//
// Source: [V] zobot-webhook-request-response-format.html, deluge-object-reference.html,
// whose tables were seen in part; [T] for VisitID.
type BotVisitor struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	Phone string `json:"phone"`

	// ConversationID is what the other calls take, such as [NotesService.Add]. It begins
	// with "botpreview_" while the bot is tried in its editor.
	ConversationID string     `json:"active_conversation_id"`
	VisitID        string     `json:"visitid"`
	Channel        BotChannel `json:"channel"`
	Question       string     `json:"question"` // What the conversation began with.

	Browser  string `json:"browser"`
	OS       string `json:"os"`
	Country  string `json:"country"`
	State    string `json:"state"`
	City     string `json:"city"`
	TimeZone string `json:"time_zone"`
	Language string `json:"language"`

	CampaignSource  string `json:"campaign_source"`
	CampaignMedium  string `json:"campaign_medium"`
	CampaignContent string `json:"campaign_content"`

	CurrentPageURL    string `json:"current_page_url"`
	CurrentPageTitle  string `json:"current_page_title"`
	LandingPageURL    string `json:"landing_page_url"`
	LandingPageTitle  string `json:"landing_page_title"`
	PreviousPageURL   string `json:"previous_page_url"`
	PreviousPageTitle string `json:"previous_page_title"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// BotChannel is where a visitor writes. Not every card can be shown on each of them.
// The service may add others.
type BotChannel string

// The channels of the vendor's pages. The words of Telegram and LINE were not seen. [V].
const (
	BotChannelWebsite   BotChannel = "Website"
	BotChannelFacebook  BotChannel = "Facebook"
	BotChannelInstagram BotChannel = "Instagram"
	BotChannelWhatsApp  BotChannel = "WhatsApp"
	BotChannelMobileApp BotChannel = "Mobile App"
)

// BotTrigger is a request of a visitor who has written nothing yet.
//
// Source: [V] bot-handler-trigger.html.
type BotTrigger struct{ BotRequest }

// BotMessage is a request of a visitor who has written something, or has answered an
// input card.
//
// Source: [V] bot-handler-message.html; [L] for Type and Meta.
type BotMessage struct {
	BotRequest

	Operation BotOperation

	// Text is what the visitor wrote, or how an input card was answered.
	Text string
	Type string
	Meta MessageMeta

	// Attachments are empty if there are none. The vendor's pages do not show what is in
	// them.
	Attachments []json.RawMessage
}

// BotOperation tells how far a conversation with a bot is.
type BotOperation string

// The operations of the vendor's pages. [V].
const (
	FirstTurn BotOperation = "chat"    // The bot has not spoken in this conversation.
	LaterTurn BotOperation = "message" // It has.
)

// BotContext is a request of a visitor who has answered all that [AskQuestions] has
// asked.
//
// Source: [V] bot-handler-context.html.
type BotContext struct {
	BotRequest

	ContextID string

	// Answers are by the names of the questions. Answer reads one of them. The vendor's
	// page calls them a text in one place and a map in another: both are read.
	Answers map[string]json.RawMessage
}

// Answer returns what the visitor has answered to the question of that name, as a text.
// It is empty if there is no such answer.
func (r *BotContext) Answer(question string) (text string) {
	if r.Answers[question] == nil || wire.UnmarshalLenient(r.Answers[question], &text) != nil {
		return ""
	}
	return text
}

// BotFailure is a request about an answer of the bot that the service could not use.
//
// Source: [V] bot-siq-scripts-failure-handler.html; [T] that webhooks get one.
type BotFailure struct {
	BotRequest

	FailedAnswer json.RawMessage // On the wire it is failed_response.
	Cause        BotCause
}

// BotCause is why an answer of a bot failed.
//
// Source: [V] bot-siq-scripts-failure-handler.html, cause.
type BotCause struct {
	Code        BotCauseCode `json:"code"`
	Description string       `json:"desc"` // Such as "offline_hours".

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// BotCauseCode is the number of a cause. The service may add others.
type BotCauseCode int

// The causes of the vendor's pages. [V].
const (
	CauseOfflineHours      BotCauseCode = 1001 // Of a forward.
	CauseNoOperators       BotCauseCode = 1002 // Of a forward: none is available.
	CauseInvalidOperators  BotCauseCode = 1003 // Of a forward: an email address is unknown or inactive.
	CauseMoreThanMaxLength BotCauseCode = 1005 // Of a reply.
	CauseExecutionFailure  BotCauseCode = 1007 // The bot took too long, or its answer was invalid.
)

// The kinds of requests.
const (
	triggerRequest = "trigger"
	messageRequest = "message"
	contextRequest = "context"
	failureRequest = "failure"
)

// botBody is a request of any kind as it is on the wire.
type botBody struct {
	Handler      string            `json:"handler"`
	OrgID        string            `json:"org_id"`
	Visitor      BotVisitor        `json:"visitor"`
	Request      botRequestRef     `json:"request"`
	Operation    BotOperation      `json:"operation"`
	Message      json.RawMessage   `json:"message"`
	Attachments  []json.RawMessage `json:"attachments"`
	ContextID    string            `json:"context_id"`
	Answers      json.RawMessage   `json:"answers"`
	FailedAnswer json.RawMessage   `json:"failed_response"`
	Cause        BotCause          `json:"cause"`

	Extra map[string]json.RawMessage `json:",embed"`

	raw      []byte
	exchange *exchange
}

type botRequestRef struct {
	ID    string                     `json:"id"`
	Extra map[string]json.RawMessage `json:",embed"`
}

var errNoBotRequest = errors.New("not a request to a bot")

// parseBotBody reads a request.
func parseBotBody(data []byte) (*botBody, error) {
	var body botBody
	if err := wire.UnmarshalLenient(data, &body); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoBotRequest, err)
	}
	if body.Handler == "" {
		return nil, fmt.Errorf("%w: it names no handler", errNoBotRequest)
	}
	body.raw = data
	body.keep("request", body.Request.Extra)
	return &body, nil
}

// keep puts unknown members of an inner object into Extra.
func (b *botBody) keep(name string, members map[string]json.RawMessage) {
	if len(members) == 0 {
		return
	}
	if object, err := json.Marshal(members); err == nil {
		if b.Extra == nil {
			b.Extra = map[string]json.RawMessage{}
		}
		b.Extra[name] = object
	}
}

// asked tells what a request asks of the bot, whoever asks it and wherever.
func (b *botBody) asked() [sha256.Size]byte {
	object, err := json.Marshal([]any{b.Handler, b.Operation, b.Message, b.Attachments, b.ContextID, b.Answers, b.FailedAnswer, b.Cause.Code})
	if err != nil {
		return sha256.Sum256(b.raw)
	}
	return wire.HashObject(object, "")
}

func (b *botBody) common() BotRequest {
	return BotRequest{ID: b.Request.ID, OrgID: b.OrgID, Visitor: b.Visitor, Body: b.raw, Extra: b.Extra, exchange: b.exchange}
}

func (b *botBody) trigger() *BotTrigger { return &BotTrigger{b.common()} }

func (b *botBody) message() *BotMessage {
	var said struct {
		Text  string                     `json:"text"`
		Type  string                     `json:"type"`
		Meta  MessageMeta                `json:"meta"`
		Extra map[string]json.RawMessage `json:",embed"`
	}
	if json.Unmarshal(b.Message, &said.Text) != nil && wire.UnmarshalLenient(b.Message, &said) == nil {
		b.keep("message", said.Extra)
	}
	return &BotMessage{
		BotRequest: b.common(), Operation: b.Operation, Attachments: orEmpty(b.Attachments),
		Text: said.Text, Type: said.Type, Meta: said.Meta,
	}
}

func (b *botBody) context() *BotContext {
	answers := map[string]json.RawMessage{}
	data := b.Answers
	if text := ""; json.Unmarshal(data, &text) == nil && text != "" {
		data = json.RawMessage(text)
	}
	if json.Unmarshal(data, &answers) != nil {
		answers = map[string]json.RawMessage{}
	}
	return &BotContext{BotRequest: b.common(), ContextID: b.ContextID, Answers: answers}
}

func (b *botBody) failure() *BotFailure {
	return &BotFailure{BotRequest: b.common(), FailedAnswer: b.FailedAnswer, Cause: b.Cause}
}

// MarshalJSON writes b with its Extra beside the other members.
func (b BotVisitor) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&b) }

// UnmarshalJSON reads what MarshalJSON writes.
func (b *BotVisitor) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, b) }

// MarshalJSON writes b with its Extra beside the other members.
func (b BotCause) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&b) }

// UnmarshalJSON reads what MarshalJSON writes.
func (b *BotCause) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, b) }
