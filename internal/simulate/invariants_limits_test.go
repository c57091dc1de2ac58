package simulate

import (
	"net/http"
	"slices"
	"time"
)

// disturbs notes why 429s may come for a while, and for how long tokens count that programs
// have requested without knowing of each other.
func (w *world) disturbs(s step) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch s.Kind {
	case "limit", "opened-window", "sliding-window", "no-headers", "clock", "storm", "kill", "restart":
		w.disturbed[s.Kind] = time.Now().Add(150 * time.Second)
	}
	if s.Kind == "token-disk" {
		w.apart = later(w.apart, time.Now().Add(s.For+10*time.Minute))
	}
	if s.Kind == "kill" || s.Kind == "clock" {
		w.disturbed["day"] = time.Now().Truncate(24 * time.Hour).Add(25 * time.Hour)
	}
}

// refuses checks that there is a reason for a refusal of the rate limit.
func (w *world) refuses(p *process, minute bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tell("refused", p.name)
	explained := !minute && time.Now().Before(w.disturbed["day"])
	for kind, until := range w.disturbed {
		explained = explained || kind != "day" && (time.Now().Before(until) || w.going(kind, "all"))
	}
	w.holds("no 429 that nothing explains", explained, "to %s, of the minute: %v", p.name, minute)
}

func (w *world) requestsToken(p *process, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	w.tell("token", p.name)
	times := slices.DeleteFunc(w.tokenTimes[p], func(t time.Time) bool { return now.Sub(t) >= 10*time.Minute })
	w.tokenTimes[p] = append(times, now)
	w.holds("no more tokens than allowed", len(w.tokenTimes[p]) <= 10, "%d requests of %s in ten minutes", len(w.tokenTimes[p]), p.name)
	w.holds("no token while it is denied", now.Sub(w.denied[p]) >= 10*time.Minute, "%s asks %v after it was denied", p.name, now.Sub(w.denied[p]))
	w.holds("nothing goes elsewhere", r.Header.Get("Authorization") == "", "an access token at the OAuth server")
}

func (w *world) givesToken(p *process, refused string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tokens++
	if refused == "" && (w.mayBreak(p) || w.going("kill", p.name)) {
		w.apart = later(w.apart, time.Now().Add(10*time.Minute)) // Others may not hear of it.
	}
	if refused == "Access Denied" {
		if !w.mayBreak(p) {
			w.denied[p] = time.Now()
		}
		explained := w.going("oauth-denied", "all") || time.Now().Before(w.apart)
		w.holds("no more tokens than allowed", explained, "the OAuth server denies %s a token", p.name)
		w.guard.Lock() // It asks for none in the next ten minutes.
		w.lastEnds = later(w.lastEnds, time.Now().Add(10*time.Minute+30*time.Second))
		w.guard.Unlock()
	}
	// Of calm, a token is requested when the last one expires, which takes an hour, or was
	// revoked.
	if w.calm() && p.alive() && p.name != clerk {
		now := time.Now()
		w.calmTokens = append(slices.DeleteFunc(w.calmTokens, func(t time.Time) bool { return now.Sub(t) > 30*time.Minute }), now)
		w.revocations = slices.DeleteFunc(w.revocations, func(t time.Time) bool { return now.Sub(t) > 40*time.Minute })
		w.holds("one token for all programs", len(w.calmTokens) <= 1+len(w.revocations), "%d requests within half an hour of calm, and %d revocations",
			len(w.calmTokens), len(w.revocations))
	}
}

// mayBreak reports whether what a process is told may get lost on the way.
func (w *world) mayBreak(p *process) bool {
	return slices.ContainsFunc(kindsOfBreak, func(kind string) bool { return w.going(kind, p.name) })
}

func (w *world) revokes() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.revocations = append(w.revocations, time.Now())
}
