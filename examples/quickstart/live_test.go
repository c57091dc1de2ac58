package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/salesiqtest"
)

// The tour of the live dialect does what there is, and says what there is not:
// on its own emulator, and on one that the environment names.
func TestTheLiveDialectHasItsTour(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, true, false))
	for _, line := range []string{"60 connected", "closed it", "What the live service has no call for"} {
		assert.Contains(t, out.String(), line)
	}

	server := salesiqtest.Start(t, salesiqtest.Live())
	for _, line := range server.Environment() {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
	out.Reset()
	require.NoError(t, run(t.Context(), &out, false, false))
	assert.Contains(t, out.String(), "Working on the account at "+server.URL)
	assert.Contains(t, out.String(), "closed it")
}
