package live

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// MessagesService handles what is said in conversations.
type MessagesService service

// Message is one line of a conversation.
//
// Source: [V] get-chat-transcripts-conversation-v2.html.
type Message struct {
	ID         string            `json:"id"` // [I]: where the answer has one.
	SequenceID string            `json:"sequence_id"`
	Sender     ConversationParty `json:"sender"`  // A visitor's id begins with "$", a bot's with "b".
	Type       string            `json:"type"`    // Such as "text".
	Body       json.RawMessage   `json:"message"` // An object or a text; see Text and File.
	Meta       MessageMeta       `json:"meta"`
	At         time.Time         `json:"time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// MessageFile is a file that was sent.
//
// Source: [I].
type MessageFile struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Size        int64  `json:"size"` // In bytes.
	ContentType string `json:"content_type"`
	URL         string `json:"url"` // A path on the API's host, which wants the token.

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// Text returns what the message says. It is empty for what has no text, such as a
// file or a card, whose Body says more.
func (m *Message) Text() string { return m.body().Text }

// File returns the file of the message, or nil if it has none.
//
// Source: [I] for the name.
func (m *Message) File() *MessageFile { return m.body().File }

// messageBody is what the body of a message may be.
type messageBody struct {
	Text string       `json:"text"`
	File *MessageFile `json:"file"`
}

// body reads the body: an object, or a text in its place. What has no text may have
// one below the name message.
func (m *Message) body() (body messageBody) {
	var said struct {
		messageBody
		Message string `json:"message"`
	}
	if json.Unmarshal(m.Body, &body.Text) == nil || wire.UnmarshalLenient(m.Body, &said) != nil {
		return body
	}
	return messageBody{cmp.Or(said.Text, said.Message), said.File}
}

// MessageMeta is what stands beside a message.
//
// Source: [V] get-chat-transcripts-conversation-v2.html, meta.
type MessageMeta struct {
	Suggestions []string `json:"suggestions"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// MessageListParams narrows a list of messages; zero fields do not. With To and
// without From, the newest come first.
//
// Source: [V] get-chat-transcripts-conversation-v2.html; [T] for SortOrder.
type MessageListParams struct {
	From, To  time.Time
	SortOrder string
	Limit     int // 20 by default.
}

func (p *MessageListParams) query() query {
	q := query{}
	if p == nil {
		return q
	}
	q.time("from_time", p.From)
	q.time("to_time", p.To)
	q.set("sort_order", p.SortOrder)
	q.number("limit", p.Limit)
	return q
}

// List returns messages of a conversation. A nil params returns the first ones.
//
//   - Endpoint: GET /api/v2/{screen_name}/conversations/{id}/messages [V]; scope
//     SalesIQ.conversations.READ.
//   - Source: [V] get-chat-transcripts-conversation-v2.html.
func (s *MessagesService) List(ctx context.Context, conversationID string, params *MessageListParams, opts ...salesiq.CallOption) ([]Message, error) {
	return list[Message](ctx, s.owner(), "Messages.List", base+"/conversations/{id}/messages", params.query(), opts, conversationID)
}

// All iterates over the messages of a conversation, oldest first. It asks for those
// from the time of the last one on, and leaves out what it has seen. If more than a
// hundred messages bear the same time, the rest of them cannot be had this way.
//
// Endpoint, scope and source are those of List; [I] that from_time includes the
// messages of that time.
func (s *MessagesService) All(ctx context.Context, conversationID string, opts ...salesiq.CallOption) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		params := MessageListParams{Limit: messagePage}
		seen := map[string]bool{} // Of the last page.
		for {
			page, err := s.List(ctx, conversationID, &params, opts...)
			if err != nil {
				yield(nil, err)
				return
			}
			fresh := newMessages(page, seen)
			if !yieldAll(yield, fresh) || len(page) < messagePage || len(fresh) == 0 {
				return
			}
			params.From = page[len(page)-1].At
		}
	}
}

func yieldAll(yield func(*Message, error) bool, messages []*Message) bool {
	return !slices.ContainsFunc(messages, func(m *Message) bool { return !yield(m, nil) })
}

// newMessages returns the messages of a page that are not seen, and makes seen those
// of this page.
func newMessages(page []Message, seen map[string]bool) (fresh []*Message) {
	before := maps.Clone(seen)
	clear(seen)
	for i := range page {
		key := page[i].SequenceID + "/" + page[i].ID
		seen[key] = true
		if !before[key] {
			fresh = append(fresh, &page[i])
		}
	}
	return fresh
}

// messagePage is how many messages are asked for at a time. [T]: published callers
// do so.
const messagePage = 100

// Send writes a text into a conversation as the signed-in operator. It is never
// sent twice. The Message is a zero one where the service answers without it.
//
//   - Endpoint: POST /api/v2/{screen_name}/conversations/{id}/messages [V]; scope
//     SalesIQ.conversations.CREATE.
//   - Source: [V] send-message-operator-conversation-v2.html, which shows no answer.
func (s *MessagesService) Send(ctx context.Context, conversationID, text string, opts ...salesiq.CallOption) (*Message, error) {
	return call[Message](ctx, s.owner(), "Messages.Send", http.MethodPost, base+"/conversations/{id}/messages", said{text}, opts, conversationID)
}

// SendToLatest writes a text into the most recent active conversation of the visitor
// with an email address: first of all one that the signed-in operator attends. It is
// never sent twice. The Message is a zero one where the service answers without it.
//
//   - Endpoint: POST /api/v2/{screen_name}/visitors/{email}/messages [S]; scope
//     SalesIQ.conversations.CREATE.
//   - Source: [V] rest-api-send-recent-conversation-email-v2.html, which shows no
//     answer.
func (s *MessagesService) SendToLatest(ctx context.Context, email, text string, opts ...salesiq.CallOption) (*Message, error) {
	return call[Message](ctx, s.owner(), "Messages.SendToLatest", http.MethodPost, base+"/visitors/{email}/messages", said{text}, opts, email)
}

type said struct {
	Text string `json:"text"`
}

func (s said) validate() error { return required("text", s.Text) }

// MarshalJSON writes m with its Extra beside the other members.
func (m Message) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&m) }

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Message) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, m) }

// MarshalJSON writes m with its Extra beside the other members.
func (m MessageFile) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&m) }

// UnmarshalJSON reads what MarshalJSON writes.
func (m *MessageFile) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, m) }

// MarshalJSON writes m with its Extra beside the other members.
func (m MessageMeta) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&m) }

// UnmarshalJSON reads what MarshalJSON writes.
func (m *MessageMeta) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, m) }
