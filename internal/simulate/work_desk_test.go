package simulate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/webhook"
)

// onceName is the name of a handler that is to succeed once, whatever others do.
const onceName = "note"

// startDesk starts the program that answers visitors whose chats have an operator. Its handlers only note what is to
// be done, and at times fail or take too long.
func (p *process) startDesk() {
	p.listen(webhook.WithDedupStore(&unreliable{DedupStore: p.file.DedupStore(), process: p}))
	p.world.must(webhook.On(p.receiver, func(_ context.Context, e *webhook.ChatEnded) error {
		if !p.alive() {
			return errKilled
		}
		p.world.notesOnce(p, e)
		return nil
	}, webhook.Once(onceName)))
	p.world.must(webhook.OnAny(p.receiver, func(_ context.Context, e webhook.Event) error {
		roll := p.world.dice.roll("handler"+e.Info().EventID, p.generation, p.world.handlings(p, e))
		switch {
		case roll.Float64() < .05:
			return errors.New("a handler that fails at times")
		case roll.Float64() < .01:
			time.Sleep(7 * time.Second)
		default:
			time.Sleep(time.Duration(roll.Int64N(int64(20 * time.Millisecond))))
		}
		if !p.alive() {
			return errKilled
		}
		select {
		case p.queue <- e:
		default: // The program has enough to do.
		}
		p.world.handles(p, e)
		p.world.awaits(p)
		return nil
	}))
	p.serve()
	for range 5 {
		p.run(p.answerVisitors)
	}
	p.run(p.readOperators)
}

func (p *process) answerVisitors() {
	for {
		select {
		case e := <-p.queue:
			if e, ok := e.(*webhook.MessageReceived); ok && e.SenderType == salesiq.SenderVisitor && e.Text != greeting {
				p.answer(e)
			}
		case <-p.context.Done():
			return
		}
	}
}

// answer answers a visitor, and ends the chat of one who says goodbye.
func (p *process) answer(e *webhook.MessageReceived) {
	if e.Text == goodbye {
		p.call("end", patience, func(ctx context.Context) error {
			_, err := p.client.Chats.End(ctx, e.ChatID, &salesiq.ChatEnd{})
			return err
		})
		return
	}
	text := fmt.Sprintf("answer to %s, %v", e.MessageID, time.Since(p.world.began))
	err := p.call("message", patience, func(ctx context.Context) error {
		_, err := p.client.Chats.SendMessage(ctx, e.ChatID, salesiq.TextMessage(text))
		return err
	})
	if p.alive() {
		p.world.reports(text, err)
	}
}

// readOperators reads an operator through the cache, and spoils what it has got. So does
// a client of another account, where the operator with this id is somebody else.
func (p *process) readOperators() {
	for p.waits("reads", 97*time.Second) {
		began := time.Now()
		var got *salesiq.Operator
		if p.call("operator", patience, func(ctx context.Context) (err error) {
			got, err = p.client.Operators.Get(ctx, "operator3")
			return err
		}) != nil {
			continue
		}
		p.world.readsOperator(got.Name, got.Languages, began)
		got.Name, got.Languages[0] = "spoiled", "spoiled"
		ctx, cancel := context.WithTimeout(p.context, time.Minute)
		if theirs, err := p.guest.Operators.Get(ctx, "operator3"); err == nil {
			p.world.readsGuest(theirs.Name)
		}
		cancel()
	}
}
