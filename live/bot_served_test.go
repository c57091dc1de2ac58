package live_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// The emulator reads answers by the vendor's rules, without the types of this package.

// servedBot returns a bot of a server, which verifies requests and makes callbacks.
func servedBot(t *testing.T, server *salesiqtest.Server, handle func(context.Context, *live.BotMessage) (*live.BotAnswer, error)) *live.Bot {
	t.Helper()
	bot, err := live.NewBot(server.Verifier(), live.WithCallbacks(server.Client(t)), live.OnMessage(handle),
		live.OnTrigger(func(context.Context, *live.BotTrigger) (*live.BotAnswer, error) { return live.Reply("Moin!"), nil }),
		live.OnContext(func(_ context.Context, r *live.BotContext) (*live.BotAnswer, error) {
			return live.Reply("Your name is " + r.Answer("name") + "."), nil
		}))
	require.NoError(t, err)
	return bot
}

func TestASlowBotIsReadInTimeAndAnswersByCallbackOnce(t *testing.T) {
	t.Parallel()
	for _, redelivers := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			server := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.InMemory())
			runs := 0
			bot := servedBot(t, server, func(ctx context.Context, r *live.BotMessage) (*live.BotAnswer, error) {
				runs++
				return after(20*time.Second, live.Reply("You said "+r.Text))(ctx, r)
			})
			require.NoError(t, server.ConnectBot(salesiqtest.Bot{Handler: bot, Redelivers: redelivers}))
			c := server.Converse(t, nil)
			c.Says("Hello")
			c.Expects("One moment, please.", "You said Hello")
			assert.Equal(t, 1, runs, "redelivered: %t", redelivers)
			require.NoError(t, bot.Shutdown(t.Context()))
		})
	}
}

func TestATriggerWithoutAHandlerLeavesTheConversationToTheBot(t *testing.T) {
	t.Parallel()
	log := new(logged)
	c := salesiqtest.Converse(t, answering(t, live.Reply("Yes."), live.WithLogger(log.logger())))
	c.Opens()
	c.Expects("Hello! How can I help you?")
	c.Says("Do you sell canoes?")
	c.Expects("Yes.")
	assert.NotContains(t, log.String(), "failed")
	assert.NotContains(t, c.String(), "forward")
}

func TestQuestionsAreAskedAndTheirAnswersComeTogether(t *testing.T) {
	t.Parallel()
	server := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.InMemory())
	c := server.Converse(t, servedBot(t, server, func(context.Context, *live.BotMessage) (*live.BotAnswer, error) {
		return botAnswers["context"].answer, nil
	}))
	c.Opens()
	c.Expects("Moin!")
	c.Says("Hello")
	c.Expects("Your name?")
	c.Says("Amira Osei")
	c.Expects("Which size?")
	c.Chooses("M")
	c.Expects("Your name is Amira Osei.")
}

func TestTheEmulatorTakesEachAnswerAndEachCard(t *testing.T) {
	t.Parallel()
	answers := map[string]*live.BotAnswer{}
	for name, row := range botAnswers {
		answers[name] = row.answer
	}
	for name, row := range botCards {
		answers["card "+name] = live.Reply("?").Ask(row.card)
	}
	// What is free, and words that nobody publishes, the emulator does not know.
	for _, name := range []string{"free reply", "card free", "card name of another type", "forward to operators", "forward to a department"} {
		delete(answers, name)
	}
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		synctest.Test(t, func(t *testing.T) {
			server := salesiqtest.Start(t, salesiqtest.Live(), salesiqtest.InMemory())
			bot := servedBot(t, server, func(context.Context, *live.BotMessage) (*live.BotAnswer, error) { return answers[name], nil })
			server.Converse(t, bot).Says("Hello")
			time.Sleep(time.Second)
			require.NotEmpty(t, server.BotTurns(), name)
			for _, turn := range server.BotTurns() {
				assert.Empty(t, turn.Error, "%s: %s", name, turn.Answer)
				assert.NotContains(t, turn.Answer, "hand you over", "%s: it is the fallback", name)
			}
		})
	}
}
