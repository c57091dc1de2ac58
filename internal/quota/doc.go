// Package quota keeps account of the service's limits: so many calls in a
// window of a minute, so many a day, so many at once. It is arithmetic on what
// its caller reports, and knows no network, no clock and no lock.
//
// An [Account] is made of parts. A call may start ([Account.Ready]) if all of them let it,
// and its end ([Account.End]) teaches them:
//
//	window   so many calls a minute: the service's limit and the plan   window.go, sliding.go, recent.go
//	day      so many calls a day, of the plan                           limits.go
//	slots    so many calls at once                                      limits.go
//	pause    nobody calls until then                                    limits.go
//	clock    the service's                                              limits.go
//
// Whoever does not want to know how the service is found to count skips sliding.go, and
// takes each window for one that ends.
//
// # Two clocks
//
// Every "now" is by the caller's clock; Reset and Date are by the service's. A time
// of one is never compared with a time of the other, so it does not matter if a
// clock is wrong. What counts is how long Reset is after Date: a window is taken to be
// over that long after its answer arrived, and a second more if windows do not begin by
// the clock, since Reset may stand for any moment of its second. No window is longer
// than a minute, unless its Reset is clearly further away. That is window.bound. If a
// service never tells a Date, its clock is taken to be the caller's,
// until a reset contradicts that.
//
// # How far a window is
//
// The first call of a window goes alone, as a probe: its answer tells what others
// have used. That is the type stage:
//
//	stage     what has happened           what calls do
//	fresh     nothing is known of it      the first call goes alone
//	probing   the probe is under way      they wait for its answer, 3 s at most
//	probed    an answer has come          they go as long as some are free
//
// When a window ends, the next one is fresh. If an answer tells that another window has
// begun, that answer has told what a probe would, and the window is probed.
//
// # How long a call counts
//
// Services count in two ways. With one, windows follow each other, and a call counts
// until its window ends. With the other, the window slides: it is the last minute,
// and a call expires a minute after it was made. No answer says which it is, so it is
// guessed. That is the type counting:
//
//	counting   an own call counts          the next one
//	untold     for a minute after its end  ending, once an answer tells a reset
//	ending     until the window ends       sliding, if the window should be a new one,
//	                                       and the service still counts old calls
//	sliding    for a minute after its end  ending, if the reset moves on, and the
//	                                       service has forgotten old calls
//
// Untold is safe either way, since no call counts for longer than a minute. The
// guesses between ending and sliding, and what a wrong one costs, are in sliding.go.
//
// # What is free
//
// What is free is the limit less the own calls that count, and less those of others.
// Others are what an answer counts beyond the own calls. While the window is ending,
// they count until its end. Otherwise they count for a minute, since nobody knows when
// they were made.
//
// If no answer tells a limit, only the plan bounds the window, and without a plan nothing
// does: what is left are the slots, and what follows.
//
// # What a refusal does
//
// A call that the service refuses as one too many (429) is taken to have used no call of
// the window or the day. Besides, all that fit of these apply:
//
//	the answer                             what follows
//	says when to come again                nobody calls until then
//	says that calls remain                 there were too many at once: half the slots, and
//	                                       one more with each round of other answers
//	says that none remain, and the reset   no other: the window has none free until its end
//	explains nothing                       half the slots; if it says no time either, nobody
//	                                       calls for 1 s, then 2, 4, and so on up to a minute
//
// That is Account.throttle. A refused call that waits its turn again is the business of
// package transport: it joins the queue at the end. Who shares an account is up to the
// clients that share a limiter (ratelimit.go of the root).
package quota
