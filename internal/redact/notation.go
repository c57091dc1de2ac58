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
	{`%+`, decodeURL},
}

// readings returns a text as it stands and as its escapes read, of any notation,
// or of one within another.
func readings(text []byte) []*reading {
	all := []*reading{{text: text}}
	for depth, from := 0, 0; depth < 2; depth++ {
		before := all[from:]
		from = len(all)
		for _, r := range before {
			for _, n := range notations {
				if bytes.ContainsAny(r.text, n.marks) {
					all = append(all, r.as(n))
				}
			}
		}
	}
	return all
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

// decodeJSON reads an escape of JSON, such as \/ or \u00f6.
func decodeJSON(text []byte) ([]byte, int) {
	if len(text) < 2 {
		return nil, 2
	}
	if text[1] != 'u' {
		if i := strings.IndexByte(`"\/bfnrt`, text[1]); i >= 0 {
			return []byte{"\"\\/\b\f\n\r\t"[i]}, 2
		}
		return nil, 0
	}
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

// codeUnit reads \uXXXX.
func codeUnit(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
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

// decodeHTML reads a character reference, such as &amp; or &#x2F;.
func decodeHTML(text []byte) ([]byte, int) {
	end := bytes.IndexByte(text[:min(len(text), longestEntity)], ';')
	if end < 0 {
		if len(text) < longestEntity && !bytes.ContainsAny(text[1:], " <&\"'") {
			return nil, longestEntity
		}
		return nil, 0
	}
	entity := string(text[:end+1])
	if decoded := html.UnescapeString(entity); decoded != entity {
		return []byte(decoded), len(entity)
	}
	return nil, 0
}

// decodeURL reads an escape of a URL's query, such as %2F or +.
func decodeURL(text []byte) ([]byte, int) {
	if text[0] == '+' {
		return []byte{' '}, 1
	}
	if len(text) < 3 {
		return nil, 3
	}
	n, err := strconv.ParseUint(string(text[1:3]), 16, 8)
	if err != nil {
		return nil, 0
	}
	return []byte{byte(n)}, 3
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
