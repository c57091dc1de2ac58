package salesiq

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/salesiq-go/salesiq/internal/wire"
)

// ChatsService handles live chats: finding them, reading them, and taking part.
type ChatsService service

func (s *ChatsService) owner() *Client { return (*service)(s).owner() }

// Chat is one conversation between a visitor and an operator.
//
// A struct of your own that is kept as JSON must not embed a Chat, since encoding/json
// would then take it for a Chat and drop the other fields. Give the field a name. The same
// holds for all objects with Extra.
//
// Source: specification, "Chat Object Structure".
type Chat struct {
	ID           string         `json:"id"`
	VisitorID    string         `json:"visitor_id"`
	OperatorID   string         `json:"operator_id"` // Empty while nobody has picked the chat up.
	DepartmentID string         `json:"department_id"`
	Status       ChatStatus     `json:"status"`
	Type         ChatType       `json:"type"`
	StartedAt    time.Time      `json:"started_at"`
	EndedAt      time.Time      `json:"ended_at"` // Zero while the chat goes on.
	Duration     Seconds        `json:"duration"`
	Rating       *int           `json:"rating"`   // 1 to 5; nil while not rated.
	Feedback     *string        `json:"feedback"` // Nil where none was given.
	Transcript   []Message      `json:"transcript"`
	VisitorInfo  VisitorInfo    `json:"visitor_info"`
	Tags         []string       `json:"tags"`
	CustomFields map[string]any `json:"custom_fields"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// IsOver reports whether the chat has ended or was missed, so that its transcript does
// not grow any more.
func (c *Chat) IsOver() bool { return c.Status == ChatEnded || c.Status == ChatMissed }

// Message is one line of a chat.
//
// Source: specification, "Chat Object Structure", transcript.
type Message struct {
	ID         string      `json:"id"`
	SenderType SenderType  `json:"sender_type"`
	SenderID   string      `json:"sender_id"`
	Text       string      `json:"message"`
	Timestamp  time.Time   `json:"timestamp"`
	Type       MessageType `json:"type"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// VisitorInfo is what a chat says about its visitor, as of the chat's start.
//
// Source: specification, "Chat Object Structure", visitor_info.
type VisitorInfo struct {
	Name     string `json:"name"`
	Email    string `json:"email"`
	Phone    string `json:"phone"`
	City     string `json:"city"`
	Country  string `json:"country"`
	Browser  string `json:"browser"`
	Platform string `json:"platform"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ChatStatus is where a chat stands. The service may add others.
type ChatStatus string

// The documented chat statuses.
const (
	ChatActive  ChatStatus = "active"
	ChatWaiting ChatStatus = "waiting"
	ChatEnded   ChatStatus = "ended"
	ChatMissed  ChatStatus = "missed"
)

// ChatType is the kind of a chat. The service may add others.
type ChatType string

// ChatTypeLive is the documented chat type.
const ChatTypeLive ChatType = "live_chat"

// SenderType tells who wrote a message. The service may add others.
type SenderType string

// The documented senders.
const (
	SenderVisitor  SenderType = "visitor"
	SenderOperator SenderType = "operator"
)

// MessageType is the form of a message. The service may add others.
type MessageType string

// The documented message types.
const (
	MessageText       MessageType = "text"
	MessageHTML       MessageType = "html"
	MessageAttachment MessageType = "attachment"
	MessageCard       MessageType = "card"
	MessageArticle    MessageType = "article"
)

// ChatListParams narrows a list of chats; zero fields do not. Its dates bound
// the time at which a chat started. The specification does not say whether a chat of
// ToDate itself is among them; package salesiqtest includes it. Where that matters,
// compare [Chat.StartedAt].
type ChatListParams struct {
	Status       ChatStatus `json:"status,omitzero"`
	OperatorID   string     `json:"operator_id,omitzero"`
	DepartmentID string     `json:"department_id,omitzero"`
	VisitorID    string     `json:"visitor_id,omitzero"`
	FromDate     time.Time  `json:"from_date,omitzero"`
	ToDate       time.Time  `json:"to_date,omitzero"`
	Page         int        `json:"page,omitzero"`     // First page; 1 by default.
	PerPage      int        `json:"per_page,omitzero"` // 1 to 100.
}

func (p *ChatListParams) validate() error {
	return cmp.Or(checkPaging(p.Page, p.PerPage), checkDates(p.FromDate, p.ToDate))
}

// MessageCreate is a message to send. The constructors [TextMessage],
// [HTMLMessage], [AttachmentMessage], [CardMessage] and [ArticleMessage] make
// one.
type MessageCreate struct {
	Text string      `json:"message"` // Required for text and html.
	Type MessageType `json:"type"`    // Required.

	// Extra is sent beside the other fields: the specification names the
	// rich message types but leaves their content open.
	Extra map[string]any `json:",embed"`
}

func (m *MessageCreate) validate() error {
	if m.Type == MessageText || m.Type == MessageHTML {
		return required("message", m.Text)
	}
	return required("type", string(m.Type))
}

// TextMessage returns a plain text message.
func TextMessage(text string) *MessageCreate {
	return &MessageCreate{Text: text, Type: MessageText}
}

// HTMLMessage returns an HTML message. The markup is sent as it is: escape
// what came from others.
func HTMLMessage(markup string) *MessageCreate {
	return &MessageCreate{Text: markup, Type: MessageHTML}
}

// AttachmentMessage returns a message that carries a file, with a caption.
func AttachmentMessage(caption string, fields map[string]any) *MessageCreate {
	return &MessageCreate{Text: caption, Type: MessageAttachment, Extra: fields}
}

// CardMessage returns a rich card; fields hold its content, such as buttons.
func CardMessage(text string, fields map[string]any) *MessageCreate {
	return &MessageCreate{Text: text, Type: MessageCard, Extra: fields}
}

// ArticleMessage returns a reference to a knowledge base article.
func ArticleMessage(text string, fields map[string]any) *MessageCreate {
	return &MessageCreate{Text: text, Type: MessageArticle, Extra: fields}
}

// ChatTransfer says who takes a chat over.
type ChatTransfer struct {
	OperatorID string `json:"operator_id"`      // Required.
	Message    string `json:"message,omitzero"` // Shown to the visitor.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *ChatTransfer) validate() error { return required("operator_id", p.OperatorID) }

// ChatEnd closes a chat.
type ChatEnd struct {
	Message string `json:"message,omitzero"` // Shown to the visitor.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// ChatRating is a visitor's verdict on a chat.
type ChatRating struct {
	Rating   int    `json:"rating"` // Required, 1 to 5.
	Feedback string `json:"feedback,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *ChatRating) validate() error { return between("rating", p.Rating, 1, 5) }

// List returns one page of chats. A nil params lists all of them, in pages of
// the service's own size (50).
//
//   - Endpoint: GET /api/v2/chats; scope SalesIQ.chats.READ.
//   - Errors: [ErrInvalidInput] for a page below 1, a page size outside 1 to 100 or
//     dates in the wrong order; [ErrInvalidRequest].
//   - Source: specification, "List Chats".
func (s *ChatsService) List(ctx context.Context, params *ChatListParams, opts ...CallOption) (*Page[Chat], error) {
	return fetchPage[Chat](ctx, s.owner(), newCall("Chats.List", "GET /chats").params(params), opts)
}

// All iterates over every chat that matches params, page by page.
// See [Page] for what all iterators promise.
//
//   - Endpoint: GET /api/v2/chats, once for each page; scope SalesIQ.chats.READ.
//   - Errors: as for List.
//   - Source: specification, "List Chats".
func (s *ChatsService) All(ctx context.Context, params *ChatListParams, opts ...CallOption) iter.Seq2[*Chat, error] {
	return iterate[Chat](ctx, s.owner(), newCall("Chats.All", "GET /chats").params(params), opts)
}

// AllOpen iterates over the chats that wait for an operator or have one: those that are
// not over. The service's filter takes one status, so it lists the waiting ones and then
// the active ones. A chat that is picked up meanwhile is yielded once, as it was waiting.
// One that ends meanwhile may be missing. With a Status in params, it is All.
//
//   - Endpoint: GET /api/v2/chats, once for each page of both lists; scope
//     SalesIQ.chats.READ.
//   - Errors: as for List.
//   - Source: specification, "List Chats".
func (s *ChatsService) AllOpen(ctx context.Context, params *ChatListParams, opts ...CallOption) iter.Seq2[*Chat, error] {
	list := func(p *ChatListParams) iter.Seq2[*Chat, error] {
		return iterate[Chat](ctx, s.owner(), newCall("Chats.AllOpen", "GET /chats").params(p), opts)
	}
	if params != nil && params.Status != "" {
		return list(params)
	}
	return distinct(list(params.withStatus(ChatWaiting)), list(params.withStatus(ChatActive)))
}

// withStatus returns a copy of the params with a status.
func (p *ChatListParams) withStatus(status ChatStatus) *ChatListParams {
	if p == nil {
		return &ChatListParams{Status: status}
	}
	narrowed := *p
	narrowed.Status = status
	return &narrowed
}

// distinct iterates over lists, one after the other, and yields each chat once.
func distinct(lists ...iter.Seq2[*Chat, error]) iter.Seq2[*Chat, error] {
	return func(yield func(*Chat, error) bool) {
		seen := map[string]bool{}
		for _, list := range lists {
			for chat, err := range list {
				if err == nil && seen[chat.ID] {
					continue
				}
				if !yield(chat, err) || err != nil {
					return
				}
				seen[chat.ID] = true
			}
		}
	}
}

// Get returns one chat.
//
//   - Endpoint: GET /api/v2/chats/{chat_id}; scope SalesIQ.chats.READ.
//   - Errors: [ErrResourceNotFound].
//   - Source: specification, "Get Chat by ID".
func (s *ChatsService) Get(ctx context.Context, chatID string, opts ...CallOption) (*Chat, error) {
	return fetch[Chat](ctx, s.owner(), newCall("Chats.Get", "GET /chats/{chat_id}", chatID), opts)
}

// Transcript returns the messages of one chat, oldest first.
//
//   - Endpoint: GET /api/v2/chats/{chat_id}/transcript; scope SalesIQ.chats.READ.
//   - Errors: [ErrResourceNotFound].
//   - Source: specification, "Get Chat Transcript".
func (s *ChatsService) Transcript(ctx context.Context, chatID string, opts ...CallOption) ([]Message, error) {
	c := newCall("Chats.Transcript", "GET /chats/{chat_id}/transcript", chatID).answers("chat", "transcript", "messages")
	messages, err := fetchOpen[[]Message](ctx, s.owner(), c, opts)
	if err != nil {
		return nil, err
	}
	if *messages == nil {
		return []Message{}, nil // Nil would say that there was an error.
	}
	return *messages, nil
}

// TranscriptResult is what [ChatsService.Transcripts] has of one chat.
type TranscriptResult struct {
	ChatID string // Empty beside an error of the list.
	Chat   *Chat  // A copy, with its Transcript. Nil beside an error.
	Err    error  // Of this chat alone, or of the list, without a ChatID.
}

// Transcripts fills in the transcripts of chats, such as those of [ChatsService.All]:
//
//	for result := range client.Chats.Transcripts(ctx, client.Chats.All(ctx, params)) { … }
//
// The specification shows a transcript in the object of a chat. It does not say
// whether a list has it, and whether it is whole. A chat that comes with a Transcript,
// be it empty, is taken to have all of it as of then, and costs no call. The others
// cost one each. For transcripts as they are now, or of chats of which only the ID is
// known, pass chats without: &Chat{ID: id}.
//
// It ranges over chats in turn with the loop, never at the same time, so that an
// iterator of one's own needs no lock. [ChatsService.Export] has one that leaves out what
// is stored already.
//
// It yields a result for each chat while as many calls are under way as for the pages
// of a list. One failure leaves the others untouched, and an error of chats itself is
// the last result. Results come in the order of chats, which makes it simple to go on
// after an interruption: keep what was yielded, and begin with the next chat. Where the
// others would fail like the last one, leave the loop; the package documentation says
// when, under "Errors".
//
//   - Endpoint: GET /api/v2/chats/{chat_id}/transcript, once for each chat without a
//     transcript; scope SalesIQ.chats.READ.
//   - Errors: as for Transcript, in each result.
//   - Source: specification, "Get Chat Transcript".
func (s *ChatsService) Transcripts(ctx context.Context, chats iter.Seq2[*Chat, error], opts ...CallOption) iter.Seq[TranscriptResult] {
	if chats == nil {
		chats = func(yield func(*Chat, error) bool) { yield(nil, inputError("chats", "must not be nil")) }
	}
	listed := func(yield func(TranscriptResult) bool) {
		for chat, err := range chats {
			if err == nil {
				err = given("chat", chat)
			}
			if !yield(TranscriptResult{Chat: chat, Err: named("Chats.Transcripts", err)}) {
				return
			}
		}
	}
	return callsInOrder(ctx, s.owner(), opts, listed, s.withTranscript)
}

// Export iterates over the chats that are over and not stored yet, with their
// transcripts. Which are stored, the caller knows:
//
//	for result := range client.Chats.Export(ctx, &salesiq.ChatListParams{FromDate: from}, stored) { … }
//
// An export may be killed at any moment: the next one skips what is stored, and a hundred
// chats of the list cost one call. It leaves out chats that are active or waiting, whose
// transcripts still grow, for the one after they have ended. A FromDate some weeks before
// the last export without an error finds those that were open then, and all later ones,
// after a pause as well. The first export has none. What changes in a stored chat, such
// as its rating, is not seen. A chat that starts at ToDate, or later, is left out in any
// case, so that ranges of dates do not overlap. Do not set Status, unless one of
// [ChatEnded] and [ChatMissed] is enough.
//
// A chat that fails is a result with an Err, and the others go on. Where they would fail
// alike, the failure is the last result: when ctx ends, the list fails, quota or token
// cannot be had, a scope is missing, or for an outage, which is five failures in a row
// for which [IsRetryable] is true. An Err of a chat begins with its id. So a loop keeps
// the errors, and need not tell them apart.
//
// Stored is called in turn with the loop, never at the same time. Its error ends the
// export. If it is nil, nothing is stored. Results come in the order of the list, which
// the specification leaves open. Beside [WithResponse], the Response is that of the list,
// whose Total counts all chats of the range.
//
//   - Endpoint: those of [ChatsService.All] and [ChatsService.Transcripts]; scope
//     SalesIQ.chats.READ.
//   - Errors: as for both, in the results.
//   - Source: specification, "List Chats", "Get Chat Transcript".
func (s *ChatsService) Export(ctx context.Context, params *ChatListParams, stored func(chatID string) (bool, error), opts ...CallOption) iter.Seq[TranscriptResult] {
	own := append(slices.Clip(opts), withoutResponse) // It is the list's.
	return func(yield func(TranscriptResult) bool) {
		outage := 0
		for result := range s.Transcripts(ctx, s.missing(ctx, params, stored, opts), own...) {
			if outage++; !IsRetryable(result.Err) {
				outage = 0
			}
			last := outage == longOutage || result.endsExport(ctx)
			if result.Err != nil && result.ChatID != "" {
				result.Err = fmt.Errorf("chat %q: %w", result.ChatID, result.Err)
			}
			if !yield(result) || last {
				return
			}
		}
	}
}

// missing iterates over the chats of a list that an export wants.
func (s *ChatsService) missing(ctx context.Context, params *ChatListParams, stored func(chatID string) (bool, error), opts []CallOption) iter.Seq2[*Chat, error] {
	return func(yield func(*Chat, error) bool) {
		for chat, err := range s.All(ctx, params, opts...) {
			wanted := true
			if err == nil {
				wanted, err = params.wants(chat, stored)
			}
			if wanted && !yield(chat, err) || err != nil {
				return
			}
		}
	}
}

// wants reports whether an export wants a chat. It also does so beside an error of
// stored, which is to be told of.
func (p *ChatListParams) wants(chat *Chat, stored func(chatID string) (bool, error)) (bool, error) {
	late := p != nil && !p.ToDate.IsZero() && !chat.StartedAt.Before(p.ToDate)
	if late || !chat.IsOver() {
		return false, nil
	}
	if stored == nil {
		return true, nil
	}
	has, err := stored(chat.ID)
	return !has || err != nil, err
}

// longOutage is how many failures in a row end an export. Each was tried four times.
const longOutage = 5

// endsExport reports whether a failure is one of the list, or would meet all other chats,
// too.
func (r *TranscriptResult) endsExport(ctx context.Context) bool {
	if r.Err == nil || r.ChatID == "" {
		return r.Err != nil
	}
	is := func(target error) bool { return errors.Is(r.Err, target) }
	return ctx.Err() != nil || slices.ContainsFunc([]error{ErrRateLimitExceeded, ErrAuth, ErrInvalidToken, ErrInvalidOAuthScope}, is)
}

// withTranscript fills in the transcript of one chat.
func (s *ChatsService) withTranscript(ctx context.Context, r TranscriptResult, opts []CallOption) TranscriptResult {
	if r.Err != nil {
		return TranscriptResult{Err: r.Err}
	}
	filled := *r.Chat
	if filled.Transcript == nil {
		filled.Transcript, r.Err = s.Transcript(ctx, filled.ID, opts...)
	}
	if r.Err != nil {
		return TranscriptResult{ChatID: filled.ID, Err: r.Err}
	}
	return TranscriptResult{ChatID: filled.ID, Chat: &filled}
}

// SendMessage writes into an active chat as the signed-in operator.
//
// It is not sent again when it is unclear whether the first try arrived; see
// the package documentation on retries.
//
//   - Endpoint: POST /api/v2/chats/{chat_id}/messages; scope SalesIQ.chats.UPDATE.
//   - Required: Type; Text for text and html. Else [ErrInvalidInput].
//   - Errors: [ErrChatNotActive], [ErrResourceNotFound], [ErrInvalidRequest],
//     [ErrRequiredFieldMissing].
//   - Source: specification, "Send Chat Message".
func (s *ChatsService) SendMessage(ctx context.Context, chatID string, message *MessageCreate, opts ...CallOption) (*Message, error) {
	c := newCall("Chats.SendMessage", "POST /chats/{chat_id}/messages", chatID).body("message", message).answers("message")
	return fetchOpen[Message](ctx, s.owner(), c, opts)
}

// Transfer hands an active chat to another operator and returns the chat, or a
// zero Chat where the service answers without one.
//
//   - Endpoint: POST /api/v2/chats/{chat_id}/transfer; scope SalesIQ.chats.UPDATE.
//   - Required: OperatorID, else [ErrInvalidInput].
//   - Errors: [ErrChatNotActive], [ErrOperatorOffline], [ErrResourceNotFound].
//   - Source: specification, "Transfer Chat".
func (s *ChatsService) Transfer(ctx context.Context, chatID string, params *ChatTransfer, opts ...CallOption) (*Chat, error) {
	c := newCall("Chats.Transfer", "POST /chats/{chat_id}/transfer", chatID).body("params", params).answers("chat")
	return fetchOpen[Chat](ctx, s.owner(), c, opts)
}

// End closes a chat and returns it, or a zero Chat where the service answers
// without one. A nil params ends it without a message.
//
//   - Endpoint: POST /api/v2/chats/{chat_id}/end; scope SalesIQ.chats.UPDATE.
//   - Errors: [ErrChatNotActive], [ErrResourceNotFound].
//   - Source: specification, "End Chat".
func (s *ChatsService) End(ctx context.Context, chatID string, params *ChatEnd, opts ...CallOption) (*Chat, error) {
	if params == nil {
		params = &ChatEnd{}
	}
	c := newCall("Chats.End", "POST /chats/{chat_id}/end", chatID).body("params", params).answers("chat")
	return fetchOpen[Chat](ctx, s.owner(), c, opts)
}

// Rate records the visitor's rating of a chat that has ended and returns the
// chat, or a zero Chat where the service answers without one.
//
//   - Endpoint: POST /api/v2/chats/{chat_id}/rating; scope SalesIQ.chats.UPDATE.
//   - Required: Rating, 1 to 5, else [ErrInvalidInput].
//   - Errors: [ErrInvalidRequest] for a chat that has not ended,
//     [ErrDuplicateResource] for one that is rated, [ErrResourceNotFound].
//   - Source: specification, "Add Chat Rating".
func (s *ChatsService) Rate(ctx context.Context, chatID string, params *ChatRating, opts ...CallOption) (*Chat, error) {
	c := newCall("Chats.Rate", "POST /chats/{chat_id}/rating", chatID).body("params", params).answers("chat")
	return fetchOpen[Chat](ctx, s.owner(), c, opts)
}

// MarshalJSON writes c with its Extra beside the other members.
func (c Chat) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *Chat) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }

// MarshalJSON writes m with its Extra beside the other members.
func (m Message) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&m) }

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Message) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, m) }

// MarshalJSON writes v with its Extra beside the other members.
func (v VisitorInfo) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&v) }

// UnmarshalJSON reads what MarshalJSON writes.
func (v *VisitorInfo) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, v) }

// MarshalJSON writes m with its Extra beside the other members.
func (m MessageCreate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&m) }

// UnmarshalJSON reads what MarshalJSON writes.
func (m *MessageCreate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, m) }

// MarshalJSON writes p with its Extra beside the other members.
func (p ChatTransfer) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *ChatTransfer) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes c with its Extra beside the other members.
func (c ChatEnd) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&c) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *ChatEnd) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, c) }

// MarshalJSON writes p with its Extra beside the other members.
func (p ChatRating) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *ChatRating) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }
