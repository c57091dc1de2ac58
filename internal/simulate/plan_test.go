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

// since returns the steps that begin from a time on.
func (p plan) since(at time.Duration) plan {
	return slices.DeleteFunc(slices.Clone(p), func(s step) bool { return s.At < at })
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
