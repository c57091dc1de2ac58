package main

import (
	"errors"
	"fmt"
)

// The races that goals are about.
const (
	listCanned   = "list"
	chatCanned   = "chat"
	listLoopback = "list-loopback"
	chatLoopback = "chat-loopback"
	webhookRace  = "webhooks"
)

// goal is a promise about a figure.
type goal struct {
	what  string
	limit float64
	got   float64
	low   float64 // The lower quartile, where the figure has one.
	exact bool    // It does not depend on the machine.
}

func (g goal) met() bool { return g.got <= g.limit }

// headRoom is by how much a figure that depends on the machine may miss its
// goal before a short run fails. On a busy one even ratios vary.
const headRoom = 1.25

// tolerable reports whether a short run lets the figure pass: even the best
// quarter of its rounds must miss the goal, and by far.
func (g goal) tolerable() bool {
	if g.exact {
		return g.met()
	}
	return min(g.got, g.low) <= g.limit*headRoom
}

// goals compares what was found with what was promised.
func (r *report) goals() []goal {
	list, chat := r.find(listCanned), r.find(chatCanned)
	us := chat.of(ours)
	goals := []goal{
		ratioGoal("list call, beside hand-written", 0.55, list.of(ours).load),
		ratioGoal("list call, beside hand-tuned with the same codec", 1.05, list.of(handTuned).shares),
		ratioGoal("small call, beside hand-written", 0.60, us.load),
		{what: "small call, allocations", limit: 45, got: us.memory.allocations, exact: true},
		{what: "small call, bytes", limit: 5 << 10, got: us.memory.bytes, exact: true},
		ratioGoal("list call, processor time beside the best peer", 0.5, worst(list)),
		ratioGoal("small call, processor time beside the best peer", 0.5, worst(chat)),
		{what: "list call, bytes beside the best peer", limit: 0.5, got: worstBytes(list), exact: true},
		{what: "small call, bytes beside the best peer", limit: 0.5, got: worstBytes(chat), exact: true},
	}
	return append(append(goals, r.latencyGoals()...), r.quotaGoals()...)
}

func ratioGoal(what string, limit float64, s spread) goal {
	return goal{what: what, limit: limit, got: s.median, low: s.low}
}

// worst is our share of the time of the peer that needs least.
func worst(race *raceResult) (worst spread) {
	for _, result := range race.results {
		if result.peer && result.shares.median > worst.median {
			worst = result.shares
		}
	}
	return worst
}

func worstBytes(race *raceResult) (worst float64) {
	us := race.of(ours).memory.bytes
	for _, result := range race.results {
		if result.peer {
			worst = max(worst, us/result.memory.bytes)
		}
	}
	return worst
}

func (r *report) latencyGoals() (goals []goal) {
	for _, row := range r.latency {
		if row.name != ours {
			continue
		}
		if row.closed {
			goals = append(goals, ratioGoal(row.job+", beside their latency", 1.02, row.ratio))
		}
		goals = append(goals, goal{what: row.job + ", connections opened", limit: atOnce, got: float64(row.connections), exact: true})
	}
	return goals
}

func (r *report) quotaGoals() []goal {
	for _, row := range r.quota {
		if row.Name == ours {
			return []goal{
				{what: "quota, time beside an oracle, mean", limit: 1.01, got: row.Mean, exact: true},
				{what: "quota, time beside an oracle, worst", limit: 1.12, got: row.Worst, exact: true},
				{what: "quota, 429s", got: float64(row.Refused), exact: true},
				{what: "quota, calls given up", got: float64(row.Failed), exact: true},
			}
		}
	}
	return nil
}

// gate fails where a goal is missed that does not depend on the machine, or one
// that does by far.
func (r *report) gate() error {
	var errs []error
	for _, g := range r.goals() {
		if !g.tolerable() {
			errs = append(errs, fmt.Errorf("%s: %.3g, not %.3g at most", g.what, g.got, g.limit))
		}
	}
	return errors.Join(errs...)
}
