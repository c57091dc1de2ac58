// Package quota keeps account of the service's limits: so many calls in a
// window of a minute, so many a day, so many at once. It is arithmetic on what
// its caller reports, and knows no network, no clock and no lock.
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
//	fresh     no call was started in it   the first one goes alone
//	probing   the probe is under way      they wait for its answer, 3 s at most
//	probed    an answer has come          they go as long as some are free
//
// At its end, or when an answer tells that another window has begun, the next window
// is fresh.
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
package quota
