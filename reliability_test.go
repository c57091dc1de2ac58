package salesiq_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/testkit"
)

// The tests of this file make the calls of users on real connections.

func faultyClient(t testing.TB, s *testkit.Server, opts ...salesiq.Option) *salesiq.Client {
	t.Helper()
	opts = append([]salesiq.Option{salesiq.WithBaseURL(s.URL), salesiq.WithHTTPClient(&http.Client{Transport: s.Transport(t)})}, opts...)
	client, err := salesiq.NewClient(salesiq.StaticToken("token"), opts...)
	require.NoError(t, err)
	return client
}

func say(ctx context.Context, client *salesiq.Client, opts ...salesiq.CallOption) error {
	_, err := client.Chats.SendMessage(ctx, "c1", salesiq.TextMessage("hello"), opts...)
	return err
}

func TestMessageIsNeverSentTwice(t *testing.T) {
	t.Parallel()
	for name, behavior := range map[string]testkit.Behavior{
		"reset":        testkit.ResetAfter(),
		"closed":       testkit.CloseAfter(),
		"outage":       testkit.Answer(503, "application/json", `{"status":"error","code":"INTERNAL_ERROR"}`),
		"proxy's page": testkit.HTML(504, "<html>"),
		"short body":   testkit.ShortBody(`{"data":`),
		"cut JSON":     testkit.JSON(`{"data":`),
		"no HTTP":      testkit.MalformedStatus("nonsense"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.NewServer(t, behavior, testkit.OK())
			err := say(t.Context(), faultyClient(t, s))
			require.ErrorIs(t, err, salesiq.ErrMaybeProcessed)
			assert.False(t, salesiq.IsRetryable(err), "not blindly")
			assert.Contains(t, err.Error(), "may have processed")
			assert.Len(t, s.Received(), 1)
			assert.Empty(t, s.Received()[0].Header.Get("Idempotency-Key"), "with it, net/http would repeat the POST by itself")
		})
	}
}

func TestMessageIsSentAgainIfTheCallerTakesItOn(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.ResetAfter(), testkit.OK())
	require.NoError(t, say(t.Context(), faultyClient(t, s), salesiq.WithIdempotent()))
	assert.Len(t, s.Received(), 2)
}

func TestMessageToNobodyWasNotProcessed(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.OK())
	s.Close()
	client, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithBaseURL(s.URL))
	require.NoError(t, err)
	err = say(t.Context(), client, salesiq.WithCallAttempts(1))
	require.ErrorIs(t, err, salesiq.ErrTransport)
	require.NotErrorIs(t, err, salesiq.ErrMaybeProcessed)
	assert.True(t, salesiq.IsRetryable(err))
}

func TestRepeatedDeleteThatFindsNothingSaysSo(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.ResetAfter(), testkit.Answer(404, "application/json", `{"status":"error","code":"RESOURCE_NOT_FOUND"}`))
	err := faultyClient(t, s).Operators.Delete(t.Context(), "o1")
	require.ErrorIs(t, err, salesiq.ErrResourceNotFound)
	var failure *salesiq.Error
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, 2, failure.Attempts, "the first one may have done it")
}

func TestOutageIsNotMadeWorse(t *testing.T) {
	t.Parallel()
	const calls = 100
	s := testkit.NewServer(t, testkit.HTML(503, "<html>"))
	client := faultyClient(t, s)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for range calls / 10 {
				assert.Error(t, client.Do(t.Context(), "GET", "/chats", nil, nil))
			}
		})
	}
	wg.Wait()
	assert.LessOrEqual(t, len(s.Received()), 120)
}

func TestHostileBodyIsNotReadToItsEnd(t *testing.T) {
	t.Parallel()
	for name, behavior := range map[string]testkit.Behavior{
		"100 MB":                       testkit.Huge(100 << 20),
		"gzip that inflates to 256 MB": testkit.GzipBomb(256),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.NewServer(t, behavior)
			_, err := faultyClient(t, s).Chats.Get(t.Context(), "c1")
			require.ErrorIs(t, err, salesiq.ErrTooLarge)
			assert.Len(t, s.Received(), 1, "it would be as large again")
		})
	}
}

func TestContextEndsACallWithItsOwnError(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.Silence())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := say(ctx, faultyClient(t, s))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, err, salesiq.ErrMaybeProcessed)
	assert.Less(t, time.Since(start), 5*time.Second)
}

type answerFunc func(*http.Request) (*http.Response, error)

func (f answerFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// canceling is a body that cancels once it was read.
type canceling struct {
	io.Reader

	cancel context.CancelFunc
}

func (c canceling) Close() error { c.cancel(); return nil }

func TestContextThatEndsAMomentAfterTheAnswerChangesNothing(t *testing.T) {
	t.Parallel()
	for status, kind := range map[int]salesiq.ErrorCode{404: salesiq.ErrResourceNotFound, 503: ""} {
		ctx, cancel := context.WithCancel(t.Context())
		base := answerFunc(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Body: canceling{strings.NewReader(""), cancel}}, nil
		})
		client, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithBaseURL("https://salesiq.example"), salesiq.WithHTTPClient(&http.Client{Transport: base}))
		require.NoError(t, err)
		_, err = client.Chats.Get(ctx, "c1")
		assert.Equal(t, kind, salesiq.KindOf(err))
		assert.Equal(t, kind == "", errors.Is(err, context.Canceled), "another attempt was due after a 503")
	}
}

func TestContextThatEndedBeforeTheCallGivesItsCause(t *testing.T) {
	t.Parallel()
	closing := errors.New("closing time")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(closing)
	err := say(ctx, faultyClient(t, testkit.NewServer(t, testkit.OK())))
	require.ErrorIs(t, err, closing)
	require.ErrorIs(t, err, context.Canceled)
}

func TestStuckAnswerFreesItsSlot(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.Stall(), testkit.OK())
	client := faultyClient(t, s, salesiq.WithMaxInFlight(1), salesiq.WithStallTimeout(50*time.Millisecond), salesiq.WithMaxAttempts(1))
	require.ErrorIs(t, client.Do(t.Context(), "GET", "/chats", nil, nil), salesiq.ErrTransport)
	require.NoError(t, client.Do(t.Context(), "GET", "/chats", nil, nil))
}

// shared is a transport that others use, too.
type shared struct {
	http.RoundTripper

	closed int
}

func (s *shared) CloseIdleConnections() { s.closed++ }

func TestSharedPoolIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := testkit.NewServer(t, testkit.OK(), testkit.ResetAfter())
	pool := &shared{RoundTripper: s.Transport(t)}
	client := faultyClient(t, s, salesiq.WithHTTPClient(&http.Client{Transport: pool}), salesiq.WithMaxAttempts(2))
	require.NoError(t, say(t.Context(), client))
	require.Error(t, say(t.Context(), client))
	require.Error(t, client.Do(t.Context(), "GET", "/chats", nil, nil))
	assert.Zero(t, pool.closed)
}

// It counts what the process has open, and so runs alone.
func TestTenThousandFaultsLeaveNothingOpen(t *testing.T) { // See above.
	s := testkit.NewServer(t, testkit.Cycle(
		testkit.OK(), testkit.ResetAfter(), testkit.HTML(502, "<html>"), testkit.Empty(200), testkit.ShortBody(`{"data":`),
		testkit.OK(), testkit.MalformedStatus("nonsense"), testkit.Redirect(302, "/elsewhere"), testkit.BrokenChunk(`{"data":`), testkit.CloseAfter(),
	))
	client := faultyClient(t, s, salesiq.WithMaxAttempts(1))
	calls := func(n int) {
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				for range n / 10 {
					client.Do(t.Context(), "GET", "/chats", nil, nil) //nolint:errcheck // Most of them fail.
				}
			})
		}
		wg.Wait()
	}
	calls(100)
	files, goroutines := openFiles(t), runtime.NumGoroutine()
	calls(10_000)
	assert.GreaterOrEqual(t, len(s.Received()), 10_100)
	assert.Eventually(t, func() bool {
		return openFiles(t) <= files+20 && runtime.NumGoroutine() <= goroutines+40
	}, 10*time.Second, 10*time.Millisecond, "ten connections, and what serves them, are kept")
}

// openFiles returns how many file descriptors the process has, or 0 where that
// cannot be asked.
func openFiles(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	require.NoError(t, err)
	return len(entries)
}

func TestHeadersCannotBeInjected(t *testing.T) {
	t.Parallel()
	const evil = "value\r\nX-Injected: 1"
	s := testkit.NewServer(t, testkit.OK())
	for _, authenticator := range []salesiq.Authenticator{
		salesiq.StaticToken(evil),
		salesiq.RefreshToken(salesiq.Credentials{ClientID: "id", ClientSecret: salesiq.NewSecret("secret"), RefreshToken: salesiq.NewSecret(evil)}, nil),
	} {
		_, err := salesiq.NewClient(authenticator, salesiq.WithBaseURL(s.URL))
		assert.ErrorIs(t, err, salesiq.ErrInvalidInput)
	}
	for _, application := range []string{evil, "tab\tbed", "bell\a", "delete\x7f", ""} {
		_, err := salesiq.NewClient(salesiq.StaticToken("token"), salesiq.WithUserAgent(application))
		require.ErrorIs(t, err, salesiq.ErrInvalidInput, "%q", application)
	}
	client := faultyClient(t, s)
	for _, option := range []salesiq.CallOption{
		salesiq.WithHeader("X-Header", evil),
		salesiq.WithHeader("X-Header", "bell\a"),
		salesiq.WithHeader(evil, "value"),
		salesiq.WithHeader("two words", "value"),
		salesiq.WithHeader("ümlaut", "value"),
		salesiq.WithHeader("", "value"),
		salesiq.WithHeader("authorization", "mine"),
		salesiq.WithHeader("User-Agent", "mine"),
		salesiq.WithHeader("idempotency-key", "1"),
		salesiq.WithHeader("X-Idempotency-Key", "1"),
	} {
		err := say(t.Context(), client, option, salesiq.WithHeader("X-Good", "value"))
		assert.ErrorIs(t, err, salesiq.ErrInvalidInput)
		assert.ErrorContains(t, err, "Chats.SendMessage: header")
	}
	assert.Empty(t, s.Received())
	require.NoError(t, say(t.Context(), client, salesiq.WithHeader("x-good", "välue")))
	assert.Equal(t, []string{"Zoho-oauthtoken token"}, s.Received()[0].Header["Authorization"])
	assert.Equal(t, []string{"välue"}, s.Received()[0].Header["X-Good"])
}

func TestReliabilityTableNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile("docs/reliability.md")
	require.NoError(t, err)
	functions := testFunctions(t)
	for _, name := range regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w+)`").FindAllStringSubmatch(string(table), -1) {
		assert.True(t, functions[name[1]], "there is no %s", name[1])
	}
	for letter, last := range map[string]int{"A": 14, "R": 13, "T": 19, "I": 6, "S": 6, "W": 15, "B": 10, "Q": 12, "O": 8} {
		for i := range last {
			row := regexp.MustCompile(fmt.Sprintf("(?m)^\\| %s%d \\|.*`(Test|Fuzz)", letter, i+1))
			assert.Len(t, row.FindAllIndex(table, -1), 1, "row %s%d", letter, i+1)
		}
	}
}

// testFunctions returns the names of all tests and fuzz targets of the module.
func testFunctions(t testing.TB) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	declaration := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	require.NoError(t, filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, match := range declaration.FindAllSubmatch(source, -1) {
			names[string(match[1])] = true
		}
		return err
	}))
	return names
}
