package simulate

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// step is one fault of a plan: from a time on, for a while, for one program or all.
type step struct {
	At, For time.Duration
	Kind    string
	Who     string  // "all", or one of programs.
	Amount  float64 // What it means depends on the kind: see kinds.
}

func (s step) end() time.Duration { return s.At + s.For }

func (s step) String() string {
	return fmt.Sprintf("%v %v %s %s %.3f", s.At, s.For, s.Kind, s.Who, s.Amount)
}

// plan is what goes wrong in a run, ordered by time.
type plan []step

func (p plan) String() string {
	var b strings.Builder
	for _, s := range p {
		fmt.Fprintln(&b, s)
	}
	return b.String()
}

// until returns the steps that begin before a time.
func (p plan) until(at time.Duration) plan {
	return slices.DeleteFunc(slices.Clone(p), func(s step) bool { return s.At > at })
}

// parsePlan reads what String writes.
func parsePlan(text string) (p plan, err error) {
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		var s step
		var at, length string
		if _, err := fmt.Sscan(line, &at, &length, &s.Kind, &s.Who, &s.Amount); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		if s.At, err = time.ParseDuration(at); err == nil {
			s.For, err = time.ParseDuration(length)
		}
		if _, known := kinds[s.Kind]; err != nil || !known {
			return nil, fmt.Errorf("%q: not a step", line)
		}
		p = append(p, s)
	}
	return p, nil
}

// The programs.
const (
	desk  = "desk"  // Answers visitors, from a queue in memory. HTTP/1.
	inbox = "inbox" // Works through events that it keeps in a file. HTTP/1.
	batch = "batch" // Goes through lists, as a batch. HTTP/2.
)

var programs = []string{desk, inbox, batch}

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
	"reset-before": {weight: 3, personal: true, shortest: 20 * time.Second, longest: 5 * time.Minute, from: .05, to: .6, after: time.Minute},
	"reset-within": {weight: 2, personal: true, shortest: 20 * time.Second, longest: 5 * time.Minute, from: .05, to: .5, after: time.Minute},
	"reset-after":  {weight: 3, personal: true, shortest: 20 * time.Second, longest: 5 * time.Minute, from: .05, to: .5, after: time.Minute},
	"half-answer":  {weight: 3, personal: true, shortest: 20 * time.Second, longest: 5 * time.Minute, from: .05, to: .5, after: time.Minute},
	"stall":        {weight: 2, personal: true, shortest: 20 * time.Second, longest: 3 * time.Minute, from: .05, to: .3, after: 2 * time.Minute},
	"silence":      {weight: 2, personal: true, shortest: 20 * time.Second, longest: 3 * time.Minute, from: .05, to: .3, after: 2 * time.Minute},
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

// drawPlan draws a plan from a seed: calm, then one to four faults beside each other,
// then calm again. Tokens are not revoked so often that ten in ten minutes are too few.
func drawPlan(seed uint64, length time.Duration) (p plan) {
	r := rand.New(rand.NewPCG(seed, 0))
	var names []string
	for _, name := range sortedKinds {
		for range kinds[name].weight {
			names = append(names, name)
		}
	}
	for at := between(r, time.Minute, 20*time.Minute); ; {
		var end time.Duration
		for range 1 + r.IntN(4) {
			s := step{Kind: names[r.IntN(len(names))], Who: "all"}
			k := kinds[s.Kind]
			s.At = at + between(r, 0, time.Minute)
			s.For = between(r, k.shortest, k.longest)
			s.Amount = k.from + r.Float64()*(k.to-k.from)
			if k.personal && (s.Kind == "kill" || r.IntN(2) == 0) {
				s.Who = programs[r.IntN(len(programs))]
			}
			end = max(end, s.end())
			p = append(p, s)
		}
		at = end + between(r, 5*time.Minute, 45*time.Minute)
		if at > length-time.Hour {
			return p
		}
	}
}

func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)+1))
}

// dice are random numbers that depend on a seed and on what they are for, and not on
// who asks first. So what is done in another order has the same fate.
type dice uint64

func (d dice) roll(what string, numbers ...int64) *rand.Rand {
	h := hash(uint64(d), what)
	for _, n := range numbers {
		h = mix(h + uint64(n))
	}
	return rand.New(rand.NewPCG(uint64(d), h))
}

// hash is that of FNV-1a, which is short and good enough here.
func hash(h uint64, text string) uint64 {
	h ^= 14695981039346656037
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return h
}

// mix spreads each bit of a number over all of them, as SplitMix64 does.
func mix(h uint64) uint64 {
	h += 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
