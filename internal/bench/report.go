package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// report is what was found out.
type report struct {
	date    time.Time
	took    time.Duration
	machine string
	races   []*raceResult
	latency []latencyRow
	quota   []quotaRow
}

type raceResult struct {
	id, title string
	results   []result
}

func (r *report) race(ctx context.Context, id, title string, contestants []contestant, p pace) error {
	results, err := race(ctx, contestants, p)
	if err != nil {
		return fmt.Errorf("%s: %w", title, err)
	}
	r.races = append(r.races, &raceResult{id, title, results})
	return nil
}

func (r *report) find(id string) *raceResult {
	for _, race := range r.races {
		if race.id == id {
			return race
		}
	}
	return &raceResult{}
}

func (r *raceResult) of(name string) result {
	for _, result := range r.results {
		if result.name == name {
			return result
		}
	}
	return result{}
}

// machine tells what kind of machine this is.
func machine() string {
	return fmt.Sprintf("%s, %d cores of it, %s/%s, %s", processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return "an unnamed processor"
}

// text is the whole report, in Markdown.
func (r *report) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Beside its peers\n\nMeasured on %s, on %s, in %s, by\n\n```sh\ngo run ./internal/bench\n```\n\n",
		r.date.Format(time.DateOnly), r.machine, r.took.Round(time.Second))
	b.WriteString(method)
	fmt.Fprintf(&b, "\n![Processor time of a call](%s)\n", filepath.Base(chartFile))
	b.WriteString("\n## Goals\n\n| goal | at most | measured | |\n|---|--:|--:|---|\n")
	for _, g := range r.goals() {
		verdict := "met"
		if !g.met() {
			verdict = "**missed**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", g.what, number(g.limit), number(g.got), verdict)
	}
	for _, race := range r.races {
		fmt.Fprintf(&b, "\n## %s\n\n%s", race.title, race.table())
	}
	fmt.Fprintf(&b, "\n## A service that takes %s, ten calls at once\n\n%s", latency, r.latencyTable())
	fmt.Fprintf(&b, "\n## The calls of ten minutes under a plan, in virtual time\n\n%s", r.quotaTable())
	return b.String()
}

const method = `All contenders of a table run in one process, with GOMAXPROCS=1, in turns of some ten milliseconds, in another order each
round. A ratio is the median of the ratios of single rounds, with the quartiles behind it, so that a busy machine
changes little. Processor time is that of the process; garbage collection is part of it. Without a network, a transport
hands the same bytes to everybody; over loopback, the server is another process. All decode into the same Go types, with
a token, as the documentation of each shows it. Allocations and bytes are those of one operation.
`

// table has a row for each contestant.
func (r *raceResult) table() string {
	var b strings.Builder
	b.WriteString("| | processor time | beside the first | salesiq beside it | clock, beside the first | bytes | allocations |\n" +
		"|---|--:|--:|--:|--:|--:|--:|\n")
	for _, row := range r.results {
		share := row.shares.String()
		if r.of(ours).name == "" {
			share = ""
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %.0f |\n", row.name, duration(row.cpu.median), row.load, share,
			row.ratio, thousands(row.memory.bytes), row.memory.allocations)
	}
	return b.String()
}

func (r *report) latencyTable() string {
	var b strings.Builder
	b.WriteString("| job | | round trip of a lone call | time, beside that of the round trips alone | connections opened, at most |\n|---|---|--:|--:|--:|\n")
	for _, row := range r.latency {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d |\n", row.job, row.name, duration(row.trip.median), row.ratio, row.connections)
	}
	fmt.Fprintf(&b, "\nThe time of the round trips alone is that of M/10 calls one after the other, M being all, as long as they take in the\n"+
		"same round when nothing is decoded. Of pages, the first goes alone: it tells how many there are. In bursts, the\n"+
		"service takes %s. All processors take part.\n", burstDelay)
	return b.String()
}

func (r *report) quotaTable() string {
	var b strings.Builder
	b.WriteString("| | time, beside an oracle's: mean | worst | 429s per 1,000 calls | calls given up, of 1,000 |\n|---|--:|--:|--:|--:|\n")
	for _, row := range r.quota {
		fmt.Fprintf(&b, "| %s | %.3f | %.3f | %.1f | %.1f |\n", row.Name, row.Mean, row.Worst,
			1000*float64(row.Refused)/float64(row.Calls), 1000*float64(row.Failed)/float64(row.Calls))
	}
	b.WriteString("\nAll four plans, from five seconds of a minute each, with the service's clock right, 30 s ahead and 30 s behind; " +
		"ten calls at\nonce, 0.3 s each. The oracle knows what the service counts. Who gives up early is done sooner.\n")
	return b.String()
}

func (s spread) String() string {
	if s.low == s.high {
		return fmt.Sprintf("%.2f", s.median)
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", s.median, s.low, s.high)
}

func number(f float64) string {
	if f >= 100 {
		return thousands(f)
	}
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", f), "0"), ".")
}

func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d >= 100*time.Millisecond:
		return fmt.Sprintf("%.0f ms", d.Seconds()*1e3)
	case d >= time.Millisecond:
		return fmt.Sprintf("%.2f ms", d.Seconds()*1e3)
	}
	return fmt.Sprintf("%.1f µs", d.Seconds()*1e6)
}

// thousands writes a whole number in groups of three digits.
func thousands(f float64) string {
	digits := fmt.Sprintf("%.0f", f)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

const (
	reportFile = "docs/bench.md"
	chartFile  = "docs/bench.svg"
	readmeFile = "README.md"

	readmeBegin = "<!-- go run ./internal/bench writes what follows -->\n"
	readmeEnd   = "<!-- until here -->\n"
)

// write puts the report where it belongs.
func (r *report) write() error {
	if _, err := os.Stat("go.work"); err != nil {
		return fmt.Errorf("to be run at the root of the repository: %w", err)
	}
	return errors.Join(
		os.WriteFile(reportFile, []byte(r.text()), 0o644), //nolint:gosec // For everyone to read.
		os.WriteFile(chartFile, r.chart(), 0o644),         //nolint:gosec // Likewise.
		r.writeReadme())
}

// writeReadme replaces the README's marked part.
func (r *report) writeReadme() error {
	readme, err := os.ReadFile(readmeFile)
	if err != nil {
		return err
	}
	before, rest, begins := bytes.Cut(readme, []byte(readmeBegin))
	_, after, ends := bytes.Cut(rest, []byte(readmeEnd))
	if !begins || !ends {
		return fmt.Errorf("%s lacks the marks around the benchmarks", readmeFile)
	}
	var b bytes.Buffer
	b.Write(before)
	b.WriteString(readmeBegin + r.summary() + readmeEnd)
	b.Write(after)
	return os.WriteFile(readmeFile, b.Bytes(), 0o644) //nolint:gosec // For everyone to read.
}

// summary is what the README shows: the chart, and one sentence.
func (r *report) summary() string {
	list, chat := r.find(listCanned).of(ours), r.find(chatCanned).of(ours)
	return fmt.Sprintf("![Processor time of a call, beside other clients](%s)\n\n"+
		"Beside hand-written net/http and encoding/json, a page of 100 chats takes %.2f of the processor time, and one chat %.2f;\n"+
		"[%s](%s) has the figures of all peers, the other jobs, and how and when that was measured.\n",
		chartFile, list.load.median, chat.load.median, reportFile, reportFile)
}
