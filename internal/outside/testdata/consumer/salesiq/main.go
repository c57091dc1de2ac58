// Salesiq counts chats: those of the specification's SalesIQ, by the page and one
// by one, and those of the live service.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

func main() {
	ctx := context.Background()
	if err := countSpecified(ctx); err != nil {
		log.Fatal(err)
	}
	if err := countLive(ctx); err != nil {
		log.Fatal(err)
	}
}

func countSpecified(ctx context.Context) error {
	server, err := salesiqtest.NewServer()
	if err != nil {
		return err
	}
	defer server.Close()
	client, err := salesiq.NewClient(salesiq.StaticToken(server.AccessToken()), server.Options()...)
	if err != nil {
		return err
	}
	page, err := client.Chats.List(ctx, nil)
	if err != nil {
		return err
	}
	all, err := countChats(ctx, client)
	if err != nil {
		return err
	}
	fmt.Println("specified:", len(page.Items), "chats on a page,", all, "in all")
	return nil
}

func countChats(ctx context.Context, client *salesiq.Client) (chats int, err error) {
	for _, err := range client.Chats.All(ctx, nil) {
		if err != nil {
			return 0, err
		}
		chats++
	}
	return chats, nil
}

func countLive(ctx context.Context) error {
	server, err := salesiqtest.NewServer(salesiqtest.Live())
	if err != nil {
		return err
	}
	defer server.Close()
	client, err := salesiq.NewClient(salesiq.StaticToken(server.AccessToken()), server.Options()...)
	if err != nil {
		return err
	}
	conversations := 0
	for _, err := range live.New(client).Conversations.All(ctx, nil) {
		if err != nil {
			return err
		}
		conversations++
	}
	fmt.Println("live:", conversations, "conversations")
	return nil
}
