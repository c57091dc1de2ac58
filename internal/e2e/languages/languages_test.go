// Package languages lets programs in other languages talk to the emulator. Where
// their interpreter or a library of theirs is missing, tests are skipped, and say so.
package languages

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/salesiqtest"
)

// TestOtherLanguagesGetAlongWithTheEmulator runs programs that use the libraries
// of the specification's samples, in their way, and asks the emulator what
// arrived.
func TestOtherLanguagesGetAlongWithTheEmulator(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "emulator.exe")
	build := sync.OnceValues(func() ([]byte, error) {
		command := exec.CommandContext(t.Context(), "go", "build", "-C", filepath.Join("..", "..", ".."), "-o", program, "./cmd/salesiq-emulator")
		return command.CombinedOutput()
	})
	for _, c := range []struct {
		name   string
		script string
		needs  func(t *testing.T, libraries ...string) (interpreter string)
		uses   []string
		flags  []string
		check  func(t *testing.T, e *emulator, printed string)
	}{
		{name: "axios makes every call", script: "every_call.mjs", needs: node, uses: []string{"axios"}, flags: redirectURI, check: arrivedOnce},
		{name: "requests makes every call", script: "every_call.py", needs: python, uses: []string{"requests"}, flags: redirectURI, check: arrivedOnce},
		{name: "axios waits for the next window", script: "rate_limit.mjs", needs: node, uses: []string{"axios"}, flags: shortWindow, check: waitedOnce},
		{name: "requests waits for the next window", script: "rate_limit.py", needs: python, uses: []string{"requests"}, flags: shortWindow, check: waitedOnce},
		{name: "express accepts every signature", script: "receiver.mjs", needs: node, uses: []string{"axios", "express"}, check: acceptedAll},
		{name: "a connector keeps up with the live service", script: "live_connector.py", needs: python, flags: liveDialect, check: saw(18,
			`{"all":286,"connected":60,"ended as":"Attended Online","failed tags":2,"open":66,"portal":"nordlicht","said":2}`)},
		{name: "an exporter reads all that the live service has", script: "live_exporter.mjs", needs: node, flags: liveDialect, check: saw(16,
			`{"conversations":286,"messages":143,"calls":4,"feedback":110,"visitors":130,"visits":244,"events":630}`)},
		{name: "a bot takes the visitor's side of the live service", script: "live_visitor.mjs", needs: node, flags: liveDialect, check: saw(21,
			`{"said":["visitor text","visitor text","visitor file","operator text"],"rated":"happy","threads":["1 Attended Online","2 Live"],"missed":"Call me"}`)},
		{name: "an importer fills the live service's articles", script: "live_importer.py", needs: python, flags: liveDialect, check: saw(15,
			`{"articles":22,"categories":["General","Tents","Shoes"],"responses":7}`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			interpreter := c.needs(t, c.uses...)
			said, err := build()
			require.NoError(t, err, string(said))
			e := startEmulator(t, program, c.flags...)
			c.check(t, e, e.run(interpreter, filepath.Join("testdata", c.script)))
			e.end()
		})
	}
}

// redirectURI registers where the scripts have the consent page redirect to.
var redirectURI = []string{"-redirect-uri", "https://shop.example/signed-in"}

// liveDialect is for callers that were written after what the vendor publishes about
// the live service. None of them knows our code.
var liveDialect = []string{"-dialect", "live"}

// shortWindow keeps the wait for the next window short.
var shortWindow = []string{"-plan", "free", "-window", "3s"}

// node returns the interpreter of JavaScript, if it has some libraries.
func node(t *testing.T, libraries ...string) string {
	t.Helper()
	return interpreterWith(t, "node", "-e", "require(%q)", "NODE_PATH names where they are", libraries)
}

// python returns the interpreter of Python, if it has some libraries.
func python(t *testing.T, libraries ...string) string {
	t.Helper()
	return interpreterWith(t, "python3", "-c", "__import__(%q)", "Debian's packages are called python3-…", libraries)
}

func interpreterWith(t *testing.T, name, option, load, hint string, libraries []string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s on this machine: the emulator is not tried with %s", name, strings.Join(libraries, " and "))
	}
	for _, library := range libraries {
		if exec.CommandContext(t.Context(), path, option, fmt.Sprintf(load, library)).Run() != nil {
			t.Skipf("%s has no %s: the emulator is not tried with it (%s)", name, library, hint)
		}
	}
	return path
}

// emulator is cmd/salesiq-emulator, as it runs.
type emulator struct {
	t           *testing.T
	process     *exec.Cmd
	environment map[string]string
}

// environmentOfSamples are the variables that the program prints.
var environmentOfSamples = []string{
	"SALESIQ_BASE_URL", "SALESIQ_ACCOUNTS_URL", "SALESIQ_CRM_URL",
	"ZOHO_CLIENT_ID", "ZOHO_CLIENT_SECRET", "ZOHO_REFRESH_TOKEN",
}

func startEmulator(t *testing.T, program string, flags ...string) *emulator {
	t.Helper()
	e := &emulator{t: t, environment: map[string]string{}}
	names := slices.Clone(environmentOfSamples)
	if slices.Contains(flags, "live") {
		names = append(names, "SALESIQ_PORTAL")
	}
	e.process = exec.CommandContext(t.Context(), program, append(flags, "-quiet")...)
	e.process.Stderr = os.Stderr
	stdout, err := e.process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, e.process.Start())
	lines := bufio.NewScanner(stdout)
	for range names {
		require.True(t, lines.Scan(), "it ended early: %v", lines.Err())
		name, value, _ := strings.Cut(lines.Text(), "=")
		e.environment[name] = value
	}
	for _, name := range names {
		require.NotEmpty(t, e.environment[name], name)
	}
	e.environment["SALESIQ_ORG_REFRESH_TOKEN"] = "1000.emulator.org-refresh-token" // As documented.
	return e
}

// end asks the program to end, which is a success.
func (e *emulator) end() {
	e.t.Helper()
	require.NoError(e.t, e.process.Process.Signal(syscall.SIGTERM))
	require.NoError(e.t, e.process.Wait(), "exit code 0")
}

// run runs a script against the emulator, which must succeed, and returns what it
// prints.
func (e *emulator) run(interpreter, script string) string {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, interpreter, script)
	// Python is not to leave compiled files in the tree.
	command.Env = append(command.Environ(), "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1", "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8")
	for name, value := range e.environment {
		command.Env = append(command.Env, name+"="+value)
	}
	var complaints strings.Builder
	command.Stderr = &complaints
	printed, err := command.Output()
	require.NoError(e.t, err, "%s: %s%s", script, printed, complaints.String())
	assert.Empty(e.t, complaints.String())
	return strings.TrimSpace(string(printed))
}

// ask reads what a control call tells.
func ask[T any](e *emulator, path string) (told T) {
	e.t.Helper()
	request, err := http.NewRequestWithContext(e.t.Context(), http.MethodGet, e.environment["SALESIQ_BASE_URL"]+"/_emulator/"+path, http.NoBody)
	require.NoError(e.t, err)
	response, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(e.t, err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	require.NoError(e.t, err)
	require.Equal(e.t, http.StatusOK, response.StatusCode, string(data))
	require.NoError(e.t, json.Unmarshal(data, &told), string(data))
	return told
}

// everyCall is what every_call makes: how often each call is carried out and
// refused. One notification has no answer, but is carried out all the same.
var everyCall = map[string]salesiqtest.CallStats{
	"GET /api/v2/chats":                          {Processed: 3, Refused: 1},
	"GET /api/v2/chats/{chat_id}":                {Processed: 1, Refused: 2},
	"GET /api/v2/chats/{chat_id}/transcript":     {Processed: 2},
	"POST /api/v2/chats/{chat_id}/messages":      {Processed: 1, Refused: 1},
	"POST /api/v2/chats/{chat_id}/transfer":      {Processed: 1, Refused: 1},
	"POST /api/v2/chats/{chat_id}/end":           {Processed: 1},
	"POST /api/v2/chats/{chat_id}/rating":        {Processed: 1},
	"GET /api/v2/visitors":                       {Processed: 2},
	"GET /api/v2/visitors/{visitor_id}":          {Processed: 1, Refused: 1},
	"PATCH /api/v2/visitors/{visitor_id}":        {Processed: 1},
	"GET /api/v2/visitors/{visitor_id}/activity": {Processed: 1},
	"POST /api/v2/visitors/{visitor_id}/tags":    {Processed: 1, Refused: 1},
	"GET /api/v2/operators":                      {Processed: 1},
	"GET /api/v2/operators/{operator_id}":        {Processed: 1, Refused: 1},
	"POST /api/v2/operators":                     {Processed: 1, Refused: 1},
	"PATCH /api/v2/operators/{operator_id}":      {Processed: 1},
	"DELETE /api/v2/operators/{operator_id}":     {Processed: 1},
	"GET /api/v2/operators/{operator_id}/stats":  {Processed: 1},
	"GET /api/v2/brands":                         {Processed: 2, Refused: 1},
	"GET /api/v2/brands/{brand_id}":              {Processed: 1},
	"PATCH /api/v2/brands/{brand_id}":            {Processed: 1},
	"GET /api/v2/brands/{brand_id}/departments":  {Processed: 1},
	"POST /api/v2/devices":                       {Processed: 1},
	"DELETE /api/v2/devices/{device_id}":         {Processed: 1},
	"POST /api/v2/notifications":                 {Processed: 2},
	"GET /api/v2/routing/rules":                  {Processed: 1},
	"POST /api/v2/routing/rules":                 {Processed: 1},
	"PATCH /api/v2/routing/rules/{rule_id}":      {Processed: 1},
	"DELETE /api/v2/routing/rules/{rule_id}":     {Processed: 1},
	"GET /api/v2/webhooks":                       {Processed: 1},
	"POST /api/v2/webhooks":                      {Processed: 1},
	"PATCH /api/v2/webhooks/{webhook_id}":        {Processed: 1},
	"DELETE /api/v2/webhooks/{webhook_id}":       {Processed: 1},
	"GET /crm/v8/Leads/search":                   {Processed: 2},
	"POST /crm/v8/Leads":                         {Processed: 1},
}

// everyWrite is what it changes, in this order; "new" stands for an id that the
// emulator has chosen.
var everyWrite = []struct{ call, body string }{
	{"POST /api/v2/chats/chat123/messages", `{"message":"Grüße 🙂 <b>&","type":"text"}`},
	{"POST /api/v2/chats/chat123/transfer", `{"operator_id":"operator789","message":"One moment"}`},
	{"POST /api/v2/chats/chat123/end", `{}`},
	{"POST /api/v2/chats/chat123/rating", `{"rating":4,"feedback":"Quick"}`},
	{"PATCH /api/v2/visitors/visitor123", `{"name":"Zoë","email":"zoe+1@mail.example","custom_fields":{"floor":3}}`},
	{"POST /api/v2/visitors/visitor123/tags", `{"tags":["night-owl"]}`},
	{"POST /api/v2/operators", `{"name":"Ada","email":"ada@mail.example","role":"agent","department_id":"dept789","max_chats":2,"languages":["Svenska"]}`},
	{"PATCH /api/v2/operators/new", `{"status":"away","max_chats":3}`},
	{"DELETE /api/v2/operators/new", ``},
	{"PATCH /api/v2/brands/brand123", `{"widget_settings":{"theme_color":"#224466"}}`},
	{"POST /api/v2/devices", `{"device_token":"phone-1","platform":"android","operator_id":"operator123"}`},
	{"DELETE /api/v2/devices/new", ``},
	{"POST /api/v2/notifications", `{"operator_id":"operator123","title":"Hi","message":"Look","data":{"chat_id":"chat123"}}`},
	{"POST /api/v2/routing/rules", `{"name":"Big spenders","priority":4,"enabled":true,"conditions":[{"field":"visitor.lead_score","operator":"greater_than","value":90}],"actions":{"assign_to":"operator","operator_ids":["operator456"]}}`},
	{"PATCH /api/v2/routing/rules/new", `{"enabled":false}`},
	{"DELETE /api/v2/routing/rules/new", ``},
	{"POST /api/v2/webhooks", `{"name":"Nightly","url":"https://shop.example/hook","events":["chat.started","chat.rating"],"enabled":true,"secret":"keep-it"}`},
	{"PATCH /api/v2/webhooks/new", `{"enabled":false}`},
	{"DELETE /api/v2/webhooks/new", ``},
	{"POST /crm/v8/Leads", `{"data":[{"Last_Name":"Zoë","Email":"zoe+1@mail.example"}]}`},
	{"POST /api/v2/notifications", `{"operator_id":"operator123","title":"Hi","message":"Once"}`},
}

var newID = regexp.MustCompile(`/[a-z]+9\d{5}$`)

// arrivedOnce checks that each call arrived as often as it was made, and each
// change as it was meant.
func arrivedOnce(t *testing.T, e *emulator, printed string) {
	assert.Equal(t, "made every call", printed)
	stats := ask[salesiqtest.Stats](e, "stats")
	assert.Equal(t, everyCall, stats.Calls)
	assert.Equal(t, 2, stats.Faults)
	assert.Equal(t, []int{4, 3, 1}, []int{stats.TokenRequests, stats.TokensIssued, stats.TokensDenied}, "a code works once")

	journal := ask[[]salesiqtest.Write](e, "journal")
	require.Len(t, journal, len(everyWrite))
	for i, want := range everyWrite {
		assert.Equal(t, want.call, journal[i].Method+" "+newID.ReplaceAllString(journal[i].Path, "/new"))
		if want.body == "" {
			assert.Empty(t, journal[i].Body, want.call)
			continue
		}
		assert.JSONEq(t, want.body, journal[i].Body, want.call)
	}
}

// waitedOnce checks that a program which heeds the headers is refused once.
func waitedOnce(t *testing.T, e *emulator, printed string) {
	var made struct{ Answered, Refused int }
	require.NoError(t, json.Unmarshal([]byte(printed), &made), printed)
	assert.Equal(t, 1, made.Refused)
	assert.Greater(t, made.Answered, 10, "the plan's calls, and one more")
	stats := ask[salesiqtest.Stats](e, "stats")
	assert.Equal(t, map[string]salesiqtest.CallStats{"GET /api/v2/visitors": {Processed: made.Answered, Refused: made.Refused}}, stats.Calls)
	assert.Equal(t, map[salesiq.ErrorCode]int{salesiq.ErrRateLimitExceeded: 1}, stats.Refused)
}

// acceptedAll checks that each event was delivered once, with a signature that
// held.
func acceptedAll(t *testing.T, e *emulator, printed string) {
	assert.Equal(t, `{"accepted":11,"rejected":0}`, printed)
	deliveries := ask[[]salesiqtest.Delivery](e, "deliveries")
	assert.Len(t, deliveries, 11)
	for _, delivery := range deliveries {
		assert.Equal(t, []int{http.StatusOK, 1}, []int{delivery.Status, delivery.Attempt}, delivery.Body)
	}
}

// saw checks what a caller of the live service has seen, and how many different calls
// were carried out for it. The callers check shapes, statuses and errors themselves.
func saw(calls int, summary string) func(t *testing.T, e *emulator, printed string) {
	return func(t *testing.T, e *emulator, printed string) {
		t.Helper()
		assert.JSONEq(t, summary, printed)
		var made []string
		for call, stats := range ask[salesiqtest.Stats](e, "stats").Calls {
			if stats.Processed > 0 {
				made = append(made, call)
			}
		}
		assert.Len(t, made, calls)
	}
}
