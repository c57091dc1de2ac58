package live_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/webhook"
)

// logged keeps what is logged.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.text.String()
	text = strings.NewReplacer(`level=ERROR msg="bot request failed"`, "ERROR bot request failed", `level=WARN msg="bot request refused"`, "WARN bot request refused").Replace(text)
	return strings.ReplaceAll(text, `\"`, `"`)
}

func (l *logged) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// callback is a call that a bot has made.
type callback struct {
	after time.Duration // Since the service began to count.
	call  string        // Progress or response, and the id of the request.
	body  string
}

// service stands for the live service: it counts callbacks and answers them.
type service struct {
	began time.Time

	mu     sync.Mutex // Guards what follows.
	calls  []callback
	answer func(n int, r *http.Request) (int, string, error) // Of the callback with that number; nil for a success.
}

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	n := len(s.calls)
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/v2/p/callbacks/"), "/")
	s.calls = append(s.calls, callback{time.Since(s.began), path[1] + " " + path[0], string(body)})
	answer := s.answer
	s.mu.Unlock()
	status, text := http.StatusOK, `{"url":"x","object":"x","data":{}}`
	if answer != nil {
		if status, text, err = answer(n, r); err != nil {
			return nil, err
		}
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(text)), Request: r,
	}, nil
}

func (s *service) made() []callback {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]callback(nil), s.calls...)
}

// callbacks returns the option that has a bot call the service.
func (s *service) callbacks(t *testing.T) live.BotOption {
	t.Helper()
	s.began = time.Now()
	client, err := salesiq.NewClient(
		salesiq.StaticToken("token"), salesiq.WithBaseURL("https://salesiq.example"), salesiq.WithPortal("p"), salesiq.WithMaxAttempts(1),
		salesiq.WithTransport(func(http.RoundTripper) http.RoundTripper { return s }),
	)
	require.NoError(t, err)
	return live.WithCallbacks(client)
}

// after returns a handler that takes some time for its answer.
func after(d time.Duration, answer *live.BotAnswer) func(context.Context, *live.BotMessage) (*live.BotAnswer, error) {
	return func(ctx context.Context, _ *live.BotMessage) (*live.BotAnswer, error) {
		select {
		case <-time.After(d):
			return answer, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

const pendingBody = `{"action":"pending","replies":["One moment, please."]}`

func message(id, text string) string {
	return `{"handler":"message","operation":"message","visitor":{"name":"Amira"},"org_id":"1","request":{"id":"` + id + `"},"message":{"text":"` + text + `"},"attachments":[]}`
}

func TestABotThatTakesTwentySecondsAnswersPendingInTimeAndThenOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s service
		bot := newBot(t, after(20*time.Second, live.Reply("Here")), s.callbacks(t))
		_, body := ask(t, bot, botMessage)
		assert.JSONEq(t, pendingBody, body)
		assert.Equal(t, 4*time.Second, time.Since(s.began))
		require.NoError(t, bot.Shutdown(t.Context()), "it waits")
		require.Equal(t, []callback{{20 * time.Second, "response r1", `{"action":"reply","replies":["Here"]}`}}, s.made())
		time.Sleep(time.Hour)
		require.Len(t, s.made(), 1)
	})
}

func TestABotThatIsFastEnoughMakesNoCallback(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s service
		bot := newBot(t, after(3999*time.Millisecond, live.Reply("Here")), s.callbacks(t))
		_, body := ask(t, bot, botMessage)
		assert.JSONEq(t, `{"action":"reply","replies":["Here"]}`, body)
		require.NoError(t, bot.Shutdown(t.Context()))
		assert.Empty(t, s.made())
	})
}

// A callback that overtakes the answer "pending" would be about nothing.
func TestACallbackLeavesTimeToReadThatTheAnswerIsPending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s service
		bot := newBot(t, after(4001*time.Millisecond, live.Reply("Here")), s.callbacks(t), live.WithPending(4*time.Second, "Looking", "It takes a while"))
		_, body := ask(t, bot, botMessage)
		assert.JSONEq(t, `{"action":"pending","replies":["Looking","It takes a while"]}`, body)
		require.NoError(t, bot.Shutdown(t.Context()))
		require.Equal(t, []callback{{4250 * time.Millisecond, "response r1", `{"action":"reply","replies":["Here"]}`}}, s.made())
	})
}

func TestAHandlerHasThreeMinutesLessTheTimeForTheFallback(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s service
		log := new(logged)
		deaf := make(chan struct{})
		handle := func(ctx context.Context, r *live.BotMessage) (*live.BotAnswer, error) {
			if r.Text == "deaf" {
				<-deaf
				return live.Reply("Too late"), nil
			}
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}
		bot := newBot(t, handle, s.callbacks(t), live.WithFallback(live.Forward("Sorry")), live.WithLogger(log.logger()))
		ask(t, bot, message("r1", "heeds"))
		ask(t, bot, message("r2", "deaf"))
		time.Sleep(10 * time.Minute)
		want := `{"action":"forward","replies":["Sorry"]}`
		require.Equal(t, []callback{{170 * time.Second, "response r1", want}, {174 * time.Second, "response r2", want}}, s.made())
		close(deaf)
		require.NoError(t, bot.Shutdown(t.Context()))
		assert.Len(t, s.made(), 2, "what comes later is dropped")
		assert.Contains(t, log.String(), "answered already")
		assert.Contains(t, log.String(), "took too long")
	})
}

func TestWithoutCallbacksTheVisitorGetsTheFallbackInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		bot := newBot(t, after(20*time.Second, live.Reply("Here")))
		_, body := ask(t, bot, botMessage)
		assert.JSONEq(t, `{"action":"forward","replies":["Let me hand you over to a colleague."]}`, body)
		assert.Equal(t, 4*time.Second, time.Since(began))
		require.NoError(t, bot.Shutdown(t.Context()))
		assert.Equal(t, 4*time.Second, time.Since(began), "the handler has heard of it")
	})
}

// A request without an id has no callbacks either.
func TestARequestWithoutAnIDIsNeverPending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s service
		handle := func(ctx context.Context, r *live.BotMessage) (*live.BotAnswer, error) {
			if r.Text == "hand over" {
				return live.Pending("Soon"), nil
			}
			require.Error(t, r.Progress(ctx, "Looking"))
			return after(time.Minute, live.Reply("Here"))(ctx, r)
		}
		bot := newBot(t, handle, s.callbacks(t), live.WithFallback(live.End("Sorry")))
		for _, text := range []string{"hand over", "slow"} {
			_, body := ask(t, bot, message("", text))
			assert.JSONEq(t, `{"action":"end","replies":["Sorry"]}`, body)
		}
		require.NoError(t, bot.Shutdown(t.Context()))
		assert.Empty(t, s.made())
	})
}

func TestWhateverAHandlerDoesTheVisitorIsAnswered(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		handle func() (*live.BotAnswer, error)
		log    string
	}{
		"an error":               {func() (*live.BotAnswer, error) { return live.Reply("x"), errors.New("no database") }, "no database"},
		"nothing":                {func() (*live.BotAnswer, error) { return nil, nil }, "returned no answer"}, //nolint:nilnil // That is the point.
		"a panic":                {func() (*live.BotAnswer, error) { panic("a secret") }, "panic: string"},
		"the end of a goroutine": {func() (*live.BotAnswer, error) { runtime.Goexit(); return nil, nil }, "ended its goroutine"}, //nolint:nilnil // It returns nothing.
		"a value that panics":    {func() (*live.BotAnswer, error) { return live.Reply().With(live.FreeReply{panics{}}), nil }, "panic: string"},
	} {
		for _, slow := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				var s service
				log := new(logged)
				bot := newBot(t, func(context.Context, *live.BotMessage) (*live.BotAnswer, error) {
					if slow {
						time.Sleep(time.Minute)
					}
					return row.handle()
				}, s.callbacks(t), live.WithLogger(log.logger()))
				_, body := ask(t, bot, botMessage)
				require.NoError(t, bot.Shutdown(t.Context()))
				if slow {
					require.Len(t, s.made(), 1, name)
					body = s.made()[0].body
				}
				assert.JSONEq(t, `{"action":"forward","replies":["Let me hand you over to a colleague."]}`, body, name)
				assert.Contains(t, log.String(), row.log, name)
				assert.NotContains(t, log.String(), "a secret", name)
			})
		}
	}
}

// A value of the user's is written twice: for the service, and for the callback.
func TestAPanicOfACallbackEndsNothingElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s service
		log := new(logged)
		bot := newBot(t, after(20*time.Second, live.Reply().With(live.FreeReply{&panicsLater{times: 2}})), s.callbacks(t), live.WithLogger(log.logger()))
		ask(t, bot, botMessage)
		require.NoError(t, bot.Shutdown(t.Context()))
		assert.Empty(t, s.made())
		assert.Contains(t, log.String(), "panic: string")
	})
}

type panicsLater struct{ times int }

func (p *panicsLater) MarshalJSON() ([]byte, error) {
	if p.times--; p.times < 0 {
		panic("a secret")
	}
	return []byte(`{}`), nil
}

type panics struct{}

func (panics) MarshalJSON() ([]byte, error) { panic("a secret") }

func TestAFailedCallbackIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	refused := `{"error":{"code":1019,"message":"no such request"}}`
	for name, row := range map[string]struct {
		status int
		body   string
		err    error
		want   int // Callbacks.
	}{
		"a broken connection": {0, "", io.ErrUnexpectedEOF, 1},
		"an internal error":   {500, `<html>`, nil, 1},
		"one with a code":     {500, `{"error":{"code":1000,"message":"something went wrong"}}`, nil, 1},
		"a refusal":           {404, refused, nil, 2}, // The second is the fallback.
	} {
		synctest.Test(t, func(t *testing.T) {
			s := service{answer: func(int, *http.Request) (int, string, error) { return row.status, row.body, row.err }}
			log := new(logged)
			bot := newBot(t, after(20*time.Second, live.Reply("Here")), s.callbacks(t), live.WithLogger(log.logger()))
			ask(t, bot, botMessage)
			require.NoError(t, bot.Shutdown(t.Context()))
			made := s.made()
			require.Len(t, made, row.want, name)
			assert.Contains(t, made[0].body, "Here", name)
			assert.Contains(t, made[len(made)-1].body, map[int]string{1: "Here", 2: "colleague"}[row.want], name)
			assert.Contains(t, log.String(), "ERROR bot request failed", name)
		})
	}
}

func TestTheSameRequestGetsTheSameAnswerAndRunsNoHandlerAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		bot := newBot(t, func(_ context.Context, r *live.BotMessage) (*live.BotAnswer, error) {
			runs++
			return live.Reply(r.Text + " " + strconv.Itoa(runs)), nil
		})
		want := `{"action":"reply","replies":["Hello 1"]}`
		for _, body := range []string{
			message("r1", "Hello"),
			strings.ReplaceAll(message("r1", "Hello"), `,"`, ` , "`),
			strings.Replace(message("r1", "Hello"), `"name":"Amira"`, `"name":"Amira","current_page_url":"https://x.example/next"`, 1),
			strings.Replace(message("r1", "Hello"), `"request":{`, `"attempt":2,"request":{`, 1),
		} {
			_, answer := ask(t, bot, body)
			assert.JSONEq(t, want, answer, body)
		}
		for n, body := range []string{message("r2", "Hello"), message("r1", "Bye"), message("", "Hello"), message("", "Hello")} {
			_, answer := ask(t, bot, body)
			assert.Contains(t, answer, strconv.Itoa(n+2), "another request")
		}
		_, answer := ask(t, bot, message("r1", "Hello"))
		assert.JSONEq(t, want, answer, "still known")
	})
}

func TestARequestThatComesAgainWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s service
		runs := 0
		bot := newBot(t, func(ctx context.Context, r *live.BotMessage) (*live.BotAnswer, error) {
			runs++
			return after(20*time.Second, live.Reply("Here"))(ctx, r)
		}, s.callbacks(t))
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				_, body := ask(t, bot, botMessage)
				assert.JSONEq(t, pendingBody, body)
			})
		}
		all.Wait()
		require.NoError(t, bot.Shutdown(t.Context()))
		assert.Equal(t, 1, runs)
		assert.Len(t, s.made(), 1)
		_, body := ask(t, bot, botMessage)
		assert.JSONEq(t, pendingBody, body, "it is what the service was answered")
	})
}

func TestWorkGoesOnWhenTheServiceHangsUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		bot := newBot(t, func(ctx context.Context, r *live.BotMessage) (*live.BotAnswer, error) {
			assert.Equal(t, "value", ctx.Value(key{}))
			return after(2*time.Second, live.Reply("Here"))(ctx, r)
		})
		ctx, hangUp := context.WithTimeout(context.WithValue(t.Context(), key{}, "value"), time.Second)
		defer hangUp()
		w := httptest.NewRecorder()
		bot.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(botMessage)))
		assert.Empty(t, w.Body.String())
		_, body := ask(t, bot, botMessage)
		assert.JSONEq(t, `{"action":"reply","replies":["Here"]}`, body, "the service asks again")
	})
}

func TestProgressTellsTheVisitorAtOnceAndThenByCallback(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s service
		var kept *live.BotMessage
		bot := newBot(t, func(ctx context.Context, r *live.BotMessage) (*live.BotAnswer, error) {
			kept = r
			for _, text := range []string{"Looking", "Still looking"} {
				require.NoError(t, r.Progress(ctx, text))
				time.Sleep(time.Second)
			}
			return live.Reply("Here"), nil
		}, s.callbacks(t))
		_, body := ask(t, bot, botMessage)
		assert.JSONEq(t, `{"action":"pending","replies":["Looking"]}`, body)
		assert.Equal(t, time.Duration(0), time.Since(s.began))
		require.NoError(t, bot.Shutdown(t.Context()))
		require.Equal(t, []callback{
			{time.Second, "progress r1", `{"text":"Still looking"}`}, {2 * time.Second, "response r1", `{"action":"reply","replies":["Here"]}`},
		}, s.made())
		require.ErrorIs(t, kept.Progress(t.Context(), "Looking"), live.ErrBotAnswered)
		require.ErrorAs(t, kept.Progress(t.Context(), " "), new(*salesiq.InputError))
		require.ErrorAs(t, new(live.BotRequest).Progress(t.Context(), "x"), new(*salesiq.InputError))
	})
}

func TestWorkThatGoesElsewhereIsAnsweredByRespondOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s service
		bot := answering(t, live.Pending("I will ask the stock"), s.callbacks(t))
		_, body := ask(t, bot, botMessage)
		assert.JSONEq(t, `{"action":"pending","replies":["I will ask the stock"]}`, body)
		require.NoError(t, bot.Shutdown(t.Context()), "there is no work left")
		time.Sleep(time.Minute)
		require.NoError(t, bot.Respond(t.Context(), "r1", live.Reply("Here")))
		require.ErrorIs(t, bot.Respond(t.Context(), "r1", live.Reply("Here")), live.ErrBotAnswered)
		require.NoError(t, bot.Respond(t.Context(), "of another process", live.Reply("Here")))
		made := s.made()
		require.Len(t, made, 2)
		assert.Equal(t, callback{time.Minute, "response r1", `{"action":"reply","replies":["Here"]}`}, made[0])
		assert.Equal(t, "response of another process", made[1].call)

		require.ErrorAs(t, bot.Respond(t.Context(), "r2", live.Reply()), new(*salesiq.InputError))
		require.ErrorAs(t, bot.Respond(t.Context(), "r2", live.Pending("Soon")), new(*salesiq.InputError))
		require.ErrorAs(t, bot.Respond(t.Context(), "", live.Reply("Here")), new(*salesiq.InputError))
		require.ErrorAs(t, answering(t, live.End("x")).Respond(t.Context(), "r2", live.Reply("Here")), new(*salesiq.InputError), "no client")
	})
}

// A queue may be faster than the handler that has filled it.
func TestAnAnswerBeforeTheHandlerReturnsIsTheAnswer(t *testing.T) {
	t.Parallel()
	for name, later := range map[string]*live.BotAnswer{"pending": live.Pending("Soon"), "a second answer": live.Reply("Second")} {
		synctest.Test(t, func(t *testing.T) {
			var s service
			var bot *live.Bot
			log := new(logged)
			bot = newBot(t, func(ctx context.Context, r *live.BotMessage) (*live.BotAnswer, error) {
				require.NoError(t, bot.Respond(ctx, r.ID, live.Reply("First")))
				require.ErrorIs(t, bot.Respond(ctx, r.ID, live.Reply("Third")), live.ErrBotAnswered)
				return later, nil
			}, s.callbacks(t), live.WithLogger(log.logger()))
			_, body := ask(t, bot, botMessage)
			assert.JSONEq(t, `{"action":"reply","replies":["First"]}`, body, name)
			require.NoError(t, bot.Shutdown(t.Context()))
			assert.Empty(t, s.made(), name)
			assert.Equal(t, later.Action != live.ActionPending, strings.Contains(log.String(), "answered already"), name)
		})
	}
}

func TestRespondMayBeTriedAgainUnlessTheServiceMayHaveGotIt(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		status int
		body   string
		again  bool
	}{
		"not now":   {429, `{"error":{"code":1023,"message":"later"}}`, true},
		"a refusal": {400, `{"error":{"code":1011,"message":"no"}}`, true},
		"unclear":   {500, `<html>`, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := service{answer: func(n int, _ *http.Request) (int, string, error) {
				if n > 0 {
					return 200, `{"data":{}}`, nil
				}
				return row.status, row.body, nil
			}}
			bot := answering(t, live.Pending("Soon"), s.callbacks(t))
			ask(t, bot, botMessage)
			require.Error(t, bot.Respond(t.Context(), "r1", live.Reply("Here")), name)
			err := bot.Respond(t.Context(), "r1", live.Reply("Here"))
			if row.again {
				require.NoError(t, err, name)
			} else {
				require.ErrorIs(t, err, live.ErrBotAnswered, name)
			}
		})
	}
}

func TestShutdownThatMayNotWaitGivesVisitorsTheFallback(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s service
		bot := newBot(t, func(ctx context.Context, _ *live.BotMessage) (*live.BotAnswer, error) {
			<-ctx.Done()
			assert.Equal(t, webhook.ErrShutdown, context.Cause(ctx))
			return nil, ctx.Err()
		}, s.callbacks(t))
		ask(t, bot, message("r1", "pending"))
		answered := make(chan string)
		go func() {
			_, body := ask(t, bot, message("r2", "unanswered"))
			answered <- body
		}()
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, bot.Shutdown(ctx), context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(began), "the handlers have returned at once")
		want := `{"action":"forward","replies":["Let me hand you over to a colleague."]}`
		assert.JSONEq(t, want, <-answered)
		require.Len(t, s.made(), 1)
		assert.JSONEq(t, want, s.made()[0].body)

		_, body := ask(t, bot, message("r3", "too late"))
		assert.JSONEq(t, want, body)
		require.NoError(t, bot.Shutdown(t.Context()), "again")
	})
}

// The callbacks that are under way when the bot may not wait have two seconds.
func TestShutdownLetsACallbackEnd(t *testing.T) {
	t.Parallel()
	for takes, ends := range map[time.Duration]bool{time.Second: true, time.Minute: false} {
		synctest.Test(t, func(t *testing.T) {
			var ended bool
			s := service{answer: func(_ int, r *http.Request) (int, string, error) {
				select {
				case <-time.After(takes):
					ended = true
					return 200, `{"data":{}}`, nil
				case <-r.Context().Done():
					return 0, "", r.Context().Err()
				}
			}}
			bot := newBot(t, func(ctx context.Context, _ *live.BotMessage) (*live.BotAnswer, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}, s.callbacks(t))
			ask(t, bot, botMessage)
			time.Sleep(time.Second)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			began := time.Now()
			require.ErrorIs(t, bot.Shutdown(ctx), context.Canceled)
			assert.Equal(t, min(takes, 2*time.Second), time.Since(began))
			assert.Equal(t, ends, ended)
		})
	}
}

func TestShutdownDoesNotWaitForTheDeaf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bot := newBot(t, func(context.Context, *live.BotMessage) (*live.BotAnswer, error) {
			time.Sleep(time.Hour)
			return live.Reply("x"), nil
		})
		ask(t, bot, botMessage)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		require.ErrorIs(t, bot.Shutdown(ctx), context.Canceled)
		assert.Equal(t, 3*time.Second, time.Since(began))
		time.Sleep(time.Hour) // Until the goroutine has ended.
	})
}

func TestABotVerifiesAsAReceiverDoes(t *testing.T) {
	t.Parallel()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	runs := 0
	bot, err := live.NewBot(webhook.RSA(&private.PublicKey), live.OnMessage(func(context.Context, *live.BotMessage) (*live.BotAnswer, error) {
		runs++
		return live.Reply("x"), nil
	}))
	require.NoError(t, err)
	signature, err := webhook.SignRSA(private, []byte(botMessage))
	require.NoError(t, err)
	for _, row := range []struct {
		header, body string
		want         int
	}{{signature, botMessage, 200}, {signature, botMessage + " ", 401}, {"", botMessage, 401}} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(row.body))
		if row.header != "" {
			r.Header.Set(webhook.HeaderRSASignature, row.header)
		}
		bot.ServeHTTP(w, r)
		assert.Equal(t, row.want, w.Code)
	}
	assert.Equal(t, 1, runs)

	bot, err = live.NewBot(panickingVerifier{}, live.OnMessage(func(context.Context, *live.BotMessage) (*live.BotAnswer, error) { return live.Reply("x"), nil }))
	require.NoError(t, err)
	w := httptest.NewRecorder()
	bot.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(botMessage)))
	assert.Equal(t, http.StatusUnauthorized, w.Code, "a panic has verified nothing")
}

// panickingVerifier is a verifier of the user's.
type panickingVerifier struct{}

func (panickingVerifier) Verify(http.Header, []byte) error { panic("no verifier") }

func TestWhatIsNoRequestToABotIsRefused(t *testing.T) {
	t.Parallel()
	log := new(logged)
	bot := answering(t, live.Reply("x"), live.WithLogger(log.logger()))
	var compressed bytes.Buffer
	zip := gzip.NewWriter(&compressed)
	_, err := zip.Write([]byte(botMessage))
	require.NoError(t, err)
	require.NoError(t, zip.Close())
	for name, row := range map[string]struct {
		method, body, encoding string
		want                   int
	}{
		"a probe":             {http.MethodHead, "", "", 200},
		"a ping":              {http.MethodGet, "", "", 200},
		"another method":      {http.MethodPut, botMessage, "", 405},
		"an empty body":       {http.MethodPost, "", "", 400},
		"half a body":         {http.MethodPost, botMessage[:40], "", 400},
		"a list":              {http.MethodPost, "[]", "", 400},
		"no handler":          {http.MethodPost, `{"visitor":{}}`, "", 400},
		"a body without end":  {http.MethodPost, `{"handler":"` + strings.Repeat("x", 1<<20), "", 413},
		"a compressed body":   {http.MethodPost, compressed.String(), "gzip", 415},
		"another coding":      {http.MethodPost, botMessage, "identity br", 415},
		"a kind of its own":   {http.MethodPost, `{"handler":"dream"}`, "", 200},
		"a kind not expected": {http.MethodPost, `{"handler":"context"}`, "", 200},
		"what it is for":      {http.MethodPost, botMessage, "identity", 200},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), row.method, "/", strings.NewReader(row.body))
		r.Header["Content-Encoding"] = strings.Fields(row.encoding)
		bot.ServeHTTP(w, r)
		assert.Equal(t, row.want, w.Code, name)
		assert.Equal(t, row.want == 413, w.Header().Get("Connection") == "close", name)

		overHTTP2 := httptest.NewRecorder()
		r.ProtoMajor, r.Body = 2, io.NopCloser(strings.NewReader(row.body))
		bot.ServeHTTP(overHTTP2, r)
		assert.Equal(t, row.want, overHTTP2.Code, name)
		assert.Empty(t, overHTTP2.Header().Get("Connection"), name)
		if strings.HasPrefix(name, "a kind") {
			assert.Contains(t, w.Body.String(), `"forward"`, name)
		}
	}
	assert.Contains(t, log.String(), "WARN bot request refused")
	assert.Contains(t, log.String(), "no handler for the request")
	w := httptest.NewRecorder()
	new(live.Bot).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(botMessage)))
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Error(t, new(live.Bot).Shutdown(t.Context()))
	require.Error(t, new(live.Bot).Respond(t.Context(), "r1", live.Reply("x")))
}

func TestWhatABotIsMadeOfIsChecked(t *testing.T) {
	t.Parallel()
	onMessage := live.OnMessage(func(context.Context, *live.BotMessage) (*live.BotAnswer, error) { return live.Reply("x"), nil })
	for field, make := range map[string]func() (*live.Bot, error){
		"verifier": func() (*live.Bot, error) { return live.NewBot(nil, onMessage) },
		"RSA key":  func() (*live.Bot, error) { return live.NewBot(webhook.RSA(), onMessage) },
		"handler":  func() (*live.Bot, error) { return live.NewBot(live.Unsigned()) },
		"message handler": func() (*live.Bot, error) {
			return live.NewBot(live.Unsigned(), slices.Repeat([]live.BotOption{onMessage}, 2)...)
		},
	} {
		bot, err := make()
		var wrong *salesiq.InputError
		require.ErrorAs(t, err, &wrong, field)
		assert.Equal(t, field, wrong.Field)
		assert.Nil(t, bot)
	}
}

// A forward that has failed is not answered with another one, which would fail, too.
func TestAFailedForwardIsNotForwardedAgain(t *testing.T) {
	t.Parallel()
	const failure = `{"handler":"failure","visitor":{},"request":{"id":"r1"},"failed_response":{"action":"forward","replies":["x"]},` +
		`"cause":{"code":1002,"desc":"operators_not_available"}}`
	_, answer := ask(t, answering(t, live.Reply("x")), failure)
	assert.JSONEq(t, `{"action":"operator_busy","replies":["Nobody can take over right now. Please leave us a message."]}`, answer)
	_, answer = ask(t, answering(t, live.Reply("x"), live.WithFallback(live.End("Sorry"))), failure)
	assert.JSONEq(t, `{"action":"end","replies":["Sorry"]}`, answer)
}

func TestCallbacksNeedAPortal(t *testing.T) {
	t.Parallel()
	client, err := salesiq.NewClient(salesiq.StaticToken("token"))
	require.NoError(t, err)
	_, err = live.NewBot(live.Unsigned(), live.WithCallbacks(client))
	require.ErrorContains(t, err, "WithPortal")
}

// Over a real connection, nothing of an exchange is left behind, whichever version of
// HTTP it speaks.
func TestABotServesManyVisitorsAtOnce(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		var mu sync.Mutex
		runs := map[string]int{}
		bot := newBot(t, func(_ context.Context, r *live.BotMessage) (*live.BotAnswer, error) {
			mu.Lock()
			defer mu.Unlock()
			runs[r.ID]++
			return live.Reply("Hello " + r.Text), nil
		})
		server := httptest.NewUnstartedServer(bot)
		server.EnableHTTP2, server.Config.ErrorLog = http2, slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		server.StartTLS()
		t.Cleanup(server.Close)
		var all sync.WaitGroup
		for visitor := range 50 {
			for range 3 {
				all.Go(func() {
					id := strconv.Itoa(visitor)
					request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(message("r"+id, id)))
					assert.NoError(t, err)
					answer, err := server.Client().Do(request)
					if !assert.NoError(t, err) {
						return
					}
					defer answer.Body.Close()
					body, err := io.ReadAll(answer.Body)
					assert.NoError(t, err)
					assert.JSONEq(t, `{"action":"reply","replies":["Hello `+id+`"]}`, string(body))
				})
			}
		}
		all.Wait()
		require.NoError(t, bot.Shutdown(t.Context()))
		assert.Len(t, runs, 50)
		for id, n := range runs {
			assert.Equal(t, 1, n, id)
		}
	}
}
