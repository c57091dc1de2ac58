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
