package browser

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// exampleBot is examples/bot, as it runs for an emulator.
type exampleBot struct {
	t           *testing.T
	program     string
	environment []string
	stop        func()
}

func buildBot(t *testing.T, environment []string) *exampleBot {
	t.Helper()
	program := filepath.Join(t.TempDir(), "bot.exe")
	built, err := exec.CommandContext(t.Context(), "go", "build", "-C", filepath.Join("..", "..", "..", "examples"), "-o", program, "./bot").CombinedOutput()
	require.NoError(t, err, string(built))
	return &exampleBot{t: t, program: program, environment: environment}
}

// start runs the program, and returns where it listens.
func (b *exampleBot) start(listen string) string {
	b.t.Helper()
	command := exec.CommandContext(b.t.Context(), b.program, "-listen", listen)
	command.Env = append(command.Environ(), b.environment...)
	printed, err := command.StdoutPipe()
	require.NoError(b.t, err)
	require.NoError(b.t, command.Start())
	b.stop = func() {
		assert.NoError(b.t, command.Process.Kill())
		assert.Error(b.t, command.Wait(), "it was killed")
	}
	lines := bufio.NewScanner(printed)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "bot is at http://"); ok {
			return address
		}
	}
	require.Fail(b.t, "the bot has not said where it is")
	return ""
}

// A visitor talks to examples/bot, which is killed and started again meanwhile.
func TestTheExampleBotTakesAVisitorToTheOperator(t *testing.T) {
	t.Parallel()
	needBrowser(t)
	s := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.WithBot(salesiqtest.Bot{URL: "http://127.0.0.1:1/"}))
	bot := buildBot(t, s.Environment())
	address := bot.start("127.0.0.1:0")
	t.Cleanup(func() { bot.stop() })
	require.NoError(t, s.ConnectBot(salesiqtest.Bot{URL: "http://" + address}))

	p := openTab(t, desktopWidth, desktopHeight)
	p.open(s.URL + "/widget/page")
	p.until(last("bot") + " === 'What is it about?'")
	p.clickInWidget(".choice") // Delivery.
	p.until(inWidget(".message.bot a"))
	p.picture("example-bot-answer")
	p.until("[..." + shadow + ".querySelectorAll('.choice')].some((choice) => choice.textContent === 'Talk to somebody')")
	p.clickInWidget(".choice:last-child")
	p.until(last("bot") + " === 'What is your name?'")

	bot.stop()
	require.Equal(t, address, bot.start(address))
	p.clickInWidget(".card input")
	p.write("Zoë Brun")
	p.clickInWidget(".submit")
	p.until(inWidget(".card input[type=email]"))
	p.clickInWidget(".card input")
	p.write("zoe@post.example")
	p.clickInWidget(".submit")
	p.until(last("bot") + "?.startsWith('Which order')")
	p.say("N-4711")
	p.until(last("bot") + "?.startsWith('Thank you, Zoë Brun.')")

	id := eval[string](p, `document.querySelector("#conversation").textContent`)
	service := live.New(s.Client(t))
	conversation, err := service.Conversations.Pickup(t.Context(), id)
	require.NoError(t, err)
	assert.True(t, conversation.HasNotes, "the operator reads what the bot has asked")
	_, err = service.Messages.Send(t.Context(), id, "Hello Zoë, your tent is with the carrier.")
	require.NoError(t, err)
	p.until(last("operator") + " === 'Hello Zoë, your tent is with the carrier.'")
	p.picture("example-bot-operator")
	for _, turn := range s.BotTurns() {
		assert.Empty(t, turn.Error)
	}
	fits(p, desktopWidth)
	p.isFine()
}
