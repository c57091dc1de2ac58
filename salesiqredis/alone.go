package salesiqredis

import (
	"context"
	"errors"
	"time"

	"github.com/salesiq-go/salesiq"
)

// share is the part of the limits that a process has while it is alone.
type share struct {
	limits  limits
	limiter *salesiq.SharedLimiter
	began   salesiq.DailyQuota // What the share before it left of the day; zero if it is the first.
	heard   time.Time          // When Redis said what is left of the day that the share keeps to.
	told    int                // Calls of the day that Redis knows of,
	ends    time.Time          // which ends then.
}

// heed leaves no more of the day than the part of what Redis has said is left.
func (s *share) heed(o outlook, now time.Time) {
	if s.heard.Equal(o.heard) || !now.Before(o.midnight) {
		return
	}
	s.heard = o.heard
	s.unheard()
	if others := s.limiter.DailyQuota().Left - partOf(o.left, o.processes); others > 0 {
		s.limiter.ResumeDay(salesiq.DailyQuota{Limit: others, Reset: o.midnight}) //nolint:errcheck // It can be.
		s.told += others
	}
}

// unheard returns how many calls of the day Redis does not know of. They are fewer than
// none if calls that it was told of turned out not to count.
func (s *share) unheard() int {
	day := s.limiter.DailyQuota()
	if day.Reset.Sub(s.ends) > 12*time.Hour {
		s.told = 0
	}
	s.ends = day.Reset
	return day.Limit - day.Left - s.told
}

// day returns what is left of the day. A limit that is smaller than the calls before it
// does not tell how many those were.
func (s *share) day(now time.Time) salesiq.DailyQuota {
	day := s.limiter.DailyQuota()
	if day.Left == 0 && s.began.Limit-s.began.Left > day.Limit && now.Before(s.began.Reset) {
		return s.began
	}
	return day
}

// limits are those of an organization, or a part of them. Zero is no limit.
type limits struct {
	PerMinute int
	PerDay    int
	InFlight  int
}

// acquireAlone waits for a call within this process's share. It returns nothing
// if Redis answers again before that. A share that is spent is no reason to fail:
// Redis may answer in time. But it is in vain if Redis has said that the day is spent.
func (l *limiter) acquireAlone(ctx context.Context, w *wait) (salesiq.Lease, error) {
	bounded, cancel := context.WithDeadline(ctx, w.latest)
	defer cancel()
	back, answers := context.WithCancel(bounded)
	defer answers()
	go func() {
		l.link.untilBack(bounded)
		answers()
	}()
	lease, refusal := l.acquireShare(back)
	refused, _ := errors.AsType[*salesiq.Error](refusal)
	switch {
	case lease != nil:
		return lease, nil
	case errors.Is(refusal, salesiq.ErrDailyLimit) && l.outlook().dayIsSpent(time.Now()):
		return nil, refused
	}
	<-back.Done()
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return nil, context.Cause(ctx)
	case bounded.Err() == nil:
		return nil, nil // Redis answers.
	case refused != nil:
		return nil, refused
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	return nil, w.held(w.latest, false)
}

// acquireShare waits for a call within this process's share, when it is its turn.
func (l *limiter) acquireShare(ctx context.Context) (salesiq.Lease, error) {
	for {
		own, turn, err := l.ownShare(time.Now())
		if own != nil {
			return own.Acquire(ctx)
		}
		if err != nil {
			return nil, err
		}
		select {
		case <-time.After(time.Until(turn)):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// ownShare returns the limiter for calls that go alone, or when there is one. It
// goes on with the account of the last time. If the share is another by now, it goes on
// with the day of that, where calls under way count whatever becomes of them.
func (l *limiter) ownShare(now time.Time) (own salesiq.Limiter, turn time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	part, groups := l.shareOf(l.last)
	if turn = l.turn(now, groups); turn.After(now) {
		return nil, turn, nil
	}
	if l.alone == nil || l.alone.limits != part {
		next := &share{limits: part}
		if next.limiter, err = part.limiter(l.maxWait); err != nil {
			return nil, turn, err
		}
		if l.alone != nil {
			next.began = l.alone.day(now)
			next.limiter.ResumeDay(next.began) //nolint:errcheck // It is a day of a limiter.
			next.told = next.unheard()
		}
		l.alone = next
	}
	l.alone.heed(l.last, now)
	return l.alone.limiter, turn, nil
}

// shareOf returns the part of a process, and how many groups of processes take
// turns since there is not a call for each.
func (l *limiter) shareOf(o outlook) (part limits, groups int) {
	whole, processes := l.limits(), l.processes
	if o.processes > 0 {
		whole.PerMinute, processes = o.size, o.processes
	}
	groups = 1
	for _, most := range []int{whole.PerMinute, whole.InFlight} {
		if most > 0 {
			groups = max(groups, (processes+most-1)/most)
		}
	}
	together := (processes + groups - 1) / groups
	return limits{
		PerMinute: partOf(whole.PerMinute, together),
		PerDay:    partOf(whole.PerDay, processes),
		InFlight:  partOf(whole.InFlight, together),
	}, groups
}

// turn returns when calls of this process may begin, in the first half of its
// turns: in the other half, they end. Turns are those of the clock.
func (l *limiter) turn(now time.Time, groups int) time.Time {
	if groups == 1 {
		return now
	}
	length := 2 * l.lease
	mine := time.Duration(l.last.rank%groups) * length
	round := time.Duration(groups) * length
	begin := now.Truncate(round).Add(mine)
	if begin.Add(length / 2).Before(now) {
		begin = begin.Add(round)
	}
	return begin
}

func partOf(whole, processes int) int {
	if whole == 0 {
		return 0
	}
	return max(1, whole/processes)
}

// wantsRank reports whether a process should know its place among the others, since
// they would have to take turns.
func (l *limiter) wantsRank() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, groups := l.shareOf(l.last); groups == 1 || time.Since(l.ranked) < rankFor {
		return false
	}
	l.ranked = time.Now()
	return true
}

// rankFor is how long a place among the other processes is as good as a new one.
const rankFor = 10 * time.Second

// limits are those of the organization, as far as the options tell.
func (c *config) limits() limits {
	return limits{PerMinute: c.plan.CallsPerMinute, PerDay: c.plan.CallsPerDay, InFlight: c.maxInFlight}
}

// limiter returns a limiter of one process that keeps to the limits.
func (l limits) limiter(maxWait time.Duration) (*salesiq.SharedLimiter, error) {
	plan := salesiq.Plan{CallsPerMinute: l.PerMinute, CallsPerDay: l.PerDay}
	return salesiq.NewLimiter(plan, salesiq.WithMaxInFlight(l.InFlight), salesiq.WithMaxWait(maxWait))
}
