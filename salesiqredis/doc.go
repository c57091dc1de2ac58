// Package salesiqredis lets the processes of one organization share what the
// service counts for all of them together: calls, tokens and events. It does so
// through Redis or Valkey, version 6.2 or later.
//
// An [Organization] is made once in each process:
//
//	organization, err := salesiqredis.New(client, "acme", salesiqredis.WithPlan(salesiq.Enterprise()))
//	client, err := salesiq.NewClient(
//		salesiq.RefreshToken(credentials, salesiq.SealTokens(organization.TokenStore(), key)),
//		salesiq.WithLimiter(organization.Limiter()),
//	)
//	sink, err := organization.Sink()
//	receiver, err := webhook.NewReceiver(verifier,
//		webhook.WithDedupStore(organization.DedupStore()),
//		webhook.WithSink(sink),
//	)
//
// # Which function to use
//
//   - To share the rate limit, use [Organization.Limiter], with [WithPlan] or
//     without.
//   - To share one access token, use [Organization.TokenStore] with
//     [salesiq.SealTokens].
//   - To handle each event in one process only, use [Organization.DedupStore].
//   - To keep events until they are handled, use [Organization.Sink], and
//     [Sink.Run] in the processes that handle them.
//   - To choose what happens while Redis is away, use [WithLimiterAway] and
//     [WithTokenAway].
//   - To use another library than go-redis, use [NewWith].
//
// # Quota
//
// The [Organization.Limiter] keeps the same account that a client keeps for
// itself, but for all processes: calls at once, calls a minute as the service's
// headers tell, calls a day. It does so in a script, by the clock of Redis, so
// that the clocks of the processes do not matter. A call costs two round trips,
// one before it and one after, and less where the end of one can fetch the
// permission for the next; who waits for a window asks once more. Where calls of
// several processes wait for a slot, the processes share the slots evenly.
//
// A process that is killed gives its slots back when their lease ends
// ([WithLease]).
//
// # Redis is away
//
// A script that takes longer than [WithTimeout], or fails, opens a circuit
// breaker: calls do not wait for Redis any more. A probe in the background, begun
// by those who would like to use it, finds out when it answers again. Each use of
// Redis has a breaker of its own. In the meantime:
//
//   - calls go on, each process by its own account of its share: the plan and the
//     calls at once, divided by the number of processes that were seen last
//     ([WithProcesses], [WithLimiterAway]). Some are refused by the service, which
//     clients retry. Calls that wait come back to Redis as soon as it answers.
//   - the token that a process has is used on. One that has expired, or that a
//     process begins without, is renewed by each process for itself, after a
//     random pause ([WithTokenAway], [WithTokenJitter]);
//   - deduplication fails, and the receiver refuses events, so that the service
//     delivers them again, or handles them, at the risk of doing so twice
//     ([webhook.WithDedupFailure]);
//   - a [Sink] takes no events, so that the service delivers them again, and
//     [Sink.Run] waits.
//
// Redis may forget the account of the quota, which the next answers tell anew,
// save for the day's calls. It should not forget the events of a [Sink]: let it
// write them to disk (appendonly yes), and evict nothing (noeviction).
//
// # Keys
//
// All keys begin with salesiq:{organization}: and so lie in one slot of a cluster.
//
// Access to Redis is access to events, and to the quota. Tokens are sealed
// before they come here ([salesiq.SealTokens]). This user may do what the package
// needs, and no more:
//
//	ACL SETUSER salesiq on >password ~salesiq:* &salesiq:*
//	    +hello +auth +ping +client +eval +evalsha +wait +publish +pubsub +subscribe +unsubscribe
//	    +time +get +set +del +incrby +decrby +pexpire +hset +hgetall
//	    +zadd +zcard +zrem +zrange +zrank +zscore +zrangebyscore +zremrangebyscore
//	    +xadd +xack +xdel +xlen +xrange +xreadgroup +xautoclaim +xclaim +xpending +xgroup +xinfo
//
// A client of a cluster also needs +cluster and +command.
//
// # Other clients
//
// [New] takes any client of go-redis. That library dials several times, retries,
// and writes to standard error by itself; while Redis is away, the options
// MaxRetries: -1 and DialerRetries: 1, and its SetLogger, make that less. All
// waiting of this package is bounded without them.
//
// [NewWith] takes anything that can run a script. This is all that it takes for
// valkey-go, and, with other names, rueidis:
//
//	type evaler struct{ client valkey.Client }
//
//	func (e evaler) Eval(ctx context.Context, script string, keys, args []string) (any, error) {
//		return valkey.NewLuaScript(script).Exec(ctx, e.client, keys, args).ToAny()
//	}
//
// # Versions
//
// This module builds on the public API of github.com/salesiq-go/salesiq: a newer
// version of that will do. The processes of an organization should use the same
// version of this module, since each brings the scripts.
package salesiqredis
