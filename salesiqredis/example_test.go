package salesiqredis_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqredis"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/usage"
	"github.com/salesiq-go/salesiq/webhook"
)

// Two processes share the day's calls and one token. Here both are in this
// program, Redis and SalesIQ are in memory, and the key is no secret.
func Example() {
	server, err := miniredis.Run()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	service, err := salesiqtest.NewServer()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer service.Close()

	for _, process := range []string{"first", "second"} {
		redisClient := redis.NewClient(&redis.Options{Addr: server.Addr()})
		defer redisClient.Close() //nolint:errcheck,gocritic,revive // The program ends.
		organization, err := salesiqredis.New(redisClient, "acme", salesiqredis.WithPlan(salesiq.Enterprise()))
		if err != nil {
			fmt.Println(err)
			return
		}
		monitor := usage.NewMonitor()
		client, err := salesiq.NewClient(
			salesiq.RefreshToken(service.Credentials(), salesiq.SealTokens(organization.TokenStore(), bytes.Repeat([]byte("k"), 32))),
			append(service.Options(), salesiq.WithLimiter(organization.Limiter()), salesiq.WithTracer(monitor.Tracer()))...)
		if err != nil {
			fmt.Println(err)
			return
		}
		if _, err := client.Chats.Get(context.Background(), "chat123"); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(process, "process: calls left today", *monitor.Snapshot().CallsLeftToday)
	}
	fmt.Println("tokens requested:", service.Stats().TokenRequests)
	// Output:
	// first process: calls left today 49999
	// second process: calls left today 49998
	// tokens requested: 1
}

// Events are kept by the process that receives them, and handled by whichever has
// time. Here both are one, and handling ends after two events.
func ExampleSink_Run() {
	server, err := miniredis.Run()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer client.Close() //nolint:errcheck // The program ends.
	organization, err := salesiqredis.New(client, "acme")
	if err != nil {
		fmt.Println(err)
		return
	}
	sink, err := organization.Sink(salesiqredis.WithWorkers(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, chat := range []string{"chat1", "chat2", "chat2"} { // A receiver with webhook.WithSink(sink) does this.
		event, err := webhook.Parse([]byte(`{"event":"chat.started","data":{"chat_id":"` + chat + `"}}`))
		if err != nil {
			fmt.Println(err)
			return
		}
		if err := sink.Enqueue(context.Background(), event); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println("backlog:", organization.Health(context.Background()).Backlog)

	ctx, stop := context.WithCancel(context.Background()) // Or signal.NotifyContext.
	defer stop()
	handled := 0
	err = sink.Run(ctx, func(_ context.Context, event webhook.Event) error {
		fmt.Println("handled:", event.(*webhook.ChatStarted).ChatID)
		if handled++; handled == 2 {
			stop()
		}
		return nil
	})
	fmt.Println("ended:", err)
	// Output:
	// backlog: 2
	// handled: chat1
	// handled: chat2
	// ended: context canceled
}
