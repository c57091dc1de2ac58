package statefile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/examples/internal/statefile"
)

func all(int) bool { return true }

func open(t *testing.T, path string) *statefile.Map[int] {
	t.Helper()
	m, err := statefile.Open(path, all)
	require.NoError(t, err)
	t.Cleanup(m.Close)
	return m
}

// content is what another program that is started now would read.
func content(t *testing.T, path string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	copied := filepath.Join(t.TempDir(), "copy")
	require.NoError(t, os.WriteFile(copied, text, 0o600))
	m := open(t, copied)
	values := map[string]int{}
	for i := range 1000 {
		if value := m.Get(fmt.Sprint(i)); value != 0 {
			values[fmt.Sprint(i)] = value
		}
	}
	return values
}

func TestAChangeIsInTheFileAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "folder", "state")
	m := open(t, path)
	require.NoError(t, m.Put("1", 10))
	assert.Equal(t, map[string]int{"1": 10}, content(t, path))
	require.NoError(t, m.Put("2", 20))
	require.NoError(t, m.Put("1", 11))
	assert.Equal(t, map[string]int{"1": 11, "2": 20}, content(t, path))
	require.NoError(t, m.Keep(func(v int) bool { return v > 15 }))
	assert.Equal(t, map[string]int{"2": 20}, content(t, path))
	require.NoError(t, m.Put("3", 30), "the file is still open")
	m.Close()
	assert.Equal(t, 30, open(t, path).Get("3"))
}

func TestWhatIsNotToBeKeptIsForgottenAtTheStart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	m := open(t, path)
	require.NoError(t, m.Put("1", 10))
	require.NoError(t, m.Put("2", 20))
	m.Close()
	m, err := statefile.Open(path, func(v int) bool { return v > 15 })
	require.NoError(t, err)
	defer m.Close()
	assert.Equal(t, map[string]int{"2": 20}, content(t, path))
}

func TestWhereverALineIsCutOffTheOthersAreRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	m := open(t, path)
	require.NoError(t, m.Put("1", 10))
	require.NoError(t, m.Put("2", 20))
	m.Close()
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	first := strings.IndexByte(string(whole), '\n') + 1
	for size := range len(whole) {
		require.NoError(t, os.WriteFile(path, whole[:size], 0o600))
		want := map[string]int{}
		if size >= first {
			want["1"] = 10
		}
		assert.Equal(t, want, content(t, path), "%d of %d bytes", size, len(whole))
	}
}

func TestChangesDoNotMakeTheFileGrowForEver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	m := open(t, path)
	for i := range 3000 {
		require.NoError(t, m.Put("1", i+1))
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Less(t, strings.Count(string(text), "\n"), 1100)
	assert.Equal(t, map[string]int{"1": 3000}, content(t, path))
}

func TestMemoryIsKeptNowhere(t *testing.T) {
	t.Parallel()
	m := statefile.Memory[int]()
	require.NoError(t, m.Put("1", 10))
	assert.Equal(t, 10, m.Get("1"))
	require.NoError(t, m.Keep(func(int) bool { return false }))
	assert.Zero(t, m.Get("1"))
	m.Close()
}

// As root, it would be replaced by a file.
func TestAStateFileIsNoDevice(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "null")
	require.NoError(t, os.Symlink(os.DevNull, path))
	_, err := statefile.Open(path, all)
	require.ErrorContains(t, err, "no file")
	_, err = os.Readlink(path)
	require.NoError(t, err, "the link is still there")
	_, err = statefile.Open("/dev/zero", all) // It has no end.
	require.ErrorContains(t, err, "no file")
}

func TestTwoAtATimeAreRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	first := open(t, path)
	_, err := statefile.Open(path, all)
	require.ErrorContains(t, err, "is in use")
	first.Close()
	open(t, path)
}

func TestAStateThatIsNoneIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"words": "dear diary", "lines": "dear diary\n", "other lines of JSON": `{"name":"Ada"}` + "\n",
		"other JSON": `{"name":"Ada"}`, "another program's": `{"key":"1","value":{"state":"done"}}` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "state")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			_, err := statefile.Open(path, all)
			require.ErrorContains(t, err, "is no state")
			left, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, text, string(left))
		})
	}
}
