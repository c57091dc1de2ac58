package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
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

// after waits for what is written after a text, up to the end of the line.
func (s *screen) after(t *testing.T, text string) (rest string) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, found, ok := strings.Cut(s.String(), text)
		rest, _, _ = strings.Cut(found, "\n")
		return ok && strings.Contains(found, "\n")
	}, 10*time.Second, time.Millisecond, "%q in: %s", text, s)
	return rest
}

func TestTheTourShowsEachKindOfEvent(t *testing.T) {
	for _, name := range []string{"ZOHO_REFRESH_TOKEN", "SALESIQ_BASE_URL", "SALESIQ_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	var out screen
	require.NoError(t, run(t.Context(), &out, settings{listen: "127.0.0.1:0"}))
	events := 0
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, " ") {
			events++
		}
	}
	require.Equal(t, 1+tourEvents, events, out.String())
	for _, name := range []salesiq.EventName{
		salesiq.EventChatStarted, salesiq.EventChatEnded, salesiq.EventChatMissed, salesiq.EventChatRated, salesiq.EventMessageReceived,
		salesiq.EventVisitorIdentified, salesiq.EventVisitorOnline, salesiq.EventVisitorOffline, salesiq.EventOperatorStatusChanged,
		salesiq.EventLeadCreated, salesiq.EventTriggerExecuted,
	} {
		assert.Contains(t, out.String(), "  "+string(name)+" ")
	}
	words := strings.Join(strings.Fields(out.String()), " ") // Of lines that are broken, too.
	for _, text := range []string{
		"Eszter Varga began chat", `5 of 5, "Now I dare"`, "Kenji Watanabe was online and is away", "Eszter Varga has left",
		"nobody answered Eszter Varga in chat", "became lead4711",
	} {
		assert.Contains(t, words, text)
	}
	assert.NotContains(t, words, "chat chat", "no kind is said twice")
	assert.NotContains(t, words, "visitor visitor")
}

func TestALowRatingIsPointedOut(t *testing.T) {
	t.Parallel()
	for rating, want := range map[int]bool{1: true, 2: true, 3: false, 5: false} {
		assert.Equal(t, want, strings.Contains(describe(&webhook.ChatRated{ChatID: "chat5", Rating: rating}), "tell a manager"), rating)
	}
}

// program is one life of the program.
type program struct {
	screen

	url  string
	stop func() error
}

func begin(t *testing.T, set settings) *program {
	t.Helper()
	p := &program{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, &p.screen, set) }()
	p.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { assert.NoError(t, p.stop()) })
	p.url = p.after(t, "Receiving at ")
	return p
}

// stopper ends the program at its first word.
type stopper struct{ stop func() }

func (s stopper) Write(text []byte) (int, error) {
	s.stop()
	return len(text), nil
}

func TestStoppingTheTourIsNoFailure(t *testing.T) {
	for _, name := range []string{"SALESIQ_BASE_URL", "SALESIQ_TOKEN_FILE", "ZOHO_REFRESH_TOKEN"} {
		t.Setenv(name, "")
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	require.NoError(t, run(ctx, stopper{stop}, settings{listen: "127.0.0.1:0"}))
	require.Error(t, ctx.Err(), "it was stopped")
}

func TestARestartPrintsNothingTwice(t *testing.T) {
	emulator := salesiqtest.Start(t)
	useEmulator(t, emulator)
	set := settings{listen: "127.0.0.1:0", store: filepath.Join(t.TempDir(), "seen"), secret: salesiq.NewSecret("a secret that stays")}

	first := begin(t, set)
	require.NoError(t, emulator.Emit(salesiq.EventChatRated, map[string]any{"chat_id": "chat5", "rating": 3}))
	assert.Contains(t, first.after(t, "chat.rating"), "chat5: 3 of 5")
	require.NoError(t, first.stop())
	require.Eventually(t, func() bool { return len(emulator.Deliveries()) == 1 }, 10*time.Second, time.Millisecond)

	second := begin(t, set)
	require.Equal(t, http.StatusOK, deliver(t, second.url, set.secret, emulator.Deliveries()[0].Body))
	require.NoError(t, emulator.Emit(salesiq.EventChatRated, map[string]any{"chat_id": "chat6", "rating": 4}))
	assert.Contains(t, second.after(t, "chat.rating"), "chat6: 4 of 5")
	assert.NotContains(t, second.String(), "chat5")
}

// useEmulator lets the program work on an emulator as on an account.
func useEmulator(t *testing.T, emulator *salesiqtest.Server) {
	t.Helper()
	for _, line := range emulator.Environment() {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
	t.Setenv("SALESIQ_TOKEN_FILE", "")
}

// deliver delivers an event as the service does.
func deliver(t *testing.T, url string, secret salesiq.Secret, body string) (status int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set(webhook.HeaderSignature, webhook.SignHMAC(secret, []byte(body)))
	client := &http.Client{Timeout: 10 * time.Second}
	answer, err := client.Do(request)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode
}

func TestTheSameWebhookIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	emulator := salesiqtest.Start(t)
	before := len(emulator.Webhooks())
	client := emulator.Client(t)
	set := settings{url: "https://hooks.example/salesiq", secret: salesiq.NewSecret("one")}
	events := []salesiq.EventName{salesiq.EventChatRated}
	require.NoError(t, subscribe(t.Context(), client, set, events))
	set.secret = salesiq.NewSecret("two")
	require.NoError(t, subscribe(t.Context(), client, set, events))
	webhooks := emulator.Webhooks()
	require.Len(t, webhooks, before+1)
	assert.Equal(t, "two", webhooks[before].Secret.Reveal())
}

func TestARealAccountIsLeftAloneUnlessToldOtherwise(t *testing.T) {
	for name, value := range map[string]string{
		"ZOHO_CLIENT_ID": "x", "ZOHO_CLIENT_SECRET": "x", "ZOHO_REFRESH_TOKEN": "x", "SALESIQ_BASE_URL": "https://salesiq.example", "SALESIQ_TOKEN_FILE": "",
	} {
		t.Setenv(name, value)
	}
	require.ErrorContains(t, run(t.Context(), io.Discard, settings{url: "https://hooks.example/", secret: salesiq.NewSecret("x")}), "-write")
}
