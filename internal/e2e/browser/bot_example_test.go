package browser

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
)

// startBotExample builds and runs examples/bot. It returns the addresses of its page and
// of its emulator, and ends with the test.
func startBotExample(t *testing.T) (page, emulator string) {
	t.Helper()
	needBrowser(t)
	program := filepath.Join(t.TempDir(), "bot.exe")
	built, err := exec.CommandContext(t.Context(), "go", "build", "-C", filepath.Join("..", "..", "..", "examples"), "-o", program, "./bot").CombinedOutput()
	require.NoError(t, err, string(built))
	command := exec.CommandContext(t.Context(), program)
	command.Env = append(command.Environ(), "ZOHO_REFRESH_TOKEN=", "SALESIQ_BASE_URL=", "SALESIQ_TOKEN_FILE=", "SALESIQ_BOT_KEY=")
	printed, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		assert.NoError(t, command.Process.Kill())
		assert.Error(t, command.Wait(), "it was killed")
	})
	for lines := bufio.NewScanner(printed); page == "" && lines.Scan(); {
		if _, address, ok := strings.Cut(lines.Text(), "emulator is at "); ok {
			emulator = address
		}
		_, page, _ = strings.Cut(lines.Text(), "Talk to it at ")
	}
	require.NotEmpty(t, page)
	require.NotEmpty(t, emulator)
	return page, emulator
}

func TestTheExampleBotHandsAVisitorOverToAnOperator(t *testing.T) {
	t.Parallel()
	for name, width := range map[string]int64{"desktop": desktopWidth, "phone": 375} {
		page, emulator := startBotExample(t)
		p := openTab(t, width, phoneHeight)
		p.open(page)
		p.until(inWidget(".launcher"))
		if name == "phone" {
			p.clickInWidget(".launcher")
		}
		p.until(last("bot") + " === 'What is it about?'")
		p.picture("example-bot-greeting-" + name)
		p.clickInWidget(".choice") // Delivery.
		p.until("[..." + shadow + ".querySelectorAll('.list .bot')].some((line) => line.textContent.includes('before noon'))")
		p.picture("example-bot-answer-" + name)
		p.clickInWidget(".choice:nth-child(2)") // Something else.
		p.until(last("bot") + ".startsWith('Please write')")
		p.say("Do you sell canoes?")
		p.until(last("bot") + " === 'What is your name?'")
		for _, answer := range []struct{ says, then string }{
			{"Amira Osei", "Where can we write to you, should you have left?"}, {"amira@post.example", "Which order is it about? Enter its number, or “none”."},
		} {
			p.until(inWidget(".card input") + "?.checkVisibility()")
			p.clickInWidget(".card input")
			p.write(answer.says)
			p.clickInWidget(".submit")
			p.until(last("bot") + " === " + text(t, answer.then))
		}
		p.picture("example-bot-questions-" + name)
		p.say("N-4711")
		p.until(last("bot") + ".startsWith('Thank you, Amira Osei.')")
		p.until(inWidget(".subtitle") + ".textContent.startsWith('Somebody will')")

		client, err := salesiq.NewClient(
			salesiq.RefreshToken(salesiq.Credentials{
				ClientID: "1000.EMULATORCLIENT", ClientSecret: salesiq.NewSecret("emulator-client-secret"), RefreshToken: salesiq.NewSecret("1000.emulator.refresh-token"),
			}, salesiq.NewMemoryTokenStore()),
			salesiq.WithBaseURL(emulator), salesiq.WithPortal("nordlicht"))
		require.NoError(t, err)
		id, service := eval[string](p, `document.querySelector("#conversation").textContent`), live.New(client)
		conversation, err := service.Conversations.Pickup(t.Context(), id)
		require.NoError(t, err)
		assert.True(t, conversation.HasNotes, "what the visitor has answered")
		_, err = service.Messages.Send(t.Context(), id, "Hello Amira, we rent them out.")
		require.NoError(t, err)
		p.until(last("operator") + " === 'Hello Amira, we rent them out.'")
		p.picture("example-bot-operator-" + name)
		fits(p, width)
		p.isFine()
	}
}
