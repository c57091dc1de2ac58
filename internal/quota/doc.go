// Package quota keeps account of the service's limits: so many calls in a window of a
// minute, so many a day, so many at once. It is arithmetic on what its caller reports, and
// knows no network and no lock, and reads no clock: times are handed in. A fourth limit, so
// many a second (WithRateLimit), is a rate.Limiter beside the account, in the queue.
//
// A call may start ([Account.Ready]) if the window, the day, the slots and the pause all
// let it. The end of a call ([Account.End]) teaches them what its answer tells.
//
// Read account.go, window.go and limits.go, in this order, and in clock.go the table of
// clock.read, which says when a reset is believed. The headers, their units and the
// RetryAt of a report are in internal/transport/ratewindow.go. To read the tables alone:
//
//	go doc -u ./internal/quota window.follow
//	go doc -u ./internal/quota clock.read
//
// Skip sliding.go and recent.go at first. They are for services whose window slides, or who
// do not tell when it ends. Assume that windows end (window.ends is true) as soon as an answer
// has told a reset. Before that, each own call counts until a minute after its end.
//
// # A window
//
//	stage    what has happened        what calls do
//	fresh    nothing is known of it   the first one goes alone, as a probe
//	probing  the probe is under way   they wait for its answer; after 3 s, all that are free go
//	probed   an answer has come       they go as long as some are free
//
// A probe that gets no answer leaves the window fresh. A window ends as its reset tells: at
// that second, if windows begin with the minutes of the service's clock, or else a second
// later, for what the reset has been rounded by (beginsBy). The next one is fresh; or it is
// probed, if an answer has told its reset and what remains already.
//
// If a call in a new window ends without a reset, nobody knows when that window ends, and it
// is as before the first reset: each own call counts until a minute after its end. That is
// safe however the service counts, and loses no call. An answer with a reset begins windows
// again.
//
// # What counts
//
// A call counts from its start. Its end takes it back if it was not sent, or if the service
// refused it, as one too many (429) or for its token (401, whatever its code: Outcome.report
// in internal/transport/limit.go). The next window begins with the calls that are under way:
// they count there until their answers tell which window they are of.
// A call that waits for its token has started already: it has a slot, and counts. Requests for
// tokens go to another server, and cost nothing here.
//
// Free is the limit, less the own calls that count, less those of others; and no more than
// the plan, less the own. Others are what an answer counts beyond the own calls. An example,
// of 20 calls a minute:
//
//	 0.0 s  fresh   Six calls come. One goes, five wait.
//	 0.2 s  probed  Its answer: 3 of 20 remain, and the reset is in 12 s. Own is 1, so others is 16.
//	                Three are free: three go, two wait.
//	 0.4 s  probed  Their answers: 2, 1 and 0 remain. Own is 4, and others still 16.
//	13.2 s  fresh   The window is over: 12 s after that answer, and a second for what the reset
//	                has been rounded by. One of the two goes.
//
// # A 429
//
// So is called here any answer that refuses a call as one too many: by the status, or by the
// code RATE_LIMIT_EXCEEDED under any other one. The live service's code 1023, for a client
// whose address it has locked, is a 429 that tells the time: it pauses a minute.
//
// If its reset is that of an older window, a 429 changes neither the slots, which are the
// calls at once, nor the pause. Only the call itself waits for its Retry-After (pause in
// internal/transport/retry.go). Otherwise it does two things, and in each table the first
// row that fits decides.
//
//	the 429                                   what happens to the slots
//	none remain, and it tells the reset       nothing: none are free until the window ends
//	its call was under way already when       nothing: it tells nothing new
//	a 429 halved them last
//	any other                                 half of them are left, one at least
//
//	the 429                                   how long nobody calls: the pause
//	it tells a time: Retry-After, or the      until then
//	reset unless calls remain
//	it halves the slots, and does not tell    1 s, the next time 2, 4 … 60 s
//	that calls remain
//	any other                                 no time at all
//
// Each round of answers that are no 429 opens one more slot. After the first of them, the
// pause begins with 1 s again.
//
// # Who shares an account
//
// An account belongs to a queue (internal/transport/queue.go), which has the lock and the
// calls that wait. In ratelimit.go of the root, newLimiter gives a client a queue of its
// own, or one that NewLimiter has made for several clients. A batch has the same queue as
// the others, with the [Class] Batch, which leaves a fifth of each minute and day, but not of
// the calls at once. Clients of one process whose plans name one file (Plan.KeptIn) share the
// day alone ([Day], and dayFile in ratelimit.go), and a second process is refused. A limiter
// of the user's own takes the place of queue and account.
//
// Processes share an account in Redis, which salesiqredis/scripts/quota.lua keeps by the same
// rules; a test compares the two. Calls of all processes wait in one line of tickets there. A
// call has a lease, of 45 s unless told otherwise, which its process renews while the call is
// under way: that of a killed process ends. Its slot is free again then, the call counts as
// sent, and what its answer tells later is ignored. While Redis is away, each process has a
// share of the limits, and an account of its own; of the day, a part of what Redis said last is
// left, and Redis is told afterwards. Read quota.lua from "What the accounting of a single
// process need not know", then in salesiqredis limiter.go from Acquire, line.go and alone.go.
//
// # A call that waits
//
// It is refused at once if its turn would come after its deadline or the longest wait (two
// minutes for an attempt, unless told otherwise), and later on if its turn moves that far, or
// has not come by then. While Redis is away, a call that the share of its process has no room
// for waits for Redis until then; it is refused at once if Redis has said that the day is
// spent. If its context ends, it leaves the line, and gives back a lease that it was given
// meanwhile; in Redis by a message, or else when the lease ends.
//
// # The day and the service's clock
//
// A day ends at midnight UTC by the service's clock. Calls under way then count in the next
// day, too: nobody knows which one they are charged to. The Date of an answer tells the
// clock, and moves the end of the day (day.follow): it was written between the start and the
// end of its call, so that the Date of a download may be minutes old. Without a Date, the
// caller's clock is taken for it. A restart loses count and clock, unless a file keeps them
// (Account.Resume), or Redis, whose own clock is the caller's there.
//
// # A machine that sleeps
//
// The monotonic clock stands still then, the wall clock does not. But the wall clock can be
// set. So each time is by the one that errs less:
//
//	wall       the end of the day, of a token, of what a cache keeps; each time that users are
//	           told, such as RetryAt, since they may compare it, or keep it
//	monotonic  windows, pauses, probes and leases, which are counted from an answer and waited
//	           out here; and how long events are known, since too long is safe there.
//	           The end of a lease in Redis is by Redis' clock
//
// A wall time has lost its monotonic reading by Round(0).
package quota
