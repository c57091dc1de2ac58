package quota

import "time"

// recent counts the calls that ended within the last minute, by the second.
type recent struct {
	from   time.Time // When seconds began to be counted.
	second int64     // How many have passed.
	calls  [61]int   // By the second that they ended in, rounded up; 61 seconds share a place.
	total  int
}

const (
	aSecond = int64(time.Second)
	aMinute = 60
)

// pass lets time pass, and returns how many calls have left.
func (r *recent) pass(now time.Time) (left int) {
	if r.from.IsZero() {
		r.from = now
	}
	second := int64(now.Sub(r.from)) / aSecond
	if second <= r.second {
		return 0
	}
	if r.total > 0 {
		for s := max(r.second, second-int64(len(r.calls))) + 1; s <= second; s++ {
			place := r.at(s - aMinute)
			left += *place
			*place = 0
		}
		r.total -= left
	}
	r.second = second
	return left
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

// leaves returns when the call has left that n others leave before.
func (r *recent) leaves(n int) time.Time {
	second := r.second + 1 - aMinute
	for ; n >= *r.at(second); second++ {
		n -= *r.at(second)
	}
	return r.from.Add(time.Duration(second+aMinute) * time.Second)
}

// lasting returns how many calls are there for some seconds more.
func (r *recent) lasting() int {
	n := r.total
	for s := r.second + 1; s < r.second+5; s++ {
		n -= *r.at(s - aMinute)
	}
	return n
}
