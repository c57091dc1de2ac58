// Salesiqredis makes a call whose quota is kept in Redis, while Redis is away.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqredis"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// awayRedis is a Redis that does not answer.
type awayRedis struct{}

func (awayRedis) Eval(context.Context, string, []string, []string) (any, error) {
	return nil, errors.New("nobody answers")
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	server, err := salesiqtest.NewServer()
	if err != nil {
		return err
	}
	defer server.Close()
	organization, err := salesiqredis.NewWith(awayRedis{}, "acme")
	if err != nil {
		return err
	}
	client, err := salesiq.NewClient(
		salesiq.StaticToken(server.AccessToken()),
		append(server.Options(), salesiq.WithLimiter(organization.Limiter()))...)
	if err != nil {
		return err
	}
	page, err := client.Chats.List(ctx, nil)
	if err != nil {
		return err
	}
	fmt.Println("without Redis:", len(page.Items), "chats")
	return nil
}
