package simulate

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
)

type call struct {
	process       *process
	operation     string
	began, latest time.Time
	canceled      bool
}

// haste is how late a call may end.
const haste = 5 * time.Millisecond

// dayOf is what a program has kept of its day.
func (w *world) dayOf(program string) salesiq.DailyQuota {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.days[program]
}

func (w *world) begins(c *call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.underWay[c] = true
}

// returns checks what a call has come to.
func (w *world) returns(c *call, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.underWay, c)
	if !c.process.alive() {
		return
	}
	w.days[c.process.name] = c.process.limiter.DailyQuota()
	w.calls++
	if err == nil {
		w.succeeded++
	}
	now := time.Now()
	w.tell("call", fmt.Sprintf("%s %s %v %v", c.process.name, c.operation, now.Sub(c.began), outcome(err)))
	w.holds("a call ends in time", !now.After(c.latest.Add(haste)), "%s of %s, %v late: %v", c.operation, c.process.name, now.Sub(c.latest), err)
	calm := w.calmSince(c.began) && !c.canceled && c.process.context.Err() == nil
	if calm {
		w.hasThroughput(c)
	}
	if err == nil {
		return
	}
	w.checkError(err)
	e, _ := errors.AsType[*salesiq.Error](err)
	if !calm || e == nil {
		return
	}
	w.holds("calls succeed in calm", w.isFair(c.process, e), "%s of %s: %v", c.operation, c.process.name, err)
}

// isFair reports whether an error is no fault of the way to the service: the service
// has refused the call for what it asks, or the program has used up its share.
func (w *world) isFair(p *process, e *salesiq.Error) bool {
	switch {
	case errors.Is(e, salesiq.ErrChatNotActive), errors.Is(e, salesiq.ErrResourceNotFound):
		return true
	case errors.Is(e, salesiq.ErrDailyLimit):
		return w.mayBeUsedUp(p.name)
	case errors.Is(e, salesiq.ErrRateLimitExceeded):
		in := time.Until(e.RetryAt)
		return in >= 0 && in <= w.longestWait(p) && p.name != batch
	}
	return errors.Is(e, salesiq.ErrIncomplete)
}

// throughput is how many calls of a program there are in a minute at least, if it has some
// to make.
func throughput(program string) float64 {
	if program == batch {
		return 2 // Of the 20 of all, others may make 13, and the batch leaves 4.
	}
	return .7 * float64(shares[program].perMinute)
}

// hasThroughput checks that a call has waited for no longer than the limit explains: while
// it did, others were made, most of those of a minute when it begins.
func (w *world) hasThroughput(c *call) {
	took := time.Since(c.began)
	minutes := int((took - 5*time.Second) / time.Minute)
	if minutes < 1 || w.mayBeUsedUp(c.process.name) {
		return
	}
	made := 0
	for _, at := range w.recent[c.process] {
		if !at.Before(c.began) {
			made++
		}
	}
	w.holds("throughput is back", made >= int(float64(minutes)*throughput(c.process.name)), "%s of %s took %v, with %d requests meanwhile",
		c.operation, c.process.name, took, made)
}

// longestWait is when a program has a place for the last of the calls that wait.
func (w *world) longestWait(p *process) time.Duration {
	waiting := 1
	for c := range w.underWay {
		if c.process == p {
			waiting++
		}
	}
	return 2*time.Minute + time.Duration(float64(waiting)/throughput(p.name)*float64(time.Minute))
}

// mayBeUsedUp reports whether a program may have no calls left on this day.
func (w *world) mayBeUsedUp(program string) bool {
	return nearsLimit(program, w.asked[program]) || time.Now().Before(w.newDay(program))
}

// newDay is until when a program may have no calls left of the day before; zero if it had
// some.
func (w *world) newDay(program string) (at time.Time) {
	if nearsLimit(program, w.askedBefore[program]) {
		at = time.Now().Truncate(24 * time.Hour).Add(dayMayBeOff)
	}
	return at
}

func nearsLimit(program string, asked int) bool {
	most := shares[program].perDay
	if program == batch {
		most = most * 4 / 5
	}
	return asked >= most*3/4
}

func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	e, _ := errors.AsType[*salesiq.Error](err)
	if e == nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %s %d attempts, maybe processed %v", e.StatusCode, e.Code, e.Attempts, e.MaybeProcessed)
}

// checkError checks that an error is one of the documented ones, and shows no secret.
func (w *world) checkError(err error) {
	e, typed := errors.AsType[*salesiq.Error](err)
	_, input := errors.AsType[*salesiq.InputError](err)
	w.holds("an error is typed and has no secret", typed || input, "%T: %v", err, err)
	shown := fmt.Sprintf("%v\n%+v\n%#v", err, err, err)
	if e != nil {
		data, _ := json.Marshal(e)
		shown += string(data) + e.LogValue().String() + e.LogFields().String()
	}
	for _, secret := range []string{clientSecret, refreshToken, webhookSecret} {
		w.holds("an error is typed and has no secret", !strings.Contains(shown, secret), "%s", shown)
	}
	w.holds("an error is typed and has no secret", !strings.Contains(shown, "oauthtoken 1000."), "%s", shown)
}
