package simulate

import (
	"context"
	"time"

	"github.com/salesiq-go/salesiq/examples/autoassign/assign"
	"github.com/salesiq-go/salesiq/webhook"
)

// startDispatcher starts what examples/autoassign does: it gives each chat to an
// operator, of which events tell, or the list of those that wait.
func (p *process) startDispatcher() {
	a := assign.New(p.client, func(string) {})
	p.listen()
	p.world.must(webhook.On(p.receiver, func(ctx context.Context, e *webhook.ChatStarted) error {
		roll := p.world.dice.roll("handler"+p.name+e.ChatID, time.Now().UnixNano())
		time.Sleep(time.Duration(roll.Int64N(int64(20 * time.Millisecond))))
		p.world.awaits(p)
		if !p.alive() {
			return errKilled
		}
		return a.ChatStarted(ctx, e)
	}))
	p.serve()
	p.run(func() {
		p.begins()
		a.Work(p.context, looksEvery)
	})
}

const looksEvery = 5 * time.Minute
