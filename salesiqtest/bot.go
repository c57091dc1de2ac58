package salesiqtest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/input"
	"github.com/salesiq-go/salesiq/internal/usercode"
)

// Bot is a Zobot, as the live service knows one: what it tells is posted to a webhook,
// whose answers the visitor gets.
//
// Requests are signed with RSA, or with Secret by HMAC. [Server.Verifier] accepts the
// first. An answer has five seconds, or three minutes after "pending". Where there is
// none, or one that breaks a published rule, operators get the conversation. After four
// failures in a row, or one answer with status 410, the bot is switched off.
type Bot struct {
	Name    string       // "Zobot" by default.
	URL     string       // Where the bot is, on this machine unless [WithWebhookTransport] is used.
	Handler http.Handler // The bot itself, in place of URL.

	Secret          salesiq.Secret // Signs requests in place of the server's key.
	HandlesFailures bool           // It is told of what it did wrong, and may answer.
	Redelivers      bool           // The first answer to each request is lost, and the request comes again.
	Delay           time.Duration  // How long a request is on its way, of the time that an answer has.
}

// check accepts a bot that can be reached.
func (b *Bot) check(transported bool) error {
	switch {
	case b.Handler != nil && b.URL != "":
		return argument("bot", "must have a URL or a handler, not both")
	case b.Handler == nil && b.URL == "":
		return argument("bot", "must have a URL or a handler")
	case usercode.IsNil(b.Handler) && b.URL == "":
		return argument("bot", "must not have a handler that is nil")
	case b.Delay < 0:
		return argument("bot delay", "must not be negative")
	case b.Handler != nil:
		return nil
	}
	u, err := url.Parse(b.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return argument("bot URL", "must be an http or https URL")
	case input.IsLoopback(u.Hostname()):
		return nil
	case u.Port() != "":
		return argument("bot URL", "must not have a port: the live service cannot reach one that has")
	case !transported:
		return argument("bot URL", "must be on this machine (see WithWebhookTransport)")
	}
	return nil
}

// WithBot lets a bot answer all conversations that begin. It needs [Live]. The bot may
// start after the server: it is probed before its first request.
func WithBot(bot Bot) Option {
	return func(c *config) error {
		c.bot = &bot
		return bot.check(true)
	}
}

// ConnectBot lets a bot answer all conversations that begin from now on, in place of any
// other. It needs a server that is [Live]. As at its registration, a bot must answer a
// HEAD request with 200. The bot stays connected through [Server.Reset].
//
// Errors: a [salesiq.InputError] that tells what is wrong with the bot.
func (s *Server) ConnectBot(bot Bot) error {
	_, err := s.connectBot(bot)
	return err
}

func (s *Server) connectBot(settings Bot) (*zobot, error) {
	err := settings.check(s.config.webhookTransport != nil)
	if err == nil && s.config.dialect.portal() == "" {
		err = argument("bot", "is for a server that is Live")
	}
	if err != nil {
		return nil, err
	}
	made := s.newBot(settings)
	if err := s.probeBot(made); err != nil {
		made.close()
		return nil, argument("bot", "must answer a HEAD request with 200: "+err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bots = append(s.bots, made)
	s.state.take(made)
	return made, nil
}

// zobot is a bot that is connected. The server's lock guards what changes of it.
type zobot struct {
	Bot

	id   string
	line *handlerLine // Of a handler; nil for a URL.

	probed   bool
	disabled bool
	failures int // In a row.
}

func (s *Server) newBot(settings Bot) *zobot {
	made := &zobot{Bot: settings}
	made.Name = cmp.Or(settings.Name, "Zobot")
	if settings.Handler != nil {
		made.line = newHandlerLine(settings.Handler)
		made.URL = "http://bot.localhost/"
	}
	if settings.Secret.IsZero() {
		s.webhookKey() // Now, not within the first five seconds.
	}
	return made
}

// connected are all bots that have been, for their end.
func (s *Server) connected() []*zobot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.bots)
}

func (b *zobot) close() {
	if b.line != nil {
		b.line.close()
	}
}

// take has a bot answer what begins. Its id begins with a b, as the service has it.
func (s *state) take(bot *zobot) {
	bot.id = s.newID("b")
	bot.disabled, bot.failures = false, 0
	s.bot, s.bots[bot.id] = bot, bot
}

// BotTurn is one request to a bot, and what came of it.
type BotTurn struct {
	At        time.Time `json:"at"` // By the server's clock.
	Handler   string    `json:"handler"`
	RequestID string    `json:"request_id"`
	ChatID    string    `json:"chat_id"`         // Empty before the visitor has said anything.
	Request   string    `json:"request"`         // The body; empty for what was answered by a callback.
	Status    int       `json:"status"`          // 0 without an answer.
	Answer    string    `json:"answer"`          // The body.
	Error     string    `json:"error,omitempty"` // Why there was no answer, or the rules that it breaks.
}

// BotTurns returns the requests to bots that have been answered, or given up, oldest
// first: the last 9,000 of them at least. An answer by callback is a turn of its own.
func (s *Server) BotTurns() []BotTurn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.turns.all()
}

// controlBot is [Server.ConnectBot] for other languages.
func (s *Server) controlBot(body []byte) (any, error) {
	order, err := readOrder[struct {
		URL             string `json:"url"`
		Name            string `json:"name"`
		HandlesFailures bool   `json:"handles_failures"`
		Redelivers      bool   `json:"redelivers"`
		DelayMS         int    `json:"delay_ms"`
	}](body)
	if err != nil {
		return nil, err
	}
	return nil, s.ConnectBot(Bot{
		Name: order.Name, URL: order.URL, HandlesFailures: order.HandlesFailures, Redelivers: order.Redelivers, Delay: milliseconds(order.DelayMS),
	})
}
