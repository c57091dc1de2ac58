package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// report is what was found out.
type report struct {
	Date    time.Time
	Took    time.Duration
	Machine string
	Version string // Of Go.
	Races   []*raceResult
	Latency []latencyRow
	Quota   []quotaRow
}

type raceResult struct {
	ID, Title string
	Results   []result
}

func (r *report) race(ctx context.Context, id, title string, contestants []contestant, rounds int) error {
	results, err := race(ctx, contestants, rounds)
	if err != nil {
		return fmt.Errorf("%s: %w", title, err)
	}
	r.Races = append(r.Races, &raceResult{id, title, results})
	return nil
}

func (r *report) find(id string) *raceResult {
	for _, race := range r.Races {
		if race.ID == id {
			return race
		}
	}
	return &raceResult{}
}

func (r *raceResult) of(name string) result {
	for _, result := range r.Results {
		if result.Name == name {
			return result
		}
	}
	return result{}
}

// machine tells what kind of machine this is.
func machine() string {
	return fmt.Sprintf("%s, %d cores of it, %s/%s", processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
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

// reports are what was found out with the versions of Go, the newest last.
type reports []*report

func (all reports) newest() *report { return all[len(all)-1] }

// text is all of it, in Markdown.
func (all reports) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Beside its peers\n\nMeasured on %s by\n\n```sh\ngo run ./internal/bench\n```\n\n", all.newest().Machine)
	for _, r := range slices.Backward(all) {
		fmt.Fprintf(&b, "- with %s on %s, in %s\n", r.Version, r.Date.Format(time.DateOnly), r.Took.Round(time.Second))
	}
	b.WriteString("\n")
	b.WriteString(method)
	fmt.Fprintf(&b, "\n![Processor time of a call, with %s](%s)\n", all.newest().Version, filepath.Base(chartFile))
	b.WriteString("\n## Goals\n\n" + all.goalTable())
	for _, r := range slices.Backward(all) {
		fmt.Fprintf(&b, "\n## With %s\n", r.Version)
		for _, race := range r.Races {
			fmt.Fprintf(&b, "\n### %s\n\n%s", race.Title, race.table())
		}
		fmt.Fprintf(&b, "\n### A service that takes %s, ten calls at once\n\n%s", latency, r.latencyTable())
		fmt.Fprintf(&b, "\n### The calls of ten minutes under a plan, in virtual time\n\n%s", r.quotaTable())
	}
	return b.String()
}

// goalTable has a row for each goal, with the figure of each version.
func (all reports) goalTable() string {
	var b strings.Builder
	b.WriteString("| goal | at most |")
	for _, r := range all {
		b.WriteString(" " + r.Version + " |")
	}
	b.WriteString("\n|---|--:|" + strings.Repeat("--:|", len(all)) + "\n")
	for i, g := range all[0].goals() {
		fmt.Fprintf(&b, "| %s | %s |", g.what, number(g.limit))
		for _, r := range all {
			g := r.goals()[i]
			verdict := ""
			if !g.met() {
				verdict = ", **missed**"
			}
			fmt.Fprintf(&b, " %s%s |", number(g.got), verdict)
		}
		b.WriteString("\n")
	}
	return b.String()
}

const method = `All contenders of a table run in one process, with GOMAXPROCS=1, in turns, in another order each round.
All make the same number of operations in a turn, enough for each to allocate two heaps' worth, so that the garbage
collector favors nobody. A ratio is the median of the ratios of single rounds, with the quartiles behind it, so that a busy
machine changes little. Processor time is that of the process; garbage collection is part of it. Without a network, a
transport hands the same bytes to everybody, sixteen different answers in turn; over loopback, the server is another
process. All decode into the same Go types, with a token, as the documentation of each shows it. These types decode
themselves for encoding/json with our codec, which costs it no more than structs without methods would: the table of decoding
alone has both. Allocations and bytes are those of one operation. Each version of Go has a program of its own.
`

// table has a row for each contestant.
func (r *raceResult) table() string {
	var b strings.Builder
	b.WriteString("| | processor time | beside the first | salesiq beside it | clock, beside the first | bytes | allocations |\n" +
		"|---|--:|--:|--:|--:|--:|--:|\n")
	for _, row := range r.Results {
		share := row.Shares.String()
		if r.of(ours).Name == "" {
			share = ""
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %.0f |\n", row.Name, duration(row.CPU.Median), row.Load, share,
			row.Ratio, thousands(row.Memory.Bytes), row.Memory.Allocations)
	}
	return b.String()
}

func (r *report) latencyTable() string {
	var b strings.Builder
	b.WriteString("| job | | round trip of a lone call | time, beside that of the round trips alone | connections opened, at most |\n|---|---|--:|--:|--:|\n")
	for _, row := range r.Latency {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d |\n", row.Job, row.Name, duration(row.Trip.Median), row.Ratio, row.Connections)
	}
	fmt.Fprintf(&b, "\nThe time of the round trips alone is that of M/10 calls one after the other, M being all, as long as they take in the\n"+
		"same round when nothing is decoded. Of pages, the first goes alone: it tells how many there are. In bursts, the\n"+
		"service takes %s. All processors take part.\n", burstDelay)
	return b.String()
}

func (r *report) quotaTable() string {
	var b strings.Builder
	b.WriteString("| | time, beside an oracle's: mean | worst | 429s per 1,000 calls | calls given up, of 1,000 |\n|---|--:|--:|--:|--:|\n")
	for _, row := range r.Quota {
		fmt.Fprintf(&b, "| %s | %.3f | %.3f | %.1f | %.1f |\n", row.Name, row.Mean, row.Worst,
			1000*float64(row.Refused)/float64(row.Calls), 1000*float64(row.Failed)/float64(row.Calls))
	}
	b.WriteString("\nAll four plans, from five seconds of a minute each, with the service's clock right, 30 s ahead and 30 s behind; " +
		"ten calls at\nonce, 0.3 s each. The oracle knows what the service counts. Who gives up early is done sooner.\n")
	return b.String()
}

func (s spread) String() string {
	if s.Low == s.High {
		return fmt.Sprintf("%.2f", s.Median)
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Median, s.Low, s.High)
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
func (all reports) write() error {
	if _, err := os.Stat("go.work"); err != nil {
		return fmt.Errorf("to be run at the root of the repository: %w", err)
	}
	return errors.Join(
		os.WriteFile(reportFile, []byte(all.text()), 0o644),  //nolint:gosec // For everyone to read.
		os.WriteFile(chartFile, all.newest().chart(), 0o644), //nolint:gosec // Likewise.
		all.writeReadme())
}

// writeReadme replaces the README's marked part.
func (all reports) writeReadme() error {
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
	b.WriteString(readmeBegin + all.summary() + readmeEnd)
	b.Write(after)
	return os.WriteFile(readmeFile, b.Bytes(), 0o644) //nolint:gosec // For everyone to read.
}

// summary is what the README shows: the chart, and one sentence.
func (all reports) summary() string {
	var texts []string
	for _, r := range slices.Backward(all) {
		list, chat := r.find(listCanned).of(ours), r.find(chatCanned).of(ours)
		texts = append(texts, fmt.Sprintf("a page of 100 chats takes %.2f of the processor time and one chat %.2f with %s",
			list.Load.Median, chat.Load.Median, r.Version))
	}
	return fmt.Sprintf("![Processor time of a call, beside other clients, with %s](%s)\n\n"+
		"Beside hand-written net/http and encoding/json, %s;\n[%s](%s) has the figures of all peers, the other jobs, and how and when that was measured.\n",
		all.newest().Version, chartFile, strings.Join(texts, ",\n"), reportFile, reportFile)
}
