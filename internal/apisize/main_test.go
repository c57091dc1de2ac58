package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The root is one page of documentation, and one screen of files.
func TestRootStaysSmall(t *testing.T) {
	t.Parallel()
	names, files, err := measure(filepath.Join("..", ".."))
	require.NoError(t, err)
	assert.LessOrEqual(t, len(names), 260)
	assert.LessOrEqual(t, files, 30)
	assert.Contains(t, names, "NewClient")
	assert.Contains(t, names, "ErrChatNotActive")
	assert.NotContains(t, names, "List", "methods are not counted")
}
