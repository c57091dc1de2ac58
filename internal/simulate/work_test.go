package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqbolt"
	"github.com/salesiq-go/salesiq/webhook"
)

// patience is how long a program waits for a call that somebody else waits for.
const patience = 150 * time.Second

// startDesk starts the program that answers visitors. Its handlers only note what is to
// be done, and at times fail or take too long.
func (p *process) startDesk() {
	p.listen(webhook.WithDedupStore(&unreliable{DedupStore: p.file.DedupStore(), process: p}))
	p.world.must(webhook.OnAny(p.receiver, func(_ context.Context, e webhook.Event) error {
		roll := p.world.dice.roll("handler"+e.Info().EventID, p.generation, p.world.handlings(p, e))
		switch {
		case roll.Float64() < .02:
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
			switch e := e.(type) {
			case *webhook.ChatStarted:
				p.takeOver(e.ChatID)
			case *webhook.MessageReceived:
				if e.SenderType == salesiq.SenderVisitor {
					p.answer(e)
				}
			}
		case <-p.context.Done():
			return
		}
	}
}

func (p *process) takeOver(chatID string) {
	p.call("transfer", patience, func(ctx context.Context) error {
		_, err := p.client.Chats.Transfer(ctx, chatID, &salesiq.ChatTransfer{OperatorID: "operator2"})
		return err
	})
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

// readOperators reads an operator through the cache, and spoils what it has got.
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
	}
}

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
			p.call("chats", patience, func(ctx context.Context) error {
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

// waits waits a little longer than d, so that no two parts of a program go on at once.
func (p *process) waits(part string, d time.Duration) bool {
	roll := p.world.dice.roll("waits "+p.name+part, time.Now().UnixNano())
	return p.sleep(d + time.Duration(roll.Int64N(int64(d/8))))
}

func (p *process) goThroughOperators() {
	walk := p.world.beginWalk()
	err := p.call("operators", 10*time.Minute, func(ctx context.Context) error {
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

const goodbye = "Goodbye"

// chat is what a visitor does.
func (w *world) chat(n int64) {
	roll := w.dice.roll("visitor", n)
	chat, err := w.service.emulator.StartChat(fmt.Sprintf("visitor%d", roll.IntN(visitors)), "Good day")
	if err != nil {
		w.must(err)
	}
	for range 2 + roll.IntN(4) {
		if !w.sleep(time.Duration(20+roll.Int64N(100))*time.Second + latency(roll.Int64())) {
			return
		}
		w.service.emulator.VisitorSays(chat.ID, "And what about the other one?")
	}
	if w.sleep(30*time.Second + latency(roll.Int64())) {
		w.service.emulator.VisitorSays(chat.ID, goodbye)
	}
}

// comeAndGo lets visitors come, more of them in a crowd.
func (w *world) comeAndGo() {
	for n := int64(1); ; n++ {
		roll := w.dice.roll("comes", n)
		pause := time.Duration((.5 + roll.Float64()) * float64(betweenVisitors))
		if crowd := w.active("crowd", "all"); crowd > 0 {
			pause = time.Duration(float64(pause) / crowd)
		}
		if !w.sleep(pause) {
			return
		}
		w.works.Go(func() { w.chat(n) })
	}
}

// betweenVisitors makes for about 2,800 calls of the desk a day.
const betweenVisitors = 200 * time.Second

// changeOperators lets somebody rename an operator, and add others or delete them.
func (w *world) changeOperators() {
	for n := int64(1); w.sleep(53*time.Second + latency(n*7919)); n++ {
		if n%4 == 0 {
			w.renames(fmt.Sprintf("operator3 v%d", n))
		} else {
			w.changeList()
		}
	}
}

// changeList adds an operator or deletes one: an hour the one, an hour the other, since
// a list of which as many items leave as come cannot be gone through without a gap. Who
// came first goes first, so that those behind move up.
func (w *world) changeList() {
	w.mu.Lock()
	defer w.mu.Unlock()
	adds := time.Now().Hour()%2 == 0
	w.changes++
	switch {
	case adds && len(w.temporary) < 60:
		status, body := w.service.console(http.MethodPost, "/api/v2/operators", fmt.Sprintf(`{"name":"t","email":"t%d@shop.example","role":"agent"}`, w.changes))
		var made struct{ Data struct{ ID string } }
		json.Unmarshal(body, &made)
		if status >= 300 || made.Data.ID == "" {
			panic(string(body))
		}
		w.temporary = append(w.temporary, made.Data.ID)
		w.operatorComes(made.Data.ID)
		w.tell("added", made.Data.ID)
	case !adds && len(w.temporary) > 0:
		id := w.temporary[0]
		w.temporary = w.temporary[1:]
		w.service.console(http.MethodDelete, "/api/v2/operators/"+id, "")
		w.tell("deleted", id)
		w.operatorGoes(id)
	}
}

// courier delivers events, in more ways than the service would want to.
type courier struct {
	world *world
	wire  http.RoundTripper
}

func newCourier(w *world) *courier {
	return &courier{world: w, wire: &http.Transport{DialContext: w.network.dialer(nil), DisableKeepAlives: false, IdleConnTimeout: time.Minute}}
}

// RoundTrip implements [http.RoundTripper].
func (c *courier) RoundTrip(r *http.Request) (*http.Response, error) {
	w := c.world
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	program, _, _ := strings.Cut(r.URL.Host, ".")
	roll := w.dice.roll("delivery "+program+string(body), time.Now().UnixNano())
	if w.hits("late", "all", roll) {
		time.Sleep(time.Duration(roll.Int64N(int64(5 * time.Second))))
	}
	status, answer, err := c.deliver(r.Context(), r, body)
	w.delivers(program, body, status)
	if w.hits("again", "all", roll) {
		pause := time.Duration(roll.Int64N(int64(rememberedFor / 2)))
		w.works.Go(func() {
			if w.sleep(pause) {
				again, _, _ := c.deliver(w.context, r, body)
				w.delivers(program, body, again)
			}
		})
	}
	if err != nil {
		return nil, err
	}
	if w.hits("lost-word", "all", roll) {
		return nil, errReset
	}
	return answer, nil
}

// deliver delivers an event once. Its answer is read to the end.
func (c *courier) deliver(ctx context.Context, r *http.Request, body []byte) (status int, answer *http.Response, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	again := r.Clone(ctx)
	again.Body = io.NopCloser(bytes.NewReader(body))
	if answer, err = c.wire.RoundTrip(again); err != nil {
		return 0, nil, err
	}
	said, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	answer.Body = io.NopCloser(bytes.NewReader(said))
	return answer.StatusCode, answer, err
}
