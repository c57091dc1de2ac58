package live

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
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
	Sender     ConversationParty `json:"sender"` // A visitor's id begins with "$", a bot's with "b".
	Type       string            `json:"type"`   // Such as "text".
	Body       MessageBody       `json:"message"`
	Meta       MessageMeta       `json:"meta"`
	At         time.Time         `json:"time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// MessageBody is what a message says.
//
// Source: [V] get-chat-transcripts-conversation-v2.html; [T] for what has no text.
type MessageBody struct {
	Text    string       `json:"text"`    // Empty for what has none, such as a file or a card.
	Comment string       `json:"comment"` // Of a file. [I].
	File    *MessageFile `json:"file"`    // Nil for what is none. [I].

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// UnmarshalJSON reads a body, or a text in its place.
func (b *MessageBody) UnmarshalJSON(data []byte) error { return readMessageBody(data, b) }

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
		seen := map[string]bool{} // Of the last page.
		params := MessageListParams{Limit: messagePage}
		for {
			page, err := s.List(ctx, conversationID, &params, opts...)
			if err != nil {
				yield(nil, err)
				return
			}
			fresh := map[string]bool{}
			news := false
			for i := range page {
				key := page[i].SequenceID + "/" + page[i].ID
				fresh[key] = true
				if seen[key] {
					continue
				}
				news = true
				if !yield(&page[i], nil) {
					return
				}
			}
			if len(page) < messagePage || !news {
				return
			}
			seen, params.From = fresh, page[len(page)-1].At
		}
	}
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

// SendFile sends a file into a conversation as the signed-in operator, with a comment
// unless that is empty. It is never sent twice. The Message is a zero one where the
// service answers without it.
//
// A file of more than 50 MB, or an empty one, is refused before it is sent where that
// is known by then. The service refuses an empty file with 1018, one that is too large
// with 1027, and one of a type that it does not take with 1028, as the VendorCode of
// the [salesiq.Error].
//
//   - Endpoint: POST /api/v2/{screen_name}/conversations/{id}/messages [V]; scope
//     SalesIQ.conversations.CREATE.
//   - Source: [V] send-message-operator-conversation-v2.html, which shows no answer.
func (s *MessagesService) SendFile(ctx context.Context, conversationID string, file *salesiq.File, comment string, opts ...salesiq.CallOption) (*Message, error) {
	return call[Message](ctx, s.owner(), "Messages.SendFile", http.MethodPost, base+"/conversations/{id}/messages", withFile(file, comment), opts, conversationID)
}

type said struct {
	Text string `json:"text"`
}

func (s said) validate() error { return required("text", s.Text) }

// readMessageBody reads a body: an object, or a text in its place. What has no text
// may have one below the name message.
func readMessageBody(data []byte, body *MessageBody) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*body = MessageBody{Text: text}
		return nil
	}
	type plain MessageBody
	if err := wire.UnmarshalLenient(data, (*plain)(body)); err != nil {
		return err
	}
	if said, ok := body.Extra["message"]; ok && body.Text == "" && json.Unmarshal(said, &text) == nil {
		body.Text = text
	}
	return nil
}
