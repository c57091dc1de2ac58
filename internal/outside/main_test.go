//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExamplesAndInternalModulesAreNotReleased(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{core, core + "/salesiqotel", core + "/salesiqredis"}, releasedModules([]string{
		core + "/examples", core + "/examples/queues/river", core + "/internal/e2e", core + "/salesiqredis", core + "/salesiqotel", core,
	}))
}

func TestTagIsTheOneThatGoLooksFor(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "v0.1.0", tagOf(core, "v0.1.0"))
	assert.Equal(t, "salesiqredis/v0.1.0", tagOf(core+"/salesiqredis", "v0.1.0"))
}

func TestNewerCoreIsTheNextMinorVersion(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"v0.1.0":      "v0.2.0",
		"v1.9.3":      "v1.10.0",
		"v0.2.0-rc.1": "v0.3.0",
	} {
		got, err := nextMinor(version)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := nextMinor("v1")
	assert.ErrorContains(t, err, `"v1"`)
}

func TestInternalPackagesMoveWithAllThatImportsThem(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, content string) {
		name = filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o750))
		require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	}
	read := func(name string) string {
		content, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		return string(content)
	}
	write("client.go", `import "github.com/salesiq-go/salesiq/internal/wire"`)
	write("internal/wire/codec.go", `import "github.com/salesiq-go/salesiq/internal/quota"`)
	write("internal/quota/quota.go", `import "github.com/other/internal/quota"`)
	write("README.md", `"github.com/salesiq-go/salesiq/internal/wire"`)

	require.NoError(t, moveInternalPackages(folder))

	assert.Equal(t, `import "github.com/salesiq-go/salesiq/internal/moved/wire"`, read("client.go"))
	assert.Equal(t, `import "github.com/salesiq-go/salesiq/internal/moved/quota"`, read("internal/moved/wire/codec.go"))
	assert.Equal(t, `import "github.com/other/internal/quota"`, read("internal/moved/quota/quota.go"))
	assert.Equal(t, `"github.com/salesiq-go/salesiq/internal/wire"`, read("README.md"))
	assert.NoDirExists(t, filepath.Join(folder, "internal", "wire"))
}

// A hook of git runs with variables that would lead git back to its repository.
func TestGitKnowsNothingOfTheRepositoryThatItIsRunFrom(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"HOME=/home/ada", "GITHUB_SHA=1"},
		withoutGit([]string{"GIT_DIR=/tree/.git", "HOME=/home/ada", "GIT_INDEX_FILE=x", "GITHUB_SHA=1"}))
}
