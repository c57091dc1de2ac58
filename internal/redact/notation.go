package redact

import (
	"bytes"
	"html"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// reading is a text as somebody reads it who takes its escapes for what they stand
// for. Each byte knows where it is written in the original.
type reading struct {
	text []byte
	from []int32 // One more than text has bytes. Nil for the original itself.
}

// start returns where a byte is written, or the end of the text.
func (r *reading) start(i int) int {
	if r.from == nil {
		return i
	}
	return int(r.from[i])
}

// end returns where that ends with which a byte is written.
func (r *reading) end(i int) int {
	next := i + 1
	for next < len(r.text) && r.start(next) == r.start(i) {
		next++
	}
	return r.start(next)
}

// notation is a way of writing text with escapes.
type notation struct {
	marks string // The bytes that begin an escape.

	// decode reads the escape at the start of text. It returns how long that is,
	// and 0 for none. One that breaks off with the text is longer than that.
	decode func(text []byte) (decoded []byte, length int)
}

var notations = []notation{
	{`\`, decodeJSON},
	{`&`, decodeHTML},
	{`%`, decodeURL},  // Of a path.
	{`%+`, decodeURL}, // Of a query.
}

const (
	deepest     = 4  // Notations within each other that are read.
	maxReadings = 40 // Bounds what a hostile text costs. All pairs of notations are fewer.
)

// readings returns a text as it stands and as its escapes read, of any notation,
// or of some within another.
func readings(text []byte) []*reading {
	all := []*reading{{text: text}}
	for depth, from := 0, 0; depth < deepest; depth++ {
		before := all[from:]
		from = len(all)
		for _, r := range before {
			for _, n := range notations {
				if len(all) < maxReadings && bytes.ContainsAny(r.text, n.marks) {
					all = appendNew(all, r.as(n))
				}
			}
		}
	}
	return all
}

// appendNew adds a reading that says something else than those before.
func appendNew(all []*reading, r *reading) []*reading {
	if slices.ContainsFunc(all, func(known *reading) bool { return bytes.Equal(known.text, r.text) }) {
		return all
	}
	return append(all, r)
}

// as reads a text in a notation.
func (r *reading) as(n notation) *reading {
	read := &reading{text: make([]byte, 0, len(r.text)), from: make([]int32, 0, len(r.text)+1)}
	i := 0
	for i < len(r.text) {
		decoded, length := r.text[i:i+1], 1
		if strings.IndexByte(n.marks, r.text[i]) >= 0 {
			if text, size := n.decode(r.text[i:]); size > 0 {
				decoded, length = text, size
			}
		}
		if i+length > len(r.text) {
			break // Whatever it stands for, the text is over.
		}
		for range decoded {
			read.from = append(read.from, int32(r.start(i))) //nolint:gosec // No text is that long.
		}
		read.text = append(read.text, decoded...)
		i += length
	}
	read.from = append(read.from, int32(r.start(i))) //nolint:gosec // No text is that long.
	return read
}

// decodeJSON reads an escape of JSON, such as \/ or \u00f6, or of another language
// that writes texts so, such as \xc3 or \U0001F600.
func decodeJSON(text []byte) ([]byte, int) {
	if len(text) < 2 {
		return nil, 2
	}
	switch c := text[1]; {
	case c == 'u' && len(text) > 2 && text[2] == '{':
		return decodeBraces(text)
	case c == 'u':
		return decodeUnits(text)
	case c == 'U':
		return decodeNumber(text, 2, 10, 16, appendRune)
	case c == 'x':
		return decodeNumber(text, 2, 4, 16, appendByte)
	case '0' <= c && c <= '3':
		return decodeNumber(text, 1, 4, 8, appendByte)
	}
	if i := strings.IndexByte(`"'\/bfnrt`, text[1]); i >= 0 {
		return []byte{"\"'\\/\b\f\n\r\t"[i]}, 2
	}
	return nil, 0
}

// decodeBraces reads \u{1F600}.
func decodeBraces(text []byte) ([]byte, int) {
	const longest = len(`\u{10FFFF}`)
	end := bytes.IndexByte(text[:min(len(text), longest)], '}')
	if end < 0 {
		if len(text) < longest {
			return nil, longest
		}
		return nil, 0
	}
	decoded, length := decodeNumber(text, 3, end, 16, appendRune)
	return decoded, min(length, 1) * (end + 1)
}

// decodeUnits reads \u00f6 or %u00f6, or two of them that are one character.
func decodeUnits(text []byte) ([]byte, int) {
	first, ok := codeUnit(text)
	if !ok || !utf16.IsSurrogate(first) {
		return utf8.AppendRune(nil, first), unitLength(text, ok)
	}
	second, ok := codeUnit(text[6:])
	if pair := utf16.DecodeRune(first, second); ok && pair != utf8.RuneError {
		return utf8.AppendRune(nil, pair), 12
	}
	if len(text) < 12 {
		return nil, 12
	}
	return nil, 0
}

func appendByte(n uint64) []byte { return []byte{byte(n)} } //nolint:gosec // Its digits are too few.
func appendRune(n uint64) []byte { return utf8.AppendRune(nil, rune(min(n, utf8.MaxRune+1))) }

// decodeNumber reads the digits from one place in text to another, where the escape
// ends.
func decodeNumber(text []byte, from, to, base int, decode func(uint64) []byte) ([]byte, int) {
	if len(text) < to {
		return nil, to
	}
	n, err := strconv.ParseUint(string(text[from:to]), base, 32)
	if err != nil {
		return nil, 0
	}
	return decode(n), to
}

// codeUnit reads \uXXXX, or %uXXXX.
func codeUnit(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' && text[0] != '%' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(n), err == nil
}

// unitLength is that of an escape \uXXXX, which may be none, or break off.
func unitLength(text []byte, ok bool) int {
	if ok || len(text) < 6 {
		return 6
	}
	return 0
}

const longestEntity = len("&CounterClockwiseContourIntegral;")

// decodeHTML reads a character reference, such as &amp; or &#x2F;. One that is a
// number need not end with a semicolon.
func decodeHTML(text []byte) ([]byte, int) {
	start := text[:min(len(text), longestEntity)]
	first, digits := 1, alphanumeric
	switch {
	case bytes.HasPrefix(start, []byte("&#x")), bytes.HasPrefix(start, []byte("&#X")):
		first, digits = 3, hexadecimal
	case bytes.HasPrefix(start, []byte("&#")):
		first, digits = 2, decimal
	}
	end := first
	for end < len(start) && strings.IndexByte(digits, start[end]) >= 0 {
		end++
	}
	switch {
	case end == len(text):
		return nil, longestEntity
	case end < len(start) && start[end] == ';':
		end++
	case first == 1 || end == first:
		return nil, 0
	}
	entity := string(start[:end])
	if decoded := html.UnescapeString(entity); decoded != entity {
		return []byte(decoded), len(entity)
	}
	return nil, 0
}

const (
	decimal      = "0123456789"
	hexadecimal  = decimal + "abcdefABCDEF"
	alphanumeric = hexadecimal + "ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ"
)

// decodeURL reads an escape of a URL, such as %2F, %u00f6 or +.
func decodeURL(text []byte) ([]byte, int) {
	switch {
	case text[0] == '+':
		return []byte{' '}, 1
	case len(text) > 1 && text[1] == 'u':
		return decodeUnits(text)
	}
	return decodeNumber(text, 1, 3, 16, appendByte)
}

// span is a part of a text.
type span struct{ from, to int }

// find returns where a secret is written, however that is.
func find(all []*reading, secret string) (found []span) {
	for _, r := range all {
		for i := 0; ; {
			at := bytes.Index(r.text[i:], []byte(secret))
			if at < 0 {
				break
			}
			first := i + at
			i = first + len(secret)
			found = append(found, span{r.start(first), r.end(i - 1)})
		}
	}
	return found
}

// findEnd returns where a part of a secret begins that breaks off with the text, or
// the text's length.
func findEnd(all []*reading, secret string) int {
	from := len(all[0].text)
	for _, r := range all {
		for n := min(len(secret)-1, len(r.text)); n > 0; n-- {
			if bytes.HasSuffix(r.text, []byte(secret[:n])) {
				from = min(from, r.start(len(r.text)-n))
				break
			}
		}
	}
	return from
}

// mask puts the mask in the place of each span. Those that overlap have one.
func mask(text []byte, spans []span) []byte {
	if len(spans) == 0 {
		return text
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	var masked []byte
	end := 0
	for i, s := range spans {
		if i == 0 || s.from >= end {
			masked = append(append(masked, text[end:s.from]...), Mask...)
		}
		end = max(end, s.to)
	}
	return append(masked, text[end:]...)
}
