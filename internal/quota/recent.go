package quota

import "time"

// recent counts the calls that ended within the last minute, by the second that they
// ended in, rounded up. It is a ring: a second has the place of the one that is
// len(calls) earlier. That is a minute of seconds and the one that has begun.
type recent struct {
	from   time.Time // When seconds began to be counted.
	second int64     // How many have passed.
	calls  [lifetime + 1]int
	total  int
}

const (
	aSecond  = int64(time.Second)
	lifetime = 60 // Seconds after which a call expires.
)

// dropExpired drops the calls that have expired by now.
func (r *recent) dropExpired(now time.Time) {
	if r.from.IsZero() {
		r.from = now
	}
	second := int64(now.Sub(r.from)) / aSecond
	if second <= r.second {
		return
	}
	if r.total > 0 {
		for s := max(r.second, second-int64(len(r.calls))) + 1; s <= second; s++ {
			place := r.at(s - lifetime)
			r.total -= *place
			*place = 0
		}
	}
	r.second = second
}

// add counts a call that ends now.
func (r *recent) add(now time.Time) {
	*r.at((int64(now.Sub(r.from)) + aSecond - 1) / aSecond)++
	r.total++
}

// at returns the place of a second.
func (r *recent) at(second int64) *int {
	places := int64(len(r.calls))
	return &r.calls[(second+places)%places]
}

// expiry returns when a call expires. Calls are numbered from 0 in the order in which
// they do.
func (r *recent) expiry(n int) time.Time {
	second := r.second + 1 - lifetime
	for ; n >= *r.at(second); second++ {
		n -= *r.at(second)
	}
	return r.from.Add(time.Duration(second+lifetime) * time.Second)
}

// soon is in how many seconds a call may be gone at the service already: its clock,
// the way there and the rounding differ by that at most.
const soon = 4

// lasting returns how many calls do not expire soon.
func (r *recent) lasting() int {
	n := r.total
	for s := r.second + 1; s <= r.second+soon; s++ {
		n -= *r.at(s - lifetime)
	}
	return n
}
