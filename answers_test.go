package salesiq_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
)

// A chat that a server has written wrongly must not cost a page of 100 chats.
func TestOneOddChatDoesNotFailThePage(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why, odd string
		check    func(t *testing.T, chat salesiq.Chat)
	}{
		{"an emoji cut in half", `"feedback":"thanks \ud83d"`, func(t *testing.T, chat salesiq.Chat) {
			assert.Equal(t, "thanks \ufffd", *chat.Feedback)
		}},
		{"the other half", `"tags":["\ude00 fine"]`, func(t *testing.T, chat salesiq.Chat) {
			assert.Equal(t, []string{"\ufffd fine"}, chat.Tags)
		}},
		{"an emoji cut in half in a field's name", `"custom_fields":{"\ud83d":1}`, func(t *testing.T, chat salesiq.Chat) {
			assert.Len(t, chat.CustomFields, 1)
		}},
		{"an emoji cut in half in a field that nobody knows", `"x_note":"\ud83d"`, func(t *testing.T, chat salesiq.Chat) {
			assert.Contains(t, chat.Extra, "x_note")
		}},
		{"bytes that are not UTF-8", "\"feedback\":\"caf\xe9\"", func(t *testing.T, chat salesiq.Chat) {
			assert.Equal(t, "caf\ufffd", *chat.Feedback)
		}},
		{"a name given twice: the last one counts", `"status":"active","status":"ended"`, func(t *testing.T, chat salesiq.Chat) {
			assert.Equal(t, salesiq.ChatEnded, chat.Status)
		}},
		{"an unknown name given twice", `"x_a":1,"x_a":2`, func(t *testing.T, chat salesiq.Chat) {
			assert.Equal(t, "2", string(chat.Extra["x_a"]))
		}},
		{"names in another case", `"Status":"missed","OPERATOR_ID":"o9"`, func(t *testing.T, chat salesiq.Chat) {
			assert.Equal(t, salesiq.ChatMissed, chat.Status)
			assert.Equal(t, "o9", chat.OperatorID)
		}},
		{"null for a list", `"transcript":null,"tags":null,"custom_fields":null`, func(t *testing.T, chat salesiq.Chat) {
			assert.Empty(t, chat.Transcript)
			assert.Empty(t, chat.Tags)
			assert.Empty(t, chat.CustomFields)
		}},
		{"null for a string, a number, a time, an object",
			`"operator_id":null,"duration":null,"started_at":null,"visitor_info":null`, func(t *testing.T, chat salesiq.Chat) {
				assert.Empty(t, chat.OperatorID)
				assert.Zero(t, chat.Duration)
				assert.True(t, chat.StartedAt.IsZero())
				assert.Empty(t, chat.VisitorInfo.Name)
			}},
		{"fields that nobody knows", `"x_a":{"b":[1]},"x_c":null`, func(t *testing.T, chat salesiq.Chat) {
			assert.JSONEq(t, `{"b":[1]}`, string(chat.Extra["x_a"]))
			assert.Equal(t, "null", string(chat.Extra["x_c"]))
		}},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			chats := make([]string, 100)
			for i := range chats {
				chats[i] = fmt.Sprintf(`{"id":"c%d","duration":%d}`, i, i)
			}
			chats[42] = `{"id":"c42",` + row.odd + `}`
			api := newAPIRecorder(t, answerJSON(http.StatusOK,
				`{"status":"success","data":[`+strings.Join(chats, ",")+`],"pagination":{"page":1,"per_page":100,"total":100}}`))
			page, err := api.client(t).Chats.List(t.Context(), nil)
			require.NoError(t, err)
			require.Len(t, page.Items, 100)
			row.check(t, page.Items[42])
			assert.Equal(t, 99*time.Second, page.Items[99].Duration.Duration())
		})
	}
}

func TestAnObjectIsReadFromAnyEnvelope(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"status":"success","data":{"id":"c1","status":"active"}}`,
		`{"data":{"id":"c1","status":"active"}}`,
		`{"url":"/api/v2/x","object":"chat","data":{"id":"c1","status":"active"}}`,
		`{"id":"c1","status":"active"}`,
		`{"status":"active","id":"c1"}`,
		" \r\n{\"id\":\"c1\",\"status\":\"active\"}\n",
	} {
		api := newAPIRecorder(t, answerJSON(http.StatusOK, body))
		chat, err := api.client(t).Chats.Get(t.Context(), "c1")
		require.NoError(t, err, body)
		assert.Equal(t, &salesiq.Chat{ID: "c1", Status: salesiq.ChatActive}, chat, body)
	}
}

func TestAListIsReadFromAnyEnvelope(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		body  string
		items []string
		total int
	}{
		{`{"status":"success","data":[{"id":"c1"},{"id":"c2"}],"pagination":{"page":1,"per_page":2,"total":9}}`, []string{"c1", "c2"}, 9},
		{`{"status":"success","data":[{"id":"c1"},{"id":"c2"}]}`, []string{"c1", "c2"}, 0},
		{`{"data":[{"id":"c1"}],"pagination":null}`, []string{"c1"}, 0},
		{`[{"id":"c1"}]`, []string{"c1"}, 0},
		{`[]`, []string{}, 0},
		{`null`, []string{}, 0},
		{`{"status":"success","data":[]}`, []string{}, 0},
		{`{"status":"success","data":null,"pagination":{"total":0}}`, []string{}, 0},
		{`{"data":null}`, []string{}, 0},
		{`{"status":"success"}`, []string{}, 0},
	} {
		api := newAPIRecorder(t, answerJSON(http.StatusOK, row.body))
		page, err := api.client(t).Chats.List(t.Context(), nil)
		require.NoError(t, err, row.body)
		ids := []string{}
		for _, chat := range page.Items {
			ids = append(ids, chat.ID)
		}
		assert.Equal(t, row.items, ids, row.body)
		assert.Equal(t, row.total, page.Total, row.body)
		assert.Equal(t, 1, page.Number, row.body)
	}
}

// The specification leaves these answers open, so every likely shape is read.
func TestOpenAnswersAreReadInAnyShape(t *testing.T) {
	t.Parallel()
	calls := []struct {
		name, wrapper, object string
		do                    func(ctx context.Context, c *salesiq.Client) (id string, err error)
	}{
		{"Transfer", "chat", `{"id":"x7","status":"active"}`, func(ctx context.Context, c *salesiq.Client) (string, error) {
			chat, err := c.Chats.Transfer(ctx, "c1", &salesiq.ChatTransfer{OperatorID: "o1"})
			return chat.ID, err
		}},
		{"End", "chat", `{"id":"x7","status":"ended"}`, func(ctx context.Context, c *salesiq.Client) (string, error) {
			chat, err := c.Chats.End(ctx, "c1", nil)
			return chat.ID, err
		}},
		{"Rate", "chat", `{"id":"x7","rating":5}`, func(ctx context.Context, c *salesiq.Client) (string, error) {
			chat, err := c.Chats.Rate(ctx, "c1", &salesiq.ChatRating{Rating: 5})
			return chat.ID, err
		}},
		{"Tag", "visitor", `{"id":"x7","tags":["vip"]}`, func(ctx context.Context, c *salesiq.Client) (string, error) {
			visitor, err := c.Visitors.Tag(ctx, "v1", []string{"vip"})
			return visitor.ID, err
		}},
		{"SendMessage", "message", `{"id":"x7","message":"Hello","type":"text"}`, func(ctx context.Context, c *salesiq.Client) (string, error) {
			message, err := c.Chats.SendMessage(ctx, "c1", salesiq.TextMessage("Hello"))
			return message.ID, err
		}},
		{"Notify", "notification", `{"id":"x7","message":"m","data":{"id":"of the payload"}}`, func(ctx context.Context, c *salesiq.Client) (string, error) {
			notification, err := c.Devices.Notify(ctx, &salesiq.NotificationCreate{OperatorID: "o1", Title: "t", Message: "m"})
			return notification.ID, err
		}},
	}
	shapes := []struct{ body, id string }{
		{`%s`, "x7"},
		{`{"status":"success","data":%s}`, "x7"},
		{`{"data":%s}`, "x7"},
		{`{"%[2]s":%[1]s}`, "x7"},
		{`{"status":"success","%[2]s":%[1]s}`, "x7"},
		{`{"status":"success","data":{"%[2]s":%[1]s}}`, "x7"},
		{`{"data":{"%[2]s":%[1]s}}`, "x7"},
		{`{"status":"success"}`, ""},
		{`{"status":"success","message":"done"}`, ""},
		{`{"status":"success","data":null}`, ""},
		{`{"status":"success","data":{}}`, ""},
		{`{"data":null}`, ""},
		{`{}`, ""},
		{`null`, ""},
		{``, ""},
		{"\n", ""},
	}
	for _, call := range calls {
		for _, shape := range shapes {
			body := shape.body
			if strings.Contains(body, "%") {
				body = strings.NewReplacer("%s", call.object, "%[1]s", call.object, "%[2]s", call.wrapper).Replace(body)
			}
			api := newAPIRecorder(t, answerJSON(http.StatusOK, body))
			id, err := call.do(t.Context(), api.client(t))
			require.NoError(t, err, "%s answered %s", call.name, body)
			assert.Equal(t, shape.id, id, "%s answered %s", call.name, body)
		}
		api := newAPIRecorder(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
		id, err := call.do(t.Context(), api.client(t))
		require.NoError(t, err, "%s answered 204", call.name)
		assert.Empty(t, id)
	}
}

// A notification has data of its own, which is not an envelope's.
func TestANotificationKeepsItsData(t *testing.T) {
	t.Parallel()
	want := &salesiq.Notification{OperatorID: "o1", Title: "t", Message: "m", Data: map[string]any{"id": "c1"}}
	for _, body := range []string{
		`{"operator_id":"o1","title":"t","message":"m","data":{"id":"c1"}}`,
		`{"status":"success","data":{"operator_id":"o1","title":"t","message":"m","data":{"id":"c1"}}}`,
	} {
		api := newAPIRecorder(t, answerJSON(http.StatusCreated, body))
		got, err := api.client(t).Devices.Notify(t.Context(),
			&salesiq.NotificationCreate{OperatorID: "o1", Title: "t", Message: "m", Data: map[string]any{"id": "c1"}})
		require.NoError(t, err)
		assert.Equal(t, want, got, body)
	}
}

func TestATranscriptIsReadInAnyShape(t *testing.T) {
	t.Parallel()
	const messages = `[{"id":"m1","message":"a"},{"id":"m2","message":"b"}]`
	for _, row := range []struct {
		body string
		ids  []string
	}{
		{messages, []string{"m1", "m2"}},
		{`{"status":"success","data":` + messages + `}`, []string{"m1", "m2"}},
		{`{"data":` + messages + `}`, []string{"m1", "m2"}},
		{`{"transcript":` + messages + `}`, []string{"m1", "m2"}},
		{`{"messages":` + messages + `}`, []string{"m1", "m2"}},
		{`{"status":"success","data":{"transcript":` + messages + `}}`, []string{"m1", "m2"}},
		{`{"status":"success","data":{"chat_id":"c1","messages":` + messages + `}}`, []string{"m1", "m2"}},
		{`{"data":{"chat":{"id":"c1","transcript":` + messages + `}}}`, []string{"m1", "m2"}},
		{`{"chat":{"transcript":` + messages + `}}`, []string{"m1", "m2"}},
		{`{"id":"c1","status":"ended","transcript":` + messages + `}`, []string{"m1", "m2"}},
		{`{"status":"success","data":[]}`, nil},
		{`{"status":"success","data":null}`, nil},
		{`{"data":{"transcript":null}}`, nil},
		{`{"status":"success"}`, nil},
		{`null`, nil},
		{``, nil},
	} {
		api := newAPIRecorder(t, answerJSON(http.StatusOK, row.body))
		transcript, err := api.client(t).Chats.Transcript(t.Context(), "c1")
		require.NoError(t, err, row.body)
		var ids []string
		for _, message := range transcript {
			ids = append(ids, message.ID)
		}
		assert.Equal(t, row.ids, ids, row.body)
	}
}

func TestDeleteNeedsNoBody(t *testing.T) {
	t.Parallel()
	for _, answer := range []http.HandlerFunc{
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		answerJSON(http.StatusOK, ``),
		answerJSON(http.StatusOK, `{"status":"success"}`),
		answerJSON(http.StatusOK, `gone`),
	} {
		client := newAPIRecorder(t, answer).client(t)
		require.NoError(t, client.Operators.Delete(t.Context(), "o1"))
	}
}

// The sign-in page of a network, in place of an answer, does not mean that
// something was deleted.
func TestAPageIsNoDeletion(t *testing.T) {
	t.Parallel()
	client := newAPIRecorder(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "\n<!doctype html><form>Sign in to this network</form>")
	}).client(t)
	for name, deletion := range map[string]func(context.Context, string, ...salesiq.CallOption) error{
		"Operators.Delete": client.Operators.Delete, "Routing.Delete": client.Routing.Delete,
		"Webhooks.Delete": client.Webhooks.Delete, "Devices.Unregister": client.Devices.Unregister,
	} {
		err := deletion(t.Context(), "x1")
		failure := requireOneLine(t, err)
		require.ErrorIs(t, err, salesiq.ErrDecode, name)
		assert.Equal(t, name, failure.Operation)
		assert.Equal(t, "text/html", failure.ContentType)
		assert.Contains(t, failure.Excerpt, "Sign in to this network")
	}
}

// An answer that is not the service's says where it came from, on one line.
func TestForeignAnswersAreExplained(t *testing.T) {
	t.Parallel()
	const page = "<html>\n<head><title>Bad gateway</title></head>\n<body>upstream went away</body></html>"
	for _, row := range []struct {
		why         string
		status      int
		contentType string
		body        string
		cause       error
		excerpt     string
	}{
		{"a proxy's page with its status", 502, "text/html; charset=utf-8", page, salesiq.ErrDecode, "<html> <head><title>Bad gateway</title></head>"},
		{"a proxy's page that claims success", 200, "text/html", page, salesiq.ErrDecode, "<html> <head>"},
		{"a portal's sign-in page", 200, "text/html", "<!doctype html><form>", salesiq.ErrDecode, "<!doctype html><form>"},
		{"nothing", 200, "application/json", "", salesiq.ErrDecode, ""},
		{"spaces", 200, "application/json", " \n ", salesiq.ErrDecode, ""},
		{"no content where an object is due", 204, "", "", salesiq.ErrDecode, ""},
		{"no data", 200, "application/json", `{"status":"success"}`, salesiq.ErrDecode, `{"status":"success"}`},
		{"null data", 200, "application/json", `{"status":"success","data":null}`, salesiq.ErrDecode, `"data":null`},
		{"an empty object", 200, "application/json", `{}`, salesiq.ErrDecode, `{}`},
		{"cut JSON", 200, "application/json", `{"status":"success","data":{"id":"c1","tags":["a`, salesiq.ErrTransport, `"tags":["a`},
		{"JSON and something after it", 200, "application/json", `{"id":"c1"} <html>`, salesiq.ErrDecode, `<html>`},
		{"JSON of another kind", 200, "application/json", `{"data":["c1"]}`, salesiq.ErrDecode, `["c1"]`},
		{"a string", 200, "application/json", `"ok"`, salesiq.ErrDecode, `"ok"`},
		{"nothing with a failure", 503, "", "", salesiq.ErrDecode, ""},
		{"a failure in other words", 401, "application/json", `{"failure":"who?"}`, salesiq.ErrDecode, `who?`},
		{"control characters and escapes", 500, "text/plain", "a\x1b[31mb\x00c\r\nd", salesiq.ErrDecode, "a [31mb c d"},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			api := newAPIRecorder(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = nil
				if row.contentType != "" {
					w.Header().Set("Content-Type", row.contentType)
				}
				w.WriteHeader(row.status)
				io.WriteString(w, row.body)
			})
			_, err := api.client(t).Chats.Get(t.Context(), "c1")
			failure := requireOneLine(t, err)
			require.ErrorIs(t, err, row.cause)
			assert.Equal(t, "Chats.Get", failure.Operation)
			assert.Equal(t, row.status, failure.StatusCode)
			assert.Empty(t, failure.Code)
			assert.Contains(t, failure.Excerpt, row.excerpt)
			assert.LessOrEqual(t, len(failure.Excerpt), 512)
			mediaType, _, _ := strings.Cut(row.contentType, ";")
			if mediaType != "" {
				assert.Equal(t, mediaType, failure.ContentType)
			}
			assert.Contains(t, err.Error(), fmt.Sprintf("salesiq: Chats.Get: HTTP %d", row.status))
			assert.Contains(t, err.Error(), row.cause.Error())
		})
	}
}

func TestAnAnswerCutByTheConnectionIsATransportError(t *testing.T) {
	t.Parallel()
	api := newAPIRecorder(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "500")
		io.WriteString(w, `{"status":"success","data":{"id":"c1"`)
	})
	_, err := api.client(t).Chats.Get(t.Context(), "c1")
	failure := requireOneLine(t, err)
	require.ErrorIs(t, err, salesiq.ErrTransport)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Equal(t, http.StatusOK, failure.StatusCode)
	assert.True(t, salesiq.IsRetryable(err))
}

// The answer has no length that would tell of the cut. The bracket in the text stands
// for the one that was cut off.
func TestACutThatOnlyTheDecoderSeesIsATransportError(t *testing.T) {
	t.Parallel()
	api := newAPIRecorder(t, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"data":{"id":"c1","question":":-}","visitor_info":{"name":"Ada"}}`)
	})
	_, err := api.client(t).Chats.Get(t.Context(), "c1")
	require.ErrorIs(t, err, salesiq.ErrTransport)
	assert.True(t, salesiq.IsRetryable(err))
}

// A long page leaves a short excerpt.
func TestExcerptsAreShort(t *testing.T) {
	t.Parallel()
	api := newAPIRecorder(t, answerJSON(http.StatusBadGateway, strings.Repeat("page ", 1<<16)))
	_, err := api.client(t).Chats.Get(t.Context(), "c1")
	failure := requireOneLine(t, err)
	assert.NotEmpty(t, failure.Excerpt)
	assert.LessOrEqual(t, len(failure.Excerpt), 512)
	assert.Less(t, len(err.Error()), 1000)
}

// requireOneLine checks what all errors of calls have in common.
func requireOneLine(t testing.TB, err error) *salesiq.Error {
	t.Helper()
	var failure *salesiq.Error
	require.ErrorAs(t, err, &failure)
	text := err.Error()
	assert.True(t, strings.HasPrefix(text, "salesiq: "+failure.Operation+": "), text)
	assert.NotContains(t, text, "\n")
	assert.NotContains(t, text, testToken)
	assert.NotContains(t, text, "::")
	assert.NotContains(t, text, ": :")
	assert.NotRegexp(t, `^invalid character`, text)
	return failure
}

func TestHiddenErrorsAreErrors(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"status":"error","code":"CHAT_NOT_ACTIVE","message":"It is over","details":{"chat_id":"c1"}}`,
		`{"details":{"chat_id":"c1"},"message":"It is over","code":"CHAT_NOT_ACTIVE","status" : "error"}`,
		`{"status":"error","code":"CHAT_NOT_ACTIVE","message":"It is over","details":{"chat_id":"c1"},"data":null}`,
	} {
		api := newAPIRecorder(t, answerJSON(http.StatusOK, body))
		client := api.client(t)
		_, get := client.Chats.Get(t.Context(), "c1")
		_, list := client.Chats.List(t.Context(), nil)
		_, sent := client.Chats.SendMessage(t.Context(), "c1", salesiq.TextMessage("Hello"))
		gone := client.Operators.Delete(t.Context(), "o1")
		for _, err := range []error{get, list, sent, gone} {
			failure := requireOneLine(t, err)
			require.ErrorIs(t, err, salesiq.ErrChatNotActive)
			assert.Equal(t, http.StatusOK, failure.StatusCode)
			assert.Equal(t, "It is over", failure.Message)
			assert.Equal(t, map[string]any{"chat_id": "c1"}, failure.Details)
			assert.False(t, failure.MaybeProcessed, "it said that it did nothing")
		}
	}
}

// An answer with the word "error" in it is not an error for that.
func TestTheWordErrorIsNoError(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"status":"success","data":{"id":"c1","feedback":"error","tags":["error"]}}`,
		`{"data":{"id":"c1","status":"error"}}`,
		`{"id":"c1","tags":["error"]}`,
	} {
		api := newAPIRecorder(t, answerJSON(http.StatusOK, body))
		chat, err := api.client(t).Chats.Get(t.Context(), "c1")
		require.NoError(t, err, body)
		assert.Equal(t, "c1", chat.ID)
	}
}

// WithResponse of a call that makes several requests is the response to the one
// that the consumer has come to, however far ahead the client is.
func TestWithResponseFollowsTheConsumer(t *testing.T) {
	t.Parallel()
	api := newAPIRecorder(t, pagedChats(250, 10))
	client := api.client(t)
	var response salesiq.Response
	for chat, err := range client.Chats.All(t.Context(), &salesiq.ChatListParams{PerPage: 10}, salesiq.WithResponse(&response)) {
		require.NoError(t, err)
		assert.Contains(t, string(response.Body), `"id":"`+chat.ID+`"`)
	}
	for result := range client.Chats.Transcripts(t.Context(), chatsOf("a", "b", "c"), salesiq.WithResponse(&response)) {
		require.NoError(t, result.Err, result.ChatID)
	}
	assert.Equal(t, http.StatusOK, response.StatusCode)
}

func TestARefusalInOtherWordsIsAnErrorForEveryCall(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ body, message, code string }{
		{`{"status":"ERROR","code":"CHAT_NOT_ACTIVE","message":"It is over"}`, "It is over", "CHAT_NOT_ACTIVE"},
		{`{"status":"Error","message":"It is over"}`, "It is over", ""},
		{`{"status":"failure","message":"It is over"}`, "It is over", ""},
		{`{"status":"FAILED","message":"It is over","data":{}}`, "It is over", ""},
		{`{"status":"failure","error":"It is over"}`, "It is over", ""},
		{`{"status":"failure","error":{"code":1019,"message":"It is over"}}`, "It is over", "RESOURCE_NOT_FOUND"},
		{`{"success":false,"message":"It is over"}`, "It is over", ""},
		{`{"success":"false","reason":"It is over","at":"noon"}`, "It is over", ""},
		{`{"code":"CHAT_NOT_ACTIVE","message":"It is over"}`, "It is over", "CHAT_NOT_ACTIVE"},
		{`{"message":"It is over","code":1016}`, "It is over", "PERMISSION_DENIED"},
		{`{"code":"CHAT_NOT_ACTIVE","message":"It is over","data":null}`, "It is over", "CHAT_NOT_ACTIVE"},
	} {
		for _, status := range []int{200, 400} {
			client := newAPIRecorder(t, answerJSON(status, row.body)).client(t)
			for _, call := range wireCases {
				err := call.do(t.Context(), client)
				failure := requireOneLine(t, err)
				assert.Equal(t, row.message, failure.Message, "%s answered %s", call.call, row.body)
				assert.Equal(t, salesiq.ErrorCode(row.code), failure.Code, row.body)
			}
			err := client.Do(t.Context(), http.MethodPost, "/x", nil, nil)
			assert.Equal(t, row.message, requireOneLine(t, err).Message, "without a target")
		}
	}
}

// What only looks like a refusal is what it was asked for.
func TestAnObjectThatHasFailedIsNoRefusal(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"id":"x1","status":"failed"}`, `{"id":"x1","status":"failure","message":"m","success":false}`, `{"id":"x1","code":"EUR"}`,
		`{"code":"EUR","name":"Euro"}`, `{"code":"eur"}`, `{"code":0,"message":"m"}`, `{"code":200,"message":"OK"}`, `{"code":"SUCCESS","message":"m"}`,
		`{"status":"success","code":"CREATED","message":"m"}`, `{"success":true,"message":"m"}`, `{"data":{"success":false,"status":"failure"}}`,
		`{"status":"failed","execution":"e1"}`, `{"code":"CREATED","data":{"id":"x1"}}`,
	} {
		require.NoError(t, newAPIRecorder(t, answerJSON(http.StatusOK, body)).client(t).Do(t.Context(), http.MethodGet, "/x", nil, nil), body)
	}
	message, err := newAPIRecorder(t, answerJSON(http.StatusOK, `{"success":true,"message":"Sent"}`)).client(t).
		Chats.SendMessage(t.Context(), "c1", salesiq.TextMessage("Hello"))
	require.NoError(t, err)
	assert.Empty(t, message.Text, "a report is no message")
}

func TestAnEmptyObjectIsNotTheOneThatIsDue(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"status":"success","data":{}}`, `{"data":{ }}`, `{"url":"/x","object":"chat","data":{}}`} {
		client := newAPIRecorder(t, answerJSON(http.StatusOK, body)).client(t)
		chat, get := client.Chats.Get(t.Context(), "c1")
		assert.Nil(t, chat)
		_, create := client.Webhooks.Create(t.Context(), &salesiq.WebhookCreate{Name: "n", URL: "https://shop.test/", Events: []salesiq.EventName{"e"}})
		_, update := client.Visitors.Update(t.Context(), "v1", &salesiq.VisitorUpdate{Name: salesiq.Set("Ada")})
		for _, err := range []error{get, create, update} {
			require.ErrorIs(t, err, salesiq.ErrDecode, body)
			requireOneLine(t, err)
		}
	}
	chat, err := newAPIRecorder(t, answerJSON(http.StatusOK, `{"data":{"duration":0}}`)).client(t).Chats.Get(t.Context(), "c1")
	require.NoError(t, err, "there is something in it")
	assert.Zero(t, *chat)
}
