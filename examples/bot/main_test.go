package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// screen is what the program writes to.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func useNoAccount(t *testing.T) {
	t.Helper()
	for _, name := range []string{"ZOHO_REFRESH_TOKEN", "SALESIQ_BASE_URL", "SALESIQ_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
}

// begin starts the program, and returns what it prints, and a func that stops it.
func begin(t *testing.T, set settings) (*screen, func()) {
	t.Helper()
	out := new(screen)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, out, set) }()
	stop := sync.OnceFunc(func() { cancel(); assert.NoError(t, <-ended) })
	t.Cleanup(stop)
	return out, stop
}

// after waits for what is printed after a text, up to the end of the line.
func (s *screen) after(t *testing.T, text string) (rest string) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, found, ok := strings.Cut(s.String(), text)
		rest, _, _ = strings.Cut(found, "\n")
		return ok && strings.Contains(found, "\n")
	}, 10*time.Second, time.Millisecond, "%q in: %s", text, s)
	return rest
}

func TestAPageToTalkToTheBotIsServed(t *testing.T) {
	useNoAccount(t)
	out, _ := begin(t, settings{listen: "127.0.0.1:0"})
	page := out.after(t, "Talk to it at ")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page, nil)
	require.NoError(t, err)
	answer, err := (&http.Client{Timeout: 10 * time.Second}).Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	assert.Contains(t, answer.Header.Get("Content-Type"), "text/html")
}

func TestAnOperatorAnswersWithTheCommandThatIsPrinted(t *testing.T) {
	for _, needed := range []string{"sh", "curl", "cut"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skip(err)
		}
	}
	useNoAccount(t)
	out, _ := begin(t, settings{listen: "127.0.0.1:0"})
	out.after(t, "$C/messages")
	for line := range strings.Lines(out.String()) {
		assert.LessOrEqual(t, len(line), 80+len("\n"), line)
	}
	emulator := out.after(t, "The emulator is at ")
	client, err := salesiq.NewClient(salesiq.RefreshToken(salesiqtest.Start(t).Credentials(), salesiq.NewMemoryTokenStore()),
		salesiq.WithBaseURL(emulator), salesiq.WithPortal("nordlicht"))
	require.NoError(t, err)
	service := live.New(client)
	for waiting, err := range service.Conversations.All(t.Context(), &live.ConversationListParams{Status: live.Waiting}) {
		require.NoError(t, err)
		_, printed, _ := strings.Cut(out.String(), "\n  E=")
		printed = strings.Replace("E="+printed, "/ID\n", "/"+waiting.ID+"\n", 1)
		answer, err := exec.CommandContext(t.Context(), "sh", "-c", printed).CombinedOutput()
		require.NoError(t, err, string(answer))
		messages, err := service.Messages.List(t.Context(), waiting.ID, nil)
		require.NoError(t, err)
		require.NotEmpty(t, messages)
		assert.Equal(t, "Hello!", messages[len(messages)-1].Text())
		break
	}
}

// The program ends between any two turns, and another one goes on.
func TestARestartInTheMiddleOfAConversationLosesNothing(t *testing.T) {
	useNoAccount(t)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	set := settings{listen: listener.Addr().String()} // The same address each time.
	require.NoError(t, listener.Close())
	emulator := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.WithBot(salesiqtest.Bot{URL: "http://" + set.listen, HandlesFailures: true}))
	for _, line := range emulator.Environment() {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
	set.key = os.Getenv("SALESIQ_BOT_KEY")
	require.NotEmpty(t, set.key)
	restart := func() {}
	again := func() {
		restart()
		out, stop := begin(t, set)
		out.after(t, "The bot is at ")
		restart = stop
	}
	again()
	c := emulator.Converse(t, nil)
	c.Opens()
	c.ExpectsCard("suggestions", "Delivery", "Returns", "Repairs", "Storms", "Opening hours", "Something else")
	again()
	c.Chooses("Something else")
	c.Expects("Please write …")
	again()
	c.Says("Do you sell canoes?")
	c.Expects("I do not know that…", "What is your name?")
	again()
	c.Says("Amira Osei")
	c.Expects("Where can we write to you…")
	again()
	c.Says("amira@post.example")
	c.Expects("Which order …")
	again()
	c.Says("N-4711")
	c.Expects("Thank you, Amira Osei. …")
	c.ExpectsForward("")

	var notes []string
	for _, written := range emulator.Journal() {
		if strings.HasSuffix(written.Path, "/"+c.Chat().ID+"/notes") {
			var note struct {
				Notes string `json:"notes"`
			}
			require.NoError(t, json.Unmarshal([]byte(written.Body), &note))
			notes = append(notes, note.Notes)
		}
	}
	assert.Equal(t, []string{`The bot did not know an answer to "Do you sell canoes?".`, "Name: Amira Osei\nEmail: amira@post.example\nOrder: N-4711"}, notes)
}

func TestARealAccountIsLeftAloneUnlessToldOtherwise(t *testing.T) {
	for name, value := range map[string]string{
		"ZOHO_CLIENT_ID": "x", "ZOHO_CLIENT_SECRET": "x", "ZOHO_REFRESH_TOKEN": "x", "SALESIQ_BASE_URL": "https://salesiq.example", "SALESIQ_TOKEN_FILE": "",
	} {
		t.Setenv(name, value)
	}
	require.ErrorContains(t, run(t.Context(), io.Discard, settings{key: "x"}), "-write")
	require.ErrorContains(t, run(t.Context(), io.Discard, settings{write: true}), "SALESIQ_BOT_KEY")
}

func TestWhatIsWrongWithTheSettingsIsToldAtOnce(t *testing.T) {
	useNoAccount(t)
	require.ErrorContains(t, run(t.Context(), io.Discard, settings{listen: "127.0.0.1:0", faq: "none.txt"}), "none.txt")
	require.ErrorContains(t, run(t.Context(), io.Discard, settings{listen: "127.0.0.1:0", key: "none"}), "RSA key")
}
