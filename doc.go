// Package salesiq is a client for the REST API of Zoho SalesIQ, live chat and
// visitor tracking.
//
// A [Client] is made once, from an [Authenticator] and options. Any number of
// goroutines may use it:
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
// The fields of a Client are its services: Chats, Visitors, Operators, Brands,
// Routing, Webhooks and Devices. Each method of a service is one endpoint.
//
// # Which function to use
//
//   - To sign in, give [RefreshToken], [TokenSource] or [StaticToken] to
//     [NewClient]. [NewClientFromEnv] reads the environment.
//   - To get a refresh token from a user for the first time, use [OAuth].
//   - To keep tokens between runs, use [FileTokenStore]. To keep them in a store of
//     your own, use [SealTokens].
//   - To reach an account outside of the US, use [WithDataCenter].
//   - To go through a list, use the All method of a service, such as
//     [ChatsService.All]. Its List method returns one page.
//   - To see who waits or talks now, use [ChatsService.AllOpen].
//   - To know how many items a list has while going through it, use [WithResponse].
//   - To keep all chats with their transcripts, every night those that are new, use
//     [ChatsService.Export]. To read other transcripts, use [ChatsService.Transcripts].
//   - To answer a visitor, use [ChatsService.SendMessage].
//   - To change some fields of an object and leave the others, use the Update
//     method of a service with [Set] and [Null].
//   - To tell errors apart, use [errors.Is] with a code such as
//     [ErrChatNotActive]. To decide what to do, use [KindOf], and [IsRetryable] where
//     only that counts.
//   - To see the status, header and body of an answer, use [WithResponse].
//   - To make a call that has no method, use [Client.Do].
//   - To let a POST be retried like a GET, use [WithIdempotent].
//   - To keep to what the service grants, use [WithPlan], with [Plan.KeptIn] for a day
//     that a restart does not begin anew. To let a batch wait behind interactive calls,
//     use [Client.Batch]. To share a plan among the clients of a process, use
//     [NewLimiter], whose plan may be KeptIn a file, too. To share it among processes,
//     use [WithLimiter] with package salesiqredis. The table in docs/calls.md tells which
//     of these go together.
//   - To know how many calls the day has left, use [Client.DailyQuota].
//   - To serve several accounts, make a client for each, and keep them in a map; the
//     example "Tenants" does so.
//   - To ask less often for what rarely changes, use [WithCache].
//   - To see or change each request, use [WithTransport], which keeps the client's own
//     pool of connections.
//   - To watch what a client does, use [WithLogger], which also tells of long waits, or
//     [WithTracer] with a tracer of your own, of package usage or of salesiqotel.
//
// # Other packages
//
//   - [github.com/salesiq-go/salesiq/webhook] receives events.
//   - [github.com/salesiq-go/salesiq/widget] puts the chat on a web page.
//   - [github.com/salesiq-go/salesiq/live] has the calls of the live service.
//   - [github.com/salesiq-go/salesiq/usage] counts what a client does.
//   - [github.com/salesiq-go/salesiq/salesiqtest] is a SalesIQ in memory, for tests.
//   - [github.com/salesiq-go/salesiq/salesiqbolt], a module of its own, keeps
//     events and the token in a file.
//   - [github.com/salesiq-go/salesiq/salesiqredis], a module of its own, shares
//     quota, tokens and events among processes.
//   - [github.com/salesiq-go/salesiq/salesiqotel], a module of its own, shows
//     what happens through OpenTelemetry.
//
// # Values
//
// Answers are plain Go values: time.Time for times, [Seconds] for durations, a
// pointer where the service may say null. A time that the service leaves out is
// zero. Enumerations are string types with constants for the documented values;
// other values are kept as they are. Fields that this package does not know are
// in each object's Extra.
//
// A program may keep objects with encoding/json and read them back whole, with any
// version of Go: unknown fields stand beside the others, as they came. Files that Go 1.26
// wrote with older versions of this package, which have them under the name Extra, are
// read as well. A struct that embeds an object is taken for that object alone: give the
// field a name, or embed a type such as "type chat salesiq.Chat". Of a [Secret], it writes
// "[redacted]", which is read back as an empty one: nothing is signed, verified or
// sent with the mask. What needs a secret refuses an empty one.
//
// A number in a field of type any, such as a custom field or one of
// [Error.Details], is a float64, or a [json.Number] where a float64 would lose
// digits. Times are read in any common notation. The text of one that cannot be read
// is in the body of the answer ([WithResponse]).
//
// Updates are made of [Opt] fields. The zero Opt leaves a field alone, [Set] sets
// it, also to zero, and [Null] clears it.
//
// # Errors
//
// A call that was made and failed returns an [*Error]. A call whose arguments
// were refused before any request returns an [*InputError]. The service's codes
// are constants, matched with [errors.Is]:
//
//	if errors.Is(err, salesiq.ErrChatNotActive) { … }
//
// Other conditions are sentinel errors, such as [ErrTransport] and [ErrAuth].
// No error holds a credential.
//
// An error may match several of them. [KindOf] says which counts: it sorts errors by what
// to do about them, into eight kinds for a switch. A library on top of a client need not
// have kinds of its own: it wraps errors with %w, and its callers ask KindOf.
//
//	switch salesiq.KindOf(err) {
//	case salesiq.ErrMaybeProcessed:    // Look whether it was done before repeating it.
//	case salesiq.ErrInvalidRequest:    // Change the arguments.
//	case salesiq.ErrResourceNotFound:  // There is nothing of that id.
//	case salesiq.ErrChatNotActive:     // The state does not allow it.
//	case salesiq.ErrPermissionDenied:  // Sign in with other scopes, or as another user.
//	case salesiq.ErrRateLimitExceeded: // Come back at Error.RetryAt.
//	case salesiq.ErrInternalError:     // Try again later.
//	case salesiq.ErrInvalidToken:      // Sign in again.
//	}
//
// [IsRetryable] tells whether the same call may succeed later. In a batch, the end of the
// context, [ErrRateLimitExceeded] and [ErrAuth] would meet all other calls, too, and end
// it. So does an outage: several failures in a row for which IsRetryable is true, such as
// five. Each of them has been tried four times. Other errors are about one object.
// [ChatsService.Export] ends by these rules.
//
// # Retries
//
// A request is sent up to four times ([WithMaxAttempts]), as long as the context
// lasts. What is retried depends on whether that could do something twice.
//
//   - GET, PUT and DELETE are retried after the statuses 408, 429, 500, 502, 503 and
//     504, after those that gateways use in their place (520 to 530 without 526, 598,
//     599), after a broken connection, and after an answer that was cut.
//   - POST and PATCH are retried only where the service surely did nothing: after
//     a 429 or the code [ErrRateLimitExceeded], after a 408 that has another code of
//     the service's, after an HTTP/2 stream that it refused, after an idle connection that it gave up with a 408, and after a
//     connection that never carried a byte (or, with a transport of
//     [WithHTTPClient], that never came about). Any other failure after which the
//     service may have acted is an error that matches [ErrMaybeProcessed], since a
//     visitor must not read the same answer twice. [WithIdempotent] lifts this for
//     one call.
//   - Any request is sent once more, with a new token, after the service refused
//     the token. Up to three times more, it is sent again after the token was out of
//     date: another process had stored it, or a newer one was there.
//   - Nothing is retried after other answers, after a certificate that is not
//     valid, after a TLS handshake that was refused, after a proxy refused to connect,
//     for a name that is not found, or where the context would end first.
//
// A 429 costs no attempt, since nothing was done. But once a call has sent as many requests
// as it has attempts, 429s end it two minutes ([WithMaxWait]) after the first one, or with
// its context. With one attempt, there is no retry but the one after a refused token.
//
// The pause before a retry is the one that the service asks for (Retry-After, or the reset
// of the rate limit). Where it asks for none, the pause is random: up to a second at first,
// up to twenty in the end. There is none after a refused token. Nor is there one after the
// first request of a call that the service has not read (it refused the HTTP/2 stream, or
// gave up the idle connection), or that package net/http was about to repeat (a GET whose
// kept connection ended). A pause longer than two minutes ([WithMaxWait]), or than the
// context lasts, is not begun: the call fails, and [Error.RetryAt] says when to come back.
//
// All calls of a Client share a budget of retries: a reserve of 20, and one for
// every five calls that succeed. In an outage, a hundred calls therefore cost at
// most 120 requests, not 400. Once the budget is spent, a call fails with its
// first failure. Retries for the rate limit are free, and those without a pause.
//
// A DELETE that was retried may end in [ErrResourceNotFound] although its first
// request did the work. [Error.Attempts] is above 1 then.
//
// Which failures are retried, and when, may become smarter without notice. That
// nothing is done twice will not change.
//
// # Limits
//
// The service grants an organization ten calls at once, and by its plan so many
// calls a minute and a day. A Client keeps account of all three. Rather than have
// a call refused, it makes the call wait. Who comes first is served first; a call that was
// refused nevertheless comes again.
//
//   - At once: ten calls ([WithMaxInFlight]), and fewer for a while after the
//     service found that too many.
//   - A minute: what the X-RateLimit headers of the answers say, so that the calls
//     of other programs count, too. [WithPlan] tells the limit before the first
//     answer. Waits follow the service's clock, so the clock of this machine may
//     be wrong. Other calls wait for the answer to the first one of a minute, which
//     says how many calls are left, but for three seconds at most.
//   - A day: what the plan grants, since no header tells it. Once the day is
//     spent, calls fail with [ErrDailyLimit].
//   - A second: as many as [WithRateLimit] says, if it is given.
//
// Where answers have no rate headers and there is no plan, only the calls at once
// are bounded. Each attempt counts. A wait that would exceed the context's
// deadline or [WithMaxWait] is not begun: the call fails at once with
// [ErrRateLimitExceeded] and the time to come back.
//
// A Client counts its own calls only. Where several of them, in one process or in
// many, work for one organization, give them a common [Limiter], or make one
// Client for all. With [WithCache], what rarely changes is asked for once in five
// minutes.
//
// Requests carry the token to the configured host only. Redirects are refused.
// Answers are bounded in size and number of values ([WithMaxBody]) and in time
// ([WithAttemptTimeout], [WithStallTimeout]).
//
// # The live service
//
// All of this follows the specification. What Zoho publishes about the live
// service differs. [WithPortal] puts the portal's name into the paths. Answers and
// errors in its notation are understood with and without that option, and an
// [Error] has its numbers under the specification's names.
//
// # Compatibility
//
// The package follows semantic versioning. Until version 1, a minor version may
// break code that uses it. New fields of structs, constants of enumerations and
// methods of services are not breaking changes; use field names in composite
// literals.
package salesiq
