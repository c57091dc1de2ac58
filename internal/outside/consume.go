//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// useModules makes the user's module, and tries it.
func (w *workshop) useModules(ctx context.Context, version string) error {
	sources := filepath.Join(w.tree, "internal", "outside", "testdata", "consumer")
	if err := os.CopyFS(w.path(consumer), os.DirFS(sources)); err != nil {
		return err
	}
	if _, err := w.run(ctx, w.path(consumer), "go", "mod", "init", "example.com/consumer"); err != nil {
		return err
	}
	get := []string{"go", "get"}
	var want []string
	for _, module := range w.modules {
		get = append(get, module+"@"+version)
		want = append(want, module+" "+version)
	}
	if _, err := w.run(ctx, w.path(consumer), get...); err != nil {
		return err
	}
	return w.tryConsumer(ctx, want)
}

// upgradeCore gives the user's module a newer core, and tries it again.
func (w *workshop) upgradeCore(ctx context.Context, version, newer string) error {
	if _, err := w.run(ctx, w.path(consumer), "go", "get", core+"@"+newer); err != nil {
		return err
	}
	want := []string{core + " " + newer}
	for _, module := range w.modules[1:] {
		want = append(want, module+" "+version)
	}
	if err := w.tryConsumer(ctx, want); err != nil {
		return fmt.Errorf("a module needs more of the core than its public API: %w", err)
	}
	return nil
}

// tryConsumer tidies the user's module, checks that the modules are those that are
// wanted, builds and tests it, and runs its programs.
func (w *workshop) tryConsumer(ctx context.Context, want []string) error {
	if _, err := w.run(ctx, w.path(consumer), "go", "mod", "tidy"); err != nil {
		return err
	}
	list := append([]string{"go", "list", "-m", "-f", "{{.Path}} {{.Version}}{{with .Replace}} => {{.Path}}{{end}}"}, w.modules...)
	got, err := w.run(ctx, w.path(consumer), list...)
	if err != nil {
		return err
	}
	show(got)
	if wanted := strings.Join(want, "\n") + "\n"; got != wanted {
		return fmt.Errorf("these are not the modules that were asked for:\n%s", wanted)
	}
	commands := [][]string{{"go", "build", "./..."}, {"go", "test", "-vet=off", "-count=1", "./..."}}
	for _, module := range w.modules {
		commands = append(commands, []string{"go", "run", "./" + path.Base(module)})
	}
	for _, command := range commands {
		printed, err := w.run(ctx, w.path(consumer), command...)
		if err != nil {
			return err
		}
		show(printed)
	}
	return nil
}
