package wire

import (
	"bytes"
	"errors"
	"io"
)

// Truncated reports whether a JSON object or array breaks off. One that ends
// with the right bracket, and has as many that close as that open, passes unread:
// this is asked of every answer. Brackets in texts make it read, too, or hide
// that it breaks off from all but who decodes it.
func Truncated(body []byte) bool {
	body = bytes.TrimSpace(body)
	if len(body) == 0 || body[0] != '{' && body[0] != '[' {
		return false
	}
	first, last := body[:1], []byte{body[0] + 2}
	if bytes.HasSuffix(body, last) && bytes.Count(body, first) == bytes.Count(body, last) {
		return false
	}
	err := newDecoder(body).SkipValue()
	return errors.Is(err, io.ErrUnexpectedEOF)
}
