package quota

import (
	"math"
	"time"
)

// minute is how long a window lasts, by the specification.
const minute = time.Minute

// window is what is known of the current window of the service.
type window struct {
	plan   int // Own calls per window; 0 for no limit.
	limit  int // Everybody's calls per window; 0 until the service has told.
	own    int // Own calls that count or may yet: those under way, and those that ended and still count.
	others int // Calls of others that count, as far as answers have shown.

	epoch      int       // Counts windows.
	probe      probe     // How far the call is that goes alone.
	mark       mark      // The reset that the window is known by.
	end        time.Time // By when others' calls stop counting; zero if nobody knows.
	beginsBy   beginsBy  // What windows begin with, which tells how exactly a reset names their end.
	forgetting           // When own calls stop counting: at end, too, if the method ends says so.
}

// stage is how much is known of the window: see the package documentation.
type stage int

const (
	fresh   stage = iota // The next call is the probe: probe.start.
	probing              // Calls wait for its answer: probe.holds.
	probed               // An answer has come: probe.note.
)

// probeWait is how long the others wait for a probe. It is there to learn from, not to hold
// everybody up.
const probeWait = 3 * time.Second

// probe is the first call of a window.
type probe struct {
	stage stage
	until time.Time // While it is under way: how long the others wait.
}

// start reports whether a call that is started now is the probe.
func (p *probe) start(now time.Time) bool {
	if p.stage != fresh {
		return false
	}
	p.stage, p.until = probing, now.Add(probeWait)
	return true
}

// holds reports whether calls wait for the answer to the probe.
func (p *probe) holds(now time.Time) bool { return p.stage == probing && now.Before(p.until) }

// note learns from the end of a call that was started in the window.
func (p *probe) note(e *callEnd) {
	if e.Answered {
		p.stage = probed
	} else if e.call.probe && p.stage == probing {
		p.stage = fresh
	}
}

// mark is the reset that answers have told last, by the service's clock. Windows are told
// apart by it.
type mark struct {
	reset   time.Time // Zero if none was ever told.
	current bool      // It is that of the current window, not of the one before.
}

// moved returns how much later than the mark the reset of an answer is.
func (m *mark) moved(e *callEnd) time.Duration { return e.Reset.Sub(m.reset) }

// matches reports whether an answer tells this reset, which may be rounded in another way.
func (m *mark) matches(e *callEnd) bool { return m.moved(e).Abs() <= resolution }

// free returns how many more calls may be started in the window.
func (w *window) free() int {
	free := math.MaxInt
	if w.limit > 0 {
		free = w.limit - w.own - w.others
	}
	if w.plan > 0 {
		free = min(free, w.plan-w.own)
	}
	return free
}

// size returns how many calls a new window grants, or 0 if that is not known.
func (w *window) size() int {
	if w.limit > 0 && w.plan > 0 {
		return min(w.limit, w.plan)
	}
	return max(w.limit, w.plan)
}

// earliest returns when a call can be started if ahead others go first.
func (w *window) earliest(now time.Time, ahead, underWay int) (at time.Time) {
	free, size := w.free(), w.size()
	switch {
	case ahead < free || size == 0:
		return now
	case !w.ends():
		at = w.placeAfter(now, ahead-free, w.own-underWay)
	case !w.end.IsZero():
		at = w.end.Add(time.Duration((ahead-max(0, free))/size) * minute)
	}
	return latest(now, at)
}

// start counts a call, and reports whether it is the probe.
func (w *window) start(now time.Time) (probe bool) {
	w.own++
	return w.probe.start(now)
}

// roll begins the next window when this one is over.
func (w *window) roll(now time.Time, underWay int) {
	w.recent.dropExpired(now)
	carried := underWay
	if !w.ends() {
		w.own = min(w.own, underWay+w.recent.total)
		carried = w.own
	}
	if !w.end.IsZero() && !now.Before(w.end) {
		w.next(carried)
	}
}

// next begins a window of which nothing is known but the calls that may be charged to it.
func (w *window) next(own int) {
	w.epoch++
	w.own, w.others = own, 0
	w.probe.stage, w.mark.current, w.end = fresh, false, time.Time{}
}

// settle accounts for the end of a call, and reports whether its answer is of the current
// window. The answer itself may have begun that window.
func (w *window) settle(e *callEnd) (current bool) {
	if e.call.epoch == w.epoch {
		w.probe.note(e)
	}
	if e.Known {
		w.limit = e.Limit
	}
	if e.Sent {
		w.learnCounting(e)
		current = w.follow(e)
		if !e.Refused {
			w.recent.add(e.now)
		}
	}
	if !current || e.Refused {
		w.own-- // It was counted in case that the service would count it in this window.
	}
	if current && e.Known {
		w.countOthers(e)
	}
	return current
}

// follow finds out which window an answer is of, and reports whether that is the current
// one. The first row that fits decides. Two resets are the same if they differ by a second
// at most.
//
//	reset of the answer                call began in    the answer is of
//	---------------------------------  ---------------  --------------------------------------
//	any, if the window slides          any              the only one there is
//	not told                           any              the current one
//	that of the current one            any              the current one
//	not later than the last one told   an older window  an older one
//	another, and that of the current   any              the current one, whose reset it tells
//	one was not told yet
//	another, and that of the current   any              the next one, which has begun early
//	one was told
func (w *window) follow(e *callEnd) (current bool) {
	switch {
	case w.counting == sliding:
	case e.Reset.IsZero():
		if !w.mark.current {
			w.counting = untold // Again, until an answer tells when the window ends.
		}
	case w.mark.current && w.mark.matches(e):
		if end := w.beginsBy.end(e); end.Before(w.end) {
			w.end = end // Date has whole seconds: an answer early in its second tells most.
		}
	case e.call.epoch < w.epoch && w.mark.moved(e) <= resolution:
		return false
	case !w.mark.current:
		w.identify(e)
	default:
		w.beginEarly(e)
		w.identify(e)
	}
	return true
}

// identify takes the reset of an answer for that of the current window, which was not known
// before.
func (w *window) identify(e *callEnd) {
	w.beginsBy.learn(e, w.isFirst(e), w.mark.matches(e))
	w.counting, w.mark = ending, mark{e.Reset, true}
	w.end = w.beginsBy.end(e)
	if e.Known {
		w.probe.stage = probed // The answer has told what a probe is to find out.
	}
}

// beginEarly begins the next window, whose reset an answer has told before the end of this
// one. The own calls in it are those under way and the one that was answered. All that the
// answer counts besides is taken for others', so a call under way may count twice.
//
// That is safe. But it wastes most of a window of a few seconds, whose first answer counts
// all calls that began together. So if the answer counts no more calls than are under way,
// others are at most as many as were known before, those of our own included.
func (w *window) beginEarly(e *callEnd) {
	known := w.recent.total + w.others
	w.next(e.underWay + 1)
	if !e.Known {
		return
	}
	if w.others = max(0, e.counted()); w.others <= e.underWay {
		w.others = min(w.others, known)
	}
}

// isFirst reports whether an answer is to the probe of this window.
func (w *window) isFirst(e *callEnd) bool { return e.call.probe && e.call.epoch == w.epoch }

// countOthers takes for others' what an answer counts beyond the own calls. Where windows
// end, these count until the end. Where they do not, these count for a minute, since nobody
// knows when they were made.
//
// A refusal without a reset says that the window is full, but not for how long. It is heeded
// only if own calls expire one by one, and some will: the first that does frees a place.
// Otherwise it would close the window until its end or for a minute, maybe for nothing, and
// the account pauses for a second or more instead.
func (w *window) countOthers(e *callEnd) {
	if e.Throttled && e.Reset.IsZero() && (w.ends() || w.own == e.underWay) {
		return
	}
	others := max(0, w.limit-e.Remaining-w.own)
	if w.ends() {
		w.others = max(w.others, others)
	} else if others >= w.others {
		w.others, w.end = others, e.now.Add(minute)
	}
}
