// Worker is one of several processes of an organization in the tests of
// package processes. It is told what to do by a task, as JSON, on its command
// line, and by the environment where the emulator is. It prints "ready", waits for
// a line on standard input, and prints what came of the task, as JSON.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqredis"
	"github.com/salesiq-go/salesiq/webhook"
)

// task is what a worker does.
type task struct {
	Do      string        `json:"do"`    // Call, hold or handle.
	Redis   string        `json:"redis"` // Its address.
	Key     []byte        `json:"key"`   // For the token.
	Calls   int           `json:"calls"` // To make or to hold.
	Callers int           `json:"callers"`
	Pause   time.Duration `json:"pause"` // Between two calls of a caller, or of an event.
	Lease   time.Duration `json:"lease"` // Of calls, events and the lock; 0 for the defaults.
	Timeout time.Duration `json:"timeout"`
}

// result is what came of calls.
type result struct {
	Ended      time.Time     `json:"ended"`
	Failures   []string      `json:"failures"`
	RoundTrips int64         `json:"round_trips"` // Scripts that the limiter ran.
	Longest    time.Duration `json:"longest"`     // A call took, waiting included.
}

func main() {
	log.SetFlags(0)
	var t task
	if err := json.Unmarshal([]byte(os.Args[1]), &t); err != nil {
		log.Fatal(err)
	}
	redis.SetLogger(silence{}) // That Redis is away is part of the test.
	client := redis.NewClient(&redis.Options{Addr: t.Redis, MaxRetries: -1, DialerRetries: 1})
	if err := t.run(client); err != nil {
		log.Fatal(err)
	}
}

func (t *task) run(client *redis.Client) error {
	evaler := &counter{Client: client}
	var options []salesiqredis.Option
	if t.Timeout > 0 {
		options = append(options, salesiqredis.WithTimeout(t.Timeout))
	}
	if t.Lease > 0 {
		options = append(options, salesiqredis.WithLease(t.Lease), salesiqredis.WithTokenLock(t.Lease))
	}
	organization, err := salesiqredis.New(evaler, "acme", options...)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	if !bufio.NewScanner(os.Stdin).Scan() {
		return errors.New("nobody said go")
	}
	switch t.Do {
	case "call":
		return t.call(organization, evaler)
	case "hold":
		return t.hold(organization)
	default:
		return t.handle(organization)
	}
}

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// counter counts the limiter's round trips, which are those with four keys.
type counter struct {
	*redis.Client

	trips atomic.Int64
}

func (c *counter) EvalSha(ctx context.Context, sha1 string, keys []string, args ...any) *redis.Cmd {
	if len(keys) == 4 {
		c.trips.Add(1)
	}
	return c.Client.EvalSha(ctx, sha1, keys, args...)
}

// call makes calls from several goroutines.
func (t *task) call(organization *salesiqredis.Organization, counter *counter) error {
	client, err := salesiq.NewClient(
		salesiq.RefreshToken(salesiq.Credentials{
			ClientID:     os.Getenv("ZOHO_CLIENT_ID"),
			ClientSecret: salesiq.NewSecret(os.Getenv("ZOHO_CLIENT_SECRET")),
			RefreshToken: salesiq.NewSecret(os.Getenv("ZOHO_REFRESH_TOKEN")),
		}, salesiq.SealTokens(organization.TokenStore(), t.Key)),
		salesiq.WithBaseURL(os.Getenv("SALESIQ_BASE_URL")),
		salesiq.WithAccountsURL(os.Getenv("SALESIQ_ACCOUNTS_URL")),
		salesiq.WithLimiter(organization.Limiter()),
	)
	if err != nil {
		return err
	}
	var (
		r       result
		mu      sync.Mutex
		callers sync.WaitGroup
		left    atomic.Int64
	)
	left.Store(int64(t.Calls))
	for range t.Callers {
		callers.Go(func() {
			for left.Add(-1) >= 0 {
				began := time.Now()
				_, err := client.Chats.List(context.Background(), nil)
				mu.Lock()
				r.Longest = max(r.Longest, time.Since(began))
				if err != nil {
					r.Failures = append(r.Failures, err.Error())
				}
				mu.Unlock()
				time.Sleep(t.Pause)
			}
		})
	}
	callers.Wait()
	r.Ended, r.RoundTrips = time.Now(), counter.trips.Load()
	return json.NewEncoder(os.Stdout).Encode(r)
}

// hold takes slots and the lock for the token, and keeps them.
func (t *task) hold(organization *salesiqredis.Organization) error {
	if _, _, err := organization.TokenStore().Lock(context.Background()); err != nil {
		return err
	}
	limiter := organization.Limiter()
	for i := range t.Calls {
		lease, err := limiter.Acquire(context.Background())
		if err != nil {
			return err
		}
		if i == 0 { // So that the others need not wait for what it tells.
			lease.Done(salesiq.Outcome{StatusCode: 200, Sent: true})
			if _, err := limiter.Acquire(context.Background()); err != nil {
				return err
			}
		}
	}
	fmt.Println("holding")
	select {}
}

// handle handles events, and prints their ids.
func (t *task) handle(organization *salesiqredis.Organization) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	sink, err := organization.Sink(salesiqredis.WithHandlerTimeout(t.Lease), salesiqredis.WithWorkers(t.Callers))
	if err != nil {
		return err
	}
	err = sink.Run(ctx, func(_ context.Context, event webhook.Event) error {
		time.Sleep(t.Pause)
		_, err := fmt.Println(event.Info().EventID)
		return err
	})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
