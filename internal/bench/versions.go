package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// The toolchains that are measured: the older supported version, and the newest.
// The one that runs this program stands for its own version, whatever its last
// number.
var toolchains = []string{"go1.26.8", "go1.27.4"}

// runVersions measures with each toolchain, in a child built with it. One that cannot
// be had is left out, with a line that says so.
func runVersions(ctx context.Context, short bool) (reports, error) {
	word := longPlan
	if short {
		word = shortPlan
	}
	folder, err := os.MkdirTemp("", "salesiq-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // In the folder for such things.
	var all reports
	for _, toolchain := range toolchains {
		program, err := build(ctx, folder, toolchain)
		if err != nil {
			fmt.Printf("Left out: %s, with which this program cannot be built: %v\n\n", toolchain, err)
			continue
		}
		r, err := child(ctx, program, word)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", toolchain, err)
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there is none of %s", strings.Join(toolchains, ", "))
	}
	return all, nil
}

// build returns the path of this program as built with a toolchain.
func build(ctx context.Context, folder, toolchain string) (string, error) {
	if sameVersion(toolchain, runtime.Version()) {
		return os.Executable()
	}
	program := filepath.Join(folder, toolchain)
	command := exec.CommandContext(ctx, "go", "build", "-o", program, "./internal/bench") //nolint:gosec // The names are above.
	command.Env = append(os.Environ(), "GOTOOLCHAIN="+toolchain)
	if out, err := command.CombinedOutput(); err != nil {
		last := strings.Split(strings.TrimSpace(string(out)), "\n")
		return "", fmt.Errorf("%w: %s", err, last[len(last)-1])
	}
	return program, nil
}

// sameVersion reports whether two versions, such as go1.26.8, differ in their last
// number at most.
func sameVersion(one, other string) bool {
	minor := func(version string) string {
		parts := strings.SplitN(version, ".", 3)
		return strings.Join(parts[:min(2, len(parts))], ".")
	}
	return minor(one) == minor(other)
}

// child runs a program that measures, and returns its report.
func child(ctx context.Context, program, word string) (*report, error) {
	command := exec.CommandContext(ctx, program, measureRole, word) //nolint:gosec // This program.
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return nil, err
	}
	r := new(report)
	return r, json.Unmarshal(out, r) //nolint:musttag // What Encode wrote.
}
