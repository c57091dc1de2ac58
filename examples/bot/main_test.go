package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

func TestTheTourEndsWithAnOperator(t *testing.T) {
	useNoAccount(t)
	var out screen
	require.NoError(t, run(t.Context(), &out, settings{listen: "127.0.0.1:0"}))
	words := strings.Join(strings.Fields(out.String()), " ")
	for _, text := range []string{"The bot is at http://127.0.0.1:", "if you order before noon", "I do not know that", "Thank you, Zoë O’Brien.", "(an operator takes over)"} {
		assert.Contains(t, words, text)
	}
	assert.NotContains(t, words, "level=ERROR")
}

// begin starts the program on an emulator that stays, as on an account, and returns its
// address.
func begin(t *testing.T) (url string, stop func()) {
	t.Helper()
	out := new(screen)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, out, settings{listen: "127.0.0.1:0"}) }()
	stop = sync.OnceFunc(func() { cancel(); assert.NoError(t, <-ended) })
	t.Cleanup(stop)
	require.Eventually(t, func() bool {
		_, rest, _ := strings.Cut(out.String(), "The bot is at ")
		line, _, whole := strings.Cut(rest, "\n")
		url = line
		return whole
	}, 10*time.Second, time.Millisecond)
	return url, stop
}

func TestARestartInTheMiddleOfAConversationLosesNothing(t *testing.T) {
	useNoAccount(t)
	emulator := salesiqtest.Start(t, salesiqtest.Live())
	for _, line := range emulator.Environment() {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
	var out screen
	first, stop := begin(t)
	v := visitor{out: &out, url: first}
	require.NoError(t, v.ask(t.Context(), "Do you sell canoes?", "message", `{"operation":"chat","message":{"text":"Do you sell canoes?"},"attachments":[]}`))
	stop()
	v.url, _ = begin(t)
	require.NoError(t, v.ask(t.Context(), "Amira", "context", `{"context_id":"hand-over","answers":{"name":{"text":"Amira"},"email":{"text":"a@post.example"},"order":{"text":"N-4711"}}}`))
	assert.Contains(t, out.String(), "Thank you, Amira.")

	var notes []string
	for _, written := range emulator.Journal() {
		assert.Equal(t, "/api/v2/nordlicht/conversations/chat123/notes", written.Path)
		var note struct{ Notes string }
		require.NoError(t, json.Unmarshal([]byte(written.Body), &note))
		notes = append(notes, note.Notes)
	}
	assert.Equal(t, []string{`The bot did not know an answer to "Do you sell canoes?".`, "Name: Amira\nEmail: a@post.example\nOrder: N-4711"}, notes)
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
