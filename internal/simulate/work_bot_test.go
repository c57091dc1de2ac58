package simulate

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

// theBot is how the live service reaches the clerk's bot. It loses the first answer to each
// request, and sends that again.
var theBot = salesiqtest.Bot{URL: "http://" + host(clerk), Secret: salesiq.NewSecret(webhookSecret), Redelivers: true}

// startBot starts the bot that answers visitors of the live service. A service that has
// switched it off is asked to try again.
func (p *process) startBot() {
	bot, err := live.NewBot(webhook.HMAC(salesiq.NewSecret(webhookSecret)), live.OnMessage(func(_ context.Context, m *live.BotMessage) (*live.BotAnswer, error) {
		roll := p.world.dice.roll("bot"+m.ID, time.Now().UnixNano())
		p.world.botAnswers(p, m.ID)
		switch fate := roll.Float64(); {
		case fate < .05:
			return nil, errors.New("a bot that fails at times")
		case fate < .1:
			time.Sleep(4500 * time.Millisecond)
		default:
			time.Sleep(latency(roll.Int64()))
		}
		p.world.awaits(p)
		return live.Reply("answer to " + m.Text), nil
	}))
	p.world.must(err)
	p.server = serveOn(p.world.network.listen(host(p.name)), bot)
	p.run(func() {
		for p.waits("bot", time.Hour) {
			p.world.live.emulator.ConnectBot(theBot)
		}
	})
}

// newBotWire is what the live service reaches bots by.
func newBotWire(w *world) http.RoundTripper {
	return &http.Transport{DialContext: w.network.dialer(nil), IdleConnTimeout: time.Minute}
}
