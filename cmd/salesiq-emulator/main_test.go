package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/live"
	"github.com/salesiq-go/salesiq/salesiqtest"
	"github.com/salesiq-go/salesiq/webhook"
)

// The test binary is the program, when it is told to.
func TestMain(m *testing.M) {
	if os.Getenv("SALESIQ_EMULATOR_RUN") != "" {
		os.Args = append([]string{"salesiq-emulator"}, strings.Fields(os.Getenv("SALESIQ_EMULATOR_RUN"))...)
		main()
	}
	os.Exit(m.Run())
}

// names are what the program tells, in this order.
var names = []string{
	"SALESIQ_BASE_URL", "SALESIQ_ACCOUNTS_URL", "SALESIQ_CRM_URL",
	"ZOHO_CLIENT_ID", "ZOHO_CLIENT_SECRET", "ZOHO_REFRESH_TOKEN",
}

// program starts the program as a process of its own and reads what it tells.
func program(t *testing.T, flags string) (environment map[string]string, process *exec.Cmd, stdout *bufio.Reader) {
	t.Helper()
	executable, err := os.Executable()
	require.NoError(t, err)
	process = exec.CommandContext(t.Context(), executable)
	process.Env = append(os.Environ(), "SALESIQ_EMULATOR_RUN=-quiet=false "+flags)
	process.Stderr = &bytes.Buffer{}
	pipe, err := process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	stdout = bufio.NewReader(pipe)
	environment = map[string]string{}
	for _, want := range names {
		line, err := stdout.ReadString('\n')
		require.NoError(t, err)
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		require.Equal(t, want, name)
		environment[name] = value
	}
	return environment, process, stdout
}

func clientOf(t *testing.T, environment map[string]string) *salesiq.Client {
	t.Helper()
	client, err := salesiq.NewClient(
		salesiq.RefreshToken(salesiq.Credentials{
			ClientID:     environment["ZOHO_CLIENT_ID"],
			ClientSecret: salesiq.NewSecret(environment["ZOHO_CLIENT_SECRET"]),
			RefreshToken: salesiq.NewSecret(environment["ZOHO_REFRESH_TOKEN"]),
		}, salesiq.NewMemoryTokenStore()),
		salesiq.WithBaseURL(environment["SALESIQ_BASE_URL"]),
		salesiq.WithAccountsURL(environment["SALESIQ_ACCOUNTS_URL"]))
	require.NoError(t, err)
	return client
}

func TestItServesOnceItHasSaidWhere(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		environment, process, stdout := program(t, "")
		stderr, ok := process.Stderr.(*bytes.Buffer)
		require.True(t, ok)
		var response salesiq.Response
		_, err := clientOf(t, environment).Chats.Get(t.Context(), "chat123", salesiq.WithResponse(&response))
		require.NoError(t, err)
		assert.Equal(t, 100, response.RateWindow.Limit, "plan enterprise by default")

		require.NoError(t, process.Process.Signal(signal))
		rest, err := io.ReadAll(stdout)
		require.NoError(t, err)
		assert.Empty(t, string(rest), "nothing else on standard output")
		require.NoError(t, process.Wait(), "exit code 0")
		assert.Contains(t, stderr.String(), "method=GET path=/api/v2/chats/chat123 status=200")
		for _, name := range []string{"ZOHO_CLIENT_SECRET", "ZOHO_REFRESH_TOKEN"} {
			assert.NotContains(t, stderr.String(), environment[name])
		}
	}
}

func TestCallsUnderWayMayEnd(t *testing.T) {
	t.Parallel()
	environment, process, _ := program(t, "-plan none")
	fault := `{"path":"/api/v2/brands","latency_ms":500}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, environment["SALESIQ_BASE_URL"]+"/_emulator/faults", strings.NewReader(fault))
	require.NoError(t, err)
	response, err := new(http.Client).Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())

	client := clientOf(t, environment)
	_, err = client.Chats.Get(t.Context(), "chat123") // Signs in.
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		_, err := client.Brands.List(t.Context(), nil, salesiq.WithCallAttempts(1))
		done <- err
	}()
	time.Sleep(200 * time.Millisecond)
	require.NoError(t, process.Process.Signal(syscall.SIGTERM))
	require.NoError(t, <-done)
	require.NoError(t, process.Wait())
}

func TestFlagsReachTheServer(t *testing.T) {
	t.Parallel()
	environment, _, _ := program(t, "-plan free -window 2s -clock-offset 1h -token-lifetime 30m -seed 9 -addr localhost:0")
	var response salesiq.Response
	_, err := clientOf(t, environment).Chats.Get(t.Context(), "chat123", salesiq.WithResponse(&response))
	require.NoError(t, err)
	assert.Equal(t, 10, response.RateWindow.Limit)
	date, err := http.ParseTime(response.Header.Get("Date"))
	require.NoError(t, err)
	assert.InDelta(t, time.Hour, time.Until(date), float64(10*time.Second))
	assert.LessOrEqual(t, response.RateWindow.Reset.Sub(date), 3*time.Second, "Date has whole seconds")
}

func TestTranscriptsAreLeftOutOfListsOnRequest(t *testing.T) {
	t.Parallel()
	environment, _, _ := program(t, "-without-listed-transcripts")
	page, err := clientOf(t, environment).Chats.List(t.Context(), nil)
	require.NoError(t, err)
	assert.Nil(t, page.Items[0].Transcript)
}

func TestTheLiveDialectIsServed(t *testing.T) {
	t.Parallel()
	environment, _, stdout := program(t, "-dialect live")
	portal, err := stdout.ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "SALESIQ_PORTAL="+salesiqtest.Portal+"\n", portal)
	portals, err := live.New(clientOf(t, environment)).Portals.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, salesiqtest.Portal, portals[0].ScreenName)
}

func TestABotIsServedWithItsKeyAndAPage(t *testing.T) {
	t.Parallel()
	_, _, stdout := program(t, "-dialect live -bot http://127.0.0.1:1/")
	var lines []string
	for range 3 {
		line, err := stdout.ReadString('\n')
		require.NoError(t, err)
		lines = append(lines, strings.TrimSpace(line))
	}
	assert.Equal(t, "SALESIQ_PORTAL="+salesiqtest.Portal, lines[0])
	key, ok := strings.CutPrefix(lines[1], "SALESIQ_BOT_KEY=")
	require.True(t, ok, lines[1])
	_, err := webhook.ParseRSAKey(key)
	require.NoError(t, err)
	page, ok := strings.CutPrefix(lines[2], "SALESIQ_WIDGET_PAGE=")
	require.True(t, ok, lines[2])
	assert.Equal(t, http.StatusOK, statusOf(t, page, ""))
}

func TestAMistakeIsOneClearLine(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, taken.Close()) })
	for flags, want := range map[string]struct {
		code    int
		message string
	}{
		"-plan gold":                     {2, `"gold" is unknown`},
		"-dialect broad":                 {2, "-dialect"},
		"-bot http://127.0.0.1:1/":       {2, "-dialect live"},
		"-dialect live -bot 127.0.0.1":   {1, "bot URL"},
		"-paint blue":                    {2, "paint"},
		"-addr 8080":                     {2, "-addr"},
		"-addr 0.0.0.0:0":                {2, "loopback"},
		"-addr :0":                       {2, "loopback"},
		"-addr example.com:80":           {2, "loopback"},
		"-token-lifetime 1ms":            {2, "-token-lifetime"},
		"-window 0s":                     {2, "-window"},
		"-host emulator:80":              {1, "host"},
		"-redirect-uri /back":            {1, "redirect URI"},
		"serve":                          {2, "serve"},
		"-test.v":                        {2, "test.v"},
		"-addr " + taken.Addr().String(): {1, "in use"},
	} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, want.code, run(t.Context(), strings.Fields(flags), &stdout, &stderr), flags)
		assert.Empty(t, stdout.String(), flags)
		assert.Contains(t, stderr.String(), want.message, flags)
		assert.Equal(t, 1, strings.Count(stderr.String(), "\n"), "%s: %s", flags, stderr.String())
	}
}

func TestAnOpenAddressTakesAnExtraWord(t *testing.T) {
	t.Parallel()
	set, err := parse([]string{"-addr", "0.0.0.0:0", "-insecure-bind"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, "0.0.0.0:0", set.addr)
}

// A name such as emulator.localhost may mean any address.
func TestTheAddressThatIsBoundCountsAndNotItsName(t *testing.T) {
	t.Parallel()
	for at, refused := range map[string]bool{"192.0.2.7": true, "0.0.0.0": true, "127.0.0.3": false, "::1": false} {
		bound := &net.TCPAddr{IP: net.ParseIP(at), Port: 80}
		err := (&settings{addr: "emulator.localhost:80"}).checkBound(bound)
		assert.Equal(t, refused, err != nil, at)
		assert.NoError(t, (&settings{addr: "emulator.localhost:80", insecureBind: true}).checkBound(bound))
	}
}

func TestRequestsNameThisMachineOrAHostThatIsPermitted(t *testing.T) {
	t.Parallel()
	environment, _, _ := program(t, "-host emulator.test -host other.test -redirect-uri https://shop.example/back")
	base := environment["SALESIQ_BASE_URL"]
	for host, want := range map[string]int{"": 200, "localhost": 200, "emulator.test": 200, "other.test:80": 200, "rebound.test": 403} {
		assert.Equal(t, want, statusOf(t, base+"/_emulator/stats", host), host)
	}
	consent := base + "/oauth/v2/auth?response_type=code&scope=SalesIQ.chats.READ&client_id=" + environment["ZOHO_CLIENT_ID"] + "&redirect_uri="
	assert.Equal(t, 302, statusOf(t, consent+"https://shop.example/back", ""))
	assert.Equal(t, 400, statusOf(t, consent+"https://evil.example/back", ""))
}

func statusOf(t *testing.T, address, host string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	require.NoError(t, err)
	request.Host = host
	response, err := new(http.Transport).RoundTrip(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

func TestHelpIsNoMistake(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	assert.Zero(t, run(t.Context(), []string{"-h"}, io.Discard, &stderr))
	for _, name := range []string{"-addr", "-plan", "-window", "-seed", "-quiet", "-without-listed-transcripts", "-clock-offset", "-token-lifetime", "-host", "-redirect-uri", "-bot"} {
		assert.Contains(t, stderr.String(), name)
	}
	assert.NotContains(t, stderr.String(), "-test.")
}

func TestAClosedOutputIsAnError(t *testing.T) {
	t.Parallel()
	reader, writer := io.Pipe()
	require.NoError(t, reader.Close())
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var stderr bytes.Buffer
	assert.Equal(t, 1, run(ctx, []string{"-quiet"}, writer, &stderr))
	assert.NotEmpty(t, stderr.String())
}
