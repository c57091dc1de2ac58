package simulate

import (
	"context"
	"fmt"
	"time"

	"github.com/salesiq-go/salesiq/live"
)

// startClerk starts the program that works with the live service: it goes through the
// conversations, of which more begin, notes something about the latest, and has a bot.
func (p *process) startClerk() {
	p.startBot()
	service := live.New(p.client)
	p.run(func() {
		for order := ""; p.waits("conversations", 11*time.Minute); {
			order = map[string]string{"": "descending"}[order] // Every other time, new ones move the others on.
			p.goThroughConversations(service, order)
		}
	})
	p.run(func() {
		for p.waits("notes", 13*time.Minute) {
			latest := p.world.latestConversation()
			if latest == "" {
				continue
			}
			p.call("note", patience, func(ctx context.Context) error {
				_, err := service.Conversations.UpdateCustomerInfo(ctx, latest, map[string]string{"note": time.Now().Format(time.TimeOnly)})
				return err
			})
		}
	})
}

func (p *process) goThroughConversations(service *live.Service, order string) {
	params := &live.ConversationListParams{Limit: 20, SortOrder: order}
	if order != "" {
		params.SortBy = "in_time"
	}
	walk := p.world.beginWalkOfConversations()
	err := p.call("conversations", 10*time.Minute, func(ctx context.Context) error {
		for c, err := range service.Conversations.All(ctx, params) {
			if err != nil {
				return err
			}
			walk.sees(c.ID)
		}
		return nil
	})
	if p.alive() {
		p.world.endWalk(walk, err)
	}
}

// converse lets visitors begin conversations at the live service.
func (w *world) converse() {
	for n := int64(1); ; n++ {
		roll := w.dice.roll("converses", n)
		if !w.sleep(time.Duration(15+roll.IntN(30))*time.Minute + latency(roll.Int64())) {
			return
		}
		w.beginConversation()
		latest := w.latestConversation()
		for _, text := range []string{"one", "two"} {
			if !w.sleep(time.Minute + latency(roll.Int64())) {
				return
			}
			w.live.emulator.VisitorSays(latest, text)
		}
	}
}

func (w *world) beginConversation() {
	visitor := w.dice.roll("begins", time.Now().UnixNano()).IntN(visitors)
	chat, err := w.live.emulator.StartChat(fmt.Sprintf("visitor%d", visitor), "Good day")
	w.must(err)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conversations = append(w.conversations, chat.ID)
	w.tell("begun", chat.ID)
}

func (w *world) latestConversation() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.conversations); n > 0 {
		return w.conversations[n-1]
	}
	return ""
}
