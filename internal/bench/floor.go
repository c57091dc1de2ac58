package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

const byLibrary = "json/v2, into structs without methods"

// measureFloor races the decoder against one that knows nothing but the page of
// this benchmark, member by member.
func measureFloor(ctx context.Context, p plan, _ string, r *report) error {
	if err := checkFloor(); err != nil {
		return err
	}
	pages, next := pagesJSON(), 0
	decoding := func(decode func(page []byte) (chats int, err error)) func(context.Context) error {
		return func(context.Context) error {
			chats, err := decode(pages[next%len(pages)])
			next++
			return errors.Join(err, expect(chats, chatsPerPage))
		}
	}
	return r.race(ctx, floorRace, "A page of 100 chats, 147 kB: decoding alone", []contestant{
		{name: "a decoder of this one page, written by hand", op: decoding(func(page []byte) (int, error) {
			chats, err := decodePage(page)
			return len(chats), err
		})},
		{name: ours, op: decoding(func(page []byte) (int, error) {
			chats, _, err := wire.DecodeList[salesiq.Chat](page)
			return len(chats), err
		})},
		{name: byLibrary, op: decoding(func(page []byte) (int, error) {
			var answer plainAnswer
			err := jsonv2.Unmarshal(page, &answer, tunedOptions)
			return len(answer.Data), err
		})},
		{name: "encoding/json, into structs without methods", op: decoding(func(page []byte) (int, error) {
			var answer plainAnswer
			err := json.Unmarshal(page, &answer)
			return len(answer.Data), err
		})},
		{name: "encoding/json, into ours", op: decoding(func(page []byte) (int, error) {
			var answer listAnswer
			err := json.Unmarshal(page, &answer)
			return len(answer.Data), err
		})},
	}, p.goals)
}

// cursor goes through a page whose members come in the order that listOf writes.
// Whatever else it meets is a failure.
type cursor struct {
	rest   []byte
	failed bool
}

func decodePage(page []byte) (chats []salesiq.Chat, err error) {
	c := &cursor{rest: page}
	c.pass(`{"status":"success","data":[`)
	chats = make([]salesiq.Chat, 0, chatsPerPage)
	for !c.failed && c.at('{') {
		chats = append(chats, salesiq.Chat{})
		c.chat(&chats[len(chats)-1])
		c.comma()
	}
	c.pass(`],"pagination":{"page":`)
	if c.failed {
		return nil, fmt.Errorf("this is another page: %.20q", c.rest)
	}
	return chats, nil
}

func (c *cursor) chat(chat *salesiq.Chat) {
	c.pass(`{"id":`)
	chat.ID = c.text()
	c.pass(`,"visitor_id":`)
	chat.VisitorID = c.text()
	c.pass(`,"operator_id":`)
	chat.OperatorID = c.text()
	c.pass(`,"department_id":`)
	chat.DepartmentID = c.text()
	c.pass(`,"status":`)
	chat.Status = salesiq.ChatStatus(c.text())
	c.pass(`,"type":`)
	chat.Type = salesiq.ChatType(c.text())
	c.pass(`,"started_at":`)
	chat.StartedAt = c.time()
	c.pass(`,"ended_at":`)
	chat.EndedAt = c.time()
	c.pass(`,"duration":`)
	chat.Duration = salesiq.Seconds(c.number())
	c.pass(`,"rating":`)
	chat.Rating = new(c.number())
	c.pass(`,"feedback":`)
	chat.Feedback = new(c.text())
	c.pass(`,"transcript":[`)
	chat.Transcript = make([]salesiq.Message, 0, len(lines))
	for !c.failed && c.at('{') {
		chat.Transcript = append(chat.Transcript, salesiq.Message{})
		c.message(&chat.Transcript[len(chat.Transcript)-1])
		c.comma()
	}
	c.pass(`],"visitor_info":`)
	c.visitor(&chat.VisitorInfo)
	c.pass(`,"tags":[`)
	chat.Tags = make([]string, 0, 2)
	for !c.failed && c.at('"') {
		chat.Tags = append(chat.Tags, c.text())
		c.comma()
	}
	c.pass(`],"custom_fields":{"order":`)
	chat.CustomFields = map[string]any{"order": c.text()}
	c.pass(`}}`)
}

func (c *cursor) message(m *salesiq.Message) {
	c.pass(`{"id":`)
	m.ID = c.text()
	c.pass(`,"sender_type":`)
	m.SenderType = salesiq.SenderType(c.text())
	c.pass(`,"sender_id":`)
	m.SenderID = c.text()
	c.pass(`,"message":`)
	m.Text = c.text()
	c.pass(`,"timestamp":`)
	m.Timestamp = c.time()
	c.pass(`,"type":`)
	m.Type = salesiq.MessageType(c.text())
	c.pass(`}`)
}

func (c *cursor) visitor(v *salesiq.VisitorInfo) {
	c.pass(`{"name":`)
	v.Name = c.text()
	c.pass(`,"email":`)
	v.Email = c.text()
	c.pass(`,"phone":`)
	v.Phone = c.text()
	c.pass(`,"city":`)
	v.City = c.text()
	c.pass(`,"country":`)
	v.Country = c.text()
	c.pass(`,"browser":`)
	v.Browser = c.text()
	c.pass(`,"platform":`)
	v.Platform = c.text()
	c.pass(`}`)
}

func (c *cursor) at(first byte) bool { return len(c.rest) > 0 && c.rest[0] == first }

func (c *cursor) comma() {
	if c.at(',') {
		c.rest = c.rest[1:]
	}
}

func (c *cursor) pass(literal string) {
	if len(c.rest) < len(literal) || string(c.rest[:len(literal)]) != literal {
		c.failed = true
		return
	}
	c.rest = c.rest[len(literal):]
}

// text takes a string without escapes.
func (c *cursor) text() string { return string(c.quoted()) }

func (c *cursor) quoted() []byte {
	c.pass(`"`)
	end := bytes.IndexByte(c.rest, '"')
	if c.failed || end < 0 || bytes.IndexByte(c.rest[:end], '\\') >= 0 {
		c.failed = true
		return nil
	}
	text := c.rest[:end]
	c.rest = c.rest[end+1:]
	return text
}

func (c *cursor) number() (n int) {
	for len(c.rest) > 0 && '0' <= c.rest[0] && c.rest[0] <= '9' {
		n = 10*n + int(c.rest[0]-'0')
		c.rest = c.rest[1:]
	}
	return n
}

// time takes a time such as "2026-04-09T08:15:12.250Z".
func (c *cursor) time() time.Time {
	text := c.quoted()
	if len(text) != len("2026-04-09T08:15:12.250Z") {
		c.failed = true
		return time.Time{}
	}
	number := func(from, to int) (n int) {
		for _, digit := range text[from:to] {
			n = 10*n + int(digit-'0')
		}
		return n
	}
	return time.Date(number(0, 4), time.Month(number(5, 7)), number(8, 10), number(11, 13), number(14, 16), number(17, 19),
		number(20, 23)*int(time.Millisecond), time.UTC)
}

// checkFloor makes sure that all decoders find the same.
func checkFloor() error {
	byHand, err := decodePage(listJSON(1, chatsPerPage))
	if err != nil {
		return err
	}
	byPlan, _, err := wire.DecodeList[salesiq.Chat](listJSON(1, chatsPerPage))
	if err != nil {
		return err
	}
	one, err1 := json.Marshal(byHand)
	other, err2 := json.Marshal(byPlan)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if !bytes.Equal(one, other) {
		return errors.New("the decoder written by hand finds something else")
	}
	return nil
}
