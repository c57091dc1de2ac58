package salesiqtest

import (
	"cmp"
	_ "embed"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// seedFile holds the default data: objects as the API writes them, but without
// what follows from others, and conversations that chats refer to.
//
//go:embed seed.json
var seedFile []byte

// seed is what the file holds.
type seed struct {
	Start         time.Time                    `json:"start"` // What the dates of the file count from.
	Brands        []salesiq.Brand              `json:"brands"`
	Operators     []salesiq.Operator           `json:"operators"`
	Rules         []salesiq.RoutingRule        `json:"rules"`
	Webhooks      []salesiq.Webhook            `json:"webhooks"`
	Devices       []salesiq.Device             `json:"devices"`
	Visitors      []salesiq.Visitor            `json:"visitors"`
	Sessions      map[string][]salesiq.Session `json:"sessions"` // By visitor; pages follow each other.
	Conversations map[string][]string          `json:"conversations"`
	Chats         []seedChat                   `json:"chats"`
	Calls         []phoneCall                  `json:"calls"`
}

// seedChat is a chat without what follows from its visitor and its conversation.
type seedChat struct {
	plainChat

	Conversation string `json:"conversation"`
	Lines        int    `json:"lines"` // That have been said so far.
}

// plainChat is a chat without its methods, which would speak for all of seedChat.
type plainChat salesiq.Chat

// readSeed reads the file once, for all servers. They share its slices, maps and
// pointers, and must not write to them.
var readSeed = sync.OnceValue(func() (file seed) {
	if err := wire.Unmarshal(seedFile, &file); err != nil {
		panic("salesiqtest: seed.json: " + err.Error())
	}
	return file
})

// loadSeed puts the default data into a new state: the same at every start, but for
// the dates, which count from now.
func (s *state) loadSeed(now time.Time) {
	file := readSeed()
	shift := now.Truncate(time.Second).Sub(file.Start)
	s.add(Data{
		Brands: slices.Clone(file.Brands), Operators: slices.Clone(file.Operators), Visitors: slices.Clone(file.Visitors),
		RoutingRules: slices.Clone(file.Rules), Webhooks: slices.Clone(file.Webhooks), Devices: slices.Clone(file.Devices),
	})
	for brand := range s.brands.all() {
		move(shift, &brand.CreatedAt)
	}
	for operator := range s.operators.all() {
		move(shift, &operator.CreatedAt, &operator.LastActive)
	}
	for visitor := range s.visitors.all() {
		move(shift, &visitor.FirstVisit, &visitor.LastVisit)
		visitor.Tags = slices.Clip(visitor.Tags) // Tags are appended.
	}
	for id, sessions := range file.Sessions {
		for _, session := range sessions {
			move(shift, &session.StartedAt)
			s.sessions[id] = append(s.sessions[id], browsed(session))
		}
	}
	for hook := range s.webhooks.all() {
		hook.Events = s.eventsOfDialect(hook.Events)
		settings := s.settingsOf(hook.ID)
		settings.created, settings.modified = now, now
	}
	for _, said := range file.Chats {
		chat := salesiq.Chat(said.plainChat)
		move(shift, &chat.StartedAt, &chat.EndedAt)
		s.fillChat(&chat, file.Conversations[said.Conversation][:said.Lines], file.Start.Add(shift))
		s.chats.put(chat.ID, &chat)
	}
	s.loadCalls(file.Calls, shift)
	s.countChats()
}

// move shifts dates that are not zero.
func move(by time.Duration, dates ...*time.Time) {
	for _, at := range dates {
		if !at.IsZero() {
			*at = at.Add(by)
		}
	}
}

// browsed fills in what follows from the pages of a session.
func browsed(session salesiq.Session) salesiq.Session {
	session.EndedAt, session.Pages = session.StartedAt, slices.Clone(session.Pages)
	for i := range session.Pages {
		session.Pages[i].VisitedAt = session.EndedAt
		session.EndedAt = session.EndedAt.Add(session.Pages[i].TimeSpent.Duration())
	}
	session.Duration = wholeSeconds(session.EndedAt.Sub(session.StartedAt))
	return session
}

// fillChat fills in what follows from a visitor and a conversation.
func (s *state) fillChat(chat *salesiq.Chat, lines []string, now time.Time) {
	visitor, _ := s.visitors.get(chat.VisitorID)
	chat.Type, chat.VisitorInfo, chat.Tags = salesiq.ChatTypeLive, visitorInfo(visitor), addMissing([]string{}, visitor.Tags...)
	end := now
	if !chat.EndedAt.IsZero() {
		end = chat.EndedAt
	}
	if chat.Status == salesiq.ChatEnded {
		chat.Duration = wholeSeconds(end.Sub(chat.StartedAt))
	}
	s.fillTranscript(chat, lines, end)
}

// fillTranscript lets visitor and operator say the lines of a conversation, each
// after the time that typing it takes.
func (s *state) fillTranscript(chat *salesiq.Chat, lines []string, end time.Time) {
	visitor, _ := s.visitors.get(chat.VisitorID)
	agent := salesiq.Operator{}
	if operator, ok := s.operators.get(chat.OperatorID); ok {
		agent = *operator
	}
	slots := strings.NewReplacer(
		"{name}", firstWord(visitor.Name), "{agent}", firstWord(agent.Name),
		"{number}", fmt.Sprint(400_000+crc32.ChecksumIEEE([]byte(chat.ID))%100_000),
		"{browser}", firstWord(visitor.Browser), "{platform}", visitor.Platform, "{country}", visitor.Country,
		"{company}", cmp.Or(visitor.Company, visitor.Name))
	at, most := chat.StartedAt, end.Sub(chat.StartedAt)/time.Duration(len(lines)+1)
	for i, line := range lines {
		speaker, text, _ := strings.Cut(line, " ")
		if strings.Contains(text, "{") {
			text = slots.Replace(text)
		}
		message := salesiq.Message{
			ID: fmt.Sprintf("%s-msg%d", chat.ID, i+1), SenderType: salesiq.SenderVisitor, SenderID: chat.VisitorID,
			Text: text, Type: salesiq.MessageText,
		}
		if speaker == "o" {
			message.SenderType, message.SenderID = salesiq.SenderOperator, chat.OperatorID
		}
		typing := 4*time.Second + time.Duration(len(text))*300*time.Millisecond
		at = at.Add(min(typing, most).Truncate(time.Second))
		message.Timestamp = at
		chat.Transcript = append(chat.Transcript, message)
	}
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return word
}

// countChats fills in the fields of operators that follow from departments and chats.
func (s *state) countChats() {
	for operator := range s.operators.all() {
		department, _ := s.department(operator.DepartmentID)
		stats := s.stats(operator.ID, span{})
		operator.DepartmentName, operator.TotalChats, operator.AverageRating = department.Name, stats.TotalChats, stats.AverageRating
		operator.ActiveChats = len(s.chats.matching(func(chat *salesiq.Chat) bool {
			return chat.OperatorID == operator.ID && chat.Status == salesiq.ChatActive
		}))
	}
}
