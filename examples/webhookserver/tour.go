package main

import (
	"context"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/internal/account"
)

// tourEvents is how many events the tour causes.
const tourEvents = 14

// tour lets a visitor come, chat and leave, with an event of each kind, and waits
// until all of that has been printed.
func tour(ctx context.Context, client *account.Account, printed <-chan struct{}) error {
	const visitor = "visitor5150"
	emulator := client.Emulator
	var chat salesiq.Chat
	for _, step := range []func() error{
		func() error { return emulator.VisitorComes(visitor, "https://www.nordlicht.example/tents") },
		func() error {
			_, err := client.Visitors.Update(ctx, visitor, &salesiq.VisitorUpdate{
				Name: salesiq.Set("Eszter Varga"), Email: salesiq.Set("eszter@mail.example"),
			})
			return err
		},
		func() (err error) {
			chat, err = emulator.StartChat(visitor, "Hello?")
			return err
		},
		func() error { return emulator.MissChat(chat.ID) },
		func() (err error) {
			chat, err = emulator.StartChat(visitor, "Does the small one hold in a storm?")
			return err
		},
		func() error {
			_, err := client.Chats.Transfer(ctx, chat.ID, &salesiq.ChatTransfer{OperatorID: "operator789"})
			return err
		},
		func() error {
			_, err := client.Chats.SendMessage(ctx, chat.ID, salesiq.TextMessage("It does, with all its pegs."))
			return err
		},
		func() error {
			_, err := client.Chats.End(ctx, chat.ID, nil)
			return err
		},
		func() error {
			_, err := client.Chats.Rate(ctx, chat.ID, &salesiq.ChatRating{Rating: 5, Feedback: "Now I dare"})
			return err
		},
		func() error {
			return emulator.Emit(salesiq.EventLeadCreated, map[string]string{
				"lead_id": "lead4711", "visitor_id": visitor, "name": "Eszter Varga", "email": "eszter@mail.example",
			})
		},
		func() error {
			_, err := client.Operators.Update(ctx, "operator789", &salesiq.OperatorUpdate{Status: salesiq.Set(salesiq.OperatorAway)})
			return err
		},
		func() error {
			return emulator.Emit(salesiq.EventTriggerExecuted, map[string]string{"trigger_name": "Say goodbye", "visitor_id": visitor})
		},
		func() error { return emulator.VisitorLeaves(visitor) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	for range tourEvents {
		select {
		case <-printed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
