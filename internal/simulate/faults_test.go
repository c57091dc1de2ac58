package simulate

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// kind is a kind of fault.
type kind struct {
	weight   int           // How often it is drawn.
	personal bool          // It may befall one program alone.
	shortest time.Duration // How long it lasts.
	longest  time.Duration
	from, to float64 // The amount.

	// after is how long its consequences may last beyond its end. Calls that begin later
	// must succeed.
	after time.Duration
}

// kinds are all faults that there are. What each does is told where it is done.
var kinds = map[string]kind{
	// Below HTTP. The amount is the part of writes to a connection that are hit.
	"reset-before": {weight: 3, personal: true, shortest: 20 * time.Second, longest: 5 * time.Minute, from: .05, to: .6, after: 2 * time.Minute},
	"reset-within": {weight: 2, personal: true, shortest: 20 * time.Second, longest: 5 * time.Minute, from: .05, to: .5, after: 2 * time.Minute},
	"reset-after":  {weight: 3, personal: true, shortest: 20 * time.Second, longest: 5 * time.Minute, from: .05, to: .5, after: 2 * time.Minute},
	"half-answer":  {weight: 3, personal: true, shortest: 20 * time.Second, longest: 5 * time.Minute, from: .05, to: .5, after: 2 * time.Minute},
	"stall":        {weight: 2, personal: true, shortest: 20 * time.Second, longest: 3 * time.Minute, from: .05, to: .3, after: 3 * time.Minute},
	"silence":      {weight: 2, personal: true, shortest: 20 * time.Second, longest: 3 * time.Minute, from: .05, to: .3, after: 3 * time.Minute},
	"restart":      {weight: 2, shortest: 5 * time.Second, longest: 3 * time.Minute, from: 1, to: 1, after: 2 * time.Minute},

	// Of the service. The amount is the part of calls that are hit.
	"outage":       {weight: 3, personal: true, shortest: 20 * time.Second, longest: 10 * time.Minute, from: .2, to: 1, after: 2 * time.Minute},
	"breakdown":    {weight: 2, personal: true, shortest: 20 * time.Second, longest: 5 * time.Minute, from: .05, to: .5, after: 2 * time.Minute},
	"foreign-page": {weight: 2, personal: true, shortest: 20 * time.Second, longest: 5 * time.Minute, from: .05, to: .5, after: 2 * time.Minute},
	"empty-answer": {weight: 1, personal: true, shortest: 20 * time.Second, longest: 5 * time.Minute, from: .05, to: .3, after: 2 * time.Minute},
	"elsewhere":    {weight: 1, personal: true, shortest: 20 * time.Second, longest: 2 * time.Minute, from: .05, to: .5, after: time.Minute},
	"echo":         {weight: 2, personal: true, shortest: time.Minute, longest: 5 * time.Minute, from: .3, to: 1, after: 2 * time.Minute},
	"storm":        {weight: 3, shortest: 10 * time.Second, longest: 2 * time.Minute, from: .2, to: 1, after: 3 * time.Minute},
	"slow":         {weight: 2, shortest: time.Minute, longest: 10 * time.Minute, from: .1, to: 1, after: 2 * time.Minute},

	// Of its limits. The amount multiplies the limit, or is in minutes for the clock.
	"limit":          {weight: 2, shortest: 3 * time.Minute, longest: 2 * time.Hour, from: .3, to: 2, after: 3 * time.Minute},
	"opened-window":  {weight: 1, shortest: 10 * time.Minute, longest: 4 * time.Hour, from: 1, to: 1, after: 3 * time.Minute},
	"sliding-window": {weight: 1, shortest: 10 * time.Minute, longest: time.Hour, from: 1, to: 1, after: 3 * time.Minute},
	"no-headers":     {weight: 1, shortest: time.Minute, longest: 30 * time.Minute, from: 1, to: 1, after: 3 * time.Minute},
	"clock":          {weight: 2, shortest: time.Minute, longest: 2 * time.Hour, from: -90, to: 90, after: 3 * time.Minute},

	// Of tokens.
	"revoke":        {weight: 3, shortest: time.Second, longest: time.Second, from: 1, to: 1, after: 30 * time.Second},
	"region":        {weight: 1, personal: true, shortest: 20 * time.Second, longest: 5 * time.Minute, from: .3, to: 1, after: 12 * time.Minute},
	"oauth-outage":  {weight: 2, shortest: time.Minute, longest: 10 * time.Minute, from: .3, to: 1, after: 3 * time.Minute},
	"oauth-silence": {weight: 1, shortest: time.Minute, longest: 5 * time.Minute, from: .3, to: 1, after: 4 * time.Minute},
	"oauth-denied":  {weight: 1, shortest: time.Minute, longest: 3 * time.Minute, from: 1, to: 1, after: 22 * time.Minute},

	// Of programs and their disks. A process is killed when it has come to so many awaits.
	"kill":       {weight: 6, personal: true, shortest: 30 * time.Second, longest: 4 * time.Minute, from: 1, to: 12, after: 3 * time.Minute},
	"token-disk": {weight: 1, shortest: time.Minute, longest: 20 * time.Minute, from: 1, to: 1, after: 3 * time.Minute},
	"store":      {weight: 2, personal: true, shortest: time.Minute, longest: 10 * time.Minute, from: .1, to: .8, after: 6 * time.Minute},

	// Of deliveries and callers.
	"again":     {weight: 2, shortest: 5 * time.Minute, longest: 2 * time.Hour, from: .1, to: .5, after: 0},
	"late":      {weight: 2, shortest: 5 * time.Minute, longest: time.Hour, from: .1, to: .9, after: time.Minute},
	"lost-word": {weight: 2, shortest: 5 * time.Minute, longest: time.Hour, from: .1, to: .5, after: time.Minute},
	"cancel":    {weight: 2, personal: true, shortest: time.Minute, longest: 20 * time.Minute, from: .05, to: .5, after: 0},
	"crowd":     {weight: 2, shortest: time.Minute, longest: 10 * time.Minute, from: 2, to: 8, after: 20 * time.Minute},
}

var sortedKinds = slices.Sorted(maps.Keys(kinds))

func (w *world) beginStep(s step) {
	w.notes("begins", s.String())
	going := w.going(s.Kind, s.Who)
	w.guard.Lock()
	w.faults[s.Kind]++
	w.steps = append(w.steps, s)
	w.guard.Unlock()
	w.disturbs(s)
	switch {
	case s.Kind == "kill":
		w.kill(s.Who, int(s.Amount))
		if s.Who == crm {
			w.start(crm) // As a job is run again at once.
		}
	case s.Kind == "cancel" && (s.Who == "all" || s.Who == crm):
		w.processes[crm].hurry()
	case s.Kind == "revoke", s.Kind == "oauth-denied":
		w.service.emulator.RevokeTokens()
		w.live.emulator.RevokeTokens()
		w.leads.revokeToken()
		w.revokes()
	case s.Kind == "restart":
		w.network.breakLines(func(c *line) bool { return isService(c.to) })
	case s.Kind == "token-disk" && !going:
		w.must(os.Rename(filepath.Join(w.folder, "tokens"), filepath.Join(w.folder, "away")))
	}
}

func (w *world) endStep(s step) {
	w.notes("ends", s.String())
	w.guard.Lock()
	w.steps = slices.DeleteFunc(w.steps, func(other step) bool { return other == s })
	w.lastEnds = later(w.lastEnds, time.Now().Add(kinds[s.Kind].after))
	w.guard.Unlock()
	w.disturbs(s)
	switch {
	case s.Kind == "kill" && !w.processes[s.Who].alive() && !w.going("kill", s.Who):
		w.start(s.Who)
	case s.Kind == "token-disk" && !w.going("token-disk", "all"):
		w.must(os.Rename(filepath.Join(w.folder, "away"), filepath.Join(w.folder, "tokens")))
	}
}

// going reports whether a fault of a kind befalls a program at present.
func (w *world) going(kind, who string) bool {
	w.guard.Lock()
	defer w.guard.Unlock()
	return slices.ContainsFunc(w.steps, func(s step) bool { return s.Kind == kind && (s.Who == who || s.Who == "all") })
}

// active returns the amount of a fault that befalls a program at present, or zero.
func (w *world) active(kind, who string) (amount float64) {
	w.guard.Lock()
	defer w.guard.Unlock()
	for _, s := range w.steps {
		if s.Kind == kind && (s.Who == who || s.Who == "all") {
			amount = s.Amount
		}
	}
	return amount
}

// hits decides whether something is hit by a kind of fault.
func (w *world) hits(kind, who string, roll interface{ Float64() float64 }) bool {
	amount := w.active(kind, who)
	if amount == 0 || roll.Float64() >= amount {
		return false
	}
	w.guard.Lock()
	defer w.guard.Unlock()
	w.hit[kind]++
	return true
}

// calm reports whether nothing goes wrong at present, nor are there consequences.
func (w *world) calm() bool { return w.calmSince(time.Now()) }

// calmSince reports whether it has been calm since a time.
func (w *world) calmSince(t time.Time) bool {
	w.guard.Lock()
	defer w.guard.Unlock()
	return len(w.steps) == 0 && t.After(w.lastEnds)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
