// Command mutate puts small faults into a package, one at a time and drawn at
// random, and tells which of them the tests notice:
//
//	go run ./internal/mutate -n 40 -seed 7 -also . ./internal/quota
//
// A fault is a condition negated, a comparison shifted, an && for an ||, a
// statement removed, a number changed or a result zeroed. Faults that do not
// compile are not counted. The tree stays as it is: the compiler is shown each
// fault as an overlay.
//
// A fault that is not noticed asks for a test, or for less code, unless the
// program behaves as before with it.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"go/build"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	t := trial{out: os.Stdout}
	flag.IntVar(&t.count, "n", 40, "how many faults of each package to try")
	flag.Uint64Var(&t.seed, "seed", 1, "what the faults are drawn by")
	flag.IntVar(&t.parallel, "parallel", 1, "how many faults to try at once")
	flag.DurationVar(&t.limit, "timeout", time.Minute, "how long the tests of a package may take")
	flag.StringVar(&t.also, "also", "", "packages whose tests run if the package's own notice nothing, as in \". ./live\"")
	flag.StringVar(&t.flags, "flags", "-short", "flags of go test, as in \"-short -skip=Soak\"")
	flag.StringVar(&t.skip, "skip", "", "files to leave out, as in \"codec.go doc.go\"")
	flag.StringVar(&t.at, "at", "", "the only file or line to try, as in window.go:52")
	flag.Parse()
	for _, folder := range flag.Args() {
		if err := t.run(context.Background(), "./"+filepath.ToSlash(filepath.Clean(folder))); err != nil {
			fmt.Fprintln(os.Stderr, "mutate:", err)
			os.Exit(1)
		}
	}
}

// trial is what the flags ask for.
type trial struct {
	out             io.Writer
	count, parallel int
	seed            uint64
	limit           time.Duration

	also, flags, skip, at string
}

// run tries faults of the package in a folder until enough have compiled.
func (t *trial) run(ctx context.Context, folder string) error {
	faults, err := t.draw(folder)
	if err != nil {
		return err
	}
	for _, tests := range t.packages(folder) {
		if said, err := t.test(ctx, tests); err != nil {
			return fmt.Errorf("without a fault: %w\n%s", err, said)
		}
	}
	tried, noticed := 0, 0
	for tried < t.count && len(faults) > 0 {
		batch := faults[:min(t.count-tried, len(faults))]
		faults = faults[len(batch):]
		for i, done := range t.tryAll(ctx, folder, batch) {
			o := <-done
			switch {
			case o.err != nil:
				return o.err
			case !o.compiled:
				continue
			case o.noticed:
				noticed++
			}
			tried++
			t.say("%s:%d: %s: %s\n", batch[i].file, batch[i].line, batch[i].what, o)
		}
	}
	t.say("%s: %d of %d faults noticed\n", folder, noticed, tried)
	return nil
}

func (t *trial) say(format string, args ...any) {
	fmt.Fprintf(t.out, format, args...) //nolint:errcheck // There is nobody else to tell.
}

// draw returns the faults of a package in an order given by the seed.
func (t *trial) draw(folder string) (faults []fault, err error) {
	p, err := build.ImportDir(folder, 0)
	if err != nil {
		return nil, err
	}
	for _, name := range p.GoFiles {
		if slices.Contains(strings.Fields(t.skip), name) {
			continue
		}
		path := filepath.Join(folder, name)
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		found, err := findFaults(path, source)
		if err != nil {
			return nil, err
		}
		faults = append(faults, found...)
	}
	if t.at != "" {
		faults = slices.DeleteFunc(faults, func(f fault) bool { return !f.isAt(t.at) })
	}
	random := rand.New(rand.NewPCG(t.seed, 0)) //nolint:gosec // To be repeated.
	random.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
	return faults, nil
}

// outcome is what came of a fault.
type outcome struct {
	compiled, noticed bool
	err               error // The fault was not tried.
}

func (o outcome) String() string {
	if o.noticed {
		return "noticed"
	}
	return "NOT NOTICED"
}

// tryAll tries some faults at once, and returns where the outcome of each will be.
func (t *trial) tryAll(ctx context.Context, folder string, faults []fault) []chan outcome {
	outcomes := make([]chan outcome, len(faults))
	slots := make(chan struct{}, max(1, t.parallel))
	for i, f := range faults {
		outcomes[i] = make(chan outcome, 1)
		go func() {
			slots <- struct{}{}
			outcomes[i] <- t.try(ctx, folder, f)
			<-slots
		}()
	}
	return outcomes
}

// try runs the tests against one fault.
func (t *trial) try(ctx context.Context, folder string, f fault) (o outcome) {
	scratch, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return outcome{err: err}
	}
	defer os.RemoveAll(scratch) //nolint:errcheck // The system clears its temporary folder.
	overlay, err := writeOverlay(scratch, f)
	if err != nil {
		return outcome{err: err}
	}
	for _, tests := range t.packages(folder) {
		said, err := t.test(ctx, tests, "-overlay", overlay)
		o.compiled = !bytes.Contains(said, []byte("[build failed]"))
		if o.noticed = err != nil; o.noticed {
			break
		}
	}
	o.err = ctx.Err()
	return o
}

// packages are those whose tests may notice a fault.
func (t *trial) packages(folder string) []string {
	return append([]string{folder}, strings.Fields(t.also)...)
}

// test runs the tests of a package, and fails if they do.
func (t *trial) test(ctx context.Context, tests string, flags ...string) (said []byte, err error) {
	args := slices.Concat([]string{"test", "-vet=off", "-count=1", "-failfast", "-timeout", t.limit.String()}, strings.Fields(t.flags), flags, []string{tests})
	return exec.CommandContext(ctx, "go", args...).CombinedOutput() //nolint:gosec // The caller's own arguments.
}

// writeOverlay tells the go command to read a file with the fault in the place of
// the file without.
func writeOverlay(scratch string, f fault) (path string, err error) {
	source, err := os.ReadFile(f.file)
	if err != nil {
		return "", err
	}
	original, err := filepath.Abs(f.file)
	if err != nil {
		return "", err
	}
	faulty := filepath.Join(scratch, filepath.Base(f.file))
	if err := os.WriteFile(faulty, f.apply(source), 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: faulty}})
	if err != nil {
		return "", err
	}
	path = filepath.Join(scratch, "overlay.json")
	return path, os.WriteFile(path, overlay, 0o600)
}
