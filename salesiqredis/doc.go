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
//   - To find out at the start whether Redis is set up well, use
//     [Organization.Check]; to watch it, [Organization.Health].
//   - To use another library than go-redis, use [NewWith].
//
// # Quota
//
// The [Organization.Limiter] keeps the same account that a client keeps for
// itself, but for all processes: calls at once, calls a minute as the service's
// headers tell, calls a day. It does so in a script, by the clock of Redis, so
// that the clocks of the processes do not matter. A call costs two round trips,
// one before it and one after.
//
// Calls of all processes that wait stand in one line, and the one that has waited
// longest goes next. Its process is told so by a message (PUBLISH). A process whose
// calls wait has a subscription for that, and until a second later. There is no batch
// here: [salesiq.Client.Batch] of a client with this limiter is the client itself.
//
// A process renews the leases of its calls while they are under way. One that is
// killed gives its slots back when their lease ends ([WithLease]): its calls count as
// sent.
//
// # Redis is away
//
// A script that takes longer than [WithTimeout], or fails, opens a circuit
// breaker: calls do not wait for Redis any more. A probe in the background, begun
// by those who would like to use it, finds out when it can be used again: it tries
// all commands that are needed. Each use of Redis has a breaker of its own: the
// limiter, the token, deduplication, and writing, reading and acknowledging events.
// In the meantime:
//
//   - calls go on, each process by its own account of its share: the plan and the
//     calls at once, divided by the number of processes that were seen last
//     ([WithProcesses], [WithLimiterAway]). Where there are more processes than
//     calls at once, they take turns of twice the lease, by their clocks. Some calls
//     are refused by the service, which clients retry. Calls that wait come back to
//     Redis as soon as it answers, also those that the share has no room for. Of the
//     day, a process has no more than its part of what Redis said last is left, and
//     tells Redis afterwards; a day that was spent by then is an error at once.
//   - the token that a process has is used on. One that has expired, or that a
//     process begins without, is renewed by each process for itself, after a
//     random pause ([WithTokenAway], [WithTokenJitter]), and ten seconds later if
//     Redis is silent and may yet answer;
//   - deduplication fails, and the receiver refuses events, so that the service
//     delivers them again, or handles them, at the risk of doing so twice
//     ([webhook.WithDedupFailure]);
//   - a [Sink] takes no events, so that the service delivers them again, and
//     [Sink.Run] waits. One that only takes no events, since it is full, is emptied.
//
// A Redis that answers, but refuses what is needed, is logged once with what to
// change, and is a [SetupError] of Check and Health.
//
// Redis may forget the account of the quota, which the next answers tell anew,
// save for the day's calls. It should not forget the events of a [Sink]: let it
// write them to disk (appendonly yes), evict nothing (noeviction), and, where a
// replica may take over, have it before they are accepted ([WithReplicas]).
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
//	    +time +exists +get +set +del +incrby +decrby +pexpire
//	    +hset +hget +hgetall +hincrby +hdel
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
// valkey-go, and, with other names, rueidis. The second method makes it a
// [Subscriber]:
//
//	type evaler struct{ client valkey.Client }
//
//	func (e evaler) Eval(ctx context.Context, script string, keys, args []string) (any, error) {
//		return valkey.NewLuaScript(script).Exec(ctx, e.client, keys, args).ToAny()
//	}
//
//	func (e evaler) Subscribe(ctx context.Context, channels []string, heard func(string)) error {
//		return e.client.Receive(ctx, e.client.B().Subscribe().Channel(channels...).Build(),
//			func(m valkey.PubSubMessage) { heard(m.Message) })
//	}
//
// # Versions
//
// This module builds on the public API of github.com/salesiq-go/salesiq: a newer
// version of that will do. The processes of an organization should use the same
// version of this module, since each brings the scripts.
package salesiqredis
