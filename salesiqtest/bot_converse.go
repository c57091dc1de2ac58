package salesiqtest

import (
	"cmp"
	"fmt"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/salesiq-go/salesiq"
)

// Conversation is a conversation of a visitor with a bot, as a test plays it. What the
// visitor does waits until the bot has answered everything before, and what the bot has
// said until then, and the test has not expected, is passed over. Expectations take what
// the bot says one after the other, and wait for it, also while it is pending. One that
// does not come true fails the test with all that was said.
//
// An answer that breaks a rule of the service fails the test, too.
type Conversation struct {
	tb     testing.TB
	server *Server
	state  *state

	visitorID string
	chatID    string
	talk      *talk // Nil before the visitor does anything.
	heard     int   // Lines of the talk that the test has dealt with.
	told      int   // Problems that the test was told of.
}

// Converse begins a conversation with a bot, on a server of its own that is [Live] and
// [InMemory]:
//
//	c := salesiqtest.Converse(t, bot)
//	c.Says("Hello")
//	c.Expects("What is your name?")
//
// For a bot that verifies its requests, or answers by callback, there is
// [Server.Converse].
func Converse(tb testing.TB, bot http.Handler, opts ...Option) *Conversation {
	tb.Helper()
	return Start(tb, append([]Option{Live(), InMemory()}, opts...)...).Converse(tb, bot)
}

// Converse begins a conversation with a bot, which is connected as [Server.ConnectBot]
// does it. If it is nil, the conversation is with the bot that is connected already. The
// server must be [Live]; one that is [InMemory], too, can be used inside of a
// testing/synctest bubble, where all times pass at once.
//
//	server := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.InMemory())
//	bot, err := live.NewBot(server.Verifier(), …)
//	…
//	c := server.Converse(t, bot)
//
// The conversation is one of the server's: its calls find it, and its events tell of it.
func (s *Server) Converse(tb testing.TB, bot http.Handler) *Conversation {
	tb.Helper()
	if bot != nil {
		made, err := s.connectBot(Bot{Handler: bot})
		if err != nil {
			tb.Fatalf("salesiqtest: %v", err)
		}
		tb.Cleanup(made.close)
	}
	c := &Conversation{tb: tb, server: s}
	connected := false
	s.act(func(d *state) error { //nolint:errcheck // It returns none.
		c.state, connected = d, d.bot != nil
		c.visitorID = d.visitorComes(d.newID(visitorPrefix), "https://www.nordlicht.example/").ID
		return nil
	})
	if !connected {
		tb.Fatal("salesiqtest: no bot is connected")
	}
	return c
}

// As tells who the visitor is, such as
//
//	c := server.Converse(t, bot).As(salesiq.Visitor{Name: "Zoë", Email: "zoe@post.example"})
//
// Its id and its visits are the server's.
func (c *Conversation) As(visitor salesiq.Visitor) *Conversation {
	c.tb.Helper()
	c.do(func() error {
		known, _ := c.state.visitors.get(c.visitorID) // Nothing takes visitors away.
		visitor.ID, visitor.FirstVisit, visitor.LastVisit, visitor.TotalVisits = known.ID, known.FirstVisit, known.LastVisit, known.TotalVisits
		visitor.Status, visitor.ChatStatus = known.Status, known.ChatStatus
		visitor.CurrentPage, visitor.LandingPage = cmp.Or(visitor.CurrentPage, known.CurrentPage), cmp.Or(visitor.LandingPage, known.LandingPage)
		*known = clone(visitor)
		return nil
	})
	return c
}

// Opens opens the chat window: the bot's trigger.
func (c *Conversation) Opens() {
	c.tb.Helper()
	c.settle()
	c.do(func() error {
		if c.talk != nil {
			return fmt.Errorf("there is a conversation already")
		}
		if c.talk = c.state.openWindow(c.visitorID); c.talk == nil {
			return fmt.Errorf("the bot is switched off")
		}
		c.talk.add(talkLine{who: "visitor", text: "(opens the chat window)"})
		return nil
	})
}

// Says lets the visitor write. A card that fields are filled in takes it as well; one to
// choose from, and suggestions, do not.
func (c *Conversation) Says(text string) {
	c.tb.Helper()
	c.settle()
	c.do(func() error {
		if t := c.talk; t.open() && (len(t.suggests) > 0 || t.asks != nil && len(t.asks.options) > 0) {
			return fmt.Errorf("the visitor cannot write %q: there is something to choose (see Chooses)", text)
		}
		chat, err := c.chat()
		if err == nil {
			c.state.writeAsVisitor(chat, text)
		}
		return err
	})
}

// Chooses lets the visitor choose a suggestion, or values of a card: several of a
// multiple-select, and both ends of a range. A drop-down has its labels for that.
func (c *Conversation) Chooses(values ...string) {
	c.tb.Helper()
	c.settle()
	c.do(func() error {
		if _, err := c.talk.choice(values); err != nil {
			return err
		}
		chat, err := c.chat()
		if err == nil {
			err = c.state.choose(chat, values)
		}
		return err
	})
}

// Attaches lets the visitor send a file.
func (c *Conversation) Attaches(name string, content []byte) {
	c.tb.Helper()
	c.settle()
	c.do(func() error {
		chat, err := c.chat()
		if err != nil {
			return err
		}
		return c.state.attachAsVisitor(chat, &storedFile{name: name, kind: mime.TypeByExtension(path.Ext(name)), content: content})
	})
}

// chat is the visitor's conversation, which begins where there is none.
func (c *Conversation) chat() (*salesiq.Chat, error) {
	if err := c.state.checkBlocked(c.visitorID); err != nil {
		return nil, err
	}
	if c.chatID == "" {
		visitor, _ := c.state.visitors.get(c.visitorID)
		if c.talk == nil || c.talk.chatID == "" {
			c.state.startChat(visitor, "")
		}
		if chat, ok := c.state.chats.first(func(chat *salesiq.Chat) bool { return chat.VisitorID == c.visitorID }); ok {
			c.chatID = chat.ID
			c.follow(c.state.talks[chat.ID])
		}
		if c.talk == nil {
			return nil, fmt.Errorf("the bot is switched off")
		}
	}
	return c.state.chatIn(c.chatID, salesiq.ChatWaiting, salesiq.ChatActive)
}

// follow goes on with a talk: another one, if the bot had ended the first before the
// visitor said anything.
func (c *Conversation) follow(t *talk) {
	if c.talk != t {
		c.talk, c.heard, c.told = t, 0, 0
	}
}

// Expects waits for messages, one after the other. A text is that of the message, where
// "…" stands for anything: "Hello …!", "… is on its way". A message of an operator is one
// as well, and of a card without a text, it is its kind, such as "[image]".
func (c *Conversation) Expects(texts ...string) {
	c.tb.Helper()
	for _, want := range texts {
		line, ok := c.next()
		switch {
		case !ok:
			c.failf("the bot should have said %q, and has said nothing more", want)
		case !matches(want, line.text):
			c.failf("the bot should have said %q, and has said %q", want, line.text)
		}
	}
}

// ExpectsCard waits for a card: one to answer, such as "select" or "calendar", with
// exactly these options if any are named; "suggestions", likewise; or a reply of a kind,
// such as "links" or "file".
func (c *Conversation) ExpectsCard(kind string, options ...string) {
	c.tb.Helper()
	if _, reply := replyCards[kind]; reply {
		line, ok := c.next()
		if !ok || line.kind != kind {
			c.failf("the bot should have shown %s, and has said %q", kind, line.text)
		}
		return
	}
	c.wait(func(t *talk) bool { return t.asks != nil || len(t.suggests) > 0 })
	shown, offered := "nothing to answer with", []string{}
	c.look(func(t *talk) {
		switch {
		case t != nil && t.asks != nil:
			shown, offered = t.asks.kind, t.asks.options
		case t != nil && len(t.suggests) > 0:
			shown, offered = "suggestions", t.suggests
		}
	})
	switch {
	case shown != kind:
		c.failf("the bot should have shown %s, and has shown %s", kind, shown)
	case len(options) > 0 && !slices.Equal(options, offered):
		c.failf("the %s should have been %s, and are %s", kind, quotedList(options), quotedList(offered))
	}
}

// ExpectsForward waits until the bot hands the conversation over: to a department, by its
// id or name, to an operator's e-mail address, or, if that is empty, to anybody.
func (c *Conversation) ExpectsForward(to string) {
	c.tb.Helper()
	c.expectsOutcome("forward")
	passedTo, name := "", ""
	c.look(func(t *talk) {
		department, _ := c.state.department(t.passedTo)
		passedTo, name = t.passedTo, department.Name
	})
	if to != passedTo && (to == "" || to != name) {
		c.failf("the bot should have forwarded the conversation to %s, and has to %s", cmp.Or(to, "anybody"), cmp.Or(name, passedTo, "anybody"))
	}
}

// ExpectsEnd waits until the bot ends the conversation.
func (c *Conversation) ExpectsEnd() { c.tb.Helper(); c.expectsOutcome("end") }

// ExpectsBusy waits until the bot asks the visitor to leave a message.
func (c *Conversation) ExpectsBusy() { c.tb.Helper(); c.expectsOutcome("operator_busy") }

// ExpectsBlock waits until the bot blocks the visitor.
func (c *Conversation) ExpectsBlock() { c.tb.Helper(); c.expectsOutcome("block") }

func (c *Conversation) expectsOutcome(want string) {
	c.tb.Helper()
	c.wait(func(t *talk) bool { return t.outcome != "" })
	got := ""
	c.look(func(t *talk) {
		if t != nil {
			got = t.outcome
		}
	})
	switch got {
	case want:
	case "":
		c.failf("the bot should have answered with the action %s, and still has the conversation", want)
	default:
		c.failf("the bot should have answered with the action %s; its part has ended by: %s", want, got)
	}
}

// Chat returns the conversation as the server has it, once the visitor has said something.
// Its id is that for calls: an operator picks it up, and answers.
func (c *Conversation) Chat() salesiq.Chat {
	c.tb.Helper()
	c.settle()
	chat := salesiq.Chat{}
	c.do(func() error {
		known, err := c.state.chats.find(c.talk.chatOrNone())
		if err == nil {
			chat = clone(*known)
		}
		return err
	})
	return chat
}

// chatOrNone is the id of the chat, if there is one.
func (t *talk) chatOrNone() string {
	if t == nil {
		return ""
	}
	return t.chatID
}

// String is all that was said, and who said it.
func (c *Conversation) String() string {
	var lines []talkLine
	c.look(func(t *talk) {
		if t != nil {
			lines = slices.Clone(t.lines)
		}
	})
	width := 0
	for _, line := range lines {
		width = max(width, len([]rune(line.who)))
	}
	out := strings.Builder{}
	for _, line := range lines {
		indent := "\n" + strings.Repeat(" ", width+4)
		fmt.Fprintf(&out, "  %s%s  %s\n", line.who, strings.Repeat(" ", width-len([]rune(line.who))), strings.ReplaceAll(line.text, "\n", indent))
	}
	return out.String()
}

// next waits for what the bot or an operator says next.
func (c *Conversation) next() (line talkLine, ok bool) {
	c.tb.Helper()
	unheard := func(t *talk) bool {
		for c.heard < len(t.lines) {
			if line = t.lines[c.heard]; line.said {
				return true
			}
			c.heard++
		}
		return false
	}
	if ok = c.wait(unheard); ok {
		c.heard++
	}
	return line, ok
}

// settle waits until the bot has nothing more to say, and passes over what it has said.
func (c *Conversation) settle() {
	c.tb.Helper()
	c.wait(func(*talk) bool { return false })
	c.look(func(t *talk) {
		if t != nil {
			c.heard = len(t.lines)
		}
	})
}

// wait waits until something is true, or the bot has nothing more to say. It fails the test
// if the bot breaks a rule.
func (c *Conversation) wait(until func(t *talk) bool) (came bool) {
	c.tb.Helper()
	for {
		changed, idle, problem := make(chan struct{}), true, ""
		c.look(func(t *talk) {
			if t == nil {
				return
			}
			problem = c.nextProblem(t)
			came, changed, idle = until(t), t.changed, !t.serving
		})
		if problem != "" {
			c.failf("%s", problem)
		}
		if came || idle {
			return came
		}
		select {
		case <-changed:
		case <-c.state.courier.context.Done():
			c.failf("the server has been closed or reset")
		}
	}
}

// nextProblem is what the bot has done wrong, and the test was not told of.
func (c *Conversation) nextProblem(t *talk) string {
	for c.told < len(t.problems) {
		problem := t.problems[c.told]
		c.told++
		if !problem.harmless {
			return problem.text
		}
	}
	return ""
}

// look does something with the talk, under the server's lock.
func (c *Conversation) look(do func(t *talk)) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	do(c.talk)
}

// do lets the visitor do something, which must be possible.
func (c *Conversation) do(act func() error) {
	c.tb.Helper()
	err := fmt.Errorf("the server has been reset")
	c.server.actOn(c.state, func() { err = act() })
	if err != nil {
		c.failf("%v", err)
	}
}

func (c *Conversation) failf(format string, args ...any) {
	c.tb.Helper()
	c.tb.Fatalf("salesiqtest: %s\n\n%s", fmt.Sprintf(format, args...), c)
}

// matches tells whether a text is the wanted one, in which "…" stands for anything.
func matches(want, got string) bool {
	parts := strings.Split(want, "…")
	if len(parts) == 1 {
		return want == got
	}
	first, last := parts[0], parts[len(parts)-1]
	if !strings.HasPrefix(got, first) || len(got) < len(first)+len(last) || !strings.HasSuffix(got, last) {
		return false
	}
	rest := got[len(first) : len(got)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return true
}
