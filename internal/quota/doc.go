// Package quota keeps account of the service's limits: so many calls in a window of a
// minute, so many a day, so many at once. It is arithmetic on what its caller reports, and
// knows no network, no clock and no lock.
//
// A call may start ([Account.Ready]) if the window, the day, the slots and the pause all
// let it. The end of a call ([Account.End]) teaches them what its answer tells.
//
// Read account.go, window.go and limits.go, in this order. Skip these at first:
//
//	clock.go                when exactly a window ends, although clocks differ
//	sliding.go, recent.go   services whose window slides: take window.ends for true
//
// # A window
//
//	stage    what has happened        what calls do
//	fresh    nothing is known of it   the first one goes alone, as a probe
//	probing  the probe is under way   they wait for its answer, 3 s at most
//	probed   an answer has come       they go as long as some are free
//
// A probe that gets no answer leaves the window fresh. A window ends as its reset tells,
// and the next one is fresh; or it is probed, if an answer has told its reset already.
//
// Free is the limit, less the own calls that count, less those of others. Others are what
// an answer counts beyond the own calls. An example, of 20 calls a minute:
//
//	 0.0 s  fresh   Six calls come. One goes, five wait.
//	 0.2 s  probed  Its answer: 3 of 20 remain, and the reset is in 12 s. Own is 1, so others is 16.
//	                Three are free: three go, two wait.
//	 0.4 s  probed  Their answers: 2, 1 and 0 remain. Own is 4, and others still 16.
//	13.2 s  fresh   The window is over: 12 s after that answer, and a second for what the reset
//	                has been rounded by. One of the two goes.
//
// # A refusal
//
// A call that the service refuses, as one too many (429) or for its token (401), is taken
// to have used none, unless what remains shows otherwise. After a 429 besides:
//
//	a time is told: Retry-After, or the   nobody calls until then: the pause
//	reset if no calls remain
//	calls remain                          half the slots, since there were too many at once
//	none remain, and the reset is told    none are free until the window ends
//	neither of these two is told          half the slots; and if no time is told either,
//	                                      nobody calls for 1 s, the next time for 2, 4 … 60 s
//
// # Who shares an account
//
// An account belongs to a queue (internal/transport/queue.go), which has the lock and the
// calls that wait. In ratelimit.go of the root, newLimiter gives a client a queue of its own,
// or one that NewLimiter has made for several clients. A batch has the same queue as the
// others, with the [Class] Batch. Processes share a limit in Redis: there,
// salesiqredis/scripts/quota.lua keeps the same account, and a test compares the two.
package quota
