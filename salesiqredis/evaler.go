package salesiqredis

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Evaler runs scripts. It is all that is needed of a client, and must be safe for
// concurrent use.
type Evaler interface {
	// Eval runs a script and returns what it does: an int64, a string, or a []any
	// of such. The scripts are few and do not change: it is best to send the hash
	// of one that the server knows.
	Eval(ctx context.Context, script string, keys, args []string) (any, error)
}

// Subscriber is an [Evaler] that hears what is published. With one, a process that
// waits is told when it may go on. Without one, it has to ask again and again.
type Subscriber interface {
	Evaler

	// Subscribe calls heard with each message of the channels, until ctx ends or
	// the connection breaks. It may call heard with an empty message as soon as it
	// listens.
	Subscribe(ctx context.Context, channels []string, heard func(message string)) error
}

// newEvaler returns a client of go-redis as an Evaler, and as whatever else it can
// be.
func newEvaler(client redis.Scripter) Evaler {
	evaler := &goRedis{client: client}
	if ear, ok := client.(subscribing); ok {
		return &goRedisSubscriber{evaler, ear}
	}
	return evaler
}

// subscribing is what clients of go-redis have that hear what is published.
type subscribing interface {
	Subscribe(ctx context.Context, channels ...string) *redis.PubSub
}

type goRedisSubscriber struct {
	*goRedis

	ear subscribing
}

// Subscribe implements [Subscriber].
func (g *goRedisSubscriber) Subscribe(ctx context.Context, channels []string, heard func(string)) error {
	subscription := g.ear.Subscribe(ctx, channels...)
	defer subscription.Close()                                      //nolint:errcheck // It is not needed any more.
	defer context.AfterFunc(ctx, func() { subscription.Close() })() //nolint:errcheck // Neither.
	for {
		received, err := subscription.Receive(ctx)
		if err != nil {
			return err
		}
		switch received := received.(type) {
		case *redis.Subscription:
			if received.Count == len(channels) {
				heard("")
			}
		case *redis.Message:
			heard(received.Payload)
		}
	}
}

// goRedis is go-redis as an Evaler.
type goRedis struct {
	client  redis.Scripter
	scripts sync.Map // By source, so that each is hashed once.
}

func (g *goRedis) Eval(ctx context.Context, source string, keys, args []string) (any, error) {
	script, ok := g.scripts.Load(source)
	if !ok {
		script, _ = g.scripts.LoadOrStore(source, redis.NewScript(source))
	}
	values := make([]any, len(args))
	for i, arg := range args {
		values[i] = arg
	}
	return script.(*redis.Script).Run(ctx, g.client, keys, values...).Result() //nolint:forcetypeassert // The map holds nothing else.
}
