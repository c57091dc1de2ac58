package main

import (
	"time"

	"github.com/salesiq-go/salesiq/examples/internal/statefile"
)

// mark is what was done about a chat.
type mark struct {
	Alerted bool      `json:"alerted"`
	Moved   bool      `json:"moved"`
	Seen    time.Time `json:"seen"` // When the chat was last seen active.
}

// state is what was done, by chat.
type state = statefile.Map[mark]

// loadState reads what an earlier run has done, if a file is to tell.
func loadState(path string) (*state, error) {
	if path == "" {
		return statefile.Memory[mark](), nil
	}
	return statefile.Open(path, remembered)
}

// memory is how long a chat is remembered that is no longer active, so that a
// monitor can run for years.
const memory = 24 * time.Hour

func remembered(m mark) bool { return time.Since(m.Seen) < memory }

func (m *monitor) note(chatID string, mark mark) error {
	mark.Seen = time.Now()
	return m.done.Put(chatID, mark)
}

// renew remembers for longer what was done about a chat that is still active.
func (m *monitor) renew(chatID string) error {
	mark := m.done.Get(chatID)
	if mark.Seen.IsZero() || time.Since(mark.Seen) < memory/4 {
		return nil
	}
	return m.note(chatID, mark)
}
