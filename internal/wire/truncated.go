package wire

import (
	"bytes"
	"errors"
	"io"
)

// maxCounted is the largest answer, in bytes, whose brackets are counted. Of a page
// of a hundred chats, that would take as long as some of its chats.
const maxCounted = 16 << 10

// Truncated reports whether a JSON object or array breaks off. Since every answer
// is checked, few are parsed for it: one that ends with the bracket that closes
// it, and has as many of these as of those that open, passes for whole. Where a
// bracket in a text makes up for one that was cut off, or in a large answer, only
// decoding tells.
func Truncated(body []byte) bool {
	body = trim(body)
	if len(body) == 0 || body[0] != '{' && body[0] != '[' {
		return false
	}
	first, last := body[:1], []byte{body[0] + 2}
	ended := bytes.HasSuffix(body, last)
	if ended && (len(body) > maxCounted || bytes.Count(body, first) == bytes.Count(body, last)) {
		return false
	}
	err := newDecoder(body).SkipValue()
	return errors.Is(err, io.ErrUnexpectedEOF)
}
