package salesiqtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
	"github.com/salesiq-go/salesiq/webhook"
)

// botRequest is a request to a bot, as the vendor's page has it.
type botRequest struct {
	Handler        string            `json:"handler"`
	OrgID          string            `json:"org_id"`
	Request        object            `json:"request"`
	Visitor        object            `json:"visitor"`
	Operation      string            `json:"operation,omitzero"`
	Message        object            `json:"message,omitzero"`
	Attachments    []object          `json:"attachments,omitzero"`
	ContextID      string            `json:"context_id,omitzero"`
	Answers        map[string]object `json:"answers,omitzero"`
	FailedResponse object            `json:"failed_response,omitzero"`
	Cause          *botCause         `json:"cause,omitzero"`
}

// write writes a request. The base is where files are fetched.
func (s *state) writeRequest(t *talk, call *botCall, base string) []byte {
	out := botRequest{
		Handler: call.handler, OrgID: liveOrgID, Request: object{"id": call.id}, Visitor: s.botVisitor(t),
		ContextID: call.contextID, Answers: call.answers, Cause: call.cause,
	}
	if call.failed != nil {
		if err := wire.Unmarshal(call.failed, &out.FailedResponse); err != nil {
			out.FailedResponse = nil // The answer was no object.
		}
	}
	if call.message != nil {
		out.Operation = "message"
		if call.first {
			out.Operation = "chat"
		}
		out.Message = object{"text": call.message.Text, "type": "text", "meta": object{}}
		out.Attachments = s.attachments(call.message, base)
		if len(out.Attachments) > 0 {
			out.Message["type"] = "file"
		}
	}
	return asJSON(out)
}

// attachments are the files of a message. No page shows what they look like: these have
// the names that files have elsewhere.
func (s *state) attachments(message *salesiq.Message, base string) []object {
	all := []object{}
	for id, file := range s.files {
		if file.messageID == message.ID {
			all = append(all, object{
				"id": id, "name": file.name, "size": len(file.content), "content_type": file.kind,
				"url": base + livePath + "/conversations/" + file.chatID + "/attachments/" + id,
			})
		}
	}
	return all
}

// botVisitor is what a bot is told of a visitor.
func (s *state) botVisitor(t *talk) object {
	visitor, _ := s.visitors.get(t.visitorID) // Nothing takes visitors away.
	out := object{
		"name": visitor.Name, "email": visitor.Email, "phone": visitor.Phone, "channel": "Website",
		"browser": visitor.Browser, "os": visitor.Platform, "country": visitor.Country, "state": visitor.Region, "city": visitor.City,
		"time_zone": visitor.Timezone, "language": visitor.Language, "current_page_url": visitor.CurrentPage,
		"landing_page_url": visitor.LandingPage, "visitid": visitID(t.visitorID), "active_conversation_id": t.chatID, "question": "",
	}
	if chat, ok := s.chats.get(t.chatID); ok {
		for _, message := range chat.Transcript {
			if message.SenderType == salesiq.SenderVisitor {
				out["question"] = message.Text
				break
			}
		}
	}
	return out.without("name", "email", "phone", "browser", "os", "country", "state", "city", "time_zone", "language",
		"current_page_url", "landing_page_url", "active_conversation_id", "question")
}

// exchange is what came of a request.
type exchange struct {
	status int
	body   []byte
	err    error
}

// problem tells why there is no answer, or nothing.
func (e *exchange) problem() string {
	switch {
	case errors.Is(e.err, context.DeadlineExceeded):
		return fmt.Sprintf("the bot has not answered in %s: it should answer pending, and later by callback", deliveryTimeout)
	case e.err != nil:
		return "the bot does not answer: " + e.err.Error()
	case e.status >= http.StatusMultipleChoices:
		return fmt.Sprintf("the bot has answered with status %d: %s", e.status, shorten(e.body))
	}
	return ""
}

// serveTalk tells a bot what it is to be told, one after the other.
func (s *Server) serveTalk(d *state, t *talk) {
	for {
		call, body, at := s.nextRequest(d, t)
		if call == nil {
			return
		}
		got := s.askBot(d.courier, t.bot, body)
		pending := false
		s.actOn(d, func() {
			s.takeAnswer(t, call, body, at, &got)
			pending = t.under == call && t.pending
		})
		call.arrive()
		if pending {
			s.waitForCallback(d, t, call)
		}
	}
}

// talkServer returns what begins to work on the queue of a talk.
func (s *Server) talkServer(d *state) func(*talk) {
	return func(t *talk) { d.courier.start(func() { s.serveTalk(d, t) }) }
}

// actOn does something with a state, unless there has been a Reset since.
func (s *Server) actOn(d *state, do func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != d {
		return false
	}
	d.now = s.now()
	do()
	return true
}

func (s *Server) nextRequest(d *state, t *talk) (call *botCall, body []byte, at time.Time) {
	s.actOn(d, func() {
		if call = t.nextCall(); call != nil {
			body, at = d.writeRequest(t, call, s.URL), d.now
			d.callbacks[call.id] = &callback{began: d.now, talk: t, call: call}
		}
	})
	return call, body, at
}

// takeAnswer does what an answer says, if it can be used.
func (s *Server) takeAnswer(t *talk, call *botCall, body []byte, at time.Time, got *exchange) {
	d := s.state
	turn := d.turnOf(t, call)
	turn.At, turn.Request, turn.Status, turn.Answer = at, string(body), got.status, string(got.body)
	problem, cause := got.problem(), causeFailure
	var answer botAnswer
	if problem == "" {
		var breaches []breach
		answer, breaches = d.readBotAnswer(got.body)
		if len(breaches) > 0 {
			problem = rulesBroken(breaches)
			if allTooLong(breaches) {
				cause = causeTooLong
			}
			turn.Error, problem = problem, problem+": "+shorten(got.body)
		}
	} else {
		turn.Error = problem
	}
	d.turns.add(turn)
	if problem != "" {
		t.bot.countFailure(got.status == http.StatusGone)
		if t.bot.disabled {
			problem += " (the bot is switched off now)"
		}
		d.fail(t, call, cause, got.body, botProblem{text: problem})
		return
	}
	t.bot.failures = 0
	if t.open() {
		d.apply(t, call, &answer, got.body)
	}
}

func allTooLong(breaches []breach) bool {
	for _, b := range breaches {
		if !b.tooLong {
			return false
		}
	}
	return true
}

// waitForCallback waits until a bot has answered that has asked for time.
func (s *Server) waitForCallback(d *state, t *talk, call *botCall) {
	timer := time.NewTimer(callbackLimit)
	defer timer.Stop()
	select {
	case <-call.answered:
	case <-d.courier.context.Done():
	case <-timer.C:
		s.actOn(d, func() {
			if t.pending {
				d.conclude(t, call)
				d.fail(t, call, causeFailure, nil, botProblem{text: "the bot has answered pending, and nothing in the three minutes after that"})
			}
		})
	}
}

// clientOf returns the client that reaches a bot.
func (c *courier) clientOf(bot *zobot) (*http.Client, error) {
	if bot.line != nil {
		return bot.line.client, nil
	}
	return c.clientFor(bot.URL)
}

// probeBot asks a bot whether it is there, as the service does at its registration.
func (s *Server) probeBot(bot *zobot) error {
	courier := s.courier()
	client, err := courier.clientOf(bot)
	if err == nil {
		err = probe(courier.context, client, bot.URL)
	}
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		bot.probed = true
	}
	return err
}

// askBot posts a request, and reads the answer. All of that has the time of a delivery.
func (s *Server) askBot(courier *courier, bot *zobot, body []byte) exchange {
	if s.needsProbe(bot) {
		if err := s.probeBot(bot); err != nil {
			return exchange{err: fmt.Errorf("it must answer a HEAD request with 200: %w", err)}
		}
	}
	got := s.postToBot(courier, bot, body)
	if bot.Redelivers {
		got = s.postToBot(courier, bot, body)
	}
	return got
}

func (s *Server) needsProbe(bot *zobot) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !bot.probed
}

func (s *Server) postToBot(courier *courier, bot *zobot, body []byte) exchange {
	ctx, cancel := context.WithTimeout(courier.context, deliveryTimeout)
	defer cancel()
	client, err := courier.clientOf(bot)
	if err != nil {
		return exchange{err: err}
	}
	if !sleep(ctx, bot.Delay) {
		return exchange{err: ctx.Err()}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, bot.URL, bytes.NewReader(body))
	if err != nil {
		return exchange{err: err}
	}
	request.Close = true // A bot that has started again does not know old connections.
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "salesiqtest")
	if bot.Secret.IsZero() {
		signature, err := webhook.SignRSA(s.webhookKey(), body)
		if err != nil {
			return exchange{err: err}
		}
		request.Header.Set(webhook.HeaderRSASignature, signature)
	} else {
		request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(bot.Secret, body))
	}
	response, err := client.Do(request)
	if err != nil {
		return exchange{err: timeOr(ctx, err)}
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	return exchange{response.StatusCode, answer, timeOr(ctx, err)}
}

// timeOr is an error, or why its context has ended.
func timeOr(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && strings.Contains(err.Error(), "Client.Timeout") {
		return context.DeadlineExceeded
	}
	return err
}

// warnOfBot logs what a bot has done wrong.
func (s *Server) warnOfBot(problem, chatID string) {
	s.config.logger.LogAttrs(context.Background(), slog.LevelWarn, "bot", slog.String("problem", problem), slog.String("chat_id", chatID))
}
