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
