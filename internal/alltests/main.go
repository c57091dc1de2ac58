// Alltests runs the tests of every module in go.work and says what was skipped,
// and why, which go test keeps to itself.
//
//	go run ./internal/alltests
//
// Its arguments are handed on to go test, such as -race.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

func main() {
	err := run(os.Args[1:])
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		os.Exit(exit.ExitCode())
	} else if err != nil {
		fmt.Fprintln(os.Stderr, "alltests:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	packages, err := tested()
	if err != nil {
		return err
	}
	// Vetting takes as long as a third of the tests, and is a step of its own in .ci/run.
	args = slices.Concat([]string{"test", "-json", "-vet=off"}, args, packages)
	command := goCommand(args...)
	events, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	r := newReport(os.Stdout)
	r.read(events)
	err = command.Wait()
	r.close()
	return err
}

// tested returns the packages that have tests. The others would be compiled all
// the same, and what internal/bench compares with is large.
func tested() ([]string, error) {
	found, err := goCommand("list", "-find", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}", "work").Output()
	return strings.Fields(string(found)), err
}

func goCommand(args ...string) *exec.Cmd {
	command := exec.CommandContext(context.Background(), "go", args...) //nolint:gosec // The caller's own arguments.
	command.Stderr = os.Stderr
	return command
}

// event is one line of go test -json.
type event struct {
	Action     string
	Package    string
	ImportPath string // Of what does not build.
	Test       string
	Output     string
}

// report prints what a reader needs of the events.
type report struct {
	out     io.Writer
	said    map[string][]string // Output by package and test, until its outcome is known.
	skipped []string
	passed  int
	failed  int
}

func newReport(out io.Writer) *report { return &report{out: out, said: map[string][]string{}} }

func (r *report) read(events io.Reader) {
	lines := bufio.NewScanner(events)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(r.out, lines.Text()) // The go command's own words.
			continue
		}
		r.add(e)
	}
}

func (r *report) add(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		r.said[key] = append(r.said[key], e.Output)
		return
	case "build-output":
		fmt.Fprint(r.out, e.Output)
		return
	case "skip":
		if e.Test != "" {
			r.skipped = append(r.skipped, fmt.Sprintf("%s: %s", e.Test, r.reason(key)))
		}
	case "pass":
		if e.Test != "" {
			r.passed++
		} else {
			fmt.Fprint(r.out, verdict(r.said[key]))
		}
	case "fail":
		r.failed++
		fmt.Fprint(r.out, strings.Join(r.said[key], ""))
	default:
		return
	}
	delete(r.said, key)
}

// verdict is the line by which go test sums a package up.
func verdict(output []string) string {
	for _, line := range output {
		if strings.HasPrefix(line, "ok ") {
			return line
		}
	}
	return ""
}

// reason is what a test said before it skipped itself.
func (r *report) reason(key string) string {
	var reason []string
	for _, line := range r.said[key] {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ") {
			continue
		}
		if _, after, ok := strings.Cut(line, ".go:"); ok {
			_, line, _ = strings.Cut(after, ": ")
		}
		reason = append(reason, line)
	}
	return strings.Join(reason, " ")
}

func (r *report) close() {
	for _, line := range r.skipped {
		fmt.Fprintln(r.out, "skipped", line)
	}
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped\n", r.passed, r.failed, len(r.skipped))
}
