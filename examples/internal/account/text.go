package account

import (
	"strings"
	"unicode"

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
	return text + strings.Repeat(" ", max(0, width-uniseg.StringWidth(text)))
}
