package quota

import (
	"math"
	"time"
)

// Limits is what an account grants. Zero means no limit that is known.
type Limits struct {
	PerMinute int
	PerDay    int
	InFlight  int
}

// Call is a call that has been started. It is a receipt for [Account.End].
type Call struct {
	number int       // In the order of starting, from 1.
	began  time.Time // By the caller's clock.
	epoch  int       // The window that it was started in.
	probe  bool      // It went alone.
}

// Report is how a call ended.
type Report struct {
	Sent      bool // Some of the request may have reached the service.
	Answered  bool // The service, or something before it, gave an answer.
	Refused   bool // Turned away, and taken to have used no call; an answer's Remaining corrects that.
	Throttled bool // Refused for being one too many.

	Known     bool // Limit and Remaining were given.
	Limit     int
	Remaining int
	Reset     time.Time // End of the window by the service's clock; zero if not given.
	Date      time.Time // Of the answer, by the same clock; zero if not given.
	RetryAt   time.Time // When the service wants to be asked again, by the caller's clock; zero if not given.
}

// Counts reports whether the service counts the call.
func (r *Report) Counts() bool { return r.Sent && !r.Refused }

// Account is the state of all limits. Its methods must not be called
// concurrently.
type Account struct {
	window window
	slots  slots
	pause  pause
	perDay int // Calls that the day grants; 0 for no limit.
	day    *Day
	calls  int // Started so far.
	heeded int // How many of them had been when a refusal changed slots or pause last.
}

// NewSharing returns the account of someone who has not called yet. It counts its calls in
// a day that others may share. Their methods must not be called concurrently either.
func NewSharing(l Limits, d *Day) *Account {
	return &Account{
		window: window{plan: l.PerMinute},
		slots:  slots{most: l.InFlight, open: l.InFlight},
		perDay: l.PerDay,
		day:    d,
	}
}

// Ready reports whether a call of a class may be started now.
func (a *Account) Ready(now time.Time, c Class) bool {
	a.roll(now)
	return a.slots.free() && !now.Before(a.pause.until) && !a.Probing(now) &&
		a.window.free() > c.reserve(a.window.size()) && a.day.free(a.perDay) > c.reserve(a.perDay)
}

// Probing reports whether all wait for the answer to a call that went alone.
func (a *Account) Probing(now time.Time) bool { return a.window.probe.holds(now) }

// Start counts a call that is started now, which must be Ready.
func (a *Account) Start(now time.Time) Call {
	a.calls++
	a.slots.inFlight++
	a.day.start()
	return Call{number: a.calls, began: now, epoch: a.window.epoch, probe: a.window.start(now)}
}

// Cancel takes a call back that was started, but never made.
func (a *Account) Cancel(c Call, now time.Time) { a.End(c, Report{}, now) }

// callEnd is the end of a call, with an answer or without: its Report, and what End finds
// out about it.
type callEnd struct {
	Report

	call     Call
	now      time.Time
	underWay int           // Other calls.
	in       time.Duration // From now to Reset, by the clock that Reset is taken to be by.
	trusted  bool          // That clock is trusted, so that in is true: also the caller's, if no answer has told a Date.
}

// counted returns how many calls the service counts beside the one that it answers.
func (e *callEnd) counted() int {
	if e.Refused {
		return e.Limit - e.Remaining
	}
	return e.Limit - e.Remaining - 1
}

// End accounts for the end of a call.
func (a *Account) End(c Call, r Report, now time.Time) {
	a.roll(now)
	a.slots.inFlight--
	e := &callEnd{Report: r, call: c, now: now, underWay: a.slots.inFlight}
	a.day.settle(e)
	switch current := a.window.settle(e); {
	case !current || !r.Answered: // Of an older window, not even a RetryAt is heeded.
	case r.Throttled:
		a.throttle(e)
	default:
		a.slots.grow()
		a.pause.last = 0
	}
}

// throttle heeds a 429 of the current window, as the tables in the package documentation
// say. Of calls that were under way together, only the first refusal halves the slots: the
// others tell nothing new.
func (a *Account) throttle(e *callEnd) {
	a.pause.extend(e.RetryAt)
	windowIsSpent := e.Known && e.Remaining == 0 && !e.Reset.IsZero() // The window has noted that.
	if windowIsSpent || e.call.number <= a.heeded {
		return
	}
	a.heeded = a.calls
	a.slots.shrink()
	if e.Remaining == 0 && e.RetryAt.IsZero() {
		a.pause.grow(e.now)
	}
}

// PerWindow returns how many calls a window grants, [math.MaxInt] if answers
// speak of no limit, and whether that is known.
func (a *Account) PerWindow() (calls int, known bool) {
	if size := a.window.size(); size > 0 {
		return size, true
	}
	return math.MaxInt, a.window.probe.stage == probed
}

// Earliest returns the time before which a call of a class cannot be started if
// ahead others are to go first, and whether it is the day's limit that forbids it.
// It may take longer, for what others do and for calls that have to end first. It is
// sooner if calls under way turn out not to count.
func (a *Account) Earliest(now time.Time, ahead int, c Class) (at time.Time, daily bool) {
	a.roll(now)
	at = latest(now, a.pause.until, a.window.earliest(now, ahead+c.reserve(a.window.size()), a.slots.inFlight))
	if end := a.day.earliest(now, ahead+c.reserve(a.perDay), a.perDay); end.After(at) {
		return end, true
	}
	return at, false
}

// Look returns when to ask again whether the account is Ready for a class. If that
// is not after now, there is no time to wait for: ask when a call has ended.
func (a *Account) Look(now time.Time, c Class) time.Time {
	at, _ := a.Earliest(now, 0, c)
	if a.Probing(now) {
		at = latest(at, a.window.probe.until)
	}
	return at
}

// Today returns how many calls the day has, how many of them are left, and when
// it is over. All are zero if there is no limit.
func (a *Account) Today(now time.Time) (limit, left int, end time.Time) {
	a.roll(now)
	if a.perDay == 0 {
		return 0, 0, time.Time{}
	}
	return a.perDay, max(0, a.day.free(a.perDay)), a.day.end
}

// Resume is that of [Day]. It changes nothing without a limit.
func (a *Account) Resume(now time.Time, used int, end time.Time) {
	if a.perDay > 0 {
		a.day.Resume(now, used, end)
	}
}

// roll begins what is due to begin.
func (a *Account) roll(now time.Time) {
	a.window.roll(now, a.slots.inFlight)
	a.day.roll(now)
}
