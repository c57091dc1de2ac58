package wire

import (
	"bytes"
	"errors"
)

// What no answer of the service comes near: a page has a hundred items, and a
// few dozen values in each. A value takes much more memory than its two bytes
// on the wire, so that without these bounds a small answer could fill it.
const (
	maxValues = 200_000 // In an answer.
	maxItems  = 10_000  // In a list, members of an object, or lists in one another.
)

// ErrOverfull means that an answer holds more values than any page has.
var ErrOverfull = errors.New("more values than any page has")

// CheckCount returns [ErrOverfull] for what would be too large once it is
// decoded. Of an ordinary page, it only counts the commas and brackets.
func CheckCount(body []byte) error {
	if len(body) <= maxItems || countAny(body, ",", "{", "[") <= maxItems {
		return nil
	}
	var items []int // Of each list and object that is open.
	for values := 0; len(body) > 0; body = body[1:] {
		switch body[0] {
		case '"':
			body = body[stringEnd(body):]
			continue
		case '{', '[':
			items = append(items, 1)
			values++
		case '}', ']':
			items = items[:max(0, len(items)-1)]
		case ',':
			values++
			if depth := len(items); depth > 0 {
				items[depth-1]++
			}
		}
		depth := len(items)
		if values > maxValues || depth > maxItems || depth > 0 && items[depth-1] > maxItems {
			return ErrOverfull
		}
	}
	return nil
}

func countAny(body []byte, signs ...string) (n int) {
	for _, sign := range signs {
		n += bytes.Count(body, []byte(sign))
	}
	return n
}

// stringEnd returns the index of the quote that ends the string at the start of
// text, or the last index of a string that breaks off.
func stringEnd(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(text) - 1
}
