package salesiqtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/salesiq-go/salesiq"
)

// How much default data there is.
const (
	seededVisitors = 130
	seededActive   = 72
	seededWaiting  = 24
	seededMissed   = 30
	seededEnded    = 160
)

// defaultData is what a server knows without [WithoutDefaultData]: the same at
// every start, but for the dates, which count from the start.
func defaultData(start time.Time) Data {
	s := &seeder{
		start:  start.Truncate(time.Second),
		random: rand.New(rand.NewPCG(2, 14)),
	}
	s.data.Brands = s.brands()
	s.operators()
	s.visitors()
	s.chats()
	s.rules()
	s.webhooks()
	s.count()
	return s.data
}

// seeder makes the default data.
type seeder struct {
	start  time.Time
	random *rand.Rand
	data   Data
}

func (s *seeder) ago(d time.Duration) time.Time { return s.start.Add(-d) }

// within returns a duration from low to high, in whole seconds.
func (s *seeder) within(low, high time.Duration) time.Duration {
	return low + time.Duration(s.random.Int64N(int64((high-low)/time.Second)+1))*time.Second
}

func pick[T any](s *seeder, values ...T) T { return values[s.random.IntN(len(values))] }

func (s *seeder) brands() []salesiq.Brand {
	return []salesiq.Brand{
		{
			ID: "brand123", Name: "Nordlicht Outdoor", Website: "https://www.nordlicht.example",
			Logo: "https://www.nordlicht.example/logo.svg", Timezone: "Europe/Berlin", Language: "en",
			Status: salesiq.BrandActive,
			WidgetSettings: salesiq.WidgetSettings{
				ThemeColor: "#14532d", Position: salesiq.WidgetBottomRight,
				GreetingMessage: "Moin! What are you looking for?",
				OfflineMessage:  "We are out hiking. Leave us a line.",
				ShowOperators:   true, ShowAttachments: true, ShowEmojis: true,
			},
			Departments: []salesiq.Department{
				{ID: "dept789", Name: "Sales"}, {ID: "dept790", Name: "Support"}, {ID: "dept791", Name: "Rentals"},
			},
			CreatedAt: s.ago(700 * 24 * time.Hour),
		},
		{
			ID: "brand123456789", Name: "Südwind Reisen", Website: "https://www.suedwind.example",
			Logo: "https://www.suedwind.example/logo.png", Timezone: "Europe/Vienna", Language: "de",
			Status: salesiq.BrandActive,
			WidgetSettings: salesiq.WidgetSettings{
				ThemeColor: "#b45309", Position: salesiq.WidgetBottomLeft,
				GreetingMessage: "Grüß Gott! Wohin soll es gehen?",
				OfflineMessage:  "Wir melden uns morgen.",
				ShowOperators:   true, ShowEmojis: false,
			},
			Departments: []salesiq.Department{{ID: "dept801", Name: "Bookings"}, {ID: "dept802", Name: "Billing"}},
			CreatedAt:   s.ago(300 * 24 * time.Hour),
		},
	}
}

func (s *seeder) operators() {
	const (
		online, offline, away, busy = salesiq.OperatorOnline, salesiq.OperatorOffline, salesiq.OperatorAway, salesiq.OperatorBusy
		free, taken                 = salesiq.OperatorAvailable, salesiq.OperatorUnavailable
		admin, agent, supervisor    = salesiq.RoleAdmin, salesiq.RoleAgent, salesiq.RoleSupervisor
	)
	for _, o := range []struct {
		id, name     string
		status       salesiq.OperatorStatus
		availability salesiq.OperatorAvailability
		role         salesiq.OperatorRole
		department   string
		maxChats     int
		skills       string
		languages    string
	}{
		{accountOwner, "Iris Lindqvist", online, taken, admin, "", 0, "General Support", "Swedish,English"},
		{"operator123", "Malik Adeyemi", online, free, agent, "dept790", 12, "Technical Support,General Support", "English,Yoruba"},
		{"operator456", "Greta Sommer", online, free, agent, "dept789", 10, "Sales", "German,English"},
		{"operator789", "Kenji Watanabe", online, free, agent, "dept790", 15, "Technical Support", "Japanese,English"},
		{"operator123456789", "Lucía Fernández", online, free, agent, "dept789", 12, "Sales,Technical Support", "Spanish,English"},
		{"supervisor_id", "Oona Virtanen", online, taken, supervisor, "dept790", 2, "General Support,Technical Support", "Finnish,English"},
		{"operator201", "Priya Raman", online, free, agent, "dept791", 10, "General Support", "Tamil,English,Hindi"},
		{"operator202", "Tomasz Zieliński", away, taken, agent, "dept789", 8, "Sales", "Polish,English"},
		{"operator203", "Amélie Moreau", offline, taken, agent, "dept790", 8, "General Support", "French"},
		{"operator204", "Björn Þórsson", offline, taken, agent, "dept801", 8, "Sales,General Support", "Icelandic,English"},
		{"operator205", "Chen Wei 陈伟", busy, taken, agent, "dept801", 6, "Technical Support", "Chinese,English"},
		{"operator206", "Noor Haddad", away, free, agent, "dept802", 6, "General Support", "Arabic,French"},
		{"operator207", "Samuel Okoro", offline, taken, supervisor, "dept801", 3, "Sales", "English"},
		{"operator208", "Helga Brandt", busy, taken, admin, "dept802", 3, "General Support", "German"},
	} {
		lastActive := s.within(time.Second, 10*time.Minute)
		if o.status == offline {
			lastActive = s.within(6*time.Hour, 72*time.Hour)
		}
		first, _, _ := strings.Cut(strings.ToLower(o.name), " ")
		s.data.Operators = append(s.data.Operators, salesiq.Operator{
			ID: o.id, Name: o.name, Email: fmt.Sprintf("%s.%s@nordlicht.example", ascii(first), ascii(o.id)),
			Status: o.status, Availability: o.availability, Role: o.role,
			DepartmentID: o.department, DepartmentName: s.departmentName(o.department),
			ProfilePicture: "https://www.nordlicht.example/team/" + o.id + ".jpg", Timezone: "Europe/Berlin",
			MaxChats: o.maxChats, Languages: strings.Split(o.languages, ","), Skills: strings.Split(o.skills, ","),
			CreatedAt: s.ago(s.within(90*24*time.Hour, 600*24*time.Hour)), LastActive: s.ago(lastActive),
		})
	}
}

func (s *seeder) departmentName(id string) string {
	for _, brand := range s.data.Brands {
		for _, department := range brand.Departments {
			if department.ID == id {
				return department.Name
			}
		}
	}
	return ""
}

// ascii drops what does not belong into the local part of an e-mail address.
func ascii(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 128 && r != '_' {
			return r
		}
		return -1
	}, text)
}

// place is where a visitor comes from.
type place struct{ city, region, country, code, language, timezone string }

var (
	givenNames  = []string{"Ada", "Søren", "Mei", "José", "Олена", "Fatima", "Zoë", "李", "Jürgen", "Aoife", "Kwame", "Nguyễn", "Lars", "Ínes", "Yusuf", "Hana"}
	familyNames = []string{"Marchetti", "Ødegård", "Tanaka", "Peña", "Коваль", "Al-Sayed", "Ångström", "娜", "Müller", "O’Brien", "Mensah", "Thị Mai", "Smith", "Costa", "Demir", "Nováková"}
	companies   = []string{"Halden Works", "Kaffee & Kuchen GmbH", "Blue Kite Studio", "Ryokan Partners", "", "Tindra AB", "Loom <Labs>", "", "Fjellsport", "Acacia Foods 🌿"}
	places      = []place{
		{"Hamburg", "Hamburg", "Germany", "DE", "de-DE", "Europe/Berlin"},
		{"São Paulo", "SP", "Brazil", "BR", "pt-BR", "America/Sao_Paulo"},
		{"Osaka", "Osaka", "Japan", "JP", "ja-JP", "Asia/Tokyo"},
		{"Portland", "Oregon", "United States", "US", "en-US", "America/Los_Angeles"},
		{"Nairobi", "Nairobi", "Kenya", "KE", "en-KE", "Africa/Nairobi"},
		{"Malmö", "Skåne", "Sweden", "SE", "sv-SE", "Europe/Stockholm"},
		{"Chennai", "Tamil Nadu", "India", "IN", "ta-IN", "Asia/Kolkata"},
	}
	sitePages = []string{"/", "/tents", "/boots", "/pricing", "/rental", "/contact", "/blog/packing-light"}
	siteTags  = []string{"technical", "enterprise", "vip", "pricing", "returning", "trial"}
	browsers  = []string{"Firefox 141.0", "Chrome 140.0", "Safari 18.4", "Edge 139.0"}
	systems   = []string{"Windows 11", "macOS 15", "Linux", "Android 16", "iOS 18"}
	hardware  = []string{"Desktop", "Mobile", "Tablet"}
	screens   = []string{"1920x1080", "1440x900", "390x844", "2560x1440"}
)

func (s *seeder) visitors() {
	s.data.Sessions = map[string][]salesiq.Session{}
	for i := range seededVisitors {
		visitor := s.visitor(i)
		s.data.Visitors = append(s.data.Visitors, visitor)
		s.data.Sessions[visitor.ID] = s.sessions(visitor)
	}
}

func (s *seeder) visitor(i int) salesiq.Visitor {
	given, family := givenNames[i%len(givenNames)], familyNames[(i/len(givenNames)+i)%len(familyNames)]
	from := pick(s, places...)
	visitor := salesiq.Visitor{
		ID: fmt.Sprintf("visitor%d", 1000+i), Name: given + " " + family,
		Email: fmt.Sprintf("guest%d@%s", i, pick(s, "mail.example", "post.example", "work.example")),
		Phone: fmt.Sprintf("+1-555-01%02d", i%100), Company: pick(s, companies...),
		City: from.city, Region: from.region, Country: from.country, CountryCode: from.code,
		Language: from.language, Timezone: from.timezone,
		IPAddress: fmt.Sprintf("203.0.113.%d", 1+i%254),
		Browser:   pick(s, browsers...), Platform: pick(s, systems...), Device: pick(s, hardware...),
		ScreenResolution: pick(s, screens...),
		Referrer:         pick(s, "https://search.example/?q=tent", "https://forum.example/t/42", ""),
		LandingPage:      "https://www.nordlicht.example" + pick(s, sitePages...),
		CurrentPage:      "https://www.nordlicht.example" + pick(s, sitePages...),
		PagesVisited:     1 + s.random.IntN(20), TotalVisits: 1 + s.random.IntN(9),
		FirstVisit: s.ago(s.within(50*24*time.Hour, 200*24*time.Hour)),
		Status:     salesiq.VisitorOffline, ChatStatus: salesiq.VisitorChatAvailable,
		LeadScore: s.random.IntN(101), Tags: s.tags(),
		CustomFields: map[string]any{"budget": pick(s, "small", "medium", "large")},
	}
	switch {
	case i == 0:
		visitor.ID, visitor.Company, visitor.LeadScore = "visitor123", "Halden Works", 88
		visitor.Tags = []string{"enterprise", "vip"}
	case i == 1:
		visitor.ID, visitor.LeadScore, visitor.Tags = "visitor123456789", 40, []string{"technical"}
	case i%6 == 5:
		visitor.Email = "" // Not everybody tells.
	case i%29 == 0:
		visitor.Email = "guest28@mail.example" // One person, two browsers.
	}
	if i == 28 {
		visitor.Email = "guest28@mail.example"
	}
	visitor.LastVisit = s.ago(s.within(24*time.Hour, 40*24*time.Hour))
	if i%5 < 2 {
		visitor.Status, visitor.LastVisit = salesiq.VisitorOnline, s.ago(s.within(time.Second, 40*time.Minute))
	}
	return visitor
}

func (s *seeder) tags() []string {
	tags := []string{}
	for _, tag := range siteTags {
		if s.random.IntN(5) == 0 {
			tags = append(tags, tag)
		}
	}
	return tags
}

func (s *seeder) sessions(visitor salesiq.Visitor) []salesiq.Session {
	sessions := make([]salesiq.Session, 1+s.random.IntN(3))
	for n := range sessions {
		began := visitor.LastVisit.Add(-s.within(20*time.Minute, 3*time.Hour) - time.Duration(n)*72*time.Hour)
		session := salesiq.Session{ID: fmt.Sprintf("session-%s-%d", visitor.ID, n+1), StartedAt: began}
		at := began
		for range 1 + s.random.IntN(4) {
			path, spent := pick(s, sitePages...), s.within(5*time.Second, 5*time.Minute)
			session.Pages = append(session.Pages, salesiq.PageView{
				URL: "https://www.nordlicht.example" + path, Title: title(path), VisitedAt: at, TimeSpent: wholeSeconds(spent),
			})
			at = at.Add(spent)
		}
		session.Duration = wholeSeconds(at.Sub(began))
		session.EndedAt = at
		sessions[n] = session
	}
	slices.Reverse(sessions) // Oldest first.
	return sessions
}

func title(path string) string {
	if path == "/" {
		return "Nordlicht Outdoor"
	}
	return "Nordlicht: " + strings.TrimPrefix(path, "/")
}

func (s *seeder) chats() {
	s.chat("chat123", "visitor123", "operator456", salesiq.ChatActive, 12*time.Minute)
	s.chat("chat123456789", "visitor123", "operator456", salesiq.ChatActive, 47*time.Minute)
	for range seededActive - 2 {
		s.chat("", "", s.anyOperator(), salesiq.ChatActive, s.within(time.Minute, 90*time.Minute))
	}
	for range seededWaiting {
		s.chat("", "", "", salesiq.ChatWaiting, s.within(10*time.Second, 15*time.Minute))
	}
	for range seededMissed {
		s.chat("", "", s.anyOperator(), salesiq.ChatMissed, s.within(2*time.Hour, 45*24*time.Hour))
	}
	for range seededEnded {
		s.chat("", "", s.anyOperator(), salesiq.ChatEnded, s.within(2*time.Hour, 45*24*time.Hour))
	}
}

// anyOperator picks somebody who answers chats, whether or not still there.
func (s *seeder) anyOperator() string {
	return s.data.Operators[1+s.random.IntN(len(s.data.Operators)-1)].ID
}

// chat adds a chat that began so long ago. An empty id or visitor is chosen.
func (s *seeder) chat(id, visitorID, operatorID string, status salesiq.ChatStatus, age time.Duration) {
	if id == "" {
		id = fmt.Sprintf("chat%d", 1000+len(s.data.Chats))
	}
	visitor := s.visitorFor(visitorID)
	department := pick(s, "dept789", "dept790", "dept791", "dept801", "dept802")
	for _, operator := range s.data.Operators {
		if operator.ID == operatorID && operator.DepartmentID != "" {
			department = operator.DepartmentID
		}
	}
	chat := salesiq.Chat{
		ID: id, VisitorID: visitor.ID, OperatorID: operatorID, DepartmentID: department, Status: status,
		Type: salesiq.ChatTypeLive, StartedAt: s.ago(age),
		VisitorInfo:  visitorInfo(visitor),
		Tags:         slices.Clone(visitor.Tags),
		CustomFields: map[string]any{"basket": s.random.IntN(900)},
	}
	length := age
	if status == salesiq.ChatEnded {
		length = s.within(2*time.Minute, 40*time.Minute)
		ended := chat.StartedAt.Add(length)
		chat.EndedAt, chat.Duration = ended, wholeSeconds(length)
		s.rate(&chat)
	}
	if status == salesiq.ChatMissed {
		length = time.Minute
		ended := chat.StartedAt.Add(length)
		chat.EndedAt = ended
	}
	if status == salesiq.ChatActive {
		visitor.Status, visitor.ChatStatus = salesiq.VisitorChatting, chatStatusBusy
		visitor.LastVisit = s.ago(s.within(time.Second, time.Minute))
	}
	chat.Transcript = s.transcript(&chat, length)
	s.data.Chats = append(s.data.Chats, chat)
}

func (s *seeder) visitorFor(id string) *salesiq.Visitor {
	for i := range s.data.Visitors {
		if s.data.Visitors[i].ID == id {
			return &s.data.Visitors[i]
		}
	}
	others := s.data.Visitors[2:] // The samples' visitors have the samples' chats.
	return &others[s.random.IntN(len(others))]
}

func (s *seeder) rate(chat *salesiq.Chat) {
	if s.random.IntN(10) < 4 {
		return // Most people do not bother.
	}
	rating := pick(s, 5, 5, 5, 4, 4, 3, 2, 1)
	chat.Rating = &rating
	if rating < 3 || s.random.IntN(2) == 0 {
		feedback := map[int]string{
			1: "Nobody knew the answer.", 2: "Took too long.", 3: "All right.",
			4: "Friendly and quick.", 5: "Perfect, danke schön! 🙏",
		}[rating]
		chat.Feedback = &feedback
	}
}

var (
	questions = []string{"Hi, do you have this in green?", "My order has not arrived.", "Can I rent for a weekend?", "The login page says 500.", "什么时候发货？"}
	answers   = []string{"Hello! Let me look.", "One moment, please.", "Yes, we do.", "I have sent you a link.", "Could you tell me the order number?"}
)

func (s *seeder) transcript(chat *salesiq.Chat, length time.Duration) []salesiq.Message {
	lines := 2 + s.random.IntN(8)
	answered := chat.Status == salesiq.ChatActive || chat.Status == salesiq.ChatEnded
	if !answered {
		lines = 1
	}
	messages := make([]salesiq.Message, lines)
	at := chat.StartedAt
	for i := range messages {
		at = at.Add(min(s.within(2*time.Second, 90*time.Second), length/time.Duration(lines)).Truncate(time.Second))
		message := salesiq.Message{
			ID: fmt.Sprintf("%s-msg%d", chat.ID, i+1), SenderType: salesiq.SenderVisitor, SenderID: chat.VisitorID,
			Text: pick(s, questions...), Timestamp: at, Type: salesiq.MessageText,
		}
		if i%2 == 1 {
			message.SenderType, message.SenderID, message.Text = salesiq.SenderOperator, chat.OperatorID, pick(s, answers...)
		}
		messages[i] = message
	}
	return messages
}

func (s *seeder) rules() {
	s.data.RoutingRules = []salesiq.RoutingRule{
		{
			ID: "rule123456789", Name: "VIPs to sales", Priority: 1, Enabled: true,
			Conditions: []salesiq.RoutingCondition{
				{Field: "visitor.tags", Operator: salesiq.RoutingContains, Value: "vip"},
				{Field: "visitor.lead_score", Operator: salesiq.RoutingGreaterThan, Value: 80},
			},
			Actions: salesiq.RoutingActions{
				AssignTo: salesiq.AssignToDepartment, DepartmentID: "dept789",
				OperatorIDs: []string{"operator456", "operator789"}, Priority: salesiq.RoutingPriorityHigh,
			},
		},
		{
			ID: "rule123", Name: "Technical questions", Priority: 2, Enabled: true,
			Conditions: []salesiq.RoutingCondition{{Field: "visitor.tags", Operator: salesiq.RoutingContains, Value: "technical"}},
			Actions:    salesiq.RoutingActions{AssignTo: salesiq.AssignToOperator, OperatorIDs: []string{"operator789"}},
		},
		{
			ID: "rule124", Name: "From abroad", Priority: 3, Enabled: false,
			Conditions: []salesiq.RoutingCondition{{Field: "visitor.country_code", Operator: "not_in", Value: []any{"DE", "AT"}}},
			Actions:    salesiq.RoutingActions{AssignTo: salesiq.AssignToDepartment, DepartmentID: "dept790"},
		},
	}
}

// webhooks are there to be listed; they point nowhere and are off.
func (s *seeder) webhooks() {
	s.data.Webhooks = []salesiq.Webhook{{
		ID: "webhook123", Name: "Archive", URL: "https://archive.nordlicht.example/salesiq",
		Events: []salesiq.EventName{salesiq.EventChatEnded, salesiq.EventChatRating}, Secret: salesiq.NewSecret("seeded-webhook-secret"),
	}}
	s.data.Devices = []salesiq.Device{{
		ID: "device123", Token: salesiq.NewSecret("seeded-device-token"), Platform: salesiq.PlatformIOS, OperatorID: "supervisor_id",
	}}
}

// count fills in what follows from the chats.
func (s *seeder) count() {
	all := newState(nil)
	all.add(Data{Chats: s.data.Chats})
	for i := range s.data.Operators {
		operator := &s.data.Operators[i]
		stats := all.stats(operator.ID, span{})
		operator.TotalChats, operator.AverageRating = stats.TotalChats, stats.AverageRating
		for chat := range all.chats.all() {
			if chat.OperatorID == operator.ID && chat.Status == salesiq.ChatActive {
				operator.ActiveChats++
			}
		}
	}
}
