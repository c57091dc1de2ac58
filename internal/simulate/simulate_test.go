package simulate

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	oneSeed  = flag.Uint64("seed", 0, "run this seed alone")
	from     = flag.Uint64("from", 1, "the first of -seeds")
	seeds    = flag.Int("seeds", 0, "run so many seeds, as many at once as -parallel says")
	days     = flag.Float64("days", fixedDays, "how many virtual days a run has")
	planFile = flag.String("plan", "", "run the plan in this file, with -seed, instead of the one that the seed draws")
	shrinks  = flag.Bool("shrink", false, "with -seed: find a shorter plan that still fails")
	stepLog  = flag.String("steps", "", "with -seed: write each step of the run to this file")
	reports  = flag.String("reports", "", "with -seeds: write what each seed prints to a file in this folder")
)

// Without flags, these seeds are run, and a new one beside them.
const (
	fixedSeeds = 5
	fixedDays  = .5

	fixedSeedsWhenSlow = 1
	fixedDaysWhenSlow  = .15
)

func TestNothingIsLostDoneTwiceOrLeftBehindWhateverHappens(t *testing.T) { // Not parallel: its seeds are.
	if *oneSeed > 0 {
		simulate(t, *oneSeed)
		return
	}
	n, news := *seeds, []uint64{}
	if n == 0 {
		n, news = fixedSeeds, []uint64{rand.Uint64N(1_000_000_000)}
		if slow {
			n, *days = fixedSeedsWhenSlow, min(*days, fixedDaysWhenSlow)
		}
	}
	for i := range uint64(n) {
		news = append(news, *from+i)
	}
	for _, seed := range news {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			simulateApart(t, seed)
		})
	}
}

// simulateApart runs a seed in a process of its own, since a run uses one processor.
func simulateApart(t *testing.T, seed uint64) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), program, "-test.run", "^TestNothing", "-test.v", "-test.timeout", "0",
		"-seed", fmt.Sprint(seed), "-days", fmt.Sprint(*days))
	var output strings.Builder
	run.Stdout = &output
	if *reports != "" {
		file, err := os.Create(filepath.Join(*reports, fmt.Sprintf("seed%d", seed)))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		run.Stdout = io.MultiWriter(&output, file)
	}
	run.Stderr = run.Stdout
	err = run.Run()
	fmt.Fprintf(run.Stdout, "%v of a processor\n", run.ProcessState.UserTime()+run.ProcessState.SystemTime())
	t.Logf("%s", output.String())
	if err != nil {
		t.Error(err)
	}
}

// simulate runs a seed, tells of it, and shrinks its plan if asked to.
func simulate(t *testing.T, seed uint64) {
	t.Helper()
	p := drawPlan(seed, time.Duration(*days*float64(24*time.Hour)))
	if *planFile != "" {
		text, err := os.ReadFile(*planFile)
		if err == nil {
			p, err = parsePlan(string(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var log io.Writer
	if *stepLog != "" {
		file, err := os.Create(*stepLog)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		log = file
	}
	began := time.Now()
	r := run(t, seed, *days, p, log)
	t.Logf("seed %d: %s", seed, r.String(time.Since(began)))
	if r.failure == nil {
		return
	}
	p = p.until(r.failure.At)
	if *shrinks {
		p = shrink(t, seed, *days, p, r.failure)
	}
	title := "the plan"
	if !*shrinks && *planFile == "" {
		title, p = "its last hours", p.since(r.failure.At-12*time.Hour)
	}
	t.Errorf("seed %d fails: %v\nrun it again: go test ./internal/simulate -seed %d -days %v -v\n%s:\n%s", seed, r.failure, seed, *days, title, p)
}
