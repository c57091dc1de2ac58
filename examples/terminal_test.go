// Package examples tries the examples as a user does: as programs, in a terminal.
package examples

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/examples/internal/account"
)

var programs = []string{
	"quickstart", "signin", "chatworkflow", "monitor", "autoassign", "crmsync", "analytics", "webhookserver", "bot", "widget",
}

// build compiles the programs into a folder.
func build(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	arguments := []string{"build", "-ldflags=-s -w", "-o", folder + string(filepath.Separator)}
	for _, program := range programs {
		arguments = append(arguments, "./"+program)
	}
	output, err := exec.CommandContext(t.Context(), "go", arguments...).CombinedOutput()
	require.NoError(t, err, string(output))
	return folder
}

// printed is what a program prints. One that would go on is interrupted once it
// has printed a text.
func printed(t *testing.T, path, until string, arguments ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	program := exec.CommandContext(ctx, path, arguments...)
	for _, name := range []string{"ZOHO_CLIENT_ID", "ZOHO_REFRESH_TOKEN", "SALESIQ_BASE_URL", "SALESIQ_ACCOUNTS_URL", "SALESIQ_TOKEN_FILE"} {
		program.Env = append(program.Environ(), name+"=")
	}
	out := &watcher{until: until, interrupt: func() {
		assert.NoError(t, program.Process.Signal(os.Interrupt))
	}}
	program.Stdout, program.Stderr = out, out
	require.NoError(t, program.Run(), out.text.String())
	return out.text.String()
}

// watcher keeps what is written, and interrupts at a text.
type watcher struct {
	text      bytes.Buffer
	until     string
	interrupt func()
}

func (w *watcher) Write(p []byte) (int, error) {
	w.text.Write(p)
	if w.until != "" && strings.Contains(w.text.String(), w.until) {
		w.until = ""
		w.interrupt()
	}
	return len(p), nil
}

func TestAnExamplePrintsNoLineThatATerminalWouldBreak(t *testing.T) {
	t.Parallel()
	folder := build(t)
	runs := map[string]struct {
		program, until string
		arguments      []string
	}{
		"quickstart of the live service": {"quickstart", "", []string{"-dialect", "live"}},
		"signin":                         {"signin", "", nil},
		"quickstart":                     {"quickstart", "", nil},
		"chatworkflow":                   {"chatworkflow", "", nil},
		"monitor":                        {"monitor", "looked at", nil},
		"autoassign":                     {"autoassign", "goes to", nil},
		"crmsync":                        {"crmsync", "", nil},
		"analytics":                      {"analytics", "", nil},
		"webhookserver":                  {"webhookserver", "", nil},
		"bot":                            {"bot", "", nil},
		"widget":                         {"widget", "The page is at", nil},
	}
	for _, program := range programs {
		runs[program+" -help"] = struct {
			program, until string
			arguments      []string
		}{program, "", []string{"-help"}}
		assert.Contains(t, runs, program)
	}
	for name, run := range runs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := printed(t, filepath.Join(folder, run.program), run.until, run.arguments...)
			require.NotEmpty(t, text)
			for line := range strings.Lines(text) {
				if len(strings.Fields(line)) > 1 { // An address is for copying.
					assert.LessOrEqual(t, account.Columns(strings.TrimSuffix(line, "\n")), account.Width, line)
				}
			}
			for _, kind := range []string{"chat", "visitor", "operator", "lead"} {
				assert.NotContains(t, text, kind+" "+kind, "nothing is said twice")
			}
			assert.NotContains(t, text, "%!", "a verb without its value")
		})
	}
}
