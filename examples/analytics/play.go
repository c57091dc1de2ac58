package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// busyMonth is what the emulator has beside its default data, whose chats are
// mostly of today: many more on each day before, fewer on weekends. They are those
// that have ended there, again and again.
func busyMonth(now time.Time) (data salesiqtest.Data, err error) {
	emulator, err := salesiqtest.NewServer(salesiqtest.InMemory())
	if err != nil {
		return data, err
	}
	defer emulator.Close()
	past := slices.DeleteFunc(emulator.Chats(), func(chat salesiq.Chat) bool { return chat.EndedAt.IsZero() })
	for day := 1; day <= 30; day++ {
		count := 34 + day*7%11
		if weekday := now.AddDate(0, 0, -day).Weekday(); weekday == time.Saturday || weekday == time.Sunday {
			count /= 2
		}
		for range count {
			n := len(data.Chats)
			data.Chats = append(data.Chats, again(past[n%len(past)], fmt.Sprintf("chat%d", 5000+n), now.AddDate(0, 0, -day)))
		}
	}
	return data, nil
}

// again is a chat like another one, on the day of a time, during working hours.
func again(chat salesiq.Chat, id string, day time.Time) salesiq.Chat {
	const opens, hours = 8, 13
	year, month, date := day.Date()
	clock := chat.StartedAt
	at := time.Date(year, month, date, opens+clock.Hour()%hours, clock.Minute(), clock.Second(), 0, day.Location())
	shift := at.Sub(chat.StartedAt)
	chat.ID, chat.StartedAt, chat.EndedAt = id, at, chat.EndedAt.Add(shift)
	chat.Transcript = slices.Clone(chat.Transcript)
	for i := range chat.Transcript {
		message := &chat.Transcript[i]
		message.ID, message.Timestamp = fmt.Sprintf("%s-msg%d", id, i+1), message.Timestamp.Add(shift)
	}
	return chat
}
