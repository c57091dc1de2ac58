package simulate

import (
	"context"
	"time"

	"github.com/salesiq-go/salesiq"
)

// longList is how long a list may take: two of them, of twenty pages, at six calls a minute.
const longList = 10 * time.Minute

// startBatch starts the program that goes through lists, and changes an operator now
// and then.
func (p *process) startBatch() {
	p.run(func() {
		for p.waits("walks", 5*time.Minute) {
			p.goThroughOperators()
		}
	})
	p.run(func() {
		for p.waits("chats", 7*time.Minute) {
			p.call("chats", longList, func(ctx context.Context) error {
				for _, err := range p.client.Chats.All(ctx, &salesiq.ChatListParams{Status: salesiq.ChatActive, PerPage: 20}) {
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
	})
	p.run(func() {
		for p.waits("updates", 11*time.Minute) {
			p.call("update", patience, func(ctx context.Context) error {
				_, err := p.client.Operators.Update(ctx, "operator5", &salesiq.OperatorUpdate{MaxChats: salesiq.Set(50 + time.Now().Minute())})
				return err
			})
		}
	})
}

func (p *process) goThroughOperators() {
	walk := p.world.beginWalk()
	err := p.call("operators", longList, func(ctx context.Context) error {
		for o, err := range p.client.Operators.All(ctx, &salesiq.OperatorListParams{PerPage: 4}, salesiq.WithFresh()) {
			if err != nil {
				return err
			}
			walk.sees(o.ID)
		}
		return nil
	})
	if p.alive() {
		p.world.endWalk(walk, err)
	}
}
