package assign

import (
	"cmp"
	"slices"

	"github.com/salesiq-go/salesiq"
)

// The skills that operators are known by.
const (
	technicalSupport = "Technical Support"
	sales            = "Sales"
	generalSupport   = "General Support"
)

// highLeadScore is what a visitor must exceed to be worth a seller's time.
const highLeadScore = 75

// skillsFor tells what an operator should be good at to help a visitor: one of
// these is enough.
func skillsFor(visitor *salesiq.Visitor) (skills []string) {
	if slices.Contains(visitor.Tags, "technical") {
		skills = append(skills, technicalSupport)
	}
	if slices.Contains(visitor.Tags, "enterprise") || visitor.LeadScore > highLeadScore {
		skills = append(skills, sales)
	}
	if len(skills) == 0 {
		skills = append(skills, generalSupport)
	}
	return skills
}

// choose picks the operator for a visitor among those who are there and have
// room for one more chat: one with the right skills, or anyone if nobody has
// them, and of those the one with the fewest chats. It returns nil if nobody is
// free.
func choose(visitor *salesiq.Visitor, operators []salesiq.Operator) *salesiq.Operator {
	skills := skillsFor(visitor)
	var free, skilled []*salesiq.Operator
	for i := range operators {
		operator := &operators[i]
		if operator.Status != salesiq.OperatorOnline || operator.Availability != salesiq.OperatorAvailable || operator.ActiveChats >= operator.MaxChats {
			continue
		}
		free = append(free, operator)
		if slices.ContainsFunc(skills, func(skill string) bool { return slices.Contains(operator.Skills, skill) }) {
			skilled = append(skilled, operator)
		}
	}
	if len(skilled) == 0 {
		skilled = free
	}
	if len(skilled) == 0 {
		return nil
	}
	return slices.MinFunc(skilled, func(a, b *salesiq.Operator) int { return cmp.Compare(a.ActiveChats, b.ActiveChats) })
}
