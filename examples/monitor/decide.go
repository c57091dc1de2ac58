package main

import (
	"cmp"
	"slices"
	"time"

	"github.com/salesiq-go/salesiq"
)

// long reports for how many whole minutes a chat has gone on, and whether that is
// above the limit.
func long(chat *salesiq.Chat, limit time.Duration, now time.Time) (minutes int, tooLong bool) {
	age := now.Sub(chat.StartedAt).Truncate(time.Minute)
	return int(age / time.Minute), age > limit
}

// hasLeft reports whether an operator no longer looks after their chats: only who
// is online does.
func hasLeft(operator *salesiq.Operator) bool { return operator.Status != salesiq.OperatorOnline }

// successor picks who takes a chat over: of those who are there and have room,
// one of the same department if there is any, and of those the one with the
// fewest chats. It returns nil if nobody is free.
func successor(chat *salesiq.Chat, operators []*salesiq.Operator) *salesiq.Operator {
	var free, near []*salesiq.Operator
	for _, operator := range operators {
		if operator.ID == chat.OperatorID || operator.Status != salesiq.OperatorOnline ||
			operator.Availability != salesiq.OperatorAvailable || operator.ActiveChats >= operator.MaxChats {
			continue
		}
		free = append(free, operator)
		if operator.DepartmentID == chat.DepartmentID {
			near = append(near, operator)
		}
	}
	if len(near) == 0 {
		near = free
	}
	if len(near) == 0 {
		return nil
	}
	return slices.MinFunc(near, func(a, b *salesiq.Operator) int { return cmp.Compare(a.ActiveChats, b.ActiveChats) })
}
