// Package quota keeps account of the service's limits: so many calls in a window of a
// minute, so many a day, so many at once. It is arithmetic on what its caller reports, and
// knows no network, no clock and no lock.
//
// A call may start ([Account.Ready]) if the window, the day, the slots and the pause all
// let it. The end of a call ([Account.End]) teaches them what its answer tells.
//
// Read account.go, window.go and limits.go, in this order, and in clock.go the table of
// clock.read, which says when a reset is believed. Skip these at first:
//
//	sliding.go, recent.go   services whose window slides. Take ends for true as soon as an
//	                        answer has told a reset. Before that there are no windows: each
//	                        own call counts until a minute after its end
//
// # A window
//
//	stage    what has happened        what calls do
//	fresh    nothing is known of it   the first one goes alone, as a probe
//	probing  the probe is under way   they wait for its answer; after 3 s, all that are free go
//	probed   an answer has come       they go as long as some are free
//
// A probe that gets no answer leaves the window fresh. A window ends as its reset tells,
// and the next one is fresh; or it is probed, if an answer has told its reset already.
//
// # What counts
//
// A call counts from its start. Its end takes it back if it was not sent, or if the service
// refused it, as one too many (429) or for its token (401). The next window begins with the
// calls that are under way: they count there until their answers tell which window they are of.
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
// the calls at once. Processes share a limit in Redis: there, salesiqredis/scripts/quota.lua
// keeps the same account, and a test compares the two. Clients of one process whose plans name
// one file (Plan.KeptIn) share the day alone (dayFile in ratelimit.go), and a second process
// is refused. A limiter of the user's own takes the place of queue and account.
//
// # The day and the service's clock
//
// A day ends at midnight UTC by the service's clock. Calls under way then count in the next
// day, too: nobody knows which one they are charged to. The Date of an answer tells the
// clock, and moves the end of the day (day.follow); without a Date, the caller's clock is
// taken for it. A restart loses count and clock, unless a file keeps them (Account.Resume), or
// Redis, whose own clock is the caller's there.
package quota
