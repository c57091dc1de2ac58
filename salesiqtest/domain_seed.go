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
	Start         time.Time              `json:"start"` // What the dates of the file count from.
	Brands        []salesiq.Brand        `json:"brands"`
	Operators     []salesiq.Operator     `json:"operators"`
	Rules         []salesiq.RoutingRule  `json:"rules"`
	Webhooks      []salesiq.Webhook      `json:"webhooks"`
	Devices       []salesiq.Device       `json:"devices"`
	Visitors      []salesiq.Visitor      `json:"visitors"`
	Sessions      map[string][]seedVisit `json:"sessions"` // By visitor.
	Conversations map[string][]string    `json:"conversations"`
	Chats         []seedChat             `json:"chats"`
}

type seedVisit struct {
	ID        string    `json:"session_id"`
	StartedAt time.Time `json:"started_at"`
	Pages     []struct {
		Path    string `json:"path"`
		Seconds int    `json:"seconds"`
	} `json:"pages"`
}

type seedChat struct {
	ID           string             `json:"id"`
	VisitorID    string             `json:"visitor_id"`
	OperatorID   string             `json:"operator_id"`
	DepartmentID string             `json:"department_id"`
	Status       salesiq.ChatStatus `json:"status"`
	StartedAt    time.Time          `json:"started_at"`
	EndedAt      time.Time          `json:"ended_at"`
	Rating       *int               `json:"rating"`
	Feedback     *string            `json:"feedback"`
	Basket       int                `json:"basket"`
	Conversation string             `json:"conversation"`
	Lines        int                `json:"lines"` // That have been said so far.
}

// readSeed reads the file once, for all servers. Nobody may write to what lies
// behind its slices, maps and pointers.
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
	for id, visits := range file.Sessions {
		for _, visit := range visits {
			move(shift, &visit.StartedAt)
			s.sessions[id] = append(s.sessions[id], visit.session(file.Brands[0].Website))
		}
	}
	for _, said := range file.Chats {
		move(shift, &said.StartedAt, &said.EndedAt)
		chat := s.seededChat(said, file.Conversations[said.Conversation], file.Start.Add(shift))
		s.chats.put(chat.ID, chat)
	}
	s.countChats()
}

// move shifts dates, but for those that are not known.
func move(by time.Duration, dates ...*time.Time) {
	for _, at := range dates {
		if !at.IsZero() {
			*at = at.Add(by)
		}
	}
}

func (v seedVisit) session(website string) salesiq.Session {
	session := salesiq.Session{ID: v.ID, StartedAt: v.StartedAt, EndedAt: v.StartedAt}
	for _, page := range v.Pages {
		spent := time.Duration(page.Seconds) * time.Second
		session.Pages = append(session.Pages, salesiq.PageView{
			URL: website + page.Path, Title: title(page.Path), VisitedAt: session.EndedAt, TimeSpent: wholeSeconds(spent),
		})
		session.EndedAt = session.EndedAt.Add(spent)
	}
	session.Duration = wholeSeconds(session.EndedAt.Sub(session.StartedAt))
	return session
}

func title(page string) string {
	if page == "/" {
		return "Nordlicht Outdoor"
	}
	return "Nordlicht: " + strings.TrimPrefix(page, "/")
}

func (s *state) seededChat(said seedChat, conversation []string, now time.Time) *salesiq.Chat {
	visitor, _ := s.visitors.get(said.VisitorID)
	chat := &salesiq.Chat{
		ID: said.ID, VisitorID: said.VisitorID, OperatorID: said.OperatorID, DepartmentID: said.DepartmentID,
		Status: said.Status, Type: salesiq.ChatTypeLive, StartedAt: said.StartedAt, EndedAt: said.EndedAt,
		Rating: said.Rating, Feedback: said.Feedback, VisitorInfo: visitorInfo(visitor),
		Tags: addMissing([]string{}, visitor.Tags...), CustomFields: map[string]any{"basket": said.Basket},
	}
	end := now
	if !chat.EndedAt.IsZero() {
		end = chat.EndedAt
	}
	if chat.Status == salesiq.ChatEnded {
		chat.Duration = wholeSeconds(chat.EndedAt.Sub(chat.StartedAt))
	}
	s.fillTranscript(chat, conversation[:said.Lines], end)
	return chat
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

// countChats fills in what operators owe to departments and chats.
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
