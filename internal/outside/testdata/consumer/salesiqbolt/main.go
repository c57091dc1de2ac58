// Salesiqbolt takes an event, is started anew, and handles it.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/salesiq-go/salesiq/salesiqbolt"
	"github.com/salesiq-go/salesiq/webhook"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	folder, err := os.MkdirTemp("", "salesiqbolt")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "events.db")
	event, err := webhook.Parse([]byte(`{"event":"chat.rating","data":{"chat_id":"chat123","rating":5}}`))
	if err != nil {
		return err
	}
	err = with(path, func(inbox *salesiqbolt.Inbox) error { return inbox.Enqueue(ctx, event) })
	if err != nil {
		return err
	}
	return with(path, func(inbox *salesiqbolt.Inbox) error {
		working, stop := context.WithCancel(ctx)
		err := inbox.Run(working, func(_ context.Context, event webhook.Event) error {
			defer stop()
			fmt.Println("after a restart:", event.Info().EventName)
			return nil
		})
		if errors.Is(err, context.Canceled) {
			err = nil
		}
		return err
	})
}

// with uses the inbox of a file.
func with(path string, use func(*salesiqbolt.Inbox) error) error {
	file, err := salesiqbolt.Open(path)
	if err != nil {
		return err
	}
	inbox, err := file.Inbox()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	return errors.Join(use(inbox), file.Close())
}
