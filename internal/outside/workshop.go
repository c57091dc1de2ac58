//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// workshop is the scratch folder that everything happens in, and the environment
// of the commands that are run there.
type workshop struct {
	tree    string   // The repository that this program is part of,
	modules []string // and those of its modules that are released, the core first.
	folder  string
	env     []string
}

// The folders of a workshop.
const (
	repository = "repository" // A copy of the tree, tagged as a release is.
	packed     = "packed"     // The module cache of whoever packs the modules.
	cache      = "cache"      // The module cache of the user.
	consumer   = "consumer"   // The user's module.
	elsewhere  = "elsewhere"  // A folder in no module.
)

func openWorkshop(ctx context.Context) (*workshop, error) {
	w := &workshop{env: withoutGit(os.Environ())}
	tree, err := w.run(ctx, ".", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	w.tree = strings.TrimSpace(tree)
	if err := w.findModules(ctx); err != nil {
		return nil, err
	}
	settings, err := w.run(ctx, w.tree, "go", "env", "GOVERSION", "GOMODCACHE", "GOPROXY")
	if err != nil {
		return nil, err
	}
	machine := strings.Split(settings, "\n")
	if w.folder, err = os.MkdirTemp("", "outside"); err != nil {
		return nil, err
	}
	fmt.Println(machine[0], "in", w.folder)
	w.leaveMachine(machine[1], machine[2])
	if err := w.furnish(); err != nil {
		w.remove()
		return nil, err
	}
	return w, nil
}

// withoutGit leaves out what git tells its hooks about their repository.
func withoutGit(env []string) (kept []string) {
	for _, variable := range env {
		if !strings.HasPrefix(variable, "GIT_") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// findModules finds the modules that are released: all of go.work but the examples
// and the internal ones.
func (w *workshop) findModules(ctx context.Context) error {
	list := w.command(ctx, w.tree, "go", "list", "-m")
	list.Env = append(list.Env, "GOWORK="+filepath.Join(w.tree, "go.work"))
	all, err := output(list)
	w.modules = releasedModules(strings.Fields(all))
	return err
}

func releasedModules(all []string) (released []string) {
	for _, module := range slices.Sorted(slices.Values(all)) {
		room, _, _ := strings.Cut(strings.TrimPrefix(module, core+"/"), "/")
		if room != "examples" && room != "internal" {
			released = append(released, module)
		}
	}
	return released
}

// leaveMachine lets Go know the modules from the workshop alone, and all that they
// require from where the machine has it.
func (w *workshop) leaveMachine(machineCache, machineProxy string) {
	proxies := []string{fileURL(w.path(packed, "cache", "download")), fileURL(filepath.Join(machineCache, "cache", "download")), machineProxy}
	w.env = append(w.env,
		"GOWORK=off",
		"GOTOOLCHAIN=local",
		"GOMODCACHE="+w.path(cache),
		"GOPROXY="+strings.Join(proxies, ","),
		"GONOPROXY=none",
		"GONOSUMDB="+core,
		// With -trimpath, code that was compiled in another workshop is found again.
		"GOFLAGS=-trimpath -modcacherw",
		// The host of the modules is the repository in the workshop, and no other.
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL="+w.path("gitconfig"),
		"GIT_ALLOW_PROTOCOL=file",
	)
}

// furnish makes the folders, and the configuration of git.
func (w *workshop) furnish() error {
	for _, folder := range []string{repository, packed, cache, consumer, elsewhere} {
		if err := os.Mkdir(w.path(folder), 0o750); err != nil {
			return err
		}
	}
	config := fmt.Sprintf("[user]\nname = outside\nemail = outside@localhost\n[url %q]\ninsteadOf = https://%s\n",
		fileURL(w.path(repository)), core)
	return os.WriteFile(w.path("gitconfig"), []byte(config), 0o600)
}

func (w *workshop) remove() {
	if err := os.RemoveAll(w.folder); err != nil {
		fmt.Fprintln(os.Stderr, "outside:", err)
	}
}

// path returns the path of something in the workshop.
func (w *workshop) path(elements ...string) string {
	return filepath.Join(append([]string{w.folder}, elements...)...)
}

func fileURL(path string) string { return (&url.URL{Scheme: "file", Path: path}).String() }

// command prepares a command in a folder.
func (w *workshop) command(ctx context.Context, folder string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // Git and Go, by this program.
	command.Dir = folder
	command.Env = append(command.Env, w.env...)
	return command
}

// run runs a command in a folder and returns its standard output.
func (w *workshop) run(ctx context.Context, folder string, args ...string) (string, error) {
	return output(w.command(ctx, folder, args...))
}

// output runs a command and returns its standard output. If the command fails,
// the error has all that it printed.
func output(command *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", strings.Join(command.Args, " "), err, &stdout, &stderr)
	}
	return stdout.String(), nil
}

// show prints lines below the title of a step.
func show(lines string) {
	for line := range strings.Lines(lines) {
		fmt.Println("   ", strings.TrimRight(line, "\n"))
	}
}
