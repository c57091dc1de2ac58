package wire

import (
	"bytes"
	"errors"
)

// maxItems bounds the items of a list, the members of an object, and how deep they
// lie in one another. A page of the service has a hundred items.
const maxItems = 10_000

// ErrOverfull means that an answer holds more values than any page has.
var ErrOverfull = errors.New("more values than any page has")

// CheckCount returns [ErrOverfull] for what would be too large once it is
// decoded: a value takes much more memory than its two bytes on the wire, so that
// without a bound a small answer could fill it. Of an ordinary page, it only
// counts the commas.
func CheckCount(body []byte, maxValues int64) error {
	if len(body) <= maxItems || bytes.Count(body, comma) < maxItems {
		return nil
	}
	var items []int // Of each list and object that is open.
	for values := int64(0); len(body) > 0; body = body[1:] {
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
			addItem(items)
		}
		if values > maxValues || len(items) > maxItems || len(items) > 0 && items[len(items)-1] > maxItems {
			return ErrOverfull
		}
	}
	return nil
}

var comma = []byte(",")

func addItem(items []int) {
	if depth := len(items); depth > 0 {
		items[depth-1]++
	}
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
