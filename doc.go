// Package salesiq is a client for Zoho SalesIQ: live chat, visitor tracking,
// and what surrounds them.
//
// A [Client] is made once, from an [Authenticator] and options, and used by any
// number of goroutines:
//
//	client, err := salesiq.NewClient(
//		salesiq.RefreshToken(credentials, salesiq.FileTokenStore(path, key)),
//		salesiq.WithDataCenter(salesiq.EU),
//	)
//	for chat, err := range client.Chats.All(ctx, &salesiq.ChatListParams{Status: salesiq.ChatActive}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(chat.ID, chat.StartedAt)
//	}
//
// Its fields are the services: Chats, Visitors, Operators, Brands, Routing,
// Webhooks, Devices. [Client.Do] reaches whatever has no method of its own. To
// test code that uses a Client, run it against the server of package
// salesiqtest.
//
// # Values
//
// Answers are plain Go values: time.Time for times, [Seconds] for durations, a
// pointer where the service may say null. Enumerations are string types with
// constants for the documented values; unknown values are kept as they are.
// Fields that this package does not know are in each object's Extra.
//
// A program may keep objects with encoding/json and read them back whole. Until
// Go 1.26 it writes the unknown fields under the name Extra; from 1.27 on they
// stand beside the others, as they came. A [Secret] is not written.
//
// Updates are made of [Opt] fields, which tell "leave alone" from "set to
// nothing" from "clear": the zero Opt, [Set] and [Null].
//
// # Errors
//
// A call that was made and failed returns an [*Error]; one whose arguments were
// refused before any request returns an [*InputError]. The service's codes are
// constants, matched with [errors.Is]:
//
//	if errors.Is(err, salesiq.ErrChatNotActive) { … }
//
// Other conditions are sentinel errors, such as [ErrTransport] and [ErrAuth].
// [IsRetryable] tells whether the same call may succeed later. No error holds a
// credential.
//
// # Retries
//
// A request is sent up to four times ([WithMaxAttempts]), as long as the
// context lasts. What is repeated depends on whether that could do something
// twice.
//
//   - GET, PUT and DELETE are repeated after the statuses 408, 429, 500, 502, 503
//     and 504, those that gateways use in their place (520 to 530 without 526, 598,
//     599), after a broken connection, and after an answer that was cut.
//   - POST and PATCH are repeated only where the service surely did nothing:
//     after a 429, an HTTP/2 stream that it refused, an idle connection that it
//     gave up with a 408, and a connection that never carried a byte (or, with a
//     transport of [WithHTTPClient], never came about). Anything else comes back
//     as an error that matches [ErrMaybeProcessed], since a visitor must not read
//     the same answer twice. [WithIdempotent] lifts this for one call.
//   - Any request is repeated once, with a new token, after the service refused
//     the token.
//   - Nothing is repeated after other answers, after a certificate that is not
//     valid, a TLS handshake that was refused or a name that is not found, or where
//     the context would end first.
//
// The pause before a repetition is the one that the service asks for
// (Retry-After, or the reset of the rate limit), and otherwise random: up to a
// second at first, up to twenty in the end; there is none after a first request
// whose connection ended under it. A pause longer than two minutes
// ([WithMaxWait]), or than the context lasts, is not begun: the call fails, and
// [Error.RetryAt] says when to come back.
//
// Repetitions have a budget, which all calls of a Client share: a reserve of 20,
// and one for every five calls that succeed. So an outage costs a hundred calls
// at most 120 requests, not 400; once the reserve is spent, a call fails with its
// first failure. Repetitions for the rate limit, for a refused token and for a
// connection that ended under a first request are free.
//
// A DELETE that was repeated may end in [ErrResourceNotFound] although the first
// request did the work; [Error.Attempts] is above 1 then.
//
// Which failures are repeated, and when, may become smarter without notice; that
// nothing is done twice will not change.
//
// # Limits
//
// The service lets an organization make ten calls at once, and so many a minute
// and a day, by its plan. A Client keeps account of all three, and makes calls
// wait, first come, first served, rather than have them refused:
//
//   - at once: ten ([WithMaxInFlight]), and fewer for a while after the service
//     found that too many;
//   - a minute: what the X-RateLimit headers of the answers say, so that other
//     programs' calls are counted, too. [WithPlan] tells the limit before the
//     first answer. All waiting is by the service's clock, so that this
//     machine's may be wrong. The first call of a window goes alone, for three
//     seconds at most, unless an answer has told of the window;
//   - a day: the plan's, since no header tells it. A day that is spent ends in
//     [ErrDailyLimit];
//   - evenly, if [WithRateLimit] says so.
//
// Where answers have no rate headers and there is no plan, the calls at once are
// all that is bounded. Each attempt counts. A wait that would exceed the
// context's deadline or [WithMaxWait] is not begun: the call fails at once with
// [ErrRateLimitExceeded] and the time to come back.
//
// A Client counts its own calls only. Where several of them, in one process or in
// many, work for one organization, give them a common [Limiter], or make one
// Client for all.
// With [WithCache], what rarely changes is asked for once in five minutes.
//
// Requests carry the token to the configured host only. Redirects are refused.
// Answers are bounded in size and number of values ([WithMaxBody]) and in time
// ([WithAttemptTimeout], [WithStallTimeout]).
//
// # The live service
//
// All of this follows the specification. What Zoho publishes about the live
// service differs: [WithPortal] puts the portal's name into the paths, answers
// and errors of its notation are understood with and without it, package live
// has its calls, typed and free. An Error has its numbers under the specification's names.
//
// # Compatibility
//
// The package follows semantic versioning. Until version 1, a minor version may
// break code that uses it. Adding fields to structs, constants to enumerations and
// methods to services is not a breaking change; use field names in composite
// literals.
package salesiq
