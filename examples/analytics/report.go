package main

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/salesiq-go/salesiq"
)

// report sums chats up. Its size depends on how many operators, departments and
// days there are, not on how many chats.
type report struct {
	From            time.Time    `json:"from"`
	To              time.Time    `json:"to"`
	Chats           int          `json:"total_chats"`
	Missed          int          `json:"missed_chats"`
	Messages        int          `json:"total_messages"`
	AverageDuration *float64     `json:"avg_duration"`      // Seconds; null without a value, as below.
	AverageResponse *float64     `json:"avg_response_time"` // Seconds from the start to the first answer.
	AverageRating   *float64     `json:"avg_rating"`
	ByStatus        []groupCount `json:"by_status"`
	ByDepartment    []groupCount `json:"by_department"`
	ByOperator      []groupCount `json:"by_operator"`
	ByRating        []groupCount `json:"by_rating"`
	ByDay           []groupCount `json:"by_day"`

	durations, responses, ratings          average
	statuses, departments, operators, days map[string]int
	ratingCounts                           map[int]int
}

// groupCount is how many chats a group has.
type groupCount struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Chats int    `json:"chats"`
}

func newReport(from, to time.Time) *report {
	return &report{
		From: from, To: to,
		statuses: map[string]int{}, departments: map[string]int{}, operators: map[string]int{}, days: map[string]int{},
		ratingCounts: map[int]int{},
	}
}

// longest is what any duration counts as at most, in seconds. The average of what
// is longer than thirty years could neither be printed nor be written as JSON.
const longest = 1e9

// add counts one chat. What it does not tell, such as the duration of a chat
// that goes on, counts for no average.
func (r *report) add(chat *salesiq.Chat) {
	r.Chats++
	r.statuses[string(chat.Status)]++
	r.days[r.day(chat.StartedAt)]++
	if chat.DepartmentID != "" {
		r.departments[chat.DepartmentID]++
	}
	if chat.OperatorID != "" {
		r.operators[chat.OperatorID]++
	}
	if chat.Status == salesiq.ChatMissed {
		r.Missed++
	}
	if chat.Duration > 0 {
		r.durations.add(min(float64(chat.Duration), longest))
	}
	if chat.Rating != nil && *chat.Rating > 0 {
		r.ratings.add(float64(*chat.Rating))
		r.ratingCounts[*chat.Rating]++
	}
	r.Messages += len(chat.Transcript)
	if waited, ok := responseTime(chat); ok {
		r.responses.add(waited.Seconds())
	}
}

// day names a day in the report's own time zone.
func (r *report) day(at time.Time) string { return at.In(r.From.Location()).Format(time.DateOnly) }

// responseTime is how long the visitor waited for the first answer.
func responseTime(chat *salesiq.Chat) (waited time.Duration, ok bool) {
	for _, message := range chat.Transcript {
		if message.SenderType != salesiq.SenderOperator || message.Timestamp.IsZero() {
			continue
		}
		if at := message.Timestamp.Sub(chat.StartedAt); !ok || at < waited {
			waited, ok = at, true
		}
	}
	return max(waited, 0), ok
}

// average is that of the values that there are.
type average struct {
	sum   float64
	count int
}

func (a *average) add(value float64) {
	a.sum += value
	a.count++
}

// value is nil without any values.
func (a *average) value() *float64 {
	if a.count == 0 {
		return nil
	}
	return new(a.sum / float64(a.count))
}

// name finishes the report, with names instead of ids.
func (r *report) name(n names) {
	r.AverageDuration, r.AverageResponse, r.AverageRating = r.durations.value(), r.responses.value(), r.ratings.value()
	r.ByStatus = byCount(r.statuses, nil)
	r.ByDepartment = byCount(r.departments, n.departments)
	r.ByOperator = byCount(r.operators, n.operators)
	r.ByRating = []groupCount{}
	for _, rating := range slices.Backward(slices.Sorted(maps.Keys(r.ratingCounts))) {
		id := strconv.Itoa(rating)
		r.ByRating = append(r.ByRating, groupCount{id, id + " of 5", r.ratingCounts[rating]})
	}
	r.ByDay = []groupCount{} // Days without chats, too.
	year, month, first := r.From.Date()
	for i := 0; ; i++ {
		day := time.Date(year, month, first+i, 12, 0, 0, 0, r.From.Location()) // Every day has a noon.
		id := r.day(day)
		if id > r.day(r.To) {
			break
		}
		r.ByDay = append(r.ByDay, groupCount{id, day.Format("2 Jan"), r.days[id]})
	}
}

// byCount lists groups, the largest first.
func byCount(counts map[string]int, names map[string]string) []groupCount {
	groups := []groupCount{}
	for id, chats := range counts {
		groups = append(groups, groupCount{id, cmp.Or(names[id], id), chats})
	}
	slices.SortFunc(groups, func(a, b groupCount) int {
		return cmp.Or(cmp.Compare(b.Chats, a.Chats), cmp.Compare(a.Name, b.Name))
	})
	return groups
}
