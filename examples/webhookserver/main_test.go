package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/examples/internal/account"
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
	useNoAccount(t)
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

func TestEachKindOfEventIsDescribed(t *testing.T) {
	t.Parallel()
	const visitor, chat = `"visitor_id":"7"`, `"chat_id":"5"`
	for _, row := range []struct{ name, data, want string }{
		{"chat.started", `{` + chat + `,` + visitor + `,"visitor_name":"Ada"}`, "Ada began chat 5"},
		{"chat.started", `{` + chat + `,` + visitor + `}`, "visitor 7 began chat 5"},
		{"chat.ended", `{` + chat + `,"message_count":1,"duration":75}`, "chat 5, 1 message in 1 min 15 s"},
		{"chat.missed", `{` + chat + `,` + visitor + `}`, "nobody answered visitor 7 in chat 5"},
		{"chat.rating", `{` + chat + `,"rating":2,"feedback":"slow"}`, `chat 5: 2 of 5, "slow": tell a manager`},
		{"message.received", `{` + chat + `,"sender_type":"visitor","message":"Hello?"}`, `visitor in chat 5: "Hello?"`},
		{"visitor.identified", `{` + visitor + `,"name":"Ada","email":"ada@mail.example"}`, "visitor 7 is Ada <ada@mail.example>"},
		{"visitor.online", `{` + visitor + `,"current_page":"/tents"}`, "visitor 7 looks at /tents"},
		{"visitor.offline", `{` + visitor + `,"name":"Ada"}`, "Ada has left"},
		{"operator.status_changed", `{"operator_name":"Kim","previous_status":"online","status":"away"}`, "Kim was online and is away"},
		{"lead.created", `{"lead_id":"9","name":"Ada","email":"ada@mail.example"}`, "Ada <ada@mail.example> became lead 9"},
		{"trigger.executed", `{"trigger_id":"t1",` + visitor + `}`, "t1, for visitor 7"},
		{"trigger.executed", `{"trigger_id":"t1","trigger_name":"Greet",` + visitor + `}`, "Greet, for visitor 7"},
		{"moon.landed", `{"on":"earth"}`, `{"on":"earth"}`},
	} {
		event, err := webhook.Parse([]byte(`{"event":"` + row.name + `","data":` + row.data + `}`))
		require.NoError(t, err)
		assert.Equal(t, row.want, details(event))
		assert.True(t, strings.HasPrefix(describe(event), "--:--:--  "+row.name+" "), describe(event))
	}
	event, err := webhook.Parse([]byte(`{"event":"chat.ended","timestamp":"2031-01-02T03:04:05Z","data":{"chat_id":"5"}}`))
	require.NoError(t, err)
	assert.Equal(t, "03:04:05  chat.ended               chat 5, 0 messages in 0 s", describe(event))
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

// TestMain lets the test binary be the program.
func TestMain(m *testing.M) {
	if os.Getenv("WEBHOOKSERVER_IS_THE_PROGRAM") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// programOf is the program as a process, on an account.
func programOf(t *testing.T, account []string, arguments ...string) (command *exec.Cmd, out, complaints *screen) {
	t.Helper()
	command = exec.CommandContext(t.Context(), os.Args[0], arguments...)
	command.Env = append(append(os.Environ(), "WEBHOOKSERVER_IS_THE_PROGRAM=1", "SALESIQ_TOKEN_FILE="), account...)
	out, complaints = new(screen), new(screen)
	command.Stdout, command.Stderr = out, complaints
	return command, out, complaints
}

func TestAFailureEndsTheProgramWithItsReason(t *testing.T) {
	t.Parallel()
	account := []string{"ZOHO_CLIENT_ID=x", "ZOHO_CLIENT_SECRET=x", "ZOHO_REFRESH_TOKEN=x", "SALESIQ_BASE_URL=https://salesiq.example"}
	program, out, complaints := programOf(t, account)
	var ended *exec.ExitError
	require.ErrorAs(t, program.Run(), &ended)
	assert.Equal(t, 1, ended.ExitCode())
	assert.Equal(t, "webhookserver: a real account needs -write, SALESIQ_WEBHOOK_URL and SALESIQ_WEBHOOK_SECRET\n", complaints.String())
	assert.Empty(t, out.String())
}

func TestAnInterruptEndsTheProgramInOrder(t *testing.T) {
	t.Parallel()
	emulator := salesiqtest.Start(t)
	store, secret := filepath.Join(t.TempDir(), "kept"), salesiq.NewSecret("a secret that stays")
	program, out, complaints := programOf(t, append(emulator.Environment(), "SALESIQ_WEBHOOK_SECRET="+secret.Reveal(), "SALESIQ_WEBHOOK_URL="), "-store", store)
	require.NoError(t, program.Start())
	url := out.after(t, "Receiving at ")
	require.Equal(t, http.StatusOK, deliver(t, url, secret, `{"event":"chat.rating","data":{"chat_id":"chat5","rating":3}}`))
	assert.Contains(t, out.after(t, "chat.rating"), "chat5: 3 of 5")
	require.NoError(t, program.Process.Signal(os.Interrupt))
	require.NoError(t, program.Wait())
	assert.Empty(t, complaints.String())
	assert.FileExists(t, store)
}

// useNoAccount lets the program start an emulator of its own.
func useNoAccount(t *testing.T) {
	t.Helper()
	for _, name := range []string{"ZOHO_REFRESH_TOKEN", "SALESIQ_BASE_URL", "SALESIQ_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
}

func TestTheTourLeavesNoFile(t *testing.T) {
	useNoAccount(t)
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	t.Chdir(folder)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	require.NoError(t, run(ctx, stopper{stop}, settings{listen: "127.0.0.1:0"}))
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Empty(t, left)

	t.Setenv("TMPDIR", filepath.Join(folder, "missing"))
	require.ErrorIs(t, run(t.Context(), io.Discard, settings{listen: "127.0.0.1:0"}), os.ErrNotExist)
}

func TestEventsOfAnAccountStayInTheFolder(t *testing.T) {
	useEmulator(t, salesiqtest.Start(t))
	t.Chdir(t.TempDir())
	require.NoError(t, begin(t, settings{listen: "127.0.0.1:0"}).stop())
	assert.FileExists(t, "webhookserver.db")
}

func TestAnAddressThatIsTakenIsAnError(t *testing.T) {
	useEmulator(t, salesiqtest.Start(t))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	err = run(t.Context(), io.Discard, settings{listen: listener.Addr().String(), store: filepath.Join(t.TempDir(), "kept")})
	require.ErrorContains(t, err, "in use")
}

func TestAnAccountThatRefusesTheWebhookEndsTheProgram(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		emulator := salesiqtest.Start(t)
		useEmulator(t, emulator)
		require.NoError(t, emulator.Inject(salesiqtest.Fault{Method: method, Path: "/api/v2/webhooks", Status: http.StatusForbidden, Message: "not today"}))
		err := run(t.Context(), io.Discard, settings{listen: "127.0.0.1:0", store: filepath.Join(t.TempDir(), "kept")})
		require.ErrorContains(t, err, "not today")
	}
}

// slow is a screen that takes its time for an event.
type slow struct {
	screen

	begun, free chan struct{}
}

func (s *slow) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("chat.rating")) {
		close(s.begun)
		<-s.free
	}
	return s.screen.Write(p)
}

func TestAnEventThatIsBeingPrintedIsFinishedFirst(t *testing.T) {
	emulator := salesiqtest.Start(t)
	useEmulator(t, emulator)
	set := settings{listen: "127.0.0.1:0", store: filepath.Join(t.TempDir(), "kept"), secret: salesiq.NewSecret("a secret that stays")}
	out := &slow{begun: make(chan struct{}), free: make(chan struct{})}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, out, set) }()
	require.Equal(t, http.StatusOK, deliver(t, out.after(t, "Receiving at "), set.secret, `{"event":"chat.rating","data":{"chat_id":"chat5"}}`))
	<-out.begun
	stop()
	time.Sleep(100 * time.Millisecond)
	assert.Empty(t, ended, "it has not ended before")
	close(out.free)
	require.NoError(t, <-ended)
	assert.Contains(t, out.String(), "chat5")
}

// jammed is a screen that fails at its first event.
type jammed struct {
	screen

	failed atomic.Bool
}

func (j *jammed) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("chat.rating")) && !j.failed.Swap(true) {
		return 0, io.ErrShortWrite
	}
	return j.screen.Write(p)
}

func TestAnEventThatCouldNotBePrintedIsPrintedLater(t *testing.T) {
	t.Parallel()
	set := settings{listen: "127.0.0.1:0", store: filepath.Join(t.TempDir(), "kept"), secret: salesiq.NewSecret("a secret that stays")}
	var out jammed
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	emulator := salesiqtest.Start(t)
	go func() { ended <- serve(ctx, &out, set, &account.Account{Client: emulator.Client(t)}) }()
	require.Equal(t, http.StatusOK, deliver(t, out.after(t, "Receiving at "), set.secret, `{"event":"chat.rating","data":{"chat_id":"chat5"}}`))
	assert.Contains(t, out.after(t, "chat.rating"), "chat5")
	stop()
	require.NoError(t, <-ended)
}

// stopper ends the program at its first word.
type stopper struct{ stop func() }

func (s stopper) Write(text []byte) (int, error) {
	s.stop()
	return len(text), nil
}

func TestStoppingTheTourIsNoFailure(t *testing.T) {
	useNoAccount(t)
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

func TestAWebhookThatWasSwitchedOffIsUsedAgain(t *testing.T) {
	t.Parallel()
	emulator := salesiqtest.Start(t)
	client := emulator.Client(t)
	set := settings{url: "https://hooks.example/salesiq", secret: salesiq.NewSecret("one")}
	require.NoError(t, subscribe(t.Context(), client, set, []salesiq.EventName{salesiq.EventChatRated}))
	webhooks := emulator.Webhooks()
	_, err := client.Webhooks.Update(t.Context(), webhooks[len(webhooks)-1].ID, &salesiq.WebhookUpdate{Enabled: salesiq.Set(false)})
	require.NoError(t, err)
	events := []salesiq.EventName{salesiq.EventChatRated, salesiq.EventChatEnded}
	require.NoError(t, subscribe(t.Context(), client, set, events))
	taken := emulator.Webhooks()[len(webhooks)-1]
	assert.True(t, taken.Enabled)
	assert.Equal(t, events, taken.Events)
}

func TestAWebhookOfSomebodyElseIsLeftAlone(t *testing.T) {
	t.Parallel()
	emulator := salesiqtest.Start(t)
	client := emulator.Client(t)
	set := settings{url: "https://hooks.example/salesiq", secret: salesiq.NewSecret("ours")}
	for name, url := range map[string]string{"webhookserver": "https://elsewhere.example/", "somebody": set.url} {
		_, err := client.Webhooks.Create(t.Context(), &salesiq.WebhookCreate{Name: name, URL: url, Events: []salesiq.EventName{salesiq.EventChatEnded}})
		require.NoError(t, err)
	}
	before := emulator.Webhooks()
	require.NoError(t, subscribe(t.Context(), client, set, []salesiq.EventName{salesiq.EventChatRated}))
	after := emulator.Webhooks()
	require.Len(t, after, len(before)+1)
	assert.Equal(t, before, after[:len(before)])
	ours := after[len(before)]
	assert.True(t, ours.Enabled)
	assert.Equal(t, []string{"webhookserver", set.url, "ours"}, []string{ours.Name, ours.URL, ours.Secret.Reveal()})
	assert.Equal(t, []salesiq.EventName{salesiq.EventChatRated}, ours.Events)
}

func TestARealAccountIsLeftAloneUnlessToldOtherwise(t *testing.T) {
	for name, value := range map[string]string{
		"ZOHO_CLIENT_ID": "x", "ZOHO_CLIENT_SECRET": "x", "ZOHO_REFRESH_TOKEN": "x", "SALESIQ_BASE_URL": "https://salesiq.example", "SALESIQ_TOKEN_FILE": "",
	} {
		t.Setenv(name, value)
	}
	const url = "https://hooks.example/"
	secret := salesiq.NewSecret("x")
	for _, set := range []settings{{url: url, secret: secret}, {write: true, secret: secret}, {write: true, url: url}} {
		require.ErrorContains(t, run(t.Context(), io.Discard, set), "-write")
	}
}
