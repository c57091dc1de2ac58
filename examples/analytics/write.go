package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/salesiq-go/salesiq/examples/internal/account"
)

// section is one table of a report.
type section struct {
	Title  string
	Key    string
	Groups []groupCount
}

// Text is how many chats a group has, for people.
func (g groupCount) Text() string { return grouped(g.Chats) }

func (r *report) sections() []section {
	return []section{
		{"By status", "status", r.ByStatus},
		{"By department", "department", r.ByDepartment},
		{"By operator", "operator", r.ByOperator},
		{"By rating", "rating", r.ByRating},
	}
}

// figure is one number of a report, for people and for programs.
type figure struct{ Label, Text, Key, Value string }

func (r *report) figures() []figure {
	whole := func(label, key string, n int) figure {
		return figure{label, grouped(n), key, strconv.Itoa(n)}
	}
	averaged := func(label, key string, value *float64, text func(float64) string) figure {
		if value == nil {
			return figure{label, "–", key, ""}
		}
		return figure{label, text(*value), key, strconv.FormatFloat(*value, 'f', 2, 64)}
	}
	return []figure{
		whole("Chats", "total_chats", r.Chats),
		whole("Missed", "missed_chats", r.Missed),
		whole("Messages", "total_messages", r.Messages),
		averaged("Average duration", "avg_duration", r.AverageDuration, clock),
		averaged("Average response", "avg_response_time", r.AverageResponse, clock),
		averaged("Average rating", "avg_rating", r.AverageRating, func(v float64) string { return fmt.Sprintf("%.2f", v) }),
	}
}

// grouped writes a number with separators.
func grouped(n int) string { return humanize.Comma(int64(n)) }

// clock says seconds as people do.
func clock(seconds float64) string {
	return account.Duration(time.Duration(seconds * float64(time.Second)))
}

func (r *report) period() string {
	return r.From.Format("2 January 2006") + " to " + r.To.Format("2 January 2006")
}

// nameWidth is the room for names in a table.
const nameWidth = 32

func writeTable(out io.Writer, r *report) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "Chats from %s\n\n", r.period())
	for _, f := range r.figures() {
		fmt.Fprintf(w, "%s%12s\n", account.Short(f.Label, nameWidth), f.Text)
	}
	for _, s := range r.sections() {
		fmt.Fprintf(w, "\n%s\n", s.Title)
		for _, g := range s.Groups {
			fmt.Fprintf(w, "  %s%12s\n", account.Short(g.Name, nameWidth-2), grouped(g.Chats))
		}
	}
	return w.Flush()
}

func writeJSON(out io.Writer, r *report) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// writeCSV writes one table of everything: what it is about, the id and name of
// the group, and the value.
func writeCSV(out io.Writer, r *report) error {
	w := csv.NewWriter(out)
	rows := [][]string{{"section", "id", "name", "value"}}
	for _, f := range r.figures() {
		rows = append(rows, []string{"summary", f.Key, f.Label, f.Value})
	}
	for _, s := range append(r.sections(), section{"By day", "day", r.ByDay}) {
		for _, g := range s.Groups {
			rows = append(rows, []string{s.Key, plain(g.ID), plain(g.Name), strconv.Itoa(g.Chats)})
		}
	}
	return w.WriteAll(rows)
}

// plain keeps a spreadsheet from taking somebody's name for a formula.
func plain(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
