package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/salesiqtest"
)

func TestClientWorksWithFetch(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no Node.js to run a program for js/wasm in")
	}
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	require.NoError(t, err)
	program := filepath.Join(t.TempDir(), "client.wasm")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	output, err := build.CombinedOutput()
	require.NoError(t, err, "%s", output)

	// net/http uses no fetch in a process whose name is that of Node.js.
	browser := filepath.Join(t.TempDir(), "browser")
	require.NoError(t, os.Symlink(node, browser))
	server := salesiqtest.Start(t)
	runner := filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec_node.js")
	output, err = exec.CommandContext(t.Context(), browser, "--stack-size=8192", runner, program, server.URL, server.AccessToken()).CombinedOutput()
	require.NoError(t, err, "%s", output)
	var ids []string
	for _, operator := range server.Operators() {
		ids = append(ids, operator.ID)
	}
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	require.NotEmpty(t, ids)
	assert.ElementsMatch(t, ids, lines[:len(lines)-1])
	assert.Contains(t, lines[len(lines)-1], "RESOURCE_NOT_FOUND")
}
