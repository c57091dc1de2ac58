package simulate

import (
	"context"
	"errors"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqbolt"
	"github.com/salesiq-go/salesiq/webhook"
)

// startInbox starts the program that keeps events in a file, and works through them.
func (p *process) startInbox() {
	box, err := p.file.Inbox(salesiqbolt.WithWorkers(4), salesiqbolt.WithHandlerTimeout(10*time.Minute), salesiqbolt.WithMaxTries(100),
		salesiqbolt.WithPauses(1, 1)) // Its own pauses are random, so the handler makes them.
	p.world.must(err)
	p.listen(webhook.WithSink(box))
	p.world.must(webhook.OnAny(p.receiver, func(_ context.Context, e webhook.Event) error {
		roll := p.world.dice.roll("work"+e.Info().EventID, p.generation, p.world.handlings(p, e))
		time.Sleep(time.Duration(roll.Int64N(int64(20 * time.Millisecond))))
		p.world.awaits(p)
		if e, ok := e.(*webhook.ChatEnded); ok {
			err := p.call("transcript", patience, func(ctx context.Context) error {
				_, err := p.client.Chats.Transcript(ctx, e.ChatID)
				return err
			})
			if err != nil && !errors.Is(err, salesiq.ErrDailyLimit) {
				p.sleep(time.Second << min(p.world.handlings(p, e), 7))
				return err
			}
		}
		if !p.alive() {
			return errKilled
		}
		p.world.handles(p, e)
		p.world.awaits(p)
		return nil
	}))
	p.serve()
	p.run(func() { box.Run(p.context, p.receiver.Dispatch) })
}
