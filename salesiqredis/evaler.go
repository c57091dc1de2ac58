package salesiqredis

import (
	"context"
	"errors"
	"sync"
	"time"

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

// ReplicaWaiter is an [Evaler] that can wait until replicas have what a script has
// written.
type ReplicaWaiter interface {
	Evaler

	// EvalWait is Eval, and then the command WAIT on the same connection. It returns
	// how many replicas have what was written.
	EvalWait(ctx context.Context, script string, keys, args []string, replicas int, timeout time.Duration) (reply any, have int, err error)
}

// newEvaler returns a client of go-redis as an Evaler, and as whatever else it can
// be.
func newEvaler(client redis.Scripter) Evaler {
	evaler := &goRedis{client: client}
	switch client := client.(type) {
	case *redis.Client:
		master := func(context.Context, string) (*redis.Client, error) { return client, nil }
		return &goRedisWaiter{goRedisSubscriber{evaler, client}, master}
	case *redis.ClusterClient:
		evaler.unreachable = client.ReloadState
		return &goRedisWaiter{goRedisSubscriber{evaler, client}, client.MasterForKey}
	case subscribing:
		return &goRedisSubscriber{evaler, client}
	}
	return evaler
}

// goRedisWaiter is a client that knows the server which a key is on.
type goRedisWaiter struct {
	goRedisSubscriber

	master func(ctx context.Context, key string) (*redis.Client, error)
}

// EvalWait implements [ReplicaWaiter].
func (g *goRedisWaiter) EvalWait(ctx context.Context, source string, keys, args []string, replicas int, timeout time.Duration) (reply any, have int, err error) {
	master, err := g.master(ctx, keys[0])
	if err != nil {
		return nil, 0, err
	}
	var result *redis.Cmd
	var waited *redis.IntCmd
	send := func(run func(pipe redis.Pipeliner) *redis.Cmd) error {
		_, err := master.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			result, waited = run(pipe), redis.NewIntCmd(ctx, "WAIT", replicas, timeout.Milliseconds())
			return pipe.Process(ctx, waited)
		})
		return err
	}
	script := g.script(source)
	err = send(func(pipe redis.Pipeliner) *redis.Cmd { return script.EvalSha(ctx, pipe, keys, values(args)...) })
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		err = send(func(pipe redis.Pipeliner) *redis.Cmd { return script.Eval(ctx, pipe, keys, values(args)...) })
	}
	if err != nil {
		return nil, 0, g.note(ctx, err)
	}
	return result.Val(), int(waited.Val()), nil
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
	closes := context.AfterFunc(ctx, func() { subscription.Close() }) //nolint:errcheck // It is not needed any more.
	defer closes()
	defer subscription.Close() //nolint:errcheck // Neither.
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
	client      redis.Scripter
	scripts     sync.Map                  // By source, so that each is hashed once.
	unreachable func(ctx context.Context) // Looks for another server. Nil for none.
}

func (g *goRedis) Eval(ctx context.Context, source string, keys, args []string) (any, error) {
	reply, err := g.script(source).Run(ctx, g.client, keys, values(args)...).Result()
	return reply, g.note(ctx, err)
}

// note has a cluster's client look for the new master where the old one cannot be
// reached. By itself, it does so only when a server sends it elsewhere.
func (g *goRedis) note(ctx context.Context, err error) error {
	var answered redis.Error
	if err != nil && g.unreachable != nil && !errors.As(err, &answered) {
		g.unreachable(ctx)
	}
	return err
}

func (g *goRedis) script(source string) *redis.Script {
	script, ok := g.scripts.Load(source)
	if !ok {
		script, _ = g.scripts.LoadOrStore(source, redis.NewScript(source))
	}
	return script.(*redis.Script) //nolint:forcetypeassert // The map holds nothing else.
}

func values(args []string) []any {
	values := make([]any, len(args))
	for i, arg := range args {
		values[i] = arg
	}
	return values
}
