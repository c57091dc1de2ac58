package wire

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// scan goes through JSON. Its methods take what they are named for, and return false
// where something else stands.
type scan struct {
	text  []byte
	at    int // The next byte.
	depth int // Of the lists and objects that are open.
}

// maxDepth is how deep plans go. The library goes deeper.
const maxDepth = 500

// peek returns the next byte that is no space, or 0 at the end.
func (s *scan) peek() byte {
	for s.at < len(s.text) {
		c := s.text[s.at]
		if c > ' ' {
			return c
		}
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		s.at++
	}
	return 0
}

// ends reports whether nothing follows.
func (s *scan) ends() bool { return s.peek() == 0 && s.at == len(s.text) }

func (s *scan) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.at++
	return true
}

// open takes the bracket that begins a list or an object.
func (s *scan) open(bracket byte) bool {
	if s.depth >= maxDepth || !s.take(bracket) {
		return false
	}
	s.depth++
	return true
}

// closes takes the bracket that ends a list or an object.
func (s *scan) closes(bracket byte) bool {
	if !s.take(bracket) {
		return false
	}
	s.depth--
	return true
}

// next takes a comma, or the bracket that ends a list or an object.
func (s *scan) next(bracket byte) (more, ok bool) {
	switch s.peek() {
	case ',':
		s.at++
		return true, true
	case bracket:
		s.at++
		s.depth--
		return false, true
	}
	return false, false
}

func (s *scan) literal(word string) bool {
	end := s.at + len(word)
	if end > len(s.text) || string(s.text[s.at:end]) != word {
		return false
	}
	s.at = end
	return true
}

// plainText takes a string that stands for itself, and returns it without its quotes. A
// quote is next.
func (s *scan) plainText() (text []byte, ok bool) {
	start := s.at + 1
	end := plainEnd(s.text, start)
	if end < len(s.text) && s.text[end] >= utf8.RuneSelf {
		for end < len(s.text) && s.text[end] >= utf8.RuneSelf {
			end = plainEnd(s.text, end+1)
		}
		if !utf8.Valid(s.text[start:end]) {
			return nil, false
		}
	}
	if end == len(s.text) || s.text[end] != '"' {
		return nil, false
	}
	s.at = end + 1
	return s.text[start:end], true
}

// plainEnd returns the index of the first byte, from start on, that is not printable
// ASCII, or is a quote or a backslash. It looks at sixteen bytes at a time.
func plainEnd(text []byte, start int) int {
	for ; start+16 <= len(text); start += 16 {
		both := text[start : start+16]
		first, second := unplain(binary.LittleEndian.Uint64(both)), unplain(binary.LittleEndian.Uint64(both[8:]))
		if first != 0 {
			return start + bits.TrailingZeros64(first)/8
		}
		if second != 0 {
			return start + 8 + bits.TrailingZeros64(second)/8
		}
	}
	for ; start < len(text); start++ {
		if c := text[start]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			break
		}
	}
	return start
}

// unplain has the highest bit set of the first of eight bytes that is not plain. Bytes
// after that one may have it set, too.
func unplain(word uint64) uint64 {
	const ones, highest = 0x0101010101010101, 0x8080808080808080
	quotes, backslashes := word^'"'*ones, word^'\\'*ones
	return (word | (word - ' '*ones) | (quotes - ones) | (backslashes - ones)) & highest
}

// quoted takes a string, and returns it with its quotes.
func (s *scan) quoted() (text []byte, ok bool) {
	if s.peek() != '"' {
		return nil, false
	}
	start := s.at
	for at := start + 1; at < len(s.text); {
		at = plainEnd(s.text, at)
		if at == len(s.text) {
			break
		}
		switch c := s.text[at]; {
		case c == '"':
			s.at = at + 1
			return s.text[start:s.at], true
		case c == '\\':
			length := escapeLength(s.text[at:])
			if length == 0 {
				return nil, false
			}
			at += length
		case c < ' ':
			return nil, false
		default:
			at++
		}
	}
	return nil, false
}

// escapeLength returns the length of the escape at the start of text, or 0 for none.
func escapeLength(text []byte) int {
	const short, long = len(`\n`), len(`\u0000`)
	if len(text) < short {
		return 0
	}
	switch text[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return short
	case 'u':
		if len(text) < long {
			return 0
		}
		for _, c := range text[short:long] {
			if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
				return 0
			}
		}
		return long
	}
	return 0
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// number takes a number. It is whole if it has neither a fraction nor an exponent.
func (s *scan) number() (literal []byte, whole, ok bool) {
	start := s.at
	if start < len(s.text) && s.text[start] == '-' {
		start++
	}
	at := digitsEnd(s.text, start)
	if at == start || at > start+1 && s.text[start] == '0' {
		return nil, false, false
	}
	whole = true
	if at < len(s.text) && s.text[at] == '.' {
		whole, start = false, at+1
		if at = digitsEnd(s.text, start); at == start {
			return nil, false, false
		}
	}
	if at < len(s.text) && s.text[at]|0x20 == 'e' {
		whole = false
		if at = exponentEnd(s.text, at); at == 0 {
			return nil, false, false
		}
	}
	literal, s.at = s.text[s.at:at], at
	return literal, whole, true
}

// exponentEnd returns where the exponent ends that starts there, or 0 if there is none.
func exponentEnd(text []byte, start int) int {
	first := start + 1
	if first < len(text) && (text[first] == '+' || text[first] == '-') {
		first++
	}
	if end := digitsEnd(text, first); end > first {
		return end
	}
	return 0
}

func digitsEnd(text []byte, start int) int {
	for start < len(text) && isDigit(text[start]) {
		start++
	}
	return start
}

// skip takes any value, and returns it.
func (s *scan) skip() (value []byte, ok bool) {
	switch c := s.peek(); c {
	case '"':
		return s.quoted()
	case '{', '[':
		start := s.at
		ok = s.skipAll(c)
		return s.text[start:s.at], ok
	case 't', 'f', 'n':
		start := s.at
		ok = s.literal("true") || s.literal("false") || s.literal("null")
		return s.text[start:s.at], ok
	}
	value, _, ok = s.number()
	return value, ok
}

// skipAll takes a list or an object.
func (s *scan) skipAll(bracket byte) bool {
	return s.each(bracket, func() bool { _, ok := s.skip(); return ok })
}

// each takes a list or an object, and has take take each value in it.
func (s *scan) each(bracket byte, take func() bool) bool {
	end := bracket + 2
	if !s.open(bracket) {
		return false
	}
	if s.closes(end) {
		return true
	}
	for {
		if bracket == '{' {
			if _, ok := s.quoted(); !ok || !s.take(':') {
				return false
			}
		}
		if !take() {
			return false
		}
		if more, ok := s.next(end); !more {
			return ok
		}
	}
}
