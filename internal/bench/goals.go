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
	liveCanned   = "live"
	floorRace    = "floor"
	webhookRace  = "webhooks"
	watchedRace  = "watched"
)

// goal is a promise about a figure.
type goal struct {
	what  string
	limit float64
	got   float64
	low   float64 // The lower quartile, where the figure has one.
	room  float64 // By how much a short run may miss the goal; 0 for a figure that is the same everywhere.
	gate  float64 // Where a short run fails, if that is not the limit: the figure that is reached so far.
}

func (g goal) met() bool { return g.got <= g.limit }

// By how much a figure that depends on the machine may miss its goal before a
// short run fails. On a busy one even ratios vary, and what waits is late.
const (
	roomOfRatios = 1.25
	roomOfWaits  = 2
)

// tolerable reports whether a short run lets the figure pass: even the best
// quarter of its rounds must miss the goal, and by far.
func (g goal) tolerable() bool {
	return g.met() || g.got <= g.gate || g.room > 0 && min(g.got, g.low) <= g.limit*g.room
}

// goals compares what was found with what was promised.
func (r *report) goals() []goal {
	list, chat, decoding := r.find(listCanned), r.find(chatCanned), r.find(floorRace)
	us := chat.of(ours)
	goals := []goal{
		ratioGoal("list call, beside hand-written", 0.50, list.of(ours).Load),
		ratioGoal("list call, beside the best peer", 0.55, worst(list)),
		ratioGoal("small call, beside hand-written", 0.55, us.Load),
		ratioGoal("small call, beside the best peer", 0.55, worst(chat)),
		ratioGoal("list, decoded, beside a decoder written by hand", 1.35, decoding.of(ours).Load),
		ratioGoal("list, decoded, beside json/v2", 0.55, decoding.of(byLibrary).Shares),
		ratioGoal("live page, beside a specified one of the same size", 1.3, r.find(liveCanned).of(ours).Load),
		{what: "small call, allocations", limit: 40, got: us.Memory.Allocations},
		{what: "small call, bytes", limit: 5 << 10, got: us.Memory.Bytes},
		{what: "list call, bytes beside the best peer", limit: 0.5, got: worstBytes(list)},
		{what: "small call, bytes beside the best peer", limit: 0.5, gate: 0.51, got: worstBytes(chat)},
	}
	goals = append(goals, r.watchedGoals()...)
	return append(append(goals, r.latencyGoals()...), r.quotaGoals()...)
}

func ratioGoal(what string, limit float64, s spread) goal {
	return goal{what: what, limit: limit, got: s.Median, low: s.Low, room: roomOfRatios}
}

// worst is our share of the time of the peer that needs least.
func worst(race *raceResult) (worst spread) {
	for _, result := range race.Results {
		if result.Peer && result.Shares.Median > worst.Median {
			worst = result.Shares
		}
	}
	return worst
}

func worstBytes(race *raceResult) (worst float64) {
	us := race.of(ours).Memory.Bytes
	for _, result := range race.Results {
		if result.Peer {
			worst = max(worst, us/result.Memory.Bytes)
		}
	}
	return worst
}

func (r *report) latencyGoals() (goals []goal) {
	for _, row := range r.Latency {
		if row.Name != ours {
			continue
		}
		if row.Closed {
			late := ratioGoal(row.Job+", beside their round trips", 1.02, row.Ratio)
			late.room = roomOfWaits
			goals = append(goals, late)
		}
		goals = append(goals, goal{what: row.Job + ", connections opened", limit: atOnce, got: float64(row.Connections)})
	}
	return goals
}

func (r *report) quotaGoals() []goal {
	for _, row := range r.Quota {
		if row.Name == ours {
			return []goal{
				{what: "quota, time beside an oracle, mean", limit: 1.01, got: row.Mean},
				{what: "quota, time beside an oracle, worst", limit: 1.12, got: row.Worst},
				{what: "quota, 429s", got: float64(row.Refused)},
				{what: "quota, calls given up", got: float64(row.Failed)},
			}
		}
	}
	return nil
}

// gate fails where a goal is missed that does not depend on the machine, or one
// that does by far, with any version.
func (all reports) gate() error {
	var errs []error
	for _, r := range all {
		for _, g := range r.goals() {
			if !g.tolerable() {
				errs = append(errs, fmt.Errorf("%s: %s: %.3g, not %.3g at most", r.Version, g.what, g.got, g.limit))
			}
		}
	}
	return errors.Join(errs...)
}
