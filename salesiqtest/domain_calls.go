package salesiqtest

import "time"

// phoneCall is what was spoken in a chat instead of written. Only the seed makes one.
type phoneCall struct {
	ID        string    `json:"id"`
	ChatID    string    `json:"chat_id"`
	Type      string    `json:"type"`
	Status    string    `json:"status"`
	CreatedAt time.Time `json:"created_at"`
	PickedUp  time.Time `json:"picked_up_at"`
	EndedAt   time.Time `json:"ended_at"`
	MissedAt  time.Time `json:"missed_at"`
}

// loadCalls puts the calls of the seed in.
func (s *state) loadCalls(calls []phoneCall, shift time.Duration) {
	for _, call := range calls {
		move(shift, &call.CreatedAt, &call.PickedUp, &call.EndedAt, &call.MissedAt)
		s.calls = append(s.calls, call)
	}
}
