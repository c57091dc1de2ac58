//go:build unix

// Outside uses the modules of this repository as somebody outside of it does. It
// publishes them into a module proxy in a scratch folder, as Go packs them from a
// tagged commit. A module there requires them and replaces nothing; it is built,
// tested and run.
//
//	go run ./internal/outside
//
// Then a newer core is published, whose internal packages have all moved, and the
// other modules stay as they were. One that imports more than the public API of
// the core fails here, before it fails at a user's.
//
// The user's module is in testdata/consumer, with a program for each module.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/salesiq-go/salesiq"
)

// core is the module that the others are built on.
const core = "github.com/salesiq-go/salesiq"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "outside:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	version := "v" + salesiq.Version
	newer, err := nextMinor(version)
	if err != nil {
		return err
	}
	w, err := openWorkshop(ctx)
	if err != nil {
		return err
	}
	defer w.remove()
	for _, step := range []struct {
		title string
		do    func() error
	}{
		{"Publish the modules", func() error { return w.publishModules(ctx, version) }},
		{"Use them in a module without replace", func() error { return w.useModules(ctx, version) }},
		{"go run " + emulator + "@" + version, func() error { return w.runEmulator(ctx, version) }},
		{"Publish a core whose internal packages have moved", func() error { return w.publishMovedCore(ctx, newer) }},
		{"Use it under the other modules as they were", func() error { return w.upgradeCore(ctx, version, newer) }},
	} {
		began := time.Now()
		fmt.Println(step.title)
		if err := step.do(); err != nil {
			return err
		}
		fmt.Printf("    %.1f s\n", time.Since(began).Seconds())
	}
	return nil
}

// nextMinor returns the next minor version.
func nextMinor(version string) (string, error) {
	var major, minor int
	if _, err := fmt.Sscanf(version, "v%d.%d.", &major, &minor); err != nil {
		return "", fmt.Errorf("version %q: %w", version, err)
	}
	return fmt.Sprintf("v%d.%d.0", major, minor+1), nil
}
