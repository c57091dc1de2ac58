package webhook

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/atomicfile"
)

func openDedup(t *testing.T, path string) *FileDedupStore {
	t.Helper()
	store, err := OpenFileDedupStore(path)
	require.NoError(t, err)
	return store
}

func stateOf(t *testing.T, path, eventID string) DedupState {
	t.Helper()
	store := openDedup(t, path)
	defer func() { require.NoError(t, store.Close()) }()
	state, err := store.Begin(t.Context(), eventID)
	require.NoError(t, err)
	return state
}

// A disk that was full for a while has half a line on it.
func TestAMarkThatWasCutSpoilsNoLaterOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events")
	store := openDedup(t, path)
	file := store.file
	_, err := file.WriteString("1763800000 half")
	require.NoError(t, err)
	closed, err := os.Open(path)
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	store.file = closed
	require.Error(t, store.Done(t.Context(), "cut"))
	store.file = file
	require.NoError(t, store.Done(t.Context(), "whole"))
	require.NoError(t, store.Close())
	assert.Equal(t, DedupDone, stateOf(t, path, "whole"))
}

// The file belongs to somebody else, and was named by mistake.
func TestAFileOfOtherContentIsLeftAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notes")
	for _, content := range []string{"a note\n", `{"key":1}`, "\n", "name,age\nanna,7\n", "1,anna\n", "2026-11-22 10:00:00 a log\n"} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, err := OpenFileDedupStore(path)
		require.ErrorIs(t, err, errForeignFile)
		left, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, content, string(left))
	}
	for _, content := range []string{"", "17638", "1763800000 ", "1763800000 ha", "\x00763800000 a\n1763800000 b\n"} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		require.NoError(t, openDedup(t, path).Close(), "%q: a piece of its own", content)
	}
}

func TestAStoreThatCannotBeCompactedGoesOn(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	// The name is so long that no temporary file beside it can be made.
	path, long := filepath.Join(directory, "events"), filepath.Join(directory, strings.Repeat("n", 250))
	store := openDedup(t, path)
	require.NoError(t, os.Link(path, long))
	store.path, store.lines = long, 2*store.memory.maxEvents
	require.Error(t, store.Done(t.Context(), "first"))
	require.NoError(t, store.Done(t.Context(), "second"))
	require.NoError(t, store.Close())
	assert.Equal(t, DedupDone, stateOf(t, path, "first"))
	assert.Equal(t, DedupDone, stateOf(t, path, "second"))
}

// As root, a rename would put a file in its place. Others have no end.
func TestStoreNeedsAPath(t *testing.T) {
	t.Parallel()
	store, err := OpenFileDedupStore(" ")
	require.ErrorIs(t, err, salesiq.ErrInvalidInput)
	assert.Nil(t, store)
}

func TestADeviceIsNotReplaced(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("devices are other things there")
	}
	path := filepath.Join(t.TempDir(), "null")
	require.NoError(t, os.Symlink(os.DevNull, path))
	_, err := OpenFileDedupStore(path)
	require.ErrorIs(t, err, atomicfile.ErrNotRegular)
	link, err := os.Readlink(path)
	require.NoError(t, err, "the link is still there")
	assert.Equal(t, os.DevNull, link)
}
