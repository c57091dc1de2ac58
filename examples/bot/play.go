package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq/examples/internal/account"
)

// play sends the requests of a visitor of the emulator to the bot, and prints what is
// said.
func play(ctx context.Context, out io.Writer, url string) error {
	v := visitor{out: out, url: url}
	for _, step := range []struct{ said, handler, more string }{
		{"", "trigger", `{}`},
		{"When will my tent arrive?", "message", `{"operation":"chat","message":{"text":"When will my tent arrive?"},"attachments":[]}`},
		{"Do you sell canoes?", "message", `{"operation":"message","message":{"text":"Do you sell canoes?"},"attachments":[]}`},
		{
			"Zoë O’Brien; zoe@post.example; N-4711", "context",
			`{"context_id":"hand-over","answers":{"name":{"text":"Zoë O’Brien"},"email":{"text":"zoe@post.example"},"order":{"text":"N-4711"}}}`,
		},
	} {
		if err := v.ask(ctx, step.said, step.handler, step.more); err != nil {
			return err
		}
	}
	return nil
}

// visitor talks to the bot as the service does on a visitor's behalf.
type visitor struct {
	out   io.Writer
	url   string
	turns int
}

func (v *visitor) ask(ctx context.Context, said, handler, more string) error {
	v.turns++
	request := map[string]any{}
	if err := json.Unmarshal([]byte(more), &request); err != nil {
		return err
	}
	request["handler"], request["org_id"] = handler, "55778119"
	request["request"] = map[string]string{"id": fmt.Sprint("request-", v.turns)}
	request["visitor"] = map[string]string{"active_conversation_id": "chat123", "channel": "Website"}
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	if said != "" {
		fmt.Fprintln(v.out, account.Wrapped("visitor  ", said))
	}
	var answer struct {
		Action      string
		Replies     []json.RawMessage
		Suggestions []string
		Questions   []struct{ Replies []json.RawMessage }
	}
	if err := v.post(ctx, string(body), &answer); err != nil {
		return err
	}
	for _, question := range answer.Questions {
		answer.Replies = append(answer.Replies, question.Replies...)
	}
	for _, reply := range answer.Replies {
		fmt.Fprintln(v.out, account.Wrapped("bot      ", text(reply)))
	}
	if len(answer.Suggestions) > 0 {
		fmt.Fprintln(v.out, account.Wrapped("         ", "["+strings.Join(answer.Suggestions, "] [")+"]"))
	}
	if answer.Action == "forward" {
		fmt.Fprintln(v.out, "         (an operator takes over)")
	}
	return nil
}

// text is what a visitor reads of a reply.
func text(reply json.RawMessage) string {
	var plain string
	if json.Unmarshal(reply, &plain) == nil {
		return plain
	}
	var card struct {
		Text  string                 `json:"text"`
		Links []struct{ URL string } `json:"links"`
	}
	if json.Unmarshal(reply, &card) != nil {
		return string(reply)
	}
	for _, link := range card.Links {
		card.Text += " " + link.URL
	}
	return card.Text
}

func (v *visitor) post(ctx context.Context, body string, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, v.url, strings.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(answer)
}
