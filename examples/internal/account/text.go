package account

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"
	"github.com/rivo/uniseg"
)

// Plain makes what strangers wrote safe to print: a line break or an escape
// sequence in a name could make up lines of its own.
func Plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
}

// Column is Plain, filled up to the width of a column on a terminal, where some
// characters take the room of two.
func Column(text string, width int) string {
	text = Plain(text)
	return text + strings.Repeat(" ", max(0, width-Columns(text)))
}

// Short is Column, and cuts what is longer.
func Short(text string, width int) string {
	if text = Plain(text); Columns(text) > width {
		text = cut(text, width-1) + "…"
	}
	return Column(text, width)
}

// Columns is how many columns a text takes on a terminal.
func Columns(text string) int { return uniseg.StringWidth(text) }

// Width is how many columns the examples print at most.
const Width = 80

// Wrapped is head and then text, made plain, in lines of at most Width columns.
// Lines after the first are indented: by the head, or by two columns if there is
// none or it is long.
func Wrapped(head, text string) string {
	var b strings.Builder
	b.WriteString(head)
	column, indent, gap := Columns(head), 2, 0
	if column > 0 && column <= Width/2 {
		indent = column
	}
	for word := range strings.FieldsSeq(Plain(text)) {
		for _, part := range parts(word, Width-indent) {
			width := Columns(part)
			if column+gap+width > Width {
				b.WriteString("\n" + strings.Repeat(" ", indent))
				column, gap = indent, 0
			}
			b.WriteString(strings.Repeat(" ", gap) + part)
			column, gap = column+gap+width, 0
		}
		gap = 1
	}
	return b.String()
}

// parts breaks a word that is too long, after a comma or slash if there is one.
func parts(word string, width int) (parts []string) {
	for Columns(word) > width {
		part := cut(word, width)
		if at := strings.LastIndexAny(part, ",/"); at >= 0 {
			part = part[:at+1]
		}
		parts = append(parts, part)
		word = word[len(part):]
	}
	return append(parts, word)
}

// cut returns as much of the beginning as fits, a character at least.
func cut(text string, width int) string {
	part, used := "", 0
	characters := uniseg.NewGraphemes(text)
	for characters.Next() && (part == "" || used+characters.Width() <= width) {
		part += characters.Str()
		used += characters.Width()
	}
	return part
}

// Duration says a time as people do: "43 s", "21 min 15 s", "1 h 5 min".
func Duration(d time.Duration) string {
	d = d.Round(time.Second)
	hours, minutes, seconds := int64(d/time.Hour), d%time.Hour/time.Minute, d%time.Minute/time.Second
	switch {
	case hours > 0 && minutes > 0:
		return fmt.Sprintf("%s h %d min", humanize.Comma(hours), minutes)
	case hours > 0:
		return humanize.Comma(hours) + " h"
	case minutes > 0 && seconds > 0:
		return fmt.Sprintf("%d min %d s", minutes, seconds)
	case minutes > 0:
		return fmt.Sprintf("%d min", minutes)
	}
	return fmt.Sprintf("%d s", seconds)
}

// Count is a number of things: "1 chat", "1,191 chats".
func Count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return humanize.Comma(int64(n)) + " " + thing
}

// Named says what an id is of, unless it says so itself: "visitor 5150", but
// "visitor5150".
func Named(kind, id string) string {
	if strings.HasPrefix(strings.ToLower(id), kind) {
		return id
	}
	return kind + " " + id
}
