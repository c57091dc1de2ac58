//go:build unix

package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// publishModules publishes the modules as the tree has them.
func (w *workshop) publishModules(ctx context.Context, version string) error {
	if err := w.copyTree(ctx); err != nil {
		return err
	}
	if _, err := w.run(ctx, w.path(repository), "git", "init", "--quiet"); err != nil {
		return err
	}
	if err := w.publish(ctx, version, w.modules...); err != nil {
		return err
	}
	for _, module := range w.modules[1:] {
		if err := w.checkRequirement(ctx, module, version); err != nil {
			return err
		}
	}
	return nil
}

// publishMovedCore publishes a core whose internal packages have moved, as they
// may in any version.
func (w *workshop) publishMovedCore(ctx context.Context, version string) error {
	if err := moveInternalPackages(w.path(repository)); err != nil {
		return err
	}
	return w.publish(ctx, version, core)
}

// copyTree copies the files that git knows, or would take, as they are now.
func (w *workshop) copyTree(ctx context.Context) error {
	files, err := w.run(ctx, w.tree, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(files, "\x00"), "\x00") {
		err := copyFile(filepath.Join(w.tree, name), w.path(repository, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // It was deleted, and git was not told.
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600)
}

// publish commits the repository, tags it, and lets Go pack the modules from
// there. The cache that Go puts them into has the layout of a proxy.
func (w *workshop) publish(ctx context.Context, version string, modules ...string) error {
	commands := [][]string{{"git", "add", "--all", "--force"}, {"git", "commit", "--quiet", "--message", version}}
	download := []string{"go", "mod", "download", "-json"}
	for _, module := range modules {
		commands = append(commands, []string{"git", "tag", tagOf(module, version)})
		download = append(download, module+"@"+version)
	}
	for _, command := range commands {
		if _, err := w.run(ctx, w.path(repository), command...); err != nil {
			return err
		}
	}
	pack := w.command(ctx, w.path(elsewhere), download...)
	pack.Env = append(pack.Env, "GOPROXY=direct", "GOMODCACHE="+w.path(packed))
	answer, err := output(pack)
	if err != nil {
		return err
	}
	return showPacked(answer)
}

// tagOf returns the tag by which Go knows a version of a module.
func tagOf(module, version string) string {
	return strings.TrimPrefix(module+"/"+version, core+"/")
}

// showPacked shows the modules that go mod download -json tells of.
func showPacked(answer string) error {
	for decoder := json.NewDecoder(strings.NewReader(answer)); ; {
		var module struct{ Path, Version, Zip string }
		if err := decoder.Decode(&module); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		files, kilobytes, err := measureZip(module.Zip)
		if err != nil {
			return err
		}
		show(fmt.Sprintf("%-44s %s %4d files %5d kB", module.Path, module.Version, files, kilobytes))
	}
}

func measureZip(name string) (files, kilobytes int, err error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return 0, 0, err
	}
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return 0, 0, err
	}
	return len(archive.File), len(content) / 1000, nil
}

// checkRequirement checks that a module requires the core of its own version:
// they are released together.
func (w *workshop) checkRequirement(ctx context.Context, module, version string) error {
	folder := w.path(repository, strings.TrimPrefix(module, core))
	answer, err := w.run(ctx, folder, "go", "mod", "edit", "-json")
	if err != nil {
		return err
	}
	var file struct {
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal([]byte(answer), &file); err != nil {
		return err
	}
	for _, required := range file.Require {
		if required.Path == core && required.Version != version {
			return fmt.Errorf("%s requires the core %s, and is released with %s: in its folder, go mod edit -require=%s@%s",
				module, required.Version, version, core, version)
		}
	}
	return nil
}

// moveInternalPackages moves the internal packages of the core by one folder, and
// corrects all that import them.
func moveInternalPackages(repository string) error {
	internal, aside := filepath.Join(repository, "internal"), filepath.Join(repository, "aside")
	if err := os.Rename(internal, aside); err != nil {
		return err
	}
	if err := os.Mkdir(internal, 0o750); err != nil {
		return err
	}
	if err := os.Rename(aside, filepath.Join(internal, "moved")); err != nil {
		return err
	}
	return filepath.WalkDir(repository, func(name string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".go" {
			return err
		}
		return correctImports(name)
	})
}

func correctImports(name string) error {
	content, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	content = bytes.ReplaceAll(content, []byte(`"`+core+`/internal/`), []byte(`"`+core+`/internal/moved/`))
	return os.WriteFile(name, content, 0o600)
}
