package simulate

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	mutate    = flag.Int("mutate", 0, "put known faults into the packages, one at a time, and run so many seeds for each")
	mutateOne = flag.String("mutation", "", "only the known faults whose names contain this")
)

// mutation is a known fault of a package: a piece of text that is replaced.
type mutation struct {
	name, file, old, new string
}

var mutations = []mutation{
	{
		"one call more at once than there is room for", "internal/quota/limits.go",
		"return s.most == 0 || s.inFlight < s.open", "return s.most == 0 || s.inFlight <= s.open",
	},
	{
		"a slot of a call that was not answered is not given back", "internal/quota/account.go",
		"	a.slots.inFlight--\n", "	if r.Answered {\n\t\ta.slots.inFlight--\n\t}\n",
	},
	{
		"the minute's calls are not counted", "internal/quota/account.go",
		"a.window.free() > c.reserve(a.window.size()) && a.day.free(a.perDay)", "a.day.free(a.perDay)",
	},
	{
		"each refusal of the rate limit halves the share for good", "internal/quota/window.go",
		"	if !current || e.Refused {\n", "	if e.Refused && w.plan > 1 {\n\t\tw.plan /= 2\n\t}\n	if !current || e.Refused {\n",
	},
	{
		"the day's calls never come back", "internal/quota/limits.go",
		"d.end, d.used = d.clock.midnight(now), d.underWay", "d.end = d.clock.midnight(now)",
	},
	{
		"a POST is repeated after an unclear failure", "internal/transport/retry.go",
		"	case f.MaybeProcessed, !IsTransient(", "	case !IsTransient(",
	},
	{
		"Retry-After is ignored", "internal/transport/http.go",
		`value := header.Get("Retry-After")`, `value := header.Get("Retry-Later")`,
	},
	{
		"a refused token is taken for a good one", "auth_refresh.go",
		"	r.current.Store(nil)\n\tr.dropped = b\n", "	r.dropped = b\n",
	},
	{
		"a token is requested although it was denied", "auth_error.go",
		"wait = max(throttlePause, wait)", "wait = max(time.Minute, wait)",
	},
	{
		"the token file has two owners at once", "auth_file.go",
		"	case errors.Is(err, errors.ErrUnsupported):\n\t\treturn f, func() {}, nil\n",
		"	case err == nil:\n\t\tlock.Close()\n\t\treturn f, func() {}, nil\n",
	},
	{
		"a token of the store is not looked for", "auth_find.go",
		"	if !good || !stored", "	if true || !good || !stored",
	},
	{
		"the client's secret goes to the host of the API", "options.go",
		"c.site.Accounts = cmp.Or(plainURL(c.accountsURL), c.site.Accounts)", "c.site.Accounts = c.site.API",
	},
	{
		"a token is shown in an error", "internal/transport/failure.go",
		"f.Excerpt = excerpt(hide.InBody(body))", "f.Excerpt = string(body[:min(len(body), excerptBytes)])",
	},
	{
		"items that moved up are not looked for", "internal/paging/walk.go",
		"skips := w.from+w.left > w.through && w.through < w.total+w.left", "skips := false",
	},
	{
		"the cache never forgets", "internal/transport/cache.go",
		"if !time.Now().Before(e.expires) {", "if e.expires.IsZero() {",
	},
	{
		"clients share one cache", "cache.go",
		"	return &answerCache{root: client.resolve(\"\"), config: config, pipeline: client.pipeline, answers: answers}, nil\n}\n",
		"	if shared == nil {\n\t\tshared = answers\n\t}\n" +
			"	return &answerCache{root: client.resolve(\"\"), config: config, pipeline: client.pipeline, answers: shared}, nil\n}\n\nvar shared *transport.Cache\n",
	},
	{
		"what comes again is yielded again, in the live dialect", "live/pages.go",
		"items := p.walk.New(part.items)", "items := part.items",
	},
	{
		"a handler that has succeeded once runs again", "webhook/handlers.go",
		"	case state == DedupDone:\n\t\treturn nil\n	case state == DedupClaimed:\n\t\treturn fmt", "	case state == DedupClaimed:\n\t\treturn fmt",
	},
	{
		"an event is marked before it was handled", "webhook/receiver.go",
		"	work.claim.hold(key, event)\n", "	work.claim.hold(key, event)\n\tr.store.Done(work, event.Info().EventID, work.claim.by.claim)\n",
	},
	{
		"an event is not marked when it was handled", "webhook/receiver_claim.go",
		"end := r.store.Abort\n\tif succeeded {", "end := r.store.Abort\n\tif succeeded && key == \"\" {",
	},
	{
		"an event that a killed process had taken is forgotten", "salesiqbolt/file.go",
		"return f.apply([]*job{{apply: returnTaken}})", "return nil",
	},
	{
		"a lead is created before the journal tells of it", "examples/crmsync/leads/sync.go",
		"	if err := s.note(email, stateCreating); err != nil {\n\t\treturn \"\", err\n\t}\n\tif err := s.create(", "	if err := s.create(",
	},
	{
		"an unclear answer of the CRM is taken for a lead", "examples/crmsync/leads/sync.go",
		"return errors.Join(err, searching)", "return errors.Join(nil, searching)",
	},
	{
		"a lead is shown in an error", "examples/crmsync/leads/crm.go",
		"fmt.Errorf(\"creating a lead: %w\", err)", "fmt.Errorf(\"creating a lead: %w: %s\", err, body)",
	},
	{
		"visitors of the last minutes alone are looked at", "examples/crmsync/leads/sync.go",
		"FromDate: now.Add(-s.Since)", "FromDate: now.Add(-s.Since / 100)",
	},
	{
		"a chat that may be assigned is assigned again", "examples/autoassign/assign/assign.go",
		"			a.unclear[chat.ID] = time.Now()\n", "			continue\n",
	},
	{
		"chats that no event told of are not looked for", "examples/autoassign/assign/assign.go",
		"next = time.Now().Add(every)", "next = time.Now().Add(100 * every)",
	},
	{
		"skills do not count", "examples/autoassign/assign/choose.go",
		"	if len(skilled) == 0 {\n\t\tskilled = free", "	if len(skilled) >= 0 {\n\t\tskilled = free",
	},
	{
		"who gives up waiting for the quota waits on", "internal/transport/queue.go",
		"	case <-ctx.Done():\n\t\tq.leave(w)\n", "	case <-context.Background().Done():\n\t\tq.leave(w)\n",
	},
}

// TestKnownFaultsAreFound puts each known fault into the packages by way of an overlay,
// and runs seeds until one fails. That one is run again three times. It prints the table
// of docs/simulation.md.
func TestKnownFaultsAreFound(t *testing.T) {
	if *mutate == 0 {
		t.Skip("takes a minute for each fault; run it with -mutate 7 -days 1 -timeout 0")
	}
	table := "| fault | seeds | what does not hold | at step | again at that step |\n| --- | --- | --- | --- | --- |\n"
	for _, m := range mutations {
		if !strings.Contains(m.name, *mutateOne) {
			continue
		}
		program := m.build(t)
		seed, found, step := 0, "", ""
		for seed < *mutate && found == "" {
			seed++
			found, step = find(t.Context(), program, seed)
		}
		if found == "" {
			t.Errorf("%d seeds have not found: %s", *mutate, m.name)
			found = "not found"
		}
		same := 0
		for range replays {
			if again, at := find(t.Context(), program, seed); again == found && at == step {
				same++
			}
		}
		row := fmt.Sprintf("| %s | %d | %s | %s | %d of %d |\n", m.name, seed, found, step, same, replays)
		t.Log(row)
		table += row
	}
	t.Log("\n" + table)
}

const replays = 3

// TestKnownFaultsCanBePutIn notices at once that a file has changed.
func TestKnownFaultsCanBePutIn(t *testing.T) {
	for _, m := range mutations {
		m.read(t)
	}
}

// read returns the file that a fault is put into, and what is in it.
func (m mutation) read(t *testing.T) (path, text string) {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", m.file))
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(content), m.old); n != 1 {
		t.Errorf("%s: %d times in %s: %q", m.name, n, m.file, m.old)
	}
	return path, string(content)
}

// build makes a program of these tests, with the fault.
func (m mutation) build(t *testing.T) string {
	t.Helper()
	path, text := m.read(t)
	folder := t.TempDir()
	mutated, overlay, program := filepath.Join(folder, "mutated.go"), filepath.Join(folder, "overlay.json"), filepath.Join(folder, "program")
	replaced, err := json.Marshal(map[string]any{"Replace": map[string]string{path: mutated}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{mutated: []byte(strings.Replace(text, m.old, m.new, 1)), overlay: replaced} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", program, ".")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %s", m.name, output)
	}
	return program
}

var violation = regexp.MustCompile(`fails: step (\d+), [^:]+: ([^:]+):`)

// find runs a seed, and returns what does not hold, if anything, and at which step.
func find(ctx context.Context, program string, seed int) (invariant, step string) {
	output, err := exec.CommandContext(ctx, program, "-test.run", "TestNothing", "-seed", fmt.Sprint(seed), "-days", fmt.Sprint(*days)).CombinedOutput()
	if err == nil {
		return "", ""
	}
	if found := violation.FindSubmatch(output); found != nil {
		return string(found[2]), string(found[1])
	}
	first, _, _ := strings.Cut(string(output), "\n")
	return "the run does not end: " + first, ""
}
